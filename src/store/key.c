/* key.c -- where things are: keys in the order in which they are read.
 *
 *   table id    4  big-endian; 0 is the meta space, whose keys are this and the caller's bytes
 *   token       8  sign flipped, big-endian, so that bytes order as numbers
 *   size        2  of the partition key, big-endian: no partition's keys are the start of another's
 *   partition key
 *   mark        1  enum store_key_mark: partition tombstone, range tombstones, static row, rows
 *   clustering     rows: byte-comparable, as the caller made it
 *                  range tombstones: from, to, size of from u32; both bounds as clusterings, to may be empty.  Before
 *                  them one without bounds, which says that there are some: reads of single rows look for it
 *
 * So a partition is one range, its tombstone first, and a table's token range is one range too. */
#include "store/store_int.h"

#include <string.h>

void store_key_write_token(struct mr_writer *w, uint32_t table_id, int64_t token)
{
    mr_write_u32(w, table_id);
    mr_write_u64(w, (uint64_t)token ^ UINT64_C(0x8000000000000000));
}

void store_key_write_partition(struct mr_writer *w, const struct store_key *key)
{
    assert(key->partition_key.size <= STORE_PARTITION_KEY_BYTES_MAX);
    store_key_write_token(w, key->table_id, key->token);
    mr_write_u16(w, (uint16_t)key->partition_key.size);
    mr_write_bytes(w, key->partition_key);
}

void store_key_write(struct mr_writer *w, const struct store_key *key)
{
    store_key_write_partition(w, key);
    if (key->kind == STORE_ROW_STATIC) {
        mr_write_u8(w, STORE_MARK_STATIC);
        return;
    }
    mr_write_u8(w, STORE_MARK_ROW);
    mr_write_bytes(w, key->clustering);
}

void store_key_write_range(struct mr_writer *w, const struct store_key *key, struct mr_bytes to)
{
    store_key_write_partition(w, key);
    mr_write_u8(w, STORE_MARK_RANGE_TOMBSTONE);
    mr_write_bytes(w, key->clustering);
    mr_write_bytes(w, to);
    mr_write_u32(w, (uint32_t)key->clustering.size);
}

enum mr_status store_key_read_range(struct mr_bytes clustering, struct mr_bytes *from, struct mr_bytes *to)
{
    uint32_t size;

    if (clustering.size < 4)
        return MR_INVALID;
    size = (uint32_t)mr_load_i32(clustering.data + clustering.size - 4);
    if (size > clustering.size - 4)
        return MR_INVALID;
    *from = (struct mr_bytes){ clustering.data, size };
    *to = (struct mr_bytes){ clustering.data + size, clustering.size - 4 - size };
    return MR_OK;
}

enum mr_status store_key_read(struct mr_bytes bytes, struct store_key *key, uint8_t *mark, size_t *partition_bytes)
{
    struct mr_reader r = mr_reader_of(bytes);
    struct store_key k = { 0 };
    uint8_t m;

    k.table_id = mr_read_u32(&r);
    k.token = (int64_t)(mr_read_u64(&r) ^ UINT64_C(0x8000000000000000));
    k.partition_key = mr_read_slice(&r, mr_read_u16(&r));
    m = mr_read_u8(&r);
    if (r.failed || k.table_id == STORE_META_TABLE)
        return MR_INVALID;
    switch (m) {
    case STORE_MARK_PARTITION_TOMBSTONE:
    case STORE_MARK_STATIC:
        if (mr_reader_left(&r) != 0)
            return MR_INVALID;
        k.kind = STORE_ROW_STATIC;
        break;
    case STORE_MARK_RANGE_TOMBSTONE:
    case STORE_MARK_ROW:
        k.kind = STORE_ROW_CLUSTERED;
        break;
    default:
        return MR_INVALID;
    }
    k.clustering = mr_read_slice(&r, mr_reader_left(&r));
    *key = k;
    *mark = m;
    *partition_bytes = STORE_KEY_PREFIX_BYTES + k.partition_key.size;
    return MR_OK;
}

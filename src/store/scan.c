/* scan.c -- rows in order: a table's token range, or one partition forwards or backwards.
 *
 * A scan is one RocksDB iterator, which sees the store as of its opening.  A partition's tombstone and those of its
 * ranges come before its rows; when a scan starts inside of a partition, they are read first.
 *
 * Resume key: how u8 (RESUME_ROW: after this key; RESUME_PARTITION: after its whole partition), then the stored key.
 * It travels through clients, so it is checked like any input. */
#include "store/store_int.h"

#include <stdlib.h>
#include <string.h>

enum { RESUME_ROW = 1, RESUME_PARTITION = 2 };

struct store_scan {
    struct store *store;
    rocksdb_iterator_t *it;
    rocksdb_readoptions_t *read_options;
    struct mr_writer lower; /* inclusive */
    struct mr_writer upper; /* exclusive; borrowed by read_options */
    bool reverse;
    bool started;          /* the iterator is on the last row that was looked at */
    bool skip;             /* ... and its partition is to be left out */
    struct mr_writer last; /* the stored key of the last row that was returned */
    size_t last_partition_bytes;
    struct mr_writer partition;       /* the partition that view's tombstone belongs to */
    struct store_view view;           /* without the range tombstones */
    struct store_ranges ranges;       /* of the same partition */
    struct store_row_version version; /* scratch */
};

static struct mr_bytes scan_key(const struct store_scan *scan)
{
    struct mr_bytes key;

    key.data = (const uint8_t *)rocksdb_iter_key(scan->it, &key.size);
    return key;
}

static struct mr_bytes scan_value(const struct store_scan *scan)
{
    struct mr_bytes value;

    value.data = (const uint8_t *)rocksdb_iter_value(scan->it, &value.size);
    return value;
}

static void seek(struct store_scan *scan, const struct mr_writer *key)
{
    rocksdb_iter_seek(scan->it, (const char *)key->data, key->size);
}

static void set_bounds(struct store_scan *scan, const struct store_scan_options *o)
{
    struct store_key key = { .table_id = o->table_id, .token = o->token, .partition_key = o->partition_key };
    bool rows_only = o->without_static || o->reverse || o->clustering_from.size > 0 || o->clustering_to.size > 0;

    if (!o->one_partition) {
        store_key_write_token(&scan->lower, o->table_id, o->token_first);
        store_key_write_token(&scan->upper, o->token_last == INT64_MAX ? o->table_id + 1 : o->table_id,
                              o->token_last == INT64_MAX ? INT64_MIN : o->token_last + 1);
        return;
    }
    store_key_write_partition(&scan->lower, &key);
    mr_write_u8(&scan->lower, rows_only ? STORE_MARK_ROW : STORE_MARK_STATIC);
    mr_write_bytes(&scan->lower, o->clustering_from);
    store_key_write_partition(&scan->upper, &key);
    mr_write_u8(&scan->upper, o->clustering_to.size > 0 ? STORE_MARK_ROW : STORE_MARK_END);
    mr_write_bytes(&scan->upper, o->clustering_to);
}

/* Takes in the range tombstone under KEY (already taken apart) and VALUE. */
static enum mr_status add_range(struct store_ranges *ranges, struct mr_bytes clustering, struct mr_bytes value)
{
    struct store_view view = { 0 };
    struct mr_bytes from, to;
    enum mr_status status;

    if (clustering.size == 0)
        return MR_OK; /* only says that there are some */
    status = store_key_read_range(clustering, &from, &to);
    if (status == MR_OK)
        status = store_view_read(&view, value);
    if (status == MR_OK && view.has_deleted)
        store_ranges_add(ranges, from, to, view.deleted_us);
    return status == MR_OK ? MR_OK : MR_CORRUPT;
}

/* Reads the tombstones of the partition whose keys start with PREFIX: its own, then those of ranges. */
static enum mr_status load_tombstones(struct store_scan *scan, struct mr_bytes prefix)
{
    enum mr_status status = MR_OK;
    size_t partition_bytes;
    struct store_key key;
    uint8_t mark;

    scan->partition.size = 0;
    mr_write_bytes(&scan->partition, prefix);
    scan->view.has_deleted = false;
    store_ranges_reset(&scan->ranges);
    mr_write_u8(&scan->partition, STORE_MARK_PARTITION_TOMBSTONE);
    seek(scan, &scan->partition);
    scan->partition.size--;
    for (; status == MR_OK && rocksdb_iter_valid(scan->it); rocksdb_iter_next(scan->it)) {
        struct mr_bytes at = scan_key(scan);

        if (store_key_read(at, &key, &mark, &partition_bytes) != MR_OK)
            return MR_CORRUPT;
        if (mark > STORE_MARK_RANGE_TOMBSTONE ||
            mr_bytes_compare(mr_writer_bytes(&scan->partition), (struct mr_bytes){ at.data, partition_bytes }) != 0)
            break;
        if (mark == STORE_MARK_PARTITION_TOMBSTONE)
            status = store_view_read(&scan->view, scan_value(scan));
        else
            status = add_range(&scan->ranges, key.clustering, scan_value(scan));
    }
    store_ranges_finish(&scan->ranges);
    return status;
}

/* Puts the iterator where the scan starts. */
static enum mr_status start(struct store_scan *scan, const struct store_scan_options *o)
{
    struct store_key key = { .table_id = o->table_id, .token = o->token, .partition_key = o->partition_key };
    struct mr_bytes resume =
        o->resume.size > 0 ? (struct mr_bytes){ o->resume.data + 1, o->resume.size - 1 } : MR_BYTES_NULL;
    struct mr_writer at = { 0 };
    enum mr_status status = MR_OK;
    size_t partition_bytes = 0;
    uint8_t mark;

    if (resume.size > 0) {
        status = store_key_read(resume, &key, &mark, &partition_bytes);
        assert(status == MR_OK);
    }
    if (o->one_partition || (resume.size > 0 && o->resume.data[0] == RESUME_ROW)) {
        store_key_write_partition(&at, &key);
        status = load_tombstones(scan, mr_writer_bytes(&at));
        at.size = 0;
    }
    if (resume.size == 0) {
        if (scan->reverse)
            rocksdb_iter_seek_to_last(scan->it);
        else
            seek(scan, &scan->lower);
    } else if (o->resume.data[0] == RESUME_PARTITION) {
        mr_write_bytes(&at, (struct mr_bytes){ resume.data, partition_bytes });
        mr_write_u8(&at, STORE_MARK_END);
        seek(scan, &at);
    } else if (scan->reverse) {
        rocksdb_iter_seek_for_prev(scan->it, (const char *)resume.data, resume.size);
        if (rocksdb_iter_valid(scan->it) && mr_bytes_compare(scan_key(scan), resume) == 0)
            rocksdb_iter_prev(scan->it);
    } else {
        rocksdb_iter_seek(scan->it, (const char *)resume.data, resume.size);
        if (rocksdb_iter_valid(scan->it) && mr_bytes_compare(scan_key(scan), resume) == 0)
            rocksdb_iter_next(scan->it);
    }
    mr_writer_deinit(&at);
    return status;
}

static bool resume_is_valid(const struct store_scan *scan, const struct store_scan_options *o)
{
    struct mr_bytes stored;
    struct store_key key;
    size_t partition_bytes;
    uint8_t mark;

    if (o->resume.size == 0)
        return true;
    if (o->resume.data[0] != RESUME_ROW && (o->resume.data[0] != RESUME_PARTITION || o->reverse))
        return false;
    stored = (struct mr_bytes){ o->resume.data + 1, o->resume.size - 1 };
    return store_key_read(stored, &key, &mark, &partition_bytes) == MR_OK && key.table_id == o->table_id &&
           mr_bytes_compare(stored, mr_writer_bytes(&scan->lower)) >= 0 &&
           mr_bytes_compare(stored, mr_writer_bytes(&scan->upper)) < 0;
}

enum mr_status store_scan_open(struct store_scan **out, struct store *store, const struct store_scan_options *options,
                               struct mr_err *err)
{
    struct store_scan *scan;
    enum mr_status status;

    assert(options->table_id != STORE_META_TABLE && options->table_id != UINT32_MAX);
    if (options->one_partition &&
        (options->partition_key.size == 0 || options->partition_key.size > STORE_PARTITION_KEY_BYTES_MAX))
        return mr_err_set(err, MR_INVALID, "a partition key of %zu bytes: 1 to %d", options->partition_key.size,
                          STORE_PARTITION_KEY_BYTES_MAX);
    assert(!options->reverse || options->one_partition);
    scan = MR_NEW(struct store_scan);
    scan->store = store;
    scan->reverse = options->reverse;
    scan->view.now_s = mr_now_us(store->env) / 1000000;
    set_bounds(scan, options);
    if (!resume_is_valid(scan, options)) {
        store_scan_close(scan);
        return mr_err_set(err, MR_INVALID, "the paging state is not one of this query");
    }
    scan->read_options = rocksdb_readoptions_create();
    rocksdb_readoptions_set_iterate_upper_bound(scan->read_options, (const char *)scan->upper.data, scan->upper.size);
    scan->it = rocksdb_create_iterator(store->db, scan->read_options);
    status = start(scan, options);
    if (status != MR_OK) {
        store_scan_close(scan);
        return mr_err_set(err, status, "%s: a partition tombstone can't be read", store->dir);
    }
    *out = scan;
    return MR_OK;
}

void store_scan_close(struct store_scan *scan)
{
    if (scan == NULL)
        return;
    if (scan->it != NULL)
        rocksdb_iter_destroy(scan->it);
    if (scan->read_options != NULL)
        rocksdb_readoptions_destroy(scan->read_options);
    mr_writer_deinit(&scan->lower);
    mr_writer_deinit(&scan->upper);
    mr_writer_deinit(&scan->last);
    mr_writer_deinit(&scan->partition);
    store_ranges_deinit(&scan->ranges);
    store_row_version_deinit(&scan->version);
    mr_free(scan);
}

/* Moves off the row that was looked at last. */
static void advance(struct store_scan *scan)
{
    if (scan->skip) {
        struct mr_writer end = { 0 };

        mr_write_bytes(&end, (struct mr_bytes){ scan->last.data, scan->last_partition_bytes });
        mr_write_u8(&end, STORE_MARK_END);
        seek(scan, &end);
        mr_writer_deinit(&end);
    } else if (scan->started && scan->reverse) {
        rocksdb_iter_prev(scan->it);
    } else if (scan->started) {
        rocksdb_iter_next(scan->it);
    }
    scan->skip = false;
    scan->started = true;
}

/* The partition changed: forgets the tombstone of the one before. */
static void enter_partition(struct store_scan *scan, struct mr_bytes prefix)
{
    if (mr_bytes_compare(mr_writer_bytes(&scan->partition), prefix) == 0)
        return;
    scan->partition.size = 0;
    mr_write_bytes(&scan->partition, prefix);
    scan->view.has_deleted = false;
    store_ranges_reset(&scan->ranges);
}

/* What a row at CLUSTERING is seen through. */
static struct store_view view_of(struct store_scan *scan, struct mr_bytes clustering)
{
    struct store_view view = scan->view;
    int64_t deleted_us;

    if (scan->ranges.count > 0 && store_ranges_find(&scan->ranges, clustering, &deleted_us) &&
        (!view.has_deleted || deleted_us > view.deleted_us)) {
        view.has_deleted = true;
        view.deleted_us = deleted_us;
    }
    return view;
}

/* Looks at the entry under the iterator: MR_OK a live row in OUT, MR_NOT_FOUND nothing to show. */
static enum mr_status look(struct store_scan *scan, struct mr_bytes key_bytes, struct mr_arena *arena,
                           struct store_row *out)
{
    struct store_row row = { 0 };
    struct mr_bytes value = scan_value(scan);
    struct store_view view;
    enum mr_status status;
    size_t partition_bytes;
    uint8_t mark;

    status = store_key_read(key_bytes, &row.key, &mark, &partition_bytes);
    if (status != MR_OK)
        return MR_CORRUPT;
    enter_partition(scan, (struct mr_bytes){ key_bytes.data, partition_bytes });
    view = scan->view;
    if (mark == STORE_MARK_PARTITION_TOMBSTONE) {
        status = store_view_read(&scan->view, value);
        return status == MR_OK ? MR_NOT_FOUND : status;
    }
    if (mark == STORE_MARK_RANGE_TOMBSTONE) {
        status = add_range(&scan->ranges, row.key.clustering, value);
        return status == MR_OK ? MR_NOT_FOUND : status;
    }
    if (mark != STORE_MARK_STATIC && mark != STORE_MARK_ROW)
        return MR_NOT_FOUND;
    status = store_row_version_read(value, &scan->version);
    if (status != MR_OK)
        return status;
    if (mark == STORE_MARK_ROW)
        view = view_of(scan, row.key.clustering);
    if (!store_row_version_live(&scan->version, value, &view, arena, &row))
        return MR_NOT_FOUND;
    row.key.partition_key = mr_arena_bytes(arena, row.key.partition_key);
    row.key.clustering = mr_arena_bytes(arena, row.key.clustering);
    scan->last.size = 0;
    mr_write_bytes(&scan->last, key_bytes);
    scan->last_partition_bytes = partition_bytes;
    *out = row;
    return MR_OK;
}

enum mr_status store_scan_next(struct store_scan *scan, struct mr_arena *arena, struct store_row *out,
                               struct mr_err *err)
{
    char *message = NULL;
    enum mr_status status;

    for (;;) {
        struct mr_bytes key;

        if (scan->started && !rocksdb_iter_valid(scan->it))
            break;
        advance(scan);
        if (!rocksdb_iter_valid(scan->it))
            break;
        key = scan_key(scan);
        if (scan->reverse && mr_bytes_compare(key, mr_writer_bytes(&scan->lower)) < 0)
            return mr_err_set(err, MR_NOT_FOUND, "no more rows");
        status = look(scan, key, arena, out);
        if (status == MR_OK)
            return MR_OK;
        if (status != MR_NOT_FOUND)
            return mr_err_set(err, status, "%s: a row can't be read", scan->store->dir);
    }
    rocksdb_iter_get_error(scan->it, &message);
    if (message != NULL)
        return store_rocks_error(scan->store, message, err);
    return mr_err_set(err, MR_NOT_FOUND, "no more rows");
}

void store_scan_skip_partition(struct store_scan *scan)
{
    assert(!scan->reverse);
    scan->skip = scan->last.size > 0;
}

void store_scan_resume(const struct store_scan *scan, struct mr_writer *out)
{
    if (scan->last.size == 0)
        return;
    mr_write_u8(out, scan->skip ? RESUME_PARTITION : RESUME_ROW);
    mr_write_bytes(out, mr_writer_bytes(&scan->last));
}

enum mr_status store_resume_partition(struct mr_bytes resume, int64_t *token, struct mr_bytes *partition_key)
{
    struct store_key key;
    size_t partition_bytes;
    uint8_t mark;

    if (resume.size < 1 ||
        store_key_read((struct mr_bytes){ resume.data + 1, resume.size - 1 }, &key, &mark, &partition_bytes) != MR_OK)
        return MR_INVALID;
    *token = key.token;
    *partition_key = key.partition_key;
    return MR_OK;
}

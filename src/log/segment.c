/* segment.c -- one file of a partition: record batches, end to end, as the producer sent them.
 *
 * File NNNNNNNNNNNNNNNNNNNN.log, named by its first offset; only base offset and leader epoch of each batch are ours.
 * Index: NNNNNNNNNNNNNNNNNNNN.index, for offsets and times in one, an entry at most every index_interval_bytes:
 *   u32 magic, u32 version, i64 base offset, i64 bytes of the segment it stands for, i64 greatest time in them,
 *   u32 entry count, (u32 offset delta, u32 position, i64 greatest time before it)*, u32 CRC-32C of all before
 * The index is a hint: when absent, torn or of another length it is made anew from the batches.
 *
 * Invariants
 *   I1  base offsets rise; there is no gap between the end of one batch and the start of the next.
 *   I2  bytes below the synced offset never change.
 *   I3  bytes behind it may be anything after a crash; recovery keeps the longest prefix of whole batches whose CRC
 *       holds, and cuts the rest.
 * A write that fails is cut off again; when that fails too the partition is poisoned: it answers reads below its high
 * watermark and refuses writes until the program restarts.  The same after a failed sync: the page cache can't be
 * trusted then.
 * Tested by: tests/unit/log/test_recovery.c and test_read.c, tests/sim/sim_log.c (I1-I3 after every crash). */
#include "base/hash.h"
#include "base/logging.h"
#include "log/log_int.h"

#include <stdio.h>
#include <string.h>

enum { INDEX_MAGIC = 0x4d524958, INDEX_VERSION = 1, INDEX_HEADER_BYTES = 36, INDEX_ENTRY_BYTES = 16, CRC_BYTES = 4 };
enum { REBUILD_CHUNK = 256 << 10 };

enum mr_status log_segment_open(struct log_segment **out, struct mr_env *env, const char *dir, int64_t base_offset,
                                bool create, struct mr_err *err)
{
    int flags = MR_OPEN_WRITE | (create ? MR_OPEN_CREATE : 0);
    struct log_segment *segment = MR_NEW(struct log_segment);
    char name[64], path[MR_PATH_BYTES];
    enum mr_status status;

    atomic_init(&segment->refs, 1);
    segment->env = env;
    segment->base_offset = base_offset;
    segment->max_timestamp = INT64_MIN;
    snprintf(name, sizeof(name), "%020" PRId64 ".log", base_offset);
    status = mr_path_join(path, dir, name, err);
    if (status != MR_OK)
        goto out;
    segment->path = mr_strdup(path);
    status = mr_file_open(env, &segment->file, path, flags, err);
    if (status != MR_OK)
        goto out;
    status = mr_file_size(segment->file, &segment->bytes, err);
    if (status != MR_OK)
        goto out;
    if (create && segment->bytes != 0) {
        status = mr_err_set(err, MR_CORRUPT, "%s is to be made, but holds %" PRId64 " bytes", path, segment->bytes);
        goto out;
    }
    segment->indexed = segment->bytes == 0;
    *out = segment;
    segment = NULL;
out:
    log_segment_unref(segment);
    return status;
}

struct log_segment *log_segment_ref(struct log_segment *segment)
{
    atomic_fetch_add_explicit(&segment->refs, 1, memory_order_relaxed);
    return segment;
}

void log_segment_unref(struct log_segment *segment)
{
    if (segment == NULL || atomic_fetch_sub_explicit(&segment->refs, 1, memory_order_acq_rel) != 1)
        return;
    mr_file_close(segment->file);
    mr_free(segment->path);
    mr_free(segment->entries);
    mr_free(segment);
}

void log_segment_note(struct log_segment *segment, const struct kafka_batch *batch, int64_t position, int64_t interval)
{
    size_t n = segment->entry_count;

    if (n == 0 || position - segment->entries[n - 1].position >= interval) {
        MR_GROW(segment->entries, segment->entry_count, segment->entry_capacity);
        segment->entries[n] = (struct log_index_entry){
            .offset_delta = (uint32_t)(batch->base_offset - segment->base_offset),
            .position = (uint32_t)position,
            .time_before = segment->max_timestamp,
        };
        segment->entry_count++;
    }
    if (batch->max_timestamp > segment->max_timestamp)
        segment->max_timestamp = batch->max_timestamp;
}

enum mr_status log_segment_append(struct log_segment *segment, const struct kafka_batch *batch, const uint8_t *bytes,
                                  int64_t interval, bool *poisoned, struct mr_err *err)
{
    enum mr_status status = mr_file_pwrite(segment->file, bytes, batch->bytes.size, segment->bytes, err);

    if (status != MR_OK) {
        struct mr_err again = MR_ERR_INIT;

        *poisoned = mr_file_truncate(segment->file, segment->bytes, &again) != MR_OK;
        if (*poisoned)
            mr_log(MR_LOG_ERROR, LOG_NAME, "%s takes no more writes until the restart: %s", segment->path, again.text);
        return status;
    }
    assert(segment->indexed);
    log_segment_note(segment, batch, segment->bytes, interval);
    segment->bytes += (int64_t)batch->bytes.size;
    return MR_OK;
}

/* ---- searching the index: the last entry that is not above the key ---- */

typedef bool entry_above_fn(const struct log_index_entry *entry, int64_t key);

static const struct log_index_entry *entry_search(const struct log_segment *s, entry_above_fn *above, int64_t key)
{
    size_t low = 0, high = s->entry_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (above(&s->entries[middle], key))
            high = middle;
        else
            low = middle + 1;
    }
    return low == 0 ? NULL : &s->entries[low - 1];
}

static bool offset_above(const struct log_index_entry *entry, int64_t delta)
{
    return entry->offset_delta > delta;
}

static bool position_above(const struct log_index_entry *entry, int64_t position)
{
    return entry->position > position;
}

static bool time_not_under(const struct log_index_entry *entry, int64_t time_ms)
{
    return entry->time_before >= time_ms;
}

const struct log_index_entry *log_segment_by_offset(const struct log_segment *segment, int64_t offset)
{
    return entry_search(segment, offset_above, offset - segment->base_offset);
}

const struct log_index_entry *log_segment_by_position(const struct log_segment *segment, int64_t position)
{
    return entry_search(segment, position_above, position);
}

const struct log_index_entry *log_segment_by_time(const struct log_segment *segment, int64_t time_ms)
{
    return entry_search(segment, time_not_under, time_ms);
}

/* ---- index file ---- */

void log_segment_index_path(char *out, const struct log_segment *segment)
{
    size_t stem = strlen(segment->path) - strlen(".log");

    snprintf(out, MR_PATH_BYTES, "%.*s.index", (int)stem, segment->path);
}

void log_segment_index_encode(const struct log_segment *segment, struct mr_writer *out)
{
    assert(segment->indexed);
    mr_writer_reserve(out, INDEX_HEADER_BYTES + segment->entry_count * INDEX_ENTRY_BYTES + CRC_BYTES);
    mr_write_u32(out, INDEX_MAGIC);
    mr_write_u32(out, INDEX_VERSION);
    mr_write_i64(out, segment->base_offset);
    mr_write_i64(out, segment->bytes);
    mr_write_i64(out, segment->max_timestamp);
    mr_write_u32(out, (uint32_t)segment->entry_count);
    for (size_t i = 0; i < segment->entry_count; i++) {
        mr_write_u32(out, segment->entries[i].offset_delta);
        mr_write_u32(out, segment->entries[i].position);
        mr_write_i64(out, segment->entries[i].time_before);
    }
    mr_write_u32(out, mr_crc32c(0, out->data, out->size));
}

/* Takes the index from FILE; false when it can't serve for the first BYTES. */
static bool index_decode(struct log_segment *segment, struct mr_bytes file, int64_t bytes, const int64_t *max_timestamp)
{
    struct mr_reader in = mr_reader_of(file);
    int64_t covered, time;
    uint32_t count;

    if (file.size < INDEX_HEADER_BYTES + CRC_BYTES ||
        (uint32_t)mr_load_i32(file.data + file.size - CRC_BYTES) != mr_crc32c(0, file.data, file.size - CRC_BYTES))
        return false;
    if (mr_read_u32(&in) != INDEX_MAGIC || mr_read_u32(&in) != INDEX_VERSION ||
        mr_read_i64(&in) != segment->base_offset)
        return false;
    covered = mr_read_i64(&in);
    time = mr_read_i64(&in);
    count = mr_read_u32(&in);
    if (covered < bytes || (covered > bytes && max_timestamp == NULL) ||
        (uint64_t)count * INDEX_ENTRY_BYTES != mr_reader_left(&in) - CRC_BYTES)
        return false;
    mr_free(segment->entries);
    segment->entries = count > 0 ? mr_alloc(count * sizeof(*segment->entries)) : NULL;
    segment->entry_capacity = count;
    segment->entry_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct log_index_entry entry = { mr_read_u32(&in), mr_read_u32(&in), mr_read_i64(&in) };

        if (entry.position >= bytes)
            break;
        segment->entries[segment->entry_count++] = entry;
    }
    segment->max_timestamp = max_timestamp != NULL ? *max_timestamp : time;
    return true;
}

static enum mr_status index_rebuild(struct log_segment *segment, int64_t bytes, int64_t interval, struct mr_err *err)
{
    struct kafka_batch batch;
    struct log_scan scan;
    int64_t position = 0;
    enum mr_status status;

    segment->entry_count = 0;
    segment->max_timestamp = INT64_MIN;
    log_scan_init(&scan, segment->file, 0, bytes, false, REBUILD_CHUNK);
    while ((status = log_scan_next(&scan, &batch, err)) == MR_OK) {
        if (batch.base_offset < segment->base_offset ||
            batch.base_offset - segment->base_offset > (int64_t)UINT32_MAX) {
            status = mr_err_set(err, MR_CORRUPT, "%s: offset %" PRId64 " at byte %" PRId64 " is none of it",
                                segment->path, batch.base_offset, position);
            break;
        }
        log_segment_note(segment, &batch, position, interval);
        position = scan.position;
    }
    log_scan_deinit(&scan);
    return status == MR_NOT_FOUND ? MR_OK : status;
}

enum mr_status log_segment_index_load(struct log_segment *segment, int64_t bytes, const int64_t *max_timestamp,
                                      int64_t interval, struct mr_err *err)
{
    size_t limit =
        INDEX_HEADER_BYTES + CRC_BYTES + ((size_t)segment->bytes / KAFKA_BATCH_HEADER_BYTES + 1) * INDEX_ENTRY_BYTES;
    struct mr_writer file = { 0 };
    char path[MR_PATH_BYTES];
    struct mr_err ignored = MR_ERR_INIT;
    enum mr_status status = MR_OK;

    if (segment->indexed)
        return MR_OK;
    log_segment_index_path(path, segment);
    if (mr_file_read_all(segment->env, path, limit, &file, &ignored) != MR_OK ||
        !index_decode(segment, mr_writer_bytes(&file), bytes, max_timestamp))
        status = index_rebuild(segment, bytes, interval, err);
    segment->indexed = status == MR_OK;
    mr_writer_deinit(&file);
    return status;
}

/* ---- walking over a file ---- */

void log_scan_init(struct log_scan *scan, struct mr_file *file, int64_t from, int64_t end, bool whole, size_t chunk)
{
    *scan = (struct log_scan){ .file = file, .position = from, .end = end, .whole = whole, .chunk = chunk };
}

void log_scan_deinit(struct log_scan *scan)
{
    mr_writer_deinit(&scan->buffer);
}

/* Makes NEEDED bytes at scan->position available, reading ahead up to a chunk; *OUT may be shorter at the file's end.
 */
static enum mr_status scan_fill(struct log_scan *scan, size_t needed, struct mr_bytes *out, struct mr_err *err)
{
    struct mr_writer *b = &scan->buffer;
    int64_t left = scan->end - scan->position;
    size_t want = needed > scan->chunk ? needed : scan->chunk, got;
    enum mr_status status;

    if (scan->position < scan->buffer_at || scan->position + (int64_t)needed > scan->buffer_at + (int64_t)b->size) {
        b->size = 0;
        if ((int64_t)want > left)
            want = (size_t)left;
        mr_writer_reserve(b, want);
        status = mr_file_pread(scan->file, b->data, want, scan->position, &got, err);
        if (status != MR_OK)
            return status;
        b->size = got;
        scan->buffer_at = scan->position;
    }
    out->data = b->data + (scan->position - scan->buffer_at);
    out->size = b->size - (size_t)(scan->position - scan->buffer_at);
    return MR_OK;
}

enum mr_status log_scan_next(struct log_scan *scan, struct kafka_batch *out, struct mr_err *err)
{
    struct mr_bytes bytes = MR_BYTES_NULL;
    int64_t left = scan->end - scan->position, size;
    struct kafka_batch batch;
    struct mr_err why = MR_ERR_INIT;
    enum mr_status status;

    if (left <= 0)
        return MR_NOT_FOUND;
    if (left >= KAFKA_BATCH_HEADER_BYTES) {
        status = scan_fill(scan, KAFKA_BATCH_HEADER_BYTES, &bytes, err);
        if (status != MR_OK)
            return status;
    }
    status = kafka_batch_header(bytes, &batch, &why);
    size = status == MR_OK ? kafka_batch_size(bytes) : -1;
    if (size < 0 || size > left)
        return mr_err_set(err, MR_CORRUPT, "%s: no whole batch at byte %" PRId64 "%s%s", mr_file_path(scan->file),
                          scan->position, status == MR_OK ? "" : ": ", status == MR_OK ? "" : why.text);
    if (scan->whole) {
        status = scan_fill(scan, (size_t)size, &bytes, err);
        if (status != MR_OK)
            return status;
        if (bytes.size < (size_t)size)
            return mr_err_set(err, MR_CORRUPT, "%s: shorter than its size", mr_file_path(scan->file));
        bytes.size = (size_t)size;
    }
    batch.bytes = bytes;
    scan->position += size;
    *out = batch;
    return MR_OK;
}

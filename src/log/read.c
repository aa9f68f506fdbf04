/* read.c -- finding batches: by offset for Fetch, by time for ListOffsets.
 *
 * A reader who goes on where it stopped costs no file access: slices end where an index entry or the high watermark
 * stands, and the last few ends are kept as hints (place of an offset).  Any other offset costs the read of an index
 * interval (4 KiB) and the headers in it.
 * Tested by: tests/unit/log/test_read.c */
#include "log/log_int.h"

#include <string.h>

enum { HEADERS_CHUNK = 8 << 10, TIME_CHUNK = 64 << 10 };

/* Bytes of segment I that readers may see, and the offset behind them. */
static int64_t readable_end(const struct log_partition *p, size_t i, int64_t *end_offset)
{
    const struct log_segment *s = p->segments[i];

    if (s->base_offset == p->visible.segment_base) {
        *end_offset = p->visible.offset;
        return p->visible.position;
    }
    if (s->base_offset > p->visible.segment_base) {
        *end_offset = s->base_offset;
        return 0;
    }
    assert(i + 1 < p->segment_count);
    *end_offset = p->segments[i + 1]->base_offset;
    return s->bytes;
}

static enum mr_status index_ready(struct log_partition *p, struct log_segment *segment, struct mr_err *err)
{
    if (segment->indexed)
        return MR_OK;
    return log_segment_index_load(segment, segment->bytes, NULL, p->log->options.index_interval_bytes, err);
}

static void hint_add(struct log_partition *p, int64_t offset, int64_t segment_base, int64_t position)
{
    p->hints[p->hint_next++ % LOG_HINTS] = (struct log_hint){ offset, segment_base, position };
}

/* The place of the batch that holds OFFSET in segment I, and its first offset. */
static enum mr_status place_find(struct log_partition *p, size_t i, int64_t offset, int64_t end, int64_t *position,
                                 int64_t *base_offset, struct mr_err *err)
{
    struct log_segment *s = p->segments[i];
    const struct log_index_entry *entry;
    struct kafka_batch batch;
    struct log_scan scan;
    int64_t at = 0;
    enum mr_status status;

    for (size_t h = 0; h < LOG_HINTS; h++) {
        if (p->hints[h].offset == offset && p->hints[h].segment_base == s->base_offset) {
            *position = p->hints[h].position;
            *base_offset = offset;
            return MR_OK;
        }
    }
    entry = log_segment_by_offset(s, offset);
    if (entry != NULL)
        at = entry->position;
    if (entry != NULL && s->base_offset + entry->offset_delta == offset) {
        *position = at;
        *base_offset = offset;
        return MR_OK;
    }
    log_scan_init(&scan, s->file, at, end, false, HEADERS_CHUNK);
    while ((status = log_scan_next(&scan, &batch, err)) == MR_OK && batch.last_offset < offset)
        at = scan.position;
    log_scan_deinit(&scan);
    if (status == MR_NOT_FOUND)
        return mr_err_set(err, MR_CORRUPT, "%s: offset %" PRId64 " is not there", s->path, offset);
    if (status != MR_OK)
        return status;
    *position = at;
    *base_offset = batch.base_offset;
    return MR_OK;
}

/* The end of whole batches from POSITION on, of at most BYTES_MAX bytes, or of one batch when ONE. */
static enum mr_status run_end(struct log_segment *s, int64_t position, int64_t bytes_max, bool one, int64_t *end,
                              int64_t *end_offset, struct mr_err *err)
{
    const struct log_index_entry *entry = log_segment_by_position(s, position + bytes_max);
    struct kafka_batch batch;
    struct log_scan scan;
    int64_t at = position, at_offset = -1;
    enum mr_status status;

    if (entry != NULL && entry->position > position) {
        *end = entry->position;
        *end_offset = s->base_offset + entry->offset_delta;
        return MR_OK;
    }
    log_scan_init(&scan, s->file, position, *end, false, HEADERS_CHUNK);
    while ((status = log_scan_next(&scan, &batch, err)) == MR_OK) {
        if (scan.position - position > bytes_max && !(one && at == position))
            break;
        at = scan.position;
        at_offset = batch.last_offset + 1;
    }
    log_scan_deinit(&scan);
    if (status != MR_OK && status != MR_NOT_FOUND)
        return status;
    *end = at;
    *end_offset = at_offset;
    return MR_OK;
}

static enum mr_status slice_make(struct log_partition *p, int64_t offset, int64_t bytes_max, bool one,
                                 struct log_slice *out, struct mr_err *err)
{
    size_t i;
    struct log_segment *s = log_partition_segment(p, offset, &i);
    struct log_slice slice = { 0 };
    int64_t end, end_offset;
    enum mr_status status;

    assert(s != NULL);
    status = index_ready(p, s, err);
    if (status != MR_OK)
        return status;
    end = readable_end(p, i, &end_offset);
    status = place_find(p, i, offset, end, &slice.position, &slice.base_offset, err);
    if (status != MR_OK)
        return status;
    if (end - slice.position > bytes_max) {
        status = run_end(s, slice.position, bytes_max, one, &end, &end_offset, err);
        if (status != MR_OK)
            return status;
    }
    slice.size = end - slice.position;
    slice.end_offset = end_offset;
    if (slice.size > 0) {
        slice.segment = log_segment_ref(s);
        slice.file = s->file;
        hint_add(p, end_offset, s->base_offset, end);
    }
    *out = slice;
    return MR_OK;
}

enum mr_status log_read(struct log_partition *partition, int64_t offset, int64_t bytes_max, struct log_slice *slices,
                        size_t slices_max, size_t *count, struct mr_err *err)
{
    struct log_partition *p = partition;
    size_t n = 0;
    enum mr_status status = MR_OK;

    if (offset < p->start_offset || offset > p->visible.offset)
        return mr_err_set(err, MR_LIMIT, "%s-%d has the offsets %" PRId64 " to %" PRId64 ", not %" PRId64,
                          p->topic->name, p->index, p->start_offset, p->visible.offset, offset);
    while (n < slices_max && offset < p->visible.offset && (n == 0 || bytes_max > 0)) {
        status = slice_make(p, offset, bytes_max, n == 0, &slices[n], err);
        if (status != MR_OK || slices[n].size == 0)
            break;
        offset = slices[n].end_offset;
        bytes_max -= slices[n].size;
        n++;
    }
    if (status != MR_OK) {
        while (n > 0)
            log_slice_release(&slices[--n]);
        return status;
    }
    *count = n;
    return MR_OK;
}

void log_slice_release(struct log_slice *slice)
{
    log_segment_unref(slice->segment);
    slice->segment = NULL;
    slice->file = NULL;
}

enum mr_status log_read_copy(struct log_partition *partition, int64_t offset, int64_t bytes_max, struct mr_writer *out,
                             struct mr_err *err)
{
    struct log_slice slices[4];
    size_t count, start = out->size;
    enum mr_status status = log_read(partition, offset, bytes_max, slices, MR_COUNT(slices), &count, err);

    if (status != MR_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        size_t size = (size_t)slices[i].size, got = 0;

        mr_writer_reserve(out, size);
        if (status == MR_OK)
            status = mr_file_pread(slices[i].file, out->data + out->size, size, slices[i].position, &got, err);
        if (status == MR_OK && got < size)
            status = mr_err_set(err, MR_CORRUPT, "%s ends before offset %" PRId64, mr_file_path(slices[i].file),
                                slices[i].end_offset);
        out->size += got;
        log_slice_release(&slices[i]);
    }
    if (status != MR_OK)
        out->size = start;
    return status;
}

/* ---- by time ---- */

/* The first record of BATCH at or after TIME; MR_NOT_FOUND when there is none. */
static enum mr_status batch_time(struct log_partition *p, const struct kafka_batch *batch, int64_t time_ms,
                                 int64_t *offset, int64_t *timestamp_ms, struct mr_err *err)
{
    struct kafka_records records;
    struct kafka_record record;
    enum mr_status status = kafka_records_open(&records, batch, &p->log->inflate, err);

    if (status != MR_OK)
        return status;
    while (kafka_records_next(&records, &record)) {
        if (record.timestamp < time_ms || record.offset < p->start_offset)
            continue;
        *offset = record.offset;
        *timestamp_ms = record.timestamp;
        return MR_OK;
    }
    return MR_NOT_FOUND;
}

static enum mr_status segment_time(struct log_partition *p, size_t i, int64_t time_ms, int64_t *offset,
                                   int64_t *timestamp_ms, struct mr_err *err)
{
    struct log_segment *s = p->segments[i];
    const struct log_index_entry *entry;
    struct kafka_batch batch;
    struct log_scan scan;
    int64_t end_offset, end = readable_end(p, i, &end_offset);
    enum mr_status status = index_ready(p, s, err);

    if (status != MR_OK)
        return status;
    entry = log_segment_by_time(s, time_ms);
    if (s->max_timestamp < time_ms || entry == NULL)
        return MR_NOT_FOUND;
    log_scan_init(&scan, s->file, entry->position, end, true, TIME_CHUNK);
    while ((status = log_scan_next(&scan, &batch, err)) == MR_OK) {
        if (batch.max_timestamp < time_ms || batch.last_offset < p->start_offset)
            continue;
        status = batch_time(p, &batch, time_ms, offset, timestamp_ms, err);
        if (status != MR_NOT_FOUND)
            break;
    }
    log_scan_deinit(&scan);
    return status;
}

enum mr_status log_offset_by_time(struct log_partition *partition, int64_t time_ms, int64_t *offset,
                                  int64_t *timestamp_ms, struct mr_err *err)
{
    enum mr_status status = MR_NOT_FOUND;

    for (size_t i = 0; status == MR_NOT_FOUND && i < partition->segment_count; i++)
        status = segment_time(partition, i, time_ms, offset, timestamp_ms, err);
    if (status == MR_NOT_FOUND)
        mr_err_set(err, status, "%s-%d has no record at or after %" PRId64, partition->topic->name, partition->index,
                   time_ms);
    return status;
}

enum mr_status log_offset_of_max_time(struct log_partition *partition, int64_t *offset, int64_t *timestamp_ms,
                                      struct mr_err *err)
{
    if (partition->visible.offset == partition->start_offset)
        return mr_err_set(err, MR_NOT_FOUND, "%s-%d is empty", partition->topic->name, partition->index);
    return log_offset_by_time(partition, partition->visible.max_timestamp, offset, timestamp_ms, err);
}

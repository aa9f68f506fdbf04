/* recovery.c -- what a partition is after a start.
 *
 * Two halves, so that a log with a damaged partition is refused before anything was changed in another:
 *   scan    loads the checkpoint, reads all batches behind it (CRC, offsets without gap), stops at the first bad one
 *   repair  removes segments behind the stop, cuts the file there, rewrites and syncs what was read, new checkpoint;
 *           removes segments below the log start that a crash has left
 * The cut is only what can be a torn tail: never more than unsynced_bytes_max bytes wait for a sync (partition.c), so
 * when more than that follow a bad batch, it was synced once and its loss is MR_CORRUPT.
 * What is kept was perhaps never acknowledged, but it was sent; it is synced before anybody can read it.
 * Estimate: 1 GB/s, so under 0.1 s a partition for the default checkpoint_bytes.
 * Tested by: tests/unit/log/test_recovery.c, tests/sim/sim_log.c */
#include "base/logging.h"
#include "log/log_int.h"

#include <stdlib.h>
#include <string.h>

enum { SCAN_CHUNK = 1 << 20, NAME_DIGITS = 20 };

struct base_list {
    int64_t *bases;
    size_t count;
    size_t capacity;
};

static void entry_each(void *arg, const char *name, bool is_dir)
{
    struct base_list *list = arg;
    char *end;

    if (is_dir || strlen(name) != NAME_DIGITS + 4 || strspn(name, "0123456789") != NAME_DIGITS ||
        strcmp(name + NAME_DIGITS, ".log") != 0)
        return;
    MR_GROW(list->bases, list->count, list->capacity);
    list->bases[list->count++] = strtoll(name, &end, 10);
}

static int base_order(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static enum mr_status segments_open(struct log_partition *p, struct mr_err *err)
{
    struct base_list list = { 0 };
    struct mr_err list_err = MR_ERR_INIT;
    enum mr_status status = mr_list_dir(p->log->env, p->dir, entry_each, &list, &list_err);

    if (status == MR_NOT_FOUND) { /* the crash came between the topic's entry and its directories */
        status = MR_OK;
    } else if (status != MR_OK) {
        mr_err_set(err, status, "%s", list_err.text);
    }
    if (list.count > 0)
        qsort(list.bases, list.count, sizeof(*list.bases), base_order);
    for (size_t i = 0; status == MR_OK && i < list.count; i++) {
        struct log_segment *segment;

        status = log_segment_open(&segment, p->log->env, p->dir, list.bases[i], false, err);
        if (status == MR_OK)
            log_partition_push(p, segment);
    }
    mr_free(list.bases);
    return status;
}

/* Where reading begins: behind the checkpoint, or at the first segment.  *FIRST is the segment's index. */
static enum mr_status scan_start(struct log_partition *p, size_t *first, struct mr_err *err)
{
    struct log_point point;
    struct mr_err why = MR_ERR_INIT;
    struct log_segment *segment;
    int64_t segment_time;
    enum mr_status status = log_checkpoint_load(p, &point, &segment_time, &why);

    *first = 0;
    if (status == MR_NOT_FOUND) {
        if (p->segment_count > 0) {
            p->start_offset = p->segments[0]->base_offset;
            p->end = (struct log_point){ p->start_offset, p->start_offset, 0, INT64_MIN };
            p->scanned = true;
            p->segments[0]->indexed = true;
        }
        return MR_OK;
    }
    if (status != MR_OK)
        return mr_err_set(err, status, "%s", why.text);
    segment = log_partition_segment(p, point.segment_base, first);
    if (segment == NULL || segment->base_offset != point.segment_base || segment->bytes < point.position)
        return mr_err_set(err, MR_CORRUPT,
                          "%s-%d: synced bytes are gone: segment %" PRId64 " had %" PRId64 " bytes at offset %" PRId64
                          ", now %" PRId64,
                          p->topic->name, p->index, point.segment_base, point.position, point.offset,
                          segment != NULL && segment->base_offset == point.segment_base ? segment->bytes : -1);
    p->end = point;
    p->checkpoint_offset = point.offset;
    if (point.position == 0) {
        segment->indexed = true;
        return MR_OK;
    }
    return log_segment_index_load(segment, point.position, &segment_time, p->log->options.index_interval_bytes, err);
}

/* Takes batches from SEGMENT, from p->end on.  MR_CORRUPT: stopped before its end. */
static enum mr_status segment_scan(struct log_partition *p, struct log_segment *segment, int64_t now_ms,
                                   struct mr_err *err)
{
    struct kafka_batch batch;
    struct log_scan scan;
    enum mr_status status;

    assert(segment->indexed);
    log_scan_init(&scan, segment->file, p->end.position, segment->bytes, true, SCAN_CHUNK);
    while ((status = log_scan_next(&scan, &batch, err)) == MR_OK) {
        status = kafka_batch_check(&batch, err);
        if (status != MR_OK)
            break;
        if (batch.base_offset != p->end.offset) {
            status = mr_err_set(err, MR_CORRUPT, "offset %" PRId64 " stands where %" PRId64 " must", batch.base_offset,
                                p->end.offset);
            break;
        }
        log_segment_note(segment, &batch, p->end.position, p->log->options.index_interval_bytes);
        log_producers_note(p->producers, &batch, now_ms);
        log_partition_note_epoch(p, batch.leader_epoch, batch.base_offset);
        p->end.offset = batch.last_offset + 1;
        p->end.position = scan.position;
        if (batch.max_timestamp > p->end.max_timestamp)
            p->end.max_timestamp = batch.max_timestamp;
        p->scanned = true;
    }
    log_scan_deinit(&scan);
    return status == MR_NOT_FOUND ? MR_OK : status;
}

/* May all that follows p->end, in segment KEPT - 1 and later ones, be a torn tail? */
static enum mr_status cut_check(struct log_partition *p, size_t kept, const struct mr_err *why, struct mr_err *err)
{
    int64_t behind = p->segments[kept - 1]->bytes - p->end.position;

    for (size_t i = kept; i < p->segment_count; i++)
        behind += p->segments[i]->bytes;
    p->cut_segments = kept;
    if (behind <= p->log->options.unsynced_bytes_max)
        return MR_OK;
    return mr_err_set(err, MR_CORRUPT,
                      "%s-%d: damaged at offset %" PRId64 " (%s, byte %" PRId64 "): %s; %" PRId64
                      " bytes follow, more than can be unsynced",
                      p->topic->name, p->index, p->end.offset, p->segments[kept - 1]->path, p->end.position, why->text,
                      behind);
}

enum mr_status log_partition_scan(struct log_partition *p, struct mr_err *err)
{
    struct mr_err why = MR_ERR_INIT;
    int64_t now_ms = mr_now_ms(p->log->env);
    size_t first = 0;
    enum mr_status status = segments_open(p, err);

    if (status == MR_OK)
        status = scan_start(p, &first, err);
    if (status != MR_OK)
        return status;
    p->cut_segments = p->segment_count;
    p->scan_from = p->end;
    for (size_t i = first; i < p->segment_count; i++) {
        struct log_segment *segment = p->segments[i];

        if (i > first) {
            if (segment->base_offset != p->end.offset) {
                mr_err_set(&why, MR_CORRUPT, "the next segment begins at offset %" PRId64, segment->base_offset);
                return cut_check(p, i, &why, err);
            }
            p->end.segment_base = segment->base_offset;
            p->end.position = 0;
            segment->indexed = true;
            p->scanned = true;
        }
        status = segment_scan(p, segment, now_ms, &why);
        if (status == MR_CORRUPT || status == MR_INVALID)
            return cut_check(p, i + 1, &why, err);
        if (status != MR_OK)
            return mr_err_set(err, status, "%s-%d: %s", p->topic->name, p->index, why.text);
    }
    return MR_OK;
}

static enum mr_status tail_cut(struct log_partition *p, struct mr_err *err)
{
    struct mr_env *env = p->log->env;
    struct log_segment *active;
    enum mr_status status = MR_OK;
    int64_t cut = 0;
    bool removed = false;

    while (status == MR_OK && p->segment_count > p->cut_segments) {
        struct log_segment *last = p->segments[p->segment_count - 1];
        char path[MR_PATH_BYTES];
        struct mr_err ignored = MR_ERR_INIT;

        log_segment_index_path(path, last);
        MR_UNUSED(mr_unlink(env, path, &ignored) == MR_OK); /* mostly there is none */
        status = mr_unlink(env, last->path, err);
        if (status != MR_OK)
            break;
        cut += last->bytes;
        removed = true;
        p->segment_count--;
        log_segment_unref(last);
    }
    if (status == MR_OK && removed)
        status = mr_sync_dir(env, p->dir, err);
    active = log_partition_active(p);
    if (status == MR_OK && active->bytes > p->end.position) {
        cut += active->bytes - p->end.position;
        status = mr_file_truncate(active->file, p->end.position, err);
    }
    if (status == MR_OK && cut > 0)
        mr_log(MR_LOG_WARN, LOG_NAME, "%s-%d: cut a torn tail of %" PRId64 " bytes at offset %" PRId64, p->topic->name,
               p->index, cut, p->end.offset);
    if (status == MR_OK) {
        p->scanned = p->scanned || cut > 0;
        active->bytes = p->end.position;
    }
    return status;
}

/* Writes the bytes of SEGMENT from FROM on once more, as they are, and syncs them.  When a sync failed before the
 * restart, the kernel holds pages that it takes for written and that are not on the disk: a sync alone would pass them.
 */
static enum mr_status tail_rewrite(struct log_segment *segment, int64_t from, struct mr_err *err)
{
    uint8_t *chunk = mr_alloc(SCAN_CHUNK);
    enum mr_status status = MR_OK;

    while (status == MR_OK && from < segment->bytes) {
        size_t size = segment->bytes - from < SCAN_CHUNK ? (size_t)(segment->bytes - from) : SCAN_CHUNK, got = 0;

        status = mr_file_pread(segment->file, chunk, size, from, &got, err);
        if (status == MR_OK && got < size)
            status = mr_err_set(err, MR_IO, "%s ends at byte %" PRId64, segment->path, from + (int64_t)got);
        if (status == MR_OK)
            status = mr_file_pwrite(segment->file, chunk, size, from, err);
        from += (int64_t)size;
    }
    if (status == MR_OK)
        status = mr_file_sync(segment->file, err);
    mr_free(chunk);
    return status;
}

enum mr_status log_partition_repair(struct log_partition *p, struct mr_err *err)
{
    enum mr_status status = MR_OK;

    if (p->segment_count > 0) {
        status = tail_cut(p, err);
        /* After a mere kill the tail is whole but in the page cache only: nobody may see it before it is on disk. */
        for (size_t i = 0; status == MR_OK && p->scanned && i < p->segment_count; i++) {
            struct log_segment *segment = p->segments[i];

            if (segment->base_offset >= p->scan_from.segment_base)
                status = tail_rewrite(
                    segment, segment->base_offset == p->scan_from.segment_base ? p->scan_from.position : 0, err);
        }
        if (status == MR_OK && p->scanned) {
            status = mr_sync_dir(p->log->env, p->dir, err);
            p->checkpoint_offset = -1;
        }
        if (status == MR_OK)
            status = log_checkpoint_write(p, err);
        if (status == MR_OK)
            status = log_partition_drop_old(p, err);
    }
    if (status != MR_OK)
        mr_err_context(err, "recover %s-%d", p->topic->name, p->index);
    p->synced_offset = p->end.offset;
    p->visible = p->end;
    return status;
}

/* partition.c -- one partition: appending, and those who wait for it.
 *
 * Estimate for an append of n bytes: one CRC pass, one copy (to stamp offset and epoch), one pwrite; > 1 GB/s and core
 * from 16 KiB on.  No sync, no lock but the committer's (a few instructions).
 *
 * Invariants
 *   P1  start_offset <= visible.offset <= end.offset; synced: visible.offset == synced_offset.
 *   P2  waiters are in the order of end_offset, all above what is released.
 *   P3  every byte written since the last commit taken is in p->commit: its segments, and the directory when one
 *       is new.
 * Tested by: tests/unit/log/test_log.c, tests/sim/sim_log.c */
#include "base/logging.h"
#include "log/log_int.h"

#include <stdio.h>
#include <string.h>

struct log_partition *log_partition_new(struct log_topic *topic, int32_t index)
{
    struct log_partition *p = MR_NEW(struct log_partition);
    char path[MR_PATH_BYTES];

    *p = (struct log_partition){
        .log = topic->log,
        .topic = topic,
        .index = index,
        .end = { .max_timestamp = INT64_MIN },
        .visible = { .max_timestamp = INT64_MIN },
        .checkpoint_offset = -1,
        .producers = log_producers_new(),
    };
    for (size_t i = 0; i < LOG_HINTS; i++)
        p->hints[i].offset = -1;
    snprintf(path, sizeof(path), "%.*s/topics/%.200s~%02x%02x%02x%02x-%d", MR_PATH_BYTES - 300, topic->log->dir,
             topic->name, topic->id[0], topic->id[1], topic->id[2], topic->id[3], index);
    p->dir = mr_strdup(path);
    return p;
}

void log_partition_free(struct log_partition *p)
{
    struct log_partition **at;
    struct log_waiter *w;

    if (p == NULL)
        return;
    at = &p->log->moved;
    while (*at != NULL && *at != p)
        at = &(*at)->moved_next;
    if (*at == p)
        *at = p->moved_next;
    while ((w = p->waiters) != NULL) {
        p->waiters = w->next;
        mr_free(w);
    }
    while (p->watches != NULL)
        log_watch_remove(p->watches);
    log_start_waiters_free(p->start_waiters);
    for (size_t i = 0; i < p->segment_count; i++)
        log_segment_unref(p->segments[i]);
    mr_free(p->segments);
    mr_free(p->epochs);
    log_producers_free(p->producers);
    mr_free(p->dir);
    mr_free(p);
}

struct log_topic *log_partition_topic(const struct log_partition *partition)
{
    return partition->topic;
}

int32_t log_partition_index(const struct log_partition *partition)
{
    return partition->index;
}

int64_t log_start_offset(const struct log_partition *partition)
{
    return partition->start_offset;
}

int64_t log_high_watermark(const struct log_partition *partition)
{
    return partition->visible.offset;
}

int64_t log_end_offset(const struct log_partition *partition)
{
    return partition->end.offset;
}

bool log_partition_deleted(const struct log_partition *partition)
{
    return partition->deleted;
}

int64_t log_partition_bytes(const struct log_partition *partition)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < partition->segment_count; i++)
        bytes += partition->segments[i]->bytes;
    return bytes;
}

struct log_segment *log_partition_active(const struct log_partition *p)
{
    return p->segment_count > 0 ? p->segments[p->segment_count - 1] : NULL;
}

struct log_segment *log_partition_segment(const struct log_partition *p, int64_t offset, size_t *index)
{
    size_t low = 0, high = p->segment_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (p->segments[middle]->base_offset > offset)
            high = middle;
        else
            low = middle + 1;
    }
    if (low == 0)
        return NULL;
    *index = low - 1;
    return p->segments[low - 1];
}

void log_partition_push(struct log_partition *p, struct log_segment *segment)
{
    MR_GROW(p->segments, p->segment_count, p->segment_capacity);
    p->segments[p->segment_count++] = segment;
}

void log_partition_note_epoch(struct log_partition *p, int32_t epoch, int64_t offset)
{
    if (p->epoch_count > 0 && p->epochs[p->epoch_count - 1].epoch >= epoch)
        return;
    MR_GROW(p->epochs, p->epoch_count, p->epoch_capacity);
    p->epochs[p->epoch_count++] = (struct log_epoch){ epoch, offset };
}

enum mr_status log_epoch_end(const struct log_partition *partition, int32_t epoch, int32_t *epoch_found,
                             int64_t *end_offset)
{
    size_t n = 0;

    while (n < partition->epoch_count && partition->epochs[n].epoch <= epoch)
        n++;
    if (n == 0)
        return MR_NOT_FOUND;
    *epoch_found = partition->epochs[n - 1].epoch;
    *end_offset = n < partition->epoch_count ? partition->epochs[n].start_offset : partition->end.offset;
    return MR_OK;
}

/* ---- waiting ---- */

void log_watch_add(struct log_watch *watch, struct log_partition *partition, log_watch_fn *fn, void *arg)
{
    *watch = (struct log_watch){ .fn = fn, .arg = arg, .partition = partition, .next = partition->watches };
    if (watch->next != NULL)
        watch->next->previous = watch;
    partition->watches = watch;
}

void log_watch_remove(struct log_watch *watch)
{
    if (watch->partition == NULL)
        return;
    if (watch->previous != NULL)
        watch->previous->next = watch->next;
    else
        watch->partition->watches = watch->next;
    if (watch->next != NULL)
        watch->next->previous = watch->previous;
    watch->partition = NULL;
    watch->previous = watch->next = NULL;
}

void log_partition_tell(struct log_partition *p)
{
    /* A callback may remove any watch, also the one that would be next: a marker of ours holds the place. */
    struct log_watch marker = { 0 }, *watch = p->watches;

    while (watch != NULL) {
        marker = (struct log_watch){ .partition = p, .previous = watch, .next = watch->next };
        if (marker.next != NULL)
            marker.next->previous = &marker;
        watch->next = &marker;
        if (watch->fn != NULL)
            watch->fn(watch->arg, p);
        watch = marker.next;
        log_watch_remove(&marker);
    }
}

static void waiter_add(struct log_partition *p, int64_t end_offset, log_synced_fn *fn, void *arg)
{
    struct log_waiter *w = MR_NEW(struct log_waiter), **at = &p->waiters;

    *w = (struct log_waiter){ .end_offset = end_offset, .fn = fn, .arg = arg };
    if (p->waiters_last != NULL && p->waiters_last->end_offset <= end_offset)
        at = &p->waiters_last->next;
    while (*at != NULL && (*at)->end_offset <= end_offset) /* a duplicate's turn comes with its original */
        at = &(*at)->next;
    w->next = *at;
    *at = w;
    if (w->next == NULL)
        p->waiters_last = w;
}

/* The wait is over already, but the callback must not run inside the caller's call. */
static void waiter_ready(struct log *log, log_synced_fn *fn, void *arg)
{
    struct log_waiter *w = MR_NEW(struct log_waiter);

    *w = (struct log_waiter){ .fn = fn, .arg = arg };
    if (log->ready_last != NULL)
        log->ready_last->next = w;
    else
        log->ready = w;
    log->ready_last = w;
    log_mailbox_wake(log);
}

void log_partition_release(struct log_partition *p, int64_t offset, enum mr_status status, const struct mr_err *err)
{
    while (p->waiters != NULL && p->waiters->end_offset <= offset) {
        struct log_waiter *w = p->waiters;

        p->waiters = w->next;
        if (p->waiters == NULL)
            p->waiters_last = NULL;
        w->fn(w->arg, status, err);
        mr_free(w);
    }
}

/* ---- appending ---- */

/* Sees to it that BATCH fits into the active segment: makes the first one, or the next. */
static enum mr_status segment_ready(struct log_partition *p, const struct kafka_batch *batch, struct mr_err *err)
{
    struct log_segment *active = log_partition_active(p), *next;
    int64_t last = p->end.offset + batch->last_offset_delta;
    enum mr_status status;

    if (active != NULL &&
        (active->bytes == 0 || (active->bytes + (int64_t)batch->bytes.size <= p->topic->segment_bytes_max &&
                                last - active->base_offset < INT32_MAX)))
        return MR_OK;
    status = log_segment_open(&next, p->log->env, p->dir, p->end.offset, true, err);
    if (status != MR_OK) {
        mr_err_context(err, "roll %s-%d at offset %" PRId64, p->topic->name, p->index, p->end.offset);
        return MR_IO; /* whatever it is called: the disk refused */
    }
    log_partition_push(p, next);
    p->end.segment_base = next->base_offset;
    p->end.position = 0;
    log_commit_add(p, next, true, 0, active != NULL ? log_checkpoint_blobs(p, active) : NULL);
    return MR_OK;
}

static enum mr_status batch_admit(struct log_partition *p, struct mr_bytes bytes, struct kafka_batch *batch,
                                  struct mr_err *err)
{
    struct log *log = p->log;
    enum mr_status status;

    if (p->deleted)
        return mr_err_set(err, MR_NOT_FOUND, "topic %s is being deleted", p->topic->name);
    if (log->closing)
        return mr_err_set(err, MR_BUSY, "the log is closing");
    if (p->poisoned)
        return mr_err_set(err, MR_IO, "%s-%d takes no writes after a failed one: restart when the disk is well",
                          p->topic->name, p->index);
    status = kafka_batch_parse(bytes, batch, err);
    if (status == MR_NEED_MORE)
        return mr_err_set(err, MR_INVALID, "%zu bytes are no whole record batch", bytes.size);
    if (status != MR_OK)
        return status;
    if (batch->bytes.size != bytes.size)
        return mr_err_set(err, MR_INVALID, "one batch at a time: %zu bytes follow the first",
                          bytes.size - batch->bytes.size);
    if (batch->record_count < 1 || batch->last_offset_delta != batch->record_count - 1)
        return mr_err_set(err, MR_INVALID, "%d records, but the last offset delta is %d", batch->record_count,
                          batch->last_offset_delta);
    if (batch->producer_id >= 0 && (batch->producer_epoch < 0 || batch->base_sequence < 0))
        return mr_err_set(err, MR_INVALID, "producer %" PRId64 " sends epoch %d, sequence %d", batch->producer_id,
                          batch->producer_epoch, batch->base_sequence);
    if (bytes.size > (size_t)log->options.unsynced_bytes_max)
        return mr_err_set(err, MR_INVALID, "a batch of %zu bytes: %" PRId64 " are possible", bytes.size,
                          log->options.unsynced_bytes_max);
    return kafka_batch_check(batch, err);
}

/* Stamps a copy of BATCH and writes it; afterwards it is part of the partition. */
static enum mr_status batch_write(struct log_partition *p, struct kafka_batch *batch, struct mr_err *err)
{
    struct log *log = p->log;
    struct log_segment *active = log_partition_active(p);
    size_t size = batch->bytes.size;
    bool poisoned = false;
    enum mr_status status;

    log->scratch.size = 0;
    mr_write_bytes(&log->scratch, batch->bytes);
    kafka_batch_set_offset(log->scratch.data, p->end.offset, log->leader_epoch);
    batch->base_offset = p->end.offset;
    batch->last_offset = p->end.offset + batch->last_offset_delta;
    status = log_segment_append(active, batch, log->scratch.data, log->options.index_interval_bytes, &poisoned, err);
    p->poisoned = p->poisoned || poisoned;
    if (log->scratch.capacity > (4 << 20))
        mr_writer_deinit(&log->scratch);
    if (status != MR_OK)
        return status;
    log_partition_note_epoch(p, log->leader_epoch, batch->base_offset);
    log_producers_note(p->producers, batch, mr_now_ms(log->env));
    p->end.offset = batch->last_offset + 1;
    p->end.position = active->bytes;
    if (batch->max_timestamp > p->end.max_timestamp)
        p->end.max_timestamp = batch->max_timestamp;
    p->checkpoint_bytes += (int64_t)size;
    log->unsynced_bytes += (int64_t)size;
    log_commit_add(p, active, false, (int64_t)size,
                   p->checkpoint_bytes >= log->options.checkpoint_bytes ? log_checkpoint_blobs(p, active) : NULL);
    return MR_OK;
}

static void relaxed_visible(struct log_partition *p)
{
    p->visible = p->end;
    if (!p->moved) {
        p->moved = true;
        p->moved_next = p->log->moved;
        p->log->moved = p;
    }
}

enum mr_status log_append(struct log_partition *partition, struct mr_bytes batch, struct log_append_result *result,
                          log_synced_fn *on_synced, void *arg, struct mr_err *err)
{
    struct log_partition *p = partition;
    struct log *log = p->log;
    struct kafka_batch parsed;
    int64_t original_last = -1;
    enum mr_status status;

    *result = (struct log_append_result){ LOG_REFUSED, -1, -1, p->start_offset };
    status = batch_admit(p, batch, &parsed, err);
    if (status != MR_OK)
        return status;
    result->outcome = log_producers_check(p->producers, &parsed, &result->base_offset, &original_last);
    if (result->outcome == LOG_OUT_OF_ORDER)
        return mr_err_set(err, MR_INVALID, "producer %" PRId64 ": sequence %d does not follow", parsed.producer_id,
                          parsed.base_sequence);
    if (result->outcome == LOG_FENCED)
        return mr_err_set(err, MR_DENIED, "producer %" PRId64 ": epoch %d is over", parsed.producer_id,
                          parsed.producer_epoch);
    if (result->outcome == LOG_APPENDED) {
        result->outcome = LOG_REFUSED;
        if (log->unsynced_bytes > 0 && log->unsynced_bytes + (int64_t)batch.size > log->options.unsynced_bytes_max)
            return mr_err_set(err, MR_LIMIT, "%" PRId64 " bytes wait for the disk", log->unsynced_bytes);
        status = segment_ready(p, &parsed, err);
        if (status == MR_OK)
            status = batch_write(p, &parsed, err);
        if (status != MR_OK)
            return status;
        result->outcome = LOG_APPENDED;
        result->base_offset = parsed.base_offset;
        original_last = parsed.last_offset;
        if (log->options.relaxed)
            relaxed_visible(p);
    }
    if (original_last < p->visible.offset)
        waiter_ready(log, on_synced, arg);
    else
        waiter_add(p, original_last + 1, on_synced, arg);
    return MR_OK;
}

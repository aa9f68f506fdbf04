/* delete_records.c -- raises the log start offset of a partition.
 *
 * Order: all that the checkpoint speaks of is synced (a job runs behind the commits of its round), the checkpoint with
 * the new start is synced, then the new start counts and is told, then whole segments below it are removed: a power cut
 * leaves at most segments that the next start removes (log_partition_drop_old).
 *
 * Invariants
 *   D1  start_offset <= start_asked <= visible.offset.
 *   D2  a checkpoint notes start_asked, not start_offset: one made between the asking and the answer is written after
 *       the job's own and must not take the start back.
 *   D3  the segment that the checkpoint on disk ends in is there.  A checkpoint made later may have been written before
 *       the job's own, so only the job's own counts.
 * One job a partition at a time: what is asked meanwhile waits and becomes one job together, so that a flood of
 * requests makes few checkpoints, and holds one of them.
 * The active segment stays, as in Kafka: its bytes go when the next one has begun and the start is raised again.
 * Tested by: tests/unit/log/test_delete_records.c, tests/sim/sim_log.c */
#include "base/logging.h"
#include "log/log_int.h"

#include <string.h>

/* Someone who asked. */
struct log_start_waiter {
    struct log_start_waiter *next;
    int64_t offset;
    log_synced_fn *on_done;
    void *arg;
};

struct start_job {
    struct log_work work;
    struct log_partition *partition;  /* borrowed: a deletion of its topic comes behind this job */
    struct log_start_waiter *waiters; /* owned */
    int64_t offset;                   /* the greatest of theirs */
    bool is_raise;
    int64_t segment_base;   /* of the segment that the checkpoint ends in */
    struct log_blob *blobs; /* owned */
    enum mr_status status;
    struct mr_err err;
};

/* Files that are no longer of a partition. */
struct removal_job {
    struct log_work work;
    struct log_segment **segments; /* owned references */
    size_t count;
    char *dir; /* owned */
};

/* ---- removing segments ---- */

static enum mr_status segment_remove(struct mr_env *env, const struct log_segment *segment, struct mr_err *err)
{
    char path[MR_PATH_BYTES];
    struct mr_err ignored = MR_ERR_INIT;
    enum mr_status status;

    log_segment_index_path(path, segment);
    MR_UNUSED(mr_unlink(env, path, &ignored) == MR_OK); /* there may be none */
    status = mr_unlink(env, segment->path, err);
    return status == MR_NOT_FOUND ? MR_OK : status;
}

/* How many segments at the front are wholly below the start, and below KEPT_BASE: the one that the checkpoint on disk
 * ends in must stay.  Never the last one. */
static size_t old_segments(const struct log_partition *p, int64_t kept_base)
{
    size_t n = 0;

    while (n + 1 < p->segment_count && p->segments[n]->base_offset < kept_base &&
           p->segments[n + 1]->base_offset <= p->start_offset)
        n++;
    return n;
}

static void segments_shift(struct log_partition *p, size_t n)
{
    p->segment_count -= n;
    memmove(p->segments, p->segments + n, p->segment_count * sizeof(*p->segments));
}

static void removal_drop(struct log_work *work)
{
    struct removal_job *job = (struct removal_job *)work;

    for (size_t i = 0; i < job->count; i++)
        log_segment_unref(job->segments[i]);
    mr_free(job->segments);
    mr_free(job->dir);
    mr_free(job);
}

static void removal_run(struct log *log, struct log_work *work)
{
    struct removal_job *job = (struct removal_job *)work;
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = MR_OK;

    for (size_t i = 0; status == MR_OK && i < job->count; i++)
        status = segment_remove(log->env, job->segments[i], &err);
    if (status == MR_OK)
        status = mr_sync_dir(log->env, job->dir, &err);
    if (status != MR_OK && status != MR_NOT_FOUND) /* MR_NOT_FOUND: the topic was deleted meanwhile */
        mr_log(MR_LOG_WARN, LOG_NAME, "deleted records are still on disk until the next start: %s", err.text);
}

static void removal_done(struct log *log, struct log_work *work)
{
    MR_UNUSED(log);
    removal_drop(work);
}

static void removal_submit(struct log_partition *p, int64_t kept_base)
{
    size_t n = old_segments(p, kept_base);
    struct removal_job *job;

    if (n == 0)
        return;
    job = MR_NEW(struct removal_job);
    job->work.run = removal_run;
    job->work.done = removal_done;
    job->work.drop = removal_drop;
    job->dir = mr_strdup(p->dir);
    job->segments = mr_calloc(n, sizeof(*job->segments));
    job->count = n;
    memcpy(job->segments, p->segments, n * sizeof(*job->segments));
    segments_shift(p, n);
    log_job_submit(p->log, &job->work);
}

enum mr_status log_partition_drop_old(struct log_partition *p, struct mr_err *err)
{
    size_t n = old_segments(p, p->end.segment_base);
    enum mr_status status = MR_OK;

    for (size_t i = 0; status == MR_OK && i < n; i++)
        status = segment_remove(p->log->env, p->segments[i], err);
    if (status == MR_OK && n > 0)
        status = mr_sync_dir(p->log->env, p->dir, err);
    if (status != MR_OK)
        return status;
    for (size_t i = 0; i < n; i++)
        log_segment_unref(p->segments[i]);
    segments_shift(p, n);
    return MR_OK;
}

/* ---- raising the start ---- */

void log_start_waiters_free(struct log_start_waiter *waiter)
{
    while (waiter != NULL) {
        struct log_start_waiter *next = waiter->next;

        mr_free(waiter);
        waiter = next;
    }
}

static void start_drop(struct log_work *work)
{
    struct start_job *job = (struct start_job *)work;

    log_start_waiters_free(job->waiters);
    log_blobs_free(job->blobs);
    mr_free(job);
}

static void start_run(struct log *log, struct log_work *work)
{
    struct start_job *job = (struct start_job *)work;

    if (!job->is_raise)
        return;
    if (job->partition->sync_failed)
        job->status = mr_err_set(&job->err, MR_IO, "an earlier sync of %s failed", job->partition->dir);
    else
        job->status = log_blobs_write(log, job->blobs, &job->err);
}

static void waiters_tell(const struct log_start_waiter *waiter, enum mr_status status, const struct mr_err *err)
{
    for (; waiter != NULL; waiter = waiter->next)
        waiter->on_done(waiter->arg, status, err);
}

static void start_submit(struct log_partition *p);

static void start_done(struct log *log, struct log_work *work)
{
    struct start_job *job = (struct start_job *)work;
    struct log_partition *p = job->partition;

    MR_UNUSED(log);
    p->start_is_rising = false;
    if (job->status != MR_OK) {
        p->checkpoint_offset = -1;
    } else if (job->offset > p->start_offset) {
        p->start_offset = job->offset;
        if (!p->deleted)
            removal_submit(p, job->segment_base);
    }
    if (p->deleted) { /* its deletion is on the way: no job may come behind that */
        struct log_start_waiter *late = p->start_waiters;
        struct mr_err err = MR_ERR_INIT;

        p->start_waiters = NULL;
        waiters_tell(late, mr_err_set(&err, MR_NOT_FOUND, "topic %s is being deleted", p->topic->name), &err);
        log_start_waiters_free(late);
    } else if (p->start_waiters != NULL) {
        start_submit(p);
    }
    waiters_tell(job->waiters, job->status, &job->err);
    start_drop(work);
}

/* Makes a job of all that wait. */
static void start_submit(struct log_partition *p)
{
    struct start_job *job = MR_NEW(struct start_job);

    job->work.run = start_run;
    job->work.done = start_done;
    job->work.drop = start_drop;
    job->partition = p;
    job->waiters = p->start_waiters;
    p->start_waiters = NULL;
    p->start_is_rising = true;
    for (const struct log_start_waiter *w = job->waiters; w != NULL; w = w->next)
        if (w->offset > job->offset)
            job->offset = w->offset;
    if (job->offset > p->start_offset) { /* then it has a segment */
        job->is_raise = true;
        job->segment_base = p->end.segment_base;
        job->blobs = log_checkpoint_blobs(p, log_partition_active(p));
    }
    log_job_submit(p->log, &job->work);
}

enum mr_status log_delete_before(struct log_partition *partition, int64_t offset, log_synced_fn *on_done, void *arg,
                                 struct mr_err *err)
{
    struct log_partition *p = partition;
    struct log_start_waiter *waiter;

    if (p->deleted)
        return mr_err_set(err, MR_NOT_FOUND, "topic %s is being deleted", p->topic->name);
    if (p->log->closing)
        return mr_err_set(err, MR_BUSY, "the log is closing");
    if (offset < 0 || offset > p->visible.offset)
        return mr_err_set(err, MR_LIMIT, "%s-%d has the offsets %" PRId64 " to %" PRId64 ", not %" PRId64,
                          p->topic->name, p->index, p->start_offset, p->visible.offset, offset);
    if (p->poisoned)
        return mr_err_set(err, MR_IO, "%s-%d takes no writes after a failed one: restart when the disk is well",
                          p->topic->name, p->index);
    waiter = MR_NEW(struct log_start_waiter);
    *waiter = (struct log_start_waiter){ p->start_waiters, offset, on_done, arg };
    p->start_waiters = waiter;
    if (offset > p->start_asked)
        p->start_asked = offset;
    if (!p->start_is_rising)
        start_submit(p);
    return MR_OK;
}

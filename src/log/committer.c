/* committer.c -- the thread that syncs, and the way back to the owner.
 *
 * A round: take all that partitions put down since the last one, sync their files and new directories, hand the results
 * to the mailbox, then write the checkpoints that wait for this sync, then do the jobs (topics made and deleted). While
 * a round syncs, the next one fills: this is the group commit; a lone append waits for one sync, many share one.
 * Relaxed: rounds start a second apart, earlier when a job or half the unsynced bytes wait.
 *
 * The mailbox: a list of finished work and one job posted to the owner's loop when it was empty.  It outlives the log,
 * as a job already in the loop can't be taken back.
 * Results reach the owner in the order of the rounds, so work that ends a partition comes after all commits of it.
 * Tested by: tests/unit/log/test_log.c (also under TSan) */
#include "base/logging.h"
#include "log/log_int.h"

#include <time.h>

/* ---- mailbox ---- */

void log_mailbox_unref(struct log_mailbox *mailbox)
{
    if (atomic_fetch_sub(&mailbox->refs, 1) != 1)
        return;
    assert(mailbox->head == NULL);
    pthread_mutex_destroy(&mailbox->mutex);
    mr_free(mailbox);
}

static void mailbox_job(void *arg)
{
    struct log_mailbox *mailbox = arg;

    if (mailbox->log != NULL)
        log_drain(mailbox->log);
    log_mailbox_unref(mailbox);
}

/* Puts WORK (may be NULL) in and posts the job unless one is on its way. */
static void mailbox_put(struct log_mailbox *mailbox, struct mr_post post, struct log_work *work)
{
    bool post_now;

    pthread_mutex_lock(&mailbox->mutex);
    if (work != NULL) {
        work->next = NULL;
        if (mailbox->tail != NULL)
            mailbox->tail->next = work;
        else
            mailbox->head = work;
        mailbox->tail = work;
    }
    post_now = !mailbox->posted;
    mailbox->posted = true;
    pthread_mutex_unlock(&mailbox->mutex);
    if (!post_now)
        return;
    atomic_fetch_add(&mailbox->refs, 1);
    mr_post(post, mailbox_job, mailbox);
}

void log_mailbox_wake(struct log *log)
{
    mailbox_put(log->mailbox, log->options.post, NULL);
}

void log_drain(struct log *log)
{
    struct log_mailbox *mailbox = log->mailbox;
    struct log_work *work;
    struct log_waiter *ready = log->ready;
    struct log_partition *p;

    pthread_mutex_lock(&mailbox->mutex);
    work = mailbox->head;
    mailbox->head = mailbox->tail = NULL;
    mailbox->posted = false;
    pthread_mutex_unlock(&mailbox->mutex);
    log->ready = log->ready_last = NULL;

    while (ready != NULL) {
        struct log_waiter *w = ready;
        struct mr_err none = MR_ERR_INIT;

        ready = w->next;
        w->fn(w->arg, MR_OK, &none);
        mr_free(w);
    }
    while ((p = log->moved) != NULL) {
        log->moved = p->moved_next;
        p->moved = false;
        log_partition_tell(p);
    }
    while (work != NULL) {
        struct log_work *next = work->next;

        work->done(log, work);
        work = next;
    }
}

/* ---- commits ---- */

struct log_blob *log_blob_new(const char *path, bool replace)
{
    struct log_blob *blob = MR_NEW(struct log_blob);

    blob->path = mr_strdup(path);
    blob->replace = replace;
    return blob;
}

void log_blobs_free(struct log_blob *blob)
{
    while (blob != NULL) {
        struct log_blob *next = blob->next;

        mr_writer_deinit(&blob->bytes);
        mr_free(blob->path);
        mr_free(blob);
        blob = next;
    }
}

static void commit_drop(struct log_work *work)
{
    struct log_commit *commit = (struct log_commit *)work;

    for (size_t i = 0; i < commit->segment_count; i++)
        log_segment_unref(commit->segments[i]);
    mr_free(commit->segments);
    log_blobs_free(commit->blobs);
    mr_free(commit);
}

/* Owner's thread: a round with this partition is over. */
static void commit_done(struct log *log, struct log_work *work)
{
    struct log_commit *commit = (struct log_commit *)work;
    struct log_partition *p = commit->partition;

    log->unsynced_bytes -= commit->bytes;
    assert(log->unsynced_bytes >= 0);
    if (commit->status != MR_OK) {
        if (!p->poisoned)
            mr_log(MR_LOG_ERROR, LOG_NAME, "%s-%d takes no more writes until the restart: %s", p->topic->name, p->index,
                   commit->err.text);
        p->poisoned = true;
        log_partition_release(p, INT64_MAX, commit->status, &commit->err);
    } else if (commit->end.offset > p->synced_offset) {
        p->synced_offset = commit->end.offset;
        if (!log->options.relaxed) {
            p->visible = commit->end;
            log_partition_release(p, p->visible.offset, MR_OK, &commit->err);
            log_partition_tell(p);
        }
    } else if (commit->end.offset == p->visible.offset && !log->options.relaxed) {
        p->visible = commit->end; /* the same offset, now at the start of a new segment */
    }
    commit_drop(work);
}

void log_commit_add(struct log_partition *p, struct log_segment *segment, bool sync_dir, int64_t bytes,
                    struct log_blob *blobs)
{
    struct log_committer *c = &p->log->committer;
    const struct log_options *options = &p->log->options;
    struct log_commit *commit;
    bool wake = false;

    pthread_mutex_lock(&c->mutex);
    commit = p->commit;
    if (commit == NULL) {
        commit = MR_NEW(struct log_commit);
        commit->work.done = commit_done;
        commit->work.drop = commit_drop;
        commit->partition = p;
        p->commit = commit;
        wake = c->commits == NULL;
        if (c->commits_last != NULL)
            c->commits_last->next = &commit->work;
        else
            c->commits = &commit->work;
        c->commits_last = &commit->work;
    }
    if (commit->segment_count == 0 || commit->segments[commit->segment_count - 1] != segment) {
        MR_GROW(commit->segments, commit->segment_count, commit->segment_capacity);
        commit->segments[commit->segment_count++] = log_segment_ref(segment);
    }
    commit->sync_dir = commit->sync_dir || sync_dir;
    commit->bytes += bytes;
    commit->end = p->end;
    if (blobs != NULL) {
        if (commit->blobs_last != NULL)
            commit->blobs_last->next = blobs;
        else
            commit->blobs = blobs;
        while (blobs->next != NULL)
            blobs = blobs->next;
        commit->blobs_last = blobs;
    }
    if (!c->urgent && p->log->unsynced_bytes > options->unsynced_bytes_max / 2)
        wake = c->urgent = true;
    pthread_mutex_unlock(&c->mutex);
    if (wake && c->running)
        pthread_cond_signal(&c->wake);
}

void log_job_submit(struct log *log, struct log_work *work)
{
    struct log_committer *c = &log->committer;

    work->next = NULL;
    pthread_mutex_lock(&c->mutex);
    if (c->jobs_last != NULL)
        c->jobs_last->next = work;
    else
        c->jobs = work;
    c->jobs_last = work;
    c->urgent = true;
    pthread_mutex_unlock(&c->mutex);
    if (c->running)
        pthread_cond_signal(&c->wake);
}

/* ---- the thread ---- */

static void commit_sync(struct log_commit *commit)
{
    struct log_partition *p = commit->partition;
    enum mr_status status = MR_OK;

    if (p->sync_failed) {
        commit->status = mr_err_set(&commit->err, MR_IO, "an earlier sync of %s failed", p->dir);
        return;
    }
    for (size_t i = 0; status == MR_OK && i < commit->segment_count; i++)
        status = mr_file_sync(commit->segments[i]->file, &commit->err);
    if (status == MR_OK && commit->sync_dir)
        status = mr_sync_dir(p->log->env, p->dir, &commit->err);
    p->sync_failed = status != MR_OK;
    commit->status = status == MR_OK ? MR_OK : MR_IO;
}

static enum mr_status hint_write(struct mr_env *env, const struct log_blob *blob, struct mr_err *err)
{
    struct mr_file *file;
    enum mr_status status =
        mr_file_open(env, &file, blob->path, MR_OPEN_WRITE | MR_OPEN_CREATE | MR_OPEN_TRUNCATE, err);

    if (status != MR_OK)
        return status;
    status = mr_file_pwrite(file, blob->bytes.data, blob->bytes.size, 0, err);
    mr_file_close(file);
    return status;
}

enum mr_status log_blobs_write(struct log *log, const struct log_blob *blob, struct mr_err *err)
{
    enum mr_status status = MR_OK;

    for (; status == MR_OK && blob != NULL; blob = blob->next) {
        struct mr_err ignored = MR_ERR_INIT;

        if (blob->replace)
            status = mr_file_replace(log->env, blob->path, mr_writer_bytes(&blob->bytes), err);
        else if (hint_write(log->env, blob, &ignored) != MR_OK)
            mr_log(MR_LOG_WARN, LOG_NAME, "%s is not written: %s", blob->path, ignored.text);
    }
    return status;
}

/* A checkpoint that can't be written costs time at the next recovery, nothing else. */
static void blobs_write(struct log *log, struct log_blob *blob)
{
    for (; blob != NULL; blob = blob->next) {
        struct mr_err err = MR_ERR_INIT;
        enum mr_status status = blob->replace
                                    ? mr_file_replace(log->env, blob->path, mr_writer_bytes(&blob->bytes), &err)
                                    : hint_write(log->env, blob, &err);

        if (status != MR_OK)
            mr_log(MR_LOG_WARN, LOG_NAME, "%s is not written: %s", blob->path, err.text);
    }
}

bool log_committer_round(struct log *log)
{
    struct log_committer *c = &log->committer;
    struct log_work *commits, *jobs, *work, *next;
    struct log_blob *blobs = NULL, **blobs_end = &blobs;

    pthread_mutex_lock(&c->mutex);
    commits = c->commits;
    jobs = c->jobs;
    c->commits = c->commits_last = c->jobs = c->jobs_last = NULL;
    c->urgent = false;
    for (work = commits; work != NULL; work = work->next)
        ((struct log_commit *)work)->partition->commit = NULL;
    pthread_mutex_unlock(&c->mutex);

    for (work = commits; work != NULL; work = work->next)
        commit_sync((struct log_commit *)work);
    for (work = commits; work != NULL; work = next) {
        struct log_commit *commit = (struct log_commit *)work;

        next = work->next;
        if (commit->status == MR_OK && commit->blobs != NULL) {
            *blobs_end = commit->blobs;
            blobs_end = &commit->blobs_last->next;
            commit->blobs = commit->blobs_last = NULL;
        }
        mailbox_put(log->mailbox, log->options.post, work);
    }
    blobs_write(log, blobs);
    log_blobs_free(blobs);
    for (work = jobs; work != NULL; work = next) {
        next = work->next;
        work->run(log, work);
        mailbox_put(log->mailbox, log->options.post, work);
    }
    return commits != NULL || jobs != NULL;
}

/* Waits until there is work to do now; false when the thread is to end. */
static bool committer_wait(struct log *log)
{
    struct log_committer *c = &log->committer;
    struct timespec due = { 0 };
    bool work;

    pthread_mutex_lock(&c->mutex);
    while (!c->stop && c->commits == NULL && c->jobs == NULL)
        pthread_cond_wait(&c->wake, &c->mutex);
    if (log->options.relaxed) {
        clock_gettime(CLOCK_MONOTONIC, &due);
        due.tv_sec++;
        while (!c->stop && !c->urgent && pthread_cond_timedwait(&c->wake, &c->mutex, &due) == 0)
            continue;
    }
    work = c->commits != NULL || c->jobs != NULL;
    pthread_mutex_unlock(&c->mutex);
    return work;
}

static void *committer_run(void *arg)
{
    struct log *log = arg;

    while (committer_wait(log))
        log_committer_round(log);
    return NULL;
}

void log_committer_start(struct log *log)
{
    struct log_committer *c = &log->committer;
    pthread_condattr_t attributes;

    pthread_mutex_init(&c->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&c->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    c->running = !log->options.manual_commit;
    if (c->running)
        mr_thread_start(&c->thread, "log-commit", committer_run, log);
}

void log_committer_stop(struct log *log)
{
    struct log_committer *c = &log->committer;

    if (c->running) {
        pthread_mutex_lock(&c->mutex);
        c->stop = true;
        pthread_mutex_unlock(&c->mutex);
        pthread_cond_signal(&c->wake);
        pthread_join(c->thread, NULL);
        c->running = false;
    }
}

/* log.c -- opening and closing the whole.
 *
 * DIR/catalog.db               which topics there are (catalog_sqlite.c)
 * DIR/topics/<partition dir>/  segments, indexes, checkpoint
 * DIR/lost+found/              directories that the catalog knows no topic for
 *
 * Open: catalog, scan of every partition (nothing is changed yet), leader epoch, repair, lost+found, committer.
 * Close: last rounds, callbacks, checkpoints, the note of a clean stop.
 * Tested by: tests/unit/log/test_log.c, tests/unit/log/test_recovery.c */
#include "base/logging.h"
#include "base/text.h"
#include "log/log_int.h"

#include <stdio.h>
#include <string.h>

static void options_fill(struct log_options *o)
{
    if (o->env == NULL)
        o->env = mr_env_real();
    if (o->segment_bytes_max <= 0 || o->segment_bytes_max > LOG_SEGMENT_BYTES_MAX)
        o->segment_bytes_max = LOG_SEGMENT_BYTES_MAX;
    if (o->checkpoint_bytes <= 0)
        o->checkpoint_bytes = LOG_CHECKPOINT_BYTES;
    if (o->index_interval_bytes <= 0)
        o->index_interval_bytes = LOG_INDEX_INTERVAL_BYTES;
    if (o->unsynced_bytes_max <= 0)
        o->unsynced_bytes_max = LOG_UNSYNCED_BYTES_MAX;
}

static struct log *log_new(const char *dir, const struct log_options *options)
{
    struct log *log = MR_NEW(struct log);

    log->options = *options;
    options_fill(&log->options);
    log->env = log->options.env;
    log->dir = mr_strdup(dir);
    log->topics_by_id = mr_map_new();
    log->pending = mr_map_new();
    log->producer_id_reserved = -1;
    log->mailbox = MR_NEW(struct log_mailbox);
    atomic_init(&log->mailbox->refs, 1);
    pthread_mutex_init(&log->mailbox->mutex, NULL);
    log->mailbox->log = log;
    log->catalog = log->options.catalog;
    log->catalog_owned = log->catalog == NULL;
    return log;
}

static void works_drop(struct log_work *work)
{
    while (work != NULL) {
        struct log_work *next = work->next;

        work->drop(work);
        work = next;
    }
}

/* Frees all, with whatever is still on its way. */
static void log_free(struct log *log)
{
    struct log_work *work;
    struct log_waiter *w;

    if (log == NULL)
        return;
    pthread_mutex_lock(&log->mailbox->mutex);
    work = log->mailbox->head;
    log->mailbox->head = log->mailbox->tail = NULL;
    pthread_mutex_unlock(&log->mailbox->mutex);
    log->mailbox->log = NULL;
    works_drop(work);
    works_drop(log->committer.commits);
    works_drop(log->committer.jobs);
    while ((w = log->ready) != NULL) {
        log->ready = w->next;
        mr_free(w);
    }
    for (size_t i = 0; i < log->topic_count; i++)
        log_topic_free(log->topics[i]);
    mr_free(log->topics);
    mr_map_free(log->topics_by_id);
    mr_map_free(log->pending);
    mr_writer_deinit(&log->scratch);
    kafka_scratch_deinit(&log->inflate);
    if (log->catalog_owned && log->catalog != NULL)
        log->catalog->ops->close(log->catalog);
    log_mailbox_unref(log->mailbox);
    mr_free(log->dir);
    mr_free(log);
}

/* ---- opening ---- */

static enum mr_status topic_load(void *arg, const struct log_catalog_topic *topic, struct mr_err *err)
{
    struct log *log = arg;

    MR_UNUSED(err);
    log_topic_add(log, log_topic_new(log, topic));
    return MR_OK;
}

struct stray_list {
    struct mr_map *known; /* names of directories that belong to a topic */
    char **names;         /* owned */
    size_t count;
    size_t capacity;
};

static void stray_each(void *arg, const char *name, bool is_dir)
{
    struct stray_list *list = arg;

    MR_UNUSED(is_dir);
    if (mr_map_get_str(list->known, name) != NULL)
        return;
    MR_GROW(list->names, list->count, list->capacity);
    list->names[list->count++] = mr_strdup(name);
}

static enum mr_status stray_move(struct log *log, const char *topics, const char *name, struct mr_err *err)
{
    char from[MR_PATH_BYTES], lost[MR_PATH_BYTES], to[MR_PATH_BYTES], unique[320];
    enum mr_status status = mr_path_join(from, topics, name, err);

    if (status == MR_OK)
        status = mr_path_join(lost, log->dir, "lost+found", err);
    if (status == MR_OK)
        status = mr_mkdirs(log->env, lost, err);
    snprintf(unique, sizeof(unique), "%.230s.%016" PRIx64, name, mr_random_u64(log->env));
    if (status == MR_OK)
        status = mr_path_join(to, lost, unique, err);
    if (status == MR_OK)
        status = mr_rename(log->env, from, to, err);
    if (status == MR_OK)
        status = mr_sync_dir(log->env, lost, err);
    if (status == MR_OK)
        status = mr_sync_dir(log->env, topics, err);
    if (status == MR_OK)
        mr_log(MR_LOG_WARN, LOG_NAME, "%s belongs to no topic: moved to %s", from, to);
    return status;
}

static enum mr_status strays_move(struct log *log, const char *topics, struct mr_err *err)
{
    struct stray_list list = { .known = mr_map_new() };
    enum mr_status status;

    for (size_t i = 0; i < log->topic_count; i++) {
        for (int32_t n = 0; n < log->topics[i]->partition_count; n++)
            mr_map_put_str(list.known, strrchr(log->topics[i]->partitions[n]->dir, '/') + 1, log);
    }
    status = mr_list_dir(log->env, topics, stray_each, &list, err);
    for (size_t i = 0; i < list.count; i++) {
        if (status == MR_OK)
            status = stray_move(log, topics, list.names[i], err);
        mr_free(list.names[i]);
    }
    mr_free(list.names);
    mr_map_free(list.known);
    return status;
}

static enum mr_status catalog_open(struct log *log, struct mr_err *err)
{
    char path[MR_PATH_BYTES];
    enum mr_status status = MR_OK;

    if (log->catalog == NULL) {
        status = mr_path_join(path, log->dir, "catalog.db", err);
        if (status == MR_OK)
            status = log_catalog_sqlite_open(&log->catalog, path, err);
    }
    if (status == MR_OK)
        status = log->catalog->ops->topics(log->catalog, topic_load, log, err);
    return status;
}

static enum mr_status catalog_start(struct log *log, struct mr_err *err)
{
    struct log_catalog_start start;
    enum mr_status status = log->catalog->ops->start(log->catalog, &start, err);

    if (status != MR_OK)
        return status;
    log->leader_epoch = start.leader_epoch;
    log->producer_id_next = start.producer_id_first;
    log->producer_id_end = start.producer_id_first + LOG_PRODUCER_IDS_BLOCK;
    return MR_OK;
}

enum mr_status log_open(struct log **out, const char *dir, const struct log_options *options, struct mr_err *err)
{
    struct log *log = log_new(dir, options);
    char topics[MR_PATH_BYTES];
    enum mr_status status = MR_OK;

    assert(options->post.run != NULL);
    if (strlen(dir) > MR_PATH_BYTES - 320)
        status = mr_err_set(err, MR_LIMIT, "the path of the log is too long: %s", dir);
    if (status == MR_OK)
        status = mr_path_join(topics, dir, "topics", err);
    if (status == MR_OK)
        status = mr_mkdirs(log->env, topics, err);
    if (status == MR_OK)
        status = catalog_open(log, err);
    for (size_t i = 0; status == MR_OK && i < log->topic_count; i++) {
        for (int32_t n = 0; status == MR_OK && n < log->topics[i]->partition_count; n++)
            status = log_partition_scan(log->topics[i]->partitions[n], err);
    }
    if (status == MR_OK)
        status = catalog_start(log, err);
    for (size_t i = 0; status == MR_OK && i < log->topic_count; i++)
        status = log_topic_mkdirs(log->topics[i], err);
    /* What a killed process made and did not sync is in the kernel only: names, too. */
    if (status == MR_OK)
        status = mr_sync_dir(log->env, dir, err);
    if (status == MR_OK)
        status = mr_sync_dir(log->env, topics, err);
    for (size_t i = 0; status == MR_OK && i < log->topic_count; i++) {
        for (int32_t n = 0; status == MR_OK && n < log->topics[i]->partition_count; n++)
            status = log_partition_repair(log->topics[i]->partitions[n], err);
    }
    if (status == MR_OK)
        status = strays_move(log, topics, err);
    if (status != MR_OK) {
        mr_err_context(err, "log %s", dir);
        log_free(log);
        return status;
    }
    log_committer_start(log);
    *out = log;
    return MR_OK;
}

/* ---- closing ---- */

/* Every round and job is done and its callbacks ran. */
static void log_finish(struct log *log)
{
    log_committer_stop(log);
    while (log_committer_round(log))
        continue;
    log_drain(log);
    while (log->ready != NULL || log->moved != NULL || log->mailbox->head != NULL || log_committer_round(log))
        log_drain(log);
}

enum mr_status log_close(struct log *log, struct mr_err *err)
{
    enum mr_status status = MR_OK;

    if (log == NULL)
        return MR_OK;
    log->closing = true;
    log_finish(log);
    for (size_t i = 0; i < log->topic_count; i++) {
        for (int32_t n = 0; n < log->topics[i]->partition_count; n++) {
            struct log_partition *p = log->topics[i]->partitions[n];

            if (status == MR_OK && (p->poisoned || p->synced_offset != p->end.offset))
                status = mr_err_set(err, MR_IO, "%s-%d could not be synced", p->topic->name, n);
            if (status == MR_OK)
                status = log_checkpoint_write(p, err);
        }
    }
    if (status == MR_OK)
        status = log->catalog->ops->stopped(log->catalog, err);
    log_free(log);
    return status;
}

void log_abandon(struct log *log)
{
    if (log == NULL)
        return;
    log_committer_stop(log);
    log_free(log);
}

bool log_commit_step(struct log *log)
{
    assert(log->options.manual_commit);
    return log_committer_round(log);
}

const char *log_dir(const struct log *log)
{
    return log->dir;
}

int32_t log_leader_epoch(const struct log *log)
{
    return log->leader_epoch;
}

/* ---- producer ids ---- */

struct ids_job {
    struct log_work work;
    int64_t first;
    enum mr_status status;
    struct mr_err err;
};

static void ids_run(struct log *log, struct log_work *work)
{
    struct ids_job *job = (struct ids_job *)work;

    job->status = log->catalog->ops->producer_ids(log->catalog, &job->first, &job->err);
}

static void ids_drop(struct log_work *work)
{
    mr_free(work);
}

static void ids_done(struct log *log, struct log_work *work)
{
    struct ids_job *job = (struct ids_job *)work;

    log->producer_ids_asked = false;
    if (job->status == MR_OK)
        log->producer_id_reserved = job->first;
    else
        mr_log(MR_LOG_ERROR, LOG_NAME, "no producer ids could be reserved: %s", job->err.text);
    ids_drop(work);
}

static void ids_ask(struct log *log)
{
    struct ids_job *job = MR_NEW(struct ids_job);

    log->producer_ids_asked = true;
    job->work.run = ids_run;
    job->work.done = ids_done;
    job->work.drop = ids_drop;
    log_job_submit(log, &job->work);
}

enum mr_status log_producer_id(struct log *log, int64_t *out, struct mr_err *err)
{
    if (log->producer_id_next == log->producer_id_end && log->producer_id_reserved >= 0) {
        log->producer_id_next = log->producer_id_reserved;
        log->producer_id_end = log->producer_id_next + LOG_PRODUCER_IDS_BLOCK;
        log->producer_id_reserved = -1;
    }
    if (log->producer_id_end - log->producer_id_next <= LOG_PRODUCER_IDS_BLOCK / 2 && log->producer_id_reserved < 0 &&
        !log->producer_ids_asked && !log->closing)
        ids_ask(log);
    if (log->producer_id_next == log->producer_id_end)
        return mr_err_set(err, MR_BUSY, "the next block of producer ids is being reserved");
    *out = log->producer_id_next++;
    return MR_OK;
}

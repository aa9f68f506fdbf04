/* topic_change.c -- what changes a topic that is there: more partitions, other configurations.
 *
 * One change of a topic at a time (topic->changing); a deletion that comes meanwhile waits for its end.  The catalog's
 * entry is synced first, then the new directories are made: a power cut between the two leaves partitions that the next
 * start makes, as with a new topic (topic.c).  A directory that could not be made takes the entry back.
 * Tested by: tests/unit/log/test_topic.c, tests/sim/sim_log.c */
#include "base/logging.h"
#include "log/log_int.h"

#include <string.h>

struct change_job {
    struct log_work work;
    struct log_topic *topic; /* borrowed: it stays while it is changing */
    char *name;              /* owned; the entry's */
    struct log_catalog_topic entry;
    struct log_config *configs;   /* owned: the entry's */
    struct log_partition **added; /* owned; from `first` on; NULL: configurations are changed */
    int32_t first;
    log_topic_fn *on_done;
    void *arg;
    enum mr_status status;
    struct mr_err err;
};

static struct change_job *change_new(struct log_topic *topic, log_topic_fn *on_done, void *arg)
{
    struct change_job *job = MR_NEW(struct change_job);

    job->topic = topic;
    job->name = mr_strdup(topic->name);
    job->entry = log_topic_entry(topic);
    job->entry.name = mr_str_of(job->name);
    job->first = topic->partition_count;
    job->on_done = on_done;
    job->arg = arg;
    return job;
}

static void change_free(struct change_job *job)
{
    for (int32_t i = 0; job->added != NULL && i < job->entry.partition_count - job->first; i++)
        log_partition_free(job->added[i]);
    mr_free(job->added);
    if (job->configs != NULL)
        log_configs_free(job->configs, job->entry.config_count);
    mr_free(job->name);
    mr_free(job);
}

static void change_drop(struct log_work *work)
{
    struct change_job *job = (struct change_job *)work;
    struct log_work *deletion = job->topic->deletion;

    job->topic->deletion = NULL;
    change_free(job);
    if (deletion != NULL)
        deletion->drop(deletion);
}

/* Makes the directories of the new partitions, all or none that counts. */
static void grow_mkdirs(struct log *log, struct change_job *job)
{
    char parent[MR_PATH_BYTES];
    struct mr_err again = MR_ERR_INIT;
    enum mr_status status = mr_path_join(parent, log->dir, "topics", &job->err);

    for (int32_t i = 0; status == MR_OK && i < job->entry.partition_count - job->first; i++)
        status = mr_mkdir(log->env, job->added[i]->dir, &job->err);
    if (status == MR_OK)
        status = mr_sync_dir(log->env, parent, &job->err);
    job->status = status;
    if (status == MR_OK)
        return;
    job->entry.partition_count = job->first;
    if (log->catalog->ops->topic_update(log->catalog, &job->entry, &again) != MR_OK)
        mr_log(MR_LOG_WARN, LOG_NAME, "topic %s has more partitions after the next start: %s", job->name, again.text);
}

static void change_run(struct log *log, struct log_work *work)
{
    struct change_job *job = (struct change_job *)work;
    int32_t count = job->entry.partition_count;

    job->status = log->catalog->ops->topic_update(log->catalog, &job->entry, &job->err);
    if (job->status == MR_OK && job->added != NULL)
        grow_mkdirs(log, job);
    job->entry.partition_count = count;
}

/* Puts into the topic what is on disk now. */
static void change_apply(struct change_job *job)
{
    struct log_topic *topic = job->topic;
    int32_t count = job->entry.partition_count;

    if (job->added != NULL) {
        topic->partitions = mr_realloc(topic->partitions, (size_t)count * sizeof(*topic->partitions));
        memcpy(topic->partitions + job->first, job->added, (size_t)(count - job->first) * sizeof(*job->added));
        for (int32_t i = job->first; i < count; i++)
            topic->partitions[i]->deleted = topic->deletion != NULL;
        topic->partition_count = count;
        mr_free(job->added);
        job->added = NULL;
    } else {
        struct log_config *old = topic->configs;
        size_t old_count = topic->config_count;

        topic->configs = job->configs;
        topic->config_count = job->entry.config_count;
        job->configs = NULL;
        topic->segment_bytes_max = log_topic_segment_bytes(topic);
        log_configs_free(old, old_count);
    }
}

static void change_done(struct log *log, struct log_work *work)
{
    struct change_job *job = (struct change_job *)work;
    struct log_topic *topic = job->topic;
    struct log_work *deletion = topic->deletion;

    if (job->status == MR_OK)
        change_apply(job);
    topic->changing = false;
    topic->deletion = NULL;
    if (deletion != NULL)
        log_job_submit(log, deletion);
    if (job->on_done != NULL)
        job->on_done(job->arg, job->status, job->status == MR_OK ? topic : NULL, &job->err);
    change_free(job);
}

static enum mr_status change_admit(struct log *log, const struct log_topic *topic, struct mr_err *err)
{
    if (topic->changing || log->closing || topic->partitions[0]->deleted)
        return mr_err_set(err, MR_BUSY, "topic %s is being changed or deleted", topic->name);
    return MR_OK;
}

static void change_submit(struct log *log, struct change_job *job)
{
    job->topic->changing = true;
    job->work.run = change_run;
    job->work.done = change_done;
    job->work.drop = change_drop;
    log_job_submit(log, &job->work);
}

enum mr_status log_topic_grow(struct log *log, struct log_topic *topic, int32_t count, log_topic_fn *on_done, void *arg,
                              struct mr_err *err)
{
    struct change_job *job;
    enum mr_status status = change_admit(log, topic, err);

    if (status != MR_OK)
        return status;
    if (count <= topic->partition_count || count > LOG_PARTITIONS_MAX)
        return mr_err_set(err, MR_INVALID, "%d partitions: more than %d and at most %d are possible", count,
                          topic->partition_count, LOG_PARTITIONS_MAX);
    job = change_new(topic, on_done, arg);
    job->configs = log_configs_copy(topic->configs, topic->config_count);
    job->entry.configs = job->configs;
    job->entry.partition_count = count;
    job->added = mr_calloc((size_t)(count - job->first), sizeof(*job->added));
    for (int32_t i = job->first; i < count; i++)
        job->added[i - job->first] = log_partition_new(topic, i);
    change_submit(log, job);
    return MR_OK;
}

enum mr_status log_topic_configure(struct log *log, struct log_topic *topic, const struct log_config *configs,
                                   size_t config_count, log_topic_fn *on_done, void *arg, struct mr_err *err)
{
    struct change_job *job;
    enum mr_status status = change_admit(log, topic, err);

    if (status != MR_OK)
        return status;
    if (config_count > LOG_CONFIGS_MAX)
        return mr_err_set(err, MR_INVALID, "%zu configurations: %d are possible", config_count, LOG_CONFIGS_MAX);
    job = change_new(topic, on_done, arg);
    job->configs = log_configs_copy(configs, config_count);
    job->entry.configs = job->configs;
    job->entry.config_count = config_count;
    change_submit(log, job);
    return MR_OK;
}

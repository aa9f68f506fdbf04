/* topic.c -- topics: found, made, deleted.
 *
 * A topic exists when the catalog says so: its entry is synced before its directories are made, and removed before they
 * go.  Directory of a partition: topics/<name>~<8 hex digits of the topic id>-<partition>; the id keeps the files of a
 * deleted topic from being taken for those of a new one of its name, whatever a power cut brings back.  ('~' is in no
 * topic name.)  Both changes are jobs of the committer: the owner's thread never syncs.
 * States        (none) --create--> PENDING --done--> THERE --delete--> PENDING --done--> (none)
 * Tested by: tests/unit/log/test_topic.c */
#include "base/logging.h"
#include "base/text.h"
#include "log/log_int.h"

#include <stdio.h>
#include <string.h>

static char pending_create, pending_delete; /* addresses mark entries of log->pending */

struct topic_job {
    struct log_work work;
    struct log_topic *topic; /* owned when creating */
    log_topic_fn *on_done;
    void *arg;
    enum mr_status status;
    struct mr_err err;
};

/* ---- the struct ---- */

int64_t log_topic_segment_bytes(const struct log_topic *topic)
{
    const char *text = log_topic_config(topic, "segment.bytes");
    int64_t bytes;

    if (text == NULL || mr_parse_i64(mr_str_of(text), &bytes) != MR_OK || bytes <= 0 || bytes > LOG_SEGMENT_BYTES_MAX)
        return topic->log->options.segment_bytes_max;
    return bytes;
}

struct log_config *log_configs_copy(const struct log_config *configs, size_t count)
{
    struct log_config *copy = mr_calloc(count + 1, sizeof(*copy));

    for (size_t i = 0; i < count; i++) {
        copy[i].key = mr_strdup(configs[i].key);
        copy[i].value = mr_strdup(configs[i].value);
    }
    return copy;
}

void log_configs_free(struct log_config *configs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        mr_free((char *)configs[i].key);
        mr_free((char *)configs[i].value);
    }
    mr_free(configs);
}

struct log_topic *log_topic_new(struct log *log, const struct log_catalog_topic *from)
{
    struct log_topic *t = MR_NEW(struct log_topic);

    t->log = log;
    t->name = mr_str_dup(from->name);
    memcpy(t->id, from->id, sizeof(t->id));
    t->partition_count = from->partition_count;
    t->configs = log_configs_copy(from->configs, from->config_count);
    t->config_count = from->config_count;
    t->segment_bytes_max = log_topic_segment_bytes(t);
    t->partitions = mr_calloc((size_t)from->partition_count, sizeof(*t->partitions));
    for (int32_t i = 0; i < from->partition_count; i++)
        t->partitions[i] = log_partition_new(t, i);
    return t;
}

void log_topic_free(struct log_topic *topic)
{
    if (topic == NULL)
        return;
    for (int32_t i = 0; i < topic->partition_count; i++)
        log_partition_free(topic->partitions[i]);
    assert(topic->deletion == NULL);
    log_configs_free(topic->configs, topic->config_count);
    mr_free(topic->partitions);
    mr_free(topic->name);
    mr_free(topic);
}

struct log_catalog_topic log_topic_entry(const struct log_topic *topic)
{
    struct log_catalog_topic entry = {
        .name = mr_str_of(topic->name),
        .partition_count = topic->partition_count,
        .configs = topic->configs,
        .config_count = topic->config_count,
    };

    memcpy(entry.id, topic->id, sizeof(entry.id));
    return entry;
}

enum mr_status log_topic_mkdirs(struct log_topic *topic, struct mr_err *err)
{
    struct mr_env *env = topic->log->env;
    enum mr_status status = MR_OK;

    for (int32_t i = 0; status == MR_OK && i < topic->partition_count; i++)
        status = mr_mkdir(env, topic->partitions[i]->dir, err);
    return status;
}

/* ---- finding ---- */

/* Where NAME is among log->topics, or would be. */
static size_t topic_place(const struct log *log, struct mr_str name, bool *there)
{
    size_t low = 0, high = log->topic_count;

    *there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = mr_bytes_compare(mr_bytes_of_str(mr_str_of(log->topics[middle]->name)), mr_bytes_of_str(name));

        if (order == 0)
            *there = true;
        if (order >= 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static struct mr_bytes id_key(const uint8_t id[16])
{
    return (struct mr_bytes){ id, 16 };
}

void log_topic_add(struct log *log, struct log_topic *topic)
{
    bool there;
    size_t at = topic_place(log, mr_str_of(topic->name), &there);

    assert(!there);
    MR_GROW(log->topics, log->topic_count, log->topic_capacity);
    memmove(log->topics + at + 1, log->topics + at, (log->topic_count - at) * sizeof(*log->topics));
    log->topics[at] = topic;
    log->topic_count++;
    mr_map_put(log->topics_by_id, id_key(topic->id), topic);
}

static void topic_take_out(struct log *log, struct log_topic *topic)
{
    bool there;
    size_t at = topic_place(log, mr_str_of(topic->name), &there);

    assert(there && log->topics[at] == topic);
    log->topic_count--;
    memmove(log->topics + at, log->topics + at + 1, (log->topic_count - at) * sizeof(*log->topics));
    mr_map_remove(log->topics_by_id, id_key(topic->id));
}

struct log_topic *log_topic_find(struct log *log, struct mr_str name)
{
    bool there;
    size_t at = topic_place(log, name, &there);

    return there ? log->topics[at] : NULL;
}

struct log_topic *log_topic_find_id(struct log *log, const uint8_t id[16])
{
    return mr_map_get(log->topics_by_id, id_key(id));
}

bool log_topic_pending(struct log *log, struct mr_str name)
{
    return mr_map_get(log->pending, mr_bytes_of_str(name)) == &pending_create;
}

struct log_topic *log_topic_next(struct log *log, const struct log_topic *after)
{
    bool there = false;
    size_t at = after != NULL ? topic_place(log, mr_str_of(after->name), &there) : 0;

    at += there;
    return at < log->topic_count ? log->topics[at] : NULL;
}

size_t log_topic_count(const struct log *log)
{
    return log->topic_count;
}

const char *log_topic_name(const struct log_topic *topic)
{
    return topic->name;
}

const uint8_t *log_topic_id(const struct log_topic *topic)
{
    return topic->id;
}

int32_t log_topic_partition_count(const struct log_topic *topic)
{
    return topic->partition_count;
}

const char *log_topic_config(const struct log_topic *topic, const char *key)
{
    for (size_t i = 0; i < topic->config_count; i++) {
        if (strcmp(topic->configs[i].key, key) == 0)
            return topic->configs[i].value;
    }
    return NULL;
}

bool log_topic_config_at(const struct log_topic *topic, size_t i, struct log_config *out)
{
    if (i >= topic->config_count)
        return false;
    *out = topic->configs[i];
    return true;
}

struct log_partition *log_topic_partition(const struct log_topic *topic, int32_t index)
{
    return index >= 0 && index < topic->partition_count ? topic->partitions[index] : NULL;
}

/* ---- making ---- */

static bool name_valid(struct mr_str name)
{
    if (name.size == 0 || name.size > LOG_TOPIC_NAME_MAX || mr_str_equal(name, MR_STR(".")) ||
        mr_str_equal(name, MR_STR("..")))
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
              c == '-'))
            return false;
    }
    return true;
}

static void create_run(struct log *log, struct log_work *work)
{
    struct topic_job *job = (struct topic_job *)work;
    struct log_catalog_topic entry = log_topic_entry(job->topic);
    char parent[MR_PATH_BYTES];

    job->status = log->catalog->ops->topic_put(log->catalog, &entry, &job->err);
    if (job->status != MR_OK)
        return;
    job->status = log_topic_mkdirs(job->topic, &job->err);
    if (job->status == MR_OK)
        job->status = mr_path_join(parent, log->dir, "topics", &job->err);
    if (job->status == MR_OK)
        job->status = mr_sync_dir(log->env, parent, &job->err);
    if (job->status != MR_OK) {
        struct mr_err again = MR_ERR_INIT;

        if (log->catalog->ops->topic_remove(log->catalog, entry.id, &again) != MR_OK)
            mr_log(MR_LOG_WARN, LOG_NAME, "topic %s is there after the next start: %s", job->topic->name, again.text);
    }
}

static void create_drop(struct log_work *work)
{
    struct topic_job *job = (struct topic_job *)work;

    log_topic_free(job->topic);
    mr_free(job);
}

static void create_done(struct log *log, struct log_work *work)
{
    struct topic_job *job = (struct topic_job *)work;
    struct log_topic *topic = job->topic;

    mr_map_remove(log->pending, mr_bytes_of_str(mr_str_of(topic->name)));
    job->topic = NULL;
    if (job->status == MR_OK) {
        log_topic_add(log, topic);
    } else {
        log_topic_free(topic);
        topic = NULL;
    }
    if (job->on_done != NULL)
        job->on_done(job->arg, job->status, topic, &job->err);
    create_drop(work);
}

enum mr_status log_topic_create(struct log *log, struct mr_str name, int32_t partition_count,
                                const struct log_config *configs, size_t config_count, log_topic_fn *on_done, void *arg,
                                struct mr_err *err)
{
    struct log_catalog_topic entry = { name, { 0 }, partition_count, configs, config_count };
    void *pending = mr_map_get(log->pending, mr_bytes_of_str(name));
    struct topic_job *job;

    if (!name_valid(name))
        return mr_err_set(err, MR_INVALID, "\"%.*s\" is no topic name: 1 to %d of a-z A-Z 0-9 . _ -",
                          (int)(name.size > LOG_TOPIC_NAME_MAX ? LOG_TOPIC_NAME_MAX : name.size), name.data,
                          LOG_TOPIC_NAME_MAX);
    if (partition_count < 1 || partition_count > LOG_PARTITIONS_MAX)
        return mr_err_set(err, MR_INVALID, "%d partitions: 1 to %d are possible", partition_count, LOG_PARTITIONS_MAX);
    if (config_count > LOG_CONFIGS_MAX)
        return mr_err_set(err, MR_INVALID, "%zu configurations: %d are possible", config_count, LOG_CONFIGS_MAX);
    if (log_topic_find(log, name) != NULL || pending == &pending_create)
        return mr_err_set(err, MR_EXISTS, "topic %.*s already exists", MR_STR_ARG(name));
    if (pending == &pending_delete || log->closing)
        return mr_err_set(err, MR_BUSY, "topic %.*s is being deleted", MR_STR_ARG(name));
    mr_random_uuid(log->env, entry.id);
    job = MR_NEW(struct topic_job);
    job->work.run = create_run;
    job->work.done = create_done;
    job->work.drop = create_drop;
    job->topic = log_topic_new(log, &entry);
    job->on_done = on_done;
    job->arg = arg;
    mr_map_put(log->pending, mr_bytes_of_str(name), &pending_create);
    log_job_submit(log, &job->work);
    return MR_OK;
}

/* ---- deleting ---- */

static void delete_run(struct log *log, struct log_work *work)
{
    struct topic_job *job = (struct topic_job *)work;
    struct log_topic *t = job->topic;
    char parent[MR_PATH_BYTES];
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status;

    job->status = log->catalog->ops->topic_remove(log->catalog, t->id, &job->err);
    if (job->status != MR_OK)
        return;
    status = mr_path_join(parent, log->dir, "topics", &err);
    for (int32_t i = 0; status == MR_OK && i < t->partition_count; i++)
        status = mr_remove_tree(log->env, t->partitions[i]->dir, &err);
    if (status == MR_OK)
        status = mr_sync_dir(log->env, parent, &err);
    if (status != MR_OK) /* the topic is gone all the same; the next start moves what is left to lost+found */
        mr_log(MR_LOG_WARN, LOG_NAME, "files of the deleted topic %s are left: %s", t->name, err.text);
}

static void delete_drop(struct log_work *work)
{
    struct topic_job *job = (struct topic_job *)work;

    log_topic_free(job->topic);
    mr_free(job);
}

static void delete_done(struct log *log, struct log_work *work)
{
    struct topic_job *job = (struct topic_job *)work;
    struct log_topic *t = job->topic;

    mr_map_remove(log->pending, mr_bytes_of_str(mr_str_of(t->name)));
    if (job->status != MR_OK) {
        for (int32_t i = 0; i < t->partition_count; i++)
            t->partitions[i]->deleted = false;
        log_topic_add(log, t);
        job->topic = NULL;
    }
    if (job->on_done != NULL)
        job->on_done(job->arg, job->status, NULL, &job->err);
    delete_drop(work);
}

void log_topic_delete(struct log *log, struct log_topic *topic, log_topic_fn *on_done, void *arg)
{
    struct topic_job *job = MR_NEW(struct topic_job);

    topic_take_out(log, topic);
    for (int32_t i = 0; i < topic->partition_count; i++) {
        struct log_partition *p = topic->partitions[i];

        p->deleted = true;
        if (p->watches != NULL && !p->moved) {
            p->moved = true;
            p->moved_next = log->moved;
            log->moved = p;
        }
    }
    log_mailbox_wake(log);
    mr_map_put(log->pending, mr_bytes_of_str(mr_str_of(topic->name)), &pending_delete);
    job->work.run = delete_run;
    job->work.done = delete_done;
    job->work.drop = delete_drop;
    job->topic = topic;
    job->on_done = on_done;
    job->arg = arg;
    if (topic->changing) /* it reads what that job changes */
        topic->deletion = &job->work;
    else
        log_job_submit(log, &job->work);
}

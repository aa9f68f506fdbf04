/* group_store.c -- writes changes of groups to __consumer_offsets, and carries them out once they are on disk.
 *
 * Batches are written in the order they were submitted; while one can't be (the topic is being made, the log has no
 * room) those behind it wait.  All batches of a group go to one partition, whose callbacks come in order, so changes
 * are carried out in the order of the records: what is in memory is what reading the topic would give. */
#include "broker/group_coordinator_int.h"
#include "broker/group_records_int.h"

#include "base/logging.h"

enum { RETRY_MS = 20 };

struct append_change {
    struct mr_str topic;
    int32_t partition;
    bool is_commit; /* else a tombstone */
    struct broker_offset_value value;
    struct append_change *next;
};

struct broker_append {
    struct broker_groups *groups; /* NULL: the broker is closed */
    struct mr_arena *arena;       /* owned: the changes and the id */
    struct kafka_builder records; /* owned */
    struct mr_writer batch;       /* owned; what became of the records */
    int32_t count;
    struct mr_str group_id;
    int64_t sequence;
    struct append_change *changes;
    struct append_change **changes_end;
    int64_t ticket; /* of the group's state; 0: none */
    bool drops_group;
    broker_append_fn *on_done;
    void *arg;
    struct broker_append *next;
    struct broker_append *previous; /* in flight */
};

/* Survives the broker: the log calls it back. */
struct broker_topic_wait {
    struct broker_groups *groups; /* NULL: closed */
};

static void queue_run(struct broker_groups *groups);

/* ---- making one ---- */

struct broker_append *broker_append_new(struct broker_groups *groups, struct broker_group *group)
{
    struct broker_append *append = MR_NEW(struct broker_append);

    append->groups = groups;
    append->arena = mr_arena_new();
    kafka_builder_init(&append->records);
    append->records.leader_epoch = log_leader_epoch(groups->broker->log);
    append->group_id = mr_arena_str(append->arena, group->id);
    append->sequence = ++groups->sequence;
    append->changes_end = &append->changes;
    return append;
}

void broker_append_free(struct broker_append *append)
{
    kafka_builder_deinit(&append->records);
    mr_writer_deinit(&append->batch);
    mr_arena_free(append->arena);
    mr_free(append);
}

int32_t broker_append_count(const struct broker_append *append)
{
    return append->count;
}

static void record_add(struct broker_append *append, struct mr_writer *key, const struct mr_writer *value)
{
    kafka_builder_add(&append->records, mr_now_ms(append->groups->broker->env), mr_writer_bytes(key),
                      value != NULL ? mr_writer_bytes(value) : MR_BYTES_NULL, NULL, 0);
    mr_writer_deinit(key);
    append->count++;
}

static struct append_change *change_add(struct broker_append *append, struct mr_str topic, int32_t partition)
{
    struct append_change *change = MR_ARENA_NEW(append->arena, struct append_change);
    struct broker_group *group = broker_groups_find(append->groups, append->group_id);

    assert(group != NULL);
    change->topic = mr_arena_str(append->arena, topic);
    change->partition = partition;
    *append->changes_end = change;
    append->changes_end = &change->next;
    broker_offsets_touch(group->offsets, topic, partition, append->sequence);
    return change;
}

void broker_append_commit(struct broker_append *append, struct mr_str topic, int32_t partition,
                          const struct broker_offset_value *value)
{
    struct append_change *change = change_add(append, topic, partition);
    struct mr_writer key_out = { 0 }, value_out = { 0 };

    change->is_commit = true;
    change->value = *value;
    change->value.metadata = mr_arena_str(append->arena, value->metadata);
    broker_offset_key_write(&key_out, append->group_id, topic, partition);
    broker_offset_value_write(&value_out, value);
    record_add(append, &key_out, &value_out);
    mr_writer_deinit(&value_out);
}

void broker_append_forget(struct broker_append *append, struct mr_str topic, int32_t partition)
{
    struct mr_writer key_out = { 0 };

    (void)change_add(append, topic, partition);
    broker_offset_key_write(&key_out, append->group_id, topic, partition);
    record_add(append, &key_out, NULL);
}

void broker_append_group(struct broker_append *append, const struct broker_group *group)
{
    struct mr_writer key_out = { 0 }, value_out = { 0 };

    broker_group_key_write(&key_out, group->id);
    broker_group_value_write(&value_out, group);
    record_add(append, &key_out, &value_out);
    mr_writer_deinit(&value_out);
}

void broker_append_drop(struct broker_append *append, struct broker_group *group)
{
    struct mr_writer key_out = { 0 };

    broker_group_kill(group);
    append->drops_group = true;
    broker_group_key_write(&key_out, group->id);
    record_add(append, &key_out, NULL);
}

/* ---- when it is done ---- */

static void change_apply(const struct broker_append *append, struct broker_group *group,
                         const struct append_change *change, int error)
{
    if (error != KAFKA_ERROR_NONE)
        broker_offsets_fail(group->offsets, change->topic, change->partition, append->sequence);
    else if (change->is_commit)
        broker_offsets_set(group->offsets, change->topic, change->partition, append->sequence, &change->value);
    else
        broker_offsets_unset(group->offsets, change->topic, change->partition, append->sequence);
}

/* Carries it out, tells, frees. */
static void append_end(struct broker_append *append, int error)
{
    struct broker_groups *groups = append->groups;
    struct broker_group *group = groups != NULL ? broker_groups_find(groups, append->group_id) : NULL;

    if (group != NULL) {
        for (const struct append_change *change = append->changes; change != NULL; change = change->next)
            change_apply(append, group, change, error);
        if (append->drops_group && error == KAFKA_ERROR_NONE) {
            broker_groups_drop(groups, group);
            group = NULL;
        } else if (append->drops_group) {
            broker_group_revive(group);
        }
    }
    if (group != NULL && append->ticket != 0)
        broker_group_stored(group, append->ticket, error);
    if (append->on_done != NULL)
        append->on_done(append->arg, group, error);
    if (group != NULL)
        broker_groups_touched(groups, group);
    broker_append_free(append);
}

static void append_synced(void *arg, enum mr_status status, const struct mr_err *err)
{
    struct broker_append *append = arg;

    if (status != MR_OK)
        mr_log(MR_LOG_ERROR, "broker", "a change of a consumer group did not reach the disk: %s", err->text);
    if (append->groups != NULL) {
        if (append->previous != NULL)
            append->previous->next = append->next;
        else
            append->groups->in_flight = append->next;
        if (append->next != NULL)
            append->next->previous = append->previous;
    }
    append_end(append, status == MR_OK ? KAFKA_ERROR_NONE : KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
}

/* ---- the topic ---- */

static void topic_made(void *arg, enum mr_status status, struct log_topic *topic, const struct mr_err *err)
{
    struct broker_topic_wait *wait = arg;
    struct broker_groups *groups = wait->groups;

    MR_UNUSED(topic);
    mr_free(wait);
    if (groups == NULL)
        return;
    groups->topic_wait = NULL;
    if (status != MR_OK)
        mr_log(MR_LOG_ERROR, "broker", "can't make topic " BROKER_OFFSETS_TOPIC ": %s", err->text);
    queue_run(groups); /* a failure is found again there, and told */
}

void broker_groups_topic_make(struct broker_groups *groups)
{
    static const struct log_config configs[] = {
        { "cleanup.policy", "compact" },
        { "compression.type", "producer" },
        { "segment.bytes", "104857600" },
    };
    struct mr_str name = MR_STR(BROKER_OFFSETS_TOPIC);
    struct log *log = groups->broker->log;
    struct mr_err err = MR_ERR_INIT;

    if (groups->topic_wait != NULL || log_topic_find(log, name) != NULL || log_topic_pending(log, name))
        return;
    groups->topic_wait = MR_NEW(struct broker_topic_wait);
    groups->topic_wait->groups = groups;
    if (log_topic_create(log, name, BROKER_OFFSETS_PARTITIONS, configs, MR_COUNT(configs), topic_made,
                         groups->topic_wait, &err) == MR_OK)
        return;
    mr_log(MR_LOG_ERROR, "broker", "can't make topic " BROKER_OFFSETS_TOPIC ": %s", err.text);
    mr_free(groups->topic_wait);
    groups->topic_wait = NULL;
}

/* As Kafka's hashCode of a string, so that tools find a group's partition (for ASCII ids). */
static int32_t partition_of(struct mr_str id, int32_t count)
{
    uint32_t hash = 0;

    for (size_t i = 0; i < id.size; i++)
        hash = hash * 31 + (uint8_t)id.data[i];
    return (int32_t)((hash & INT32_MAX) % (uint32_t)count);
}

/* ---- the queue ---- */

static void store_timer_run(void *arg)
{
    struct broker_groups *groups = arg;
    struct broker_append *failed = groups->failed;

    net_timer_free(groups->store_timer);
    groups->store_timer = NULL;
    groups->failed = NULL;
    while (failed != NULL) {
        struct broker_append *next = failed->next;

        append_end(failed, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
        failed = next;
    }
    queue_run(groups);
}

static void store_timer_set(struct broker_groups *groups, int64_t delay_ms)
{
    if (groups->store_timer == NULL)
        groups->store_timer = net_timer_new(groups->broker->loop, delay_ms, 0, store_timer_run, groups);
    else if (delay_ms == 0)
        net_timer_restart(groups->store_timer, 0);
}

static void append_fail(struct broker_groups *groups, struct broker_append *append)
{
    struct broker_append **end = &groups->failed;

    while (*end != NULL)
        end = &(*end)->next;
    append->next = NULL;
    *end = append;
    store_timer_set(groups, 0);
}

/* Gives one to the log.  MR_LIMIT: not now. */
static enum mr_status append_write(struct broker_groups *groups, struct broker_append *append, struct log_topic *topic)
{
    int32_t index = partition_of(append->group_id, log_topic_partition_count(topic));
    struct log_append_result result;
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = MR_OK;

    if (append->batch.size == 0)
        status = kafka_builder_finish(&append->records, KAFKA_CODEC_NONE, &append->batch, &err);
    if (status == MR_OK)
        status = log_append(log_topic_partition(topic, index), mr_writer_bytes(&append->batch), &result, append_synced,
                            append, &err);
    if (status == MR_OK) {
        append->previous = NULL;
        append->next = groups->in_flight;
        if (append->next != NULL)
            append->next->previous = append;
        groups->in_flight = append;
    } else if (status != MR_LIMIT) {
        mr_log(MR_LOG_ERROR, "broker", "can't store a change of a consumer group: %s", err.text);
    }
    return status;
}

static void queue_run(struct broker_groups *groups)
{
    struct mr_str name = MR_STR(BROKER_OFFSETS_TOPIC);
    struct log_topic *topic = log_topic_find(groups->broker->log, name);

    while (groups->queue != NULL) {
        struct broker_append *append = groups->queue;
        struct broker_append *next = append->next;

        if (topic == NULL) {
            broker_groups_topic_make(groups);
            if (groups->topic_wait != NULL)
                return;
            if (log_topic_pending(groups->broker->log, name)) { /* a client makes it */
                store_timer_set(groups, RETRY_MS);
                return;
            }
            append_fail(groups, append);
        } else {
            enum mr_status status = append_write(groups, append, topic);

            if (status == MR_LIMIT) {
                store_timer_set(groups, RETRY_MS);
                return;
            }
            if (status != MR_OK)
                append_fail(groups, append);
        }
        groups->queue = next;
        if (next == NULL)
            groups->queue_end = &groups->queue;
    }
}

void broker_append_submit(struct broker_append *append, broker_append_fn *on_done, void *arg)
{
    struct broker_groups *groups = append->groups;
    bool is_first = groups->queue == NULL;

    assert(append->count > 0);
    append->on_done = on_done;
    append->arg = arg;
    append->next = NULL;
    *groups->queue_end = append;
    groups->queue_end = &append->next;
    if (is_first)
        queue_run(groups);
}

void broker_groups_store(void *arg, struct broker_group *group, int64_t ticket)
{
    struct broker_append *append = broker_append_new(arg, group);

    broker_append_group(append, group);
    append->ticket = ticket;
    broker_append_submit(append, NULL, NULL);
}

void broker_groups_store_close(struct broker_groups *groups)
{
    struct broker_append *lists[] = { groups->queue, groups->failed };

    net_timer_free(groups->store_timer);
    if (groups->topic_wait != NULL)
        groups->topic_wait->groups = NULL;
    for (struct broker_append *append = groups->in_flight; append != NULL; append = append->next)
        append->groups = NULL;
    for (size_t i = 0; i < MR_COUNT(lists); i++)
        while (lists[i] != NULL) {
            struct broker_append *next = lists[i]->next;

            lists[i]->groups = NULL;
            append_end(lists[i], KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
            lists[i] = next;
        }
}

/* topics.c -- finding topics and judging their names. */
#include "broker/broker_int.h"

#include "base/map.h"

#include <string.h>

struct log_partition *broker_partition_find(struct broker *broker, struct mr_str topic, int32_t index, int *error)
{
    struct log_topic *found = log_topic_find(broker->log, topic);
    struct log_partition *partition = found != NULL ? log_topic_partition(found, index) : NULL;

    *error = partition != NULL ? KAFKA_ERROR_NONE : KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    return partition;
}

int broker_epoch_check(const struct broker *broker, int32_t leader_epoch)
{
    int32_t current = log_leader_epoch(broker->log);

    if (leader_epoch == -1 || leader_epoch == current)
        return KAFKA_ERROR_NONE;
    return leader_epoch < current ? KAFKA_ERROR_FENCED_LEADER_EPOCH : KAFKA_ERROR_UNKNOWN_LEADER_EPOCH;
}

int broker_topic_name_check(struct broker *broker, struct mr_str name, struct mr_err *err)
{
    if (kafka_topic_name_check(name, err) != MR_OK)
        return KAFKA_ERROR_INVALID_TOPIC_EXCEPTION;
    if (log_topic_find(broker->log, name) != NULL || log_topic_pending(broker->log, name)) {
        (void)mr_err_set(err, MR_EXISTS, "Topic '%.*s' already exists.", MR_STR_ARG(name));
        return KAFKA_ERROR_TOPIC_ALREADY_EXISTS;
    }
    if (memchr(name.data, '.', name.size) == NULL && memchr(name.data, '_', name.size) == NULL)
        return KAFKA_ERROR_NONE;
    for (struct log_topic *t = log_topic_next(broker->log, NULL); t != NULL; t = log_topic_next(broker->log, t)) {
        if (!kafka_topic_names_collide(name, mr_str_of(log_topic_name(t))))
            continue;
        (void)mr_err_set(err, MR_INVALID, "Topic '%.*s' collides with existing topic: %s", MR_STR_ARG(name),
                         log_topic_name(t));
        return KAFKA_ERROR_INVALID_TOPIC_EXCEPTION;
    }
    return KAFKA_ERROR_NONE;
}

void broker_keys_group(const struct mr_bytes *keys, size_t count, size_t *first, size_t *same)
{
    struct mr_map *map = mr_map_new();

    for (size_t i = 0; i < count; i++) {
        void *before = mr_map_get(map, keys[i]);

        first[i] = before != NULL ? (uintptr_t)before - 1 : i;
        same[i] = 0;
        same[first[i]]++;
        if (before == NULL)
            mr_map_put(map, keys[i], (void *)(uintptr_t)(i + 1)); /* an index as a pointer: NULL is absent */
    }
    mr_map_free(map);
}

bool broker_topic_is_internal(struct mr_str name)
{
    return mr_str_equal(name, MR_STR("__consumer_offsets")) || mr_str_equal(name, MR_STR("__transaction_state"));
}

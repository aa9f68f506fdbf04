/* handle_offset_commit.c -- stores offsets of a group; answers when they are on disk.
 *
 * From version 10 on topics are named by their ids. */
#include "broker/group_coordinator_int.h"

#include <string.h>

enum { VERSION_TOPIC_IDS = 10 };

static struct log_topic *topic_find(const struct broker_request *request,
                                    const struct kafka_offset_commit_request_topic *in, int *error)
{
    struct log *log = request->broker->log;
    bool by_id = request->header.api_version >= VERSION_TOPIC_IDS;
    struct log_topic *topic = by_id ? log_topic_find_id(log, in->topic_id.bytes) : log_topic_find(log, in->name);

    *error = by_id ? KAFKA_ERROR_UNKNOWN_TOPIC_ID : KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    return topic;
}

/* Sets the error of every partition that has none yet. */
static void all_refuse(struct broker_request *request, int error)
{
    struct kafka_offset_commit_response *out = request->response;

    for (int32_t i = 0; i < out->topics_count; i++)
        for (int32_t j = 0; j < out->topics[i].partitions_count; j++)
            if (out->topics[i].partitions[j].error_code == KAFKA_ERROR_NONE)
                out->topics[i].partitions[j].error_code = (int16_t)error;
}

static void answer_shape(struct broker_request *request)
{
    const struct kafka_offset_commit_request *in = request->request;
    struct kafka_offset_commit_response *out = request->response;

    out->topics_count = in->topics_count;
    out->topics = MR_ARENA_ARRAY(request->arena, struct kafka_offset_commit_response_topic, (size_t)in->topics_count);
    for (int32_t i = 0; i < in->topics_count; i++) {
        struct kafka_offset_commit_response_topic *topic = &out->topics[i];

        topic->name = in->topics[i].name;
        topic->topic_id = in->topics[i].topic_id;
        topic->partitions_count = in->topics[i].partitions_count;
        topic->partitions = MR_ARENA_ARRAY(request->arena, struct kafka_offset_commit_response_partition,
                                           (size_t)topic->partitions_count);
        for (int32_t j = 0; j < topic->partitions_count; j++)
            topic->partitions[j].partition_index = in->topics[i].partitions[j].partition_index;
    }
}

static void commit_stored(void *arg, struct broker_group *group, int error)
{
    struct broker_request *request = arg;

    MR_UNUSED(group);
    if (!request->is_abandoned) {
        if (error != KAFKA_ERROR_NONE)
            all_refuse(request, error);
        broker_request_done(request);
    }
    broker_request_unref(request);
}

static int partition_commit(struct broker_request *request, struct broker_append *append, struct broker_group *group,
                            struct log_topic *topic, const struct kafka_offset_commit_request_partition *in)
{
    const struct kafka_offset_commit_request *whole = request->request;
    struct mr_str name = mr_str_of(log_topic_name(topic));
    int64_t now_ms = mr_now_ms(request->broker->env);
    struct broker_offset_value value = {
        .offset = in->committed_offset,
        .leader_epoch = in->committed_leader_epoch,
        .metadata = in->committed_metadata.data != NULL ? in->committed_metadata : MR_STR(""),
        .commit_ms = now_ms,
        .expire_ms = whole->retention_time_ms >= 0 && whole->retention_time_ms < INT64_MAX - now_ms
                         ? now_ms + whole->retention_time_ms
                         : -1,
    };

    if (log_topic_partition(topic, in->partition_index) == NULL)
        return KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    if (value.metadata.size > BROKER_OFFSET_METADATA_MAX)
        return KAFKA_ERROR_OFFSET_METADATA_TOO_LARGE;
    if (broker_offsets_find(group->offsets, name, in->partition_index) == NULL &&
        (broker_offsets_count(group->offsets) >= BROKER_OFFSETS_MAX ||
         request->broker->groups->rules.bytes >= BROKER_GROUPS_BYTES_MAX))
        return KAFKA_ERROR_INVALID_COMMIT_OFFSET_SIZE;
    memcpy(value.topic_id, log_topic_id(topic), sizeof(value.topic_id));
    broker_append_commit(append, name, in->partition_index, &value);
    return KAFKA_ERROR_NONE;
}

static void group_commit(struct broker_request *request, struct broker_group *group)
{
    const struct kafka_offset_commit_request *in = request->request;
    struct kafka_offset_commit_response *out = request->response;
    struct broker_append *append = broker_append_new(request->broker->groups, group);

    for (int32_t i = 0; i < in->topics_count; i++) {
        int error;
        struct log_topic *topic = topic_find(request, &in->topics[i], &error);

        for (int32_t j = 0; j < in->topics[i].partitions_count; j++) {
            if (topic != NULL)
                error = partition_commit(request, append, group, topic, &in->topics[i].partitions[j]);
            out->topics[i].partitions[j].error_code = (int16_t)error;
        }
    }
    if (broker_append_count(append) > 0) {
        broker_request_ref(request);
        broker_append_submit(append, commit_stored, request);
    } else {
        broker_append_free(append);
        broker_request_done(request);
    }
}

/* The group that may commit, made for a client that is in none; NULL and *ERROR. */
static struct broker_group *group_find(struct broker_request *request, int *error)
{
    const struct kafka_offset_commit_request *in = request->request;
    struct broker_groups *groups = request->broker->groups;
    struct broker_group *group = broker_groups_find(groups, in->group_id);

    *error = broker_groups_check(groups);
    if (*error != KAFKA_ERROR_NONE)
        return NULL;
    if (group == NULL && in->generation_id_or_member_epoch >= 0) {
        *error = KAFKA_ERROR_ILLEGAL_GENERATION;
        return NULL;
    }
    if (group == NULL) {
        group = broker_groups_make(groups, in->group_id);
        *error = group == NULL ? KAFKA_ERROR_INVALID_COMMIT_OFFSET_SIZE : KAFKA_ERROR_NONE;
        return group;
    }
    *error = broker_group_commit_check(group, in->member_id, in->group_instance_id, in->generation_id_or_member_epoch);
    return *error == KAFKA_ERROR_NONE ? group : NULL;
}

void broker_handle_offset_commit(struct broker_request *request)
{
    int error;
    struct broker_group *group = group_find(request, &error);

    answer_shape(request);
    if (group == NULL) {
        all_refuse(request, error);
        broker_request_done(request);
        return;
    }
    group_commit(request, group);
    broker_groups_touched(request->broker->groups, group);
}

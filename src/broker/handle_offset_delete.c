/* handle_offset_delete.c -- deletes offsets of a group that nobody is using. */
#include "broker/group_coordinator_int.h"

static void delete_stored(void *arg, struct broker_group *group, int error)
{
    struct broker_request *request = arg;
    struct kafka_offset_delete_response *out = request->response;

    MR_UNUSED(group);
    if (!request->is_abandoned) {
        if (error != KAFKA_ERROR_NONE) {
            out->error_code = (int16_t)error;
            out->topics_count = 0;
        }
        broker_request_done(request);
    }
    broker_request_unref(request);
}

/* A group of consumers may lose the offsets of topics that none of its members wants; any other must be empty. */
static int group_check(const struct broker_groups *groups, const struct broker_group *group)
{
    int error = broker_groups_check(groups);

    if (error != KAFKA_ERROR_NONE)
        return error;
    if (group == NULL || group->state == BROKER_GROUP_DEAD)
        return KAFKA_ERROR_GROUP_ID_NOT_FOUND;
    if (group->state != BROKER_GROUP_EMPTY && !mr_str_equal(group->protocol_type, MR_STR("consumer")))
        return KAFKA_ERROR_NON_EMPTY_GROUP;
    return KAFKA_ERROR_NONE;
}

static int partition_delete(struct broker_request *request, struct broker_append *append, struct broker_group *group,
                            struct mr_str topic, int32_t partition)
{
    int error;

    if (broker_partition_find(request->broker, topic, partition, &error) == NULL)
        return error;
    if (group->member_count > 0 && broker_group_subscribes(group, topic))
        return KAFKA_ERROR_GROUP_SUBSCRIBED_TO_TOPIC;
    if (broker_offsets_find(group->offsets, topic, partition) != NULL)
        broker_append_forget(append, topic, partition);
    return KAFKA_ERROR_NONE;
}

static void group_delete(struct broker_request *request, struct broker_group *group)
{
    const struct kafka_offset_delete_request *in = request->request;
    struct kafka_offset_delete_response *out = request->response;
    struct broker_append *append = broker_append_new(request->broker->groups, group);

    out->topics_count = in->topics_count;
    out->topics = MR_ARENA_ARRAY(request->arena, struct kafka_offset_delete_response_topic, (size_t)in->topics_count);
    for (int32_t i = 0; i < in->topics_count; i++) {
        struct kafka_offset_delete_response_topic *topic = &out->topics[i];

        topic->name = in->topics[i].name;
        topic->partitions_count = in->topics[i].partitions_count;
        topic->partitions = MR_ARENA_ARRAY(request->arena, struct kafka_offset_delete_response_partition,
                                           (size_t)topic->partitions_count);
        for (int32_t j = 0; j < topic->partitions_count; j++) {
            int32_t index = in->topics[i].partitions[j].partition_index;

            topic->partitions[j].partition_index = index;
            topic->partitions[j].error_code =
                (int16_t)partition_delete(request, append, group, in->topics[i].name, index);
        }
    }
    if (broker_append_count(append) > 0) {
        broker_request_ref(request);
        broker_append_submit(append, delete_stored, request);
    } else {
        broker_append_free(append);
        broker_request_done(request);
    }
}

void broker_handle_offset_delete(struct broker_request *request)
{
    const struct kafka_offset_delete_request *in = request->request;
    struct kafka_offset_delete_response *out = request->response;
    struct broker_group *group = broker_groups_find(request->broker->groups, in->group_id);

    out->error_code = (int16_t)group_check(request->broker->groups, group);
    if (out->error_code != KAFKA_ERROR_NONE)
        broker_request_done(request);
    else
        group_delete(request, group);
}

/* handle_offset_fetch.c -- what groups have committed, as far as it is on disk; an offset of -1 is "nothing". */
#include "broker/group_coordinator_int.h"

#include <string.h>

enum {
    VERSION_GROUPS = 8,
    VERSION_TOPIC_IDS = 10,
};

static void partition_fill(struct broker_request *request, const struct broker_group *group, struct mr_str topic,
                           struct kafka_offset_fetch_response_group_partition *out)
{
    const struct broker_offset *offset =
        group != NULL ? broker_offsets_find(group->offsets, topic, out->partition_index) : NULL;

    out->committed_offset = -1;
    out->committed_leader_epoch = -1;
    out->metadata = MR_STR("");
    if (offset == NULL || !offset->is_set)
        return;
    out->committed_offset = offset->value.offset;
    out->committed_leader_epoch = offset->value.leader_epoch;
    out->metadata = mr_arena_str(request->arena, offset->value.metadata);
}

/* The asked partitions of one topic. */
static void topic_fill(struct broker_request *request, const struct broker_group *group,
                       const struct kafka_offset_fetch_request_group_topic *in,
                       struct kafka_offset_fetch_response_group_topic *out)
{
    struct mr_str name = in->name;
    int error = KAFKA_ERROR_NONE;

    if (request->header.api_version >= VERSION_TOPIC_IDS) {
        const struct log_topic *topic = log_topic_find_id(request->broker->log, in->topic_id.bytes);

        name = topic != NULL ? mr_str_of(log_topic_name(topic)) : MR_STR("");
        error = topic != NULL ? KAFKA_ERROR_NONE : KAFKA_ERROR_UNKNOWN_TOPIC_ID;
    }
    out->name = in->name;
    out->topic_id = in->topic_id;
    out->partitions_count = in->partition_indexes_count;
    out->partitions = MR_ARENA_ARRAY(request->arena, struct kafka_offset_fetch_response_group_partition,
                                     (size_t)in->partition_indexes_count);
    for (int32_t i = 0; i < in->partition_indexes_count; i++) {
        out->partitions[i].partition_index = in->partition_indexes[i];
        partition_fill(request, error == KAFKA_ERROR_NONE ? group : NULL, name, &out->partitions[i]);
        out->partitions[i].error_code = (int16_t)error;
    }
}

/* COUNT offsets of one topic. */
static void run_fill(struct broker_request *request, struct broker_offset *const *offsets, size_t count,
                     struct kafka_offset_fetch_response_group_topic *out)
{
    out->name = mr_arena_str(request->arena, offsets[0]->topic);
    memcpy(out->topic_id.bytes, offsets[0]->value.topic_id, sizeof(out->topic_id.bytes));
    out->partitions_count = (int32_t)count;
    out->partitions = MR_ARENA_ARRAY(request->arena, struct kafka_offset_fetch_response_group_partition, count);
    for (size_t i = 0; i < count; i++)
        out->partitions[i] = (struct kafka_offset_fetch_response_group_partition){
            .partition_index = offsets[i]->partition,
            .committed_offset = offsets[i]->value.offset,
            .committed_leader_epoch = offsets[i]->value.leader_epoch,
            .metadata = mr_arena_str(request->arena, offsets[i]->value.metadata),
        };
}

/* Everything the group has committed. */
static void all_fill(struct broker_request *request, const struct broker_group *group,
                     struct kafka_offset_fetch_response_group *out)
{
    size_t count = 0, set = 0, end;
    struct broker_offset **offsets = NULL;

    if (group != NULL)
        offsets = broker_offsets_sorted(group->offsets, request->arena, &count);
    for (size_t i = 0; i < count; i++)
        if (offsets[i]->is_set)
            offsets[set++] = offsets[i];
    out->topics = MR_ARENA_ARRAY(request->arena, struct kafka_offset_fetch_response_group_topic, set);
    for (size_t i = 0; i < set; i = end) {
        for (end = i + 1; end < set && mr_str_equal(offsets[end]->topic, offsets[i]->topic);)
            end++;
        run_fill(request, offsets + i, end - i, &out->topics[out->topics_count++]);
    }
}

static void group_fill(struct broker_request *request, const struct kafka_offset_fetch_request_group *in,
                       struct kafka_offset_fetch_response_group *out)
{
    struct broker_groups *groups = request->broker->groups;
    const struct broker_group *group = broker_groups_find(groups, in->group_id);

    out->group_id = in->group_id;
    out->error_code = (int16_t)broker_groups_check(groups);
    if (out->error_code != KAFKA_ERROR_NONE)
        return;
    if (in->topics_count < 0) {
        all_fill(request, group, out);
        return;
    }
    out->topics_count = in->topics_count;
    out->topics =
        MR_ARENA_ARRAY(request->arena, struct kafka_offset_fetch_response_group_topic, (size_t)in->topics_count);
    for (int32_t i = 0; i < in->topics_count; i++)
        topic_fill(request, group, &in->topics[i], &out->topics[i]);
}

/* ---- up to version 7 there is one group, and its answer is not in a list ---- */

static struct kafka_offset_fetch_request_group *one_group(struct broker_request *request)
{
    const struct kafka_offset_fetch_request *in = request->request;
    struct kafka_offset_fetch_request_group *group =
        MR_ARENA_NEW(request->arena, struct kafka_offset_fetch_request_group);

    group->group_id = in->group_id;
    group->topics_count = in->topics_count;
    if (in->topics_count > 0)
        group->topics =
            MR_ARENA_ARRAY(request->arena, struct kafka_offset_fetch_request_group_topic, (size_t)in->topics_count);
    for (int32_t i = 0; i < in->topics_count; i++) {
        group->topics[i].name = in->topics[i].name;
        group->topics[i].partition_indexes = in->topics[i].partition_indexes;
        group->topics[i].partition_indexes_count = in->topics[i].partition_indexes_count;
    }
    return group;
}

/* Before version 2 an error has its place at the partitions only. */
static void one_error_spread(const struct kafka_offset_fetch_request *in, struct mr_arena *arena,
                             struct kafka_offset_fetch_response_group *out)
{
    out->topics_count = in->topics_count;
    out->topics = MR_ARENA_ARRAY(arena, struct kafka_offset_fetch_response_group_topic, (size_t)in->topics_count);
    for (int32_t i = 0; i < in->topics_count; i++) {
        struct kafka_offset_fetch_response_group_topic *topic = &out->topics[i];

        topic->name = in->topics[i].name;
        topic->partitions_count = in->topics[i].partition_indexes_count;
        topic->partitions =
            MR_ARENA_ARRAY(arena, struct kafka_offset_fetch_response_group_partition, (size_t)topic->partitions_count);
        for (int32_t j = 0; j < topic->partitions_count; j++)
            topic->partitions[j] = (struct kafka_offset_fetch_response_group_partition){
                .partition_index = in->topics[i].partition_indexes[j],
                .committed_offset = -1,
                .committed_leader_epoch = -1,
                .metadata = MR_STR(""),
                .error_code = out->error_code,
            };
    }
}

static void one_answer(struct broker_request *request, const struct kafka_offset_fetch_response_group *group)
{
    struct kafka_offset_fetch_response *out = request->response;

    out->error_code = group->error_code;
    out->topics_count = group->topics_count;
    out->topics = MR_ARENA_ARRAY(request->arena, struct kafka_offset_fetch_response_topic, (size_t)group->topics_count);
    for (int32_t i = 0; i < group->topics_count; i++) {
        const struct kafka_offset_fetch_response_group_topic *topic = &group->topics[i];

        out->topics[i].name = topic->name;
        out->topics[i].partitions_count = topic->partitions_count;
        out->topics[i].partitions = MR_ARENA_ARRAY(request->arena, struct kafka_offset_fetch_response_partition,
                                                   (size_t)topic->partitions_count);
        for (int32_t j = 0; j < topic->partitions_count; j++)
            out->topics[i].partitions[j] = (struct kafka_offset_fetch_response_partition){
                .partition_index = topic->partitions[j].partition_index,
                .committed_offset = topic->partitions[j].committed_offset,
                .committed_leader_epoch = topic->partitions[j].committed_leader_epoch,
                .metadata = topic->partitions[j].metadata,
                .error_code = topic->partitions[j].error_code,
            };
    }
}

void broker_handle_offset_fetch(struct broker_request *request)
{
    const struct kafka_offset_fetch_request *in = request->request;
    struct kafka_offset_fetch_response *out = request->response;

    if (request->header.api_version < VERSION_GROUPS) {
        struct kafka_offset_fetch_response_group group = { 0 };

        group_fill(request, one_group(request), &group);
        if (group.error_code != KAFKA_ERROR_NONE && in->topics_count > 0)
            one_error_spread(in, request->arena, &group);
        one_answer(request, &group);
    } else {
        out->groups_count = in->groups_count;
        out->groups =
            MR_ARENA_ARRAY(request->arena, struct kafka_offset_fetch_response_group, (size_t)in->groups_count);
        for (int32_t i = 0; i < in->groups_count; i++)
            group_fill(request, &in->groups[i], &out->groups[i]);
    }
    broker_request_done(request);
}

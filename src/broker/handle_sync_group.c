/* handle_sync_group.c -- the leader gives the assignments, every member gets its own once they are stored. */
#include "broker/group_coordinator_int.h"

void broker_sync_group_answer(void *waiter, const struct broker_synced *answer)
{
    struct broker_request *request = waiter;
    struct kafka_sync_group_response *out = request->response;

    out->error_code = (int16_t)answer->error;
    out->protocol_type = answer->protocol_type;
    out->protocol_name = answer->protocol;
    out->assignment = answer->assignment;
    broker_request_done(request);
}

static void sync_refuse(struct broker_request *request, int error)
{
    struct broker_synced answer = { .error = error };

    broker_sync_group_answer(request, &answer);
}

static void sync_abandon(struct broker_request *request)
{
    const struct kafka_sync_group_request *in = request->request;
    struct broker_group *group = broker_groups_find(request->broker->groups, in->group_id);

    if (group != NULL)
        broker_group_waiter_gone(group, request);
}

static void group_sync(struct broker_request *request, struct broker_group *group)
{
    const struct kafka_sync_group_request *in = request->request;
    struct broker_assignment *assignments =
        MR_ARENA_ARRAY(request->arena, struct broker_assignment, (size_t)in->assignments_count);
    struct broker_sync sync = {
        .member_id = in->member_id,
        .instance_id = in->group_instance_id,
        .generation = in->generation_id,
        .protocol_type = in->protocol_type,
        .protocol = in->protocol_name,
        .assignments = assignments,
        .assignment_count = (size_t)in->assignments_count,
        .waiter = request,
    };

    for (int32_t i = 0; i < in->assignments_count; i++)
        assignments[i] = (struct broker_assignment){ in->assignments[i].member_id, in->assignments[i].assignment };
    request->on_abandon = sync_abandon;
    broker_group_sync(group, &sync);
    broker_groups_touched(request->broker->groups, group);
}

void broker_handle_sync_group(struct broker_request *request)
{
    const struct kafka_sync_group_request *in = request->request;
    struct broker_group *group = broker_groups_find(request->broker->groups, in->group_id);
    int error = broker_groups_check(request->broker->groups);

    if (error == KAFKA_ERROR_NONE && in->group_id.size == 0)
        error = KAFKA_ERROR_INVALID_GROUP_ID;
    if (error == KAFKA_ERROR_NONE && group == NULL)
        error = KAFKA_ERROR_UNKNOWN_MEMBER_ID;
    if (error != KAFKA_ERROR_NONE)
        sync_refuse(request, error);
    else
        group_sync(request, group);
}

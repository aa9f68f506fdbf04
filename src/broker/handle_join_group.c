/* handle_join_group.c -- a member joins its group; the answer waits until the rebalance is over. */
#include "broker/group_coordinator_int.h"

enum {
    VERSION_REBALANCE_TIMEOUT = 1,
    VERSION_ID_REQUIRED = 4,
    VERSION_NULL_NAME = 7,
    VERSION_SKIP = 9,
};

static void members_fill(struct broker_request *request, const struct broker_group *group)
{
    struct kafka_join_group_response *out = request->response;

    out->members_count = (int32_t)group->member_count;
    out->members = MR_ARENA_ARRAY(request->arena, struct kafka_join_group_response_member, group->member_count);
    for (size_t i = 0; i < group->member_count; i++) {
        const struct broker_member *member = group->members[i];

        out->members[i] = (struct kafka_join_group_response_member){
            .member_id = member->id, /* the answer is written before the group can change */
            .group_instance_id = member->instance_id,
            .metadata = broker_group_metadata(group, member),
        };
    }
}

void broker_join_group_answer(void *waiter, const struct broker_joined *answer)
{
    struct broker_request *request = waiter;
    struct kafka_join_group_response *out = request->response;

    out->error_code = (int16_t)answer->error;
    out->generation_id = answer->generation;
    out->protocol_type = answer->protocol_type;
    out->protocol_name = answer->protocol;
    if (out->protocol_name.data == NULL && request->header.api_version < VERSION_NULL_NAME)
        out->protocol_name = MR_STR("");
    out->leader = answer->leader;
    out->member_id = answer->member_id;
    out->skip_assignment = answer->skip_assignment;
    if (answer->members_of != NULL)
        members_fill(request, answer->members_of);
    broker_request_done(request);
}

static void join_refuse(struct broker_request *request, int error)
{
    const struct kafka_join_group_request *in = request->request;
    struct broker_joined answer = {
        .error = error, .generation = -1, .leader = MR_STR(""), .member_id = in->member_id
    };

    broker_join_group_answer(request, &answer);
}

static void join_abandon(struct broker_request *request)
{
    const struct kafka_join_group_request *in = request->request;
    struct broker_groups *groups = request->broker->groups;
    struct broker_group *group = broker_groups_find(groups, in->group_id);

    if (group == NULL)
        return;
    broker_group_waiter_gone(group, request);
    broker_groups_touched(groups, group);
}

static struct broker_protocol *protocols_of(struct broker_request *request)
{
    const struct kafka_join_group_request *in = request->request;
    struct broker_protocol *protocols =
        MR_ARENA_ARRAY(request->arena, struct broker_protocol, (size_t)in->protocols_count);

    for (int32_t i = 0; i < in->protocols_count; i++)
        protocols[i] = (struct broker_protocol){ in->protocols[i].name, in->protocols[i].metadata };
    return protocols;
}

static void group_join(struct broker_request *request, struct broker_group *group)
{
    const struct kafka_join_group_request *in = request->request;
    int version = request->header.api_version;
    struct broker_join join = {
        .member_id = in->member_id,
        .instance_id = in->group_instance_id,
        .client_id = request->header.client_id,
        .client_host = mr_str_of(mr_arena_printf(request->arena, "/%.*s", MR_STR_ARG(request->peer_host))),
        .protocol_type = in->protocol_type,
        .session_timeout_ms = in->session_timeout_ms,
        .rebalance_timeout_ms =
            version >= VERSION_REBALANCE_TIMEOUT ? in->rebalance_timeout_ms : in->session_timeout_ms,
        .protocols = protocols_of(request),
        .protocol_count = (size_t)in->protocols_count,
        .needs_id = version >= VERSION_ID_REQUIRED,
        .can_skip = version >= VERSION_SKIP,
        .waiter = request,
    };

    request->on_abandon = join_abandon;
    broker_group_join(group, &join);
    broker_groups_touched(request->broker->groups, group);
}

void broker_handle_join_group(struct broker_request *request)
{
    const struct kafka_join_group_request *in = request->request;
    struct broker_groups *groups = request->broker->groups;
    struct broker_group *group = broker_groups_find(groups, in->group_id);
    int error = broker_groups_check(groups);

    if (error == KAFKA_ERROR_NONE && in->group_id.size == 0)
        error = KAFKA_ERROR_INVALID_GROUP_ID;
    else if (error == KAFKA_ERROR_NONE && (in->session_timeout_ms < groups->rules.session_min_ms ||
                                           in->session_timeout_ms > groups->rules.session_max_ms))
        error = KAFKA_ERROR_INVALID_SESSION_TIMEOUT;
    else if (error == KAFKA_ERROR_NONE && group == NULL && in->member_id.size > 0)
        error = KAFKA_ERROR_UNKNOWN_MEMBER_ID;
    if (error == KAFKA_ERROR_NONE && group == NULL) {
        group = broker_groups_make(groups, in->group_id);
        error = group == NULL ? KAFKA_ERROR_GROUP_MAX_SIZE_REACHED : KAFKA_ERROR_NONE;
    }
    if (error != KAFKA_ERROR_NONE)
        join_refuse(request, error);
    else
        group_join(request, group);
}

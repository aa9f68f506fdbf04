/* handle_describe_groups.c -- groups with their members, and what each is assigned. */
#include "broker/group_coordinator_int.h"

enum {
    VERSION_NOT_FOUND = 6,    /* before: a group that is not there is dead */
    GROUP_OPERATIONS = 0x148, /* read, delete, describe */
};

static void members_fill(struct broker_request *request, const struct broker_group *group,
                         struct kafka_describe_groups_response_group *out)
{
    bool is_stable = group->state == BROKER_GROUP_STABLE;

    out->members_count = (int32_t)group->member_count;
    out->members = MR_ARENA_ARRAY(request->arena, struct kafka_describe_groups_response_member, group->member_count);
    for (size_t i = 0; i < group->member_count; i++) {
        const struct broker_member *member = group->members[i];

        out->members[i] = (struct kafka_describe_groups_response_member){
            .member_id = member->id, /* the answer is written before the group can change */
            .group_instance_id = member->instance_id,
            .client_id = member->client_id,
            .client_host = member->client_host,
        };
        if (!is_stable)
            continue;
        out->members[i].member_metadata = broker_group_metadata(group, member);
        out->members[i].member_assignment = member->assignment;
    }
}

static void group_fill(struct broker_request *request, struct mr_str id,
                       struct kafka_describe_groups_response_group *out)
{
    const struct kafka_describe_groups_request *in = request->request;
    const struct broker_group *group = broker_groups_find(request->broker->groups, id);

    out->group_id = id;
    out->error_code = (int16_t)broker_groups_check(request->broker->groups);
    if (out->error_code != KAFKA_ERROR_NONE)
        return;
    if (group == NULL || group->state == BROKER_GROUP_DEAD) {
        out->group_state = mr_str_of(broker_group_state_name(BROKER_GROUP_DEAD));
        if (request->header.api_version >= VERSION_NOT_FOUND) {
            out->error_code = KAFKA_ERROR_GROUP_ID_NOT_FOUND;
            out->error_message = mr_str_of(mr_arena_printf(request->arena, "Group %.*s not found.", MR_STR_ARG(id)));
        }
        return;
    }
    out->group_state = mr_str_of(broker_group_state_name(group->state));
    out->protocol_type = group->protocol_type;
    if (group->state == BROKER_GROUP_STABLE)
        out->protocol_data = group->protocol;
    if (in->include_authorized_operations)
        out->authorized_operations = GROUP_OPERATIONS;
    members_fill(request, group, out);
}

void broker_handle_describe_groups(struct broker_request *request)
{
    const struct kafka_describe_groups_request *in = request->request;
    struct kafka_describe_groups_response *out = request->response;

    out->groups_count = in->groups_count;
    out->groups = MR_ARENA_ARRAY(request->arena, struct kafka_describe_groups_response_group, (size_t)in->groups_count);
    for (int32_t i = 0; i < in->groups_count; i++) {
        kafka_describe_groups_response_group_init(&out->groups[i]);
        group_fill(request, in->groups[i], &out->groups[i]);
    }
    broker_request_done(request);
}

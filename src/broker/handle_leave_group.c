/* handle_leave_group.c -- members leave: each for itself, or several named by an administrator. */
#include "broker/group_coordinator_int.h"

enum { VERSION_MEMBERS = 3 };

/* The last member may take the group with it. */
static int member_leave(struct broker_groups *groups, struct mr_str group_id, struct mr_str member_id,
                        struct mr_str instance_id)
{
    struct broker_group *group = broker_groups_find(groups, group_id);
    int error;

    if (group == NULL)
        return KAFKA_ERROR_UNKNOWN_MEMBER_ID;
    error = broker_group_leave(group, member_id, instance_id);
    broker_groups_touched(groups, group);
    return error;
}

void broker_handle_leave_group(struct broker_request *request)
{
    const struct kafka_leave_group_request *in = request->request;
    struct kafka_leave_group_response *out = request->response;
    struct broker_groups *groups = request->broker->groups;
    int error = broker_groups_check(groups);

    if (error == KAFKA_ERROR_NONE && in->group_id.size == 0)
        error = KAFKA_ERROR_INVALID_GROUP_ID;
    if (error == KAFKA_ERROR_NONE && request->header.api_version < VERSION_MEMBERS)
        error = member_leave(groups, in->group_id, in->member_id, MR_STR_NULL);
    out->error_code = (int16_t)error;
    if (error == KAFKA_ERROR_NONE && request->header.api_version >= VERSION_MEMBERS) {
        out->members_count = in->members_count;
        out->members =
            MR_ARENA_ARRAY(request->arena, struct kafka_leave_group_response_member, (size_t)in->members_count);
        for (int32_t i = 0; i < in->members_count; i++)
            out->members[i] = (struct kafka_leave_group_response_member){
                .member_id = in->members[i].member_id,
                .group_instance_id = in->members[i].group_instance_id,
                .error_code = (int16_t)member_leave(groups, in->group_id, in->members[i].member_id,
                                                    in->members[i].group_instance_id),
            };
    }
    broker_request_done(request);
}

/* handle_heartbeat.c -- a member says that it is there, and hears whether it has to join again. */
#include "broker/group_coordinator_int.h"

void broker_handle_heartbeat(struct broker_request *request)
{
    const struct kafka_heartbeat_request *in = request->request;
    struct kafka_heartbeat_response *out = request->response;
    struct broker_groups *groups = request->broker->groups;
    struct broker_group *group = broker_groups_find(groups, in->group_id);
    int error = broker_groups_check(groups);

    if (error == KAFKA_ERROR_NONE && in->group_id.size == 0)
        error = KAFKA_ERROR_INVALID_GROUP_ID;
    if (error == KAFKA_ERROR_NONE && group == NULL)
        error = KAFKA_ERROR_UNKNOWN_MEMBER_ID;
    if (error == KAFKA_ERROR_NONE) {
        error = broker_group_heartbeat(group, in->member_id, in->group_instance_id, in->generation_id);
        broker_groups_touched(groups, group);
    }
    out->error_code = (int16_t)error;
    broker_request_done(request);
}

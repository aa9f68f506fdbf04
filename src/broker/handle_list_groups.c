/* handle_list_groups.c -- all groups, or those in some states or of some types. */
#include "broker/group_coordinator_int.h"

/* An empty list lets everything through. */
static bool is_wanted(const struct mr_str *wanted, int32_t count, struct mr_str is)
{
    for (int32_t i = 0; i < count; i++)
        if (mr_str_equal_nocase(wanted[i], is))
            return true;
    return count <= 0;
}

void broker_handle_list_groups(struct broker_request *request)
{
    const struct kafka_list_groups_request *in = request->request;
    struct kafka_list_groups_response *out = request->response;
    const struct broker_groups *groups = request->broker->groups;
    struct mr_str type = MR_STR("classic");
    size_t count;
    struct broker_group **all = broker_groups_sorted(groups, request->arena, &count);

    out->error_code = (int16_t)broker_groups_check(groups);
    if (out->error_code != KAFKA_ERROR_NONE || !is_wanted(in->types_filter, in->types_filter_count, type))
        count = 0;
    out->groups = MR_ARENA_ARRAY(request->arena, struct kafka_list_groups_response_group, count);
    for (size_t i = 0; i < count; i++) {
        struct mr_str state = mr_str_of(broker_group_state_name(all[i]->state));

        if (!is_wanted(in->states_filter, in->states_filter_count, state))
            continue;
        out->groups[out->groups_count++] = (struct kafka_list_groups_response_group){
            .group_id = all[i]->id, /* the answer is written before the group can change */
            .protocol_type = all[i]->protocol_type,
            .group_state = state,
            .group_type = type,
        };
    }
    broker_request_done(request);
}

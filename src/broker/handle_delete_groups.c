/* handle_delete_groups.c -- deletes groups without members, and all that they have committed; answers when it is on
 * disk. */
#include "broker/group_coordinator_int.h"

struct delete_groups {
    struct broker_request *request;
    int32_t waiting;
    bool all_given;
};

struct delete_group {
    struct delete_groups *all;
    struct kafka_delete_groups_response_result *out;
};

static void delete_stored(void *arg, struct broker_group *group, int error)
{
    struct delete_group *deletion = arg;
    struct delete_groups *all = deletion->all;
    struct broker_request *request = all->request;

    MR_UNUSED(group);
    all->waiting--;
    deletion->out->error_code = (int16_t)error;
    if (!request->is_abandoned && all->all_given && all->waiting == 0)
        broker_request_done(request);
    broker_request_unref(request);
}

static int group_check(const struct broker_groups *groups, const struct broker_group *group)
{
    int error = broker_groups_check(groups);

    if (error != KAFKA_ERROR_NONE)
        return error;
    if (group == NULL || group->state == BROKER_GROUP_DEAD)
        return KAFKA_ERROR_GROUP_ID_NOT_FOUND;
    return group->state == BROKER_GROUP_EMPTY ? KAFKA_ERROR_NONE : KAFKA_ERROR_NON_EMPTY_GROUP;
}

static void group_delete(struct delete_groups *all, struct broker_group *group,
                         struct kafka_delete_groups_response_result *out)
{
    struct broker_request *request = all->request;
    struct delete_group *deletion = MR_ARENA_NEW(request->arena, struct delete_group);
    struct broker_append *append = broker_append_new(request->broker->groups, group);
    size_t count;
    struct broker_offset **offsets = broker_offsets_sorted(group->offsets, request->arena, &count);

    for (size_t i = 0; i < count; i++)
        broker_append_forget(append, offsets[i]->topic, offsets[i]->partition);
    broker_append_drop(append, group);
    *deletion = (struct delete_group){ all, out };
    all->waiting++;
    broker_request_ref(request);
    broker_append_submit(append, delete_stored, deletion);
}

void broker_handle_delete_groups(struct broker_request *request)
{
    const struct kafka_delete_groups_request *in = request->request;
    struct kafka_delete_groups_response *out = request->response;
    struct delete_groups *all = MR_ARENA_NEW(request->arena, struct delete_groups);

    all->request = request;
    out->results_count = in->groups_names_count;
    out->results =
        MR_ARENA_ARRAY(request->arena, struct kafka_delete_groups_response_result, (size_t)in->groups_names_count);
    for (int32_t i = 0; i < in->groups_names_count; i++) {
        struct broker_group *group = broker_groups_find(request->broker->groups, in->groups_names[i]);

        out->results[i].group_id = in->groups_names[i];
        out->results[i].error_code = (int16_t)group_check(request->broker->groups, group);
        if (out->results[i].error_code == KAFKA_ERROR_NONE)
            group_delete(all, group, &out->results[i]);
    }
    all->all_given = true;
    if (all->waiting == 0)
        broker_request_done(request);
}

/* group_sync.c -- assignments, heartbeats, leaving, and what happens when time is over; see group_int.h. */
#include "broker/group_int.h"

#include "kafka/errors.h"

static void sync_refuse(struct broker_group *group, const struct broker_sync *sync, int error)
{
    struct broker_synced answer = { .error = error };

    group->rules->synced(sync->waiter, &answer);
}

static bool name_differs(struct mr_str said, struct mr_str is)
{
    return said.data != NULL && !mr_str_equal(said, is);
}

static int member_and_generation_check(const struct broker_group *group, struct mr_str member_id,
                                       struct mr_str instance_id, int32_t generation, struct broker_member **member)
{
    int error = group->state == BROKER_GROUP_DEAD ? KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE
                                                  : broker_group_member_check(group, member_id, instance_id, member);

    if (error == KAFKA_ERROR_NONE && generation != group->generation)
        error = KAFKA_ERROR_ILLEGAL_GENERATION;
    return error;
}

/* ---- assignments ---- */

static void assignments_drop(struct broker_group *group, int error)
{
    for (size_t i = 0; i < group->member_count; i++) {
        broker_member_assign(group, group->members[i], MR_BYTES_NULL);
        broker_member_synced(group, group->members[i], error);
    }
}

static int assignments_take(struct broker_group *group, const struct broker_sync *sync)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < sync->assignment_count; i++)
        bytes += (int64_t)sync->assignments[i].bytes.size;
    if (bytes + group->bytes > BROKER_GROUP_BYTES_MAX || bytes + group->rules->bytes > BROKER_GROUPS_BYTES_MAX)
        return KAFKA_ERROR_GROUP_MAX_SIZE_REACHED;
    for (size_t i = 0; i < group->member_count; i++)
        broker_member_assign(group, group->members[i], MR_BYTES_NULL);
    for (size_t i = 0; i < sync->assignment_count; i++) {
        struct broker_member *member = broker_group_member(group, sync->assignments[i].member_id);

        if (member != NULL)
            broker_member_assign(group, member, sync->assignments[i].bytes);
    }
    return KAFKA_ERROR_NONE;
}

static void sync_wait(struct broker_group *group, struct broker_member *member, const struct broker_sync *sync)
{
    broker_member_synced(group, member, KAFKA_ERROR_REBALANCE_IN_PROGRESS); /* an earlier one that still waited */
    member->awaits_sync = true;
    member->sync_waiter = sync->waiter;
    member->is_sync_pending = false;
    if (member != group->leader || group->sync_ticket != 0)
        return;
    if (assignments_take(group, sync) == KAFKA_ERROR_NONE) {
        group->sync_ticket = broker_group_store(group);
    } else {
        assignments_drop(group, KAFKA_ERROR_GROUP_MAX_SIZE_REACHED);
        broker_group_rebalance(group);
    }
}

void broker_group_sync(struct broker_group *group, const struct broker_sync *sync)
{
    struct broker_member *member;
    int error = member_and_generation_check(group, sync->member_id, sync->instance_id, sync->generation, &member);

    if (error == KAFKA_ERROR_NONE &&
        (name_differs(sync->protocol_type, group->protocol_type) || name_differs(sync->protocol, group->protocol)))
        error = KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL;
    if (error == KAFKA_ERROR_NONE && group->state == BROKER_GROUP_PREPARING)
        error = KAFKA_ERROR_REBALANCE_IN_PROGRESS;
    if (error != KAFKA_ERROR_NONE) {
        sync_refuse(group, sync, error);
    } else if (group->state == BROKER_GROUP_COMPLETING) {
        sync_wait(group, member, sync);
    } else {
        assert(group->state == BROKER_GROUP_STABLE);
        broker_member_synced(group, member, KAFKA_ERROR_REBALANCE_IN_PROGRESS);
        member->is_sync_pending = false;
        member->sync_waiter = sync->waiter;
        broker_group_session_renew(group, member);
        broker_member_synced(group, member, KAFKA_ERROR_NONE);
    }
}

static void assignments_stored(struct broker_group *group, int error)
{
    group->sync_ticket = 0;
    if (error != KAFKA_ERROR_NONE) {
        assignments_drop(group, error);
        broker_group_rebalance(group);
        return;
    }
    broker_group_state_set(group, BROKER_GROUP_STABLE);
    for (size_t i = 0; i < group->member_count; i++)
        broker_member_synced(group, group->members[i], KAFKA_ERROR_NONE);
}

void broker_group_stored(struct broker_group *group, int64_t ticket, int error)
{
    if (group->state == BROKER_GROUP_COMPLETING && group->sync_ticket == ticket) {
        assignments_stored(group, error);
        return;
    }
    for (size_t i = 0; i < group->member_count; i++)
        if (group->members[i]->replace_ticket == ticket) {
            broker_group_replaced(group, group->members[i], error);
            return;
        }
}

/* ---- staying and leaving ---- */

int broker_group_heartbeat(struct broker_group *group, struct mr_str member_id, struct mr_str instance_id,
                           int32_t generation)
{
    struct broker_member *member;
    int error = member_and_generation_check(group, member_id, instance_id, generation, &member);

    if (error != KAFKA_ERROR_NONE)
        return error;
    broker_group_session_renew(group, member);
    return group->state == BROKER_GROUP_PREPARING ? KAFKA_ERROR_REBALANCE_IN_PROGRESS : KAFKA_ERROR_NONE;
}

int broker_group_leave(struct broker_group *group, struct mr_str member_id, struct mr_str instance_id)
{
    struct broker_member *member = NULL;
    int error = KAFKA_ERROR_NONE;

    if (group->state == BROKER_GROUP_DEAD)
        return KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
    if (instance_id.data == NULL && broker_group_pending_remove(group, member_id)) {
        broker_group_rebalance(group);
        return KAFKA_ERROR_NONE;
    }
    if (instance_id.data != NULL && member_id.size == 0)
        member = broker_group_instance(group, instance_id);
    if (member == NULL)
        error = broker_group_member_check(group, member_id, instance_id, &member);
    if (error != KAFKA_ERROR_NONE)
        return error;
    broker_group_member_remove(group, member, KAFKA_ERROR_UNKNOWN_MEMBER_ID);
    broker_group_rebalance(group);
    return KAFKA_ERROR_NONE;
}

int broker_group_commit_check(struct broker_group *group, struct mr_str member_id, struct mr_str instance_id,
                              int32_t generation)
{
    struct broker_member *member = NULL;
    int error = KAFKA_ERROR_NONE;

    if (group->state == BROKER_GROUP_DEAD)
        return KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
    if (generation < 0 && group->state == BROKER_GROUP_EMPTY)
        return KAFKA_ERROR_NONE;
    if (generation >= 0 || member_id.size > 0 || instance_id.data != NULL)
        error = member_and_generation_check(group, member_id, instance_id, generation, &member);
    else
        error = KAFKA_ERROR_UNKNOWN_MEMBER_ID;
    if (error != KAFKA_ERROR_NONE)
        return error;
    if (group->state == BROKER_GROUP_COMPLETING) /* it knows of the generation, but not yet what it may read */
        return KAFKA_ERROR_REBALANCE_IN_PROGRESS;
    broker_group_session_renew(group, member);
    return KAFKA_ERROR_NONE;
}

/* ---- time ---- */

/* A member that waits for an answer of ours needs no heartbeat, unless it never was told that it is a member. */
static int64_t session_deadline_ms(const struct broker_member *member)
{
    if (!member->is_new && (member->awaits_join || member->awaits_sync))
        return BROKER_GROUP_NEVER;
    return member->deadline_ms;
}

static bool session_expire(struct broker_group *group, int64_t now_ms)
{
    for (size_t i = 0; i < group->member_count; i++)
        if (session_deadline_ms(group->members[i]) <= now_ms) {
            broker_group_member_remove(group, group->members[i], KAFKA_ERROR_UNKNOWN_MEMBER_ID);
            return true;
        }
    for (size_t i = 0; i < group->pending_count; i++)
        if (group->pending[i].deadline_ms <= now_ms)
            return broker_group_pending_remove(group, group->pending[i].id);
    return false;
}

/* Removes who was told the generation but never asked for the assignment. */
static bool sync_expire(struct broker_group *group)
{
    bool removed = false;

    group->sync_deadline_ms = BROKER_GROUP_NEVER;
    for (size_t i = 0; i < group->member_count;) {
        if (!group->members[i]->is_sync_pending) {
            i++;
            continue;
        }
        broker_group_member_remove(group, group->members[i], KAFKA_ERROR_UNKNOWN_MEMBER_ID);
        removed = true;
    }
    return removed;
}

static void deadline_find(struct broker_group *group)
{
    group->deadline_ms = BROKER_GROUP_NEVER;
    broker_group_due(group, group->rebalance_deadline_ms);
    broker_group_due(group, group->sync_deadline_ms);
    for (size_t i = 0; i < group->member_count; i++)
        broker_group_due(group, session_deadline_ms(group->members[i]));
    for (size_t i = 0; i < group->pending_count; i++)
        broker_group_due(group, group->pending[i].deadline_ms);
}

void broker_group_tick(struct broker_group *group)
{
    int64_t now_ms = broker_group_now_ms(group);
    bool has_removed = false;

    while (session_expire(group, now_ms))
        has_removed = true;
    if (group->sync_deadline_ms <= now_ms && sync_expire(group))
        has_removed = true;
    if (has_removed)
        broker_group_rebalance(group);
    if (group->rebalance_deadline_ms <= now_ms && group->state == BROKER_GROUP_PREPARING)
        broker_group_rebalance_over(group);
    deadline_find(group);
}

void broker_group_waiter_gone(struct broker_group *group, const void *waiter)
{
    for (size_t i = 0; i < group->member_count; i++) {
        struct broker_member *member = group->members[i];

        if (member->sync_waiter == waiter)
            member->sync_waiter = NULL;
        if (member->join_waiter != waiter)
            continue;
        member->join_waiter = NULL;
        if (!member->is_new)
            continue; /* it may come back until its session ends */
        broker_group_member_remove(group, member, KAFKA_ERROR_UNKNOWN_MEMBER_ID); /* it can't: it has no id */
        broker_group_rebalance(group);
        return;
    }
}

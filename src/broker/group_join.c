/* group_join.c -- joining, and the rebalance until everybody knows the new generation; see group_int.h.
 *
 * A rebalance waits until every member has joined again, at most for the longest rebalance timeout among them; who has
 * not is then removed, static members aside, whose place stays until their session ends.  The first rebalance of an
 * empty group waits initial_delay_ms instead, and again as long as somebody new came, so that many consumers which
 * start together are rebalanced once. */
#include "broker/group_int.h"

#include "base/text.h"
#include "kafka/errors.h"

#include <string.h>

/* ---- the generation ---- */

static struct broker_joined generation_answer(const struct broker_group *group, const struct broker_member *member)
{
    return (struct broker_joined){
        .error = KAFKA_ERROR_NONE,
        .generation = group->generation,
        .protocol_type = group->protocol_type,
        .protocol = group->protocol,
        .leader = group->leader->id,
        .member_id = member->id,
        .members_of = member == group->leader ? group : NULL,
    };
}

static int32_t rebalance_timeout_ms(const struct broker_group *group)
{
    int32_t longest = 0;

    for (size_t i = 0; i < group->member_count; i++)
        if (group->members[i]->rebalance_timeout_ms > longest)
            longest = group->members[i]->rebalance_timeout_ms;
    return longest;
}

static void rebalance_deadline_set(struct broker_group *group, int64_t delay_ms)
{
    group->rebalance_deadline_ms = broker_group_now_ms(group) + delay_ms;
    broker_group_due(group, group->rebalance_deadline_ms);
}

static void generation_begin_empty(struct broker_group *group)
{
    struct mr_str protocol_type = { mr_str_dup(group->protocol_type), group->protocol_type.size };

    broker_group_name_set(group, protocol_type, MR_STR_NULL);
    mr_free((char *)protocol_type.data);
    broker_group_state_set(group, BROKER_GROUP_EMPTY);
    (void)broker_group_store(group);
}

static void generation_begin(struct broker_group *group)
{
    struct mr_str protocol_type = { mr_str_dup(group->protocol_type), group->protocol_type.size };

    broker_group_name_set(group, protocol_type, broker_group_vote(group));
    mr_free((char *)protocol_type.data);
    broker_group_state_set(group, BROKER_GROUP_COMPLETING);
    group->sync_ticket = 0;
    group->sync_deadline_ms = broker_group_now_ms(group) + rebalance_timeout_ms(group);
    broker_group_due(group, group->sync_deadline_ms);
    for (size_t i = 0; i < group->member_count; i++) {
        struct broker_member *member = group->members[i];
        struct broker_joined answer = generation_answer(group, member);

        if (!member->awaits_join)
            continue; /* a static member that is away: its session goes on */
        member->is_new = false;
        member->is_sync_pending = true;
        broker_group_session_renew(group, member);
        broker_member_joined(group, member, &answer);
    }
}

static bool all_have_joined(const struct broker_group *group)
{
    for (size_t i = 0; i < group->member_count; i++)
        if (!group->members[i]->awaits_join)
            return false;
    return group->pending_count == 0;
}

/* A leader that has joined; false when there are members and none of them has. */
static bool leader_elect(struct broker_group *group)
{
    if (group->leader == NULL || group->leader->awaits_join)
        return true;
    for (size_t i = 0; i < group->member_count; i++)
        if (group->members[i]->awaits_join) {
            group->leader = group->members[i];
            return true;
        }
    return false;
}

static void join_complete(struct broker_group *group)
{
    for (size_t i = 0; i < group->member_count;) {
        struct broker_member *member = group->members[i];

        if (member->awaits_join || member->instance_id.data != NULL)
            i++;
        else
            broker_group_member_remove(group, member, KAFKA_ERROR_UNKNOWN_MEMBER_ID);
    }
    group->initial_left_ms = -1;
    if (!leader_elect(group)) { /* sessions will end, or somebody comes back */
        rebalance_deadline_set(group, rebalance_timeout_ms(group));
        return;
    }
    group->rebalance_deadline_ms = BROKER_GROUP_NEVER;
    group->generation = group->generation == INT32_MAX ? 1 : group->generation + 1;
    if (group->member_count == 0)
        generation_begin_empty(group);
    else
        generation_begin(group);
}

/* The initial delay is over. */
static void initial_go_on(struct broker_group *group)
{
    int32_t delay = group->rules->initial_delay_ms;

    if (delay > group->initial_left_ms)
        delay = group->initial_left_ms;
    if (!group->has_new_member || delay == 0) {
        join_complete(group);
        return;
    }
    group->has_new_member = false;
    group->initial_left_ms -= delay;
    rebalance_deadline_set(group, delay);
}

static void rebalance_begin(struct broker_group *group)
{
    bool is_initial = group->state == BROKER_GROUP_EMPTY;

    if (group->state == BROKER_GROUP_COMPLETING)
        for (size_t i = 0; i < group->member_count; i++) {
            broker_member_assign(group, group->members[i], MR_BYTES_NULL);
            broker_member_synced(group, group->members[i], KAFKA_ERROR_REBALANCE_IN_PROGRESS);
        }
    for (size_t i = 0; i < group->member_count; i++) {
        struct broker_member *member = group->members[i];

        member->is_sync_pending = false;
        if (member->replace_ticket != 0) /* its join is one more of this rebalance now */
            member->awaits_join = true;
        member->replace_ticket = 0;
    }
    group->sync_ticket = 0;
    group->sync_deadline_ms = BROKER_GROUP_NEVER;
    broker_group_state_set(group, BROKER_GROUP_PREPARING);
    if (is_initial) {
        int32_t longest = rebalance_timeout_ms(group);

        group->has_new_member = false;
        group->initial_left_ms =
            longest > group->rules->initial_delay_ms ? longest - group->rules->initial_delay_ms : 0;
        rebalance_deadline_set(group, group->rules->initial_delay_ms);
    } else {
        group->initial_left_ms = -1;
        rebalance_deadline_set(group, rebalance_timeout_ms(group));
    }
}

void broker_group_rebalance(struct broker_group *group)
{
    if (group->state == BROKER_GROUP_DEAD)
        return;
    if (group->state == BROKER_GROUP_EMPTY && group->member_count == 0)
        return; /* an id that was only given out is gone */
    if (group->state != BROKER_GROUP_PREPARING)
        rebalance_begin(group);
    if (group->initial_left_ms < 0 ? all_have_joined(group) : group->rules->initial_delay_ms == 0)
        join_complete(group);
}

void broker_group_rebalance_over(struct broker_group *group)
{
    if (group->initial_left_ms >= 0)
        initial_go_on(group);
    else
        join_complete(group);
}

/* ---- joining ---- */

static bool protocols_fit(const struct broker_group *group, const struct broker_join *join)
{
    if (join->protocol_type.size == 0 || join->protocol_count == 0)
        return false;
    if (group->member_count == 0)
        return true;
    if (!mr_str_equal(join->protocol_type, group->protocol_type))
        return false;
    for (size_t i = 0; i < join->protocol_count; i++)
        if (broker_group_all_know(group, join->protocols[i].name))
            return true;
    return false;
}

static bool size_is_ok(const struct broker_group *group, const struct broker_member *member)
{
    size_t joined = 0;

    switch (group->state) {
    case BROKER_GROUP_EMPTY:
    case BROKER_GROUP_DEAD:
        return group->pending_count < (size_t)group->rules->size_max;
    case BROKER_GROUP_PREPARING:
        for (size_t i = 0; i < group->member_count; i++)
            joined += group->members[i]->awaits_join;
        return (member != NULL && member->awaits_join) || joined < (size_t)group->rules->size_max;
    case BROKER_GROUP_COMPLETING:
    case BROKER_GROUP_STABLE:
        break;
    }
    return member != NULL || group->member_count + group->pending_count < (size_t)group->rules->size_max;
}

/* Would the group keep too much with this join? */
static bool bytes_are_ok(const struct broker_group *group, const struct broker_join *join)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < join->protocol_count; i++)
        bytes += (int64_t)(join->protocols[i].name.size + join->protocols[i].metadata.size);
    bytes += (int64_t)(join->client_id.size + join->instance_id.size);
    return bytes + group->bytes <= BROKER_GROUP_BYTES_MAX && bytes + group->rules->bytes <= BROKER_GROUPS_BYTES_MAX;
}

static void wait_for_join(struct broker_group *group, struct broker_member *member, const struct broker_join *join)
{
    struct broker_joined replaced = {
        .error = KAFKA_ERROR_REBALANCE_IN_PROGRESS, .generation = -1, .leader = MR_STR(""), .member_id = member->id
    };

    broker_member_joined(group, member, &replaced); /* an earlier join of it that still waited */
    broker_member_synced(group, member, KAFKA_ERROR_REBALANCE_IN_PROGRESS);
    member->awaits_join = true;
    member->join_waiter = join->waiter;
    member->can_skip = join->can_skip;
}

static void member_join_new(struct broker_group *group, const struct broker_join *join, struct mr_str id)
{
    struct broker_member *member = broker_member_new(join, id);

    if (group->member_count == 0)
        broker_group_name_set(group, join->protocol_type, MR_STR_NULL);
    member->is_new = true;
    member->deadline_ms = broker_group_now_ms(group) + BROKER_GROUP_NEW_MEMBER_JOIN_MS;
    broker_group_due(group, member->deadline_ms);
    broker_group_member_add(group, member);
    wait_for_join(group, member, join);
    if (group->state == BROKER_GROUP_PREPARING)
        group->has_new_member = true;
    broker_group_rebalance(group);
}

static void member_rejoin(struct broker_group *group, struct broker_member *member, const struct broker_join *join)
{
    broker_member_update(group, member, join);
    wait_for_join(group, member, join);
    broker_group_rebalance(group);
}

/* A static member is back without its id: it gets a new one, and its place and assignment with it.  Whoever still has
 * the old id is fenced. */
static void instance_replace(struct broker_group *group, struct broker_member *member, const struct broker_join *join,
                             struct mr_str id)
{
    struct broker_joined fenced = {
        .error = KAFKA_ERROR_FENCED_INSTANCE_ID, .generation = -1, .leader = MR_STR(""), .member_id = member->id
    };
    bool is_same;

    broker_member_joined(group, member, &fenced);
    broker_member_synced(group, member, KAFKA_ERROR_FENCED_INSTANCE_ID);
    broker_member_rename(group, member, id);
    broker_member_update(group, member, join);
    member->is_new = false;
    broker_group_session_renew(group, member);
    is_same = group->state == BROKER_GROUP_STABLE && mr_str_equal(broker_group_vote(group), group->protocol);
    wait_for_join(group, member, join);
    if (!is_same) {
        broker_group_rebalance(group);
        return;
    }
    member->awaits_join = false; /* no rebalance: only the new id is stored first (broker_group_stored) */
    member->replace_ticket = broker_group_store(group);
}

void broker_group_replaced(struct broker_group *group, struct broker_member *member, int error)
{
    struct broker_joined answer = generation_answer(group, member);

    if (error != KAFKA_ERROR_NONE)
        answer =
            (struct broker_joined){ .error = error, .generation = -1, .leader = MR_STR(""), .member_id = member->id };
    else if (member == group->leader && member->can_skip)
        answer.skip_assignment = true;
    else if (member == group->leader) {
        answer.leader = member->former_id; /* it must not assign anew: the others would not hear of it */
        answer.members_of = NULL;
    }
    broker_member_joined(group, member, &answer);
}

static struct mr_str id_make(const struct broker_group *group, const struct broker_join *join, char *room)
{
    struct mr_str name = join->instance_id.data != NULL ? join->instance_id : join->client_id;
    uint8_t uuid[16];
    size_t size = name.size < INT16_MAX - 64 ? name.size : INT16_MAX - 64;

    mr_random_uuid(group->rules->env, uuid);
    if (size > 0)
        memcpy(room, name.data, size);
    room[size] = '-';
    mr_uuid_format(room + size + 1, uuid);
    return (struct mr_str){ room, size + 37 };
}

static void join_without_id(struct broker_group *group, const struct broker_join *join)
{
    struct broker_member *member = NULL;
    char *room = mr_alloc(INT16_MAX + 1);
    struct mr_str id = id_make(group, join, room);

    if (join->instance_id.data != NULL)
        member = broker_group_instance(group, join->instance_id);
    if (member != NULL) {
        instance_replace(group, member, join, id);
    } else if (join->instance_id.data == NULL && join->needs_id) {
        broker_group_pending_add(group, id, broker_group_now_ms(group) + join->session_timeout_ms);
        broker_group_join_refuse(group, join, KAFKA_ERROR_MEMBER_ID_REQUIRED, id);
    } else {
        member_join_new(group, join, id);
    }
    mr_free(room);
}

static void join_again(struct broker_group *group, struct broker_member *member, const struct broker_join *join)
{
    bool says_same = broker_member_says(member, join->protocols, join->protocol_count);
    struct broker_joined answer;

    switch (group->state) {
    case BROKER_GROUP_COMPLETING: /* it may just not have got the answer */
        if (!says_same)
            break;
        answer = generation_answer(group, member);
        group->rules->joined(join->waiter, &answer);
        return;
    case BROKER_GROUP_STABLE: /* only a leader may ask for a rebalance: topics have changed */
        if (member == group->leader || !says_same)
            break;
        answer = generation_answer(group, member);
        group->rules->joined(join->waiter, &answer);
        return;
    case BROKER_GROUP_PREPARING:
        break;
    case BROKER_GROUP_EMPTY:
    case BROKER_GROUP_DEAD:
        broker_group_join_refuse(group, join, KAFKA_ERROR_UNKNOWN_MEMBER_ID, join->member_id);
        return;
    }
    member_rejoin(group, member, join);
}

static void join_with_id(struct broker_group *group, const struct broker_join *join)
{
    struct broker_member *member;
    int error;

    if (join->instance_id.data == NULL && broker_group_pending_remove(group, join->member_id)) {
        member_join_new(group, join, join->member_id);
        return;
    }
    error = broker_group_member_check(group, join->member_id, join->instance_id, &member);
    if (error != KAFKA_ERROR_NONE)
        broker_group_join_refuse(group, join, error, join->member_id);
    else
        join_again(group, member, join);
}

void broker_group_join(struct broker_group *group, const struct broker_join *join)
{
    const struct broker_group_rules *rules = group->rules;
    int error = KAFKA_ERROR_NONE;

    if (group->state == BROKER_GROUP_DEAD)
        error = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
    else if (join->session_timeout_ms < rules->session_min_ms || join->session_timeout_ms > rules->session_max_ms)
        error = KAFKA_ERROR_INVALID_SESSION_TIMEOUT;
    else if (!protocols_fit(group, join) || join->protocol_count > BROKER_GROUP_PROTOCOLS_MAX)
        error = KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL;
    else if (!size_is_ok(group, broker_group_member(group, join->member_id)) || !bytes_are_ok(group, join))
        error = KAFKA_ERROR_GROUP_MAX_SIZE_REACHED;
    if (error != KAFKA_ERROR_NONE) {
        broker_group_join_refuse(group, join, error, join->member_id);
        return;
    }
    if (join->member_id.size == 0)
        join_without_id(group, join);
    else
        join_with_id(group, join);
}

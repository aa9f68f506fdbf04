/* group.c -- a group's members: finding, adding, removing, counting; see group_int.h. */
#include "broker/group_int.h"

#include "broker/group_offsets_int.h"
#include "kafka/errors.h"

#include <string.h>

enum { NS_IN_MS = 1000000, MEMBER_BYTES = sizeof(struct broker_member) + 64 };

int64_t broker_group_now_ms(const struct broker_group *group)
{
    return mr_monotonic_ns(group->rules->env) / NS_IN_MS;
}

static struct mr_str str_dup(struct mr_str s)
{
    return s.data == NULL ? s : (struct mr_str){ mr_str_dup(s), s.size };
}

static struct mr_bytes bytes_dup(struct mr_bytes b)
{
    uint8_t *copy = mr_alloc(b.size + 1);

    if (b.size > 0)
        memcpy(copy, b.data, b.size);
    return (struct mr_bytes){ copy, b.size };
}

static void str_replace(struct mr_str *to, struct mr_str with)
{
    struct mr_str copy = str_dup(with);

    mr_free((char *)to->data);
    *to = copy;
}

/* ---- the group ---- */

struct broker_group *broker_group_new(struct broker_group_rules *rules, struct mr_str id)
{
    struct broker_group *group = MR_NEW(struct broker_group);

    group->rules = rules;
    group->id = str_dup(id);
    group->state_since_ms = mr_now_ms(rules->env);
    group->initial_left_ms = -1;
    group->rebalance_deadline_ms = group->sync_deadline_ms = group->deadline_ms = BROKER_GROUP_NEVER;
    group->offsets = broker_offsets_new(&rules->bytes);
    return group;
}

void broker_group_free(struct broker_group *group)
{
    if (group == NULL)
        return;
    group->rules->bytes -= group->bytes;
    broker_offsets_free(group->offsets);
    for (size_t i = 0; i < group->member_count; i++)
        broker_member_free(group->members[i]);
    for (size_t i = 0; i < group->pending_count; i++)
        mr_free((char *)group->pending[i].id.data);
    mr_free(group->members);
    mr_free(group->pending);
    mr_free((char *)group->protocol_type.data);
    mr_free((char *)group->protocol.data);
    mr_free((char *)group->id.data);
    mr_free(group);
}

const char *broker_group_state_name(enum broker_group_state state)
{
    switch (state) {
    case BROKER_GROUP_EMPTY:
        return "Empty";
    case BROKER_GROUP_PREPARING:
        return "PreparingRebalance";
    case BROKER_GROUP_COMPLETING:
        return "CompletingRebalance";
    case BROKER_GROUP_STABLE:
        return "Stable";
    case BROKER_GROUP_DEAD:
        return "Dead";
    }
    return "Dead";
}

void broker_group_state_set(struct broker_group *group, enum broker_group_state state)
{
    group->state = state;
    group->state_since_ms = mr_now_ms(group->rules->env);
}

void broker_group_name_set(struct broker_group *group, struct mr_str protocol_type, struct mr_str protocol)
{
    str_replace(&group->protocol_type, protocol_type);
    str_replace(&group->protocol, protocol);
}

void broker_group_due(struct broker_group *group, int64_t deadline_ms)
{
    if (deadline_ms < group->deadline_ms)
        group->deadline_ms = deadline_ms;
}

int64_t broker_group_store(struct broker_group *group)
{
    int64_t ticket = ++group->ticket_last;

    group->rules->store(group->rules->arg, group, ticket);
    return ticket;
}

void broker_group_kill(struct broker_group *group)
{
    assert(group->state == BROKER_GROUP_EMPTY && group->member_count == 0);
    group->state = BROKER_GROUP_DEAD;
}

void broker_group_revive(struct broker_group *group)
{
    assert(group->state == BROKER_GROUP_DEAD);
    group->state = BROKER_GROUP_EMPTY;
}

/* ---- members ---- */

static void protocols_free(struct broker_member *member)
{
    for (size_t i = 0; i < member->protocol_count; i++) {
        mr_free((char *)member->protocols[i].name.data);
        mr_free((uint8_t *)member->protocols[i].metadata.data);
    }
    mr_free(member->protocols);
}

static void protocols_copy(struct broker_member *member, const struct broker_protocol *from, size_t count)
{
    member->protocols = mr_calloc(count, sizeof(*member->protocols));
    member->protocol_count = count;
    for (size_t i = 0; i < count; i++) {
        member->protocols[i].name = str_dup(from[i].name);
        member->protocols[i].metadata = bytes_dup(from[i].metadata);
    }
}

struct broker_member *broker_member_new(const struct broker_join *join, struct mr_str id)
{
    struct broker_member *member = MR_NEW(struct broker_member);

    member->id = str_dup(id);
    member->instance_id = str_dup(join->instance_id);
    member->client_id = str_dup(join->client_id);
    member->client_host = str_dup(join->client_host);
    member->session_timeout_ms = join->session_timeout_ms;
    member->rebalance_timeout_ms = join->rebalance_timeout_ms;
    member->deadline_ms = BROKER_GROUP_NEVER;
    protocols_copy(member, join->protocols, join->protocol_count);
    return member;
}

void broker_member_free(struct broker_member *member)
{
    protocols_free(member);
    mr_free((uint8_t *)member->assignment.data);
    mr_free((char *)member->id.data);
    mr_free((char *)member->former_id.data);
    mr_free((char *)member->instance_id.data);
    mr_free((char *)member->client_id.data);
    mr_free((char *)member->client_host.data);
    mr_free(member);
}

void broker_member_update(struct broker_group *group, struct broker_member *member, const struct broker_join *join)
{
    protocols_free(member);
    protocols_copy(member, join->protocols, join->protocol_count);
    member->session_timeout_ms = join->session_timeout_ms;
    member->rebalance_timeout_ms = join->rebalance_timeout_ms;
    broker_group_member_weigh(group, member);
}

void broker_member_rename(struct broker_group *group, struct broker_member *member, struct mr_str id)
{
    mr_free((char *)member->former_id.data);
    member->former_id = member->id;
    member->id = str_dup(id);
    broker_group_member_weigh(group, member);
}

void broker_member_assign(struct broker_group *group, struct broker_member *member, struct mr_bytes assignment)
{
    mr_free((uint8_t *)member->assignment.data);
    member->assignment = assignment.size > 0 ? bytes_dup(assignment) : MR_BYTES_NULL;
    broker_group_member_weigh(group, member);
}

bool broker_member_says(const struct broker_member *member, const struct broker_protocol *protocols, size_t count)
{
    if (count != member->protocol_count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!mr_str_equal(protocols[i].name, member->protocols[i].name) ||
            mr_bytes_compare(protocols[i].metadata, member->protocols[i].metadata) != 0)
            return false;
    return true;
}

struct broker_member *broker_group_member(const struct broker_group *group, struct mr_str id)
{
    for (size_t i = 0; i < group->member_count; i++)
        if (mr_str_equal(group->members[i]->id, id))
            return group->members[i];
    return NULL;
}

struct broker_member *broker_group_instance(const struct broker_group *group, struct mr_str instance_id)
{
    for (size_t i = 0; i < group->member_count; i++)
        if (group->members[i]->instance_id.data != NULL && mr_str_equal(group->members[i]->instance_id, instance_id))
            return group->members[i];
    return NULL;
}

int broker_group_member_check(const struct broker_group *group, struct mr_str member_id, struct mr_str instance_id,
                              struct broker_member **out)
{
    struct broker_member *member =
        instance_id.data != NULL ? broker_group_instance(group, instance_id) : broker_group_member(group, member_id);

    if (member == NULL)
        return KAFKA_ERROR_UNKNOWN_MEMBER_ID;
    if (!mr_str_equal(member->id, member_id))
        return KAFKA_ERROR_FENCED_INSTANCE_ID;
    *out = member;
    return KAFKA_ERROR_NONE;
}

void broker_group_member_weigh(struct broker_group *group, struct broker_member *member)
{
    size_t bytes = MEMBER_BYTES + member->id.size + member->former_id.size + member->instance_id.size +
                   member->client_id.size + member->client_host.size + member->assignment.size;

    for (size_t i = 0; i < member->protocol_count; i++)
        bytes += sizeof(*member->protocols) + member->protocols[i].name.size + member->protocols[i].metadata.size;
    group->bytes += (int64_t)bytes - member->bytes;
    group->rules->bytes += (int64_t)bytes - member->bytes;
    member->bytes = (int64_t)bytes;
}

void broker_group_member_add(struct broker_group *group, struct broker_member *member)
{
    MR_GROW(group->members, group->member_count, group->member_capacity);
    group->members[group->member_count++] = member;
    if (group->leader == NULL)
        group->leader = member;
    broker_group_member_weigh(group, member);
}

void broker_group_member_remove(struct broker_group *group, struct broker_member *member, int error)
{
    struct broker_joined refused = { .error = error, .generation = -1, .leader = MR_STR(""), .member_id = member->id };
    size_t at = 0;

    broker_member_joined(group, member, &refused);
    broker_member_synced(group, member, error);
    while (group->members[at] != member)
        at++;
    memmove(group->members + at, group->members + at + 1, (group->member_count - at - 1) * sizeof(*group->members));
    group->member_count--;
    if (group->leader == member)
        group->leader = group->member_count > 0 ? group->members[0] : NULL;
    group->bytes -= member->bytes;
    group->rules->bytes -= member->bytes;
    broker_member_free(member);
}

void broker_group_session_renew(struct broker_group *group, struct broker_member *member)
{
    member->deadline_ms = broker_group_now_ms(group) + member->session_timeout_ms;
    broker_group_due(group, member->deadline_ms);
}

/* ---- ids given out ---- */

void broker_group_pending_add(struct broker_group *group, struct mr_str id, int64_t deadline_ms)
{
    MR_GROW(group->pending, group->pending_count, group->pending_capacity);
    group->pending[group->pending_count++] = (struct broker_pending){ str_dup(id), deadline_ms };
    group->bytes += (int64_t)(sizeof(*group->pending) + id.size);
    group->rules->bytes += (int64_t)(sizeof(*group->pending) + id.size);
    broker_group_due(group, deadline_ms);
}

static size_t pending_find(const struct broker_group *group, struct mr_str id)
{
    size_t at = 0;

    while (at < group->pending_count && !mr_str_equal(group->pending[at].id, id))
        at++;
    return at;
}

bool broker_group_pending_has(const struct broker_group *group, struct mr_str id)
{
    return pending_find(group, id) < group->pending_count;
}

bool broker_group_pending_remove(struct broker_group *group, struct mr_str id)
{
    size_t at = pending_find(group, id);
    int64_t bytes;

    if (at == group->pending_count)
        return false;
    bytes = (int64_t)(sizeof(*group->pending) + group->pending[at].id.size);
    mr_free((char *)group->pending[at].id.data);
    group->pending[at] = group->pending[--group->pending_count];
    group->bytes -= bytes;
    group->rules->bytes -= bytes;
    return true;
}

/* ---- answering ---- */

void broker_member_joined(struct broker_group *group, struct broker_member *member, const struct broker_joined *answer)
{
    void *waiter = member->join_waiter;

    member->awaits_join = false;
    member->join_waiter = NULL;
    member->replace_ticket = 0;
    if (waiter != NULL)
        group->rules->joined(waiter, answer);
}

void broker_member_synced(struct broker_group *group, struct broker_member *member, int error)
{
    struct broker_synced answer = { .error = error };
    void *waiter = member->sync_waiter;

    if (member->awaits_sync) /* its session did not count while it waited */
        broker_group_session_renew(group, member);
    member->awaits_sync = false;
    member->sync_waiter = NULL;
    if (waiter == NULL)
        return;
    if (error == KAFKA_ERROR_NONE)
        answer = (struct broker_synced){ error, group->protocol_type, group->protocol, member->assignment };
    group->rules->synced(waiter, &answer);
}

void broker_group_join_refuse(struct broker_group *group, const struct broker_join *join, int error,
                              struct mr_str member_id)
{
    struct broker_joined answer = { .error = error, .generation = -1, .leader = MR_STR(""), .member_id = member_id };

    group->rules->joined(join->waiter, &answer);
}

/* ---- protocols ---- */

static bool member_knows(const struct broker_member *member, struct mr_str name)
{
    for (size_t i = 0; i < member->protocol_count; i++)
        if (mr_str_equal(member->protocols[i].name, name))
            return true;
    return false;
}

bool broker_group_all_know(const struct broker_group *group, struct mr_str name)
{
    for (size_t i = 0; i < group->member_count; i++)
        if (!member_knows(group->members[i], name))
            return false;
    return true;
}

/* The index in FIRST's protocols of the candidate that MEMBER likes most. */
static size_t member_vote(const struct broker_member *member, const struct broker_member *first,
                          const bool *is_candidate)
{
    for (size_t i = 0; i < member->protocol_count; i++)
        for (size_t j = 0; j < first->protocol_count; j++)
            if (is_candidate[j] && mr_str_equal(member->protocols[i].name, first->protocols[j].name))
                return j;
    return first->protocol_count;
}

/* The candidates are the first member's: what all know, it knows. */
struct mr_str broker_group_vote(const struct broker_group *group)
{
    const struct broker_member *first = group->members[0];
    bool is_candidate[BROKER_GROUP_PROTOCOLS_MAX];
    size_t votes[BROKER_GROUP_PROTOCOLS_MAX] = { 0 };
    size_t best = 0;

    assert(first->protocol_count <= BROKER_GROUP_PROTOCOLS_MAX);
    for (size_t j = 0; j < first->protocol_count; j++)
        is_candidate[j] = broker_group_all_know(group, first->protocols[j].name);
    for (size_t i = 0; i < group->member_count; i++) {
        size_t vote = member_vote(group->members[i], first, is_candidate);

        assert(vote < first->protocol_count); /* G2 */
        votes[vote]++;
    }
    for (size_t j = 0; j < first->protocol_count; j++)
        if (votes[j] > votes[best])
            best = j;
    return first->protocols[best].name;
}

struct mr_bytes broker_group_metadata(const struct broker_group *group, const struct broker_member *member)
{
    for (size_t i = 0; i < member->protocol_count; i++)
        if (group->protocol.data != NULL && mr_str_equal(member->protocols[i].name, group->protocol))
            return member->protocols[i].metadata;
    return (struct mr_bytes){ (const uint8_t *)"", 0 };
}

/* A subscription of the consumer protocol begins with its version and the topics, in every version. */
static bool subscription_has(struct mr_bytes metadata, struct mr_str topic)
{
    struct mr_reader in = mr_reader_of(metadata);
    int32_t count;

    (void)mr_read_i16(&in);
    count = mr_read_i32(&in);
    for (int32_t i = 0; i < count && !in.failed; i++) {
        int16_t size = mr_read_i16(&in);
        struct mr_bytes name = mr_read_slice(&in, size > 0 ? (size_t)size : 0);

        if (mr_str_equal(mr_str_of_bytes(name), topic))
            return true;
    }
    return in.failed;
}

bool broker_group_subscribes(const struct broker_group *group, struct mr_str topic)
{
    for (size_t i = 0; i < group->member_count; i++)
        if (subscription_has(broker_group_metadata(group, group->members[i]), topic))
            return true;
    return false;
}

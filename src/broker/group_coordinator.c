/* group_coordinator.c -- the set of groups, their timers and the retention of offsets; see group_coordinator_int.h. */
#include "broker/group_coordinator_int.h"

#include "base/logging.h"

#include <stdlib.h>

enum { MS_IN_MINUTE = 60000 };

/* A group's timer; group->owner. */
struct group_owner {
    struct broker_groups *groups;
    struct broker_group *group;
    struct net_timer *timer; /* owned; NULL while nothing is due */
    int64_t armed_ms;
};

/* ---- finding and forgetting ---- */

int broker_groups_check(const struct broker_groups *groups)
{
    return groups->is_loading ? KAFKA_ERROR_COORDINATOR_LOAD_IN_PROGRESS : KAFKA_ERROR_NONE;
}

struct broker_group *broker_groups_find(const struct broker_groups *groups, struct mr_str id)
{
    return mr_map_get(groups->by_id, mr_bytes_of_str(id));
}

struct broker_group *broker_groups_make(struct broker_groups *groups, struct mr_str id)
{
    struct broker_group *group = broker_groups_find(groups, id);
    struct group_owner *owner;

    if (group != NULL)
        return group;
    if (mr_map_count(groups->by_id) >= BROKER_GROUPS_MAX || groups->rules.bytes >= BROKER_GROUPS_BYTES_MAX)
        return NULL;
    group = broker_group_new(&groups->rules, id);
    owner = MR_NEW(struct group_owner);
    *owner = (struct group_owner){ groups, group, NULL, BROKER_GROUP_NEVER };
    group->owner = owner;
    mr_map_put(groups->by_id, mr_bytes_of_str(group->id), group);
    mr_metric_set(groups->group_count, (int64_t)mr_map_count(groups->by_id));
    return group;
}

static void group_free(struct broker_group *group)
{
    struct group_owner *owner = group->owner;

    net_timer_free(owner->timer);
    mr_free(owner);
    broker_group_free(group);
}

void broker_groups_drop(struct broker_groups *groups, struct broker_group *group)
{
    mr_map_remove(groups->by_id, mr_bytes_of_str(group->id));
    mr_metric_set(groups->group_count, (int64_t)mr_map_count(groups->by_id));
    group_free(group);
}

static int group_compare(const void *a, const void *b)
{
    const struct broker_group *x = *(struct broker_group *const *)a, *y = *(struct broker_group *const *)b;

    return mr_bytes_compare(mr_bytes_of_str(x->id), mr_bytes_of_str(y->id));
}

struct broker_group **broker_groups_sorted(const struct broker_groups *groups, struct mr_arena *arena, size_t *count)
{
    struct broker_group **all = MR_ARENA_ARRAY(arena, struct broker_group *, mr_map_count(groups->by_id));
    size_t cursor = 0;
    void *group;

    *count = 0;
    while (mr_map_next(groups->by_id, &cursor, NULL, &group))
        all[(*count)++] = group;
    if (*count > 1)
        qsort(all, *count, sizeof(struct broker_group *), group_compare);
    return all;
}

/* ---- timers ---- */

/* It was never stored and holds nothing. */
static bool group_is_nothing(const struct broker_group *group)
{
    return group->state == BROKER_GROUP_EMPTY && group->generation == 0 && group->member_count == 0 &&
           group->pending_count == 0 && broker_offsets_count(group->offsets) == 0;
}

static void group_timer_run(void *arg)
{
    struct group_owner *owner = arg;

    owner->armed_ms = BROKER_GROUP_NEVER;
    broker_group_tick(owner->group);
    broker_groups_touched(owner->groups, owner->group);
}

void broker_groups_touched(struct broker_groups *groups, struct broker_group *group)
{
    struct group_owner *owner = group->owner;
    int64_t delay_ms;

    if (group_is_nothing(group)) {
        broker_groups_drop(groups, group);
        return;
    }
    if (group->deadline_ms >= owner->armed_ms)
        return; /* the timer runs early enough: it finds the next deadline then */
    owner->armed_ms = group->deadline_ms;
    delay_ms = owner->armed_ms - broker_group_now_ms(group);
    if (delay_ms < 0)
        delay_ms = 0;
    if (owner->timer == NULL)
        owner->timer = net_timer_new(groups->broker->loop, delay_ms, 0, group_timer_run, owner);
    else
        net_timer_restart(owner->timer, delay_ms);
}

/* ---- retention ---- */

static bool offset_is_expired(const struct broker_groups *groups, const struct broker_group *group,
                              const struct broker_offset *offset, int64_t now_ms)
{
    bool is_old = now_ms - offset->value.commit_ms >= groups->retention_ms;

    if (!offset->is_set || offset->applied != offset->appended) /* a newer one is on its way */
        return false;
    if (offset->value.expire_ms >= 0)
        return now_ms >= offset->value.expire_ms;
    if (!is_old || group->protocol_type.data == NULL)
        return is_old;
    if (group->state == BROKER_GROUP_EMPTY)
        return now_ms - group->state_since_ms >= groups->retention_ms;
    return group->state == BROKER_GROUP_STABLE && mr_str_equal(group->protocol_type, MR_STR("consumer")) &&
           !broker_group_subscribes(group, offset->topic);
}

static void group_expire(struct broker_groups *groups, struct broker_group *group)
{
    struct mr_arena *arena = mr_arena_new();
    struct broker_append *append = broker_append_new(groups, group);
    int64_t now_ms = mr_now_ms(groups->broker->env);
    size_t count, kept;
    struct broker_offset **all = broker_offsets_sorted(group->offsets, arena, &count);

    kept = count;
    for (size_t i = 0; i < count && broker_append_count(append) < BROKER_APPEND_RECORDS_MAX; i++)
        if (offset_is_expired(groups, group, all[i], now_ms)) {
            broker_append_forget(append, all[i]->topic, all[i]->partition);
            kept--;
        }
    if (kept == 0 && group->state == BROKER_GROUP_EMPTY && group->pending_count == 0)
        broker_append_drop(append, group);
    if (broker_append_count(append) > 0)
        broker_append_submit(append, NULL, NULL);
    else
        broker_append_free(append);
    mr_arena_free(arena);
}

void broker_groups_expire(struct broker_groups *groups)
{
    struct mr_arena *arena = mr_arena_new();
    size_t count;
    struct broker_group **all = broker_groups_sorted(groups, arena, &count);

    for (size_t i = 0; i < count && !groups->is_loading; i++)
        if (all[i]->state != BROKER_GROUP_DEAD)
            group_expire(groups, all[i]);
    mr_arena_free(arena);
}

static void expire_timer_run(void *arg)
{
    broker_groups_expire(arg);
}

void broker_groups_topic_deleted(struct broker_groups *groups, struct mr_str topic)
{
    struct mr_arena *arena;
    struct broker_group **all;
    size_t group_count, count;

    if (groups == NULL)
        return;
    arena = mr_arena_new();
    all = broker_groups_sorted(groups, arena, &group_count);
    for (size_t i = 0; i < group_count; i++) {
        struct broker_append *append;
        struct broker_offset **offsets = broker_offsets_sorted(all[i]->offsets, arena, &count);

        if (count == 0 || all[i]->state == BROKER_GROUP_DEAD)
            continue;
        append = broker_append_new(groups, all[i]);
        for (size_t j = 0; j < count; j++)
            if (mr_str_equal(offsets[j]->topic, topic))
                broker_append_forget(append, offsets[j]->topic, offsets[j]->partition);
        if (broker_append_count(append) > 0)
            broker_append_submit(append, NULL, NULL);
        else
            broker_append_free(append);
    }
    mr_arena_free(arena);
}

/* ---- settings ---- */

static size_t settings_fill(const struct broker_groups *groups, struct mr_arena *arena, struct broker_setting *out)
{
    const struct {
        const char *name;
        int64_t value;
        int64_t usual; /* else it was set */
        const char *documentation;
    } rows[] = {
        { "group.initial.rebalance.delay.ms", groups->rules.initial_delay_ms, 0,
          "How long a new group waits for more members." },
        { "group.max.session.timeout.ms", groups->rules.session_max_ms, BROKER_GROUP_SESSION_MAX_MS,
          "The longest session that a member may ask for." },
        { "group.max.size", groups->rules.size_max, BROKER_GROUP_SIZE_MAX, "Members that a group may have." },
        { "group.min.session.timeout.ms", groups->rules.session_min_ms, BROKER_GROUP_SESSION_MIN_MS,
          "The shortest session that a member may ask for." },
        { "offset.metadata.max.bytes", BROKER_OFFSET_METADATA_MAX, BROKER_OFFSET_METADATA_MAX,
          "The longest note that a commit may carry." },
        { "offsets.retention.check.interval.ms", BROKER_OFFSETS_CHECK_MS, BROKER_OFFSETS_CHECK_MS,
          "How often old offsets are looked for." },
        { "offsets.retention.minutes", groups->retention_ms / MS_IN_MINUTE, BROKER_OFFSETS_RETENTION_MINUTES,
          "How long the offsets of a group without members are kept." },
        { "offsets.topic.num.partitions", BROKER_OFFSETS_PARTITIONS, BROKER_OFFSETS_PARTITIONS,
          "Partitions of " BROKER_OFFSETS_TOPIC "." },
    };

    _Static_assert(MR_COUNT(rows) <= BROKER_GROUP_SETTINGS, "callers have room for so many");
    for (size_t i = 0; i < MR_COUNT(rows); i++)
        out[i] =
            (struct broker_setting){ rows[i].name, mr_arena_printf(arena, "%" PRId64, rows[i].value), BROKER_CONFIG_INT,
                                     rows[i].value == rows[i].usual ? BROKER_SOURCE_DEFAULT : BROKER_SOURCE_FILE,
                                     rows[i].documentation };
    return MR_COUNT(rows);
}

size_t broker_groups_settings(const struct broker_groups *groups, struct mr_arena *arena, struct broker_setting *out)
{
    return groups != NULL ? settings_fill(groups, arena, out) : 0;
}

/* ---- opening and closing ---- */

static int32_t or_default(int32_t value, int32_t default_value)
{
    return value > 0 ? value : default_value;
}

struct broker_groups *broker_groups_open(struct broker *broker, const struct broker_group_options *options)
{
    struct broker_groups *groups = MR_NEW(struct broker_groups);

    groups->broker = broker;
    groups->rules = (struct broker_group_rules){
        .env = broker->env,
        .session_min_ms = or_default(options->session_timeout_min_ms, BROKER_GROUP_SESSION_MIN_MS),
        .session_max_ms = or_default(options->session_timeout_max_ms, BROKER_GROUP_SESSION_MAX_MS),
        .initial_delay_ms = options->initial_rebalance_delay_ms,
        .size_max = or_default(options->size_max, BROKER_GROUP_SIZE_MAX),
        .joined = broker_join_group_answer,
        .synced = broker_sync_group_answer,
        .store = broker_groups_store,
        .arg = groups,
    };
    groups->retention_ms =
        (int64_t)or_default(options->offsets_retention_minutes, BROKER_OFFSETS_RETENTION_MINUTES) * MS_IN_MINUTE;
    groups->by_id = mr_map_new();
    groups->queue_end = &groups->queue;
    groups->group_count = mr_metric(MR_METRIC_GAUGE, "millrace_broker_groups", "", "Consumer groups that are known");
    groups->expire_timer =
        net_timer_new(broker->loop, BROKER_OFFSETS_CHECK_MS, BROKER_OFFSETS_CHECK_MS, expire_timer_run, groups);
    broker_groups_load(groups);
    return groups;
}

void broker_groups_close(struct broker_groups *groups)
{
    size_t cursor = 0;
    void *group;

    if (groups == NULL)
        return;
    net_timer_free(groups->expire_timer);
    net_timer_free(groups->load_timer);
    broker_groups_store_close(groups);
    while (mr_map_next(groups->by_id, &cursor, NULL, &group))
        group_free(group);
    mr_map_free(groups->by_id);
    mr_free(groups);
}

/* test_group.c -- the state machine of consumer groups in simulated time: scripts of what clients do, and what they
 * must be told.  One character a member: a, b, c…; the rules and the time are the test's. */
#include "broker/group_int.h"
#include "broker/group_offsets_int.h"
#include "broker/group_records_int.h"
#include "kafka/errors.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    SESSION_MS = 10000,
    REBALANCE_MS = 30000,
    WAITERS_MAX = 64,
    NAMES = 8,
    NOT_YET = 9999,
};

struct waiter {
    int error; /* NOT_YET until it is answered */
    int32_t generation;
    int members; /* told: -1 when it is not the leader's answer */
    bool skip;
    char member_id[64];
    char leader[64];
    char protocol[32];
    char assignment[64];
};

struct play {
    struct mr_env env;
    int64_t now_ms;
    uint64_t random;
    struct broker_group_rules rules;
    struct broker_group *group;
    struct waiter waiters[WAITERS_MAX];
    size_t waiter_count;
    int64_t stored[WAITERS_MAX]; /* tickets */
    size_t stored_count;
    char ids[NAMES][64]; /* of the members a, b… */
    struct waiter *last[NAMES];
};

static int64_t play_now_us(struct mr_env *env)
{
    return ((struct play *)env)->now_ms * 1000;
}

static int64_t play_monotonic_ns(struct mr_env *env)
{
    return ((struct play *)env)->now_ms * 1000000;
}

static void play_random(struct mr_env *env, void *out, size_t size)
{
    struct play *p = (struct play *)env;

    for (size_t i = 0; i < size; i++)
        ((uint8_t *)out)[i] =
            (uint8_t)(p->random = p->random * 6364136223846793005u + 1442695040888963407u) ^ (uint8_t)i;
}

static const struct mr_env_ops play_ops = { .now_us = play_now_us,
                                            .monotonic_ns = play_monotonic_ns,
                                            .random = play_random };

static void text_put(char *to, size_t size, struct mr_str from)
{
    snprintf(to, size, "%.*s", MR_STR_ARG(from));
}

static void on_joined(void *arg, const struct broker_joined *answer)
{
    struct waiter *w = arg;

    assert_int_equal(w->error, NOT_YET); /* G3: once */
    w->error = answer->error;
    w->generation = answer->generation;
    w->members = answer->members_of != NULL ? (int)answer->members_of->member_count : -1;
    w->skip = answer->skip_assignment;
    text_put(w->member_id, sizeof(w->member_id), answer->member_id);
    text_put(w->leader, sizeof(w->leader), answer->leader);
    text_put(w->protocol, sizeof(w->protocol), answer->protocol);
}

static void on_synced(void *arg, const struct broker_synced *answer)
{
    struct waiter *w = arg;

    assert_int_equal(w->error, NOT_YET);
    w->error = answer->error;
    text_put(w->assignment, sizeof(w->assignment), mr_str_of_bytes(answer->assignment));
    text_put(w->protocol, sizeof(w->protocol), answer->protocol);
}

static void on_store(void *arg, struct broker_group *group, int64_t ticket)
{
    struct play *p = arg;

    MR_UNUSED(group);
    p->stored[p->stored_count++] = ticket;
}

static int play_setup(void **state)
{
    struct play *p = MR_NEW(struct play);

    p->env.ops = &play_ops;
    p->now_ms = 1700000000000;
    p->rules = (struct broker_group_rules){
        .env = &p->env,
        .session_min_ms = 6000,
        .session_max_ms = 300000,
        .size_max = 4,
        .joined = on_joined,
        .synced = on_synced,
        .store = on_store,
        .arg = p,
    };
    p->group = broker_group_new(&p->rules, MR_STR("g"));
    *state = p;
    return 0;
}

static int play_teardown(void **state)
{
    struct play *p = *state;

    for (size_t i = 0; i < p->group->member_count; i++) {
        p->group->members[i]->join_waiter = NULL;
        p->group->members[i]->sync_waiter = NULL;
    }
    broker_group_free(p->group);
    assert_int_equal(p->rules.bytes, 0); /* all that was counted was given back */
    mr_free(p);
    return 0;
}

/* ---- what clients do ---- */

static struct waiter *waiter_new(struct play *p)
{
    struct waiter *w = &p->waiters[p->waiter_count++ % WAITERS_MAX];

    *w = (struct waiter){ .error = NOT_YET };
    return w;
}

static struct mr_str id_of(const struct play *p, char who)
{
    return mr_str_of(p->ids[who - 'a']);
}

struct joining {
    const char *instance;
    const char *protocols; /* words; NULL: "range" */
    const char *type;      /* NULL: "consumer" */
    const char *metadata;  /* NULL: "m" */
    int32_t session_ms;    /* 0: SESSION_MS */
    int32_t rebalance_ms;  /* 0: REBALANCE_MS */
    bool without_id;       /* an old client, which need not come back with its id */
    bool can_skip;
    bool forgets; /* joins with no id although it has one */
};

static struct waiter *join_with(struct play *p, char who, const struct joining *j)
{
    struct waiter *w = waiter_new(p);
    struct broker_protocol protocols[8];
    char words[128], *rest = NULL;
    const char *metadata = j->metadata ? j->metadata : "m";
    struct broker_join join = {
        .member_id = j->forgets ? MR_STR("") : id_of(p, who),
        .instance_id = mr_str_of(j->instance),
        .client_id = { &who, 1 },
        .client_host = MR_STR("/127.0.0.1"),
        .protocol_type = mr_str_of(j->type ? j->type : "consumer"),
        .session_timeout_ms = j->session_ms ? j->session_ms : SESSION_MS,
        .rebalance_timeout_ms = j->rebalance_ms ? j->rebalance_ms : REBALANCE_MS,
        .protocols = protocols,
        .needs_id = !j->without_id,
        .can_skip = j->can_skip,
        .waiter = w,
    };

    snprintf(words, sizeof(words), "%s", j->protocols ? j->protocols : "range");
    for (char *word = strtok_r(words, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        protocols[join.protocol_count++] =
            (struct broker_protocol){ mr_str_of(word), { (const uint8_t *)metadata, strlen(metadata) } };
    broker_group_join(p->group, &join);
    if (w->error == KAFKA_ERROR_MEMBER_ID_REQUIRED || (w->error == 0 && w->member_id[0] != '\0'))
        memcpy(p->ids[who - 'a'], w->member_id, sizeof(p->ids[0]));
    return p->last[who - 'a'] = w;
}

/* As clients do: gets an id, then joins with it. */
static struct waiter *join(struct play *p, char who)
{
    struct joining j = { 0 };
    struct waiter *w;

    if (p->ids[who - 'a'][0] == '\0') {
        w = join_with(p, who, &j);
        assert_int_equal(w->error, KAFKA_ERROR_MEMBER_ID_REQUIRED);
        assert_true(w->member_id[0] == who && strlen(w->member_id) == 38); /* client id, '-', UUID */
    }
    return join_with(p, who, &j);
}

static struct waiter *sync_as(struct play *p, char who, const char *instance, int32_t generation, const char *gives)
{
    struct waiter *w = waiter_new(p);
    struct broker_assignment assignments[NAMES];
    struct broker_sync sync = {
        .member_id = id_of(p, who),
        .instance_id = mr_str_of(instance),
        .generation = generation,
        .assignments = assignments,
        .waiter = w,
    };

    for (; gives != NULL && gives[sync.assignment_count] != '\0'; sync.assignment_count++)
        assignments[sync.assignment_count] =
            (struct broker_assignment){ id_of(p, gives[sync.assignment_count]),
                                        { (const uint8_t *)gives + sync.assignment_count, 1 } };
    broker_group_sync(p->group, &sync);
    return w;
}

static void store_done(struct play *p, int error)
{
    assert_true(p->stored_count > 0);
    broker_group_stored(p->group, p->stored[p->stored_count - 1], error);
}

static int beat(struct play *p, char who)
{
    return broker_group_heartbeat(p->group, id_of(p, who), MR_STR_NULL, p->group->generation);
}

/* Time goes on; what is due is done when it is due. */
static void pass(struct play *p, int64_t ms)
{
    int64_t end = p->now_ms + ms;

    while (p->group->deadline_ms <= end) {
        if (p->group->deadline_ms > p->now_ms)
            p->now_ms = p->group->deadline_ms;
        broker_group_tick(p->group);
    }
    p->now_ms = end;
}

/* The members WHO ("ab": a leads) become a stable group. */
static void stable(struct play *p, const char *who)
{
    for (size_t i = 0; who[i] != '\0'; i++)
        (void)join(p, who[i]);
    for (size_t i = 0; who[i] != '\0'; i++) /* those who came first join again */
        if (p->last[who[i] - 'a']->error == 0 && p->last[who[i] - 'a']->generation != p->group->generation)
            (void)join(p, who[i]);
    for (size_t i = 0; who[i] != '\0' && p->group->state == BROKER_GROUP_PREPARING; i++)
        if (!broker_group_member(p->group, id_of(p, who[i]))->awaits_join)
            (void)join(p, who[i]);
    assert_int_equal(p->group->state, BROKER_GROUP_COMPLETING);
    for (size_t i = strlen(who); i-- > 0;)
        assert_int_equal(sync_as(p, who[i], NULL, p->group->generation, who)->error, NOT_YET);
    store_done(p, 0);
    assert_int_equal(p->group->state, BROKER_GROUP_STABLE);
}

/* ---- joining ---- */

static void test_first_member_leads(void **state)
{
    struct play *p = *state;
    struct waiter *joined = join(p, 'a'), *synced;

    assert_int_equal(joined->error, 0); /* no initial delay, one member: at once */
    assert_int_equal(joined->generation, 1);
    assert_int_equal(joined->members, 1);
    assert_string_equal(joined->leader, joined->member_id);
    assert_string_equal(joined->protocol, "range");
    assert_int_equal(p->group->pending_count, 0);
    synced = sync_as(p, 'a', NULL, 1, "a");
    assert_int_equal(synced->error, NOT_YET); /* G4 */
    store_done(p, 0);
    assert_int_equal(synced->error, 0);
    assert_string_equal(synced->assignment, "a");
}

static void test_second_member_rebalances(void **state)
{
    struct play *p = *state;
    struct waiter *a, *b;

    stable(p, "a");
    b = join(p, 'b');
    assert_int_equal(b->error, NOT_YET); /* waits for a */
    assert_int_equal(beat(p, 'a'), KAFKA_ERROR_REBALANCE_IN_PROGRESS);
    a = join(p, 'a');
    assert_int_equal(a->error, 0);
    assert_int_equal(b->error, 0);
    assert_int_equal(a->generation, 2);
    assert_int_equal(a->members, 2);
    assert_int_equal(b->members, -1);
    assert_string_equal(b->leader, a->member_id);
    assert_int_equal(p->group->state, BROKER_GROUP_COMPLETING);
    assert_int_equal(beat(p, 'b'), 0);
    b = sync_as(p, 'b', NULL, 2, NULL);
    a = sync_as(p, 'a', NULL, 2, "ab");
    store_done(p, 0);
    assert_string_equal(a->assignment, "a");
    assert_string_equal(b->assignment, "b");
    assert_int_equal(beat(p, 'b'), 0);
}

static void test_who_does_not_join_again_is_removed(void **state)
{
    struct play *p = *state;
    struct waiter *b;

    stable(p, "a");
    b = join(p, 'b');
    for (int i = 0; i < 9; i++) { /* its heartbeats go on, but it never joins */
        pass(p, REBALANCE_MS / 10);
        assert_int_equal(beat(p, 'a'), KAFKA_ERROR_REBALANCE_IN_PROGRESS);
    }
    assert_int_equal(b->error, NOT_YET);
    pass(p, REBALANCE_MS / 10);
    assert_int_equal(b->error, 0);
    assert_int_equal(b->members, 1); /* it leads now, alone */
    assert_int_equal(beat(p, 'a'), KAFKA_ERROR_UNKNOWN_MEMBER_ID);
}

static void test_session_ends(void **state)
{
    struct play *p = *state;

    stable(p, "ab");
    pass(p, SESSION_MS - 1);
    assert_int_equal(beat(p, 'b'), 0);
    pass(p, 1); /* a was silent */
    assert_int_equal(p->group->member_count, 1);
    assert_int_equal(p->group->state, BROKER_GROUP_PREPARING);
    assert_int_equal(join(p, 'b')->members, 1);
}

static void test_last_member_goes(void **state)
{
    struct play *p = *state;

    stable(p, "a");
    pass(p, SESSION_MS);
    assert_int_equal(p->group->state, BROKER_GROUP_EMPTY);
    assert_int_equal(p->group->generation, 2);
    assert_int_equal(p->stored_count, 2); /* that it is empty, too */
    assert_null(p->group->protocol.data);
    assert_true(mr_str_equal(p->group->protocol_type, MR_STR("consumer")));
    assert_int_equal(p->group->deadline_ms, BROKER_GROUP_NEVER);
}

static void test_pending_id_expires(void **state)
{
    struct play *p = *state;
    struct joining j = { 0 };

    assert_int_equal(join_with(p, 'a', &j)->error, KAFKA_ERROR_MEMBER_ID_REQUIRED);
    assert_int_equal(p->group->pending_count, 1);
    pass(p, SESSION_MS);
    assert_int_equal(p->group->pending_count, 0);
    assert_int_equal(p->group->state, BROKER_GROUP_EMPTY);
    assert_int_equal(join_with(p, 'a', &j)->error, KAFKA_ERROR_UNKNOWN_MEMBER_ID);
}

/* A rebalance waits for those that were given an id, for their session at most. */
static void test_pending_id_holds_a_rebalance(void **state)
{
    struct play *p = *state;
    struct joining j = { 0 };
    struct waiter *a;

    stable(p, "a");
    (void)join_with(p, 'b', &j);
    a = join(p, 'a'); /* a leader may ask for a rebalance */
    assert_int_equal(a->error, NOT_YET);
    pass(p, SESSION_MS);
    assert_int_equal(a->error, 0);
    assert_int_equal(a->members, 1);
}

static void test_initial_delay(void **state)
{
    struct play *p = *state;
    struct waiter *a, *b;

    p->rules.initial_delay_ms = 3000;
    a = join(p, 'a');
    pass(p, 2000);
    b = join(p, 'b');
    assert_int_equal(a->error, NOT_YET);
    pass(p, 1000); /* b came: 3 s more */
    assert_int_equal(a->error, NOT_YET);
    pass(p, 3000);
    assert_int_equal(a->error, 0);
    assert_int_equal(a->members, 2);
    assert_int_equal(b->generation, 1); /* one rebalance for both */
}

static void test_old_client_needs_no_id(void **state)
{
    struct play *p = *state;
    struct joining j = { .without_id = true };

    assert_int_equal(join_with(p, 'a', &j)->error, 0);
    assert_int_equal(p->group->member_count, 1);
}

static void test_join_refusals(void **state)
{
    static const struct {
        const char *name;
        struct joining j;
        const char *id;
        int error;
    } cases[] = {
        { "no protocols", { .protocols = "" }, "", KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL },
        { "no protocol type", { .type = "" }, "", KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL },
        { "another protocol type", { .type = "connect" }, "", KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL },
        { "no protocol that all have",
          { .protocols = "sticky roundrobin" },
          "",
          KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL },
        { "session too short", { .session_ms = 5999 }, "", KAFKA_ERROR_INVALID_SESSION_TIMEOUT },
        { "session too long", { .session_ms = 300001 }, "", KAFKA_ERROR_INVALID_SESSION_TIMEOUT },
        { "unknown member", { 0 }, "ghost", KAFKA_ERROR_UNKNOWN_MEMBER_ID },
        { "unknown instance", { .instance = "i" }, "ghost", KAFKA_ERROR_UNKNOWN_MEMBER_ID },
        { "one that fits", { .protocols = "sticky range" }, "", KAFKA_ERROR_MEMBER_ID_REQUIRED },
    };
    struct play *p = *state;

    stable(p, "a");
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct waiter *w;

        text_put(p->ids[1], sizeof(p->ids[1]), mr_str_of(cases[i].id));
        w = join_with(p, 'b', &cases[i].j);
        if (w->error != cases[i].error)
            fail_msg("%s: error %d", cases[i].name, w->error);
        assert_int_equal(p->group->state, BROKER_GROUP_STABLE);
    }
}

static void test_size_max(void **state)
{
    struct play *p = *state;
    struct joining j = { .without_id = true };

    stable(p, "abcd");
    assert_int_equal(join_with(p, 'e', &j)->error, KAFKA_ERROR_GROUP_MAX_SIZE_REACHED);
    assert_int_equal(p->group->state, BROKER_GROUP_STABLE);
}

static void test_pending_ids_are_limited(void **state)
{
    struct play *p = *state;
    struct joining j = { .forgets = true };

    for (int i = 0; i < 4; i++)
        assert_int_equal(join_with(p, 'a', &j)->error, KAFKA_ERROR_MEMBER_ID_REQUIRED);
    assert_int_equal(join_with(p, 'a', &j)->error, KAFKA_ERROR_GROUP_MAX_SIZE_REACHED);
    pass(p, SESSION_MS);
    assert_int_equal(join_with(p, 'a', &j)->error, KAFKA_ERROR_MEMBER_ID_REQUIRED);
}

static void test_bytes_are_limited(void **state)
{
    struct play *p = *state;
    struct joining j = { .without_id = true };

    p->rules.bytes = BROKER_GROUPS_BYTES_MAX;
    assert_int_equal(join_with(p, 'a', &j)->error, KAFKA_ERROR_GROUP_MAX_SIZE_REACHED);
    p->rules.bytes = 0;
}

static void test_votes(void **state)
{
    static const struct {
        const char *a, *b, *c, *chosen;
    } cases[] = {
        { "range", "range", "range", "range" },
        { "cooperative-sticky range", "range", "cooperative-sticky range", "range" },
        { "cooperative-sticky range", "range cooperative-sticky", "cooperative-sticky range", "cooperative-sticky" },
        { "x range sticky", "range sticky", "sticky range", "range" },
        { "sticky range", "range sticky", "range sticky", "range" },
    };
    struct play *p = *state;

    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        const char *protocols[] = { cases[i].a, cases[i].b, cases[i].c };
        struct waiter *w[3];

        p->group->pending_count = 0;
        p->rules.initial_delay_ms = 1000;
        for (int m = 0; m < 3; m++) {
            struct joining j = { .protocols = protocols[m], .without_id = true };

            p->ids[m][0] = '\0';
            w[m] = join_with(p, (char)('a' + m), &j);
        }
        pass(p, 2000);
        for (int m = 0; m < 3; m++) {
            assert_string_equal(w[m]->protocol, cases[i].chosen);
            assert_int_equal(broker_group_leave(p->group, mr_str_of(w[m]->member_id), MR_STR_NULL), 0);
        }
        assert_int_equal(p->group->state, BROKER_GROUP_EMPTY);
    }
}

static void test_join_again(void **state)
{
    struct play *p = *state;
    struct joining same = { 0 }, other = { .metadata = "more topics" };
    struct waiter *w;

    stable(p, "ab");
    w = join_with(p, 'b', &same); /* a follower that missed an answer: no rebalance */
    assert_int_equal(w->error, 0);
    assert_int_equal(w->members, -1);
    assert_int_equal(p->group->state, BROKER_GROUP_STABLE);
    w = join_with(p, 'b', &other);
    assert_int_equal(w->error, NOT_YET);
    assert_int_equal(p->group->state, BROKER_GROUP_PREPARING);
    assert_int_equal(join(p, 'a')->members, 2);
    assert_int_equal(w->error, 0);
    w = join_with(p, 'a', &same); /* while completing: the same answer again */
    assert_int_equal(w->error, 0);
    assert_int_equal(w->members, 2);
    assert_int_equal(p->group->state, BROKER_GROUP_COMPLETING);
}

/* A client that joins twice at once is answered twice. */
static void test_join_twice(void **state)
{
    struct play *p = *state;
    struct waiter *first, *second;

    stable(p, "a");
    first = join(p, 'b');
    second = join(p, 'b');
    assert_int_equal(first->error, KAFKA_ERROR_REBALANCE_IN_PROGRESS);
    assert_int_equal(second->error, NOT_YET);
    (void)join(p, 'a');
    assert_int_equal(second->error, 0);
}

/* ---- assignments ---- */

static void test_sync_refusals(void **state)
{
    struct play *p = *state;

    stable(p, "a");
    assert_int_equal(sync_as(p, 'a', NULL, 7, NULL)->error, KAFKA_ERROR_ILLEGAL_GENERATION);
    assert_int_equal(sync_as(p, 'h', NULL, 1, NULL)->error, KAFKA_ERROR_UNKNOWN_MEMBER_ID);
    assert_int_equal(sync_as(p, 'a', NULL, 1, NULL)->error, 0); /* again: the same assignment */
    (void)join(p, 'b');
    assert_int_equal(sync_as(p, 'a', NULL, 1, NULL)->error, KAFKA_ERROR_REBALANCE_IN_PROGRESS);
}

static void test_sync_names_must_fit(void **state)
{
    struct play *p = *state;
    struct waiter *w = waiter_new(p);
    struct broker_sync sync = {
        .generation = 1, .protocol_type = MR_STR("consumer"), .protocol = MR_STR("sticky"), .waiter = w
    };

    stable(p, "a");
    sync.member_id = id_of(p, 'a');
    broker_group_sync(p->group, &sync);
    assert_int_equal(w->error, KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL);
}

static void test_leader_never_syncs(void **state)
{
    struct play *p = *state;
    struct waiter *b;

    stable(p, "ab");
    (void)join(p, 'a');
    (void)join(p, 'b');
    b = sync_as(p, 'b', NULL, p->group->generation, NULL);
    for (int i = 0; i < 10; i++) { /* the leader is alive, but gives no assignment */
        assert_int_equal(b->error, NOT_YET);
        assert_int_equal(beat(p, 'a'), 0);
        pass(p, REBALANCE_MS / 10);
    }
    assert_int_equal(b->error, KAFKA_ERROR_REBALANCE_IN_PROGRESS);
    assert_int_equal(beat(p, 'a'), KAFKA_ERROR_UNKNOWN_MEMBER_ID);
    assert_int_equal(join(p, 'b')->members, 1);
}

static void test_store_fails(void **state)
{
    struct play *p = *state;
    struct waiter *w;

    (void)join(p, 'a');
    w = sync_as(p, 'a', NULL, 1, "a");
    store_done(p, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(w->error, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(p->group->state, BROKER_GROUP_PREPARING);
    assert_int_equal(join(p, 'a')->generation, 2);
}

/* The assignment of a generation that is over when it is stored is not given out. */
static void test_store_is_late(void **state)
{
    struct play *p = *state;
    struct waiter *w;

    (void)join(p, 'a');
    w = sync_as(p, 'a', NULL, 1, "a");
    (void)join(p, 'b');
    assert_int_equal(w->error, KAFKA_ERROR_REBALANCE_IN_PROGRESS);
    store_done(p, 0);
    assert_int_equal(p->group->state, BROKER_GROUP_PREPARING);
    assert_int_equal(p->group->members[0]->assignment.size, 0);
}

/* ---- leaving ---- */

static void test_leave(void **state)
{
    struct play *p = *state;

    stable(p, "ab");
    assert_int_equal(broker_group_leave(p->group, MR_STR("ghost"), MR_STR_NULL), KAFKA_ERROR_UNKNOWN_MEMBER_ID);
    assert_int_equal(broker_group_leave(p->group, id_of(p, 'a'), MR_STR_NULL), 0);
    assert_int_equal(beat(p, 'b'), KAFKA_ERROR_REBALANCE_IN_PROGRESS);
    assert_int_equal(join(p, 'b')->members, 1);
    assert_int_equal(broker_group_leave(p->group, id_of(p, 'b'), MR_STR_NULL), 0);
    assert_int_equal(p->group->state, BROKER_GROUP_EMPTY);
}

static void test_leave_while_others_wait(void **state)
{
    struct play *p = *state;
    struct waiter *b;

    stable(p, "a");
    b = join(p, 'b');
    assert_int_equal(broker_group_leave(p->group, id_of(p, 'a'), MR_STR_NULL), 0);
    assert_int_equal(b->error, 0); /* nobody else to wait for */
    assert_int_equal(b->members, 1);
}

static void test_client_goes_in_its_first_join(void **state)
{
    struct play *p = *state;
    struct waiter *b;

    stable(p, "a");
    b = join(p, 'b');
    broker_group_waiter_gone(p->group, b);
    assert_int_equal(p->group->member_count, 1);
    assert_int_equal(join(p, 'a')->error, 0); /* not held up by it */
    assert_int_equal(b->error, NOT_YET);
}

/* ---- static members ---- */

static struct waiter *join_static(struct play *p, char who, bool can_skip, const char *metadata)
{
    char instance[] = { 'i', who, '\0' };
    struct joining j = { .instance = instance, .can_skip = can_skip, .forgets = true, .metadata = metadata };

    return join_with(p, who, &j);
}

static void stable_static(struct play *p)
{
    p->rules.initial_delay_ms = 100;
    (void)join_static(p, 'a', false, NULL);
    (void)join_static(p, 'b', false, NULL);
    pass(p, 300);
    for (char who = 'a'; who <= 'b'; who++)
        memcpy(p->ids[who - 'a'], p->last[who - 'a']->member_id, sizeof(p->ids[0]));
    (void)sync_as(p, 'b', "ib", 1, NULL);
    (void)sync_as(p, 'a', "ia", 1, "ab");
    store_done(p, 0);
    assert_int_equal(p->group->state, BROKER_GROUP_STABLE);
}

static void test_static_member_comes_back(void **state)
{
    struct play *p = *state;
    char former[64];
    struct waiter *w;

    stable_static(p);
    memcpy(former, p->ids[1], sizeof(former));
    w = join_static(p, 'b', false, NULL);
    assert_int_equal(w->error, NOT_YET); /* its new id is stored first */
    store_done(p, 0);
    assert_int_equal(w->error, 0);
    assert_int_equal(w->generation, 1); /* no rebalance */
    assert_int_equal(p->group->state, BROKER_GROUP_STABLE);
    assert_string_not_equal(w->member_id, former);
    assert_int_equal(broker_group_heartbeat(p->group, mr_str_of(former), MR_STR("ib"), 1),
                     KAFKA_ERROR_FENCED_INSTANCE_ID);
    memcpy(p->ids[1], w->member_id, sizeof(p->ids[1]));
    assert_string_equal(sync_as(p, 'b', "ib", 1, NULL)->assignment, "b");
    assert_int_equal(broker_group_commit_check(p->group, mr_str_of(former), MR_STR("ib"), 1),
                     KAFKA_ERROR_FENCED_INSTANCE_ID);
    assert_int_equal(broker_group_commit_check(p->group, id_of(p, 'b'), MR_STR("ib"), 1), 0);
}

static void test_static_leader_comes_back(void **state)
{
    static const bool skips[] = { false, true };

    for (size_t i = 0; i < MR_COUNT(skips); i++) {
        struct play *p;
        char former[64];
        struct waiter *w;

        if (i > 0) {
            play_teardown(state);
            play_setup(state);
        }
        p = *state;
        stable_static(p);
        memcpy(former, p->ids[0], sizeof(former));
        w = join_static(p, 'a', skips[i], NULL);
        store_done(p, 0);
        assert_int_equal(w->error, 0);
        assert_int_equal(w->skip, skips[i]);
        if (skips[i]) { /* told that it leads, and not to assign */
            assert_string_equal(w->leader, w->member_id);
            assert_int_equal(w->members, 2);
        } else { /* an older client would assign at once: it is not told */
            assert_string_equal(w->leader, former);
            assert_int_equal(w->members, -1);
        }
    }
}

static void test_static_member_with_other_protocols(void **state)
{
    struct play *p = *state;
    struct joining j = { .instance = "ib", .forgets = true, .protocols = "sticky range" };

    stable_static(p);
    (void)join_with(p, 'b', &j); /* range is chosen still */
    assert_int_equal(p->group->state, BROKER_GROUP_STABLE);
}

static void test_static_member_is_fenced_while_it_waits(void **state)
{
    struct play *p = *state;
    struct waiter *first, *second;

    stable_static(p);
    (void)join(p, 'c'); /* a rebalance */
    first = join_static(p, 'b', false, NULL);
    second = join_static(p, 'b', false, NULL);
    assert_int_equal(first->error, KAFKA_ERROR_FENCED_INSTANCE_ID);
    assert_int_equal(second->error, NOT_YET);
}

/* A static member that is away keeps its place for its session, not for the rebalance only. */
static void test_static_member_is_away(void **state)
{
    struct play *p = *state;
    struct joining j = { .instance = "ia", .rebalance_ms = 2000 };
    struct waiter *a;

    stable_static(p);
    p->group->members[1]->rebalance_timeout_ms = 2000;
    a = join_with(p, 'a', &j); /* the leader asks for a rebalance, b is away */
    assert_int_equal(a->error, NOT_YET);
    pass(p, 2000);
    assert_int_equal(a->error, 0);
    assert_int_equal(a->members, 2);
    pass(p, SESSION_MS);
    assert_null(broker_group_instance(p->group, MR_STR("ib")));
}

/* While it is the leader, another who is there has to assign. */
static void test_static_leader_is_away(void **state)
{
    struct play *p = *state;
    struct joining j = { .instance = "ib", .metadata = "more topics", .rebalance_ms = 2000 };
    struct waiter *b;

    stable_static(p);
    p->group->members[0]->rebalance_timeout_ms = 2000;
    b = join_with(p, 'b', &j);
    pass(p, 2000);
    assert_int_equal(b->error, 0);
    assert_string_equal(b->leader, b->member_id);
    assert_int_equal(b->members, 2);
}

static void test_static_member_leaves_by_instance(void **state)
{
    struct play *p = *state;

    stable_static(p);
    assert_int_equal(broker_group_leave(p->group, MR_STR("ghost"), MR_STR("ib")), KAFKA_ERROR_FENCED_INSTANCE_ID);
    assert_int_equal(broker_group_leave(p->group, MR_STR(""), MR_STR("ix")), KAFKA_ERROR_UNKNOWN_MEMBER_ID);
    assert_int_equal(broker_group_leave(p->group, MR_STR(""), MR_STR("ib")), 0);
    assert_int_equal(p->group->member_count, 1);
}

/* ---- commits ---- */

static void test_commit_checks(void **state)
{
    struct play *p = *state;
    struct mr_str none = MR_STR("");

    assert_int_equal(broker_group_commit_check(p->group, none, MR_STR_NULL, -1), 0); /* nobody is in the group */
    assert_int_equal(broker_group_commit_check(p->group, MR_STR("x"), MR_STR_NULL, 1), KAFKA_ERROR_UNKNOWN_MEMBER_ID);
    stable(p, "a");
    assert_int_equal(broker_group_commit_check(p->group, none, MR_STR_NULL, -1), KAFKA_ERROR_UNKNOWN_MEMBER_ID);
    assert_int_equal(broker_group_commit_check(p->group, id_of(p, 'a'), MR_STR_NULL, 1), 0);
    assert_int_equal(broker_group_commit_check(p->group, id_of(p, 'a'), MR_STR_NULL, 0),
                     KAFKA_ERROR_ILLEGAL_GENERATION);
    (void)join(p, 'b');
    assert_int_equal(broker_group_commit_check(p->group, id_of(p, 'a'), MR_STR_NULL, 1), 0); /* before it joins again */
    (void)join(p, 'a');
    assert_int_equal(broker_group_commit_check(p->group, id_of(p, 'a'), MR_STR_NULL, 2),
                     KAFKA_ERROR_REBALANCE_IN_PROGRESS);
}

static void test_commit_keeps_the_session(void **state)
{
    struct play *p = *state;

    stable(p, "a");
    for (int i = 0; i < 5; i++) {
        pass(p, SESSION_MS - 1);
        assert_int_equal(broker_group_commit_check(p->group, id_of(p, 'a'), MR_STR_NULL, 1), 0);
    }
    assert_int_equal(p->group->state, BROKER_GROUP_STABLE);
}

static void test_dead_group(void **state)
{
    struct play *p = *state;
    struct joining j = { .without_id = true };

    broker_group_kill(p->group);
    assert_int_equal(join_with(p, 'a', &j)->error, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(beat(p, 'a'), KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(broker_group_leave(p->group, MR_STR("x"), MR_STR_NULL), KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(broker_group_commit_check(p->group, MR_STR(""), MR_STR_NULL, -1),
                     KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
    broker_group_revive(p->group);
    assert_int_equal(join_with(p, 'a', &j)->error, 0);
}

/* ---- stored and restored ---- */

static void test_group_value_both_ways(void **state)
{
    struct play *p = *state;
    struct mr_arena *arena = mr_arena_new();
    struct broker_group_image image;
    struct mr_writer out = { 0 }, again = { 0 };
    struct broker_group *copy = broker_group_new(&p->rules, MR_STR("g"));

    stable_static(p);
    broker_group_value_write(&out, p->group);
    assert_int_equal(broker_group_value_read(mr_writer_bytes(&out), arena, &image), MR_OK);
    broker_group_restore(copy, &image);
    assert_int_equal(copy->state, BROKER_GROUP_STABLE);
    assert_int_equal(copy->generation, 1);
    assert_int_equal(copy->member_count, 2);
    assert_true(mr_str_equal(copy->leader->id, id_of(p, 'a')));
    assert_int_equal(broker_group_heartbeat(copy, id_of(p, 'b'), MR_STR("ib"), 1), 0); /* members go on as they were */
    broker_group_value_write(&again, copy);
    assert_int_equal(mr_bytes_compare(mr_writer_bytes(&out), mr_writer_bytes(&again)), 0);
    for (size_t cut = 0; cut < out.size; cut++)
        assert_int_equal(broker_group_value_read((struct mr_bytes){ out.data, cut }, arena, &image), MR_INVALID);
    broker_group_free(copy);
    mr_writer_deinit(&out);
    mr_writer_deinit(&again);
    mr_arena_free(arena);
}

static size_t hex_read(const char *hex, uint8_t *out)
{
    size_t size = 0;

    for (; hex[0] != '\0'; hex += 2) {
        unsigned byte;

        assert_int_equal(sscanf(hex, "%2x", &byte), 1);
        out[size++] = (uint8_t)byte;
    }
    return size;
}

/* Records as Apache Kafka 4.3.1 wrote them into its own __consumer_offsets. */
static void test_records_of_kafka(void **state)
{
    static const char offset_key[] = "0001000673696d706c650002707400000001";
    static const char offset_value[] = "00040000000000000007ffffffff0b736f6d65206d65746100000001a206771f7d01"
                                       "0010bc1ab1af4e7648978891285851b6db4f";
    static const char group_key[] = "000200026731";
    static const char group_value[] =
        "00030008636f6e73756d657200000001000572616e67650029696e73742d39653234643039332d366534622d343865662d626238632d"
        "326462386663613161386631000001a206770d81000000010029696e73742d39653234643039332d366534622d343865662d62623863"
        "2d3264623866636131613866310004696e7374000772646b61666b61000a2f3132372e302e302e31000493e000001770000000180003"
        "00000001000270740000000000000000ffffffff00000000001a0000000000010002707400000002000000000000000100000000";
    struct play *p = *state;
    struct mr_arena *arena = mr_arena_new();
    struct broker_record_key key;
    struct broker_offset_value value;
    struct broker_group_image image;
    struct mr_writer out = { 0 };
    uint8_t bytes[512];
    struct mr_bytes b = { bytes, 0 };

    b.size = hex_read(offset_key, bytes);
    assert_int_equal(broker_record_key_read(b, &key), MR_OK);
    assert_int_equal(key.kind, BROKER_RECORD_OFFSET);
    assert_int_equal(key.partition, 1);
    broker_offset_key_write(&out, key.group, key.topic, key.partition);
    assert_int_equal(mr_bytes_compare(mr_writer_bytes(&out), b), 0);

    out.size = 0;
    b.size = hex_read(offset_value, bytes);
    assert_int_equal(broker_offset_value_read(b, &value), MR_OK);
    assert_int_equal(value.offset, 7);
    assert_true(mr_str_equal(value.metadata, MR_STR("some meta\0")));
    assert_int_equal(value.topic_id[0], 0xbc);
    broker_offset_value_write(&out, &value);
    assert_int_equal(mr_bytes_compare(mr_writer_bytes(&out), b), 0);

    out.size = 0;
    b.size = hex_read(group_key, bytes);
    assert_int_equal(broker_record_key_read(b, &key), MR_OK);
    broker_group_key_write(&out, key.group);
    assert_int_equal(mr_bytes_compare(mr_writer_bytes(&out), b), 0);

    out.size = 0;
    b.size = hex_read(group_value, bytes);
    assert_int_equal(broker_group_value_read(b, arena, &image), MR_OK);
    broker_group_restore(p->group, &image);
    assert_true(broker_group_subscribes(p->group, MR_STR("pt")));
    assert_false(broker_group_subscribes(p->group, MR_STR("p")));
    broker_group_value_write(&out, p->group);
    assert_int_equal(mr_bytes_compare(mr_writer_bytes(&out), b), 0);
    mr_writer_deinit(&out);
    mr_arena_free(arena);
}

static void test_older_and_newer_records(void **state)
{
    static const struct {
        const char *name;
        const char *hex;
        enum mr_status expect;
        int64_t offset;
        int32_t epoch;
        int64_t expire_ms;
    } cases[] = {
        { "version 0", "0000000000000000000500016d0000000000000001", MR_OK, 5, -1, -1 },
        { "version 1", "0001000000000000000500016d00000000000000010000000000000009", MR_OK, 5, -1, 9 },
        { "version 2", "0002000000000000000500016d0000000000000001", MR_OK, 5, -1, -1 },
        { "version 3", "000300000000000000050000000400016d0000000000000001", MR_OK, 5, 4, -1 },
        { "version 4 without a topic id", "0004000000000000000500000004026d000000000000000100", MR_OK, 5, 4, -1 },
        { "version 4, another tag", "0004000000000000000500000004026d0000000000000001010701ff", MR_OK, 5, 4, -1 },
        { "version 5", "0005000000000000000500000004026d000000000000000100", MR_UNSUPPORTED, 0, 0, 0 },
        { "null metadata", "00000000000000000005ffff0000000000000001", MR_INVALID, 0, 0, 0 },
        { "cut", "0000000000000000000500016d00000000000000", MR_INVALID, 0, 0, 0 },
        { "empty", "", MR_INVALID, 0, 0, 0 },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct broker_offset_value value = { 0 };
        uint8_t bytes[64];
        struct mr_bytes b = { bytes, 0 };

        b.size = hex_read(cases[i].hex, bytes);
        if (broker_offset_value_read(b, &value) != cases[i].expect)
            fail_msg("%s", cases[i].name);
        if (cases[i].expect == MR_OK && (value.offset != cases[i].offset || value.leader_epoch != cases[i].epoch ||
                                         value.expire_ms != cases[i].expire_ms))
            fail_msg("%s: read otherwise", cases[i].name);
    }
}

/* ---- offsets ---- */

static void test_offsets_in_flight(void **state)
{
    int64_t bytes = 0;
    struct broker_offsets *offsets = broker_offsets_new(&bytes);
    struct broker_offset_value one = { .offset = 1, .metadata = MR_STR("m"), .expire_ms = -1 }, two = one;
    struct mr_str t = MR_STR("t");

    MR_UNUSED(state);
    two.offset = 2;
    broker_offsets_touch(offsets, t, 0, 1);
    assert_false(broker_offsets_find(offsets, t, 0)->is_set); /* on its way: not shown */
    broker_offsets_set(offsets, t, 0, 1, &one);
    assert_int_equal(broker_offsets_find(offsets, t, 0)->value.offset, 1);
    broker_offsets_touch(offsets, t, 0, 2); /* a tombstone, and a commit behind it */
    broker_offsets_touch(offsets, t, 0, 3);
    broker_offsets_unset(offsets, t, 0, 2);
    assert_non_null(broker_offsets_find(offsets, t, 0));
    assert_false(broker_offsets_find(offsets, t, 0)->is_set);
    broker_offsets_set(offsets, t, 0, 3, &two);
    assert_int_equal(broker_offsets_find(offsets, t, 0)->value.offset, 2);
    broker_offsets_touch(offsets, t, 0, 4);
    broker_offsets_fail(offsets, t, 0, 4); /* what was there stays */
    assert_int_equal(broker_offsets_find(offsets, t, 0)->value.offset, 2);
    broker_offsets_touch(offsets, t, 1, 5);
    broker_offsets_fail(offsets, t, 1, 5);
    assert_null(broker_offsets_find(offsets, t, 1));
    broker_offsets_touch(offsets, t, 0, 6);
    broker_offsets_unset(offsets, t, 0, 6);
    assert_int_equal(broker_offsets_count(offsets), 0);
    assert_int_equal(bytes, 0);
    broker_offsets_touch(offsets, t, 0, 7);
    broker_offsets_free(offsets);
    assert_int_equal(bytes, 0);
}

#define PLAY(test) cmocka_unit_test_setup_teardown(test, play_setup, play_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY(test_first_member_leads),
        PLAY(test_second_member_rebalances),
        PLAY(test_who_does_not_join_again_is_removed),
        PLAY(test_session_ends),
        PLAY(test_last_member_goes),
        PLAY(test_pending_id_expires),
        PLAY(test_pending_id_holds_a_rebalance),
        PLAY(test_initial_delay),
        PLAY(test_old_client_needs_no_id),
        PLAY(test_join_refusals),
        PLAY(test_size_max),
        PLAY(test_pending_ids_are_limited),
        PLAY(test_bytes_are_limited),
        PLAY(test_votes),
        PLAY(test_join_again),
        PLAY(test_join_twice),
        PLAY(test_sync_refusals),
        PLAY(test_sync_names_must_fit),
        PLAY(test_leader_never_syncs),
        PLAY(test_store_fails),
        PLAY(test_store_is_late),
        PLAY(test_leave),
        PLAY(test_leave_while_others_wait),
        PLAY(test_client_goes_in_its_first_join),
        PLAY(test_static_member_comes_back),
        PLAY(test_static_leader_comes_back),
        PLAY(test_static_member_with_other_protocols),
        PLAY(test_static_member_is_fenced_while_it_waits),
        PLAY(test_static_member_is_away),
        PLAY(test_static_leader_is_away),
        PLAY(test_static_member_leaves_by_instance),
        PLAY(test_commit_checks),
        PLAY(test_commit_keeps_the_session),
        PLAY(test_dead_group),
        PLAY(test_group_value_both_ways),
        PLAY(test_records_of_kafka),
        PLAY(test_older_and_newer_records),
        PLAY(test_offsets_in_flight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

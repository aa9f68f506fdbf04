/* kafka_group.c -- the thread of a consumer group: commits, and for a member joining, heartbeats and giving up.
 *
 *   query's thread                                 the group's thread
 *   kafka_group_commit: pending offsets   ----->   commits them after a while
 *   kafka_group_state                     <-----   state, of a member: see kafka_group_int.h
 *
 * A member's phases   JOIN --assigned--> STABLE --rebalance, or the session is lost--> GIVING_UP --given up--> JOIN
 *
 * Invariants
 *   G1  offsets are committed with the member's generation: who lost its place (a session that ended while the process
 *       was held up) can't move the offsets of the one that took over.  What it wrote meanwhile, the other one writes
 *       again, the same: write times go with the offsets.
 *   G2  a partition's offsets are committed before the group is joined again, unless the place was lost.
 *   G3  the query's thread never waits for the coordinator. */
#include "connectors/kafka_group_int.h"

#include "base/logging.h"
#include "base/thread.h"
#include "kafka/errors.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum phase { PHASE_JOIN, PHASE_STABLE, PHASE_GIVING_UP, PHASE_OVER };

struct kafka_group {
    struct kafka_group_call call; /* the thread's */
    bool member;
    pthread_t thread;
    atomic_bool stop; /* ends what call waits for */
    struct connector_backoff backoff;
    struct connector_warner warner;
    bool lost;             /* the thread's: the place in the group is gone */
    int64_t beaten_ms;     /* the thread's: the coordinator answered last */
    int64_t unanswered_ms; /* the thread's: no try before */

    pthread_mutex_t lock; /* all below */
    pthread_cond_t changed;
    enum phase phase;
    bool fresh; /* STABLE: the assignment was not taken yet */
    bool closing, ended, given_up, rejoin;
    struct mr_err refused;               /* status MR_OK: not refused */
    struct kafka_group_offset *assigned; /* owned */
    uint32_t assigned_count;
    struct kafka_group_offset *pending; /* owned */
    uint32_t pending_count, pending_capacity;
    int64_t committed_ms;
};

/* ---- the query's side ---- */

/* Waits for a change until WAIT_MS passed.  Holding the lock. */
static void change_wait(struct kafka_group *g, int64_t wait_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&g->changed, &g->lock, &until);
}

void kafka_group_commit(struct kafka_group *g, const struct kafka_group_offset *offsets, uint32_t count)
{
    pthread_mutex_lock(&g->lock);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = 0;
        if (i < g->pending_count && g->pending[i].partition == offsets[i].partition)
            at = i;
        while (at < g->pending_count && g->pending[at].partition != offsets[i].partition)
            at++;
        if (at == g->pending_count) {
            MR_GROW(g->pending, g->pending_count, g->pending_capacity);
            g->pending_count++;
        }
        g->pending[at] = offsets[i];
    }
    pthread_mutex_unlock(&g->lock); /* the thread wakes by itself when the commit is due */
}

static enum kafka_group_state state_of(const struct kafka_group *g)
{
    if (g->phase == PHASE_STABLE)
        return g->fresh ? KAFKA_GROUP_TAKE : KAFKA_GROUP_KEEP;
    return g->phase == PHASE_GIVING_UP && !g->given_up ? KAFKA_GROUP_GIVE_UP : KAFKA_GROUP_WAIT;
}

enum mr_status kafka_group_state(struct kafka_group *g, int wait_ms, enum kafka_group_state *out, struct mr_err *err)
{
    enum mr_status status = MR_OK;

    pthread_mutex_lock(&g->lock);
    if (state_of(g) == KAFKA_GROUP_WAIT && wait_ms > 0 && g->refused.status == MR_OK)
        change_wait(g, wait_ms);
    *out = state_of(g);
    if (g->refused.status != MR_OK)
        status = mr_err_set(err, g->refused.status, "%s", g->refused.text);
    pthread_mutex_unlock(&g->lock);
    return status;
}

uint32_t kafka_group_take(struct kafka_group *g, struct mr_arena *arena, struct kafka_group_offset **out)
{
    uint32_t count;

    pthread_mutex_lock(&g->lock);
    count = g->assigned_count;
    *out = MR_ARENA_ARRAY(arena, struct kafka_group_offset, (size_t)count + 1);
    if (count > 0)
        memcpy(*out, g->assigned, count * sizeof(**out));
    g->fresh = false;
    pthread_mutex_unlock(&g->lock);
    return count;
}

void kafka_group_given_up(struct kafka_group *g)
{
    pthread_mutex_lock(&g->lock);
    g->given_up = true;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

void kafka_group_rejoin(struct kafka_group *g)
{
    pthread_mutex_lock(&g->lock);
    g->rejoin = true;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

/* ---- the thread ---- */

static void phase_set(struct kafka_group *g, enum phase phase)
{
    pthread_mutex_lock(&g->lock);
    g->phase = phase;
    g->given_up = false;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

/* Trouble that may pass: the coordinator is looked for again, later. */
static void trouble(struct kafka_group *g, int code, const struct mr_err *why)
{
    int64_t delay_ms = connector_backoff_next(&g->backoff, &g->call.ctx);

    if (code == 0 || code == KAFKA_ERROR_NOT_COORDINATOR || code == KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE)
        kafka_conn_close(&g->call.conn);
    g->unanswered_ms = connector_clock_ms(&g->call.ctx) + delay_ms;
    if (!atomic_load(&g->stop))
        connector_warn(&g->warner, &g->call.ctx, "group '%s': %s; tried again", g->call.group_id,
                       code != 0 ? kafka_error_text(code) : why->text);
}

static void refuse(struct kafka_group *g, enum mr_status status, const char *why)
{
    pthread_mutex_lock(&g->lock);
    mr_err_set(&g->refused, status, "group '%s': %s", g->call.group_id, why);
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

/* Is CODE one that says that this member has no place any more? */
static bool place_lost(struct kafka_group *g, int code)
{
    if (code != KAFKA_ERROR_UNKNOWN_MEMBER_ID && code != KAFKA_ERROR_ILLEGAL_GENERATION &&
        code != KAFKA_ERROR_FENCED_INSTANCE_ID)
        return false;
    if (code == KAFKA_ERROR_UNKNOWN_MEMBER_ID) {
        mr_free(g->call.member_id);
        g->call.member_id = mr_strdup("");
    }
    return true;
}

/* Commits what is pending.  *CODE as the coordinator said it. */
static enum mr_status pending_commit(struct kafka_group *g, int *code, struct mr_err *err)
{
    struct kafka_group_offset *offsets;
    uint32_t count;
    enum mr_status status = kafka_group_find(&g->call, code, err);

    if (status != MR_OK || *code != 0)
        return status;
    pthread_mutex_lock(&g->lock);
    offsets = g->pending;
    count = g->pending_count;
    g->pending = NULL;
    g->pending_count = g->pending_capacity = 0;
    pthread_mutex_unlock(&g->lock);
    if (count > 0)
        status = kafka_group_offsets_commit(&g->call, code, offsets, count, err);
    pthread_mutex_lock(&g->lock);
    if ((status != MR_OK || *code != 0) && g->pending == NULL) { /* newer ones are as good */
        g->pending = offsets;
        g->pending_count = g->pending_capacity = count;
        offsets = NULL;
    }
    g->committed_ms = connector_clock_ms(&g->call.ctx);
    pthread_mutex_unlock(&g->lock);
    mr_free(offsets);
    return status;
}

static void commit_due(struct kafka_group *g)
{
    struct mr_err why = MR_ERR_INIT;
    int code = 0;
    enum mr_status status = pending_commit(g, &code, &why);

    if (status == MR_OK && code == 0) {
        g->backoff.attempt = 0;
        return;
    }
    if (code == KAFKA_ERROR_REBALANCE_IN_PROGRESS) {
        phase_set(g, PHASE_GIVING_UP);
        return;
    }
    if (g->member && place_lost(g, code)) {
        g->lost = true;
        phase_set(g, PHASE_GIVING_UP);
        return;
    }
    trouble(g, code, &why);
}

static void heartbeat_due(struct kafka_group *g, bool giving_up)
{
    struct mr_err why = MR_ERR_INIT;
    int code = 0;
    int64_t now_ms;
    enum mr_status status = kafka_group_find(&g->call, &code, &why);

    if (status == MR_OK && code == 0)
        status = kafka_group_heartbeat(&g->call, &code, &why);
    now_ms = connector_clock_ms(&g->call.ctx);
    if (status == MR_OK && (code == 0 || code == KAFKA_ERROR_REBALANCE_IN_PROGRESS)) {
        g->beaten_ms = now_ms;
        g->backoff.attempt = 0;
        if (code != 0 && !giving_up)
            phase_set(g, PHASE_GIVING_UP);
        return;
    }
    if (place_lost(g, code) || now_ms - g->beaten_ms > g->call.session_ms) {
        g->lost = true;
        if (!giving_up)
            phase_set(g, PHASE_GIVING_UP);
    }
    if (code == 0 || !g->lost)
        trouble(g, code, &why);
}

/* Joins and takes the assignment, with the group's offsets. */
static enum mr_status join(struct kafka_group *g, int *code, struct mr_err *err)
{
    struct kafka_group_member *members = NULL;
    struct kafka_group_topic *topics = NULL;
    struct kafka_group_offset *offsets;
    int32_t member_count = 0, topic_count = 0, count = 0, *partitions = NULL, *mine;
    bool leader = false;
    enum mr_status status = kafka_group_find(&g->call, code, err);

    if (status == MR_OK && *code == 0)
        status = kafka_group_join(&g->call, code, &leader, &members, &member_count, err);
    if (status == MR_OK && *code == 0 && leader)
        status = kafka_group_topics(&g->call, members, member_count, &topics, &topic_count, err);
    if (status != MR_OK || *code != 0)
        return status;
    if (leader)
        kafka_group_divide(members, member_count, topics, topic_count);
    status = kafka_group_sync(&g->call, members, member_count, code, &partitions, &count, err);
    if (status != MR_OK || *code != 0)
        return status;
    mine = mr_calloc((size_t)count + 1, sizeof(*mine));
    if (count > 0)
        memcpy(mine, partitions, (size_t)count * sizeof(*mine));
    offsets = mr_calloc((size_t)count + 1, sizeof(*offsets));
    if (count > 0)
        status = kafka_group_offsets_fetch(&g->call, code, mine, count, offsets, err);
    mr_free(mine);
    if (status != MR_OK || *code != 0) {
        mr_free(offsets);
        return status;
    }
    pthread_mutex_lock(&g->lock);
    mr_free(g->assigned);
    g->assigned = offsets;
    g->assigned_count = (uint32_t)count;
    g->pending_count = 0;
    g->fresh = true;
    pthread_mutex_unlock(&g->lock);
    mr_log(MR_LOG_INFO, "connectors", "group %s: %d partitions of topic %s are read here (generation %d)",
           g->call.group_id, count, g->call.topic, g->call.generation);
    return MR_OK;
}

static void join_turn(struct kafka_group *g)
{
    struct mr_err why = MR_ERR_INIT;
    int code = 0;
    enum mr_status status = join(g, &code, &why);

    if (status == MR_OK && code == 0) {
        g->lost = false;
        g->backoff.attempt = 0;
        g->beaten_ms = connector_clock_ms(&g->call.ctx);
        phase_set(g, PHASE_STABLE);
        return;
    }
    if (code == KAFKA_ERROR_MEMBER_ID_REQUIRED || code == KAFKA_ERROR_REBALANCE_IN_PROGRESS || place_lost(g, code))
        return; /* at once */
    if (status == MR_UNSUPPORTED)
        refuse(g, status, why.text);
    else if (code == KAFKA_ERROR_GROUP_AUTHORIZATION_FAILED)
        refuse(g, MR_DENIED, kafka_error_text(code));
    else if (code == KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL || code == KAFKA_ERROR_INVALID_SESSION_TIMEOUT ||
             code == KAFKA_ERROR_INVALID_GROUP_ID)
        refuse(g, MR_INVALID, kafka_error_text(code));
    trouble(g, code, &why);
}

/* How long until there is something to do; 0: now.  Holding the lock.  *COMMIT, *BEAT say what. */
static int64_t turn_due(struct kafka_group *g, bool *commit, bool *beat)
{
    int64_t now_ms = connector_clock_ms(&g->call.ctx), wait_ms = KAFKA_GROUP_COMMIT_MS, left_ms;

    *commit = *beat = false;
    if (g->pending_count > 0 && !g->lost) {
        left_ms = g->committed_ms + (g->member ? KAFKA_GROUP_COMMIT_SHARED_MS : KAFKA_GROUP_COMMIT_MS) - now_ms;
        *commit = left_ms <= 0;
        wait_ms = left_ms < wait_ms ? left_ms : wait_ms;
    } else if (g->member && g->phase == PHASE_STABLE) {
        wait_ms = KAFKA_GROUP_COMMIT_SHARED_MS; /* a commit may come */
    }
    if (g->member) {
        left_ms = g->beaten_ms + g->call.session_ms / 10 - now_ms; /* often: so it hears of a rebalance soon */
        *beat = left_ms <= 0;
        wait_ms = left_ms < wait_ms ? left_ms : wait_ms;
    }
    if (g->unanswered_ms > now_ms) {
        *commit = *beat = false;
        wait_ms = g->unanswered_ms - now_ms;
    }
    return wait_ms > 0 ? wait_ms : 0;
}

/* STABLE, and always for a group without members: commits and heartbeats until something changes. */
static void stable_turn(struct kafka_group *g)
{
    bool commit, beat, closing, rejoin;
    int64_t wait_ms;

    pthread_mutex_lock(&g->lock);
    wait_ms = turn_due(g, &commit, &beat);
    if (wait_ms > 0 && !g->closing && !g->rejoin)
        change_wait(g, wait_ms);
    closing = g->closing;
    rejoin = g->rejoin;
    g->rejoin = false;
    pthread_mutex_unlock(&g->lock);
    if (closing)
        return;
    if (commit)
        commit_due(g);
    else if (beat)
        heartbeat_due(g, false);
    if (rejoin)
        phase_set(g, PHASE_GIVING_UP);
}

/* The query finishes its epoch; then what it got is committed and the group joined again. */
static void giving_up_turn(struct kafka_group *g)
{
    struct mr_err why = MR_ERR_INIT;
    bool given_up, commit, beat, closing;
    int64_t wait_ms;
    int code = 0;

    pthread_mutex_lock(&g->lock);
    wait_ms = turn_due(g, &commit, &beat);
    if (!g->given_up && !g->closing && wait_ms > 0)
        change_wait(g, wait_ms);
    given_up = g->given_up;
    closing = g->closing;
    pthread_mutex_unlock(&g->lock);
    if (closing)
        return;
    if (!given_up) {
        if (beat)
            heartbeat_due(g, true);
        return;
    }
    if (!g->lost) {
        enum mr_status status = pending_commit(g, &code, &why);
        if (status != MR_OK || (code != 0 && code != KAFKA_ERROR_REBALANCE_IN_PROGRESS && !place_lost(g, code)))
            mr_log(MR_LOG_WARN, "connectors",
                   "group %s: the last offsets are not committed (%s); some records are read "
                   "again",
                   g->call.group_id, code != 0 ? kafka_error_text(code) : why.text);
    }
    phase_set(g, PHASE_JOIN);
}

/* Waits until UNANSWERED_MS, or closing. */
static bool pause_over(struct kafka_group *g)
{
    int64_t wait_ms = g->unanswered_ms - connector_clock_ms(&g->call.ctx);
    bool closing;

    pthread_mutex_lock(&g->lock);
    if (wait_ms > 0 && !g->closing)
        change_wait(g, wait_ms);
    closing = g->closing;
    pthread_mutex_unlock(&g->lock);
    return closing || wait_ms <= 0;
}

static void *thread_main(void *arg)
{
    struct kafka_group *g = arg;
    bool closing = false;
    enum phase phase = PHASE_STABLE;

    while (!closing) {
        pthread_mutex_lock(&g->lock);
        closing = g->closing;
        phase = g->phase;
        pthread_mutex_unlock(&g->lock);
        if (closing)
            break;
        if (phase == PHASE_STABLE)
            stable_turn(g);
        else if (phase == PHASE_GIVING_UP)
            giving_up_turn(g);
        else if (pause_over(g))
            join_turn(g);
    }
    atomic_store(&g->stop, false); /* set when closing found a join under way */
    if (!g->lost) {
        struct mr_err ignored = MR_ERR_INIT;
        int code = 0;
        if (pending_commit(g, &code, &ignored) == MR_OK && code == 0 && g->member)
            kafka_group_leave(&g->call);
    }
    pthread_mutex_lock(&g->lock);
    g->ended = true;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
    return NULL;
}

/* ---- life ---- */

enum mr_status kafka_group_open(struct kafka_group **out, const struct kafka_group_options *options, struct mr_err *err)
{
    struct kafka_group *g = MR_NEW(struct kafka_group);
    enum mr_status status;

    status = connector_addresses_parse(options->bootstrap, KAFKA_PORT, "'properties.bootstrap.servers'",
                                       g->call.bootstrap, &g->call.bootstrap_count, err);
    if (status != MR_OK) {
        mr_free(g);
        return status;
    }
    g->call.ctx = *options->ctx;
    g->call.ctx.stop = &g->stop;
    g->call.client_id = mr_strdup(options->ctx->query_name != NULL ? options->ctx->query_name : "millrace");
    g->call.topic = mr_strdup(options->topic);
    g->call.group_id = mr_strdup(options->group_id);
    g->call.instance_id = options->member && options->instance_id != NULL ? mr_strdup(options->instance_id) : NULL;
    g->call.member_id = mr_strdup("");
    g->call.generation = -1;
    g->call.session_ms = options->session_ms;
    g->call.arena = mr_arena_new();
    kafka_conn_init(&g->call.conn, &g->call.ctx, g->call.client_id, &g->call.bootstrap[0]);
    g->member = options->member;
    g->phase = options->member ? PHASE_JOIN : PHASE_STABLE;
    g->backoff = (struct connector_backoff){ .base_ms = 100, .max_ms = 5000 };
    g->refused = (struct mr_err)MR_ERR_INIT;
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->changed, NULL);
    mr_thread_start(&g->thread, "group", thread_main, g);
    *out = g;
    return MR_OK;
}

void kafka_group_close(struct kafka_group *g)
{
    int64_t until_ms;

    if (g == NULL)
        return;
    until_ms = connector_clock_ms(&g->call.ctx) + KAFKA_GROUP_CLOSE_MS;
    pthread_mutex_lock(&g->lock);
    g->closing = true;
    if (g->phase == PHASE_JOIN)
        atomic_store(&g->stop, true); /* a join may wait for long, and there is nothing to commit */
    pthread_cond_broadcast(&g->changed);
    while (!g->ended && connector_clock_ms(&g->call.ctx) < until_ms)
        change_wait(g, CONNECTOR_WAIT_SLICE_MS);
    pthread_mutex_unlock(&g->lock);
    atomic_store(&g->stop, true);
    pthread_join(g->thread, NULL);
    kafka_conn_deinit(&g->call.conn);
    mr_free(g->call.client_id);
    mr_free(g->call.topic);
    mr_free(g->call.group_id);
    mr_free(g->call.instance_id);
    mr_free(g->call.member_id);
    mr_arena_free(g->call.arena);
    mr_free(g->assigned);
    mr_free(g->pending);
    pthread_mutex_destroy(&g->lock);
    pthread_cond_destroy(&g->changed);
    mr_free(g);
}

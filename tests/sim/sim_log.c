/* sim_log.c -- the log on a simulated disk: appends, failures, power cuts and recoveries, all from one seed.
 *
 *   sim_log SEED [RUNS]     runs RUNS seeds from SEED on (default 1); the first wrong one prints how to repeat it
 *
 * The model knows of every batch the bytes sent, and whether it was acknowledged.  After each start, and in between:
 *   acknowledged => there, unless its deletion was asked for;  there => sent;  what was visible stays;  offsets dense;
 *   no byte changed;  a log start that was told stays, one that nobody asked for does not come;  so with partitions
 * Partition 0 of the topic "kept" has an idempotent producer that sends again what was not acknowledged: each of
 * its batches is there exactly once, in order.  Partition 1 has batches without producer.  Other topics come and go. */
#include "base/logging.h"
#include "log/log_int.h"
#include "sim_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 400, BATCHES_MAX = 4000, PARTITIONS = 2, TOPICS_MAX = 8, JOBS_MAX = 4096 };

struct batch {
    uint8_t *bytes; /* as sent */
    size_t size;
    int32_t records;
    int64_t end_offset; /* once acknowledged */
    bool acknowledged;
    bool waiting; /* appended, no answer yet */
};

struct model {
    struct batch batches[BATCHES_MAX];
    size_t count;        /* made */
    size_t next;         /* idempotent: the next to send, after a failure the first not acknowledged */
    int64_t visible;     /* greatest high watermark seen */
    int64_t start_told;  /* the log start is at least this, */
    int64_t start_asked; /* and at most this */
    bool idempotent;
};

enum topic_state { TOPIC_NONE, TOPIC_CREATING, TOPIC_THERE, TOPIC_DELETING, TOPIC_UNKNOWN };

struct sim_topic {
    struct sim *sim;
    enum topic_state state;
    int index;
    int32_t partitions_told;  /* it has at least so many, */
    int32_t partitions_asked; /* and at most so many */
};

struct deletion {
    struct model *model;
    int64_t offset;
};

/* The catalog: lasting at once, but its calls can fail as those of the disk can. */
struct sim_catalog {
    struct log_catalog base;
    struct sim_env *env;
    struct {
        char *name;
        uint8_t id[16];
        int32_t partition_count;
    } topics[TOPICS_MAX + 1];
    size_t topic_count;
    int32_t epoch;
    int64_t producer_id;
    bool clean;
};

struct sim {
    uint64_t seed;
    struct sim_env *env;
    struct sim_catalog catalog;
    struct log *log;
    struct model models[PARTITIONS];
    struct sim_topic topics[TOPICS_MAX];
    enum topic_state kept;
    int32_t epoch;
    struct {
        mr_job_fn *job;
        void *arg;
    } jobs[JOBS_MAX];
    size_t job_count;
    struct deletion deletions[STEPS];
    size_t deletion_count;
    uint64_t steps, crashes, recoveries, appends, acknowledged, cleans, deleted, grown;
};

static struct sim *running; /* for the message of a failure */

#define CHECK(condition, ...)                                                                                          \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                                            \
            fprintf(stderr, __VA_ARGS__);                                                                              \
            fprintf(stderr, "\nrepeat with: sim_log %" PRIu64 "   (step %" PRIu64 ")\n", running->seed,                \
                    running->steps);                                                                                   \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static uint64_t chance(struct sim *sim, uint64_t limit)
{
    return sim_env_random(sim->env, limit);
}

/* ---- catalog ---- */

static struct sim_catalog *catalog_of(struct log_catalog *catalog)
{
    return (struct sim_catalog *)catalog;
}

static enum mr_status catalog_topics(struct log_catalog *catalog, log_catalog_topic_fn *each, void *arg,
                                     struct mr_err *err)
{
    struct sim_catalog *c = catalog_of(catalog);
    enum mr_status status = MR_OK;

    for (size_t i = 0; status == MR_OK && i < c->topic_count; i++) {
        struct log_catalog_topic topic = { .name = mr_str_of(c->topics[i].name),
                                           .partition_count = c->topics[i].partition_count };

        memcpy(topic.id, c->topics[i].id, 16);
        status = each(arg, &topic, err);
    }
    return status;
}

/* Is the call to have its effect?  *STATUS is its answer. */
static bool catalog_call(struct sim_catalog *c, enum mr_status *status, struct mr_err *err)
{
    bool done;

    *status = sim_env_call(c->env, &done) ? MR_OK : mr_err_set(err, MR_IO, "the catalog failed");
    return done;
}

static enum mr_status catalog_start(struct log_catalog *catalog, struct log_catalog_start *out, struct mr_err *err)
{
    struct sim_catalog *c = catalog_of(catalog);
    enum mr_status status;

    if (catalog_call(c, &status, err)) {
        struct log_catalog_start start = { .producer_id_first = c->producer_id, .clean = c->clean };

        c->epoch += !c->clean;
        start.leader_epoch = c->epoch;
        c->clean = false;
        c->producer_id += LOG_PRODUCER_IDS_BLOCK;
        *out = start;
    }
    return status;
}

static enum mr_status catalog_topic_put(struct log_catalog *catalog, const struct log_catalog_topic *topic,
                                        struct mr_err *err)
{
    struct sim_catalog *c = catalog_of(catalog);
    enum mr_status status;

    if (catalog_call(c, &status, err)) {
        assert(c->topic_count < MR_COUNT(c->topics));
        c->topics[c->topic_count].name = mr_str_dup(topic->name);
        memcpy(c->topics[c->topic_count].id, topic->id, 16);
        c->topics[c->topic_count++].partition_count = topic->partition_count;
    }
    return status;
}

static enum mr_status catalog_topic_update(struct log_catalog *catalog, const struct log_catalog_topic *topic,
                                           struct mr_err *err)
{
    struct sim_catalog *c = catalog_of(catalog);
    enum mr_status status;

    if (catalog_call(c, &status, err)) {
        for (size_t i = 0; i < c->topic_count; i++)
            if (memcmp(c->topics[i].id, topic->id, 16) == 0)
                c->topics[i].partition_count = topic->partition_count;
    }
    return status;
}

static enum mr_status catalog_topic_remove(struct log_catalog *catalog, const uint8_t id[16], struct mr_err *err)
{
    struct sim_catalog *c = catalog_of(catalog);
    enum mr_status status;

    if (catalog_call(c, &status, err)) {
        for (size_t i = 0; i < c->topic_count; i++) {
            if (memcmp(c->topics[i].id, id, 16) == 0) {
                mr_free(c->topics[i].name);
                c->topics[i] = c->topics[--c->topic_count];
                break;
            }
        }
    }
    return status;
}

static enum mr_status catalog_producer_ids(struct log_catalog *catalog, int64_t *first, struct mr_err *err)
{
    struct sim_catalog *c = catalog_of(catalog);
    enum mr_status status;

    if (catalog_call(c, &status, err)) {
        *first = c->producer_id;
        c->producer_id += LOG_PRODUCER_IDS_BLOCK;
    }
    return status;
}

static enum mr_status catalog_stopped(struct log_catalog *catalog, struct mr_err *err)
{
    struct sim_catalog *c = catalog_of(catalog);
    enum mr_status status;

    if (catalog_call(c, &status, err))
        c->clean = true;
    return status;
}

/* ---- the loop that callbacks come through ---- */

static void post_run(void *loop, mr_job_fn *job, void *arg)
{
    struct sim *sim = loop;

    assert(sim->job_count < JOBS_MAX);
    sim->jobs[sim->job_count].job = job;
    sim->jobs[sim->job_count++].arg = arg;
}

static void sim_run_callbacks(struct sim *sim)
{
    for (size_t i = 0; i < sim->job_count; i++)
        sim->jobs[i].job(sim->jobs[i].arg);
    sim->job_count = 0;
}

/* ---- start and stop ---- */

static void kept_done(void *arg, enum mr_status status, struct log_topic *topic, const struct mr_err *err)
{
    struct sim *sim = arg;

    MR_UNUSED(err);
    CHECK((status == MR_OK) == (topic != NULL), "a topic comes with MR_OK only");
    sim->kept = status == MR_OK ? TOPIC_THERE : TOPIC_UNKNOWN;
}

static struct log_options sim_options(struct sim *sim)
{
    return (struct log_options){
        .env = sim_env_env(sim->env),
        .post = { post_run, sim },
        .manual_commit = true,
        .segment_bytes_max = 16 << 10,
        .checkpoint_bytes = 6 << 10,
        .index_interval_bytes = 512,
        .unsynced_bytes_max = 12 << 10,
        .catalog = &sim->catalog.base,
    };
}

static struct log_partition *kept_partition(struct sim *sim, int32_t index)
{
    struct log_topic *topic = log_topic_find(sim->log, MR_STR("kept"));

    return topic != NULL ? log_topic_partition(topic, index) : NULL;
}

static struct batch *batch_of(struct model *m, const struct kafka_batch *batch, size_t *index)
{
    for (size_t i = *index; i < m->count; i++) {
        if (m->batches[i].size == batch->bytes.size &&
            memcmp(m->batches[i].bytes + 16, batch->bytes.data + 16, batch->bytes.size - 16) == 0) {
            *index = i;
            return &m->batches[i];
        }
    }
    return NULL;
}

/* Compares all that can be read of partition I with the model. */
static void partition_check(struct sim *sim, int32_t i)
{
    struct model *m = &sim->models[i];
    struct log_partition *p = kept_partition(sim, i);
    int64_t start = log_start_offset(p), offset = start, high = log_high_watermark(p);
    size_t next = 0, seen = 0, acknowledged = 0, found = 0;
    struct mr_err err = MR_ERR_INIT;

    CHECK(high >= m->visible, "partition %d: offset %" PRId64 " was visible, now %" PRId64, i, m->visible, high);
    m->visible = high;
    CHECK(start >= m->start_told, "partition %d: began at %" PRId64 ", now at %" PRId64, i, m->start_told, start);
    CHECK(start <= m->start_asked && start <= high, "partition %d: begins at %" PRId64, i, start);
    while (offset < high) {
        struct mr_writer out = { 0 };
        struct kafka_batch batch;
        size_t at = 0;

        CHECK(log_read_copy(p, offset, 1 + (int64_t)chance(sim, 4000), &out, &err) == MR_OK, "%s", err.text);
        CHECK(out.size > 0, "partition %d: nothing at offset %" PRId64, i, offset);
        while (at < out.size) {
            struct batch *b;

            CHECK(kafka_batch_parse((struct mr_bytes){ out.data + at, out.size - at }, &batch, &err) == MR_OK, "%s",
                  err.text);
            CHECK(batch.base_offset == offset || (offset == start && batch.base_offset < start),
                  "partition %d: offset %" PRId64 ", not %" PRId64, i, batch.base_offset, offset);
            b = batch_of(m, &batch, &next);
            CHECK(b != NULL, "partition %d: the batch at %" PRId64 " was not sent, or comes twice", i, offset);
            if (offset == start)
                seen = next;
            CHECK(!m->idempotent || next == seen, "partition %d: batch %zu is missing", i, seen);
            found += b->acknowledged;
            next++;
            seen++;
            offset = batch.last_offset + 1;
            at += batch.bytes.size;
        }
        mr_writer_deinit(&out);
    }
    CHECK(offset == high, "partition %d: ends at %" PRId64 ", not %" PRId64, i, offset, high);
    for (size_t n = 0; n < m->count; n++)
        acknowledged += m->batches[n].acknowledged && m->batches[n].end_offset > start;
    CHECK(found == acknowledged, "partition %d: %zu acknowledged, %zu there", i, acknowledged, found);
}

static void sim_check(struct sim *sim)
{
    for (int32_t i = 0; i < PARTITIONS && kept_partition(sim, i) != NULL; i++)
        partition_check(sim, i);
}

static void topics_check(struct sim *sim)
{
    struct log_topic *kept = log_topic_find(sim->log, MR_STR("kept"));

    CHECK(sim->kept != TOPIC_THERE || kept != NULL, "the topic \"kept\" is gone");
    sim->kept = kept != NULL ? TOPIC_THERE : TOPIC_NONE;
    for (int i = 0; i < TOPICS_MAX; i++) {
        enum topic_state *state = &sim->topics[i].state;
        char name[16];
        bool there;

        snprintf(name, sizeof(name), "t%d", i);
        there = log_topic_find(sim->log, mr_str_of(name)) != NULL;
        CHECK(*state != TOPIC_THERE || there, "the topic %s is gone", name);
        CHECK(*state != TOPIC_NONE || !there, "the topic %s is back", name);
        *state = there ? TOPIC_THERE : TOPIC_NONE;
        if (there) {
            int32_t count = log_topic_partition_count(log_topic_find(sim->log, mr_str_of(name)));

            CHECK(count >= sim->topics[i].partitions_told && count <= sim->topics[i].partitions_asked,
                  "the topic %s has %d partitions, not %d to %d", name, count, sim->topics[i].partitions_told,
                  sim->topics[i].partitions_asked);
        }
    }
}

/* Starts the log, through as many failures and power cuts on the way as chance wants. */
static void sim_start(struct sim *sim, bool after_clean)
{
    struct log_options options = sim_options(sim);
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status;
    bool noted;

    if (chance(sim, 3) == 0)
        sim_env_fail(sim->env, chance(sim, 2) ? SIM_FAULT_POWER : SIM_FAULT_IO, 1 + chance(sim, 20));
    noted = sim->catalog.clean; /* the note may be there though log_close heard of no success */
    while ((status = log_open(&sim->log, "/d", &options, &err)) != MR_OK) {
        CHECK(status == MR_IO, "start: %s", err.text);
        after_clean = false;
        sim->crashes++;
        sim_run_callbacks(sim);
        sim_env_power_cut(sim->env);
        noted = sim->catalog.clean;
        if (chance(sim, 3) == 0)
            sim_env_fail(sim->env, SIM_FAULT_POWER, 1 + chance(sim, 20));
    }
    sim_env_fail_clear(sim->env);
    sim->recoveries++;
    CHECK(log_leader_epoch(sim->log) > sim->epoch || (noted && log_leader_epoch(sim->log) == sim->epoch),
          "leader epoch %d after %d", log_leader_epoch(sim->log), sim->epoch);
    CHECK(!after_clean || log_leader_epoch(sim->log) == sim->epoch, "leader epoch %d after a clean stop at %d",
          log_leader_epoch(sim->log), sim->epoch);
    sim->epoch = log_leader_epoch(sim->log);
    topics_check(sim);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        struct model *m = &sim->models[i];

        for (m->next = 0; m->next < m->count && m->batches[m->next].acknowledged; m->next++)
            continue;
        for (size_t n = 0; n < m->count; n++)
            m->batches[n].waiting = false;
    }
    sim_check(sim);
}

static void sim_crash(struct sim *sim)
{
    log_abandon(sim->log);
    sim_run_callbacks(sim);
    sim->crashes++;
    sim_env_power_cut(sim->env);
    sim_start(sim, false);
}

static void sim_stop(struct sim *sim)
{
    struct mr_err err = MR_ERR_INIT;
    bool clean = log_close(sim->log, &err) == MR_OK;

    sim_run_callbacks(sim);
    sim->cleans += clean;
    if (sim_env_off(sim->env) || chance(sim, 2))
        sim_env_power_cut(sim->env);
    sim_start(sim, clean);
}

/* ---- what happens ---- */

static struct batch *batch_make(struct sim *sim, int32_t partition)
{
    struct model *m = &sim->models[partition];
    struct batch *b = &m->batches[m->count];
    struct kafka_builder builder;
    struct mr_writer out = { 0 };
    struct mr_err err;
    uint8_t value[600];
    int32_t sequence = 0;

    assert(m->count < BATCHES_MAX);
    for (size_t i = 0; i < m->count; i++)
        sequence += m->batches[i].records;
    b->records = 1 + (int32_t)chance(sim, 4);
    kafka_builder_init(&builder);
    if (m->idempotent) {
        builder.producer_id = 7;
        builder.producer_epoch = 0;
        builder.base_sequence = sequence;
    }
    for (int32_t i = 0; i < b->records; i++) {
        size_t size = chance(sim, sizeof(value));

        memset(value, (int)chance(sim, 256), size);
        kafka_builder_add(&builder, mr_now_ms(sim_env_env(sim->env)),
                          (struct mr_bytes){ (const uint8_t *)&m->count, sizeof(m->count) },
                          (struct mr_bytes){ value, size }, NULL, 0);
    }
    CHECK(kafka_builder_finish(&builder, KAFKA_CODEC_NONE, &out, &err) == MR_OK, "%s", err.text);
    kafka_builder_deinit(&builder);
    b->bytes = out.data;
    b->size = out.size;
    m->count++;
    return b;
}

static void batch_synced(void *arg, enum mr_status status, const struct mr_err *err)
{
    struct batch *b = arg;

    MR_UNUSED(err);
    CHECK(b->waiting, "an answer that nobody waits for");
    b->waiting = false;
    if (status == MR_OK) {
        b->acknowledged = true;
        running->acknowledged++;
    }
}

/* Sent and not acknowledged: an idempotent producer keeps to five, as the log remembers no more. */
static size_t in_flight(const struct model *m)
{
    size_t first = 0;

    while (first < m->next && m->batches[first].acknowledged)
        first++;
    return m->next - first;
}

static void sim_append(struct sim *sim, int32_t partition)
{
    struct model *m = &sim->models[partition];
    struct log_partition *p = kept_partition(sim, partition);
    struct log_append_result result;
    struct mr_err err = MR_ERR_INIT;
    struct batch *b;
    enum mr_status status;

    if (p == NULL || m->count == BATCHES_MAX || (m->idempotent && in_flight(m) >= LOG_PRODUCER_BATCHES))
        return;
    b = m->idempotent && m->next < m->count ? &m->batches[m->next] : batch_make(sim, partition);
    b->waiting = true;
    sim->appends++;
    status = log_append(p, (struct mr_bytes){ b->bytes, b->size }, &result, batch_synced, b, &err);
    if (status == MR_OK) {
        b->end_offset = result.base_offset + b->records;
        m->next++;
        return;
    }
    b->waiting = false;
    CHECK(status == MR_IO || status == MR_LIMIT, "append: %s", err.text);
    CHECK(result.outcome == LOG_REFUSED, "a refused append has the outcome %d", result.outcome);
}

/* A client that heard nothing sends the last batch again. */
static void sim_append_again(struct sim *sim)
{
    struct model *m = &sim->models[0];

    if (m->next > 0 && m->next == m->count && !m->batches[m->next - 1].waiting) {
        m->next--;
        sim_append(sim, 0);
    }
}

static void records_deleted(void *arg, enum mr_status status, const struct mr_err *err)
{
    struct deletion *d = arg;

    MR_UNUSED(err);
    if (status == MR_OK && d->offset > d->model->start_told) {
        d->model->start_told = d->offset;
        running->deleted++;
    }
}

static void sim_delete_records(struct sim *sim, int32_t partition)
{
    struct model *m = &sim->models[partition];
    struct log_partition *p = kept_partition(sim, partition);
    struct deletion *d = &sim->deletions[sim->deletion_count];
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status;

    if (p == NULL || sim->deletion_count == MR_COUNT(sim->deletions))
        return;
    *d = (struct deletion){ m, log_start_offset(p) };
    d->offset += (int64_t)chance(sim, (uint64_t)(log_high_watermark(p) - d->offset) + 1);
    status = log_delete_before(p, d->offset, records_deleted, d, &err);
    CHECK(status == MR_OK || status == MR_IO, "delete: %s", err.text);
    if (status != MR_OK)
        return;
    sim->deletion_count++;
    if (d->offset > m->start_asked)
        m->start_asked = d->offset;
}

static void topic_grown(void *arg, enum mr_status status, struct log_topic *topic, const struct mr_err *err)
{
    struct sim_topic *t = arg;

    MR_UNUSED(err);
    if (status == MR_OK && t->state == TOPIC_THERE) {
        t->partitions_told = log_topic_partition_count(topic);
        running->grown++;
    }
}

static void sim_topic_grow(struct sim *sim)
{
    struct sim_topic *t = &sim->topics[chance(sim, TOPICS_MAX)];
    struct log_topic *topic;
    struct mr_err err = MR_ERR_INIT;
    int32_t count;
    char name[16];

    snprintf(name, sizeof(name), "t%d", t->index);
    topic = log_topic_find(sim->log, mr_str_of(name));
    if (topic == NULL)
        return;
    count = log_topic_partition_count(topic) + 1 + (int32_t)chance(sim, 2);
    if (log_topic_grow(sim->log, topic, count, topic_grown, t, &err) == MR_OK && count > t->partitions_asked)
        t->partitions_asked = count;
}

static void topic_done(void *arg, enum mr_status status, struct log_topic *topic, const struct mr_err *err)
{
    struct sim_topic *t = arg;

    MR_UNUSED(err);
    if (status != MR_OK)
        t->state = TOPIC_UNKNOWN;
    else
        t->state = topic != NULL ? TOPIC_THERE : TOPIC_NONE;
}

static void sim_topic_change(struct sim *sim)
{
    struct sim_topic *t = &sim->topics[chance(sim, TOPICS_MAX)];
    struct log_topic *topic;
    struct mr_err err = MR_ERR_INIT;
    char name[16];

    snprintf(name, sizeof(name), "t%d", t->index);
    topic = log_topic_find(sim->log, mr_str_of(name));
    if (topic != NULL) {
        t->state = TOPIC_DELETING;
        log_topic_delete(sim->log, topic, topic_done, t);
    } else if (log_topic_create(sim->log, mr_str_of(name), 1, NULL, 0, topic_done, t, &err) == MR_OK) {
        t->state = TOPIC_CREATING;
        t->partitions_told = t->partitions_asked = 1;
    }
    if (sim->kept != TOPIC_THERE &&
        log_topic_create(sim->log, MR_STR("kept"), PARTITIONS, NULL, 0, kept_done, sim, &err) == MR_OK)
        sim->kept = TOPIC_CREATING;
}

static void sim_step(struct sim *sim)
{
    uint64_t choice = chance(sim, 100);

    sim_env_advance_ms(sim->env, (int64_t)chance(sim, 50));
    if (choice < 45)
        sim_append(sim, (int32_t)chance(sim, PARTITIONS));
    else if (choice < 48)
        sim_append_again(sim);
    else if (choice < 65)
        log_commit_step(sim->log);
    else if (choice < 80)
        sim_run_callbacks(sim);
    else if (choice < 83)
        sim_topic_change(sim);
    else if (choice < 84)
        sim_topic_grow(sim);
    else if (choice < 86)
        sim_delete_records(sim, (int32_t)chance(sim, PARTITIONS));
    else if (choice < 89)
        sim_env_fail(sim->env, (enum sim_fault)(1 + chance(sim, 2)), 1 + chance(sim, 12));
    else if (choice < 92)
        sim_env_fail(sim->env, SIM_FAULT_POWER, 1 + chance(sim, 12));
    else if (choice < 96)
        sim_crash(sim);
    else if (choice < 97)
        sim_stop(sim);
    else
        sim_check(sim);
    if (sim_env_off(sim->env))
        sim_crash(sim);
}

static void sim_run(uint64_t seed)
{
    static const struct log_catalog_ops ops = {
        .topics = catalog_topics,
        .start = catalog_start,
        .topic_put = catalog_topic_put,
        .topic_update = catalog_topic_update,
        .topic_remove = catalog_topic_remove,
        .producer_ids = catalog_producer_ids,
        .stopped = catalog_stopped,
    };
    struct sim *sim = MR_NEW(struct sim);

    running = sim;
    sim->seed = seed;
    sim->env = sim_env_new(seed);
    sim->catalog.base.ops = &ops;
    sim->catalog.env = sim->env;
    sim->catalog.epoch = -1;
    sim->epoch = -1;
    sim->models[0].idempotent = true;
    for (int i = 0; i < TOPICS_MAX; i++)
        sim->topics[i] = (struct sim_topic){ sim, TOPIC_NONE, i };
    sim_start(sim, false);
    for (; sim->steps < STEPS; sim->steps++)
        sim_step(sim);
    sim_crash(sim);
    log_abandon(sim->log);
    sim_run_callbacks(sim);
    if (getenv("SIM_VERBOSE") != NULL)
        printf("seed %" PRIu64 ": %" PRIu64 " appends, %" PRIu64 " acknowledged, %" PRIu64 " crashes, %" PRIu64
               " starts, %" PRIu64 " clean stops, %" PRIu64 " deletions, %" PRIu64 " growths\n",
               seed, sim->appends, sim->acknowledged, sim->crashes, sim->recoveries, sim->cleans, sim->deleted,
               sim->grown);
    for (int i = 0; i < PARTITIONS; i++) {
        for (size_t n = 0; n < sim->models[i].count; n++)
            mr_free(sim->models[i].batches[n].bytes);
    }
    for (size_t i = 0; i < sim->catalog.topic_count; i++)
        mr_free(sim->catalog.topics[i].name);
    sim_env_free(sim->env);
    mr_free(sim);
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t runs = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;

    mr_log_setup(MR_LOG_OFF, MR_LOG_LOGFMT);
    for (uint64_t i = 0; i < runs; i++)
        sim_run(seed + i);
    printf("%" PRIu64 " seeds from %" PRIu64 ": well\n", runs, seed);
    return 0;
}

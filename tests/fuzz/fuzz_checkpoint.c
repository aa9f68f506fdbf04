/* fuzz_checkpoint.c -- any bytes as a query's checkpoint: what loads is stored again and loads as the same.
 * The state room is replaced (the linker wraps its functions), so that no disk is needed. */
#include "fuzz.h"

#include "sql/engine_int.h"

enum { SOURCES = 2 };

enum mr_status __wrap_state_get(struct state *state, struct mr_str query, uint32_t operator_id, struct mr_bytes key,
                                struct mr_writer *out, struct mr_err *err);
enum mr_status __wrap_state_checkpoint_get(struct state *state, struct mr_str query, struct mr_writer *out,
                                           struct mr_err *err);
enum mr_status __wrap_state_batch_new(struct state_batch **out, struct state *state, struct mr_str query,
                                      struct mr_err *err);
void __wrap_state_batch_checkpoint(struct state_batch *batch, struct mr_bytes checkpoint);
void __wrap_state_batch_put(struct state_batch *batch, uint32_t operator_id, struct mr_bytes key,
                            struct mr_bytes value);
enum mr_status __wrap_state_batch_commit(struct state_batch *batch, struct mr_err *err);

static struct mr_bytes to_load;
static struct mr_writer stored;

enum mr_status __wrap_state_get(struct state *state, struct mr_str query, uint32_t operator_id, struct mr_bytes key,
                                struct mr_writer *out, struct mr_err *err)
{
    MR_UNUSED(state), MR_UNUSED(query), MR_UNUSED(operator_id), MR_UNUSED(key), MR_UNUSED(out), MR_UNUSED(err);
    return MR_NOT_FOUND;
}

enum mr_status __wrap_state_checkpoint_get(struct state *state, struct mr_str query, struct mr_writer *out,
                                           struct mr_err *err)
{
    MR_UNUSED(state), MR_UNUSED(query), MR_UNUSED(err);
    mr_write_bytes(out, to_load);
    return MR_OK;
}

enum mr_status __wrap_state_batch_new(struct state_batch **out, struct state *state, struct mr_str query,
                                      struct mr_err *err)
{
    MR_UNUSED(out), MR_UNUSED(state), MR_UNUSED(query), MR_UNUSED(err);
    return MR_OK;
}

void __wrap_state_batch_checkpoint(struct state_batch *batch, struct mr_bytes checkpoint)
{
    MR_UNUSED(batch);
    stored.size = 0;
    mr_write_bytes(&stored, checkpoint);
}

void __wrap_state_batch_put(struct state_batch *batch, uint32_t operator_id, struct mr_bytes key, struct mr_bytes value)
{
    MR_UNUSED(batch), MR_UNUSED(operator_id), MR_UNUSED(key), MR_UNUSED(value);
}

enum mr_status __wrap_state_batch_commit(struct state_batch *batch, struct mr_err *err)
{
    MR_UNUSED(batch), MR_UNUSED(err);
    return MR_OK;
}

static void run_init(struct sql_run *run, struct sql_run_source *sources, struct sql_engine *engine,
                     const struct sql_query *bound)
{
    memset(run, 0, sizeof(*run));
    sources[0].name = "people";
    sources[1].name = "";
    for (int i = 0; i < SOURCES; i++) {
        sources[i].splits = NULL;
        sources[i].split_count = sources[i].split_capacity = 0;
    }
    run->engine = engine;
    run->bound = bound;
    run->name = (char *)(uintptr_t) "q";
    run->durable = true;
    run->sources = sources;
}

static void run_clear(struct sql_run *run)
{
    for (int i = 0; i < SOURCES; i++) {
        for (uint32_t s = 0; s < run->sources[i].split_count; s++)
            mr_free(run->sources[i].splits[s].state_text);
        mr_free(run->sources[i].splits);
    }
}

static bool splits_equal(const struct sql_run_source *a, const struct sql_run_source *b)
{
    bool equal = a->split_count == b->split_count;

    for (uint32_t i = 0; i < a->split_count && equal; i++) {
        const struct sql_split *s = &a->splits[i], *t = &b->splits[i];

        equal = s->position.split == t->position.split && s->position.next == t->position.next &&
                s->position.last == t->position.last && s->position.last_checksum == t->position.last_checksum &&
                s->clock_us == t->clock_us && s->has_position == t->has_position &&
                mr_str_equal(s->position.state, t->position.state);
    }
    return equal;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sql_run_source sources[SOURCES], again_sources[SOURCES];
    static struct sql_run run, again;
    const struct sql_query bound = { .source_count = SOURCES, .plan_text = "plan" };
    struct sql_engine engine = { .lock = PTHREAD_MUTEX_INITIALIZER };
    struct mr_err err = MR_ERR_INIT;

    run_init(&run, sources, &engine, &bound);
    to_load = (struct mr_bytes){ data, size };
    if (sql_checkpoint_load(&run, &err) != MR_OK) {
        FUZZ_MUST(err.text[0] != '\0');
        run_clear(&run);
        return 0;
    }
    FUZZ_MUST(sql_checkpoint_store(&run, &err) == MR_OK);
    run_init(&again, again_sources, &engine, &bound);
    to_load = mr_writer_bytes(&stored);
    FUZZ_MUST(sql_checkpoint_load(&again, &err) == MR_OK);
    FUZZ_MUST(again.epoch == run.epoch + 1);
    for (int i = 0; i < SOURCES; i++)
        FUZZ_MUST(splits_equal(&sources[i], &again_sources[i]));
    run_clear(&run);
    run_clear(&again);
    return 0;
}

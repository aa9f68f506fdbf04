/* checkpoint.c -- what a query finds again after a crash: where each split goes on, its write-time clock, its epoch.
 *
 * The checkpoint, big-endian:
 *   u8 version (1) | i64 epoch | i64 rows_in, rows_out, dead_letters, skipped over all starts
 *   u32 sources, each:  text table name | u32 splits, each:
 *       i32 split | u8 has_position | i64 next | i64 last | u32 checksum of the last | i64 clock | text state (null:
 * -1) a text is i32 size (-1: null) and bytes It is one value, replaced by one synced write: after a crash the old or
 * the new one is there.  Under operator 0 lie beside it: "plan", the plan's text, and "id", a UUID, written once with
 * the first checkpoint in the same synced write; and "stopped", there while somebody wishes the query to be stopped.
 *
 * Invariants
 *   K1  what a checkpoint names as read was flushed by every sink (and the dead letters) before it was written.
 *   K2  epochs rise by one from checkpoint to checkpoint. */
#include "sql/engine_int.h"

#include "base/hash.h"

#include <string.h>

enum checkpoint_format {
    CHECKPOINT_VERSION = 1,
    SPLITS_MAX = 1 << 20,
    STATE_TEXT_MAX = 4096,
};

static const struct mr_bytes plan_key = { (const uint8_t *)"plan", 4 };
static const struct mr_bytes id_key = { (const uint8_t *)"id", 2 };
static const struct mr_bytes stopped_key = { (const uint8_t *)"stopped", 7 };

static void text_write(struct mr_writer *w, struct mr_str text)
{
    mr_write_i32(w, text.data == NULL ? -1 : (int32_t)text.size);
    if (text.data != NULL)
        mr_write_str(w, text);
}

static struct mr_str text_read(struct mr_reader *r)
{
    int32_t size = mr_read_i32(r);
    struct mr_bytes bytes;

    if (size < 0)
        return MR_STR_NULL;
    bytes = mr_read_slice(r, (size_t)size);
    return (struct mr_str){ bytes.data != NULL ? (const char *)bytes.data : "", bytes.size };
}

static void split_write(struct mr_writer *w, const struct sql_split *s)
{
    mr_write_i32(w, s->position.split);
    mr_write_u8(w, s->has_position);
    mr_write_i64(w, s->position.next);
    mr_write_i64(w, s->position.last);
    mr_write_u32(w, s->position.last_checksum);
    mr_write_i64(w, s->clock_us);
    text_write(w, s->position.state);
}

static void split_read(struct mr_reader *r, struct sql_run_source *source)
{
    struct sql_split *s = sql_run_split(source, mr_read_i32(r));
    struct mr_str state;

    s->has_position = mr_read_u8(r) != 0;
    s->position.next = mr_read_i64(r);
    s->position.last = mr_read_i64(r);
    s->position.last_checksum = mr_read_u32(r);
    s->clock_us = mr_read_i64(r);
    state = text_read(r);
    if (state.data != NULL && state.size <= STATE_TEXT_MAX) {
        mr_free(s->state_text);
        s->state_text = mr_str_dup(state);
        s->position.state = (struct mr_str){ s->state_text, state.size };
    }
}

enum mr_status sql_checkpoint_compare(struct state *state, const char *name, const struct sql_query *bound,
                                      bool *stored, struct mr_err *err)
{
    struct mr_writer plan = { 0 }, difference = { 0 };
    enum mr_status status = state_get(state, mr_str_of(name), 0, plan_key, &plan, err);

    if (status == MR_NOT_FOUND) {
        *stored = false;
        status = MR_OK;
        goto out;
    }
    if (status != MR_OK)
        goto out;
    *stored = true;
    mr_write_u8(&plan, 0);
    if (sql_plan_difference(&difference, (const char *)plan.data, bound->plan_text)) {
        int shown = difference.size > MR_ERR_BYTES / 2 ? MR_ERR_BYTES / 2 : (int)difference.size;
        status =
            mr_err_set_at(err, MR_EXISTS, bound->line, bound->column,
                          "the query \"%s\" was started with another plan (- stored, + now):\n%.*s\n"
                          "Choose: put the statement back as it was; or give it another name "
                          "(SET 'pipeline.name' = '...'), it then starts from the beginning; or forget its progress "
                          "with: millrace query forget %s",
                          name, shown, (const char *)difference.data, name);
    }
out:
    mr_writer_deinit(&plan);
    mr_writer_deinit(&difference);
    return status;
}

static struct sql_run_source *source_find(struct sql_run *run, struct mr_str name)
{
    for (uint32_t i = 0; i < run->bound->source_count; i++) {
        if (mr_str_equal(mr_str_of(run->sources[i].name), name))
            return &run->sources[i];
    }
    return NULL;
}

/* Can it be a stored count, to which a run will add? */
static bool is_count(int64_t n)
{
    return n >= 0 && n < INT64_MAX / 2;
}

static enum mr_status checkpoint_read(struct sql_run *run, struct mr_bytes bytes, struct mr_err *err)
{
    struct mr_reader r = mr_reader_of(bytes);
    uint8_t version = mr_read_u8(&r);
    uint32_t sources, splits;

    if (version != CHECKPOINT_VERSION)
        return mr_err_set(err, MR_UNSUPPORTED, "the checkpoint of query \"%s\" has format %d, this program knows %d",
                          run->name, version, CHECKPOINT_VERSION);
    run->epoch = mr_read_i64(&r);
    run->stored_counts.rows_in = mr_read_i64(&r);
    run->stored_counts.rows_out = mr_read_i64(&r);
    run->stored_counts.dead_letters = mr_read_i64(&r);
    run->stored_counts.skipped = mr_read_i64(&r);
    if (!is_count(run->epoch) || !is_count(run->stored_counts.rows_in) || !is_count(run->stored_counts.rows_out) ||
        !is_count(run->stored_counts.dead_letters) || !is_count(run->stored_counts.skipped))
        mr_reader_fail(&r);
    sources = mr_read_u32(&r);
    for (uint32_t i = 0; i < sources && !r.failed; i++) {
        struct mr_str name = text_read(&r);
        struct sql_run_source *source = source_find(run, name);
        splits = mr_read_u32(&r);
        if (r.failed || source == NULL || splits > SPLITS_MAX) {
            mr_reader_fail(&r);
            break;
        }
        for (uint32_t s = 0; s < splits && !r.failed; s++)
            split_read(&r, source);
    }
    if (r.failed || mr_reader_left(&r) != 0)
        return mr_err_set(err, MR_CORRUPT, "the checkpoint of query \"%s\" (%zu bytes) can't be read", run->name,
                          bytes.size);
    return MR_OK;
}

enum mr_status sql_checkpoint_id(struct sql_run *run, struct mr_err *err)
{
    struct mr_writer id = { 0 };
    struct mr_err why = MR_ERR_INIT;
    enum mr_status status = state_get(run->engine->options.state, mr_str_of(run->key), 0, id_key, &id, &why);

    run->id_stored = status == MR_OK && id.size < sizeof(run->status.id);
    if (run->id_stored) {
        pthread_mutex_lock(&run->lock);
        memcpy(run->status.id, id.data, id.size);
        run->status.id[id.size] = '\0';
        pthread_mutex_unlock(&run->lock);
    }
    mr_writer_deinit(&id);
    return status == MR_OK || status == MR_NOT_FOUND ? MR_OK : mr_err_set(err, status, "%s", why.text);
}

enum mr_status sql_checkpoint_stopped(struct state *state, const char *name, bool *stopped, struct mr_err *err)
{
    struct mr_writer value = { 0 };
    struct mr_err why = MR_ERR_INIT;
    enum mr_status status = state_get(state, mr_str_of(name), 0, stopped_key, &value, &why);

    mr_writer_deinit(&value);
    if (status != MR_OK && status != MR_NOT_FOUND)
        return mr_err_set(err, status, "%s", why.text);
    *stopped = status == MR_OK;
    return MR_OK;
}

enum mr_status sql_checkpoint_stop(struct state *state, const char *name, bool stopped, struct mr_err *err)
{
    struct state_batch *batch = NULL;
    bool is_stopped = false;
    enum mr_status status = sql_checkpoint_stopped(state, name, &is_stopped, err);

    if (status != MR_OK || stopped == is_stopped)
        return status;
    status = state_batch_new(&batch, state, mr_str_of(name), err);
    if (status != MR_OK)
        return status;
    if (stopped)
        state_batch_put(batch, 0, stopped_key, mr_bytes_of_str(MR_STR("1")));
    else
        state_batch_delete(batch, 0, stopped_key);
    return state_batch_commit(batch, err);
}

enum mr_status sql_checkpoint_load(struct sql_run *run, struct mr_err *err)
{
    struct mr_writer w = { 0 };
    struct mr_err ignored = MR_ERR_INIT;
    enum mr_status status;

    if (!run->durable)
        return MR_OK;
    status = sql_checkpoint_compare(run->engine->options.state, run->key, run->bound, &run->plan_stored, err);
    if (status != MR_OK)
        return status;
    status = sql_checkpoint_id(run, err);
    if (status != MR_OK)
        return status;
    status = state_checkpoint_get(run->engine->options.state, mr_str_of(run->key), &w, &ignored);
    if (status == MR_OK)
        status = checkpoint_read(run, mr_writer_bytes(&w), err);
    else if (status == MR_NOT_FOUND)
        status = MR_OK;
    else
        status = mr_err_set(err, status, "%s", ignored.text);
    mr_writer_deinit(&w);
    return status;
}

enum mr_status sql_checkpoint_store(struct sql_run *run, struct mr_err *err)
{
    const struct sql_counts *was = &run->stored_counts, *now = &run->counts;
    struct state_batch *batch = NULL;
    struct mr_writer w = { 0 };
    enum mr_status status;

    if (!run->durable)
        return MR_OK;
    mr_write_u8(&w, CHECKPOINT_VERSION);
    mr_write_i64(&w, run->epoch + 1);
    mr_write_i64(&w, was->rows_in + now->rows_in);
    mr_write_i64(&w, was->rows_out + now->rows_out);
    mr_write_i64(&w, was->dead_letters + now->dead_letters);
    mr_write_i64(&w, was->skipped + now->skipped);
    mr_write_u32(&w, run->bound->source_count);
    for (uint32_t i = 0; i < run->bound->source_count; i++) {
        const struct sql_run_source *source = &run->sources[i];
        text_write(&w, mr_str_of(source->name));
        mr_write_u32(&w, source->split_count);
        for (uint32_t s = 0; s < source->split_count; s++)
            split_write(&w, &source->splits[s]);
    }
    status = state_batch_new(&batch, run->engine->options.state, mr_str_of(run->key), err);
    if (status != MR_OK)
        goto out;
    state_batch_checkpoint(batch, mr_writer_bytes(&w));
    if (!run->plan_stored)
        state_batch_put(batch, 0, plan_key, mr_bytes_of_str(mr_str_of(run->bound->plan_text)));
    if (!run->id_stored)
        state_batch_put(batch, 0, id_key, mr_bytes_of_str(mr_str_of(run->status.id)));
    status = state_batch_commit(batch, err);
    if (status == MR_OK)
        run->plan_stored = run->id_stored = true;
out:
    mr_writer_deinit(&w);
    if (status != MR_OK)
        mr_err_context(err, "checkpoint %" PRId64 " of query \"%s\"", run->epoch + 1, run->name);
    return status;
}

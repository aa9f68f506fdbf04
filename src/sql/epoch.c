/* epoch.c -- one epoch of a query: records in, rows out, and the moment from which they count.
 *
 *   poll -> decode -> project -> write    again while there is more, at most for execution.checkpointing.interval
 *   push what was written, wait for more  the same, when every sink has a primary key
 *   flush sinks -> flush dead letters -> checkpoint -> tell the sources
 *
 * Invariants
 *   E1  a record's write time depends only on the records before it in its split (and on when it was made): a repeated
 *       epoch gives the same times.  A source that knows no times takes the epoch's; those only grow.
 *   E2  a record that fails for one output does not touch the others; one that can't be decoded reaches none.
 *   E3  each record's raw bytes are kept until its epoch ends, so that whatever is rejected can become a dead letter.
 *   E4  rows are on their way as soon as there is nothing more to read.  If every sink has a primary key, what is
 *       repeated after a crash is the same, so the epoch goes on, pushing rows without waiting for their
 *       acknowledgement, until execution.checkpointing.interval is over; then flush and checkpoint.  Other sinks get
 *       both at once, and under load after SQL_FLUSH_MS_MAX: nothing else makes their rows visible.
 * Estimate: a record of 260 bytes costs about 0.7 us to decode, 0.1 us to keep, and what its expressions cost. */
#include "sql/engine_int.h"

#include <string.h>

static enum mr_status output_write(struct sql_run *run, struct sql_run_output *output, const struct sql_projected *p,
                                   const uint32_t *origins, struct mr_err *err)
{
    uint32_t count = p->batch->row_count;
    enum mr_status status;

    assert(count <= SQL_BATCH_ROWS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        output->records[i] = origins[p->rows[i]];
        output->times[i] = run->origins[output->records[i]].write_time_us;
    }
    status = sql_run_step(run, SQL_STEP_WRITE, err);
    if (status != MR_OK)
        return status;
    run->counts.rows_out += count;
    output->wrote = true;
    status = output->ops->write(output->sink, p->batch, output->records, output->times, err);
    if (status != MR_OK)
        mr_err_context(err, "table %s", output->bound->sink->name);
    return status;
}

/* The rows of a SELECT go to whoever asked, up to its LIMIT. */
static void output_hand(struct sql_run *run, struct sql_run_output *output, const struct sql_projected *p)
{
    struct data_batch *batch = p->batch, *cut = NULL;

    if (output->limit_left >= 0 && batch->row_count > output->limit_left) {
        cut = data_batch_new(batch->type);
        for (uint32_t row = 0; row < output->limit_left; row++) {
            for (uint32_t c = 0; c < batch->column_count; c++)
                data_append_from(cut->columns[c], batch->columns[c], row);
        }
        cut->row_count = (uint32_t)output->limit_left;
        batch = cut;
    }
    if (output->limit_left >= 0)
        output->limit_left -= batch->row_count;
    run->counts.rows_out += batch->row_count;
    if (batch->row_count != 0 && run->results != NULL && run->results->on_rows != NULL)
        run->results->on_rows(run->results->arg, batch);
    data_batch_unref(cut);
}

static enum mr_status output_take(struct sql_run *run, struct sql_run_output *output, const struct data_batch *batch,
                                  const uint32_t *origins, struct mr_err *err);

/* Two halves, when the result of the whole would be too large. */
static enum mr_status output_take_halves(struct sql_run *run, struct sql_run_output *output,
                                         const struct data_batch *batch, const uint32_t *origins, struct mr_err *err)
{
    uint32_t middle = batch->row_count / 2, starts[3] = { 0, middle, batch->row_count };
    enum mr_status status = MR_OK;

    for (int half = 0; half < 2 && status == MR_OK; half++) {
        struct data_batch *part = data_batch_new(batch->type);
        part->row_count = starts[half + 1] - starts[half];
        for (uint32_t c = 0; c < batch->column_count; c++) {
            for (uint32_t row = starts[half]; row < starts[half + 1]; row++)
                data_append_from(part->columns[c], batch->columns[c], row);
        }
        status = output_take(run, output, part, origins + starts[half], err);
        data_batch_unref(part);
    }
    return status;
}

static enum mr_status output_take(struct sql_run *run, struct sql_run_output *output, const struct data_batch *batch,
                                  const uint32_t *origins, struct mr_err *err)
{
    struct sql_projected p = { 0 };
    struct mr_err why = MR_ERR_INIT;
    enum mr_status status;

    if (output->limit_left == 0)
        return MR_OK;
    status = sql_projection_run(output->projection, batch, NULL, &p, &why);
    if (status == MR_LIMIT && batch->row_count > 1)
        return output_take_halves(run, output, batch, origins, err);
    if (status == MR_LIMIT)
        return sql_dead_letter(run, &run->origins[origins[0]], SQL_STAGE_TRANSFORM, output, why.text, err);
    if (status != MR_OK)
        return mr_err_set(err, status, "%s", why.text);
    for (uint32_t i = 0; i < p.error_count && status == MR_OK; i++)
        status = sql_dead_letter(run, &run->origins[origins[p.errors[i].row]], SQL_STAGE_TRANSFORM, output,
                                 p.errors[i].why, err);
    if (status == MR_OK && p.batch->row_count != 0) {
        if (output->ops == NULL)
            output_hand(run, output, &p);
        else
            status = output_write(run, output, &p, origins, err);
    }
    data_batch_unref(p.batch);
    return status;
}

/* What was decoded so far goes through every output that reads this source. */
static enum mr_status source_pass(struct sql_run *run, uint32_t index, struct mr_err *err)
{
    struct sql_run_source *source = &run->sources[index];
    enum mr_status status = MR_OK;

    if (source->batch->row_count == 0)
        return MR_OK;
    for (uint32_t i = 0; i < run->bound->output_count && status == MR_OK; i++) {
        if (run->outputs[i].bound->source == index)
            status = output_take(run, &run->outputs[i], source->batch, source->origins, err);
    }
    data_batch_reset(source->batch);
    return status;
}

/* ---- records ---- */

static struct sql_origin *origin_add(struct sql_run *run)
{
    MR_GROW(run->origins, run->origin_count, run->origin_capacity);
    return &run->origins[run->origin_count++];
}

/* E1. */
static int64_t clock_tick(struct sql_run *run, struct sql_split *split, int64_t timestamp_ms)
{
    int64_t time = timestamp_ms >= 0 && timestamp_ms < INT64_MAX / 1000 ? timestamp_ms * 1000 : run->epoch_start_us;

    split->clock_us = time > split->clock_us ? time : split->clock_us + 1;
    return split->clock_us;
}

/* INDEX: how many records of the same position came before. */
static void origin_keep(struct sql_run *run, uint32_t source, struct sql_split *split, const struct connector_record *r,
                        uint32_t index)
{
    struct sql_origin *o = origin_add(run);

    *o = (struct sql_origin){
        .source = source,
        .split = r->split,
        .position = r->position,
        .index = index,
        .write_time_us = clock_tick(run, split, r->timestamp_ms),
        .at = run->epoch_bytes.size,
        .key_size = (uint32_t)r->key.size,
        .value_size = (uint32_t)r->value.size,
        .has_key = r->key.data != NULL,
        .has_value = r->value.data != NULL,
    };
    mr_writer_reserve(&run->epoch_bytes, r->key.size + r->value.size + 1);
    mr_write_bytes(&run->epoch_bytes, r->key);
    mr_write_bytes(&run->epoch_bytes, r->value);
}

static enum mr_status record_take(struct sql_run *run, uint32_t index, const struct connector_record *record,
                                  struct mr_err *err)
{
    struct sql_run_source *source = &run->sources[index];
    uint32_t origin = (uint32_t)run->origin_count - 1;
    struct mr_err why = MR_ERR_INIT;
    enum mr_status status;
    bool skip = false;

    if (record->trouble != NULL)
        return sql_dead_letter(run, &run->origins[origin], SQL_STAGE_DECODE, NULL, record->trouble, err);
    if (source->batch->row_count == SQL_BATCH_ROWS_MAX) {
        status = source_pass(run, index, err);
        if (status != MR_OK)
            return status;
    }
    status = sql_reader_row(source->reader, source->batch, record, &skip, &why);
    if (status == MR_LIMIT && source->batch->row_count != 0) { /* perhaps only the batch is full */
        status = source_pass(run, index, err);
        if (status != MR_OK)
            return status;
        status = sql_reader_row(source->reader, source->batch, record, &skip, &why);
    }
    if (status != MR_OK)
        return sql_dead_letter(run, &run->origins[origin], SQL_STAGE_DECODE, NULL, why.text, err);
    if (!skip)
        source->origins[source->batch->row_count - 1] = origin;
    return MR_OK;
}

static void position_take(struct sql_run_source *source, const struct connector_position *position)
{
    struct sql_split *split = sql_run_split(source, position->split);

    mr_free(split->state_text);
    split->state_text = position->state.data != NULL ? mr_str_dup(position->state) : NULL;
    split->position = *position;
    split->position.state.data = split->state_text;
    split->has_position = true;
    if (position->assigned)
        split->clock_us = position->clock_us;
}

static enum mr_status poll_take(struct sql_run *run, uint32_t index, const struct connector_poll *poll,
                                struct mr_err *err)
{
    struct sql_run_source *source = &run->sources[index];
    enum mr_status status = MR_OK;
    struct sql_split *split = NULL;
    uint32_t same = 0;

    if (!run->moved)
        run->work_start_us = mr_now_us(run->engine->options.env);
    for (uint32_t i = 0; i < poll->record_count && status == MR_OK; i++) {
        const struct connector_record *r = &poll->records[i];
        if (split == NULL || split->position.split != r->split)
            split = sql_run_split(source, r->split);
        same = i > 0 && r[-1].position == r->position && r[-1].split == r->split ? same + 1 : 0;
        origin_keep(run, index, split, r, same);
        status = record_take(run, index, r, err);
    }
    run->counts.rows_in += poll->record_count;
    source->rows_in += poll->record_count;
    mr_metric_add(run->metric_in, poll->record_count);
    if (status == MR_OK)
        status = source_pass(run, index, err);
    for (uint32_t i = 0; i < poll->position_count && status == MR_OK; i++)
        position_take(source, &poll->positions[i]);
    run->moved |= poll->position_count != 0 || poll->record_count != 0;
    source->ended |= poll->ended;
    return status;
}

/* Rows known beforehand are one split with one record, read once. */
static enum mr_status values_take(struct sql_run *run, uint32_t index, struct mr_err *err)
{
    struct sql_run_source *source = &run->sources[index];
    struct sql_split *split = sql_run_split(source, 0);
    enum mr_status status = MR_OK;
    struct data_batch *batch;
    uint32_t *origins;

    source->ended = true;
    if (split->has_position)
        return MR_OK;
    status = sql_source_rows(source->bound, &batch, err);
    if (status != MR_OK)
        return status;
    origins = mr_calloc(batch->row_count + 1, sizeof(uint32_t));
    for (uint32_t i = 0; i < batch->row_count; i++) {
        struct connector_record none = { .timestamp_ms = -1, .position = i };
        origin_keep(run, index, split, &none, 0);
        origins[i] = (uint32_t)run->origin_count - 1;
    }
    run->counts.rows_in += batch->row_count;
    source->rows_in += batch->row_count;
    for (uint32_t i = 0; i < run->bound->output_count && status == MR_OK; i++) {
        if (run->outputs[i].bound->source == index && batch->row_count != 0)
            status = output_take(run, &run->outputs[i], batch, origins, err);
    }
    data_batch_unref(batch);
    mr_free(origins);
    split->has_position = true;
    split->position.next = 1;
    run->moved = true;
    return status;
}

/* ---- the epoch ---- */

bool sql_epoch_done(const struct sql_run *run)
{
    bool all_ended = true, all_full = run->bound->output_count != 0;

    for (uint32_t i = 0; i < run->bound->source_count; i++)
        all_ended = all_ended && run->sources[i].ended;
    for (uint32_t i = 0; i < run->bound->output_count; i++)
        all_full = all_full && run->outputs[i].limit_left == 0;
    return all_ended || all_full;
}

/* Asks every source once; *ANY: did one have something? */
static enum mr_status sources_poll(struct sql_run *run, int timeout_ms, bool *any, struct mr_err *err)
{
    enum mr_status status = MR_OK;

    *any = false;
    for (uint32_t i = 0; i < run->bound->source_count && status == MR_OK; i++) {
        struct sql_run_source *source = &run->sources[i];
        struct connector_poll poll = { 0 };
        if (source->ended || sql_epoch_done(run))
            continue;
        if (source->ops == NULL) {
            status = values_take(run, i, err);
            *any = true;
            continue;
        }
        status = sql_run_step(run, SQL_STEP_POLL, err);
        if (status == MR_OK)
            status = source->ops->poll(source->source, timeout_ms, SQL_POLL_RECORDS_MAX, &poll, err);
        if (status != MR_OK) {
            mr_err_context(err, "table %s", source->name);
            break;
        }
        *any |= poll.record_count != 0 || poll.ended;
        status = poll_take(run, i, &poll, err);
        if (status == MR_OK && run->failure.status != MR_OK)
            status = mr_err_set(err, run->failure.status, "%s", run->failure.text);
    }
    return status;
}

static int idle_timeout_ms(const struct sql_run *run)
{
    uint32_t open = 0;

    for (uint32_t i = 0; i < run->bound->source_count; i++)
        open += !run->sources[i].ended;
    return open > 1 ? SQL_IDLE_POLL_SHARED_MS : SQL_IDLE_POLL_MS;
}

/* Lets what was written go, without waiting for its acknowledgement. */
static enum mr_status sinks_push(struct sql_run *run, struct mr_err *err)
{
    enum mr_status status = MR_OK;

    for (uint32_t i = 0; i < run->bound->output_count && status == MR_OK; i++) {
        struct sql_run_output *o = &run->outputs[i];
        if (o->ops == NULL || !o->wrote || o->ops->push == NULL)
            continue;
        status = o->ops->push(o->sink, err);
        if (status != MR_OK)
            mr_err_context(err, "table %s", o->bound->sink->name);
    }
    return status;
}

/* How long records may keep coming before the sinks are flushed. */
static int64_t epoch_ms(const struct sql_run *run)
{
    return run->pushes || run->epoch_ms_max < SQL_FLUSH_MS_MAX ? run->epoch_ms_max : SQL_FLUSH_MS_MAX;
}

static bool epoch_has_room(const struct sql_run *run)
{
    return run->origin_count < SQL_EPOCH_RECORDS_MAX && run->epoch_bytes.size < SQL_EPOCH_BYTES_MAX;
}

/* Reads until there is nothing more at once (E4: until the time is over), or the epoch is full. */
static enum mr_status epoch_fill(struct sql_run *run, struct mr_err *err)
{
    struct mr_env *env = run->engine->options.env;
    bool any = true;
    enum mr_status status = sources_poll(run, idle_timeout_ms(run), &any, err);
    int64_t limit_ns = mr_monotonic_ns(env) + epoch_ms(run) * 1000000;

    while (status == MR_OK && !sql_epoch_done(run) && !sql_run_stopping(run) && epoch_has_room(run)) {
        int64_t left_ns = limit_ns - mr_monotonic_ns(env);
        int timeout_ms = 0;

        if (left_ns <= 0 || (!any && !(run->pushes && run->moved)))
            break;
        if (!any) {
            status = sinks_push(run, err);
            if (status == MR_OK)
                sql_run_show(run, SQL_QUERY_RUNNING, NULL);
            timeout_ms = (int)(left_ns / 1000000) + 1;
            if (timeout_ms > idle_timeout_ms(run))
                timeout_ms = idle_timeout_ms(run);
        }
        if (status == MR_OK)
            status = sources_poll(run, timeout_ms, &any, err);
    }
    return status;
}

static enum mr_status sinks_flush(struct sql_run *run, struct mr_err *err)
{
    enum mr_status status = sql_run_step(run, SQL_STEP_FLUSH, err);

    for (uint32_t i = 0; i < run->bound->output_count && status == MR_OK; i++) {
        struct sql_run_output *o = &run->outputs[i];
        if (o->ops == NULL || !o->wrote)
            continue;
        status = o->ops->flush(o->sink, err);
        if (status != MR_OK)
            mr_err_context(err, "table %s", o->bound->sink->name);
        o->wrote = false;
    }
    if (status == MR_OK && run->failure.status != MR_OK)
        status = mr_err_set(err, run->failure.status, "%s", run->failure.text);
    return status;
}

static enum mr_status sources_tell(struct sql_run *run, struct mr_err *err)
{
    enum mr_status status = sql_run_step(run, SQL_STEP_CHECKPOINTED, err);

    for (uint32_t i = 0; i < run->bound->source_count && status == MR_OK && run->durable; i++) {
        struct sql_run_source *s = &run->sources[i];
        struct connector_position *positions;
        uint32_t count = 0;
        if (s->ops == NULL || s->ops->checkpointed == NULL)
            continue;
        positions = mr_calloc(s->split_count + 1, sizeof(struct connector_position));
        for (uint32_t n = 0; n < s->split_count; n++) {
            if (!s->splits[n].has_position)
                continue;
            positions[count] = s->splits[n].position;
            positions[count++].clock_us = s->splits[n].clock_us;
        }
        s->ops->checkpointed(s->source, positions, count);
        mr_free(positions);
    }
    return status;
}

enum mr_status sql_epoch_store(struct sql_run *run, struct mr_err *err)
{
    enum mr_status status;

    if (!run->unstored)
        return MR_OK;
    status = sql_run_step(run, SQL_STEP_CHECKPOINT, err);
    if (status == MR_OK)
        status = sql_checkpoint_store(run, err);
    if (status != MR_OK)
        return status;
    run->epoch++;
    mr_metric_add(run->metric_epochs, 1);
    run->unstored = false;
    run->stored_ns = mr_monotonic_ns(run->engine->options.env);
    return sources_tell(run, err);
}

/* E4. */
static bool store_due(const struct sql_run *run)
{
    return !run->idempotent || !run->moved ||
           mr_monotonic_ns(run->engine->options.env) - run->stored_ns >= run->epoch_ms_max * 1000000;
}

enum mr_status sql_epoch_run(struct sql_run *run, bool *idle, struct mr_err *err)
{
    struct mr_env *env = run->engine->options.env;
    int64_t rows_out = run->counts.rows_out, flushed_us;
    enum mr_status status;

    run->origin_count = 0;
    run->epoch_bytes.size = 0;
    run->moved = false;
    run->epoch_start_us = run->work_start_us = mr_now_us(env);
    status = epoch_fill(run, err);
    *idle = !run->moved;
    if (status == MR_OK && run->moved) {
        run->unstored = true;
        status = sinks_flush(run, err);
        if (status == MR_OK)
            status = sql_dead_letters_flush(run, err);
    }
    flushed_us = mr_now_us(env);
    if (status == MR_OK && store_due(run))
        status = sql_epoch_store(run, err);
    if (status != MR_OK || !run->moved)
        return status;
    run->took = (struct sql_epoch_took){ flushed_us - run->work_start_us, mr_now_us(env) - flushed_us };
    mr_metric_add(run->metric_out, run->counts.rows_out - rows_out);
    mr_metric_set(run->metric_epoch_us, run->took.add_us + run->took.commit_us);
    return MR_OK;
}

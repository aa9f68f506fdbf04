/* engine_fake.c -- see engine_fake.h. */
#include "engine_fake.h"

struct fake_world fake_world;

/* ---- the source ---- */

struct connector_source {
    size_t at; /* in records of all splits, by order */
    int64_t next[8];
    int64_t last[8];
    uint32_t checksum[8];
    int polls;
    uint8_t *copies[64]; /* of the last poll's values: gone at the next, so that a late look is seen */
    struct connector_record out[64];
    struct connector_position positions[8];
};

static enum mr_status source_open(struct connector_source **out, const struct connector_table *table,
                                  const struct connector_context *ctx, const struct connector_position *positions,
                                  uint32_t position_count, struct mr_err *err)
{
    struct connector_source *s = MR_NEW(struct connector_source);

    MR_UNUSED(table);
    MR_UNUSED(ctx);
    MR_UNUSED(err);
    for (int i = 0; i < 8; i++)
        s->last[i] = -1;
    for (uint32_t i = 0; i < position_count; i++) {
        s->next[positions[i].split] = positions[i].next;
        s->last[positions[i].split] = positions[i].last;
        s->checksum[positions[i].split] = positions[i].last_checksum;
        assert_string_equal(positions[i].state.data, "state");
    }
    fake_world.opens++;
    *out = s;
    return MR_OK;
}

static void copies_free(struct connector_source *s)
{
    for (int i = 0; i < 64; i++) {
        free(s->copies[i]);
        s->copies[i] = NULL;
    }
}

static enum mr_status source_poll(struct connector_source *s, int timeout_ms, uint32_t records_max,
                                  struct connector_poll *out, struct mr_err *err)
{
    int64_t position[8] = { 0 };
    uint32_t count = 0, positions = 0;
    bool moved[8] = { false };
    bool more = false;

    MR_UNUSED(timeout_ms);
    MR_UNUSED(records_max);
    MR_UNUSED(err);
    memset(out, 0, sizeof(*out));
    copies_free(s);
    if (s->polls++ % 2 == 1)
        return MR_OK;
    for (size_t i = 0; i < fake_world.record_count; i++) {
        const struct fake_record *r = &fake_world.records[i];
        int64_t at = position[r->split]++;
        if (at < s->next[r->split])
            continue;
        if (count == fake_world.per_poll) {
            more = true;
            break;
        }
        /* exactly as long as the value: a byte read too many is seen by the sanitizer */
        uint8_t *copy = r->value != NULL ? malloc(strlen(r->value)) : NULL;
        if (copy != NULL)
            memcpy(copy, r->value, strlen(r->value));
        s->copies[count] = copy;
        s->out[count] = (struct connector_record){ .value = { copy, copy != NULL ? strlen(r->value) : 0 },
                                                   .key = { (const uint8_t *)"k", 1 },
                                                   .timestamp_ms = r->timestamp_ms,
                                                   .position = fake_world.one_page ? 0 : at,
                                                   .split = r->split,
                                                   .trouble = r->trouble };
        s->next[r->split] = at + 1;
        s->last[r->split] = at;
        s->checksum[r->split] = copy != NULL ? mr_crc32c(0, copy, strlen(r->value)) : 0;
        moved[r->split] = true;
        count++;
    }
    for (int i = 0; i < 8; i++) {
        if (moved[i])
            s->positions[positions++] = (struct connector_position){ .split = i,
                                                                     .next = s->next[i],
                                                                     .last = s->last[i],
                                                                     .last_checksum = s->checksum[i],
                                                                     .state = MR_STR("state") };
    }
    out->records = s->out;
    out->record_count = count;
    out->positions = s->positions;
    out->position_count = positions;
    out->ended = !more && !fake_world.unbounded;
    return MR_OK;
}

static void source_checkpointed(struct connector_source *s, const struct connector_position *positions,
                                uint32_t position_count)
{
    MR_UNUSED(s);
    for (uint32_t i = 0; i < position_count; i++)
        fake_world.committed[positions[i].split] = positions[i].next;
}

static int64_t source_lag(struct connector_source *s)
{
    MR_UNUSED(s);
    return 5;
}

static void source_close(struct connector_source *s)
{
    copies_free(s);
    mr_free(s);
}

static const struct connector_source_ops source_ops = { .open = source_open,
                                                        .poll = source_poll,
                                                        .checkpointed = source_checkpointed,
                                                        .lag = source_lag,
                                                        .close = source_close };

/* ---- the sink ---- */

struct connector_sink {
    struct fake_rows *flushed;
    struct fake_rows written;
    connector_reject_fn *reject;
    void *reject_arg;
    uint32_t rejected[64]; /* told at the flush, as a server would */
    uint32_t rejected_count;
};

static enum mr_status sink_open(struct connector_sink **out, const struct connector_table *table,
                                const struct connector_context *ctx, connector_reject_fn *reject, void *reject_arg,
                                struct mr_err *err)
{
    struct connector_sink *s = MR_NEW(struct connector_sink);
    const char *name = table->option(table, "name");

    MR_UNUSED(ctx);
    MR_UNUSED(err);
    s->flushed = &fake_world.sinks[name != NULL && name[0] == 'b'];
    s->reject = reject;
    s->reject_arg = reject_arg;
    *out = s;
    return MR_OK;
}

static enum mr_status sink_write(struct connector_sink *s, const struct data_batch *batch, const uint32_t *record,
                                 const int64_t *write_time_us, struct mr_err *err)
{
    struct data_json_encoder *e = data_json_encoder_new(batch->type);
    struct mr_writer w = { 0 };

    MR_UNUSED(err);
    for (uint32_t i = 0; i < batch->row_count; i++) {
        struct fake_row *row = &s->written.rows[s->written.count];
        w.size = 0;
        data_json_encode(e, batch, i, &w);
        mr_write_u8(&w, 0);
        if (strstr((const char *)w.data, "reject") != NULL) {
            s->rejected[s->rejected_count++] = record[i];
            continue;
        }
        snprintf(row->text, sizeof(row->text), "%s", (const char *)w.data);
        row->time = write_time_us[i];
        s->written.count++;
    }
    mr_writer_deinit(&w);
    data_json_encoder_free(e);
    return MR_OK;
}

static enum mr_status sink_flush(struct connector_sink *s, struct mr_err *err)
{
    MR_UNUSED(err);
    for (uint32_t i = 0; i < s->rejected_count; i++) {
        struct mr_err why = MR_ERR_INIT;
        (void)mr_err_set(&why, MR_INVALID, "the server refuses it");
        s->reject(s->reject_arg, s->rejected[i], &why);
    }
    s->rejected_count = 0;
    for (size_t i = 0; i < s->written.count; i++)
        s->flushed->rows[s->flushed->count++] = s->written.rows[i];
    s->written.count = 0;
    return MR_OK;
}

static void sink_close(struct connector_sink *s)
{
    mr_free(s);
}

static const struct connector_sink_ops sink_ops = {
    .open = sink_open, .write = sink_write, .flush = sink_flush, .close = sink_close
};

static const struct connector_option options[] = { { "name", NULL, false, "Which sink." },
                                                   { "topic", NULL, false, "As Kafka's." },
                                                   { NULL, NULL, false, NULL } };

static const struct connector source = {
    .name = "fake", .help = "A source.", .options = options, .source = &source_ops
};
static const struct connector sink = {
    .name = "sink", .help = "A sink.", .options = options, .sink = &sink_ops, .raw = true
};

const struct connector *const fake_connectors[] = { &source, &sink, NULL };

/* ---- dead letters ---- */

struct connector_producer {
    struct fake_rows sent;
    char topic[FAKE_TEXT_MAX / 4];
};

static enum mr_status letters_open(struct connector_producer **out, const struct connector_context *ctx,
                                   const char *bootstrap, const char *topic, struct mr_err *err)
{
    struct connector_producer *p = MR_NEW(struct connector_producer);

    MR_UNUSED(ctx);
    MR_UNUSED(bootstrap);
    MR_UNUSED(err);
    snprintf(p->topic, sizeof(p->topic), "%s", topic);
    *out = p;
    return MR_OK;
}

static struct mr_str header(const struct connector_header *headers, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(headers[i].name, name) == 0)
            return mr_str_of_bytes(headers[i].value);
    }
    fail_msg("no header %s", name);
    return MR_STR_NULL;
}

static struct mr_str header_maybe(const struct connector_header *headers, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(headers[i].name, name) == 0)
            return mr_str_of_bytes(headers[i].value);
    }
    return MR_STR_NULL;
}

static enum mr_status letters_send(struct connector_producer *p, struct mr_bytes key, struct mr_bytes value,
                                   const struct connector_header *headers, uint32_t count, struct mr_err *err)
{
    struct fake_row *row = &p->sent.rows[p->sent.count++];
    struct mr_str cut = header_maybe(headers, count, "__connect.errors.value.truncated");
    struct mr_str record = header(headers, count, "__connect.errors.record");
    size_t bytes = key.size + value.size;

    for (uint32_t i = 0; i < count; i++)
        bytes += strlen(headers[i].name) + headers[i].value.size + 10;
    if (bytes > CONNECTORS_PRODUCER_BYTES_MAX)
        return mr_err_set(err, MR_LIMIT, "%zu bytes", bytes);
    assert_int_equal(key.size, 1);
    assert_true(header(headers, count, "__connect.errors.exception.message").size > 0);
    assert_true(header(headers, count, "__connect.errors.exception.stacktrace").size > 0);
    if (cut.data != NULL) { /* a long value: what it was, how long it is now within a kilobyte */
        snprintf(row->text, sizeof(row->text), "%s: %.*s bytes, cut to %zu kB", p->topic, MR_STR_ARG(cut),
                 (value.size + 999) / 1000);
        return MR_OK;
    }
    snprintf(row->text, sizeof(row->text), "%s: %.*s/%.*s/%.*s%s%.*s %.*s %.*s %.*s", p->topic,
             MR_STR_ARG(header(headers, count, "__connect.errors.topic")),
             MR_STR_ARG(header(headers, count, "__connect.errors.partition")),
             MR_STR_ARG(header(headers, count, "__connect.errors.offset")),
             mr_str_equal(record, MR_STR("0")) ? "" : "#", mr_str_equal(record, MR_STR("0")) ? 0 : (int)record.size,
             record.data, MR_STR_ARG(header(headers, count, "__connect.errors.stage")),
             MR_STR_ARG(header(headers, count, "__connect.errors.class.name")),
             value.data == NULL ? 4 : (int)value.size, value.data == NULL ? "null" : (const char *)value.data);
    return MR_OK;
}

static enum mr_status letters_flush(struct connector_producer *p, struct mr_err *err)
{
    MR_UNUSED(err);
    for (size_t i = 0; i < p->sent.count; i++)
        fake_world.letters.rows[fake_world.letters.count++] = p->sent.rows[i];
    p->sent.count = 0;
    return MR_OK;
}

static void letters_close(struct connector_producer *p)
{
    mr_free(p);
}

const struct sql_dead_letter_ops fake_letters = { letters_open, letters_send, letters_flush, letters_close };

/* ---- looking ---- */

static int row_compare(const void *a, const void *b)
{
    const struct fake_row *x = a, *y = b;
    int order = strcmp(x->text, y->text);

    return order != 0 ? order : (x->time > y->time) - (x->time < y->time);
}

char *fake_rows_text(const struct fake_rows *rows, bool times)
{
    struct fake_rows *sorted = mr_alloc(sizeof(*sorted));
    struct mr_writer w = { 0 };

    *sorted = *rows;
    qsort(sorted->rows, sorted->count, sizeof(struct fake_row), row_compare);
    for (size_t i = 0; i < sorted->count; i++) {
        const struct fake_row *r = &sorted->rows[i], *before = i > 0 ? &sorted->rows[i - 1] : NULL;
        if (before != NULL && strcmp(before->text, r->text) == 0 && (!times || before->time == r->time))
            continue;
        if (times)
            mr_write_text(&w, "%s @%" PRId64 "\n", r->text, r->time);
        else
            mr_write_text(&w, "%s\n", r->text);
    }
    mr_write_u8(&w, 0);
    mr_free(sorted);
    return (char *)w.data;
}

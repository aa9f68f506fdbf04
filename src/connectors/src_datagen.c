/* src_datagen.c -- the datagen source: rows made up as fast as asked, with Flink's options.
 *
 * Row N's random values come from a generator that begins with (seed, N), and a sequence's value is start + N: a row
 * that is made again after a crash is the same row (but for times, which are relative to now).  The position is N; its
 * state is the seed.
 *
 *   field        random                                      sequence
 *   numbers      between .min and .max                       .start, .start + 1, ... .end: the source ends there
 *   DECIMAL      any digits                                  the same
 *   texts        .length hexadecimal digits                  the number as text
 *   BYTES        .length bytes                               -
 *   TIMESTAMP    now, or up to .max-past earlier             -
 *   DATE, TIME   now                                         -
 *   ROW          each field by its own options               fields.COLUMN.FIELD.kind ...
 *   ARRAY, MAP   .length entries, fields.COLUMN.element.*, .key.*, .value.*
 *
 * Rows are handed over as JSON objects: one codec for all types.  Estimate: ~0.5 us a row of four columns. */
#include "connectors/connectors_int.h"

#include "base/text.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum datagen_limits {
    DATAGEN_ROWS_MAX = 8192, /* of one poll */
    DATAGEN_BYTES_MAX = 8 << 20,
    DATAGEN_LENGTH_MAX = 1 << 20,
    DATAGEN_COLLECTION_MAX = 10000,
    DATAGEN_BEHIND_MS = 1000, /* what was not taken in time is made up for only so far */
    DATAGEN_RATE_MAX = 1000000000,
    DATAGEN_ANCHOR_MS = 60000,
};

/* How one column, field or element is made. */
struct datagen_field {
    const struct data_type *type; /* borrowed */
    const char *name;             /* "fields.order.id"; owned by the arena */
    bool sequence;
    int64_t min, max; /* of whole numbers; of a sequence: start and end */
    double low, high;
    int64_t length, max_past_ms;
    double null_rate;
    struct datagen_field *children; /* of ROW, ARRAY (1), MAP (2); owned by the arena */
};

struct connector_source {
    const struct connector_context *ctx; /* borrowed */
    struct mr_arena *arena;              /* owned: the fields */
    struct datagen_field *fields;
    uint32_t field_count;
    const struct data_type *row; /* borrowed */
    uint64_t seed;
    int64_t rate;  /* rows a second */
    int64_t total; /* rows until it ends; -1: never */
    int64_t anchor_row, anchor_ms;
    int64_t now_ms;  /* of this poll */
    uint64_t random; /* the generator of this row */
    struct mr_writer buffer;
    size_t *starts;                   /* owned; of each record in the buffer; DATAGEN_ROWS_MAX + 1 */
    struct connector_record *records; /* owned */
    struct connector_position position;
    char state[24];
    bool told;
};

/* ---- making values ---- */

/* splitmix64: one addition and three multiplications, good enough to make data up. */
static uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static double random_unit(uint64_t *state)
{
    return (double)(random_next(state) >> 11) * 0x1p-53;
}

static int64_t random_between(uint64_t *state, int64_t min, int64_t max)
{
    uint64_t span = (uint64_t)max - (uint64_t)min + 1;

    return span == 0 ? (int64_t)random_next(state) : (int64_t)((uint64_t)min + random_next(state) % span);
}

static void hex_write(struct connector_source *s, int64_t length)
{
    uint8_t *at = mr_writer_reserve(&s->buffer, (size_t)length + 1);
    uint64_t bits = 0;

    for (int64_t i = 0; i < length; i++) {
        if (i % 16 == 0)
            bits = random_next(&s->random);
        at[i] = (uint8_t) "0123456789abcdef"[bits & 15];
        bits >>= 4;
    }
    s->buffer.size += (size_t)length;
}

static void bytes_write(struct connector_source *s, int64_t length)
{
    uint8_t *bytes = mr_alloc((size_t)length + 8);

    for (int64_t i = 0; i < length; i += 8) {
        uint64_t bits = random_next(&s->random);
        memcpy(bytes + i, &bits, 8);
    }
    data_base64_write(&s->buffer, (struct mr_bytes){ bytes, (size_t)length });
    mr_free(bytes);
}

static void decimal_write(struct connector_source *s, const struct data_type *type)
{
    uint32_t whole = type->precision > type->scale ? (uint32_t)(type->precision - type->scale) : 0;

    if (random_next(&s->random) & 1)
        mr_write_u8(&s->buffer, '-');
    mr_write_u8(&s->buffer, (uint8_t)('0' + (whole > 0 ? random_next(&s->random) % 9 + 1 : 0)));
    for (uint32_t i = 1; i < whole; i++)
        mr_write_u8(&s->buffer, (uint8_t)('0' + random_next(&s->random) % 10));
    if (type->scale > 0)
        mr_write_u8(&s->buffer, '.');
    for (uint32_t i = 0; i < type->scale; i++)
        mr_write_u8(&s->buffer, (uint8_t)('0' + random_next(&s->random) % 10));
}

/* The moment as text: FORMAT is strftime's, for a date or a time of day; milliseconds behind when MILLIS. */
static void moment_write(struct connector_source *s, const char *format, int64_t ms, const char *end)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char text[40];

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof(text), format, &tm);
    mr_write_text(&s->buffer, end != NULL ? "\"%s.%03d%s\"" : "\"%s\"", text, (int)(ms % 1000), end);
}

static void value_write(struct connector_source *s, const struct datagen_field *f, int64_t row);

static void collection_write(struct connector_source *s, const struct datagen_field *f, int64_t row)
{
    bool is_map = f->type->kind == DATA_MAP;

    mr_write_u8(&s->buffer, is_map ? '{' : '[');
    for (int64_t i = 0; i < f->length; i++) {
        if (i > 0)
            mr_write_u8(&s->buffer, ',');
        if (is_map) {
            mr_write_u8(&s->buffer, '"');
            hex_write(s, f->children[0].length);
            mr_write_text(&s->buffer, "\":");
        }
        value_write(s, &f->children[is_map], row);
    }
    mr_write_u8(&s->buffer, is_map ? '}' : ']');
}

static void row_write(struct connector_source *s, const struct datagen_field *fields, const struct data_type *type,
                      int64_t row)
{
    mr_write_u8(&s->buffer, '{');
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (i > 0)
            mr_write_u8(&s->buffer, ',');
        mr_write_json_string(&s->buffer, type->fields[i].name);
        mr_write_u8(&s->buffer, ':');
        value_write(s, &fields[i], row);
    }
    mr_write_u8(&s->buffer, '}');
}

static void number_write(struct connector_source *s, const struct datagen_field *f)
{
    double unit, value;

    if (f->type->kind != DATA_FLOAT && f->type->kind != DATA_DOUBLE) {
        mr_write_text(&s->buffer, "%" PRId64, random_between(&s->random, f->min, f->max));
        return;
    }
    unit = random_unit(&s->random);
    value = f->low * (1 - unit) + f->high * unit; /* high - low may be too large */
    mr_write_text(&s->buffer, f->type->kind == DATA_FLOAT ? "%.9g" : "%.17g", value);
}

static void moment_of(struct connector_source *s, const struct datagen_field *f)
{
    int64_t past = f->max_past_ms > 0 ? random_between(&s->random, 0, f->max_past_ms) : 0, ms = s->now_ms - past;

    if (ms < 0)
        ms = 0;
    if (f->type->kind == DATA_DATE)
        moment_write(s, "%Y-%m-%d", s->now_ms, NULL);
    else if (f->type->kind == DATA_TIME)
        moment_write(s, "%H:%M:%S", s->now_ms, NULL);
    else
        moment_write(s, "%Y-%m-%d %H:%M:%S", ms, f->type->kind == DATA_TIMESTAMP_LTZ ? "Z" : "");
}

static void value_write(struct connector_source *s, const struct datagen_field *f, int64_t row)
{
    if (f->null_rate > 0 && random_unit(&s->random) < f->null_rate) {
        mr_write_text(&s->buffer, "null");
        return;
    }
    if (f->sequence) {
        mr_write_text(&s->buffer, f->type->kind == DATA_STRING ? "\"%" PRId64 "\"" : "%" PRId64, f->min + row);
        return;
    }
    switch ((int)f->type->kind) {
    case DATA_BOOLEAN:
        mr_write_text(&s->buffer, random_next(&s->random) & 1 ? "true" : "false");
        return;
    case DATA_DECIMAL:
        decimal_write(s, f->type);
        return;
    case DATA_STRING:
        mr_write_u8(&s->buffer, '"');
        hex_write(s, f->length);
        mr_write_u8(&s->buffer, '"');
        return;
    case DATA_BYTES:
        mr_write_u8(&s->buffer, '"');
        bytes_write(s, f->length);
        mr_write_u8(&s->buffer, '"');
        return;
    case DATA_ROW:
        row_write(s, f->children, f->type, row);
        return;
    case DATA_ARRAY:
    case DATA_MAP:
        collection_write(s, f, row);
        return;
    case DATA_DATE:
    case DATA_TIME:
    case DATA_TIMESTAMP:
    case DATA_TIMESTAMP_LTZ:
        moment_of(s, f);
        return;
    default:
        number_write(s, f);
        return;
    }
}

/* ---- options ---- */

static const char *field_option(const struct connector_table *table, const struct datagen_field *f, const char *what)
{
    char name[512];

    if (snprintf(name, sizeof(name), "%s.%s", f->name, what) >= (int)sizeof(name))
        return NULL;
    return table->option(table, name);
}

static enum mr_status field_bad(const struct datagen_field *f, const char *what, const char *value, const char *why,
                                struct mr_err *err)
{
    return mr_err_set(err, MR_INVALID, "'%s.%s' = '%s': %s", f->name, what, value, why);
}

static enum mr_status field_number(const struct connector_table *table, const struct datagen_field *f, const char *what,
                                   int64_t low, int64_t high, int64_t *out, struct mr_err *err)
{
    const char *text = field_option(table, f, what);
    char why[96];
    int64_t value = 0;

    if (text == NULL)
        return MR_OK;
    snprintf(why, sizeof(why), "a whole number from %" PRId64 " to %" PRId64 " is wanted", low, high);
    if (mr_parse_i64(mr_str_of(text), &value) != MR_OK || value < low || value > high)
        return field_bad(f, what, text, why, err);
    *out = value;
    return MR_OK;
}

static enum mr_status field_double(const struct connector_table *table, const struct datagen_field *f, const char *what,
                                   double *out, struct mr_err *err)
{
    const char *text = field_option(table, f, what);

    if (text == NULL)
        return MR_OK;
    if (mr_parse_f64(mr_str_of(text), out) != MR_OK || !isfinite(*out))
        return field_bad(f, what, text, "a number is wanted", err);
    return MR_OK;
}

static bool kind_whole(enum data_kind kind, int64_t *low, int64_t *high)
{
    *low = kind == DATA_TINYINT    ? INT8_MIN
           : kind == DATA_SMALLINT ? INT16_MIN
           : kind == DATA_INT      ? INT32_MIN
                                   : INT64_MIN;
    *high = kind == DATA_TINYINT    ? INT8_MAX
            : kind == DATA_SMALLINT ? INT16_MAX
            : kind == DATA_INT      ? INT32_MAX
                                    : INT64_MAX;
    return kind == DATA_TINYINT || kind == DATA_SMALLINT || kind == DATA_INT || kind == DATA_BIGINT;
}

static enum mr_status sequence_read(const struct connector_table *table, struct datagen_field *f, int64_t low,
                                    int64_t high, bool top, struct mr_err *err)
{
    enum mr_status status;
    enum data_kind kind = f->type->kind;

    if (!kind_whole(kind, &low, &high) && kind != DATA_STRING && kind != DATA_DECIMAL && kind != DATA_FLOAT &&
        kind != DATA_DOUBLE)
        return field_bad(f, "kind", "sequence", "only numbers and texts have a sequence", err);
    if (!top)
        return field_bad(f, "kind", "sequence", "inside of an ARRAY or MAP values are random", err);
    if (field_option(table, f, "start") == NULL || field_option(table, f, "end") == NULL)
        return field_bad(f, "kind", "sequence", "it wants '.start' and '.end'", err);
    status = field_number(table, f, "start", low, high, &f->min, err);
    if (status == MR_OK)
        status = field_number(table, f, "end", low, high, &f->max, err);
    if (status == MR_OK && (f->max < f->min || f->max - (uint64_t)f->min >= INT64_MAX))
        return field_bad(f, "end", field_option(table, f, "end"), "it is before '.start'", err);
    f->sequence = true;
    return status;
}

static enum mr_status ranges_read(const struct connector_table *table, struct datagen_field *f, struct mr_err *err)
{
    int64_t low, high;
    bool whole = kind_whole(f->type->kind, &low, &high);
    enum mr_status status = MR_OK;

    f->min = low;
    f->max = high;
    f->high = f->type->kind == DATA_FLOAT ? FLT_MAX : DBL_MAX;
    f->low = -f->high;
    if (whole) {
        status = field_number(table, f, "min", low, high, &f->min, err);
        if (status == MR_OK)
            status = field_number(table, f, "max", low, high, &f->max, err);
    } else if (f->type->kind == DATA_FLOAT || f->type->kind == DATA_DOUBLE) {
        status = field_double(table, f, "min", &f->low, err);
        if (status == MR_OK)
            status = field_double(table, f, "max", &f->high, err);
    } else if (field_option(table, f, "min") != NULL || field_option(table, f, "max") != NULL) {
        return mr_err_set(err, MR_INVALID, "'%s': only numbers have '.min' and '.max'", f->name);
    }
    if (status == MR_OK && (f->min > f->max || f->low > f->high))
        return mr_err_set(err, MR_INVALID, "'%s': '.min' is larger than '.max'", f->name);
    return status;
}

static enum mr_status field_read(struct connector_source *s, const struct connector_table *table,
                                 struct datagen_field *f, const struct data_type *type, const char *name, bool top,
                                 struct mr_err *err);

static enum mr_status children_read(struct connector_source *s, const struct connector_table *table,
                                    struct datagen_field *f, bool top, struct mr_err *err)
{
    static const char *const parts[] = { "key", "value" };
    const struct data_type *type = f->type;
    enum mr_status status = MR_OK;

    f->children = MR_ARENA_ARRAY(s->arena, struct datagen_field, (size_t)type->field_count + 1);
    for (uint32_t i = 0; i < type->field_count && status == MR_OK; i++) {
        const char *part = type->kind == DATA_ROW     ? type->fields[i].name.data
                           : type->kind == DATA_ARRAY ? "element"
                                                      : parts[i & 1];
        status = field_read(s, table, &f->children[i], type->fields[i].type,
                            mr_arena_printf(s->arena, "%s.%s", f->name, part), top && type->kind == DATA_ROW, err);
    }
    if (status == MR_OK && type->kind == DATA_MAP && type->fields[0].type->kind != DATA_STRING)
        return mr_err_set(err, MR_UNSUPPORTED, "'%s': a MAP with keys other than STRING can't be made", f->name);
    return status;
}

/* TOP: it has one value a row, so it may be a sequence. */
static enum mr_status field_read(struct connector_source *s, const struct connector_table *table,
                                 struct datagen_field *f, const struct data_type *type, const char *name, bool top,
                                 struct mr_err *err)
{
    bool collection = type->kind == DATA_ARRAY || type->kind == DATA_MAP;
    const char *kind, *past;
    enum mr_status status;

    *f = (struct datagen_field){ .type = type, .name = name };
    kind = field_option(table, f, "kind");
    if (kind != NULL && strcmp(kind, "sequence") == 0)
        return sequence_read(table, f, INT64_MIN, INT64_MAX, top, err);
    if (kind != NULL && strcmp(kind, "random") != 0)
        return field_bad(f, "kind", kind, "it is random or sequence", err);
    f->length = collection ? 3 : type->length > 0 && (type->fixed || type->length < 100) ? type->length : 100;
    status =
        field_number(table, f, "length", 0, collection ? DATAGEN_COLLECTION_MAX : DATAGEN_LENGTH_MAX, &f->length, err);
    if (status == MR_OK && !collection && type->length > 0 && f->length > type->length)
        return field_bad(f, "length", field_option(table, f, "length"), "the column's type is shorter", err);
    if (status == MR_OK)
        status = field_double(table, f, "null-rate", &f->null_rate, err);
    if (status == MR_OK && (f->null_rate < 0 || f->null_rate > 1))
        return field_bad(f, "null-rate", field_option(table, f, "null-rate"), "it is from 0 to 1", err);
    past = field_option(table, f, "max-past");
    if (status == MR_OK && past != NULL && mr_parse_duration_ms(mr_str_of(past), &f->max_past_ms) != MR_OK)
        return field_bad(f, "max-past", past, "a duration like '10 s' is wanted", err);
    if (status == MR_OK)
        status = ranges_read(table, f, err);
    if (status == MR_OK && type->field_count > 0)
        status = children_read(s, table, f, top, err);
    return status;
}

/* The shortest sequence ends the source. */
static void total_limit(struct connector_source *s, const struct datagen_field *fields, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int64_t rows = fields[i].max - fields[i].min + 1;

        if (fields[i].sequence && (s->total < 0 || rows < s->total))
            s->total = rows;
        if (fields[i].type->kind == DATA_ROW)
            total_limit(s, fields[i].children, fields[i].type->field_count);
    }
}

/* ---- the source ---- */

static void datagen_close(struct connector_source *s)
{
    if (s == NULL)
        return;
    mr_writer_deinit(&s->buffer);
    mr_arena_free(s->arena);
    mr_free(s->starts);
    mr_free(s->records);
    mr_free(s);
}

static void position_begin(struct connector_source *s, const struct connector_position *position)
{
    char text[sizeof(s->state)] = "";

    s->seed = mr_random_u64(s->ctx->env);
    s->position = (struct connector_position){ .last = -1 };
    if (position != NULL) {
        s->position.next = position->next;
        s->position.last = position->last;
        if (position->state.size < sizeof(text) && position->state.data != NULL)
            memcpy(text, position->state.data, position->state.size);
        s->seed = strtoull(text, NULL, 16);
    }
    snprintf(s->state, sizeof(s->state), "%016" PRIx64, s->seed);
    s->position.state = mr_str_of(s->state);
    s->anchor_row = s->position.next;
    s->anchor_ms = connector_clock_ms(s->ctx);
}

static enum mr_status datagen_open(struct connector_source **out, const struct connector_table *table,
                                   const struct connector_context *ctx, const struct connector_position *positions,
                                   uint32_t position_count, struct mr_err *err)
{
    struct connector_source *s = MR_NEW(struct connector_source);
    enum mr_status status;

    s->ctx = ctx;
    s->arena = mr_arena_new();
    s->row = table->row;
    s->field_count = table->row->field_count;
    s->fields = MR_ARENA_ARRAY(s->arena, struct datagen_field, (size_t)s->field_count + 1);
    s->starts = mr_calloc(DATAGEN_ROWS_MAX + 1, sizeof(*s->starts));
    s->records = mr_calloc(DATAGEN_ROWS_MAX, sizeof(*s->records));
    s->rate = 10000;
    s->total = -1;
    status = connector_option_number(table, "rows-per-second", 1, DATAGEN_RATE_MAX, &s->rate, err);
    if (status == MR_OK)
        status = connector_option_number(table, "number-of-rows", 0, INT64_MAX, &s->total, err);
    for (uint32_t i = 0; i < s->field_count && status == MR_OK; i++)
        status = field_read(s, table, &s->fields[i], table->row->fields[i].type,
                            mr_arena_printf(s->arena, "fields.%s", table->row->fields[i].name.data), true, err);
    if (status != MR_OK) {
        datagen_close(s);
        return status;
    }
    total_limit(s, s->fields, s->field_count);
    position_begin(s, connector_position_find(positions, position_count, 0));
    *out = s;
    return MR_OK;
}

/* How many rows are due by now. */
static int64_t rows_due(struct connector_source *s, int64_t now_ms)
{
    int64_t behind_ms, made, due;

    for (; now_ms - s->anchor_ms > DATAGEN_ANCHOR_MS; s->anchor_ms += DATAGEN_ANCHOR_MS) /* the product stays small */
        s->anchor_row += DATAGEN_ANCHOR_MS / 1000 * s->rate;
    behind_ms = now_ms - s->anchor_ms;
    made = s->position.next - s->anchor_row;
    due = (int64_t)((double)behind_ms * (double)s->rate / 1000.0) - made;
    if (due > s->rate * DATAGEN_BEHIND_MS / 1000 + 1) {
        s->anchor_ms = now_ms;
        s->anchor_row = s->position.next;
        return s->rate * DATAGEN_BEHIND_MS / 1000 + 1;
    }
    return due;
}

static void rows_make(struct connector_source *s, uint32_t count, struct connector_poll *out)
{
    uint32_t made = 0;

    s->buffer.size = 0;
    for (; made < count && s->buffer.size < DATAGEN_BYTES_MAX; made++) {
        int64_t row = s->position.next + made;
        s->starts[made] = s->buffer.size;
        s->random = s->seed + (uint64_t)row * 0xd1342543de82ef95u;
        row_write(s, s->fields, s->row, row);
    }
    s->starts[made] = s->buffer.size;
    memset(mr_writer_reserve(&s->buffer, DATA_JSON_SLACK), 0, DATA_JSON_SLACK);
    for (uint32_t i = 0; i < made; i++)
        s->records[i] =
            (struct connector_record){ .value = { s->buffer.data + s->starts[i], s->starts[i + 1] - s->starts[i] },
                                       .key = MR_BYTES_NULL,
                                       .timestamp_ms = s->now_ms,
                                       .position = s->position.next + i,
                                       .parse_slack = DATA_JSON_SLACK };
    s->position.next += made;
    s->position.last = s->position.next - 1;
    out->records = s->records;
    out->record_count = made;
}

static enum mr_status datagen_poll(struct connector_source *s, int timeout_ms, uint32_t records_max,
                                   struct connector_poll *out, struct mr_err *err)
{
    int64_t now_ms = connector_clock_ms(s->ctx), until_ms = now_ms + timeout_ms, due;

    *out = (struct connector_poll){ .positions = &s->position };
    if (records_max == 0 || records_max > DATAGEN_ROWS_MAX)
        records_max = DATAGEN_ROWS_MAX;
    for (;;) {
        int64_t next_ms;

        due = rows_due(s, now_ms);
        if (s->total >= 0 && due > s->total - s->position.next)
            due = s->total - s->position.next;
        if (due > 0 || (s->total >= 0 && s->position.next >= s->total) || now_ms >= until_ms)
            break;
        next_ms = s->anchor_ms + (s->position.next - s->anchor_row + 1) * 1000 / s->rate + 1;
        if (connector_wait_until(s->ctx, next_ms < until_ms ? next_ms : until_ms) != MR_OK)
            return mr_err_set(err, MR_BUSY, "stopped");
        now_ms = connector_clock_ms(s->ctx);
    }
    s->now_ms = mr_now_ms(s->ctx->env);
    if (due > 0)
        rows_make(s, due < records_max ? (uint32_t)due : records_max, out);
    out->position_count = out->record_count > 0 || !s->told;
    s->told = true;
    out->ended = s->total >= 0 && s->position.next >= s->total;
    return MR_OK;
}

static int64_t datagen_lag(struct connector_source *s)
{
    MR_UNUSED(s);
    return 0; /* a row is there when it is made */
}

static const struct connector_source_ops datagen_ops = {
    .open = datagen_open,
    .poll = datagen_poll,
    .lag = datagen_lag,
    .close = datagen_close,
};

static const struct connector_option datagen_options[] = {
    { "rows-per-second", "10000", false, "How fast rows are made." },
    { "number-of-rows", NULL, false, "How many rows are made; without it and without a sequence: no end." },
    { "fields.*", NULL, false,
      "fields.COLUMN.kind: 'random' (default) or 'sequence'. random: .min and .max of a number, .length of a text, "
      "bytes "
      "or collection, .null-rate from 0 to 1, .max-past of a TIMESTAMP. sequence: .start and .end, both required. "
      "Parts "
      "of a column: fields.COLUMN.FIELD (ROW), .element (ARRAY), .key and .value (MAP)." },
    { NULL, NULL, false, NULL },
};

const struct connector connector_datagen = {
    .name = "datagen",
    .help = "Makes rows up: at random, or as sequences.",
    .options = datagen_options,
    .source = &datagen_ops,
    .raw = true,
};

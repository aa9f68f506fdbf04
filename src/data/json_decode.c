/* json_decode.c -- JSON objects straight to the columns of a ROW type.
 *
 * What goes where (Flink's json format):
 *   BOOLEAN         true, false, and the strings "true" and "false" of any case
 *   TINYINT-BIGINT  a number (its fraction is cut off), or a string with an integer; out of range is an error
 *   FLOAT, DOUBLE   a number, or a string with one
 *   DECIMAL         the same, rounded to its scale; too large is an error (Flink: NULL)
 *   BYTES           a string in base64
 *   DATE, TIME      a string: 2024-02-09, 12:03:04.5
 *   TIMESTAMP(_LTZ) a string: 2024-02-09 12:03:04.5, or with T when ISO-8601 is asked for; Z or +01:00 behind
 *                   TIMESTAMP_LTZ
 *   MAP             an object; of the same name twice the last
 *   STRING          a string; the text of a number, true or false; an object or array as JSON text without blanks
 *   ROW, ARRAY      an object, an array
 *   null or absent  NULL, unless the field is NOT NULL
 * The last duplicate of a field wins, and only it has to fit the type.  Fields that the type doesn't have are checked.
 *
 * How: a node for each ROW of the type remembers in which order fields came last time, so that usually one comparison
 * finds the field.  A column to be skipped is NULL here: the same code runs and appends nothing.
 *
 * Invariants
 *   D1  while a row is read, every column has row_count or row_count + 1 rows; on failure all are cut to row_count.
 *   D2  a field whose value does not fit is read past, and fails the row only if no later duplicate fits.
 * Estimate: about 150 ns for the token list of 300 bytes, 25 ns a field, 1 ns for 2 bytes of text. */
#include "data/json_int.h"

#include "base/map.h"
#include "base/text.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum decode_limits {
    ORDER_MAX = 256,           /* places remembered per object */
    MAP_ENTRIES_MAX = 16384,   /* each key is compared with those before it */
    BATCH_BYTES_MAX = 1 << 30, /* text one batch takes, so that no column of text overflows */
};

struct json_node;

struct node_field {
    struct mr_str name;           /* borrowed from the type */
    const struct data_type *type; /* borrowed */
    struct json_node *node;       /* owned; of a ROW, or of the element of an ARRAY; else NULL */
    bool plain;                   /* the name looks the same in JSON: nothing escaped */
    uint64_t seen;                /* the number of the object in which it was last seen */
    const uint32_t *wrong_at;     /* D2: where its last value is, if that does not fit */
};

/* A ROW, or the element of an ARRAY (one field without a name). */
struct json_node {
    struct node_field *fields; /* owned */
    uint32_t field_count;
    struct mr_map *by_name; /* owned; ROW: name to struct node_field */
    uint64_t object;        /* how many objects were read with it */
    int32_t order[ORDER_MAX];
};

struct data_json_decoder {
    struct json_walk walk;
    const struct data_type *row; /* borrowed */
    struct json_node *root;      /* owned */
    bool *wanted;                /* owned */
    char *scratch;               /* owned; strings that become something else */
    size_t scratch_capacity;
    size_t batch_bytes;
    char time_separator; /* between date and time */
};

/* ---- nodes ---- */

static void node_free(struct json_node *node)
{
    if (node == NULL)
        return;
    for (uint32_t i = 0; i < node->field_count; i++)
        node_free(node->fields[i].node);
    mr_map_free(node->by_name);
    mr_free(node->fields);
    mr_free(node);
}

static bool is_plain(struct mr_str name)
{
    for (size_t i = 0; i < name.size; i++) {
        if ((uint8_t)name.data[i] < 0x20 || name.data[i] == '"' || name.data[i] == '\\')
            return false;
    }
    return true;
}

static struct json_node *node_new(const struct data_type *type)
{
    struct json_node *node = MR_NEW(struct json_node);

    node->field_count = type->field_count;
    node->fields = mr_calloc(type->field_count + 1, sizeof(struct node_field));
    if (type->kind == DATA_ROW)
        node->by_name = mr_map_new();
    for (uint32_t i = 0; i < type->field_count; i++) {
        struct node_field *f = &node->fields[i];
        f->name = type->fields[i].name;
        f->type = type->fields[i].type;
        f->plain = is_plain(f->name);
        if (data_kind_nested(f->type->kind))
            f->node = node_new(f->type);
        if (node->by_name != NULL)
            (void)mr_map_put(node->by_name, mr_bytes_of_str(f->name), f);
    }
    for (uint32_t i = 0; i < ORDER_MAX; i++)
        node->order[i] = i < type->field_count ? (int32_t)i : -1;
    return node;
}

struct data_json_decoder *data_json_decoder_new(const struct data_type *row, const bool *wanted)
{
    struct data_json_decoder *d = MR_NEW(struct data_json_decoder);

    assert(row->kind == DATA_ROW);
    d->row = row;
    d->root = node_new(row);
    d->time_separator = ' ';
    d->walk.index = json_index_new();
    d->wanted = mr_calloc(row->field_count + 1, sizeof(bool));
    for (uint32_t i = 0; i < row->field_count; i++)
        d->wanted[i] = wanted == NULL || wanted[i];
    return d;
}

void data_json_decoder_set_iso8601(struct data_json_decoder *decoder, bool iso8601)
{
    decoder->time_separator = iso8601 ? 'T' : ' ';
}

void data_json_decoder_free(struct data_json_decoder *decoder)
{
    if (decoder == NULL)
        return;
    json_index_free(decoder->walk.index);
    node_free(decoder->root);
    mr_free(decoder->wanted);
    mr_free(decoder->scratch);
    mr_free(decoder);
}

/* ---- scalars: COLUMN may be NULL ---- */

/* The string at the next token, unescaped, in scratch. */
static enum mr_status scratch_string(struct data_json_decoder *d, struct mr_str *out, struct mr_err *err)
{
    size_t room = json_string_room(&d->walk) + 8;
    enum mr_status status;

    if (room > d->scratch_capacity) {
        d->scratch = mr_realloc(d->scratch, room * 2);
        d->scratch_capacity = room * 2;
    }
    status = json_string_copy(&d->walk, d->scratch, &out->size, err);
    out->data = d->scratch;
    return status;
}

static enum mr_status decode_string(struct data_json_decoder *d, struct data_column *column, struct mr_err *err)
{
    struct json_walk *w = &d->walk;
    enum mr_status status;
    struct mr_str raw;
    const uint32_t *token;
    size_t size;
    char *out;

    if (json_peek(w) == '"') {
        if (column == NULL)
            return json_string_check(w, NULL, NULL, err);
        out = data_append_str_begin(column, json_string_room(w) + 8);
        if (out == NULL)
            return json_wrong(w, MR_LIMIT, err, "the batch is full");
        status = json_string_copy(w, out, &size, err);
        if (status == MR_OK)
            data_append_str_end(column, size);
        return status;
    }
    token = w->at;
    status = json_value_check(w, &raw, err);
    if (status != MR_OK || column == NULL)
        return status;
    if (*raw.data != '{' && *raw.data != '[') {
        data_append_str(column, raw);
        return MR_OK;
    }
    out = data_append_str_begin(column, raw.size);
    if (out == NULL)
        return json_wrong(w, MR_LIMIT, err, "the batch is full");
    size = 0;
    for (; token < w->at; token++) { /* the tokens without the blanks between them */
        const uint8_t *p = w->text + *token, *next = token + 1 < w->at ? w->text + token[1] : p + 1;
        while (next > p + 1 && next[-1] <= ' ')
            next--;
        memcpy(out + size, p, (size_t)(next - p));
        size += (size_t)(next - p);
    }
    data_append_str_end(column, size);
    return MR_OK;
}

static enum mr_status decode_boolean(struct data_json_decoder *d, struct data_column *column, struct mr_err *err)
{
    struct json_walk *w = &d->walk;
    const uint32_t *start = w->at;
    enum mr_status status;
    struct mr_str text;
    bool value;

    if (json_word_take(w, "true", 4)) {
        value = true;
    } else if (json_word_take(w, "false", 5)) {
        value = false;
    } else if (json_peek(w) == '"') {
        status = scratch_string(d, &text, err);
        if (status != MR_OK)
            return status;
        text = mr_str_trim(text);
        value = mr_str_equal_nocase(text, MR_STR("true"));
        if (!value && !mr_str_equal_nocase(text, MR_STR("false"))) {
            w->at = start;
            return json_expected(w, err, "BOOLEAN");
        }
    } else {
        return json_expected(w, err, "BOOLEAN");
    }
    if (column != NULL)
        data_append_bool(column, value);
    return MR_OK;
}

static bool f64_parse(struct json_number n, double *out)
{
    char *copy;

    if (mr_parse_f64((struct mr_str){ n.text, n.size }, out) == MR_OK)
        return isfinite(*out);
    copy =
        mr_str_dup((struct mr_str){ n.text, n.size }); /* longer than what mr_parse_f64 takes; the grammar is checked */
    *out = strtod(copy, NULL);
    mr_free(copy);
    return isfinite(*out);
}

/* An integer from a number or string token; *WRONG when it is neither, or out of [MIN, MAX]. */
static enum mr_status integer_read(struct data_json_decoder *d, int64_t min, int64_t max, int64_t *out, bool *wrong,
                                   struct mr_err *err)
{
    struct json_walk *w = &d->walk;
    struct json_number number;
    enum mr_status status;
    struct mr_str text;
    double value;

    *wrong = false;
    if (json_peek(w) == '"') {
        status = scratch_string(d, &text, err);
        if (status != MR_OK)
            return status;
        *wrong = mr_parse_i64(mr_str_trim(text), out) != MR_OK;
    } else if (json_peek(w) == '-' || (json_peek(w) >= '0' && json_peek(w) <= '9')) {
        status = json_number_scan(w, &number, err);
        if (status != MR_OK)
            return status;
        if (number.integer) {
            *wrong = mr_parse_i64((struct mr_str){ number.text, number.size }, out) != MR_OK;
        } else {
            *wrong = !f64_parse(number, &value) || !(value >= -9223372036854775808.0 && value < 9223372036854775808.0);
            if (!*wrong)
                *out = (int64_t)value;
        }
    } else {
        *wrong = true;
    }
    *wrong = *wrong || *out < min || *out > max;
    return MR_OK;
}

static enum mr_status decode_integer(struct data_json_decoder *d, const struct data_type *type,
                                     struct data_column *column, struct mr_err *err)
{
    const uint32_t *start = d->walk.at;
    int64_t max = INT64_MAX >> (64 - data_kind_width(type->kind) * 8), value = 0;
    bool wrong = false;
    enum mr_status status = integer_read(d, -max - 1, max, &value, &wrong, err);

    if (status != MR_OK)
        return status;
    if (wrong) {
        d->walk.at = start;
        return json_expected(&d->walk, err, "%s", data_kind_name(type->kind));
    }
    if (column != NULL)
        data_append_integer(column, value);
    return MR_OK;
}

/* A value that does not fit: START is its token. */
static enum mr_status type_expected(struct json_walk *w, const uint32_t *start, const struct data_type *type,
                                    struct mr_err *err)
{
    struct data_type shown = *type;
    struct mr_writer text = { 0 };
    enum mr_status status;

    shown.nullable = true;
    data_type_write(&text, &shown);
    w->at = start;
    status = json_expected(w, err, "%.*s", (int)text.size, (const char *)text.data);
    mr_writer_deinit(&text);
    return status;
}

static enum mr_status decode_decimal(struct data_json_decoder *d, const struct data_type *type,
                                     struct data_column *column, struct mr_err *err)
{
    struct json_walk *w = &d->walk;
    const uint32_t *start = w->at;
    struct json_number number;
    enum mr_status status;
    struct mr_str text = MR_STR("");
    data_i128 value;

    if (json_peek(w) == '"') {
        status = scratch_string(d, &text, err);
    } else if (json_peek(w) == '-' || (json_peek(w) >= '0' && json_peek(w) <= '9')) {
        status = json_number_scan(w, &number, err);
        if (status == MR_OK)
            text = (struct mr_str){ number.text, number.size };
    } else {
        return type_expected(w, start, type, err);
    }
    if (status != MR_OK)
        return status;
    if (data_parse_decimal(text, type->precision, type->scale, &value) != MR_OK)
        return type_expected(w, start, type, err);
    if (column != NULL)
        data_append_dec(column, value);
    return MR_OK;
}

/* BYTES, DATE, TIME, TIMESTAMP and TIMESTAMP_LTZ: strings. */
static enum mr_status decode_text(struct data_json_decoder *d, const struct data_type *type, struct data_column *column,
                                  struct mr_err *err)
{
    struct json_walk *w = &d->walk;
    const uint32_t *start = w->at;
    enum mr_status status;
    struct mr_str text;

    if (json_peek(w) != '"')
        return type_expected(w, start, type, err);
    status = scratch_string(d, &text, err);
    if (status == MR_OK && data_text_append(column, type, text, d->time_separator) != MR_OK)
        status = type_expected(w, start, type, err);
    return status;
}

static enum mr_status decode_float(struct data_json_decoder *d, struct data_column *column, bool is_float,
                                   struct mr_err *err)
{
    struct json_walk *w = &d->walk;
    const uint32_t *start = w->at;
    struct json_number number;
    enum mr_status status;
    struct mr_str text;
    double value = 0;
    bool wrong;

    if (json_peek(w) == '"') {
        status = scratch_string(d, &text, err);
        if (status != MR_OK)
            return status;
        wrong = data_parse_f64(text, &value) != MR_OK;
    } else if (json_peek(w) == '-' || (json_peek(w) >= '0' && json_peek(w) <= '9')) {
        status = json_number_scan(w, &number, err);
        if (status != MR_OK)
            return status;
        wrong = !f64_parse(number, &value) || (is_float && !isfinite((float)value));
    } else {
        wrong = true;
    }
    if (wrong) {
        w->at = start;
        return json_expected(w, err, "%s", is_float ? "FLOAT" : "DOUBLE");
    }
    if (column != NULL && is_float)
        data_append_f32(column, (float)value);
    else if (column != NULL)
        data_append_f64(column, value);
    return MR_OK;
}

/* ---- values ---- */

static enum mr_status decode_object(struct data_json_decoder *d, struct json_node *node,
                                    struct data_column *const *columns, const bool *wanted, uint32_t row,
                                    struct mr_err *err);

static enum mr_status decode_value(struct data_json_decoder *d, const struct data_type *type, struct json_node *node,
                                   struct data_column *column, struct mr_err *err);

static enum mr_status decode_row(struct data_json_decoder *d, struct json_node *node, struct data_column *column,
                                 struct mr_err *err)
{
    enum mr_status status;

    if (json_peek(&d->walk) != '{')
        return json_expected(&d->walk, err, "an object");
    d->walk.at++;
    status = decode_object(d, node, column == NULL ? NULL : column->children, NULL, column == NULL ? 0 : column->length,
                           err);
    if (status == MR_OK && column != NULL)
        data_append_row(column);
    return status;
}

static enum mr_status decode_array(struct data_json_decoder *d, struct json_node *node, struct data_column *column,
                                   struct mr_err *err)
{
    struct json_walk *w = &d->walk;
    enum mr_status status;
    size_t element = 0;

    if (json_peek(w) != '[')
        return json_expected(w, err, "an array");
    w->at++;
    if (!json_take(w, ']')) {
        do {
            if (!json_path_push(w, NULL, 0, element++))
                return json_wrong(w, MR_LIMIT, err, "nested too deeply");
            status = decode_value(d, node->fields[0].type, node->fields[0].node,
                                  column == NULL ? NULL : column->children[0], err);
            if (status != MR_OK)
                return status;
            json_path_pop(w);
        } while (json_take(w, ','));
        if (!json_take(w, ']'))
            return json_expected(w, err, "a comma or ]");
    }
    if (column != NULL)
        data_append_array(column);
    return MR_OK;
}

/* When the last entry's key stands there already, from FIRST on, the earlier entry goes. */
static void map_key_forget(struct data_column *keys, struct data_column *values, uint32_t first)
{
    struct mr_str last = data_str(keys, keys->length - 1);
    struct data_column *kept_keys, *kept_values;
    uint32_t same = first;

    while (same + 1 < keys->length && !mr_str_equal(data_str(keys, same), last))
        same++;
    if (same + 1 == keys->length)
        return;
    kept_keys = data_column_new(keys->type);
    kept_values = data_column_new(values->type);
    for (uint32_t i = same + 1; i < keys->length; i++) {
        data_append_from(kept_keys, keys, i);
        data_append_from(kept_values, values, i);
    }
    data_column_truncate(keys, same);
    data_column_truncate(values, same);
    for (uint32_t i = 0; i < kept_keys->length; i++) {
        data_append_from(keys, kept_keys, i);
        data_append_from(values, kept_values, i);
    }
    data_column_unref(kept_keys);
    data_column_unref(kept_values);
}

static enum mr_status decode_map(struct data_json_decoder *d, struct json_node *node, struct data_column *column,
                                 struct mr_err *err)
{
    struct json_walk *w = &d->walk;
    struct data_column *keys = column == NULL ? NULL : column->children[0];
    struct data_column *values = column == NULL ? NULL : column->children[1];
    uint32_t first = keys == NULL ? 0 : keys->length, count = 0;
    enum mr_status status;
    struct mr_str raw;

    if (json_peek(w) != '{')
        return json_expected(w, err, "an object");
    w->at++;
    if (!json_take(w, '}')) {
        do {
            const uint32_t *start = w->at;
            if (json_peek(w) != '"')
                return json_expected(w, err, "a field's name in quotes");
            status = json_string_check(w, &raw, NULL, err);
            if (status != MR_OK)
                return status;
            w->at = start;
            status = decode_string(d, keys, err);
            if (status == MR_OK && !json_take(w, ':'))
                status = json_expected(w, err, "a colon");
            if (status == MR_OK && !json_path_push(w, raw.data, raw.size, 0))
                status = json_wrong(w, MR_LIMIT, err, "nested too deeply");
            if (status == MR_OK)
                status = decode_value(d, node->fields[1].type, node->fields[1].node, values, err);
            if (status != MR_OK)
                return status;
            json_path_pop(w);
            if (++count > MAP_ENTRIES_MAX)
                return json_wrong(w, MR_LIMIT, err, "a MAP has at most %d entries", MAP_ENTRIES_MAX);
            if (keys != NULL)
                map_key_forget(keys, values, first);
        } while (json_take(w, ','));
        if (!json_take(w, '}'))
            return json_expected(w, err, "a comma or }");
    }
    if (column != NULL)
        data_append_array(column);
    return MR_OK;
}

static enum mr_status decode_value(struct data_json_decoder *d, const struct data_type *type, struct json_node *node,
                                   struct data_column *column, struct mr_err *err)
{
    if (json_peek(&d->walk) == 'n' && json_word_take(&d->walk, "null", 4)) {
        if (!type->nullable) {
            d->walk.at--;
            return json_expected(&d->walk, err, "%s NOT NULL", data_kind_name(type->kind));
        }
        if (column != NULL)
            data_append_null(column);
        return MR_OK;
    }
    switch ((int)type->kind) {
    case DATA_STRING:
        return decode_string(d, column, err);
    case DATA_TINYINT:
    case DATA_SMALLINT:
    case DATA_INT:
    case DATA_BIGINT:
        return decode_integer(d, type, column, err);
    case DATA_FLOAT:
        return decode_float(d, column, true, err);
    case DATA_DOUBLE:
        return decode_float(d, column, false, err);
    case DATA_BOOLEAN:
        return decode_boolean(d, column, err);
    case DATA_ROW:
        return decode_row(d, node, column, err);
    case DATA_ARRAY:
        return decode_array(d, node, column, err);
    case DATA_DECIMAL:
        return decode_decimal(d, type, column, err);
    case DATA_BYTES:
    case DATA_DATE:
    case DATA_TIME:
    case DATA_TIMESTAMP:
    case DATA_TIMESTAMP_LTZ:
        return decode_text(d, type, column, err);
    case DATA_MAP:
        return decode_map(d, node, column, err);
    }
    return json_expected(&d->walk, err, "null"); /* DATA_NULL */
}

/* ---- objects ---- */

/* Takes the key at the next token; *FIELD is NULL when the type has no such field. */
static enum mr_status key_take(struct data_json_decoder *d, struct json_node *node, uint32_t place,
                               struct node_field **field, struct mr_str *key, struct mr_err *err)
{
    struct json_walk *w = &d->walk;
    const uint8_t *p;
    enum mr_status status;
    const uint32_t *start = w->at;
    bool escaped;

    if (json_peek(w) != '"')
        return json_expected(w, err, "a field's name in quotes");
    p = w->text + *w->at + 1;
    if (place < ORDER_MAX && node->order[place] >= 0 && w->at + 1 < w->end) {
        struct node_field *f = &node->fields[node->order[place]];
        if (f->plain && w->at[1] - *w->at >= f->name.size + 2 && p[f->name.size] == '"' &&
            memcmp(p, f->name.data, f->name.size) == 0) {
            w->at++;
            *field = f;
            *key = f->name;
            return MR_OK;
        }
    }
    status = json_string_check(w, key, &escaped, err);
    if (status == MR_OK && escaped) {
        w->at = start;
        status = scratch_string(d, key, err);
    }
    if (status != MR_OK)
        return status;
    *field = mr_map_get(node->by_name, mr_bytes_of_str(*key));
    if (*field != NULL) {
        *key = (*field)->name;
        if (place < ORDER_MAX)
            node->order[place] = (int32_t)(*field - node->fields);
    } else if (escaped) {
        *key = MR_STR("?"); /* scratch does not last; this is only for messages */
    }
    return MR_OK;
}

/* The value of FIELD; one that does not fit is remembered (D2) and read past. */
static enum mr_status field_decode(struct data_json_decoder *d, struct json_node *node, struct node_field *field,
                                   struct data_column *column, uint32_t row, struct mr_err *err)
{
    struct json_walk *w = &d->walk;
    const uint32_t *start = w->at;
    uint32_t depth = w->depth;
    enum mr_status status;

    if (field->seen == node->object && column != NULL)
        data_column_truncate(column, row);
    field->seen = node->object;
    field->wrong_at = NULL;
    status = decode_value(d, field->type, field->node, column, err);
    if (status != MR_INVALID)
        return status;
    w->at = start;
    w->depth = depth;
    if (column != NULL)
        data_column_truncate(column, row);
    field->wrong_at = start;
    return json_value_check(w, NULL, err);
}

/* After the closing brace: values that did not fit fail the row, absent fields become NULL. */
static enum mr_status fields_finish(struct data_json_decoder *d, struct json_node *node,
                                    struct data_column *const *columns, const bool *wanted, uint32_t row,
                                    struct mr_err *err)
{
    struct json_walk *w = &d->walk;

    for (uint32_t i = 0; i < node->field_count; i++) {
        struct node_field *f = &node->fields[i];
        struct data_column *column = columns == NULL || (wanted != NULL && !wanted[i]) ? NULL : columns[i];
        if (f->seen != node->object) {
            if (!f->type->nullable)
                return json_wrong(w, MR_INVALID, err, "the field \"%.*s\" is absent, and is %s NOT NULL",
                                  MR_STR_ARG(f->name), data_kind_name(f->type->kind));
            if (column != NULL)
                data_append_null(column);
        } else if (f->wrong_at != NULL) {
            enum mr_status status;
            w->at = f->wrong_at;
            if (!json_path_push(w, f->name.data, f->name.size, 0))
                return json_wrong(w, MR_LIMIT, err, "nested too deeply");
            status = decode_value(d, f->type, f->node, NULL, err); /* again, for its message */
            assert(status != MR_OK);
            return status;
        } else if (column != NULL) {
            assert(column->length == row + 1);
        }
    }
    return MR_OK;
}

static enum mr_status decode_object(struct data_json_decoder *d, struct json_node *node,
                                    struct data_column *const *columns, const bool *wanted, uint32_t row,
                                    struct mr_err *err)
{
    struct json_walk *w = &d->walk;
    uint32_t place = 0;
    enum mr_status status;

    node->object++;
    if (!json_take(w, '}')) {
        do {
            struct node_field *field = NULL;
            struct mr_str key;
            status = key_take(d, node, place++, &field, &key, err);
            if (status != MR_OK)
                return status;
            if (!json_take(w, ':'))
                return json_expected(w, err, "a colon after \"%.*s\"", (int)(key.size > 60 ? 60 : key.size), key.data);
            if (!json_path_push(w, key.data, key.size, 0))
                return json_wrong(w, MR_LIMIT, err, "nested too deeply");
            if (field == NULL) {
                status = json_value_check(w, NULL, err);
            } else {
                size_t i = (size_t)(field - node->fields);
                bool skip = columns == NULL || (wanted != NULL && !wanted[i]);
                status = field_decode(d, node, field, skip ? NULL : columns[i], row, err);
            }
            if (status != MR_OK)
                return status;
            json_path_pop(w);
        } while (json_take(w, ','));
        if (!json_take(w, '}'))
            return json_expected(w, err, "a comma or }");
    }
    return fields_finish(d, node, columns, wanted, row, err);
}

enum mr_status data_json_decode(struct data_json_decoder *decoder, struct data_batch *batch, struct mr_bytes value,
                                uint32_t slack, struct mr_err *err)
{
    struct json_walk *w = &decoder->walk;
    uint32_t row = batch->row_count;
    enum mr_status status;

    MR_UNUSED(slack);
    assert(batch->column_count == decoder->row->field_count);
    if (value.data == NULL)
        return mr_err_set(err, MR_INVALID, "the value is null: there is no JSON in it");
    if (row == 0)
        decoder->batch_bytes = 0;
    if (value.size > DATA_JSON_VALUE_BYTES_MAX)
        return mr_err_set(err, MR_LIMIT, "%zu bytes of JSON are more than the limit of %d", value.size,
                          DATA_JSON_VALUE_BYTES_MAX);
    if (decoder->batch_bytes + value.size + 16 > BATCH_BYTES_MAX)
        return mr_err_set(err, MR_LIMIT, "the batch is full");
    status = json_walk_start(w, value, err);
    if (status == MR_OK && !json_take(w, '{'))
        status = json_expected(w, err, "an object");
    if (status == MR_OK)
        status = decode_object(decoder, decoder->root, batch->columns, decoder->wanted, row, err);
    if (status == MR_OK)
        status = json_walk_finish(w, err);
    if (status != MR_OK) {
        struct mr_err why = MR_ERR_INIT;
        for (uint32_t i = 0; i < batch->column_count; i++)
            data_column_truncate(batch->columns[i], row);
        /* What is no JSON at all is called so, whatever was found wrong with it first. */
        if (status == MR_INVALID && json_document_check(w, value, &why) == MR_INVALID && err != NULL)
            *err = why;
        return status;
    }
    for (uint32_t i = 0; i < batch->column_count; i++) {
        if (!decoder->wanted[i])
            data_append_null(batch->columns[i]);
    }
    decoder->batch_bytes += value.size + 16;
    batch->row_count++;
    return MR_OK;
}

/* cql_text.c -- see cql_text.h. */
#include "main/cql_text.h"
#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- statements ---- */

static bool starts(struct mr_str text, size_t at, const char *with)
{
    size_t size = strlen(with);

    return text.size - at >= size && memcmp(text.data + at, with, size) == 0;
}

/* The place behind WITH at or after AT; the text's end when there is none. */
static size_t behind(struct mr_str text, size_t at, const char *with)
{
    const char *found = memmem(text.data + at, text.size - at, with, strlen(with));

    return found != NULL ? (size_t)(found - text.data) + strlen(with) : text.size;
}

/* The place behind the comment that begins at AT; AT when none does. */
static size_t behind_comment(struct mr_str text, size_t at)
{
    if (starts(text, at, "--") || starts(text, at, "//"))
        return behind(text, at, "\n");
    return starts(text, at, "/*") ? behind(text, at + 2, "*/") : at;
}

/* The place behind the quoted text that begins at AT; AT when none does.  A doubled quote is two quoted texts. */
static size_t behind_quoted(struct mr_str text, size_t at)
{
    static const char *const quotes[] = { "'", "\"", "$$" };

    for (size_t i = 0; i < MR_COUNT(quotes); i++) {
        if (starts(text, at, quotes[i]))
            return behind(text, at + strlen(quotes[i]), quotes[i]);
    }
    return at;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* How far the statement at the start of TEXT goes, its semicolon not included. */
static size_t statement_size(struct mr_str text)
{
    bool batch = false, first = true, apply = false;
    size_t at = 0;

    while (at < text.size) {
        size_t next = behind_comment(text, at);

        if (next == at)
            next = behind_quoted(text, at);
        if (next > at) {
            at = next;
        } else if (is_word(text.data[at])) {
            while (next < text.size && is_word(text.data[next]))
                next++;
            if (first)
                batch = next - at == 5 && strncasecmp(text.data + at, "begin", 5) == 0;
            else if (batch && apply && next - at == 5 && strncasecmp(text.data + at, "batch", 5) == 0)
                batch = false;
            apply = next - at == 5 && strncasecmp(text.data + at, "apply", 5) == 0;
            first = false;
            at = next;
        } else if (text.data[at] == ';' && !batch) {
            return at;
        } else {
            at++;
        }
    }
    return at;
}

/* TEXT without the blanks and comments at its start and the blanks at its end. */
static struct mr_str trim(struct mr_str text)
{
    size_t at = 0;

    while (at < text.size) {
        size_t next = behind_comment(text, at);

        if (next == at && !isspace((unsigned char)text.data[at]))
            break;
        at = next > at ? next : at + 1;
    }
    text = (struct mr_str){ text.data + at, text.size - at };
    while (text.size > 0 && isspace((unsigned char)text.data[text.size - 1]))
        text.size--;
    return text;
}

bool cql_statement_next(struct mr_str *rest, struct mr_str *out)
{
    while (rest->size > 0) {
        size_t size = statement_size(*rest);
        struct mr_str statement = trim((struct mr_str){ rest->data, size });

        if (size < rest->size)
            size++; /* the semicolon */
        *rest = (struct mr_str){ rest->data + size, rest->size - size };
        if (statement.size > 0) {
            *out = statement;
            return true;
        }
    }
    return false;
}

/* ---- values ---- */

static json_t *text_json(const struct cql_type *type, struct cql_value v)
{
    struct mr_writer text = { 0 };
    json_t *json;

    cql_value_format(&text, type, v);
    json = json_stringn(text.data ? (const char *)text.data : "", text.size);
    mr_writer_deinit(&text);
    return json ? json : json_string("");
}

static json_t *list_json(const struct cql_type *type, struct mr_reader *r)
{
    json_t *list = json_array();
    int32_t count = mr_read_i32(r);

    for (int32_t i = 0; i < count && !r->failed; i++)
        json_array_append_new(list, cql_value_json(type->items[0], cql_read_value(r)));
    return list;
}

static json_t *map_json(const struct cql_type *type, struct mr_reader *r)
{
    json_t *map = json_object();
    int32_t count = mr_read_i32(r);

    for (int32_t i = 0; i < count && !r->failed; i++) {
        json_t *key = text_json(type->items[0], cql_read_value(r));

        json_object_set_new(map, json_string_value(key), cql_value_json(type->items[1], cql_read_value(r)));
        json_decref(key);
    }
    return map;
}

/* A tuple or a UDT: fields that the value does not have are null. */
static json_t *fields_json(const struct cql_type *type, struct mr_reader *r)
{
    json_t *all = type->code == CQL_UDT ? json_object() : json_array();

    for (uint16_t i = 0; i < type->item_count; i++) {
        bool there = mr_reader_left(r) > 0;
        struct cql_value v = there ? cql_read_value(r) : CQL_VALUE_NULL;
        json_t *field = r->failed ? json_null() : cql_value_json(type->items[i], v);

        if (type->code == CQL_UDT) {
            char *name = mr_str_dup(type->field_names[i]);

            json_object_set_new(all, name, field);
            mr_free(name);
        } else {
            json_array_append_new(all, field);
        }
    }
    return all;
}

static json_t *float_json(double number, const struct cql_type *type, struct cql_value v)
{
    json_t *json = json_real(number); /* NULL for what JSON has no number for */

    return json ? json : text_json(type, v);
}

/* The shortest number that reads back as V, not its nearest double. */
static json_t *float32_json(float number, const struct cql_type *type, struct cql_value v)
{
    char text[32];

    text[mr_format_f32(text, number)] = '\0';
    return float_json(strtod(text, NULL), type, v);
}

json_t *cql_value_json(const struct cql_type *type, struct cql_value v)
{
    struct mr_reader r = mr_reader_of((struct mr_bytes){ v.data, v.size > 0 ? (size_t)v.size : 0 });

    if (v.size < 0)
        return json_null();
    if (cql_value_check(type, v, NULL) != MR_OK)
        return text_json(cql_type_native(CQL_BLOB), v);
    if (type->code == CQL_LIST || type->code == CQL_SET)
        return list_json(type, &r);
    if (type->code == CQL_MAP)
        return map_json(type, &r);
    if (type->code == CQL_TUPLE || type->code == CQL_UDT)
        return fields_json(type, &r);
    if (v.size == 0)
        return text_json(type, v);
    switch (type->code) {
    case CQL_INT:
        return json_integer(mr_load_i32(v.data));
    case CQL_BIGINT:
    case CQL_COUNTER:
        return json_integer(mr_load_i64(v.data));
    case CQL_SMALLINT:
        return json_integer((int16_t)(v.data[0] << 8 | v.data[1]));
    case CQL_TINYINT:
        return json_integer((int8_t)v.data[0]);
    case CQL_BOOLEAN:
        return json_boolean(v.data[0] != 0);
    case CQL_DOUBLE:
        return float_json(cql_load_f64(v.data), type, v);
    case CQL_FLOAT:
        return float32_json(cql_load_f32(v.data), type, v);
    default:
        return text_json(type, v);
    }
}

/* literal.c -- which literal may stand for which type, and what bytes it then is. */
#include "tables/literal_int.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <math.h>
#include <string.h>

static const char *const kind_names[] = {
    [AST_NULL] = "NULL",       [AST_STRING] = "STRING", [AST_INTEGER] = "INTEGER", [AST_FLOAT] = "FLOAT",
    [AST_BOOLEAN] = "BOOLEAN", [AST_UUID] = "UUID",     [AST_HEX] = "HEX",         [AST_DURATION] = "DURATION",
};

/* Which kinds of literal a type takes, as bits. */
static uint32_t kinds_of(uint16_t code)
{
    switch (code) {
    case CQL_ASCII:
    case CQL_VARCHAR:
    case CQL_INET:
        return 1U << AST_STRING;
    case CQL_TIMESTAMP:
    case CQL_DATE:
    case CQL_TIME:
        return 1U << AST_STRING | 1U << AST_INTEGER;
    case CQL_BOOLEAN:
        return 1U << AST_BOOLEAN;
    case CQL_BLOB:
        return 1U << AST_HEX;
    case CQL_UUID:
    case CQL_TIMEUUID:
        return 1U << AST_UUID;
    case CQL_FLOAT:
    case CQL_DOUBLE:
    case CQL_DECIMAL:
        return 1U << AST_INTEGER | 1U << AST_FLOAT;
    case CQL_DURATION:
        return 1U << AST_DURATION | 1U << AST_INTEGER;
    case CQL_TINYINT:
    case CQL_SMALLINT:
    case CQL_INT:
    case CQL_BIGINT:
    case CQL_COUNTER:
    case CQL_VARINT:
        return 1U << AST_INTEGER;
    default:
        return 0;
    }
}

bool literal_fits(const struct ast_term *term, const struct cql_type *type)
{
    return term->kind == AST_NULL || (term->kind <= AST_DURATION && (kinds_of(type->code) & (1U << term->kind)) != 0);
}

static enum mr_status wrong_kind(const struct ast_term *term, const struct cql_type *type, struct mr_str name,
                                 struct mr_err *err)
{
    struct mr_writer w = { 0 };
    enum mr_status status;

    cql_type_write_name(&w, type);
    status = mr_err_set(err, MR_INVALID, "Invalid %s constant (%.*s) for \"%.*s\" of type %.*s", kind_names[term->kind],
                        MR_STR_ARG(term->text), MR_STR_ARG(name), (int)w.size, (const char *)w.data);
    mr_writer_deinit(&w);
    return status;
}

static struct cql_value take(struct mr_arena *arena, const void *data, size_t size)
{
    return CQL_VALUE_OF(mr_arena_bytes(arena, (struct mr_bytes){ data, size }).data, size);
}

static struct cql_value take_writer(struct mr_arena *arena, struct mr_writer *w)
{
    struct cql_value v = take(arena, w->data, w->size);

    mr_writer_deinit(w);
    return v;
}

/* The types whose values are integers of SIZE bytes, and Cassandra's word for them. */
static const struct integer {
    uint16_t code;
    uint8_t size;
    const char *name;
} integers[] = {
    { CQL_TINYINT, 1, "byte" }, { CQL_SMALLINT, 2, "short" }, { CQL_INT, 4, "int" },
    { CQL_BIGINT, 8, "long" },  { CQL_TIMESTAMP, 8, "long" }, { CQL_COUNTER, 8, "long" },
};

static enum mr_status encode_sized(const struct ast_term *term, const struct integer *integer, struct mr_arena *arena,
                                   struct cql_value *out, struct mr_err *err)
{
    uint8_t bytes[8];
    int64_t v, max = integer->size == 8 ? INT64_MAX : (INT64_C(1) << (8 * integer->size - 1)) - 1;

    if (mr_parse_i64(term->text, &v) != MR_OK || v > max || v < -max - 1)
        return mr_err_set(err, MR_INVALID, "Unable to make %s from '%.*s'", integer->name, MR_STR_ARG(term->text));
    mr_store_i64(bytes, v);
    *out = take(arena, bytes + 8 - integer->size, integer->size);
    return MR_OK;
}

static enum mr_status encode_float(const struct ast_term *term, const struct cql_type *type, struct mr_arena *arena,
                                   struct cql_value *out, struct mr_err *err)
{
    uint8_t bytes[8];
    double v;

    if (mr_str_equal(term->text, MR_STR("NaN")))
        v = NAN;
    else if (mr_str_equal(term->text, MR_STR("Infinity")))
        v = INFINITY;
    else if (mr_str_equal(term->text, MR_STR("-Infinity")))
        v = -INFINITY;
    else if (mr_parse_f64(term->text, &v) != MR_OK)
        return mr_err_set(err, MR_INVALID, "Unable to make %s from '%.*s'",
                          type->code == CQL_FLOAT ? "float" : "double", MR_STR_ARG(term->text));
    if (type->code == CQL_FLOAT)
        cql_store_f32(bytes, (float)v);
    else
        cql_store_f64(bytes, v);
    *out = take(arena, bytes, type->code == CQL_FLOAT ? 4 : 8);
    return MR_OK;
}

static enum mr_status encode_number(const struct ast_term *term, const struct cql_type *type, struct mr_arena *arena,
                                    struct cql_value *out, struct mr_err *err)
{
    struct mr_writer w = { 0 };
    int64_t v = 0;
    uint8_t bytes[8];
    bool whole = term->kind == AST_INTEGER && mr_parse_i64(term->text, &v) == MR_OK;
    size_t i;

    for (i = 0; i < MR_COUNT(integers); i++) {
        if (integers[i].code == type->code)
            return encode_sized(term, &integers[i], arena, out, err);
    }
    if (type->code == CQL_FLOAT || type->code == CQL_DOUBLE)
        return encode_float(term, type, arena, out, err);
    if (type->code == CQL_VARINT || type->code == CQL_DECIMAL) {
        enum mr_status status =
            type->code == CQL_VARINT ? cql_varint_parse(term->text, &w) : cql_decimal_parse(term->text, &w);

        if (status != MR_OK) {
            mr_writer_deinit(&w);
            return mr_err_set(err, MR_INVALID, "unable to make %s from '%.*s'",
                              type->code == CQL_VARINT ? "varint" : "BigDecimal",
                              term->text.size > 100 ? 100 : (int)term->text.size, term->text.data);
        }
        *out = take_writer(arena, &w);
        return MR_OK;
    }
    if (type->code == CQL_DATE) {
        if (!whole || v < 0 || v > UINT32_MAX)
            return mr_err_set(err, MR_INVALID, "Unable to make unsigned int (for date) from: '%.*s'",
                              MR_STR_ARG(term->text));
        mr_store_i32(bytes, (int32_t)(uint32_t)v);
        *out = take(arena, bytes, 4);
        return MR_OK;
    }
    if (type->code == CQL_DURATION)
        return mr_err_set(err, MR_INVALID, "Unable to convert '%.*s' to a duration", MR_STR_ARG(term->text));
    if (!whole || v < 0 || v >= INT64_C(86400000000000))
        return mr_err_set(err, MR_INVALID, "Unable to make long (for time) from: '%.*s'", MR_STR_ARG(term->text));
    mr_store_i64(bytes, v);
    *out = take(arena, bytes, 8);
    return MR_OK;
}

static enum mr_status encode_inet(const struct ast_term *term, struct mr_arena *arena, struct cql_value *out,
                                  struct mr_err *err)
{
    struct in6_addr address;
    const char *text = mr_arena_str(arena, term->text).data;

    if (inet_pton(AF_INET, text, &address) == 1)
        *out = take(arena, &address, 4);
    else if (inet_pton(AF_INET6, text, &address) == 1)
        *out = take(arena, &address, 16);
    else
        return mr_err_set(err, MR_INVALID, "Unable to make inet address from '%.*s'", MR_STR_ARG(term->text));
    return MR_OK;
}

static enum mr_status encode_string(const struct ast_term *term, const struct cql_type *type, struct mr_arena *arena,
                                    struct cql_value *out, struct mr_err *err)
{
    uint8_t bytes[8];
    uint32_t date;
    int64_t v;
    size_t i;

    for (i = 0; type->code == CQL_ASCII && i < term->text.size; i++) {
        if ((uint8_t)term->text.data[i] > 0x7f)
            return mr_err_set(err, MR_INVALID,
                              "Invalid ASCII character in string literal: "
                              "java.nio.charset.UnmappableCharacterException: Input length = 1");
    }
    if (type->code == CQL_INET)
        return encode_inet(term, arena, out, err);
    if (type->code == CQL_TIMESTAMP) {
        if (mr_parse_time_ms(term->text, &v) != MR_OK)
            return mr_err_set(err, MR_INVALID, "Unable to parse a date/time from '%.*s'", MR_STR_ARG(term->text));
        mr_store_i64(bytes, v);
        *out = take(arena, bytes, 8);
    } else if (type->code == CQL_TIME) {
        if (cql_time_parse(term->text, &v) != MR_OK)
            return mr_err_set(err, MR_INVALID, "(TimeType) Unable to coerce '%.*s' to a formatted time (long)",
                              MR_STR_ARG(term->text));
        mr_store_i64(bytes, v);
        *out = take(arena, bytes, 8);
    } else if (type->code == CQL_DATE) {
        if (cql_date_parse(term->text, &date) != MR_OK)
            return mr_err_set(err, MR_INVALID, "Unable to coerce '%.*s' to a formatted date (long)",
                              MR_STR_ARG(term->text));
        mr_store_i32(bytes, (int32_t)date);
        *out = take(arena, bytes, 4);
    } else {
        *out = CQL_VALUE_OF((const uint8_t *)term->text.data, term->text.size);
    }
    return MR_OK;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

static enum mr_status encode_hex(const struct ast_term *term, struct mr_arena *arena, struct cql_value *out,
                                 struct mr_err *err)
{
    struct mr_str digits = { term->text.data + 2, term->text.size - 2 };
    uint8_t *bytes = mr_arena_alloc(arena, digits.size / 2 + 1);
    size_t i;

    if (digits.size % 2 != 0)
        return mr_err_set(err, MR_INVALID, "cannot parse '%.*s' as hex bytes",
                          digits.size > 100 ? 100 : (int)digits.size, digits.data);
    for (i = 0; i < digits.size / 2; i++)
        bytes[i] = (uint8_t)(hex_digit(digits.data[2 * i]) << 4 | hex_digit(digits.data[2 * i + 1]));
    *out = CQL_VALUE_OF(bytes, digits.size / 2);
    return MR_OK;
}

static enum mr_status encode_rest(const struct ast_term *term, const struct cql_type *type, struct mr_str name,
                                  struct mr_arena *arena, struct cql_value *out, struct mr_err *err)
{
    struct cql_duration duration;
    struct mr_writer w = { 0 };
    uint8_t uuid[16];

    if (term->kind == AST_BOOLEAN) {
        *out = take(arena, term->text.data[0] == 't' ? "\1" : "\0", 1);
        return MR_OK;
    }
    if (term->kind == AST_UUID) {
        if (mr_uuid_parse(term->text, uuid) != MR_OK)
            return wrong_kind(term, type, name, err);
        if (type->code == CQL_TIMEUUID && uuid[6] >> 4 != 1)
            return mr_err_set(err, MR_INVALID, "TimeUUID supports only version 1 UUIDs");
        *out = take(arena, uuid, sizeof(uuid));
        return MR_OK;
    }
    if (cql_duration_parse(term->text, &duration) != MR_OK)
        return mr_err_set(err, MR_INVALID, "Unable to convert '%.*s' to a duration", MR_STR_ARG(term->text));
    cql_duration_write(&w, &duration);
    *out = take_writer(arena, &w);
    return MR_OK;
}

enum mr_status literal_encode(const struct ast_term *term, const struct cql_type *type, struct mr_str name,
                              struct mr_arena *arena, struct cql_value *out, struct mr_err *err)
{
    assert(term->kind <= AST_DURATION);
    if (term->kind == AST_NULL) {
        *out = CQL_VALUE_NULL;
        return MR_OK;
    }
    if (!literal_fits(term, type))
        return wrong_kind(term, type, name, err);
    if (term->kind == AST_STRING)
        return encode_string(term, type, arena, out, err);
    if (term->kind == AST_INTEGER || term->kind == AST_FLOAT)
        return encode_number(term, type, arena, out, err);
    if (term->kind == AST_HEX)
        return encode_hex(term, arena, out, err);
    return encode_rest(term, type, name, arena, out, err);
}

/* ---- as text ---- */

static void write_entries(struct mr_writer *w, const struct ast_term *term, const char *open, const char *close)
{
    const struct ast_node *entry;

    mr_write_str(w, mr_str_of(open));
    for (entry = term->entries; entry != NULL; entry = entry->next) {
        if (entry != term->entries)
            mr_write_str(w, MR_STR(", "));
        literal_write(w, entry->term);
        if (entry->value != NULL) {
            mr_write_str(w, MR_STR(": "));
            literal_write(w, entry->value);
        }
    }
    mr_write_str(w, mr_str_of(close));
}

/* writetime, ttl and their like have no keyspace in front. */
static bool is_bare(struct mr_str name)
{
    static const char *const bare[] = { "writetime", "maxwritetime", "minwritetime", "ttl" };

    for (size_t i = 0; i < MR_COUNT(bare); i++)
        if (mr_str_equal(name, mr_str_of(bare[i])))
            return true;
    return false;
}

static void write_call(struct mr_writer *w, const struct ast_term *term)
{
    if (mr_str_equal(term->text, MR_STR("count")) && term->entries != NULL &&
        (term->entries->term->kind == AST_STAR || term->entries->term->kind == AST_INTEGER)) {
        mr_write_str(w, MR_STR("count"));
        return;
    }
    mr_write_text(w, "%s%.*s", is_bare(term->text) ? "" : "system.", MR_STR_ARG(term->text));
    write_entries(w, term, "(", ")");
}

void literal_write(struct mr_writer *w, const struct ast_term *term)
{
    switch (term->kind) {
    case AST_STRING:
        mr_write_text(w, "'%.*s'", MR_STR_ARG(term->text));
        break;
    case AST_MARKER:
        mr_write_str(w, MR_STR("?"));
        break;
    case AST_LIST:
        write_entries(w, term, "[", "]");
        break;
    case AST_SET:
    case AST_MAP:
        write_entries(w, term, "{", "}");
        break;
    case AST_TUPLE:
        write_entries(w, term, "(", ")");
        break;
    case AST_HINT:
        mr_write_text(w, "(%.*s)", MR_STR_ARG(term->type));
        literal_write(w, term->entries->term);
        break;
    case AST_CAST:
        mr_write_str(w, MR_STR("cast("));
        literal_write(w, term->entries->term);
        mr_write_text(w, " as %.*s)", MR_STR_ARG(term->type));
        break;
    case AST_INDEX:
        literal_write(w, term->entries->term);
        mr_write_u8(w, '[');
        literal_write(w, term->entries->next->term);
        mr_write_u8(w, ']');
        break;
    case AST_CALL:
        write_call(w, term);
        break;
    case AST_NULL:
    case AST_INTEGER:
    case AST_FLOAT:
    case AST_BOOLEAN:
    case AST_UUID:
    case AST_HEX:
    case AST_DURATION:
    case AST_COLUMN:
    case AST_STAR:
        mr_write_str(w, term->text);
        break;
    }
}

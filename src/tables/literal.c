/* literal.c -- which literal may stand for which type, and what bytes it then is. */
#include "tables/literal_int.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <math.h>
#include <string.h>

static const char *const kind_names[] = {
    [AST_NULL] = "NULL",       [AST_STRING] = "STRING", [AST_INTEGER] = "INTEGER", [AST_FLOAT] = "FLOAT",
    [AST_BOOLEAN] = "BOOLEAN", [AST_UUID] = "UUID",     [AST_HEX] = "HEX",
};

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

static enum mr_status encode_integer(const struct ast_term *term, const struct cql_type *type, struct mr_arena *arena,
                                     struct cql_value *out, struct mr_err *err)
{
    uint8_t bytes[8];
    int64_t v;

    if (mr_parse_i64(term->text, &v) != MR_OK || (type->code == CQL_INT && (v < INT32_MIN || v > INT32_MAX)))
        return mr_err_set(err, MR_INVALID, "Unable to make %s from '%.*s'", type->code == CQL_INT ? "int" : "long",
                          MR_STR_ARG(term->text));
    if (type->code == CQL_INT)
        mr_store_i32(bytes, (int32_t)v);
    else
        mr_store_i64(bytes, v);
    *out = take(arena, bytes, type->code == CQL_INT ? 4 : 8);
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

static enum mr_status encode_timestamp(const struct ast_term *term, struct mr_arena *arena, struct cql_value *out,
                                       struct mr_err *err)
{
    uint8_t bytes[8];
    int64_t ms;

    if (mr_parse_time_ms(term->text, &ms) != MR_OK)
        return mr_err_set(err, MR_INVALID, "Unable to parse a date/time from '%.*s'", MR_STR_ARG(term->text));
    mr_store_i64(bytes, ms);
    *out = take(arena, bytes, sizeof(bytes));
    return MR_OK;
}

static enum mr_status encode_string(const struct ast_term *term, const struct cql_type *type, struct mr_str name,
                                    struct mr_arena *arena, struct cql_value *out, struct mr_err *err)
{
    struct in6_addr address;

    if (type->code == CQL_VARCHAR || type->code == CQL_ASCII) {
        *out = CQL_VALUE_OF((const uint8_t *)term->text.data, term->text.size);
        return MR_OK;
    }
    if (type->code == CQL_TIMESTAMP)
        return encode_timestamp(term, arena, out, err);
    if (type->code == CQL_INET && inet_pton(AF_INET, mr_arena_str(arena, term->text).data, &address) == 1)
        *out = take(arena, &address, 4);
    else if (type->code == CQL_INET && inet_pton(AF_INET6, mr_arena_str(arena, term->text).data, &address) == 1)
        *out = take(arena, &address, 16);
    else
        return wrong_kind(term, type, name, err);
    return MR_OK;
}

static bool is_one_of(uint16_t code, const uint16_t *codes, size_t count)
{
    while (count-- > 0) {
        if (codes[count] == code)
            return true;
    }
    return false;
}

enum mr_status literal_encode(const struct ast_term *term, const struct cql_type *type, struct mr_str name,
                              struct mr_arena *arena, struct cql_value *out, struct mr_err *err)
{
    static const uint16_t integers[] = { CQL_INT, CQL_BIGINT, CQL_TIMESTAMP, CQL_COUNTER };
    static const uint16_t floats[] = { CQL_FLOAT, CQL_DOUBLE };
    static const uint16_t uuids[] = { CQL_UUID, CQL_TIMEUUID };
    uint8_t uuid[16];

    switch (term->kind) {
    case AST_NULL:
        *out = CQL_VALUE_NULL;
        return MR_OK;
    case AST_STRING:
        return encode_string(term, type, name, arena, out, err);
    case AST_INTEGER:
        if (is_one_of(type->code, integers, MR_COUNT(integers)))
            return encode_integer(term, type, arena, out, err);
        if (is_one_of(type->code, floats, MR_COUNT(floats)))
            return encode_float(term, type, arena, out, err);
        return wrong_kind(term, type, name, err);
    case AST_FLOAT:
        if (is_one_of(type->code, floats, MR_COUNT(floats)))
            return encode_float(term, type, arena, out, err);
        return wrong_kind(term, type, name, err);
    case AST_BOOLEAN:
        if (type->code != CQL_BOOLEAN)
            return wrong_kind(term, type, name, err);
        *out = take(arena, term->text.data[0] == 't' ? "\1" : "\0", 1);
        return MR_OK;
    case AST_UUID:
        if (!is_one_of(type->code, uuids, MR_COUNT(uuids)) || mr_uuid_parse(term->text, uuid) != MR_OK)
            return wrong_kind(term, type, name, err);
        *out = take(arena, uuid, sizeof(uuid));
        return MR_OK;
    case AST_HEX:
        return wrong_kind(term, type, name, err);
    case AST_MARKER:
    case AST_MAP:
    case AST_OTHER:
        break;
    }
    return mr_err_set(err, MR_UNSUPPORTED, "%.*s can't stand here in this version: write a plain value for \"%.*s\"",
                      MR_STR_ARG(term->text), MR_STR_ARG(name));
}

/* type.c -- types: their names, their [option]s, and whether bytes are a value of one. */
#include "cql/cql.h"

#include "base/text.h"

#include <string.h>

enum native_check { CHECK_NONE, CHECK_SIZE, CHECK_UTF8, CHECK_ASCII, CHECK_INET, CHECK_EXACT, CHECK_OTHER };

/* The native types: how CQL spells them, and what their bytes must be. */
static const struct native {
    struct cql_type type;
    const char *name;
    enum native_check check;
    int32_t size;
} natives[] = {
    { { CQL_ASCII }, "ascii", CHECK_ASCII, 0 },     { { CQL_BIGINT }, "bigint", CHECK_SIZE, 8 },
    { { CQL_BLOB }, "blob", CHECK_NONE, 0 },        { { CQL_BOOLEAN }, "boolean", CHECK_SIZE, 1 },
    { { CQL_COUNTER }, "counter", CHECK_SIZE, 8 },  { { CQL_DECIMAL }, "decimal", CHECK_OTHER, 0 },
    { { CQL_DOUBLE }, "double", CHECK_SIZE, 8 },    { { CQL_FLOAT }, "float", CHECK_SIZE, 4 },
    { { CQL_INT }, "int", CHECK_SIZE, 4 },          { { CQL_TIMESTAMP }, "timestamp", CHECK_SIZE, 8 },
    { { CQL_UUID }, "uuid", CHECK_SIZE, 16 },       { { CQL_VARCHAR }, "text", CHECK_UTF8, 0 },
    { { CQL_VARINT }, "varint", CHECK_OTHER, 0 },   { { CQL_TIMEUUID }, "timeuuid", CHECK_OTHER, 16 },
    { { CQL_INET }, "inet", CHECK_INET, 0 },        { { CQL_DATE }, "date", CHECK_EXACT, 4 },
    { { CQL_TIME }, "time", CHECK_OTHER, 8 },       { { CQL_SMALLINT }, "smallint", CHECK_EXACT, 2 },
    { { CQL_TINYINT }, "tinyint", CHECK_EXACT, 1 }, { { CQL_DURATION }, "duration", CHECK_OTHER, 0 },
};

static const struct cql_type type_text = { CQL_VARCHAR }, type_blob = { CQL_BLOB }, type_uuid = { CQL_UUID },
                             type_boolean = { CQL_BOOLEAN };
static const struct cql_type *const items_text[] = { &type_text };
static const struct cql_type *const items_boolean[] = { &type_boolean };
static const struct cql_type *const items_text_text[] = { &type_text, &type_text };
static const struct cql_type *const items_text_blob[] = { &type_text, &type_blob };
static const struct cql_type *const items_uuid_blob[] = { &type_uuid, &type_blob };

const struct cql_type cql_type_set_text = { CQL_SET, 1, items_text };
const struct cql_type cql_type_list_text = { CQL_LIST, 1, items_text };
const struct cql_type cql_type_list_boolean = { CQL_LIST, 1, items_boolean };
const struct cql_type cql_type_map_text_text = { CQL_MAP, 2, items_text_text };
const struct cql_type cql_type_map_text_blob = { CQL_MAP, 2, items_text_blob };
const struct cql_type cql_type_map_uuid_blob = { CQL_MAP, 2, items_uuid_blob };

static const struct native *native_find(uint16_t code)
{
    size_t i;

    for (i = 0; i < MR_COUNT(natives); i++) {
        if (natives[i].type.code == code)
            return &natives[i];
    }
    return NULL;
}

const struct cql_type *cql_type_native(uint16_t code)
{
    const struct native *native = native_find(code);

    return native != NULL ? &native->type : NULL;
}

const struct cql_type *cql_type_named(struct mr_str name)
{
    size_t i;

    if (mr_str_equal_nocase(name, MR_STR("varchar")))
        return cql_type_native(CQL_VARCHAR);
    for (i = 0; i < MR_COUNT(natives); i++) {
        if (mr_str_equal_nocase(name, mr_str_of(natives[i].name)))
            return &natives[i].type;
    }
    return NULL;
}

bool cql_type_is_multicell(const struct cql_type *type)
{
    return !type->is_frozen &&
           (type->code == CQL_LIST || type->code == CQL_SET || type->code == CQL_MAP || type->code == CQL_UDT);
}

static void write_name_items(struct mr_writer *w, const char *name, const struct cql_type *type)
{
    uint16_t i;

    mr_write_text(w, "%s<", name);
    for (i = 0; i < type->item_count; i++) {
        if (i > 0)
            mr_write_str(w, MR_STR(", "));
        cql_type_write_name(w, type->items[i]);
    }
    mr_write_u8(w, '>');
}

void cql_type_write_name(struct mr_writer *w, const struct cql_type *type)
{
    const struct native *native = native_find(type->code);
    bool is_frozen = native == NULL && (type->is_frozen || type->code == CQL_TUPLE);

    if (is_frozen)
        mr_write_str(w, MR_STR("frozen<"));
    if (native != NULL)
        mr_write_str(w, mr_str_of(native->name));
    else if (type->code == CQL_LIST)
        write_name_items(w, "list", type);
    else if (type->code == CQL_SET)
        write_name_items(w, "set", type);
    else if (type->code == CQL_MAP)
        write_name_items(w, "map", type);
    else if (type->code == CQL_TUPLE)
        write_name_items(w, "tuple", type);
    else if (type->code == CQL_UDT)
        cql_name_write(w, type->name);
    else
        mr_write_text(w, "'%.*s'", MR_STR_ARG(type->name));
    if (is_frozen)
        mr_write_u8(w, '>');
}

bool cql_type_equal(const struct cql_type *a, const struct cql_type *b)
{
    uint16_t i;

    if (a == b)
        return true;
    if (a->code != b->code || a->item_count != b->item_count || !mr_str_equal(a->name, b->name) ||
        !mr_str_equal(a->keyspace, b->keyspace))
        return false;
    for (i = 0; i < a->item_count; i++) {
        if (!cql_type_equal(a->items[i], b->items[i]))
            return false;
    }
    return true;
}

void cql_type_write(struct mr_writer *w, const struct cql_type *type)
{
    uint16_t i;

    mr_write_u16(w, type->code);
    if (type->code == CQL_CUSTOM)
        cql_write_string(w, type->name);
    if (type->code == CQL_UDT) {
        cql_write_string(w, type->keyspace);
        cql_write_string(w, type->name);
    }
    if (type->code == CQL_UDT || type->code == CQL_TUPLE)
        mr_write_u16(w, type->item_count);
    for (i = 0; i < type->item_count; i++) {
        if (type->code == CQL_UDT)
            cql_write_string(w, type->field_names[i]);
        cql_type_write(w, type->items[i]);
    }
}

static enum mr_status type_read(struct mr_reader *r, struct mr_arena *arena, const struct cql_type **out, int depth);

static enum mr_status type_read_items(struct mr_reader *r, struct mr_arena *arena, struct cql_type *type, int depth)
{
    const struct cql_type **items;
    struct mr_str *names;
    uint16_t i;

    if (mr_reader_left(r) < (size_t)type->item_count * 2)
        return MR_INVALID;
    items = MR_ARENA_ARRAY(arena, const struct cql_type *, (size_t)type->item_count + 1);
    names = type->code == CQL_UDT ? MR_ARENA_ARRAY(arena, struct mr_str, (size_t)type->item_count + 1) : NULL;
    for (i = 0; i < type->item_count; i++) {
        enum mr_status status;

        if (names != NULL)
            names[i] = cql_read_string(r);
        status = type_read(r, arena, &items[i], depth + 1);
        if (status != MR_OK)
            return status;
    }
    type->items = items;
    type->field_names = names;
    return MR_OK;
}

static enum mr_status type_read(struct mr_reader *r, struct mr_arena *arena, const struct cql_type **out, int depth)
{
    uint16_t code = mr_read_u16(r);
    const struct cql_type *native = cql_type_native(code);
    struct cql_type *type;

    if (r->failed || depth > CQL_TYPE_DEPTH_MAX)
        return MR_INVALID;
    if (native != NULL) {
        *out = native;
        return MR_OK;
    }
    type = MR_ARENA_NEW(arena, struct cql_type);
    type->code = code;
    *out = type;
    if (code == CQL_CUSTOM) {
        type->name = cql_read_string(r);
        return r->failed ? MR_INVALID : MR_OK;
    }
    if (code == CQL_LIST || code == CQL_SET) {
        type->item_count = 1;
    } else if (code == CQL_MAP) {
        type->item_count = 2;
    } else if (code == CQL_UDT || code == CQL_TUPLE) {
        if (code == CQL_UDT) {
            type->keyspace = cql_read_string(r);
            type->name = cql_read_string(r);
        }
        type->item_count = mr_read_u16(r);
    } else {
        return MR_INVALID;
    }
    return type_read_items(r, arena, type, depth);
}

enum mr_status cql_type_read(struct mr_reader *r, struct mr_arena *arena, const struct cql_type **out)
{
    return type_read(r, arena, out, 0);
}

/* ---- are these bytes a value of it? ---- */

static enum mr_status check_part(const struct cql_type *type, struct cql_value v, struct mr_err *err)
{
    if (v.size == CQL_NULL)
        return mr_err_set(err, MR_INVALID, "null is not supported inside collections");
    if (v.size == CQL_UNSET)
        return mr_err_set(err, MR_INVALID, "unset value is not supported inside collections");
    return cql_value_check(type, v, err);
}

static enum mr_status check_items(const struct cql_type *type, struct cql_value v, struct mr_err *err)
{
    struct mr_reader r = mr_reader_of((struct mr_bytes){ v.data, (size_t)v.size });
    int32_t left = mr_read_i32(&r);

    if (r.failed || left < 0)
        return mr_err_set(err, MR_INVALID, "Not enough bytes to read a collection");
    for (; left > 0 && !r.failed; left--) {
        uint16_t i;

        for (i = 0; i < type->item_count && !r.failed; i++) {
            enum mr_status status;
            struct cql_value part = cql_read_value(&r);

            if (r.failed)
                break;
            status = check_part(type->items[i], part, err);
            if (status != MR_OK)
                return status;
        }
    }
    if (r.failed)
        return mr_err_set(err, MR_INVALID, "Not enough bytes to read a collection");
    return mr_reader_left(&r) == 0 ? MR_OK : mr_err_set(err, MR_INVALID, "Unexpected extraneous bytes after value");
}

static enum mr_status check_tuple(const struct cql_type *type, struct cql_value v, struct mr_err *err)
{
    struct mr_reader r = mr_reader_of((struct mr_bytes){ v.data, (size_t)v.size });
    uint16_t i;

    for (i = 0; i < type->item_count && mr_reader_left(&r) > 0; i++) {
        struct cql_value part = cql_read_value(&r);
        enum mr_status status;

        if (r.failed)
            return mr_err_set(err, MR_INVALID, "Not enough bytes to read %dth component", i);
        status = cql_value_check(type->items[i], part, err);
        if (status != MR_OK)
            return status;
    }
    if (mr_reader_left(&r) > 0)
        return mr_err_set(err, MR_INVALID, "Expected %d values but got more", type->item_count);
    return MR_OK;
}

static enum mr_status check_other(uint16_t code, struct cql_value v, struct mr_err *err)
{
    struct cql_duration duration;

    if (code == CQL_VARINT && v.size > CQL_NUMBER_BYTES_MAX)
        return mr_err_set(err, MR_INVALID, "a varint of %d bytes: at most %d", v.size, CQL_NUMBER_BYTES_MAX);
    if (code == CQL_DECIMAL && v.size > 4 + CQL_NUMBER_BYTES_MAX)
        return mr_err_set(err, MR_INVALID, "a decimal of %d bytes: at most %d", v.size, 4 + CQL_NUMBER_BYTES_MAX);
    if (code == CQL_DECIMAL && v.size != 0 && v.size < 4)
        return mr_err_set(err, MR_INVALID, "Expected 0 or at least 4 bytes (%d)", v.size);
    if (code == CQL_TIMEUUID && v.size != 0 && v.size != 16)
        return mr_err_set(err, MR_INVALID, "Expected 16 or 0 byte timeuuid (%d)", v.size);
    if (code == CQL_TIMEUUID && v.size == 16 && v.data[6] >> 4 != 1)
        return mr_err_set(err, MR_INVALID, "Invalid version for TimeUUID type.");
    if (code == CQL_TIME && v.size != 8)
        return mr_err_set(err, MR_INVALID, "Expected 8 byte long for time (%d)", v.size);
    if (code == CQL_DURATION && v.size != 0 && cql_duration_read(v, &duration) != MR_OK)
        return mr_err_set(err, MR_INVALID, "Expected at least 3 bytes for a duration (%d)", v.size);
    return MR_OK;
}

static enum mr_status check_native(const struct native *native, struct cql_value v, struct mr_err *err)
{
    int32_t i;

    switch (native->check) {
    case CHECK_NONE:
        break;
    case CHECK_SIZE:
        if (v.size != 0 && v.size != native->size)
            return mr_err_set(err, MR_INVALID, "Expected %d or 0 byte %s (%d)", native->size, native->name, v.size);
        break;
    case CHECK_EXACT:
        if (v.size != native->size)
            return mr_err_set(err, MR_INVALID, "Expected %d byte %s (%d)", native->size, native->name, v.size);
        break;
    case CHECK_OTHER:
        return check_other(native->type.code, v, err);
    case CHECK_UTF8:
        if (!mr_utf8_valid((struct mr_bytes){ v.data, (size_t)v.size }))
            return mr_err_set(err, MR_INVALID, "String didn't validate.");
        break;
    case CHECK_ASCII:
        for (i = 0; i < v.size; i++) {
            if (v.data[i] > 0x7f)
                return mr_err_set(err, MR_INVALID, "Invalid byte for ascii: %d", (int8_t)v.data[i]);
        }
        break;
    case CHECK_INET:
        if (v.size != 0 && v.size != 4 && v.size != 16)
            return mr_err_set(err, MR_INVALID, "Expected 4 or 16 byte inet address; got %d", v.size);
        break;
    }
    return MR_OK;
}

enum mr_status cql_value_check(const struct cql_type *type, struct cql_value v, struct mr_err *err)
{
    const struct native *native;

    if (v.size < 0)
        return MR_OK;
    native = native_find(type->code);
    if (native != NULL)
        return check_native(native, v, err);
    if (type->code == CQL_LIST || type->code == CQL_SET || type->code == CQL_MAP)
        return check_items(type, v, err);
    return type->code == CQL_TUPLE ? check_tuple(type, v, err) : MR_OK;
}

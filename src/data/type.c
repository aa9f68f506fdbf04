/* type.c -- SQL types: making, comparing and spelling them.
 *
 * Invariants: a ROW has field_count fields; an ARRAY exactly one and a MAP two, without names; every other
 * kind has none.  Types are
 * never changed once made, so they may be shared by any thread as long as their arena lives. */
#include "data/data.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    const char *other_name;
    bool supported;
    bool numeric;
    uint8_t width;
} kinds[DATA_KIND_N] = {
    [DATA_NULL] = { "NULL", NULL, true, false, 0 },
    [DATA_BOOLEAN] = { "BOOLEAN", NULL, true, false, 0 },
    [DATA_TINYINT] = { "TINYINT", NULL, true, true, 1 },
    [DATA_SMALLINT] = { "SMALLINT", NULL, true, true, 2 },
    [DATA_INT] = { "INT", "INTEGER", true, true, 4 },
    [DATA_BIGINT] = { "BIGINT", NULL, true, true, 8 },
    [DATA_FLOAT] = { "FLOAT", NULL, true, true, 4 },
    [DATA_DOUBLE] = { "DOUBLE", NULL, true, true, 8 },
    [DATA_DECIMAL] = { "DECIMAL", "NUMERIC", true, true, 16 },
    [DATA_STRING] = { "STRING", NULL, true, false, 0 },
    [DATA_BYTES] = { "BYTES", NULL, true, false, 0 },
    [DATA_DATE] = { "DATE", NULL, true, false, 4 },
    [DATA_TIME] = { "TIME", NULL, true, false, 4 },
    [DATA_TIMESTAMP] = { "TIMESTAMP", NULL, true, false, 8 },
    [DATA_TIMESTAMP_LTZ] = { "TIMESTAMP_LTZ", NULL, true, false, 8 },
    [DATA_ROW] = { "ROW", NULL, true, false, 0 },
    [DATA_ARRAY] = { "ARRAY", NULL, true, false, 0 },
    [DATA_MAP] = { "MAP", NULL, true, false, 0 },
    [DATA_INTERVAL_MONTH] = { "INTERVAL YEAR TO MONTH", NULL, true, false, 4 },
    [DATA_INTERVAL_DAY] = { "INTERVAL DAY TO SECOND", NULL, true, false, 8 },
};

#define SCALAR_OF(k, p)                                                                                                \
    [k] = {                                                                                                            \
        { .kind = (k), .nullable = false, .precision = (p) },                                                          \
        { .kind = (k), .nullable = true, .precision = (p) },                                                           \
    }
#define SCALAR(k) SCALAR_OF(k, 0)
static const struct data_type scalars[DATA_KIND_N][2] = {
    SCALAR(DATA_NULL),
    SCALAR(DATA_BOOLEAN),
    SCALAR(DATA_TINYINT),
    SCALAR(DATA_SMALLINT),
    SCALAR(DATA_INT),
    SCALAR(DATA_BIGINT),
    SCALAR(DATA_FLOAT),
    SCALAR(DATA_DOUBLE),
    SCALAR_OF(DATA_DECIMAL, 10),
    SCALAR(DATA_STRING),
    SCALAR(DATA_BYTES),
    SCALAR(DATA_DATE),
    SCALAR(DATA_TIME),
    SCALAR_OF(DATA_TIMESTAMP, 6),
    SCALAR(DATA_INTERVAL_MONTH),
    SCALAR_OF(DATA_TIMESTAMP_LTZ, 6),
    SCALAR(DATA_INTERVAL_DAY),
};
#undef SCALAR_OF
#undef SCALAR

const char *data_kind_name(enum data_kind kind)
{
    assert((unsigned)kind < DATA_KIND_N);
    return kinds[kind].name;
}

bool data_kind_parse(struct mr_str name, enum data_kind *out)
{
    for (unsigned i = 0; i < DATA_KIND_N; i++) {
        if (mr_str_equal_nocase(name, mr_str_of(kinds[i].name)) ||
            (kinds[i].other_name != NULL && mr_str_equal_nocase(name, mr_str_of(kinds[i].other_name)))) {
            *out = (enum data_kind)i;
            return true;
        }
    }
    return false;
}

bool data_kind_supported(enum data_kind kind)
{
    assert((unsigned)kind < DATA_KIND_N);
    return kinds[kind].supported;
}

bool data_kind_numeric(enum data_kind kind)
{
    assert((unsigned)kind < DATA_KIND_N);
    return kinds[kind].numeric;
}

bool data_kind_integer(enum data_kind kind)
{
    return kind >= DATA_TINYINT && kind <= DATA_BIGINT;
}

bool data_kind_nested(enum data_kind kind)
{
    return kind == DATA_ROW || kind == DATA_ARRAY || kind == DATA_MAP;
}

bool data_kind_temporal(enum data_kind kind)
{
    return kind >= DATA_DATE && kind <= DATA_TIMESTAMP_LTZ;
}

size_t data_kind_width(enum data_kind kind)
{
    assert((unsigned)kind < DATA_KIND_N);
    return kinds[kind].width;
}

const struct data_type *data_type_scalar(enum data_kind kind, bool nullable)
{
    assert((unsigned)kind < DATA_KIND_N && !data_kind_nested(kind));
    return &scalars[kind][nullable];
}

const struct data_type *data_type_row(struct mr_arena *arena, const struct data_field *fields, uint32_t field_count,
                                      bool nullable)
{
    struct data_type *type = MR_ARENA_NEW(arena, struct data_type);
    struct data_field *copies = MR_ARENA_ARRAY(arena, struct data_field, field_count + 1);

    assert(field_count <= DATA_FIELDS_MAX);
    for (uint32_t i = 0; i < field_count; i++) {
        copies[i].name = mr_arena_str(arena, fields[i].name);
        copies[i].type = fields[i].type;
    }
    type->kind = DATA_ROW;
    type->nullable = nullable;
    type->field_count = field_count;
    type->fields = copies;
    return type;
}

const struct data_type *data_type_array(struct mr_arena *arena, const struct data_type *element, bool nullable)
{
    struct data_type *type = MR_ARENA_NEW(arena, struct data_type);
    struct data_field *field = MR_ARENA_NEW(arena, struct data_field);

    field->name = MR_STR("element");
    field->type = element;
    type->kind = DATA_ARRAY;
    type->nullable = nullable;
    type->field_count = 1;
    type->fields = field;
    return type;
}

static struct data_type *type_new(struct mr_arena *arena, enum data_kind kind, bool nullable)
{
    struct data_type *type = MR_ARENA_NEW(arena, struct data_type);

    type->kind = kind;
    type->nullable = nullable;
    return type;
}

const struct data_type *data_type_decimal(struct mr_arena *arena, unsigned precision, unsigned scale, bool nullable)
{
    struct data_type *type = type_new(arena, DATA_DECIMAL, nullable);

    assert(precision >= 1 && precision <= DATA_DECIMAL_DIGITS_MAX && scale <= precision);
    type->precision = (uint8_t)precision;
    type->scale = (uint8_t)scale;
    return type;
}

const struct data_type *data_type_sized(struct mr_arena *arena, enum data_kind kind, uint32_t length, bool fixed,
                                        bool nullable)
{
    struct data_type *type = type_new(arena, kind, nullable);

    assert(kind == DATA_STRING || kind == DATA_BYTES);
    assert(!fixed || length != 0);
    type->length = length;
    type->fixed = fixed;
    return type;
}

const struct data_type *data_type_time(struct mr_arena *arena, enum data_kind kind, unsigned precision, bool nullable)
{
    struct data_type *type = type_new(arena, kind, nullable);

    assert(kind >= DATA_TIME && kind <= DATA_TIMESTAMP_LTZ && precision <= 9);
    type->precision = (uint8_t)precision;
    return type;
}

const struct data_type *data_type_map(struct mr_arena *arena, const struct data_type *key,
                                      const struct data_type *value, bool nullable)
{
    struct data_type *type = type_new(arena, DATA_MAP, nullable);
    struct data_field *fields = MR_ARENA_ARRAY(arena, struct data_field, 2);

    fields[0] = (struct data_field){ MR_STR("key"), key };
    fields[1] = (struct data_field){ MR_STR("value"), value };
    type->field_count = 2;
    type->fields = fields;
    return type;
}

const struct data_type *data_type_with_zone(struct mr_arena *arena, const struct data_type *type,
                                            const struct mr_zone *zone)
{
    struct data_type *copy = MR_ARENA_NEW(arena, struct data_type);

    *copy = *type;
    copy->zone = zone;
    return copy;
}

const struct data_type *data_type_with_nullable(struct mr_arena *arena, const struct data_type *type, bool nullable)
{
    struct data_type *copy;

    if (type->nullable == nullable)
        return type;
    copy = MR_ARENA_NEW(arena, struct data_type);
    *copy = *type;
    copy->nullable = nullable;
    return copy;
}

const struct data_type *data_type_copy(struct mr_arena *arena, const struct data_type *type)
{
    struct data_type *copy = MR_ARENA_NEW(arena, struct data_type);

    *copy = *type;
    if (type->field_count != 0) {
        struct data_field *fields = MR_ARENA_ARRAY(arena, struct data_field, type->field_count);
        for (uint32_t i = 0; i < type->field_count; i++) {
            fields[i].name = mr_arena_str(arena, type->fields[i].name);
            fields[i].type = data_type_copy(arena, type->fields[i].type);
        }
        copy->fields = fields;
    }
    return copy;
}

bool data_type_same(const struct data_type *a, const struct data_type *b)
{
    if (a->kind != b->kind || a->precision != b->precision || a->scale != b->scale ||
        a->field_count != b->field_count || a->length != b->length || a->fixed != b->fixed)
        return false;
    for (uint32_t i = 0; i < a->field_count; i++) {
        if (a->kind == DATA_ROW && !mr_str_equal(a->fields[i].name, b->fields[i].name))
            return false;
        if (!data_type_equal(a->fields[i].type, b->fields[i].type))
            return false;
    }
    return true;
}

bool data_type_equal(const struct data_type *a, const struct data_type *b)
{
    return a == b || (a->nullable == b->nullable && data_type_same(a, b));
}

void data_name_write(struct mr_writer *out, struct mr_str name)
{
    mr_write_u8(out, '`');
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '`')
            mr_write_u8(out, '`');
        mr_write_u8(out, (uint8_t)name.data[i]);
    }
    mr_write_u8(out, '`');
}

static void head_write(struct mr_writer *out, const struct data_type *type)
{
    const char *name = data_kind_name(type->kind);

    if (type->length != 0) {
        name = type->kind == DATA_STRING ? (type->fixed ? "CHAR" : "VARCHAR") : type->fixed ? "BINARY" : "VARBINARY";
        mr_write_text(out, "%s(%u)", name, type->length);
        return;
    }
    mr_write_str(out, mr_str_of(name));
    if (type->kind == DATA_DECIMAL)
        mr_write_text(out, "(%u, %u)", type->precision, type->scale);
    else if (type->kind >= DATA_TIME && type->kind <= DATA_TIMESTAMP_LTZ)
        mr_write_text(out, "(%u)", type->precision);
}

void data_type_write(struct mr_writer *out, const struct data_type *type)
{
    head_write(out, type);
    if (type->field_count != 0 || type->kind == DATA_ROW) {
        mr_write_u8(out, '<');
        for (uint32_t i = 0; i < type->field_count; i++) {
            if (i != 0)
                mr_write_str(out, MR_STR(", "));
            if (type->kind == DATA_ROW) {
                data_name_write(out, type->fields[i].name);
                mr_write_u8(out, ' ');
            }
            data_type_write(out, type->fields[i].type);
        }
        mr_write_u8(out, '>');
    }
    if (!type->nullable && type->kind != DATA_NULL)
        mr_write_str(out, MR_STR(" NOT NULL"));
}

char *data_type_text(struct mr_arena *arena, const struct data_type *type)
{
    struct mr_writer w = { 0 };
    struct mr_str text;

    data_type_write(&w, type);
    text = mr_arena_str(arena, mr_str_of_bytes(mr_writer_bytes(&w)));
    mr_writer_deinit(&w);
    return (char *)text.data;
}

int data_type_field(const struct data_type *row, struct mr_str name)
{
    assert(row->kind == DATA_ROW);
    for (uint32_t i = 0; i < row->field_count; i++) {
        if (mr_str_equal(row->fields[i].name, name))
            return (int)i;
    }
    return -1;
}

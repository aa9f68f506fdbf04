/* cassandra_value.c -- values of SQL types as CQL's and back, for all types but the plainest, which sink and source do
 * themselves.
 *
 *   SQL            CQL type made   CQL types that take it
 *   TINYINT        tinyint         tinyint, smallint, int, bigint, varint
 *   SMALLINT       smallint        smallint, int, bigint, varint
 *   INT            int             int, bigint, varint
 *   BIGINT         bigint          bigint, varint, timestamp (milliseconds)
 *   DECIMAL        decimal         decimal, varint (of scale 0)
 *   DATE           date            date
 *   TIME           time            time
 *   TIMESTAMP      timestamp       timestamp: milliseconds, as if UTC
 *   TIMESTAMP_LTZ  timestamp       timestamp
 *   BYTES          blob            blob
 *   ARRAY          list            list, set of what the element takes
 *   MAP            map             map
 * Read, what has no column type of its own (decimal, varint) goes through its text. */
#include "connectors/cassandra_int.h"

#include "base/text.h"

#include <string.h>

enum { US_PER_MS = 1000, NS_PER_MS = 1000000 };

/* ---- types ---- */

static struct mr_str inner(struct mr_str text, size_t skip)
{
    return (struct mr_str){ text.data + skip, text.size - skip - 1 };
}

static bool begins(struct mr_str text, const char *with)
{
    size_t size = strlen(with);

    return text.size > size && memcmp(text.data, with, size) == 0 && text.data[text.size - 1] == '>';
}

const struct cql_type *cassandra_type_parse(struct mr_arena *arena, struct mr_str text)
{
    const struct cql_type **items;
    struct cql_type *type;
    size_t comma = 0, depth = 0;
    bool is_map = begins(text, "map<"), is_set = begins(text, "set<");

    if (begins(text, "frozen<"))
        return cassandra_type_parse(arena, inner(text, 7));
    if (!is_map && !is_set && !begins(text, "list<"))
        return cql_type_named(text);
    text = inner(text, is_map || is_set ? 4 : 5);
    type = MR_ARENA_NEW(arena, struct cql_type);
    items = MR_ARENA_ARRAY(arena, const struct cql_type *, 2);
    for (; is_map && comma < text.size && (text.data[comma] != ',' || depth > 0); comma++)
        depth += (size_t)((text.data[comma] == '<') - (text.data[comma] == '>'));
    if (is_map && comma + 2 > text.size)
        return NULL;
    items[0] = cassandra_type_parse(arena, is_map ? (struct mr_str){ text.data, comma } : text);
    if (is_map)
        items[1] = cassandra_type_parse(arena, (struct mr_str){ text.data + comma + 2, text.size - comma - 2 });
    if (items[0] == NULL || (is_map && items[1] == NULL))
        return NULL;
    type->code = is_map ? CQL_MAP : is_set ? CQL_SET : CQL_LIST;
    type->item_count = is_map ? 2 : 1;
    type->items = items;
    return type;
}

bool cassandra_type_write(struct mr_writer *w, const struct data_type *type)
{
    static const char *const names[DATA_KIND_N] = {
        [DATA_BOOLEAN] = "boolean",     [DATA_TINYINT] = "tinyint",
        [DATA_SMALLINT] = "smallint",   [DATA_INT] = "int",
        [DATA_BIGINT] = "bigint",       [DATA_FLOAT] = "float",
        [DATA_DOUBLE] = "double",       [DATA_DECIMAL] = "decimal",
        [DATA_STRING] = "text",         [DATA_BYTES] = "blob",
        [DATA_DATE] = "date",           [DATA_TIME] = "time",
        [DATA_TIMESTAMP] = "timestamp", [DATA_TIMESTAMP_LTZ] = "timestamp",
    };
    bool nested = type->kind == DATA_ARRAY || type->kind == DATA_MAP;

    if (!nested) {
        if (names[type->kind] != NULL)
            mr_write_str(w, mr_str_of(names[type->kind]));
        return names[type->kind] != NULL;
    }
    mr_write_str(w, type->kind == DATA_MAP ? MR_STR("map<") : MR_STR("list<"));
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct data_type *item = type->fields[i].type;
        bool frozen = data_kind_nested(item->kind);
        if (i > 0)
            mr_write_str(w, MR_STR(", "));
        if (frozen)
            mr_write_str(w, MR_STR("frozen<"));
        if (!cassandra_type_write(w, item))
            return false;
        if (frozen)
            mr_write_u8(w, '>');
    }
    mr_write_u8(w, '>');
    return true;
}

bool cassandra_type_takes(const struct data_type *type, const struct cql_type *cql, bool reading)
{
    static const struct {
        enum data_kind kind;
        uint16_t takes[6]; /* ends with 0 */
        uint16_t reads[6]; /* further ones */
    } types[] = {
        { DATA_BOOLEAN, { CQL_BOOLEAN }, { 0 } },
        { DATA_TINYINT, { CQL_TINYINT, CQL_SMALLINT, CQL_INT, CQL_BIGINT, CQL_VARINT }, { 0 } },
        { DATA_SMALLINT, { CQL_SMALLINT, CQL_INT, CQL_BIGINT, CQL_VARINT }, { CQL_TINYINT } },
        { DATA_INT, { CQL_INT, CQL_BIGINT, CQL_VARINT }, { CQL_TINYINT, CQL_SMALLINT } },
        { DATA_BIGINT, { CQL_BIGINT, CQL_TIMESTAMP, CQL_VARINT }, { CQL_INT, CQL_TINYINT, CQL_SMALLINT, CQL_COUNTER } },
        { DATA_FLOAT, { CQL_FLOAT, CQL_DOUBLE }, { 0 } },
        { DATA_DOUBLE, { CQL_DOUBLE }, { CQL_FLOAT } },
        { DATA_DECIMAL, { CQL_DECIMAL }, { CQL_VARINT, CQL_INT, CQL_BIGINT, CQL_TINYINT, CQL_SMALLINT } },
        { DATA_STRING, { CQL_VARCHAR, CQL_ASCII, CQL_UUID, CQL_TIMEUUID }, { CQL_INET, CQL_VARINT, CQL_DECIMAL } },
        { DATA_BYTES, { CQL_BLOB }, { 0 } },
        { DATA_DATE, { CQL_DATE }, { 0 } },
        { DATA_TIME, { CQL_TIME }, { 0 } },
        { DATA_TIMESTAMP, { CQL_TIMESTAMP }, { 0 } },
        { DATA_TIMESTAMP_LTZ, { CQL_TIMESTAMP }, { 0 } },
    };

    if (type->kind == DATA_ARRAY)
        return (cql->code == CQL_LIST || cql->code == CQL_SET) &&
               cassandra_type_takes(type->fields[0].type, cql->items[0], reading);
    if (type->kind == DATA_MAP)
        return cql->code == CQL_MAP && cassandra_type_takes(type->fields[0].type, cql->items[0], reading) &&
               cassandra_type_takes(type->fields[1].type, cql->items[1], reading);
    if (type->kind == DATA_DECIMAL && type->scale == 0 && cql->code == CQL_VARINT)
        return true;
    for (size_t i = 0; i < MR_COUNT(types); i++) {
        for (size_t k = 0; types[i].kind == type->kind && k < MR_COUNT(types[i].takes); k++)
            if (cql->code != 0 && (types[i].takes[k] == cql->code || (reading && types[i].reads[k] == cql->code)))
                return true;
    }
    return false;
}

/* ---- writing ---- */

static void integer_write(struct mr_writer *w, uint16_t code, int64_t v)
{
    if (code == CQL_VARINT)
        cql_varint_write(w, v);
    else if (code == CQL_TINYINT)
        mr_write_u8(w, (uint8_t)v);
    else if (code == CQL_SMALLINT)
        mr_write_u16(w, (uint16_t)v);
    else if (code == CQL_INT)
        mr_write_i32(w, (int32_t)v);
    else
        mr_write_i64(w, v);
}

static enum mr_status text_write(struct mr_writer *w, uint16_t code, struct mr_str v, struct mr_err *err)
{
    uint8_t uuid[16];

    if (code == CQL_UUID || code == CQL_TIMEUUID) {
        if (mr_uuid_parse(v, uuid) != MR_OK || (code == CQL_TIMEUUID && uuid[6] >> 4 != 1))
            return mr_err_set(err, MR_INVALID, "'%.*s' is not a %s", v.size > 80 ? 80 : (int)v.size, v.data,
                              code == CQL_UUID ? "uuid" : "timeuuid");
        mr_write_bytes(w, (struct mr_bytes){ uuid, 16 });
        return MR_OK;
    }
    for (size_t i = 0; code == CQL_ASCII && i < v.size; i++)
        if ((uint8_t)v.data[i] >= 0x80)
            return mr_err_set(err, MR_INVALID, "ascii can't hold '%.*s'", v.size > 80 ? 80 : (int)v.size, v.data);
    mr_write_str(w, v);
    return MR_OK;
}

static enum mr_status items_write(struct mr_writer *w, const struct cql_type *cql, const struct data_column *values,
                                  uint32_t row, struct mr_err *err)
{
    enum mr_status status = MR_OK;
    uint32_t start, end;

    data_array_range(values, row, &start, &end);
    mr_write_i32(w, (int32_t)(end - start));
    for (uint32_t i = start; i < end; i++) {
        for (uint32_t c = 0; c < values->child_count && status == MR_OK; c++) {
            if (data_is_null(values->children[c], i))
                return mr_err_set(err, MR_INVALID, "a collection can't hold NULL");
            status = cassandra_value_write(w, cql->items[c], values->children[c], i, err);
        }
    }
    return status;
}

static enum mr_status body_write(struct mr_writer *w, const struct cql_type *cql, const struct data_column *values,
                                 uint32_t row, struct mr_err *err)
{
    char text[DATA_DECIMAL_BYTES];
    struct mr_str digits;
    uint8_t fixed[8];
    int64_t v;

    switch ((int)values->type->kind) {
    case DATA_BOOLEAN:
        mr_write_u8(w, data_bool(values, row));
        return MR_OK;
    case DATA_FLOAT:
    case DATA_DOUBLE:
        if (cql->code == CQL_FLOAT)
            cql_store_f32(fixed, data_f32(values, row));
        else
            cql_store_f64(fixed,
                          values->type->kind == DATA_FLOAT ? (double)data_f32(values, row) : data_f64(values, row));
        mr_write_bytes(w, (struct mr_bytes){ fixed, cql->code == CQL_FLOAT ? 4 : 8 });
        return MR_OK;
    case DATA_DECIMAL:
        digits = (struct mr_str){ text, data_decimal_format(text, data_dec(values, row), values->type->scale) };
        return cql->code == CQL_VARINT ? cql_varint_parse(digits, w) : cql_decimal_parse(digits, w);
    case DATA_STRING:
        return text_write(w, cql->code, data_str(values, row), err);
    case DATA_BYTES:
        mr_write_str(w, data_str(values, row));
        return MR_OK;
    case DATA_DATE:
        mr_write_i32(w, (int32_t)((uint32_t)data_i32(values, row) + CQL_DATE_EPOCH));
        return MR_OK;
    case DATA_TIME:
        mr_write_i64(w, (int64_t)data_i32(values, row) * NS_PER_MS);
        return MR_OK;
    case DATA_TIMESTAMP:
    case DATA_TIMESTAMP_LTZ:
        v = data_i64(values, row);
        mr_write_i64(w, v / US_PER_MS - (v % US_PER_MS < 0));
        return MR_OK;
    case DATA_ARRAY:
    case DATA_MAP:
        return items_write(w, cql, values, row, err);
    default:
        integer_write(w, cql->code, data_integer(values, row));
        return MR_OK;
    }
}

enum mr_status cassandra_value_write(struct mr_writer *w, const struct cql_type *cql, const struct data_column *values,
                                     uint32_t row, struct mr_err *err)
{
    size_t at = w->size;
    enum mr_status status;

    mr_write_i32(w, 0);
    status = body_write(w, cql, values, row, err);
    if (w->size - at - 4 > (size_t)INT32_MAX)
        return mr_err_set(err, MR_LIMIT, "the value is too large");
    if (status == MR_OK)
        mr_store_i32(w->data + at, (int32_t)(w->size - at - 4));
    return status;
}

/* ---- reading ---- */

const struct data_type *cassandra_type_read_as(struct mr_arena *arena, const struct data_type *type,
                                               const struct cql_type *cql)
{
    switch ((int)cql->code) {
    case CQL_TINYINT:
        return data_type_scalar(DATA_TINYINT, true);
    case CQL_SMALLINT:
        return data_type_scalar(DATA_SMALLINT, true);
    case CQL_INT:
        return data_type_scalar(DATA_INT, true);
    case CQL_BIGINT:
    case CQL_COUNTER:
        return data_type_scalar(DATA_BIGINT, true);
    case CQL_BOOLEAN:
        return data_type_scalar(DATA_BOOLEAN, true);
    case CQL_FLOAT:
        return data_type_scalar(DATA_FLOAT, true);
    case CQL_DOUBLE:
        return data_type_scalar(DATA_DOUBLE, true);
    case CQL_BLOB:
        return data_type_scalar(DATA_BYTES, true);
    case CQL_DATE:
        return data_type_scalar(DATA_DATE, true);
    case CQL_TIME:
        return data_type_time(arena, DATA_TIME, 3, true);
    case CQL_TIMESTAMP:
        return type->kind == DATA_BIGINT ? data_type_scalar(DATA_BIGINT, true)
                                         : data_type_time(arena, type->kind, 3, true);
    case CQL_LIST:
    case CQL_SET:
        return data_type_array(arena, cassandra_type_read_as(arena, type->fields[0].type, cql->items[0]), true);
    case CQL_MAP:
        return data_type_map(arena, data_type_scalar(DATA_STRING, false),
                             cassandra_type_read_as(arena, type->fields[1].type, cql->items[1]), true);
    default:
        return data_type_scalar(DATA_STRING, true); /* the number's text, too */
    }
}

static void text_append(struct data_column *to, const struct cql_type *cql, struct cql_value v)
{
    struct mr_bytes bytes = { v.data, (size_t)v.size };
    struct mr_writer text = { 0 };
    char uuid[37];

    if (cql->code == CQL_UUID || cql->code == CQL_TIMEUUID) {
        mr_uuid_format(uuid, v.data);
        data_append_str(to, (struct mr_str){ uuid, 36 });
        return;
    }
    if (cql->code == CQL_VARCHAR || cql->code == CQL_ASCII) {
        data_append_str(to, mr_str_of_bytes(bytes));
        return;
    }
    if (cql->code == CQL_DECIMAL)
        cql_decimal_format(&text, bytes);
    else
        cql_value_format(&text, cql, v);
    data_append_str(to, mr_str_of_bytes(mr_writer_bytes(&text)));
    mr_writer_deinit(&text);
}

static void items_append(struct data_column *to, const struct cql_type *cql, struct cql_value v)
{
    struct mr_reader reader = mr_reader_of((struct mr_bytes){ v.data, (size_t)v.size });
    int32_t count = mr_read_i32(&reader);

    for (int32_t i = 0; i < count; i++)
        for (uint32_t c = 0; c < to->child_count; c++)
            cassandra_value_append(to->children[c], cql->items[c], cql_read_value(&reader));
    data_append_array(to);
}

void cassandra_value_append(struct data_column *to, const struct cql_type *cql, struct cql_value v)
{
    bool texts = cql->code == CQL_VARCHAR || cql->code == CQL_ASCII || cql->code == CQL_BLOB;
    int64_t number;

    if (v.size < 0 || (v.size == 0 && !texts)) {
        data_append_null(to);
        return;
    }
    switch ((int)to->type->kind) {
    case DATA_BOOLEAN:
        data_append_bool(to, v.data[0] != 0);
        break;
    case DATA_TINYINT:
        data_append_i8(to, (int8_t)v.data[0]);
        break;
    case DATA_SMALLINT:
        data_append_i16(to, (int16_t)((v.data[0] << 8) | v.data[1]));
        break;
    case DATA_INT:
        data_append_i32(to, mr_load_i32(v.data));
        break;
    case DATA_BIGINT:
        data_append_i64(to, mr_load_i64(v.data));
        break;
    case DATA_FLOAT:
        data_append_f32(to, cql_load_f32(v.data));
        break;
    case DATA_DOUBLE:
        data_append_f64(to, cql_load_f64(v.data));
        break;
    case DATA_BYTES:
        data_append_str(to, (struct mr_str){ (const char *)v.data, (size_t)v.size });
        break;
    case DATA_DATE: /* years that SQL has not are NULL */
        number = (int64_t)(uint32_t)mr_load_i32(v.data) - (int64_t)CQL_DATE_EPOCH;
        if (number < DATA_DAY_MIN || number > DATA_DAY_MAX)
            data_append_null(to);
        else
            data_append_i32(to, (int32_t)number);
        break;
    case DATA_TIME:
        data_append_i32(to, (int32_t)(mr_load_i64(v.data) / NS_PER_MS));
        break;
    case DATA_TIMESTAMP:
    case DATA_TIMESTAMP_LTZ:
        if (__builtin_mul_overflow(mr_load_i64(v.data), US_PER_MS, &number) || !data_timestamp_valid(number))
            data_append_null(to);
        else
            data_append_i64(to, number);
        break;
    case DATA_ARRAY:
    case DATA_MAP:
        items_append(to, cql, v);
        break;
    default:
        text_append(to, cql, v);
    }
}

/* function.c -- the functions of CQL by name.  A name may be written with '_' between its words or without. */
#include "tables/expr_int.h"

#include "base/env.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define UUID_EPOCH_100NS INT64_C(122192928000000000)
#define DAY_US           INT64_C(86400000000)

enum { NAME_MAX_BYTES = 48 };

static enum mr_status give(const struct expr_call *call, const void *data, size_t size, struct cql_value *out)
{
    *out = CQL_VALUE_OF(mr_arena_bytes(call->context->arena, (struct mr_bytes){ data, size }).data, size);
    if (out->data == NULL)
        out->data = (const uint8_t *)"";
    return MR_OK;
}

static enum mr_status give_i64(const struct expr_call *call, int64_t v, struct cql_value *out)
{
    uint8_t bytes[8];

    mr_store_i64(bytes, v);
    return give(call, bytes, 8, out);
}

/* A version 1 UUID of a time and its last eight bytes. */
static void time_uuid(uint8_t out[16], int64_t ticks, const uint8_t rest[8])
{
    uint64_t t = (uint64_t)(ticks + UUID_EPOCH_100NS);

    mr_store_i32(out, (int32_t)(uint32_t)t);
    out[4] = (uint8_t)(t >> 40);
    out[5] = (uint8_t)(t >> 32);
    out[6] = (uint8_t)(0x10 | (t >> 56 & 0x0f));
    out[7] = (uint8_t)(t >> 48);
    memcpy(out + 8, rest, 8);
}

static enum mr_status run_now(const struct expr_call *call, struct cql_value *out)
{
    uint8_t uuid[16], chance[16];

    mr_random_uuid(mr_env_real(), chance);
    chance[10] |= 1; /* a node id of no network card */
    time_uuid(uuid, call->context->now_us * 10, chance + 8);
    return give(call, uuid, 16, out);
}

static enum mr_status run_uuid(const struct expr_call *call, struct cql_value *out)
{
    uint8_t uuid[16];

    mr_random_uuid(mr_env_real(), uuid);
    return give(call, uuid, 16, out);
}

static enum mr_status run_current_timestamp(const struct expr_call *call, struct cql_value *out)
{
    return give_i64(call, call->context->now_us / 1000, out);
}

static enum mr_status run_current_date(const struct expr_call *call, struct cql_value *out)
{
    uint8_t bytes[4];

    mr_store_i32(bytes, (int32_t)(uint32_t)(call->context->now_us / DAY_US + (int64_t)CQL_DATE_EPOCH));
    return give(call, bytes, 4, out);
}

static enum mr_status run_current_time(const struct expr_call *call, struct cql_value *out)
{
    return give_i64(call, call->context->now_us % DAY_US * 1000, out);
}

static enum mr_status run_cast(const struct expr_call *call, struct cql_value *out)
{
    return expr_cast(call->expr->args[0]->type, call->expr->type, call->args[0], call->context->arena, out,
                     call->context->err);
}

static enum mr_status run_unix(const struct expr_call *call, struct cql_value *out)
{
    const struct cql_type *timestamp = cql_type_native(CQL_TIMESTAMP);
    enum mr_status status = MR_OK;

    *out = call->args[0];
    if (call->expr->args[0]->type->code != CQL_TIMESTAMP)
        status = expr_cast(call->expr->args[0]->type, timestamp, call->args[0], call->context->arena, out,
                           call->context->err);
    return status;
}

static enum mr_status run_bound_uuid(const struct expr_call *call, bool is_max, struct cql_value *out)
{
    uint8_t uuid[16], rest[8];

    if (call->args[0].size != 8) {
        *out = CQL_VALUE_NULL;
        return MR_OK;
    }
    memset(rest, is_max ? 0x7f : 0x80, sizeof(rest));
    time_uuid(uuid, mr_load_i64(call->args[0].data) * 10000 + (is_max ? 9999 : 0), rest);
    return give(call, uuid, 16, out);
}

static enum mr_status run_min_uuid(const struct expr_call *call, struct cql_value *out)
{
    return run_bound_uuid(call, false, out);
}

static enum mr_status run_max_uuid(const struct expr_call *call, struct cql_value *out)
{
    return run_bound_uuid(call, true, out);
}

static enum mr_status run_to_blob(const struct expr_call *call, struct cql_value *out)
{
    *out = call->args[0];
    return MR_OK;
}

static enum mr_status run_from_blob(const struct expr_call *call, struct cql_value *out)
{
    struct mr_err why = MR_ERR_INIT;
    struct mr_writer name = { 0 }, hex = { 0 };
    enum mr_status status;

    *out = call->args[0];
    if (cql_value_check(call->expr->type, *out, &why) == MR_OK)
        return MR_OK;
    cql_type_write_name(&name, call->expr->type);
    cql_value_format(&hex, cql_type_native(CQL_BLOB), *out);
    status = mr_err_set(call->context->err, MR_INVALID,
                        "In call to function system.blob_as_%.*s, value %.*s is not a valid binary representation for "
                        "type %.*s",
                        (int)name.size, (const char *)name.data, hex.size > 100 ? 100 : (int)hex.size,
                        (const char *)hex.data, (int)name.size, (const char *)name.data);
    mr_writer_deinit(&name);
    mr_writer_deinit(&hex);
    return status;
}

/* ---- numbers ---- */

static enum mr_status give_number(const struct expr_call *call, double v, struct cql_value *out)
{
    uint8_t *bytes = mr_arena_alloc(call->context->arena, 8); /* a cast may give it back as it is */

    cql_store_f64(bytes, v);
    return expr_cast(cql_type_native(CQL_DOUBLE), call->expr->type, CQL_VALUE_OF(bytes, 8), call->context->arena, out,
                     call->context->err);
}

static enum mr_status run_math(const struct expr_call *call, double (*f)(double), struct cql_value *out)
{
    *out = CQL_VALUE_NULL;
    if (call->args[0].size <= 0)
        return MR_OK;
    return give_number(call, f(cql_number_f64(call->expr->args[0]->type, call->args[0])), out);
}

static enum mr_status run_abs(const struct expr_call *call, struct cql_value *out)
{
    return run_math(call, fabs, out);
}

static enum mr_status run_exp(const struct expr_call *call, struct cql_value *out)
{
    return run_math(call, exp, out);
}

static enum mr_status run_log(const struct expr_call *call, struct cql_value *out)
{
    return run_math(call, log, out);
}

static enum mr_status run_log10(const struct expr_call *call, struct cql_value *out)
{
    return run_math(call, log10, out);
}

static double round_up(double v)
{
    return floor(v + 0.5);
}

static enum mr_status run_round(const struct expr_call *call, struct cql_value *out)
{
    return run_math(call, round_up, out);
}

/* ---- collections ---- */

static enum mr_status run_count(const struct expr_call *call, struct cql_value *out)
{
    uint8_t bytes[4];

    mr_store_i32(bytes, call->args[0].size >= 4 ? mr_load_i32(call->args[0].data) : 0);
    return give(call, bytes, 4, out);
}

static enum mr_status half_of_map(const struct expr_call *call, uint32_t which, struct cql_value *out)
{
    struct cql_value *parts;
    uint32_t count = collection_split(call->expr->args[0]->type, call->args[0], call->context->arena, &parts), i;

    for (i = 0; i < count / 2; i++)
        parts[i] = parts[2 * i + which];
    *out = collection_build(call->expr->type, parts, count / 2, call->context->arena);
    return MR_OK;
}

static enum mr_status run_map_keys(const struct expr_call *call, struct cql_value *out)
{
    return half_of_map(call, 0, out);
}

static enum mr_status run_map_values(const struct expr_call *call, struct cql_value *out)
{
    return half_of_map(call, 1, out);
}

/* ---- the table ---- */

#define BLOBS(name, code)                                                                                              \
    { #name "asblob", { code }, CQL_BLOB, run_to_blob },                                                               \
    {                                                                                                                  \
        "blobas" #name, { CQL_BLOB }, code, run_from_blob                                                              \
    }
#define NUMBERS(name, run)                                                                                             \
    { name, { CQL_DOUBLE }, CQL_DOUBLE, run }, { name, { CQL_FLOAT }, CQL_FLOAT, run },                                \
        { name, { CQL_INT }, CQL_INT, run }, { name, { CQL_BIGINT }, CQL_BIGINT, run },                                \
        { name, { CQL_SMALLINT }, CQL_SMALLINT, run }, { name, { CQL_TINYINT }, CQL_TINYINT, run },                    \
        { name, { CQL_DECIMAL }, CQL_DECIMAL, run },                                                                   \
    {                                                                                                                  \
        name, { CQL_VARINT }, CQL_VARINT, run                                                                          \
    }

static const struct expr_function functions[] = {
    { "now", { 0 }, CQL_TIMEUUID, run_now },
    { "currenttimeuuid", { 0 }, CQL_TIMEUUID, run_now },
    { "uuid", { 0 }, CQL_UUID, run_uuid },
    { "currenttimestamp", { 0 }, CQL_TIMESTAMP, run_current_timestamp },
    { "currentdate", { 0 }, CQL_DATE, run_current_date },
    { "currenttime", { 0 }, CQL_TIME, run_current_time },
    { "todate", { CQL_TIMESTAMP }, CQL_DATE, run_cast },
    { "todate", { CQL_TIMEUUID }, CQL_DATE, run_cast },
    { "totimestamp", { CQL_TIMEUUID }, CQL_TIMESTAMP, run_cast },
    { "totimestamp", { CQL_DATE }, CQL_TIMESTAMP, run_cast },
    { "tounixtimestamp", { CQL_TIMESTAMP }, CQL_BIGINT, run_unix },
    { "tounixtimestamp", { CQL_TIMEUUID }, CQL_BIGINT, run_unix },
    { "tounixtimestamp", { CQL_DATE }, CQL_BIGINT, run_unix },
    { "mintimeuuid", { CQL_TIMESTAMP }, CQL_TIMEUUID, run_min_uuid },
    { "maxtimeuuid", { CQL_TIMESTAMP }, CQL_TIMEUUID, run_max_uuid },
    BLOBS(ascii, CQL_ASCII),
    BLOBS(bigint, CQL_BIGINT),
    BLOBS(boolean, CQL_BOOLEAN),
    BLOBS(date, CQL_DATE),
    BLOBS(decimal, CQL_DECIMAL),
    BLOBS(double, CQL_DOUBLE),
    BLOBS(duration, CQL_DURATION),
    BLOBS(float, CQL_FLOAT),
    BLOBS(inet, CQL_INET),
    BLOBS(int, CQL_INT),
    BLOBS(smallint, CQL_SMALLINT),
    BLOBS(text, CQL_VARCHAR),
    BLOBS(time, CQL_TIME),
    BLOBS(timestamp, CQL_TIMESTAMP),
    BLOBS(timeuuid, CQL_TIMEUUID),
    BLOBS(tinyint, CQL_TINYINT),
    BLOBS(uuid, CQL_UUID),
    BLOBS(varchar, CQL_VARCHAR),
    BLOBS(varint, CQL_VARINT),
    NUMBERS("abs", run_abs),
    NUMBERS("exp", run_exp),
    NUMBERS("log", run_log),
    NUMBERS("log10", run_log10),
    NUMBERS("round", run_round),
    { "mapkeys", { CQL_MAP }, CQL_SET, run_map_keys },
    { "mapvalues", { CQL_MAP }, CQL_LIST, run_map_values },
    { "collectioncount", { CQL_MAP }, CQL_INT, run_count },
    { "collectioncount", { CQL_SET }, CQL_INT, run_count },
    { "collectioncount", { CQL_LIST }, CQL_INT, run_count },
};

/* NAME without '_' in lower case; false when no function can have it. */
static bool plain_name(char out[NAME_MAX_BYTES], struct mr_str name)
{
    size_t n = 0, i;

    for (i = 0; i < name.size && n + 1 < NAME_MAX_BYTES; i++) {
        if (name.data[i] != '_')
            out[n++] = (char)tolower((unsigned char)name.data[i]);
    }
    out[n] = 0;
    return i == name.size && n > 0;
}

const struct expr_function *expr_function_find(struct mr_str name, uint32_t count, size_t i)
{
    char plain[NAME_MAX_BYTES];

    if (!plain_name(plain, name))
        return NULL;
    for (size_t f = 0; f < MR_COUNT(functions); f++) {
        uint32_t arity = (functions[f].args[0] != 0) + (functions[f].args[1] != 0);

        if (arity == count && strcmp(functions[f].name, plain) == 0 && i-- == 0)
            return &functions[f];
    }
    return NULL;
}

bool expr_function_exists(struct mr_str name)
{
    return expr_function_find(name, 0, 0) != NULL || expr_function_find(name, 1, 0) != NULL;
}

static void write_code(struct mr_writer *w, uint16_t code)
{
    const struct cql_type *type = cql_type_native(code);

    if (type != NULL)
        cql_type_write_name(w, type);
    else
        mr_write_str(w, code == CQL_MAP ? MR_STR("map") : code == CQL_SET ? MR_STR("set") : MR_STR("list"));
}

void expr_function_signatures(struct mr_writer *w, struct mr_str name)
{
    const struct expr_function *f;
    bool first = true;

    for (uint32_t count = 0; count < 2; count++) {
        for (size_t i = 0; (f = expr_function_find(name, count, i)) != NULL; i++) {
            mr_write_text(w, "%ssystem.%.*s : (", first ? "" : ", ", MR_STR_ARG(name));
            if (f->args[0] != 0)
                write_code(w, f->args[0]);
            mr_write_str(w, MR_STR(") -> "));
            write_code(w, f->type);
            first = false;
        }
    }
}

/* aggregate.c -- count, min, max, sum, avg.
 *
 * Sums of whole numbers wrap as Java's do; of varint and decimal they are kept in 128 bits and refused beyond.  An
 * average of whole numbers is whole. */
#include "tables/literal_int.h"
#include "tables/read_int.h"

#include <string.h>

struct slot {
    int64_t count;
    struct mr_writer best; /* min, max */
    bool has_best;
    double real;
    __int128 whole; /* of decimals: times 10^scale */
    int32_t scale;
};

struct aggregates {
    const struct plan *plan;
    struct mr_arena *arena; /* owned: of the results and of the first row */
    struct slot *slots;     /* owned */
    bool has_first;
    struct cql_value *row; /* of the first row */
    struct expr_cells *cells;
    int64_t token;
};

struct aggregates *aggregates_new(const struct plan *plan)
{
    struct aggregates *a = MR_NEW(struct aggregates);

    a->plan = plan;
    a->arena = mr_arena_new();
    a->slots = mr_calloc(plan->aggregate_count, sizeof(*a->slots));
    a->row = MR_ARENA_ARRAY(a->arena, struct cql_value, plan->table->column_count);
    a->cells = MR_ARENA_ARRAY(a->arena, struct expr_cells, plan->table->column_count);
    for (uint32_t i = 0; i < plan->table->column_count; i++)
        a->row[i] = CQL_VALUE_NULL;
    return a;
}

void aggregates_free(struct aggregates *a)
{
    if (a == NULL)
        return;
    for (uint32_t i = 0; i < a->plan->aggregate_count; i++)
        mr_writer_deinit(&a->slots[i].best);
    mr_free(a->slots);
    mr_arena_free(a->arena);
    mr_free(a);
}

static void keep_first(struct aggregates *a, const struct expr_context *c)
{
    uint32_t i, j;

    a->has_first = true;
    a->token = c->token;
    for (i = 0; i < a->plan->table->column_count; i++) {
        a->row[i] = c->row[i];
        if (c->row[i].size > 0)
            a->row[i].data = mr_arena_bytes(a->arena, (struct mr_bytes){ c->row[i].data, (size_t)c->row[i].size }).data;
        if (c->cells[i].count > 0) {
            struct store_cell *copy = mr_arena_alloc(a->arena, c->cells[i].count * sizeof(*copy));

            memcpy(copy, c->cells[i].first, c->cells[i].count * sizeof(*copy));
            for (j = 0; j < c->cells[i].count; j++)
                copy[j].path = mr_arena_bytes(a->arena, copy[j].path);
            a->cells[i] = (struct expr_cells){ copy, c->cells[i].count };
        }
    }
}

static void keep_best(struct slot *slot, const struct plan_aggregate *aggregate, struct cql_value v)
{
    struct cql_value best = CQL_VALUE_OF(slot->best.data != NULL ? slot->best.data : (uint8_t *)"", slot->best.size);
    int order = slot->has_best ? ordered_compare(aggregate->arg->type, v, best) : 0;

    if (slot->has_best && (aggregate->kind == PLAN_MIN ? order >= 0 : order <= 0))
        return;
    slot->has_best = true;
    slot->best.size = 0;
    mr_write_bytes(&slot->best, (struct mr_bytes){ v.data, (size_t)v.size });
}

static bool is_real(uint16_t code)
{
    return code == CQL_FLOAT || code == CQL_DOUBLE;
}

static enum mr_status too_large(struct mr_err *err)
{
    return mr_err_set(err, MR_LIMIT, "a sum of varint or decimal has more than 38 digits");
}

static bool times_ten(__int128 *v, int64_t times)
{
    for (; times > 0 && *v != 0; times--)
        if (__builtin_mul_overflow(*v, (__int128)10, v))
            return false;
    return true;
}

/* V as a whole number times 10^-scale. */
static bool take_whole(uint16_t code, struct cql_value v, __int128 *out, int32_t *scale)
{
    struct mr_bytes bytes = { v.data, (size_t)v.size };

    *scale = 0;
    if (code == CQL_TINYINT)
        *out = (int8_t)v.data[0];
    else if (code == CQL_SMALLINT)
        *out = (int16_t)(v.data[0] << 8 | v.data[1]);
    else if (code == CQL_INT)
        *out = mr_load_i32(v.data);
    else if (code == CQL_BIGINT)
        *out = mr_load_i64(v.data);
    else {
        if (code == CQL_DECIMAL) {
            *scale = mr_load_i32(v.data);
            bytes = (struct mr_bytes){ v.data + 4, bytes.size - 4 };
        }
        if (bytes.size > 15)
            return false;
        *out = bytes.size > 0 && (bytes.data[0] & 0x80) ? -1 : 0;
        for (size_t i = 0; i < bytes.size; i++)
            *out = (__int128)((unsigned __int128)*out << 8 | bytes.data[i]);
    }
    return true;
}

static enum mr_status add_up(struct slot *slot, const struct cql_type *type, struct cql_value v, struct mr_err *err)
{
    __int128 whole;
    int32_t scale;

    if (v.size == 0 || (type->code == CQL_DECIMAL && v.size < 5))
        return MR_OK;
    if (is_real(type->code)) {
        slot->real += cql_number_f64(type, v);
        return MR_OK;
    }
    if (!take_whole(type->code, v, &whole, &scale))
        return too_large(err);
    if (slot->count == 1 && slot->whole == 0)
        slot->scale = scale;
    if (scale > slot->scale) {
        if (!times_ten(&slot->whole, (int64_t)scale - slot->scale))
            return too_large(err);
        slot->scale = scale;
    } else if (!times_ten(&whole, (int64_t)slot->scale - scale)) {
        return too_large(err);
    }
    return __builtin_add_overflow(slot->whole, whole, &slot->whole) ? too_large(err) : MR_OK;
}

enum mr_status aggregates_add(struct aggregates *a, const struct expr_context *c)
{
    enum mr_status status = MR_OK;
    uint32_t i;

    if (!a->has_first)
        keep_first(a, c);
    for (i = 0; i < a->plan->aggregate_count && status == MR_OK; i++) {
        const struct plan_aggregate *aggregate = &a->plan->aggregates[i];
        struct slot *slot = &a->slots[i];
        struct cql_value v = CQL_VALUE_NULL;

        if (aggregate->kind != PLAN_COUNT_ROWS)
            status = expr_eval(aggregate->arg, c, &v);
        if (status != MR_OK || (aggregate->kind != PLAN_COUNT_ROWS && v.size < 0))
            continue;
        slot->count++;
        if (aggregate->kind == PLAN_MIN || aggregate->kind == PLAN_MAX)
            keep_best(slot, aggregate, v);
        else if (aggregate->kind == PLAN_SUM || aggregate->kind == PLAN_AVG)
            status = add_up(slot, aggregate->arg->type, v, c->err);
    }
    return status;
}

/* ---- results ---- */

/* Divides, rounding halves to the even neighbour as Java's decimals do. */
static __int128 divide_even(__int128 v, int64_t by)
{
    __int128 quotient = v / by, rest = v % by;

    rest = rest < 0 ? -rest : rest;
    if (2 * rest > by || (2 * rest == by && quotient % 2 != 0))
        quotient += v < 0 ? -1 : 1;
    return quotient;
}

static void write_whole(struct mr_writer *w, const struct slot *slot, uint16_t code, __int128 v)
{
    uint8_t bytes[16];
    size_t from = 0, i;

    for (i = 0; i < 16; i++)
        bytes[i] = (uint8_t)((unsigned __int128)v >> (8 * (15 - i)));
    if (code == CQL_DECIMAL)
        mr_write_i32(w, slot->scale);
    if (code == CQL_TINYINT)
        from = 15;
    else if (code == CQL_SMALLINT)
        from = 14;
    else if (code == CQL_INT)
        from = 12;
    else if (code == CQL_BIGINT)
        from = 8;
    else
        while (from < 15 && bytes[from] == (v < 0 ? 0xff : 0) && (bytes[from + 1] & 0x80) == (v < 0 ? 0x80 : 0))
            from++;
    mr_write_bytes(w, (struct mr_bytes){ bytes + from, 16 - from });
}

static struct cql_value result_of(struct aggregates *a, uint32_t i)
{
    const struct plan_aggregate *aggregate = &a->plan->aggregates[i];
    const struct slot *slot = &a->slots[i];
    bool is_avg = aggregate->kind == PLAN_AVG;
    struct mr_writer w = { 0 };
    struct cql_value out;
    uint16_t code = aggregate->arg != NULL ? aggregate->arg->type->code : 0;

    if (aggregate->kind == PLAN_COUNT || aggregate->kind == PLAN_COUNT_ROWS) {
        mr_write_i64(&w, slot->count);
    } else if (aggregate->kind == PLAN_MIN || aggregate->kind == PLAN_MAX) {
        if (!slot->has_best)
            return CQL_VALUE_NULL;
        mr_write_bytes(&w, mr_writer_bytes(&slot->best));
    } else if (is_real(code)) {
        double v = is_avg && slot->count > 0 ? slot->real / (double)slot->count : slot->real;

        if (code == CQL_FLOAT)
            cql_store_f32(mr_writer_reserve(&w, 4), (float)v);
        else
            cql_store_f64(mr_writer_reserve(&w, 8), v);
        w.size += code == CQL_FLOAT ? 4 : 8;
    } else {
        __int128 v = slot->whole;

        if (is_avg && slot->count > 0)
            v = code == CQL_DECIMAL ? divide_even(v, slot->count) : v / slot->count;
        write_whole(&w, slot, code, v);
    }
    out = CQL_VALUE_OF(mr_arena_bytes(a->arena, mr_writer_bytes(&w)).data, w.size);
    mr_writer_deinit(&w);
    return out;
}

enum mr_status aggregates_end(struct aggregates *a, struct expr_context *context)
{
    struct cql_value *results = MR_ARENA_ARRAY(a->arena, struct cql_value, a->plan->aggregate_count);

    for (uint32_t i = 0; i < a->plan->aggregate_count; i++)
        results[i] = result_of(a, i);
    context->results = results;
    context->row = a->row;
    context->cells = a->cells;
    context->token = a->token;
    return MR_OK;
}

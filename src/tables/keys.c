/* keys.c -- what a WHERE clause stands for when its values are known: partitions, and ranges of clusterings.
 *
 * Values of IN are put in order and each is taken once, column by column, as Cassandra does: partitions come in the
 * order of their values, not of their tokens.  The product of all lists is limited. */
#include "tables/literal_int.h"
#include "tables/plan_int.h"

#include <stdlib.h>
#include <string.h>

struct resolve {
    const struct plan *plan;
    const struct plan_values *values;
    struct mr_arena *arena;
    struct mr_err *err;
};

/* A value with its place in the order. */
struct placed {
    struct mr_bytes ordered;
    struct cql_value value;
};

static int compare_placed(const void *a, const void *b)
{
    return mr_bytes_compare(((const struct placed *)a)->ordered, ((const struct placed *)b)->ordered);
}

struct mr_bytes keys_prefix_end(struct mr_arena *arena, struct mr_bytes prefix)
{
    struct mr_bytes copy = mr_arena_bytes(arena, prefix);

    while (copy.size > 0 && copy.data[copy.size - 1] == 0xff)
        copy.size--;
    if (copy.size > 0)
        ((uint8_t *)copy.data)[copy.size - 1]++;
    return copy;
}

static enum mr_status refuse(const struct resolve *r, struct cql_value v, uint32_t column)
{
    struct mr_str name = r->plan->table->columns[column].name;

    return v.size == CQL_NULL
               ? mr_err_set(r->err, MR_INVALID, "Invalid null value in condition for column %.*s", MR_STR_ARG(name))
               : mr_err_set(r->err, MR_INVALID, "Invalid unset value for column %.*s", MR_STR_ARG(name));
}

/* Appends the clustering form of V (a value, or a tuple of values) for the columns of RESTRICTION, the first COUNT. */
static enum mr_status encode(const struct resolve *r, const struct plan_restriction *restriction, struct cql_value v,
                             uint32_t count, struct mr_writer *w)
{
    struct cql_value one = v, *parts = &one;
    uint32_t i, part_count = 1;

    if (v.size < 0)
        return refuse(r, v, restriction->columns[0]);
    if (restriction->is_tuple)
        part_count = collection_split(restriction->type, v, r->arena, &parts);
    for (i = 0; i < count; i++) {
        const struct schema_column *column = &r->plan->table->columns[restriction->columns[i]];

        if (i >= part_count || parts[i].size < 0)
            return refuse(r, CQL_VALUE_NULL, restriction->columns[i]);
        ordered_encode(w, column->type, column->kind == SCHEMA_CLUSTERING && column->descending,
                       collection_normal(column->type, parts[i], r->arena));
    }
    if (w->size > STORE_CLUSTERING_BYTES_MAX)
        return mr_err_set(r->err, MR_INVALID, "The clustering columns of a row may have at most %d bytes",
                          STORE_CLUSTERING_BYTES_MAX);
    return MR_OK;
}

/* The values of RESTRICTION (=, IN) in order, each once. */
static enum mr_status values_of(const struct resolve *r, const struct plan_restriction *restriction,
                                struct placed **out, uint32_t *out_count)
{
    uint32_t count = restriction->source_count, i, kept = 0;
    struct cql_value *parts = NULL, v = CQL_VALUE_NULL;
    struct mr_writer w = { 0 };
    struct cql_type list = { .code = CQL_LIST, .item_count = 1, .items = &restriction->type };
    struct placed *placed;
    enum mr_status status = MR_OK;

    if (restriction->op == AST_IN && !restriction->is_list) {
        status = plan_value(restriction->sources, r->values, r->arena, &v, r->err);
        if (status == MR_OK && v.size < 0)
            status = refuse(r, v, restriction->columns[0]);
        if (status != MR_OK)
            return status;
        count = collection_split(&list, v, r->arena, &parts);
    }
    if (count > PLAN_KEYS_MAX)
        return mr_err_set(r->err, MR_LIMIT, "an IN list may have at most %d values", PLAN_KEYS_MAX);
    placed = mr_arena_alloc(r->arena, (count + 1) * sizeof(*placed));
    for (i = 0; i < count && status == MR_OK; i++) {
        if (parts != NULL)
            v = parts[i];
        else
            status = plan_value(&restriction->sources[i], r->values, r->arena, &v, r->err);
        if (status == MR_OK)
            v = collection_normal(restriction->type, v, r->arena);
        w.size = 0;
        if (status == MR_OK)
            status = encode(r, restriction, v, restriction->column_count, &w);
        if (status == MR_OK)
            placed[i] = (struct placed){ mr_arena_bytes(r->arena, mr_writer_bytes(&w)), v };
    }
    mr_writer_deinit(&w);
    if (status != MR_OK)
        return status;
    if (count > 1)
        qsort(placed, count, sizeof(*placed), compare_placed);
    for (i = 0; i < count; i++) {
        if (kept == 0 || mr_bytes_compare(placed[kept - 1].ordered, placed[i].ordered) != 0)
            placed[kept++] = placed[i];
    }
    *out = placed;
    *out_count = kept;
    return MR_OK;
}

static enum mr_status too_many(const struct resolve *r)
{
    return mr_err_set(r->err, MR_LIMIT, "the IN lists stand for more than %d rows: use fewer values at a time",
                      PLAN_KEYS_MAX);
}

/* ---- partitions ---- */

static enum mr_status add_partition(const struct resolve *r, const struct cql_value *parts, struct keys *out)
{
    uint32_t count = r->plan->table->partition_count, i;
    struct mr_writer w = { 0 };
    struct mr_bytes key;

    for (i = 0; i < count; i++) {
        if (parts[i].size > STORE_PARTITION_KEY_BYTES_MAX)
            return mr_err_set(r->err, MR_INVALID, "Key length of %" PRId32 " is longer than maximum of %d",
                              parts[i].size, STORE_PARTITION_KEY_BYTES_MAX);
    }
    if (count == 1 && parts[0].size == 0)
        return mr_err_set(r->err, MR_INVALID, "Key may not be empty");
    if (cql_partition_key_write(&w, parts, count) != MR_OK || w.size > STORE_PARTITION_KEY_BYTES_MAX) {
        mr_writer_deinit(&w);
        return mr_err_set(r->err, MR_INVALID, "Key length is longer than maximum of %d", STORE_PARTITION_KEY_BYTES_MAX);
    }
    key = mr_arena_bytes(r->arena, mr_writer_bytes(&w));
    mr_writer_deinit(&w);
    out->partitions[out->partition_count++] = (struct keys_partition){ cql_token(key), key };
    return MR_OK;
}

static enum mr_status resolve_partitions(const struct resolve *r, struct keys *out)
{
    uint32_t count = r->plan->table->partition_count, counts[SCHEMA_KEY_PARTS_MAX], at[SCHEMA_KEY_PARTS_MAX] = { 0 }, i;
    struct placed *lists[SCHEMA_KEY_PARTS_MAX];
    struct cql_value parts[SCHEMA_KEY_PARTS_MAX];
    size_t product = 1;
    enum mr_status status = MR_OK;

    for (i = 0; i < count; i++) {
        status = values_of(r, &r->plan->restrictions[r->plan->partition_restrictions[i]], &lists[i], &counts[i]);
        if (status != MR_OK)
            return status;
        product *= counts[i];
        if (product > PLAN_KEYS_MAX)
            return too_many(r);
    }
    out->partitions = mr_arena_alloc(r->arena, (product + 1) * sizeof(*out->partitions));
    while (product-- > 0) {
        for (i = 0; i < count; i++)
            parts[i] = lists[i][at[i]].value;
        status = add_partition(r, parts, out);
        if (status != MR_OK)
            return status;
        for (i = count; i-- > 0;) {
            if (++at[i] < counts[i])
                break;
            at[i] = 0;
        }
    }
    return MR_OK;
}

/* ---- ranges ---- */

/* Appends each of VALUES to each of the ranges' starts. */
static enum mr_status extend(const struct resolve *r, const struct placed *values, uint32_t count, struct keys *out)
{
    size_t product = (size_t)out->range_count * count, n = 0;
    struct keys_range *ranges;
    uint32_t i, j;

    if (product * (out->partition_count > 0 ? out->partition_count : 1) > PLAN_KEYS_MAX)
        return too_many(r);
    ranges = mr_arena_alloc(r->arena, (product + 1) * sizeof(*ranges));
    for (i = 0; i < out->range_count; i++) {
        for (j = 0; j < count; j++) {
            struct mr_bytes prefix = out->ranges[i].from, value = values[j].ordered;
            uint8_t *joined = mr_arena_alloc(r->arena, prefix.size + value.size + 1);

            if (prefix.size + value.size > STORE_CLUSTERING_BYTES_MAX)
                return mr_err_set(r->err, MR_INVALID, "The clustering columns of a row may have at most %d bytes",
                                  STORE_CLUSTERING_BYTES_MAX);
            if (prefix.size > 0)
                memcpy(joined, prefix.data, prefix.size);
            if (value.size > 0)
                memcpy(joined + prefix.size, value.data, value.size);
            ranges[n++] = (struct keys_range){ { joined, prefix.size + value.size }, MR_BYTES_NULL };
        }
    }
    out->ranges = ranges;
    out->range_count = (uint32_t)n;
    return MR_OK;
}

/* How many columns of a slice run in the direction of the first. */
static uint32_t run_of(const struct resolve *r, const struct plan_restriction *slice)
{
    const struct schema_column *columns = r->plan->table->columns;
    uint32_t n = 1;

    while (n < slice->column_count && columns[slice->columns[n]].descending == columns[slice->columns[0]].descending)
        n++;
    return n;
}

/* One bound: what the start of the range is followed by, and whether what starts with it belongs to it. */
struct bound {
    bool is_set;
    bool is_inclusive;
    struct mr_bytes bytes;
};

static enum mr_status take_bound(const struct resolve *r, const struct plan_restriction *slice, struct bound *from,
                                 struct bound *to)
{
    uint32_t run = run_of(r, slice);
    bool is_from =
        (slice->op == AST_GT || slice->op == AST_GE) != r->plan->table->columns[slice->columns[0]].descending;
    struct bound *bound = is_from ? from : to;
    struct mr_writer w = { 0 };
    struct cql_value v;
    enum mr_status status = plan_value(slice->sources, r->values, r->arena, &v, r->err);

    if (status == MR_OK)
        status = encode(r, slice, v, run, &w);
    if (status == MR_OK) {
        assert(!bound->is_set); /* the plan has one relation for each side */
        *bound = (struct bound){ true, run < slice->column_count || slice->op == AST_GE || slice->op == AST_LE,
                                 mr_arena_bytes(r->arena, mr_writer_bytes(&w)) };
    }
    mr_writer_deinit(&w);
    return status;
}

static struct mr_bytes join(const struct resolve *r, struct mr_bytes a, struct mr_bytes b)
{
    uint8_t *joined = mr_arena_alloc(r->arena, a.size + b.size + 1);

    if (a.size > 0)
        memcpy(joined, a.data, a.size);
    if (b.size > 0)
        memcpy(joined + a.size, b.data, b.size);
    return (struct mr_bytes){ joined, a.size + b.size };
}

static void close_ranges(const struct resolve *r, const struct bound *from, const struct bound *to, struct keys *out)
{
    uint32_t i, kept = 0;

    for (i = 0; i < out->range_count; i++) {
        struct mr_bytes prefix = out->ranges[i].from, first = prefix, last = keys_prefix_end(r->arena, prefix);

        if (from->is_set)
            first = join(r, prefix, from->bytes);
        if (from->is_set && !from->is_inclusive)
            first = keys_prefix_end(r->arena, first);
        if (to->is_set)
            last = join(r, prefix, to->bytes);
        if (to->is_set && to->is_inclusive)
            last = keys_prefix_end(r->arena, last);
        if (last.size == 0 || mr_bytes_compare(first, last) < 0)
            out->ranges[kept++] = (struct keys_range){ first, last };
    }
    out->range_count = kept;
}

static enum mr_status resolve_ranges(const struct resolve *r, struct keys *out)
{
    const struct plan *plan = r->plan;
    struct bound from = { 0 }, to = { 0 };
    enum mr_status status = MR_OK;
    bool has_slices = false;
    uint32_t i, count;

    out->ranges = MR_ARENA_ARRAY(r->arena, struct keys_range, 1);
    out->range_count = 1;
    for (i = 0; i < plan->seek_count && status == MR_OK; i++) {
        const struct plan_restriction *restriction = &plan->restrictions[plan->seeks[i]];
        struct placed *values;

        if (restriction->op != AST_EQ && restriction->op != AST_IN) {
            has_slices = true;
            status = take_bound(r, restriction, &from, &to);
            continue;
        }
        status = values_of(r, restriction, &values, &count);
        if (status == MR_OK)
            status = extend(r, values, count, out);
    }
    out->are_whole = plan->seek_count == 0;
    out->are_rows = !has_slices && plan->seek_columns == plan->table->clustering_count;
    if (status == MR_OK && !out->are_rows)
        close_ranges(r, &from, &to, out);
    return status;
}

enum mr_status keys_tokens(const struct plan *plan, const struct plan_values *values, struct mr_arena *arena,
                           int64_t *first, int64_t *last, bool *none, struct mr_err *err)
{
    uint32_t i;

    *first = INT64_MIN;
    *last = INT64_MAX;
    *none = false;
    for (i = 0; i < plan->restriction_count; i++) {
        const struct plan_restriction *r = &plan->restrictions[i];
        struct cql_value v;
        int64_t token;
        enum mr_status status;

        if (!r->is_token)
            continue;
        status = plan_value(r->sources, values, arena, &v, err);
        if (status != MR_OK)
            return status;
        if (v.size != 8)
            return mr_err_set(err, MR_INVALID, "Invalid %s value for token()", v.size < 0 ? "null" : "empty");
        token = mr_load_i64(v.data);
        if ((r->op == AST_GT && token == INT64_MAX) || (r->op == AST_LT && token == INT64_MIN))
            *none = true;
        else if (r->op == AST_GT || r->op == AST_GE || r->op == AST_EQ)
            *first = token + (r->op == AST_GT) > *first ? token + (r->op == AST_GT) : *first;
        if (!*none && (r->op == AST_LT || r->op == AST_LE || r->op == AST_EQ))
            *last = token - (r->op == AST_LT) < *last ? token - (r->op == AST_LT) : *last;
    }
    *none = *none || *first > *last;
    return MR_OK;
}

enum mr_status keys_resolve(const struct plan *plan, const struct plan_values *values, struct mr_arena *arena,
                            struct keys *out, struct mr_err *err)
{
    struct resolve r = { plan, values, arena, err };
    uint32_t i, kept = 0;
    int64_t first, last;
    bool none;
    enum mr_status status;

    *out = (struct keys){ 0 };
    status = resolve_partitions(&r, out);
    if (status == MR_OK)
        status = resolve_ranges(&r, out);
    if (status == MR_OK)
        status = keys_tokens(plan, values, arena, &first, &last, &none, err);
    if (status != MR_OK)
        return status;
    for (i = 0; i < out->partition_count; i++) {
        if (!none && out->partitions[i].token >= first && out->partitions[i].token <= last)
            out->partitions[kept++] = out->partitions[i];
    }
    out->partition_count = kept;
    return MR_OK;
}

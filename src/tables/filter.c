/* filter.c -- checking rows against relations that no key can answer. */
#include "tables/literal_int.h"
#include "tables/plan_int.h"

#include <string.h>

struct filter_one {
    const struct plan_restriction *restriction;
    struct cql_value *values; /* of the right side; IN: all of them */
    uint32_t count;
    struct cql_value index;
};

struct filter {
    const struct plan *plan;
    struct mr_arena *arena;
    struct filter_one *items;
    uint32_t count;
};

static enum mr_status check_value(const struct plan *plan, const struct plan_restriction *r, struct cql_value v,
                                  struct mr_err *err)
{
    if (v.size >= 0)
        return MR_OK;
    return mr_err_set(err, MR_INVALID, "%s for column %.*s",
                      v.size == CQL_NULL ? "Invalid null value in condition" : "Invalid unset value",
                      MR_STR_ARG(plan->table->columns[r->columns[0]].name));
}

static enum mr_status resolve_one(struct filter *filter, const struct plan_restriction *r,
                                  const struct plan_values *values, struct filter_one *out, struct mr_err *err)
{
    struct cql_type list = { .code = CQL_LIST, .item_count = 1, .items = &r->type };
    enum mr_status status = MR_OK;
    uint32_t i;

    out->restriction = r;
    out->count = r->source_count;
    out->values = mr_arena_alloc(filter->arena, (r->source_count + 1) * sizeof(*out->values));
    for (i = 0; i < r->source_count && status == MR_OK; i++) {
        status = plan_value(&r->sources[i], values, filter->arena, &out->values[i], err);
        if (status == MR_OK)
            status = check_value(filter->plan, r, out->values[i], err);
        if (status == MR_OK && (r->op != AST_IN || r->is_list))
            out->values[i] = collection_normal(r->type, out->values[i], filter->arena);
    }
    if (status == MR_OK && r->is_entry)
        status = plan_value(&r->index, values, filter->arena, &out->index, err);
    if (status == MR_OK && r->is_entry)
        status = check_value(filter->plan, r, out->index, err);
    if (status == MR_OK && r->op == AST_IN && !r->is_list) {
        struct cql_value *parts;

        out->count = collection_split(&list, out->values[0], filter->arena, &parts);
        out->values = parts;
        for (i = 0; i < out->count; i++)
            parts[i] = collection_normal(r->type, parts[i], filter->arena);
    }
    return status;
}

enum mr_status filter_new(struct filter **out, const struct plan *plan, const struct plan_values *values,
                          struct mr_arena *arena, struct mr_err *err)
{
    struct filter *filter = MR_ARENA_NEW(arena, struct filter);
    enum mr_status status = MR_OK;
    uint32_t i;

    filter->plan = plan;
    filter->arena = arena;
    filter->items = MR_ARENA_ARRAY(arena, struct filter_one, plan->filter_count + 1);
    for (i = 0; i < plan->filter_count && status == MR_OK; i++)
        status =
            resolve_one(filter, &plan->restrictions[plan->filters[i]], values, &filter->items[filter->count++], err);
    *out = filter;
    return status;
}

static bool meets(enum ast_operator op, int order)
{
    switch (op) {
    case AST_EQ:
    case AST_IN:
        return order == 0;
    case AST_LT:
        return order < 0;
    case AST_LE:
        return order <= 0;
    case AST_GT:
        return order > 0;
    case AST_GE:
        return order >= 0;
    case AST_NE:
    case AST_CONTAINS:
    case AST_CONTAINS_KEY:
    case AST_LIKE:
        break;
    }
    return false;
}

static int compare(const struct cql_type *type, enum ast_operator op, struct cql_value a, struct cql_value b)
{
    if ((op == AST_EQ || op == AST_IN) && type->code != CQL_DECIMAL && type->code != CQL_VARINT)
        return a.size != b.size || (a.size > 0 && memcmp(a.data, b.data, (size_t)a.size) != 0);
    return ordered_compare(type, a, b);
}

/* Is one of the parts of the collection HAVE equal to WANT?  Of a map: its values, or its keys. */
static bool contains(const struct cql_type *type, struct cql_value have, bool keys, struct cql_value want)
{
    struct mr_reader r = mr_reader_of((struct mr_bytes){ have.data, (size_t)have.size });
    int32_t left = mr_read_i32(&r);
    uint16_t which = type->code == CQL_MAP && !keys ? 1 : 0, i;

    for (; left > 0 && !r.failed; left--) {
        for (i = 0; i < type->item_count; i++) {
            struct cql_value part = cql_read_value(&r);

            if (i == which && !r.failed && compare(type->items[i], AST_EQ, part, want) == 0)
                return true;
        }
    }
    return false;
}

static bool entry_is(const struct cql_type *type, struct cql_value have, struct cql_value key, struct cql_value want)
{
    struct mr_reader r = mr_reader_of((struct mr_bytes){ have.data, (size_t)have.size });
    int32_t left = mr_read_i32(&r);

    for (; left > 0 && !r.failed; left--) {
        struct cql_value k = cql_read_value(&r), v = cql_read_value(&r);

        if (!r.failed && compare(type->items[0], AST_EQ, k, key) == 0)
            return compare(type->items[1], AST_EQ, v, want) == 0;
    }
    return false;
}

static int compare_tuple(const struct filter *filter, const struct plan_restriction *r, const struct cql_value *row,
                         struct cql_value want)
{
    struct mr_reader in = mr_reader_of((struct mr_bytes){ want.data, (size_t)want.size });
    int order = 0;
    uint32_t i;

    for (i = 0; i < r->column_count && order == 0; i++) {
        struct cql_value part = cql_read_value(&in);

        if (in.failed || part.size < 0 || row[r->columns[i]].size < 0)
            return -1;
        order = ordered_compare(filter->plan->table->columns[r->columns[i]].type, row[r->columns[i]], part);
    }
    return order;
}

static bool matches_one(const struct filter *filter, const struct filter_one *one, const struct cql_value *row)
{
    const struct plan_restriction *r = one->restriction;
    const struct cql_type *type = filter->plan->table->columns[r->columns[0]].type;
    struct cql_value have = row[r->columns[0]];
    uint32_t i;

    if (have.size < 0)
        return false;
    if (r->op == AST_CONTAINS || r->op == AST_CONTAINS_KEY)
        return contains(type, have, r->op == AST_CONTAINS_KEY, one->values[0]);
    if (r->is_entry)
        return entry_is(type, have, one->index, one->values[0]);
    for (i = 0; i < one->count; i++) {
        int order = r->is_tuple               ? compare_tuple(filter, r, row, one->values[i])
                    : one->values[i].size < 0 ? 1
                                              : compare(type, r->op, have, one->values[i]);

        if (meets(r->op, order))
            return true;
    }
    return false;
}

bool filter_matches(const struct filter *filter, const struct cql_value *row)
{
    for (uint32_t i = 0; i < filter->count; i++)
        if (!matches_one(filter, &filter->items[i], row))
            return false;
    return true;
}

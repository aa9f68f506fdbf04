/* plan_select.c -- plans of SELECT: which rows to look at, what to check on each, what to answer. */
#include "tables/plan_int.h"

#include <string.h>

static const char filtering_text[] =
    "Cannot execute this query as it might involve data filtering and thus may have unpredictable performance. If you "
    "want to execute this query despite the performance unpredictability, use ALLOW FILTERING";

/* ---- the columns of the answer ---- */

static struct cql_column *add_selector(struct plan *plan, enum plan_selector_kind kind, uint32_t column,
                                       struct mr_str name, const struct cql_type *type)
{
    struct cql_column *out = (struct cql_column *)&plan->rows.columns[plan->rows.column_count];

    plan->selectors[plan->rows.column_count++] = (struct plan_selector){ kind, column };
    *out = (struct cql_column){ plan->table->keyspace, plan->table->name, name, type };
    return out;
}

static enum mr_status select_node(struct plan_build *b, const struct ast_node *node)
{
    struct plan *plan = b->plan;
    struct mr_str name = node->name;
    struct cql_column *out;
    uint32_t column = 0;
    enum mr_status status = MR_OK;

    if (node->kind == AST_NODE_OTHER)
        return plan_fail(b, MR_UNSUPPORTED, "%.*s is not there in this version", MR_STR_ARG(node->name));
    if (node->kind == AST_NODE_COLUMN || node->kind == AST_NODE_WRITETIME || node->kind == AST_NODE_TTL)
        status = plan_column_of(b, node->name, &column);
    if (status != MR_OK)
        return status;
    if ((node->kind == AST_NODE_WRITETIME || node->kind == AST_NODE_TTL) &&
        plan->table->columns[column].kind != SCHEMA_REGULAR)
        return plan_fail(b, MR_INVALID, "Cannot use selection function %s on PRIMARY KEY part %.*s",
                         node->kind == AST_NODE_TTL ? "ttl" : "writetime", MR_STR_ARG(name));
    switch (node->kind) {
    case AST_NODE_COLUMN:
        out = add_selector(plan, PLAN_COLUMN, column, name, plan->table->columns[column].type);
        break;
    case AST_NODE_COUNT:
        plan->is_count = true;
        out = add_selector(plan, PLAN_COUNT, 0, name, cql_type_native(CQL_BIGINT));
        break;
    case AST_NODE_WRITETIME:
        name = mr_str_of(mr_arena_printf(plan->arena, "writetime(%.*s)", MR_STR_ARG(name)));
        out = add_selector(plan, PLAN_WRITETIME, column, name, cql_type_native(CQL_BIGINT));
        break;
    case AST_NODE_TTL:
        name = mr_str_of(mr_arena_printf(plan->arena, "ttl(%.*s)", MR_STR_ARG(name)));
        out = add_selector(plan, PLAN_TTL, column, name, cql_type_native(CQL_INT));
        break;
    case AST_NODE_TOKEN:
    case AST_NODE_OTHER:
    default:
        name = mr_str_of(mr_arena_printf(plan->arena, "system.token(%.*s)", MR_STR_ARG(node->names->name)));
        out = add_selector(plan, PLAN_TOKEN, 0, name, cql_type_native(CQL_BIGINT));
        break;
    }
    if (node->text.data != NULL)
        out->name = node->text;
    return MR_OK;
}

static enum mr_status select_columns(struct plan_build *b)
{
    const struct ast_statement *s = b->statement;
    struct plan *plan = b->plan;
    uint32_t i, count = s->columns.count > 0 ? s->columns.count : plan->table->column_count;
    const struct ast_node *node;
    enum mr_status status = MR_OK;

    plan->selectors = MR_ARENA_ARRAY(plan->arena, struct plan_selector, count);
    plan->rows.columns = MR_ARENA_ARRAY(plan->arena, struct cql_column, count);
    for (i = 0; s->columns.count == 0 && i < count; i++)
        add_selector(plan, PLAN_COLUMN, i, plan->table->columns[i].name, plan->table->columns[i].type);
    for (node = s->columns.head; node != NULL && status == MR_OK; node = node->next)
        status = select_node(b, node);
    if (status == MR_OK && plan->is_count && plan->rows.column_count > 1)
        return plan_fail(b, MR_UNSUPPORTED, "count(*) beside other columns is not there in this version");
    return status;
}

/* ---- the conditions ---- */

static enum mr_status token_condition(struct plan_build *b, const struct ast_node *node)
{
    struct plan *plan = b->plan;
    struct plan_token_bound *bound = &plan->token_bounds[plan->token_bound_count];
    const struct ast_node *name;
    uint32_t i = 0;

    for (name = node->names; name != NULL; name = name->next, i++) {
        if (i >= plan->table->partition_count || !mr_str_equal(name->name, plan->table->columns[i].name))
            break;
    }
    if (name != NULL || i != plan->table->partition_count)
        return plan_fail(b, MR_INVALID,
                         "The token() function must be applied to all partition key components or none of them");
    if (plan->token_bound_count >= PLAN_TOKEN_BOUNDS_MAX || node->op > AST_GE)
        return plan_fail(b, MR_INVALID, "token() takes =, <, <=, > and >=, at most %d times", PLAN_TOKEN_BOUNDS_MAX);
    plan->token_bound_count++;
    bound->op = node->op;
    return plan_source_of(b, node->term, cql_type_native(CQL_BIGINT), MR_STR("partition key token"), &bound->source);
}

static enum mr_status column_condition(struct plan_build *b, const struct ast_node *node)
{
    struct plan *plan = b->plan;
    struct plan_condition *condition = &plan->conditions[plan->condition_count];
    const struct schema_column *column;
    enum mr_status status = plan_column_of(b, node->name, &condition->column);

    if (status != MR_OK)
        return status;
    column = &plan->table->columns[condition->column];
    if (node->op > AST_GE)
        return plan_fail(b, MR_UNSUPPORTED, "%s is not there in this version: use =, <, <=, > or >=",
                         node->op == AST_IN   ? "IN"
                         : node->op == AST_NE ? "!="
                                              : "CONTAINS");
    if (column->kind == SCHEMA_PARTITION && node->op != AST_EQ)
        return plan_fail(b, MR_INVALID,
                         "Only EQ and IN relation are supported on the partition key (unless you use the token() "
                         "function)");
    condition->op = node->op;
    plan->condition_count++;
    return plan_source_of(b, node->term, column->type, column->name, &condition->source);
}

static bool is_same_source(const struct plan_source *a, const struct plan_source *b)
{
    return a->kind == b->kind && a->marker == b->marker && a->value.data == b->value.data &&
           a->value.size == b->value.size;
}

/* Turns the conditions that make a key into key sources; the others stay to be checked on each row. */
static bool take_key(struct plan *plan)
{
    uint32_t i, kept = 0, partition = 0, prefix = 0, sliced = 0;
    uint32_t keys = plan->table->partition_count + plan->table->clustering_count;

    for (i = 0; i < plan->condition_count; i++) {
        const struct plan_condition *c = &plan->conditions[i];

        if (c->op == AST_EQ && c->column < keys && plan->key[c->column].kind == PLAN_NONE)
            plan->key[c->column] = c->source;
    }
    while (partition < plan->table->partition_count && plan->key[partition].kind != PLAN_NONE)
        partition++;
    if (partition == plan->table->partition_count) {
        while (prefix < plan->table->clustering_count && plan->key[partition + prefix].kind != PLAN_NONE)
            prefix++;
        plan->access = prefix == plan->table->clustering_count ? PLAN_ROW : PLAN_PARTITION;
    } else {
        plan->access = PLAN_RANGE;
    }
    plan->key_clustering_count = prefix;
    for (i = 0; i < plan->condition_count; i++) {
        const struct plan_condition *c = &plan->conditions[i];
        bool is_used = plan->access != PLAN_RANGE && c->op == AST_EQ && c->column < partition + prefix &&
                       is_same_source(&plan->key[c->column], &c->source);

        if (!is_used) {
            sliced += plan->access != PLAN_RANGE && c->op != AST_EQ && c->column == partition + prefix;
            plan->conditions[kept++] = *c;
        }
    }
    plan->condition_count = kept;
    return kept == sliced;
}

static enum mr_status select_where(struct plan_build *b)
{
    const struct ast_statement *s = b->statement;
    struct plan *plan = b->plan;
    const struct ast_node *node;
    bool needs_no_filter;
    enum mr_status status = MR_OK;

    if (s->where.count > PLAN_CONDITIONS_MAX)
        return plan_fail(b, MR_LIMIT, "a WHERE clause may have at most %d conditions", PLAN_CONDITIONS_MAX);
    plan->conditions = MR_ARENA_ARRAY(plan->arena, struct plan_condition, s->where.count + 1);
    plan->token_bounds = MR_ARENA_ARRAY(plan->arena, struct plan_token_bound, PLAN_TOKEN_BOUNDS_MAX + 1);
    plan->key =
        MR_ARENA_ARRAY(plan->arena, struct plan_source, plan->table->partition_count + plan->table->clustering_count);
    for (node = s->where.head; node != NULL && status == MR_OK; node = node->next)
        status = node->kind == AST_NODE_TOKEN ? token_condition(b, node) : column_condition(b, node);
    if (status != MR_OK)
        return status;
    if (plan->table->system != NULL) {
        plan->access = PLAN_GENERATED;
        return MR_OK;
    }
    needs_no_filter = take_key(plan);
    if (plan->token_bound_count > 0 && plan->access != PLAN_RANGE)
        return plan_fail(b, MR_INVALID, "Columns can't be restricted by both an equality and a token() relation");
    return needs_no_filter || s->allow_filtering ? MR_OK : plan_fail(b, MR_INVALID, "%s", filtering_text);
}

static enum mr_status select_order(struct plan_build *b)
{
    struct plan *plan = b->plan;
    const struct ast_node *item;
    uint32_t expect = plan->table->partition_count;

    for (item = b->statement->order.head; item != NULL; item = item->next, expect++) {
        uint32_t index;
        enum mr_status status = plan_column_of(b, item->name, &index);
        bool reverse;

        if (status != MR_OK)
            return status;
        if (plan->access == PLAN_RANGE || plan->access == PLAN_GENERATED)
            return plan_fail(b, MR_INVALID,
                             "ORDER BY is only supported when the partition key is restricted by an EQ or an IN.");
        if (plan->table->columns[index].kind != SCHEMA_CLUSTERING)
            return plan_fail(
                b, MR_INVALID,
                "Order by is currently only supported on the clustered columns of the PRIMARY KEY, got %.*s",
                MR_STR_ARG(item->name));
        reverse = item->descending != plan->table->columns[index].descending;
        if (index != expect || (item != b->statement->order.head && reverse != plan->reverse))
            return plan_fail(b, MR_INVALID, "Unsupported order by relation");
        plan->reverse = reverse;
    }
    return MR_OK;
}

enum mr_status plan_select(struct plan_build *b)
{
    enum mr_status status;

    if (b->statement->distinct)
        return plan_fail(b, MR_UNSUPPORTED, "SELECT DISTINCT is not there in this version");
    status = select_columns(b);
    if (status == MR_OK)
        status = select_where(b);
    if (status == MR_OK)
        status = select_order(b);
    if (status == MR_OK && b->statement->limit != NULL)
        status = plan_source_of(b, b->statement->limit, cql_type_native(CQL_INT), MR_STR("[limit]"), &b->plan->limit);
    if (status == MR_OK && b->plan->access != PLAN_GENERATED)
        plan_find_pk_indexes(b);
    return status;
}

/* restrict.c -- plans of WHERE clauses: which relations say where to look, which are checked on each row.
 *
 * The partition key has to be given whole by = and IN, or it is not used to look (then everything is, or a range of
 * tokens).  Then clustering columns are taken in order as long as = and IN give them, and slices on the next one: those
 * are ranges of keys in the store.  What is left is checked row by row, which wants ALLOW FILTERING. */
#include "tables/plan_int.h"

#include <string.h>

static const char filtering_text[] =
    "Cannot execute this query as it might involve data filtering and thus may have unpredictable performance. If you "
    "want to execute this query despite the performance unpredictability, use ALLOW FILTERING";

static bool is_select(const struct plan_build *b)
{
    return b->statement->kind == AST_SELECT;
}

static bool is_given(const struct plan_restriction *r)
{
    return r->op == AST_EQ || r->op == AST_IN;
}

static bool is_slice(const struct plan_restriction *r)
{
    return r->op >= AST_LT && r->op <= AST_GE;
}

/* ---- one relation ---- */

/* The types of a relation's left side as one: that of the column, or a tuple. */
static const struct cql_type *left_type(struct plan_build *b, const struct plan_restriction *r)
{
    const struct schema_table *table = b->plan->table;
    struct cql_type *tuple;
    uint32_t i;

    if (!r->is_tuple)
        return table->columns[r->columns[0]].type;
    tuple = MR_ARENA_NEW(b->plan->arena, struct cql_type);
    tuple->code = CQL_TUPLE;
    tuple->is_frozen = true;
    tuple->item_count = (uint16_t)r->column_count;
    tuple->items = MR_ARENA_ARRAY(b->plan->arena, const struct cql_type *, r->column_count + 1);
    for (i = 0; i < r->column_count; i++)
        ((const struct cql_type **)tuple->items)[i] = table->columns[r->columns[i]].type;
    return tuple;
}

static struct mr_str left_name(struct plan_build *b, const struct plan_restriction *r, const char *before)
{
    struct mr_writer w = { 0 };
    struct mr_str name;
    uint32_t i;

    mr_write_text(&w, "%s%s", before, r->is_tuple ? "(" : "");
    for (i = 0; i < r->column_count; i++)
        mr_write_text(&w, "%s%.*s", i > 0 ? "," : "", MR_STR_ARG(b->plan->table->columns[r->columns[i]].name));
    mr_write_text(&w, "%s%s", r->is_tuple ? ")" : "", *before != 0 ? ")" : "");
    name = mr_arena_str(b->plan->arena, mr_str_of_bytes(mr_writer_bytes(&w)));
    mr_writer_deinit(&w);
    return name;
}

static enum mr_status bind_values(struct plan_build *b, const struct ast_node *node, struct plan_restriction *r)
{
    struct mr_str name = left_name(b, r, "");
    const struct ast_node *value;
    struct cql_type *list;
    enum mr_status status = MR_OK;

    if (r->op == AST_IN && node->is_list) {
        r->is_list = true;
        r->sources = MR_ARENA_ARRAY(b->plan->arena, struct plan_source, node->value_count + 1);
        for (value = node->values; value != NULL && status == MR_OK; value = value->next)
            status = plan_source_of(b, value->term, r->type, name, &r->sources[r->source_count++]);
        return status;
    }
    r->sources = MR_ARENA_ARRAY(b->plan->arena, struct plan_source, 1);
    r->source_count = 1;
    if (r->op != AST_IN)
        return plan_source_of(b, node->term, r->type, name, r->sources);
    list = MR_ARENA_NEW(b->plan->arena, struct cql_type);
    list->code = CQL_LIST;
    list->is_frozen = true;
    list->item_count = 1;
    list->items = MR_ARENA_ARRAY(b->plan->arena, const struct cql_type *, 1);
    ((const struct cql_type **)list->items)[0] = r->type;
    return plan_source_of(b, node->term, list, left_name(b, r, "in("), r->sources);
}

static enum mr_status token_restriction(struct plan_build *b, const struct ast_node *node, struct plan_restriction *r)
{
    const struct schema_table *table = b->plan->table;
    const struct ast_node *name;
    uint32_t i = 0;

    if (!is_select(b))
        return plan_fail(b, MR_INVALID, "The token function cannot be used in WHERE clauses for %s statements",
                         b->statement->kind == AST_UPDATE ? "UPDATE" : "DELETE");
    for (name = node->names; name != NULL; name = name->next, i++) {
        if (i >= table->partition_count || !mr_str_equal(name->name, table->columns[i].name))
            break;
    }
    if (name != NULL || i != table->partition_count)
        return plan_fail(b, MR_INVALID,
                         "The token() function must be applied to all partition key components or none of them");
    if (node->op > AST_GE)
        return plan_fail(b, MR_INVALID, "token() takes =, <, <=, > and >= only");
    r->is_token = true;
    r->type = cql_type_native(CQL_BIGINT);
    r->sources = MR_ARENA_ARRAY(b->plan->arena, struct plan_source, 1);
    r->source_count = 1;
    return plan_source_of(b, node->term, r->type, MR_STR("partition key token"), r->sources);
}

static enum mr_status tuple_columns(struct plan_build *b, const struct ast_node *node, struct plan_restriction *r)
{
    const struct schema_table *table = b->plan->table;
    const struct ast_node *name;
    uint32_t index;
    enum mr_status status;

    r->is_tuple = true;
    if (node->name_count > SCHEMA_KEY_PARTS_MAX)
        return plan_fail(b, MR_INVALID, "a tuple of %" PRIu32 " columns", node->name_count);
    r->columns = MR_ARENA_ARRAY(b->plan->arena, uint32_t, node->name_count + 1);
    for (name = node->names; name != NULL; name = name->next) {
        status = plan_column_of(b, name->name, &index);
        if (status != MR_OK)
            return status;
        if (table->columns[index].kind != SCHEMA_CLUSTERING)
            return plan_fail(
                b, MR_INVALID,
                "Multi-column relations can only be applied to clustering columns but was applied to: %.*s",
                MR_STR_ARG(name->name));
        if (r->column_count > 0 && index != r->columns[r->column_count - 1] + 1)
            return plan_fail(b, MR_INVALID,
                             "Clustering columns must appear in the PRIMARY KEY order in multi-column "
                             "relations: %.*s",
                             MR_STR_ARG(left_name(b, r, "")));
        r->columns[r->column_count++] = index;
    }
    return MR_OK;
}

/* Is OP one for a column of TYPE? */
static enum mr_status check_operator(struct plan_build *b, const struct ast_node *node, struct plan_restriction *r)
{
    const struct schema_column *column = &b->plan->table->columns[r->columns[0]];
    const struct cql_type *type = column->type;
    struct mr_str text = schema_type_name(type, b->plan->arena);
    bool is_collection = type->code == CQL_LIST || type->code == CQL_SET || type->code == CQL_MAP;
    static const char *const signs[] = { "=", "<", "<=", ">", ">=", "!=", "IN" };

    if (node->op == AST_NE)
        return plan_fail(b, MR_INVALID, "Unsupported \"!=\" relation: %.*s != %.*s", MR_STR_ARG(column->name),
                         MR_STR_ARG(node->term->text));
    if (node->op == AST_LIKE)
        return plan_fail(
            b, MR_INVALID,
            "LIKE restriction is only supported on properly indexed columns. %.*s LIKE '%.*s' is not valid.",
            MR_STR_ARG(column->name), MR_STR_ARG(node->term->text));
    if (node->op == AST_CONTAINS && !is_collection)
        return plan_fail(b, MR_INVALID, "Cannot use CONTAINS on non-collection column %.*s", MR_STR_ARG(column->name));
    if (node->op == AST_CONTAINS_KEY && type->code != CQL_MAP)
        return plan_fail(b, MR_INVALID, "Cannot use CONTAINS KEY on non-map column %.*s", MR_STR_ARG(column->name));
    if (node->op <= AST_IN && !r->is_entry && schema_is_multicell(type) && column->kind == SCHEMA_REGULAR)
        return plan_fail(b, MR_INVALID, "Collection column '%.*s' (%.*s) cannot be restricted by a '%s' relation",
                         MR_STR_ARG(column->name), MR_STR_ARG(text), signs[node->op]);
    if (is_slice(r) && type->code == CQL_DURATION)
        return plan_fail(b, MR_INVALID, "Slice restrictions are not supported on duration columns");
    return MR_OK;
}

static enum mr_status column_restriction(struct plan_build *b, const struct ast_node *node, struct plan_restriction *r)
{
    const struct cql_type *type;
    enum mr_status status;

    r->columns = MR_ARENA_ARRAY(b->plan->arena, uint32_t, 1);
    r->column_count = 1;
    status = plan_column_of(b, node->name, r->columns);
    if (status != MR_OK)
        return status;
    type = b->plan->table->columns[r->columns[0]].type;
    if (node->kind == AST_NODE_INDEX) {
        if (type->code != CQL_MAP || node->op != AST_EQ)
            return plan_fail(b, MR_INVALID,
                             type->code != CQL_MAP ? "Column %.*s cannot be used as a map"
                                                   : "Only EQ relations are supported on map entries, "
                                                     "but column %.*s has another",
                             MR_STR_ARG(node->name));
        r->is_entry = true;
        status = plan_source_of(b, node->index, type->items[0], node->name, &r->index);
    }
    if (status == MR_OK)
        status = check_operator(b, node, r);
    if (status != MR_OK)
        return status;
    r->type = r->is_entry                 ? type->items[1]
              : r->op == AST_CONTAINS     ? type->items[type->item_count - 1]
              : r->op == AST_CONTAINS_KEY ? type->items[0]
                                          : left_type(b, r);
    return bind_values(b, node, r);
}

static enum mr_status make_restriction(struct plan_build *b, const struct ast_node *node, struct plan_restriction *r)
{
    enum mr_status status;

    r->op = node->op;
    if (node->kind == AST_NODE_TOKEN)
        return token_restriction(b, node, r);
    if (node->kind != AST_NODE_TUPLE)
        return column_restriction(b, node, r);
    status = tuple_columns(b, node, r);
    if (status == MR_OK && r->op > AST_IN)
        return plan_fail(b, MR_INVALID, "Unsupported relation on columns %.*s", MR_STR_ARG(left_name(b, r, "")));
    if (status == MR_OK && r->op == AST_NE)
        return plan_fail(b, MR_INVALID, "Unsupported \"!=\" relation: %.*s", MR_STR_ARG(left_name(b, r, "")));
    if (status != MR_OK)
        return status;
    r->type = left_type(b, r);
    return bind_values(b, node, r);
}

/* ---- relations that exclude each other ---- */

static bool is_start(enum ast_operator op)
{
    return op == AST_GT || op == AST_GE;
}

static enum mr_status check_pair(struct plan_build *b, const struct plan_restriction *x,
                                 const struct plan_restriction *y)
{
    const struct schema_column *columns = b->plan->table->columns;
    struct mr_str name;

    if (x->is_token != y->is_token || x->is_entry || y->is_entry || x->op > AST_IN || y->op > AST_IN)
        return MR_OK;
    if (!x->is_token && x->columns[0] != y->columns[0])
        return MR_OK;
    name = x->is_token ? columns[0].name : columns[x->columns[0]].name;
    if (is_given(x) || is_given(y))
        return plan_fail(b, MR_INVALID, "%.*s cannot be restricted by more than one relation if it includes %s",
                         MR_STR_ARG(name), x->op == AST_EQ || y->op == AST_EQ ? "an Equal" : "a IN");
    if (is_start(x->op) == is_start(y->op))
        return plan_fail(b, MR_INVALID, "More than one restriction was found for the %s bound on %.*s",
                         is_start(x->op) ? "start" : "end", MR_STR_ARG(name));
    return MR_OK;
}

static enum mr_status check_pairs(struct plan_build *b)
{
    const struct plan *plan = b->plan;
    uint32_t i, j;
    enum mr_status status = MR_OK;

    for (i = 0; i < plan->restriction_count; i++) {
        for (j = 0; j < i && status == MR_OK; j++)
            status = check_pair(b, &plan->restrictions[j], &plan->restrictions[i]);
    }
    return status;
}

/* ---- what each is for ---- */

/* The restriction that gives column COLUMN first, and is GIVEN (or a slice), not yet used; or NULL. */
static struct plan_restriction *find(const struct plan *plan, uint32_t column, bool given, const bool *used)
{
    uint32_t i;

    for (i = 0; i < plan->restriction_count; i++) {
        struct plan_restriction *r = &plan->restrictions[i];

        if (!used[i] && !r->is_token && !r->is_entry && r->columns[0] == column && (given ? is_given(r) : is_slice(r)))
            return r;
    }
    return NULL;
}

static bool take_partition(struct plan *plan, bool *used)
{
    uint32_t i;

    for (i = 0; i < plan->table->partition_count; i++) {
        const struct plan_restriction *r = find(plan, i, true, used);

        if (r == NULL)
            return false;
        plan->partition_restrictions[i] = (uint32_t)(r - plan->restrictions);
        plan->has_in = plan->has_in || r->op == AST_IN;
    }
    for (i = 0; i < plan->table->partition_count; i++) {
        const struct plan_restriction *r = &plan->restrictions[plan->partition_restrictions[i]];

        used[plan->partition_restrictions[i]] = true;
        if (r->op == AST_EQ)
            plan->key[i] = r->sources[0];
    }
    return true;
}

/* Do the columns of R all run in one direction? */
static bool one_direction(const struct plan *plan, const struct plan_restriction *r)
{
    for (uint32_t i = 1; i < r->column_count; i++)
        if (plan->table->columns[r->columns[i]].descending != plan->table->columns[r->columns[0]].descending)
            return false;
    return true;
}

static void take_clustering(struct plan *plan, bool *used)
{
    uint32_t first = plan->table->partition_count, keys = first + plan->table->clustering_count, at = first;
    struct plan_restriction *r;

    while (at < keys && (r = find(plan, at, true, used)) != NULL) {
        used[r - plan->restrictions] = true;
        plan->seeks[plan->seek_count++] = (uint32_t)(r - plan->restrictions);
        if (r->op == AST_EQ && !r->is_tuple)
            plan->key[at] = r->sources[0];
        at += r->column_count;
    }
    plan->seek_columns = at - first;
    while (at < keys && (r = find(plan, at, false, used)) != NULL) {
        uint32_t index = (uint32_t)(r - plan->restrictions);

        used[index] = true;
        plan->seeks[plan->seek_count++] = index;
        if (!one_direction(plan, r)) /* the seek is wider than the relation */
            plan->filters[plan->filter_count++] = index;
    }
}

/* The clustering column that is restricted though the ones before do not say where it is. */
static enum mr_status refuse_gap(struct plan_build *b, const struct plan_restriction *r)
{
    const struct plan *plan = b->plan;
    const struct schema_column *columns = plan->table->columns;
    uint32_t before = plan->table->partition_count + plan->seek_columns;
    bool is_sliced = plan->seek_count > 0 && is_slice(&plan->restrictions[plan->seeks[plan->seek_count - 1]]);

    if (is_sliced)
        return plan_fail(
            b, MR_INVALID,
            "Clustering column \"%.*s\" cannot be restricted (preceding column \"%.*s\" is restricted by a "
            "non-EQ relation)",
            MR_STR_ARG(columns[r->columns[0]].name), MR_STR_ARG(columns[before].name));
    return plan_fail(b, MR_INVALID,
                     "PRIMARY KEY column \"%.*s\" cannot be restricted as preceding column \"%.*s\" is not restricted",
                     MR_STR_ARG(columns[r->columns[0]].name), MR_STR_ARG(columns[before].name));
}

static enum mr_status missing(struct plan_build *b, const char *what, uint32_t from, uint32_t to, const bool *given)
{
    struct mr_writer names = { 0 };
    enum mr_status status = MR_OK;
    uint32_t i, count = 0;

    for (i = from; i < to; i++) {
        if (!given[i])
            mr_write_text(&names, "%s%.*s", count++ > 0 ? ", " : "", MR_STR_ARG(b->plan->table->columns[i].name));
    }
    if (count > 0)
        status = plan_fail(b, MR_INVALID, "Some %s are missing: %.*s", what, (int)names.size, (const char *)names.data);
    mr_writer_deinit(&names);
    return status;
}

/* What UPDATE and DELETE ask of their WHERE. */
static enum mr_status check_modification(struct plan_build *b, bool has_partition, const bool *used)
{
    const struct plan *plan = b->plan;
    const struct schema_table *table = plan->table;
    const char *word = b->statement->kind == AST_UPDATE ? "UPDATE" : "DELETE";
    uint32_t i, j, keys = table->partition_count + table->clustering_count;
    bool given[2 * SCHEMA_KEY_PARTS_MAX] = { false };
    enum mr_status status;

    for (i = 0; i < plan->restriction_count; i++) {
        const struct plan_restriction *r = &plan->restrictions[i];

        if (table->columns[r->columns[0]].kind == SCHEMA_REGULAR)
            return plan_fail(b, MR_INVALID, "Non PRIMARY KEY columns found in where clause: %.*s ",
                             MR_STR_ARG(table->columns[r->columns[0]].name));
        if (r->columns[0] < table->partition_count && !is_given(r))
            return plan_fail(b, MR_INVALID,
                             "Only EQ and IN relation are supported on the partition key (unless you use the token() "
                             "function) for %s statements",
                             word);
        for (j = 0; j < r->column_count; j++)
            given[r->columns[j]] = given[r->columns[j]] || is_given(r);
    }
    status = has_partition ? MR_OK : missing(b, "partition key parts", 0, table->partition_count, given);
    if (status != MR_OK)
        return status;
    for (i = 0; i < plan->restriction_count; i++) {
        if (b->statement->kind == AST_UPDATE && is_slice(&plan->restrictions[i]))
            return plan_fail(b, MR_INVALID,
                             "Slice restrictions are not supported on the clustering columns in UPDATE statements");
    }
    for (i = 0; i < plan->restriction_count; i++) {
        if (!used[i])
            return refuse_gap(b, &plan->restrictions[i]);
    }
    if (b->statement->kind == AST_UPDATE)
        return missing(b, "clustering keys", table->partition_count, keys, given);
    if (b->statement->columns.count > 0 && plan->seek_columns < table->clustering_count)
        return plan_fail(b, MR_INVALID, "Range deletions are not supported for specific columns");
    if (plan->filter_count > 0)
        return plan_fail(b, MR_UNSUPPORTED,
                         "a DELETE by a tuple of columns that are ordered in different directions is "
                         "not there in this version");
    return MR_OK;
}

/* What nothing else took is checked on each row. */
static enum mr_status take_filters(struct plan_build *b, bool has_partition, const bool *used)
{
    struct plan *plan = b->plan;
    bool needs_filter = false;
    uint32_t i;

    for (i = 0; i < plan->restriction_count; i++) {
        const struct plan_restriction *r = &plan->restrictions[i];

        if (used[i] || r->is_token)
            continue;
        if (has_partition && !b->statement->allow_filtering && r->op <= AST_IN && !r->is_entry &&
            plan->table->columns[r->columns[0]].kind == SCHEMA_CLUSTERING)
            return refuse_gap(b, r);
        plan->filters[plan->filter_count++] = i;
        needs_filter = true;
    }
    for (i = 0; b->statement->distinct && i < plan->restriction_count; i++) {
        if (!plan->restrictions[i].is_token && plan->restrictions[i].columns[0] >= plan->table->partition_count)
            return plan_fail(b, MR_INVALID,
                             "SELECT DISTINCT with WHERE clause only supports restriction by partition "
                             "key and/or static columns.");
    }
    if (needs_filter && !b->statement->allow_filtering && plan->table->system == NULL)
        return plan_fail(b, MR_INVALID, "%s", filtering_text);
    return MR_OK;
}

static bool is_row(const struct plan *plan)
{
    uint32_t i, keys = plan->table->partition_count + plan->table->clustering_count;

    for (i = 0; i < keys; i++) {
        if (plan->key[i].kind == PLAN_NONE)
            return false;
    }
    for (i = 0; i < plan->restriction_count; i++) {
        if (plan->restrictions[i].is_token)
            return false;
    }
    return plan->seek_columns == plan->table->clustering_count;
}

enum mr_status plan_where(struct plan_build *b)
{
    const struct ast_statement *s = b->statement;
    struct plan *plan = b->plan;
    const struct ast_node *node;
    bool *used, has_partition;
    enum mr_status status = MR_OK;

    if (s->where.count > PLAN_CONDITIONS_MAX)
        return plan_fail(b, MR_LIMIT, "a WHERE clause may have at most %d conditions", PLAN_CONDITIONS_MAX);
    plan->restrictions = MR_ARENA_ARRAY(plan->arena, struct plan_restriction, s->where.count + 1);
    plan->filters = MR_ARENA_ARRAY(plan->arena, uint32_t, 2 * (size_t)s->where.count + 1);
    plan->key =
        MR_ARENA_ARRAY(plan->arena, struct plan_source, plan->table->partition_count + plan->table->clustering_count);
    used = MR_ARENA_ARRAY(plan->arena, bool, s->where.count + 1);
    for (node = s->where.head; node != NULL && status == MR_OK; node = node->next)
        status = make_restriction(b, node, &plan->restrictions[plan->restriction_count++]);
    if (status == MR_OK)
        status = check_pairs(b);
    if (status != MR_OK)
        return status;
    if (plan->table->system != NULL) {
        plan->access = PLAN_GENERATED;
        return take_filters(b, false, used);
    }
    has_partition = take_partition(plan, used);
    if (has_partition)
        take_clustering(plan, used);
    plan->access = !has_partition ? PLAN_RANGE : is_row(plan) ? PLAN_ROW : PLAN_KEYS;
    return is_select(b) ? take_filters(b, has_partition, used) : check_modification(b, has_partition, used);
}

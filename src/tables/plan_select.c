/* plan_select.c -- plans of SELECT: what to answer, in which order, how much of it. */
#include "tables/bind_int.h"
#include "tables/literal_int.h"

#include <string.h>

static enum mr_status bind_selector(struct plan_build *b, const struct ast_term *term, int depth,
                                    const struct expr **out);

static struct expr *expr_new(struct plan_build *b, enum expr_kind kind, const struct cql_type *type)
{
    struct expr *e = MR_ARENA_NEW(b->plan->arena, struct expr);

    e->kind = kind;
    e->type = type;
    return e;
}

static const struct cql_type *list_of(struct plan_build *b, const struct cql_type *item)
{
    struct cql_type *list = MR_ARENA_NEW(b->plan->arena, struct cql_type);

    list->code = CQL_LIST;
    list->is_frozen = true;
    list->item_count = 1;
    list->items = MR_ARENA_ARRAY(b->plan->arena, const struct cql_type *, 1);
    ((const struct cql_type **)list->items)[0] = item;
    return list;
}

static void set_args(struct plan_build *b, struct expr *e, const struct expr *first, const struct expr *second)
{
    const struct expr **args = MR_ARENA_ARRAY(b->plan->arena, const struct expr *, 2);

    args[0] = first;
    args[1] = second;
    e->args = args;
    e->arg_count = second != NULL ? 2 : 1;
}

/* ---- writetime, ttl ---- */

static bool cell_function(struct mr_str name, enum expr_kind *out)
{
    static const struct {
        const char *name;
        enum expr_kind kind;
    } functions[] = { { "writetime", EXPR_WRITETIME },
                      { "maxwritetime", EXPR_WRITETIME_MAX },
                      { "minwritetime", EXPR_WRITETIME_MIN },
                      { "ttl", EXPR_TTL } };
    size_t i;

    for (i = 0; i < MR_COUNT(functions); i++) {
        if (mr_str_equal(name, mr_str_of(functions[i].name))) {
            *out = functions[i].kind;
            return true;
        }
    }
    return false;
}

static enum mr_status bind_cell_function(struct plan_build *b, const struct ast_term *term, enum expr_kind kind,
                                         int depth, const struct expr **out)
{
    const struct cql_type *type = cql_type_native(kind == EXPR_TTL ? CQL_INT : CQL_BIGINT);
    const struct expr *of = NULL, *column;
    const struct schema_column *said;
    struct expr *e;
    enum mr_status status;

    if (term->entry_count != 1)
        return plan_fail(b, MR_INVALID, "%.*s takes one column", MR_STR_ARG(term->text));
    status = bind_selector(b, term->entries->term, depth + 1, &of);
    if (status != MR_OK)
        return status;
    column = of->kind == EXPR_ELEMENT ? of->args[0] : of;
    if (column->kind != EXPR_COLUMN)
        return plan_fail(b, MR_INVALID, "%.*s takes a column or an element of one", MR_STR_ARG(term->text));
    said = &b->plan->table->columns[column->index];
    if (said->kind != SCHEMA_REGULAR)
        return plan_fail(b, MR_INVALID, "Cannot use selection function %.*s on PRIMARY KEY part %.*s",
                         MR_STR_ARG(term->text), MR_STR_ARG(said->name));
    if (schema_is_multicell(said->type) && of == column && (kind == EXPR_WRITETIME || kind == EXPR_TTL))
        type = list_of(b, type);
    e = expr_new(b, kind, type);
    e->index = column->index;
    if (of != column && schema_is_multicell(said->type))
        set_args(b, e, of->args[0], of->args[1]);
    *out = e;
    return MR_OK;
}

/* ---- aggregates ---- */

static bool aggregate_kind(struct mr_str name, enum plan_aggregate_kind *out)
{
    static const char *const names[] = {
        [PLAN_COUNT] = "count", [PLAN_MIN] = "min", [PLAN_MAX] = "max", [PLAN_SUM] = "sum", [PLAN_AVG] = "avg"
    };
    size_t i;

    for (i = PLAN_COUNT; i < MR_COUNT(names); i++) {
        if (mr_str_equal(name, mr_str_of(names[i]))) {
            *out = (enum plan_aggregate_kind)i;
            return true;
        }
    }
    return false;
}

static bool can_add(uint16_t code)
{
    static const uint16_t codes[] = { CQL_TINYINT, CQL_SMALLINT, CQL_INT,   CQL_BIGINT,
                                      CQL_VARINT,  CQL_DECIMAL,  CQL_FLOAT, CQL_DOUBLE };
    size_t i;

    for (i = 0; i < MR_COUNT(codes); i++) {
        if (codes[i] == code)
            return true;
    }
    return false;
}

static enum mr_status no_sum(struct plan_build *b, struct mr_str name)
{
    static const char *const types[] = { "bigint", "decimal", "varint",   "double", "int",
                                         "float",  "tinyint", "smallint", "counter" };
    struct mr_writer w = { 0 };
    enum mr_status status;
    size_t i;

    for (i = 0; i < MR_COUNT(types); i++)
        mr_write_text(&w, "%ssystem.%.*s : (%s) -> %s", i > 0 ? ", " : "", MR_STR_ARG(name), types[i], types[i]);
    status = plan_fail(b, MR_INVALID,
                       "Invalid call to function %.*s, none of its type signatures match (known type signatures: %.*s)",
                       MR_STR_ARG(name), (int)w.size, (const char *)w.data);
    mr_writer_deinit(&w);
    return status;
}

static enum mr_status bind_aggregate(struct plan_build *b, const struct ast_term *term, enum plan_aggregate_kind kind,
                                     int depth, const struct expr **out)
{
    struct plan *plan = b->plan;
    struct plan_aggregate *aggregate = &plan->aggregates[plan->aggregate_count];
    const struct ast_term *arg = term->entry_count == 1 ? term->entries->term : NULL;
    const struct cql_type *type = cql_type_native(CQL_BIGINT);
    struct expr *e;
    enum mr_status status = MR_OK;

    if (arg == NULL)
        return plan_fail(b, MR_INVALID, "Invalid number of arguments for function system.%.*s", MR_STR_ARG(term->text));
    if (plan->aggregate_count == PLAN_AGGREGATES_MAX)
        return plan_fail(b, MR_LIMIT, "a SELECT may have at most %d aggregates", PLAN_AGGREGATES_MAX);
    aggregate->kind = kind;
    if (kind == PLAN_COUNT && (arg->kind == AST_STAR || arg->kind == AST_INTEGER))
        aggregate->kind = PLAN_COUNT_ROWS;
    else
        status = bind_selector(b, arg, depth + 1, &aggregate->arg);
    if (status != MR_OK)
        return status;
    if (plan->aggregate_count > 0 && aggregate->arg != NULL && aggregate->arg->kind == EXPR_RESULT)
        return plan_fail(b, MR_INVALID, "aggregate functions cannot be used as arguments of aggregate functions");
    if ((kind == PLAN_SUM || kind == PLAN_AVG) && !can_add(aggregate->arg->type->code))
        return no_sum(b, term->text);
    if (kind != PLAN_COUNT)
        type = aggregate->arg->type;
    e = expr_new(b, EXPR_RESULT, type);
    e->index = plan->aggregate_count++;
    *out = e;
    return MR_OK;
}

/* ---- one selector ---- */

static enum mr_status bind_element(struct plan_build *b, const struct ast_term *term, int depth,
                                   const struct expr **out)
{
    const struct ast_term *of_term = term->entries->term, *key_term = term->entries->next->term;
    const struct expr *of = NULL, *key = NULL;
    const struct cql_type *type;
    struct mr_str of_text;
    struct expr *e;
    struct mr_writer w = { 0 };
    struct bind_name name = { MR_STR_NULL, false };
    enum mr_status status = bind_selector(b, of_term, depth + 1, &of);

    if (status != MR_OK)
        return status;
    type = of->type;
    literal_write(&w, of_term);
    name.text = mr_arena_str(b->plan->arena, mr_str_of_bytes(mr_writer_bytes(&w)));
    mr_writer_deinit(&w);
    of_text = schema_type_name(type, b->plan->arena);
    if (type->code == CQL_LIST)
        return plan_fail(b, MR_INVALID, "Element selection is only allowed on sets and maps, but %.*s is a list",
                         MR_STR_ARG(name.text));
    if (type->code != CQL_SET && type->code != CQL_MAP)
        return plan_fail(b, MR_INVALID, "Invalid element selection: %.*s is of type %.*s is not a collection",
                         MR_STR_ARG(name.text), MR_STR_ARG(of_text));
    status = bind_term(b, key_term, type->items[0], &name, depth + 1, &key);
    e = expr_new(b, EXPR_ELEMENT, type->items[type->item_count - 1]);
    set_args(b, e, of, key);
    *out = e;
    return status;
}

/* Arguments of an ordinary function are selectors too: bound as such where they are columns or calls. */
static enum mr_status bind_function(struct plan_build *b, const struct ast_term *term, int depth,
                                    const struct expr **out)
{
    struct bind_name name = { MR_STR("[function]"), true };
    const struct cql_type *type = bind_type_alone(b, term);
    const struct ast_node *arg;

    for (arg = term->entries; arg != NULL; arg = arg->next) {
        uint32_t column;

        if (arg->term->kind == AST_COLUMN && plan_column_of(b, arg->term->text, &column) != MR_OK)
            return MR_NOT_FOUND;
        if (arg->term->kind == AST_STAR)
            return plan_fail(b, MR_INVALID, "Unknown function '%.*s'", MR_STR_ARG(term->text));
    }
    return bind_term(b, term, type != NULL ? type : cql_type_native(CQL_BLOB), &name, depth, out);
}

static enum mr_status bind_cast(struct plan_build *b, const struct ast_term *term, int depth, const struct expr **out)
{
    struct bind_name name = { MR_STR("[cast]"), true };
    const struct expr *of = NULL;
    const struct cql_type *to = NULL;
    struct expr *e;
    enum mr_status status;

    if (bind_type_alone(b, term->entries->term) == NULL && term->entries->term->kind != AST_CALL &&
        term->entries->term->kind != AST_COLUMN)
        return bind_term(b, term, cql_type_native(CQL_BLOB), &name, depth, out);
    status = bind_selector(b, term->entries->term, depth + 1, &of);
    if (status == MR_OK && schema_type_parse(term->type, b->plan->arena, &to, b->err) != MR_OK)
        return plan_fail(b, MR_INVALID, "Unknown type %.*s", MR_STR_ARG(term->type));
    if (status != MR_OK)
        return status;
    if (!expr_can_cast(of->type, to))
        return plan_fail(
            b, MR_INVALID,
            "Invalid call to function system.cast_as_%.*s, none of its type signatures match: %.*s can't be "
            "cast to it",
            MR_STR_ARG(schema_type_name(to, b->plan->arena)), MR_STR_ARG(schema_type_name(of->type, b->plan->arena)));
    e = expr_new(b, EXPR_CAST, to);
    set_args(b, e, of, NULL);
    *out = e;
    return MR_OK;
}

static enum mr_status bind_selector(struct plan_build *b, const struct ast_term *term, int depth,
                                    const struct expr **out)
{
    struct bind_name name = { MR_STR("[selection]"), true };
    enum plan_aggregate_kind aggregate;
    enum expr_kind kind;
    struct mr_writer w = { 0 };
    enum mr_status status;

    if (depth > PLAN_EXPR_DEPTH_MAX)
        return plan_fail(b, MR_LIMIT, "a selector may be nested %d deep", PLAN_EXPR_DEPTH_MAX);
    if (term->kind == AST_COLUMN)
        return bind_term(b, term, NULL, &name, depth, out);
    if (term->kind == AST_INDEX)
        return bind_element(b, term, depth, out);
    if (term->kind == AST_CAST)
        return bind_cast(b, term, depth, out);
    if (term->kind == AST_CALL && cell_function(term->text, &kind))
        return bind_cell_function(b, term, kind, depth, out);
    if (term->kind == AST_CALL && aggregate_kind(term->text, &aggregate))
        return bind_aggregate(b, term, aggregate, depth, out);
    if (term->kind == AST_CALL)
        return bind_function(b, term, depth, out);
    if (term->kind == AST_HINT)
        return bind_term(b, term, cql_type_native(CQL_BLOB), &name, depth, out);
    literal_write(&w, term);
    status = plan_fail(b, MR_INVALID,
                       "Cannot infer type for term %.*s in selection clause (try using a cast to force a type)",
                       w.size > 200 ? 200 : (int)w.size, (const char *)w.data);
    mr_writer_deinit(&w);
    return status;
}

/* ---- the columns of the answer ---- */

static void add_selector(struct plan *plan, const struct expr *e, struct mr_str name)
{
    struct cql_column *out = (struct cql_column *)&plan->rows.columns[plan->rows.column_count];

    plan->selectors[plan->rows.column_count++] = e;
    *out = (struct cql_column){ plan->table->keyspace, plan->table->name, name, e->type };
}

static struct mr_str name_of(struct plan_build *b, const struct ast_node *node)
{
    struct mr_writer w = { 0 };
    struct mr_str name;

    if (node->text.data != NULL)
        return node->text;
    literal_write(&w, node->term);
    name = mr_arena_str(b->plan->arena, mr_str_of_bytes(mr_writer_bytes(&w)));
    mr_writer_deinit(&w);
    return name;
}

static enum mr_status select_columns(struct plan_build *b)
{
    const struct ast_statement *s = b->statement;
    struct plan *plan = b->plan;
    uint32_t i, count = s->columns.count > 0 ? s->columns.count : plan->table->column_count;
    const struct ast_node *node;
    enum mr_status status = MR_OK;

    plan->selectors = MR_ARENA_ARRAY(plan->arena, const struct expr *, count);
    plan->rows.columns = MR_ARENA_ARRAY(plan->arena, struct cql_column, count);
    plan->aggregates = MR_ARENA_ARRAY(plan->arena, struct plan_aggregate, PLAN_AGGREGATES_MAX);
    for (i = 0; s->columns.count == 0 && i < count; i++) {
        struct expr *e = expr_new(b, EXPR_COLUMN, plan->table->columns[i].type);

        e->index = i;
        add_selector(plan, e, plan->table->columns[i].name);
    }
    for (node = s->columns.head; node != NULL && status == MR_OK; node = node->next) {
        const struct expr *e = NULL;

        status = bind_selector(b, node->term, 0, &e);
        if (status == MR_OK)
            add_selector(plan, e, name_of(b, node));
    }
    return status;
}

/* ---- DISTINCT, ORDER BY ---- */

static enum mr_status select_distinct(struct plan_build *b)
{
    struct plan *plan = b->plan;
    uint32_t i;

    for (i = 0; i < plan->rows.column_count; i++) {
        const struct expr *e = plan->selectors[i];

        if (e->kind == EXPR_COLUMN && plan->table->columns[e->index].kind != SCHEMA_PARTITION)
            return plan_fail(b, MR_INVALID,
                             "SELECT DISTINCT queries must only request partition key columns and/or static columns "
                             "(not %.*s)",
                             MR_STR_ARG(plan->table->columns[e->index].name));
    }
    if (b->statement->per_partition_limit != NULL)
        return plan_fail(b, MR_INVALID, "PER PARTITION LIMIT is not allowed with SELECT DISTINCT queries");
    plan->is_distinct = true;
    if (plan->access == PLAN_ROW)
        plan->access = PLAN_KEYS;
    return MR_OK;
}

/* The first clustering column from AT on that = does not give. */
static uint32_t next_free(const struct plan *plan, uint32_t at)
{
    while (at < plan->table->column_count && plan->table->columns[at].kind == SCHEMA_CLUSTERING &&
           plan->key[at].kind != PLAN_NONE)
        at++;
    return at;
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
        if (index != expect)
            expect = next_free(plan, expect);
        if (index != expect)
            return plan_fail(b, MR_INVALID,
                             "Order by currently only supports the ordering of columns following their "
                             "declared order in the PRIMARY KEY");
        reverse = item->descending != plan->table->columns[index].descending;
        if (plan->is_ordered && reverse != plan->reverse)
            return plan_fail(b, MR_INVALID, "Unsupported order by relation");
        plan->reverse = reverse;
        plan->is_ordered = true;
    }
    return MR_OK;
}

enum mr_status plan_select(struct plan_build *b)
{
    const struct ast_statement *s = b->statement;
    enum mr_status status = select_columns(b);

    if (status == MR_OK)
        status = plan_where(b);
    if (status == MR_OK && s->distinct)
        status = select_distinct(b);
    if (status == MR_OK)
        status = select_order(b);
    if (status == MR_OK && s->per_partition_limit != NULL && b->plan->aggregate_count > 0)
        return plan_fail(b, MR_INVALID, "PER PARTITION LIMIT is not allowed with aggregate queries.");
    if (status == MR_OK && s->per_partition_limit != NULL)
        status = plan_source_of(b, s->per_partition_limit, cql_type_native(CQL_INT), MR_STR("[per_partition_limit]"),
                                &b->plan->per_partition_limit);
    if (status == MR_OK && s->limit != NULL)
        status = plan_source_of(b, s->limit, cql_type_native(CQL_INT), MR_STR("[limit]"), &b->plan->limit);
    if (status == MR_OK && b->plan->access != PLAN_GENERATED)
        plan_find_pk_indexes(b);
    return status;
}

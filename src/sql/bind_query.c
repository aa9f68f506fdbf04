/* bind_query.c -- INSERT, STATEMENT SET and SELECT: sources, filters and columns, in the sink's order and of its
 * types. */
#include <string.h>

#include "sql/bind_int.h"
#include "sql/plan_text_int.h"

enum { STATEMENT_SET_MAX = 256, VALUES_ROWS_MAX = 1 << 20 };

/* A query under construction. */
struct draft {
    struct sql_source *sources;
    uint32_t source_count;
    struct sql_output *outputs;
    uint32_t output_count;
};

static bool *wanted_of(const struct sql_source *source)
{
    return (bool *)source->wanted; /* made by us, const only for those who read the plan */
}

static struct sql_source *source_add(struct sql_bind *bind, struct draft *draft, const struct data_type *row)
{
    struct sql_source *source = &draft->sources[draft->source_count++];

    source->row = row;
    source->wanted = MR_ARENA_ARRAY(bind->arena, bool, row->field_count + 1);
    return source;
}

static enum mr_status table_find(struct sql_bind *bind, const struct sql_ast_name *name, const struct sql_table **out)
{
    const struct sql_table *table = sql_catalog_find(bind->catalog, name->text);
    size_t count = 0;
    const char **names;

    if (table != NULL) {
        *out = table;
        return MR_OK;
    }
    names = sql_catalog_names(bind->catalog, bind->arena, &count);
    return sql_bind_fail(bind, MR_INVALID, name->loc, "no table \"%.*s\"%s", MR_STR_ARG(name->text),
                         sql_bind_hint(bind, name->text, names, count));
}

/* FROM a table: one source for all INSERTs that read it. */
static enum mr_status bind_from_table(struct sql_bind *bind, struct draft *draft, const struct sql_ast_from *from,
                                      uint32_t *index)
{
    const struct sql_table *table = NULL;
    enum mr_status status = table_find(bind, &from->name, &table);

    if (status != MR_OK)
        return status;
    if (table->connector->source == NULL)
        return sql_bind_fail(bind, MR_INVALID, from->name.loc, "table %s can't be read: connector \"%s\" only writes",
                             table->name, table->connector->name);
    for (*index = 0; *index < draft->source_count; ++*index)
        if (draft->sources[*index].table == table)
            return MR_OK;
    source_add(bind, draft, table->row)->table = table;
    return MR_OK;
}

/* FROM (VALUES …): every column gets the type that all its values can become. */
static enum mr_status bind_from_values(struct sql_bind *bind, struct draft *draft, const struct sql_ast_from *from,
                                       uint32_t *index)
{
    uint32_t columns = from->values.first->args.count, rows = from->values.count, row = 0;
    struct sql_expr **values, **one;
    struct data_field *fields = MR_ARENA_ARRAY(bind->arena, struct data_field, columns);
    struct sql_source *source;

    if (rows > VALUES_ROWS_MAX)
        return sql_bind_fail(bind, MR_LIMIT, from->loc, "VALUES has at most %d rows", VALUES_ROWS_MAX);
    values = MR_ARENA_ARRAY(bind->arena, struct sql_expr *, (size_t)rows * columns);
    one = MR_ARENA_ARRAY(bind->arena, struct sql_expr *, rows);
    for (const struct sql_ast_expr *ast = from->values.first; ast != NULL; ast = ast->next, row++) {
        uint32_t column = 0;
        if (ast->args.count != columns)
            return sql_bind_fail(bind, MR_INVALID, ast->loc, "this row has %u values, the first one has %u",
                                 ast->args.count, columns);
        for (const struct sql_ast_expr *value = ast->args.first; value != NULL; value = value->next, column++) {
            enum mr_status status = sql_bind_expr(bind, NULL, value, &values[row * columns + column]);
            if (status != MR_OK)
                return status;
        }
    }
    for (uint32_t column = 0; column < columns; column++) {
        const struct data_type *type = NULL;
        enum mr_status status;
        for (row = 0; row < rows; row++)
            one[row] = values[row * columns + column];
        status = sql_bind_common(bind, one, rows, "VALUES", from->loc, &type);
        if (status != MR_OK)
            return status;
        if (type->kind == DATA_NULL)
            type = data_type_scalar(DATA_STRING, true);
        for (row = 0; row < rows; row++)
            values[row * columns + column] = sql_bind_cast(bind, one[row], type);
        fields[column] = (struct data_field){ mr_str_of(mr_arena_printf(bind->arena, "EXPR$%u", column)), type };
    }
    source = source_add(bind, draft, data_type_row(bind->arena, fields, columns, false));
    source->values = values;
    source->row_count = rows;
    *index = draft->source_count - 1;
    return MR_OK;
}

/* AS t (a, b): other names for the columns.  The type with them. */
static enum mr_status bind_alias_columns(struct sql_bind *bind, const struct sql_ast_from *from,
                                         const struct data_type **row)
{
    struct data_field *fields;
    uint32_t count = 0;

    if (from->alias_columns.count == 0)
        return MR_OK;
    if (from->alias_columns.count != (*row)->field_count)
        return sql_bind_fail(bind, MR_INVALID, from->alias_columns.first->loc, "%u names for %u columns",
                             from->alias_columns.count, (*row)->field_count);
    fields = MR_ARENA_ARRAY(bind->arena, struct data_field, (*row)->field_count);
    for (const struct sql_ast_name *name = from->alias_columns.first; name != NULL; name = name->next, count++)
        fields[count] = (struct data_field){ name->text, (*row)->fields[count].type };
    *row = data_type_row(bind->arena, fields, count, false);
    return MR_OK;
}

static enum mr_status bind_from(struct sql_bind *bind, struct draft *draft, const struct sql_ast_query *query,
                                uint32_t *index, struct sql_scope *scope)
{
    const struct sql_ast_from *from = &query->from;
    enum mr_status status;

    if (from->name.text.data == NULL && from->values.count == 0) { /* SELECT 1 + 1 */
        struct sql_source *source = source_add(bind, draft, data_type_row(bind->arena, NULL, 0, false));
        source->row_count = 1;
        *index = draft->source_count - 1;
        *scope = (struct sql_scope){ 0 };
        return MR_OK;
    }
    status =
        from->values.count > 0 ? bind_from_values(bind, draft, from, index) : bind_from_table(bind, draft, from, index);
    if (status != MR_OK)
        return status;
    *scope = (struct sql_scope){ .row = draft->sources[*index].row,
                                 .alias = from->alias.data ? from->alias : from->name.text,
                                 .what = from->name.text.data ? draft->sources[*index].table->name : "VALUES",
                                 .wanted = wanted_of(&draft->sources[*index]) };
    return bind_alias_columns(bind, from, &scope->row);
}

/* The SELECT list with its stars spread out. */
struct items {
    struct sql_expr **exprs;
    struct data_field *fields;
    uint32_t count;
};

static enum mr_status bind_star(struct sql_bind *bind, const struct sql_scope *scope, const struct sql_ast_item *item,
                                struct items *items)
{
    const struct sql_ast_expr *star = item->expr;

    if (scope->row == NULL)
        return sql_bind_fail(bind, MR_INVALID, star->loc, "* wants a FROM");
    if (star->text.data != NULL && !mr_str_equal(star->text, scope->alias))
        return sql_bind_fail(bind, MR_INVALID, star->loc, "no table \"%.*s\" in this FROM; it is \"%.*s\"",
                             MR_STR_ARG(star->text), MR_STR_ARG(scope->alias));
    for (uint32_t i = 0; i < scope->row->field_count; i++) {
        struct sql_expr *expr = sql_bind_node(bind, scope->row->fields[i].type, sql_kernel_column,
                                              scope->row->fields[i].name.data, item->loc, NULL, 0);
        expr->column = i;
        scope->wanted[i] = true;
        items->fields[items->count] = (struct data_field){ scope->row->fields[i].name, expr->type };
        items->exprs[items->count++] = expr;
    }
    return MR_OK;
}

static enum mr_status bind_items(struct sql_bind *bind, const struct sql_scope *scope,
                                 const struct sql_ast_query *query, struct items *items)
{
    uint32_t per_star = scope->row == NULL ? 1 : scope->row->field_count + 1;
    uint32_t capacity = 0;

    for (const struct sql_ast_item *item = query->items.first; item != NULL; item = item->next)
        capacity += item->expr->kind == SQL_AST_STAR ? per_star : 1;
    if (capacity > 2 * DATA_FIELDS_MAX)
        return sql_bind_fail(bind, MR_LIMIT, query->loc, "a SELECT has at most %d columns", DATA_FIELDS_MAX);
    items->exprs = MR_ARENA_ARRAY(bind->arena, struct sql_expr *, capacity + 1);
    items->fields = MR_ARENA_ARRAY(bind->arena, struct data_field, capacity + 1);
    for (const struct sql_ast_item *item = query->items.first; item != NULL; item = item->next) {
        struct sql_expr *expr = NULL;
        struct mr_str name = item->alias;
        enum mr_status status;
        if (item->expr->kind == SQL_AST_STAR) {
            status = bind_star(bind, scope, item, items);
            if (status != MR_OK)
                return status;
            continue;
        }
        status = sql_bind_expr(bind, scope, item->expr, &expr);
        if (status != MR_OK)
            return status;
        if (name.data == NULL && (item->expr->kind == SQL_AST_NAME || item->expr->kind == SQL_AST_FIELD))
            name = item->expr->text;
        if (name.data == NULL)
            name = mr_str_of(mr_arena_printf(bind->arena, "EXPR$%u", items->count));
        items->fields[items->count] = (struct data_field){ name, expr->type };
        items->exprs[items->count++] = expr;
    }
    if (items->count > DATA_FIELDS_MAX)
        return sql_bind_fail(bind, MR_LIMIT, query->loc, "a SELECT has at most %d columns", DATA_FIELDS_MAX);
    return MR_OK;
}

static enum mr_status bind_select(struct sql_bind *bind, struct draft *draft, const struct sql_ast_query *query,
                                  struct sql_output *output, struct items *items)
{
    struct sql_scope scope = { 0 };
    enum mr_status status = bind_from(bind, draft, query, &output->source, &scope);

    if (status == MR_OK && query->where != NULL)
        status = sql_bind_expr(bind, &scope, query->where, &output->filter);
    if (status == MR_OK && query->where != NULL)
        status = sql_bind_condition(bind, &output->filter, "WHERE");
    if (status == MR_OK)
        status = bind_items(bind, &scope, query, items);
    output->limit = query->limit;
    return status;
}

/* The result of a SELECT for a person: its own names and types; an untyped NULL is STRING. */
static void output_own(struct sql_bind *bind, struct sql_output *output, struct items *items)
{
    for (uint32_t i = 0; i < items->count; i++) {
        if (items->exprs[i]->type->kind == DATA_NULL)
            items->exprs[i] = sql_bind_cast(bind, items->exprs[i], data_type_scalar(DATA_STRING, true));
        items->fields[i].type = items->exprs[i]->type;
    }
    output->columns = items->exprs;
    output->row = data_type_row(bind->arena, items->fields, items->count, false);
    output->node_count = bind->node_count;
}

/* Which column of the sink each column of the query goes to. */
static enum mr_status bind_targets(struct sql_bind *bind, const struct sql_ast_statement *s,
                                   const struct sql_table *sink, uint32_t count, uint32_t *targets)
{
    uint32_t at = 0;

    if (s->columns.count == 0) {
        if (count != sink->sink_row->field_count)
            return sql_bind_fail(bind, MR_INVALID, s->query->loc, "the query has %u column%s, table %s has %u", count,
                                 count == 1 ? "" : "s", sink->name, sink->sink_row->field_count);
        for (uint32_t i = 0; i < count; i++)
            targets[i] = i;
        return MR_OK;
    }
    if (s->columns.count != count)
        return sql_bind_fail(bind, MR_INVALID, s->columns.first->loc, "the query has %u column%s for the %u named here",
                             count, count == 1 ? "" : "s", s->columns.count);
    for (const struct sql_ast_name *name = s->columns.first; name != NULL; name = name->next, at++) {
        int index = data_type_field(sink->sink_row, name->text);
        if (index < 0)
            return sql_bind_fail(bind, MR_INVALID, name->loc, "no column \"%.*s\" in %s%s", MR_STR_ARG(name->text),
                                 sink->name, sql_bind_field_hint(bind, name->text, sink->sink_row));
        for (uint32_t i = 0; i < at; i++)
            if (targets[i] == (uint32_t)index)
                return sql_bind_fail(bind, MR_INVALID, name->loc, "the column \"%.*s\" stands here twice",
                                     MR_STR_ARG(name->text));
        targets[at] = (uint32_t)index;
    }
    return MR_OK;
}

/* May EXPR stand for TYPE without a CAST?  A column of VALUES may when each of its values may. */
static bool implicit(const struct sql_source *source, const struct sql_expr *expr, const struct data_type *type)
{
    if (sql_bind_implicit(expr, type))
        return true;
    if (source->table != NULL || expr->kernel != sql_kernel_column)
        return false;
    for (uint32_t row = 0; row < source->row_count; row++)
        if (!sql_bind_implicit(source->values[row * source->row->field_count + expr->column], type))
            return false;
    return true;
}

/* A METADATA column that is written must be one that can be. */
static enum mr_status metadata_writable(struct sql_bind *bind, const struct sql_ast_statement *s,
                                        const struct sql_table *sink)
{
    for (uint32_t i = 0; i < sink->row->field_count; i++) {
        const struct connector_metadata *known = sink->connector->metadata;
        if (sink->columns[i].role != SQL_ROLE_METADATA || sink->columns[i].is_virtual)
            continue;
        while (strcmp(known->name, sink->columns[i].metadata) != 0)
            known++;
        if (!known->writable)
            return sql_bind_fail(bind, MR_INVALID, s->name.loc,
                                 "metadata '%s' (column \"%s\" of %s) can't be written: make the column VIRTUAL",
                                 known->name, sink->row->fields[i].name.data, sink->name);
    }
    return MR_OK;
}

/* The query's columns as the sink's: converted where Flink converts by itself, refused elsewhere; the rest is NULL. */
static enum mr_status output_into(struct sql_bind *bind, const struct draft *draft, const struct sql_ast_statement *s,
                                  struct sql_output *output, struct items *items)
{
    const struct data_type *row = output->sink->sink_row;
    struct sql_expr **columns = MR_ARENA_ARRAY(bind->arena, struct sql_expr *, row->field_count);
    uint32_t *targets = MR_ARENA_ARRAY(bind->arena, uint32_t, items->count + row->field_count);
    enum mr_status status = bind_targets(bind, s, output->sink, items->count, targets);

    if (status == MR_OK)
        status = metadata_writable(bind, s, output->sink);
    if (status != MR_OK)
        return status;
    for (uint32_t i = 0; i < items->count; i++) {
        const struct data_field *field = &row->fields[targets[i]];
        struct sql_expr *expr = items->exprs[i];
        if (!implicit(&draft->sources[output->source], expr, field->type))
            return sql_bind_fail(bind, MR_INVALID, expr->loc,
                                 "column %u of the query is %s, column \"%s\" of %s is %s: CAST it (or TRY_CAST)",
                                 i + 1, data_type_text(bind->arena, expr->type), field->name.data, output->sink->name,
                                 data_type_text(bind->arena, field->type));
        columns[targets[i]] = sql_bind_cast(bind, expr, field->type);
    }
    for (uint32_t i = 0; i < row->field_count; i++) {
        if (columns[i] != NULL)
            continue;
        if (!row->fields[i].type->nullable)
            return sql_bind_fail(bind, MR_INVALID, s->columns.first->loc,
                                 "column \"%s\" of %s is NOT NULL, so it must be among these", row->fields[i].name.data,
                                 output->sink->name);
        columns[i] =
            sql_bind_node(bind, row->fields[i].type, sql_kernel_literal, "literal", s->columns.first->loc, NULL, 0);
        columns[i]->is_literal = columns[i]->is_null = true;
    }
    output->columns = columns;
    output->row = row;
    output->node_count = bind->node_count;
    return MR_OK;
}

static enum mr_status bind_insert(struct sql_bind *bind, struct draft *draft, const struct sql_ast_statement *s)
{
    struct sql_output *output = &draft->outputs[draft->output_count++];
    struct items items = { 0 };
    enum mr_status status = table_find(bind, &s->name, &output->sink);

    if (status != MR_OK)
        return status;
    if (output->sink->connector->sink == NULL)
        return sql_bind_fail(bind, MR_INVALID, s->name.loc, "table %s can't be written: connector \"%s\" only reads",
                             output->sink->name, output->sink->connector->name);
    bind->node_count = 0;
    status = bind_select(bind, draft, s->query, output, &items);
    if (status == MR_OK)
        status = output_into(bind, draft, s, output, &items);
    if (status == MR_OK && s->query->limit >= 0)
        return sql_bind_fail(bind, MR_UNSUPPORTED, s->query->limit_loc,
                             "LIMIT in an INSERT is not there in this version");
    draft->sources[output->source].node_count = bind->node_count;
    return status;
}

static void settings_snapshot(struct sql_bind *bind, struct sql_query *query)
{
    size_t count = 0;
    const struct sql_setting *settings = sql_settings(&count);
    struct sql_option *values = MR_ARENA_ARRAY(bind->arena, struct sql_option, count);

    for (size_t i = 0; i < count; i++) {
        const char *value = sql_catalog_value(bind->catalog, (int)i);
        values[i].name = settings[i].name;
        values[i].value = value == NULL ? NULL : mr_arena_str(bind->arena, mr_str_of(value)).data;
        if (strcmp(settings[i].name, "pipeline.name") == 0)
            query->name = values[i].value;
    }
    query->settings = values;
    query->setting_count = (uint32_t)count;
}

enum mr_status sql_bind_query(struct sql_bind *bind, const struct sql_ast_statement *s, struct sql_query **out)
{
    struct sql_query *query = MR_ARENA_NEW(bind->arena, struct sql_query);
    uint32_t count = s->kind == SQL_AST_STATEMENT_SET ? s->inner.count : 1;
    struct draft draft = { 0 };
    enum mr_status status = MR_OK;

    if (count > STATEMENT_SET_MAX)
        return sql_bind_fail(bind, MR_LIMIT, s->loc, "a STATEMENT SET has at most %d statements", STATEMENT_SET_MAX);
    draft.sources = MR_ARENA_ARRAY(bind->arena, struct sql_source, count);
    draft.outputs = MR_ARENA_ARRAY(bind->arena, struct sql_output, count);
    if (s->kind == SQL_AST_SELECT) {
        struct items items = { 0 };
        bind->node_count = 0;
        draft.output_count = 1;
        status = bind_select(bind, &draft, s->query, &draft.outputs[0], &items);
        if (status == MR_OK) {
            output_own(bind, &draft.outputs[0], &items);
            draft.sources[draft.outputs[0].source].node_count = bind->node_count;
        }
    } else if (s->kind == SQL_AST_INSERT) {
        status = bind_insert(bind, &draft, s);
    } else {
        for (const struct sql_ast_statement *insert = s->inner.first; insert != NULL && status == MR_OK;
             insert = insert->next)
            status = bind_insert(bind, &draft, insert);
    }
    if (status != MR_OK)
        return status;
    query->kind = s->kind == SQL_AST_SELECT ? SQL_SELECT : s->kind == SQL_AST_INSERT ? SQL_INSERT : SQL_STATEMENT_SET;
    query->sources = draft.sources;
    query->source_count = draft.source_count;
    query->outputs = draft.outputs;
    query->output_count = draft.output_count;
    query->text =
        mr_arena_str(bind->arena, (struct mr_str){ bind->source_text.data + s->loc.begin, s->loc.end - s->loc.begin })
            .data;
    query->line = s->loc.line;
    query->column = s->loc.column;
    settings_snapshot(bind, query);
    query->plan_text = sql_plan_text(bind->arena, query);
    query->explain_text = sql_explain_text(bind->arena, query);
    *out = query;
    return MR_OK;
}

/* ddl_alter.c -- ALTER TABLE and ALTER KEYSPACE.
 *
 * A column's id is never used again: what a dropped column left in the rows belongs to no column from then on, also
 * when one of its name is added anew.  Cassandra keeps to the type that it had, and so does this. */
#include "tables/ddl_int.h"

#include "base/env.h"

#include <string.h>

struct alter {
    struct ddl *d;
    const struct schema_table *old;
    struct schema_column columns[SCHEMA_COLUMNS_MAX];
    uint32_t column_count;
    uint32_t column_id_next;
    struct schema_dropped *dropped; /* in the change's arena, with room for all columns */
    uint32_t dropped_count;
};

static struct schema_column *find(struct alter *a, struct mr_str name)
{
    for (uint32_t i = 0; i < a->column_count; i++)
        if (mr_str_equal(a->columns[i].name, name))
            return &a->columns[i];
    return NULL;
}

static enum mr_status refuse(struct alter *a)
{
    return ddl_fail(a->d, CQL_ERR_INVALID, MR_INVALID);
}

/* A column of the same name was dropped: the new one reads what it left, in Cassandra, so the types must agree. */
static enum mr_status check_dropped(struct alter *a, struct mr_str name, const struct cql_type *type)
{
    for (uint32_t i = 0; i < a->dropped_count; i++) {
        const struct schema_dropped *dropped = &a->dropped[i];

        if (!mr_str_equal(dropped->name, name))
            continue;
        if (!cql_type_equal(dropped->type, type) || dropped->type->is_frozen != type->is_frozen) {
            struct mr_str was = schema_type_name(dropped->type, a->d->arena);
            struct mr_str is = schema_type_name(type, a->d->arena);

            mr_err_set(
                a->d->err, MR_INVALID,
                "Cannot add a column '%.*s' of type %.*s, incompatible with previously dropped column '%.*s' of type "
                "%.*s",
                MR_STR_ARG(name), MR_STR_ARG(is), MR_STR_ARG(name), MR_STR_ARG(was));
            return refuse(a);
        }
        a->dropped[i] = a->dropped[--a->dropped_count];
        return MR_OK;
    }
    return MR_OK;
}

static enum mr_status add_column(struct alter *a, const struct ast_node *definition)
{
    struct ddl *d = a->d;
    const struct cql_type *type = NULL;
    enum mr_status status = ddl_check_name(d, "Column", definition->name);

    if (status == MR_OK && find(a, definition->name) != NULL) {
        if (d->statement->if_column)
            return MR_OK;
        mr_err_set(d->err, MR_INVALID, "Column with name '%.*s' already exists", MR_STR_ARG(definition->name));
        return refuse(a);
    }
    if (status == MR_OK && definition->is_static) {
        if (a->old->clustering_count == 0)
            mr_err_set(d->err, MR_INVALID,
                       "Static columns are only useful (and thus allowed) if the table has at least "
                       "one clustering column");
        else
            mr_err_set(d->err, MR_UNSUPPORTED, "static columns are not there in this version");
        return refuse(a);
    }
    if (status == MR_OK && (a->column_count == SCHEMA_COLUMNS_MAX || a->column_id_next >= UINT16_MAX)) {
        mr_err_set(d->err, MR_LIMIT, "a table may have at most %d columns, and %d over its life", SCHEMA_COLUMNS_MAX,
                   UINT16_MAX);
        return refuse(a);
    }
    if (status == MR_OK)
        status = ddl_check_type(d, definition, &type);
    if (status == MR_OK)
        status = check_dropped(a, definition->name, type);
    if (status == MR_OK)
        a->columns[a->column_count++] = (struct schema_column){
            .name = definition->name, .type = type, .kind = SCHEMA_REGULAR, .id = a->column_id_next++
        };
    return status;
}

static enum mr_status drop_column(struct alter *a, const struct ast_node *name)
{
    struct ddl *d = a->d;
    struct schema_column *column = find(a, name->name);

    if (column == NULL && d->statement->if_column)
        return MR_OK;
    if (column == NULL)
        mr_err_set(d->err, MR_NOT_FOUND, "Column %.*s was not found in table '%.*s.%.*s'", MR_STR_ARG(name->name),
                   MR_STR_ARG(d->out->keyspace), MR_STR_ARG(d->statement->table));
    else if (column->kind != SCHEMA_REGULAR)
        mr_err_set(d->err, MR_INVALID, "Cannot drop PRIMARY KEY column %.*s", MR_STR_ARG(name->name));
    if (column == NULL || column->kind != SCHEMA_REGULAR)
        return refuse(a);
    a->dropped[a->dropped_count++] = (struct schema_dropped){ column->name, column->type, mr_now_us(d->env) };
    *column = a->columns[--a->column_count];
    return MR_OK;
}

static enum mr_status rename_column(struct alter *a, const struct ast_node *names)
{
    struct ddl *d = a->d;
    struct schema_column *column = find(a, names->name);

    if (column == NULL && d->statement->if_column)
        return MR_OK;
    if (column == NULL)
        mr_err_set(d->err, MR_NOT_FOUND, "Undefined column name %.*s in table %.*s.%.*s", MR_STR_ARG(names->name),
                   MR_STR_ARG(d->out->keyspace), MR_STR_ARG(d->statement->table));
    else if (column->kind == SCHEMA_REGULAR)
        mr_err_set(d->err, MR_INVALID, "Cannot rename non PRIMARY KEY column %.*s", MR_STR_ARG(names->name));
    else if (find(a, names->text) != NULL)
        mr_err_set(d->err, MR_INVALID,
                   "Cannot rename column %.*s to %.*s in table '%.*s.%.*s'; another column with that name already "
                   "exists",
                   MR_STR_ARG(names->name), MR_STR_ARG(names->text), MR_STR_ARG(d->out->keyspace),
                   MR_STR_ARG(d->statement->table));
    else
        column->name = names->text;
    if (column == NULL || !mr_str_equal(column->name, names->text))
        return refuse(a);
    return ddl_check_name(d, "Column", names->text);
}

static enum mr_status change_columns(struct alter *a)
{
    const struct ast_statement *s = a->d->statement;
    enum mr_status status = MR_OK;

    for (const struct ast_node *node = s->columns.head; node != NULL && status == MR_OK; node = node->next) {
        if (s->alter == AST_ALTER_ADD)
            status = add_column(a, node);
        else if (s->alter == AST_ALTER_DROP)
            status = drop_column(a, node);
        else
            status = rename_column(a, node);
    }
    return status;
}

static enum mr_status change_table(struct alter *a)
{
    struct ddl *d = a->d;
    struct mr_writer w = { 0 };
    enum mr_status status;

    memcpy(a->columns, a->old->columns, a->old->column_count * sizeof(*a->columns));
    a->column_count = a->old->column_count;
    a->column_id_next = a->old->column_id_next;
    a->dropped_count = a->old->dropped_count;
    a->dropped = MR_ARENA_ARRAY(d->arena, struct schema_dropped, a->dropped_count + d->statement->columns.count + 1);
    if (a->dropped_count > 0)
        memcpy(a->dropped, a->old->dropped_columns, a->dropped_count * sizeof(*a->dropped));
    status = change_columns(a);
    if (status != MR_OK)
        return status;
    ddl_begin(d, 2, 1);
    d->out->replaces = true;
    d->out->table_new =
        schema_table_changed(a->old, a->columns, a->column_count, a->column_id_next, a->dropped, a->dropped_count);
    status = ddl_set_options(d, d->out->table_new);
    if (status != MR_OK)
        return status;
    schema_table_encode(&w, d->out->table_new);
    if (w.size > SCHEMA_TABLE_BYTES_MAX) {
        mr_writer_deinit(&w);
        mr_err_set(d->err, MR_LIMIT, "the table has too many columns, now and before");
        return ddl_fail(d, CQL_ERR_INVALID, MR_LIMIT);
    }
    ddl_put_meta(d, schema_table_meta_key(d->arena, d->out->keyspace, d->statement->table), &w);
    ddl_put_state(d);
    ddl_add_event(d, "UPDATED", "TABLE", d->out->keyspace, d->statement->table);
    return MR_OK;
}

enum mr_status ddl_alter_table(struct ddl *d)
{
    struct schema_table *table;
    struct alter *a;
    enum mr_status status = ddl_find_table(d, &table);

    if (status != MR_OK)
        return status;
    if (table == NULL) {
        d->out->nothing = d->statement->if_clause;
        if (d->out->nothing)
            return MR_OK;
        mr_err_set(d->err, MR_NOT_FOUND, "Table '%.*s.%.*s' doesn't exist", MR_STR_ARG(d->out->keyspace),
                   MR_STR_ARG(d->statement->table));
        return ddl_fail(d, CQL_ERR_INVALID, MR_NOT_FOUND);
    }
    if (d->statement->unsupported.data != NULL) {
        mr_err_set(d->err, MR_INVALID, "%.*s is no longer supported", MR_STR_ARG(d->statement->unsupported));
        return ddl_fail(d, CQL_ERR_INVALID, MR_INVALID);
    }
    a = MR_ARENA_NEW(d->arena, struct alter);
    a->d = d;
    a->old = table;
    return change_table(a);
}

enum mr_status ddl_alter_keyspace(struct ddl *d)
{
    struct mr_str name = d->statement->keyspace;
    const struct schema_keyspace *keyspace = schema_keyspace_find(d->schema, name);
    struct schema_keyspace changed = { 0 };
    struct mr_writer w = { 0 };
    enum mr_status status = ddl_refuse_system(d, name);

    if (status != MR_OK)
        return status;
    if (keyspace == NULL) {
        d->out->nothing = d->statement->if_clause;
        if (d->out->nothing)
            return MR_OK;
        mr_err_set(d->err, MR_NOT_FOUND, "Keyspace '%.*s' doesn't exist", MR_STR_ARG(name));
        return ddl_fail(d, CQL_ERR_INVALID, MR_NOT_FOUND);
    }
    changed.replication = keyspace->replication;
    changed.durable_writes = keyspace->durable_writes;
    status = ddl_keyspace_properties(d, &changed.replication, &changed.durable_writes);
    if (status != MR_OK)
        return status;
    ddl_begin(d, 2, 1);
    d->out->replication_new = changed.replication;
    d->out->durable_new = changed.durable_writes;
    schema_keyspace_encode(&w, &changed);
    ddl_put_meta(d, schema_keyspace_meta_key(d->arena, name), &w);
    ddl_put_state(d);
    ddl_add_event(d, "UPDATED", "KEYSPACE", name, MR_STR_NULL);
    return MR_OK;
}

/* plan.c -- binding names: keyspace, table, columns; plans of batches; plans as objects. */
#include "tables/plan_int.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum mr_status(plan_fail)(struct plan_build *b, enum mr_status status, const char *format, ...)
{
    char text[MR_ERR_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    *b->code = CQL_ERR_INVALID;
    return mr_err_set(b->err, status, "%s", text);
}

enum mr_status plan_column_of(struct plan_build *b, struct mr_str name, uint32_t *out)
{
    int index = schema_column_find(b->plan->table, name);

    if (index < 0)
        return plan_fail(b, MR_NOT_FOUND, "Undefined column name %.*s in table %.*s.%.*s", MR_STR_ARG(name),
                         MR_STR_ARG(b->plan->table->keyspace), MR_STR_ARG(b->plan->table->name));
    *out = (uint32_t)index;
    return MR_OK;
}

enum mr_status plan_find_table(struct plan_build *b)
{
    const struct ast_statement *s = b->statement;
    struct mr_str name = s->keyspace.data != NULL ? s->keyspace : b->keyspace;
    const struct schema_keyspace *keyspace;
    struct schema_table *table;

    if (name.data == NULL)
        return plan_fail(b, MR_INVALID,
                         "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename");
    keyspace = schema_keyspace_find(b->schema, name);
    if (keyspace == NULL)
        return plan_fail(b, MR_NOT_FOUND, "keyspace %.*s does not exist", MR_STR_ARG(name));
    table = schema_table_find(keyspace, s->table);
    if (table == NULL)
        return plan_fail(b, MR_NOT_FOUND, "table %.*s does not exist", MR_STR_ARG(s->table));
    b->plan->table = schema_table_ref(table);
    return MR_OK;
}

/* The driver computes tokens from these: all partition key parts are markers, or none is told. */
void plan_find_pk_indexes(struct plan_build *b)
{
    struct plan *plan = b->plan;
    uint32_t i, count = plan->table->partition_count;

    for (i = 0; i < count; i++) {
        if (plan->key == NULL || plan->key[i].kind != PLAN_MARKER)
            return;
    }
    plan->pk_indexes = MR_ARENA_ARRAY(plan->arena, uint16_t, count);
    for (i = 0; i < count; i++)
        plan->pk_indexes[i] = (uint16_t)plan->key[i].marker;
    plan->pk_count = count;
}

/* ---- batches ---- */

/* A statement of a batch shares the batch's markers. */
static enum mr_status plan_child(struct plan_build *b, const struct ast_statement *statement, struct plan **out)
{
    struct plan *child = MR_NEW(struct plan);
    struct plan_build build = *b;
    enum mr_status status;

    child->refs = 1;
    child->arena = b->plan->arena;
    child->kind = statement->kind;
    child->binds = b->plan->binds;
    child->bind_count = b->plan->bind_count;
    build.plan = child;
    build.statement = statement;
    status = plan_modification(&build);
    *out = child;
    return status;
}

static enum mr_status plan_batch(struct plan_build *b)
{
    const struct ast_statement *child;
    enum mr_status status = plan_using(b);

    b->plan->children = MR_ARENA_ARRAY(b->plan->arena, struct plan *, b->statement->statement_count + 1);
    for (child = b->statement->statements; child != NULL && status == MR_OK; child = child->next) {
        if (b->plan->timestamp.kind != PLAN_NONE && child->timestamp != NULL)
            return plan_fail(b, MR_INVALID, "Timestamp must be set either on BATCH or individual statements");
        status = plan_child(b, child, &b->plan->children[b->plan->child_count++]);
    }
    return status;
}

/* Markers that nothing gave a type to: none can remain, but an answer must not hold a NULL type. */
static void bind_defaults(struct plan *plan)
{
    uint32_t i;

    for (i = 0; i < plan->bind_count; i++) {
        if (plan->binds[i].type == NULL)
            plan->binds[i] = (struct cql_column){ MR_STR(""), MR_STR(""), MR_STR("?"), cql_type_native(CQL_BLOB) };
    }
}

enum mr_status plan_new(struct plan **out, const struct ast_statement *statement, struct mr_str keyspace,
                        const struct schema *schema, struct mr_arena *arena, int32_t *code, struct mr_err *err)
{
    struct plan *plan = MR_NEW(struct plan);
    struct plan_build b = { plan, statement, schema, keyspace, code, err };
    enum mr_status status = MR_OK;

    plan->refs = 1;
    plan->arena = arena;
    plan->kind = statement->kind;
    plan->statement = statement;
    plan->bind_count = statement->marker_count;
    plan->binds = MR_ARENA_ARRAY(arena, struct cql_column, plan->bind_count + 1);
    switch (statement->kind) {
    case AST_INSERT:
    case AST_UPDATE:
    case AST_DELETE:
        status = plan_modification(&b);
        break;
    case AST_SELECT:
        status = plan_find_table(&b);
        if (status == MR_OK)
            status = plan_select(&b);
        break;
    case AST_BATCH:
        status = plan_batch(&b);
        break;
    case AST_CREATE_KEYSPACE:
    case AST_DROP_KEYSPACE:
    case AST_ALTER_KEYSPACE:
    case AST_ALTER_TABLE:
    case AST_CREATE_TABLE:
    case AST_DROP_TABLE:
    case AST_TRUNCATE:
    case AST_USE:
    case AST_DESCRIBE:
        break;
    }
    if (status != MR_OK) {
        plan_unref(plan);
        return status;
    }
    bind_defaults(plan);
    *out = plan;
    return MR_OK;
}

struct plan *plan_ref(struct plan *plan)
{
    plan->refs++;
    return plan;
}

void plan_unref(struct plan *plan)
{
    uint32_t i;

    if (plan == NULL || --plan->refs > 0)
        return;
    for (i = 0; i < plan->child_count; i++) {
        schema_table_unref(plan->children[i]->table);
        mr_free(plan->children[i]); /* its arena is the batch's */
    }
    schema_table_unref(plan->table);
    mr_arena_free(plan->arena);
    mr_free(plan);
}

bool plan_is_stale(const struct plan *plan)
{
    uint32_t i;

    for (i = 0; i < plan->child_count; i++) {
        if (plan->children[i]->table->dropped)
            return true;
    }
    return plan->table != NULL && plan->table->dropped;
}

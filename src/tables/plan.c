/* plan.c -- binding names: keyspace, table, columns, markers; plans of writes and batches. */
#include "tables/literal_int.h"
#include "tables/plan_int.h"
#include "tables/system_int.h"

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

enum mr_status plan_source_of(struct plan_build *b, const struct ast_term *term, const struct cql_type *type,
                              struct mr_str name, struct plan_source *out)
{
    enum mr_status status;

    if (term->kind == AST_MARKER) {
        struct cql_column *bind = &b->plan->binds[term->marker];

        assert(term->marker < b->plan->bind_count);
        bind->name = term->marker_name.data != NULL ? term->marker_name : name;
        bind->type = type;
        if (b->plan->table != NULL) {
            bind->keyspace = b->plan->table->keyspace;
            bind->table = b->plan->table->name;
        }
        *out = (struct plan_source){ .kind = PLAN_MARKER, .marker = term->marker };
        return MR_OK;
    }
    out->kind = PLAN_CONST;
    status = literal_encode(term, type, name, b->plan->arena, &out->value, b->err);
    if (status != MR_OK)
        *b->code = CQL_ERR_INVALID;
    return status;
}

static enum mr_status find_table(struct plan_build *b)
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
        if (plan->key[i].kind != PLAN_MARKER)
            return;
    }
    plan->pk_indexes = MR_ARENA_ARRAY(plan->arena, uint16_t, count);
    for (i = 0; i < count; i++)
        plan->pk_indexes[i] = (uint16_t)plan->key[i].marker;
    plan->pk_count = count;
}

/* ---- writes ---- */

static enum mr_status plan_using(struct plan_build *b)
{
    enum mr_status status = MR_OK;

    if (b->statement->timestamp != NULL)
        status = plan_source_of(b, b->statement->timestamp, cql_type_native(CQL_BIGINT), MR_STR("[timestamp]"),
                                &b->plan->timestamp);
    if (status == MR_OK && b->statement->ttl != NULL)
        status = plan_source_of(b, b->statement->ttl, cql_type_native(CQL_INT), MR_STR("[ttl]"), &b->plan->ttl);
    return status;
}

/* Puts a key part's source where it belongs; a second one for the same column is refused. */
static enum mr_status set_key(struct plan_build *b, uint32_t index, const struct ast_term *term)
{
    const struct schema_column *column = &b->plan->table->columns[index];

    if (b->plan->key[index].kind != PLAN_NONE)
        return plan_fail(b, MR_INVALID, "%.*s cannot be restricted by more than one relation if it includes an Equal",
                         MR_STR_ARG(column->name));
    return plan_source_of(b, term, column->type, column->name, &b->plan->key[index]);
}

static enum mr_status check_whole_key(struct plan_build *b, bool with_clustering)
{
    const struct schema_table *table = b->plan->table;
    uint32_t i, missing = 0, last = table->partition_count + (with_clustering ? table->clustering_count : 0);
    struct mr_writer names = { 0 };
    bool is_partition = false;
    enum mr_status status = MR_OK;

    for (i = 0; i < last; i++) {
        if (b->plan->key[i].kind != PLAN_NONE)
            continue;
        if (i >= table->partition_count && is_partition)
            break;
        is_partition = i < table->partition_count;
        mr_write_text(&names, "%s%.*s", missing++ ? ", " : "", MR_STR_ARG(table->columns[i].name));
    }
    if (missing > 0)
        status = plan_fail(b, MR_INVALID, "Some %s are missing: %.*s",
                           is_partition ? "partition key parts" : "clustering keys", (int)names.size,
                           (const char *)names.data);
    mr_writer_deinit(&names);
    b->plan->key_clustering_count = table->clustering_count;
    return status;
}

static enum mr_status plan_insert(struct plan_build *b)
{
    const struct ast_statement *s = b->statement;
    const struct ast_node *name, *value = s->values.head;
    uint8_t *seen = mr_arena_calloc(b->plan->arena, b->plan->table->column_count, 1);
    enum mr_status status = MR_OK;

    if (s->columns.count != s->values.count)
        return plan_fail(b, MR_INVALID, "Unmatched column names/values");
    b->plan->assignments = MR_ARENA_ARRAY(b->plan->arena, struct plan_assignment, s->columns.count);
    for (name = s->columns.head; name != NULL && status == MR_OK; name = name->next, value = value->next) {
        uint32_t index;

        status = plan_column_of(b, name->name, &index);
        if (status != MR_OK)
            break;
        if (seen[index]++)
            return plan_fail(b, MR_INVALID, "The column names contains duplicates");
        if (b->plan->table->columns[index].kind != SCHEMA_REGULAR) {
            status = set_key(b, index, value->term);
        } else {
            struct plan_assignment *assignment = &b->plan->assignments[b->plan->assignment_count++];

            assignment->column = index;
            status =
                plan_source_of(b, value->term, b->plan->table->columns[index].type, name->name, &assignment->source);
        }
    }
    return status == MR_OK ? check_whole_key(b, true) : status;
}

static enum mr_status plan_where_key(struct plan_build *b)
{
    const struct ast_node *condition;
    enum mr_status status = MR_OK;

    for (condition = b->statement->where.head; condition != NULL && status == MR_OK; condition = condition->next) {
        uint32_t index;

        if (condition->kind == AST_NODE_TOKEN)
            return plan_fail(b, MR_INVALID, "The token function cannot be used in WHERE clauses for %s statements",
                             b->statement->kind == AST_UPDATE ? "UPDATE" : "DELETE");
        status = plan_column_of(b, condition->name, &index);
        if (status != MR_OK)
            break;
        if (b->plan->table->columns[index].kind == SCHEMA_REGULAR)
            return plan_fail(b, MR_INVALID, "Non PRIMARY KEY columns found in where clause: %.*s",
                             MR_STR_ARG(condition->name));
        if (condition->op != AST_EQ)
            return plan_fail(b, MR_UNSUPPORTED, "only = is there for %.*s in UPDATE and DELETE in this version",
                             MR_STR_ARG(condition->name));
        status = set_key(b, index, condition->term);
    }
    return status;
}

static enum mr_status plan_update(struct plan_build *b)
{
    const struct ast_node *node;
    enum mr_status status = MR_OK;

    b->plan->assignments = MR_ARENA_ARRAY(b->plan->arena, struct plan_assignment, b->statement->values.count);
    for (node = b->statement->values.head; node != NULL && status == MR_OK; node = node->next) {
        struct plan_assignment *assignment = &b->plan->assignments[b->plan->assignment_count++];

        status = plan_column_of(b, node->name, &assignment->column);
        if (status == MR_OK && b->plan->table->columns[assignment->column].kind != SCHEMA_REGULAR)
            return plan_fail(b, MR_INVALID, "PRIMARY KEY part %.*s found in SET part", MR_STR_ARG(node->name));
        for (uint32_t i = 0; status == MR_OK && i + 1 < b->plan->assignment_count; i++) {
            if (b->plan->assignments[i].column == assignment->column)
                return plan_fail(b, MR_INVALID, "Multiple incompatible setting of column %.*s", MR_STR_ARG(node->name));
        }
        if (status == MR_OK)
            status = plan_source_of(b, node->term, b->plan->table->columns[assignment->column].type, node->name,
                                    &assignment->source);
    }
    if (status == MR_OK)
        status = plan_where_key(b);
    return status == MR_OK ? check_whole_key(b, true) : status;
}

static enum mr_status plan_delete(struct plan_build *b)
{
    const struct ast_node *node;
    uint32_t i, given = 0;
    enum mr_status status = MR_OK;
    uint8_t *seen = mr_arena_calloc(b->plan->arena, b->plan->table->column_count, 1);

    b->plan->assignments = MR_ARENA_ARRAY(b->plan->arena, struct plan_assignment, b->statement->columns.count);
    for (node = b->statement->columns.head; node != NULL && status == MR_OK; node = node->next) {
        uint32_t index;

        status = plan_column_of(b, node->name, &index);
        if (status == MR_OK && b->plan->table->columns[index].kind != SCHEMA_REGULAR)
            return plan_fail(b, MR_INVALID, "Invalid identifier %.*s for deletion (should not be a PRIMARY KEY part)",
                             MR_STR_ARG(node->name));
        if (status == MR_OK && !seen[index]++)
            b->plan->assignments[b->plan->assignment_count++].column = index;
    }
    if (status == MR_OK)
        status = plan_where_key(b);
    if (status != MR_OK)
        return status;
    for (i = 0; i < b->plan->table->clustering_count; i++)
        given += b->plan->key[b->plan->table->partition_count + i].kind != PLAN_NONE;
    if (given == 0 && b->plan->assignment_count == 0) {
        status = check_whole_key(b, false);
        b->plan->key_clustering_count = 0;
        return status;
    }
    return check_whole_key(b, true);
}

static enum mr_status plan_modification(struct plan_build *b)
{
    const struct ast_statement *s = b->statement;
    enum mr_status status;

    if (s->unsupported.data != NULL)
        return plan_fail(b, MR_UNSUPPORTED, "%.*s is not there in this version", MR_STR_ARG(s->unsupported));
    if (s->is_conditional)
        return plan_fail(b, MR_UNSUPPORTED, "conditional updates (IF ...) are not there in this version");
    status = find_table(b);
    if (status != MR_OK)
        return status;
    if (b->plan->table->system != NULL) {
        *b->code = CQL_ERR_UNAUTHORIZED;
        return mr_err_set(b->err, MR_DENIED, "%.*s keyspace is not user-modifiable.",
                          MR_STR_ARG(b->plan->table->keyspace));
    }
    b->plan->key = MR_ARENA_ARRAY(b->plan->arena, struct plan_source,
                                  b->plan->table->partition_count + b->plan->table->clustering_count);
    status = plan_using(b);
    if (status == MR_OK && s->kind == AST_INSERT)
        status = plan_insert(b);
    else if (status == MR_OK && s->kind == AST_UPDATE)
        status = plan_update(b);
    else if (status == MR_OK)
        status = plan_delete(b);
    if (status == MR_OK)
        plan_find_pk_indexes(b);
    return status;
}

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
        status = find_table(&b);
        if (status == MR_OK)
            status = plan_select(&b);
        break;
    case AST_BATCH:
        status = plan_batch(&b);
        break;
    case AST_CREATE_KEYSPACE:
    case AST_DROP_KEYSPACE:
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

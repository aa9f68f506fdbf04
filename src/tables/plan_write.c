/* plan_write.c -- plans of INSERT, UPDATE and DELETE. */
#include "tables/literal_int.h"
#include "tables/plan_int.h"

#include <string.h>

enum mr_status plan_using(struct plan_build *b)
{
    enum mr_status status = MR_OK;

    if (b->statement->timestamp != NULL)
        status = plan_source_of(b, b->statement->timestamp, cql_type_native(CQL_BIGINT), MR_STR("[timestamp]"),
                                &b->plan->timestamp);
    if (status == MR_OK && b->statement->ttl != NULL)
        status = plan_source_of(b, b->statement->ttl, cql_type_native(CQL_INT), MR_STR("[ttl]"), &b->plan->ttl);
    return status;
}

static enum mr_status missing_key(struct plan_build *b)
{
    const struct schema_table *table = b->plan->table;
    uint32_t i, missing = 0, keys = table->partition_count + table->clustering_count;
    struct mr_writer names = { 0 };
    bool is_partition = false;
    enum mr_status status = MR_OK;

    for (i = 0; i < keys; i++) {
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
    return status;
}

static enum mr_status plan_insert(struct plan_build *b)
{
    const struct ast_statement *s = b->statement;
    const struct schema_table *table = b->plan->table;
    const struct ast_node *name, *value = s->values.head;
    uint8_t *seen = mr_arena_calloc(b->plan->arena, table->column_count, 1);
    enum mr_status status = MR_OK;

    if (s->columns.count != s->values.count)
        return plan_fail(b, MR_INVALID, "Unmatched column names/values");
    b->plan->access = PLAN_ROW;
    b->plan->key = MR_ARENA_ARRAY(b->plan->arena, struct plan_source, table->partition_count + table->clustering_count);
    b->plan->assignments = MR_ARENA_ARRAY(b->plan->arena, struct plan_assignment, s->columns.count);
    for (name = s->columns.head; name != NULL && status == MR_OK; name = name->next, value = value->next) {
        struct plan_source *source;
        uint32_t index;

        status = plan_column_of(b, name->name, &index);
        if (status != MR_OK)
            break;
        if (seen[index]++)
            return plan_fail(b, MR_INVALID, "The column names contains duplicates");
        if (table->columns[index].kind != SCHEMA_REGULAR) {
            source = &b->plan->key[index];
        } else {
            b->plan->assignments[b->plan->assignment_count].column = index;
            source = &b->plan->assignments[b->plan->assignment_count++].source;
        }
        status = plan_source_of(b, value->term, table->columns[index].type, name->name, source);
    }
    return status == MR_OK ? missing_key(b) : status;
}

/* ---- UPDATE ---- */

/* "s = s + {1}", as the message shows it. */
static struct mr_str change_text(struct plan_build *b, const struct ast_node *node)
{
    struct mr_writer w = { 0 };
    struct mr_str text;

    mr_write_text(&w, "%.*s", MR_STR_ARG(node->name));
    if (node->assign == AST_ASSIGN_AT) {
        mr_write_u8(&w, '[');
        literal_write(&w, node->index);
        mr_write_str(&w, MR_STR("] = "));
    } else {
        mr_write_str(&w, MR_STR(" = "));
    }
    if (node->assign == AST_ASSIGN_ADD || node->assign == AST_ASSIGN_LESS)
        mr_write_text(&w, "%.*s %c ", MR_STR_ARG(node->name), node->assign == AST_ASSIGN_ADD ? '+' : '-');
    literal_write(&w, node->term);
    if (node->assign == AST_ASSIGN_FIRST)
        mr_write_text(&w, " - %.*s", MR_STR_ARG(node->name));
    text = mr_arena_str(b->plan->arena, (struct mr_str){ (const char *)w.data, w.size > 200 ? 200 : w.size });
    mr_writer_deinit(&w);
    return text;
}

/* May NODE be done to a column of TYPE? */
static enum mr_status check_change(struct plan_build *b, const struct ast_node *node, const struct cql_type *type)
{
    struct mr_str text = change_text(b, node);
    const char *what = NULL;

    if (node->assign == AST_ASSIGN)
        return MR_OK;
    if (type->code != CQL_LIST && type->code != CQL_SET && type->code != CQL_MAP)
        what = node->assign == AST_ASSIGN_AT || node->assign == AST_ASSIGN_FIRST ? "non collection" : "non counter";
    else if (type->is_frozen)
        what = "frozen collection";
    else if (node->assign == AST_ASSIGN_FIRST && type->code != CQL_LIST)
        what = "non list";
    else if (node->assign == AST_ASSIGN_AT && type->code == CQL_SET)
        what = "set";
    return what == NULL ? MR_OK
                        : plan_fail(b, MR_INVALID, "Invalid operation (%.*s) for %s column %.*s", MR_STR_ARG(text),
                                    what, MR_STR_ARG(node->name));
}

/* The type that a change takes: a map loses keys. */
static const struct cql_type *change_type(struct plan_build *b, const struct ast_node *node,
                                          const struct cql_type *type)
{
    struct cql_type *keys;

    if (node->assign == AST_ASSIGN_AT)
        return type->items[type->code == CQL_MAP ? 1 : 0];
    if (node->assign != AST_ASSIGN_LESS || type->code != CQL_MAP)
        return type;
    keys = MR_ARENA_NEW(b->plan->arena, struct cql_type);
    *keys = (struct cql_type){ .code = CQL_SET, .item_count = 1, .items = type->items };
    return keys;
}

static enum mr_status plan_element(struct plan_build *b, const struct ast_term *index, const struct cql_type *type,
                                   struct mr_str name, struct plan_assignment *out)
{
    struct mr_str text = mr_str_of(
        mr_arena_printf(b->plan->arena, type->code == CQL_LIST ? "idx(%.*s)" : "key(%.*s)", MR_STR_ARG(name)));

    out->is_element = true;
    return plan_source_of(b, index, type->code == CQL_LIST ? cql_type_native(CQL_INT) : type->items[0], text,
                          &out->index);
}

static enum mr_status plan_assignment(struct plan_build *b, const struct ast_node *node, struct plan_assignment *out)
{
    const struct cql_type *type;
    enum mr_status status = plan_column_of(b, node->name, &out->column);
    uint32_t i;

    if (status != MR_OK)
        return status;
    type = b->plan->table->columns[out->column].type;
    out->assign = node->assign;
    if (b->plan->table->columns[out->column].kind != SCHEMA_REGULAR)
        return plan_fail(b, MR_INVALID, "PRIMARY KEY part %.*s found in SET part", MR_STR_ARG(node->name));
    for (i = 0; &b->plan->assignments[i] < out; i++) {
        const struct plan_assignment *other = &b->plan->assignments[i];

        if (other->column == out->column &&
            !(other->assign == AST_ASSIGN_AT && out->assign == AST_ASSIGN_AT && type->code == CQL_MAP)) {
            status = plan_fail(b, MR_INVALID, "Multiple incompatible setting of column %.*s", MR_STR_ARG(node->name));
            *b->code = CQL_ERR_SYNTAX;
            return status;
        }
    }
    status = check_change(b, node, type);
    if (status == MR_OK && node->assign == AST_ASSIGN_AT)
        status = plan_element(b, node->index, type, node->name, out);
    return status == MR_OK ? plan_source_of(b, node->term, change_type(b, node, type), node->name, &out->source)
                           : status;
}

static enum mr_status plan_update(struct plan_build *b)
{
    const struct ast_node *node;
    enum mr_status status = MR_OK;

    b->plan->assignments = MR_ARENA_ARRAY(b->plan->arena, struct plan_assignment, b->statement->values.count);
    for (node = b->statement->values.head; node != NULL && status == MR_OK; node = node->next)
        status = plan_assignment(b, node, &b->plan->assignments[b->plan->assignment_count++]);
    return status == MR_OK ? plan_where(b) : status;
}

/* ---- DELETE ---- */

static enum mr_status plan_deletion(struct plan_build *b, const struct ast_node *node, struct plan_assignment *out)
{
    enum mr_status status = plan_column_of(b, node->name, &out->column);
    const struct schema_column *column;

    if (status != MR_OK)
        return status;
    column = &b->plan->table->columns[out->column];
    if (column->kind != SCHEMA_REGULAR)
        return plan_fail(b, MR_INVALID, "Invalid identifier %.*s for deletion (should not be a PRIMARY KEY part)",
                         MR_STR_ARG(node->name));
    if (node->kind != AST_NODE_INDEX)
        return MR_OK;
    if (column->type->code != CQL_LIST && column->type->code != CQL_SET && column->type->code != CQL_MAP)
        return plan_fail(b, MR_INVALID, "Invalid deletion operation for non collection column %.*s",
                         MR_STR_ARG(node->name));
    if (column->type->is_frozen)
        return plan_fail(b, MR_INVALID, "Invalid deletion operation for frozen collection column %.*s",
                         MR_STR_ARG(node->name));
    return plan_element(b, node->index, column->type, node->name, out);
}

static enum mr_status plan_delete(struct plan_build *b)
{
    const struct ast_node *node;
    enum mr_status status = MR_OK;
    uint32_t i;

    b->plan->assignments = MR_ARENA_ARRAY(b->plan->arena, struct plan_assignment, b->statement->columns.count);
    for (node = b->statement->columns.head; node != NULL && status == MR_OK; node = node->next) {
        struct plan_assignment *out = &b->plan->assignments[b->plan->assignment_count];

        *out = (struct plan_assignment){ 0 };
        status = plan_deletion(b, node, out);
        for (i = 0; i < b->plan->assignment_count; i++) {
            if (b->plan->assignments[i].column == out->column && !out->is_element)
                break; /* said twice */
        }
        b->plan->assignment_count += i == b->plan->assignment_count;
    }
    return status == MR_OK ? plan_where(b) : status;
}

enum mr_status plan_modification(struct plan_build *b)
{
    const struct ast_statement *s = b->statement;
    enum mr_status status;

    if (s->unsupported.data != NULL)
        return plan_fail(b, MR_UNSUPPORTED, "%.*s is not there in this version", MR_STR_ARG(s->unsupported));
    if (s->is_conditional)
        return plan_fail(b, MR_UNSUPPORTED, "conditional updates (IF ...) are not there in this version");
    status = plan_find_table(b);
    if (status != MR_OK)
        return status;
    if (b->plan->table->system != NULL) {
        *b->code = CQL_ERR_UNAUTHORIZED;
        return mr_err_set(b->err, MR_DENIED, "%.*s keyspace is not user-modifiable.",
                          MR_STR_ARG(b->plan->table->keyspace));
    }
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

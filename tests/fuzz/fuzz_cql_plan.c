/* A statement planned against a table of every type, its WHERE clause resolved and its cells made: the markers stand
 * for null. */
#include "fuzz.h"

#include "tables/plan_int.h"

#include <string.h>

static const char *const types[] = {
    "int",
    "text",
    "varint",
    "decimal",
    "ascii",
    "bigint",
    "blob",
    "boolean",
    "date",
    "double",
    "duration",
    "float",
    "inet",
    "smallint",
    "time",
    "timestamp",
    "timeuuid",
    "tinyint",
    "uuid",
    "list<int>",
    "set<text>",
    "map<text, frozen<list<int>>>",
    "frozen<set<decimal>>",
    "tuple<int, text, frozen<map<int, varint>>>",
};

/* Columns a, b, c…: ((a, b), c DESC, d), the rest regular. */
static struct schema *schema_new(void)
{
    struct schema *schema = MR_NEW(struct schema);
    struct mr_arena *arena = mr_arena_new();
    struct schema_column columns[MR_COUNT(types)];
    char names[MR_COUNT(types)];
    struct mr_err err = MR_ERR_INIT;

    for (size_t i = 0; i < MR_COUNT(types); i++) {
        names[i] = (char)('a' + i);
        columns[i] = (struct schema_column){ .name = { &names[i], 1 }, .id = (uint32_t)i, .descending = i == 2 };
        columns[i].kind = i < 2 ? SCHEMA_PARTITION : i < 4 ? SCHEMA_CLUSTERING : SCHEMA_REGULAR;
        columns[i].position = i < 4 ? i % 2 : 0;
        if (schema_type_parse(mr_str_of(types[i]), arena, &columns[i].type, &err) != MR_OK)
            return NULL;
    }
    schema_keyspace_add(schema,
                        schema_keyspace_new(MR_STR("k"), (struct mr_bytes){ (const uint8_t *)"\0\0\0\0", 4 }, true));
    schema_table_add(schema, schema->keyspaces[0],
                     schema_table_new(MR_STR("k"), MR_STR("t"), columns, (uint32_t)MR_COUNT(types)));
    schema->keyspaces[0]->tables[0]->store_id = 1;
    mr_arena_free(arena);
    return schema;
}

static void run(const struct plan *plan, struct mr_arena *arena)
{
    struct cql_value *values = mr_arena_alloc(arena, (plan->bind_count + 1) * sizeof(*values));
    struct plan_values v = { .values = values, .count = plan->bind_count, .now_us = 1 };
    struct write_list list = { 0 };
    struct mr_err err = MR_ERR_INIT;
    struct filter *filter;
    struct store_key key;
    struct keys keys;
    bool needs_row = false;

    for (uint32_t i = 0; i < plan->bind_count; i++)
        values[i] = CQL_VALUE_NULL;
    for (uint32_t i = 0; i < plan->assignment_count; i++)
        needs_row = needs_row || write_needs_row(plan, &plan->assignments[i]);
    if (plan->kind == AST_SELECT && filter_new(&filter, plan, &v, arena, &err) != MR_OK)
        return;
    if (plan->kind == AST_SELECT && plan->access == PLAN_ROW && plan_key(plan, &v, arena, &key, &err) != MR_OK)
        return;
    if (plan->kind == AST_SELECT && plan->access == PLAN_KEYS && keys_resolve(plan, &v, arena, &keys, &err) != MR_OK)
        return;
    if (plan->kind != AST_SELECT && !needs_row && write_plan(plan, &v, NULL, arena, &list, &err) != MR_OK)
        return;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct schema *schema;
    struct mr_arena *arena = mr_arena_new(), *plan_arena = mr_arena_new();
    struct ast_statement *statement;
    struct mr_err err = MR_ERR_INIT;
    struct plan *plan;
    int32_t code;

    if (schema == NULL)
        schema = schema_new();
    if (size > 65536 ||
        tables_parse(&statement, (struct mr_str){ (const char *)data, size }, plan_arena, &err) != MR_OK) {
        mr_arena_free(plan_arena);
    } else if (plan_new(&plan, statement, MR_STR("k"), schema, plan_arena, &code, &err) == MR_OK) {
        if (plan->kind == AST_SELECT || plan->kind == AST_INSERT || plan->kind == AST_UPDATE ||
            plan->kind == AST_DELETE)
            run(plan, arena);
        plan_unref(plan);
    }
    mr_arena_free(arena);
    return 0;
}

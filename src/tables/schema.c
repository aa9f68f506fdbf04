/* schema.c -- keyspaces and tables in memory: sorted arrays, found by name. */
#include "tables/schema_int.h"

#include <stdlib.h>
#include <string.h>

static int compare_names(struct mr_str a, struct mr_str b)
{
    return mr_bytes_compare(mr_bytes_of_str(a), mr_bytes_of_str(b));
}

struct schema_keyspace *schema_keyspace_find(const struct schema *schema, struct mr_str name)
{
    uint32_t i;

    for (i = 0; i < schema->keyspace_count; i++) {
        if (mr_str_equal(schema->keyspaces[i]->name, name))
            return schema->keyspaces[i];
    }
    return NULL;
}

struct schema_table *schema_table_find(const struct schema_keyspace *keyspace, struct mr_str name)
{
    uint32_t low = 0, high = keyspace->table_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = compare_names(keyspace->tables[middle]->name, name);

        if (order == 0)
            return keyspace->tables[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct schema_table *schema_table_ref(struct schema_table *table)
{
    table->refs++;
    return table;
}

void schema_table_unref(struct schema_table *table)
{
    if (table == NULL || --table->refs > 0)
        return;
    mr_arena_free(table->arena);
    mr_free(table);
}

int schema_column_find(const struct schema_table *table, struct mr_str name)
{
    uint32_t i;

    for (i = 0; i < table->column_count; i++) {
        if (mr_str_equal(table->columns[i].name, name))
            return (int)i;
    }
    return -1;
}

static int compare_columns(const void *a, const void *b)
{
    const struct schema_column *x = a, *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->kind != SCHEMA_REGULAR)
        return x->position < y->position ? -1 : x->position > y->position;
    return compare_names(x->name, y->name);
}

struct schema_table *schema_table_new(struct mr_str keyspace, struct mr_str name, const struct schema_column *columns,
                                      uint32_t column_count)
{
    struct schema_table *table = MR_NEW(struct schema_table);
    struct schema_column *copy;
    uint32_t *by_id, i;

    assert(column_count > 0);
    table->refs = 1;
    table->arena = mr_arena_new();
    table->keyspace = mr_arena_str(table->arena, keyspace);
    table->name = mr_arena_str(table->arena, name);
    copy = MR_ARENA_ARRAY(table->arena, struct schema_column, column_count);
    for (i = 0; i < column_count; i++) {
        copy[i] = columns[i];
        copy[i].name = mr_arena_str(table->arena, columns[i].name);
        copy[i].type = schema_type_copy(columns[i].type, table->arena);
        table->partition_count += columns[i].kind == SCHEMA_PARTITION;
        table->clustering_count += columns[i].kind == SCHEMA_CLUSTERING;
        if (columns[i].id >= table->id_count)
            table->id_count = columns[i].id + 1;
    }
    table->column_id_next = table->id_count;
    qsort(copy, column_count, sizeof(*copy), compare_columns);
    table->columns = copy;
    table->column_count = column_count;
    by_id = mr_arena_alloc(table->arena, table->id_count * sizeof(*by_id));
    memset(by_id, 0xff, table->id_count * sizeof(*by_id));
    for (i = 0; i < column_count; i++)
        by_id[copy[i].id] = i;
    table->column_by_id = by_id;
    return table;
}

struct schema_table *schema_table_changed(const struct schema_table *old, const struct schema_column *columns,
                                          uint32_t column_count, uint32_t column_id_next,
                                          const struct schema_dropped *dropped, uint32_t dropped_count)
{
    struct schema_table *table = schema_table_new(old->keyspace, old->name, columns, column_count);
    struct schema_dropped *copy = MR_ARENA_ARRAY(table->arena, struct schema_dropped, dropped_count + 1);
    uint32_t i;

    memcpy(table->id, old->id, sizeof(table->id));
    table->store_id = old->store_id;
    table->column_id_next = column_id_next;
    table->default_ttl_s = old->default_ttl_s;
    for (i = 0; i < dropped_count; i++)
        copy[i] = (struct schema_dropped){ mr_arena_str(table->arena, dropped[i].name),
                                           schema_type_copy(dropped[i].type, table->arena), dropped[i].dropped_us };
    table->dropped_columns = copy;
    table->dropped_count = dropped_count;
    for (i = 0; i < SCHEMA_OPTIONS; i++) {
        if (old->options[i].data != NULL)
            table->options[i] = mr_arena_bytes(table->arena, old->options[i]);
    }
    return table;
}

void schema_table_replace(struct schema_keyspace *keyspace, struct schema_table *table)
{
    uint32_t i;

    for (i = 0; !mr_str_equal(keyspace->tables[i]->name, table->name); i++)
        assert(i + 1 < keyspace->table_count);
    keyspace->tables[i]->dropped = true;
    schema_table_unref(keyspace->tables[i]);
    keyspace->tables[i] = table;
}

struct schema_keyspace *schema_keyspace_new(struct mr_str name, struct mr_bytes replication, bool durable_writes)
{
    struct schema_keyspace *keyspace = MR_NEW(struct schema_keyspace);
    uint8_t *copy = mr_alloc(replication.size + 1);

    memcpy(copy, replication.data, replication.size);
    keyspace->name = (struct mr_str){ mr_str_dup(name), name.size };
    keyspace->replication = (struct mr_bytes){ copy, replication.size };
    keyspace->durable_writes = durable_writes;
    return keyspace;
}

void schema_keyspace_change(struct schema_keyspace *keyspace, struct mr_bytes replication, bool durable_writes)
{
    uint8_t *copy = mr_alloc(replication.size + 1);

    memcpy(copy, replication.data, replication.size);
    mr_free((void *)keyspace->replication.data);
    keyspace->replication = (struct mr_bytes){ copy, replication.size };
    keyspace->durable_writes = durable_writes;
}

void schema_keyspace_free(struct schema_keyspace *keyspace)
{
    uint32_t i;

    if (keyspace == NULL)
        return;
    for (i = 0; i < keyspace->table_count; i++) {
        keyspace->tables[i]->dropped = true;
        schema_table_unref(keyspace->tables[i]);
    }
    mr_free(keyspace->tables);
    mr_free((void *)keyspace->replication.data);
    mr_free((void *)keyspace->name.data);
    mr_free(keyspace);
}

void schema_keyspace_add(struct schema *schema, struct schema_keyspace *keyspace)
{
    uint32_t at;

    MR_GROW(schema->keyspaces, schema->keyspace_count, schema->keyspace_capacity);
    for (at = schema->keyspace_count; at > 0; at--) {
        if (compare_names(schema->keyspaces[at - 1]->name, keyspace->name) < 0)
            break;
        schema->keyspaces[at] = schema->keyspaces[at - 1];
    }
    schema->keyspaces[at] = keyspace;
    schema->keyspace_count++;
    schema->table_count += keyspace->is_system ? 0 : keyspace->table_count;
}

void schema_keyspace_remove(struct schema *schema, struct schema_keyspace *keyspace)
{
    uint32_t i;

    for (i = 0; schema->keyspaces[i] != keyspace; i++)
        ;
    schema->keyspace_count--;
    memmove(&schema->keyspaces[i], &schema->keyspaces[i + 1], (schema->keyspace_count - i) * sizeof(keyspace));
    schema->table_count -= keyspace->table_count;
    schema_keyspace_free(keyspace);
}

void schema_table_add(struct schema *schema, struct schema_keyspace *keyspace, struct schema_table *table)
{
    uint32_t at;

    MR_GROW(keyspace->tables, keyspace->table_count, keyspace->table_capacity);
    for (at = keyspace->table_count; at > 0; at--) {
        if (compare_names(keyspace->tables[at - 1]->name, table->name) < 0)
            break;
        keyspace->tables[at] = keyspace->tables[at - 1];
    }
    keyspace->tables[at] = table;
    keyspace->table_count++;
    schema->table_count += !keyspace->is_system;
}

void schema_table_remove(struct schema *schema, struct schema_keyspace *keyspace, struct schema_table *table)
{
    uint32_t i;

    for (i = 0; keyspace->tables[i] != table; i++)
        ;
    keyspace->table_count--;
    memmove(&keyspace->tables[i], &keyspace->tables[i + 1],
            (keyspace->table_count - i) * sizeof(struct schema_table *));
    schema->table_count--;
    table->dropped = true;
    schema_table_unref(table);
}

void schema_free(struct schema *schema)
{
    uint32_t i;

    if (schema == NULL)
        return;
    for (i = 0; i < schema->keyspace_count; i++)
        schema_keyspace_free(schema->keyspaces[i]);
    mr_free(schema->keyspaces);
    mr_free(schema);
}

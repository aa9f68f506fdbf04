/* describe_text.c -- the CREATE statement of a keyspace or a table, as Cassandra 5.0 words it, byte for byte: columns
 * key first, then those of one cell by name, then collections; every option in the order of its own list. */
#include "tables/describe_int.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* The options in the order in which they are told, and what stands for null. */
static const struct {
    const char *name;
    const char *absent;
} told[SCHEMA_OPTIONS] = {
    { "additional_write_policy", "" },
    { "allow_auto_snapshot", "true" },
    { "bloom_filter_fp_chance", "" },
    { "caching", "" },
    { "cdc", "false" },
    { "comment", "" },
    { "compaction", "" },
    { "compression", "" },
    { "memtable", "'default'" },
    { "crc_check_chance", "" },
    { "default_time_to_live", "" },
    { "extensions", "" },
    { "gc_grace_seconds", "" },
    { "incremental_backups", "true" },
    { "max_index_interval", "" },
    { "memtable_flush_period_in_ms", "" },
    { "min_index_interval", "" },
    { "read_repair", "" },
    { "speculative_retry", "" },
};

static void write_quoted(struct mr_writer *w, struct mr_str text)
{
    size_t i;

    mr_write_u8(w, '\'');
    for (i = 0; i < text.size; i++) {
        mr_write_u8(w, (uint8_t)text.data[i]);
        if (text.data[i] == '\'')
            mr_write_u8(w, '\'');
    }
    mr_write_u8(w, '\'');
}

static void write_map(struct mr_writer *w, struct mr_bytes map, const char *class_prefix)
{
    struct mr_reader r = mr_reader_of(map);
    int32_t left = mr_read_i32(&r), i;
    size_t prefix = strlen(class_prefix);

    mr_write_u8(w, '{');
    for (i = 0; i < left && !r.failed; i++) {
        struct mr_str key = cql_read_long_string(&r), value = cql_read_long_string(&r);

        if (prefix > 0 && value.size > prefix && memcmp(value.data, class_prefix, prefix) == 0)
            value = (struct mr_str){ value.data + prefix, value.size - prefix };
        if (i > 0)
            mr_write_str(w, MR_STR(", "));
        write_quoted(w, key);
        mr_write_str(w, MR_STR(": "));
        write_quoted(w, value);
    }
    mr_write_u8(w, '}');
}

static void write_option(struct mr_writer *w, const struct schema_table *table, size_t index)
{
    uint32_t option = (uint32_t)schema_option_find(mr_str_of(told[index].name));
    struct mr_writer value = { 0 };
    struct mr_bytes bytes;
    char number[32];

    mr_write_text(w, "%s = ", told[index].name);
    schema_option_write(&value, table, option);
    bytes = (struct mr_bytes){ value.data + 4, value.size - 4 };
    if (mr_load_i32(value.data) < 0)
        mr_write_str(w, mr_str_of(told[index].absent));
    else if (schema_options[option].type == CQL_VARCHAR)
        write_quoted(w, mr_str_of_bytes(bytes));
    else if (schema_options[option].type == CQL_MAP)
        write_map(w, bytes, "");
    else if (schema_options[option].type == CQL_DOUBLE)
        mr_write_str(w, (struct mr_str){ number, mr_format_f64(number, cql_load_f64(bytes.data)) });
    else
        cql_value_format(w, cql_type_native(schema_options[option].type), CQL_VALUE_OF(bytes.data, bytes.size));
    mr_writer_deinit(&value);
}

static void write_key(struct mr_writer *w, const struct schema_table *table)
{
    uint32_t i, keys = table->partition_count + table->clustering_count;

    mr_write_str(w, table->partition_count > 1 ? MR_STR(",\n    PRIMARY KEY ((") : MR_STR(",\n    PRIMARY KEY ("));
    for (i = 0; i < keys; i++) {
        if (i > 0)
            mr_write_str(w, MR_STR(", "));
        cql_name_write(w, table->columns[i].name);
        if (table->partition_count > 1 && i + 1 == table->partition_count)
            mr_write_u8(w, ')');
    }
    mr_write_u8(w, ')');
}

/* Columns of the same kind that come first: those of one cell, in the table's order. */
static int compare_told(const void *a, const void *b)
{
    const struct schema_column *x = *(const struct schema_column *const *)a,
                               *y = *(const struct schema_column *const *)b;
    bool x_many = cql_type_is_multicell(x->type), y_many = cql_type_is_multicell(y->type);

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->kind > SCHEMA_CLUSTERING && x_many != y_many)
        return x_many ? 1 : -1;
    return x < y ? -1 : x > y;
}

/* With its internals a table shows the columns that it lost and has not got again, which are dropped after it. */
static void write_lost_columns(struct mr_writer *w, const struct schema_table *table)
{
    uint32_t i;

    for (i = 0; i < table->dropped_count; i++) {
        if (schema_column_find(table, table->dropped_columns[i].name) >= 0)
            continue;
        mr_write_str(w, MR_STR(",\n    "));
        cql_name_write(w, table->dropped_columns[i].name);
        mr_write_u8(w, ' ');
        cql_type_write_name(w, table->dropped_columns[i].type);
    }
}

static void write_drops(struct mr_writer *w, const struct schema_table *table)
{
    uint32_t i;

    for (i = 0; i < table->dropped_count; i++) {
        mr_write_str(w, MR_STR("\nALTER TABLE "));
        cql_name_write(w, table->keyspace);
        mr_write_u8(w, '.');
        cql_name_write(w, table->name);
        mr_write_str(w, MR_STR(" DROP "));
        cql_name_write(w, table->dropped_columns[i].name);
        mr_write_text(w, " USING TIMESTAMP %" PRId64 ";", table->dropped_columns[i].dropped_us);
    }
}

static void write_columns(struct mr_writer *w, const struct schema_table *table, bool with_internals)
{
    uint32_t i, keys = table->partition_count + table->clustering_count;
    const struct schema_column **columns = mr_alloc(table->column_count * sizeof(struct schema_column *));

    for (i = 0; i < table->column_count; i++)
        columns[i] = &table->columns[i];
    qsort(columns, table->column_count, sizeof(struct schema_column *), compare_told);
    for (i = 0; i < table->column_count; i++) {
        mr_write_str(w, i == 0 ? MR_STR("\n    ") : MR_STR(",\n    "));
        cql_name_write(w, columns[i]->name);
        mr_write_u8(w, ' ');
        cql_type_write_name(w, columns[i]->type);
        if (columns[i]->kind > SCHEMA_CLUSTERING && columns[i]->kind != SCHEMA_REGULAR)
            mr_write_str(w, MR_STR(" static"));
        if (keys == 1 && i == 0)
            mr_write_str(w, MR_STR(" PRIMARY KEY"));
    }
    mr_free(columns);
    if (with_internals)
        write_lost_columns(w, table);
    if (keys > 1)
        write_key(w, table);
}

/* Ends in " WITH ", or in an AND when there was something to say already. */
static void write_order(struct mr_writer *w, const struct schema_table *table, bool with_internals)
{
    uint32_t i, keys = table->partition_count + table->clustering_count;
    char id[40];

    mr_write_str(w, MR_STR("\n) WITH "));
    if (with_internals) {
        mr_uuid_format(id, table->id);
        mr_write_text(w, "ID = %s\n    AND ", id);
    }
    for (i = table->partition_count; i < keys; i++) {
        mr_write_str(w, i == table->partition_count ? MR_STR("CLUSTERING ORDER BY (") : MR_STR(", "));
        cql_name_write(w, table->columns[i].name);
        mr_write_str(w, table->columns[i].descending ? MR_STR(" DESC") : MR_STR(" ASC"));
        if (i + 1 == keys)
            mr_write_str(w, MR_STR(")\n    AND "));
    }
}

static void write_virtual(struct mr_writer *w, const struct schema_table *table)
{
    struct mr_writer name = { 0 };

    cql_name_write(&name, table->keyspace);
    mr_write_u8(&name, '.');
    cql_name_write(&name, table->name);
    mr_write_text(w,
                  "/*\nWarning: Table %.*s is a virtual table and cannot be recreated with CQL.\n"
                  "Structure, for reference:\nVIRTUAL TABLE %.*s (",
                  (int)name.size, (const char *)name.data, (int)name.size, (const char *)name.data);
    mr_writer_deinit(&name);
    write_columns(w, table, false);
    write_order(w, table, false);
    mr_write_str(w, MR_STR("comment = '';\n*/"));
}

void describe_table_write(struct mr_writer *w, const struct schema_table *table, bool is_virtual, bool with_internals)
{
    uint32_t i;

    if (is_virtual) {
        write_virtual(w, table);
        return;
    }
    mr_write_str(w, MR_STR("CREATE TABLE "));
    cql_name_write(w, table->keyspace);
    mr_write_u8(w, '.');
    cql_name_write(w, table->name);
    mr_write_str(w, MR_STR(" ("));
    write_columns(w, table, with_internals);
    write_order(w, table, with_internals);
    for (i = 0; i < SCHEMA_OPTIONS; i++) {
        if (i > 0)
            mr_write_str(w, MR_STR("\n    AND "));
        write_option(w, table, i);
    }
    mr_write_u8(w, ';');
    if (with_internals)
        write_drops(w, table);
}

void describe_keyspace_write(struct mr_writer *w, const struct schema_keyspace *keyspace)
{
    if (keyspace->is_virtual) {
        mr_write_text(w,
                      "/*\nWarning: Keyspace %.*s is a virtual keyspace and cannot be recreated with CQL.\n"
                      "Structure, for reference:\nVIRTUAL KEYSPACE %.*s;\n*/",
                      MR_STR_ARG(keyspace->name), MR_STR_ARG(keyspace->name));
        return;
    }
    mr_write_str(w, MR_STR("CREATE KEYSPACE "));
    cql_name_write(w, keyspace->name);
    mr_write_str(w, MR_STR(" WITH replication = "));
    if (keyspace->is_system)
        mr_write_str(w, MR_STR("{'class': 'LocalStrategy'}"));
    else
        write_map(w, keyspace->replication, "org.apache.cassandra.locator.");
    mr_write_text(w, "  AND durable_writes = %s;", keyspace->durable_writes ? "true" : "false");
}

/* describe.c -- DESCRIBE of a table or a keyspace, and the lists of them: cqlsh leaves the wording to the server.
 *
 * The text of CREATE TABLE is Cassandra's, byte for byte: columns key first, then by name; every option. */
#include "tables/server_int.h"

#include "base/text.h"

#include <string.h>

struct describe {
    struct mr_writer rows;
    uint32_t row_count;
    bool with_statement;
};

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

/* A name, in double quotes when it would not fold to itself. */
static void write_name(struct mr_writer *w, struct mr_str name)
{
    bool plain = name.size > 0 && name.data[0] >= 'a' && name.data[0] <= 'z';
    size_t i;

    for (i = 0; i < name.size; i++)
        plain &= name.data[i] < 'A' || name.data[i] > 'Z';
    if (plain)
        mr_write_str(w, name);
    else
        mr_write_text(w, "\"%.*s\"", MR_STR_ARG(name));
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

    mr_write_text(w, "%s%s = ", index == 0 ? "" : "\n    AND ", told[index].name);
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
        write_name(w, table->columns[i].name);
        if (table->partition_count > 1 && i + 1 == table->partition_count)
            mr_write_u8(w, ')');
    }
    mr_write_u8(w, ')');
}

static void write_table(struct mr_writer *w, const struct schema_table *table)
{
    uint32_t i, keys = table->partition_count + table->clustering_count;

    mr_write_str(w, MR_STR("CREATE TABLE "));
    write_name(w, table->keyspace);
    mr_write_u8(w, '.');
    write_name(w, table->name);
    mr_write_str(w, MR_STR(" ("));
    for (i = 0; i < table->column_count; i++) {
        mr_write_str(w, i == 0 ? MR_STR("\n    ") : MR_STR(",\n    "));
        write_name(w, table->columns[i].name);
        mr_write_u8(w, ' ');
        cql_type_write_name(w, table->columns[i].type);
        if (keys == 1 && i == 0)
            mr_write_str(w, MR_STR(" PRIMARY KEY"));
    }
    if (keys > 1)
        write_key(w, table);
    mr_write_str(w, MR_STR("\n) WITH "));
    for (i = table->partition_count; i < keys; i++) {
        mr_write_str(w, i == table->partition_count ? MR_STR("CLUSTERING ORDER BY (") : MR_STR(", "));
        write_name(w, table->columns[i].name);
        mr_write_str(w, table->columns[i].descending ? MR_STR(" DESC") : MR_STR(" ASC"));
        if (i + 1 == keys)
            mr_write_str(w, MR_STR(")\n    AND "));
    }
    for (i = 0; i < SCHEMA_OPTIONS; i++)
        write_option(w, table, i);
    mr_write_u8(w, ';');
}

static void write_keyspace(struct mr_writer *w, const struct schema_keyspace *keyspace)
{
    mr_write_str(w, MR_STR("CREATE KEYSPACE "));
    write_name(w, keyspace->name);
    mr_write_str(w, MR_STR(" WITH replication = "));
    write_map(w, keyspace->replication, "org.apache.cassandra.locator.");
    mr_write_text(w, "  AND durable_writes = %s;", keyspace->durable_writes ? "true" : "false");
}

static void add_row(struct describe *d, struct mr_str keyspace, const char *type, struct mr_str name,
                    const struct schema_keyspace *of_keyspace, const struct schema_table *of_table)
{
    size_t position;

    cql_write_long_string(&d->rows, keyspace);
    cql_write_long_string(&d->rows, mr_str_of(type));
    cql_write_long_string(&d->rows, name);
    d->row_count++;
    if (!d->with_statement)
        return;
    position = d->rows.size;
    mr_write_i32(&d->rows, 0);
    assert(of_table != NULL || of_keyspace != NULL);
    if (of_table != NULL)
        write_table(&d->rows, of_table);
    else
        write_keyspace(&d->rows, of_keyspace);
    mr_write_i32_at(&d->rows, position, (int32_t)(d->rows.size - position - 4));
}

static void add_tables(struct describe *d, const struct schema_keyspace *keyspace)
{
    uint32_t i;

    for (i = 0; i < keyspace->table_count; i++)
        add_row(d, keyspace->name, "table", keyspace->tables[i]->name, NULL, keyspace->tables[i]);
}

/* DESCRIBE KEYSPACES and TABLES: names alone. */
static void add_lists(struct describe *d, const struct schema *schema, struct mr_str in_use, bool tables)
{
    uint32_t i;

    for (i = 0; i < schema->keyspace_count; i++) {
        const struct schema_keyspace *keyspace = schema->keyspaces[i];

        if (!tables)
            add_row(d, keyspace->name, "keyspace", keyspace->name, NULL, NULL);
        else if (in_use.data == NULL || mr_str_equal(in_use, keyspace->name))
            add_tables(d, keyspace);
    }
}

static void answer_rows(struct frame *frame, struct describe *d)
{
    static const char *const names[] = { "keyspace_name", "type", "name", "create_statement" };
    struct tables *tables = frame->conn->tables;
    struct cql_column columns[MR_COUNT(names)];
    struct cql_metadata metadata = { .columns = columns, .column_count = d->with_statement ? 4 : 3 };
    size_t position, count_at;
    uint32_t i;

    for (i = 0; i < MR_COUNT(names); i++)
        columns[i] = (struct cql_column){ MR_STR("system"), MR_STR("describe"), mr_str_of(names[i]),
                                          cql_type_native(CQL_VARCHAR) };
    position = answer_begin(tables, frame->header.version, frame->header.stream, CQL_OP_RESULT);
    count_at = cql_result_begin_rows(&tables->answer, &metadata);
    mr_write_bytes(&tables->answer, mr_writer_bytes(&d->rows));
    mr_write_i32_at(&tables->answer, count_at, (int32_t)d->row_count);
    answer_end(frame->conn, position);
}

/* One object by its name: a keyspace, else a table.  False: an error was answered. */
static bool add_named(struct frame *frame, struct describe *d, const struct ast_statement *s)
{
    struct conn *conn = frame->conn;
    bool maybe_keyspace = s->table.data == NULL || s->keyspace.data == NULL;
    struct mr_str keyspace_name = s->keyspace.data != NULL ? s->keyspace : frame->keyspace;
    struct mr_str alone = s->table.data == NULL ? s->keyspace : s->table;
    const struct schema_keyspace *keyspace = schema_keyspace_find(conn->tables->schema, alone);
    const struct schema_table *table;

    if (maybe_keyspace && keyspace != NULL) {
        add_row(d, keyspace->name, "keyspace", keyspace->name, keyspace, NULL);
        add_tables(d, keyspace);
        return true;
    }
    keyspace = keyspace_name.data != NULL ? schema_keyspace_find(conn->tables->schema, keyspace_name) : NULL;
    if (s->table.data == NULL || (keyspace == NULL && keyspace_name.data != NULL)) {
        answer_fail(conn, frame->header.version, frame->header.stream, CQL_ERR_INVALID, "'%.*s' not found in keyspaces",
                    MR_STR_ARG(keyspace_name));
        return false;
    }
    table = keyspace != NULL ? schema_table_find(keyspace, s->table) : NULL;
    if (table == NULL) {
        answer_fail(conn, frame->header.version, frame->header.stream, CQL_ERR_INVALID,
                    keyspace != NULL ? "Table '%.*s' not found in keyspace '%.*s'" : "'%.*s' not found in keyspaces",
                    MR_STR_ARG(s->table), MR_STR_ARG(keyspace_name));
        return false;
    }
    add_row(d, table->keyspace, "table", table->name, NULL, table);
    return true;
}

void run_describe(struct frame *frame, const struct plan *plan)
{
    const struct ast_statement *s = plan->statement;
    struct describe d = { .with_statement = true };
    bool keyspaces = s->keyspace.data == NULL && mr_str_equal(s->table, MR_STR("keyspaces"));
    bool tables = s->keyspace.data == NULL && mr_str_equal(s->table, MR_STR("tables"));

    if (keyspaces || tables) {
        d.with_statement = false;
        add_lists(&d, frame->conn->tables->schema, frame->keyspace, tables);
        answer_rows(frame, &d);
    } else if (add_named(frame, &d, s)) {
        answer_rows(frame, &d);
    }
    mr_writer_deinit(&d.rows);
}

/* system.c -- the tables that drivers and cqlsh read when they connect; their rows are made on each read from the
 * schema in memory.  One table of definitions; a new one is a line there and, if it has rows, a function. */
#include "tables/system_int.h"

#include <arpa/inet.h>
#include <string.h>

static const struct {
    const char *name;
    bool is_virtual;
} system_keyspaces[] = {
    { "system", false },
    { "system_schema", false },
    { "system_auth", false },
    { "system_distributed", false },
    { "system_traces", false },
    { "system_views", true },
    { "system_virtual_schema", true },
};

bool system_keyspace_is(struct mr_str name)
{
    size_t i;

    for (i = 0; i < MR_COUNT(system_keyspaces); i++) {
        if (mr_str_equal(name, mr_str_of(system_keyspaces[i].name)))
            return true;
    }
    return false;
}

/* ---- making rows ---- */

void system_row_begin(struct system_rows *rows)
{
    struct cql_value *row = mr_arena_alloc(rows->arena, rows->table->column_count * sizeof(*row));
    uint32_t i;

    if (rows->count >= rows->capacity) {
        uint32_t capacity = rows->capacity ? rows->capacity * 2 : 16;
        struct cql_value **grown = mr_arena_alloc(rows->arena, capacity * sizeof(*grown));

        if (rows->count > 0)
            memcpy(grown, rows->rows, rows->count * sizeof(*grown));
        rows->rows = grown;
        rows->capacity = capacity;
    }
    for (i = 0; i < rows->table->column_count; i++)
        row[i] = CQL_VALUE_NULL;
    rows->rows[rows->count++] = row;
}

void system_put(struct system_rows *rows, const char *column, const void *data, size_t size)
{
    int index = schema_column_find(rows->table, mr_str_of(column));
    struct mr_bytes copy = mr_arena_bytes(rows->arena, (struct mr_bytes){ data, size });

    assert(index >= 0 && rows->count > 0);
    rows->rows[rows->count - 1][index] = CQL_VALUE_OF(copy.data, size);
}

void system_put_str(struct system_rows *rows, const char *column, struct mr_str s)
{
    system_put(rows, column, s.data, s.size);
}

void system_put_text(struct system_rows *rows, const char *column, const char *text)
{
    system_put(rows, column, text, strlen(text));
}

void system_put_int(struct system_rows *rows, const char *column, int32_t v)
{
    uint8_t bytes[4];

    mr_store_i32(bytes, v);
    system_put(rows, column, bytes, sizeof(bytes));
}

static void system_put_double(struct system_rows *rows, const char *column, double v)
{
    uint8_t bytes[8];

    cql_store_f64(bytes, v);
    system_put(rows, column, bytes, sizeof(bytes));
}

void system_put_bool(struct system_rows *rows, const char *column, bool v)
{
    system_put(rows, column, v ? "\1" : "\0", 1);
}

void system_put_bigint(struct system_rows *rows, const char *column, int64_t v)
{
    uint8_t bytes[8];

    mr_store_i64(bytes, v);
    system_put(rows, column, bytes, sizeof(bytes));
}

/* A set or list with one text. */
static void put_texts(struct system_rows *rows, const char *column, const char *text)
{
    struct mr_writer w = { 0 };

    mr_write_i32(&w, 1);
    cql_write_long_string(&w, mr_str_of(text));
    system_put(rows, column, w.data, w.size);
    mr_writer_deinit(&w);
}

void system_put_inet(struct system_rows *rows, const char *column, const char *host)
{
    struct in6_addr address;

    if (inet_pton(AF_INET, host, &address) == 1)
        system_put(rows, column, &address, 4);
    else if (inet_pton(AF_INET6, host, &address) == 1)
        system_put(rows, column, &address, 16);
}

static void put_option(struct system_rows *rows, const struct schema_table *table, uint32_t option)
{
    struct mr_writer w = { 0 };

    schema_option_write(&w, table, option);
    if (mr_load_i32(w.data) >= 0)
        system_put(rows, schema_options[option].name, w.data + 4, w.size - 4);
    mr_writer_deinit(&w);
}

/* ---- the rows of each table ---- */

static void rows_local(struct system_rows *rows, const struct system_context *context)
{
    system_row_begin(rows);
    system_put_text(rows, "key", "local");
    system_put_text(rows, "bootstrapped", "COMPLETED");
    system_put_inet(rows, "broadcast_address", context->host);
    system_put_int(rows, "broadcast_port", context->port);
    system_put_text(rows, "cluster_name", SYSTEM_CLUSTER);
    system_put_text(rows, "cql_version", SYSTEM_CQL_VERSION);
    system_put_text(rows, "data_center", "datacenter1");
    system_put_int(rows, "gossip_generation", (int32_t)context->schema->generation_s);
    system_put(rows, "host_id", context->schema->host_id, 16);
    system_put_inet(rows, "listen_address", context->host);
    system_put_int(rows, "listen_port", context->port);
    system_put_text(rows, "native_protocol_version", "5");
    system_put_text(rows, "partitioner", "org.apache.cassandra.dht.Murmur3Partitioner");
    system_put_text(rows, "rack", "rack1");
    system_put_text(rows, "release_version", SYSTEM_RELEASE);
    system_put_inet(rows, "rpc_address", context->host);
    system_put_int(rows, "rpc_port", context->port);
    system_put(rows, "schema_version", context->schema->version, 16);
    put_texts(rows, "tokens", SYSTEM_TOKEN);
}

/* The user keyspaces and system ones, or the virtual ones alone. */
static void rows_keyspaces(struct system_rows *rows, const struct system_context *context)
{
    static const char local[] = "\0\0\0\1\0\0\0\5class\0\0\0\51org.apache.cassandra.locator.LocalStrategy";
    uint32_t i;

    for (i = 0; i < context->schema->keyspace_count; i++) {
        const struct schema_keyspace *keyspace = context->schema->keyspaces[i];

        if (keyspace->is_virtual)
            continue;
        system_row_begin(rows);
        system_put_str(rows, "keyspace_name", keyspace->name);
        system_put_bool(rows, "durable_writes", keyspace->durable_writes);
        if (keyspace->is_system)
            system_put(rows, "replication", local, sizeof(local) - 1);
        else
            system_put(rows, "replication", keyspace->replication.data, keyspace->replication.size);
    }
}

static void rows_virtual_keyspaces(struct system_rows *rows, const struct system_context *context)
{
    uint32_t i;

    for (i = 0; i < context->schema->keyspace_count; i++) {
        if (!context->schema->keyspaces[i]->is_virtual)
            continue;
        system_row_begin(rows);
        system_put_str(rows, "keyspace_name", context->schema->keyspaces[i]->name);
    }
}

typedef void each_table_fn(struct system_rows *rows, const struct schema_table *table);

static void each_table(struct system_rows *rows, const struct system_context *context, bool is_virtual,
                       each_table_fn *each)
{
    uint32_t i, j;

    for (i = 0; i < context->schema->keyspace_count; i++) {
        const struct schema_keyspace *keyspace = context->schema->keyspaces[i];

        for (j = 0; j < keyspace->table_count && keyspace->is_virtual == is_virtual; j++)
            each(rows, keyspace->tables[j]);
    }
}

static void row_table(struct system_rows *rows, const struct schema_table *table)
{
    uint32_t i;

    system_row_begin(rows);
    system_put_str(rows, "keyspace_name", table->keyspace);
    system_put_str(rows, "table_name", table->name);
    for (i = 0; i < SCHEMA_OPTIONS; i++)
        put_option(rows, table, i);
    system_put_double(rows, "dclocal_read_repair_chance", 0.0);
    system_put_double(rows, "read_repair_chance", 0.0);
    put_texts(rows, "flags", "compound");
    system_put(rows, "id", table->id, 16);
}

static void row_virtual_table(struct system_rows *rows, const struct schema_table *table)
{
    system_row_begin(rows);
    system_put_str(rows, "keyspace_name", table->keyspace);
    system_put_str(rows, "table_name", table->name);
    system_put_text(rows, "comment", "");
}

static void row_columns(struct system_rows *rows, const struct schema_table *table)
{
    static const char *const kinds[] = { "partition_key", "clustering", "regular" };
    struct mr_writer type = { 0 };
    uint32_t i;

    for (i = 0; i < table->column_count; i++) {
        const struct schema_column *column = &table->columns[i];
        bool is_clustering = column->kind == SCHEMA_CLUSTERING;

        system_row_begin(rows);
        system_put_str(rows, "keyspace_name", table->keyspace);
        system_put_str(rows, "table_name", table->name);
        system_put_str(rows, "column_name", column->name);
        system_put_text(rows, "clustering_order", !is_clustering ? "none" : column->descending ? "desc" : "asc");
        system_put_str(rows, "column_name_bytes", column->name);
        system_put_text(rows, "kind", kinds[column->kind]);
        system_put_int(rows, "position", column->kind == SCHEMA_REGULAR ? -1 : (int32_t)column->position);
        type.size = 0;
        cql_type_write_name(&type, column->type);
        system_put(rows, "type", type.data, type.size);
    }
    mr_writer_deinit(&type);
}

/* Told in milliseconds, as the column's type says. */
static void row_dropped(struct system_rows *rows, const struct schema_table *table)
{
    struct mr_writer type = { 0 };
    uint8_t dropped_ms[8];
    uint32_t i;

    for (i = 0; i < table->dropped_count; i++) {
        const struct schema_dropped *column = &table->dropped_columns[i];

        system_row_begin(rows);
        system_put_str(rows, "keyspace_name", table->keyspace);
        system_put_str(rows, "table_name", table->name);
        system_put_str(rows, "column_name", column->name);
        mr_store_i64(dropped_ms, column->dropped_us / 1000);
        system_put(rows, "dropped_time", dropped_ms, sizeof(dropped_ms));
        system_put_text(rows, "kind", "regular");
        type.size = 0;
        cql_type_write_name(&type, column->type);
        system_put(rows, "type", type.data, type.size);
    }
    mr_writer_deinit(&type);
}

static void rows_dropped(struct system_rows *rows, const struct system_context *context)
{
    each_table(rows, context, false, row_dropped);
}

static void rows_tables(struct system_rows *rows, const struct system_context *context)
{
    each_table(rows, context, false, row_table);
}

static void rows_virtual_tables(struct system_rows *rows, const struct system_context *context)
{
    each_table(rows, context, true, row_virtual_table);
}

static void rows_columns(struct system_rows *rows, const struct system_context *context)
{
    each_table(rows, context, false, row_columns);
}

static void rows_virtual_columns(struct system_rows *rows, const struct system_context *context)
{
    each_table(rows, context, true, row_columns);
}

/* ---- the definitions ---- */

#define TABLE_OPTIONS_1 "additional_write_policy text, allow_auto_snapshot boolean, "
#define TABLE_OPTIONS_2                                                                                                \
    "bloom_filter_fp_chance double, caching map<text, text>, cdc boolean, comment text, compaction map<text, text>, "  \
    "compression map<text, text>, crc_check_chance double, dclocal_read_repair_chance double, "                        \
    "default_time_to_live int, extensions map<text, blob>, "
#define TABLE_OPTIONS_3                                                                                                \
    "incremental_backups boolean, max_index_interval int, memtable text, memtable_flush_period_in_ms int, "            \
    "min_index_interval int, read_repair text, read_repair_chance double, speculative_retry text"
#define COLUMN_COLUMNS                                                                                                 \
    "keyspace_name text, table_name text, column_name text, clustering_order text, column_name_bytes blob, kind "      \
    "text, "                                                                                                           \
    "position int, type text"

static const struct system_table system_tables[] = {
    { "system", "local", 1, 0,
      "key text, bootstrapped text, broadcast_address inet, broadcast_port int, cluster_name text, cql_version text, "
      "data_center text, gossip_generation int, host_id uuid, listen_address inet, listen_port int, "
      "native_protocol_version text, partitioner text, rack text, release_version text, rpc_address inet, rpc_port "
      "int, "
      "schema_version uuid, tokens set<text>, truncated_at map<uuid, blob>",
      rows_local },
    { "system", "peers", 1, 0,
      "peer inet, data_center text, host_id uuid, preferred_ip inet, rack text, release_version text, rpc_address "
      "inet, "
      "schema_version uuid, tokens set<text>",
      NULL },
    { "system", "peers_v2", 1, 1,
      "peer inet, peer_port int, data_center text, host_id uuid, native_address inet, native_port int, preferred_ip "
      "inet, "
      "preferred_port int, rack text, release_version text, schema_version uuid, tokens set<text>",
      NULL },
    { "system", "size_estimates", 1, 3,
      "keyspace_name text, table_name text, range_start text, range_end text, mean_partition_size bigint, "
      "partitions_count bigint",
      system_rows_sizes },
    { "system", "table_estimates", 1, 4,
      "keyspace_name text, table_name text, range_type text, range_start text, range_end text, "
      "mean_partition_size bigint, partitions_count bigint",
      NULL },
    { "system", "built_views", 1, 1, "keyspace_name text, view_name text, status_replicated boolean", NULL },
    { "system_schema", "keyspaces", 1, 0, "keyspace_name text, durable_writes boolean, replication map<text, text>",
      rows_keyspaces },
    { "system_schema", "tables", 1, 1,
      "keyspace_name text, table_name text, " TABLE_OPTIONS_1 TABLE_OPTIONS_2
      "flags set<text>, gc_grace_seconds int, id uuid, " TABLE_OPTIONS_3,
      rows_tables },
    { "system_schema", "columns", 1, 2, COLUMN_COLUMNS, rows_columns },
    { "system_schema", "types", 1, 1,
      "keyspace_name text, type_name text, field_names list<text>, field_types list<text>", NULL },
    { "system_schema", "functions", 1, 2,
      "keyspace_name text, function_name text, argument_types list<text>, argument_names list<text>, body text, "
      "called_on_null_input boolean, language text, return_type text",
      NULL },
    { "system_schema", "aggregates", 1, 2,
      "keyspace_name text, aggregate_name text, argument_types list<text>, final_func text, initcond text, "
      "return_type text, state_func text, state_type text",
      NULL },
    { "system_schema", "indexes", 1, 2,
      "keyspace_name text, table_name text, index_name text, kind text, options map<text, text>", NULL },
    { "system_schema", "views", 1, 1,
      "keyspace_name text, view_name text, " TABLE_OPTIONS_1
      "base_table_id uuid, base_table_name text, " TABLE_OPTIONS_2
      "gc_grace_seconds int, id uuid, include_all_columns boolean, " TABLE_OPTIONS_3 ", where_clause text",
      NULL },
    { "system_schema", "triggers", 1, 2,
      "keyspace_name text, table_name text, trigger_name text, options map<text, text>", NULL },
    { "system_schema", "dropped_columns", 1, 2,
      "keyspace_name text, table_name text, column_name text, dropped_time timestamp, kind text, type text",
      rows_dropped },
    { "system_schema", "column_masks", 1, 2,
      "keyspace_name text, table_name text, column_name text, function_argument_nulls list<boolean>, "
      "function_argument_types list<text>, function_argument_values list<text>, function_keyspace text, "
      "function_name text",
      rows_dropped },
    { "system_virtual_schema", "keyspaces", 1, 0, "keyspace_name text", rows_virtual_keyspaces },
    { "system_virtual_schema", "tables", 1, 1, "keyspace_name text, table_name text, comment text",
      rows_virtual_tables },
    { "system_virtual_schema", "columns", 1, 2, COLUMN_COLUMNS, rows_virtual_columns },
    { "system_traces", "sessions", 1, 0,
      "session_id uuid, client inet, command text, coordinator inet, coordinator_port int, duration int, "
      "parameters map<text, text>, request text, started_at timestamp",
      system_rows_sessions },
    { "system_traces", "events", 1, 1,
      "session_id uuid, event_id timeuuid, activity text, source inet, source_elapsed int, source_port int, thread "
      "text",
      system_rows_events },
    { "system_auth", "roles", 1, 0,
      "role text, can_login boolean, is_superuser boolean, member_of set<text>, salted_hash text", system_rows_roles },
    { "system_auth", "role_members", 1, 1, "role text, member text", NULL },
    { "system_auth", "role_permissions", 1, 1, "role text, resource text, permissions set<text>", NULL },
    { "system_auth", "resource_role_permissons_index", 1, 1, "resource text, role text", NULL },
    { "system_views", "clients", 1, 1,
      "address inet, port int, client_options map<text, text>, connection_stage text, driver_name text, "
      "driver_version text, hostname text, keyspace_name text, protocol_version int, request_count bigint, "
      "ssl_cipher_suite text, ssl_enabled boolean, ssl_protocol text, username text",
      system_rows_clients },
    { "system_views", "settings", 1, 0, "name text, value text", NULL },
};

/* ---- putting them into the schema ---- */

static const struct cql_type *type_of(struct mr_str name)
{
    static const struct {
        const char *name;
        const struct cql_type *type;
    } collections[] = {
        { "set<text>", &cql_type_set_text },
        { "list<text>", &cql_type_list_text },
        { "list<boolean>", &cql_type_list_boolean },
        { "map<text, text>", &cql_type_map_text_text },
        { "map<text, blob>", &cql_type_map_text_blob },
        { "map<uuid, blob>", &cql_type_map_uuid_blob },
    };
    const struct cql_type *native = cql_type_named(name);
    size_t i;

    for (i = 0; native == NULL && i < MR_COUNT(collections); i++) {
        if (mr_str_equal(name, mr_str_of(collections[i].name)))
            return collections[i].type;
    }
    assert(native != NULL);
    return native;
}

/* The end of a "name type" entry: the next comma that is not between < and >. */
static size_t entry_size(const char *text)
{
    size_t size;
    int depth = 0;

    for (size = 0; text[size] != 0 && (text[size] != ',' || depth > 0); size++)
        depth += text[size] == '<' ? 1 : text[size] == '>' ? -1 : 0;
    return size;
}

static struct schema_table *table_of(const struct system_table *definition, uint32_t number)
{
    struct schema_column columns[32];
    const char *at = definition->columns;
    uint32_t count = 0, keys = definition->partition_count + definition->clustering_count;
    struct schema_table *table;

    while (*at != 0) {
        size_t size = entry_size(at), name_size = strcspn(at, " ");
        struct schema_column *column = &columns[count];

        assert(count < MR_COUNT(columns));
        memset(column, 0, sizeof(*column));
        column->name = (struct mr_str){ at, name_size };
        column->type = type_of((struct mr_str){ at + name_size + 1, size - name_size - 1 });
        column->id = count;
        column->kind = count < definition->partition_count ? SCHEMA_PARTITION
                       : count < keys                      ? SCHEMA_CLUSTERING
                                                           : SCHEMA_REGULAR;
        column->position = column->kind == SCHEMA_CLUSTERING ? count - definition->partition_count : count;
        count++;
        at += size;
        at += strspn(at, ", ");
    }
    table = schema_table_new(mr_str_of(definition->keyspace), mr_str_of(definition->name), columns, count);
    table->system = definition;
    memcpy(table->id, "millrace\x40\0\x80\0", 12); /* well-formed, the same on every start */
    table->id[6] = (uint8_t)(0x40 | (table->id[6] & 0x0f));
    table->id[15] = (uint8_t)number;
    return table;
}

void system_schema_add(struct schema *schema)
{
    uint32_t i;

    for (i = 0; i < MR_COUNT(system_keyspaces); i++) {
        struct mr_bytes none = mr_bytes_of_str((struct mr_str){ "\0\0\0\0", 4 });
        struct schema_keyspace *keyspace = schema_keyspace_new(mr_str_of(system_keyspaces[i].name), none, true);

        keyspace->is_system = true;
        keyspace->is_virtual = system_keyspaces[i].is_virtual;
        schema_keyspace_add(schema, keyspace);
    }
    for (i = 0; i < MR_COUNT(system_tables); i++) {
        struct schema_keyspace *keyspace = schema_keyspace_find(schema, mr_str_of(system_tables[i].keyspace));

        schema_table_add(schema, keyspace, table_of(&system_tables[i], i));
    }
}

void system_rows_make(struct system_rows *out, const struct schema_table *table, const struct system_context *context,
                      struct mr_arena *arena)
{
    assert(table->system != NULL);
    *out = (struct system_rows){ .arena = arena, .table = table };
    if (table->system->rows != NULL)
        table->system->rows(out, context);
}

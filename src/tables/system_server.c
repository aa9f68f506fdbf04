/* system_server.c -- rows of the system tables that tell of the server: who is connected, what was traced, how large
 * tables are. */
#include "tables/server_int.h"

#include <stdlib.h>
#include <string.h>

enum { PARTITION_BYTES = 256 /* what a partition is taken to have: partitions are not counted */ };

/* ---- system.size_estimates ---- */

/* Sizes of the ring's two halves, since one range from the ring's token to itself is read as empty. */
static void size_rows(struct system_rows *rows, const struct system_context *context, const struct schema_table *table)
{
    static const char *const bounds[] = { "-9223372036854775808", "0", "9223372036854775807" };
    int half;

    for (half = 0; half < 2; half++) {
        uint64_t bytes = store_table_bytes(context->tables->store, table->store_id, half == 0 ? INT64_MIN : 1,
                                           half == 0 ? 0 : INT64_MAX);

        if (bytes == 0)
            continue;
        system_row_begin(rows);
        system_put_str(rows, "keyspace_name", table->keyspace);
        system_put_str(rows, "table_name", table->name);
        system_put_text(rows, "range_start", bounds[half]);
        system_put_text(rows, "range_end", bounds[half + 1]);
        system_put_bigint(rows, "mean_partition_size", PARTITION_BYTES);
        system_put_bigint(rows, "partitions_count", (int64_t)(bytes / PARTITION_BYTES + 1));
    }
}

void system_rows_sizes(struct system_rows *rows, const struct system_context *context)
{
    uint32_t i, j;

    for (i = 0; i < context->schema->keyspace_count; i++) {
        const struct schema_keyspace *keyspace = context->schema->keyspaces[i];

        for (j = 0; j < keyspace->table_count && !keyspace->is_system; j++)
            size_rows(rows, context, keyspace->tables[j]);
    }
}

/* ---- system_auth ---- */

void system_rows_roles(struct system_rows *rows, const struct system_context *context)
{
    if (access_has_users(context->tables->access))
        return;
    system_row_begin(rows);
    system_put_text(rows, "role", "cassandra");
    system_put_bool(rows, "can_login", true);
    system_put_bool(rows, "is_superuser", true);
}

/* ---- system_views.clients ---- */

static void put_options(struct system_rows *rows, const struct conn *conn)
{
    static const char *const compressions[] = { NULL, "lz4", "snappy" };
    const char *compression = compressions[conn->compression];
    struct mr_writer w = { 0 };

    mr_write_i32(&w, (compression != NULL) + (conn->driver_name.data != NULL) + (conn->driver_version.data != NULL));
    if (compression != NULL) {
        cql_write_long_string(&w, MR_STR("COMPRESSION"));
        cql_write_long_string(&w, mr_str_of(compression));
    }
    if (conn->driver_name.data != NULL) {
        cql_write_long_string(&w, MR_STR("DRIVER_NAME"));
        cql_write_long_string(&w, conn->driver_name);
    }
    if (conn->driver_version.data != NULL) {
        cql_write_long_string(&w, MR_STR("DRIVER_VERSION"));
        cql_write_long_string(&w, conn->driver_version);
    }
    system_put(rows, "client_options", w.data, w.size);
    mr_writer_deinit(&w);
}

void system_rows_clients(struct system_rows *rows, const struct system_context *context)
{
    const struct conn *conn;

    for (conn = context->tables->conns; conn != NULL; conn = conn->next) {
        const char *port = strrchr(net_conn_peer_text(conn->net), ':');

        system_row_begin(rows);
        system_put_inet(rows, "address", net_conn_peer_host(conn->net));
        system_put_int(rows, "port", port != NULL ? atoi(port + 1) : 0);
        put_options(rows, conn);
        system_put_text(rows, "connection_stage", conn->state == CONN_READY ? "ready" : "authenticating");
        if (conn->driver_name.data != NULL)
            system_put_str(rows, "driver_name", conn->driver_name);
        if (conn->driver_version.data != NULL)
            system_put_str(rows, "driver_version", conn->driver_version);
        system_put_text(rows, "hostname", net_conn_peer_host(conn->net));
        if (conn->keyspace.data != NULL)
            system_put_str(rows, "keyspace_name", conn->keyspace);
        system_put_int(rows, "protocol_version", conn->version);
        system_put_bigint(rows, "request_count", (int64_t)conn->request_count);
        system_put_bool(rows, "ssl_enabled", false);
        if (conn->state == CONN_READY)
            system_put_text(rows, "username", "cassandra");
    }
}

/* ---- system_traces ---- */

static const char *request_of(const struct trace *trace)
{
    switch (trace->opcode) {
    case CQL_OP_PREPARE:
        return "Preparing CQL3 query";
    case CQL_OP_EXECUTE:
        return "Execute CQL3 prepared query";
    case CQL_OP_BATCH:
        return "Execute batch of CQL3 queries";
    default:
        return "Execute CQL3 query";
    }
}

void system_rows_sessions(struct system_rows *rows, const struct system_context *context)
{
    uint32_t i;

    for (i = 0; i < TRACES_MAX; i++) {
        const struct trace *trace = &context->tables->traces[i];
        struct mr_writer parameters = { 0 };
        uint8_t started[8];

        if (trace->started_us == 0)
            continue;
        system_row_begin(rows);
        system_put(rows, "session_id", trace->id, 16);
        system_put_inet(rows, "client", trace->client);
        system_put_text(rows, "command", "QUERY");
        system_put_inet(rows, "coordinator", context->host);
        system_put_int(rows, "coordinator_port", context->port);
        if (trace->duration_us >= 0)
            system_put_int(rows, "duration", trace->duration_us < INT32_MAX ? (int32_t)trace->duration_us : INT32_MAX);
        mr_write_i32(&parameters, trace->text.data != NULL);
        if (trace->text.data != NULL) {
            cql_write_long_string(&parameters, MR_STR("query"));
            cql_write_long_string(&parameters, trace->text);
        }
        system_put(rows, "parameters", parameters.data, parameters.size);
        system_put_text(rows, "request", request_of(trace));
        mr_store_i64(started, trace->started_us / 1000);
        system_put(rows, "started_at", started, sizeof(started));
        mr_writer_deinit(&parameters);
    }
}

/* One event a session: there is one node and nothing between it and its disk. */
void system_rows_events(struct system_rows *rows, const struct system_context *context)
{
    uint32_t i;

    for (i = 0; i < TRACES_MAX; i++) {
        const struct trace *trace = &context->tables->traces[i];

        if (trace->started_us == 0 || trace->duration_us < 0)
            continue;
        system_row_begin(rows);
        system_put(rows, "session_id", trace->id, 16);
        system_put(rows, "event_id", trace->id, 16);
        system_put_text(rows, "activity", "Answered");
        system_put_inet(rows, "source", context->host);
        system_put_int(rows, "source_port", context->port);
        system_put_int(rows, "source_elapsed",
                       trace->duration_us < INT32_MAX ? (int32_t)trace->duration_us : INT32_MAX);
        system_put_text(rows, "thread", "tables");
    }
}

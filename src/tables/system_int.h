/* system_int.h -- the generated tables: system, system_schema, system_virtual_schema, as drivers read them. */
#ifndef TABLES_SYSTEM_INT_H
#define TABLES_SYSTEM_INT_H

#include "tables/schema_int.h"

#define SYSTEM_RELEASE     "5.0.0" /* what this cqlsh was built for: spares its users a warning */
#define SYSTEM_CQL_VERSION "3.4.7"
#define SYSTEM_CLUSTER     "millrace"
#define SYSTEM_TOKEN       "-9223372036854775808" /* the one node has the whole ring */

struct tables;

struct system_rows {
    struct mr_arena *arena;
    const struct schema_table *table;
    struct cql_value **rows; /* count arrays of table->column_count values */
    uint32_t count;
    uint32_t capacity;
};

/* What the rows tell of. */
struct system_context {
    const struct tables *tables;
    const struct schema *schema;
    const char *host; /* the address the client came in on, numeric */
    int port;
};

typedef void system_rows_fn(struct system_rows *rows, const struct system_context *context);

/* One generated table: its columns as "name type, …" in the order of SELECT *, key parts first. */
struct system_table {
    const char *keyspace;
    const char *name;
    uint32_t partition_count;
    uint32_t clustering_count;
    const char *columns;
    system_rows_fn *rows; /* NULL: always empty */
};

/* A new row, its columns null; then values for it.  COLUMN must be one of the table's. */
void system_row_begin(struct system_rows *rows);
void system_put(struct system_rows *rows, const char *column, const void *data, size_t size);
void system_put_str(struct system_rows *rows, const char *column, struct mr_str s);
void system_put_text(struct system_rows *rows, const char *column, const char *text);
void system_put_int(struct system_rows *rows, const char *column, int32_t v);
void system_put_bigint(struct system_rows *rows, const char *column, int64_t v);
void system_put_bool(struct system_rows *rows, const char *column, bool v);
/* HOST is numeric; of another the column stays null. */
void system_put_inet(struct system_rows *rows, const char *column, const char *host);

/* ---- system_server.c: rows about the server ---- */

system_rows_fn system_rows_sizes, system_rows_sessions, system_rows_events, system_rows_roles, system_rows_clients;

/* Adds the system keyspaces and their tables. */
void system_schema_add(struct schema *schema);
/* All rows of TABLE (a system one) into ARENA. */
void system_rows_make(struct system_rows *out, const struct schema_table *table, const struct system_context *context,
                      struct mr_arena *arena);
/* Is NAME one of the system keyspaces? */
bool system_keyspace_is(struct mr_str name);

#endif

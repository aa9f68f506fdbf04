/* browse_tables.c -- see browse.h: tables, over CQL. */
#include "base/env.h"
#include "base/text.h"
#include "connectors/connectors.h"
#include "main/browse.h"
#include "main/cql_text.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 500, PAGE_ROWS = 5000 };

struct browse_cql {
    struct connector_context context;
    char *address;
    struct connector_cql *cql; /* NULL: not open */
};

struct browse_cql *browse_cql_new(const char *address, const atomic_bool *stop)
{
    struct browse_cql *cql = MR_NEW(struct browse_cql);

    cql->context = (struct connector_context){ .env = mr_env_real(), .query_name = "console", .stop = stop };
    cql->address = mr_strdup(address);
    return cql;
}

void browse_cql_free(struct browse_cql *cql)
{
    if (cql == NULL)
        return;
    connectors_cql_close(cql->cql);
    mr_free(cql->address);
    mr_free(cql);
}

/* Runs TEXT; a connection that broke is made again, once. */
static enum mr_status run(struct browse_cql *cql, const struct mr_writer *text, int32_t rows, struct mr_arena *arena,
                          struct cql_result *out, struct mr_err *err)
{
    enum mr_status status = MR_IO;

    for (int attempt = 0; attempt < 2 && status == MR_IO; attempt++) {
        status = MR_OK;
        if (cql->cql == NULL)
            status = connectors_cql_open(&cql->cql, &cql->context, cql->address, "cassandra", "cassandra", err);
        if (status == MR_OK)
            status = connectors_cql_run(cql->cql, mr_str_of_bytes(mr_writer_bytes(text)), (struct mr_bytes){ 0 }, rows,
                                        arena, out, err);
        if (status == MR_IO) {
            connectors_cql_close(cql->cql);
            cql->cql = NULL;
        }
    }
    if (status == MR_OK && out->kind != CQL_RESULT_ROWS)
        return mr_err_set(err, MR_IO, "CQL at %s answered without rows", cql->address);
    return status;
}

static struct mr_str cell_text(const struct cql_value *cell)
{
    return (struct mr_str){ (const char *)cell->data, cell->size > 0 ? (size_t)cell->size : 0 };
}

static bool is_system(struct mr_str keyspace)
{
    return keyspace.size >= 6 && memcmp(keyspace.data, "system", 6) == 0 &&
           (keyspace.size == 6 || keyspace.data[6] == '_');
}

enum mr_status browse_tables(struct browse_cql *cql, json_t **out, struct mr_err *err)
{
    struct mr_arena *arena = mr_arena_new();
    struct mr_writer text = { 0 };
    struct cql_result result;
    struct cql_value cells[2];
    json_t *list = json_array();
    enum mr_status status;

    mr_write_text(&text, "SELECT keyspace_name, table_name FROM system_schema.tables");
    status = run(cql, &text, PAGE_ROWS, arena, &result, err);
    for (uint32_t i = 0; status == MR_OK && i < result.row_count; i++) {
        struct mr_str keyspace, table;

        status = cql_row_read(&result.rows, cells, 2);
        if (status != MR_OK)
            break;
        keyspace = cell_text(&cells[0]);
        table = cell_text(&cells[1]);
        if (!is_system(keyspace))
            json_array_append_new(list, json_pack("{s:s%, s:s%}", "keyspace", keyspace.data, keyspace.size, "table",
                                                  table.data, table.size));
    }
    mr_writer_deinit(&text);
    mr_arena_free(arena);
    if (status == MR_OK)
        *out = list;
    else
        json_decref(list);
    return status;
}

/* ---- rows ---- */

struct column {
    struct mr_str name, kind, type;
    int position;
};

/* "NAME", its quotes doubled. */
static void quoted(struct mr_writer *out, struct mr_str name, char quote)
{
    mr_write_u8(out, (uint8_t)quote);
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == quote)
            mr_write_u8(out, (uint8_t)quote);
        mr_write_u8(out, (uint8_t)name.data[i]);
    }
    mr_write_u8(out, (uint8_t)quote);
}

static int kind_rank(struct mr_str kind)
{
    return kind.data[0] == 'p' ? 0 : kind.data[0] == 'c' ? 1 : kind.data[0] == 's' ? 2 : 3;
}

/* Partition key, clustering columns, static ones, the others; as cqlsh has them. */
static int compare_columns(const void *a, const void *b)
{
    const struct column *x = a, *y = b;
    size_t size = x->name.size < y->name.size ? x->name.size : y->name.size;

    if (kind_rank(x->kind) != kind_rank(y->kind))
        return kind_rank(x->kind) - kind_rank(y->kind);
    if (x->position != y->position)
        return x->position - y->position;
    return memcmp(x->name.data, y->name.data, size);
}

static enum mr_status columns_read(struct browse_cql *cql, const char *keyspace, const char *table,
                                   struct mr_arena *arena, struct column *columns, uint32_t *count, struct mr_err *err)
{
    struct mr_writer text = { 0 };
    struct cql_result result;
    struct cql_value cells[4];
    enum mr_status status;

    mr_write_text(&text, "SELECT column_name, kind, position, type FROM system_schema.columns WHERE keyspace_name = ");
    quoted(&text, mr_str_of(keyspace), '\'');
    mr_write_text(&text, " AND table_name = ");
    quoted(&text, mr_str_of(table), '\'');
    status = run(cql, &text, PAGE_ROWS, arena, &result, err);
    mr_writer_deinit(&text);
    if (status == MR_OK && result.row_count == 0)
        return mr_err_set(err, MR_NOT_FOUND, "there is no table %s.%s; GET /api/tables lists them", keyspace, table);
    for (*count = 0; status == MR_OK && *count < result.row_count && *count < COLUMNS_MAX;) {
        status = cql_row_read(&result.rows, cells, 4);
        if (status == MR_OK)
            columns[(*count)++] = (struct column){
                .name = cell_text(&cells[0]),
                .kind = cell_text(&cells[1]),
                .type = cell_text(&cells[3]),
                .position = cells[2].size == 4 ? (int)(int8_t)cells[2].data[3] : 0,
            };
    }
    if (status == MR_OK)
        qsort(columns, *count, sizeof(columns[0]), compare_columns);
    return status;
}

/* The column whose write time dates a row, COUNT when there is none: a regular one that is no collection. */
static uint32_t dated_column(const struct column *columns, uint32_t count)
{
    uint32_t i = 0;

    while (i < count && (kind_rank(columns[i].kind) != 3 || memchr(columns[i].type.data, '<', columns[i].type.size)))
        i++;
    return i;
}

struct row {
    int64_t written_us;
    uint32_t number;
    json_t *cells;
};

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    if (x->written_us != y->written_us)
        return x->written_us > y->written_us ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static int64_t big_endian(const struct cql_value *cell)
{
    uint64_t value = 0;

    for (int32_t i = 0; i < cell->size && i < 8; i++)
        value = value << 8 | cell->data[i];
    return (int64_t)value;
}

static json_t *columns_json(const struct column *columns, uint32_t count)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s%, s:s%, s:s%}", "name", columns[i].name.data, columns[i].name.size,
                                              "type", columns[i].type.data, columns[i].type.size, "kind",
                                              columns[i].kind.data, columns[i].kind.size));
    return list;
}

/* RESULT's rows, the last written first; the last column is the write time when DATED. */
static enum mr_status rows_json(struct cql_result *result, uint32_t shown, bool dated, uint32_t limit, json_t *list)
{
    struct row *rows = mr_calloc(result->row_count + 1, sizeof(*rows));
    struct cql_value *cells = mr_calloc(result->metadata.column_count + 1, sizeof(*cells));
    enum mr_status status = MR_OK;

    for (uint32_t i = 0; status == MR_OK && i < result->row_count; i++) {
        status = cql_row_read(&result->rows, cells, result->metadata.column_count);
        rows[i].number = i;
        rows[i].cells = json_array();
        for (uint32_t c = 0; status == MR_OK && c < shown; c++)
            json_array_append_new(rows[i].cells, cql_value_json(result->metadata.columns[c].type, cells[c]));
        if (status == MR_OK && dated)
            rows[i].written_us = big_endian(&cells[shown]);
    }
    qsort(rows, result->row_count, sizeof(rows[0]), compare_rows);
    for (uint32_t i = 0; i < result->row_count; i++) {
        if (i < limit && rows[i].cells != NULL)
            json_array_append(list, rows[i].cells);
        json_decref(rows[i].cells);
    }
    mr_free(rows);
    mr_free(cells);
    return status;
}

enum mr_status browse_rows(struct browse_cql *cql, const char *keyspace, const char *table, uint32_t limit,
                           json_t **out, struct mr_err *err)
{
    struct mr_arena *arena = mr_arena_new();
    struct column *columns = mr_calloc(COLUMNS_MAX, sizeof(*columns));
    struct mr_writer text = { 0 };
    struct cql_result result;
    json_t *list = json_array();
    uint32_t count = 0, dated = 0;
    enum mr_status status = columns_read(cql, keyspace, table, arena, columns, &count, err);

    if (status == MR_OK) {
        mr_write_text(&text, "SELECT ");
        for (uint32_t i = 0; i < count; i++) {
            mr_write_text(&text, i > 0 ? ", " : "");
            quoted(&text, columns[i].name, '"');
        }
        dated = dated_column(columns, count);
        if (dated < count) {
            mr_write_text(&text, ", writetime(");
            quoted(&text, columns[dated].name, '"');
            mr_write_u8(&text, ')');
        }
        mr_write_text(&text, " FROM ");
        quoted(&text, mr_str_of(keyspace), '"');
        mr_write_u8(&text, '.');
        quoted(&text, mr_str_of(table), '"');
        status = run(cql, &text, BROWSE_ROWS_READ_MAX, arena, &result, err);
    }
    if (status == MR_OK && rows_json(&result, count, dated < count, limit, list) != MR_OK)
        status = mr_err_set(err, MR_IO, "CQL at %s answered with rows that can't be read", cql->address);
    if (status == MR_OK)
        *out = json_pack("{s:o, s:O, s:I, s:b}", "columns", columns_json(columns, count), "rows", list, "read",
                         (json_int_t)result.row_count, "more", (result.metadata.flags & CQL_META_MORE_PAGES) != 0);
    json_decref(list);
    mr_writer_deinit(&text);
    mr_free(columns);
    mr_arena_free(arena);
    return status;
}

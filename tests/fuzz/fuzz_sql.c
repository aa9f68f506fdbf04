/* fuzz_sql.c -- any bytes as a script: it binds or is refused with a place, and what a query without a table
 * computes does no harm. */
#include "sql/plan_int.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct connector_option options[] = {
    { "path", NULL, true, "" },
    { "scan.*", NULL, false, "" },
    { NULL, NULL, false, NULL },
};
static const struct connector_source_ops source = { .bounded_by_default = true };
static const struct connector_sink_ops sink = { 0 };
static const struct connector file = { "file", "", options, &source, &sink, false };
static const struct connector print = { "print", "", options + 2, NULL, &sink, true };
static const struct connector *const connectors[] = { &file, &print, NULL };

static const char tables[] =
    "CREATE TABLE t (a INT, b STRING, r ROW<x DOUBLE, y ARRAY<BIGINT>>, n DECIMAL(10, 2), z TIMESTAMP(3), m "
    "MAP<STRING, BYTES>) WITH ('connector' = "
    "'file', 'path' = 'p', 'format' = 'json'); CREATE TABLE s (a BIGINT, b STRING NOT NULL) WITH "
    "('connector' = 'print')";

static void run(const struct sql_query *query)
{
    for (uint32_t i = 0; i < query->output_count; i++) {
        const struct sql_source *from = &query->sources[query->outputs[i].source];
        struct sql_projection *projection;
        struct sql_projected out = { 0 };
        struct data_batch *rows = NULL;

        if (from->table != NULL || sql_source_rows(from, &rows, NULL) != MR_OK)
            continue;
        projection = sql_projection_new(&query->outputs[i]);
        if (sql_projection_run(projection, rows, NULL, &out, NULL) == MR_OK) {
            if (out.batch->row_count + out.error_count > rows->row_count)
                abort();
            data_batch_unref(out.batch);
        }
        data_batch_unref(rows);
        sql_projection_free(projection);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sql_session *session = sql_session_new(connectors);
    struct sql_script *script = NULL, *made = NULL;
    struct mr_err err = MR_ERR_INIT;

    if (sql_script_bind(&made, session, MR_STR(tables), &err) != MR_OK)
        abort();
    if (sql_script_bind(&script, session, (struct mr_str){ (const char *)data, size }, &err) == MR_OK) {
        for (uint32_t i = 0; i < sql_script_count(script); i++)
            if (sql_script_query(script, i) != NULL)
                run(sql_script_query(script, i));
    } else if (err.status == MR_OK || err.text[0] == '\0') {
        abort();
    }
    sql_script_free(script);
    sql_script_free(made);
    sql_session_free(session);
    return 0;
}

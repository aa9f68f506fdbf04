/* support.c -- see support.h. */
#include "support.h"

#include <string.h>

static const struct connector_source_ops no_source = { .bounded_by_default = true };
static const struct connector_sink_ops no_sink = { 0 };

static const struct connector_option http_options[] = {
    { "url", NULL, true, "The address." },
    { "json.records", "", false, "Where the records are." },
    { "scan.interval", NULL, false, "The time between two requests." },
    { "scan.duration", NULL, false, "How long." },
    { NULL, NULL, false, NULL },
};
static const struct connector_option kafka_options[] = {
    { "topic", NULL, true, "The topic." },
    { "properties.bootstrap.servers", NULL, false, "Addresses." },
    { "properties.*", NULL, false, "Of the client." },
    { "scan.startup.mode", "group-offsets", false, "Where to begin." },
    { "scan.bounded.mode", "unbounded", false, "Where to end." },
    { NULL, NULL, false, NULL },
};
static const struct connector_option cassandra_options[] = {
    { "keyspace", NULL, true, "The keyspace." },
    { "table", NULL, true, "The table." },
    { "password", NULL, false, "Of the user." },
    { NULL, NULL, false, NULL },
};
static const struct connector_option file_options[] = {
    { "path", NULL, true, "The file." },
    { NULL, NULL, false, NULL },
};
static const struct connector_option print_options[] = { { NULL, NULL, false, NULL } };

static const struct connector http = { "http", "", http_options, &no_source, NULL, false };
static const struct connector kafka = { "kafka", "", kafka_options, &no_source, &no_sink, false };
static const struct connector cassandra = { "cassandra", "", cassandra_options, NULL, &no_sink, true };
static const struct connector file = { "file", "", file_options, &no_source, &no_sink, false };
static const struct connector print = { "print", "", print_options, NULL, &no_sink, true };

const struct connector *const support_connectors[] = { &http, &kafka, &cassandra, &file, &print, NULL };

const char support_tables[] =
    "CREATE TABLE people (name STRING, age INT, id BIGINT NOT NULL, height FLOAT, weight DOUBLE, ok BOOLEAN,"
    " home ROW<city STRING, street ROW<number INT, name STRING>>, tags ARRAY<STRING>)"
    " WITH ('connector' = 'kafka', 'topic' = 'people', 'format' = 'json');\n"
    "CREATE TABLE sink (id BIGINT, name STRING, PRIMARY KEY (id) NOT ENFORCED)"
    " WITH ('connector' = 'cassandra', 'keyspace' = 'k', 'table' = 't');\n"
    "CREATE TABLE numbers (i INT, b BIGINT, f FLOAT, d DOUBLE, s STRING, t BOOLEAN, n INT NOT NULL)"
    " WITH ('connector' = 'print');\n";

static void error_write(struct mr_writer *out, const struct mr_err *err)
{
    mr_write_text(out, "%d:%d: %s", err->line, err->column, err->text);
}

void support_run(struct mr_writer *out, const struct sql_query *query, uint32_t index, const struct data_batch *in)
{
    const struct sql_output *output = &query->outputs[index];
    struct sql_projection *projection = sql_projection_new(output);
    struct data_batch *own = NULL;
    struct sql_projected result = { 0 };
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = MR_OK;

    if (in == NULL)
        status = sql_source_rows(&query->sources[output->source], &own, &err);
    if (status == MR_OK)
        status = sql_projection_run(projection, in ? in : own, NULL, &result, &err);
    if (status != MR_OK) {
        error_write(out, &err);
    } else {
        for (uint32_t row = 0; row < result.batch->row_count; row++) {
            for (uint32_t c = 0; c < result.batch->column_count; c++) {
                mr_write_text(out, "%s", c == 0 ? (out->size ? "\n" : "") : "|");
                data_cell_write(out, result.batch->columns[c], row, false);
            }
        }
        for (uint32_t i = 0; i < result.error_count; i++)
            mr_write_text(out, "%s!%u: %s", out->size ? "\n" : "", result.errors[i].row, result.errors[i].why);
        data_batch_unref(result.batch);
    }
    data_batch_unref(own);
    sql_projection_free(projection);
}

char *support_eval(const char *text)
{
    struct sql_session *session = sql_session_new(support_connectors);
    struct sql_script *tables = NULL, *script = NULL;
    struct mr_err err = MR_ERR_INIT;
    struct mr_writer out = { 0 };

    if (sql_script_bind(&tables, session, mr_str_of(support_tables), &err) != MR_OK ||
        sql_script_bind(&script, session, mr_str_of(text), &err) != MR_OK) {
        error_write(&out, &err);
    } else if (sql_script_count(script) > 0) {
        uint32_t last = sql_script_count(script) - 1;
        const struct data_batch *answer = sql_script_answer(script, last);
        if (sql_script_is_query(script, last) && sql_script_query(script, last)->sources[0].table == NULL)
            support_run(&out, sql_script_query(script, last), 0, NULL);
        for (uint32_t row = 0; answer != NULL && row < answer->row_count; row++) {
            for (uint32_t c = 0; c < answer->column_count; c++) {
                mr_write_text(&out, "%s", c == 0 ? (out.size ? "\n" : "") : "|");
                data_cell_write(&out, answer->columns[c], row, false);
            }
        }
    }
    mr_write_u8(&out, '\0');
    sql_script_free(script);
    sql_script_free(tables);
    sql_session_free(session);
    return (char *)out.data;
}

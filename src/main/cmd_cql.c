/* cmd_cql.c -- millrace cql: statements to the tables, ours or a Cassandra, and their rows. */
#include "base/env.h"
#include "base/text.h"
#include "connectors/connectors.h"
#include "main/command.h"
#include "main/cql_text.h"
#include "main/list_output.h"
#include "main/target.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct mr_option options[] = {
    { "execute", "execute", 'e', MR_OPTION_TEXT, "STATEMENTS", NULL, NULL, "run these statements" },
    { "file", "file", 'f', MR_OPTION_TEXT, "FILE", NULL, NULL,
      "run the statements of this file (- for standard input)" },
    { "keyspace", "keyspace", 'k', MR_OPTION_TEXT, "NAME", NULL, NULL, "the keyspace of names that have none" },
    { "username", "username", 'u', MR_OPTION_TEXT, "NAME", "cassandra", NULL, "log in as" },
    { "password", "password", 'p', MR_OPTION_TEXT, "TEXT", "cassandra", NULL, "with this password" },
    OUTPUT_OPTION,
    TARGET_CQL_OPTIONS,
};

enum cql_limits { CQL_TEXT_BYTES_MAX = 64 << 20, PAGE_ROWS = 1000, READ_BYTES = 65536 };

/* The signal handler can reach nothing else. */
static atomic_bool interrupted;

static void on_interrupt(int number)
{
    MR_UNUSED(number);
    atomic_store(&interrupted, true);
}

static bool is_number(uint16_t code)
{
    return code == CQL_INT || code == CQL_BIGINT || code == CQL_COUNTER || code == CQL_SMALLINT ||
           code == CQL_TINYINT || code == CQL_DOUBLE || code == CQL_FLOAT || code == CQL_VARINT || code == CQL_DECIMAL;
}

/* What is printed of one statement's rows. */
struct rows {
    bool json;
    bool texts; /* DESCRIBE: the statements alone */
    struct mr_arena *names;
    struct list_column *columns;
    uint32_t column_count;
    struct list_output *output; /* owned; NULL before the first page */
};

static void rows_begin(struct rows *rows, const struct cql_metadata *metadata)
{
    rows->column_count = metadata->column_count;
    rows->columns = mr_arena_calloc(rows->names, metadata->column_count + 1, sizeof(*rows->columns));
    for (uint32_t i = 0; i < metadata->column_count; i++) {
        struct mr_str name = mr_arena_str(rows->names, metadata->columns[i].name);

        rows->columns[i] = (struct list_column){ name.data, NULL, is_number(metadata->columns[i].type->code) };
        rows->texts = rows->texts || (!rows->json && strcmp(name.data, "create_statement") == 0);
    }
    rows->output = list_output_new(rows->columns, rows->column_count, rows->json, stdout);
}

static enum mr_status rows_page(struct rows *rows, struct cql_result *result, struct mr_arena *arena,
                                struct mr_err *err)
{
    struct cql_value *cells = mr_arena_calloc(arena, result->metadata.column_count + 1, sizeof(*cells));

    if (rows->output == NULL)
        rows_begin(rows, &result->metadata);
    if (result->metadata.column_count != rows->column_count)
        return mr_err_set(err, MR_IO, "the server's next page has other columns");
    for (uint32_t row = 0; row < result->row_count; row++) {
        json_t *object;

        if (cql_row_read(&result->rows, cells, rows->column_count) != MR_OK)
            return mr_err_set(err, MR_IO, "the server sent rows that can't be read");
        object = json_object();
        for (uint32_t i = 0; i < rows->column_count; i++)
            json_object_set_new(object, rows->columns[i].key,
                                cql_value_json(result->metadata.columns[i].type, cells[i]));
        if (rows->texts) {
            printf("%s\n\n", json_string_value(json_object_get(object, "create_statement")));
            json_decref(object);
        } else {
            list_output_add(rows->output, object);
        }
    }
    return MR_OK;
}

/* Runs STATEMENT to its last page.  A blank line goes before a table that is not the first. */
static enum mr_status statement_run(struct connector_cql *cql, struct mr_str statement, bool json, bool *printed,
                                    struct mr_err *err)
{
    struct rows rows = { .json = json, .names = mr_arena_new() };
    struct mr_arena *arena = mr_arena_new();
    struct mr_writer page = { 0 };
    enum mr_status status;
    bool more = true;
    size_t count;

    do {
        struct cql_result result = { 0 };

        mr_arena_reset(arena);
        status = connectors_cql_run(cql, statement, mr_writer_bytes(&page), PAGE_ROWS, arena, &result, err);
        if (status != MR_OK || result.kind != CQL_RESULT_ROWS)
            break;
        if (rows.output == NULL && *printed && !json)
            printf("\n");
        *printed = true;
        status = rows_page(&rows, &result, arena, err);
        more = (result.metadata.flags & CQL_META_MORE_PAGES) != 0;
        page.size = 0;
        if (more)
            mr_write_bytes(&page, result.metadata.paging_state);
    } while (status == MR_OK && more && !atomic_load(&interrupted));
    if (rows.output != NULL) {
        count = list_output_finish(rows.output);
        if (!json && !rows.texts)
            printf("%s(%zu row%s)\n", count > 0 ? "\n" : "", count, count == 1 ? "" : "s");
    }
    mr_writer_deinit(&page);
    mr_arena_free(arena);
    mr_arena_free(rows.names);
    return status;
}

static enum mr_status use_keyspace(struct connector_cql *cql, const char *keyspace, struct mr_err *err)
{
    struct mr_arena *arena = mr_arena_new();
    struct mr_writer text = { 0 };
    struct cql_result result;
    enum mr_status status;

    mr_write_text(&text, "USE \"%s\"", keyspace);
    status =
        connectors_cql_run(cql, mr_str_of_bytes(mr_writer_bytes(&text)), MR_BYTES_NULL, PAGE_ROWS, arena, &result, err);
    mr_writer_deinit(&text);
    mr_arena_free(arena);
    return status;
}

static int line_of(struct mr_str text, const char *at)
{
    int line = 1;

    for (const char *p = text.data; p < at; p++)
        line += *p == '\n';
    return line;
}

static int run_all(struct connector_cql *cql, const struct mr_config *config, struct mr_str text)
{
    const char *keyspace = mr_config_text(config, "keyspace");
    struct mr_str rest = text, statement;
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = keyspace ? use_keyspace(cql, keyspace, &err) : MR_OK;
    bool printed = false;

    while (status == MR_OK && !atomic_load(&interrupted) && cql_statement_next(&rest, &statement)) {
        status = statement_run(cql, statement, command_json(config), &printed, &err);
        if (status != MR_OK && line_of(text, text.data + text.size) > 1)
            mr_err_context(&err, "line %d", line_of(text, statement.data));
    }
    fflush(stdout);
    if (atomic_load(&interrupted))
        return EXIT_DONE;
    return status == MR_OK ? EXIT_DONE : command_fail(&err);
}

static enum mr_status read_standard_input(struct mr_writer *out, struct mr_err *err)
{
    for (;;) {
        ssize_t got = read(STDIN_FILENO, mr_writer_reserve(out, READ_BYTES), READ_BYTES);

        if (got < 0)
            return mr_err_set(err, MR_IO, "standard input can't be read");
        if (got == 0)
            return MR_OK;
        out->size += (size_t)got;
        if (out->size > CQL_TEXT_BYTES_MAX)
            return mr_err_set(err, MR_LIMIT, "more than %d MiB of CQL", CQL_TEXT_BYTES_MAX >> 20);
    }
}

static enum mr_status read_statements(const struct mr_config *config, struct mr_writer *out, struct mr_err *err)
{
    const char *statements = mr_config_text(config, "execute");
    const char *file = mr_config_text(config, "file");

    if (statements != NULL)
        mr_write_text(out, "%s", statements);
    if (statements != NULL && file != NULL)
        mr_write_text(out, ";\n");
    if (file != NULL && strcmp(file, "-") != 0)
        return mr_file_read_all(mr_env_real(), file, CQL_TEXT_BYTES_MAX, out, err);
    return statements == NULL || file != NULL ? read_standard_input(out, err) : MR_OK;
}

static int run(struct mr_config *config, char **rest, int rest_count)
{
    struct connector_context context = { .env = mr_env_real(), .query_name = "cql", .stop = &interrupted };
    struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND };
    struct connector_cql *cql = NULL;
    struct mr_writer text = { 0 };
    struct mr_err err = MR_ERR_INIT;
    struct target target;
    int code;

    MR_UNUSED(rest);
    MR_UNUSED(rest_count);
    if (read_statements(config, &text, &err) != MR_OK) {
        code = command_usage("%s", err.text);
        goto out;
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (target_find(config, TARGET_CQL, &target, &err) != MR_OK ||
        connectors_cql_open(&cql, &context, target.address, mr_config_text(config, "username"),
                            mr_config_text(config, "password"), &err) != MR_OK) {
        code = command_fail(&err);
        goto out;
    }
    code = run_all(cql, config, (struct mr_str){ (const char *)text.data, text.size });
    connectors_cql_close(cql);
out:
    mr_writer_deinit(&text);
    return code;
}

const struct command command_cql = {
    .name = "cql",
    .summary = "Run CQL statements on the tables and print their rows",
    .usage = "millrace cql [-e STATEMENTS | -f FILE] [OPTION...]",
    .text = "Without -e and -f statements are read from standard input.  The first one that fails ends it.",
    .example = "  millrace cql -e \"SELECT * FROM spark_streaming.random_names LIMIT 3\"\n"
               "  millrace cql -f schema.cql --cassandra 127.0.0.1:9042",
    .options = options,
    .option_count = MR_COUNT(options),
    .run = run,
};

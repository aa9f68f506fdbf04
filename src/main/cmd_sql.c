/* cmd_sql.c -- millrace sql: runs statements against a running server, or with one of its own while it runs. */
#include "base/env.h"
#include "connectors/connectors.h"
#include "main/command.h"
#include "main/project.h"
#include "main/remote_queries.h"
#include "main/rows_output.h"
#include "main/server.h"
#include "main/settings.h"
#include "sql/sql.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct mr_option options[] = {
    { "execute", "execute", 'e', MR_OPTION_TEXT, "STATEMENTS", NULL, NULL, "run these statements" },
    { "file", "file", 'f', MR_OPTION_TEXT, "FILE", NULL, NULL,
      "run the statements of this file (- for standard input)" },
    { "output", "output", 'o', MR_OPTION_CHOICE, NULL, "table", "table|tsv|json", "how rows are printed" },
    { "ephemeral", "ephemeral", 0, MR_OPTION_FLAG, NULL, "false", NULL, "use a temporary data directory" },
    SETTINGS_TABLE,
};

enum { SQL_TEXT_BYTES_MAX = 16 << 20 };

struct output_state {
    enum rows_format format;
    struct rows_output *rows; /* owned; NULL between results */
};

static void on_begin(void *arg, const struct data_type *row, bool live)
{
    struct output_state *o = arg;

    o->rows = rows_output_new(row, o->format, stdout, live);
}

static void on_rows(void *arg, const struct data_batch *batch)
{
    struct output_state *o = arg;

    rows_output_write(o->rows, batch);
}

static void on_end(void *arg)
{
    struct output_state *o = arg;

    rows_output_finish(o->rows);
    o->rows = NULL;
}

/* The signal handler can reach nothing else. */
static struct sql_engine *interrupted_engine;

static void on_interrupt(int number)
{
    MR_UNUSED(number);
    sql_engine_interrupt(interrupted_engine);
}

static void catch_signals(struct sql_engine *engine)
{
    struct sigaction action = { .sa_handler = engine ? on_interrupt : SIG_DFL };

    interrupted_engine = engine;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* Makes the tables of the project that the server runs known, so that they can be selected from. */
static void load_tables(struct sql_engine *engine, const char *project_dir)
{
    struct project *project = NULL;

    if (project_dir[0] == '\0' || project_read(&project, project_dir, NULL) != MR_OK)
        return;
    for (size_t i = 0; i < project->file_count; i++) {
        const struct project_file *file = &project->files[i];
        struct sql_script *script = NULL;

        /* Binding makes the tables; its queries are the server's to run.  A file that is wrong is the server's to tell.
         */
        if (sql_script_bind(&script, sql_engine_session(engine),
                            (struct mr_str){ (const char *)file->text.data, file->text.size }, NULL) == MR_OK)
            sql_script_free(script);
    }
    project_free(project);
}

static int execute(struct sql_engine *engine, const char *project_dir, const char *format, struct mr_str text)
{
    struct output_state output = { .format = rows_format_of(format) };
    struct sql_results results = { .on_begin = on_begin, .on_rows = on_rows, .on_end = on_end, .arg = &output };
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status;

    load_tables(engine, project_dir);
    catch_signals(engine);
    status = sql_engine_execute(engine, text, "sql", &results, &err);
    catch_signals(NULL);
    rows_output_finish(output.rows);
    if (status == MR_OK || status == MR_BUSY)
        return EXIT_DONE; /* interrupted is how an endless query ends */
    if (err.line > 0) {
        struct mr_writer shown = { 0 };

        sql_error_write(&shown, NULL, text, &err);
        command_error("%.*s", (int)shown.size, (const char *)shown.data);
        mr_writer_deinit(&shown);
    } else {
        command_error("%s", err.text);
    }
    return EXIT_FAILED;
}

static int execute_beside(const struct server_file *running, const char *format, struct mr_str text)
{
    struct sql_remote remote;
    struct sql_engine_options engine_options = {
        .env = mr_env_real(),
        .connectors = connectors_all(),
        .kafka_embedded = running->kafka,
        .cassandra_embedded = running->cql,
        .cassandra_is_ours = true,
        .project_dir = ".",
        .remote = &remote,
    };
    struct sql_engine *engine;
    struct mr_err err = MR_ERR_INIT;
    int code;

    remote_queries_init(&remote, running->http);
    if (sql_engine_open(&engine, &engine_options, &err) != MR_OK) {
        command_error("%s", err.text);
        return EXIT_FAILED;
    }
    code = execute(engine, running->project, format, text);
    sql_engine_close(engine);
    return code;
}

static int execute_alone(struct mr_config *config, const char *project_dir, struct mr_str text)
{
    struct server_options server_options = {
        .config = config,
        .project_dir = project_dir,
        .ephemeral = mr_config_flag(config, "ephemeral"),
        .free_ports = true,
    };
    struct server server;
    struct mr_err err = MR_ERR_INIT;
    int code = EXIT_FAILED;

    if (server_open(&server, &server_options, &code, &err) != MR_OK) {
        command_error("%s", err.text);
        return code;
    }
    code = execute(server.engine, server.file.project, mr_config_text(config, "output"), text);
    server_close(&server);
    return code;
}

static enum mr_status read_standard_input(struct mr_writer *out, struct mr_err *err)
{
    for (;;) {
        uint8_t *room = mr_writer_reserve(out, 65536);
        ssize_t got = read(STDIN_FILENO, room, 65536);

        if (got < 0)
            return mr_err_set(err, MR_IO, "standard input can't be read");
        if (got == 0)
            return MR_OK;
        out->size += (size_t)got;
        if (out->size > SQL_TEXT_BYTES_MAX)
            return mr_err_set(err, MR_LIMIT, "more than %d bytes of SQL", SQL_TEXT_BYTES_MAX);
    }
}

static enum mr_status read_statements(const struct mr_config *config, struct mr_writer *out, struct mr_err *err)
{
    const char *statements = mr_config_text(config, "execute");
    const char *file = mr_config_text(config, "file");

    if (statements != NULL)
        mr_write_str(out, mr_str_of(statements));
    if (statements != NULL && file == NULL)
        return MR_OK;
    if (file != NULL && strcmp(file, "-") != 0)
        return mr_file_read_all(mr_env_real(), file, SQL_TEXT_BYTES_MAX, out, err);
    return read_standard_input(out, err);
}

/* Is the data directory's server up?  It then does the work over its ports. */
static bool find_server(const struct mr_config *config, struct server_file *running)
{
    char path[MR_PATH_BYTES];
    const char *named = mr_config_text(config, "data-dir");

    if (mr_config_flag(config, "ephemeral"))
        return false;
    if (named == NULL && data_dir_resolve(NULL, ".", path, NULL) == MR_OK &&
        server_file_read(path, running, NULL) == MR_OK)
        return true;
    return data_dir_resolve(named, NULL, path, NULL) == MR_OK && server_file_read(path, running, NULL) == MR_OK;
}

/* The folder it is called in counts as a project when it looks like one. */
static const char *find_project(void)
{
    static const char *const signs[] = { "millrace.yaml", "pipelines", ".millrace" };

    for (size_t i = 0; i < MR_COUNT(signs); i++) {
        if (access(signs[i], F_OK) == 0)
            return ".";
    }
    return NULL;
}

static int run(struct mr_config *config, char **rest, int rest_count)
{
    const char *project_dir = find_project();
    struct server_file running;
    struct mr_writer text = { 0 };
    struct mr_err err = MR_ERR_INIT;
    struct mr_str statements;
    int code;

    MR_UNUSED(rest);
    MR_UNUSED(rest_count);
    if (settings_complete(config, project_dir, &err) != MR_OK) {
        command_error("%s", err.text);
        return EXIT_CONFIGURATION;
    }
    settings_apply_logging(config);
    if (read_statements(config, &text, &err) != MR_OK) {
        command_error("%s", err.text);
        mr_writer_deinit(&text);
        return EXIT_USAGE;
    }
    statements = (struct mr_str){ (const char *)text.data, text.size };
    if (find_server(config, &running))
        code = execute_beside(&running, mr_config_text(config, "output"), statements);
    else
        code = execute_alone(config, project_dir, statements);
    mr_writer_deinit(&text);
    return code;
}

const struct command command_sql = {
    .name = "sql",
    .summary = "Run SQL statements and print their rows",
    .usage = "millrace sql [-e STATEMENTS | -f FILE] [OPTION...]",
    .text =
        "Statements run against the server that uses the data directory; without one, the directory is opened for the\n"
        "time they take.  Without -e and -f they are read from standard input.  Tables of the server's project are "
        "known.",
    .example = "  millrace sql -e \"SELECT full_name, country FROM random_names LIMIT 10\" --output json",
    .options = options,
    .option_count = MR_COUNT(options),
    .run = run,
};

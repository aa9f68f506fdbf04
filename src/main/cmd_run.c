/* cmd_run.c -- millrace run: all parts in one process, until a signal. */
#include "base/env.h"
#include "base/logging.h"
#include "main/command.h"
#include "main/dags.h"
#include "main/project.h"
#include "main/server.h"
#include "main/settings.h"
#include "sql/sql.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct mr_option options[] = {
    SETTINGS_TABLE,
    { "ephemeral", "ephemeral", 0, MR_OPTION_FLAG, NULL, "false", NULL,
      "a temporary data directory and free ports; all is gone at the end" },
    { "ready-fd", "ready-fd", 0, MR_OPTION_INTEGER, "N", NULL, NULL,
      "write one line of JSON with every address to this descriptor once all is ready, then close it" },
    { "set", "set", 0, MR_OPTION_TEXT, "TABLE.OPTION=VALUE,...", NULL, NULL,
      "give options of tables other values than the pipeline's files do" },
    { "trigger", "trigger", 0, MR_OPTION_TEXT, "DAG", NULL, NULL,
      "start a run of this DAG at once, unless one is under way" },
};

/* Ends the process at the second signal: what is acknowledged is on disk, so nothing is lost. */
static void *second_signal(void *arg)
{
    sigset_t *signals = arg;
    int number;

    sigwait(signals, &number);
    _exit(128 + number);
}

static void wait_for_signal(sigset_t *signals)
{
    static pthread_t watcher;
    int number;

    sigwait(signals, &number);
    pthread_create(&watcher, NULL, second_signal, signals);
    pthread_detach(watcher);
}

/* "TABLE.OPTION=VALUE" items joined by commas; an option's name may have dots, a table's has none. */
static enum mr_status apply_overrides(struct sql_session *session, const char *text, struct mr_err *err)
{
    char *list = mr_strdup(text);
    char *rest = NULL;
    enum mr_status status = MR_OK;

    for (char *item = strtok_r(list, ",", &rest); item != NULL && status == MR_OK; item = strtok_r(NULL, ",", &rest)) {
        char *dot = strchr(item, '.');
        char *equals = dot ? strchr(dot, '=') : NULL;

        if (equals == NULL || dot == item || equals == dot + 1) {
            status = mr_err_set(err, MR_INVALID, "--set: \"%s\" is not TABLE.OPTION=VALUE", item);
            break;
        }
        *dot = *equals = '\0';
        sql_session_override(session, item, dot + 1, equals + 1);
    }
    mr_free(list);
    return status;
}

static enum mr_status load_project(struct server *server, const struct project *project, const char *overrides,
                                   struct mr_err *err)
{
    struct sql_session *session = sql_engine_session(server->engine);
    enum mr_status status = MR_OK;

    if (overrides != NULL)
        status = apply_overrides(session, overrides, err);
    for (size_t i = 0; status == MR_OK && project != NULL && i < project->file_count; i++) {
        const struct project_file *file = &project->files[i];
        struct mr_str text = { (const char *)file->text.data, file->text.size };

        status = sql_engine_load(server->engine, text, file->stem, err);
        if (status != MR_OK && err->line > 0) {
            struct mr_writer shown = { 0 };

            sql_error_write(&shown, file->path, text, err);
            command_error("%.*s", (int)shown.size, (char *)shown.data);
            mr_writer_deinit(&shown);
            err->text[0] = '\0'; /* said */
        } else if (status != MR_OK) {
            mr_err_context(err, "%s", file->path);
        }
    }
    if (status == MR_OK && sql_session_override_unused(session) != NULL)
        status =
            mr_err_set(err, MR_INVALID, "--set: no table of the pipeline has %s", sql_session_override_unused(session));
    return status;
}

/* The pipelines, then the DAGs, which see their tables; an exit code. */
static int load(struct server *server, const struct project *project, const struct mr_config *config,
                struct mr_err *err)
{
    const char *trigger = mr_config_text(config, "trigger");
    bool data_failed = false;

    if (load_project(server, project, mr_config_text(config, "set"), err) != MR_OK)
        return EXIT_CONFIGURATION;
    if (dags_open(server, project, config, &data_failed, err) != MR_OK)
        return data_failed ? EXIT_DATA_DIR : EXIT_CONFIGURATION;
    if (trigger != NULL && dags_check(server->dags, trigger, err) != MR_OK) {
        mr_err_context(err, "--trigger");
        return EXIT_CONFIGURATION;
    }
    return EXIT_DONE;
}

static void print_ready(const struct server *server, const struct project *project)
{
    struct sql_query_status query;

    if (stack_kafka(server->stack) != NULL)
        printf("log      ready  kafka  %s\n", stack_kafka_listeners(server->stack));
    else
        printf("log      external      %s\n", server->file.kafka);
    if (stack_cql(server->stack) != NULL)
        printf("tables   ready  cql    %s   cqlsh -u cassandra -p cassandra\n", server->file.cql);
    else
        printf("tables   external      %s\n", server->file.cql);
    printf("console  ready         http://%s/\n", server->file.http);
    for (size_t i = 0; sql_engine_query(server->engine, i, &query); i++)
        printf("query    %-13s %s\n", sql_query_state_name(query.state), query.name);
    if (dags_count(server->dags) > 0)
        printf("dags     ready         %" PRIu32 ": http://%s/api/dags\n", dags_count(server->dags), server->file.http);
    if (project != NULL && project->file_count == 0)
        printf("no pipelines in %s\n", project->dir);
    printf("data in  %s%s\n", server->data_dir.path, server->data_dir.ephemeral ? " (gone at the end)" : "");
    fflush(stdout);
}

/* Writes the line that scripts wait for. */
static void tell_ready(const struct server *server, const struct mr_config *config)
{
    struct mr_writer line = { 0 };
    int fd = (int)mr_config_integer(config, "ready-fd");

    if (mr_config_text(config, "ready-fd") == NULL)
        return;
    server_file_line(&server->file, &line);
    if (write(fd, line.data, line.size) != (ssize_t)line.size)
        command_error("--ready-fd %d can't be written", fd);
    close(fd);
    mr_writer_deinit(&line);
}

static int run_server(struct mr_config *config, const struct project *project)
{
    struct server_options server_options = {
        .config = config,
        .project_dir = project ? project->dir : NULL,
        .ephemeral = mr_config_flag(config, "ephemeral"),
        .free_ports = mr_config_flag(config, "ephemeral"),
        .http = true,
    };
    struct server server;
    struct mr_err err = MR_ERR_INIT;
    sigset_t signals;
    int code = EXIT_DONE;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (server_open(&server, &server_options, &code, &err) != MR_OK) {
        command_error("%s", err.text);
        return code;
    }
    code = load(&server, project, config, &err);
    if (code != EXIT_DONE) /* nothing was started */
        ;
    else if (server_file_write(&server.file, &err) != MR_OK)
        code = EXIT_DATA_DIR;
    else if (sql_engine_start(server.engine, &err) != MR_OK)
        code = EXIT_FAILED;
    if (code == EXIT_DONE) {
        dags_start(server.dags, mr_config_text(config, "trigger"));
        print_ready(&server, project);
        tell_ready(&server, config);
        wait_for_signal(&signals);
    } else if (err.text[0] != '\0') {
        command_error("%s", err.text);
    }
    if (!server.data_dir.ephemeral)
        server_file_remove(server.data_dir.path);
    server_close(&server);
    return code;
}

static int run(struct mr_config *config, char **rest, int rest_count)
{
    struct project *project = NULL;
    struct mr_err err = MR_ERR_INIT;
    int code;

    if (rest_count > 0 && project_read(&project, rest[0], &err) != MR_OK) {
        command_error("%s", err.text);
        return EXIT_CONFIGURATION;
    }
    if (settings_complete(config, project ? project->dir : NULL, &err) != MR_OK) {
        command_error("%s", err.text);
        code = EXIT_CONFIGURATION;
    } else {
        settings_apply_logging(config);
        if (strcmp(mr_config_text(config, "security"), "open") == 0)
            command_error("warning: security is open: everyone who can reach a port may read and write everything");
        code = run_server(config, project);
    }
    project_free(project);
    return code;
}

const struct command command_run = {
    .name = "run",
    .summary = "Run a project, a single SQL file, or the servers alone",
    .usage = "millrace run [DIR|FILE] [OPTION...]",
    .text = "DIR is a project: pipelines/*.sql, dags/*.yaml and, if you like, millrace.yaml.  Every option can also\n"
            "stand in millrace.yaml or in the environment (kafka.listen: MILLRACE_KAFKA_LISTEN).  SIGTERM and Ctrl-C\n"
            "finish what is under way.",
    .example = "  millrace run examples/random_names\n  millrace run --ephemeral --ready-fd 3",
    .options = options,
    .option_count = MR_COUNT(options),
    .rest_max = 1,
    .run = run,
};

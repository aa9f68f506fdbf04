/* server.c -- see server.h. */
#include "main/server.h"
#include "base/env.h"
#include "connectors/connectors.h"
#include "main/api.h"
#include "main/api_browse.h"
#include "main/command.h"
#include "main/dags.h"
#include "sql/sql.h"
#include "state/state.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *listen_address(const struct server_options *o, const char *setting)
{
    const char *origin = mr_config_origin(o->config, setting);

    if (o->free_ports && strcmp(origin, "default") == 0)
        return "127.0.0.1:0";
    return mr_config_text(o->config, setting);
}

static enum mr_status open_data_dir(struct server *s, const struct server_options *o, struct mr_err *err)
{
    char path[MR_PATH_BYTES];
    enum mr_status status;

    if (o->ephemeral)
        return data_dir_open(&s->data_dir, NULL, err);
    status = data_dir_resolve(mr_config_text(o->config, "data-dir"), o->project_dir, path, err);
    return status == MR_OK ? data_dir_open(&s->data_dir, path, err) : status;
}

static enum mr_status open_stack(struct server *s, const struct server_options *o, bool *data_failed,
                                 struct mr_err *err)
{
    struct stack_options options = {
        .data_dir = s->data_dir.path,
        .http_hosts = mr_config_text(o->config, "http.hosts"),
        .relaxed = strcmp(mr_config_text(o->config, "durability"), "relaxed") == 0,
        .security_open = strcmp(mr_config_text(o->config, "security"), "open") == 0,
    };

    if (mr_config_text(o->config, "kafka.external") == NULL)
        options.kafka_listen = listen_address(o, "kafka.listen");
    options.kafka_advertise = mr_config_text(o->config, "kafka.advertise");
    options.replication_reject = strcmp(mr_config_text(o->config, "replication.factor.policy"), "reject") == 0;
    options.group_delay_ms = mr_config_integer(o->config, "group.initial.rebalance.delay.ms");
    options.group_session_ms = mr_config_integer(o->config, "group.min.session.timeout.ms");
    options.offsets_minutes = mr_config_integer(o->config, "offsets.retention.minutes");
    if (mr_config_text(o->config, "cassandra.external") == NULL)
        options.cql_listen = listen_address(o, "cql.listen");
    if (o->http)
        options.http_listen = listen_address(o, "http.listen");
    return stack_open(&s->stack, &options, data_failed, err);
}

static void copy_address(char *out, const char *own, const char *external)
{
    snprintf(out, SERVER_ADDRESS_BYTES, "%s", own ? own : external ? external : "");
}

static void fill_file(struct server *s, const struct server_options *o)
{
    uint64_t token[2] = { mr_random_u64(mr_env_real()), mr_random_u64(mr_env_real()) };

    s->file.pid = getpid();
    copy_address(s->file.kafka, stack_kafka(s->stack), mr_config_text(o->config, "kafka.external"));
    copy_address(s->file.cql, stack_cql(s->stack), mr_config_text(o->config, "cassandra.external"));
    copy_address(s->file.http, stack_http(s->stack), NULL);
    snprintf(s->file.data_dir, sizeof(s->file.data_dir), "%s", s->data_dir.path);
    snprintf(s->file.project, sizeof(s->file.project), "%s", o->project_dir ? o->project_dir : "");
    snprintf(s->file.token, sizeof(s->file.token), "%016" PRIx64 "%016" PRIx64, token[0], token[1]);
}

static enum mr_status open_engine(struct server *s, const struct server_options *o, bool *data_failed,
                                  struct mr_err *err)
{
    struct sql_engine_options options = {
        .env = mr_env_real(),
        .connectors = connectors_all(),
        .kafka_embedded = s->file.kafka,
        .cassandra_embedded = s->file.cql,
        .cassandra_is_ours = stack_cql(s->stack) != NULL,
        .kafka_is_shared = stack_kafka(s->stack) == NULL,
        .project_dir = o->project_dir ? o->project_dir : ".",
        .retry_ms = 500,
    };
    char path[MR_PATH_BYTES];
    enum mr_status status = mr_path_join(path, s->data_dir.path, "state", err);

    if (status == MR_OK)
        status = state_open(&s->state, path, mr_env_real(), err);
    *data_failed = status != MR_OK;
    options.state = s->state;
    return status == MR_OK ? sql_engine_open(&s->engine, &options, err) : status;
}

enum mr_status server_open(struct server *server, const struct server_options *options, int *exit_code,
                           struct mr_err *err)
{
    bool data_failed = false;
    enum mr_status status;

    *server = (struct server){ .data_dir = { .lock_fd = -1 }, .started_ns = mr_monotonic_ns(mr_env_real()) };
    status = open_data_dir(server, options, err);
    if (status != MR_OK) {
        *exit_code = EXIT_DATA_DIR;
        return status;
    }
    status = open_stack(server, options, &data_failed, err);
    if (status == MR_OK) {
        fill_file(server, options);
        status = open_engine(server, options, &data_failed, err);
    }
    if (status == MR_OK && options->http)
        api_routes(server);
    if (status != MR_OK) {
        *exit_code = data_failed ? EXIT_DATA_DIR : command_exit_of(status);
        server_close(server);
    }
    return status;
}

void server_close(struct server *server)
{
    dags_stop(server->dags);
    if (server->engine != NULL)
        sql_engine_stop(server->engine);
    if (server->stack != NULL)
        api_close(server);
    stack_close_http(server->stack); /* its handlers look at the engine */
    api_browse_free(server->browse);
    dags_close(server->dags);
    sql_engine_close(server->engine);
    stack_close(server->stack);
    state_close(server->state);
    data_dir_close(&server->data_dir);
    *server = (struct server){ .data_dir = { .lock_fd = -1 } };
}

/* harness.c -- see harness.h. */
#include "harness.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

atomic_bool harness_stop;

static const char *harness_option_get(const struct connector_table *table, const char *name)
{
    const struct harness_table *t = table->engine;

    for (const struct harness_option *o = t->options; o != NULL && o->name != NULL; o++)
        if (strcmp(o->name, name) == 0)
            return o->value;
    for (const struct connector_option *o = t->connector->options; o->name != NULL; o++)
        if (strcmp(o->name, name) == 0 ||
            (strchr(o->name, '*') != NULL && strncmp(o->name, name, strlen(o->name) - 1) == 0)) /* "fields.*" */
            return o->default_value;
    fprintf(stderr, "connector %s reads the option %s, which its table has not\n", t->connector->name, name);
    abort();
}

void harness_table_init(struct harness_table *out, const char *connector, const struct data_type *row,
                        const struct harness_option *options)
{
    *out = (struct harness_table){
        .table = { .name = "t", .row = row, .option = harness_option_get, .engine = out },
        .options = options,
        .connector = connectors_find(connector),
    };
    assert(out->connector != NULL);
}

const struct data_type *harness_row(struct mr_arena *arena, const char *columns)
{
    struct data_field fields[32];
    uint32_t count = 0;

    while (*columns != '\0') {
        const char *end = strchrnul(columns, ',');
        const char *space = memchr(columns, ' ', (size_t)(end - columns));
        enum data_kind kind;

        assert(space != NULL && count < MR_COUNT(fields));
        if (!data_kind_parse((struct mr_str){ space + 1, (size_t)(end - space - 1) }, &kind))
            abort();
        fields[count++] = (struct data_field){
            .name = mr_arena_str(arena, (struct mr_str){ columns, (size_t)(space - columns) }),
            .type = data_type_scalar(kind, true),
        };
        columns = *end == ',' ? end + 1 + (end[1] == ' ') : end;
    }
    return data_type_row(arena, fields, count, false);
}

void harness_context_init(struct connector_context *out, const char *dir)
{
    atomic_store(&harness_stop, false);
    *out = (struct connector_context){
        .env = mr_env_real(), .project_dir = dir, .query_name = "test", .stop = &harness_stop
    };
}

static int64_t harness_now_ms(void)
{
    return mr_monotonic_ns(mr_env_real()) / 1000000;
}

static void harness_positions_merge(struct connector_position *positions, uint32_t *count,
                                    const struct connector_poll *poll)
{
    static char states[16][4096];

    for (uint32_t i = 0; i < poll->position_count; i++) {
        uint32_t at = 0;

        while (at < *count && positions[at].split != poll->positions[i].split)
            at++;
        assert(at < 16);
        *count = at == *count ? at + 1 : *count;
        positions[at] = poll->positions[i];
        if (positions[at].state.size > 0) {
            memcpy(states[at], positions[at].state.data, positions[at].state.size);
            positions[at].state.data = states[at];
        }
    }
}

enum mr_status harness_read(const struct connector_source_ops *ops, struct connector_source *source, uint32_t want,
                            int deadline_ms, struct mr_writer *out, struct connector_position *positions,
                            uint32_t *position_count, bool *ended, struct mr_err *err)
{
    int64_t until_ms = harness_now_ms() + deadline_ms;
    uint32_t got = 0;

    *ended = false;
    while (got < want && !*ended && harness_now_ms() < until_ms) {
        struct connector_poll poll;
        enum mr_status status = ops->poll(source, 100, 1000, &poll, err);

        if (status != MR_OK)
            return status;
        for (uint32_t i = 0; i < poll.record_count; i++) {
            const struct connector_record *r = &poll.records[i];

            mr_write_text(out, "%d:%" PRId64 "%s ", r->split, r->position, r->trouble != NULL ? "!" : "");
            mr_write_bytes(out, r->value);
            mr_write_u8(out, '\n');
        }
        got += poll.record_count;
        harness_positions_merge(positions, position_count, &poll);
        *ended = poll.ended;
    }
    return MR_OK;
}

/* ---- servers ---- */

static void *harness_connection_run(void *arg)
{
    struct harness_connection *connection = arg;

    connection->server->handler(connection->server, connection->fd, connection->number);
    close(connection->fd);
    return NULL;
}

static void *harness_server_run(void *arg)
{
    struct harness_server *server = arg;

    while (!atomic_load(&server->closing)) {
        struct pollfd p = { .fd = server->listener, .events = POLLIN };
        int number = atomic_load(&server->connections);
        struct harness_connection *connection = &server->each[number];

        if (poll(&p, 1, 5) <= 0)
            continue;
        assert(number < HARNESS_CONNECTIONS_MAX);
        *connection = (struct harness_connection){ .server = server, .number = number };
        connection->fd = accept(server->listener, NULL, NULL);
        if (connection->fd < 0)
            continue;
        if (pthread_create(&connection->thread, NULL, harness_connection_run, connection) != 0)
            abort();
        atomic_fetch_add(&server->connections, 1);
    }
    for (int i = 0; i < atomic_load(&server->connections); i++)
        pthread_join(server->each[i].thread, NULL);
    return NULL;
}

void harness_server_start(struct harness_server *server, harness_handler_fn *handler, void *arg)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);

    memset(server, 0, sizeof(*server));
    server->handler = handler;
    server->arg = arg;
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (server->listener < 0 || bind(server->listener, (struct sockaddr *)&address, size) != 0 ||
        listen(server->listener, 16) != 0 || getsockname(server->listener, (struct sockaddr *)&address, &size) != 0)
        abort();
    server->port = ntohs(address.sin_port);
    snprintf(server->address, sizeof(server->address), "127.0.0.1:%d", server->port);
    if (pthread_create(&server->thread, NULL, harness_server_run, server) != 0)
        abort();
}

void harness_server_stop(struct harness_server *server)
{
    atomic_store(&server->closing, true);
    pthread_join(server->thread, NULL);
    close(server->listener);
}

bool harness_receive(struct harness_server *server, int fd, void *out, size_t size)
{
    size_t done = 0;

    while (done < size) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        ssize_t n;

        if (atomic_load(&server->closing))
            return false;
        if (poll(&p, 1, 5) <= 0)
            continue;
        n = recv(fd, (char *)out + done, size - done, 0);
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

void harness_send(int fd, const void *data, size_t size)
{
    const char *at = data;

    while (size > 0) {
        ssize_t n = send(fd, at, size, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* the client is gone: its business */
        at += n;
        size -= (size_t)n;
    }
}

bool harness_wait(const atomic_int *value, int want)
{
    int64_t until_ms = harness_now_ms() + 10000;

    while (atomic_load(value) < want) {
        if (harness_now_ms() > until_ms)
            return false;
        poll(NULL, 0, 1);
    }
    return true;
}

/* ---- files ---- */

void harness_dir_make(char out[128])
{
    const char *base = getenv("TMPDIR");

    snprintf(out, 128, "%s/connectors-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(out) == NULL)
        abort();
}

void harness_dir_remove(const char *dir)
{
    struct mr_err err;

    if (mr_remove_tree(mr_env_real(), dir, &err) != MR_OK)
        fprintf(stderr, "%s\n", err.text);
}

void harness_file_write(const char *dir, const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    file = fopen(path, "w");
    if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0)
        abort();
}

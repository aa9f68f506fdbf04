/* cql_client.c -- see cql_client_int.h.
 *
 * Stream 0 is for the one request that is waited for; request i has stream i + 1.
 * States of a request   FREE --request--> FILLING --submit--> WAITING --sent--> ON THE WAY --acknowledged--> FREE
 *                       ON THE WAY --may pass / connection gone--> WAITING (after a delay)
 *                       ON THE WAY --cannot pass--> the client has FAILED, for good
 * After a reconnect the statement is prepared again before anything else is sent.  Its id is made of the statement's
 * text, so frames that hold it stay right; a server that gives another one is refused. */
#include "connectors/cql_client_int.h"

#include <stdio.h>
#include <string.h>

enum { CQL_CLIENT_ID_BYTES_MAX = 64 };

struct cql_client {
    const struct connector_context *ctx; /* borrowed */
    struct cql_client_options options;
    struct connector_address addresses[CONNECTOR_ADDRESSES_MAX];
    int address_count, address_next;
    struct cql_conn conn;
    int64_t connect_ms; /* no connect before */
    int64_t heard_ms;   /* when the last answer came, or the first request after one went */
    struct connector_backoff backoff;
    struct connector_warner warner;

    struct cql_request *requests; /* owned; options.in_flight_max of them */
    uint32_t used;                /* submitted or filling */
    uint32_t unsent;              /* submitted, and not on the way */
    uint32_t on_the_way;
    struct mr_err failed; /* status MR_OK while all is well */

    char *statement; /* owned; NULL: none */
    uint8_t id[CQL_CLIENT_ID_BYTES_MAX];
    size_t id_size;
    bool prepare_again; /* the server forgot the statement */

    bool call_running; /* the answer on stream 0 is waited for */
    bool call_done;
    uint8_t call_opcode;
    uint8_t call_flags;
    struct mr_writer call_body;
};

enum mr_status cql_client_new(struct cql_client **out, const struct connector_context *ctx,
                              const struct cql_client_options *options, struct mr_err *err)
{
    struct cql_client *client = MR_NEW(struct cql_client);
    enum mr_status status;

    assert(options->in_flight_max > 0 && options->in_flight_max <= CQL_CLIENT_IN_FLIGHT_MAX);
    status = connector_addresses_parse(options->contact_points, CQL_CLIENT_PORT, options->option_name,
                                       client->addresses, &client->address_count, err);
    if (status != MR_OK) {
        mr_free(client);
        return status;
    }
    client->ctx = ctx;
    client->options = *options;
    client->backoff = (struct connector_backoff){ .base_ms = 50, .max_ms = 5000 };
    client->requests = mr_calloc(options->in_flight_max, sizeof(*client->requests));
    for (uint32_t i = 0; i < options->in_flight_max; i++)
        client->requests[i].stream = (int16_t)(i + 1);
    cql_conn_init(&client->conn, ctx);
    *out = client;
    return MR_OK;
}

void cql_client_free(struct cql_client *client)
{
    if (client == NULL)
        return;
    cql_conn_deinit(&client->conn);
    for (uint32_t i = 0; i < client->options.in_flight_max; i++)
        mr_writer_deinit(&client->requests[i].frame);
    mr_free(client->requests);
    mr_free(client->statement);
    mr_writer_deinit(&client->call_body);
    mr_free(client);
}

/* ---- answers ---- */

/* A server's error as a status and a message. */
static enum mr_status error_set(const struct cql_error *error, struct mr_err *err)
{
    enum mr_status status = MR_INVALID;

    if (cql_error_retriable(error->code) || error->code == CQL_ERR_UNPREPARED)
        status = MR_BUSY;
    else if (error->code == CQL_ERR_SERVER)
        status = MR_IO;
    else if (error->code == CQL_ERR_UNAUTHORIZED || error->code == CQL_ERR_CREDENTIALS)
        status = MR_DENIED;
    else if (error->code == CQL_ERR_EXISTS)
        status = MR_EXISTS;
    return mr_err_set(err, status, "%.*s (%s)", MR_STR_ARG(error->message), cql_error_name(error->code));
}

static void request_release(struct cql_client *client, struct cql_request *request)
{
    assert(request->used && request->sent);
    client->on_the_way--;
    request->used = request->sent = false;
    request->attempt = 0;
    request->frame.size = 0;
    client->used--;
}

/* An ERROR for a submitted request. */
static void request_failed(struct cql_client *client, struct cql_request *request, const struct cql_frame *frame)
{
    struct mr_reader reader = mr_reader_of(frame->body);
    struct mr_arena *arena = mr_arena_new();
    struct connector_backoff backoff = { .base_ms = 20, .max_ms = 5000, .attempt = request->attempt };
    struct mr_err why = MR_ERR_INIT;
    struct cql_prefix prefix;
    struct cql_error error;
    bool readable = cql_prefix_read(&prefix, &reader, frame->header.flags, true, arena) == MR_OK &&
                    cql_error_read(&error, &reader, CQL_V4) == MR_OK;

    mr_arena_free(arena);
    if (!readable)
        mr_err_set(&why, MR_IO, "the CQL server sent an error that can't be read");
    if (!readable || error_set(&error, &why) != MR_BUSY) {
        if (client->failed.status == MR_OK)
            client->failed = why;
        return;
    }
    if (error.code == CQL_ERR_UNPREPARED)
        client->prepare_again = true;
    request->sent = false;
    client->on_the_way--;
    request->retry_ms = connector_clock_ms(client->ctx);
    if (error.code != CQL_ERR_UNPREPARED || request->attempt > 2)
        request->retry_ms += connector_backoff_next(&backoff, client->ctx);
    request->attempt++;
    client->unsent++;
    connector_warn(&client->warner, client->ctx, "CQL server %s:%u: %s; sent again", client->conn.address.host,
                   client->conn.address.port, why.text);
}

/* Takes every answer that was received, up to that of the running call. */
static enum mr_status client_answers_take(struct cql_client *client, struct mr_err *err)
{
    struct cql_frame frame;
    enum mr_status status;

    while ((status = cql_conn_next(&client->conn, &frame, err)) == MR_OK) {
        int stream = frame.header.stream;
        struct cql_request *request;

        client->heard_ms = connector_clock_ms(client->ctx);
        if (stream < 0)
            continue; /* an event nobody asked for */
        if (stream == 0 && client->call_running) {
            client->call_done = true;
            client->call_opcode = frame.header.opcode;
            client->call_flags = frame.header.flags;
            client->call_body.size = 0;
            mr_write_bytes(&client->call_body, frame.body);
            return MR_OK; /* what follows is for later */
        }
        request =
            stream > 0 && (uint32_t)stream <= client->options.in_flight_max ? &client->requests[stream - 1] : NULL;
        if (request == NULL || !request->sent)
            return mr_err_set(err, MR_IO, "CQL server %s:%u answered a request that was not sent",
                              client->conn.address.host, client->conn.address.port);
        if (frame.header.opcode == CQL_OP_ERROR)
            request_failed(client, request, &frame);
        else
            request_release(client, request);
    }
    return status == MR_NEED_MORE ? MR_OK : status;
}

/* The connection is gone: all that was on the way is to be sent again. */
static void client_lost(struct cql_client *client, const struct mr_err *why)
{
    int64_t delay_ms = connector_backoff_next(&client->backoff, client->ctx);

    cql_conn_close(&client->conn);
    client->connect_ms = connector_clock_ms(client->ctx) + delay_ms;
    for (uint32_t i = 0; i < client->options.in_flight_max; i++) {
        if (client->requests[i].used && client->requests[i].sent) {
            client->requests[i].sent = false;
            client->on_the_way--;
            client->unsent++;
        }
    }
    assert(client->on_the_way == 0);
    connector_warn(&client->warner, client->ctx, "%s; tried again in %" PRId64 " ms", why->text, delay_ms);
}

/* ---- requests that are waited for ---- */

static enum mr_status client_call(struct cql_client *client, size_t begin, struct mr_err *err)
{
    enum mr_status status;

    cql_frame_end(&client->conn.out, begin);
    client->call_running = true;
    client->call_done = false;
    client->heard_ms = connector_clock_ms(client->ctx);
    status = client_answers_take(client, err);
    while (status == MR_OK && !client->call_done) {
        if (connector_stopped(client->ctx))
            status = mr_err_set(err, MR_BUSY, "stopped");
        else if (connector_clock_ms(client->ctx) - client->heard_ms > CQL_CLIENT_ANSWER_MS)
            status = mr_err_set(err, MR_IO, "CQL server %s:%u does not answer", client->conn.address.host,
                                client->conn.address.port);
        if (status == MR_OK)
            status = cql_conn_pump(&client->conn, CONNECTOR_WAIT_SLICE_MS, err);
        if (status == MR_OK)
            status = client_answers_take(client, err);
    }
    client->call_running = false;
    return status;
}

/* Reads the answer of client_call into *OUT, which borrows ARENA. */
static enum mr_status client_call_result(struct cql_client *client, struct mr_arena *arena, struct cql_result *out,
                                         struct mr_err *err)
{
    struct mr_reader reader = mr_reader_of(mr_arena_bytes(arena, mr_writer_bytes(&client->call_body)));
    struct cql_prefix prefix;
    struct cql_error error;

    if (cql_prefix_read(&prefix, &reader, client->call_flags, true, arena) != MR_OK)
        goto unreadable;
    if (client->call_opcode == CQL_OP_ERROR && cql_error_read(&error, &reader, CQL_V4) == MR_OK)
        return error_set(&error, err);
    if (client->call_opcode == CQL_OP_RESULT && cql_result_read(out, &reader, CQL_V4, arena) == MR_OK)
        return MR_OK;
unreadable:
    return mr_err_set(err, MR_IO, "CQL server %s:%u gave an answer that can't be read", client->conn.address.host,
                      client->conn.address.port);
}

static enum mr_status client_prepare_send(struct cql_client *client, struct mr_err *err)
{
    struct cql_prepare prepare = { .text = mr_str_of(client->statement) };
    struct mr_arena *arena = mr_arena_new();
    struct cql_result result = { 0 };
    enum mr_status status;
    size_t begin = cql_frame_begin(&client->conn.out, CQL_V4, false, 0, 0, CQL_OP_PREPARE);

    cql_prepare_write(&client->conn.out, CQL_V4, &prepare);
    status = client_call(client, begin, err);
    if (status == MR_OK)
        status = client_call_result(client, arena, &result, err);
    if (status == MR_OK && (result.kind != CQL_RESULT_PREPARED || result.id.size > sizeof(client->id)))
        status = mr_err_set(err, MR_IO, "the CQL server did not prepare a statement");
    if (status == MR_OK && client->id_size > 0 && mr_bytes_compare(result.id, cql_client_prepared_id(client)) != 0)
        status = mr_err_set(err, MR_INVALID,
                            "the CQL server gives the same statement another id now: start the query again");
    if (status == MR_OK) {
        memcpy(client->id, result.id.data, result.id.size);
        client->id_size = result.id.size;
        client->prepare_again = false;
    }
    mr_arena_free(arena);
    return status;
}

static enum mr_status client_query_send(struct cql_client *client, const struct cql_query *query,
                                        struct mr_arena *arena, struct cql_result *out, struct mr_err *err)
{
    enum mr_status status;
    size_t begin;

    assert(client->conn.fd >= 0);
    begin = cql_frame_begin(&client->conn.out, CQL_V4, false, 0, 0, CQL_OP_QUERY);
    cql_query_write(&client->conn.out, CQL_V4, query);
    status = client_call(client, begin, err);
    if (status == MR_OK)
        status = client_call_result(client, arena, out, err);
    return status;
}

enum mr_status cql_client_query(struct cql_client *client, const char *text, struct mr_arena *arena,
                                struct cql_result *out, struct mr_err *err)
{
    struct cql_query query = { .text = mr_str_of(text), .params = { .consistency = CQL_ONE } };

    return client_query_send(client, &query, arena, out, err);
}

enum mr_status cql_client_run(struct cql_client *client, const struct cql_query *query, struct mr_arena *arena,
                              struct cql_result *out, struct mr_err *err)
{
    return client_query_send(client, query, arena, out, err);
}

enum mr_status cql_client_prepare(struct cql_client *client, const char *text, struct mr_err *err)
{
    assert(client->statement == NULL);
    client->statement = mr_strdup(text);
    return client_prepare_send(client, err);
}

struct mr_bytes cql_client_prepared_id(const struct cql_client *client)
{
    return (struct mr_bytes){ client->id, client->id_size };
}

/* ---- connecting ---- */

/* Tries each address once. */
static enum mr_status client_connect_once(struct cql_client *client, struct mr_err *err)
{
    enum mr_status status = MR_IO;

    for (int i = 0; i < client->address_count; i++) {
        const struct connector_address *to = &client->addresses[client->address_next];

        status = cql_conn_open(&client->conn, to, client->options.user, client->options.password, err);
        if (status == MR_OK || status == MR_BUSY)
            break;
        client->address_next = (client->address_next + 1) % client->address_count;
    }
    if (status == MR_OK && client->statement != NULL) {
        status = client_prepare_send(client, err);
        if (status != MR_OK)
            cql_conn_close(&client->conn);
    }
    if (status == MR_OK) {
        client->backoff.attempt = 0;
        client->heard_ms = connector_clock_ms(client->ctx);
    }
    return status;
}

enum mr_status cql_client_connect(struct cql_client *client, int64_t until_ms, struct mr_err *err)
{
    for (;;) {
        enum mr_status status = client_connect_once(client, err);
        int64_t next_ms;

        if (status != MR_IO)
            return status;
        next_ms = connector_clock_ms(client->ctx) + connector_backoff_next(&client->backoff, client->ctx);
        if (next_ms >= until_ms)
            return status;
        if (connector_wait_until(client->ctx, next_ms) != MR_OK)
            return mr_err_set(err, MR_BUSY, "stopped");
    }
}

/* ---- submitted requests ---- */

/* Connects when that is due.  MR_OK also when it did not work and is to be tried again. */
static enum mr_status client_reconnect(struct cql_client *client, int wait_ms, struct mr_err *err)
{
    int64_t now_ms = connector_clock_ms(client->ctx);
    struct mr_err why = MR_ERR_INIT;
    enum mr_status status;

    if (now_ms < client->connect_ms)
        return connector_wait_until(client->ctx,
                                    now_ms + wait_ms < client->connect_ms ? now_ms + wait_ms : client->connect_ms);
    status = client_connect_once(client, &why);
    if (status == MR_IO || (status == MR_BUSY && !connector_stopped(client->ctx))) {
        client_lost(client, &why);
        return MR_OK;
    }
    if (status != MR_OK && err != NULL)
        *err = why;
    return status;
}

enum mr_status cql_client_read(struct cql_client *client, const struct cql_query *query, struct mr_arena *arena,
                               struct cql_result *out, struct mr_err *err)
{
    for (;;) {
        struct mr_err why = MR_ERR_INIT;
        enum mr_status status;

        if (connector_stopped(client->ctx))
            return mr_err_set(err, MR_BUSY, "stopped");
        if (client->conn.fd < 0) {
            status = client_reconnect(client, CONNECTOR_WAIT_SLICE_MS, err);
            if (status != MR_OK)
                return status;
            continue;
        }
        status = client_query_send(client, query, arena, out, &why);
        if (status != MR_IO && status != MR_BUSY) {
            if (status != MR_OK && err != NULL)
                *err = why;
            return status;
        }
        client_lost(client, &why);
    }
}

static void client_send_due(struct cql_client *client)
{
    int64_t now_ms = connector_clock_ms(client->ctx);

    for (uint32_t i = 0; i < client->options.in_flight_max && client->unsent > 0; i++) {
        struct cql_request *request = &client->requests[i];

        if (!request->used || request->sent || request->filling || request->retry_ms > now_ms)
            continue;
        mr_write_bytes(&client->conn.out, mr_writer_bytes(&request->frame));
        request->sent = true;
        client->unsent--;
        client->on_the_way++;
    }
}

/* Goes on for at most WAIT_MS (0: only what can be done at once).  MR_OK though nothing may have happened. */
static enum mr_status client_step(struct cql_client *client, int wait_ms, struct mr_err *err)
{
    struct mr_err why = MR_ERR_INIT;
    enum mr_status status;

    if (client->failed.status == MR_OK && connector_stopped(client->ctx))
        return mr_err_set(err, MR_BUSY, "stopped");
    if (client->conn.fd < 0)
        return client_reconnect(client, wait_ms, err);
    status = client->prepare_again ? client_prepare_send(client, &why) : MR_OK;
    if (status == MR_OK) {
        if (client->on_the_way == 0)
            client->heard_ms = connector_clock_ms(client->ctx);
        client_send_due(client);
        status = cql_conn_pump(&client->conn, wait_ms, &why);
    }
    if (status == MR_OK)
        status = client_answers_take(client, &why);
    if (status == MR_OK && client->on_the_way > 0 &&
        connector_clock_ms(client->ctx) - client->heard_ms > CQL_CLIENT_ANSWER_MS)
        status = mr_err_set(&why, MR_IO, "CQL server %s:%u does not answer", client->conn.address.host,
                            client->conn.address.port);
    if (status == MR_IO || (status == MR_BUSY && !connector_stopped(client->ctx))) {
        client_lost(client, &why);
        status = MR_OK;
    }
    if (status == MR_OK && client->failed.status != MR_OK) {
        why = client->failed;
        status = why.status;
    }
    if (status != MR_OK && err != NULL)
        *err = why;
    return status;
}

enum mr_status cql_client_request(struct cql_client *client, struct cql_request **out, struct mr_err *err)
{
    while (client->used == client->options.in_flight_max) {
        enum mr_status status = client_step(client, CONNECTOR_WAIT_SLICE_MS, err);

        if (status != MR_OK)
            return status;
    }
    for (uint32_t i = 0; i < client->options.in_flight_max; i++) {
        struct cql_request *request = &client->requests[i];

        if (request->used)
            continue;
        request->used = true;
        request->sent = false;
        request->filling = true;
        client->used++;
        *out = request;
        return MR_OK;
    }
    assert(false);
    return MR_BUSY;
}

enum mr_status cql_client_submit(struct cql_client *client, struct cql_request *request, struct mr_err *err)
{
    assert(request->used && request->frame.size >= CQL_HEADER_BYTES);
    request->filling = false;
    request->retry_ms = 0;
    client->unsent++;
    return client_step(client, 0, err);
}

enum mr_status cql_client_drain(struct cql_client *client, struct mr_err *err)
{
    while (client->unsent + client->on_the_way > 0) {
        enum mr_status status = client_step(client, CONNECTOR_WAIT_SLICE_MS, err);

        if (status != MR_OK)
            return status;
    }
    return MR_OK;
}

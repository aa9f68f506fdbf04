/* server.c -- listeners, connections, frames.
 *
 * A request is looked at when its frame is whole, in place in the connection's input; it is taken from the input when
 * it was handled.  One that finds the store's queue full stays there, and its connection is paused until a write ends.
 */
#include "tables/server_int.h"

#include "base/logging.h"
#include "base/thread.h"

#include <stdio.h>
#include <string.h>

/* Drivers look for these words before they try a lower version. */
#define UNSUPPORTED_VERSION "Invalid or unsupported protocol version (%d); supported versions are (3/v3, 4/v4, 5/v5)"

enum { PLAIN_KEEP_BYTES = 1024 * 1024 };

/* Header fields that end the connection: nothing after them can be trusted. */
static bool header_is_good(struct conn *conn, const struct cql_header *header, enum mr_status status)
{
    if (header->is_answer || header->version < CQL_VERSION_MIN || header->version > CQL_VERSION_MAX) {
        input_reject(conn, CQL_VERSION_MAX, header->stream, UNSUPPORTED_VERSION, header->version);
        return false;
    }
    if (conn->is_started && header->version != conn->version) {
        input_reject(conn, conn->version, header->stream,
                     "Invalid message version. Got %d/v%d but previous messages on this connection had version %d/v%d",
                     header->version, header->version, conn->version, conn->version);
        return false;
    }
    if (status != MR_OK || header->body_bytes > input_body_max(conn)) {
        if (status != MR_OK)
            input_reject(conn, header->version, header->stream, "the frame's length is negative");
        else
            input_reject(conn, header->version, header->stream,
                         "Request is too big: length %" PRIu32 " exceeds maximum allowed length %zu%s.",
                         header->body_bytes, input_body_max(conn),
                         conn->state == CONN_READY ? "" : " before the login");
        return false;
    }
    if (header->flags & CQL_FRAME_COMPRESSED && header->version < CQL_V5 && conn->compression == CQL_PLAIN) {
        input_reject(conn, header->version, header->stream,
                     "the frame is compressed, but no compression was agreed on");
        return false;
    }
    return true;
}

/* Runs the request; those before READY are few. */
static enum handled dispatch(struct frame *frame)
{
    struct conn *conn = frame->conn;
    uint8_t opcode = frame->header.opcode;

    if (opcode == CQL_OP_OPTIONS)
        handle_options(frame);
    else if (opcode == CQL_OP_STARTUP)
        handle_startup(frame);
    else if (opcode == CQL_OP_AUTH_RESPONSE)
        handle_auth_response(frame);
    else if (opcode != CQL_OP_REGISTER && opcode != CQL_OP_QUERY && opcode != CQL_OP_PREPARE &&
             opcode != CQL_OP_EXECUTE && opcode != CQL_OP_BATCH)
        answer_fail(conn, frame->header.version, frame->header.stream, CQL_ERR_PROTOCOL, "Unknown opcode %d", opcode);
    else if (conn->state != CONN_READY)
        answer_fail(conn, frame->header.version, frame->header.stream, CQL_ERR_PROTOCOL,
                    "Unexpected message %s, expecting %s", cql_opcode_name(opcode),
                    conn->state == CONN_NEW ? "STARTUP or OPTIONS" : "SASL_RESPONSE");
    else if (opcode == CQL_OP_REGISTER)
        handle_register(frame);
    else if (opcode == CQL_OP_PREPARE)
        handle_prepare(frame);
    else if (opcode == CQL_OP_QUERY)
        return handle_query(frame);
    else if (opcode == CQL_OP_EXECUTE)
        return handle_execute(frame);
    else
        return handle_batch(frame);
    return HANDLED;
}

static enum handled dispatch_traced(struct frame *frame)
{
    uint8_t opcode = frame->header.opcode;
    bool is_traced =
        frame->header.flags & CQL_FRAME_TRACING && frame->conn->state == CONN_READY &&
        (opcode == CQL_OP_QUERY || opcode == CQL_OP_PREPARE || opcode == CQL_OP_EXECUTE || opcode == CQL_OP_BATCH);
    enum handled handled;

    if (is_traced)
        trace_begin(frame);
    handled = dispatch(frame);
    if (is_traced && handled == HANDLED_STALL)
        trace_cancel(frame->conn, frame->header.stream);
    frame->conn->request_count += handled == HANDLED;
    return handled;
}

static enum handled handle_frame(struct conn *conn, const struct cql_header *header, const uint8_t *bytes)
{
    struct frame frame = { .conn = conn, .header = *header, .keyspace = conn->keyspace };
    struct mr_bytes body = { bytes + CQL_HEADER_BYTES, header->body_bytes };
    struct cql_prefix prefix;
    enum handled handled = HANDLED;

    if (header->flags & CQL_FRAME_COMPRESSED && header->version < CQL_V5 &&
        !input_decompress(conn, &frame.header, &body))
        return HANDLED;
    frame.body = mr_reader_of(body);
    conn->version = header->version;
    if (header->opcode < CQL_OP_N)
        mr_metric_add(conn->tables->requests[header->opcode], 1);
    if (header->flags & CQL_FRAME_PAYLOAD && header->version < CQL_V4)
        answer_fail(conn, header->version, header->stream, CQL_ERR_PROTOCOL,
                    "Received frame with CUSTOM_PAYLOAD flag for native protocol version < 4");
    else if (cql_prefix_read(&prefix, &frame.body, header->flags, false, conn->tables->arena) != MR_OK)
        handle_malformed(&frame);
    else
        handled = dispatch_traced(&frame);
    mr_arena_reset(conn->tables->arena);
    if (conn->tables->plain.capacity > PLAIN_KEEP_BYTES)
        mr_writer_deinit(&conn->tables->plain);
    return handled;
}

static void pause_conn(struct conn *conn)
{
    if (!conn->is_paused)
        net_conn_pause(conn->net);
    conn->is_paused = true;
}

static bool is_over_its_share(const struct conn *conn)
{
    return conn->in_flight >= TABLES_IN_FLIGHT_MAX || conn->in_flight_bytes > TABLES_IN_FLIGHT_BYTES_MAX;
}

/* Versions 1 and 2 had a stream of one byte: they are told so in a frame that they can read. */
static void reject_old(struct conn *conn, uint8_t version)
{
    struct mr_writer *answer = &conn->tables->answer;
    size_t position = answer_begin(conn->tables, version, 0, CQL_OP_ERROR);
    struct mr_writer text = { 0 };

    mr_write_text(&text, UNSUPPORTED_VERSION, version);
    cql_error_write(
        answer, version,
        &(struct cql_error){ .code = CQL_ERR_PROTOCOL, .message = mr_str_of_bytes(mr_writer_bytes(&text)) });
    cql_frame_end(answer, position);
    memmove(answer->data + 2, answer->data + 3, answer->size - 3);
    answer->size--;
    net_conn_write(conn->net, mr_writer_bytes(answer));
    mr_writer_deinit(&text);
    conn->is_closing = true;
}

/* Looks at the first frame of the input; false when there is nothing more to do now. */
static bool read_one(struct conn *conn, struct evbuffer *input)
{
    uint8_t head[CQL_HEADER_BYTES];
    struct cql_header header;
    enum mr_status status;
    ev_ssize_t got = evbuffer_copyout(input, head, sizeof(head));

    if (got > 0 && head[0] < CQL_VERSION_MIN && head[0] > 0 && !conn->is_started)
        reject_old(conn, head[0]);
    if (got < CQL_HEADER_BYTES || conn->is_closing)
        return false;
    status = cql_header_read(&header, (struct mr_bytes){ head, sizeof(head) });
    if (!header_is_good(conn, &header, status))
        return false;
    if (evbuffer_get_length(input) < CQL_HEADER_BYTES + (size_t)header.body_bytes)
        return false;
    if (is_over_its_share(conn)) {
        pause_conn(conn);
        return false;
    }
    if (handle_frame(conn, &header,
                     evbuffer_pullup(input, (ev_ssize_t)CQL_HEADER_BYTES + (ev_ssize_t)header.body_bytes)) ==
        HANDLED_STALL) {
        conn->is_stalled = true;
        conn->tables->stalled_count++;
        pause_conn(conn);
        return false;
    }
    evbuffer_drain(input, CQL_HEADER_BYTES + (size_t)header.body_bytes);
    return true;
}

void conn_read(struct net_conn *net, void *arg)
{
    struct conn *conn = arg;
    struct evbuffer *input = net_conn_input(net);

    while (!conn->is_closing && !conn->is_paused && !net_conn_output_full(net)) {
        if (conn->is_framed && !input_fill(conn, input))
            break;
        if (!read_one(conn, conn->is_framed ? conn->envelopes : input))
            break;
    }
    if (conn->is_closing)
        net_conn_close_after_flush(net);
}

static void conn_closed(struct net_conn *net, enum net_close_reason reason, void *arg)
{
    struct conn *conn = arg;
    struct tables *tables = conn->tables;

    MR_UNUSED(net);
    MR_UNUSED(reason);
    net_timer_free(conn->login_timer);
    conn->login_timer = NULL;
    if (conn->envelopes != NULL)
        evbuffer_free(conn->envelopes);
    conn->envelopes = NULL;
    trace_forget(conn);
    *(conn->previous ? &conn->previous->next : &tables->conns) = conn->next;
    if (conn->next != NULL)
        conn->next->previous = conn->previous;
    tables->stalled_count -= conn->is_stalled;
    conn->is_stalled = false;
    conn->net = NULL;
    mr_metric_add(tables->connections, -1);
    conn_unref(conn);
}

/* Output has room again: go on with envelopes that were taken from the input; for the others on_read comes by
 * itself. */
static void conn_drained(struct net_conn *net, void *arg)
{
    struct conn *conn = arg;

    if (conn->envelopes != NULL && !conn->is_closing)
        conn_read(net, conn);
}

static const struct net_conn_callbacks callbacks = { .on_read = conn_read,
                                                     .on_drained = conn_drained,
                                                     .on_close = conn_closed };

/* A client that keeps a connection without logging in, however busy it is with that. */
static void login_late(void *arg)
{
    struct conn *conn = arg;

    net_conn_close(conn->net);
}

static void accepted(struct net_conn *net, void *arg)
{
    struct tables *tables = arg;
    struct conn *conn;

    if (tables->is_closing) {
        net_conn_close(net);
        return;
    }
    conn = MR_NEW(struct conn);
    conn->tables = tables;
    conn->net = net;
    conn->refs = 1;
    conn->version = CQL_VERSION_MAX;
    conn->keyspace = MR_STR_NULL;
    conn->next = tables->conns;
    if (tables->conns != NULL)
        tables->conns->previous = conn;
    tables->conns = conn;
    net_conn_set_callbacks(net, &callbacks, conn);
    conn->login_timer = net_timer_new(tables->loop, tables->login_ms, 0, login_late, conn);
    mr_metric_add(tables->connections, 1);
}

/* ---- open and close ---- */

static void make_metrics(struct tables *tables)
{
    int opcode;

    for (opcode = 0; opcode < CQL_OP_N; opcode++) {
        struct mr_writer label = { 0 };

        mr_metric_label(&label, "opcode", mr_str_of(cql_opcode_name(opcode)));
        mr_write_u8(&label, 0);
        tables->requests[opcode] = mr_metric(MR_METRIC_COUNTER, "millrace_tables_requests_total",
                                             (const char *)label.data, "CQL requests received, by opcode");
        mr_writer_deinit(&label);
    }
    tables->errors = mr_metric(MR_METRIC_COUNTER, "millrace_tables_errors_total", "", "CQL errors answered");
    tables->connections = mr_metric(MR_METRIC_GAUGE, "millrace_tables_connections", "", "CQL connections open");
}

static enum mr_status listen_on(struct tables *tables, const char *address, int connections_max, struct mr_err *err)
{
    struct net_listener_options options = { .name = "cql",
                                            .address = address,
                                            .connections_max = connections_max,
                                            .input_max = TABLES_LOGIN_BYTES_MAX + CQL_HEADER_BYTES +
                                                         CQL_SEGMENT_LZ4_HEADER_BYTES + CQL_SEGMENT_TRAILER_BYTES,
                                            .on_accept = accepted,
                                            .arg = tables };
    struct net_address parsed;
    enum mr_status status = net_address_parse(address, -1, &parsed, err);

    if (status != MR_OK)
        return status;
    if (!parsed.is_loopback && !access_has_users(tables->access) && !access_is_open(tables->access))
        return mr_err_set(err, MR_DENIED,
                          "tables: %s is not a loopback address and there are no users: listen on 127.0.0.1, or set "
                          "security: open to let everybody in",
                          address);
    status = net_listener_open(tables->loop, &tables->listeners[tables->listener_count], &options, err);
    if (status == MR_OK)
        tables->listener_count++;
    return status;
}

enum mr_status tables_open(struct tables **out, const struct tables_options *options, struct mr_err *err)
{
    struct tables *tables = MR_NEW(struct tables);
    enum mr_status status;
    size_t i;

    assert(options->listen_count >= 1 && options->listen_count <= TABLES_LISTENERS_MAX);
    tables->loop = options->loop;
    tables->store = options->store;
    tables->access = options->access;
    tables->env = options->env != NULL ? options->env : mr_env_real();
    tables->login_ms = options->login_ms > 0 ? options->login_ms : TABLES_LOGIN_MS;
    tables->prepared = mr_map_new();
    tables->arena = mr_arena_new();
    make_metrics(tables);
    tables->workers = mr_workers_new("tables", options->worker_count > 0 ? options->worker_count : 2);
    status = schema_load(&tables->schema, tables->store, tables->env, err);
    if (status == MR_OK)
        status = purge_open(tables, options->purge_tick_ms > 0 ? options->purge_tick_ms : TABLES_PURGE_TICK_MS, err);
    for (i = 0; i < options->listen_count && status == MR_OK; i++)
        status = listen_on(tables, options->listen[i], options->connections_max, err);
    if (status != MR_OK) {
        tables_close(tables);
        return status;
    }
    *out = tables;
    return MR_OK;
}

const char *tables_address(const struct tables *tables, size_t index)
{
    return index < tables->listener_count ? net_listener_text(tables->listeners[index]) : NULL;
}

static void close_network(void *arg)
{
    struct tables *tables = arg;
    struct conn *conn;
    size_t i;

    tables->is_closing = true;
    purge_stop(tables);
    for (i = 0; i < tables->listener_count; i++)
        net_listener_close(tables->listeners[i]);
    tables->listener_count = 0;
    for (conn = tables->conns; conn != NULL; conn = conn->next)
        net_conn_close(conn->net);
}

struct idle_check {
    struct tables *tables;
    bool is_idle;
};

static void check_idle(void *arg)
{
    struct idle_check *check = arg;

    check->is_idle = check->tables->in_flight == 0 && check->tables->conns == NULL && !purge_is_running(check->tables);
}

/* Waits until every connection is gone and every write came back from the store: each round trip through the store's
 * queue is a barrier behind what was queued. */
static void wait_idle(struct tables *tables)
{
    struct idle_check check = { tables, false };
    struct mr_err err = MR_ERR_INIT;

    for (;;) {
        net_loop_call(tables->loop, check_idle, &check);
        if (check.is_idle)
            return;
        if (store_apply_wait(tables->store, NULL, 0, &err) != MR_OK)
            mr_log(MR_LOG_WARN, "tables", "while closing: %s", err.text);
    }
}

void tables_close(struct tables *tables)
{
    struct request *request;

    if (tables == NULL)
        return;
    net_loop_call(tables->loop, close_network, tables);
    mr_workers_free(tables->workers);
    wait_idle(tables);
    purge_close(tables);
    prepared_free_all(tables);
    schema_free(tables->schema);
    while ((request = tables->free_requests) != NULL) {
        tables->free_requests = request->next;
        mr_free(request);
    }
    trace_free_all(tables);
    mr_writer_deinit(&tables->answer);
    mr_writer_deinit(&tables->packed);
    mr_writer_deinit(&tables->plain);
    mr_arena_free(tables->arena);
    mr_free(tables);
}

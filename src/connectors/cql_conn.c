/* cql_conn.c -- one CQL connection (protocol v4): bytes out, frames in, and the login.
 *
 * States   CLOSED --cql_conn_open--> READY --any I/O error--> CLOSED */
#include "connectors/cql_client_int.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CQL_CONN_RECEIVE_BYTES = 64 << 10 };

void cql_conn_init(struct cql_conn *conn, const struct connector_context *ctx)
{
    *conn = (struct cql_conn){ .ctx = ctx, .fd = -1 };
}

void cql_conn_close(struct cql_conn *conn)
{
    if (conn->fd >= 0)
        close(conn->fd);
    conn->fd = -1;
    conn->out.size = conn->out_sent = 0;
    conn->in.size = conn->in_taken = 0;
}

void cql_conn_deinit(struct cql_conn *conn)
{
    cql_conn_close(conn);
    mr_writer_deinit(&conn->out);
    mr_writer_deinit(&conn->in);
}

static enum mr_status conn_broken(struct cql_conn *conn, int error, const char *what, struct mr_err *err)
{
    cql_conn_close(conn);
    if (error == 0)
        return mr_err_set(err, MR_IO, "CQL server %s:%u closed the connection", conn->address.host, conn->address.port);
    return mr_err_set_errno(err, MR_IO, error, "CQL server %s:%u: %s", conn->address.host, conn->address.port, what);
}

static enum mr_status conn_send(struct cql_conn *conn, struct mr_err *err)
{
    while (conn->out_sent < conn->out.size) {
        ssize_t n = send(conn->fd, conn->out.data + conn->out_sent, conn->out.size - conn->out_sent, MSG_NOSIGNAL);

        if (n >= 0)
            conn->out_sent += (size_t)n;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            return MR_OK;
        else if (errno != EINTR)
            return conn_broken(conn, errno, "send", err);
    }
    conn->out.size = conn->out_sent = 0;
    return MR_OK;
}

static enum mr_status conn_receive(struct cql_conn *conn, struct mr_err *err)
{
    for (;;) {
        uint8_t *to = mr_writer_reserve(&conn->in, CQL_CONN_RECEIVE_BYTES);
        ssize_t n = recv(conn->fd, to, CQL_CONN_RECEIVE_BYTES, 0);

        if (n > 0) {
            conn->in.size += (size_t)n;
            if (n < CQL_CONN_RECEIVE_BYTES)
                return MR_OK;
        } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return MR_OK;
        } else if (n == 0 || errno != EINTR) {
            return conn_broken(conn, n == 0 ? 0 : errno, "receive", err);
        }
    }
}

enum mr_status cql_conn_pump(struct cql_conn *conn, int wait_ms, struct mr_err *err)
{
    struct pollfd p = { .fd = conn->fd, .events = POLLIN };
    enum mr_status status;

    assert(conn->fd >= 0);
    status = conn_send(conn, err);
    if (status != MR_OK)
        return status;
    if (conn->out.size > 0)
        p.events |= POLLOUT;
    if (poll(&p, 1, wait_ms) <= 0)
        return MR_OK;
    if ((p.revents & POLLOUT) != 0) {
        status = conn_send(conn, err);
        if (status != MR_OK)
            return status;
    }
    return (p.revents & ~POLLOUT) != 0 ? conn_receive(conn, err) : MR_OK;
}

enum mr_status cql_conn_next(struct cql_conn *conn, struct cql_frame *out, struct mr_err *err)
{
    struct mr_bytes rest = mr_writer_bytes(&conn->in);
    enum mr_status status = MR_NEED_MORE;

    if (conn->in_taken > 0) /* a new connection has no buffer yet */
        rest = (struct mr_bytes){ rest.data + conn->in_taken, rest.size - conn->in_taken };
    if (rest.size >= CQL_HEADER_BYTES)
        status = cql_header_read(&out->header, rest);
    if (status == MR_INVALID || (status == MR_OK && (!out->header.is_answer || out->header.version != CQL_V4 ||
                                                     out->header.body_bytes > CQL_CLIENT_FRAME_BYTES_MAX))) {
        cql_conn_close(conn);
        return mr_err_set(err, MR_IO, "%s:%u does not speak CQL's native protocol v4", conn->address.host,
                          conn->address.port);
    }
    if (status == MR_OK && rest.size - CQL_HEADER_BYTES >= out->header.body_bytes) {
        out->body = (struct mr_bytes){ rest.data + CQL_HEADER_BYTES, out->header.body_bytes };
        conn->in_taken += CQL_HEADER_BYTES + out->header.body_bytes;
        return MR_OK;
    }
    if (conn->in_taken > 0) { /* all whole frames were taken: the start of the next one moves to the front */
        memmove(conn->in.data, rest.data, rest.size);
        conn->in.size = rest.size;
        conn->in_taken = 0;
    }
    return MR_NEED_MORE;
}

/* ---- login ---- */

/* Waits for the next answer. */
static enum mr_status conn_await(struct cql_conn *conn, struct cql_frame *out, int64_t until_ms, struct mr_err *err)
{
    for (;;) {
        enum mr_status status = cql_conn_next(conn, out, err);

        if (status != MR_NEED_MORE)
            return status;
        if (connector_stopped(conn->ctx))
            return mr_err_set(err, MR_BUSY, "stopped");
        if (connector_clock_ms(conn->ctx) >= until_ms)
            return conn_broken(conn, ETIMEDOUT, "waiting for an answer", err);
        status = cql_conn_pump(conn, CONNECTOR_WAIT_SLICE_MS, err);
        if (status != MR_OK)
            return status;
    }
}

/* An ERROR or an unexpected answer to STARTUP or AUTH_RESPONSE. */
static enum mr_status conn_login_refused(const struct cql_conn *conn, const struct cql_frame *frame, struct mr_err *err)
{
    struct mr_reader reader = mr_reader_of(frame->body);
    struct cql_error error;

    if (frame->header.opcode != CQL_OP_ERROR || cql_error_read(&error, &reader, CQL_V4) != MR_OK)
        return mr_err_set(err, MR_IO, "CQL server %s:%u: unexpected answer %s at login", conn->address.host,
                          conn->address.port, cql_opcode_name(frame->header.opcode));
    return mr_err_set(err, error.code == CQL_ERR_CREDENTIALS ? MR_DENIED : MR_IO, "CQL server %s:%u: %.*s",
                      conn->address.host, conn->address.port, MR_STR_ARG(error.message));
}

static enum mr_status conn_login(struct cql_conn *conn, const char *user, const char *password, struct mr_err *err)
{
    static const struct cql_pair options[] = {
        { { "CQL_VERSION", 11 }, { "3.0.0", 5 } },
        { { "DRIVER_NAME", 11 }, { "millrace", 8 } },
    };
    struct cql_startup startup = { .option_count = MR_COUNT(options), .options = options };
    int64_t until_ms = connector_clock_ms(conn->ctx) + CQL_CLIENT_CONNECT_MS;
    struct mr_writer token = { 0 };
    struct cql_frame frame;
    enum mr_status status;
    size_t begin;

    begin = cql_frame_begin(&conn->out, CQL_V4, false, 0, 0, CQL_OP_STARTUP);
    cql_startup_write(&conn->out, &startup);
    cql_frame_end(&conn->out, begin);
    status = conn_await(conn, &frame, until_ms, err);
    if (status != MR_OK || frame.header.opcode == CQL_OP_READY)
        return status;
    if (frame.header.opcode != CQL_OP_AUTHENTICATE)
        return conn_login_refused(conn, &frame, err);
    if (user == NULL)
        return mr_err_set(err, MR_DENIED, "CQL server %s:%u wants a login: set the options 'username' and 'password'",
                          conn->address.host, conn->address.port);
    cql_auth_write_plain(&token, mr_str_of(user), password != NULL ? mr_str_of(password) : MR_STR(""));
    begin = cql_frame_begin(&conn->out, CQL_V4, false, 0, 0, CQL_OP_AUTH_RESPONSE);
    cql_auth_write(&conn->out, &(struct cql_auth){ .token = mr_writer_bytes(&token) });
    cql_frame_end(&conn->out, begin);
    mr_writer_deinit(&token);
    status = conn_await(conn, &frame, until_ms, err);
    if (status == MR_OK && frame.header.opcode != CQL_OP_AUTH_SUCCESS)
        status = conn_login_refused(conn, &frame, err);
    return status;
}

enum mr_status cql_conn_open(struct cql_conn *conn, const struct connector_address *address, const char *user,
                             const char *password, struct mr_err *err)
{
    enum mr_status status;

    assert(conn->fd < 0);
    conn->address = *address;
    status = connector_connect(&conn->fd, address, CQL_CLIENT_CONNECT_MS, conn->ctx, err);
    if (status == MR_OK)
        status = conn_login(conn, user, password, err);
    if (status != MR_OK)
        cql_conn_close(conn);
    return status;
}

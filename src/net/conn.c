/* conn.c -- a TCP connection: two evbuffers and the events that move bytes between them and the socket.
 *
 * Sockets are read and written here and not by a bufferevent: libevent 2.1's reads at most 4 KiB a call, and log
 * batches are large.  Output is tried once right after the callbacks of a turn have run (the loop's attention list),
 * many answers in one system call; the write event is added only while the socket takes no more.
 *
 * Invariants
 *   I1  the read event is added exactly while OPEN, not paused by the owner, output not over its mark, input not full;
 *       LINGERING reads too, to throw away.
 *   I2  callbacks run only from events of the loop, never inside a call by the owner.
 *   I3  a connection is in loop->conns until on_close has run; then only references keep its struct.
 * States  CONNECTING -> OPEN -> FLUSHING -> LINGERING -> CLOSING -> GONE, each may jump forward to CLOSING. */
#include "net/net_int.h"

#include "base/env.h"
#include "base/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    CONN_READ_MIN = 4 * 1024, /* what a read is offered: doubled while it is filled */
    CONN_READ_MAX = 256 * 1024,
    CONN_TURN_BYTES = 1024 * 1024, /* of one connection before others have their turn */
    CONN_LINGER_MS = 2000,
    CONN_VECTORS = 4,
};

static const struct net_conn_callbacks no_callbacks;

static void conn_touch(struct net_conn *conn)
{
    if (conn->idle_ms > 0 || conn->state == NET_FLUSHING)
        conn->active_ns = mr_monotonic_ns(mr_env_real());
}

/* Makes the read event what I1 says. */
static void conn_update_reading(struct net_conn *conn)
{
    bool wanted = conn->read_event != NULL &&
                  (conn->state == NET_LINGERING ||
                   (conn->state == NET_OPEN && !conn->paused && !conn->output_full && !conn->input_full));

    if (wanted == conn->reading)
        return;
    conn->reading = wanted;
    if (wanted)
        event_add(conn->read_event, NULL);
    else
        event_del(conn->read_event);
}

static void conn_attend_later(struct net_conn *conn)
{
    struct net_loop *loop = conn->loop;

    if (conn->in_attention)
        return;
    conn->in_attention = true;
    net_conn_ref(conn); /* the list's */
    if (loop->attention == NULL && loop->closing == NULL)
        event_active(loop->attend, EV_TIMEOUT, 1);
    conn->attention_next = loop->attention;
    loop->attention = conn;
}

static void on_input_change(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *arg)
{
    struct net_conn *conn = arg;

    conn->bytes_in += info->n_added;
    if (conn->input_full && evbuffer_get_length(buffer) < conn->input_max) {
        conn->input_full = false;
        conn_update_reading(conn);
    }
}

static void on_output_change(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *arg)
{
    struct net_conn *conn = arg;
    size_t size = evbuffer_get_length(buffer);

    conn->bytes_out += info->n_deleted;
    if (conn->state != NET_OPEN || info->n_added == 0)
        return;
    if (!conn->output_full && size > conn->output_high) {
        conn->output_full = true;
        conn_update_reading(conn);
    }
    if (!conn->writing)
        conn_attend_later(conn);
}

/* ---- reading ---- */

/* One read into the input; its size, 0 at the end, -1 with errno. */
static ssize_t conn_read_once(struct net_conn *conn, size_t limit)
{
    struct evbuffer_iovec room[CONN_VECTORS];
    struct iovec vectors[CONN_VECTORS];
    size_t left = conn->read_bytes < limit ? conn->read_bytes : limit;
    int count = evbuffer_reserve_space(conn->input, (ev_ssize_t)left, room, CONN_VECTORS);
    ssize_t got;
    size_t rest;

    assert(count > 0);
    for (int i = 0; i < count; i++) {
        if (room[i].iov_len > left)
            room[i].iov_len = left;
        left -= room[i].iov_len;
        vectors[i] = (struct iovec){ room[i].iov_base, room[i].iov_len };
    }
    got = readv(conn->fd, vectors, count);
    rest = got > 0 ? (size_t)got : 0;
    for (int i = 0; i < count; i++) {
        if (room[i].iov_len > rest)
            room[i].iov_len = rest;
        rest -= room[i].iov_len;
    }
    if (evbuffer_commit_space(conn->input, room, count) != 0)
        assert(got <= 0);
    return got;
}

/* Fills the input; false when the connection ended (EOF or error), which *END and ERROR then tell. */
static bool conn_fill(struct net_conn *conn, bool *got_bytes, int *error)
{
    size_t turn = 0;

    *got_bytes = false;
    *error = 0;
    while (turn < CONN_TURN_BYTES) {
        size_t held = evbuffer_get_length(conn->input);
        size_t offered = conn->read_bytes;
        ssize_t got;

        if (held >= conn->input_max) {
            conn->input_full = true;
            return true;
        }
        got = conn_read_once(conn, conn->input_max - held);
        if (got == 0)
            return false;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            *error = errno;
            return errno == EAGAIN || errno == EWOULDBLOCK;
        }
        *got_bytes = true;
        turn += (size_t)got;
        if ((size_t)got < offered) {
            if ((size_t)got < offered / 4 && offered > CONN_READ_MIN)
                conn->read_bytes = offered / 2;
            return true;
        }
        if (offered < CONN_READ_MAX)
            conn->read_bytes = offered * 2;
    }
    return true;
}

/* The peer sends no more: what is already answered still goes out. */
static void conn_peer_ended(struct net_conn *conn, int error)
{
    if (error == 0 && evbuffer_get_length(conn->output) > 0) {
        net_conn_close_after_flush(conn);
        conn->reason = NET_CLOSED_PEER;
    } else {
        bool is_reset = error == 0 || error == ECONNRESET || error == EPIPE;
        net_conn_end(conn, is_reset ? NET_CLOSED_PEER : NET_CLOSED_ERROR, error ? strerror(error) : "");
    }
}

static void conn_deliver(struct net_conn *conn)
{
    conn->read_due = false;
    if (conn->state != NET_OPEN || conn->paused || conn->output_full || evbuffer_get_length(conn->input) == 0)
        return;
    if (conn->callbacks->on_read != NULL)
        conn->callbacks->on_read(conn, conn->arg);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct net_conn *conn = arg;
    bool got_bytes;
    bool is_alive;
    int error;

    MR_UNUSED(fd);
    MR_UNUSED(what);
    if (conn->state == NET_LINGERING) {
        evbuffer_drain(conn->input, evbuffer_get_length(conn->input));
        if (!conn_fill(conn, &got_bytes, &error))
            net_conn_end(conn, conn->reason, "");
        return;
    }
    is_alive = conn_fill(conn, &got_bytes, &error);
    if (got_bytes) {
        conn_touch(conn);
        conn_deliver(conn);
    }
    if (!is_alive && conn->state == NET_OPEN)
        conn_peer_ended(conn, error);
    conn_update_reading(conn);
}

/* ---- writing ---- */

/* Sends what the socket takes.  False after an error. */
static bool conn_flush(struct net_conn *conn)
{
    size_t turn = 0;

    while (evbuffer_get_length(conn->output) > 0 && turn < CONN_TURN_BYTES) {
        int sent;

        errno = 0;
        sent = evbuffer_write_atmost(conn->output, conn->fd, -1);
        if (sent > 0) {
            turn += (size_t)sent;
            conn_touch(conn);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            break;
        } else if (errno != EINTR) {
            bool is_reset = errno == ECONNRESET || errno == EPIPE;
            net_conn_end(conn, is_reset ? NET_CLOSED_PEER : NET_CLOSED_ERROR,
                         errno != 0 ? strerror(errno) : "a file to be sent is shorter than it was");
            return false;
        }
    }
    return true;
}

static void conn_linger(struct net_conn *conn)
{
    conn->state = NET_LINGERING;
    conn->input_full = false;
    if (shutdown(conn->fd, SHUT_WR) != 0) {
        net_conn_end(conn, conn->reason, "");
        return;
    }
    net_conn_deadline(conn, CONN_LINGER_MS);
    conn_update_reading(conn);
}

static void conn_write(struct net_conn *conn)
{
    size_t left;
    bool want_event;

    if ((conn->state != NET_OPEN && conn->state != NET_FLUSHING) || !conn_flush(conn))
        return;
    left = evbuffer_get_length(conn->output);
    want_event = left > 0;
    if (want_event != conn->writing) {
        conn->writing = want_event;
        if (want_event)
            event_add(conn->write_event, NULL);
        else
            event_del(conn->write_event);
    }
    if (conn->state == NET_FLUSHING) {
        if (left == 0)
            conn_linger(conn);
        return;
    }
    if (left > conn->output_low)
        return;
    if (conn->output_full) {
        conn->output_full = false;
        conn->read_due = true;
        conn_attend_later(conn);
    }
    if (conn->callbacks->on_drained != NULL)
        conn->callbacks->on_drained(conn, conn->arg);
    conn_update_reading(conn);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    MR_UNUSED(fd);
    MR_UNUSED(what);
    conn_write(arg);
}

/* ---- the attention list ---- */

static void conns_close_due(struct net_loop *loop)
{
    while (loop->closing != NULL) {
        struct net_conn *conn = loop->closing;

        loop->closing = conn->closing_next;
        if (conn->callbacks->on_close != NULL)
            conn->callbacks->on_close(conn, conn->reason, conn->arg);
        net_conn_destroy(conn);
        net_conn_unref(conn);
    }
}

void net_conns_attend(struct net_loop *loop)
{
    struct net_conn *list = loop->attention;

    /* What is added from here on waits for the next turn, so that sockets are not starved. */
    loop->attention = NULL;
    while (list != NULL) {
        struct net_conn *conn = list;

        list = conn->attention_next;
        conn->in_attention = false;
        if (conn->read_due)
            conn_deliver(conn);
        if (evbuffer_get_length(conn->output) > 0 && !conn->writing)
            conn_write(conn);
        else if (conn->state == NET_FLUSHING && evbuffer_get_length(conn->output) == 0)
            conn_linger(conn);
        net_conn_unref(conn);
    }
    conns_close_due(loop);
    if (loop->attention != NULL)
        event_active(loop->attend, EV_TIMEOUT, 1);
}

/* ---- deadlines ---- */

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct net_conn *conn = arg;
    int64_t limit_ms = conn->state == NET_FLUSHING ? NET_FLUSH_MS : conn->idle_ms;
    int64_t quiet_ms = (mr_monotonic_ns(mr_env_real()) - conn->active_ns) / 1000000;

    MR_UNUSED(fd);
    MR_UNUSED(what);
    if (conn->state == NET_CONNECTING)
        net_conn_end(conn, NET_CLOSED_ERROR, "no answer in time");
    else if (conn->state == NET_LINGERING)
        net_conn_end(conn, conn->reason, "");
    else if (limit_ms > 0 && quiet_ms >= limit_ms)
        net_conn_end(conn, NET_CLOSED_IDLE, "");
    else if (limit_ms > 0)
        net_conn_deadline(conn, limit_ms - quiet_ms);
}

void net_conn_deadline(struct net_conn *conn, int64_t ms)
{
    struct timeval delay = { .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };

    if (conn->timer == NULL && ms > 0)
        conn->timer = evtimer_new(conn->loop->base, on_deadline, conn);
    if (ms > 0)
        event_add(conn->timer, &delay);
    else if (conn->timer != NULL)
        event_del(conn->timer);
}

/* ---- birth and death ---- */

struct net_conn *net_conn_new(struct net_loop *loop, int fd)
{
    static _Atomic uint64_t ids;
    struct net_conn *conn = MR_NEW(struct net_conn);

    conn->loop = loop;
    conn->fd = -1;
    conn->id = atomic_fetch_add(&ids, 1) + 1;
    conn->state = NET_CONNECTING;
    conn->callbacks = &no_callbacks;
    conn->refs = 1;
    conn->input = evbuffer_new();
    conn->output = evbuffer_new();
    assert(conn->input != NULL && conn->output != NULL);
    evbuffer_set_flags(conn->output, EVBUFFER_FLAG_DRAINS_TO_FD); /* allows sendfile */
    evbuffer_add_cb(conn->input, on_input_change, conn);
    evbuffer_add_cb(conn->output, on_output_change, conn);
    conn->read_bytes = CONN_READ_MIN;
    conn->input_max = NET_INPUT_MAX;
    conn->output_low = NET_OUTPUT_LOW;
    conn->output_high = NET_OUTPUT_HIGH;
    conn->next = loop->conns;
    if (loop->conns != NULL)
        loop->conns->previous = conn;
    loop->conns = conn;
    if (fd >= 0)
        net_conn_attach(conn, fd);
    return conn;
}

void net_conn_attach(struct net_conn *conn, int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    int peer_port = 0;

    net_socket_prepare(fd);
    conn->fd = fd;
    conn->state = NET_OPEN;
    if (getsockname(fd, (struct sockaddr *)&address, &size) == 0)
        net_sockaddr_parts(&address, conn->local_host, &conn->local_port);
    size = sizeof(address);
    if (getpeername(fd, (struct sockaddr *)&address, &size) == 0)
        net_sockaddr_parts(&address, conn->peer_host, &peer_port);
    net_address_format(conn->local_text, conn->local_host, conn->local_port);
    net_address_format(conn->peer_text, conn->peer_host, peer_port);
    conn->read_event = event_new(conn->loop->base, fd, EV_READ | EV_PERSIST, on_readable, conn);
    conn->write_event = event_new(conn->loop->base, fd, EV_WRITE | EV_PERSIST, on_writable, conn);
    assert(conn->read_event != NULL && conn->write_event != NULL);
    conn_update_reading(conn);
    if (evbuffer_get_length(conn->output) > 0)
        conn_attend_later(conn);
}

void net_conn_end(struct net_conn *conn, enum net_close_reason reason, const char *error_text)
{
    struct net_loop *loop = conn->loop;

    if (conn->state >= NET_CLOSING)
        return;
    snprintf(conn->error_text, sizeof(conn->error_text), "%s", error_text);
    conn->reason = reason;
    conn->state = NET_CLOSING;
    conn_update_reading(conn);
    if (conn->writing) {
        conn->writing = false;
        event_del(conn->write_event);
    }
    net_conn_deadline(conn, 0);
    if (loop->attention == NULL && loop->closing == NULL)
        event_active(loop->attend, EV_TIMEOUT, 1);
    conn->closing_next = loop->closing;
    loop->closing = conn;
}

void net_conn_destroy(struct net_conn *conn)
{
    struct net_loop *loop = conn->loop;

    conn->state = NET_GONE;
    if (conn->previous != NULL)
        conn->previous->next = conn->next;
    else
        loop->conns = conn->next;
    if (conn->next != NULL)
        conn->next->previous = conn->previous;
    conn->previous = conn->next = NULL;
    if (conn->listener != NULL) {
        atomic_fetch_sub(&conn->listener->connections, 1);
        mr_metric_add(conn->listener->metric_connections, -1);
        conn->listener = NULL;
    }
    net_attempt_free(conn->attempt);
    conn->attempt = NULL;
    if (conn->read_event != NULL)
        event_free(conn->read_event);
    if (conn->write_event != NULL)
        event_free(conn->write_event);
    if (conn->timer != NULL)
        event_free(conn->timer);
    conn->read_event = conn->write_event = conn->timer = NULL;
    evbuffer_drain(conn->input, evbuffer_get_length(conn->input));
    evbuffer_drain(conn->output, evbuffer_get_length(conn->output));
    if (conn->fd >= 0)
        close(conn->fd);
    conn->fd = -1;
}

struct net_conn *net_conn_ref(struct net_conn *conn)
{
    assert(conn->refs > 0);
    conn->refs++;
    return conn;
}

void net_conn_unref(struct net_conn *conn)
{
    assert(conn->refs > 0);
    if (--conn->refs > 0)
        return;
    assert(conn->state == NET_GONE);
    evbuffer_free(conn->input);
    evbuffer_free(conn->output);
    mr_free(conn);
}

/* ---- what owners call ---- */

void net_conn_set_callbacks(struct net_conn *conn, const struct net_conn_callbacks *callbacks, void *arg)
{
    conn->callbacks = callbacks;
    conn->arg = arg;
}

void net_conn_write(struct net_conn *conn, struct mr_bytes data)
{
    if (data.size > 0 && conn->state < NET_FLUSHING)
        evbuffer_add(conn->output, data.data, data.size);
}

void net_conn_pause(struct net_conn *conn)
{
    conn->paused = true;
    conn_update_reading(conn);
}

void net_conn_resume(struct net_conn *conn)
{
    if (!conn->paused)
        return;
    conn->paused = false;
    conn_update_reading(conn);
    if (conn->state == NET_OPEN && evbuffer_get_length(conn->input) > 0) {
        conn->read_due = true;
        conn_attend_later(conn);
    }
}

void net_conn_set_output_marks(struct net_conn *conn, size_t low, size_t high)
{
    assert(low < high);
    conn->output_low = low;
    conn->output_high = high;
}

bool net_conn_output_full(const struct net_conn *conn)
{
    return conn->output_full;
}

void net_conn_set_input_max(struct net_conn *conn, size_t bytes)
{
    assert(bytes > 0);
    conn->input_max = bytes;
    conn->input_full = evbuffer_get_length(conn->input) >= bytes;
    conn_update_reading(conn);
}

void net_conn_set_idle(struct net_conn *conn, int64_t idle_ms)
{
    conn->idle_ms = idle_ms;
    conn_touch(conn);
    if (conn->state == NET_OPEN)
        net_conn_deadline(conn, idle_ms);
}

void net_conn_close(struct net_conn *conn)
{
    net_conn_end(conn, NET_CLOSED_LOCAL, "");
}

void net_conn_close_after_flush(struct net_conn *conn)
{
    if (conn->state == NET_CONNECTING) {
        net_conn_close(conn);
        return;
    }
    if (conn->state != NET_OPEN)
        return;
    conn->reason = NET_CLOSED_LOCAL;
    conn->state = NET_FLUSHING;
    conn_update_reading(conn);
    conn_touch(conn);
    net_conn_deadline(conn, NET_FLUSH_MS);
    if (!conn->writing)
        conn_attend_later(conn);
}

bool net_conn_is_open(const struct net_conn *conn)
{
    return conn->state == NET_OPEN;
}

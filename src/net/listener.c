/* listener.c -- a bound address whose connections are counted and limited. */
#include "net/net_int.h"

#include "base/logging.h"
#include "base/metrics.h"

#include <errno.h>
#include <event2/listener.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LISTENER_RETRY_MS = 100 };

static void on_accept(struct evconnlistener *acceptor, evutil_socket_t fd, struct sockaddr *peer, int size, void *arg)
{
    struct net_listener *listener = arg;
    struct net_conn *conn;

    MR_UNUSED(acceptor);
    MR_UNUSED(peer);
    MR_UNUSED(size);
    if (atomic_load(&listener->connections) >= listener->connections_max) {
        atomic_fetch_add(&listener->refused, 1);
        mr_metric_add(listener->metric_refused, 1);
        close(fd);
        return;
    }
    atomic_fetch_add(&listener->connections, 1);
    mr_metric_add(listener->metric_connections, 1);
    conn = net_conn_new(listener->loop, fd);
    conn->listener = listener;
    net_conn_set_output_marks(conn, listener->output_low, listener->output_high);
    net_conn_set_input_max(conn, listener->input_max);
    if (listener->idle_ms > 0)
        net_conn_set_idle(conn, listener->idle_ms);
    listener->on_accept(conn, listener->arg);
    if (conn->arg == NULL && conn->callbacks->on_read == NULL)
        net_conn_close(conn);
}

/* Out of descriptors: level-triggered accept would spin, so it rests a moment. */
static void on_accept_error(struct evconnlistener *acceptor, void *arg)
{
    struct net_listener *listener = arg;
    struct timeval delay = { .tv_usec = LISTENER_RETRY_MS * 1000 };

    mr_log(MR_LOG_WARN, "net", "accepting on %s: %s", listener->text, strerror(errno));
    evconnlistener_disable(acceptor);
    event_add(listener->retry, &delay);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    struct net_listener *listener = arg;

    MR_UNUSED(fd);
    MR_UNUSED(what);
    evconnlistener_enable(listener->acceptor);
}

static void listener_count(struct net_listener *listener, const char *name)
{
    struct mr_writer labels = { 0 };

    mr_metric_label(&labels, "listener", mr_str_of(name));
    mr_write_u8(&labels, 0);
    listener->metric_connections =
        mr_metric(MR_METRIC_GAUGE, "millrace_net_connections", (char *)labels.data, "Connections open now.");
    listener->metric_refused = mr_metric(MR_METRIC_COUNTER, "millrace_net_connections_refused_total",
                                         (char *)labels.data, "Connections closed at once: the listener was full.");
    mr_writer_deinit(&labels);
}

struct listener_start {
    struct net_listener *listener;
    int fd;
};

static void listener_start(void *arg)
{
    struct listener_start *start = arg;
    struct net_listener *listener = start->listener;
    struct net_loop *loop = listener->loop;

    listener->acceptor = evconnlistener_new(loop->base, on_accept, listener,
                                            LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, start->fd);
    listener->retry = evtimer_new(loop->base, on_retry, listener);
    assert(listener->acceptor != NULL && listener->retry != NULL);
    evconnlistener_set_error_cb(listener->acceptor, on_accept_error);
    listener->next = loop->listeners;
    if (loop->listeners != NULL)
        loop->listeners->previous = listener;
    loop->listeners = listener;
}

enum mr_status net_listener_open(struct net_loop *loop, struct net_listener **out,
                                 const struct net_listener_options *options, struct mr_err *err)
{
    struct net_listener *listener;
    struct net_address address;
    struct listener_start start;
    char text[NET_ADDRESS_BYTES];
    enum mr_status status;

    assert(options->name != NULL && options->address != NULL && options->on_accept != NULL);
    status = net_socket_listen(options->address, &start.fd, text, err);
    if (status != MR_OK)
        return status;
    listener = MR_NEW(struct net_listener);
    listener->loop = loop;
    memcpy(listener->text, text, sizeof(text));
    status = net_address_parse(text, -1, &address, err);
    assert(status == MR_OK);
    snprintf(listener->host, sizeof(listener->host), "%s", address.host);
    listener->port = address.port;
    listener->is_loopback = address.is_loopback;
    listener->idle_ms = options->idle_ms;
    listener->connections_max = options->connections_max > 0 ? options->connections_max : NET_CONNECTIONS_MAX;
    listener->input_max = options->input_max > 0 ? options->input_max : NET_INPUT_MAX;
    listener->output_low = options->output_high > 0 ? options->output_low : NET_OUTPUT_LOW;
    listener->output_high = options->output_high > 0 ? options->output_high : NET_OUTPUT_HIGH;
    listener->on_accept = options->on_accept;
    listener->arg = options->arg;
    listener_count(listener, options->name);
    start.listener = listener;
    *out = listener; /* before the first on_accept */
    net_loop_call(loop, listener_start, &start);
    return MR_OK;
}

void net_listener_deafen(struct net_listener *listener)
{
    if (listener->acceptor == NULL)
        return;
    evconnlistener_free(listener->acceptor);
    event_free(listener->retry);
    listener->acceptor = NULL;
    listener->retry = NULL;
}

void net_listener_destroy(struct net_listener *listener)
{
    struct net_loop *loop = listener->loop;

    for (struct net_conn *conn = loop->conns; conn != NULL; conn = conn->next) {
        if (conn->listener != listener)
            continue;
        conn->listener = NULL;
        mr_metric_add(listener->metric_connections, -1);
    }
    if (listener->previous != NULL)
        listener->previous->next = listener->next;
    else
        loop->listeners = listener->next;
    if (listener->next != NULL)
        listener->next->previous = listener->previous;
    net_listener_deafen(listener);
    mr_free(listener);
}

static void listener_destroy_job(void *arg)
{
    net_listener_destroy(arg);
}

void net_listener_close(struct net_listener *listener)
{
    if (listener != NULL)
        net_loop_call(listener->loop, listener_destroy_job, listener);
}

const char *net_listener_text(const struct net_listener *listener)
{
    return listener->text;
}

const char *net_listener_host(const struct net_listener *listener)
{
    return listener->host;
}

int net_listener_port(const struct net_listener *listener)
{
    return listener->port;
}

bool net_listener_is_loopback(const struct net_listener *listener)
{
    return listener->is_loopback;
}

int64_t net_listener_connections(const struct net_listener *listener)
{
    return atomic_load(&listener->connections);
}

int64_t net_listener_refused(const struct net_listener *listener)
{
    return atomic_load(&listener->refused);
}

void net_listener_each(struct net_listener *listener, net_accept_fn *each, void *arg)
{
    for (struct net_conn *conn = listener->loop->conns; conn != NULL; conn = conn->next) {
        if (conn->listener == listener && conn->state < NET_CLOSING)
            each(conn, arg);
    }
}

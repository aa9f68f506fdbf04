/* connect.c -- outgoing connections: resolve, then try each address until one answers.
 *
 * A numeric address starts at once; a name is resolved by getaddrinfo on a thread made for it, which posts the result
 * back.  The attempt may be given up meanwhile: the struct net_lookup belongs to the thread until its post has run, and
 * only the loop looks at whether anyone still waits for it. */
#include "net/net_int.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct net_lookup {
    struct net_loop *loop;       /* borrowed */
    struct net_lookup *next;     /* in the loop's list */
    struct net_attempt *attempt; /* borrowed; NULL once nobody waits.  Loop thread only */
    bool is_joined;              /* by the end of the loop */
    char host[NET_HOST_BYTES];
    char service[16];
    pthread_t thread;
    struct addrinfo *found; /* owned */
    int error;
};

struct net_attempt {
    struct net_conn *conn;     /* borrowed: the connection owns the attempt */
    struct net_lookup *lookup; /* borrowed; NULL when none is under way */
    struct addrinfo *found;    /* owned */
    struct addrinfo *at;       /* the address that is tried */
    struct event *event;       /* owned: the socket becomes writable; or the first step, later */
    int fd;
    char address[NET_ADDRESS_BYTES];
};

static void attempt_next(struct net_attempt *attempt, int error);

static void attempt_fail(struct net_attempt *attempt, const char *why)
{
    char text[NET_ADDRESS_BYTES + 128];

    snprintf(text, sizeof(text), "%s: %s", attempt->address, why);
    net_conn_end(attempt->conn, NET_CLOSED_ERROR, text);
}

static void attempt_made(struct net_attempt *attempt)
{
    struct net_conn *conn = attempt->conn;

    net_conn_deadline(conn, 0);
    net_conn_attach(conn, attempt->fd);
    attempt->fd = -1;
    conn->attempt = NULL;
    net_attempt_free(attempt);
    if (conn->idle_ms > 0)
        net_conn_set_idle(conn, conn->idle_ms);
    if (conn->callbacks->on_open != NULL)
        conn->callbacks->on_open(conn, conn->arg);
}

static void on_connected(evutil_socket_t fd, short what, void *arg)
{
    struct net_attempt *attempt = arg;
    int error = 0;
    socklen_t size = sizeof(error);

    MR_UNUSED(what);
    if (attempt->conn->state != NET_CONNECTING)
        return;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    if (error == 0)
        attempt_made(attempt);
    else
        attempt_next(attempt, error);
}

static void attempt_drop_socket(struct net_attempt *attempt)
{
    if (attempt->event != NULL)
        event_free(attempt->event);
    attempt->event = NULL;
    if (attempt->fd >= 0)
        close(attempt->fd);
    attempt->fd = -1;
}

/* Tries attempt->at and those after it. */
static void attempt_try(struct net_attempt *attempt, int error)
{
    for (; attempt->at != NULL; attempt->at = attempt->at->ai_next) {
        attempt->fd = socket(attempt->at->ai_family, SOCK_STREAM, 0);
        if (attempt->fd < 0) {
            error = errno;
            continue;
        }
        net_socket_prepare(attempt->fd);
        if (connect(attempt->fd, attempt->at->ai_addr, attempt->at->ai_addrlen) == 0 || errno == EINPROGRESS) {
            attempt->event = event_new(attempt->conn->loop->base, attempt->fd, EV_WRITE, on_connected, attempt);
            assert(attempt->event != NULL);
            event_add(attempt->event, NULL);
            return;
        }
        error = errno;
        attempt_drop_socket(attempt);
    }
    attempt_fail(attempt, strerror(error));
}

static void attempt_next(struct net_attempt *attempt, int error)
{
    attempt_drop_socket(attempt);
    attempt->at = attempt->at->ai_next;
    attempt_try(attempt, error);
}

/* ---- names ---- */

static void lookup_done(void *arg)
{
    struct net_lookup *lookup = arg;
    struct net_attempt *attempt = lookup->attempt;

    for (struct net_lookup **at = &lookup->loop->lookups; *at != NULL; at = &(*at)->next) {
        if (*at == lookup) {
            *at = lookup->next;
            break;
        }
    }
    if (!lookup->is_joined)
        pthread_join(lookup->thread, NULL); /* it ended with this post */
    if (attempt != NULL) {
        attempt->lookup = NULL;
        if (attempt->conn->state == NET_CONNECTING && lookup->error != 0) {
            attempt_fail(attempt, gai_strerror(lookup->error));
        } else if (attempt->conn->state == NET_CONNECTING) {
            attempt->found = attempt->at = lookup->found;
            lookup->found = NULL;
            attempt_try(attempt, 0);
        }
    }
    if (lookup->found != NULL)
        freeaddrinfo(lookup->found);
    mr_free(lookup);
}

static void *lookup_run(void *arg)
{
    struct net_lookup *lookup = arg;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };

    lookup->error = getaddrinfo(lookup->host, lookup->service, &hints, &lookup->found);
    net_loop_post(lookup->loop, lookup_done, lookup);
    return NULL;
}

static void on_first_step(evutil_socket_t fd, short what, void *arg)
{
    struct net_attempt *attempt = arg;

    MR_UNUSED(fd);
    MR_UNUSED(what);
    event_free(attempt->event);
    attempt->event = NULL;
    if (attempt->conn->state == NET_CONNECTING)
        attempt_try(attempt, 0);
}

static void attempt_start(struct net_attempt *attempt, const struct net_address *address)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST };
    char service[16];
    struct net_lookup *lookup;

    snprintf(service, sizeof(service), "%d", address->port);
    if (address->is_numeric && getaddrinfo(address->host, service, &hints, &attempt->found) == 0) {
        attempt->at = attempt->found;
        attempt->event = event_new(attempt->conn->loop->base, -1, 0, on_first_step, attempt);
        assert(attempt->event != NULL);
        event_active(attempt->event, EV_TIMEOUT, 1);
        return;
    }
    lookup = MR_NEW(struct net_lookup);
    lookup->loop = attempt->conn->loop;
    lookup->attempt = attempt;
    snprintf(lookup->host, sizeof(lookup->host), "%s", address->host);
    snprintf(lookup->service, sizeof(lookup->service), "%s", service);
    attempt->lookup = lookup;
    lookup->next = lookup->loop->lookups;
    lookup->loop->lookups = lookup;
    mr_thread_start(&lookup->thread, "net-resolve", lookup_run, lookup);
}

void net_lookups_join(struct net_loop *loop)
{
    for (struct net_lookup *lookup = loop->lookups; lookup != NULL; lookup = lookup->next) {
        pthread_join(lookup->thread, NULL);
        lookup->is_joined = true;
    }
}

void net_attempt_free(struct net_attempt *attempt)
{
    if (attempt == NULL)
        return;
    attempt_drop_socket(attempt);
    if (attempt->lookup != NULL)
        attempt->lookup->attempt = NULL;
    if (attempt->found != NULL)
        freeaddrinfo(attempt->found);
    mr_free(attempt);
}

enum mr_status net_connect(struct net_loop *loop, struct net_conn **out, const char *address, int64_t timeout_ms,
                           const struct net_conn_callbacks *callbacks, void *arg, struct mr_err *err)
{
    struct net_address parsed;
    struct net_attempt *attempt;
    struct net_conn *conn;
    enum mr_status status = net_address_parse(address, -1, &parsed, err);

    if (status != MR_OK)
        return status;
    if (parsed.port == 0)
        return mr_err_set(err, MR_INVALID, "\"%s\": nothing can be reached at port 0", address);
    conn = net_conn_new(loop, -1);
    net_conn_set_callbacks(conn, callbacks, arg);
    net_address_format(conn->peer_text, parsed.host, parsed.port);
    snprintf(conn->peer_host, sizeof(conn->peer_host), "%s", parsed.host);
    attempt = MR_NEW(struct net_attempt);
    attempt->conn = conn;
    attempt->fd = -1;
    snprintf(attempt->address, sizeof(attempt->address), "%s", conn->peer_text);
    conn->attempt = attempt;
    net_conn_deadline(conn, timeout_ms > 0 ? timeout_ms : NET_CONNECT_MS);
    attempt_start(attempt, &parsed);
    *out = conn;
    return MR_OK;
}

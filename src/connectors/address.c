/* address.c -- "HOST:PORT,..." lists, and connecting a socket without blocking longer than the query allows. */
#include "connectors/connectors_int.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static enum mr_status address_parse(struct mr_str text, uint16_t port_default, const char *option,
                                    struct connector_address *out, struct mr_err *err)
{
    const char *end = text.data + text.size;
    const char *host = text.data, *host_end = end, *colon = NULL;
    int64_t port = port_default;

    if (text.size > 0 && host[0] == '[') {
        host++;
        host_end = memchr(host, ']', (size_t)(end - host));
        if (host_end == NULL)
            goto wrong;
        if (host_end + 1 < end)
            colon = host_end + 1;
    } else {
        colon = memrchr(text.data, ':', text.size);
        if (colon != NULL)
            host_end = colon;
    }
    if (colon != NULL) {
        if (*colon != ':' || mr_parse_i64((struct mr_str){ colon + 1, (size_t)(end - colon - 1) }, &port) != MR_OK ||
            port < 1 || port > 65535)
            goto wrong;
    }
    if (host_end == host || port == 0 || (size_t)(host_end - host) >= CONNECTOR_HOST_BYTES)
        goto wrong;
    memcpy(out->host, host, (size_t)(host_end - host));
    out->host[host_end - host] = '\0';
    out->port = (uint16_t)port;
    return MR_OK;
wrong:
    return mr_err_set(err, MR_INVALID, "%s: '%.*s' is not HOST:PORT", option, MR_STR_ARG(text));
}

enum mr_status connector_addresses_parse(const char *text, uint16_t port_default, const char *option,
                                         struct connector_address *out, int *count, struct mr_err *err)
{
    int found = 0;

    for (const char *at = text; at != NULL;) {
        const char *comma = strchr(at, ',');
        struct mr_str one = { at, comma != NULL ? (size_t)(comma - at) : strlen(at) };
        enum mr_status status;

        while (one.size > 0 && one.data[0] == ' ') {
            one.data++;
            one.size--;
        }
        while (one.size > 0 && one.data[one.size - 1] == ' ')
            one.size--;
        if (found == CONNECTOR_ADDRESSES_MAX)
            return mr_err_set(err, MR_INVALID, "%s: more than %d addresses", option, CONNECTOR_ADDRESSES_MAX);
        status = address_parse(one, port_default, option, &out[found], err);
        if (status != MR_OK)
            return status;
        found++;
        at = comma != NULL ? comma + 1 : NULL;
    }
    *count = found;
    return MR_OK;
}

/* Waits until the connect in progress on FD ended: 0, or an errno value (ECANCELED: the query stops). */
static int connect_wait(int fd, int64_t until_ms, const struct connector_context *ctx)
{
    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLOUT };
        int64_t left_ms = until_ms - connector_clock_ms(ctx);
        int ready, error = 0;
        socklen_t size = sizeof(error);

        if (connector_stopped(ctx))
            return ECANCELED;
        if (left_ms <= 0)
            return ETIMEDOUT;
        ready = poll(&p, 1, left_ms > CONNECTOR_WAIT_SLICE_MS ? CONNECTOR_WAIT_SLICE_MS : (int)left_ms);
        if (ready < 0 && errno != EINTR)
            return errno;
        if (ready <= 0)
            continue;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
            return errno;
        return error;
    }
}

static int connect_one(const struct addrinfo *to, int64_t until_ms, const struct connector_context *ctx, int *out)
{
    int one = 1, error = 0;
    int fd = socket(to->ai_family, to->ai_socktype | SOCK_CLOEXEC, to->ai_protocol);

    if (fd < 0)
        return errno;
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
        error = errno;
    if (error == 0 && connect(fd, to->ai_addr, to->ai_addrlen) != 0)
        error = errno == EINPROGRESS ? connect_wait(fd, until_ms, ctx) : errno;
    if (error != 0) {
        close(fd);
        return error;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    *out = fd;
    return 0;
}

enum mr_status connector_connect(int *out, const struct connector_address *address, int64_t timeout_ms,
                                 const struct connector_context *ctx, struct mr_err *err)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
    int64_t until_ms = connector_clock_ms(ctx) + timeout_ms;
    struct addrinfo *found = NULL;
    char port[8];
    int error;

    snprintf(port, sizeof(port), "%u", address->port);
    error = getaddrinfo(address->host, port, &hints, &found);
    if (error != 0)
        return mr_err_set(err, MR_IO, "connect to %s:%u: %s", address->host, address->port, gai_strerror(error));
    error = EADDRNOTAVAIL;
    for (const struct addrinfo *to = found; to != NULL; to = to->ai_next) {
        error = connect_one(to, until_ms, ctx, out);
        if (error == 0 || error == ECANCELED)
            break;
    }
    freeaddrinfo(found);
    if (error == ECANCELED)
        return mr_err_set(err, MR_BUSY, "stopped");
    if (error != 0)
        return mr_err_set_errno(err, MR_IO, error, "connect to %s:%u", address->host, address->port);
    return MR_OK;
}

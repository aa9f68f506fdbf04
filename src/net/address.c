/* address.c -- HOST:PORT in text and in parts. */
#include "net/net_int.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool ipv4_is_loopback(const struct in_addr *address)
{
    return (ntohl(address->s_addr) >> 24) == 127;
}

static void address_classify(struct net_address *a)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, a->host, &v4) == 1) {
        a->is_numeric = true;
        a->is_loopback = ipv4_is_loopback(&v4);
        a->is_any = v4.s_addr == 0;
    } else if (inet_pton(AF_INET6, a->host, &v6) == 1) {
        a->is_numeric = true;
        a->is_loopback = IN6_IS_ADDR_LOOPBACK(&v6);
        a->is_any = IN6_IS_ADDR_UNSPECIFIED(&v6);
        if (IN6_IS_ADDR_V4MAPPED(&v6)) {
            memcpy(&v4, v6.s6_addr + 12, sizeof(v4));
            a->is_loopback = ipv4_is_loopback(&v4);
            a->is_any = v4.s_addr == 0;
        }
    } else {
        a->is_loopback = strcasecmp(a->host, "localhost") == 0;
    }
}

static bool host_is_name(const char *host)
{
    size_t length = strlen(host);

    return length > 0 && strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == length;
}

/* Cuts TEXT into HOST and the text of the port (NULL without); false when brackets are wrong. */
static bool text_split(const char *text, struct mr_str *host, const char **port)
{
    const char *colon;

    if (text[0] == '[') {
        const char *end = strchr(text, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':'))
            return false;
        *host = (struct mr_str){ text + 1, (size_t)(end - text - 1) };
        *port = end[1] == ':' ? end + 2 : NULL;
        return true;
    }
    colon = strchr(text, ':');
    if (colon != NULL && strchr(colon + 1, ':') != NULL)
        colon = NULL; /* a bare IPv6 address */
    *host = (struct mr_str){ text, colon ? (size_t)(colon - text) : strlen(text) };
    *port = colon ? colon + 1 : NULL;
    return true;
}

enum mr_status net_address_parse(const char *text, int default_port, struct net_address *out, struct mr_err *err)
{
    struct net_address a = { .port = default_port };
    struct mr_str host;
    const char *port;
    int64_t number;

    if (!text_split(text, &host, &port))
        return mr_err_set(err, MR_INVALID, "\"%s\" is no address: the brackets of an IPv6 address do not match", text);
    if (host.size == 0 || host.size >= sizeof(a.host))
        return mr_err_set(err, MR_INVALID, "\"%s\" is no address: HOST:PORT is expected", text);
    memcpy(a.host, host.data, host.size);
    a.host[host.size] = '\0';
    if (strcmp(a.host, "*") == 0)
        snprintf(a.host, sizeof(a.host), "0.0.0.0");
    if (port != NULL) {
        if (port[0] < '0' || port[0] > '9' || mr_parse_i64(mr_str_of(port), &number) != MR_OK || number > 65535)
            return mr_err_set(err, MR_INVALID, "\"%s\" is no address: the port is a number of 0 to 65535", text);
        a.port = (int)number;
    } else if (default_port < 0) {
        return mr_err_set(err, MR_INVALID, "\"%s\" is no address: the port is missing (HOST:PORT)", text);
    }
    address_classify(&a);
    if (!a.is_numeric && (!host_is_name(a.host) || text[0] == '['))
        return mr_err_set(err, MR_INVALID, "\"%s\" is no address: \"%s\" is neither an IP address nor a host name",
                          text, a.host);
    *out = a;
    return MR_OK;
}

bool net_address_is_loopback(const char *text)
{
    struct net_address a;

    return net_address_parse(text, 0, &a, NULL) == MR_OK && a.is_loopback;
}

void net_address_format(char out[NET_ADDRESS_BYTES], const char *host, int port)
{
    bool is_v6 = strchr(host, ':') != NULL;

    snprintf(out, NET_ADDRESS_BYTES, "%s%.*s%s:%d", is_v6 ? "[" : "", NET_HOST_BYTES - 1, host, is_v6 ? "]" : "", port);
}

void net_sockaddr_parts(const struct sockaddr_storage *address, char host[NET_HOST_BYTES], int *port)
{
    host[0] = '\0';
    *port = 0;
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &v4->sin_addr, host, NET_HOST_BYTES);
        *port = ntohs(v4->sin_port);
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) /* what a socket on [::] sees of an IPv4 peer */
            inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, host, NET_HOST_BYTES);
        else
            inet_ntop(AF_INET6, &v6->sin6_addr, host, NET_HOST_BYTES);
        *port = ntohs(v6->sin6_port);
    }
}

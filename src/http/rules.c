/* rules.c -- what every HTTP listener asks of a request (DESIGN 1.4), so that a page of another site, or a name that
 * was pointed at this machine, can do nothing here. */
#include "http/server_int.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool host_is_loopback(const char *host)
{
    size_t size = strlen(host);

    return net_address_is_loopback(host) || (size > 10 && strcasecmp(host + size - 10, ".localhost") == 0);
}

static bool host_is_ours(const struct http_server *server, const char *field, const char *local_host)
{
    struct net_address host;

    if (net_address_parse(field, 80, &host, NULL) != MR_OK)
        return false;
    if (host_is_loopback(host.host) || strcasecmp(host.host, local_host) == 0 ||
        (strcasecmp(host.host, net_listener_host(server->listener)) == 0 && !host.is_any))
        return true;
    for (char **listed = server->hosts; *listed != NULL; listed++) {
        if (strcasecmp(*listed, host.host) == 0 || strcasecmp(*listed, field) == 0)
            return true;
    }
    return false;
}

static bool origin_is_host(const char *origin, const char *host)
{
    const char *authority = strstr(origin, "://");

    if (authority == NULL || (strncasecmp(origin, "http://", 7) != 0 && strncasecmp(origin, "https://", 8) != 0))
        return false;
    return strcasecmp(authority + 3, host) == 0;
}

static bool type_is_json(const char *type)
{
    size_t size = strcspn(type, "; \t");

    if (size == 16 && strncasecmp(type, "application/json", 16) == 0)
        return true;
    return size > 17 && strncasecmp(type, "application/", 12) == 0 && strncasecmp(type + size - 5, "+json", 5) == 0;
}

static bool method_changes(const char *method)
{
    return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0 && strcmp(method, "OPTIONS") != 0;
}

int http_rules_check(const struct http_server *server, const struct http_head *head, const char *local_host,
                     bool has_body, const char **why)
{
    size_t hosts;
    const char *host = http_head_field(head, "Host", &hosts);
    size_t origins;
    const char *origin = http_head_field(head, "Origin", &origins);
    const char *type = http_head_field(head, "Content-Type", NULL);

    if (hosts != 1) {
        *why = hosts == 0 ? "the Host header is missing" : "there is more than one Host header";
        return 400;
    }
    if (!host_is_ours(server, host, local_host)) {
        *why = "this Host is not served here; add the name to http.hosts if it should be";
        return 421;
    }
    if (origins > 1 || (origin != NULL && !origin_is_host(origin, host))) {
        *why = "requests from pages of other origins are not taken";
        return 403;
    }
    if (has_body && !server->raw_bodies && method_changes(head->method) && (type == NULL || !type_is_json(type))) {
        *why = "the body must be JSON: Content-Type application/json";
        return 415;
    }
    return 0;
}

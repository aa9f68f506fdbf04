/* router.c -- which handler a method and a path go to. */
#include "http/server_int.h"

#include <string.h>

struct match {
    struct http_param params[HTTP_SEGMENTS_MAX];
    size_t param_count;
    /* One letter a segment, compared as text: 'a' literal, 'b' :name, 'c' *: the least is the best match. */
    char rank[HTTP_SEGMENTS_MAX + 1];
};

/* Does PATH fit PATTERN?  False also when a percent escape is broken. */
static bool pattern_match(const char *pattern, const char *path, struct mr_arena *arena, struct match *match)
{
    size_t segments = 0;

    match->param_count = 0;
    while (*pattern == '/' && *path == '/' && segments < HTTP_SEGMENTS_MAX) {
        size_t pattern_size = strcspn(++pattern, "/");
        size_t path_size = strcspn(++path, "/");
        struct http_param *param = &match->params[match->param_count];
        bool is_rest = pattern_size == 1 && *pattern == '*';

        if (is_rest || (*pattern == ':' && path_size > 0)) {
            char *value = mr_arena_printf(arena, "%.*s", (int)(is_rest ? strlen(path) : path_size), path);
            if (!http_percent_decode(value, false))
                return false;
            param->name = is_rest ? "*" : mr_arena_printf(arena, "%.*s", (int)pattern_size - 1, pattern + 1);
            param->value = value;
            match->param_count++;
        } else if (pattern_size != path_size || memcmp(pattern, path, path_size) != 0) {
            return false;
        }
        match->rank[segments++] = is_rest ? 'c' : *pattern == ':' ? 'b' : 'a';
        match->rank[segments] = '\0';
        if (is_rest)
            return true;
        pattern += pattern_size;
        path += path_size;
    }
    return *pattern == '\0' && *path == '\0';
}

static bool methods_have(const char *methods, const char *method)
{
    size_t size = strlen(method);

    for (const char *at = methods; *at; at += strcspn(at, ","), at += *at == ',') {
        if (strcspn(at, ",") == size && memcmp(at, method, size) == 0)
            return true;
    }
    return false;
}

const struct http_route *http_routes_find(const struct http_route *routes, const char *method, const char *path,
                                          struct mr_arena *arena, struct http_param *params, size_t *param_count,
                                          const char **allow)
{
    const struct http_route *best = NULL;
    struct match best_match = { .rank = "" };
    struct match *match = MR_ARENA_NEW(arena, struct match);
    bool is_head = strcmp(method, "HEAD") == 0;

    *allow = NULL;
    for (const struct http_route *route = routes; route != NULL; route = route->next) {
        if (!pattern_match(route->pattern, path, arena, match))
            continue;
        if (!methods_have(route->methods, method) && !(is_head && methods_have(route->methods, "GET"))) {
            *allow = *allow ? mr_arena_printf(arena, "%s,%s", *allow, route->methods) : route->methods;
            continue;
        }
        if (best == NULL || strcmp(match->rank, best_match.rank) < 0) {
            best = route;
            best_match = *match;
        }
    }
    if (best == NULL)
        return NULL;
    memcpy(params, best_match.params, best_match.param_count * sizeof(*params));
    *param_count = best_match.param_count;
    return best;
}

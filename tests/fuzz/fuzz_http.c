/* fuzz_http.c -- any bytes as a request's head, its query and its path. */
#include "fuzz.h"

#include "http/server_int.h"

const char *__wrap_net_listener_host(const struct net_listener *listener);

const char *__wrap_net_listener_host(const struct net_listener *listener)
{
    MR_UNUSED(listener);
    return "192.0.2.1";
}

static void target_use(const struct http_head *head)
{
    const struct http_route routes[] = {
        { .next = NULL, .methods = (char *)(uintptr_t) "GET,HEAD", .pattern = (char *)(uintptr_t) "/a/:b/c" },
        { .next = (struct http_route *)(uintptr_t)&routes[0],
          .methods = (char *)(uintptr_t) "POST",
          .pattern = (char *)(uintptr_t) "/a/*" },
    };
    struct http_param params[HTTP_SEGMENTS_MAX], query[HTTP_QUERY_MAX];
    struct mr_arena *arena = mr_arena_new();
    char *path = mr_arena_printf(arena, "%s", head->target);
    char *mark = strchr(path, '?');
    const char *allow = NULL, *why = NULL;
    char *hosts[] = { (char *)(uintptr_t) "millrace.example:80", NULL };
    const struct http_server server = { .hosts = hosts };
    size_t count = 0;

    if (mark != NULL) {
        *mark++ = '\0';
        if (http_query_parse(mark, query, &count) == MR_OK)
            FUZZ_MUST(count <= HTTP_QUERY_MAX);
    }
    count = 0;
    if (http_routes_find(&routes[1], head->method, path, arena, params, &count, &allow) != NULL) {
        FUZZ_MUST(count <= HTTP_SEGMENTS_MAX);
        for (size_t i = 0; i < count; i++)
            FUZZ_MUST(params[i].name != NULL && params[i].value != NULL);
    }
    if (http_rules_check(&server, head, "127.0.0.1", true, &why) != 0)
        FUZZ_MUST(why != NULL);
    mr_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_head head;
    char *text = malloc(size + 1);

    FUZZ_MUST(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    if (http_head_parse(text, size, &head) == MR_OK) {
        FUZZ_MUST(head.method[0] != '\0' && head.target[0] != '\0' && head.header_count <= HTTP_HEADERS_MAX);
        target_use(&head);
    }
    free(text);
    return 0;
}

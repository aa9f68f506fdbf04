/* console.c -- see console.h.  The files of page/ are bytes of the program: tools/embed.py wrote console_page.h. */
#include "console/console.h"
#include "base/hash.h"
#include "http/http.h"

#include "console_page.h"

#include <stdio.h>
#include <string.h>

static void handle_asset(struct http_request *request, void *arg)
{
    const struct asset *asset = arg;
    const char *known = http_request_header(request, "If-None-Match");
    char tag[16];

    snprintf(tag, sizeof(tag), "\"%08x\"", mr_crc32c(0, asset->data, asset->size));
    http_answer_header(request, "ETag", tag);
    http_answer_header(request, "Cache-Control", "no-cache");
    if (known != NULL && strcmp(known, tag) == 0)
        http_answer(request, 304, asset->content_type, (struct mr_bytes){ 0 });
    else
        http_answer(request, 200, asset->content_type, (struct mr_bytes){ asset->data, asset->size });
}

void console_routes(struct http_server *server)
{
    for (size_t i = 0; i < MR_COUNT(assets); i++)
        http_server_route(server, "GET", assets[i].path, handle_asset, (void *)&assets[i]);
}

/* console.h -- the web page at /, embedded in the program.  It shows what /api and /api/events say. */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

struct http_server;

/* What the page may do: its own scripts, styles and requests, nothing of any other host. */
#define CONSOLE_SECURITY_POLICY                                                                                        \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "              \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* Adds the page and its parts to SERVER.  SERVER's loop thread. */
void console_routes(struct http_server *server);

#endif

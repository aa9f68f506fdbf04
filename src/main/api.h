/* api.h -- what HTTP answers: /healthz, /readyz, /metrics, /api/status. */
#ifndef MAIN_API_H
#define MAIN_API_H

struct server;

/* Adds the routes to SERVER's HTTP listener; SERVER must stay until stack_close_http.  Main thread. */
void api_routes(struct server *server);

#endif

/* api.h -- what HTTP answers: /healthz, /readyz, /metrics, /api/status, /api/queries. */
#ifndef MAIN_API_H
#define MAIN_API_H

struct mr_writer;
struct server;

/* Adds the routes to SERVER's HTTP listener; SERVER must stay until stack_close_http.  Main thread. */
void api_routes(struct server *server);
/* Waits for the changes under way; later ones are refused.  Before stack_close_http.  Main thread. */
void api_close(struct server *server);
/* Appends what /api/status says, as a JSON object.  HTTP's loop. */
void api_status_write(struct server *server, struct mr_writer *out);

/* ---- api_queries.c ---- */

/* Adds its routes.  HTTP's loop. */
void api_queries_routes(struct server *server);
/* Appends all queries as a JSON array. */
void api_queries_write(struct server *server, struct mr_writer *out);

/* ---- api_dags.c ---- */

/* Adds its routes, when server->dags is there.  Main thread. */
void api_dags_routes(struct server *server);

#endif

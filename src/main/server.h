/* server.h -- all parts of one process joined: data directory, stack, state, engine.  What `run` keeps up and what
 * `sql` brings up for itself when no server runs.  Main thread only. */
#ifndef MAIN_SERVER_H
#define MAIN_SERVER_H

#include "base/base.h"
#include "base/config.h"
#include "main/data_dir.h"
#include "main/server_file.h"
#include "main/stack.h"

struct dags;
struct mr_workers;
struct sql_engine;
struct state;

struct server {
    struct data_dir data_dir;
    struct stack *stack;
    struct state *state;
    struct sql_engine *engine;
    struct dags *dags;          /* NULL until dags_open */
    struct api_browse *browse;  /* NULL: no HTTP.  HTTP's loop */
    struct mr_workers *workers; /* of the HTTP API: for what may wait or sync; NULL: stopping.  HTTP's loop */
    struct server_file file;    /* the addresses: our own or the external ones */
    int64_t started_ns;
};

struct server_options {
    struct mr_config *config; /* a SETTINGS_TABLE, completed */
    const char *project_dir;  /* NULL: none */
    bool ephemeral;           /* a temporary data directory */
    bool free_ports;          /* any free port where no address was given by a flag */
    bool http;                /* with the HTTP listener */
};

/* Opens all.  On failure everything is closed again and *EXIT_CODE says what kind it was (enum main_exit). */
MR_MUST_CHECK enum mr_status server_open(struct server *server, const struct server_options *options, int *exit_code,
                                         struct mr_err *err);
/* Stops against the arrows: scheduler, queries, HTTP, tables, broker; gives the data directory up. */
void server_close(struct server *server);

#endif

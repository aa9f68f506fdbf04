/* tables.h -- the CQL server: native protocol v3, v4 and v5 over TCP, on one event loop, above the store.
 *
 * Keeps the schema (in the store's meta space), prepared statements and connections.  Promises that an answer to a
 * write or to DDL means it is durable as the store promises, and that reads see only such.  Does no storage of its own
 * and knows no pipeline.
 *
 * Threads: everything runs on the loop given, but scans, which run on workers of this room. */
#ifndef TABLES_TABLES_H
#define TABLES_TABLES_H

#include "access/access.h"
#include "base/base.h"
#include "base/env.h"
#include "net/net.h"
#include "store/store.h"

#ifdef __cplusplus
extern "C" {
#endif

enum tables_limits {
    TABLES_LISTENERS_MAX = 8,
    TABLES_PREPARED_MAX = 4096,                   /* statements; the one unused the longest goes */
    TABLES_STATEMENT_BYTES_MAX = 1024 * 1024,     /* of one statement's text */
    TABLES_IN_FLIGHT_BYTES_MAX = 8 * 1024 * 1024, /* requests of one connection not yet answered */
    TABLES_IN_FLIGHT_MAX = 4096,                  /* the same, in requests */
    TABLES_LOGIN_BYTES_MAX = 64 * 1024,           /* of a request before the login */
    TABLES_LOGINS_MAX = 3,                        /* wrong passwords on one connection */
    TABLES_PURGE_TICK_MS = 60 * 1000,
    TABLES_LOGIN_MS = 30 * 1000, /* from the connect to the login; later it is cut */
};

struct tables;

struct tables_options {
    const char *const *listen;   /* HOST:PORT each; port 0: any free one */
    size_t listen_count;         /* 1 .. TABLES_LISTENERS_MAX */
    struct net_loop *loop;       /* borrowed, running or not yet */
    struct store *store;         /* borrowed; its options.post should be the loop's */
    const struct access *access; /* borrowed */
    struct mr_env *env;          /* borrowed; NULL: the real one */
    int connections_max;         /* of a listener; 0: net's own limit */
    int worker_count;            /* threads for scans; 0: 2 */
    int64_t login_ms;            /* 0: TABLES_LOGIN_MS */
    int64_t purge_tick_ms;       /* how often to see if an hour of ENV is over (see purge.c); 0: once a minute */
};

/* Loads the schema and listens.  Blocks on the disk: not for a loop.  Options are copied, what they point to must
 * outlive the server.  Caller owns *OUT: tables_close().  Ready when it returns.
 * MR_DENIED   an address is not on loopback, and there are no users and security is not open
 * MR_BUSY, MR_INVALID, MR_IO  as net_listener_open      MR_CORRUPT, MR_UNSUPPORTED  the stored schema */
MR_MUST_CHECK enum mr_status tables_open(struct tables **out, const struct tables_options *options, struct mr_err *err);
/* "HOST:PORT" of listener INDEX, as bound; NULL when there is none.  Valid until the close. [any] */
const char *tables_address(const struct tables *tables, size_t index);
/* Closes listeners and connections, waits for what was begun, frees.  Before store_close and net_loop_stop; not from a
 * loop's thread.  NULL is legal. */
void tables_close(struct tables *tables);

#ifdef __cplusplus
}
#endif
#endif

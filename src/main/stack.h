/* stack.h -- the servers of one process: the log behind the Kafka protocol, the tables behind CQL, HTTP.
 *
 * Each has its own event loop thread; a part whose place an external system takes is not started.
 * Threads: open and close on the main thread. */
#ifndef MAIN_STACK_H
#define MAIN_STACK_H

#include "base/base.h"

struct stack;
struct http_server;
struct net_loop;

struct stack_options {
    const char *data_dir;
    const char *kafka_listen;    /* HOST:PORT, or several joined by commas; NULL: no broker */
    const char *kafka_advertise; /* one for each of them, joined by commas, "-": none; NULL: none of them has one */
    bool replication_reject;     /* refuse more than one replica, instead of making one */
    int64_t group_delay_ms;      /* group.initial.rebalance.delay.ms */
    int64_t group_session_ms;    /* group.min.session.timeout.ms */
    int64_t offsets_minutes;     /* offsets.retention.minutes */
    const char *cql_listen;      /* HOST:PORT; NULL: no tables */
    const char *http_listen;     /* HOST:PORT; NULL: no HTTP */
    const char *http_hosts;      /* names joined by commas that a request's Host may have; NULL: none */
    bool relaxed;                /* durability: relaxed */
    bool security_open;          /* everyone is let in, from anywhere */
};

/* Starts every part; when it returns MR_OK all of them accept connections.  Caller owns *OUT: stack_close.
 * *DATA_FAILED says whether the data directory was the cause of a failure (for the exit code).
 * MR_INVALID  an address is wrong     MR_DENIED  reachable from other machines while there are no users
 * MR_BUSY     an address is in use      MR_CORRUPT, MR_UNSUPPORTED, MR_IO  the data directory can't be used */
MR_MUST_CHECK enum mr_status stack_open(struct stack **out, const struct stack_options *options, bool *data_failed,
                                        struct mr_err *err);
/* Stops HTTP alone, whose handlers may look at things that are to be closed next.  NULL is legal. */
void stack_close_http(struct stack *stack);
/* Stops HTTP, tables and broker, in this order, syncing what they hold.  NULL is legal. */
void stack_close(struct stack *stack);

/* "HOST:PORT" as bound, or NULL when the part does not run.  Of Kafka it is the one for clients on this machine: the
 * first listener that tells no other address; if all do, one of its own.  Borrowed. */
const char *stack_kafka(const struct stack *stack);
/* All of Kafka's listeners for people to read, joined by commas; NULL when it does not run.  Borrowed. */
const char *stack_kafka_listeners(const struct stack *stack);
const char *stack_cql(const struct stack *stack);
const char *stack_http(const struct stack *stack);
/* Where routes are added, on stack_http_loop's thread; NULL without HTTP. */
struct http_server *stack_http_server(struct stack *stack);
struct net_loop *stack_http_loop(struct stack *stack);

#endif

/* broker.h -- the Kafka server: listens, decodes requests, answers them from a struct log.
 *
 * Keeps connections and requests on the way; everything durable is the log's.  One node, id BROKER_NODE_ID, is leader,
 * only replica and controller of all.  An answer that says "done" is sent only after the log's sync callback.
 *
 * Threads: the broker lives on the thread of the loop it was given, which must also be the thread that owns the log.
 *          broker_open and broker_close run on that thread too (post them there).
 * Memory:  options are copied; the loop and the log are borrowed until broker_close. */
#ifndef MR_BROKER_H
#define MR_BROKER_H

#include "base/base.h"
#include "base/env.h"

struct net_loop;
struct log;
struct broker;

enum broker_limits {
    BROKER_NODE_ID = 1,
    BROKER_LISTENERS_MAX = 16,
    BROKER_FRAME_BYTES_MAX = 100 * 1024 * 1024, /* socket.request.max.bytes; a longer one closes the connection */
    BROKER_CONNECTIONS_MAX_DEFAULT = 1000,      /* over all listeners; more are accepted and closed at once */
    BROKER_MESSAGE_BYTES_MAX_DEFAULT = 1048588, /* message.max.bytes */
    BROKER_CONNECTION_BYTES_MAX =
        64 * 1024 * 1024,                  /* requests and answers held for one connection before it is not read */
    BROKER_CONNECTION_REQUESTS_MAX = 1000, /* pipelined requests not yet answered before it is not read */
};

/* Where to listen, and what to tell clients that come in there. */
struct broker_listener {
    const char *address;   /* "HOST:PORT", IPv6 as "[::1]:9092"; port 0: any free one */
    const char *advertise; /* "HOST:PORT" told to clients; NULL: the address that the client came in on */
};

/* Consumer groups.  Zero fields mean Kafka's defaults, except the first delay, which is none. */
struct broker_group_options {
    int32_t initial_rebalance_delay_ms; /* group.initial.rebalance.delay.ms */
    int32_t session_timeout_min_ms;     /* group.min.session.timeout.ms */
    int32_t session_timeout_max_ms;     /* group.max.session.timeout.ms */
    int32_t size_max;                   /* group.max.size; 0: 1000 */
    int32_t offsets_retention_minutes;  /* offsets.retention.minutes */
};

struct broker_options {
    struct net_loop *loop;                   /* borrowed */
    struct log *log;                         /* borrowed; owned by the loop's thread */
    struct mr_env *env;                      /* borrowed; clock and chance */
    const struct broker_listener *listeners; /* listener_count of them, at least one */
    uint32_t listener_count;
    bool auto_create_topics;    /* Metadata makes topics it is asked for, when the client allows */
    bool replication_reject;    /* refuse a replication factor above 1 and other nodes; else 1 and this one are taken */
    int32_t partitions_default; /* num.partitions; 0: 1 */
    int32_t message_bytes_max;  /* message.max.bytes; 0: BROKER_MESSAGE_BYTES_MAX_DEFAULT */
    uint32_t connections_max;   /* 0: BROKER_CONNECTIONS_MAX_DEFAULT */
    struct broker_group_options groups;
    const char *cluster_id; /* clients expect it to stay; NULL: a new one at each open */
};

/* Listens on every address; when it returns MR_OK all of them accept.  Caller owns *OUT: broker_close.
 * MR_INVALID  an address can't be understood; err names it
 * MR_BUSY     an address is in use
 * MR_IO       the system refused */
MR_MUST_CHECK enum mr_status broker_open(struct broker **out, const struct broker_options *options, struct mr_err *err);

/* "HOST:PORT" really bound by listener INDEX (port 0 replaced), borrowed until broker_close. */
const char *broker_address(const struct broker *broker, uint32_t index);

/* Stops listening, drops every connection and request, frees.  Must come before log_close.  Appends on their way to
 * disk stay valid; nobody is told.  NULL is legal. */
void broker_close(struct broker *broker);

#endif

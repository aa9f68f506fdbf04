/* cql_client_int.h -- an asynchronous CQL client on the query's thread: one connection, many requests on the way.
 *
 * Requests that are waited for (query, prepare) and those that are only submitted share the connection.  A submitted
 * request is kept until it is acknowledged and is sent again after a broken connection, an overloaded server or a
 * time-out: submit only what may happen twice. */
#ifndef MR_CONNECTORS_CQL_CLIENT_INT_H
#define MR_CONNECTORS_CQL_CLIENT_INT_H

#include "connectors/connectors_int.h"
#include "cql/cql.h"

enum cql_client_limits {
    CQL_CLIENT_PORT = 9042,
    CQL_CLIENT_CONNECT_MS = 3000,
    CQL_CLIENT_ANSWER_MS = 15000, /* a connection that is silent for so long is given up */
    CQL_CLIENT_OPEN_MS = 15000,
    CQL_CLIENT_IN_FLIGHT_MAX = 256,
    CQL_CLIENT_FRAME_BYTES_MAX = 64 << 20, /* of an answer */
};

/* ---- one connection (cql_conn.c) ---- */

struct cql_conn {
    const struct connector_context *ctx; /* borrowed */
    struct connector_address address;
    int fd; /* -1: closed */
    struct mr_writer out;
    size_t out_sent;
    struct mr_writer in;
    size_t in_taken; /* bytes of frames that were handed over */
};

/* One answer, borrowed from the connection until the next cql_conn_next. */
struct cql_frame {
    struct cql_header header;
    struct mr_bytes body;
};

void cql_conn_init(struct cql_conn *conn, const struct connector_context *ctx);
void cql_conn_deinit(struct cql_conn *conn);
void cql_conn_close(struct cql_conn *conn);
/* Connects to ADDRESS and logs in, with USER (may be NULL) when the server asks for one.
 * MR_IO: can't be reached     MR_DENIED: wrong or missing login     MR_BUSY: stopped */
MR_MUST_CHECK enum mr_status cql_conn_open(struct cql_conn *conn, const struct connector_address *address,
                                           const char *user, const char *password, struct mr_err *err);
/* Sends what it can of conn->out and receives what is there, waiting up to WAIT_MS for either. */
MR_MUST_CHECK enum mr_status cql_conn_pump(struct cql_conn *conn, int wait_ms, struct mr_err *err);
/* The next whole answer that was received; MR_NEED_MORE when there is none, MR_IO when it is no CQL. */
MR_MUST_CHECK enum mr_status cql_conn_next(struct cql_conn *conn, struct cql_frame *out, struct mr_err *err);

/* ---- the client (cql_client.c) ---- */

struct cql_client;

/* A request on the way.  The caller fills frame with one whole frame whose stream is `stream`. */
struct cql_request {
    struct mr_writer frame; /* kept until acknowledged */
    int16_t stream;
    bool used;
    bool filling;     /* not submitted yet */
    bool sent;        /* on the way on the current connection */
    int attempt;      /* how often it failed */
    int64_t retry_ms; /* not sent before */
};

struct cql_client_options {
    const char *contact_points; /* "HOST[:PORT],..." */
    const char *option_name;    /* where they came from, for messages */
    const char *user;           /* may be NULL; borrowed, like the others */
    const char *password;
    uint32_t in_flight_max; /* 1 .. CQL_CLIENT_IN_FLIGHT_MAX */
};

/* Does not connect.  Caller owns. */
MR_MUST_CHECK enum mr_status cql_client_new(struct cql_client **out, const struct connector_context *ctx,
                                            const struct cql_client_options *options, struct mr_err *err);
void cql_client_free(struct cql_client *client); /* NULL is legal; what is on the way is forgotten */
/* Connects, trying again until UNTIL_MS. */
MR_MUST_CHECK enum mr_status cql_client_connect(struct cql_client *client, int64_t until_ms, struct mr_err *err);
/* Runs TEXT and waits; the result borrows ARENA.  Not retried.  A server's error: MR_INVALID with its message, MR_BUSY
 * for one that may pass, MR_DENIED for missing rights, MR_EXISTS.  MR_IO: the connection broke. */
MR_MUST_CHECK enum mr_status cql_client_query(struct cql_client *client, const char *text, struct mr_arena *arena,
                                              struct cql_result *out, struct mr_err *err);
/* The same with parameters. */
MR_MUST_CHECK enum mr_status cql_client_run(struct cql_client *client, const struct cql_query *query,
                                            struct mr_arena *arena, struct cql_result *out, struct mr_err *err);
/* Runs QUERY and waits; connects and asks again after trouble that may pass, so only what may happen twice.  An error
 * is final: statuses of cql_client_query, but MR_BUSY is only "stopped" and there is no MR_IO. */
MR_MUST_CHECK enum mr_status cql_client_read(struct cql_client *client, const struct cql_query *query,
                                             struct mr_arena *arena, struct cql_result *out, struct mr_err *err);
/* Prepares TEXT (copied) now, and again after each reconnect.  Statuses of cql_client_query. */
MR_MUST_CHECK enum mr_status cql_client_prepare(struct cql_client *client, const char *text, struct mr_err *err);
/* The prepared statement's id, which never changes. */
struct mr_bytes cql_client_prepared_id(const struct cql_client *client);
/* A free request with an empty frame; waits while too many are on the way.  An error is final. */
MR_MUST_CHECK enum mr_status cql_client_request(struct cql_client *client, struct cql_request **out,
                                                struct mr_err *err);
/* Sends it as soon as that goes.  Does not wait. */
MR_MUST_CHECK enum mr_status cql_client_submit(struct cql_client *client, struct cql_request *request,
                                               struct mr_err *err);
/* Waits until every submitted request is acknowledged.  An error is final. */
MR_MUST_CHECK enum mr_status cql_client_drain(struct cql_client *client, struct mr_err *err);

#endif

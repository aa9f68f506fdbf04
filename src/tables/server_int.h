/* server_int.h -- the server's own structs: connections, requests under way, prepared statements.  Loop thread only. */
#ifndef TABLES_SERVER_INT_H
#define TABLES_SERVER_INT_H

#include "base/map.h"
#include "base/metrics.h"
#include "tables/plan_int.h"
#include "tables/system_int.h"
#include "tables/tables.h"

enum conn_state { CONN_NEW, CONN_AUTHENTICATING, CONN_READY };

struct conn {
    struct tables *tables;
    struct net_conn *net; /* NULL once closed */
    uint32_t refs;        /* the network's, and one for each request under way */
    struct conn *next;    /* of tables->conns */
    struct conn *previous;
    enum conn_state state;
    uint8_t version; /* of the last request */
    bool is_started; /* STARTUP was answered: VERSION and compression stay */
    bool is_framed;  /* version 5, started: all is in segments */
    bool is_cut;     /* version 5: the last segment was a part of an envelope */
    enum cql_compression compression;
    struct evbuffer *envelopes; /* owned: what segments brought and no request took yet; NULL before is_framed */
    bool is_registered;         /* wants SCHEMA_CHANGE */
    bool is_closing;            /* an error that ends it was sent */
    bool is_stalled;            /* its next request waits for room in the store's queue */
    bool is_paused;
    uint32_t logins_failed;
    struct net_timer *login_timer; /* owned; NULL once logged in or closed */
    struct mr_str keyspace;        /* owned; null: none in use */
    struct mr_str driver_name;     /* owned; as STARTUP said, cut; null: it did not */
    struct mr_str driver_version;
    uint64_t request_count;
    uint32_t traced; /* requests under way that asked to be traced */
    uint32_t in_flight;
    size_t in_flight_bytes;
};

/* A request whose answer comes later. */
struct request {
    struct conn *conn; /* a reference */
    int16_t stream;
    uint8_t version;
    size_t bytes;
    struct request *next; /* DDL queue, free list */
};

struct prepared {
    uint8_t id[CQL_ID_BYTES];
    uint8_t result_id[CQL_ID_BYTES]; /* stands for the columns of the answer; version 5 */
    struct plan *plan;               /* a reference */
    struct prepared *newer;          /* by last use */
    struct prepared *older;
};

struct ddl_job;
struct purge;

/* A request that asked to be traced: a row of system_traces.sessions. */
struct trace {
    uint8_t id[16];          /* a timeuuid */
    const struct conn *conn; /* until the answer */
    int16_t stream;
    uint8_t opcode;
    char client[NET_HOST_BYTES];
    struct mr_str text;  /* owned; of the statement, cut; null: it has none */
    int64_t started_us;  /* since 1970; 0: no trace is here */
    int64_t duration_us; /* -1: not yet answered */
};

enum trace_limit { TRACES_MAX = 64, TRACE_TEXT_BYTES_MAX = 1024 };

struct tables {
    struct net_loop *loop;
    struct store *store;
    const struct access *access;
    struct mr_env *env;
    struct net_listener *listeners[TABLES_LISTENERS_MAX];
    size_t listener_count;
    struct mr_workers *workers;
    struct schema *schema;
    struct conn *conns;
    uint32_t stalled_count;
    uint32_t in_flight; /* requests under way, of all connections */
    bool is_closing;
    int64_t login_ms;
    int64_t last_us; /* the newest write time given */

    struct mr_map *prepared; /* id to struct prepared */
    struct prepared *newest;
    struct prepared *oldest;

    struct request *free_requests;
    struct ddl_job *ddl_head; /* the one under way, then those waiting */
    struct ddl_job *ddl_tail;

    struct purge *purge; /* owned */

    struct trace traces[TRACES_MAX]; /* a ring */
    uint32_t trace_count;            /* so far */
    char warning[256];               /* goes with the next answer; "": none */

    struct mr_arena *arena;  /* of the request being handled */
    struct mr_writer answer; /* of the answer being written */
    struct mr_writer packed; /* the same as it goes to the connection; requests as they come from it */
    struct mr_writer plain;  /* the body of the request being handled, when it was compressed */

    struct mr_metric *requests[CQL_OP_N];
    struct mr_metric *errors;
    struct mr_metric *connections;
};

/* What became of a request that was looked at. */
enum handled {
    HANDLED,       /* answered, or will be */
    HANDLED_STALL, /* nothing was done: give it again later */
};

/* A request as it came. */
struct frame {
    struct conn *conn;
    struct cql_header header;        /* body_bytes: when plain */
    struct mr_reader body;           /* after the prefix */
    struct mr_str keyspace;          /* the connection's, or the request's own (version 5) */
    const struct prepared *prepared; /* EXECUTE: what it runs */
    struct mr_bytes result_id;       /* EXECUTE, version 5: of the columns that the client knows; else null */
};

/* ---- input.c ---- */

/* Version 5: takes segments from INPUT until conn->envelopes begins with a whole envelope, or one to be refused.
 * False: there is not yet one, or the connection is to be closed (an error was sent). */
bool input_fill(struct conn *conn, struct evbuffer *input);
/* The plain body of a compressed one in tables->plain; false: an error that ends the connection was sent. */
bool input_decompress(struct conn *conn, struct cql_header *header, struct mr_bytes *body);
/* The bytes that a body may have now. */
size_t input_body_max(const struct conn *conn);
/* Sends a protocol error, after which the connection is closed. */
void input_reject(struct conn *conn, uint8_t version, int16_t stream, const char *format, ...) MR_PRINTF(4, 5);

/* ---- answers.c ---- */

/* Begins an answer in tables->answer and ends it, giving it to the connection (if it is still there). */
size_t answer_begin(struct tables *tables, uint8_t version, int16_t stream, enum cql_opcode opcode);
void answer_end(struct conn *conn, size_t position);
void answer_void(struct conn *conn, uint8_t version, int16_t stream);
void answer_ready(struct conn *conn, uint8_t version, int16_t stream);
void answer_error(struct conn *conn, uint8_t version, int16_t stream, const struct cql_error *error);
/* The same from a code and a text. */
void answer_fail(struct conn *conn, uint8_t version, int16_t stream, int32_t code, const char *format, ...)
    MR_PRINTF(5, 6);
/* The error that a failing store means. */
void answer_store_error(struct conn *conn, uint8_t version, int16_t stream, enum mr_status status,
                        const struct mr_err *err);
/* The answer that is ended next tells TEXT as a warning (not in version 3, which has none). */
void answer_warn(struct tables *tables, const char *text);
/* Sends CHANGE to every connection that registered. */
void answer_event(struct tables *tables, const struct cql_schema_change *change);

struct request *request_new(struct conn *conn, uint8_t version, int16_t stream, size_t bytes);
/* Answered: gives its share of the limits back, resumes what waited. */
void request_free(struct request *request);
void conn_unref(struct conn *conn);

/* ---- handshake.c, statements.c ---- */

void handle_options(struct frame *frame);
void handle_startup(struct frame *frame);
void handle_auth_response(struct frame *frame);
void handle_register(struct frame *frame);
enum handled handle_query(struct frame *frame);
void handle_prepare(struct frame *frame);
enum handled handle_execute(struct frame *frame);
enum handled handle_batch(struct frame *frame);
/* A body that can't be read. */
void handle_malformed(struct frame *frame);
/* Takes the next request from the connection's input; server.c. */
void conn_read(struct net_conn *net, void *arg);

/* ---- run.c ---- */

/* One write time, later than any before. */
int64_t tables_now_us(struct tables *tables);
/* Runs PLAN for FRAME with the client's PARAMS. */
enum handled run_plan(struct frame *frame, struct plan *plan, const struct cql_params *params);
/* Queues COUNT mutations; answers when they are durable. */
enum handled run_apply(struct frame *frame, const struct store_mutation *mutations, size_t count);

/* ---- purge.c ---- */

/* Loads what is known of tombstones and starts to look after them.  Blocks; not from the loop's thread. */
MR_MUST_CHECK enum mr_status purge_open(struct tables *tables, int64_t tick_ms, struct mr_err *err);
/* Counts the tombstones in mutations that were given to the store. */
void purge_note(struct tables *tables, const struct store_mutation *mutations, size_t count);
/* No purge begins any more, one under way ends soon; then purge_is_running turns false. */
void purge_stop(struct tables *tables);
bool purge_is_running(const struct tables *tables);
/* Frees.  Not from the loop's thread; legal though purge_open failed or never ran. */
void purge_close(struct tables *tables);

/* ---- run_ddl.c ---- */

void run_ddl(struct frame *frame, struct plan *plan);

/* ---- trace.c ---- */

/* Notes that FRAME is traced. */
void trace_begin(const struct frame *frame);
/* The request of STREAM is to be looked at again later. */
void trace_cancel(struct conn *conn, int16_t stream);
/* It is answered: its id, or NULL when it is not traced (any more). */
const uint8_t *trace_end(struct conn *conn, int16_t stream);
/* The connection is gone. */
void trace_forget(struct conn *conn);
void trace_free_all(struct tables *tables);

/* ---- describe.c ---- */

void run_describe(struct frame *frame, const struct plan *plan, const struct cql_params *params);

/* ---- prepared.c ---- */

struct prepared *prepared_find(struct tables *tables, struct mr_bytes id);
/* Remembers PLAN (takes the reference) under the MD5 of KEYSPACE and TEXT. */
struct prepared *prepared_add(struct tables *tables, struct mr_str keyspace, struct mr_str text, struct plan *plan);
void prepared_id(uint8_t out[CQL_ID_BYTES], struct mr_str keyspace, struct mr_str text);
void prepared_remove(struct tables *tables, struct prepared *prepared);
void prepared_free_all(struct tables *tables);

#endif

/* net.h -- event loops, timers, listeners and TCP connections, over libevent.
 *
 * A net_loop is an object with a thread of its own.  All that belongs to a loop (timers, listeners, connections) is
 * used on that thread only, except calls marked [any]; every callback runs there and must not block.  Another thread
 * hands work to a loop with net_loop_post.  Bytes mean nothing here: framing is the business of the room above.
 *
 * Life of a connection: OPEN --close, peer gone, error, idle--> CLOSING --on_close ran--> gone.  on_close runs exactly
 * once, never inside a call of this header, and is the last callback; the struct is valid until it returns, or longer
 * for those who hold a reference (net_conn_ref). */
#ifndef MR_NET_H
#define MR_NET_H

#include "base/base.h"
#include "base/thread.h"

#include <event2/buffer.h>

#ifdef __cplusplus
extern "C" {
#endif

struct event_base;
struct net_loop;
struct net_timer;
struct net_listener;
struct net_conn;

enum net_limits {
    NET_HOST_BYTES = 256,          /* a host's name or address with its NUL */
    NET_ADDRESS_BYTES = 272,       /* "HOST:PORT" with its NUL */
    NET_CONNECTIONS_MAX = 10000,   /* of a listener that names no limit */
    NET_OUTPUT_LOW = 256 * 1024,   /* bytes; see net_conn_set_output_marks */
    NET_OUTPUT_HIGH = 1024 * 1024, /* bytes */
    NET_INPUT_MAX = 1024 * 1024,   /* bytes; see net_conn_set_input_max */
    NET_FLUSH_MS = 10000,          /* a peer that takes nothing for so long loses what is left at close */
    NET_CONNECT_MS = 10000,        /* of net_connect when it names no other */
};

/* ---- addresses ---- */

/* HOST:PORT in parts.  host has no brackets. */
struct net_address {
    char host[NET_HOST_BYTES];
    int port;         /* 0 .. 65535; 0 when listening means any free port */
    bool is_numeric;  /* an IPv4 or IPv6 address, not a name */
    bool is_loopback; /* 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104 or localhost */
    bool is_any;      /* 0.0.0.0, :: or * */
};

/* Reads "127.0.0.1:9092", "[::1]:9092", "localhost:9092", "name:9092", "*:9092" (host 0.0.0.0).  Without ":PORT" the
 * port is DEFAULT_PORT, or MR_INVALID when that is negative.  ERR quotes the text. [any] */
MR_MUST_CHECK enum mr_status net_address_parse(const char *text, int default_port, struct net_address *out,
                                               struct mr_err *err);
/* Is TEXT (with or without brackets and :PORT) an address of loopback, or localhost?  Garbage is not. [any] */
bool net_address_is_loopback(const char *text);
/* "HOST:PORT", an IPv6 host in brackets. [any] */
void net_address_format(char out[NET_ADDRESS_BYTES], const char *host, int port);

/* ---- loops ---- */

/* A loop named NAME (its thread's name, cut to 15 characters), not yet running.  Caller owns: net_loop_free.
 * Ignores SIGPIPE in the whole process. [any]      MR_IO  the system gave no event base */
MR_MUST_CHECK enum mr_status net_loop_new(struct net_loop **out, const char *name, struct mr_err *err);
/* Starts the thread.  Until then the caller's thread counts as the loop's. */
void net_loop_start(struct net_loop *loop);
/* Runs the jobs posted so far, closes listeners and connections (their on_close runs, reason NET_CLOSED_STOP), runs the
 * jobs those posted, ends and joins the thread.  Later posts are run by net_loop_free.  Not from the loop's own thread.
 * Being stopped or never started is legal. */
void net_loop_stop(struct net_loop *loop);
/* Stops, runs what is still queued, frees.  NULL is legal. */
void net_loop_free(struct net_loop *loop);
/* Runs JOB(ARG) on the loop later, once, never inside this call; jobs of one thread in the order it posted them. [any]
 */
void net_loop_post(struct net_loop *loop, mr_job_fn *job, void *arg);
/* The same as a struct mr_post, for rooms that know no loops. [any] */
struct mr_post net_loop_poster(struct net_loop *loop);
/* Runs JOB(ARG) on the loop and waits for its end; at once when called on the loop or while it is not running.  Never
 * from another loop's thread: loops must not wait. [any] */
void net_loop_call(struct net_loop *loop, mr_job_fn *job, void *arg);
/* Is this the loop's thread? [any] */
bool net_loop_is_current(const struct net_loop *loop);
/* libevent's base, made with locks, for evhttp. [any] */
struct event_base *net_loop_base(struct net_loop *loop);

/* Runs FN(ARG) after DELAY_MS and then every PERIOD_MS (0: once).  Caller owns: net_timer_free, also of one that has
 * run; all before net_loop_free. */
struct net_timer *net_timer_new(struct net_loop *loop, int64_t delay_ms, int64_t period_ms, mr_job_fn *fn, void *arg);
/* Starts TIMER anew with another delay (it runs then even if it ran before); the period stays. */
void net_timer_restart(struct net_timer *timer, int64_t delay_ms);
/* It does not run any more.  Legal inside its own FN; NULL is legal. */
void net_timer_free(struct net_timer *timer);

/* ---- connections ---- */

enum net_close_reason {
    NET_CLOSED_LOCAL, /* net_conn_close or _after_flush */
    NET_CLOSED_PEER,  /* the peer closed, or reset */
    NET_CLOSED_ERROR, /* the system's error: net_conn_error_text; for net_connect: no connection was made */
    NET_CLOSED_IDLE,  /* idle_ms without a byte either way, or no progress while flushing */
    NET_CLOSED_STOP,  /* the loop stops */
};

/* What a connection tells its owner; each may be NULL.  ARG is that of net_conn_set_callbacks. */
struct net_conn_callbacks {
    void (*on_open)(struct net_conn *conn, void *arg);    /* net_connect only: the connection is made */
    void (*on_read)(struct net_conn *conn, void *arg);    /* bytes came; what is left in the input stays there */
    void (*on_drained)(struct net_conn *conn, void *arg); /* output fell to the low mark or below */
    void (*on_close)(struct net_conn *conn, enum net_close_reason reason, void *arg);
};

/* Sets the callbacks (borrowed, must outlive the connection) and their ARG. */
void net_conn_set_callbacks(struct net_conn *conn, const struct net_conn_callbacks *callbacks, void *arg);
/* The ARG set last, NULL before. */
void *net_conn_arg(const struct net_conn *conn);
/* Bytes received and not yet taken.  Take them with evbuffer_remove, evbuffer_drain, evbuffer_pullup… */
struct evbuffer *net_conn_input(struct net_conn *conn);
/* Where to put what is to be sent (evbuffer_add, evbuffer_add_reference, evbuffer_add_file_segment…); sent as soon as
 * the loop gets to it. */
struct evbuffer *net_conn_output(struct net_conn *conn);
/* Copies DATA into the output. */
void net_conn_write(struct net_conn *conn, struct mr_bytes data);
/* Back-pressure by the owner: no on_read until net_conn_resume, which calls on_read (later) when input is waiting. */
void net_conn_pause(struct net_conn *conn);
void net_conn_resume(struct net_conn *conn);
/* Reading also stops by itself while more than HIGH bytes of output wait, and goes on, calling on_read when input is
 * waiting, once they are LOW or fewer (on_drained runs first).  LOW < HIGH. */
void net_conn_set_output_marks(struct net_conn *conn, size_t low, size_t high);
/* More than HIGH bytes wait: an owner that makes answers should stop until on_drained. */
bool net_conn_output_full(const struct net_conn *conn);
/* Nothing is received while the input holds BYTES: at least the longest frame the owner waits for. */
void net_conn_set_input_max(struct net_conn *conn, size_t bytes);
/* Closes after IDLE_MS without a byte in either direction; 0: never. */
void net_conn_set_idle(struct net_conn *conn, int64_t idle_ms);
/* Closes now, dropping what was not sent.  After it only on_close runs.  Closing twice is legal. */
void net_conn_close(struct net_conn *conn);
/* Reads no more, sends what is in the output, then closes so that the peer gets all of it (it lingers until the peer
 * closes too, 2 s at most). */
void net_conn_close_after_flush(struct net_conn *conn);
/* False from net_conn_close (or a failure) on, and while a net_connect is under way. */
bool net_conn_is_open(const struct net_conn *conn);
/* Keeps the struct (not the connection) after on_close, for jobs that answer later: check net_conn_is_open then.
 * Loop thread only; each ref needs its unref. */
struct net_conn *net_conn_ref(struct net_conn *conn);
void net_conn_unref(struct net_conn *conn);
/* A number that no other connection of the process has. */
uint64_t net_conn_id(const struct net_conn *conn);
/* "HOST:PORT" of this side and of the other; valid as long as the struct. */
const char *net_conn_local_text(const struct net_conn *conn);
const char *net_conn_peer_text(const struct net_conn *conn);
/* The same without the port: this side's host (what to advertise) and the peer's (ACLs, logs); and the ports. */
const char *net_conn_local_host(const struct net_conn *conn);
const char *net_conn_peer_host(const struct net_conn *conn);
int net_conn_local_port(const struct net_conn *conn);
/* Is the peer on loopback? */
bool net_conn_is_loopback(const struct net_conn *conn);
/* The listener it came from; NULL for net_connect, and once that listener is closed. */
struct net_listener *net_conn_listener(const struct net_conn *conn);
/* Why it failed, in words; "" when it did not. */
const char *net_conn_error_text(const struct net_conn *conn);
/* Bytes received and sent so far. */
uint64_t net_conn_bytes_in(const struct net_conn *conn);
uint64_t net_conn_bytes_out(const struct net_conn *conn);

/* Connects to HOST:PORT (a name is resolved on a thread of its own, addresses tried in turn), TCP_NODELAY set.
 * on_open or on_close (NET_CLOSED_ERROR) follows, never inside this call.  TIMEOUT_MS 0: NET_CONNECT_MS.
 * MR_INVALID  ADDRESS is none */
MR_MUST_CHECK enum mr_status net_connect(struct net_loop *loop, struct net_conn **out, const char *address,
                                         int64_t timeout_ms, const struct net_conn_callbacks *callbacks, void *arg,
                                         struct mr_err *err);

/* ---- listeners ---- */

/* A new connection; the callee sets its callbacks.  A connection left without is closed. */
typedef void net_accept_fn(struct net_conn *conn, void *arg);

struct net_listener_options {
    const char *name;    /* of the metrics' label, as "kafka" */
    const char *address; /* HOST:PORT: a numeric host, localhost (127.0.0.1) or *; port 0: any free one */
    int connections_max; /* over it: accepted, closed, counted; 0: NET_CONNECTIONS_MAX */
    int64_t idle_ms;     /* see net_conn_set_idle */
    size_t input_max;    /* see net_conn_set_input_max; 0: NET_INPUT_MAX */
    size_t output_low;   /* see net_conn_set_output_marks; both 0: NET_OUTPUT_LOW, NET_OUTPUT_HIGH */
    size_t output_high;
    net_accept_fn *on_accept;
    void *arg;
};

/* Binds and listens; on_accept runs on the loop.  Options are copied.  Caller owns: net_listener_close;
 * the loop's stop ends its listening, net_loop_free frees one that was left. [any]
 * MR_INVALID  the address can't be read, or is a name      MR_BUSY  in use; ERR names the address and, where the system
 * tells, the process that has it      MR_DENIED  a port for root      MR_IO  the system refused */
MR_MUST_CHECK enum mr_status net_listener_open(struct net_loop *loop, struct net_listener **out,
                                               const struct net_listener_options *options, struct mr_err *err);
/* Accepts no more and frees; its connections live on.  NULL is legal.  [any], but not from another loop's thread */
void net_listener_close(struct net_listener *listener);
/* "HOST:PORT" as bound (the real port), its parts; valid until the close. [any] */
const char *net_listener_text(const struct net_listener *listener);
const char *net_listener_host(const struct net_listener *listener);
int net_listener_port(const struct net_listener *listener);
bool net_listener_is_loopback(const struct net_listener *listener);
/* Connections open now; those refused for the limit so far. [any] */
int64_t net_listener_connections(const struct net_listener *listener);
int64_t net_listener_refused(const struct net_listener *listener);
/* Connections of the listener that are open now, each given to EACH, which may close it. */
void net_listener_each(struct net_listener *listener, net_accept_fn *each, void *arg);

/* A bound, listening, non-blocking socket for servers that accept by themselves (evhttp); the errors are those of
 * net_listener_open.  Caller owns *FD.  TEXT gets the address as bound. [any] */
MR_MUST_CHECK enum mr_status net_socket_listen(const char *address, int *fd, char text[NET_ADDRESS_BYTES],
                                               struct mr_err *err);

#ifdef __cplusplus
}
#endif
#endif

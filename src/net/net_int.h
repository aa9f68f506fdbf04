/* net_int.h -- what the files of net share. */
#ifndef MR_NET_INT_H
#define MR_NET_INT_H

#include "net/net.h"

#include <event2/event.h>
#include <stdatomic.h>
#include <sys/socket.h>

struct net_job {
    mr_job_fn *fn;
    void *arg;
};

struct net_loop {
    struct event_base *base; /* owned */
    char name[16];
    pthread_t thread;
    atomic_bool running;
    pthread_mutex_t lock; /* guards jobs… */
    struct net_job *jobs; /* owned */
    size_t job_count;
    size_t job_capacity;
    struct event *wake;             /* active: there are jobs */
    struct event *attend;           /* active: there are connections in attention or closing */
    struct net_conn *conns;         /* all that have not ended */
    struct net_conn *attention;     /* with output to try, or an on_read that is due */
    struct net_conn *closing;       /* whose on_close is due */
    struct net_listener *listeners; /* all open */
    struct net_lookup *lookups;     /* names being resolved */
};

enum net_conn_state { NET_CONNECTING, NET_OPEN, NET_FLUSHING, NET_LINGERING, NET_CLOSING, NET_GONE };

struct net_conn {
    struct net_loop *loop;         /* borrowed */
    struct net_listener *listener; /* borrowed, NULL without */
    struct net_conn *previous, *next;
    struct net_conn *attention_next;
    struct net_conn *closing_next;
    const struct net_conn_callbacks *callbacks; /* borrowed */
    void *arg;
    enum net_conn_state state;
    enum net_close_reason reason;
    int refs;
    int fd;
    uint64_t id;
    struct evbuffer *input;      /* owned */
    struct evbuffer *output;     /* owned */
    struct event *read_event;    /* owned; NULL until there is an fd, as the next */
    struct event *write_event;   /* owned; added only while the socket takes no more */
    struct event *timer;         /* owned; deadline of connecting, idle, flushing or lingering */
    struct net_attempt *attempt; /* owned; while CONNECTING */
    int64_t idle_ms;
    int64_t active_ns; /* when bytes moved last */
    size_t input_max;
    size_t output_low;
    size_t output_high;
    size_t read_bytes; /* how much to offer to the next read */
    uint64_t bytes_in;
    uint64_t bytes_out;
    bool reading;      /* read_event is added */
    bool writing;      /* write_event is added */
    bool paused;       /* by the owner */
    bool output_full;  /* over the high mark and not yet down to the low one */
    bool input_full;   /* input_max reached */
    bool read_due;     /* on_read is to be called */
    bool in_attention; /* in the loop's list */
    char local_host[NET_HOST_BYTES], peer_host[NET_HOST_BYTES];
    char local_text[NET_ADDRESS_BYTES], peer_text[NET_ADDRESS_BYTES];
    int local_port;
    char error_text[256];
};

struct net_listener {
    struct net_loop *loop; /* borrowed */
    struct net_listener *previous, *next;
    struct evconnlistener *acceptor; /* owned */
    struct event *retry;             /* owned; accepts again after the process ran out of descriptors */
    char host[NET_HOST_BYTES];
    char text[NET_ADDRESS_BYTES];
    int port;
    bool is_loopback;
    int64_t idle_ms;
    int connections_max;
    size_t input_max, output_low, output_high;
    net_accept_fn *on_accept;
    void *arg;
    _Atomic int64_t connections;
    _Atomic int64_t refused;
    struct mr_metric *metric_connections;
    struct mr_metric *metric_refused;
};

/* A connection over FD (-1: not yet), which it then owns; in the loop's list, one reference held by the loop. */
struct net_conn *net_conn_new(struct net_loop *loop, int fd);
/* Gives the connection its socket: non-blocking, TCP_NODELAY, events, addresses; state OPEN. */
void net_conn_attach(struct net_conn *conn, int fd);
/* Ends the connection: on_close runs from the loop. */
void net_conn_end(struct net_conn *conn, enum net_close_reason reason, const char *error_text);
/* Sets the one deadline of the connection, from now; 0: none. */
void net_conn_deadline(struct net_conn *conn, int64_t ms);
/* What is due: writes, on_read, then on_close of those closing.  Runs from the loop's attend event and at its stop. */
void net_conns_attend(struct net_loop *loop);
/* Takes CONN out of its loop's list, frees its socket and buffers. */
void net_conn_destroy(struct net_conn *conn);
/* Stops and frees an attempt of net_connect; NULL is legal. */
void net_attempt_free(struct net_attempt *attempt);
/* Waits for the threads that resolve names: each has posted its result then. */
void net_lookups_join(struct net_loop *loop);
/* Closes the listening socket; the struct stays.  Twice is legal. */
void net_listener_deafen(struct net_listener *listener);
/* Closes and frees, on the loop's thread. */
void net_listener_destroy(struct net_listener *listener);

/* Host and port of a socket address. */
void net_sockaddr_parts(const struct sockaddr_storage *address, char host[NET_HOST_BYTES], int *port);
/* Non-blocking, close on exec, TCP_NODELAY. */
void net_socket_prepare(int fd);
/* "process 123 (name)" that listens on PORT, as far as the system shows; "" when it does not. */
void net_socket_holder(int port, char *out, size_t size);

#endif

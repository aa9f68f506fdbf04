/* http.h -- HTTP: a client for engine threads (libcurl) and a server on an event loop (evhttp).
 *
 * The client blocks and may be interrupted.  The server's handlers run on the loop thread and must not block; one that
 * needs time keeps the request, gives the work to others and answers later, on the loop. */
#ifndef MR_HTTP_H
#define MR_HTTP_H

#include "base/base.h"
#include "net/net.h"

#include <stdatomic.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- client ---- */

enum http_limits {
    HTTP_BODY_BYTES_MAX = 64 * 1024 * 1024,   /* of an answer, when the options name no limit */
    HTTP_REQUEST_BYTES_MAX = 4 * 1024 * 1024, /* of a request's body, likewise */
    HTTP_HEADER_BYTES_MAX = 64 * 1024,        /* of all headers of one message */
    HTTP_CONNECT_MS = 10000,
    HTTP_TOTAL_MS = 60000,
    HTTP_REDIRECTS_MAX = 5,
    HTTP_SERVER_CONNECTIONS_MAX = 1000,
    HTTP_SERVER_IDLE_S = 60,  /* a client that sends or takes nothing for so long is cut */
    HTTP_SERVER_HEAD_S = 30,  /* and one whose request's head is not whole so long after its first byte */
    HTTP_SERVER_BODY_S = 300, /* or whose body is not, after its head */
};

/* One field of a message's head.  Names are compared case aside. */
struct http_header {
    const char *name;
    const char *value;
};

/* All zero is a GET with the limits above. */
struct http_options {
    const char *method;                /* NULL: GET; else GET, HEAD, POST, PUT, DELETE */
    struct mr_bytes body;              /* sent with POST and PUT */
    const struct http_header *headers; /* header_count of them; a value of "" is sent as it is */
    size_t header_count;
    const char *user_agent;     /* NULL: "millrace" */
    const char *ca_file;        /* PEM file of trusted authorities; NULL: the system's */
    int64_t connect_timeout_ms; /* 0: HTTP_CONNECT_MS */
    int64_t total_timeout_ms;   /* 0: HTTP_TOTAL_MS */
    int64_t body_bytes_max;     /* 0: HTTP_BODY_BYTES_MAX */
    int redirects_max;          /* 0: HTTP_REDIRECTS_MAX; -1: none is followed */
};

/* What came back; {0} before, http_response_deinit after. */
struct http_response {
    int status;               /* 200, 404, 503… */
    struct mr_writer body;    /* decoded (gzip, deflate), at most body_bytes_max */
    char content_type[128];   /* "" when not sent */
    int64_t retry_after_ms;   /* of Retry-After, seconds or a date; -1 when not sent */
    int64_t elapsed_ms;       /* from call to last byte */
    char effective_url[1024]; /* after redirects; cut */
};

/* Frees what RESPONSE holds; it is then {0}. */
void http_response_deinit(struct http_response *response);

/* A client keeps connections between requests.  One thread at a time. */
struct http_client;

/* Caller owns: http_client_free.  [any] */
struct http_client *http_client_new(void);
/* NULL is legal. */
void http_client_free(struct http_client *client);
/* Sends one request to URL (http or https only, also after redirects) and waits for the whole answer.  Blocks: not on a
 * loop thread.  STOP (may be NULL) is looked at whenever http_client_wake is called, and ten times a second besides.
 * Any answer with a status line is MR_OK, 500 too.  RESPONSE is {0} or was used before (its memory is used again); on
 * failure it is empty.  ERR names the URL (without user and password) and the cause.
 * MR_INVALID  URL or options are wrong      MR_IO  no connection, name not found, cut off, TLS refused, timed out
 * MR_LIMIT    the body is longer than allowed, or too many redirects      MR_BUSY  STOP was set */
MR_MUST_CHECK enum mr_status http_client_send(struct http_client *client, const char *url,
                                              const struct http_options *options, const atomic_bool *stop,
                                              struct http_response *response, struct mr_err *err);
/* Makes a waiting http_client_send look at its STOP now. [any] */
void http_client_wake(struct http_client *client);
/* One GET with a client of its own; OPTIONS and STOP may be NULL.  As http_client_send. [any] */
MR_MUST_CHECK enum mr_status http_get(const char *url, const struct http_options *options, const atomic_bool *stop,
                                      struct http_response *response, struct mr_err *err);
/* Is URL one that the client takes (http or https, with a host)?  ERR says what is wrong. [any] */
MR_MUST_CHECK enum mr_status http_url_check(const char *url, struct mr_err *err);

/* ---- server ---- */

struct http_server;
struct http_router;
struct http_request;

/* Answers REQUEST now with one of http_answer…, or keeps it and answers later, on the loop. */
typedef void http_handler_fn(struct http_request *request, void *arg);

struct http_server_options {
    const char *name;          /* of the metrics' label, as "console" */
    const char *address;       /* as net_listener_options.address */
    const char *const *hosts;  /* further names that Host may have (http.hosts); NULL-terminated, may be NULL */
    int64_t request_bytes_max; /* of a body; 0: HTTP_REQUEST_BYTES_MAX; over it: 413 */
    int connections_max;       /* 0: HTTP_SERVER_CONNECTIONS_MAX */
    int idle_s;                /* 0: HTTP_SERVER_IDLE_S */
    int64_t head_ms;           /* 0: HTTP_SERVER_HEAD_S */
    int64_t body_ms;           /* 0: HTTP_SERVER_BODY_S */
    bool raw_bodies;           /* requests that change something may have bodies that are not JSON */
    const char *content_security_policy; /* NULL: "default-src 'none'; frame-ancestors 'none'" */
};

/* Listens on LOOP.  Requests that break DESIGN 1.4 never reach a handler: a Host that is neither loopback (when this
 * listener is), nor the listener's address, nor listed → 421; a body with POST, PUT, PATCH or DELETE whose
 * Content-Type is not JSON → 415; an Origin other than the Host → 403; more than one Host → 400.  Every answer has
 * nosniff, no-referrer, frame and content security headers, and never a CORS one.
 * Options are copied.  Caller owns: http_server_close.  Loop thread, or before the loop starts; the errors are those of
 * net_listener_open. */
MR_MUST_CHECK enum mr_status http_server_open(struct http_server **out, struct net_loop *loop,
                                              const struct http_server_options *options, struct mr_err *err);
/* Accepts no more, lets handlers that kept requests know (http_request_is_gone is true from now on), sends what was
 * already answered as far as it goes without waiting, frees.  Loop thread, or when the loop has stopped.  NULL is
 * legal. */
void http_server_close(struct http_server *server);
/* "HOST:PORT" as bound; the port. [any] */
const char *http_server_text(const struct http_server *server);
int http_server_port(const struct http_server *server);
/* Connections open now; those turned away for the limit. */
int64_t http_server_connections(const struct http_server *server);
int64_t http_server_refused(const struct http_server *server);

/* METHODS ("GET", "GET,HEAD", "POST") at PATTERN go to HANDLER(request, ARG).  In PATTERN a segment ":name" matches one
 * segment and a last segment "*" the rest ("/connectors/:name/config", "/assets/" "*").  Literal segments win over
 * :name, which wins over *.  A known path with another method → 405 with Allow; unknown → 404.  Loop thread, or before
 * the first request; PATTERN is copied.  HEAD is answered by GET's handler, its body left out. */
void http_server_route(struct http_server *server, const char *methods, const char *pattern, http_handler_fn *handler,
                       void *arg);
/* Gets what no route matches, instead of 404. */
void http_server_fallback(struct http_server *server, http_handler_fn *handler, void *arg);
/* The JSON body of the answers that the server itself gives (404, 415…), written to OUT; by default
 * {"error_code":404,"message":"…"}. */
typedef void http_error_fn(struct mr_writer *out, int status, const char *message);
void http_server_error_format(struct http_server *server, http_error_fn *format);

/* The request's parts, borrowed until it is answered. */
const char *http_request_method(const struct http_request *request); /* "GET"… */
const char *http_request_path(const struct http_request *request);   /* as sent, without the query */
/* The value that ":name" or "*" of the pattern matched, percent-decoded; NULL when the pattern has none. */
const char *http_request_param(const struct http_request *request, const char *name);
/* The first query parameter NAME, decoded ('+' is a space); NULL when it is not there, "" when it has no value. */
const char *http_request_query(const struct http_request *request, const char *name);
/* NAME as an integer within LOW..HIGH; DEFAULT_VALUE when absent.  MR_INVALID: ERR says what was sent and expected. */
MR_MUST_CHECK enum mr_status http_request_query_i64(const struct http_request *request, const char *name, int64_t low,
                                                    int64_t high, int64_t default_value, int64_t *out,
                                                    struct mr_err *err);
/* A header's value, or NULL. */
const char *http_request_header(const struct http_request *request, const char *name);
struct mr_bytes http_request_body(const struct http_request *request);
const char *http_request_peer(const struct http_request *request); /* "HOST:PORT" of the client */
/* Did the client go away (or the server close) before the answer?  Answering it is legal and sends nothing. */
bool http_request_is_gone(const struct http_request *request);
/* Memory that lives as long as the request. */
struct mr_arena *http_request_arena(struct http_request *request);
/* The server's loop, to come back to it. */
struct net_loop *http_request_loop(struct http_request *request);

/* Adds a header to the answer (before it is given); both are copied. */
void http_answer_header(struct http_request *request, const char *name, const char *value);
/* Each of these answers and ends REQUEST, once; it must not be used afterwards. */
void http_answer(struct http_request *request, int status, const char *content_type, struct mr_bytes body);
void http_answer_json(struct http_request *request, int status, struct mr_str json);
/* The server's error body with this MESSAGE. */
void http_answer_error(struct http_request *request, int status, const char *message, ...) MR_PRINTF(3, 4);
/* The same for STATUS of a room: NOT_FOUND 404, EXISTS 409, INVALID 400, DENIED 403, LIMIT 429, BUSY 503… */
void http_answer_status(struct http_request *request, enum mr_status status, const struct mr_err *err);
/* Closes the connection in the middle of the answer: after CUT_BYTES of BODY (a test server's way to misbehave). */
void http_answer_cut(struct http_request *request, int status, const char *content_type, struct mr_bytes body,
                     size_t cut_bytes);

/* A chunked answer of unknown length: begin, any number of chunks, end (which ends REQUEST).  When the client goes,
 * ON_GONE runs once (may be NULL) and http_stream_end is still to be called. */
void http_stream_begin(struct http_request *request, int status, const char *content_type, http_handler_fn *on_gone,
                       void *arg);
void http_stream_chunk(struct http_request *request, struct mr_bytes data);
void http_stream_end(struct http_request *request);
/* Bytes of the stream not yet taken by the client: a producer holds back when they pile up. */
size_t http_stream_pending(const struct http_request *request);
/* One server-sent event on a stream of "text/event-stream"; EVENT may be NULL; DATA may have several lines. */
void http_stream_event(struct http_request *request, const char *event, struct mr_str data);

#ifdef __cplusplus
}
#endif
#endif

/* server_int.h -- what the files of the HTTP server share. */
#ifndef MR_HTTP_SERVER_INT_H
#define MR_HTTP_SERVER_INT_H

#include "http/http.h"

enum http_server_limits {
    HTTP_HEADERS_MAX = 100,     /* fields in a request's head */
    HTTP_SEGMENTS_MAX = 32,     /* of a path */
    HTTP_QUERY_MAX = 64,        /* parameters of a query */
    HTTP_LINE_BYTES_MAX = 8192, /* of a request line, or a chunk's line */
};

/* A request's head, its parts NUL-terminated in place in the copy that was parsed. */
struct http_head {
    const char *method;
    const char *target;
    int minor; /* HTTP/1.minor */
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
};

struct http_param {
    const char *name;
    const char *value;
};

struct http_route {
    struct http_route *next;
    char *methods; /* owned: "GET,HEAD" */
    char *pattern; /* owned */
    http_handler_fn *handler;
    void *arg;
};

struct http_server {
    struct net_loop *loop;         /* borrowed */
    struct net_listener *listener; /* owned */
    struct http_conn *conns;       /* all open */
    struct http_route *routes;     /* owned, in the order they were added */
    http_handler_fn *fallback;
    void *fallback_arg;
    http_error_fn *error_format;
    char **hosts; /* owned, NULL-terminated */
    char *security_policy;
    int64_t request_bytes_max;
    int64_t idle_ms;
    int64_t head_ms;
    int64_t body_ms;
    bool raw_bodies;
};

enum http_conn_step { HTTP_STEP_HEAD, HTTP_STEP_BODY, HTTP_STEP_CHUNK, HTTP_STEP_ANSWER };

/* A connection of the server; freed in on_close. */
struct http_conn {
    struct http_server *server; /* borrowed; NULL once the server is closed */
    struct http_conn *previous, *next;
    struct net_conn *net;         /* borrowed */
    struct http_request *request; /* owned until it is answered; NULL between requests */
    enum http_conn_step step;
    enum http_conn_step timed_step; /* what TIMER is about */
    struct net_timer *timer;        /* owned; by when the step must be over; NULL: none runs */
};

struct http_request {
    struct mr_arena *arena;     /* owned; holds this struct too */
    struct http_server *server; /* borrowed; NULL once closed */
    struct net_loop *loop;      /* borrowed */
    struct http_conn *conn;     /* borrowed; NULL once it is gone */
    struct http_head head;
    const char *path;
    struct http_param params[HTTP_SEGMENTS_MAX];
    size_t param_count;
    struct http_param query[HTTP_QUERY_MAX];
    size_t query_count;
    struct mr_writer body;
    struct mr_writer extra; /* header lines of the answer */
    int64_t body_left;      /* bytes of the body, or of the chunk, still to come */
    bool in_chunk;          /* a chunk's size has been read */
    bool keep_alive;
    bool has_cache_control;
    bool streaming;
    http_handler_fn *on_gone;
    void *on_gone_arg;
    char peer[NET_ADDRESS_BYTES];
};

/* Parses TEXT (a head without the empty line's CRLF, NUL-terminated at SIZE; changed in place).  MR_INVALID: not
 * HTTP/1.x as the RFCs have it; MR_LIMIT: too many fields; MR_UNSUPPORTED: another version. */
MR_MUST_CHECK enum mr_status http_head_parse(char *text, size_t size, struct http_head *head);
/* The only field NAME, NULL when there is none; *COUNT (may be NULL) tells how many there are. */
const char *http_head_field(const struct http_head *head, const char *name, size_t *count);
/* Undoes %XX (and '+' when PLUS) in place; false when it is malformed or has a NUL. */
bool http_percent_decode(char *text, bool plus);
/* Splits and decodes QUERY in place; MR_INVALID, MR_LIMIT. */
MR_MUST_CHECK enum mr_status http_query_parse(char *query, struct http_param *out, size_t *count);
/* The route for METHOD and PATH with its params (in ARENA), or NULL; *ALLOW (in ARENA) is set when only the method is
 * unknown there. */
const struct http_route *http_routes_find(const struct http_route *routes, const char *method, const char *path,
                                          struct mr_arena *arena, struct http_param *params, size_t *param_count,
                                          const char **allow);
/* DESIGN 1.4: 0 when REQUEST may go on, else the status to answer and *WHY. */
int http_rules_check(const struct http_server *server, const struct http_head *head, const char *local_host,
                     bool has_body, const char **why);
/* What a status is called. */
const char *http_status_text(int status);

/* server.c: REQUEST has been answered whole; the connection goes on or closes. */
void http_conn_answered(struct http_request *request);
void http_request_free(struct http_request *request);

#endif

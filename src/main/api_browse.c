/* api_browse.c -- /api/topics, /api/tables and /api/events, for the console.
 *
 * Questions to Kafka and CQL wait, so a worker asks them and posts the answer back to the loop.  One timer serves all
 * streams of /api/events and runs only while there are some; a topic list under way does not hold the rest up. */
#include "main/api_browse.h"
#include "base/env.h"
#include "base/text.h"
#include "base/thread.h"
#include "console/console.h"
#include "http/http.h"
#include "main/api.h"
#include "main/browse.h"
#include "main/server.h"
#include "net/net.h"

#include <string.h>

enum {
    EVENT_MS = 1000,
    STREAMS_MAX = 64,
    STREAM_PENDING_MAX = 1 << 20, /* a client that reads slowly misses events */
    SHOWN_DEFAULT = 20,
    QUESTIONS_MAX = 64, /* waiting for the worker */
};

struct api_browse {
    struct server *server;      /* borrowed */
    struct net_loop *loop;      /* borrowed */
    struct mr_workers *workers; /* one thread: the two below are its */
    struct browse_log *log;     /* owned */
    struct browse_cql *cql;     /* owned */
    atomic_bool stop;           /* read by the worker */
    bool stopped;               /* the rest belongs to the loop */
    int waiting;                /* questions at the worker */
    bool asked;                 /* the topics were asked for and did not come yet */
    char *topics;               /* owned: JSON of the last list; NULL: none yet */
    struct net_timer *timer;    /* NULL: no streams */
    struct http_request *streams[STREAMS_MAX];
    int stream_count;
};

/* ---- questions ---- */

struct question;
typedef enum mr_status question_fn(struct question *q, json_t **out, struct mr_err *err);

struct question {
    struct api_browse *browse;
    struct http_request *request; /* NULL: the topics for the streams */
    question_fn *ask;
    const char *topic, *keyspace, *table; /* of the request's arena */
    int64_t limit;
    char *answer; /* owned */
    enum mr_status status;
    struct mr_err err;
};

static void answer_error(struct http_request *request, enum mr_status status, const struct mr_err *err)
{
    json_t *object = json_pack("{s:s}", "error", err->text);
    char *text = json_dumps(object, JSON_COMPACT);
    int code = status == MR_NOT_FOUND ? 404 : status == MR_INVALID ? 400 : status == MR_BUSY ? 409 : 502;

    http_answer_json(request, code, mr_str_of(text != NULL ? text : "{}"));
    free(text);
    json_decref(object);
}

static void events_topics(struct api_browse *browse, struct question *q);

/* HTTP's loop. */
static void question_answer(void *arg)
{
    struct question *q = arg;

    q->browse->waiting--;
    if (q->request == NULL)
        events_topics(q->browse, q);
    else if (q->status != MR_OK)
        answer_error(q->request, q->status, &q->err);
    else
        http_answer_json(q->request, 200, mr_str_of(q->answer));
    free(q->answer);
    mr_free(q);
}

/* The worker. */
static void question_ask(void *arg)
{
    struct question *q = arg;
    json_t *json = NULL;

    if (atomic_load(&q->browse->stop))
        q->status = mr_err_set(&q->err, MR_BUSY, "the server is stopping");
    else
        q->status = q->ask(q, &json, &q->err);
    if (q->status == MR_OK) {
        q->answer = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
        if (q->answer == NULL)
            q->status = mr_err_set(&q->err, MR_IO, "the answer can't be written as JSON");
    }
    json_decref(json);
    net_loop_post(q->browse->loop, question_answer, q);
}

static void question_send(struct api_browse *browse, struct http_request *request, question_fn *ask)
{
    struct question *q = MR_NEW(struct question);

    *q = (struct question){ .browse = browse, .request = request, .ask = ask, .limit = SHOWN_DEFAULT };
    q->err = (struct mr_err)MR_ERR_INIT;
    if (request != NULL) {
        q->topic = http_request_param(request, "topic");
        q->keyspace = http_request_param(request, "keyspace");
        q->table = http_request_param(request, "table");
        q->status = http_request_query_i64(request, "limit", 1, BROWSE_SHOWN_MAX, SHOWN_DEFAULT, &q->limit, &q->err);
    }
    if (q->status == MR_OK && (browse->stopped || browse->waiting >= QUESTIONS_MAX))
        q->status = mr_err_set(&q->err, MR_BUSY,
                               browse->stopped ? "the server is stopping" : "too many questions wait; ask again later");
    browse->waiting++;
    if (q->status == MR_OK)
        mr_workers_submit(browse->workers, question_ask, q);
    else
        question_answer(q);
}

static enum mr_status ask_topics(struct question *q, json_t **out, struct mr_err *err)
{
    json_t *list = NULL;
    enum mr_status status = browse_topics(q->browse->log, &list, err);

    if (status == MR_OK)
        *out = json_pack("{s:o}", "topics", list);
    return status;
}

static enum mr_status ask_messages(struct question *q, json_t **out, struct mr_err *err)
{
    json_t *list = NULL;
    enum mr_status status = browse_messages(q->browse->log, q->topic, (uint32_t)q->limit, &list, err);

    if (status == MR_OK)
        *out = json_pack("{s:o}", "messages", list);
    return status;
}

static enum mr_status ask_tables(struct question *q, json_t **out, struct mr_err *err)
{
    json_t *list = NULL;
    enum mr_status status = browse_tables(q->browse->cql, &list, err);

    if (status == MR_OK)
        *out = json_pack("{s:o}", "tables", list);
    return status;
}

static enum mr_status ask_rows(struct question *q, json_t **out, struct mr_err *err)
{
    return browse_rows(q->browse->cql, q->keyspace, q->table, (uint32_t)q->limit, out, err);
}

static void handle_topics(struct http_request *request, void *arg)
{
    question_send(arg, request, ask_topics);
}

static void handle_messages(struct http_request *request, void *arg)
{
    question_send(arg, request, ask_messages);
}

static void handle_tables(struct http_request *request, void *arg)
{
    question_send(arg, request, ask_tables);
}

static void handle_rows(struct http_request *request, void *arg)
{
    question_send(arg, request, ask_rows);
}

/* ---- events ---- */

static void events_topics(struct api_browse *browse, struct question *q)
{
    browse->asked = false;
    free(browse->topics);
    browse->topics = q->answer;
    q->answer = NULL;
}

/* {"status": {…}, "topics": {"topics": […]}}: topics are null until they came, and when Kafka does not answer. */
static void overview_write(struct api_browse *browse, struct mr_writer *out)
{
    mr_write_text(out, "{\"status\":");
    api_status_write(browse->server, out);
    mr_write_text(out, ",\"topics\":%s}", browse->topics != NULL ? browse->topics : "null");
}

static void event_send(struct http_request *stream, const struct mr_writer *event)
{
    if (http_stream_pending(stream) < STREAM_PENDING_MAX)
        http_stream_event(stream, "overview", mr_str_of_bytes(mr_writer_bytes(event)));
}

static void on_timer(void *arg)
{
    struct api_browse *browse = arg;
    struct mr_writer event = { 0 };

    overview_write(browse, &event);
    for (int i = 0; i < browse->stream_count; i++)
        event_send(browse->streams[i], &event);
    mr_writer_deinit(&event);
    if (!browse->asked && !browse->stopped) {
        browse->asked = true;
        question_send(browse, NULL, ask_topics);
    }
}

static void on_gone(struct http_request *request, void *arg)
{
    struct api_browse *browse = arg;

    for (int i = 0; i < browse->stream_count; i++) {
        if (browse->streams[i] == request)
            browse->streams[i] = browse->streams[--browse->stream_count];
    }
    http_stream_end(request);
    if (browse->stream_count == 0) {
        net_timer_free(browse->timer);
        browse->timer = NULL;
    }
}

static void handle_events(struct http_request *request, void *arg)
{
    struct api_browse *browse = arg;
    struct mr_writer event = { 0 };
    struct mr_err err = MR_ERR_INIT;

    if (browse->stopped || browse->stream_count == STREAMS_MAX) {
        mr_err_set(&err, MR_BUSY, browse->stopped ? "the server is stopping" : "%d pages are open; close one",
                   STREAMS_MAX);
        answer_error(request, MR_BUSY, &err);
        return;
    }
    http_answer_header(request, "Cache-Control", "no-store");
    http_stream_begin(request, 200, "text/event-stream", on_gone, browse);
    browse->streams[browse->stream_count++] = request;
    overview_write(browse, &event);
    event_send(request, &event);
    mr_writer_deinit(&event);
    if (browse->timer == NULL)
        browse->timer = net_timer_new(browse->loop, 0, EVENT_MS, on_timer, browse);
}

/* ---- life ---- */

struct api_browse *api_browse_new(struct server *server)
{
    struct http_server *http = stack_http_server(server->stack);
    struct api_browse *browse = MR_NEW(struct api_browse);

    browse->server = server;
    browse->loop = stack_http_loop(server->stack);
    browse->workers = mr_workers_new("console", 1);
    browse->log = browse_log_new(server->file.kafka);
    browse->cql = browse_cql_new(server->file.cql, &browse->stop);
    console_routes(http);
    http_server_route(http, "GET", "/api/topics", handle_topics, browse);
    http_server_route(http, "GET", "/api/topics/:topic/messages", handle_messages, browse);
    http_server_route(http, "GET", "/api/tables", handle_tables, browse);
    http_server_route(http, "GET", "/api/tables/:keyspace/:table/rows", handle_rows, browse);
    http_server_route(http, "GET", "/api/events", handle_events, browse);
    return browse;
}

void api_browse_stop(struct api_browse *browse)
{
    browse->stopped = true;
    atomic_store(&browse->stop, true);
    net_timer_free(browse->timer);
    browse->timer = NULL;
    while (browse->stream_count > 0)
        http_stream_end(browse->streams[--browse->stream_count]);
}

void api_browse_join(struct api_browse *browse)
{
    mr_workers_free(browse->workers);
    browse->workers = NULL;
}

void api_browse_free(struct api_browse *browse)
{
    if (browse == NULL)
        return;
    browse_log_free(browse->log);
    browse_cql_free(browse->cql);
    free(browse->topics);
    mr_free(browse);
}

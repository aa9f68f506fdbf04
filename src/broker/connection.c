/* connection.c -- a client's connection: cuts frames, keeps the requests on their way, sends answers in order.
 *
 * A frame is decoded where it lies in the input buffer.  For a long one the buffer is given room for the whole as soon
 * as its length is known, so that its bytes are received into one piece and record data is never moved before the log
 * copies it.  Records to be sent are file segments of the output (sendfile); small ones are read and copied, which
 * costs fewer system calls.
 *
 * Invariants
 *   C1  the queue holds the requests in the order of their frames; only its head is ever sent.
 *   C2  while a request is stalled (no room in the log) its frame stays at the front of the input and nothing is read.
 *   C3  over BROKER_CONNECTION_REQUESTS_MAX requests or BROKER_CONNECTION_BYTES_MAX held bytes nothing is read.
 */
#include "base/logging.h"
#include "broker/broker_int.h"

#include <string.h>

enum {
    FRAME_LENGTH_BYTES = 4,
    FRAME_ROOM_MIN = 64 * 1024, /* shorter frames are not given room of their own */
    SEND_COPY_MAX = 32 * 1024,  /* slices up to it are copied instead of sent from the file */
};

struct broker_conn {
    struct broker *broker;
    struct net_conn *net;
    struct broker_listening *listening;
    struct broker_conn *next;
    struct broker_conn *previous;
    struct broker_request *first; /* owned: a reference each */
    struct broker_request *last;
    struct broker_request *stalled; /* one of the queue, the last */
    size_t stalled_bytes;           /* of its frame, length included */
    size_t held_bytes;
    uint32_t request_count;
    bool is_paused;
    bool is_closing;    /* no more requests are taken; closed once the queue is empty */
    bool is_closed;     /* nothing more is sent */
    bool has_room;      /* the input has a piece for the whole of the frame that is arriving */
    bool is_processing; /* inside conn_process: it will look at the queue itself */
};

static const struct net_conn_callbacks no_callbacks;

static void request_is_done(struct broker_request *request);

/* ---- sending ---- */

static void slice_cleanup(const struct evbuffer_file_segment *segment, int flags, void *arg)
{
    MR_UNUSED(segment);
    MR_UNUSED(flags);
    log_slice_release(arg);
    mr_free(arg);
}

/* Appends SLICE by copy.  False when the file can't be read. */
static bool slice_copy(struct evbuffer *out, const struct log_slice *slice)
{
    struct evbuffer_iovec room;
    struct mr_err err = MR_ERR_INIT;
    size_t got = 0;

    if (evbuffer_reserve_space(out, (ev_ssize_t)slice->size, &room, 1) != 1)
        return false;
    if (mr_file_pread(slice->file, room.iov_base, (size_t)slice->size, slice->position, &got, &err) != MR_OK ||
        got != (size_t)slice->size) {
        mr_log(MR_LOG_ERROR, "broker", "can't read records to be sent: %s", err.text);
        return false;
    }
    room.iov_len = got;
    return evbuffer_commit_space(out, &room, 1) == 0;
}

/* Appends SLICE, whose reference goes over to the output. */
static bool slice_send(struct evbuffer *out, struct log_slice *slice)
{
    struct evbuffer_file_segment *segment;
    struct log_slice *kept;
    int fd = mr_file_descriptor(slice->file);
    bool ok;

    if (fd < 0 || slice->size <= SEND_COPY_MAX)
        return slice_copy(out, slice);
    segment = evbuffer_file_segment_new(fd, slice->position, slice->size, EVBUF_FS_DISABLE_MMAP);
    if (segment == NULL)
        return slice_copy(out, slice);
    kept = mr_alloc(sizeof(*kept));
    *kept = *slice;
    *slice = (struct log_slice){ 0 };
    evbuffer_file_segment_add_cleanup_cb(segment, slice_cleanup, kept);
    ok = evbuffer_add_file_segment(out, segment, 0, kept->size) == 0;
    evbuffer_file_segment_free(segment); /* our reference; the output has its own */
    return ok;
}

/* Puts the answer into the output.  False: the connection can't be used any more. */
static bool answer_send(struct broker_conn *conn, struct broker_request *request)
{
    struct evbuffer *out = net_conn_output(conn->net);
    struct mr_bytes bytes = mr_writer_bytes(&request->out);
    size_t before = evbuffer_get_length(out);
    size_t sent = 0;

    for (struct broker_fill *fill = request->fills; fill != NULL; fill = fill->next) {
        evbuffer_add(out, bytes.data + sent, fill->position - sent);
        sent = fill->position;
        for (size_t i = 0; i < fill->slice_count; i++)
            if (!slice_send(out, &fill->slices[i]))
                return false;
    }
    evbuffer_add(out, bytes.data + sent, bytes.size - sent);
    mr_metric_add(conn->broker->bytes_out, (int64_t)(evbuffer_get_length(out) - before));
    return true;
}

static void conn_end(struct broker_conn *conn)
{
    if (conn->is_closed)
        return;
    conn->is_closing = true;
    conn->is_closed = true;
    net_conn_close_after_flush(conn->net);
}

/* False: a worker reads its records first. */
static bool answer_is_warm(struct broker_request *request)
{
    if (request->is_warm || request->fills == NULL)
        return true;
    if (request->is_warming)
        return false;
    if (broker_request_is_warm(request)) {
        request->is_warm = true;
        return true;
    }
    request->is_warming = true;
    broker_request_warm(request, request_is_done);
    return false;
}

/* Sends what is ready at the head of the queue. */
static void conn_answer(struct broker_conn *conn)
{
    while (!conn->is_closed && conn->first != NULL && conn->first->is_done) {
        struct broker_request *request = conn->first;

        if (!answer_is_warm(request))
            return;
        conn->first = request->next;
        if (conn->first == NULL)
            conn->last = NULL;
        conn->request_count--;
        conn->held_bytes -= request->held_bytes;
        if (request->wants_close) {
            conn_end(conn);
        } else if (!request->is_silent && !answer_send(conn, request)) {
            conn_end(conn);
            net_conn_close(conn->net);
        }
        broker_request_unref(request);
    }
    if (conn->is_closing && conn->first == NULL)
        conn_end(conn);
}

/* ---- receiving ---- */

static bool conn_is_full(const struct broker_conn *conn)
{
    return conn->request_count >= BROKER_CONNECTION_REQUESTS_MAX || conn->held_bytes >= BROKER_CONNECTION_BYTES_MAX;
}

/* Makes the rest of a frame of FRAME_BYTES arrive behind its start in one piece. */
static void frame_make_room(struct broker_conn *conn, struct evbuffer *in, size_t frame_bytes)
{
    size_t have = evbuffer_get_length(in);
    uint8_t *start;

    net_conn_set_input_max(conn->net, frame_bytes > NET_INPUT_MAX ? frame_bytes : NET_INPUT_MAX);
    if (conn->has_room || frame_bytes < FRAME_ROOM_MIN || have > frame_bytes / 4)
        return;
    conn->has_room = true;
    start = mr_alloc(have);
    evbuffer_remove(in, start, have);
    evbuffer_expand(in, frame_bytes);
    evbuffer_add(in, start, have);
    mr_free(start);
}

static void request_is_done(struct broker_request *request)
{
    struct broker_conn *conn = request->conn;

    if (conn->is_processing)
        return;
    conn_answer(conn);
    if (conn->is_paused && !conn->is_closing && conn->stalled == NULL && !conn_is_full(conn)) {
        conn->is_paused = false;
        net_conn_resume(conn->net);
    }
}

static void conn_pause(struct broker_conn *conn)
{
    if (conn->is_paused)
        return;
    conn->is_paused = true;
    net_conn_pause(conn->net);
}

/* Goes on with the stalled requests; runs again while some still are. */
static void stalled_retry(void *arg)
{
    struct broker *broker = arg;
    struct broker_conn *next;
    bool again = false;

    for (struct broker_conn *conn = broker->conns; conn != NULL; conn = next) {
        struct broker_request *request = conn->stalled;

        next = conn->next;
        if (request == NULL)
            continue;
        conn->is_processing = true;
        request->is_stalled = false;
        request->on_room(request);
        conn->is_processing = false;
        again = again || request->is_stalled;
        if (request->is_stalled)
            continue;
        conn->stalled = NULL;
        evbuffer_drain(net_conn_input(conn->net), conn->stalled_bytes);
        request_is_done(request); /* answers if so, and reads on */
    }
    if (again) {
        net_timer_restart(broker->stall_timer, BROKER_STALL_RETRY_MS);
    } else {
        net_timer_free(broker->stall_timer);
        broker->stall_timer = NULL;
    }
}

void broker_conns_wake(struct broker *broker)
{
    if (broker->stall_timer != NULL)
        net_timer_restart(broker->stall_timer, 0);
}

static void conn_stall(struct broker_conn *conn, struct broker_request *request, size_t frame_bytes)
{
    struct broker *broker = conn->broker;

    conn->stalled = request;
    conn->stalled_bytes = frame_bytes;
    conn_pause(conn);
    if (broker->stall_timer == NULL)
        broker->stall_timer = net_timer_new(broker->loop, BROKER_STALL_RETRY_MS, 0, stalled_retry, broker);
}

/* Takes one request from FRAME (its length included). */
static void conn_take(struct broker_conn *conn, struct mr_bytes frame)
{
    struct broker_request *request = broker_request_new(conn->broker);
    struct broker_listening *listening = conn->listening;

    request->conn = conn;
    request->on_done = request_is_done;
    request->host =
        mr_str_of(listening->advertise_host[0] ? listening->advertise_host : net_conn_local_host(conn->net));
    request->peer_host = mr_str_of(net_conn_peer_host(conn->net));
    request->port = listening->advertise_host[0] ? listening->advertise_port : net_conn_local_port(conn->net);
    if (conn->last != NULL)
        conn->last->next = request;
    else
        conn->first = request;
    conn->last = request;
    conn->request_count++;
    if (broker_dispatch(request, (struct mr_bytes){ frame.data + FRAME_LENGTH_BYTES,
                                                    frame.size - FRAME_LENGTH_BYTES }) == BROKER_CLOSE) {
        mr_log(MR_LOG_DEBUG, "broker", "closing %s: no request that is served (key %d, version %d)",
               net_conn_peer_text(conn->net), request->header.api_key, request->header.api_version);
        conn->is_closing = true;
        broker_request_done_close(request);
    }
    request->held_bytes = mr_arena_size(request->arena);
    conn->held_bytes += request->held_bytes;
    if (request->is_stalled)
        conn_stall(conn, request, frame.size);
}

/* Takes the requests that are there whole, as far as limits allow. */
static void conn_process(struct broker_conn *conn)
{
    struct evbuffer *in = net_conn_input(conn->net);

    conn->is_processing = true;
    while (!conn->is_closing && conn->stalled == NULL && net_conn_is_open(conn->net) &&
           !net_conn_output_full(conn->net)) {
        uint8_t length[FRAME_LENGTH_BYTES];
        size_t have = evbuffer_get_length(in);
        size_t frame_bytes;
        enum mr_status status;

        if (conn_is_full(conn)) {
            conn_pause(conn);
            break;
        }
        if (have >= FRAME_LENGTH_BYTES)
            evbuffer_copyout(in, length, FRAME_LENGTH_BYTES);
        status = kafka_frame_measure((struct mr_bytes){ length, have }, BROKER_FRAME_BYTES_MAX, &frame_bytes);
        if (status == MR_NEED_MORE) {
            if (have >= FRAME_LENGTH_BYTES)
                frame_make_room(conn, in, frame_bytes);
            break;
        }
        if (status != MR_OK) {
            mr_log(MR_LOG_DEBUG, "broker", "closing %s: not a Kafka frame", net_conn_peer_text(conn->net));
            conn->is_closing = true;
            conn_answer(conn);
            break;
        }
        net_conn_set_input_max(conn->net, NET_INPUT_MAX);
        conn->has_room = false;
        conn_take(conn, (struct mr_bytes){ evbuffer_pullup(in, (ev_ssize_t)frame_bytes), frame_bytes });
        if (conn->stalled == NULL)
            evbuffer_drain(in, frame_bytes);
        mr_metric_add(conn->broker->bytes_in, (int64_t)frame_bytes);
        conn_answer(conn);
    }
    conn->is_processing = false;
}

/* ---- coming and going ---- */

static void conn_free(struct broker_conn *conn)
{
    struct broker *broker = conn->broker;
    struct broker_request *next;

    for (struct broker_request *request = conn->first; request != NULL; request = next) {
        next = request->next;
        request->is_abandoned = true;
        request->conn = NULL;
        if (!request->is_done && request->on_abandon != NULL)
            request->on_abandon(request);
        broker_request_unref(request);
    }
    if (conn->previous != NULL)
        conn->previous->next = conn->next;
    else
        broker->conns = conn->next;
    if (conn->next != NULL)
        conn->next->previous = conn->previous;
    broker->connection_count--;
    mr_free(conn);
}

static void conn_on_read(struct net_conn *net, void *arg)
{
    MR_UNUSED(net);
    conn_process(arg);
}

static void conn_on_close(struct net_conn *net, enum net_close_reason reason, void *arg)
{
    MR_UNUSED(net);
    MR_UNUSED(reason);
    conn_free(arg);
}

static const struct net_conn_callbacks conn_callbacks = { .on_read = conn_on_read, .on_close = conn_on_close };

void broker_conn_accept(struct net_conn *net, void *arg)
{
    struct broker_listening *listening = arg;
    struct broker *broker = listening->broker;
    struct broker_conn *conn;

    if (broker->connection_count >= broker->connections_max) {
        int64_t now_ms = mr_now_ms(broker->env);

        if (now_ms - broker->refusal_told_ms >= 1000 || now_ms < broker->refusal_told_ms) {
            broker->refusal_told_ms = now_ms;
            mr_log(MR_LOG_WARN, "broker", "refused %s: %u connections are open", net_conn_peer_text(net),
                   broker->connection_count);
        }
        return; /* a connection left without callbacks is closed */
    }
    conn = MR_NEW(struct broker_conn);
    conn->broker = broker;
    conn->net = net;
    conn->listening = listening;
    conn->next = broker->conns;
    if (conn->next != NULL)
        conn->next->previous = conn;
    broker->conns = conn;
    broker->connection_count++;
    net_conn_set_callbacks(net, &conn_callbacks, conn);
}

void broker_conns_close(struct broker *broker)
{
    while (broker->conns != NULL) {
        struct net_conn *net = broker->conns->net;

        net_conn_set_callbacks(net, &no_callbacks, NULL);
        net_conn_close(net);
        conn_free(broker->conns);
    }
}

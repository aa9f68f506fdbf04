/* kafka_conn.c -- one connection to a Kafka broker: requests out, frames in, with deadlines.
 *
 * States   CLOSED --kafka_conn_open--> OPEN --any I/O error--> CLOSED
 * One request may be on the way at a time.  A frame is received straight into a buffer of its own size, so that its
 * owner may swap the buffer out and keep the records in it while the next frame comes in. */
#include "connectors/kafka_int.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KAFKA_VERSION_METADATA_MAX = 8, KAFKA_VERSION_LIST_OFFSETS_MAX = 5, KAFKA_VERSION_FETCH_MAX = 11 };

void kafka_conn_init(struct kafka_conn *conn, const struct connector_context *ctx, const char *client_id,
                     const struct connector_address *address)
{
    *conn = (struct kafka_conn){ .ctx = ctx, .client_id = client_id, .address = *address, .fd = -1 };
}

void kafka_conn_close(struct kafka_conn *conn)
{
    if (conn->fd >= 0)
        close(conn->fd);
    conn->fd = -1;
    conn->head_got = 0;
    conn->in_want = 0;
    conn->in.size = 0;
}

void kafka_conn_deinit(struct kafka_conn *conn)
{
    kafka_conn_close(conn);
    mr_writer_deinit(&conn->in);
    mr_writer_deinit(&conn->out);
}

/* Closes and reports; a broken connection can't be used again. */
static enum mr_status conn_broken(struct kafka_conn *conn, int error, const char *what, struct mr_err *err)
{
    kafka_conn_close(conn);
    if (error == 0)
        return mr_err_set(err, MR_IO, "Kafka at %s:%u closed the connection", conn->address.host, conn->address.port);
    return mr_err_set_errno(err, MR_IO, error, "Kafka at %s:%u: %s", conn->address.host, conn->address.port, what);
}

/* Waits until the socket is ready for EVENTS: MR_OK, MR_NEED_MORE at UNTIL_MS, MR_BUSY when stopped. */
static enum mr_status conn_await(const struct kafka_conn *conn, short events, int64_t until_ms, struct mr_err *err)
{
    for (;;) {
        struct pollfd p = { .fd = conn->fd, .events = events };
        int64_t left_ms = until_ms - connector_clock_ms(conn->ctx);
        int ready;

        if (connector_stopped(conn->ctx))
            return mr_err_set(err, MR_BUSY, "stopped");
        ready = poll(&p, 1,
                     left_ms <= 0                        ? 0
                     : left_ms > CONNECTOR_WAIT_SLICE_MS ? CONNECTOR_WAIT_SLICE_MS
                                                         : (int)left_ms);
        if (ready > 0)
            return MR_OK;
        if (left_ms <= 0)
            return MR_NEED_MORE;
    }
}

size_t kafka_conn_begin(struct kafka_conn *conn, int16_t api, int16_t version)
{
    struct kafka_request_header header = { .api_key = api,
                                           .api_version = version,
                                           .correlation_id = ++conn->correlation,
                                           .client_id = mr_str_of(conn->client_id) };
    size_t frame;

    assert(conn->fd >= 0);
    conn->api = api;
    conn->version = version;
    conn->out.size = 0;
    frame = kafka_frame_begin(&conn->out);
    kafka_request_header_write(&header, &conn->out);
    return frame;
}

enum mr_status kafka_conn_send(struct kafka_conn *conn, size_t frame, struct mr_err *err)
{
    int64_t until_ms = connector_clock_ms(conn->ctx) + KAFKA_CALL_MS;
    size_t done = 0;

    kafka_frame_end(&conn->out, frame, 0);
    while (done < conn->out.size) {
        ssize_t n = send(conn->fd, conn->out.data + done, conn->out.size - done, MSG_NOSIGNAL);
        enum mr_status status;

        if (n >= 0) {
            done += (size_t)n;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return conn_broken(conn, errno, "send", err);
        status = conn_await(conn, POLLOUT, until_ms, err);
        if (status == MR_NEED_MORE)
            return conn_broken(conn, ETIMEDOUT, "send", err);
        if (status != MR_OK) {
            kafka_conn_close(conn);
            return status;
        }
    }
    return MR_OK;
}

/* Takes what the socket has: MR_OK when the frame is whole, MR_NEED_MORE when the socket has no more. */
static enum mr_status conn_take(struct kafka_conn *conn, struct mr_err *err)
{
    for (;;) {
        bool in_head = conn->in_want == 0;
        uint8_t *to = in_head ? conn->head + conn->head_got : conn->in.data + conn->in.size;
        size_t want = in_head ? sizeof(conn->head) - conn->head_got : conn->in_want - conn->in.size;
        ssize_t n = recv(conn->fd, to, want, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return MR_NEED_MORE;
        if (n <= 0)
            return conn_broken(conn, n == 0 ? 0 : errno, "receive", err);
        if (in_head) {
            conn->head_got += (size_t)n;
            if (conn->head_got < sizeof(conn->head))
                continue;
            int32_t size = mr_load_i32(conn->head);

            if (size < 4 || size > KAFKA_FRAME_BYTES_MAX) {
                kafka_conn_close(conn);
                return mr_err_set(err, MR_IO, "%s:%u does not speak Kafka's protocol (an answer of %d bytes)",
                                  conn->address.host, conn->address.port, size);
            }
            conn->in.size = 0;
            mr_writer_reserve(&conn->in, (size_t)size + KAFKA_FRAME_SLACK);
            conn->in_want = (size_t)size;
        } else {
            conn->in.size += (size_t)n;
            if (conn->in.size < conn->in_want)
                continue;
            memset(conn->in.data + conn->in.size, 0, KAFKA_FRAME_SLACK);
            conn->head_got = 0;
            conn->in_want = 0;
            return MR_OK;
        }
    }
}

enum mr_status kafka_conn_receive(struct kafka_conn *conn, int64_t until_ms, struct mr_err *err)
{
    for (;;) {
        enum mr_status status = conn_take(conn, err);

        if (status != MR_NEED_MORE)
            return status;
        status = conn_await(conn, POLLIN, until_ms, err);
        if (status != MR_OK)
            return status;
    }
}

enum mr_status kafka_conn_answer(const struct kafka_conn *conn, struct mr_bytes frame, struct mr_reader *out,
                                 struct mr_err *err)
{
    int32_t correlation = 0;

    *out = mr_reader_of(frame);
    if (kafka_response_header_read(out, conn->api, conn->version, &correlation) != MR_OK ||
        correlation != conn->correlation)
        return mr_err_set(err, MR_IO, "Kafka at %s:%u answered another request than the one sent", conn->address.host,
                          conn->address.port);
    return MR_OK;
}

enum mr_status kafka_conn_call(struct kafka_conn *conn, size_t frame, struct mr_reader *reader, struct mr_err *err)
{
    int64_t until_ms = connector_clock_ms(conn->ctx) + KAFKA_CALL_MS;
    enum mr_status status = kafka_conn_send(conn, frame, err);

    if (status != MR_OK)
        return status;
    conn->in.size = 0;
    status = kafka_conn_receive(conn, until_ms, err);
    if (status == MR_NEED_MORE)
        return conn_broken(conn, ETIMEDOUT, "waiting for an answer", err);
    if (status == MR_OK)
        status = kafka_conn_answer(conn, mr_writer_bytes(&conn->in), reader, err);
    if (status != MR_OK)
        kafka_conn_close(conn);
    return status;
}

size_t kafka_fetch_begin(struct kafka_conn *conn, const char *topic, struct kafka_fetch_request_partition *partitions,
                         int32_t partition_count, int32_t max_wait_ms, int32_t min_bytes, int32_t max_bytes)
{
    struct kafka_fetch_request_topic asked;
    struct kafka_fetch_request request;
    size_t frame = kafka_conn_begin(conn, KAFKA_FETCH, conn->version_fetch);

    kafka_fetch_request_init(&request);
    kafka_fetch_request_topic_init(&asked);
    asked.name = mr_str_of(topic);
    asked.partitions = partitions;
    asked.partitions_count = partition_count;
    request.replica_id = -1;
    request.max_wait_ms = max_wait_ms;
    request.min_bytes = min_bytes;
    request.max_bytes = max_bytes;
    request.session_epoch = -1; /* no session */
    request.topics = &asked;
    request.topics_count = 1;
    request.rack_id = MR_STR("");
    kafka_fetch_request_write(&request, &conn->out, conn->version_fetch);
    return frame;
}

/* ---- opening ---- */

static enum mr_status conn_version_choose(const struct kafka_conn *conn,
                                          const struct kafka_api_versions_response *answer, int16_t api, int16_t low,
                                          int16_t high, int16_t *out, struct mr_err *err)
{
    for (int32_t i = 0; i < answer->api_keys_count; i++) {
        const struct kafka_api_versions_response_api *a = &answer->api_keys[i];

        if (a->api_key != api || a->max_version < low || a->min_version > high)
            continue;
        *out = a->max_version < high ? a->max_version : high;
        return MR_OK;
    }
    return mr_err_set(err, MR_UNSUPPORTED, "Kafka at %s:%u has no version %d to %d of request %d", conn->address.host,
                      conn->address.port, low, high, api);
}

/* Versions before tagged fields, which all brokers still have; from JoinGroup 5 on there are static members. */
static void conn_group_versions(struct kafka_conn *conn, const struct kafka_api_versions_response *answer)
{
    static const struct {
        int16_t api, low, high;
    } apis[KAFKA_GROUP_API_N] = {
        [KAFKA_GROUP_FIND] = { KAFKA_FIND_COORDINATOR, 1, 2 },
        [KAFKA_GROUP_JOIN] = { KAFKA_JOIN_GROUP, 5, 5 },
        [KAFKA_GROUP_SYNC] = { KAFKA_SYNC_GROUP, 3, 3 },
        [KAFKA_GROUP_HEARTBEAT] = { KAFKA_HEARTBEAT, 3, 3 },
        [KAFKA_GROUP_LEAVE] = { KAFKA_LEAVE_GROUP, 3, 3 },
        [KAFKA_GROUP_OFFSET_COMMIT] = { KAFKA_OFFSET_COMMIT, 7, 7 },
        [KAFKA_GROUP_OFFSET_FETCH] = { KAFKA_OFFSET_FETCH, 2, 5 },
    };

    for (int i = 0; i < KAFKA_GROUP_API_N; i++) {
        if (conn_version_choose(conn, answer, apis[i].api, apis[i].low, apis[i].high, &conn->version_group[i], NULL) !=
            MR_OK)
            conn->version_group[i] = -1;
    }
}

/* Asks with version 0, which every broker answers. */
static enum mr_status conn_versions_ask(struct kafka_conn *conn, struct mr_err *err)
{
    struct kafka_api_versions_request request;
    struct kafka_api_versions_response answer;
    struct mr_arena *arena = mr_arena_new();
    struct mr_reader reader;
    enum mr_status status;
    size_t frame = kafka_conn_begin(conn, KAFKA_API_VERSIONS, 0);

    kafka_api_versions_request_init(&request);
    kafka_api_versions_request_write(&request, &conn->out, 0);
    status = kafka_conn_call(conn, frame, &reader, err);
    if (status != MR_OK)
        goto out;
    if (kafka_api_versions_response_read(&answer, &reader, 0, arena) != MR_OK || answer.error_code != 0) {
        status = mr_err_set(err, MR_IO, "%s:%u gave no list of versions: is it Kafka?", conn->address.host,
                            conn->address.port);
        goto out;
    }
    status =
        conn_version_choose(conn, &answer, KAFKA_METADATA, 1, KAFKA_VERSION_METADATA_MAX, &conn->version_metadata, err);
    if (status == MR_OK)
        status = conn_version_choose(conn, &answer, KAFKA_LIST_OFFSETS, 1, KAFKA_VERSION_LIST_OFFSETS_MAX,
                                     &conn->version_list_offsets, err);
    if (status == MR_OK)
        status = conn_version_choose(conn, &answer, KAFKA_FETCH, 4, KAFKA_VERSION_FETCH_MAX, &conn->version_fetch, err);
    if (status == MR_OK)
        conn_group_versions(conn, &answer);
out:
    mr_arena_free(arena);
    return status;
}

enum mr_status kafka_conn_open(struct kafka_conn *conn, struct mr_err *err)
{
    enum mr_status status;

    if (conn->fd >= 0)
        return MR_OK;
    status = connector_connect(&conn->fd, &conn->address, KAFKA_CONNECT_MS, conn->ctx, err);
    if (status == MR_OK) {
        status = conn_versions_ask(conn, err);
        if (status != MR_OK)
            kafka_conn_close(conn);
    }
    return status;
}

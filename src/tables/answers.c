/* answers.c -- writing answers, and keeping count of the requests they end. */
#include "tables/server_int.h"

#include <stdio.h>
#include <string.h>

enum {
    KEEP_BYTES = 1024 * 1024,
    COMPRESS_BYTES_MIN = 64,                                               /* smaller bodies are not worth it */
    EVENTS_BYTES_MAX = TABLES_IN_FLIGHT_BYTES_MAX + READ_ANSWER_BYTES_MAX, /* waiting on one connection */
};

size_t answer_begin(struct tables *tables, uint8_t version, int16_t stream, enum cql_opcode opcode)
{
    tables->answer.size = 0;
    return cql_frame_begin(&tables->answer, version, true, 0, stream, opcode);
}

/* Puts a compressed body (version 3, 4) behind the same header into tables->packed; false: it is not smaller. */
static bool pack(struct tables *tables, enum cql_compression compression)
{
    struct mr_bytes plain = mr_writer_bytes(&tables->answer);
    struct mr_writer *packed = &tables->packed;

    if (plain.size < CQL_HEADER_BYTES + COMPRESS_BYTES_MIN)
        return false;
    packed->size = 0;
    mr_write_bytes(packed, (struct mr_bytes){ plain.data, CQL_HEADER_BYTES });
    packed->data[1] |= CQL_FRAME_COMPRESSED;
    cql_body_compress(packed, compression,
                      (struct mr_bytes){ plain.data + CQL_HEADER_BYTES, plain.size - CQL_HEADER_BYTES });
    cql_frame_end(packed, CQL_HEADER_BYTES);
    return packed->size < plain.size;
}

void answer_warn(struct tables *tables, const char *text)
{
    snprintf(tables->warning, sizeof(tables->warning), "%s", text);
}

/* What its header's flags put before the body of the answer: the id of its trace, a warning. */
static void insert_prefix(struct conn *conn)
{
    struct tables *tables = conn->tables;
    struct mr_writer *answer = &tables->answer, prefix = { 0 };
    int16_t stream = (int16_t)(answer->data[2] << 8 | answer->data[3]);
    const uint8_t *id = conn->traced > 0 ? trace_end(conn, stream) : NULL;
    uint8_t flags = 0;

    if (id != NULL) {
        flags |= CQL_FRAME_TRACING;
        mr_write_bytes(&prefix, (struct mr_bytes){ id, 16 });
    }
    if (tables->warning[0] != 0 && (answer->data[0] & 0x7f) >= CQL_V4) {
        flags |= CQL_FRAME_WARNING;
        mr_write_u16(&prefix, 1);
        cql_write_string(&prefix, mr_str_of(tables->warning));
    }
    tables->warning[0] = 0;
    if (flags == 0)
        return;
    mr_writer_reserve(answer, prefix.size);
    memmove(answer->data + CQL_HEADER_BYTES + prefix.size, answer->data + CQL_HEADER_BYTES,
            answer->size - CQL_HEADER_BYTES);
    memcpy(answer->data + CQL_HEADER_BYTES, prefix.data, prefix.size);
    answer->data[1] |= flags;
    answer->size += prefix.size;
    mr_writer_deinit(&prefix);
}

void answer_end(struct conn *conn, size_t position)
{
    struct tables *tables = conn->tables;
    struct mr_bytes out;

    assert(position == CQL_HEADER_BYTES);
    if (conn->traced > 0 || tables->warning[0] != 0)
        insert_prefix(conn);
    cql_frame_end(&tables->answer, position);
    out = mr_writer_bytes(&tables->answer);
    if (conn->is_framed) {
        tables->packed.size = 0;
        cql_segments_write(&tables->packed, out, conn->compression == CQL_LZ4);
        out = mr_writer_bytes(&tables->packed);
    } else if (conn->compression != CQL_PLAIN && pack(tables, conn->compression)) {
        out = mr_writer_bytes(&tables->packed);
    }
    if (conn->net != NULL && net_conn_is_open(conn->net))
        net_conn_write(conn->net, out);
    if (tables->answer.capacity > KEEP_BYTES)
        mr_writer_deinit(&tables->answer);
    if (tables->packed.capacity > KEEP_BYTES)
        mr_writer_deinit(&tables->packed);
}

void answer_void(struct conn *conn, uint8_t version, int16_t stream)
{
    size_t position = answer_begin(conn->tables, version, stream, CQL_OP_RESULT);

    cql_result_write_void(&conn->tables->answer);
    answer_end(conn, position);
}

void answer_ready(struct conn *conn, uint8_t version, int16_t stream)
{
    answer_end(conn, answer_begin(conn->tables, version, stream, CQL_OP_READY));
}

void answer_error(struct conn *conn, uint8_t version, int16_t stream, const struct cql_error *error)
{
    size_t position = answer_begin(conn->tables, version, stream, CQL_OP_ERROR);

    mr_metric_add(conn->tables->errors, 1);
    cql_error_write(&conn->tables->answer, version, error);
    answer_end(conn, position);
}

void answer_fail(struct conn *conn, uint8_t version, int16_t stream, int32_t code, const char *format, ...)
{
    char text[MR_ERR_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    answer_error(conn, version, stream, &(struct cql_error){ .code = code, .message = mr_str_of(text) });
}

void answer_store_error(struct conn *conn, uint8_t version, int16_t stream, enum mr_status status,
                        const struct mr_err *err)
{
    int32_t code = CQL_ERR_SERVER;

    switch (status) {
    case MR_INVALID:
        code = CQL_ERR_INVALID;
        break;
    case MR_LIMIT:
    case MR_BUSY:
        code = CQL_ERR_OVERLOADED;
        break;
    case MR_DENIED:
        code = CQL_ERR_UNAUTHORIZED;
        break;
    case MR_OK:
    case MR_NEED_MORE:
    case MR_NOT_FOUND:
    case MR_EXISTS:
    case MR_CORRUPT:
    case MR_IO:
    case MR_UNSUPPORTED:
    case MR_STATUS_N:
        break;
    }
    answer_fail(conn, version, stream, code, "%s", err->text);
}

void answer_event(struct tables *tables, const struct cql_schema_change *change)
{
    struct conn *conn;

    for (conn = tables->conns; conn != NULL; conn = conn->next) {
        size_t position;

        if (!conn->is_registered)
            continue;
        if (evbuffer_get_length(net_conn_output(conn->net)) > EVENTS_BYTES_MAX) {
            net_conn_close(conn->net); /* it does not read; a driver that comes back reads the schema anew */
            continue;
        }
        position = answer_begin(tables, conn->version, -1, CQL_OP_EVENT);
        cql_event_write_schema(&tables->answer, change);
        answer_end(conn, position);
    }
}

/* ---- requests under way ---- */

struct request *request_new(struct conn *conn, uint8_t version, int16_t stream, size_t bytes)
{
    struct tables *tables = conn->tables;
    struct request *request = tables->free_requests;

    if (request != NULL)
        tables->free_requests = request->next;
    else
        request = mr_alloc(sizeof(*request));
    *request = (struct request){ .conn = conn, .stream = stream, .version = version, .bytes = bytes };
    conn->refs++;
    conn->in_flight++;
    conn->in_flight_bytes += bytes;
    tables->in_flight++;
    return request;
}

/* The network calls when bytes wait in its input; these were taken from there. */
static void read_envelopes(void *arg)
{
    struct conn *conn = arg;

    if (conn->net != NULL && net_conn_is_open(conn->net))
        conn_read(conn->net, conn);
    conn_unref(conn);
}

static void resume(struct conn *conn)
{
    if (!conn->is_paused || conn->is_stalled || conn->in_flight >= TABLES_IN_FLIGHT_MAX / 2 + 1 ||
        conn->in_flight_bytes > TABLES_IN_FLIGHT_BYTES_MAX / 2)
        return;
    conn->is_paused = false;
    if (conn->net == NULL || !net_conn_is_open(conn->net))
        return;
    net_conn_resume(conn->net);
    if (conn->envelopes != NULL && evbuffer_get_length(conn->envelopes) > 0) {
        conn->refs++;
        net_loop_post(conn->tables->loop, read_envelopes, conn);
    }
}

void request_free(struct request *request)
{
    struct conn *conn = request->conn, *stalled;
    struct tables *tables = conn->tables;

    conn->in_flight--;
    conn->in_flight_bytes -= request->bytes;
    tables->in_flight--;
    request->next = tables->free_requests;
    tables->free_requests = request;
    resume(conn);
    for (stalled = tables->conns; tables->stalled_count > 0 && stalled != NULL; stalled = stalled->next) {
        if (!stalled->is_stalled)
            continue;
        stalled->is_stalled = false;
        tables->stalled_count--;
        resume(stalled);
    }
    conn_unref(conn);
}

void conn_unref(struct conn *conn)
{
    if (--conn->refs > 0)
        return;
    mr_free((void *)conn->keyspace.data);
    mr_free((void *)conn->driver_name.data);
    mr_free((void *)conn->driver_version.data);
    mr_free(conn);
}

/* input.c -- from what a connection receives to plain frames: segments of version 5, compressed bodies of 3 and 4.
 *
 * conn->envelopes holds at most one envelope that is not yet whole, or the rest of the segment that its requests
 * came in: CQL_REQUEST_BYTES_MAX and a segment.  A segment is taken from the input only when that holds no whole one.
 */
#include "tables/server_int.h"

#include <stdio.h>

size_t input_body_max(const struct conn *conn)
{
    return conn->state == CONN_READY ? CQL_REQUEST_BYTES_MAX : TABLES_LOGIN_BYTES_MAX;
}

void input_reject(struct conn *conn, uint8_t version, int16_t stream, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    answer_fail(conn, version, stream, CQL_ERR_PROTOCOL, "%s", text);
    conn->is_closing = true;
}

/* Is there a whole envelope, or one so wrong that the rest of it need not be waited for? */
static bool has_envelope(const struct conn *conn)
{
    uint8_t head[CQL_HEADER_BYTES];
    struct cql_header header;

    if (evbuffer_copyout(conn->envelopes, head, sizeof(head)) < CQL_HEADER_BYTES)
        return false;
    return cql_header_read(&header, (struct mr_bytes){ head, sizeof(head) }) != MR_OK ||
           header.body_bytes > input_body_max(conn) ||
           evbuffer_get_length(conn->envelopes) >= CQL_HEADER_BYTES + (size_t)header.body_bytes;
}

/* One segment from INPUT to conn->envelopes; MR_NEED_MORE: it is not whole. */
static enum mr_status take_segment(struct conn *conn, struct evbuffer *input, struct mr_err *err)
{
    uint8_t head[CQL_SEGMENT_LZ4_HEADER_BYTES];
    struct mr_writer *plain = &conn->tables->packed;
    size_t rest = evbuffer_get_length(conn->envelopes), whole;
    ev_ssize_t got = evbuffer_copyout(input, head, sizeof(head));
    struct cql_segment segment;
    enum mr_status status;

    status = cql_segment_header_read(&segment, (struct mr_bytes){ head, got > 0 ? (size_t)got : 0 },
                                     conn->compression == CQL_LZ4, err);
    if (status != MR_OK)
        return status;
    if (rest > 0 && (!conn->is_cut || segment.is_self_contained))
        return mr_err_set(err, MR_INVALID, "a frame ended in the middle of an envelope");
    if (segment.payload_bytes > input_body_max(conn) + CQL_HEADER_BYTES ||
        segment.plain_bytes > input_body_max(conn) + CQL_HEADER_BYTES)
        return mr_err_set(err, MR_INVALID, "Request is too big: a frame of %" PRIu32 " bytes before the login",
                          segment.payload_bytes);
    whole = (size_t)segment.header_bytes + segment.payload_bytes + CQL_SEGMENT_TRAILER_BYTES;
    if (evbuffer_get_length(input) < whole)
        return MR_NEED_MORE;
    plain->size = 0;
    status =
        cql_segment_payload_read(&segment,
                                 (struct mr_bytes){ evbuffer_pullup(input, (ev_ssize_t)whole) + segment.header_bytes,
                                                    whole - segment.header_bytes },
                                 plain, err);
    if (status != MR_OK)
        return status;
    evbuffer_drain(input, whole);
    evbuffer_add(conn->envelopes, plain->data, plain->size);
    conn->is_cut = !segment.is_self_contained;
    return MR_OK;
}

bool input_fill(struct conn *conn, struct evbuffer *input)
{
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = MR_OK;

    while (status == MR_OK && !has_envelope(conn))
        status = take_segment(conn, input, &err);
    if (status != MR_OK && status != MR_NEED_MORE)
        input_reject(conn, conn->version, 0, "%s", err.text);
    return status == MR_OK;
}

bool input_decompress(struct conn *conn, struct cql_header *header, struct mr_bytes *body)
{
    struct mr_writer *plain = &conn->tables->plain;
    struct mr_err err = MR_ERR_INIT;

    plain->size = 0;
    if (cql_body_decompress(plain, conn->compression, *body, input_body_max(conn), &err) != MR_OK) {
        input_reject(conn, header->version, header->stream, "%s", err.text);
        return false;
    }
    *body = mr_writer_bytes(plain);
    header->body_bytes = (uint32_t)body->size;
    return true;
}

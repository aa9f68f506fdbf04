/* frame.c -- headers, and the pieces all messages are made of. */
#include "cql/cql.h"

enum mr_status cql_header_read(struct cql_header *out, struct mr_bytes in)
{
    struct mr_reader r = mr_reader_of(in);
    int32_t body_bytes;
    uint8_t version;

    if (in.size < CQL_HEADER_BYTES)
        return MR_NEED_MORE;
    version = mr_read_u8(&r);
    out->version = version & 0x7f;
    out->is_answer = (version & 0x80) != 0;
    out->flags = mr_read_u8(&r);
    out->stream = mr_read_i16(&r);
    out->opcode = mr_read_u8(&r);
    body_bytes = mr_read_i32(&r);
    out->body_bytes = body_bytes < 0 ? 0 : (uint32_t)body_bytes;
    return body_bytes < 0 ? MR_INVALID : MR_OK;
}

size_t cql_frame_begin(struct mr_writer *w, uint8_t version, bool is_answer, uint8_t flags, int16_t stream,
                       enum cql_opcode opcode)
{
    mr_write_u8(w, is_answer ? version | 0x80 : version);
    mr_write_u8(w, flags);
    mr_write_i16(w, stream);
    mr_write_u8(w, (uint8_t)opcode);
    mr_write_i32(w, 0);
    return w->size;
}

void cql_frame_end(struct mr_writer *w, size_t position)
{
    assert(position >= CQL_HEADER_BYTES && position <= w->size);
    mr_write_i32_at(w, position - 4, (int32_t)(w->size - position));
}

static void skip_payload(struct mr_reader *r)
{
    unsigned left = mr_read_u16(r);

    for (; left > 0 && !r->failed; left--) {
        cql_read_string(r);
        cql_read_bytes(r);
    }
}

enum mr_status cql_prefix_read(struct cql_prefix *out, struct mr_reader *r, uint8_t flags, bool is_answer,
                               struct mr_arena *arena)
{
    *out = (struct cql_prefix){ 0 };
    if (is_answer && (flags & CQL_FRAME_TRACING))
        out->tracing_id = mr_read_slice(r, 16);
    if (is_answer && (flags & CQL_FRAME_WARNING)) {
        uint32_t count = mr_read_u16(r), i;
        struct mr_str *warnings;

        if (mr_reader_left(r) < count * 2)
            return MR_INVALID;
        warnings = MR_ARENA_ARRAY(arena, struct mr_str, count + 1);
        for (i = 0; i < count; i++)
            warnings[i] = cql_read_string(r);
        out->warnings = warnings;
        out->warning_count = count;
    }
    if (flags & CQL_FRAME_PAYLOAD)
        skip_payload(r);
    return r->failed ? MR_INVALID : MR_OK;
}

/* ---- notation ---- */

void cql_write_string(struct mr_writer *w, struct mr_str s)
{
    if (s.size > UINT16_MAX)
        s.size = UINT16_MAX;
    mr_write_u16(w, (uint16_t)s.size);
    mr_write_str(w, s);
}

void cql_write_long_string(struct mr_writer *w, struct mr_str s)
{
    assert(s.size <= INT32_MAX);
    mr_write_i32(w, (int32_t)s.size);
    mr_write_str(w, s);
}

void cql_write_bytes(struct mr_writer *w, struct mr_bytes b)
{
    assert(b.size <= INT32_MAX);
    mr_write_i32(w, b.data == NULL ? -1 : (int32_t)b.size);
    mr_write_bytes(w, b);
}

void cql_write_short_bytes(struct mr_writer *w, struct mr_bytes b)
{
    assert(b.size <= UINT16_MAX);
    mr_write_u16(w, (uint16_t)b.size);
    mr_write_bytes(w, b);
}

void cql_write_value(struct mr_writer *w, struct cql_value v)
{
    mr_write_i32(w, v.size);
    if (v.size > 0)
        mr_write_bytes(w, (struct mr_bytes){ v.data, (size_t)v.size });
}

/* A slice that is never null unless the reader failed: an empty string is not an absent one. */
static struct mr_bytes read_slice(struct mr_reader *r, size_t size)
{
    const uint8_t *at = r->at;
    struct mr_bytes b = mr_read_slice(r, size);

    if (!r->failed && b.data == NULL)
        b.data = at != NULL ? at : (const uint8_t *)"";
    return b;
}

struct mr_str cql_read_string(struct mr_reader *r)
{
    size_t size = mr_read_u16(r);

    return mr_str_of_bytes(read_slice(r, size));
}

struct mr_str cql_read_long_string(struct mr_reader *r)
{
    int32_t size = mr_read_i32(r);

    if (size < 0) {
        mr_reader_fail(r);
        return MR_STR_NULL;
    }
    return mr_str_of_bytes(read_slice(r, (size_t)size));
}

struct mr_bytes cql_read_bytes(struct mr_reader *r)
{
    int32_t size = mr_read_i32(r);

    return size < 0 ? MR_BYTES_NULL : read_slice(r, (size_t)size);
}

struct mr_bytes cql_read_short_bytes(struct mr_reader *r)
{
    size_t size = mr_read_u16(r);

    return read_slice(r, size);
}

struct cql_value cql_read_value(struct mr_reader *r)
{
    int32_t size = mr_read_i32(r);

    if (r->failed || size == CQL_NULL)
        return CQL_VALUE_NULL;
    if (size == CQL_UNSET)
        return CQL_VALUE_UNSET;
    if (size < 0) {
        mr_reader_fail(r);
        return CQL_VALUE_NULL;
    }
    return CQL_VALUE_OF(read_slice(r, (size_t)size).data, r->failed ? CQL_NULL : size);
}

/* ---- names ---- */

static const struct {
    int32_t code;
    bool retriable;
    const char *name;
} errors[] = {
    { CQL_ERR_SERVER, false, "server error" },           { CQL_ERR_PROTOCOL, false, "protocol error" },
    { CQL_ERR_CREDENTIALS, false, "bad credentials" },   { CQL_ERR_UNAVAILABLE, true, "unavailable" },
    { CQL_ERR_OVERLOADED, true, "overloaded" },          { CQL_ERR_BOOTSTRAPPING, true, "bootstrapping" },
    { CQL_ERR_TRUNCATE, false, "truncate error" },       { CQL_ERR_WRITE_TIMEOUT, true, "write timeout" },
    { CQL_ERR_READ_TIMEOUT, true, "read timeout" },      { CQL_ERR_READ_FAILURE, false, "read failure" },
    { CQL_ERR_FUNCTION, false, "function failure" },     { CQL_ERR_WRITE_FAILURE, true, "write failure" },
    { CQL_ERR_CAS_UNKNOWN, false, "cas write unknown" }, { CQL_ERR_SYNTAX, false, "syntax error" },
    { CQL_ERR_UNAUTHORIZED, false, "unauthorized" },     { CQL_ERR_INVALID, false, "invalid query" },
    { CQL_ERR_CONFIG, false, "configuration error" },    { CQL_ERR_EXISTS, false, "already exists" },
    { CQL_ERR_UNPREPARED, false, "unprepared" },
};

const char *cql_error_name(int32_t code)
{
    size_t i;

    for (i = 0; i < MR_COUNT(errors); i++) {
        if (errors[i].code == code)
            return errors[i].name;
    }
    return "unknown";
}

bool cql_error_retriable(int32_t code)
{
    size_t i;

    for (i = 0; i < MR_COUNT(errors); i++) {
        if (errors[i].code == code)
            return errors[i].retriable;
    }
    return false;
}

const char *cql_opcode_name(uint8_t opcode)
{
    static const char *const names[CQL_OP_N] = {
        "ERROR",     "STARTUP", "READY",          "AUTHENTICATE",  NULL,           "OPTIONS",
        "SUPPORTED", "QUERY",   "RESULT",         "PREPARE",       "EXECUTE",      "REGISTER",
        "EVENT",     "BATCH",   "AUTH_CHALLENGE", "AUTH_RESPONSE", "AUTH_SUCCESS",
    };

    return opcode < CQL_OP_N && names[opcode] != NULL ? names[opcode] : "unknown";
}

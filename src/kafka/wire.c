/* wire.c -- the primitive types of the protocol, frames and headers; see wire_int.h and kafka.h. */
#include "kafka/wire_int.h"

#include "kafka/messages.h"

#include <string.h>

enum {
    PLAIN_STRING_MAX = INT16_MAX,
    FRAME_LENGTH_BYTES = 4,
};

/* ---- reading ---- */

/* A length in either form, -1 for null; fails on null where it is not allowed. */
static int64_t length_finish(struct mr_reader *in, int64_t length, bool nullable)
{
    if (length >= 0)
        return length;
    if (!nullable)
        mr_reader_fail(in);
    return -1;
}

static int64_t length_read(struct mr_reader *in, bool flexible, bool nullable)
{
    int64_t length = flexible ? (int64_t)mr_read_uvarint32(in) - 1 : mr_read_i32(in);

    return length_finish(in, in->failed ? 0 : length, nullable);
}

struct kafka_uuid kafka_wire_read_uuid(struct mr_reader *in)
{
    struct kafka_uuid id = { { 0 } };
    struct mr_bytes b = mr_read_slice(in, sizeof(id.bytes));

    if (b.data != NULL)
        memcpy(id.bytes, b.data, sizeof(id.bytes));
    return id;
}

struct mr_str kafka_wire_read_string(struct mr_reader *in, bool flexible, bool nullable)
{
    int64_t length = flexible ? (int64_t)mr_read_uvarint32(in) - 1 : mr_read_i16(in);
    struct mr_bytes b;

    length = length_finish(in, in->failed ? 0 : length, nullable);
    if (length > PLAIN_STRING_MAX)
        mr_reader_fail(in);
    if (in->failed || length <= 0)
        return length < 0 && !in->failed ? MR_STR_NULL : MR_STR("");
    b = mr_read_slice(in, (size_t)length);
    return b.data != NULL ? mr_str_of_bytes(b) : MR_STR("");
}

struct mr_bytes kafka_wire_read_bytes(struct mr_reader *in, bool flexible, bool nullable)
{
    int64_t length = length_read(in, flexible, nullable);

    if (in->failed || length < 0)
        return MR_BYTES_NULL;
    if (length == 0)
        return (struct mr_bytes){ in->at, 0 };
    return mr_read_slice(in, (size_t)length);
}

struct kafka_record_bytes kafka_wire_read_records(struct mr_reader *in, bool flexible, bool nullable)
{
    return (struct kafka_record_bytes){ .bytes = kafka_wire_read_bytes(in, flexible, nullable) };
}

void *kafka_wire_read_array(struct mr_reader *in, bool flexible, bool nullable, size_t wire_bytes_min,
                            size_t element_bytes, struct mr_arena *arena, int32_t *count)
{
    int64_t length = length_read(in, flexible, nullable);

    assert(wire_bytes_min > 0);
    *count = 0;
    if (in->failed || length == 0)
        return NULL;
    if (length < 0) {
        *count = -1;
        return NULL;
    }
    if ((uint64_t)length > mr_reader_left(in) / wire_bytes_min ||
        (uint64_t)length * element_bytes + mr_arena_size(arena) > KAFKA_DECODE_BYTES_MAX) {
        mr_reader_fail(in);
        return NULL;
    }
    *count = (int32_t)length;
    return mr_arena_calloc(arena, (size_t)length, element_bytes);
}

uint32_t kafka_wire_read_tag_count(struct mr_reader *in)
{
    return mr_read_uvarint32(in);
}

struct mr_reader kafka_wire_read_tag(struct mr_reader *in, uint32_t *tag)
{
    uint32_t size;

    *tag = mr_read_uvarint32(in);
    size = mr_read_uvarint32(in);
    return mr_reader_of(mr_read_slice(in, size));
}

void kafka_wire_skip_tags(struct mr_reader *in)
{
    uint32_t count = kafka_wire_read_tag_count(in);
    uint32_t tag;

    for (uint32_t i = 0; i < count && !in->failed; i++)
        (void)kafka_wire_read_tag(in, &tag);
}

/* ---- writing ---- */

static void length_write(struct mr_writer *out, int64_t length, bool flexible)
{
    if (flexible)
        mr_write_uvarint(out, (uint64_t)(length + 1));
    else
        mr_write_i32(out, (int32_t)length);
}

void kafka_wire_write_uuid(struct mr_writer *out, const struct kafka_uuid *id)
{
    mr_write_bytes(out, (struct mr_bytes){ id->bytes, sizeof(id->bytes) });
}

void kafka_wire_write_string(struct mr_writer *out, struct mr_str s, bool flexible, bool nullable)
{
    int64_t length = s.data == NULL && nullable ? -1 : (int64_t)s.size;

    assert(length <= PLAIN_STRING_MAX);
    if (flexible)
        mr_write_uvarint(out, (uint64_t)(length + 1));
    else
        mr_write_i16(out, (int16_t)length);
    if (length > 0)
        mr_write_str(out, s);
}

void kafka_wire_write_bytes(struct mr_writer *out, struct mr_bytes b, bool flexible, bool nullable)
{
    assert(b.size <= INT32_MAX);
    length_write(out, b.data == NULL && nullable ? -1 : (int64_t)b.size, flexible);
    if (b.size > 0)
        mr_write_bytes(out, b);
}

void kafka_wire_write_records(struct mr_writer *out, struct kafka_record_bytes r, bool flexible, bool nullable)
{
    if (r.hole == NULL) {
        kafka_wire_write_bytes(out, r.bytes, flexible, nullable);
        return;
    }
    assert(r.bytes.size <= INT32_MAX);
    length_write(out, (int64_t)r.bytes.size, flexible);
    *r.hole = out->size;
}

void kafka_wire_write_count(struct mr_writer *out, int32_t count, bool flexible, bool nullable)
{
    length_write(out, count < 0 ? (nullable ? -1 : 0) : count, flexible);
}

void kafka_wire_write_tag(struct mr_writer *out, uint32_t tag, const struct mr_writer *value)
{
    mr_write_uvarint(out, tag);
    mr_write_uvarint(out, value->size);
    if (value->size > 0)
        mr_write_bytes(out, mr_writer_bytes(value));
}

/* ---- frames and headers ---- */

bool kafka_uuid_is_zero(const struct kafka_uuid *id)
{
    static const struct kafka_uuid zero;

    return memcmp(id, &zero, sizeof(zero)) == 0;
}

enum mr_status kafka_request_header_read(struct kafka_request_header *header, struct mr_reader *in)
{
    struct kafka_request_header h = { 0 };
    const struct kafka_api *api;

    h.api_key = mr_read_i16(in);
    h.api_version = mr_read_i16(in);
    h.correlation_id = mr_read_i32(in);
    if (in->failed)
        return MR_INVALID;
    api = kafka_api_find(h.api_key);
    if (api != NULL) {
        /* The client id keeps its old form in every version: it must be readable before the version is agreed. */
        h.client_id = kafka_wire_read_string(in, false, true);
        if (h.api_version >= api->flexible_min)
            kafka_wire_skip_tags(in);
        if (in->failed)
            return MR_INVALID;
    }
    *header = h;
    return api != NULL ? MR_OK : MR_UNSUPPORTED;
}

void kafka_request_header_write(const struct kafka_request_header *header, struct mr_writer *out)
{
    const struct kafka_api *api = kafka_api_find(header->api_key);

    assert(api != NULL);
    mr_write_i16(out, header->api_key);
    mr_write_i16(out, header->api_version);
    mr_write_i32(out, header->correlation_id);
    kafka_wire_write_string(out, header->client_id, false, true);
    if (header->api_version >= api->flexible_min)
        mr_write_uvarint(out, 0);
}

static bool response_has_tags(int16_t api_key, int16_t version)
{
    const struct kafka_api *api = kafka_api_find(api_key);

    assert(api != NULL);
    return version >= api->flexible_min && api->response_header_max >= 1;
}

enum mr_status kafka_response_header_read(struct mr_reader *in, int16_t api_key, int16_t version,
                                          int32_t *correlation_id)
{
    int32_t id = mr_read_i32(in);

    if (response_has_tags(api_key, version))
        kafka_wire_skip_tags(in);
    if (in->failed)
        return MR_INVALID;
    *correlation_id = id;
    return MR_OK;
}

void kafka_response_header_write(struct mr_writer *out, int16_t api_key, int16_t version, int32_t correlation_id)
{
    mr_write_i32(out, correlation_id);
    if (response_has_tags(api_key, version))
        mr_write_uvarint(out, 0);
}

size_t kafka_frame_begin(struct mr_writer *out)
{
    size_t frame = out->size;

    mr_write_i32(out, 0);
    return frame;
}

void kafka_frame_end(struct mr_writer *out, size_t frame, size_t elsewhere_bytes)
{
    size_t length = out->size - frame - FRAME_LENGTH_BYTES + elsewhere_bytes;

    assert(length <= INT32_MAX);
    mr_write_i32_at(out, frame, (int32_t)length);
}

enum mr_status kafka_frame_measure(struct mr_bytes start, size_t length_max, size_t *frame_bytes)
{
    int32_t length;

    if (start.size < FRAME_LENGTH_BYTES) {
        *frame_bytes = FRAME_LENGTH_BYTES;
        return MR_NEED_MORE;
    }
    length = mr_load_i32(start.data);
    if (length <= 0 || (size_t)length > length_max)
        return MR_INVALID;
    *frame_bytes = FRAME_LENGTH_BYTES + (size_t)length;
    return start.size < *frame_bytes ? MR_NEED_MORE : MR_OK;
}

/* ---- names ---- */

static bool topic_byte_ok(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
}

enum mr_status kafka_topic_name_check(struct mr_str name, struct mr_err *err)
{
    static const char prefix[] = "Topic name is invalid: ";

    if (name.size == 0)
        return mr_err_set(err, MR_INVALID, "%sthe empty string is not allowed", prefix);
    if (mr_str_equal(name, MR_STR(".")) || mr_str_equal(name, MR_STR("..")))
        return mr_err_set(err, MR_INVALID, "%s'%.*s' is not allowed", prefix, MR_STR_ARG(name));
    if (name.size > KAFKA_TOPIC_NAME_BYTES_MAX)
        return mr_err_set(err, MR_INVALID, "%sthe length of '%.*s' is longer than the max allowed length %d", prefix,
                          (int)(name.size < 300 ? name.size : 300), name.data, KAFKA_TOPIC_NAME_BYTES_MAX);
    for (size_t i = 0; i < name.size; i++)
        if (!topic_byte_ok(name.data[i]))
            return mr_err_set(err, MR_INVALID,
                              "%s'%.*s' contains one or more characters other than ASCII alphanumerics, '.', '_' "
                              "and '-'",
                              prefix, MR_STR_ARG(name));
    return MR_OK;
}

bool kafka_topic_names_collide(struct mr_str a, struct mr_str b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++) {
        char x = a.data[i] == '.' ? '_' : a.data[i];
        char y = b.data[i] == '.' ? '_' : b.data[i];

        if (x != y)
            return false;
    }
    return true;
}

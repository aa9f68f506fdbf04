/* kafka.h -- the Kafka wire protocol: framing, headers, error codes, and (kafka/messages.h, generated from schema/) one
 * struct a message with its read and write function.  No I/O; used by the broker and by clients.
 *
 * A frame is a 4-byte length and that many bytes: a header, then the message.  Reading borrows: strings, bytes and
 * records point into the frame; arrays and structs come from the arena.  A field that the version has not keeps its
 * default; a null array has count -1, a null string or records have data NULL.
 *
 * Threads: everything here is [any]. */
#ifndef MR_KAFKA_H
#define MR_KAFKA_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum kafka_limits {
    KAFKA_DECODE_BYTES_MAX = 64 * 1024 * 1024, /* arena of one message while it is read; more is MR_INVALID */
    KAFKA_TOPIC_NAME_BYTES_MAX = 249,
};

/* A topic id; all zero is "none". */
struct kafka_uuid {
    uint8_t bytes[16];
};

/* Record batches in a message. */
struct kafka_record_bytes {
    struct mr_bytes bytes; /* borrowed; data NULL: null, unless hole is set */
    /* Writing only.  When not NULL, the length bytes.size is written without the bytes, and *hole gets the position in
     * the writer where they belong; the frame's length counts them (kafka_frame_end).  For bytes sent from a file. */
    size_t *hole;
};

/* Is it the id that means none? */
bool kafka_uuid_is_zero(const struct kafka_uuid *id);

/* ---- the kinds of request ---- */

struct kafka_api {
    int16_t key;
    int16_t version_min; /* known to the codec; what a server offers is its own table */
    int16_t version_max;
    int16_t flexible_min;        /* first version with compact lengths and tagged fields */
    int16_t response_header_max; /* highest version of the response's header */
    const char *name;
};

/* The kind of request KEY, or NULL when the codec has none. */
const struct kafka_api *kafka_api_find(int16_t key);
/* All of them by key, *COUNT long. */
const struct kafka_api *kafka_apis(size_t *count);

/* ---- headers and frames ---- */

struct kafka_request_header {
    int16_t api_key;
    int16_t api_version;
    int32_t correlation_id;
    struct mr_str client_id; /* may be null; borrowed from the frame */
};

/* Reads a request's header from the start of a frame (behind its length).  Any version is read, also one that the codec
 * does not know, by the rule of the newest.
 * MR_UNSUPPORTED  no such kind of request (key, version and correlation are set)     MR_INVALID  not a header */
MR_MUST_CHECK enum mr_status kafka_request_header_read(struct kafka_request_header *header, struct mr_reader *in);
/* Writes a request's header in the version that its kind and version ask for. */
void kafka_request_header_write(const struct kafka_request_header *header, struct mr_writer *out);
/* Reads the header of the response to a request of API_KEY and VERSION.    MR_INVALID  not a header */
MR_MUST_CHECK enum mr_status kafka_response_header_read(struct mr_reader *in, int16_t api_key, int16_t version,
                                                        int32_t *correlation_id);
/* Writes it. */
void kafka_response_header_write(struct mr_writer *out, int16_t api_key, int16_t version, int32_t correlation_id);

/* Begins a frame in OUT; give the result to kafka_frame_end, which sets the length, ELSEWHERE_BYTES (those of holes)
 * included. */
size_t kafka_frame_begin(struct mr_writer *out);
void kafka_frame_end(struct mr_writer *out, size_t frame, size_t elsewhere_bytes);
/* Frames in a stream: looks at the first SIZE bytes of one.  MR_NEED_MORE until *FRAME_BYTES (4 and the length) are
 * there; it is set as soon as 4 bytes are, before that it is 4.  MR_INVALID: length 0, negative or over LENGTH_MAX. */
MR_MUST_CHECK enum mr_status kafka_frame_measure(struct mr_bytes start, size_t length_max, size_t *frame_bytes);

/* ---- names ---- */

/* Is it a legal topic name?  Else MR_INVALID and ERR says why in Kafka's words. */
MR_MUST_CHECK enum mr_status kafka_topic_name_check(struct mr_str name, struct mr_err *err);
/* Do both names become the same once '.' is '_'?  Kafka's metrics can't tell such topics apart, so it refuses them. */
bool kafka_topic_names_collide(struct mr_str a, struct mr_str b);

#ifdef __cplusplus
}
#endif
#endif

/* record_text.h -- Kafka records as text: kcat's format strings, and JSON that can be read back. */
#ifndef MAIN_RECORD_TEXT_H
#define MAIN_RECORD_TEXT_H

#include "base/base.h"

#include <jansson.h>

enum { RECORD_HEADERS_MAX = 256 };

struct record_header {
    struct mr_str name;
    struct mr_bytes value; /* data == NULL: null */
};

/* All borrowed. */
struct record {
    const char *topic;
    int32_t partition; /* -1: any */
    int64_t offset;
    int64_t timestamp_ms;  /* -1: none */
    struct mr_bytes key;   /* data == NULL: null */
    struct mr_bytes value; /* likewise */
    uint32_t header_count;
    const struct record_header *headers;
};

/* Appends TEXT with its escapes replaced: \n \r \t \0 \\ \xHH; others stand for themselves. */
void record_unescape(struct mr_writer *out, const char *text);
/* Is FORMAT one that record_format takes?  %s value, %S its bytes, %k key, %K its bytes (-1: null), %t topic,
 * %p partition, %o offset, %T time in ms, %h headers as name=value joined by commas, %% itself; escapes as above.
 * MR_INVALID  err names the letter that is none */
MR_MUST_CHECK enum mr_status record_format_check(const char *format, struct mr_err *err);
/* Appends RECORD as FORMAT, which was checked, says; a null is NULL_TEXT. */
void record_format(struct mr_writer *out, const char *format, const struct record *record, const char *null_text);

/* RECORD as an object with topic, partition, offset, timestamp_ms, key, value and headers ([{"name", "value"}]); bytes
 * that are no UTF-8 are key_base64, value_base64.  Caller owns. */
json_t *record_json(const struct record *record);
/* Reads what record_json wrote (only "value" or "value_base64" must be there); bytes go to ARENA, headers to it too.
 * MR_INVALID  no such object */
MR_MUST_CHECK enum mr_status record_read_json(struct record *out, struct mr_str line, struct mr_arena *arena,
                                              struct mr_err *err);

#endif

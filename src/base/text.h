/* text.h -- small things done with text: numbers, UUIDs, times, UTF-8, "did you mean". */
#ifndef MR_TEXT_H
#define MR_TEXT_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whole text as a decimal integer (optional sign); MR_INVALID for anything else or out of range. [any] */
MR_MUST_CHECK enum mr_status mr_parse_i64(struct mr_str text, int64_t *out);
/* Whole text as a decimal floating point number, "1e3", "-0.5", locale aside; no hex, no "inf" or "nan". [any] */
MR_MUST_CHECK enum mr_status mr_parse_f64(struct mr_str text, double *out);
/* The shortest text that reads back as V ("0.1", "1.0E10" as Java's Double.toString and Float.toString); returns its
 * length; OUT has 32 bytes. [any] */
size_t mr_format_f64(char *out, double v);
size_t mr_format_f32(char *out, float v);
/* "10 s", "500 ms", "2 min", "1 h", "1 d" and Flink's longer spellings as milliseconds; a bare number is ms. [any] */
MR_MUST_CHECK enum mr_status mr_parse_duration_ms(struct mr_str text, int64_t *out);
/* "64kb", "1 MiB", "128 m" as bytes (units of 1024). [any] */
MR_MUST_CHECK enum mr_status mr_parse_size(struct mr_str text, int64_t *out);

/* 36 characters and NUL, lower case. [any] */
void mr_uuid_format(char out[37], const uint8_t uuid[16]);
/* 8-4-4-4-12 hex digits of either case. [any] */
MR_MUST_CHECK enum mr_status mr_uuid_parse(struct mr_str text, uint8_t out[16]);

/* "2026-01-31 23:59:59.123" in UTC (SEPARATOR ' ' or 'T', no zone); OUT has 32 bytes; returns its length. [any] */
size_t mr_format_time_ms(char *out, int64_t ms, char separator);
/* "2026-01-31", with optional time, fraction and zone (Z, +01:00, +0100), to ms since 1970 UTC. [any] */
MR_MUST_CHECK enum mr_status mr_parse_time_ms(struct mr_str text, int64_t *out);

/* Is it UTF-8 without surrogates, overlong forms or values past U+10FFFF? [any] */
bool mr_utf8_valid(struct mr_bytes b);
/* Characters (code points) in valid UTF-8. [any] */
size_t mr_utf8_length(struct mr_str s);

/* The candidate nearest to NAME by edit distance (case aside), or NULL when none is near enough to suggest. [any] */
const char *mr_nearest(const char *name, const char *const *candidates, size_t count);

/* Appends S as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD. */
void mr_write_json_string(struct mr_writer *w, struct mr_str s);
/* Appends S so that it can stand in a cell of a Markdown table: a bar becomes \|, also between backticks. */
void mr_write_cell(struct mr_writer *w, struct mr_str s);

#ifdef __cplusplus
}
#endif
#endif

/* connectors_int.h -- what the connectors share: reading options, waiting, backing off, warnings that don't flood.
 *
 * Everything here belongs to the query's thread. */
#ifndef MR_CONNECTORS_INT_H
#define MR_CONNECTORS_INT_H

#include "connectors/connectors.h"

extern const struct connector connector_http;
extern const struct connector connector_kafka;
extern const struct connector connector_cassandra;
extern const struct connector connector_datagen;
extern const struct connector connector_file;
extern const struct connector connector_print;
extern const struct connector connector_blackhole;

/* ---- options ---- */

/* The value of NAME or its default; NULL when there is none or it is empty. */
const char *connector_option_text(const struct connector_table *table, const char *name);
/* A duration in milliseconds; *OUT stays as it is when the option is absent.  MR_INVALID names option and value. */
MR_MUST_CHECK enum mr_status connector_option_duration(const struct connector_table *table, const char *name,
                                                       int64_t *out, struct mr_err *err);
/* A size in bytes, 1 .. MAX; *OUT stays as it is when the option is absent. */
MR_MUST_CHECK enum mr_status connector_option_size(const struct connector_table *table, const char *name, int64_t max,
                                                   int64_t *out, struct mr_err *err);
/* A whole number MIN .. MAX; *OUT stays as it is when the option is absent. */
MR_MUST_CHECK enum mr_status connector_option_number(const struct connector_table *table, const char *name, int64_t min,
                                                     int64_t max, int64_t *out, struct mr_err *err);
/* "true" or "false"; *OUT stays as it is when the option is absent. */
MR_MUST_CHECK enum mr_status connector_option_bool(const struct connector_table *table, const char *name, bool *out,
                                                   struct mr_err *err);
/* One of CHOICES (ends with NULL): *OUT is its index; stays as it is when the option is absent. */
MR_MUST_CHECK enum mr_status connector_option_choice(const struct connector_table *table, const char *name,
                                                     const char *const *choices, int *out, struct mr_err *err);

/* An encoder of FORMAT (NULL: json) for ROW; caller owns. */
struct data_encoder *connector_encoder_new(const struct data_type *row, const struct data_format *format);

/* ---- waiting ---- */

enum {
    CONNECTOR_WAIT_SLICE_MS = 20, /* how often a wait looks at ctx->stop */
    CONNECTOR_WARN_EVERY_MS = 10000,
};

/* Was the query told to stop? */
bool connector_stopped(const struct connector_context *ctx);
/* Milliseconds of the clock that never goes back. */
int64_t connector_clock_ms(const struct connector_context *ctx);
/* Sleeps until the clock says UNTIL_MS; MR_BUSY at once when the query is told to stop. */
MR_MUST_CHECK enum mr_status connector_wait_until(const struct connector_context *ctx, int64_t until_ms);

/* Growing delays with jitter: base, 2 base, 4 base ... max, each between its half and its whole. */
struct connector_backoff {
    int64_t base_ms;
    int64_t max_ms;
    int attempt; /* how many delays were given since the last success; set to 0 by the caller then */
};

/* The next delay. */
int64_t connector_backoff_next(struct connector_backoff *backoff, const struct connector_context *ctx);

/* A warning that may come often: written at most once each CONNECTOR_WARN_EVERY_MS, with how many were left out. */
struct connector_warner {
    int64_t next_ms; /* 0: never warned yet */
    int64_t left_out;
};

void connector_warn(struct connector_warner *warner, const struct connector_context *ctx, const char *format, ...)
    MR_PRINTF(3, 4);

/* ---- records ---- */

/* CRC-32C of key and value, as checkpoints keep it; a null one counts as empty. */
uint32_t connector_checksum(struct mr_bytes key, struct mr_bytes value);
/* The position of SPLIT among POSITIONS, or NULL. */
const struct connector_position *connector_position_find(const struct connector_position *positions, uint32_t count,
                                                         int32_t split);

/* ---- addresses ---- */

enum { CONNECTOR_HOST_BYTES = 256, CONNECTOR_ADDRESSES_MAX = 64 };

struct connector_address {
    char host[CONNECTOR_HOST_BYTES];
    uint16_t port;
};

/* Reads "HOST[:PORT][,HOST[:PORT]...]", IPv6 in brackets, into OUT (room for CONNECTOR_ADDRESSES_MAX); *COUNT ≥ 1.
 * OPTION names where it came from, for the message.  MR_INVALID: empty, not a host or port, or too many. */
MR_MUST_CHECK enum mr_status connector_addresses_parse(const char *text, uint16_t port_default, const char *option,
                                                       struct connector_address *out, int *count, struct mr_err *err);

/* Connects to ADDRESS within TIMEOUT_MS and gives a non-blocking socket without Nagle's delay; caller closes.
 * MR_IO: refused, unknown host, timeout.  MR_BUSY: stopped. */
MR_MUST_CHECK enum mr_status connector_connect(int *out, const struct connector_address *address, int64_t timeout_ms,
                                               const struct connector_context *ctx, struct mr_err *err);

#endif

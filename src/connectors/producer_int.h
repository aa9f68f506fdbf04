/* producer_int.h -- writing to Kafka through librdkafka's idempotent producer; shared by the kafka sink and
 * connectors_producer. */
#ifndef MR_CONNECTORS_PRODUCER_INT_H
#define MR_CONNECTORS_PRODUCER_INT_H

#include "connectors/connectors_int.h"

struct producer;

/* Names and values as librdkafka has them; NULL: its default, or ours. */
struct producer_options {
    const char *compression;
    const char *linger_ms;
    const char *batch_bytes;
    const char *timeout_ms;
    int64_t record_bytes_max;    /* key, value and headers; 0: PRODUCER_RECORD_BYTES_MAX */
    connector_reject_fn *reject; /* told of records that the broker finds too large; NULL: that is an error */
    void *reject_arg;
};

enum { PRODUCER_RECORD_BYTES_MAX = CONNECTORS_PRODUCER_BYTES_MAX, PRODUCER_RECORD_OVERHEAD = 128 };

/* Makes the topic when absent (if the broker allows it) and opens.  Caller owns. */
MR_MUST_CHECK enum mr_status producer_open(struct producer **out, const struct connector_context *ctx,
                                           const char *bootstrap, const char *topic,
                                           const struct producer_options *options, struct mr_err *err);
/* Copies and queues, dated TIMESTAMP_MS (0: now).  Waits while the queue is full.  MR_LIMIT: too large, nothing was
 * queued. */
MR_MUST_CHECK enum mr_status producer_send(struct producer *producer, struct mr_bytes key, struct mr_bytes value,
                                           const struct connector_header *headers, uint32_t header_count,
                                           int64_t timestamp_ms, uint32_t record, struct mr_err *err);
/* Waits until all is acknowledged.  An error is final. */
MR_MUST_CHECK enum mr_status producer_flush(struct producer *producer, struct mr_err *err);
void producer_close(struct producer *producer); /* NULL is legal; drops what was not acknowledged */

#endif

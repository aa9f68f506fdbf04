/* producer.c -- see producer_int.h.
 *
 * librdkafka retries by itself (idempotent, so in order and once) until its delivery time-out; a record that it gives
 * up is a final error of the producer, for what comes after it must not overtake it.  Delivery reports are served on
 * the query's thread, inside of send and flush. */
#include "connectors/producer_int.h"

#include "base/logging.h"
#include "connectors/kafka_int.h"

#include <librdkafka/rdkafka.h>

#include <stdio.h>
#include <string.h>

enum { PRODUCER_SERVE_EVERY = 1024, PRODUCER_SLICE_MS = 50 };

struct producer {
    const struct connector_context *ctx; /* borrowed */
    rd_kafka_t *kafka;                   /* owned */
    rd_kafka_topic_t *topic;             /* owned */
    int64_t record_bytes_max;
    connector_reject_fn *reject;
    void *reject_arg;
    uint32_t unserved;    /* records sent since delivery reports were served */
    struct mr_err failed; /* status MR_OK while all is well */
    struct connector_warner warner;
};

static void producer_on_delivery(rd_kafka_t *kafka, const rd_kafka_message_t *message, void *arg)
{
    struct producer *producer = arg;
    struct mr_err why = MR_ERR_INIT;

    MR_UNUSED(kafka);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    mr_err_set(&why, message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? MR_LIMIT : MR_IO,
               "topic '%s': a record was not written: %s", rd_kafka_topic_name(producer->topic),
               rd_kafka_err2str(message->err));
    if (message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && producer->reject != NULL)
        producer->reject(producer->reject_arg, (uint32_t)(uintptr_t)message->_private, &why);
    else if (producer->failed.status == MR_OK)
        producer->failed = why;
}

static void producer_on_error(rd_kafka_t *kafka, int code, const char *reason, void *arg)
{
    struct producer *producer = arg;
    char text[512];

    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(kafka, text, sizeof(text));

        if (producer->failed.status == MR_OK)
            mr_err_set(&producer->failed, MR_IO, "Kafka producer: %s (%s)", text, rd_kafka_err2name(fatal));
        return;
    }
    connector_warn(&producer->warner, producer->ctx, "Kafka producer: %s", reason);
}

/* Called by librdkafka's threads. */
static void producer_on_log(const rd_kafka_t *kafka, int level, const char *facility, const char *text)
{
    MR_UNUSED(kafka);
    MR_UNUSED(level);
    mr_log(MR_LOG_DEBUG, "connectors", "librdkafka %s: %s", facility, text);
}

static enum mr_status producer_set(rd_kafka_conf_t *conf, const char *name, const char *value, struct mr_err *err)
{
    char text[512];

    if (value == NULL || rd_kafka_conf_set(conf, name, value, text, sizeof(text)) == RD_KAFKA_CONF_OK)
        return MR_OK;
    return mr_err_set(err, MR_INVALID, "option 'properties.%s' = '%s': %s", name, value, text);
}

static enum mr_status producer_configure(struct producer *producer, rd_kafka_conf_t *conf, const char *bootstrap,
                                         const struct producer_options *options, struct mr_err *err)
{
    const char *id = producer->ctx->query_name != NULL ? producer->ctx->query_name : "millrace";
    char message_bytes[24];
    struct {
        const char *name, *value;
    } settings[] = {
        { "bootstrap.servers", bootstrap },
        { "client.id", id },
        { "enable.idempotence", "true" },
        { "acks", "all" },
        { "linger.ms", options->linger_ms != NULL ? options->linger_ms : "5" },
        { "batch.size", options->batch_bytes },
        { "compression.type", options->compression },
        { "message.timeout.ms", options->timeout_ms },
        { "message.max.bytes", message_bytes },
        { "queue.buffering.max.kbytes", "65536" },
        { "queue.buffering.max.messages", "500000" },
        { "socket.nagle.disable", "true" },
        { "reconnect.backoff.ms", "50" },
        { "reconnect.backoff.max.ms", "2000" },
        { "log.connection.close", "false" },
    };

    snprintf(message_bytes, sizeof(message_bytes), "%" PRId64,
             producer->record_bytes_max < 1000000 ? 1000000 : producer->record_bytes_max + PRODUCER_RECORD_OVERHEAD);
    for (size_t i = 0; i < MR_COUNT(settings); i++) {
        enum mr_status status = producer_set(conf, settings[i].name, settings[i].value, err);

        if (status != MR_OK)
            return status;
    }
    rd_kafka_conf_set_opaque(conf, producer);
    rd_kafka_conf_set_dr_msg_cb(conf, producer_on_delivery);
    rd_kafka_conf_set_error_cb(conf, producer_on_error);
    rd_kafka_conf_set_log_cb(conf, producer_on_log);
    return MR_OK;
}

/* Makes sure that the topic is there and has leaders, with messages better than a time-out later. */
static enum mr_status producer_topic_wait(const struct connector_context *ctx, const char *bootstrap, const char *topic,
                                          struct mr_err *err)
{
    struct kafka_cluster *cluster = NULL;
    enum mr_status status = kafka_cluster_new(&cluster, ctx, bootstrap, topic, err);

    if (status == MR_OK)
        status = kafka_cluster_wait(cluster, connector_clock_ms(ctx) + KAFKA_OPEN_MS, err);
    kafka_cluster_free(cluster);
    return status;
}

enum mr_status producer_open(struct producer **out, const struct connector_context *ctx, const char *bootstrap,
                             const char *topic, const struct producer_options *options, struct mr_err *err)
{
    struct producer *producer = NULL;
    rd_kafka_conf_t *conf = NULL;
    char text[512];
    enum mr_status status;

    if (bootstrap == NULL)
        bootstrap = ctx->kafka_embedded;
    if (bootstrap == NULL)
        return mr_err_set(err, MR_INVALID, "option 'properties.bootstrap.servers' is missing, and no log is embedded");
    status = producer_topic_wait(ctx, bootstrap, topic, err);
    if (status != MR_OK)
        return status;
    producer = MR_NEW(struct producer);
    producer->ctx = ctx;
    producer->reject = options->reject;
    producer->reject_arg = options->reject_arg;
    producer->record_bytes_max = options->record_bytes_max > 0 ? options->record_bytes_max : PRODUCER_RECORD_BYTES_MAX;
    conf = rd_kafka_conf_new();
    status = producer_configure(producer, conf, bootstrap, options, err);
    if (status != MR_OK)
        goto failed;
    producer->kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    if (producer->kafka == NULL) {
        status = mr_err_set(err, MR_INVALID, "Kafka producer: %s", text);
        goto failed;
    }
    conf = NULL;
    producer->topic = rd_kafka_topic_new(producer->kafka, topic, NULL);
    if (producer->topic == NULL) {
        status = mr_err_set(err, MR_INVALID, "topic '%s': %s", topic, rd_kafka_err2str(rd_kafka_last_error()));
        goto failed;
    }
    *out = producer;
    return MR_OK;
failed:
    if (conf != NULL)
        rd_kafka_conf_destroy(conf);
    producer_close(producer);
    return status;
}

void producer_close(struct producer *producer)
{
    if (producer == NULL)
        return;
    if (producer->kafka != NULL) {
        producer->reject = NULL;
        rd_kafka_purge(producer->kafka, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_poll(producer->kafka, 0);
        if (producer->topic != NULL)
            rd_kafka_topic_destroy(producer->topic);
        rd_kafka_destroy(producer->kafka);
    }
    mr_free(producer);
}

/* Serves delivery reports for at most WAIT_MS; the error that came up, if one did. */
static enum mr_status producer_serve(struct producer *producer, int wait_ms, struct mr_err *err)
{
    rd_kafka_poll(producer->kafka, wait_ms);
    producer->unserved = 0;
    if (producer->failed.status == MR_OK)
        return MR_OK;
    if (err != NULL)
        *err = producer->failed;
    return producer->failed.status;
}

static rd_kafka_resp_err_t producer_enqueue(struct producer *producer, struct mr_bytes key, struct mr_bytes value,
                                            const struct connector_header *headers, uint32_t header_count,
                                            int64_t timestamp_ms, uint32_t record)
{
    rd_kafka_headers_t *list = NULL;
    rd_kafka_resp_err_t code;

    if (header_count > 0)
        list = rd_kafka_headers_new(header_count);
    for (uint32_t i = 0; i < header_count; i++)
        rd_kafka_header_add(list, headers[i].name, -1, headers[i].value.data, (ssize_t)headers[i].value.size);
    code = rd_kafka_producev(
        producer->kafka, RD_KAFKA_V_RKT(producer->topic), RD_KAFKA_V_PARTITION(RD_KAFKA_PARTITION_UA),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY((void *)(uintptr_t)key.data, key.size),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)value.data, value.size), RD_KAFKA_V_OPAQUE((void *)(uintptr_t)record),
        RD_KAFKA_V_HEADERS(list), RD_KAFKA_V_TIMESTAMP(timestamp_ms), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && list != NULL)
        rd_kafka_headers_destroy(list);
    return code;
}

enum mr_status producer_send(struct producer *producer, struct mr_bytes key, struct mr_bytes value,
                             const struct connector_header *headers, uint32_t header_count, int64_t timestamp_ms,
                             uint32_t record, struct mr_err *err)
{
    size_t bytes = key.size + value.size;

    for (uint32_t i = 0; i < header_count; i++)
        bytes += strlen(headers[i].name) + headers[i].value.size + 10;
    if (bytes > (size_t)producer->record_bytes_max)
        return mr_err_set(err, MR_LIMIT, "topic '%s': a record of %zu bytes is larger than the %" PRId64 " allowed",
                          rd_kafka_topic_name(producer->topic), bytes, producer->record_bytes_max);
    if (++producer->unserved >= PRODUCER_SERVE_EVERY || producer->failed.status != MR_OK) {
        enum mr_status status = producer_serve(producer, 0, err);

        if (status != MR_OK)
            return status;
    }
    for (;;) {
        rd_kafka_resp_err_t code = producer_enqueue(producer, key, value, headers, header_count, timestamp_ms, record);
        enum mr_status status;

        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            return MR_OK;
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return mr_err_set(err, code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? MR_LIMIT : MR_IO, "topic '%s': %s",
                              rd_kafka_topic_name(producer->topic), rd_kafka_err2str(code));
        if (connector_stopped(producer->ctx))
            return mr_err_set(err, MR_BUSY, "stopped");
        status = producer_serve(producer, PRODUCER_SLICE_MS, err);
        if (status != MR_OK)
            return status;
    }
}

enum mr_status producer_flush(struct producer *producer, struct mr_err *err)
{
    for (;;) {
        enum mr_status status = producer_serve(producer, 0, err);

        if (status != MR_OK || rd_kafka_outq_len(producer->kafka) == 0)
            return status;
        if (connector_stopped(producer->ctx))
            return mr_err_set(err, MR_BUSY, "stopped");
        rd_kafka_flush(producer->kafka, PRODUCER_SLICE_MS);
    }
}

/* ---- the public face ---- */

struct connector_producer {
    struct producer *producer; /* owned */
};

enum mr_status connectors_producer_open(struct connector_producer **out, const struct connector_context *ctx,
                                        const char *bootstrap, const char *topic, struct mr_err *err)
{
    struct producer_options options = { 0 };
    struct producer *producer = NULL;
    enum mr_status status = producer_open(&producer, ctx, bootstrap, topic, &options, err);

    if (status != MR_OK)
        return status;
    *out = MR_NEW(struct connector_producer);
    (*out)->producer = producer;
    return MR_OK;
}

enum mr_status connectors_producer_send(struct connector_producer *producer, struct mr_bytes key, struct mr_bytes value,
                                        const struct connector_header *headers, uint32_t header_count,
                                        struct mr_err *err)
{
    return producer_send(producer->producer, key, value, headers, header_count, 0, 0, err);
}

enum mr_status connectors_producer_flush(struct connector_producer *producer, struct mr_err *err)
{
    return producer_flush(producer->producer, err);
}

void connectors_producer_close(struct connector_producer *producer)
{
    if (producer == NULL)
        return;
    producer_close(producer->producer);
    mr_free(producer);
}

/* handle_produce.c -- checks batches and gives them to the log; answers when they are on disk.
 *
 * A batch is checked as Kafka does: exactly one per partition, format v2, size, no control bit, records as many as the
 * header says, times not more than an hour ahead; CRC and sequence are the log's.  When the log has no room the request
 * stalls at that partition and goes on from there, so batches of a connection are appended in its order.
 * Cost: one walk over the records (inflating them when compressed), one CRC, one copy into the page cache. */
#include "broker/broker_int.h"

#include "base/logging.h"
#include "base/text.h"

#include <string.h>

enum {
    ACKS_ALL = -1,
    ACKS_NONE = 0,
    ACKS_LEADER = 1,
    VERSION_ZSTD = 7,
};

struct produce {
    struct broker_request *request;
    int32_t topic_index; /* where to go on */
    int32_t partition_index;
    int32_t waiting; /* batches on their way to disk */
    bool is_checked; /* the batch to go on with */
    bool all_given;  /* every batch was appended or refused */
    bool has_failed;
};

struct produce_batch {
    struct produce *produce;
    struct kafka_produce_response_partition *out;
};

static void error_set(struct kafka_produce_response_partition *out, int error)
{
    out->error_code = (int16_t)error;
    out->base_offset = -1;
    out->log_append_time_ms = -1;
    out->log_start_offset = -1;
}

static int error_of_append(enum mr_status status, enum log_append_outcome outcome)
{
    if (outcome == LOG_OUT_OF_ORDER)
        return KAFKA_ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    if (outcome == LOG_FENCED)
        return KAFKA_ERROR_INVALID_PRODUCER_EPOCH;
    switch (status) {
    case MR_OK:
        return KAFKA_ERROR_NONE;
    case MR_CORRUPT:
        return KAFKA_ERROR_CORRUPT_MESSAGE;
    case MR_INVALID:
    case MR_UNSUPPORTED:
    case MR_NEED_MORE:
        return KAFKA_ERROR_INVALID_RECORD;
    case MR_NOT_FOUND:
        return KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    case MR_DENIED:
        return KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED;
    case MR_LIMIT:
    case MR_BUSY:
    case MR_EXISTS:
        return KAFKA_ERROR_REQUEST_TIMED_OUT;
    case MR_IO:
        return KAFKA_ERROR_KAFKA_STORAGE_ERROR;
    case MR_STATUS_N:
        break;
    }
    return KAFKA_ERROR_UNKNOWN_SERVER_ERROR;
}

/* ---- checks ---- */

static int32_t message_bytes_max(const struct broker *broker, const struct log_partition *partition)
{
    const char *text = log_topic_config(log_partition_topic(partition), "max.message.bytes");
    int64_t limit;

    if (text != NULL && mr_parse_i64(mr_str_of(text), &limit) == MR_OK && limit >= 0 && limit <= INT32_MAX)
        return (int32_t)limit;
    return broker->message_bytes_max;
}

/* Names the first record that is dated too far ahead. */
static void timestamp_refuse(struct broker_request *request, const struct kafka_batch *batch, int64_t latest,
                             struct kafka_produce_response_partition *out)
{
    struct kafka_produce_response_record_error *bad =
        MR_ARENA_NEW(request->arena, struct kafka_produce_response_record_error);
    struct mr_err err = MR_ERR_INIT;
    struct kafka_record record = { .timestamp = batch->max_timestamp };
    struct kafka_records records;
    bool found = false;

    if (kafka_records_open(&records, batch, &request->broker->scratch, &err) == MR_OK)
        while (!found && kafka_records_next(&records, &record))
            found = record.timestamp > latest;
    bad->batch_index = found ? records.index - 1 : 0;
    bad->message = mr_str_of(mr_arena_printf(request->arena,
                                             "Timestamp %" PRId64 " of message with offset %d is out of range. The "
                                             "timestamp should be at most %" PRId64,
                                             record.timestamp, (int)bad->batch_index, latest));
    out->record_errors = bad;
    out->record_errors_count = 1;
    out->error_message = MR_STR("One or more records have been rejected due to invalid timestamp");
}

/* What the records themselves say: a wrong CRC explains any nonsense, so it is asked first when there is some. */
static int records_check(struct broker_request *request, const struct kafka_batch *batch)
{
    enum mr_status status = kafka_records_check(batch, &request->broker->scratch, NULL);

    if (status == MR_OK)
        return KAFKA_ERROR_NONE;
    if (kafka_batch_check(batch, NULL) != MR_OK)
        return KAFKA_ERROR_CORRUPT_MESSAGE;
    return kafka_batch_codec(batch) == KAFKA_CODEC_NONE ? KAFKA_ERROR_INVALID_RECORD : KAFKA_ERROR_UNKNOWN_SERVER_ERROR;
}

static int batch_check(struct broker_request *request, const struct log_partition *partition, struct mr_bytes records,
                       struct kafka_produce_response_partition *out)
{
    struct kafka_batch batch;
    int64_t size;
    int64_t latest = mr_now_ms(request->broker->env) + BROKER_TIMESTAMP_AHEAD_MS;
    int error;

    if (records.size < KAFKA_BATCH_HEADER_BYTES)
        return KAFKA_ERROR_INVALID_RECORD;
    size = kafka_batch_size(records);
    if (size == (int64_t)records.size && size > message_bytes_max(request->broker, partition))
        return KAFKA_ERROR_MESSAGE_TOO_LARGE;
    if (kafka_batch_parse(records, &batch, NULL) != MR_OK || batch.bytes.size != records.size)
        return KAFKA_ERROR_INVALID_RECORD;
    if (batch.attributes & KAFKA_BATCH_CONTROL)
        return KAFKA_ERROR_INVALID_RECORD;
    if (batch.attributes & KAFKA_BATCH_TRANSACTIONAL)
        return KAFKA_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    if (kafka_batch_codec(&batch) == KAFKA_CODEC_ZSTD && request->header.api_version < VERSION_ZSTD)
        return KAFKA_ERROR_UNSUPPORTED_COMPRESSION_TYPE;
    error = records_check(request, &batch);
    if (error != KAFKA_ERROR_NONE)
        return error;
    if (batch.max_timestamp > latest) {
        timestamp_refuse(request, &batch, latest, out);
        return KAFKA_ERROR_INVALID_TIMESTAMP;
    }
    return KAFKA_ERROR_NONE;
}

/* ---- appending ---- */

static void produce_finish(struct produce *produce)
{
    struct broker_request *request = produce->request;
    const struct kafka_produce_request *in = request->request;

    if (in->acks != ACKS_NONE)
        broker_request_done(request);
    else if (produce->has_failed)
        broker_request_done_close(request); /* the only way to tell a client that wants no answer */
    else
        broker_request_done_silent(request);
}

static void batch_synced(void *arg, enum mr_status status, const struct mr_err *err)
{
    struct produce_batch *batch = arg;
    struct produce *produce = batch->produce;
    struct broker_request *request = produce->request;

    produce->waiting--;
    if (status != MR_OK) {
        mr_log(MR_LOG_ERROR, "broker", "an append did not reach the disk: %s", err->text);
        error_set(batch->out, KAFKA_ERROR_KAFKA_STORAGE_ERROR);
    }
    if (!request->is_abandoned) {
        broker_conns_wake(request->broker);
        if (!request->is_done && produce->all_given && produce->waiting == 0)
            produce_finish(produce);
    }
    broker_request_unref(request);
}

static void nobody_waits(void *arg, enum mr_status status, const struct mr_err *err)
{
    MR_UNUSED(arg);
    if (status != MR_OK)
        mr_log(MR_LOG_ERROR, "broker", "an append with acks=0 did not reach the disk: %s", err->text);
}

/* False: no room now. */
static bool batch_append(struct produce *produce, struct mr_str topic, const struct kafka_produce_request_partition *in,
                         struct kafka_produce_response_partition *out)
{
    struct broker_request *request = produce->request;
    const struct kafka_produce_request *whole = request->request;
    struct log_append_result result;
    struct produce_batch *batch;
    enum mr_status status;
    int error;
    struct log_partition *partition = broker_partition_find(request->broker, topic, in->index, &error);

    if (partition != NULL && broker_topic_is_internal(topic))
        error = KAFKA_ERROR_INVALID_TOPIC_EXCEPTION;
    else if (partition != NULL && !produce->is_checked)
        error = batch_check(request, partition, in->records.bytes, out);
    produce->is_checked = false;
    if (error != KAFKA_ERROR_NONE) {
        error_set(out, error);
        return true;
    }
    batch = MR_ARENA_NEW(request->arena, struct produce_batch);
    *batch = (struct produce_batch){ produce, out };
    status = log_append(partition, in->records.bytes, &result, whole->acks == ACKS_NONE ? nobody_waits : batch_synced,
                        batch, NULL);
    if (status == MR_LIMIT) {
        produce->is_checked = true;
        return false;
    }
    if (status != MR_OK) {
        error_set(out, error_of_append(status, result.outcome));
        return true;
    }
    out->base_offset = result.base_offset;
    out->log_append_time_ms = result.append_time_ms;
    out->log_start_offset = result.log_start_offset;
    if (whole->acks != ACKS_NONE) {
        produce->waiting++;
        broker_request_ref(request);
    }
    return true;
}

/* Appends from where it stands; stalls when there is no room. */
static void produce_go_on(struct broker_request *request)
{
    struct produce *produce = request->state;
    const struct kafka_produce_request *in = request->request;
    struct kafka_produce_response *out = request->response;
    bool acks_ok = in->acks == ACKS_ALL || in->acks == ACKS_NONE || in->acks == ACKS_LEADER;

    for (; produce->topic_index < in->topics_count; produce->topic_index++, produce->partition_index = 0) {
        const struct kafka_produce_request_topic *topic = &in->topics[produce->topic_index];

        for (; produce->partition_index < topic->partitions_count; produce->partition_index++) {
            struct kafka_produce_response_partition *answer =
                &out->responses[produce->topic_index].partitions[produce->partition_index];

            if (!acks_ok)
                error_set(answer, KAFKA_ERROR_INVALID_REQUIRED_ACKS);
            else if (!batch_append(produce, topic->name, &topic->partitions[produce->partition_index], answer)) {
                broker_request_stall(request);
                return;
            }
            if (answer->error_code != KAFKA_ERROR_NONE)
                produce->has_failed = true;
        }
    }
    produce->all_given = true;
    if (produce->waiting == 0)
        produce_finish(produce);
}

void broker_handle_produce(struct broker_request *request)
{
    const struct kafka_produce_request *in = request->request;
    struct kafka_produce_response *out = request->response;
    struct produce *produce = MR_ARENA_NEW(request->arena, struct produce);

    produce->request = request;
    request->state = produce;
    request->on_room = produce_go_on;
    out->responses_count = in->topics_count;
    out->responses = MR_ARENA_ARRAY(request->arena, struct kafka_produce_response_topic, (size_t)in->topics_count);
    for (int32_t i = 0; i < in->topics_count; i++) {
        const struct kafka_produce_request_topic *topic = &in->topics[i];
        struct kafka_produce_response_topic *answer = &out->responses[i];

        answer->name = mr_arena_str(request->arena, topic->name); /* the frame is gone when the answer is written */
        answer->partitions_count = topic->partitions_count;
        answer->partitions =
            MR_ARENA_ARRAY(request->arena, struct kafka_produce_response_partition, (size_t)topic->partitions_count);
        for (int32_t j = 0; j < topic->partitions_count; j++) {
            kafka_produce_response_partition_init(&answer->partitions[j]);
            answer->partitions[j].index = topic->partitions[j].index;
        }
    }
    produce_go_on(request);
}

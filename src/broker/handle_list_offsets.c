/* handle_list_offsets.c -- offsets by position or time.  Readers of both isolation levels see the same: there are no
 * open transactions. */
#include "broker/broker_int.h"

#include "base/logging.h"

/* What a client may ask for instead of a time, and the version that brought it. */
enum {
    AT_LATEST = -1,
    AT_EARLIEST = -2,
    AT_MAX_TIME = -3,                /* 7 */
    AT_EARLIEST_LOCAL = -4,          /* 8 */
    AT_LATEST_TIERED = -5,           /* 9 */
    AT_EARLIEST_PENDING_UPLOAD = -6, /* 11 */
    VERSION_MAX_TIME = 7,
    VERSION_EARLIEST_LOCAL = 8,
    VERSION_LATEST_TIERED = 9,
    VERSION_PENDING_UPLOAD = 11,
};

static bool timestamp_is_known(int64_t timestamp, int version)
{
    if (timestamp >= AT_EARLIEST)
        return true;
    return (timestamp == AT_MAX_TIME && version >= VERSION_MAX_TIME) ||
           (timestamp == AT_EARLIEST_LOCAL && version >= VERSION_EARLIEST_LOCAL) ||
           (timestamp == AT_LATEST_TIERED && version >= VERSION_LATEST_TIERED) ||
           (timestamp == AT_EARLIEST_PENDING_UPLOAD && version >= VERSION_PENDING_UPLOAD);
}

/* The epoch that the batch at OFFSET was written in, -1 when none is known. */
static int32_t epoch_of_offset(const struct broker *broker, struct log_partition *partition, int64_t offset)
{
    int32_t low = 0;
    int32_t high = log_leader_epoch(broker->log);
    int32_t found = -1;

    while (low <= high) {
        int32_t middle = low + (high - low) / 2;
        int32_t epoch;
        int64_t end;

        if (log_epoch_end(partition, middle, &epoch, &end) != MR_OK || end <= offset) {
            low = middle + 1;
        } else {
            found = epoch;
            high = middle - 1;
        }
    }
    return found;
}

static void offset_by_time(struct broker *broker, struct log_partition *partition, int64_t timestamp,
                           struct kafka_list_offsets_response_partition *out)
{
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = timestamp == AT_MAX_TIME
                                ? log_offset_of_max_time(partition, &out->offset, &out->timestamp, &err)
                                : log_offset_by_time(partition, timestamp, &out->offset, &out->timestamp, &err);

    if (status == MR_OK) {
        out->leader_epoch = epoch_of_offset(broker, partition, out->offset);
        return;
    }
    out->offset = -1;
    out->timestamp = -1;
    if (status == MR_NOT_FOUND)
        return;
    mr_log(MR_LOG_ERROR, "broker", "looking up a time: %s", err.text);
    out->error_code = KAFKA_ERROR_KAFKA_STORAGE_ERROR;
}

static void partition_answer(struct broker *broker, struct mr_str topic, int version,
                             const struct kafka_list_offsets_request_partition *in,
                             struct kafka_list_offsets_response_partition *out)
{
    struct log_partition *partition;
    int error;

    out->index = in->index;
    partition = broker_partition_find(broker, topic, in->index, &error);
    if (partition != NULL)
        error = broker_epoch_check(broker, in->current_leader_epoch);
    if (error == KAFKA_ERROR_NONE && !timestamp_is_known(in->timestamp, version))
        error = KAFKA_ERROR_UNSUPPORTED_VERSION;
    out->error_code = (int16_t)error;
    if (error != KAFKA_ERROR_NONE)
        return;
    switch (in->timestamp) {
    case AT_LATEST:
        out->offset = log_high_watermark(partition);
        out->leader_epoch = log_leader_epoch(broker->log);
        break;
    case AT_EARLIEST:
    case AT_EARLIEST_LOCAL:
        out->offset = log_start_offset(partition);
        out->leader_epoch = epoch_of_offset(broker, partition, out->offset);
        break;
    case AT_LATEST_TIERED: /* nothing is tiered, and nothing waits for it */
    case AT_EARLIEST_PENDING_UPLOAD:
        break;
    default:
        offset_by_time(broker, partition, in->timestamp, out);
        break;
    }
}

void broker_handle_list_offsets(struct broker_request *request)
{
    const struct kafka_list_offsets_request *in = request->request;
    struct kafka_list_offsets_response *out = request->response;
    int version = request->header.api_version;

    out->topics_count = in->topics_count;
    out->topics = MR_ARENA_ARRAY(request->arena, struct kafka_list_offsets_response_topic, (size_t)in->topics_count);
    for (int32_t i = 0; i < in->topics_count; i++) {
        const struct kafka_list_offsets_request_topic *topic = &in->topics[i];
        struct kafka_list_offsets_response_topic *answer = &out->topics[i];

        answer->name = topic->name;
        answer->partitions_count = topic->partitions_count;
        answer->partitions = MR_ARENA_ARRAY(request->arena, struct kafka_list_offsets_response_partition,
                                            (size_t)topic->partitions_count);
        for (int32_t j = 0; j < topic->partitions_count; j++) {
            kafka_list_offsets_response_partition_init(&answer->partitions[j]);
            partition_answer(request->broker, topic->name, version, &topic->partitions[j], &answer->partitions[j]);
        }
    }
    broker_request_done(request);
}

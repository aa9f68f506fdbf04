/* handle_delete_records.c -- raises log start offsets; answers when they are on disk. */
#include "broker/broker_int.h"

#include "base/logging.h"

enum { TO_HIGH_WATERMARK = -1 };

struct delete_records {
    struct broker_request *request;
    int32_t waiting;
};

struct delete_partition {
    struct delete_records *all;
    struct log_partition *partition; /* dies with its topic: not looked at after a failure */
    struct kafka_delete_records_response_partition *out;
};

static void error_set(struct kafka_delete_records_response_partition *out, int error)
{
    out->error_code = (int16_t)error;
    out->low_watermark = -1;
}

static int error_of_delete(enum mr_status status)
{
    switch (status) {
    case MR_OK:
        return KAFKA_ERROR_NONE;
    case MR_LIMIT:
    case MR_INVALID:
        return KAFKA_ERROR_OFFSET_OUT_OF_RANGE;
    case MR_NOT_FOUND:
        return KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    case MR_BUSY:
        return KAFKA_ERROR_REQUEST_TIMED_OUT;
    case MR_NEED_MORE:
    case MR_EXISTS:
    case MR_DENIED:
    case MR_CORRUPT:
    case MR_UNSUPPORTED:
    case MR_IO:
    case MR_STATUS_N:
        break;
    }
    return KAFKA_ERROR_KAFKA_STORAGE_ERROR;
}

static void records_deleted(void *arg, enum mr_status status, const struct mr_err *err)
{
    struct delete_partition *deletion = arg;
    struct delete_records *all = deletion->all;
    struct broker_request *request = all->request;

    all->waiting--;
    if (status == MR_OK) {
        deletion->out->low_watermark = log_start_offset(deletion->partition);
    } else {
        mr_log(MR_LOG_ERROR, "broker", "can't delete records: %s", err->text);
        error_set(deletion->out, error_of_delete(status));
    }
    if (!request->is_abandoned && all->waiting == 0)
        broker_request_done(request);
    broker_request_unref(request);
}

/* Compaction alone decides what a compacted topic loses. */
static bool topic_allows(const struct log_topic *topic)
{
    const char *policy = log_topic_config(topic, "cleanup.policy");

    return policy == NULL || !broker_topic_list_has(policy, "compact") || broker_topic_list_has(policy, "delete");
}

static void partition_delete(struct delete_records *all, struct mr_str topic,
                             const struct kafka_delete_records_request_partition *in,
                             struct kafka_delete_records_response_partition *out)
{
    struct broker_request *request = all->request;
    struct delete_partition *deletion;
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status;
    int error;
    struct log_partition *partition = broker_partition_find(request->broker, topic, in->partition_index, &error);

    kafka_delete_records_response_partition_init(out);
    out->partition_index = in->partition_index;
    if (partition != NULL && !topic_allows(log_partition_topic(partition)))
        error = KAFKA_ERROR_POLICY_VIOLATION;
    if (error != KAFKA_ERROR_NONE) {
        error_set(out, error);
        return;
    }
    deletion = MR_ARENA_NEW(request->arena, struct delete_partition);
    *deletion = (struct delete_partition){ all, partition, out };
    status = log_delete_before(partition, in->offset == TO_HIGH_WATERMARK ? log_high_watermark(partition) : in->offset,
                               records_deleted, deletion, &err);
    if (status != MR_OK) {
        error_set(out, error_of_delete(status));
        return;
    }
    all->waiting++;
    broker_request_ref(request);
}

void broker_handle_delete_records(struct broker_request *request)
{
    const struct kafka_delete_records_request *in = request->request;
    struct kafka_delete_records_response *out = request->response;
    struct delete_records *all = MR_ARENA_NEW(request->arena, struct delete_records);

    all->request = request;
    out->topics_count = in->topics_count;
    out->topics = MR_ARENA_ARRAY(request->arena, struct kafka_delete_records_response_topic, (size_t)in->topics_count);
    for (int32_t i = 0; i < in->topics_count; i++) {
        const struct kafka_delete_records_request_topic *topic = &in->topics[i];
        struct kafka_delete_records_response_topic *answer = &out->topics[i];

        answer->name = topic->name;
        answer->partitions_count = topic->partitions_count;
        answer->partitions = MR_ARENA_ARRAY(request->arena, struct kafka_delete_records_response_partition,
                                            (size_t)topic->partitions_count);
        for (int32_t j = 0; j < topic->partitions_count; j++)
            partition_delete(all, topic->name, &topic->partitions[j], &answer->partitions[j]);
    }
    if (all->waiting == 0)
        broker_request_done(request);
}

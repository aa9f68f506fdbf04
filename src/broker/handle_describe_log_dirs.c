/* handle_describe_log_dirs.c -- the bytes of each partition in the one directory there is. */
#include "broker/broker_int.h"

static void partition_fill(const struct log_partition *partition,
                           struct kafka_describe_log_dirs_response_partition *out)
{
    kafka_describe_log_dirs_response_partition_init(out);
    out->partition_index = log_partition_index(partition);
    out->partition_size = log_partition_bytes(partition);
    out->offset_lag = log_end_offset(partition) - log_high_watermark(partition);
}

/* Those of the partitions INDEXES (NULL: all) that TOPIC has. */
static void topic_fill(struct broker_request *request, const struct log_topic *topic, const int32_t *indexes,
                       int32_t count, struct kafka_describe_log_dirs_response_result *result)
{
    struct kafka_describe_log_dirs_response_topic *out = &result->topics[result->topics_count];

    kafka_describe_log_dirs_response_topic_init(out);
    out->name = mr_arena_str(request->arena, mr_str_of(log_topic_name(topic)));
    out->partitions = MR_ARENA_ARRAY(request->arena, struct kafka_describe_log_dirs_response_partition, (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        const struct log_partition *partition = log_topic_partition(topic, indexes != NULL ? indexes[i] : i);

        if (partition != NULL)
            partition_fill(partition, &out->partitions[out->partitions_count++]);
    }
    result->topics_count += out->partitions_count > 0;
}

void broker_handle_describe_log_dirs(struct broker_request *request)
{
    const struct kafka_describe_log_dirs_request *in = request->request;
    struct kafka_describe_log_dirs_response *out = request->response;
    struct log *log = request->broker->log;
    struct kafka_describe_log_dirs_response_result *result =
        MR_ARENA_NEW(request->arena, struct kafka_describe_log_dirs_response_result);
    size_t topics_max = in->topics_count < 0 ? log_topic_count(log) : (size_t)in->topics_count;

    kafka_describe_log_dirs_response_result_init(result);
    result->log_dir = mr_arena_str(request->arena, mr_str_of(log_dir(log)));
    result->topics = MR_ARENA_ARRAY(request->arena, struct kafka_describe_log_dirs_response_topic, topics_max);
    out->results = result;
    out->results_count = 1;
    if (in->topics_count < 0) {
        for (struct log_topic *t = log_topic_next(log, NULL); t != NULL; t = log_topic_next(log, t))
            topic_fill(request, t, NULL, log_topic_partition_count(t), result);
    }
    for (int32_t i = 0; i < in->topics_count; i++) {
        const struct log_topic *topic = log_topic_find(log, in->topics[i].topic);

        if (topic != NULL)
            topic_fill(request, topic, in->topics[i].partitions, in->topics[i].partitions_count, result);
    }
    broker_request_done(request);
}

/* handle_offset_for_leader_epoch.c -- where the records of a leader epoch end, so that a consumer finds out whether the
 * tail it has read was cut.  An end is never above the high watermark: what is not synced may still go. */
#include "broker/broker_int.h"

static void end_fill(const struct broker *broker, struct log_partition *partition, int32_t epoch,
                     struct kafka_offset_for_leader_epoch_response_partition *out)
{
    int32_t current = log_leader_epoch(broker->log);
    int64_t high = log_high_watermark(partition);

    if (epoch < 0 || epoch > current)
        return; /* both stay -1: not known */
    if (epoch == current) {
        out->leader_epoch = current;
        out->end_offset = high;
        return;
    }
    if (log_epoch_end(partition, epoch, &out->leader_epoch, &out->end_offset) != MR_OK) {
        out->leader_epoch = epoch; /* older than all there is */
        out->end_offset = log_start_offset(partition);
    }
    if (out->end_offset > high)
        out->end_offset = high;
}

void broker_handle_offset_for_leader_epoch(struct broker_request *request)
{
    const struct kafka_offset_for_leader_epoch_request *in = request->request;
    struct kafka_offset_for_leader_epoch_response *out = request->response;

    out->topics_count = in->topics_count;
    out->topics =
        MR_ARENA_ARRAY(request->arena, struct kafka_offset_for_leader_epoch_response_topic, (size_t)in->topics_count);
    for (int32_t i = 0; i < in->topics_count; i++) {
        const struct kafka_offset_for_leader_epoch_request_topic *topic = &in->topics[i];
        struct kafka_offset_for_leader_epoch_response_topic *answer = &out->topics[i];

        answer->topic = topic->topic;
        answer->partitions_count = topic->partitions_count;
        answer->partitions = MR_ARENA_ARRAY(request->arena, struct kafka_offset_for_leader_epoch_response_partition,
                                            (size_t)topic->partitions_count);
        for (int32_t j = 0; j < topic->partitions_count; j++) {
            struct kafka_offset_for_leader_epoch_response_partition *p = &answer->partitions[j];
            struct log_partition *partition;
            int error;

            kafka_offset_for_leader_epoch_response_partition_init(p);
            p->partition = topic->partitions[j].partition;
            partition = broker_partition_find(request->broker, topic->topic, p->partition, &error);
            if (partition != NULL)
                error = broker_epoch_check(request->broker, topic->partitions[j].current_leader_epoch);
            p->error_code = (int16_t)error;
            if (error == KAFKA_ERROR_NONE)
                end_fill(request->broker, partition, topic->partitions[j].leader_epoch, p);
        }
    }
    broker_request_done(request);
}

/* kafka_resume.c -- the rule of resuming: is the record before a checkpoint's position still the one that was read?
 *
 * A topic that was made anew, cut or thinned by retention must stop the query: offsets are never reset silently. */
#include "connectors/kafka_int.h"

#include "kafka/errors.h"
#include "kafka/records.h"

enum { RESUME_FETCH_BYTES = 1 << 20 };

enum mr_status kafka_range_error(const char *topic, int32_t index, int64_t next, int64_t first, int64_t end,
                                 struct mr_err *err)
{
    static const char todo[] =
        "put them back, or forget the query's progress (millrace query forget) and choose with 'scan.startup.mode' "
        "where to go on";

    if (next < first)
        return mr_err_set(err, MR_NOT_FOUND,
                          "topic '%s' partition %d: %" PRId64
                          " records are missing: the query stands at offset %" PRId64
                          ", the oldest one there is %" PRId64 " (retention, or deleted); %s",
                          topic, index, first - next, next, first, todo);
    return mr_err_set(err, MR_NOT_FOUND,
                      "topic '%s' partition %d: %" PRId64 " records are missing: the query stands at offset %" PRId64
                      ", the partition ends at %" PRId64 " (cut, or the topic was made anew); %s",
                      topic, index, next - end, next, end, todo);
}

/* Looks for the record at OFFSET in BYTES. */
static enum mr_status resume_compare(const struct kafka_cluster *cluster, const struct connector_position *position,
                                     struct mr_bytes bytes, struct mr_err *err)
{
    struct kafka_scratch scratch = { 0 };
    enum mr_status status = MR_OK;
    struct kafka_batch batch;

    while (bytes.size > 0 && kafka_batch_parse(bytes, &batch, NULL) == MR_OK) {
        struct kafka_records walk;
        struct kafka_record record;

        bytes.data += batch.bytes.size;
        bytes.size -= batch.bytes.size;
        if (batch.last_offset < position->last)
            continue;
        if (batch.base_offset > position->last)
            break; /* compaction took it; there is nothing to compare */
        status = kafka_batch_check(&batch, err);
        if (status == MR_OK)
            status = kafka_records_open(&walk, &batch, &scratch, err);
        if (status != MR_OK)
            break;
        while (kafka_records_next(&walk, &record) && record.offset < position->last)
            ;
        if (record.offset == position->last && connector_checksum(record.key, record.value) != position->last_checksum)
            status =
                mr_err_set(err, MR_CORRUPT,
                           "topic '%s' partition %d: the record at offset %" PRId64 " is not the one that was read "
                           "there (the topic was made anew?); forget the query's progress (millrace query "
                           "forget) and choose with 'scan.startup.mode' where to go on",
                           cluster->topic, position->split, position->last);
        break;
    }
    kafka_scratch_deinit(&scratch);
    return status;
}

/* Fetches once from position->last on. */
static enum mr_status resume_fetch(struct kafka_cluster *cluster, const struct connector_position *position,
                                   struct mr_err *err)
{
    struct kafka_fetch_request_partition partition;
    struct kafka_fetch_response answer;
    struct kafka_node *node = NULL;
    struct mr_arena *arena;
    struct mr_reader reader;
    enum mr_status status = kafka_cluster_leader(cluster, position->split, &node, err);
    size_t frame;
    int code;

    if (status != MR_OK)
        return status;
    kafka_fetch_request_partition_init(&partition);
    partition.index = position->split;
    partition.fetch_offset = position->last;
    partition.partition_max_bytes = RESUME_FETCH_BYTES;
    frame = kafka_fetch_begin(&node->aside, cluster->topic, &partition, 1, 1000, 1, RESUME_FETCH_BYTES);
    status = kafka_conn_call(&node->aside, frame, &reader, err);
    if (status != MR_OK)
        return status;
    arena = mr_arena_new();
    if (kafka_fetch_response_read(&answer, &reader, node->aside.version_fetch, arena) != MR_OK) {
        status = mr_err_set(err, MR_IO, "Kafka gave an answer that can't be read");
        goto out;
    }
    code = answer.error_code;
    if (code == 0 && (answer.responses_count != 1 || answer.responses[0].partitions_count != 1))
        code = KAFKA_ERROR_UNKNOWN_SERVER_ERROR;
    if (code == 0)
        code = answer.responses[0].partitions[0].error_code;
    if (code != 0 && code != KAFKA_ERROR_OFFSET_OUT_OF_RANGE)
        status = mr_err_set(err, MR_IO, "topic '%s' partition %d: %s", cluster->topic, position->split,
                            kafka_error_text(code));
    else if (code == 0)
        status = resume_compare(cluster, position, answer.responses[0].partitions[0].records.bytes, err);
out:
    mr_arena_free(arena);
    return status;
}

enum mr_status kafka_resume_check(struct kafka_cluster *cluster, const struct connector_position *position,
                                  struct mr_err *err)
{
    int64_t until_ms = connector_clock_ms(cluster->ctx) + KAFKA_OPEN_MS, first = 0, end = 0;
    struct connector_backoff backoff = { .base_ms = 20, .max_ms = 1000 };
    enum mr_status status;

    status = kafka_cluster_offset(cluster, position->split, KAFKA_OFFSET_EARLIEST, until_ms, &first, err);
    if (status == MR_OK)
        status = kafka_cluster_offset(cluster, position->split, KAFKA_OFFSET_LATEST, until_ms, &end, err);
    if (status != MR_OK)
        return status;
    if (position->next < first || position->next > end)
        return kafka_range_error(cluster->topic, position->split, position->next, first, end, err);
    if (position->last < first)
        return MR_OK; /* none was read yet, or it went by retention and nothing after it is missing */
    for (;;) {
        int64_t next_ms;

        status = resume_fetch(cluster, position, err);
        if (status != MR_IO && status != MR_BUSY)
            return status;
        next_ms = connector_clock_ms(cluster->ctx) + connector_backoff_next(&backoff, cluster->ctx);
        if (connector_stopped(cluster->ctx) || next_ms >= until_ms)
            return status;
        if (connector_wait_until(cluster->ctx, next_ms) != MR_OK)
            return mr_err_set(err, MR_BUSY, "stopped");
        if (kafka_cluster_refresh(cluster, err) == MR_DENIED)
            return MR_DENIED;
    }
}

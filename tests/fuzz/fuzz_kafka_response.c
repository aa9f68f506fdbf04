/* fuzz_kafka_response.c -- any bytes as a response, as a client of ours may get from another's server: the first two
 * bytes choose the kind and the version. */
#include "kafka/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CASE(api, API)                                                                                                 \
    case KAFKA_##API: {                                                                                                \
        struct kafka_##api##_response m;                                                                               \
        if (kafka_##api##_response_read(&m, &in, version, arena) != MR_OK)                                             \
            break;                                                                                                     \
        kafka_##api##_response_write(&m, &out, version);                                                               \
        in = mr_reader_of(mr_writer_bytes(&out));                                                                      \
        assert(kafka_##api##_response_read(&m, &in, version, arena) == MR_OK);                                         \
        break;                                                                                                         \
    }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_reader in = mr_reader_of((struct mr_bytes){ data, size });
    struct mr_arena *arena = mr_arena_new();
    struct mr_writer out = { 0 };
    size_t count;
    const struct kafka_api *api = kafka_apis(&count);
    int16_t version;
    int32_t correlation;

    api += mr_read_u8(&in) % count;
    version = (int16_t)(api->version_min + mr_read_u8(&in) % (api->version_max - api->version_min + 1));
    if (kafka_response_header_read(&in, api->key, version, &correlation) != MR_OK)
        goto out;
    switch ((enum kafka_api_key)api->key) {
        CASE(alter_configs, ALTER_CONFIGS)
        CASE(api_versions, API_VERSIONS)
        CASE(create_partitions, CREATE_PARTITIONS)
        CASE(create_topics, CREATE_TOPICS)
        CASE(delete_groups, DELETE_GROUPS)
        CASE(delete_records, DELETE_RECORDS)
        CASE(delete_topics, DELETE_TOPICS)
        CASE(describe_cluster, DESCRIBE_CLUSTER)
        CASE(describe_configs, DESCRIBE_CONFIGS)
        CASE(describe_groups, DESCRIBE_GROUPS)
        CASE(describe_log_dirs, DESCRIBE_LOG_DIRS)
        CASE(describe_topic_partitions, DESCRIBE_TOPIC_PARTITIONS)
        CASE(fetch, FETCH)
        CASE(find_coordinator, FIND_COORDINATOR)
        CASE(heartbeat, HEARTBEAT)
        CASE(incremental_alter_configs, INCREMENTAL_ALTER_CONFIGS)
        CASE(init_producer_id, INIT_PRODUCER_ID)
        CASE(join_group, JOIN_GROUP)
        CASE(leave_group, LEAVE_GROUP)
        CASE(list_groups, LIST_GROUPS)
        CASE(list_offsets, LIST_OFFSETS)
        CASE(metadata, METADATA)
        CASE(offset_commit, OFFSET_COMMIT)
        CASE(offset_delete, OFFSET_DELETE)
        CASE(offset_fetch, OFFSET_FETCH)
        CASE(offset_for_leader_epoch, OFFSET_FOR_LEADER_EPOCH)
        CASE(produce, PRODUCE)
        CASE(sync_group, SYNC_GROUP)
    }
out:
    mr_writer_deinit(&out);
    mr_arena_free(arena);
    return 0;
}

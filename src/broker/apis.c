/* apis.c -- the table of what is served, and the way from a frame to its handler.  ApiVersions answers from the table.
 */
#include "broker/broker_int.h"

/* The generated functions behind untyped pointers, which the table needs. */
#define ADAPTER(api)                                                                                                   \
    static enum mr_status api##_read(void *m, struct mr_reader *in, int version, struct mr_arena *arena)               \
    {                                                                                                                  \
        return kafka_##api##_request_read(m, in, version, arena);                                                      \
    }                                                                                                                  \
    static void api##_init(void *m)                                                                                    \
    {                                                                                                                  \
        kafka_##api##_response_init(m);                                                                                \
    }                                                                                                                  \
    static void api##_write(const void *m, struct mr_writer *out, int version)                                         \
    {                                                                                                                  \
        kafka_##api##_response_write(m, out, version);                                                                 \
    }
ADAPTER(alter_configs)
ADAPTER(api_versions)
ADAPTER(create_partitions)
ADAPTER(create_topics)
ADAPTER(delete_groups)
ADAPTER(delete_records)
ADAPTER(delete_topics)
ADAPTER(describe_cluster)
ADAPTER(describe_configs)
ADAPTER(describe_groups)
ADAPTER(describe_log_dirs)
ADAPTER(describe_topic_partitions)
ADAPTER(fetch)
ADAPTER(find_coordinator)
ADAPTER(heartbeat)
ADAPTER(incremental_alter_configs)
ADAPTER(init_producer_id)
ADAPTER(join_group)
ADAPTER(leave_group)
ADAPTER(list_groups)
ADAPTER(list_offsets)
ADAPTER(metadata)
ADAPTER(offset_commit)
ADAPTER(offset_delete)
ADAPTER(offset_fetch)
ADAPTER(offset_for_leader_epoch)
ADAPTER(produce)
ADAPTER(sync_group)
#undef ADAPTER

#define CALLS(api)                                                                                                     \
    sizeof(struct kafka_##api##_request), sizeof(struct kafka_##api##_response), api##_read, api##_init, api##_write,  \
        broker_handle_##api

/* Produce 0-2 are listed since librdkafka stops compressing without them; formats v0 and v1 never arrive.  Produce 12
 * and newer would imply transactions of version 2. */
static const struct broker_api apis[] = {
    /* key                  min max closing keeps frame */
    { KAFKA_PRODUCE, 0, 11, 2, true, CALLS(produce) },
    { KAFKA_FETCH, 4, 18, -1, false, CALLS(fetch) },
    { KAFKA_LIST_OFFSETS, 1, 11, -1, false, CALLS(list_offsets) },
    { KAFKA_METADATA, 0, 13, -1, false, CALLS(metadata) },
    { KAFKA_OFFSET_COMMIT, 2, 10, -1, false, CALLS(offset_commit) },
    { KAFKA_OFFSET_FETCH, 1, 10, -1, false, CALLS(offset_fetch) },
    { KAFKA_FIND_COORDINATOR, 0, 6, -1, false, CALLS(find_coordinator) },
    { KAFKA_JOIN_GROUP, 0, 9, -1, false, CALLS(join_group) },
    { KAFKA_HEARTBEAT, 0, 4, -1, false, CALLS(heartbeat) },
    { KAFKA_LEAVE_GROUP, 0, 5, -1, false, CALLS(leave_group) },
    { KAFKA_SYNC_GROUP, 0, 5, -1, false, CALLS(sync_group) },
    { KAFKA_DESCRIBE_GROUPS, 0, 6, -1, false, CALLS(describe_groups) },
    { KAFKA_LIST_GROUPS, 0, 5, -1, false, CALLS(list_groups) },
    { KAFKA_API_VERSIONS, 0, 4, -1, false, CALLS(api_versions) },
    { KAFKA_CREATE_TOPICS, 2, 7, -1, false, CALLS(create_topics) },
    { KAFKA_DELETE_TOPICS, 1, 6, -1, false, CALLS(delete_topics) },
    { KAFKA_DELETE_RECORDS, 0, 2, -1, false, CALLS(delete_records) },
    { KAFKA_INIT_PRODUCER_ID, 0, 5, -1, false, CALLS(init_producer_id) },
    { KAFKA_OFFSET_FOR_LEADER_EPOCH, 2, 4, -1, false, CALLS(offset_for_leader_epoch) },
    { KAFKA_DESCRIBE_CONFIGS, 1, 4, -1, false, CALLS(describe_configs) },
    { KAFKA_ALTER_CONFIGS, 0, 2, -1, false, CALLS(alter_configs) },
    { KAFKA_DESCRIBE_LOG_DIRS, 1, 5, -1, false, CALLS(describe_log_dirs) },
    { KAFKA_CREATE_PARTITIONS, 0, 3, -1, false, CALLS(create_partitions) },
    { KAFKA_INCREMENTAL_ALTER_CONFIGS, 0, 1, -1, false, CALLS(incremental_alter_configs) },
    { KAFKA_DESCRIBE_CLUSTER, 0, 2, -1, false, CALLS(describe_cluster) },
    { KAFKA_DESCRIBE_TOPIC_PARTITIONS, 0, 0, -1, false, CALLS(describe_topic_partitions) },
    { KAFKA_DELETE_GROUPS, 0, 2, -1, false, CALLS(delete_groups) },
    { KAFKA_OFFSET_DELETE, 0, 0, -1, false, CALLS(offset_delete) },
};
#undef CALLS

const struct broker_api *broker_apis(size_t *count)
{
    *count = MR_COUNT(apis);
    return apis;
}

static const struct broker_api *api_find(int16_t key)
{
    for (size_t i = 0; i < MR_COUNT(apis); i++)
        if (apis[i].key == key)
            return &apis[i];
    return NULL;
}

/* ApiVersions in a version that is not served is answered all the same, in version 0: so the client learns which are.
 */
static void request_prepare(struct broker_request *request)
{
    const struct broker_api *api = request->api;

    request->request = mr_arena_calloc(request->arena, 1, api->request_bytes);
    request->response = mr_arena_calloc(request->arena, 1, api->response_bytes);
    api->init(request->response);
}

enum broker_dispatch broker_dispatch(struct broker_request *request, struct mr_bytes frame)
{
    struct mr_reader in = mr_reader_of(frame);
    const struct broker_api *api;
    int version;

    if (kafka_request_header_read(&request->header, &in) != MR_OK)
        return BROKER_CLOSE;
    api = api_find(request->header.api_key);
    if (api == NULL)
        return BROKER_CLOSE;
    version = request->header.api_version;
    request->api = api;
    if (version < api->version_min || version > api->version_max) {
        if (api->key != KAFKA_API_VERSIONS || version < 0)
            return BROKER_CLOSE;
        request_prepare(request);
        api->handle(request);
        return BROKER_DISPATCHED;
    }
    if (version <= api->version_closing_max)
        return BROKER_CLOSE;
    mr_metric_add(request->broker->requests[api - apis], 1);
    request_prepare(request);
    if (!api->keeps_frame)
        in = mr_reader_of(mr_arena_bytes(request->arena, (struct mr_bytes){ in.at, mr_reader_left(&in) }));
    if (api->read(request->request, &in, version, request->arena) != MR_OK)
        return BROKER_CLOSE;
    api->handle(request);
    return BROKER_DISPATCHED;
}

/* kafka_group_call.c -- the requests to a group's coordinator, each waited for on the group's thread. */
#include "connectors/kafka_group_int.h"

#include "kafka/errors.h"

#include <string.h>

/* A connection to any server of the cluster. */
static enum mr_status any_open(struct kafka_group_call *call, struct kafka_conn *conn, struct mr_err *err)
{
    enum mr_status status = MR_IO;

    for (int i = 0; i < call->bootstrap_count; i++) {
        int at = call->bootstrap_next++ % call->bootstrap_count;
        kafka_conn_init(conn, &call->ctx, call->client_id, &call->bootstrap[at]);
        status = kafka_conn_open(conn, err);
        if (status == MR_OK || status == MR_BUSY)
            break;
        kafka_conn_deinit(conn);
    }
    return status;
}

static enum mr_status version_check(const struct kafka_conn *conn, enum kafka_group_api api, struct mr_err *err)
{
    if (conn->version_group[api] >= 0)
        return MR_OK;
    return mr_err_set(err, MR_UNSUPPORTED, "Kafka at %s:%u does not coordinate groups", conn->address.host,
                      conn->address.port);
}

static enum mr_status answer_bad(struct kafka_conn *conn, const char *what, struct mr_err *err)
{
    kafka_conn_close(conn);
    return mr_err_set(err, MR_IO, "Kafka at %s:%u gave an answer to %s that can't be read", conn->address.host,
                      conn->address.port, what);
}

enum mr_status kafka_group_find(struct kafka_group_call *call, int *code, struct mr_err *err)
{
    struct kafka_find_coordinator_request request;
    struct kafka_find_coordinator_response answer;
    struct connector_address address;
    struct kafka_conn conn;
    struct mr_reader reader;
    enum mr_status status;
    int version;
    size_t frame;

    *code = 0;
    if (call->conn.fd >= 0)
        return MR_OK;
    status = any_open(call, &conn, err);
    if (status != MR_OK)
        return status;
    status = version_check(&conn, KAFKA_GROUP_FIND, err);
    if (status != MR_OK)
        goto out;
    version = conn.version_group[KAFKA_GROUP_FIND];
    frame = kafka_conn_begin(&conn, KAFKA_FIND_COORDINATOR, (int16_t)version);
    kafka_find_coordinator_request_init(&request);
    request.key = mr_str_of(call->group_id);
    kafka_find_coordinator_request_write(&request, &conn.out, version);
    status = kafka_conn_call(&conn, frame, &reader, err);
    if (status != MR_OK)
        goto out;
    mr_arena_reset(call->arena);
    if (kafka_find_coordinator_response_read(&answer, &reader, version, call->arena) != MR_OK) {
        status = answer_bad(&conn, "FindCoordinator", err);
        goto out;
    }
    *code = answer.error_code;
    if (answer.error_code != 0)
        goto out;
    if (answer.host.size == 0 || answer.host.size >= sizeof(address.host) || answer.port < 1 || answer.port > 65535) {
        status = answer_bad(&conn, "FindCoordinator", err);
        goto out;
    }
    memset(&address, 0, sizeof(address));
    memcpy(address.host, answer.host.data, answer.host.size);
    address.port = (uint16_t)answer.port;
    kafka_conn_deinit(&call->conn);
    kafka_conn_init(&call->conn, &call->ctx, call->client_id, &address);
    status = kafka_conn_open(&call->conn, err);
out:
    kafka_conn_deinit(&conn);
    return status;
}

/* As kafka_conn_call, with a limit of its own. */
static enum mr_status call_wait(struct kafka_group_call *call, size_t frame, int64_t wait_ms, struct mr_reader *reader,
                                struct mr_err *err)
{
    struct kafka_conn *conn = &call->conn;
    enum mr_status status = kafka_conn_send(conn, frame, err);

    if (status != MR_OK)
        return status;
    conn->in.size = 0;
    status = kafka_conn_receive(conn, connector_clock_ms(&call->ctx) + wait_ms, err);
    if (status == MR_NEED_MORE)
        status = mr_err_set(err, MR_IO, "Kafka at %s:%u does not answer", conn->address.host, conn->address.port);
    if (status == MR_OK)
        status = kafka_conn_answer(conn, mr_writer_bytes(&conn->in), reader, err);
    if (status != MR_OK)
        kafka_conn_close(conn);
    mr_arena_reset(call->arena);
    return status;
}

static void member_id_take(struct kafka_group_call *call, struct mr_str id)
{
    mr_free(call->member_id);
    call->member_id = mr_str_dup(id.data != NULL ? id : MR_STR(""));
}

static struct mr_str instance_of(const struct kafka_group_call *call)
{
    return call->instance_id != NULL ? mr_str_of(call->instance_id) : MR_STR_NULL;
}

enum mr_status kafka_group_join(struct kafka_group_call *call, int *code, bool *leader,
                                struct kafka_group_member **members, int32_t *member_count, struct mr_err *err)
{
    struct kafka_join_group_request_protocol protocol;
    struct kafka_join_group_request request;
    struct kafka_join_group_response answer;
    struct mr_writer subscription = { 0 };
    struct mr_reader reader;
    enum mr_status status = version_check(&call->conn, KAFKA_GROUP_JOIN, err);
    int version = call->conn.version_group[KAFKA_GROUP_JOIN];
    size_t frame;

    if (status != MR_OK)
        return status;
    frame = kafka_conn_begin(&call->conn, KAFKA_JOIN_GROUP, (int16_t)version);
    kafka_join_group_request_init(&request);
    kafka_join_group_request_protocol_init(&protocol);
    kafka_group_subscription_write(&subscription, mr_str_of(call->topic));
    protocol.name = MR_STR("range");
    protocol.metadata = mr_writer_bytes(&subscription);
    request.group_id = mr_str_of(call->group_id);
    request.session_timeout_ms = (int32_t)call->session_ms;
    request.rebalance_timeout_ms = KAFKA_GROUP_REBALANCE_MS;
    request.member_id = mr_str_of(call->member_id);
    request.group_instance_id = instance_of(call);
    request.protocol_type = MR_STR("consumer");
    request.protocols = &protocol;
    request.protocols_count = 1;
    kafka_join_group_request_write(&request, &call->conn.out, version);
    mr_writer_deinit(&subscription);
    status = call_wait(call, frame, KAFKA_GROUP_REBALANCE_MS + KAFKA_CALL_MS, &reader, err);
    if (status != MR_OK)
        return status;
    if (kafka_join_group_response_read(&answer, &reader, version, call->arena) != MR_OK)
        return answer_bad(&call->conn, "JoinGroup", err);
    *code = answer.error_code;
    if (*code == 0 || *code == KAFKA_ERROR_MEMBER_ID_REQUIRED)
        member_id_take(call, answer.member_id);
    if (*code != 0)
        return MR_OK;
    call->generation = answer.generation_id;
    *leader = mr_str_equal(answer.leader, answer.member_id);
    *members = MR_ARENA_ARRAY(call->arena, struct kafka_group_member, (size_t)answer.members_count + 1);
    *member_count = *leader ? answer.members_count : 0;
    for (int32_t i = 0; i < *member_count; i++) {
        (*members)[i].id = mr_arena_str(call->arena, answer.members[i].member_id);
        if (kafka_group_subscription_read(&(*members)[i], answer.members[i].metadata, call->arena) != MR_OK)
            (*members)[i].topic_count = 0; /* it gets nothing */
    }
    return MR_OK;
}

static bool topic_known(const struct kafka_metadata_request_topic *topics, int32_t count, struct mr_str name)
{
    for (int32_t i = 0; i < count; i++) {
        if (mr_str_equal(topics[i].name, name))
            return true;
    }
    return false;
}

/* The arena has the members' names: this call must not reset it. */
enum mr_status kafka_group_topics(struct kafka_group_call *call, const struct kafka_group_member *members,
                                  int32_t member_count, struct kafka_group_topic **out, int32_t *count,
                                  struct mr_err *err)
{
    struct kafka_conn *conn = &call->conn;
    struct kafka_metadata_request_topic *topics;
    struct kafka_metadata_request request;
    struct kafka_metadata_response answer;
    struct mr_reader reader;
    int32_t wanted = 0, asked = 0;
    enum mr_status status;
    size_t frame;

    for (int32_t m = 0; m < member_count; m++)
        wanted += members[m].topic_count;
    topics = MR_ARENA_ARRAY(call->arena, struct kafka_metadata_request_topic, (size_t)wanted + 1);
    for (int32_t m = 0; m < member_count; m++) {
        for (int32_t t = 0; t < members[m].topic_count; t++) {
            if (topic_known(topics, asked, members[m].topics[t]))
                continue;
            kafka_metadata_request_topic_init(&topics[asked]);
            topics[asked++].name = members[m].topics[t];
        }
    }
    frame = kafka_conn_begin(conn, KAFKA_METADATA, conn->version_metadata);
    kafka_metadata_request_init(&request);
    request.topics = topics;
    request.topics_count = asked;
    kafka_metadata_request_write(&request, &conn->out, conn->version_metadata);
    status = kafka_conn_call(conn, frame, &reader, err);
    if (status != MR_OK)
        return status;
    if (kafka_metadata_response_read(&answer, &reader, conn->version_metadata, call->arena) != MR_OK)
        return answer_bad(conn, "Metadata", err);
    *out = MR_ARENA_ARRAY(call->arena, struct kafka_group_topic, (size_t)answer.topics_count + 1);
    *count = 0;
    for (int32_t i = 0; i < answer.topics_count; i++) {
        if (answer.topics[i].partitions_count <= 0)
            continue;
        (*out)[*count].name = mr_arena_str(call->arena, answer.topics[i].name);
        (*out)[(*count)++].partition_count = answer.topics[i].partitions_count;
    }
    return MR_OK;
}

enum mr_status kafka_group_sync(struct kafka_group_call *call, struct kafka_group_member *members, int32_t member_count,
                                int *code, int32_t **partitions, int32_t *count, struct mr_err *err)
{
    struct kafka_sync_group_request_assignment *assignments;
    struct kafka_sync_group_request request;
    struct kafka_sync_group_response answer;
    struct mr_reader reader;
    enum mr_status status = version_check(&call->conn, KAFKA_GROUP_SYNC, err);
    int version = call->conn.version_group[KAFKA_GROUP_SYNC];
    size_t frame;

    if (status != MR_OK)
        return status;
    frame = kafka_conn_begin(&call->conn, KAFKA_SYNC_GROUP, (int16_t)version);
    kafka_sync_group_request_init(&request);
    assignments = MR_ARENA_ARRAY(call->arena, struct kafka_sync_group_request_assignment, (size_t)member_count + 1);
    for (int32_t i = 0; i < member_count; i++) {
        kafka_sync_group_request_assignment_init(&assignments[i]);
        assignments[i].member_id = members[i].id;
        assignments[i].assignment = mr_writer_bytes(&members[i].assignment);
    }
    request.group_id = mr_str_of(call->group_id);
    request.generation_id = call->generation;
    request.member_id = mr_str_of(call->member_id);
    request.group_instance_id = instance_of(call);
    request.assignments = assignments;
    request.assignments_count = member_count;
    kafka_sync_group_request_write(&request, &call->conn.out, version);
    for (int32_t i = 0; i < member_count; i++) /* now: the answer takes the arena */
        mr_writer_deinit(&members[i].assignment);
    status = call_wait(call, frame, KAFKA_GROUP_REBALANCE_MS + KAFKA_CALL_MS, &reader, err);
    if (status != MR_OK)
        return status;
    if (kafka_sync_group_response_read(&answer, &reader, version, call->arena) != MR_OK)
        return answer_bad(&call->conn, "SyncGroup", err);
    *code = answer.error_code;
    if (*code == 0 &&
        kafka_group_assignment_read(answer.assignment, mr_str_of(call->topic), call->arena, partitions, count) != MR_OK)
        return answer_bad(&call->conn, "SyncGroup", err);
    return MR_OK;
}

enum mr_status kafka_group_heartbeat(struct kafka_group_call *call, int *code, struct mr_err *err)
{
    struct kafka_heartbeat_request request;
    struct kafka_heartbeat_response answer;
    struct mr_reader reader;
    enum mr_status status = version_check(&call->conn, KAFKA_GROUP_HEARTBEAT, err);
    int version = call->conn.version_group[KAFKA_GROUP_HEARTBEAT];
    size_t frame;

    if (status != MR_OK)
        return status;
    frame = kafka_conn_begin(&call->conn, KAFKA_HEARTBEAT, (int16_t)version);
    kafka_heartbeat_request_init(&request);
    request.group_id = mr_str_of(call->group_id);
    request.generation_id = call->generation;
    request.member_id = mr_str_of(call->member_id);
    request.group_instance_id = instance_of(call);
    kafka_heartbeat_request_write(&request, &call->conn.out, version);
    status = call_wait(call, frame, KAFKA_CALL_MS, &reader, err);
    if (status != MR_OK)
        return status;
    if (kafka_heartbeat_response_read(&answer, &reader, version, call->arena) != MR_OK)
        return answer_bad(&call->conn, "Heartbeat", err);
    *code = answer.error_code;
    return MR_OK;
}

enum mr_status kafka_group_offsets_fetch(struct kafka_group_call *call, int *code, const int32_t *partitions,
                                         int32_t count, struct kafka_group_offset *offsets, struct mr_err *err)
{
    struct kafka_offset_fetch_request_topic topic;
    struct kafka_offset_fetch_request request;
    struct kafka_offset_fetch_response answer;
    struct mr_reader reader;
    enum mr_status status = version_check(&call->conn, KAFKA_GROUP_OFFSET_FETCH, err);
    int version = call->conn.version_group[KAFKA_GROUP_OFFSET_FETCH];
    size_t frame;

    if (status != MR_OK)
        return status;
    for (int32_t i = 0; i < count; i++)
        offsets[i] = (struct kafka_group_offset){ .partition = partitions[i], .next = -1, .last = -1 };
    frame = kafka_conn_begin(&call->conn, KAFKA_OFFSET_FETCH, (int16_t)version);
    kafka_offset_fetch_request_init(&request);
    kafka_offset_fetch_request_topic_init(&topic);
    topic.name = mr_str_of(call->topic);
    topic.partition_indexes = (int32_t *)partitions;
    topic.partition_indexes_count = count;
    request.group_id = mr_str_of(call->group_id);
    request.topics = &topic;
    request.topics_count = 1;
    kafka_offset_fetch_request_write(&request, &call->conn.out, version);
    status = call_wait(call, frame, KAFKA_CALL_MS, &reader, err);
    if (status != MR_OK)
        return status;
    if (kafka_offset_fetch_response_read(&answer, &reader, version, call->arena) != MR_OK)
        return answer_bad(&call->conn, "OffsetFetch", err);
    *code = answer.error_code;
    for (int32_t t = 0; t < answer.topics_count; t++) {
        for (int32_t p = 0; p < answer.topics[t].partitions_count; p++) {
            const struct kafka_offset_fetch_response_partition *one = &answer.topics[t].partitions[p];
            if (one->error_code != 0)
                *code = one->error_code;
            for (int32_t i = 0; i < count; i++) {
                if (offsets[i].partition != one->partition_index)
                    continue;
                offsets[i].next = one->committed_offset;
                kafka_group_metadata_parse(one->metadata, &offsets[i]);
            }
        }
    }
    return MR_OK;
}

enum mr_status kafka_group_offsets_commit(struct kafka_group_call *call, int *code,
                                          const struct kafka_group_offset *offsets, uint32_t count, struct mr_err *err)
{
    struct kafka_offset_commit_request_partition *partitions;
    struct kafka_offset_commit_request_topic topic;
    struct kafka_offset_commit_request request;
    struct kafka_offset_commit_response answer;
    struct mr_reader reader;
    enum mr_status status = version_check(&call->conn, KAFKA_GROUP_OFFSET_COMMIT, err);
    int version = call->conn.version_group[KAFKA_GROUP_OFFSET_COMMIT];
    size_t frame;

    if (status != MR_OK)
        return status;
    mr_arena_reset(call->arena);
    partitions = MR_ARENA_ARRAY(call->arena, struct kafka_offset_commit_request_partition, (size_t)count + 1);
    for (uint32_t i = 0; i < count; i++) {
        char *metadata = mr_arena_alloc(call->arena, KAFKA_GROUP_METADATA_BYTES);
        kafka_offset_commit_request_partition_init(&partitions[i]);
        kafka_group_metadata_format(metadata, &offsets[i]);
        partitions[i].partition_index = offsets[i].partition;
        partitions[i].committed_offset = offsets[i].next;
        partitions[i].committed_metadata = mr_str_of(metadata);
    }
    frame = kafka_conn_begin(&call->conn, KAFKA_OFFSET_COMMIT, (int16_t)version);
    kafka_offset_commit_request_init(&request);
    kafka_offset_commit_request_topic_init(&topic);
    topic.name = mr_str_of(call->topic);
    topic.partitions = partitions;
    topic.partitions_count = (int32_t)count;
    request.group_id = mr_str_of(call->group_id);
    request.generation_id_or_member_epoch = call->generation;
    request.member_id = mr_str_of(call->member_id);
    request.group_instance_id = instance_of(call);
    request.topics = &topic;
    request.topics_count = 1;
    kafka_offset_commit_request_write(&request, &call->conn.out, version);
    status = call_wait(call, frame, KAFKA_CALL_MS, &reader, err);
    if (status != MR_OK)
        return status;
    if (kafka_offset_commit_response_read(&answer, &reader, version, call->arena) != MR_OK)
        return answer_bad(&call->conn, "OffsetCommit", err);
    *code = 0;
    for (int32_t t = 0; t < answer.topics_count; t++) {
        for (int32_t p = 0; p < answer.topics[t].partitions_count; p++) {
            if (answer.topics[t].partitions[p].error_code != 0)
                *code = answer.topics[t].partitions[p].error_code;
        }
    }
    return MR_OK;
}

void kafka_group_leave(struct kafka_group_call *call)
{
    struct kafka_leave_group_request_member member;
    struct kafka_leave_group_request request;
    struct mr_err ignored = MR_ERR_INIT;
    struct mr_reader reader;
    int version = call->conn.version_group[KAFKA_GROUP_LEAVE];
    size_t frame;

    if (call->conn.fd < 0 || version < 0 || call->member_id[0] == '\0')
        return;
    frame = kafka_conn_begin(&call->conn, KAFKA_LEAVE_GROUP, (int16_t)version);
    kafka_leave_group_request_init(&request);
    kafka_leave_group_request_member_init(&member);
    request.group_id = mr_str_of(call->group_id);
    request.member_id = mr_str_of(call->member_id);
    member.member_id = mr_str_of(call->member_id);
    member.group_instance_id = instance_of(call);
    request.members = &member;
    request.members_count = 1;
    kafka_leave_group_request_write(&request, &call->conn.out, version);
    if (call_wait(call, frame, KAFKA_CALL_MS, &reader, &ignored) != MR_OK)
        kafka_conn_close(&call->conn);
}

/* kafka_cluster.c -- what a cluster says of one topic: its partitions, their leaders, their offsets.
 *
 * Whoever answered last is asked first; when the connection breaks, the bootstrap servers and then the brokers known so
 * far are tried in turn.  A node, once known, stays (its address may change), so that pointers to it hold. */
#include "connectors/kafka_int.h"

#include "kafka/errors.h"

#include <stdio.h>
#include <string.h>

enum mr_status kafka_cluster_new(struct kafka_cluster **out, const struct connector_context *ctx, const char *bootstrap,
                                 const char *topic, struct mr_err *err)
{
    struct kafka_cluster *cluster = MR_NEW(struct kafka_cluster);
    enum mr_status status;

    status = connector_addresses_parse(bootstrap, KAFKA_PORT, "'properties.bootstrap.servers'", cluster->bootstrap,
                                       &cluster->bootstrap_count, err);
    if (status == MR_OK)
        status = kafka_topic_name_check(mr_str_of(topic), err);
    if (status != MR_OK) {
        mr_free(cluster);
        return status;
    }
    cluster->ctx = ctx;
    cluster->topic = topic;
    cluster->client_id = mr_strdup(ctx->query_name != NULL ? ctx->query_name : "millrace");
    kafka_conn_init(&cluster->control, ctx, cluster->client_id, &cluster->bootstrap[0]);
    *out = cluster;
    return MR_OK;
}

void kafka_cluster_free(struct kafka_cluster *cluster)
{
    if (cluster == NULL)
        return;
    kafka_conn_deinit(&cluster->control);
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        kafka_conn_deinit(&cluster->nodes[i]->aside);
        mr_free(cluster->nodes[i]);
    }
    mr_free(cluster->nodes);
    mr_free(cluster->partitions);
    mr_free(cluster->client_id);
    mr_free(cluster);
}

struct kafka_node *kafka_cluster_node(const struct kafka_cluster *cluster, int32_t id)
{
    for (uint32_t i = 0; i < cluster->node_count; i++)
        if (cluster->nodes[i]->id == id)
            return cluster->nodes[i];
    return NULL;
}

/* Opens the control connection to whoever can be reached. */
static enum mr_status cluster_control_open(struct kafka_cluster *cluster, struct mr_err *err)
{
    int candidates = cluster->bootstrap_count + (int)cluster->node_count;
    enum mr_status status = MR_IO;

    if (cluster->control.fd >= 0)
        return MR_OK;
    for (int tries = 0; tries < candidates; tries++) {
        int at = cluster->bootstrap_next++ % candidates;

        cluster->control.address = at < cluster->bootstrap_count
                                       ? cluster->bootstrap[at]
                                       : cluster->nodes[at - cluster->bootstrap_count]->aside.address;
        status = kafka_conn_open(&cluster->control, err);
        if (status == MR_OK || status == MR_BUSY)
            return status;
    }
    return status;
}

static void cluster_nodes_take(struct kafka_cluster *cluster, const struct kafka_metadata_response *answer)
{
    for (int32_t i = 0; i < answer->brokers_count; i++) {
        const struct kafka_metadata_response_broker *broker = &answer->brokers[i];
        struct kafka_node *node = kafka_cluster_node(cluster, broker->node_id);
        struct connector_address address = { .port = (uint16_t)broker->port };

        if (broker->host.size == 0 || broker->host.size >= sizeof(address.host) || broker->port < 1 ||
            broker->port > 65535)
            continue;
        memcpy(address.host, broker->host.data, broker->host.size);
        if (node == NULL) {
            if (cluster->node_count == KAFKA_NODES_MAX)
                return;
            MR_GROW(cluster->nodes, cluster->node_count, cluster->node_capacity);
            node = cluster->nodes[cluster->node_count++] = MR_NEW(struct kafka_node);
            node->id = broker->node_id;
            kafka_conn_init(&node->aside, cluster->ctx, cluster->client_id, &address);
        } else if (strcmp(node->aside.address.host, address.host) != 0 || node->aside.address.port != address.port) {
            kafka_conn_close(&node->aside);
            node->aside.address = address;
        }
    }
}

static enum mr_status cluster_topic_error(const struct kafka_cluster *cluster, int code, struct mr_err *err)
{
    switch (code) {
    case KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION:
        return mr_err_set(err, MR_NOT_FOUND, "topic '%s' does not exist at %s:%u and is not made on request; create it",
                          cluster->topic, cluster->control.address.host, cluster->control.address.port);
    case KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED:
        return mr_err_set(err, MR_DENIED, "topic '%s': not allowed to read it", cluster->topic);
    case KAFKA_ERROR_INVALID_TOPIC_EXCEPTION:
        return mr_err_set(err, MR_INVALID, "topic '%s': %s", cluster->topic, kafka_error_text(code));
    default:
        return mr_err_set(err, MR_BUSY, "topic '%s': %s", cluster->topic, kafka_error_text(code));
    }
}

/* Takes over the partitions; MR_BUSY when one has no leader (the others are taken all the same). */
static enum mr_status cluster_partitions_take(struct kafka_cluster *cluster,
                                              const struct kafka_metadata_response_topic *topic, struct mr_err *err)
{
    uint32_t count = (uint32_t)topic->partitions_count;
    enum mr_status status = MR_OK;

    if (topic->partitions_count <= 0 || count > KAFKA_PARTITIONS_MAX)
        return mr_err_set(err, MR_BUSY, "topic '%s' has %d partitions", cluster->topic, topic->partitions_count);
    if (count > cluster->partition_count) {
        cluster->partitions = mr_realloc(cluster->partitions, count * sizeof(*cluster->partitions));
        for (uint32_t i = cluster->partition_count; i < count; i++)
            cluster->partitions[i] = (struct kafka_partition_info){ .index = (int32_t)i, .leader = -1 };
        cluster->partition_count = count;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct kafka_metadata_response_partition *p = &topic->partitions[i];

        if (p->partition_index >= 0 && (uint32_t)p->partition_index < count)
            cluster->partitions[p->partition_index].leader =
                p->leader_id >= 0 && kafka_cluster_node(cluster, p->leader_id) != NULL ? p->leader_id : -1;
    }
    for (uint32_t i = 0; i < cluster->partition_count && status == MR_OK; i++)
        if (cluster->partitions[i].leader < 0)
            status = mr_err_set(err, MR_BUSY, "topic '%s': partition %u has no leader", cluster->topic, i);
    return status;
}

enum mr_status kafka_cluster_refresh(struct kafka_cluster *cluster, struct mr_err *err)
{
    struct kafka_metadata_request_topic topic;
    struct kafka_metadata_request request;
    struct kafka_metadata_response answer;
    struct mr_arena *arena = NULL;
    struct mr_reader reader;
    enum mr_status status = cluster_control_open(cluster, err);
    int16_t version = cluster->control.version_metadata;
    size_t frame;

    if (status != MR_OK)
        return status;
    frame = kafka_conn_begin(&cluster->control, KAFKA_METADATA, version);
    kafka_metadata_request_init(&request);
    kafka_metadata_request_topic_init(&topic);
    topic.name = mr_str_of(cluster->topic);
    request.topics = &topic;
    request.topics_count = 1;
    request.allow_auto_topic_creation = true;
    kafka_metadata_request_write(&request, &cluster->control.out, version);
    status = kafka_conn_call(&cluster->control, frame, &reader, err);
    if (status != MR_OK)
        return status;
    arena = mr_arena_new();
    if (kafka_metadata_response_read(&answer, &reader, version, arena) != MR_OK || answer.topics_count != 1) {
        kafka_conn_close(&cluster->control);
        status = mr_err_set(err, MR_IO, "Kafka at %s:%u gave metadata that can't be read",
                            cluster->control.address.host, cluster->control.address.port);
        goto out;
    }
    cluster_nodes_take(cluster, &answer);
    if (answer.topics[0].error_code != 0)
        status = cluster_topic_error(cluster, answer.topics[0].error_code, err);
    else
        status = cluster_partitions_take(cluster, &answer.topics[0], err);
out:
    mr_arena_free(arena);
    return status;
}

/* May STATUS pass when the same is tried again? */
static bool cluster_may_pass(enum mr_status status, const struct connector_context *ctx)
{
    return !connector_stopped(ctx) && (status == MR_IO || status == MR_BUSY || status == MR_NOT_FOUND);
}

enum mr_status kafka_cluster_wait(struct kafka_cluster *cluster, int64_t until_ms, struct mr_err *err)
{
    struct connector_backoff backoff = { .base_ms = 20, .max_ms = 1000 };
    struct connector_warner warner = { 0 };

    for (;;) {
        enum mr_status status = kafka_cluster_refresh(cluster, err);
        int64_t next_ms;

        if (status == MR_OK || !cluster_may_pass(status, cluster->ctx))
            return status;
        next_ms = connector_clock_ms(cluster->ctx) + connector_backoff_next(&backoff, cluster->ctx);
        if (next_ms >= until_ms)
            return status == MR_BUSY ? mr_err_set(err, MR_IO, "topic '%s' is not ready", cluster->topic) : status;
        if (backoff.attempt > 6 && err != NULL)
            connector_warn(&warner, cluster->ctx, "%s", err->text);
        if (connector_wait_until(cluster->ctx, next_ms) != MR_OK)
            return mr_err_set(err, MR_BUSY, "stopped");
    }
}

enum mr_status kafka_cluster_leader(struct kafka_cluster *cluster, int32_t index, struct kafka_node **out,
                                    struct mr_err *err)
{
    struct kafka_node *node = NULL;
    enum mr_status status;

    assert(index >= 0 && (uint32_t)index < cluster->partition_count);
    if (cluster->partitions[index].leader >= 0)
        node = kafka_cluster_node(cluster, cluster->partitions[index].leader);
    if (node == NULL)
        return mr_err_set(err, MR_BUSY, "topic '%s': partition %d has no leader", cluster->topic, index);
    status = kafka_conn_open(&node->aside, err);
    if (status == MR_OK)
        *out = node;
    return status;
}

/* Asks once. */
static enum mr_status cluster_offset_ask(struct kafka_cluster *cluster, int32_t index, int64_t timestamp,
                                         int64_t *offset, struct mr_err *err)
{
    struct kafka_list_offsets_request_partition partition;
    struct kafka_list_offsets_request_topic topic;
    struct kafka_list_offsets_request request;
    struct kafka_list_offsets_response answer;
    struct kafka_node *node = NULL;
    struct mr_arena *arena;
    struct mr_reader reader;
    enum mr_status status = kafka_cluster_leader(cluster, index, &node, err);
    size_t frame;

    if (status != MR_OK)
        return status;
    frame = kafka_conn_begin(&node->aside, KAFKA_LIST_OFFSETS, node->aside.version_list_offsets);
    kafka_list_offsets_request_init(&request);
    kafka_list_offsets_request_topic_init(&topic);
    kafka_list_offsets_request_partition_init(&partition);
    partition.index = index;
    partition.timestamp = timestamp;
    topic.name = mr_str_of(cluster->topic);
    topic.partitions = &partition;
    topic.partitions_count = 1;
    request.replica_id = -1;
    request.topics = &topic;
    request.topics_count = 1;
    kafka_list_offsets_request_write(&request, &node->aside.out, node->aside.version_list_offsets);
    status = kafka_conn_call(&node->aside, frame, &reader, err);
    if (status != MR_OK)
        return status;
    arena = mr_arena_new();
    if (kafka_list_offsets_response_read(&answer, &reader, node->aside.version_list_offsets, arena) != MR_OK ||
        answer.topics_count != 1 || answer.topics[0].partitions_count != 1)
        status = mr_err_set(err, MR_IO, "Kafka at %s:%u gave offsets that can't be read", node->aside.address.host,
                            node->aside.address.port);
    else if (answer.topics[0].partitions[0].error_code != 0)
        status = cluster_topic_error(cluster, answer.topics[0].partitions[0].error_code, err);
    else
        *offset = answer.topics[0].partitions[0].offset;
    mr_arena_free(arena);
    return status;
}

enum mr_status kafka_cluster_offset(struct kafka_cluster *cluster, int32_t index, int64_t timestamp, int64_t until_ms,
                                    int64_t *offset, struct mr_err *err)
{
    struct connector_backoff backoff = { .base_ms = 20, .max_ms = 1000 };

    for (;;) {
        enum mr_status status = cluster_offset_ask(cluster, index, timestamp, offset, err);
        int64_t next_ms;

        if (status == MR_OK || !cluster_may_pass(status, cluster->ctx))
            return status;
        next_ms = connector_clock_ms(cluster->ctx) + connector_backoff_next(&backoff, cluster->ctx);
        if (next_ms >= until_ms)
            return status == MR_BUSY ? MR_IO : status;
        if (connector_wait_until(cluster->ctx, next_ms) != MR_OK)
            return mr_err_set(err, MR_BUSY, "stopped");
        status = kafka_cluster_refresh(cluster, err);
        if (status != MR_OK && !cluster_may_pass(status, cluster->ctx))
            return status;
    }
}

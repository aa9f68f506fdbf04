/* handle_metadata.c -- the one broker, and topics with their partitions.
 *
 * A topic that is asked for and missing is made when server and client allow it, and the answer waits until it is on
 * disk: a client that is told a topic may write to it at once.  One that somebody else is just making gets error 5,
 * which every client asks again for. */
#include "broker/broker_int.h"

#include "base/logging.h"

#include <string.h>

enum {
    VERSION_NULL_IS_ALL = 1, /* before: the empty array */
    VERSION_ALLOW_CREATE = 4,
    VERSION_TOPIC_IDS = 12, /* 10 and 11 have the field, and ignore it */
    VERSION_CLUSTER_OPERATIONS_MAX = 10,
};

struct metadata {
    struct broker_request *request;
    int32_t waiting; /* topics being made */
};

struct metadata_create {
    struct metadata *metadata;
    struct kafka_metadata_response_topic *topic;
};

static void topic_fill(struct broker_request *request, struct kafka_metadata_response_topic *out,
                       struct log_topic *topic)
{
    int32_t count = log_topic_partition_count(topic);
    int32_t *node = mr_arena_alloc(request->arena, sizeof(*node));

    *node = BROKER_NODE_ID;
    out->error_code = KAFKA_ERROR_NONE;
    out->name = mr_arena_str(request->arena, mr_str_of(log_topic_name(topic)));
    memcpy(out->topic_id.bytes, log_topic_id(topic), sizeof(out->topic_id.bytes));
    out->is_internal = broker_topic_is_internal(out->name);
    out->partitions_count = count;
    out->partitions = MR_ARENA_ARRAY(request->arena, struct kafka_metadata_response_partition, (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        struct kafka_metadata_response_partition *p = &out->partitions[i];

        kafka_metadata_response_partition_init(p);
        p->partition_index = i;
        p->leader_id = BROKER_NODE_ID;
        p->leader_epoch = log_leader_epoch(request->broker->log);
        p->replica_nodes = p->isr_nodes = node;
        p->replica_nodes_count = p->isr_nodes_count = 1;
    }
}

static void topic_created(void *arg, enum mr_status status, struct log_topic *topic, const struct mr_err *err)
{
    struct metadata_create *create = arg;
    struct metadata *metadata = create->metadata;
    struct broker_request *request = metadata->request;

    metadata->waiting--;
    if (!request->is_abandoned) {
        if (status == MR_OK) {
            topic_fill(request, create->topic, topic);
        } else {
            mr_log(MR_LOG_ERROR, "broker", "can't make topic %.*s: %s", MR_STR_ARG(create->topic->name), err->text);
            create->topic->error_code = KAFKA_ERROR_KAFKA_STORAGE_ERROR;
        }
        if (metadata->waiting == 0)
            broker_request_done(request);
    }
    broker_request_unref(request);
}

/* Begins to make the topic, or sets the error. */
static void topic_create(struct metadata *metadata, struct kafka_metadata_response_topic *out)
{
    struct broker_request *request = metadata->request;
    struct broker *broker = request->broker;
    struct metadata_create *create = MR_ARENA_NEW(request->arena, struct metadata_create);
    struct mr_err err = MR_ERR_INIT;

    out->error_code = KAFKA_ERROR_LEADER_NOT_AVAILABLE;
    if (log_topic_pending(broker->log, out->name))
        return;
    if (broker_topic_is_internal(out->name)) { /* made with its own settings, when it is needed */
        out->error_code = KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
        return;
    }
    if (broker_topic_name_check(broker, out->name, &err) != KAFKA_ERROR_NONE) {
        out->error_code = KAFKA_ERROR_INVALID_TOPIC_EXCEPTION;
        return;
    }
    create->metadata = metadata;
    create->topic = out;
    if (log_topic_create(broker->log, out->name, broker->partitions_default, NULL, 0, topic_created, create, &err) !=
        MR_OK)
        return;
    broker_request_ref(request);
    metadata->waiting++;
}

static bool create_is_allowed(const struct broker_request *request)
{
    const struct kafka_metadata_request *in = request->request;

    return request->broker->auto_create_topics &&
           (request->header.api_version < VERSION_ALLOW_CREATE || in->allow_auto_topic_creation);
}

static void topic_answer(struct metadata *metadata, const struct kafka_metadata_request_topic *in,
                         struct kafka_metadata_response_topic *out)
{
    struct broker_request *request = metadata->request;
    struct log *log = request->broker->log;
    bool by_id = request->header.api_version >= VERSION_TOPIC_IDS && !kafka_uuid_is_zero(&in->topic_id);
    struct log_topic *topic = by_id ? log_topic_find_id(log, in->topic_id.bytes) : log_topic_find(log, in->name);

    out->name = in->name;
    out->topic_id = by_id ? in->topic_id : (struct kafka_uuid){ { 0 } };
    if (topic != NULL)
        topic_fill(request, out, topic);
    else if (by_id)
        out->error_code = KAFKA_ERROR_UNKNOWN_TOPIC_ID;
    else if (kafka_topic_name_check(in->name, NULL) != MR_OK)
        out->error_code = KAFKA_ERROR_INVALID_TOPIC_EXCEPTION;
    else if (create_is_allowed(request))
        topic_create(metadata, out);
    else
        out->error_code = KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
}

static struct kafka_metadata_response_topic *topics_alloc(struct broker_request *request, size_t count)
{
    const struct kafka_metadata_request *in = request->request;
    struct kafka_metadata_response *out = request->response;

    out->topics_count = (int32_t)count;
    out->topics = MR_ARENA_ARRAY(request->arena, struct kafka_metadata_response_topic, count);
    for (size_t i = 0; i < count; i++) {
        kafka_metadata_response_topic_init(&out->topics[i]);
        if (in->include_topic_authorized_operations)
            out->topics[i].topic_authorized_operations = BROKER_TOPIC_OPERATIONS;
    }
    return out->topics;
}

static void all_topics_answer(struct broker_request *request)
{
    struct log *log = request->broker->log;
    struct kafka_metadata_response_topic *at = topics_alloc(request, log_topic_count(log));

    for (struct log_topic *t = log_topic_next(log, NULL); t != NULL; t = log_topic_next(log, t))
        topic_fill(request, at++, t);
}

static void cluster_answer(struct broker_request *request)
{
    const struct kafka_metadata_request *in = request->request;
    struct kafka_metadata_response *out = request->response;
    struct kafka_metadata_response_broker *node = MR_ARENA_NEW(request->arena, struct kafka_metadata_response_broker);

    kafka_metadata_response_broker_init(node);
    node->node_id = BROKER_NODE_ID;
    node->host = request->host;
    node->port = request->port;
    out->brokers = node;
    out->brokers_count = 1;
    out->controller_id = BROKER_NODE_ID;
    out->cluster_id = mr_str_of(request->broker->cluster_id);
    if (in->include_cluster_authorized_operations && request->header.api_version <= VERSION_CLUSTER_OPERATIONS_MAX)
        out->cluster_authorized_operations = BROKER_CLUSTER_OPERATIONS;
}

void broker_handle_metadata(struct broker_request *request)
{
    const struct kafka_metadata_request *in = request->request;
    struct metadata *metadata = MR_ARENA_NEW(request->arena, struct metadata);
    bool wants_all =
        in->topics_count < 0 || (request->header.api_version < VERSION_NULL_IS_ALL && in->topics_count == 0);

    metadata->request = request;
    cluster_answer(request);
    if (wants_all) {
        all_topics_answer(request);
    } else {
        struct kafka_metadata_response_topic *topics = topics_alloc(request, (size_t)in->topics_count);

        for (int32_t i = 0; i < in->topics_count; i++)
            topic_answer(metadata, &in->topics[i], &topics[i]);
    }
    if (metadata->waiting == 0)
        broker_request_done(request);
}

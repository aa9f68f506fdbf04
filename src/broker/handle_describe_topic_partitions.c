/* handle_describe_topic_partitions.c -- topics with their partitions, in pages: by name, from a cursor on, at most so
 * many partitions in one answer.  No names means all topics. */
#include "broker/broker_int.h"

#include <stdlib.h>
#include <string.h>

enum { PARTITIONS_MAX = 2000 /* max.request.partition.size.limit */ };

struct describe {
    struct broker_request *request;
    struct kafka_describe_topic_partitions_response *out;
    int32_t left; /* partitions that fit */
};

static int name_order(const void *a, const void *b)
{
    return mr_bytes_compare(mr_bytes_of_str(*(const struct mr_str *)a), mr_bytes_of_str(*(const struct mr_str *)b));
}

/* The names asked for, sorted, each once; *COUNT of them. */
static struct mr_str *names_take(struct broker_request *request, size_t *count)
{
    const struct kafka_describe_topic_partitions_request *in = request->request;
    struct log *log = request->broker->log;
    size_t n = in->topics_count > 0 ? (size_t)in->topics_count : log_topic_count(log), kept = 0;
    struct mr_str *names = MR_ARENA_ARRAY(request->arena, struct mr_str, n);
    struct log_topic *topic = in->topics_count > 0 ? NULL : log_topic_next(log, NULL);

    for (size_t i = 0; i < n; i++) {
        names[i] = topic != NULL ? mr_arena_str(request->arena, mr_str_of(log_topic_name(topic))) : in->topics[i].name;
        topic = topic != NULL ? log_topic_next(log, topic) : NULL;
    }
    if (n > 1)
        qsort(names, n, sizeof(*names), name_order);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || !mr_str_equal(names[kept - 1], names[i]))
            names[kept++] = names[i];
    *count = kept;
    return names;
}

static struct kafka_describe_topic_partitions_response_topic *topic_add(struct describe *d, struct mr_str name)
{
    struct kafka_describe_topic_partitions_response_topic *topic = &d->out->topics[d->out->topics_count++];

    kafka_describe_topic_partitions_response_topic_init(topic);
    topic->name = name;
    topic->is_internal = broker_topic_is_internal(name);
    topic->topic_authorized_operations = BROKER_TOPIC_OPERATIONS;
    return topic;
}

static void cursor_set(struct describe *d, struct mr_str name, int32_t partition)
{
    if (d->out->has_next_cursor)
        return;
    d->out->has_next_cursor = true;
    d->out->next_cursor.topic_name = name;
    d->out->next_cursor.partition_index = partition;
}

/* The partitions of TOPIC from FIRST on, as many as fit. */
static void partitions_fill(struct describe *d, const struct log_topic *topic, int32_t first,
                            struct kafka_describe_topic_partitions_response_topic *out)
{
    struct broker_request *request = d->request;
    int32_t count = log_topic_partition_count(topic);
    int32_t n = first >= count ? 0 : count - first < d->left ? count - first : d->left;
    int32_t *node = mr_arena_alloc(request->arena, sizeof(*node));

    *node = BROKER_NODE_ID;
    memcpy(out->topic_id.bytes, log_topic_id(topic), sizeof(out->topic_id.bytes));
    out->partitions_count = n;
    out->partitions =
        MR_ARENA_ARRAY(request->arena, struct kafka_describe_topic_partitions_response_partition, (size_t)n);
    for (int32_t i = 0; i < n; i++) {
        struct kafka_describe_topic_partitions_response_partition *p = &out->partitions[i];

        kafka_describe_topic_partitions_response_partition_init(p);
        p->partition_index = first + i;
        p->leader_id = BROKER_NODE_ID;
        p->leader_epoch = log_leader_epoch(request->broker->log);
        p->replica_nodes = p->isr_nodes = node;
        p->replica_nodes_count = p->isr_nodes_count = 1;
    }
    d->left -= n;
    if (first < count && first + n < count)
        cursor_set(d, out->name, first + n);
}

static void topic_describe(struct describe *d, struct mr_str name, int32_t first)
{
    const struct log_topic *topic = log_topic_find(d->request->broker->log, name);

    if (topic == NULL)
        topic_add(d, name)->error_code = kafka_topic_name_check(name, NULL) == MR_OK
                                             ? KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION
                                             : KAFKA_ERROR_INVALID_TOPIC_EXCEPTION;
    else if (d->left > 0)
        partitions_fill(d, topic, first, topic_add(d, name));
    else
        cursor_set(d, name, 0);
}

/* A cursor stands in one of the topics asked for, at a partition. */
static bool cursor_is_well(const struct kafka_describe_topic_partitions_request *in)
{
    if (!in->has_cursor)
        return true;
    if (in->cursor.partition_index < 0)
        return false;
    for (int32_t i = 0; i < in->topics_count; i++)
        if (mr_str_equal(in->topics[i].name, in->cursor.topic_name))
            return true;
    return in->topics_count <= 0;
}

void broker_handle_describe_topic_partitions(struct broker_request *request)
{
    const struct kafka_describe_topic_partitions_request *in = request->request;
    struct describe d = { request, request->response, in->response_partition_limit };
    size_t count;
    struct mr_str *names = names_take(request, &count);
    bool is_well = cursor_is_well(in);

    if (d.left > PARTITIONS_MAX)
        d.left = PARTITIONS_MAX;
    if (d.left < 1)
        d.left = 1;
    d.out->topics = MR_ARENA_ARRAY(request->arena, struct kafka_describe_topic_partitions_response_topic, count);
    for (size_t i = 0; i < count; i++) {
        int order = in->has_cursor ? name_order(&names[i], &in->cursor.topic_name) : 1;

        if (!is_well) {
            struct kafka_describe_topic_partitions_response_topic *topic = topic_add(&d, names[i]);

            topic->error_code = KAFKA_ERROR_INVALID_REQUEST;
            topic->topic_authorized_operations = INT32_MIN;
        } else if (order >= 0) {
            topic_describe(&d, names[i], order == 0 ? in->cursor.partition_index : 0);
        }
    }
    broker_request_done(request);
}

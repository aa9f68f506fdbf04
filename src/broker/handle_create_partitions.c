/* handle_create_partitions.c -- gives topics more partitions; answers when they are on disk and can be written to.
 *
 * A topic that another request is just changing is tried again a little later, so every request is judged by what the
 * one before it left. */
#include "broker/broker_int.h"

#include "base/logging.h"

enum {
    RETRY_MS = 2,       /* another change of the topic is being synced */
    TOPICS_MAX = 10000, /* in one request */
};

struct create_partitions {
    struct broker_request *request;
    int32_t next; /* topic to go on with */
    int32_t waiting;
    size_t *first;           /* by topic of the request: the least index of the same name */
    size_t *same;            /* and, there, how often it is named */
    struct net_timer *timer; /* owned; NULL while none runs */
};

struct grown_topic {
    struct create_partitions *all;
    struct kafka_create_partitions_response_topic *out;
};

static void error_set(struct broker_request *request, struct kafka_create_partitions_response_topic *out, int error,
                      const char *message)
{
    out->error_code = (int16_t)error;
    out->error_message = message != NULL ? mr_arena_str(request->arena, mr_str_of(message)) : MR_STR_NULL;
}

static void finish_if_done(struct create_partitions *all)
{
    const struct kafka_create_partitions_request *in = all->request->request;

    if (!all->request->is_abandoned && all->waiting == 0 && all->next == in->topics_count)
        broker_request_done(all->request);
}

static void topic_grown(void *arg, enum mr_status status, struct log_topic *topic, const struct mr_err *err)
{
    struct grown_topic *grown = arg;
    struct create_partitions *all = grown->all;
    struct broker_request *request = all->request;

    MR_UNUSED(topic);
    all->waiting--;
    if (status != MR_OK) {
        mr_log(MR_LOG_ERROR, "broker", "can't add partitions to topic %.*s: %s", MR_STR_ARG(grown->out->name),
               err->text);
        error_set(request, grown->out, KAFKA_ERROR_KAFKA_STORAGE_ERROR, err->text);
    }
    finish_if_done(all);
    broker_request_unref(request);
}

/* The new partitions' replicas, when they are given. */
static int assignments_check(const struct broker *broker, const struct kafka_create_partitions_request_topic *in,
                             int32_t added, struct mr_err *err)
{
    int error = KAFKA_ERROR_NONE;

    if (in->assignments_count < 0)
        return KAFKA_ERROR_NONE;
    if (in->assignments_count != added) {
        (void)mr_err_set(err, MR_INVALID,
                         "Attempted to add %d additional partition(s), but only %d assignment(s) were specified.",
                         (int)added, (int)in->assignments_count);
        return KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT;
    }
    for (int32_t i = 0; error == KAFKA_ERROR_NONE && i < added; i++)
        error = broker_assignment_check(broker, in->name, in->assignments[i].broker_ids,
                                        in->assignments[i].broker_ids_count, err);
    return error;
}

static int topic_check(const struct broker *broker, const struct kafka_create_partitions_request_topic *in,
                       const struct log_topic *topic, struct mr_err *err)
{
    int32_t present = log_topic_partition_count(topic);

    if (in->count == present) {
        (void)mr_err_set(err, MR_INVALID, "Topic already has %d partition(s).", (int)present);
        return KAFKA_ERROR_INVALID_PARTITIONS;
    }
    if (in->count < present) {
        (void)mr_err_set(err, MR_INVALID, "The topic %.*s currently has %d partition(s); %d would not be an increase.",
                         MR_STR_ARG(in->name), (int)present, (int)in->count);
        return KAFKA_ERROR_INVALID_PARTITIONS;
    }
    if (in->count > LOG_PARTITIONS_MAX) {
        (void)mr_err_set(err, MR_INVALID, "Number of partitions is above the limit of %d.", LOG_PARTITIONS_MAX);
        return KAFKA_ERROR_INVALID_PARTITIONS;
    }
    if (broker_topic_is_internal(in->name)) {
        (void)mr_err_set(err, MR_INVALID, "The partitions of an internal topic stay as they are.");
        return KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED;
    }
    return assignments_check(broker, in, in->count - present, err);
}

/* False: the topic is being changed. */
static bool topic_grow(struct create_partitions *all, const struct kafka_create_partitions_request_topic *in,
                       struct kafka_create_partitions_response_topic *out)
{
    struct broker_request *request = all->request;
    const struct kafka_create_partitions_request *whole = request->request;
    struct log_topic *topic = log_topic_find(request->broker->log, in->name);
    struct grown_topic *grown;
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status;
    int error;

    if (topic == NULL) {
        error_set(request, out, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION, NULL);
        return true;
    }
    error = topic_check(request->broker, in, topic, &err);
    if (error != KAFKA_ERROR_NONE || whole->validate_only) {
        error_set(request, out, error, error != KAFKA_ERROR_NONE ? err.text : NULL);
        return true;
    }
    grown = MR_ARENA_NEW(request->arena, struct grown_topic);
    *grown = (struct grown_topic){ all, out };
    status = log_topic_grow(request->broker->log, topic, in->count, topic_grown, grown, &err);
    if (status == MR_BUSY)
        return false;
    if (status != MR_OK) {
        error_set(request, out, KAFKA_ERROR_INVALID_PARTITIONS, err.text);
        return true;
    }
    all->waiting++;
    broker_request_ref(request);
    return true;
}

static void go_on(void *arg)
{
    struct create_partitions *all = arg;
    struct broker_request *request = all->request;
    const struct kafka_create_partitions_request *in = request->request;
    struct kafka_create_partitions_response *out = request->response;

    net_timer_free(all->timer);
    all->timer = NULL;
    for (; all->next < in->topics_count; all->next++) {
        const struct kafka_create_partitions_request_topic *topic = &in->topics[all->next];
        struct kafka_create_partitions_response_topic *answer = &out->results[out->results_count];
        bool too_many = in->topics_count > TOPICS_MAX;

        if (!too_many && all->first[all->next] != (size_t)all->next)
            continue; /* it has its answer */
        kafka_create_partitions_response_topic_init(answer);
        answer->name = topic->name;
        if (too_many) {
            error_set(request, answer, KAFKA_ERROR_POLICY_VIOLATION, "More than 10000 topics in one request.");
        } else if (all->same[all->next] > 1) {
            error_set(request, answer, KAFKA_ERROR_INVALID_REQUEST, "Duplicate topic name.");
        } else if (!topic_grow(all, topic, answer)) {
            all->timer = net_timer_new(request->broker->loop, RETRY_MS, 0, go_on, all);
            return;
        }
        out->results_count++;
    }
    finish_if_done(all);
}

static void stop_waiting(struct broker_request *request)
{
    struct create_partitions *all = request->state;

    net_timer_free(all->timer);
    all->timer = NULL;
}

void broker_handle_create_partitions(struct broker_request *request)
{
    const struct kafka_create_partitions_request *in = request->request;
    struct kafka_create_partitions_response *out = request->response;
    struct create_partitions *all = MR_ARENA_NEW(request->arena, struct create_partitions);
    struct mr_bytes *names = MR_ARENA_ARRAY(request->arena, struct mr_bytes, (size_t)in->topics_count);

    for (int32_t i = 0; i < in->topics_count; i++)
        names[i] = mr_bytes_of_str(in->topics[i].name);
    all->request = request;
    all->first = MR_ARENA_ARRAY(request->arena, size_t, (size_t)in->topics_count);
    all->same = MR_ARENA_ARRAY(request->arena, size_t, (size_t)in->topics_count);
    broker_keys_group(names, (size_t)in->topics_count, all->first, all->same);
    request->state = all;
    request->on_abandon = stop_waiting;
    out->results =
        MR_ARENA_ARRAY(request->arena, struct kafka_create_partitions_response_topic, (size_t)in->topics_count);
    go_on(all);
}

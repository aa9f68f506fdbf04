/* handle_create_topics.c -- makes topics; answers once they are on disk and can be written to.
 *
 * There is one node, so one replica: a replication factor above 1 is taken as 1, with a warning in the log. */
#include "broker/broker_int.h"

#include "base/logging.h"

#include <string.h>

enum {
    VERSION_DEFAULTS = 4, /* -1 partitions and replicas mean the defaults */
    SOURCE_TOPIC = 1,     /* config_source: set for this topic */
    SOURCE_DEFAULT = 5,
    TOPICS_MAX = 10000, /* in one request */
};

struct create_topics {
    struct broker_request *request;
    int32_t waiting;
};

struct create_topic {
    struct create_topics *all;
    const struct kafka_create_topics_request_topic *in;
    struct kafka_create_topics_response_topic *out;
    int32_t partition_count;
};

static void error_set(struct broker_request *request, struct kafka_create_topics_response_topic *out, int error,
                      const char *message)
{
    out->error_code = (int16_t)error;
    out->error_message = mr_arena_str(request->arena, mr_str_of(message));
}

/* The value asked for, else the default. */
static const char *config_value(const struct broker_topic_config *config,
                                const struct kafka_create_topics_request_topic *in, struct mr_arena *arena,
                                bool *is_set)
{
    for (int32_t i = in->configs_count - 1; i >= 0; i--) {
        *is_set = mr_str_equal(in->configs[i].name, mr_str_of(config->name));
        if (*is_set)
            return mr_arena_str(arena, in->configs[i].value).data;
    }
    *is_set = false;
    return config->default_value;
}

static void success_fill(struct create_topic *create)
{
    struct broker_request *request = create->all->request;
    struct kafka_create_topics_response_topic *out = create->out;
    size_t count;
    const struct broker_topic_config *configs = broker_topic_configs(&count);

    out->error_code = KAFKA_ERROR_NONE;
    out->num_partitions = create->partition_count;
    out->replication_factor = 1;
    out->configs_count = (int32_t)count;
    out->configs = MR_ARENA_ARRAY(request->arena, struct kafka_create_topics_response_config, count);
    for (size_t i = 0; i < count; i++) {
        struct kafka_create_topics_response_config *config = &out->configs[i];
        bool is_set;

        config->name = mr_str_of(configs[i].name);
        config->value = mr_str_of(config_value(&configs[i], create->in, request->arena, &is_set));
        config->config_source = is_set ? SOURCE_TOPIC : SOURCE_DEFAULT;
    }
}

static void topic_created(void *arg, enum mr_status status, struct log_topic *topic, const struct mr_err *err)
{
    struct create_topic *create = arg;
    struct create_topics *all = create->all;
    struct broker_request *request = all->request;

    all->waiting--;
    if (!request->is_abandoned) {
        if (status == MR_OK) {
            memcpy(create->out->topic_id.bytes, log_topic_id(topic), sizeof(create->out->topic_id.bytes));
            success_fill(create);
        } else {
            mr_log(MR_LOG_ERROR, "broker", "can't make topic %.*s: %s", MR_STR_ARG(create->in->name), err->text);
            error_set(request, create->out, KAFKA_ERROR_KAFKA_STORAGE_ERROR, err->text);
        }
        if (all->waiting == 0)
            broker_request_done(request);
    }
    broker_request_unref(request);
}

/* ---- checks ---- */

/* With an assignment: every partition from 0 on, on this node alone. */
static int assignment_check(const struct kafka_create_topics_request_topic *in, struct mr_err *err)
{
    if (in->num_partitions != -1 || in->replication_factor != -1) {
        (void)mr_err_set(err, MR_INVALID, "A manual partition assignment was specified, but %s was not set to -1.",
                         in->replication_factor != -1 ? "replication factor" : "partition count");
        return KAFKA_ERROR_INVALID_REQUEST;
    }
    for (int32_t wanted = 0; wanted < in->assignments_count; wanted++) {
        const struct kafka_create_topics_request_assignment *a = &in->assignments[wanted];

        if (a->partition_index != wanted || a->broker_ids_count < 1 || a->broker_ids[0] != BROKER_NODE_ID) {
            (void)mr_err_set(err, MR_INVALID,
                             "The manual partition assignment must name partitions 0 to %d in order, on broker %d.",
                             (int)in->assignments_count - 1, BROKER_NODE_ID);
            return KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT;
        }
    }
    return KAFKA_ERROR_NONE;
}

static int counts_check(const struct kafka_create_topics_request_topic *in, int version, struct mr_err *err)
{
    bool may_default = version >= VERSION_DEFAULTS || in->assignments_count > 0;

    if (in->assignments_count > 0)
        return assignment_check(in, err);
    if (in->num_partitions == 0 || in->num_partitions < -1 || (in->num_partitions == -1 && !may_default)) {
        (void)mr_err_set(err, MR_INVALID, "Number of partitions was set to an invalid non-positive value.");
        return KAFKA_ERROR_INVALID_PARTITIONS;
    }
    if (in->num_partitions > LOG_PARTITIONS_MAX) {
        (void)mr_err_set(err, MR_INVALID, "Number of partitions is above the limit of %d.", LOG_PARTITIONS_MAX);
        return KAFKA_ERROR_INVALID_PARTITIONS;
    }
    if (in->replication_factor == 0 || in->replication_factor < -1 || (in->replication_factor == -1 && !may_default)) {
        (void)mr_err_set(err, MR_INVALID, "Replication factor must be larger than 0, or -1 to use the default value.");
        return KAFKA_ERROR_INVALID_REPLICATION_FACTOR;
    }
    return KAFKA_ERROR_NONE;
}

static int topic_check(struct broker_request *request, const struct kafka_create_topics_request_topic *in,
                       struct mr_err *err)
{
    int error = broker_topic_name_check(request->broker, in->name, err);

    if (error == KAFKA_ERROR_NONE)
        error = counts_check(in, request->header.api_version, err);
    if (error == KAFKA_ERROR_NONE && in->configs_count > LOG_CONFIGS_MAX) {
        (void)mr_err_set(err, MR_INVALID, "More than %d configurations.", LOG_CONFIGS_MAX);
        error = KAFKA_ERROR_INVALID_CONFIG;
    }
    for (int32_t i = 0; error == KAFKA_ERROR_NONE && i < in->configs_count; i++)
        if (broker_topic_config_check(in->configs[i].name, in->configs[i].value, err) != MR_OK)
            error = KAFKA_ERROR_INVALID_CONFIG;
    return error;
}

static bool name_is_repeated(const struct kafka_create_topics_request *in, int32_t index)
{
    for (int32_t i = 0; i < in->topics_count; i++)
        if (i != index && mr_str_equal(in->topics[i].name, in->topics[index].name))
            return true;
    return false;
}

/* ---- making ---- */

static int error_of_create(enum mr_status status)
{
    if (status == MR_EXISTS || status == MR_BUSY)
        return KAFKA_ERROR_TOPIC_ALREADY_EXISTS;
    return status == MR_INVALID ? KAFKA_ERROR_INVALID_CONFIG : KAFKA_ERROR_KAFKA_STORAGE_ERROR;
}

static void topic_make(struct create_topic *create)
{
    struct broker_request *request = create->all->request;
    const struct kafka_create_topics_request_topic *in = create->in;
    struct log_config *configs = MR_ARENA_ARRAY(request->arena, struct log_config, (size_t)in->configs_count);
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status;

    for (int32_t i = 0; i < in->configs_count; i++) {
        configs[i].key = mr_arena_str(request->arena, in->configs[i].name).data;
        configs[i].value = mr_arena_str(request->arena, in->configs[i].value).data;
    }
    status = log_topic_create(request->broker->log, in->name, create->partition_count, configs,
                              (size_t)in->configs_count, topic_created, create, &err);
    if (status != MR_OK) {
        error_set(request, create->out, error_of_create(status), err.text);
        return;
    }
    create->all->waiting++;
    broker_request_ref(request);
}

static void topic_handle(struct create_topics *all, int32_t index)
{
    struct broker_request *request = all->request;
    const struct kafka_create_topics_request *whole = request->request;
    const struct kafka_create_topics_request_topic *in = &whole->topics[index];
    struct kafka_create_topics_response *response = request->response;
    struct create_topic *create = MR_ARENA_NEW(request->arena, struct create_topic);
    struct mr_err err = MR_ERR_INIT;
    int error;

    kafka_create_topics_response_topic_init(&response->topics[index]);
    *create = (struct create_topic){ all, in, &response->topics[index], in->num_partitions };
    create->out->name = in->name;
    if (whole->topics_count > TOPICS_MAX) {
        error_set(request, create->out, KAFKA_ERROR_POLICY_VIOLATION, "More than 10000 topics in one request.");
        return;
    }
    if (name_is_repeated(whole, index)) {
        error_set(request, create->out, KAFKA_ERROR_INVALID_REQUEST, "Duplicate topic name.");
        return;
    }
    error = topic_check(request, in, &err);
    if (error != KAFKA_ERROR_NONE) {
        error_set(request, create->out, error, err.text);
        return;
    }
    if (in->assignments_count > 0)
        create->partition_count = in->assignments_count;
    else if (in->num_partitions == -1)
        create->partition_count = request->broker->partitions_default;
    if (in->replication_factor > 1)
        mr_log(MR_LOG_WARN, "broker", "topic %.*s: replication factor %d is taken as 1, there is one node",
               MR_STR_ARG(in->name), in->replication_factor);
    if (whole->validate_only)
        success_fill(create);
    else
        topic_make(create);
}

void broker_handle_create_topics(struct broker_request *request)
{
    const struct kafka_create_topics_request *in = request->request;
    struct kafka_create_topics_response *out = request->response;
    struct create_topics *all = MR_ARENA_NEW(request->arena, struct create_topics);

    all->request = request;
    out->topics_count = in->topics_count;
    out->topics = MR_ARENA_ARRAY(request->arena, struct kafka_create_topics_response_topic, (size_t)in->topics_count);
    for (int32_t i = 0; i < in->topics_count; i++)
        topic_handle(all, i);
    if (all->waiting == 0)
        broker_request_done(request);
}

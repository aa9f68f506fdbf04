/* handle_create_topics.c -- makes topics; answers once they are on disk and can be written to.
 *
 * There is one node, so one replica: replicas.c says what becomes of a greater replication factor. */
#include "broker/broker_int.h"

#include "base/logging.h"

#include <string.h>

enum {
    TOPICS_MAX = 10000, /* in one request */
};

struct create_topics {
    struct broker_request *request;
    int32_t waiting;
    size_t *first; /* by topic of the request: the least index of the same name */
    size_t *same;  /* and, there, how often it is named */
};

struct create_topic {
    struct create_topics *all;
    const struct kafka_create_topics_request_topic *in;
    struct kafka_create_topics_response_topic *out;
    int32_t partition_count;
    struct log_config *configs; /* config_count of them, in the arena */
    size_t config_count;
};

static void error_set(struct broker_request *request, struct kafka_create_topics_response_topic *out, int error,
                      const char *message)
{
    out->error_code = (int16_t)error;
    out->error_message = mr_arena_str(request->arena, mr_str_of(message));
}

/* The value asked for, or NULL. */
static const char *config_value(const struct create_topic *create, const char *name)
{
    for (size_t i = 0; i < create->config_count; i++)
        if (strcmp(create->configs[i].key, name) == 0)
            return create->configs[i].value;
    return NULL;
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
        const char *value = config_value(create, configs[i].name);

        config->name = mr_str_of(configs[i].name);
        config->config_source = value != NULL ? BROKER_SOURCE_TOPIC : BROKER_SOURCE_DEFAULT;
        if (value == NULL)
            value = broker_topic_config_default(request->broker, &configs[i], request->arena);
        config->value = mr_str_of(value);
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

/* With an assignment: every partition from 0 on, once. */
static int assignment_check(const struct broker *broker, const struct kafka_create_topics_request_topic *in,
                            struct mr_err *err)
{
    int error = KAFKA_ERROR_NONE;

    if (in->num_partitions != -1 || in->replication_factor != -1) {
        (void)mr_err_set(err, MR_INVALID, "A manual partition assignment was specified, but %s was not set to -1.",
                         in->replication_factor != -1 ? "replication factor" : "partition count");
        return KAFKA_ERROR_INVALID_REQUEST;
    }
    for (int32_t i = 0; error == KAFKA_ERROR_NONE && i < in->assignments_count; i++) {
        const struct kafka_create_topics_request_assignment *a = &in->assignments[i];

        if (a->partition_index != i) {
            (void)mr_err_set(err, MR_INVALID, "partitions should be a consecutive 0-based integer sequence");
            return KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT;
        }
        error = broker_assignment_check(broker, in->name, a->broker_ids, a->broker_ids_count, err);
    }
    return error;
}

static int counts_check(const struct broker_request *request, const struct kafka_create_topics_request_topic *in,
                        struct mr_err *err)
{
    int32_t wanted = in->assignments_count > 0 ? in->assignments_count : in->num_partitions;

    if (wanted > LOG_PARTITIONS_MAX) {
        (void)mr_err_set(err, MR_INVALID, "Number of partitions is above the limit of %d.", LOG_PARTITIONS_MAX);
        return KAFKA_ERROR_INVALID_PARTITIONS;
    }
    if (in->assignments_count > 0)
        return assignment_check(request->broker, in, err);
    if (in->num_partitions == 0 || in->num_partitions < -1) {
        (void)mr_err_set(err, MR_INVALID, "Number of partitions was set to an invalid non-positive value.");
        return KAFKA_ERROR_INVALID_PARTITIONS;
    }
    if (in->replication_factor == 0 || in->replication_factor < -1) {
        (void)mr_err_set(err, MR_INVALID, "Replication factor must be larger than 0, or -1 to use the default value.");
        return KAFKA_ERROR_INVALID_REPLICATION_FACTOR;
    }
    return broker_replication_check(request->broker, in->name, in->replication_factor, err);
}

/* Checks the configurations and puts them into CREATE in their plain form; of repeated ones the last counts. */
static enum mr_status configs_take(struct broker_request *request, struct create_topic *create, struct mr_err *err)
{
    const struct kafka_create_topics_request_topic *in = create->in;

    if (in->configs_count > LOG_CONFIGS_MAX)
        return mr_err_set(err, MR_INVALID, "More than %d configurations.", LOG_CONFIGS_MAX);
    create->configs = MR_ARENA_ARRAY(request->arena, struct log_config, (size_t)in->configs_count);
    for (int32_t i = 0; i < in->configs_count; i++) {
        struct log_config config = { NULL, NULL };
        size_t at = 0;
        enum mr_status status =
            broker_topic_config_check(in->configs[i].name, in->configs[i].value, request->arena, &config.value, err);

        if (status != MR_OK)
            return status;
        config.key = broker_topic_config_find(in->configs[i].name)->name;
        while (at < create->config_count && create->configs[at].key != config.key)
            at++;
        create->configs[at] = config;
        create->config_count += at == create->config_count;
    }
    return broker_topic_configs_check(create->configs, create->config_count, err);
}

static int topic_check(struct broker_request *request, struct create_topic *create, struct mr_err *err)
{
    int error = broker_topic_name_check(request->broker, create->in->name, err);

    if (error == KAFKA_ERROR_NONE && configs_take(request, create, err) != MR_OK)
        error = KAFKA_ERROR_INVALID_CONFIG;
    if (error == KAFKA_ERROR_NONE)
        error = counts_check(request, create->in, err);
    return error;
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
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status;

    status = log_topic_create(request->broker->log, in->name, create->partition_count, create->configs,
                              create->config_count, topic_created, create, &err);
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
    *create = (struct create_topic){
        .all = all,
        .in = in,
        .out = &response->topics[index],
        .partition_count = in->num_partitions,
    };
    create->out->name = in->name;
    if (whole->topics_count > TOPICS_MAX) {
        error_set(request, create->out, KAFKA_ERROR_POLICY_VIOLATION, "More than 10000 topics in one request.");
        return;
    }
    if (all->same[all->first[index]] > 1) {
        error_set(request, create->out, KAFKA_ERROR_INVALID_REQUEST, "Duplicate topic name.");
        return;
    }
    error = topic_check(request, create, &err);
    if (error != KAFKA_ERROR_NONE) {
        error_set(request, create->out, error, err.text);
        return;
    }
    if (in->assignments_count > 0)
        create->partition_count = in->assignments_count;
    else if (in->num_partitions == -1)
        create->partition_count = request->broker->partitions_default;
    if (whole->validate_only)
        success_fill(create);
    else
        topic_make(create);
}

static void names_group(struct create_topics *all)
{
    const struct kafka_create_topics_request *in = all->request->request;
    struct mr_arena *arena = all->request->arena;
    size_t count = (size_t)in->topics_count;
    struct mr_bytes *names = MR_ARENA_ARRAY(arena, struct mr_bytes, count);

    for (size_t i = 0; i < count; i++)
        names[i] = mr_bytes_of_str(in->topics[i].name);
    all->first = MR_ARENA_ARRAY(arena, size_t, count);
    all->same = MR_ARENA_ARRAY(arena, size_t, count);
    broker_keys_group(names, count, all->first, all->same);
}

void broker_handle_create_topics(struct broker_request *request)
{
    const struct kafka_create_topics_request *in = request->request;
    struct kafka_create_topics_response *out = request->response;
    struct create_topics *all = MR_ARENA_NEW(request->arena, struct create_topics);

    all->request = request;
    names_group(all);
    out->topics_count = in->topics_count;
    out->topics = MR_ARENA_ARRAY(request->arena, struct kafka_create_topics_response_topic, (size_t)in->topics_count);
    for (int32_t i = 0; i < in->topics_count; i++)
        topic_handle(all, i);
    if (all->waiting == 0)
        broker_request_done(request);
}

/* handle_describe_configs.c -- shows the settings of topics and of the broker, with where each value comes from. */
#include "broker/broker_int.h"

#include "base/text.h"

#include <string.h>

enum {
    SYNONYMS_MAX = 2,
    RESOURCES_BESIDE_TOPICS = 100, /* that one request may ask for */
};

static void error_set(struct broker_request *request, struct kafka_describe_configs_response_result *out, int error,
                      const char *message)
{
    out->error_code = (int16_t)error;
    out->error_message = mr_arena_str(request->arena, mr_str_of(message));
}

/* No keys, or none at all, means all. */
static bool key_is_asked(const struct kafka_describe_configs_request_resource *in, const char *name)
{
    for (int32_t i = 0; i < in->configuration_keys_count; i++)
        if (mr_str_equal(in->configuration_keys[i], mr_str_of(name)))
            return true;
    return in->configuration_keys_count <= 0;
}

static void synonym_add(struct kafka_describe_configs_response_config *out, const char *name, const char *value,
                        enum broker_config_source source)
{
    struct kafka_describe_configs_response_synonym *synonym = &out->synonyms[out->synonyms_count++];

    assert(out->synonyms_count <= SYNONYMS_MAX);
    kafka_describe_configs_response_synonym_init(synonym);
    synonym->name = mr_str_of(name);
    synonym->value = mr_str_of(value);
    synonym->source = (int8_t)source;
}

static void topic_config_fill(struct broker_request *request, const struct broker_topic_config *config, const char *set,
                              struct kafka_describe_configs_response_config *out)
{
    const struct kafka_describe_configs_request *in = request->request;
    const char *fallback = broker_topic_config_default(request->broker, config, request->arena);
    bool is_own = strcmp(fallback, config->default_value) != 0;
    enum broker_config_source source = is_own ? BROKER_SOURCE_FILE : BROKER_SOURCE_DEFAULT;

    kafka_describe_configs_response_config_init(out);
    out->name = mr_str_of(config->name);
    out->value = mr_arena_str(request->arena, mr_str_of(set != NULL ? set : fallback));
    out->config_source = (int8_t)(set != NULL ? BROKER_SOURCE_TOPIC : source);
    out->config_type = (int8_t)config->type;
    if (in->include_documentation)
        out->documentation = mr_str_of(config->documentation);
    if (!in->include_synonyms)
        return;
    out->synonyms =
        MR_ARENA_ARRAY(request->arena, struct kafka_describe_configs_response_synonym, (size_t)SYNONYMS_MAX);
    if (set != NULL)
        synonym_add(out, config->name, out->value.data, BROKER_SOURCE_TOPIC);
    if (config->broker_name != NULL)
        synonym_add(out, config->broker_name, fallback, source);
}

static void topic_describe(struct broker_request *request, const struct kafka_describe_configs_request_resource *in,
                           struct kafka_describe_configs_response_result *out)
{
    size_t count;
    const struct broker_topic_config *configs = broker_topic_configs(&count);
    const struct log_topic *topic = log_topic_find(request->broker->log, in->resource_name);
    struct mr_err err = MR_ERR_INIT;

    if (kafka_topic_name_check(in->resource_name, &err) != MR_OK) {
        error_set(request, out, KAFKA_ERROR_INVALID_TOPIC_EXCEPTION, err.text);
        return;
    }
    if (topic == NULL) {
        error_set(request, out, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION, "");
        return;
    }
    out->configs = MR_ARENA_ARRAY(request->arena, struct kafka_describe_configs_response_config, count);
    for (size_t i = 0; i < count; i++)
        if (key_is_asked(in, configs[i].name))
            topic_config_fill(request, &configs[i], log_topic_config(topic, configs[i].name),
                              &out->configs[out->configs_count++]);
}

static void broker_describe(struct broker_request *request, const struct kafka_describe_configs_request_resource *in,
                            struct kafka_describe_configs_response_result *out)
{
    const struct kafka_describe_configs_request *whole = request->request;
    size_t count;
    const struct broker_setting *settings = broker_settings(request->broker, request->arena, &count);

    out->configs = MR_ARENA_ARRAY(request->arena, struct kafka_describe_configs_response_config, count);
    for (size_t i = 0; i < count; i++) {
        const struct broker_setting *s = &settings[i];
        struct kafka_describe_configs_response_config *config = &out->configs[out->configs_count];

        if (!key_is_asked(in, s->name))
            continue;
        out->configs_count++;
        kafka_describe_configs_response_config_init(config);
        config->name = mr_str_of(s->name);
        config->value = mr_str_of(s->value);
        config->read_only = true;
        config->config_source = (int8_t)s->source;
        config->config_type = (int8_t)s->type;
        if (whole->include_documentation)
            config->documentation = mr_str_of(s->documentation);
        if (!whole->include_synonyms)
            continue;
        config->synonyms =
            MR_ARENA_ARRAY(request->arena, struct kafka_describe_configs_response_synonym, (size_t)SYNONYMS_MAX);
        synonym_add(config, s->name, s->value, s->source);
    }
}

/* The broker is named by its id; no name means what all brokers share, and nothing is set for all. */
static void broker_resource(struct broker_request *request, const struct kafka_describe_configs_request_resource *in,
                            struct kafka_describe_configs_response_result *out)
{
    const char *name = mr_arena_str(request->arena, in->resource_name).data;
    int64_t id;

    if (in->resource_name.size == 0)
        return;
    if (mr_parse_i64(in->resource_name, &id) != MR_OK)
        error_set(request, out, KAFKA_ERROR_INVALID_REQUEST,
                  mr_arena_printf(request->arena, "Broker id must be an integer, but it is: %s", name));
    else if (id != BROKER_NODE_ID)
        error_set(request, out, KAFKA_ERROR_INVALID_REQUEST,
                  mr_arena_printf(request->arena, "Unexpected broker id, expected %d or empty string, but received %s",
                                  BROKER_NODE_ID, name));
    else
        broker_describe(request, in, out);
}

void broker_handle_describe_configs(struct broker_request *request)
{
    const struct kafka_describe_configs_request *in = request->request;
    struct kafka_describe_configs_response *out = request->response;
    size_t most = log_topic_count(request->broker->log) + RESOURCES_BESIDE_TOPICS;

    out->results_count = in->resources_count;
    out->results =
        MR_ARENA_ARRAY(request->arena, struct kafka_describe_configs_response_result, (size_t)in->resources_count);
    for (int32_t i = 0; i < in->resources_count; i++) {
        const struct kafka_describe_configs_request_resource *resource = &in->resources[i];
        struct kafka_describe_configs_response_result *result = &out->results[i];

        kafka_describe_configs_response_result_init(result);
        result->error_message = MR_STR("");
        result->resource_type = resource->resource_type;
        result->resource_name = resource->resource_name;
        if ((size_t)i >= most) /* a few bytes of request make some KiB of answer */
            error_set(request, result, KAFKA_ERROR_POLICY_VIOLATION, "More resources than there are topics.");
        else if (resource->resource_type == BROKER_RESOURCE_TOPIC)
            topic_describe(request, resource, result);
        else if (resource->resource_type == BROKER_RESOURCE_BROKER)
            broker_resource(request, resource, result);
        else
            error_set(
                request, result, KAFKA_ERROR_INVALID_REQUEST,
                mr_arena_printf(request->arena, "Resource type %d has no settings here.", resource->resource_type));
    }
    broker_request_done(request);
}

/* handle_alter_configs.c -- changes topics' configurations: AlterConfigs replaces all of a topic's,
 * IncrementalAlterConfigs changes some.  Answers when the new ones are on disk; then they count.
 *
 * Both become one list of changes, judged against what the topic has, so a topic that another request is just changing
 * is tried again a little later.  A resource is changed whole or not at all.  The broker's own settings can't be
 * changed by a request. */
#include "broker/broker_int.h"

#include "base/logging.h"

#include <string.h>

enum {
    RETRY_MS = 2,       /* another change of the topic is being synced */
    CHANGES_MAX = 1000, /* of one resource in one request */
};

enum operation { OPERATION_SET, OPERATION_DELETE, OPERATION_APPEND, OPERATION_SUBTRACT, OPERATION_N };

struct change {
    struct mr_str name;
    int operation;
    struct mr_str value; /* may be null */
};

struct resource {
    struct alter *all;
    int8_t type;
    struct mr_str name;
    const struct change *changes; /* change_count of them */
    size_t change_count;
    bool is_repeated; /* in the request */
    int error;
    struct mr_str message; /* null: none */
};

struct alter {
    struct broker_request *request;
    struct resource *resources;
    int32_t count;
    int32_t next; /* resource to go on with */
    int32_t waiting;
    bool replaces; /* what is not named loses its value */
    bool validate_only;
    void (*answer)(struct alter *all);
    struct net_timer *timer; /* owned; NULL while none runs */
};

/* A topic's configurations as they are to be. */
struct wanted {
    struct log_config configs[LOG_CONFIGS_MAX + 1];
    size_t count;
};

static void finish_if_done(struct alter *all)
{
    if (all->request->is_abandoned || all->waiting > 0 || all->next < all->count)
        return;
    all->answer(all);
    broker_request_done(all->request);
}

static void error_set(struct resource *r, int error, const char *message)
{
    r->error = error;
    r->message = mr_arena_str(r->all->request->arena, mr_str_of(message));
}

/* ---- what a topic's configurations become ---- */

static struct log_config *wanted_find(struct wanted *wanted, const char *key)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (strcmp(wanted->configs[i].key, key) == 0)
            return &wanted->configs[i];
    return NULL;
}

static void wanted_set(struct wanted *wanted, const char *key, const char *value)
{
    struct log_config *config = wanted_find(wanted, key);

    if (config == NULL) {
        assert(wanted->count <= LOG_CONFIGS_MAX);
        config = &wanted->configs[wanted->count++];
    }
    *config = (struct log_config){ key, value };
}

static void wanted_unset(struct wanted *wanted, struct mr_str name)
{
    const struct broker_topic_config *known = broker_topic_config_find(name);
    struct log_config *config = known != NULL ? wanted_find(wanted, known->name) : NULL;

    if (config != NULL)
        *config = wanted->configs[--wanted->count];
}

/* LIST without the items of GONE. */
static const char *list_subtract(struct mr_arena *arena, const char *list, const char *gone)
{
    const char *left = "";

    for (const char *at = list; *at != '\0'; at += at[0] == ',') {
        size_t size = strcspn(at, ",");
        const char *item = mr_arena_printf(arena, "%.*s", (int)size, at);

        if (!broker_topic_list_has(gone, item))
            left = mr_arena_printf(arena, "%s%s%s", left, left[0] != '\0' ? "," : "", item);
        at += size;
    }
    return left;
}

/* The value that a list gets by appending or subtracting; MR_INVALID when the configuration is no list. */
static enum mr_status list_change(struct resource *r, struct wanted *wanted, const struct change *change,
                                  const char **value, struct mr_err *err)
{
    struct broker_request *request = r->all->request;
    const struct broker_topic_config *known = broker_topic_config_find(change->name);
    struct log_config *config;
    const char *old, *plain;
    enum mr_status status;

    if (known == NULL || known->type != BROKER_CONFIG_LIST)
        return mr_err_set(err, MR_INVALID, "Can't %s key %.*s because its type is not LIST.",
                          change->operation == OPERATION_APPEND ? "APPEND to" : "SUBTRACT from",
                          (int)(change->name.size < 200 ? change->name.size : 200), change->name.data);
    status = broker_topic_config_check(change->name, change->value, request->arena, &plain, err);
    if (status != MR_OK)
        return status;
    config = wanted_find(wanted, known->name);
    old = config != NULL ? config->value : known->default_value;
    if (change->operation == OPERATION_SUBTRACT)
        plain = list_subtract(request->arena, old, plain);
    else if (old[0] != '\0')
        plain = mr_arena_printf(request->arena, "%s,%s", old, plain);
    return broker_topic_config_check(change->name, mr_str_of(plain), request->arena, value, err);
}

static enum mr_status change_apply(struct resource *r, struct wanted *wanted, const struct change *change,
                                   struct mr_err *err)
{
    const char *value;
    enum mr_status status;

    if (change->operation == OPERATION_DELETE) {
        wanted_unset(wanted, change->name);
        return MR_OK;
    }
    if (change->operation == OPERATION_SET)
        status = broker_topic_config_check(change->name, change->value, r->all->request->arena, &value, err);
    else
        status = list_change(r, wanted, change, &value, err);
    if (status == MR_OK)
        wanted_set(wanted, broker_topic_config_find(change->name)->name, value);
    return status;
}

static enum mr_status wanted_make(struct resource *r, const struct log_topic *topic, struct wanted *wanted,
                                  struct mr_err *err)
{
    enum mr_status status = MR_OK;

    while (!r->all->replaces && log_topic_config_at(topic, wanted->count, &wanted->configs[wanted->count]))
        wanted->count++;
    for (size_t i = 0; status == MR_OK && i < r->change_count; i++)
        status = change_apply(r, wanted, &r->changes[i], err);
    return status == MR_OK ? broker_topic_configs_check(wanted->configs, wanted->count, err) : status;
}

/* ---- one resource ---- */

static void topic_configured(void *arg, enum mr_status status, struct log_topic *topic, const struct mr_err *err)
{
    struct resource *r = arg;
    struct alter *all = r->all;
    struct broker_request *request = all->request;

    MR_UNUSED(topic);
    all->waiting--;
    if (status != MR_OK) {
        mr_log(MR_LOG_ERROR, "broker", "can't change the configurations of topic %.*s: %s", MR_STR_ARG(r->name),
               err->text);
        error_set(r, KAFKA_ERROR_KAFKA_STORAGE_ERROR, err->text);
    }
    finish_if_done(all);
    broker_request_unref(request);
}

/* Each key once, with a value where one is needed, in a way that is known. */
static bool changes_are_well(struct resource *r)
{
    if (r->change_count > CHANGES_MAX) {
        error_set(r, KAFKA_ERROR_INVALID_REQUEST, "More than 1000 configurations of one resource.");
        return false;
    }
    for (size_t i = 0; i < r->change_count; i++) {
        const struct change *c = &r->changes[i];

        for (size_t j = 0; j < i; j++) {
            if (!mr_str_equal(c->name, r->changes[j].name))
                continue;
            error_set(r, KAFKA_ERROR_INVALID_REQUEST, "Error due to duplicate config keys");
            return false;
        }
        if (c->operation < 0 || c->operation >= OPERATION_N) {
            error_set(r, KAFKA_ERROR_INVALID_REQUEST, "Unknown operation.");
            return false;
        }
        if (c->operation != OPERATION_DELETE && c->value.data == NULL) {
            error_set(r, KAFKA_ERROR_INVALID_REQUEST,
                      mr_arena_printf(r->all->request->arena, "Null value not supported for : %.*s",
                                      (int)(c->name.size < 200 ? c->name.size : 200), c->name.data));
            return false;
        }
    }
    return true;
}

/* False: the topic is being changed. */
static bool topic_alter(struct resource *r)
{
    struct alter *all = r->all;
    struct log *log = all->request->broker->log;
    struct log_topic *topic = log_topic_find(log, r->name);
    struct wanted wanted = { .count = 0 };
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status;

    if (r->name.size == 0) {
        error_set(r, KAFKA_ERROR_INVALID_REQUEST, "Default topic resources are not allowed.");
    } else if (kafka_topic_name_check(r->name, &err) != MR_OK) {
        error_set(r, KAFKA_ERROR_INVALID_TOPIC_EXCEPTION, err.text);
    } else if (topic == NULL) {
        error_set(r, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION,
                  mr_arena_printf(all->request->arena, "The topic '%.*s' does not exist.", MR_STR_ARG(r->name)));
    } else if (wanted_make(r, topic, &wanted, &err) != MR_OK) {
        error_set(r, KAFKA_ERROR_INVALID_CONFIG, err.text);
    } else if (!all->validate_only) {
        status = log_topic_configure(log, topic, wanted.configs, wanted.count, topic_configured, r, &err);
        if (status == MR_BUSY)
            return false;
        if (status != MR_OK) {
            error_set(r, KAFKA_ERROR_INVALID_CONFIG, err.text);
            return true;
        }
        all->waiting++;
        broker_request_ref(all->request);
    }
    return true;
}

static void broker_refuse(struct resource *r)
{
    struct mr_arena *arena = r->all->request->arena;

    if (r->name.size > 0 && !mr_str_equal(r->name, MR_STR("1")))
        error_set(r, KAFKA_ERROR_INVALID_REQUEST,
                  mr_arena_printf(arena, "Unexpected broker id, expected %d, but received %.*s", BROKER_NODE_ID,
                                  (int)(r->name.size < 200 ? r->name.size : 200), r->name.data));
    else if (r->change_count > 0)
        error_set(r, KAFKA_ERROR_INVALID_REQUEST,
                  mr_arena_printf(
                      arena,
                      "Cannot update these configs dynamically: [%.*s]: settings of this server are made in "
                      "millrace.yaml.",
                      (int)(r->changes[0].name.size < 200 ? r->changes[0].name.size : 200), r->changes[0].name.data));
}

static void repetitions_note(struct alter *all)
{
    struct mr_arena *arena = all->request->arena;
    struct mr_bytes *keys = MR_ARENA_ARRAY(arena, struct mr_bytes, (size_t)all->count);
    size_t *first = MR_ARENA_ARRAY(arena, size_t, (size_t)all->count);
    size_t *same = MR_ARENA_ARRAY(arena, size_t, (size_t)all->count);

    for (int32_t i = 0; i < all->count; i++) {
        const struct resource *r = &all->resources[i];
        uint8_t *key = mr_arena_alloc(arena, r->name.size + 1);

        key[0] = (uint8_t)r->type;
        if (r->name.size > 0)
            memcpy(key + 1, r->name.data, r->name.size);
        keys[i] = (struct mr_bytes){ key, r->name.size + 1 };
    }
    broker_keys_group(keys, (size_t)all->count, first, same);
    for (int32_t i = 0; i < all->count; i++)
        all->resources[i].is_repeated = same[first[i]] > 1;
}

/* False: try it again. */
static bool resource_alter(struct resource *r)
{
    if (r->is_repeated)
        error_set(r, KAFKA_ERROR_INVALID_REQUEST, "Each resource must appear at most once.");
    else if (r->type == BROKER_RESOURCE_BROKER)
        broker_refuse(r);
    else if (r->type != BROKER_RESOURCE_TOPIC)
        error_set(r, KAFKA_ERROR_INVALID_REQUEST,
                  mr_arena_printf(r->all->request->arena, "Unknown resource type %d", r->type));
    else if (changes_are_well(r))
        return topic_alter(r);
    return true;
}

/* ---- a whole request ---- */

static void go_on(void *arg)
{
    struct alter *all = arg;

    net_timer_free(all->timer);
    all->timer = NULL;
    while (all->next < all->count) {
        if (!resource_alter(&all->resources[all->next])) {
            all->timer = net_timer_new(all->request->broker->loop, RETRY_MS, 0, go_on, all);
            return;
        }
        all->next++;
    }
    finish_if_done(all);
}

static void stop_waiting(struct broker_request *request)
{
    struct alter *all = request->state;

    net_timer_free(all->timer);
    all->timer = NULL;
}

static struct alter *alter_new(struct broker_request *request, int32_t count, bool validate_only)
{
    struct alter *all = MR_ARENA_NEW(request->arena, struct alter);

    all->request = request;
    all->validate_only = validate_only;
    all->count = count;
    all->resources = MR_ARENA_ARRAY(request->arena, struct resource, (size_t)count);
    request->state = all;
    request->on_abandon = stop_waiting;
    return all;
}

static void replacing_answer(struct alter *all)
{
    struct kafka_alter_configs_response *out = all->request->response;

    out->responses_count = all->count;
    out->responses =
        MR_ARENA_ARRAY(all->request->arena, struct kafka_alter_configs_response_resource, (size_t)all->count);
    for (int32_t i = 0; i < all->count; i++) {
        const struct resource *r = &all->resources[i];

        out->responses[i] = (struct kafka_alter_configs_response_resource){
            .error_code = (int16_t)r->error,
            .error_message = r->message,
            .resource_type = r->type,
            .resource_name = r->name,
        };
    }
}

void broker_handle_alter_configs(struct broker_request *request)
{
    const struct kafka_alter_configs_request *in = request->request;
    struct alter *all = alter_new(request, in->resources_count, in->validate_only);

    all->replaces = true;
    all->answer = replacing_answer;
    for (int32_t i = 0; i < in->resources_count; i++) {
        const struct kafka_alter_configs_request_resource *r = &in->resources[i];
        struct change *changes = MR_ARENA_ARRAY(request->arena, struct change, (size_t)r->configs_count);

        for (int32_t j = 0; j < r->configs_count; j++)
            changes[j] = (struct change){ r->configs[j].name, OPERATION_SET, r->configs[j].value };
        all->resources[i] = (struct resource){
            .all = all,
            .type = r->resource_type,
            .name = r->resource_name,
            .changes = changes,
            .change_count = (size_t)r->configs_count,
        };
    }
    repetitions_note(all);
    go_on(all);
}

static void incremental_answer(struct alter *all)
{
    struct kafka_incremental_alter_configs_response *out = all->request->response;

    out->responses_count = all->count;
    out->responses = MR_ARENA_ARRAY(all->request->arena, struct kafka_incremental_alter_configs_response_resource,
                                    (size_t)all->count);
    for (int32_t i = 0; i < all->count; i++) {
        const struct resource *r = &all->resources[i];

        out->responses[i] = (struct kafka_incremental_alter_configs_response_resource){
            .error_code = (int16_t)r->error,
            .error_message = r->message,
            .resource_type = r->type,
            .resource_name = r->name,
        };
    }
}

void broker_handle_incremental_alter_configs(struct broker_request *request)
{
    const struct kafka_incremental_alter_configs_request *in = request->request;
    struct alter *all = alter_new(request, in->resources_count, in->validate_only);

    all->answer = incremental_answer;
    for (int32_t i = 0; i < in->resources_count; i++) {
        const struct kafka_incremental_alter_configs_request_resource *r = &in->resources[i];
        struct change *changes = MR_ARENA_ARRAY(request->arena, struct change, (size_t)r->configs_count);

        for (int32_t j = 0; j < r->configs_count; j++)
            changes[j] = (struct change){ r->configs[j].name, r->configs[j].config_operation, r->configs[j].value };
        all->resources[i] = (struct resource){
            .all = all,
            .type = r->resource_type,
            .name = r->resource_name,
            .changes = changes,
            .change_count = (size_t)r->configs_count,
        };
    }
    repetitions_note(all);
    go_on(all);
}

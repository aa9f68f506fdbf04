/* kafka_tool.c -- see kafka_tool.h. */
#include "main/kafka_tool.h"
#include "base/env.h"
#include "base/text.h"
#include "main/target.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { SLICE_MS = 300, NAMES_MAX = 1000, SETTLE_MS = 3000, SETTLE_SLICE_MS = 100 };

static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    MR_UNUSED(handle);
    MR_UNUSED(level);
    MR_UNUSED(facility);
    MR_UNUSED(text);
}

static void on_error(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
    struct kafka_tool *tool = opaque;

    MR_UNUSED(handle);
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        tool->unreachable = true;
    else
        snprintf(tool->trouble, sizeof(tool->trouble), "%s", reason);
}

static enum mr_status property_set(rd_kafka_conf_t *conf, const char *name, const char *value, struct mr_err *err)
{
    char why[512];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) != RD_KAFKA_CONF_OK)
        return mr_err_set(err, MR_INVALID, "-X %s=%s: %s", name, value, why);
    return MR_OK;
}

/* The user's "NAME=VALUE" lines. */
static enum mr_status properties_set(rd_kafka_conf_t *conf, const char *lines, struct mr_err *err)
{
    char *text = mr_strdup(lines ? lines : "");
    char *rest = NULL;
    enum mr_status status = MR_OK;

    for (char *line = strtok_r(text, "\n", &rest); line != NULL && status == MR_OK;
         line = strtok_r(NULL, "\n", &rest)) {
        char *equals = strchr(line, '=');

        if (equals == NULL) {
            status = mr_err_set(err, MR_INVALID, "-X: \"%s\" is not NAME=VALUE", line);
            break;
        }
        *equals = '\0';
        status = property_set(conf, line, equals + 1, err);
    }
    mr_free(text);
    return status;
}

enum mr_status kafka_tool_open(struct kafka_tool *tool, rd_kafka_type_t type, const struct mr_config *config,
                               const struct kafka_tool_property *properties,
                               void (*delivered)(rd_kafka_t *, const rd_kafka_message_t *, void *), struct mr_err *err)
{
    rd_kafka_conf_t *conf = NULL;
    struct target target;
    char why[512];
    enum mr_status status = target_find(config, TARGET_KAFKA, &target, err);

    *tool = (struct kafka_tool){ 0 };
    if (status != MR_OK)
        return status;
    snprintf(tool->address, sizeof(tool->address), "%s", target.address);
    conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_opaque(conf, tool);
    if (delivered != NULL)
        rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    status = property_set(conf, "bootstrap.servers", target.address, err);
    if (status == MR_OK)
        status = property_set(conf, "client.id", "millrace", err);
    for (; status == MR_OK && properties != NULL && properties->name != NULL; properties++)
        status = property_set(conf, properties->name, properties->value, err);
    if (status == MR_OK)
        status = properties_set(conf, mr_config_text(config, "property"), err);
    if (status == MR_OK) {
        tool->handle = rd_kafka_new(type, conf, why, sizeof(why));
        if (tool->handle == NULL)
            status = mr_err_set(err, MR_INVALID, "the Kafka client can't be made: %s", why);
        else
            conf = NULL; /* the client owns it now */
    }
    if (conf != NULL)
        rd_kafka_conf_destroy(conf);
    return status;
}

void kafka_tool_close(struct kafka_tool *tool)
{
    if (tool->handle != NULL)
        rd_kafka_destroy(tool->handle);
    tool->handle = NULL;
}

enum mr_status kafka_tool_serve(struct kafka_tool *tool, struct mr_err *err)
{
    rd_kafka_poll(tool->handle, 0);
    if (!tool->unreachable)
        return MR_OK;
    return mr_err_set(err, MR_IO, "Kafka at %s can't be reached%s%s; is it running? millrace status looks",
                      tool->address, tool->trouble[0] ? ": " : "", tool->trouble);
}

enum mr_status kafka_tool_error(const struct kafka_tool *tool, rd_kafka_resp_err_t code, const char *text,
                                struct mr_err *err, const char *what, ...)
{
    enum mr_status status = MR_IO;
    char context[256];
    va_list args;

    va_start(args, what);
    vsnprintf(context, sizeof(context), what, args);
    va_end(args);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
        code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND)
        status = MR_NOT_FOUND;
    else if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        status = MR_EXISTS;
    else if (code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE || code == RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION)
        status = MR_UNSUPPORTED;
    if (text == NULL || text[0] == '\0')
        text = rd_kafka_err2str(code);
    if (tool->trouble[0] != '\0' && (code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT))
        return mr_err_set(err, status, "%s: %s (%s)", context, text, tool->trouble);
    return mr_err_set(err, status, "%s: %s", context, text);
}

/* ---- metadata ---- */

const struct rd_kafka_metadata_topic *kafka_tool_topic(const struct rd_kafka_metadata *metadata, const char *name)
{
    for (int i = 0; i < metadata->topic_cnt; i++) {
        if (strcmp(metadata->topics[i].topic, name) == 0)
            return &metadata->topics[i];
    }
    return NULL;
}

static enum mr_status no_such_topic(const struct rd_kafka_metadata *metadata, const char *topic, struct mr_err *err)
{
    const char *names[NAMES_MAX];
    const char *nearest;
    size_t count = 0;

    for (int i = 0; i < metadata->topic_cnt && count < NAMES_MAX; i++)
        names[count++] = metadata->topics[i].topic;
    nearest = mr_nearest(topic, names, count);
    if (nearest != NULL)
        return mr_err_set(err, MR_NOT_FOUND, "there is no topic \"%s\"; did you mean \"%s\"?", topic, nearest);
    return mr_err_set(err, MR_NOT_FOUND, "there is no topic \"%s\"; millrace topic list shows those there are", topic);
}

enum mr_status kafka_tool_metadata(struct kafka_tool *tool, const char *topic, const struct rd_kafka_metadata **out,
                                   struct mr_err *err)
{
    int64_t until_ns = mr_monotonic_ns(mr_env_real()) + (int64_t)KAFKA_TOOL_ANSWER_MS * 1000000;
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code;
    enum mr_status status;

    /* In slices, so that an address where nobody listens is noticed at once. */
    do {
        code = rd_kafka_metadata(tool->handle, 1, NULL, &metadata, SLICE_MS);
        status = code == RD_KAFKA_RESP_ERR_NO_ERROR ? MR_OK : kafka_tool_serve(tool, err);
    } while (status == MR_OK && code == RD_KAFKA_RESP_ERR__TIMED_OUT && mr_monotonic_ns(mr_env_real()) < until_ns);
    if (status == MR_OK && code != RD_KAFKA_RESP_ERR_NO_ERROR)
        status = kafka_tool_error(tool, code, NULL, err, "Kafka at %s", tool->address);
    if (status == MR_OK && topic != NULL && kafka_tool_topic(metadata, topic) == NULL)
        status = no_such_topic(metadata, topic, err);
    if (status == MR_OK)
        *out = metadata;
    else if (metadata != NULL)
        rd_kafka_metadata_destroy(metadata);
    return status;
}

rd_kafka_topic_partition_list_t *kafka_tool_partitions(const struct rd_kafka_metadata_topic *topic, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(topic->partition_cnt);

    for (int i = 0; i < topic->partition_cnt; i++)
        rd_kafka_topic_partition_list_add(list, topic->topic, topic->partitions[i].id)->offset = offset;
    return list;
}

/* Errors of a partition that was made, or changed its leader, just now. */
static bool passes_soon(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION || code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
           code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

/* Asks once; *AT is the partition that has the error. */
static rd_kafka_resp_err_t offsets_ask(struct kafka_tool *tool, rd_kafka_topic_partition_list_t *list, int *at)
{
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(tool->handle, list, KAFKA_TOOL_ANSWER_MS);

    *at = 0;
    for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        code = list->elems[i].err;
        *at = i;
    }
    return code;
}

enum mr_status kafka_tool_offsets(struct kafka_tool *tool, rd_kafka_topic_partition_list_t *list, struct mr_err *err)
{
    rd_kafka_topic_partition_list_t *asked = rd_kafka_topic_partition_list_copy(list);
    int64_t until_ns = mr_monotonic_ns(mr_env_real()) + (int64_t)SETTLE_MS * 1000000;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    enum mr_status status = MR_OK;
    int at = 0;

    if (list->cnt > 0)
        code = offsets_ask(tool, list, &at);
    while (passes_soon(code) && mr_monotonic_ns(mr_env_real()) < until_ns) {
        poll(NULL, 0, SETTLE_SLICE_MS);
        for (int i = 0; i < list->cnt; i++)
            list->elems[i].offset = asked->elems[i].offset;
        code = offsets_ask(tool, list, &at);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        status = kafka_tool_error(tool, code, NULL, err, "offsets of %s, partition %" PRId32, list->elems[at].topic,
                                  list->elems[at].partition);
    rd_kafka_topic_partition_list_destroy(asked);
    return status;
}

/* ---- records ---- */

static uint32_t headers_read(const rd_kafka_message_t *message, struct record_header headers[RECORD_HEADERS_MAX])
{
    rd_kafka_headers_t *list = NULL;
    uint32_t count = 0;
    const char *name;
    const void *value;
    size_t size;

    if (rd_kafka_message_headers(message, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    while (count < RECORD_HEADERS_MAX &&
           rd_kafka_header_get_all(list, count, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        headers[count].name = mr_str_of(name);
        headers[count].value = (struct mr_bytes){ value, size };
        count++;
    }
    return count;
}

struct record kafka_tool_record(const char *topic, const rd_kafka_message_t *message,
                                struct record_header headers[RECORD_HEADERS_MAX])
{
    return (struct record){
        .topic = topic,
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, NULL),
        .key = { message->key, message->key_len },
        .value = { message->payload, message->len },
        .headers = headers,
        .header_count = headers_read(message, headers),
    };
}

/* ---- admin ---- */

rd_kafka_AdminOptions_t *kafka_tool_admin(struct kafka_tool *tool, rd_kafka_admin_op_t operation)
{
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(tool->handle, operation);
    char why[128];

    rd_kafka_AdminOptions_set_request_timeout(options, KAFKA_TOOL_ANSWER_MS, why, sizeof(why));
    return options;
}

enum mr_status kafka_tool_answer(struct kafka_tool *tool, rd_kafka_queue_t *queue, const char *what,
                                 rd_kafka_event_t **out, struct mr_err *err)
{
    int64_t until_ns = mr_monotonic_ns(mr_env_real()) + (int64_t)(KAFKA_TOOL_ANSWER_MS + 1000) * 1000000;
    rd_kafka_event_t *event = NULL;
    enum mr_status status = MR_OK;

    while (status == MR_OK && event == NULL && mr_monotonic_ns(mr_env_real()) < until_ns) {
        event = rd_kafka_queue_poll(queue, SLICE_MS);
        if (event == NULL)
            status = kafka_tool_serve(tool, err);
    }
    if (status == MR_OK && event == NULL)
        status = kafka_tool_error(tool, RD_KAFKA_RESP_ERR__TIMED_OUT, NULL, err, "%s", what);
    if (status == MR_OK && rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        status =
            kafka_tool_error(tool, rd_kafka_event_error(event), rd_kafka_event_error_string(event), err, "%s", what);
        rd_kafka_event_destroy(event);
        event = NULL;
    }
    if (status == MR_OK)
        *out = event;
    return status;
}

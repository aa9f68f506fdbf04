/* browse_topics.c -- see browse.h: topics, over librdkafka. */
#include "base/env.h"
#include "base/text.h"
#include "main/browse.h"
#include "main/kafka_tool.h"
#include "main/record_text.h"
#include "main/target.h"

#include <stdlib.h>
#include <string.h>

enum { READ_MS = 3000, POLL_MS = 50 };

struct browse_log {
    struct mr_config *config; /* owned; names the address */
    struct kafka_tool tool;
    bool open;
};

static const struct mr_option options[] = { TARGET_KAFKA_OPTIONS };

struct browse_log *browse_log_new(const char *address)
{
    struct browse_log *log = MR_NEW(struct browse_log);
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status;

    log->config = mr_config_new(options, MR_COUNT(options));
    status = mr_config_set(log->config, "kafka", address, "the server", &err);
    assert(status == MR_OK);
    return log;
}

void browse_log_free(struct browse_log *log)
{
    if (log == NULL)
        return;
    kafka_tool_close(&log->tool);
    mr_config_free(log->config);
    mr_free(log);
}

static enum mr_status log_open(struct browse_log *log, struct mr_err *err)
{
    static const struct kafka_tool_property properties[] = {
        { "group.id", "millrace-console" }, /* librdkafka wants one; nothing is committed */
        { "enable.auto.commit", "false" },
        { "auto.offset.reset", "earliest" },
        { "enable.partition.eof", "true" },
        { "allow.auto.create.topics", "false" },
        { "fetch.wait.max.ms", "50" },
        { "queued.max.messages.kbytes", "8192" },
        { NULL, NULL },
    };
    enum mr_status status = MR_OK;

    if (!log->open)
        status = kafka_tool_open(&log->tool, RD_KAFKA_CONSUMER, log->config, properties, NULL, err);
    log->open = log->open || status == MR_OK;
    log->tool.unreachable = false;
    return status;
}

/* ---- the list ---- */

static int compare_topics(const void *a, const void *b)
{
    return strcmp(((const struct rd_kafka_metadata_topic *)a)->topic,
                  ((const struct rd_kafka_metadata_topic *)b)->topic);
}

/* First and next offsets of TOPIC's partitions; the lists are the caller's, also after a failure. */
static enum mr_status range_read(struct browse_log *log, const struct rd_kafka_metadata_topic *topic,
                                 rd_kafka_topic_partition_list_t **first, rd_kafka_topic_partition_list_t **next,
                                 struct mr_err *err)
{
    enum mr_status status;

    *first = kafka_tool_partitions(topic, RD_KAFKA_OFFSET_BEGINNING);
    *next = kafka_tool_partitions(topic, RD_KAFKA_OFFSET_END);
    status = kafka_tool_offsets(&log->tool, *first, err);
    return status == MR_OK ? kafka_tool_offsets(&log->tool, *next, err) : status;
}

static enum mr_status topic_add(struct browse_log *log, const struct rd_kafka_metadata_topic *topic, json_t *list,
                                struct mr_err *err)
{
    rd_kafka_topic_partition_list_t *first, *next;
    enum mr_status status = range_read(log, topic, &first, &next, err);
    int64_t records = 0, end = 0;

    for (int i = 0; status == MR_OK && i < first->cnt; i++) {
        end += next->elems[i].offset;
        records += next->elems[i].offset - first->elems[i].offset;
    }
    if (status == MR_OK)
        json_array_append_new(list, json_pack("{s:s, s:b, s:i, s:I, s:I}", "name", topic->topic, "internal",
                                              strncmp(topic->topic, "__", 2) == 0, "partitions", topic->partition_cnt,
                                              "records", (json_int_t)records, "end", (json_int_t)end));
    rd_kafka_topic_partition_list_destroy(first);
    rd_kafka_topic_partition_list_destroy(next);
    return status;
}

enum mr_status browse_topics(struct browse_log *log, json_t **out, struct mr_err *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    json_t *list = json_array();
    enum mr_status status = log_open(log, err);

    if (status == MR_OK)
        status = kafka_tool_metadata(&log->tool, NULL, &metadata, err);
    if (status == MR_OK)
        qsort(metadata->topics, (size_t)metadata->topic_cnt, sizeof(metadata->topics[0]), compare_topics);
    for (int i = 0; status == MR_OK && i < metadata->topic_cnt; i++) {
        status = topic_add(log, &metadata->topics[i], list, err);
        if (status == MR_NOT_FOUND) /* deleted meanwhile */
            status = MR_OK;
    }
    if (metadata != NULL)
        rd_kafka_metadata_destroy(metadata);
    if (status == MR_OK)
        *out = list;
    else
        json_decref(list);
    return status;
}

/* ---- the newest messages ---- */

static json_t *message_json(const char *topic, const rd_kafka_message_t *message)
{
    struct record_header headers[RECORD_HEADERS_MAX];
    struct record record = kafka_tool_record(topic, message, headers);
    json_t *object;

    if (record.value.size > BROWSE_VALUE_BYTES_MAX) {
        record.value.size = BROWSE_VALUE_BYTES_MAX;
        while (record.value.size > 0 && (record.value.data[record.value.size] & 0xc0) == 0x80)
            record.value.size--; /* not within a character */
    }
    object = record_json(&record);
    if (record.value.size != message->len)
        json_object_set_new(object, "value_bytes", json_integer((json_int_t)message->len));
    return object;
}

static int compare_messages(const void *a, const void *b)
{
    const json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;
    static const char *const keys[] = { "timestamp_ms", "offset", "partition" };

    for (size_t i = 0; i < MR_COUNT(keys); i++) {
        json_int_t x = json_integer_value(json_object_get(left, keys[i]));
        json_int_t y = json_integer_value(json_object_get(right, keys[i]));
        if (x != y)
            return x > y ? -1 : 1;
    }
    return 0;
}

/* Reads from LIST's offsets to the ends of the partitions, at most BROWSE_MESSAGES_READ_MAX messages in READ_MS. */
static enum mr_status messages_read(struct browse_log *log, const char *topic,
                                    const rd_kafka_topic_partition_list_t *list, json_t ***messages, size_t *count,
                                    struct mr_err *err)
{
    int64_t until_ns = mr_monotonic_ns(mr_env_real()) + (int64_t)READ_MS * 1000000;
    int open = list->cnt;
    enum mr_status status = MR_OK;

    if (rd_kafka_assign(log->tool.handle, list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return mr_err_set(err, MR_IO, "partitions of \"%s\" can't be assigned", topic);
    *messages = mr_alloc(BROWSE_MESSAGES_READ_MAX * sizeof(**messages));
    while (status == MR_OK && open > 0 && *count < BROWSE_MESSAGES_READ_MAX &&
           mr_monotonic_ns(mr_env_real()) < until_ns) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(log->tool.handle, POLL_MS);

        if (message == NULL)
            status = kafka_tool_serve(&log->tool, err);
        else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            open--;
        else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            (*messages)[(*count)++] = message_json(topic, message);
        if (message != NULL)
            rd_kafka_message_destroy(message);
    }
    rd_kafka_assign(log->tool.handle, NULL);
    return status;
}

/* Where each partition's last LIMIT messages begin. */
static enum mr_status tails_find(struct browse_log *log, const struct rd_kafka_metadata_topic *topic, uint32_t limit,
                                 rd_kafka_topic_partition_list_t **out, struct mr_err *err)
{
    rd_kafka_topic_partition_list_t *first, *next;
    enum mr_status status = range_read(log, topic, &first, &next, err);
    int64_t each = BROWSE_MESSAGES_READ_MAX / (topic->partition_cnt > 0 ? topic->partition_cnt : 1) + 1;

    for (int i = 0; status == MR_OK && i < first->cnt; i++) {
        int64_t from = next->elems[i].offset - (each < limit ? each : limit);

        if (from > first->elems[i].offset)
            first->elems[i].offset = from;
    }
    rd_kafka_topic_partition_list_destroy(next);
    if (status == MR_OK)
        *out = first;
    else
        rd_kafka_topic_partition_list_destroy(first);
    return status;
}

enum mr_status browse_messages(struct browse_log *log, const char *topic, uint32_t limit, json_t **out,
                               struct mr_err *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_partition_list_t *tails = NULL;
    json_t **messages = NULL;
    json_t *list;
    size_t count = 0;
    enum mr_status status = log_open(log, err);

    if (status == MR_OK)
        status = kafka_tool_metadata(&log->tool, topic, &metadata, err);
    if (status == MR_OK)
        status = tails_find(log, kafka_tool_topic(metadata, topic), limit, &tails, err);
    if (status == MR_OK)
        status = messages_read(log, topic, tails, &messages, &count, err);
    list = json_array();
    if (count > 0)
        qsort(messages, count, sizeof(messages[0]), compare_messages);
    for (size_t i = 0; i < count; i++) {
        if (i < limit)
            json_array_append(list, messages[i]);
        json_decref(messages[i]);
    }
    if (metadata != NULL)
        rd_kafka_metadata_destroy(metadata);
    if (tails != NULL)
        rd_kafka_topic_partition_list_destroy(tails);
    mr_free(messages);
    if (status == MR_OK)
        *out = list;
    else
        json_decref(list);
    return status;
}

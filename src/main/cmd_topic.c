/* cmd_topic.c -- millrace topic: lists, makes, removes and describes the topics of a Kafka, ours or another. */
#include "base/text.h"
#include "main/command.h"
#include "main/kafka_tool.h"
#include "main/list_output.h"
#include "main/target.h"

#include <stdio.h>
#include <string.h>

static const struct kafka_tool_property no_making[] = { { "allow.auto.create.topics", "false" }, { NULL, NULL } };

static int open_tool(struct kafka_tool *tool, const struct mr_config *config)
{
    struct mr_err err = MR_ERR_INIT;

    if (kafka_tool_open(tool, RD_KAFKA_CONSUMER, config, no_making, NULL, &err) == MR_OK)
        return EXIT_DONE;
    return command_fail(&err);
}

/* ---- list ---- */

static const struct mr_option list_options[] = {
    { "all", "all", 'a', MR_OPTION_FLAG, NULL, "false", NULL, "also internal topics (their names begin with __)" },
    OUTPUT_OPTION,
    TARGET_KAFKA_OPTIONS,
};

static bool topic_is_internal(const char *name)
{
    return strncmp(name, "__", 2) == 0;
}

static int compare_topics(const void *a, const void *b)
{
    return strcmp(((const struct rd_kafka_metadata_topic *)a)->topic,
                  ((const struct rd_kafka_metadata_topic *)b)->topic);
}

/* First and next offsets of every partition that METADATA has. */
static enum mr_status read_offsets(struct kafka_tool *tool, const struct rd_kafka_metadata *metadata, bool all,
                                   rd_kafka_topic_partition_list_t *first, rd_kafka_topic_partition_list_t *next,
                                   struct mr_err *err)
{
    enum mr_status status;

    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];

        for (int j = 0; j < topic->partition_cnt && (all || !topic_is_internal(topic->topic)); j++) {
            int32_t id = topic->partitions[j].id;

            rd_kafka_topic_partition_list_add(first, topic->topic, id)->offset = RD_KAFKA_OFFSET_BEGINNING;
            rd_kafka_topic_partition_list_add(next, topic->topic, id)->offset = RD_KAFKA_OFFSET_END;
        }
    }
    status = kafka_tool_offsets(tool, first, err);
    return status == MR_OK ? kafka_tool_offsets(tool, next, err) : status;
}

static int64_t count_between(const rd_kafka_topic_partition_list_t *first, const rd_kafka_topic_partition_list_t *next,
                             const char *topic)
{
    int64_t count = 0;

    for (int i = 0; i < first->cnt; i++) {
        if (strcmp(first->elems[i].topic, topic) == 0)
            count += next->elems[i].offset - first->elems[i].offset;
    }
    return count;
}

static void print_topics(const struct rd_kafka_metadata *metadata, const rd_kafka_topic_partition_list_t *first,
                         const rd_kafka_topic_partition_list_t *next, bool all, bool json)
{
    static const struct list_column columns[] = {
        { "topic", NULL, false }, { "partitions", NULL, true }, { "replicas", NULL, true }, { "records", NULL, true }
    };
    struct list_output *output = list_output_new(columns, MR_COUNT(columns), json, stdout);

    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];

        if (topic_is_internal(topic->topic) && !all)
            continue;
        list_output_add(output,
                        json_pack("{s:s, s:i, s:i, s:I}", "topic", topic->topic, "partitions", topic->partition_cnt,
                                  "replicas", topic->partition_cnt > 0 ? topic->partitions[0].replica_cnt : 0,
                                  "records", (json_int_t)count_between(first, next, topic->topic)));
    }
    if (list_output_finish(output) == 0 && !json)
        fprintf(stderr, "no topics yet; make one with: millrace topic create NAME\n");
}

static int run_list(struct mr_config *config, char **rest, int rest_count)
{
    rd_kafka_topic_partition_list_t *first = rd_kafka_topic_partition_list_new(16);
    rd_kafka_topic_partition_list_t *next = rd_kafka_topic_partition_list_new(16);
    const struct rd_kafka_metadata *metadata = NULL;
    bool all = mr_config_flag(config, "all");
    struct kafka_tool tool = { 0 };
    struct mr_err err = MR_ERR_INIT;
    int code = open_tool(&tool, config);

    MR_UNUSED(rest);
    MR_UNUSED(rest_count);
    if (code != EXIT_DONE)
        goto out;
    if (kafka_tool_metadata(&tool, NULL, &metadata, &err) != MR_OK ||
        read_offsets(&tool, metadata, all, first, next, &err) != MR_OK) {
        code = command_fail(&err);
        goto out;
    }
    qsort(metadata->topics, (size_t)metadata->topic_cnt, sizeof(metadata->topics[0]), compare_topics);
    print_topics(metadata, first, next, all, command_json(config));
out:
    if (metadata != NULL)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_partition_list_destroy(first);
    rd_kafka_topic_partition_list_destroy(next);
    kafka_tool_close(&tool);
    return code;
}

/* ---- create ---- */

static const struct mr_option create_options[] = {
    { "partitions", "partitions", 'p', MR_OPTION_INTEGER, "N", "-1", NULL, "how many; -1: the server's default" },
    { "replication-factor", "replication-factor", 'r', MR_OPTION_INTEGER, "N", "-1", NULL,
      "copies of each partition; -1: the server's default" },
    { "config", "config", 'c', MR_OPTION_LIST, "NAME=VALUE", NULL, NULL,
      "a setting such as retention.ms=3600000; may come several times" },
    { "if-not-exists", "if-not-exists", 0, MR_OPTION_FLAG, NULL, "false", NULL, "it is no failure when it is there" },
    OUTPUT_OPTION,
    TARGET_KAFKA_OPTIONS,
};

static enum mr_status add_settings(rd_kafka_NewTopic_t *topic, const char *lines, struct mr_err *err)
{
    char *text = mr_strdup(lines ? lines : "");
    char *rest = NULL;
    enum mr_status status = MR_OK;

    for (char *line = strtok_r(text, "\n", &rest); line != NULL && status == MR_OK;
         line = strtok_r(NULL, "\n", &rest)) {
        char *equals = strchr(line, '=');

        if (equals == NULL || equals == line) {
            status = mr_err_set(err, MR_INVALID, "--config: \"%s\" is not NAME=VALUE", line);
            break;
        }
        *equals = '\0';
        MR_UNUSED(rd_kafka_NewTopic_set_config(topic, line, equals + 1)); /* fails only for no name */
    }
    mr_free(text);
    return status;
}

/* Says what became of each topic.  IGNORED is no failure. */
static int print_results(const struct kafka_tool *tool, const rd_kafka_topic_result_t **results, size_t count,
                         const char *done, rd_kafka_resp_err_t ignored, bool json)
{
    int code = EXIT_DONE;

    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[i]);
        const char *name = rd_kafka_topic_result_name(results[i]);
        struct mr_err err = MR_ERR_INIT;

        if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != ignored) {
            kafka_tool_error(tool, error,
                             error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
                                 ? "there is none; millrace topic list shows those there are"
                                 : rd_kafka_topic_result_error_string(results[i]),
                             &err, "topic \"%s\"", name);
            code = command_fail(&err);
        } else if (json) {
            json_t *row = json_pack("{s:s, s:b}", "topic", name, done, error == RD_KAFKA_RESP_ERR_NO_ERROR);

            list_object_print(row, true, stdout);
            json_decref(row);
        } else {
            printf("%s %s\n", name, error == RD_KAFKA_RESP_ERR_NO_ERROR ? done : "needed nothing");
        }
    }
    return code;
}

static int create(struct kafka_tool *tool, const struct mr_config *config, rd_kafka_NewTopic_t **topics, size_t count)
{
    rd_kafka_AdminOptions_t *admin = kafka_tool_admin(tool, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(tool->handle);
    rd_kafka_event_t *event = NULL;
    struct mr_err err = MR_ERR_INIT;
    int code;

    rd_kafka_CreateTopics(tool->handle, topics, count, admin, queue);
    if (kafka_tool_answer(tool, queue, "create topics", &event, &err) != MR_OK) {
        code = command_fail(&err);
    } else {
        const rd_kafka_topic_result_t **results =
            rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);

        code = print_results(tool, results, count, "created",
                             mr_config_flag(config, "if-not-exists") ? RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS
                                                                     : RD_KAFKA_RESP_ERR_NO_ERROR,
                             command_json(config));
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(admin);
    return code;
}

static int run_create(struct mr_config *config, char **rest, int rest_count)
{
    rd_kafka_NewTopic_t **topics = mr_calloc((size_t)rest_count, sizeof(*topics));
    struct kafka_tool tool = { 0 };
    struct mr_err err = MR_ERR_INIT;
    char why[256];
    int code = EXIT_DONE;
    int made = 0;

    for (; made < rest_count && code == EXIT_DONE; made++) {
        topics[made] = rd_kafka_NewTopic_new(rest[made], (int)mr_config_integer(config, "partitions"),
                                             (int)mr_config_integer(config, "replication-factor"), why, sizeof(why));
        if (topics[made] == NULL) {
            code = command_usage("topic \"%s\": %s", rest[made], why);
            break;
        }
        if (add_settings(topics[made], mr_config_text(config, "config"), &err) != MR_OK)
            code = command_usage("%s", err.text);
    }
    if (code == EXIT_DONE)
        code = open_tool(&tool, config);
    if (code == EXIT_DONE)
        code = create(&tool, config, topics, (size_t)made);
    rd_kafka_NewTopic_destroy_array(topics, (size_t)made);
    mr_free(topics);
    kafka_tool_close(&tool);
    return code;
}

/* ---- delete ---- */

static const struct mr_option delete_options[] = {
    { "if-exists", "if-exists", 0, MR_OPTION_FLAG, NULL, "false", NULL, "it is no failure when it is not there" },
    OUTPUT_OPTION,
    TARGET_KAFKA_OPTIONS,
};

static int run_delete(struct mr_config *config, char **rest, int rest_count)
{
    rd_kafka_DeleteTopic_t **topics = mr_calloc((size_t)rest_count, sizeof(*topics));
    rd_kafka_AdminOptions_t *admin = NULL;
    rd_kafka_queue_t *queue = NULL;
    rd_kafka_event_t *event = NULL;
    struct kafka_tool tool = { 0 };
    struct mr_err err = MR_ERR_INIT;
    size_t count = (size_t)rest_count;
    int code = open_tool(&tool, config);

    for (int i = 0; i < rest_count; i++)
        topics[i] = rd_kafka_DeleteTopic_new(rest[i]);
    if (code != EXIT_DONE)
        goto out;
    admin = kafka_tool_admin(&tool, RD_KAFKA_ADMIN_OP_DELETETOPICS);
    queue = rd_kafka_queue_new(tool.handle);
    rd_kafka_DeleteTopics(tool.handle, topics, count, admin, queue);
    if (kafka_tool_answer(&tool, queue, "delete topics", &event, &err) != MR_OK) {
        code = command_fail(&err);
    } else {
        const rd_kafka_topic_result_t **results =
            rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count);

        code = print_results(&tool, results, count, "deleted",
                             mr_config_flag(config, "if-exists") ? RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
                                                                 : RD_KAFKA_RESP_ERR_NO_ERROR,
                             command_json(config));
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(admin);
out:
    rd_kafka_DeleteTopic_destroy_array(topics, (size_t)rest_count);
    mr_free(topics);
    kafka_tool_close(&tool);
    return code;
}

/* ---- describe ---- */

static const struct mr_option describe_options[] = {
    { "all", "all", 'a', MR_OPTION_FLAG, NULL, "false", NULL, "also settings that have their default" },
    OUTPUT_OPTION,
    TARGET_KAFKA_OPTIONS,
};

static json_t *ids_json(const int32_t *ids, int count)
{
    json_t *list = json_array();

    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_integer(ids[i]));
    return list;
}

static enum mr_status describe_partitions(struct kafka_tool *tool, const struct rd_kafka_metadata_topic *topic,
                                          json_t **out, struct mr_err *err)
{
    rd_kafka_topic_partition_list_t *first = kafka_tool_partitions(topic, RD_KAFKA_OFFSET_BEGINNING);
    rd_kafka_topic_partition_list_t *next = kafka_tool_partitions(topic, RD_KAFKA_OFFSET_END);
    enum mr_status status = kafka_tool_offsets(tool, first, err);
    json_t *list = json_array();

    if (status == MR_OK)
        status = kafka_tool_offsets(tool, next, err);
    for (int i = 0; status == MR_OK && i < topic->partition_cnt; i++) {
        const struct rd_kafka_metadata_partition *p = &topic->partitions[i];
        int64_t begin = first->elems[i].offset, end = next->elems[i].offset;

        json_array_append_new(list, json_pack("{s:i, s:i, s:o, s:o, s:I, s:I, s:I}", "partition", p->id, "leader",
                                              p->leader, "replicas", ids_json(p->replicas, p->replica_cnt), "isrs",
                                              ids_json(p->isrs, p->isr_cnt), "first", (json_int_t)begin, "next",
                                              (json_int_t)end, "records", (json_int_t)(end - begin)));
    }
    rd_kafka_topic_partition_list_destroy(first);
    rd_kafka_topic_partition_list_destroy(next);
    if (status == MR_OK)
        *out = list;
    else
        json_decref(list);
    return status;
}

static json_t *setting_json(const rd_kafka_ConfigEntry_t *entry)
{
    const char *value = rd_kafka_ConfigEntry_value(entry);
    static const char *const sources[] = {
        [RD_KAFKA_CONFIG_SOURCE_UNKNOWN_CONFIG] = "unknown",
        [RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG] = "topic",
        [RD_KAFKA_CONFIG_SOURCE_DYNAMIC_BROKER_CONFIG] = "broker",
        [RD_KAFKA_CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER_CONFIG] = "cluster",
        [RD_KAFKA_CONFIG_SOURCE_STATIC_BROKER_CONFIG] = "broker file",
        [RD_KAFKA_CONFIG_SOURCE_DEFAULT_CONFIG] = "default",
    };
    rd_kafka_ConfigSource_t source = rd_kafka_ConfigEntry_source(entry);

    return json_pack("{s:s, s:o, s:s}", "setting", rd_kafka_ConfigEntry_name(entry), "value", list_text(value),
                     "source", (size_t)source < MR_COUNT(sources) ? sources[source] : "unknown");
}

static enum mr_status describe_settings(struct kafka_tool *tool, const char *topic, bool all, json_t **out,
                                        struct mr_err *err)
{
    rd_kafka_AdminOptions_t *admin = kafka_tool_admin(tool, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(tool->handle);
    rd_kafka_event_t *event = NULL;
    enum mr_status status;

    rd_kafka_DescribeConfigs(tool->handle, &resource, 1, admin, queue);
    status = kafka_tool_answer(tool, queue, "describe settings", &event, err);
    if (status == MR_OK) {
        size_t count = 0, entries = 0;
        const rd_kafka_ConfigResource_t **found =
            rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &count);
        const rd_kafka_ConfigEntry_t **entry = count > 0 ? rd_kafka_ConfigResource_configs(found[0], &entries) : NULL;
        json_t *list = json_array();

        for (size_t i = 0; i < entries; i++) {
            if (all || !rd_kafka_ConfigEntry_is_default(entry[i]))
                json_array_append_new(list, setting_json(entry[i]));
        }
        *out = list;
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy(resource);
    rd_kafka_AdminOptions_destroy(admin);
    return status;
}

static void print_list(const json_t *list, const struct list_column *columns, size_t count)
{
    struct list_output *output = list_output_new(columns, count, false, stdout);
    const json_t *row;
    size_t i;

    json_array_foreach(list, i, row) list_output_add(output, json_incref((json_t *)row));
    list_output_finish(output);
}

static void print_topic(const json_t *topic)
{
    static const struct list_column partitions[] = {
        { "partition", NULL, true }, { "leader", NULL, true }, { "replicas", NULL, false }, { "isrs", NULL, false },
        { "first", NULL, true },     { "next", NULL, true },   { "records", NULL, true },
    };
    static const struct list_column settings[] = { { "setting", NULL, false },
                                                   { "value", NULL, false },
                                                   { "source", NULL, false } };

    printf("topic %s\n\n", json_string_value(json_object_get(topic, "topic")));
    print_list(json_object_get(topic, "partitions"), partitions, MR_COUNT(partitions));
    if (json_array_size(json_object_get(topic, "settings")) > 0) {
        printf("\n");
        print_list(json_object_get(topic, "settings"), settings, MR_COUNT(settings));
    }
}

static enum mr_status describe_one(struct kafka_tool *tool, const struct rd_kafka_metadata *metadata,
                                   const struct mr_config *config, const char *name, struct mr_err *err)
{
    const struct rd_kafka_metadata_topic *topic = kafka_tool_topic(metadata, name);
    struct mr_err no_settings = MR_ERR_INIT;
    json_t *partitions = NULL, *settings = NULL, *whole;
    enum mr_status status = describe_partitions(tool, topic, &partitions, err);

    if (status != MR_OK)
        return status;
    status = describe_settings(tool, name, mr_config_flag(config, "all"), &settings, &no_settings);
    if (status != MR_OK) {
        command_error("warning: %s", no_settings.text);
        settings = json_array();
    }
    whole = json_pack("{s:s, s:o, s:o}", "topic", name, "partitions", partitions, "settings", settings);
    if (command_json(config))
        list_object_print(whole, true, stdout);
    else
        print_topic(whole);
    json_decref(whole);
    return MR_OK;
}

static int run_describe(struct mr_config *config, char **rest, int rest_count)
{
    const struct rd_kafka_metadata *metadata = NULL;
    struct kafka_tool tool = { 0 };
    struct mr_err err = MR_ERR_INIT;
    int code = open_tool(&tool, config);

    for (int i = 0; i < rest_count && code == EXIT_DONE; i++) {
        if (i > 0 && !command_json(config))
            printf("\n");
        if (kafka_tool_metadata(&tool, rest[i], &metadata, &err) != MR_OK) {
            code = command_fail(&err);
            break;
        }
        if (describe_one(&tool, metadata, config, rest[i], &err) != MR_OK)
            code = command_fail(&err);
        rd_kafka_metadata_destroy(metadata);
    }
    kafka_tool_close(&tool);
    return code;
}

/* ---- the noun ---- */

static const struct command topic_list = {
    .name = "list",
    .summary = "List topics with their partitions and records",
    .usage = "millrace topic list [OPTION...]",
    .example = "  millrace topic list --output json",
    .options = list_options,
    .option_count = MR_COUNT(list_options),
    .run = run_list,
};

static const struct command topic_create = {
    .name = "create",
    .summary = "Make topics",
    .usage = "millrace topic create NAME... [OPTION...]",
    .example = "  millrace topic create people --partitions 3 --config retention.ms=86400000",
    .options = create_options,
    .option_count = MR_COUNT(create_options),
    .rest_min = 1,
    .rest_max = 1000,
    .run = run_create,
};

static const struct command topic_delete = {
    .name = "delete",
    .summary = "Remove topics with all their records",
    .usage = "millrace topic delete NAME... [OPTION...]",
    .example = "  millrace topic delete people --if-exists",
    .options = delete_options,
    .option_count = MR_COUNT(delete_options),
    .rest_min = 1,
    .rest_max = 1000,
    .words = "topic",
    .run = run_delete,
};

static const struct command topic_describe = {
    .name = "describe",
    .summary = "Show a topic's partitions, offsets and settings",
    .usage = "millrace topic describe NAME... [OPTION...]",
    .text = "first is the offset of the oldest record, next the one that the next record will get.",
    .example = "  millrace topic describe people --all",
    .options = describe_options,
    .option_count = MR_COUNT(describe_options),
    .rest_min = 1,
    .rest_max = 1000,
    .words = "topic",
    .run = run_describe,
};

static const struct command *const verbs[] = { &topic_list, &topic_create, &topic_delete, &topic_describe, NULL };

const struct command command_topic = {
    .name = "topic",
    .summary = "List, make, remove and describe topics",
    .usage = "millrace topic VERB [OPTION...]",
    .text = "Works with the log of the running server, or with any Kafka: --kafka HOST:PORT.",
    .example = "  millrace topic list\n  millrace topic describe people",
    .verbs = verbs,
};

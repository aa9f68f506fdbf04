/* cmd_dlq.c -- millrace dlq: the dead letters of queries, each with why and where it failed and where it came from.
 *
 * A query's dead letters are the topic <query>.dlq (or what records.dlq.topic names); Kafka Connect's headers say the
 * rest, so topics that Connect wrote can be shown too. */
#include "base/text.h"
#include "main/command.h"
#include "main/consume_range.h"
#include "main/kafka_tool.h"
#include "main/list_output.h"
#include "main/record_text.h"
#include "main/target.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define DLQ_ENDING    ".dlq"
#define DLQ_HEADER    "__connect.errors."
#define DLQ_EXCEPTION DLQ_HEADER "exception.message"

enum dlq_limits { TOPIC_BYTES = 256, POLL_MS = 100, SILENT_POLLS_MAX = 150 };

static const struct kafka_tool_property properties[] = {
    { "group.id", "millrace-dlq" },          { "enable.auto.commit", "false" },  { "auto.offset.reset", "error" },
    { "allow.auto.create.topics", "false" }, { "enable.partition.eof", "true" }, { NULL, NULL },
};

/* ---- list ---- */

static const struct mr_option list_options[] = {
    OUTPUT_OPTION,
    TARGET_KAFKA_OPTIONS,
};

static bool is_dead_letters(const char *topic)
{
    size_t size = strlen(topic);

    return size > strlen(DLQ_ENDING) && strcmp(topic + size - strlen(DLQ_ENDING), DLQ_ENDING) == 0;
}

static enum mr_status count_records(struct kafka_tool *tool, const struct rd_kafka_metadata_topic *topic, int64_t *out,
                                    struct mr_err *err)
{
    rd_kafka_topic_partition_list_t *first = kafka_tool_partitions(topic, RD_KAFKA_OFFSET_BEGINNING);
    rd_kafka_topic_partition_list_t *next = kafka_tool_partitions(topic, RD_KAFKA_OFFSET_END);
    enum mr_status status = kafka_tool_offsets(tool, first, err);
    int64_t count = 0;

    if (status == MR_OK)
        status = kafka_tool_offsets(tool, next, err);
    for (int i = 0; status == MR_OK && i < first->cnt; i++)
        count += next->elems[i].offset - first->elems[i].offset;
    rd_kafka_topic_partition_list_destroy(first);
    rd_kafka_topic_partition_list_destroy(next);
    if (status == MR_OK)
        *out = count;
    return status;
}

static enum mr_status list(struct kafka_tool *tool, bool json, struct mr_err *err)
{
    static const struct list_column columns[] = { { "query", NULL, false },
                                                  { "topic", NULL, false },
                                                  { "dead_letters", "dead letters", true } };
    const struct rd_kafka_metadata *metadata = NULL;
    struct list_output *output;
    enum mr_status status = kafka_tool_metadata(tool, NULL, &metadata, err);

    if (status != MR_OK)
        return status;
    output = list_output_new(columns, MR_COUNT(columns), json, stdout);
    for (int i = 0; i < metadata->topic_cnt && status == MR_OK; i++) {
        const char *topic = metadata->topics[i].topic;
        int64_t count = 0;

        if (!is_dead_letters(topic))
            continue;
        status = count_records(tool, &metadata->topics[i], &count, err);
        if (status == MR_OK)
            list_output_add(output, json_pack("{s:s%, s:s, s:I}", "query", topic, strlen(topic) - strlen(DLQ_ENDING),
                                              "topic", topic, "dead_letters", (json_int_t)count));
    }
    if (list_output_finish(output) == 0 && status == MR_OK && !json)
        fprintf(stderr, "no dead letters\n");
    rd_kafka_metadata_destroy(metadata);
    return status;
}

static int run_list(struct mr_config *config, char **rest, int rest_count)
{
    struct kafka_tool tool = { 0 };
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = kafka_tool_open(&tool, RD_KAFKA_CONSUMER, config, properties, NULL, &err);

    MR_UNUSED(rest);
    MR_UNUSED(rest_count);
    if (status == MR_OK)
        status = list(&tool, command_json(config), &err);
    kafka_tool_close(&tool);
    return status == MR_OK ? EXIT_DONE : command_fail(&err);
}

/* ---- show ---- */

static const struct mr_option show_options[] = {
    { "from", "from", 0, MR_OPTION_TEXT, "beginning|end|OFFSET|-N|@TIME", "-10", NULL,
      "where to begin: an offset, the last N of each partition, a time in ms or as 2026-01-31 12:00" },
    { "count", "count", 'n', MR_OPTION_INTEGER, "COUNT", NULL, NULL, "at most so many" },
    OUTPUT_OPTION,
    TARGET_KAFKA_OPTIONS,
};

/* The signal handler can reach nothing else. */
static atomic_bool interrupted;

static void on_interrupt(int number)
{
    MR_UNUSED(number);
    atomic_store(&interrupted, true);
}

/* The text of header NAME of MESSAGE as JSON; null when it has none. */
static json_t *header_json(const rd_kafka_message_t *message, const char *name, bool number)
{
    rd_kafka_headers_t *headers = NULL;
    const void *value = NULL;
    size_t size = 0;
    int64_t v;

    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR || value == NULL)
        return json_null();
    if (number && mr_parse_i64((struct mr_str){ value, size }, &v) == MR_OK)
        return json_integer(v);
    return mr_utf8_valid((struct mr_bytes){ value, size }) ? json_stringn_nocheck(value, size) : json_null();
}

static json_t *letter_json(const rd_kafka_message_t *message, const char *topic)
{
    static const struct {
        const char *key;
        const char *header;
        bool number;
    } parts[] = {
        { "reason", DLQ_EXCEPTION, false },
        { "stage", DLQ_HEADER "stage", false },
        { "class", DLQ_HEADER "class.name", false },
        { "origin_topic", DLQ_HEADER "topic", false },
        { "origin_partition", DLQ_HEADER "partition", true },
        { "origin_offset", DLQ_HEADER "offset", true },
        { "origin_record", DLQ_HEADER "record", true },
        { "query", DLQ_HEADER "connector.name", false },
        { "key_truncated", DLQ_HEADER "key.truncated", true },
        { "value_truncated", DLQ_HEADER "value.truncated", true },
    };
    struct record record = {
        .topic = topic,
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, NULL),
        .key = { message->key, message->key_len },
        .value = { message->payload, message->len },
    };
    json_t *letter = record_json(&record);

    json_object_del(letter, "headers");
    for (size_t i = 0; i < MR_COUNT(parts); i++) {
        json_t *part = header_json(message, parts[i].header, parts[i].number);

        if (strstr(parts[i].key, "truncated") == NULL || !json_is_null(part))
            json_object_set_new(letter, parts[i].key, part);
        else
            json_decref(part);
    }
    return letter;
}

/* Bytes that are no text, sixteen a line as hexdump -C shows them. */
static void print_bytes(const uint8_t *data, size_t size)
{
    for (size_t at = 0; at < size; at += 16) {
        printf("    %08zx ", at);
        for (size_t i = at; i < at + 16; i++)
            i < size ? printf(" %02x", data[i]) : printf("   ");
        printf("  ");
        for (size_t i = at; i < at + 16 && i < size; i++)
            putchar(data[i] >= 0x20 && data[i] < 0x7f ? data[i] : '.');
        printf("\n");
    }
}

static void print_part(const char *name, const void *data, size_t size)
{
    struct mr_writer safe = { 0 };
    json_t *text;

    if (data == NULL)
        return;
    if (!mr_utf8_valid((struct mr_bytes){ data, size })) {
        printf("  %-7s %zu bytes that are no text\n", name, size);
        print_bytes(data, size);
        return;
    }
    text = json_stringn_nocheck(data, size);
    list_cell_write(&safe, text);
    printf("  %-7s %.*s\n", name, (int)safe.size, safe.data ? (const char *)safe.data : "");
    mr_writer_deinit(&safe);
    json_decref(text);
}

static const char *text_of(const json_t *letter, const char *name)
{
    const char *text = json_string_value(json_object_get(letter, name));

    return text ? text : "?";
}

static void print_letter(const json_t *letter, const rd_kafka_message_t *message)
{
    char time[32];
    const json_t *record = json_object_get(letter, "origin_record");

    time[mr_format_time_ms(time, rd_kafka_message_timestamp(message, NULL), ' ')] = '\0';
    printf("%s%s %" PRId32 ":%" PRId64 "%s  %s\n", command_colour(fileno(stdout)) ? "\033[1m" : "",
           text_of(letter, "topic"), message->partition, message->offset,
           command_colour(fileno(stdout)) ? "\033[0m" : "", time);
    print_part("reason", text_of(letter, "reason"), strlen(text_of(letter, "reason")));
    printf("  stage   %s, %s\n", text_of(letter, "stage"), text_of(letter, "class"));
    printf("  from    %s, partition %" JSON_INTEGER_FORMAT ", offset %" JSON_INTEGER_FORMAT,
           text_of(letter, "origin_topic"), json_integer_value(json_object_get(letter, "origin_partition")),
           json_integer_value(json_object_get(letter, "origin_offset")));
    if (json_integer_value(record) > 0)
        printf(", record %" JSON_INTEGER_FORMAT, json_integer_value(record));
    printf("\n");
    print_part("key", message->key, message->key_len);
    print_part("value", message->payload, message->len);
    if (json_object_get(letter, "value_truncated") != NULL)
        printf("  the value is cut: it has %" JSON_INTEGER_FORMAT " bytes at its origin\n",
               json_integer_value(json_object_get(letter, "value_truncated")));
}

struct show {
    struct kafka_tool tool; /* first: librdkafka's opaque is its address */
    char topic[TOPIC_BYTES];
    struct consume_partition *partitions; /* owned */
    int partition_count;
    int64_t left; /* letters still wanted */
    int64_t shown;
    bool json;
};

static bool is_wanted(struct show *s, const rd_kafka_message_t *message)
{
    for (int i = 0; i < s->partition_count; i++) {
        struct consume_partition *p = &s->partitions[i];

        if (p->id != message->partition)
            continue;
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF || message->offset + 1 >= p->stop)
            p->done = true;
        return message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->offset < p->stop;
    }
    return false;
}

static bool all_done(const struct show *s)
{
    bool done = true;

    for (int i = 0; i < s->partition_count; i++)
        done = done && s->partitions[i].done;
    return done;
}

static enum mr_status letters_read(struct show *s, struct mr_err *err)
{
    int silent = 0;

    while (!all_done(s) && s->left > 0 && !atomic_load(&interrupted)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(s->tool.handle, POLL_MS);
        json_t *letter;

        if (message == NULL && ++silent > SILENT_POLLS_MAX)
            return kafka_tool_error(&s->tool, RD_KAFKA_RESP_ERR__TIMED_OUT, NULL, err, "topic \"%s\"", s->topic);
        if (message == NULL)
            continue;
        silent = 0;
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            enum mr_status status = kafka_tool_error(&s->tool, message->err, rd_kafka_message_errstr(message), err,
                                                     "topic \"%s\"", s->topic);

            rd_kafka_message_destroy(message);
            return status;
        }
        if (is_wanted(s, message)) {
            letter = letter_json(message, s->topic);
            if (s->json)
                list_json_print(letter, stdout);
            else
                print_letter(letter, message);
            json_decref(letter);
            s->shown++;
            s->left--;
        }
        rd_kafka_message_destroy(message);
    }
    return MR_OK;
}

/* NAME is a query, or the topic itself. */
static enum mr_status find_topic(struct show *s, const char *name, const struct rd_kafka_metadata **out,
                                 struct mr_err *err)
{
    enum mr_status status = kafka_tool_metadata(&s->tool, NULL, out, err);

    if (status != MR_OK)
        return status;
    snprintf(s->topic, sizeof(s->topic), "%s%s", name, DLQ_ENDING);
    if (kafka_tool_topic(*out, s->topic) == NULL && kafka_tool_topic(*out, name) != NULL)
        snprintf(s->topic, sizeof(s->topic), "%s", name);
    if (kafka_tool_topic(*out, s->topic) != NULL)
        return MR_OK;
    return mr_err_set(err, MR_NOT_FOUND,
                      "%s has no dead letters: there is no topic %s; millrace dlq list shows those "
                      "there are",
                      name, s->topic);
}

static enum mr_status show(struct show *s, const char *name, const struct consume_start *start, struct mr_err *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_partition_list_t *assigned = rd_kafka_topic_partition_list_new(1);
    int64_t total = 0;
    enum mr_status status = find_topic(s, name, &metadata, err);

    if (status == MR_OK)
        status = consume_range(&s->tool, kafka_tool_topic(metadata, s->topic), -1, start, true, &s->partitions,
                               &s->partition_count, &total, err);
    for (int i = 0; i < s->partition_count; i++) {
        if (!s->partitions[i].done)
            rd_kafka_topic_partition_list_add(assigned, s->topic, s->partitions[i].id)->offset = s->partitions[i].start;
    }
    if (status == MR_OK && rd_kafka_assign(s->tool.handle, assigned) != RD_KAFKA_RESP_ERR_NO_ERROR)
        status = mr_err_set(err, MR_IO, "partitions of \"%s\" can't be assigned", s->topic);
    if (status == MR_OK)
        status = letters_read(s, err);
    if (status == MR_OK && s->shown == 0 && !s->json)
        fprintf(stderr, "no dead letters there\n");
    rd_kafka_topic_partition_list_destroy(assigned);
    if (metadata != NULL)
        rd_kafka_metadata_destroy(metadata);
    return status;
}

static int run_show(struct mr_config *config, char **rest, int rest_count)
{
    struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND };
    struct show s = {
        .json = command_json(config),
        .left = mr_config_text(config, "count") ? mr_config_integer(config, "count") : INT64_MAX,
    };
    struct consume_start start;
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status;

    MR_UNUSED(rest_count);
    if (consume_start_parse(&start, mr_config_text(config, "from"), &err) != MR_OK)
        return command_usage("%s", err.text);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    status = kafka_tool_open(&s.tool, RD_KAFKA_CONSUMER, config, properties, NULL, &err);
    if (status == MR_OK) {
        rd_kafka_poll_set_consumer(s.tool.handle);
        status = show(&s, rest[0], &start, &err);
        rd_kafka_consumer_close(s.tool.handle);
    }
    kafka_tool_close(&s.tool);
    mr_free(s.partitions);
    fflush(stdout);
    return status == MR_OK ? EXIT_DONE : command_fail(&err);
}

/* ---- the noun ---- */

static const struct command dlq_list = {
    .name = "list",
    .summary = "List the queries that have dead letters",
    .usage = "millrace dlq list [OPTION...]",
    .example = "  millrace dlq list",
    .options = list_options,
    .option_count = MR_COUNT(list_options),
    .run = run_list,
};

static const struct command dlq_show = {
    .name = "show",
    .summary = "Show dead letters: why and where they failed, where they came from, their bytes",
    .usage = "millrace dlq show QUERY|TOPIC [OPTION...]",
    .text = "Key and value are the record's own bytes; those that are no text are shown as numbers, in JSON as "
            "value_base64.",
    .example = "  millrace dlq show store_people --from -1\n"
               "  millrace dlq show store_people --from beginning -o json | millrace produce random_names --input json",
    .options = show_options,
    .option_count = MR_COUNT(show_options),
    .rest_min = 1,
    .rest_max = 1,
    .words = "query",
    .run = run_show,
};

static const struct command *const verbs[] = { &dlq_list, &dlq_show, NULL };

const struct command command_dlq = {
    .name = "dlq",
    .summary = "List and show dead letters, the records that failed",
    .usage = "millrace dlq VERB [OPTION...]",
    .text = "Works with the log of the running server, or with any Kafka: --kafka HOST:PORT.",
    .example = "  millrace dlq list\n  millrace dlq show store_people",
    .verbs = verbs,
};

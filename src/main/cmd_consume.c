/* cmd_consume.c -- millrace consume: records of a topic as text, as a table or as JSON that produce reads back.
 *
 * Alone it reads partitions from where --from says; with --group it is a member of a consumer group, which keeps the
 * position.  With --exit it ends where the topic ended when it began. */
#include "base/text.h"
#include "main/command.h"
#include "main/consume_range.h"
#include "main/kafka_tool.h"
#include "main/list_output.h"
#include "main/progress.h"
#include "main/record_text.h"
#include "main/target.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct mr_option options[] = {
    { "partition", "partition", 'p', MR_OPTION_INTEGER, "N", "-1", NULL, "read this one alone; -1: all" },
    { "from", "from", 0, MR_OPTION_TEXT, "beginning|end|OFFSET|-N|@TIME", NULL, NULL,
      "where to begin: an offset, the last N of each partition, a time in ms or as 2026-01-31 12:00 (beginning)" },
    { "count", "count", 'n', MR_OPTION_INTEGER, "COUNT", NULL, NULL, "end after so many records" },
    { "exit", "exit", 'e', MR_OPTION_FLAG, NULL, "false", NULL, "end at the end of the topic instead of waiting" },
    { "format", "format", 'f', MR_OPTION_TEXT, "FORMAT", NULL, NULL,
      "as kcat's: %s value, %S its bytes, %k key, %K its bytes, %t topic, %p partition, %o offset, %T time, %h "
      "headers" },
    { "key-delimiter", "key-delimiter", 'K', MR_OPTION_TEXT, "TEXT", NULL, NULL,
      "print the key and TEXT before each value" },
    { "delimiter", "delimiter", 'D', MR_OPTION_TEXT, "TEXT", "\\n", NULL, "what is printed after each record" },
    { "null", "null", 'Z', MR_OPTION_TEXT, "TEXT", "", NULL, "what is printed for a null key or value" },
    { "group", "group", 'G', MR_OPTION_TEXT, "GROUP", NULL, NULL,
      "be a member of this consumer group and go on where it is" },
    { "isolation", "isolation", 0, MR_OPTION_CHOICE, NULL, "committed", "committed|uncommitted",
      "whether records of open and aborted transactions are seen" },
    { "output", "output", 'o', MR_OPTION_CHOICE, NULL, "text", "text|table|json",
      "values alone (or the format), a table, or one JSON object a line" },
    TARGET_KAFKA_OPTIONS,
};

enum consume_limits { POLL_MS = 100, OUTPUT_BYTES = 1 << 16 };

/* The signal handler can reach nothing else. */
static atomic_bool interrupted;

static void on_interrupt(int number)
{
    MR_UNUSED(number);
    atomic_store(&interrupted, true);
}

struct consume {
    struct kafka_tool tool; /* first: librdkafka's opaque is its address */
    const struct mr_config *config;
    const char *topic;
    struct mr_writer format;   /* NUL-terminated, or empty */
    struct mr_writer line;     /* what is printed next */
    struct list_output *table; /* owned; with --output table */
    bool json, to_end, group;
    int64_t count, count_max;             /* max 0: no limit */
    struct consume_partition *partitions; /* owned */
    int partition_count;
    int done_count;
    struct progress progress;
};

static const struct list_column columns[] = {
    { "partition", NULL, true }, { "offset", NULL, true }, { "time", NULL, false },
    { "key", NULL, false },      { "value", NULL, false },
};

/* ---- printing ---- */

/* A table's cell: a number of bytes instead of what is no text. */
static json_t *cell_json(struct mr_bytes bytes)
{
    if (bytes.data == NULL)
        return json_null();
    if (mr_utf8_valid(bytes))
        return json_stringn_nocheck((const char *)bytes.data, bytes.size);
    return json_sprintf("(%zu bytes that are no text)", bytes.size);
}

static void print_row(struct consume *c, const struct record *record)
{
    char time[32] = "";
    json_t *row = json_object();

    if (record->timestamp_ms >= 0)
        time[mr_format_time_ms(time, record->timestamp_ms, ' ')] = '\0';
    json_object_set_new(row, "partition", json_integer(record->partition));
    json_object_set_new(row, "offset", json_integer(record->offset));
    json_object_set_new(row, "time", json_string(time));
    json_object_set_new(row, "key", cell_json(record->key));
    json_object_set_new(row, "value", cell_json(record->value));
    list_output_add(c->table, row);
}

static void print_message(struct consume *c, const rd_kafka_message_t *message)
{
    struct record_header headers[RECORD_HEADERS_MAX];
    struct record record = kafka_tool_record(c->topic, message, headers);

    if (c->table != NULL) {
        print_row(c, &record);
    } else if (c->json) {
        json_t *object = record_json(&record);

        list_json_print(object, stdout);
        json_decref(object);
    } else {
        c->line.size = 0;
        record_format(&c->line, (const char *)c->format.data, &record, mr_config_text(c->config, "null"));
        fwrite(c->line.data, 1, c->line.size, stdout);
    }
}

static void print_pause(struct consume *c)
{
    if (c->table != NULL)
        list_output_flush(c->table);
    fflush(stdout);
}

/* ---- reading ---- */

static struct consume_partition *find_partition(struct consume *c, int32_t id)
{
    for (int i = 0; i < c->partition_count; i++) {
        if (c->partitions[i].id == id)
            return &c->partitions[i];
    }
    return NULL;
}

static void partition_done(struct consume *c, struct consume_partition *p)
{
    if (p != NULL && !p->done) {
        p->done = true;
        c->done_count++;
    }
}

/* Of a group: are all partitions that this member has at their end? */
static bool group_at_end(struct consume *c)
{
    rd_kafka_topic_partition_list_t *mine = NULL;
    bool all = c->to_end;

    if (!all || rd_kafka_assignment(c->tool.handle, &mine) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    for (int i = 0; i < mine->cnt; i++) {
        struct consume_partition *p = find_partition(c, mine->elems[i].partition);

        all = all && (p == NULL || p->done);
    }
    all = all && mine->cnt > 0;
    rd_kafka_topic_partition_list_destroy(mine);
    return all;
}

static bool finished(struct consume *c)
{
    if (c->count_max > 0 && c->count >= c->count_max)
        return true;
    return !c->group && c->to_end && c->done_count == c->partition_count;
}

/* Takes one message or event. */
static enum mr_status take(struct consume *c, const rd_kafka_message_t *message, struct mr_err *err)
{
    struct consume_partition *p = find_partition(c, message->partition);

    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (p != NULL && (c->group || message->offset >= p->stop))
            partition_done(c, p);
        return MR_OK;
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_tool_error(&c->tool, message->err, rd_kafka_message_errstr(message), err, "topic \"%s\"",
                                c->topic);
    if (!c->group && p != NULL && message->offset >= p->stop) {
        partition_done(c, p);
        return MR_OK;
    }
    if (c->group && p != NULL && p->done) {
        p->done = false;
        c->done_count--;
    }
    print_message(c, message);
    c->count++;
    if (!c->group && p != NULL && message->offset + 1 >= p->stop)
        partition_done(c, p);
    return MR_OK;
}

static enum mr_status loop(struct consume *c, struct mr_err *err)
{
    enum mr_status status = MR_OK;
    bool paused = true;

    while (status == MR_OK && !finished(c) && !atomic_load(&interrupted)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(c->tool.handle, paused ? POLL_MS : 0);

        if (message == NULL) {
            if (!paused)
                print_pause(c);
            paused = true;
            if (c->tool.unreachable)
                status = kafka_tool_serve(&c->tool, err);
            continue;
        }
        paused = false;
        status = take(c, message, err);
        if (status == MR_OK && c->group && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && group_at_end(c)) {
            rd_kafka_message_destroy(message);
            break;
        }
        rd_kafka_message_destroy(message);
        progress_show(&c->progress, c->count);
        if (ferror(stdout))
            status = mr_err_set(err, MR_IO, "standard output can't be written");
    }
    return status;
}

/* ---- the command ---- */

static enum mr_status assign(struct consume *c, const struct rd_kafka_metadata_topic *topic,
                             const struct consume_start *start, struct mr_err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(topic->partition_cnt);
    int32_t partition = (int32_t)mr_config_integer(c->config, "partition");
    int64_t total = 0;
    enum mr_status status =
        consume_range(&c->tool, topic, partition, start, c->to_end, &c->partitions, &c->partition_count, &total, err);

    for (int i = 0; status == MR_OK && i < c->partition_count; i++) {
        const struct consume_partition *p = &c->partitions[i];

        if (p->done)
            c->done_count++;
        else
            rd_kafka_topic_partition_list_add(list, c->topic, p->id)->offset = p->start;
    }
    if (c->count_max > 0 && (total == 0 || c->count_max < total))
        total = c->count_max;
    progress_begin(&c->progress, c->topic, PROGRESS_RECORDS, total, !isatty(STDOUT_FILENO));
    if (status == MR_OK && rd_kafka_assign(c->tool.handle, list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        status = mr_err_set(err, MR_IO, "partitions of \"%s\" can't be assigned", c->topic);
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}

static enum mr_status subscribe(struct consume *c, const struct rd_kafka_metadata_topic *topic, struct mr_err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_resp_err_t code;

    c->partitions = mr_calloc((size_t)topic->partition_cnt + 1, sizeof(*c->partitions));
    c->partition_count = topic->partition_cnt;
    for (int i = 0; i < topic->partition_cnt; i++)
        c->partitions[i].id = topic->partitions[i].id;
    progress_begin(&c->progress, c->topic, PROGRESS_RECORDS, c->count_max, !isatty(STDOUT_FILENO));
    rd_kafka_topic_partition_list_add(list, c->topic, RD_KAFKA_PARTITION_UA);
    code = rd_kafka_subscribe(c->tool.handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? MR_OK
               : kafka_tool_error(&c->tool, code, NULL, err, "group \"%s\"", mr_config_text(c->config, "group"));
}

static enum mr_status begin(struct consume *c, const struct consume_start *start, struct mr_err *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    enum mr_status status = kafka_tool_metadata(&c->tool, c->topic, &metadata, err);

    if (status != MR_OK)
        return status;
    rd_kafka_poll_set_consumer(c->tool.handle);
    if (c->group)
        status = subscribe(c, kafka_tool_topic(metadata, c->topic), err);
    else
        status = assign(c, kafka_tool_topic(metadata, c->topic), start, err);
    rd_kafka_metadata_destroy(metadata);
    return status;
}

static void set_format(struct consume *c)
{
    const char *format = mr_config_text(c->config, "format");
    const char *key_delimiter = mr_config_text(c->config, "key-delimiter");

    if (format != NULL)
        mr_write_text(&c->format, "%s", format);
    else if (key_delimiter != NULL)
        mr_write_text(&c->format, "%%k%s%%s%s", key_delimiter, mr_config_text(c->config, "delimiter"));
    else
        mr_write_text(&c->format, "%%s%s", mr_config_text(c->config, "delimiter"));
    mr_write_u8(&c->format, 0);
}

static int check(const struct consume *c, struct consume_start *start)
{
    const char *from = mr_config_text(c->config, "from");
    const char *format = mr_config_text(c->config, "format");
    struct mr_err err = MR_ERR_INIT;

    if (consume_start_parse(start, from ? from : "beginning", &err) != MR_OK ||
        (format != NULL && record_format_check(format, &err) != MR_OK))
        return command_usage("%s", err.text);
    if (c->group && start->from != CONSUME_BEGINNING && start->from != CONSUME_END)
        return command_usage("--from %s: with --group only beginning and end (for a group without positions)", from);
    if (c->group && mr_config_integer(c->config, "partition") >= 0)
        return command_usage("--partition: with --group the group decides");
    if (c->count_max < 0)
        return command_usage("--count %" PRId64 ": at least 1", c->count_max);
    return EXIT_DONE;
}

static int consume_all(struct consume *c, const struct consume_start *start)
{
    const struct kafka_tool_property properties[] = {
        { "group.id", c->group ? mr_config_text(c->config, "group") : "millrace-consume" },
        { "enable.auto.commit", c->group ? "true" : "false" },
        { "auto.commit.interval.ms", "1000" },
        { "auto.offset.reset", !c->group                          ? "error"
                               : start->from == CONSUME_BEGINNING ? "earliest"
                                                                  : "latest" },
        { "enable.partition.eof", "true" },
        { "allow.auto.create.topics", "false" },
        { "isolation.level",
          strcmp(mr_config_text(c->config, "isolation"), "committed") == 0 ? "read_committed" : "read_uncommitted" },
        { "queued.max.messages.kbytes", "131072" },
        { NULL, NULL },
    };
    struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND };
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = kafka_tool_open(&c->tool, RD_KAFKA_CONSUMER, c->config, properties, NULL, &err);

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (status == MR_OK)
        status = begin(c, start, &err);
    if (status == MR_OK)
        status = loop(c, &err);
    progress_end(&c->progress);
    print_pause(c);
    if (c->tool.handle != NULL)
        rd_kafka_consumer_close(c->tool.handle);
    return status == MR_OK ? EXIT_DONE : command_fail(&err);
}

static int run(struct mr_config *config, char **rest, int rest_count)
{
    const char *output = mr_config_text(config, "output");
    struct consume c = {
        .config = config,
        .topic = rest[0],
        .json = strcmp(output, "json") == 0,
        .to_end = mr_config_flag(config, "exit"),
        .group = mr_config_text(config, "group") != NULL,
        .count_max = mr_config_integer(config, "count"),
    };
    struct consume_start start;
    int code = check(&c, &start);

    MR_UNUSED(rest_count);
    if (code == EXIT_DONE && !(mr_config_text(config, "count") != NULL && c.count_max == 0)) {
        if (!isatty(STDOUT_FILENO))
            setvbuf(stdout, NULL, _IOFBF, OUTPUT_BYTES);
        set_format(&c);
        if (strcmp(output, "table") == 0)
            c.table = list_output_new(columns, MR_COUNT(columns), false, stdout);
        code = consume_all(&c, &start);
        if (c.table != NULL)
            list_output_finish(c.table);
    }
    kafka_tool_close(&c.tool);
    mr_writer_deinit(&c.format);
    mr_writer_deinit(&c.line);
    mr_free(c.partitions);
    return code;
}

const struct command command_consume = {
    .name = "consume",
    .summary = "Print the records of a topic",
    .usage = "millrace consume TOPIC [OPTION...]",
    .text = "Without --exit or --count it waits for more; Ctrl-C ends it.  What --output json prints, millrace produce "
            "--input json\n"
            "writes back.",
    .example = "  millrace consume people --from -10 -e\n"
               "  millrace consume people -f '%p %o %k: %s\\n' --from '@2026-01-31 12:00' -n 5\n"
               "  millrace consume people -G report -o json | jq .value",
    .options = options,
    .option_count = MR_COUNT(options),
    .rest_min = 1,
    .rest_max = 1,
    .words = "topic",
    .run = run,
};

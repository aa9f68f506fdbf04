/* cmd_produce.c -- millrace produce: lines, files or JSON become records of a topic. */
#include "base/text.h"
#include "main/command.h"
#include "main/kafka_tool.h"
#include "main/list_output.h"
#include "main/progress.h"
#include "main/record_text.h"
#include "main/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct mr_option options[] = {
    { "key", "key", 'k', MR_OPTION_TEXT, "KEY", NULL, NULL, "the key of every record" },
    { "key-delimiter", "key-delimiter", 'K', MR_OPTION_TEXT, "TEXT", NULL, NULL,
      "what divides a line into key and value; \\t is a tab" },
    { "delimiter", "delimiter", 'D', MR_OPTION_TEXT, "TEXT", "\\n", NULL, "what ends a record" },
    { "header", "header", 'H', MR_OPTION_LIST, "NAME=VALUE", NULL, NULL,
      "a header of every record; may come several times" },
    { "partition", "partition", 'p', MR_OPTION_INTEGER, "N", "-1", NULL, "-1: by the key's hash" },
    { "input", "input", 0, MR_OPTION_CHOICE, NULL, "text", "text|json|whole",
      "records are lines, or what millrace consume --output json wrote, or whole files" },
    { "null-empty", "null-empty", 'Z', MR_OPTION_FLAG, NULL, "false", NULL,
      "an empty key or value is null (a tombstone), not empty" },
    { "compression", "compression", 'z', MR_OPTION_CHOICE, NULL, "none", "none|gzip|snappy|lz4|zstd",
      "how batches are compressed" },
    { "acks", "acks", 0, MR_OPTION_CHOICE, NULL, "all", "all|1|0", "which acknowledgements are waited for" },
    OUTPUT_OPTION,
    TARGET_KAFKA_OPTIONS,
};

enum produce_limits {
    READ_BYTES = 1 << 16,
    RECORD_BYTES_MAX = 64 << 20, /* of what is read; the Kafka's own limit is lower */
    HEADERS_MAX = 64,
    FLUSH_SLICE_MS = 100,
};

struct produce {
    struct kafka_tool tool; /* first: librdkafka's opaque is its address */
    const struct mr_config *config;
    const char *topic;
    bool json_input, json_output, null_empty;
    const char *fixed_key; /* NULL: none */
    struct mr_writer key_delimiter, delimiter;
    struct record_header headers[HEADERS_MAX];
    uint32_t header_count;
    char *header_text; /* owned */
    struct mr_arena *arena;
    struct mr_writer kept; /* read, and not yet a record */
    int64_t read_bytes;
    int64_t sent, delivered, failed;
    struct mr_err why; /* of the first failure */
    struct progress progress;
};

static void on_delivered(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    struct produce *p = opaque;

    MR_UNUSED(handle);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (p->failed++ == 0)
            kafka_tool_error(&p->tool, message->err, NULL, &p->why, "topic \"%s\"", p->topic);
        return;
    }
    p->delivered++;
    if (p->json_output)
        printf("{\"topic\":\"%s\",\"partition\":%" PRId32 ",\"offset\":%" PRId64 "}\n", p->topic, message->partition,
               message->offset);
}

/* ---- records ---- */

static rd_kafka_headers_t *headers_of(const struct produce *p, const struct record *record)
{
    rd_kafka_headers_t *headers;

    if (p->header_count + record->header_count == 0)
        return NULL;
    headers = rd_kafka_headers_new(p->header_count + record->header_count);
    for (uint32_t i = 0; i < record->header_count + p->header_count; i++) {
        const struct record_header *h =
            i < record->header_count ? &record->headers[i] : &p->headers[i - record->header_count];

        rd_kafka_header_add(headers, h->name.data, (ssize_t)h->name.size, h->value.data, (ssize_t)h->value.size);
    }
    return headers;
}

static enum mr_status record_send(struct produce *p, const struct record *record, struct mr_err *err)
{
    int32_t partition = (int32_t)mr_config_integer(p->config, "partition");

    for (;;) {
        rd_kafka_headers_t *headers = headers_of(p, record);
        rd_kafka_resp_err_t code = rd_kafka_producev(
            p->tool.handle, RD_KAFKA_V_TOPIC(p->topic), RD_KAFKA_V_PARTITION(partition),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE((void *)record->value.data, record->value.size),
            RD_KAFKA_V_KEY(record->key.data, record->key.size),
            RD_KAFKA_V_TIMESTAMP(record->timestamp_ms >= 0 ? record->timestamp_ms : 0), RD_KAFKA_V_HEADERS(headers),
            RD_KAFKA_V_END);

        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            p->sent++;
            return MR_OK;
        }
        if (headers != NULL)
            rd_kafka_headers_destroy(headers);
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return kafka_tool_error(&p->tool, code, NULL, err, "record %" PRId64 " to topic \"%s\"", p->sent + 1,
                                    p->topic);
        rd_kafka_poll(p->tool.handle, FLUSH_SLICE_MS);
    }
}

static struct mr_bytes nullable(const struct produce *p, struct mr_bytes bytes)
{
    return p->null_empty && bytes.size == 0 ? MR_BYTES_NULL : bytes;
}

/* One line (without what ended it), JSON object or whole file. */
static enum mr_status text_send(struct produce *p, struct mr_bytes text, struct mr_err *err)
{
    struct record record = { .timestamp_ms = -1, .value = text };
    struct mr_bytes divider = mr_writer_bytes(&p->key_delimiter);
    const uint8_t *found = NULL;
    enum mr_status status = MR_OK;

    if (p->json_input) {
        mr_arena_reset(p->arena);
        status = record_read_json(&record, mr_str_of_bytes(text), p->arena, err);
        if (status != MR_OK)
            mr_err_context(err, "record %" PRId64, p->sent + 1);
    } else {
        if (divider.size > 0)
            found = memmem(text.data, text.size, divider.data, divider.size);
        if (found != NULL) {
            record.key = nullable(p, (struct mr_bytes){ text.data, (size_t)(found - text.data) });
            record.value =
                (struct mr_bytes){ found + divider.size, text.size - (size_t)(found - text.data) - divider.size };
        }
        record.value = nullable(p, record.value);
    }
    if (p->fixed_key != NULL)
        record.key = mr_bytes_of_str(mr_str_of(p->fixed_key));
    return status == MR_OK ? record_send(p, &record, err) : status;
}

/* ---- reading ---- */

/* Sends the whole records that were read; with LAST also the unended rest. */
static enum mr_status kept_send(struct produce *p, bool last, struct mr_err *err)
{
    struct mr_bytes divider = mr_writer_bytes(&p->delimiter);
    const uint8_t *at = p->kept.data;
    const uint8_t *end = p->kept.data + p->kept.size;
    enum mr_status status = MR_OK;

    while (at < end && status == MR_OK && divider.size > 0) {
        const uint8_t *found = memmem(at, (size_t)(end - at), divider.data, divider.size);

        if (found == NULL)
            break;
        status = text_send(p, (struct mr_bytes){ at, (size_t)(found - at) }, err);
        at = found + divider.size;
    }
    if (last && at < end && status == MR_OK) {
        status = text_send(p, (struct mr_bytes){ at, (size_t)(end - at) }, err);
        at = end;
    }
    if (at > p->kept.data) {
        memmove(p->kept.data, at, (size_t)(end - at));
        p->kept.size = (size_t)(end - at);
    }
    return status;
}

static enum mr_status descriptor_send(struct produce *p, int fd, const char *name, struct mr_err *err)
{
    enum mr_status status = MR_OK;
    ssize_t got = 1;

    while (status == MR_OK && got > 0) {
        got = read(fd, mr_writer_reserve(&p->kept, READ_BYTES), READ_BYTES);
        if (got < 0 && errno == EINTR) {
            got = 1;
            continue;
        }
        if (got < 0)
            return mr_err_set_errno(err, MR_IO, errno, "%s can't be read", name);
        p->kept.size += (size_t)got;
        p->read_bytes += got;
        status = kept_send(p, got == 0, err);
        if (status == MR_OK && p->kept.size > RECORD_BYTES_MAX)
            status = mr_err_set(err, MR_LIMIT, "%s: a record of more than %d MiB", name, RECORD_BYTES_MAX >> 20);
        rd_kafka_poll(p->tool.handle, 0);
        progress_show(&p->progress, p->read_bytes);
        if (status == MR_OK && p->failed > 0)
            status = mr_err_set(err, p->why.status, "%s", p->why.text);
    }
    return status;
}

static enum mr_status file_send(struct produce *p, const char *path, struct mr_err *err)
{
    enum mr_status status;
    int fd;

    if (strcmp(path, "-") == 0)
        return descriptor_send(p, STDIN_FILENO, "standard input", err);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return mr_err_set_errno(err, MR_NOT_FOUND, errno, "%s can't be opened", path);
    status = descriptor_send(p, fd, path, err);
    close(fd);
    return status;
}

static int64_t bytes_of(char **paths, int count)
{
    int64_t total = 0;

    for (int i = 0; i < count; i++) {
        struct stat facts;

        if (strcmp(paths[i], "-") == 0 || stat(paths[i], &facts) != 0 || !S_ISREG(facts.st_mode))
            return 0;
        total += facts.st_size;
    }
    return total;
}

/* Waits until every record is acknowledged or has failed. */
static enum mr_status flush(struct produce *p, struct mr_err *err)
{
    while (rd_kafka_outq_len(p->tool.handle) > 0) {
        rd_kafka_poll(p->tool.handle, FLUSH_SLICE_MS);
        progress_show(&p->progress, p->read_bytes);
        if (p->tool.unreachable && p->delivered == 0)
            return kafka_tool_serve(&p->tool, err);
    }
    if (p->failed > 0)
        return mr_err_set(err, p->why.status, "%" PRId64 " of %" PRId64 " records were not written; %s", p->failed,
                          p->sent, p->why.text);
    return MR_OK;
}

/* ---- the command ---- */

static int read_headers(struct produce *p)
{
    const char *lines = mr_config_text(p->config, "header");
    char *rest = NULL;

    p->header_text = mr_strdup(lines ? lines : "");
    for (char *line = strtok_r(p->header_text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        char *equals = strchr(line, '=');
        struct record_header *header = &p->headers[p->header_count];

        if (equals == line || p->header_count == HEADERS_MAX)
            return command_usage("--header: \"%s\" is not NAME=VALUE, or there are more than %d", line, HEADERS_MAX);
        header->name = (struct mr_str){ line, equals ? (size_t)(equals - line) : strlen(line) };
        header->value = equals ? mr_bytes_of_str(mr_str_of(equals + 1)) : MR_BYTES_NULL;
        p->header_count++;
    }
    return EXIT_DONE;
}

static enum mr_status look_at_topic(struct produce *p, struct mr_err *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    enum mr_status status = kafka_tool_metadata(&p->tool, NULL, &metadata, err);

    if (status != MR_OK)
        return status;
    if (kafka_tool_topic(metadata, p->topic) == NULL)
        fprintf(stderr, "there was no topic %s; it is made now, if the server lets it be\n", p->topic);
    rd_kafka_metadata_destroy(metadata);
    return MR_OK;
}

static int produce_all(struct produce *p, char **paths, int path_count)
{
    char *standard_input[] = { "-" };
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = look_at_topic(p, &err);
    int64_t total = bytes_of(paths, path_count);

    if (path_count == 0) {
        paths = standard_input;
        path_count = 1;
    }
    progress_begin(&p->progress, p->topic, PROGRESS_BYTES, total, total > 0);
    for (int i = 0; i < path_count && status == MR_OK; i++)
        status = file_send(p, paths[i], &err);
    if (status == MR_OK) {
        status = flush(p, &err);
    } else if (p->sent > 0 && !p->tool.unreachable) {
        struct mr_err ignored = MR_ERR_INIT; /* what was sent before the trouble still goes out */

        MR_UNUSED(flush(p, &ignored) == MR_OK);
    }
    progress_end(&p->progress);
    if (status != MR_OK)
        return command_fail(&err);
    if (!p->json_output)
        printf("%" PRId64 " record%s to %s\n", p->delivered, p->delivered == 1 ? "" : "s", p->topic);
    return EXIT_DONE;
}

static int run(struct mr_config *config, char **rest, int rest_count)
{
    const struct kafka_tool_property properties[] = {
        { "compression.type", mr_config_text(config, "compression") },
        { "acks", mr_config_text(config, "acks") },
        { "partitioner", "murmur2_random" }, /* as Java's and kafka-python's */
        { "message.timeout.ms", "30000" },
        { "queue.buffering.max.kbytes", "262144" },
        { "queue.buffering.max.messages", "500000" },
        { NULL, NULL },
    };
    struct produce p = {
        .config = config,
        .topic = rest[0],
        .json_input = strcmp(mr_config_text(config, "input"), "json") == 0,
        .json_output = command_json(config),
        .null_empty = mr_config_flag(config, "null-empty"),
        .fixed_key = mr_config_text(config, "key"),
        .arena = mr_arena_new(),
    };
    struct mr_err err = MR_ERR_INIT;
    int code = read_headers(&p);

    record_unescape(&p.key_delimiter,
                    mr_config_text(config, "key-delimiter") ? mr_config_text(config, "key-delimiter") : "");
    if (strcmp(mr_config_text(config, "input"), "whole") != 0)
        record_unescape(&p.delimiter, mr_config_text(config, "delimiter"));
    if (code == EXIT_DONE &&
        kafka_tool_open(&p.tool, RD_KAFKA_PRODUCER, config, properties, on_delivered, &err) != MR_OK)
        code = command_fail(&err);
    if (code == EXIT_DONE)
        code = produce_all(&p, rest + 1, rest_count - 1);
    if (p.tool.handle != NULL && code != EXIT_DONE)
        rd_kafka_purge(p.tool.handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    kafka_tool_close(&p.tool);
    mr_writer_deinit(&p.key_delimiter);
    mr_writer_deinit(&p.delimiter);
    mr_writer_deinit(&p.kept);
    mr_free(p.header_text);
    mr_arena_free(p.arena);
    return code;
}

const struct command command_produce = {
    .name = "produce",
    .summary = "Write lines, files or JSON to a topic",
    .usage = "millrace produce TOPIC [FILE...] [OPTION...]",
    .text = "Each line of the files, else of standard input, becomes a record.  It returns when all are acknowledged.\n"
            "With --output json it prints where each record went.",
    .example = "  printf 'ada:Lovelace\\ngrace:Hopper\\n' | millrace produce people -K : -H origin=cli\n"
               "  millrace consume people -e -o json | millrace produce copy --input json",
    .options = options,
    .option_count = MR_COUNT(options),
    .rest_min = 1,
    .rest_max = 1000,
    .words = "topic",
    .run = run,
};

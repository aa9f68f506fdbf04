/* dead_letter.c -- records that can't be decoded, cast or written go to the topic <query>.dlq, as Kafka Connect's do:
 * raw key and value, and the headers __connect.errors.* (all text) that say where each came from and why it failed.
 *
 * Invariants
 *   L1  a checkpoint is written only after the dead letters of its epoch were acknowledged.
 *   L2  a dead letter written twice (the epoch was repeated) has the same origin: topic, partition, offset, record (its
 *       number in the page, when an API's page has many) and class name; two letters of one run never share it.
 *   L3  a key or value too large for a record is cut to fit; a header then says how large it was. */
#include "sql/engine_int.h"

#include "base/logging.h"

#include <stdio.h>
#include <string.h>

enum dead_letter_limits {
    NUMBER_BYTES = 24,
    CLASS_BYTES = 256,
    TRACE_BYTES = MR_ERR_BYTES + 512,
    TOPIC_BYTES = SQL_NAME_BYTES_MAX + 8,
    ORIGIN_BYTES = 384,
    HEADERS_MAX = 16,
    HEADER_OVERHEAD = 10,
};

const struct sql_dead_letter_ops sql_dead_letter_producers = {
    .open = connectors_producer_open,
    .send = connectors_producer_send,
    .flush = connectors_producer_flush,
    .close = connectors_producer_close,
};

static const struct {
    const char *name;
    const char *exception;
} stages[] = {
    [SQL_STAGE_DECODE] = { "VALUE_CONVERTER", "org.apache.kafka.connect.errors.DataException" },
    [SQL_STAGE_TRANSFORM] = { "TRANSFORMATION", "org.apache.kafka.connect.errors.DataException" },
    [SQL_STAGE_PUT] = { "TASK_PUT", "org.apache.kafka.connect.errors.ConnectException" },
};

/* The Kafka that the query reads, when its table names one; else the embedded. */
static const char *bootstrap_of(const struct sql_run *run)
{
    for (uint32_t i = 0; i < run->bound->source_count; i++) {
        const struct sql_table *table = run->bound->sources[i].table;
        if (table != NULL && strcmp(table->connector->name, "kafka") == 0)
            return sql_table_option(table, "properties.bootstrap.servers");
    }
    return NULL;
}

static enum mr_status producer_ensure(struct sql_run *run, struct mr_err *err)
{
    const char *named = sql_query_setting(run->bound, "records.dlq.topic");
    char topic[TOPIC_BYTES];
    enum mr_status status;

    if (run->dead_letters != NULL)
        return MR_OK;
    if (named != NULL)
        snprintf(topic, sizeof(topic), "%s", named);
    else
        snprintf(topic, sizeof(topic), "%s.dlq", run->name);
    status = run->engine->dead_letter_ops->open(&run->dead_letters, &run->context, bootstrap_of(run), topic, err);
    if (status != MR_OK)
        mr_err_context(err, "dead letters to topic %s", topic);
    return status;
}

static struct mr_bytes text_bytes(const char *text)
{
    return mr_bytes_of_str(mr_str_of(text));
}

static const char *origin_topic(const struct sql_run *run, const struct sql_origin *origin)
{
    const struct sql_table *table = run->bound->sources[origin->source].table;
    const char *topic = table != NULL ? sql_table_option(table, "topic") : NULL;

    return topic != NULL ? topic : run->sources[origin->source].name;
}

/* Where a record came from, for people. */
static const char *origin_text(const struct sql_run *run, const struct sql_origin *origin, char out[ORIGIN_BYTES])
{
    int size = snprintf(out, ORIGIN_BYTES, "%.250s, partition %" PRId32 ", offset %" PRId64, origin_topic(run, origin),
                        origin->split, origin->position);

    if (origin->index != 0)
        snprintf(out + size, ORIGIN_BYTES - (size_t)size, ", record %" PRIu32, origin->index);
    return out;
}

struct letter {
    struct mr_bytes key, value;
    struct connector_header headers[HEADERS_MAX];
    uint32_t header_count;
    char partition[NUMBER_BYTES], offset[NUMBER_BYTES], index[NUMBER_BYTES];
    char key_size[NUMBER_BYTES], value_size[NUMBER_BYTES];
    char trace[TRACE_BYTES];
};

static void letter_header(struct letter *letter, const char *name, const char *value)
{
    assert(letter->header_count < HEADERS_MAX);
    letter->headers[letter->header_count++] = (struct connector_header){ name, text_bytes(value) };
}

/* L3: cuts *BYTES to ROOM. */
static void letter_cut(struct letter *letter, struct mr_bytes *bytes, size_t room, const char *header,
                       char size_text[NUMBER_BYTES])
{
    if (bytes->size <= room)
        return;
    snprintf(size_text, NUMBER_BYTES, "%zu", bytes->size);
    letter_header(letter, header, size_text);
    bytes->size = room;
}

static void letter_fit(struct letter *letter)
{
    const char *key_header = "__connect.errors.key.truncated", *value_header = "__connect.errors.value.truncated";
    size_t room = CONNECTORS_PRODUCER_BYTES_MAX;

    for (uint32_t i = 0; i < letter->header_count; i++)
        room -= strlen(letter->headers[i].name) + letter->headers[i].value.size + HEADER_OVERHEAD;
    if (letter->key.size + letter->value.size <= room)
        return;
    room -= strlen(key_header) + strlen(value_header) + 2 * (NUMBER_BYTES + HEADER_OVERHEAD);
    letter_cut(letter, &letter->key, room / 2, key_header, letter->key_size);
    letter_cut(letter, &letter->value, room - letter->key.size, value_header, letter->value_size);
}

static enum mr_status letter_send(struct sql_run *run, const struct sql_origin *origin, enum sql_stage stage,
                                  const char *class_name, const char *why, struct mr_err *err)
{
    const uint8_t *bytes = run->epoch_bytes.data + origin->at;
    struct letter letter = {
        .key = { origin->has_key ? bytes : NULL, origin->key_size },
        .value = { origin->has_value ? bytes + origin->key_size : NULL, origin->value_size },
    };
    enum mr_status status = producer_ensure(run, err);

    if (status != MR_OK)
        return status;
    snprintf(letter.partition, NUMBER_BYTES, "%" PRId32, origin->split);
    snprintf(letter.offset, NUMBER_BYTES, "%" PRId64, origin->position);
    snprintf(letter.index, NUMBER_BYTES, "%" PRIu32, origin->index);
    snprintf(letter.trace, TRACE_BYTES, "%s: %s\n\tat %s (query %s)\n", stages[stage].exception, why, class_name,
             run->name);
    letter_header(&letter, "__connect.errors.topic", origin_topic(run, origin));
    letter_header(&letter, "__connect.errors.partition", letter.partition);
    letter_header(&letter, "__connect.errors.offset", letter.offset);
    letter_header(&letter, "__connect.errors.record", letter.index);
    letter_header(&letter, "__connect.errors.connector.name", run->name);
    letter_header(&letter, "__connect.errors.task.id", "0");
    letter_header(&letter, "__connect.errors.stage", stages[stage].name);
    letter_header(&letter, "__connect.errors.class.name", class_name);
    letter_header(&letter, "__connect.errors.exception.class.name", stages[stage].exception);
    letter_header(&letter, "__connect.errors.exception.message", why);
    letter_header(&letter, "__connect.errors.exception.stacktrace", letter.trace);
    letter_fit(&letter);
    status = run->engine->dead_letter_ops->send(run->dead_letters, letter.key, letter.value, letter.headers,
                                                letter.header_count, err);
    if (status == MR_OK)
        run->dead_letters_sent = true;
    else
        mr_err_context(err, "dead letter of query \"%s\"", run->name);
    return status;
}

enum mr_status sql_dead_letter(struct sql_run *run, const struct sql_origin *origin, enum sql_stage stage,
                               const struct sql_run_output *output, const char *why, struct mr_err *err)
{
    const struct sql_table *source = run->bound->sources[origin->source].table;
    const struct sql_table *sink = output != NULL ? output->bound->sink : NULL;
    char class_name[CLASS_BYTES], where[ORIGIN_BYTES];
    enum mr_status status = MR_OK;

    origin_text(run, origin, where);
    if (stage == SQL_STAGE_DECODE) {
        snprintf(class_name, sizeof(class_name), "format.%s",
                 source == NULL           ? "values"
                 : source->format != NULL ? source->format
                                          : source->connector->name);
    } else if (stage == SQL_STAGE_TRANSFORM) {
        snprintf(class_name, sizeof(class_name), "sql.insert.%s", sink != NULL ? sink->name : "select");
    } else {
        assert(sink != NULL); /* only a sink puts */
        snprintf(class_name, sizeof(class_name), "connector.%s.%s", sink->connector->name, sink->name);
    }
    if (run->on_error == SQL_ON_ERROR_FAIL)
        return mr_err_set(err, MR_INVALID, "%s (%s): %s", where, class_name, why);
    if (run->on_error == SQL_ON_ERROR_SKIP) {
        run->counts.skipped++;
        mr_metric_add(run->metric_skipped, 1);
    } else {
        status = letter_send(run, origin, stage, class_name, why, err);
        if (status != MR_OK)
            return status;
        run->counts.dead_letters++;
        mr_metric_add(run->metric_dead, 1);
    }
    pthread_mutex_lock(&run->lock);
    snprintf(run->status.error, sizeof(run->status.error), "%s (%s): %s", where, class_name, why);
    pthread_mutex_unlock(&run->lock);
    mr_log(MR_LOG_DEBUG, "sql", "query %s: a record of %s failed in %s", run->name, where, class_name);
    return MR_OK;
}

enum mr_status sql_dead_letters_flush(struct sql_run *run, struct mr_err *err)
{
    enum mr_status status;

    if (!run->dead_letters_sent)
        return MR_OK;
    status = run->engine->dead_letter_ops->flush(run->dead_letters, err);
    if (status == MR_OK)
        run->dead_letters_sent = false;
    else
        mr_err_context(err, "dead letters of query \"%s\"", run->name);
    return status;
}

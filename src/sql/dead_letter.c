/* dead_letter.c -- records that can't be decoded, cast or written go to the topic <query>.dlq, as Kafka Connect's do:
 * raw key and value, and the headers __connect.errors.* (all text) that say where each came from and why it failed.
 *
 * Invariants
 *   L1  a checkpoint is written only after the dead letters of its epoch were acknowledged.
 *   L2  a dead letter written twice (the epoch was repeated) has the same origin: topic, partition, offset, class name.
 */
#include "sql/engine_int.h"

#include "base/logging.h"

#include <stdio.h>
#include <string.h>

enum dead_letter_limits {
    NUMBER_BYTES = 24,
    CLASS_BYTES = 256,
    TRACE_BYTES = MR_ERR_BYTES + 512,
    TOPIC_BYTES = SQL_NAME_BYTES_MAX + 8,
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

static enum mr_status letter_send(struct sql_run *run, const struct sql_origin *origin, enum sql_stage stage,
                                  const char *class_name, const char *why, struct mr_err *err)
{
    char partition[NUMBER_BYTES], offset[NUMBER_BYTES], trace[TRACE_BYTES];
    const uint8_t *bytes = run->epoch_bytes.data + origin->at;
    struct mr_bytes key = { origin->has_key ? bytes : NULL, origin->key_size };
    struct mr_bytes value = { origin->has_value ? bytes + origin->key_size : NULL, origin->value_size };
    enum mr_status status = producer_ensure(run, err);

    if (status != MR_OK)
        return status;
    snprintf(partition, sizeof(partition), "%" PRId32, origin->split);
    snprintf(offset, sizeof(offset), "%" PRId64, origin->position);
    snprintf(trace, sizeof(trace), "%s: %s\n\tat %s (query %s)\n", stages[stage].exception, why, class_name, run->name);
    const struct connector_header headers[] = {
        { "__connect.errors.topic", text_bytes(origin_topic(run, origin)) },
        { "__connect.errors.partition", text_bytes(partition) },
        { "__connect.errors.offset", text_bytes(offset) },
        { "__connect.errors.connector.name", text_bytes(run->name) },
        { "__connect.errors.task.id", text_bytes("0") },
        { "__connect.errors.stage", text_bytes(stages[stage].name) },
        { "__connect.errors.class.name", text_bytes(class_name) },
        { "__connect.errors.exception.class.name", text_bytes(stages[stage].exception) },
        { "__connect.errors.exception.message", text_bytes(why) },
        { "__connect.errors.exception.stacktrace", text_bytes(trace) },
    };
    status = run->engine->dead_letter_ops->send(run->dead_letters, key, value, headers, MR_COUNT(headers), err);
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
    char class_name[CLASS_BYTES];
    enum mr_status status = MR_OK;

    if (stage == SQL_STAGE_DECODE)
        snprintf(class_name, sizeof(class_name), "format.%s",
                 source != NULL && source->format != NULL ? source->format : "values");
    else if (stage == SQL_STAGE_TRANSFORM)
        snprintf(class_name, sizeof(class_name), "sql.insert.%s", sink != NULL ? sink->name : "select");
    else
        snprintf(class_name, sizeof(class_name), "connector.%s.%s", sink->connector->name, sink->name);
    if (run->on_error == SQL_ON_ERROR_FAIL)
        return mr_err_set(err, MR_INVALID, "%s, partition %" PRId32 ", offset %" PRId64 " (%s): %s",
                          origin_topic(run, origin), origin->split, origin->position, class_name, why);
    if (run->on_error == SQL_ON_ERROR_SKIP) {
        run->counts.skipped++;
    } else {
        status = letter_send(run, origin, stage, class_name, why, err);
        if (status != MR_OK)
            return status;
        run->counts.dead_letters++;
        mr_metric_add(run->metric_dead, 1);
    }
    pthread_mutex_lock(&run->lock);
    snprintf(run->status.error, sizeof(run->status.error), "%s, partition %" PRId32 ", offset %" PRId64 " (%s): %s",
             origin_topic(run, origin), origin->split, origin->position, class_name, why);
    pthread_mutex_unlock(&run->lock);
    mr_log(MR_LOG_DEBUG, "sql", "query %s: a record of %s, partition %" PRId32 ", offset %" PRId64 " failed in %s",
           run->name, origin_topic(run, origin), origin->split, origin->position, class_name);
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

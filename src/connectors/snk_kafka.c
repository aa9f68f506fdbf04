/* snk_kafka.c -- the kafka sink: each row becomes one record, its value the row as JSON, its key the columns of
 * 'key.fields' as JSON (or null). */
#include "connectors/kafka_int.h"
#include "connectors/producer_int.h"

#include <string.h>

enum { SINK_KEY_FIELDS_MAX = 64 };

struct connector_sink {
    struct producer *producer; /* owned */
    connector_reject_fn *reject;
    void *reject_arg;
    struct data_json_encoder *encoder;     /* owned */
    struct data_json_encoder *key_encoder; /* owned; NULL: no key */
    struct mr_arena *arena;                /* owned; of key_row */
    const struct data_type *key_row;
    uint32_t key_columns[SINK_KEY_FIELDS_MAX];
    uint32_t key_count;
    struct mr_writer value, key;
};

static void kafka_sink_close(struct connector_sink *sink)
{
    if (sink == NULL)
        return;
    producer_close(sink->producer);
    data_json_encoder_free(sink->encoder);
    data_json_encoder_free(sink->key_encoder);
    mr_arena_free(sink->arena);
    mr_writer_deinit(&sink->value);
    mr_writer_deinit(&sink->key);
    mr_free(sink);
}

/* Reads 'key.fields' = 'a;b'. */
static enum mr_status sink_key_read(struct connector_sink *sink, const struct connector_table *table,
                                    struct mr_err *err)
{
    const char *text = connector_option_text(table, "key.fields");
    struct data_field fields[SINK_KEY_FIELDS_MAX];

    while (text != NULL) {
        const char *end = strchrnul(text, ';');
        struct mr_str name = { text, (size_t)(end - text) };
        int column;

        while (name.size > 0 && name.data[0] == ' ') {
            name.data++;
            name.size--;
        }
        while (name.size > 0 && name.data[name.size - 1] == ' ')
            name.size--;
        column = data_type_field(table->row, name);
        if (column < 0)
            return mr_err_set(err, MR_INVALID, "option 'key.fields' names the column '%.*s', which is not there",
                              MR_STR_ARG(name));
        if (sink->key_count == SINK_KEY_FIELDS_MAX)
            return mr_err_set(err, MR_INVALID, "option 'key.fields' has more than %d columns", SINK_KEY_FIELDS_MAX);
        fields[sink->key_count] = table->row->fields[column];
        sink->key_columns[sink->key_count++] = (uint32_t)column;
        text = *end == ';' ? end + 1 : NULL;
    }
    if (sink->key_count > 0) {
        sink->key_row = data_type_row(sink->arena, fields, sink->key_count, false);
        sink->key_encoder = data_json_encoder_new(sink->key_row);
    }
    return MR_OK;
}

static enum mr_status kafka_sink_open(struct connector_sink **out, const struct connector_table *table,
                                      const struct connector_context *ctx, connector_reject_fn *reject,
                                      void *reject_arg, struct mr_err *err)
{
    struct connector_sink *sink = MR_NEW(struct connector_sink);
    const char *topic = connector_option_text(table, "topic");
    struct producer_options options = {
        .compression = connector_option_text(table, "properties.compression.type"),
        .linger_ms = connector_option_text(table, "properties.linger.ms"),
        .batch_bytes = connector_option_text(table, "properties.batch.size"),
        .timeout_ms = connector_option_text(table, "properties.delivery.timeout.ms"),
        .reject = reject,
        .reject_arg = reject_arg,
    };
    enum mr_status status;

    sink->arena = mr_arena_new();
    sink->reject = reject;
    sink->reject_arg = reject_arg;
    status = sink_key_read(sink, table, err);
    if (status == MR_OK)
        status =
            connector_option_number(table, "properties.max.request.size", 1, 64 << 20, &options.record_bytes_max, err);
    if (status == MR_OK && topic == NULL)
        status = mr_err_set(err, MR_INVALID, "option 'topic' is missing");
    if (status == MR_OK)
        status = producer_open(&sink->producer, ctx, connector_option_text(table, "properties.bootstrap.servers"),
                               topic, &options, err);
    if (status != MR_OK) {
        kafka_sink_close(sink);
        return status;
    }
    sink->encoder = data_json_encoder_new(table->row);
    *out = sink;
    return MR_OK;
}

static enum mr_status kafka_sink_write(struct connector_sink *sink, const struct data_batch *batch,
                                       const uint32_t *record, const int64_t *write_time_us, struct mr_err *err)
{
    struct data_column *key_columns[SINK_KEY_FIELDS_MAX];
    struct data_batch *keys = NULL;
    enum mr_status status = MR_OK;

    MR_UNUSED(write_time_us);
    for (uint32_t k = 0; k < sink->key_count; k++)
        key_columns[k] = batch->columns[sink->key_columns[k]];
    if (sink->key_count > 0)
        keys = data_batch_of(sink->key_row, key_columns, batch->row_count);
    for (uint32_t row = 0; row < batch->row_count && status == MR_OK; row++) {
        struct mr_err why = MR_ERR_INIT;

        sink->value.size = sink->key.size = 0;
        data_json_encode(sink->encoder, batch, row, &sink->value);
        if (keys != NULL)
            data_json_encode(sink->key_encoder, keys, row, &sink->key);
        status = producer_send(sink->producer, keys != NULL ? mr_writer_bytes(&sink->key) : MR_BYTES_NULL,
                               mr_writer_bytes(&sink->value), NULL, 0, record[row], &why);
        if (status == MR_LIMIT) {
            sink->reject(sink->reject_arg, record[row], &why);
            status = MR_OK;
        } else if (status != MR_OK && err != NULL) {
            *err = why;
        }
    }
    data_batch_unref(keys);
    return status;
}

static enum mr_status kafka_sink_flush(struct connector_sink *sink, struct mr_err *err)
{
    return producer_flush(sink->producer, err);
}

const struct connector_sink_ops kafka_sink_ops = {
    .open = kafka_sink_open,
    .write = kafka_sink_write,
    .flush = kafka_sink_flush,
    .close = kafka_sink_close,
};

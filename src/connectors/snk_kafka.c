/* snk_kafka.c -- the kafka sink: each row becomes one record, its value the row in 'format', its key the columns of
 * 'key.fields' in 'key.format' (or null).  METADATA columns give the record its timestamp and headers. */
#include "connectors/kafka_int.h"
#include "connectors/producer_int.h"

#include <string.h>

enum { SINK_KEY_FIELDS_MAX = 64, SINK_HEADERS_MAX = 1000 };

/* Some columns of the table, and how they are written. */
struct sink_part {
    struct data_encoder *encoder; /* owned; NULL: there are none */
    const struct data_type *row;
    uint32_t *columns;
    uint32_t count;
};

struct connector_sink {
    struct producer *producer; /* owned */
    connector_reject_fn *reject;
    void *reject_arg;
    struct mr_arena *arena; /* owned; of the parts */
    struct sink_part value, key;
    int32_t timestamp_column, headers_column; /* -1: none */
    struct mr_writer value_bytes, key_bytes, names;
    struct connector_header headers[SINK_HEADERS_MAX];
};

static void kafka_sink_close(struct connector_sink *sink)
{
    if (sink == NULL)
        return;
    producer_close(sink->producer);
    data_encoder_free(sink->value.encoder);
    data_encoder_free(sink->key.encoder);
    mr_arena_free(sink->arena);
    mr_writer_deinit(&sink->value_bytes);
    mr_writer_deinit(&sink->key_bytes);
    mr_writer_deinit(&sink->names);
    mr_free(sink);
}

/* PART of the columns whose IN is set; names lose the first PREFIX bytes. */
static void sink_part_init(struct connector_sink *sink, struct sink_part *part, const struct data_type *row,
                           const uint32_t *columns, uint32_t count, size_t prefix, const struct data_format *format)
{
    struct data_field *fields = MR_ARENA_ARRAY(sink->arena, struct data_field, count + 1);

    part->columns = MR_ARENA_ARRAY(sink->arena, uint32_t, count + 1);
    part->count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct mr_str name = row->fields[columns[i]].name;
        part->columns[i] = columns[i];
        fields[i] = row->fields[columns[i]];
        if (name.size > prefix)
            fields[i].name = (struct mr_str){ name.data + prefix, name.size - prefix };
    }
    part->row = data_type_row(sink->arena, fields, count, false);
    part->encoder = connector_encoder_new(part->row, format);
}

/* Reads 'key.fields' = 'a;b'. */
static enum mr_status sink_key_read(struct connector_sink *sink, const struct connector_table *table, bool *in_key,
                                    struct mr_err *err)
{
    const char *text = connector_option_text(table, "key.fields");
    const char *prefix = connector_option_text(table, "key.fields-prefix");
    uint32_t columns[SINK_KEY_FIELDS_MAX], count = 0;

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
        if (count == SINK_KEY_FIELDS_MAX)
            return mr_err_set(err, MR_INVALID, "option 'key.fields' has more than %d columns", SINK_KEY_FIELDS_MAX);
        in_key[column] = true;
        columns[count++] = (uint32_t)column;
        text = *end == ';' ? end + 1 : NULL;
    }
    if (count > 0)
        sink_part_init(sink, &sink->key, table->row, columns, count, prefix != NULL ? strlen(prefix) : 0,
                       table->key_format);
    return MR_OK;
}

/* Which column goes where. */
static enum mr_status sink_parts_init(struct connector_sink *sink, const struct connector_table *table,
                                      struct mr_err *err)
{
    uint32_t count = table->row->field_count, kept = 0;
    uint32_t *columns = MR_ARENA_ARRAY(sink->arena, uint32_t, count + 1);
    bool *in_key = MR_ARENA_ARRAY(sink->arena, bool, count + 1);
    const char *include = connector_option_text(table, "value.fields-include");
    bool apart = include != NULL && strcmp(include, "EXCEPT_KEY") == 0;
    enum mr_status status = sink_key_read(sink, table, in_key, err);

    sink->timestamp_column = sink->headers_column = -1;
    for (uint32_t i = 0; i < count && status == MR_OK; i++) {
        const char *metadata = table->metadata != NULL ? table->metadata[i] : NULL;
        if (metadata == NULL && !(apart && in_key[i]))
            columns[kept++] = i;
        else if (metadata != NULL && strcmp(metadata, "timestamp") == 0)
            sink->timestamp_column = (int32_t)i;
        else if (metadata != NULL)
            sink->headers_column = (int32_t)i;
    }
    if (status == MR_OK)
        sink_part_init(sink, &sink->value, table->row, columns, kept, 0, table->format);
    return status;
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
    status = sink_parts_init(sink, table, err);
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
    *out = sink;
    return MR_OK;
}

/* Row ROW of the part's columns of BATCH; null: the record has none. */
static struct mr_bytes part_write(const struct sink_part *part, const struct data_batch *batch, uint32_t row,
                                  struct data_column **columns, struct mr_writer *out)
{
    struct data_batch view = {
        .type = part->row, .row_count = batch->row_count, .column_count = part->count, .refs = 1, .columns = columns
    };

    out->size = 0;
    if (part->encoder == NULL)
        return MR_BYTES_NULL;
    if (!data_encode(part->encoder, &view, row, out))
        return MR_BYTES_NULL;
    mr_writer_reserve(out, 1); /* an empty value is not a null one */
    return mr_writer_bytes(out);
}

static struct data_column **part_columns(const struct sink_part *part, const struct data_batch *batch)
{
    struct data_column **columns = mr_calloc(part->count + 1, sizeof(*columns));

    for (uint32_t i = 0; i < part->count; i++)
        columns[i] = batch->columns[part->columns[i]];
    return columns;
}

/* The entries of the headers column; MR_LIMIT: too many. */
static enum mr_status headers_read(struct connector_sink *sink, const struct data_column *column, uint32_t row,
                                   uint32_t *count, struct mr_err *err)
{
    uint32_t start = 0, end = 0;
    const char *name;

    if (!data_is_null(column, row))
        data_array_range(column, row, &start, &end);
    if (end - start > SINK_HEADERS_MAX)
        return mr_err_set(err, MR_LIMIT, "%u headers are more than the %d allowed", end - start, SINK_HEADERS_MAX);
    *count = end - start;
    sink->names.size = 0;
    for (uint32_t i = start; i < end; i++) {
        mr_write_str(&sink->names, data_str(column->children[0], i));
        mr_write_u8(&sink->names, '\0');
    }
    name = (const char *)sink->names.data;
    for (uint32_t i = 0; i < *count; i++) {
        bool null = data_is_null(column->children[1], start + i);
        sink->headers[i] = (struct connector_header){
            .name = name, .value = null ? MR_BYTES_NULL : mr_bytes_of_str(data_str(column->children[1], start + i))
        };
        name += data_str(column->children[0], start + i).size + 1;
    }
    return MR_OK;
}

/* The timestamp column's milliseconds; 0: now. */
static int64_t timestamp_read(const struct data_column *column, uint32_t row)
{
    int64_t ms;

    if (data_is_null(column, row))
        return 0;
    ms = data_i64(column, row);
    if (column->type->kind != DATA_BIGINT)
        ms = ms / 1000 - (ms % 1000 < 0);
    return ms > 0 ? ms : 1; /* 0 would be now */
}

static enum mr_status row_send(struct connector_sink *sink, const struct data_batch *batch, uint32_t row,
                               struct data_column **values, struct data_column **keys, uint32_t record,
                               struct mr_err *why)
{
    struct mr_bytes value = part_write(&sink->value, batch, row, values, &sink->value_bytes);
    struct mr_bytes key = part_write(&sink->key, batch, row, keys, &sink->key_bytes);
    int64_t timestamp_ms = sink->timestamp_column < 0 ? 0 : timestamp_read(batch->columns[sink->timestamp_column], row);
    uint32_t header_count = 0;
    enum mr_status status = MR_OK;

    if (sink->headers_column >= 0)
        status = headers_read(sink, batch->columns[sink->headers_column], row, &header_count, why);
    if (status == MR_OK)
        status = producer_send(sink->producer, key, value, sink->headers, header_count, timestamp_ms, record, why);
    return status;
}

static enum mr_status kafka_sink_write(struct connector_sink *sink, const struct data_batch *batch,
                                       const uint32_t *record, const int64_t *write_time_us, struct mr_err *err)
{
    struct data_column **values = part_columns(&sink->value, batch), **keys = part_columns(&sink->key, batch);
    enum mr_status status = MR_OK;

    MR_UNUSED(write_time_us);
    for (uint32_t row = 0; row < batch->row_count && status == MR_OK; row++) {
        struct mr_err why = MR_ERR_INIT;

        status = row_send(sink, batch, row, values, keys, record[row], &why);
        if (status == MR_LIMIT) {
            sink->reject(sink->reject_arg, record[row], &why);
            status = MR_OK;
        } else if (status != MR_OK && err != NULL) {
            *err = why;
        }
    }
    mr_free(values);
    mr_free(keys);
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

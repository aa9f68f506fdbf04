/* snk_cassandra.c -- the cassandra sink: rows as prepared INSERTs with fixed write times, many on the way.
 *
 * To millrace's own store rows go in unlogged batches, whatever their partitions, because it commits them together; to
 * a real Cassandra each row is one EXECUTE, because a batch over partitions costs its coordinator more than it saves.
 * Every row has its own write time bound to it, so a request may be sent twice and in any order.  NULL is written as
 * null, never left unset.  A null or empty key part, text that is no uuid or ASCII, and values too large are rejected.
 * Estimate: 10 columns of 250 bytes: one copy into the frame and one into the socket's buffer, ~1 µs a row. */
#include "connectors/cassandra_int.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum {
    SINK_BATCH_BYTES = 32 << 10,
    SINK_BATCH_ROWS = 128,
    SINK_ROW_BYTES_MAX = 8 << 20,
    SINK_BATCHES_IN_FLIGHT = 48,
    SINK_ROWS_IN_FLIGHT = 128,
};

struct connector_sink {
    struct cassandra_table table;
    struct cql_client *client; /* owned */
    connector_reject_fn *reject;
    void *reject_arg;
    int consistency; /* enum cql_consistency */
    bool batches;
    struct cql_request *open; /* the batch being filled; NULL: none */
    size_t open_frame, open_count_at;
    uint32_t open_rows;
};

/* ---- values ---- */

/* Appends V's [value] for a column of type CODE; an error is the row's, which is then rejected. */
static enum mr_status text_write(struct mr_writer *w, const struct cassandra_column *column, struct mr_str v,
                                 struct mr_err *err)
{
    uint8_t uuid[16];

    if (column->code == CQL_UUID || column->code == CQL_TIMEUUID) {
        if (mr_uuid_parse(v, uuid) != MR_OK || (column->code == CQL_TIMEUUID && uuid[6] >> 4 != 1))
            return mr_err_set(err, MR_INVALID, "column '%.*s': '%.*s' is not a %s", MR_STR_ARG(column->name),
                              v.size > 80 ? 80 : (int)v.size, v.data, column->code == CQL_UUID ? "uuid" : "timeuuid");
        cql_write_value(w, CQL_VALUE_OF(uuid, 16));
        return MR_OK;
    }
    if (column->is_partition && v.size == 0)
        return mr_err_set(err, MR_INVALID, "column '%.*s' is a key and may not be empty", MR_STR_ARG(column->name));
    if (v.size > (column->is_key ? (size_t)CASSANDRA_KEY_BYTES_MAX : (size_t)SINK_ROW_BYTES_MAX))
        return mr_err_set(err, MR_LIMIT, "column '%.*s': a value of %zu bytes is too long", MR_STR_ARG(column->name),
                          v.size);
    for (size_t i = 0; column->code == CQL_ASCII && i < v.size; i++)
        if ((uint8_t)v.data[i] >= 0x80)
            return mr_err_set(err, MR_INVALID, "column '%.*s' is ascii and can't hold '%.*s'", MR_STR_ARG(column->name),
                              v.size > 80 ? 80 : (int)v.size, v.data);
    cql_write_value(w, CQL_VALUE_OF((const uint8_t *)v.data, v.size));
    return MR_OK;
}

static void bigint_write(struct mr_writer *w, int64_t v)
{
    mr_write_i32(w, 8);
    mr_write_i64(w, v);
}

static enum mr_status cell_write(struct mr_writer *w, const struct cassandra_column *column,
                                 const struct data_column *values, uint32_t row, struct mr_err *err)
{
    uint8_t fixed[8];
    enum mr_status status;
    size_t begin;

    if (data_is_null(values, row)) {
        if (column->is_key)
            return mr_err_set(err, MR_INVALID, "column '%.*s' is a key and may not be NULL", MR_STR_ARG(column->name));
        cql_write_value(w, CQL_VALUE_NULL);
        return MR_OK;
    }
    switch ((int)values->type->kind) {
    case DATA_BOOLEAN:
        fixed[0] = data_bool(values, row);
        cql_write_value(w, CQL_VALUE_OF(fixed, 1));
        return MR_OK;
    case DATA_INT:
        if (column->code == CQL_BIGINT) {
            bigint_write(w, data_i32(values, row));
            return MR_OK;
        }
        if (column->code != CQL_INT)
            break;
        mr_write_i32(w, 4);
        mr_write_i32(w, data_i32(values, row));
        return MR_OK;
    case DATA_BIGINT:
        if (column->code == CQL_VARINT)
            break;
        bigint_write(w, data_i64(values, row));
        return MR_OK;
    case DATA_FLOAT:
        if (column->code == CQL_DOUBLE) {
            cql_store_f64(fixed, (double)data_f32(values, row));
            cql_write_value(w, CQL_VALUE_OF(fixed, 8));
            return MR_OK;
        }
        cql_store_f32(fixed, data_f32(values, row));
        cql_write_value(w, CQL_VALUE_OF(fixed, 4));
        return MR_OK;
    case DATA_DOUBLE:
        cql_store_f64(fixed, data_f64(values, row));
        cql_write_value(w, CQL_VALUE_OF(fixed, 8));
        return MR_OK;
    case DATA_STRING:
        return text_write(w, column, data_str(values, row), err);
    default:
        break;
    }
    if (column->is_partition && values->type->kind == DATA_BYTES && data_str(values, row).size == 0)
        return mr_err_set(err, MR_INVALID, "column '%.*s' is a key and may not be empty", MR_STR_ARG(column->name));
    begin = w->size;
    status = cassandra_value_write(w, column->type, values, row, err);
    if (status == MR_OK && column->is_key && w->size - begin > CASSANDRA_KEY_BYTES_MAX)
        status = mr_err_set(err, MR_LIMIT, "%zu bytes are too long for a key", w->size - begin);
    if (status != MR_OK)
        mr_err_context(err, "column '%.*s'", MR_STR_ARG(column->name));
    return status;
}

/* Appends all values of a row; on failure W is as it was. */
static enum mr_status row_write(struct connector_sink *sink, struct mr_writer *w, const struct data_batch *batch,
                                uint32_t row, int64_t write_time_us, struct mr_err *err)
{
    size_t begin = w->size;
    enum mr_status status = MR_OK;

    mr_write_u16(w, (uint16_t)(sink->table.column_count + 1));
    for (uint32_t c = 0; c < sink->table.column_count && status == MR_OK; c++)
        status = cell_write(w, &sink->table.columns[c], batch->columns[c], row, err);
    bigint_write(w, write_time_us);
    if (status == MR_OK && w->size - begin > SINK_ROW_BYTES_MAX)
        status = mr_err_set(err, MR_LIMIT, "a row of %zu bytes is larger than the %d allowed", w->size - begin,
                            SINK_ROW_BYTES_MAX);
    if (status != MR_OK)
        w->size = begin;
    return status;
}

/* ---- requests ---- */

static enum mr_status sink_failed(const struct connector_sink *sink, enum mr_status status, struct mr_err *err)
{
    if (status != MR_OK && status != MR_BUSY)
        mr_err_context(err, "writing to %s.%s", sink->table.keyspace, sink->table.table);
    return status;
}

static enum mr_status batch_begin(struct connector_sink *sink, struct mr_err *err)
{
    struct cql_request *request = NULL;
    enum mr_status status = cql_client_request(sink->client, &request, err);

    if (status != MR_OK)
        return status;
    sink->open = request;
    sink->open_rows = 0;
    sink->open_frame = cql_frame_begin(&request->frame, CQL_V4, false, 0, request->stream, CQL_OP_BATCH);
    mr_write_u8(&request->frame, CQL_BATCH_UNLOGGED);
    sink->open_count_at = request->frame.size;
    mr_write_u16(&request->frame, 0);
    return MR_OK;
}

static enum mr_status batch_send(struct connector_sink *sink, struct mr_err *err)
{
    struct cql_request *request = sink->open;

    assert(request != NULL && sink->open_rows > 0);
    request->frame.data[sink->open_count_at] = (uint8_t)(sink->open_rows >> 8);
    request->frame.data[sink->open_count_at + 1] = (uint8_t)sink->open_rows;
    mr_write_u16(&request->frame, (uint16_t)sink->consistency);
    mr_write_u8(&request->frame, 0); /* flags */
    cql_frame_end(&request->frame, sink->open_frame);
    sink->open = NULL;
    return cql_client_submit(sink->client, request, err);
}

static enum mr_status batch_row(struct connector_sink *sink, const struct data_batch *batch, uint32_t row,
                                int64_t write_time_us, struct mr_err *why, struct mr_err *err)
{
    struct mr_writer *w;
    size_t begin;
    enum mr_status status = MR_OK;

    if (sink->open == NULL)
        status = batch_begin(sink, err);
    if (status != MR_OK)
        return status;
    w = &sink->open->frame;
    begin = w->size;
    mr_write_u8(w, 1); /* a prepared statement */
    cql_write_short_bytes(w, cql_client_prepared_id(sink->client));
    if (row_write(sink, w, batch, row, write_time_us, why) != MR_OK) {
        w->size = begin;
        return MR_OK;
    }
    sink->open_rows++;
    if (w->size >= SINK_BATCH_BYTES || sink->open_rows == SINK_BATCH_ROWS)
        status = batch_send(sink, err);
    return status;
}

static enum mr_status single_row(struct connector_sink *sink, const struct data_batch *batch, uint32_t row,
                                 int64_t write_time_us, struct mr_err *why, struct mr_err *err)
{
    struct mr_writer *w;
    size_t frame;

    if (sink->open == NULL) { /* kept when the row before was rejected */
        enum mr_status status = cql_client_request(sink->client, &sink->open, err);

        if (status != MR_OK)
            return status;
    }
    w = &sink->open->frame;
    w->size = 0;
    frame = cql_frame_begin(w, CQL_V4, false, 0, sink->open->stream, CQL_OP_EXECUTE);
    cql_write_short_bytes(w, cql_client_prepared_id(sink->client));
    mr_write_u16(w, (uint16_t)sink->consistency);
    mr_write_u8(w, CQL_PARAM_VALUES);
    if (row_write(sink, w, batch, row, write_time_us, why) != MR_OK)
        return MR_OK;
    cql_frame_end(w, frame);
    struct cql_request *request = sink->open;

    sink->open = NULL;
    return cql_client_submit(sink->client, request, err);
}

/* ---- the sink ---- */

static enum mr_status cassandra_write(struct connector_sink *sink, const struct data_batch *batch,
                                      const uint32_t *record, const int64_t *write_time_us, struct mr_err *err)
{
    assert(batch->column_count == sink->table.column_count);
    for (uint32_t row = 0; row < batch->row_count; row++) {
        struct mr_err why = MR_ERR_INIT;
        enum mr_status status = sink->batches ? batch_row(sink, batch, row, write_time_us[row], &why, err)
                                              : single_row(sink, batch, row, write_time_us[row], &why, err);

        if (status != MR_OK)
            return sink_failed(sink, status, err);
        if (why.status != MR_OK)
            sink->reject(sink->reject_arg, record[row], &why);
    }
    return MR_OK;
}

static enum mr_status cassandra_push(struct connector_sink *sink, struct mr_err *err)
{
    enum mr_status status = MR_OK;

    if (sink->open != NULL && sink->open_rows > 0)
        status = batch_send(sink, err);
    return sink_failed(sink, status, err);
}

static enum mr_status cassandra_flush(struct connector_sink *sink, struct mr_err *err)
{
    enum mr_status status = MR_OK;

    if (sink->open != NULL && sink->open_rows > 0)
        status = batch_send(sink, err);
    if (status == MR_OK)
        status = cql_client_drain(sink->client, err);
    return sink_failed(sink, status, err);
}

static void cassandra_close(struct connector_sink *sink)
{
    if (sink == NULL)
        return;
    cql_client_free(sink->client);
    cassandra_table_deinit(&sink->table);
    mr_free(sink);
}

static enum mr_status cassandra_start(struct connector_sink *sink, const struct connector_table *table,
                                      const struct connector_context *ctx, struct mr_err *err)
{
    struct cassandra_options options = { 0 };
    enum mr_status status = cassandra_options_read(&options, table, ctx, false, err);

    sink->batches = options.ours;
    sink->consistency = options.consistency;
    options.client.in_flight_max = sink->batches ? SINK_BATCHES_IN_FLIGHT : SINK_ROWS_IN_FLIGHT;
    if (status == MR_OK)
        status = cassandra_table_init(&sink->table, table, false, err);
    if (status == MR_OK)
        status = cql_client_new(&sink->client, ctx, &options.client, err);
    if (status != MR_OK)
        return status;
    status = cql_client_connect(sink->client, connector_clock_ms(ctx) + CQL_CLIENT_OPEN_MS, err);
    if (status == MR_OK && options.create)
        status = cassandra_table_create(&sink->table, table, sink->client, err);
    if (status == MR_OK)
        status = cassandra_table_check(&sink->table, table, sink->client, err);
    if (status == MR_OK)
        status = cql_client_prepare(sink->client, sink->table.statement, err);
    return status;
}

static enum mr_status cassandra_open(struct connector_sink **out, const struct connector_table *table,
                                     const struct connector_context *ctx, connector_reject_fn *reject, void *reject_arg,
                                     struct mr_err *err)
{
    struct connector_sink *sink = MR_NEW(struct connector_sink);
    enum mr_status status;

    sink->reject = reject;
    sink->reject_arg = reject_arg;
    status = cassandra_start(sink, table, ctx, err);
    if (status != MR_OK) {
        cassandra_close(sink);
        return status;
    }
    *out = sink;
    return MR_OK;
}

const struct connector_sink_ops cassandra_sink_ops = {
    .open = cassandra_open,
    .write = cassandra_write,
    .push = cassandra_push,
    .flush = cassandra_flush,
    .close = cassandra_close,
};

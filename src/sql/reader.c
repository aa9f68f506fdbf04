/* reader.c -- a table's rows from its connector's records: the value's format, the key's, and metadata.
 *
 *   value   the physical columns; without those of 'key.fields' when 'value.fields-include' = 'EXCEPT_KEY'
 *   key     those, from the record's key
 *   others  METADATA columns: the record's place, time, headers
 * When the value carries all columns, as usually, it is decoded straight into the batch.
 *
 * Invariant: a record that fails leaves no row: every column is cut back. */
#include "sql/reader_int.h"

#include <string.h>

struct part {
    struct data_decoder *decoder; /* owned; NULL: no column comes from here */
    const struct data_type *row;
    uint32_t *at; /* the table's column of each field */
};

struct sql_reader {
    const struct sql_table *table;
    struct mr_arena *arena;
    struct part value, key;
    bool whole;                   /* the value carries every column */
    struct data_column **columns; /* for the view that a decoder fills */
    bool *wanted;
};

/* A decoder for the columns of ROLE. */
static void part_init(struct sql_reader *r, struct part *part, enum sql_column_role role,
                      const struct data_format *format)
{
    const struct data_type *row = r->table->row;
    struct data_field *fields = MR_ARENA_ARRAY(r->arena, struct data_field, row->field_count + 1);
    bool *wanted = MR_ARENA_ARRAY(r->arena, bool, row->field_count + 1);
    uint32_t count = 0;

    part->at = MR_ARENA_ARRAY(r->arena, uint32_t, row->field_count + 1);
    for (uint32_t i = 0; i < row->field_count; i++) {
        if (r->table->columns[i].role != role)
            continue;
        fields[count] = row->fields[i];
        if (role == SQL_ROLE_KEY)
            fields[count].name = r->table->columns[i].key_name;
        wanted[count] = r->wanted[i];
        part->at[count++] = i;
    }
    if (count == 0 && role == SQL_ROLE_KEY)
        return;
    part->row = data_type_row(r->arena, fields, count, false);
    part->decoder = data_decoder_new(part->row, wanted, format);
}

struct sql_reader *sql_reader_new(const struct sql_table *table, const bool *wanted)
{
    struct sql_reader *r = MR_NEW(struct sql_reader);

    r->table = table;
    r->arena = mr_arena_new();
    r->whole = true;
    for (uint32_t i = 0; i < table->row->field_count; i++)
        r->whole = r->whole && table->columns[i].role == SQL_ROLE_VALUE;
    r->wanted = MR_ARENA_ARRAY(r->arena, bool, table->row->field_count + 1);
    for (uint32_t i = 0; i < table->row->field_count; i++)
        r->wanted[i] = wanted == NULL || wanted[i];
    r->columns = MR_ARENA_ARRAY(r->arena, struct data_column *, table->row->field_count + 1);
    if (r->whole) {
        r->value.decoder = data_decoder_new(table->row, wanted, &table->value_format);
    } else {
        part_init(r, &r->value, SQL_ROLE_VALUE, &table->value_format);
        part_init(r, &r->key, SQL_ROLE_KEY, &table->key_format);
    }
    return r;
}

void sql_reader_free(struct sql_reader *reader)
{
    if (reader == NULL)
        return;
    data_decoder_free(reader->value.decoder);
    data_decoder_free(reader->key.decoder);
    mr_arena_free(reader->arena);
    mr_free(reader);
}

static enum mr_status part_read(struct sql_reader *r, struct part *part, struct data_batch *batch,
                                struct mr_bytes bytes, uint32_t slack, bool *skip, struct mr_err *err)
{
    struct data_batch view = {
        .type = part->row, .row_count = batch->row_count, .column_count = part->row->field_count, .refs = 1
    };

    for (uint32_t i = 0; i < view.column_count; i++)
        r->columns[i] = batch->columns[part->at[i]];
    view.columns = r->columns;
    return data_decode(part->decoder, &view, bytes, slack, skip, err);
}

static void headers_append(struct data_column *column, const struct connector_record *record)
{
    struct mr_reader reader = mr_reader_of(record->headers);
    struct mr_str name;
    struct mr_bytes value;

    for (int32_t i = 0; i < record->header_count; i++) {
        connectors_header_next(&reader, &name, &value);
        data_append_str(column->children[0], name);
        if (value.data == NULL)
            data_append_null(column->children[1]);
        else
            data_append_str(column->children[1], mr_str_of_bytes(value));
    }
    data_append_array(column);
}

/* The metadata called KEY into COLUMN: the binder let only fitting types through. */
static void metadata_append(struct data_column *column, const struct sql_table *table, const char *key,
                            const struct connector_record *record)
{
    static const char *const time_types[] = { "CreateTime", "LogAppendTime", "NoTimestampType" };
    const struct data_type *type = column->type;
    int64_t us = record->timestamp_ms * 1000;

    if (strcmp(key, "topic") == 0) {
        data_append_str(column, mr_str_of(sql_table_option(table, "topic")));
    } else if (strcmp(key, "partition") == 0) {
        data_append_integer(column, record->split);
    } else if (strcmp(key, "offset") == 0) {
        data_append_integer(column, record->position);
    } else if (strcmp(key, "leader-epoch") == 0) {
        if (record->leader_epoch < 0)
            data_append_null(column);
        else
            data_append_integer(column, record->leader_epoch);
    } else if (strcmp(key, "timestamp-type") == 0) {
        data_append_str(column, mr_str_of(time_types[record->timestamp_ms < 0 ? 2 : record->append_time ? 1 : 0]));
    } else if (strcmp(key, "headers") == 0) {
        headers_append(column, record);
    } else if (record->timestamp_ms < 0 || !data_timestamp_valid(us)) {
        data_append_null(column);
    } else if (type->kind == DATA_BIGINT) {
        data_append_i64(column, record->timestamp_ms);
    } else {
        const struct data_type shown = { .kind = DATA_TIMESTAMP_LTZ, .zone = table->zone };
        if (type->kind == DATA_TIMESTAMP)
            us = data_timestamp_local(&shown, us);
        data_append_i64(column, data_timestamp_cut(us, type->precision));
    }
}

enum mr_status sql_reader_row(struct sql_reader *r, struct data_batch *batch, const struct connector_record *record,
                              bool *skip, struct mr_err *err)
{
    uint32_t row = batch->row_count;
    enum mr_status status;

    if (r->whole)
        return data_decode(r->value.decoder, batch, record->value, record->parse_slack, skip, err);
    status = part_read(r, &r->value, batch, record->value, record->parse_slack, skip, err);
    if (status == MR_OK && *skip)
        return MR_OK;
    if (status == MR_OK && r->key.decoder != NULL) {
        bool none = false;
        status = part_read(r, &r->key, batch, record->key, 0, &none, err);
        if (status == MR_OK && none)
            status = mr_err_set(err, MR_INVALID, "it is a comment");
        if (status != MR_OK)
            mr_err_context(err, "the key");
    }
    for (uint32_t i = 0; i < batch->column_count && status == MR_OK; i++) {
        struct data_column *column = batch->columns[i];
        if (r->table->columns[i].role != SQL_ROLE_METADATA)
            continue;
        if (!r->wanted[i]) {
            data_append_null(column);
            continue;
        }
        metadata_append(column, r->table, r->table->columns[i].metadata, record);
        if (!column->type->nullable && data_is_null(column, row))
            status = mr_err_set(err, MR_INVALID, "metadata '%s' is NULL, and its column NOT NULL",
                                r->table->columns[i].metadata);
        else if (column->overflowed)
            status = mr_err_set(err, MR_LIMIT, "the batch is full");
    }
    if (status != MR_OK) {
        for (uint32_t i = 0; i < batch->column_count; i++)
            if (batch->columns[i]->length > row)
                data_column_truncate(batch->columns[i], row);
        return status;
    }
    batch->row_count++;
    return MR_OK;
}

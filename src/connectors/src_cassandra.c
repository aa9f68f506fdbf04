/* src_cassandra.c -- the cassandra source: the rows of a table, once, as JSON objects.
 *
 * The columns of the SQL table are selected by name, a page at a time; the server says where the next one begins (the
 * paging state).  A poll brings one page.  A record's position is its number in the scan; what is checkpointed is
 * "page=HEX", the paging state after the last page, or "ended".  A paging state too long for a checkpoint leaves the
 * position where it was: after a restart the rows since are read again.
 * Types: see cassandra_value.c; null and an empty number become null. */
#include "connectors/cassandra_int.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum {
    CASSANDRA_PAGE_ROWS = 1000,
    CASSANDRA_STATE_BYTES = 4096, /* as long as a checkpoint takes it */
    CASSANDRA_SLACK = DATA_JSON_SLACK,
};

struct connector_source {
    struct cassandra_table table;
    struct cql_client *client; /* owned */
    int consistency;           /* enum cql_consistency */
    struct mr_arena *types;    /* owned; of row */
    struct data_batch *batch;  /* owned; a page, of the CQL columns' types */
    struct data_json_encoder *encoder;
    struct mr_writer json;            /* the page's records */
    struct connector_record *records; /* owned */
    uint32_t records_capacity;
    struct mr_writer paging; /* where the next page begins; empty: at the start */
    bool ended;
    int64_t row; /* number of the next record */
    struct connector_position position;
    char state[CASSANDRA_STATE_BYTES];
};

/* ---- a page ---- */

/* Are the rows those of the columns that were checked? */
static bool columns_match(const struct connector_source *s, const struct cql_result *page)
{
    if (page->kind != CQL_RESULT_ROWS || page->metadata.column_count != s->table.column_count ||
        page->metadata.columns == NULL)
        return false;
    for (uint32_t i = 0; i < s->table.column_count; i++)
        if (!cql_type_equal(page->metadata.columns[i].type, s->table.columns[i].type))
            return false;
    return true;
}

/* The page's rows to the batch. */
static enum mr_status page_decode(struct connector_source *s, struct cql_result *page, struct mr_arena *arena,
                                  struct mr_err *err)
{
    struct cql_value *cells = MR_ARENA_ARRAY(arena, struct cql_value, s->table.column_count);

    data_batch_reset(s->batch);
    if (!columns_match(s, page))
        return mr_err_set(err, MR_INVALID, "its columns changed: start the query again");
    for (uint32_t row = 0; row < page->row_count; row++) {
        enum mr_status status = cql_row_read(&page->rows, cells, s->table.column_count);

        if (status != MR_OK)
            return mr_err_set(err, MR_CORRUPT, "row %" PRId64 " can't be read", s->row + row);
        for (uint32_t c = 0; c < s->table.column_count; c++) {
            status = cql_value_check(page->metadata.columns[c].type, cells[c], err);
            if (status != MR_OK) {
                mr_err_context(err, "row %" PRId64 ", column '%.*s'", s->row + row,
                               MR_STR_ARG(s->table.columns[c].name));
                return MR_CORRUPT;
            }
            cassandra_value_append(s->batch->columns[c], s->table.columns[c].type, cells[c]);
        }
        s->batch->row_count++;
    }
    return MR_OK;
}

/* The batch's rows to records. */
static void page_encode(struct connector_source *s)
{
    const uint8_t *at;

    s->json.size = 0;
    for (uint32_t row = 0; row < s->batch->row_count; row++) {
        size_t begin = s->json.size;

        data_json_encode(s->encoder, s->batch, row, &s->json);
        MR_GROW(s->records, row, s->records_capacity);
        s->records[row] = (struct connector_record){
            .value.size = s->json.size - begin,
            .key = MR_BYTES_NULL,
            .timestamp_ms = -1,
            .position = s->row + row,
            .parse_slack = CASSANDRA_SLACK,
        };
    }
    memset(mr_writer_reserve(&s->json, CASSANDRA_SLACK), 0, CASSANDRA_SLACK);
    at = s->json.data;
    for (uint32_t row = 0; row < s->batch->row_count; row++) {
        s->records[row].value.data = at;
        at += s->records[row].value.size;
    }
    s->row += s->batch->row_count;
}

/* ---- position ---- */

/* False: the paging state is too long to be kept. */
static bool state_write(struct connector_source *s)
{
    int size = snprintf(s->state, sizeof(s->state), "%s", s->ended ? "ended" : "page=");

    if (!s->ended && s->paging.size * 2 + (size_t)size >= sizeof(s->state))
        return false;
    for (size_t i = 0; i < s->paging.size && !s->ended; i++)
        size += snprintf(s->state + size, sizeof(s->state) - (size_t)size, "%02x", s->paging.data[i]);
    s->position.state = (struct mr_str){ s->state, (size_t)size };
    return true;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum mr_status state_read(struct connector_source *s, const struct connector_position *position,
                                 struct mr_err *err)
{
    struct mr_str text = position->state;

    s->position = *position;
    s->position.state = MR_STR_NULL;
    s->row = position->next;
    s->ended = mr_str_equal(text, MR_STR("ended"));
    if (s->ended)
        return MR_OK;
    if (text.size < 5 || text.size % 2 == 0 || memcmp(text.data, "page=", 5) != 0)
        goto wrong;
    for (size_t i = 5; i < text.size; i += 2) {
        int high = hex_digit(text.data[i]), low = hex_digit(text.data[i + 1]);

        if (high < 0 || low < 0)
            goto wrong;
        mr_write_u8(&s->paging, (uint8_t)(high << 4 | low));
    }
    return MR_OK;
wrong:
    return mr_err_set(err, MR_CORRUPT, "the checkpoint's position in %s.%s can't be read", s->table.keyspace,
                      s->table.table);
}

static void position_move(struct connector_source *s, struct connector_poll *out)
{
    if (!state_write(s))
        return;
    s->position.next = s->row;
    if (out->record_count > 0) {
        s->position.last = s->row - 1;
        s->position.last_checksum = connector_checksum(MR_BYTES_NULL, s->records[out->record_count - 1].value);
    }
    out->positions = &s->position;
    out->position_count = 1;
}

/* ---- the source ---- */

static enum mr_status cassandra_poll(struct connector_source *s, int timeout_ms, uint32_t records_max,
                                     struct connector_poll *out, struct mr_err *err)
{
    struct cql_query query = {
        .text = mr_str_of(s->table.statement),
        .params = { .consistency = (uint16_t)s->consistency,
                    .flags = CQL_PARAM_PAGE_SIZE | (s->paging.size > 0 ? CQL_PARAM_PAGING_STATE : 0),
                    .page_size = records_max > 0 && records_max < CASSANDRA_PAGE_ROWS ? (int32_t)records_max
                                                                                      : CASSANDRA_PAGE_ROWS,
                    .paging_state = mr_writer_bytes(&s->paging) },
    };
    struct mr_arena *arena;
    struct cql_result page;
    enum mr_status status;

    MR_UNUSED(timeout_ms);
    *out = (struct connector_poll){ .ended = s->ended };
    if (s->ended)
        return MR_OK;
    arena = mr_arena_new();
    status = cql_client_read(s->client, &query, arena, &page, err);
    if (status == MR_OK)
        status = page_decode(s, &page, arena, err);
    if (status == MR_OK) {
        page_encode(s);
        s->paging.size = 0;
        s->ended = (page.metadata.flags & CQL_META_MORE_PAGES) == 0 || page.metadata.paging_state.size == 0;
        if (!s->ended)
            mr_write_bytes(&s->paging, page.metadata.paging_state);
        out->records = s->records;
        out->record_count = s->batch->row_count;
        out->ended = s->ended;
        position_move(s, out);
    } else if (status != MR_BUSY) {
        mr_err_context(err, "reading %s.%s", s->table.keyspace, s->table.table);
    }
    mr_arena_free(arena);
    return status;
}

static void cassandra_close(struct connector_source *s)
{
    if (s == NULL)
        return;
    cql_client_free(s->client);
    cassandra_table_deinit(&s->table);
    data_json_encoder_free(s->encoder);
    data_batch_unref(s->batch);
    mr_arena_free(s->types);
    mr_writer_deinit(&s->json);
    mr_writer_deinit(&s->paging);
    mr_free(s->records);
    mr_free(s);
}

/* The batch's columns have the CQL types, so that a value the SQL type can't hold is the decoder's to refuse. */
static void batch_make(struct connector_source *s, const struct data_type *table_row)
{
    struct data_field *fields;
    const struct data_type *row;

    s->types = mr_arena_new();
    fields = MR_ARENA_ARRAY(s->types, struct data_field, s->table.column_count);
    for (uint32_t i = 0; i < s->table.column_count; i++)
        fields[i] =
            (struct data_field){ s->table.columns[i].name, cassandra_type_read_as(s->types, table_row->fields[i].type,
                                                                                  s->table.columns[i].type) };
    row = data_type_row(s->types, fields, s->table.column_count, false);
    s->batch = data_batch_new(row);
    s->encoder = data_json_encoder_new(row);
}

static enum mr_status cassandra_start(struct connector_source *s, const struct connector_table *table,
                                      const struct connector_context *ctx, const struct connector_position *position,
                                      struct mr_err *err)
{
    struct cassandra_options options = { 0 };
    enum mr_status status = cassandra_options_read(&options, table, ctx, true, err);

    s->consistency = options.consistency;
    options.client.in_flight_max = 1;
    if (status == MR_OK)
        status = cassandra_table_init(&s->table, table, true, err);
    if (status == MR_OK && position != NULL)
        status = state_read(s, position, err);
    if (status == MR_OK)
        status = cql_client_new(&s->client, ctx, &options.client, err);
    if (status == MR_OK)
        status = cql_client_connect(s->client, connector_clock_ms(ctx) + CQL_CLIENT_OPEN_MS, err);
    if (status == MR_OK)
        status = cassandra_table_check(&s->table, table, s->client, err);
    if (status == MR_OK)
        batch_make(s, table->row);
    return status;
}

static enum mr_status cassandra_open(struct connector_source **out, const struct connector_table *table,
                                     const struct connector_context *ctx, const struct connector_position *positions,
                                     uint32_t position_count, struct mr_err *err)
{
    struct connector_source *s = MR_NEW(struct connector_source);
    enum mr_status status;

    s->position = (struct connector_position){ .split = 0, .next = 0, .last = -1 };
    status = cassandra_start(s, table, ctx, connector_position_find(positions, position_count, 0), err);
    if (status != MR_OK) {
        cassandra_close(s);
        return status;
    }
    *out = s;
    return MR_OK;
}

const struct connector_source_ops cassandra_source_ops = {
    .open = cassandra_open,
    .poll = cassandra_poll,
    .close = cassandra_close,
    .bounded_by_default = true,
};

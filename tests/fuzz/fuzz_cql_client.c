/* fuzz_cql_client.c -- any bytes as what a CQL server answers to the cassandra sink and source: login, the table's
 * columns, the prepared statement, the writes, the pages.  The first byte chooses which and how it is opened;
 * scripted.h says what the others are. */
#include "scripted.h"

static uint8_t choice;

static const char *option(const struct connector_table *table, const char *name)
{
    MR_UNUSED(table);
    if (strcmp(name, "keyspace") == 0 || strcmp(name, "table") == 0)
        return "k";
    if (strcmp(name, "contact-points") == 0)
        return "127.0.0.1:1";
    if (strcmp(name, "auto.create") == 0)
        return (choice & 1) != 0 ? "true" : "false";
    if (strcmp(name, "username") == 0 || strcmp(name, "password") == 0)
        return (choice & 2) != 0 ? "ada" : NULL;
    return NULL;
}

static void rejected(void *arg, uint32_t record, const struct mr_err *why)
{
    MR_UNUSED(arg);
    FUZZ_MUST(record < 2 && why->text[0] != '\0');
}

static void rows_write(const struct connector_sink_ops *sink_ops, struct connector_sink *sink,
                       const struct data_type *row, struct mr_err *err)
{
    struct data_batch *batch = data_batch_new(row);
    const uint32_t records[] = { 0, 1 };
    const int64_t times[] = { 1, 2 };

    data_append_str(batch->columns[0], MR_STR("Ada"));
    data_append_i32(batch->columns[1], 36);
    data_append_str(batch->columns[0], MR_STR("Bob"));
    data_append_null(batch->columns[1]);
    batch->row_count = 2;
    if (sink_ops->write(sink, batch, records, times, err) == MR_OK)
        MR_UNUSED(sink_ops->flush(sink, err) == MR_OK);
    data_batch_unref(batch);
}

static void rows_read(const struct connector_table *table, const struct connector_context *context, struct mr_err *err)
{
    enum { POLLS_MAX = 8 }; /* a server can say "more" for ever */
    const struct connector_source_ops *ops = connectors_find("cassandra")->source;
    struct connector_source *source = NULL;
    struct connector_poll poll = { 0 };

    if (ops->open(&source, table, context, NULL, 0, err) != MR_OK) {
        FUZZ_MUST(err->text[0] != '\0');
        return;
    }
    for (int i = 0; i < POLLS_MAX && !poll.ended; i++) {
        if (ops->poll(source, 0, 10, &poll, err) != MR_OK)
            break;
        for (uint32_t r = 0; r < poll.record_count; r++)
            FUZZ_MUST(poll.records[r].value.size > 1 && poll.records[r].value.data[0] == '{');
    }
    ops->close(source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct data_field fields[] = { { MR_STR("name"), data_type_scalar(DATA_STRING, true) },
                                         { MR_STR("age"), data_type_scalar(DATA_INT, true) } };
    const struct connector_sink_ops *cassandra = connectors_find("cassandra")->sink;
    struct mr_arena *arena = mr_arena_new();
    const uint32_t key = 0;
    struct connector_table table = { .name = "t",
                                     .row = data_type_row(arena, fields, MR_COUNT(fields), false),
                                     .primary_key = &key,
                                     .primary_key_count = 1,
                                     .option = option };
    struct connector_sink *sink = NULL;
    struct connector_context *context;
    struct mr_err err = MR_ERR_INIT;

    choice = size > 0 ? data[0] : 0;
    context = scripted_begin(size > 0 ? data + 1 : data, size > 0 ? size - 1 : 0);
    if ((choice & 4) != 0) {
        rows_read(&table, context, &err);
    } else if (cassandra->open(&sink, &table, context, rejected, NULL, &err) == MR_OK) {
        rows_write(cassandra, sink, table.row, &err);
        cassandra->close(sink);
    } else {
        FUZZ_MUST(err.text[0] != '\0');
    }
    scripted_end();
    mr_arena_free(arena);
    return 0;
}

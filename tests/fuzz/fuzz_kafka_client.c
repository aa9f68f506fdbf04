/* fuzz_kafka_client.c -- any bytes as what brokers answer to the kafka source, from its first connection to its
 * records.  The first byte chooses how the source is opened; scripted.h says what the others are. */
#include "scripted.h"

enum { POLLS = 6 };

static uint8_t choice;

static const char *option(const struct connector_table *table, const char *name)
{
    MR_UNUSED(table);
    if (strcmp(name, "topic") == 0)
        return "t";
    if (strcmp(name, "properties.bootstrap.servers") == 0)
        return "127.0.0.1:1";
    if (strcmp(name, "scan.bounded.mode") == 0)
        return (choice & 1) != 0 ? "latest-offset" : NULL;
    if (strcmp(name, "scan.startup.mode") == 0)
        return (choice & 2) != 0 ? "latest-offset" : NULL;
    return NULL;
}

static void records_use(const struct connector_poll *poll)
{
    volatile uint8_t sum = 0;

    for (uint32_t i = 0; i < poll->record_count; i++) {
        const struct connector_record *record = &poll->records[i];

        for (size_t b = 0; record->key.data != NULL && b < record->key.size; b++)
            sum = (uint8_t)(sum + record->key.data[b]);
        for (size_t b = 0; record->value.data != NULL && b < record->value.size + record->parse_slack; b++)
            sum = (uint8_t)(sum + record->value.data[b]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct data_field field = { MR_STR("a"), data_type_scalar(DATA_STRING, true) };
    const struct connector_position position = { .split = 0, .next = 1, .last = 0, .last_checksum = 1 };
    const struct connector_source_ops *kafka = connectors_find("kafka")->source;
    struct mr_arena *arena = mr_arena_new();
    struct connector_table table = { .name = "t", .row = data_type_row(arena, &field, 1, false), .option = option };
    struct connector_source *source = NULL;
    struct connector_context *context;
    struct mr_err err = MR_ERR_INIT;
    struct connector_poll poll;

    choice = size > 0 ? data[0] : 0;
    context = scripted_begin(size > 0 ? data + 1 : data, size > 0 ? size - 1 : 0);
    if (kafka->open(&source, &table, context, &position, (choice & 4) != 0 ? 1 : 0, &err) != MR_OK) {
        FUZZ_MUST(err.text[0] != '\0');
        goto out;
    }
    for (int i = 0; i < POLLS; i++) {
        if (kafka->poll(source, 0, 16, &poll, &err) != MR_OK)
            break;
        records_use(&poll);
        MR_UNUSED(kafka->lag != NULL ? kafka->lag(source) : 0);
        if (poll.ended)
            break;
    }
    kafka->close(source);
out:
    scripted_end();
    mr_arena_free(arena);
    return 0;
}

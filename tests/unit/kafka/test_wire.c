/* test_wire.c -- every message of tests/wire both ways, and cut everywhere. */
#include "kafka/messages.h"
#include "page_end.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *wire_dir;

struct message {
    const char *api;
    const char *direction;
    size_t bytes;
    enum mr_status (*read)(void *m, struct mr_reader *in, int version, struct mr_arena *arena);
    void (*write)(const void *m, struct mr_writer *out, int version);
};

#define ADAPTER(name)                                                                                                  \
    static enum mr_status name##_read(void *m, struct mr_reader *in, int version, struct mr_arena *arena)              \
    {                                                                                                                  \
        return kafka_##name##_read(m, in, version, arena);                                                             \
    }                                                                                                                  \
    static void name##_write(const void *m, struct mr_writer *out, int version)                                        \
    {                                                                                                                  \
        kafka_##name##_write(m, out, version);                                                                         \
    }
#define API_MAP(X)                                                                                                     \
    X(alter_configs)                                                                                                   \
    X(api_versions)                                                                                                    \
    X(create_partitions)                                                                                               \
    X(create_topics)                                                                                                   \
    X(delete_groups)                                                                                                   \
    X(delete_records)                                                                                                  \
    X(delete_topics)                                                                                                   \
    X(describe_cluster)                                                                                                \
    X(describe_configs)                                                                                                \
    X(describe_groups)                                                                                                 \
    X(describe_log_dirs)                                                                                               \
    X(describe_topic_partitions)                                                                                       \
    X(fetch)                                                                                                           \
    X(find_coordinator)                                                                                                \
    X(heartbeat)                                                                                                       \
    X(incremental_alter_configs)                                                                                       \
    X(init_producer_id)                                                                                                \
    X(join_group)                                                                                                      \
    X(leave_group)                                                                                                     \
    X(list_groups)                                                                                                     \
    X(list_offsets)                                                                                                    \
    X(metadata)                                                                                                        \
    X(offset_commit)                                                                                                   \
    X(offset_delete)                                                                                                   \
    X(offset_fetch)                                                                                                    \
    X(offset_for_leader_epoch)                                                                                         \
    X(produce)                                                                                                         \
    X(sync_group)
#define BOTH(api) ADAPTER(api##_request) ADAPTER(api##_response)
API_MAP(BOTH)

#define ROWS(api)                                                                                                      \
    { #api, "request", sizeof(struct kafka_##api##_request), api##_request_read, api##_request_write },                \
        { #api, "response", sizeof(struct kafka_##api##_response), api##_response_read, api##_response_write },
static const struct message messages[] = { API_MAP(ROWS) };

static const struct message *message_find(const char *api, const char *direction)
{
    for (size_t i = 0; i < MR_COUNT(messages); i++)
        if (strcmp(messages[i].api, api) == 0 && strcmp(messages[i].direction, direction) == 0)
            return &messages[i];
    fail_msg("no message %s %s", api, direction);
    return NULL;
}

static struct mr_bytes hex_decode(const char *hex, uint8_t *out)
{
    size_t size = 0;

    for (; hex[0] != '\0' && hex[0] != '-' && hex[0] != '\n'; hex += 2) {
        unsigned byte;

        assert_int_equal(sscanf(hex, "%2x", &byte), 1);
        out[size++] = (uint8_t)byte;
    }
    return (struct mr_bytes){ out, size };
}

static enum mr_status decode(const struct message *message, struct mr_bytes b, int version, void *m,
                             struct mr_arena *arena, size_t *left)
{
    struct mr_reader in = mr_reader_of(at_page_end(b));
    enum mr_status status = message->read(m, &in, version, arena);

    *left = mr_reader_left(&in);
    return status;
}

static void message_check(const struct message *message, int version, const char *name, struct mr_bytes whole)
{
    struct mr_arena *arena = mr_arena_new();
    void *m = mr_arena_alloc(arena, message->bytes);
    struct mr_writer out = { 0 };
    size_t left;

    if (decode(message, whole, version, m, arena, &left) != MR_OK || left != 0)
        fail_msg("%s %s v%d %s: not read, or %zu bytes left", message->api, message->direction, version, name, left);
    message->write(m, &out, version);
    if (mr_bytes_compare(mr_writer_bytes(&out), whole) != 0)
        fail_msg("%s %s v%d %s: written otherwise than read", message->api, message->direction, version, name);
    for (size_t cut = 0; cut < whole.size; cut++)
        if (decode(message, (struct mr_bytes){ whole.data, cut }, version, m, arena, &left) != MR_INVALID)
            fail_msg("%s %s v%d %s: taken when cut to %zu bytes", message->api, message->direction, version, name, cut);
    mr_writer_deinit(&out);
    mr_arena_free(arena);
}

static void file_check(const char *api)
{
    static char line[32768];
    static uint8_t bytes[16384];
    char path[1024];
    int count = 0;
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s.txt", wire_dir, api);
    file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        char direction[16], name[64];
        int version, at;

        if (line[0] == '#')
            continue;
        assert_int_equal(sscanf(line, "%15s %d %63s %n", direction, &version, name, &at), 3);
        message_check(message_find(api, direction), version, name, hex_decode(line + at, bytes));
        count++;
    }
    fclose(file);
    assert_true(count >= 6); /* both ways, full, empty and null, in each version */
}

#define TEST(api)                                                                                                      \
    static void test_##api(void **state)                                                                               \
    {                                                                                                                  \
        MR_UNUSED(state);                                                                                              \
        file_check(#api);                                                                                              \
    }
API_MAP(TEST)

/* Messages that break a rule, and some that Kafka takes although they look wrong. */
static void test_odd_messages(void **state)
{
    static const struct {
        const char *name;
        const char *api;
        const char *direction;
        int version;
        const char *hex;
        enum mr_status expect;
    } cases[] = {
        { "a length of -5 is null", "metadata", "request", 4, "fffffffb00", MR_OK },
        { "no null list in version 0", "metadata", "request", 0, "ffffffff", MR_INVALID },
        { "more elements than bytes", "metadata", "request", 0, "7fffffff0001610001", MR_INVALID },
        { "string runs past the end", "metadata", "request", 0, "000000017fff61", MR_INVALID },
        { "null name before version 10", "metadata", "request", 4, "00000001ffff00", MR_INVALID },
        { "varint of six bytes", "metadata", "request", 9, "ffffffffffff01", MR_INVALID },
        { "compact array of 2^32-2", "metadata", "request", 9, "ffffffff0f0000", MR_INVALID },
        { "unknown tagged field is skipped", "metadata", "request", 9, "0001000001630201ff", MR_OK },
        { "tagged field longer than the rest", "metadata", "request", 9, "000100000163ff01", MR_INVALID },
        { "known tagged field that is cut", "fetch", "request", 12,
          "00000001000000010000000100000000000000000000010101010001020a", MR_INVALID },
        { "records longer than the rest", "produce", "request", 3,
          "ffff000100000001000000010001610000000100000000000000ff00", MR_INVALID },
        { "null records", "produce", "request", 3,
          "ffff0001000000010000000100016100000001"
          "00000000ffffffff",
          MR_OK },
    };
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        const struct message *message = message_find(cases[i].api, cases[i].direction);
        struct mr_arena *arena = mr_arena_new();
        void *m = mr_arena_alloc(arena, message->bytes);
        uint8_t bytes[256];
        size_t left;
        enum mr_status got = decode(message, hex_decode(cases[i].hex, bytes), cases[i].version, m, arena, &left);

        if (got != cases[i].expect)
            fail_msg("%s: %s", cases[i].name, mr_status_text(got));
        mr_arena_free(arena);
    }
}

/* A message of 100 MiB that says it has as many elements as it can does not get the memory for them. */
static void test_decode_is_bounded(void **state)
{
    size_t size = 100u << 20;
    uint8_t *bytes = mr_calloc(size, 1);
    struct mr_arena *arena = mr_arena_new();
    struct kafka_metadata_request m;
    struct mr_reader in = mr_reader_of((struct mr_bytes){ bytes, size });

    MR_UNUSED(state);
    mr_store_i32(bytes, 40 << 20);
    assert_int_equal(kafka_metadata_request_read(&m, &in, 0, arena), MR_INVALID);
    assert_true(mr_arena_size(arena) <= KAFKA_DECODE_BYTES_MAX);
    mr_arena_free(arena);
    mr_free(bytes);
}

static void test_records_hole(void **state)
{
    size_t hole = 0;
    struct kafka_produce_request_partition partition = { .records = { .bytes = { NULL, 1000 }, .hole = &hole } };
    struct kafka_produce_request_topic topic = { .name = MR_STR("t"), .partitions = &partition, .partitions_count = 1 };
    struct kafka_produce_request m = { .topics = &topic, .topics_count = 1 };
    struct mr_writer out = { 0 };
    size_t frame = kafka_frame_begin(&out);

    MR_UNUSED(state);
    kafka_produce_request_write(&m, &out, 3);
    kafka_frame_end(&out, frame, 1000);
    assert_int_equal(hole, out.size);
    assert_int_equal(mr_load_i32(out.data + hole - 4), 1000);
    assert_int_equal(mr_load_i32(out.data), out.size - 4 + 1000);
    mr_writer_deinit(&out);
}

int main(int argc, char **argv)
{
#define UNIT(api) cmocka_unit_test(test_##api),
    const struct CMUnitTest tests[] = {
        API_MAP(UNIT) cmocka_unit_test(test_odd_messages),
        cmocka_unit_test(test_decode_is_bounded),
        cmocka_unit_test(test_records_hole),
    };

    if (argc != 2)
        return 2;
    wire_dir = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_kafka.c -- the kafka source against a small broker of its own: batches of all kinds, resuming, trouble. */
#include "harness.h"

#include "base/hash.h"
#include "kafka/errors.h"
#include "kafka/messages.h"
#include "kafka/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PARTITIONS_MAX = 4 };

struct partition {
    struct mr_writer batches;
    int64_t start, end;
};

struct broker {
    struct partition partitions[PARTITIONS_MAX];
    atomic_int partition_count;
    atomic_int fetches;
    int not_leader;  /* so many fetches get that error first */
    int cut;         /* so many fetches end with a closed connection */
    int garbage;     /* so many fetches get bytes that are no answer */
    int unavailable; /* so many metadata requests find no leader */
    pthread_mutex_t lock;
};

/* Appends a batch of COUNT records "<name><offset>" with key "k" to PARTITION. */
static void broker_append(struct broker *broker, int partition, const char *name, int count, enum kafka_codec codec,
                          int16_t attributes)
{
    struct partition *p = &broker->partitions[partition];
    struct kafka_builder builder;
    struct mr_err err;

    kafka_builder_init(&builder);
    builder.base_offset = p->end;
    builder.attributes = attributes;
    for (int i = 0; i < count; i++) {
        char text[64];
        int size = snprintf(text, sizeof(text), "%s%" PRId64, name, p->end + i);

        kafka_builder_add(&builder, 1000 + i, mr_bytes_of_str(MR_STR("k")),
                          (struct mr_bytes){ (uint8_t *)text, (size_t)size }, NULL, 0);
    }
    if (kafka_builder_finish(&builder, codec, &p->batches, &err) != MR_OK)
        abort();
    kafka_builder_deinit(&builder);
    p->end += count;
}

static bool broker_takes(struct broker *broker, int *counter)
{
    bool taken;

    pthread_mutex_lock(&broker->lock);
    taken = *counter > 0;
    if (taken)
        --*counter;
    pthread_mutex_unlock(&broker->lock);
    return taken;
}

static void answer_versions(struct mr_writer *out)
{
    static struct kafka_api_versions_response_api apis[] = {
        { KAFKA_FETCH, 4, 17 }, { KAFKA_LIST_OFFSETS, 1, 10 }, { KAFKA_METADATA, 0, 13 }, { KAFKA_API_VERSIONS, 0, 4 }
    };
    struct kafka_api_versions_response answer;

    kafka_api_versions_response_init(&answer);
    answer.api_keys = apis;
    answer.api_keys_count = MR_COUNT(apis);
    kafka_api_versions_response_write(&answer, out, 0);
}

static void answer_metadata(struct broker *broker, const struct harness_server *server, struct mr_writer *out,
                            int version)
{
    struct kafka_metadata_response_partition partitions[PARTITIONS_MAX];
    struct kafka_metadata_response_broker node;
    struct kafka_metadata_response_topic topic;
    struct kafka_metadata_response answer;
    bool unavailable = broker_takes(broker, &broker->unavailable);

    kafka_metadata_response_init(&answer);
    kafka_metadata_response_topic_init(&topic);
    kafka_metadata_response_broker_init(&node);
    node.node_id = 7;
    node.host = MR_STR("127.0.0.1");
    node.port = server->port;
    topic.name = MR_STR("t");
    topic.partitions = partitions;
    topic.partitions_count = atomic_load(&broker->partition_count);
    for (int i = 0; i < topic.partitions_count; i++) {
        kafka_metadata_response_partition_init(&partitions[i]);
        partitions[i].partition_index = i;
        partitions[i].leader_id = unavailable ? -1 : 7;
    }
    answer.brokers = &node;
    answer.brokers_count = 1;
    answer.cluster_id = MR_STR("c");
    answer.topics = &topic;
    answer.topics_count = 1;
    kafka_metadata_response_write(&answer, out, version);
}

static void answer_offsets(struct broker *broker, struct mr_reader *in, struct mr_writer *out, int version,
                           struct mr_arena *arena)
{
    struct kafka_list_offsets_response_partition partition;
    struct kafka_list_offsets_response_topic topic;
    struct kafka_list_offsets_response answer;
    struct kafka_list_offsets_request request;
    const struct partition *p;

    if (kafka_list_offsets_request_read(&request, in, version, arena) != MR_OK)
        abort();
    kafka_list_offsets_response_init(&answer);
    kafka_list_offsets_response_topic_init(&topic);
    kafka_list_offsets_response_partition_init(&partition);
    partition.index = request.topics[0].partitions[0].index;
    p = &broker->partitions[partition.index];
    partition.offset = request.topics[0].partitions[0].timestamp == -2 ? p->start : p->end;
    topic.name = MR_STR("t");
    topic.partitions = &partition;
    topic.partitions_count = 1;
    answer.topics = &topic;
    answer.topics_count = 1;
    kafka_list_offsets_response_write(&answer, out, version);
}

/* The batches of P from the one that holds OFFSET on. */
static struct mr_bytes partition_from(const struct partition *p, int64_t offset)
{
    struct mr_bytes rest = mr_writer_bytes(&p->batches);
    struct kafka_batch batch;
    struct mr_err err;

    while (rest.size > 0 && kafka_batch_parse(rest, &batch, &err) == MR_OK && batch.last_offset < offset) {
        rest.data += batch.bytes.size;
        rest.size -= batch.bytes.size;
    }
    return rest;
}

static void answer_fetch(struct broker *broker, struct mr_reader *in, struct mr_writer *out, int version,
                         struct mr_arena *arena)
{
    struct kafka_fetch_response_partition partitions[PARTITIONS_MAX];
    struct kafka_fetch_response_topic topic;
    struct kafka_fetch_response answer;
    struct kafka_fetch_request request;
    bool not_leader = broker_takes(broker, &broker->not_leader);

    if (kafka_fetch_request_read(&request, in, version, arena) != MR_OK)
        abort();
    kafka_fetch_response_init(&answer);
    kafka_fetch_response_topic_init(&topic);
    topic.name = MR_STR("t");
    topic.partitions = partitions;
    topic.partitions_count = request.topics[0].partitions_count;
    for (int i = 0; i < topic.partitions_count; i++) {
        const struct kafka_fetch_request_partition *asked = &request.topics[0].partitions[i];
        const struct partition *p = &broker->partitions[asked->index];

        kafka_fetch_response_partition_init(&partitions[i]);
        partitions[i].index = asked->index;
        partitions[i].aborted_transactions_count = -1;
        partitions[i].high_watermark = p->end;
        if (not_leader)
            partitions[i].error_code = KAFKA_ERROR_NOT_LEADER_OR_FOLLOWER;
        else if (asked->fetch_offset < p->start || asked->fetch_offset > p->end)
            partitions[i].error_code = KAFKA_ERROR_OFFSET_OUT_OF_RANGE;
        else
            partitions[i].records.bytes = partition_from(p, asked->fetch_offset);
    }
    answer.responses = &topic;
    answer.responses_count = 1;
    kafka_fetch_response_write(&answer, out, version);
    atomic_fetch_add(&broker->fetches, 1);
}

static void broker_handle(struct harness_server *server, int fd, int connection)
{
    struct broker *broker = server->arg;
    struct mr_writer in = { 0 }, out = { 0 };
    struct mr_arena *arena = mr_arena_new();
    uint8_t length[4];

    MR_UNUSED(connection);
    while (harness_receive(server, fd, length, 4)) {
        size_t size = (size_t)mr_load_i32(length), frame;
        struct kafka_request_header header;
        struct mr_reader reader;

        in.size = out.size = 0;
        if (!harness_receive(server, fd, mr_writer_reserve(&in, size), size))
            break;
        in.size = size;
        reader = mr_reader_of(mr_writer_bytes(&in));
        if (kafka_request_header_read(&header, &reader) != MR_OK)
            abort();
        if (header.api_key == KAFKA_FETCH && broker_takes(broker, &broker->cut))
            break;
        if (header.api_key == KAFKA_FETCH && broker_takes(broker, &broker->garbage)) {
            harness_send(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
            continue;
        }
        mr_arena_reset(arena);
        frame = kafka_frame_begin(&out);
        kafka_response_header_write(&out, header.api_key, header.api_version, header.correlation_id);
        if (header.api_key == KAFKA_API_VERSIONS)
            answer_versions(&out);
        else if (header.api_key == KAFKA_METADATA)
            answer_metadata(broker, server, &out, header.api_version);
        else if (header.api_key == KAFKA_LIST_OFFSETS)
            answer_offsets(broker, &reader, &out, header.api_version, arena);
        else
            answer_fetch(broker, &reader, &out, header.api_version, arena);
        kafka_frame_end(&out, frame, 0);
        harness_send(fd, out.data, out.size);
    }
    mr_arena_free(arena);
    mr_writer_deinit(&in);
    mr_writer_deinit(&out);
}

static void broker_init(struct broker *broker, int partitions)
{
    memset(broker, 0, sizeof(*broker));
    pthread_mutex_init(&broker->lock, NULL);
    atomic_store(&broker->partition_count, partitions);
}

static void broker_deinit(struct broker *broker)
{
    for (int i = 0; i < PARTITIONS_MAX; i++)
        mr_writer_deinit(&broker->partitions[i].batches);
    pthread_mutex_destroy(&broker->lock);
}

struct run {
    struct mr_writer text;
    struct connector_position positions[16];
    uint32_t position_count;
    bool ended;
    enum mr_status status;
    struct mr_err err;
};

/* Reads topic t with OPTIONS, up to WANT records. */
static const char *run_source(struct run *run, struct broker *broker, const struct harness_option *options,
                              uint32_t want)
{
    const struct connector_source_ops *ops = connectors_find("kafka")->source;
    struct harness_option all[16] = { { "topic", "t" } };
    struct connector_source *source = NULL;
    struct harness_server server;
    struct connector_context ctx;
    struct harness_table table;
    int count = 1;

    harness_server_start(&server, broker_handle, broker);
    for (; options != NULL && options->name != NULL; options++)
        all[count++] = *options;
    harness_context_init(&ctx, NULL);
    ctx.kafka_embedded = server.address;
    harness_table_init(&table, "kafka", NULL, all);
    run->text.size = 0;
    run->ended = false;
    run->status = ops->open(&source, &table.table, &ctx, run->positions, run->position_count, &run->err);
    if (run->status == MR_OK)
        run->status = harness_read(ops, source, want, 10000, &run->text, run->positions, &run->position_count,
                                   &run->ended, &run->err);
    mr_write_u8(&run->text, '\0');
    ops->close(source);
    harness_server_stop(&server);
    return (const char *)run->text.data;
}

static const struct harness_option bounded[] = { { "scan.bounded.mode", "latest-offset" }, { NULL, NULL } };

static void test_codecs(void **state)
{
    static const enum kafka_codec codecs[] = { KAFKA_CODEC_NONE, KAFKA_CODEC_LZ4, KAFKA_CODEC_ZSTD };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(codecs); i++) {
        struct run run = { 0 };
        struct broker broker;

        broker_init(&broker, 1);
        broker_append(&broker, 0, "a", 2, codecs[i], 0);
        broker_append(&broker, 0, "control", 1, KAFKA_CODEC_NONE, KAFKA_BATCH_CONTROL | KAFKA_BATCH_TRANSACTIONAL);
        broker_append(&broker, 0, "b", 2, codecs[i], 0);
        broker_append(&broker, 0, "control", 1, KAFKA_CODEC_NONE, KAFKA_BATCH_CONTROL | KAFKA_BATCH_TRANSACTIONAL);
        assert_string_equal(run_source(&run, &broker, bounded, 100), "0:0 a0\n0:1 a1\n0:3 b3\n0:4 b4\n");
        assert_int_equal(run.status, MR_OK);
        assert_true(run.ended);
        assert_int_equal(run.position_count, 1);
        assert_int_equal(run.positions[0].next, 6);
        assert_int_equal(run.positions[0].last, 4);
        broker_deinit(&broker);
        mr_writer_deinit(&run.text);
    }
}

/* More compressed batches than one poll has scratches for, and more records than one poll takes. */
static void test_many_batches(void **state)
{
    struct run run = { 0 };
    struct broker broker;
    struct mr_writer expected = { 0 };

    MR_UNUSED(state);
    broker_init(&broker, 1);
    for (int i = 0; i < 40; i++)
        broker_append(&broker, 0, "x", 3, i % 3 == 0 ? KAFKA_CODEC_NONE : KAFKA_CODEC_LZ4, 0);
    broker_append(&broker, 0, "x", 2500, KAFKA_CODEC_LZ4, 0);
    broker_append(&broker, 0, "x", 2500, KAFKA_CODEC_NONE, 0);
    for (int i = 0; i < 5120; i++)
        mr_write_text(&expected, "0:%d x%d\n", i, i);
    mr_write_u8(&expected, '\0');
    assert_string_equal(run_source(&run, &broker, bounded, 100000), (const char *)expected.data);
    assert_true(run.ended);
    broker_deinit(&broker);
    mr_writer_deinit(&expected);
    mr_writer_deinit(&run.text);
}

static void test_resume(void **state)
{
    static const struct {
        const char *name;
        int64_t next, last;
        bool other; /* another checksum than the record's */
        int64_t start;
        enum mr_status status;
        const char *text;
    } cases[] = {
        { "goes on in the middle of a batch", 2, 1, false, 0, MR_OK, "0:2 a2\n0:3 b3\n" },
        { "goes on at a batch", 3, 2, false, 0, MR_OK, "0:3 b3\n" },
        { "at the end", 4, 3, false, 0, MR_OK, "" },
        { "its last record went by retention", 3, 2, false, 3, MR_OK, "0:3 b3\n" },
        { "none read yet", 3, -1, false, 0, MR_OK, "0:3 b3\n" },
        { "another record", 2, 1, true, 0, MR_CORRUPT, "offset 1 is not the one" },
        { "retention", 1, 0, false, 3, MR_NOT_FOUND, "2 records are missing" },
        { "cut", 9, 8, false, 0, MR_NOT_FOUND, "5 records are missing" },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct run run = { .position_count = 0 };
        struct connector_position *position = &run.positions[0];
        struct broker broker;

        broker_init(&broker, 1);
        broker_append(&broker, 0, "a", 3, KAFKA_CODEC_NONE, 0);
        broker_append(&broker, 0, "b", 1, KAFKA_CODEC_LZ4, 0);
        *position = (struct connector_position){ .split = 0, .next = cases[i].next, .last = cases[i].last };
        if (cases[i].last >= 0 && cases[i].last < 4) {
            char value[8];
            int size = snprintf(value, sizeof(value), "k%s%" PRId64, cases[i].last < 3 ? "a" : "b", cases[i].last);

            position->last_checksum = mr_crc32c(0, value, (size_t)size) ^ (cases[i].other ? 1 : 0);
        }
        run.position_count = 1;
        broker.partitions[0].start = cases[i].start;
        run_source(&run, &broker, bounded, 100);
        if (run.status != cases[i].status)
            fail_msg("%s: %s (%s)", cases[i].name, mr_status_text(run.status), run.err.text);
        if (run.status == MR_OK ? strcmp((const char *)run.text.data, cases[i].text) != 0
                                : strstr(run.err.text, cases[i].text) == NULL)
            fail_msg("%s: '%s' / '%s'", cases[i].name, (const char *)run.text.data, run.err.text);
        broker_deinit(&broker);
        mr_writer_deinit(&run.text);
    }
}

static void test_trouble(void **state)
{
    static const struct {
        const char *name;
        int not_leader, cut, garbage, unavailable;
    } cases[] = {
        { "another leader", 2, 0, 0, 0 },     { "cut", 0, 2, 0, 0 },       { "garbage", 0, 0, 1, 0 },
        { "no leader at first", 0, 0, 0, 3 }, { "all of it", 1, 1, 1, 1 },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct run run = { 0 };
        struct broker broker;

        broker_init(&broker, 2);
        broker_append(&broker, 0, "a", 1, KAFKA_CODEC_NONE, 0);
        broker_append(&broker, 1, "b", 1, KAFKA_CODEC_NONE, 0);
        broker.not_leader = cases[i].not_leader;
        broker.cut = cases[i].cut;
        broker.garbage = cases[i].garbage;
        broker.unavailable = cases[i].unavailable;
        run_source(&run, &broker, NULL, 2);
        if (run.status != MR_OK)
            fail_msg("%s: %s", cases[i].name, run.err.text);
        assert_non_null(strstr((const char *)run.text.data, "0:0 a0\n"));
        assert_non_null(strstr((const char *)run.text.data, "1:0 b0\n"));
        assert_int_equal(run.position_count, 2);
        broker_deinit(&broker);
        mr_writer_deinit(&run.text);
    }
}

static void test_corrupt(void **state)
{
    struct run run = { 0 };
    struct broker broker;

    MR_UNUSED(state);
    broker_init(&broker, 1);
    broker_append(&broker, 0, "a", 3, KAFKA_CODEC_NONE, 0);
    broker.partitions[0].batches.data[broker.partitions[0].batches.size - 2] ^= 1;
    run_source(&run, &broker, bounded, 100);
    assert_int_equal(run.status, MR_CORRUPT);
    assert_non_null(strstr(run.err.text, "partition 0"));
    broker_deinit(&broker);
    mr_writer_deinit(&run.text);
}

/* Retention overtakes a source that reads: final, with the number of records that are missing. */
static void test_overtaken(void **state)
{
    struct run run = { 0 };
    struct broker broker;

    MR_UNUSED(state);
    broker_init(&broker, 1);
    broker_append(&broker, 0, "a", 3, KAFKA_CODEC_NONE, 0);
    run.positions[0] = (struct connector_position){ .split = 0, .next = 1, .last = -1 };
    run.position_count = 1;
    broker.partitions[0].start = 2;
    run_source(&run, &broker, NULL, 100);
    assert_int_equal(run.status, MR_NOT_FOUND);
    assert_non_null(strstr(run.err.text, "1 records are missing"));
    broker_deinit(&broker);
    mr_writer_deinit(&run.text);
}

static void test_startup(void **state)
{
    static const struct harness_option latest[] = { { "scan.startup.mode", "latest-offset" },
                                                    { "scan.bounded.mode", "latest-offset" },
                                                    { NULL, NULL } };
    static const struct {
        struct harness_option options[3];
        enum mr_status status;
    } wrong[] = {
        { { { "scan.startup.mode", "group-offsets" } }, MR_UNSUPPORTED },
        { { { "scan.startup.mode", "earliest" } }, MR_INVALID },
        { { { "scan.startup.mode", "timestamp" } }, MR_INVALID },
        { { { "scan.startup.timestamp-millis", "5" } }, MR_INVALID },
        { { { "properties.bootstrap.servers", "host:port" } }, MR_INVALID },
    };
    struct run run = { 0 };
    struct broker broker;

    MR_UNUSED(state);
    broker_init(&broker, 1);
    broker_append(&broker, 0, "a", 3, KAFKA_CODEC_NONE, 0);
    assert_string_equal(run_source(&run, &broker, latest, 100), "");
    assert_true(run.ended);
    assert_int_equal(run.position_count, 1); /* told, so that a restart does not jump to a later end */
    assert_int_equal(run.positions[0].next, 3);
    run.position_count = 0;
    for (size_t i = 0; i < MR_COUNT(wrong); i++) {
        run_source(&run, &broker, wrong[i].options, 1);
        if (run.status != wrong[i].status)
            fail_msg("case %zu: %s (%s)", i, mr_status_text(run.status), run.err.text);
    }
    broker_deinit(&broker);
    mr_writer_deinit(&run.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codecs),  cmocka_unit_test(test_many_batches), cmocka_unit_test(test_resume),
        cmocka_unit_test(test_trouble), cmocka_unit_test(test_corrupt),      cmocka_unit_test(test_overtaken),
        cmocka_unit_test(test_startup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_handlers.c -- handlers against a temporary log whose commits the test makes itself: what waits for the disk does
 * wait, topic ids work in every request that has them, and requests whose client has left end quietly. */
#include "broker/broker_int.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { JOBS_MAX = 1000 };

struct harness {
    char dir[64];
    struct net_loop *loop;
    struct log *log;
    struct broker broker;
    struct {
        mr_job_fn *job;
        void *arg;
    } jobs[JOBS_MAX];
    size_t job_count;
};

static void job_queue(void *loop, mr_job_fn *job, void *arg)
{
    struct harness *h = loop;

    assert_true(h->job_count < JOBS_MAX);
    h->jobs[h->job_count].job = job;
    h->jobs[h->job_count++].arg = arg;
}

/* Runs what the log posted; with COMMIT, its committer first, until nothing is left. */
static void pump(struct harness *h, bool commit)
{
    bool again = true;

    while (again) {
        again = commit && log_commit_step(h->log);
        for (size_t i = 0; i < h->job_count; i++) {
            h->jobs[i].job(h->jobs[i].arg);
            again = true;
        }
        h->job_count = 0;
    }
}

static int harness_setup(void **state)
{
    struct harness *h = MR_NEW(struct harness);
    struct mr_err err = MR_ERR_INIT;
    struct log_options options = { .manual_commit = true };

    options.post = (struct mr_post){ job_queue, h };
    snprintf(h->dir, sizeof(h->dir), "/tmp/test_handlers.XXXXXX");
    assert_non_null(mkdtemp(h->dir));
    assert_int_equal(net_loop_new(&h->loop, "test", &err), MR_OK);
    assert_int_equal(log_open(&h->log, h->dir, &options, &err), MR_OK);
    h->broker = (struct broker){
        .loop = h->loop,
        .log = h->log,
        .env = mr_env_real(),
        .auto_create_topics = true,
        .partitions_default = 1,
        .message_bytes_max = BROKER_MESSAGE_BYTES_MAX_DEFAULT,
    };
    for (size_t i = 0; i < BROKER_APIS_MAX; i++)
        h->broker.requests[i] = mr_metric(MR_METRIC_COUNTER, "test_requests_total", "", "requests of this test");
    *state = h;
    return 0;
}

static int harness_teardown(void **state)
{
    struct harness *h = *state;
    struct mr_err err = MR_ERR_INIT;

    pump(h, true);
    assert_int_equal(log_close(h->log, &err), MR_OK);
    net_loop_free(h->loop);
    kafka_scratch_deinit(&h->broker.scratch);
    assert_int_equal(mr_remove_tree(mr_env_real(), h->dir, &err), MR_OK);
    mr_free(h);
    return 0;
}

/* ---- asking ---- */

static void nothing_on_done(struct broker_request *request)
{
    MR_UNUSED(request);
}

/* Sends MESSAGE (written by WRITE) to its handler; the request is the caller's to unref. */
static struct broker_request *ask(struct harness *h, int16_t key, int16_t version, const void *message,
                                  void (*write)(const void *message, struct mr_writer *out, int version))
{
    struct kafka_request_header header = { key, version, 1, MR_STR("test") };
    struct broker_request *request = broker_request_new(&h->broker);
    struct mr_writer frame = { 0 };

    request->on_done = nothing_on_done;
    request->host = MR_STR("127.0.0.1");
    kafka_request_header_write(&header, &frame);
    write(message, &frame, version);
    assert_int_equal(broker_dispatch(request, mr_writer_bytes(&frame)), BROKER_DISPATCHED);
    mr_writer_deinit(&frame);
    return request;
}

#define ASK(api, API)                                                                                                  \
    static void api##_write(const void *message, struct mr_writer *out, int version)                                   \
    {                                                                                                                  \
        kafka_##api##_request_write(message, out, version);                                                            \
    }                                                                                                                  \
    static struct broker_request *ask_##api(struct harness *h, int16_t version,                                        \
                                            const struct kafka_##api##_request *message)                               \
    {                                                                                                                  \
        return ask(h, KAFKA_##API, version, message, api##_write);                                                     \
    }
ASK(alter_configs, ALTER_CONFIGS)
ASK(create_partitions, CREATE_PARTITIONS)
ASK(create_topics, CREATE_TOPICS)
ASK(delete_records, DELETE_RECORDS)
ASK(delete_topics, DELETE_TOPICS)
ASK(metadata, METADATA)
ASK(produce, PRODUCE)
ASK(fetch, FETCH)

static struct broker_request *ask_create(struct harness *h, const char *name)
{
    struct kafka_create_topics_request_topic topic = { .name = mr_str_of(name),
                                                       .num_partitions = 1,
                                                       .replication_factor = 1 };
    struct kafka_create_topics_request m = { .topics = &topic, .topics_count = 1 };

    return ask_create_topics(h, 7, &m);
}

static struct kafka_uuid create(struct harness *h, const char *name)
{
    struct broker_request *request = ask_create(h, name);
    const struct kafka_create_topics_response *out = request->response;
    struct kafka_uuid id;

    pump(h, true);
    assert_true(request->is_done);
    assert_int_equal(out->topics[0].error_code, KAFKA_ERROR_NONE);
    id = out->topics[0].topic_id;
    broker_request_unref(request);
    return id;
}

static struct broker_request *ask_append(struct harness *h, const char *topic_name, int16_t acks)
{
    struct kafka_produce_request_partition partition = { 0 };
    struct kafka_produce_request_topic topic = { .name = mr_str_of(topic_name),
                                                 .partitions = &partition,
                                                 .partitions_count = 1 };
    struct kafka_produce_request m = { .acks = acks, .topics = &topic, .topics_count = 1 };
    struct kafka_builder builder;
    struct mr_writer batch = { 0 };
    struct broker_request *request;

    kafka_builder_init(&builder);
    kafka_builder_add(&builder, 1000, MR_BYTES_NULL, mr_bytes_of_str(MR_STR("value")), NULL, 0);
    assert_int_equal(kafka_builder_finish(&builder, KAFKA_CODEC_NONE, &batch, NULL), MR_OK);
    partition.records.bytes = mr_writer_bytes(&batch);
    request = ask_produce(h, 8, &m);
    kafka_builder_deinit(&builder);
    mr_writer_deinit(&batch);
    return request;
}

static struct broker_request *ask_read(struct harness *h, const struct kafka_uuid *id, int32_t max_wait_ms)
{
    struct kafka_fetch_request_partition partition = { 0 };
    struct kafka_fetch_request_topic topic = { .topic_id = *id, .partitions = &partition, .partitions_count = 1 };
    struct kafka_fetch_request m = { .max_wait_ms = max_wait_ms,
                                     .min_bytes = 1,
                                     .max_bytes = 1 << 20,
                                     .session_epoch = -1,
                                     .topics = &topic,
                                     .topics_count = 1,
                                     .rack_id = MR_STR("") };

    kafka_fetch_request_partition_init(&partition);
    partition.partition_max_bytes = 1 << 20;
    return ask_fetch(h, 13, &m);
}

/* As connection.c does when the client leaves. */
static void abandon(struct broker_request *request)
{
    request->is_abandoned = true;
    if (!request->is_done && request->on_abandon != NULL)
        request->on_abandon(request);
    broker_request_unref(request);
}

/* ---- tests ---- */

static void test_created_means_on_disk(void **state)
{
    struct harness *h = *state;
    struct broker_request *request = ask_create(h, "t");

    pump(h, false);
    assert_false(request->is_done);
    pump(h, true);
    assert_true(request->is_done);
    assert_non_null(log_topic_find(h->log, MR_STR("t")));
    broker_request_unref(request);
}

static void test_acknowledged_means_on_disk(void **state)
{
    static const int16_t acks[] = { 1, -1 };
    struct harness *h = *state;

    create(h, "t");
    for (size_t i = 0; i < MR_COUNT(acks); i++) {
        struct broker_request *request = ask_append(h, "t", acks[i]);
        const struct kafka_produce_response *out = request->response;

        pump(h, false);
        assert_false(request->is_done);
        assert_int_equal(log_high_watermark(log_topic_partition(log_topic_find(h->log, MR_STR("t")), 0)), i);
        pump(h, true);
        assert_true(request->is_done);
        assert_int_equal(out->responses[0].partitions[0].error_code, KAFKA_ERROR_NONE);
        assert_int_equal(out->responses[0].partitions[0].base_offset, i);
        broker_request_unref(request);
    }
}

static void test_acks_0_is_silent(void **state)
{
    static const struct {
        const char *topic;
        bool closes;
    } cases[] = { { "t", false }, { "nosuch", true } };
    struct harness *h = *state;

    create(h, "t");
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct broker_request *request = ask_append(h, cases[i].topic, 0);

        assert_true(request->is_done);
        assert_int_equal(request->wants_close, cases[i].closes);
        assert_int_equal(request->is_silent, !cases[i].closes);
        broker_request_unref(request);
    }
}

static void test_metadata_by_id(void **state)
{
    struct harness *h = *state;
    struct kafka_uuid id = create(h, "named");
    struct kafka_metadata_request_topic topics[2] = { { .topic_id = id }, { .topic_id = { { 9 } } } };
    struct kafka_metadata_request m = { .topics = topics, .topics_count = 2, .allow_auto_topic_creation = true };
    struct broker_request *request = ask_metadata(h, 12, &m);
    const struct kafka_metadata_response *out = request->response;

    assert_true(request->is_done);
    assert_true(mr_str_equal(out->topics[0].name, MR_STR("named")));
    assert_int_equal(out->topics[0].error_code, KAFKA_ERROR_NONE);
    assert_memory_equal(&out->topics[0].topic_id, &id, sizeof(id));
    assert_int_equal(out->topics[1].error_code, KAFKA_ERROR_UNKNOWN_TOPIC_ID);
    assert_null(out->topics[1].name.data);
    assert_int_equal(log_topic_count(h->log), 1);
    broker_request_unref(request);
}

static void test_fetch_by_id(void **state)
{
    struct harness *h = *state;
    struct kafka_uuid id = create(h, "t");
    static const struct kafka_uuid ids[] = { { { 9 } }, { { 0 } } };
    struct broker_request *request = ask_append(h, "t", 1);
    const struct kafka_fetch_response *out;

    pump(h, true);
    broker_request_unref(request);
    request = ask_read(h, &id, 0);
    out = request->response;
    assert_true(request->is_done);
    assert_int_equal(out->responses[0].partitions[0].error_code, KAFKA_ERROR_NONE);
    assert_int_equal(out->responses[0].partitions[0].high_watermark, 1);
    assert_true(out->responses[0].partitions[0].records.bytes.size > KAFKA_BATCH_HEADER_BYTES);
    assert_memory_equal(&out->responses[0].topic_id, &id, sizeof(id));
    broker_request_unref(request);
    for (size_t i = 0; i < MR_COUNT(ids); i++) {
        request = ask_read(h, &ids[i], 1000);
        out = request->response;
        assert_true(request->is_done); /* an error does not wait */
        assert_int_equal(out->responses[0].partitions[0].error_code, KAFKA_ERROR_UNKNOWN_TOPIC_ID);
        broker_request_unref(request);
    }
}

static void test_fetch_waits_for_the_disk(void **state)
{
    struct harness *h = *state;
    struct kafka_uuid id = create(h, "t");
    struct broker_request *reader = ask_read(h, &id, 60000);
    struct broker_request *writer;

    assert_false(reader->is_done);
    writer = ask_append(h, "t", 1);
    pump(h, false);
    assert_false(reader->is_done);
    pump(h, true);
    assert_true(reader->is_done);
    broker_request_unref(reader);
    broker_request_unref(writer);
}

static void test_fetch_ends_when_the_topic_is_deleted(void **state)
{
    struct harness *h = *state;
    struct kafka_uuid id = create(h, "t");
    struct broker_request *request = ask_read(h, &id, 60000);
    const struct kafka_fetch_response *out = request->response;

    log_topic_delete(h->log, log_topic_find(h->log, MR_STR("t")), NULL, NULL);
    pump(h, true);
    assert_true(request->is_done);
    assert_int_equal(out->responses[0].partitions[0].error_code, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
    broker_request_unref(request);
}

static struct broker_request *ask_delete_topic(struct harness *h, struct mr_str name)
{
    struct kafka_delete_topics_request m = { .topic_names = &name, .topic_names_count = 1 };

    return ask_delete_topics(h, 5, &m);
}

static struct broker_request *ask_grow(struct harness *h, const char *name, int32_t count)
{
    struct kafka_create_partitions_request_topic topic = { .name = mr_str_of(name), .count = count };
    struct kafka_create_partitions_request m = { .topics = &topic, .topics_count = 1 };

    topic.assignments_count = -1;
    return ask_create_partitions(h, 3, &m);
}

static struct broker_request *ask_delete_records_of(struct harness *h, const char *name, int64_t offset)
{
    struct kafka_delete_records_request_partition partition = { 0, offset };
    struct kafka_delete_records_request_topic topic = { .name = mr_str_of(name),
                                                        .partitions = &partition,
                                                        .partitions_count = 1 };
    struct kafka_delete_records_request m = { .topics = &topic, .topics_count = 1 };

    return ask_delete_records(h, 2, &m);
}

static struct broker_request *ask_set(struct harness *h, const char *name, const char *key, const char *value)
{
    struct kafka_alter_configs_request_config config = { mr_str_of(key), mr_str_of(value) };
    struct kafka_alter_configs_request_resource resource = {
        .resource_type = BROKER_RESOURCE_TOPIC, .resource_name = mr_str_of(name), .configs = &config, .configs_count = 1
    };
    struct kafka_alter_configs_request m = { .resources = &resource, .resources_count = 1 };

    return ask_alter_configs(h, 2, &m);
}

/* What changes something is answered when it is on disk, and has happened then. */
static void test_changes_wait_for_the_disk(void **state)
{
    struct harness *h = *state;
    struct broker_request *requests[4];
    struct log_topic *topic;

    create(h, "gone");
    create(h, "grown");
    create(h, "set");
    create(h, "cut");
    abandon(ask_append(h, "cut", 1));
    pump(h, true);
    requests[0] = ask_delete_topic(h, MR_STR("gone"));
    requests[1] = ask_grow(h, "grown", 3);
    requests[2] = ask_set(h, "set", "retention.ms", "5");
    requests[3] = ask_delete_records_of(h, "cut", -1);
    pump(h, false);
    topic = log_topic_find(h->log, MR_STR("set"));
    for (size_t i = 0; i < MR_COUNT(requests); i++)
        assert_false(requests[i]->is_done);
    assert_int_equal(log_topic_partition_count(log_topic_find(h->log, MR_STR("grown"))), 1);
    assert_null(log_topic_config(topic, "retention.ms"));
    assert_int_equal(log_start_offset(log_topic_partition(log_topic_find(h->log, MR_STR("cut")), 0)), 0);
    pump(h, true);
    for (size_t i = 0; i < MR_COUNT(requests); i++) {
        assert_true(requests[i]->is_done);
        broker_request_unref(requests[i]);
    }
    assert_null(log_topic_find(h->log, MR_STR("gone")));
    assert_int_equal(log_topic_partition_count(log_topic_find(h->log, MR_STR("grown"))), 3);
    assert_string_equal(log_topic_config(topic, "retention.ms"), "5");
    assert_int_equal(log_start_offset(log_topic_partition(log_topic_find(h->log, MR_STR("cut")), 0)), 1);
}

/* The second of two changes of a topic waits for the first; its client may leave meanwhile. */
static void test_changes_of_one_topic_wait(void **state)
{
    struct harness *h = *state;
    struct broker_request *first, *second;

    create(h, "t");
    first = ask_grow(h, "t", 3);
    second = ask_grow(h, "t", 4);
    abandon(ask_set(h, "t", "retention.ms", "5"));
    pump(h, true);
    assert_true(first->is_done);
    assert_false(second->is_done); /* tried again by a timer */
    abandon(second);
    assert_int_equal(log_topic_partition_count(log_topic_find(h->log, MR_STR("t"))), 3);
    assert_null(log_topic_config(log_topic_find(h->log, MR_STR("t")), "retention.ms"));
    broker_request_unref(first);
}

static void test_the_client_leaves(void **state)
{
    struct harness *h = *state;
    struct kafka_metadata_request_topic topic = { .name = MR_STR("made") };
    struct kafka_metadata_request metadata = { .topics = &topic, .topics_count = 1, .allow_auto_topic_creation = true };
    struct kafka_uuid id = create(h, "t");

    abandon(ask_read(h, &id, 60000));
    abandon(ask_append(h, "t", 1));
    abandon(ask_create(h, "new"));
    abandon(ask_metadata(h, 4, &metadata));
    abandon(ask_grow(h, "t", 4));
    abandon(ask_delete_records_of(h, "t", 0));
    pump(h, true);
    assert_int_equal(log_topic_count(h->log), 3);
    assert_int_equal(log_topic_partition_count(log_topic_find(h->log, MR_STR("t"))), 4);
    assert_int_equal(log_high_watermark(log_topic_partition(log_topic_find(h->log, MR_STR("t")), 0)), 1);
}

static void test_topic_configs(void **state)
{
    static const struct {
        const char *name, *value;
        const char *error;  /* NULL: legal */
        const char *stored; /* NULL: as given */
    } cases[] = {
        { "retention.ms", "-1", NULL },
        { "retention.ms", "-2", "Invalid value -2 for configuration retention.ms: Value must be at least -1" },
        { "retention.ms", "abc", "Invalid value abc for configuration retention.ms: Not a number of type LONG" },
        { "segment.bytes", "1048576", NULL },
        { "segment.bytes", "3000000000",
          "Invalid value 3000000000 for configuration segment.bytes: Not a number of "
          "type INT" },
        { "cleanup.policy", "compact,delete", NULL },
        { "cleanup.policy", "shred",
          "Invalid value shred for configuration cleanup.policy: String must be one of: compact, delete" },
        { "min.cleanable.dirty.ratio", "0.3", NULL },
        { "min.cleanable.dirty.ratio", "2",
          "Invalid value 2.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1" },
        { "preallocate", "TRUE", NULL, "true" },
        { "retention.ms", " 77 ", NULL, "77" },
        { "cleanup.policy", "compact, delete,compact", NULL, "compact,delete" },
        { "cleanup.policy", "", NULL, "" },
        { "compression.gzip.level", "0",
          "Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1" },
        { "compression.lz4.level", "99",
          "Invalid value 99 for configuration compression.lz4.level: Value must be no more than 17" },
        { "compression.type", "GZIP",
          "Invalid value GZIP for configuration compression.type: String must be one of: uncompressed, zstd, lz4, "
          "snappy, gzip, producer" },
        { "leader.replication.throttled.replicas", "0:1,1:1", NULL },
        { "leader.replication.throttled.replicas", "*", NULL },
        { "leader.replication.throttled.replicas", "foo",
          "Invalid value [foo] for configuration leader.replication.throttled.replicas: "
          "leader.replication.throttled.replicas must be the literal '*' or a list of replicas in the following "
          "format: [partitionId]:[brokerId],[partitionId]:[brokerId],..." },
        { "preallocate", "yes",
          "Invalid value yes for configuration preallocate: Expected value to be either true "
          "or false" },
        { "compression.type", NULL, "Null value not supported for topic configs: compression.type" },
        { "no.such", "1", "Unknown topic config name: no.such" },
    };
    size_t count;
    const struct broker_topic_config *configs = broker_topic_configs(&count);
    struct mr_arena *arena = mr_arena_new();
    const char *stored;

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct mr_err err = MR_ERR_INIT;
        enum mr_status got =
            broker_topic_config_check(mr_str_of(cases[i].name), mr_str_of(cases[i].value), arena, &stored, &err);

        assert_int_equal(got, cases[i].error == NULL ? MR_OK : MR_INVALID);
        if (cases[i].error != NULL)
            assert_string_equal(err.text, cases[i].error);
        else
            assert_string_equal(stored, cases[i].stored != NULL ? cases[i].stored : cases[i].value);
    }
    for (size_t i = 0; i < count; i++) {
        struct mr_str value = mr_str_of(configs[i].default_value);

        assert_int_equal(broker_topic_config_check(mr_str_of(configs[i].name), value, arena, &stored, NULL), MR_OK);
        assert_string_equal(stored, configs[i].default_value);
        assert_true(i == 0 || strcmp(configs[i - 1].name, configs[i].name) < 0);
    }
    mr_arena_free(arena);
}

int main(void)
{
#define WITH_LOG(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)
    const struct CMUnitTest tests[] = {
        WITH_LOG(test_created_means_on_disk),
        WITH_LOG(test_acknowledged_means_on_disk),
        WITH_LOG(test_acks_0_is_silent),
        WITH_LOG(test_metadata_by_id),
        WITH_LOG(test_fetch_by_id),
        WITH_LOG(test_fetch_waits_for_the_disk),
        WITH_LOG(test_fetch_ends_when_the_topic_is_deleted),
        WITH_LOG(test_changes_wait_for_the_disk),
        WITH_LOG(test_changes_of_one_topic_wait),
        WITH_LOG(test_the_client_leaves),
        cmocka_unit_test(test_topic_configs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

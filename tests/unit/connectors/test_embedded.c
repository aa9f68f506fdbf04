/* test_embedded.c -- connectors against millrace's own servers, each a process that is killed and started again:
 * test_embedded BROKER_SERVER TABLES_SERVER */
#include "connectors/cql_client_int.h"
#include "harness.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char *broker_program, *tables_program;

/* ---- a server process ---- */

struct process {
    const char *program;
    char dir[160];
    char address[64]; /* of the first start; the same afterwards */
    pid_t pid;
    int input, output;
};

static void process_start(struct process *p)
{
    int in[2], out[2];
    size_t size = 0;

    if (pipe(in) != 0 || pipe(out) != 0)
        abort();
    p->pid = fork();
    if (p->pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[0]);
        close(in[1]);
        close(out[0]);
        close(out[1]);
        execl(p->program, p->program, p->dir, p->address[0] != '\0' ? p->address : "127.0.0.1:0", (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    p->input = in[1];
    p->output = out[0];
    while (size < sizeof(p->address) - 1 && read(out[0], p->address + size, 1) == 1 && p->address[size] != '\n')
        size++;
    p->address[size] = '\0';
    if (size == 0) {
        fprintf(stderr, "%s did not start\n", p->program);
        abort();
    }
}

static void process_kill(struct process *p)
{
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    close(p->input);
    close(p->output);
}

/* ---- kafka ---- */

static void produce(const struct connector_context *ctx, const char *topic, int from, int count)
{
    const struct connector_header header = { "why", { (const uint8_t *)"test", 4 } };
    struct connector_producer *producer = NULL;
    struct mr_err err = MR_ERR_INIT;

    if (connectors_producer_open(&producer, ctx, NULL, topic, &err) != MR_OK)
        fail_msg("%s", err.text);
    for (int i = from; i < from + count; i++) {
        char value[32];
        int size = snprintf(value, sizeof(value), "v%d", i);

        assert_int_equal(connectors_producer_send(producer, mr_bytes_of_str(MR_STR("k")),
                                                  (struct mr_bytes){ (uint8_t *)value, (size_t)size }, &header, 1,
                                                  &err),
                         MR_OK);
    }
    if (connectors_producer_flush(producer, &err) != MR_OK)
        fail_msg("%s", err.text);
    connectors_producer_close(producer);
}

/* A record that is too large is refused alone: the producer goes on. */
static void test_producer_limit(void **state)
{
    struct process broker = { .program = broker_program };
    struct connector_producer *producer = NULL;
    struct mr_err err = MR_ERR_INIT;
    struct connector_context ctx;
    uint8_t *large = mr_calloc(1, 1000001);

    MR_UNUSED(state);
    harness_dir_make(broker.dir);
    process_start(&broker);
    harness_context_init(&ctx, NULL);
    ctx.kafka_embedded = broker.address;
    assert_int_equal(connectors_producer_open(&producer, &ctx, NULL, "dlq", &err), MR_OK);
    assert_int_equal(
        connectors_producer_send(producer, MR_BYTES_NULL, (struct mr_bytes){ large, 1000001 }, NULL, 0, &err),
        MR_LIMIT);
    assert_int_equal(
        connectors_producer_send(producer, MR_BYTES_NULL, (struct mr_bytes){ large, 1000000 }, NULL, 0, &err), MR_OK);
    if (connectors_producer_flush(producer, &err) != MR_OK)
        fail_msg("%s", err.text);
    connectors_producer_close(producer);
    mr_free(large);
    process_kill(&broker);
    harness_dir_remove(broker.dir);
}

/* A source lives through a broker that is killed and started again, resumes from its positions, and does not take a
 * topic that was made anew for the old one. */
static void test_source(void **state)
{
    static const struct harness_option options[] = { { "topic", "names" }, { NULL, NULL } };
    const struct connector_source_ops *ops = connectors_find("kafka")->source;
    struct process broker = { .program = broker_program };
    struct connector_position positions[16];
    struct connector_source *source = NULL;
    struct mr_err err = MR_ERR_INIT;
    struct mr_writer text = { 0 };
    struct connector_context ctx;
    struct harness_table table;
    uint32_t count = 0;
    bool ended;

    MR_UNUSED(state);
    harness_dir_make(broker.dir);
    process_start(&broker);
    harness_context_init(&ctx, NULL);
    ctx.kafka_embedded = broker.address;
    harness_table_init(&table, "kafka", NULL, options);
    assert_int_equal(ops->open(&source, &table.table, &ctx, NULL, 0, &err), MR_OK); /* makes the topic */
    produce(&ctx, "names", 0, 3);
    assert_int_equal(harness_read(ops, source, 3, 10000, &text, positions, &count, &ended, &err), MR_OK);
    process_kill(&broker);
    process_start(&broker);
    produce(&ctx, "names", 3, 2);
    if (harness_read(ops, source, 2, 10000, &text, positions, &count, &ended, &err) != MR_OK)
        fail_msg("%s", err.text);
    ops->close(source);
    mr_write_u8(&text, '\0');
    assert_string_equal((const char *)text.data, "0:0 v0\n0:1 v1\n0:2 v2\n0:3 v3\n0:4 v4\n");
    assert_int_equal(positions[0].next, 5);

    produce(&ctx, "names", 5, 1);
    text.size = 0;
    assert_int_equal(ops->open(&source, &table.table, &ctx, positions, count, &err), MR_OK);
    assert_int_equal(harness_read(ops, source, 1, 10000, &text, positions, &count, &ended, &err), MR_OK);
    ops->close(source);
    mr_write_u8(&text, '\0');
    assert_string_equal((const char *)text.data, "0:5 v5\n");

    process_kill(&broker);
    harness_dir_remove(broker.dir);
    harness_dir_make(broker.dir);
    process_start(&broker);
    assert_int_equal(ops->open(&source, &table.table, &ctx, positions, count, &err), MR_NOT_FOUND);
    assert_non_null(strstr(err.text, "6 records are missing"));
    produce(&ctx, "names", 100, 6);
    assert_int_equal(ops->open(&source, &table.table, &ctx, positions, count, &err), MR_CORRUPT);
    process_kill(&broker);
    harness_dir_remove(broker.dir);
    mr_writer_deinit(&text);
}

/* ---- cassandra ---- */

static void on_reject(void *arg, uint32_t record, const struct mr_err *why)
{
    MR_UNUSED(arg);
    fail_msg("row %u rejected: %s", record, why->text);
}

/* Runs TEXT; the number of rows it gave. */
static uint32_t query(const struct connector_context *ctx, const char *address, const char *text)
{
    struct cql_client_options options = { .contact_points = address,
                                          .option_name = "test",
                                          .user = "cassandra",
                                          .password = "cassandra",
                                          .in_flight_max = 1 };
    struct cql_client *client = NULL;
    struct mr_arena *arena = mr_arena_new();
    struct mr_err err = MR_ERR_INIT;
    struct cql_result result;
    uint32_t rows;

    assert_int_equal(cql_client_new(&client, ctx, &options, &err), MR_OK);
    if (cql_client_connect(client, connector_clock_ms(ctx) + 10000, &err) != MR_OK ||
        cql_client_query(client, text, arena, &result, &err) != MR_OK)
        fail_msg("%s: %s", text, err.text);
    rows = result.kind == CQL_RESULT_ROWS ? result.row_count : 0;
    cql_client_free(client);
    mr_arena_free(arena);
    return rows;
}

static enum mr_status sink_write(struct connector_sink *sink, const struct data_type *row, int from, int count,
                                 struct mr_err *err)
{
    struct data_batch *batch = data_batch_new(row);
    uint32_t *record = mr_calloc((size_t)count, sizeof(*record));
    int64_t *times = mr_calloc((size_t)count, sizeof(*times));
    enum mr_status status;

    for (int i = 0; i < count; i++) {
        char id[16];
        int size = snprintf(id, sizeof(id), "id%d", from + i);

        data_append_str(batch->columns[0], (struct mr_str){ id, (size_t)size });
        data_append_i32(batch->columns[1], from + i);
        batch->row_count++;
        times[i] = 1000 + from + i;
    }
    status = connectors_find("cassandra")->sink->write(sink, batch, record, times, err);
    data_batch_unref(batch);
    mr_free(record);
    mr_free(times);
    return status;
}

/* A sink lives through tables that are killed and started again with requests on the way; a dropped table is an
 * error. */
static void test_sink(void **state)
{
    static const struct harness_option options[] = { { "keyspace", "ks" }, { "table", "people" }, { NULL, NULL } };
    static const uint32_t key[] = { 0 };
    const struct connector_sink_ops *ops = connectors_find("cassandra")->sink;
    struct process tables = { .program = tables_program };
    struct mr_arena *arena = mr_arena_new();
    const struct data_type *row = harness_row(arena, "id STRING, number INT");
    struct connector_sink *sink = NULL;
    struct mr_err err = MR_ERR_INIT;
    struct connector_context ctx;
    struct harness_table table;

    MR_UNUSED(state);
    harness_dir_make(tables.dir);
    process_start(&tables);
    harness_context_init(&ctx, NULL);
    ctx.cassandra_embedded = tables.address;
    ctx.cassandra_is_ours = true;
    harness_table_init(&table, "cassandra", row, options);
    table.table.primary_key = key;
    table.table.primary_key_count = 1;
    if (ops->open(&sink, &table.table, &ctx, on_reject, NULL, &err) != MR_OK)
        fail_msg("%s", err.text);
    for (int round = 0; round < 6; round++) {
        assert_int_equal(sink_write(sink, row, round * 500, 500, &err), MR_OK);
        if (round == 2 || round == 4) {
            process_kill(&tables);
            process_start(&tables);
        }
    }
    if (ops->flush(sink, &err) != MR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(query(&ctx, tables.address, "SELECT id FROM ks.people"), 3000);

    query(&ctx, tables.address, "DROP TABLE ks.people");
    if (sink_write(sink, row, 0, 10, &err) == MR_OK)
        assert_int_not_equal(ops->flush(sink, &err), MR_OK);
    assert_non_null(strstr(err.text, "ks.people"));
    ops->close(sink);
    process_kill(&tables);
    harness_dir_remove(tables.dir);
    mr_arena_free(arena);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_producer_limit),
        cmocka_unit_test(test_source),
        cmocka_unit_test(test_sink),
    };

    if (argc != 3) {
        fprintf(stderr, "usage: test_embedded BROKER_SERVER TABLES_SERVER\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    broker_program = argv[1];
    tables_program = argv[2];
    return cmocka_run_group_tests(tests, NULL, NULL);
}

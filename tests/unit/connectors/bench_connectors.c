/* bench_connectors.c -- rough figures against real servers: bench_connectors kafka|latency|cassandra HOST:PORT COUNT
 *
 * latency sends COUNT records one by one and waits for each;
 * kafka writes COUNT rows of the article's shape with the kafka sink and reads them back with the kafka source;
 * cassandra writes COUNT rows to a table of the embedded kind. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BENCH_BATCH_ROWS = 4096 };

static int64_t bench_now_ns(void)
{
    return mr_monotonic_ns(mr_env_real());
}

static void bench_check(enum mr_status status, const struct mr_err *err, const char *what)
{
    if (status == MR_OK)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, mr_status_text(status), err->text);
    exit(1);
}

static void bench_reject(void *arg, uint32_t record, const struct mr_err *why)
{
    MR_UNUSED(arg);
    fprintf(stderr, "row %u rejected: %s\n", record, why->text);
}

static void bench_fill(struct data_batch *batch, int64_t from, uint32_t rows)
{
    static const char *const values[] = { "Mrs. Ada Lovelace", "female",   "12, Main Street",         "London",
                                          "United Kingdom",    "SW1A 1AA", "ada.lovelace@example.com" };

    data_batch_reset(batch);
    for (uint32_t i = 0; i < rows; i++) {
        char id[64];
        int size = snprintf(id, sizeof(id), "%08" PRIx64 "-0000-4000-8000-000000000000", from + i);

        data_append_str(batch->columns[0], (struct mr_str){ id, (size_t)size });
        for (uint32_t c = 0; c < MR_COUNT(values); c++)
            data_append_str(batch->columns[c + 1], mr_str_of(values[c]));
        data_append_f32(batch->columns[8], 51.5f);
        data_append_f32(batch->columns[9], -0.12f);
    }
    batch->row_count = rows;
}

static void bench_write(const char *name, const struct harness_table *table, const struct connector_context *ctx,
                        int64_t count)
{
    const struct connector_sink_ops *ops = connectors_find(name)->sink;
    static uint32_t record[BENCH_BATCH_ROWS];
    static int64_t times[BENCH_BATCH_ROWS];
    struct connector_sink *sink = NULL;
    struct data_batch *batch = data_batch_new(table->table.row);
    struct mr_err err = MR_ERR_INIT;
    int64_t begun = bench_now_ns(), opened;

    bench_check(ops->open(&sink, &table->table, ctx, bench_reject, NULL, &err), &err, "open sink");
    opened = bench_now_ns();
    for (int64_t done = 0; done < count;) {
        uint32_t rows = count - done < BENCH_BATCH_ROWS ? (uint32_t)(count - done) : BENCH_BATCH_ROWS;

        bench_fill(batch, done, rows);
        for (uint32_t i = 0; i < rows; i++)
            times[i] = 1700000000000000 + done + i;
        bench_check(ops->write(sink, batch, record, times, &err), &err, "write");
        done += rows;
    }
    bench_check(ops->flush(sink, &err), &err, "flush");
    printf("%s sink: open %.1f ms, %" PRId64 " rows, %.0f rows/s\n", name, (double)(opened - begun) / 1e6, count,
           (double)count * 1e9 / (double)(bench_now_ns() - opened));
    ops->close(sink);
    data_batch_unref(batch);
}

static void bench_read(const struct harness_table *table, const struct connector_context *ctx, int64_t count)
{
    const struct connector_source_ops *ops = connectors_find("kafka")->source;
    struct connector_source *source = NULL;
    struct mr_err err = MR_ERR_INIT;
    int64_t got = 0, bytes = 0, begun = bench_now_ns(), opened;
    struct connector_poll poll = { 0 };

    bench_check(ops->open(&source, &table->table, ctx, NULL, 0, &err), &err, "open source");
    opened = bench_now_ns();
    while (got < count && !poll.ended) {
        bench_check(ops->poll(source, 1000, 8192, &poll, &err), &err, "poll");
        got += poll.record_count;
        for (uint32_t i = 0; i < poll.record_count; i++)
            bytes += (int64_t)poll.records[i].value.size;
    }
    printf("kafka source: open %.1f ms, %" PRId64 " records of %.0f bytes, %.0f records/s, lag %" PRId64 "\n",
           (double)(opened - begun) / 1e6, got, (double)bytes / (double)(got > 0 ? got : 1),
           (double)got * 1e9 / (double)(bench_now_ns() - opened), ops->lag(source));
    ops->close(source);
}

static int bench_compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* One record at a time: from its being sent until the source has it. */
static void bench_latency(const struct harness_table *table, const struct connector_context *ctx, int64_t count)
{
    const struct connector_source_ops *ops = connectors_find("kafka")->source;
    struct connector_producer *producer = NULL;
    struct connector_source *source = NULL;
    int64_t *took = mr_calloc((size_t)count, sizeof(*took));
    struct mr_err err = MR_ERR_INIT;
    struct connector_poll poll;

    bench_check(ops->open(&source, &table->table, ctx, NULL, 0, &err), &err, "open source");
    bench_check(connectors_producer_open(&producer, ctx, NULL, "latency", &err), &err, "open producer");
    for (int64_t i = 0; i < count; i++) {
        int64_t begun = bench_now_ns();

        bench_check(connectors_producer_send(producer, MR_BYTES_NULL, mr_bytes_of_str(MR_STR("{}")), NULL, 0, &err),
                    &err, "send");
        bench_check(connectors_producer_flush(producer, &err), &err, "flush");
        do
            bench_check(ops->poll(source, 1000, 8192, &poll, &err), &err, "poll");
        while (poll.record_count == 0);
        took[i] = bench_now_ns() - begun;
    }
    qsort(took, (size_t)count, sizeof(*took), bench_compare);
    printf("kafka sent -> polled: p50 %.2f ms, p99 %.2f ms\n", (double)took[count / 2] / 1e6,
           (double)took[count * 99 / 100] / 1e6);
    connectors_producer_close(producer);
    ops->close(source);
    mr_free(took);
}

int main(int argc, char **argv)
{
    struct mr_arena *arena = mr_arena_new();
    const struct data_type *row = harness_row(arena, "id STRING, full_name STRING, gender STRING, location STRING, "
                                                     "city STRING, country STRING, postcode STRING, email STRING, "
                                                     "latitude FLOAT, longitude FLOAT");
    struct harness_option options[] = { { "topic", "bench" },
                                        { "keyspace", "bench" },
                                        { "table", "people" },
                                        { "scan.bounded.mode", "latest-offset" },
                                        { "properties.compression.type", argc > 4 ? argv[4] : "none" },
                                        { NULL, NULL } };
    static const uint32_t key[] = { 0 };
    struct connector_context ctx;
    struct harness_table table;

    if (argc < 4) {
        fprintf(stderr, "usage: bench_connectors kafka|latency|cassandra HOST:PORT COUNT [COMPRESSION]\n");
        return 2;
    }
    harness_context_init(&ctx, NULL);
    ctx.kafka_embedded = ctx.cassandra_embedded = argv[2];
    ctx.cassandra_is_ours = true;
    if (strcmp(argv[1], "latency") == 0) {
        options[0].value = "latency";
        options[3].value = "unbounded";
    }
    harness_table_init(&table, strcmp(argv[1], "cassandra") == 0 ? "cassandra" : "kafka", row, options);
    table.table.primary_key = key;
    table.table.primary_key_count = 1;
    if (strcmp(argv[1], "latency") == 0) {
        bench_latency(&table, &ctx, atoll(argv[3]));
        mr_arena_free(arena);
        return 0;
    }
    bench_write(argv[1], &table, &ctx, atoll(argv[3]));
    if (strcmp(argv[1], "kafka") == 0)
        bench_read(&table, &ctx, atoll(argv[3]));
    mr_arena_free(arena);
    return 0;
}

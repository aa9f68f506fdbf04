/* test_log.c -- appending, waiting, watching, closing, with the committer's thread. */
#include "fixture.h"

static void test_append(void **state)
{
    struct fixture *f = *state;
    struct log_partition *p = log_topic_partition(make_topic(f, "names", 2), 1);
    struct answer a = { 0 };
    struct mr_err err;

    assert_null(log_topic_partition(log_partition_topic(p), 2));
    for (int i = 0; i < 100; i++) {
        struct mr_bytes batch = make_batch(3, 100, 1000, 0, 0, -1);
        struct log_append_result result;

        assert_int_equal(log_append(p, batch, &result, answer_synced, &a, &err), MR_OK);
        assert_int_equal(result.outcome, LOG_APPENDED);
        assert_int_equal(result.base_offset, 3 * i);
        assert_int_equal(a.count, 0); /* answers come through the loop only */
        mr_free((void *)batch.data);
    }
    assert_int_equal(log_end_offset(p), 300);
    assert_int_equal(log_high_watermark(p), 0);
    wait_for(f, &a, 100);
    assert_int_equal(a.status, MR_OK);
    assert_int_equal(log_high_watermark(p), 300);
    assert_int_equal(log_high_watermark(log_topic_partition(log_partition_topic(p), 0)), 0);
}

static void test_refused(void **state)
{
    struct fixture *f = *state;
    struct log_partition *p = log_topic_partition(make_topic(f, "names", 1), 0);
    struct mr_bytes batch = make_batch(3, 100, 1000, 0, 0, -1);
    struct mr_writer two = { 0 };
    struct log_append_result result;
    struct answer a = { 0 };
    struct mr_err err;
    uint8_t *bytes = (uint8_t *)batch.data;

    mr_write_bytes(&two, batch);
    mr_write_bytes(&two, batch);
    assert_int_equal(log_append(p, mr_writer_bytes(&two), &result, answer_synced, &a, &err), MR_INVALID);
    assert_int_equal(log_append(p, (struct mr_bytes){ bytes, batch.size - 1 }, &result, answer_synced, &a, &err),
                     MR_INVALID);
    bytes[batch.size - 1] ^= 1;
    assert_int_equal(log_append(p, batch, &result, answer_synced, &a, &err), MR_CORRUPT);
    bytes[16] = 1;
    assert_int_equal(log_append(p, batch, &result, answer_synced, &a, &err), MR_UNSUPPORTED);
    assert_int_equal(result.outcome, LOG_REFUSED);
    assert_int_equal(result.base_offset, -1);
    assert_int_equal(log_end_offset(p), 0);
    fixture_close(f);
    assert_int_equal(a.count, 0);
    mr_writer_deinit(&two);
    mr_free(bytes);
}

static enum log_append_outcome append_sequence(struct fixture *f, struct log_partition *p, int64_t producer,
                                               int16_t epoch, int32_t sequence, int64_t *base_offset)
{
    struct mr_bytes batch = make_batch(1, 10, 1000, producer, epoch, sequence);
    struct log_append_result result;
    struct answer a = { 0 };
    struct mr_err err;
    enum mr_status status = log_append(p, batch, &result, answer_synced, &a, &err);

    if (status == MR_OK)
        wait_for(f, &a, 1);
    *base_offset = result.base_offset;
    mr_free((void *)batch.data);
    return result.outcome;
}

/* The run that was recorded from Kafka 4.3.1 (two restarts in it are ours: one clean, one as after a kill). */
static void test_idempotent(void **state)
{
    static const struct {
        int64_t producer;
        int16_t epoch;
        int32_t sequence;
        enum log_append_outcome outcome;
        int64_t base_offset;
        int restart; /* before it: 1 clean, 2 abandoned */
    } steps[] = {
        { 0, 0, 0, LOG_APPENDED, 0, 0 },     { 0, 0, 0, LOG_DUPLICATE, 0, 0 },     { 0, 0, 5, LOG_OUT_OF_ORDER, -1, 0 },
        { 0, 0, 1, LOG_APPENDED, 1, 0 },     { 0, 0, 2, LOG_APPENDED, 2, 0 },      { 0, 0, 3, LOG_APPENDED, 3, 1 },
        { 0, 0, 4, LOG_APPENDED, 4, 0 },     { 0, 0, 5, LOG_APPENDED, 5, 2 },      { 0, 0, 6, LOG_APPENDED, 6, 0 },
        { 0, 0, 6, LOG_DUPLICATE, 6, 2 },    { 0, 0, 0, LOG_OUT_OF_ORDER, -1, 0 }, { 0, 5, 3, LOG_OUT_OF_ORDER, -1, 0 },
        { 0, 5, 0, LOG_APPENDED, 7, 0 },     { 0, 0, 7, LOG_FENCED, -1, 1 },       { 99999, 0, 7, LOG_APPENDED, 8, 0 },
        { 99998, 0, 0, LOG_APPENDED, 9, 0 },
    };
    struct fixture *f = *state;

    make_topic(f, "names", 1);
    for (size_t i = 0; i < MR_COUNT(steps); i++) {
        int64_t base_offset;

        if (steps[i].restart == 1)
            fixture_close(f);
        else if (steps[i].restart == 2)
            fixture_abandon(f);
        if (steps[i].restart != 0)
            fixture_open(f);
        assert_int_equal(append_sequence(f, partition_of(f, "names", 0), steps[i].producer, steps[i].epoch,
                                         steps[i].sequence, &base_offset),
                         steps[i].outcome);
        assert_int_equal(base_offset, steps[i].base_offset);
    }
}

/* A duplicate is answered when its original is on disk, not before. */
static void test_duplicate_waits(void **state)
{
    struct fixture *f = *state;
    struct log_partition *p;
    struct mr_bytes batch = make_batch(1, 10, 1000, 7, 0, 0);
    struct log_append_result result;
    struct answer first = { 0 }, again = { 0 };
    struct mr_err err;

    make_topic(f, "names", 1);
    fixture_close(f);
    f->options.manual_commit = true;
    fixture_open(f);
    p = partition_of(f, "names", 0);
    assert_int_equal(log_append(p, batch, &result, answer_synced, &first, &err), MR_OK);
    assert_int_equal(log_append(p, batch, &result, answer_synced, &again, &err), MR_OK);
    assert_int_equal(result.outcome, LOG_DUPLICATE);
    queue_run(&f->queue, false);
    assert_int_equal(first.count + again.count, 0);
    assert_true(log_commit_step(f->log));
    queue_run(&f->queue, false);
    assert_int_equal(first.count, 1);
    assert_int_equal(again.count, 1);
    assert_false(log_commit_step(f->log));
    mr_free((void *)batch.data);
}

struct seen {
    struct log_watch watch;
    struct log_watch *remove;
    int count;
    int64_t high;
};

static void watch_fn(void *arg, struct log_partition *partition)
{
    struct seen *seen = arg;

    seen->count++;
    seen->high = log_high_watermark(partition);
    if (seen->remove != NULL)
        log_watch_remove(seen->remove);
}

static void test_watch(void **state)
{
    struct fixture *f = *state;
    struct log_topic *topic = make_topic(f, "names", 1);
    struct log_partition *p = log_topic_partition(topic, 0);
    struct seen seen[3] = { 0 };
    struct answer gone = { 0 };

    for (int i = 0; i < 3; i++)
        log_watch_add(&seen[i].watch, p, watch_fn, &seen[i]);
    seen[2].remove = &seen[1].watch; /* told first: the last one added; the next in line goes */
    append_many(f, p, 1, 10);
    assert_int_equal(seen[2].count, 1);
    assert_int_equal(seen[1].count, 0);
    assert_int_equal(seen[0].count, 1);
    assert_int_equal(seen[0].high, 1);
    seen[2].remove = &seen[2].watch;
    log_topic_delete(f->log, topic, answer_topic, &gone);
    assert_int_equal(seen[0].count, 1);
    wait_for(f, &gone, 1);
    assert_int_equal(seen[0].count, 2);
    assert_null(seen[0].watch.partition);
    log_watch_remove(&seen[0].watch);
}

static void test_limit(void **state)
{
    struct fixture *f = *state;
    struct mr_bytes batch = make_batch(1, 600, 1000, 0, 0, -1);
    struct log_append_result result;
    struct log_partition *p;
    struct answer a = { 0 };
    struct mr_err err;

    make_topic(f, "names", 1);
    fixture_close(f);
    f->options.manual_commit = true;
    f->options.unsynced_bytes_max = 1000;
    fixture_open(f);
    p = partition_of(f, "names", 0);
    assert_int_equal(log_append(p, batch, &result, answer_synced, &a, &err), MR_OK);
    assert_int_equal(log_append(p, batch, &result, answer_synced, &a, &err), MR_LIMIT);
    log_commit_step(f->log);
    queue_run(&f->queue, false);
    assert_int_equal(log_append(p, batch, &result, answer_synced, &a, &err), MR_OK);
    mr_free((void *)batch.data);
}

static void test_relaxed(void **state)
{
    struct fixture *f = *state;
    struct log_partition *p;
    struct seen seen = { 0 };

    make_topic(f, "names", 1);
    fixture_close(f);
    f->options.relaxed = true;
    f->options.manual_commit = true; /* so that no sync can be what answers */
    fixture_open(f);
    p = partition_of(f, "names", 0);
    log_watch_add(&seen.watch, p, watch_fn, &seen);
    append_many(f, p, 5, 100);
    assert_int_equal(log_high_watermark(p), 5);
    assert_int_equal(p->synced_offset, 0);
    assert_true(seen.count > 0);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(log_high_watermark(partition_of(f, "names", 0)), 5);
}

static void test_close_and_epoch(void **state)
{
    struct fixture *f = *state;
    int64_t ids[3];
    int32_t found;
    int64_t end;
    struct mr_err err;

    make_topic(f, "names", 1);
    append_many(f, partition_of(f, "names", 0), 4, 10);
    assert_int_equal(log_leader_epoch(f->log), 0);
    assert_int_equal(log_producer_id(f->log, &ids[0], &err), MR_OK);
    assert_int_equal(ids[0], 0);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(log_leader_epoch(f->log), 0);
    fixture_abandon(f);
    fixture_open(f);
    assert_int_equal(log_leader_epoch(f->log), 1);
    append_many(f, partition_of(f, "names", 0), 2, 10);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(log_epoch_end(partition_of(f, "names", 0), 0, &found, &end), MR_OK);
    assert_int_equal(found, 0);
    assert_int_equal(end, 4);
    assert_int_equal(log_epoch_end(partition_of(f, "names", 0), 7, &found, &end), MR_OK);
    assert_int_equal(found, 1);
    assert_int_equal(end, 6);
    assert_int_equal(log_producer_id(f->log, &ids[1], &err), MR_OK);
    assert_true(ids[1] > ids[0]);
}

static void test_producer_ids(void **state)
{
    struct fixture *f = *state;
    int64_t last = -1, id;
    struct mr_err err;

    for (int i = 0; i < 5 * LOG_PRODUCER_IDS_BLOCK; i++) {
        enum mr_status status;

        while ((status = log_producer_id(f->log, &id, &err)) == MR_BUSY)
            queue_run(&f->queue, true);
        assert_int_equal(status, MR_OK);
        assert_true(id > last);
        last = id;
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_append), TEST(test_refused), TEST(test_idempotent),      TEST(test_duplicate_waits), TEST(test_watch),
        TEST(test_limit),  TEST(test_relaxed), TEST(test_close_and_epoch), TEST(test_producer_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

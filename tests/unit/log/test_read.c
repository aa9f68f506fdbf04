/* test_read.c -- slices and times, over several segments, against the plain list of what was appended. */
#include "fixture.h"

enum { BATCHES = 300 };

static void setup_batches(struct fixture *f)
{
    struct log_partition *p;
    struct answer a = { 0 };

    make_topic(f, "names", 1);
    fixture_close(f);
    f->options.segment_bytes_max = 9000;
    f->options.index_interval_bytes = 700;
    fixture_open(f);
    p = partition_of(f, "names", 0);
    for (int i = 0; i < BATCHES; i++) { /* three records each, times 100 i, 100 i + 1, 100 i + 2 */
        struct mr_bytes batch = make_batch(3, (size_t)(i % 7) * 40, 100 * i, 0, 0, -1);
        struct log_append_result result;
        struct mr_err err;

        assert_int_equal(log_append(p, batch, &result, answer_synced, &a, &err), MR_OK);
        mr_free((void *)batch.data);
    }
    wait_for(f, &a, BATCHES);
}

static void check_reads(struct log_partition *p)
{
    static const int64_t sizes[] = { 0, 1, 200, 701, 5000, 20000, 1 << 30 };
    struct mr_err err = MR_ERR_INIT;

    for (int64_t offset = 0; offset < 3 * BATCHES; offset++) {
        for (size_t s = 0; s < MR_COUNT(sizes); s++) {
            struct log_slice slices[4];
            struct mr_writer out = { 0 };
            int64_t expect = offset / 3 * 3, bytes = 0;
            size_t count, at = 0;

            assert_int_equal(log_read(p, offset, sizes[s], slices, MR_COUNT(slices), &count, &err), MR_OK);
            assert_in_range(count, 1, MR_COUNT(slices));
            assert_int_equal(slices[0].base_offset, expect);
            for (size_t i = 0; i < count; i++) {
                bytes += slices[i].size;
                assert_true(i == 0 || slices[i].base_offset == slices[i - 1].end_offset);
            }
            assert_int_equal(log_read_copy(p, offset, sizes[s], &out, &err), MR_OK);
            assert_int_equal(out.size, bytes);
            while (at < out.size) { /* whole batches, in order */
                struct kafka_batch batch;

                assert_int_equal(kafka_batch_parse((struct mr_bytes){ out.data + at, out.size - at }, &batch, &err),
                                 MR_OK);
                assert_int_equal(batch.base_offset, expect);
                assert_true(bytes <= sizes[s] || batch.bytes.size == out.size);
                expect += 3;
                at += batch.bytes.size;
            }
            assert_int_equal(slices[count - 1].end_offset, expect);
            for (size_t i = 0; i < count; i++)
                log_slice_release(&slices[i]);
            mr_writer_deinit(&out);
        }
    }
}

static void check_times(struct log_partition *p)
{
    struct mr_err err;
    int64_t offset, time_ms;

    for (int64_t t = -5; t < 100 * BATCHES; t += 7) {
        int64_t within = t < 0 ? 0 : t % 100, batch = t < 0 ? 0 : t / 100;
        int64_t expect = within > 2 ? 3 * (batch + 1) : 3 * batch + within;

        if (expect == 3 * BATCHES) {
            assert_int_equal(log_offset_by_time(p, t, &offset, &time_ms, &err), MR_NOT_FOUND);
            continue;
        }
        assert_int_equal(log_offset_by_time(p, t, &offset, &time_ms, &err), MR_OK);
        assert_int_equal(offset, expect);
        assert_int_equal(time_ms, expect / 3 * 100 + expect % 3);
    }
    assert_int_equal(log_offset_of_max_time(p, &offset, &time_ms, &err), MR_OK);
    assert_int_equal(offset, 3 * BATCHES - 1);
    assert_int_equal(time_ms, 100 * (BATCHES - 1) + 2);
}

static void test_read(void **state)
{
    struct fixture *f = *state;

    setup_batches(f);
    for (int round = 0; round < 2; round++) { /* the second time from the index files */
        struct log_partition *p = partition_of(f, "names", 0);
        struct log_slice slice;
        struct mr_err err;
        size_t count = 9;

        assert_in_range(p->segment_count, 5, 50);
        check_reads(p);
        check_times(p);
        assert_int_equal(log_read(p, 3 * BATCHES, 100, &slice, 1, &count, &err), MR_OK);
        assert_int_equal(count, 0);
        assert_int_equal(log_read(p, 3 * BATCHES + 1, 100, &slice, 1, &count, &err), MR_LIMIT);
        assert_int_equal(log_read(p, -1, 100, &slice, 1, &count, &err), MR_LIMIT);
        fixture_close(f);
        fixture_open(f);
    }
}

/* Nobody reads what is not synced. */
static void test_high_watermark(void **state)
{
    struct fixture *f = *state;
    struct mr_bytes batch = make_batch(2, 100, 5, 0, 0, -1);
    struct log_append_result result;
    struct log_partition *p;
    struct log_slice slice;
    struct answer a = { 0 };
    struct mr_err err;
    size_t count;
    int64_t offset, time_ms;

    make_topic(f, "names", 1);
    fixture_close(f);
    f->options.manual_commit = true;
    fixture_open(f);
    p = partition_of(f, "names", 0);
    assert_int_equal(log_append(p, batch, &result, answer_synced, &a, &err), MR_OK);
    assert_int_equal(log_read(p, 0, 1000, &slice, 1, &count, &err), MR_OK);
    assert_int_equal(count, 0);
    assert_int_equal(log_offset_by_time(p, 0, &offset, &time_ms, &err), MR_NOT_FOUND);
    assert_int_equal(log_offset_of_max_time(p, &offset, &time_ms, &err), MR_NOT_FOUND);
    log_commit_step(f->log);
    queue_run(&f->queue, false);
    assert_int_equal(log_append(p, batch, &result, answer_synced, &a, &err), MR_OK);
    assert_int_equal(log_read(p, 0, 1000, &slice, 1, &count, &err), MR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(slice.size, batch.size);
    assert_int_equal(slice.end_offset, 2);
    fixture_abandon(f); /* a slice outlives the log */
    assert_int_equal(mr_file_size(slice.file, &offset, &err), MR_OK);
    log_slice_release(&slice);
    mr_free((void *)batch.data);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = { TEST(test_read), TEST(test_high_watermark) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

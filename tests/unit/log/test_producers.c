/* test_producers.c -- sequences at their edges, and what is written of them. */
#include "fixture.h"

static struct kafka_batch batch_of(int64_t id, int16_t epoch, int32_t sequence, int32_t count, int64_t offset)
{
    return (struct kafka_batch){
        .producer_id = id,
        .producer_epoch = epoch,
        .base_sequence = sequence,
        .last_offset_delta = count - 1,
        .base_offset = offset,
        .last_offset = offset + count - 1,
    };
}

static enum log_append_outcome check(struct log_producers *p, int64_t id, int16_t epoch, int32_t sequence,
                                     int32_t count)
{
    struct kafka_batch batch = batch_of(id, epoch, sequence, count, 0);
    int64_t base, last;

    return log_producers_check(p, &batch, &base, &last);
}

static void note(struct log_producers *p, int64_t id, int16_t epoch, int32_t sequence, int32_t count, int64_t offset)
{
    struct kafka_batch batch = batch_of(id, epoch, sequence, count, offset);

    log_producers_note(p, &batch, offset);
}

static void test_wrap(void **state)
{
    struct log_producers *p = log_producers_new();

    MR_UNUSED(state);
    note(p, 1, 0, INT32_MAX - 1, 3, 10); /* INT32_MAX - 1, INT32_MAX, 0 */
    assert_int_equal(check(p, 1, 0, INT32_MAX - 1, 3), LOG_DUPLICATE);
    assert_int_equal(check(p, 1, 0, INT32_MAX - 1, 2), LOG_OUT_OF_ORDER);
    assert_int_equal(check(p, 1, 0, 0, 1), LOG_OUT_OF_ORDER);
    assert_int_equal(check(p, 1, 0, 1, 1), LOG_APPENDED);
    assert_int_equal(check(p, -1, 0, 77, 1), LOG_APPENDED);
    log_producers_free(p);
}

static void test_encode(void **state)
{
    struct log_producers *p = log_producers_new(), *q;
    struct mr_writer out = { 0 };
    struct mr_reader in;

    MR_UNUSED(state);
    for (int i = 0; i < 7; i++)
        note(p, 1, 2, 10 * i, 10, 100 + 10 * i);
    note(p, 99, 0, 4, 1, 500);
    log_producers_encode(p, &out);
    for (size_t cut = 0; cut < out.size; cut++) {
        q = log_producers_new();
        in = mr_reader_of((struct mr_bytes){ out.data, cut });
        assert_false(log_producers_decode(q, &in));
        log_producers_free(q);
    }
    q = log_producers_new();
    in = mr_reader_of(mr_writer_bytes(&out));
    assert_true(log_producers_decode(q, &in));
    assert_int_equal(mr_reader_left(&in), 0);
    assert_int_equal(log_producers_count(q), 2);
    assert_int_equal(check(q, 1, 2, 10, 10), LOG_OUT_OF_ORDER); /* the sixth last */
    assert_int_equal(check(q, 1, 2, 20, 10), LOG_DUPLICATE);
    assert_int_equal(check(q, 1, 2, 70, 1), LOG_APPENDED);
    assert_int_equal(check(q, 1, 1, 70, 1), LOG_FENCED);
    assert_int_equal(check(q, 99, 0, 5, 1), LOG_APPENDED);
    log_producers_expire(q, 200);
    assert_int_equal(log_producers_count(q), 1);
    assert_int_equal(check(q, 1, 1, 33, 1), LOG_APPENDED); /* forgotten */
    log_producers_free(q);
    log_producers_free(p);
    mr_writer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_wrap), cmocka_unit_test(test_encode) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

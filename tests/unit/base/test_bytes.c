/* test_bytes.c -- readers never pass their end; what a writer wrote reads back. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

static void test_round_trip(void **state)
{
    static const int64_t values[] = { 0,   1,   -1,  63,        64,        -64,       -65,
                                      127, 128, 300, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN };
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(values); i++) {
        struct mr_writer w = { 0 };
        struct mr_reader r;

        mr_write_varint(&w, values[i]);
        mr_write_i64(&w, values[i]);
        mr_write_i32(&w, (int32_t)values[i]);
        mr_write_i16(&w, (int16_t)values[i]);
        mr_write_f64(&w, 0.1);
        r = mr_reader_of(mr_writer_bytes(&w));
        assert_int_equal(mr_read_varint64(&r), values[i]);
        assert_int_equal(mr_read_i64(&r), values[i]);
        assert_int_equal(mr_read_i32(&r), (int32_t)values[i]);
        assert_int_equal(mr_read_i16(&r), (int16_t)values[i]);
        assert_true(mr_read_f64(&r) == 0.1);
        assert_false(r.failed);
        assert_int_equal(mr_reader_left(&r), 0);
        for (size_t cut = 0; cut < w.size; cut++) {
            r = mr_reader_of((struct mr_bytes){ w.data, cut });
            mr_read_varint64(&r);
            mr_read_slice(&r, 8 + 4 + 2 + 8);
            assert_true(r.failed);
        }
        mr_writer_deinit(&w);
    }
}

static void test_big_endian(void **state)
{
    struct mr_writer w = { 0 };
    MR_UNUSED(state);

    mr_write_i32(&w, 0x01020304);
    mr_write_i32_at(&w, 0, 0x0a0b0c0d);
    assert_memory_equal(w.data, "\x0a\x0b\x0c\x0d", 4);
    mr_writer_deinit(&w);
}

static void test_varint_limits(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        bool fails;
    } cases[] = {
        { "\xff\xff\xff\xff\x0f", 5, false },    /* 2^32 - 1 */
        { "\xff\xff\xff\xff\x1f", 5, true },     /* does not fit 32 bits */
        { "\x80\x80\x80\x80\x80\x01", 6, true }, /* too long */
        { "\x80", 1, true },                     /* ends inside */
        { "", 0, true },
    };
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct mr_reader r = mr_reader_of((struct mr_bytes){ (const uint8_t *)cases[i].bytes, cases[i].size });

        mr_read_uvarint32(&r);
        assert_int_equal(r.failed, cases[i].fails);
    }
}

static void test_strings(void **state)
{
    MR_UNUSED(state);
    assert_false(mr_str_equal(MR_STR(""), MR_STR_NULL));
    assert_true(mr_str_equal(MR_STR_NULL, MR_STR_NULL));
    assert_true(mr_str_equal_nocase(MR_STR("Ab"), MR_STR("aB")));
    assert_true(mr_bytes_compare(mr_bytes_of_str(MR_STR("a")), mr_bytes_of_str(MR_STR("ab"))) < 0);
    assert_true(mr_bytes_compare(mr_bytes_of_str(MR_STR("b")), mr_bytes_of_str(MR_STR("ab"))) > 0);
}

static void test_errors(void **state)
{
    struct mr_err err = MR_ERR_INIT;
    char long_text[2000];
    MR_UNUSED(state);

    assert_int_equal(mr_err_set(&err, MR_INVALID, "no %s", "luck"), MR_INVALID);
    mr_err_context(&err, "while %d", 3);
    assert_string_equal(err.text, "while 3: no luck");
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    mr_err_context(&err, "%s", long_text);
    assert_int_equal(strlen(err.text), MR_ERR_BYTES - 1);
    assert_int_equal(mr_err_set(NULL, MR_IO, "nobody listens"), MR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_big_endian), cmocka_unit_test(test_varint_limits),
        cmocka_unit_test(test_strings),    cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

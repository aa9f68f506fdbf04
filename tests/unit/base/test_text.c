/* test_text.c -- numbers, durations, times, UUIDs, UTF-8 and suggestions, by table. */
#include "base/hash.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_integers(void **state)
{
    static const struct {
        const char *text;
        enum mr_status status;
        int64_t value;
    } cases[] = {
        { "0", MR_OK, 0 },
        { "-12", MR_OK, -12 },
        { "+7", MR_OK, 7 },
        { "9223372036854775807", MR_OK, INT64_MAX },
        { "-9223372036854775808", MR_OK, INT64_MIN },
        { "9223372036854775808", MR_INVALID, 0 },
        { "-9223372036854775809", MR_INVALID, 0 },
        { "", MR_INVALID, 0 },
        { "-", MR_INVALID, 0 },
        { "1 ", MR_INVALID, 0 },
        { "0x10", MR_INVALID, 0 },
    };
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        int64_t v = 0;

        assert_int_equal(mr_parse_i64(mr_str_of(cases[i].text), &v), cases[i].status);
        assert_int_equal(v, cases[i].value);
    }
}

static void test_trim(void **state)
{
    static const char *const cases[][2] = {
        { "", "" }, { " ", "" }, { "\t\n \r", "" }, { "a", "a" }, { " a b\n", "a b" }, { "\xc3\xa4 ", "\xc3\xa4" },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++)
        assert_true(mr_str_equal(mr_str_trim(mr_str_of(cases[i][0])), mr_str_of(cases[i][1])));
    assert_null(mr_str_trim(MR_STR_NULL).data);
}

static void test_floats(void **state)
{
    static const struct {
        double value;
        const char *text; /* what Java's Double.toString gives */
    } cases[] = {
        { 0.0, "0.0" },
        { -0.0, "-0.0" },
        { 1.0, "1.0" },
        { 0.1, "0.1" },
        { 100.0, "100.0" },
        { 1234567.0, "1234567.0" },
        { 1e7, "1.0E7" },
        { 0.001, "0.001" },
        { 1e-4, "1.0E-4" },
        { 123.456, "123.456" },
        { -86.0594, "-86.0594" },
        { 1.5e300, "1.5E300" },
        { 12345678.9, "1.23456789E7" },
        { 0.0123, "0.0123" },
        { 10.5, "10.5" },
    };
    char out[32];
    double v;
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        assert_int_equal(mr_format_f64(out, cases[i].value), strlen(cases[i].text));
        assert_string_equal(out, cases[i].text);
        assert_int_equal(mr_parse_f64(mr_str_of(out), &v), MR_OK);
        assert_true(v == cases[i].value);
    }
    mr_format_f32(out, 0.1f);
    assert_string_equal(out, "0.1");
    mr_format_f32(out, -69.8246f);
    assert_string_equal(out, "-69.8246");
    assert_int_equal(mr_parse_f64(MR_STR("0x1p3"), &v), MR_INVALID);
    assert_int_equal(mr_parse_f64(MR_STR("nan"), &v), MR_INVALID);
    assert_int_equal(mr_parse_f64(MR_STR("1e"), &v), MR_INVALID);
    assert_int_equal(mr_parse_f64(MR_STR("."), &v), MR_INVALID);
}

static void test_float_digits_at_random(void **state)
{
    char out[32];
    MR_UNUSED(state);
    srand(7);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();
        double v;
        double back;

        memcpy(&v, &bits, sizeof(v));
        if (v != v || v > 1.7e308 || v < -1.7e308)
            continue;
        mr_format_f64(out, v);
        assert_int_equal(mr_parse_f64(mr_str_of(out), &back), MR_OK);
        assert_true(back == v);
    }
}

/* Any text is read as strtod reads it, bit by bit, whichever way it takes. */
static void test_parse_like_strtod(void **state)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "-0.0",
        "+1",
        "1.",
        ".5",
        "9007199254740992",
        "9007199254740993",
        "1e22",
        "1e23",
        "1e-22",
        "1e-23",
        "5e-324",
        "1e400",
        "0.1e-400",
        "1.7976931348623157e308",
        "1e+0005",
        "000001",
        "1e99999999999999999999",
        "2.2250738585072011e-308",
        "123456789012345678901234567890",
        "18446744073709551616",
        "1000000000000000000",
        "9999999999999999999",
        "0.00000000000000000000000000001",
    };
    char text[64];
    double v;

    MR_UNUSED(state);
    srand(11);
    for (size_t i = 0; i < MR_COUNT(texts) + 200000; i++) {
        double expected;

        if (i < MR_COUNT(texts))
            snprintf(text, sizeof(text), "%s", texts[i]);
        else if (i % 2 == 0)
            snprintf(text, sizeof(text), "%d.%0*d", rand() % 2000000 - 1000000, 1 + rand() % 9, rand() % 100000);
        else
            snprintf(text, sizeof(text), "%d%d.%de%d", rand(), rand() % 10000, rand(), rand() % 60 - 30);
        expected = strtod(text, NULL);
        if (mr_parse_f64(mr_str_of(text), &v) != MR_OK || memcmp(&v, &expected, sizeof(v)) != 0)
            fail_msg("%s: %a, not %a", text, v, expected);
    }
}

static void test_durations_and_sizes(void **state)
{
    int64_t v = -1;
    MR_UNUSED(state);
    assert_int_equal(mr_parse_duration_ms(MR_STR("10 s"), &v), MR_OK);
    assert_int_equal(v, 10000);
    assert_int_equal(mr_parse_duration_ms(MR_STR("2min"), &v), MR_OK);
    assert_int_equal(v, 120000);
    assert_int_equal(mr_parse_duration_ms(MR_STR("250"), &v), MR_OK);
    assert_int_equal(v, 250);
    assert_int_equal(mr_parse_duration_ms(MR_STR("ten s"), &v), MR_INVALID);
    assert_int_equal(mr_parse_duration_ms(MR_STR("10 parsecs"), &v), MR_INVALID);
    assert_int_equal(mr_parse_duration_ms(MR_STR("9223372036854775807 d"), &v), MR_INVALID);
    assert_int_equal(mr_parse_size(MR_STR("64 MiB"), &v), MR_OK);
    assert_int_equal(v, 64 << 20);
}

static void test_times(void **state)
{
    static const struct {
        const char *text;
        enum mr_status status;
        int64_t ms;
        const char *formatted;
    } cases[] = {
        { "1970-01-01", MR_OK, 0, "1970-01-01 00:00:00.000" },
        { "2024-02-29T12:34:56.789Z", MR_OK, 1709210096789, "2024-02-29 12:34:56.789" },
        { "2024-02-29 12:34:56.789+02:00", MR_OK, 1709202896789, "2024-02-29 10:34:56.789" },
        { "1969-12-31 23:59:59.999", MR_OK, -1, "1969-12-31 23:59:59.999" },
        { "2018-12-21 12:12", MR_OK, 1545394320000, "2018-12-21 12:12:00.000" },
        { "2023-02-29", MR_INVALID, 0, NULL },
        { "2023-13-01", MR_INVALID, 0, NULL },
        { "2023-01-01 24:00:00", MR_INVALID, 0, NULL },
        { "2023-01-01x", MR_INVALID, 0, NULL },
        { "", MR_INVALID, 0, NULL },
    };
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        int64_t ms = 0;
        char out[32];

        assert_int_equal(mr_parse_time_ms(mr_str_of(cases[i].text), &ms), cases[i].status);
        assert_int_equal(ms, cases[i].ms);
        if (cases[i].formatted != NULL) {
            mr_format_time_ms(out, ms, ' ');
            assert_string_equal(out, cases[i].formatted);
        }
    }
}

static void test_uuid(void **state)
{
    uint8_t uuid[16];
    char out[37];
    MR_UNUSED(state);
    assert_int_equal(mr_uuid_parse(MR_STR("7a0EEd16-9430-4d68-901f-c0d4c1c3bf00"), uuid), MR_OK);
    mr_uuid_format(out, uuid);
    assert_string_equal(out, "7a0eed16-9430-4d68-901f-c0d4c1c3bf00");
    assert_int_equal(mr_uuid_parse(MR_STR("7a0eed16-9430-4d68-901f-c0d4c1c3bf0"), uuid), MR_INVALID);
    assert_int_equal(mr_uuid_parse(MR_STR("7a0eed16x9430-4d68-901f-c0d4c1c3bf00"), uuid), MR_INVALID);
}

/* A bad byte, and a good character, at each place of texts of each length. */
static void test_utf8_anywhere(void **state)
{
    MR_UNUSED(state);
    for (size_t size = 1; size <= 40; size++) {
        uint8_t *text = mr_alloc(size); /* no more than that, so that a sanitizer sees reads beyond */

        for (size_t at = 0; at < size; at++) {
            memset(text, 'a', size);
            assert_true(mr_utf8_valid((struct mr_bytes){ text, size }));
            text[at] = 0xff;
            assert_false(mr_utf8_valid((struct mr_bytes){ text, size }));
            text[at] = 0xc3; /* of two bytes, the second is missing */
            assert_false(mr_utf8_valid((struct mr_bytes){ text, size }));
            if (at + 1 == size)
                continue;
            text[at + 1] = 0xa9;
            assert_true(mr_utf8_valid((struct mr_bytes){ text, size }));
        }
        mr_free(text);
    }
}

static void test_utf8_and_json(void **state)
{
    struct mr_writer w = { 0 };
    MR_UNUSED(state);
    assert_true(mr_utf8_valid(mr_bytes_of_str(MR_STR("Ленка سلام é"))));
    assert_false(mr_utf8_valid(mr_bytes_of_str(MR_STR("\xc0\x80"))));
    assert_false(mr_utf8_valid(mr_bytes_of_str(MR_STR("\xed\xa0\x80"))));
    assert_false(mr_utf8_valid(mr_bytes_of_str(MR_STR("\xf4\x90\x80\x80"))));
    assert_false(mr_utf8_valid(mr_bytes_of_str(MR_STR("a\xe2\x82"))));
    assert_int_equal(mr_utf8_length(MR_STR("é1")), 2);
    mr_write_json_string(&w, MR_STR("a\"b\\\n\x01 é \xff"));
    mr_write_u8(&w, 0);
    assert_string_equal((char *)w.data, "\"a\\\"b\\\\\\n\\u0001 é \xef\xbf\xbd\"");
    mr_writer_deinit(&w);
}

static void test_cell(void **state)
{
    struct mr_writer w = { 0 };

    MR_UNUSED(state);
    mr_write_cell(&w, MR_STR("`a|b` ||"));
    assert_int_equal(w.size, 11);
    assert_memory_equal(w.data, "`a\\|b` \\|\\|", 11);
    mr_writer_deinit(&w);
}

static void test_nearest(void **state)
{
    static const char *const names[] = { "country", "city", "scan.interval", "connector" };
    MR_UNUSED(state);
    assert_string_equal(mr_nearest("contry", names, MR_COUNT(names)), "country");
    assert_string_equal(mr_nearest("scan.intervall", names, MR_COUNT(names)), "scan.interval");
    assert_string_equal(mr_nearest("CITY", names, MR_COUNT(names)), "city");
    assert_string_equal(mr_nearest("conenctor", names, MR_COUNT(names)), "connector");
    assert_null(mr_nearest("population", names, MR_COUNT(names)));
}

static void test_crc32c(void **state)
{
    uint8_t zeros[32] = { 0 };
    MR_UNUSED(state);
    /* RFC 3720, B.4 */
    assert_int_equal(mr_crc32c(0, "123456789", 9), 0xe3069283u);
    assert_int_equal(mr_crc32c(0, zeros, sizeof(zeros)), 0x8a9136aau);
    assert_int_equal(mr_crc32c(mr_crc32c(0, "1234", 4), "56789", 5), 0xe3069283u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_float_digits_at_random),
        cmocka_unit_test(test_parse_like_strtod),
        cmocka_unit_test(test_durations_and_sizes),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_uuid),
        cmocka_unit_test(test_utf8_anywhere),
        cmocka_unit_test(test_utf8_and_json),
        cmocka_unit_test(test_cell),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_crc32c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

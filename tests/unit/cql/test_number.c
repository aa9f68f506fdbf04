/* Numbers and times as text, both ways, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cql/cql.h"

#include <string.h>

/* BYTES as hex; NULL: refused.  BACK: what is written again, when it is not TEXT. */
static const struct {
    uint16_t type;
    const char *text, *hex, *back;
} cases[] = {
    { CQL_VARINT, "0", "00", NULL },
    { CQL_VARINT, "-0", "00", "0" },
    { CQL_VARINT, "127", "7f", NULL },
    { CQL_VARINT, "128", "0080", NULL },
    { CQL_VARINT, "-128", "80", NULL },
    { CQL_VARINT, "-129", "ff7f", NULL },
    { CQL_VARINT, "18446744073709551616", "010000000000000000", NULL },
    { CQL_VARINT, "-18446744073709551616", "ff0000000000000000", NULL },
    { CQL_VARINT, "123456789012345678901234567890", "018ee90ff6c373e0ee4e3f0ad2", NULL },
    { CQL_VARINT, "", NULL, NULL },
    { CQL_VARINT, "1x", NULL, NULL },
    { CQL_DECIMAL, "1.50", "000000020096", "1.50" },
    { CQL_DECIMAL, "-0.001", "00000003ff", NULL },
    { CQL_DECIMAL, "1e3", "fffffffd01", "1E+3" },
    { CQL_DECIMAL, "12e-1", "000000010c", "1.2" },
    { CQL_DECIMAL, ".", NULL, NULL },
    { CQL_DECIMAL, "1e", NULL, NULL },
    { CQL_DECIMAL, "1e99999999999", NULL, NULL },
    { CQL_DATE, "1970-01-01", "80000000", NULL },
    { CQL_DATE, "1969-12-31", "7fffffff", NULL },
    { CQL_DATE, "2024-02-29", "80004d46", NULL },
    { CQL_DATE, "2023-02-29", NULL, NULL },
    { CQL_DATE, "2023-13-01", NULL, NULL },
    { CQL_DATE, "-0001-01-01", "7ff503eb", NULL },
    { CQL_TIME, "00:00:00", "0000000000000000", "00:00:00.000000000" },
    { CQL_TIME, "23:59:59.999999999", "00004e94914effff", NULL },
    { CQL_TIME, "24:00:00", NULL, NULL },
    { CQL_TIME, "1:2", NULL, NULL },
    { CQL_DURATION, "1h30m", "0000fc09d29229e000", NULL },
    { CQL_DURATION, "-1y2mo3d", "1b0500", "-1y2mo3d" },
    { CQL_DURATION, "P1Y2M3DT4H", "1c06fc1a3185c50000", "1y2mo3d4h" },
    { CQL_DURATION, "2w", "001c00", "14d" },
    { CQL_DURATION, "1", NULL, NULL },
    { CQL_DURATION, "1x", NULL, NULL },
    { CQL_DURATION, "99999999999y", NULL, NULL },
};

static enum mr_status parse(uint16_t type, struct mr_str text, struct mr_writer *out)
{
    struct cql_duration duration;
    uint32_t date;
    int64_t time;
    enum mr_status status;

    switch (type) {
    case CQL_VARINT:
        return cql_varint_parse(text, out);
    case CQL_DECIMAL:
        return cql_decimal_parse(text, out);
    case CQL_DATE:
        status = cql_date_parse(text, &date);
        if (status == MR_OK)
            mr_write_u32(out, date);
        return status;
    case CQL_TIME:
        status = cql_time_parse(text, &time);
        if (status == MR_OK)
            mr_write_i64(out, time);
        return status;
    default:
        status = cql_duration_parse(text, &duration);
        if (status == MR_OK)
            cql_duration_write(out, &duration);
        return status;
    }
}

static void test_text(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        const struct cql_type *type = cql_type_native(cases[i].type);
        struct mr_writer w = { 0 }, hex = { 0 }, text = { 0 };
        struct mr_err err = MR_ERR_INIT;
        enum mr_status status = parse(cases[i].type, mr_str_of(cases[i].text), &w);

        if ((status == MR_OK) != (cases[i].hex != NULL))
            fail_msg("%s: %s", cases[i].text, mr_status_text(status));
        if (status == MR_OK) {
            struct cql_value v = CQL_VALUE_OF(w.data, w.size);

            for (size_t b = 0; b < w.size; b++)
                mr_write_text(&hex, "%02x", w.data[b]);
            cql_value_format(&text, type, v);
            mr_write_u8(&hex, 0);
            mr_write_u8(&text, 0);
            if (strcmp((char *)hex.data, cases[i].hex) != 0)
                fail_msg("%s: %s", cases[i].text, (char *)hex.data);
            assert_string_equal((char *)text.data, cases[i].back != NULL ? cases[i].back : cases[i].text);
            assert_int_equal(cql_value_check(type, v, &err), MR_OK);
        }
        mr_writer_deinit(&w);
        mr_writer_deinit(&hex);
        mr_writer_deinit(&text);
    }
}

static void test_whole_numbers(void **state)
{
    static const int64_t values[] = { 0, 1, -1, 127, 128, -128, -129, INT64_MAX, INT64_MIN, 1LL << 40 };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(values); i++) {
        struct mr_writer w = { 0 };

        cql_varint_write(&w, values[i]);
        assert_true(cql_varint_clamp(mr_writer_bytes(&w)) == values[i]);
        mr_writer_deinit(&w);
    }
    assert_true(cql_varint_clamp((struct mr_bytes){ (const uint8_t *)"\1\0\0\0\0\0\0\0\0", 9 }) == INT64_MAX);
    assert_true(cql_varint_clamp((struct mr_bytes){ (const uint8_t *)"\xfe\0\0\0\0\0\0\0\0", 9 }) == INT64_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_text), cmocka_unit_test(test_whole_numbers) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_decimal.c -- exact decimals: the four operations at their limits, rounding, text. */
#include "data_test.h"

static data_i128 value_of(const char *text, unsigned scale)
{
    data_i128 v = 0;

    assert_int_equal(data_parse_decimal(mr_str_of(text), 38, scale, &v), MR_OK);
    return v;
}

static unsigned scale_of(const char *text)
{
    const char *point = strchr(text, '.');

    return point == NULL ? 0 : (unsigned)strlen(point + 1);
}

static const struct {
    char op;
    const char *a, *b;
    unsigned precision, scale;
    const char *out; /* NULL: too many digits */
} cases[] = {
    { '+', "1.5", "2.25", 5, 2, "3.75" },
    { '+', "99.9", "0.1", 3, 1, NULL },
    { '+', "-0.05", "0.05", 5, 2, "0.00" },
    { '+', "99999999999999999999999999999999999999", "0.5", 38, 0, NULL },
    { '+', "99999999999999999999999999999999999999", "-1", 38, 0, "99999999999999999999999999999999999998" },
    { '+', "12345678901234567890123456789012345678", "0.00000000000000000000000000000000000001", 38, 0,
      "12345678901234567890123456789012345678" },
    { '*', "9.99", "1.1", 6, 3, "10.989" },
    { '*', "1234567890123456789", "9876543210987654321", 38, 0, "12193263113702179522374638011112635269" },
    { '*', "99999999999999999999", "99999999999999999999", 38, 0, NULL },
    { '*', "0.0000000000000000005", "1", 20, 18, "0.000000000000000001" },
    { '*', "99999999999999999999999999999999999999", "0.00000000000000000000000000000000000001", 38, 37,
      "1.0000000000000000000000000000000000000" },
    { '*', "-2", "3", 10, 0, "-6" },
    { '/', "1", "3", 17, 6, "0.333333" },
    { '/', "2", "3", 17, 6, "0.666667" },
    { '/', "-1", "8", 10, 2, "-0.13" },
    { '/', "1", "0.00000000000000000000000000000000000001", 38, 0, NULL },
    { '/', "99999999999999999999999999999999999999", "99999999999999999999999999999999999999", 38, 6, "1.000000" },
    { '/', "0.000000000000000000000000000001", "100000000000000000000", 38, 6, "0.000000" },
    { '%', "7.5", "2", 2, 1, "1.5" },
    { '%', "-7.5", "2", 2, 1, "-1.5" },
    { '%', "99999999999999999999999999999999999999", "0.7", 2, 1, "0.3" },
};

static void test_operations(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        unsigned as = scale_of(cases[i].a), bs = scale_of(cases[i].b);
        data_i128 a = value_of(cases[i].a, as), b = value_of(cases[i].b, bs), v = 0;
        char text[DATA_DECIMAL_BYTES + 1];
        bool fits = cases[i].op == '+'   ? data_decimal_add(a, as, b, bs, cases[i].precision, cases[i].scale, &v)
                    : cases[i].op == '*' ? data_decimal_mul(a, as, b, bs, cases[i].precision, cases[i].scale, &v)
                    : cases[i].op == '/' ? data_decimal_div(a, as, b, bs, cases[i].precision, cases[i].scale, &v)
                                         : data_decimal_mod(a, as, b, bs, cases[i].precision, cases[i].scale, &v);

        text[fits ? data_decimal_format(text, v, cases[i].scale) : 0] = '\0';
        if (fits != (cases[i].out != NULL) || (fits && strcmp(text, cases[i].out) != 0))
            fail_msg("%s %c %s: expected %s, got %s", cases[i].a, cases[i].op, cases[i].b,
                     cases[i].out != NULL ? cases[i].out : "no result", fits ? text : "no result");
    }
}

static void test_compare(void **state)
{
    (void)state;
    assert_int_equal(data_decimal_compare(150, 2, 15, 1), 0);
    assert_int_equal(data_decimal_compare(151, 2, 15, 1), 1);
    assert_int_equal(data_decimal_compare(-151, 2, -15, 1), -1);
    assert_int_equal(data_decimal_compare(-1, 38, 1, 0), -1);
    assert_int_equal(data_decimal_compare(data_decimal_power(38) - 1, 0, data_decimal_power(38) - 1, 38), 1);
}

static const struct {
    const char *text;
    unsigned precision, scale;
    enum mr_status status;
    const char *out;
} texts[] = {
    { " 12.345 ", 5, 2, MR_OK, "12.35" },
    { "-12.345", 5, 2, MR_OK, "-12.35" },
    { "-12.3449999", 5, 2, MR_OK, "-12.34" },
    { "999.995", 5, 2, MR_LIMIT, NULL },
    { "1e3", 5, 1, MR_OK, "1000.0" },
    { "1e4", 5, 1, MR_LIMIT, NULL },
    { "1.5E-3", 5, 4, MR_OK, "0.0015" },
    { "1e-999999999999", 5, 2, MR_OK, "0.00" },
    { "1e999999999999", 5, 2, MR_LIMIT, NULL },
    { "0e999999999999", 5, 2, MR_OK, "0.00" },
    { ".5", 1, 0, MR_OK, "1" },
    { "5.", 1, 0, MR_OK, "5" },
    { "0.05e1", 2, 1, MR_OK, "0.5" },
    { "", 5, 2, MR_INVALID, NULL },
    { ".", 5, 2, MR_INVALID, NULL },
    { "1e", 5, 2, MR_INVALID, NULL },
    { "1.2.3", 5, 2, MR_INVALID, NULL },
    { "NaN", 5, 2, MR_INVALID, NULL },
};

static void test_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_COUNT(texts); i++) {
        data_i128 v = 0;
        char text[DATA_DECIMAL_BYTES + 1];
        enum mr_status status = data_parse_decimal(mr_str_of(texts[i].text), texts[i].precision, texts[i].scale, &v);

        if (status != texts[i].status)
            fail_msg("'%s': status %d", texts[i].text, status);
        if (status != MR_OK)
            continue;
        text[data_decimal_format(text, v, texts[i].scale)] = '\0';
        if (strcmp(text, texts[i].out) != 0)
            fail_msg("'%s': expected %s, got %s", texts[i].text, texts[i].out, text);
    }
    assert_true(data_decimal_to_double(value_of("0.1", 1), 1) == 0.1);
    assert_true(data_decimal_to_double(value_of("12345678901234567890.123", 3), 3) == 12345678901234567890.123);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_calendar.c -- dates to days and back, held against a calendar that counts day by day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/calendar.h"

static void test_known(void **state)
{
    static const struct {
        int64_t year;
        int month, day;
        int64_t days;
    } cases[] = {
        { 1970, 1, 1, 0 },      { 1969, 12, 31, -1 },    { 2000, 2, 29, 11016 },    { 2000, 3, 1, 11017 },
        { 2024, 3, 31, 19813 }, { 1, 1, 1, -719162 },    { 9999, 12, 31, 2932896 }, { 0, 3, 1, -719468 },
        { 0, 2, 29, -719469 },  { -1, 12, 31, -719529 }, { -400, 3, 1, -865565 },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        int64_t year;
        int month, day;

        assert_int_equal(mr_days_of_date(cases[i].year, cases[i].month, cases[i].day), cases[i].days);
        mr_date_of_days(cases[i].days, &year, &month, &day);
        assert_int_equal(year, cases[i].year);
        assert_int_equal(month, cases[i].month);
        assert_int_equal(day, cases[i].day);
    }
}

static void test_day_by_day(void **state)
{
    int64_t days = mr_days_of_date(-801, 1, 1);

    MR_UNUSED(state);
    for (int64_t year = -801; year < 3201; year++) {
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= mr_month_days(year, month); day++, days++) {
                int64_t y;
                int m, d;

                mr_date_of_days(days, &y, &m, &d);
                if (y != year || m != month || d != day || mr_days_of_date(year, month, day) != days)
                    fail_msg("%" PRId64 "-%d-%d is not day %" PRId64, year, month, day, days);
            }
        }
    }
}

static void test_leap(void **state)
{
    static const int64_t leap[] = { 1600, 2000, 2024, 0, -4, -400 }, plain[] = { 1900, 2023, 2100, -1, -100 };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(leap); i++) {
        assert_true(mr_year_is_leap(leap[i]));
        assert_int_equal(mr_month_days(leap[i], 2), 29);
    }
    for (size_t i = 0; i < MR_COUNT(plain); i++) {
        assert_false(mr_year_is_leap(plain[i]));
        assert_int_equal(mr_month_days(plain[i], 2), 28);
    }
}

static void test_floor(void **state)
{
    MR_UNUSED(state);
    assert_int_equal(mr_floor_div(7, 4), 1);
    assert_int_equal(mr_floor_div(8, 4), 2);
    assert_int_equal(mr_floor_div(-1, 4), -1);
    assert_int_equal(mr_floor_div(-4, 4), -1);
    assert_int_equal(mr_floor_div(-5, 4), -2);
    assert_int_equal(mr_floor_div(0, 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_day_by_day),
        cmocka_unit_test(test_leap),
        cmocka_unit_test(test_floor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

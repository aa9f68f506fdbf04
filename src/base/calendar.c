/* calendar.c -- dates of the proleptic Gregorian calendar (H. Hinnant's "chrono-compatible low-level date algorithms":
 * years begin in March, eras have 400 years). */
#include "base/calendar.h"

enum {
    DAYS_OF_ERA = 146097,
    DAYS_TO_1970 = 719468, /* from 0000-03-01 */
};

int64_t mr_floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t mr_days_of_date(int64_t year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = mr_floor_div(y, 400);
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * DAYS_OF_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_1970;
}

void mr_date_of_days(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t z = days + DAYS_TO_1970;
    int64_t era = mr_floor_div(z, DAYS_OF_ERA);
    int64_t of_era = z - era * DAYS_OF_ERA;
    int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
    int64_t from_march = (5 * of_year + 2) / 153;

    *day = (int)(of_year - (153 * from_march + 2) / 5 + 1);
    *month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
    *year = years + era * 400 + (*month <= 2);
}

bool mr_year_is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int mr_month_days(int64_t year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    assert(month >= 1 && month <= 12);
    return month == 2 && mr_year_is_leap(year) ? 29 : days[month - 1];
}

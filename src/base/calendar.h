/* calendar.h -- dates of the proleptic Gregorian calendar and the days since 1970-01-01 that they are. */
#ifndef MR_CALENDAR_H
#define MR_CALENDAR_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Days since 1970-01-01 of a date (MONTH 1-12; DAY may lie outside the month: it is counted on), and back. [any] */
int64_t mr_days_of_date(int64_t year, int month, int day);
void mr_date_of_days(int64_t days, int64_t *year, int *month, int *day);
bool mr_year_is_leap(int64_t year); /* [any] */
/* Days that MONTH (1-12) of YEAR has. [any] */
int mr_month_days(int64_t year, int month);
/* A / B rounded down, where C rounds towards zero; B > 0. [any] */
int64_t mr_floor_div(int64_t a, int64_t b);

#ifdef __cplusplus
}
#endif
#endif

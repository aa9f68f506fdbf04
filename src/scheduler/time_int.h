/* time_int.h -- cron expressions and timetables: pure functions of instants. */
#ifndef SCHEDULER_TIME_INT_H
#define SCHEDULER_TIME_INT_H

#include "base/zone.h"
#include "scheduler/scheduler.h"

/* ---- cron.c ---- */

/* Which minutes, hours, days, months and weekdays match: bit N for N. */
struct cron {
    uint64_t minutes;
    uint32_t hours, days, months, weekdays;
    bool day_star, weekday_star; /* both restricted: a day that matches either */
};

/* Five fields, or @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually.  err->column is that of the wrong
 * character in TEXT.  MR_INVALID. */
MR_MUST_CHECK enum mr_status cron_parse(struct cron *out, struct mr_str text, struct mr_err *err);
/* The first tick after UTC_S; SCHEDULER_NO_TIME when there is none in the next ten years (31 February). */
int64_t cron_next(const struct cron *cron, const struct mr_zone *zone, int64_t utc_s);
/* The last tick before UTC_S. */
int64_t cron_previous(const struct cron *cron, const struct mr_zone *zone, int64_t utc_s);

/* ---- timetable.c ---- */

enum timetable_kind { TIMETABLE_NONE, TIMETABLE_CRON, TIMETABLE_ONCE };

struct timetable {
    enum timetable_kind kind;
    struct cron cron;
    const struct mr_zone *zone; /* borrowed */
    int64_t start_ms, end_ms;
    bool catchup;
};

/* The data interval of a scheduled run; it is due at end_ms. */
struct timetable_interval {
    int64_t start_ms, end_ms;
};

/* The next scheduled run after the one whose interval ended at LAST_END_MS (SCHEDULER_NO_TIME: there was none), as
 * Airflow's CronDataIntervalTimetable has it: with catchup the next interval, without it the latest that is complete at
 * NOW_MS, or the first to come.  FIRST_SEEN_MS stands for a start_date that is not given.  False: never again. */
bool timetable_next(const struct timetable *t, int64_t last_end_ms, int64_t first_seen_ms, int64_t now_ms,
                    struct timetable_interval *out);

#endif

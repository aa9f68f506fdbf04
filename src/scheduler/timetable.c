/* timetable.c -- which data interval is run next, as Airflow's CronDataIntervalTimetable decides it. */
#include "base/calendar.h"
#include "scheduler/time_int.h"

static int64_t next_ms(const struct timetable *t, int64_t ms)
{
    int64_t s = mr_floor_div(ms, 1000);
    int64_t tick = cron_next(&t->cron, t->zone, s);

    return tick == SCHEDULER_NO_TIME ? tick : tick * 1000;
}

/* The last tick before MS. */
static int64_t previous_ms(const struct timetable *t, int64_t ms)
{
    int64_t s = mr_floor_div(ms, 1000) + (ms % 1000 != 0);
    int64_t tick = cron_previous(&t->cron, t->zone, s);

    return tick == SCHEDULER_NO_TIME ? tick : tick * 1000;
}

/* MS itself when it is a tick, else the next one. */
static int64_t align(const struct timetable *t, int64_t ms)
{
    return next_ms(t, ms - 1);
}

/* The start of the latest interval that is complete at NOW_MS. */
static int64_t latest_start(const struct timetable *t, int64_t now_ms)
{
    int64_t end = previous_ms(t, now_ms + 1); /* a tick at NOW_MS itself ends one */

    return end == SCHEDULER_NO_TIME ? end : previous_ms(t, end);
}

static bool once_next(const struct timetable *t, int64_t last_end_ms, int64_t earliest, struct timetable_interval *out)
{
    if (last_end_ms != SCHEDULER_NO_TIME || (t->end_ms != SCHEDULER_NO_TIME && earliest > t->end_ms))
        return false;
    *out = (struct timetable_interval){ earliest, earliest };
    return true;
}

bool timetable_next(const struct timetable *t, int64_t last_end_ms, int64_t first_seen_ms, int64_t now_ms,
                    struct timetable_interval *out)
{
    int64_t earliest = t->start_ms != SCHEDULER_NO_TIME ? t->start_ms : first_seen_ms;
    int64_t start, end;

    if (t->kind == TIMETABLE_NONE)
        return false;
    if (t->kind == TIMETABLE_ONCE)
        return once_next(t, last_end_ms, earliest, out);
    start = align(t, earliest);
    if (start != SCHEDULER_NO_TIME && !t->catchup && latest_start(t, now_ms) > start)
        start = latest_start(t, now_ms);
    /* After a change of the schedule the last interval may end between two ticks. */
    if (start != SCHEDULER_NO_TIME && last_end_ms != SCHEDULER_NO_TIME && align(t, last_end_ms) > start)
        start = align(t, last_end_ms);
    if (start == SCHEDULER_NO_TIME || (t->end_ms != SCHEDULER_NO_TIME && start > t->end_ms))
        return false;
    end = next_ms(t, start);
    if (end == SCHEDULER_NO_TIME)
        return false;
    *out = (struct timetable_interval){ start, end };
    return true;
}

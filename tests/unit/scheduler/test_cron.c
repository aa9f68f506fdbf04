/* Cron expressions, zones and timetables: parsed, ticked over months and years, held against the C library's zones. */
#include "scheduler/time_int.h"

#include "base/env.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* after the others */
#include <cmocka.h>

enum { MINUTE_S = 60, DAY_S = 86400 };

/* Of the zones of all tests. */
static struct mr_arena *arena;

static int arena_setup(void **state)
{
    MR_UNUSED(state);
    arena = mr_arena_new();
    return 0;
}

static int arena_teardown(void **state)
{
    MR_UNUSED(state);
    mr_arena_free(arena);
    return 0;
}

static const struct mr_zone *zone_get(const char *name)
{
    const struct mr_zone *zone = NULL;
    struct mr_err err = MR_ERR_INIT;

    if (mr_zone_load(&zone, arena, mr_env_real(), mr_str_of(name), &err) != MR_OK)
        fail_msg("%s", err.text);
    return zone;
}

static int64_t utc(const char *text)
{
    int64_t ms;

    if (mr_parse_time_ms(mr_str_of(text), &ms) != MR_OK)
        fail_msg("not a time: %s", text);
    return ms / 1000;
}

static struct cron cron_get(const char *text)
{
    struct cron cron;
    struct mr_err err = MR_ERR_INIT;

    if (cron_parse(&cron, mr_str_of(text), &err) != MR_OK)
        fail_msg("%s: %s", text, err.text);
    return cron;
}

/* ---- parsing ---- */

static const struct {
    const char *text;
    int column;
    const char *says;
} wrong[] = {
    { "", 1, "minute is missing" },
    { "* * * *", 8, "day of the week is missing" },
    { "* * * * * *", 11, "a sixth" },
    { "60 * * * *", 1, "must be 0 to 59, not 60" },
    { "* 24 * * *", 3, "must be 0 to 23" },
    { "* * 0 * *", 5, "must be 1 to 31" },
    { "* * * 13 *", 7, "must be 1 to 12" },
    { "* * * * 8", 9, "must be 0 to 7" },
    { "5-2 * * * *", 1, "goes backwards" },
    { "* * * * fri-mon", 9, "goes backwards" },
    { "*/0 * * * *", 3, "step" },
    { "*/x * * * *", 3, "step" },
    { "1,,2 * * * *", 3, "must be" },
    { "a * * * *", 1, "must be" },
    { "* * * * fry", 9, "name such as mon" },
    { "1x * * * *", 2, "does not belong" },
    { "* * L * *", 5, "must be" },
    { "@often", 1, "there is no schedule" },
};

static void test_wrong(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(wrong); i++) {
        struct cron cron;
        struct mr_err err = MR_ERR_INIT;

        if (cron_parse(&cron, mr_str_of(wrong[i].text), &err) != MR_INVALID)
            fail_msg("\"%s\" is taken", wrong[i].text);
        if (strstr(err.text, wrong[i].says) == NULL || err.column != wrong[i].column)
            fail_msg("\"%s\": column %d: %s", wrong[i].text, err.column, err.text);
    }
}

/* ---- ticks against a table ---- */

static const struct {
    const char *zone, *cron, *from;
    const char *ticks[8]; /* UTC */
} ticks[] = {
    { "UTC", "0 1 * * *", "2018-12-21T12:12:00Z", { "2018-12-22T01:00:00Z", "2018-12-23T01:00:00Z" } },
    { "UTC", "@hourly", "2026-01-01T00:00:00Z", { "2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z" } },
    { "UTC", "@daily", "2026-02-28T00:00:00Z", { "2026-03-01T00:00:00Z" } },
    { "UTC", "@weekly", "2026-11-23T00:00:00Z", { "2026-11-29T00:00:00Z", "2026-12-06T00:00:00Z" } },
    { "UTC", "@monthly", "2026-01-31T00:00:00Z", { "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z" } },
    { "UTC", "@yearly", "2026-01-31T00:00:00Z", { "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z" } },
    { "UTC", "0 0 29 2 *", "2097-01-01T00:00:00Z", { "2104-02-29T00:00:00Z" } },
    { "UTC",
      "*/20 9-10 * * MON-FRI",
      "2026-11-27T09:50:00Z", /* a Friday */
      { "2026-11-27T10:00:00Z", "2026-11-27T10:20:00Z", "2026-11-27T10:40:00Z", "2026-11-30T09:00:00Z" } },
    { "UTC",
      "0 0 13 * fri",
      "2026-02-01T00:00:00Z", /* either: as Vixie's */
      { "2026-02-06T00:00:00Z", "2026-02-13T00:00:00Z", "2026-02-20T00:00:00Z" } },
    { "UTC",
      "0 0 */10 * fri",
      "2026-05-01T00:00:00Z", /* a star: both */
      { "2026-07-31T00:00:00Z", "2026-08-21T00:00:00Z" } },
    { "UTC", "0 0 1 jan,jul 7", "2026-01-02T00:00:00Z", { "2026-01-04T00:00:00Z" } },
    { "UTC",
      "10/25 0 * * *",
      "2026-01-01T00:00:00Z",
      { "2026-01-01T00:10:00Z", "2026-01-01T00:35:00Z", "2026-01-02T00:10:00Z" } },
    /* Berlin: 2026-03-29 02:00 -> 03:00, 2026-10-25 03:00 -> 02:00 */
    { "Europe/Berlin",
      "30 2 * * *",
      "2026-03-28T00:00:00Z",
      { "2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z" } }, /* skipped: once, at 03:30 */
    { "Europe/Berlin",
      "30 2 * * *",
      "2026-10-24T00:00:00Z",
      { "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z" } }, /* doubled: not twice */
    { "Europe/Berlin",
      "30 2,3 * * *",
      "2026-03-28T12:00:00Z",
      { "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z", "2026-03-30T01:30:00Z" } }, /* fall together: once */
    { "Europe/Berlin",
      "*/30 * * * *",
      "2026-03-29T00:10:00Z",
      { "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:00:00Z" } },
    { "Europe/Berlin",
      "*/30 * * * *",
      "2026-10-24T23:40:00Z", /* every half hour, through both passes */
      { "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z",
        "2026-10-25T02:00:00Z" } },
    { "Europe/Berlin",
      "0 1 * * *",
      "2026-03-27T12:00:00Z",
      { "2026-03-28T00:00:00Z", "2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z" } },
    /* New York: 2026-03-08 02:00 -> 03:00, 2026-11-01 02:00 -> 01:00 */
    { "America/New_York",
      "0 2 * * *",
      "2026-03-07T00:00:00Z",
      { "2026-03-07T07:00:00Z", "2026-03-08T07:00:00Z", "2026-03-09T06:00:00Z" } },
    { "America/New_York",
      "15 1 * * *",
      "2026-10-31T00:00:00Z",
      { "2026-10-31T05:15:00Z", "2026-11-01T05:15:00Z", "2026-11-02T06:15:00Z" } },
    { "America/New_York",
      "0 * * * *",
      "2026-11-01T04:30:00Z",
      { "2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z", "2026-11-01T07:00:00Z" } },
    /* after the last transition that a file lists: the footer's rule */
    { "Europe/Berlin", "30 2 * * *", "2060-03-27T12:00:00Z", { "2060-03-28T01:30:00Z", "2060-03-29T00:30:00Z" } },
    { "Australia/Sydney",
      "0 12 * * *",
      "2060-04-02T12:00:00Z",
      { "2060-04-03T01:00:00Z", "2060-04-04T02:00:00Z" } }, /* the south: summer over new year */
    { "Pacific/Apia",
      "0 10 * * *",
      "2011-12-29T12:00:00Z", /* 30 December was left out */
      { "2011-12-29T20:00:00Z", "2011-12-30T20:00:00Z", "2011-12-31T20:00:00Z" } },
    { "Asia/Kathmandu", "0 0 * * *", "2026-01-01T00:00:00Z", { "2026-01-01T18:15:00Z" } },
};

static void test_ticks(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(ticks); i++) {
        const struct mr_zone *zone = zone_get(ticks[i].zone);
        struct cron cron = cron_get(ticks[i].cron);
        int64_t at = utc(ticks[i].from), before = at;

        for (size_t t = 0; t < MR_COUNT(ticks[i].ticks) && ticks[i].ticks[t] != NULL; t++) {
            char text[32];

            before = at;
            at = cron_next(&cron, zone, at);
            mr_format_time_ms(text, at * 1000, 'T');
            if (at != utc(ticks[i].ticks[t]))
                fail_msg("%s, %s, tick %zu: %s, not %s", ticks[i].zone, ticks[i].cron, t, text, ticks[i].ticks[t]);
            if (t > 0)
                assert_int_equal(cron_previous(&cron, zone, at), before);
        }
    }
}

static void test_never(void **state)
{
    const struct mr_zone *zone = zone_get("UTC");
    struct cron cron = cron_get("0 0 31 2 *");

    MR_UNUSED(state);
    assert_int_equal(cron_next(&cron, zone, 0), SCHEDULER_NO_TIME);
    assert_int_equal(cron_previous(&cron, zone, 0), SCHEDULER_NO_TIME);
}

/* ---- against the C library ---- */

static const char *const zones[] = { "Europe/Berlin",     "America/New_York", "Europe/London", "Australia/Lord_Howe",
                                     "America/Sao_Paulo", "Asia/Tehran",      "Africa/Cairo",  "Asia/Kolkata",
                                     "Pacific/Chatham",   "America/St_Johns" };

static void test_offsets(void **state)
{
    MR_UNUSED(state);
    for (size_t z = 0; z < MR_COUNT(zones); z++) {
        const struct mr_zone *zone = zone_get(zones[z]);

        setenv("TZ", zones[z], 1);
        tzset();
        for (int64_t t = utc("1975-01-01T00:00:00Z"); t < utc("2070-01-01T00:00:00Z"); t += 7200 + 1741) {
            time_t at = (time_t)t;
            struct tm local;

            localtime_r(&at, &local);
            if (mr_zone_offset(zone, t) != local.tm_gmtoff)
                fail_msg("%s at %" PRId64 ": %d, not %ld", zones[z], t, mr_zone_offset(zone, t), local.tm_gmtoff);
        }
    }
    unsetenv("TZ");
    tzset();
}

/* Minute by minute: a schedule that names all hours ticks exactly when the local clock matches. */
static void quarters_check(const char *name, const char *from, const char *to)
{
    struct cron cron = cron_get("*/15 * * * *"), workdays = cron_get("5,35 * * * 1-5");
    const struct mr_zone *zone = zone_get(name);
    int64_t begin = utc(from), end = utc(to);
    int64_t next = cron_next(&cron, zone, begin), workday = cron_next(&workdays, zone, begin);

    setenv("TZ", name, 1);
    tzset();
    for (int64_t t = begin + MINUTE_S; t < end; t += MINUTE_S) {
        time_t at = (time_t)t;
        struct tm local;
        bool matches;

        localtime_r(&at, &local);
        matches = local.tm_min % 15 == 0;
        if (matches != (next == t))
            fail_msg("%s at %" PRId64 ": the clock %s, the next tick is %" PRId64, name, t,
                     matches ? "matches" : "does not match", next);
        if (matches)
            next = cron_next(&cron, zone, t);
        matches = (local.tm_min == 5 || local.tm_min == 35) && local.tm_wday >= 1 && local.tm_wday <= 5;
        if (matches != (workday == t))
            fail_msg("workdays, %s at %" PRId64, name, t);
        if (matches)
            workday = cron_next(&workdays, zone, t);
    }
    unsetenv("TZ");
    tzset();
}

static void test_every_quarter(void **state)
{
    MR_UNUSED(state);
    for (size_t z = 0; z < MR_COUNT(zones); z++) {
        quarters_check(zones[z], "2026-03-05T23:59:00Z", "2026-04-08T00:00:00Z");
        quarters_check(zones[z], "2026-10-20T23:59:00Z", "2026-11-05T00:00:00Z");
    }
}

/* A fixed time ticks once a day, whatever the clocks do, over ten years of every zone. */
static void test_once_a_day(void **state)
{
    static const char *const crons[] = { "30 2 * * *", "0 0 * * *", "30 1 * * *" };

    MR_UNUSED(state);
    for (size_t z = 0; z < MR_COUNT(zones); z++) {
        const struct mr_zone *zone = zone_get(zones[z]);

        for (size_t c = 0; c < MR_COUNT(crons); c++) {
            struct cron cron = cron_get(crons[c]);
            int64_t at = utc("2024-12-31T12:00:00Z"), last = 0;
            int count = 0;

            while ((at = cron_next(&cron, zone, at)) < utc("2034-12-31T12:00:00Z")) {
                if (last != 0 && (at - last < DAY_S - 2 * 3600 || at - last > DAY_S + 2 * 3600))
                    fail_msg("%s, %s: %" PRId64 " s between %" PRId64 " and the next", zones[z], crons[c], at - last,
                             last);
                assert_int_equal(cron_previous(&cron, zone, at + 1), at);
                last = at;
                count++;
            }
            if (count != 3652)
                fail_msg("%s, %s: %d days", zones[z], crons[c], count);
        }
    }
}

/* ---- timetables ---- */

static struct timetable timetable_get(const char *cron, const struct mr_zone *zone, const char *start, const char *end,
                                      bool catchup)
{
    return (struct timetable){ .kind = TIMETABLE_CRON,
                               .cron = cron_get(cron),
                               .zone = zone,
                               .start_ms = start ? utc(start) * 1000 : SCHEDULER_NO_TIME,
                               .end_ms = end ? utc(end) * 1000 : SCHEDULER_NO_TIME,
                               .catchup = catchup };
}

/* A month, hour by hour: each due run is noted.  DOWN: between these two the program does not run. */
static int month_run(const struct timetable *t, const char *from, const char *to, const char *down_from,
                     const char *down_to, struct timetable_interval *out, int max)
{
    int64_t last_end = SCHEDULER_NO_TIME, first_seen = utc(from) * 1000;
    int count = 0;

    for (int64_t now = utc(from); now < utc(to); now += 600) {
        struct timetable_interval next;

        if (down_from != NULL && now >= utc(down_from) && now < utc(down_to))
            continue;
        while (timetable_next(t, last_end, first_seen, now * 1000, &next) && next.end_ms <= now * 1000) {
            assert_true(count < max);
            assert_true(next.start_ms < next.end_ms);
            if (last_end != SCHEDULER_NO_TIME)
                assert_true(next.start_ms >= last_end); /* no interval twice */
            out[count++] = next;
            last_end = next.end_ms;
        }
    }
    return count;
}

static void assert_interval(const struct timetable_interval *i, const char *start, const char *end)
{
    char a[32], b[32];

    mr_format_time_ms(a, i->start_ms, 'T');
    mr_format_time_ms(b, i->end_ms, 'T');
    if (i->start_ms != utc(start) * 1000 || i->end_ms != utc(end) * 1000)
        fail_msg("[%s, %s), not [%s, %s)", a, b, start, end);
}

static void test_month(void **state)
{
    struct timetable_interval runs[4000];
    const struct mr_zone *zone = zone_get("UTC"), *berlin = zone_get("Europe/Berlin"),
                         *york = zone_get("America/New_York");
    /* The article's: begun in 2018, no catch-up. */
    struct timetable t = timetable_get("0 1 * * *", zone, "2018-12-21T12:12:00Z", NULL, false);
    int count = month_run(&t, "2026-11-01T12:00:00Z", "2026-12-01T12:00:00Z", NULL, NULL, runs, 4000);

    MR_UNUSED(state);
    assert_int_equal(count, 31); /* the last one that is complete, then one a night */
    assert_interval(&runs[0], "2026-10-31T01:00:00Z", "2026-11-01T01:00:00Z");
    assert_interval(&runs[1], "2026-11-01T01:00:00Z", "2026-11-02T01:00:00Z");
    assert_interval(&runs[30], "2026-11-30T01:00:00Z", "2026-12-01T01:00:00Z");

    t.catchup = true; /* every night since 2018 */
    count = month_run(&t, "2026-11-01T12:00:00Z", "2026-12-01T12:00:00Z", NULL, NULL, runs, 4000);
    assert_int_equal(count, 2901);
    assert_interval(&runs[0], "2018-12-22T01:00:00Z", "2018-12-23T01:00:00Z");
    assert_interval(&runs[2900], "2026-11-30T01:00:00Z", "2026-12-01T01:00:00Z");

    /* Down for a week: one run with the latest interval, or all of them. */
    count = month_run(&t, "2026-11-01T12:00:00Z", "2026-12-01T12:00:00Z", "2026-11-10T00:00:00Z",
                      "2026-11-17T12:00:00Z", runs, 4000);
    assert_int_equal(count, 2901);
    t.catchup = false;
    count = month_run(&t, "2026-11-01T12:00:00Z", "2026-12-01T12:00:00Z", "2026-11-10T00:00:00Z",
                      "2026-11-17T12:00:00Z", runs, 4000);
    assert_int_equal(count, 24);
    assert_interval(&runs[8], "2026-11-08T01:00:00Z", "2026-11-09T01:00:00Z");
    assert_interval(&runs[9], "2026-11-16T01:00:00Z", "2026-11-17T01:00:00Z");

    /* March and October in Berlin, March and November in New York: one a night all the same. */
    t = timetable_get("30 2 * * *", berlin, "2026-03-01T00:00:00Z", NULL, false);
    assert_int_equal(month_run(&t, "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", NULL, NULL, runs, 4000), 30);
    assert_interval(&runs[27], "2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z"); /* 24 h: 02:30 to 03:30 */
    assert_interval(&runs[28], "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"); /* 23 h */
    t.start_ms = utc("2026-10-01T00:00:00Z") * 1000;
    assert_int_equal(month_run(&t, "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", NULL, NULL, runs, 4000), 30);
    assert_interval(&runs[24], "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"); /* 25 h */
    t = timetable_get("@hourly", york, "2026-11-01T00:00:00Z", NULL, false);
    assert_int_equal(month_run(&t, "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", NULL, NULL, runs, 4000), 23);
    t = timetable_get("0 2 * * *", york, "2026-03-01T00:00:00Z", "2026-03-09T00:00:00Z", true);
    count = month_run(&t, "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", NULL, NULL, runs, 4000);
    assert_int_equal(count, 8); /* end_date: no interval begins after it */
    assert_interval(&runs[7], "2026-03-08T07:00:00Z", "2026-03-09T06:00:00Z");
}

static void test_starts(void **state)
{
    const struct mr_zone *zone = zone_get("UTC");
    struct timetable t = timetable_get("0 1 * * *", zone, NULL, NULL, false);
    struct timetable_interval next;
    int64_t now = utc("2026-11-01T12:00:00Z") * 1000;

    MR_UNUSED(state);
    /* No start_date: the first interval begins after the DAG was first seen. */
    assert_true(timetable_next(&t, SCHEDULER_NO_TIME, now, now, &next));
    assert_interval(&next, "2026-11-02T01:00:00Z", "2026-11-03T01:00:00Z");
    /* Exactly on a tick: it ends the interval before. */
    t.start_ms = 0;
    now = utc("2026-11-01T01:00:00Z") * 1000;
    assert_true(timetable_next(&t, SCHEDULER_NO_TIME, now, now, &next));
    assert_interval(&next, "2026-10-31T01:00:00Z", "2026-11-01T01:00:00Z");
    assert_true(timetable_next(&t, SCHEDULER_NO_TIME, now, now - 1, &next));
    assert_interval(&next, "2026-10-30T01:00:00Z", "2026-10-31T01:00:00Z");
    /* A start in the future. */
    t.start_ms = utc("2027-01-01T00:00:00Z") * 1000;
    assert_true(timetable_next(&t, SCHEDULER_NO_TIME, now, now, &next));
    assert_interval(&next, "2027-01-01T01:00:00Z", "2027-01-02T01:00:00Z");
    t.kind = TIMETABLE_ONCE;
    assert_true(timetable_next(&t, SCHEDULER_NO_TIME, now, now, &next));
    assert_int_equal(next.end_ms, t.start_ms);
    assert_false(timetable_next(&t, next.end_ms, now, now, &next));
    t.kind = TIMETABLE_NONE;
    assert_false(timetable_next(&t, SCHEDULER_NO_TIME, now, now, &next));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong),   cmocka_unit_test(test_ticks),         cmocka_unit_test(test_never),
        cmocka_unit_test(test_offsets), cmocka_unit_test(test_every_quarter), cmocka_unit_test(test_once_a_day),
        cmocka_unit_test(test_month),   cmocka_unit_test(test_starts),
    };

    return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}

/* cron.c -- cron expressions: minute, hour, day of the month, month, day of the week.
 *
 * A field is a list of "*", N, N-M, each with "/STEP"; months and weekdays have names; Sunday is 0 and 7.  As Vixie's
 * cron: when both day fields are restricted (do not begin with *), a day that matches either matches.
 *
 * Clocks that change: a time in an hour that is skipped ticks once, at the instant that the offset before the change
 * makes of it (02:30 becomes 03:30); a time in a doubled hour ticks at its first pass only, unless every hour of the
 * day ticks: "every half hour" goes on through both passes.  Ticks that fall together are one. */
#include "base/calendar.h"
#include "scheduler/time_int.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum {
    DAY_S = 86400,
    DAYS_AHEAD = 366 * 10,
    ALL_HOURS = 0xffffff,
};

struct field_rule {
    const char *name;
    int low, high;
    const char *const *names; /* for low, low + 1, …; NULL: none */
    int name_count;
};

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may", "jun",
                                           "jul", "aug", "sep", "oct", "nov", "dec" };
static const char *const weekday_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

static const struct field_rule rules[] = {
    { "minute", 0, 59, NULL, 0 },
    { "hour", 0, 23, NULL, 0 },
    { "day of the month", 1, 31, NULL, 0 },
    { "month", 1, 12, month_names, 12 },
    { "day of the week", 0, 7, weekday_names, 7 },
};

struct cron_reader {
    const char *begin, *at, *end;
    const struct field_rule *rule;
    struct mr_err *err;
};

static enum mr_status cron_fail(struct cron_reader *r, const char *why)
{
    return mr_err_set_at(r->err, MR_INVALID, 1, (int)(r->at - r->begin) + 1, "the %s %s", r->rule->name, why);
}

static enum mr_status value_read(struct cron_reader *r, int *out)
{
    int v = 0;
    const char *begin = r->at;

    for (int i = 0; i < r->rule->name_count; i++) {
        if (r->end - r->at >= 3 && strncasecmp(r->at, r->rule->names[i], 3) == 0) {
            r->at += 3;
            *out = r->rule->low + i;
            return MR_OK;
        }
    }
    while (r->at < r->end && isdigit((unsigned char)*r->at) && v < 1000)
        v = v * 10 + (*r->at++ - '0');
    if (r->at == begin)
        return cron_fail(r, r->rule->names != NULL ? "must be *, a number or a name such as mon or jan"
                                                   : "must be *, a number, a range or a list");
    if (v < r->rule->low || v > r->rule->high) {
        r->at = begin;
        return mr_err_set_at(r->err, MR_INVALID, 1, (int)(begin - r->begin) + 1, "the %s must be %d to %d, not %d",
                             r->rule->name, r->rule->low, r->rule->high, v);
    }
    *out = v;
    return MR_OK;
}

static enum mr_status step_read(struct cron_reader *r, int *out)
{
    int v = 0;
    const char *begin = ++r->at;

    while (r->at < r->end && isdigit((unsigned char)*r->at) && v < 1000)
        v = v * 10 + (*r->at++ - '0');
    if (r->at == begin || v < 1 || v > r->rule->high) {
        r->at = begin;
        return cron_fail(r, "has a step that is not a number from 1 on");
    }
    *out = v;
    return MR_OK;
}

/* One item of a list: bits set in *OUT. */
static enum mr_status item_read(struct cron_reader *r, uint64_t *out)
{
    int low = r->rule->low, high = r->rule->high, step = 1;
    bool open = false;
    const char *begin = r->at;
    enum mr_status status = MR_OK;

    if (r->at < r->end && *r->at == '*') {
        r->at++;
        if (r->rule->names == weekday_names)
            high = 6;
    } else {
        status = value_read(r, &low);
        high = low;
        open = true;
        if (status == MR_OK && r->at < r->end && *r->at == '-') {
            r->at++;
            open = false;
            status = value_read(r, &high);
        }
    }
    if (status == MR_OK && low > high) {
        r->at = begin;
        return cron_fail(r, "has a range that goes backwards: write it as a list of two");
    }
    if (status == MR_OK && r->at < r->end && *r->at == '/') {
        status = step_read(r, &step);
        if (open) /* "5/10" is "5-59/10" */
            high = r->rule->names == weekday_names ? 6 : r->rule->high;
    }
    for (int v = low; status == MR_OK && v <= high; v += step)
        *out |= UINT64_C(1) << v;
    return status;
}

static enum mr_status field_read(struct cron_reader *r, uint64_t *out, bool *star)
{
    enum mr_status status;

    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t'))
        r->at++;
    if (r->at == r->end)
        return cron_fail(r, "is missing: a schedule has five fields, as in \"0 1 * * *\", or is one of @hourly, "
                            "@daily, @weekly, @monthly, @yearly, @once");
    *star = *r->at == '*';
    for (*out = 0;;) {
        status = item_read(r, out);
        if (status != MR_OK || r->at == r->end || *r->at != ',')
            break;
        r->at++;
    }
    if (status == MR_OK && r->at < r->end && *r->at != ' ' && *r->at != '\t')
        return cron_fail(r, "has a character that does not belong there");
    return status;
}

static const char *macro_of(struct mr_str text)
{
    static const char *const macros[][2] = {
        { "@hourly", "0 * * * *" },   { "@daily", "0 0 * * *" },   { "@midnight", "0 0 * * *" },
        { "@weekly", "0 0 * * 0" },   { "@monthly", "0 0 1 * *" }, { "@yearly", "0 0 1 1 *" },
        { "@annually", "0 0 1 1 *" },
    };

    for (size_t i = 0; i < MR_COUNT(macros); i++) {
        if (mr_str_equal_nocase(text, mr_str_of(macros[i][0])))
            return macros[i][1];
    }
    return NULL;
}

enum mr_status cron_parse(struct cron *out, struct mr_str text, struct mr_err *err)
{
    struct cron_reader r;
    uint64_t bits[5];
    bool stars[5];
    enum mr_status status = MR_OK;

    if (text.size > 0 && text.data[0] == '@') {
        const char *macro = macro_of(text);

        if (macro == NULL)
            return mr_err_set_at(err, MR_INVALID, 1, 1,
                                 "there is no schedule \"%.*s\": it is one of @hourly, @daily, @weekly, @monthly, "
                                 "@yearly, @once, or five fields as in \"0 1 * * *\"",
                                 MR_STR_ARG(text));
        text = mr_str_of(macro);
    }
    r = (struct cron_reader){ text.data, text.data, text.data + text.size, rules, err };
    for (int i = 0; i < 5 && status == MR_OK; i++) {
        r.rule = &rules[i];
        status = field_read(&r, &bits[i], &stars[i]);
    }
    if (status != MR_OK)
        return status;
    while (r.at < r.end && (*r.at == ' ' || *r.at == '\t'))
        r.at++;
    if (r.at < r.end)
        return mr_err_set_at(err, MR_INVALID, 1, (int)(r.at - r.begin) + 1,
                             "a schedule has five fields, and this is a sixth (seconds are not there)");
    *out = (struct cron){
        .minutes = bits[0],
        .hours = (uint32_t)bits[1],
        .days = (uint32_t)bits[2],
        .months = (uint32_t)bits[3],
        .weekdays = (uint32_t)((bits[4] | bits[4] >> 7) & 0x7f),
        .day_star = stars[2],
        .weekday_star = stars[4],
    };
    return MR_OK;
}

/* ---- ticks ---- */

static bool day_matches(const struct cron *c, int64_t days)
{
    int weekday = (int)(((days + 4) % 7 + 7) % 7);
    int64_t year;
    int month, day;
    bool by_day, by_weekday;

    mr_date_of_days(days, &year, &month, &day);
    if ((c->months >> month & 1) == 0)
        return false;
    by_day = (c->days >> day & 1) != 0;
    by_weekday = (c->weekdays >> weekday & 1) != 0;
    if (c->day_star || c->weekday_star)
        return by_day && by_weekday;
    return by_day || by_weekday;
}

/* The tick of local day DAYS that is nearest after (FORWARD) or before UTC_S; SCHEDULER_NO_TIME: none. */
static int64_t day_tick(const struct cron *c, const struct mr_zone *zone, int64_t days, int64_t utc_s, bool forward)
{
    bool both = (c->hours & ALL_HOURS) == ALL_HOURS;
    int64_t best = SCHEDULER_NO_TIME;

    if (!day_matches(c, days))
        return best;
    for (int hour = 0; hour < 24; hour++) {
        if ((c->hours >> hour & 1) == 0)
            continue;
        for (int minute = 0; minute < 60; minute++) {
            int64_t instants[2];
            uint32_t count;

            if ((c->minutes >> minute & 1) == 0)
                continue;
            count = mr_zone_instants(zone, days * DAY_S + hour * 3600 + minute * 60, instants);
            for (uint32_t i = 0; i < (both ? count : 1); i++) {
                int64_t t = instants[i];

                if (forward ? t > utc_s && (best == SCHEDULER_NO_TIME || t < best) : t < utc_s && t > best)
                    best = t;
            }
        }
    }
    return best;
}

static int64_t cron_step(const struct cron *c, const struct mr_zone *zone, int64_t utc_s, bool forward)
{
    int64_t local = utc_s + mr_zone_offset(zone, utc_s);
    int64_t today = mr_floor_div(local, DAY_S);
    int direction = forward ? 1 : -1;

    /* From the day on the other side: a time that was skipped may fall into the next day. */
    for (int64_t i = -1; i < DAYS_AHEAD; i++) {
        int64_t t = day_tick(c, zone, today + i * direction, utc_s, forward);
        int64_t other;

        if (t == SCHEDULER_NO_TIME)
            continue;
        other = day_tick(c, zone, today + (i + 1) * direction, utc_s, forward);
        if (other != SCHEDULER_NO_TIME && (forward ? other < t : other > t))
            t = other;
        return t;
    }
    return SCHEDULER_NO_TIME;
}

int64_t cron_next(const struct cron *cron, const struct mr_zone *zone, int64_t utc_s)
{
    return cron_step(cron, zone, utc_s, true);
}

int64_t cron_previous(const struct cron *cron, const struct mr_zone *zone, int64_t utc_s)
{
    return cron_step(cron, zone, utc_s, false);
}

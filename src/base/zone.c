/* zone.c -- reads TZif files (version 2 on; RFC 8536) and the rule in their last line for the years after them.
 *
 *   file    header, data with 32-bit times (skipped), header, data with 64-bit times, "\n" rule "\n"
 *   rule    "CET-1CEST,M3.5.0,M10.5.0/3": offsets are what must be ADDED to local time; a part Mm.w.d is weekday d
 *           (0 Sunday) of week w (5: the last) of month m, at 02:00 or /TIME
 *
 * Everything in a file is checked before it is used: a wrong one is MR_CORRUPT. */
#include "base/zone.h"

#include "base/calendar.h"
#include "base/env.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { HEADER_BYTES = 44, TRANSITIONS_MAX = 10000, OFFSET_MAX = 26 * 3600, DAY_S = 86400 };

/* When a year's summer time begins or ends, in local time before the change. */
struct zone_rule {
    char kind; /* 'M': month, week, weekday; 'J': day 1-365, never Feb 29; 'D': day 0-365 */
    int month, week, day;
    int32_t at_s;
};

struct mr_zone {
    uint32_t count;
    const int64_t *times;   /* rising */
    const int32_t *offsets; /* from times[i] on */
    int32_t offset_first;   /* before the first */
    bool has_rule, has_summer;
    int32_t standard, summer; /* of the rule */
    struct zone_rule start, end;
};

/* ---- asking ---- */

static int64_t rule_local(const struct zone_rule *rule, int64_t year)
{
    int64_t day;

    if (rule->kind == 'M') {
        int64_t first = mr_days_of_date(year, rule->month, 1);
        int64_t after = first + mr_month_days(year, rule->month);
        int64_t weekday = ((first + 4) % 7 + 7) % 7;

        day = first + (rule->day - weekday + 7) % 7 + (int64_t)(rule->week - 1) * 7;
        while (day >= after)
            day -= 7;
    } else {
        day = mr_days_of_date(year, 1, 1) + rule->day - (rule->kind == 'J') +
              (rule->kind == 'J' && mr_year_is_leap(year) && rule->day >= 60);
    }
    return day * DAY_S + rule->at_s;
}

static int32_t rule_offset(const struct mr_zone *zone, int64_t utc_s)
{
    int64_t year, start, end;
    int month, day;

    if (!zone->has_summer)
        return zone->standard;
    mr_date_of_days(mr_floor_div(utc_s + zone->standard, DAY_S), &year, &month, &day);
    start = rule_local(&zone->start, year) - zone->standard;
    end = rule_local(&zone->end, year) - zone->summer;
    if (start < end)
        return utc_s >= start && utc_s < end ? zone->summer : zone->standard;
    return utc_s >= start || utc_s < end ? zone->summer : zone->standard;
}

int32_t mr_zone_offset(const struct mr_zone *zone, int64_t utc_s)
{
    uint32_t low = 0, high;

    if (zone == NULL)
        return 0;
    high = zone->count;
    if (zone->count == 0 || utc_s < zone->times[0])
        return zone->count == 0 && zone->has_rule ? rule_offset(zone, utc_s) : zone->offset_first;
    if (zone->has_rule && utc_s >= zone->times[zone->count - 1])
        return rule_offset(zone, utc_s);
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (zone->times[middle] <= utc_s)
            low = middle;
        else
            high = middle;
    }
    return zone->offsets[low];
}

uint32_t mr_zone_instants(const struct mr_zone *zone, int64_t local_s, int64_t out[2])
{
    /* The offsets on both sides of any change that could matter here. */
    int64_t before = mr_zone_offset(zone, local_s - DAY_S), after = mr_zone_offset(zone, local_s + DAY_S);
    int64_t early = local_s - (before > after ? before : after);
    int64_t late = local_s - (before > after ? after : before);
    uint32_t count = 0;

    if (early + mr_zone_offset(zone, early) == local_s)
        out[count++] = early;
    if (late != early && late + mr_zone_offset(zone, late) == local_s)
        out[count++] = late;
    if (count == 0)
        out[count++] = local_s - before;
    return count;
}

int64_t mr_zone_to_utc(const struct mr_zone *zone, int64_t local_s)
{
    int64_t instants[2];

    mr_zone_instants(zone, local_s, instants);
    return instants[0];
}

/* ---- the rule's text ---- */

static bool take(const char **at, char c)
{
    if (**at != c)
        return false;
    ++*at;
    return true;
}

static bool take_number(const char **at, int max, int *out)
{
    int value = 0;

    if (!isdigit((unsigned char)**at))
        return false;
    while (isdigit((unsigned char)**at) && value <= max)
        value = value * 10 + (*(*at)++ - '0');
    *out = value;
    return value <= max;
}

/* [+-]HH[:MM[:SS]] */
static bool take_time(const char **at, int hours_max, int32_t *out)
{
    bool minus = take(at, '-');
    int hours = 0, minutes = 0, seconds = 0;

    if (!minus)
        (void)take(at, '+');
    if (!take_number(at, hours_max, &hours) || (take(at, ':') && !take_number(at, 59, &minutes)) ||
        (take(at, ':') && !take_number(at, 59, &seconds)))
        return false;
    *out = (minus ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

static bool take_name(const char **at)
{
    const char *start = *at;

    if (take(at, '<')) {
        while (**at != '\0' && **at != '>')
            ++*at;
        return take(at, '>');
    }
    while (isalpha((unsigned char)**at))
        ++*at;
    return *at - start >= 3;
}

static bool take_rule(const char **at, struct zone_rule *rule)
{
    rule->at_s = 2 * 3600;
    rule->kind = 'D';
    if (take(at, 'M')) {
        rule->kind = 'M';
        if (!take_number(at, 12, &rule->month) || rule->month < 1 || !take(at, '.') ||
            !take_number(at, 5, &rule->week) || rule->week < 1 || !take(at, '.') || !take_number(at, 6, &rule->day))
            return false;
    } else {
        if (take(at, 'J'))
            rule->kind = 'J';
        if (!take_number(at, 365, &rule->day) || (rule->kind == 'J' && rule->day < 1))
            return false;
    }
    return !take(at, '/') || take_time(at, 167, &rule->at_s);
}

static bool rule_parse(struct mr_zone *zone, const char *text)
{
    if (*text == '\0')
        return true;
    if (!take_name(&text) || !take_time(&text, 25, &zone->standard))
        return false;
    zone->standard = -zone->standard;
    zone->has_rule = true;
    if (*text == '\0')
        return true;
    if (!take_name(&text))
        return false;
    zone->summer = zone->standard + 3600;
    if (*text != ',' && *text != '\0') {
        if (!take_time(&text, 25, &zone->summer))
            return false;
        zone->summer = -zone->summer;
    }
    zone->has_summer = true;
    return take(&text, ',') && take_rule(&text, &zone->start) && take(&text, ',') && take_rule(&text, &zone->end) &&
           *text == '\0';
}

/* ---- the file ---- */

struct tzif {
    uint32_t utc_count, wall_count, leap_count, time_count, type_count, text_bytes;
};

static bool header_read(struct mr_bytes file, size_t at, struct tzif *h)
{
    const uint8_t *p = file.data + at;

    if (file.size < HEADER_BYTES || at > file.size - HEADER_BYTES || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
        return false;
    h->utc_count = (uint32_t)mr_load_i32(p + 20);
    h->wall_count = (uint32_t)mr_load_i32(p + 24);
    h->leap_count = (uint32_t)mr_load_i32(p + 28);
    h->time_count = (uint32_t)mr_load_i32(p + 32);
    h->type_count = (uint32_t)mr_load_i32(p + 36);
    h->text_bytes = (uint32_t)mr_load_i32(p + 40);
    return h->utc_count <= 256 && h->wall_count <= 256 && h->leap_count <= 1000 && h->time_count <= TRANSITIONS_MAX &&
           h->type_count >= 1 && h->type_count <= 256 && h->text_bytes <= 4096;
}

static size_t data_bytes(const struct tzif *h, size_t time_bytes)
{
    return h->time_count * (time_bytes + 1) + h->type_count * 6u + h->text_bytes + h->leap_count * (time_bytes + 4) +
           h->wall_count + h->utc_count;
}

static bool data_read(struct mr_zone *zone, struct mr_arena *arena, const struct tzif *h, const uint8_t *p)
{
    const uint8_t *types = p + h->time_count * 8u, *infos = types + h->time_count;
    int64_t *times = MR_ARENA_ARRAY(arena, int64_t, h->time_count + 1);
    int32_t *offsets = MR_ARENA_ARRAY(arena, int32_t, h->time_count + 1);

    for (uint32_t i = 0; i < h->type_count; i++) {
        int32_t offset = mr_load_i32(infos + i * 6u);
        if (offset < -OFFSET_MAX || offset > OFFSET_MAX)
            return false;
    }
    for (uint32_t i = 0; i < h->time_count; i++) {
        times[i] = mr_load_i64(p + i * 8u);
        if (types[i] >= h->type_count || (i > 0 && times[i] <= times[i - 1]))
            return false;
        offsets[i] = mr_load_i32(infos + types[i] * 6u);
    }
    zone->offset_first = mr_load_i32(infos);
    zone->count = h->time_count;
    zone->times = times;
    zone->offsets = offsets;
    return true;
}

enum mr_status mr_zone_parse(const struct mr_zone **out, struct mr_arena *arena, struct mr_bytes file,
                             struct mr_err *err)
{
    struct mr_zone *zone = MR_ARENA_NEW(arena, struct mr_zone);
    struct tzif first, second;
    size_t at, rule_at, rule_bytes;

    if (!header_read(file, 0, &first))
        goto wrong;
    at = HEADER_BYTES + data_bytes(&first, 4);
    if (!header_read(file, at, &second))
        goto wrong;
    at += HEADER_BYTES;
    rule_at = at + data_bytes(&second, 8) + 1;
    if (rule_at >= file.size || file.data[file.size - 1] != '\n' || file.data[rule_at - 1] != '\n')
        goto wrong;
    rule_bytes = file.size - 1 - rule_at;
    if (!data_read(zone, arena, &second, file.data + at) ||
        !rule_parse(zone, mr_arena_printf(arena, "%.*s", (int)rule_bytes, (const char *)file.data + rule_at)))
        goto wrong;
    *out = zone;
    return MR_OK;
wrong:
    return mr_err_set(err, MR_CORRUPT, "not a time zone file (TZif 2)");
}

/* "+01:00", "GMT+8", "UTC", "Z": the same at all times. */
static bool fixed_parse(struct mr_zone *zone, const char *name)
{
    int32_t offset = 0;

    if (strncmp(name, "GMT", 3) == 0 || strncmp(name, "UTC", 3) == 0)
        name += 3;
    else if (strcmp(name, "Z") == 0)
        name++;
    else if (*name != '+' && *name != '-')
        return false;
    if (*name != '\0' && ((*name != '+' && *name != '-') || !take_time(&name, 18, &offset) || *name != '\0'))
        return false;
    zone->offset_first = offset;
    return true;
}

/* The file of the zone called NAME, from the first folder that has it. */
static enum mr_status file_read(struct mr_env *env, const char *name, struct mr_writer *out, struct mr_err *err)
{
    static const char *const folders[] = { "/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo",
                                           "/etc/zoneinfo" };
    char path[MR_ZONE_NAME_BYTES_MAX + 32];

    for (size_t i = 0; i < MR_COUNT(folders); i++) {
        enum mr_status status;

        snprintf(path, sizeof(path), "%s/%s", folders[i], name);
        status = mr_file_read_all(env, path, MR_ZONE_FILE_BYTES_MAX, out, NULL);
        if (status == MR_LIMIT)
            return mr_err_set(err, MR_CORRUPT, "%s is no time zone", path);
        if (status != MR_NOT_FOUND)
            return status == MR_OK ? status : mr_err_set(err, MR_IO, "the time zone %s can't be read", path);
    }
    return mr_err_set(err, MR_NOT_FOUND, "this system has no time zone '%s' (%s/%s)", name, folders[0], name);
}

enum mr_status mr_zone_load(const struct mr_zone **out, struct mr_arena *arena, struct mr_env *env, struct mr_str name,
                            struct mr_err *err)
{
    struct mr_zone *zone = MR_ARENA_NEW(arena, struct mr_zone);
    const char *text = mr_arena_str(arena, name).data;
    struct mr_writer bytes = { 0 };
    enum mr_status status;

    if (name.size == 0 || name.size > MR_ZONE_NAME_BYTES_MAX || strstr(text, "..") != NULL || text[0] == '/' ||
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/:") != name.size)
        return mr_err_set(err, MR_INVALID, "'%.*s' is no name of a time zone such as 'Europe/Berlin' or '+01:00'",
                          MR_STR_ARG(name));
    if (fixed_parse(zone, text)) {
        *out = zone;
        return MR_OK;
    }
    status = file_read(env, text, &bytes, err);
    if (status == MR_OK)
        status = mr_zone_parse(out, arena, mr_writer_bytes(&bytes), err);
    mr_writer_deinit(&bytes);
    if (status == MR_CORRUPT)
        mr_err_context(err, "time zone '%s'", text);
    return status;
}

/* zone.c -- time zones, read from the system's files (TZif, RFC 8536).
 *
 * The C library keeps one zone for the whole process; here each DAG has its own, so the files are read by ourselves.
 * A file is a header, a block of 4-byte times, then (version 2 on) a header and a block of 8-byte times, then a footer:
 * the rule for all times after the last transition, as POSIX writes TZ ("CET-1CEST,M3.5.0,M10.5.0/3").  Only the second
 * block is used; a version 1 file has only the first.
 *
 * Invariants
 *   Z1  transitions rise; types[at[i]] is in force from transition i on, types[first] before the first. */
#include "base/text.h"
#include "scheduler/time_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ZONE_FILE_BYTES_MAX = 1 << 20,
    ZONE_TRANSITIONS_MAX = 10000,
    ZONE_TYPES_MAX = 256,
    ZONE_NAME_BYTES_MAX = 100,
    ZONE_OFFSET_MAX = 26 * 3600,
    DAY_S = 86400,
};

enum rule_kind { RULE_JULIAN, RULE_DAY, RULE_MONTH };

/* When a change happens in each year: Jn, n, or Mm.w.d, and the local time of day (-167 … 167 h). */
struct zone_rule {
    enum rule_kind kind;
    int month, week, day;
    int64_t time_s;
};

struct zone {
    int64_t *times; /* owned */
    uint8_t *at;    /* owned; the type from times[i] on */
    uint32_t count;
    int32_t offsets[ZONE_TYPES_MAX];
    bool is_dst[ZONE_TYPES_MAX];
    uint32_t type_count, first;
    bool has_footer, footer_dst;
    int64_t standard_s, summer_s; /* offsets of the footer, east positive */
    struct zone_rule begin, end;
};

/* ---- calendar ---- */

int64_t civil_days(int64_t year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void civil_date(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t from_march = (5 * of_year + 2) / 153;

    *day = (int)(of_year - (153 * from_march + 2) / 5 + 1);
    *month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* ---- the footer ---- */

struct footer {
    const char *at, *end;
};

static bool footer_take(struct footer *f, char c)
{
    if (f->at == f->end || *f->at != c)
        return false;
    f->at++;
    return true;
}

static bool footer_number(struct footer *f, int max, int *out)
{
    int v = 0;
    const char *begin = f->at;

    while (f->at < f->end && *f->at >= '0' && *f->at <= '9' && v <= max)
        v = v * 10 + (*f->at++ - '0');
    *out = v;
    return f->at > begin && v <= max;
}

static bool footer_name(struct footer *f)
{
    const char *begin = f->at;

    if (footer_take(f, '<')) {
        while (f->at < f->end && *f->at != '>')
            f->at++;
        return footer_take(f, '>');
    }
    while (f->at < f->end && ((*f->at >= 'a' && *f->at <= 'z') || (*f->at >= 'A' && *f->at <= 'Z')))
        f->at++;
    return f->at - begin >= 3;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool footer_time(struct footer *f, int64_t *out)
{
    int sign = footer_take(f, '-') ? -1 : 1;
    int hours, minutes = 0, seconds = 0;

    if (sign == 1)
        footer_take(f, '+');
    if (!footer_number(f, 167, &hours))
        return false;
    if (footer_take(f, ':') && !footer_number(f, 59, &minutes))
        return false;
    if (minutes != 0 && footer_take(f, ':') && !footer_number(f, 59, &seconds))
        return false;
    *out = sign * (int64_t)(hours * 3600 + minutes * 60 + seconds);
    return true;
}

static bool footer_rule(struct footer *f, struct zone_rule *out)
{
    *out = (struct zone_rule){ .kind = RULE_DAY, .time_s = 7200 };
    if (footer_take(f, 'M')) {
        out->kind = RULE_MONTH;
        if (!footer_number(f, 12, &out->month) || out->month < 1 || !footer_take(f, '.') ||
            !footer_number(f, 5, &out->week) || out->week < 1 || !footer_take(f, '.') ||
            !footer_number(f, 6, &out->day))
            return false;
    } else {
        if (footer_take(f, 'J'))
            out->kind = RULE_JULIAN;
        if (!footer_number(f, 365, &out->day) || (out->kind == RULE_JULIAN && out->day < 1))
            return false;
    }
    return !footer_take(f, '/') || footer_time(f, &out->time_s);
}

static bool footer_parse(struct zone *zone, struct mr_str text)
{
    struct footer f = { text.data, text.data + text.size };
    int64_t west;

    if (!footer_name(&f) || !footer_time(&f, &west))
        return false;
    zone->standard_s = zone->summer_s = -west;
    zone->has_footer = true;
    if (f.at == f.end)
        return true;
    if (!footer_name(&f))
        return false;
    zone->footer_dst = true;
    zone->summer_s = zone->standard_s + 3600;
    if (f.at < f.end && *f.at != ',') {
        if (!footer_time(&f, &west))
            return false;
        zone->summer_s = -west;
    }
    return footer_take(&f, ',') && footer_rule(&f, &zone->begin) && footer_take(&f, ',') &&
           footer_rule(&f, &zone->end) && f.at == f.end;
}

/* The instant, in local seconds of the offset before it, at which RULE's change happens in YEAR. */
static int64_t rule_local(const struct zone_rule *rule, int64_t year)
{
    int64_t first, days;
    int weekday, day;

    if (rule->kind == RULE_DAY)
        return (civil_days(year, 1, 1) + rule->day) * DAY_S + rule->time_s;
    if (rule->kind == RULE_JULIAN) /* 29 February is not counted */
        return (civil_days(year, 1, 1) + rule->day - 1 + (is_leap(year) && rule->day >= 60)) * DAY_S + rule->time_s;
    first = civil_days(year, rule->month, 1);
    weekday = (int)(((first + 4) % 7 + 7) % 7);
    day = 1 + (rule->day - weekday + 7) % 7 + (rule->week - 1) * 7;
    days = (rule->month == 12 ? civil_days(year + 1, 1, 1) : civil_days(year, rule->month + 1, 1)) - first;
    while (day > days)
        day -= 7;
    return (first + day - 1) * DAY_S + rule->time_s;
}

static int64_t footer_offset(const struct zone *zone, int64_t utc_s)
{
    int64_t local = utc_s + zone->standard_s, year, begin, end;
    int month, day;

    if (!zone->footer_dst)
        return zone->standard_s;
    civil_date(local / DAY_S - (local % DAY_S < 0), &year, &month, &day);
    begin = rule_local(&zone->begin, year) - zone->standard_s;
    end = rule_local(&zone->end, year) - zone->summer_s;
    if (begin < end)
        return utc_s >= begin && utc_s < end ? zone->summer_s : zone->standard_s;
    return utc_s >= begin || utc_s < end ? zone->summer_s : zone->standard_s;
}

/* ---- the file ---- */

struct tzif_header {
    uint8_t version;
    uint32_t isut, isstd, leap, times, types, chars;
};

static bool header_read(struct mr_reader *r, struct tzif_header *h)
{
    struct mr_bytes magic = mr_read_slice(r, 4);

    h->version = mr_read_u8(r);
    mr_read_slice(r, 15);
    h->isut = mr_read_u32(r);
    h->isstd = mr_read_u32(r);
    h->leap = mr_read_u32(r);
    h->times = mr_read_u32(r);
    h->types = mr_read_u32(r);
    h->chars = mr_read_u32(r);
    return !r->failed && memcmp(magic.data, "TZif", 4) == 0 && h->times <= ZONE_TRANSITIONS_MAX && h->types >= 1 &&
           h->types <= ZONE_TYPES_MAX && h->leap <= 10000 && h->chars <= 100000 && h->isut <= 1000 && h->isstd <= 1000;
}

static bool block_read(struct mr_reader *r, const struct tzif_header *h, int width, struct zone *zone)
{
    zone->count = h->times;
    zone->times = mr_calloc(h->times + 1, sizeof(int64_t));
    zone->at = mr_calloc(h->times + 1, 1);
    for (uint32_t i = 0; i < h->times; i++) {
        zone->times[i] = width == 8 ? mr_read_i64(r) : mr_read_i32(r);
        if (i > 0 && zone->times[i] <= zone->times[i - 1])
            return false;
    }
    for (uint32_t i = 0; i < h->times; i++) {
        zone->at[i] = mr_read_u8(r);
        if (zone->at[i] >= h->types)
            return false;
    }
    zone->type_count = h->types;
    for (uint32_t i = 0; i < h->types; i++) {
        zone->offsets[i] = mr_read_i32(r);
        zone->is_dst[i] = mr_read_u8(r) != 0;
        mr_read_u8(r);
        if (zone->offsets[i] < -ZONE_OFFSET_MAX || zone->offsets[i] > ZONE_OFFSET_MAX)
            return false;
    }
    mr_read_slice(r, (size_t)h->chars + (size_t)h->leap * ((size_t)width + 4) + h->isstd + h->isut);
    return !r->failed;
}

static bool file_read(struct mr_reader *r, struct zone *zone)
{
    struct tzif_header h;
    struct mr_str footer;

    if (!header_read(r, &h))
        return false;
    if (h.version == 0)
        return block_read(r, &h, 4, zone);
    mr_read_slice(r, (size_t)h.times * 5 + (size_t)h.types * 6 + h.chars + (size_t)h.leap * 8 + h.isstd + h.isut);
    if (r->failed || !header_read(r, &h) || !block_read(r, &h, 8, zone) || mr_read_u8(r) != '\n')
        return false;
    footer = (struct mr_str){ (const char *)r->at, mr_reader_left(r) };
    if (footer.size < 1 || footer.data[footer.size - 1] != '\n')
        return false;
    footer.size--;
    return footer.size == 0 || footer_parse(zone, footer);
}

enum mr_status zone_parse(struct zone **out, struct mr_bytes file, struct mr_err *err)
{
    struct mr_reader r = mr_reader_of(file);
    struct zone *zone = MR_NEW(struct zone);

    if (!file_read(&r, zone)) {
        zone_free(zone);
        return mr_err_set(err, MR_INVALID, "the file of the time zone is damaged");
    }
    for (uint32_t i = 0; i < zone->type_count; i++) {
        if (!zone->is_dst[i]) {
            zone->first = i;
            break;
        }
    }
    *out = zone;
    return MR_OK;
}

static bool name_is_safe(const char *name)
{
    size_t size = strlen(name);

    if (size == 0 || size > ZONE_NAME_BYTES_MAX || name[0] == '/' || strstr(name, "..") != NULL)
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/") == size;
}

enum mr_status zone_open(struct zone **out, const char *name, struct mr_err *err)
{
    static const char *const folders[] = { "/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo",
                                           "/etc/zoneinfo" };
    enum mr_status status = MR_NOT_FOUND;

    if (strcmp(name, "UTC") == 0) {
        *out = MR_NEW(struct zone);
        (*out)->type_count = 1;
        return MR_OK;
    }
    for (size_t i = 0; name_is_safe(name) && i < MR_COUNT(folders) && status == MR_NOT_FOUND; i++) {
        struct mr_writer bytes = { 0 };
        char path[MR_PATH_BYTES];
        struct mr_err ignored;

        snprintf(path, sizeof(path), "%s/%s", folders[i], name);
        status = mr_file_read_all(mr_env_real(), path, ZONE_FILE_BYTES_MAX, &bytes, &ignored);
        if (status == MR_OK)
            status = zone_parse(out, mr_writer_bytes(&bytes), err);
        else
            status = MR_NOT_FOUND;
        mr_writer_deinit(&bytes);
    }
    if (status == MR_NOT_FOUND)
        return mr_err_set(err, MR_INVALID,
                          "there is no time zone \"%s\" in /usr/share/zoneinfo: write it as Europe/Berlin or UTC "
                          "(package tzdata)",
                          name);
    if (status != MR_OK)
        mr_err_context(err, "time zone \"%s\"", name);
    return status;
}

void zone_free(struct zone *zone)
{
    if (zone == NULL)
        return;
    mr_free(zone->times);
    mr_free(zone->at);
    mr_free(zone);
}

/* ---- asking ---- */

int64_t zone_offset(const struct zone *zone, int64_t utc_s)
{
    uint32_t low = 0, high = zone->count;

    if (zone->count == 0 || utc_s < zone->times[0])
        return zone->count == 0 && zone->has_footer ? footer_offset(zone, utc_s) : zone->offsets[zone->first];
    if (zone->has_footer && utc_s >= zone->times[zone->count - 1])
        return footer_offset(zone, utc_s);
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (zone->times[middle] <= utc_s)
            low = middle;
        else
            high = middle;
    }
    return zone->offsets[zone->at[low]];
}

uint32_t zone_instants(const struct zone *zone, int64_t local_s, int64_t out[2])
{
    /* The offsets on both sides of any change that could matter here. */
    int64_t before = zone_offset(zone, local_s - ZONE_OFFSET_MAX);
    int64_t after = zone_offset(zone, local_s + ZONE_OFFSET_MAX);
    int64_t early = local_s - (before > after ? before : after);
    int64_t late = local_s - (before > after ? after : before);
    uint32_t count = 0;

    if (early + zone_offset(zone, early) == local_s)
        out[count++] = early;
    if (late != early && late + zone_offset(zone, late) == local_s)
        out[count++] = late;
    if (count == 0)
        out[count++] = local_s - before;
    return count;
}

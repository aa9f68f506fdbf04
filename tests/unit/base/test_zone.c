/* test_zone.c -- zones: offsets around changes, far years, and files that are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/env.h"
#include "base/zone.h"

static const struct {
    const char *name;
    int64_t utc_s;
    int32_t offset_s;
} cases[] = {
    { "UTC", 0, 0 },
    { "+05:30", 0, 19800 },
    { "GMT-3", 1700000000, -10800 },
    { "Europe/Berlin", 1711846799, 3600 }, /* 2024-03-31 00:59:59 UTC */
    { "Europe/Berlin", 1711846800, 7200 }, /* 01:00:00 */
    { "Europe/Berlin", 1729990799, 7200 }, /* 2024-10-27 00:59:59 */
    { "Europe/Berlin", 1729990800, 3600 }, /* 01:00:00 */
    { "Europe/Berlin", 4102444800, 3600 }, /* 2100-01-01: by the rule */
    { "Europe/Berlin", 4118083200, 7200 }, /* 2100-07-01 */
    { "America/New_York", 1720000000, -14400 },
    { "Australia/Sydney", 4102444800, 39600 }, /* summer in January */
    { "Asia/Kolkata", 1700000000, 19800 },
};

static const struct mr_zone *zone_of(struct mr_arena *arena, const char *name)
{
    const struct mr_zone *zone = NULL;
    struct mr_err err = MR_ERR_INIT;

    if (mr_zone_load(&zone, arena, mr_env_real(), mr_str_of(name), &err) != MR_OK)
        fail_msg("%s", err.text);
    return zone;
}

static void test_offsets(void **state)
{
    struct mr_arena *arena = mr_arena_new();

    (void)state;
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        int32_t got = mr_zone_offset(zone_of(arena, cases[i].name), cases[i].utc_s);
        if (got != cases[i].offset_s)
            fail_msg("%s at %" PRId64 ": expected %d, got %d", cases[i].name, cases[i].utc_s, cases[i].offset_s, got);
    }
    mr_arena_free(arena);
}

/* As java.time: the first of two moments; a time that was skipped is later by what was skipped. */
static void test_to_utc(void **state)
{
    struct mr_arena *arena = mr_arena_new();
    const struct mr_zone *berlin = zone_of(arena, "Europe/Berlin");

    (void)state;
    assert_int_equal(mr_zone_to_utc(berlin, 1711850400), 1711846800); /* 02:00 is skipped: 03:00 */
    assert_int_equal(mr_zone_to_utc(berlin, 1711852200), 1711848600); /* 02:30: 03:30 */
    assert_int_equal(mr_zone_to_utc(berlin, 1729994400), 1729987200); /* 02:00 comes twice: the first */
    assert_int_equal(mr_zone_to_utc(berlin, 1720000000), 1719992800);
    assert_int_equal(mr_zone_to_utc(NULL, 5), 5);
    mr_arena_free(arena);
}

static void test_names(void **state)
{
    static const char *const wrong[] = { "", "../etc/passwd", "/etc/passwd", "Europe/Berlin;", "No/Where", "+25:00" };
    struct mr_arena *arena = mr_arena_new();

    (void)state;
    for (size_t i = 0; i < MR_COUNT(wrong); i++) {
        const struct mr_zone *zone = NULL;
        struct mr_err err = MR_ERR_INIT;
        assert_int_not_equal(mr_zone_load(&zone, arena, mr_env_real(), mr_str_of(wrong[i]), &err), MR_OK);
        assert_null(zone);
    }
    mr_arena_free(arena);
}

/* No beginning of a file is a zone, and none is read past its end. */
static void test_cut(void **state)
{
    struct mr_arena *arena = mr_arena_new();
    struct mr_file *file = NULL;
    struct mr_err err = MR_ERR_INIT;
    static uint8_t whole[8192];
    size_t size = 0;

    (void)state;
    assert_int_equal(mr_file_open(mr_env_real(), &file, "/usr/share/zoneinfo/Europe/Berlin", MR_OPEN_READ, &err),
                     MR_OK);
    assert_int_equal(mr_file_pread(file, whole, sizeof(whole), 0, &size, &err), MR_OK);
    mr_file_close(file);
    for (size_t cut = 0; cut < size; cut++) {
        const struct mr_zone *zone = NULL;
        uint8_t *copy = mr_alloc(cut + 1);
        memcpy(copy, whole, cut);
        assert_int_equal(mr_zone_parse(&zone, arena, (struct mr_bytes){ copy, cut }, &err), MR_CORRUPT);
        mr_free(copy);
        mr_arena_reset(arena);
    }
    mr_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offsets),
        cmocka_unit_test(test_to_utc),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

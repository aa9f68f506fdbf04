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

static void assert_instants(const struct mr_zone *zone, int64_t local_s, uint32_t count, int64_t first, int64_t second)
{
    int64_t out[2] = { 0 };

    assert_int_equal(mr_zone_instants(zone, local_s, out), count);
    assert_int_equal(out[0], first);
    if (count == 2)
        assert_int_equal(out[1], second);
}

static void test_instants(void **state)
{
    struct mr_arena *arena = mr_arena_new();
    const struct mr_zone *berlin = zone_of(arena, "Europe/Berlin"), *howe = zone_of(arena, "Australia/Lord_Howe");

    (void)state;
    assert_instants(NULL, 7, 1, 7, 0);
    assert_instants(berlin, 1711850399, 1, 1711846799, 0); /* 01:59:59 */
    assert_instants(berlin, 1711852200, 1, 1711848600, 0); /* 02:30 is skipped */
    assert_instants(berlin, 1711854000, 1, 1711846800, 0); /* 03:00 */
    assert_instants(berlin, 1729994399, 1, 1729987199, 0); /* 01:59:59 */
    assert_instants(berlin, 1729994400, 2, 1729987200, 1729990800);
    assert_instants(berlin, 1729998000, 1, 1729994400, 0);        /* 03:00 */
    assert_instants(howe, 1712454300, 2, 1712414700, 1712416500); /* 01:45; at 02:00 half an hour back */
    mr_arena_free(arena);
}

/* Each quarter of an hour of eight years: the instants are those at which the offset says so, and no others. */
static void test_there_and_back(void **state)
{
    static const char *const names[] = { "Europe/Berlin",   "America/New_York",  "Australia/Lord_Howe",
                                         "Pacific/Apia",    "Africa/Casablanca", "America/Sao_Paulo",
                                         "Antarctica/Troll" };
    struct mr_arena *arena = mr_arena_new();

    (void)state;
    for (size_t z = 0; z < MR_COUNT(names); z++) {
        const struct mr_zone *zone = zone_of(arena, names[z]);

        for (int64_t utc_s = 1293840000; utc_s < 1546300800; utc_s += 900) { /* 2011 to 2018 */
            int64_t local_s = utc_s + mr_zone_offset(zone, utc_s), out[2];
            uint32_t count = mr_zone_instants(zone, local_s, out);

            if (out[0] != utc_s && (count == 1 || out[1] != utc_s))
                fail_msg("%s: %" PRId64 " is not among the %u instants of %" PRId64, names[z], utc_s, count, local_s);
            for (uint32_t i = 0; i < count; i++)
                assert_int_equal(out[i] + mr_zone_offset(zone, out[i]), local_s);
            assert_true(count == 1 || out[0] < out[1]);
            assert_int_equal(mr_zone_to_utc(zone, local_s), out[0]);
        }
    }
    mr_arena_free(arena);
}

static void test_names(void **state)
{
    static const char *const wrong[] = { "",       "../etc/passwd", "/etc/passwd",   "Europe/Berlin;", "a b",
                                         "+25:00", "No/Where",      "Europe/Belrin", "Europe" };
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

/* A file that has nothing but RULE. */
static enum mr_status rule_zone(const struct mr_zone **out, struct mr_arena *arena, const char *rule)
{
    struct mr_writer file = { 0 };
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status;

    for (int block = 0; block < 2; block++) {
        mr_write_text(&file, "TZif2%015d", 0);
        for (int i = 0; i < 4; i++)
            mr_write_i32(&file, 0);
        mr_write_i32(&file, 1); /* types */
        mr_write_i32(&file, 1); /* bytes of names */
        for (int i = 0; i < 7; i++)
            mr_write_u8(&file, 0);
    }
    mr_write_text(&file, "\n%s\n", rule);
    status = mr_zone_parse(out, arena, mr_writer_bytes(&file), &err);
    mr_writer_deinit(&file);
    return status;
}

static void test_rules(void **state)
{
    /* 2024 has a 29 February: day J60 is 1 March in every year, day 60 (from 0) is 1 March here and the 2nd in 2023. */
    static const struct {
        const char *rule;
        int64_t begin; /* of summer time, UTC; 0: the rule is refused */
    } cases[] = {
        { "AAA0BBB,J60/0,J300", 1709251200 },
        { "AAA0BBB,60/0,J300", 1709251200 },
        { "AAA0BBB,J59/0,J300", 1709078400 },
        { "AAA0BBB,M2.5.4/0,J300", 1709164800 },
        { "AAA0BBB,M3.5.0/26,J300", 1711936800 },
        { "<-03>3BBB2,M3.1.5,J300", 1709269200 },
        { "AAA0BBB,J0,J300", 0 },
        { "AAA0BBB,J366,J300", 0 },
        { "AAA0BBB,M13.1.0,J300", 0 },
        { "AAA0BBB,M3.6.0,J300", 0 },
        { "AAA0BBB,M3.1.7,J300", 0 },
        { "AAA0BBB,J60", 0 },
        { "AAA0BBB,M2.5.5/0,J300", 1708646400 },
        { "AA0", 0 },
    };
    struct mr_arena *arena = mr_arena_new();

    (void)state;
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        const struct mr_zone *zone = NULL;
        enum mr_status status = rule_zone(&zone, arena, cases[i].rule);

        if (status != (cases[i].begin == 0 ? MR_CORRUPT : MR_OK))
            fail_msg("%s: status %d", cases[i].rule, status);
        if (status == MR_OK && mr_zone_offset(zone, cases[i].begin) - mr_zone_offset(zone, cases[i].begin - 1) != 3600)
            fail_msg("%s: no change at %" PRId64, cases[i].rule, cases[i].begin);
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
        cmocka_unit_test(test_offsets),  cmocka_unit_test(test_to_utc),
        cmocka_unit_test(test_instants), cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_rules),    cmocka_unit_test(test_names),
        cmocka_unit_test(test_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_datagen.c -- made-up rows: sequences, ranges, the same rows again after a restart, options that are wrong. */
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OPTIONS_MAX = 8 };

struct run {
    struct mr_arena *arena;
    struct connector_context ctx;
    struct harness_table table;
    const struct connector_source_ops *ops;
    struct connector_source *source;
    struct mr_writer text;
    struct connector_position positions[16];
    uint32_t position_count;
    char state[64];
    bool ended;
    struct mr_err err;
};

static enum mr_status run_open(struct run *run, const char *columns, const struct harness_option *options)
{
    harness_context_init(&run->ctx, NULL);
    run->arena = mr_arena_new();
    harness_table_init(&run->table, "datagen", harness_row(run->arena, columns), options);
    run->ops = connectors_find("datagen")->source;
    run->err = (struct mr_err)MR_ERR_INIT;
    run->source = NULL;
    return run->ops->open(&run->source, &run->table.table, &run->ctx, run->positions, run->position_count, &run->err);
}

/* Reads until WANT rows came or it ended; then the position is as a checkpoint would keep it. */
static const char *run_read(struct run *run, uint32_t want)
{
    run->text.size = 0;
    run->ended = false;
    if (harness_read(run->ops, run->source, want, 10000, &run->text, run->positions, &run->position_count, &run->ended,
                     &run->err) != MR_OK)
        fail_msg("%s", run->err.text);
    assert_int_equal(run->position_count, 1);
    snprintf(run->state, sizeof(run->state), "%.*s", MR_STR_ARG(run->positions[0].state));
    run->positions[0].state = mr_str_of(run->state);
    mr_write_u8(&run->text, '\0');
    return (const char *)run->text.data;
}

static void run_close(struct run *run)
{
    if (run->source != NULL)
        run->ops->close(run->source);
    mr_arena_free(run->arena);
}

static void test_sequence(void **state)
{
    static const struct harness_option options[] = { { "fields.id.kind", "sequence" },
                                                     { "fields.id.start", "-1" },
                                                     { "fields.id.end", "2" },
                                                     { "fields.s.kind", "sequence" },
                                                     { "fields.s.start", "7" },
                                                     { "fields.s.end", "9" },
                                                     { NULL, NULL } };
    struct run run = { 0 };

    MR_UNUSED(state);
    assert_int_equal(run_open(&run, "id INT, s STRING", options), MR_OK);
    assert_string_equal(run_read(&run, UINT32_MAX), "0:0 {\"id\":-1,\"s\":\"7\"}\n0:1 {\"id\":0,\"s\":\"8\"}\n"
                                                    "0:2 {\"id\":1,\"s\":\"9\"}\n"); /* the shorter one ends it */
    assert_true(run.ended);
    run_close(&run);
    /* Nothing is left after a restart. */
    assert_int_equal(run_open(&run, "id INT, s STRING", options), MR_OK);
    assert_string_equal(run_read(&run, UINT32_MAX), "");
    assert_true(run.ended);
    run_close(&run);
    mr_writer_deinit(&run.text);
}

/* What was read and not checkpointed is the same again; sequences go on. */
static void test_again(void **state)
{
    static const struct harness_option options[] = { { "rows-per-second", "1000" },    { "number-of-rows", "40" },
                                                     { "fields.id.kind", "sequence" }, { "fields.id.start", "1" },
                                                     { "fields.id.end", "99" },        { "fields.s.length", "12" },
                                                     { "fields.s.null-rate", "0.25" }, { NULL, NULL } };
    struct run run = { 0 };
    char *first, *part;

    MR_UNUSED(state);
    assert_int_equal(run_open(&run, "id BIGINT, s STRING, n INT", options), MR_OK);
    run_read(&run, 1);
    struct connector_position kept = run.positions[0];
    assert_in_range(kept.next, 1, 39);
    first = mr_strdup(run_read(&run, UINT32_MAX));
    assert_true(run.ended);
    run_close(&run);
    run.positions[0] = kept;
    run.positions[0].state = mr_str_of(run.state);
    assert_int_equal(run_open(&run, "id BIGINT, s STRING, n INT", options), MR_OK);
    assert_string_equal(run_read(&run, UINT32_MAX), first);
    assert_true(run.ended);
    part = strstr(first, "0:39 {\"id\":40,");
    assert_non_null(part);
    assert_non_null(strstr(first, "\"s\":null"));
    run_close(&run);
    mr_free(first);
    mr_writer_deinit(&run.text);
}

static void test_ranges(void **state)
{
    static const struct harness_option options[] = { { "number-of-rows", "2000" },
                                                     { "rows-per-second", "1000000" },
                                                     { "fields.a.min", "-2" },
                                                     { "fields.a.max", "1" },
                                                     { "fields.b.min", "10" },
                                                     { "fields.b.max", "10.5" },
                                                     { NULL, NULL } };
    struct run run = { 0 };
    int seen[4] = { 0 };

    MR_UNUSED(state);
    assert_int_equal(run_open(&run, "a INT, b DOUBLE", options), MR_OK);
    for (const char *at = strstr(run_read(&run, UINT32_MAX), "{\"a\":"); at != NULL; at = strstr(at + 1, "{\"a\":")) {
        int a;
        double b;
        assert_int_equal(sscanf(at, "{\"a\":%d,\"b\":%lf}", &a, &b), 2);
        assert_true(a >= -2 && a <= 1 && b >= 10 && b <= 10.5);
        seen[a + 2]++;
    }
    for (size_t i = 0; i < MR_COUNT(seen); i++)
        assert_in_range(seen[i], 400, 600); /* 500, within five deviations */
    run_close(&run);
    mr_writer_deinit(&run.text);
}

static void test_refused(void **state)
{
    static const struct {
        struct harness_option options[OPTIONS_MAX];
        const char *why;
    } cases[] = {
        { { { "rows-per-second", "0" } }, "rows-per-second" },
        { { { "fields.a.kind", "cyclic" } }, "'fields.a.kind' = 'cyclic': it is random or sequence" },
        { { { "fields.a.kind", "sequence" } }, "it wants '.start' and '.end'" },
        { { { "fields.a.kind", "sequence" }, { "fields.a.start", "2" }, { "fields.a.end", "1" } }, "before '.start'" },
        { { { "fields.c.kind", "sequence" }, { "fields.c.start", "2" }, { "fields.c.end", "9" } }, "only numbers" },
        { { { "fields.a.min", "3000000000" } }, "a whole number from -2147483648 to 2147483647 is wanted" },
        { { { "fields.a.min", "2" }, { "fields.a.max", "1" } }, "'.min' is larger" },
        { { { "fields.s.min", "2" } }, "only numbers have '.min'" },
        { { { "fields.s.length", "-1" } }, "a whole number from 0" },
        { { { "fields.s.null-rate", "1.5" } }, "it is from 0 to 1" },
        { { { "fields.a.max-past", "soon" } }, "a duration" },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct run run = { 0 };
        assert_int_equal(run_open(&run, "a INT, s STRING, c BOOLEAN", cases[i].options), MR_INVALID);
        if (strstr(run.err.text, cases[i].why) == NULL)
            fail_msg("case %zu: %s", i, run.err.text);
        run_close(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequence),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_rows_output.c -- rows as a table, as tab-separated values and as JSON lines, into a file and onto a terminal. */
#include "base/text.h"
#include "main/rows_output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { ROWS_MAX = 4, OUTPUT_MAX = 256 * 1024 };

/* A column that is a number and one that is a text; a NULL text has no data. */
struct row {
    int64_t n;
    const char *text;
};

static const struct data_type *row_type(struct mr_arena *arena, const char *second)
{
    struct data_field fields[] = { { MR_STR("n"), data_type_scalar(DATA_BIGINT, true) },
                                   { mr_str_of(second), data_type_scalar(DATA_STRING, true) } };

    return data_type_row(arena, fields, MR_COUNT(fields), false);
}

static void row_write(struct rows_output *o, const struct data_type *type, const struct row *row)
{
    struct data_batch *batch = data_batch_new(type);

    data_append_i64(batch->columns[0], row->n);
    if (row->text != NULL)
        data_append_str(batch->columns[1], mr_str_of(row->text));
    else
        data_append_null(batch->columns[1]);
    batch->row_count = 1;
    rows_output_write(o, batch);
    data_batch_unref(batch);
}

/* What FILE has from its start; freed with free(). */
static char *file_text(FILE *file)
{
    char *text = calloc(1, OUTPUT_MAX);

    assert_non_null(text);
    rewind(file);
    text[fread(text, 1, OUTPUT_MAX - 1, file)] = '\0';
    return text;
}

static const struct {
    const char *format, *second;
    bool live;
    struct row rows[ROWS_MAX];
    size_t count;
    const char *expect;
} format_cases[] = {
    { "table", "name", false, { { 0 } }, 0, "n    | name\n-----+-----\n" },
    { "tsv", "name", false, { { 0 } }, 0, "" },
    { "json", "name", false, { { 0 } }, 0, "" },
    { "table",
      "name",
      false,
      { { 1, "Ada" }, { 22, NULL } },
      2,
      "n    | name\n-----+-----\n1    | Ada\n22   | NULL\n" },
    { "tsv", "name", false, { { 1, "Ada" }, { 22, NULL } }, 2, "1\tAda\n22\tNULL\n" },
    { "json",
      "name",
      false,
      { { 1, "Ada" }, { 22, NULL } },
      2,
      "{\"n\":1,\"name\":\"Ada\"}\n{\"n\":22,\"name\":null}\n" },
    /* as wide as the widest, whichever row it is in; a file is no terminal: nothing is cut */
    { "table",
      "t",
      false,
      { { 1234567, "a long text here" }, { 2, "b" } },
      2,
      "n       | t\n--------+-----------------\n1234567 | a long text here\n2       | b\n" },
    /* characters count, not bytes */
    { "table",
      "größe",
      false,
      { { 1, "čćžšđ€" }, { 2, "x" } },
      2,
      "n    | größe\n-----+-------\n1    | čćžšđ€\n2    | x\n" },
    { "tsv", "t", false, { { 1, "čć 😀" } }, 1, "1\tčć 😀\n" },
    { "json", "t", false, { { 1, "čć 😀" } }, 1, "{\"n\":1,\"t\":\"čć 😀\"}\n" },
    /* nothing in a value can end a cell or a line */
    { "tsv", "t", false, { { 1, "a\tb\nc\\" } }, 1, "1\ta\\tb\\nc\\\\\n" },
    { "table", "t", false, { { 1, "a\nb" } }, 1, "n    | t\n-----+-----\n1    | a\\nb\n" },
    { "json", "t", false, { { 1, "a\"\n" } }, 1, "{\"n\":1,\"t\":\"a\\\"\\n\"}\n" },
    /* live: widths that don't wait for rows */
    { "table",
      "t",
      true,
      { { 1, "x" } },
      1,
      "n          | t\n-----------+---------------------------\n1          | x\n" },
};

static void test_formats(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(format_cases); i++) {
        struct mr_arena *arena = mr_arena_new();
        const struct data_type *type = row_type(arena, format_cases[i].second);
        FILE *file = tmpfile();
        struct rows_output *o =
            rows_output_new(type, rows_format_of(format_cases[i].format), file, format_cases[i].live);
        char *text;

        for (size_t r = 0; r < format_cases[i].count; r++)
            row_write(o, type, &format_cases[i].rows[r]);
        rows_output_finish(o);
        text = file_text(file);
        if (strcmp(text, format_cases[i].expect) != 0)
            fail_msg("case %zu: %s\nexpected:\n%s\ngot:\n%s", i, format_cases[i].format, format_cases[i].expect, text);
        free(text);
        fclose(file);
        mr_arena_free(arena);
    }
}

/* The first rows give the widths; what comes after the header is written at once, also when it is wider. */
static void test_many_rows(void **state)
{
    struct mr_arena *arena = mr_arena_new();
    const struct data_type *type = row_type(arena, "t");
    FILE *file = tmpfile();
    struct rows_output *o = rows_output_new(type, ROWS_TABLE, file, false);
    char *text, *at;
    size_t lines = 0;

    MR_UNUSED(state);
    for (int i = 0; i < 999; i++)
        row_write(o, type, &(struct row){ i, "abcdef" });
    fflush(file);
    assert_int_equal(ftell(file), 0);
    row_write(o, type, &(struct row){ 999, "abcdef" });
    fflush(file);
    assert_true(ftell(file) > 0);
    row_write(o, type, &(struct row){ 1000, "wider than those" });
    rows_output_finish(o);
    text = file_text(file);
    assert_memory_equal(text, "n    | t\n", 9);
    for (at = text; *at != '\0'; at++)
        lines += *at == '\n';
    assert_int_equal(lines, 1003);
    assert_non_null(strstr(text, "\n1000 | wider than those\n"));
    free(text);
    fclose(file);
    mr_arena_free(arena);
}

/* A terminal of 24 columns: the widest column gives, cells are cut between characters. */
static void test_terminal(void **state)
{
    struct winsize size = { .ws_row = 10, .ws_col = 24 };
    int main_fd = posix_openpt(O_RDWR | O_NOCTTY);
    struct mr_arena *arena = mr_arena_new();
    const struct data_type *type = row_type(arena, "t");
    struct rows_output *o;
    char text[1024] = "";
    size_t used = 0;
    FILE *terminal;

    MR_UNUSED(state);
    if (main_fd < 0 || grantpt(main_fd) != 0 || unlockpt(main_fd) != 0)
        skip();
    /* Not with fopen: in a session of its own the terminal would become the test's, and its end the test's SIGHUP. */
    terminal = fdopen(open(ptsname(main_fd), O_RDWR | O_NOCTTY), "r+");
    assert_non_null(terminal);
    assert_int_equal(ioctl(fileno(terminal), TIOCSWINSZ, &size), 0);
    o = rows_output_new(type, ROWS_TABLE, terminal, false);
    row_write(o, type, &(struct row){ 1, "čččččččččččččččččččččččččččččč" });
    row_write(o, type, &(struct row){ 2, "short" });
    rows_output_finish(o);
    while (strstr(text, "short") == NULL && used < sizeof(text) - 1) {
        ssize_t got = read(main_fd, text + used, sizeof(text) - 1 - used);

        assert_true(got > 0);
        used += (size_t)got;
        text[used] = '\0';
    }
    assert_non_null(strstr(text, "n    | t"));
    assert_non_null(strstr(text, "\r\n-----+-"));
    for (char *line = strtok(text, "\r\n"); line != NULL; line = strtok(NULL, "\r\n"))
        assert_true(mr_utf8_length(mr_str_of(line)) <= size.ws_col);
    fclose(terminal);
    close(main_fd);
    mr_arena_free(arena);
}

static void test_names(void **state)
{
    MR_UNUSED(state);
    assert_int_equal(rows_format_of("table"), ROWS_TABLE);
    assert_int_equal(rows_format_of("tsv"), ROWS_TSV);
    assert_int_equal(rows_format_of("json"), ROWS_JSON);
    rows_output_finish(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_terminal),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests_name("main rows_output", tests, NULL, NULL);
}

/* test_list_output.c -- lists as tables that fit, as JSON lines; cells, sizes, durations; the progress line. */
#include "base/text.h"
#include "main/list_output.h"
#include "main/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { OUTPUT_MAX = 64 * 1024 };

static const struct list_column columns[] = {
    { "name", NULL, false },
    { "count", "how many", true },
    { "inner.note", "note", false },
};

/* Adds the objects of JSON (an array) and gives what is printed to FILE; freed with free(). */
static char *printed(const char *json, bool lines, FILE *file)
{
    struct list_output *output = list_output_new(columns, MR_COUNT(columns), lines, file);
    json_t *rows = json_loads(json, 0, NULL);
    char *text = calloc(1, OUTPUT_MAX);
    const json_t *row;
    size_t i;

    assert_non_null(rows);
    assert_non_null(text);
    json_array_foreach(rows, i, row) list_output_add(output, json_incref((json_t *)row));
    assert_int_equal(list_output_finish(output), json_array_size(rows));
    json_decref(rows);
    return text;
}

/* What is no UTF-8 does not reach a terminal as it is, nor JSON. */
static void test_any_bytes(void **state)
{
    struct mr_writer out = { 0 };
    json_t *text = list_text("\xff\x9b[31mä");

    MR_UNUSED(state);
    list_cell_write(&out, text);
    list_json_write(&out, text);
    mr_write_u8(&out, 0);
    assert_string_equal((const char *)out.data, "\\xff\\x9b[31m\\xc3\\xa4\"\xef\xbf\xbd\xef\xbf\xbd[31mä\"");
    mr_writer_deinit(&out);
    json_decref(text);
    text = list_text(NULL);
    assert_true(json_is_null(text));
    json_decref(text);
}

static void test_lists(void **state)
{
    static const struct {
        const char *rows;
        bool json;
        const char *expect;
    } cases[] = {
        { "[]", false, "" },
        { "[{\"name\": \"a\", \"count\": 12345678901}, {\"name\": \"läng\", \"count\": 1, \"inner\": {\"note\": "
          "\"x\"}}]",
          false,
          "name     how many  note\n"
          "a     12345678901  -\n"
          "läng            1  x\n" },
        { "[{\"name\": \"a\\nb\\u001b[31m\", \"count\": null, \"inner\": {\"note\": [1, 0.1, true]}}]", false,
          "name          how many  note\n"
          "a\\nb\\x1b[31m         -  [1,0.1,true]\n" },
        { "[{\"name\": \"a\", \"b\": 0.1, \"c\": [null, {\"d\": \"\\u00e4\\n\"}]}, {\"name\": 3}]", true,
          "{\"name\":\"a\",\"b\":0.1,\"c\":[null,{\"d\":\"ä\\n\"}]}\n{\"name\":3}\n" },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        FILE *file = tmpfile();
        char *text = printed(cases[i].rows, cases[i].json, file);

        rewind(file);
        text[fread(text, 1, OUTPUT_MAX - 1, file)] = '\0';
        assert_string_equal(text, cases[i].expect);
        free(text);
        fclose(file);
    }
}

/* A terminal of WIDTH columns that does not change what is written; what it gets is read from *MASTER. */
static FILE *terminal_open(unsigned short width, int *master)
{
    struct winsize size = { .ws_row = 24, .ws_col = width };
    struct termios settings;
    int slave;

    *master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(*master >= 0);
    assert_int_equal(grantpt(*master), 0);
    assert_int_equal(unlockpt(*master), 0);
    slave = open(ptsname(*master), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0);
    assert_int_equal(ioctl(slave, TIOCSWINSZ, &size), 0);
    assert_int_equal(tcgetattr(slave, &settings), 0);
    settings.c_oflag &= ~(tcflag_t)OPOST;
    assert_int_equal(tcsetattr(slave, TCSANOW, &settings), 0);
    return fdopen(slave, "w");
}

static void test_fits_the_terminal(void **state)
{
    static const char rows[] = "[{\"name\": \"abcdefghijklmnopqrstuvwxyz\", \"count\": 1, \"inner\": {\"note\": "
                               "\"0123456789012345678901234567890123456789\"}}]";
    static const struct {
        unsigned short width;
        const char *expect;
    } cases[] = {
        { 100, "name                        how many  note\n"
               "abcdefghijklmnopqrstuvwxyz         1  0123456789012345678901234567890123456789\n" },
        { 40, "name            how many  note\n"
              "abcdefghijklm…         1  0123456789012…\n" },
        { 12, "-- row 1\n    name  abcdefghijklmnopqrstuvwxyz\nhow many  1\n"
              "    note  0123456789012345678901234567890123456789\n" },
    };

    MR_UNUSED(state);
    setenv("NO_COLOR", "1", 1);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        int master;
        FILE *file = terminal_open(cases[i].width, &master);
        char *text = printed(rows, false, file);

        for (size_t got = 0; got < strlen(cases[i].expect);)
            got += (size_t)read(master, text + got, OUTPUT_MAX - 1 - got);
        assert_string_equal(text, cases[i].expect);
        free(text);
        fclose(file);
        close(master);
    }
}

static void test_sizes_and_durations(void **state)
{
    static const struct {
        int64_t value;
        const char *size, *duration;
    } cases[] = {
        { 0, "0 B", "0 ms" },          { 1023, "1023 B", "1.0 s" },
        { 1536, "1.5 KiB", "1.5 s" },  { 119999, "117 KiB", "120.0 s" },
        { 7200000, "6.9 MiB", "2 h" }, { INT64_MAX, "8.0 EiB", "106751991167 d" },
    };
    char text[24];

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        assert_string_equal(list_size_text(text, cases[i].value), cases[i].size);
        assert_string_equal(list_duration_text(text, cases[i].value), cases[i].duration);
    }
    assert_string_equal(list_duration_text(text, -1), "-");
}

static void test_progress_line(void **state)
{
    struct progress p = { .what = "people", .unit = PROGRESS_RECORDS, .total = 1000 };
    char line[256];

    MR_UNUSED(state);
    progress_line(&p, 250, 1000, 79, line);
    assert_string_equal(line, "people [####...........]  25 %  250 of 1000  250/s  3.0 s left");
    progress_line(&p, 2000, 1000, 79, line); /* more than was expected */
    assert_non_null(strstr(line, "[###############] 100 %"));
    progress_line(&p, 250, 1000, 10, line);
    assert_string_equal(line, "people [##");
    p = (struct progress){ .what = "x", .unit = PROGRESS_BYTES };
    progress_line(&p, 2048, 2000, 79, line);
    assert_string_equal(line, "x  2.0 KiB  1.0 KiB/s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_fits_the_terminal),
        cmocka_unit_test(test_sizes_and_durations),
        cmocka_unit_test(test_progress_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_file.c -- the file source and sink, print and blackhole, and where the file connector may not go. */
#include "harness.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct run {
    char dir[128];
    struct connector_position positions[16];
    uint32_t position_count;
    struct mr_writer text;
    enum mr_status status;
    struct mr_err err;
};

static const char *run_file(struct run *run, const char *path)
{
    const struct connector_source_ops *ops = connectors_find("file")->source;
    struct harness_option options[] = { { "path", path }, { NULL, NULL } };
    struct connector_source *source = NULL;
    struct connector_context ctx;
    struct harness_table table;
    bool ended = false;

    harness_context_init(&ctx, run->dir);
    harness_table_init(&table, "file", NULL, options);
    run->text.size = 0;
    run->status = ops->open(&source, &table.table, &ctx, run->positions, run->position_count, &run->err);
    if (run->status == MR_OK) {
        run->status = harness_read(ops, source, UINT32_MAX, 10000, &run->text, run->positions, &run->position_count,
                                   &ended, &run->err);
        assert_true(ended || run->status != MR_OK);
    }
    ops->close(source);
    mr_write_u8(&run->text, '\0');
    return (const char *)run->text.data;
}

static void test_lines(void **state)
{
    static const struct {
        const char *content, *records;
    } cases[] = {
        { "", "" },
        { "\n\n", "" },
        { "{}\n", "0:0 {}\n" },
        { "{\"a\":1}\n{\"a\":2}\n", "0:0 {\"a\":1}\n0:8 {\"a\":2}\n" },
        { "a\r\n\r\nb", "0:0 a\n0:5 b\n" },
        { "\n\na\n\n", "0:2 a\n" },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct run run = { 0 };

        harness_dir_make(run.dir);
        harness_file_write(run.dir, "in.jsonl", cases[i].content);
        assert_string_equal(run_file(&run, "in.jsonl"), cases[i].records);
        assert_int_equal(run.status, MR_OK);
        harness_dir_remove(run.dir);
        mr_writer_deinit(&run.text);
    }
}

static void test_resume(void **state)
{
    struct run run = { 0 };
    struct connector_position after;

    MR_UNUSED(state);
    harness_dir_make(run.dir);
    harness_file_write(run.dir, "f", "one\n\ntwo\n\n");
    assert_string_equal(run_file(&run, "f"), "0:0 one\n0:5 two\n");
    after = run.positions[0];
    assert_int_equal(after.last, 5);

    assert_string_equal(run_file(&run, "f"), ""); /* nothing new */
    harness_file_write(run.dir, "f", "one\n\ntwo\n\nthree");
    assert_string_equal(run_file(&run, "f"), "0:10 three\n");

    run.positions[0] = after; /* another file of the same length */
    harness_file_write(run.dir, "f", "one\n\ntwX\n\nthree");
    run_file(&run, "f");
    assert_int_equal(run.status, MR_CORRUPT);
    harness_file_write(run.dir, "f", "one\n");
    run_file(&run, "f");
    assert_int_equal(run.status, MR_NOT_FOUND);
    assert_non_null(strstr(run.err.text, "6 bytes are missing"));
    harness_dir_remove(run.dir);
    mr_writer_deinit(&run.text);
}

static void test_paths(void **state)
{
    static const struct {
        const char *path;
        enum mr_status status;
    } cases[] = {
        { "ok", MR_OK },
        { "sub/ok", MR_OK },
        { "inside", MR_OK },
        { "../x", MR_DENIED },
        { "sub/../ok", MR_DENIED },
        { "/etc/passwd", MR_DENIED },
        { "outside", MR_DENIED },
        { "outdir/passwd", MR_DENIED },
        { "dangling", MR_DENIED },
        { "sub", MR_INVALID },
        { "sub/", MR_INVALID },
        { "none/ok", MR_NOT_FOUND },
        { "missing", MR_NOT_FOUND },
        { "pipe", MR_INVALID },
    };
    struct run run = { 0 };
    char path[256];

    MR_UNUSED(state);
    harness_dir_make(run.dir);
    snprintf(path, sizeof(path), "%s/sub", run.dir);
    assert_int_equal(mkdir(path, 0700), 0);
    harness_file_write(run.dir, "ok", "x\n");
    harness_file_write(run.dir, "sub/ok", "x\n");
    snprintf(path, sizeof(path), "%s/inside", run.dir);
    assert_int_equal(symlink("sub/ok", path), 0);
    snprintf(path, sizeof(path), "%s/outside", run.dir);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    snprintf(path, sizeof(path), "%s/outdir", run.dir);
    assert_int_equal(symlink("/etc", path), 0);
    snprintf(path, sizeof(path), "%s/dangling", run.dir);
    assert_int_equal(symlink("/nowhere/x", path), 0);
    snprintf(path, sizeof(path), "%s/pipe", run.dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        run.position_count = 0;
        run_file(&run, cases[i].path);
        if (run.status != cases[i].status)
            fail_msg("%s: %s (%s)", cases[i].path, mr_status_text(run.status), run.err.text);
    }
    snprintf(path, sizeof(path), "%s/ok", run.dir);
    run.position_count = 0;
    run_file(&run, path); /* absolute, but inside */
    assert_int_equal(run.status, MR_OK);
    harness_dir_remove(run.dir);
    mr_writer_deinit(&run.text);
}

static struct data_batch *batch_make(const struct data_type *row)
{
    struct data_batch *batch = data_batch_new(row);

    data_append_str(batch->columns[0], MR_STR("Ada"));
    data_append_i32(batch->columns[1], 36);
    data_append_str(batch->columns[0], MR_STR("Zo\xc3\xab"));
    data_append_null(batch->columns[1]);
    batch->row_count = 2;
    return batch;
}

/* Writes the batch of two rows through a sink. */
static void sink_run(const char *connector, const struct connector_context *ctx, const struct harness_option *options)
{
    static const uint32_t record[] = { 0, 1 };
    static const int64_t times[] = { 1, 2 };
    const struct connector_sink_ops *ops = connectors_find(connector)->sink;
    struct mr_arena *arena = mr_arena_new();
    const struct data_type *row = harness_row(arena, "name STRING, age INT");
    struct data_batch *batch = batch_make(row);
    struct connector_sink *sink = NULL;
    struct mr_err err = MR_ERR_INIT;
    struct harness_table table;

    harness_table_init(&table, connector, row, options);
    assert_int_equal(ops->open(&sink, &table.table, ctx, NULL, NULL, &err), MR_OK);
    assert_int_equal(ops->write(sink, batch, record, times, &err), MR_OK);
    assert_int_equal(ops->flush(sink, &err), MR_OK);
    ops->close(sink);
    data_batch_unref(batch);
    mr_arena_free(arena);
}

static void file_expect(const char *path, const char *content)
{
    struct mr_writer text = { 0 };
    struct mr_err err = MR_ERR_INIT;

    assert_int_equal(mr_file_read_all(mr_env_real(), path, 1 << 20, &text, &err), MR_OK);
    mr_write_u8(&text, '\0');
    assert_string_equal((const char *)text.data, content);
    mr_writer_deinit(&text);
}

static void test_file_sink(void **state)
{
    static const struct harness_option options[] = { { "path", "out.jsonl" }, { NULL, NULL } };
    struct connector_context ctx;
    char dir[128], path[256];

    MR_UNUSED(state);
    harness_dir_make(dir);
    harness_context_init(&ctx, dir);
    snprintf(path, sizeof(path), "%s/out.jsonl", dir);
    sink_run("file", &ctx, options);
    file_expect(path, "{\"name\":\"Ada\",\"age\":36}\n{\"name\":\"Zo\xc3\xab\",\"age\":null}\n");
    harness_file_write(dir, "out.jsonl", "{\"na"); /* cut by a crash */
    sink_run("file", &ctx, options);
    file_expect(path, "{\"na\n{\"name\":\"Ada\",\"age\":36}\n{\"name\":\"Zo\xc3\xab\",\"age\":null}\n");
    harness_dir_remove(dir);
}

static void test_print(void **state)
{
    static const struct harness_option none[] = { { NULL, NULL } };
    static const struct harness_option named[] = { { "print-identifier", "out" }, { NULL, NULL } };
    struct connector_context ctx;
    char dir[128], path[256];
    int kept, fd;

    MR_UNUSED(state);
    harness_dir_make(dir);
    harness_context_init(&ctx, dir);
    snprintf(path, sizeof(path), "%s/stdout", dir);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    fflush(stdout);
    kept = dup(STDOUT_FILENO);
    dup2(fd, STDOUT_FILENO);
    sink_run("print", &ctx, none);
    sink_run("print", &ctx, named);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    close(fd);
    file_expect(path, "+I[Ada, 36]\n+I[Zo\xc3\xab, null]\nout> +I[Ada, 36]\nout> +I[Zo\xc3\xab, null]\n");
    sink_run("blackhole", &ctx, none);
    harness_dir_remove(dir);
}

/* Every connector's table of options is whole, and the list is sorted. */
static void test_tables(void **state)
{
    const struct connector *const *all = connectors_all();

    MR_UNUSED(state);
    assert_null(connectors_find("nothing"));
    for (size_t i = 0; all[i] != NULL; i++) {
        assert_ptr_equal(connectors_find(all[i]->name), all[i]);
        assert_true(all[i]->source != NULL || all[i]->sink != NULL);
        assert_true(all[i]->help[strlen(all[i]->help) - 1] == '.');
        if (i > 0)
            assert_true(strcmp(all[i - 1]->name, all[i]->name) < 0);
        for (const struct connector_option *o = all[i]->options; o->name != NULL; o++) {
            assert_true(o->help != NULL && o->help[strlen(o->help) - 1] == '.');
            assert_false(o->required && o->default_value != NULL);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),     cmocka_unit_test(test_resume), cmocka_unit_test(test_paths),
        cmocka_unit_test(test_file_sink), cmocka_unit_test(test_print),  cmocka_unit_test(test_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

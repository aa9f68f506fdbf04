/* test_server_file.c -- how commands find a running server: written, read, of a process that has ended, damaged. */
#include "main/server_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char base[64];

static int folder_make(void **state)
{
    MR_UNUSED(state);
    snprintf(base, sizeof(base), "/tmp/millrace-test-XXXXXX");
    return mkdtemp(base) == NULL;
}

static int folder_remove(void **state)
{
    MR_UNUSED(state);
    return mr_remove_tree(mr_env_real(), base, NULL) != MR_OK;
}

static struct server_file example(void)
{
    struct server_file s = { .pid = getpid(),
                             .kafka = "127.0.0.1:9092",
                             .http = "[::1]:8080",
                             .project = "/a \"b\"/č\n",
                             .token = "0123456789abcdef0123456789abcdef" };

    snprintf(s.data_dir, sizeof(s.data_dir), "%s", base);
    return s;
}

static void test_written_and_read(void **state)
{
    struct server_file s = example(), got;
    char path[MR_PATH_BYTES];
    struct stat st;

    MR_UNUSED(state);
    assert_int_equal(server_file_write(&s, NULL), MR_OK);
    assert_int_equal(mr_path_join(path, base, "server.json", NULL), MR_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    memset(&got, 'x', sizeof(got));
    assert_int_equal(server_file_read(base, &got, NULL), MR_OK);
    assert_int_equal(got.pid, s.pid);
    assert_string_equal(got.kafka, s.kafka);
    assert_string_equal(got.cql, "");
    assert_string_equal(got.http, s.http);
    assert_string_equal(got.data_dir, s.data_dir);
    assert_string_equal(got.project, s.project);
    assert_string_equal(got.token, s.token);
    server_file_remove(base);
    assert_int_equal(stat(path, &st), -1);
    assert_int_equal(server_file_read(base, &got, NULL), MR_NOT_FOUND);
    server_file_remove(base); /* twice is no harm */
}

/* The line for --ready-fd: one line, no token, only what runs. */
static void test_line(void **state)
{
    struct server_file s = { .pid = 7, .kafka = "h:1", .data_dir = "/d", .project = "/p\n", .token = "secret" };
    struct mr_writer line = { 0 };

    MR_UNUSED(state);
    server_file_line(&s, &line);
    mr_write_u8(&line, '\0');
    assert_string_equal((char *)line.data, "{\"pid\":7,\"kafka\":\"h:1\",\"data_dir\":\"/d\",\"project\":\"/p\\n\"}\n");
    mr_writer_deinit(&line);
}

static void test_ended_process(void **state)
{
    struct server_file s = example(), got = { .pid = -5 };
    struct mr_err err = MR_ERR_INIT;
    pid_t child = fork();

    MR_UNUSED(state);
    if (child == 0)
        _exit(0);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    s.pid = child;
    assert_int_equal(server_file_write(&s, NULL), MR_OK);
    assert_int_equal(server_file_read(base, &got, &err), MR_NOT_FOUND);
    assert_non_null(strstr(err.text, "has ended"));
    assert_int_equal(got.pid, -5);
}

static void test_damaged(void **state)
{
    static const struct {
        const char *text;
        enum mr_status status;
    } cases[] = {
        { "", MR_NOT_FOUND },
        { "{", MR_NOT_FOUND },
        { "[]", MR_NOT_FOUND },
        { "null", MR_NOT_FOUND },
        { "{}", MR_NOT_FOUND },
        { "{\"pid\":0}", MR_NOT_FOUND },
        { "{\"pid\":-1}", MR_NOT_FOUND },
        { "{\"pid\":\"1\"}", MR_NOT_FOUND },
        { "{\"pid\":1,\"kafka\":5}", MR_OK },
    };
    char path[MR_PATH_BYTES];

    MR_UNUSED(state);
    assert_int_equal(mr_path_join(path, base, "server.json", NULL), MR_OK);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct mr_bytes bytes = mr_bytes_of_str(mr_str_of(cases[i].text));
        struct server_file got = { .pid = -5 };
        struct mr_err err = MR_ERR_INIT;

        assert_int_equal(mr_file_replace(mr_env_real(), path, bytes, NULL), MR_OK);
        if (server_file_read(base, &got, &err) != cases[i].status)
            fail_msg("%s: %s", cases[i].text, err.text);
        if (cases[i].status == MR_OK)
            assert_string_equal(got.kafka, "");
        else
            assert_int_equal(got.pid, -5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_written_and_read, folder_make, folder_remove),
        cmocka_unit_test(test_line),
        cmocka_unit_test_setup_teardown(test_ended_process, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(test_damaged, folder_make, folder_remove),
    };

    return cmocka_run_group_tests_name("main server_file", tests, NULL, NULL);
}

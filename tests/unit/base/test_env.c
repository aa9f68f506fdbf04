/* test_env.c -- whole files, replacement and trees on the real file system; workers. */
#include "base/env.h"
#include "base/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int make_dir(void **state)
{
    char *dir = mr_strdup("/tmp/millrace-env-XXXXXX");

    *state = mkdtemp(dir);
    return *state == NULL;
}

static int remove_dir(void **state)
{
    int failed = mr_remove_tree(mr_env_real(), *state, NULL) != MR_OK;

    mr_free(*state);
    return failed;
}

static void test_replace_and_read(void **state)
{
    struct mr_env *env = mr_env_real();
    struct mr_err err = MR_ERR_INIT;
    struct mr_writer got = { 0 };
    char path[MR_PATH_BYTES];

    assert_int_equal(mr_path_join(path, *state, "a/b", &err), MR_OK);
    assert_int_equal(mr_mkdirs(env, path, &err), MR_OK);
    assert_int_equal(mr_mkdirs(env, path, &err), MR_OK);
    assert_int_equal(mr_path_join(path, *state, "a/b/file", &err), MR_OK);
    assert_int_equal(mr_file_read_all(env, path, 100, &got, &err), MR_NOT_FOUND);
    for (int i = 0; i < 3; i++) {
        char text[16];

        snprintf(text, sizeof(text), "content %d", i);
        assert_int_equal(mr_file_replace(env, path, mr_bytes_of_str(mr_str_of(text)), &err), MR_OK);
        got.size = 0;
        assert_int_equal(mr_file_read_all(env, path, 100, &got, &err), MR_OK);
        assert_int_equal(got.size, strlen(text));
        assert_memory_equal(got.data, text, got.size);
    }
    assert_int_equal(mr_file_read_all(env, path, 3, &got, &err), MR_LIMIT);
    mr_writer_deinit(&got);
}

static void count_job(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
}

static void test_workers_run_every_job(void **state)
{
    struct mr_workers *workers = mr_workers_new("test", 3);
    atomic_int count = 0;
    MR_UNUSED(state);

    for (int i = 0; i < 1000; i++)
        mr_workers_submit(workers, count_job, &count);
    mr_workers_free(workers);
    assert_int_equal(atomic_load(&count), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_replace_and_read, make_dir, remove_dir),
        cmocka_unit_test(test_workers_run_every_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

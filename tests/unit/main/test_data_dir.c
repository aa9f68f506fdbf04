/* test_data_dir.c -- where the data directory is, who has it, which format it is of. */
#include "main/data_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

static void path_of(char out[MR_PATH_BYTES], const char *name)
{
    assert_int_equal(mr_path_join(out, base, name, NULL), MR_OK);
}

static void file_write(const char *name, const char *text)
{
    char path[MR_PATH_BYTES];

    path_of(path, name);
    assert_int_equal(mr_file_replace(mr_env_real(), path, mr_bytes_of_str(mr_str_of(text)), NULL), MR_OK);
}

static void test_resolve(void **state)
{
    static const struct {
        const char *named, *project, *xdg, *home, *expect;
    } cases[] = {
        { "/a", "/p", "/x", "/h", "/a" },
        { "a/b", NULL, NULL, NULL, "a/b" },
        { NULL, "/p", "/x", "/h", "/p/.millrace" },
        { NULL, NULL, "/x", "/h", "/x/millrace" },
        { NULL, NULL, NULL, "/h", "/h/.local/share/millrace" },
        { NULL, NULL, "relative", "/h", "/h/.local/share/millrace" },
        { NULL, NULL, NULL, NULL, NULL },
        { NULL, NULL, "relative", "relative", NULL },
        { "", NULL, NULL, NULL, NULL },
    };
    const char *home = getenv("HOME"), *xdg = getenv("XDG_DATA_HOME");
    char *home_kept = home != NULL ? mr_strdup(home) : NULL, *xdg_kept = xdg != NULL ? mr_strdup(xdg) : NULL;
    char out[MR_PATH_BYTES], deep[MR_PATH_BYTES + 1];

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct mr_err err = MR_ERR_INIT;
        enum mr_status status;

        unsetenv("XDG_DATA_HOME");
        unsetenv("HOME");
        if (cases[i].xdg != NULL)
            setenv("XDG_DATA_HOME", cases[i].xdg, 1);
        if (cases[i].home != NULL)
            setenv("HOME", cases[i].home, 1);
        status = data_dir_resolve(cases[i].named, cases[i].project, out, &err);
        assert_int_equal(status, cases[i].expect != NULL ? MR_OK : MR_INVALID);
        if (cases[i].expect != NULL)
            assert_string_equal(out, cases[i].expect);
        else
            assert_true(err.text[0] != '\0');
    }
    memset(deep, 'a', sizeof(deep) - 1);
    deep[sizeof(deep) - 1] = '\0';
    assert_int_equal(data_dir_resolve(deep, NULL, out, NULL), MR_INVALID);
    deep[MR_PATH_BYTES - 1] = '\0';
    assert_int_equal(data_dir_resolve(deep, NULL, out, NULL), MR_OK);
    if (home_kept != NULL)
        setenv("HOME", home_kept, 1);
    if (xdg_kept != NULL)
        setenv("XDG_DATA_HOME", xdg_kept, 1);
    mr_free(home_kept);
    mr_free(xdg_kept);
}

static void test_lock(void **state)
{
    struct data_dir first, second;
    struct mr_err err = MR_ERR_INIT;
    char path[MR_PATH_BYTES], pid[32];
    struct stat st;

    MR_UNUSED(state);
    path_of(path, "deep/er/data");
    assert_int_equal(data_dir_open(&first, path, &err), MR_OK);
    assert_true(first.lock_fd >= 0);
    assert_false(first.ephemeral);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(data_dir_open(&second, path, &err), MR_BUSY);
    snprintf(pid, sizeof(pid), "process %d;", (int)getpid());
    assert_non_null(strstr(err.text, pid));
    assert_int_equal(second.lock_fd, -1);
    data_dir_close(&first);
    assert_int_equal(first.lock_fd, -1);
    assert_int_equal(data_dir_open(&second, path, &err), MR_OK);
    data_dir_close(&second);
    assert_int_equal(stat(path, &st), 0);
}

/* Others' permissions are taken away from a directory that was there. */
static void test_mode(void **state)
{
    struct data_dir dir;
    char path[MR_PATH_BYTES];
    struct stat st;

    MR_UNUSED(state);
    path_of(path, "open");
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(data_dir_open(&dir, path, NULL), MR_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    data_dir_close(&dir);
}

static void test_format(void **state)
{
    static const struct {
        const char *text; /* of DIR/format; NULL: there is none */
        enum mr_status status;
        const char *says;
    } cases[] = {
        { NULL, MR_OK, "" },
        { "millrace 1\n", MR_OK, "" },
        { "millrace 1", MR_OK, "" },
        { "millrace 2\n", MR_UNSUPPORTED, "has format 2, this millrace knows up to 1" },
        { "millrace 99999999999999999999\n", MR_UNSUPPORTED, "does not name a format" },
        { "millrace \n", MR_UNSUPPORTED, "does not name a format" },
        { "millrace x\n", MR_UNSUPPORTED, "does not name a format" },
        { "", MR_UNSUPPORTED, "does not name a format" },
        { "something else\n", MR_UNSUPPORTED, "does not name a format" },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct mr_err err = MR_ERR_INIT;
        struct mr_writer text = { 0 };
        struct data_dir dir;
        char path[MR_PATH_BYTES], name[64];

        snprintf(name, sizeof(name), "format%zu", i);
        path_of(path, name);
        assert_int_equal(mkdir(path, 0700), 0);
        snprintf(name, sizeof(name), "format%zu/format", i);
        if (cases[i].text != NULL)
            file_write(name, cases[i].text);
        if (data_dir_open(&dir, path, &err) != cases[i].status || strstr(err.text, cases[i].says) == NULL)
            fail_msg("case %zu: %s", i, err.text);
        if (cases[i].status != MR_OK) {
            assert_int_equal(dir.lock_fd, -1); /* and is free again */
            assert_int_equal(data_dir_open(&dir, path, NULL), cases[i].status);
        }
        data_dir_close(&dir);
        if (cases[i].text != NULL)
            continue;
        path_of(path, name);
        assert_int_equal(mr_file_read_all(mr_env_real(), path, 64, &text, NULL), MR_OK);
        assert_true(mr_str_equal(mr_str_of_bytes(mr_writer_bytes(&text)), MR_STR("millrace 1\n")));
        mr_writer_deinit(&text);
    }
}

static void test_file_in_the_way(void **state)
{
    static const char *const paths[] = { "file", "file/data" };

    MR_UNUSED(state);
    file_write("file", "x");
    for (size_t i = 0; i < MR_COUNT(paths); i++) {
        struct mr_err err = MR_ERR_INIT;
        struct data_dir dir;
        char path[MR_PATH_BYTES];

        path_of(path, paths[i]);
        assert_int_equal(data_dir_open(&dir, path, &err), MR_IO);
        assert_non_null(strstr(err.text, "the data directory"));
        assert_non_null(strstr(err.text, "file"));
        assert_int_equal(dir.lock_fd, -1);
    }
}

static void test_temporary(void **state)
{
    struct data_dir dir;
    char path[MR_PATH_BYTES];
    struct stat st;

    MR_UNUSED(state);
    assert_int_equal(data_dir_open(&dir, NULL, NULL), MR_OK);
    assert_true(dir.ephemeral);
    snprintf(path, sizeof(path), "%s", dir.path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    data_dir_close(&dir);
    assert_int_equal(stat(path, &st), -1);
}

static void test_cluster_id(void **state)
{
    char path[MR_PATH_BYTES], first[DATA_DIR_CLUSTER_BYTES], again[DATA_DIR_CLUSTER_BYTES];

    MR_UNUSED(state);
    path_of(path, "cluster");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(data_dir_cluster_id(path, first, NULL), MR_OK);
    assert_int_equal(strlen(first), DATA_DIR_CLUSTER_BYTES - 1);
    assert_int_equal(data_dir_cluster_id(path, again, NULL), MR_OK);
    assert_string_equal(first, again);
    file_write("cluster/cluster", "short");
    assert_int_equal(data_dir_cluster_id(path, again, NULL), MR_OK);
    assert_int_equal(strlen(again), DATA_DIR_CLUSTER_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resolve),
        cmocka_unit_test_setup_teardown(test_lock, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(test_mode, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(test_format, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(test_file_in_the_way, folder_make, folder_remove),
        cmocka_unit_test(test_temporary),
        cmocka_unit_test_setup_teardown(test_cluster_id, folder_make, folder_remove),
    };

    return cmocka_run_group_tests_name("main data_dir", tests, NULL, NULL);
}

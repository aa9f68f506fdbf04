/* test_project.c -- what `millrace run` is given: a folder, a file, or neither. */
#include "main/project.h"

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

static void file_write(const char *name, const char *text)
{
    char path[MR_PATH_BYTES];

    assert_int_equal(mr_path_join(path, base, name, NULL), MR_OK);
    assert_int_equal(mr_file_replace(mr_env_real(), path, mr_bytes_of_str(mr_str_of(text)), NULL), MR_OK);
}

static int folder_make(void **state)
{
    static const char *const folders[] = { "full", "full/pipelines", "full/pipelines/dir.sql",
                                           "none", "empty",          "empty/pipelines" };
    char path[MR_PATH_BYTES];

    MR_UNUSED(state);
    snprintf(base, sizeof(base), "/tmp/millrace-test-XXXXXX");
    if (mkdtemp(base) == NULL)
        return 1;
    for (size_t i = 0; i < MR_COUNT(folders); i++) {
        snprintf(path, sizeof(path), "%s/%s", base, folders[i]);
        if (mkdir(path, 0700) != 0)
            return 1;
    }
    file_write("full/pipelines/b.sql", "B;");
    file_write("full/pipelines/a.sql", "");
    file_write("full/pipelines/A.sql", "čA;");
    file_write("full/pipelines/.hidden.sql", "no");
    file_write("full/pipelines/.sql", "no");
    file_write("full/pipelines/notes.txt", "no");
    file_write("full/pipelines/c.sql.bak", "no");
    file_write("full/one.two.sql", "ONE;");
    file_write("full/millrace.yaml", "");
    return 0;
}

static int folder_remove(void **state)
{
    MR_UNUSED(state);
    return mr_remove_tree(mr_env_real(), base, NULL) != MR_OK;
}

static void test_targets(void **state)
{
    static const struct {
        const char *target; /* below the test's folder */
        enum mr_status status;
        const char *files; /* "stem=text " of each */
        const char *dir;   /* the project's, below the test's folder */
        const char *says;
    } cases[] = {
        { "full", MR_OK, "A=čA; a= b=B; ", "full", "" },
        { "full/", MR_OK, "A=čA; a= b=B; ", "full", "" },
        { "none/../full", MR_OK, "A=čA; a= b=B; ", "full", "" },
        { "none", MR_OK, "", "none", "" },
        { "empty", MR_OK, "", "empty", "" },
        { "full/one.two.sql", MR_OK, "one.two=ONE; ", "full", "" },
        { "full/pipelines/b.sql", MR_OK, "b=B; ", "full/pipelines", "" },
        { "full/pipelines/dir.sql", MR_OK, "", "full/pipelines/dir.sql", "" },
        { "full/millrace.yaml", MR_INVALID, "", "", "is neither a project folder nor a .sql file" },
        { "gone", MR_NOT_FOUND, "", "", "there is no file or folder" },
        { "gone/one.sql", MR_NOT_FOUND, "", "", "there is no file or folder" },
        { "full/one.two.sql/x.sql", MR_NOT_FOUND, "", "", "there is no file or folder" },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct mr_err err = MR_ERR_INIT;
        struct mr_writer files = { 0 };
        struct project *project = NULL;
        char target[MR_PATH_BYTES], dir[MR_PATH_BYTES];

        snprintf(target, sizeof(target), "%s/%s", base, cases[i].target);
        snprintf(dir, sizeof(dir), "%s/%s", base, cases[i].dir);
        if (project_read(&project, target, &err) != cases[i].status || strstr(err.text, cases[i].says) == NULL)
            fail_msg("%s: %s", cases[i].target, err.text);
        if (cases[i].status != MR_OK) {
            assert_null(project);
            continue;
        }
        assert_string_equal(project->dir, dir);
        for (size_t f = 0; f < project->file_count; f++) {
            const struct project_file *file = &project->files[f];

            mr_write_text(&files, "%s=%.*s ", file->stem, (int)file->text.size, (const char *)file->text.data);
            assert_memory_equal(file->path, base, strlen(base));
        }
        mr_write_u8(&files, '\0');
        assert_string_equal((char *)files.data, cases[i].files);
        mr_writer_deinit(&files);
        project_free(project);
    }
    project_free(NULL);
}

static void test_limits(void **state)
{
    struct project *project = NULL;
    char target[MR_PATH_BYTES];
    struct mr_err err = MR_ERR_INIT;

    MR_UNUSED(state);
    file_write("full/big.sql", "");
    snprintf(target, sizeof(target), "%s/full/big.sql", base);
    assert_int_equal(truncate(target, PROJECT_FILE_BYTES_MAX), 0);
    assert_int_equal(project_read(&project, target, &err), MR_OK);
    assert_int_equal(project->files[0].text.size, PROJECT_FILE_BYTES_MAX);
    project_free(project);
    project = NULL;
    assert_int_equal(truncate(target, PROJECT_FILE_BYTES_MAX + 1), 0);
    assert_int_equal(project_read(&project, target, &err), MR_LIMIT);
    assert_null(project);
}

/* A file named without a folder lies in the current one. */
static void test_current_folder(void **state)
{
    struct project *project = NULL;
    char here[MR_PATH_BYTES], full[MR_PATH_BYTES];

    MR_UNUSED(state);
    snprintf(full, sizeof(full), "%s/full", base);
    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(chdir(full), 0);
    assert_int_equal(project_read(&project, "one.two.sql", NULL), MR_OK);
    assert_string_equal(project->dir, full);
    assert_string_equal(project->files[0].path, "one.two.sql");
    project_free(project);
    assert_int_equal(chdir(here), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_current_folder),
    };

    return cmocka_run_group_tests_name("main project", tests, folder_make, folder_remove);
}

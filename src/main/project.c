/* project.c -- see project.h. */
#include "main/project.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Is PATH that of a file called "SOMETHING ENDING", not hidden? */
static bool has_ending(const char *path, const char *ending)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t length = strlen(name), size = strlen(ending);

    return length > size && strcmp(name + length - size, ending) == 0 && name[0] != '.';
}

static bool is_sql(const char *path)
{
    return has_ending(path, ".sql");
}

static bool is_yaml(const char *path)
{
    return has_ending(path, ".yaml") || has_ending(path, ".yml");
}

static char *stem_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *stem = mr_strdup(slash ? slash + 1 : path);

    *strrchr(stem, '.') = '\0';
    return stem;
}

static enum mr_status project_add(struct project *p, const char *path, bool dag, struct mr_err *err)
{
    struct project_file **files = dag ? &p->dags : &p->files;
    size_t *count = dag ? &p->dag_count : &p->file_count;
    struct project_file file = { 0 };
    enum mr_status status = mr_file_read_all(mr_env_real(), path, PROJECT_FILE_BYTES_MAX, &file.text, err);

    if (status != MR_OK) {
        mr_writer_deinit(&file.text);
        return status;
    }
    file.path = mr_strdup(path);
    file.stem = stem_of(path);
    *files = mr_realloc(*files, (*count + 1) * sizeof(**files));
    (*files)[(*count)++] = file;
    return MR_OK;
}

struct names {
    char **names; /* owned, each too */
    size_t count;
    bool dags;
};

static void names_add(void *arg, const char *name, bool is_dir)
{
    struct names *list = arg;

    if (is_dir || !(list->dags ? is_yaml(name) : is_sql(name)) || list->count >= PROJECT_FILES_MAX)
        return;
    list->names = mr_realloc(list->names, (list->count + 1) * sizeof(*list->names));
    list->names[list->count++] = mr_strdup(name);
}

static int names_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The files of TARGET/pipelines, or of TARGET/dags. */
static enum mr_status project_add_folder(struct project *p, const char *target, bool dags, struct mr_err *err)
{
    struct names list = { .dags = dags };
    char folder[MR_PATH_BYTES];
    enum mr_status status = mr_path_join(folder, target, dags ? "dags" : "pipelines", err);

    if (status == MR_OK)
        status = mr_list_dir(mr_env_real(), folder, names_add, &list, err);

    if (status == MR_NOT_FOUND)
        return MR_OK;
    if (list.count > 0)
        qsort(list.names, list.count, sizeof(*list.names), names_order);
    for (size_t i = 0; i < list.count; i++) {
        char path[MR_PATH_BYTES];

        if (status == MR_OK)
            status = mr_path_join(path, folder, list.names[i], err);
        if (status == MR_OK)
            status = project_add(p, path, dags, err);
        mr_free(list.names[i]);
    }
    mr_free(list.names);
    return status;
}

static enum mr_status project_set_dir(struct project *p, const char *dir, struct mr_err *err)
{
    char absolute[MR_PATH_BYTES];

    if (strlen(dir) >= MR_PATH_BYTES || realpath(dir, absolute) == NULL)
        return mr_err_set(err, MR_NOT_FOUND, "the folder %s can't be found", dir);
    snprintf(p->dir, sizeof(p->dir), "%s", absolute);
    return MR_OK;
}

static enum mr_status project_fill(struct project *p, const char *target, struct mr_err *err)
{
    char path[MR_PATH_BYTES];
    struct stat st;
    enum mr_status status;

    if (stat(target, &st) != 0)
        return mr_err_set(err, MR_NOT_FOUND, "there is no file or folder %s", target);
    if (S_ISDIR(st.st_mode)) {
        status = project_set_dir(p, target, err);
        if (status == MR_OK)
            status = project_add_folder(p, target, false, err);
        return status == MR_OK ? project_add_folder(p, target, true, err) : status;
    }
    if (!is_sql(target))
        return mr_err_set(err, MR_INVALID, "%s is neither a project folder nor a .sql file", target);
    if (snprintf(path, sizeof(path), "%s", target) >= (int)sizeof(path))
        return mr_err_set(err, MR_LIMIT, "the path %s is too long", target);
    if (strrchr(path, '/') != NULL)
        *(strrchr(path, '/') + 1) = '\0';
    else
        snprintf(path, sizeof(path), ".");
    status = project_set_dir(p, path, err);
    return status == MR_OK ? project_add(p, target, false, err) : status;
}

enum mr_status project_read(struct project **out, const char *target, struct mr_err *err)
{
    struct project *p = MR_NEW(struct project);
    enum mr_status status = project_fill(p, target, err);

    if (status != MR_OK) {
        project_free(p);
        return status;
    }
    *out = p;
    return MR_OK;
}

static void files_free(struct project_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        mr_free(files[i].path);
        mr_free(files[i].stem);
        mr_writer_deinit(&files[i].text);
    }
    mr_free(files);
}

void project_free(struct project *project)
{
    if (project == NULL)
        return;
    files_free(project->files, project->file_count);
    files_free(project->dags, project->dag_count);
    mr_free(project);
}

enum mr_status project_file_read(const char *dir, const char *path, struct mr_writer *out, struct mr_err *err)
{
    char joined[MR_PATH_BYTES], absolute[PATH_MAX];
    size_t size = strlen(dir);
    enum mr_status status = path[0] != '/' ? mr_path_join(joined, dir, path, err)
                                           : mr_err_set(err, MR_DENIED, "%s: a path below the project is wanted", path);

    if (status != MR_OK)
        return status;
    if (realpath(joined, absolute) == NULL)
        return mr_err_set(err, MR_NOT_FOUND, "there is no file %s", joined);
    if (strncmp(absolute, dir, size) != 0 || absolute[size] != '/')
        return mr_err_set(err, MR_DENIED, "%s leads out of the project's folder", path);
    return mr_file_read_all(mr_env_real(), absolute, PROJECT_FILE_BYTES_MAX, out, err);
}

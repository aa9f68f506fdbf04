/* project.c -- see project.h. */
#include "main/project.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_sql(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t length = strlen(name);

    return length > 4 && strcmp(name + length - 4, ".sql") == 0 && name[0] != '.';
}

static char *stem_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *stem = mr_strdup(slash ? slash + 1 : path);

    stem[strlen(stem) - 4] = '\0';
    return stem;
}

static enum mr_status project_add(struct project *p, const char *path, struct mr_err *err)
{
    struct project_file file = { 0 };
    enum mr_status status = mr_file_read_all(mr_env_real(), path, PROJECT_FILE_BYTES_MAX, &file.text, err);

    if (status != MR_OK) {
        mr_writer_deinit(&file.text);
        return status;
    }
    file.path = mr_strdup(path);
    file.stem = stem_of(path);
    p->files = mr_realloc(p->files, (p->file_count + 1) * sizeof(*p->files));
    p->files[p->file_count++] = file;
    return MR_OK;
}

struct names {
    char **names; /* owned, each too */
    size_t count;
};

static void names_add(void *arg, const char *name, bool is_dir)
{
    struct names *list = arg;

    if (is_dir || !is_sql(name) || list->count >= PROJECT_FILES_MAX)
        return;
    list->names = mr_realloc(list->names, (list->count + 1) * sizeof(*list->names));
    list->names[list->count++] = mr_strdup(name);
}

static int names_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum mr_status project_add_folder(struct project *p, const char *folder, struct mr_err *err)
{
    struct names list = { 0 };
    enum mr_status status = mr_list_dir(mr_env_real(), folder, names_add, &list, err);

    if (status == MR_NOT_FOUND)
        return MR_OK;
    if (list.count > 0)
        qsort(list.names, list.count, sizeof(*list.names), names_order);
    for (size_t i = 0; i < list.count; i++) {
        char path[MR_PATH_BYTES];

        if (status == MR_OK)
            status = mr_path_join(path, folder, list.names[i], err);
        if (status == MR_OK)
            status = project_add(p, path, err);
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
            status = mr_path_join(path, target, "pipelines", err);
        return status == MR_OK ? project_add_folder(p, path, err) : status;
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
    return status == MR_OK ? project_add(p, target, err) : status;
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

void project_free(struct project *project)
{
    if (project == NULL)
        return;
    for (size_t i = 0; i < project->file_count; i++) {
        mr_free(project->files[i].path);
        mr_free(project->files[i].stem);
        mr_writer_deinit(&project->files[i].text);
    }
    mr_free(project->files);
    mr_free(project);
}

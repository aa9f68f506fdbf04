/* file_path.c -- which file the file connector may touch: only those inside the project's folder.
 *
 * The path is checked as text (no "..") and, once its folder exists, by where symbolic links lead. */
#include "connectors/file_int.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool path_has_dotdot(const char *path)
{
    for (const char *part = path; part != NULL; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
            return true;
    }
    return false;
}

static bool path_inside(const char *folder, const char *path)
{
    size_t size = strlen(folder);

    if (strcmp(folder, "/") == 0)
        return true;
    return strncmp(folder, path, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

/* Where PATH's folder really is, with PATH's last part behind it. */
static enum mr_status path_resolve(char out[MR_PATH_BYTES], const char *path, struct mr_err *err)
{
    char folder[MR_PATH_BYTES], real[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t folder_size = slash == path ? 1 : (size_t)(slash - path);

    memcpy(folder, path, folder_size);
    folder[folder_size] = '\0';
    if (slash[1] == '\0' || strcmp(slash, "/.") == 0)
        return mr_err_set(err, MR_INVALID, "'%s' names a folder, not a file", path);
    if (realpath(folder, real) == NULL)
        return mr_err_set_errno(err, errno == ENOENT ? MR_NOT_FOUND : MR_IO, errno, "folder '%s'", folder);
    if ((size_t)snprintf(out, MR_PATH_BYTES, "%s%s", strcmp(real, "/") == 0 ? "" : real, slash) >= MR_PATH_BYTES)
        return mr_err_set(err, MR_LIMIT, "path '%s' is too long", path);
    return MR_OK;
}

enum mr_status file_path_check(char out[MR_PATH_BYTES], const struct connector_table *table,
                               const struct connector_context *ctx, struct mr_err *err)
{
    const char *path = connector_option_text(table, "path");
    char project[PATH_MAX], joined[MR_PATH_BYTES], resolved[MR_PATH_BYTES], target[PATH_MAX];
    struct stat info;
    enum mr_status status;

    if (path == NULL)
        return mr_err_set(err, MR_INVALID, "option 'path' is missing");
    if (path_has_dotdot(path))
        return mr_err_set(err, MR_DENIED, "option 'path' = '%s' may not contain '..'", path);
    if (realpath(ctx->project_dir != NULL ? ctx->project_dir : ".", project) == NULL)
        return mr_err_set_errno(err, MR_IO, errno, "project folder '%s'", ctx->project_dir);
    if (path[0] == '/' && strlen(path) < sizeof(joined))
        strcpy(joined, path);
    else if ((size_t)snprintf(joined, sizeof(joined), "%s/%s", project, path) >= sizeof(joined))
        return mr_err_set(err, MR_LIMIT, "option 'path' is too long");
    status = path_resolve(resolved, joined, err);
    if (status != MR_OK) {
        mr_err_context(err, "option 'path'");
        return status;
    }
    if (lstat(resolved, &info) == 0 && S_ISLNK(info.st_mode)) {
        if (realpath(resolved, target) == NULL || strlen(target) >= MR_PATH_BYTES)
            return mr_err_set(err, MR_DENIED, "option 'path' = '%s' is a symbolic link that leads nowhere", path);
        strcpy(resolved, target);
    }
    if (!path_inside(project, resolved))
        return mr_err_set(err, MR_DENIED, "option 'path' = '%s' leads out of the project folder %s", path, project);
    if (stat(resolved, &info) == 0 && !S_ISREG(info.st_mode))
        return mr_err_set(err, MR_INVALID, "option 'path' = '%s' is not an ordinary file", path);
    strcpy(out, resolved);
    return MR_OK;
}

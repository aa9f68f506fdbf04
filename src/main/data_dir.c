/* data_dir.c -- see data_dir.h.  The lock is the system's (flock): it dies with its process, however that dies. */
#include "main/data_dir.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char format_prefix[] = "millrace ";

enum mr_status data_dir_resolve(const char *named, const char *project, char out[MR_PATH_BYTES], struct mr_err *err)
{
    const char *xdg = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    int used;

    if (named != NULL)
        used = snprintf(out, MR_PATH_BYTES, "%s", named);
    else if (project != NULL)
        used = snprintf(out, MR_PATH_BYTES, "%s/.millrace", project);
    else if (xdg != NULL && xdg[0] == '/')
        used = snprintf(out, MR_PATH_BYTES, "%s/millrace", xdg);
    else if (home != NULL && home[0] == '/')
        used = snprintf(out, MR_PATH_BYTES, "%s/.local/share/millrace", home);
    else
        return mr_err_set(err, MR_INVALID, "no data directory: give --data-dir DIR, or set HOME");
    if (used >= MR_PATH_BYTES || used == 0)
        return mr_err_set(err, MR_INVALID, "the data directory's path must have 1 to %d bytes", MR_PATH_BYTES - 1);
    return MR_OK;
}

static enum mr_status data_dir_lock(struct data_dir *dir, struct mr_err *err)
{
    char path[MR_PATH_BYTES];
    char pid[32] = "";
    enum mr_status status = mr_path_join(path, dir->path, "lock", err);
    ssize_t got;

    if (status != MR_OK)
        return status;
    dir->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (dir->lock_fd < 0)
        return mr_err_set_errno(err, MR_IO, errno, "the data directory %s can't be used: open its lock", dir->path);
    if (flock(dir->lock_fd, LOCK_EX | LOCK_NB) == 0) {
        int length = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());

        if (ftruncate(dir->lock_fd, 0) != 0 || pwrite(dir->lock_fd, pid, (size_t)length, 0) != length)
            return mr_err_set_errno(err, MR_IO, errno, "the data directory %s can't be written", dir->path);
        return MR_OK;
    }
    got = pread(dir->lock_fd, pid, sizeof(pid) - 1, 0);
    pid[got > 0 ? got : 0] = '\0';
    pid[strcspn(pid, "\n")] = '\0';
    return mr_err_set(err, MR_BUSY,
                      "the data directory %s is in use by process %s; stop it, or give another --data-dir", dir->path,
                      pid[0] ? pid : "(unknown)");
}

static enum mr_status data_dir_check_format(struct data_dir *dir, struct mr_err *err)
{
    struct mr_env *env = mr_env_real();
    struct mr_writer text = { 0 };
    char path[MR_PATH_BYTES];
    int64_t format = 0;
    size_t prefix = sizeof(format_prefix) - 1;
    enum mr_status status = mr_path_join(path, dir->path, "format", err);

    if (status == MR_OK)
        status = mr_file_read_all(env, path, 64, &text, err);
    if (status == MR_NOT_FOUND) {
        char fresh[32];

        snprintf(fresh, sizeof(fresh), "%s%d\n", format_prefix, DATA_DIR_FORMAT);
        status = mr_file_replace(env, path, mr_bytes_of_str(mr_str_of(fresh)), err);
    } else if (status == MR_OK) {
        while (text.size > 0 && text.data[text.size - 1] == '\n')
            text.size--;
        if (text.size <= prefix || memcmp(text.data, format_prefix, prefix) != 0 ||
            mr_parse_i64((struct mr_str){ (char *)text.data + prefix, text.size - prefix }, &format) != MR_OK)
            status = mr_err_set(err, MR_UNSUPPORTED,
                                "%s does not name a format of millrace's: is %s its data directory?", path, dir->path);
        else if (format > DATA_DIR_FORMAT)
            status =
                mr_err_set(err, MR_UNSUPPORTED,
                           "the data directory %s has format %" PRId64 ", this millrace knows up to %d: use the newer "
                           "version that wrote it, or another --data-dir",
                           dir->path, format, DATA_DIR_FORMAT);
    }
    mr_writer_deinit(&text);
    return status;
}

static enum mr_status data_dir_make(struct data_dir *dir, const char *path, struct mr_err *err)
{
    char absolute[MR_PATH_BYTES];
    const char *tmp = getenv("TMPDIR");
    enum mr_status status;

    if (path == NULL) {
        snprintf(dir->path, sizeof(dir->path), "%s/millrace-XXXXXX", tmp != NULL && tmp[0] == '/' ? tmp : "/tmp");
        if (mkdtemp(dir->path) == NULL)
            return mr_err_set_errno(err, MR_IO, errno, "make a temporary data directory %s", dir->path);
        dir->ephemeral = true;
        return MR_OK;
    }
    status = mr_mkdirs(mr_env_real(), path, err);
    if (status != MR_OK) {
        mr_err_context(err, "the data directory can't be made");
        return status;
    }
    if (realpath(path, absolute) == NULL)
        return mr_err_set_errno(err, MR_IO, errno, "the data directory %s", path);
    snprintf(dir->path, sizeof(dir->path), "%s", absolute);
    if (chmod(dir->path, 0700) != 0)
        return mr_err_set_errno(err, MR_IO, errno, "the data directory %s must be yours alone (mode 0700)", dir->path);
    return MR_OK;
}

enum mr_status data_dir_open(struct data_dir *dir, const char *path, struct mr_err *err)
{
    enum mr_status status;

    *dir = (struct data_dir){ .lock_fd = -1 };
    status = data_dir_make(dir, path, err);
    if (status == MR_OK)
        status = data_dir_lock(dir, err);
    if (status == MR_OK)
        status = data_dir_check_format(dir, err);
    if (status != MR_OK)
        data_dir_close(dir);
    return status;
}

enum mr_status data_dir_cluster_id(const char *dir, char out[DATA_DIR_CLUSTER_BYTES], struct mr_err *err)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    enum { LENGTH = DATA_DIR_CLUSTER_BYTES - 1 };
    struct mr_writer text = { 0 };
    char path[MR_PATH_BYTES];
    uint8_t random[LENGTH];
    enum mr_status status = mr_path_join(path, dir, "cluster", err);

    if (status == MR_OK)
        status = mr_file_read_all(mr_env_real(), path, 64, &text, err);
    if (status == MR_OK && text.size >= LENGTH && mr_utf8_valid((struct mr_bytes){ text.data, LENGTH })) {
        memcpy(out, text.data, LENGTH);
    } else if (status == MR_OK || status == MR_NOT_FOUND) {
        mr_env_real()->ops->random(mr_env_real(), random, sizeof(random));
        for (size_t i = 0; i < LENGTH; i++)
            out[i] = alphabet[random[i] & 63];
        status = mr_file_replace(mr_env_real(), path, (struct mr_bytes){ (uint8_t *)out, LENGTH }, err);
    }
    out[LENGTH] = '\0';
    mr_writer_deinit(&text);
    return status;
}

void data_dir_close(struct data_dir *dir)
{
    struct mr_err err = MR_ERR_INIT;

    if (dir->ephemeral && mr_remove_tree(mr_env_real(), dir->path, &err) != MR_OK)
        fprintf(stderr, "millrace: the temporary data directory stays: %s\n", err.text);
    if (dir->lock_fd >= 0)
        close(dir->lock_fd);
    *dir = (struct data_dir){ .lock_fd = -1 };
}

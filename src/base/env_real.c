/* env_real.c -- the machine itself: POSIX files, its clocks, its random numbers. */
#include "base/env.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct real_file {
    struct mr_file file; /* first, so that a struct mr_file * is also one of these */
    int fd;
};

static enum mr_status status_of_errno(int error)
{
    if (error == ENOENT)
        return MR_NOT_FOUND;
    if (error == EEXIST)
        return MR_EXISTS;
    return MR_IO;
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t real_now_us(struct mr_env *env)
{
    MR_UNUSED(env);
    return clock_ns(CLOCK_REALTIME) / 1000;
}

static int64_t real_monotonic_ns(struct mr_env *env)
{
    MR_UNUSED(env);
    return clock_ns(CLOCK_MONOTONIC);
}

static void real_random(struct mr_env *env, void *out, size_t size)
{
    uint8_t *p = out;

    MR_UNUSED(env);
    while (size > 0) {
        size_t part = size < 256 ? size : 256; /* getentropy gives no more at once */

        if (getentropy(p, part) != 0) {
            perror("millrace: no random numbers from the system");
            _exit(1);
        }
        p += part;
        size -= part;
    }
}

static enum mr_status real_open(struct mr_env *env, struct mr_file **out, const char *path, int flags,
                                struct mr_err *err)
{
    struct real_file *file;
    int mode = flags & MR_OPEN_WRITE ? O_RDWR : O_RDONLY;
    int fd;

    mode |= flags & MR_OPEN_CREATE ? O_CREAT : 0;
    mode |= flags & MR_OPEN_EXCLUSIVE ? O_EXCL : 0;
    mode |= flags & MR_OPEN_TRUNCATE ? O_TRUNC : 0;
    fd = open(path, mode | O_CLOEXEC, 0600);
    if (fd < 0)
        return mr_err_set_errno(err, status_of_errno(errno), errno, "open %s", path);
    file = MR_NEW(struct real_file);
    file->file.env = env;
    file->file.path = mr_strdup(path);
    file->fd = fd;
    *out = &file->file;
    return MR_OK;
}

static int file_fd(struct mr_file *file)
{
    return ((struct real_file *)file)->fd;
}

static void real_close(struct mr_file *file)
{
    close(file_fd(file));
    mr_free(file->path);
    mr_free(file);
}

static enum mr_status real_pread(struct mr_file *file, void *out, size_t size, int64_t at, size_t *got,
                                 struct mr_err *err)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = pread(file_fd(file), (char *)out + done, size - done, at + (int64_t)done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return mr_err_set_errno(err, MR_IO, errno, "read %s", file->path);
        if (n == 0)
            break;
        done += (size_t)n;
    }
    *got = done;
    return MR_OK;
}

static enum mr_status real_pwrite(struct mr_file *file, const void *data, size_t size, int64_t at, struct mr_err *err)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = pwrite(file_fd(file), (const char *)data + done, size - done, at + (int64_t)done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return mr_err_set_errno(err, MR_IO, errno, "write %s", file->path);
        done += (size_t)n;
    }
    return MR_OK;
}

static enum mr_status real_sync(struct mr_file *file, struct mr_err *err)
{
#if defined(__APPLE__)
    int failed = fcntl(file_fd(file), F_FULLFSYNC) == -1;
#else
    int failed = fdatasync(file_fd(file)) != 0;
#endif
    if (failed)
        return mr_err_set_errno(err, MR_IO, errno, "sync %s", file->path);
    return MR_OK;
}

static enum mr_status real_truncate(struct mr_file *file, int64_t size, struct mr_err *err)
{
    if (ftruncate(file_fd(file), size) != 0)
        return mr_err_set_errno(err, MR_IO, errno, "truncate %s", file->path);
    return MR_OK;
}

static enum mr_status real_size(struct mr_file *file, int64_t *out, struct mr_err *err)
{
    struct stat st;

    if (fstat(file_fd(file), &st) != 0)
        return mr_err_set_errno(err, MR_IO, errno, "stat %s", file->path);
    *out = st.st_size;
    return MR_OK;
}

static enum mr_status real_rename(struct mr_env *env, const char *from, const char *to, struct mr_err *err)
{
    MR_UNUSED(env);
    if (rename(from, to) != 0)
        return mr_err_set_errno(err, status_of_errno(errno), errno, "rename %s to %s", from, to);
    return MR_OK;
}

static enum mr_status real_unlink(struct mr_env *env, const char *path, struct mr_err *err)
{
    MR_UNUSED(env);
    if (unlink(path) != 0)
        return mr_err_set_errno(err, status_of_errno(errno), errno, "remove %s", path);
    return MR_OK;
}

static enum mr_status real_mkdir(struct mr_env *env, const char *path, struct mr_err *err)
{
    MR_UNUSED(env);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return mr_err_set_errno(err, status_of_errno(errno), errno, "make directory %s", path);
    return MR_OK;
}

static enum mr_status real_rmdir(struct mr_env *env, const char *path, struct mr_err *err)
{
    MR_UNUSED(env);
    if (rmdir(path) != 0)
        return mr_err_set_errno(err, status_of_errno(errno), errno, "remove directory %s", path);
    return MR_OK;
}

static enum mr_status real_sync_dir(struct mr_env *env, const char *path, struct mr_err *err)
{
    enum mr_status status = MR_OK;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    MR_UNUSED(env);
    if (fd < 0)
        return mr_err_set_errno(err, status_of_errno(errno), errno, "open directory %s", path);
    if (fsync(fd) != 0)
        status = mr_err_set_errno(err, MR_IO, errno, "sync directory %s", path);
    close(fd);
    return status;
}

static bool entry_is_dir(DIR *dir, const struct dirent *entry)
{
    struct stat st;

    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static enum mr_status real_list_dir(struct mr_env *env, const char *path, mr_env_entry_fn *each, void *arg,
                                    struct mr_err *err)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    MR_UNUSED(env);
    if (dir == NULL)
        return mr_err_set_errno(err, status_of_errno(errno), errno, "open directory %s", path);
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            each(arg, entry->d_name, entry_is_dir(dir, entry));
    }
    closedir(dir);
    return MR_OK;
}

static const struct mr_env_ops real_ops = {
    .now_us = real_now_us,
    .monotonic_ns = real_monotonic_ns,
    .random = real_random,
    .open = real_open,
    .close = real_close,
    .pread = real_pread,
    .pwrite = real_pwrite,
    .sync = real_sync,
    .truncate = real_truncate,
    .size = real_size,
    .descriptor = file_fd,
    .rename = real_rename,
    .unlink = real_unlink,
    .mkdir = real_mkdir,
    .rmdir = real_rmdir,
    .sync_dir = real_sync_dir,
    .list_dir = real_list_dir,
};

struct mr_env *mr_env_real(void)
{
    static struct mr_env env = { &real_ops };

    return &env;
}

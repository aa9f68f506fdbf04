/* calls.c -- the calls that are put in front of the system's, each with its 64-bit and checked spellings. */
#include "powercut_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL (powercut_real())

/* Fortified spellings, which no header declares. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);

/* PATH as an absolute name whose directory holds no links; false when there is no such directory. */
static bool resolve(char out[PATH_BYTES], int dir, const char *path)
{
    char joined[PATH_BYTES], base[PATH_BYTES], parent[PATH_BYTES], link[64], *slash;
    ssize_t n = 0;
    int saved = errno;

    if (path == NULL || path[0] == '\0')
        return false;
    if (path[0] == '/') {
        snprintf(joined, sizeof(joined), "%s", path);
    } else {
        if (dir == AT_FDCWD)
            snprintf(link, sizeof(link), "/proc/self/cwd");
        else
            snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
        n = readlink(link, parent, sizeof(parent) - 1);
        if (n <= 0 || (size_t)n + strlen(path) + 2 > sizeof(joined)) {
            errno = saved;
            return false;
        }
        memcpy(joined, parent, (size_t)n);
        joined[n] = '/';
        strcpy(joined + n + 1, path);
    }
    for (size_t size = strlen(joined); size > 1 && joined[size - 1] == '/'; size--)
        joined[size - 1] = '\0';
    slash = strrchr(joined, '/');
    snprintf(base, sizeof(base), "%s", slash + 1);
    *(slash == joined ? slash + 1 : slash) = '\0';
    if (realpath(joined, parent) == NULL || strlen(parent) + strlen(base) + 2 > PATH_BYTES) {
        errno = saved;
        return false;
    }
    out[0] = '\0';
    strcat(strcat(strcpy(out, strcmp(parent, "/") == 0 ? "" : parent), "/"), base);
    errno = saved;
    return true;
}

/* Resolves PATH and takes the lock when it is tracked. */
static bool enter_path(char out[PATH_BYTES], int dir, const char *path)
{
    if (!resolve(out, dir, path) || !powercut_enter())
        return false;
    if (powercut_is_below(out))
        return true;
    powercut_leave();
    return false;
}

/* Takes the lock when FD is a tracked file. */
static struct powercut_file *enter_file(int fd)
{
    struct powercut_file *file;
    int saved = errno;

    if (!powercut_enter())
        return NULL;
    file = powercut_file_of(fd);
    if (file == NULL)
        powercut_leave();
    errno = saved;
    return file;
}

/* ---- open ---- */

/* Notes that the file at PATH is about to be emptied. */
static void before_truncation(const char *path, off_t size)
{
    int fd = REAL->openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    struct powercut_file *file;

    if (fd < 0)
        return;
    powercut_file_add(fd);
    file = powercut_file_of(fd);
    if (file != NULL)
        powercut_change_size(file, size);
    close(fd);
}

static int open_tracked(int dir, const char *path, int flags, mode_t mode)
{
    char full[PATH_BYTES];
    struct stat st;
    bool writes = (flags & O_ACCMODE) != O_RDONLY, exists;
    int fd;

    if ((!writes && !(flags & O_CREAT)) || (flags & O_TMPFILE) == O_TMPFILE || !enter_path(full, dir, path))
        return REAL->openat(dir, path, flags, mode);
    exists = lstat(full, &st) == 0;
    if ((!exists && (flags & O_CREAT)) || (exists && (flags & O_TRUNC)))
        powercut_step();
    if (exists && S_ISREG(st.st_mode) && st.st_size > 0 && (flags & O_TRUNC) && !(flags & O_EXCL))
        before_truncation(full, 0);
    fd = REAL->openat(dir, path, flags, mode);
    if (fd >= 0) {
        int saved = errno;

        if (!exists)
            powercut_name_add(NAME_CREATE, full, NULL, "");
        if (writes)
            powercut_file_add(fd);
        errno = saved;
    }
    powercut_leave();
    return fd;
}

#define OPEN_MODE(flags, mode)                                                                                         \
    do {                                                                                                               \
        va_list arguments;                                                                                             \
        va_start(arguments, flags);                                                                                    \
        if ((flags) & (O_CREAT | O_TMPFILE))                                                                           \
            mode = va_arg(arguments, mode_t);                                                                          \
        va_end(arguments);                                                                                             \
    } while (0)

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;

    OPEN_MODE(flags, mode);
    return open_tracked(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    mode_t mode = 0;

    OPEN_MODE(flags, mode);
    return open_tracked(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
    mode_t mode = 0;

    OPEN_MODE(flags, mode);
    return open_tracked(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
    mode_t mode = 0;

    OPEN_MODE(flags, mode);
    return open_tracked(dir, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
    return open_tracked(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int creat64(const char *path, mode_t mode)
{
    return creat(path, mode);
}

int __open_2(const char *path, int flags)
{
    return open_tracked(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags)
{
    return open_tracked(AT_FDCWD, path, flags, 0);
}

int __openat_2(int dir, const char *path, int flags)
{
    return open_tracked(dir, path, flags, 0);
}

int __openat64_2(int dir, const char *path, int flags)
{
    return open_tracked(dir, path, flags, 0);
}

/* ---- writing ---- */

/* Where a write without an offset goes. */
static off_t position(int fd)
{
    return fcntl(fd, F_GETFL) & O_APPEND ? -1 : lseek(fd, 0, SEEK_CUR);
}

/* O_SYNC and O_DSYNC: durable when the call returns. */
static void after_write(int fd, struct powercut_file *file, struct powercut_change *change, ssize_t done)
{
    int saved = errno;

    powercut_change_end(file, change, done);
    if (done > 0 && (fcntl(fd, F_GETFL) & (O_SYNC | O_DSYNC)) && powercut_syncs_count())
        powercut_file_synced(file, powercut_contents_mark());
    powercut_leave();
    errno = saved;
}

/* One buffer at AT, or at the file's position when AT is NULL. */
static ssize_t write_tracked(int fd, const void *data, size_t size, const off_t *at)
{
    struct powercut_file *file = size > 0 ? enter_file(fd) : NULL;
    struct powercut_change *change;
    ssize_t done;

    if (file == NULL)
        return at != NULL ? REAL->pwrite(fd, data, size, *at) : REAL->write(fd, data, size);
    powercut_step();
    change = powercut_change_write(file, at != NULL ? *at : position(fd), size);
    done = at != NULL ? REAL->pwrite(fd, data, size, *at) : REAL->write(fd, data, size);
    after_write(fd, file, change, done);
    return done;
}

ssize_t write(int fd, const void *data, size_t size)
{
    return write_tracked(fd, data, size, NULL);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    return write_tracked(fd, data, size, &at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t at)
{
    return write_tracked(fd, data, size, &at);
}

/* Several buffers are written one by one: a call may always write less than it was asked to. */
static ssize_t write_vector(int fd, const struct iovec *parts, int count, const off_t *at)
{
    ssize_t total = 0;

    for (int i = 0; i < count; i++) {
        off_t here = at != NULL ? *at + total : 0;
        ssize_t done = write_tracked(fd, parts[i].iov_base, parts[i].iov_len, at != NULL ? &here : NULL);

        if (done < 0)
            return total > 0 ? total : done;
        total += done;
        if ((size_t)done < parts[i].iov_len)
            break;
    }
    return total;
}

/* Sockets and pipes need their buffers in one call. */
static ssize_t write_gathered(int fd, const struct iovec *parts, int count)
{
    ssize_t size = 0, done, at = 0;
    char *all;

    for (int i = 0; i < count; i++)
        size += (ssize_t)parts[i].iov_len;
    all = malloc(size > 0 ? (size_t)size : 1);
    if (all == NULL)
        abort();
    for (int i = 0; i < count; i++) {
        memcpy(all + at, parts[i].iov_base, parts[i].iov_len);
        at += (ssize_t)parts[i].iov_len;
    }
    done = REAL->write(fd, all, (size_t)size);
    free(all);
    return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    struct stat st;
    int saved = errno;
    bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

    errno = saved;
    return regular ? write_vector(fd, parts, count, NULL) : write_gathered(fd, parts, count);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    return write_vector(fd, parts, count, &at);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at)
{
    return write_vector(fd, parts, count, &at);
}

ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t at, int flags)
{
    ssize_t done = at == -1 ? writev(fd, parts, count) : write_vector(fd, parts, count, &at);
    struct powercut_file *file = done > 0 && (flags & (RWF_DSYNC | RWF_SYNC)) ? enter_file(fd) : NULL;

    if (file != NULL) {
        if (powercut_syncs_count())
            powercut_file_synced(file, powercut_contents_mark());
        powercut_leave();
    }
    return done;
}

ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off_t at, int flags)
{
    return pwritev2(fd, parts, count, at, flags);
}

/* At most how much a copy from IN can give. */
static size_t copy_limit(int in, const off_t *at, size_t size)
{
    struct stat st;
    off_t from = at != NULL ? *at : lseek(in, 0, SEEK_CUR);

    if (fstat(in, &st) != 0 || !S_ISREG(st.st_mode) || from < 0)
        return size;
    return from >= st.st_size ? 0 : (off_t)size < st.st_size - from ? size : (size_t)(st.st_size - from);
}

ssize_t copy_file_range(int in, off_t *in_at, int out, off_t *out_at, size_t size, unsigned flags)
{
    struct powercut_file *file = enter_file(out);
    struct powercut_change *change;
    ssize_t done;

    if (file == NULL)
        return REAL->copy_file_range(in, in_at, out, out_at, size, flags);
    powercut_step();
    change = powercut_change_write(file, out_at != NULL ? *out_at : position(out), copy_limit(in, in_at, size));
    done = REAL->copy_file_range(in, in_at, out, out_at, size, flags);
    after_write(out, file, change, done);
    return done;
}

ssize_t sendfile(int out, int in, off_t *at, size_t size)
{
    struct powercut_file *file = enter_file(out);
    struct powercut_change *change;
    ssize_t done;

    if (file == NULL)
        return REAL->sendfile(out, in, at, size);
    powercut_step();
    change = powercut_change_write(file, position(out), copy_limit(in, at, size));
    done = REAL->sendfile(out, in, at, size);
    after_write(out, file, change, done);
    return done;
}

ssize_t sendfile64(int out, int in, off_t *at, size_t size)
{
    return sendfile(out, in, at, size);
}

/* ---- sizes ---- */

int ftruncate(int fd, off_t size)
{
    struct powercut_file *file = enter_file(fd);
    struct powercut_change *change;
    int result;

    if (file == NULL)
        return REAL->ftruncate(fd, size);
    powercut_step();
    change = powercut_change_size(file, size);
    result = REAL->ftruncate(fd, size);
    powercut_change_end(file, change, result == 0 ? 1 : -1);
    powercut_leave();
    return result;
}

int ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}

int truncate(const char *path, off_t size)
{
    char full[PATH_BYTES];
    int result;

    if (!enter_path(full, AT_FDCWD, path))
        return REAL->truncate(path, size);
    powercut_step();
    before_truncation(full, size);
    result = REAL->truncate(path, size);
    powercut_leave();
    return result;
}

int truncate64(const char *path, off_t size)
{
    return truncate(path, size);
}

/* Space set aside past the end (FALLOC_FL_KEEP_SIZE) shows nothing; else it is a longer file, or zeros in it. */
static int allocate(int fd, int mode, off_t at, off_t size, bool posix)
{
    struct powercut_file *file = mode == FALLOC_FL_KEEP_SIZE ? NULL : enter_file(fd);
    struct powercut_change *change = NULL;
    struct stat st;
    int result;

    if (file == NULL)
        return posix ? REAL->posix_fallocate(fd, at, size) : REAL->fallocate(fd, mode, at, size);
    powercut_step();
    if (mode == 0 && fstat(fd, &st) == 0 && at + size > st.st_size)
        change = powercut_change_size(file, at + size);
    else if (mode != 0)
        change = powercut_change_write(file, at, (size_t)size);
    result = posix ? REAL->posix_fallocate(fd, at, size) : REAL->fallocate(fd, mode, at, size);
    if (change != NULL)
        powercut_change_end(file, change, result == 0 ? (ssize_t)size : -1);
    powercut_leave();
    return result;
}

int fallocate(int fd, int mode, off_t at, off_t size)
{
    return allocate(fd, mode, at, size, false);
}

int fallocate64(int fd, int mode, off_t at, off_t size)
{
    return allocate(fd, mode, at, size, false);
}

int posix_fallocate(int fd, off_t at, off_t size)
{
    return allocate(fd, 0, at, size, true);
}

int posix_fallocate64(int fd, off_t at, off_t size)
{
    return allocate(fd, 0, at, size, true);
}

/* ---- names ---- */

static int rename_tracked(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    char from_full[PATH_BYTES], to_full[PATH_BYTES], stash[PATH_BYTES];
    int result, saved;

    if (!resolve(from_full, from_dir, from) || !resolve(to_full, to_dir, to) || !powercut_enter())
        return REAL->renameat2(from_dir, from, to_dir, to, flags);
    if (!powercut_is_below(from_full) || !powercut_is_below(to_full)) {
        powercut_leave();
        return REAL->renameat2(from_dir, from, to_dir, to, flags);
    }
    powercut_step();
    powercut_stash_keep(stash, to_full);
    result = REAL->renameat2(from_dir, from, to_dir, to, flags);
    saved = errno;
    if (result == 0)
        powercut_name_add(NAME_RENAME, from_full, to_full, stash);
    else
        powercut_stash_drop(stash);
    powercut_leave();
    errno = saved;
    return result;
}

int rename(const char *from, const char *to)
{
    return rename_tracked(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return rename_tracked(from_dir, from, to_dir, to, 0);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    return rename_tracked(from_dir, from, to_dir, to, flags);
}

int unlinkat(int dir, const char *path, int flags)
{
    char full[PATH_BYTES], stash[PATH_BYTES] = "";
    int result, saved;

    if (!enter_path(full, dir, path))
        return REAL->unlinkat(dir, path, flags);
    powercut_step();
    if (!(flags & AT_REMOVEDIR))
        powercut_stash_keep(stash, full);
    result = REAL->unlinkat(dir, path, flags);
    saved = errno;
    if (result == 0)
        powercut_name_add(flags & AT_REMOVEDIR ? NAME_RMDIR : NAME_UNLINK, full, NULL, stash);
    else
        powercut_stash_drop(stash);
    powercut_leave();
    errno = saved;
    return result;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int remove(const char *path)
{
    struct stat st;

    return unlinkat(AT_FDCWD, path, lstat(path, &st) == 0 && S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
    char full[PATH_BYTES];
    int result;

    if (!enter_path(full, dir, path))
        return REAL->mkdirat(dir, path, mode);
    powercut_step();
    result = REAL->mkdirat(dir, path, mode);
    if (result == 0)
        powercut_name_add(NAME_MKDIR, full, NULL, "");
    powercut_leave();
    return result;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    char full[PATH_BYTES];
    int result;

    if (!enter_path(full, to_dir, to))
        return REAL->linkat(from_dir, from, to_dir, to, flags);
    powercut_step();
    result = REAL->linkat(from_dir, from, to_dir, to, flags);
    if (result == 0)
        powercut_name_add(NAME_CREATE, full, NULL, "");
    powercut_leave();
    return result;
}

int link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int symlinkat(const char *target, int dir, const char *path)
{
    char full[PATH_BYTES];
    int result;

    if (!enter_path(full, dir, path))
        return REAL->symlinkat(target, dir, path);
    powercut_step();
    result = REAL->symlinkat(target, dir, path);
    if (result == 0)
        powercut_name_add(NAME_CREATE, full, NULL, "");
    powercut_leave();
    return result;
}

int symlink(const char *target, const char *path)
{
    return symlinkat(target, AT_FDCWD, path);
}

/* ---- syncs ---- */

/* Is FD a directory that is tracked (or the top one)? */
static bool is_directory(int fd, char path[PATH_BYTES])
{
    struct stat st;
    char link[64];
    ssize_t size;

    if (fstat(fd, &st) != 0 || !S_ISDIR(st.st_mode))
        return false;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    size = readlink(link, path, PATH_BYTES - 1);
    if (size <= 0)
        return false;
    path[size] = '\0';
    return powercut_is_below(path) || strcmp(path, powercut_dir()) == 0;
}

/* What was done before the call is durable after it; what others do meanwhile is not. */
static int sync_tracked(int fd, int (*real)(int))
{
    char path[PATH_BYTES];
    struct powercut_file *file;
    bool directory;
    uint64_t contents = 0, names = 0;
    int result;

    if (!powercut_enter())
        return real(fd);
    file = powercut_file_of(fd);
    directory = file == NULL && is_directory(fd, path);
    if (file == NULL && !directory) {
        powercut_leave();
        return real(fd);
    }
    powercut_step();
    contents = powercut_contents_mark();
    names = directory ? powercut_names_mark(path) : 0;
    powercut_leave();
    result = powercut_wait_sync(fd, real);
    if (result != 0 || !powercut_enter())
        return result;
    file = directory ? NULL : powercut_file_of(fd);
    if (powercut_syncs_count()) {
        if (file != NULL)
            powercut_file_synced(file, contents);
        powercut_names_synced(names);
    }
    powercut_leave();
    return result;
}

int fsync(int fd)
{
    return sync_tracked(fd, REAL->fsync);
}

int fdatasync(int fd)
{
    return sync_tracked(fd, REAL->fdatasync);
}

static void sync_all(void)
{
    if (!powercut_enter())
        return;
    powercut_step();
    if (powercut_syncs_count()) {
        powercut_contents_synced(powercut_contents_mark());
        powercut_names_synced(powercut_names_mark_all());
    }
    powercut_leave();
}

int syncfs(int fd)
{
    int result = REAL->syncfs(fd);

    if (result == 0)
        sync_all();
    return result;
}

void sync(void)
{
    REAL->sync();
    sync_all();
}

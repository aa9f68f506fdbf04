/* failfs.c -- a disk that refuses: a second preloaded library, for the full-disk tests.  README.md says how to use it.
 *
 * Only what takes space fails (writes and allocations of regular files below FAILFS_DIR); removing, renaming and
 * reading go on, as on a full disk.  The write that crosses the limit is short first, then refused, as the kernel does
 * it. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static struct {
    ssize_t (*write)(int fd, const void *data, size_t size);
    ssize_t (*pwrite)(int fd, const void *data, size_t size, off_t at);
    ssize_t (*writev)(int fd, const struct iovec *parts, int count);
    ssize_t (*pwritev)(int fd, const struct iovec *parts, int count, off_t at);
    int (*fallocate)(int fd, int mode, off_t at, off_t size);
    int (*posix_fallocate)(int fd, off_t at, off_t size);
    int (*fsync)(int fd);
    int (*fdatasync)(int fd);
} real;

static char dir[4096];
static const char *control; /* the disk refuses while this file exists */
static uint64_t limit;      /* ... or after so many bytes; 0: no limit */
static int refuse_with;
static bool fail_syncs, fail_writes;
static _Atomic uint64_t written;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start(void)
{
    const char *bytes = getenv("FAILFS_BYTES"), *name = getenv("FAILFS_ERRNO"), *where = getenv("FAILFS_DIR");
    const char *syncs = getenv("FAILFS_SYNC");

    *(void **)&real.write = dlsym(RTLD_NEXT, "write");
    *(void **)&real.pwrite = dlsym(RTLD_NEXT, "pwrite");
    *(void **)&real.writev = dlsym(RTLD_NEXT, "writev");
    *(void **)&real.pwritev = dlsym(RTLD_NEXT, "pwritev");
    *(void **)&real.fallocate = dlsym(RTLD_NEXT, "fallocate");
    *(void **)&real.posix_fallocate = dlsym(RTLD_NEXT, "posix_fallocate");
    *(void **)&real.fsync = dlsym(RTLD_NEXT, "fsync");
    *(void **)&real.fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    if (where != NULL && realpath(where, dir) == NULL)
        snprintf(dir, sizeof(dir), "%s", where);
    control = getenv("FAILFS_FILE");
    limit = bytes != NULL ? strtoull(bytes, NULL, 10) : 0;
    refuse_with = name != NULL && strcmp(name, "EIO") == 0 ? EIO : ENOSPC;
    fail_syncs = syncs != NULL && (strcmp(syncs, "1") == 0 || strcmp(syncs, "only") == 0);
    fail_writes = syncs == NULL || strcmp(syncs, "only") != 0;
}

/* Is FD a regular file below the directory? */
static bool is_ours(int fd)
{
    struct stat st;
    char link[64], path[4096];
    size_t size = strlen(dir);
    ssize_t n;

    if (size == 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path));
    return n > (ssize_t)size && strncmp(path, dir, size) == 0 && path[size] == '/';
}

/* How many of SIZE bytes the disk still takes on FD; 0 with errno set when none. */
static size_t allowed(int fd, size_t size)
{
    int saved = errno;
    uint64_t before;

    pthread_once(&once, start);
    if (size == 0 || !fail_writes || !is_ours(fd)) {
        errno = saved;
        return size;
    }
    if (control != NULL && access(control, F_OK) == 0) {
        errno = refuse_with;
        return 0;
    }
    errno = saved;
    if (limit == 0)
        return size;
    before = atomic_fetch_add_explicit(&written, size, memory_order_relaxed);
    if (before + size <= limit)
        return size;
    if (before < limit)
        return (size_t)(limit - before);
    errno = refuse_with;
    return 0;
}

ssize_t write(int fd, const void *data, size_t size)
{
    size_t take = allowed(fd, size);

    return take == 0 && size > 0 ? -1 : real.write(fd, data, take);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    size_t take = allowed(fd, size);

    return take == 0 && size > 0 ? -1 : real.pwrite(fd, data, take, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t at)
{
    return pwrite(fd, data, size, at);
}

static size_t vector_bytes(const struct iovec *parts, int count)
{
    size_t size = 0;

    for (int i = 0; i < count; i++)
        size += parts[i].iov_len;
    return size;
}

/* Part of a vector is refused whole: a file's owner sees the same error a little earlier. */
ssize_t writev(int fd, const struct iovec *parts, int count)
{
    size_t size = vector_bytes(parts, count);

    if (allowed(fd, size) < size) {
        errno = refuse_with;
        return -1;
    }
    return real.writev(fd, parts, count);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    size_t size = vector_bytes(parts, count);

    if (allowed(fd, size) < size) {
        errno = refuse_with;
        return -1;
    }
    return real.pwritev(fd, parts, count, at);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at)
{
    return pwritev(fd, parts, count, at);
}

/* Setting space aside is refused only while the disk is full; it does not count against the limit. */
static bool is_full(int fd)
{
    int saved = errno;
    bool full;

    pthread_once(&once, start);
    full = is_ours(fd) && ((control != NULL && access(control, F_OK) == 0) || (limit != 0 && written >= limit));
    errno = saved;
    return full;
}

int fallocate(int fd, int mode, off_t at, off_t size)
{
    if (fail_writes && is_full(fd)) {
        errno = refuse_with;
        return -1;
    }
    return real.fallocate(fd, mode, at, size);
}

int fallocate64(int fd, int mode, off_t at, off_t size)
{
    return fallocate(fd, mode, at, size);
}

int posix_fallocate(int fd, off_t at, off_t size)
{
    return fail_writes && is_full(fd) ? refuse_with : real.posix_fallocate(fd, at, size);
}

int posix_fallocate64(int fd, off_t at, off_t size)
{
    return posix_fallocate(fd, at, size);
}

static int sync_with(int fd, int (*sync)(int))
{
    if (fail_syncs && is_full(fd)) {
        errno = EIO;
        return -1;
    }
    return sync(fd);
}

int fsync(int fd)
{
    pthread_once(&once, start);
    return sync_with(fd, real.fsync);
}

int fdatasync(int fd)
{
    pthread_once(&once, start);
    return sync_with(fd, real.fdatasync);
}

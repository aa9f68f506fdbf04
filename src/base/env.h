/* env.h -- the seam: time, files and chance go through a struct mr_env, so that a simulator can supply others.
 *
 * Rooms that keep data get the environment when they are opened and use nothing else of the system for files and time.
 * mr_env_real() is the machine itself.  Tests have one that tears writes and fails the n-th call (tests/sim/sim_env.h).
 */
#ifndef MR_ENV_H
#define MR_ENV_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mr_file; /* an open file; made by env->ops->open */
struct mr_env;

enum mr_open_flags {
    MR_OPEN_READ = 1,      /* reading only, unless MR_OPEN_WRITE */
    MR_OPEN_WRITE = 2,     /* reading and writing */
    MR_OPEN_CREATE = 4,    /* made when absent, mode 0600 */
    MR_OPEN_EXCLUSIVE = 8, /* with CREATE: MR_EXISTS when it is there */
    MR_OPEN_TRUNCATE = 16, /* emptied */
};

/* One name in a directory. */
typedef void mr_env_entry_fn(void *arg, const char *name, bool is_dir);

struct mr_env_ops {
    int64_t (*now_us)(struct mr_env *env);       /* microseconds since 1970 UTC */
    int64_t (*monotonic_ns)(struct mr_env *env); /* never goes back; arbitrary start */
    void (*random)(struct mr_env *env, void *out, size_t size);
    enum mr_status (*open)(struct mr_env *env, struct mr_file **out, const char *path, int flags, struct mr_err *err);
    void (*close)(struct mr_file *file);
    /* Reads up to SIZE bytes; *GOT < SIZE only at the end of the file. */
    enum mr_status (*pread)(struct mr_file *file, void *out, size_t size, int64_t at, size_t *got, struct mr_err *err);
    /* Writes all SIZE bytes or fails; after a failure any part of them may be there. */
    enum mr_status (*pwrite)(struct mr_file *file, const void *data, size_t size, int64_t at, struct mr_err *err);
    enum mr_status (*sync)(struct mr_file *file, struct mr_err *err); /* fdatasync; F_FULLFSYNC on macOS */
    enum mr_status (*truncate)(struct mr_file *file, int64_t size, struct mr_err *err);
    enum mr_status (*size)(struct mr_file *file, int64_t *out, struct mr_err *err);
    int (*descriptor)(struct mr_file *file); /* for sendfile; -1 when there is none (simulated) */
    enum mr_status (*rename)(struct mr_env *env, const char *from, const char *to, struct mr_err *err);
    enum mr_status (*unlink)(struct mr_env *env, const char *path, struct mr_err *err);
    enum mr_status (*mkdir)(struct mr_env *env, const char *path, struct mr_err *err); /* 0700; being there is OK */
    enum mr_status (*rmdir)(struct mr_env *env, const char *path, struct mr_err *err);
    enum mr_status (*sync_dir)(struct mr_env *env, const char *path, struct mr_err *err);
    enum mr_status (*list_dir)(struct mr_env *env, const char *path, mr_env_entry_fn *each, void *arg,
                               struct mr_err *err);
};

/* An implementation puts its own state behind this struct. */
struct mr_env {
    const struct mr_env_ops *ops;
};

/* The machine itself.  Never freed. [any] */
struct mr_env *mr_env_real(void);

/* Milliseconds and microseconds since 1970 UTC; nanoseconds that never go back. [any] */
int64_t mr_now_ms(struct mr_env *env);
int64_t mr_now_us(struct mr_env *env);
int64_t mr_monotonic_ns(struct mr_env *env);
/* A random number, unpredictable with the real environment. [any] */
uint64_t mr_random_u64(struct mr_env *env);
/* Sixteen random bytes as a UUID of version 4. [any] */
void mr_random_uuid(struct mr_env *env, uint8_t out[16]);

/* Thin wrappers over env->ops of the same names; see there.  A struct mr_file may be used by one thread at a time for
 * writing; pread and sync from any thread. */
MR_MUST_CHECK enum mr_status mr_file_open(struct mr_env *env, struct mr_file **out, const char *path, int flags,
                                          struct mr_err *err);
void mr_file_close(struct mr_file *file); /* NULL is legal */
MR_MUST_CHECK enum mr_status mr_file_pread(struct mr_file *file, void *out, size_t size, int64_t at, size_t *got,
                                           struct mr_err *err);
MR_MUST_CHECK enum mr_status mr_file_pwrite(struct mr_file *file, const void *data, size_t size, int64_t at,
                                            struct mr_err *err);
MR_MUST_CHECK enum mr_status mr_file_sync(struct mr_file *file, struct mr_err *err);
MR_MUST_CHECK enum mr_status mr_file_truncate(struct mr_file *file, int64_t size, struct mr_err *err);
MR_MUST_CHECK enum mr_status mr_file_size(struct mr_file *file, int64_t *out, struct mr_err *err);
int mr_file_descriptor(struct mr_file *file);
const char *mr_file_path(const struct mr_file *file);
MR_MUST_CHECK enum mr_status mr_rename(struct mr_env *env, const char *from, const char *to, struct mr_err *err);
MR_MUST_CHECK enum mr_status mr_unlink(struct mr_env *env, const char *path, struct mr_err *err);
MR_MUST_CHECK enum mr_status mr_mkdir(struct mr_env *env, const char *path, struct mr_err *err);
MR_MUST_CHECK enum mr_status mr_rmdir(struct mr_env *env, const char *path, struct mr_err *err);
MR_MUST_CHECK enum mr_status mr_sync_dir(struct mr_env *env, const char *path, struct mr_err *err);
MR_MUST_CHECK enum mr_status mr_list_dir(struct mr_env *env, const char *path, mr_env_entry_fn *each, void *arg,
                                         struct mr_err *err);

/* mkdir -p: every missing part of PATH, each synced into its parent. */
MR_MUST_CHECK enum mr_status mr_mkdirs(struct mr_env *env, const char *path, struct mr_err *err);
/* Reads the whole file into *OUT (appended); MR_LIMIT when it has more than LIMIT bytes, MR_NOT_FOUND when absent. */
MR_MUST_CHECK enum mr_status mr_file_read_all(struct mr_env *env, const char *path, size_t limit, struct mr_writer *out,
                                              struct mr_err *err);
/* Replaces PATH by CONTENT so that after a power cut it is the old or the new one whole: write PATH.new, sync, rename,
 * sync the directory. */
MR_MUST_CHECK enum mr_status mr_file_replace(struct mr_env *env, const char *path, struct mr_bytes content,
                                             struct mr_err *err);
/* Removes PATH and all below it; being absent is OK. */
MR_MUST_CHECK enum mr_status mr_remove_tree(struct mr_env *env, const char *path, struct mr_err *err);

#define MR_PATH_BYTES 1024
/* DIR/NAME into OUT (MR_PATH_BYTES); MR_LIMIT when it does not fit. */
MR_MUST_CHECK enum mr_status mr_path_join(char *out, const char *dir, const char *name, struct mr_err *err);

/* What a file system implementation puts at the start of its struct mr_file. */
struct mr_file {
    struct mr_env *env; /* borrowed */
    char *path;         /* owned */
};

#ifdef __cplusplus
}
#endif
#endif

/* powercut_int.h -- what the files of the power-cut library share.
 *
 * This library is preloaded into the program under test, so it uses nothing of the program's rooms.  One lock guards
 * all of its state; each tracked call is made while it is held, a real sync aside. */
#ifndef POWERCUT_INT_H
#define POWERCUT_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SECTOR_BYTES = 512, PATH_BYTES = 4096 };

/* ---- the system's own calls (real.c) ---- */

struct powercut_real {
    int (*openat)(int dir, const char *path, int flags, ...);
    ssize_t (*write)(int fd, const void *data, size_t size);
    ssize_t (*pwrite)(int fd, const void *data, size_t size, off_t at);
    int (*ftruncate)(int fd, off_t size);
    int (*truncate)(const char *path, off_t size);
    int (*renameat2)(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
    int (*unlinkat)(int dir, const char *path, int flags);
    int (*mkdirat)(int dir, const char *path, mode_t mode);
    int (*linkat)(int from_dir, const char *from, int to_dir, const char *to, int flags);
    int (*symlinkat)(const char *target, int dir, const char *path);
    int (*fallocate)(int fd, int mode, off_t at, off_t size);
    int (*posix_fallocate)(int fd, off_t at, off_t size);
    int (*fsync)(int fd);
    int (*fdatasync)(int fd);
    int (*syncfs)(int fd);
    void (*sync)(void);
    ssize_t (*copy_file_range)(int in, off_t *in_at, int out, off_t *out_at, size_t size, unsigned flags);
    ssize_t (*sendfile)(int out, int in, off_t *at, size_t size);
};
/* The calls, looked up at the first use. */
const struct powercut_real *powercut_real(void);

/* ---- settings and the clock of operations (powercut.c) ---- */

/* Takes the lock when this process is tracked; false (and no lock) when it is not. */
bool powercut_enter(void);
void powercut_leave(void);
/* Counts one tracked operation, and cuts the power when its turn has come.  Locked. */
void powercut_step(void);
/* Is PATH (absolute, resolved) below the directory that is tracked? */
bool powercut_is_below(const char *path);
/* The directory that is tracked, and where removed files wait. */
const char *powercut_dir(void);
const char *powercut_stash(void);
/* A random number from the seed. */
uint64_t powercut_random(void);
/* Do sync calls count? */
bool powercut_syncs_count(void);
/* Makes the real sync call or the set delay instead.  Not locked. */
int powercut_wait_sync(int fd, int (*sync)(int));

/* ---- contents (contents.c) ---- */

struct powercut_file;

/* The file open as FD when it is tracked, else NULL.  Locked. */
struct powercut_file *powercut_file_of(int fd);
/* Tracks the regular file open as FD from now on. */
void powercut_file_add(int fd);
/* A change about to be made, to be confirmed (or dropped) after it.  AT < 0: at the end or the file's position. */
struct powercut_change *powercut_change_write(struct powercut_file *file, off_t at, size_t size);
struct powercut_change *powercut_change_size(struct powercut_file *file, off_t size);
/* DONE bytes (<= 0: none, it failed) were written. */
void powercut_change_end(struct powercut_file *file, struct powercut_change *change, ssize_t done);
/* Everything so far as a mark, and everything up to MARK is on disk. */
uint64_t powercut_contents_mark(void);
void powercut_file_synced(struct powercut_file *file, uint64_t mark);
void powercut_contents_synced(uint64_t mark);
/* The file is gone for good. */
void powercut_file_forget(dev_t device, ino_t number);
/* The cut: each file back to its synced content plus a random part of what followed; returns how many changed. */
unsigned powercut_contents_cut(void);

/* ---- names (names.c) ---- */

enum powercut_name_kind { NAME_CREATE, NAME_UNLINK, NAME_RENAME, NAME_MKDIR, NAME_RMDIR };

/* Keeps the file at PATH, which is about to lose its name; OUT (PATH_BYTES) says where, "" when it can't. */
void powercut_stash_keep(char *out, const char *path);
void powercut_stash_drop(const char *stash);
/* Notes what was done.  TO is NULL but for a rename; STASH is "" without one. */
void powercut_name_add(enum powercut_name_kind kind, const char *path, const char *to, const char *stash);
/* A mark after the last change in directory PATH, and everything up to MARK is on disk. */
uint64_t powercut_names_mark(const char *directory);
uint64_t powercut_names_mark_all(void);
void powercut_names_synced(uint64_t mark);
/* The cut: undoes the last names, a random number of those not synced; returns how many. */
unsigned powercut_names_cut(void);
/* Removes the stash. */
void powercut_stash_remove(void);
#endif

/* names.c -- which names would survive: a journal of creations, removals and renames since they were synced.
 *
 * As with the journals of ext4 and xfs, names are lost from the end: what a cut undoes is always the last so many.  An
 * fsync of a directory makes everything up to the last change in that directory durable; an fsync of a file makes no
 * name durable (real file systems often do; POSIX does not say so, and a program must not rely on it). A file that
 * loses its name is linked into DIR.powercut first, so that its removal can be undone. At most NAMES_MAX wait: older
 * ones become durable, as by a journal's own commit. */
#include "powercut_int.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_MAX = 4096 };

struct name {
    struct name *before;
    struct name *after;
    uint64_t number;
    enum powercut_name_kind kind;
    char *path;
    char *to;    /* a rename's new name, else NULL */
    char *stash; /* where the file that lost its name is, "" for none */
};

static struct name *first, *last;
static unsigned count;
static uint64_t names;   /* numbered from 1 */
static uint64_t stashes; /* the same */

void powercut_stash_keep(char *out, const char *path)
{
    struct stat st;

    out[0] = '\0';
    if (lstat(path, &st) != 0 || S_ISDIR(st.st_mode))
        return;
    powercut_real()->mkdirat(AT_FDCWD, powercut_stash(), 0700);
    snprintf(out, PATH_BYTES, "%s/%llu", powercut_stash(), (unsigned long long)++stashes);
    if (powercut_real()->linkat(AT_FDCWD, path, AT_FDCWD, out, 0) != 0)
        out[0] = '\0';
}

void powercut_stash_drop(const char *stash)
{
    struct stat st;

    if (stash[0] == '\0')
        return;
    if (lstat(stash, &st) == 0 && st.st_nlink == 1)
        powercut_file_forget(st.st_dev, st.st_ino);
    powercut_real()->unlinkat(AT_FDCWD, stash, 0);
}

static char *copy(const char *text)
{
    char *out = text != NULL ? strdup(text) : NULL;

    if (text != NULL && out == NULL)
        abort();
    return out;
}

static void name_remove(struct name *n)
{
    if (n->before != NULL)
        n->before->after = n->after;
    else
        first = n->after;
    if (n->after != NULL)
        n->after->before = n->before;
    else
        last = n->before;
    count--;
    free(n->path);
    free(n->to);
    free(n->stash);
    free(n);
}

void powercut_name_add(enum powercut_name_kind kind, const char *path, const char *to, const char *stash)
{
    struct name *n = calloc(1, sizeof(*n));

    if (n == NULL)
        abort();
    *n = (struct name){ .number = ++names, .kind = kind, .path = copy(path), .to = copy(to), .stash = copy(stash) };
    n->before = last;
    if (last != NULL)
        last->after = n;
    else
        first = n;
    last = n;
    if (++count > NAMES_MAX)
        powercut_names_synced(first->number);
}

static bool is_in(const char *path, const char *directory)
{
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;

    return slash != NULL && strlen(directory) == (size_t)(slash - path) &&
           strncmp(path, directory, (size_t)(slash - path)) == 0;
}

uint64_t powercut_names_mark(const char *directory)
{
    for (struct name *n = last; n != NULL; n = n->before)
        if (is_in(n->path, directory) || is_in(n->to, directory))
            return n->number;
    return 0;
}

uint64_t powercut_names_mark_all(void)
{
    return names;
}

void powercut_names_synced(uint64_t mark)
{
    while (first != NULL && first->number <= mark) {
        powercut_stash_drop(first->stash);
        name_remove(first);
    }
}

/* Errors are of no interest: what is in the way was put there by calls that are not tracked. */
static void undo(const struct name *n)
{
    const struct powercut_real *real = powercut_real();
    int result = 0;

    switch (n->kind) {
    case NAME_CREATE:
        result = real->unlinkat(AT_FDCWD, n->path, 0);
        break;
    case NAME_UNLINK:
        if (n->stash[0] != '\0')
            result = real->linkat(AT_FDCWD, n->stash, AT_FDCWD, n->path, 0);
        break;
    case NAME_RENAME:
        result = real->renameat2(AT_FDCWD, n->to, AT_FDCWD, n->path, 0);
        if (result == 0 && n->stash[0] != '\0')
            result = real->linkat(AT_FDCWD, n->stash, AT_FDCWD, n->to, 0);
        break;
    case NAME_MKDIR:
        result = real->unlinkat(AT_FDCWD, n->path, AT_REMOVEDIR);
        break;
    case NAME_RMDIR:
        result = real->mkdirat(AT_FDCWD, n->path, 0700);
        break;
    }
    (void)result;
}

unsigned powercut_names_cut(void)
{
    unsigned style = (unsigned)(powercut_random() % 3), some = (unsigned)(powercut_random() % (count + 1));
    unsigned to_undo = style == 0 ? 0 : style == 1 ? count : some;

    for (unsigned i = 0; i < to_undo; i++) {
        undo(last);
        name_remove(last);
    }
    return to_undo;
}

void powercut_stash_remove(void)
{
    DIR *dir = opendir(powercut_stash());
    struct dirent *entry;

    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            powercut_real()->unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    powercut_real()->unlinkat(AT_FDCWD, powercut_stash(), AT_REMOVEDIR);
}

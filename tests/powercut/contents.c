/* contents.c -- what of each file's content would survive: an undo journal of everything since its last sync.
 *
 * A change keeps only the bytes that it overwrote; an append keeps none.  At the cut the changes are undone from the
 * last to the first, each taking the bytes that it had written (so new content is never held before), which gives the
 * synced content; then a random part of them is made again, in order, by sectors.
 *
 * What a file system may do, and so this does: keep or lose any sector of what was not synced; lose a later size; leave
 * zeros where a later write survived and an earlier did not.  A lost truncation loses all that came after it in that
 * file, because its blocks were freed by a journal entry that is gone. */
#include "powercut_int.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUCKETS = 1024 };

struct powercut_change {
    struct powercut_change *before;
    struct powercut_change *after;
    uint64_t number;
    bool is_size; /* the size was set; else bytes were written */
    off_t at;
    size_t size;       /* bytes written, or cut off */
    off_t size_before; /* of the file */
    off_t size_after;
    uint8_t *old; /* what was at AT before */
    size_t old_size;
    uint8_t *new; /* only during the cut */
};

struct powercut_file {
    struct powercut_file *next;
    dev_t device;
    ino_t number;
    int fd; /* our own, reading and writing, while there are changes; else -1 */
    struct powercut_change *first;
    struct powercut_change *last;
};

static struct powercut_file *buckets[BUCKETS];
static uint64_t changes; /* numbered from 1 */

static struct powercut_file **bucket_of(dev_t device, ino_t number)
{
    return &buckets[(device * 31 + number) % BUCKETS];
}

static struct powercut_file *find(dev_t device, ino_t number)
{
    struct powercut_file *f = *bucket_of(device, number);

    while (f != NULL && (f->device != device || f->number != number))
        f = f->next;
    return f;
}

/* Our own descriptor of what FD has open; false when it is not below the directory (a number that was used again). */
static bool file_reopen(struct powercut_file *file, int fd)
{
    char link[64], path[PATH_BYTES];
    ssize_t size;

    if (file->fd >= 0)
        return true;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    size = readlink(link, path, sizeof(path) - 1);
    if (size <= 0)
        return false;
    path[size] = '\0';
    if (!powercut_is_below(path))
        return false;
    file->fd = powercut_real()->openat(AT_FDCWD, link, O_RDWR | O_CLOEXEC);
    return file->fd >= 0;
}

struct powercut_file *powercut_file_of(int fd)
{
    struct stat st;
    struct powercut_file *file;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return NULL;
    file = find(st.st_dev, st.st_ino);
    return file != NULL && file_reopen(file, fd) ? file : NULL;
}

void powercut_file_add(int fd)
{
    struct stat st;
    struct powercut_file *file;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || find(st.st_dev, st.st_ino) != NULL)
        return;
    file = calloc(1, sizeof(*file));
    if (file == NULL)
        abort();
    *file = (struct powercut_file){ .device = st.st_dev, .number = st.st_ino, .fd = -1 };
    file->next = *bucket_of(st.st_dev, st.st_ino);
    *bucket_of(st.st_dev, st.st_ino) = file;
}

/* ---- the journal ---- */

static uint8_t *read_all(int fd, off_t at, size_t size)
{
    uint8_t *data = calloc(1, size > 0 ? size : 1);
    size_t done = 0;

    if (data == NULL)
        abort();
    while (done < size) {
        ssize_t n = pread(fd, data + done, size - done, at + (off_t)done);

        if (n <= 0)
            break; /* past the end: zeros */
        done += (size_t)n;
    }
    return data;
}

static void write_all(int fd, const uint8_t *data, size_t size, off_t at)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = powercut_real()->pwrite(fd, data + done, size - done, at + (off_t)done);

        if (n <= 0)
            abort(); /* the disk is really full: nothing of this run can be trusted */
        done += (size_t)n;
    }
}

static void set_size(int fd, off_t size)
{
    if (powercut_real()->ftruncate(fd, size) != 0)
        abort();
}

static off_t file_size(const struct powercut_file *file)
{
    struct stat st;

    return fstat(file->fd, &st) == 0 ? st.st_size : 0;
}

static struct powercut_change *change_add(struct powercut_file *file, off_t at, size_t size, bool is_size)
{
    struct powercut_change *c = calloc(1, sizeof(*c));

    if (c == NULL)
        abort();
    c->number = ++changes;
    c->is_size = is_size;
    c->at = at;
    c->size = size;
    c->size_before = file_size(file);
    c->before = file->last;
    if (file->last != NULL)
        file->last->after = c;
    else
        file->first = c;
    file->last = c;
    if (at < c->size_before) {
        off_t left = c->size_before - at;

        c->old_size = (off_t)size < left ? size : (size_t)left;
        c->old = read_all(file->fd, at, c->old_size);
    }
    return c;
}

static void change_remove(struct powercut_file *file, struct powercut_change *c)
{
    if (c->before != NULL)
        c->before->after = c->after;
    else
        file->first = c->after;
    if (c->after != NULL)
        c->after->before = c->before;
    else
        file->last = c->before;
    free(c->old);
    free(c->new);
    free(c);
    if (file->first == NULL) {
        close(file->fd);
        file->fd = -1;
    }
}

struct powercut_change *powercut_change_write(struct powercut_file *file, off_t at, size_t size)
{
    return change_add(file, at < 0 ? file_size(file) : at, size, false);
}

struct powercut_change *powercut_change_size(struct powercut_file *file, off_t size)
{
    off_t now = file_size(file);
    struct powercut_change *c = change_add(file, size, size < now ? (size_t)(now - size) : 0, true);

    c->size_after = size;
    return c;
}

void powercut_change_end(struct powercut_file *file, struct powercut_change *c, ssize_t done)
{
    if (done <= 0) {
        change_remove(file, c);
        return;
    }
    if (c->is_size)
        return;
    if ((size_t)done < c->size)
        c->size = (size_t)done;
    if (c->old_size > c->size)
        c->old_size = c->size;
    c->size_after = c->at + (off_t)c->size > c->size_before ? c->at + (off_t)c->size : c->size_before;
}

uint64_t powercut_contents_mark(void)
{
    return changes;
}

void powercut_file_synced(struct powercut_file *file, uint64_t mark)
{
    while (file->first != NULL && file->first->number <= mark)
        change_remove(file, file->first);
    if (file->first == NULL && file->fd >= 0) {
        close(file->fd);
        file->fd = -1;
    }
}

void powercut_contents_synced(uint64_t mark)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct powercut_file *f = buckets[i]; f != NULL; f = f->next)
            powercut_file_synced(f, mark);
}

void powercut_file_forget(dev_t device, ino_t number)
{
    struct powercut_file **at = bucket_of(device, number), *file;

    while (*at != NULL && ((*at)->device != device || (*at)->number != number))
        at = &(*at)->next;
    file = *at;
    if (file == NULL)
        return;
    while (file->first != NULL)
        change_remove(file, file->first);
    *at = file->next;
    free(file);
}

/* ---- the cut ---- */

static void undo(struct powercut_file *file, struct powercut_change *c)
{
    if (!c->is_size)
        c->new = read_all(file->fd, c->at, c->size);
    set_size(file->fd, c->size_before);
    if (c->old_size > 0)
        write_all(file->fd, c->old, c->old_size, c->at);
}

/* Writes the sectors of C that CHOOSE (0 none, 1 all, 2 any, 3 a first part) keeps. */
static void redo_write(struct powercut_file *file, const struct powercut_change *c, unsigned choose)
{
    off_t end = c->at + (off_t)c->size, first_part = end;

    if (choose == 0)
        return;
    if (choose == 3)
        first_part = c->at + (off_t)(powercut_random() % (c->size + 1));
    for (off_t at = c->at; at < end;) {
        off_t next = (at / SECTOR_BYTES + 1) * SECTOR_BYTES;

        if (next > end)
            next = end;
        if (choose == 1 || (choose == 2 && powercut_random() % 2) || (choose == 3 && next <= first_part))
            write_all(file->fd, c->new + (at - c->at), (size_t)(next - at), at);
        at = next;
    }
}

static void redo(struct powercut_file *file)
{
    unsigned style = (unsigned)(powercut_random() % 4), count = 0, kept;
    unsigned done = 0;

    for (struct powercut_change *c = file->first; c != NULL; c = c->after)
        count++;
    kept = (unsigned)(powercut_random() % (count + 1));
    for (struct powercut_change *c = file->first; c != NULL; c = c->after, done++) {
        unsigned choose = style == 0   ? 0 /* nothing more */
                          : style == 1 ? 1 /* everything, as the kernel had it */
                          : style == 2 ? (done < kept    ? 1
                                          : done == kept ? 3
                                                         : 0)               /* in order, the last one torn */
                                       : (unsigned)(powercut_random() % 3); /* in any order */

        if (c->is_size && choose == 0)
            return;
        if (c->is_size)
            set_size(file->fd, c->size_after);
        else
            redo_write(file, c, choose);
    }
}

unsigned powercut_contents_cut(void)
{
    unsigned files = 0;

    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct powercut_file *f = buckets[i]; f != NULL; f = f->next) {
            if (f->first == NULL)
                continue;
            files++;
            for (struct powercut_change *c = f->last; c != NULL; c = c->before)
                undo(f, c);
            redo(f);
        }
    }
    return files;
}

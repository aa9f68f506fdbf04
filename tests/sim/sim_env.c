/* sim_env.c -- see sim_env.h.  Two tables of names (now, and on disk), inodes with two contents (now, and on disk), and
 * the list of name changes that no sync_dir has made lasting.  Sizes are small: linear searches. */
#include "sim_env.h"

#include <stdio.h>
#include <string.h>

enum { SECTOR = 512, CLOCK_START_S = 1700000000 };

struct inode {
    int refs;
    bool is_dir;
    struct mr_writer now;
    struct mr_writer disk;
    bool dirty;
    size_t dirty_from; /* bytes that may differ from disk */
    size_t dirty_to;
};

struct name {
    char *path;
    struct inode *inode;
};

struct table {
    struct name *names;
    size_t count;
    size_t capacity;
};

/* A change of names: TO (may be NULL) becomes INODE, FROM (may be NULL) goes; both in DIR. */
struct change {
    char *dir;
    char *from;
    char *to;
    struct inode *inode;
};

struct sim_env {
    struct mr_env env;
    uint64_t state;
    struct table now;
    struct table disk;
    struct change *changes;
    size_t change_count;
    size_t change_capacity;
    int64_t clock_us;
    enum sim_fault fault;
    uint64_t fault_in; /* calls until it happens; 0: never */
    bool off;
    int open_files;
};

struct sim_file {
    struct mr_file file;
    struct inode *inode;
};

static struct sim_env *sim_of(struct mr_env *env)
{
    return (struct sim_env *)env;
}

/* ---- chance (splitmix64) and time ---- */

static uint64_t random_next(struct sim_env *sim)
{
    uint64_t z = (sim->state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t sim_env_random(struct sim_env *sim, uint64_t limit)
{
    return random_next(sim) % limit;
}

static void env_random(struct mr_env *env, void *out, size_t size)
{
    uint8_t *at = out;

    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)random_next(sim_of(env));
}

static int64_t env_now_us(struct mr_env *env)
{
    return sim_of(env)->clock_us;
}

static int64_t env_monotonic_ns(struct mr_env *env)
{
    return sim_of(env)->clock_us * 1000;
}

void sim_env_advance_ms(struct sim_env *sim, int64_t ms)
{
    sim->clock_us += ms * 1000;
}

/* ---- inodes and tables ---- */

static struct inode *inode_new(bool is_dir)
{
    struct inode *inode = MR_NEW(struct inode);

    inode->is_dir = is_dir;
    return inode;
}

static struct inode *inode_ref(struct inode *inode)
{
    inode->refs++;
    return inode;
}

static void inode_unref(struct inode *inode)
{
    if (--inode->refs > 0)
        return;
    mr_writer_deinit(&inode->now);
    mr_writer_deinit(&inode->disk);
    mr_free(inode);
}

static struct name *table_find(struct table *table, const char *path)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->names[i].path, path) == 0)
            return &table->names[i];
    }
    return NULL;
}

static void table_remove(struct table *table, const char *path)
{
    struct name *name = table_find(table, path);

    if (name == NULL)
        return;
    mr_free(name->path);
    inode_unref(name->inode);
    *name = table->names[--table->count];
}

static void table_put(struct table *table, const char *path, struct inode *inode)
{
    inode_ref(inode);
    table_remove(table, path);
    MR_GROW(table->names, table->count, table->capacity);
    table->names[table->count++] = (struct name){ mr_strdup(path), inode };
}

static void table_clear(struct table *table)
{
    while (table->count > 0)
        table_remove(table, table->names[0].path);
    mr_free(table->names);
    *table = (struct table){ 0 };
}

static char *parent_of(const char *path)
{
    char *parent = mr_strdup(path), *slash = strrchr(parent, '/');

    assert(slash != NULL);
    slash[slash == parent ? 1 : 0] = '\0';
    return parent;
}

/* Takes PATH's table entries of what lies below it along: directories are renamed with all their files. */
static void table_rename_below(struct table *table, const char *from, const char *to)
{
    size_t size = strlen(from);

    for (size_t i = 0; i < table->count; i++) {
        char *path = table->names[i].path, joined[2 * MR_PATH_BYTES];

        if (strncmp(path, from, size) != 0 || path[size] != '/')
            continue;
        snprintf(joined, sizeof(joined), "%s%s", to, path + size);
        mr_free(path);
        table->names[i].path = mr_strdup(joined);
    }
}

static void change_apply(struct table *table, const struct change *change)
{
    if (change->from != NULL && change->to != NULL)
        table_rename_below(table, change->from, change->to);
    if (change->from != NULL)
        table_remove(table, change->from);
    if (change->to != NULL)
        table_put(table, change->to, change->inode);
}

static void change_free(struct change *change)
{
    mr_free(change->dir);
    mr_free(change->from);
    mr_free(change->to);
    inode_unref(change->inode);
}

static void change_add(struct sim_env *sim, const char *from, const char *to, struct inode *inode)
{
    struct change change = { parent_of(to != NULL ? to : from), from != NULL ? mr_strdup(from) : NULL,
                             to != NULL ? mr_strdup(to) : NULL, inode_ref(inode) };

    change_apply(&sim->now, &change);
    MR_GROW(sim->changes, sim->change_count, sim->change_capacity);
    sim->changes[sim->change_count++] = change;
}

/* ---- faults ---- */

void sim_env_fail(struct sim_env *sim, enum sim_fault fault, uint64_t n)
{
    sim->fault = fault;
    sim->fault_in = n;
}

void sim_env_fail_clear(struct sim_env *sim)
{
    sim->fault_in = 0;
}

bool sim_env_off(const struct sim_env *sim)
{
    return sim->off;
}

/* Counts a changing call: what happens to it. */
static enum sim_fault call_fault(struct sim_env *sim)
{
    sim->clock_us += 50;
    if (sim->off)
        return SIM_FAULT_POWER;
    if (sim->fault_in == 0 || --sim->fault_in > 0)
        return SIM_FAULT_NONE;
    if (sim->fault == SIM_FAULT_POWER)
        sim->off = true;
    return sim->fault;
}

bool sim_env_call(struct sim_env *sim, bool *done)
{
    bool was_off = sim->off;
    enum sim_fault fault = call_fault(sim);

    *done = fault == SIM_FAULT_NONE || (fault == SIM_FAULT_POWER && !was_off && sim_env_random(sim, 2) == 0);
    return fault == SIM_FAULT_NONE;
}

static enum mr_status call(struct sim_env *sim, const char *what, const char *path, struct mr_err *err)
{
    switch (call_fault(sim)) {
    case SIM_FAULT_NONE:
        break;
    case SIM_FAULT_IO:
        return mr_err_set(err, MR_IO, "%s %s: simulated I/O error", what, path);
    case SIM_FAULT_FULL:
        return mr_err_set(err, MR_IO, "%s %s: simulated full disk", what, path);
    case SIM_FAULT_POWER:
        return mr_err_set(err, MR_IO, "%s %s: the power is off", what, path);
    }
    return MR_OK;
}

/* ---- files ---- */

static enum mr_status env_open(struct mr_env *env, struct mr_file **out, const char *path, int flags,
                               struct mr_err *err)
{
    struct sim_env *sim = sim_of(env);
    struct name *name = table_find(&sim->now, path);
    struct sim_file *file;
    struct inode *inode;
    enum mr_status status;

    if (name != NULL && flags & MR_OPEN_EXCLUSIVE)
        return mr_err_set(err, MR_EXISTS, "open %s: exists", path);
    if (name == NULL && !(flags & MR_OPEN_CREATE))
        return mr_err_set(err, MR_NOT_FOUND, "open %s: not found", path);
    if (name == NULL || flags & MR_OPEN_TRUNCATE) {
        status = call(sim, "open", path, err);
        if (status != MR_OK)
            return status;
    }
    if (name == NULL) {
        char *parent = parent_of(path);
        bool there = table_find(&sim->now, parent) != NULL;

        mr_free(parent);
        if (!there)
            return mr_err_set(err, MR_NOT_FOUND, "open %s: no such directory", path);
        change_add(sim, NULL, path, inode_new(false));
        name = table_find(&sim->now, path);
    }
    inode = name->inode;
    if (flags & MR_OPEN_TRUNCATE && inode->now.size > 0) {
        inode->dirty = true;
        inode->dirty_from = 0;
        inode->dirty_to = inode->now.size;
        inode->now.size = 0;
    }
    file = MR_NEW(struct sim_file);
    file->file.env = env;
    file->file.path = mr_strdup(path);
    file->inode = inode_ref(inode);
    sim->open_files++;
    *out = &file->file;
    return MR_OK;
}

static struct inode *inode_of(struct mr_file *file)
{
    return ((struct sim_file *)file)->inode;
}

static void env_close(struct mr_file *file)
{
    sim_of(file->env)->open_files--;
    inode_unref(inode_of(file));
    mr_free(file->path);
    mr_free(file);
}

static enum mr_status env_pread(struct mr_file *file, void *out, size_t size, int64_t at, size_t *got,
                                struct mr_err *err)
{
    const struct mr_writer *now = &inode_of(file)->now;
    size_t from = (size_t)at;

    MR_UNUSED(err);
    *got = from >= now->size ? 0 : now->size - from < size ? now->size - from : size;
    if (*got > 0)
        memcpy(out, now->data + from, *got);
    return MR_OK;
}

static void dirty_add(struct inode *inode, size_t from, size_t to)
{
    if (!inode->dirty || from < inode->dirty_from)
        inode->dirty_from = from;
    if (!inode->dirty || to > inode->dirty_to)
        inode->dirty_to = to;
    inode->dirty = true;
}

/* Sets the size, with zeros in what is new. */
static void content_resize(struct mr_writer *content, size_t size)
{
    if (size > content->size)
        memset(mr_writer_reserve(content, size - content->size), 0, size - content->size);
    content->size = size;
}

static void content_write(struct inode *inode, const void *data, size_t size, size_t at)
{
    if (size == 0)
        return;
    if (at + size > inode->now.size)
        content_resize(&inode->now, at + size);
    memcpy(inode->now.data + at, data, size);
    dirty_add(inode, at, at + size);
}

static enum mr_status env_pwrite(struct mr_file *file, const void *data, size_t size, int64_t at, struct mr_err *err)
{
    struct sim_env *sim = sim_of(file->env);
    bool was_off = sim->off;
    enum mr_status status = call(sim, "write", file->path, err);

    if (status != MR_OK && !was_off) /* any part of it may be there */
        size = size > 0 ? sim_env_random(sim, size + 1) : 0;
    if (status == MR_OK || !was_off)
        content_write(inode_of(file), data, size, (size_t)at);
    return status;
}

/* Makes the sectors of the dirty range lasting; when PARTLY, each by chance. */
static void inode_flush(struct sim_env *sim, struct inode *inode, bool partly)
{
    struct mr_writer *now = &inode->now, *disk = &inode->disk;

    if (!inode->dirty)
        return;
    if (!partly)
        content_resize(disk, now->size);
    for (size_t at = inode->dirty_from / SECTOR * SECTOR; at < inode->dirty_to && at < now->size; at += SECTOR) {
        size_t size = now->size - at < SECTOR ? now->size - at : SECTOR;

        if (partly && sim_env_random(sim, 2) == 0)
            continue;
        if (disk->size < at + size)
            content_resize(disk, at + size);
        memcpy(disk->data + at, now->data + at, size);
    }
    inode->dirty = false;
}

static enum mr_status env_sync(struct mr_file *file, struct mr_err *err)
{
    struct sim_env *sim = sim_of(file->env);
    enum mr_status status = call(sim, "sync", file->path, err);

    if (status == MR_OK)
        inode_flush(sim, inode_of(file), false);
    else if (!sim->off)
        inode_flush(sim, inode_of(file), true);
    return status;
}

static enum mr_status env_truncate(struct mr_file *file, int64_t size, struct mr_err *err)
{
    struct inode *inode = inode_of(file);
    size_t old = inode->now.size;
    enum mr_status status = call(sim_of(file->env), "truncate", file->path, err);

    if (status != MR_OK)
        return status;
    content_resize(&inode->now, (size_t)size);
    dirty_add(inode, (size_t)size < old ? (size_t)size : old, (size_t)size < old ? old : (size_t)size);
    return MR_OK;
}

static enum mr_status env_size(struct mr_file *file, int64_t *out, struct mr_err *err)
{
    MR_UNUSED(err);
    *out = (int64_t)inode_of(file)->now.size;
    return MR_OK;
}

static int env_descriptor(struct mr_file *file)
{
    MR_UNUSED(file);
    return -1;
}

/* ---- names ---- */

static enum mr_status env_rename(struct mr_env *env, const char *from, const char *to, struct mr_err *err)
{
    struct sim_env *sim = sim_of(env);
    struct name *name = table_find(&sim->now, from);
    enum mr_status status = call(sim, "rename", from, err);

    if (status != MR_OK)
        return status;
    if (name == NULL)
        return mr_err_set(err, MR_NOT_FOUND, "rename %s: not found", from);
    change_add(sim, from, to, name->inode);
    return MR_OK;
}

static bool dir_empty(struct sim_env *sim, const char *path)
{
    size_t size = strlen(path);

    for (size_t i = 0; i < sim->now.count; i++) {
        if (strncmp(sim->now.names[i].path, path, size) == 0 && sim->now.names[i].path[size] == '/')
            return false;
    }
    return true;
}

static enum mr_status env_unlink(struct mr_env *env, const char *path, struct mr_err *err)
{
    struct sim_env *sim = sim_of(env);
    struct name *name = table_find(&sim->now, path);
    enum mr_status status;

    if (name == NULL)
        return mr_err_set(err, MR_NOT_FOUND, "remove %s: not found", path);
    status = call(sim, "remove", path, err);
    if (status != MR_OK)
        return status;
    if (name->inode->is_dir && !dir_empty(sim, path))
        return mr_err_set(err, MR_IO, "remove %s: not empty", path);
    change_add(sim, path, NULL, name->inode);
    return MR_OK;
}

static enum mr_status env_mkdir(struct mr_env *env, const char *path, struct mr_err *err)
{
    struct sim_env *sim = sim_of(env);
    enum mr_status status;

    if (table_find(&sim->now, path) != NULL)
        return MR_OK;
    status = call(sim, "mkdir", path, err);
    if (status == MR_OK)
        change_add(sim, NULL, path, inode_new(true));
    return status;
}

static enum mr_status env_sync_dir(struct mr_env *env, const char *path, struct mr_err *err)
{
    struct sim_env *sim = sim_of(env);
    size_t kept = 0;
    enum mr_status status = call(sim, "sync directory", path, err);

    if (status != MR_OK)
        return status;
    for (size_t i = 0; i < sim->change_count; i++) {
        if (strcmp(sim->changes[i].dir, path) != 0) {
            sim->changes[kept++] = sim->changes[i];
            continue;
        }
        change_apply(&sim->disk, &sim->changes[i]);
        change_free(&sim->changes[i]);
    }
    sim->change_count = kept;
    return MR_OK;
}

static enum mr_status env_list_dir(struct mr_env *env, const char *path, mr_env_entry_fn *each, void *arg,
                                   struct mr_err *err)
{
    struct sim_env *sim = sim_of(env);
    size_t size = strlen(path);

    if (table_find(&sim->now, path) == NULL)
        return mr_err_set(err, MR_NOT_FOUND, "list %s: not found", path);
    for (size_t i = 0; i < sim->now.count; i++) {
        const struct name *name = &sim->now.names[i];

        if (strncmp(name->path, path, size) == 0 && name->path[size] == '/' &&
            strchr(name->path + size + 1, '/') == NULL)
            each(arg, name->path + size + 1, name->inode->is_dir);
    }
    return MR_OK;
}

/* ---- power ---- */

/* What a sector, or the size, becomes that was not synced. */
static void inode_cut(struct sim_env *sim, struct inode *inode)
{
    struct mr_writer *now = &inode->now, *disk = &inode->disk;

    if (inode->dirty) {
        size_t low = disk->size < now->size ? disk->size : now->size;
        size_t high = disk->size < now->size ? now->size : disk->size;
        size_t choice = sim_env_random(sim, 3), synced = disk->size;
        size_t size = choice == 0 ? disk->size : choice == 1 ? now->size : low + sim_env_random(sim, high - low + 1);

        content_resize(disk, size);
        for (size_t at = inode->dirty_from / SECTOR * SECTOR; at < inode->dirty_to && at < size; at += SECTOR) {
            size_t end = at + SECTOR < size ? at + SECTOR : size;

            end = end < now->size ? end : now->size;
            switch (end > at ? sim_env_random(sim, 6) : 0) {
            case 0: /* lost */
                break;
            case 1: /* torn */
                memcpy(disk->data + at, now->data + at, sim_env_random(sim, end - at + 1));
                break;
            case 2: /* zero: allocated and not written, which needs a sector that the disk did not have */
                if (at >= synced)
                    memset(disk->data + at, 0, end - at);
                break;
            default: /* kept */
                memcpy(disk->data + at, now->data + at, end - at);
            }
        }
    }
    inode->dirty = false;
    now->size = 0;
    if (disk->size > 0)
        mr_write_bytes(now, mr_writer_bytes(disk));
}

void sim_env_power_cut(struct sim_env *sim)
{
    bool prefix = sim_env_random(sim, 2) == 0;
    size_t upto = sim_env_random(sim, sim->change_count + 1);

    assert(sim->open_files == 0);
    for (size_t i = 0; i < sim->change_count; i++) {
        if (prefix ? i < upto : sim_env_random(sim, 2) == 0)
            change_apply(&sim->disk, &sim->changes[i]);
        change_free(&sim->changes[i]);
    }
    sim->change_count = 0;
    table_clear(&sim->now);
    for (size_t i = 0; i < sim->disk.count; i++)
        inode_cut(sim, sim->disk.names[i].inode);
    for (size_t i = 0; i < sim->disk.count;) { /* a name without its directory is no name */
        char *parent = parent_of(sim->disk.names[i].path);
        bool there = table_find(&sim->disk, parent) != NULL;

        mr_free(parent);
        if (there) {
            i++;
        } else {
            table_remove(&sim->disk, sim->disk.names[i].path);
            i = 0;
        }
    }
    for (size_t i = 0; i < sim->disk.count; i++)
        table_put(&sim->now, sim->disk.names[i].path, sim->disk.names[i].inode);
    sim->off = false;
    sim->fault_in = 0;
}

/* ---- the whole ---- */

struct sim_env *sim_env_new(uint64_t seed)
{
    static const struct mr_env_ops ops = {
        .now_us = env_now_us,
        .monotonic_ns = env_monotonic_ns,
        .random = env_random,
        .open = env_open,
        .close = env_close,
        .pread = env_pread,
        .pwrite = env_pwrite,
        .sync = env_sync,
        .truncate = env_truncate,
        .size = env_size,
        .descriptor = env_descriptor,
        .rename = env_rename,
        .unlink = env_unlink,
        .mkdir = env_mkdir,
        .rmdir = env_unlink,
        .sync_dir = env_sync_dir,
        .list_dir = env_list_dir,
    };
    struct sim_env *sim = MR_NEW(struct sim_env);
    struct inode *root = inode_new(true);

    sim->env.ops = &ops;
    sim->state = seed;
    sim->clock_us = (int64_t)CLOCK_START_S * 1000000;
    table_put(&sim->now, "/", root);
    table_put(&sim->disk, "/", root);
    return sim;
}

void sim_env_free(struct sim_env *sim)
{
    if (sim == NULL)
        return;
    for (size_t i = 0; i < sim->change_count; i++)
        change_free(&sim->changes[i]);
    mr_free(sim->changes);
    table_clear(&sim->now);
    table_clear(&sim->disk);
    mr_free(sim);
}

struct mr_env *sim_env_env(struct sim_env *sim)
{
    return &sim->env;
}

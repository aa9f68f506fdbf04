/* env.c -- what is made of the environment's calls: whole files, trees, paths.  Works the same on a simulated one. */
#include "base/env.h"

#include <stdio.h>
#include <string.h>

int64_t mr_now_us(struct mr_env *env)
{
    return env->ops->now_us(env);
}

int64_t mr_now_ms(struct mr_env *env)
{
    return env->ops->now_us(env) / 1000;
}

int64_t mr_monotonic_ns(struct mr_env *env)
{
    return env->ops->monotonic_ns(env);
}

uint64_t mr_random_u64(struct mr_env *env)
{
    uint64_t v;

    env->ops->random(env, &v, sizeof(v));
    return v;
}

void mr_random_uuid(struct mr_env *env, uint8_t out[16])
{
    env->ops->random(env, out, 16);
    out[6] = (uint8_t)((out[6] & 0x0f) | 0x40);
    out[8] = (uint8_t)((out[8] & 0x3f) | 0x80);
}

enum mr_status mr_file_open(struct mr_env *env, struct mr_file **out, const char *path, int flags, struct mr_err *err)
{
    return env->ops->open(env, out, path, flags, err);
}

void mr_file_close(struct mr_file *file)
{
    if (file != NULL)
        file->env->ops->close(file);
}

enum mr_status mr_file_pread(struct mr_file *file, void *out, size_t size, int64_t at, size_t *got, struct mr_err *err)
{
    return file->env->ops->pread(file, out, size, at, got, err);
}

enum mr_status mr_file_pwrite(struct mr_file *file, const void *data, size_t size, int64_t at, struct mr_err *err)
{
    return file->env->ops->pwrite(file, data, size, at, err);
}

enum mr_status mr_file_sync(struct mr_file *file, struct mr_err *err)
{
    return file->env->ops->sync(file, err);
}

enum mr_status mr_file_truncate(struct mr_file *file, int64_t size, struct mr_err *err)
{
    return file->env->ops->truncate(file, size, err);
}

enum mr_status mr_file_size(struct mr_file *file, int64_t *out, struct mr_err *err)
{
    return file->env->ops->size(file, out, err);
}

int mr_file_descriptor(struct mr_file *file)
{
    return file->env->ops->descriptor(file);
}

const char *mr_file_path(const struct mr_file *file)
{
    return file->path;
}

enum mr_status mr_rename(struct mr_env *env, const char *from, const char *to, struct mr_err *err)
{
    return env->ops->rename(env, from, to, err);
}

enum mr_status mr_unlink(struct mr_env *env, const char *path, struct mr_err *err)
{
    return env->ops->unlink(env, path, err);
}

enum mr_status mr_mkdir(struct mr_env *env, const char *path, struct mr_err *err)
{
    return env->ops->mkdir(env, path, err);
}

enum mr_status mr_rmdir(struct mr_env *env, const char *path, struct mr_err *err)
{
    return env->ops->rmdir(env, path, err);
}

enum mr_status mr_sync_dir(struct mr_env *env, const char *path, struct mr_err *err)
{
    return env->ops->sync_dir(env, path, err);
}

enum mr_status mr_list_dir(struct mr_env *env, const char *path, mr_env_entry_fn *each, void *arg, struct mr_err *err)
{
    return env->ops->list_dir(env, path, each, arg, err);
}

enum mr_status mr_path_join(char *out, const char *dir, const char *name, struct mr_err *err)
{
    int length = snprintf(out, MR_PATH_BYTES, "%s/%s", dir, name);

    if (length < 0 || length >= MR_PATH_BYTES)
        return mr_err_set(err, MR_LIMIT, "the path %s/%s is longer than %d bytes", dir, name, MR_PATH_BYTES - 1);
    return MR_OK;
}

/* The directory that PATH stands in. */
static void path_parent(char *out, const char *path)
{
    char *slash;

    snprintf(out, MR_PATH_BYTES, "%s", path);
    slash = strrchr(out, '/');
    if (slash == NULL)
        snprintf(out, MR_PATH_BYTES, ".");
    else if (slash == out)
        out[1] = '\0';
    else
        *slash = '\0';
}

static enum mr_status mkdir_synced(struct mr_env *env, const char *path, struct mr_err *err)
{
    char parent[MR_PATH_BYTES];
    enum mr_status status = mr_mkdir(env, path, err);

    if (status != MR_OK)
        return status;
    path_parent(parent, path);
    return mr_sync_dir(env, parent, err);
}

struct list_any {
    int count;
};

static void list_any_entry(void *arg, const char *name, bool is_dir)
{
    struct list_any *any = arg;

    MR_UNUSED(name);
    MR_UNUSED(is_dir);
    any->count++;
}

static bool dir_exists(struct mr_env *env, const char *path)
{
    struct list_any any = { 0 };

    return mr_list_dir(env, path, list_any_entry, &any, NULL) == MR_OK;
}

enum mr_status mr_mkdirs(struct mr_env *env, const char *path, struct mr_err *err)
{
    char part[MR_PATH_BYTES];
    size_t length = strlen(path);

    if (length == 0 || length >= sizeof(part))
        return mr_err_set(err, MR_LIMIT, "the path has %zu bytes; 1 to %d are possible", length, MR_PATH_BYTES - 1);
    if (dir_exists(env, path))
        return MR_OK;
    memcpy(part, path, length + 1);
    for (size_t i = 1; i <= length; i++) {
        enum mr_status status;
        char kept = part[i];

        if (kept != '/' && kept != '\0')
            continue;
        part[i] = '\0';
        if (!dir_exists(env, part)) {
            status = mkdir_synced(env, part, err);
            if (status != MR_OK)
                return status;
        }
        part[i] = kept;
    }
    return MR_OK;
}

enum mr_status mr_file_read_all(struct mr_env *env, const char *path, size_t limit, struct mr_writer *out,
                                struct mr_err *err)
{
    struct mr_file *file;
    int64_t at = 0;
    enum mr_status status = mr_file_open(env, &file, path, MR_OPEN_READ, err);

    if (status != MR_OK)
        return status;
    for (;;) {
        enum { CHUNK = 65536 };
        size_t got = 0;
        uint8_t *room = mr_writer_reserve(out, CHUNK);

        status = mr_file_pread(file, room, CHUNK, at, &got, err);
        if (status != MR_OK || got == 0)
            break;
        at += (int64_t)got;
        if ((uint64_t)at > limit) {
            status = mr_err_set(err, MR_LIMIT, "%s is larger than %zu bytes", path, limit);
            break;
        }
        out->size += got;
    }
    mr_file_close(file);
    return status;
}

static enum mr_status file_write_synced(struct mr_env *env, const char *path, struct mr_bytes content,
                                        struct mr_err *err)
{
    struct mr_file *file;
    enum mr_status status = mr_file_open(env, &file, path, MR_OPEN_WRITE | MR_OPEN_CREATE | MR_OPEN_TRUNCATE, err);

    if (status != MR_OK)
        return status;
    status = mr_file_pwrite(file, content.data, content.size, 0, err);
    if (status == MR_OK)
        status = mr_file_sync(file, err);
    mr_file_close(file);
    return status;
}

enum mr_status mr_file_replace(struct mr_env *env, const char *path, struct mr_bytes content, struct mr_err *err)
{
    char fresh[MR_PATH_BYTES];
    char parent[MR_PATH_BYTES];
    enum mr_status status;

    if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
        return mr_err_set(err, MR_LIMIT, "the path %s.new is too long", path);
    status = file_write_synced(env, fresh, content, err);
    if (status == MR_OK)
        status = mr_rename(env, fresh, path, err);
    if (status != MR_OK)
        return status;
    path_parent(parent, path);
    return mr_sync_dir(env, parent, err);
}

struct remove_list {
    struct mr_arena *arena;
    struct remove_entry *first;
};

struct remove_entry {
    struct remove_entry *next;
    const char *name;
    bool is_dir;
};

static void remove_collect(void *arg, const char *name, bool is_dir)
{
    struct remove_list *list = arg;
    struct remove_entry *entry = MR_ARENA_NEW(list->arena, struct remove_entry);

    entry->name = mr_arena_str(list->arena, mr_str_of(name)).data;
    entry->is_dir = is_dir;
    entry->next = list->first;
    list->first = entry;
}

enum mr_status mr_remove_tree(struct mr_env *env, const char *path, struct mr_err *err)
{
    struct remove_list list = { .arena = mr_arena_new() };
    enum mr_status status = mr_list_dir(env, path, remove_collect, &list, err);

    for (struct remove_entry *e = list.first; status == MR_OK && e != NULL; e = e->next) {
        char below[MR_PATH_BYTES];

        status = mr_path_join(below, path, e->name, err);
        if (status == MR_OK)
            status = e->is_dir ? mr_remove_tree(env, below, err) : mr_unlink(env, below, err);
    }
    if (status == MR_OK)
        status = mr_rmdir(env, path, err);
    mr_arena_free(list.arena);
    return status == MR_NOT_FOUND ? MR_OK : status;
}

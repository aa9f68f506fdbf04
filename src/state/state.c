/* state.c -- checkpoints and keyed state of queries, in RocksDB.
 *
 *   DIR/FORMAT   "millrace-state 1\n", checked before RocksDB opens
 *   DIR/db/      keys:  size of the query's name u8 · name · kind u8 · the rest
 *                kind CHECKPOINT: nothing more          kind KEYED: operator u32, big-endian · the caller's key
 *
 * All of a query is one range, so that deleting it is one operation.  Every write is synced.  After a failed one (a
 * full disk) RocksDB takes no more; the next commit asks it to go on. */
#include "state/state.h"

#include "state/shim.h"

#include <pthread.h>
#include <rocksdb/c.h>
#include <stdlib.h>
#include <string.h>

enum { KIND_CHECKPOINT = 0x10, KIND_KEYED = 0x20, KIND_END = 0xff };
enum { WRITE_BUFFER_BYTES = 1 << 20, CACHE_BYTES = 1 << 20, FORMAT_BYTES_MAX = 64 };

static const char format_text[] = "millrace-state 1\n";

struct state {
    struct mr_env *env;
    char *dir; /* owned */
    rocksdb_t *db;
    rocksdb_options_t *options;
    rocksdb_block_based_table_options_t *table_options;
    rocksdb_cache_t *cache;
    rocksdb_readoptions_t *read_options;
    rocksdb_writeoptions_t *write_options;
    rocksdb_writeoptions_t *memory_only; /* no log */
    pthread_mutex_t lock;                /* guards BROKEN */
    bool broken;                         /* the last commit failed: RocksDB takes no writes until it is asked to */
};

struct state_batch {
    struct state *state; /* borrowed */
    rocksdb_writebatch_t *batch;
    struct mr_writer prefix; /* the query's */
    struct mr_writer key;    /* scratch */
};

/* MESSAGE is RocksDB's, freed here. */
static enum mr_status rocks_error(const struct state *state, char *message, struct mr_err *err)
{
    enum mr_status status;

    if (strncmp(message, "Corruption", 10) == 0)
        status = mr_err_set(err, MR_CORRUPT, "%s: %s", state->dir, message);
    else if (strstr(message, "lock ") != NULL && strstr(message, "LOCK") != NULL)
        status = mr_err_set(err, MR_BUSY, "%s is in use by another process", state->dir);
    else if (strstr(message, "No space left") != NULL)
        status = mr_err_set(err, MR_IO, "no space left on the disk of %s (%s)", state->dir, message);
    else
        status = mr_err_set(err, MR_IO, "%s: %s", state->dir, message);
    free(message);
    return status;
}

/* ---- open and close ---- */

/* CONTENT of the file at PATH is not format_text: from a newer version, or damaged? */
static enum mr_status format_differs(const char *path, struct mr_bytes content, struct mr_err *err)
{
    size_t name_size = strlen("millrace-state ");

    if (content.size <= name_size + 1 || memcmp(content.data, format_text, name_size) != 0)
        return mr_err_set(err, MR_CORRUPT, "%s is damaged: it should be \"%.*s\"", path, (int)sizeof(format_text) - 2,
                          format_text);
    return mr_err_set(
        err, MR_UNSUPPORTED,
        "%s says \"%.*s\" and this program reads \"%.*s\": a newer version wrote it; run that one, or give "
        "another data directory",
        path, (int)content.size - 1, (const char *)content.data, (int)sizeof(format_text) - 2, format_text);
}

static enum mr_status check_format(struct state *state, struct mr_err *err)
{
    char path[MR_PATH_BYTES];
    struct mr_writer content = { 0 };
    enum mr_status status = mr_path_join(path, state->dir, "FORMAT", err);
    struct mr_bytes ours = { (const uint8_t *)format_text, sizeof(format_text) - 1 };

    if (status != MR_OK)
        return status;
    status = mr_file_read_all(state->env, path, FORMAT_BYTES_MAX, &content, err);
    if (status == MR_NOT_FOUND)
        status = mr_file_replace(state->env, path, ours, err);
    else if (status == MR_OK && mr_bytes_compare(mr_writer_bytes(&content), ours) != 0)
        status = format_differs(path, mr_writer_bytes(&content), err);
    mr_writer_deinit(&content);
    return status;
}

static void set_options(struct state *state)
{
    rocksdb_options_t *o = rocksdb_options_create();
    rocksdb_block_based_table_options_t *t = rocksdb_block_based_options_create();

    state->options = o;
    state->table_options = t;
    state->cache = rocksdb_cache_create_lru(CACHE_BYTES);
    rocksdb_block_based_options_set_block_cache(t, state->cache);
    rocksdb_block_based_options_set_filter_policy(t, rocksdb_filterpolicy_create_bloom_full(10));
    rocksdb_block_based_options_set_format_version(t, 5);
    rocksdb_options_set_block_based_table_factory(o, t);
    rocksdb_options_set_create_if_missing(o, 1);
    rocksdb_options_set_paranoid_checks(o, 1);
    rocksdb_options_set_wal_recovery_mode(o, rocksdb_point_in_time_recovery);
    rocksdb_options_set_write_buffer_size(o, WRITE_BUFFER_BYTES);
    rocksdb_options_set_arena_block_size(o, 64 << 10);
    rocksdb_options_set_max_write_buffer_number(o, 2);
    rocksdb_options_set_max_background_jobs(o, 2);
    rocksdb_options_set_max_open_files(o, 64);
    rocksdb_options_set_max_file_opening_threads(o, 1);
    rocksdb_options_set_skip_stats_update_on_db_open(o, 1);
    rocksdb_options_set_stats_dump_period_sec(o, 0);
    rocksdb_options_set_stats_persist_period_sec(o, 0);
    rocksdb_options_set_compression(o, rocksdb_lz4_compression);
    rocksdb_options_set_info_log_level(o, 3);
    rocksdb_options_set_keep_log_file_num(o, 2);
    rocksdb_options_set_max_manifest_file_size(o, 1 << 20);
    state->read_options = rocksdb_readoptions_create();
    state->write_options = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(state->write_options, 1);
    state->memory_only = rocksdb_writeoptions_create();
    rocksdb_writeoptions_disable_WAL(state->memory_only, 1);
}

void state_close(struct state *state)
{
    if (state == NULL)
        return;
    if (state->db != NULL)
        rocksdb_close(state->db);
    if (state->options != NULL) {
        rocksdb_readoptions_destroy(state->read_options);
        rocksdb_writeoptions_destroy(state->write_options);
        rocksdb_writeoptions_destroy(state->memory_only);
        rocksdb_options_destroy(state->options);
        rocksdb_block_based_options_destroy(state->table_options);
        rocksdb_cache_destroy(state->cache);
    }
    pthread_mutex_destroy(&state->lock);
    mr_free(state->dir);
    mr_free(state);
}

enum mr_status state_open(struct state **out, const char *dir, struct mr_env *env, struct mr_err *err)
{
    struct state *state = MR_NEW(struct state);
    char path[MR_PATH_BYTES], *message = NULL;
    enum mr_status status;

    state->env = env != NULL ? env : mr_env_real();
    state->dir = mr_strdup(dir);
    pthread_mutex_init(&state->lock, NULL);
    status = mr_path_join(path, dir, "db", err);
    if (status == MR_OK)
        status = mr_mkdirs(state->env, path, err);
    if (status == MR_OK)
        status = check_format(state, err);
    if (status != MR_OK)
        goto out;
    set_options(state);
    state->db = rocksdb_open(state->options, path, &message);
    if (message != NULL) {
        state->db = NULL;
        status = rocks_error(state, message, err);
        goto out;
    }
    *out = state;
    state = NULL;
out:
    state_close(state);
    if (status != MR_OK)
        mr_err_context(err, "open the queries' state");
    return status;
}

/* ---- keys ---- */

static enum mr_status write_prefix(struct mr_writer *w, struct mr_str query, struct mr_err *err)
{
    if (query.size == 0 || query.size > STATE_QUERY_BYTES_MAX)
        return mr_err_set(err, MR_INVALID, "a query's name has 1 to %d bytes, not %zu", STATE_QUERY_BYTES_MAX,
                          query.size);
    mr_write_u8(w, (uint8_t)query.size);
    mr_write_str(w, query);
    return MR_OK;
}

static void write_keyed(struct mr_writer *w, uint32_t operator_id, struct mr_bytes key)
{
    mr_write_u8(w, KIND_KEYED);
    mr_write_u32(w, operator_id);
    mr_write_bytes(w, key);
}

static enum mr_status read_value(struct state *state, const struct mr_writer *key, struct mr_writer *out,
                                 struct mr_err *err)
{
    char *message = NULL, *value;
    enum mr_status status = MR_OK;
    size_t size = 0;

    value = rocksdb_get(state->db, state->read_options, (const char *)key->data, key->size, &size, &message);
    if (message != NULL)
        status = rocks_error(state, message, err);
    else if (value == NULL)
        status = mr_err_set(err, MR_NOT_FOUND, "no such state");
    else
        mr_write_bytes(out, (struct mr_bytes){ (uint8_t *)value, size });
    free(value);
    return status;
}

/* ---- checkpoints ---- */

enum mr_status state_checkpoint_put(struct state *state, struct mr_str query, struct mr_bytes checkpoint,
                                    struct mr_err *err)
{
    struct state_batch *batch;
    enum mr_status status;

    if (checkpoint.size > STATE_CHECKPOINT_BYTES_MAX)
        return mr_err_set(err, MR_LIMIT, "a checkpoint of %zu bytes: at most %d", checkpoint.size,
                          STATE_CHECKPOINT_BYTES_MAX);
    status = state_batch_new(&batch, state, query, err);
    if (status != MR_OK)
        return status;
    state_batch_checkpoint(batch, checkpoint);
    return state_batch_commit(batch, err);
}

enum mr_status state_checkpoint_get(struct state *state, struct mr_str query, struct mr_writer *out, struct mr_err *err)
{
    struct mr_writer key = { 0 };
    enum mr_status status = write_prefix(&key, query, err);

    if (status == MR_OK) {
        mr_write_u8(&key, KIND_CHECKPOINT);
        status = read_value(state, &key, out, err);
    }
    if (status == MR_NOT_FOUND)
        mr_err_set(err, status, "query %.*s has no checkpoint", MR_STR_ARG(query));
    mr_writer_deinit(&key);
    return status;
}

struct named {
    char *name;
    struct mr_writer checkpoint;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/* The entry under IT, whose key starts with a query's name: adds its checkpoint, if it is one, to *LIST; puts into SKIP
 * a key after all of the query. */
static void list_entry(rocksdb_iterator_t *it, struct named **list, size_t *count, size_t *capacity,
                       struct mr_writer *skip)
{
    struct mr_bytes key, value;

    key.data = (const uint8_t *)rocksdb_iter_key(it, &key.size);
    skip->size = 0;
    if (key.size < 2 || key.size < (size_t)key.data[0] + 2) {
        mr_write_bytes(skip, key);
        mr_write_u8(skip, 0);
        return;
    }
    mr_write_bytes(skip, (struct mr_bytes){ key.data, (size_t)key.data[0] + 1 });
    mr_write_u8(skip, KIND_END);
    if (key.data[key.data[0] + 1] != KIND_CHECKPOINT)
        return;
    value.data = (const uint8_t *)rocksdb_iter_value(it, &value.size);
    MR_GROW(*list, *count, *capacity);
    (*list)[*count] = (struct named){ .name = mr_str_dup((struct mr_str){ (const char *)key.data + 1, key.data[0] }) };
    mr_write_bytes(&(*list)[*count].checkpoint, value);
    (*count)++;
}

enum mr_status state_checkpoint_list(struct state *state, state_checkpoint_fn *each, void *arg, struct mr_err *err)
{
    rocksdb_iterator_t *it = rocksdb_create_iterator(state->db, state->read_options);
    struct mr_writer skip = { 0 };
    struct named *list = NULL;
    size_t count = 0, capacity = 0;
    enum mr_status status = MR_OK;
    char *message = NULL;

    rocksdb_iter_seek_to_first(it);
    while (rocksdb_iter_valid(it)) {
        list_entry(it, &list, &count, &capacity, &skip);
        rocksdb_iter_seek(it, (const char *)skip.data, skip.size);
    }
    rocksdb_iter_get_error(it, &message);
    if (message != NULL)
        status = rocks_error(state, message, err);
    rocksdb_iter_destroy(it);
    if (count > 0)
        qsort(list, count, sizeof(*list), by_name); /* stored by length, then name */
    for (size_t i = 0; i < count; i++) {
        if (status == MR_OK)
            each(arg, mr_str_of(list[i].name), mr_writer_bytes(&list[i].checkpoint));
        mr_free(list[i].name);
        mr_writer_deinit(&list[i].checkpoint);
    }
    mr_free(list);
    mr_writer_deinit(&skip);
    return status;
}

enum mr_status state_query_delete(struct state *state, struct mr_str query, struct mr_err *err)
{
    struct state_batch *batch;
    struct mr_writer end = { 0 };
    enum mr_status status = state_batch_new(&batch, state, query, err);

    if (status != MR_OK)
        return status;
    mr_write_bytes(&end, mr_writer_bytes(&batch->prefix));
    mr_write_u8(&end, KIND_END);
    rocksdb_writebatch_delete_range(batch->batch, (const char *)batch->prefix.data, batch->prefix.size,
                                    (const char *)end.data, end.size);
    mr_writer_deinit(&end);
    return state_batch_commit(batch, err);
}

/* ---- batches and keyed state ---- */

enum mr_status state_batch_new(struct state_batch **out, struct state *state, struct mr_str query, struct mr_err *err)
{
    struct state_batch *batch = MR_NEW(struct state_batch);
    enum mr_status status = write_prefix(&batch->prefix, query, err);

    if (status != MR_OK) {
        mr_free(batch);
        return status;
    }
    batch->state = state;
    batch->batch = rocksdb_writebatch_create();
    *out = batch;
    return MR_OK;
}

void state_batch_free(struct state_batch *batch)
{
    if (batch == NULL)
        return;
    rocksdb_writebatch_destroy(batch->batch);
    mr_writer_deinit(&batch->prefix);
    mr_writer_deinit(&batch->key);
    mr_free(batch);
}

static void batch_key(struct state_batch *batch)
{
    batch->key.size = 0;
    mr_write_bytes(&batch->key, mr_writer_bytes(&batch->prefix));
}

void state_batch_checkpoint(struct state_batch *batch, struct mr_bytes checkpoint)
{
    assert(checkpoint.size <= STATE_CHECKPOINT_BYTES_MAX);
    batch_key(batch);
    mr_write_u8(&batch->key, KIND_CHECKPOINT);
    rocksdb_writebatch_put(batch->batch, (const char *)batch->key.data, batch->key.size, (const char *)checkpoint.data,
                           checkpoint.size);
}

void state_batch_put(struct state_batch *batch, uint32_t operator_id, struct mr_bytes key, struct mr_bytes value)
{
    assert(key.size <= STATE_KEY_BYTES_MAX);
    batch_key(batch);
    write_keyed(&batch->key, operator_id, key);
    rocksdb_writebatch_put(batch->batch, (const char *)batch->key.data, batch->key.size, (const char *)value.data,
                           value.size);
}

void state_batch_delete(struct state_batch *batch, uint32_t operator_id, struct mr_bytes key)
{
    assert(key.size <= STATE_KEY_BYTES_MAX);
    batch_key(batch);
    write_keyed(&batch->key, operator_id, key);
    rocksdb_writebatch_delete(batch->batch, (const char *)batch->key.data, batch->key.size);
}

/* A log file that refused a write takes no other, and RocksDB begins a new one at Resume only when the memtable has
 * something to flush.  So it never is empty when a batch is written: a deletion of nothing is put there beforehand. */
static void fill(struct state *state)
{
    uint64_t entries = 1;
    char *message = NULL;

    if (rocksdb_property_int(state->db, "rocksdb.num-entries-active-mem-table", &entries) != 0 || entries > 0)
        return;
    rocksdb_delete(state->db, state->memory_only, "", 0, &message);
    free(message); /* the batch meets the same trouble and says so */
}

enum mr_status state_batch_commit(struct state_batch *batch, struct mr_err *err)
{
    struct state *state = batch->state;
    enum mr_status status = MR_OK;
    char *message = NULL;

    pthread_mutex_lock(&state->lock);
    if (state->broken)
        state_shim_resume(state->db, &message);
    if (message == NULL) {
        fill(state);
        rocksdb_write(state->db, state->write_options, batch->batch, &message);
    }
    state->broken = message != NULL;
    pthread_mutex_unlock(&state->lock);
    if (message != NULL)
        status = rocks_error(state, message, err);
    state_batch_free(batch);
    return status;
}

enum mr_status state_get(struct state *state, struct mr_str query, uint32_t operator_id, struct mr_bytes key,
                         struct mr_writer *out, struct mr_err *err)
{
    struct mr_writer k = { 0 };
    enum mr_status status = write_prefix(&k, query, err);

    if (status == MR_OK) {
        write_keyed(&k, operator_id, key);
        status = read_value(state, &k, out, err);
    }
    mr_writer_deinit(&k);
    return status;
}

enum mr_status state_scan(struct state *state, struct mr_str query, uint32_t operator_id, struct mr_bytes prefix,
                          state_entry_fn *each, void *arg, struct mr_err *err)
{
    struct mr_writer from = { 0 };
    enum mr_status status = write_prefix(&from, query, err);
    rocksdb_iterator_t *it;
    size_t key_at = from.size + 5;
    char *message = NULL;

    if (status != MR_OK) {
        mr_writer_deinit(&from);
        return status;
    }
    write_keyed(&from, operator_id, prefix);
    it = rocksdb_create_iterator(state->db, state->read_options);
    rocksdb_iter_seek(it, (const char *)from.data, from.size);
    for (; status == MR_OK && rocksdb_iter_valid(it); rocksdb_iter_next(it)) {
        struct mr_bytes key, value;

        key.data = (const uint8_t *)rocksdb_iter_key(it, &key.size);
        value.data = (const uint8_t *)rocksdb_iter_value(it, &value.size);
        if (key.size < from.size || memcmp(key.data, from.data, from.size) != 0)
            break;
        key.data += key_at;
        key.size -= key_at;
        status = each(arg, key, value);
    }
    rocksdb_iter_get_error(it, &message);
    if (message != NULL)
        status = rocks_error(state, message, err);
    rocksdb_iter_destroy(it);
    mr_writer_deinit(&from);
    return status;
}

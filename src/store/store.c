/* store.c -- the database as a whole: open, close, reads of one row, meta, figures.
 *
 *   DIR/FORMAT   "millrace-store 2\n": the version of everything below; checked before RocksDB opens.  Version 1, which
 *                had no range tombstones, is opened as it is and becomes 2: older programs would not see them
 *   DIR/db/      RocksDB, one column family
 *
 * Recovery is point-in-time: the write-ahead log is read up to its first torn record.  Every acknowledged batch was
 * synced before, so what is cut was never acknowledged. */
#include "store/store_int.h"

#include "store/shim.h"

#include <stdlib.h>
#include <string.h>

enum { MEMORY_BYTES_DEFAULT = 24 << 20, MEMORY_BYTES_MIN = 4 << 20, QUEUE_BYTES_DEFAULT = 16 << 20 };
enum { FORMAT_BYTES_MAX = 64, FLUSH_BYTES_MIN = 1 << 20 };
/* Sorted files go to the disk in pieces of this size: one large piece at their end would hold up the commits' syncs. */
enum { FILE_PIECE_BYTES = 1 << 20 };

static const char format_text[] = "millrace-store 2\n", format_text_1[] = "millrace-store 1\n";

enum mr_status store_rocks_error(const struct store *store, char *message, struct mr_err *err)
{
    enum mr_status status;

    if (strstr(message, "No space left") != NULL || strstr(message, "no space") != NULL)
        status = mr_err_set(err, MR_IO, "no space left on the disk of %s; writing goes on once there is (%s)",
                            store->dir, message);
    else if (strncmp(message, "Corruption", 10) == 0)
        status = mr_err_set(err, MR_CORRUPT, "%s: %s", store->dir, message);
    else if (strstr(message, "lock ") != NULL && strstr(message, "LOCK") != NULL)
        status = mr_err_set(err, MR_BUSY, "%s is in use by another process", store->dir);
    else
        status = mr_err_set(err, MR_IO, "%s: %s", store->dir, message);
    free(message);
    return status;
}

/* CONTENT of the file at PATH is not format_text: from a newer version, or damaged? */
static enum mr_status format_differs(const char *path, struct mr_bytes content, struct mr_err *err)
{
    size_t name_size = strlen("millrace-store ");

    if (content.size <= name_size + 1 || memcmp(content.data, format_text, name_size) != 0)
        return mr_err_set(err, MR_CORRUPT, "%s is damaged: it should be \"%.*s\"", path, (int)sizeof(format_text) - 2,
                          format_text);
    return mr_err_set(
        err, MR_UNSUPPORTED,
        "%s says \"%.*s\" and this program reads \"%.*s\": a newer version wrote it; run that one, or give "
        "another data directory",
        path, (int)content.size - 1, (const char *)content.data, (int)sizeof(format_text) - 2, format_text);
}

/* Checks DIR/FORMAT, or writes it into a new directory. */
static enum mr_status check_format(struct store *store, struct mr_err *err)
{
    char path[MR_PATH_BYTES];
    struct mr_writer content = { 0 };
    enum mr_status status = mr_path_join(path, store->dir, "FORMAT", err);
    struct mr_bytes ours = { (const uint8_t *)format_text, sizeof(format_text) - 1 };

    if (status != MR_OK)
        return status;
    status = mr_file_read_all(store->env, path, FORMAT_BYTES_MAX, &content, err);
    if (status == MR_NOT_FOUND ||
        (status == MR_OK && mr_str_equal(mr_str_of_bytes(mr_writer_bytes(&content)), mr_str_of(format_text_1))))
        status = mr_file_replace(store->env, path, ours, err);
    else if (status == MR_OK && mr_bytes_compare(mr_writer_bytes(&content), ours) != 0)
        status = format_differs(path, mr_writer_bytes(&content), err);
    mr_writer_deinit(&content);
    return status;
}

static void set_table_options(struct store *store, size_t memory_bytes)
{
    rocksdb_block_based_table_options_t *t = rocksdb_block_based_options_create();
    rocksdb_lru_cache_options_t *cache_options = rocksdb_lru_cache_options_create();

    rocksdb_lru_cache_options_set_capacity(cache_options, memory_bytes);
    rocksdb_lru_cache_options_set_num_shard_bits(cache_options, 1);
    store->cache = rocksdb_cache_create_lru_opts(cache_options);
    rocksdb_lru_cache_options_destroy(cache_options);
    rocksdb_block_based_options_set_block_cache(t, store->cache);
    rocksdb_block_based_options_set_filter_policy(t, rocksdb_filterpolicy_create_bloom_full(10));
    rocksdb_block_based_options_set_format_version(t, 5);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(t, 1);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(t, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(t, 1);
    store->table_options = t;
}

static void set_options(struct store *store, size_t memory_bytes)
{
    rocksdb_options_t *o = rocksdb_options_create();
    size_t write_bytes = memory_bytes / 3 * 2;

    store->options = o;
    set_table_options(store, memory_bytes);
    rocksdb_options_set_create_if_missing(o, 1);
    rocksdb_options_set_paranoid_checks(o, 1);
    rocksdb_options_set_wal_recovery_mode(o, rocksdb_point_in_time_recovery);
    rocksdb_options_set_block_based_table_factory(o, store->table_options);
    rocksdb_options_set_merge_operator(o, store_merge_operator_new(&store->policy));
    store->compaction_filter = store_compaction_filter_new(&store->policy);
    rocksdb_options_set_compaction_filter(o, store->compaction_filter);
    rocksdb_options_set_write_buffer_size(o, write_bytes);
    rocksdb_options_set_max_write_buffer_number(o, 3);
    rocksdb_options_set_arena_block_size(o, 256 << 10);
    rocksdb_options_set_max_background_jobs(o, 2);
    rocksdb_options_set_max_open_files(o, 256);
    rocksdb_options_set_max_file_opening_threads(o, 1);
    rocksdb_options_set_skip_stats_update_on_db_open(o, 1);
    rocksdb_options_set_stats_dump_period_sec(o, 0);
    rocksdb_options_set_compression(o, rocksdb_lz4_compression);
    rocksdb_options_set_bytes_per_sync(o, FILE_PIECE_BYTES);
    rocksdb_options_set_info_log_level(o, 3);
    rocksdb_options_set_keep_log_file_num(o, 2);
    rocksdb_options_set_max_log_file_size(o, 1 << 20);
    rocksdb_options_set_max_manifest_file_size(o, 4 << 20);
    rocksdb_options_set_max_total_wal_size(o, 4 * write_bytes);
    rocksdb_options_set_level_compaction_dynamic_level_bytes(o, 1);
    store_shim_tune(o, store->cache, write_bytes);
}

static void store_free(struct store *store)
{
    if (store->db != NULL)
        rocksdb_close(store->db);
    if (store->read_options != NULL)
        rocksdb_readoptions_destroy(store->read_options);
    if (store->write_options != NULL)
        rocksdb_writeoptions_destroy(store->write_options);
    if (store->options != NULL)
        rocksdb_options_destroy(store->options);
    if (store->compaction_filter != NULL)
        rocksdb_compactionfilter_destroy(store->compaction_filter);
    if (store->table_options != NULL)
        rocksdb_block_based_options_destroy(store->table_options);
    if (store->cache != NULL)
        rocksdb_cache_destroy(store->cache);
    mr_writer_deinit(&store->policy.filtered);
    mr_free(store->dir);
    mr_free(store);
}

enum mr_status store_open(struct store **out, const char *dir, const struct store_options *options, struct mr_err *err)
{
    struct store *store = MR_NEW(struct store);
    size_t memory_bytes = options->memory_bytes != 0 ? options->memory_bytes : MEMORY_BYTES_DEFAULT;
    char path[MR_PATH_BYTES], *message = NULL;
    enum mr_status status;

    store->env = options->env != NULL ? options->env : mr_env_real();
    store->post = options->post;
    store->durability = options->durability;
    store->queue_bytes_max = options->queue_bytes_max != 0 ? options->queue_bytes_max : QUEUE_BYTES_DEFAULT;
    store->dir = mr_strdup(dir);
    status = mr_path_join(path, dir, "db", err);
    if (status == MR_OK)
        status = mr_mkdirs(store->env, path, err);
    if (status == MR_OK)
        status = check_format(store, err);
    if (status != MR_OK)
        goto out;
    set_options(store, memory_bytes < MEMORY_BYTES_MIN ? MEMORY_BYTES_MIN : memory_bytes);
    store->read_options = rocksdb_readoptions_create();
    store->write_options = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(store->write_options, store->durability == STORE_SYNCED);
    store->db = rocksdb_open(store->options, path, &message);
    if (message != NULL) {
        store->db = NULL;
        status = store_rocks_error(store, message, err);
        goto out;
    }
    store_committer_start(store);
    *out = store;
    store = NULL;
out:
    if (store != NULL)
        store_free(store);
    if (status != MR_OK)
        mr_err_context(err, "open the tables' store");
    return status;
}

/* The log is read again at the next start, so a long one is put into a sorted file now.  A failure costs nothing but
 * that time: all is in the log. */
static void flush_before_close(struct store *store)
{
    rocksdb_flushoptions_t *options;
    uint64_t bytes = 0;
    char *message = NULL;

    if (rocksdb_property_int(store->db, "rocksdb.cur-size-active-mem-table", &bytes) != 0 || bytes < FLUSH_BYTES_MIN)
        return;
    options = rocksdb_flushoptions_create();
    rocksdb_flush(store->db, options, &message);
    rocksdb_flushoptions_destroy(options);
    free(message);
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    store_committer_stop(store);
    flush_before_close(store);
    store_free(store);
}

/* ---- reads ---- */

static bool key_is_valid(const struct store_key *key)
{
    return key->table_id != STORE_META_TABLE && key->table_id != UINT32_MAX && key->partition_key.size > 0 &&
           key->partition_key.size <= STORE_PARTITION_KEY_BYTES_MAX &&
           key->clustering.size <= STORE_CLUSTERING_BYTES_MAX;
}

static enum mr_status row_decode(struct store *store, struct mr_bytes value, const struct store_view *view,
                                 struct mr_arena *arena, struct store_row *row, struct mr_err *err)
{
    struct store_row_version version = { 0 };
    enum mr_status status = store_row_version_read(value, &version);

    if (status != MR_OK)
        mr_err_set(err, status, "%s: a row's value can't be read", store->dir);
    else if (!store_row_version_live(&version, value, view, arena, row))
        status = MR_NOT_FOUND;
    store_row_version_deinit(&version);
    return status;
}

/* The row at KEY of a partition that has range tombstones. */
static enum mr_status get_among_ranges(struct store *store, const struct store_key *key, struct mr_arena *arena,
                                       struct store_row *out, struct mr_err *err)
{
    struct mr_writer after = { 0 };
    struct store_scan_options options = { .table_id = key->table_id,
                                          .one_partition = true,
                                          .token = key->token,
                                          .partition_key = key->partition_key,
                                          .clustering_from = key->clustering,
                                          .without_static = true };
    struct store_scan *scan = NULL;
    enum mr_status status;

    mr_write_bytes(&after, key->clustering);
    mr_write_u8(&after, 0);
    options.clustering_to = mr_writer_bytes(&after);
    status = store_scan_open(&scan, store, &options, err);
    if (status == MR_OK)
        status = store_scan_next(scan, arena, out, err);
    store_scan_close(scan);
    mr_writer_deinit(&after);
    return status;
}

enum mr_status store_get(struct store *store, const struct store_key *key, struct mr_arena *arena,
                         struct store_row *out, struct mr_err *err)
{
    enum { KEYS_MAX = 3 };
    struct mr_writer keys = { 0 };
    struct store_view view = { .now_s = mr_now_us(store->env) / 1000000 };
    struct store_row row = { .key = *key };
    const char *list[KEYS_MAX];
    size_t sizes[KEYS_MAX], value_sizes[KEYS_MAX] = { 0 }, ends[KEYS_MAX];
    char *values[KEYS_MAX] = { 0 }, *messages[KEYS_MAX] = { 0 };
    int count = key->kind == STORE_ROW_CLUSTERED && key->clustering.size > 0 ? 3 : 2, i;
    enum mr_status status = MR_OK;

    if (!key_is_valid(key))
        return mr_err_set(err, MR_INVALID, "the key has %zu and %zu bytes: outside of the limits",
                          key->partition_key.size, key->clustering.size);
    store_key_write_partition(&keys, key);
    mr_write_u8(&keys, STORE_MARK_PARTITION_TOMBSTONE);
    ends[0] = keys.size;
    store_key_write(&keys, key);
    ends[1] = keys.size;
    store_key_write_partition(&keys, key);
    mr_write_u8(&keys, STORE_MARK_RANGE_TOMBSTONE);
    ends[2] = keys.size;
    for (i = 0; i < count; i++) {
        list[i] = (const char *)keys.data + (i > 0 ? ends[i - 1] : 0);
        sizes[i] = ends[i] - (i > 0 ? ends[i - 1] : 0);
    }
    /* All at once: a deletion and what it covers are seen as of one moment. */
    rocksdb_multi_get(store->db, store->read_options, (size_t)count, list, sizes, values, value_sizes, messages);
    for (i = 0; i < count; i++) {
        if (messages[i] != NULL && status == MR_OK)
            status = store_rocks_error(store, messages[i], err);
        else
            free(messages[i]);
    }
    if (status == MR_OK && values[2] != NULL) {
        status = get_among_ranges(store, key, arena, out, err);
        goto out;
    }
    if (status == MR_OK && values[0] != NULL)
        status = store_view_read(&view, (struct mr_bytes){ (uint8_t *)values[0], value_sizes[0] });
    if (status == MR_OK && values[1] == NULL)
        status = MR_NOT_FOUND;
    if (status == MR_OK)
        status = row_decode(store, (struct mr_bytes){ (uint8_t *)values[1], value_sizes[1] }, &view, arena, &row, err);
    if (status == MR_OK) {
        row.key.partition_key = mr_arena_bytes(arena, key->partition_key);
        row.key.clustering = mr_arena_bytes(arena, key->clustering);
        *out = row;
    } else if (status == MR_NOT_FOUND) {
        mr_err_set(err, status, "no such row");
    }
out:
    for (i = 0; i < count; i++)
        free(values[i]);
    mr_writer_deinit(&keys);
    return status;
}

enum mr_status store_meta_get(struct store *store, struct mr_bytes key, struct mr_writer *out, struct mr_err *err)
{
    struct mr_writer k = { 0 };
    char *message = NULL, *value;
    enum mr_status status = MR_OK;
    size_t size = 0;

    mr_write_u32(&k, STORE_META_TABLE);
    mr_write_bytes(&k, key);
    value = rocksdb_get(store->db, store->read_options, (const char *)k.data, k.size, &size, &message);
    if (message != NULL)
        status = store_rocks_error(store, message, err);
    else if (value == NULL)
        status = mr_err_set(err, MR_NOT_FOUND, "no such entry: %.*s", (int)key.size, (const char *)key.data);
    else
        mr_write_bytes(out, (struct mr_bytes){ (uint8_t *)value, size });
    free(value);
    mr_writer_deinit(&k);
    return status;
}

enum mr_status store_meta_list(struct store *store, struct mr_bytes prefix, store_meta_fn *each, void *arg,
                               struct mr_err *err)
{
    struct mr_writer from = { 0 };
    rocksdb_iterator_t *it = rocksdb_create_iterator(store->db, store->read_options);
    enum mr_status status = MR_OK;
    char *message = NULL;

    mr_write_u32(&from, STORE_META_TABLE);
    mr_write_bytes(&from, prefix);
    rocksdb_iter_seek(it, (const char *)from.data, from.size);
    for (; status == MR_OK && rocksdb_iter_valid(it); rocksdb_iter_next(it)) {
        struct mr_bytes key, value;

        key.data = (const uint8_t *)rocksdb_iter_key(it, &key.size);
        value.data = (const uint8_t *)rocksdb_iter_value(it, &value.size);
        if (key.size < from.size || memcmp(key.data, from.data, from.size) != 0)
            break;
        key.data += 4;
        key.size -= 4;
        status = each(arg, key, value);
    }
    rocksdb_iter_get_error(it, &message);
    if (message != NULL)
        status = store_rocks_error(store, message, err);
    rocksdb_iter_destroy(it);
    mr_writer_deinit(&from);
    return status;
}

/* ---- figures ---- */

static uint64_t property(struct store *store, const char *name)
{
    uint64_t value = 0;

    return rocksdb_property_int(store->db, name, &value) == 0 ? value : 0;
}

void store_stats(struct store *store, struct store_stats *out)
{
    struct store_stats s = { 0 };

    s.disk_bytes = property(store, "rocksdb.total-sst-files-size");
    s.memory_bytes = property(store, "rocksdb.cur-size-all-mem-tables") + rocksdb_cache_get_usage(store->cache) +
                     property(store, "rocksdb.estimate-table-readers-mem");
    pthread_mutex_lock(&store->lock);
    s.rows_written = store->rows_written;
    s.commits = store->commits;
    s.queue_bytes = store->queue_bytes;
    s.read_only = store->read_only;
    pthread_mutex_unlock(&store->lock);
    *out = s;
}

uint64_t store_table_bytes(struct store *store, uint32_t table_id, int64_t token_first, int64_t token_last)
{
    struct mr_writer from = { 0 }, to = { 0 };
    uint64_t size = 0;
    char *message = NULL;

    store_key_write_token(&from, table_id, token_first);
    store_key_write_token(&to, token_last == INT64_MAX ? table_id + 1 : table_id,
                          token_last == INT64_MAX ? INT64_MIN : token_last + 1);
    rocksdb_approximate_sizes(store->db, 1, (const char *const *)&from.data, &from.size, (const char *const *)&to.data,
                              &to.size, &size, &message);
    free(message);
    mr_writer_deinit(&from);
    mr_writer_deinit(&to);
    return size;
}

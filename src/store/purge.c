/* purge.c -- dropping old tombstones: a rewrite of one table from the top level down.
 *
 * merge.c says why only here: automatic compactions are paused and over, memtables are flushed before the policy is
 * set, and a manual compaction moves level by level from the top, so a full merge at the bottom has met every operand
 * that was there.  What arrives meanwhile stays above, and its own tombstones are younger than the grace. */
#include "store/store_int.h"

#include "base/logging.h"

#include <stdlib.h>
#include <time.h>

static enum mr_status set_automatic(struct store *store, bool on, struct mr_err *err)
{
    const char *const keys[] = { "disable_auto_compactions" };
    const char *const values[] = { on ? "false" : "true" };
    char *message = NULL;

    rocksdb_set_options(store->db, 1, keys, values, &message);
    return message != NULL ? store_rocks_error(store, message, err) : MR_OK;
}

static void wait_for_compactions(struct store *store)
{
    struct timespec pause = { 0, 5000000 };
    uint64_t running = 0;

    while (rocksdb_property_int(store->db, "rocksdb.num-running-compactions", &running) == 0 && running > 0)
        nanosleep(&pause, NULL);
}

static enum mr_status flush(struct store *store, struct mr_err *err)
{
    rocksdb_flushoptions_t *options = rocksdb_flushoptions_create();
    char *message = NULL;

    rocksdb_flush(store->db, options, &message);
    rocksdb_flushoptions_destroy(options);
    return message != NULL ? store_rocks_error(store, message, err) : MR_OK;
}

static void compact(struct store *store, uint32_t table_id)
{
    rocksdb_compactoptions_t *options = rocksdb_compactoptions_create();
    struct mr_writer from = { 0 }, to = { 0 };

    rocksdb_compactoptions_set_exclusive_manual_compaction(options, 1);
    rocksdb_compactoptions_set_bottommost_level_compaction(options, 2); /* force */
    store_key_write_token(&from, table_id, INT64_MIN);
    store_key_write_token(&to, table_id + 1, INT64_MIN);
    rocksdb_compact_range_opt(store->db, options, (const char *)from.data, from.size, (const char *)to.data, to.size);
    mr_writer_deinit(&from);
    mr_writer_deinit(&to);
    rocksdb_compactoptions_destroy(options);
}

enum mr_status store_purge(struct store *store, uint32_t table_id, int64_t gc_grace_s, struct mr_err *err)
{
    struct mr_err later = MR_ERR_INIT;
    enum mr_status status;

    if (atomic_flag_test_and_set(&store->purging))
        return mr_err_set(err, MR_BUSY, "another purge is running");
    if (atomic_load(&store->purge_stopped)) {
        status = mr_err_set(err, MR_BUSY, "the store is being closed");
        goto out;
    }
    status = set_automatic(store, false, err);
    if (status != MR_OK)
        goto out;
    wait_for_compactions(store);
    status = flush(store, err);
    if (status == MR_OK) {
        atomic_store(&store->policy.before_s, mr_now_us(store->env) / 1000000 - gc_grace_s);
        atomic_store(&store->policy.table_id, table_id);
        compact(store, table_id);
        atomic_store(&store->policy.table_id, STORE_META_TABLE);
        compact(store, table_id); /* the filter meets the rows that the first pass left empty */
        if (atomic_load(&store->purge_stopped))
            status = mr_err_set(err, MR_BUSY, "the store is being closed");
    }
    if (set_automatic(store, true, &later) != MR_OK)
        mr_log(MR_LOG_ERROR, "store", "automatic compaction stays off: %s", later.text);
out:
    atomic_flag_clear(&store->purging);
    return status;
}

void store_purge_stop(struct store *store)
{
    atomic_store(&store->purge_stopped, true);
    rocksdb_disable_manual_compaction(store->db);
}

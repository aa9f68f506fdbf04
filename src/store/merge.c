/* merge.c -- RocksDB's merge operator (rows reconcile without being read first) and compaction filter.
 *
 * A full merge sees the whole history of a row up to some sequence number, but newer operands, of which some may carry
 * older write times, can still be in levels above.  So a tombstone goes only while store_purge rewrites the table from
 * the top level down with nothing else compacting: then there is nothing above.  All other merges keep tombstones.
 * The filter sees stored values, never merge results: it removes rows left empty, and while a purge runs it purges the
 * values that no operand meets (a stored value is a whole history, too). */
#include "store/store_int.h"

#include <stdlib.h>
#include <string.h>

static void no_free(void *state)
{
    MR_UNUSED(state);
}

static const char *merge_name(void *state)
{
    MR_UNUSED(state);
    return "millrace.row.1";
}

static uint32_t table_of(const char *key, size_t key_size)
{
    return key_size < 4 ? STORE_META_TABLE : (uint32_t)mr_load_i32((const uint8_t *)key);
}

/* Folds operands into *ROW, using *SPARE for memory; false when one of them can't be read. */
static bool merge_fold(struct store_row_version *row, struct store_row_version *spare, const char *const *operands,
                       const size_t *sizes, int count)
{
    struct store_row_version next = { 0 };
    bool ok = true;

    for (int i = 0; i < count && ok; i++) {
        struct mr_bytes bytes = { (const uint8_t *)operands[i], sizes[i] };

        ok = store_row_version_read(bytes, &next) == MR_OK;
        if (ok) {
            struct store_row_version merged;

            store_row_version_merge(spare, row, &next);
            merged = *spare;
            *spare = *row;
            *row = merged;
        }
    }
    store_row_version_deinit(&next);
    return ok;
}

/* RocksDB frees the result with free(). */
static char *merge_result(const struct store_row_version *row, unsigned char *success, size_t *size)
{
    struct mr_writer w = { 0 };
    char *out;

    store_row_version_write(&w, row);
    out = malloc(w.size);
    if (out == NULL) {
        *success = 0;
        *size = 0;
    } else {
        memcpy(out, w.data, w.size);
        *success = 1;
        *size = w.size;
    }
    mr_writer_deinit(&w);
    return out;
}

static char *merge_all(const char *base, size_t base_size, bool has_base, const char *const *operands,
                       const size_t *sizes, int count, int64_t purge_before_s, unsigned char *success, size_t *size)
{
    struct store_row_version row = { 0 }, spare = { 0 };
    char *out = NULL;

    *success = 0;
    *size = 0;
    if ((!has_base || merge_fold(&row, &spare, &base, &base_size, 1)) &&
        merge_fold(&row, &spare, operands, sizes, count)) {
        if (purge_before_s != INT64_MIN)
            store_row_version_purge(&row, purge_before_s);
        out = merge_result(&row, success, size);
    }
    store_row_version_deinit(&row);
    store_row_version_deinit(&spare);
    return out;
}

/* Before when tombstones of KEY may go; INT64_MIN: never. */
static int64_t purge_before(struct store_purge_policy *policy, const char *key, size_t key_size)
{
    uint32_t table_id = table_of(key, key_size);
    struct store_key decoded;
    size_t partition_bytes;
    uint8_t mark;

    if (table_id == STORE_META_TABLE || atomic_load(&policy->table_id) != table_id)
        return INT64_MIN;
    if (store_key_read((struct mr_bytes){ (const uint8_t *)key, key_size }, &decoded, &mark, &partition_bytes) !=
            MR_OK ||
        mark == STORE_MARK_PARTITION_TOMBSTONE ||
        mark == STORE_MARK_RANGE_TOMBSTONE) /* go only after what they cover */
        return INT64_MIN;
    return atomic_load(&policy->before_s);
}

static char *merge_full(void *state, const char *key, size_t key_size, const char *base, size_t base_size,
                        const char *const *operands, const size_t *sizes, int count, unsigned char *success,
                        size_t *size)
{
    return merge_all(base, base_size, base != NULL, operands, sizes, count, purge_before(state, key, key_size), success,
                     size);
}

static char *merge_partial(void *state, const char *key, size_t key_size, const char *const *operands,
                           const size_t *sizes, int count, unsigned char *success, size_t *size)
{
    MR_UNUSED(state);
    MR_UNUSED(key);
    MR_UNUSED(key_size);
    return merge_all(NULL, 0, false, operands, sizes, count, INT64_MIN, success, size);
}

static void merge_free(void *state, const char *value, size_t size)
{
    MR_UNUSED(state);
    MR_UNUSED(size);
    free((void *)(uintptr_t)value);
}

rocksdb_mergeoperator_t *store_merge_operator_new(struct store_purge_policy *policy)
{
    return rocksdb_mergeoperator_create(policy, no_free, merge_full, merge_partial, merge_free, merge_name);
}

static const char *filter_name(void *state)
{
    MR_UNUSED(state);
    return "millrace.empty.1";
}

/* Non-zero removes the entry. */
static unsigned char filter(void *state, int level, const char *key, size_t key_size, const char *value,
                            size_t value_size, char **new_value, size_t *new_size, unsigned char *changed)
{
    struct store_purge_policy *policy = state;
    /* An empty row: format, no flags, eight bytes of time that mean nothing, no cells. */
    bool is_empty = value_size == 11 && value[0] == 1 && value[1] == 0 && value[10] == 0;
    struct mr_bytes bytes = { (const uint8_t *)value, value_size };
    struct store_row_version row = { 0 };
    int64_t before_s = purge_before(policy, key, key_size);

    MR_UNUSED(level);
    *changed = 0;
    if (table_of(key, key_size) == STORE_META_TABLE)
        return 0;
    if (!is_empty && before_s != INT64_MIN && store_row_version_read(bytes, &row) == MR_OK) {
        store_row_version_purge(&row, before_s);
        policy->filtered.size = 0;
        store_row_version_write(&policy->filtered, &row);
        is_empty = store_row_version_is_empty(&row);
        *changed = !is_empty && mr_bytes_compare(mr_writer_bytes(&policy->filtered), bytes) != 0;
        *new_value = (char *)policy->filtered.data; /* copied by the caller */
        *new_size = policy->filtered.size;
    }
    store_row_version_deinit(&row);
    return is_empty;
}

rocksdb_compactionfilter_t *store_compaction_filter_new(struct store_purge_policy *policy)
{
    return rocksdb_compactionfilter_create(policy, no_free, filter, filter_name);
}

/* store_int.h -- what the files of this room share: key and value formats, the merge, the handles. */
#ifndef STORE_STORE_INT_H
#define STORE_STORE_INT_H

#include "store/store.h"

#include <pthread.h>
#include <rocksdb/c.h>
#include <stdatomic.h>

/* ---- keys (key.c) ---- */

enum { STORE_META_TABLE = 0, STORE_KEY_PREFIX_BYTES = 4 + 8 + 2 };

/* What a key under a partition holds; the byte after the partition key. */
enum store_key_mark {
    STORE_MARK_PARTITION_TOMBSTONE = 0x00,
    STORE_MARK_RANGE_TOMBSTONE = 0x10,
    STORE_MARK_STATIC = 0x20,
    STORE_MARK_ROW = 0x40,
    STORE_MARK_END = 0xff, /* never stored: after all of the partition */
};

/* Appends table id, token and partition key: what all keys of a partition start with. */
void store_key_write_partition(struct mr_writer *w, const struct store_key *key);
/* Appends the whole key of a row. */
void store_key_write(struct mr_writer *w, const struct store_key *key);
/* Takes a stored key apart, borrowing from BYTES; MR_INVALID when it is none. */
MR_MUST_CHECK enum mr_status store_key_read(struct mr_bytes bytes, struct store_key *key, uint8_t *mark,
                                            size_t *partition_bytes);
/* Appends the key of the range tombstone on KEY's partition from KEY's clustering to TO. */
void store_key_write_range(struct mr_writer *w, const struct store_key *key, struct mr_bytes to);
/* The bounds in the clustering part of such a key, borrowed; MR_INVALID when it is none. */
MR_MUST_CHECK enum mr_status store_key_read_range(struct mr_bytes clustering, struct mr_bytes *from,
                                                  struct mr_bytes *to);
/* The smallest key of TABLE_ID at TOKEN (appended). */
void store_key_write_token(struct mr_writer *w, uint32_t table_id, int64_t token);

/* ---- row values (row.c) ---- */

/* A cell with all that the merge needs. */
struct store_version {
    uint32_t column_id;
    uint32_t flags; /* enum store_cell_flags, as stored */
    int64_t time_us;
    int32_t ttl_s;
    int64_t local_s; /* a tombstone: when it was made; with a TTL: when it expires */
    struct mr_bytes path;
    struct mr_bytes value;
};

/* A row with its tombstones; cells ordered by (column_id, elements tombstone first, path), each once. */
struct store_row_version {
    bool has_marker;
    int64_t marker_time_us;
    int32_t marker_ttl_s;
    int64_t marker_expires_s;
    bool is_deleted;
    int64_t deleted_time_us;
    int64_t deleted_local_s;
    struct store_version *cells; /* owned, heap */
    size_t cell_count;
    size_t cell_capacity;
};

void store_row_version_deinit(struct store_row_version *row);
/* Appends the stored form of ROW. */
void store_row_version_write(struct mr_writer *w, const struct store_row_version *row);
/* Reads the stored form into *ROW (any earlier content is dropped, its memory kept); cells borrow from BYTES. */
MR_MUST_CHECK enum mr_status store_row_version_read(struct mr_bytes bytes, struct store_row_version *row);
/* *OUT = A merged with B: commutative, associative, idempotent.  Cells borrow what those of A and B do. */
void store_row_version_merge(struct store_row_version *out, const struct store_row_version *a,
                             const struct store_row_version *b);
/* Drops tombstones made, and cells expired, before BEFORE_S.  Only where the row's whole history was seen. */
void store_row_version_purge(struct store_row_version *row, int64_t before_s);
/* Nothing in it, not even a tombstone? */
bool store_row_version_is_empty(const struct store_row_version *row);
/* Puts cells in order; of two of the same column and path the one that a merge would keep stays. */
void store_row_version_sort(struct store_row_version *row);
/* The moment and the partition tombstone that a row is seen through. */
struct store_view {
    int64_t now_s;
    bool has_deleted;
    int64_t deleted_us;
};
/* The range tombstones of one partition, as parts that do not overlap. */
struct store_range {
    struct mr_bytes from, to; /* owned by the list; to empty: to the last row */
    int64_t deleted_us;
};
struct store_ranges {
    struct mr_arena *arena;    /* owned; NULL until the first */
    struct store_range *items; /* in arena; by from */
    size_t count, capacity;
    size_t at; /* where the last one that was found is */
};
/* Forgets all. */
void store_ranges_reset(struct store_ranges *ranges);
void store_ranges_deinit(struct store_ranges *ranges);
/* Adds one; FROM and TO are copied. */
void store_ranges_add(struct store_ranges *ranges, struct mr_bytes from, struct mr_bytes to, int64_t deleted_us);
/* To be called once after the last addition. */
void store_ranges_finish(struct store_ranges *ranges);
/* When CLUSTERING was deleted by a range; false: by none. */
bool store_ranges_find(struct store_ranges *ranges, struct mr_bytes clustering, int64_t *deleted_us);

/* The live part of ROW, which was read from SOURCE, into *OUT (all but its key) and ARENA.  False, and nothing taken
 * from the arena, when nothing is live. */
bool store_row_version_live(const struct store_row_version *row, struct mr_bytes source, const struct store_view *view,
                            struct mr_arena *arena, struct store_row *out);
/* Reads a partition tombstone's value into VIEW. */
MR_MUST_CHECK enum mr_status store_view_read(struct store_view *view, struct mr_bytes tombstone);

/* ---- merge operator and compaction filter (merge.c) ---- */

/* What the merge operator may drop; set by store_purge while nothing else compacts. */
struct store_purge_policy {
    _Atomic uint32_t table_id; /* 0: nothing */
    _Atomic int64_t before_s;
    struct mr_writer filtered; /* the filter's last new value; one thread compacts while the policy is set */
};

/* Both borrow POLICY, which outlives the database. */
rocksdb_mergeoperator_t *store_merge_operator_new(struct store_purge_policy *policy);
rocksdb_compactionfilter_t *store_compaction_filter_new(struct store_purge_policy *policy);

/* ---- the store ---- */

struct store_request; /* one store_apply (commit.c) */

struct store {
    struct mr_env *env;
    struct mr_post post;
    enum store_durability durability;
    size_t queue_bytes_max;
    char *dir; /* owned */
    rocksdb_t *db;
    rocksdb_options_t *options;
    rocksdb_block_based_table_options_t *table_options;
    rocksdb_filterpolicy_t *filter;
    rocksdb_cache_t *cache;
    rocksdb_compactionfilter_t *compaction_filter;
    rocksdb_env_t *rocks_env;
    rocksdb_readoptions_t *read_options;
    rocksdb_writeoptions_t *write_options;
    struct store_purge_policy policy;
    atomic_flag purging;
    atomic_bool purge_stopped;

    pthread_t committer;
    bool committer_runs;
    pthread_mutex_t lock; /* guards the fields below */
    pthread_cond_t wake;
    struct store_request *queue_first;
    struct store_request *queue_last;
    size_t queue_bytes;
    bool stopping;
    uint64_t rows_written;
    uint64_t commits;
    bool read_only;
};

/* Starts and ends the committer's thread (commit.c). */
void store_committer_start(struct store *store);
void store_committer_stop(struct store *store);
/* Turns RocksDB's message (freed) into a status (store.c). */
enum mr_status store_rocks_error(const struct store *store, char *message, struct mr_err *err);
#endif

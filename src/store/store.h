/* store.h -- rows and cells of the CQL tables in RocksDB: write, merge, read, scan.  No network, no CQL text.
 *
 * A row is a set of cells, each with its own write time; two versions of a row are merged cell by cell, last write wins
 * (ties as in Cassandra: a tombstone beats a value, then the larger bytes win), so writes need no read and their order
 * does not matter.  Table ids are given by the caller and never used twice: DROP and TRUNCATE take a new one.  Column
 * ids are the caller's too, and are never used twice within a table.
 *
 * Durability: a mutation is visible to readers and its on_done says MR_OK only when it is on disk (STORE_RELAXED: when
 * the kernel has it; synced within a second).  All mutations of one store_apply are one atomic unit.
 *
 * Threads: every function may be called by any thread, a struct store_scan by one thread at a time.  store_apply never
 *          blocks on the disk.  store_get, store_scan_* and store_meta_* may read from the disk (block cache and bloom
 *          filters make that rare for small tables); store_open, store_close, store_purge and store_apply_wait block:
 * no event loop calls those.  Callbacks run through options->post, or on the committer's thread without one. Memory:
 * what is passed in is copied before return; rows handed out live in the arena that the caller gave. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/base.h"
#include "base/env.h"
#include "base/thread.h"

#ifdef __cplusplus
extern "C" {
#endif

struct store;
struct store_scan;

enum store_limits {
    STORE_PARTITION_KEY_BYTES_MAX = 65535,
    STORE_CLUSTERING_BYTES_MAX = 65535 + 4096, /* byte-comparable forms are a little longer than the values */
    STORE_VALUE_BYTES_MAX = 256 * 1024 * 1024, /* one cell */
    STORE_CELLS_MAX = 1 << 20,                 /* of one row */
    STORE_META_KEY_BYTES_MAX = 1024,
};

enum store_durability { STORE_SYNCED, STORE_RELAXED };

struct store_options {
    struct mr_env *env;  /* borrowed; NULL means mr_env_real() */
    struct mr_post post; /* where on_done runs; run == NULL means the committer's own thread */
    enum store_durability durability;
    size_t memory_bytes;    /* block cache and write buffers together; 0 means 16 MiB */
    size_t queue_bytes_max; /* mutations waiting for the committer; 0 means 16 MiB */
};

/* Opens the store in DIR, making it when absent.  Caller owns *OUT; store_close() releases it.
 * MR_BUSY         another process holds DIR
 * MR_UNSUPPORTED  DIR was written by a newer version
 * MR_CORRUPT      synced bytes fail their check; nothing was changed
 * MR_IO           the system refused */
MR_MUST_CHECK enum mr_status store_open(struct store **out, const char *dir, const struct store_options *options,
                                        struct mr_err *err);

/* Commits what is queued (their on_done are posted), syncs, closes.  No scan may be open.  NULL is legal. */
void store_close(struct store *store);

/* ---- rows and cells ---- */

enum store_row_kind {
    STORE_ROW_STATIC, /* the partition's static cells: no clustering; comes before the rows in a scan */
    STORE_ROW_CLUSTERED,
};

/* Where a row is.  Rows of a table are ordered by (token, partition_key, kind, clustering), bytewise. */
struct store_key {
    uint32_t table_id;             /* >= 1 */
    int64_t token;                 /* of partition_key, by the partitioner: Murmur3 */
    struct mr_bytes partition_key; /* as on the CQL wire, 1 .. STORE_PARTITION_KEY_BYTES_MAX bytes */
    enum store_row_kind kind;
    struct mr_bytes clustering; /* byte-comparable; empty for tables without clustering columns and for static rows */
};

enum store_cell_flags {
    STORE_CELL_TOMBSTONE = 1, /* written: the column (or the element) becomes null */
    /* Written: all elements (cells with a path) of this column written at or before write_time_us are gone; path is
     * empty.  Assigning a whole collection is this one µs earlier, and its elements. */
    STORE_CELL_ELEMENTS_TOMBSTONE = 2,
};

/* One column's value, or one element of a non-frozen collection.  Cells that are read are live: never tombstones. */
struct store_cell {
    uint32_t column_id;
    uint32_t flags; /* enum store_cell_flags */
    int64_t write_time_us;
    int32_t ttl_s;         /* 0: never expires */
    int64_t expires_at_s;  /* read only: when it does, seconds since 1970 */
    struct mr_bytes path;  /* which element; empty for plain columns */
    struct mr_bytes value; /* may be empty (the empty text), which is not null */
};

enum store_mutation_kind {
    STORE_WRITE,      /* cells of one row, with_marker for an INSERT */
    STORE_DELETE_ROW, /* the row as it was at write_time_us and before */
    /* The rows of the partition from key.clustering (empty: from the first) to before clustering_to (empty: to the
     * last), as they were at write_time_us and before; not the static one. */
    STORE_DELETE_RANGE,
    STORE_DELETE_PARTITION, /* all rows of the partition, the static one too; key.kind and key.clustering are ignored */
    STORE_META_PUT,         /* meta_key = meta_value */
    STORE_META_DELETE,      /* meta_key */
    STORE_DROP_TABLE,       /* every row of key.table_id, for good: the id is never used again */
};

struct store_mutation {
    enum store_mutation_kind kind;
    struct store_key key;
    int64_t write_time_us; /* of the marker and of deletes; cells have their own */
    bool with_marker;      /* INSERT: the row exists even when all its columns are null.  UPDATE: false */
    int32_t ttl_s;         /* of the marker; 0: never expires */
    /* In any order; of two of the same column (and path) one wins as in a merge. */
    const struct store_cell *cells;
    size_t cell_count;
    struct mr_bytes clustering_to; /* DELETE_RANGE */
    struct mr_bytes meta_key;
    struct mr_bytes meta_value;
};

/* Called once for each store_apply that returned MR_OK; ERR is borrowed until it returns, and set unless MR_OK.
 * MR_IO: the disk refused (full, failing): not applied, though it may come back after a crash. */
typedef void store_done_fn(void *arg, enum mr_status status, const struct mr_err *err);

/* Queues COUNT mutations as one atomic unit; ON_DONE (may be NULL) runs once when they are durable and visible, after
 * those of all earlier calls.  COUNT == 0 is a barrier: ON_DONE runs when everything queued before is done.
 * MR_INVALID  a key or value is outside of its limits        MR_LIMIT  the queue is full: try later */
MR_MUST_CHECK enum mr_status store_apply(struct store *store, const struct store_mutation *mutations, size_t count,
                                         store_done_fn *on_done, void *arg, struct mr_err *err);

/* The same, waiting for the end: for start-up, workers and tests. */
MR_MUST_CHECK enum mr_status store_apply_wait(struct store *store, const struct store_mutation *mutations, size_t count,
                                              struct mr_err *err);

/* A row as of one moment: tombstones applied, expired cells gone. */
struct store_row {
    struct store_key key; /* table_id is set too */
    bool has_marker;      /* was INSERTed and not deleted since: exists without any cell */
    int64_t marker_write_time_us;
    int32_t marker_ttl_s;
    int64_t marker_expires_at_s;
    const struct store_cell *cells; /* live ones, ordered by column_id, then path */
    size_t cell_count;
};

/* The row at KEY, into ARENA.  MR_NOT_FOUND when there is none: never written, deleted, or all null without a marker.
 */
MR_MUST_CHECK enum mr_status store_get(struct store *store, const struct store_key *key, struct mr_arena *arena,
                                       struct store_row *out, struct mr_err *err);

/* The cell of COLUMN_ID without path in ROW, or NULL when it is null. */
const struct store_cell *store_row_cell(const struct store_row *row, uint32_t column_id);

/* What to scan.  All bytes are copied by store_scan_open. */
struct store_scan_options {
    uint32_t table_id;
    int64_t token_first; /* inclusive; INT64_MIN for all; ignored with a partition */
    int64_t token_last;  /* inclusive; INT64_MAX for all; ignored with a partition */
    bool one_partition;  /* only the partition (token, partition_key) */
    int64_t token;
    struct mr_bytes partition_key;
    struct mr_bytes clustering_from; /* with one_partition: inclusive lower bound; empty means from the first */
    struct mr_bytes clustering_to;   /* with one_partition: exclusive upper bound; empty means to the last */
    bool reverse;                    /* with one_partition: from the last row to the first */
    /* With one_partition: leave the static row out.  Implied by a clustering bound and by reverse. */
    bool without_static;
    struct mr_bytes resume; /* from store_scan_resume: go on after that row; empty means from the start */
};

/* Starts a scan, which sees the store as of now until it is closed: one page.  Caller owns *OUT; store_scan_close().
 * MR_INVALID  resume is not from a scan of this table (it comes from clients: never trusted) */
MR_MUST_CHECK enum mr_status store_scan_open(struct store_scan **out, struct store *store,
                                             const struct store_scan_options *options, struct mr_err *err);
/* The next row into ARENA; MR_NOT_FOUND at the end. */
MR_MUST_CHECK enum mr_status store_scan_next(struct store_scan *scan, struct mr_arena *arena, struct store_row *out,
                                             struct mr_err *err);
/* Leaves out what is left of the partition of the last row (DISTINCT, PER PARTITION LIMIT); not with reverse. */
void store_scan_skip_partition(struct store_scan *scan);
/* Appends to OUT what options.resume takes to go on after the last row that was returned (or the partition skipped);
 * nothing when no row was. */
void store_scan_resume(const struct store_scan *scan, struct mr_writer *out);
void store_scan_close(struct store_scan *scan); /* NULL is legal */

/* The partition key under which the row of a resume key is: MR_INVALID for anything else.  Borrowed from RESUME. */
MR_MUST_CHECK enum mr_status store_resume_partition(struct mr_bytes resume, int64_t *token,
                                                    struct mr_bytes *partition_key);

/* ---- meta: a small space of plain keys, in which the tables room keeps its schema; written with STORE_META_* ---- */

/* Appends the value of KEY to OUT; MR_NOT_FOUND when it is absent. */
MR_MUST_CHECK enum mr_status store_meta_get(struct store *store, struct mr_bytes key, struct mr_writer *out,
                                            struct mr_err *err);
/* EACH for every key that starts with PREFIX, in byte order; both slices are borrowed until it returns.  A status other
 * than MR_OK from EACH stops and is returned. */
typedef enum mr_status store_meta_fn(void *arg, struct mr_bytes key, struct mr_bytes value);
MR_MUST_CHECK enum mr_status store_meta_list(struct store *store, struct mr_bytes prefix, store_meta_fn *each,
                                             void *arg, struct mr_err *err);

/* ---- upkeep ---- */

/* Rewrites the table, dropping tombstones and expired cells older than GC_GRACE_S seconds.  Slow: for a worker.  One at
 * a time: MR_BUSY otherwise.  Tombstones of partitions and of ranges stay. */
MR_MUST_CHECK enum mr_status store_purge(struct store *store, uint32_t table_id, int64_t gc_grace_s,
                                         struct mr_err *err);

/* Makes a store_purge that runs return soon, with MR_BUSY, and every later one: the store is about to be closed. */
void store_purge_stop(struct store *store);

struct store_stats {
    uint64_t disk_bytes;   /* of sorted files */
    uint64_t memory_bytes; /* write buffers, block cache and table readers */
    uint64_t rows_written; /* mutations committed since the start */
    uint64_t commits;      /* synced batches they took */
    uint64_t queue_bytes;  /* waiting now */
    bool read_only;        /* the disk refused a write; each further write tries again */
};

/* Figures for metrics and for the operator. */
void store_stats(struct store *store, struct store_stats *out);

/* About how many bytes on disk TABLE_ID takes in tokens FIRST .. LAST. */
uint64_t store_table_bytes(struct store *store, uint32_t table_id, int64_t token_first, int64_t token_last);

#ifdef __cplusplus
}
#endif
#endif

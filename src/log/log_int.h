/* log_int.h -- what the files of this room share.
 *
 * Who touches what: everything belongs to the owner's thread, except
 *   struct log_commit, struct log_work   handed over through the committer's lists, one holder at a time
 *   log_partition.commit                 under committer.mutex
 *   log_partition.sync_failed            committer's thread only
 *   log_segment.file, .path, refs        fixed once the segment is shared; refs is atomic
 *   struct log_catalog                   log_open, then the committer's thread, then log_close */
#ifndef LOG_INT_H
#define LOG_INT_H

#include "base/map.h"
#include "kafka/records.h"
#include "log/log.h"

#include <stdatomic.h>

#define LOG_NAME "log" /* of this room in log lines */

/* ---- catalog: which topics there are ---- */

struct log_catalog_topic {
    struct mr_str name;
    uint8_t id[16];
    int32_t partition_count;
    const struct log_config *configs;
    size_t config_count;
};
typedef enum mr_status log_catalog_topic_fn(void *arg, const struct log_catalog_topic *topic, struct mr_err *err);

struct log_catalog_start {
    int32_t leader_epoch;
    int64_t producer_id_first; /* of a block of LOG_PRODUCER_IDS_BLOCK */
    bool clean;                /* the stop before was a clean one */
};

/* What is changed is on disk when a function returns MR_OK. */
struct log_catalog_ops {
    enum mr_status (*topics)(struct log_catalog *catalog, log_catalog_topic_fn *each, void *arg, struct mr_err *err);
    /* Notes that the log runs; raises the leader epoch when no clean stop came before; reserves producer ids. */
    enum mr_status (*start)(struct log_catalog *catalog, struct log_catalog_start *out, struct mr_err *err);
    enum mr_status (*topic_put)(struct log_catalog *catalog, const struct log_catalog_topic *topic, struct mr_err *err);
    /* Partition count and configs of the topic that has this id. */
    enum mr_status (*topic_update)(struct log_catalog *catalog, const struct log_catalog_topic *topic,
                                   struct mr_err *err);
    enum mr_status (*topic_remove)(struct log_catalog *catalog, const uint8_t id[16], struct mr_err *err);
    enum mr_status (*producer_ids)(struct log_catalog *catalog, int64_t *first, struct mr_err *err);
    enum mr_status (*stopped)(struct log_catalog *catalog, struct mr_err *err); /* notes a clean stop */
    void (*close)(struct log_catalog *catalog);
};
struct log_catalog {
    const struct log_catalog_ops *ops;
};

/* The catalog in the SQLite file PATH, made when absent.  MR_UNSUPPORTED: of a newer format. */
MR_MUST_CHECK enum mr_status log_catalog_sqlite_open(struct log_catalog **out, const char *path, struct mr_err *err);

/* ---- segments ---- */

struct log_index_entry {
    uint32_t offset_delta; /* of a batch's first record, from the segment's base offset */
    uint32_t position;     /* of that batch in the file */
    int64_t time_before;   /* greatest time of the batches before it in the file; INT64_MIN: none */
};

struct log_segment {
    atomic_int refs;
    struct mr_env *env;   /* borrowed */
    char *path;           /* owned; the .log file */
    struct mr_file *file; /* owned */
    int64_t base_offset;
    int64_t bytes;         /* written; what a reader may see the partition knows */
    int64_t max_timestamp; /* INT64_MIN: no batch */
    bool indexed;          /* entries and max_timestamp stand for all of its bytes */
    struct log_index_entry *entries;
    size_t entry_count;
    size_t entry_capacity;
};

/* Opens (CREATE: makes) the segment of BASE_OFFSET in DIR; bytes is the file's size.  refs is 1. */
MR_MUST_CHECK enum mr_status log_segment_open(struct log_segment **out, struct mr_env *env, const char *dir,
                                              int64_t base_offset, bool create, struct mr_err *err);
struct log_segment *log_segment_ref(struct log_segment *segment); /* [any] */
void log_segment_unref(struct log_segment *segment);              /* NULL is legal [any] */
/* Writes BATCH at the end.  On failure the file is cut back; *POISONED says that even that failed. */
MR_MUST_CHECK enum mr_status log_segment_append(struct log_segment *segment, const struct kafka_batch *batch,
                                                const uint8_t *bytes, int64_t interval, bool *poisoned,
                                                struct mr_err *err);
/* Notes a batch at POSITION in the index, when the interval asks for an entry, and its time. */
void log_segment_note(struct log_segment *segment, const struct kafka_batch *batch, int64_t position, int64_t interval);
/* The last entry at or before OFFSET (by offset), POSITION (by position) or whose time_before is under TIME; NULL:
 * none. */
const struct log_index_entry *log_segment_by_offset(const struct log_segment *segment, int64_t offset);
const struct log_index_entry *log_segment_by_position(const struct log_segment *segment, int64_t position);
const struct log_index_entry *log_segment_by_time(const struct log_segment *segment, int64_t time_ms);
/* Loads the index file, or makes the index anew from the batches, for the first BYTES of a segment.  A CUT index (of
 * more than BYTES) is shortened when MAX_TIMESTAMP of the first BYTES is known (not NULL). */
MR_MUST_CHECK enum mr_status log_segment_index_load(struct log_segment *segment, int64_t bytes,
                                                    const int64_t *max_timestamp, int64_t interval, struct mr_err *err);
/* The index file's content for the segment as it is. */
void log_segment_index_encode(const struct log_segment *segment, struct mr_writer *out);
/* PATH of the index file (MR_PATH_BYTES). */
void log_segment_index_path(char *out, const struct log_segment *segment);

/* Walks over the batches of a file. */
struct log_scan {
    struct mr_file *file; /* borrowed */
    int64_t position;     /* of the next batch */
    int64_t end;
    bool whole; /* bytes of each batch are there; else only its header */
    struct mr_writer buffer;
    int64_t buffer_at;
    size_t chunk;
};
void log_scan_init(struct log_scan *scan, struct mr_file *file, int64_t from, int64_t end, bool whole, size_t chunk);
void log_scan_deinit(struct log_scan *scan);
/* The batch at scan->position, which then moves behind it.  out->bytes is valid until the next call.
 * MR_NOT_FOUND  the end is reached     MR_CORRUPT  no whole batch stands there     MR_IO  the file can't be read */
MR_MUST_CHECK enum mr_status log_scan_next(struct log_scan *scan, struct kafka_batch *out, struct mr_err *err);

/* ---- idempotent producers of one partition ---- */

struct log_producers;
struct log_producers *log_producers_new(void);
void log_producers_free(struct log_producers *producers);
/* May BATCH follow?  For a duplicate *BASE_OFFSET and *LAST_OFFSET are the original's. */
enum log_append_outcome log_producers_check(const struct log_producers *producers, const struct kafka_batch *batch,
                                            int64_t *base_offset, int64_t *last_offset);
/* Notes that BATCH (its offsets set) was appended. */
void log_producers_note(struct log_producers *producers, const struct kafka_batch *batch, int64_t now_ms);
/* Forgets those that were quiet since BEFORE_MS. */
void log_producers_expire(struct log_producers *producers, int64_t before_ms);
void log_producers_encode(const struct log_producers *producers, struct mr_writer *out);
/* Into an empty one; false when the bytes are wrong. */
bool log_producers_decode(struct log_producers *producers, struct mr_reader *in);
size_t log_producers_count(const struct log_producers *producers);

/* ---- partitions ---- */

/* A place between two batches. */
struct log_point {
    int64_t offset;
    int64_t segment_base; /* of the segment that holds it, at its end perhaps */
    int64_t position;
    int64_t max_timestamp; /* of the partition's batches before it; INT64_MIN: none */
};

struct log_epoch {
    int32_t epoch;
    int64_t start_offset;
};

/* Someone who waits for an offset to be synced. */
struct log_waiter {
    struct log_waiter *next;
    int64_t end_offset;
    log_synced_fn *fn;
    void *arg;
};

struct log_start_waiter; /* of delete_records.c */

struct log_hint {
    int64_t offset; /* of a batch's first record */
    int64_t segment_base;
    int64_t position;
};
enum { LOG_HINTS = 4 };

struct log_partition {
    struct log *log;         /* borrowed */
    struct log_topic *topic; /* borrowed */
    int32_t index;
    char *dir;                     /* owned */
    struct log_segment **segments; /* owned; by base offset; the last one is written to; may be none */
    size_t segment_count;
    size_t segment_capacity;
    int64_t start_offset;
    int64_t start_asked;      /* the greatest start asked for: what a checkpoint notes, see delete_records.c */
    struct log_point end;     /* written */
    struct log_point visible; /* the high watermark */
    int64_t synced_offset;
    struct log_producers *producers; /* owned */
    struct log_epoch *epochs;        /* owned; both fields rise */
    size_t epoch_count;
    size_t epoch_capacity;
    struct log_waiter *waiters; /* owned; by end_offset */
    struct log_waiter *waiters_last;
    struct log_watch *watches;
    struct log_start_waiter *start_waiters; /* owned; for the next job of delete_records.c */
    bool start_is_rising;                   /* one is under way */
    struct log_hint hints[LOG_HINTS];
    size_t hint_next;
    int64_t checkpoint_offset; /* that the last checkpoint made stands for; -1: none */
    int64_t checkpoint_bytes;  /* written since then */
    struct log_partition *moved_next;
    bool moved;    /* in log->moved: watchers are to be told */
    bool poisoned; /* refuses writes until the restart */
    bool deleted;
    bool sync_failed;           /* committer's */
    bool scanned;               /* recovery read a tail: to be synced before it is shown */
    struct log_point scan_from; /* where that tail begins */
    size_t cut_segments;        /* recovery: segments kept; later ones go */
    struct log_commit *commit;  /* in the round that is filling, or NULL */
};

struct log_topic {
    struct log *log; /* borrowed */
    char *name;      /* owned */
    uint8_t id[16];
    int32_t partition_count;
    struct log_partition **partitions; /* owned, as the array is */
    struct log_config *configs;        /* owned, with their texts */
    size_t config_count;
    int64_t segment_bytes_max; /* its segment.bytes, or the log's */
    bool changing;             /* a job of topic_change.c is under way */
    struct log_work *deletion; /* owned; to be submitted when that is over, or NULL */
};

/* A topic made from its catalog entry, its partitions empty. */
struct log_topic *log_topic_new(struct log *log, const struct log_catalog_topic *from);
void log_topic_free(struct log_topic *topic);
/* Puts TOPIC among those found. */
void log_topic_add(struct log *log, struct log_topic *topic);
struct log_catalog_topic log_topic_entry(const struct log_topic *topic);
/* Makes the partitions' directories that are absent; the caller syncs their parent. */
MR_MUST_CHECK enum mr_status log_topic_mkdirs(struct log_topic *topic, struct mr_err *err);

/* What the topic's segment.bytes says, when that is a possible size, else the log's. */
int64_t log_topic_segment_bytes(const struct log_topic *topic);
/* Copies of COUNT configurations; one more, all NULL, behind them. */
struct log_config *log_configs_copy(const struct log_config *configs, size_t count);
void log_configs_free(struct log_config *configs, size_t count);

/* An empty partition with its directory's path. */
struct log_partition *log_partition_new(struct log_topic *topic, int32_t index);
void log_partition_free(struct log_partition *p); /* NULL is legal */
/* The segment that holds OFFSET (the last one whose base is not above it), or NULL. */
struct log_segment *log_partition_segment(const struct log_partition *p, int64_t offset, size_t *index);
struct log_segment *log_partition_active(const struct log_partition *p);
void log_partition_push(struct log_partition *p, struct log_segment *segment);
void log_partition_note_epoch(struct log_partition *p, int32_t epoch, int64_t offset);
void log_start_waiters_free(struct log_start_waiter *waiter); /* all of them; NULL is legal */
/* Tells the watchers. */
void log_partition_tell(struct log_partition *p);
/* Runs the waiters that OFFSET (or a failure) releases. */
void log_partition_release(struct log_partition *p, int64_t offset, enum mr_status status, const struct mr_err *err);

/* ---- checkpoint and recovery ---- */

/* The checkpoint file of P as of P->end (all below it must be synced before it is written). */
void log_checkpoint_encode(const struct log_partition *p, struct mr_writer *out);
/* Reads P's checkpoint into P and *POINT; *SEGMENT_TIME is the greatest time in the point's segment before it.
 * MR_NOT_FOUND: absent, damaged or of another format. */
MR_MUST_CHECK enum mr_status log_checkpoint_load(struct log_partition *p, struct log_point *point,
                                                 int64_t *segment_time, struct mr_err *err);
/* Writes index and checkpoint now, if they changed (blocking: log_open and log_close). */
MR_MUST_CHECK enum mr_status log_checkpoint_write(struct log_partition *p, struct mr_err *err);
/* Index and checkpoint as of now, to be written when all of P is synced; INDEXED is the segment whose index it is. */
struct log_blob *log_checkpoint_blobs(struct log_partition *p, const struct log_segment *indexed);
/* Removes from disk the segments that are wholly below the log start (recovery). */
MR_MUST_CHECK enum mr_status log_partition_drop_old(struct log_partition *p, struct mr_err *err);
/* Recovery, first half: reads, changes nothing on disk. */
MR_MUST_CHECK enum mr_status log_partition_scan(struct log_partition *p, struct mr_err *err);
/* Second half: cuts the torn tail, syncs what is left of it. */
MR_MUST_CHECK enum mr_status log_partition_repair(struct log_partition *p, struct mr_err *err);

/* ---- committer ---- */

/* Something that comes back to the owner's thread.  done frees it. */
struct log_work {
    struct log_work *next;
    void (*run)(struct log *log, struct log_work *work); /* on the committer; NULL for a commit */
    void (*done)(struct log *log, struct log_work *work);
    void (*drop)(struct log_work *work); /* instead of done when the log is abandoned */
};

/* A file to write when the data it speaks of is synced. */
struct log_blob {
    struct log_blob *next;
    char *path;
    struct mr_writer bytes;
    bool replace; /* whole or not at all (checkpoint); else a hint with a CRC (index) */
};

/* What one partition wants synced in one round. */
struct log_commit {
    struct log_work work;
    struct log_partition *partition;
    struct log_point end;
    struct log_segment **segments; /* referenced */
    size_t segment_count;
    size_t segment_capacity;
    bool sync_dir;
    int64_t bytes;
    struct log_blob *blobs;
    struct log_blob *blobs_last;
    enum mr_status status;
    struct mr_err err;
};

/* The answers on their way to the owner.  Outlives the log while a job is queued in somebody's loop. */
struct log_mailbox {
    atomic_int refs;
    pthread_mutex_t mutex;
    struct log_work *head;
    struct log_work *tail;
    bool posted;
    struct log *log; /* owner's thread only; NULL when it is gone */
};

struct log_committer {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct log_work *commits; /* the round that is filling */
    struct log_work *commits_last;
    struct log_work *jobs;
    struct log_work *jobs_last;
    bool urgent;
    bool stop;
    bool running;
};

struct log {
    struct mr_env *env;
    char *dir;
    struct log_options options; /* defaults filled in */
    struct log_catalog *catalog;
    bool catalog_owned;
    bool closing;
    struct log_topic **topics; /* owned, by name */
    size_t topic_count;
    size_t topic_capacity;
    struct mr_map *topics_by_id;
    struct mr_map *pending; /* names being made or deleted, value: log_pending_* */
    int32_t leader_epoch;
    int64_t producer_id_next;
    int64_t producer_id_end;
    int64_t producer_id_reserved; /* first of the next block; -1: none */
    bool producer_ids_asked;
    int64_t unsynced_bytes;
    struct mr_writer scratch; /* a batch being appended */
    struct kafka_scratch inflate;
    struct log_waiter *ready; /* released already; run at the next drain */
    struct log_waiter *ready_last;
    struct log_partition *moved; /* their watchers are to be told at the next drain */
    struct log_mailbox *mailbox;
    struct log_committer committer;
};

void log_committer_start(struct log *log);
/* Does what is queued, then ends the thread. */
void log_committer_stop(struct log *log);
/* The commit of P in the round that is filling; *END and BYTES are taken over by log_commit_add. */
void log_commit_add(struct log_partition *p, struct log_segment *segment, bool sync_dir, int64_t bytes,
                    struct log_blob *blobs);
struct log_blob *log_blob_new(const char *path, bool replace);
void log_blobs_free(struct log_blob *blob); /* the whole list; NULL is legal */
/* Writes the index of a list made by log_checkpoint_blobs if it can, and its checkpoint. */
MR_MUST_CHECK enum mr_status log_blobs_write(struct log *log, const struct log_blob *blob, struct mr_err *err);
void log_job_submit(struct log *log, struct log_work *work);
/* One round on this thread; false when there was nothing. */
bool log_committer_round(struct log *log);
/* Sees to it that the owner drains soon. [any] */
void log_mailbox_wake(struct log *log);
/* Runs what came back. */
void log_drain(struct log *log);
void log_mailbox_unref(struct log_mailbox *mailbox);

#endif

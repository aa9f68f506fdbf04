/* log.h -- durable partitioned log.  Batches are opaque here: header, CRC and producer sequence are checked, records
 * are read only to look up a time.
 *
 * Threads: a struct log, its topics and partitions belong to the thread that opened it (the broker's loop), except
 *          calls marked [any].  One committer thread inside does every sync and every change of the catalog; its
 *          answers come back through options->post and run on the owner's thread.
 * Memory:  a returned pointer is borrowed; topics and partitions live until log_topic_delete's callback or log_close.
 * Times:   _ms are milliseconds since 1970 UTC.
 * Offsets: log start <= high watermark <= end.  Readers see what is below the high watermark: the synced offset, or
 *          with options->relaxed the written one. */
#ifndef LOG_LOG_H
#define LOG_LOG_H

#include "base/base.h"
#include "base/env.h"
#include "base/thread.h"

#ifdef __cplusplus
extern "C" {
#endif

struct log;
struct log_topic;
struct log_partition;
struct log_segment;
struct log_catalog;

enum log_limits {
    LOG_TOPIC_NAME_MAX = 249,
    LOG_PARTITIONS_MAX = 10000,        /* of one topic */
    LOG_CONFIGS_MAX = 64,              /* of one topic */
    LOG_UNSYNCED_BYTES_MAX = 64 << 20, /* written and not yet synced, all partitions together */
    LOG_SEGMENT_BYTES_MAX = 1 << 30,   /* default and upper bound of a segment file */
    LOG_CHECKPOINT_BYTES = 64 << 20,   /* a partition's checkpoint at least this often: bounds recovery */
    LOG_INDEX_INTERVAL_BYTES = 4096,   /* an index entry at most this often */
    LOG_PRODUCER_IDS_BLOCK = 1000,     /* producer ids reserved by one catalog write */
    LOG_PRODUCER_BATCHES = 5,          /* remembered for each producer */
};

/* Zero fields mean the default. */
struct log_options {
    struct mr_env *env;           /* NULL: mr_env_real() */
    struct mr_post post;          /* how the committer reaches the owner's thread; required */
    bool relaxed;                 /* durability: relaxed (answer when written, sync every second) */
    bool manual_commit;           /* no thread: the caller calls log_commit_step (simulator) */
    int64_t segment_bytes_max;    /* LOG_SEGMENT_BYTES_MAX; a topic's segment.bytes wins */
    int64_t checkpoint_bytes;     /* LOG_CHECKPOINT_BYTES */
    int64_t index_interval_bytes; /* LOG_INDEX_INTERVAL_BYTES */
    int64_t unsynced_bytes_max;   /* LOG_UNSYNCED_BYTES_MAX; must not shrink while a tail is unrecovered */
    struct log_catalog *catalog;  /* NULL: SQLite in DIR/catalog.db; else borrowed (log_int.h; simulator) */
};

/* ---- open and close ---- */

/* Opens the log in DIR, made when absent, and recovers every partition.  Blocks; cost grows with the bytes since the
 * last checkpoint.  That only one process has DIR is the caller's care.  Caller owns *out: log_close.
 * MR_CORRUPT      bytes that were synced fail their check; err names partition and offset; nothing was changed
 * MR_UNSUPPORTED  a newer version wrote DIR
 * MR_IO           the system refused */
MR_MUST_CHECK enum mr_status log_open(struct log **out, const char *dir, const struct log_options *options,
                                      struct mr_err *err);

/* Syncs what is unsynced, runs the callbacks that are due (inside this call), writes the checkpoints, notes a clean
 * stop and frees all.  Blocks.  After it no callback runs; jobs still queued in the post do nothing.  Slices stay
 * readable.
 * MR_IO  the stop was not clean: the next log_open recovers as after a crash.  LOG is freed all the same. */
enum mr_status log_close(struct log *log, struct mr_err *err);

/* Frees LOG without syncing or noting anything, as a crash would leave it (tests, simulator).  No callback runs. */
void log_abandon(struct log *log);

/* With options->manual_commit: does one round of the committer's work on this thread; true when there was some. */
bool log_commit_step(struct log *log);

/* The directory it is in, as given to log_open. */
const char *log_dir(const struct log *log);

/* Raised at each start that no clean stop preceded; stamped into batches. */
int32_t log_leader_epoch(const struct log *log);

/* A producer id that no one had before, ever.  MR_BUSY: the next block is being synced; try again in a few ms. */
MR_MUST_CHECK enum mr_status log_producer_id(struct log *log, int64_t *out, struct mr_err *err);

/* ---- topics ---- */

struct log_config {
    const char *key;
    const char *value;
};

/* TOPIC is NULL unless STATUS is MR_OK. */
typedef void log_topic_fn(void *arg, enum mr_status status, struct log_topic *topic, const struct mr_err *err);

/* Begins to make a topic; ON_DONE runs once, later, when it is on disk (then it is found) or could not be made.
 * Everything passed is copied.
 * MR_EXISTS   there is one, or it is being made      MR_INVALID  name, count or configs break a rule (log_limits)
 * MR_BUSY     one of this name is being deleted */
MR_MUST_CHECK enum mr_status log_topic_create(struct log *log, struct mr_str name, int32_t partition_count,
                                              const struct log_config *configs, size_t config_count,
                                              log_topic_fn *on_done, void *arg, struct mr_err *err);

/* Begins to delete: the topic is not found from now on, appends to it are refused, watchers are told.  ON_DONE runs
 * once, later, with topic NULL; the topic's pointers die after it.  Slices stay readable. */
void log_topic_delete(struct log *log, struct log_topic *topic, log_topic_fn *on_done, void *arg);

/* Begins to give the topic COUNT partitions in all; ON_DONE runs once, later, when they are on disk (then they are
 * found) or could not be made.
 * MR_INVALID  not more than it has, or above LOG_PARTITIONS_MAX
 * MR_BUSY     it is being changed or deleted: try again when that is done */
MR_MUST_CHECK enum mr_status log_topic_grow(struct log *log, struct log_topic *topic, int32_t count,
                                            log_topic_fn *on_done, void *arg, struct mr_err *err);

/* Begins to replace all configurations of the topic; ON_DONE runs once, later, when the new ones are on disk (then they
 * count) or could not be written.  Everything passed is copied.  Texts got from log_topic_config die when it runs.
 * MR_INVALID  more than LOG_CONFIGS_MAX      MR_BUSY  as log_topic_grow */
MR_MUST_CHECK enum mr_status log_topic_configure(struct log *log, struct log_topic *topic,
                                                 const struct log_config *configs, size_t config_count,
                                                 log_topic_fn *on_done, void *arg, struct mr_err *err);

/* The topic, or NULL. */
struct log_topic *log_topic_find(struct log *log, struct mr_str name);
/* The same by its id of 16 bytes. */
struct log_topic *log_topic_find_id(struct log *log, const uint8_t id[16]);
/* Is it being made (log_topic_create was called, ON_DONE did not run yet)? */
bool log_topic_pending(struct log *log, struct mr_str name);
/* All topics in the order of their names: AFTER is NULL for the first; NULL after the last. */
struct log_topic *log_topic_next(struct log *log, const struct log_topic *after);
/* How many there are. */
size_t log_topic_count(const struct log *log);

/* Its name. */
const char *log_topic_name(const struct log_topic *topic);
/* Its id, 16 bytes. */
const uint8_t *log_topic_id(const struct log_topic *topic);
/* How many partitions it has; their indexes are 0 to one less. */
int32_t log_topic_partition_count(const struct log_topic *topic);
/* The value set for KEY, or NULL. */
const char *log_topic_config(const struct log_topic *topic, const char *key);
/* The I-th of its configs; false after the last. */
bool log_topic_config_at(const struct log_topic *topic, size_t i, struct log_config *out);
/* The partition, or NULL when INDEX is out of range. */
struct log_partition *log_topic_partition(const struct log_topic *topic, int32_t index);

/* The topic that a partition is of. */
struct log_topic *log_partition_topic(const struct log_partition *partition);
/* Its number in the topic. */
int32_t log_partition_index(const struct log_partition *partition);

/* ---- appending ---- */

enum log_append_outcome {
    LOG_APPENDED,
    LOG_DUPLICATE,    /* the producer sent it before: nothing written; base_offset is the original's */
    LOG_OUT_OF_ORDER, /* a sequence is missing, or the batch is older than the last five (Kafka's error 45) */
    LOG_FENCED,       /* a newer epoch of the producer was seen (Kafka's error 47) */
    LOG_REFUSED,      /* anything else: the status says what */
};

struct log_append_result {
    enum log_append_outcome outcome;
    int64_t base_offset;    /* -1 unless appended or duplicate */
    int64_t append_time_ms; /* -1: records keep their own time */
    int64_t log_start_offset;
};

/* STATUS is MR_OK when the batch is on disk (relaxed: written), MR_IO when that failed: it may or may not be there. */
typedef void log_synced_fn(void *arg, enum mr_status status, const struct mr_err *err);

/* Appends one BATCH, whose CRC and sequence are checked, giving it the next offsets.  Copied before return.  RESULT is
 * always filled.  When, and only when, it returns MR_OK, ON_SYNCED runs once, later, on the owner's thread, never
 * inside this call; for a duplicate when the original is on disk.
 * MR_CORRUPT    the CRC is wrong                   MR_INVALID    no whole v2 batch, or LOG_OUT_OF_ORDER
 * MR_DENIED     LOG_FENCED                         MR_UNSUPPORTED magic is not 2
 * MR_LIMIT      bytes waiting for sync are at the limit: try again when some callback ran
 * MR_NOT_FOUND  the topic is being deleted         MR_BUSY       log_close has begun
 * MR_IO         the disk refused: nothing was appended.  A full disk is retried by the next append; after a failed sync
 *               every append is refused until the program restarts. */
MR_MUST_CHECK enum mr_status log_append(struct log_partition *partition, struct mr_bytes batch,
                                        struct log_append_result *result, log_synced_fn *on_synced, void *arg,
                                        struct mr_err *err);

/* ---- deleting records ---- */

/* Begins to make OFFSET the log start offset: when ON_DONE says MR_OK it is, on disk, and whole segments below it are
 * being removed (the one that is written to stays).  Nothing to do when it is not above the present one; ON_DONE runs
 * all the same, once, later, never inside this call.  After a failure the start may or may not be raised at the next
 * log_open.
 * MR_LIMIT      OFFSET is above the high watermark or negative     MR_NOT_FOUND  the topic is being deleted
 * MR_BUSY       log_close has begun                                MR_IO         the partition takes no writes */
MR_MUST_CHECK enum mr_status log_delete_before(struct log_partition *partition, int64_t offset, log_synced_fn *on_done,
                                               void *arg, struct mr_err *err);

/* ---- reading ---- */

/* The first offset there is to read. */
int64_t log_start_offset(const struct log_partition *partition);
/* One past the last offset that readers may see. */
int64_t log_high_watermark(const struct log_partition *partition);
/* The offset that the next record gets. */
int64_t log_end_offset(const struct log_partition *partition);
/* Bytes in its segment files. */
int64_t log_partition_bytes(const struct log_partition *partition);

/* Whole batches, end to end, in one segment file.  Readable until released, whatever happens to topic and log. */
struct log_slice {
    struct log_segment *segment; /* a reference: log_slice_release */
    struct mr_file *file;        /* borrowed from segment; mr_file_descriptor gives what sendfile takes */
    int64_t position;
    int64_t size;
    int64_t base_offset; /* of its first batch; may be below the offset asked for */
    int64_t end_offset;  /* one past its last record: where to read on */
};

/* The slices from the batch that holds OFFSET on, below the high watermark: whole batches of at most BYTES_MAX bytes
 * together, but always one batch.  *COUNT is 0 when OFFSET is the high watermark.  May read a few KiB of the file.
 * MR_LIMIT  OFFSET is below the log start or above the high watermark (Kafka's error 1)
 * MR_IO, MR_CORRUPT  the file can't be read, or holds no batch where there must be one */
MR_MUST_CHECK enum mr_status log_read(struct log_partition *partition, int64_t offset, int64_t bytes_max,
                                      struct log_slice *slices, size_t slices_max, size_t *count, struct mr_err *err);
/* Gives the reference up; the file may close. [any] */
void log_slice_release(struct log_slice *slice);

/* The same, appending the bytes to OUT. */
MR_MUST_CHECK enum mr_status log_read_copy(struct log_partition *partition, int64_t offset, int64_t bytes_max,
                                           struct mr_writer *out, struct mr_err *err);

/* The first record below the high watermark whose time is >= TIME_MS.  MR_NOT_FOUND when there is none. */
MR_MUST_CHECK enum mr_status log_offset_by_time(struct log_partition *partition, int64_t time_ms, int64_t *offset,
                                                int64_t *timestamp_ms, struct mr_err *err);
/* The first record with the greatest time below the high watermark.  MR_NOT_FOUND when it is empty. */
MR_MUST_CHECK enum mr_status log_offset_of_max_time(struct log_partition *partition, int64_t *offset,
                                                    int64_t *timestamp_ms, struct mr_err *err);

/* The largest epoch <= EPOCH that the partition has batches of, and the offset where the next one begins (or the end):
 * OffsetForLeaderEpoch.  MR_NOT_FOUND when there is none. */
MR_MUST_CHECK enum mr_status log_epoch_end(const struct log_partition *partition, int32_t epoch, int32_t *epoch_found,
                                           int64_t *end_offset);

/* ---- waiting for more ---- */

/* Tells when the high watermark of a partition moves, or its topic is being deleted (log_partition_deleted). */
typedef void log_watch_fn(void *arg, struct log_partition *partition);

/* Caller's storage, in a list of the partition between log_watch_add and log_watch_remove. */
struct log_watch {
    log_watch_fn *fn;
    void *arg;
    struct log_partition *partition; /* NULL: in no list */
    struct log_watch *previous;
    struct log_watch *next;
};
/* FN runs at each move from now on, on the owner's thread, outside any call of this room.  It may add and remove
 * watches. */
void log_watch_add(struct log_watch *watch, struct log_partition *partition, log_watch_fn *fn, void *arg);
/* Being in no list is legal. */
void log_watch_remove(struct log_watch *watch);
/* Was log_topic_delete called for its topic? */
bool log_partition_deleted(const struct log_partition *partition);

#ifdef __cplusplus
}
#endif
#endif

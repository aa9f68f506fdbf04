/* state.h -- what a streaming query must find again after a crash: its checkpoint and its keyed state, in RocksDB.
 *
 * The key space is laid out by query: a query's checkpoint, then its keyed state by operator and key.  A batch changes
 * any part of one query's state and its checkpoint in one synced write: after a crash it is there whole or not at all.
 *
 * Threads: all functions may be called by any thread; a struct state_batch by one thread at a time.  Commits sync and
 *          so block: for engine threads and workers, never for an event loop.
 * Memory:  what is passed in is copied before return. */
#ifndef STATE_STATE_H
#define STATE_STATE_H

#include "base/base.h"
#include "base/env.h"

#ifdef __cplusplus
extern "C" {
#endif

struct state;
struct state_batch;

enum state_limits {
    STATE_QUERY_BYTES_MAX = 255,
    STATE_CHECKPOINT_BYTES_MAX = 64 * 1024 * 1024,
    STATE_KEY_BYTES_MAX = 1024 * 1024,
};

/* Opens the state in DIR, making it when absent.  ENV may be NULL: the machine.  Caller owns *OUT; state_close().
 * MR_BUSY  another process holds DIR     MR_UNSUPPORTED  DIR was written by a newer version
 * MR_CORRUPT  synced bytes fail their check     MR_IO  the system refused */
MR_MUST_CHECK enum mr_status state_open(struct state **out, const char *dir, struct mr_env *env, struct mr_err *err);
void state_close(struct state *state); /* NULL is legal; batches must be gone */

/* Replaces the checkpoint of QUERY (1 .. STATE_QUERY_BYTES_MAX bytes); on disk when it returns MR_OK. */
MR_MUST_CHECK enum mr_status state_checkpoint_put(struct state *state, struct mr_str query, struct mr_bytes checkpoint,
                                                  struct mr_err *err);
/* Appends the checkpoint of QUERY to OUT; MR_NOT_FOUND when there is none. */
MR_MUST_CHECK enum mr_status state_checkpoint_get(struct state *state, struct mr_str query, struct mr_writer *out,
                                                  struct mr_err *err);
/* EACH for every query that has a checkpoint, by name; slices are borrowed until it returns. */
typedef void state_checkpoint_fn(void *arg, struct mr_str query, struct mr_bytes checkpoint);
MR_MUST_CHECK enum mr_status state_checkpoint_list(struct state *state, state_checkpoint_fn *each, void *arg,
                                                   struct mr_err *err);
/* Removes the checkpoint of QUERY and all its keyed state, synced; being absent is OK. */
MR_MUST_CHECK enum mr_status state_query_delete(struct state *state, struct mr_str query, struct mr_err *err);

/* A batch of changes to QUERY's state; caller owns it until state_batch_commit or state_batch_free. */
MR_MUST_CHECK enum mr_status state_batch_new(struct state_batch **out, struct state *state, struct mr_str query,
                                             struct mr_err *err);
void state_batch_checkpoint(struct state_batch *batch, struct mr_bytes checkpoint);
/* OPERATOR_ID is the operator's number in the query's plan; KEY at most STATE_KEY_BYTES_MAX bytes. */
void state_batch_put(struct state_batch *batch, uint32_t operator_id, struct mr_bytes key, struct mr_bytes value);
void state_batch_delete(struct state_batch *batch, uint32_t operator_id, struct mr_bytes key);
/* Writes and syncs all of it.  The batch is freed whatever the outcome; on failure nothing of it is visible. */
MR_MUST_CHECK enum mr_status state_batch_commit(struct state_batch *batch, struct mr_err *err);
void state_batch_free(struct state_batch *batch); /* drops it; NULL is legal */

/* Appends the value of KEY to OUT; MR_NOT_FOUND when it is absent. */
MR_MUST_CHECK enum mr_status state_get(struct state *state, struct mr_str query, uint32_t operator_id,
                                       struct mr_bytes key, struct mr_writer *out, struct mr_err *err);
/* EACH for the keys of an operator that start with PREFIX, in byte order, as of one moment.  A status other than MR_OK
 * from EACH stops and is returned. */
typedef enum mr_status state_entry_fn(void *arg, struct mr_bytes key, struct mr_bytes value);
MR_MUST_CHECK enum mr_status state_scan(struct state *state, struct mr_str query, uint32_t operator_id,
                                        struct mr_bytes prefix, state_entry_fn *each, void *arg, struct mr_err *err);

#ifdef __cplusplus
}
#endif
#endif

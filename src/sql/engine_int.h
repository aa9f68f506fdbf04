/* engine_int.h -- inside of the engine: a run is a bound query (plan_int.h) at work.
 *
 * Threads: a run's fields belong to its thread, except those under lock and the atomics.
 * Life:    run_new -> [run_main on a thread, or called] -> run_free.  run_main opens everything, turns epochs, closes.
 */
#ifndef SQL_ENGINE_INT_H
#define SQL_ENGINE_INT_H

#include "base/env.h"
#include "base/metrics.h"
#include "sql/plan_int.h"
#include "sql/reader_int.h"
#include "state/state.h"

#include <pthread.h>
#include <stdatomic.h>

enum sql_engine_limits {
    SQL_BATCH_ROWS_MAX = 8192, /* rows decoded and evaluated together */
    SQL_POLL_RECORDS_MAX = 8192,
    SQL_EPOCH_RECORDS_MAX = 128 * 1024,
    SQL_FLUSH_MS_MAX = 100,         /* rows of sinks that show them only when flushed wait no longer under load */
    SQL_EPOCH_BYTES_MAX = 32 << 20, /* raw bytes kept for dead letters */
    SQL_IDLE_POLL_MS = 50,
    SQL_IDLE_POLL_SHARED_MS = 5, /* when several sources wait in turn */
    SQL_STOP_GRACE_MS = 5000,    /* to finish an epoch; then connectors are told to give up */
    SQL_NAME_BYTES_MAX = 200,    /* of a query: the topic of its dead letters must be a legal name */
    SQL_PROGRESS_ENTRIES = 100,
};

/* What records.on-error says. */
enum sql_on_error { SQL_ON_ERROR_DLQ, SQL_ON_ERROR_FAIL, SQL_ON_ERROR_SKIP };

/* Kafka Connect's names of where a record failed. */
enum sql_stage { SQL_STAGE_DECODE, SQL_STAGE_TRANSFORM, SQL_STAGE_PUT };

/* The steps of an epoch, for tests that stop a run before each. */
enum sql_step { SQL_STEP_POLL, SQL_STEP_WRITE, SQL_STEP_FLUSH, SQL_STEP_CHECKPOINT, SQL_STEP_CHECKPOINTED, SQL_STEP_N };
typedef enum mr_status sql_fault_fn(void *arg, enum sql_step step);

/* Where dead letters go: connectors_producer_*, or a test's own. */
struct sql_dead_letter_ops {
    enum mr_status (*open)(struct connector_producer **out, const struct connector_context *ctx, const char *bootstrap,
                           const char *topic, struct mr_err *err);
    enum mr_status (*send)(struct connector_producer *producer, struct mr_bytes key, struct mr_bytes value,
                           const struct connector_header *headers, uint32_t header_count, struct mr_err *err);
    enum mr_status (*flush)(struct connector_producer *producer, struct mr_err *err);
    void (*close)(struct connector_producer *producer);
};

/* A split of a source: where it goes on, and its write-time clock. */
struct sql_split {
    struct connector_position position; /* state points into state_text */
    char *state_text;                   /* owned; may be NULL */
    int64_t clock_us;                   /* the last write time given out */
    bool has_position;                  /* false: only the clock is known */
};

struct sql_run_source {
    const struct sql_source *bound;
    const char *name;                       /* the table's, or "" for rows known beforehand */
    const struct connector_source_ops *ops; /* NULL for those */
    struct connector_source *source;
    struct connector_table table;         /* as the source sees it: in a batch query, bounded */
    struct sql_reader *reader;            /* owned */
    struct data_batch *batch;             /* owned */
    uint32_t origins[SQL_BATCH_ROWS_MAX]; /* of the batch's rows */
    struct sql_split *splits;             /* owned */
    uint32_t split_count, split_capacity;
    int64_t rows_in; /* since this start */
    bool ended;
};

struct sql_run;

struct sql_run_output {
    struct sql_run *run;
    const struct sql_output *bound;
    const struct connector_sink_ops *ops; /* NULL: SELECT */
    struct connector_sink *sink;
    struct sql_projection *projection; /* owned */
    uint32_t records[SQL_BATCH_ROWS_MAX];
    int64_t times[SQL_BATCH_ROWS_MAX];
    int64_t limit_left; /* -1: no limit */
    bool wrote;         /* since the last flush */
};

/* One record of the epoch, kept until its rows are acknowledged or rejected. */
struct sql_origin {
    uint32_t source;
    int32_t split;
    int64_t position;
    uint32_t index; /* among the records of the same position: an API's page has only one */
    int64_t write_time_us;
    size_t at; /* in epoch_bytes: key, then value */
    uint32_t key_size, value_size;
    bool has_key, has_value;
};

struct sql_counts {
    int64_t rows_in, rows_out, dead_letters, skipped;
};

/* What the last epoch took. */
struct sql_epoch_took {
    int64_t add_us;    /* from its first records to the end of the flush */
    int64_t commit_us; /* the checkpoint; 0: none was due */
};

struct sql_progress; /* progress.c */

struct sql_run {
    struct sql_engine *engine;     /* borrowed */
    const struct sql_query *bound; /* borrowed from the script */
    char *name;                    /* owned */
    char *key;                     /* owned; under which its checkpoint is kept: the name, or a task's own */
    bool durable;                  /* has a checkpoint */
    bool is_select;
    const struct sql_results *results; /* SELECT: where rows go; borrowed */
    struct connector_context context;
    enum sql_on_error on_error;
    /* stopping */
    atomic_bool asked;              /* finish the epoch and end */
    atomic_bool hard;               /* connectors give up */
    const atomic_bool *interrupted; /* NULL, or another flag that means both */
    pthread_mutex_t control;        /* held while it is started or stopped; taken before lock */
    pthread_t thread;               /* under control */
    bool threaded;                  /* under control */
    /* the run's own */
    struct sql_run_source *sources; /* owned */
    struct sql_run_output *outputs; /* owned */
    struct connector_producer *dead_letters;
    bool dead_letters_sent; /* since the last flush */
    struct mr_err failure;  /* set in a callback that can't return it; status MR_OK: none */
    bool plan_stored;
    bool id_stored;
    int64_t epoch;
    int64_t epoch_start_us;
    int64_t epoch_ms_max;       /* under load: a checkpoint at least this often */
    struct sql_origin *origins; /* owned; of this epoch */
    size_t origin_count, origin_capacity;
    struct mr_writer epoch_bytes;
    bool moved;                              /* a position changed since the last flush */
    bool unstored;                           /* something was flushed since the last checkpoint */
    bool idempotent;                         /* every sink has a primary key: writing a row again changes nothing */
    bool pushes;                             /* idempotent, and every sink can send without waiting: E4 in epoch.c */
    int64_t work_start_us;                   /* when this epoch's first records came */
    int64_t stored_ns;                       /* when the last checkpoint was written */
    struct sql_counts counts, stored_counts; /* since this start; over all starts, as of the last checkpoint */
    struct sql_epoch_took took;
    struct mr_metric *metric_in, *metric_out, *metric_dead, *metric_lag, *metric_epoch_us;
    struct mr_metric *metric_skipped, *metric_epochs, *metric_running;
    /* shown */
    pthread_mutex_t lock;
    pthread_cond_t ended_cond;
    struct sql_query_status status; /* under lock */
    struct sql_progress *progress;  /* owned; under lock */
    bool ended;                     /* under lock */
};

struct sql_loaded_script {
    struct sql_script *script; /* owned */
    struct sql_loaded_script *next;
};

struct sql_engine {
    struct sql_engine_options options;
    char *kafka_embedded, *cassandra_embedded, *project_dir; /* owned copies */
    struct sql_session *session;                             /* owned */
    struct sql_loaded_script *scripts;                       /* owned; freed after the runs */
    struct sql_run **runs;                                   /* owned; under lock */
    size_t run_count, run_capacity;
    pthread_mutex_t lock; /* never held while a run's lock is waited for longer than a copy */
    atomic_bool interrupted;
    atomic_bool stopping; /* nothing is started any more */
    const struct sql_dead_letter_ops *dead_letter_ops;
    sql_fault_fn *fault; /* NULL but in tests */
    void *fault_arg;
};

/* ---- engine.c ---- */

/* For tests: what happens instead of connectors_producer_*, and before each step.  Either may be NULL. */
void sql_engine_test_hooks(struct sql_engine *engine, const struct sql_dead_letter_ops *ops, sql_fault_fn *fault,
                           void *arg);
/* Refuses a script with two queries of one name; *STEM names those without. */
MR_MUST_CHECK enum mr_status sql_engine_names_check(const struct sql_script *script, const char *stem,
                                                    struct mr_err *err);

/* Ends with "; there are a, b", the queries there are. */
void sql_engine_no_query(struct sql_engine *engine, const char *name, struct mr_err *err);
/* The run called NAME, or NULL. [any] */
struct sql_run *sql_engine_run(struct sql_engine *engine, const char *name);

/* ---- query.c ---- */

/* A run of BOUND, named NAME.  INTERRUPTED may be NULL.  Nothing is opened yet.  MR_INVALID: the name or a setting. */
MR_MUST_CHECK enum mr_status sql_run_new(struct sql_run **out, struct sql_engine *engine, const struct sql_query *bound,
                                         const char *name, bool durable, const atomic_bool *interrupted,
                                         struct mr_err *err);
void sql_run_free(struct sql_run *run); /* NULL is legal; the thread is joined */
/* Opens, runs to the end, closes; the outcome is in the status too. */
MR_MUST_CHECK enum mr_status sql_run_main(struct sql_run *run, struct mr_err *err);
/* The same on a new thread, which may be the second one of RUN: it goes on from its checkpoint.  Holding control. */
void sql_run_start(struct sql_run *run);
/* Waits until RUN, which was asked to end, has, after UNTIL (CLOCK_REALTIME) without finishing its epoch; joins.
 * Holding control. */
void sql_run_join(struct sql_run *run, const struct timespec *until);
/* Asks RUN to end after its epoch; one that has none under way, at once. */
void sql_run_ask(struct sql_run *run);
/* Does the query end when it has read what was there when it began ('execution.runtime-mode' = 'batch')? */
bool sql_run_is_batch(const struct sql_query *bound);
/* Was it asked to end? */
bool sql_run_stopping(const struct sql_run *run);
/* Shows the run's counts. */
void sql_run_show(struct sql_run *run, enum sql_query_state state, const struct mr_err *err);
/* The split of SOURCE, made when new. */
struct sql_split *sql_run_split(struct sql_run_source *source, int32_t split);
/* Calls the test's hook. */
MR_MUST_CHECK enum mr_status sql_run_step(struct sql_run *run, enum sql_step step, struct mr_err *err);

/* ---- epoch.c ---- */

/* One round: poll, decode, project, write, flush, and the checkpoint when it is due.  *IDLE: there was nothing. */
MR_MUST_CHECK enum mr_status sql_epoch_run(struct sql_run *run, bool *idle, struct mr_err *err);
/* The checkpoint of what was flushed, if there is any. */
MR_MUST_CHECK enum mr_status sql_epoch_store(struct sql_run *run, struct mr_err *err);
/* Have all sources ended, or all LIMITs been reached? */
bool sql_epoch_done(const struct sql_run *run);

/* ---- checkpoint.c ---- */

/* Compares the stored plan with the file's.  MR_EXISTS: they differ; err shows both and the choices. */
MR_MUST_CHECK enum mr_status sql_checkpoint_compare(struct state *state, const char *name,
                                                    const struct sql_query *bound, bool *stored, struct mr_err *err);
/* Reads the checkpoint of a durable run into its sources' splits, if there is one. */
MR_MUST_CHECK enum mr_status sql_checkpoint_load(struct sql_run *run, struct mr_err *err);
/* Writes it, synced, with the plan at the first time. */
MR_MUST_CHECK enum mr_status sql_checkpoint_store(struct sql_run *run, struct mr_err *err);

/* Shows the query's stored id, when it has one. */
MR_MUST_CHECK enum mr_status sql_checkpoint_id(struct sql_run *run, struct mr_err *err);
/* The wish that query NAME be stopped: read, and kept, synced. */
MR_MUST_CHECK enum mr_status sql_checkpoint_stopped(struct state *state, const char *name, bool *stopped,
                                                    struct mr_err *err);
MR_MUST_CHECK enum mr_status sql_checkpoint_stop(struct state *state, const char *name, bool stopped,
                                                 struct mr_err *err);

/* ---- progress.c ---- */

struct sql_progress *sql_progress_new(const struct sql_query *bound);
void sql_progress_free(struct sql_progress *progress); /* NULL is legal */
/* The run begins: where its sources stand now is where the next entry starts.  The run's thread. */
void sql_progress_begin(struct sql_run *run);
/* An epoch that moved has ended.  The run's thread. */
void sql_progress_note(struct sql_run *run);

/* ---- dead_letter.c ---- */

/* What records.on-error says is done with a record that failed at STAGE (OUTPUT: NULL for a decoding error). */
MR_MUST_CHECK enum mr_status sql_dead_letter(struct sql_run *run, const struct sql_origin *origin, enum sql_stage stage,
                                             const struct sql_run_output *output, const char *why, struct mr_err *err);
MR_MUST_CHECK enum mr_status sql_dead_letters_flush(struct sql_run *run, struct mr_err *err);
extern const struct sql_dead_letter_ops sql_dead_letter_producers;

/* The query of TASK.  Borrowed. */
const struct sql_query *sql_task_bound(const struct sql_task *task);

#endif

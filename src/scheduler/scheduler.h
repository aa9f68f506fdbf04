/* scheduler.h -- DAGs on a schedule: files that say when and what, runs, tasks, attempts, their history and logs.
 *
 * Keeps:      scheduler.db (SQLite: which DAGs are paused, runs, tasks, attempts) and a log file for each attempt.
 * Promises:   a run's interval is run once whatever happens; never more than max_active_runs of a DAG at once, also
 *             over a crash: an attempt that was under way is ended before the next one starts; what is answered is on
 * disk. Doesn't do: run SQL itself (the opener does, struct scheduler_sql), watch DAG files, know sockets.
 *
 * Words are Airflow's: a run covers the data interval [start, end), its logical date is the start, and it is due at the
 * end.  States are named as Airflow names them.
 *
 * Threads: a scheduler has a thread of its own.  Functions marked [own] are called on it, by jobs of scheduler_post.
 * Times:   _ms are milliseconds since 1970 UTC; SCHEDULER_NO_TIME where there is none. */
#ifndef SCHEDULER_SCHEDULER_H
#define SCHEDULER_SCHEDULER_H

#include "base/base.h"
#include "base/env.h"
#include "base/thread.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SCHEDULER_NO_TIME INT64_MIN

enum scheduler_limits {
    SCHEDULER_DAGS_MAX = 1000,
    SCHEDULER_TASKS_MAX = 200, /* of a DAG */
    SCHEDULER_PARAMS_MAX = 64,
    SCHEDULER_ENV_MAX = 64,
    SCHEDULER_ID_BYTES_MAX = 80,
    SCHEDULER_VALUE_BYTES_MAX = 8192, /* of a param or a variable */
    SCHEDULER_RETRIES_MAX = 1000,
    SCHEDULER_ACTIVE_RUNS_MAX = 100,
    SCHEDULER_RUN_BYTES = 64,          /* a run's id with its NUL */
    SCHEDULER_RUNNING_MAX = 32,        /* attempts at once, over all DAGs */
    SCHEDULER_LOG_BYTES_MAX = 1 << 20, /* read at once */
};

/* ---- DAG files ---- */

struct scheduler_dag_source; /* the parsed schedule: private */

/* A name and its value. */
struct scheduler_pair {
    const char *name;
    const char *value;
};

enum scheduler_task_kind { SCHEDULER_SHELL, SCHEDULER_SQL };

/* A task of a DAG. */
struct scheduler_task {
    const char *id;
    enum scheduler_task_kind kind;
    const char *text;  /* the command, or the SQL; NULL when FILE is set */
    const char *file;  /* a SQL file's path below the project; else NULL */
    int line, column;  /* where the text begins in the DAG's file; a block's later lines have the same column */
    uint32_t *depends; /* indexes of tasks that must succeed first */
    uint32_t depend_count;
    int64_t retries;
    int64_t retry_delay_ms;
    int64_t timeout_ms; /* of an attempt; 0: none */
    const struct scheduler_pair *env;
    uint32_t env_count;
};

/* A DAG as its file describes it.  Immutable; all of it is freed by scheduler_dag_free. */
struct scheduler_dag {
    const char *id;
    const char *file; /* for messages */
    const char *description, *owner;
    const char *schedule; /* as written; NULL: only by hand */
    const char *timezone; /* "UTC", "Europe/Berlin" */
    int64_t start_ms, end_ms;
    bool catchup;
    bool backoff; /* retry_exponential_backoff */
    int64_t max_retry_delay_ms;
    int64_t timeout_ms; /* of a run; 0: none */
    int64_t max_active_runs;
    const struct scheduler_pair *params; /* with their defaults */
    uint32_t param_count;
    struct scheduler_task *tasks;
    uint32_t task_count;
    const struct scheduler_dag_source *source;
    struct mr_arena *arena;
};

/* Reads TEXT, the YAML of the DAG called ID.  Caller owns *OUT.  FILE names it in messages ("dags/x.yaml:3:5: …").
 * MR_INVALID  wrong YAML, an unknown key (err names the nearest), a wrong value, tasks that depend on each other in a
 *             circle; err has line and column      MR_LIMIT  too much of something */
MR_MUST_CHECK enum mr_status scheduler_dag_parse(struct scheduler_dag **out, const char *id, struct mr_str text,
                                                 const char *file, struct mr_err *err);
void scheduler_dag_free(struct scheduler_dag *dag); /* NULL is legal */
/* The next COUNT instants after AFTER_MS at which DAG's schedule ticks; returns how many there are. */
uint32_t scheduler_dag_ticks(const struct scheduler_dag *dag, int64_t after_ms, uint32_t count, int64_t *out);
/* Appends the keys of a DAG file (TASK: of a task) as a Markdown table: the documentation's. [any] */
void scheduler_keys_write(struct mr_writer *out, bool task);

/* ---- running ---- */

struct scheduler;

/* Who runs SQL tasks.  All functions may be called from any thread; RUN on one of the scheduler's own, which it keeps
 * until the script has ended. */
struct scheduler_sql {
    /* Prepares task TASK of DAG; its progress is kept under CHECKPOINT, and it goes on from there when there is some.
     */
    enum mr_status (*begin)(void *arg, const char *dag, const char *task, const char *checkpoint, void **out,
                            struct mr_err *err);
    /* Runs it to its end.  MR_BUSY: it was stopped. */
    enum mr_status (*run)(void *job, struct mr_err *err);
    /* Makes RUN return soon, HARD: without finishing its epoch. */
    void (*stop)(void *job, bool hard);
    /* Rows read and written, dead letters, since begin. */
    void (*counts)(void *job, int64_t *rows_in, int64_t *rows_out, int64_t *dead_letters);
    void (*end)(void *job); /* frees it */
    /* CHECKPOINT is not needed any more. */
    void (*forget)(void *arg, const char *checkpoint);
    void *arg;
};

struct scheduler_options {
    struct mr_env *env;       /* NULL: mr_env_real() */
    const char *dir;          /* where scheduler.db and logs/ are; made when absent */
    const char *project_dir;  /* where shell tasks start; NULL: "." */
    struct scheduler_sql sql; /* may be all NULL when no DAG has a SQL task */
    int64_t keep_runs;        /* ended ones of a DAG, older ones go with their logs; 0: all, but one that is too old */
    int64_t keep_ms;          /* for so long after their end; 0: for ever */
};

/* Opens the history in options->dir and takes over DAGS (COUNT of them, of different ids).  Nothing runs yet.  Caller
 * owns *OUT: scheduler_close.
 * MR_CORRUPT, MR_IO  the history can't be used      MR_UNSUPPORTED  it is of a newer format */
MR_MUST_CHECK enum mr_status scheduler_open(struct scheduler **out, const struct scheduler_options *options,
                                            struct scheduler_dag **dags, uint32_t count, struct mr_err *err);
/* Starts the thread: what a dead process left is ended and its runs go on, then what is due is run. */
void scheduler_start(struct scheduler *scheduler);
/* Ends what runs (TERM, and KILL five seconds later; SQL finishes its epoch), then the thread.  Runs go on at the next
 * start.  Jobs posted before are run; later ones are refused. */
void scheduler_stop(struct scheduler *scheduler);
/* scheduler_stop, and frees.  NULL is legal. */
void scheduler_close(struct scheduler *scheduler);
/* Runs JOB(ARG) on the scheduler's thread; MR_BUSY: it has stopped, and JOB will not run. [any] */
MR_MUST_CHECK enum mr_status scheduler_post(struct scheduler *scheduler, mr_job_fn *job, void *arg);

/* ---- asking and telling, on the scheduler's thread ---- */

enum scheduler_state {
    SCHEDULER_NONE, /* of a task: not yet looked at */
    SCHEDULER_QUEUED,
    SCHEDULER_RUNNING,
    SCHEDULER_SUCCESS,
    SCHEDULER_FAILED,
    SCHEDULER_UP_FOR_RETRY,
    SCHEDULER_SKIPPED,
    SCHEDULER_UPSTREAM_FAILED,
    SCHEDULER_REMOVED, /* of a task: no longer in the DAG */
    SCHEDULER_STATE_N,
};

/* "queued" … [any] */
const char *scheduler_state_name(enum scheduler_state state);

struct scheduler_trigger {
    const struct scheduler_pair *params; /* over the DAG's defaults */
    uint32_t param_count;
    bool unless_active; /* MR_EXISTS when a run of the DAG is under way or queued */
};

/* Queues a run of DAG and gives its id; it is on disk then.  A paused DAG's run stays queued.
 * MR_NOT_FOUND  there is no such DAG (err names the nearest)    MR_INVALID  a param that the DAG does not declare
 * MR_LIMIT  too many runs wait     MR_EXISTS  see unless_active    MR_IO  the history can't be written   [own] */
MR_MUST_CHECK enum mr_status scheduler_trigger(struct scheduler *scheduler, const char *dag,
                                               const struct scheduler_trigger *trigger, char out[SCHEDULER_RUN_BYTES],
                                               struct mr_err *err);
/* Pauses DAG (no new run starts; what runs goes on) or lets it go on; kept over restarts.  As scheduler_trigger.
 * [own] */
MR_MUST_CHECK enum mr_status scheduler_pause(struct scheduler *scheduler, const char *dag, bool paused,
                                             struct mr_err *err);

/* A run as the history has it; texts are borrowed until the callback returns. */
struct scheduler_run_view {
    const char *dag, *id;
    const char *kind; /* "scheduled" or "manual" */
    enum scheduler_state state;
    int64_t logical_ms, start_ms, end_ms; /* the data interval */
    int64_t queued_ms, started_ms, ended_ms;
    const struct scheduler_pair *params;
    uint32_t param_count;
    const char *note; /* why it failed, when it was not a task; "" otherwise */
};

struct scheduler_task_view {
    const char *id;
    enum scheduler_state state;
    int64_t attempts; /* so far */
    int64_t tries;    /* of them, those that count against retries */
    int64_t retries;  /* how many it may have */
    int64_t started_ms, ended_ms, retry_ms;
};

struct scheduler_attempt_view {
    const char *task;
    int64_t number; /* 1 … */
    enum scheduler_state state;
    int64_t started_ms, ended_ms;
    int64_t pid;       /* 0: none */
    int64_t exit_code; /* -1: none */
    int64_t rows_in, rows_out, dead_letters;
    const char *error; /* "" when none */
};

struct scheduler_dag_view {
    const struct scheduler_dag *dag;
    bool paused;
    uint32_t running, queued; /* runs */
    int64_t next_logical_ms;  /* of the next scheduled run */
    int64_t next_run_ms;      /* when it is due */
    bool has_last;
    struct scheduler_run_view last; /* the newest run */
};

typedef void scheduler_dag_fn(void *arg, const struct scheduler_dag_view *dag);
typedef void scheduler_run_fn(void *arg, const struct scheduler_run_view *run);
typedef void scheduler_task_fn(void *arg, const struct scheduler_task_view *task);
typedef void scheduler_attempt_fn(void *arg, const struct scheduler_attempt_view *attempt);

/* EACH DAG, by id. [own] */
MR_MUST_CHECK enum mr_status scheduler_dags(struct scheduler *scheduler, scheduler_dag_fn *each, void *arg,
                                            struct mr_err *err);
/* EACH of DAG's newest LIMIT runs, newest first.  MR_NOT_FOUND: no such DAG. [own] */
MR_MUST_CHECK enum mr_status scheduler_runs(struct scheduler *scheduler, const char *dag, int64_t limit,
                                            scheduler_run_fn *each, void *arg, struct mr_err *err);
/* One run: EACH_RUN once, then EACH_TASK in the DAG's order, then EACH_ATTEMPT by task and number.  MR_NOT_FOUND. [own]
 */
MR_MUST_CHECK enum mr_status scheduler_run(struct scheduler *scheduler, const char *dag, const char *run,
                                           scheduler_run_fn *each_run, scheduler_task_fn *each_task,
                                           scheduler_attempt_fn *each_attempt, void *arg, struct mr_err *err);
/* Appends the log of ATTEMPT (0: the newest) from byte FROM on, at most SCHEDULER_LOG_BYTES_MAX, to OUT; a negative
 * FROM counts from the end.  *NEXT: where to go on.  *ENDED: nothing more will come.  MR_NOT_FOUND: no such run, task
 * or attempt. [own] */
MR_MUST_CHECK enum mr_status scheduler_log(struct scheduler *scheduler, const char *dag, const char *run,
                                           const char *task, int64_t attempt, int64_t from, struct mr_writer *out,
                                           int64_t *next, bool *ended, struct mr_err *err);

#ifdef __cplusplus
}
#endif
#endif

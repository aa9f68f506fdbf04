/* run_int.h -- inside of the scheduler: DAGs, their active runs, the attempts under way.
 *
 * Threads: all of it belongs to the scheduler's thread, except where a field says otherwise. */
#ifndef SCHEDULER_RUN_INT_H
#define SCHEDULER_RUN_INT_H

#include "base/metrics.h"
#include "scheduler/dag_int.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

enum {
    TOKEN_BYTES = 33,
    IDENTITY_BYTES = 96,
    CHECKPOINT_BYTES = 256,
    KILL_AFTER_MS = 5000,     /* TERM, then KILL */
    LEFTOVER_LOOK_MS = 20,    /* how often it is looked whether a leftover process is gone */
    HISTORY_RETRY_MS = 1000,  /* a history that could not be written is tried again */
    RUNS_QUEUED_MAX = 1000,   /* of a DAG */
    EXIT_CODE_SKIP = 99,      /* as Airflow's BashOperator has it */
    PROGRESS_EVERY_MS = 2000, /* a SQL task's counts go to its log */
};

struct history;
struct run;
struct run_task;

/* Why an attempt is made to end. */
enum stop_reason { STOP_NOT, STOP_TIMEOUT, STOP_RUN_TIMEOUT, STOP_SERVER };

/* An attempt under way.  STARTING (gate closed: its process waits) --recorded--> RUNNING --> ENDED --recorded--> gone.
 * A leftover of a dead server is RUNNING without a thread, until no process of it is found. */
struct attempt {
    struct scheduler *scheduler;
    struct run *run;
    struct run_task *task;
    int64_t number;
    int64_t started_ms, ended_ms;
    bool leftover;
    /* a process */
    pid_t pid;                     /* 0: none */
    int gate;                      /* closed: -1; a byte lets the process begin, end of file makes it exit */
    char identity[IDENTITY_BYTES]; /* tells the process from a later one of the same pid */
    char token[TOKEN_BYTES];       /* in the environment of all its descendants */
    int wait_status;               /* of waitpid */
    /* a script */
    void *job; /* of scheduler_sql */
    enum mr_status script_status;
    struct mr_err script_err; /* the thread's, until it has ended */
    struct mr_err err;
    int64_t rows_in, rows_out, dead_letters;
    int64_t progress_ms; /* when counts went to the log last */
    /* both */
    pthread_t thread;
    bool threaded;
    atomic_bool ended; /* set by the thread's last job */
    enum stop_reason stop;
    int64_t hard_ms; /* when it is ended harder; SCHEDULER_NO_TIME: it has been, or was not asked at all */
    bool settled;    /* the outcome is decided, and only to be recorded */
    bool dirty;
    enum scheduler_state state;
    int64_t exit_code;
    int log_fd;
};

struct run_task {
    char *id;                         /* owned */
    const struct scheduler_task *def; /* NULL: no longer in the DAG */
    enum scheduler_state state;
    int64_t attempts, tries;
    int64_t started_ms, ended_ms, retry_ms;
    struct attempt *attempt; /* owned; NULL: none under way */
    bool dirty;
};

struct run {
    struct run *next;
    struct dag_entry *dag;
    char id[SCHEDULER_RUN_BYTES];
    bool manual;
    enum scheduler_state state;
    int64_t logical_ms, start_ms, end_ms;
    int64_t queued_ms, started_ms, ended_ms;
    struct scheduler_pair *params; /* owned, texts too */
    uint32_t param_count;
    struct run_task *tasks; /* owned; in the DAG's order, then removed ones */
    uint32_t task_count;
    char note[256];
    bool dirty;
};

struct dag_entry {
    char *id;                        /* owned */
    const struct scheduler_dag *dag; /* borrowed; NULL: gone, and only its last runs are brought to an end */
    bool paused;
    int64_t last_end_ms, first_seen_ms;
    struct run *runs;               /* active, in the order in which they were queued */
    bool dirty;                     /* last_end_ms changed */
    struct timetable_interval next; /* as worked out at next_at_ms for next_after_ms */
    bool next_known, has_next;
    int64_t next_at_ms, next_after_ms;
    struct mr_metric *running, *succeeded, *failed, *next_run, *last_success, *attempts;
};

struct scheduler_job {
    struct scheduler_job *next;
    mr_job_fn *run;
    void *arg;
};

/* Starting and stopping an attempt's work: attempt.c's, or a test's own. */
struct attempt_ops {
    /* Fills pid or job, thread; the gate stays closed. */
    enum mr_status (*start)(struct attempt *a, struct mr_err *err);
    void (*release)(struct attempt *a);
    void (*stop)(struct attempt *a, bool hard);
    /* Is anything of a leftover still there?  SIGNAL (0: none) is sent to it. */
    bool (*leftover)(struct attempt *a, int signal);
    /* Takes what the ended thread left: exit code, counts. */
    void (*finish)(struct attempt *a);
};

struct scheduler {
    struct scheduler_options options;
    char *dir, *project_dir; /* owned */
    struct mr_env *env;
    struct history *history; /* owned */
    struct dag_entry *dags;  /* owned; by id, gone ones behind */
    uint32_t dag_count, entry_count;
    const struct attempt_ops *ops;
    uint32_t running; /* attempts */
    int64_t swept_ms; /* when old runs were removed last */
    bool history_failed;
    pthread_t thread;
    bool threaded;
    bool stopping; /* asked to */
    /* shared with other threads, under lock */
    pthread_mutex_t lock;
    pthread_cond_t woken;
    struct scheduler_job *jobs, **jobs_end;
    bool closed; /* takes no more jobs */
};

/* ---- history.c: all on the scheduler's thread ---- */

typedef enum mr_status history_run_fn(void *arg, const char *dag, const struct scheduler_run_view *run,
                                      struct mr_err *err);

/* Opens or makes the file at PATH.  MR_UNSUPPORTED: of a newer format. */
MR_MUST_CHECK enum mr_status history_open(struct history **out, const char *path, struct mr_err *err);
void history_close(struct history *history); /* NULL is legal */
/* A transaction: what is between is on disk whole when history_end returns MR_OK, or not at all. */
MR_MUST_CHECK enum mr_status history_begin(struct history *h, struct mr_err *err);
MR_MUST_CHECK enum mr_status history_end(struct history *h, enum mr_status status, struct mr_err *err);
/* Reads DAG's row into paused, last_end_ms, first_seen_ms; makes it, seen first at NOW_MS. */
MR_MUST_CHECK enum mr_status history_dag(struct history *h, struct dag_entry *dag, int64_t now_ms, struct mr_err *err);
MR_MUST_CHECK enum mr_status history_dag_put(struct history *h, const struct dag_entry *dag, struct mr_err *err);
MR_MUST_CHECK enum mr_status history_run_put(struct history *h, const struct run *run, bool is_new, struct mr_err *err);
MR_MUST_CHECK enum mr_status history_task_put(struct history *h, const struct run *run, const struct run_task *task,
                                              struct mr_err *err);
MR_MUST_CHECK enum mr_status history_attempt_put(struct history *h, const struct attempt *a, struct mr_err *err);
/* Is there a run of that id? */
MR_MUST_CHECK enum mr_status history_run_exists(struct history *h, const char *dag, const char *run, bool *out,
                                                struct mr_err *err);
/* EACH run that is queued or running, in the order in which they were queued. */
MR_MUST_CHECK enum mr_status history_active(struct history *h, history_run_fn *each, void *arg, struct mr_err *err);
/* EACH of DAG's newest LIMIT runs; ONLY: just the one of this id. */
MR_MUST_CHECK enum mr_status history_runs(struct history *h, const char *dag, const char *only, int64_t limit,
                                          history_run_fn *each, void *arg, struct mr_err *err);
MR_MUST_CHECK enum mr_status history_tasks(struct history *h, const char *dag, const char *run, scheduler_task_fn *each,
                                           void *arg, struct mr_err *err);
MR_MUST_CHECK enum mr_status history_attempts(struct history *h, const char *dag, const char *run,
                                              scheduler_attempt_fn *each, void *arg, struct mr_err *err);
/* The identity of the process of attempt A (run, task and number set), and when it was started. */
MR_MUST_CHECK enum mr_status history_identity(struct history *h, struct attempt *a, struct mr_err *err);
/* EACH finished run of DAG beyond the newest KEEP, or that ended before ENDED_BEFORE_MS; the newest is kept. */
MR_MUST_CHECK enum mr_status history_old(struct history *h, const char *dag, int64_t keep, int64_t ended_before_ms,
                                         history_run_fn *each, void *arg, struct mr_err *err);
MR_MUST_CHECK enum mr_status history_run_delete(struct history *h, const char *dag, const char *run,
                                                struct mr_err *err);
/* "queued" to SCHEDULER_QUEUED; SCHEDULER_STATE_N for others. */
enum scheduler_state scheduler_state_parse(const char *name);

/* ---- attempt_log.c ---- */

/* DIR/logs/DAG/RUN[/TASK/N.log] into OUT; TASK may be NULL. */
MR_MUST_CHECK enum mr_status attempt_log_path(char out[MR_PATH_BYTES], const struct scheduler *s, const char *dag,
                                              const char *run, const char *task, int64_t number, struct mr_err *err);
/* Opens the log of A for appending, mode 0600, its folders made. */
MR_MUST_CHECK enum mr_status attempt_log_open(struct attempt *a, struct mr_err *err);
/* A line of our own: "millrace TIME: …". */
void attempt_log_line(struct attempt *a, const char *format, ...) MR_PRINTF(2, 3);

/* ---- process.c ---- */

struct process_spec {
    const char *command; /* for /bin/sh -c */
    const char *dir;
    char *const *environment;
    int output_fd;
};

/* Starts a process that waits at a gate: nothing of COMMAND runs before a byte is written to *GATE, and when that is
 * closed it exits.  It leads a session and a process group of its own and has no other descriptor of ours. */
MR_MUST_CHECK enum mr_status process_start(const struct process_spec *spec, pid_t *pid, int *gate, struct mr_err *err);
/* What tells process PID from a later one of the same number; "" when it is gone. */
void process_identity(pid_t pid, char out[IDENTITY_BYTES]);
/* Sends SIGNAL to the group of PID, a process of process_start that was not reaped yet. */
void process_signal(pid_t pid, int signal_number);
/* Sends SIGNAL (0: none) to what is left of the process that was PID with IDENTITY, its group, and all that carry
 * TOKEN in their environment; how many were found. */
int process_leftover(pid_t pid, const char *identity, const char *token, int signal);

/* ---- attempt.c ---- */

extern const struct attempt_ops attempt_ops_real;
struct attempt *attempt_new(struct scheduler *s, struct run *run, struct run_task *task);
void attempt_free(struct attempt *a); /* NULL is legal; its thread is joined */
/* The name of a SQL task's checkpoint: one for each run. */
void attempt_checkpoint(char out[CHECKPOINT_BYTES], const struct run *run, const struct run_task *task);

/* ---- run.c ---- */

/* The run of VIEW with every task of its DAG. */
struct run *run_new(struct dag_entry *dag, const struct scheduler_run_view *view);
void run_free(struct run *run); /* NULL is legal */
/* Decides what can be decided about RUN at NOW_MS: outcomes, retries, what starts.  *WAKE_MS is lowered to when it is
 * to be looked at again; true when anything changed. */
bool run_advance(struct scheduler *s, struct run *run, int64_t now_ms, int64_t *wake_ms);
/* Makes every attempt of RUN end. */
void run_stop(struct run *run, enum stop_reason reason, int64_t now_ms);
bool scheduler_state_is_final(enum scheduler_state state);

/* ---- scheduler.c ---- */

/* Everything that is to be done at the clock's now; when to look again. */
int64_t scheduler_turn(struct scheduler *s);
/* For tests: other attempts. */
void scheduler_test_ops(struct scheduler *s, const struct attempt_ops *ops);
struct dag_entry *scheduler_entry(struct scheduler *s, const char *dag);
/* The entry of a DAG that is there; MR_NOT_FOUND: err names the nearest. */
MR_MUST_CHECK enum mr_status scheduler_entry_find(struct scheduler *s, const char *dag, struct dag_entry **out,
                                                  struct mr_err *err);
/* The scheduler's own posts, also while it stops. [any] */
void scheduler_post_own(struct scheduler *s, mr_job_fn *job, void *arg);
/* The next scheduled run of E, whose DAG is there; false: never again. */
bool scheduler_entry_next(struct dag_entry *e, int64_t now_ms, struct timetable_interval *out);
/* Writes all that is dirty in one transaction. */
MR_MUST_CHECK enum mr_status scheduler_flush(struct scheduler *s, struct mr_err *err);

#endif

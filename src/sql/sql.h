/* sql.h -- streaming SQL: scripts are parsed and bound here, then run.
 *
 * The language is a subset of Flink SQL with Flink's semantics; src/sql/grammar.y describes it.
 * Keeps:      the tables of a session, bound statements.
 * Promises:   a script either binds whole or changes nothing; every refusal has a line, a column and what to do.
 * Doesn't do: read or write records itself: connectors do.
 *
 * Threads: a session and its scripts belong to one thread; a bound script is immutable and may be read by others. */
#ifndef SQL_SQL_H
#define SQL_SQL_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

struct connector;
struct data_batch;
struct sql_session;
struct sql_script;

enum sql_statement_kind {
    SQL_CREATE_TABLE,
    SQL_DROP_TABLE,
    SQL_INSERT,        /* a query */
    SQL_STATEMENT_SET, /* a query */
    SQL_SELECT,        /* a query */
    SQL_EXPLAIN,
    SQL_SET,
    SQL_RESET,
    SQL_SHOW_TABLES,
    SQL_SHOW_QUERIES, /* this one and the next two sql_script_answer can't answer: the engine knows */
    SQL_START_QUERY,
    SQL_STOP_QUERY,
    SQL_SHOW_FUNCTIONS,
    SQL_SHOW_CREATE_TABLE,
    SQL_DESCRIBE,
};

/* A new session: an empty catalog, default settings.  CONNECTORS (borrowed) ends with NULL: connectors_all().  Caller
 * owns; scripts bound in it must be freed before. */
struct sql_session *sql_session_new(const struct connector *const *connectors);
void sql_session_free(struct sql_session *session); /* NULL is legal */

/* Parses TEXT and binds its statements in order: CREATE, DROP, SET and RESET take effect in SESSION, so that later
 * statements (and scripts) see them; queries are checked and planned, not run.  On failure SESSION is as it was; err
 * has line and column.  Caller owns *out.
 * MR_INVALID  wrong SQL      MR_UNSUPPORTED  Flink has it, this version not      MR_LIMIT  too long or too deep */
MR_MUST_CHECK enum mr_status sql_script_bind(struct sql_script **out, struct sql_session *session, struct mr_str text,
                                             struct mr_err *err);
void sql_script_free(struct sql_script *script); /* NULL is legal */
/* How many statements it has, and what the one at INDEX is. */
uint32_t sql_script_count(const struct sql_script *script);
enum sql_statement_kind sql_script_kind(const struct sql_script *script, uint32_t index);
/* Must statement INDEX be run by the engine (INSERT, STATEMENT SET, SELECT)? */
bool sql_script_is_query(const struct sql_script *script, uint32_t index);
/* The name that the script gave to query INDEX (SET 'pipeline.name'), or NULL.  Borrowed. */
const char *sql_script_query_name(const struct sql_script *script, uint32_t index);
/* The query that statement INDEX is to START or STOP, or NULL.  Borrowed. */
const char *sql_script_named(const struct sql_script *script, uint32_t index);
/* The answer of a statement that is no query, as rows of text: EXPLAIN, SHOW TABLES, SHOW FUNCTIONS, SHOW CREATE TABLE,
 * DESCRIBE, SET without a value; "OK" for the others; NULL for queries, SHOW QUERIES, START QUERY and STOP QUERY.
 * Borrowed from the script. */
const struct data_batch *sql_script_answer(const struct sql_script *script, uint32_t index);

/* Appends ERR for people: "FILE:3:8: …", or "line 3, column 8: …" when FILE is NULL, then the line of SOURCE with a
 * mark under the place. */
void sql_error_write(struct mr_writer *out, const char *file, struct mr_str source, const struct mr_err *err);
/* The function at INDEX, in the order of SHOW FUNCTIONS; false after the last. [any] */
bool sql_function_describe(size_t index, const char **signature, const char **help);
/* Appends the functions there are, as a Markdown table (the documentation's). */
void sql_functions_write(struct mr_writer *out);
/* Appends the settings of SET there are, as a Markdown table. */
void sql_settings_write(struct mr_writer *out);

/* ---- the engine: runs queries, each on a thread of its own ---- */

struct mr_env;
struct state;
struct data_type;
struct sql_engine;
struct sql_query_status;

/* Queries that another process runs, for SHOW QUERIES, START QUERY and STOP QUERY of an engine that has none itself. */
struct sql_remote {
    /* The queries, in order: *OUT is mr_alloc'd, the caller's. */
    enum mr_status (*list)(void *arg, struct sql_query_status **out, size_t *count, struct mr_err *err);
    enum mr_status (*start)(void *arg, const char *name, struct mr_err *err);
    enum mr_status (*stop)(void *arg, const char *name, struct mr_err *err);
    void *arg;
};

/* Borrowed for the engine's life. */
struct sql_engine_options {
    struct mr_env *env;                        /* NULL: mr_env_real() */
    struct state *state;                       /* checkpoints and stored plans; NULL: nothing is kept (millrace sql) */
    const struct connector *const *connectors; /* ends with NULL: connectors_all() */
    const char *kafka_embedded;                /* HOST:PORT used when a table names no bootstrap servers; may be NULL */
    const char *cassandra_embedded;            /* HOST:PORT used when a table names no contact points; may be NULL */
    bool cassandra_is_ours;                    /* it is millrace's own store: 'auto.create' defaults to true */
    bool kafka_is_shared; /* it is not millrace's own log: other processes may run the same queries against it */
    const struct sql_remote *remote; /* NULL: none */
    const char *project_dir;         /* where relative paths of files start; they may not leave it */
    /* A query that ran and met MR_IO or MR_BUSY (a full disk, a server gone for long) goes on from its checkpoint after
     * so long, twice as long each time up to a minute; 0: it fails. */
    int64_t retry_ms;
};

/* An engine without queries, with one session.  Caller owns *OUT: sql_engine_close. */
MR_MUST_CHECK enum mr_status sql_engine_open(struct sql_engine **out, const struct sql_engine_options *options,
                                             struct mr_err *err);
/* Stops every query as sql_engine_stop does, and frees.  NULL is legal. */
void sql_engine_close(struct sql_engine *engine);
/* The engine's session: its tables.  The thread that opened the engine. */
struct sql_session *sql_engine_session(struct sql_engine *engine);

/* Binds TEXT and keeps its queries (INSERT, STATEMENT SET) for sql_engine_start.  A query without a name gets STEM; two
 * of one name are refused, and so is a query whose stored plan is another: err shows the difference and the choices.
 * SELECTs and other questions in TEXT are refused: a pipeline has nobody to answer.  MR_INVALID and the others of
 * sql_script_bind. */
MR_MUST_CHECK enum mr_status sql_engine_load(struct sql_engine *engine, struct mr_str text, const char *stem,
                                             struct mr_err *err);
/* Starts every query that was loaded, does not run and was not stopped by hand (sql_engine_query_stop, also before a
 * restart).  A query that fails does not touch the others: its status says why.  MR_IO, MR_CORRUPT: the state can't be
 * read. */
MR_MUST_CHECK enum mr_status sql_engine_start(struct sql_engine *engine, struct mr_err *err);
/* Asks every query to finish its epoch, waits for that, joins the threads. */
void sql_engine_stop(struct sql_engine *engine);

/* Where the results of a script go; each may be NULL. */
struct sql_results {
    /* Rows of ROW (borrowed until on_end) follow.  LIVE: they come as they are made, with no known end. */
    void (*on_begin)(void *arg, const struct data_type *row, bool live);
    void (*on_rows)(void *arg, const struct data_batch *batch); /* borrowed until it returns */
    void (*on_end)(void *arg);
    void *arg;
};

/* Binds and runs the statements of TEXT in order on the caller's thread: a query until its sources end or its LIMIT is
 * reached (an INSERT, too), answers of the others as rows (CREATE, DROP, RESET and SET with a value have none).  Stops
 * at the first failure; dead letters of an INSERT are written as ever, a SELECT fails on a bad record unless
 * 'records.on-error' says skip.
 * MR_BUSY: sql_engine_interrupt was called.  Otherwise as sql_script_bind and the connectors say. */
MR_MUST_CHECK enum mr_status sql_engine_execute(struct sql_engine *engine, struct mr_str text, const char *name,
                                                const struct sql_results *results, struct mr_err *err);
/* Makes sql_engine_execute return soon.  [any], also from a signal handler. */
void sql_engine_interrupt(struct sql_engine *engine);

enum sql_query_state {
    SQL_QUERY_STARTING,
    SQL_QUERY_RUNNING,
    SQL_QUERY_RETRYING, /* waits to go on from its checkpoint; the error says why */
    SQL_QUERY_FINISHED,
    SQL_QUERY_FAILED,
    SQL_QUERY_STOPPED,
};

/* A query's progress, as of one moment. */
struct sql_query_status {
    char name[256];
    char id[37];     /* of the query, kept with its checkpoint */
    char run_id[37]; /* of this start; "" before the first */
    enum sql_query_state state;
    int64_t epoch;   /* checkpoints so far, over all starts */
    int64_t rows_in; /* since this start, as all below */
    int64_t rows_out;
    int64_t dead_letters;
    int64_t skipped;
    int64_t lag;      /* records not yet read; -1: not known */
    int64_t batch_us; /* duration of the last epoch */
    int64_t started_ms;
    char error[MR_ERR_BYTES]; /* why it failed, or the last record's trouble; "" when none */
};

/* The I-th query, in the order of loading; false after the last. [any] */
bool sql_engine_query(struct sql_engine *engine, size_t i, struct sql_query_status *out);
/* Starts the query called NAME, also one that failed, finished or was stopped by hand, and forgets the wish that it be
 * stopped.  No effect on one that runs.  MR_NOT_FOUND: err names those there are.  MR_BUSY: the engine is being
 * stopped. Syncs, and waits while the same query is being stopped: [any] but an event loop. */
MR_MUST_CHECK enum mr_status sql_engine_query_start(struct sql_engine *engine, const char *name, struct mr_err *err);
/* Stops the query called NAME and keeps the wish with its state: it stays stopped over restarts until
 * sql_engine_query_start.  Returns when it has finished its epoch, after SQL_STOP_GRACE_MS at the latest without.
 * Statuses and threads as above. */
MR_MUST_CHECK enum mr_status sql_engine_query_stop(struct sql_engine *engine, const char *name, struct mr_err *err);
/* Appends the I-th query as a JSON object: its status, tables read and written; false after the last. [any] */
bool sql_engine_query_json(struct sql_engine *engine, size_t i, struct mr_writer *out);
/* Appends the newest COUNT entries of a query's progress, oldest first, as a JSON array of objects with the fields of
 * Spark's StreamingQueryProgress.  An entry is one epoch that had records, or all of one second when they are shorter.
 * MR_NOT_FOUND: as above. [any] */
MR_MUST_CHECK enum mr_status sql_engine_query_progress(struct sql_engine *engine, const char *name, uint32_t count,
                                                       struct mr_writer *out, struct mr_err *err);
/* "running" … [any] */
const char *sql_query_state_name(enum sql_query_state state);
/* The state called NAME; false when there is none. [any] */
bool sql_query_state_parse(const char *name, enum sql_query_state *out);
/* While a table option is overridden, TABLE's option NAME has VALUE whatever its CREATE TABLE says (`millrace run
 * --set`); before the script is bound.  A table or option that never comes is found by sql_session_override_unused. */
void sql_session_override(struct sql_session *session, const char *table, const char *option, const char *value);
/* "TABLE.OPTION" of an override that nothing used, or NULL. */
const char *sql_session_override_unused(const struct sql_session *session);

/* ---- tasks: a script that is run when somebody asks for it, any number of times ---- */

struct sql_task;     /* a bound script */
struct sql_task_run; /* one time it is run */

/* Binds TEXT, which has one query (an INSERT or a STATEMENT SET) and before it CREATE, SET and the like; nothing runs.
 * The query is called NAME where the script gives it none: its dead letters, metrics and client id.  Caller owns *OUT.
 * The opener's thread.  As sql_engine_load. */
MR_MUST_CHECK enum mr_status sql_task_load(struct sql_task **out, struct sql_engine *engine, struct mr_str text,
                                           const char *name, struct mr_err *err);
/* Appends "sources":[…],"sinks":[…]: the tables it reads and writes, as sql_engine_query_json has them. [any] */
void sql_task_ends_write(const struct sql_task *task, struct mr_writer *out);
void sql_task_free(struct sql_task *task); /* NULL is legal; its runs are gone, its engine not */
/* Prepares to run TASK with CHECKPOINT (1 .. STATE_QUERY_BYTES_MAX bytes) as the key of its progress: it goes on where
 * a run of the same CHECKPOINT was, or starts from the beginning.  Two at once must have different ones.  Caller owns
 * *OUT.  [any] */
MR_MUST_CHECK enum mr_status sql_task_begin(struct sql_task_run **out, struct sql_task *task, const char *checkpoint,
                                            struct mr_err *err);
/* Runs it on the caller's thread until its sources end; once.  MR_BUSY: it was stopped.  A failure leaves the
 * checkpoint as it is. */
MR_MUST_CHECK enum mr_status sql_task_run(struct sql_task_run *run, struct mr_err *err);
/* Makes sql_task_run finish its epoch and return; HARD: return at once.  Also before it was called. [any] */
void sql_task_stop(struct sql_task_run *run, bool hard);
/* As sql_engine_query has it. [any] */
void sql_task_status(struct sql_task_run *run, struct sql_query_status *out);
void sql_task_end(struct sql_task_run *run); /* frees it, when sql_task_run has returned; NULL is legal */
/* Forgets the progress kept under CHECKPOINT, synced; being absent is OK.  [any] but an event loop. */
MR_MUST_CHECK enum mr_status sql_checkpoint_forget(struct sql_engine *engine, const char *checkpoint,
                                                   struct mr_err *err);

#ifdef __cplusplus
}
#endif
#endif

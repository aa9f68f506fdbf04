/* history.c -- DAGs, runs, tasks and attempts in SQLite.
 *
 * File scheduler.db, WAL, synchronous=FULL: a change is on disk when its COMMIT returns.  user_version is the format.
 *   dags     (id, paused, last_end_ms, first_seen_ms)   how far the schedule was followed: never runs an interval twice
 *   runs     (dag, run, kind, state, logical_ms, …)     params (dag, run, name, value)
 *   tasks    (dag, run, task, state, attempts, tries, …)
 *   attempts (dag, run, task, number, state, pid, identity, token, …)
 * Times are milliseconds since 1970 UTC, NULL where there is none.
 * Tested by: tests/unit/scheduler/test_history.c */
#include "scheduler/run_int.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { FORMAT_VERSION = 1, BUSY_MS = 2000 };

struct history {
    sqlite3 *db;
    char *path;
};

static const char schema[] =
    "CREATE TABLE dags (id TEXT PRIMARY KEY, paused INTEGER NOT NULL, last_end_ms INTEGER, first_seen_ms INTEGER NOT "
    "NULL);"
    "CREATE TABLE runs (dag TEXT NOT NULL, run TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, logical_ms "
    "INTEGER, start_ms INTEGER, end_ms INTEGER, queued_ms INTEGER, started_ms INTEGER, ended_ms INTEGER, note TEXT NOT "
    "NULL, UNIQUE (dag, run));"
    "CREATE INDEX runs_queued ON runs (dag, queued_ms);"
    "CREATE INDEX runs_active ON runs (state) WHERE state IN ('queued', 'running');"
    "CREATE TABLE params (dag TEXT NOT NULL, run TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY "
    "(dag, run, name)) WITHOUT ROWID;"
    "CREATE TABLE tasks (dag TEXT NOT NULL, run TEXT NOT NULL, task TEXT NOT NULL, state TEXT NOT NULL, attempts "
    "INTEGER NOT NULL, tries INTEGER NOT NULL, retries INTEGER NOT NULL, started_ms INTEGER, ended_ms INTEGER, "
    "retry_ms "
    "INTEGER, UNIQUE (dag, run, task));"
    "CREATE TABLE attempts (dag TEXT NOT NULL, run TEXT NOT NULL, task TEXT NOT NULL, number INTEGER NOT NULL, state "
    "TEXT NOT NULL, started_ms INTEGER, ended_ms INTEGER, pid INTEGER NOT NULL, identity TEXT NOT NULL, token TEXT NOT "
    "NULL, exit_code INTEGER NOT NULL, rows_in INTEGER NOT NULL, rows_out INTEGER NOT NULL, dead_letters INTEGER NOT "
    "NULL, error TEXT NOT NULL, UNIQUE (dag, run, task, number));";

static const char *const state_names[] = {
    [SCHEDULER_NONE] = "none",       [SCHEDULER_QUEUED] = "queued",
    [SCHEDULER_RUNNING] = "running", [SCHEDULER_SUCCESS] = "success",
    [SCHEDULER_FAILED] = "failed",   [SCHEDULER_UP_FOR_RETRY] = "up_for_retry",
    [SCHEDULER_SKIPPED] = "skipped", [SCHEDULER_UPSTREAM_FAILED] = "upstream_failed",
    [SCHEDULER_REMOVED] = "removed",
};

const char *scheduler_state_name(enum scheduler_state state)
{
    assert((unsigned)state < MR_COUNT(state_names));
    return state_names[state];
}

enum scheduler_state scheduler_state_parse(const char *name)
{
    for (int i = 0; name != NULL && i < SCHEDULER_STATE_N; i++) {
        if (strcmp(state_names[i], name) == 0)
            return (enum scheduler_state)i;
    }
    return SCHEDULER_STATE_N;
}

/* ---- statements ---- */

static enum mr_status db_error(struct history *h, struct mr_err *err, const char *what)
{
    int code = sqlite3_errcode(h->db);

    return mr_err_set(err, code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? MR_CORRUPT : MR_IO, "%s: %.60s: %s",
                      h->path, what, sqlite3_errmsg(h->db));
}

static enum mr_status db_exec(struct history *h, const char *sql, struct mr_err *err)
{
    return sqlite3_exec(h->db, sql, NULL, NULL, NULL) == SQLITE_OK ? MR_OK : db_error(h, err, sql);
}

/* Prepares SQL and binds by KINDS: t text, i integer, m a time in ms (SCHEDULER_NO_TIME: NULL). */
static enum mr_status db_query(struct history *h, sqlite3_stmt **out, struct mr_err *err, const char *sql,
                               const char *kinds, ...)
{
    sqlite3_stmt *statement;
    va_list list;

    if (sqlite3_prepare_v2(h->db, sql, -1, &statement, NULL) != SQLITE_OK)
        return db_error(h, err, sql);
    va_start(list, kinds);
    for (int i = 0; kinds[i] != '\0'; i++) {
        if (kinds[i] == 't') {
            sqlite3_bind_text(statement, i + 1, va_arg(list, const char *), -1, SQLITE_TRANSIENT);
        } else {
            int64_t v = va_arg(list, int64_t);

            if (kinds[i] == 'm' && v == SCHEDULER_NO_TIME)
                sqlite3_bind_null(statement, i + 1);
            else
                sqlite3_bind_int64(statement, i + 1, v);
        }
    }
    va_end(list);
    *out = statement;
    return MR_OK;
}

/* Runs a statement that gives no rows, and ends it. */
static enum mr_status db_done(struct history *h, enum mr_status status, sqlite3_stmt *statement, struct mr_err *err)
{
    if (status != MR_OK)
        return status;
    status = sqlite3_step(statement) == SQLITE_DONE ? MR_OK : db_error(h, err, sqlite3_sql(statement));
    sqlite3_finalize(statement);
    return status;
}

static const char *text_at(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);

    return text != NULL ? text : "";
}

static int64_t ms_at(sqlite3_stmt *statement, int column)
{
    if (sqlite3_column_type(statement, column) == SQLITE_NULL)
        return SCHEDULER_NO_TIME;
    return sqlite3_column_int64(statement, column);
}

/* ---- the file ---- */

static enum mr_status format_check(struct history *h, struct mr_err *err)
{
    sqlite3_stmt *statement = NULL;
    int64_t version = 0;
    enum mr_status status = db_query(h, &statement, err, "PRAGMA user_version", "");

    if (status != MR_OK)
        return status;
    if (sqlite3_step(statement) == SQLITE_ROW)
        version = sqlite3_column_int64(statement, 0);
    else
        status = db_error(h, err, "user_version");
    sqlite3_finalize(statement);
    if (status == MR_OK && version > FORMAT_VERSION)
        return mr_err_set(err, MR_UNSUPPORTED, "%s has format %" PRId64 ", this program knows %d: use a newer millrace",
                          h->path, version, FORMAT_VERSION);
    if (status != MR_OK || version != 0)
        return status;
    status = db_exec(h, "BEGIN IMMEDIATE", err);
    if (status == MR_OK)
        status = db_exec(h, schema, err);
    if (status == MR_OK)
        status = db_exec(h, "PRAGMA user_version = 1", err);
    return history_end(h, status, err);
}

enum mr_status history_open(struct history **out, const char *path, struct mr_err *err)
{
    struct history *h = MR_NEW(struct history);
    enum mr_status status = MR_OK;

    h->path = mr_strdup(path);
    if (sqlite3_open_v2(path, &h->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        status = db_error(h, err, "open");
    if (status == MR_OK) {
        sqlite3_busy_timeout(h->db, BUSY_MS);
        status = db_exec(h, "PRAGMA journal_mode = WAL", err);
    }
    if (status == MR_OK)
        status = db_exec(h, "PRAGMA synchronous = FULL", err);
    if (status == MR_OK)
        status = db_exec(h, "PRAGMA fullfsync = ON", err); /* macOS */
    if (status == MR_OK)
        status = format_check(h, err);
    if (status == MR_OK && chmod(path, 0600) != 0)
        status = mr_err_set(err, MR_IO, "%s: its mode can't be set", path);
    if (status != MR_OK) {
        history_close(h);
        return status;
    }
    *out = h;
    return MR_OK;
}

void history_close(struct history *history)
{
    if (history == NULL)
        return;
    sqlite3_close(history->db);
    mr_free(history->path);
    mr_free(history);
}

enum mr_status history_begin(struct history *h, struct mr_err *err)
{
    return db_exec(h, "BEGIN IMMEDIATE", err);
}

enum mr_status history_end(struct history *h, enum mr_status status, struct mr_err *err)
{
    if (status == MR_OK)
        status = db_exec(h, "COMMIT", err);
    if (status != MR_OK && !sqlite3_get_autocommit(h->db))
        sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

/* ---- writing ---- */

enum mr_status history_dag(struct history *h, struct dag_entry *dag, int64_t now_ms, struct mr_err *err)
{
    sqlite3_stmt *statement = NULL;
    enum mr_status status =
        db_query(h, &statement, err, "SELECT paused, last_end_ms, first_seen_ms FROM dags WHERE id = ?", "t", dag->id);
    int rc;

    if (status != MR_OK)
        return status;
    rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW) {
        dag->paused = sqlite3_column_int(statement, 0) != 0;
        dag->last_end_ms = ms_at(statement, 1);
        dag->first_seen_ms = sqlite3_column_int64(statement, 2);
    } else if (rc != SQLITE_DONE) {
        status = db_error(h, err, "dags");
    }
    sqlite3_finalize(statement);
    if (status != MR_OK || rc == SQLITE_ROW)
        return status;
    dag->paused = false;
    dag->last_end_ms = SCHEDULER_NO_TIME;
    dag->first_seen_ms = now_ms;
    return history_dag_put(h, dag, err);
}

enum mr_status history_dag_put(struct history *h, const struct dag_entry *dag, struct mr_err *err)
{
    sqlite3_stmt *statement = NULL;
    enum mr_status status = db_query(h, &statement, err, "INSERT OR REPLACE INTO dags VALUES (?, ?, ?, ?)", "timi",
                                     dag->id, (int64_t)dag->paused, dag->last_end_ms, dag->first_seen_ms);

    return db_done(h, status, statement, err);
}

static enum mr_status params_put(struct history *h, const struct run *run, struct mr_err *err)
{
    enum mr_status status = MR_OK;

    for (uint32_t i = 0; i < run->param_count && status == MR_OK; i++) {
        sqlite3_stmt *statement = NULL;

        status = db_query(h, &statement, err, "INSERT OR REPLACE INTO params VALUES (?, ?, ?, ?)", "tttt", run->dag->id,
                          run->id, run->params[i].name, run->params[i].value);
        status = db_done(h, status, statement, err);
    }
    return status;
}

enum mr_status history_run_put(struct history *h, const struct run *run, bool is_new, struct mr_err *err)
{
    sqlite3_stmt *statement = NULL;
    enum mr_status status;

    if (!is_new) {
        status = db_query(h, &statement, err,
                          "UPDATE runs SET state = ?, started_ms = ?, ended_ms = ?, note = ? WHERE dag = ? AND run = ?",
                          "tmmttt", scheduler_state_name(run->state), run->started_ms, run->ended_ms, run->note,
                          run->dag->id, run->id);
        return db_done(h, status, statement, err);
    }
    status = db_query(h, &statement, err, "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "ttttmmmmmmt",
                      run->dag->id, run->id, run->manual ? "manual" : "scheduled", scheduler_state_name(run->state),
                      run->logical_ms, run->start_ms, run->end_ms, run->queued_ms, run->started_ms, run->ended_ms,
                      run->note);
    status = db_done(h, status, statement, err);
    if (status == MR_OK)
        status = params_put(h, run, err);
    for (uint32_t i = 0; i < run->task_count && status == MR_OK; i++)
        status = history_task_put(h, run, &run->tasks[i], err);
    return status;
}

enum mr_status history_task_put(struct history *h, const struct run *run, const struct run_task *task,
                                struct mr_err *err)
{
    sqlite3_stmt *statement = NULL;
    enum mr_status status = db_query(
        h, &statement, err,
        "INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (dag, run, task) DO UPDATE SET "
        "state = excluded.state, attempts = excluded.attempts, tries = excluded.tries, retries = "
        "excluded.retries, started_ms = excluded.started_ms, ended_ms = excluded.ended_ms, retry_ms = "
        "excluded.retry_ms",
        "ttttiiimmm", run->dag->id, run->id, task->id, scheduler_state_name(task->state), task->attempts, task->tries,
        task->def != NULL ? task->def->retries : 0, task->started_ms, task->ended_ms, task->retry_ms);

    return db_done(h, status, statement, err);
}

enum mr_status history_attempt_put(struct history *h, const struct attempt *a, struct mr_err *err)
{
    sqlite3_stmt *statement = NULL;
    enum mr_status status = db_query(
        h, &statement, err, "INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "tttitmmittiiiit", a->run->dag->id, a->run->id, a->task->id, a->number, scheduler_state_name(a->state),
        a->started_ms, a->ended_ms, (int64_t)a->pid, a->identity, a->token, a->exit_code, a->rows_in, a->rows_out,
        a->dead_letters, a->err.text);

    return db_done(h, status, statement, err);
}

enum mr_status history_run_delete(struct history *h, const char *dag, const char *run, struct mr_err *err)
{
    static const char *const statements[] = { "DELETE FROM attempts WHERE dag = ? AND run = ?",
                                              "DELETE FROM tasks WHERE dag = ? AND run = ?",
                                              "DELETE FROM params WHERE dag = ? AND run = ?",
                                              "DELETE FROM runs WHERE dag = ? AND run = ?" };
    enum mr_status status = history_begin(h, err);

    for (size_t i = 0; i < MR_COUNT(statements) && status == MR_OK; i++) {
        sqlite3_stmt *statement = NULL;

        status = db_query(h, &statement, err, statements[i], "tt", dag, run);
        status = db_done(h, status, statement, err);
    }
    return history_end(h, status, err);
}

/* ---- reading ---- */

enum mr_status history_run_exists(struct history *h, const char *dag, const char *run, bool *out, struct mr_err *err)
{
    sqlite3_stmt *statement = NULL;
    enum mr_status status =
        db_query(h, &statement, err, "SELECT 1 FROM runs WHERE dag = ? AND run = ?", "tt", dag, run);
    int rc;

    if (status != MR_OK)
        return status;
    rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        *out = rc == SQLITE_ROW;
    else
        status = db_error(h, err, "runs");
    sqlite3_finalize(statement);
    return status;
}

static enum mr_status params_get(struct history *h, const char *dag, const char *run, struct mr_arena *arena,
                                 struct scheduler_run_view *view, struct mr_err *err)
{
    struct scheduler_pair *params = MR_ARENA_ARRAY(arena, struct scheduler_pair, SCHEDULER_PARAMS_MAX);
    sqlite3_stmt *statement = NULL;
    enum mr_status status = db_query(
        h, &statement, err, "SELECT name, value FROM params WHERE dag = ? AND run = ? ORDER BY name", "tt", dag, run);
    int rc = SQLITE_ROW;

    if (status != MR_OK)
        return status;
    while (view->param_count < SCHEDULER_PARAMS_MAX && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
        params[view->param_count].name = mr_arena_printf(arena, "%s", text_at(statement, 0));
        params[view->param_count++].value = mr_arena_printf(arena, "%s", text_at(statement, 1));
    }
    view->params = params;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        status = db_error(h, err, "params");
    sqlite3_finalize(statement);
    return status;
}

#define RUN_COLUMNS "dag, run, kind, state, logical_ms, start_ms, end_ms, queued_ms, started_ms, ended_ms, note"

/* The rows of STATEMENT, whose columns are RUN_COLUMNS; ends it.  All are read before the first callback, which may
 * write. */
static enum mr_status runs_each(struct history *h, enum mr_status status, sqlite3_stmt *statement, history_run_fn *each,
                                void *arg, struct mr_err *err)
{
    struct mr_arena *arena;
    struct scheduler_run_view *views = NULL;
    size_t count = 0, capacity = 0;
    int rc;

    if (status != MR_OK)
        return status;
    arena = mr_arena_new();
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        struct scheduler_run_view v = { 0 };

        v.dag = mr_arena_printf(arena, "%s", text_at(statement, 0));
        v.id = mr_arena_printf(arena, "%s", text_at(statement, 1));
        v.kind = strcmp(text_at(statement, 2), "manual") == 0 ? "manual" : "scheduled";
        v.state = scheduler_state_parse(text_at(statement, 3));
        if (v.state == SCHEDULER_STATE_N)
            v.state = SCHEDULER_FAILED;
        v.logical_ms = ms_at(statement, 4);
        v.start_ms = ms_at(statement, 5);
        v.end_ms = ms_at(statement, 6);
        v.queued_ms = ms_at(statement, 7);
        v.started_ms = ms_at(statement, 8);
        v.ended_ms = ms_at(statement, 9);
        v.note = mr_arena_printf(arena, "%s", text_at(statement, 10));
        MR_GROW(views, count, capacity);
        views[count++] = v;
    }
    if (rc != SQLITE_DONE)
        status = db_error(h, err, "runs");
    sqlite3_finalize(statement);
    for (size_t i = 0; i < count && status == MR_OK; i++) {
        status = params_get(h, views[i].dag, views[i].id, arena, &views[i], err);
        if (status == MR_OK)
            status = each(arg, views[i].dag, &views[i], err);
    }
    mr_free(views);
    mr_arena_free(arena);
    return status;
}

enum mr_status history_active(struct history *h, history_run_fn *each, void *arg, struct mr_err *err)
{
    sqlite3_stmt *statement = NULL;
    enum mr_status status =
        db_query(h, &statement, err,
                 "SELECT " RUN_COLUMNS " FROM runs WHERE state IN ('queued', 'running') ORDER BY queued_ms, rowid", "");

    return runs_each(h, status, statement, each, arg, err);
}

enum mr_status history_runs(struct history *h, const char *dag, const char *only, int64_t limit, history_run_fn *each,
                            void *arg, struct mr_err *err)
{
    sqlite3_stmt *statement = NULL;
    enum mr_status status =
        only != NULL
            ? db_query(h, &statement, err, "SELECT " RUN_COLUMNS " FROM runs WHERE dag = ? AND run = ?", "tt", dag,
                       only)
            : db_query(h, &statement, err,
                       "SELECT " RUN_COLUMNS " FROM runs WHERE dag = ? ORDER BY queued_ms DESC, rowid DESC LIMIT ?",
                       "ti", dag, limit);

    return runs_each(h, status, statement, each, arg, err);
}

enum mr_status history_old(struct history *h, const char *dag, int64_t keep, int64_t ended_before_ms,
                           history_run_fn *each, void *arg, struct mr_err *err)
{
    sqlite3_stmt *statement = NULL;
    enum mr_status status = db_query(
        h, &statement, err,
        "SELECT " RUN_COLUMNS " FROM (SELECT *, row_number() OVER (ORDER BY queued_ms DESC, rowid DESC) AS place FROM "
        "runs WHERE dag = ?) WHERE place > 1 AND (place > ? OR ended_ms < ?) AND state NOT IN ('queued', 'running')",
        "tii", dag, keep, ended_before_ms);

    return runs_each(h, status, statement, each, arg, err);
}

enum mr_status history_tasks(struct history *h, const char *dag, const char *run, scheduler_task_fn *each, void *arg,
                             struct mr_err *err)
{
    sqlite3_stmt *statement = NULL;
    enum mr_status status = db_query(
        h, &statement, err,
        "SELECT task, state, attempts, tries, retries, started_ms, ended_ms, retry_ms FROM tasks WHERE dag = ? "
        "AND run = ? ORDER BY rowid",
        "tt", dag, run);
    int rc;

    if (status != MR_OK)
        return status;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        struct scheduler_task_view v = {
            .id = text_at(statement, 0),
            .state = scheduler_state_parse(text_at(statement, 1)),
            .attempts = sqlite3_column_int64(statement, 2),
            .tries = sqlite3_column_int64(statement, 3),
            .retries = sqlite3_column_int64(statement, 4),
            .started_ms = ms_at(statement, 5),
            .ended_ms = ms_at(statement, 6),
            .retry_ms = ms_at(statement, 7),
        };

        if (v.state == SCHEDULER_STATE_N)
            v.state = SCHEDULER_FAILED;
        each(arg, &v);
    }
    if (rc != SQLITE_DONE)
        status = db_error(h, err, "tasks");
    sqlite3_finalize(statement);
    return status;
}

enum mr_status history_attempts(struct history *h, const char *dag, const char *run, scheduler_attempt_fn *each,
                                void *arg, struct mr_err *err)
{
    sqlite3_stmt *statement = NULL;
    enum mr_status status =
        db_query(h, &statement, err,
                 "SELECT task, number, state, started_ms, ended_ms, pid, exit_code, rows_in, rows_out, dead_letters, "
                 "error FROM attempts WHERE dag = ? AND run = ? ORDER BY task, number",
                 "tt", dag, run);
    int rc;

    if (status != MR_OK)
        return status;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        struct scheduler_attempt_view v = {
            .task = text_at(statement, 0),
            .number = sqlite3_column_int64(statement, 1),
            .state = scheduler_state_parse(text_at(statement, 2)),
            .started_ms = ms_at(statement, 3),
            .ended_ms = ms_at(statement, 4),
            .pid = sqlite3_column_int64(statement, 5),
            .exit_code = sqlite3_column_int64(statement, 6),
            .rows_in = sqlite3_column_int64(statement, 7),
            .rows_out = sqlite3_column_int64(statement, 8),
            .dead_letters = sqlite3_column_int64(statement, 9),
            .error = text_at(statement, 10),
        };

        if (v.state == SCHEDULER_STATE_N)
            v.state = SCHEDULER_FAILED;
        each(arg, &v);
    }
    if (rc != SQLITE_DONE)
        status = db_error(h, err, "attempts");
    sqlite3_finalize(statement);
    return status;
}

enum mr_status history_identity(struct history *h, struct attempt *a, struct mr_err *err)
{
    sqlite3_stmt *statement = NULL;
    enum mr_status status = db_query(h, &statement, err,
                                     "SELECT started_ms, pid, identity, token FROM attempts WHERE dag = ? AND run = ? "
                                     "AND task = ? AND number = ?",
                                     "ttti", a->run->dag->id, a->run->id, a->task->id, a->number);
    int rc;

    if (status != MR_OK)
        return status;
    rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW) {
        a->started_ms = ms_at(statement, 0);
        a->pid = (pid_t)sqlite3_column_int64(statement, 1);
        snprintf(a->identity, sizeof(a->identity), "%s", text_at(statement, 2));
        snprintf(a->token, sizeof(a->token), "%s", text_at(statement, 3));
    } else if (rc != SQLITE_DONE) {
        status = db_error(h, err, "attempts");
    }
    sqlite3_finalize(statement);
    return status;
}

/* dags.h -- the project's DAGs in the server: files to scheduler, SQL tasks to engine, both to HTTP.
 *
 * A scheduler is there when the project has DAGs, or the data directory has the history of some. */
#ifndef MAIN_DAGS_H
#define MAIN_DAGS_H

#include "base/base.h"
#include "base/config.h"

struct dags;
struct mr_writer;
struct project;
struct scheduler;
struct server;

/* Reads PROJECT's DAGs (NULL: no project; CONFIG: a SETTINGS_TABLE), binds their SQL tasks in SERVER's engine and
 * opens the scheduler.  After the pipelines, whose tables they see.  Adds the routes of /api/dags when there is HTTP.
 * Fills server->dags. MR_INVALID  a DAG's file is wrong (err names file, line and column)     MR_CORRUPT, MR_IO  the
 * history's file is *DATA_FAILED  it was the history's file */
MR_MUST_CHECK enum mr_status dags_open(struct server *server, const struct project *project,
                                       const struct mr_config *config, bool *data_failed, struct mr_err *err);
/* Is DAG one of the project's?  MR_NOT_FOUND: err names the nearest. */
MR_MUST_CHECK enum mr_status dags_check(const struct dags *dags, const char *dag, struct mr_err *err);
/* Starts the scheduler; TRIGGER (may be NULL): a DAG that gets a run at once, unless one is under way. */
void dags_start(struct dags *dags, const char *trigger);
/* Ends tasks and scheduler's thread; questions over HTTP are refused from now on.  NULL is legal. */
void dags_stop(struct dags *dags);
/* Frees; after HTTP, whose handlers look at it, and before the engine.  NULL is legal. */
void dags_close(struct dags *dags);
/* NULL: there is none. */
struct scheduler *dags_scheduler(const struct dags *dags);
/* Appends ,"sources":[…],"sinks":[…] of a SQL task; nothing for others. [any] */
void dags_task_ends_write(const struct dags *dags, const char *dag, const char *task, struct mr_writer *out);
/* How many DAGs there are. */
uint32_t dags_count(const struct dags *dags);

#endif

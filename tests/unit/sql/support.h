/* support.h -- for the tests of sql's front half: connectors that do nothing, and a SELECT evaluated without an
 * engine. */
#ifndef TESTS_SQL_SUPPORT_H
#define TESTS_SQL_SUPPORT_H

#include "connectors/connectors.h"
#include "sql/plan_int.h"
#include "sql/sql.h"

/* http (reads), kafka (both), cassandra (writes, raw), file (both), print (writes, raw); ends with NULL. */
extern const struct connector *const support_connectors[];

/* Runs query QUERY's output INDEX over IN (NULL: the rows that the query itself has) and appends a line a row, values
 * separated by "|", and "!row: why" for each row that failed. */
void support_run(struct mr_writer *out, const struct sql_query *query, uint32_t index, const struct data_batch *in);
/* Binds TEXT in a new session with the tables of support_tables and runs its last statement; text as above, or
 * "LINE:COLUMN: message" when it is refused.  The caller frees the text: mr_free. */
char *support_eval(const char *text);
/* CREATE TABLE statements of the tests. */
extern const char support_tables[];

#endif

/* plan_text_int.h -- a bound query as text. */
#ifndef SQL_PLAN_TEXT_INT_H
#define SQL_PLAN_TEXT_INT_H

#include "sql/plan_int.h"

/* The canonical plan: two queries with the same text read, compute and write the same. */
const char *sql_plan_text(struct mr_arena *arena, const struct sql_query *query);
/* The same as a tree for people. */
const char *sql_explain_text(struct mr_arena *arena, const struct sql_query *query);

#endif

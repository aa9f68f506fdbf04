/* read_int.h -- what the files that run a SELECT share. */
#ifndef TABLES_READ_INT_H
#define TABLES_READ_INT_H

#include "tables/plan_int.h"

/* ---- aggregate.c ---- */

/* The aggregates of one SELECT while its rows go by. */
struct aggregates;
struct aggregates *aggregates_new(const struct plan *plan);
void aggregates_free(struct aggregates *aggregates); /* NULL is legal */
/* Takes in the row that CONTEXT shows.  MR_INVALID. */
MR_MUST_CHECK enum mr_status aggregates_add(struct aggregates *aggregates, const struct expr_context *context);
/* Puts the results into CONTEXT, and the first row, which columns beside aggregates are of. */
MR_MUST_CHECK enum mr_status aggregates_end(struct aggregates *aggregates, struct expr_context *context);

#endif

/* bind_int.h -- what the binders of terms (bind.c) and of selectors (plan_select.c) share. */
#ifndef TABLES_BIND_INT_H
#define TABLES_BIND_INT_H

#include "tables/plan_int.h"

/* What a term is for: the name of the column, for messages and markers. */
struct bind_name {
    struct mr_str text;
    bool in_select;
};

/* TERM as a value of TYPE. */
MR_MUST_CHECK enum mr_status bind_term(struct plan_build *b, const struct ast_term *term, const struct cql_type *type,
                                       const struct bind_name *name, int depth, const struct expr **out);
/* The type that TERM has by itself, or NULL. */
const struct cql_type *bind_type_alone(struct plan_build *b, const struct ast_term *term);

#endif

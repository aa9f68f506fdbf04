/* literal_int.h -- literals as values of a type, and values in an order-keeping form. */
#ifndef TABLES_LITERAL_INT_H
#define TABLES_LITERAL_INT_H

#include "cql/cql.h"
#include "tables/ast_int.h"

/* The value that TERM (no marker) stands for in a column NAME of TYPE, in ARENA.  MR_INVALID, MR_UNSUPPORTED. */
MR_MUST_CHECK enum mr_status literal_encode(const struct ast_term *term, const struct cql_type *type,
                                            struct mr_str name, struct mr_arena *arena, struct cql_value *out,
                                            struct mr_err *err);

/* May TERM, a literal of a single value, stand for TYPE? */
bool literal_fits(const struct ast_term *term, const struct cql_type *type);
/* TERM, as Cassandra prints it in messages. */
void literal_write(struct mr_writer *w, const struct ast_term *term);

/* Order of two values (not null) of TYPE. */
int ordered_compare(const struct cql_type *type, struct cql_value a, struct cql_value b);
/* Appends V (not null) so that comparing bytes orders as CQL orders TYPE; prefix-free, so that components can follow
 * each other; DESCENDING turns the order round. */
void ordered_encode(struct mr_writer *w, const struct cql_type *type, bool descending, struct cql_value v);
/* Reads one component back, its bytes in ARENA.  MR_CORRUPT. */
MR_MUST_CHECK enum mr_status ordered_decode(struct mr_reader *r, const struct cql_type *type, bool descending,
                                            struct mr_arena *arena, struct cql_value *out);

#endif

/* cql_text.h -- CQL as people write it: one statement of a file after another; values as JSON. */
#ifndef MAIN_CQL_TEXT_H
#define MAIN_CQL_TEXT_H

#include "base/base.h"
#include "cql/cql.h"

#include <jansson.h>

/* Takes the next statement, without its semicolon, from *REST into *OUT; false at the end.  Semicolons in quotes,
 * comments and batches end nothing; what is only comments is left out. */
bool cql_statement_next(struct mr_str *rest, struct mr_str *out);

/* V as JSON: numbers, true and false, null, arrays of lists, sets and tuples, objects of maps and UDTs; others as text.
 * What is no value of TYPE becomes 0x… .  Caller owns. */
json_t *cql_value_json(const struct cql_type *type, struct cql_value v);

#endif

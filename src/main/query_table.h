/* query_table.h -- the queries of a server as `millrace status` and `millrace query list` show them. */
#ifndef MAIN_QUERY_TABLE_H
#define MAIN_QUERY_TABLE_H

#include "base/base.h"

#include <jansson.h>

/* Prints LIST, an array of /api/queries (NULL: none), to standard output.  Returns how many there are. */
size_t query_table_print(const json_t *list, bool json);

#endif

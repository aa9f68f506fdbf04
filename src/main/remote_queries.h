/* remote_queries.h -- a running server's queries, through its HTTP API: for SHOW QUERIES beside it.  One thread. */
#ifndef MAIN_REMOTE_QUERIES_H
#define MAIN_REMOTE_QUERIES_H

#include "sql/sql.h"

/* OUT asks the server whose HTTP is at ADDRESS (borrowed as long as OUT is used). */
void remote_queries_init(struct sql_remote *out, const char *address);

#endif

/* browse.h -- topics and tables looked at by people: the console's questions, asked over Kafka's protocol and CQL, so
 * that the embedded log and tables and external ones answer them alike.
 *
 * The connections are made when first asked and kept.  Calls block, for some seconds at worst: one thread at a time,
 * never an event loop.  Each sets *OUT to JSON, which the caller owns.
 * MR_NOT_FOUND  no such topic or table: err says what there is      MR_IO, MR_BUSY  no answer, or stopped */
#ifndef MAIN_BROWSE_H
#define MAIN_BROWSE_H

#include "base/base.h"

#include <jansson.h>
#include <stdatomic.h>

enum browse_limits {
    BROWSE_SHOWN_MAX = 500,          /* messages or rows of one answer */
    BROWSE_MESSAGES_READ_MAX = 5000, /* to find the newest of them in all partitions */
    BROWSE_ROWS_READ_MAX = 1000,     /* to find the newest of them: tables are not ordered by time */
    BROWSE_VALUE_BYTES_MAX = 16384,  /* of a message's value; the rest is left out */
};

/* ---- topics (browse_topics.c) ---- */

struct browse_log;

/* Of the Kafka at ADDRESS (copied).  Caller owns. */
struct browse_log *browse_log_new(const char *address);
void browse_log_free(struct browse_log *log); /* NULL is legal */
/* All topics: [{"name", "internal", "partitions", "records", "end"}]: the records that are kept, and the sum of the
 * partitions' next offsets, which rises with each record. */
MR_MUST_CHECK enum mr_status browse_topics(struct browse_log *log, json_t **out, struct mr_err *err);
/* The newest LIMIT messages of TOPIC over all its partitions, newest first, as record_json writes them; one whose value
 * was cut has "value_bytes", the whole size. */
MR_MUST_CHECK enum mr_status browse_messages(struct browse_log *log, const char *topic, uint32_t limit, json_t **out,
                                             struct mr_err *err);

/* ---- tables (browse_tables.c) ---- */

struct browse_cql;

/* Of the Cassandra at ADDRESS (copied).  STOP (borrowed) makes calls return soon.  Caller owns. */
struct browse_cql *browse_cql_new(const char *address, const atomic_bool *stop);
void browse_cql_free(struct browse_cql *cql); /* NULL is legal */
/* All tables but the system's: [{"keyspace", "table"}]. */
MR_MUST_CHECK enum mr_status browse_tables(struct browse_cql *cql, json_t **out, struct mr_err *err);
/* {"columns": [{"name", "kind"}], "rows": [[...]], "read", "more"}: the LIMIT rows written last among the first
 * BROWSE_ROWS_READ_MAX of the table, of which "read" were there; "more": the table has more. */
MR_MUST_CHECK enum mr_status browse_rows(struct browse_cql *cql, const char *keyspace, const char *table,
                                         uint32_t limit, json_t **out, struct mr_err *err);

#endif

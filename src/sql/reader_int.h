/* reader_int.h -- records to rows of a table: reader.c. */
#ifndef SQL_READER_INT_H
#define SQL_READER_INT_H

#include "sql/plan_int.h"

struct sql_reader;
/* A reader for TABLE (borrowed).  WANTED as of data_json_decoder_new.  Caller owns. */
struct sql_reader *sql_reader_new(const struct sql_table *table, const bool *wanted);
void sql_reader_free(struct sql_reader *reader); /* NULL is legal */
/* Appends RECORD to BATCH (of table->row); *SKIP: it is none (a comment).  On failure BATCH is as it was: MR_INVALID,
 * MR_LIMIT as of data_decode. */
MR_MUST_CHECK enum mr_status sql_reader_row(struct sql_reader *reader, struct data_batch *batch,
                                            const struct connector_record *record, bool *skip, struct mr_err *err);

#endif

/* describe_int.h -- CREATE statements for DESCRIBE. */
#ifndef TABLES_DESCRIBE_INT_H
#define TABLES_DESCRIBE_INT_H

#include "tables/schema_int.h"

/* Appends CREATE TABLE; a virtual table in a comment, since it can't be made.  WITH_INTERNALS adds its id. */
void describe_table_write(struct mr_writer *w, const struct schema_table *table, bool is_virtual, bool with_internals);
/* Appends CREATE KEYSPACE. */
void describe_keyspace_write(struct mr_writer *w, const struct schema_keyspace *keyspace);

#endif

/* snk_cassandra_int.h -- the cassandra sink's table, shared by its checking (snk_cassandra_table.c) and its writing. */
#ifndef MR_CONNECTORS_SNK_CASSANDRA_INT_H
#define MR_CONNECTORS_SNK_CASSANDRA_INT_H

#include "connectors/cql_client_int.h"

enum { CASSANDRA_NAME_BYTES = 256, CASSANDRA_KEY_BYTES_MAX = 65535 };

/* One column of the SQL table as it is bound. */
struct cassandra_column {
    uint16_t code;      /* enum cql_type_code of the table's column */
    bool is_key;        /* part of the primary key */
    bool is_partition;  /* part of the partition key */
    struct mr_str name; /* borrowed from the table's row type */
};

struct cassandra_table {
    char keyspace[CASSANDRA_NAME_BYTES];
    char table[CASSANDRA_NAME_BYTES];
    struct cassandra_column *columns; /* owned; one for each column of the SQL table */
    uint32_t column_count;
    char *insert; /* owned; the statement: every column, then the write time */
};

/* Reads 'keyspace' and 'table', checks them.  cassandra_table_deinit frees. */
MR_MUST_CHECK enum mr_status cassandra_table_init(struct cassandra_table *out, const struct connector_table *table,
                                                  struct mr_err *err);
void cassandra_table_deinit(struct cassandra_table *t);
/* CREATE KEYSPACE and TABLE IF NOT EXISTS from the SQL table's columns and primary key. */
MR_MUST_CHECK enum mr_status cassandra_table_create(const struct cassandra_table *t,
                                                    const struct connector_table *table, struct cql_client *client,
                                                    struct mr_err *err);
/* Reads the columns from system_schema and compares: each must be there with a type that takes the SQL one, and the
 * whole primary key among them.  Fills t->columns' codes and flags. */
MR_MUST_CHECK enum mr_status cassandra_table_check(struct cassandra_table *t, const struct connector_table *table,
                                                   struct cql_client *client, struct mr_err *err);

#endif

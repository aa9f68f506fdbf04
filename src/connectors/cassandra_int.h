/* cassandra_int.h -- what the cassandra source and sink share: their options (cassandra.c), and the table that they
 * read and write (cassandra_table.c). */
#ifndef MR_CONNECTORS_SNK_CASSANDRA_INT_H
#define MR_CONNECTORS_SNK_CASSANDRA_INT_H

#include "connectors/cql_client_int.h"

extern const struct connector_source_ops cassandra_source_ops;
extern const struct connector_sink_ops cassandra_sink_ops;

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
    char *statement; /* owned; writing: INSERT of every column, then the write time; reading: SELECT of every column */
    bool reading;
};

struct cassandra_options {
    struct cql_client_options client; /* all but in_flight_max */
    bool ours;                        /* millrace's own store */
    bool create;                      /* is the table to be made when absent? */
    int consistency;                  /* enum cql_consistency */
};

/* Reads the options that say where to and how. */
MR_MUST_CHECK enum mr_status cassandra_options_read(struct cassandra_options *out, const struct connector_table *table,
                                                    const struct connector_context *ctx, bool reading,
                                                    struct mr_err *err);

/* Reads 'keyspace' and 'table', checks them.  cassandra_table_deinit frees. */
MR_MUST_CHECK enum mr_status cassandra_table_init(struct cassandra_table *out, const struct connector_table *table,
                                                  bool reading, struct mr_err *err);
void cassandra_table_deinit(struct cassandra_table *t);
/* CREATE KEYSPACE and TABLE IF NOT EXISTS from the SQL table's columns and primary key. */
MR_MUST_CHECK enum mr_status cassandra_table_create(const struct cassandra_table *t,
                                                    const struct connector_table *table, struct cql_client *client,
                                                    struct mr_err *err);
/* Reads the columns from system_schema and compares: each must be there with a type that takes the SQL one (reading:
 * that becomes it), and when writing the whole primary key among them.  Fills t->columns' codes and flags. */
MR_MUST_CHECK enum mr_status cassandra_table_check(struct cassandra_table *t, const struct connector_table *table,
                                                   struct cql_client *client, struct mr_err *err);

#endif

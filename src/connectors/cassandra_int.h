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
    uint16_t code;               /* enum cql_type_code of the table's column */
    const struct cql_type *type; /* the same with its items; in the table's arena */
    bool is_key;                 /* part of the primary key */
    bool is_partition;           /* part of the partition key */
    struct mr_str name;          /* borrowed from the table's row type */
};

struct cassandra_table {
    char keyspace[CASSANDRA_NAME_BYTES];
    char table[CASSANDRA_NAME_BYTES];
    struct cassandra_column *columns; /* owned; one for each column of the SQL table */
    uint32_t column_count;
    struct mr_arena *arena; /* owned; of the columns' types */
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

/* ---- values: cassandra_value.c ---- */

/* "list<text>", "map<text, frozen<set<int>>>" …, in ARENA; NULL: a type that has no place here (tuple, UDT …). */
const struct cql_type *cassandra_type_parse(struct mr_arena *arena, struct mr_str text);
/* Appends the CQL type that is made for TYPE; false: there is none. */
bool cassandra_type_write(struct mr_writer *w, const struct data_type *type);
/* Can a column of CQL take values of TYPE (READING: become them)? */
bool cassandra_type_takes(const struct data_type *type, const struct cql_type *cql, bool reading);
/* Appends a value (not null) with its length.  MR_INVALID, MR_LIMIT: the column can't hold it. */
MR_MUST_CHECK enum mr_status cassandra_value_write(struct mr_writer *w, const struct cql_type *cql,
                                                   const struct data_column *values, uint32_t row, struct mr_err *err);
/* The type as which a column of CQL is read for TYPE. */
const struct data_type *cassandra_type_read_as(struct mr_arena *arena, const struct data_type *type,
                                               const struct cql_type *cql);
/* Appends V (checked before) to a column of that type. */
void cassandra_value_append(struct data_column *to, const struct cql_type *cql, struct cql_value v);

#endif

/* connectors.h -- where records come from and where rows go: http, kafka, cassandra, file, print, blackhole.
 *
 * Each connector is one struct of callbacks and one table of options.  The SQL engine opens a source or sink for a
 * table, polls and writes it from ONE thread (the query's), and knows nothing of what is behind it.  Connectors reach
 * the log and the tables only through the Kafka protocol and CQL, embedded or not.
 *
 * Splits and positions.  A source's records come from splits (a Kafka partition; 0 for http and file).  Within a split
 * the positions never fall (all records of an API's page have the page's number).  The engine keeps, in its checkpoint,
 * one struct connector_position a split, and gives them back at the next start; it never makes one up.
 *
 * Threads: every function here is called by the query's thread.  None blocks longer than about 100 ms after *ctx->stop
 *          became true (but a name server that does not answer can't be interrupted).
 * Memory:  "borrowed until X" means the connector owns it and may reuse it at X. */
#ifndef MR_CONNECTORS_H
#define MR_CONNECTORS_H

#include "base/base.h"
#include "base/env.h"
#include "cql/cql.h"
#include "data/data.h"

#include <stdatomic.h>

/* What connectors get from the program. */
struct connector_context {
    struct mr_env *env;
    const char *kafka_embedded;     /* "HOST:PORT[,HOST:PORT]" used when a table names no bootstrap servers */
    const char *cassandra_embedded; /* "HOST:PORT" used when a table names no contact point */
    bool cassandra_is_ours;         /* the embedded address is millrace's own store: 'auto.create' defaults to true */
    const char *project_dir;        /* relative paths of the file connector start here; it may not leave it */
    const char *query_name;         /* client id, group name, in messages */
    const char *query_id;           /* of the query in this data directory, the same after a restart; may be NULL */
    bool kafka_is_shared;           /* kafka_embedded is another program's log: others may run the query, too */
    bool shares; /* all sources are shareable: processes that run the query divide their records among them */
    const atomic_bool *stop; /* true: give up waiting, return MR_BUSY */
};

/* One option of a table's WITH clause. */
struct connector_option {
    const char *name;
    const char *default_value; /* NULL: none */
    bool required;
    const char *help; /* one sentence, also for the documentation */
};

/* Something of a record that is neither key nor value: what a METADATA column can be. */
struct connector_metadata {
    const char *name;
    enum data_kind kinds[4]; /* the types a column of it may have; ends with DATA_NULL */
    bool writable;
    const char *help;
};

/* A table as the engine bound it: the WITH options were checked against the connector's option table before. */
struct connector_table {
    const char *name;            /* the SQL name */
    const struct data_type *row; /* a ROW type: the table's columns in order */
    const uint32_t *primary_key; /* column indexes, primary_key_count of them */
    uint32_t primary_key_count;
    /* The value of option NAME, its default, or NULL. */
    const char *(*option)(const struct connector_table *table, const char *name);
    void *engine; /* the engine's own */
    /* How rows become values and keys; NULL: json with its defaults, as for connectors that are raw. */
    const struct data_format *format;
    const struct data_format *key_format;
    /* Of each column the metadata that it is, or NULL; NULL: there are no METADATA columns. */
    const char *const *metadata;
};

/* Where a split goes on. */
struct connector_position {
    int32_t split;
    int64_t next;           /* position of the next record to read */
    int64_t last;           /* position of the last record read; -1: none yet */
    uint32_t last_checksum; /* CRC-32C of that record's key and value, compared when resuming */
    struct mr_str state;    /* the source's own text (at most 4 KiB), e.g. when a scan began; may be null */
    int64_t clock_us;       /* the engine's write-time clock of the split, for a source that keeps positions itself */
    bool assigned; /* from poll: the split begins (again) here, after another process had it, with this clock_us */
};

/* One raw record, before its format is decoded. */
struct connector_record {
    struct mr_bytes value; /* data == NULL: a null value (a tombstone) */
    struct mr_bytes key;   /* data == NULL: no key */
    int64_t timestamp_ms;  /* when it was made; -1: not known */
    int64_t position;      /* its offset; pages and line numbers for the others */
    int32_t split;
    uint32_t parse_slack; /* bytes readable after value's end (64 lets it be parsed in place), 0: none */
    bool append_time;     /* timestamp_ms is the log's own */
    int32_t leader_epoch; /* of kafka; 0 of others, who have no such metadata */
    int32_t header_count;
    struct mr_bytes headers; /* see connectors_header_next */
    const char *trouble;     /* NULL, or why the source knows that this is no record: it is never decoded */
};

/* What one poll brought.  Everything is borrowed until the next poll or close. */
struct connector_poll {
    const struct connector_record *records;
    uint32_t record_count;
    const struct connector_position *positions; /* of every split that moved, after these records */
    uint32_t position_count;
    bool ended; /* bounded source: nothing comes after these */
};

struct connector_source; /* the implementation's own */
struct connector_sink;

/* A row that a sink can never take (too large, null key, a value outside of the column's type): it becomes a dead
 * letter and does not fail the write.  RECORD is the number given to write() for the row. */
typedef void connector_reject_fn(void *arg, uint32_t record, const struct mr_err *why);

struct connector_source_ops {
    /* Checks the options and opens.  POSITIONS (may be none) are the checkpoint's; splits without one start where the
     * options say; a Kafka partition that appeared since the checkpoint starts at its oldest record.
     * MR_INVALID: an option's value is wrong (named in err).  MR_NOT_FOUND, MR_CORRUPT: a position is gone or its
     * record is another one: err says how many records are missing and what to do.  MR_IO: can't be reached after the
     * connector's own retries.  MR_BUSY: stopped. */
    enum mr_status (*open)(struct connector_source **out, const struct connector_table *table,
                           const struct connector_context *ctx, const struct connector_position *positions,
                           uint32_t position_count, struct mr_err *err);
    /* Waits up to TIMEOUT_MS for records (http: as long as one request may take; kafka: a little longer when records
     * are known to be on the way); none is MR_OK with record_count 0.  Positions may come without records: the first
     * poll of a source tells where each split starts.  At most RECORDS_MAX where the source can choose (an API's page
     * comes whole).  Trouble that may pass is retried inside (and logged); an error is final. */
    enum mr_status (*poll)(struct connector_source *source, int timeout_ms, uint32_t records_max,
                           struct connector_poll *out, struct mr_err *err);
    /* Tells the world how far the checkpoint is (Kafka: commits the group's offsets, for lag tools).  May be NULL. */
    void (*checkpointed)(struct connector_source *source, const struct connector_position *positions,
                         uint32_t position_count);
    /* How many records are there beyond the position; -1: unknown.  Does not block.  May be NULL: never known. */
    int64_t (*lag)(struct connector_source *source);
    /* One past the newest position known to be in SPLIT; -1: unknown.  Does not block.  May be NULL: never known. */
    int64_t (*latest)(struct connector_source *source, int32_t split);
    void (*close)(struct connector_source *source);
    /* Can several processes divide TABLE's records among them, its positions being kept outside?  NULL: never. */
    bool (*shareable)(const struct connector_table *table, const struct connector_context *ctx);
    bool bounded_by_default; /* does it end on its own (file), unless its options say otherwise? */
};

struct connector_sink_ops {
    enum mr_status (*open)(struct connector_sink **out, const struct connector_table *table,
                           const struct connector_context *ctx, connector_reject_fn *reject, void *reject_arg,
                           struct mr_err *err);
    /* Takes the rows of BATCH, whose type equals table->row.  For row i, record[i] is handed back in reject(), and
     * write_time_us[i] is its write time.  May send some; copies what it keeps.  Blocks when too much is on the way. */
    enum mr_status (*write)(struct connector_sink *sink, const struct data_batch *batch, const uint32_t *record,
                            const int64_t *write_time_us, struct mr_err *err);
    /* Sends what write() kept to fill a batch, without waiting for answers.  NULL: only flush() makes rows visible. */
    enum mr_status (*push)(struct connector_sink *sink, struct mr_err *err);
    /* Returns when everything written is acknowledged (on disk at the receiver) or rejected. */
    enum mr_status (*flush)(struct connector_sink *sink, struct mr_err *err);
    void (*close)(struct connector_sink *sink);
};

struct connector {
    const char *name;                          /* the value of 'connector' */
    const char *help;                          /* one sentence */
    const struct connector_option *options;    /* ends with a name of NULL */
    const struct connector_source_ops *source; /* NULL: can't be read */
    const struct connector_sink_ops *sink;     /* NULL: can't be written */
    bool raw;                                  /* takes no 'format'; what it reads it gives as JSON objects */
    const struct connector_metadata *metadata; /* ends with a NULL name; NULL: none */
};

/* All connectors, by name; the list ends with NULL. [any] */
const struct connector *const *connectors_all(void);
/* The connector called NAME, or NULL. [any] */
const struct connector *connectors_find(const char *name);

/* The next header of a record; start with *READER = mr_reader_of(record->headers), call it header_count times.  A null
 * value has data NULL. [any] */
void connectors_header_next(struct mr_reader *reader, struct mr_str *name, struct mr_bytes *value);

/* ---- raw producing: dead letters ---- */

/* A header of a Kafka record. */
struct connector_header {
    const char *name;
    struct mr_bytes value;
};

/* Of one record: key, value, and for each header its name, its value and 10. */
enum { CONNECTORS_PRODUCER_BYTES_MAX = 1000000 };

/* Writes records to one topic (made when absent) of CTX's embedded Kafka, or of BOOTSTRAP when not NULL.  Caller owns.
 * Waits up to 15 s for the topic to be ready. */
struct connector_producer;
MR_MUST_CHECK enum mr_status connectors_producer_open(struct connector_producer **out,
                                                      const struct connector_context *ctx, const char *bootstrap,
                                                      const char *topic, struct mr_err *err);
/* Copies and queues one record.  Waits while too many are queued.
 * MR_LIMIT  the record has more than CONNECTORS_PRODUCER_BYTES_MAX bytes: nothing was queued; the producer goes on
 * MR_BUSY   stopped     others: final */
MR_MUST_CHECK enum mr_status connectors_producer_send(struct connector_producer *producer, struct mr_bytes key,
                                                      struct mr_bytes value, const struct connector_header *headers,
                                                      uint32_t header_count, struct mr_err *err);
/* Returns when all that was sent is acknowledged.  MR_BUSY: stopped.  Others: something was not written; final. */
MR_MUST_CHECK enum mr_status connectors_producer_flush(struct connector_producer *producer, struct mr_err *err);
void connectors_producer_close(struct connector_producer *producer); /* NULL is legal */

/* ---- CQL statements: the command line ---- */

/* One connection to the CQL server at CONTACT_POINTS ("HOST[:PORT],..."), logged in with USER (may be NULL) when asked
 * to.  CTX and the texts are borrowed.  Caller owns.
 * MR_IO  can't be reached within some seconds     MR_DENIED  wrong or missing login     MR_BUSY  stopped */
struct connector_cql;
MR_MUST_CHECK enum mr_status connectors_cql_open(struct connector_cql **out, const struct connector_context *ctx,
                                                 const char *contact_points, const char *user, const char *password,
                                                 struct mr_err *err);
/* Runs TEXT once and waits; ROWS come PAGE_ROWS at a time: with MORE_PAGES in their flags, the next ones come when TEXT
 * is run again with their paging state as PAGE (null: the first ones).  *OUT borrows ARENA.
 * MR_INVALID, MR_EXISTS, MR_DENIED  the server's message     MR_IO  the connection broke     MR_BUSY  stopped, or may
 * pass */
MR_MUST_CHECK enum mr_status connectors_cql_run(struct connector_cql *cql, struct mr_str text, struct mr_bytes page,
                                                int32_t page_rows, struct mr_arena *arena, struct cql_result *out,
                                                struct mr_err *err);
void connectors_cql_close(struct connector_cql *cql); /* NULL is legal */

#endif

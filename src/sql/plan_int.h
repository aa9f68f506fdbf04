/* plan_int.h -- a bound script: what the engine runs.
 *
 * Memory: everything here lies in the script's arena (tables in the session's) and is immutable once bound.  So it
 * may be read by any thread; a struct sql_projection is one thread's. */
#ifndef SQL_PLAN_INT_H
#define SQL_PLAN_INT_H

#include "base/base.h"
#include "connectors/connectors.h"
#include "data/data.h"
#include "sql/sql.h"

struct sql_expr; /* a bound expression: expr_int.h */

/* ---- tables ---- */

struct sql_option {
    const char *name;
    const char *value;
};

/* Where the values of a column come from, and go. */
enum sql_column_role { SQL_ROLE_VALUE, SQL_ROLE_KEY /* and not the value */, SQL_ROLE_METADATA };

struct sql_column {
    enum sql_column_role role;
    const char *metadata;   /* SQL_ROLE_METADATA: which */
    bool is_virtual;        /* only read */
    struct mr_str key_name; /* SQL_ROLE_KEY: its name in the key */
};

/* A table of the catalog.  Lives as long as its session, even when dropped: bound queries point to it. */
struct sql_table {
    const char *name;
    const struct data_type *row; /* DATA_ROW; a column's nullable is false for NOT NULL and for the key's columns */
    const struct connector *connector;
    const struct sql_column *columns;       /* row->field_count of them */
    const struct data_type *sink_row;       /* row without its virtual columns */
    struct connector_table connector_table; /* for the source's open(); its engine is this struct */
    struct connector_table sink_table;      /* for the sink's: of sink_row */
    const struct sql_option *options;       /* as written, connector's and format's */
    uint32_t option_count;
    uint32_t *primary_key;
    uint32_t primary_key_count;
    const char *format; /* "json" …; NULL when the connector is raw */
    struct data_format value_format, key_format;
    const struct mr_zone *zone; /* 'table.local-time-zone' when it was made; borrowed from the session */
    const char *text;           /* the CREATE TABLE as written */
    bool dropped;
};

/* The value written for option NAME, else its default, else NULL.  The same as connector_table.option. */
const char *sql_table_option(const struct sql_table *table, const char *name);

/* ---- queries ---- */

/* Where rows come from: a table read through its connector, or rows known beforehand (VALUES; SELECT without FROM). */
struct sql_source {
    const struct sql_table *table; /* NULL: rows */
    const struct data_type *row;   /* the type of its batches: table->row, or that of the rows */
    const bool *wanted; /* row->field_count of them: which columns the outputs use (for data_json_decoder_new) */
    struct sql_expr *const *values; /* table == NULL: row_count * row->field_count expressions, row by row */
    uint32_t row_count;
    uint32_t node_count; /* for the evaluator */
};

/* One INSERT, or the result of a SELECT. */
struct sql_output {
    const struct sql_table *sink;    /* NULL: SELECT, the rows go to whoever asked */
    uint32_t source;                 /* index in sql_query.sources */
    struct sql_expr *filter;         /* WHERE; NULL: all rows */
    struct sql_expr *const *columns; /* row->field_count of them, in the sink's order and of its types */
    const struct data_type *row;     /* the type of the rows: sink->row, or the SELECT's own */
    int64_t limit;                   /* -1: none.  Over all batches; the engine counts */
    uint32_t node_count;             /* for the evaluator */
};

/* One INSERT, one STATEMENT SET or one SELECT: the unit that has a name and a checkpoint. */
struct sql_query {
    enum sql_statement_kind kind; /* SQL_INSERT, SQL_STATEMENT_SET, SQL_SELECT */
    const struct sql_source *sources;
    uint32_t source_count;
    const struct sql_output *outputs;
    uint32_t output_count;
    const char *name;         /* SET 'pipeline.name', or NULL: the caller names it by its file */
    const char *text;         /* the statement as written */
    const char *plan_text;    /* canonical, for comparison with a stored plan: one fact a line, ends with a newline */
    const char *explain_text; /* for people: a tree; ends with a newline */
    const struct sql_option *settings; /* every setting and its value when the statement was bound */
    uint32_t setting_count;
    int line; /* where it begins in the script */
    int column;
};

/* The value of setting NAME for this query ('records.on-error' ...); it has a default, so NULL only for unknown
 * names. */
const char *sql_query_setting(const struct sql_query *query, const char *name);

/* What is different between two plan texts, for people: lines "- …" that went and "+ …" that came; false when equal. */
bool sql_plan_difference(struct mr_writer *out, const char *stored, const char *now);

/* The query of statement INDEX (an EXPLAIN has one too, not to be run), or NULL. */
const struct sql_query *sql_script_query(const struct sql_script *script, uint32_t index);

/* ---- evaluation ---- */

/* Why a row of the input gives no row: a failed CAST, a division by zero, NULL for a NOT NULL column ... */
struct sql_row_error {
    uint32_t row;    /* in the input batch */
    const char *why; /* borrowed until the next run */
};

/* What became of a batch.  Everything is borrowed until the next run or free, except BATCH: the caller's reference. */
struct sql_projected {
    struct data_batch *batch;           /* of output->row; row i came from input row rows[i] */
    const uint32_t *rows;               /* batch->row_count of them, rising */
    const struct sql_row_error *errors; /* at most one a row, rising */
    uint32_t error_count;
};

/* Evaluates one output's filter and columns over batches.  One thread's; keeps its memory between runs. */
struct sql_projection;
struct sql_projection *sql_projection_new(const struct sql_output *output); /* borrows OUTPUT; caller owns */
void sql_projection_free(struct sql_projection *projection);                /* NULL is legal */
/* Evaluates over IN (of the source's type).  SKIP (may be NULL): a bitmap of rows not to look at.  A row that fails
 * is in errors and not in the batch; other rows are not touched by it.  out->batch shares columns with IN where it
 * can.  Keeps nothing of IN.  MR_LIMIT: a text column of the result would pass 2 GiB: run it with fewer rows. */
MR_MUST_CHECK enum mr_status sql_projection_run(struct sql_projection *projection, const struct data_batch *in,
                                                const uint8_t *skip, struct sql_projected *out, struct mr_err *err);
/* The rows of a source without a table, as a new batch of source->row.  Caller owns.  MR_INVALID: a value fails. */
MR_MUST_CHECK enum mr_status sql_source_rows(const struct sql_source *source, struct data_batch **out,
                                             struct mr_err *err);

#endif

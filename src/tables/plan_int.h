/* plan_int.h -- a statement bound to the schema: what EXECUTE runs without parsing or looking up a name.
 *
 * A plan does not change once made, so a worker may read it; references are counted on the loop thread only. */
#ifndef TABLES_PLAN_INT_H
#define TABLES_PLAN_INT_H

#include "tables/expr_int.h"
#include "tables/schema_int.h"

enum plan_limit {
    PLAN_CONDITIONS_MAX = 256,
    PLAN_KEYS_MAX = 16384,      /* rows or ranges that the IN lists of one statement stand for */
    PLAN_MUTATIONS_MAX = 65536, /* of one statement or batch */
    PLAN_EXPR_DEPTH_MAX = 32,
    PLAN_ELEMENTS_MAX = 65535,      /* of one collection in a write */
    PLAN_ELEMENT_BYTES_MAX = 65535, /* of an element of a set, of a key of a map */
    PLAN_AGGREGATES_MAX = 64,
};

enum plan_source_kind { PLAN_NONE, PLAN_MARKER, PLAN_CONST, PLAN_EXPR };

/* Where a value comes from. */
struct plan_source {
    enum plan_source_kind kind;
    uint32_t marker;
    struct cql_value value;
    const struct expr *expr;
};

struct plan_assignment {
    uint32_t column; /* index in the table */
    enum ast_assign assign;
    bool is_element;           /* AST_ASSIGN_AT, or DELETE c[…] */
    struct plan_source source; /* DELETE: none */
    struct plan_source index;  /* with is_element */
};

/* One relation of a WHERE clause. */
struct plan_restriction {
    enum ast_operator op;
    bool is_token;
    bool is_tuple;     /* sources are of TYPE tuple<…> of the columns */
    bool is_entry;     /* column[index] = … */
    bool is_list;      /* IN (…): one source each; else IN ?: one source, a list */
    uint32_t *columns; /* column_count, rising; token: none */
    uint32_t column_count;
    const struct cql_type *type; /* of a source, but of IN ?: of its elements */
    struct plan_source *sources;
    uint32_t source_count;
    struct plan_source index;
};

enum plan_aggregate_kind { PLAN_COUNT_ROWS, PLAN_COUNT, PLAN_MIN, PLAN_MAX, PLAN_SUM, PLAN_AVG };

struct plan_aggregate {
    enum plan_aggregate_kind kind;
    const struct expr *arg; /* NULL: COUNT_ROWS */
};

enum plan_access {
    PLAN_ROW,       /* the whole primary key is given, each column by = */
    PLAN_KEYS,      /* partition keys, and what is known of the clustering */
    PLAN_RANGE,     /* everything, or a range of tokens */
    PLAN_GENERATED, /* a system table */
};

struct plan {
    uint32_t refs;
    struct mr_arena *arena; /* owned: all below */
    enum ast_statement_kind kind;
    const struct ast_statement *statement; /* DDL, USE, DESCRIBE */
    struct schema_table *table;            /* a reference; NULL for DDL, USE and BATCH */

    uint32_t bind_count;
    struct cql_column *binds; /* the markers, in order */
    uint32_t pk_count;        /* 0: not every partition key part is a marker */
    uint16_t *pk_indexes;

    /* With PLAN_ROW: partition key parts, then clustering columns.  Else those that are given by =. */
    struct plan_source *key;
    struct plan_restriction *restrictions;
    uint32_t restriction_count;
    /* Indexes of restrictions: one for each part of the partition key (KEYS), those that say where in the clustering
     * (whole columns in order, then maybe slices), those that each row is checked against. */
    uint32_t partition_restrictions[SCHEMA_KEY_PARTS_MAX];
    uint32_t seeks[SCHEMA_KEY_PARTS_MAX + PLAN_CONDITIONS_MAX];
    uint32_t seek_count;
    uint32_t seek_columns; /* clustering columns that =, IN give */
    uint32_t *filters;
    uint32_t filter_count;

    struct plan_assignment *assignments; /* INSERT, UPDATE; DELETE: columns */
    uint32_t assignment_count;
    struct plan_source timestamp;
    struct plan_source ttl;

    enum plan_access access;
    const struct expr **selectors;
    struct cql_metadata rows; /* of the answer; no flags */
    struct plan_aggregate *aggregates;
    uint32_t aggregate_count; /* > 0: one row is answered */
    struct plan_source limit;
    struct plan_source per_partition_limit;
    bool is_distinct;
    bool reverse;
    bool is_ordered; /* ORDER BY was there */
    bool has_in;     /* IN on the partition key */

    struct plan **children; /* BATCH */
    uint32_t child_count;
};

/* Plans STATEMENT (in ARENA, which the plan owns from now on, also on failure).  KEYSPACE is the connection's, or null.
 * *CODE is the error's code. */
MR_MUST_CHECK enum mr_status plan_new(struct plan **out, const struct ast_statement *statement, struct mr_str keyspace,
                                      const struct schema *schema, struct mr_arena *arena, int32_t *code,
                                      struct mr_err *err);
struct plan *plan_ref(struct plan *plan);
void plan_unref(struct plan *plan); /* NULL is legal */
/* Was a table it uses dropped? */
bool plan_is_stale(const struct plan *plan);

/* ---- plan.c, plan_select.c, plan_write.c, restrict.c ---- */

struct plan_build {
    struct plan *plan;
    const struct ast_statement *statement;
    const struct schema *schema;
    struct mr_str keyspace;
    int32_t *code;
    struct mr_err *err;
};

MR_MUST_CHECK enum mr_status plan_select(struct plan_build *b);
/* INSERT, UPDATE, DELETE; the table is found. */
MR_MUST_CHECK enum mr_status plan_modification(struct plan_build *b);
/* USING TIMESTAMP and TTL. */
MR_MUST_CHECK enum mr_status plan_using(struct plan_build *b);
/* The table that the statement names, into the plan. */
MR_MUST_CHECK enum mr_status plan_find_table(struct plan_build *b);
/* The WHERE clause of the statement into the plan: restrictions and how they are used. */
MR_MUST_CHECK enum mr_status plan_where(struct plan_build *b);
/* The source of TERM for a value of COLUMN's (or the given) type; a marker is noted under NAME. */
MR_MUST_CHECK enum mr_status plan_source_of(struct plan_build *b, const struct ast_term *term,
                                            const struct cql_type *type, struct mr_str name, struct plan_source *out);
/* The index of column NAME of the plan's table. */
MR_MUST_CHECK enum mr_status plan_column_of(struct plan_build *b, struct mr_str name, uint32_t *out);
enum mr_status plan_fail(struct plan_build *b, enum mr_status status, const char *format, ...) MR_PRINTF(3, 4);
#ifdef __clang_analyzer__ /* as mr_err_set */
#define plan_fail(b, status, ...) mr_err_returns((plan_fail)((b), (status), __VA_ARGS__), (status))
#endif
void plan_find_pk_indexes(struct plan_build *b);

/* ---- values of one execution ---- */

struct plan_values {
    const struct cql_value *values; /* in the order of the markers */
    uint32_t count;
    int64_t timestamp_us; /* unless the statement says another */
    int64_t now_us;       /* never the same twice */
    uint32_t sequence;    /* which statement of a batch */
};

/* The value of SOURCE; PLAN_NONE's is unset.  What has to be made is made in ARENA. */
MR_MUST_CHECK enum mr_status plan_value(const struct plan_source *source, const struct plan_values *values,
                                        struct mr_arena *arena, struct cql_value *out, struct mr_err *err);
/* Checks count and encodings of the values against PLAN's markers. */
MR_MUST_CHECK enum mr_status plan_values_check(const struct plan *plan, const struct plan_values *values,
                                               struct mr_err *err);
/* With PLAN_ROW: the key of the row, in ARENA, with the token; table_id is not set. */
MR_MUST_CHECK enum mr_status plan_key(const struct plan *plan, const struct plan_values *values, struct mr_arena *arena,
                                      struct store_key *out, struct mr_err *err);

/* ---- keys.c ---- */

struct keys_partition {
    int64_t token;
    struct mr_bytes key;
};

/* Clusterings from FROM to before TO; TO empty: to the last. */
struct keys_range {
    struct mr_bytes from, to;
};

/* What a WHERE clause stands for, in the order of the answer: every range of every partition. */
struct keys {
    struct keys_partition *partitions;
    uint32_t partition_count;
    struct keys_range *ranges;
    uint32_t range_count;
    bool are_rows;  /* the ranges' from are whole clusterings, their to is not used */
    bool are_whole; /* nothing restricts the clustering */
};

/* With PLAN_KEYS and PLAN_ROW.  MR_INVALID with Cassandra's text; MR_LIMIT. */
MR_MUST_CHECK enum mr_status keys_resolve(const struct plan *plan, const struct plan_values *values,
                                          struct mr_arena *arena, struct keys *out, struct mr_err *err);
/* The range of tokens that the restrictions leave; *NONE: none. */
MR_MUST_CHECK enum mr_status keys_tokens(const struct plan *plan, const struct plan_values *values,
                                         struct mr_arena *arena, int64_t *first, int64_t *last, bool *none,
                                         struct mr_err *err);
/* The smallest bytes above all that start with PREFIX; empty when there is none. */
struct mr_bytes keys_prefix_end(struct mr_arena *arena, struct mr_bytes prefix);

/* ---- filter.c ---- */

/* Values of the filters of a plan, resolved once. */
struct filter;
MR_MUST_CHECK enum mr_status filter_new(struct filter **out, const struct plan *plan, const struct plan_values *values,
                                        struct mr_arena *arena, struct mr_err *err);
/* Does ROW (values by column index) pass? */
bool filter_matches(const struct filter *filter, const struct cql_value *row);

/* ---- write.c ---- */

/* Mutations of a statement or of a batch, in an arena. */
struct write_list {
    struct store_mutation *items;
    size_t count, capacity;
};

/* Adds to OUT what INSERT, UPDATE or DELETE does.  STORE is read for changes of a list by place or by value.
 * MR_INVALID, MR_LIMIT: *CODE is the error's code. */
MR_MUST_CHECK enum mr_status write_plan(const struct plan *plan, const struct plan_values *values, struct store *store,
                                        struct mr_arena *arena, struct write_list *out, struct mr_err *err);
/* Appends the cells of ASSIGNMENT to a collection that is kept as a cell for each element.  CELLS is in ARENA. */
struct write_cells {
    struct store_cell *items;
    size_t count, capacity;
    struct mr_arena *arena;
    const struct plan_values *values;
    int64_t write_time_us;
    int32_t ttl_s;
    const struct store_row *row; /* as it is now; NULL unless it is needed */
};
void write_add_cell(struct write_cells *cells, struct store_cell cell);
MR_MUST_CHECK enum mr_status write_collection(const struct plan *plan, const struct plan_assignment *assignment,
                                              struct write_cells *cells, struct mr_err *err);
/* Does ASSIGNMENT need to see the row first? */
bool write_needs_row(const struct plan *plan, const struct plan_assignment *assignment);

/* ---- read.c ---- */

enum read_limit { READ_ANSWER_BYTES_MAX = 64 * 1024 * 1024 };

/* One SELECT under way: on the loop (row, generated) or on a worker. */
struct read {
    const struct plan *plan;
    struct store *store;
    uint32_t store_id;
    struct plan_values values;
    struct mr_bytes paging_state; /* of the request; null: the first page */
    int32_t page_size;            /* 0: all */
    bool skip_metadata;
    struct mr_bytes metadata_id; /* version 5: of columns that the client does not know yet; null: it knows them */
    const struct system_context *context; /* GENERATED */
    struct mr_arena *arena;               /* reset between rows by nobody: the caller frees it */
};

/* Appends the body of the RESULT to OUT.  *CODE is the error's code. */
MR_MUST_CHECK enum mr_status read_run(const struct read *read, struct mr_writer *out, int32_t *code,
                                      struct mr_err *err);

#endif

/* plan_int.h -- a statement bound to the schema: what EXECUTE runs without parsing or looking up a name.
 *
 * A plan does not change once made, so a worker may read it; references are counted on the loop thread only. */
#ifndef TABLES_PLAN_INT_H
#define TABLES_PLAN_INT_H

#include "tables/schema_int.h"

enum plan_source_kind { PLAN_NONE, PLAN_MARKER, PLAN_CONST };

/* Where a value comes from. */
struct plan_source {
    enum plan_source_kind kind;
    uint32_t marker;
    struct cql_value value;
};

struct plan_assignment {
    uint32_t column; /* index in the table */
    struct plan_source source;
};

struct plan_condition {
    uint32_t column;
    enum ast_operator op;
    struct plan_source source;
};

struct plan_token_bound {
    enum ast_operator op; /* EQ, LT, LE, GT, GE */
    struct plan_source source;
};

enum plan_selector_kind { PLAN_COLUMN, PLAN_COUNT, PLAN_WRITETIME, PLAN_TTL, PLAN_TOKEN };

struct plan_selector {
    enum plan_selector_kind kind;
    uint32_t column;
};

enum plan_access {
    PLAN_ROW,       /* the whole primary key is given */
    PLAN_PARTITION, /* the partition key, and maybe the first clustering columns */
    PLAN_RANGE,     /* everything, or a range of tokens */
    PLAN_GENERATED, /* a system table */
};

enum plan_limit { PLAN_CONDITIONS_MAX = 64, PLAN_TOKEN_BOUNDS_MAX = 4 };

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

    struct plan_source *key; /* partition key parts, then key_clustering_count clustering columns */
    uint32_t key_clustering_count;

    struct plan_assignment *assignments; /* INSERT, UPDATE; DELETE: columns (sources unused) */
    uint32_t assignment_count;
    struct plan_source timestamp;
    struct plan_source ttl;

    enum plan_access access;
    struct plan_selector *selectors;
    struct cql_metadata rows; /* of the answer; no flags */
    bool is_count;
    struct plan_condition *conditions; /* what each row is checked against */
    uint32_t condition_count;
    struct plan_token_bound *token_bounds;
    uint32_t token_bound_count;
    struct plan_source limit;
    bool reverse;

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

/* ---- plan_select.c ---- */

struct plan_build {
    struct plan *plan;
    const struct ast_statement *statement;
    const struct schema *schema;
    struct mr_str keyspace;
    int32_t *code;
    struct mr_err *err;
};

MR_MUST_CHECK enum mr_status plan_select(struct plan_build *b);
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
    int64_t now_us;
};

static inline struct cql_value plan_value(const struct plan_source *source, const struct plan_values *values)
{
    if (source->kind == PLAN_MARKER)
        return values->values[source->marker];
    return source->kind == PLAN_CONST ? source->value : CQL_VALUE_UNSET;
}

/* Checks count and encodings of the values against PLAN's markers. */
MR_MUST_CHECK enum mr_status plan_values_check(const struct plan *plan, const struct plan_values *values,
                                               struct mr_err *err);
/* The partition key and the clustering that PLAN's key sources give, in ARENA, with the token. */
MR_MUST_CHECK enum mr_status plan_key(const struct plan *plan, const struct plan_values *values, struct mr_arena *arena,
                                      struct store_key *out, struct mr_err *err);

/* ---- write.c ---- */

/* Fills *OUT with what INSERT, UPDATE or DELETE does. */
MR_MUST_CHECK enum mr_status write_mutation(const struct plan *plan, const struct plan_values *values,
                                            struct mr_arena *arena, struct store_mutation *out, struct mr_err *err);

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

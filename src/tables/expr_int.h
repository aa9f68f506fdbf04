/* expr_int.h -- terms and selectors bound to types: literals, markers, collections, functions, columns. */
#ifndef TABLES_EXPR_INT_H
#define TABLES_EXPR_INT_H

#include "tables/schema_int.h"

enum expr_kind {
    EXPR_CONST,
    EXPR_MARKER,
    EXPR_LIST,
    EXPR_SET,
    EXPR_MAP, /* args: key, value, key, value… */
    EXPR_TUPLE,
    EXPR_CALL,
    EXPR_CAST,
    EXPR_TOKEN, /* args: the parts of a partition key */
    /* of a row: */
    EXPR_COLUMN,
    EXPR_WRITETIME,
    EXPR_WRITETIME_MAX,
    EXPR_WRITETIME_MIN,
    EXPR_TTL,
    EXPR_ELEMENT, /* args: collection, key; of WRITETIME and TTL too, when there are args */
    EXPR_RESULT,  /* of aggregate SLOT */
};

struct expr_call;
typedef enum mr_status expr_function_fn(const struct expr_call *call, struct cql_value *out);

struct expr_function {
    const char *name; /* without '_', as it may be written with or without */
    uint16_t args[2]; /* type codes; 0: none */
    uint16_t type;    /* of the result; 0: of the argument */
    expr_function_fn *run;
};

struct expr {
    enum expr_kind kind;
    const struct cql_type *type;
    struct cql_value value; /* CONST */
    uint32_t index;         /* marker, column, slot */
    const struct expr_function *function;
    const struct expr **args;
    uint32_t arg_count;
};

/* A column of the row being looked at. */
struct expr_cells {
    const struct store_cell *first;
    uint32_t count;
};

/* What an evaluation sees; each may be missing where no expression asks for it. */
struct expr_context {
    const struct cql_value *markers;
    int64_t now_us;
    const struct cql_value *row; /* by column index */
    const struct expr_cells *cells;
    int64_t token;
    const struct cql_value *results; /* of aggregates */
    struct mr_arena *arena;
    struct mr_err *err;
};

struct expr_call {
    const struct expr_context *context;
    const struct expr *expr;
    const struct cql_value *args; /* none is null */
};

/* *OUT lies in the arena, or where its parts came from.  MR_INVALID. */
MR_MUST_CHECK enum mr_status expr_eval(const struct expr *expr, const struct expr_context *context,
                                       struct cql_value *out);

/* ---- function.c ---- */

/* Is there a function of NAME, whatever its arguments? */
bool expr_function_exists(struct mr_str name);
/* Appends to W the known signatures of NAME as Cassandra lists them. */
void expr_function_signatures(struct mr_writer *w, struct mr_str name);
/* The candidate number I of NAME with COUNT arguments, or NULL after the last. */
const struct expr_function *expr_function_find(struct mr_str name, uint32_t count, size_t i);
/* V of type FROM as TO.  MR_INVALID: it can't be. */
MR_MUST_CHECK enum mr_status expr_cast(const struct cql_type *from, const struct cql_type *to, struct cql_value v,
                                       struct mr_arena *arena, struct cql_value *out, struct mr_err *err);
/* Is there a cast? */
bool expr_can_cast(const struct cql_type *from, const struct cql_type *to);

/* ---- collection.c ---- */

/* Builds a collection of TYPE from PARTS (COUNT elements, or keys and values one after another): a set or a map in
 * order, each once. */
struct cql_value collection_build(const struct cql_type *type, const struct cql_value *parts, uint32_t count,
                                  struct mr_arena *arena);
/* Its parts, or those of a tuple; V was checked. */
uint32_t collection_split(const struct cql_type *type, struct cql_value v, struct mr_arena *arena,
                          struct cql_value **parts);
/* The same value in the form in which it is stored: sets and maps inside in order. */
struct cql_value collection_normal(const struct cql_type *type, struct cql_value v, struct mr_arena *arena);

#endif

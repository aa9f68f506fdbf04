/* bind_int.h -- names to columns, types checked: from the parser's nodes to what runs. */
#ifndef SQL_BIND_INT_H
#define SQL_BIND_INT_H

#include "sql/ast_int.h"
#include "sql/catalog_int.h"
#include "sql/expr_int.h"
#include "sql/plan_int.h"

/* What names mean in one SELECT. */
struct sql_scope {
    const struct data_type *row; /* the columns; NULL: there is no FROM */
    struct mr_str alias;         /* the table's name or alias; null: it has none */
    const char *what;            /* the table, for messages */
    bool *wanted;                /* one a column, set when used */
};

struct sql_bind {
    struct mr_arena *arena; /* the script's */
    struct sql_catalog *catalog;
    struct mr_err *err;
    struct mr_str source_text;
    const struct mr_zone *zone; /* 'table.local-time-zone'; borrowed from the catalog */
    uint32_t node_count;
};

/* Sets the error at LOC and returns STATUS. */
enum mr_status sql_bind_fail(struct sql_bind *bind, enum mr_status status, struct sql_loc loc, const char *format, ...)
    MR_PRINTF(4, 5);
#ifdef __clang_analyzer__ /* as mr_err_set */
#define sql_bind_fail(bind, status, ...) mr_err_returns((sql_bind_fail)((bind), (status), __VA_ARGS__), (status))
#endif

/* An expression; SCOPE may be NULL: no columns.  An untyped NULL stays of type DATA_NULL. */
MR_MUST_CHECK enum mr_status sql_bind_expr(struct sql_bind *bind, const struct sql_scope *scope,
                                           const struct sql_ast_expr *ast, struct sql_expr **out);
/* A call of a function: bind_call.c. */
MR_MUST_CHECK enum mr_status sql_bind_call(struct sql_bind *bind, const struct sql_scope *scope,
                                           const struct sql_ast_expr *ast, struct sql_expr **out);
/* A new node of TYPE over ARGS (copied). */
struct sql_expr *sql_bind_node(struct sql_bind *bind, const struct data_type *type, sql_kernel_fn *kernel,
                               const char *name, struct sql_loc loc, struct sql_expr *const *args, uint32_t arg_count);
/* EXPR as TYPE (nullability aside): itself, a NULL of that type, or a cast. */
struct sql_expr *sql_bind_cast(struct sql_bind *bind, struct sql_expr *expr, const struct data_type *type);
/* Can a value of FROM stand where TO is wanted without a CAST? */
bool sql_bind_implicit(const struct sql_expr *from, const struct data_type *to);
/* The type that all ARGS can become implicitly; they are cast to it.  MR_INVALID: there is none; WHAT names the
 * place. */
MR_MUST_CHECK enum mr_status sql_bind_common(struct sql_bind *bind, struct sql_expr **args, uint32_t count,
                                             const char *what, struct sql_loc loc, const struct data_type **out);
/* A comparison of two bound sides. */
MR_MUST_CHECK enum mr_status sql_bind_compare(struct sql_bind *bind, int op, struct sql_expr *a, struct sql_expr *b,
                                              struct sql_loc loc, struct sql_expr **out);
/* Arithmetic on two bound sides. */
MR_MUST_CHECK enum mr_status sql_bind_arithmetic(struct sql_bind *bind, int op, struct sql_expr *a, struct sql_expr *b,
                                                 struct sql_loc loc, struct sql_expr **out);
/* EXPR must be BOOLEAN (a NULL becomes one); WHAT says whose condition it is. */
MR_MUST_CHECK enum mr_status sql_bind_condition(struct sql_bind *bind, struct sql_expr **expr, const char *what);
/* Can there be such a type: lengths, precisions, names, depth (DEPTH of the outermost is 1)? */
MR_MUST_CHECK enum mr_status sql_bind_type_check(struct sql_bind *bind, const struct sql_ast_type *type, int depth);
/* The type as written, checked before, in ARENA. */
const struct data_type *sql_bind_type(struct sql_bind *bind, struct mr_arena *arena, const struct sql_ast_type *type);
/* The DECIMAL that a DECIMAL or integer TYPE is. */
const struct data_type *sql_bind_as_decimal(struct mr_arena *arena, const struct data_type *type);
/* A literal of TYPE, its value yet to be set (DATA_NULL: a NULL). */
struct sql_expr *sql_bind_literal(struct sql_bind *bind, const struct data_type *type, struct sql_loc loc);
/* Numbers, DATE '…', INTERVAL '…' DAY and their like: bind_literal.c. */
MR_MUST_CHECK enum mr_status sql_bind_number(struct sql_bind *bind, const struct sql_ast_expr *ast, bool negative,
                                             struct sql_expr **out);
MR_MUST_CHECK enum mr_status sql_bind_time(struct sql_bind *bind, const struct sql_ast_expr *ast,
                                           struct sql_expr **out);
MR_MUST_CHECK enum mr_status sql_bind_interval(struct sql_bind *bind, const struct sql_ast_expr *ast,
                                               struct sql_expr **out);
MR_MUST_CHECK enum mr_status sql_bind_bytes(struct sql_bind *bind, const struct sql_ast_expr *ast,
                                            struct sql_expr **out);
/* "+" for SQL_OP_ADD … */
const char *sql_bind_op_name(int op);
/* "; did you mean …?" for messages, or "". */
const char *sql_bind_hint(struct sql_bind *bind, struct mr_str name, const char *const *names, size_t count);
/* The same among the fields of ROW. */
const char *sql_bind_field_hint(struct sql_bind *bind, struct mr_str name, const struct data_type *row);

/* CREATE TABLE: bind_table.c. */
MR_MUST_CHECK enum mr_status sql_bind_table(struct sql_bind *bind, const struct sql_ast_statement *statement);
/* INSERT, STATEMENT SET, SELECT: bind_query.c. */
MR_MUST_CHECK enum mr_status sql_bind_query(struct sql_bind *bind, const struct sql_ast_statement *statement,
                                            struct sql_query **out);

#endif

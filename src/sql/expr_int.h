/* expr_int.h -- bound expressions: a tree of kernels, each evaluated over a whole batch of rows at once.
 *
 * A kernel returns a column with one value a row of the batch.  Rows outside of the selection have any value
 * (mostly NULL) and must not fail: so branches not taken (CASE, AND, OR) can't fail a row.  A row that fails is
 * noted in the evaluation and its value is NULL; the first reason stays. */
#ifndef SQL_EXPR_INT_H
#define SQL_EXPR_INT_H

#include "data/data.h"
#include "sql/ast_int.h"

struct sql_eval;
struct sql_expr;
struct sql_row_error;

/* Evaluates EXPR for the rows whose bit is set in SELECTED (never NULL; bits past the last row are 0).  One
 * reference for the caller. */
typedef struct data_column *sql_kernel_fn(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected);

struct sql_expr {
    const struct data_type *type;
    sql_kernel_fn *kernel;
    struct sql_expr **args;
    uint32_t arg_count;
    uint32_t id;     /* index of its scratch column in the evaluation */
    uint32_t column; /* of the source, for a column; of the ROW, for a field */
    int op;          /* kernel's own */
    bool is_literal; /* literal holds the value (a NULL has type->kind DATA_NULL or is_null) */
    bool is_null;    /* a literal NULL */
    bool has_else;
    union {
        bool boolean;
        int64_t integer; /* of times and intervals, too */
        double number;
        data_i128 decimal;
        struct mr_str text; /* of STRING and BYTES */
    } literal;
    const struct mr_zone *zone; /* of functions that use it; NULL: UTC */
    const char *name;           /* for the plan's text: function or operator */
    struct sql_loc loc;
};

/* One evaluation over one batch. */
struct sql_eval {
    const struct data_batch *in;
    uint32_t rows;
    size_t bitmap_bytes;
    struct mr_arena *arena;       /* bitmaps, messages; reset for each batch */
    struct data_column **scratch; /* one an expression id; owned */
    uint8_t *failed;              /* bitmap */
    const char **why;             /* one a row; NULL where not failed */
    uint32_t failed_count;
    uint32_t node_count;
    const char *label; /* what is being evaluated, put in front of a failure's text; may be NULL */
};

/* Evaluates; the same as calling the kernel. */
static inline struct data_column *sql_expr_eval(const struct sql_expr *expr, struct sql_eval *eval,
                                                const uint8_t *selected)
{
    return expr->kernel(expr, eval, selected);
}

static inline bool sql_bit(const uint8_t *bits, uint32_t row)
{
    return (bits[row >> 3] >> (row & 7)) & 1;
}

/* For kernels: an empty column of the expression's type, reusing the last one when nobody holds it. */
struct data_column *sql_eval_column(const struct sql_expr *expr, struct sql_eval *eval);
/* Evaluates an operand.  The value of row i is at i * STEP: a literal is not repeated for each row.  As a kernel
 * else. */
struct data_column *sql_eval_operand(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected,
                                     uint32_t *step);
/* A zeroed bitmap with a bit a row, and a copy of one. */
uint8_t *sql_eval_bitmap(struct sql_eval *eval);
uint8_t *sql_eval_bitmap_copy(struct sql_eval *eval, const uint8_t *bits);
/* Notes that ROW fails (formatted into the arena); the first reason stays. */
void sql_eval_fail(struct sql_eval *eval, uint32_t row, const char *format, ...) MR_PRINTF(3, 4);
/* Sets row ROW (already there) of COLUMN to NULL. */
void sql_column_set_null(struct data_column *column, uint32_t row);
/* Makes NULL in OUT (whole) what is NULL in IN. */
void sql_column_nulls_from(struct data_column *out, const struct data_column *in);
/* Evaluates an expression without columns once: *OUT has one row, caller owns.  MR_INVALID: it fails. */
MR_MUST_CHECK enum mr_status sql_expr_constant(const struct sql_expr *expr, uint32_t node_count,
                                               struct data_column **out, struct mr_err *err);
/* Are any bits set in BITS? */
bool sql_eval_any(const struct sql_eval *eval, const uint8_t *bits);

/* -1, 0, 1 as the values (not null, of one scalar kind) compare; 0 with a NaN. */
int sql_order_rows(const struct data_column *a, uint32_t i, const struct data_column *b, uint32_t j);
/* V of TYPE (a time's) BY microseconds or MONTHS later; false: out of range. */
bool sql_time_move(const struct data_type *type, int64_t v, bool months, int64_t by, int64_t *out);

/* Kernels. */
sql_kernel_fn sql_kernel_column, sql_kernel_field, sql_kernel_index, sql_kernel_literal, sql_kernel_cast;
sql_kernel_fn sql_kernel_map, sql_kernel_map_value, sql_kernel_decimal, sql_kernel_time_add, sql_kernel_interval;
sql_kernel_fn sql_kernel_similar;
sql_kernel_fn sql_kernel_arithmetic, sql_kernel_negate, sql_kernel_compare, sql_kernel_distinct;
sql_kernel_fn sql_kernel_and, sql_kernel_or, sql_kernel_not, sql_kernel_is, sql_kernel_in, sql_kernel_like;
sql_kernel_fn sql_kernel_case, sql_kernel_coalesce, sql_kernel_row, sql_kernel_array;

/* Appends EXPR in canonical form (plans, messages). */
void sql_expr_write(struct mr_writer *out, const struct sql_expr *expr, const struct data_type *source);

#endif

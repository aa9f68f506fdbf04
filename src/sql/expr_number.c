/* expr_number.c -- arithmetic and comparison.  The binder made both sides one type; arithmetic is Java's, as in Flink:
 * whole numbers wrap, their division by zero fails the row, floating point gives infinities and NaN. */
#include "sql/expr_int.h"

#include <math.h>
#include <string.h>

static int32_t wrap_i32(int op, int32_t a, int32_t b)
{
    switch (op) {
    case SQL_OP_ADD:
        return (int32_t)((uint32_t)a + (uint32_t)b);
    case SQL_OP_SUB:
        return (int32_t)((uint32_t)a - (uint32_t)b);
    case SQL_OP_MUL:
        return (int32_t)((uint32_t)a * (uint32_t)b);
    case SQL_OP_DIV:
        return b == -1 ? (int32_t)(0u - (uint32_t)a) : a / b;
    default:
        return b == -1 ? 0 : a % b;
    }
}

static int64_t wrap_i64(int op, int64_t a, int64_t b)
{
    switch (op) {
    case SQL_OP_ADD:
        return (int64_t)((uint64_t)a + (uint64_t)b);
    case SQL_OP_SUB:
        return (int64_t)((uint64_t)a - (uint64_t)b);
    case SQL_OP_MUL:
        return (int64_t)((uint64_t)a * (uint64_t)b);
    case SQL_OP_DIV:
        return b == -1 ? (int64_t)(0u - (uint64_t)a) : a / b;
    default:
        return b == -1 ? 0 : a % b;
    }
}

static float float_op(int op, float a, float b)
{
    switch (op) {
    case SQL_OP_ADD:
        return a + b;
    case SQL_OP_SUB:
        return a - b;
    case SQL_OP_MUL:
        return a * b;
    case SQL_OP_DIV:
        return a / b;
    default:
        return fmodf(a, b);
    }
}

static double double_op(int op, double a, double b)
{
    switch (op) {
    case SQL_OP_ADD:
        return a + b;
    case SQL_OP_SUB:
        return a - b;
    case SQL_OP_MUL:
        return a * b;
    case SQL_OP_DIV:
        return a / b;
    default:
        return fmod(a, b);
    }
}

/* Whole numbers divided by zero: those rows fail and are NULL. */
static void divide_fail(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected,
                        struct data_column *out, const struct data_column *b, uint32_t row)
{
    if (!sql_bit(selected, row) || data_is_null(b, row) || data_is_null(out, row))
        return;
    sql_eval_fail(eval, row, "division by zero (%s)", expr->op == SQL_OP_DIV ? "/" : "%");
    sql_column_set_null(out, row);
}

/* A TINYINT or SMALLINT: what does not fit wraps. */
static void small_set(struct data_column *out, uint32_t row, int64_t v)
{
    if (out->type->kind == DATA_TINYINT)
        ((int8_t *)out->values)[row] = (int8_t)(uint8_t)v;
    else
        ((int16_t *)out->values)[row] = (int16_t)(uint16_t)v;
}

struct data_column *sql_kernel_arithmetic(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *a = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *b = sql_expr_eval(expr->args[1], eval, selected);
    struct data_column *out = sql_eval_column(expr, eval);
    bool divides = expr->op == SQL_OP_DIV || expr->op == SQL_OP_MOD;
    uint32_t zeros = 0;

    out->length = eval->rows;
    for (uint32_t i = 0; i < eval->rows; i++) {
        switch ((int)expr->type->kind) {
        case DATA_INT:
            if (divides && data_i32(b, i) == 0) {
                zeros++;
                ((int32_t *)out->values)[i] = 0;
            } else {
                ((int32_t *)out->values)[i] = wrap_i32(expr->op, data_i32(a, i), data_i32(b, i));
            }
            break;
        case DATA_BIGINT:
            if (divides && data_i64(b, i) == 0) {
                zeros++;
                ((int64_t *)out->values)[i] = 0;
            } else {
                ((int64_t *)out->values)[i] = wrap_i64(expr->op, data_i64(a, i), data_i64(b, i));
            }
            break;
        case DATA_FLOAT:
            ((float *)out->values)[i] = float_op(expr->op, data_f32(a, i), data_f32(b, i));
            break;
        case DATA_DOUBLE:
            ((double *)out->values)[i] = double_op(expr->op, data_f64(a, i), data_f64(b, i));
            break;
        default: /* TINYINT, SMALLINT */
            if (divides && data_integer(b, i) == 0)
                zeros++;
            else
                small_set(out, i, wrap_i64(expr->op, data_integer(a, i), data_integer(b, i)));
        }
    }
    sql_column_nulls_from(out, a);
    sql_column_nulls_from(out, b);
    for (uint32_t i = 0; i < eval->rows && zeros != 0; i++)
        if (data_integer(b, i) == 0)
            divide_fail(expr, eval, selected, out, b, i);
    data_column_unref(a);
    data_column_unref(b);
    return out;
}

struct data_column *sql_kernel_negate(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *a = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *out = sql_eval_column(expr, eval);

    out->length = eval->rows;
    for (uint32_t i = 0; i < eval->rows; i++) {
        switch ((int)expr->type->kind) {
        case DATA_INT:
            ((int32_t *)out->values)[i] = wrap_i32(SQL_OP_SUB, 0, data_i32(a, i));
            break;
        case DATA_BIGINT:
            ((int64_t *)out->values)[i] = wrap_i64(SQL_OP_SUB, 0, data_i64(a, i));
            break;
        case DATA_FLOAT:
            ((float *)out->values)[i] = -data_f32(a, i);
            break;
        case DATA_DOUBLE:
            ((double *)out->values)[i] = -data_f64(a, i);
            break;
        case DATA_DECIMAL:
            ((data_i128 *)out->values)[i] = -data_dec(a, i);
            break;
        case DATA_INTERVAL_MONTH:
            ((int32_t *)out->values)[i] = wrap_i32(SQL_OP_SUB, 0, data_i32(a, i));
            break;
        case DATA_INTERVAL_DAY:
            ((int64_t *)out->values)[i] = wrap_i64(SQL_OP_SUB, 0, data_i64(a, i));
            break;
        default:
            small_set(out, i, -data_integer(a, i));
        }
    }
    sql_column_nulls_from(out, a);
    data_column_unref(a);
    return out;
}

/* ---- comparison ---- */

enum order { ORDER_LESS = 1, ORDER_EQUAL = 2, ORDER_GREATER = 4, ORDER_NONE = 8 };

#define ORDER_OF(x, y) ((x) < (y) ? ORDER_LESS : (x) == (y) ? ORDER_EQUAL : (x) > (y) ? ORDER_GREATER : ORDER_NONE)

/* Both not null and of one kind; DECIMALs may have two scales.  NaN has no order, not even with itself: as Java. */
static enum order order_rows(const struct data_column *a, uint32_t i, const struct data_column *b, uint32_t j)
{
    switch ((int)a->type->kind) {
    case DATA_BOOLEAN:
        return ORDER_OF(data_bool(a, i), data_bool(b, j));
    case DATA_INT:
        return ORDER_OF(data_i32(a, i), data_i32(b, j));
    case DATA_BIGINT:
        return ORDER_OF(data_i64(a, i), data_i64(b, j));
    case DATA_FLOAT:
        return ORDER_OF(data_f32(a, i), data_f32(b, j));
    case DATA_DOUBLE:
        return ORDER_OF(data_f64(a, i), data_f64(b, j));
    case DATA_TINYINT:
    case DATA_SMALLINT:
    case DATA_DATE:
    case DATA_TIME:
    case DATA_TIMESTAMP:
    case DATA_TIMESTAMP_LTZ:
    case DATA_INTERVAL_MONTH:
    case DATA_INTERVAL_DAY:
        return ORDER_OF(data_integer(a, i), data_integer(b, j));
    case DATA_DECIMAL: {
        int way = data_decimal_compare(data_dec(a, i), a->type->scale, data_dec(b, j), b->type->scale);
        return ORDER_OF(way, 0);
    }
    case DATA_BYTES:
    case DATA_STRING: {
        int way = mr_bytes_compare(mr_bytes_of_str(data_str(a, i)), mr_bytes_of_str(data_str(b, j)));
        return ORDER_OF(way, 0);
    }
    default:
        return ORDER_NONE;
    }
}

int sql_order_rows(const struct data_column *a, uint32_t i, const struct data_column *b, uint32_t j)
{
    enum order order = order_rows(a, i, b, j);

    return order == ORDER_LESS ? -1 : order == ORDER_GREATER;
}

/* Which orders make OP true. */
static unsigned orders_of(int op)
{
    switch (op) {
    case SQL_OP_EQ:
        return ORDER_EQUAL;
    case SQL_OP_NE:
        return ORDER_LESS | ORDER_GREATER | ORDER_NONE;
    case SQL_OP_LT:
        return ORDER_LESS;
    case SQL_OP_LE:
        return ORDER_LESS | ORDER_EQUAL;
    case SQL_OP_GT:
        return ORDER_GREATER;
    default:
        return ORDER_GREATER | ORDER_EQUAL;
    }
}

struct data_column *sql_kernel_compare(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    uint32_t a_step, b_step;
    struct data_column *a = sql_eval_operand(expr->args[0], eval, selected, &a_step);
    struct data_column *b = sql_eval_operand(expr->args[1], eval, selected, &b_step);
    struct data_column *out = sql_eval_column(expr, eval);
    unsigned orders = orders_of(expr->op);

    for (uint32_t i = 0; i < eval->rows; i++) {
        if (data_is_null(a, i * a_step) || data_is_null(b, i * b_step))
            data_append_null(out);
        else
            data_append_bool(out, (order_rows(a, i * a_step, b, i * b_step) & orders) != 0);
    }
    data_column_unref(a);
    data_column_unref(b);
    return out;
}

/* IS [NOT] DISTINCT FROM: NULL is one value like any other. */
struct data_column *sql_kernel_distinct(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    uint32_t a_step, b_step;
    struct data_column *a = sql_eval_operand(expr->args[0], eval, selected, &a_step);
    struct data_column *b = sql_eval_operand(expr->args[1], eval, selected, &b_step);
    struct data_column *out = sql_eval_column(expr, eval);

    for (uint32_t i = 0; i < eval->rows; i++) {
        bool a_null = data_is_null(a, i * a_step), b_null = data_is_null(b, i * b_step);
        bool same = a_null || b_null ? a_null && b_null : order_rows(a, i * a_step, b, i * b_step) == ORDER_EQUAL;
        data_append_bool(out, same == (expr->op == SQL_OP_SAME));
    }
    data_column_unref(a);
    data_column_unref(b);
    return out;
}

/* TRUE when one equals; else NULL when one (or the value) is NULL; else FALSE.  An element is evaluated only for
 * the rows that found none before it. */
struct data_column *sql_kernel_in(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *value = sql_expr_eval(expr->args[0], eval, selected);
    uint8_t *left = sql_eval_bitmap_copy(eval, selected);
    uint8_t *found = sql_eval_bitmap(eval);
    uint8_t *unknown = sql_eval_bitmap(eval);
    struct data_column *out;

    for (uint32_t arg = 1; arg < expr->arg_count && sql_eval_any(eval, left); arg++) {
        uint32_t step;
        struct data_column *element = sql_eval_operand(expr->args[arg], eval, left, &step);
        for (uint32_t i = 0; i < eval->rows; i++) {
            uint8_t bit = (uint8_t)(1u << (i & 7));
            if (!sql_bit(left, i))
                continue;
            if (data_is_null(value, i) || data_is_null(element, i * step)) {
                unknown[i >> 3] |= bit;
            } else if (order_rows(value, i, element, i * step) == ORDER_EQUAL) {
                found[i >> 3] |= bit;
                left[i >> 3] &= (uint8_t)~bit;
            }
        }
        data_column_unref(element);
    }
    out = sql_eval_column(expr, eval);
    for (uint32_t i = 0; i < eval->rows; i++) {
        if (!sql_bit(found, i) && sql_bit(unknown, i))
            data_append_null(out);
        else
            data_append_bool(out, sql_bit(found, i) != (expr->op == 1));
    }
    data_column_unref(value);
    return out;
}

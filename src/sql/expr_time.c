/* expr_time.c -- exact decimals, and times with intervals.  A result that is out of its type's range: of DECIMALs NULL,
 * as in Flink; of times the row fails. */
#include "sql/expr_int.h"

#include <string.h>

static bool decimal_op(const struct sql_expr *expr, data_i128 a, data_i128 b, data_i128 *out)
{
    unsigned as = expr->args[0]->type->scale, bs = expr->args[1]->type->scale;
    unsigned precision = expr->type->precision, scale = expr->type->scale;

    switch (expr->op) {
    case SQL_OP_ADD:
        return data_decimal_add(a, as, b, bs, precision, scale, out);
    case SQL_OP_SUB:
        return data_decimal_add(a, as, -b, bs, precision, scale, out);
    case SQL_OP_MUL:
        return data_decimal_mul(a, as, b, bs, precision, scale, out);
    case SQL_OP_DIV:
        return data_decimal_div(a, as, b, bs, precision, scale, out);
    default:
        return data_decimal_mod(a, as, b, bs, precision, scale, out);
    }
}

struct data_column *sql_kernel_decimal(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    uint32_t a_step, b_step;
    struct data_column *a = sql_eval_operand(expr->args[0], eval, selected, &a_step);
    struct data_column *b = sql_eval_operand(expr->args[1], eval, selected, &b_step);
    struct data_column *out = sql_eval_column(expr, eval);
    bool divides = expr->op == SQL_OP_DIV || expr->op == SQL_OP_MOD;

    for (uint32_t i = 0; i < eval->rows; i++) {
        data_i128 v = 0;
        if (!sql_bit(selected, i) || data_is_null(a, i * a_step) || data_is_null(b, i * b_step)) {
            data_append_null(out);
        } else if (divides && data_dec(b, i * b_step) == 0) {
            sql_eval_fail(eval, i, "division by zero (%s)", expr->op == SQL_OP_DIV ? "/" : "%");
            data_append_null(out);
        } else if (decimal_op(expr, data_dec(a, i * a_step), data_dec(b, i * b_step), &v)) {
            data_append_dec(out, v);
        } else {
            data_append_null(out);
        }
    }
    data_column_unref(a);
    data_column_unref(b);
    return out;
}

/* ---- times ---- */

/* US later, or MONTHS; the instant of a TIMESTAMP_LTZ moves by months as its wall clock does. */
static bool time_move(const struct data_type *type, int64_t v, bool months, int64_t by, int64_t *out)
{
    int64_t day;

    switch ((int)type->kind) {
    case DATA_DATE:
        *out = months ? data_day_add_months(v, by) : v + data_day_floor(by);
        return *out >= DATA_DAY_MIN && *out <= DATA_DAY_MAX;
    case DATA_TIME:
        *out = (v + by / 1000 % 86400000 + 86400000) % 86400000;
        return true;
    default:
        if (!months)
            return !__builtin_add_overflow(v, by, out) && data_timestamp_valid(*out);
        day = data_day_floor(v);
        *out = data_day_add_months(day, by);
        if (*out < DATA_DAY_MIN || *out > DATA_DAY_MAX)
            return false;
        *out = *out * DATA_DAY_US + (v - day * DATA_DAY_US);
        return true;
    }
}

bool sql_time_move(const struct data_type *type, int64_t v, bool months, int64_t by, int64_t *out)
{
    if (months && (by > 120000 || by < -120000))
        return false;
    return time_move(type, v, months, by, out);
}

struct data_column *sql_kernel_time_add(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    uint32_t step;
    struct data_column *time = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *by = sql_eval_operand(expr->args[1], eval, selected, &step);
    struct data_column *out = sql_eval_column(expr, eval);
    bool months = expr->args[1]->type->kind == DATA_INTERVAL_MONTH;

    for (uint32_t i = 0; i < eval->rows; i++) {
        int64_t moved = 0, distance;
        if (!sql_bit(selected, i) || data_is_null(time, i) || data_is_null(by, i * step)) {
            data_append_null(out);
            continue;
        }
        distance = data_integer(by, i * step);
        if (expr->op == SQL_OP_SUB)
            distance = (int64_t)(0 - (uint64_t)distance);
        if (sql_time_move(time->type, data_integer(time, i), months, distance, &moved)) {
            data_append_integer(out, moved);
        } else {
            sql_eval_fail(eval, i, "%s: the result is not within the years 1 to 9999",
                          expr->op == SQL_OP_SUB ? "-" : "+");
            data_append_null(out);
        }
    }
    data_column_unref(time);
    data_column_unref(by);
    return out;
}

/* INTERVAL + - INTERVAL, number * INTERVAL. */
struct data_column *sql_kernel_interval(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *a = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *b = sql_expr_eval(expr->args[1], eval, selected);
    struct data_column *out = sql_eval_column(expr, eval);
    int64_t max = expr->type->kind == DATA_INTERVAL_MONTH ? INT32_MAX : INT64_MAX;

    for (uint32_t i = 0; i < eval->rows; i++) {
        int64_t v = 0, x, y;
        bool wrong;
        if (!sql_bit(selected, i) || data_is_null(a, i) || data_is_null(b, i)) {
            data_append_null(out);
            continue;
        }
        x = data_integer(a, i);
        y = data_integer(b, i);
        wrong = expr->op == SQL_OP_ADD   ? __builtin_add_overflow(x, y, &v)
                : expr->op == SQL_OP_SUB ? __builtin_sub_overflow(x, y, &v)
                                         : __builtin_mul_overflow(x, y, &v);
        if (wrong || v > max || v < -max) {
            sql_eval_fail(eval, i, "the INTERVAL is too long");
            data_append_null(out);
        } else {
            data_append_integer(out, v);
        }
    }
    data_column_unref(a);
    data_column_unref(b);
    return out;
}

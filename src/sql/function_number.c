/* function_number.c -- kernels of the functions on numbers. */
#include "sql/function_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUND_DIGITS_MAX = 300 };

struct data_column *sql_kernel_abs(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *in = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *out = sql_eval_column(expr, eval);

    for (uint32_t row = 0; row < eval->rows; row++) {
        if (data_is_null(in, row))
            data_append_null(out);
        else if (expr->type->kind == DATA_INT) /* the smallest stays itself, as in Java */
            data_append_i32(out,
                            data_i32(in, row) < 0 ? (int32_t)(0u - (uint32_t)data_i32(in, row)) : data_i32(in, row));
        else if (expr->type->kind == DATA_BIGINT)
            data_append_i64(out,
                            data_i64(in, row) < 0 ? (int64_t)(0u - (uint64_t)data_i64(in, row)) : data_i64(in, row));
        else if (expr->type->kind == DATA_FLOAT)
            data_append_f32(out, fabsf(data_f32(in, row)));
        else
            data_append_f64(out, fabs(data_f64(in, row)));
    }
    data_column_unref(in);
    return out;
}

/* Half goes away from zero, judged on the decimal digits that people see (2.675 to 2 digits is 2.68). */
static double round_double(double v, int digits)
{
    char text[40];
    double scale, scaled;

    if (!isfinite(v) || digits > ROUND_DIGITS_MAX)
        return v;
    if (digits < -ROUND_DIGITS_MAX)
        return 0;
    scale = pow(10, abs(digits));
    scaled = digits < 0 ? v / scale : v * scale;
    if (!isfinite(scaled) || fabs(scaled) > 1e15)
        return v;
    snprintf(text, sizeof(text), "%.15g", scaled);
    scaled = round(strtod(text, NULL));
    return digits < 0 ? scaled * scale : scaled / scale;
}

static int64_t round_integer(int64_t v, int digits)
{
    int64_t scale = 1, half;

    if (digits >= 0)
        return v;
    for (; digits < 0; digits++) {
        if (scale > INT64_MAX / 10)
            return 0;
        scale *= 10;
    }
    half = v % scale;
    v -= half;
    if (half >= scale / 2)
        v = (int64_t)((uint64_t)v + (uint64_t)scale);
    else if (half <= -(scale / 2))
        v = (int64_t)((uint64_t)v - (uint64_t)scale);
    return v;
}

struct data_column *sql_kernel_round(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *in = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *digits = expr->arg_count > 1 ? sql_expr_eval(expr->args[1], eval, selected) : NULL;
    struct data_column *out = sql_eval_column(expr, eval);

    for (uint32_t row = 0; row < eval->rows; row++) {
        int count = digits == NULL ? 0 : data_i32(digits, row);
        if (data_is_null(in, row) || (digits != NULL && data_is_null(digits, row)))
            data_append_null(out);
        else if (expr->type->kind == DATA_INT)
            data_append_i32(out, (int32_t)round_integer(data_i32(in, row), count));
        else if (expr->type->kind == DATA_BIGINT)
            data_append_i64(out, round_integer(data_i64(in, row), count));
        else if (expr->type->kind == DATA_FLOAT)
            data_append_f32(out, (float)round_double(data_f32(in, row), count));
        else
            data_append_f64(out, round_double(data_f64(in, row), count));
    }
    data_column_unref(in);
    data_column_unref(digits);
    return out;
}

/* op: 0 FLOOR, 1 CEIL. */
struct data_column *sql_kernel_floor_ceil(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *in = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *out;

    if (expr->type->kind == DATA_INT || expr->type->kind == DATA_BIGINT)
        return in;
    out = sql_eval_column(expr, eval);
    for (uint32_t row = 0; row < eval->rows; row++) {
        if (data_is_null(in, row))
            data_append_null(out);
        else if (expr->type->kind == DATA_FLOAT)
            data_append_f32(out, expr->op ? ceilf(data_f32(in, row)) : floorf(data_f32(in, row)));
        else
            data_append_f64(out, expr->op ? ceil(data_f64(in, row)) : floor(data_f64(in, row)));
    }
    data_column_unref(in);
    return out;
}

/* op: 0 SQRT, 1 POWER. */
struct data_column *sql_kernel_math(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *a = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *b = expr->arg_count > 1 ? sql_expr_eval(expr->args[1], eval, selected) : NULL;
    struct data_column *out = sql_eval_column(expr, eval);

    for (uint32_t row = 0; row < eval->rows; row++) {
        if (data_is_null(a, row) || (b != NULL && data_is_null(b, row)))
            data_append_null(out);
        else
            data_append_f64(out, b == NULL ? sqrt(data_f64(a, row)) : pow(data_f64(a, row), data_f64(b, row)));
    }
    data_column_unref(a);
    data_column_unref(b);
    return out;
}

struct data_column *sql_kernel_cardinality(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *in = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *out = sql_eval_column(expr, eval);

    for (uint32_t row = 0; row < eval->rows; row++) {
        uint32_t start, end;
        if (data_is_null(in, row)) {
            data_append_null(out);
            continue;
        }
        data_array_range(in, row, &start, &end);
        data_append_i32(out, (int32_t)(end - start));
    }
    data_column_unref(in);
    return out;
}

/* function_number.c -- kernels of the functions on numbers. */
#include "sql/function_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sql/function_call_int.h"

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
        else if (expr->type->kind == DATA_DOUBLE)
            data_append_f64(out, fabs(data_f64(in, row)));
        else if (expr->type->kind == DATA_DECIMAL)
            data_append_dec(out, data_dec(in, row) < 0 ? -data_dec(in, row) : data_dec(in, row));
        else if (expr->type->kind == DATA_TINYINT)
            data_append_i8(out, (int8_t)(uint8_t)abs(data_i8(in, row)));
        else
            data_append_i16(out, (int16_t)(uint16_t)abs(data_i16(in, row)));
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
        else if (data_kind_integer(expr->type->kind))
            data_append_integer(out, round_integer(data_integer(in, row), count));
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

    if (data_kind_integer(expr->type->kind))
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

/* ROUND, TRUNCATE, FLOOR and CEIL of DECIMALs; op as in SQL_SPECIAL_ROUND, column: digits after the point + 64. */
static void call_round_decimal(struct sql_call *c)
{
    unsigned from = c->args[0]->type->scale, to = c->expr->type->scale;
    data_i128 v = data_dec(c->args[0], sql_call_at(c, 0)), out = 0, unit, rest;
    int digits = (int)c->expr->column - 64;

    if (digits >= (int)from) {
        data_append_dec(c->out, v);
        return;
    }
    if (c->expr->op == 0 && digits >= 0) {
        if (data_decimal_rescale(v, from, DATA_DECIMAL_DIGITS_MAX, to, &out))
            data_append_dec(c->out, out);
        else
            data_append_null(c->out);
        return;
    }
    if ((int)from - digits > DATA_DECIMAL_DIGITS_MAX) {
        data_append_dec(c->out, 0);
        return;
    }
    unit = data_decimal_power((unsigned)((int)from - digits));
    rest = v % unit;
    out = v / unit;
    if ((c->expr->op == 0 && (rest < 0 ? -rest : rest) >= unit - (rest < 0 ? -rest : rest)) ||
        (c->expr->op == 2 && rest < 0) || (c->expr->op == 3 && rest > 0))
        out += v < 0 ? -1 : 1;
    if (digits < 0 && !data_decimal_rescale(out, 0, DATA_DECIMAL_DIGITS_MAX, (unsigned)-digits, &out))
        data_append_null(c->out);
    else
        data_append_dec(c->out, out);
}

struct data_column *sql_kernel_round_decimal(const struct sql_expr *expr, struct sql_eval *eval,
                                             const uint8_t *selected)
{
    return sql_call_rows(expr, eval, selected, call_round_decimal, NULL);
}

static double number_of(int op, double v)
{
    switch (op) {
    case SQL_NUMBER_LN:
    case SQL_NUMBER_LOG:
        return log(v);
    case SQL_NUMBER_LOG10:
        return log10(v);
    case SQL_NUMBER_LOG2:
        return log2(v);
    case SQL_NUMBER_EXP:
        return exp(v);
    case SQL_NUMBER_SIN:
        return sin(v);
    case SQL_NUMBER_COS:
        return cos(v);
    case SQL_NUMBER_TAN:
        return tan(v);
    case SQL_NUMBER_ASIN:
        return asin(v);
    case SQL_NUMBER_ACOS:
        return acos(v);
    case SQL_NUMBER_ATAN:
        return atan(v);
    case SQL_NUMBER_RADIANS:
        return v / 180 * M_PI;
    default:
        return v * 180 / M_PI;
    }
}

static void sign_append(struct sql_call *c)
{
    uint32_t at = sql_call_at(c, 0);
    data_i128 v;
    double d;

    switch ((int)c->expr->type->kind) {
    case DATA_FLOAT:
        d = (double)data_f32(c->args[0], at);
        data_append_f32(c->out, isnan(d) ? (float)d : (float)((d > 0) - (d < 0)));
        break;
    case DATA_DOUBLE:
        d = data_f64(c->args[0], at);
        data_append_f64(c->out, isnan(d) ? d : (d > 0) - (d < 0));
        break;
    case DATA_DECIMAL:
        v = data_dec(c->args[0], at);
        data_append_dec(c->out, ((v > 0) - (v < 0)) * data_decimal_power(c->expr->type->scale));
        break;
    default:
        v = data_integer(c->args[0], at);
        data_append_integer(c->out, (v > 0) - (v < 0));
    }
}

static void call_number(struct sql_call *c)
{
    if (c->expr->op == SQL_NUMBER_SIGN)
        sign_append(c);
    else if (c->expr->op == SQL_NUMBER_PI || c->expr->op == SQL_NUMBER_E)
        data_append_f64(c->out, c->expr->op == SQL_NUMBER_PI ? M_PI : M_E);
    else if (c->expr->arg_count == 2) /* LOG(base, number) */
        data_append_f64(c->out,
                        log(data_f64(c->args[1], sql_call_at(c, 1))) / log(data_f64(c->args[0], sql_call_at(c, 0))));
    else
        data_append_f64(c->out, number_of(c->expr->op, data_f64(c->args[0], sql_call_at(c, 0))));
}

struct data_column *sql_kernel_number_call(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    return sql_call_rows(expr, eval, selected, call_number, NULL);
}

/* op: 1 GREATEST, -1 LEAST.  NULL when one is, as in Flink. */
static void call_greatest(struct sql_call *c)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < c->expr->arg_count; i++)
        if (sql_order_rows(c->args[i], sql_call_at(c, i), c->args[best], sql_call_at(c, best)) * c->expr->op > 0)
            best = i;
    data_append_from(c->out, c->args[best], sql_call_at(c, best));
}

struct data_column *sql_kernel_greatest(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    return sql_call_rows(expr, eval, selected, call_greatest, NULL);
}

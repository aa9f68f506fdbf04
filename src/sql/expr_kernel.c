/* expr_kernel.c -- kernels that move values: columns, fields, elements, literals, casts, ROW and ARRAY. */
#include "sql/expr_int.h"

#include <string.h>

struct data_column *sql_kernel_column(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    MR_UNUSED(selected);
    assert(expr->column < eval->in->column_count);
    return data_column_ref(eval->in->columns[expr->column]);
}

/* A ROW that is NULL has NULL children (data.h), so the child stands for itself. */
struct data_column *sql_kernel_field(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *row = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *field;

    assert(expr->column < row->child_count);
    field = data_column_ref(row->children[expr->column]);
    data_column_unref(row);
    return field;
}

struct data_column *sql_kernel_index(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *array = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *index = sql_expr_eval(expr->args[1], eval, selected);
    struct data_column *out = sql_eval_column(expr, eval);

    for (uint32_t row = 0; row < eval->rows; row++) {
        uint32_t start, end;
        int32_t at;

        if (!sql_bit(selected, row) || data_is_null(array, row) || data_is_null(index, row)) {
            data_append_null(out);
            continue;
        }
        data_array_range(array, row, &start, &end);
        at = data_i32(index, row);
        if (at < 1 || (uint32_t)at > end - start)
            data_append_null(out);
        else
            data_append_from(out, array->children[0], start + (uint32_t)at - 1);
    }
    data_column_unref(array);
    data_column_unref(index);
    return out;
}

struct data_column *sql_kernel_map_value(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *map = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *key = sql_expr_eval(expr->args[1], eval, selected);
    struct data_column *out = sql_eval_column(expr, eval);

    for (uint32_t row = 0; row < eval->rows; row++) {
        uint32_t at = 0, end = 0;

        if (sql_bit(selected, row) && !data_is_null(map, row) && !data_is_null(key, row))
            data_array_range(map, row, &at, &end);
        while (at < end && !mr_str_equal(data_str(map->children[0], at), data_str(key, row)))
            at++;
        if (at == end)
            data_append_null(out);
        else
            data_append_from(out, map->children[1], at);
    }
    data_column_unref(map);
    data_column_unref(key);
    return out;
}

static void literal_append(struct data_column *out, const struct sql_expr *expr)
{
    if (expr->is_null) {
        data_append_null(out);
        return;
    }
    switch ((int)expr->type->kind) {
    case DATA_BOOLEAN:
        data_append_bool(out, expr->literal.boolean);
        break;
    case DATA_DECIMAL:
        data_append_dec(out, expr->literal.decimal);
        break;
    case DATA_FLOAT:
        data_append_f32(out, (float)expr->literal.number);
        break;
    case DATA_DOUBLE:
        data_append_f64(out, expr->literal.number);
        break;
    case DATA_STRING:
    case DATA_BYTES:
        data_append_str(out, expr->literal.text);
        break;
    default: /* whole numbers, times, intervals */
        data_append_integer(out, expr->literal.integer);
    }
}

/* The column of the last batch is kept when it is as long as this one. */
struct data_column *sql_kernel_literal(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *out = eval->scratch[expr->id];

    MR_UNUSED(selected);
    if (out != NULL && out->length == eval->rows)
        return data_column_ref(out);
    out = sql_eval_column(expr, eval);
    if (expr->is_null)
        data_append_nulls(out, eval->rows);
    else
        for (uint32_t row = 0; row < eval->rows; row++)
            literal_append(out, expr);
    return out;
}

struct data_column *sql_eval_operand(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected,
                                     uint32_t *step)
{
    struct data_column *out = eval->scratch[expr->id];

    *step = expr->is_literal ? 0 : 1;
    if (!expr->is_literal)
        return sql_expr_eval(expr, eval, selected);
    if (out == NULL || out->length == 0) {
        data_column_unref(out);
        out = data_column_new(expr->type);
        literal_append(out, expr);
        eval->scratch[expr->id] = out;
    }
    return data_column_ref(out);
}

static void cast_failed(void *arg, uint32_t row, const struct mr_err *why)
{
    sql_eval_fail(arg, row, "%s", why->text);
}

struct data_column *sql_kernel_cast(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *in = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *out = sql_eval_column(expr, eval);

    data_column_unref(out); /* a cast that fails cuts what it began, and wants the only reference: the scratch's */
    data_cast(out, in, selected, expr->op == 1, cast_failed, eval);
    data_column_unref(in);
    return data_column_ref(out);
}

struct data_column *sql_kernel_row(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column **children = MR_ARENA_ARRAY(eval->arena, struct data_column *, expr->arg_count);
    struct data_column *out;

    for (uint32_t i = 0; i < expr->arg_count; i++)
        children[i] = sql_expr_eval(expr->args[i], eval, selected);
    out = data_column_of_children(expr->type, children, eval->rows);
    for (uint32_t i = 0; i < expr->arg_count; i++)
        data_column_unref(children[i]);
    return out;
}

struct data_column *sql_kernel_array(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column **elements = MR_ARENA_ARRAY(eval->arena, struct data_column *, expr->arg_count);
    struct data_column *out;

    for (uint32_t i = 0; i < expr->arg_count; i++)
        elements[i] = sql_expr_eval(expr->args[i], eval, selected);
    out = sql_eval_column(expr, eval);
    for (uint32_t row = 0; row < eval->rows; row++) {
        if (!sql_bit(selected, row)) {
            data_append_null(out);
            continue;
        }
        for (uint32_t i = 0; i < expr->arg_count; i++)
            data_append_from(out->children[0], elements[i], row);
        data_append_array(out);
    }
    for (uint32_t i = 0; i < expr->arg_count; i++)
        data_column_unref(elements[i]);
    return out;
}

/* A key that is NULL is an error; of equal keys the last one's value stays, as in Flink. */
static void map_append(const struct sql_expr *expr, struct sql_eval *eval, struct data_column **args, uint32_t row,
                       struct data_column *out)
{
    for (uint32_t i = 0; i < expr->arg_count; i += 2) {
        bool again = false;
        if (data_is_null(args[i], row)) {
            sql_eval_fail(eval, row, "MAP: a key is NULL");
            data_column_truncate(out->children[0], (uint32_t)out->offsets[out->length]);
            data_column_truncate(out->children[1], (uint32_t)out->offsets[out->length]);
            data_append_null(out);
            return;
        }
        for (uint32_t j = i + 2; j < expr->arg_count && !again; j += 2)
            again = !data_is_null(args[j], row) && mr_str_equal(data_str(args[i], row), data_str(args[j], row));
        if (again)
            continue;
        data_append_from(out->children[0], args[i], row);
        data_append_from(out->children[1], args[i + 1], row);
    }
    data_append_array(out);
}

struct data_column *sql_kernel_map(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column **args = MR_ARENA_ARRAY(eval->arena, struct data_column *, expr->arg_count);
    struct data_column *out;

    for (uint32_t i = 0; i < expr->arg_count; i++)
        args[i] = sql_expr_eval(expr->args[i], eval, selected);
    out = sql_eval_column(expr, eval);
    for (uint32_t row = 0; row < eval->rows; row++) {
        if (sql_bit(selected, row))
            map_append(expr, eval, args, row, out);
        else
            data_append_null(out);
    }
    for (uint32_t i = 0; i < expr->arg_count; i++)
        data_column_unref(args[i]);
    return out;
}

/* bind_number.c -- arithmetic and comparison: the type of the result, as Flink derives it, and the operands' casts.
 *
 *   whole numbers          the wider of the two
 *   with FLOAT, DOUBLE     FLOAT with whole numbers, else DOUBLE
 *   DECIMAL (p1,s1)(p2,s2) +,-   s = max(s1,s2), p = max(p1-s1,p2-s2) + s + 1
 *                          *     s = s1+s2, p = p1+p2+1
 *                          /     s = max(6, s1+p2+1), p = p1-s1+s2+s
 *                          %     s = max(s1,s2), p = min(p1-s1,p2-s2) + s
 *                          more than 38 digits: the scale gives way, but not below min(s, 6)
 *   time and INTERVAL      the time's; INTERVAL with INTERVAL of the same kind */
#include "sql/bind_int.h"

enum { DECIMAL_SCALE_MIN = 6 };

static const struct data_type *decimal_type(struct sql_bind *bind, int precision, int scale)
{
    int whole = precision - scale, least = scale < DECIMAL_SCALE_MIN ? scale : DECIMAL_SCALE_MIN;

    if (precision > DATA_DECIMAL_DIGITS_MAX) {
        scale = DATA_DECIMAL_DIGITS_MAX - whole;
        scale = scale < least ? least : scale;
        precision = DATA_DECIMAL_DIGITS_MAX;
    }
    precision = precision < 1 ? 1 : precision;
    return data_type_decimal(bind->arena, (unsigned)precision, (unsigned)(scale > precision ? precision : scale), true);
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static const struct data_type *decimal_result(struct sql_bind *bind, int op, const struct data_type *a,
                                              const struct data_type *b)
{
    int p1 = a->precision, s1 = a->scale, p2 = b->precision, s2 = b->scale, s = larger(s1, s2);

    switch (op) {
    case SQL_OP_MUL:
        return decimal_type(bind, p1 + p2 + 1, s1 + s2);
    case SQL_OP_DIV:
        s = larger(DECIMAL_SCALE_MIN, s1 + p2 + 1);
        return decimal_type(bind, p1 - s1 + s2 + s, s);
    case SQL_OP_MOD:
        return decimal_type(bind, -larger(s1 - p1, s2 - p2) + s, s);
    default:
        return decimal_type(bind, larger(p1 - s1, p2 - s2) + s + 1, s);
    }
}

static enum mr_status bind_decimal(struct sql_bind *bind, int op, struct sql_expr **args, struct sql_loc loc,
                                   struct sql_expr **out)
{
    const struct data_type *type;

    for (int i = 0; i < 2; i++)
        args[i] = sql_bind_cast(bind, args[i], sql_bind_as_decimal(bind->arena, args[i]->type));
    type = decimal_result(bind, op, args[0]->type, args[1]->type);
    *out = sql_bind_node(bind, type, sql_kernel_decimal, sql_bind_op_name(op), loc, args, 2);
    (*out)->op = op;
    return MR_OK;
}

static bool is_interval(const struct sql_expr *expr)
{
    return expr->type->kind == DATA_INTERVAL_MONTH || expr->type->kind == DATA_INTERVAL_DAY;
}

/* A time and an INTERVAL, two INTERVALs, an INTERVAL and a whole number. */
static enum mr_status bind_time(struct sql_bind *bind, int op, struct sql_expr *a, struct sql_expr *b,
                                struct sql_loc loc, struct sql_expr **out)
{
    struct sql_expr *args[2] = { a, b };
    enum data_kind time;

    if (is_interval(a) && !is_interval(b) && (op == SQL_OP_ADD || op == SQL_OP_MUL)) {
        args[0] = b;
        args[1] = a;
    }
    time = args[0]->type->kind;
    if (op == SQL_OP_MUL && data_kind_integer(time) && is_interval(args[1])) {
        args[0] = sql_bind_cast(bind, args[0], data_type_scalar(DATA_BIGINT, true));
    } else if (op != SQL_OP_ADD && op != SQL_OP_SUB) {
        return sql_bind_fail(bind, MR_INVALID, loc, "%s is not there between %s and %s", sql_bind_op_name(op),
                             data_kind_name(a->type->kind), data_kind_name(b->type->kind));
    } else if (!is_interval(args[1]) ||
               (is_interval(args[0]) ? time != args[1]->type->kind : !data_kind_temporal(time)) ||
               (time == DATA_TIME && args[1]->type->kind == DATA_INTERVAL_MONTH)) {
        return sql_bind_fail(bind, MR_INVALID, loc,
                             "%s wants a DATE, TIME or TIMESTAMP and an INTERVAL, here are %s and %s%s",
                             sql_bind_op_name(op), data_kind_name(a->type->kind), data_kind_name(b->type->kind),
                             op == SQL_OP_SUB && data_kind_temporal(b->type->kind)
                                 ? "; TIMESTAMPDIFF(SECOND, from, to) gives the time between two"
                                 : "");
    }
    *out = sql_bind_node(bind,
                         data_type_with_nullable(bind->arena, op == SQL_OP_MUL ? args[1]->type : args[0]->type,
                                                 args[0]->type->nullable || args[1]->type->nullable),
                         op == SQL_OP_MUL || is_interval(args[0]) ? sql_kernel_interval : sql_kernel_time_add,
                         sql_bind_op_name(op), loc, args, 2);
    (*out)->op = op;
    return MR_OK;
}

/* DECIMAL with FLOAT gives DOUBLE, as in Flink. */
static void decimal_with_float(struct sql_bind *bind, struct sql_expr **args)
{
    for (int i = 0; i < 2; i++)
        if (args[i]->type->kind == DATA_DECIMAL && args[1 - i]->type->kind == DATA_FLOAT)
            args[1 - i] = sql_bind_cast(bind, args[1 - i], data_type_scalar(DATA_DOUBLE, true));
}

static bool exact(const struct sql_expr *expr)
{
    return expr->type->kind == DATA_DECIMAL || data_kind_integer(expr->type->kind);
}

enum mr_status sql_bind_arithmetic(struct sql_bind *bind, int op, struct sql_expr *a, struct sql_expr *b,
                                   struct sql_loc loc, struct sql_expr **out)
{
    struct sql_expr *args[2] = { a, b };
    const struct data_type *type = NULL;
    enum mr_status status;

    if (is_interval(a) || is_interval(b) || (data_kind_temporal(a->type->kind) && data_kind_temporal(b->type->kind)))
        return bind_time(bind, op, a, b, loc, out);
    for (int i = 0; i < 2; i++)
        if (args[i]->type->kind != DATA_NULL && !data_kind_numeric(args[i]->type->kind))
            return sql_bind_fail(bind, MR_INVALID, args[i]->loc, "%s wants numbers, this is %s; CAST it%s",
                                 sql_bind_op_name(op), data_kind_name(args[i]->type->kind),
                                 op == SQL_OP_ADD && args[i]->type->kind == DATA_STRING ? " (|| joins texts)" : "");
    if (exact(a) && exact(b) && (a->type->kind == DATA_DECIMAL || b->type->kind == DATA_DECIMAL))
        return bind_decimal(bind, op, args, loc, out);
    decimal_with_float(bind, args);
    status = sql_bind_common(bind, args, 2, sql_bind_op_name(op), loc, &type);
    if (status != MR_OK)
        return status;
    if (type->kind == DATA_NULL) {
        type = data_type_scalar(DATA_INT, true);
        args[0] = sql_bind_cast(bind, args[0], type);
        args[1] = sql_bind_cast(bind, args[1], type);
    }
    *out = sql_bind_node(bind, type, type->kind == DATA_DECIMAL ? sql_kernel_decimal : sql_kernel_arithmetic,
                         sql_bind_op_name(op), loc, args, 2);
    (*out)->op = op;
    return MR_OK;
}

/* A literal text beside a time is that time. */
static void text_with_time(struct sql_bind *bind, struct sql_expr **args)
{
    for (int i = 0; i < 2; i++)
        if (args[i]->is_literal && !args[i]->is_null && args[i]->type->kind == DATA_STRING &&
            data_kind_temporal(args[1 - i]->type->kind))
            args[i] = sql_bind_cast(bind, args[i], args[1 - i]->type);
}

enum mr_status sql_bind_compare(struct sql_bind *bind, int op, struct sql_expr *a, struct sql_expr *b,
                                struct sql_loc loc, struct sql_expr **out)
{
    struct sql_expr *args[2] = { a, b };
    bool keeps_null = op == SQL_OP_DISTINCT || op == SQL_OP_SAME;
    const struct data_type *type = NULL;
    enum mr_status status = MR_OK;

    decimal_with_float(bind, args);
    text_with_time(bind, args);
    if (exact(args[0]) && exact(args[1]) && args[0]->type->kind != args[1]->type->kind &&
        (args[0]->type->kind == DATA_DECIMAL || args[1]->type->kind == DATA_DECIMAL)) {
        for (int i = 0; i < 2; i++) /* decimals of two scales are compared as they are */
            args[i] = sql_bind_cast(bind, args[i], sql_bind_as_decimal(bind->arena, args[i]->type));
    }
    if (args[0]->type->kind == DATA_DECIMAL && args[1]->type->kind == DATA_DECIMAL)
        type = data_type_with_nullable(bind->arena, args[0]->type, args[0]->type->nullable || args[1]->type->nullable);
    else
        status = sql_bind_common(bind, args, 2, sql_bind_op_name(op), loc, &type);
    if (status != MR_OK)
        return status;
    if (data_kind_nested(type->kind))
        return sql_bind_fail(bind, MR_UNSUPPORTED, loc, "%s between two %ss is not there in this version",
                             sql_bind_op_name(op), data_kind_name(type->kind));
    if (type->kind == DATA_NULL)
        for (int i = 0; i < 2; i++)
            args[i] = sql_bind_cast(bind, args[i], data_type_scalar(DATA_BOOLEAN, true));
    *out = sql_bind_node(bind, data_type_scalar(DATA_BOOLEAN, type->nullable && !keeps_null),
                         keeps_null ? sql_kernel_distinct : sql_kernel_compare, sql_bind_op_name(op), loc, args, 2);
    (*out)->op = op;
    return MR_OK;
}

/* bind_call.c -- calls of functions: found in the table, arguments counted and converted. */
#include "sql/bind_int.h"
#include "sql/function_call_int.h"
#include "sql/function_int.h"

enum { ARGS_ANY = 255 };

/* T, o and F of struct sql_function: see there. */
static enum mr_status bind_time_argument(struct sql_bind *bind, const struct sql_function *function, char wanted,
                                         struct sql_expr **arg)
{
    enum data_kind kind = (*arg)->type->kind;
    unsigned precision = kind == DATA_TIMESTAMP_LTZ ? (*arg)->type->precision : 6;

    if (kind == DATA_DATE || kind == DATA_TIMESTAMP || (kind == DATA_TIME && wanted == 'o'))
        return MR_OK;
    if (kind == DATA_NULL || kind == DATA_TIMESTAMP_LTZ || (kind == DATA_STRING && wanted == 'F')) {
        *arg = sql_bind_cast(bind, *arg, data_type_time(bind->arena, DATA_TIMESTAMP, precision, true));
        return MR_OK;
    }
    return sql_bind_fail(bind, MR_INVALID, (*arg)->loc, "%s wants a DATE or TIMESTAMP here, this is %s; CAST it",
                         function->signature, data_kind_name(kind));
}

static enum mr_status bind_argument(struct sql_bind *bind, const struct sql_function *function, char wanted,
                                    struct sql_expr **arg)
{
    enum data_kind kind = (*arg)->type->kind;
    enum data_kind target = DATA_STRING;
    bool fits = kind == DATA_NULL;
    const char *what = "STRING";

    switch (wanted) {
    case 'l':
        fits = fits || data_kind_integer(kind);
        target = DATA_BIGINT;
        what = "a whole number";
        break;
    case 'y':
        if (kind == DATA_BYTES)
            return MR_OK;
        fits = fits || kind == DATA_STRING;
        break;
    case 'T':
    case 'o':
    case 'F':
        return bind_time_argument(bind, function, wanted, arg);
    case 's':
        fits = fits || kind == DATA_STRING;
        break;
    case 't':
        fits = !data_kind_nested(kind) && kind != DATA_BYTES && kind < DATA_INTERVAL_MONTH;
        what = "a scalar value";
        break;
    case 'i':
        fits = fits || (data_kind_integer(kind) && kind <= DATA_INT);
        target = DATA_INT;
        what = "INT";
        break;
    case 'd':
        fits = fits || data_kind_numeric(kind);
        target = DATA_DOUBLE;
        what = "a number";
        break;
    case 'n':
        if (data_kind_numeric(kind))
            return MR_OK;
        target = DATA_DOUBLE;
        what = "a number";
        break;
    case 'a':
        if (kind != DATA_ARRAY && kind != DATA_MAP)
            return sql_bind_fail(bind, MR_INVALID, (*arg)->loc, "%s wants an ARRAY or MAP, this is %s",
                                 function->signature, data_kind_name(kind));
        return MR_OK;
    default:
        return MR_OK;
    }
    if (!fits)
        return sql_bind_fail(bind, MR_INVALID, (*arg)->loc, "%s wants %s here, this is %s; CAST it",
                             function->signature, what, data_kind_name(kind));
    *arg = sql_bind_cast(bind, *arg, data_type_scalar(target, true));
    return MR_OK;
}

/* ROUND, TRUNCATE, FLOOR, CEIL of numbers, FLOOR and CEIL of times. */
static enum mr_status bind_round(struct sql_bind *bind, const struct sql_function *function,
                                 const struct sql_ast_expr *ast, struct sql_expr **args, uint32_t count,
                                 struct sql_expr **out)
{
    bool whole = function->kernel == sql_kernel_floor_ceil, cuts = function->kernel == sql_kernel_round_decimal;
    const struct data_type *type = args[0]->type;
    bool nullable = type->nullable || (count > 1 && args[1]->type->nullable);
    int64_t digits = 0;
    int p = type->precision, s = type->scale;

    if (type->kind != DATA_DECIMAL) {
        if (cuts && count == 1)
            args[count++] = sql_bind_literal(bind, data_type_scalar(DATA_INT, false), ast->loc);
        if (cuts)
            return sql_bind_fail(bind, MR_UNSUPPORTED, ast->loc,
                                 "TRUNCATE of %s is not there in this version; CAST it to DECIMAL",
                                 data_kind_name(type->kind));
        *out = sql_bind_node(bind, data_type_with_nullable(bind->arena, type, nullable), function->kernel,
                             function->name, ast->loc, args, count);
        (*out)->op = function->op;
        return MR_OK;
    }
    if (count > 1 && (!args[1]->is_literal || args[1]->is_null))
        return sql_bind_fail(bind, MR_UNSUPPORTED, args[1]->loc, "%s of a DECIMAL wants a number of digits, not %s",
                             function->name, "an expression");
    if (count > 1)
        digits = args[1]->literal.integer;
    digits = digits > DATA_DECIMAL_DIGITS_MAX ? DATA_DECIMAL_DIGITS_MAX : digits < -40 ? -40 : digits;
    if (whole)
        type = data_type_decimal(bind->arena, (unsigned)(p - s < 1 ? 1 : p), 0, nullable);
    else if (cuts)
        type = digits >= s ? type
                           : data_type_decimal(bind->arena, (unsigned)p, digits < 0 ? 0 : (unsigned)digits, nullable);
    else if (digits < 0)
        type = data_type_decimal(bind->arena, (unsigned)(1 + p - s > 38 ? 38 : 1 + p - s), 0, nullable);
    else if (digits < s)
        type = data_type_decimal(bind->arena, (unsigned)(1 + p - s + digits), (unsigned)digits, nullable);
    type = data_type_with_nullable(bind->arena, type, nullable);
    *out = sql_bind_node(bind, type, sql_kernel_round_decimal, function->name, ast->loc, args, count);
    (*out)->op = whole ? 2 + function->op : cuts ? 1 : 0;
    (*out)->column = (uint32_t)(digits + 64);
    return MR_OK;
}

/* EXTRACT and its like, FLOOR … TO, TIMESTAMPADD, TIMESTAMPDIFF. */
static enum mr_status bind_unit(struct sql_bind *bind, const struct sql_function *function,
                                const struct sql_ast_expr *ast, struct sql_expr **args, uint32_t count,
                                const struct data_type *type, struct sql_expr **out)
{
    int unit = function->special == SQL_SPECIAL_UNIT && function->op >= 0 && ast->text2.data == NULL
                   ? function->op
                   : sql_unit_find(ast->text2);
    bool moves = function->special != SQL_SPECIAL_UNIT;
    enum data_kind kind = args[count - 1]->type->kind;
    sql_kernel_fn *kernel = function->kernel;
    uint32_t column = 0;

    if (unit < 0 || (moves && unit > SQL_UNIT_MICROSECOND))
        return sql_bind_fail(bind, MR_INVALID, ast->loc, "%s: \"%.*s\" is no unit of time for it", function->name,
                             MR_STR_ARG(ast->text2));
    if (function->special == SQL_SPECIAL_ROUND) {
        if (!data_kind_temporal(kind))
            return sql_bind_fail(bind, MR_INVALID, args[0]->loc, "%s(… TO …) wants a DATE or TIMESTAMP, this is %s",
                                 function->name, data_kind_name(kind));
        kernel = sql_kernel_time_floor;
        type = args[0]->type;
        column = (uint32_t)function->op;
    } else if (function->special == SQL_SPECIAL_TIME_ADD) {
        column = (uint32_t)function->op;
        if (column == 0) {
            type = args[1]->type;
            if (type->kind == DATA_DATE && unit >= SQL_UNIT_HOUR)
                type = data_type_time(bind->arena, DATA_TIMESTAMP, 0, true);
            type = data_type_with_nullable(bind->arena, type, args[0]->type->nullable || args[1]->type->nullable);
        }
    }
    *out = sql_bind_node(bind, type, kernel,
                         mr_arena_printf(bind->arena, "%s %.*s", function->name, MR_STR_ARG(ast->text2)), ast->loc,
                         args, count);
    (*out)->op = unit;
    (*out)->column = column;
    return MR_OK;
}

/* The path of JSON_VALUE must be known now. */
static enum mr_status bind_json(struct sql_bind *bind, const struct sql_function *function, struct sql_expr **args)
{
    struct mr_str pointer;

    if (!args[1]->is_literal || args[1]->is_null)
        return sql_bind_fail(bind, MR_INVALID, args[1]->loc, "%s wants its path as a literal '$.…'", function->name);
    pointer = sql_json_pointer(bind->arena, args[1]->literal.text);
    if (pointer.data == NULL)
        return sql_bind_fail(bind, MR_UNSUPPORTED, args[1]->loc,
                             "the path '%.*s' is not one of this version: $, then .name, ['name'] or [0]",
                             MR_STR_ARG(args[1]->literal.text));
    args[1]->literal.text = pointer;
    return MR_OK;
}

static enum mr_status bind_special(struct sql_bind *bind, const struct sql_function *function, struct sql_expr **args,
                                   uint32_t count, struct sql_loc loc, struct sql_expr **out)
{
    const struct data_type *type = NULL;
    struct sql_expr *parts[3] = { NULL, NULL, NULL };
    struct sql_expr **values = args;
    uint32_t value_count = count;
    enum mr_status status;

    if (function->special == SQL_SPECIAL_MOD)
        return sql_bind_arithmetic(bind, SQL_OP_MOD, args[0], args[1], loc, out);
    if (function->special == SQL_SPECIAL_NULLIF) {
        status = sql_bind_compare(bind, SQL_OP_EQ, args[0], args[1], loc, &parts[0]);
        if (status != MR_OK)
            return status;
        if (args[0]->type->kind == DATA_NULL)
            args[0] = sql_bind_cast(bind, args[0], data_type_scalar(DATA_STRING, true));
        type = data_type_with_nullable(bind->arena, args[0]->type, true);
        parts[2] = args[0];
        parts[1] = sql_bind_node(bind, type, sql_kernel_literal, "literal", loc, NULL, 0);
        parts[1]->is_literal = parts[1]->is_null = true;
        *out = sql_bind_node(bind, type, sql_kernel_case, "CASE", loc, parts, 3);
        (*out)->has_else = true;
        return MR_OK;
    }
    if (function->special == SQL_SPECIAL_IF) {
        status = sql_bind_condition(bind, &args[0], "IF");
        if (status != MR_OK)
            return status;
        values = args + 1;
        value_count = 2;
    }
    status = sql_bind_common(bind, values, value_count, function->name, loc, &type);
    if (status != MR_OK)
        return status;
    if (type->kind == DATA_NULL)
        return sql_bind_fail(bind, MR_INVALID, loc, "every value of %s is NULL; CAST one to a type", function->name);
    if (function->special == SQL_SPECIAL_IF) {
        *out = sql_bind_node(bind, type, sql_kernel_case, "CASE", loc, args, 3);
        (*out)->has_else = true;
        return MR_OK;
    }
    for (uint32_t i = 0; i < count; i++) /* one that can't be NULL ends the search */
        if (!args[i]->type->nullable)
            type = data_type_with_nullable(bind->arena, type, false);
    *out = sql_bind_node(bind, type, sql_kernel_coalesce, "COALESCE", loc, args, count);
    return MR_OK;
}

static enum mr_status bind_lookup(struct sql_bind *bind, const struct sql_ast_expr *ast,
                                  const struct sql_function **out)
{
    const struct sql_function *function = sql_function_find(ast->text);
    const char *nearest;

    if (function != NULL && ast->args.count >= function->args_min &&
        (function->args_max == ARGS_ANY || ast->args.count <= function->args_max)) {
        *out = function;
        return MR_OK;
    }
    if (function != NULL)
        return sql_bind_fail(bind, MR_INVALID, ast->loc, "%s: %u argument%s given", function->signature,
                             ast->args.count, ast->args.count == 1 ? " is" : "s are");
    if (sql_function_missing(ast->text))
        return sql_bind_fail(bind, MR_UNSUPPORTED, ast->loc, "the function %.*s is not there in this version",
                             MR_STR_ARG(ast->text));
    nearest = sql_function_nearest(ast->text);
    return sql_bind_fail(bind, MR_INVALID, ast->loc, "no function \"%.*s\"%s", MR_STR_ARG(ast->text),
                         nearest == NULL ? "" : mr_arena_printf(bind->arena, "; did you mean \"%s\"?", nearest));
}

static const struct data_type *result_type(struct sql_bind *bind, const struct sql_function *function,
                                           struct sql_expr *const *args, uint32_t count, bool nullable)
{
    static const enum data_kind kinds[] = {
        [SQL_RESULT_STRING] = DATA_STRING, [SQL_RESULT_INT] = DATA_INT,         [SQL_RESULT_DOUBLE] = DATA_DOUBLE,
        [SQL_RESULT_BIGINT] = DATA_BIGINT, [SQL_RESULT_BOOLEAN] = DATA_BOOLEAN, [SQL_RESULT_BYTES] = DATA_BYTES,
        [SQL_RESULT_DATE] = DATA_DATE,     [SQL_RESULT_TIME] = DATA_TIME,
    };

    if (function->result == SQL_RESULT_FIRST)
        return data_type_with_nullable(bind->arena, count > 0 ? args[0]->type : data_type_scalar(DATA_NULL, true),
                                       nullable);
    if (function->result == SQL_RESULT_TIMESTAMP)
        return data_type_time(bind->arena, DATA_TIMESTAMP, 3, nullable);
    if (function->result == SQL_RESULT_TIMESTAMP_LTZ)
        return data_type_with_zone(bind->arena, data_type_time(bind->arena, DATA_TIMESTAMP_LTZ, 3, nullable),
                                   bind->zone);
    return data_type_scalar(kinds[function->result], nullable);
}

enum mr_status sql_bind_call(struct sql_bind *bind, const struct sql_scope *scope, const struct sql_ast_expr *ast,
                             struct sql_expr **out)
{
    const struct sql_function *function = NULL;
    struct sql_expr **args = MR_ARENA_ARRAY(bind->arena, struct sql_expr *, ast->args.count + 1);
    const struct data_type *type = NULL;
    const char *wanted;
    bool nullable = false;
    uint32_t count = 0;
    enum mr_status status = bind_lookup(bind, ast, &function);

    if (status != MR_OK)
        return status;
    wanted = function->args;
    for (const struct sql_ast_expr *arg = ast->args.first; arg != NULL; arg = arg->next, count++) {
        status = sql_bind_expr(bind, scope, arg, &args[count]);
        if (status == MR_OK)
            status = bind_argument(bind, function, *wanted, &args[count]);
        if (status != MR_OK)
            return status;
        nullable = nullable || args[count]->type->nullable;
        if (wanted[1] != '\0')
            wanted++;
    }
    if (function->result == SQL_RESULT_SPECIAL)
        return bind_special(bind, function, args, count, ast->loc, out);
    nullable = nullable || function->special == SQL_SPECIAL_MAYBE_NULL || function->kernel == sql_kernel_substring ||
               function->special == SQL_SPECIAL_JSON;
    type = result_type(bind, function, args, count, nullable);
    if (function->special == SQL_SPECIAL_UNIT || function->special == SQL_SPECIAL_TIME_ADD ||
        (function->special == SQL_SPECIAL_ROUND && ast->text2.data != NULL))
        return bind_unit(bind, function, ast, args, count, type, out);
    if (ast->text2.data != NULL)
        return sql_bind_fail(bind, MR_INVALID, ast->loc, "%s has no unit", function->signature);
    if (function->special == SQL_SPECIAL_ROUND) {
        if (!data_kind_numeric(args[0]->type->kind))
            return sql_bind_fail(bind, MR_INVALID, args[0]->loc, "%s wants a number here, this is %s; CAST it",
                                 function->signature, data_kind_name(args[0]->type->kind));
        return bind_round(bind, function, ast, args, count, out);
    }
    if (function->special == SQL_SPECIAL_JSON) {
        status = bind_json(bind, function, args);
    } else if (function->special == SQL_SPECIAL_GREATEST) {
        status = sql_bind_common(bind, args, count, function->name, ast->loc, &type);
        if (status == MR_OK && (data_kind_nested(type->kind) || type->kind == DATA_NULL))
            status = sql_bind_fail(bind, MR_INVALID, ast->loc, "%s wants values of a scalar type", function->name);
    } else if (function->kernel == sql_kernel_text_call && function->op == SQL_TEXT_HEX &&
               args[0]->type->kind != DATA_STRING && args[0]->type->kind != DATA_BYTES &&
               !data_kind_integer(args[0]->type->kind)) {
        status = sql_bind_fail(bind, MR_INVALID, args[0]->loc, "HEX wants a whole number or STRING, this is %s",
                               data_kind_name(args[0]->type->kind));
    }
    if (status != MR_OK)
        return status;
    *out =
        sql_bind_node(bind, type,
                      function->op == SQL_TIME_UNIX_TIMESTAMP && count == 0 && function->kernel == sql_kernel_time_call
                          ? sql_kernel_now
                          : function->kernel,
                      function->name, ast->loc, args, count);
    (*out)->op =
        (*out)->kernel == sql_kernel_now && function->kernel != sql_kernel_now ? SQL_NOW_SECONDS : function->op;
    (*out)->zone = bind->zone;
    return MR_OK;
}

/* bind_call.c -- calls of functions: found in the table, arguments counted and converted. */
#include "sql/bind_int.h"
#include "sql/function_int.h"

enum { ARGS_ANY = 255 };

static enum mr_status bind_argument(struct sql_bind *bind, const struct sql_function *function, char wanted,
                                    struct sql_expr **arg)
{
    enum data_kind kind = (*arg)->type->kind;
    enum data_kind target = DATA_STRING;
    bool fits = kind == DATA_NULL;
    const char *what = "STRING";

    switch (wanted) {
    case 's':
        fits = fits || kind == DATA_STRING;
        break;
    case 't':
        fits = kind != DATA_ROW && kind != DATA_ARRAY;
        what = "a scalar value";
        break;
    case 'i':
        fits = fits || kind == DATA_INT;
        target = DATA_INT;
        what = "INT";
        break;
    case 'd':
        fits = fits || data_kind_numeric(kind);
        target = DATA_DOUBLE;
        what = "a number";
        break;
    case 'n':
        fits = fits || data_kind_numeric(kind);
        target = kind == DATA_NULL ? DATA_DOUBLE : kind;
        what = "a number";
        break;
    case 'a':
        if (kind != DATA_ARRAY)
            return sql_bind_fail(bind, MR_INVALID, (*arg)->loc, "%s wants an ARRAY, this is %s", function->signature,
                                 data_kind_name(kind));
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
    switch (function->result) {
    case SQL_RESULT_STRING:
        type = data_type_scalar(DATA_STRING, nullable || function->kernel == sql_kernel_substring);
        break;
    case SQL_RESULT_INT:
        type = data_type_scalar(DATA_INT, nullable);
        break;
    case SQL_RESULT_DOUBLE:
        type = data_type_scalar(DATA_DOUBLE, nullable);
        break;
    case SQL_RESULT_FIRST:
        type = data_type_with_nullable(bind->arena, args[0]->type, nullable);
        break;
    case SQL_RESULT_SPECIAL:
        return bind_special(bind, function, args, count, ast->loc, out);
    }
    *out = sql_bind_node(bind, type, function->kernel, function->name, ast->loc, args, count);
    (*out)->op = function->op;
    return MR_OK;
}

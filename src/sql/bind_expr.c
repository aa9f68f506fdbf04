/* bind_expr.c -- expressions: names become columns, operators become kernels over operands of one type. */
#include "base/text.h"
#include "sql/bind_int.h"
#include "sql/function_int.h"

static const char *const op_names[] = {
    [SQL_OP_OR] = "OR",
    [SQL_OP_AND] = "AND",
    [SQL_OP_NOT] = "NOT",
    [SQL_OP_EQ] = "=",
    [SQL_OP_NE] = "<>",
    [SQL_OP_LT] = "<",
    [SQL_OP_LE] = "<=",
    [SQL_OP_GT] = ">",
    [SQL_OP_GE] = ">=",
    [SQL_OP_DISTINCT] = "IS DISTINCT FROM",
    [SQL_OP_SAME] = "IS NOT DISTINCT FROM",
    [SQL_OP_ADD] = "+",
    [SQL_OP_SUB] = "-",
    [SQL_OP_MUL] = "*",
    [SQL_OP_DIV] = "/",
    [SQL_OP_MOD] = "%",
    [SQL_OP_CONCAT] = "||",
    [SQL_OP_NEG] = "-",
    [SQL_OP_PLUS] = "+",
};

const char *sql_bind_op_name(int op)
{
    return op_names[op];
}

static struct sql_expr *column_new(struct sql_bind *bind, const struct sql_scope *scope, int index, struct sql_loc loc)
{
    struct sql_expr *expr = sql_bind_node(bind, scope->row->fields[index].type, sql_kernel_column,
                                          scope->row->fields[index].name.data, loc, NULL, 0);

    expr->column = (uint32_t)index;
    scope->wanted[index] = true;
    return expr;
}

static enum mr_status bind_name(struct sql_bind *bind, const struct sql_scope *scope, const struct sql_ast_expr *ast,
                                struct sql_expr **out)
{
    int index = scope == NULL || scope->row == NULL ? -1 : data_type_field(scope->row, ast->text);

    if (index >= 0) {
        *out = column_new(bind, scope, index, ast->loc);
        return MR_OK;
    }
    if (scope == NULL || scope->row == NULL)
        return sql_bind_fail(bind, MR_INVALID, ast->loc, "no column \"%.*s\" here: there is no FROM",
                             MR_STR_ARG(ast->text));
    if (mr_str_equal(ast->text, scope->alias))
        return sql_bind_fail(bind, MR_INVALID, ast->loc,
                             "\"%.*s\" is a table, not a column; write %.*s.column or %.*s.*", MR_STR_ARG(ast->text),
                             MR_STR_ARG(ast->text), MR_STR_ARG(ast->text));
    return sql_bind_fail(bind, MR_INVALID, ast->loc, "no column \"%.*s\" in %s%s", MR_STR_ARG(ast->text), scope->what,
                         sql_bind_field_hint(bind, ast->text, scope->row));
}

/* a.b: column b of table a, or field b of a ROW. */
static enum mr_status bind_field(struct sql_bind *bind, const struct sql_scope *scope, const struct sql_ast_expr *ast,
                                 struct sql_expr **out)
{
    const struct sql_ast_expr *base_ast = ast->args.first;
    struct sql_loc loc = ast->loc;
    struct sql_expr *base = NULL;
    const struct data_type *type;
    enum mr_status status;
    int index;

    if (base_ast->kind == SQL_AST_NAME && scope != NULL && scope->row != NULL && scope->alias.data != NULL &&
        mr_str_equal(base_ast->text, scope->alias)) {
        index = data_type_field(scope->row, ast->text);
        if (index >= 0) {
            *out = column_new(bind, scope, index, loc);
            return MR_OK;
        }
        if (data_type_field(scope->row, base_ast->text) < 0)
            return sql_bind_fail(bind, MR_INVALID, loc, "no column \"%.*s\" in %s%s", MR_STR_ARG(ast->text),
                                 scope->what, sql_bind_field_hint(bind, ast->text, scope->row));
    }
    status = sql_bind_expr(bind, scope, base_ast, &base);
    if (status != MR_OK)
        return status;
    if (base->type->kind != DATA_ROW)
        return sql_bind_fail(bind, MR_INVALID, loc, "\"%.*s\" is no field: what stands before it is %s, not a ROW",
                             MR_STR_ARG(ast->text), data_kind_name(base->type->kind));
    index = data_type_field(base->type, ast->text);
    if (index < 0)
        return sql_bind_fail(bind, MR_INVALID, loc, "no field \"%.*s\" in %s%s", MR_STR_ARG(ast->text),
                             data_type_text(bind->arena, base->type), sql_bind_field_hint(bind, ast->text, base->type));
    type = base->type->fields[index].type;
    type = data_type_with_nullable(bind->arena, type, type->nullable || base->type->nullable);
    *out = sql_bind_node(bind, type, sql_kernel_field, base->type->fields[index].name.data, loc, &base, 1);
    (*out)->column = (uint32_t)index;
    return MR_OK;
}

/* map['key'] */
static enum mr_status bind_map_value(struct sql_bind *bind, struct sql_expr **args, struct sql_loc loc,
                                     struct sql_expr **out)
{
    if (args[1]->type->kind == DATA_NULL)
        args[1] = sql_bind_cast(bind, args[1], data_type_scalar(DATA_STRING, true));
    if (args[1]->type->kind != DATA_STRING)
        return sql_bind_fail(bind, MR_INVALID, args[1]->loc, "a MAP's key is a STRING, this is %s",
                             data_kind_name(args[1]->type->kind));
    *out = sql_bind_node(bind, data_type_with_nullable(bind->arena, args[0]->type->fields[1].type, true),
                         sql_kernel_map_value, "[]", loc, args, 2);
    return MR_OK;
}

static enum mr_status bind_index(struct sql_bind *bind, const struct sql_scope *scope, const struct sql_ast_expr *ast,
                                 struct sql_expr **out)
{
    struct sql_expr *args[2] = { NULL, NULL };
    enum mr_status status = sql_bind_expr(bind, scope, ast->args.first, &args[0]);

    if (status == MR_OK)
        status = sql_bind_expr(bind, scope, ast->args.last, &args[1]);
    if (status != MR_OK)
        return status;
    if (args[0]->type->kind == DATA_MAP)
        return bind_map_value(bind, args, ast->loc, out);
    if (args[0]->type->kind != DATA_ARRAY)
        return sql_bind_fail(bind, MR_INVALID, ast->loc, "[…] wants an ARRAY or MAP in front, this is %s",
                             data_kind_name(args[0]->type->kind));
    if (args[1]->type->kind == DATA_NULL)
        args[1] = sql_bind_cast(bind, args[1], data_type_scalar(DATA_INT, true));
    if (args[1]->type->kind == DATA_TINYINT || args[1]->type->kind == DATA_SMALLINT)
        args[1] = sql_bind_cast(bind, args[1], data_type_scalar(DATA_INT, true));
    if (args[1]->type->kind != DATA_INT)
        return sql_bind_fail(bind, MR_INVALID, args[1]->loc, "an ARRAY's index is an INT, this is %s",
                             data_kind_name(args[1]->type->kind));
    if (args[1]->is_literal && !args[1]->is_null && args[1]->literal.integer < 1)
        return sql_bind_fail(bind, MR_INVALID, args[1]->loc, "an ARRAY's first element has the index 1, not %" PRId64,
                             args[1]->literal.integer);
    *out = sql_bind_node(bind, data_type_with_nullable(bind->arena, args[0]->type->fields[0].type, true),
                         sql_kernel_index, "[]", ast->loc, args, 2);
    return MR_OK;
}

static enum mr_status bind_concat(struct sql_bind *bind, struct sql_expr **args, struct sql_loc loc,
                                  struct sql_expr **out)
{
    for (int i = 0; i < 2; i++) {
        if (data_kind_nested(args[i]->type->kind) || args[i]->type->kind == DATA_BYTES ||
            args[i]->type->kind >= DATA_INTERVAL_MONTH)
            return sql_bind_fail(bind, MR_INVALID, args[i]->loc, "|| wants text, this is %s; CAST it",
                                 data_kind_name(args[i]->type->kind));
        args[i] = sql_bind_cast(bind, args[i], data_type_scalar(DATA_STRING, true));
    }
    *out = sql_bind_node(bind, data_type_scalar(DATA_STRING, args[0]->type->nullable || args[1]->type->nullable),
                         sql_kernel_concat, "||", loc, args, 2);
    return MR_OK;
}

static enum mr_status bind_logic(struct sql_bind *bind, int op, struct sql_expr **args, struct sql_loc loc,
                                 struct sql_expr **out)
{
    for (int i = 0; i < 2; i++) {
        enum mr_status status = sql_bind_condition(bind, &args[i], op_names[op]);
        if (status != MR_OK)
            return status;
    }
    *out = sql_bind_node(bind, data_type_scalar(DATA_BOOLEAN, args[0]->type->nullable || args[1]->type->nullable),
                         op == SQL_OP_AND ? sql_kernel_and : sql_kernel_or, op_names[op], loc, args, 2);
    return MR_OK;
}

static enum mr_status bind_binary(struct sql_bind *bind, const struct sql_scope *scope, const struct sql_ast_expr *ast,
                                  struct sql_expr **out)
{
    struct sql_expr *args[2] = { NULL, NULL };
    enum mr_status status = sql_bind_expr(bind, scope, ast->args.first, &args[0]);

    if (status == MR_OK)
        status = sql_bind_expr(bind, scope, ast->args.last, &args[1]);
    if (status != MR_OK)
        return status;
    if (ast->op == SQL_OP_AND || ast->op == SQL_OP_OR)
        return bind_logic(bind, ast->op, args, ast->loc, out);
    if (ast->op == SQL_OP_CONCAT)
        return bind_concat(bind, args, ast->loc, out);
    if (ast->op >= SQL_OP_EQ && ast->op <= SQL_OP_SAME)
        return sql_bind_compare(bind, ast->op, args[0], args[1], ast->loc, out);
    return sql_bind_arithmetic(bind, ast->op, args[0], args[1], ast->loc, out);
}

static struct sql_expr *not_new(struct sql_bind *bind, struct sql_expr *expr, struct sql_loc loc)
{
    return sql_bind_node(bind, expr->type, sql_kernel_not, "NOT", loc, &expr, 1);
}

static enum mr_status bind_unary(struct sql_bind *bind, const struct sql_scope *scope, const struct sql_ast_expr *ast,
                                 struct sql_expr **out)
{
    struct sql_expr *arg = NULL;
    enum mr_status status;

    if (ast->op == SQL_OP_NEG && ast->args.first->kind >= SQL_AST_INTEGER &&
        ast->args.first->kind <= SQL_AST_APPROXIMATE)
        return sql_bind_number(bind, ast->args.first, true, out);
    status = sql_bind_expr(bind, scope, ast->args.first, &arg);
    if (status != MR_OK)
        return status;
    if (ast->op == SQL_OP_NOT) {
        status = sql_bind_condition(bind, &arg, "NOT");
        if (status == MR_OK)
            *out = not_new(bind, arg, ast->loc);
        return status;
    }
    if (arg->type->kind == DATA_NULL)
        arg = sql_bind_cast(bind, arg, data_type_scalar(DATA_INT, true));
    if (!data_kind_numeric(arg->type->kind) && arg->type->kind < DATA_INTERVAL_MONTH)
        return sql_bind_fail(bind, MR_INVALID, arg->loc, "%s wants a number, this is %s; CAST it", op_names[ast->op],
                             data_kind_name(arg->type->kind));
    if (ast->op == SQL_OP_PLUS) {
        *out = arg;
    } else {
        *out = sql_bind_node(bind, arg->type, sql_kernel_negate, "-", ast->loc, &arg, 1);
    }
    return MR_OK;
}

static enum mr_status bind_is(struct sql_bind *bind, const struct sql_scope *scope, const struct sql_ast_expr *ast,
                              struct sql_expr **out)
{
    static const char *const names[] = { [SQL_IS_NULL] = "IS NULL",
                                         [SQL_IS_TRUE] = "IS TRUE",
                                         [SQL_IS_FALSE] = "IS FALSE",
                                         [SQL_IS_UNKNOWN] = "IS UNKNOWN" };
    static const char *const not_names[] = { [SQL_IS_NULL] = "IS NOT NULL",
                                             [SQL_IS_TRUE] = "IS NOT TRUE",
                                             [SQL_IS_FALSE] = "IS NOT FALSE",
                                             [SQL_IS_UNKNOWN] = "IS NOT UNKNOWN" };
    const char *name = ast->negated ? not_names[ast->op] : names[ast->op];
    struct sql_expr *arg = NULL;
    enum mr_status status = sql_bind_expr(bind, scope, ast->args.first, &arg);

    if (status == MR_OK && ast->op != SQL_IS_NULL)
        status = sql_bind_condition(bind, &arg, name);
    if (status != MR_OK)
        return status;
    if (arg->type->kind == DATA_NULL)
        arg = sql_bind_cast(bind, arg, data_type_scalar(DATA_BOOLEAN, true));
    *out = sql_bind_node(bind, data_type_scalar(DATA_BOOLEAN, false), sql_kernel_is, name, ast->loc, &arg, 1);
    (*out)->op = ast->op | (ast->negated ? 8 : 0);
    return MR_OK;
}

static enum mr_status bind_args(struct sql_bind *bind, const struct sql_scope *scope, const struct sql_ast_expr *ast,
                                struct sql_expr ***out)
{
    struct sql_expr **args = MR_ARENA_ARRAY(bind->arena, struct sql_expr *, ast->args.count + 1);
    uint32_t count = 0;

    for (const struct sql_ast_expr *arg = ast->args.first; arg != NULL; arg = arg->next) {
        enum mr_status status = sql_bind_expr(bind, scope, arg, &args[count++]);
        if (status != MR_OK)
            return status;
    }
    *out = args;
    return MR_OK;
}

/* a BETWEEN x AND y is a >= x AND a <= y. */
static enum mr_status bind_between(struct sql_bind *bind, const struct sql_scope *scope, const struct sql_ast_expr *ast,
                                   struct sql_expr **out)
{
    struct sql_expr **args = NULL;
    struct sql_expr *sides[2] = { NULL, NULL };
    enum mr_status status = bind_args(bind, scope, ast, &args);

    if (status == MR_OK)
        status = sql_bind_compare(bind, SQL_OP_GE, args[0], args[1], ast->loc, &sides[0]);
    if (status == MR_OK)
        status = sql_bind_compare(bind, SQL_OP_LE, args[0], args[2], ast->loc, &sides[1]);
    if (status == MR_OK)
        status = bind_logic(bind, SQL_OP_AND, sides, ast->loc, out);
    if (status == MR_OK && ast->negated)
        *out = not_new(bind, *out, ast->loc);
    return status;
}

static enum mr_status bind_in(struct sql_bind *bind, const struct sql_scope *scope, const struct sql_ast_expr *ast,
                              struct sql_expr **out)
{
    struct sql_expr **args = NULL;
    const struct data_type *type = NULL;
    enum mr_status status = bind_args(bind, scope, ast, &args);

    if (status == MR_OK)
        status = sql_bind_common(bind, args, ast->args.count, "IN", ast->loc, &type);
    if (status != MR_OK)
        return status;
    if (data_kind_nested(type->kind))
        return sql_bind_fail(bind, MR_UNSUPPORTED, ast->loc, "IN with %ss is not there in this version",
                             data_kind_name(type->kind));
    if (type->kind == DATA_NULL)
        for (uint32_t i = 0; i < ast->args.count; i++)
            args[i] = sql_bind_cast(bind, args[i], data_type_scalar(DATA_BOOLEAN, true));
    *out = sql_bind_node(bind, data_type_scalar(DATA_BOOLEAN, type->nullable), sql_kernel_in,
                         ast->negated ? "NOT IN" : "IN", ast->loc, args, ast->args.count);
    (*out)->op = ast->negated;
    return MR_OK;
}

static enum mr_status bind_like(struct sql_bind *bind, const struct sql_scope *scope, const struct sql_ast_expr *ast,
                                struct sql_expr **out)
{
    struct sql_expr **args = NULL;
    uint32_t escape = 0;
    enum mr_status status = bind_args(bind, scope, ast, &args);

    if (status != MR_OK)
        return status;
    for (uint32_t i = 0; i < ast->args.count; i++) {
        if (args[i]->type->kind == DATA_NULL)
            args[i] = sql_bind_cast(bind, args[i], data_type_scalar(DATA_STRING, true));
        if (args[i]->type->kind != DATA_STRING)
            return sql_bind_fail(bind, MR_INVALID, args[i]->loc, "LIKE wants STRING, this is %s; CAST it",
                                 data_kind_name(args[i]->type->kind));
    }
    if (ast->op == 1) {
        *out = sql_bind_node(bind, data_type_scalar(DATA_BOOLEAN, args[0]->type->nullable || args[1]->type->nullable),
                             sql_kernel_similar, ast->negated ? "NOT SIMILAR TO" : "SIMILAR TO", ast->loc, args, 2);
        (*out)->op = ast->negated;
        return MR_OK;
    }
    if (ast->args.count == 3) {
        if (!args[2]->is_literal || args[2]->is_null || args[2]->literal.text.size != 1)
            return sql_bind_fail(bind, MR_INVALID, args[2]->loc, "ESCAPE wants one ASCII character in quotes");
        escape = (uint32_t)(unsigned char)args[2]->literal.text.data[0] + 1;
    }
    *out = sql_bind_node(bind, data_type_scalar(DATA_BOOLEAN, args[0]->type->nullable || args[1]->type->nullable),
                         sql_kernel_like, ast->negated ? "NOT LIKE" : "LIKE", ast->loc, args, 2);
    (*out)->op = ast->negated;
    (*out)->column = escape;
    return MR_OK;
}

static enum mr_status bind_cast(struct sql_bind *bind, const struct sql_scope *scope, const struct sql_ast_expr *ast,
                                struct sql_expr **out)
{
    const struct data_type *type;
    struct sql_expr *arg = NULL;
    enum mr_status status = sql_bind_type_check(bind, ast->type, 1);

    if (status == MR_OK)
        status = sql_bind_expr(bind, scope, ast->args.first, &arg);
    if (status != MR_OK)
        return status;
    type = data_type_with_nullable(bind->arena, sql_bind_type(bind, bind->arena, ast->type), true);
    if (!data_cast_possible(arg->type, type))
        return sql_bind_fail(bind, MR_INVALID, ast->loc, "there is no CAST from %s to %s",
                             data_type_text(bind->arena, arg->type), data_type_text(bind->arena, type));
    if (arg->is_null) {
        *out = sql_bind_cast(bind, arg, type);
        return MR_OK;
    }
    *out = sql_bind_node(bind, data_type_with_nullable(bind->arena, type, ast->op == 1 || arg->type->nullable),
                         sql_kernel_cast, ast->op == 1 ? "TRY_CAST" : "CAST", ast->loc, &arg, 1);
    (*out)->op = ast->op;
    return MR_OK;
}

/* CASE x WHEN a … is CASE WHEN x = a …; without ELSE it ends in NULL. */
static enum mr_status bind_case(struct sql_bind *bind, const struct sql_scope *scope, const struct sql_ast_expr *ast,
                                struct sql_expr **out)
{
    struct sql_expr **args = NULL;
    struct sql_expr **values, **parts;
    const struct data_type *type = NULL;
    uint32_t count = ast->args.count - (ast->op ? 1 : 0), value_count = 0;
    enum mr_status status = bind_args(bind, scope, ast, &args);

    if (status != MR_OK)
        return status;
    parts = args + (ast->op ? 1 : 0);
    values = MR_ARENA_ARRAY(bind->arena, struct sql_expr *, count + 1);
    for (uint32_t i = 0; i + 1 < count; i += 2) {
        if (ast->op)
            status = sql_bind_compare(bind, SQL_OP_EQ, args[0], parts[i], ast->loc, &parts[i]);
        else
            status = sql_bind_condition(bind, &parts[i], "WHEN");
        if (status != MR_OK)
            return status;
        values[value_count++] = parts[i + 1];
    }
    if (ast->has_else)
        values[value_count++] = parts[count - 1];
    status = sql_bind_common(bind, values, value_count, "CASE", ast->loc, &type);
    if (status != MR_OK)
        return status;
    if (type->kind == DATA_NULL)
        return sql_bind_fail(bind, MR_INVALID, ast->loc, "every value of this CASE is NULL; CAST one to a type");
    for (uint32_t i = 0; i < value_count; i++)
        parts[i * 2 + 1 < count ? i * 2 + 1 : count - 1] = values[i];
    *out = sql_bind_node(bind, data_type_with_nullable(bind->arena, type, type->nullable || !ast->has_else),
                         sql_kernel_case, "CASE", ast->loc, parts, count);
    (*out)->has_else = ast->has_else;
    return MR_OK;
}

static enum mr_status bind_row(struct sql_bind *bind, const struct sql_scope *scope, const struct sql_ast_expr *ast,
                               struct sql_expr **out)
{
    struct data_field *fields = MR_ARENA_ARRAY(bind->arena, struct data_field, ast->args.count);
    struct sql_expr **args = NULL;
    enum mr_status status = bind_args(bind, scope, ast, &args);

    if (status != MR_OK)
        return status;
    for (uint32_t i = 0; i < ast->args.count; i++) {
        if (args[i]->type->kind == DATA_NULL)
            args[i] = sql_bind_cast(bind, args[i], data_type_scalar(DATA_STRING, true));
        fields[i] = (struct data_field){ mr_str_of(mr_arena_printf(bind->arena, "EXPR$%u", i)), args[i]->type };
    }
    *out = sql_bind_node(bind, data_type_row(bind->arena, fields, ast->args.count, false), sql_kernel_row, "ROW",
                         ast->loc, args, ast->args.count);
    return MR_OK;
}

static enum mr_status bind_array(struct sql_bind *bind, const struct sql_scope *scope, const struct sql_ast_expr *ast,
                                 struct sql_expr **out)
{
    struct sql_expr **args = NULL;
    const struct data_type *type = NULL;
    enum mr_status status = bind_args(bind, scope, ast, &args);

    if (status == MR_OK)
        status = sql_bind_common(bind, args, ast->args.count, "ARRAY", ast->loc, &type);
    if (status != MR_OK)
        return status;
    if (type->kind == DATA_NULL)
        return sql_bind_fail(bind, MR_INVALID, ast->loc, "every element is NULL; CAST one to a type");
    *out = sql_bind_node(bind, data_type_array(bind->arena, type, false), sql_kernel_array, "ARRAY", ast->loc, args,
                         ast->args.count);
    return MR_OK;
}

/* MAP[key, value, …]; keys are texts. */
static enum mr_status bind_map(struct sql_bind *bind, const struct sql_scope *scope, const struct sql_ast_expr *ast,
                               struct sql_expr **out)
{
    uint32_t count = ast->args.count / 2;
    struct sql_expr **args = NULL;
    struct sql_expr **values = MR_ARENA_ARRAY(bind->arena, struct sql_expr *, count + 1);
    const struct data_type *type = NULL;
    enum mr_status status = bind_args(bind, scope, ast, &args);

    if (status != MR_OK)
        return status;
    if (ast->args.count % 2 != 0)
        return sql_bind_fail(bind, MR_INVALID, ast->loc, "MAP[…] wants a value for each key");
    for (uint32_t i = 0; i < count; i++) {
        if (args[i * 2]->type->kind != DATA_STRING)
            return sql_bind_fail(bind, MR_UNSUPPORTED, args[i * 2]->loc, "a MAP's key is a STRING in this version");
        values[i] = args[i * 2 + 1];
    }
    status = sql_bind_common(bind, values, count, "MAP", ast->loc, &type);
    if (status != MR_OK)
        return status;
    if (type->kind == DATA_NULL)
        return sql_bind_fail(bind, MR_INVALID, ast->loc, "every value is NULL; CAST one to a type");
    for (uint32_t i = 0; i < count; i++)
        args[i * 2 + 1] = values[i];
    *out = sql_bind_node(bind, data_type_map(bind->arena, data_type_scalar(DATA_STRING, false), type, false),
                         sql_kernel_map, "MAP", ast->loc, args, ast->args.count);
    return MR_OK;
}

enum mr_status sql_bind_expr(struct sql_bind *bind, const struct sql_scope *scope, const struct sql_ast_expr *ast,
                             struct sql_expr **out)
{
    switch (ast->kind) {
    case SQL_AST_NULL:
        *out = sql_bind_literal(bind, data_type_scalar(DATA_NULL, true), ast->loc);
        return MR_OK;
    case SQL_AST_BOOLEAN:
        *out = sql_bind_literal(bind, data_type_scalar(DATA_BOOLEAN, false), ast->loc);
        (*out)->literal.boolean = ast->op != 0;
        return MR_OK;
    case SQL_AST_INTEGER:
    case SQL_AST_DECIMAL:
    case SQL_AST_APPROXIMATE:
        return sql_bind_number(bind, ast, false, out);
    case SQL_AST_STRING:
        *out = sql_bind_literal(bind, data_type_scalar(DATA_STRING, false), ast->loc);
        (*out)->literal.text = ast->text;
        return MR_OK;
    case SQL_AST_BINARY_TEXT:
        return sql_bind_bytes(bind, ast, out);
    case SQL_AST_INTERVAL:
        return sql_bind_interval(bind, ast, out);
    case SQL_AST_TIME:
        return sql_bind_time(bind, ast, out);
    case SQL_AST_NAME:
        return bind_name(bind, scope, ast, out);
    case SQL_AST_FIELD:
        return bind_field(bind, scope, ast, out);
    case SQL_AST_INDEX:
        return bind_index(bind, scope, ast, out);
    case SQL_AST_STAR:
        return sql_bind_fail(bind, MR_INVALID, ast->loc, "* stands alone in a SELECT list, not in an expression");
    case SQL_AST_UNARY:
        return bind_unary(bind, scope, ast, out);
    case SQL_AST_BINARY:
        return bind_binary(bind, scope, ast, out);
    case SQL_AST_IS:
        return bind_is(bind, scope, ast, out);
    case SQL_AST_BETWEEN:
        return bind_between(bind, scope, ast, out);
    case SQL_AST_IN:
        return bind_in(bind, scope, ast, out);
    case SQL_AST_LIKE:
        return bind_like(bind, scope, ast, out);
    case SQL_AST_CAST:
        return bind_cast(bind, scope, ast, out);
    case SQL_AST_CASE:
        return bind_case(bind, scope, ast, out);
    case SQL_AST_CALL:
        return sql_bind_call(bind, scope, ast, out);
    case SQL_AST_ROW:
        return bind_row(bind, scope, ast, out);
    case SQL_AST_ARRAY:
        return bind_array(bind, scope, ast, out);
    case SQL_AST_MAP:
        return bind_map(bind, scope, ast, out);
    }
    return sql_bind_fail(bind, MR_UNSUPPORTED, ast->loc, "this expression is not there in this version");
}

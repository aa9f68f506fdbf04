/* bind.c -- what all binding shares: errors, hints, nodes, types and their implicit conversions. */
#include "sql/bind_int.h"

#include <stdio.h>

#include "base/text.h"

enum mr_status(sql_bind_fail)(struct sql_bind *bind, enum mr_status status, struct sql_loc loc, const char *format, ...)
{
    char text[MR_ERR_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return mr_err_set_at(bind->err, status, loc.line, loc.column, "%s", text);
}

const char *sql_bind_hint(struct sql_bind *bind, struct mr_str name, const char *const *names, size_t count)
{
    const char *nearest = mr_nearest(mr_arena_str(bind->arena, name).data, names, count);

    return nearest == NULL ? "" : mr_arena_printf(bind->arena, "; did you mean \"%s\"?", nearest);
}

const char *sql_bind_field_hint(struct sql_bind *bind, struct mr_str name, const struct data_type *row)
{
    const char **names = MR_ARENA_ARRAY(bind->arena, const char *, row->field_count + 1);

    for (uint32_t i = 0; i < row->field_count; i++)
        names[i] = row->fields[i].name.data;
    return sql_bind_hint(bind, name, names, row->field_count);
}

struct sql_expr *sql_bind_node(struct sql_bind *bind, const struct data_type *type, sql_kernel_fn *kernel,
                               const char *name, struct sql_loc loc, struct sql_expr *const *args, uint32_t arg_count)
{
    struct sql_expr *expr = MR_ARENA_NEW(bind->arena, struct sql_expr);

    expr->type = type;
    expr->kernel = kernel;
    expr->name = name;
    expr->loc = loc;
    expr->id = bind->node_count++;
    expr->arg_count = arg_count;
    expr->args = MR_ARENA_ARRAY(bind->arena, struct sql_expr *, arg_count + 1);
    for (uint32_t i = 0; i < arg_count; i++)
        expr->args[i] = args[i];
    return expr;
}

/* A literal number in another numeric type, when it stays the same number. */
static bool literal_convert(struct sql_expr *literal, const struct data_type *type)
{
    if (!literal->is_literal || literal->is_null)
        return false;
    switch ((int)literal->type->kind) {
    case DATA_INT:
    case DATA_BIGINT:
        if (type->kind == DATA_FLOAT || type->kind == DATA_DOUBLE) {
            literal->literal.number = (double)literal->literal.integer;
            literal->is_decimal = true; /* exact, so FLOAT is still open to it */
        } else if (type->kind != DATA_BIGINT) {
            return false;
        }
        break;
    case DATA_FLOAT:
    case DATA_DOUBLE:
        if (type->kind != DATA_FLOAT && type->kind != DATA_DOUBLE)
            return false;
        break;
    default:
        return false;
    }
    literal->type = type;
    return true;
}

struct sql_expr *sql_bind_cast(struct sql_bind *bind, struct sql_expr *expr, const struct data_type *type)
{
    struct sql_expr *cast;

    if (data_type_same(expr->type, type))
        return expr;
    type = data_type_with_nullable(bind->arena, type, expr->type->nullable || expr->is_null);
    if (expr->is_literal) {
        struct sql_expr *literal = MR_ARENA_NEW(bind->arena, struct sql_expr);
        *literal = *expr;
        literal->id = bind->node_count++;
        if (expr->is_null)
            literal->type = type;
        if (expr->is_null || literal_convert(literal, type))
            return literal;
    }
    cast = sql_bind_node(bind, type, sql_kernel_cast, "CAST", expr->loc, &expr, 1);
    return cast;
}

bool sql_bind_implicit(const struct sql_expr *from, const struct data_type *to)
{
    enum data_kind kind = from->type->kind;

    if (kind == DATA_NULL || data_type_same(from->type, to))
        return true;
    switch ((int)to->kind) {
    case DATA_BIGINT:
        return kind == DATA_INT;
    case DATA_FLOAT:
        return kind == DATA_INT || kind == DATA_BIGINT || (kind == DATA_DOUBLE && from->is_decimal);
    case DATA_DOUBLE:
        return data_kind_numeric(kind);
    case DATA_ROW:
    case DATA_ARRAY:
        if (kind != to->kind || from->type->field_count != to->field_count)
            return false;
        for (uint32_t i = 0; i < to->field_count; i++) {
            struct sql_expr field = { .type = from->type->fields[i].type };
            if (!sql_bind_implicit(&field, to->fields[i].type))
                return false;
        }
        return true;
    default:
        return false;
    }
}

enum mr_status sql_bind_common(struct sql_bind *bind, struct sql_expr **args, uint32_t count, const char *what,
                               struct sql_loc loc, const struct data_type **out)
{
    const struct data_type *type = args[0]->type;
    bool nullable = false;

    for (uint32_t i = 0; i < count; i++) {
        struct sql_expr held = { .type = type };
        nullable = nullable || args[i]->type->nullable;
        if (args[i]->type->kind == DATA_NULL || data_type_same(args[i]->type, type))
            continue;
        if (type->kind == DATA_NULL || sql_bind_implicit(&held, args[i]->type))
            type = args[i]->type;
        else if (!sql_bind_implicit(args[i], type))
            return sql_bind_fail(bind, MR_INVALID, args[i]->loc.line ? args[i]->loc : loc,
                                 "%s: %s and %s are not one type; CAST one of them", what, data_kind_name(type->kind),
                                 data_kind_name(args[i]->type->kind));
    }
    type = data_type_with_nullable(bind->arena, type, nullable);
    if (type->kind != DATA_NULL)
        for (uint32_t i = 0; i < count; i++)
            args[i] = sql_bind_cast(bind, args[i], type);
    *out = type;
    return MR_OK;
}

enum mr_status sql_bind_condition(struct sql_bind *bind, struct sql_expr **expr, const char *what)
{
    if ((*expr)->type->kind == DATA_NULL)
        *expr = sql_bind_cast(bind, *expr, data_type_scalar(DATA_BOOLEAN, true));
    if ((*expr)->type->kind != DATA_BOOLEAN)
        return sql_bind_fail(bind, MR_INVALID, (*expr)->loc, "%s wants a condition (BOOLEAN), this is %s", what,
                             data_type_text(bind->arena, (*expr)->type));
    return MR_OK;
}

const struct data_type *sql_bind_type(struct mr_arena *arena, const struct sql_ast_type *type)
{
    static const enum data_kind kinds[] = {
        [SQL_TYPE_BOOLEAN] = DATA_BOOLEAN, [SQL_TYPE_INT] = DATA_INT,       [SQL_TYPE_BIGINT] = DATA_BIGINT,
        [SQL_TYPE_FLOAT] = DATA_FLOAT,     [SQL_TYPE_DOUBLE] = DATA_DOUBLE, [SQL_TYPE_STRING] = DATA_STRING,
    };
    struct data_field *fields;
    uint32_t count = 0;

    if (type->kind == SQL_TYPE_ARRAY)
        return data_type_array(arena, sql_bind_type(arena, type->element), !type->not_null);
    if (type->kind != SQL_TYPE_ROW)
        return data_type_scalar(kinds[type->kind], !type->not_null);
    fields = MR_ARENA_ARRAY(arena, struct data_field, type->fields.count);
    for (const struct sql_ast_field *field = type->fields.first; field != NULL; field = field->next)
        fields[count++] = (struct data_field){ .name = field->name, .type = sql_bind_type(arena, field->type) };
    return data_type_row(arena, fields, count, !type->not_null);
}

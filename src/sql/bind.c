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
    enum data_kind from = literal->type->kind;

    if (!literal->is_literal || literal->is_null)
        return false;
    if (data_kind_integer(from) && (type->kind == DATA_FLOAT || type->kind == DATA_DOUBLE)) {
        literal->literal.number = (double)literal->literal.integer;
    } else if (data_kind_integer(from) && type->kind == DATA_DECIMAL) {
        data_i128 decimal = 0;
        if (!data_decimal_rescale(literal->literal.integer, 0, type->precision, type->scale, &decimal))
            return false;
        literal->literal.decimal = decimal;
    } else if (from == DATA_DECIMAL && (type->kind == DATA_FLOAT || type->kind == DATA_DOUBLE)) {
        literal->literal.number = data_decimal_to_double(literal->literal.decimal, literal->type->scale);
    } else if (!(data_kind_integer(from) && type->kind == DATA_BIGINT) &&
               !((from == DATA_FLOAT || from == DATA_DOUBLE) &&
                 (type->kind == DATA_FLOAT || type->kind == DATA_DOUBLE))) {
        return false;
    }
    literal->type = type;
    return true;
}

/* Are values of FROM values of TO as they are (a VARCHAR(5) is a STRING)? */
static bool cast_needless(const struct data_type *from, const struct data_type *to)
{
    return data_type_same(from, to) ||
           (from->kind == to->kind && (to->kind == DATA_STRING || to->kind == DATA_BYTES) && to->length == 0);
}

struct sql_expr *sql_bind_cast(struct sql_bind *bind, struct sql_expr *expr, const struct data_type *type)
{
    struct sql_expr *cast;

    if (cast_needless(expr->type, type))
        return expr;
    type = data_type_with_nullable(bind->arena, type, expr->type->nullable || expr->is_null);
    if (type->kind == DATA_TIMESTAMP_LTZ && type->zone == NULL)
        type = data_type_with_zone(bind->arena, type, bind->zone);
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

/* Flink's implicit casts (LogicalTypeCasts). */
static bool implicit_scalar(enum data_kind from, enum data_kind to)
{
    switch ((int)to) {
    case DATA_STRING:
    case DATA_BYTES:
    case DATA_INTERVAL_MONTH:
    case DATA_INTERVAL_DAY:
    case DATA_BOOLEAN:
        return from == to;
    case DATA_TINYINT:
    case DATA_SMALLINT:
    case DATA_INT:
    case DATA_BIGINT:
        return data_kind_integer(from) && from <= to;
    case DATA_FLOAT:
        return data_kind_integer(from) || from == DATA_DECIMAL || from == to;
    case DATA_DOUBLE:
    case DATA_DECIMAL:
        return data_kind_numeric(from);
    case DATA_DATE:
    case DATA_TIME:
        return from == to || from == DATA_TIMESTAMP;
    case DATA_TIMESTAMP:
    case DATA_TIMESTAMP_LTZ:
        return from == DATA_TIMESTAMP || from == DATA_TIMESTAMP_LTZ;
    default:
        return false;
    }
}

bool sql_bind_implicit(const struct sql_expr *from, const struct data_type *to)
{
    enum data_kind kind = from->type->kind;

    if (kind == DATA_NULL || data_type_same(from->type, to))
        return true;
    if (!data_kind_nested(to->kind))
        return implicit_scalar(kind, to->kind);
    if (kind != to->kind || from->type->field_count != to->field_count)
        return false;
    for (uint32_t i = 0; i < to->field_count; i++) {
        struct sql_expr field = { .type = from->type->fields[i].type };
        if (!sql_bind_implicit(&field, to->fields[i].type))
            return false;
    }
    return true;
}

const struct data_type *sql_bind_as_decimal(struct mr_arena *arena, const struct data_type *type)
{
    static const uint8_t digits[] = { [DATA_TINYINT] = 3, [DATA_SMALLINT] = 5, [DATA_INT] = 10, [DATA_BIGINT] = 19 };

    assert(type->kind == DATA_DECIMAL || data_kind_integer(type->kind));
    return type->kind == DATA_DECIMAL ? type : data_type_decimal(arena, digits[type->kind], 0, type->nullable);
}

/* The type that both can become; NULL: there is none. */
static const struct data_type *type_merge(struct sql_bind *bind, const struct data_type *a, const struct data_type *b)
{
    struct sql_expr left = { .type = a }, right = { .type = b };
    unsigned whole, scale;

    if (a->kind == DATA_NULL || data_type_same(a, b))
        return b;
    if (b->kind == DATA_NULL)
        return a;
    if (a->kind == b->kind && (a->kind == DATA_STRING || a->kind == DATA_BYTES))
        return data_type_scalar(a->kind, true);
    if (a->kind == b->kind && data_kind_temporal(a->kind))
        return a->precision >= b->precision ? a : b;
    if (data_kind_numeric(a->kind) && data_kind_numeric(b->kind)) {
        bool floats = a->kind == DATA_FLOAT || b->kind == DATA_FLOAT;
        bool decimals = a->kind == DATA_DECIMAL || b->kind == DATA_DECIMAL;
        if (a->kind == DATA_DOUBLE || b->kind == DATA_DOUBLE || (floats && decimals))
            return data_type_scalar(DATA_DOUBLE, true);
        if (floats)
            return data_type_scalar(DATA_FLOAT, true);
        if (!decimals)
            return a->kind > b->kind ? a : b;
        a = sql_bind_as_decimal(bind->arena, a);
        b = sql_bind_as_decimal(bind->arena, b);
        scale = a->scale > b->scale ? a->scale : b->scale;
        whole = (unsigned)(a->precision - a->scale > b->precision - b->scale ? a->precision - a->scale
                                                                             : b->precision - b->scale);
        if (whole + scale > DATA_DECIMAL_DIGITS_MAX)
            scale = DATA_DECIMAL_DIGITS_MAX - whole;
        return data_type_decimal(bind->arena, whole + scale, scale, true);
    }
    if (!data_kind_nested(a->kind))
        return NULL;
    return sql_bind_implicit(&left, b) ? b : sql_bind_implicit(&right, a) ? a : NULL;
}

enum mr_status sql_bind_common(struct sql_bind *bind, struct sql_expr **args, uint32_t count, const char *what,
                               struct sql_loc loc, const struct data_type **out)
{
    const struct data_type *type = args[0]->type;
    bool nullable = false;

    for (uint32_t i = 0; i < count; i++) {
        const struct data_type *merged = type_merge(bind, type, args[i]->type);
        nullable = nullable || args[i]->type->nullable;
        if (merged == NULL)
            return sql_bind_fail(bind, MR_INVALID, args[i]->loc.line ? args[i]->loc : loc,
                                 "%s: %s and %s are not one type; CAST one of them", what, data_kind_name(type->kind),
                                 data_kind_name(args[i]->type->kind));
        type = merged;
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

/* What (10, 2) may say of TYPE. */
static enum mr_status type_args_check(struct sql_bind *bind, const struct sql_ast_type *type)
{
    const char *name = data_kind_name(type->kind);

    if (type->arg_count > (type->kind == DATA_DECIMAL ? 2 : 1))
        return sql_bind_fail(bind, MR_INVALID, type->loc, "%s has no scale", name);
    if (type->arg_count == 0)
        return MR_OK;
    switch ((int)type->kind) {
    case DATA_DECIMAL:
        if (type->args[0] < 1 || type->args[0] > DATA_DECIMAL_DIGITS_MAX || type->args[1] > type->args[0])
            return sql_bind_fail(bind, MR_INVALID, type->loc,
                                 "DECIMAL(p, s) has 1 to %d digits, s of them after the point",
                                 DATA_DECIMAL_DIGITS_MAX);
        return MR_OK;
    case DATA_STRING:
    case DATA_BYTES:
        if (type->args[0] < 1)
            return sql_bind_fail(bind, MR_INVALID, type->loc, "a length is at least 1");
        return MR_OK;
    case DATA_TIME:
        if (type->args[0] > 9)
            return sql_bind_fail(bind, MR_INVALID, type->loc, "TIME(p): p is 0 to 9");
        return MR_OK;
    case DATA_TIMESTAMP:
    case DATA_TIMESTAMP_LTZ:
        if (type->args[0] > 9)
            return sql_bind_fail(bind, MR_INVALID, type->loc, "%s(p): p is 0 to 9", name);
        if (type->args[0] > DATA_TIMESTAMP_DIGITS_MAX)
            return sql_bind_fail(bind, MR_UNSUPPORTED, type->loc,
                                 "%s(%d) is not there in this version: timestamps are kept in microseconds, (%d)", name,
                                 type->args[0], DATA_TIMESTAMP_DIGITS_MAX);
        return MR_OK;
    default:
        return sql_bind_fail(bind, MR_INVALID, type->loc, "%s has no length or precision", name);
    }
}

enum mr_status sql_bind_type_check(struct sql_bind *bind, const struct sql_ast_type *type, int depth)
{
    enum mr_status status = type_args_check(bind, type);

    if (depth > DATA_DEPTH_MAX)
        return sql_bind_fail(bind, MR_LIMIT, type->loc, "this type is nested deeper than %d levels", DATA_DEPTH_MAX);
    if (status == MR_OK && type->key != NULL) {
        if (type->key->kind != DATA_STRING)
            return sql_bind_fail(bind, MR_UNSUPPORTED, type->key->loc, "a MAP's key is a STRING in this version");
        status = sql_bind_type_check(bind, type->key, depth + 1);
    }
    if (status == MR_OK && type->element != NULL)
        status = sql_bind_type_check(bind, type->element, depth + 1);
    if (status != MR_OK)
        return status;
    if (type->fields.count > DATA_FIELDS_MAX)
        return sql_bind_fail(bind, MR_LIMIT, type->loc, "a ROW has at most %d fields", DATA_FIELDS_MAX);
    for (const struct sql_ast_field *field = type->fields.first; field != NULL; field = field->next) {
        status = sql_bind_type_check(bind, field->type, depth + 1);
        if (status != MR_OK)
            return status;
        for (const struct sql_ast_field *other = type->fields.first; other != field; other = other->next)
            if (mr_str_equal(other->name, field->name))
                return sql_bind_fail(bind, MR_INVALID, field->loc, "the field \"%.*s\" stands in this ROW twice",
                                     MR_STR_ARG(field->name));
    }
    return MR_OK;
}

const struct data_type *sql_bind_type(struct sql_bind *bind, struct mr_arena *arena, const struct sql_ast_type *type)
{
    bool nullable = !type->not_null;
    struct data_field *fields;
    uint32_t count = 0;

    switch ((int)type->kind) {
    case DATA_ARRAY:
        return data_type_array(arena, sql_bind_type(bind, arena, type->element), nullable);
    case DATA_MAP:
        return data_type_map(arena, data_type_with_nullable(arena, sql_bind_type(bind, arena, type->key), false),
                             sql_bind_type(bind, arena, type->element), nullable);
    case DATA_ROW:
        fields = MR_ARENA_ARRAY(arena, struct data_field, type->fields.count);
        for (const struct sql_ast_field *field = type->fields.first; field != NULL; field = field->next)
            fields[count++] =
                (struct data_field){ .name = field->name, .type = sql_bind_type(bind, arena, field->type) };
        return data_type_row(arena, fields, count, nullable);
    case DATA_DECIMAL:
        return data_type_decimal(arena, type->arg_count > 0 ? (unsigned)type->args[0] : 10, (unsigned)type->args[1],
                                 nullable);
    case DATA_STRING:
    case DATA_BYTES:
        if (type->arg_count != 0 || type->fixed)
            return data_type_sized(arena, type->kind, type->arg_count != 0 ? (uint32_t)type->args[0] : 1, type->fixed,
                                   nullable);
        return data_type_scalar(type->kind, nullable);
    case DATA_TIME:
        return data_type_time(arena, type->kind, (unsigned)type->args[0], nullable);
    case DATA_TIMESTAMP:
    case DATA_TIMESTAMP_LTZ: {
        const struct data_type *time =
            data_type_time(arena, type->kind, type->arg_count > 0 ? (unsigned)type->args[0] : 6, nullable);
        return type->kind == DATA_TIMESTAMP ? time : data_type_with_zone(arena, time, bind->zone);
    }
    default:
        return data_type_scalar(type->kind, nullable);
    }
}

/* bind_literal.c -- literals: numbers (1.5 is a DECIMAL, 1.5e0 a DOUBLE, as in Flink), DATE '…', INTERVAL '…' DAY,
 * x'…'. */
#include "sql/bind_int.h"

#include <string.h>

#include "base/text.h"

struct sql_expr *sql_bind_literal(struct sql_bind *bind, const struct data_type *type, struct sql_loc loc)
{
    struct sql_expr *expr = sql_bind_node(bind, type, sql_kernel_literal, "literal", loc, NULL, 0);

    expr->is_literal = true;
    expr->is_null = type->kind == DATA_NULL;
    return expr;
}

/* A whole number; a minus in front belongs to it, so that the smallest BIGINT can be written. */
static enum mr_status bind_integer(struct sql_bind *bind, const struct sql_ast_expr *ast, const char *text,
                                   struct sql_expr **out)
{
    int64_t value = 0;

    if (mr_parse_i64(mr_str_of(text), &value) != MR_OK)
        return sql_bind_fail(bind, MR_INVALID, ast->loc, "the number %s is too large for BIGINT", text);
    *out = sql_bind_literal(bind, data_type_scalar(value == (int32_t)value ? DATA_INT : DATA_BIGINT, false), ast->loc);
    (*out)->literal.integer = value;
    return MR_OK;
}

static enum mr_status bind_decimal(struct sql_bind *bind, const struct sql_ast_expr *ast, const char *text,
                                   struct sql_expr **out)
{
    const char *point = strchr(text, '.');
    size_t scale = strlen(point + 1), whole = (size_t)(point - text) - (text[0] == '-');
    const char *first = text + (text[0] == '-');
    data_i128 value = 0;

    while (whole > 0 && *first == '0') { /* zeros in front are no digits */
        first++;
        whole--;
    }
    if (whole + scale == 0)
        whole = 1;
    if (whole + scale > DATA_DECIMAL_DIGITS_MAX ||
        data_parse_decimal(mr_str_of(text), (unsigned)(whole + scale), (unsigned)scale, &value) != MR_OK)
        return sql_bind_fail(bind, MR_INVALID, ast->loc, "the number %s has more than the %d digits of a DECIMAL", text,
                             DATA_DECIMAL_DIGITS_MAX);
    *out = sql_bind_literal(bind, data_type_decimal(bind->arena, (unsigned)(whole + scale), (unsigned)scale, false),
                            ast->loc);
    (*out)->literal.decimal = value;
    return MR_OK;
}

enum mr_status sql_bind_number(struct sql_bind *bind, const struct sql_ast_expr *ast, bool negative,
                               struct sql_expr **out)
{
    char *text = mr_arena_printf(bind->arena, "%s%s%.*s%s", negative ? "-" : "", ast->text.data[0] == '.' ? "0" : "",
                                 MR_STR_ARG(ast->text), "");
    double value = 0;

    if (ast->kind == SQL_AST_INTEGER)
        return bind_integer(bind, ast, text, out);
    if (ast->kind == SQL_AST_DECIMAL)
        return bind_decimal(bind, ast, text, out);
    if (mr_parse_f64(mr_str_of(text), &value) != MR_OK)
        return sql_bind_fail(bind, MR_INVALID, ast->loc, "the number %s is out of DOUBLE's range", text);
    *out = sql_bind_literal(bind, data_type_scalar(DATA_DOUBLE, false), ast->loc);
    (*out)->literal.number = value;
    return MR_OK;
}

enum mr_status sql_bind_time(struct sql_bind *bind, const struct sql_ast_expr *ast, struct sql_expr **out)
{
    static const char *const forms[] = { [DATA_DATE] = "DATE 'YYYY-MM-DD'",
                                         [DATA_TIME] = "TIME 'HH:MM:SS'",
                                         [DATA_TIMESTAMP] = "TIMESTAMP 'YYYY-MM-DD HH:MM:SS.fff'" };
    const char *point = memrchr(ast->text.data, '.', ast->text.size);
    size_t digits = point == NULL ? 0 : (size_t)(ast->text.data + ast->text.size - point - 1);
    const struct data_type *type = data_type_scalar(DATA_DATE, false);
    enum mr_status status;
    int64_t us = 0;
    int32_t value = 0;

    if (ast->op == DATA_DATE)
        status = data_parse_date(ast->text, &value);
    else if (ast->op == DATA_TIME)
        status = data_parse_time(ast->text, &value);
    else
        status = data_parse_timestamp(ast->text, ' ', &us, NULL);
    if (status != MR_OK)
        return sql_bind_fail(bind, MR_INVALID, ast->loc, "'%.*s' is not one: a literal is written %s",
                             MR_STR_ARG(ast->text), forms[ast->op]);
    if (digits > DATA_TIMESTAMP_DIGITS_MAX)
        return sql_bind_fail(bind, MR_UNSUPPORTED, ast->loc, "more than %d digits of a second are not there",
                             DATA_TIMESTAMP_DIGITS_MAX);
    if (ast->op != DATA_DATE)
        type = data_type_time(bind->arena, (enum data_kind)ast->op, (unsigned)digits, false);
    *out = sql_bind_literal(bind, type, ast->loc);
    (*out)->literal.integer = ast->op == DATA_TIMESTAMP ? us : value;
    return MR_OK;
}

enum mr_status sql_bind_bytes(struct sql_bind *bind, const struct sql_ast_expr *ast, struct sql_expr **out)
{
    size_t size = ast->text.size / 2;
    uint8_t *bytes = mr_arena_alloc(bind->arena, size + 1);
    bool fine = ast->text.size % 2 == 0;

    for (size_t i = 0; i < size * 2 && fine; i++) {
        const char *digits = "0123456789abcdef";
        const char *digit = ast->text.data[i] == '\0' ? NULL : strchr(digits, ast->text.data[i] | 32);
        fine = digit != NULL;
        if (fine)
            bytes[i / 2] = (uint8_t)((i % 2 == 0 ? 0 : bytes[i / 2] << 4) | (digit - digits));
    }
    if (!fine)
        return sql_bind_fail(bind, MR_INVALID, ast->loc, "x'…' wants an even number of hexadecimal digits");
    *out = sql_bind_literal(bind, data_type_scalar(DATA_BYTES, false), ast->loc);
    (*out)->literal.text = (struct mr_str){ (const char *)bytes, size };
    return MR_OK;
}

/* ---- intervals ---- */

enum { UNIT_YEAR, UNIT_MONTH, UNIT_DAY, UNIT_HOUR, UNIT_MINUTE, UNIT_SECOND, UNIT_COUNT };

static int unit_of(struct mr_str name)
{
    static const char *const names[UNIT_COUNT] = { "YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND" };

    for (int i = 0; i < UNIT_COUNT; i++)
        if (mr_str_equal_nocase(name, mr_str_of(names[i])))
            return i;
    return -1;
}

/* 1 to 9 digits. */
static bool digits_take(struct mr_str *s, int64_t *out)
{
    size_t count = 0;

    *out = 0;
    while (count < s->size && count < 9 && s->data[count] >= '0' && s->data[count] <= '9')
        *out = *out * 10 + (s->data[count++] - '0');
    *s = (struct mr_str){ s->data + count, s->size - count };
    return count != 0;
}

/* The value from unit FIRST to LAST: months, or microseconds; false: not written so. */
static bool interval_read(struct mr_str text, int first, int last, int64_t *out)
{
    static const int64_t sizes[UNIT_COUNT] = { 12, 1, DATA_DAY_US, INT64_C(3600000000), 60000000, 1000000 };
    static const char before[UNIT_COUNT] = { 0, '-', 0, ' ', ':', ':' };
    bool negative = false;
    int64_t part, unit;

    while (text.size != 0 && text.data[0] == ' ')
        text = (struct mr_str){ text.data + 1, text.size - 1 };
    while (text.size != 0 && text.data[text.size - 1] == ' ')
        text.size--;
    if (text.size != 0 && (text.data[0] == '-' || text.data[0] == '+')) {
        negative = text.data[0] == '-';
        text = (struct mr_str){ text.data + 1, text.size - 1 };
    }
    *out = 0;
    for (int i = first; i <= last; i++) {
        if (i > first) {
            if (text.size == 0 || text.data[0] != before[i])
                return false;
            text = (struct mr_str){ text.data + 1, text.size - 1 };
        }
        if (!digits_take(&text, &part))
            return false;
        *out += part * sizes[i];
    }
    if (last == UNIT_SECOND && text.size > 1 && text.data[0] == '.') {
        text = (struct mr_str){ text.data + 1, text.size - 1 };
        for (unit = 100000; text.size != 0 && text.data[0] >= '0' && text.data[0] <= '9'; unit /= 10) {
            *out += (text.data[0] - '0') * unit;
            text = (struct mr_str){ text.data + 1, text.size - 1 };
        }
    }
    if (negative)
        *out = -*out;
    return text.size == 0;
}

enum mr_status sql_bind_interval(struct sql_bind *bind, const struct sql_ast_expr *ast, struct sql_expr **out)
{
    int first = unit_of(ast->text2), last = ast->text3.data == NULL ? first : unit_of(ast->text3);
    bool months = first <= UNIT_MONTH;
    int64_t value = 0;

    if (first < 0 || last < first || (months && last > UNIT_MONTH))
        return sql_bind_fail(bind, MR_INVALID, ast->loc,
                             "an INTERVAL goes from YEAR to MONTH or from DAY to SECOND, the larger unit first");
    if (!interval_read(ast->text, first, last, &value) || (months && value != (int32_t)value))
        return sql_bind_fail(bind, MR_INVALID, ast->loc,
                             "'%.*s' is no such INTERVAL; write INTERVAL '5' MINUTE, '1 02:03:04.5' DAY TO SECOND, "
                             "'1-2' YEAR TO MONTH",
                             MR_STR_ARG(ast->text));
    *out = sql_bind_literal(bind, data_type_scalar(months ? DATA_INTERVAL_MONTH : DATA_INTERVAL_DAY, false), ast->loc);
    (*out)->literal.integer = ast->op == 1 ? -value : value;
    return MR_OK;
}

/* expr_text.c -- expressions as text: one spelling for each, so that plans can be compared. */
#include "sql/expr_int.h"

#include <string.h>

#include "base/text.h"

static void time_write(struct mr_writer *out, const struct sql_expr *expr)
{
    struct data_column *one = data_column_new(expr->type);

    data_append_integer(one, expr->literal.integer);
    mr_write_text(out, "%s '", data_kind_name(expr->type->kind));
    data_value_write(out, one, 0);
    mr_write_u8(out, '\'');
    data_column_unref(one);
}

static void literal_write(struct mr_writer *out, const struct sql_expr *expr)
{
    char number[48];

    if (expr->is_null) {
        mr_write_str(out, MR_STR("NULL"));
        return;
    }
    switch ((int)expr->type->kind) {
    case DATA_BOOLEAN:
        mr_write_text(out, "%s", expr->literal.boolean ? "TRUE" : "FALSE");
        break;
    case DATA_TINYINT:
    case DATA_SMALLINT:
    case DATA_INT:
    case DATA_BIGINT:
        mr_write_text(out, "%" PRId64, expr->literal.integer);
        break;
    case DATA_DECIMAL:
        mr_write_str(out,
                     (struct mr_str){ number, data_decimal_format(number, expr->literal.decimal, expr->type->scale) });
        break;
    case DATA_DATE:
    case DATA_TIME:
    case DATA_TIMESTAMP:
    case DATA_TIMESTAMP_LTZ:
    case DATA_INTERVAL_MONTH:
    case DATA_INTERVAL_DAY:
        time_write(out, expr);
        break;
    case DATA_BYTES:
        mr_write_str(out, MR_STR("x'"));
        for (size_t i = 0; i < expr->literal.text.size; i++)
            mr_write_text(out, "%02x", (uint8_t)expr->literal.text.data[i]);
        mr_write_u8(out, '\'');
        break;
    case DATA_STRING:
        mr_write_u8(out, '\'');
        for (size_t i = 0; i < expr->literal.text.size; i++) {
            if (expr->literal.text.data[i] == '\'')
                mr_write_u8(out, '\'');
            mr_write_u8(out, (uint8_t)expr->literal.text.data[i]);
        }
        mr_write_u8(out, '\'');
        break;
    default:
        mr_write_str(out, (struct mr_str){ number, mr_format_f64(number, expr->literal.number) });
    }
}

static void args_write(struct mr_writer *out, const struct sql_expr *expr, const struct data_type *source)
{
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (i > 0)
            mr_write_str(out, MR_STR(", "));
        sql_expr_write(out, expr->args[i], source);
    }
}

static void case_write(struct mr_writer *out, const struct sql_expr *expr, const struct data_type *source)
{
    mr_write_str(out, MR_STR("CASE"));
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        bool is_else = expr->has_else && i + 1 == expr->arg_count;
        mr_write_text(out, "%s", is_else ? " ELSE " : i % 2 == 0 ? " WHEN " : " THEN ");
        sql_expr_write(out, expr->args[i], source);
    }
    mr_write_str(out, MR_STR(" END"));
}

void sql_expr_write(struct mr_writer *out, const struct sql_expr *expr, const struct data_type *source)
{
    if (expr->kernel == sql_kernel_column) {
        data_name_write(out, source->fields[expr->column].name);
    } else if (expr->kernel == sql_kernel_field) {
        sql_expr_write(out, expr->args[0], source);
        mr_write_u8(out, '.');
        data_name_write(out, expr->args[0]->type->fields[expr->column].name);
    } else if (expr->is_literal) {
        literal_write(out, expr);
    } else if (expr->kernel == sql_kernel_cast) {
        mr_write_text(out, "%s(", expr->name);
        sql_expr_write(out, expr->args[0], source);
        mr_write_str(out, MR_STR(" AS "));
        data_type_write(out, expr->type);
        mr_write_u8(out, ')');
    } else if (expr->kernel == sql_kernel_case) {
        case_write(out, expr, source);
    } else if (expr->kernel == sql_kernel_index || expr->kernel == sql_kernel_map_value) {
        sql_expr_write(out, expr->args[0], source);
        mr_write_u8(out, '[');
        sql_expr_write(out, expr->args[1], source);
        mr_write_u8(out, ']');
    } else if (expr->kernel == sql_kernel_is) {
        mr_write_u8(out, '(');
        sql_expr_write(out, expr->args[0], source);
        mr_write_text(out, " %s)", expr->name);
    } else if (expr->kernel == sql_kernel_array) {
        mr_write_str(out, MR_STR("ARRAY["));
        args_write(out, expr, source);
        mr_write_u8(out, ']');
    } else if (expr->arg_count == 2 && strpbrk(expr->name, "+-*/%=<>|") != NULL) {
        mr_write_u8(out, '(');
        sql_expr_write(out, expr->args[0], source);
        mr_write_text(out, " %s ", expr->name);
        sql_expr_write(out, expr->args[1], source);
        mr_write_u8(out, ')');
    } else if (expr->kernel == sql_kernel_and || expr->kernel == sql_kernel_or || expr->kernel == sql_kernel_like ||
               expr->kernel == sql_kernel_distinct || expr->kernel == sql_kernel_similar) {
        mr_write_u8(out, '(');
        sql_expr_write(out, expr->args[0], source);
        mr_write_text(out, " %s ", expr->name);
        sql_expr_write(out, expr->args[1], source);
        mr_write_u8(out, ')');
        if (expr->kernel == sql_kernel_like && expr->column != 0)
            mr_write_text(out, " ESCAPE '%c'", (char)(expr->column - 1));
    } else if (expr->kernel == sql_kernel_in) {
        mr_write_u8(out, '(');
        sql_expr_write(out, expr->args[0], source);
        mr_write_text(out, " %s (", expr->name);
        for (uint32_t i = 1; i < expr->arg_count; i++) {
            mr_write_text(out, "%s", i > 1 ? ", " : "");
            sql_expr_write(out, expr->args[i], source);
        }
        mr_write_str(out, MR_STR("))"));
    } else {
        mr_write_text(out, "%s(", expr->name);
        args_write(out, expr, source);
        mr_write_u8(out, ')');
    }
}

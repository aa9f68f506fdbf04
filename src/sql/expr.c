/* expr.c -- runs bound expressions over a batch: what kernels share, and the projection (filter, then columns).
 *
 * Cost: a plain column is shared with the input, not copied; every other expression writes each value once.  When
 * rows are filtered out or fail, the columns are gathered once more at the end. */
#include "sql/expr_int.h"

#include <stdio.h>
#include <string.h>

#include "sql/plan_int.h"

struct data_column *sql_eval_column(const struct sql_expr *expr, struct sql_eval *eval)
{
    struct data_column *column = eval->scratch[expr->id];

    if (column != NULL && data_column_exclusive(column)) {
        data_column_reset(column);
    } else {
        data_column_unref(column);
        column = data_column_new(expr->type);
        eval->scratch[expr->id] = column;
    }
    data_column_reserve(column, eval->rows);
    return data_column_ref(column);
}

uint8_t *sql_eval_bitmap(struct sql_eval *eval)
{
    return mr_arena_calloc(eval->arena, 1, eval->bitmap_bytes + 1);
}

uint8_t *sql_eval_bitmap_copy(struct sql_eval *eval, const uint8_t *bits)
{
    uint8_t *copy = mr_arena_alloc(eval->arena, eval->bitmap_bytes + 1);

    memcpy(copy, bits, eval->bitmap_bytes);
    return copy;
}

void sql_eval_fail(struct sql_eval *eval, uint32_t row, const char *format, ...)
{
    char text[MR_ERR_BYTES];
    va_list args;

    if (sql_bit(eval->failed, row))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    eval->failed[row >> 3] |= (uint8_t)(1u << (row & 7));
    eval->why[row] = eval->label == NULL ? mr_arena_printf(eval->arena, "%s", text)
                                         : mr_arena_printf(eval->arena, "%s: %s", eval->label, text);
    eval->failed_count++;
}

void sql_column_set_null(struct data_column *column, uint32_t row)
{
    uint8_t bit = (uint8_t)(1u << (row & 7));

    assert(row < column->length);
    if (column->validity[row >> 3] & bit) {
        column->validity[row >> 3] &= (uint8_t)~bit;
        column->null_count++;
    }
}

void sql_column_nulls_from(struct data_column *out, const struct data_column *in)
{
    size_t bytes = ((size_t)out->length + 7) / 8;
    uint32_t nulls = 0;

    if (in->null_count == 0)
        return;
    for (size_t i = 0; i < bytes; i++) {
        out->validity[i] &= in->validity[i];
        nulls += 8 - (uint32_t)__builtin_popcount(out->validity[i]);
    }
    out->null_count = nulls;
}

bool sql_eval_any(const struct sql_eval *eval, const uint8_t *bits)
{
    for (size_t i = 0; i < eval->bitmap_bytes; i++)
        if (bits[i] != 0)
            return true;
    return false;
}

/* ---- projection ---- */

struct sql_projection {
    const struct sql_output *output; /* borrowed */
    struct sql_eval eval;
    struct data_column **columns; /* of the batch under work */
    uint32_t *rows;
    uint32_t rows_capacity;
    struct sql_row_error *errors;
    uint32_t errors_capacity;
};

static void eval_init(struct sql_eval *eval, uint32_t node_count)
{
    memset(eval, 0, sizeof(*eval));
    eval->arena = mr_arena_new();
    eval->scratch = mr_calloc(node_count + 1, sizeof(*eval->scratch));
    eval->node_count = node_count;
}

static void eval_deinit(struct sql_eval *eval)
{
    for (uint32_t i = 0; i < eval->node_count; i++)
        data_column_unref(eval->scratch[i]);
    mr_free(eval->scratch);
    mr_arena_free(eval->arena);
}

static void eval_start(struct sql_eval *eval, const struct data_batch *in)
{
    mr_arena_reset(eval->arena);
    eval->in = in;
    eval->rows = in->row_count;
    eval->bitmap_bytes = ((size_t)in->row_count + 7) / 8;
    eval->failed = sql_eval_bitmap(eval);
    eval->why = MR_ARENA_ARRAY(eval->arena, const char *, (size_t)in->row_count + 1);
    eval->failed_count = 0;
    eval->label = NULL;
}

/* All rows but those in SKIP. */
static uint8_t *eval_select(struct sql_eval *eval, const uint8_t *skip)
{
    uint8_t *selected = sql_eval_bitmap(eval);

    for (size_t i = 0; i < eval->bitmap_bytes; i++)
        selected[i] = skip == NULL ? 0xff : (uint8_t)~skip[i];
    if (eval->rows % 8 != 0)
        selected[eval->bitmap_bytes - 1] &= (uint8_t)((1u << (eval->rows % 8)) - 1);
    return selected;
}

static void bits_remove(const struct sql_eval *eval, uint8_t *from, const uint8_t *gone)
{
    for (size_t i = 0; i < eval->bitmap_bytes; i++)
        from[i] &= (uint8_t)~gone[i];
}

struct sql_projection *sql_projection_new(const struct sql_output *output)
{
    struct sql_projection *p = MR_NEW(struct sql_projection);

    p->output = output;
    p->columns = mr_calloc(output->row->field_count + 1, sizeof(*p->columns));
    eval_init(&p->eval, output->node_count);
    return p;
}

void sql_projection_free(struct sql_projection *p)
{
    if (p == NULL)
        return;
    eval_deinit(&p->eval);
    mr_free(p->columns);
    mr_free(p->rows);
    mr_free(p->errors);
    mr_free(p);
}

/* Takes the rows out of SELECTED for which the filter isn't TRUE. */
static void projection_filter(struct sql_projection *p, uint8_t *selected)
{
    struct data_column *keep;

    p->eval.label = "WHERE";
    keep = sql_expr_eval(p->output->filter, &p->eval, selected);
    for (size_t i = 0; i < p->eval.bitmap_bytes; i++)
        selected[i] &= ((const uint8_t *)keep->values)[i];
    if (keep->null_count != 0)
        for (size_t i = 0; i < p->eval.bitmap_bytes; i++)
            selected[i] &= keep->validity[i];
    data_column_unref(keep);
    bits_remove(&p->eval, selected, p->eval.failed);
}

/* A NULL for a column that is NOT NULL fails its row, as Flink's not-null enforcer does. */
static void projection_check_null(struct sql_projection *p, uint32_t column, uint8_t *selected)
{
    const struct data_column *values = p->columns[column];

    if (p->output->sink == NULL || p->output->row->fields[column].type->nullable || values->null_count == 0)
        return;
    for (uint32_t row = 0; row < p->eval.rows; row++)
        if (sql_bit(selected, row) && data_is_null(values, row))
            sql_eval_fail(&p->eval, row, "the value is NULL and the column of %s is NOT NULL", p->output->sink->name);
}

/* Fills rows and errors from the bitmaps; returns how many rows there are. */
static uint32_t projection_sort_rows(struct sql_projection *p, const uint8_t *selected, uint32_t *error_count)
{
    uint32_t count = 0, errors = 0;

    if (p->eval.rows > p->rows_capacity) {
        p->rows_capacity = p->eval.rows;
        p->rows = mr_realloc(p->rows, (size_t)p->rows_capacity * sizeof(*p->rows));
    }
    if (p->eval.failed_count > p->errors_capacity) {
        p->errors_capacity = p->eval.failed_count;
        p->errors = mr_realloc(p->errors, (size_t)p->errors_capacity * sizeof(*p->errors));
    }
    for (uint32_t row = 0; row < p->eval.rows; row++) {
        if (sql_bit(selected, row))
            p->rows[count++] = row;
        else if (p->eval.failed_count != 0 && sql_bit(p->eval.failed, row))
            p->errors[errors++] = (struct sql_row_error){ .row = row, .why = p->eval.why[row] };
    }
    assert(errors == p->eval.failed_count);
    *error_count = errors;
    return count;
}

enum mr_status sql_projection_run(struct sql_projection *p, const struct data_batch *in, const uint8_t *skip,
                                  struct sql_projected *out, struct mr_err *err)
{
    const struct data_type *row_type = p->output->row;
    enum mr_status status = MR_OK;
    uint8_t *selected;
    uint32_t count, error_count;

    eval_start(&p->eval, in);
    selected = eval_select(&p->eval, skip);
    if (p->output->filter != NULL)
        projection_filter(p, selected);
    for (uint32_t i = 0; i < row_type->field_count; i++) {
        p->eval.label = row_type->fields[i].name.data;
        p->columns[i] = sql_expr_eval(p->output->columns[i], &p->eval, selected);
        if (p->columns[i]->overflowed)
            status = mr_err_set(err, MR_LIMIT, "column %s: more text than one batch can hold",
                                row_type->fields[i].name.data);
        projection_check_null(p, i, selected);
        if (p->eval.failed_count != 0)
            bits_remove(&p->eval, selected, p->eval.failed);
    }
    count = projection_sort_rows(p, selected, &error_count);
    if (status == MR_OK) {
        for (uint32_t i = 0; i < row_type->field_count && count != p->eval.rows; i++) {
            struct data_column *taken = data_column_take(p->columns[i], p->rows, count);
            data_column_unref(p->columns[i]);
            p->columns[i] = taken;
        }
        *out = (struct sql_projected){ .batch = data_batch_of(row_type, p->columns, count),
                                       .rows = p->rows,
                                       .errors = p->errors,
                                       .error_count = error_count };
    }
    for (uint32_t i = 0; i < row_type->field_count; i++)
        data_column_unref(p->columns[i]);
    return status;
}

enum mr_status sql_expr_constant(const struct sql_expr *expr, uint32_t node_count, struct data_column **out,
                                 struct mr_err *err)
{
    struct sql_eval eval;
    const struct data_batch one = { .type = NULL, .row_count = 1 };
    struct data_column *column;
    enum mr_status status = MR_OK;

    eval_init(&eval, node_count);
    eval_start(&eval, &one);
    column = sql_expr_eval(expr, &eval, eval_select(&eval, NULL));
    if (eval.failed_count != 0) {
        status = mr_err_set_at(err, MR_INVALID, expr->loc.line, expr->loc.column, "%s", eval.why[0]);
        data_column_unref(column);
    } else {
        *out = column;
    }
    eval_deinit(&eval);
    return status;
}

enum mr_status sql_source_rows(const struct sql_source *source, struct data_batch **out, struct mr_err *err)
{
    uint32_t fields = source->row->field_count;
    struct data_batch *batch;
    enum mr_status status = MR_OK;

    assert(source->table == NULL);
    if (fields == 0) { /* SELECT without FROM: one row of nothing */
        *out = data_batch_of(source->row, NULL, source->row_count);
        return MR_OK;
    }
    batch = data_batch_new(source->row);
    for (uint32_t i = 0; i < source->row_count * fields && status == MR_OK; i++) {
        struct data_column *value = NULL;
        status = sql_expr_constant(source->values[i], source->node_count, &value, err);
        if (status == MR_OK) {
            data_append_from(batch->columns[i % fields], value, 0);
            data_column_unref(value);
        }
    }
    batch->row_count = source->row_count;
    if (status == MR_OK)
        *out = batch;
    else
        data_batch_unref(batch);
    return status;
}

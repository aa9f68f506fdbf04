/* expr_logic.c -- three-valued logic, LIKE, and the kernels that choose: CASE, COALESCE.  What a row doesn't reach
 * is not evaluated for it. */
#include "sql/expr_int.h"

#include <string.h>

/* AND and OR: the right side is evaluated where the left one doesn't decide.  DECIDES: the value that does. */
static struct data_column *logic_pair(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected,
                                      bool decides)
{
    struct data_column *a = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *b = NULL;
    struct data_column *out;
    uint8_t *open = sql_eval_bitmap_copy(eval, selected);

    for (uint32_t i = 0; i < eval->rows; i++)
        if (!data_is_null(a, i) && data_bool(a, i) == decides)
            open[i >> 3] &= (uint8_t) ~(1u << (i & 7));
    if (sql_eval_any(eval, open))
        b = sql_expr_eval(expr->args[1], eval, open);
    out = sql_eval_column(expr, eval);
    for (uint32_t i = 0; i < eval->rows; i++) {
        bool a_null = data_is_null(a, i);
        if (!sql_bit(open, i)) {
            data_append_bool(out, decides);
            continue;
        }
        assert(b != NULL); /* a row is open */
        if (!data_is_null(b, i) && data_bool(b, i) == decides)
            data_append_bool(out, decides);
        else if (a_null || data_is_null(b, i))
            data_append_null(out);
        else
            data_append_bool(out, !decides);
    }
    data_column_unref(a);
    data_column_unref(b);
    return out;
}

struct data_column *sql_kernel_and(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    return logic_pair(expr, eval, selected, false);
}

struct data_column *sql_kernel_or(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    return logic_pair(expr, eval, selected, true);
}

struct data_column *sql_kernel_not(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *a = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *out = sql_eval_column(expr, eval);

    for (uint32_t i = 0; i < eval->rows; i++) {
        if (data_is_null(a, i))
            data_append_null(out);
        else
            data_append_bool(out, !data_bool(a, i));
    }
    data_column_unref(a);
    return out;
}

/* op: what is asked (enum sql_ast_is), plus 8 for IS NOT. */
struct data_column *sql_kernel_is(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *a = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *out = sql_eval_column(expr, eval);
    bool negated = (expr->op & 8) != 0;

    for (uint32_t i = 0; i < eval->rows; i++) {
        bool is_null = data_is_null(a, i);
        bool answer = is_null;
        if ((expr->op & 7) == SQL_IS_TRUE)
            answer = !is_null && data_bool(a, i);
        else if ((expr->op & 7) == SQL_IS_FALSE)
            answer = !is_null && !data_bool(a, i);
        data_append_bool(out, answer != negated);
    }
    data_column_unref(a);
    return out;
}

/* ---- LIKE ---- */

static size_t character_bytes(const char *at, const char *end)
{
    size_t size = 1;

    while (at + size < end && ((unsigned char)at[size] & 0xc0) == 0x80)
        size++;
    return size;
}

/* Does TEXT match PATTERN (% any, _ one character, ESCAPE before a character that stands for itself; -1: none)?
 * Goes back to the last % only, so the time is at most the product of the lengths. */
static bool like(struct mr_str text, struct mr_str pattern, int escape)
{
    const char *t = text.data, *t_end = text.data + text.size;
    const char *p = pattern.data, *p_end = pattern.data + pattern.size;
    const char *star = NULL, *star_text = NULL;

    while (t < t_end) {
        const char *literal = p < p_end && (unsigned char)*p == escape && p + 1 < p_end ? p + 1 : NULL;
        if (p < p_end && literal == NULL && *p == '%') {
            star = ++p;
            star_text = t;
        } else if (p < p_end && literal == NULL && *p == '_') {
            t += character_bytes(t, t_end);
            p++;
        } else if (p < p_end && *(literal ? literal : p) == *t) {
            p = (literal ? literal : p) + 1;
            t++;
        } else if (star != NULL) {
            star_text += character_bytes(star_text, t_end);
            t = star_text;
            p = star;
        } else {
            return false;
        }
    }
    while (p < p_end && *p == '%')
        p++;
    return p == p_end;
}

/* op: 1 for NOT LIKE; column: the escape character plus 1, 0: none. */
struct data_column *sql_kernel_like(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *text = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *pattern = sql_expr_eval(expr->args[1], eval, selected);
    struct data_column *out = sql_eval_column(expr, eval);

    for (uint32_t i = 0; i < eval->rows; i++) {
        if (!sql_bit(selected, i) || data_is_null(text, i) || data_is_null(pattern, i))
            data_append_null(out);
        else
            data_append_bool(out, like(data_str(text, i), data_str(pattern, i), (int)expr->column - 1) != expr->op);
    }
    data_column_unref(text);
    data_column_unref(pattern);
    return out;
}

/* ---- choosing ---- */

/* Gathers, for each row, the value of the branch it took; NONE: NULL. */
static struct data_column *choose(const struct sql_expr *expr, struct sql_eval *eval, struct data_column **branches,
                                  const uint32_t *taken, uint32_t none)
{
    struct data_column *out = sql_eval_column(expr, eval);

    for (uint32_t i = 0; i < eval->rows; i++) {
        if (taken[i] == none || data_is_null(branches[taken[i]], i))
            data_append_null(out);
        else
            data_append_from(out, branches[taken[i]], i);
    }
    return out;
}

/* args: WHEN, THEN, …, [ELSE]. */
struct data_column *sql_kernel_case(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    uint32_t none = expr->arg_count;
    struct data_column **branches = MR_ARENA_ARRAY(eval->arena, struct data_column *, expr->arg_count);
    uint32_t *taken = MR_ARENA_ARRAY(eval->arena, uint32_t, (size_t)eval->rows + 1);
    uint8_t *left = sql_eval_bitmap_copy(eval, selected);
    struct data_column *out;

    for (uint32_t i = 0; i < eval->rows; i++)
        taken[i] = none;
    for (uint32_t arg = 0; arg < expr->arg_count && sql_eval_any(eval, left); arg += 2) {
        bool is_else = arg + 1 == expr->arg_count;
        struct data_column *when = is_else ? NULL : sql_expr_eval(expr->args[arg], eval, left);
        uint8_t *here = sql_eval_bitmap(eval);
        for (uint32_t i = 0; i < eval->rows; i++) {
            if (!sql_bit(left, i) || (when != NULL && (data_is_null(when, i) || !data_bool(when, i))))
                continue;
            here[i >> 3] |= (uint8_t)(1u << (i & 7));
            taken[i] = is_else ? arg : arg + 1;
        }
        data_column_unref(when);
        for (size_t i = 0; i < eval->bitmap_bytes; i++)
            left[i] &= (uint8_t) ~(here[i] | eval->failed[i]);
        if (sql_eval_any(eval, here))
            branches[is_else ? arg : arg + 1] = sql_expr_eval(expr->args[is_else ? arg : arg + 1], eval, here);
    }
    out = choose(expr, eval, branches, taken, none);
    for (uint32_t arg = 0; arg < expr->arg_count; arg++)
        data_column_unref(branches[arg]);
    return out;
}

struct data_column *sql_kernel_coalesce(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    uint32_t none = expr->arg_count;
    struct data_column **branches = MR_ARENA_ARRAY(eval->arena, struct data_column *, expr->arg_count);
    uint32_t *taken = MR_ARENA_ARRAY(eval->arena, uint32_t, (size_t)eval->rows + 1);
    uint8_t *left = sql_eval_bitmap_copy(eval, selected);
    struct data_column *out;

    for (uint32_t i = 0; i < eval->rows; i++)
        taken[i] = none;
    for (uint32_t arg = 0; arg < expr->arg_count && sql_eval_any(eval, left); arg++) {
        branches[arg] = sql_expr_eval(expr->args[arg], eval, left);
        for (uint32_t i = 0; i < eval->rows; i++) {
            if (!sql_bit(left, i) || (data_is_null(branches[arg], i) && !sql_bit(eval->failed, i)))
                continue;
            left[i >> 3] &= (uint8_t) ~(1u << (i & 7));
            taken[i] = arg;
        }
    }
    out = choose(expr, eval, branches, taken, none);
    for (uint32_t arg = 0; arg < expr->arg_count; arg++)
        data_column_unref(branches[arg]);
    return out;
}

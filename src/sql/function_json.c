/* function_json.c -- JSON_VALUE, JSON_EXISTS, JSON_QUERY: one value of a text, by a path that is known when the
 * statement is bound.  As Flink's without ON EMPTY and ON ERROR: a text that is no JSON and a path that leads nowhere
 * give NULL (JSON_EXISTS: FALSE). */
#include "sql/function_int.h"

#include <string.h>

#include "base/text.h"
#include "sql/function_call_int.h"

/* One step's name, with what a pointer escapes. */
static void step_write(struct mr_writer *out, const char *from, const char *to)
{
    mr_write_u8(out, '/');
    for (; from < to; from++) {
        if (*from == '~' || *from == '/')
            mr_write_str(out, *from == '~' ? MR_STR("~0") : MR_STR("~1"));
        else
            mr_write_u8(out, (uint8_t)*from);
    }
}

/* [0], ['name'] or ["name"] at *AT; false: it is none. */
static bool bracket_take(struct mr_writer *out, const char **at, const char *end)
{
    const char *p = *at + 1, *from = p;

    if (p < end && (*p == '\'' || *p == '"')) {
        char quote = *p++;
        for (from = p; p < end && *p != quote; p++)
            ;
        if (end - p < 2 || p[1] != ']')
            return false;
        step_write(out, from, p);
        *at = p + 2;
        return true;
    }
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    if (p == from || p >= end || *p != ']')
        return false;
    step_write(out, from, p);
    *at = p + 1;
    return true;
}

struct mr_str sql_json_pointer(struct mr_arena *arena, struct mr_str path)
{
    const char *at = path.data, *end = path.data + path.size;
    struct mr_writer out = { 0 };
    struct mr_str pointer = MR_STR_NULL;

    if (path.size > 4 && memcmp(at, "lax ", 4) == 0)
        at += 4;
    else if (path.size > 7 && memcmp(at, "strict ", 7) == 0)
        at += 7;
    while (at < end && *at == ' ')
        at++;
    if (at == end || *at != '$')
        return pointer;
    for (at++; at < end;) {
        const char *from = at + 1;
        if (*at == '[') {
            if (!bracket_take(&out, &at, end))
                break;
            continue;
        }
        if (*at != '.')
            break;
        for (at++; at < end && *at != '.' && *at != '[' && *at != '*' && *at != ' ' && *at != '('; at++)
            ;
        if (at == from)
            break;
        step_write(&out, from, at);
    }
    if (at == end)
        pointer = mr_arena_str(arena, mr_str_of_bytes(mr_writer_bytes(&out)));
    mr_writer_deinit(&out);
    return pointer;
}

/* A number as Java shows it: 1.50 is 1.5. */
static void number_write(struct sql_call *c)
{
    struct mr_str raw = mr_str_of_bytes(mr_writer_bytes(&c->text));
    bool integer = true;
    char text[40];
    double v;

    for (size_t i = 0; i < raw.size; i++)
        integer = integer && raw.data[i] != '.' && (raw.data[i] | 32) != 'e';
    if (integer || mr_parse_f64(raw, &v) != MR_OK)
        return;
    c->text.size = 0;
    mr_write_str(&c->text, (struct mr_str){ text, mr_format_f64(text, v) });
}

static void call_json(struct sql_call *c)
{
    enum data_json_found kind = DATA_JSON_NULL;
    bool found = data_json_find(c->state, mr_bytes_of_str(sql_call_str(c, 0)), sql_call_str(c, 1), &kind, &c->text,
                                NULL) == MR_OK;

    if (c->expr->op == SQL_JSON_EXISTS) {
        data_append_bool(c->out, found);
    } else if (!found || kind == DATA_JSON_NULL || (kind == DATA_JSON_NESTED) != (c->expr->op == SQL_JSON_QUERY)) {
        data_append_null(c->out);
    } else {
        if (kind == DATA_JSON_NUMBER)
            number_write(c);
        sql_call_text(c);
    }
}

struct data_column *sql_kernel_json(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_json_finder *finder = data_json_finder_new();
    struct data_column *out = sql_call_rows(expr, eval, selected, call_json, finder);

    data_json_finder_free(finder);
    return out;
}

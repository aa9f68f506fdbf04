/* function_call.c -- functions that make one value a row: the loop they share, and those on text. */
#include "sql/function_int.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sql/function_call_int.h"

enum { TEXT_BYTES_MAX = 64 << 20 }; /* of one made text */

struct data_column *sql_call_rows(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected,
                                  sql_call_fn *fn, void *state)
{
    struct sql_call call = { .expr = expr, .eval = eval, .state = state };

    call.args = MR_ARENA_ARRAY(eval->arena, struct data_column *, expr->arg_count + 1);
    call.steps = MR_ARENA_ARRAY(eval->arena, uint32_t, expr->arg_count + 1);
    for (uint32_t i = 0; i < expr->arg_count; i++)
        call.args[i] = sql_eval_operand(expr->args[i], eval, selected, &call.steps[i]);
    call.out = sql_eval_column(expr, eval);
    for (call.row = 0; call.row < eval->rows; call.row++) {
        bool skip = !sql_bit(selected, call.row);
        for (uint32_t i = 0; i < expr->arg_count && !skip; i++)
            skip = data_is_null(call.args[i], sql_call_at(&call, i));
        if (skip) {
            data_append_null(call.out);
            continue;
        }
        call.text.size = 0;
        fn(&call);
        assert(call.out->length == call.row + 1);
    }
    for (uint32_t i = 0; i < expr->arg_count; i++)
        data_column_unref(call.args[i]);
    mr_writer_deinit(&call.text);
    return call.out;
}

void sql_call_text(struct sql_call *call)
{
    data_append_str(call->out, mr_str_of_bytes(mr_writer_bytes(&call->text)));
}

void sql_call_fail(struct sql_call *call, const char *format, ...)
{
    char text[MR_ERR_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sql_eval_fail(call->eval, call->row, "%s: %s", call->expr->name, text);
    data_append_null(call->out);
}

/* ---- text ---- */

static size_t first_bytes(struct mr_str s)
{
    size_t size = 1;

    while (size < s.size && ((unsigned char)s.data[size] & 0xc0) == 0x80)
        size++;
    return size;
}

static struct mr_str skip_bytes(struct mr_str s, size_t size)
{
    return (struct mr_str){ s.data + size, s.size - size };
}

/* The place of NEEDLE in S from character START (1 the first) on; 0: nowhere. */
static int32_t position(struct mr_str needle, struct mr_str s, int64_t start)
{
    struct mr_str rest = s;
    int32_t at = 1;
    const char *hit;

    if (start < 1)
        return 0;
    for (; at < start && rest.size != 0; at++)
        rest = skip_bytes(rest, first_bytes(rest));
    if (at < start)
        return 0;
    if (needle.size == 0)
        return at;
    hit = rest.size < needle.size ? NULL : memmem(rest.data, rest.size, needle.data, needle.size);
    if (hit == NULL)
        return 0;
    return at + (int32_t)mr_utf8_length((struct mr_str){ rest.data, (size_t)(hit - rest.data) });
}

static void call_position(struct sql_call *c)
{
    int64_t start = c->expr->arg_count > 2 ? sql_call_integer(c, 2) : 1;

    data_append_i32(c->out, position(sql_call_str(c, 0), sql_call_str(c, 1), start));
}

static void call_instr(struct sql_call *c)
{
    data_append_i32(c->out, position(sql_call_str(c, 1), sql_call_str(c, 0), 1));
}

/* LPAD and RPAD: exactly so many characters; NULL when that can't be. */
static void pad(struct sql_call *c, bool left)
{
    struct mr_str s = sql_call_str(c, 0), fill = sql_call_str(c, 2), next = fill;
    int64_t wanted = sql_call_integer(c, 1), length = (int64_t)mr_utf8_length(s);
    size_t begin = 0;

    if (wanted < 0 || (fill.size == 0 && wanted > length)) {
        data_append_null(c->out);
        return;
    }
    if (wanted > TEXT_BYTES_MAX / 4) {
        sql_call_fail(c, "%" PRId64 " characters are more than the limit of %d", wanted, TEXT_BYTES_MAX / 4);
        return;
    }
    for (int64_t i = 0; left && i < wanted - length; i++) {
        size_t size = first_bytes(next);
        mr_write_str(&c->text, (struct mr_str){ next.data, size });
        next = size == next.size ? fill : skip_bytes(next, size);
    }
    for (int64_t i = 0; i < wanted && begin < s.size; i++)
        begin += first_bytes(skip_bytes(s, begin));
    mr_write_str(&c->text, (struct mr_str){ s.data, begin });
    for (int64_t i = length; !left && i < wanted; i++) {
        size_t size = first_bytes(next);
        mr_write_str(&c->text, (struct mr_str){ next.data, size });
        next = size == next.size ? fill : skip_bytes(next, size);
    }
    sql_call_text(c);
}

static void call_lpad(struct sql_call *c)
{
    pad(c, true);
}

static void call_rpad(struct sql_call *c)
{
    pad(c, false);
}

static void call_reverse(struct sql_call *c)
{
    struct mr_str s = sql_call_str(c, 0);
    char *at = data_append_str_begin(c->out, s.size);
    size_t end = s.size;

    if (at == NULL)
        return;
    for (size_t i = 0; i < s.size;) {
        size_t size = first_bytes(skip_bytes(s, i));
        end -= size;
        memcpy(at + end, s.data + i, size);
        i += size;
    }
    data_append_str_end(c->out, s.size);
}

static void call_repeat(struct sql_call *c)
{
    struct mr_str s = sql_call_str(c, 0);
    int64_t times = sql_call_integer(c, 1);

    if (s.size != 0 && times > TEXT_BYTES_MAX / (int64_t)s.size) {
        sql_call_fail(c, "the text would be larger than %d bytes", TEXT_BYTES_MAX);
        return;
    }
    for (; s.size != 0 && times > 0; times--)
        mr_write_str(&c->text, s);
    sql_call_text(c);
}

/* The part at an index, 0 the first; NULL when there is none. */
static void call_split_index(struct sql_call *c)
{
    struct mr_str rest = sql_call_str(c, 0), mark = sql_call_str(c, 1);
    int64_t index = sql_call_integer(c, 2);

    for (; index >= 0; index--) {
        const char *hit =
            mark.size == 0 || rest.size < mark.size ? NULL : memmem(rest.data, rest.size, mark.data, mark.size);
        if (index == 0) {
            data_append_str(c->out, (struct mr_str){ rest.data, hit == NULL ? rest.size : (size_t)(hit - rest.data) });
            return;
        }
        if (hit == NULL)
            break;
        rest = skip_bytes(rest, (size_t)(hit - rest.data) + mark.size);
    }
    data_append_null(c->out);
}

static void call_initcap(struct sql_call *c)
{
    struct mr_str s = sql_call_str(c, 0);
    bool inside = false;
    char *at = data_append_str_begin(c->out, s.size);

    for (size_t i = 0; i < s.size && at != NULL; i++) {
        char ch = s.data[i];
        bool upper = ch >= 'A' && ch <= 'Z', lower = ch >= 'a' && ch <= 'z';
        at[i] = (char)((upper && inside) || (lower && !inside) ? ch ^ 32 : ch);
        inside = upper || lower || (ch >= '0' && ch <= '9') || (unsigned char)ch >= 0x80;
    }
    if (at != NULL)
        data_append_str_end(c->out, s.size);
}

static void call_ascii(struct sql_call *c)
{
    struct mr_str s = sql_call_str(c, 0);

    data_append_i32(c->out, s.size == 0 ? 0 : (int8_t)s.data[0]);
}

/* A character below 256, as Flink's. */
static void call_chr(struct sql_call *c)
{
    int64_t v = sql_call_integer(c, 0);

    if (v >= 0) {
        unsigned b = (unsigned)(v & 0xff);
        if (b >= 0x80)
            mr_write_u8(&c->text, (uint8_t)(0xc0 | b >> 6));
        mr_write_u8(&c->text, (uint8_t)(b >= 0x80 ? 0x80 | (b & 0x3f) : b));
    }
    sql_call_text(c);
}

/* OVERLAY(s PLACING new FROM start [FOR length]) */
static void call_overlay(struct sql_call *c)
{
    struct mr_str s = sql_call_str(c, 0), new = sql_call_str(c, 1);
    int64_t start = sql_call_integer(c, 2), total = (int64_t)mr_utf8_length(s);
    int64_t length = c->expr->arg_count > 3 ? sql_call_integer(c, 3) : (int64_t)mr_utf8_length(new);
    size_t begin = 0, end;

    if (start <= 0 || start > total) {
        data_append_str(c->out, s);
        return;
    }
    for (int64_t i = 1; i < start; i++)
        begin += first_bytes(skip_bytes(s, begin));
    end = begin;
    for (int64_t i = 0; i < length && end < s.size; i++)
        end += first_bytes(skip_bytes(s, end));
    mr_write_str(&c->text, (struct mr_str){ s.data, begin });
    mr_write_str(&c->text, new);
    mr_write_str(&c->text, skip_bytes(s, end));
    sql_call_text(c);
}

static void call_to_base64(struct sql_call *c)
{
    data_base64_write(&c->text, mr_bytes_of_str(sql_call_str(c, 0)));
    sql_call_text(c);
}

static void call_from_base64(struct sql_call *c)
{
    if (!data_base64_read(&c->text, sql_call_str(c, 0)) || !mr_utf8_valid(mr_writer_bytes(&c->text)))
        data_append_null(c->out);
    else
        sql_call_text(c);
}

static void call_hex(struct sql_call *c)
{
    if (data_kind_integer(c->args[0]->type->kind)) {
        mr_write_text(&c->text, "%" PRIX64, sql_call_integer(c, 0));
    } else {
        struct mr_str s = sql_call_str(c, 0);
        for (size_t i = 0; i < s.size; i++)
            mr_write_text(&c->text, "%02X", (uint8_t)s.data[i]);
    }
    sql_call_text(c);
}

static void call_bin(struct sql_call *c)
{
    uint64_t v = (uint64_t)sql_call_integer(c, 0);
    int bit = 63;

    while (bit > 0 && (v >> bit & 1) == 0)
        bit--;
    for (; bit >= 0; bit--)
        mr_write_u8(&c->text, (v >> bit & 1) ? '1' : '0');
    sql_call_text(c);
}

static void call_startswith(struct sql_call *c)
{
    struct mr_str s = sql_call_str(c, 0), part = sql_call_str(c, 1);

    data_append_bool(c->out, part.size == 0 || (s.size >= part.size && memcmp(s.data, part.data, part.size) == 0));
}

static void call_endswith(struct sql_call *c)
{
    struct mr_str s = sql_call_str(c, 0), part = sql_call_str(c, 1);

    data_append_bool(c->out, part.size == 0 || (s.size >= part.size &&
                                                memcmp(s.data + s.size - part.size, part.data, part.size) == 0));
}

struct data_column *sql_kernel_text_call(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    static sql_call_fn *const calls[] = {
        [SQL_TEXT_POSITION] = call_position,
        [SQL_TEXT_INSTR] = call_instr,
        [SQL_TEXT_LPAD] = call_lpad,
        [SQL_TEXT_RPAD] = call_rpad,
        [SQL_TEXT_REVERSE] = call_reverse,
        [SQL_TEXT_REPEAT] = call_repeat,
        [SQL_TEXT_SPLIT_INDEX] = call_split_index,
        [SQL_TEXT_INITCAP] = call_initcap,
        [SQL_TEXT_ASCII] = call_ascii,
        [SQL_TEXT_CHR] = call_chr,
        [SQL_TEXT_OVERLAY] = call_overlay,
        [SQL_TEXT_TO_BASE64] = call_to_base64,
        [SQL_TEXT_FROM_BASE64] = call_from_base64,
        [SQL_TEXT_HEX] = call_hex,
        [SQL_TEXT_BIN] = call_bin,
        [SQL_TEXT_STARTSWITH] = call_startswith,
        [SQL_TEXT_ENDSWITH] = call_endswith,
    };

    return sql_call_rows(expr, eval, selected, calls[expr->op], NULL);
}

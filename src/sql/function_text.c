/* function_text.c -- kernels of the functions on text.  Positions and lengths count characters (code points), as
 * Flink's. */
#include "sql/function_int.h"

#include <locale.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "base/text.h"

enum { REPLACED_BYTES_MAX = 256 << 20 }; /* of one text */

/* An argument that is the same in each row, or a column. */
struct piece {
    struct data_column *column; /* NULL: fixed */
    struct mr_str fixed;
    bool is_null; /* of a fixed one */
};

static struct piece *pieces_eval(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct piece *pieces = MR_ARENA_ARRAY(eval->arena, struct piece, expr->arg_count);

    for (uint32_t i = 0; i < expr->arg_count; i++) {
        const struct sql_expr *arg = expr->args[i];
        if (arg->is_literal)
            pieces[i] = (struct piece){ .fixed = arg->literal.text, .is_null = arg->is_null };
        else
            pieces[i].column = sql_expr_eval(arg, eval, selected);
    }
    return pieces;
}

static void pieces_free(struct piece *pieces, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        data_column_unref(pieces[i].column);
}

static bool piece_null(const struct piece *piece, uint32_t row)
{
    return piece->column == NULL ? piece->is_null : data_is_null(piece->column, row);
}

static struct mr_str piece_text(const struct piece *piece, uint32_t row)
{
    return piece->column == NULL ? piece->fixed : data_str(piece->column, row);
}

struct data_column *sql_kernel_concat(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct piece *pieces = pieces_eval(expr, eval, selected);
    struct data_column *out = sql_eval_column(expr, eval);

    for (uint32_t row = 0; row < eval->rows; row++) {
        size_t size = 0, used = 0;
        bool is_null = !sql_bit(selected, row);
        char *at;

        for (uint32_t i = 0; i < expr->arg_count && !is_null; i++) {
            is_null = piece_null(&pieces[i], row);
            size += is_null ? 0 : piece_text(&pieces[i], row).size;
        }
        if (is_null) {
            data_append_null(out);
            continue;
        }
        at = data_append_str_begin(out, size);
        if (at == NULL)
            continue;
        for (uint32_t i = 0; i < expr->arg_count; i++) {
            struct mr_str text = piece_text(&pieces[i], row);
            if (text.size != 0)
                memcpy(at + used, text.data, text.size);
            used += text.size;
        }
        data_append_str_end(out, used);
    }
    pieces_free(pieces, expr->arg_count);
    return out;
}

struct data_column *sql_kernel_concat_ws(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct piece *pieces = pieces_eval(expr, eval, selected);
    struct data_column *out = sql_eval_column(expr, eval);
    struct mr_writer text = { 0 };

    for (uint32_t row = 0; row < eval->rows; row++) {
        bool first = true;
        text.size = 0;
        if (!sql_bit(selected, row) || piece_null(&pieces[0], row)) {
            data_append_null(out);
            continue;
        }
        for (uint32_t i = 1; i < expr->arg_count; i++) {
            if (piece_null(&pieces[i], row))
                continue;
            if (!first)
                mr_write_str(&text, piece_text(&pieces[0], row));
            mr_write_str(&text, piece_text(&pieces[i], row));
            first = false;
        }
        data_append_str(out, mr_str_of_bytes(mr_writer_bytes(&text)));
    }
    mr_writer_deinit(&text);
    pieces_free(pieces, expr->arg_count);
    return out;
}

static bool ascii(struct mr_str s)
{
    for (size_t i = 0; i < s.size; i++)
        if ((unsigned char)s.data[i] >= 0x80)
            return false;
    return true;
}

/* One character of valid UTF-8 at AT; its bytes in *SIZE. */
static uint32_t character_at(const unsigned char *at, size_t *size)
{
    if (at[0] < 0x80) {
        *size = 1;
        return at[0];
    }
    if (at[0] < 0xe0) {
        *size = 2;
        return (uint32_t)(at[0] & 0x1f) << 6 | (at[1] & 0x3f);
    }
    if (at[0] < 0xf0) {
        *size = 3;
        return (uint32_t)(at[0] & 0x0f) << 12 | (uint32_t)(at[1] & 0x3f) << 6 | (at[2] & 0x3f);
    }
    *size = 4;
    return (uint32_t)(at[0] & 7) << 18 | (uint32_t)(at[1] & 0x3f) << 12 | (uint32_t)(at[2] & 0x3f) << 6 |
           (at[3] & 0x3f);
}

static void character_write(struct mr_writer *out, uint32_t c)
{
    if (c < 0x80) {
        mr_write_u8(out, (uint8_t)c);
    } else if (c < 0x800) {
        mr_write_u8(out, (uint8_t)(0xc0 | c >> 6));
        mr_write_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        mr_write_u8(out, (uint8_t)(0xe0 | c >> 12));
        mr_write_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        mr_write_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
    } else {
        mr_write_u8(out, (uint8_t)(0xf0 | c >> 18));
        mr_write_u8(out, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
        mr_write_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        mr_write_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
    }
}

/* Letters beyond ASCII go through the C library's tables of a UTF-8 locale; "ß" in capitals is "SS", as in Java. */
static void case_write(struct mr_writer *out, struct mr_str s, bool upper, locale_t locale)
{
    const unsigned char *at = (const unsigned char *)s.data, *end = at + s.size;

    while (at < end) {
        size_t size = 1;
        uint32_t c = character_at(at, &size);
        if (upper && c == 0xdf) {
            mr_write_str(out, MR_STR("SS"));
        } else {
            if (locale != (locale_t)0)
                c = (uint32_t)(upper ? towupper_l((wint_t)c, locale) : towlower_l((wint_t)c, locale));
            character_write(out, c);
        }
        at += size;
    }
}

/* op: 1 to capitals, 0 to small letters. */
struct data_column *sql_kernel_case_change(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *in = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *out = sql_eval_column(expr, eval);
    struct mr_writer text = { 0 };
    locale_t locale = (locale_t)0;
    char first = expr->op ? 'a' : 'A';

    for (uint32_t row = 0; row < eval->rows; row++) {
        struct mr_str s = data_str(in, row);
        char *at;
        if (!sql_bit(selected, row) || data_is_null(in, row)) {
            data_append_null(out);
        } else if (ascii(s)) {
            at = data_append_str_begin(out, s.size);
            for (size_t i = 0; i < s.size && at != NULL; i++)
                at[i] = (char)(s.data[i] >= first && s.data[i] < first + 26 ? s.data[i] ^ 32 : s.data[i]);
            if (at != NULL)
                data_append_str_end(out, s.size);
        } else {
            if (locale == (locale_t)0)
                locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
            if (locale == (locale_t)0)
                locale = newlocale(LC_CTYPE_MASK, "en_US.UTF-8", (locale_t)0);
            text.size = 0;
            case_write(&text, s, expr->op == 1, locale);
            data_append_str(out, mr_str_of_bytes(mr_writer_bytes(&text)));
        }
    }
    if (locale != (locale_t)0)
        freelocale(locale);
    mr_writer_deinit(&text);
    data_column_unref(in);
    return out;
}

static size_t first_bytes(struct mr_str s)
{
    size_t size = 1;

    while (size < s.size && ((unsigned char)s.data[size] & 0xc0) == 0x80)
        size++;
    return size;
}

static size_t last_bytes(struct mr_str s)
{
    size_t size = 1;

    while (size < s.size && ((unsigned char)s.data[s.size - size] & 0xc0) == 0x80)
        size++;
    return size;
}

static bool set_has(struct mr_str set, const char *c, size_t size)
{
    return size <= set.size && memmem(set.data, set.size, c, size) != NULL;
}

/* op: 1 in front, 2 at the end, 3 both. */
struct data_column *sql_kernel_trim(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct piece *pieces = pieces_eval(expr, eval, selected);
    struct data_column *out = sql_eval_column(expr, eval);

    for (uint32_t row = 0; row < eval->rows; row++) {
        struct mr_str s, set = MR_STR(" ");
        if (!sql_bit(selected, row) || piece_null(&pieces[0], row) ||
            (expr->arg_count > 1 && piece_null(&pieces[1], row))) {
            data_append_null(out);
            continue;
        }
        s = piece_text(&pieces[0], row);
        if (expr->arg_count > 1)
            set = piece_text(&pieces[1], row);
        while ((expr->op & 1) && s.size > 0 && set_has(set, s.data, first_bytes(s))) {
            size_t size = first_bytes(s);
            s = (struct mr_str){ s.data + size, s.size - size };
        }
        while ((expr->op & 2) && s.size > 0 && set_has(set, s.data + s.size - last_bytes(s), last_bytes(s)))
            s.size -= last_bytes(s);
        data_append_str(out, s);
    }
    pieces_free(pieces, expr->arg_count);
    return out;
}

struct data_column *sql_kernel_char_length(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *in = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *out = sql_eval_column(expr, eval);

    for (uint32_t row = 0; row < eval->rows; row++) {
        if (data_is_null(in, row))
            data_append_null(out);
        else
            data_append_i32(out, (int32_t)mr_utf8_length(data_str(in, row)));
    }
    data_column_unref(in);
    return out;
}

/* Characters [start, start + length) of S; both at least 0. */
static struct mr_str slice(struct mr_str s, int64_t start, int64_t length)
{
    size_t begin = 0, end;

    for (; start > 0 && begin < s.size; start--)
        begin += first_bytes((struct mr_str){ s.data + begin, s.size - begin });
    end = begin;
    for (; length > 0 && end < s.size; length--)
        end += first_bytes((struct mr_str){ s.data + end, s.size - end });
    return (struct mr_str){ s.data + begin, end - begin };
}

/* As Flink: start 0 is 1, a negative one counts from the end and is empty when before the text; length < 0 gives
 * NULL. */
struct data_column *sql_kernel_substring(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *text = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *start = sql_expr_eval(expr->args[1], eval, selected);
    struct data_column *length = expr->arg_count > 2 ? sql_expr_eval(expr->args[2], eval, selected) : NULL;
    struct data_column *out = sql_eval_column(expr, eval);

    for (uint32_t row = 0; row < eval->rows; row++) {
        int64_t from, count = INT32_MAX;
        if (!sql_bit(selected, row) || data_is_null(text, row) || data_is_null(start, row) ||
            (length != NULL && (data_is_null(length, row) || data_i32(length, row) < 0))) {
            data_append_null(out);
            continue;
        }
        from = data_i32(start, row);
        if (length != NULL)
            count = data_i32(length, row);
        if (from < 0)
            from += (int64_t)mr_utf8_length(data_str(text, row));
        else if (from > 0)
            from--;
        data_append_str(out, from < 0 ? MR_STR("") : slice(data_str(text, row), from, count));
    }
    data_column_unref(text);
    data_column_unref(start);
    data_column_unref(length);
    return out;
}

/* op: 0 LEFT, 1 RIGHT.  A length below 1 gives the empty text. */
struct data_column *sql_kernel_left_right(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct data_column *text = sql_expr_eval(expr->args[0], eval, selected);
    struct data_column *length = sql_expr_eval(expr->args[1], eval, selected);
    struct data_column *out = sql_eval_column(expr, eval);

    for (uint32_t row = 0; row < eval->rows; row++) {
        int64_t count, total;
        if (!sql_bit(selected, row) || data_is_null(text, row) || data_is_null(length, row)) {
            data_append_null(out);
            continue;
        }
        count = data_i32(length, row) < 0 ? 0 : data_i32(length, row);
        total = expr->op ? (int64_t)mr_utf8_length(data_str(text, row)) : 0;
        data_append_str(out, slice(data_str(text, row), expr->op && total > count ? total - count : 0, count));
    }
    data_column_unref(text);
    data_column_unref(length);
    return out;
}

/* An empty OLD stands before each character and at the end, as in Java. */
static bool replace_write(struct mr_writer *out, struct mr_str s, struct mr_str old, struct mr_str new)
{
    while (s.size > 0 || old.size == 0) {
        const char *hit = old.size == 0 ? s.data : memmem(s.data, s.size, old.data, old.size);
        size_t before = hit == NULL ? s.size : (size_t)(hit - s.data);
        size_t step;
        mr_write_str(out, (struct mr_str){ s.data, before });
        if (hit == NULL)
            return true;
        if (new.size > REPLACED_BYTES_MAX - out->size || before + out->size > REPLACED_BYTES_MAX)
            return false;
        mr_write_str(out, new);
        step = before + old.size;
        if (old.size == 0) {
            if (s.size == 0)
                return true;
            step = first_bytes(s);
            mr_write_str(out, (struct mr_str){ s.data, step });
        }
        s = (struct mr_str){ s.data + step, s.size - step };
    }
    return true;
}

struct data_column *sql_kernel_replace(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct piece *pieces = pieces_eval(expr, eval, selected);
    struct data_column *out = sql_eval_column(expr, eval);
    struct mr_writer text = { 0 };

    for (uint32_t row = 0; row < eval->rows; row++) {
        if (!sql_bit(selected, row) || piece_null(&pieces[0], row) || piece_null(&pieces[1], row) ||
            piece_null(&pieces[2], row)) {
            data_append_null(out);
            continue;
        }
        text.size = 0;
        if (replace_write(&text, piece_text(&pieces[0], row), piece_text(&pieces[1], row),
                          piece_text(&pieces[2], row))) {
            data_append_str(out, mr_str_of_bytes(mr_writer_bytes(&text)));
        } else {
            sql_eval_fail(eval, row, "REPLACE: the text would be larger than %d bytes", REPLACED_BYTES_MAX);
            data_append_null(out);
        }
    }
    mr_writer_deinit(&text);
    pieces_free(pieces, expr->arg_count);
    return out;
}

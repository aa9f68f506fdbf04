/* json_walk.c -- the grammar of JSON over a list of token places (json_int.h).
 *
 * Invariants
 *   W1  the text ends with } or ] as its last token, so that a scan over a number or word stops inside of it.
 *   W2  no byte at or after text + size is read.
 *   W3  a function that takes a value and fails leaves at anywhere; callers that go on put it back. */
#include "data/json_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum walk_limits {
    SHOWN_BYTES_MAX = 60, /* of a value in a message */
    PATH_BYTES_MAX = 300,
};

/* ---- messages ---- */

static void path_text(const struct json_walk *w, char *out, size_t size)
{
    size_t at = 1;

    out[0] = '$';
    out[1] = '\0';
    for (uint32_t i = 0; i < w->depth && at < size - 1; i++) {
        const struct json_step *s = &w->path[i];
        int n = s->name != NULL ? snprintf(out + at, size - at, ".%.*s", (int)s->name_size, s->name)
                                : snprintf(out + at, size - at, "[%zu]", s->element);
        at += n > 0 ? (size_t)n : 0;
    }
}

enum mr_status(json_wrong)(const struct json_walk *w, enum mr_status status, struct mr_err *err, const char *format,
                           ...)
{
    char path[PATH_BYTES_MAX], text[MR_ERR_BYTES];
    va_list args;

    if (err == NULL)
        return status;
    path_text(w, path, sizeof(path));
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return mr_err_set(err, status, "%s: %s", path, text);
}

static void found_text(const struct json_walk *w, char *out, size_t size)
{
    const uint8_t *start, *p;
    size_t left;

    if (w->at >= w->end) {
        snprintf(out, size, "the end");
        return;
    }
    start = p = w->text + *w->at;
    left = w->size - *w->at;
    if (left > SHOWN_BYTES_MAX)
        left = SHOWN_BYTES_MAX;
    if (*p == '{' || *p == '[') {
        snprintf(out, size, *p == '{' ? "an object" : "an array");
        return;
    }
    if (*p == '"') {
        for (p++; p < start + left && *p != '"'; p += *p == '\\' ? 2 : 1)
            ;
        p = p < start + left ? p + 1 : start + left;
    } else if (memchr("}]:,", *p, 4) != NULL) {
        p++;
    } else {
        while (p < start + left && memchr("{}[]:, \t\r\n\"", *p, 11) == NULL)
            p++;
    }
    while (p > start + 1 && p < w->text + w->size && (*p & 0xc0) == 0x80)
        p--;
    snprintf(out, size, "%s%.*s%s", *start == '"' ? "the string " : "", (int)(p - start), (const char *)start,
             p == start + SHOWN_BYTES_MAX ? "..." : "");
}

enum mr_status(json_expected)(const struct json_walk *w, struct mr_err *err, const char *format, ...)
{
    char found[SHOWN_BYTES_MAX + 32], text[MR_ERR_BYTES / 2];
    va_list args;

    if (err == NULL)
        return MR_INVALID;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    found_text(w, found, sizeof(found));
    return json_wrong(w, MR_INVALID, err, "expected %s, found %s", text, found);
}

/* ---- start and end ---- */

/* Is a text that begins with neither { nor [ JSON?  With a ] behind it W1 holds for a copy. */
static bool is_scalar(struct json_walk *w)
{
    const uint8_t *text = w->text;
    const uint32_t *start = w->at;
    uint8_t *copy = mr_alloc(w->size + 1);
    bool is;

    memcpy(copy, text, w->size);
    copy[w->size] = ']';
    w->text = copy;
    w->size++;
    is = json_value_check(w, NULL, NULL) == MR_OK && w->at == w->end;
    w->text = text;
    w->size--;
    w->at = start;
    mr_free(copy);
    return is;
}

enum mr_status json_walk_start(struct json_walk *w, struct mr_bytes text, struct mr_err *err)
{
    uint32_t count = 0;
    enum mr_status status;

    if (text.size >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0) {
        text.data += 3;
        text.size -= 3;
    }
    w->text = text.data;
    w->size = text.size;
    w->depth = 0;
    w->at = w->end = NULL;
    status = json_index_run(w->index, text, &w->at, &count, err);
    if (status != MR_OK)
        return status;
    w->end = w->at + count;
    if (json_peek(w) != '{' && json_peek(w) != '[') {
        (void)json_expected(w, err, "an object or an array");
        if (!is_scalar(w))
            mr_err_context(err, "not JSON");
        return MR_INVALID;
    }
    if (text.data[w->end[-1]] != '}' && text.data[w->end[-1]] != ']')
        return mr_err_set(err, MR_INVALID, "not JSON: it ends before its last } or ], or goes on after it");
    return MR_OK;
}

enum mr_status json_walk_finish(struct json_walk *w, struct mr_err *err)
{
    if (w->at != w->end)
        return json_expected(w, err, "nothing after the end of the value");
    /* Blanks only: anything else would be a token. */
    return MR_OK;
}

enum mr_status json_document_check(struct json_walk *w, struct mr_bytes text, struct mr_err *err)
{
    enum mr_status status = json_walk_start(w, text, err);
    const uint32_t *first = w->at;

    if (status != MR_OK)
        return status;
    status = json_value_check(w, NULL, err);
    if (status == MR_OK)
        status = json_walk_finish(w, err);
    if (status == MR_INVALID)
        mr_err_context(err, "not JSON");
    w->at = first;
    w->depth = 0;
    return status;
}

/* ---- strings ---- */

static bool is_plain_word(uint64_t v)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t quote = v ^ (ones * '"'), slash = v ^ (ones * '\\');

    return ((((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & highs) == 0;
}

/* The first quote or backslash at or after P; there is one before the text's end (stage 1 saw the string closed). */
static const uint8_t *special_find(const struct json_walk *w, const uint8_t *p)
{
    const uint8_t *end = w->text + w->size;

    while (end - p >= 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        if (!is_plain_word(v))
            break;
        p += 8;
    }
    while (p < end && *p != '"' && *p != '\\')
        p++;
    return p;
}

static int hex4(const uint8_t *p)
{
    int value = 0;

    for (int i = 0; i < 4; i++) {
        int c = p[i], digit = c >= '0' && c <= '9'                 ? c - '0'
                              : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                                   : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static size_t utf8_put(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* Reads one escape at *P (the backslash); writes up to 4 bytes.  0: it is wrong. */
static size_t escape_read(const struct json_walk *w, const uint8_t **p, char *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const uint8_t *end = w->text + w->size;
    const char *known;
    int unit, low;

    if (end - *p < 2)
        return 0;
    known = memchr(from, (*p)[1], sizeof(from) - 1);
    if (known != NULL) {
        *out = to[known - from];
        *p += 2;
        return 1;
    }
    if ((*p)[1] != 'u' || end - *p < 6 || (unit = hex4(*p + 2)) < 0)
        return 0;
    *p += 6;
    if (unit < 0xd800 || unit > 0xdfff)
        return utf8_put(out, (uint32_t)unit);
    if (unit > 0xdbff || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
        return 0;
    low = hex4(*p + 2);
    if (low < 0xdc00 || low > 0xdfff)
        return 0;
    *p += 6;
    return utf8_put(out, 0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
}

static enum mr_status escape_wrong(const struct json_walk *w, const uint8_t *p, struct mr_err *err)
{
    size_t left = (size_t)(w->text + w->size - p);

    return json_wrong(w, MR_INVALID, err, "the escape %.*s in a string is not one", left < 6 ? (int)left : 6,
                      (const char *)p);
}

enum mr_status json_string_copy(struct json_walk *w, char *out, size_t *size, struct mr_err *err)
{
    const uint8_t *p = w->text + *w->at + 1, *end = w->text + w->size;
    char *start = out;

    for (;;) {
        while (end - p >= 8) {
            uint64_t v;
            memcpy(&v, p, 8);
            if (!is_plain_word(v))
                break;
            memcpy(out, &v, 8);
            p += 8;
            out += 8;
        }
        while (p < end && *p != '"' && *p != '\\')
            *out++ = (char)*p++;
        if (p == end || *p == '"')
            break;
        const uint8_t *escape = p;
        size_t n = escape_read(w, &p, out);
        if (n == 0)
            return escape_wrong(w, escape, err);
        out += n;
    }
    *size = (size_t)(out - start);
    w->at++;
    return MR_OK;
}

enum mr_status json_string_check(struct json_walk *w, struct mr_str *raw, bool *escaped, struct mr_err *err)
{
    const uint8_t *start = w->text + *w->at + 1, *p = start;
    bool any = false;
    char ignored[4];

    for (;;) {
        p = special_find(w, p);
        if (p == w->text + w->size || *p == '"')
            break;
        const uint8_t *escape = p;
        any = true;
        if (escape_read(w, &p, ignored) == 0)
            return escape_wrong(w, escape, err);
    }
    if (raw != NULL)
        *raw = (struct mr_str){ (const char *)start, (size_t)(p - start) };
    if (escaped != NULL)
        *escaped = any;
    w->at++;
    return MR_OK;
}

/* ---- numbers and words ---- */

static bool ends_token(uint8_t c)
{
    return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static const uint8_t *digits_skip(const uint8_t *p)
{
    while (*p >= '0' && *p <= '9')
        p++;
    return p;
}

enum mr_status json_number_scan(struct json_walk *w, struct json_number *out, struct mr_err *err)
{
    const uint8_t *start = w->text + *w->at, *p = start, *digits;

    out->integer = true;
    if (*p == '-')
        p++;
    digits = p;
    p = digits_skip(p);
    if (p == digits || (*digits == '0' && p - digits > 1))
        return json_expected(w, err, "a value");
    if (*p == '.') {
        out->integer = false;
        digits = ++p;
        p = digits_skip(p);
        if (p == digits)
            return json_expected(w, err, "a value");
    }
    if (*p == 'e' || *p == 'E') {
        out->integer = false;
        p++;
        if (*p == '+' || *p == '-')
            p++;
        digits = p;
        p = digits_skip(p);
        if (p == digits)
            return json_expected(w, err, "a value");
    }
    if (!ends_token(*p))
        return json_expected(w, err, "a value");
    out->text = (const char *)start;
    out->size = (size_t)(p - start);
    w->at++;
    return MR_OK;
}

bool json_word_take(struct json_walk *w, const char *word, size_t size)
{
    const uint8_t *p;

    if (w->at >= w->end || w->size - *w->at <= size)
        return false;
    p = w->text + *w->at;
    if (memcmp(p, word, size) != 0 || !ends_token(p[size]))
        return false;
    w->at++;
    return true;
}

/* ---- whole values ---- */

static enum mr_status object_check(struct json_walk *w, struct mr_err *err)
{
    enum mr_status status;
    struct mr_str key;

    if (json_take(w, '}'))
        return MR_OK;
    do {
        if (json_peek(w) != '"')
            return json_expected(w, err, "a field's name in quotes");
        status = json_string_check(w, &key, NULL, err);
        if (status != MR_OK)
            return status;
        if (!json_take(w, ':'))
            return json_expected(w, err, "a colon after \"%.*s\"", key.size > SHOWN_BYTES_MAX ? 0 : (int)key.size,
                                 key.data);
        if (!json_path_push(w, key.data, key.size, 0))
            return json_wrong(w, MR_LIMIT, err, "nested more than %d deep", JSON_DEPTH_MAX);
        status = json_value_check(w, NULL, err);
        if (status != MR_OK)
            return status;
        json_path_pop(w);
    } while (json_take(w, ','));
    return json_take(w, '}') ? MR_OK : json_expected(w, err, "a comma or }");
}

static enum mr_status array_check(struct json_walk *w, struct mr_err *err)
{
    enum mr_status status;
    size_t element = 0;

    if (json_take(w, ']'))
        return MR_OK;
    do {
        if (!json_path_push(w, NULL, 0, element++))
            return json_wrong(w, MR_LIMIT, err, "nested more than %d deep", JSON_DEPTH_MAX);
        status = json_value_check(w, NULL, err);
        if (status != MR_OK)
            return status;
        json_path_pop(w);
    } while (json_take(w, ','));
    return json_take(w, ']') ? MR_OK : json_expected(w, err, "a comma or ]");
}

enum mr_status json_value_check(struct json_walk *w, struct mr_str *raw, struct mr_err *err)
{
    const uint8_t *start = w->at < w->end ? w->text + *w->at : NULL, *end = NULL;
    enum mr_status status = MR_OK;
    struct json_number number;
    struct mr_str text = MR_STR_NULL;

    switch (json_peek(w)) {
    case '{':
        w->at++;
        status = object_check(w, err);
        end = w->text + w->at[-1] + 1;
        break;
    case '[':
        w->at++;
        status = array_check(w, err);
        end = w->text + w->at[-1] + 1;
        break;
    case '"':
        status = json_string_check(w, &text, NULL, err);
        end = status == MR_OK ? (const uint8_t *)text.data + text.size + 1 : NULL;
        break;
    case 't':
        end = json_word_take(w, "true", 4) ? start + 4 : NULL;
        break;
    case 'f':
        end = json_word_take(w, "false", 5) ? start + 5 : NULL;
        break;
    case 'n':
        end = json_word_take(w, "null", 4) ? start + 4 : NULL;
        break;
    case 0:
        break;
    default:
        status = json_number_scan(w, &number, err);
        end = status == MR_OK ? start + number.size : NULL;
        break;
    }
    if (status != MR_OK)
        return status;
    if (end == NULL)
        return json_expected(w, err, "a value");
    if (raw != NULL)
        *raw = (struct mr_str){ (const char *)start, (size_t)(end - start) };
    return MR_OK;
}

/* text.c -- UUIDs, UTF-8, JSON strings, and the nearest of several names. */
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void mr_uuid_format(char out[37], const uint8_t uuid[16])
{
    static const char hex[] = "0123456789abcdef";
    char *at = out;

    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = hex[uuid[i] >> 4];
        *at++ = hex[uuid[i] & 15];
    }
    *at = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum mr_status mr_uuid_parse(struct mr_str text, uint8_t out[16])
{
    uint8_t uuid[16];
    size_t at = 0;

    if (text.size != 36)
        return MR_INVALID;
    for (int i = 0; i < 16; i++) {
        int high;
        int low;

        if ((i == 4 || i == 6 || i == 8 || i == 10) && text.data[at++] != '-')
            return MR_INVALID;
        high = hex_value(text.data[at++]);
        low = hex_value(text.data[at++]);
        if (high < 0 || low < 0)
            return MR_INVALID;
        uuid[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(out, uuid, sizeof(uuid));
    return MR_OK;
}

/* Length of the well-formed character at P (END after it), or 0. */
static size_t utf8_step(const uint8_t *p, const uint8_t *end)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint32_t code;
    size_t length;

    if (p[0] < 0x80)
        return 1;
    length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || (size_t)(end - p) < length)
        return 0;
    code = p[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3f);
    }
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    return length;
}

bool mr_utf8_valid(struct mr_bytes b)
{
    const uint8_t *p = b.data;
    const uint8_t *end = p + b.size;

    while (p < end) {
        uint64_t eight;
        size_t length;

        if (end - p >= 8) { /* most text is ASCII */
            memcpy(&eight, p, 8);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                p += 8;
                continue;
            }
        }
        length = *p < 0x80 ? 1 : utf8_step(p, end);
        if (length == 0)
            return false;
        p += length;
    }
    return true;
}

size_t mr_utf8_length(struct mr_str s)
{
    size_t count = 0;

    for (size_t i = 0; i < s.size; i++)
        count += ((uint8_t)s.data[i] & 0xc0) != 0x80;
    return count;
}

enum { NEAREST_NAME_MAX = 64 };

/* Levenshtein distance with swaps of neighbours, ASCII case aside. */
static int edit_distance(const char *a, const char *b)
{
    int rows[3][NEAREST_NAME_MAX + 1];
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);

    if (a_size > NEAREST_NAME_MAX || b_size > NEAREST_NAME_MAX)
        return NEAREST_NAME_MAX;
    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = (int)j;
    for (size_t i = 1; i <= a_size; i++) {
        int *row = rows[i % 3];
        int *above = rows[(i + 2) % 3];
        int *above2 = rows[(i + 1) % 3];

        row[0] = (int)i;
        for (size_t j = 1; j <= b_size; j++) {
            int same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
            int best = above[j - 1] + !same;

            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 2]) &&
                tolower((unsigned char)a[i - 2]) == tolower((unsigned char)b[j - 1]) && above2[j - 2] + 1 < best)
                best = above2[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[a_size % 3][b_size];
}

const char *mr_nearest(const char *name, const char *const *candidates, size_t count)
{
    const char *best = NULL;
    int limit = (int)strlen(name) / 3 + 1; /* two of five letters wrong is another word */
    int best_distance = limit + 1;

    for (size_t i = 0; i < count; i++) {
        int distance = edit_distance(name, candidates[i]);

        if (distance < best_distance) {
            best_distance = distance;
            best = candidates[i];
        }
    }
    return best;
}

static void write_json_char(struct mr_writer *w, uint8_t c)
{
    switch (c) {
    case '"':
    case '\\':
        mr_write_u8(w, '\\');
        mr_write_u8(w, c);
        break;
    case '\n':
        mr_write_str(w, MR_STR("\\n"));
        break;
    case '\r':
        mr_write_str(w, MR_STR("\\r"));
        break;
    case '\t':
        mr_write_str(w, MR_STR("\\t"));
        break;
    default:
        mr_write_text(w, "\\u%04x", c);
        break;
    }
}

void mr_write_json_string(struct mr_writer *w, struct mr_str s)
{
    const uint8_t *p = (const uint8_t *)s.data;
    const uint8_t *end = p + s.size;

    mr_write_u8(w, '"');
    while (p < end) {
        const uint8_t *plain = p;
        size_t length = 0;

        while (p < end && *p >= 0x20 && *p != '"' && *p != '\\' && (length = utf8_step(p, end)) != 0)
            p += length;
        mr_write_bytes(w, (struct mr_bytes){ plain, (size_t)(p - plain) });
        if (p == end)
            break;
        if (*p < 0x80)
            write_json_char(w, *p);
        else
            mr_write_str(w, MR_STR("\xef\xbf\xbd")); /* U+FFFD */
        p++;
    }
    mr_write_u8(w, '"');
}

void mr_write_cell(struct mr_writer *w, struct mr_str s)
{
    for (size_t i = 0; i < s.size; i++) {
        if (s.data[i] == '|')
            mr_write_u8(w, '\\');
        mr_write_u8(w, (uint8_t)s.data[i]);
    }
}

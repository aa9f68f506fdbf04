/* function_regexp.c -- regular expressions (PCRE2, whose language is nearly Java's) and digests.
 *
 * A pattern is compiled once as long as it stays the same from row to row.  Matching is limited in steps: a pattern
 * that would take for ever fails its row. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "sql/function_int.h"

#include <openssl/evp.h>
#include <pcre2.h>
#include <string.h>

#include "base/env.h"
#include "base/text.h"
#include "sql/function_call_int.h"

enum { STEPS_MAX = 1000000, HEAP_KIB_MAX = 16384, PATTERN_BYTES_MAX = 65536, RESULT_BYTES_MAX = 64 << 20 };

struct regexp {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *context;
    struct mr_writer pattern; /* what code was made of */
    char wrong[256];          /* why code is NULL */
};

static void regexp_deinit(struct regexp *r)
{
    pcre2_code_free(r->code);
    pcre2_match_data_free(r->match);
    pcre2_match_context_free(r->context);
    mr_writer_deinit(&r->pattern);
}

/* Makes R that of PATTERN; false: it is wrong. */
static bool regexp_set(struct regexp *r, struct mr_str pattern)
{
    PCRE2_SIZE at = 0;
    int error = 0;

    if (r->context != NULL && mr_str_equal(mr_str_of_bytes(mr_writer_bytes(&r->pattern)), pattern))
        return r->code != NULL;
    if (r->context == NULL) {
        r->context = pcre2_match_context_create(NULL);
        pcre2_set_match_limit(r->context, STEPS_MAX);
        pcre2_set_heap_limit(r->context, HEAP_KIB_MAX);
    }
    pcre2_code_free(r->code);
    pcre2_match_data_free(r->match);
    r->code = NULL;
    r->match = NULL;
    r->pattern.size = 0;
    mr_write_str(&r->pattern, pattern);
    if (pattern.size > PATTERN_BYTES_MAX) {
        strcpy(r->wrong, "the pattern is too long");
        return false;
    }
    r->code = pcre2_compile((PCRE2_SPTR)(pattern.size == 0 ? "" : pattern.data), pattern.size,
                            PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &error, &at, NULL);
    if (r->code == NULL) {
        pcre2_get_error_message(error, (PCRE2_UCHAR *)r->wrong, sizeof(r->wrong));
        return false;
    }
    r->match = pcre2_match_data_create_from_pattern(r->code, NULL);
    return true;
}

/* Looks for it from byte START on: 1 found, 0 not, -1 given up. */
static int regexp_find(struct regexp *r, struct mr_str s, size_t start)
{
    int count = pcre2_match(r->code, (PCRE2_SPTR)(s.size == 0 ? "" : s.data), s.size, start, 0, r->match, r->context);

    if (count == PCRE2_ERROR_NOMATCH)
        return 0;
    if (count < 0) {
        pcre2_get_error_message(count, (PCRE2_UCHAR *)r->wrong, sizeof(r->wrong));
        return -1;
    }
    return 1;
}

/* Every match becomes NEW, as it stands: no $1, as in Flink. */
static int replace_all(struct regexp *r, struct mr_str s, struct mr_str new, struct mr_writer *out)
{
    size_t from = 0, copied = 0;

    while (from <= s.size) {
        const PCRE2_SIZE *at;
        int found = regexp_find(r, s, from);
        if (found < 0 || out->size + new.size + s.size > RESULT_BYTES_MAX)
            return -1;
        if (found == 0)
            break;
        at = pcre2_get_ovector_pointer(r->match);
        if (at[1] < at[0]) /* \\K in a look-ahead: the match ends before it begins */
            return -1;
        mr_write_str(out, (struct mr_str){ s.data + copied, at[0] - copied });
        mr_write_str(out, new);
        copied = from = at[1];
        if (at[1] == at[0]) { /* nothing was matched: on by one character */
            from++;
            while (from < s.size && ((unsigned char)s.data[from] & 0xc0) == 0x80)
                from++;
        }
    }
    mr_write_str(out, (struct mr_str){ s.data + copied, s.size - copied });
    return 1;
}

/* REGEXP, REGEXP_EXTRACT, REGEXP_REPLACE of one row. */
static void regexp_row(struct sql_call *c)
{
    struct regexp *r = c->state;
    struct mr_str s = sql_call_str(c, 0);
    const PCRE2_SIZE *at;
    int64_t group = 0;
    int found;

    if (!regexp_set(r, sql_call_str(c, 1))) {
        sql_call_fail(c, "the pattern is wrong: %s", r->wrong);
        return;
    }
    if (c->expr->op == SQL_REGEXP_REPLACE)
        found = replace_all(r, s, sql_call_str(c, 2), &c->text);
    else
        found = regexp_find(r, s, 0);
    if (found < 0) {
        sql_call_fail(c, "matching was given up: %s", r->wrong[0] != '\0' ? r->wrong : "the text would be too large");
    } else if (c->expr->op == SQL_REGEXP_REPLACE) {
        sql_call_text(c);
    } else if (c->expr->op == SQL_REGEXP_TEST) {
        data_append_bool(c->out, found == 1);
    } else {
        if (c->expr->arg_count > 2)
            group = sql_call_integer(c, 2);
        at = pcre2_get_ovector_pointer(r->match);
        if (found == 0 || group < 0 || group >= (int64_t)pcre2_get_ovector_count(r->match) ||
            at[2 * group] == PCRE2_UNSET || at[2 * group + 1] < at[2 * group])
            data_append_null(c->out);
        else
            data_append_str(c->out, (struct mr_str){ s.data + at[2 * group], at[2 * group + 1] - at[2 * group] });
    }
}

/* SIMILAR TO's pattern as a regular expression for the whole text. */
static void similar_pattern(struct mr_writer *out, struct mr_str pattern)
{
    bool in_class = false;

    mr_write_str(out, MR_STR("\\A(?s:"));
    for (size_t i = 0; i < pattern.size; i++) {
        char c = pattern.data[i];
        if (c == '[')
            in_class = true;
        else if (c == ']')
            in_class = false;
        if (c == '%' && !in_class) {
            mr_write_str(out, MR_STR(".*"));
        } else if (c == '_' && !in_class) {
            mr_write_u8(out, '.');
        } else {
            if (c == '\\' || ((c == '.' || c == '$' || c == '^') && !in_class))
                mr_write_u8(out, '\\');
            mr_write_u8(out, (uint8_t)c);
        }
    }
    mr_write_str(out, MR_STR(")\\z"));
}

static void similar_row(struct sql_call *c)
{
    struct regexp *r = c->state;
    int found;

    similar_pattern(&c->text, sql_call_str(c, 1));
    if (!regexp_set(r, mr_str_of_bytes(mr_writer_bytes(&c->text)))) {
        sql_call_fail(c, "the pattern is wrong: %s", r->wrong);
        return;
    }
    found = regexp_find(r, sql_call_str(c, 0), 0);
    if (found < 0)
        sql_call_fail(c, "matching was given up: %s", r->wrong);
    else
        data_append_bool(c->out, (found == 1) != (c->expr->op == 1));
}

struct data_column *sql_kernel_regexp(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct regexp r = { 0 };
    struct data_column *out = sql_call_rows(expr, eval, selected, regexp_row, &r);

    regexp_deinit(&r);
    return out;
}

struct data_column *sql_kernel_similar(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    struct regexp r = { 0 };
    struct data_column *out = sql_call_rows(expr, eval, selected, similar_row, &r);

    regexp_deinit(&r);
    return out;
}

/* ---- digests ---- */

static void call_digest(struct sql_call *c)
{
    const EVP_MD *const kinds[] = {
        [SQL_DIGEST_MD5] = EVP_md5(),       [SQL_DIGEST_SHA1] = EVP_sha1(),     [SQL_DIGEST_SHA224] = EVP_sha224(),
        [SQL_DIGEST_SHA256] = EVP_sha256(), [SQL_DIGEST_SHA384] = EVP_sha384(), [SQL_DIGEST_SHA512] = EVP_sha512(),
    };
    struct mr_str s = sql_call_str(c, 0);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (EVP_Digest(s.size == 0 ? "" : s.data, s.size, digest, &size, kinds[c->expr->op], NULL) != 1) {
        sql_call_fail(c, "OpenSSL does not offer it here");
        return;
    }
    for (unsigned i = 0; i < size; i++)
        mr_write_text(&c->text, "%02x", digest[i]);
    sql_call_text(c);
}

struct data_column *sql_kernel_digest(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    return sql_call_rows(expr, eval, selected, call_digest, NULL);
}

static void call_uuid(struct sql_call *c)
{
    uint8_t uuid[16];
    char text[37];

    mr_random_uuid(mr_env_real(), uuid);
    mr_uuid_format(text, uuid);
    data_append_str(c->out, (struct mr_str){ text, 36 });
}

struct data_column *sql_kernel_uuid(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected)
{
    return sql_call_rows(expr, eval, selected, call_uuid, NULL);
}

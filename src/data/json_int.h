/* json_int.h -- inside of data: walking over a JSON text by the places of its tokens.
 *
 * simdjson's first stage checks UTF-8, control characters and closed strings, and lists where tokens begin: { } [ ] : ,
 * every string's opening quote, and the first byte of every other run (numbers, true, anything wrong).  The grammar is
 * checked here, so what is valid does not depend on what is converted. */
#ifndef DATA_JSON_INT_H
#define DATA_JSON_INT_H

#include "data/data.h"

#ifdef __cplusplus
extern "C" {
#endif

enum json_limits {
    JSON_DEPTH_MAX = 512,
    JSON_PATH_MAX = JSON_DEPTH_MAX + 2,
};

/* ---- json_index.cc ---- */

struct json_index;
struct json_index *json_index_new(void);
void json_index_free(struct json_index *index); /* NULL is legal */
/* Lists the tokens of TEXT: *OUT[0 .. *count) are offsets, borrowed until the next run.  Reads nothing after TEXT. */
MR_MUST_CHECK enum mr_status json_index_run(struct json_index *index, struct mr_bytes text, const uint32_t **out,
                                            uint32_t *count, struct mr_err *err);

/* ---- json_walk.c ---- */

struct json_step {
    const char *name; /* NULL: an array's element */
    size_t name_size;
    size_t element;
};

struct json_walk {
    struct json_index *index; /* owned */
    const uint8_t *text;      /* borrowed during a run */
    size_t size;
    const uint32_t *at; /* the next token */
    const uint32_t *end;
    uint32_t depth;
    struct json_step path[JSON_PATH_MAX]; /* [0, depth): where we are, for messages */
};

/* A scanned number: its text, and whether it has neither fraction nor exponent. */
struct json_number {
    const char *text;
    size_t size;
    bool integer;
};

/* Starts over TEXT, which must be an object or array.  A byte order mark is skipped. */
MR_MUST_CHECK enum mr_status json_walk_start(struct json_walk *w, struct mr_bytes text, struct mr_err *err);
/* After the root value: is there nothing more? */
MR_MUST_CHECK enum mr_status json_walk_finish(struct json_walk *w, struct mr_err *err);
/* Starts over TEXT and checks all of it.  An err of MR_INVALID begins with "not JSON", unless TEXT is JSON but neither
 * an object nor an array.  On success the next token is the first again. */
MR_MUST_CHECK enum mr_status json_document_check(struct json_walk *w, struct mr_bytes text, struct mr_err *err);
/* The first byte of the next token; 0 at the end. */
static inline uint8_t json_peek(const struct json_walk *w)
{
    return w->at < w->end ? w->text[*w->at] : 0;
}
/* Takes the next token if it is C. */
static inline bool json_take(struct json_walk *w, uint8_t c)
{
    if (json_peek(w) != c)
        return false;
    w->at++;
    return true;
}
/* The most bytes the string at the next token can have between its quotes. */
static inline size_t json_string_room(const struct json_walk *w)
{
    return (w->at + 1 < w->end ? w->at[1] : w->size) - *w->at;
}
/* Takes a string token: copies its characters, unescaped, to OUT (json_string_room bytes + 8) and returns their number.
 */
MR_MUST_CHECK enum mr_status json_string_copy(struct json_walk *w, char *out, size_t *size, struct mr_err *err);
/* Takes a string token, checked and not converted; *RAW (may be NULL) is what is between its quotes, *ESCAPED whether
 * that has a backslash. */
MR_MUST_CHECK enum mr_status json_string_check(struct json_walk *w, struct mr_str *raw, bool *escaped,
                                               struct mr_err *err);
/* Takes a number token. */
MR_MUST_CHECK enum mr_status json_number_scan(struct json_walk *w, struct json_number *out, struct mr_err *err);
/* Takes the token if it is the word true, false or null. */
bool json_word_take(struct json_walk *w, const char *word, size_t size);
/* Takes a whole value, checked and not converted; *RAW (may be NULL) is its text. */
MR_MUST_CHECK enum mr_status json_value_check(struct json_walk *w, struct mr_str *raw, struct mr_err *err);
/* Sets ERR: "$.a.b[3]: expected WHAT, found ..." with what the next token is. */
enum mr_status json_expected(const struct json_walk *w, struct mr_err *err, const char *format, ...) MR_PRINTF(3, 4);
/* Sets ERR to the path and a message. */
enum mr_status json_wrong(const struct json_walk *w, enum mr_status status, struct mr_err *err, const char *format, ...)
    MR_PRINTF(4, 5);
#ifdef __clang_analyzer__ /* as mr_err_set */
#define json_expected(w, ...)      mr_err_returns((json_expected)((w), __VA_ARGS__), MR_INVALID)
#define json_wrong(w, status, ...) mr_err_returns((json_wrong)((w), (status), __VA_ARGS__), (status))
#endif

/* Every value's way in and out: false (err is set) when it is nested too deeply. */
static inline bool json_path_push(struct json_walk *w, const char *name, size_t name_size, size_t element)
{
    if (w->depth >= JSON_PATH_MAX)
        return false;
    w->path[w->depth].name = name;
    w->path[w->depth].name_size = name_size;
    w->path[w->depth].element = element;
    w->depth++;
    return true;
}
static inline void json_path_pop(struct json_walk *w)
{
    w->depth--;
}

#ifdef __cplusplus
}
#endif
#endif

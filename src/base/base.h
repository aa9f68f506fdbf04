/* base.h -- what every room builds on: status and errors, bytes, memory.  The other public headers of this room each
 * have one purpose and are included where they are needed: env.h (time, files, chance), logging.h, metrics.h,
 * config.h, hash.h, map.h, text.h, thread.h.
 *
 * Threads: nothing here is shared between threads unless its comment says [any].
 * Memory:  mr_alloc never returns NULL: it ends the program when there is no memory.  So every size that was read from
 * a wire or a file is compared with a named limit before it is allocated. */
#ifndef MR_BASE_H
#define MR_BASE_H

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MR_MUST_CHECK          __attribute__((warn_unused_result))
#define MR_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define MR_COUNT(array)        (sizeof(array) / sizeof((array)[0]))
#define MR_UNUSED(x)           ((void)(x))

/* ---- status and error ---- */

#define MR_STATUS_MAP(X)                                                                                               \
    X(OK, "ok")                                                                                                        \
    X(NEED_MORE, "input ends before the message does")                                                                 \
    X(NOT_FOUND, "no such object")                                                                                     \
    X(EXISTS, "already there")                                                                                         \
    X(INVALID, "the input is wrong")                                                                                   \
    X(DENIED, "not allowed")                                                                                           \
    X(LIMIT, "a limit was reached")                                                                                    \
    X(BUSY, "in use, or not yet ready")                                                                                \
    X(CORRUPT, "stored bytes fail their check")                                                                        \
    X(IO, "the system or the peer refused")                                                                            \
    X(UNSUPPORTED, "not there in this version")

#define MR_STATUS_ENUM(name, text) MR_##name,
enum mr_status { MR_STATUS_MAP(MR_STATUS_ENUM) MR_STATUS_N };
#undef MR_STATUS_ENUM

/* The status in words, as in MR_STATUS_MAP. [any] */
const char *mr_status_text(enum mr_status status);

#define MR_ERR_BYTES 768

/* What went wrong, for the person who reads it.  Set once where the cause is known; callers add context in front. */
struct mr_err {
    enum mr_status status;
    int line;   /* 1-based place in the text that the user wrote; 0 when there is none */
    int column; /* 1-based, in characters */
    char text[MR_ERR_BYTES];
};

#define MR_ERR_INIT                                                                                                    \
    {                                                                                                                  \
        .status = MR_OK                                                                                                \
    }

/* Sets ERR (may be NULL) and returns STATUS, so that "return mr_err_set(...)" reads well.  Cut, never overrun. [any] */
enum mr_status mr_err_set(struct mr_err *err, enum mr_status status, const char *format, ...) MR_PRINTF(3, 4);

/* mr_err_set plus ": " and the text of ERRNO_VALUE. [any] */
enum mr_status mr_err_set_errno(struct mr_err *err, enum mr_status status, int errno_value, const char *format, ...)
    MR_PRINTF(4, 5);

/* Like mr_err_set, with the place in the user's text. [any] */
enum mr_status mr_err_set_at(struct mr_err *err, enum mr_status status, int line, int column, const char *format, ...)
    MR_PRINTF(5, 6);

#ifdef __clang_analyzer__
/* The static analyzer does not see into other files: told here, it knows that these return the STATUS they are given,
 * and follows no path on which a failure is MR_OK. */
static inline enum mr_status mr_err_returns(enum mr_status returned, enum mr_status status)
{
    MR_UNUSED(returned);
    return status;
}
#define mr_err_set(err, status, ...)       mr_err_returns((mr_err_set)((err), (status), __VA_ARGS__), (status))
#define mr_err_set_errno(err, status, ...) mr_err_returns((mr_err_set_errno)((err), (status), __VA_ARGS__), (status))
#define mr_err_set_at(err, status, ...)    mr_err_returns((mr_err_set_at)((err), (status), __VA_ARGS__), (status))
#endif

/* Puts "CONTEXT: " in front of ERR's text; ERR may be NULL. [any] */
void mr_err_context(struct mr_err *err, const char *format, ...) MR_PRINTF(2, 3);

/* ---- bytes ---- */

/* Borrowed bytes.  data may be NULL only when size is 0; which of both an absent value is, its field says. */
struct mr_bytes {
    const uint8_t *data;
    size_t size;
};

/* Borrowed text, not NUL-terminated.  data == NULL means null (absent), unlike the empty string. */
struct mr_str {
    const char *data;
    size_t size;
};

#define MR_STR(literal) ((struct mr_str){ (literal), sizeof(literal) - 1 })
#define MR_STR_NULL     ((struct mr_str){ NULL, 0 })
#define MR_BYTES_NULL   ((struct mr_bytes){ NULL, 0 })
/* For printf: "%.*s", MR_STR_ARG(s) */
#define MR_STR_ARG(s) (int)(s).size, (s).data ? (s).data : ""

/* Text up to its NUL; NULL gives the null string. [any] */
struct mr_str mr_str_of(const char *text);
/* Same bytes?  A null string equals only a null string. [any] */
bool mr_str_equal(struct mr_str a, struct mr_str b);
/* Same letters, ASCII case aside? [any] */
bool mr_str_equal_nocase(struct mr_str a, struct mr_str b);
/* S without the blanks and control characters at both ends (as Java's String.trim). [any] */
struct mr_str mr_str_trim(struct mr_str s);
/* Order by bytes, shorter first when one is a prefix: <0, 0, >0. [any] */
int mr_bytes_compare(struct mr_bytes a, struct mr_bytes b);
/* Same memory seen as the other type. [any] */
struct mr_bytes mr_bytes_of_str(struct mr_str s);
struct mr_str mr_str_of_bytes(struct mr_bytes b);

/* Reads big-endian integers and slices from bytes it borrows.  Sticky: after the first read past the end, failed is
 * true and every further read gives 0 or a null slice, so callers check once at the end. */
struct mr_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

/* A reader over B. */
struct mr_reader mr_reader_of(struct mr_bytes b);
/* Bytes not yet read; 0 after a failure. */
size_t mr_reader_left(const struct mr_reader *r);
/* Marks the reader failed (for callers that find a wrong value). */
void mr_reader_fail(struct mr_reader *r);
uint8_t mr_read_u8(struct mr_reader *r);         /* one byte */
int8_t mr_read_i8(struct mr_reader *r);          /* one byte, signed */
int16_t mr_read_i16(struct mr_reader *r);        /* big-endian */
uint16_t mr_read_u16(struct mr_reader *r);       /* big-endian */
int32_t mr_read_i32(struct mr_reader *r);        /* big-endian */
uint32_t mr_read_u32(struct mr_reader *r);       /* big-endian */
int64_t mr_read_i64(struct mr_reader *r);        /* big-endian */
uint64_t mr_read_u64(struct mr_reader *r);       /* big-endian */
double mr_read_f64(struct mr_reader *r);         /* IEEE 754, big-endian */
uint32_t mr_read_uvarint32(struct mr_reader *r); /* unsigned LEB128, at most 5 bytes */
uint64_t mr_read_uvarint64(struct mr_reader *r); /* unsigned LEB128, at most 10 bytes */
int32_t mr_read_varint32(struct mr_reader *r);   /* zigzag LEB128 */
int64_t mr_read_varint64(struct mr_reader *r);   /* zigzag LEB128 */
/* The next SIZE bytes, borrowed from the reader's input. */
struct mr_bytes mr_read_slice(struct mr_reader *r, size_t size);

/* A growing byte buffer that owns its memory.  {0} is a valid empty one; mr_writer_deinit frees it. */
struct mr_writer {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

/* Frees the buffer; the writer is empty and usable afterwards. */
void mr_writer_deinit(struct mr_writer *w);
/* Makes room for SIZE more bytes and returns where they go; the caller then adds to w->size what it wrote. */
uint8_t *mr_writer_reserve(struct mr_writer *w, size_t size);
/* What was written, borrowed until the next write. */
struct mr_bytes mr_writer_bytes(const struct mr_writer *w);
void mr_write_u8(struct mr_writer *w, uint8_t v);
void mr_write_i8(struct mr_writer *w, int8_t v);
void mr_write_i16(struct mr_writer *w, int16_t v); /* big-endian, as all below */
void mr_write_u16(struct mr_writer *w, uint16_t v);
void mr_write_i32(struct mr_writer *w, int32_t v);
void mr_write_u32(struct mr_writer *w, uint32_t v);
void mr_write_i64(struct mr_writer *w, int64_t v);
void mr_write_u64(struct mr_writer *w, uint64_t v);
void mr_write_f64(struct mr_writer *w, double v);
void mr_write_uvarint(struct mr_writer *w, uint64_t v); /* unsigned LEB128 */
void mr_write_varint(struct mr_writer *w, int64_t v);   /* zigzag LEB128 */
void mr_write_bytes(struct mr_writer *w, struct mr_bytes b);
void mr_write_str(struct mr_writer *w, struct mr_str s); /* the bytes alone, no length, no NUL */
void mr_write_text(struct mr_writer *w, const char *format, ...) MR_PRINTF(2, 3); /* as printf, without the NUL */
/* Overwrites four bytes at POSITION (which was written before) with V, big-endian: lengths known only at the end. */
void mr_write_i32_at(struct mr_writer *w, size_t position, int32_t v);

/* Big-endian stores and loads at an address of any alignment. [any] */
void mr_store_i32(uint8_t *at, int32_t v);
void mr_store_i64(uint8_t *at, int64_t v);
int32_t mr_load_i32(const uint8_t *at);
int64_t mr_load_i64(const uint8_t *at);

/* ---- memory ---- */

/* SIZE bytes, uninitialised; never NULL. [any] */
void *mr_alloc(size_t size) __attribute__((malloc, returns_nonnull));
/* COUNT * SIZE zeroed bytes; ends the program when the product overflows. [any] */
void *mr_calloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
/* As realloc; never NULL. [any] */
void *mr_realloc(void *p, size_t size) __attribute__((returns_nonnull));
/* As free; NULL is legal. [any] */
void mr_free(void *p);
/* Copies, NUL-terminated, freed with mr_free. [any] */
char *mr_strdup(const char *text);
char *mr_str_dup(struct mr_str s);

/* Memory of one request, statement or batch: all of it is freed at once. */
struct mr_arena;

/* A new arena; caller owns it: mr_arena_free. */
struct mr_arena *mr_arena_new(void);
/* Frees the arena and all that came from it; NULL is legal. */
void mr_arena_free(struct mr_arena *a);
/* Forgets all that came from A but keeps some memory for what comes next. */
void mr_arena_reset(struct mr_arena *a);
/* SIZE bytes aligned for any type, valid until reset or free. */
void *mr_arena_alloc(struct mr_arena *a, size_t size) __attribute__((returns_nonnull));
/* The same, zeroed. */
void *mr_arena_calloc(struct mr_arena *a, size_t count, size_t size) __attribute__((returns_nonnull));
/* Copies into the arena; the text is NUL-terminated (the NUL is not counted in size). */
struct mr_str mr_arena_str(struct mr_arena *a, struct mr_str s);
struct mr_bytes mr_arena_bytes(struct mr_arena *a, struct mr_bytes b);
/* printf into the arena, NUL-terminated. */
char *mr_arena_printf(struct mr_arena *a, const char *format, ...) MR_PRINTF(2, 3);
/* Bytes the arena holds from the system now. */
size_t mr_arena_size(const struct mr_arena *a);

#define MR_NEW(type)                       ((type *)mr_calloc(1, sizeof(type)))
#define MR_ARENA_NEW(arena, type)          ((type *)mr_arena_calloc((arena), 1, sizeof(type)))
#define MR_ARENA_ARRAY(arena, type, count) ((type *)mr_arena_calloc((arena), (count), sizeof(type)))

/* Grows ARRAY (heap, elements of its type) so that index COUNT is valid; CAPACITY is updated.  Doubles. */
#define MR_GROW(array, count, capacity)                                                                                \
    do {                                                                                                               \
        if ((count) >= (capacity)) {                                                                                   \
            (capacity) = (capacity) ? (capacity)*2 : 8;                                                                \
            (array) = mr_realloc((array), (size_t)(capacity) * sizeof(*(array)));                                      \
        }                                                                                                              \
    } while (0)

#ifdef __cplusplus
}
#endif
#endif

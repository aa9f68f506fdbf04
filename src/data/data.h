/* data.h -- types, columnar batches in Arrow's C layout, casts, JSON to and from columns.
 *
 * Threads: a batch or column is written by one thread; once filled it may be read by any, and ref/unref are [any].
 * Memory:  types are immutable and borrowed: a batch's type must outlive the batch.  Batches and columns are counted:
 *          _new gives one reference, _unref frees at the last.
 * Layout:  as Arrow's: validity bit i (least significant first) set means "not null"; BOOLEAN is bit-packed; STRING and
 *          BYTES are int32 offsets (length + 1 of them) and bytes; ROW has one child a field, of the same length; ARRAY
 *          has int32 offsets into its one child.  Buffers are aligned as malloc does it. */
#ifndef DATA_DATA_H
#define DATA_DATA_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- types ---- */

/* Flink's kinds.  Numbers are never reused: stored plans name them. */
enum data_kind {
    DATA_NULL, /* the type of the literal NULL: every value is null */
    DATA_BOOLEAN,
    DATA_TINYINT,  /* int8 */
    DATA_SMALLINT, /* int16 */
    DATA_INT,      /* int32 */
    DATA_BIGINT,   /* int64 */
    DATA_FLOAT,
    DATA_DOUBLE,
    DATA_DECIMAL,        /* data_i128: the digits without their point; precision 1-38, scale 0-precision */
    DATA_STRING,         /* UTF-8; length and fixed: VARCHAR(n), CHAR(n) */
    DATA_BYTES,          /* length and fixed: VARBINARY(n), BINARY(n) */
    DATA_DATE,           /* int32 days since 1970-01-01; years 1 to 9999 */
    DATA_TIME,           /* int32 ms of the day; precision 0-9, milliseconds are kept, as in Flink */
    DATA_TIMESTAMP,      /* int64 µs since 1970 as a clock on a wall shows it; precision 0-6 */
    DATA_TIMESTAMP_LTZ,  /* int64 µs since 1970 UTC; precision 0-6; zone: how it is shown */
    DATA_ROW,            /* fields */
    DATA_ARRAY,          /* fields[0]: the element */
    DATA_MAP,            /* fields[0] key, fields[1] value */
    DATA_INTERVAL_MONTH, /* int32 months; only inside of expressions */
    DATA_INTERVAL_DAY,   /* int64 µs; only inside of expressions */
    DATA_KIND_N
};

__extension__ typedef __int128 data_i128; /* the one typedef: the language has no name for it */

struct data_field;
struct mr_zone;

struct data_type {
    enum data_kind kind;
    bool nullable;
    uint8_t precision;
    uint8_t scale;
    bool fixed;      /* CHAR, BINARY: padded to its length */
    uint32_t length; /* of STRING (characters) and BYTES; 0: any */
    uint32_t field_count;
    const struct data_field *fields;
    const struct mr_zone *zone; /* TIMESTAMP_LTZ: how it becomes text, a date ...; NULL: UTC; no part of equality */
};

struct data_field {
    struct mr_str name;
    const struct data_type *type;
};

enum data_limits {
    DATA_FIELDS_MAX = 4096, /* fields of one ROW */
    DATA_DEPTH_MAX = 64,    /* nesting of a type, and of a JSON value */
    DATA_DECIMAL_DIGITS_MAX = 38,
    DATA_TIMESTAMP_DIGITS_MAX = 6, /* microseconds; Flink has up to 9 */
};

/* The static type of a scalar KIND (or DATA_NULL); never freed: DECIMAL(10, 0), TIME(0), TIMESTAMP(6). [any] */
const struct data_type *data_type_scalar(enum data_kind kind, bool nullable);
/* A ROW of FIELDS (copied with their names; the field types are borrowed), an ARRAY of ELEMENT (borrowed), in ARENA. */
const struct data_type *data_type_row(struct mr_arena *arena, const struct data_field *fields, uint32_t field_count,
                                      bool nullable);
const struct data_type *data_type_array(struct mr_arena *arena, const struct data_type *element, bool nullable);
/* DECIMAL(PRECISION, SCALE); STRING or BYTES of at most LENGTH (0: any), or exactly when FIXED; TIME, TIMESTAMP or
 * TIMESTAMP_LTZ with PRECISION; a MAP; TIMESTAMP_LTZ shown in ZONE (borrowed; NULL: UTC). */
const struct data_type *data_type_decimal(struct mr_arena *arena, unsigned precision, unsigned scale, bool nullable);
const struct data_type *data_type_sized(struct mr_arena *arena, enum data_kind kind, uint32_t length, bool fixed,
                                        bool nullable);
const struct data_type *data_type_time(struct mr_arena *arena, enum data_kind kind, unsigned precision, bool nullable);
const struct data_type *data_type_map(struct mr_arena *arena, const struct data_type *key,
                                      const struct data_type *value, bool nullable);
const struct data_type *data_type_with_zone(struct mr_arena *arena, const struct data_type *type,
                                            const struct mr_zone *zone);
/* The same type with NULLABLE; the same pointer when nothing changes. */
const struct data_type *data_type_with_nullable(struct mr_arena *arena, const struct data_type *type, bool nullable);
/* A copy that shares nothing with TYPE. */
const struct data_type *data_type_copy(struct mr_arena *arena, const struct data_type *type);
/* Same kind, nullability, field names and field types? [any] */
bool data_type_equal(const struct data_type *a, const struct data_type *b);
/* Same as data_type_equal, nullability aside. [any] */
bool data_type_same(const struct data_type *a, const struct data_type *b);
/* Appends the type in Flink's spelling: INT, STRING NOT NULL, ROW<`a` INT, `b` ARRAY<STRING>>. */
void data_type_write(struct mr_writer *out, const struct data_type *type);
/* Appends NAME as SQL quotes it: between backticks, those in it doubled. */
void data_name_write(struct mr_writer *out, struct mr_str name);
/* The same as text in ARENA. */
char *data_type_text(struct mr_arena *arena, const struct data_type *type);
/* "INT" for DATA_INT ...  [any] */
const char *data_kind_name(enum data_kind kind);
/* The kind called NAME (any case; INTEGER for INT too); false when there is none. [any] */
bool data_kind_parse(struct mr_str name, enum data_kind *out);
/* Can columns of this kind be made in this version? [any] */
bool data_kind_supported(enum data_kind kind);
/* TINYINT ... DECIMAL? [any] */
bool data_kind_numeric(enum data_kind kind);
/* Index of the field called NAME (exact), or -1. [any] */
int data_type_field(const struct data_type *row, struct mr_str name);
/* TINYINT, SMALLINT, INT, BIGINT? [any] */
bool data_kind_integer(enum data_kind kind);
/* ROW, ARRAY, MAP? [any] */
bool data_kind_nested(enum data_kind kind);
/* DATE, TIME, TIMESTAMP, TIMESTAMP_LTZ? [any] */
bool data_kind_temporal(enum data_kind kind);
/* Width in bytes of a fixed-width value; 0 for BOOLEAN, STRING, BYTES, ROW, ARRAY, MAP, NULL. [any] */
size_t data_kind_width(enum data_kind kind);

/* ---- columns ---- */

struct data_column {
    const struct data_type *type; /* borrowed */
    uint32_t length;              /* rows */
    uint32_t capacity;            /* rows that validity, values and offsets have room for */
    uint32_t null_count;
    int32_t refs;
    bool overflowed;   /* a value did not fit (2 GiB of text in one column) and is NULL instead: the batch is void */
    uint8_t *validity; /* owned; always there; bits at and after length are 1 */
    void *values;      /* owned; fixed-width values, bits of BOOLEAN, or the bytes of STRING */
    size_t values_capacity;        /* of the bytes of STRING and BYTES */
    int32_t *offsets;              /* owned; STRING, BYTES, ARRAY and MAP: capacity + 1 */
    struct data_column **children; /* owned, one reference each */
    uint32_t child_count;
};

/* An empty column of TYPE (data_kind_supported, all the way down). */
struct data_column *data_column_new(const struct data_type *type);
struct data_column *data_column_ref(struct data_column *column); /* one more reference; the same pointer. [any] */
void data_column_unref(struct data_column *column);              /* NULL is legal. [any] */
/* Makes it empty, keeping its memory.  Only while there is one reference (children too). */
void data_column_reset(struct data_column *column);
/* Can it be reset and filled again: nobody else holds it or a child of it? */
bool data_column_exclusive(const struct data_column *column);
/* Cuts it to LENGTH rows (not more than it has), children too. */
void data_column_truncate(struct data_column *column, uint32_t length);
/* Makes room for ROWS more rows. */
void data_column_reserve(struct data_column *column, uint32_t rows);
/* Appends COUNT NULLs.  A ROW's children get NULLs too; an ARRAY's child gets nothing. */
void data_append_nulls(struct data_column *column, uint32_t count);
/* Appends row ROW of FROM (same type, nullability aside). */
void data_append_from(struct data_column *column, const struct data_column *from, uint32_t row);
/* Makes a new column of COUNT rows: rows[i] of COLUMN.  Caller owns. */
struct data_column *data_column_take(const struct data_column *column, const uint32_t *rows, uint32_t count);
/* Makes a new ROW column of the given children (referenced, not copied), all of LENGTH rows, no NULLs.  Caller owns. */
struct data_column *data_column_of_children(const struct data_type *row, struct data_column *const *children,
                                            uint32_t length);
/* Used by the append functions below: makes room for one more row, or for SIZE more bytes (false: does not fit). */
void data_column_grow(struct data_column *column, uint32_t rows);
bool data_column_grow_bytes(struct data_column *column, size_t size);

static inline bool data_is_null(const struct data_column *c, uint32_t row)
{
    return c->null_count != 0 && !(c->validity[row >> 3] & (1u << (row & 7)));
}
static inline bool data_bool(const struct data_column *c, uint32_t row)
{
    return (((const uint8_t *)c->values)[row >> 3] >> (row & 7)) & 1;
}
static inline int8_t data_i8(const struct data_column *c, uint32_t row)
{
    return ((const int8_t *)c->values)[row];
}
static inline int16_t data_i16(const struct data_column *c, uint32_t row)
{
    return ((const int16_t *)c->values)[row];
}
static inline int32_t data_i32(const struct data_column *c, uint32_t row)
{
    return ((const int32_t *)c->values)[row];
}
static inline int64_t data_i64(const struct data_column *c, uint32_t row)
{
    return ((const int64_t *)c->values)[row];
}
static inline float data_f32(const struct data_column *c, uint32_t row)
{
    return ((const float *)c->values)[row];
}
static inline double data_f64(const struct data_column *c, uint32_t row)
{
    return ((const double *)c->values)[row];
}
/* The digits of a DECIMAL (buffers of malloc are aligned for it). */
static inline data_i128 data_dec(const struct data_column *c, uint32_t row)
{
    return ((const data_i128 *)c->values)[row];
}
/* TINYINT, SMALLINT, INT or BIGINT, DATE, TIME, TIMESTAMP or INTERVAL as int64. */
int64_t data_integer(const struct data_column *c, uint32_t row);
/* The text of row ROW (empty when null), borrowed from the column until it changes. */
static inline struct mr_str data_str(const struct data_column *c, uint32_t row)
{
    struct mr_str s = { (const char *)c->values + c->offsets[row], (size_t)(c->offsets[row + 1] - c->offsets[row]) };
    return s;
}
/* Rows [*start, *end) of children[0] are the elements of row ROW of an ARRAY; of both children, a MAP's entries. */
static inline void data_array_range(const struct data_column *c, uint32_t row, uint32_t *start, uint32_t *end)
{
    *start = (uint32_t)c->offsets[row];
    *end = (uint32_t)c->offsets[row + 1];
}

/* Each appends one row.  The column's kind must be the one named. */
static inline void data_append_null(struct data_column *c)
{
    data_append_nulls(c, 1);
}
static inline void data_append_bool(struct data_column *c, bool v)
{
    uint8_t *bits;
    if (c->length == c->capacity)
        data_column_grow(c, 1);
    bits = (uint8_t *)c->values + (c->length >> 3);
    *bits = (uint8_t)((*bits & ~(1u << (c->length & 7))) | ((unsigned)v << (c->length & 7)));
    c->length++;
}
static inline void data_append_i8(struct data_column *c, int8_t v)
{
    if (c->length == c->capacity)
        data_column_grow(c, 1);
    ((int8_t *)c->values)[c->length++] = v;
}
static inline void data_append_i16(struct data_column *c, int16_t v)
{
    if (c->length == c->capacity)
        data_column_grow(c, 1);
    ((int16_t *)c->values)[c->length++] = v;
}
static inline void data_append_i32(struct data_column *c, int32_t v)
{
    if (c->length == c->capacity)
        data_column_grow(c, 1);
    ((int32_t *)c->values)[c->length++] = v;
}
static inline void data_append_i64(struct data_column *c, int64_t v)
{
    if (c->length == c->capacity)
        data_column_grow(c, 1);
    ((int64_t *)c->values)[c->length++] = v;
}
static inline void data_append_f32(struct data_column *c, float v)
{
    if (c->length == c->capacity)
        data_column_grow(c, 1);
    ((float *)c->values)[c->length++] = v;
}
static inline void data_append_f64(struct data_column *c, double v)
{
    if (c->length == c->capacity)
        data_column_grow(c, 1);
    ((double *)c->values)[c->length++] = v;
}
static inline void data_append_dec(struct data_column *c, data_i128 v)
{
    if (c->length == c->capacity)
        data_column_grow(c, 1);
    ((data_i128 *)c->values)[c->length++] = v;
}
/* Appends V to a column that data_integer reads; V fits. */
void data_append_integer(struct data_column *c, int64_t v);
/* Room for SIZE bytes of text at the end of the column, to be filled by the caller, who then says how many were used
 * with data_append_str_end; NULL when they do not fit (the row is then appended as NULL, overflowed is set). */
static inline char *data_append_str_begin(struct data_column *c, size_t size)
{
    if (c->length == c->capacity)
        data_column_grow(c, 1);
    if ((size_t)c->offsets[c->length] + size >= c->values_capacity && !data_column_grow_bytes(c, size)) {
        data_append_nulls(c, 1);
        return NULL;
    }
    return (char *)c->values + c->offsets[c->length];
}
static inline void data_append_str_end(struct data_column *c, size_t used)
{
    c->offsets[c->length + 1] = c->offsets[c->length] + (int32_t)used;
    c->length++;
}
static inline void data_append_str(struct data_column *c, struct mr_str v)
{
    char *at = data_append_str_begin(c, v.size);
    if (at != NULL) {
        if (v.size != 0)
            __builtin_memcpy(at, v.data, v.size);
        data_append_str_end(c, v.size);
    }
}
/* A row of a ROW that is not null: call it after every child has got its value. */
void data_append_row(struct data_column *column);
/* A row of an ARRAY or MAP that is not null: call it after the elements were appended to the children. */
void data_append_array(struct data_column *column);

/* ---- batches ---- */

enum data_change { DATA_INSERT, DATA_UPDATE_BEFORE, DATA_UPDATE_AFTER, DATA_DELETE }; /* +I -U +U -D */

/* Rows of a ROW type.  Every column has row_count rows. */
struct data_batch {
    const struct data_type *type; /* borrowed; DATA_ROW */
    uint32_t row_count;
    uint32_t column_count;
    int32_t refs;
    struct data_column **columns; /* owned, one reference each */
    uint8_t *changes;             /* owned; enum data_change a row; NULL: all are +I */
};

/* An empty batch with an empty column for each field. */
struct data_batch *data_batch_new(const struct data_type *row);
/* A batch of COLUMNS (referenced, not copied), each of ROW_COUNT rows. */
struct data_batch *data_batch_of(const struct data_type *row, struct data_column *const *columns, uint32_t row_count);
struct data_batch *data_batch_ref(struct data_batch *batch); /* [any] */
void data_batch_unref(struct data_batch *batch);             /* NULL is legal. [any] */
/* Makes it empty, keeping what memory nobody else holds.  Only while there is one reference to the batch. */
void data_batch_reset(struct data_batch *batch);
/* Did a column overflow (see struct data_column)? */
bool data_batch_overflowed(const struct data_batch *batch);

/* The structs of the Arrow C data interface, as its specification gives them. */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE           2
#define ARROW_FLAG_MAP_KEYS_SORTED    4
struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};
struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};
#endif

/* Exports without copying values: ARRAY holds a reference to each column until its release is called (by any thread).
 * The batch must not be reset or appended to meanwhile other than by data_batch_reset, which leaves held columns alone.
 * Either may be NULL. */
void data_batch_export(struct data_batch *batch, struct ArrowSchema *schema, struct ArrowArray *array);

/* ---- decimals: an integer V and a SCALE mean V / 10^SCALE ---- */

enum { DATA_DECIMAL_BYTES = 44 }; /* 38 digits, "0.", a sign */

/* 10^DIGITS, DIGITS at most 38. [any] */
data_i128 data_decimal_power(unsigned digits);
/* Has V at most PRECISION digits? [any] */
bool data_decimal_fits(data_i128 v, unsigned precision);
/* V of scale FROM as DECIMAL(PRECISION, SCALE), half away from zero; false: too many digits, *OUT undefined. [any] */
bool data_decimal_rescale(data_i128 v, unsigned from, unsigned precision, unsigned scale, data_i128 *out);
/* The exact result rounded once to DECIMAL(PRECISION, SCALE); false: too many digits, *OUT is undefined.  The divisor
 * of div and mod is not 0; mod has the sign of A. [any] */
bool data_decimal_add(data_i128 a, unsigned a_scale, data_i128 b, unsigned b_scale, unsigned precision, unsigned scale,
                      data_i128 *out);
bool data_decimal_mul(data_i128 a, unsigned a_scale, data_i128 b, unsigned b_scale, unsigned precision, unsigned scale,
                      data_i128 *out);
bool data_decimal_div(data_i128 a, unsigned a_scale, data_i128 b, unsigned b_scale, unsigned precision, unsigned scale,
                      data_i128 *out);
bool data_decimal_mod(data_i128 a, unsigned a_scale, data_i128 b, unsigned b_scale, unsigned precision, unsigned scale,
                      data_i128 *out);
/* Less than, equal to or greater than 0, as the values compare. [any] */
int data_decimal_compare(data_i128 a, unsigned a_scale, data_i128 b, unsigned b_scale);
/* "12.50", "-0.05"; returns the length, no NUL. [any] */
size_t data_decimal_format(char out[DATA_DECIMAL_BYTES], data_i128 v, unsigned scale);
/* Text ("1", "-.5", "1.5e3", blanks around it) to the nearest DECIMAL(PRECISION, SCALE).  MR_INVALID: no number;
 * MR_LIMIT: too many digits before the point. [any] */
MR_MUST_CHECK enum mr_status data_parse_decimal(struct mr_str text, unsigned precision, unsigned scale, data_i128 *out);
/* The nearest double; the decimal nearest to the shortest text of V (false: too many digits, or no number). [any] */
double data_decimal_to_double(data_i128 v, unsigned scale);
bool data_decimal_of_double(double v, unsigned precision, unsigned scale, data_i128 *out);

/* ---- dates and times ---- */

enum {
    DATA_TIME_BYTES = 40,   /* of a formatted one */
    DATA_DAY_MIN = -719162, /* 0001-01-01 */
    DATA_DAY_MAX = 2932896, /* 9999-12-31 */
};
#define DATA_DAY_US INT64_C(86400000000)

/* Days of US, rounded down; the rest is the time of that day. [any] */
int64_t data_day_floor(int64_t us);
/* MONTHS later; a day that the month has not becomes its last. [any] */
int64_t data_day_add_months(int64_t days, int64_t months);
/* Is US within the years 1 to 9999? [any] */
bool data_timestamp_valid(int64_t us);
/* Cuts US to PRECISION digits of a second, downwards. [any] */
int64_t data_timestamp_cut(int64_t us, unsigned precision);
/* What the clocks of TYPE's zone (a TIMESTAMP_LTZ's) show at US. [any] */
int64_t data_timestamp_local(const struct data_type *type, int64_t us);
/* Texts as CAST takes them: "2024-2-9"; "12:3:4.5" (ms); "2024-02-09 12:03:04.5" with SEPARATOR in the middle (µs).
 * MR_INVALID: none.  ZONED (may be NULL: no zone is taken) says whether a zone stood after it (Z, +01:00), which was
 * then applied: the result is UTC. [any] */
MR_MUST_CHECK enum mr_status data_parse_date(struct mr_str text, int32_t *out);
MR_MUST_CHECK enum mr_status data_parse_time(struct mr_str text, int32_t *out);
MR_MUST_CHECK enum mr_status data_parse_timestamp(struct mr_str text, char separator, int64_t *out, bool *zoned);
/* "2024-02-09"; "12:03:04[.123]" with PRECISION digits; date, SEPARATOR, time.  Return the length, no NUL. [any] */
size_t data_date_format(char out[DATA_TIME_BYTES], int64_t days);
size_t data_time_format(char out[DATA_TIME_BYTES], int32_t ms, unsigned precision);
size_t data_timestamp_format(char out[DATA_TIME_BYTES], int64_t us, unsigned precision, char separator);

/* ---- casts ---- */

/* Told for each row whose value can't be cast (never for TRY_CAST); WHY names the value and both types. */
typedef void data_cast_error_fn(void *arg, uint32_t row, const struct mr_err *why);

/* Is there a cast from one type to the other, as Flink has it? [any] */
bool data_cast_possible(const struct data_type *from, const struct data_type *to);
/* Casts every row of IN to the type of OUT (empty), Flink's way; NULL gives NULL.  A value that can't be cast gives
 * NULL; without IS_TRY, ON_ERROR is told too.  SELECTED (may be NULL: all) is a bitmap of rows; the others give NULL.
 */
void data_cast(struct data_column *out, const struct data_column *in, const uint8_t *selected, bool is_try,
               data_cast_error_fn *on_error, void *arg);
/* Text to one value, as CAST does: surrounding blanks aside; whole text or nothing.  MR_INVALID: not one, or out of
 * range. */
MR_MUST_CHECK enum mr_status data_parse_bool(struct mr_str text, bool *out);
MR_MUST_CHECK enum mr_status data_parse_i32(struct mr_str text, int32_t *out);
MR_MUST_CHECK enum mr_status data_parse_i64(struct mr_str text, int64_t *out);
MR_MUST_CHECK enum mr_status data_parse_f64(struct mr_str text, double *out);
/* Appends the value as CAST ... AS STRING spells it; nothing for NULL. */
void data_value_write(struct mr_writer *out, const struct data_column *column, uint32_t row);
/* The same as a cell for people: NULL as "NULL", control characters escaped (\t \n \r \\ \xNN) when ESCAPE. */
void data_cell_write(struct mr_writer *out, const struct data_column *column, uint32_t row, bool escape);

/* ---- texts in JSON and CSV ---- */

/* Appends TEXT as BYTES (base64), DATE, TIME, TIMESTAMP or TIMESTAMP_LTZ (a zone, Z, may stand behind; UTC without), to
 * COLUMN of TYPE (NULL: it is only checked).  MR_INVALID: it is none. */
MR_MUST_CHECK enum mr_status data_text_append(struct data_column *column, const struct data_type *type,
                                              struct mr_str text, char separator);
/* Appends the text of such a value, not null. */
void data_text_write(struct mr_writer *out, const struct data_column *column, uint32_t row, char separator);
/* Appends BYTES in base64; false: TEXT is no base64, OUT may have part of it. */
void data_base64_write(struct mr_writer *out, struct mr_bytes bytes);
bool data_base64_read(struct mr_writer *out, struct mr_str text);

/* ---- JSON ---- */

enum data_json_limits {
    DATA_JSON_SLACK = 64,                   /* readable bytes after a value that let a decoder read it in wide steps */
    DATA_JSON_VALUE_BYTES_MAX = 64 << 20,   /* one record */
    DATA_JSON_DOCUMENT_BYTES_MAX = 1 << 30, /* one API answer */
};

/* Turns JSON objects into rows of a ROW type, as Flink's json format does. */
struct data_json_decoder;

/* A decoder for ROW (borrowed).  WANTED (copied; NULL: all) says for each field of ROW whether it is converted: the
 * columns of the others are all NULL, but their values are checked the same.  Caller owns. */
struct data_json_decoder *data_json_decoder_new(const struct data_type *row, const bool *wanted);
void data_json_decoder_free(struct data_json_decoder *decoder); /* NULL is legal */
/* Timestamps have a T between date and time (ISO8601), or a blank (SQL, the default). */
void data_json_decoder_set_iso8601(struct data_json_decoder *decoder, bool iso8601);
/* Appends one row to BATCH (of the decoder's type) from VALUE, after which SLACK bytes may be read.  On failure BATCH
 * is as it was, and err names the JSON path, what was expected and what was found.
 * MR_INVALID  not JSON, not an object, or a value of the wrong type
 * MR_LIMIT    too long, too deep, or the batch is full */
MR_MUST_CHECK enum mr_status data_json_decode(struct data_json_decoder *decoder, struct data_batch *batch,
                                              struct mr_bytes value, uint32_t slack, struct mr_err *err);

/* Finds the records in an API's answer.  POINTER is a JSON pointer ("/results", "/a/0/b"; "" for the document itself):
 * the elements of the array there, or the one value when it is no array.  Appends each one's bytes (inside of DOCUMENT)
 * to *OUT, a heap array the caller owns: mr_free.  The whole document is checked.
 * MR_INVALID    not JSON
 * MR_NOT_FOUND  nothing at POINTER; err says which step failed and what is there instead */
MR_MUST_CHECK enum mr_status data_json_split(struct mr_bytes document, struct mr_str pointer, struct mr_bytes **out,
                                             size_t *out_count, struct mr_err *err);

/* Finds one value in JSON texts; keeps its memory between them. */
enum data_json_found { DATA_JSON_TEXT, DATA_JSON_NUMBER, DATA_JSON_BOOLEAN, DATA_JSON_NULL, DATA_JSON_NESTED };
struct data_json_finder;
struct data_json_finder *data_json_finder_new(void);         /* caller owns */
void data_json_finder_free(struct data_json_finder *finder); /* NULL is legal */
/* The value at POINTER of DOCUMENT (an object or array): its kind, and its text appended to OUT, a string's unescaped.
 * Statuses as of data_json_split. */
MR_MUST_CHECK enum mr_status data_json_find(struct data_json_finder *finder, struct mr_bytes document,
                                            struct mr_str pointer, enum data_json_found *kind, struct mr_writer *out,
                                            struct mr_err *err);

/* Turns rows into JSON objects, as Flink's json format does: fields in order, NULL as null. */
struct data_json_encoder;
struct data_json_encoder *data_json_encoder_new(const struct data_type *row); /* ROW is borrowed; caller owns */
void data_json_encoder_free(struct data_json_encoder *encoder);               /* NULL is legal */
void data_json_encoder_set_iso8601(struct data_json_encoder *encoder, bool iso8601);
/* Appends row ROW of BATCH as one object, without a line end.  NaN and infinities become strings, as Flink writes them.
 */
void data_json_encode(struct data_json_encoder *encoder, const struct data_batch *batch, uint32_t row,
                      struct mr_writer *out);
/* Appends one value as JSON. */
void data_json_encode_value(struct mr_writer *out, const struct data_column *column, uint32_t row);

/* ---- formats: records to rows and back ---- */

enum data_format_kind { DATA_FORMAT_JSON, DATA_FORMAT_CSV, DATA_FORMAT_RAW };

/* As the options of a table say; texts are borrowed. */
struct data_format {
    enum data_format_kind kind;
    bool iso8601;               /* json */
    char csv_delimiter;         /* csv, as all below: one byte */
    int csv_quote;              /* -1: none */
    int csv_escape;             /* -1: none */
    struct mr_str csv_null;     /* data NULL: an empty field that is not quoted is NULL, also of STRING */
    struct mr_str csv_elements; /* between the elements of an ARRAY and the fields of a ROW */
    bool csv_comments;          /* lines that begin with # are passed over */
};

/* An option that tables have for formats. */
struct data_format_option {
    const char *name;
    const char *allowed; /* the one value there may be; NULL: any */
    const char *help;
};
/* All of them; the list ends with a NULL name. [any] */
const struct data_format_option *data_format_options(void);
/* json, csv or raw; false: there is no format called NAME. [any] */
bool data_format_find(struct mr_str name, enum data_format_kind *out);
/* A format with every option at its default. [any] */
struct data_format data_format_default(enum data_format_kind kind);
/* The value of a table's option, or NULL. */
typedef const char *data_option_fn(const void *arg, const char *name);
/* The format as the options say whose names begin with PREFIX ("", "key.", "value."); borrows their values.
 * MR_INVALID: a value is wrong. */
MR_MUST_CHECK enum mr_status data_format_read(struct data_format *out, enum data_format_kind kind, const char *prefix,
                                              data_option_fn *option, const void *arg, struct mr_err *err);

struct data_decoder;
/* A decoder for ROW (borrowed, as FORMAT's texts).  WANTED as of data_json_decoder_new.  Caller owns. */
struct data_decoder *data_decoder_new(const struct data_type *row, const bool *wanted,
                                      const struct data_format *format);
void data_decoder_free(struct data_decoder *decoder); /* NULL is legal */
/* As data_json_decode: appends one row, or leaves BATCH as it was.  *SKIP (may be NULL): the record is none (a comment
 * in CSV), nothing was appended. */
MR_MUST_CHECK enum mr_status data_decode(struct data_decoder *decoder, struct data_batch *batch, struct mr_bytes value,
                                         uint32_t slack, bool *skip, struct mr_err *err);

struct data_encoder;
struct data_encoder *data_encoder_new(const struct data_type *row, const struct data_format *format); /* as above */
void data_encoder_free(struct data_encoder *encoder); /* NULL is legal */
/* Appends row ROW of BATCH as one record, without a line end.  False: the record is null (raw, of a NULL). */
bool data_encode(struct data_encoder *encoder, const struct data_batch *batch, uint32_t row, struct mr_writer *out);
/* Can FORMAT carry ROW?  MR_UNSUPPORTED: err names the column. */
MR_MUST_CHECK enum mr_status data_format_check(const struct data_format *format, const struct data_type *row,
                                               struct mr_err *err);

#ifdef __cplusplus
}
#endif
#endif

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

/* Flink's kinds.  Those marked (later) have a number so that stored plans stay readable, and no column yet. */
enum data_kind {
    DATA_NULL, /* the type of the literal NULL: every value is null */
    DATA_BOOLEAN,
    DATA_TINYINT,  /* (later) */
    DATA_SMALLINT, /* (later) */
    DATA_INT,      /* int32 */
    DATA_BIGINT,   /* int64 */
    DATA_FLOAT,
    DATA_DOUBLE,
    DATA_DECIMAL,       /* (later) precision, scale */
    DATA_STRING,        /* UTF-8 */
    DATA_BYTES,         /* (later) */
    DATA_DATE,          /* (later) */
    DATA_TIME,          /* (later) */
    DATA_TIMESTAMP,     /* (later) precision */
    DATA_TIMESTAMP_LTZ, /* (later) precision */
    DATA_ROW,           /* fields */
    DATA_ARRAY,         /* fields[0]: the element */
    DATA_MAP,           /* (later) fields[0] key, fields[1] value */
    DATA_KIND_N
};

struct data_field;

struct data_type {
    enum data_kind kind;
    bool nullable;
    uint8_t precision;
    uint8_t scale;
    uint32_t field_count;
    const struct data_field *fields;
};

struct data_field {
    struct mr_str name;
    const struct data_type *type;
};

enum data_limits {
    DATA_FIELDS_MAX = 4096, /* fields of one ROW */
    DATA_DEPTH_MAX = 64,    /* nesting of a type, and of a JSON value */
};

/* The static type of a scalar KIND (or DATA_NULL); never freed. [any] */
const struct data_type *data_type_scalar(enum data_kind kind, bool nullable);
/* A ROW of FIELDS (copied with their names; the field types are borrowed), an ARRAY of ELEMENT (borrowed), in ARENA. */
const struct data_type *data_type_row(struct mr_arena *arena, const struct data_field *fields, uint32_t field_count,
                                      bool nullable);
const struct data_type *data_type_array(struct mr_arena *arena, const struct data_type *element, bool nullable);
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
/* The same as text in ARENA. */
char *data_type_text(struct mr_arena *arena, const struct data_type *type);
/* "INT" for DATA_INT ...  [any] */
const char *data_kind_name(enum data_kind kind);
/* The kind called NAME (any case; INTEGER for INT too); false when there is none. [any] */
bool data_kind_parse(struct mr_str name, enum data_kind *out);
/* Can columns of this kind be made in this version? [any] */
bool data_kind_supported(enum data_kind kind);
/* INT, BIGINT, FLOAT, DOUBLE? [any] */
bool data_kind_numeric(enum data_kind kind);
/* Index of the field called NAME (exact), or -1. [any] */
int data_type_field(const struct data_type *row, struct mr_str name);
/* Width in bytes of a fixed-width value; 0 for BOOLEAN, STRING, ROW, ARRAY, NULL. [any] */
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
    size_t values_capacity;        /* of the bytes of STRING */
    int32_t *offsets;              /* owned; STRING and ARRAY: capacity + 1 */
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
/* The text of row ROW (empty when null), borrowed from the column until it changes. */
static inline struct mr_str data_str(const struct data_column *c, uint32_t row)
{
    struct mr_str s = { (const char *)c->values + c->offsets[row], (size_t)(c->offsets[row + 1] - c->offsets[row]) };
    return s;
}
/* Rows [*start, *end) of children[0] are the elements of row ROW of an ARRAY. */
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
/* A row of an ARRAY that is not null: call it after the elements were appended to children[0]. */
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

/* Turns rows into JSON objects, as Flink's json format does: fields in order, NULL as null. */
struct data_json_encoder;
struct data_json_encoder *data_json_encoder_new(const struct data_type *row); /* ROW is borrowed; caller owns */
void data_json_encoder_free(struct data_json_encoder *encoder);               /* NULL is legal */
/* Appends row ROW of BATCH as one object, without a line end.  NaN and infinities become strings, as Flink writes them.
 */
void data_json_encode(struct data_json_encoder *encoder, const struct data_batch *batch, uint32_t row,
                      struct mr_writer *out);
/* Appends one value as JSON. */
void data_json_encode_value(struct mr_writer *out, const struct data_column *column, uint32_t row);

#ifdef __cplusplus
}
#endif
#endif

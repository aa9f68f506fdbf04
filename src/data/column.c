/* column.c -- columns: growing, cutting, copying.  The layout is in data.h.
 *
 * Invariants
 *   C1  validity has (capacity + 7) / 8 bytes; every bit at or after length is 1: appending a value leaves it alone.
 *   C2  null_count is the number of 0 bits.  A value that is null still has its slot: 0, or no bytes.
 *   C3  every child of a ROW has at least the ROW's length, and exactly it between rows; the children of ARRAY and
 *       MAP have offsets[length] rows between rows.
 *   C4  only a column with one reference is changed. */
#include "data/data.h"

#include <string.h>

enum column_limits {
    ROWS_FIRST = 64,
    TEXT_BYTES_FIRST = 1024,
};

static bool has_offsets(enum data_kind kind)
{
    return kind == DATA_STRING || kind == DATA_BYTES || kind == DATA_ARRAY || kind == DATA_MAP;
}

static size_t values_bytes(enum data_kind kind, uint32_t capacity)
{
    if (kind == DATA_BOOLEAN)
        return ((size_t)capacity + 7) / 8;
    return data_kind_width(kind) * capacity;
}

struct data_column *data_column_new(const struct data_type *type)
{
    struct data_column *c = MR_NEW(struct data_column);

    assert(data_kind_supported(type->kind));
    c->type = type;
    c->refs = 1;
    if (has_offsets(type->kind))
        c->offsets = mr_calloc(1, sizeof(int32_t));
    if (type->field_count != 0) {
        c->child_count = type->field_count;
        c->children = mr_calloc(type->field_count, sizeof(struct data_column *));
        for (uint32_t i = 0; i < type->field_count; i++)
            c->children[i] = data_column_new(type->fields[i].type);
    }
    return c;
}

struct data_column *data_column_ref(struct data_column *column)
{
    __atomic_add_fetch(&column->refs, 1, __ATOMIC_RELAXED);
    return column;
}

void data_column_unref(struct data_column *column)
{
    if (column == NULL || __atomic_sub_fetch(&column->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (uint32_t i = 0; i < column->child_count; i++)
        data_column_unref(column->children[i]);
    mr_free(column->children);
    mr_free(column->validity);
    mr_free(column->values);
    mr_free(column->offsets);
    mr_free(column);
}

bool data_column_exclusive(const struct data_column *column)
{
    if (__atomic_load_n(&column->refs, __ATOMIC_ACQUIRE) != 1)
        return false;
    for (uint32_t i = 0; i < column->child_count; i++) {
        if (!data_column_exclusive(column->children[i]))
            return false;
    }
    return true;
}

void data_column_reset(struct data_column *column)
{
    column->overflowed = false;
    data_column_truncate(column, 0);
    for (uint32_t i = 0; i < column->child_count; i++)
        data_column_reset(column->children[i]);
}

void data_column_truncate(struct data_column *column, uint32_t length)
{
    assert(length <= column->length);
    assert(column->refs == 1);
    if (column->null_count != 0) {
        if (length == 0) {
            memset(column->validity, 0xff, ((size_t)column->length + 7) / 8);
            column->null_count = 0;
        } else {
            for (uint32_t i = length; i < column->length && column->null_count != 0; i++) {
                uint8_t bit = (uint8_t)(1u << (i & 7));
                column->null_count -= (column->validity[i >> 3] & bit) == 0;
                column->validity[i >> 3] |= bit;
            }
        }
    }
    column->length = length;
    if (column->type->kind == DATA_ROW) {
        for (uint32_t i = 0; i < column->child_count; i++)
            data_column_truncate(column->children[i], length);
    } else if (column->type->kind == DATA_ARRAY || column->type->kind == DATA_MAP) {
        for (uint32_t i = 0; i < column->child_count; i++)
            data_column_truncate(column->children[i], (uint32_t)column->offsets[length]);
    }
}

void data_column_grow(struct data_column *column, uint32_t rows)
{
    enum data_kind kind = column->type->kind;
    uint32_t capacity = column->capacity;
    size_t old_bits = ((size_t)capacity + 7) / 8;
    size_t old_values = values_bytes(kind, capacity);

    assert(rows <= INT32_MAX - column->length);
    if (column->length + rows <= capacity)
        return;
    capacity = capacity > INT32_MAX / 2 ? INT32_MAX : capacity * 2;
    if (capacity < column->length + rows)
        capacity = column->length + rows;
    if (capacity < ROWS_FIRST)
        capacity = ROWS_FIRST;
    column->validity = mr_realloc(column->validity, ((size_t)capacity + 7) / 8);
    memset(column->validity + old_bits, 0xff, ((size_t)capacity + 7) / 8 - old_bits);
    if (kind == DATA_BOOLEAN || data_kind_width(kind) != 0) {
        column->values = mr_realloc(column->values, values_bytes(kind, capacity));
        memset((uint8_t *)column->values + old_values, 0, values_bytes(kind, capacity) - old_values);
    }
    if (has_offsets(kind))
        column->offsets = mr_realloc(column->offsets, ((size_t)capacity + 1) * sizeof(int32_t));
    column->capacity = capacity;
}

bool data_column_grow_bytes(struct data_column *column, size_t size)
{
    size_t used = (size_t)column->offsets[column->length];
    size_t wanted;

    if (size > (size_t)INT32_MAX - used) {
        column->overflowed = true;
        return false;
    }
    wanted = column->values_capacity * 2;
    if (wanted < used + size + 1)
        wanted = used + size + 1; /* never NULL, not even for no bytes */
    if (wanted < TEXT_BYTES_FIRST)
        wanted = TEXT_BYTES_FIRST;
    column->values = mr_realloc(column->values, wanted);
    column->values_capacity = wanted;
    return true;
}

void data_column_reserve(struct data_column *column, uint32_t rows)
{
    data_column_grow(column, rows);
    if (column->type->kind == DATA_ROW) {
        for (uint32_t i = 0; i < column->child_count; i++)
            data_column_reserve(column->children[i], rows);
    }
}

static void bits_clear(uint8_t *bits, uint32_t start, uint32_t count)
{
    uint32_t i = start, end = start + count;

    for (; i < end && (i & 7) != 0; i++)
        bits[i >> 3] &= (uint8_t) ~(1u << (i & 7));
    if (i < end) {
        memset(bits + (i >> 3), 0, (end - i) >> 3);
        for (i += (end - i) & ~7u; i < end; i++)
            bits[i >> 3] &= (uint8_t) ~(1u << (i & 7));
    }
}

void data_append_nulls(struct data_column *column, uint32_t count)
{
    enum data_kind kind = column->type->kind;
    uint32_t at = column->length;

    if (count == 0)
        return;
    data_column_grow(column, count);
    bits_clear(column->validity, at, count);
    column->null_count += count;
    column->length += count;
    if (kind == DATA_BOOLEAN) {
        bits_clear(column->values, at, count);
    } else if (data_kind_width(kind) != 0) {
        memset((uint8_t *)column->values + data_kind_width(kind) * at, 0, data_kind_width(kind) * count);
    } else if (has_offsets(kind)) {
        for (uint32_t i = 0; i < count; i++)
            column->offsets[at + i + 1] = column->offsets[at];
    } else if (kind == DATA_ROW) {
        for (uint32_t i = 0; i < column->child_count; i++) {
            struct data_column *child = column->children[i];
            data_column_truncate(child, at); /* a row given up halfway may have left values there */
            data_append_nulls(child, column->length - child->length);
        }
    }
}

void data_append_row(struct data_column *column)
{
    assert(column->type->kind == DATA_ROW);
    if (column->length == column->capacity)
        data_column_grow(column, 1);
    column->length++;
}

void data_append_array(struct data_column *column)
{
    assert(column->type->kind == DATA_ARRAY || column->type->kind == DATA_MAP);
    assert(column->children[0]->length == column->children[column->child_count - 1]->length);
    if (column->length == column->capacity)
        data_column_grow(column, 1);
    column->offsets[++column->length] = (int32_t)column->children[0]->length;
}

int64_t data_integer(const struct data_column *c, uint32_t row)
{
    switch (data_kind_width(c->type->kind)) {
    case 1:
        return data_i8(c, row);
    case 2:
        return data_i16(c, row);
    case 4:
        return data_i32(c, row);
    default:
        return data_i64(c, row);
    }
}

void data_append_integer(struct data_column *c, int64_t v)
{
    switch (data_kind_width(c->type->kind)) {
    case 1:
        data_append_i8(c, (int8_t)v);
        break;
    case 2:
        data_append_i16(c, (int16_t)v);
        break;
    case 4:
        data_append_i32(c, (int32_t)v);
        break;
    default:
        data_append_i64(c, v);
    }
}

static void append_fixed(struct data_column *column, const struct data_column *from, uint32_t row)
{
    size_t width = data_kind_width(column->type->kind);

    if (column->length == column->capacity)
        data_column_grow(column, 1);
    memcpy((uint8_t *)column->values + width * column->length, (const uint8_t *)from->values + width * row, width);
    column->length++;
}

void data_append_from(struct data_column *column, const struct data_column *from, uint32_t row)
{
    assert(column->type->kind == from->type->kind);
    assert(row < from->length);
    if (data_is_null(from, row)) {
        data_append_nulls(column, 1);
    } else if (column->type->kind == DATA_BOOLEAN) {
        data_append_bool(column, data_bool(from, row));
    } else if (column->type->kind == DATA_STRING || column->type->kind == DATA_BYTES) {
        data_append_str(column, data_str(from, row));
    } else if (column->type->kind == DATA_ROW) {
        assert(column->child_count == from->child_count);
        for (uint32_t i = 0; i < column->child_count; i++)
            data_append_from(column->children[i], from->children[i], row);
        data_append_row(column);
    } else if (column->type->kind == DATA_ARRAY || column->type->kind == DATA_MAP) {
        uint32_t start, end;
        data_array_range(from, row, &start, &end);
        for (uint32_t c = 0; c < column->child_count; c++)
            for (uint32_t i = start; i < end; i++)
                data_append_from(column->children[c], from->children[c], i);
        data_append_array(column);
    } else {
        append_fixed(column, from, row);
    }
}

/* The text of many rows at once: one pass for the offsets, one for the bytes. */
static void take_strings(struct data_column *out, const struct data_column *column, const uint32_t *rows,
                         uint32_t count)
{
    size_t bytes = 0;

    for (uint32_t i = 0; i < count; i++)
        bytes += (size_t)(column->offsets[rows[i] + 1] - column->offsets[rows[i]]);
    if (bytes != 0 && !data_column_grow_bytes(out, bytes)) {
        data_append_nulls(out, count);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (data_is_null(column, rows[i]))
            data_append_nulls(out, 1);
        else
            data_append_str(out, data_str(column, rows[i]));
    }
}

struct data_column *data_column_take(const struct data_column *column, const uint32_t *rows, uint32_t count)
{
    struct data_column *out = data_column_new(column->type);

    data_column_reserve(out, count);
    if (column->type->kind == DATA_STRING || column->type->kind == DATA_BYTES) {
        take_strings(out, column, rows, count);
    } else {
        for (uint32_t i = 0; i < count; i++)
            data_append_from(out, column, rows[i]);
    }
    out->overflowed |= column->overflowed;
    return out;
}

struct data_column *data_column_of_children(const struct data_type *row, struct data_column *const *children,
                                            uint32_t length)
{
    struct data_column *c = MR_NEW(struct data_column);

    assert(row->kind == DATA_ROW);
    c->type = row;
    c->refs = 1;
    c->child_count = row->field_count;
    c->children = mr_calloc(row->field_count + 1, sizeof(struct data_column *));
    for (uint32_t i = 0; i < row->field_count; i++) {
        assert(children[i]->length == length);
        c->children[i] = data_column_ref(children[i]);
        c->overflowed |= children[i]->overflowed;
    }
    data_column_grow(c, length);
    c->length = length;
    return c;
}

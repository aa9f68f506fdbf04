/* row.c -- the value of a row: its format and its merge.
 *
 *   version   u8       1
 *   flags     u8       ROW_MARKER | ROW_DELETED | ROW_MARKER_TTL
 *   newest    i64      the greatest write time in the row, µs; every other one is stored as its distance from it
 *   marker    uvarint distance [, uvarint ttl, varint expires_s]
 *   deleted   uvarint distance, varint local_s
 *   cells     uvarint count, then each:
 *             uvarint column, u8 flags, uvarint distance [, uvarint path size, path] [, uvarint ttl] [, varint local_s]
 *             [, uvarint value size, value]
 *
 * Invariants
 *   I1  A merge is the least upper bound in one total order per cell, after which what a tombstone covers is dropped:
 *       so it is commutative, associative and idempotent, and equal rows have equal bytes.
 *   I2  A merge never drops a tombstone: that is what a purge does, and only where the whole history was seen.
 * Order of two versions of a cell, as Cassandra's Cells.reconcile: the later write time; then one with a deletion time
 * (tombstone or TTL) over one without; then a tombstone over an expiring value; then the later deletion time; then the
 * larger value, bytewise.  A deletion covers what was written at its write time or before.
 * Tested by: tests/unit/store/test_row.c (every order and grouping of operands). */
#include "store/store_int.h"

#include <stdlib.h>
#include <string.h>

enum { ROW_FORMAT = 1, ROW_MARKER = 1, ROW_DELETED = 2, ROW_MARKER_TTL = 4 };
enum { CELL_TTL = 4, CELL_PATH = 8 };
enum { CELL_ANY_TOMBSTONE = STORE_CELL_TOMBSTONE | STORE_CELL_ELEMENTS_TOMBSTONE };
enum { CELL_KNOWN_FLAGS = CELL_ANY_TOMBSTONE | CELL_TTL | CELL_PATH };

void store_row_version_deinit(struct store_row_version *row)
{
    mr_free(row->cells);
    *row = (struct store_row_version){ 0 };
}

bool store_row_version_is_empty(const struct store_row_version *row)
{
    return !row->has_marker && !row->is_deleted && row->cell_count == 0;
}

/* ---- stored form ---- */

static int64_t row_newest(const struct store_row_version *row)
{
    int64_t newest = INT64_MIN;

    if (row->has_marker)
        newest = row->marker_time_us;
    if (row->is_deleted && row->deleted_time_us > newest)
        newest = row->deleted_time_us;
    for (size_t i = 0; i < row->cell_count; i++)
        if (row->cells[i].time_us > newest)
            newest = row->cells[i].time_us;
    return newest;
}

/* The distance fits: it is taken modulo 2^64. */
static void write_distance(struct mr_writer *w, int64_t newest, int64_t time)
{
    mr_write_uvarint(w, (uint64_t)newest - (uint64_t)time);
}

static int64_t read_distance(struct mr_reader *r, int64_t newest)
{
    return (int64_t)((uint64_t)newest - mr_read_uvarint64(r));
}

static void cell_write(struct mr_writer *w, const struct store_version *c, int64_t newest)
{
    uint32_t flags = c->flags & CELL_ANY_TOMBSTONE;

    if (c->ttl_s != 0 && flags == 0)
        flags |= CELL_TTL;
    if (c->path.size != 0)
        flags |= CELL_PATH;
    mr_write_uvarint(w, c->column_id);
    mr_write_u8(w, (uint8_t)flags);
    write_distance(w, newest, c->time_us);
    if (flags & CELL_PATH) {
        mr_write_uvarint(w, c->path.size);
        mr_write_bytes(w, c->path);
    }
    if (flags & CELL_TTL)
        mr_write_uvarint(w, (uint32_t)c->ttl_s);
    if (flags & (CELL_TTL | CELL_ANY_TOMBSTONE))
        mr_write_varint(w, c->local_s);
    if (!(flags & CELL_ANY_TOMBSTONE)) {
        mr_write_uvarint(w, c->value.size);
        mr_write_bytes(w, c->value);
    }
}

void store_row_version_write(struct mr_writer *w, const struct store_row_version *row)
{
    int64_t newest = row_newest(row);
    uint8_t flags = 0;

    if (row->has_marker)
        flags |= ROW_MARKER | (row->marker_ttl_s != 0 ? ROW_MARKER_TTL : 0);
    if (row->is_deleted)
        flags |= ROW_DELETED;
    mr_write_u8(w, ROW_FORMAT);
    mr_write_u8(w, flags);
    mr_write_i64(w, newest);
    if (row->has_marker) {
        write_distance(w, newest, row->marker_time_us);
        if (row->marker_ttl_s != 0) {
            mr_write_uvarint(w, (uint32_t)row->marker_ttl_s);
            mr_write_varint(w, row->marker_expires_s);
        }
    }
    if (row->is_deleted) {
        write_distance(w, newest, row->deleted_time_us);
        mr_write_varint(w, row->deleted_local_s);
    }
    mr_write_uvarint(w, row->cell_count);
    for (size_t i = 0; i < row->cell_count; i++)
        cell_write(w, &row->cells[i], newest);
}

static void cell_read(struct mr_reader *r, struct store_version *c, int64_t newest)
{
    uint32_t flags;

    *c = (struct store_version){ 0 };
    c->column_id = mr_read_uvarint32(r);
    flags = mr_read_u8(r);
    if (flags & ~(uint32_t)CELL_KNOWN_FLAGS)
        mr_reader_fail(r);
    c->time_us = read_distance(r, newest);
    if (flags & CELL_PATH)
        c->path = mr_read_slice(r, mr_read_uvarint32(r));
    if (flags & CELL_TTL)
        c->ttl_s = (int32_t)mr_read_uvarint32(r);
    if (flags & (CELL_TTL | CELL_ANY_TOMBSTONE))
        c->local_s = mr_read_varint64(r);
    if (!(flags & CELL_ANY_TOMBSTONE))
        c->value = mr_read_slice(r, mr_read_uvarint32(r));
    c->flags = flags & CELL_ANY_TOMBSTONE;
}

static struct store_version *cells_reserve(struct store_row_version *row, size_t count)
{
    if (count > row->cell_capacity) {
        row->cells = mr_realloc(row->cells, count * sizeof(*row->cells));
        row->cell_capacity = count;
    }
    return row->cells;
}

enum mr_status store_row_version_read(struct mr_bytes bytes, struct store_row_version *row)
{
    struct mr_reader r = mr_reader_of(bytes);
    struct store_row_version v = { .cells = row->cells, .cell_capacity = row->cell_capacity };
    uint8_t version = mr_read_u8(&r), flags = mr_read_u8(&r);
    int64_t newest = mr_read_i64(&r);
    uint32_t count;

    if (version != ROW_FORMAT)
        return r.failed ? MR_CORRUPT : MR_UNSUPPORTED;
    if (flags & ROW_MARKER) {
        v.has_marker = true;
        v.marker_time_us = read_distance(&r, newest);
        if (flags & ROW_MARKER_TTL) {
            v.marker_ttl_s = (int32_t)mr_read_uvarint32(&r);
            v.marker_expires_s = mr_read_varint64(&r);
        }
    }
    if (flags & ROW_DELETED) {
        v.is_deleted = true;
        v.deleted_time_us = read_distance(&r, newest);
        v.deleted_local_s = mr_read_varint64(&r);
    }
    count = mr_read_uvarint32(&r);
    if (r.failed || count > mr_reader_left(&r) / 3) /* a cell takes three bytes at least */
        return MR_CORRUPT;
    cells_reserve(&v, count);
    v.cell_count = count;
    *row = v;
    for (uint32_t i = 0; i < count; i++)
        cell_read(&r, &row->cells[i], newest);
    return r.failed || mr_reader_left(&r) != 0 ? MR_CORRUPT : MR_OK;
}

/* ---- order and merge ---- */

/* Order of cells in a row. */
static int cell_place(const struct store_version *a, const struct store_version *b)
{
    bool a_elements = (a->flags & STORE_CELL_ELEMENTS_TOMBSTONE) != 0;
    bool b_elements = (b->flags & STORE_CELL_ELEMENTS_TOMBSTONE) != 0;

    if (a->column_id != b->column_id)
        return a->column_id < b->column_id ? -1 : 1;
    if (a_elements != b_elements)
        return a_elements ? -1 : 1;
    return a->path.size + b->path.size == 0 ? 0 : mr_bytes_compare(a->path, b->path);
}

/* Does version A of a cell win over B? */
static bool cell_wins(const struct store_version *a, const struct store_version *b)
{
    bool a_tombstone = (a->flags & CELL_ANY_TOMBSTONE) != 0, b_tombstone = (b->flags & CELL_ANY_TOMBSTONE) != 0;
    bool a_ends = a_tombstone || a->ttl_s != 0, b_ends = b_tombstone || b->ttl_s != 0;
    int order;

    if (a->time_us != b->time_us)
        return a->time_us > b->time_us;
    if (a_ends != b_ends)
        return a_ends;
    if (a_tombstone != b_tombstone)
        return a_tombstone;
    if (a_ends && a->local_s != b->local_s)
        return a->local_s > b->local_s;
    order = mr_bytes_compare(a->value, b->value);
    return order != 0 ? order > 0 : a->ttl_s > b->ttl_s;
}

static void merge_markers(struct store_row_version *out, const struct store_row_version *a,
                          const struct store_row_version *b)
{
    const struct store_row_version *winner = a;

    if (!a->has_marker && !b->has_marker)
        return;
    if (!a->has_marker)
        winner = b;
    else if (!b->has_marker)
        winner = a;
    else if (a->marker_time_us != b->marker_time_us)
        winner = a->marker_time_us > b->marker_time_us ? a : b;
    else if ((a->marker_ttl_s != 0) != (b->marker_ttl_s != 0))
        winner = a->marker_ttl_s != 0 ? a : b;
    else if (a->marker_expires_s != b->marker_expires_s)
        winner = a->marker_expires_s > b->marker_expires_s ? a : b;
    else
        winner = a->marker_ttl_s >= b->marker_ttl_s ? a : b;
    out->has_marker = true;
    out->marker_time_us = winner->marker_time_us;
    out->marker_ttl_s = winner->marker_ttl_s;
    out->marker_expires_s = winner->marker_expires_s;
}

static void merge_deletions(struct store_row_version *out, const struct store_row_version *a,
                            const struct store_row_version *b)
{
    const struct store_row_version *winner = a;

    if (!a->is_deleted && !b->is_deleted)
        return;
    if (!a->is_deleted)
        winner = b;
    else if (b->is_deleted)
        winner = a->deleted_time_us != b->deleted_time_us   ? (a->deleted_time_us > b->deleted_time_us ? a : b)
                 : a->deleted_local_s >= b->deleted_local_s ? a
                                                            : b;
    out->is_deleted = true;
    out->deleted_time_us = winner->deleted_time_us;
    out->deleted_local_s = winner->deleted_local_s;
}

/* Drops what the row's deletion and the elements' tombstones cover. */
static void row_drop_covered(struct store_row_version *row)
{
    const struct store_version *elements = NULL;
    size_t kept = 0;

    if (row->is_deleted && row->has_marker && row->marker_time_us <= row->deleted_time_us)
        row->has_marker = false;
    for (size_t i = 0; i < row->cell_count; i++) {
        const struct store_version *c = &row->cells[i];

        if (row->is_deleted && c->time_us <= row->deleted_time_us)
            continue;
        if (elements != NULL && elements->column_id == c->column_id && c->time_us <= elements->time_us)
            continue;
        row->cells[kept] = *c;
        if (c->flags & STORE_CELL_ELEMENTS_TOMBSTONE)
            elements = &row->cells[kept];
        kept++;
    }
    row->cell_count = kept;
    if (!row->has_marker)
        row->marker_time_us = row->marker_expires_s = row->marker_ttl_s = 0;
}

void store_row_version_merge(struct store_row_version *out, const struct store_row_version *a,
                             const struct store_row_version *b)
{
    struct store_row_version v = { .cells = out->cells, .cell_capacity = out->cell_capacity };
    size_t i = 0, j = 0, n = 0;

    assert(out != a && out != b);
    cells_reserve(&v, a->cell_count + b->cell_count);
    merge_markers(&v, a, b);
    merge_deletions(&v, a, b);
    while (i < a->cell_count && j < b->cell_count) {
        int order = cell_place(&a->cells[i], &b->cells[j]);

        if (order < 0)
            v.cells[n++] = a->cells[i++];
        else if (order > 0)
            v.cells[n++] = b->cells[j++];
        else {
            v.cells[n++] = cell_wins(&b->cells[j], &a->cells[i]) ? b->cells[j] : a->cells[i];
            i++;
            j++;
        }
    }
    while (i < a->cell_count)
        v.cells[n++] = a->cells[i++];
    while (j < b->cell_count)
        v.cells[n++] = b->cells[j++];
    v.cell_count = n;
    row_drop_covered(&v);
    *out = v;
}

static int cell_place_of(const void *a, const void *b)
{
    return cell_place(a, b);
}

void store_row_version_sort(struct store_row_version *row)
{
    bool in_order = true;
    size_t kept = 0;

    for (size_t i = 1; i < row->cell_count && in_order; i++)
        in_order = cell_place(&row->cells[i - 1], &row->cells[i]) < 0;
    if (!in_order) {
        qsort(row->cells, row->cell_count, sizeof(*row->cells), cell_place_of);
        for (size_t i = 0; i < row->cell_count; i++) {
            if (kept == 0 || cell_place(&row->cells[kept - 1], &row->cells[i]) != 0)
                row->cells[kept++] = row->cells[i];
            else if (cell_wins(&row->cells[i], &row->cells[kept - 1]))
                row->cells[kept - 1] = row->cells[i];
        }
        row->cell_count = kept;
    }
    row_drop_covered(row);
}

/* ---- what is left and what is seen ---- */

void store_row_version_purge(struct store_row_version *row, int64_t before_s)
{
    size_t kept = 0;

    if (row->is_deleted && row->deleted_local_s < before_s)
        row->is_deleted = false;
    if (row->has_marker && row->marker_ttl_s != 0 && row->marker_expires_s < before_s)
        row->has_marker = false;
    for (size_t i = 0; i < row->cell_count; i++) {
        const struct store_version *c = &row->cells[i];
        bool ends = (c->flags & CELL_ANY_TOMBSTONE) != 0 || c->ttl_s != 0;

        if (!ends || c->local_s >= before_s)
            row->cells[kept++] = *c;
    }
    row->cell_count = kept;
}

static bool cell_is_live(const struct store_version *c, const struct store_view *view)
{
    return !(c->flags & CELL_ANY_TOMBSTONE) && (c->ttl_s == 0 || c->local_s > view->now_s) &&
           !(view->has_deleted && c->time_us <= view->deleted_us);
}

static bool marker_is_live(const struct store_row_version *row, const struct store_view *view)
{
    return row->has_marker && (row->marker_ttl_s == 0 || row->marker_expires_s > view->now_s) &&
           !(view->has_deleted && row->marker_time_us <= view->deleted_us);
}

/* B, a part of FROM, as the same part of its copy TO. */
static struct mr_bytes moved(struct mr_bytes b, struct mr_bytes from, struct mr_bytes to)
{
    return b.size == 0 ? MR_BYTES_NULL : (struct mr_bytes){ to.data + (b.data - from.data), b.size };
}

bool store_row_version_live(const struct store_row_version *row, struct mr_bytes source, const struct store_view *view,
                            struct mr_arena *arena, struct store_row *out)
{
    bool has_marker = marker_is_live(row, view);
    struct store_cell *cells = NULL;
    struct mr_bytes copy;
    size_t count = 0, n = 0;

    for (size_t i = 0; i < row->cell_count; i++)
        count += cell_is_live(&row->cells[i], view);
    if (!has_marker && count == 0)
        return false;
    if (count > 0) {
        cells = MR_ARENA_ARRAY(arena, struct store_cell, count);
        copy = mr_arena_bytes(arena, source);
    }
    for (size_t i = 0; i < row->cell_count; i++) {
        const struct store_version *c = &row->cells[i];

        if (!cell_is_live(c, view))
            continue;
        cells[n++] = (struct store_cell){ .column_id = c->column_id,
                                          .write_time_us = c->time_us,
                                          .ttl_s = c->ttl_s,
                                          .expires_at_s = c->ttl_s != 0 ? c->local_s : 0,
                                          .path = moved(c->path, source, copy),
                                          .value = moved(c->value, source, copy) };
    }
    out->has_marker = has_marker;
    out->marker_write_time_us = has_marker ? row->marker_time_us : 0;
    out->marker_ttl_s = has_marker ? row->marker_ttl_s : 0;
    out->marker_expires_at_s = has_marker ? row->marker_expires_s : 0;
    out->cells = cells;
    out->cell_count = n;
    return true;
}

enum mr_status store_view_read(struct store_view *view, struct mr_bytes tombstone)
{
    struct store_row_version row = { 0 };
    enum mr_status status = store_row_version_read(tombstone, &row);

    if (status == MR_OK) {
        view->has_deleted = row.is_deleted;
        view->deleted_us = row.deleted_time_us;
    }
    store_row_version_deinit(&row);
    return status;
}

const struct store_cell *store_row_cell(const struct store_row *row, uint32_t column_id)
{
    size_t low = 0, high = row->cell_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (row->cells[middle].column_id < column_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < row->cell_count && row->cells[low].column_id == column_id ? &row->cells[low] : NULL;
}

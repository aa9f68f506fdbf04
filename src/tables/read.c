/* read.c -- runs a SELECT: one row by its key, ranges of partitions, a range of tokens, or generated rows.
 *
 * Paging state: u8 2 | store table id u32 | rows left of LIMIT i64 (-1: no limit) | rows left of PER PARTITION LIMIT in
 * the partition i64 (-1) | which range u32 | the store's resume key | CRC-32C of all before.  It comes back from
 * clients: the checksum finds accidents, the store checks the key, and the table id keeps it to the table it is from.
 * The page ends after page_size rows or about READ_ANSWER_BYTES_MAX bytes, whichever comes first; a request without a
 * page size that reaches the bytes is refused.  Aggregates read all and answer one row. */
#include "tables/literal_int.h"
#include "tables/read_int.h"
#include "tables/system_int.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

enum { PAGING_VERSION = 2, PAGING_BYTES_MIN = 1 + 4 + 8 + 8 + 4 + 4, ARENA_KEEP_BYTES = 1024 * 1024 };

/* A row of the answer that waits to be put in order. */
struct sorted {
    struct mr_bytes clustering;
    size_t from, size; /* in page.rows */
    int64_t place;
};

struct page {
    const struct read *read;
    struct filter *filter;
    struct cql_value *row; /* by column index */
    struct expr_cells *cells;
    struct mr_arena *arena; /* of the rows; reset now and then */
    struct expr_context context;
    struct aggregates *aggregates; /* NULL: none */
    struct mr_writer rows;
    int64_t row_count;
    int64_t limit_left;        /* -1: none */
    int64_t partition_limit;   /* -1: none */
    int64_t partition_left;    /* -1: not known yet */
    int64_t state_left;        /* partition_left of the paging state; -1: none */
    struct mr_bytes partition; /* that partition_left is of; in read->arena */
    struct keys keys;
    uint32_t slice; /* which range of which partition */
    struct mr_writer resume;
    bool more;
    struct sorted *sorted; /* owned; with IN and ORDER BY */
    size_t sorted_count, sorted_capacity;
    struct mr_bytes clustering; /* of the row */
    int32_t *code;
    struct mr_err *err;
};

static enum mr_status fail(struct page *p, enum mr_status status, int32_t code)
{
    *p->code = code;
    return status;
}

static enum mr_status from_store(struct page *p, enum mr_status status)
{
    return fail(p, status, status == MR_INVALID ? CQL_ERR_PROTOCOL : CQL_ERR_SERVER);
}

/* ---- one row ---- */

static bool must_sort(const struct page *p)
{
    return p->read->plan->is_ordered && p->read->plan->has_in;
}

static enum mr_status emit_row(struct page *p)
{
    const struct plan *plan = p->read->plan;
    size_t from = p->rows.size;
    uint32_t i;

    if (!filter_matches(p->filter, p->row))
        return MR_OK;
    if (p->aggregates != NULL) {
        enum mr_status status = aggregates_add(p->aggregates, &p->context);

        return status == MR_OK ? MR_OK : fail(p, status, CQL_ERR_INVALID);
    }
    for (i = 0; i < plan->rows.column_count; i++) {
        struct cql_value v;
        enum mr_status status = expr_eval(plan->selectors[i], &p->context, &v);

        if (status != MR_OK)
            return fail(p, status, CQL_ERR_FUNCTION);
        cql_write_value(&p->rows, v);
    }
    p->row_count++;
    if (must_sort(p)) {
        MR_GROW(p->sorted, p->sorted_count, p->sorted_capacity);
        p->sorted[p->sorted_count++] =
            (struct sorted){ mr_arena_bytes(p->read->arena, p->clustering), from, p->rows.size - from, p->row_count };
    } else if (p->limit_left > 0) {
        p->limit_left--;
    }
    if (p->partition_left > 0)
        p->partition_left--;
    return MR_OK;
}

/* The elements of COLUMN, whose cells stand one after another, as one value. */
static enum mr_status gather(struct page *p, const struct schema_column *column, struct expr_cells cells,
                             struct cql_value *out)
{
    const struct cql_type *type = column->type;
    uint32_t i, n = 0;
    struct mr_writer w = { 0 };
    enum mr_status status = MR_OK;

    mr_write_i32(&w, (int32_t)cells.count);
    for (i = 0; i < cells.count && status == MR_OK; i++, n++) {
        struct mr_reader path = mr_reader_of(cells.first[i].path);
        struct cql_value key;

        if (type->code != CQL_LIST) {
            status = ordered_decode(&path, type->items[0], false, p->arena, &key);
            if (status == MR_OK)
                cql_write_value(&w, key);
        }
        if (type->code != CQL_SET)
            cql_write_bytes(&w, cells.first[i].value.data != NULL ? cells.first[i].value
                                                                  : ((struct mr_bytes){ (const uint8_t *)"", 0 }));
    }
    *out = CQL_VALUE_OF(mr_arena_bytes(p->arena, mr_writer_bytes(&w)).data, w.size);
    mr_writer_deinit(&w);
    return status;
}

/* Spreads the cells over their columns; true when one is of a column that there is. */
static enum mr_status spread_cells(struct page *p, const struct store_row *row, bool *any)
{
    const struct schema_table *table = p->read->plan->table;
    enum mr_status status = MR_OK;
    size_t c = 0;

    *any = false;
    while (c < row->cell_count && status == MR_OK) {
        const struct store_cell *cell = &row->cells[c];
        uint32_t index = cell->column_id < table->id_count ? table->column_by_id[cell->column_id] : UINT32_MAX, n = 1;

        while (c + n < row->cell_count && row->cells[c + n].column_id == cell->column_id)
            n++;
        c += n;
        if (index == UINT32_MAX)
            continue;
        *any = true;
        p->cells[index] = (struct expr_cells){ cell, n };
        if (table->columns[index].type->item_count > 0 && schema_is_multicell(table->columns[index].type))
            status = gather(p, &table->columns[index], p->cells[index], &p->row[index]);
        else
            p->row[index] = CQL_VALUE_OF(cell->value.data, cell->value.size);
    }
    return status;
}

/* Spreads a stored row over its columns.  *IS_THERE: not only a dropped column made it a row. */
static enum mr_status spread_row(struct page *p, const struct store_row *row, bool *is_there)
{
    const struct schema_table *table = p->read->plan->table;
    struct mr_reader partition = mr_reader_of(row->key.partition_key);
    struct mr_reader clustering = mr_reader_of(row->key.clustering);
    enum mr_status status;
    uint32_t i;

    for (i = 0; i < table->column_count; i++) {
        const struct schema_column *column = &table->columns[i];

        p->row[i] = CQL_VALUE_NULL;
        p->cells[i] = (struct expr_cells){ 0 };
        if (column->kind == SCHEMA_PARTITION && table->partition_count == 1) {
            p->row[i] = CQL_VALUE_OF(row->key.partition_key.data, row->key.partition_key.size);
        } else if (column->kind == SCHEMA_PARTITION) {
            struct mr_bytes part = cql_read_short_bytes(&partition);

            mr_read_u8(&partition);
            p->row[i] = CQL_VALUE_OF(part.data, part.size);
        } else if (column->kind == SCHEMA_CLUSTERING &&
                   ordered_decode(&clustering, column->type, column->descending, p->arena, &p->row[i]) != MR_OK) {
            mr_reader_fail(&clustering);
        }
    }
    status = partition.failed || clustering.failed ? MR_CORRUPT : spread_cells(p, row, is_there);
    if (status != MR_OK) {
        mr_err_set(p->err, MR_CORRUPT, "a stored row of %.*s.%.*s can't be read", MR_STR_ARG(table->keyspace),
                   MR_STR_ARG(table->name));
        return fail(p, MR_CORRUPT, CQL_ERR_SERVER);
    }
    *is_there = *is_there || row->has_marker;
    p->context.token = row->key.token;
    p->clustering = row->key.clustering;
    return MR_OK;
}

static enum mr_status take_row(struct page *p, const struct store_row *row)
{
    bool is_there = false;
    enum mr_status status = spread_row(p, row, &is_there);

    return status == MR_OK && is_there ? emit_row(p) : status;
}

/* ---- where the rows come from ---- */

static enum mr_status read_key(struct page *p, const struct store_key *key)
{
    struct store_row row;
    enum mr_status status = store_get(p->read->store, key, p->arena, &row, p->err);

    if (status == MR_NOT_FOUND)
        return MR_OK;
    return status == MR_OK ? take_row(p, &row) : from_store(p, status);
}

static enum mr_status read_one(struct page *p)
{
    struct store_key key;
    enum mr_status status = plan_key(p->read->plan, &p->read->values, p->read->arena, &key, p->err);

    if (status != MR_OK)
        return fail(p, status, CQL_ERR_INVALID);
    key.table_id = p->read->store_id;
    return p->limit_left == 0 ? MR_OK : read_key(p, &key);
}

static enum mr_status read_generated(struct page *p)
{
    struct system_rows rows;
    enum mr_status status = MR_OK;
    uint32_t i;

    system_rows_make(&rows, p->read->plan->table, p->read->context, p->read->arena);
    for (i = 0; i < rows.count && p->limit_left != 0 && status == MR_OK; i++) {
        p->row = rows.rows[i];
        p->context.row = p->row;
        status = emit_row(p);
    }
    return status;
}

static bool page_is_full(const struct page *p)
{
    if (must_sort(p) || p->aggregates != NULL)
        return p->rows.size >= READ_ANSWER_BYTES_MAX;
    return p->limit_left == 0 || (p->read->page_size > 0 && p->row_count >= p->read->page_size) ||
           p->rows.size >= READ_ANSWER_BYTES_MAX;
}

/* ROW is the first of its partition: PER PARTITION LIMIT counts anew. */
static void enter_partition(struct page *p, const struct store_row *row)
{
    if (p->partition_limit < 0 || (p->partition.data != NULL && p->partition_left >= 0 &&
                                   mr_bytes_compare(p->partition, row->key.partition_key) == 0))
        return;
    p->partition = mr_arena_bytes(p->read->arena, row->key.partition_key);
    p->partition_left = p->partition_limit;
}

/* Reads SCAN until the page is full (true in *FULL) or it ends. */
static enum mr_status scan_rows(struct page *p, struct store_scan *scan, bool *full)
{
    const struct plan *plan = p->read->plan;
    struct store_row row;
    enum mr_status status;

    for (*full = false; !page_is_full(p);) {
        if (mr_arena_size(p->arena) > ARENA_KEEP_BYTES)
            mr_arena_reset(p->arena);
        status = store_scan_next(scan, p->arena, &row, p->err);
        if (status == MR_NOT_FOUND)
            return MR_OK;
        if (status != MR_OK)
            return from_store(p, status);
        enter_partition(p, &row);
        if (p->partition_limit >= 0 && p->partition_left == 0) {
            if (plan->access == PLAN_KEYS)
                return MR_OK;
            store_scan_skip_partition(scan);
            continue;
        }
        status = take_row(p, &row);
        if (status != MR_OK)
            return status;
    }
    *full = true;
    p->resume.size = 0;
    store_scan_resume(scan, &p->resume);
    return MR_OK;
}

/* Is there a row after the page?  A page state that leads to nothing would only cost a request. */
static bool scan_has_more(struct page *p, struct store_scan *scan)
{
    struct store_row row;

    return p->limit_left != 0 && store_scan_next(scan, p->arena, &row, p->err) == MR_OK;
}

static enum mr_status run_scan(struct page *p, const struct store_scan_options *options, bool *full)
{
    struct store_scan *scan;
    enum mr_status status = store_scan_open(&scan, p->read->store, options, p->err);

    if (status != MR_OK)
        return from_store(p, status);
    status = scan_rows(p, scan, full);
    if (status == MR_OK && *full)
        p->more = scan_has_more(p, scan);
    store_scan_close(scan);
    return status;
}

static enum mr_status read_tokens(struct page *p)
{
    struct store_scan_options options = { .table_id = p->read->store_id, .resume = mr_writer_bytes(&p->resume) };
    bool none, full;
    enum mr_status status = keys_tokens(p->read->plan, &p->read->values, p->read->arena, &options.token_first,
                                        &options.token_last, &none, p->err);

    if (status != MR_OK)
        return fail(p, status, CQL_ERR_INVALID);
    return none ? MR_OK : run_scan(p, &options, &full);
}

/* One range of one partition. */
static enum mr_status read_slice(struct page *p, const struct keys_partition *partition, const struct keys_range *range,
                                 bool *full)
{
    struct store_scan_options options = { .table_id = p->read->store_id,
                                          .one_partition = true,
                                          .token = partition->token,
                                          .partition_key = partition->key,
                                          .clustering_from = range->from,
                                          .clustering_to = range->to,
                                          .reverse = p->read->plan->reverse,
                                          .without_static = true,
                                          .resume = mr_writer_bytes(&p->resume) };
    struct store_key key = { .table_id = p->read->store_id,
                             .token = partition->token,
                             .partition_key = partition->key,
                             .kind = STORE_ROW_CLUSTERED,
                             .clustering = range->from };
    enum mr_status status;

    if (!p->keys.are_rows) {
        status = run_scan(p, &options, full);
        if (!*full)
            p->resume.size = 0;
        return status;
    }
    if (p->partition_limit >= 0 &&
        (p->partition.data == NULL || mr_bytes_compare(p->partition, partition->key) != 0 || p->partition_left < 0)) {
        p->partition = partition->key;
        p->partition_left = p->partition_limit;
    }
    *full = false;
    return p->partition_left == 0 ? MR_OK : read_key(p, &key);
}

static enum mr_status read_slices(struct page *p)
{
    uint64_t count = (uint64_t)p->keys.partition_count * p->keys.range_count;
    enum mr_status status = MR_OK;
    bool full = false;

    if (p->slice > count) {
        mr_err_set(p->err, MR_INVALID, "Invalid value for the paging state");
        return fail(p, MR_INVALID, CQL_ERR_PROTOCOL);
    }
    if (p->partition_limit >= 0 && p->state_left >= 0 && p->slice < count &&
        (p->slice % p->keys.range_count > 0 || p->resume.size > 0)) { /* the page goes on inside of a partition */
        p->partition = p->keys.partitions[p->slice / p->keys.range_count].key;
        p->partition_left = p->state_left < p->partition_limit ? p->state_left : p->partition_limit;
    }
    while (p->slice < count && status == MR_OK && !full) {
        uint32_t of = p->slice / p->keys.range_count, at = p->slice % p->keys.range_count;

        if (page_is_full(p)) {
            p->more = p->limit_left != 0;
            p->resume.size = 0;
            return MR_OK;
        }
        if (mr_arena_size(p->arena) > ARENA_KEEP_BYTES)
            mr_arena_reset(p->arena);
        at = p->read->plan->reverse ? p->keys.range_count - 1 - at : at;
        status = read_slice(p, &p->keys.partitions[of], &p->keys.ranges[at], &full);
        if (status == MR_OK && full && !p->more && p->slice + 1 < count && p->limit_left != 0) {
            p->slice++; /* this range is at its end, there are others */
            p->resume.size = 0;
            p->more = true;
        } else if (!full) {
            p->slice++;
        }
    }
    return status;
}

static enum mr_status read_keys(struct page *p)
{
    enum mr_status status;

    if (must_sort(p) && p->read->page_size > 0) {
        mr_err_set(p->err, MR_INVALID,
                   "Cannot page queries with both ORDER BY and a IN restriction on the partition key; you must either "
                   "remove the ORDER BY or the IN and sort client side, or disable paging for this query");
        return fail(p, MR_INVALID, CQL_ERR_INVALID);
    }
    status = keys_resolve(p->read->plan, &p->read->values, p->read->arena, &p->keys, p->err);
    if (status != MR_OK)
        return fail(p, status, CQL_ERR_INVALID);
    return read_slices(p);
}

/* ---- LIMIT and paging state ---- */

static enum mr_status limit_of(struct page *p, const struct plan_source *source, int64_t *out)
{
    struct cql_value v;
    enum mr_status status = plan_value(source, &p->read->values, p->read->arena, &v, p->err);

    *out = -1;
    if (status != MR_OK)
        return fail(p, status, CQL_ERR_INVALID);
    if (v.size == CQL_UNSET)
        return MR_OK;
    if (v.size != 4) {
        mr_err_set(p->err, MR_INVALID, "Invalid null value of limit");
        return fail(p, MR_INVALID, CQL_ERR_INVALID);
    }
    *out = mr_load_i32(v.data);
    if (*out > 0)
        return MR_OK;
    mr_err_set(p->err, MR_INVALID, "LIMIT must be strictly positive");
    return fail(p, MR_INVALID, CQL_ERR_INVALID);
}

static enum mr_status start_limits(struct page *p)
{
    const struct plan *plan = p->read->plan;
    enum mr_status status = limit_of(p, &plan->limit, &p->limit_left);

    if (status == MR_OK)
        status = limit_of(p, &plan->per_partition_limit, &p->partition_limit);
    if (plan->is_distinct)
        p->partition_limit = 1;
    p->partition_left = p->state_left = -1;
    return status;
}

static enum mr_status bad_state(struct page *p)
{
    mr_err_set(p->err, MR_INVALID, "Invalid value for the paging state");
    return fail(p, MR_INVALID, CQL_ERR_PROTOCOL);
}

static enum mr_status start_paging(struct page *p)
{
    struct mr_bytes state = p->read->paging_state;
    struct mr_reader r = mr_reader_of(state);
    int64_t left, partition_left, token;

    if (state.data == NULL || state.size == 0)
        return MR_OK;
    if (state.size < PAGING_BYTES_MIN ||
        mr_crc32c(0, state.data, state.size - 4) != (uint32_t)mr_load_i32(state.data + state.size - 4) ||
        mr_read_u8(&r) != PAGING_VERSION || mr_read_u32(&r) != p->read->store_id)
        return bad_state(p);
    left = mr_read_i64(&r);
    partition_left = mr_read_i64(&r);
    p->slice = mr_read_u32(&r);
    if (p->limit_left >= 0 && left >= 0 && left < p->limit_left)
        p->limit_left = left;
    mr_write_bytes(&p->resume, mr_read_slice(&r, mr_reader_left(&r) - 4));
    p->state_left = partition_left;
    if (p->read->plan->access == PLAN_RANGE && p->partition_limit >= 0 && partition_left >= 0 && p->resume.size > 0) {
        if (store_resume_partition(mr_writer_bytes(&p->resume), &token, &p->partition) != MR_OK)
            return bad_state(p);
        p->partition = mr_arena_bytes(p->read->arena, p->partition);
        p->partition_left = partition_left < p->partition_limit ? partition_left : p->partition_limit;
    }
    return MR_OK;
}

static struct mr_bytes paging_state(struct page *p)
{
    struct mr_writer w = { 0 };
    struct mr_bytes state;

    mr_write_u8(&w, PAGING_VERSION);
    mr_write_u32(&w, p->read->store_id);
    mr_write_i64(&w, p->limit_left);
    mr_write_i64(&w, p->partition_left);
    mr_write_u32(&w, p->slice);
    mr_write_bytes(&w, mr_writer_bytes(&p->resume));
    mr_write_u32(&w, mr_crc32c(0, w.data, w.size));
    state = mr_arena_bytes(p->read->arena, mr_writer_bytes(&w));
    mr_writer_deinit(&w);
    return state;
}

/* ---- the answer ---- */

static int compare_sorted(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;
    int order = mr_bytes_compare(x->clustering, y->clustering);

    return order != 0 ? order : x->place < y->place ? -1 : 1;
}

/* Puts the rows of several partitions in the order of their clusterings, and applies LIMIT. */
static void write_sorted(struct page *p, struct mr_writer *out)
{
    size_t i, n = p->sorted_count;

    if (n > 1)
        qsort(p->sorted, n, sizeof(*p->sorted), compare_sorted);
    if (p->limit_left >= 0 && (int64_t)n > p->limit_left)
        p->row_count = p->limit_left;
    for (i = 0; i < (size_t)p->row_count; i++) {
        const struct sorted *s = &p->sorted[p->read->plan->reverse ? n - 1 - i : i];

        mr_write_bytes(out, (struct mr_bytes){ p->rows.data + s->from, s->size });
    }
}

static enum mr_status end_aggregates(struct page *p)
{
    const struct plan *plan = p->read->plan;
    enum mr_status status = aggregates_end(p->aggregates, &p->context);
    uint32_t i;

    for (i = 0; i < plan->rows.column_count && status == MR_OK; i++) {
        struct cql_value v;

        status = expr_eval(plan->selectors[i], &p->context, &v);
        if (status == MR_OK)
            cql_write_value(&p->rows, v);
    }
    p->row_count = 1;
    p->more = false;
    return status == MR_OK ? MR_OK : fail(p, status, CQL_ERR_INVALID);
}

static void write_answer(struct page *p, struct mr_writer *out)
{
    struct cql_metadata metadata = p->read->plan->rows;
    size_t position;

    if (p->read->skip_metadata)
        metadata.flags |= CQL_META_NONE;
    if (p->read->metadata_id.data != NULL) {
        metadata.flags |= CQL_META_CHANGED;
        metadata.id = p->read->metadata_id;
    }
    if (p->more) {
        metadata.flags |= CQL_META_MORE_PAGES;
        metadata.paging_state = paging_state(p);
    }
    position = cql_result_begin_rows(out, &metadata);
    if (must_sort(p) && p->aggregates == NULL)
        write_sorted(p, out);
    else
        mr_write_bytes(out, mr_writer_bytes(&p->rows));
    mr_write_i32_at(out, position, (int32_t)p->row_count);
}

static enum mr_status read_rows(struct page *p)
{
    enum mr_status status = MR_OK;

    switch (p->read->plan->access) {
    case PLAN_ROW:
        status = read_one(p);
        break;
    case PLAN_GENERATED:
        status = read_generated(p);
        break;
    case PLAN_KEYS:
        status = read_keys(p);
        break;
    case PLAN_RANGE:
        status = read_tokens(p);
        break;
    }
    if (status == MR_OK && p->aggregates == NULL && p->rows.size >= READ_ANSWER_BYTES_MAX && p->read->page_size <= 0) {
        mr_err_set(p->err, MR_LIMIT, "the answer has more than %d bytes: ask for pages", READ_ANSWER_BYTES_MAX);
        return fail(p, MR_LIMIT, CQL_ERR_INVALID);
    }
    return status == MR_OK && p->aggregates != NULL ? end_aggregates(p) : status;
}

enum mr_status read_run(const struct read *read, struct mr_writer *out, int32_t *code, struct mr_err *err)
{
    uint32_t columns = read->plan->table->column_count;
    struct page p = { .read = read, .code = code, .err = err };
    enum mr_status status;

    *code = CQL_ERR_INVALID;
    p.arena = mr_arena_new();
    p.row = mr_arena_alloc(read->arena, columns * sizeof(*p.row));
    p.cells = mr_arena_calloc(read->arena, columns, sizeof(*p.cells));
    p.context = (struct expr_context){ .markers = read->values.values,
                                       .now_us = read->values.now_us,
                                       .row = p.row,
                                       .cells = p.cells,
                                       .arena = p.arena,
                                       .err = err };
    status = filter_new(&p.filter, read->plan, &read->values, read->arena, err);
    if (status == MR_OK)
        status = start_limits(&p);
    if (status == MR_OK)
        status = start_paging(&p);
    if (status == MR_OK && read->plan->aggregate_count > 0)
        p.aggregates = aggregates_new(read->plan);
    if (status == MR_OK)
        status = read_rows(&p);
    if (status == MR_OK)
        write_answer(&p, out);
    aggregates_free(p.aggregates);
    mr_free(p.sorted);
    mr_writer_deinit(&p.rows);
    mr_writer_deinit(&p.resume);
    mr_arena_free(p.arena);
    return status;
}

/* read.c -- runs a SELECT: one row by its key, the rows of a partition, a range of tokens, or generated rows.
 *
 * Paging state: u8 1 | store table id u32 | rows left of LIMIT i64 (-1: no limit) | the store's resume key | CRC-32C of
 * all before.  It comes back from clients: the checksum finds accidents, the store checks the key, and the table id
 * keeps it to the table it is from. The page ends after page_size rows or about READ_ANSWER_BYTES_MAX bytes, whichever
 * comes first; a request without a page size that reaches the bytes is refused. */
#include "tables/literal_int.h"
#include "tables/plan_int.h"
#include "tables/system_int.h"

#include "base/hash.h"

#include <string.h>

enum { PAGING_VERSION = 1, PAGING_BYTES_MIN = 1 + 4 + 8 + 4, ARENA_KEEP_BYTES = 1024 * 1024 };

struct page {
    const struct read *read;
    struct cql_value *conditions; /* values of plan->conditions */
    struct cql_value *row;        /* by column index */
    const struct store_cell **cells;
    int64_t token;
    struct mr_writer rows;
    int64_t row_count;
    int64_t matched;    /* rows that met the conditions */
    int64_t limit_left; /* -1: none */
    struct mr_writer resume;
    bool more;
    struct mr_arena *arena; /* of the rows; reset now and then */
    int32_t *code;
    struct mr_err *err;
};

static enum mr_status fail(struct page *p, enum mr_status status, int32_t code)
{
    *p->code = code;
    return status;
}

/* ---- conditions ---- */

static int compare_values(const struct cql_type *type, struct cql_value a, struct cql_value b)
{
    struct mr_writer x = { 0 }, y = { 0 };
    int order;

    ordered_encode(&x, type, false, a);
    ordered_encode(&y, type, false, b);
    order = mr_bytes_compare(mr_writer_bytes(&x), mr_writer_bytes(&y));
    mr_writer_deinit(&x);
    mr_writer_deinit(&y);
    return order;
}

static bool row_matches(const struct page *p)
{
    const struct plan *plan = p->read->plan;
    uint32_t i;

    for (i = 0; i < plan->condition_count; i++) {
        const struct plan_condition *c = &plan->conditions[i];
        struct cql_value have = p->row[c->column], want = p->conditions[i];
        int order;

        if (have.size < 0)
            return false;
        if (c->op == AST_EQ) {
            if (have.size != want.size || memcmp(have.data, want.data, (size_t)have.size) != 0)
                return false;
            continue;
        }
        order = compare_values(plan->table->columns[c->column].type, have, want);
        if (!(c->op == AST_LT ? order < 0 : c->op == AST_LE ? order <= 0 : c->op == AST_GT ? order > 0 : order >= 0))
            return false;
    }
    return true;
}

static enum mr_status resolve_conditions(struct page *p)
{
    const struct plan *plan = p->read->plan;
    uint32_t i;

    p->conditions = mr_arena_alloc(p->read->arena, (plan->condition_count + 1) * sizeof(*p->conditions));
    for (i = 0; i < plan->condition_count; i++) {
        p->conditions[i] = plan_value(&plan->conditions[i].source, &p->read->values);
        if (p->conditions[i].size >= 0)
            continue;
        mr_err_set(p->err, MR_INVALID, "%s for column %.*s",
                   p->conditions[i].size == CQL_NULL ? "Invalid null value in condition" : "Invalid unset value",
                   MR_STR_ARG(plan->table->columns[plan->conditions[i].column].name));
        return fail(p, MR_INVALID, CQL_ERR_INVALID);
    }
    return MR_OK;
}

/* ---- one row ---- */

static void write_cell(struct page *p, const struct plan_selector *selector)
{
    const struct store_cell *cell = p->cells != NULL ? p->cells[selector->column] : NULL;

    if (selector->kind == PLAN_COLUMN) {
        cql_write_value(&p->rows, p->row[selector->column]);
    } else if (selector->kind == PLAN_TOKEN) {
        mr_write_i32(&p->rows, 8);
        mr_write_i64(&p->rows, p->token);
    } else if (cell == NULL || (selector->kind == PLAN_TTL && cell->ttl_s == 0)) {
        mr_write_i32(&p->rows, CQL_NULL);
    } else if (selector->kind == PLAN_WRITETIME) {
        mr_write_i32(&p->rows, 8);
        mr_write_i64(&p->rows, cell->write_time_us);
    } else {
        mr_write_i32(&p->rows, 4);
        mr_write_i32(&p->rows, (int32_t)(cell->expires_at_s - p->read->values.now_us / 1000000));
    }
}

static void emit_row(struct page *p)
{
    const struct plan *plan = p->read->plan;
    uint32_t i;

    if (!row_matches(p))
        return;
    p->matched++;
    if (plan->is_count)
        return;
    for (i = 0; i < plan->rows.column_count; i++)
        write_cell(p, &plan->selectors[i]);
    p->row_count++;
    if (p->limit_left > 0)
        p->limit_left--;
}

/* Spreads a stored row over its columns. */
static enum mr_status spread_row(struct page *p, const struct store_row *row)
{
    const struct schema_table *table = p->read->plan->table;
    struct mr_reader partition = mr_reader_of(row->key.partition_key);
    struct mr_reader clustering = mr_reader_of(row->key.clustering);
    uint32_t i;
    size_t c;

    for (i = 0; i < table->column_count; i++) {
        const struct schema_column *column = &table->columns[i];

        p->row[i] = CQL_VALUE_NULL;
        p->cells[i] = NULL;
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
    if (partition.failed || clustering.failed) {
        mr_err_set(p->err, MR_CORRUPT, "a stored key of %.*s.%.*s can't be read", MR_STR_ARG(table->keyspace),
                   MR_STR_ARG(table->name));
        return fail(p, MR_CORRUPT, CQL_ERR_SERVER);
    }
    for (c = 0; c < row->cell_count; c++) {
        const struct store_cell *cell = &row->cells[c];
        uint32_t index = cell->column_id < table->id_count ? table->column_by_id[cell->column_id] : UINT32_MAX;

        if (index == UINT32_MAX)
            continue;
        p->row[index] = CQL_VALUE_OF(cell->value.data, cell->value.size);
        p->cells[index] = cell;
    }
    p->token = row->key.token;
    return MR_OK;
}

/* ---- where the rows come from ---- */

static enum mr_status from_store(struct page *p, enum mr_status status)
{
    if (status == MR_INVALID)
        return fail(p, status, CQL_ERR_PROTOCOL);
    return fail(p, status, CQL_ERR_SERVER);
}

static enum mr_status read_one(struct page *p)
{
    struct store_key key;
    struct store_row row;
    enum mr_status status = plan_key(p->read->plan, &p->read->values, p->read->arena, &key, p->err);

    if (status != MR_OK)
        return fail(p, status, CQL_ERR_INVALID);
    key.table_id = p->read->store_id;
    status = store_get(p->read->store, &key, p->arena, &row, p->err);
    if (status == MR_NOT_FOUND)
        return MR_OK;
    if (status != MR_OK)
        return from_store(p, status);
    status = spread_row(p, &row);
    if (status == MR_OK && p->limit_left != 0)
        emit_row(p);
    return status;
}

static enum mr_status read_generated(struct page *p)
{
    struct system_rows rows;
    uint32_t i;

    system_rows_make(&rows, p->read->plan->table, p->read->context, p->read->arena);
    for (i = 0; i < rows.count && p->limit_left != 0; i++) {
        p->row = rows.rows[i];
        emit_row(p);
    }
    return MR_OK;
}

/* The range of tokens that token(k) conditions leave; false when none is left. */
static bool token_range(struct page *p, int64_t *first, int64_t *last)
{
    const struct plan *plan = p->read->plan;
    uint32_t i;

    *first = INT64_MIN;
    *last = INT64_MAX;
    for (i = 0; i < plan->token_bound_count; i++) {
        enum ast_operator op = plan->token_bounds[i].op;
        struct cql_value v = plan_value(&plan->token_bounds[i].source, &p->read->values);
        int64_t token;

        if (v.size != 8)
            return false;
        token = mr_load_i64(v.data);
        if ((op == AST_GT && token == INT64_MAX) || (op == AST_LT && token == INT64_MIN))
            return false;
        if (op == AST_GT || op == AST_GE || op == AST_EQ) {
            int64_t from = op == AST_GT ? token + 1 : token;
            *first = from > *first ? from : *first;
        }
        if (op == AST_LT || op == AST_LE || op == AST_EQ) {
            int64_t to = op == AST_LT ? token - 1 : token;
            *last = to < *last ? to : *last;
        }
    }
    return *first <= *last;
}

/* The smallest bytes above all that start with PREFIX: its last byte below 0xff raised; empty when there is none. */
static struct mr_bytes prefix_end(struct mr_arena *arena, struct mr_bytes prefix)
{
    struct mr_bytes copy = mr_arena_bytes(arena, prefix);

    while (copy.size > 0 && copy.data[copy.size - 1] == 0xff)
        copy.size--;
    if (copy.size > 0)
        ((uint8_t *)copy.data)[copy.size - 1]++;
    return copy;
}

static enum mr_status scan_options(struct page *p, struct store_scan_options *options, bool *none)
{
    const struct plan *plan = p->read->plan;
    struct store_key key;
    enum mr_status status;

    *options = (struct store_scan_options){ .table_id = p->read->store_id };
    options->resume = mr_writer_bytes(&p->resume);
    *none = false;
    if (plan->access == PLAN_RANGE) {
        *none = !token_range(p, &options->token_first, &options->token_last);
        return MR_OK;
    }
    status = plan_key(plan, &p->read->values, p->read->arena, &key, p->err);
    if (status != MR_OK)
        return fail(p, status, CQL_ERR_INVALID);
    options->one_partition = true;
    options->token = key.token;
    options->partition_key = key.partition_key;
    options->without_static = true;
    options->reverse = plan->reverse;
    if (key.clustering.size > 0) {
        options->clustering_from = key.clustering;
        options->clustering_to = prefix_end(p->read->arena, key.clustering);
    }
    return MR_OK;
}

static bool page_is_full(const struct page *p)
{
    return p->limit_left == 0 || (p->read->page_size > 0 && p->row_count >= p->read->page_size) ||
           p->rows.size >= READ_ANSWER_BYTES_MAX;
}

static enum mr_status scan_rows(struct page *p, struct store_scan *scan)
{
    struct store_row row;
    enum mr_status status;

    while (!page_is_full(p)) {
        if (mr_arena_size(p->arena) > ARENA_KEEP_BYTES)
            mr_arena_reset(p->arena);
        status = store_scan_next(scan, p->arena, &row, p->err);
        if (status == MR_NOT_FOUND)
            return MR_OK;
        if (status == MR_OK)
            status = spread_row(p, &row);
        else
            status = from_store(p, status);
        if (status != MR_OK)
            return status;
        emit_row(p);
    }
    if (p->limit_left == 0)
        return MR_OK;
    if (p->read->page_size <= 0) {
        mr_err_set(p->err, MR_LIMIT, "the answer has more than %d bytes: ask for pages", READ_ANSWER_BYTES_MAX);
        return fail(p, MR_LIMIT, CQL_ERR_INVALID);
    }
    p->resume.size = 0;
    store_scan_resume(scan, &p->resume);
    p->more = store_scan_next(scan, p->arena, &row, p->err) == MR_OK;
    return MR_OK;
}

static enum mr_status read_scan(struct page *p)
{
    struct store_scan_options options;
    struct store_scan *scan;
    bool none;
    enum mr_status status = scan_options(p, &options, &none);

    if (status != MR_OK || none)
        return status;
    status = store_scan_open(&scan, p->read->store, &options, p->err);
    if (status != MR_OK)
        return from_store(p, status);
    status = scan_rows(p, scan);
    store_scan_close(scan);
    return status;
}

/* ---- LIMIT and paging state ---- */

static enum mr_status start_limit(struct page *p)
{
    struct cql_value v = plan_value(&p->read->plan->limit, &p->read->values);

    p->limit_left = -1;
    if (p->read->plan->limit.kind == PLAN_NONE || v.size == CQL_UNSET)
        return MR_OK;
    if (v.size != 4) {
        mr_err_set(p->err, MR_INVALID, "Invalid null value of limit");
        return fail(p, MR_INVALID, CQL_ERR_INVALID);
    }
    p->limit_left = mr_load_i32(v.data);
    if (p->limit_left > 0)
        return MR_OK;
    mr_err_set(p->err, MR_INVALID, "LIMIT must be strictly positive");
    return fail(p, MR_INVALID, CQL_ERR_INVALID);
}

static enum mr_status start_paging(struct page *p)
{
    struct mr_bytes state = p->read->paging_state;
    struct mr_reader r = mr_reader_of(state);
    int64_t left;

    if (state.data == NULL || state.size == 0)
        return MR_OK;
    if (state.size < PAGING_BYTES_MIN ||
        mr_crc32c(0, state.data, state.size - 4) != (uint32_t)mr_load_i32(state.data + state.size - 4) ||
        mr_read_u8(&r) != PAGING_VERSION || mr_read_u32(&r) != p->read->store_id) {
        mr_err_set(p->err, MR_INVALID, "Invalid value for the paging state");
        return fail(p, MR_INVALID, CQL_ERR_PROTOCOL);
    }
    left = mr_read_i64(&r);
    if (p->limit_left >= 0 && left >= 0 && left < p->limit_left)
        p->limit_left = left;
    mr_write_bytes(&p->resume, mr_read_slice(&r, mr_reader_left(&r) - 4));
    return MR_OK;
}

static struct mr_bytes paging_state(struct page *p)
{
    struct mr_writer w = { 0 };
    struct mr_bytes state;

    mr_write_u8(&w, PAGING_VERSION);
    mr_write_u32(&w, p->read->store_id);
    mr_write_i64(&w, p->limit_left);
    mr_write_bytes(&w, mr_writer_bytes(&p->resume));
    mr_write_u32(&w, mr_crc32c(0, w.data, w.size));
    state = mr_arena_bytes(p->read->arena, mr_writer_bytes(&w));
    mr_writer_deinit(&w);
    return state;
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
    if (p->read->plan->is_count) {
        mr_write_i32(&p->rows, 8);
        mr_write_i64(&p->rows, p->matched);
        p->row_count = 1;
    }
    position = cql_result_begin_rows(out, &metadata);
    mr_write_bytes(out, mr_writer_bytes(&p->rows));
    mr_write_i32_at(out, position, (int32_t)p->row_count);
}

enum mr_status read_run(const struct read *read, struct mr_writer *out, int32_t *code, struct mr_err *err)
{
    uint32_t columns = read->plan->table->column_count;
    struct page p = { .read = read, .code = code, .err = err };
    enum mr_status status;

    *code = CQL_ERR_INVALID;
    p.arena = mr_arena_new();
    p.row = mr_arena_alloc(read->arena, columns * sizeof(*p.row));
    if (read->plan->access != PLAN_GENERATED)
        p.cells = mr_arena_calloc(read->arena, columns, sizeof(*p.cells));
    status = start_limit(&p);
    if (status == MR_OK)
        status = resolve_conditions(&p);
    if (status == MR_OK)
        status = start_paging(&p);
    if (status == MR_OK && read->plan->access == PLAN_ROW)
        status = read_one(&p);
    else if (status == MR_OK && read->plan->access == PLAN_GENERATED)
        status = read_generated(&p);
    else if (status == MR_OK)
        status = read_scan(&p);
    if (status == MR_OK)
        write_answer(&p, out);
    mr_writer_deinit(&p.rows);
    mr_writer_deinit(&p.resume);
    mr_arena_free(p.arena);
    return status;
}

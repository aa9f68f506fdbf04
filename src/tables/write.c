/* write.c -- values into keys and mutations.
 *
 * Per row: the values are checked in place, the cells are one array in the request's arena, nothing else is allocated;
 * the store copies.  Estimate for a row of ten columns: 0.3 us here. */
#include "tables/literal_int.h"
#include "tables/plan_int.h"

#include <string.h>

enum { TTL_S_MAX = 20 * 365 * 24 * 3600 };

enum mr_status plan_values_check(const struct plan *plan, const struct plan_values *values, struct mr_err *err)
{
    uint32_t i;

    if (values->count != plan->bind_count)
        return mr_err_set(err, MR_INVALID, "there were %" PRIu32 " markers(?) in CQL but %" PRIu32 " bound variables",
                          plan->bind_count, values->count);
    for (i = 0; i < values->count; i++) {
        enum mr_status status = cql_value_check(plan->binds[i].type, values->values[i], err);
        if (status != MR_OK)
            return status;
    }
    return MR_OK;
}

enum mr_status plan_value(const struct plan_source *source, const struct plan_values *values, struct mr_arena *arena,
                          struct cql_value *out, struct mr_err *err)
{
    struct expr_context context = { .markers = values->values, .now_us = values->now_us, .arena = arena, .err = err };

    switch (source->kind) {
    case PLAN_NONE:
        *out = CQL_VALUE_UNSET;
        return MR_OK;
    case PLAN_MARKER:
        *out = values->values[source->marker];
        return MR_OK;
    case PLAN_CONST:
        *out = source->value;
        return MR_OK;
    case PLAN_EXPR:
        break;
    }
    return expr_eval(source->expr, &context, out);
}

static enum mr_status key_value(const struct plan *plan, uint32_t index, const struct plan_values *values,
                                struct mr_arena *arena, struct cql_value *out, struct mr_err *err)
{
    const struct schema_column *column = &plan->table->columns[index];
    enum mr_status status = plan_value(&plan->key[index], values, arena, out, err);

    if (status != MR_OK)
        return status;
    if (out->size < 0)
        return mr_err_set(err, MR_INVALID, "Invalid %s value %s column %.*s", out->size == CQL_NULL ? "null" : "unset",
                          out->size == CQL_NULL ? "in condition for" : "for", MR_STR_ARG(column->name));
    if (column->type->item_count > 0)
        *out = collection_normal(column->type, *out, arena);
    return MR_OK;
}

static enum mr_status partition_key(const struct plan *plan, const struct plan_values *values, struct mr_arena *arena,
                                    struct mr_bytes *out, struct mr_err *err)
{
    struct cql_value parts[SCHEMA_KEY_PARTS_MAX];
    uint32_t i, count = plan->table->partition_count;
    struct mr_writer w = { 0 };
    enum mr_status status;

    for (i = 0; i < count; i++) {
        status = key_value(plan, i, values, arena, &parts[i], err);
        if (status != MR_OK)
            return status;
        if (parts[i].size > STORE_PARTITION_KEY_BYTES_MAX)
            return mr_err_set(err, MR_INVALID, "Key length of %" PRId32 " is longer than maximum of %d", parts[i].size,
                              STORE_PARTITION_KEY_BYTES_MAX);
    }
    if (count == 1) {
        if (parts[0].size == 0)
            return mr_err_set(err, MR_INVALID, "Key may not be empty");
        *out = (struct mr_bytes){ parts[0].data, (size_t)parts[0].size };
        return MR_OK;
    }
    status = cql_partition_key_write(&w, parts, count);
    if (status == MR_OK && w.size > STORE_PARTITION_KEY_BYTES_MAX)
        status = MR_LIMIT;
    if (status == MR_OK)
        *out = mr_arena_bytes(arena, mr_writer_bytes(&w));
    else
        mr_err_set(err, status, "Key length is longer than maximum of %d", STORE_PARTITION_KEY_BYTES_MAX);
    mr_writer_deinit(&w);
    return status;
}

enum mr_status plan_key(const struct plan *plan, const struct plan_values *values, struct mr_arena *arena,
                        struct store_key *out, struct mr_err *err)
{
    const struct schema_table *table = plan->table;
    struct mr_writer w = { 0 };
    uint32_t i;
    enum mr_status status;

    *out = (struct store_key){ .kind = STORE_ROW_CLUSTERED };
    status = partition_key(plan, values, arena, &out->partition_key, err);
    if (status != MR_OK)
        return status;
    out->token = cql_token(out->partition_key);
    if (table->clustering_count == 0)
        return MR_OK;
    for (i = 0; i < table->clustering_count && status == MR_OK; i++) {
        const struct schema_column *column = &table->columns[table->partition_count + i];
        struct cql_value v;

        status = key_value(plan, table->partition_count + i, values, arena, &v, err);
        if (status == MR_OK)
            ordered_encode(&w, column->type, column->descending, v);
    }
    if (status == MR_OK && w.size > STORE_CLUSTERING_BYTES_MAX)
        status = mr_err_set(err, MR_INVALID, "The clustering columns of a row may have at most %d bytes",
                            STORE_CLUSTERING_BYTES_MAX);
    if (status == MR_OK)
        out->clustering = mr_arena_bytes(arena, mr_writer_bytes(&w));
    mr_writer_deinit(&w);
    return status;
}

static enum mr_status using_timestamp(const struct plan *plan, const struct plan_values *values, int64_t *out,
                                      struct mr_err *err)
{
    struct cql_value v;
    enum mr_status status = plan_value(&plan->timestamp, values, NULL, &v, err);

    *out = values->timestamp_us;
    if (status != MR_OK || v.size == CQL_UNSET)
        return status;
    if (v.size != 8)
        return mr_err_set(err, MR_INVALID, "Invalid null value of timestamp");
    *out = mr_load_i64(v.data);
    if (*out == INT64_MIN)
        return mr_err_set(err, MR_INVALID, "Out of bound timestamp, must be in [%" PRId64 ", %" PRId64 "]",
                          INT64_MIN + 1, INT64_MAX);
    return MR_OK;
}

static enum mr_status using_ttl(const struct plan *plan, const struct plan_values *values, int32_t *out,
                                struct mr_err *err)
{
    struct cql_value v;
    enum mr_status status = plan_value(&plan->ttl, values, NULL, &v, err);

    *out = plan->table->default_ttl_s;
    if (status != MR_OK || v.size == CQL_UNSET)
        return status;
    *out = 0;
    if (v.size != 4) /* null: none */
        return MR_OK;
    *out = mr_load_i32(v.data);
    if (*out < 0)
        return mr_err_set(err, MR_INVALID, "A TTL must be greater or equal to 0, but was %" PRId32, *out);
    if (*out > TTL_S_MAX)
        return mr_err_set(err, MR_INVALID, "ttl is too large. requested (%" PRId32 ") maximum (%d)", *out, TTL_S_MAX);
    return MR_OK;
}

/* ---- cells ---- */

void write_add_cell(struct write_cells *cells, struct store_cell cell)
{
    if (cells->count == cells->capacity) {
        size_t capacity = cells->capacity > 0 ? cells->capacity * 2 : 16;
        struct store_cell *grown = mr_arena_alloc(cells->arena, capacity * sizeof(*grown));

        if (cells->count > 0)
            memcpy(grown, cells->items, cells->count * sizeof(*grown));
        cells->items = grown;
        cells->capacity = capacity;
    }
    cells->items[cells->count++] = cell;
}

static enum mr_status add_assignment(const struct plan *plan, const struct plan_assignment *assignment,
                                     struct write_cells *cells, struct mr_err *err)
{
    const struct schema_column *column = &plan->table->columns[assignment->column];
    struct cql_value v = CQL_VALUE_NULL;
    enum mr_status status = MR_OK;

    if (column->type->item_count > 0 && schema_is_multicell(column->type))
        return write_collection(plan, assignment, cells, err);
    if (plan->kind != AST_DELETE)
        status = plan_value(&assignment->source, cells->values, cells->arena, &v, err);
    if (status != MR_OK || v.size == CQL_UNSET)
        return status;
    if (column->type->item_count > 0)
        v = collection_normal(column->type, v, cells->arena);
    write_add_cell(cells, (struct store_cell){
                              .column_id = column->id,
                              .flags = v.size == CQL_NULL ? STORE_CELL_TOMBSTONE : 0,
                              .write_time_us = cells->write_time_us,
                              .ttl_s = v.size == CQL_NULL ? 0 : cells->ttl_s,
                              .value = { v.data, v.size > 0 ? (size_t)v.size : 0 },
                          });
    return MR_OK;
}

static enum mr_status set_cells(const struct plan *plan, const struct plan_values *values, const struct store_row *row,
                                struct mr_arena *arena, struct store_mutation *out, struct mr_err *err)
{
    struct write_cells cells = { .arena = arena,
                                 .values = values,
                                 .write_time_us = out->write_time_us,
                                 .ttl_s = out->ttl_s,
                                 .row = row,
                                 .capacity = plan->assignment_count + 1 };
    enum mr_status status = MR_OK;
    uint32_t i;

    cells.items = mr_arena_alloc(arena, cells.capacity * sizeof(*cells.items));
    for (i = 0; i < plan->assignment_count && status == MR_OK; i++)
        status = add_assignment(plan, &plan->assignments[i], &cells, err);
    out->cells = cells.items;
    out->cell_count = cells.count;
    return status;
}

/* ---- mutations ---- */

static enum mr_status add(struct write_list *list, const struct store_mutation *m, struct mr_arena *arena,
                          struct mr_err *err)
{
    if (list->count == PLAN_MUTATIONS_MAX)
        return mr_err_set(err, MR_LIMIT, "a statement or a batch may change at most %d rows", PLAN_MUTATIONS_MAX);
    if (list->count == list->capacity) {
        size_t capacity = list->capacity > 0 ? list->capacity * 2 : 4;
        struct store_mutation *grown = mr_arena_alloc(arena, capacity * sizeof(*grown));

        if (list->count > 0)
            memcpy(grown, list->items, list->count * sizeof(*grown));
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count++] = *m;
    return MR_OK;
}

/* What a write needs besides its plan. */
struct write_run {
    const struct plan *plan;
    const struct plan_values *values;
    struct store *store;
    struct mr_arena *arena;
    struct mr_err *err;
    bool needs_row;
    bool has_cells;           /* CELLS are those of every row */
    struct store_mutation of; /* all but the key */
};

/* One row at KEY: its cells, or its deletion. */
static enum mr_status write_row(struct write_run *w, const struct store_key *key, struct write_list *out)
{
    struct store_mutation m = w->of;
    struct store_row row;
    const struct store_row *now = NULL;
    enum mr_status status = MR_OK;

    m.key = *key;
    m.key.table_id = w->plan->table->store_id;
    if (w->plan->kind == AST_DELETE && w->plan->assignment_count == 0) {
        m.kind = STORE_DELETE_ROW;
        return add(out, &m, w->arena, w->err);
    }
    if (w->needs_row) {
        status = store_get(w->store, &m.key, w->arena, &row, w->err);
        now = status == MR_OK ? &row : NULL;
        status = status == MR_NOT_FOUND ? MR_OK : status;
    }
    if (status == MR_OK && (w->needs_row || !w->has_cells)) {
        status = set_cells(w->plan, w->values, now, w->arena, &w->of, w->err);
        w->has_cells = true;
        m.cells = w->of.cells;
        m.cell_count = w->of.cell_count;
    }
    return status == MR_OK ? add(out, &m, w->arena, w->err) : status;
}

/* Every row, range or partition that the WHERE clause stands for. */
static enum mr_status write_keys(struct write_run *w, struct write_list *out)
{
    struct keys keys;
    uint32_t i, j;
    enum mr_status status = keys_resolve(w->plan, w->values, w->arena, &keys, w->err);

    for (i = 0; status == MR_OK && i < keys.partition_count; i++) {
        for (j = 0; status == MR_OK && j < keys.range_count; j++) {
            struct store_mutation m = w->of;

            m.key = (struct store_key){ .table_id = w->plan->table->store_id,
                                        .token = keys.partitions[i].token,
                                        .partition_key = keys.partitions[i].key,
                                        .kind = STORE_ROW_CLUSTERED,
                                        .clustering = keys.ranges[j].from };
            m.clustering_to = keys.ranges[j].to;
            m.kind = keys.are_whole ? STORE_DELETE_PARTITION : STORE_DELETE_RANGE;
            if (keys.are_rows)
                status = write_row(w, &m.key, out);
            else
                status = add(out, &m, w->arena, w->err);
        }
    }
    return status;
}

enum mr_status write_plan(const struct plan *plan, const struct plan_values *values, struct store *store,
                          struct mr_arena *arena, struct write_list *out, struct mr_err *err)
{
    struct write_run w = { plan, values, store, arena, err, false, false, { .kind = STORE_WRITE } };
    struct store_key key;
    enum mr_status status = using_timestamp(plan, values, &w.of.write_time_us, err);
    uint32_t i;

    if (status == MR_OK)
        status = using_ttl(plan, values, &w.of.ttl_s, err);
    if (status != MR_OK)
        return status;
    if (plan->kind == AST_DELETE)
        w.of.ttl_s = 0;
    w.of.with_marker = plan->kind == AST_INSERT;
    for (i = 0; i < plan->assignment_count; i++)
        w.needs_row = w.needs_row || write_needs_row(plan, &plan->assignments[i]);
    if (plan->access != PLAN_ROW)
        return write_keys(&w, out);
    status = plan_key(plan, values, arena, &key, err);
    return status == MR_OK ? write_row(&w, &key, out) : status;
}

/* write.c -- values into keys and mutations.
 *
 * Per row: the values are checked in place, the cells are one array in the request's arena, nothing else is allocated;
 * the store copies.  Estimate for a row of ten columns: 0.3 us here. */
#include "tables/literal_int.h"
#include "tables/plan_int.h"

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

static enum mr_status key_value(const struct plan *plan, uint32_t index, const struct plan_values *values,
                                struct cql_value *out, struct mr_err *err)
{
    *out = plan_value(&plan->key[index], values);
    if (out->size >= 0)
        return MR_OK;
    return mr_err_set(err, MR_INVALID, "Invalid %s value %s column %.*s", out->size == CQL_NULL ? "null" : "unset",
                      out->size == CQL_NULL ? "in condition for" : "for", MR_STR_ARG(plan->table->columns[index].name));
}

static enum mr_status partition_key(const struct plan *plan, const struct plan_values *values, struct mr_arena *arena,
                                    struct mr_bytes *out, struct mr_err *err)
{
    struct cql_value parts[SCHEMA_KEY_PARTS_MAX];
    uint32_t i, count = plan->table->partition_count;
    struct mr_writer w = { 0 };
    enum mr_status status;

    for (i = 0; i < count; i++) {
        status = key_value(plan, i, values, &parts[i], err);
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
    if (plan->key_clustering_count == 0)
        return MR_OK;
    for (i = 0; i < plan->key_clustering_count && status == MR_OK; i++) {
        const struct schema_column *column = &table->columns[table->partition_count + i];
        struct cql_value v;

        status = key_value(plan, table->partition_count + i, values, &v, err);
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
    struct cql_value v = plan_value(&plan->timestamp, values);

    *out = values->timestamp_us;
    if (v.size == CQL_UNSET)
        return MR_OK;
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
    struct cql_value v = plan_value(&plan->ttl, values);

    *out = plan->table->default_ttl_s;
    if (v.size == CQL_UNSET)
        return MR_OK;
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

static void set_cells(const struct plan *plan, const struct plan_values *values, struct mr_arena *arena,
                      struct store_mutation *out)
{
    struct store_cell *cells = mr_arena_alloc(arena, (plan->assignment_count + 1) * sizeof(*cells));
    size_t count = 0;
    uint32_t i;

    for (i = 0; i < plan->assignment_count; i++) {
        const struct plan_assignment *assignment = &plan->assignments[i];
        struct cql_value v = plan->kind == AST_DELETE ? CQL_VALUE_NULL : plan_value(&assignment->source, values);

        if (v.size == CQL_UNSET)
            continue;
        cells[count++] = (struct store_cell){
            .column_id = plan->table->columns[assignment->column].id,
            .flags = v.size == CQL_NULL ? STORE_CELL_TOMBSTONE : 0,
            .write_time_us = out->write_time_us,
            .ttl_s = v.size == CQL_NULL ? 0 : out->ttl_s,
            .value = { v.data, v.size > 0 ? (size_t)v.size : 0 },
        };
    }
    out->cells = cells;
    out->cell_count = count;
}

enum mr_status write_mutation(const struct plan *plan, const struct plan_values *values, struct mr_arena *arena,
                              struct store_mutation *out, struct mr_err *err)
{
    enum mr_status status;

    *out = (struct store_mutation){ .kind = STORE_WRITE };
    status = plan_key(plan, values, arena, &out->key, err);
    if (status == MR_OK)
        status = using_timestamp(plan, values, &out->write_time_us, err);
    if (status == MR_OK)
        status = using_ttl(plan, values, &out->ttl_s, err);
    if (status != MR_OK)
        return status;
    out->key.table_id = plan->table->store_id;
    if (plan->kind == AST_DELETE && plan->assignment_count == 0) {
        bool whole = plan->table->clustering_count > 0 && plan->key_clustering_count == 0;

        out->kind = whole ? STORE_DELETE_PARTITION : STORE_DELETE_ROW;
        out->ttl_s = 0;
        return MR_OK;
    }
    out->with_marker = plan->kind == AST_INSERT;
    set_cells(plan, values, arena, out);
    return MR_OK;
}

/* eval.c -- evaluates bound expressions. */
#include "tables/expr_int.h"
#include "tables/literal_int.h"

#include <string.h>

enum { ARGS_MAX = 8 };

static struct cql_value of_i64(struct mr_arena *arena, int64_t v)
{
    uint8_t *bytes = mr_arena_alloc(arena, 8);

    mr_store_i64(bytes, v);
    return CQL_VALUE_OF(bytes, 8);
}

static struct cql_value of_i32(struct mr_arena *arena, int32_t v)
{
    uint8_t *bytes = mr_arena_alloc(arena, 4);

    mr_store_i32(bytes, v);
    return CQL_VALUE_OF(bytes, 4);
}

static enum mr_status eval_parts(const struct expr *e, const struct expr_context *c, struct cql_value *out)
{
    struct cql_value *parts = mr_arena_alloc(c->arena, (e->arg_count + 1) * sizeof(*parts));
    uint32_t i;

    for (i = 0; i < e->arg_count; i++) {
        enum mr_status status = expr_eval(e->args[i], c, &parts[i]);

        if (status != MR_OK)
            return status;
        if (parts[i].size == CQL_UNSET && e->kind == EXPR_TUPLE)
            return mr_err_set(c->err, MR_INVALID, "Invalid unset value for tuple field number %" PRIu32, i);
        if (parts[i].size < 0 && e->kind != EXPR_TUPLE)
            return mr_err_set(c->err, MR_INVALID, "%s is not supported inside collections",
                              parts[i].size == CQL_NULL ? "null" : "unset value");
    }
    *out = collection_build(e->type, parts, e->arg_count, c->arena);
    return MR_OK;
}

static enum mr_status eval_token(const struct expr *e, const struct expr_context *c, struct cql_value *out)
{
    struct cql_value parts[SCHEMA_KEY_PARTS_MAX];
    struct mr_writer w = { 0 };
    enum mr_status status = MR_OK;
    uint32_t i;

    if (e->arg_count == 0) { /* of the row's own partition */
        *out = of_i64(c->arena, c->token);
        return MR_OK;
    }
    for (i = 0; i < e->arg_count && status == MR_OK; i++) {
        status = expr_eval(e->args[i], c, &parts[i]);
        if (status == MR_OK && parts[i].size < 0)
            status = mr_err_set(c->err, MR_INVALID, "Invalid null value in the arguments of token()");
    }
    if (status == MR_OK && cql_partition_key_write(&w, parts, e->arg_count) != MR_OK)
        status = mr_err_set(c->err, MR_INVALID, "Key length is longer than maximum of 65535");
    if (status == MR_OK)
        *out = of_i64(c->arena, cql_token(mr_writer_bytes(&w)));
    mr_writer_deinit(&w);
    return status;
}

static enum mr_status eval_call(const struct expr *e, const struct expr_context *c, struct cql_value *out)
{
    struct cql_value args[ARGS_MAX];
    struct expr_call call = { c, e, args };
    uint32_t i;

    assert(e->arg_count <= ARGS_MAX);
    for (i = 0; i < e->arg_count; i++) {
        enum mr_status status = expr_eval(e->args[i], c, &args[i]);

        if (status != MR_OK)
            return status;
        if (args[i].size < 0) {
            *out = CQL_VALUE_NULL;
            return MR_OK;
        }
    }
    if (e->kind == EXPR_CAST)
        return expr_cast(e->args[0]->type, e->type, args[0], c->arena, out, c->err);
    return e->function->run(&call, out);
}

/* The cell of the element of column EXPR->args[0] that args[1] names, or NULL. */
static enum mr_status find_cell(const struct expr *e, const struct expr_context *c, const struct store_cell **out)
{
    const struct expr *column = e->args[0];
    const struct expr_cells *cells = &c->cells[column->index];
    struct mr_writer path = { 0 };
    struct cql_value key;
    enum mr_status status = expr_eval(e->args[1], c, &key);
    uint32_t i;

    *out = NULL;
    if (status != MR_OK || key.size < 0)
        return status;
    ordered_encode(&path, column->type->items[0], false, key);
    for (i = 0; i < cells->count && *out == NULL; i++) {
        if (mr_bytes_compare(cells->first[i].path, mr_writer_bytes(&path)) == 0)
            *out = &cells->first[i];
    }
    mr_writer_deinit(&path);
    return MR_OK;
}

static struct cql_value of_cell(const struct expr *e, const struct expr_context *c, const struct store_cell *cell)
{
    if (cell == NULL || (e->kind == EXPR_TTL && cell->ttl_s == 0))
        return CQL_VALUE_NULL;
    if (e->kind == EXPR_TTL)
        return of_i32(c->arena, (int32_t)(cell->expires_at_s - c->now_us / 1000000));
    return of_i64(c->arena, cell->write_time_us);
}

/* writetime(c), ttl(c), and of an element.  Of a whole collection: a list of them. */
static enum mr_status eval_cell(const struct expr *e, const struct expr_context *c, struct cql_value *out)
{
    const struct expr_cells *cells;
    const struct store_cell *cell = NULL;
    struct cql_value *parts;
    enum mr_status status = MR_OK;
    uint32_t i;

    if (e->arg_count == 2) {
        status = find_cell(e, c, &cell);
        *out = of_cell(e, c, cell);
        return status;
    }
    cells = &c->cells[e->index];
    if (cells->count > 0)
        cell = cells->first;
    for (i = 1; i < cells->count; i++) {
        bool is_later = cells->first[i].write_time_us > cell->write_time_us;

        if ((e->kind == EXPR_WRITETIME_MAX && is_later) || (e->kind == EXPR_WRITETIME_MIN && !is_later))
            cell = &cells->first[i];
    }
    *out = of_cell(e, c, cell);
    if (e->type->code != CQL_LIST || cells->count == 0)
        return MR_OK;
    parts = mr_arena_alloc(c->arena, cells->count * sizeof(*parts));
    for (i = 0; i < cells->count; i++)
        parts[i] = of_cell(e, c, &cells->first[i]);
    *out = collection_build(e->type, parts, cells->count, c->arena);
    return MR_OK;
}

static enum mr_status eval_element(const struct expr *e, const struct expr_context *c, struct cql_value *out)
{
    const struct cql_type *type = e->args[0]->type;
    struct cql_value of, key, *parts;
    enum mr_status status = expr_eval(e->args[0], c, &of);
    uint32_t count, i;

    if (status == MR_OK)
        status = expr_eval(e->args[1], c, &key);
    *out = CQL_VALUE_NULL;
    if (status != MR_OK || of.size < 0 || key.size < 0)
        return status;
    count = collection_split(type, of, c->arena, &parts);
    for (i = 0; i < count; i += type->item_count) {
        if (ordered_compare(type->items[0], parts[i], key) == 0)
            *out = parts[i + type->item_count - 1];
    }
    return MR_OK;
}

enum mr_status expr_eval(const struct expr *e, const struct expr_context *c, struct cql_value *out)
{
    switch (e->kind) {
    case EXPR_CONST:
        *out = e->value;
        return MR_OK;
    case EXPR_MARKER:
        *out = c->markers[e->index];
        return MR_OK;
    case EXPR_LIST:
    case EXPR_SET:
    case EXPR_MAP:
    case EXPR_TUPLE:
        return eval_parts(e, c, out);
    case EXPR_CALL:
    case EXPR_CAST:
        return eval_call(e, c, out);
    case EXPR_TOKEN:
        return eval_token(e, c, out);
    case EXPR_COLUMN:
        *out = c->row[e->index];
        return MR_OK;
    case EXPR_WRITETIME:
    case EXPR_WRITETIME_MAX:
    case EXPR_WRITETIME_MIN:
    case EXPR_TTL:
        return eval_cell(e, c, out);
    case EXPR_ELEMENT:
        return eval_element(e, c, out);
    case EXPR_RESULT:
        *out = c->results[e->index];
        return MR_OK;
    }
    return MR_OK;
}

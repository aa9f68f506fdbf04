/* write_collection.c -- cells of lists, sets and maps that are not frozen.
 *
 * One cell an element.  Its path: of a set the element, of a map the key, in the form that keeps their order; of a list
 * when it was written, so that lists grow at both ends without being read:
 *   side u8 (0: put in front, 1: put behind) | time u64 (of front ones turned) | statement u16 (likewise) | place u32
 * An assignment, of null too, deletes the elements written before, one microsecond earlier than its own. */
#include "tables/literal_int.h"
#include "tables/plan_int.h"

#include <string.h>

enum { SIDE_FRONT = 0, SIDE_BACK = 1 };

bool write_needs_row(const struct plan *plan, const struct plan_assignment *assignment)
{
    const struct cql_type *type = plan->table->columns[assignment->column].type;

    return type->code == CQL_LIST && !type->is_frozen &&
           (assignment->is_element || (plan->kind == AST_UPDATE && assignment->assign == AST_ASSIGN_LESS));
}

static void add_cell(struct write_cells *cells, uint32_t column_id, struct mr_bytes path, struct cql_value v)
{
    write_add_cell(cells, (struct store_cell){
                              .column_id = column_id,
                              .flags = v.size < 0 ? STORE_CELL_TOMBSTONE : 0,
                              .write_time_us = cells->write_time_us,
                              .ttl_s = v.size < 0 ? 0 : cells->ttl_s,
                              .path = path,
                              .value = { v.data, v.size > 0 ? (size_t)v.size : 0 },
                          });
}

static void delete_elements(struct write_cells *cells, uint32_t column_id, int64_t before_us)
{
    write_add_cell(cells, (struct store_cell){ .column_id = column_id,
                                               .flags = STORE_CELL_ELEMENTS_TOMBSTONE,
                                               .write_time_us = before_us });
}

static enum mr_status key_path(const struct cql_type *type, struct cql_value key, struct mr_arena *arena,
                               struct mr_bytes *out, struct mr_err *err)
{
    struct mr_writer w = { 0 };

    if (key.size > PLAN_ELEMENT_BYTES_MAX)
        return mr_err_set(err, MR_INVALID,
                          "Map keys and set elements are limited to %d bytes, but %" PRId32 " bytes were given",
                          PLAN_ELEMENT_BYTES_MAX, key.size);
    ordered_encode(&w, type, false, key);
    *out = mr_arena_bytes(arena, mr_writer_bytes(&w));
    mr_writer_deinit(&w);
    return MR_OK;
}

static struct mr_bytes list_path(struct write_cells *cells, uint8_t side, uint32_t place)
{
    uint64_t time = (uint64_t)cells->values->now_us;
    uint16_t statement = (uint16_t)cells->values->sequence;
    uint8_t *path = mr_arena_alloc(cells->arena, 15);

    path[0] = side;
    mr_store_i64(path + 1, (int64_t)(side == SIDE_FRONT ? ~time : time));
    statement = side == SIDE_FRONT ? (uint16_t)~statement : statement;
    path[9] = (uint8_t)(statement >> 8);
    path[10] = (uint8_t)statement;
    mr_store_i32(path + 11, (int32_t)place);
    return (struct mr_bytes){ path, 15 };
}

/* Adds the elements of V. */
static enum mr_status add_elements(const struct schema_column *column, struct cql_value v, uint8_t side,
                                   struct write_cells *cells, struct mr_err *err)
{
    const struct cql_type *type = column->type;
    uint32_t step = type->item_count, count, i;
    struct cql_value *parts;
    enum mr_status status = MR_OK;

    count = collection_split(type, v, cells->arena, &parts);
    if (count / step > PLAN_ELEMENTS_MAX)
        return mr_err_set(err, MR_INVALID, "a collection of %" PRIu32 " elements: at most %d at a time", count / step,
                          PLAN_ELEMENTS_MAX);
    for (i = 0; i < count && status == MR_OK; i += step) {
        struct cql_value element = parts[i],
                         value = type->code == CQL_SET ? CQL_VALUE_OF(NULL, 0) : parts[i + step - 1];
        struct mr_bytes path = MR_BYTES_NULL;

        if (type->code == CQL_LIST)
            path = list_path(cells, side, i);
        else
            status = key_path(type->items[0], collection_normal(type->items[0], element, cells->arena), cells->arena,
                              &path, err);
        if (status == MR_OK)
            add_cell(cells, column->id, path, collection_normal(type->items[step - 1], value, cells->arena));
    }
    return status;
}

/* ---- changes of a list that need to see it ---- */

/* The cells of COLUMN in the row as it is. */
static const struct store_cell *list_cells(const struct schema_column *column, const struct write_cells *cells,
                                           size_t *count)
{
    const struct store_cell *first = cells->row != NULL ? store_row_cell(cells->row, column->id) : NULL;

    *count = 0;
    while (first != NULL && first + *count < cells->row->cells + cells->row->cell_count &&
           first[*count].column_id == column->id)
        ++*count;
    return first;
}

static enum mr_status set_at(const struct plan *plan, const struct schema_column *column, int32_t index,
                             struct cql_value v, struct write_cells *cells, struct mr_err *err)
{
    size_t count;
    const struct store_cell *list = list_cells(column, cells, &count);

    if (count == 0)
        return mr_err_set(err, MR_INVALID,
                          plan->kind == AST_DELETE ? "Attempted to delete an element from a list which is null"
                                                   : "Attempted to set an element on a list which is null");
    if (index < 0 || (size_t)index >= count)
        return mr_err_set(err, MR_INVALID, "List index %" PRId32 " out of bound, list has size %zu", index, count);
    add_cell(cells, column->id, list[index].path, v);
    return MR_OK;
}

static void remove_values(const struct schema_column *column, struct cql_value v, struct write_cells *cells)
{
    size_t count, i;
    const struct store_cell *list = list_cells(column, cells, &count);
    struct cql_value *parts;
    uint32_t part_count = collection_split(column->type, v, cells->arena, &parts), p;

    for (i = 0; i < count; i++) {
        struct cql_value have = CQL_VALUE_OF(list[i].value.data, list[i].value.size);

        for (p = 0; p < part_count; p++) {
            if (ordered_compare(column->type->items[0], have, parts[p]) == 0)
                break;
        }
        if (p < part_count)
            add_cell(cells, column->id, list[i].path, CQL_VALUE_NULL);
    }
}

/* ---- one assignment ---- */

static enum mr_status write_element(const struct plan *plan, const struct plan_assignment *assignment,
                                    struct write_cells *cells, struct mr_err *err)
{
    const struct schema_column *column = &plan->table->columns[assignment->column];
    const struct cql_type *type = column->type;
    struct cql_value index, v = CQL_VALUE_NULL;
    struct mr_bytes path;
    enum mr_status status = plan_value(&assignment->index, cells->values, cells->arena, &index, err);

    if (status == MR_OK && plan->kind != AST_DELETE)
        status = plan_value(&assignment->source, cells->values, cells->arena, &v, err);
    if (status != MR_OK || v.size == CQL_UNSET)
        return status;
    if (index.size < 0)
        return mr_err_set(err, MR_INVALID, "Invalid %s value for %s", index.size == CQL_NULL ? "null" : "unset",
                          type->code == CQL_LIST  ? "list index"
                          : type->code == CQL_MAP ? "map key"
                                                  : "set element");
    if (type->code == CQL_LIST)
        return set_at(plan, column, index.size == 4 ? mr_load_i32(index.data) : -1, v, cells, err);
    status = key_path(type->items[0], collection_normal(type->items[0], index, cells->arena), cells->arena, &path, err);
    if (status == MR_OK)
        add_cell(cells, column->id, path, collection_normal(type->items[type->item_count - 1], v, cells->arena));
    return status;
}

/* Takes elements or keys away; a map loses the keys in a set. */
static enum mr_status write_less(const struct schema_column *column, struct cql_value v, struct write_cells *cells,
                                 struct mr_err *err)
{
    const struct cql_type *type = column->type;
    struct cql_type keys = { .code = CQL_SET, .item_count = 1, .items = type->items };
    struct cql_value *parts;
    struct mr_bytes path;
    uint32_t count, i;
    enum mr_status status = MR_OK;

    if (type->code == CQL_LIST) {
        remove_values(column, v, cells);
        return MR_OK;
    }
    count = collection_split(&keys, v, cells->arena, &parts);
    for (i = 0; i < count && status == MR_OK; i++) {
        status = key_path(type->items[0], collection_normal(type->items[0], parts[i], cells->arena), cells->arena,
                          &path, err);
        if (status == MR_OK)
            add_cell(cells, column->id, path, CQL_VALUE_NULL);
    }
    return status;
}

enum mr_status write_collection(const struct plan *plan, const struct plan_assignment *assignment,
                                struct write_cells *cells, struct mr_err *err)
{
    const struct schema_column *column = &plan->table->columns[assignment->column];
    bool is_change = plan->kind == AST_UPDATE && assignment->assign != AST_ASSIGN;
    struct cql_value v = CQL_VALUE_NULL;
    enum mr_status status = MR_OK;

    if (assignment->is_element)
        return write_element(plan, assignment, cells, err);
    if (plan->kind != AST_DELETE)
        status = plan_value(&assignment->source, cells->values, cells->arena, &v, err);
    if (status != MR_OK || v.size == CQL_UNSET || (is_change && v.size <= 0))
        return status;
    if (is_change && assignment->assign == AST_ASSIGN_LESS)
        return write_less(column, v, cells, err);
    if (!is_change)
        delete_elements(cells, column->id, cells->write_time_us - (plan->kind != AST_DELETE));
    if (v.size <= 0)
        return MR_OK;
    return add_elements(column, v, assignment->assign == AST_ASSIGN_FIRST ? SIDE_FRONT : SIDE_BACK, cells, err);
}

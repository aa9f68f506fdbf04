/* batch.c -- batches of rows, and their way out through the Arrow C data interface.
 *
 * Export: every ArrowArray holds one reference to its own column (the root: to the batch's columns through its
 * children), so a child may outlive its parent, as the interface allows when a consumer moves it. */
#include "data/data.h"

#include <string.h>

struct data_batch *data_batch_new(const struct data_type *row)
{
    struct data_batch *b = MR_NEW(struct data_batch);

    assert(row->kind == DATA_ROW);
    b->type = row;
    b->refs = 1;
    b->column_count = row->field_count;
    b->columns = mr_calloc(row->field_count + 1, sizeof(struct data_column *));
    for (uint32_t i = 0; i < row->field_count; i++)
        b->columns[i] = data_column_new(row->fields[i].type);
    return b;
}

struct data_batch *data_batch_of(const struct data_type *row, struct data_column *const *columns, uint32_t row_count)
{
    struct data_batch *b = MR_NEW(struct data_batch);

    assert(row->kind == DATA_ROW);
    b->type = row;
    b->refs = 1;
    b->row_count = row_count;
    b->column_count = row->field_count;
    b->columns = mr_calloc(row->field_count + 1, sizeof(struct data_column *));
    for (uint32_t i = 0; i < row->field_count; i++) {
        assert(columns[i]->length == row_count);
        b->columns[i] = data_column_ref(columns[i]);
    }
    return b;
}

struct data_batch *data_batch_ref(struct data_batch *batch)
{
    __atomic_add_fetch(&batch->refs, 1, __ATOMIC_RELAXED);
    return batch;
}

void data_batch_unref(struct data_batch *batch)
{
    if (batch == NULL || __atomic_sub_fetch(&batch->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (uint32_t i = 0; i < batch->column_count; i++)
        data_column_unref(batch->columns[i]);
    mr_free(batch->columns);
    mr_free(batch->changes);
    mr_free(batch);
}

void data_batch_reset(struct data_batch *batch)
{
    assert(__atomic_load_n(&batch->refs, __ATOMIC_ACQUIRE) == 1);
    for (uint32_t i = 0; i < batch->column_count; i++) {
        if (data_column_exclusive(batch->columns[i])) {
            data_column_reset(batch->columns[i]);
        } else {
            data_column_unref(batch->columns[i]);
            batch->columns[i] = data_column_new(batch->type->fields[i].type);
        }
    }
    mr_free(batch->changes);
    batch->changes = NULL;
    batch->row_count = 0;
}

static bool column_overflowed(const struct data_column *column)
{
    bool overflowed = column->overflowed;

    for (uint32_t i = 0; i < column->child_count && !overflowed; i++)
        overflowed = column_overflowed(column->children[i]);
    return overflowed;
}

bool data_batch_overflowed(const struct data_batch *batch)
{
    for (uint32_t i = 0; i < batch->column_count; i++) {
        if (column_overflowed(batch->columns[i]))
            return true;
    }
    return false;
}

/* ---- Arrow ---- */

static const char *arrow_format(const struct data_type *type)
{
    switch (type->kind) {
    case DATA_NULL:
        return "n";
    case DATA_BOOLEAN:
        return "b";
    case DATA_INT:
        return "i";
    case DATA_BIGINT:
        return "l";
    case DATA_FLOAT:
        return "f";
    case DATA_DOUBLE:
        return "g";
    case DATA_STRING:
        return "u";
    case DATA_ROW:
        return "+s";
    case DATA_ARRAY:
        return "+l";
    case DATA_TINYINT:
    case DATA_SMALLINT:
    case DATA_DECIMAL:
    case DATA_BYTES:
    case DATA_DATE:
    case DATA_TIME:
    case DATA_TIMESTAMP:
    case DATA_TIMESTAMP_LTZ:
    case DATA_MAP:
    case DATA_KIND_N:
        break;
    }
    assert(!"a kind without columns");
    return NULL;
}

static void schema_release(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (schema->children[i]->release != NULL)
            schema->children[i]->release(schema->children[i]);
        mr_free(schema->children[i]);
    }
    mr_free(schema->children);
    mr_free((char *)schema->name);
    schema->release = NULL;
}

static void schema_export(const struct data_type *type, struct mr_str name, struct ArrowSchema *out)
{
    memset(out, 0, sizeof(*out));
    out->format = arrow_format(type);
    out->name = mr_str_dup(name);
    out->flags = type->nullable || type->kind == DATA_NULL ? ARROW_FLAG_NULLABLE : 0;
    out->n_children = type->field_count;
    out->children = mr_calloc(type->field_count + 1, sizeof(struct ArrowSchema *));
    for (uint32_t i = 0; i < type->field_count; i++) {
        out->children[i] = MR_NEW(struct ArrowSchema);
        schema_export(type->fields[i].type, type->fields[i].name, out->children[i]);
    }
    out->release = schema_release;
}

struct array_private {
    struct data_column *column; /* one reference; NULL for the root */
    const void *buffers[3];
};

static void array_release(struct ArrowArray *array)
{
    struct array_private *p = array->private_data;

    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release != NULL)
            array->children[i]->release(array->children[i]);
        mr_free(array->children[i]);
    }
    mr_free(array->children);
    data_column_unref(p->column);
    mr_free(p);
    array->release = NULL;
}

static void array_init(struct ArrowArray *out, struct data_column *column, struct data_column *const *children,
                       uint32_t child_count)
{
    struct array_private *p = MR_NEW(struct array_private);

    memset(out, 0, sizeof(*out));
    p->column = column;
    out->private_data = p;
    out->buffers = p->buffers;
    out->n_children = child_count;
    out->children = mr_calloc(child_count + 1, sizeof(struct ArrowArray *));
    out->release = array_release;
    for (uint32_t i = 0; i < child_count; i++) {
        struct data_column *c = data_column_ref(children[i]);
        struct ArrowArray *child = MR_NEW(struct ArrowArray);
        struct array_private *cp;

        array_init(child, c, c->children, c->child_count);
        out->children[i] = child;
        cp = child->private_data;
        child->length = c->length;
        child->null_count = c->null_count;
        child->n_buffers = 1;
        cp->buffers[0] = c->null_count != 0 ? c->validity : NULL;
        if (c->type->kind == DATA_NULL) {
            child->n_buffers = 0;
        } else if (c->offsets != NULL) {
            cp->buffers[child->n_buffers++] = c->offsets;
            if (c->type->kind == DATA_STRING)
                cp->buffers[child->n_buffers++] = c->values;
        } else if (c->type->kind != DATA_ROW) {
            cp->buffers[child->n_buffers++] = c->values;
        }
    }
}

void data_batch_export(struct data_batch *batch, struct ArrowSchema *schema, struct ArrowArray *array)
{
    if (schema != NULL)
        schema_export(batch->type, MR_STR(""), schema);
    if (array != NULL) {
        array_init(array, NULL, batch->columns, batch->column_count);
        array->length = batch->row_count;
        array->n_buffers = 1;
    }
}

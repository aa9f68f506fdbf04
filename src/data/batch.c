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

/* Appends the type's format string. */
static void arrow_format(struct mr_writer *out, const struct data_type *type)
{
    static const char *const formats[DATA_KIND_N] = {
        [DATA_NULL] = "n",
        [DATA_BOOLEAN] = "b",
        [DATA_TINYINT] = "c",
        [DATA_SMALLINT] = "s",
        [DATA_INT] = "i",
        [DATA_BIGINT] = "l",
        [DATA_FLOAT] = "f",
        [DATA_DOUBLE] = "g",
        [DATA_STRING] = "u",
        [DATA_BYTES] = "z",
        [DATA_DATE] = "tdD",
        [DATA_TIME] = "ttm",
        [DATA_TIMESTAMP] = "tsu:",
        [DATA_TIMESTAMP_LTZ] = "tsu:UTC",
        [DATA_ROW] = "+s",
        [DATA_ARRAY] = "+l",
        [DATA_MAP] = "+m",
        [DATA_INTERVAL_MONTH] = "tiM",
        [DATA_INTERVAL_DAY] = "tDu",
    };

    if (type->kind == DATA_DECIMAL)
        mr_write_text(out, "d:%u,%u", type->precision, type->scale);
    else
        mr_write_str(out, mr_str_of(formats[type->kind]));
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
    mr_free((char *)schema->format);
    schema->release = NULL;
}

static void schema_export(const struct data_type *type, struct mr_str name, struct ArrowSchema *out)
{
    struct mr_writer format = { 0 };
    const struct data_type entries = { .kind = DATA_ROW, .field_count = type->field_count, .fields = type->fields };
    const struct data_field one = { MR_STR("entries"), &entries };

    memset(out, 0, sizeof(*out));
    arrow_format(&format, type);
    mr_write_u8(&format, '\0');
    out->format = (char *)format.data;
    out->name = mr_str_dup(name);
    out->flags = type->nullable || type->kind == DATA_NULL ? ARROW_FLAG_NULLABLE : 0;
    out->n_children = type->kind == DATA_MAP ? 1 : type->field_count; /* a map's is a struct of key and value */
    out->children = mr_calloc(type->field_count + 1, sizeof(struct ArrowSchema *));
    for (uint32_t i = 0; i < out->n_children; i++) {
        const struct data_field *field = type->kind == DATA_MAP ? &one : &type->fields[i];
        out->children[i] = MR_NEW(struct ArrowSchema);
        schema_export(field->type, field->name, out->children[i]);
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
                       uint32_t child_count);

/* A map's one child: a struct of its keys and values, never null. */
static void array_init_entries(struct ArrowArray *map, struct data_column *column)
{
    struct ArrowArray *entries = MR_NEW(struct ArrowArray);

    array_init(entries, NULL, column->children, column->child_count);
    entries->length = column->children[0]->length;
    entries->n_buffers = 1;
    map->n_children = 1;
    map->children[0] = entries;
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

        array_init(child, c, c->children, c->type->kind == DATA_MAP ? 0 : c->child_count);
        if (c->type->kind == DATA_MAP)
            array_init_entries(child, c);
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
            if (c->type->kind == DATA_STRING || c->type->kind == DATA_BYTES)
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

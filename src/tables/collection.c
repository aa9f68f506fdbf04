/* collection.c -- lists, sets, maps and tuples as one value. */
#include "tables/expr_int.h"
#include "tables/literal_int.h"

#include <stdlib.h>
#include <string.h>

/* A key (or an element) with its place among those that were given. */
struct entry {
    struct mr_bytes ordered;
    uint32_t place;
    struct cql_value key, value;
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = mr_bytes_compare(x->ordered, y->ordered);

    return order != 0 ? order : x->place < y->place ? -1 : 1;
}

static bool larger(struct cql_value a, struct cql_value b)
{
    return mr_bytes_compare((struct mr_bytes){ a.data, (size_t)a.size }, (struct mr_bytes){ b.data, (size_t)b.size }) >
           0;
}

static struct cql_value take(struct mr_writer *w, struct mr_arena *arena)
{
    struct cql_value v = CQL_VALUE_OF(mr_arena_bytes(arena, mr_writer_bytes(w)).data, w->size);

    mr_writer_deinit(w);
    return v;
}

struct cql_value collection_build(const struct cql_type *type, const struct cql_value *parts, uint32_t count,
                                  struct mr_arena *arena)
{
    uint32_t step = type->code == CQL_MAP ? 2 : 1, n = count / step, i, kept = 0;
    struct mr_writer w = { 0 }, ordered = { 0 };
    struct entry *entries;

    if (type->code == CQL_LIST || type->code == CQL_TUPLE) {
        if (type->code == CQL_LIST)
            mr_write_i32(&w, (int32_t)count);
        for (i = 0; i < count; i++)
            cql_write_value(&w, parts[i]);
        return take(&w, arena);
    }
    entries = mr_arena_alloc(arena, (n + 1) * sizeof(*entries));
    for (i = 0; i < n; i++) {
        ordered.size = 0;
        ordered_encode(&ordered, type->items[0], false, parts[i * step]);
        entries[i] = (struct entry){ mr_arena_bytes(arena, mr_writer_bytes(&ordered)), i, parts[i * step],
                                     step == 2 ? parts[i * step + 1] : CQL_VALUE_NULL };
    }
    mr_writer_deinit(&ordered);
    if (n > 1)
        qsort(entries, n, sizeof(*entries), compare_entries);
    mr_write_i32(&w, 0);
    for (i = 0; i < n; i++) {
        struct entry *best = &entries[i];

        /* Of entries with the same key a frozen map keeps the first, cells the one with the larger value. */
        for (; i + 1 < n && mr_bytes_compare(best->ordered, entries[i + 1].ordered) == 0; i++) {
            if (step == 2 && !type->is_frozen && larger(entries[i + 1].value, best->value))
                best->value = entries[i + 1].value;
        }
        cql_write_value(&w, best->key);
        if (step == 2)
            cql_write_value(&w, best->value);
        kept++;
    }
    mr_write_i32_at(&w, 0, (int32_t)kept);
    return take(&w, arena);
}

uint32_t collection_split(const struct cql_type *type, struct cql_value v, struct mr_arena *arena,
                          struct cql_value **parts)
{
    struct mr_reader r = mr_reader_of((struct mr_bytes){ v.data, v.size > 0 ? (size_t)v.size : 0 });
    uint32_t count = type->item_count, i;

    if (type->code != CQL_TUPLE)
        count = v.size >= 4 ? (uint32_t)mr_read_i32(&r) * type->item_count : 0;
    assert(count <= mr_reader_left(&r) / 4 + type->item_count);
    *parts = mr_arena_alloc(arena, (count + 1) * sizeof(**parts));
    for (i = 0; i < count; i++)
        (*parts)[i] = mr_reader_left(&r) > 0 ? cql_read_value(&r) : CQL_VALUE_NULL;
    return count;
}

static bool needs_order(const struct cql_type *type)
{
    uint16_t i;

    if (type->code == CQL_SET || type->code == CQL_MAP)
        return true;
    for (i = 0; i < type->item_count; i++)
        if (needs_order(type->items[i]))
            return true;
    return false;
}

struct cql_value collection_normal(const struct cql_type *type, struct cql_value v, struct mr_arena *arena)
{
    struct cql_value *parts;
    uint32_t count, i;

    if (v.size < 4 || !needs_order(type))
        return v;
    count = collection_split(type, v, arena, &parts);
    for (i = 0; i < count; i++)
        parts[i] = collection_normal(type->items[i % type->item_count], parts[i], arena);
    return collection_build(type, parts, count, arena);
}

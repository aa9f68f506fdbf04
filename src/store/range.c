/* range.c -- the range tombstones of a partition while it is read.
 *
 * They are gathered as they were written, which may overlap, then cut into parts that do not: every boundary starts a
 * part, whose time is that of the newest tombstone over it.  Equal neighbours are joined, so a queue that is deleted
 * from its start, again and again, becomes a few parts.  Cost: n log n, and n times how many overlap. */
#include "store/store_int.h"

#include <stdlib.h>
#include <string.h>

void store_ranges_reset(struct store_ranges *ranges)
{
    if (ranges->count == 0)
        return;
    mr_arena_reset(ranges->arena);
    ranges->items = NULL;
    ranges->count = ranges->capacity = ranges->at = 0;
}

void store_ranges_deinit(struct store_ranges *ranges)
{
    mr_arena_free(ranges->arena);
    *ranges = (struct store_ranges){ 0 };
}

void store_ranges_add(struct store_ranges *ranges, struct mr_bytes from, struct mr_bytes to, int64_t deleted_us)
{
    if (ranges->arena == NULL)
        ranges->arena = mr_arena_new();
    if (ranges->count == ranges->capacity) {
        size_t capacity = ranges->capacity > 0 ? ranges->capacity * 2 : 8;
        struct store_range *grown = mr_arena_alloc(ranges->arena, capacity * sizeof(*grown));

        if (ranges->count > 0)
            memcpy(grown, ranges->items, ranges->count * sizeof(*grown));
        ranges->items = grown;
        ranges->capacity = capacity;
    }
    ranges->items[ranges->count++] =
        (struct store_range){ mr_arena_bytes(ranges->arena, from), mr_arena_bytes(ranges->arena, to), deleted_us };
    ranges->at = SIZE_MAX; /* not cut yet */
}

static int compare_from(const void *a, const void *b)
{
    const struct store_range *x = a, *y = b;

    return mr_bytes_compare(x->from, y->from);
}

/* Order of upper bounds: the empty one is after all. */
static int compare_to(struct mr_bytes a, struct mr_bytes b)
{
    if (a.size == 0 || b.size == 0)
        return (a.size == 0) - (b.size == 0);
    return mr_bytes_compare(a, b);
}

/* Appends a part, joined to the one before when nothing is between them. */
static size_t put(struct store_range *parts, size_t count, struct store_range part)
{
    if (count > 0 && parts[count - 1].deleted_us == part.deleted_us && parts[count - 1].to.size > 0 &&
        mr_bytes_compare(parts[count - 1].to, part.from) == 0) {
        parts[count - 1].to = part.to;
        return count;
    }
    parts[count] = part;
    return count + 1;
}

void store_ranges_finish(struct store_ranges *ranges)
{
    size_t n = ranges->count, next = 0, open_count = 0, count = 0, i, kept;
    struct store_range *parts, *open; /* open: those over AT */
    struct mr_bytes at = MR_BYTES_NULL;

    ranges->at = 0;
    if (n < 2)
        return;
    qsort(ranges->items, n, sizeof(*ranges->items), compare_from);
    parts = mr_arena_alloc(ranges->arena, 2 * n * sizeof(*parts));
    open = mr_arena_alloc(ranges->arena, n * sizeof(*open));
    while (next < n || open_count > 0) {
        struct mr_bytes end = MR_BYTES_NULL; /* of the part that starts at AT; empty: after all */
        int64_t newest = INT64_MIN;

        if (open_count == 0)
            at = ranges->items[next].from;
        while (next < n && mr_bytes_compare(ranges->items[next].from, at) == 0)
            open[open_count++] = ranges->items[next++];
        for (i = 0; i < open_count; i++) {
            newest = open[i].deleted_us > newest ? open[i].deleted_us : newest;
            if (i == 0 || compare_to(open[i].to, end) < 0)
                end = open[i].to;
        }
        if (next < n && compare_to(ranges->items[next].from, end) < 0)
            end = ranges->items[next].from;
        count = put(parts, count, (struct store_range){ at, end, newest });
        for (i = 0, kept = 0; i < open_count; i++) {
            if (compare_to(open[i].to, end) > 0)
                open[kept++] = open[i];
        }
        open_count = kept;
        at = end;
        if (end.size == 0)
            break;
    }
    ranges->items = parts;
    ranges->count = count;
    ranges->capacity = 2 * n;
}

bool store_ranges_find(struct store_ranges *ranges, struct mr_bytes clustering, int64_t *deleted_us)
{
    size_t low = 0, high;

    if (ranges->at == SIZE_MAX)
        store_ranges_finish(ranges);
    for (high = ranges->count; low < high;) {
        size_t middle = low + (high - low) / 2;

        if (mr_bytes_compare(ranges->items[middle].from, clustering) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return false;
    if (ranges->items[low - 1].to.size > 0 && mr_bytes_compare(clustering, ranges->items[low - 1].to) >= 0)
        return false;
    *deleted_us = ranges->items[low - 1].deleted_us;
    return true;
}

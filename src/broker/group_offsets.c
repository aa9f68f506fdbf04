/* group_offsets.c -- see group_offsets_int.h. */
#include "broker/group_offsets_int.h"

#include "base/map.h"

#include <stdlib.h>
#include <string.h>

enum { PARTITION_BYTES = 4, NAME_MAX_BYTES = INT16_MAX, ENTRY_BYTES = sizeof(struct broker_offset) + 64 };

struct broker_offsets {
    struct mr_map *entries; /* owned, with its values: partition and topic → struct broker_offset */
    int64_t *bytes;         /* borrowed */
};

struct broker_offsets *broker_offsets_new(int64_t *bytes)
{
    struct broker_offsets *offsets = MR_NEW(struct broker_offsets);

    offsets->entries = mr_map_new();
    offsets->bytes = bytes;
    return offsets;
}

static int64_t entry_bytes(const struct broker_offset *entry)
{
    return (int64_t)(ENTRY_BYTES + 2 * entry->topic.size + entry->value.metadata.size);
}

static void entry_free(struct broker_offsets *offsets, struct broker_offset *entry)
{
    *offsets->bytes -= entry_bytes(entry);
    mr_free((char *)entry->topic.data);
    mr_free((char *)entry->value.metadata.data);
    mr_free(entry);
}

void broker_offsets_free(struct broker_offsets *offsets)
{
    size_t cursor = 0;
    void *entry;

    if (offsets == NULL)
        return;
    while (mr_map_next(offsets->entries, &cursor, NULL, &entry))
        entry_free(offsets, entry);
    mr_map_free(offsets->entries);
    mr_free(offsets);
}

size_t broker_offsets_count(const struct broker_offsets *offsets)
{
    return mr_map_count(offsets->entries);
}

/* ROOM has PARTITION_BYTES + NAME_MAX_BYTES. */
static struct mr_bytes key_make(uint8_t *room, struct mr_str topic, int32_t partition)
{
    assert(topic.size <= NAME_MAX_BYTES);
    mr_store_i32(room, partition);
    if (topic.size > 0)
        memcpy(room + PARTITION_BYTES, topic.data, topic.size);
    return (struct mr_bytes){ room, PARTITION_BYTES + topic.size };
}

struct broker_offset *broker_offsets_find(const struct broker_offsets *offsets, struct mr_str topic, int32_t partition)
{
    uint8_t room[PARTITION_BYTES + NAME_MAX_BYTES];

    return mr_map_get(offsets->entries, key_make(room, topic, partition));
}

void broker_offsets_touch(struct broker_offsets *offsets, struct mr_str topic, int32_t partition, int64_t appended)
{
    uint8_t room[PARTITION_BYTES + NAME_MAX_BYTES];
    struct mr_bytes key = key_make(room, topic, partition);
    struct broker_offset *entry = mr_map_get(offsets->entries, key);

    if (entry == NULL) {
        entry = MR_NEW(struct broker_offset);
        entry->topic = (struct mr_str){ mr_str_dup(topic), topic.size };
        entry->partition = partition;
        *offsets->bytes += entry_bytes(entry);
        mr_map_put(offsets->entries, key, entry);
    }
    entry->appended = appended;
}

void broker_offsets_set(struct broker_offsets *offsets, struct mr_str topic, int32_t partition, int64_t appended,
                        const struct broker_offset_value *value)
{
    struct broker_offset *entry = broker_offsets_find(offsets, topic, partition);

    if (entry == NULL)
        return;
    *offsets->bytes -= entry_bytes(entry);
    mr_free((char *)entry->value.metadata.data);
    entry->value = *value;
    entry->value.metadata.data = mr_str_dup(value->metadata);
    entry->is_set = true;
    entry->applied = appended;
    *offsets->bytes += entry_bytes(entry);
}

void broker_offsets_unset(struct broker_offsets *offsets, struct mr_str topic, int32_t partition, int64_t appended)
{
    uint8_t room[PARTITION_BYTES + NAME_MAX_BYTES];
    struct mr_bytes key = key_make(room, topic, partition);
    struct broker_offset *entry = mr_map_get(offsets->entries, key);

    if (entry == NULL)
        return;
    entry->is_set = false;
    if (entry->appended != appended)
        return;
    mr_map_remove(offsets->entries, key);
    entry_free(offsets, entry);
}

void broker_offsets_fail(struct broker_offsets *offsets, struct mr_str topic, int32_t partition, int64_t appended)
{
    const struct broker_offset *entry = broker_offsets_find(offsets, topic, partition);

    if (entry != NULL && !entry->is_set)
        broker_offsets_unset(offsets, topic, partition, appended);
}

static int entry_compare(const void *a, const void *b)
{
    const struct broker_offset *x = *(struct broker_offset *const *)a, *y = *(struct broker_offset *const *)b;
    int order = mr_bytes_compare(mr_bytes_of_str(x->topic), mr_bytes_of_str(y->topic));

    return order != 0 ? order : (x->partition > y->partition) - (x->partition < y->partition);
}

struct broker_offset **broker_offsets_sorted(const struct broker_offsets *offsets, struct mr_arena *arena,
                                             size_t *count)
{
    struct broker_offset **all = MR_ARENA_ARRAY(arena, struct broker_offset *, broker_offsets_count(offsets));
    size_t cursor = 0;
    void *entry;

    *count = 0;
    while (mr_map_next(offsets->entries, &cursor, NULL, &entry))
        all[(*count)++] = entry;
    if (*count > 1)
        qsort(all, *count, sizeof(struct broker_offset *), entry_compare);
    return all;
}

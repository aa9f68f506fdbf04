/* map.c -- linear probing over a power of two of slots, at most three quarters full; removal shifts back, so there are
 * no graves to sweep. */
#include "base/map.h"
#include "base/hash.h"

#include <string.h>

struct map_slot {
    uint8_t *key; /* owned; NULL: empty */
    size_t key_size;
    uint64_t hash;
    void *value;
};

struct mr_map {
    struct map_slot *slots; /* owned */
    size_t slot_count;      /* a power of two */
    size_t count;
};

enum { MAP_SLOTS_FIRST = 16 };

struct mr_map *mr_map_new(void)
{
    struct mr_map *map = MR_NEW(struct mr_map);

    map->slot_count = MAP_SLOTS_FIRST;
    map->slots = mr_calloc(map->slot_count, sizeof(*map->slots));
    return map;
}

void mr_map_free(struct mr_map *map)
{
    if (map == NULL)
        return;
    for (size_t i = 0; i < map->slot_count; i++)
        mr_free(map->slots[i].key);
    mr_free(map->slots);
    mr_free(map);
}

/* The slot that holds KEY, or the empty one where it would go. */
static struct map_slot *map_find(const struct mr_map *map, struct mr_bytes key, uint64_t hash)
{
    size_t i = hash & (map->slot_count - 1);

    while (map->slots[i].key != NULL) {
        const struct map_slot *slot = &map->slots[i];

        if (slot->hash == hash && slot->key_size == key.size &&
            (key.size == 0 || memcmp(slot->key, key.data, key.size) == 0))
            break;
        i = (i + 1) & (map->slot_count - 1);
    }
    return &map->slots[i];
}

void *mr_map_get(const struct mr_map *map, struct mr_bytes key)
{
    return map_find(map, key, mr_hash64(key.data, key.size))->value;
}

static void map_grow(struct mr_map *map)
{
    struct map_slot *old = map->slots;
    size_t old_count = map->slot_count;

    map->slot_count *= 2;
    map->slots = mr_calloc(map->slot_count, sizeof(*map->slots));
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].key != NULL)
            *map_find(map, (struct mr_bytes){ old[i].key, old[i].key_size }, old[i].hash) = old[i];
    }
    mr_free(old);
}

void *mr_map_put(struct mr_map *map, struct mr_bytes key, void *value)
{
    uint64_t hash = mr_hash64(key.data, key.size);
    struct map_slot *slot = map_find(map, key, hash);
    void *before = slot->value;

    assert(value != NULL);
    if (slot->key == NULL) {
        if ((map->count + 1) * 4 > map->slot_count * 3) {
            map_grow(map);
            slot = map_find(map, key, hash);
        }
        slot->key = mr_alloc(key.size + 1);
        if (key.size)
            memcpy(slot->key, key.data, key.size);
        slot->key[key.size] = '\0';
        slot->key_size = key.size;
        slot->hash = hash;
        map->count++;
    }
    slot->value = value;
    return before;
}

void *mr_map_remove(struct mr_map *map, struct mr_bytes key)
{
    struct map_slot *slot = map_find(map, key, mr_hash64(key.data, key.size));
    size_t mask = map->slot_count - 1;
    size_t hole = (size_t)(slot - map->slots);
    void *value = slot->value;

    if (slot->key == NULL)
        return NULL;
    mr_free(slot->key);
    map->count--;
    for (size_t i = (hole + 1) & mask; map->slots[i].key != NULL; i = (i + 1) & mask) {
        size_t home = map->slots[i].hash & mask;

        if (((i - home) & mask) >= ((i - hole) & mask)) {
            map->slots[hole] = map->slots[i];
            hole = i;
        }
    }
    map->slots[hole] = (struct map_slot){ 0 };
    return value;
}

size_t mr_map_count(const struct mr_map *map)
{
    return map->count;
}

bool mr_map_next(const struct mr_map *map, size_t *cursor, struct mr_bytes *key, void **value)
{
    for (size_t i = *cursor; i < map->slot_count; i++) {
        const struct map_slot *slot = &map->slots[i];

        if (slot->key == NULL)
            continue;
        if (key != NULL)
            *key = (struct mr_bytes){ slot->key, slot->key_size };
        *value = slot->value;
        *cursor = i + 1;
        return true;
    }
    return false;
}

void *mr_map_get_str(const struct mr_map *map, const char *key)
{
    return mr_map_get(map, mr_bytes_of_str(mr_str_of(key)));
}

void *mr_map_put_str(struct mr_map *map, const char *key, void *value)
{
    return mr_map_put(map, mr_bytes_of_str(mr_str_of(key)), value);
}

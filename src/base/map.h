/* map.h -- a table from byte strings to pointers, in memory; open addressing, keys copied. */
#ifndef MR_MAP_H
#define MR_MAP_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mr_map;

/* A new empty map; caller owns it: mr_map_free, which frees keys but not values. */
struct mr_map *mr_map_new(void);
void mr_map_free(struct mr_map *map); /* NULL is legal */
/* The value of KEY, or NULL. */
void *mr_map_get(const struct mr_map *map, struct mr_bytes key);
/* Sets the value (not NULL) of KEY and returns the one it had, or NULL. */
void *mr_map_put(struct mr_map *map, struct mr_bytes key, void *value);
/* Removes KEY and returns its value, or NULL. */
void *mr_map_remove(struct mr_map *map, struct mr_bytes key);
/* How many keys there are. */
size_t mr_map_count(const struct mr_map *map);
/* Steps through all entries in no order: start with *CURSOR = 0, stop when it returns false.  The map must not change
 * between the steps.  KEY may be NULL. */
bool mr_map_next(const struct mr_map *map, size_t *cursor, struct mr_bytes *key, void **value);
/* The same with text keys. */
void *mr_map_get_str(const struct mr_map *map, const char *key);
void *mr_map_put_str(struct mr_map *map, const char *key, void *value);

#ifdef __cplusplus
}
#endif
#endif

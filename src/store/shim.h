/* shim.h -- what the C API of RocksDB 7.8 lacks; C and C++ see the same declarations. */
#ifndef STORE_SHIM_H
#define STORE_SHIM_H

#include <rocksdb/c.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Write buffers of at most BYTES, charged to CACHE; quick recovery; no statistics files. */
void store_shim_tune(rocksdb_options_t *options, rocksdb_cache_t *cache, size_t bytes);
/* DB::Resume: true when the database takes writes again, else *MESSAGE (malloc) says why not. */
bool store_shim_resume(rocksdb_t *db, char **message);

#ifdef __cplusplus
}
#endif
#endif

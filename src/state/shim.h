/* shim.h -- what the C API of RocksDB 7.8 lacks; C and C++ see the same declaration. */
#ifndef STATE_SHIM_H
#define STATE_SHIM_H

#include <rocksdb/c.h>

#ifdef __cplusplus
extern "C" {
#endif

/* DB::Resume: when DB takes no writes still, *MESSAGE (malloc) says why; else it is left as it is. */
void state_shim_resume(rocksdb_t *db, char **message);

#ifdef __cplusplus
}
#endif
#endif

/* shim.cc -- what the C API of RocksDB 7.8 lacks: Resume after a full disk.  The C API's handle is the same struct. */
#include "state/shim.h"

#include <cstring>

#include <rocksdb/db.h>

struct rocksdb_t {
    rocksdb::DB *rep;
};

void state_shim_resume(rocksdb_t *db, char **message)
{
    rocksdb::Status status = db->rep->Resume();

    if (!status.ok())
        *message = strdup(status.ToString().c_str());
}

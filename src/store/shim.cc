/* shim.cc -- what the C API of RocksDB 7.8 lacks: a write buffer manager, some options, Resume after a full disk.
 *
 * The C API's handles are structs that hold one C++ object each; these are the same definitions. */
#include "store/shim.h"

#include <cstring>
#include <memory>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/write_buffer_manager.h>

struct rocksdb_t {
    rocksdb::DB *rep;
};

struct rocksdb_options_t {
    rocksdb::Options rep;
};

struct rocksdb_cache_t {
    std::shared_ptr<rocksdb::Cache> rep;
};

/* The committer writes in the order of the keys, so each place in the memtable is found from the last one of its table.
 * Keys that are a table and no more begin ranges to delete, which lie in a memtable of their own and take no hints. */
class table_of_row : public rocksdb::SliceTransform
{
  public:
    const char *Name() const override
    {
        return "millrace.table";
    }
    rocksdb::Slice Transform(const rocksdb::Slice &key) const override
    {
        return rocksdb::Slice(key.data(), TABLE_BYTES);
    }
    bool InDomain(const rocksdb::Slice &key) const override
    {
        return key.size() > TABLE_BYTES;
    }

  private:
    static constexpr size_t TABLE_BYTES = 4;
};

void store_shim_tune(rocksdb_options_t *options, rocksdb_cache_t *cache, size_t bytes)
{
    rocksdb::Options &o = options->rep;

    o.write_buffer_manager = std::make_shared<rocksdb::WriteBufferManager>(bytes, cache->rep);
    o.avoid_flush_during_recovery = true;
    o.stats_persist_period_sec = 0;
    o.enable_thread_tracking = false;
    o.memtable_insert_with_hint_prefix_extractor = std::make_shared<table_of_row>();
}

bool store_shim_resume(rocksdb_t *db, char **message)
{
    rocksdb::Status status = db->rep->Resume();

    if (status.ok())
        return true;
    *message = strdup(status.ToString().c_str());
    return false;
}

/* commit.c -- writing: a queue of encoded requests and the one thread that commits them.
 *
 * store_apply encodes on the caller's thread and queues; the committer takes everything that waits (up to
 * BATCH_BYTES_MAX) and writes it as one RocksDB batch with one sync, while the next ones gather: group commit.  RocksDB
 * shows a batch to readers after its log record is synced, so visible means durable.
 *
 * Estimate: a row of 10 small columns is ~200 bytes in the log and in the memtable, ~3 µs of one core; at 4 MiB a batch
 * the sync is a few percent.
 *
 * A row written over and over would gather operands, which each read of it merges again.  So writes are counted by a
 * hash of the key, and after HEAT_MAX of them the row is read and put back whole.  Only this thread writes, so what it
 * reads is the state up to its last batch; losing that put loses nothing.
 *
 * When the disk refuses, RocksDB goes read-only: the batch fails with MR_IO, and each later batch first asks RocksDB to
 * resume (at most once a RESUME_NS), so writing goes on by itself when there is room again. */
#include "store/store_int.h"

#include "base/hash.h"
#include "base/logging.h"
#include "store/shim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH_BYTES_MAX = 4 << 20, OP_HEADER_BYTES = 9 };
enum { HEAT_SLOTS = 8192, HEAT_MAX = 200, HOT_KEYS_MAX = 64 };
#define RESUME_NS       INT64_C(500000000)
#define RELAXED_SYNC_NS INT64_C(1000000000)

enum op { OP_MERGE, OP_PUT, OP_DELETE, OP_DROP_TABLE };

/* ops: op u8, key size u32, value size u32, key, value; end to end. */
struct store_request {
    struct store_request *next;
    struct mr_writer ops; /* owned */
    size_t op_count;
    store_done_fn *on_done;
    void *arg;
    bool on_committer; /* run on_done there, not through post */
    enum mr_status status;
    struct mr_err err;
};

/* ---- encoding, on the caller's thread ---- */

/* Starts an op; the key is written next, then op_value, then the value, then op_end. */
struct op_at {
    size_t start;
    size_t value;
};

static struct op_at op_begin(struct store_request *r, enum op op)
{
    struct op_at at = { .start = r->ops.size };

    mr_write_u8(&r->ops, (uint8_t)op);
    mr_write_i32(&r->ops, 0);
    mr_write_i32(&r->ops, 0);
    r->op_count++;
    return at;
}

static void op_value(struct store_request *r, struct op_at *at)
{
    at->value = r->ops.size;
    mr_write_i32_at(&r->ops, at->start + 1, (int32_t)(r->ops.size - at->start - OP_HEADER_BYTES));
}

static void op_end(struct store_request *r, const struct op_at *at)
{
    mr_write_i32_at(&r->ops, at->start + 5, (int32_t)(r->ops.size - at->value));
}

static enum mr_status row_of_mutation(const struct store_mutation *m, int64_t now_s, struct store_row_version *row,
                                      struct mr_err *err)
{
    size_t bytes = 0;

    row->has_marker = m->with_marker;
    row->marker_time_us = m->with_marker ? m->write_time_us : 0;
    row->marker_ttl_s = m->with_marker ? m->ttl_s : 0;
    row->marker_expires_s = row->marker_ttl_s != 0 ? now_s + m->ttl_s : 0;
    row->is_deleted = false;
    if (m->cell_count > STORE_CELLS_MAX)
        return mr_err_set(err, MR_INVALID, "a row of %zu cells: at most %d", m->cell_count, STORE_CELLS_MAX);
    if (m->cell_count > row->cell_capacity) {
        row->cells = mr_realloc(row->cells, m->cell_count * sizeof(*row->cells));
        row->cell_capacity = m->cell_count;
    }
    for (size_t i = 0; i < m->cell_count; i++) {
        const struct store_cell *c = &m->cells[i];
        bool tombstone = (c->flags & (STORE_CELL_TOMBSTONE | STORE_CELL_ELEMENTS_TOMBSTONE)) != 0;

        bytes += c->value.size + c->path.size;
        if (c->value.size > STORE_VALUE_BYTES_MAX || bytes > STORE_VALUE_BYTES_MAX || c->ttl_s < 0)
            return mr_err_set(err, MR_INVALID, "a row of %zu bytes or more: at most %d", bytes, STORE_VALUE_BYTES_MAX);
        row->cells[i] = (struct store_version){ .column_id = c->column_id,
                                                .flags = c->flags,
                                                .time_us = c->write_time_us,
                                                .ttl_s = tombstone ? 0 : c->ttl_s,
                                                .local_s = tombstone       ? now_s
                                                           : c->ttl_s != 0 ? now_s + c->ttl_s
                                                                           : 0,
                                                .path = c->path,
                                                .value = tombstone ? MR_BYTES_NULL : c->value };
    }
    row->cell_count = m->cell_count;
    store_row_version_sort(row);
    return MR_OK;
}

static enum mr_status check_key(const struct store_mutation *m, struct mr_err *err)
{
    const struct store_key *k = &m->key;

    if (m->kind == STORE_META_PUT || m->kind == STORE_META_DELETE) {
        if (m->meta_key.size == 0 || m->meta_key.size > STORE_META_KEY_BYTES_MAX ||
            m->meta_value.size > STORE_VALUE_BYTES_MAX)
            return mr_err_set(err, MR_INVALID, "a meta entry of %zu and %zu bytes: outside of the limits",
                              m->meta_key.size, m->meta_value.size);
        return MR_OK;
    }
    if (k->table_id == STORE_META_TABLE || k->table_id == UINT32_MAX)
        return mr_err_set(err, MR_INVALID, "table id %" PRIu32 " is reserved", k->table_id);
    if (m->kind == STORE_DROP_TABLE)
        return MR_OK;
    if (k->partition_key.size == 0 || k->partition_key.size > STORE_PARTITION_KEY_BYTES_MAX)
        return mr_err_set(err, MR_INVALID, "a partition key of %zu bytes: 1 to %d", k->partition_key.size,
                          STORE_PARTITION_KEY_BYTES_MAX);
    if (k->clustering.size > STORE_CLUSTERING_BYTES_MAX || m->clustering_to.size > STORE_CLUSTERING_BYTES_MAX)
        return mr_err_set(err, MR_INVALID, "a clustering key of %zu bytes: at most %d",
                          k->clustering.size > m->clustering_to.size ? k->clustering.size : m->clustering_to.size,
                          STORE_CLUSTERING_BYTES_MAX);
    return MR_OK;
}

static void row_set_deleted(struct store_row_version *row, const struct store_mutation *m, int64_t now_s)
{
    row->has_marker = false;
    row->cell_count = 0;
    row->is_deleted = true;
    row->deleted_time_us = m->write_time_us;
    row->deleted_local_s = now_s;
}

static enum mr_status encode(struct store_request *r, const struct store_mutation *m, int64_t now_s,
                             struct store_row_version *row, struct mr_err *err)
{
    enum mr_status status = check_key(m, err);
    struct op_at at;

    if (status != MR_OK)
        return status;
    switch (m->kind) {
    case STORE_WRITE:
        status = row_of_mutation(m, now_s, row, err);
        if (status != MR_OK || store_row_version_is_empty(row))
            return status;
        break;
    case STORE_DELETE_RANGE:
        if (m->clustering_to.size > 0 && mr_bytes_compare(m->key.clustering, m->clustering_to) >= 0)
            return MR_OK; /* nothing is in it */
        row_set_deleted(row, m, now_s);
        break;
    case STORE_DELETE_ROW:
    case STORE_DELETE_PARTITION:
        row_set_deleted(row, m, now_s);
        break;
    case STORE_META_PUT:
    case STORE_META_DELETE:
        at = op_begin(r, m->kind == STORE_META_PUT ? OP_PUT : OP_DELETE);
        mr_write_u32(&r->ops, STORE_META_TABLE);
        mr_write_bytes(&r->ops, m->meta_key);
        op_value(r, &at);
        if (m->kind == STORE_META_PUT)
            mr_write_bytes(&r->ops, m->meta_value);
        op_end(r, &at);
        return MR_OK;
    case STORE_DROP_TABLE:
        at = op_begin(r, OP_DROP_TABLE);
        mr_write_u32(&r->ops, m->key.table_id);
        op_value(r, &at);
        mr_write_u32(&r->ops, m->key.table_id + 1);
        op_end(r, &at);
        return MR_OK;
    }
    if (m->kind == STORE_DELETE_RANGE) {
        at = op_begin(r, OP_MERGE);
        store_key_write_partition(&r->ops, &m->key);
        mr_write_u8(&r->ops, STORE_MARK_RANGE_TOMBSTONE);
        op_value(r, &at);
        store_row_version_write(&r->ops, row);
        op_end(r, &at);
    }
    at = op_begin(r, OP_MERGE);
    if (m->kind == STORE_DELETE_PARTITION) {
        store_key_write_partition(&r->ops, &m->key);
        mr_write_u8(&r->ops, STORE_MARK_PARTITION_TOMBSTONE);
    } else if (m->kind == STORE_DELETE_RANGE) {
        store_key_write_range(&r->ops, &m->key, m->clustering_to);
    } else {
        store_key_write(&r->ops, &m->key);
    }
    op_value(r, &at);
    store_row_version_write(&r->ops, row);
    op_end(r, &at);
    return MR_OK;
}

static void request_free(struct store_request *r)
{
    mr_writer_deinit(&r->ops);
    mr_free(r);
}

static enum mr_status submit(struct store *store, const struct store_mutation *mutations, size_t count,
                             store_done_fn *on_done, void *arg, bool on_committer, struct mr_err *err)
{
    struct store_request *r = MR_NEW(struct store_request);
    struct store_row_version row = { 0 };
    int64_t now_s = mr_now_us(store->env) / 1000000;
    enum mr_status status = MR_OK;

    r->on_done = on_done;
    r->arg = arg;
    r->on_committer = on_committer;
    for (size_t i = 0; i < count && status == MR_OK; i++)
        status = encode(r, &mutations[i], now_s, &row, err);
    store_row_version_deinit(&row);
    if (status == MR_OK && r->ops.size > INT32_MAX)
        status = mr_err_set(err, MR_INVALID, "a batch of %zu bytes is too large", r->ops.size);
    if (status == MR_OK) {
        pthread_mutex_lock(&store->lock);
        if (store->queue_bytes > 0 && store->queue_bytes + r->ops.size > store->queue_bytes_max) {
            status = mr_err_set(err, MR_LIMIT, "%zu bytes of writes wait for the disk: try later", store->queue_bytes);
        } else {
            assert(!store->stopping);
            if (store->queue_last != NULL)
                store->queue_last->next = r;
            else
                store->queue_first = r;
            store->queue_last = r;
            store->queue_bytes += r->ops.size;
            r = NULL;
            pthread_cond_signal(&store->wake);
        }
        pthread_mutex_unlock(&store->lock);
    }
    if (r != NULL)
        request_free(r);
    return status;
}

enum mr_status store_apply(struct store *store, const struct store_mutation *mutations, size_t count,
                           store_done_fn *on_done, void *arg, struct mr_err *err)
{
    return submit(store, mutations, count, on_done, arg, store->post.run == NULL, err);
}

/* ---- waiting for one ---- */

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool is_done;
    enum mr_status status;
    struct mr_err *err;
};

static void waiter_done(void *arg, enum mr_status status, const struct mr_err *err)
{
    struct waiter *w = arg;

    pthread_mutex_lock(&w->lock);
    w->status = status;
    if (status != MR_OK && w->err != NULL)
        *w->err = *err;
    w->is_done = true;
    pthread_cond_signal(&w->done);
    pthread_mutex_unlock(&w->lock);
}

enum mr_status store_apply_wait(struct store *store, const struct store_mutation *mutations, size_t count,
                                struct mr_err *err)
{
    struct waiter w = { .lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER, .err = err };
    enum mr_status status = submit(store, mutations, count, waiter_done, &w, true, err);

    if (status != MR_OK)
        return status;
    pthread_mutex_lock(&w.lock);
    while (!w.is_done)
        pthread_cond_wait(&w.done, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_mutex_destroy(&w.lock);
    pthread_cond_destroy(&w.done);
    return w.status;
}

/* ---- the committer ---- */

static void run_done(void *arg)
{
    struct store_request *r = arg;

    while (r != NULL) {
        struct store_request *next = r->next;

        if (r->on_done != NULL)
            r->on_done(r->arg, r->status, &r->err);
        request_free(r);
        r = next;
    }
}

/* One op of the requests of a batch, which it borrows from. */
struct op_ref {
    enum op op;
    uint32_t order; /* in the batch */
    struct mr_bytes key, value;
};

/* What the committer alone knows. */
struct committer {
    struct store *store;
    rocksdb_writebatch_t *batch;
    struct op_ref *ops; /* owned; of this batch */
    size_t op_count, op_capacity;
    rocksdb_writeoptions_t *unsynced;
    rocksdb_writeoptions_t *memory_only; /* no log */
    bool broken;                         /* the last write failed */
    int64_t resume_next_ns;
    struct mr_err broken_err;
    bool dirty; /* relaxed: written, not synced */
    int64_t sync_next_ns;
    uint8_t heat[HEAT_SLOTS];          /* merges by hash of the key */
    struct mr_bytes hot[HOT_KEYS_MAX]; /* keys of this batch, borrowed from its requests */
    size_t hot_count;
};

static void count_merge(struct committer *c, struct mr_bytes key)
{
    uint8_t *heat = &c->heat[mr_hash64(key.data, key.size) % HEAT_SLOTS];

    if (++*heat < HEAT_MAX)
        return;
    *heat = 0;
    if (c->hot_count < HOT_KEYS_MAX)
        c->hot[c->hot_count++] = key;
}

/* Puts the hot rows back whole. */
static void cool(struct committer *c)
{
    struct store *store = c->store;
    char *message = NULL;

    rocksdb_writebatch_clear(c->batch);
    for (size_t i = 0; i < c->hot_count; i++) {
        const char *key = (const char *)c->hot[i].data;
        size_t size;
        char *value = rocksdb_get(store->db, store->read_options, key, c->hot[i].size, &size, &message);

        if (value != NULL)
            rocksdb_writebatch_put(c->batch, key, c->hot[i].size, value, size);
        free(value);
        free(message);
        message = NULL;
    }
    rocksdb_write(store->db, c->unsynced, c->batch, &message);
    free(message); /* the next batch meets the same trouble and says so */
}

/* Appends the ops of R to those of the batch; true when one of them spans many keys. */
static bool ops_gather(struct committer *c, const struct store_request *r)
{
    struct mr_reader in = mr_reader_of(mr_writer_bytes(&r->ops));
    bool spans = false;

    while (mr_reader_left(&in) > 0) {
        enum op op = (enum op)mr_read_u8(&in);
        uint32_t key_size = mr_read_u32(&in), value_size = mr_read_u32(&in);
        struct mr_bytes key = mr_read_slice(&in, key_size);
        struct mr_bytes value = mr_read_slice(&in, value_size);

        assert(!in.failed);
        MR_GROW(c->ops, c->op_count, c->op_capacity);
        c->ops[c->op_count] = (struct op_ref){ .op = op, .order = (uint32_t)c->op_count, .key = key, .value = value };
        c->op_count++;
        spans = spans || op == OP_DROP_TABLE;
    }
    return spans;
}

static int compare_ops(const void *a, const void *b)
{
    const struct op_ref *x = a, *y = b;
    int by_key = mr_bytes_compare(x->key, y->key);

    return by_key != 0 ? by_key : x->order < y->order ? -1 : 1;
}

/* Adds the ops of LIST to the batch, in the order of their keys: RocksDB finds each place from the one before.  Ops of
 * one key stay in their order. */
static void batch_fill(struct committer *c, const struct store_request *list)
{
    rocksdb_writebatch_t *batch = c->batch;
    bool spans = false;

    rocksdb_writebatch_clear(batch);
    c->op_count = 0;
    for (; list != NULL; list = list->next)
        spans = ops_gather(c, list) || spans;
    if (!spans && c->op_count > 1)
        qsort(c->ops, c->op_count, sizeof(*c->ops), compare_ops);
    for (size_t i = 0; i < c->op_count; i++) {
        const struct op_ref *o = &c->ops[i];
        const char *key = (const char *)o->key.data, *value = (const char *)o->value.data;

        switch (o->op) {
        case OP_MERGE:
            rocksdb_writebatch_merge(batch, key, o->key.size, value, o->value.size);
            count_merge(c, o->key);
            break;
        case OP_PUT:
            rocksdb_writebatch_put(batch, key, o->key.size, value, o->value.size);
            break;
        case OP_DELETE:
            rocksdb_writebatch_delete(batch, key, o->key.size);
            break;
        case OP_DROP_TABLE:
            rocksdb_writebatch_delete_range(batch, key, o->key.size, value, o->value.size);
            break;
        }
    }
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void set_read_only(struct store *store, bool read_only)
{
    pthread_mutex_lock(&store->lock);
    store->read_only = read_only;
    pthread_mutex_unlock(&store->lock);
}

/* After a failure: asks RocksDB to take writes again. */
static enum mr_status committer_resume(struct committer *c, struct mr_err *err)
{
    char *message = NULL;

    if (now_ns() < c->resume_next_ns) {
        *err = c->broken_err;
        return c->broken_err.status;
    }
    c->resume_next_ns = now_ns() + RESUME_NS;
    if (!store_shim_resume(c->store->db, &message))
        return store_rocks_error(c->store, message, err);
    return MR_OK;
}

/* A log file that refused a write takes no other, and RocksDB begins a new one at Resume only when the memtable has
 * something to flush.  So it never is empty when a batch is written: a deletion of nothing is put there beforehand. */
static void committer_fill(struct committer *c)
{
    uint64_t entries = 1;
    char *message = NULL;

    if (rocksdb_property_int(c->store->db, "rocksdb.num-entries-active-mem-table", &entries) != 0 || entries > 0)
        return;
    rocksdb_delete(c->store->db, c->memory_only, "", 0, &message);
    free(message); /* the batch meets the same trouble and says so */
}

static enum mr_status committer_write(struct committer *c, struct mr_err *err)
{
    struct store *store = c->store;
    enum mr_status status = c->broken ? committer_resume(c, err) : MR_OK;
    char *message = NULL;

    if (status == MR_OK) {
        committer_fill(c);
        rocksdb_write(store->db, store->write_options, c->batch, &message);
        if (message != NULL)
            status = store_rocks_error(store, message, err);
    }
    if (status == MR_OK && c->broken) {
        c->broken = false;
        set_read_only(store, false);
        mr_log(MR_LOG_WARN, "store", "%s takes writes again", store->dir);
    } else if (status != MR_OK && !c->broken) {
        c->broken = true;
        c->broken_err = *err;
        c->resume_next_ns = now_ns() + RESUME_NS;
        set_read_only(store, true);
        mr_log(MR_LOG_ERROR, "store", "refuses writes: %s", err->text);
    }
    return status;
}

/* Writes the requests of LIST and hands them back to their owners. */
static void committer_commit(struct committer *c, struct store_request *list)
{
    struct store *store = c->store;
    struct store_request *posted = NULL, **posted_end = &posted, *own = NULL, **own_end = &own;
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = MR_OK;
    size_t ops = 0, bytes = 0;

    c->hot_count = 0;
    batch_fill(c, list);
    for (struct store_request *r = list; r != NULL; r = r->next) {
        ops += r->op_count;
        bytes += r->ops.size;
    }
    if (ops > 0)
        status = committer_write(c, &err);
    if (status == MR_OK && c->hot_count > 0)
        cool(c);
    if (store->durability == STORE_RELAXED && status == MR_OK && ops > 0 && !c->dirty) {
        c->dirty = true;
        c->sync_next_ns = now_ns() + RELAXED_SYNC_NS;
    }
    pthread_mutex_lock(&store->lock);
    store->queue_bytes -= bytes;
    store->rows_written += status == MR_OK ? ops : 0;
    store->commits += status == MR_OK && ops > 0;
    pthread_mutex_unlock(&store->lock);
    while (list != NULL) {
        struct store_request *r = list, ***end = r->on_committer ? &own_end : &posted_end;

        list = r->next;
        r->next = NULL;
        r->status = r->op_count > 0 ? status : MR_OK;
        if (r->status != MR_OK)
            r->err = err;
        **end = r;
        *end = &r->next;
    }
    if (posted != NULL)
        mr_post(store->post, run_done, posted);
    run_done(own);
}

/* Relaxed: syncs the log when its second is over. */
static void committer_sync(struct committer *c)
{
    char *message = NULL;
    struct mr_err err = MR_ERR_INIT;

    c->dirty = false;
    if (c->broken) /* Resume flushes what the log holds */
        return;
    rocksdb_flush_wal(c->store->db, 1, &message);
    if (message != NULL) {
        store_rocks_error(c->store, message, &err);
        mr_log(MR_LOG_ERROR, "store", "sync: %s", err.text);
    }
}

/* Takes what waits, up to BATCH_BYTES_MAX; waits for something when there is nothing.  *OUT is NULL at the end and when
 * it is time to sync. */
static bool committer_take(struct committer *c, struct store_request **out)
{
    struct store *store = c->store;
    struct store_request *last = NULL;
    size_t bytes = 0;
    bool goes_on;
    int waited = 0;

    pthread_mutex_lock(&store->lock);
    while (store->queue_first == NULL && !store->stopping && waited != ETIMEDOUT) {
        struct timespec until = { c->sync_next_ns / 1000000000, c->sync_next_ns % 1000000000 };

        waited = c->dirty ? pthread_cond_timedwait(&store->wake, &store->lock, &until)
                          : pthread_cond_wait(&store->wake, &store->lock);
    }
    *out = store->queue_first;
    while (store->queue_first != NULL && (bytes == 0 || bytes + store->queue_first->ops.size <= BATCH_BYTES_MAX)) {
        last = store->queue_first;
        bytes += last->ops.size;
        store->queue_first = last->next;
    }
    if (last != NULL)
        last->next = NULL;
    if (store->queue_first == NULL)
        store->queue_last = NULL;
    goes_on = *out != NULL || !store->stopping;
    pthread_mutex_unlock(&store->lock);
    return goes_on;
}

static void *committer_run(void *arg)
{
    struct committer *c = MR_NEW(struct committer);
    struct store_request *list;

    rocksdb_set_perf_level(rocksdb_disable); /* of this thread: counting costs a tenth of a write */
    c->store = arg;
    c->batch = rocksdb_writebatch_create();
    c->unsynced = rocksdb_writeoptions_create();
    c->memory_only = rocksdb_writeoptions_create();
    rocksdb_writeoptions_disable_WAL(c->memory_only, 1);
    while (committer_take(c, &list)) {
        if (list != NULL)
            committer_commit(c, list);
        if (c->dirty && now_ns() >= c->sync_next_ns)
            committer_sync(c);
    }
    if (c->dirty)
        committer_sync(c);
    rocksdb_writeoptions_destroy(c->memory_only);
    rocksdb_writeoptions_destroy(c->unsynced);
    rocksdb_writebatch_destroy(c->batch);
    mr_free(c->ops);
    mr_free(c);
    return NULL;
}

void store_committer_start(struct store *store)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&store->lock, NULL);
    pthread_cond_init(&store->wake, &attr);
    pthread_condattr_destroy(&attr);
    mr_thread_start(&store->committer, "store-commit", committer_run, store);
    store->committer_runs = true;
}

void store_committer_stop(struct store *store)
{
    if (!store->committer_runs)
        return;
    pthread_mutex_lock(&store->lock);
    store->stopping = true;
    pthread_cond_signal(&store->wake);
    pthread_mutex_unlock(&store->lock);
    pthread_join(store->committer, NULL);
    pthread_mutex_destroy(&store->lock);
    pthread_cond_destroy(&store->wake);
}

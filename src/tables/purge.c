/* purge.c -- when old tombstones of a table are dropped (store_purge), one table at a time, on a thread of its own.
 *
 * A purge rewrites its table, so it has to be worth that.  For each table that has tombstones (deletes, nulls, cells
 * that expire) an entry says since when and about how many; it is kept in the store's meta space, written again
 * whenever the number has doubled, so that starts neither forget it nor cause purges.
 *   cql/purge/ID   format u8, oldest ms i64, count i64
 * Every hour: a table is due once its oldest tombstone is gc_grace_seconds old and a tenth more (an hour at least), if
 * it is small, if tombstones are about a tenth of it, or when they are ten times as old.  After a purge the entry goes,
 * or starts anew with what was too young.  Losing an entry's last write costs a later purge, nothing else. */
#include "tables/server_int.h"

#include "base/logging.h"
#include "base/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FORMAT = 1,
    HOUR_MS = 3600 * 1000,
    TOMBSTONE_BYTES = 64,  /* about what one takes in the store */
    SMALL_BYTES = 4 << 20, /* a table that is rewritten in no time */
    SHARE = 10,            /* of a table that tombstones must be, inverted */
    PATIENCE = 10,         /* graces after which their number does not matter */
    KEY_BYTES = 32,
};

static const char prefix[] = "cql/purge/";

struct purge_entry {
    uint32_t store_id;
    int64_t oldest_ms; /* when the oldest tombstone was, or will be, written */
    int64_t newest_ms;
    int64_t count;
    int64_t stored_count; /* as in the meta space; 0: not there */
};

struct purge {
    struct tables *tables;
    struct mr_map *entries;     /* owned: store id to struct purge_entry */
    struct mr_workers *workers; /* owned; made for the first purge */
    struct net_timer *timer;    /* owned */
    int64_t checked_ms;
    /* the purge under way */
    bool is_running;
    uint32_t store_id;
    int64_t grace_s;
    int64_t start_ms;
    int64_t count; /* of the entry, when it began */
    enum mr_status status;
    struct mr_err err;
};

static struct mr_bytes id_bytes(const uint32_t *store_id)
{
    return (struct mr_bytes){ (const uint8_t *)store_id, sizeof(*store_id) };
}

static struct purge_entry *entry_find(const struct purge *purge, uint32_t store_id)
{
    return mr_map_get(purge->entries, id_bytes(&store_id));
}

static struct purge_entry *entry_add(struct purge *purge, uint32_t store_id, int64_t oldest_ms)
{
    struct purge_entry *entry = MR_NEW(struct purge_entry);

    *entry = (struct purge_entry){ .store_id = store_id, .oldest_ms = oldest_ms, .newest_ms = oldest_ms };
    mr_map_put(purge->entries, id_bytes(&store_id), entry);
    return entry;
}

/* Puts ENTRY into the meta space, or takes it out when its count is 0.  Nobody waits for it. */
static void entry_store(struct purge *purge, struct purge_entry *entry)
{
    char key[KEY_BYTES];
    struct mr_writer w = { 0 };
    struct store_mutation m = { .kind = entry->count > 0 ? STORE_META_PUT : STORE_META_DELETE };
    struct mr_err err = MR_ERR_INIT;

    snprintf(key, sizeof(key), "%s%" PRIu32, prefix, entry->store_id);
    mr_write_u8(&w, FORMAT);
    mr_write_i64(&w, entry->oldest_ms);
    mr_write_i64(&w, entry->count);
    m.meta_key = mr_bytes_of_str(mr_str_of(key));
    m.meta_value = mr_writer_bytes(&w);
    if (store_apply(purge->tables->store, &m, 1, NULL, NULL, &err) == MR_OK)
        entry->stored_count = entry->count;
    mr_writer_deinit(&w);
}

static void entry_remove(struct purge *purge, struct purge_entry *entry)
{
    entry->count = 0;
    entry_store(purge, entry);
    mr_map_remove(purge->entries, id_bytes(&entry->store_id));
    mr_free(entry);
}

static enum mr_status entry_load(void *arg, struct mr_bytes key, struct mr_bytes value)
{
    struct purge *purge = arg;
    struct mr_reader r = mr_reader_of(value);
    char digits[KEY_BYTES];
    struct purge_entry *entry;
    uint8_t format = mr_read_u8(&r);
    int64_t oldest_ms = mr_read_i64(&r), count = mr_read_i64(&r);

    if (r.failed || format != FORMAT || count <= 0 || key.size >= sizeof(digits))
        return MR_OK; /* a later purge, nothing else */
    memcpy(digits, key.data, key.size);
    digits[key.size] = '\0';
    entry = entry_add(purge, (uint32_t)strtoul(digits + sizeof(prefix) - 1, NULL, 10), oldest_ms);
    entry->count = entry->stored_count = count;
    entry->newest_ms = INT64_MAX; /* not known any more */
    return MR_OK;
}

/* ---- counting ---- */

void purge_note(struct tables *tables, const struct store_mutation *mutations, size_t count)
{
    int64_t now_ms = mr_now_ms(tables->env);

    for (size_t i = 0; i < count; i++) {
        const struct store_mutation *m = &mutations[i];
        int64_t tombstones = m->kind != STORE_WRITE || m->ttl_s > 0, ttl_s = m->ttl_s;
        struct purge_entry *entry;

        for (size_t c = 0; m->kind == STORE_WRITE && c < m->cell_count; c++) {
            bool is_tombstone = (m->cells[c].flags & (STORE_CELL_TOMBSTONE | STORE_CELL_ELEMENTS_TOMBSTONE)) != 0;

            tombstones += m->cells[c].ttl_s > 0 || is_tombstone;
            if (is_tombstone)
                ttl_s = 0;
        }
        if (tombstones == 0)
            continue;
        entry = entry_find(tables->purge, m->key.table_id);
        if (entry == NULL)
            entry = entry_add(tables->purge, m->key.table_id, now_ms + ttl_s * 1000);
        if (entry->oldest_ms > now_ms + ttl_s * 1000)
            entry->oldest_ms = now_ms + ttl_s * 1000;
        if (entry->newest_ms < now_ms + (int64_t)m->ttl_s * 1000)
            entry->newest_ms = now_ms + (int64_t)m->ttl_s * 1000;
        entry->count += tombstones;
        if (entry->count >= 2 * entry->stored_count)
            entry_store(tables->purge, entry);
    }
}

/* ---- purging ---- */

static void purge_done(void *arg)
{
    struct purge *purge = arg;
    struct purge_entry *entry = entry_find(purge, purge->store_id);
    int64_t cut_ms = purge->start_ms - purge->grace_s * 1000;

    purge->is_running = false;
    if (purge->status != MR_OK) {
        purge->checked_ms = mr_now_ms(purge->tables->env); /* an hour's rest */
        if (purge->status != MR_BUSY)
            mr_log(MR_LOG_WARN, "tables", "old tombstones stay for now: %s", purge->err.text);
        return;
    }
    mr_log(MR_LOG_INFO, "tables", "old tombstones of table %" PRIu32 " are gone after %" PRId64 " ms", purge->store_id,
           mr_now_ms(purge->tables->env) - purge->start_ms);
    if (entry == NULL)
        return;
    entry->count = entry->count > purge->count ? entry->count - purge->count : 0;
    if (entry->newest_ms <= cut_ms) {
        entry_remove(purge, entry);
        return;
    }
    entry->oldest_ms = cut_ms;
    if (entry->newest_ms == INT64_MAX)
        entry->newest_ms = purge->start_ms; /* what came before this start */
    if (entry->count == 0)
        entry->count = 1;
    entry_store(purge, entry);
}

static void purge_job(void *arg)
{
    struct purge *purge = arg;

    purge->err = (struct mr_err)MR_ERR_INIT;
    purge->status = store_purge(purge->tables->store, purge->store_id, purge->grace_s, &purge->err);
    net_loop_post(purge->tables->loop, purge_done, purge);
}

static bool is_due(struct purge *purge, const struct purge_entry *entry, int64_t grace_s, int64_t now_ms)
{
    int64_t grace_ms = grace_s * 1000, age_ms = now_ms - entry->oldest_ms;
    int64_t slack_ms = grace_ms / 10 > HOUR_MS ? grace_ms / 10 : HOUR_MS;
    uint64_t bytes;

    if (age_ms < grace_ms + slack_ms)
        return false;
    if (age_ms >= PATIENCE * (grace_ms + slack_ms))
        return true;
    bytes = store_table_bytes(purge->tables->store, entry->store_id, INT64_MIN, INT64_MAX);
    return bytes < SMALL_BYTES || (uint64_t)entry->count >= bytes / (TOMBSTONE_BYTES * SHARE);
}

/* The table of the schema that has STORE_ID, or NULL: it was dropped. */
static const struct schema_table *table_of(const struct schema *schema, uint32_t store_id)
{
    for (uint32_t k = 0; k < schema->keyspace_count; k++) {
        const struct schema_keyspace *keyspace = schema->keyspaces[k];

        for (uint32_t t = 0; t < keyspace->table_count; t++) {
            if (keyspace->tables[t]->system == NULL && keyspace->tables[t]->store_id == store_id)
                return keyspace->tables[t];
        }
    }
    return NULL;
}

static int64_t grace_of(const struct schema_table *table)
{
    int index = schema_option_find(MR_STR("gc_grace_seconds"));
    struct mr_bytes value = table->options[index];

    return value.size == 4 ? mr_load_i32(value.data) : strtoll(schema_options[index].default_text, NULL, 10);
}

static void purge_start(struct purge *purge, const struct purge_entry *entry, int64_t grace_s, int64_t now_ms)
{
    purge->is_running = true;
    purge->store_id = entry->store_id;
    purge->grace_s = grace_s;
    purge->start_ms = now_ms;
    purge->count = entry->count;
    if (purge->workers == NULL)
        purge->workers = mr_workers_new("tables-purge", 1);
    mr_workers_submit(purge->workers, purge_job, purge);
}

/* Starts the purge of the table that has waited the longest, if one is due; forgets tables that were dropped. */
static void purge_check(struct purge *purge, int64_t now_ms)
{
    struct purge_entry *entry, *first = NULL, *gone = NULL;
    int64_t first_grace_s = 0;
    size_t cursor = 0;
    void *value;

    while (mr_map_next(purge->entries, &cursor, NULL, &value)) {
        const struct schema_table *table;

        entry = value;
        table = table_of(purge->tables->schema, entry->store_id);
        if (table == NULL)
            gone = entry; /* one each time is enough */
        else if (is_due(purge, entry, grace_of(table), now_ms) &&
                 (first == NULL || entry->oldest_ms < first->oldest_ms)) {
            first = entry;
            first_grace_s = grace_of(table);
        }
    }
    if (gone != NULL)
        entry_remove(purge, gone);
    if (first != NULL)
        purge_start(purge, first, first_grace_s, now_ms);
    else
        purge->checked_ms = now_ms;
}

static void tick(void *arg)
{
    struct purge *purge = arg;
    int64_t now_ms = mr_now_ms(purge->tables->env);

    if (!purge->is_running && !purge->tables->is_closing &&
        (now_ms - purge->checked_ms >= HOUR_MS || now_ms < purge->checked_ms))
        purge_check(purge, now_ms);
}

/* ---- open and close ---- */

struct timer_start {
    struct purge *purge;
    int64_t tick_ms;
};

static void start_timer(void *arg)
{
    struct timer_start *start = arg;
    struct purge *purge = start->purge;

    purge->timer = net_timer_new(purge->tables->loop, start->tick_ms, start->tick_ms, tick, purge);
}

enum mr_status purge_open(struct tables *tables, int64_t tick_ms, struct mr_err *err)
{
    struct purge *purge = MR_NEW(struct purge);
    struct timer_start start = { purge, tick_ms };
    enum mr_status status;

    tables->purge = purge;
    purge->tables = tables;
    purge->entries = mr_map_new();
    purge->checked_ms = mr_now_ms(tables->env);
    status = store_meta_list(tables->store, mr_bytes_of_str(MR_STR(prefix)), entry_load, purge, err);
    if (status == MR_OK)
        net_loop_call(tables->loop, start_timer, &start);
    return status;
}

void purge_stop(struct tables *tables)
{
    if (tables->purge == NULL)
        return;
    net_timer_free(tables->purge->timer);
    tables->purge->timer = NULL;
    if (tables->purge->is_running)
        store_purge_stop(tables->store);
}

bool purge_is_running(const struct tables *tables)
{
    return tables->purge != NULL && tables->purge->is_running;
}

void purge_close(struct tables *tables)
{
    struct purge *purge = tables->purge;
    size_t cursor = 0;
    void *value;

    if (purge == NULL)
        return;
    mr_workers_free(purge->workers);
    while (mr_map_next(purge->entries, &cursor, NULL, &value))
        mr_free(value);
    mr_map_free(purge->entries);
    mr_free(purge);
    tables->purge = NULL;
}

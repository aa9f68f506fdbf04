/* catalog_sqlite.c -- topics, leader epoch and producer ids in SQLite.
 *
 * File catalog.db, WAL, synchronous=FULL: a change is on disk when its COMMIT returns.  user_version is the format
 * version of the whole log directory.
 *   topics  (id, name, partition_count)      configs (topic_id, key, value)
 *   numbers (name, value): leader_epoch, producer_id_next, clean (1 after a clean stop)
 * Tested by: tests/unit/log/test_topic.c */
#include "log/log_int.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum { FORMAT_VERSION = 1, BUSY_MS = 2000 };

struct catalog_sqlite {
    struct log_catalog base;
    sqlite3 *db;
    char *path;
};

static enum mr_status db_error(struct catalog_sqlite *c, struct mr_err *err, const char *what)
{
    int code = sqlite3_errcode(c->db);

    return mr_err_set(err, code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? MR_CORRUPT : MR_IO, "%s: %s: %s", c->path,
                      what, sqlite3_errmsg(c->db));
}

static enum mr_status db_exec(struct catalog_sqlite *c, const char *sql, struct mr_err *err)
{
    return sqlite3_exec(c->db, sql, NULL, NULL, NULL) == SQLITE_OK ? MR_OK : db_error(c, err, sql);
}

/* Ends a transaction: all of it or nothing. */
static enum mr_status db_end(struct catalog_sqlite *c, enum mr_status status, struct mr_err *err)
{
    if (status == MR_OK)
        status = db_exec(c, "COMMIT", err);
    if (status != MR_OK && !sqlite3_get_autocommit(c->db))
        sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

static enum mr_status db_prepare(struct catalog_sqlite *c, sqlite3_stmt **out, const char *sql, struct mr_err *err)
{
    return sqlite3_prepare_v2(c->db, sql, -1, out, NULL) == SQLITE_OK ? MR_OK : db_error(c, err, sql);
}

/* Runs a statement that gives no rows, and ends it. */
static enum mr_status db_run(struct catalog_sqlite *c, sqlite3_stmt *statement, struct mr_err *err)
{
    enum mr_status status = sqlite3_step(statement) == SQLITE_DONE ? MR_OK : db_error(c, err, sqlite3_sql(statement));

    sqlite3_finalize(statement);
    return status;
}

static enum mr_status number_get(struct catalog_sqlite *c, const char *name, int64_t *out, struct mr_err *err)
{
    sqlite3_stmt *statement;
    enum mr_status status = db_prepare(c, &statement, "SELECT value FROM numbers WHERE name = ?", err);

    if (status != MR_OK)
        return status;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    if (sqlite3_step(statement) == SQLITE_ROW)
        *out = sqlite3_column_int64(statement, 0);
    else
        status = db_error(c, err, name);
    sqlite3_finalize(statement);
    return status;
}

static enum mr_status number_set(struct catalog_sqlite *c, const char *name, int64_t value, struct mr_err *err)
{
    sqlite3_stmt *statement;
    enum mr_status status = db_prepare(c, &statement, "INSERT OR REPLACE INTO numbers VALUES (?, ?)", err);

    if (status != MR_OK)
        return status;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, value);
    return db_run(c, statement, err);
}

/* ---- operations ---- */

/* The configs of the topic with ID, copied into ARENA. */
static enum mr_status configs_read(struct catalog_sqlite *c, struct log_catalog_topic *topic, struct mr_arena *arena,
                                   struct mr_err *err)
{
    struct log_config *configs = MR_ARENA_ARRAY(arena, struct log_config, LOG_CONFIGS_MAX);
    sqlite3_stmt *statement;
    int rc;
    enum mr_status status =
        db_prepare(c, &statement, "SELECT key, value FROM configs WHERE topic_id = ? ORDER BY key", err);

    if (status != MR_OK)
        return status;
    sqlite3_bind_blob(statement, 1, topic->id, sizeof(topic->id), SQLITE_STATIC);
    topic->configs = configs;
    topic->config_count = 0;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW && topic->config_count < LOG_CONFIGS_MAX) {
        configs[topic->config_count].key = mr_arena_printf(arena, "%s", sqlite3_column_text(statement, 0));
        configs[topic->config_count].value = mr_arena_printf(arena, "%s", sqlite3_column_text(statement, 1));
        topic->config_count++;
    }
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        status = db_error(c, err, "configs");
    sqlite3_finalize(statement);
    return status;
}

static enum mr_status sqlite_topics(struct log_catalog *catalog, log_catalog_topic_fn *each, void *arg,
                                    struct mr_err *err)
{
    struct catalog_sqlite *c = (struct catalog_sqlite *)catalog;
    struct mr_arena *arena = mr_arena_new();
    sqlite3_stmt *statement = NULL;
    int rc = SQLITE_DONE;
    enum mr_status status =
        db_prepare(c, &statement, "SELECT id, name, partition_count FROM topics ORDER BY name", err);

    while (status == MR_OK && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
        struct log_catalog_topic topic = { 0 };
        const char *name = (const char *)sqlite3_column_text(statement, 1);

        topic.name = mr_str_of(name);
        topic.partition_count = sqlite3_column_int(statement, 2);
        if (sqlite3_column_bytes(statement, 0) != sizeof(topic.id) || name == NULL || topic.partition_count < 1 ||
            topic.partition_count > LOG_PARTITIONS_MAX || topic.name.size > LOG_TOPIC_NAME_MAX) {
            status = mr_err_set(err, MR_CORRUPT, "%s: the entry of topic \"%s\" is damaged", c->path, name);
            break;
        }
        memcpy(topic.id, sqlite3_column_blob(statement, 0), sizeof(topic.id));
        mr_arena_reset(arena);
        status = configs_read(c, &topic, arena, err);
        if (status == MR_OK)
            status = each(arg, &topic, err);
    }
    if (status == MR_OK && rc != SQLITE_DONE)
        status = db_error(c, err, "topics");
    sqlite3_finalize(statement);
    mr_arena_free(arena);
    return status;
}

static enum mr_status producer_ids_take(struct catalog_sqlite *c, int64_t *first, struct mr_err *err)
{
    int64_t next = 0;
    enum mr_status status = number_get(c, "producer_id_next", &next, err);

    if (status == MR_OK)
        status = number_set(c, "producer_id_next", next + LOG_PRODUCER_IDS_BLOCK, err);
    if (status == MR_OK)
        *first = next;
    return status;
}

static enum mr_status sqlite_start(struct log_catalog *catalog, struct log_catalog_start *out, struct mr_err *err)
{
    struct catalog_sqlite *c = (struct catalog_sqlite *)catalog;
    struct log_catalog_start start = { 0 };
    int64_t epoch = 0, clean = 0;
    enum mr_status status = db_exec(c, "BEGIN IMMEDIATE", err);

    if (status == MR_OK)
        status = number_get(c, "leader_epoch", &epoch, err);
    if (status == MR_OK)
        status = number_get(c, "clean", &clean, err);
    if (status == MR_OK && clean == 0)
        status = number_set(c, "leader_epoch", ++epoch, err);
    if (status == MR_OK)
        status = number_set(c, "clean", 0, err);
    if (status == MR_OK)
        status = producer_ids_take(c, &start.producer_id_first, err);
    status = db_end(c, status, err);
    if (status != MR_OK)
        return status;
    start.leader_epoch = (int32_t)epoch;
    start.clean = clean != 0;
    *out = start;
    return MR_OK;
}

static enum mr_status sqlite_producer_ids(struct log_catalog *catalog, int64_t *first, struct mr_err *err)
{
    struct catalog_sqlite *c = (struct catalog_sqlite *)catalog;
    int64_t taken = 0;
    enum mr_status status = db_exec(c, "BEGIN IMMEDIATE", err);

    if (status == MR_OK)
        status = producer_ids_take(c, &taken, err);
    status = db_end(c, status, err);
    if (status == MR_OK)
        *first = taken;
    return status;
}

static enum mr_status configs_write(struct catalog_sqlite *c, const struct log_catalog_topic *topic, struct mr_err *err)
{
    enum mr_status status = MR_OK;

    for (size_t i = 0; status == MR_OK && i < topic->config_count; i++) {
        sqlite3_stmt *statement;

        status = db_prepare(c, &statement, "INSERT OR REPLACE INTO configs VALUES (?, ?, ?)", err);
        if (status != MR_OK)
            break;
        sqlite3_bind_blob(statement, 1, topic->id, sizeof(topic->id), SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, topic->configs[i].key, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 3, topic->configs[i].value, -1, SQLITE_STATIC);
        status = db_run(c, statement, err);
    }
    return status;
}

static enum mr_status sqlite_topic_put(struct log_catalog *catalog, const struct log_catalog_topic *topic,
                                       struct mr_err *err)
{
    struct catalog_sqlite *c = (struct catalog_sqlite *)catalog;
    sqlite3_stmt *statement;
    enum mr_status status = db_exec(c, "BEGIN IMMEDIATE", err);

    if (status == MR_OK)
        status = db_prepare(c, &statement, "INSERT INTO topics VALUES (?, ?, ?)", err);
    if (status == MR_OK) {
        sqlite3_bind_blob(statement, 1, topic->id, sizeof(topic->id), SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, topic->name.data, (int)topic->name.size, SQLITE_STATIC);
        sqlite3_bind_int(statement, 3, topic->partition_count);
        status = db_run(c, statement, err);
    }
    if (status == MR_OK)
        status = configs_write(c, topic, err);
    return db_end(c, status, err);
}

static enum mr_status sqlite_topic_update(struct log_catalog *catalog, const struct log_catalog_topic *topic,
                                          struct mr_err *err)
{
    struct catalog_sqlite *c = (struct catalog_sqlite *)catalog;
    sqlite3_stmt *statement;
    enum mr_status status = db_exec(c, "BEGIN IMMEDIATE", err);

    if (status == MR_OK)
        status = db_prepare(c, &statement, "UPDATE topics SET partition_count = ? WHERE id = ?", err);
    if (status == MR_OK) {
        sqlite3_bind_int(statement, 1, topic->partition_count);
        sqlite3_bind_blob(statement, 2, topic->id, sizeof(topic->id), SQLITE_STATIC);
        status = db_run(c, statement, err);
    }
    if (status == MR_OK && sqlite3_changes(c->db) != 1)
        status = mr_err_set(err, MR_IO, "%s: the entry of topic %.*s is gone", c->path, MR_STR_ARG(topic->name));
    if (status == MR_OK)
        status = db_prepare(c, &statement, "DELETE FROM configs WHERE topic_id = ?", err);
    if (status == MR_OK) {
        sqlite3_bind_blob(statement, 1, topic->id, sizeof(topic->id), SQLITE_STATIC);
        status = db_run(c, statement, err);
    }
    if (status == MR_OK)
        status = configs_write(c, topic, err);
    return db_end(c, status, err);
}

static enum mr_status sqlite_topic_remove(struct log_catalog *catalog, const uint8_t id[16], struct mr_err *err)
{
    static const char *const statements[] = { "DELETE FROM configs WHERE topic_id = ?",
                                              "DELETE FROM topics WHERE id = ?" };
    struct catalog_sqlite *c = (struct catalog_sqlite *)catalog;
    sqlite3_stmt *statement;
    enum mr_status status = db_exec(c, "BEGIN IMMEDIATE", err);

    for (size_t i = 0; status == MR_OK && i < MR_COUNT(statements); i++) {
        status = db_prepare(c, &statement, statements[i], err);
        if (status != MR_OK)
            break;
        sqlite3_bind_blob(statement, 1, id, 16, SQLITE_STATIC);
        status = db_run(c, statement, err);
    }
    return db_end(c, status, err);
}

static enum mr_status sqlite_stopped(struct log_catalog *catalog, struct mr_err *err)
{
    return number_set((struct catalog_sqlite *)catalog, "clean", 1, err);
}

static void sqlite_close(struct log_catalog *catalog)
{
    struct catalog_sqlite *c = (struct catalog_sqlite *)catalog;

    sqlite3_close(c->db);
    mr_free(c->path);
    mr_free(c);
}

/* ---- opening ---- */

static enum mr_status version_check(struct catalog_sqlite *c, struct mr_err *err)
{
    sqlite3_stmt *statement;
    int version = -1;
    enum mr_status status = db_prepare(c, &statement, "PRAGMA user_version", err);

    if (status != MR_OK)
        return status;
    if (sqlite3_step(statement) == SQLITE_ROW)
        version = sqlite3_column_int(statement, 0);
    else
        status = db_error(c, err, "user_version");
    sqlite3_finalize(statement);
    if (status != MR_OK || version == FORMAT_VERSION)
        return status;
    if (version != 0)
        return mr_err_set(err, MR_UNSUPPORTED,
                          "%s has format %d, this millrace knows %d: run the newer millrace that wrote it, or give "
                          "another data directory",
                          c->path, version, FORMAT_VERSION);
    /* A leader epoch of -1 and no clean stop: the first start makes it 0. */
    return db_exec(c,
                   "BEGIN IMMEDIATE;"
                   "CREATE TABLE topics (id BLOB PRIMARY KEY, name TEXT NOT NULL UNIQUE, partition_count INT NOT NULL);"
                   "CREATE TABLE configs (topic_id BLOB NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
                   " PRIMARY KEY (topic_id, key));"
                   "CREATE TABLE numbers (name TEXT PRIMARY KEY, value INT NOT NULL);"
                   "INSERT INTO numbers VALUES ('leader_epoch', -1), ('producer_id_next', 0), ('clean', 0);"
                   "PRAGMA user_version = 1;"
                   "COMMIT",
                   err);
}

enum mr_status log_catalog_sqlite_open(struct log_catalog **out, const char *path, struct mr_err *err)
{
    static const struct log_catalog_ops ops = {
        .topics = sqlite_topics,
        .start = sqlite_start,
        .topic_put = sqlite_topic_put,
        .topic_update = sqlite_topic_update,
        .topic_remove = sqlite_topic_remove,
        .producer_ids = sqlite_producer_ids,
        .stopped = sqlite_stopped,
        .close = sqlite_close,
    };
    struct catalog_sqlite *c = MR_NEW(struct catalog_sqlite);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    enum mr_status status;

    c->base.ops = &ops;
    c->path = mr_strdup(path);
    if (sqlite3_open_v2(path, &c->db, flags, NULL) != SQLITE_OK) {
        status = db_error(c, err, "open");
        goto out;
    }
    sqlite3_busy_timeout(c->db, BUSY_MS); /* somebody may look with the sqlite3 tool */
    status = db_exec(c, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", err);
    if (status == MR_OK)
        status = version_check(c, err);
    if (status == MR_OK) {
        *out = &c->base;
        c = NULL;
    }
out:
    if (c != NULL)
        sqlite_close(&c->base);
    return status;
}

/* victim.c -- writes in one of several ways below a directory, and says on standard output what is acknowledged.
 * Runs until the power-cut library ends it: victim MODE DIR. */
#include "store/store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORD_BYTES = 700 };

static void fail(const char *what)
{
    perror(what);
    exit(2);
}

static void say(uint32_t number)
{
    if (write(1, &number, sizeof(number)) != sizeof(number))
        fail("acknowledge");
}

/* Records appended to one file; each third synced, and with it those before. */
static void write_records(const char *dir)
{
    char path[512], record[RECORD_BYTES];
    int fd, at;

    snprintf(path, sizeof(path), "%s/records", dir);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    at = open(dir, O_RDONLY | O_DIRECTORY);
    if (fd < 0 || at < 0 || fsync(at) != 0)
        fail(path);
    for (uint32_t i = 0;; i++) {
        memset(record, (int)('a' + i % 26), sizeof(record));
        if (write(fd, record, sizeof(record)) != sizeof(record))
            fail("write");
        if (i % 3 == 2 && fdatasync(fd) == 0)
            say(i);
    }
}

/* One small file replaced over and over: write, sync, rename, sync the directory (unless told not to). */
static void write_renames(const char *dir, bool sync_dir)
{
    char path[512], next[512], text[32];
    int at = open(dir, O_RDONLY | O_DIRECTORY);

    snprintf(path, sizeof(path), "%s/current", dir);
    snprintf(next, sizeof(next), "%s/next", dir);
    for (uint32_t i = 0;; i++) {
        int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC, 0600), size = snprintf(text, sizeof(text), "%u\n", i);

        if (fd < 0 || write(fd, text, (size_t)size) != size || fsync(fd) != 0 || close(fd) != 0 ||
            rename(next, path) != 0 || (sync_dir && fsync(at) != 0))
            fail(path);
        say(i);
    }
}

static void sql(sqlite3 *db, const char *text)
{
    char *message = NULL;

    if (sqlite3_exec(db, text, NULL, NULL, &message) != SQLITE_OK) {
        fprintf(stderr, "%s: %s\n", text, message);
        exit(2);
    }
}

static void write_sqlite(const char *dir, const char *settings)
{
    char path[512], text[128];
    sqlite3 *db;

    snprintf(path, sizeof(path), "%s/rows.db", dir);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        fail(path);
    sql(db, settings);
    sql(db, "CREATE TABLE t (n INTEGER PRIMARY KEY, filling TEXT)");
    for (uint32_t i = 0;; i++) {
        snprintf(text, sizeof(text), "INSERT INTO t VALUES (%u, hex(randomblob(300)))", i);
        sql(db, text);
        say(i);
    }
}

static void write_store(const char *dir)
{
    struct store_options options = { .memory_bytes = 4 << 20 };
    struct store *store;
    struct mr_err err = MR_ERR_INIT;
    char name[16], filling[2000];

    memset(filling, 'x', sizeof(filling));
    if (store_open(&store, dir, &options, &err) != MR_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(2);
    }
    for (uint32_t i = 0;; i++) {
        struct store_cell cell = { .column_id = 1, .write_time_us = 1 + i };
        struct store_mutation m = { .kind = STORE_WRITE, .cells = &cell, .cell_count = 1 };

        cell.value = (struct mr_bytes){ (uint8_t *)filling, i % sizeof(filling) };
        snprintf(name, sizeof(name), "%u", i);
        m.key = (struct store_key){
            .table_id = 1, .token = i, .kind = STORE_ROW_CLUSTERED, .partition_key = mr_bytes_of_str(mr_str_of(name))
        };
        if (store_apply_wait(store, &m, 1, &err) == MR_OK)
            say(i);
        else if (getenv("FAILFS_DIR") != NULL)
            say(UINT32_MAX);
        else
            exit(3);
    }
}

int main(int argc, char **argv)
{
    const char *mode = argc == 3 ? argv[1] : "";

    if (strcmp(mode, "records") == 0)
        write_records(argv[2]);
    else if (strcmp(mode, "rename") == 0 || strcmp(mode, "rename-careless") == 0)
        write_renames(argv[2], strcmp(mode, "rename") == 0);
    else if (strcmp(mode, "sqlite-wal") == 0)
        write_sqlite(argv[2], "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
    else if (strcmp(mode, "sqlite-extra") == 0)
        write_sqlite(argv[2], "PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA");
    else if (strcmp(mode, "store") == 0)
        write_store(argv[2]);
    return 1;
}

/* test_powercut.c -- the power-cut library does what it says: what was synced is there afterwards, in any seed; and
 * when sync calls are made empty, or one is forgotten, some seed shows it. */
#include "store/store.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { RECORD_BYTES = 700 };

/* How many were acknowledged, and that none of them is missing below DIR: how many are found from the first on. */
typedef int64_t found_fn(const char *dir);

static int64_t found_records(const char *dir)
{
    char path[512], record[RECORD_BYTES];
    int64_t n = 0;
    FILE *f;

    snprintf(path, sizeof(path), "%s/records", dir);
    f = fopen(path, "rb");
    for (bool whole = f != NULL; whole;) {
        whole = fread(record, 1, sizeof(record), f) == sizeof(record);
        for (size_t i = 0; whole && i < sizeof(record); i++)
            whole = record[i] == 'a' + n % 26;
        n += whole;
    }
    if (f != NULL)
        fclose(f);
    return n;
}

static int64_t found_rename(const char *dir)
{
    char path[512];
    unsigned value;
    int64_t n = 0;
    FILE *f;

    snprintf(path, sizeof(path), "%s/current", dir);
    f = fopen(path, "rb");
    if (f != NULL) {
        n = fscanf(f, "%u", &value) == 1 ? (int64_t)value + 1 : 0;
        fclose(f);
    }
    return n;
}

static int64_t found_sqlite(const char *dir)
{
    char path[512];
    sqlite3 *db;
    sqlite3_stmt *q = NULL;
    int64_t n = 0;

    snprintf(path, sizeof(path), "%s/rows.db", dir);
    if (sqlite3_open(path, &db) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "SELECT count(*), max(n) + 1 FROM t", -1, &q, NULL) == SQLITE_OK &&
        sqlite3_step(q) == SQLITE_ROW && sqlite3_column_int64(q, 0) == sqlite3_column_int64(q, 1))
        n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return n;
}

static int64_t found_store(const char *dir)
{
    struct store_options options = { .memory_bytes = 4 << 20 };
    struct store_scan_options all = { .table_id = 1, .token_first = INT64_MIN, .token_last = INT64_MAX };
    struct mr_arena *arena = mr_arena_new();
    struct mr_err err = MR_ERR_INIT;
    struct store *store;
    struct store_scan *scan;
    struct store_row row;
    int64_t n = 0;

    if (store_open(&store, dir, &options, &err) != MR_OK) {
        mr_arena_free(arena);
        return -1;
    }
    assert_int_equal(store_scan_open(&scan, store, &all, &err), MR_OK);
    while (store_scan_next(scan, arena, &row, &err) == MR_OK && row.key.token == n &&
           row.cells[0].value.size == (size_t)(n % 2000))
        n++;
    store_scan_close(scan);
    store_close(store);
    mr_arena_free(arena);
    return n;
}

static const struct {
    const char *mode;
    const char *ops;
    const char *careless; /* an environment setting, or a mode, with which some seed must lose */
    found_fn *found;
    int seeds;
    int cuts; /* of the same directory, one after the other */
} cases[] = {
    { "records", "1-60", "POWERCUT_IGNORE_SYNC=1", found_records, 40, 1 },
    { "rename", "1-60", "POWERCUT_IGNORE_SYNC=1", found_rename, 40, 1 },
    { "rename", "1-60", "rename-careless", found_rename, 40, 1 },
    { "sqlite-wal", "1-200", "POWERCUT_IGNORE_SYNC=1", found_sqlite, 25, 1 },
    { "sqlite-extra", "1-300", "POWERCUT_IGNORE_SYNC=1", found_sqlite, 25, 1 },
    { "store", "1-600", "POWERCUT_IGNORE_SYNC=1", found_store, 20, 1 },
    { "store", "1-600", "POWERCUT_IGNORE_SYNC=1", found_store, 8, 4 },
    { "store", "1-16000", "POWERCUT_IGNORE_SYNC=1", found_store, 8, 2 },
};

/* Puts the child's environment in place and runs the victim; never returns. */
static void run_victim(const char *mode, const char *ops, const char *careless, int seed, const char *dir, int out)
{
    char text[32];

    dup2(out, 1);
    setenv("LD_PRELOAD", getenv("POWERCUT_LIB"), 1);
    setenv("POWERCUT_DIR", dir, 1);
    setenv("POWERCUT_OPS", ops, 1);
    setenv("POWERCUT_REPORT", "/dev/null", 1);
    snprintf(text, sizeof(text), "%d", seed);
    setenv("POWERCUT_SEED", text, 1);
    if (careless != NULL && strchr(careless, '=') != NULL)
        setenv("POWERCUT_IGNORE_SYNC", "1", 1);
    else if (careless != NULL)
        mode = careless;
    execl(getenv("POWERCUT_VICTIM"), "victim", mode, dir, (char *)NULL);
    _exit(4);
}

/* Runs the victim on DIR until the cut; returns how many it said were acknowledged. */
static int64_t run_until_cut(const char *mode, const char *ops, const char *careless, int seed, const char *dir)
{
    int64_t acknowledged = 0;
    uint32_t number;
    int pipes[2], status;
    pid_t child;

    assert_int_equal(pipe(pipes), 0);
    child = fork();
    if (child == 0)
        run_victim(mode, ops, careless, seed, dir, pipes[1]);
    close(pipes[1]);
    while (read(pipes[0], &number, sizeof(number)) == sizeof(number))
        acknowledged = (int64_t)number + 1;
    close(pipes[0]);
    waitpid(child, &status, 0);
    if (careless == NULL && (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL))
        fail_msg("%s, seed %d: the victim ended by itself (status %d)", mode, seed, status);
    return acknowledged;
}

/* Cuts case I with SEED; returns how many acknowledged ones are missing. */
static int64_t cut(size_t i, const char *careless, int seed)
{
    char dir[] = "/tmp/test-powercut-XXXXXX";
    int64_t acknowledged = 0, there;

    assert_non_null(mkdtemp(dir));
    for (int n = 0; n < cases[i].cuts; n++) {
        int64_t now = run_until_cut(cases[i].mode, cases[i].ops, careless, seed + 1000 * n, dir);

        acknowledged = now > acknowledged ? now : acknowledged;
    }
    there = cases[i].found(dir);
    if (mr_remove_tree(mr_env_real(), dir, NULL) != MR_OK)
        fail_msg("can't remove %s", dir);
    return acknowledged - there;
}

static void test_cuts(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        int lost = 0;

        for (int seed = 1; seed <= cases[i].seeds; seed++) {
            int64_t missing = cut(i, NULL, seed);

            if (missing > 0)
                fail_msg("%s, seed %d: %d acknowledged are missing", cases[i].mode, seed, (int)missing);
        }
        for (int seed = 1; seed <= cases[i].seeds; seed++)
            lost += cut(i, cases[i].careless, seed) > 0;
        print_message("%s, %s: %d of %d seeds lose\n", cases[i].mode, cases[i].careless, lost, cases[i].seeds);
        assert_true(lost > 0);
    }
}

/* A full disk: writes are refused with a status, and go on by themselves when there is room again. */
static void test_full_disk(void **state)
{
    char dir[] = "/tmp/test-failfs-XXXXXX", control[64];
    uint32_t number, last = 0;
    unsigned refused = 0, after = 0;
    int pipes[2], fd, status;
    pid_t child;

    MR_UNUSED(state);
    assert_non_null(mkdtemp(dir));
    snprintf(control, sizeof(control), "%s.full", dir);
    assert_int_equal(pipe(pipes), 0);
    child = fork();
    if (child == 0) {
        dup2(pipes[1], 1);
        setenv("LD_PRELOAD", getenv("FAILFS_LIB"), 1);
        setenv("FAILFS_DIR", dir, 1);
        setenv("FAILFS_FILE", control, 1);
        execl(getenv("POWERCUT_VICTIM"), "victim", "store", dir, (char *)NULL);
        _exit(4);
    }
    close(pipes[1]);
    alarm(60);
    /* Some rows, then a full disk, then room again. */
    while (last < 200 && read(pipes[0], &last, sizeof(last)) == sizeof(last))
        ;
    fd = open(control, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0 && close(fd) == 0);
    while (refused < 5 && read(pipes[0], &number, sizeof(number)) == sizeof(number))
        refused += number == UINT32_MAX;
    unlink(control);
    while (after < 50 && read(pipes[0], &number, sizeof(number)) == sizeof(number))
        after += number != UINT32_MAX;
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    close(pipes[0]);
    assert_int_equal(refused, 5);
    assert_int_equal(after, 50);
    assert_true(found_store(dir) >= 200);
    if (mr_remove_tree(mr_env_real(), dir, NULL) != MR_OK)
        fail_msg("can't remove %s", dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cuts), cmocka_unit_test(test_full_disk) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

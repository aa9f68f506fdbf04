/* test_store.c -- the store as its callers see it: apply, get, scan, page, delete, purge, reopen, kill -9. */
#include "store/store.h"

#include "base/hash.h"
#include "base/text.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char dir[64];
    struct store *store;
    struct mr_arena *arena;
    struct store_options options;
};

static void reopen(struct fixture *f)
{
    struct mr_err err = MR_ERR_INIT;

    store_close(f->store);
    f->store = NULL;
    if (store_open(&f->store, f->dir, &f->options, &err) != MR_OK)
        fail_msg("%s", err.text);
}

static int setup(void **state)
{
    struct fixture *f = MR_NEW(struct fixture);

    strcpy(f->dir, "/tmp/test-store-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->arena = mr_arena_new();
    reopen(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    store_close(f->store);
    mr_arena_free(f->arena);
    if (mr_remove_tree(mr_env_real(), f->dir, NULL) != MR_OK)
        return 1;
    mr_free(f);
    return 0;
}

static struct mr_bytes text(const char *t)
{
    return mr_bytes_of_str(mr_str_of(t));
}

/* Any stable token. */
static int64_t token_of(const char *partition)
{
    return (int64_t)(mr_crc32c(0, partition, strlen(partition)) * UINT64_C(0x9e3779b97f4a7c15));
}

static struct store_key key_of(const char *partition, const char *clustering)
{
    return (struct store_key){ .table_id = 5,
                               .token = token_of(partition),
                               .partition_key = text(partition),
                               .kind = clustering == NULL ? STORE_ROW_STATIC : STORE_ROW_CLUSTERED,
                               .clustering = clustering == NULL ? MR_BYTES_NULL : text(clustering) };
}

static void apply(struct fixture *f, const struct store_mutation *m, size_t count)
{
    struct mr_err err = MR_ERR_INIT;

    if (store_apply_wait(f->store, m, count, &err) != MR_OK)
        fail_msg("%s", err.text);
}

/* Column 1 of a row; VALUE NULL deletes it. */
static void write_row(struct fixture *f, const char *partition, const char *clustering, int64_t time, const char *value)
{
    struct store_cell cell = { .column_id = 1,
                               .flags = value == NULL ? STORE_CELL_TOMBSTONE : 0,
                               .write_time_us = time,
                               .value = value == NULL ? MR_BYTES_NULL : text(value) };
    struct store_mutation m = {
        .kind = STORE_WRITE, .key = key_of(partition, clustering), .cells = &cell, .cell_count = 1
    };

    apply(f, &m, 1);
}

static void assert_row(struct fixture *f, const char *partition, const char *clustering, const char *value)
{
    struct store_key key = key_of(partition, clustering);
    struct store_row row = { 0 };
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = store_get(f->store, &key, f->arena, &row, &err);

    if (value == NULL) {
        assert_int_equal(status, MR_NOT_FOUND);
        return;
    }
    if (status != MR_OK)
        fail_msg("%s/%s: %s", partition, clustering, err.text);
    assert_non_null(store_row_cell(&row, 1));
    assert_null(store_row_cell(&row, 2));
    assert_int_equal(mr_bytes_compare(store_row_cell(&row, 1)->value, text(value)), 0);
}

static void test_write_and_read(void **state)
{
    struct fixture *f = *state;

    write_row(f, "a", "1", 10, "new");
    write_row(f, "a", "1", 5, "old");
    assert_row(f, "a", "1", "new");
    reopen(f);
    assert_row(f, "a", "1", "new");
    write_row(f, "a", "1", 11, NULL);
    assert_row(f, "a", "1", NULL); /* no marker: nothing is left */
    assert_row(f, "a", "2", NULL);
}

/* One row written far more often than others: every write counts, deletes too, however the committer tidies it. */
static void test_hot_row(void **state)
{
    struct fixture *f = *state;
    char value[16];
    int64_t newest = 0;

    for (int64_t i = 1; i <= 2000; i++) {
        struct store_cell cell = { .column_id = 1, .write_time_us = (i * 7919) % 2003 };
        struct store_mutation m = { .kind = STORE_WRITE, .key = key_of("hot", "1"), .cells = &cell, .cell_count = 1 };

        snprintf(value, sizeof(value), "%d", (int)cell.write_time_us);
        cell.value = text(value);
        newest = cell.write_time_us > newest ? cell.write_time_us : newest;
        if (i < 2000)
            assert_int_equal(store_apply(f->store, &m, 1, NULL, NULL, NULL), MR_OK);
        else
            apply(f, &m, 1);
    }
    snprintf(value, sizeof(value), "%d", (int)newest);
    assert_row(f, "hot", "1", value);
    write_row(f, "hot", "1", newest, NULL);
    assert_row(f, "hot", "1", NULL);
    reopen(f);
    assert_row(f, "hot", "1", NULL);
}

static void test_insert_of_nulls_is_a_row(void **state)
{
    struct fixture *f = *state;
    struct store_mutation insert = {
        .kind = STORE_WRITE, .key = key_of("a", "1"), .with_marker = true, .write_time_us = 3
    };
    struct store_mutation remove = { .kind = STORE_DELETE_ROW, .key = key_of("a", "1"), .write_time_us = 3 };
    struct store_row row;

    apply(f, &insert, 1);
    assert_int_equal(store_get(f->store, &insert.key, f->arena, &row, NULL), MR_OK);
    assert_true(row.has_marker && row.cell_count == 0);
    apply(f, &remove, 1);
    assert_int_equal(store_get(f->store, &insert.key, f->arena, &row, NULL), MR_NOT_FOUND);
}

static void test_partition_delete(void **state)
{
    struct fixture *f = *state;
    struct store_mutation remove = { .kind = STORE_DELETE_PARTITION, .key = key_of("a", NULL), .write_time_us = 10 };

    write_row(f, "a", NULL, 9, "static");
    write_row(f, "a", "1", 10, "covered");
    write_row(f, "a", "2", 11, "later");
    write_row(f, "b", "1", 1, "other");
    apply(f, &remove, 1);
    write_row(f, "a", "3", 10, "too old");
    for (int i = 0; i < 2; i++) {
        assert_row(f, "a", NULL, NULL);
        assert_row(f, "a", "1", NULL);
        assert_row(f, "a", "2", "later");
        assert_row(f, "a", "3", NULL);
        assert_row(f, "b", "1", "other");
        reopen(f);
    }
}

static void delete_range(struct fixture *f, const char *partition, const char *from, const char *to, int64_t time_us)
{
    struct store_mutation m = { .kind = STORE_DELETE_RANGE, .key = key_of(partition, from), .write_time_us = time_us };

    m.clustering_to = text(to);
    apply(f, &m, 1);
}

/* What ranges cover is gone, whichever came first, for reads of single rows and for scans, also after a restart. */
static void test_range_delete(void **state)
{
    struct fixture *f = *state;

    write_row(f, "a", NULL, 1, "static");
    write_row(f, "a", "1", 10, "one");
    write_row(f, "a", "2", 10, "two");
    write_row(f, "a", "3", 21, "three");
    write_row(f, "a", "4", 10, "four");
    write_row(f, "b", "2", 1, "other");
    delete_range(f, "a", "2", "4", 20);
    delete_range(f, "a", "3", "3", 99); /* nothing is in it */
    write_row(f, "a", "22", 20, "too old");
    for (int i = 0; i < 2; i++) {
        assert_row(f, "a", NULL, "static");
        assert_row(f, "a", "1", "one");
        assert_row(f, "a", "2", NULL);
        assert_row(f, "a", "22", NULL);
        assert_row(f, "a", "3", "three");
        assert_row(f, "a", "4", "four");
        assert_row(f, "b", "2", "other");
        reopen(f);
    }
    delete_range(f, "a", "", "2", 30);
    assert_row(f, "a", "1", NULL);
    assert_row(f, "a", NULL, "static");
    assert_row(f, "a", "4", "four");
    delete_range(f, "a", "2", "", 30);
    assert_row(f, "a", "4", NULL);
    assert_row(f, "a", "3", NULL);
    write_row(f, "a", "4", 31, "again");
    assert_row(f, "a", "4", "again");
}

/* Scans into "partition/clustering=value " in PAGE rows a page. */
static void assert_scan(struct fixture *f, struct store_scan_options o, size_t page, bool one_each, const char *expect)
{
    struct mr_writer out = { 0 }, resume = { 0 };
    bool more = true;

    while (more) {
        struct store_scan *scan;
        struct store_row row;
        struct mr_err err = MR_ERR_INIT;

        o.resume = mr_writer_bytes(&resume);
        if (store_scan_open(&scan, f->store, &o, &err) != MR_OK)
            fail_msg("%s", err.text);
        for (size_t i = 0; i < page && more; i++) {
            enum mr_status status = store_scan_next(scan, f->arena, &row, &err);

            more = status == MR_OK;
            if (!more) {
                assert_int_equal(status, MR_NOT_FOUND);
                break;
            }
            mr_write_bytes(&out, row.key.partition_key);
            mr_write_text(&out, "/%.*s=", (int)row.key.clustering.size, (const char *)row.key.clustering.data);
            mr_write_bytes(&out, row.cells[0].value);
            mr_write_text(&out, " ");
            if (one_each)
                store_scan_skip_partition(scan);
        }
        resume.size = 0;
        store_scan_resume(scan, &resume);
        store_scan_close(scan);
        more = more && resume.size > 0;
    }
    mr_write_u8(&out, 0);
    assert_string_equal((char *)out.data, expect);
    mr_writer_deinit(&out);
    mr_writer_deinit(&resume);
}

static void test_scans(void **state)
{
    struct fixture *f = *state;
    struct store_mutation remove = { .kind = STORE_DELETE_PARTITION, .key = key_of("b", NULL), .write_time_us = 10 };
    struct store_scan_options all = { .table_id = 5, .token_first = INT64_MIN, .token_last = INT64_MAX };
    struct store_scan_options one = {
        .table_id = 5, .one_partition = true, .token = token_of("a"), .partition_key = text("a")
    };
    struct store_scan_options reverse = one, part = one, b = one, tokens = all;
    const char *order = token_of("a") < token_of("b") ? "ab" : "ba";
    char expect[256];

    write_row(f, "a", "3", 1, "x3");
    write_row(f, "a", "1", 1, "x1");
    write_row(f, "a", "2", 1, "x2");
    write_row(f, "a", NULL, 1, "s");
    write_row(f, "b", "1", 9, "gone");
    write_row(f, "b", "2", 11, "y2");
    write_row(f, "b", "3", 12, "y3");
    apply(f, &remove, 1);
    snprintf(expect, sizeof(expect), order[0] == 'a' ? "%s%s" : "%2$s%1$s", "a/=s a/1=x1 a/2=x2 a/3=x3 ",
             "b/2=y2 b/3=y3 ");
    for (size_t page = 1; page < 8; page++)
        assert_scan(f, all, page, false, expect);
    snprintf(expect, sizeof(expect), order[0] == 'a' ? "%s%s" : "%2$s%1$s", "a/=s ", "b/2=y2 ");
    for (size_t page = 1; page < 4; page++)
        assert_scan(f, all, page, true, expect);
    reverse.reverse = true;
    part.clustering_from = text("2");
    part.clustering_to = text("3");
    b.token = token_of("b");
    b.partition_key = text("b");
    tokens.token_first = tokens.token_last = token_of("b");
    for (size_t page = 1; page < 6; page++) {
        assert_scan(f, one, page, false, "a/=s a/1=x1 a/2=x2 a/3=x3 ");
        assert_scan(f, reverse, page, false, "a/3=x3 a/2=x2 a/1=x1 ");
        assert_scan(f, part, page, false, "a/2=x2 ");
        assert_scan(f, b, page, false, "b/2=y2 b/3=y3 ");
        b.reverse = true;
        assert_scan(f, b, page, false, "b/3=y3 b/2=y2 ");
        b.reverse = false;
        assert_scan(f, tokens, page, false, "b/2=y2 b/3=y3 ");
    }
}

static void test_resume_keys_are_checked(void **state)
{
    struct fixture *f = *state;
    struct store_scan_options o = { .table_id = 5, .token_first = INT64_MIN, .token_last = INT64_MAX };
    struct store_scan *scan;
    struct store_row row;
    struct mr_writer resume = { 0 };

    write_row(f, "a", "1", 1, "x");
    assert_int_equal(store_scan_open(&scan, f->store, &o, NULL), MR_OK);
    assert_int_equal(store_scan_next(scan, f->arena, &row, NULL), MR_OK);
    store_scan_resume(scan, &resume);
    store_scan_close(scan);
    for (size_t cut = 1; cut < resume.size - 1; cut++) {
        o.resume = (struct mr_bytes){ resume.data, cut };
        assert_int_equal(store_scan_open(&scan, f->store, &o, NULL), MR_INVALID);
    }
    o.resume = mr_writer_bytes(&resume);
    o.table_id = 6;
    assert_int_equal(store_scan_open(&scan, f->store, &o, NULL), MR_INVALID);
    resume.data[0] = 9;
    o.table_id = 5;
    assert_int_equal(store_scan_open(&scan, f->store, &o, NULL), MR_INVALID);
    mr_writer_deinit(&resume);
}

static void test_scan_sees_one_moment(void **state)
{
    struct fixture *f = *state;
    struct store_scan_options o = {
        .table_id = 5, .one_partition = true, .token = token_of("a"), .partition_key = text("a")
    };
    struct store_scan *scan;
    struct store_row row;

    write_row(f, "a", "1", 1, "x");
    assert_int_equal(store_scan_open(&scan, f->store, &o, NULL), MR_OK);
    write_row(f, "a", "2", 1, "x");
    assert_int_equal(store_scan_next(scan, f->arena, &row, NULL), MR_OK);
    assert_int_equal(store_scan_next(scan, f->arena, &row, NULL), MR_NOT_FOUND);
    assert_int_equal(store_scan_next(scan, f->arena, &row, NULL), MR_NOT_FOUND);
    store_scan_close(scan);
}

static uint64_t entries(struct fixture *f)
{
    struct store_scan_options o = { .table_id = 5, .token_first = INT64_MIN, .token_last = INT64_MAX };
    struct store_scan *scan;
    struct store_row row;
    uint64_t n = 0;

    assert_int_equal(store_scan_open(&scan, f->store, &o, NULL), MR_OK);
    while (store_scan_next(scan, f->arena, &row, NULL) == MR_OK)
        n++;
    store_scan_close(scan);
    return n;
}

static void test_purge(void **state)
{
    struct fixture *f = *state;
    struct store_mutation remove = { .kind = STORE_DELETE_ROW, .key = key_of("a", "1"), .write_time_us = 10 };

    write_row(f, "a", "1", 9, "x");
    apply(f, &remove, 1);
    write_row(f, "a", "2", 9, "x");
    write_row(f, "a", "2", 10, NULL);
    write_row(f, "a", "3", 9, "stays");
    assert_int_equal(store_purge(f->store, 5, 3600, NULL), MR_OK); /* too young: tombstones stay */
    write_row(f, "a", "1", 8, "late");
    write_row(f, "a", "2", 8, "late");
    assert_row(f, "a", "1", NULL);
    assert_row(f, "a", "2", NULL);
    assert_int_equal(store_purge(f->store, 5, -10, NULL), MR_OK);
    assert_int_equal(entries(f), 1);
    write_row(f, "a", "1", 7, "after the grace"); /* the tombstones are gone: this shows it */
    write_row(f, "a", "2", 7, "after the grace");
    assert_row(f, "a", "1", "after the grace");
    assert_row(f, "a", "2", "after the grace");
    assert_row(f, "a", "3", "stays");
}

/* A clock that stands where it is put. */
static int64_t late_now_us(struct mr_env *env)
{
    MR_UNUSED(env);
    return mr_now_us(mr_env_real()) + INT64_C(400) * 86400 * 1000000;
}

/* Flushes and automatic compactions, however long after, keep every tombstone: an older write that comes late loses. */
static void test_only_purge_purges(void **state)
{
    struct fixture *f = *state;
    struct store_mutation remove = { .kind = STORE_DELETE_ROW, .key = key_of("a", "1"), .write_time_us = 10 };
    static struct mr_env_ops ops; /* the store has it until the teardown */
    static struct mr_env late = { &ops };

    ops = *mr_env_real()->ops;
    ops.now_us = late_now_us;
    write_row(f, "a", "1", 9, "x");
    apply(f, &remove, 1);
    write_row(f, "a", "2", 9, "x");
    write_row(f, "a", "2", 10, NULL);
    f->options.env = &late;
    /* Each purge of another table flushes; enough files at the top level start a compaction. */
    for (int i = 0; i < 8; i++) {
        write_row(f, "b", "1", i, "x");
        reopen(f);
        assert_int_equal(store_purge(f->store, 6, 0, NULL), MR_OK);
        write_row(f, "a", "1", 8, "late");
        write_row(f, "a", "2", 8, "late");
        assert_row(f, "a", "1", NULL);
        assert_row(f, "a", "2", NULL);
    }
}

static enum mr_status add_meta(void *arg, struct mr_bytes key, struct mr_bytes value)
{
    mr_write_text(arg, "%.*s=%.*s ", (int)key.size, (const char *)key.data, (int)value.size, (const char *)value.data);
    return MR_OK;
}

static void test_meta_and_drop(void **state)
{
    struct fixture *f = *state;
    struct store_mutation m[] = {
        { .kind = STORE_META_PUT, .meta_key = text("t/b"), .meta_value = text("2") },
        { .kind = STORE_META_PUT, .meta_key = text("t/a"), .meta_value = text("1") },
        { .kind = STORE_META_PUT, .meta_key = text("u/a"), .meta_value = text("3") },
    };
    struct store_mutation drop[] = {
        { .kind = STORE_META_DELETE, .meta_key = text("t/a") },
        { .kind = STORE_DROP_TABLE, .key = { .table_id = 5 } },
    };
    struct mr_writer out = { 0 };

    apply(f, m, 3);
    write_row(f, "a", "1", 1, "x");
    assert_int_equal(store_meta_list(f->store, text("t/"), add_meta, &out, NULL), MR_OK);
    assert_memory_equal(out.data, "t/a=1 t/b=2 ", out.size);
    out.size = 0;
    assert_int_equal(store_meta_get(f->store, text("u/a"), &out, NULL), MR_OK);
    assert_memory_equal(out.data, "3", 1);
    apply(f, drop, 2);
    reopen(f);
    assert_int_equal(store_meta_get(f->store, text("t/a"), &out, NULL), MR_NOT_FOUND);
    assert_row(f, "a", "1", NULL);
    assert_int_equal(entries(f), 0);
    mr_writer_deinit(&out);
}

/* However the committer orders a batch: of one key the last op wins, and a drop takes what came before it. */
static void test_order_in_a_batch(void **state)
{
    enum { KEYS = 50, ROUNDS = 4 };
    struct fixture *f = *state;
    struct store_mutation puts[KEYS * ROUNDS] = { 0 };
    char keys[KEYS][8], values[KEYS * ROUNDS][8];
    struct store_cell cell = { .column_id = 1, .write_time_us = 9, .value = text("x") };
    struct store_mutation drop[] = {
        { .kind = STORE_WRITE, .key = key_of("z", "1"), .cells = &cell, .cell_count = 1 },
        { .kind = STORE_DROP_TABLE, .key = { .table_id = 5 } },
        { .kind = STORE_WRITE, .key = key_of("a", "1"), .cells = &cell, .cell_count = 1 },
    };
    struct mr_writer out = { 0 };

    for (int i = 0; i < KEYS * ROUNDS; i++) {
        int key = i * 37 % KEYS;

        snprintf(keys[key], sizeof(keys[key]), "k%d", key);
        snprintf(values[i], sizeof(values[i]), "%03d", i);
        puts[i] = (struct store_mutation){ .kind = i / KEYS == ROUNDS - 1 && key % 2 == 0 ? STORE_META_DELETE
                                                                                          : STORE_META_PUT,
                                           .meta_key = text(keys[key]),
                                           .meta_value = text(values[i]) };
    }
    apply(f, puts, KEYS * ROUNDS);
    for (int i = KEYS * (ROUNDS - 1); i < KEYS * ROUNDS; i++) {
        enum mr_status status = store_meta_get(f->store, puts[i].meta_key, &out, NULL);

        assert_int_equal(status, puts[i].kind == STORE_META_DELETE ? MR_NOT_FOUND : MR_OK);
        if (status == MR_OK)
            assert_memory_equal(out.data, values[i], 3);
        out.size = 0;
    }
    mr_writer_deinit(&out);
    apply(f, drop, MR_COUNT(drop));
    assert_row(f, "z", "1", NULL);
    assert_row(f, "a", "1", "x");
}

enum { MODEL_ROWS = 10, MODEL_STEPS = 60 };

/* Rows and ranges with random times against the definition: a row is there when no range over it is as new. */
static void test_ranges_against_a_model(void **state)
{
    struct fixture *f = *state;
    struct store_scan_options one = {
        .table_id = 5, .one_partition = true, .token = token_of("a"), .partition_key = text("a")
    };
    int64_t written[MODEL_ROWS] = { 0 }, deleted[MODEL_ROWS] = { 0 };
    unsigned seed = 7;

    for (int step = 0; step < MODEL_STEPS; step++) {
        int64_t time_us = 1 + rand_r(&seed) % 40;
        int from = rand_r(&seed) % MODEL_ROWS, to = rand_r(&seed) % (MODEL_ROWS + 1);
        char low[2] = { (char)('0' + from) }, high[2] = { (char)('0' + to) };
        struct mr_writer expect = { 0 };

        if (step % 2 == 0) {
            write_row(f, "a", low, time_us, "v");
            written[from] = time_us > written[from] ? time_us : written[from];
        } else {
            delete_range(f, "a", low, to == MODEL_ROWS ? "" : high, time_us);
            for (int i = from; i < to; i++)
                deleted[i] = time_us > deleted[i] ? time_us : deleted[i];
        }
        for (int i = 0; i < MODEL_ROWS; i++) {
            char name[2] = { (char)('0' + i) };

            assert_row(f, "a", name, written[i] > deleted[i] ? "v" : NULL);
            if (written[i] > deleted[i])
                mr_write_text(&expect, "a/%s=v ", name);
        }
        mr_write_u8(&expect, 0);
        assert_scan(f, one, 1 + (size_t)step % 4, false, (char *)expect.data);
        mr_writer_deinit(&expect);
    }
}

/* Of two cells of one element in one mutation the one stays that a merge would keep. */
static void test_cells_twice(void **state)
{
    struct fixture *f = *state;
    struct store_cell cells[] = {
        { .column_id = 1, .path = text("e"), .write_time_us = 5, .value = text("a") },
        { .column_id = 1, .path = text("e"), .write_time_us = 5, .value = text("b") },
        { .column_id = 1, .flags = STORE_CELL_ELEMENTS_TOMBSTONE, .write_time_us = 4 },
        { .column_id = 1, .path = text("d"), .write_time_us = 4, .value = text("covered") },
    };
    struct store_mutation m = { .kind = STORE_WRITE, .key = key_of("a", "1"), .cells = cells, .cell_count = 4 };
    struct store_row row;

    apply(f, &m, 1);
    assert_int_equal(store_get(f->store, &m.key, f->arena, &row, NULL), MR_OK);
    assert_int_equal(row.cell_count, 1);
    assert_int_equal(mr_bytes_compare(row.cells[0].value, text("b")), 0);
}

static void test_limits(void **state)
{
    struct fixture *f = *state;
    uint8_t *large = mr_calloc(1, 70000);
    struct store_mutation bad[] = {
        { .kind = STORE_WRITE, .with_marker = true, .key = { 5, 0, { large, 65536 }, STORE_ROW_CLUSTERED } },
        { .kind = STORE_WRITE, .with_marker = true, .key = { 5, 0, { large, 0 }, STORE_ROW_CLUSTERED } },
        { .kind = STORE_WRITE, .with_marker = true, .key = { 0, 0, { large, 1 }, STORE_ROW_CLUSTERED } },
        { .kind = STORE_WRITE,
          .with_marker = true,
          .key = { 5, 0, { large, 1 }, STORE_ROW_CLUSTERED, { large, 70000 } } },
        { .kind = STORE_DELETE_RANGE,
          .key = { 5, 0, { large, 1 }, STORE_ROW_CLUSTERED },
          .clustering_to = { large, 70000 } },
        { .kind = STORE_META_PUT, .meta_key = { large, 1025 } },
        { .kind = STORE_DROP_TABLE },
    };

    for (size_t i = 0; i < MR_COUNT(bad); i++)
        assert_int_equal(store_apply_wait(f->store, &bad[i], 1, NULL), MR_INVALID);
    mr_free(large);
}

static void test_second_open_and_newer_format(void **state)
{
    struct fixture *f = *state;
    struct store *second;
    char path[MR_PATH_BYTES];

    assert_int_equal(store_open(&second, f->dir, &f->options, NULL), MR_BUSY);
    store_close(f->store);
    f->store = NULL;
    assert_int_equal(mr_path_join(path, f->dir, "FORMAT", NULL), MR_OK);
    assert_int_equal(mr_file_replace(mr_env_real(), path, text("millrace-store 1\n"), NULL), MR_OK);
    assert_int_equal(store_open(&second, f->dir, &f->options, NULL), MR_OK); /* the first version's are opened */
    store_close(second);
    assert_int_equal(mr_file_replace(mr_env_real(), path, text("millrace-store 3\n"), NULL), MR_OK);
    assert_int_equal(store_open(&second, f->dir, &f->options, NULL), MR_UNSUPPORTED);
    assert_int_equal(mr_file_replace(mr_env_real(), path, text("mill"), NULL), MR_OK);
    assert_int_equal(store_open(&second, f->dir, &f->options, NULL), MR_CORRUPT);
}

enum { UNITS = 300 };

struct writer {
    struct fixture *f;
    char partition[2];
    atomic_int done; /* units acknowledged */
};

static void unit_done(void *arg, enum mr_status status, const struct mr_err *err)
{
    struct writer *w = arg;

    MR_UNUSED(err);
    if (status == MR_OK)
        atomic_fetch_add(&w->done, 1);
}

/* Unit I writes I into rows 1 and 2 of the writer's partition, at once. */
static void *write_units(void *arg)
{
    struct writer *w = arg;

    for (int i = 1; i <= UNITS; i++) {
        char value[16];
        struct store_cell cell = { .column_id = 1, .write_time_us = i };
        struct store_mutation m[2] = {
            { .kind = STORE_WRITE, .key = key_of(w->partition, "1"), .cells = &cell, .cell_count = 1 },
            { .kind = STORE_WRITE, .key = key_of(w->partition, "2"), .cells = &cell, .cell_count = 1 },
        };

        snprintf(value, sizeof(value), "%d", i);
        cell.value = text(value);
        assert_int_equal(store_apply(w->f->store, m, 2, unit_done, w, NULL), MR_OK);
    }
    return NULL;
}

/* Both rows of a unit are seen or none, and what was acknowledged before is seen. */
static void check_units(struct writer *w, struct mr_arena *arena)
{
    struct store_scan_options o = {
        .table_id = 5, .one_partition = true, .token = token_of(w->partition), .partition_key = text(w->partition)
    };
    int done = atomic_load(&w->done), values[2] = { 0, 0 };
    struct store_scan *scan;
    struct store_row row;

    assert_int_equal(store_scan_open(&scan, w->f->store, &o, NULL), MR_OK);
    for (int i = 0; i < 2 && store_scan_next(scan, arena, &row, NULL) == MR_OK; i++) {
        struct mr_str value = mr_str_of_bytes(row.cells[0].value);
        int64_t number = 0;

        assert_int_equal(mr_parse_i64(value, &number), MR_OK);
        values[i] = (int)number;
    }
    store_scan_close(scan);
    mr_arena_reset(arena);
    assert_int_equal(values[0], values[1]);
    assert_true(values[0] >= done);
}

static void test_threads(void **state)
{
    struct fixture *f = *state;
    struct writer writers[] = { { f, "a" }, { f, "b" }, { f, "c" } };
    pthread_t threads[MR_COUNT(writers)];
    int done = 0;

    for (size_t i = 0; i < MR_COUNT(writers); i++)
        mr_thread_start(&threads[i], "writer", write_units, &writers[i]);
    for (int round = 0; done < UNITS * (int)MR_COUNT(writers); round++) {
        done = 0;
        for (size_t i = 0; i < MR_COUNT(writers); i++) {
            done += atomic_load(&writers[i].done);
            check_units(&writers[i], f->arena);
        }
        if (round % 50 == 49)
            assert_int_equal(store_purge(f->store, 5, 3600, NULL), MR_OK);
    }
    for (size_t i = 0; i < MR_COUNT(writers); i++)
        pthread_join(threads[i], NULL);
}

/* A child (this program again) writes 0, 1, 2 and so on and says each number after its acknowledgement; killed at any
 * moment, all it said is there. */
static int child_writes(const char *dir, const char *durability)
{
    struct fixture f = { .options = { .durability =
                                          strcmp(durability, "relaxed") == 0 ? STORE_RELAXED : STORE_SYNCED } };

    snprintf(f.dir, sizeof(f.dir), "%s", dir);
    reopen(&f);
    for (uint32_t i = 0;; i++) {
        char name[16];

        snprintf(name, sizeof(name), "%u", i);
        write_row(&f, name, "", 1, name);
        if (write(STDOUT_FILENO, &i, sizeof(i)) != sizeof(i))
            return 1;
    }
}

static void kill_and_check(struct fixture *f, unsigned rows, enum store_durability durability)
{
    uint32_t last = 0, seen = 0;
    int pipes[2], status;
    pid_t child;

    store_close(f->store);
    f->store = NULL;
    assert_int_equal(pipe(pipes), 0);
    child = fork();
    if (child == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        execl("/proc/self/exe", "test_store", f->dir, durability == STORE_RELAXED ? "relaxed" : "synced", (char *)NULL);
        _exit(1);
    }
    close(pipes[1]);
    while (seen <= rows && read(pipes[0], &last, sizeof(last)) == sizeof(last))
        seen++;
    kill(child, SIGKILL);
    while (read(pipes[0], &last, sizeof(last)) == sizeof(last))
        seen++;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    close(pipes[0]);
    reopen(f);
    for (uint32_t i = 0; i <= last; i++) {
        char name[16];

        snprintf(name, sizeof(name), "%u", i);
        assert_row(f, name, "", name);
    }
}

static void test_kill(void **state)
{
    static const unsigned rows[] = { 0, 1, 7, 50, 333 };

    for (size_t i = 0; i < MR_COUNT(rows); i++) {
        kill_and_check(*state, rows[i], STORE_SYNCED);
        kill_and_check(*state, rows[i] * 10, STORE_RELAXED);
    }
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_write_and_read),
        TEST(test_threads),
        TEST(test_hot_row),
        TEST(test_insert_of_nulls_is_a_row),
        TEST(test_partition_delete),
        TEST(test_scans),
        TEST(test_resume_keys_are_checked),
        TEST(test_scan_sees_one_moment),
        TEST(test_purge),
        TEST(test_only_purge_purges),
        TEST(test_meta_and_drop),
        TEST(test_order_in_a_batch),
        TEST(test_limits),
        TEST(test_range_delete),
        TEST(test_ranges_against_a_model),
        TEST(test_cells_twice),
        TEST(test_kill),
        TEST(test_second_open_and_newer_format),
    };

    if (argc == 3)
        return child_writes(argv[1], argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

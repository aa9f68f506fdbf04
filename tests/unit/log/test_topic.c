/* test_topic.c -- topics made, found, deleted; the catalog's format; strays. */
#include "fixture.h"

#include <sqlite3.h>

static void test_create(void **state)
{
    static const struct {
        const char *name;
        int32_t partitions;
        enum mr_status expect;
    } cases[] = {
        { "a b", 1, MR_INVALID }, { "", 1, MR_INVALID },     { ".", 1, MR_INVALID },     { "..", 1, MR_INVALID },
        { "a/b", 1, MR_INVALID }, { "a~b", 1, MR_INVALID },  { "names", 0, MR_INVALID }, { "names", 20000, MR_INVALID },
        { "names", 3, MR_OK },    { "names", 3, MR_EXISTS }, { "a.b_c-d", 1, MR_OK },
    };
    static const struct log_config configs[] = { { "cleanup.policy", "compact" }, { "retention.ms", "1" } };
    struct fixture *f = *state;
    struct answer a = { 0 };
    struct log_topic *t;
    struct log_config config;
    uint8_t id[16];
    int done = 0;
    struct mr_err err;

    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        assert_int_equal(log_topic_create(f->log, mr_str_of(cases[i].name), cases[i].partitions, configs,
                                          MR_COUNT(configs), answer_topic, &a, &err),
                         cases[i].expect);
        done += cases[i].expect == MR_OK;
    }
    assert_null(log_topic_find(f->log, MR_STR("names")));
    assert_true(log_topic_pending(f->log, MR_STR("names")));
    wait_for(f, &a, done);
    assert_int_equal(a.status, MR_OK);
    assert_false(log_topic_pending(f->log, MR_STR("names")));
    for (int round = 0; round < 2; round++) {
        t = log_topic_find(f->log, MR_STR("names"));
        assert_non_null(t);
        assert_int_equal(log_topic_partition_count(t), 3);
        assert_string_equal(log_topic_config(t, "cleanup.policy"), "compact");
        assert_null(log_topic_config(t, "segment.bytes"));
        assert_true(log_topic_config_at(t, 1, &config));
        assert_false(log_topic_config_at(t, 2, &config));
        if (round == 1)
            assert_memory_equal(id, log_topic_id(t), 16);
        memcpy(id, log_topic_id(t), 16);
        assert_ptr_equal(log_topic_find_id(f->log, id), t);
        assert_string_equal(log_topic_name(log_topic_next(f->log, NULL)), "a.b_c-d");
        assert_ptr_equal(log_topic_next(f->log, log_topic_next(f->log, NULL)), t);
        assert_null(log_topic_next(f->log, t));
        fixture_close(f);
        fixture_open(f);
    }
}

static void test_delete(void **state)
{
    struct fixture *f = *state;
    struct log_partition *p = log_topic_partition(make_topic(f, "names", 1), 0);
    struct mr_bytes batch = make_batch(1, 10, 0, 0, 0, -1);
    struct answer a = { 0 };
    struct log_append_result result;
    struct log_slice slice;
    size_t count, got;
    uint8_t byte;
    struct mr_err err;

    append_many(f, p, 3, 100);
    assert_int_equal(log_read(p, 0, 1 << 20, &slice, 1, &count, &err), MR_OK);
    log_topic_delete(f->log, log_partition_topic(p), answer_topic, &a);
    assert_null(log_topic_find(f->log, MR_STR("names")));
    assert_true(log_partition_deleted(p));
    assert_int_equal(log_append(p, batch, &result, answer_synced, &a, &err), MR_NOT_FOUND);
    assert_int_equal(log_topic_create(f->log, MR_STR("names"), 1, NULL, 0, answer_topic, &a, &err), MR_BUSY);
    wait_for(f, &a, 1);
    assert_int_equal(a.status, MR_OK);
    assert_int_equal(mr_file_pread(slice.file, &byte, 1, slice.position, &got, &err), MR_OK);
    assert_int_equal(got, 1);
    log_slice_release(&slice);
    p = log_topic_partition(make_topic(f, "names", 1), 0);
    assert_int_equal(log_end_offset(p), 0);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(log_end_offset(partition_of(f, "names", 0)), 0);
    mr_free((void *)batch.data);
}

static void test_segment_bytes(void **state)
{
    static const struct log_config small = { "segment.bytes", "1000" };
    struct fixture *f = *state;
    struct answer a = { 0 };
    struct mr_err err;

    assert_int_equal(log_topic_create(f->log, MR_STR("small"), 1, &small, 1, answer_topic, &a, &err), MR_OK);
    wait_for(f, &a, 1);
    append_many(f, log_topic_partition(a.topic, 0), 10, 100); /* 170 bytes each */
    assert_int_equal(log_topic_partition(a.topic, 0)->segment_count, 2);
    append_many(f, log_topic_partition(a.topic, 0), 1, 5000); /* larger than a segment: has one of its own */
    assert_int_equal(log_topic_partition(a.topic, 0)->segment_count, 3);
}

static void test_grow(void **state)
{
    static const int32_t wrong[] = { 0, 1, 2, LOG_PARTITIONS_MAX + 1 };
    struct fixture *f = *state;
    struct log_topic *t = make_topic(f, "names", 2);
    struct log_partition *first = log_topic_partition(t, 0);
    struct answer a = { 0 };
    struct mr_err err;

    for (size_t i = 0; i < MR_COUNT(wrong); i++)
        assert_int_equal(log_topic_grow(f->log, t, wrong[i], answer_topic, &a, &err), MR_INVALID);
    assert_int_equal(log_topic_grow(f->log, t, 5, answer_topic, &a, &err), MR_OK);
    assert_int_equal(log_topic_partition_count(t), 2);
    assert_int_equal(log_topic_grow(f->log, t, 6, answer_topic, &a, &err), MR_BUSY);
    wait_for(f, &a, 1);
    assert_int_equal(a.status, MR_OK);
    assert_ptr_equal(a.topic, t);
    assert_int_equal(log_topic_partition_count(t), 5);
    assert_ptr_equal(log_topic_partition(t, 0), first); /* pointers stay */
    append_many(f, log_topic_partition(t, 4), 3, 10);
    fixture_abandon(f);
    fixture_open(f);
    assert_int_equal(log_topic_partition_count(log_topic_find(f->log, MR_STR("names"))), 5);
    assert_int_equal(log_end_offset(partition_of(f, "names", 4)), 3);
}

static void test_configure(void **state)
{
    static const struct log_config before[] = { { "cleanup.policy", "compact" }, { "retention.ms", "1" } };
    static const struct log_config after[] = { { "retention.ms", "2" }, { "segment.bytes", "1000" } };
    struct fixture *f = *state;
    struct answer a = { 0 };
    struct log_topic *t;
    struct mr_err err;

    assert_int_equal(log_topic_create(f->log, MR_STR("names"), 1, before, 2, answer_topic, &a, &err), MR_OK);
    wait_for(f, &a, 1);
    t = a.topic;
    assert_int_equal(log_topic_configure(f->log, t, after, 2, answer_topic, &a, &err), MR_OK);
    assert_string_equal(log_topic_config(t, "retention.ms"), "1");
    assert_int_equal(log_topic_configure(f->log, t, after, 1, answer_topic, &a, &err), MR_BUSY);
    wait_for(f, &a, 2);
    assert_int_equal(a.status, MR_OK);
    append_many(f, log_topic_partition(t, 0), 10, 100); /* 170 bytes each */
    assert_int_equal(log_topic_partition(t, 0)->segment_count, 2);
    for (int round = 0; round < 2; round++) {
        assert_null(log_topic_config(t, "cleanup.policy"));
        assert_string_equal(log_topic_config(t, "retention.ms"), "2");
        assert_string_equal(log_topic_config(t, "segment.bytes"), "1000");
        fixture_abandon(f);
        fixture_open(f);
        t = log_topic_find(f->log, MR_STR("names"));
    }
    assert_int_equal(log_topic_configure(f->log, t, NULL, 0, answer_topic, &a, &err), MR_OK);
    wait_for(f, &a, 3);
    assert_null(log_topic_config(t, "retention.ms"));
}

/* A deletion waits for a change that is under way; both are answered, in this order. */
static void test_delete_while_changing(void **state)
{
    struct fixture *f = *state;
    struct log_topic *t = make_topic(f, "names", 1);
    struct answer grown = { 0 }, deleted = { 0 };
    struct mr_err err;

    assert_int_equal(log_topic_grow(f->log, t, 3, answer_topic, &grown, &err), MR_OK);
    log_topic_delete(f->log, t, answer_topic, &deleted);
    assert_null(log_topic_find(f->log, MR_STR("names")));
    assert_int_equal(log_topic_configure(f->log, t, NULL, 0, answer_topic, &grown, &err), MR_BUSY);
    while (grown.count == 0)
        queue_run(&f->queue, true);
    assert_int_equal(deleted.count, 0);
    assert_true(log_partition_deleted(log_topic_partition(t, 2)));
    wait_for(f, &deleted, 1);
    assert_int_equal(deleted.status, MR_OK);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(log_topic_count(f->log), 0);
    t = make_topic(f, "names", 1);
    assert_int_equal(log_topic_grow(f->log, t, 3, answer_topic, &grown, &err), MR_OK);
    log_topic_delete(f->log, t, answer_topic, &deleted);
    fixture_abandon(f); /* neither is answered, all is freed */
    assert_int_equal(deleted.count, 1);
}

static void count_entry(void *arg, const char *name, bool is_dir)
{
    MR_UNUSED(name);
    *(int *)arg += is_dir;
}

static void test_strays(void **state)
{
    struct fixture *f = *state;
    char path[MR_PATH_BYTES];
    struct mr_err err;
    int count = 0;

    make_topic(f, "names", 1);
    fixture_close(f);
    snprintf(path, sizeof(path), "%s/topics/people~00000000-0", f->dir);
    assert_int_equal(mr_mkdir(mr_env_real(), path, &err), MR_OK);
    fixture_open(f);
    assert_int_equal(mr_list_dir(mr_env_real(), path, count_entry, &count, &err), MR_NOT_FOUND);
    snprintf(path, sizeof(path), "%s/lost+found", f->dir);
    assert_int_equal(mr_list_dir(mr_env_real(), path, count_entry, &count, &err), MR_OK);
    assert_int_equal(count, 1);
    assert_non_null(partition_of(f, "names", 0));
}

static void test_newer_format(void **state)
{
    struct fixture *f = *state;
    char path[MR_PATH_BYTES];
    struct mr_err err;
    sqlite3 *db;

    fixture_close(f);
    snprintf(path, sizeof(path), "%s/catalog.db", f->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 2", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(log_open(&f->log, f->dir, &f->options, &err), MR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "newer millrace"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = { TEST(test_create),        TEST(test_delete),
                                        TEST(test_strays),        TEST(test_newer_format),
                                        TEST(test_segment_bytes), TEST(test_grow),
                                        TEST(test_configure),     TEST(test_delete_while_changing) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_recovery.c -- what a start makes of damaged files. */
#include "fixture.h"

#include <sys/stat.h>
#include <unistd.h>

/* Path of FILE in the directory of names-0. */
static const char *path_of(struct fixture *f, char *out, const char *file)
{
    snprintf(out, MR_PATH_BYTES, "%s/%s", partition_of(f, "names", 0)->dir, file);
    return out;
}

static void flip(const char *path, int64_t at)
{
    struct mr_file *file;
    struct mr_err err;
    uint8_t byte;
    size_t got;

    assert_int_equal(mr_file_open(mr_env_real(), &file, path, MR_OPEN_WRITE, &err), MR_OK);
    assert_int_equal(mr_file_pread(file, &byte, 1, at, &got, &err), MR_OK);
    byte ^= 0x40;
    assert_int_equal(mr_file_pwrite(file, &byte, 1, at, &err), MR_OK);
    mr_file_close(file);
}

enum { BATCH_BYTES = 170 }; /* of a record with 100 bytes: 61 + 109 */

static void reopen(struct fixture *f)
{
    fixture_close(f);
    fixture_open(f);
}

static void test_torn_tail(void **state)
{
    static const struct {
        const char *name;
        int64_t truncate; /* to; -1: not */
        int64_t flip;     /* at; -1: not */
        int64_t end;
    } cases[] = {
        { "nothing", -1, -1, 20 },
        { "last byte gone", 20 * BATCH_BYTES - 1, -1, 19 },
        { "in a header", 18 * BATCH_BYTES + 30, -1, 18 },
        { "at a border", 15 * BATCH_BYTES, -1, 15 },
        { "value changed", -1, 17 * BATCH_BYTES + 100, 17 },
        { "length changed", -1, 16 * BATCH_BYTES + 10, 16 },
        { "offset changed", -1, 14 * BATCH_BYTES + 7, 14 },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        char topic[16], path[MR_PATH_BYTES];
        struct log_partition *p;
        struct mr_writer out = { 0 };
        struct mr_err err;

        print_message("%s\n", cases[i].name);
        snprintf(topic, sizeof(topic), "t%zu", i);
        p = log_topic_partition(make_topic(f, topic, 1), 0);
        append_many(f, p, 10, 100);
        reopen(f); /* a checkpoint at 10 */
        p = partition_of(f, topic, 0);
        append_many(f, p, 10, 100);
        snprintf(path, sizeof(path), "%s/%020d.log", p->dir, 0);
        fixture_abandon(f);
        if (cases[i].truncate >= 0)
            assert_int_equal(truncate(path, cases[i].truncate), 0);
        if (cases[i].flip >= 0)
            flip(path, cases[i].flip);
        fixture_open(f);
        p = partition_of(f, topic, 0);
        assert_int_equal(log_end_offset(p), cases[i].end);
        assert_int_equal(log_high_watermark(p), cases[i].end);
        append_many(f, p, 1, 100);
        assert_int_equal(log_read_copy(p, 0, 1 << 20, &out, &err), MR_OK);
        assert_int_equal(out.size, (cases[i].end + 1) * BATCH_BYTES);
        mr_writer_deinit(&out);
    }
}

static enum mr_status open_status(struct fixture *f, struct mr_err *err)
{
    struct log *log;
    enum mr_status status = log_open(&log, f->dir, &f->options, err);

    if (status == MR_OK)
        f->log = log;
    return status;
}

/* What a checkpoint says was synced, and what more follows than can be unsynced, is never cut. */
static void test_corrupt(void **state)
{
    struct fixture *f = *state;
    char path[MR_PATH_BYTES], checkpoint[MR_PATH_BYTES];
    struct mr_err err = MR_ERR_INIT;
    struct stat before, after;

    make_topic(f, "names", 1);
    append_many(f, partition_of(f, "names", 0), 20, 100);
    path_of(f, path, "00000000000000000000.log");
    path_of(f, checkpoint, "checkpoint");
    fixture_close(f);
    fixture_open(f);
    append_many(f, partition_of(f, "names", 0), 20, 100);
    fixture_abandon(f);

    assert_int_equal(truncate(path, 10 * BATCH_BYTES), 0);
    assert_int_equal(open_status(f, &err), MR_CORRUPT);
    assert_non_null(strstr(err.text, "names-0"));

    fixture_setup(state);
    mr_free(f);
    f = *state;
    make_topic(f, "names", 1);
    append_many(f, partition_of(f, "names", 0), 40, 100);
    path_of(f, path, "00000000000000000000.log");
    fixture_abandon(f);
    flip(path, 5 * BATCH_BYTES + 80);
    f->options.unsynced_bytes_max = 2000;
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(open_status(f, &err), MR_CORRUPT);
    assert_non_null(strstr(err.text, "names-0: damaged at offset 5"));
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_size, after.st_size);
}

/* Index and checkpoint are hints: absent or torn they cost time only. */
static void test_hints(void **state)
{
    static const char *const cases[] = { "00000000000000000000.index", "checkpoint" };
    struct fixture *f = *state;
    char path[MR_PATH_BYTES];

    make_topic(f, "names", 1);
    append_many(f, partition_of(f, "names", 0), 200, 100);
    for (size_t i = 0; i < 2 * MR_COUNT(cases); i++) {
        struct mr_writer out = { 0 };
        struct kafka_batch batch;
        struct log_partition *p;
        struct mr_err err;
        int64_t offset, time_ms;

        path_of(f, path, cases[i / 2]);
        append_many(f, partition_of(f, "names", 0), 1, 100);
        fixture_close(f);
        if (i % 2 == 0)
            assert_int_equal(unlink(path), 0);
        else
            flip(path, 20);
        fixture_open(f);
        p = partition_of(f, "names", 0);
        assert_int_equal(log_end_offset(p), 201 + i);
        assert_int_equal(log_read_copy(p, 77, 1, &out, &err), MR_OK);
        assert_int_equal(kafka_batch_parse(mr_writer_bytes(&out), &batch, &err), MR_OK);
        assert_int_equal(batch.base_offset, 77);
        assert_int_equal(log_offset_by_time(p, 1231, &offset, &time_ms, &err), MR_OK);
        assert_int_equal(offset, 124);
        mr_writer_deinit(&out);
    }
}

static void test_segments(void **state)
{
    struct fixture *f = *state;
    struct log_partition *p;
    char path[MR_PATH_BYTES];

    make_topic(f, "names", 1);
    fixture_close(f);
    f->options.segment_bytes_max = 2000; /* 11 batches */
    fixture_open(f);
    p = partition_of(f, "names", 0);
    append_many(f, p, 50, 100);
    assert_int_equal(p->segment_count, 5);
    snprintf(path, sizeof(path), "%s/00000000000000000033.log", p->dir);
    reopen(f);
    p = partition_of(f, "names", 0);
    assert_int_equal(p->segment_count, 5);
    assert_int_equal(log_end_offset(p), 50);
    append_many(f, p, 50, 100);
    assert_int_equal(log_partition_bytes(p), 100 * BATCH_BYTES);
    snprintf(path, sizeof(path), "%s/checkpoint", p->dir);
    fixture_abandon(f);
    assert_int_equal(unlink(path), 0);
    fixture_open(f);
    p = partition_of(f, "names", 0);
    assert_int_equal(log_end_offset(p), 100);
    assert_int_equal(p->segment_count, 10);
    /* A torn segment takes the later ones along. */
    snprintf(path, sizeof(path), "%s/checkpoint", p->dir);
    fixture_abandon(f);
    assert_int_equal(unlink(path), 0);
    *strrchr(path, '/') = '\0';
    strcat(path, "/00000000000000000077.log");
    flip(path, 3 * BATCH_BYTES + 90);
    fixture_open(f);
    p = partition_of(f, "names", 0);
    assert_int_equal(log_end_offset(p), 80);
    assert_int_equal(p->segment_count, 8);
    append_many(f, p, 30, 100);
    reopen(f);
    assert_int_equal(log_end_offset(partition_of(f, "names", 0)), 110);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = { TEST(test_torn_tail), TEST(test_corrupt), TEST(test_hints),
                                        TEST(test_segments) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_delete_records.c -- the log start raised: when it counts, what it removes, what it survives. */
#include "fixture.h"

#include <unistd.h>

static const struct log_config small_segments = { "segment.bytes", "1000" };

/* A topic with COUNT records in segments of 1000 bytes, five records each. */
static struct log_partition *filled(struct fixture *f, const char *name, int count)
{
    struct answer a = { 0 };
    struct mr_err err;

    assert_int_equal(log_topic_create(f->log, mr_str_of(name), 1, &small_segments, 1, answer_topic, &a, &err), MR_OK);
    wait_for(f, &a, 1);
    append_many(f, log_topic_partition(a.topic, 0), count, 100);
    return log_topic_partition(a.topic, 0);
}

static void delete_before(struct fixture *f, struct log_partition *p, int64_t offset)
{
    struct answer a = { 0 };
    struct mr_err err = MR_ERR_INIT;

    assert_int_equal(log_delete_before(p, offset, answer_synced, &a, &err), MR_OK);
    assert_int_equal(a.count, 0); /* never inside the call */
    wait_for(f, &a, 1);
    assert_int_equal(a.status, MR_OK);
}

static void count_segment(void *arg, const char *name, bool is_dir)
{
    size_t size = strlen(name);

    MR_UNUSED(is_dir);
    *(int *)arg += size > 4 && strcmp(name + size - 4, ".log") == 0;
}

static int segment_files(const char *dir)
{
    struct mr_err err;
    int count = 0;

    assert_int_equal(mr_list_dir(mr_env_real(), dir, count_segment, &count, &err), MR_OK);
    return count;
}

static void test_reading(void **state)
{
    struct fixture *f = *state;
    struct log_partition *p = filled(f, "names", 12);
    struct log_slice slice;
    int64_t offset, time_ms;
    size_t count;
    struct mr_err err;

    assert_int_equal(p->segment_count, 3);
    delete_before(f, p, 7);
    assert_int_equal(log_start_offset(p), 7);
    assert_int_equal(log_high_watermark(p), 12);
    assert_int_equal(log_read(p, 6, 1 << 20, &slice, 1, &count, &err), MR_LIMIT);
    assert_int_equal(log_read(p, 7, 1 << 20, &slice, 1, &count, &err), MR_OK);
    assert_int_equal(slice.base_offset, 7);
    log_slice_release(&slice);
    assert_int_equal(log_offset_by_time(p, 0, &offset, &time_ms, &err), MR_OK);
    assert_int_equal(offset, 7);
    delete_before(f, p, 3); /* below the start: nothing to do */
    assert_int_equal(log_start_offset(p), 7);
    delete_before(f, p, 12);
    assert_int_equal(log_read(p, 12, 1 << 20, &slice, 1, &count, &err), MR_OK);
    assert_int_equal(count, 0);
    append_many(f, p, 1, 100);
    assert_int_equal(log_read(p, 12, 1 << 20, &slice, 1, &count, &err), MR_OK);
    assert_int_equal(slice.base_offset, 12);
    log_slice_release(&slice);
}

static void test_refused(void **state)
{
    static const int64_t offsets[] = { -1, 13, INT64_MAX };
    struct fixture *f = *state;
    struct log_partition *p = filled(f, "names", 12);
    struct answer a = { 0 };
    struct mr_err err;

    for (size_t i = 0; i < MR_COUNT(offsets); i++)
        assert_int_equal(log_delete_before(p, offsets[i], answer_synced, &a, &err), MR_LIMIT);
    log_topic_delete(f->log, log_partition_topic(p), answer_topic, &a);
    assert_int_equal(log_delete_before(p, 5, answer_synced, &a, &err), MR_NOT_FOUND);
    wait_for(f, &a, 1);
    assert_int_equal(a.count, 1);
}

/* Whole segments below the start go, also from disk; a reader that has one keeps it. */
static void test_segments_go(void **state)
{
    struct fixture *f = *state;
    struct log_partition *p = filled(f, "names", 12);
    struct log_slice slice;
    uint8_t byte;
    size_t count, got;
    struct mr_err err;

    assert_int_equal(segment_files(p->dir), 3);
    assert_int_equal(log_read(p, 0, 1 << 20, &slice, 1, &count, &err), MR_OK);
    delete_before(f, p, 5); /* the first segment has 0 to 4 */
    assert_int_equal(p->segment_count, 2);
    make_topic(f, "later", 1); /* jobs are done in their order: the removal was before this one */
    assert_int_equal(segment_files(p->dir), 2);
    assert_int_equal(mr_file_pread(slice.file, &byte, 1, slice.position, &got, &err), MR_OK);
    assert_int_equal(got, 1);
    log_slice_release(&slice);
    delete_before(f, p, 12);
    make_topic(f, "later2", 1);
    assert_int_equal(segment_files(p->dir), 1); /* the one that is written to */
}

/* The start is on disk when it is told: a crash does not bring records back, nor does a later checkpoint. */
static void test_survives(void **state)
{
    struct fixture *f = *state;
    struct log_partition *p = filled(f, "names", 12);

    delete_before(f, p, 7);
    fixture_abandon(f);
    fixture_open(f);
    p = partition_of(f, "names", 0);
    assert_int_equal(log_start_offset(p), 7);
    assert_int_equal(log_high_watermark(p), 12);
    append_many(f, p, 8, 100); /* new segments, and their checkpoints */
    fixture_abandon(f);
    fixture_open(f);
    p = partition_of(f, "names", 0);
    assert_int_equal(log_start_offset(p), 7);
    delete_before(f, p, 20);
    fixture_close(f);
    fixture_open(f);
    p = partition_of(f, "names", 0);
    assert_int_equal(log_start_offset(p), 20);
    assert_int_equal(log_high_watermark(p), 20);
    append_many(f, p, 1, 100);
    assert_int_equal(log_high_watermark(p), 21);
}

/* Many ask at once: the first is alone, all others are one job; all are answered.  A deletion ends those that wait. */
static void test_many(void **state)
{
    struct fixture *f = *state;
    struct log_partition *p = filled(f, "names", 12);
    struct answer a = { 0 }, late = { 0 }, gone = { 0 };
    struct mr_err err;

    for (int64_t offset = 1; offset <= 10; offset++)
        assert_int_equal(log_delete_before(p, offset, answer_synced, &a, &err), MR_OK);
    assert_int_equal(a.count, 0);
    wait_for(f, &a, 1);
    assert_int_equal(a.count, 1);
    assert_int_equal(log_start_offset(p), 1);
    wait_for(f, &a, 10);
    assert_int_equal(a.status, MR_OK);
    assert_int_equal(log_start_offset(p), 10);
    assert_int_equal(log_delete_before(p, 11, answer_synced, &a, &err), MR_OK);
    assert_int_equal(log_delete_before(p, 12, answer_synced, &late, &err), MR_OK);
    log_topic_delete(f->log, log_partition_topic(p), answer_topic, &gone);
    wait_for(f, &gone, 1);
    assert_int_equal(a.count, 11);
    assert_int_equal(late.count, 1);
    assert_int_equal(late.status, MR_NOT_FOUND);
    p = filled(f, "names", 12);
    assert_int_equal(log_delete_before(p, 11, answer_synced, &a, &err), MR_OK);
    assert_int_equal(log_delete_before(p, 12, answer_synced, &late, &err), MR_OK);
    fixture_abandon(f); /* nobody is told, all is freed */
    assert_int_equal(late.count, 1);
}

/* Killed between the start's checkpoint and the removal: the next start removes the files. */
static void test_leftovers(void **state)
{
    struct fixture *f = *state;
    struct log_partition *p;
    char from[MR_PATH_BYTES], to[MR_PATH_BYTES];

    p = filled(f, "names", 12);
    snprintf(from, sizeof(from), "%s/%020d.log", p->dir, 0);
    snprintf(to, sizeof(to), "%s/kept", f->dir);
    assert_int_equal(link(from, to), 0);
    delete_before(f, p, 6);
    fixture_close(f);
    assert_int_equal(rename(to, from), 0);
    fixture_open(f);
    p = partition_of(f, "names", 0);
    assert_int_equal(log_start_offset(p), 6);
    assert_int_equal(p->segment_count, 2);
    assert_int_equal(segment_files(p->dir), 2);
    append_many(f, p, 1, 100);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = { TEST(test_reading),  TEST(test_refused), TEST(test_segments_go),
                                        TEST(test_survives), TEST(test_many),    TEST(test_leftovers) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

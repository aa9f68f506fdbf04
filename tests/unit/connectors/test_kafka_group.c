/* test_kafka_group.c -- what a group's members and offsets carry: the assignor, subscriptions, metadata. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "connectors/kafka_group_int.h"

static void test_metadata(void **state)
{
    static const struct {
        const char *text;
        int64_t last, clock_us;
        uint32_t checksum;
    } cases[] = {
        { "millrace 1 41 0badcafe 1700000000000001", 41, 1700000000000001, 0x0badcafe },
        { "millrace 1 -1 00000000 0", -1, 0, 0 },
        { "millrace 1 42 00000001 5", -1, 0, 0 },  /* not before its offset, 42 */
        { "millrace 1 41 00000001 5 ", -1, 0, 0 }, /* something follows */
        { "millrace 2 41 00000001 5", -1, 0, 0 },  /* of a later version */
        { "millrace 1 41 00000001 -5", -1, 0, 0 }, /* no clock */
        { "", -1, 0, 0 },                          /* another client's */
        { "moved by hand", -1, 0, 0 },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct kafka_group_offset o = { .next = 42, .last = 7, .last_checksum = 7, .clock_us = 7 };
        kafka_group_metadata_parse(mr_str_of(cases[i].text), &o);
        assert_int_equal(o.last, cases[i].last);
        assert_int_equal(o.clock_us, cases[i].clock_us);
        assert_int_equal(o.last_checksum, cases[i].checksum);
        if (i < 2) {
            char text[KAFKA_GROUP_METADATA_BYTES];
            kafka_group_metadata_format(text, &o);
            assert_string_equal(text, cases[i].text);
        }
    }
}

/* "a:0,1 b:2" for a member: topics with their partitions. */
static void assignment_text(char *out, struct mr_bytes bytes, struct mr_arena *arena)
{
    static const char *const topics[] = { "a", "b", "c" };

    out[0] = '\0';
    for (size_t t = 0; t < MR_COUNT(topics); t++) {
        int32_t *partitions = NULL, count = 0;
        assert_int_equal(kafka_group_assignment_read(bytes, mr_str_of(topics[t]), arena, &partitions, &count), MR_OK);
        for (int32_t i = 0; i < count; i++)
            sprintf(out + strlen(out), "%s%d ", topics[t], partitions[i]);
    }
}

static void test_range(void **state)
{
    static struct mr_str both[] = { { "a", 1 }, { "b", 1 } }, only_b[] = { { "b", 1 } }, none[] = { { "c", 1 } };
    struct kafka_group_member members[] = {
        { .id = { "m3", 2 }, .topics = both, .topic_count = 2 },
        { .id = { "m1", 2 }, .topics = both, .topic_count = 2 },
        { .id = { "m2", 2 }, .topics = only_b, .topic_count = 1 },
        { .id = { "m4", 2 }, .topics = none, .topic_count = 1 }, /* its topic is not there */
    };
    static const struct kafka_group_topic topics[] = { { { "a", 1 }, 3 }, { { "b", 1 }, 2 } };
    static const char *const expect[] = { "a0 a1 b0 ", "b1 ", "a2 ", "" };
    struct mr_arena *arena = mr_arena_new();
    char text[256];

    MR_UNUSED(state);
    kafka_group_divide(members, MR_COUNT(members), topics, MR_COUNT(topics));
    for (size_t i = 0; i < MR_COUNT(members); i++) {
        assignment_text(text, mr_writer_bytes(&members[i].assignment), arena);
        assert_string_equal(text, expect[i]);
        mr_writer_deinit(&members[i].assignment);
    }
    mr_arena_free(arena);
}

static void test_wire(void **state)
{
    struct mr_arena *arena = mr_arena_new();
    struct kafka_group_member member = { 0 };
    struct mr_writer w = { 0 };
    int32_t *partitions, count;

    MR_UNUSED(state);
    kafka_group_subscription_write(&w, MR_STR("orders"));
    assert_int_equal(kafka_group_subscription_read(&member, mr_writer_bytes(&w), arena), MR_OK);
    assert_int_equal(member.topic_count, 1);
    assert_true(mr_str_equal(member.topics[0], MR_STR("orders")));
    for (size_t cut = 0; cut < w.size - 4; cut++) { /* the user data may be missing */
        struct mr_bytes part = { w.data, cut };
        assert_int_equal(kafka_group_subscription_read(&member, part, arena), MR_INVALID);
        if (cut > 0)
            assert_int_equal(kafka_group_assignment_read(part, MR_STR("orders"), arena, &partitions, &count),
                             MR_INVALID);
    }
    assert_int_equal(kafka_group_assignment_read(MR_BYTES_NULL, MR_STR("orders"), arena, &partitions, &count), MR_OK);
    assert_int_equal(count, 0);
    mr_writer_deinit(&w);
    mr_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_range),
        cmocka_unit_test(test_wire),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

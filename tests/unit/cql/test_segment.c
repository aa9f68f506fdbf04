/* Segments of version 5: the driver's own bytes, both ways; every damaged byte is found; long envelopes are cut up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cql/cql.h"

#include <string.h>

/* Written by the DataStax Python driver 3.30.1. */
static const struct {
    const char *name;
    bool lz4;
    struct mr_str payload;
    struct mr_str segment;
} vectors[] = {
    { "plain",
      false,
      { "hello", 5 },
      { "\x05\x00\x02\x19\x99\x9a"
        "hello"
        "\x74\x80\x0e\xb6",
        15 } },
    { "lz4, not worth it",
      true,
      { "hello", 5 },
      { "\x05\x00\x00\x00\x04\xe4\xab\x8e"
        "hello"
        "\x74\x80\x0e\xb6",
        17 } },
};

/* The plain payload of the segment in BYTES. */
static enum mr_status segment_read(struct mr_bytes bytes, bool lz4, struct cql_segment *segment, struct mr_writer *out)
{
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = cql_segment_header_read(segment, bytes, lz4, &err);
    size_t whole;

    if (status != MR_OK)
        return status;
    whole = (size_t)segment->header_bytes + segment->payload_bytes + CQL_SEGMENT_TRAILER_BYTES;
    if (bytes.size < whole)
        return MR_NEED_MORE;
    return cql_segment_payload_read(
        segment, (struct mr_bytes){ bytes.data + segment->header_bytes, whole - segment->header_bytes }, out, &err);
}

static void test_vectors(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(vectors); i++) {
        struct mr_bytes bytes = mr_bytes_of_str(vectors[i].segment);
        struct mr_writer w = { 0 };
        struct cql_segment segment;

        cql_segments_write(&w, mr_bytes_of_str(vectors[i].payload), vectors[i].lz4);
        if (mr_bytes_compare(mr_writer_bytes(&w), bytes) != 0)
            fail_msg("%s: other bytes are written", vectors[i].name);
        w.size = 0;
        assert_int_equal(segment_read(bytes, vectors[i].lz4, &segment, &w), MR_OK);
        assert_true(segment.is_self_contained);
        assert_int_equal(mr_bytes_compare(mr_writer_bytes(&w), mr_bytes_of_str(vectors[i].payload)), 0);
        mr_writer_deinit(&w);
    }
}

/* The driver's lz4 block of 300 times 'a': another encoder may choose other bytes, all must read them. */
static void test_compressed_by_the_driver(void **state)
{
    static const char bytes[] = "\x0c\x00\x58\x02\x04\x74\x9a\x73\x1f\x61\x01\x00\xff\x14\x50\x61\x61\x61\x61\x61"
                                "\x4f\x16\x86\xfa";
    struct mr_writer w = { 0 };
    struct cql_segment segment;

    MR_UNUSED(state);
    assert_int_equal(segment_read((struct mr_bytes){ (const uint8_t *)bytes, sizeof(bytes) - 1 }, true, &segment, &w),
                     MR_OK);
    assert_int_equal(segment.plain_bytes, 300);
    assert_int_equal(w.size, 300);
    for (size_t i = 0; i < w.size; i++)
        assert_int_equal(w.data[i], 'a');
    mr_writer_deinit(&w);
}

/* Any changed bit of the header or of the rest is noticed, and no beginning of a segment is one. */
static void test_damage(void **state)
{
    uint8_t text[200];

    MR_UNUSED(state);
    memset(text, 'x', sizeof(text));
    for (int lz4 = 0; lz4 < 2; lz4++) {
        struct mr_writer w = { 0 }, out = { 0 };
        struct cql_segment segment;

        cql_segments_write(&w, (struct mr_bytes){ text, sizeof(text) }, lz4);
        for (size_t bit = 0; bit < w.size * 8; bit++) {
            w.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            if (segment_read(mr_writer_bytes(&w), lz4, &segment, &out) != MR_CORRUPT)
                fail_msg("lz4 %d: bit %zu may be wrong", lz4, bit);
            w.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t cut = 0; cut < w.size; cut++)
            assert_int_equal(segment_read((struct mr_bytes){ w.data, cut }, lz4, &segment, &out), MR_NEED_MORE);
        assert_int_equal(out.size, 0);
        assert_int_equal(segment_read(mr_writer_bytes(&w), lz4, &segment, &out), MR_OK);
        mr_writer_deinit(&w);
        mr_writer_deinit(&out);
    }
}

/* SIZE bytes that do not compress. */
static void fill(struct mr_writer *w, size_t size)
{
    uint32_t x = 1;

    w->size = 0;
    while (w->size < size) {
        x = x * 1664525 + 1013904223;
        mr_write_u8(w, (uint8_t)(x >> 24));
    }
}

static void test_long_envelopes(void **state)
{
    static const struct {
        size_t size;
        int segments;
    } cases[] = {
        { 1, 1 },
        { CQL_SEGMENT_PAYLOAD_MAX, 1 },
        { CQL_SEGMENT_PAYLOAD_MAX + 1, 2 },
        { 3 * CQL_SEGMENT_PAYLOAD_MAX, 3 },
    };
    struct mr_writer plain = { 0 };

    MR_UNUSED(state);
    for (size_t i = 0; i < 2 * MR_COUNT(cases); i++) {
        bool lz4 = i % 2;
        struct mr_writer w = { 0 }, out = { 0 };
        struct mr_bytes rest;
        int count = 0;

        fill(&plain, cases[i / 2].size);
        cql_segments_write(&w, mr_writer_bytes(&plain), lz4);
        for (rest = mr_writer_bytes(&w); rest.size > 0; count++) {
            struct cql_segment segment;
            size_t size;

            assert_int_equal(segment_read(rest, lz4, &segment, &out), MR_OK);
            assert_int_equal(segment.is_self_contained, cases[i / 2].segments == 1);
            size = (size_t)segment.header_bytes + segment.payload_bytes + CQL_SEGMENT_TRAILER_BYTES;
            assert_true(size <= CQL_SEGMENT_BYTES_MAX);
            rest.data += size;
            rest.size -= size;
        }
        assert_int_equal(count, cases[i / 2].segments);
        assert_int_equal(mr_bytes_compare(mr_writer_bytes(&out), mr_writer_bytes(&plain)), 0);
        mr_writer_deinit(&w);
        mr_writer_deinit(&out);
    }
    mr_writer_deinit(&plain);
}

/* The sums hold, but lz4's bytes make more or fewer than the header says. */
static void test_lies_about_the_size(void **state)
{
    struct mr_writer w = { 0 }, out = { 0 };
    struct mr_err err = MR_ERR_INIT;
    struct cql_segment segment;
    uint8_t text[300];
    static const int wrong[] = { -1, 1, 131071 - 300 };

    MR_UNUSED(state);
    memset(text, 'x', sizeof(text));
    cql_segments_write(&w, (struct mr_bytes){ text, sizeof(text) }, true);
    assert_int_equal(cql_segment_header_read(&segment, mr_writer_bytes(&w), true, &err), MR_OK);
    for (size_t i = 0; i < MR_COUNT(wrong); i++) {
        struct cql_segment lie = segment;

        lie.plain_bytes = (uint32_t)((int)segment.plain_bytes + wrong[i]);
        assert_int_equal(
            cql_segment_payload_read(
                &lie, (struct mr_bytes){ w.data + segment.header_bytes, w.size - segment.header_bytes }, &out, &err),
            MR_INVALID);
        assert_int_equal(out.size, 0);
    }
    mr_writer_deinit(&w);
    mr_writer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_compressed_by_the_driver),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_long_envelopes),
        cmocka_unit_test(test_lies_about_the_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

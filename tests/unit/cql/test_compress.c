/* Compressed bodies: both ways, damaged ones, and those that claim more than they hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cql/cql.h"

#include <string.h>

enum { BIG = 1024 * 1024 };

static const enum cql_compression all[] = { CQL_LZ4, CQL_SNAPPY };

static void test_round_trip(void **state)
{
    static const size_t sizes[] = { 0, 1, 20, 65536, 300000 };
    struct mr_writer plain = { 0 };

    MR_UNUSED(state);
    for (size_t i = 0; i < 2 * MR_COUNT(sizes); i++) {
        struct mr_writer packed = { 0 }, out = { 0 };
        struct mr_err err = MR_ERR_INIT;
        size_t size = sizes[i / 2];

        plain.size = 0;
        while (plain.size < size)
            mr_write_u8(&plain, (uint8_t)(plain.size * plain.size >> 5));
        cql_body_compress(&packed, all[i % 2], mr_writer_bytes(&plain));
        if (cql_body_decompress(&out, all[i % 2], mr_writer_bytes(&packed), BIG, &err) != MR_OK)
            fail_msg("%zu bytes: %s", size, err.text);
        assert_int_equal(mr_bytes_compare(mr_writer_bytes(&out), mr_writer_bytes(&plain)), 0);
        out.size = 0;
        if (size > 0) {
            assert_int_equal(cql_body_decompress(&out, all[i % 2], mr_writer_bytes(&packed), size - 1, &err), MR_LIMIT);
            for (size_t cut = 0; cut < packed.size && cut < 100; cut++)
                assert_int_equal(
                    cql_body_decompress(&out, all[i % 2], (struct mr_bytes){ packed.data, cut }, BIG, &err),
                    MR_INVALID);
        }
        mr_writer_deinit(&packed);
        mr_writer_deinit(&out);
    }
    mr_writer_deinit(&plain);
}

static void test_refused(void **state)
{
    static const struct {
        const char *name;
        enum cql_compression compression;
        struct mr_str body;
        enum mr_status expect;
    } cases[] = {
        { "lz4, empty", CQL_LZ4, { "", 0 }, MR_INVALID },
        { "lz4, negative", CQL_LZ4, { "\xff\xff\xff\xff\0", 5 }, MR_INVALID },
        { "lz4, over the limit", CQL_LZ4, { "\0\x20\0\0\x1f", 5 }, MR_LIMIT },
        { "lz4, a bomb", CQL_LZ4, { "\0\x0f\0\0\x1f", 5 }, MR_INVALID },
        { "lz4, shorter than it says",
          CQL_LZ4,
          { "\0\0\0\4\x10"
            "a",
            6 },
          MR_INVALID },
        { "snappy, empty", CQL_SNAPPY, { "", 0 }, MR_INVALID },
        { "snappy, over the limit", CQL_SNAPPY, { "\xff\xff\xff\xff\x0f", 5 }, MR_LIMIT },
        { "snappy, a bomb", CQL_SNAPPY, { "\x80\x80\x3c\0", 4 }, MR_INVALID },
        { "snappy, shorter than it says", CQL_SNAPPY, { "\4\0a", 3 }, MR_INVALID },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct mr_writer out = { 0 };
        struct mr_err err = MR_ERR_INIT;
        enum mr_status got = cql_body_decompress(&out, cases[i].compression, mr_bytes_of_str(cases[i].body), BIG, &err);

        if (got != cases[i].expect)
            fail_msg("%s: %s %s", cases[i].name, mr_status_text(got), err.text);
        assert_int_equal(out.size, 0);
        assert_true(out.capacity < 65536); /* no room was made for a lie */
        mr_writer_deinit(&out);
    }
}

static void test_names(void **state)
{
    enum cql_compression c = CQL_PLAIN;

    MR_UNUSED(state);
    assert_true(cql_compression_named(MR_STR("LZ4"), &c) && c == CQL_LZ4);
    assert_true(cql_compression_named(MR_STR("snappy"), &c) && c == CQL_SNAPPY);
    assert_false(cql_compression_named(MR_STR("zstd"), &c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

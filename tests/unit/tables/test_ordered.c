/* The order-keeping form: bytes compare as values do, both ways, alone and before other components; all comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tables/literal_int.h"

#include <string.h>

/* Of each type, from the smallest to the greatest. */
static const struct {
    uint16_t type;
    const char *hex[6];
} cases[] = {
    { CQL_INT, { "", "80000000", "ffffffff", "00000000", "00000001", "7fffffff" } },
    { CQL_BIGINT, { "", "8000000000000000", "ffffffffffffffff", "0000000000000000", "7fffffffffffffff" } },
    { CQL_TIMESTAMP, { "8000000000000000", "ffffffffffffffff", "0000000000000000", "7fffffffffffffff" } },
    { CQL_FLOAT, { "ff800000", "bf800000", "80000000", "00000000", "3f800000", "7f800000" } },
    { CQL_DOUBLE, { "fff0000000000000", "bff0000000000000", "0000000000000000", "3ff0000000000000" } },
    { CQL_BOOLEAN, { "", "00", "01" } },
    { CQL_TINYINT, { "80", "ff", "00", "01", "7f" } },
    { CQL_SMALLINT, { "8000", "ffff", "0000", "0001", "7fff" } },
    { CQL_DATE, { "00000000", "7fffffff", "80000000", "ffffffff" } },
    { CQL_TIME, { "0000000000000000", "0000000000000001", "00004e94914effff" } },
    { CQL_VARINT, { "ff00000000", "ff7f", "80", "00", "7f", "010000" } },
    /* -15, -1.5, 0, 0.015, 1.5, 150 */
    { CQL_DECIMAL, { "fffffffff1", "00000001f1", "0000000000", "000000030f", "000000010f", "ffffffff0f" } },
    { CQL_TIMEUUID,
      { "ffffffff111111118000000000000000", "ffffffff11111111ff00000000000000", "ffffffff111111110000000000000000",
        "00000000111111127f00000000000000" } },
    { CQL_INET, { "", "00000001", "7f000001", "7f000001000000000000000000000000" } },
    { CQL_BLOB, { "", "00", "00ff", "01" } },
    { CQL_VARCHAR, { "", "00", "0000", "0001", "61", "6162" } },
    { CQL_UUID,
      { "ffffffff111111110000000000000000", "00000000111111120000000000000000", "00000000000040000000000000000000",
        "ff000000000040000000000000000000" } },
};

static struct cql_value unhex(struct mr_arena *arena, const char *hex)
{
    size_t size = strlen(hex) / 2;
    uint8_t *out = mr_arena_alloc(arena, size + 1);

    for (size_t i = 0; i < size; i++) {
        const char *digits = "0123456789abcdef";
        out[i] = (uint8_t)((strchr(digits, hex[2 * i]) - digits) << 4 | (strchr(digits, hex[2 * i + 1]) - digits));
    }
    return CQL_VALUE_OF(out, size);
}

static struct mr_writer encode(const struct cql_type *type, bool descending, struct cql_value v, uint8_t next)
{
    struct mr_writer w = { 0 };

    ordered_encode(&w, type, descending, v);
    mr_write_u8(&w, next);
    return w;
}

static void check_pair(struct mr_arena *arena, uint16_t code, const char *low, const char *high, bool descending)
{
    const struct cql_type *type = cql_type_native(code);
    /* What follows is against the order, so that it must not decide. */
    struct mr_writer a = encode(type, descending, unhex(arena, low), descending ? 0 : 255);
    struct mr_writer b = encode(type, descending, unhex(arena, high), descending ? 255 : 0);
    int order = mr_bytes_compare(mr_writer_bytes(&a), mr_writer_bytes(&b));

    if (descending ? order <= 0 : order >= 0)
        fail_msg("type %d: %s is not below %s%s", code, low, high, descending ? ", descending" : "");
    mr_writer_deinit(&a);
    mr_writer_deinit(&b);
}

static void check_back(struct mr_arena *arena, uint16_t code, const char *hex, bool descending)
{
    const struct cql_type *type = cql_type_native(code);
    struct cql_value v = unhex(arena, hex), back;
    struct mr_writer w = { 0 };
    struct mr_reader r;

    ordered_encode(&w, type, descending, v);
    r = mr_reader_of(mr_writer_bytes(&w));
    assert_int_equal(ordered_decode(&r, type, descending, arena, &back), MR_OK);
    assert_int_equal(mr_reader_left(&r), 0);
    assert_int_equal(back.size, v.size);
    assert_memory_equal(back.data, v.data, (size_t)v.size);
    for (size_t cut = 0; cut < w.size; cut++) {
        r = mr_reader_of((struct mr_bytes){ w.data, cut });
        assert_int_equal(ordered_decode(&r, type, descending, arena, &back), MR_CORRUPT);
    }
    mr_writer_deinit(&w);
}

static void test_order(void **state)
{
    struct mr_arena *arena = mr_arena_new();

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        for (size_t j = 0; j < 6 && cases[i].hex[j] != NULL; j++) {
            check_back(arena, cases[i].type, cases[i].hex[j], false);
            check_back(arena, cases[i].type, cases[i].hex[j], true);
            for (size_t k = 0; k < j; k++) {
                check_pair(arena, cases[i].type, cases[i].hex[k], cases[i].hex[j], false);
                check_pair(arena, cases[i].type, cases[i].hex[k], cases[i].hex[j], true);
            }
        }
    }
    mr_arena_free(arena);
}

/* Collections compare element by element, a shorter one first. */
static void test_collections(void **state)
{
    static const char *const lists[] = { "00000000", "0000000100000004ffffffff", "000000010000000400000001",
                                         "00000002000000040000000100000004ffffffff", "000000010000000400000002" };
    const struct cql_type *items[] = { cql_type_native(CQL_INT) };
    struct cql_type list = { .code = CQL_LIST, .item_count = 1, .items = items, .is_frozen = true };
    struct mr_arena *arena = mr_arena_new();

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(lists); i++) {
        for (size_t j = 0; j < MR_COUNT(lists); j++) {
            struct cql_value a = unhex(arena, lists[i]), b = unhex(arena, lists[j]);
            int order = ordered_compare(&list, a, b);

            assert_true(i < j ? order < 0 : i > j ? order > 0 : order == 0);
        }
        for (int descending = 0; descending < 2; descending++) {
            struct cql_value v = unhex(arena, lists[i]), back;
            struct mr_writer w = encode(&list, descending != 0, v, 9);
            struct mr_reader r = mr_reader_of(mr_writer_bytes(&w));

            assert_int_equal(ordered_decode(&r, &list, descending != 0, arena, &back), MR_OK);
            assert_int_equal(mr_reader_left(&r), 1);
            assert_int_equal(back.size, v.size);
            assert_memory_equal(back.data, v.data, (size_t)v.size);
            mr_writer_deinit(&w);
        }
    }
    mr_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_order), cmocka_unit_test(test_collections) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Tokens: recorded from Cassandra's driver (its own Murmur3), and composite keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cql/cql.h"

#include <string.h>

static const struct {
    const char *key;
    int64_t token;
} cases[] = {
    { "", INT64_C(0) },
    { "a", INT64_C(-8839064797231613815) },
    { "123", INT64_C(-7468325962851647638) },
    { "Ms. Ada Lovelace", INT64_C(5125382119926737231) },
    { "0123456789abcdef", INT64_C(5467490433528156583) },
    { "0123456789abcdef0", INT64_C(-1502884478548852619) },
    { "\303\251", INT64_C(5461403030378599040) },
    { "\346\227\245\346\234\254\350\252\236\343\201\256\343\201\250\343\201\246\343\202\202\351\225\267\343\201\204\351"
      "\215\265\343\201\247\343\201\231",
      INT64_C(6683967253922555408) },
    { "\303\277\303\277\303\277\303\277\303\277\303\277\303\277\303\277\303\277\303\277\303\277\303\277\303\277\303\277"
      "\303\277",
      INT64_C(8352663557772347163) },
    { "Mr. S\303\270ren Kierkeg\303\245rd", INT64_C(-9151126701698232696) },
    { "\303\251123456789012345\303\251", INT64_C(2040661848131978370) },
};

static void test_tokens(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        int64_t got = cql_token(mr_bytes_of_str(mr_str_of(cases[i].key)));
        if (got != cases[i].token)
            fail_msg("case %zu: got %" PRId64, i, got);
    }
}

static void test_partition_key(void **state)
{
    struct cql_value parts[] = { CQL_VALUE_OF((const uint8_t *)"ab", 2), CQL_VALUE_OF((const uint8_t *)"", 0) };
    static uint8_t big[UINT16_MAX + 1];
    struct cql_value too_big = CQL_VALUE_OF(big, sizeof(big));
    struct mr_writer w = { 0 };

    MR_UNUSED(state);
    assert_int_equal(cql_partition_key_write(&w, parts, 1), MR_OK);
    assert_int_equal(w.size, 2);
    w.size = 0;
    assert_int_equal(cql_partition_key_write(&w, parts, 2), MR_OK);
    assert_int_equal(w.size, 8);
    assert_memory_equal(w.data, "\0\2ab\0\0\0\0", 8);
    assert_int_equal(cql_partition_key_write(&w, &too_big, 1), MR_LIMIT);
    mr_writer_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_partition_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

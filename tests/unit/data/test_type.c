/* test_type.c -- spelling and comparing types. */
#include "data_test.h"

static void test_spelling(void **state)
{
    struct mr_arena *arena = mr_arena_new();
    struct data_field fields[] = { { MR_STR("a"), data_type_scalar(DATA_INT, false) },
                                   { MR_STR("b`c"),
                                     data_type_array(arena, data_type_scalar(DATA_STRING, true), true) } };
    const struct data_type *row = data_type_row(arena, fields, 2, true);

    MR_UNUSED(state);
    assert_string_equal(data_type_text(arena, row), "ROW<`a` INT NOT NULL, `b``c` ARRAY<STRING>>");
    assert_string_equal(data_type_text(arena, data_type_with_nullable(arena, row, false)),
                        "ROW<`a` INT NOT NULL, `b``c` ARRAY<STRING>> NOT NULL");
    assert_string_equal(data_type_text(arena, data_type_scalar(DATA_BIGINT, true)), "BIGINT");
    assert_true(data_type_equal(row, data_type_copy(arena, row)));
    assert_false(data_type_equal(row, data_type_with_nullable(arena, row, false)));
    assert_true(data_type_same(row, data_type_with_nullable(arena, row, false)));
    assert_int_equal(data_type_field(row, MR_STR("b`c")), 1);
    assert_int_equal(data_type_field(row, MR_STR("A")), -1);
    mr_arena_free(arena);
}

static void test_kinds(void **state)
{
    enum data_kind kind = DATA_NULL;

    MR_UNUSED(state);
    for (unsigned i = 0; i < DATA_KIND_N; i++) {
        assert_true(data_kind_parse(mr_str_of(data_kind_name((enum data_kind)i)), &kind));
        assert_int_equal(kind, i);
        if (i < DATA_ROW)
            assert_int_equal(data_type_scalar((enum data_kind)i, true)->kind, i);
    }
    assert_true(data_kind_parse(MR_STR("integer"), &kind));
    assert_int_equal(kind, DATA_INT);
    assert_false(data_kind_parse(MR_STR("TEXT"), &kind));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_spelling), cmocka_unit_test(test_kinds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

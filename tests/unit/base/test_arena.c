/* test_arena.c -- memory is aligned, separate, and given back. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

static void test_allocations_do_not_overlap(void **state)
{
    struct mr_arena *a = mr_arena_new();
    uint8_t *parts[200];
    MR_UNUSED(state);

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < MR_COUNT(parts); i++) {
            parts[i] = mr_arena_alloc(a, i * 37);
            assert_int_equal((uintptr_t)parts[i] % 16, 0);
            memset(parts[i], (int)i, i * 37);
        }
        for (size_t i = 1; i < MR_COUNT(parts); i++) {
            assert_int_equal(parts[i][0], (uint8_t)i);
            assert_int_equal(parts[i][i * 37 - 1], (uint8_t)i);
        }
        mr_arena_reset(a);
    }
    mr_arena_free(a);
}

static void test_huge_blocks_do_not_stay(void **state)
{
    struct mr_arena *a = mr_arena_new();
    MR_UNUSED(state);

    mr_arena_alloc(a, 64 << 20);
    assert_true(mr_arena_size(a) >= 64 << 20);
    mr_arena_reset(a);
    assert_true(mr_arena_size(a) < 2 << 20);
    assert_string_equal(mr_arena_printf(a, "%s-%d", "names", 3), "names-3");
    mr_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations_do_not_overlap),
        cmocka_unit_test(test_huge_blocks_do_not_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_map.c -- the table against a plain array of the same operations. */
#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

enum { KEYS = 500, STEPS = 50000 };

static void test_against_model(void **state)
{
    struct mr_map *map = mr_map_new();
    int values[KEYS] = { 0 };
    size_t count = 0;
    size_t cursor = 0;
    size_t seen = 0;
    void *value;
    MR_UNUSED(state);

    srand(1);
    for (int step = 0; step < STEPS; step++) {
        int i = rand() % KEYS;
        char key[16];
        struct mr_bytes k = { (const uint8_t *)key, (size_t)snprintf(key, sizeof(key), "key%d", i) };

        assert_ptr_equal(mr_map_get(map, k), values[i] ? &values[i] : NULL);
        if (rand() % 2) {
            assert_ptr_equal(mr_map_put(map, k, &values[i]), values[i] ? &values[i] : NULL);
            count += !values[i];
            values[i] = 1;
        } else {
            assert_ptr_equal(mr_map_remove(map, k), values[i] ? &values[i] : NULL);
            count -= (size_t)values[i];
            values[i] = 0;
        }
        assert_int_equal(mr_map_count(map), count);
    }
    while (mr_map_next(map, &cursor, NULL, &value))
        seen++;
    assert_int_equal(seen, count);
    mr_map_free(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_against_model) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

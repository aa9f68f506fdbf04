/* test_column.c -- the layout of columns, cutting, copying, and the way out through Arrow's C data interface. */
#include "data_test.h"

static void test_layout(void **state)
{
    struct mr_arena *arena = mr_arena_new();
    enum data_kind kinds[] = { DATA_BOOLEAN, DATA_INT, DATA_STRING, DATA_KIND_N };
    struct data_batch *b = data_batch_new(row_of(arena, kinds));
    struct ArrowSchema schema;
    struct ArrowArray array;

    MR_UNUSED(state);
    for (uint32_t i = 0; i < 100; i++) {
        char text[16];
        data_append_bool(b->columns[0], i % 3 == 0);
        if (i == 9)
            data_append_null(b->columns[1]);
        else
            data_append_i32(b->columns[1], (int32_t)i);
        snprintf(text, sizeof(text), "%u", i);
        data_append_str(b->columns[2], mr_str_of(i == 10 ? "" : text));
        b->row_count++;
    }
    data_batch_export(b, &schema, &array);
    assert_string_equal(schema.format, "+s");
    assert_string_equal(schema.children[0]->format, "b");
    assert_string_equal(schema.children[2]->format, "u");
    assert_string_equal(schema.children[2]->name, "c");
    assert_int_equal(array.length, 100);
    assert_int_equal(array.n_children, 3);
    assert_int_equal(array.n_buffers, 1);
    assert_null(array.children[0]->buffers[0]);
    assert_int_equal(array.children[0]->n_buffers, 2);
    assert_int_equal(((const uint8_t *)array.children[0]->buffers[1])[0], 0x49);
    assert_int_equal(array.children[1]->null_count, 1);
    assert_int_equal(((const uint8_t *)array.children[1]->buffers[0])[0], 0xff);
    assert_int_equal(((const uint8_t *)array.children[1]->buffers[0])[1], 0xfd);
    assert_int_equal(((const int32_t *)array.children[1]->buffers[1])[99], 99);
    assert_int_equal(array.children[2]->n_buffers, 3);
    assert_int_equal(((const int32_t *)array.children[2]->buffers[1])[10], 10);
    assert_int_equal(((const int32_t *)array.children[2]->buffers[1])[11], 10);
    assert_memory_equal(array.children[2]->buffers[2], "0123456789", 10);
    /* What is held outside is left alone by a reset, and outlives the batch. */
    data_batch_reset(b);
    assert_int_equal(b->columns[1]->length, 0);
    data_append_i32(b->columns[1], 7);
    data_batch_unref(b);
    assert_int_equal(((const int32_t *)array.children[1]->buffers[1])[99], 99);
    array.release(&array);
    assert_null(array.release);
    schema.release(&schema);
    mr_arena_free(arena);
}

/* Cutting back at every length leaves what was there before, and values after it can be appended again. */
static void test_truncate(void **state)
{
    struct mr_arena *arena = mr_arena_new();
    struct data_field fields[] = { { MR_STR("x"), data_type_scalar(DATA_STRING, true) },
                                   { MR_STR("y"), data_type_array(arena, data_type_scalar(DATA_INT, true), true) } };
    const struct data_type *type = data_type_row(arena, fields, 2, true);
    struct mr_writer whole = { 0 }, again = { 0 };

    MR_UNUSED(state);
    for (uint32_t cut = 0; cut <= 40; cut++) {
        struct data_column *c = data_column_new(type);
        for (int pass = 0; pass < 2; pass++) {
            for (uint32_t i = c->length; i < 40; i++) {
                if (i % 7 == 3) {
                    data_append_null(c);
                    continue;
                }
                data_append_str(c->children[0], i % 2 ? MR_STR("odd") : MR_STR(""));
                for (uint32_t n = 0; n < i % 4; n++)
                    n == 1 ? data_append_null(c->children[1]->children[0])
                           : data_append_i32(c->children[1]->children[0], (int32_t)i);
                data_append_array(c->children[1]);
                data_append_row(c);
            }
            whole.size = 0;
            for (uint32_t i = 0; i < c->length; i++)
                data_json_encode_value(&whole, c, i);
            if (pass == 0) {
                mr_write_bytes(&again, mr_writer_bytes(&whole));
                /* a row given up halfway: text and elements, but no row */
                data_append_str(c->children[0], MR_STR("lost"));
                data_append_i32(c->children[1]->children[0], 1);
                data_column_truncate(c, cut);
                assert_int_equal(c->children[1]->children[0]->length, c->children[1]->offsets[cut]);
            }
        }
        assert_string_equal(writer_text(&whole), writer_text(&again));
        again.size = 0;
        data_column_unref(c);
    }
    mr_writer_deinit(&whole);
    mr_writer_deinit(&again);
    mr_arena_free(arena);
}

static void test_take(void **state)
{
    struct mr_arena *arena = mr_arena_new();
    struct data_column *c = data_column_new(data_type_scalar(DATA_STRING, true)), *t;
    uint32_t rows[] = { 3, 1, 1, 0 };
    struct mr_writer w = { 0 };

    MR_UNUSED(state);
    data_append_str(c, MR_STR("zero"));
    data_append_null(c);
    data_append_str(c, MR_STR("two"));
    data_append_str(c, MR_STR("three"));
    t = data_column_take(c, rows, 4);
    for (uint32_t i = 0; i < 4; i++)
        data_json_encode_value(&w, t, i);
    assert_string_equal(writer_text(&w), "\"three\"nullnull\"zero\"");
    assert_int_equal(t->null_count, 2);
    mr_writer_deinit(&w);
    data_column_unref(t);
    data_column_unref(c);
    mr_arena_free(arena);
}

static void test_overflow(void **state)
{
    struct data_column *c = data_column_new(data_type_scalar(DATA_STRING, true));

    MR_UNUSED(state);
    data_append_str(c, MR_STR("x"));
    assert_null(data_append_str_begin(c, (size_t)INT32_MAX));
    assert_true(c->overflowed);
    assert_int_equal(c->length, 2);
    assert_true(data_is_null(c, 1));
    data_column_reset(c);
    assert_false(c->overflowed);
    data_column_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_layout), cmocka_unit_test(test_truncate),
                                        cmocka_unit_test(test_take), cmocka_unit_test(test_overflow) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

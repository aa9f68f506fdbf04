/* test_json_encode.c -- random rows to JSON and back. */
#include "data_test.h"

static uint32_t seed = 42;

static uint32_t chance(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static const struct data_type *random_type(struct mr_arena *arena, int depth)
{
    static const enum data_kind scalars[] = {
        DATA_BOOLEAN, DATA_INT, DATA_BIGINT, DATA_FLOAT, DATA_DOUBLE, DATA_STRING
    };
    uint32_t pick = chance(depth > 2 ? 6 : 8);

    if (pick < 6)
        return data_type_scalar(scalars[pick], true);
    if (pick == 6)
        return data_type_array(arena, random_type(arena, depth + 1), true);
    struct data_field fields[3] = { { MR_STR("x"), random_type(arena, depth + 1) },
                                    { MR_STR("two words"), random_type(arena, depth + 1) },
                                    { MR_STR("q\"uote\n"), random_type(arena, depth + 1) } };
    return data_type_row(arena, fields, 1 + chance(3), true);
}

static void random_append(struct data_column *c)
{
    static const char *const texts[] = { "",
                                         "plain",
                                         "a \"quoted\" \\ one",
                                         "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
                                         "\t\n\x01",
                                         "a longer text that does not fit in eight bytes" };

    if (chance(6) == 0) {
        data_append_null(c);
        return;
    }
    switch ((int)c->type->kind) {
    case DATA_BOOLEAN:
        data_append_bool(c, chance(2));
        break;
    case DATA_INT:
        data_append_i32(c, (int32_t)(chance(1u << 24) << 8) - (int32_t)chance(5));
        break;
    case DATA_BIGINT:
        data_append_i64(c, (int64_t)chance(1u << 24) << chance(40));
        break;
    case DATA_FLOAT:
        data_append_f32(c, (float)chance(1u << 24) / 1000);
        break;
    case DATA_DOUBLE:
        data_append_f64(c, (double)chance(1u << 24) / 7e8);
        break;
    case DATA_STRING:
        data_append_str(c, mr_str_of(texts[chance(MR_COUNT(texts))]));
        break;
    case DATA_ROW:
        for (uint32_t i = 0; i < c->child_count; i++)
            random_append(c->children[i]);
        data_append_row(c);
        break;
    case DATA_ARRAY:
        for (uint32_t n = chance(4); n > 0; n--)
            random_append(c->children[0]);
        data_append_array(c);
        break;
    }
}

static void test_round_trip(void **state)
{
    MR_UNUSED(state);
    for (int round = 0; round < 200; round++) {
        struct mr_arena *arena = mr_arena_new();
        struct data_field fields[4];
        static const char *const names[] = { "a", "b", "c\\", "d" };
        for (int i = 0; i < 4; i++)
            fields[i] = (struct data_field){ mr_str_of(names[i]), random_type(arena, 0) };
        const struct data_type *row = data_type_row(arena, fields, 4, false);
        struct data_batch *b = data_batch_new(row), *back = data_batch_new(row);
        struct data_json_decoder *d = data_json_decoder_new(row, NULL);
        struct data_json_encoder *e = data_json_encoder_new(row);
        struct mr_writer w = { 0 }, x = { 0 }, y = { 0 };

        for (int n = 0; n < 100; n++) {
            for (int i = 0; i < 4; i++)
                random_append(b->columns[i]);
            b->row_count++;
        }
        for (uint32_t n = 0; n < 100; n++) {
            struct mr_err err = MR_ERR_INIT;
            w.size = 0;
            data_json_encode(e, b, n, &w);
            if (data_json_decode(d, back, mr_writer_bytes(&w), 0, &err) != MR_OK)
                fail_msg("%s: %s", writer_text(&w), err.text);
        }
        assert_string_equal(batch_text(b, &x), batch_text(back, &y));
        mr_writer_deinit(&w);
        mr_writer_deinit(&x);
        mr_writer_deinit(&y);
        data_json_encoder_free(e);
        data_json_decoder_free(d);
        data_batch_unref(b);
        data_batch_unref(back);
        mr_arena_free(arena);
    }
}

static void test_text(void **state)
{
    struct mr_arena *arena = mr_arena_new();
    enum data_kind kinds[] = { DATA_FLOAT, DATA_STRING, DATA_BOOLEAN, DATA_KIND_N };
    struct data_batch *b = data_batch_new(row_of(arena, kinds));
    struct mr_writer w = { 0 };

    MR_UNUSED(state);
    data_append_f32(b->columns[0], __builtin_inff());
    data_append_str(b->columns[1], MR_STR("x\"\x02\xff"));
    data_append_null(b->columns[2]);
    b->row_count = 1;
    assert_string_equal(batch_text(b, &w), "{\"a\":\"Infinity\",\"b\":\"x\\\"\\u0002\xef\xbf\xbd\",\"c\":null}\n");
    mr_writer_deinit(&w);
    data_batch_unref(b);
    mr_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_round_trip), cmocka_unit_test(test_text) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_row.c -- a row is the same whatever the order and the grouping of its operands. */
#include "store/store_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OPERANDS_MAX = 5, NOW_S = 1000 };

/* One operand: a marker, a row deletion or one cell. */
struct operand {
    char kind; /* 'm' marker, 'd' row deletion, 'c' cell, 't' cell tombstone, 'e' elements tombstone, 0 none */
    int64_t time;
    uint32_t column;
    const char *path;
    const char *value;
    int32_t ttl;
    int64_t local;
};

static const struct {
    const char *name;
    struct operand operands[OPERANDS_MAX];
    const char *expect; /* what is live at NOW_S: "m" for the marker, column[path]=value */
} cases[] = {
    { "the later cell wins", { { 'c', 1, 7, "", "old" }, { 'c', 2, 7, "", "new" } }, "7=new " },
    { "same time: the larger value wins", { { 'c', 1, 7, "", "abc" }, { 'c', 1, 7, "", "abd" } }, "7=abd " },
    { "same time: longer is larger", { { 'c', 1, 7, "", "ab" }, { 'c', 1, 7, "", "abc" } }, "7=abc " },
    { "same time: a tombstone beats a value", { { 'c', 5, 7, "", "zzz" }, { 't', 5, 7, "", NULL, 0, 900 } }, "" },
    { "a tombstone loses to a later value", { { 't', 4, 7, "", NULL, 0, 900 }, { 'c', 5, 7, "", "v" } }, "7=v " },
    { "same time: what expires beats what does not",
      { { 'c', 5, 7, "", "zzz" }, { 'c', 5, 7, "", "aaa", 60, 2000 } },
      "7=aaa " },
    { "same time: a tombstone beats what expires",
      { { 'c', 5, 7, "", "aaa", 60, 2000 }, { 't', 5, 7, "", NULL, 0, 900 } },
      "" },
    { "same time: what expires later wins",
      { { 'c', 5, 7, "", "zzz", 60, 1900 }, { 'c', 5, 7, "", "aaa", 60, 2000 } },
      "7=aaa " },
    { "expired is null, and hides what is older",
      { { 'c', 4, 7, "", "old" }, { 'c', 5, 7, "", "short", 60, 1000 } },
      "" },
    { "columns are merged one by one",
      { { 'c', 1, 1, "", "a" }, { 'c', 9, 2, "", "b" }, { 'c', 2, 1, "", "c" }, { 'c', 3, 2, "", "d" } },
      "1=c 2=b " },
    { "a row deletion covers its own time",
      { { 'm', 5 }, { 'c', 5, 1, "", "a" }, { 'd', 5, 0, NULL, NULL, 0, 900 } },
      "" },
    { "a row deletion leaves what is later",
      { { 'm', 6 }, { 'c', 4, 1, "", "a" }, { 'c', 6, 2, "", "b" }, { 'd', 5, 0, NULL, NULL, 0, 900 } },
      "m 2=b " },
    { "an UPDATE after the deletion makes no marker",
      { { 'm', 4 }, { 'd', 5, 0, NULL, NULL, 0, 900 }, { 'c', 6, 2, "", "b" } },
      "2=b " },
    { "a marker alone is a row", { { 'm', 4 }, { 't', 4, 1, "", NULL, 0, 900 } }, "m " },
    { "a marker expires", { { 'm', 4, 0, NULL, NULL, 60, 1000 }, { 'm', 3 } }, "" },
    { "elements are merged by path",
      { { 'c', 3, 1, "x", "1" }, { 'c', 4, 1, "y", "2" }, { 'c', 5, 1, "x", "3" } },
      "1[x]=3 1[y]=2 " },
    { "an elements tombstone covers older elements of its column only",
      { { 'c', 3, 1, "x", "1" }, { 'e', 4, 1, "", NULL, 0, 900 }, { 'c', 5, 1, "y", "2" }, { 'c', 3, 2, "x", "3" } },
      "1[y]=2 2[x]=3 " },
    { "two deletions of two extents",
      { { 'c', 3, 1, "x", "1" },
        { 'e', 4, 1, "", NULL, 0, 900 },
        { 'd', 6, 0, NULL, NULL, 0, 900 },
        { 'c', 5, 1, "y", "2" },
        { 'c', 7, 1, "z", "3" } },
      "1[z]=3 " },
    { "extreme times", { { 'c', INT64_MIN, 1, "", "a" }, { 'c', INT64_MAX, 2, "", "b" } }, "1=a 2=b " },
};

static void row_of_operand(const struct operand *o, struct store_row_version *row)
{
    *row = (struct store_row_version){ 0 };
    if (o->kind == 'm') {
        row->has_marker = true;
        row->marker_time_us = o->time;
        row->marker_ttl_s = o->ttl;
        row->marker_expires_s = o->local;
        return;
    }
    if (o->kind == 'd') {
        row->is_deleted = true;
        row->deleted_time_us = o->time;
        row->deleted_local_s = o->local;
        return;
    }
    row->cells = MR_NEW(struct store_version);
    row->cell_count = row->cell_capacity = 1;
    row->cells[0] = (struct store_version){ .column_id = o->column,
                                            .flags = o->kind == 't'   ? STORE_CELL_TOMBSTONE
                                                     : o->kind == 'e' ? STORE_CELL_ELEMENTS_TOMBSTONE
                                                                      : 0,
                                            .time_us = o->time,
                                            .ttl_s = o->ttl,
                                            .local_s = o->local,
                                            .path = mr_bytes_of_str(mr_str_of(o->path)),
                                            .value = o->value ? mr_bytes_of_str(mr_str_of(o->value)) : MR_BYTES_NULL };
}

/* Through the stored form, as RocksDB does. */
static struct mr_writer stored(const struct store_row_version *row)
{
    struct mr_writer w = { 0 };

    store_row_version_write(&w, row);
    return w;
}

static struct mr_writer merged(const struct mr_writer *a, const struct mr_writer *b)
{
    struct store_row_version ra = { 0 }, rb = { 0 }, out = { 0 };
    struct mr_writer w;

    assert_int_equal(store_row_version_read(mr_writer_bytes(a), &ra), MR_OK);
    assert_int_equal(store_row_version_read(mr_writer_bytes(b), &rb), MR_OK);
    store_row_version_merge(&out, &ra, &rb);
    w = stored(&out);
    store_row_version_deinit(&ra);
    store_row_version_deinit(&rb);
    store_row_version_deinit(&out);
    return w;
}

static void assert_live(const char *name, const struct mr_writer *w, const char *expect)
{
    struct store_view view = { .now_s = NOW_S };
    struct mr_arena *arena = mr_arena_new();
    struct store_row_version row = { 0 };
    struct store_row live = { 0 };
    struct mr_writer text = { 0 };

    assert_int_equal(store_row_version_read(mr_writer_bytes(w), &row), MR_OK);
    if (store_row_version_live(&row, mr_writer_bytes(w), &view, arena, &live)) {
        if (live.has_marker)
            mr_write_text(&text, "m ");
        for (size_t i = 0; i < live.cell_count; i++) {
            const struct store_cell *c = &live.cells[i];

            mr_write_text(&text, "%u", c->column_id);
            if (c->path.size > 0)
                mr_write_text(&text, "[%.*s]", (int)c->path.size, (const char *)c->path.data);
            mr_write_text(&text, "=%.*s ", (int)c->value.size, (const char *)c->value.data);
        }
    }
    mr_write_u8(&text, 0);
    if (strcmp((char *)text.data, expect) != 0)
        fail_msg("%s: \"%s\", expected \"%s\"", name, (char *)text.data, expect);
    mr_writer_deinit(&text);
    store_row_version_deinit(&row);
    mr_arena_free(arena);
}

/* Merges LIST in every grouping: each neighbouring pair first, then the rest. */
static void check_groupings(const char *name, struct mr_writer *list, int count, const char *expect,
                            struct mr_writer *first)
{
    if (count == 1) {
        assert_live(name, &list[0], expect);
        if (first->size == 0)
            mr_write_bytes(first, mr_writer_bytes(&list[0]));
        else if (mr_bytes_compare(mr_writer_bytes(first), mr_writer_bytes(&list[0])) != 0)
            fail_msg("%s: the bytes depend on the order", name);
        return;
    }
    for (int i = 0; i + 1 < count; i++) {
        struct mr_writer shorter[OPERANDS_MAX], pair = merged(&list[i], &list[i + 1]);
        int n = 0;

        for (int j = 0; j < count; j++)
            if (j != i + 1)
                shorter[n++] = j == i ? pair : list[j];
        check_groupings(name, shorter, n, expect, first);
        mr_writer_deinit(&pair);
    }
}

static void check_orders(const char *name, struct mr_writer *list, int count, int fixed, const char *expect,
                         struct mr_writer *first)
{
    if (fixed == count) {
        check_groupings(name, list, count, expect, first);
        return;
    }
    for (int i = fixed; i < count; i++) {
        struct mr_writer t = list[fixed];

        list[fixed] = list[i];
        list[i] = t;
        check_orders(name, list, count, fixed + 1, expect, first);
        t = list[fixed];
        list[fixed] = list[i];
        list[i] = t;
    }
}

static void test_merge(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct mr_writer list[OPERANDS_MAX], first = { 0 };
        int count = 0;

        for (; count < OPERANDS_MAX && cases[i].operands[count].kind != 0; count++) {
            struct store_row_version row;

            row_of_operand(&cases[i].operands[count], &row);
            list[count] = stored(&row);
            store_row_version_deinit(&row);
        }
        check_orders(cases[i].name, list, count, 0, cases[i].expect, &first);
        for (int j = 0; j < count; j++) {
            struct mr_writer twice = merged(&first, &list[j]); /* idempotent */

            if (mr_bytes_compare(mr_writer_bytes(&twice), mr_writer_bytes(&first)) != 0)
                fail_msg("%s: an operand applied twice changes the row", cases[i].name);
            mr_writer_deinit(&twice);
            mr_writer_deinit(&list[j]);
        }
        mr_writer_deinit(&first);
    }
}

static void test_cut_values_are_refused(void **state)
{
    struct operand o = { 'c', 5, 300, "path", "value", 60, 2000 };
    struct store_row_version row, back = { 0 };
    struct mr_writer w;

    MR_UNUSED(state);
    row_of_operand(&o, &row);
    row.has_marker = row.is_deleted = true;
    row.deleted_time_us = 4;
    w = stored(&row);
    for (size_t cut = 0; cut < w.size; cut++) {
        uint8_t *copy = mr_alloc(cut + 1); /* exactly as long, for the sanitizer */

        copy = mr_realloc(copy, cut > 0 ? cut : 1);
        memcpy(copy, w.data, cut);
        assert_int_not_equal(store_row_version_read((struct mr_bytes){ copy, cut }, &back), MR_OK);
        mr_free(copy);
    }
    assert_int_equal(store_row_version_read(mr_writer_bytes(&w), &back), MR_OK);
    w.data[0] = 2;
    assert_int_equal(store_row_version_read(mr_writer_bytes(&w), &back), MR_UNSUPPORTED);
    store_row_version_deinit(&back);
    store_row_version_deinit(&row);
    mr_writer_deinit(&w);
}

static void test_keys_order(void **state)
{
    static const struct store_key keys[] = {
        { 1, INT64_MIN, { (const uint8_t *)"b", 1 }, STORE_ROW_STATIC, { NULL, 0 } },
        { 1, -1, { (const uint8_t *)"b", 1 }, STORE_ROW_CLUSTERED, { (const uint8_t *)"x", 1 } },
        { 1, 0, { (const uint8_t *)"a", 1 }, STORE_ROW_STATIC, { NULL, 0 } },
        { 1, 0, { (const uint8_t *)"a", 1 }, STORE_ROW_CLUSTERED, { NULL, 0 } },
        { 1, 0, { (const uint8_t *)"a", 1 }, STORE_ROW_CLUSTERED, { (const uint8_t *)"\0", 1 } },
        { 1, 0, { (const uint8_t *)"b", 1 }, STORE_ROW_CLUSTERED, { NULL, 0 } },
        { 1, 0, { (const uint8_t *)"aa", 2 }, STORE_ROW_STATIC, { NULL, 0 } },
        { 1, INT64_MAX, { (const uint8_t *)"a", 1 }, STORE_ROW_STATIC, { NULL, 0 } },
        { 2, INT64_MIN, { (const uint8_t *)"a", 1 }, STORE_ROW_STATIC, { NULL, 0 } },
    };
    struct mr_writer before = { 0 };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(keys); i++) {
        struct mr_writer w = { 0 };
        struct store_key back;
        size_t partition_bytes;
        uint8_t mark;

        store_key_write(&w, &keys[i]);
        assert_int_equal(store_key_read(mr_writer_bytes(&w), &back, &mark, &partition_bytes), MR_OK);
        assert_int_equal(back.table_id, keys[i].table_id);
        assert_true(back.token == keys[i].token && back.kind == keys[i].kind);
        assert_int_equal(mr_bytes_compare(back.partition_key, keys[i].partition_key), 0);
        assert_int_equal(mr_bytes_compare(back.clustering, keys[i].clustering), 0);
        assert_true(mr_bytes_compare(mr_writer_bytes(&before), mr_writer_bytes(&w)) < 0);
        for (size_t cut = 0; cut <= partition_bytes; cut++)
            assert_int_equal(store_key_read((struct mr_bytes){ w.data, cut }, &back, &mark, &partition_bytes),
                             MR_INVALID);
        mr_writer_deinit(&before);
        before = w;
    }
    mr_writer_deinit(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_cut_values_are_refused),
        cmocka_unit_test(test_keys_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

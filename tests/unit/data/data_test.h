/* data_test.h -- what the tests of data share. */
#ifndef DATA_TEST_H
#define DATA_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/data.h"

/* A copy of TEXT whose last byte is the last readable one. */
struct page_end {
    char *map;
    size_t map_size;
    struct mr_bytes bytes;
};

static inline struct page_end page_end_of(const char *text, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t used = (size + page) / page * page;
    struct page_end p = { .map_size = used + page };

    p.map = mmap(NULL, p.map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(p.map != MAP_FAILED);
    assert_int_equal(mprotect(p.map + used, page, PROT_NONE), 0);
    memcpy(p.map + used - size, text, size);
    p.bytes = (struct mr_bytes){ (uint8_t *)p.map + used - size, size };
    return p;
}

static inline void page_end_free(struct page_end *p)
{
    munmap(p->map, p->map_size);
}

/* What the writer holds, NUL-terminated. */
static inline const char *writer_text(struct mr_writer *w)
{
    *mr_writer_reserve(w, 1) = '\0';
    return (const char *)w->data;
}

/* The whole batch as JSON lines, to be compared. */
static inline const char *batch_text(const struct data_batch *batch, struct mr_writer *w)
{
    struct data_json_encoder *e = data_json_encoder_new(batch->type);

    w->size = 0;
    for (uint32_t i = 0; i < batch->row_count; i++) {
        data_json_encode(e, batch, i, w);
        mr_write_u8(w, '\n');
    }
    data_json_encoder_free(e);
    return writer_text(w);
}

/* A ROW<`a` T, `b` T, ...> of kinds ended by DATA_KIND_N. */
static inline const struct data_type *row_of(struct mr_arena *arena, const enum data_kind *kinds)
{
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h" };
    struct data_field fields[8];
    uint32_t n = 0;

    for (; kinds[n] != DATA_KIND_N; n++) {
        fields[n].name = mr_str_of(names[n]);
        fields[n].type = data_type_scalar(kinds[n], true);
    }
    return data_type_row(arena, fields, n, false);
}

#endif

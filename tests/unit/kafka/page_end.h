/* page_end.h -- bytes that end where an unreadable page begins: reading past their end ends the test. */
#ifndef TEST_PAGE_END_H
#define TEST_PAGE_END_H

#include "base/base.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE_END_BYTES = 1 << 16 };

/* A copy of B (at most PAGE_END_BYTES) valid until the next call. */
static inline struct mr_bytes at_page_end(struct mr_bytes b)
{
    static uint8_t *area;

    assert(b.size <= PAGE_END_BYTES);
    if (area == NULL) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        void *map = mmap(NULL, PAGE_END_BYTES + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        assert(map != MAP_FAILED);
        area = map;
        assert(mprotect(area + PAGE_END_BYTES, page, PROT_NONE) == 0);
    }
    if (b.size > 0)
        memcpy(area + PAGE_END_BYTES - b.size, b.data, b.size);
    return (struct mr_bytes){ area + PAGE_END_BYTES - b.size, b.size };
}

#endif

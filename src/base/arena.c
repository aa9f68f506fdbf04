/* arena.c -- memory that dies together.
 *
 * A list of blocks, each twice the one before up to ARENA_BLOCK_MAX; allocation moves a pointer.  A request larger than
 * a block gets one of its own.  Reset keeps the newest (largest) ordinary block, so a steady caller stops asking the
 * system. */
#include "base/base.h"

#include <stdio.h>
#include <string.h>

enum {
    ARENA_BLOCK_FIRST = 4096,
    ARENA_BLOCK_MAX = 1 << 20,
    ARENA_ALIGN = 16,
};

struct arena_block {
    struct arena_block *next;
    size_t size; /* usable bytes after this header */
    _Alignas(ARENA_ALIGN) uint8_t data[];
};

struct mr_arena {
    struct arena_block *blocks; /* owned; the first is the one being filled */
    uint8_t *at;
    uint8_t *end;
    size_t block_next;
    size_t total;
};

struct mr_arena *mr_arena_new(void)
{
    struct mr_arena *a = MR_NEW(struct mr_arena);

    a->block_next = ARENA_BLOCK_FIRST;
    return a;
}

static void arena_free_blocks(struct mr_arena *a, struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *next = block->next;

        a->total -= block->size;
        mr_free(block);
        block = next;
    }
}

void mr_arena_free(struct mr_arena *a)
{
    if (a == NULL)
        return;
    arena_free_blocks(a, a->blocks);
    mr_free(a);
}

void mr_arena_reset(struct mr_arena *a)
{
    struct arena_block *kept = a->blocks;

    if (kept == NULL)
        return;
    if (kept->size > ARENA_BLOCK_MAX) { /* one huge request must not stay for ever */
        arena_free_blocks(a, kept);
        a->blocks = NULL;
        a->at = a->end = NULL;
        return;
    }
    arena_free_blocks(a, kept->next);
    kept->next = NULL;
    a->at = kept->data;
    a->end = kept->data + kept->size;
}

static void arena_add_block(struct mr_arena *a, size_t size_min)
{
    size_t size = a->block_next;
    struct arena_block *block;

    if (size < size_min)
        size = size_min;
    if (a->block_next < ARENA_BLOCK_MAX)
        a->block_next *= 2;
    block = mr_alloc(sizeof(*block) + size);
    block->size = size;
    block->next = a->blocks;
    a->blocks = block;
    a->total += size;
    a->at = block->data;
    a->end = block->data + size;
}

void *mr_arena_alloc(struct mr_arena *a, size_t size)
{
    void *p;

    assert(size < SIZE_MAX / 2);
    size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    if (a->at == NULL || (size_t)(a->end - a->at) < size)
        arena_add_block(a, size);
    p = a->at;
    a->at += size;
    return p;
}

void *mr_arena_calloc(struct mr_arena *a, size_t count, size_t size)
{
    size_t bytes;
    void *p;

    if (__builtin_mul_overflow(count, size, &bytes))
        bytes = SIZE_MAX; /* stopped by the assert in mr_arena_alloc */
    p = mr_arena_alloc(a, bytes);
    memset(p, 0, bytes);
    return p;
}

struct mr_str mr_arena_str(struct mr_arena *a, struct mr_str s)
{
    char *copy;

    if (s.data == NULL)
        return MR_STR_NULL;
    copy = mr_arena_alloc(a, s.size + 1);
    memcpy(copy, s.data, s.size);
    copy[s.size] = '\0';
    return (struct mr_str){ copy, s.size };
}

struct mr_bytes mr_arena_bytes(struct mr_arena *a, struct mr_bytes b)
{
    uint8_t *copy;

    if (b.data == NULL)
        return MR_BYTES_NULL;
    copy = mr_arena_alloc(a, b.size);
    memcpy(copy, b.data, b.size);
    return (struct mr_bytes){ copy, b.size };
}

char *mr_arena_printf(struct mr_arena *a, const char *format, ...)
{
    va_list args;
    int length;
    char *text;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(length >= 0);
    text = mr_arena_alloc(a, (size_t)length + 1);
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}

size_t mr_arena_size(const struct mr_arena *a)
{
    return a->total;
}

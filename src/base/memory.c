/* memory.c -- allocation that never fails: without memory the program ends, as its callers could do nothing better. */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void memory_exhausted(size_t size)
{
    fprintf(stderr, "millrace: no memory for %zu bytes\n", size);
    abort();
}

void *mr_alloc(size_t size)
{
    void *p = malloc(size ? size : 1);

    if (p == NULL)
        memory_exhausted(size);
    return p;
}

void *mr_calloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);

    if (p == NULL)
        memory_exhausted(count * size);
    return p;
}

void *mr_realloc(void *p, size_t size)
{
    void *q = realloc(p, size ? size : 1);

    if (q == NULL)
        memory_exhausted(size);
    return q;
}

void mr_free(void *p)
{
    free(p);
}

char *mr_strdup(const char *text)
{
    return mr_str_dup(mr_str_of(text));
}

char *mr_str_dup(struct mr_str s)
{
    char *copy = mr_alloc(s.size + 1);

    if (s.size)
        memcpy(copy, s.data, s.size);
    copy[s.size] = '\0';
    return copy;
}

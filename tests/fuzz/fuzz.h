/* fuzz.h -- what every target has: one function that gets any bytes and must neither crash nor leak.
 *
 * libFuzzer calls it (script/fuzz), and so does replay.c in every build, over the inputs kept in corpus/. */
#ifndef FUZZ_H
#define FUZZ_H

#include "base/base.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold, whatever the input. */
#define FUZZ_MUST(what)                                                                                                \
    do {                                                                                                               \
        if (!(what))                                                                                                   \
            abort();                                                                                                   \
    } while (0)

#endif

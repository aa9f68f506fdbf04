/* engine_fake.h -- connectors in memory for the tests of the engine: a source with splits that remembers nothing, a
 * sink that has what was flushed, a dead-letter producer that has what was flushed.  What was written and not flushed
 * is lost when the query ends, as with a killed process. */
#ifndef ENGINE_FAKE_H
#define ENGINE_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "sql/engine_int.h"

enum { FAKE_ROWS_MAX = 4096, FAKE_TEXT_MAX = 512 };

struct fake_record {
    int32_t split;
    int64_t timestamp_ms;
    const char *value;
    const char *trouble; /* as the source would say it */
};

/* A row of a sink: its JSON and write time. */
struct fake_row {
    char text[FAKE_TEXT_MAX];
    int64_t time;
};

struct fake_rows {
    struct fake_row rows[FAKE_ROWS_MAX];
    size_t count;
};

/* The whole world outside of the engine. */
struct fake_world {
    const struct fake_record *records;
    size_t record_count;
    size_t per_poll;           /* a poll brings so many, and every second poll none */
    bool unbounded;            /* never ends */
    bool one_page;             /* all records have one position */
    struct fake_rows sinks[2]; /* flushed; sink number by option 'name': a, b */
    struct fake_rows letters;  /* flushed dead letters: "topic/partition/offset[#record] stage class value" */
    int64_t committed[8];      /* by checkpointed(): next of each split */
    int opens;
};

extern struct fake_world fake_world;
extern const struct connector *const fake_connectors[];
extern const struct sql_dead_letter_ops fake_letters;

/* The rows sorted, one a line, with their write times when TIMES; freed with mr_free.  Equal lines count once. */
char *fake_rows_text(const struct fake_rows *rows, bool times);

#endif

/* rows_output.h -- rows for people and scripts: an aligned table, tab-separated values, or JSON lines. */
#ifndef MAIN_ROWS_OUTPUT_H
#define MAIN_ROWS_OUTPUT_H

#include "data/data.h"

#include <stdio.h>

enum rows_format { ROWS_TABLE, ROWS_TSV, ROWS_JSON };

struct rows_output;

/* "table", "tsv" or "json" (checked by the option table). */
enum rows_format rows_format_of(const char *name);
/* Prints rows of type ROW (borrowed) to FILE.  TABLE: columns are as wide as the first rows need and the terminal
 * allows; LIVE prints rows as they come instead of waiting for more to measure.  Caller owns. */
struct rows_output *rows_output_new(const struct data_type *row, enum rows_format format, FILE *file, bool live);
/* Prints, or keeps for measuring, the rows of BATCH. */
void rows_output_write(struct rows_output *output, const struct data_batch *batch);
/* Prints what was kept, and frees.  NULL is legal. */
void rows_output_finish(struct rows_output *output);

#endif

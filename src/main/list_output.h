/* list_output.h -- what a command found, for people as a table that fits the terminal, for scripts as JSON lines.
 *
 * A row is a JSON object; the table shows the members that its columns name, JSON shows all of it. */
#ifndef MAIN_LIST_OUTPUT_H
#define MAIN_LIST_OUTPUT_H

#include "base/base.h"

#include <jansson.h>
#include <stdio.h>

struct list_column {
    const char *key;   /* of the object's member; one with dots is looked for inside ("progress.rate") */
    const char *title; /* NULL: the key */
    bool number;       /* set to the right */
};

struct list_output;

/* Prints to FILE; COLUMNS is borrowed.  Widths come from the first rows; on a terminal the widest columns are cut until
 * the table fits.  Caller owns. */
struct list_output *list_output_new(const struct list_column *columns, size_t column_count, bool json, FILE *file);
/* Takes ROW (the caller's reference) and prints or keeps it. */
void list_output_add(struct list_output *output, json_t *row);
/* Prints what was kept so far: for rows that come slowly. */
void list_output_flush(struct list_output *output);
/* Prints what was kept, and frees.  Returns how many rows there were. */
size_t list_output_finish(struct list_output *output);

/* TEXT, whatever its bytes are, as a JSON string for these functions alone; null for NULL. */
json_t *list_text(const char *text);
/* Appends VALUE as a cell shows it: text with control characters and what is no UTF-8 escaped, null as "-", the rest
 * as JSON. */
void list_cell_write(struct mr_writer *out, const json_t *value);
/* Appends VALUE as JSON without blanks; numbers as short as they read back. */
void list_json_write(struct mr_writer *out, const json_t *value);
/* The same and a newline, to FILE. */
void list_json_print(const json_t *value, FILE *file);
/* Prints OBJECT: as one line of JSON, or for people one "name  value" line a member, arrays and objects left out. */
void list_object_print(const json_t *object, bool json, FILE *file);
/* The columns of FILE's terminal; 0: it is none. */
size_t list_terminal_width(FILE *file);
/* "1.2 KiB", "35 MiB" of BYTES; returns OUT, which has 24 bytes. */
const char *list_size_text(char out[24], int64_t bytes);
/* "12 ms", "3.5 s", "2 min", "5 h", "3 d"; "-" when negative; returns OUT, which has 24 bytes. */
const char *list_duration_text(char out[24], int64_t ms);

#endif

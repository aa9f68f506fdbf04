/* rows_output.c -- see rows_output.h.
 *
 * A table's widths come from its first ROWS_MEASURED rows, which are kept as text until then; later cells that are
 * wider are cut with an ellipsis.  Widths are counted in characters: right for most scripts, not for double-width ones.
 */
#include "main/rows_output.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { ROWS_MEASURED = 1000, CELL_WIDTH_MIN = 4, CELL_WIDTH_LIVE_TEXT = 26, CELL_WIDTH_LIVE_NUMBER = 10 };

struct rows_output {
    const struct data_type *row; /* borrowed */
    enum rows_format format;
    FILE *file;
    bool live;
    bool header_done;
    size_t terminal;                   /* its columns; 0: not a terminal, nothing is cut */
    size_t *widths;                    /* owned; one a column */
    struct data_json_encoder *encoder; /* owned; JSON only */
    struct mr_writer line;             /* owned */
    struct mr_writer kept;             /* owned: cells, each ended by NUL */
    uint32_t kept_rows;
};

enum rows_format rows_format_of(const char *name)
{
    if (strcmp(name, "tsv") == 0)
        return ROWS_TSV;
    return strcmp(name, "json") == 0 ? ROWS_JSON : ROWS_TABLE;
}

static size_t terminal_width(FILE *file)
{
    struct winsize size;

    if (!isatty(fileno(file)) || ioctl(fileno(file), TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col;
}

static size_t first_width(const struct data_field *field, bool live)
{
    size_t width = mr_utf8_length(field->name);
    size_t least = CELL_WIDTH_MIN;

    if (live)
        least = field->type->kind == DATA_STRING ? CELL_WIDTH_LIVE_TEXT : CELL_WIDTH_LIVE_NUMBER;
    return width > least ? width : least;
}

struct rows_output *rows_output_new(const struct data_type *row, enum rows_format format, FILE *file, bool live)
{
    struct rows_output *o = MR_NEW(struct rows_output);

    o->row = row;
    o->format = format;
    o->file = file;
    o->live = live;
    o->terminal = terminal_width(file);
    o->widths = mr_calloc(row->field_count, sizeof(*o->widths));
    for (uint32_t i = 0; i < row->field_count; i++)
        o->widths[i] = first_width(&row->fields[i], live);
    if (format == ROWS_JSON)
        o->encoder = data_json_encoder_new(row);
    return o;
}

/* Takes from the widest column until the table fits. */
static void fit_widths(struct rows_output *o)
{
    for (;;) {
        size_t total = 0;
        uint32_t widest = 0;

        for (uint32_t i = 0; i < o->row->field_count; i++) {
            total += o->widths[i] + 3;
            if (o->widths[i] > o->widths[widest])
                widest = i;
        }
        if (o->terminal == 0 || total <= o->terminal + 3 || o->widths[widest] <= CELL_WIDTH_MIN)
            return;
        o->widths[widest]--;
    }
}

static void print_cell(struct rows_output *o, struct mr_str text, size_t width, bool last)
{
    size_t length = mr_utf8_length(text);
    size_t bytes = 0;

    if (length <= width || o->terminal == 0) {
        mr_write_str(&o->line, text);
    } else {
        for (size_t characters = 0; characters < width - 1; characters++) {
            do
                bytes++;
            while (bytes < text.size && ((uint8_t)text.data[bytes] & 0xc0) == 0x80);
        }
        mr_write_str(&o->line, (struct mr_str){ text.data, bytes });
        mr_write_text(&o->line, "…");
        length = width;
    }
    if (!last)
        mr_write_text(&o->line, "%*s | ", length < width ? (int)(width - length) : 0, "");
}

static void flush_line(struct rows_output *o)
{
    mr_write_u8(&o->line, '\n');
    fwrite(o->line.data, 1, o->line.size, o->file);
    o->line.size = 0;
}

static void print_header(struct rows_output *o)
{
    uint32_t columns = o->row->field_count;

    if (o->header_done)
        return;
    o->header_done = true;
    fit_widths(o);
    for (uint32_t i = 0; i < columns; i++)
        print_cell(o, o->row->fields[i].name, o->widths[i], i + 1 == columns);
    flush_line(o);
    for (uint32_t i = 0; i < columns; i++) {
        for (size_t j = 0; j < o->widths[i]; j++)
            mr_write_u8(&o->line, '-');
        if (i + 1 < columns)
            mr_write_text(&o->line, "-+-");
    }
    flush_line(o);
}

static void print_kept(struct rows_output *o)
{
    const char *at = (const char *)o->kept.data;
    uint32_t columns = o->row->field_count;

    print_header(o);
    for (uint32_t row = 0; row < o->kept_rows; row++) {
        for (uint32_t i = 0; i < columns; i++) {
            struct mr_str cell = mr_str_of(at);

            print_cell(o, cell, o->widths[i], i + 1 == columns);
            at += cell.size + 1;
        }
        flush_line(o);
    }
    o->kept.size = 0;
    o->kept_rows = 0;
}

static void keep_row(struct rows_output *o, const struct data_batch *batch, uint32_t row)
{
    for (uint32_t i = 0; i < batch->column_count; i++) {
        size_t start = o->kept.size;
        size_t width;

        data_cell_write(&o->kept, batch->columns[i], row, true);
        width = mr_utf8_length((struct mr_str){ (const char *)o->kept.data + start, o->kept.size - start });
        if (!o->header_done && !o->live && width > o->widths[i])
            o->widths[i] = width;
        mr_write_u8(&o->kept, 0);
    }
    o->kept_rows++;
}

static void write_tsv(struct rows_output *o, const struct data_batch *batch, uint32_t row)
{
    for (uint32_t i = 0; i < batch->column_count; i++) {
        if (i > 0)
            mr_write_u8(&o->line, '\t');
        data_cell_write(&o->line, batch->columns[i], row, true);
    }
    flush_line(o);
}

void rows_output_write(struct rows_output *output, const struct data_batch *batch)
{
    for (uint32_t row = 0; row < batch->row_count; row++) {
        switch (output->format) {
        case ROWS_TABLE:
            keep_row(output, batch, row);
            break;
        case ROWS_TSV:
            write_tsv(output, batch, row);
            break;
        case ROWS_JSON:
            data_json_encode(output->encoder, batch, row, &output->line);
            flush_line(output);
            break;
        }
    }
    if (output->format == ROWS_TABLE && (output->live || output->header_done || output->kept_rows >= ROWS_MEASURED))
        print_kept(output);
    if (output->live)
        fflush(output->file);
}

void rows_output_finish(struct rows_output *output)
{
    if (output == NULL)
        return;
    if (output->format == ROWS_TABLE)
        print_kept(output);
    fflush(output->file);
    data_json_encoder_free(output->encoder);
    mr_writer_deinit(&output->line);
    mr_writer_deinit(&output->kept);
    mr_free(output->widths);
    mr_free(output);
}

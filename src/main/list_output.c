/* list_output.c -- see list_output.h.
 *
 * Widths come from the first LIST_MEASURED rows, which are kept until then; later cells that are wider stand out, or
 * are cut on a terminal.  A table with too many columns for the terminal is printed a line a cell.  Widths are counted
 * in characters: right for most scripts, not for double-width ones. */
#include "main/list_output.h"
#include "base/text.h"
#include "main/command.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LIST_MEASURED = 1000, LIST_WIDTH_MIN = 4, LIST_GAP = 2 };

struct list_output {
    const struct list_column *columns; /* borrowed */
    size_t column_count;
    bool json;
    FILE *file;
    size_t *widths; /* owned, one a column */
    size_t terminal;
    bool bold;
    bool measured;
    bool vertical;     /* too many columns for the terminal */
    size_t name_width; /* then: of the widest title */
    size_t printed;    /* then: rows so far */
    size_t row_count;
    struct mr_writer cells; /* owned: kept cells, each ended by NUL */
    size_t kept;            /* rows in cells */
    struct mr_writer line;  /* owned */
};

size_t list_terminal_width(FILE *file)
{
    struct winsize size;

    if (!isatty(fileno(file)) || ioctl(fileno(file), TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col;
}

const char *list_size_text(char out[24], int64_t bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1024 && unit + 1 < MR_COUNT(units)) {
        value /= 1024;
        unit++;
    }
    snprintf(out, 24, unit > 0 && value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return out;
}

const char *list_duration_text(char out[24], int64_t ms)
{
    if (ms < 0)
        snprintf(out, 24, "-");
    else if (ms < 1000)
        snprintf(out, 24, "%" PRId64 " ms", ms);
    else if (ms < 120000)
        snprintf(out, 24, "%.1f s", (double)ms / 1000);
    else if (ms < 7200000)
        snprintf(out, 24, "%" PRId64 " min", ms / 60000);
    else if (ms < 172800000)
        snprintf(out, 24, "%" PRId64 " h", ms / 3600000);
    else
        snprintf(out, 24, "%" PRId64 " d", ms / 86400000);
    return out;
}

/* Text from outside must not move the cursor: control characters are shown as escapes. */
static void write_safe(struct mr_writer *out, const char *text, size_t size)
{
    bool utf8 = mr_utf8_valid((struct mr_bytes){ (const uint8_t *)text, size });

    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '\n')
            mr_write_text(out, "\\n");
        else if (c == '\t')
            mr_write_text(out, "\\t");
        else if (c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8))
            mr_write_text(out, "\\x%02x", c);
        else if (c == 0xc2 && i + 1 < size && (unsigned char)text[i + 1] < 0xa0)
            mr_write_text(out, "\\u%04x", (unsigned char)text[++i]);
        else
            mr_write_u8(out, c);
    }
}

static void write_real(struct mr_writer *out, double number)
{
    char text[32];

    mr_write_str(out, (struct mr_str){ text, mr_format_f64(text, number) });
}

void list_json_write(struct mr_writer *out, const json_t *value)
{
    const json_t *item;
    const char *key;
    const char *comma = "";
    size_t i;

    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_NULL:
        mr_write_text(out, "null");
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        mr_write_text(out, json_is_true(value) ? "true" : "false");
        break;
    case JSON_STRING:
        mr_write_json_string(out, (struct mr_str){ json_string_value(value), json_string_length(value) });
        break;
    case JSON_INTEGER:
        mr_write_text(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        write_real(out, json_real_value(value));
        break;
    case JSON_OBJECT:
        mr_write_u8(out, '{');
        json_object_foreach((json_t *)value, key, item)
        {
            mr_write_text(out, "%s", comma);
            mr_write_json_string(out, mr_str_of(key));
            mr_write_u8(out, ':');
            list_json_write(out, item);
            comma = ",";
        }
        mr_write_u8(out, '}');
        break;
    case JSON_ARRAY:
        mr_write_u8(out, '[');
        json_array_foreach(value, i, item)
        {
            mr_write_text(out, "%s", comma);
            list_json_write(out, item);
            comma = ",";
        }
        mr_write_u8(out, ']');
        break;
    }
}

void list_json_print(const json_t *value, FILE *file)
{
    struct mr_writer text = { 0 };

    list_json_write(&text, value);
    mr_write_u8(&text, '\n');
    fwrite(text.data, 1, text.size, file);
    mr_writer_deinit(&text);
}

void list_cell_write(struct mr_writer *out, const json_t *value)
{
    struct mr_writer text = { 0 };

    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_NULL:
        mr_write_u8(out, '-');
        break;
    case JSON_STRING:
        write_safe(out, json_string_value(value), json_string_length(value));
        break;
    case JSON_REAL:
        write_real(out, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_INTEGER:
    case JSON_OBJECT:
    case JSON_ARRAY:
        list_json_write(&text, value);
        write_safe(out, (const char *)text.data, text.size);
        mr_writer_deinit(&text);
        break;
    }
}

json_t *list_text(const char *text)
{
    return text != NULL ? json_string_nocheck(text) : json_null();
}

struct list_output *list_output_new(const struct list_column *columns, size_t column_count, bool json, FILE *file)
{
    struct list_output *o = MR_NEW(struct list_output);

    o->columns = columns;
    o->column_count = column_count;
    o->json = json;
    o->file = file;
    o->terminal = list_terminal_width(file);
    o->bold = o->terminal > 0 && command_colour(fileno(file));
    o->widths = mr_calloc(column_count + 1, sizeof(*o->widths));
    return o;
}

static const char *title_of(const struct list_column *column)
{
    return column->title ? column->title : column->key;
}

/* Takes from the widest column until the table fits; false when it does not. */
static bool fit_widths(struct list_output *o)
{
    for (;;) {
        size_t total = 0;
        size_t widest = 0;

        for (size_t i = 0; i < o->column_count; i++) {
            total += o->widths[i] + LIST_GAP;
            if (o->widths[i] > o->widths[widest])
                widest = i;
        }
        if (o->terminal == 0 || total <= o->terminal + LIST_GAP)
            return true;
        if (o->widths[widest] <= LIST_WIDTH_MIN)
            return false;
        o->widths[widest]--;
    }
}

static size_t bytes_of_characters(struct mr_str text, size_t characters)
{
    size_t bytes = 0;

    for (; characters > 0 && bytes < text.size; characters--) {
        do
            bytes++;
        while (bytes < text.size && ((uint8_t)text.data[bytes] & 0xc0) == 0x80);
    }
    return bytes;
}

static void put_cell(struct list_output *o, size_t column, struct mr_str text)
{
    size_t width = o->widths[column];
    size_t length = mr_utf8_length(text);
    bool last = column + 1 == o->column_count;
    int fill = length < width ? (int)(width - length) : 0;

    if (o->columns[column].number)
        mr_write_text(&o->line, "%*s", fill, "");
    if (o->terminal > 0 && length > width && width > 0) {
        mr_write_str(&o->line, (struct mr_str){ text.data, bytes_of_characters(text, width - 1) });
        mr_write_text(&o->line, "…");
    } else {
        mr_write_str(&o->line, text);
    }
    if (!o->columns[column].number && !last)
        mr_write_text(&o->line, "%*s", fill, "");
    if (!last)
        mr_write_text(&o->line, "%*s", LIST_GAP, "");
}

static void flush_line(struct list_output *o)
{
    while (o->line.size > 0 && o->line.data[o->line.size - 1] == ' ')
        o->line.size--;
    fwrite(o->line.data, 1, o->line.size, o->file);
    fputc('\n', o->file);
    o->line.size = 0;
}

static void print_header(struct list_output *o)
{
    o->measured = true;
    o->vertical = !fit_widths(o);
    for (size_t i = 0; i < o->column_count; i++) {
        size_t width = mr_utf8_length(mr_str_of(title_of(&o->columns[i])));

        o->name_width = width > o->name_width ? width : o->name_width;
    }
    if (o->vertical)
        return;
    if (o->bold)
        fputs("\033[1m", o->file);
    for (size_t i = 0; i < o->column_count; i++)
        put_cell(o, i, mr_str_of(title_of(&o->columns[i])));
    flush_line(o);
    if (o->bold)
        fputs("\033[0m", o->file);
}

static void print_kept(struct list_output *o)
{
    const char *at = (const char *)o->cells.data;

    if (!o->measured)
        print_header(o);
    for (size_t row = 0; row < o->kept; row++) {
        if (o->vertical)
            fprintf(o->file, "%s-- row %zu\n", o->printed > 0 ? "\n" : "", o->printed + 1);
        for (size_t i = 0; i < o->column_count; i++) {
            if (o->vertical)
                fprintf(o->file, "%*s  %s\n", (int)o->name_width, title_of(&o->columns[i]), at);
            else
                put_cell(o, i, mr_str_of(at));
            at += strlen(at) + 1;
        }
        if (!o->vertical)
            flush_line(o);
        o->printed++;
    }
    o->cells.size = 0;
    o->kept = 0;
}

static const json_t *member(const json_t *row, const char *key)
{
    const json_t *value = json_object_get(row, key);
    const char *dot = strchr(key, '.');
    char first[128];

    if (value != NULL || dot == NULL || (size_t)(dot - key) >= sizeof(first))
        return value;
    snprintf(first, sizeof(first), "%.*s", (int)(dot - key), key);
    return member(json_object_get(row, first), dot + 1);
}

static void keep_row(struct list_output *o, const json_t *row)
{
    for (size_t i = 0; i < o->column_count; i++) {
        size_t start = o->cells.size;
        size_t width;

        list_cell_write(&o->cells, member(row, o->columns[i].key));
        width = mr_utf8_length((struct mr_str){ (const char *)o->cells.data + start, o->cells.size - start });
        if (!o->measured && width > o->widths[i])
            o->widths[i] = width;
        mr_write_u8(&o->cells, 0);
    }
    o->kept++;
}

void list_output_add(struct list_output *output, json_t *row)
{
    if (output->row_count == 0) {
        for (size_t i = 0; i < output->column_count; i++)
            output->widths[i] = mr_utf8_length(mr_str_of(title_of(&output->columns[i])));
    }
    output->row_count++;
    if (output->json) {
        list_json_print(row, output->file);
    } else {
        keep_row(output, row);
        if (output->measured || output->kept >= LIST_MEASURED)
            print_kept(output);
    }
    json_decref(row);
}

void list_output_flush(struct list_output *output)
{
    if (!output->json && output->kept > 0)
        print_kept(output);
    fflush(output->file);
}

size_t list_output_finish(struct list_output *output)
{
    size_t count = output->row_count;

    if (!output->json && count > 0)
        print_kept(output);
    fflush(output->file);
    mr_writer_deinit(&output->cells);
    mr_writer_deinit(&output->line);
    mr_free(output->widths);
    mr_free(output);
    return count;
}

void list_object_print(const json_t *object, bool json, FILE *file)
{
    const json_t *value;
    const char *key;
    size_t width = 0;

    if (json) {
        list_json_print(object, file);
        return;
    }
    json_object_foreach((json_t *)object, key, value)
    {
        if (!json_is_object(value) && !json_is_array(value) && strlen(key) > width)
            width = strlen(key);
    }
    json_object_foreach((json_t *)object, key, value)
    {
        struct mr_writer cell = { 0 };

        if (json_is_object(value) || json_is_array(value))
            continue;
        list_cell_write(&cell, value);
        fprintf(file, "%-*s  %.*s\n", (int)width, key, (int)cell.size, (const char *)cell.data);
        mr_writer_deinit(&cell);
    }
}

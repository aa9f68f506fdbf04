/* emit.c -- nested fields as JSON, indented JSON, YAML, XML or rows of CSV.
 *
 * The caller walks the data once; each format decides what an opening, a closing and a value look like. */
#include "simulate/simulate_int.h"

#include "base/text.h"

#include <string.h>

static void indent(struct simulate_emit *emit, int depth)
{
    for (int i = 0; i < depth; i++)
        mr_write_text(emit->out, "  ");
}

static void write_xml(struct mr_writer *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '&')
            mr_write_text(out, "&amp;");
        else if (*text == '<')
            mr_write_text(out, "&lt;");
        else if (*text == '>')
            mr_write_text(out, "&gt;");
        else
            mr_write_u8(out, (uint8_t)*text);
    }
}

static void write_csv(struct mr_writer *out, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        mr_write_str(out, mr_str_of(text));
        return;
    }
    mr_write_u8(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            mr_write_u8(out, '"');
        mr_write_u8(out, (uint8_t)*text);
    }
    mr_write_u8(out, '"');
}

/* What comes before a value: the comma, the line, the key. */
static void before(struct simulate_emit *emit, const char *key)
{
    int depth = emit->depth;
    bool first = depth == 0 || !emit->has_items[depth - 1];
    bool in_array = depth > 0 && emit->is_array[depth - 1];

    if (depth > 0)
        emit->has_items[depth - 1] = true;
    switch (emit->format) {
    case SIMULATE_JSON:
    case SIMULATE_PRETTY:
        if (!first)
            mr_write_u8(emit->out, ',');
        if (emit->format == SIMULATE_PRETTY && depth > 0) {
            mr_write_u8(emit->out, '\n');
            indent(emit, depth);
        }
        if (!in_array && key != NULL)
            mr_write_text(emit->out, emit->format == SIMULATE_PRETTY ? "\"%s\": " : "\"%s\":", key);
        break;
    case SIMULATE_YAML:
        if (depth > 0) {
            indent(emit, depth - 1);
            mr_write_text(emit->out, in_array ? "-" : "%s:", key);
        }
        break;
    case SIMULATE_XML:
        indent(emit, depth);
        mr_write_text(emit->out, "<%s>", key ? key : in_array ? emit->path[depth - 1] : "user");
        break;
    case SIMULATE_CSV:
        if (emit->has_items[0] && depth > 0) /* has_items[0] is: the row has a field */
            mr_write_u8(emit->out, ',');
        break;
    }
}

void simulate_emit_open(struct simulate_emit *emit, const char *key, bool is_array)
{
    int depth = emit->depth;

    assert(depth < SIMULATE_DEPTH_MAX);
    if (emit->format != SIMULATE_CSV)
        before(emit, key);
    if (emit->format == SIMULATE_JSON || emit->format == SIMULATE_PRETTY)
        mr_write_u8(emit->out, is_array ? '[' : '{');
    else if (emit->format == SIMULATE_YAML && depth > 0)
        mr_write_u8(emit->out, '\n');
    else if (emit->format == SIMULATE_XML)
        mr_write_u8(emit->out, '\n');
    emit->is_array[depth] = is_array;
    if (emit->format != SIMULATE_CSV || depth == 0)
        emit->has_items[depth] = false;
    emit->path[depth] = key;
    emit->depth++;
}

void simulate_emit_close(struct simulate_emit *emit)
{
    int depth = --emit->depth;

    switch (emit->format) {
    case SIMULATE_PRETTY:
        if (emit->has_items[depth]) {
            mr_write_u8(emit->out, '\n');
            indent(emit, depth);
        }
        mr_write_u8(emit->out, emit->is_array[depth] ? ']' : '}');
        break;
    case SIMULATE_JSON:
        mr_write_u8(emit->out, emit->is_array[depth] ? ']' : '}');
        break;
    case SIMULATE_XML:
        indent(emit, depth);
        mr_write_text(emit->out, "</%s>\n",
                      emit->path[depth]                        ? emit->path[depth]
                      : depth > 0 && emit->is_array[depth - 1] ? emit->path[depth - 1]
                                                               : "user");
        break;
    case SIMULATE_CSV:
        if (depth == 0)
            mr_write_text(emit->out, "\r\n");
        break;
    case SIMULATE_YAML:
        break;
    }
}

/* A column's name: "location.street.number". */
static void write_csv_name(struct simulate_emit *emit, const char *key)
{
    for (int i = 1; i < emit->depth; i++)
        mr_write_text(emit->out, "%s.", emit->path[i]);
    mr_write_str(emit->out, mr_str_of(key));
}

static void value(struct simulate_emit *emit, const char *key, const char *text, bool quoted)
{
    before(emit, key);
    switch (emit->format) {
    case SIMULATE_JSON:
    case SIMULATE_PRETTY:
        if (quoted)
            mr_write_json_string(emit->out, mr_str_of(text));
        else
            mr_write_str(emit->out, mr_str_of(text ? text : "null"));
        break;
    case SIMULATE_YAML:
        mr_write_u8(emit->out, ' ');
        if (quoted)
            mr_write_json_string(emit->out, mr_str_of(text)); /* YAML's double-quoted style takes JSON's escapes */
        else
            mr_write_str(emit->out, mr_str_of(text ? text : "null"));
        mr_write_u8(emit->out, '\n');
        break;
    case SIMULATE_XML:
        if (text != NULL)
            write_xml(emit->out, text);
        mr_write_text(emit->out, "</%s>\n", key);
        break;
    case SIMULATE_CSV:
        emit->has_items[0] = true;
        if (emit->names_only)
            write_csv_name(emit, key);
        else if (text != NULL)
            write_csv(emit->out, text);
        break;
    }
}

void simulate_emit_text(struct simulate_emit *emit, const char *key, const char *text)
{
    value(emit, key, text, text != NULL);
}

void simulate_emit_int(struct simulate_emit *emit, const char *key, int64_t number)
{
    char text[32];
    struct mr_writer w = { 0 };

    mr_write_text(&w, "%" PRId64, number);
    mr_write_u8(&w, 0);
    memcpy(text, w.data, w.size);
    mr_writer_deinit(&w);
    value(emit, key, text, false);
}

/* config_yaml.c -- a YAML file's mappings, flattened to dotted names: {kafka: {listen: X}} sets "kafka.listen".
 *
 * A list of scalars becomes one value, joined by commas (several listeners).  Anchors, aliases and tags are refused: a
 * settings file has no use for them, and alias bombs have. */
#include "base/config_int.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

enum { YAML_DEPTH_MAX = 8, YAML_NAME_BYTES = 256, YAML_VALUE_BYTES_MAX = 65536 };

struct yaml_walk {
    struct mr_config *config;
    const char *file;
    yaml_parser_t parser;
    struct mr_err *err;
};

static enum mr_status yaml_fail(struct yaml_walk *walk, yaml_mark_t mark, const char *what)
{
    return mr_err_set_at(walk->err, MR_INVALID, (int)mark.line + 1, (int)mark.column + 1, "%s:%zu:%zu: %s", walk->file,
                         mark.line + 1, mark.column + 1, what);
}

static enum mr_status yaml_next(struct yaml_walk *walk, yaml_event_t *event)
{
    if (!yaml_parser_parse(&walk->parser, event))
        return yaml_fail(walk, walk->parser.problem_mark,
                         walk->parser.problem ? walk->parser.problem : "this is not YAML");
    if (event->type == YAML_ALIAS_EVENT) {
        enum mr_status status = yaml_fail(walk, event->start_mark, "aliases are not allowed in a settings file");

        yaml_event_delete(event);
        return status;
    }
    return MR_OK;
}

static enum mr_status yaml_scalar(struct yaml_walk *walk, const char *name, const char *value, yaml_mark_t mark)
{
    char origin[512];
    enum mr_status status;

    snprintf(origin, sizeof(origin), "%s:%zu", walk->file, mark.line + 1);
    status = config_set_ranked(walk->config, name, value, origin, CONFIG_RANK_FILE, walk->err);
    if (status != MR_OK && walk->err != NULL) {
        walk->err->line = (int)mark.line + 1;
        walk->err->column = (int)mark.column + 1;
    }
    return status;
}

static enum mr_status yaml_list(struct yaml_walk *walk, const char *name, yaml_mark_t mark)
{
    struct mr_writer joined = { 0 };
    enum mr_status status = MR_OK;
    bool done = false;

    while (status == MR_OK && !done) {
        yaml_event_t event;

        status = yaml_next(walk, &event);
        if (status != MR_OK)
            break;
        if (event.type == YAML_SEQUENCE_END_EVENT)
            done = true;
        else if (event.type != YAML_SCALAR_EVENT || joined.size > YAML_VALUE_BYTES_MAX)
            status = yaml_fail(walk, event.start_mark, "a list may hold plain values only");
        else
            mr_write_text(&joined, "%s%s", joined.size ? "," : "", (const char *)event.data.scalar.value);
        yaml_event_delete(&event);
    }
    if (status == MR_OK) {
        mr_write_u8(&joined, 0);
        status = yaml_scalar(walk, name, (const char *)joined.data, mark);
    }
    mr_writer_deinit(&joined);
    return status;
}

static enum mr_status yaml_mapping(struct yaml_walk *walk, const char *prefix, int depth);

/* The value behind key NAME at MARK. */
static enum mr_status yaml_value(struct yaml_walk *walk, const char *name, int depth)
{
    yaml_event_t event;
    enum mr_status status = yaml_next(walk, &event);

    if (status != MR_OK)
        return status;
    if (event.type == YAML_SCALAR_EVENT)
        status = yaml_scalar(walk, name, (const char *)event.data.scalar.value, event.start_mark);
    else if (event.type == YAML_SEQUENCE_START_EVENT)
        status = yaml_list(walk, name, event.start_mark);
    else if (event.type == YAML_MAPPING_START_EVENT && depth < YAML_DEPTH_MAX)
        status = yaml_mapping(walk, name, depth + 1);
    else
        status = yaml_fail(walk, event.start_mark, "a value was expected here");
    yaml_event_delete(&event);
    return status;
}

static enum mr_status yaml_mapping(struct yaml_walk *walk, const char *prefix, int depth)
{
    for (;;) {
        char name[YAML_NAME_BYTES];
        yaml_event_t event;
        enum mr_status status = yaml_next(walk, &event);
        bool end;

        if (status != MR_OK)
            return status;
        end = event.type == YAML_MAPPING_END_EVENT;
        if (!end && event.type != YAML_SCALAR_EVENT)
            status = yaml_fail(walk, event.start_mark, "a setting's name was expected here");
        else if (!end && snprintf(name, sizeof(name), "%s%s%s", prefix, *prefix ? "." : "",
                                  (const char *)event.data.scalar.value) >= (int)sizeof(name))
            status = yaml_fail(walk, event.start_mark, "this name is too long");
        yaml_event_delete(&event);
        if (status == MR_OK && !end)
            status = yaml_value(walk, name, depth);
        if (end || status != MR_OK)
            return status;
    }
}

static enum mr_status yaml_document(struct yaml_walk *walk)
{
    for (;;) {
        yaml_event_t event;
        enum mr_status status = yaml_next(walk, &event);
        yaml_event_type_t type;

        if (status != MR_OK)
            return status;
        type = event.type;
        if (type == YAML_SCALAR_EVENT && event.data.scalar.length > 0)
            status = yaml_fail(walk, event.start_mark, "settings are written as \"name: value\"");
        if (type == YAML_SEQUENCE_START_EVENT)
            status = yaml_fail(walk, event.start_mark, "settings are written as \"name: value\", not as a list");
        yaml_event_delete(&event);
        if (status == MR_OK && type == YAML_MAPPING_START_EVENT)
            status = yaml_mapping(walk, "", 0);
        if (status != MR_OK || type == YAML_STREAM_END_EVENT)
            return status;
    }
}

enum mr_status mr_config_read_yaml(struct mr_config *config, struct mr_str text, const char *file, struct mr_err *err)
{
    struct yaml_walk walk = { .config = config, .file = file, .err = err };
    enum mr_status status;

    if (!yaml_parser_initialize(&walk.parser))
        return mr_err_set(err, MR_IO, "libyaml could not start");
    yaml_parser_set_input_string(&walk.parser, (const unsigned char *)text.data, text.size);
    status = yaml_document(&walk);
    yaml_parser_delete(&walk.parser);
    return status;
}

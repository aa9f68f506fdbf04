/* config.c -- values of an option table, checked where they are set, each with where it came from. */
#include "base/config.h"
#include "base/config_int.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { OPTION_NAME_BYTES = 128 };

struct config_value {
    char *text;   /* owned; NULL: unset */
    char *origin; /* owned; NULL: default */
    enum config_rank rank;
};

struct mr_config {
    const struct mr_option *options; /* borrowed */
    size_t option_count;
    struct config_value *values; /* owned, one an option */
};

struct mr_config *mr_config_new(const struct mr_option *options, size_t option_count)
{
    struct mr_config *config = MR_NEW(struct mr_config);

    config->options = options;
    config->option_count = option_count;
    config->values = mr_calloc(option_count, sizeof(*config->values));
    for (size_t i = 0; i < option_count; i++) {
        if (options[i].fallback != NULL)
            config->values[i].text = mr_strdup(options[i].fallback);
    }
    return config;
}

void mr_config_free(struct mr_config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < config->option_count; i++) {
        mr_free(config->values[i].text);
        mr_free(config->values[i].origin);
    }
    mr_free(config->values);
    mr_free(config);
}

static const struct mr_option *option_find(const struct mr_config *config, const char *name)
{
    for (size_t i = 0; i < config->option_count; i++) {
        if (strcmp(config->options[i].name, name) == 0)
            return &config->options[i];
    }
    return NULL;
}

static const struct config_value *value_of(const struct mr_config *config, const char *name)
{
    const struct mr_option *option = option_find(config, name);

    assert(option != NULL);
    return &config->values[option - config->options];
}

static bool choice_allows(const char *choices, const char *value)
{
    size_t length = strlen(value);

    for (const char *p = choices; p != NULL; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL) {
        if (length > 0 && strncmp(p, value, length) == 0 && (p[length] == '|' || p[length] == '\0'))
            return true;
    }
    return false;
}

static bool flag_parse(const char *value, bool *out)
{
    if (strcmp(value, "true") == 0 || strcmp(value, "yes") == 0 || strcmp(value, "1") == 0)
        *out = true;
    else if (strcmp(value, "false") == 0 || strcmp(value, "no") == 0 || strcmp(value, "0") == 0)
        *out = false;
    else
        return false;
    return true;
}

static enum mr_status option_check(const struct mr_option *option, const char *value, const char *origin,
                                   struct mr_err *err)
{
    int64_t number;
    bool flag;
    bool good = true;
    const char *expected = "";

    switch (option->kind) {
    case MR_OPTION_TEXT:
    case MR_OPTION_LIST:
        break;
    case MR_OPTION_INTEGER:
        good = mr_parse_i64(mr_str_of(value), &number) == MR_OK;
        expected = "a whole number";
        break;
    case MR_OPTION_FLAG:
        good = flag_parse(value, &flag);
        expected = "true or false";
        break;
    case MR_OPTION_CHOICE:
        good = choice_allows(option->choices, value);
        expected = option->choices;
        break;
    case MR_OPTION_DURATION:
        good = mr_parse_duration_ms(mr_str_of(value), &number) == MR_OK;
        expected = "a duration such as 10s or 500ms";
        break;
    case MR_OPTION_SIZE:
        good = mr_parse_size(mr_str_of(value), &number) == MR_OK;
        expected = "a size such as 64MiB";
        break;
    }
    if (!good)
        return mr_err_set(err, MR_INVALID, "%s: \"%s\" is not %s (%s)", origin, value, expected, option->name);
    return MR_OK;
}

static enum mr_status unknown_option(const struct mr_config *config, const char *name, const char *origin,
                                     struct mr_err *err)
{
    const char *names[256];
    size_t count = 0;
    const char *nearest;

    for (size_t i = 0; i < config->option_count && count < MR_COUNT(names); i++)
        names[count++] = config->options[i].name;
    nearest = mr_nearest(name, names, count);
    if (nearest != NULL)
        return mr_err_set(err, MR_INVALID, "%s: unknown setting \"%s\"; did you mean \"%s\"?", origin, name, nearest);
    return mr_err_set(err, MR_INVALID, "%s: unknown setting \"%s\"", origin, name);
}

/* Gives SLOT the VALUE; of a list also what it has, when that came from the flags too. */
static void value_set(struct config_value *slot, enum mr_option_kind kind, const char *value, enum config_rank rank)
{
    struct mr_writer joined = { 0 };

    if (kind == MR_OPTION_LIST && rank == CONFIG_RANK_FLAG && slot->rank == rank) {
        mr_write_text(&joined, "%s\n%s", slot->text, value);
        mr_free(slot->text);
        slot->text = mr_str_dup(mr_str_of_bytes(mr_writer_bytes(&joined)));
        mr_writer_deinit(&joined);
        return;
    }
    mr_free(slot->text);
    slot->text = mr_strdup(value);
}

enum mr_status config_set_ranked(struct mr_config *config, const char *name, const char *value, const char *origin,
                                 enum config_rank rank, struct mr_err *err)
{
    const struct mr_option *option = option_find(config, name);
    struct config_value *slot;
    enum mr_status status;

    if (option == NULL)
        return unknown_option(config, name, origin, err);
    status = option_check(option, value, origin, err);
    if (status != MR_OK)
        return status;
    slot = &config->values[option - config->options];
    if (slot->rank > rank)
        return MR_OK;
    value_set(slot, option->kind, value, rank);
    mr_free(slot->origin);
    slot->origin = mr_strdup(origin);
    slot->rank = rank;
    return MR_OK;
}

enum mr_status mr_config_set(struct mr_config *config, const char *name, const char *value, const char *origin,
                             struct mr_err *err)
{
    return config_set_ranked(config, name, value, origin, CONFIG_RANK_FLAG, err);
}

static void variable_name(char *out, const char *name)
{
    int used = snprintf(out, OPTION_NAME_BYTES, "MILLRACE_%s", name);

    assert(used < OPTION_NAME_BYTES);
    for (char *p = out; *p != '\0'; p++)
        *p = *p == '.' || *p == '-' ? '_' : (char)toupper((unsigned char)*p);
}

enum mr_status mr_config_read_environment(struct mr_config *config, char *const *environment, struct mr_err *err)
{
    for (size_t i = 0; i < config->option_count; i++) {
        char variable[OPTION_NAME_BYTES];
        size_t length;

        variable_name(variable, config->options[i].name);
        length = strlen(variable);
        for (char *const *e = environment; *e != NULL; e++) {
            enum mr_status status;

            if (strncmp(*e, variable, length) != 0 || (*e)[length] != '=')
                continue;
            status = config_set_ranked(config, config->options[i].name, *e + length + 1, variable,
                                       CONFIG_RANK_ENVIRONMENT, err);
            if (status != MR_OK)
                return status;
        }
    }
    return MR_OK;
}

/* The option of flag text ARG ("--name", "--name=value", "-n", "-nvalue"); *VALUE points behind it or is NULL. */
static const struct mr_option *flag_find(const struct mr_config *config, const char *arg, const char **value)
{
    const char *equals = strchr(arg, '=');

    *value = NULL;
    for (size_t i = 0; i < config->option_count; i++) {
        const struct mr_option *option = &config->options[i];
        size_t length = option->flag ? strlen(option->flag) : 0;

        if (option->short_flag != 0 && arg[1] == option->short_flag && arg[2] == '\0')
            return option;
        if (option->short_flag != 0 && arg[1] == option->short_flag && option->kind != MR_OPTION_FLAG) {
            *value = arg + 2;
            return option;
        }
        if (option->flag == NULL || strncmp(arg, "--", 2) != 0 || strncmp(arg + 2, option->flag, length) != 0)
            continue;
        if (arg[2 + length] == '\0')
            return option;
        if (equals == arg + 2 + length) {
            *value = equals + 1;
            return option;
        }
    }
    return NULL;
}

static enum mr_status unknown_flag(const struct mr_config *config, const char *arg, struct mr_err *err)
{
    const char *flags[256];
    char name[OPTION_NAME_BYTES];
    size_t count = 0;
    const char *nearest;

    snprintf(name, sizeof(name), "%s", arg + strspn(arg, "-"));
    name[strcspn(name, "=")] = '\0';
    for (size_t i = 0; i < config->option_count && count < MR_COUNT(flags); i++) {
        if (config->options[i].flag != NULL)
            flags[count++] = config->options[i].flag;
    }
    nearest = mr_nearest(name, flags, count);
    if (nearest != NULL)
        return mr_err_set(err, MR_INVALID, "unknown option %s; did you mean --%s?", arg, nearest);
    return mr_err_set(err, MR_INVALID, "unknown option %s; --help lists those there are", arg);
}

enum mr_status mr_config_read_flags(struct mr_config *config, int argc, char **argv, char **rest, int *rest_count,
                                    struct mr_err *err)
{
    int count = 0;
    bool only_rest = false;

    for (int i = 0; i < argc; i++) {
        const struct mr_option *option;
        const char *value;
        enum mr_status status;
        char origin[OPTION_NAME_BYTES];

        if (only_rest || argv[i][0] != '-' || argv[i][1] == '\0') {
            rest[count++] = argv[i];
            continue;
        }
        if (strcmp(argv[i], "--") == 0) {
            only_rest = true;
            continue;
        }
        option = flag_find(config, argv[i], &value);
        if (option == NULL)
            return unknown_flag(config, argv[i], err);
        snprintf(origin, sizeof(origin), "%.*s", argv[i][1] == '-' ? (int)strcspn(argv[i], "=") : 2, argv[i]);
        if (value == NULL && option->kind == MR_OPTION_FLAG)
            value = "true";
        if (value == NULL && i + 1 >= argc)
            return mr_err_set(err, MR_INVALID, "%s wants a value: %s %s", origin, origin,
                              option->argument ? option->argument : "VALUE");
        if (value == NULL)
            value = argv[++i];
        status = mr_config_set(config, option->name, value, origin, err);
        if (status != MR_OK)
            return status;
    }
    *rest_count = count;
    return MR_OK;
}

const char *mr_config_text(const struct mr_config *config, const char *name)
{
    return value_of(config, name)->text;
}

int64_t mr_config_integer(const struct mr_config *config, const char *name)
{
    const struct mr_option *option = option_find(config, name);
    const char *text = mr_config_text(config, name);
    int64_t v = 0;
    enum mr_status status = MR_OK;

    assert(option != NULL);
    if (text == NULL)
        return 0;
    if (option->kind == MR_OPTION_DURATION)
        status = mr_parse_duration_ms(mr_str_of(text), &v);
    else if (option->kind == MR_OPTION_SIZE)
        status = mr_parse_size(mr_str_of(text), &v);
    else
        status = mr_parse_i64(mr_str_of(text), &v);
    assert(status == MR_OK); /* checked when it was set */
    return v;
}

bool mr_config_flag(const struct mr_config *config, const char *name)
{
    const char *text = mr_config_text(config, name);
    bool v = false;

    return text != NULL && flag_parse(text, &v) && v;
}

const char *mr_config_origin(const struct mr_config *config, const char *name)
{
    const char *origin = value_of(config, name)->origin;

    return origin ? origin : "default";
}

void mr_options_help(const struct mr_option *options, size_t option_count, struct mr_writer *out)
{
    enum { HELP_COLUMN = 30 };

    for (size_t i = 0; i < option_count; i++) {
        const struct mr_option *o = &options[i];
        char left[96];
        int used;

        if (o->flag == NULL && o->short_flag == 0)
            continue;
        used = snprintf(left, sizeof(left), "  ");
        if (o->short_flag != 0)
            used += snprintf(left + used, sizeof(left) - (size_t)used, "-%c%s", o->short_flag, o->flag ? ", " : "");
        if (o->flag != NULL)
            used += snprintf(left + used, sizeof(left) - (size_t)used, "--%s", o->flag);
        if (o->kind != MR_OPTION_FLAG)
            snprintf(left + used, sizeof(left) - (size_t)used, " %s", o->argument ? o->argument : o->choices);
        mr_write_text(out, "%-*s", HELP_COLUMN, left);
        if (strlen(left) >= HELP_COLUMN)
            mr_write_text(out, "\n%*s", HELP_COLUMN, "");
        mr_write_text(out, "%s", o->help);
        if (o->fallback != NULL && o->kind != MR_OPTION_FLAG)
            mr_write_text(out, " (%s)", o->fallback);
        mr_write_text(out, "\n");
    }
}

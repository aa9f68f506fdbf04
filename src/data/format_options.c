/* format_options.c -- what the options of a table say of its format: 'csv.field-delimiter' and the others. */
#include "data/data.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Options of a format.  ALLOWED: the one value that means what we do. */
static const struct data_format_option options[] = {
    { "json.ignore-parse-errors", "false",
      "nothing is dropped silently here; what to do with a bad record says SET 'records.on-error' = 'dlq', 'fail' or "
      "'skip'" },
    { "json.fail-on-missing-field", "false",
      "a missing field is NULL; say NOT NULL in the column's type to refuse it" },
    { "json.timestamp-format.standard", NULL, "'SQL' (2024-02-09 12:03:04.5, the default) or 'ISO-8601' (with a T)." },
    { "json.map-null-key.mode", NULL, "Has no effect: a MAP's key is never NULL." },
    { "json.map-null-key.literal", NULL, "Has no effect." },
    { "json.encode.decimal-as-plain-number", NULL, "Has no effect: a DECIMAL is always written with plain digits." },
    { "json.encode.ignore-null-fields", "false", "NULL is always written as null" },
    { "csv.field-delimiter", NULL, "Between fields; ',' is the default; '\\t' is a tab." },
    { "csv.quote-character", NULL, "Around fields; '\"' is the default." },
    { "csv.disable-quote-character", NULL, "'true': there are no quotes." },
    { "csv.escape-character", NULL, "Before a character that stands for itself; none by default." },
    { "csv.null-literal", NULL, "The text that is NULL; none by default: an empty field is NULL, but of STRING ''." },
    { "csv.array-element-delimiter", NULL, "Between the elements of an ARRAY and the fields of a ROW; ';'." },
    { "csv.allow-comments", NULL, "'true': lines that begin with # are passed over." },
    { "csv.ignore-parse-errors", "false",
      "nothing is dropped silently here; what to do with a bad record says SET 'records.on-error' = 'dlq', 'fail' or "
      "'skip'" },
    { "csv.write-bigdecimal-in-scientific-notation", "false", "a DECIMAL is always written with plain digits" },
    { "raw.charset", "UTF-8", "texts are UTF-8" },
    { "raw.endianness", "big-endian", "numbers are big-endian" },
    { NULL, NULL, NULL },
};

const struct data_format_option *data_format_options(void)
{
    return options;
}

bool data_format_find(struct mr_str name, enum data_format_kind *out)
{
    static const char *const names[] = {
        [DATA_FORMAT_JSON] = "json", [DATA_FORMAT_CSV] = "csv", [DATA_FORMAT_RAW] = "raw"
    };

    for (size_t i = 0; i < MR_COUNT(names); i++) {
        if (mr_str_equal(name, mr_str_of(names[i]))) {
            *out = (enum data_format_kind)i;
            return true;
        }
    }
    return false;
}

struct data_format data_format_default(enum data_format_kind kind)
{
    return (struct data_format){
        .kind = kind, .csv_delimiter = ',', .csv_quote = '"', .csv_escape = -1, .csv_elements = MR_STR(";")
    };
}

/* One ASCII character, or \t. */
static bool character_read(const char *value, char *out)
{
    *out = strcmp(value, "\\t") == 0 ? '\t' : value[0];
    return (value[0] != '\0' && value[1] == '\0' && (unsigned char)value[0] < 0x80 && value[0] != '\n') ||
           strcmp(value, "\\t") == 0;
}

/* The value of PREFIX NAME, or NULL. */
static const char *option_get(const char *prefix, const char *name, data_option_fn *option, const void *arg)
{
    char text[96];

    snprintf(text, sizeof(text), "%s%s", prefix, name);
    return option(arg, text);
}

static enum mr_status csv_characters_read(struct data_format *f, const char *prefix, data_option_fn *option,
                                          const void *arg, struct mr_err *err)
{
    static const char *const names[] = { "csv.field-delimiter", "csv.quote-character", "csv.escape-character" };

    for (size_t i = 0; i < MR_COUNT(names); i++) {
        const char *value = option_get(prefix, names[i], option, arg);
        char c = 0;

        if (value == NULL)
            continue;
        if (!character_read(value, &c))
            return mr_err_set(err, MR_INVALID, "option '%s%s' = '%s' is not one ASCII character", prefix, names[i],
                              value);
        if (i == 0)
            f->csv_delimiter = c;
        else if (i == 1)
            f->csv_quote = c;
        else
            f->csv_escape = c;
    }
    return MR_OK;
}

enum mr_status data_format_read(struct data_format *out, enum data_format_kind kind, const char *prefix,
                                data_option_fn *option, const void *arg, struct mr_err *err)
{
    struct data_format f = data_format_default(kind);
    const char *value = option_get(prefix, "json.timestamp-format.standard", option, arg);
    enum mr_status status = csv_characters_read(&f, prefix, option, arg, err);

    if (status != MR_OK)
        return status;
    if (value != NULL && strcmp(value, "SQL") != 0 && strcmp(value, "ISO-8601") != 0)
        return mr_err_set(err, MR_INVALID,
                          "option '%sjson.timestamp-format.standard' = '%s' is neither 'SQL' nor "
                          "'ISO-8601'",
                          prefix, value);
    f.iso8601 = value != NULL && value[0] == 'I';
    value = option_get(prefix, "csv.disable-quote-character", option, arg);
    if (value != NULL && strcasecmp(value, "true") == 0)
        f.csv_quote = -1;
    value = option_get(prefix, "csv.allow-comments", option, arg);
    f.csv_comments = value != NULL && strcasecmp(value, "true") == 0;
    value = option_get(prefix, "csv.null-literal", option, arg);
    if (value != NULL)
        f.csv_null = mr_str_of(value);
    value = option_get(prefix, "csv.array-element-delimiter", option, arg);
    if (value != NULL)
        f.csv_elements = mr_str_of(value);
    if (f.csv_quote == f.csv_delimiter || f.csv_escape == f.csv_delimiter)
        return mr_err_set(err, MR_INVALID, "csv: delimiter, quote and escape must be different characters");
    *out = f;
    return MR_OK;
}

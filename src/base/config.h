/* config.h -- settings from one table: YAML file, environment (MILLRACE_…) and flags, each over the one before,
 * in whatever order they are read.
 *
 * The table also makes `--help` and the documentation, so they cannot drift.  A setting's name is its path in the YAML
 * file
 * ("kafka.listen" is listen: below kafka:); its variable is MILLRACE_KAFKA_LISTEN; its flag is named in the table. */
#ifndef MR_CONFIG_H
#define MR_CONFIG_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum mr_option_kind {
    MR_OPTION_TEXT,
    MR_OPTION_INTEGER,
    MR_OPTION_FLAG,     /* true or false; as a flag it takes no value */
    MR_OPTION_CHOICE,   /* one of choices, "a|b|c" */
    MR_OPTION_DURATION, /* "10 s", "500 ms" */
    MR_OPTION_SIZE,     /* "64 MiB" */
    MR_OPTION_LIST,     /* text; a flag may come several times, mr_config_text then joins the values by newlines */
};

struct mr_option {
    const char *name; /* "kafka.listen" */
    const char *flag; /* "kafka-listen" for --kafka-listen; NULL: none */
    char short_flag;  /* 'e' for -e; 0: none */
    enum mr_option_kind kind;
    const char *argument; /* how --help names the value: "HOST:PORT" */
    const char *fallback; /* the default; NULL: unset */
    const char *choices;  /* for MR_OPTION_CHOICE */
    const char *help;     /* one sentence */
};

/* Values for one table of options. */
struct mr_config;

/* A configuration in which every option has its default; OPTIONS is borrowed for the configuration's life.  Caller
 * owns. */
struct mr_config *mr_config_new(const struct mr_option *options, size_t option_count);
void mr_config_free(struct mr_config *config); /* NULL is legal */

/* Sets option NAME, over file and environment; ORIGIN says from where ("--kafka-listen").  MR_INVALID: no such option
 * (err names the nearest) or a value that its kind does not allow. */
MR_MUST_CHECK enum mr_status mr_config_set(struct mr_config *config, const char *name, const char *value,
                                           const char *origin, struct mr_err *err);
/* Reads YAML TEXT (mappings of scalars; FILE names it in messages).  MR_INVALID with line and column. */
MR_MUST_CHECK enum mr_status mr_config_read_yaml(struct mr_config *config, struct mr_str text, const char *file,
                                                 struct mr_err *err);
/* Reads the variables MILLRACE_<NAME> of ENVIRONMENT ("NAME=value" strings, ends with NULL).  Others are left alone. */
MR_MUST_CHECK enum mr_status mr_config_read_environment(struct mr_config *config, char *const *environment,
                                                        struct mr_err *err);
/* Takes the flags out of ARGV ("--flag value", "--flag=value", "-f value", "-fvalue"; "--" ends them) and leaves the
 * rest: *REST gets pointers into ARGV (room for ARGC of them), *REST_COUNT how many.  MR_INVALID: an unknown
 * flag (err names the nearest), a missing or wrong value. */
MR_MUST_CHECK enum mr_status mr_config_read_flags(struct mr_config *config, int argc, char **argv, char **rest,
                                                  int *rest_count, struct mr_err *err);

/* The value of NAME (which must be in the table), or NULL when unset; borrowed until the next set. */
const char *mr_config_text(const struct mr_config *config, const char *name);
/* The value as its kind says: milliseconds, bytes, the number; 0 when unset. */
int64_t mr_config_integer(const struct mr_config *config, const char *name);
/* Is the flag true? */
bool mr_config_flag(const struct mr_config *config, const char *name);
/* Where the value came from: "default", "millrace.yaml:3", "MILLRACE_DATA_DIR", "--data-dir". */
const char *mr_config_origin(const struct mr_config *config, const char *name);

/* Appends the table as the options part of a --help page. */
void mr_options_help(const struct mr_option *options, size_t option_count, struct mr_writer *out);

#ifdef __cplusplus
}
#endif
#endif

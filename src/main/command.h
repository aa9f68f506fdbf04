/* command.h -- one noun or verb of the command line, as a table row that also makes its --help, its part of the man
 * page, of docs/cli.md and of the shells' completion.
 *
 * A noun has verbs ("topic list"); a command without them runs itself.  Exit codes are an interface: scripts rely on
 * them. */
#ifndef MAIN_COMMAND_H
#define MAIN_COMMAND_H

#include "base/base.h"
#include "base/config.h"

enum main_exit {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_CONFIGURATION = 3,
    EXIT_DATA_DIR = 4, /* in use, of a newer format, or not to be read or written */
};

struct command {
    const char *name;    /* "run"; of a verb "list" */
    const char *summary; /* one line for `millrace --help` */
    const char *usage;   /* "millrace run [DIR|FILE] [OPTION...]" */
    const char *text;    /* a paragraph, may be NULL */
    const char *example; /* lines, each indented by two spaces */
    const struct mr_option *options;
    size_t option_count;
    int rest_min; /* words that are no options */
    int rest_max;
    const struct command *const *verbs; /* of a noun, ends with NULL; then the fields from options to run are unused */
    const char *words; /* for completion: "topic", "group", "query", "dag" or "a|b|c"; NULL: files, or none */
    /* CONFIG holds the flags (and, for options it names, nothing else yet); REST the other words.  Returns an exit
     * code. */
    int (*run)(struct mr_config *config, char **rest, int rest_count);
};

extern const struct command command_run;
extern const struct command command_sql;
extern const struct command command_status;
extern const struct command command_topic;
extern const struct command command_produce;
extern const struct command command_consume;
extern const struct command command_group;
extern const struct command command_cql;
extern const struct command command_dag;
extern const struct command command_query;
extern const struct command command_dlq;
extern const struct command command_config;
extern const struct command command_simulate;
extern const struct command command_docs;
extern const struct command command_completion;

/* All of them in the order of `millrace --help`; ends with NULL. */
extern const struct command *const commands_all[];

/* The option table row that every command with rows to print has. */
#define OUTPUT_OPTION                                                                                                  \
    {                                                                                                                  \
        "output", "output", 'o', MR_OPTION_CHOICE, NULL, "table", "table|json",                                        \
            "a table for people, or JSON: one object a line"                                                           \
    }

/* The whole program: finds the command in ARGV, reads its flags, runs it.  Returns the exit code. */
int command_main(int argc, char **argv);

/* Prints "millrace: MESSAGE" to standard error, in red on a terminal unless NO_COLOR is set. */
void command_error(const char *format, ...) MR_PRINTF(1, 2);
/* Prints ERR's text likewise; returns EXIT_FAILED. */
int command_fail(const struct mr_err *err);
/* Prints what is wrong with the words on the command line; returns EXIT_USAGE. */
int command_usage(const char *format, ...) MR_PRINTF(1, 2);
/* The exit code for a failure that is not about usage: MR_BUSY, MR_UNSUPPORTED and MR_CORRUPT of a data directory → 4…
 */
int command_exit_of(enum mr_status status);
/* Is standard output (error) a terminal that wants colour? */
bool command_colour(int descriptor);
/* Does CONFIG's option "output" say json? */
bool command_json(const struct mr_config *config);

#endif

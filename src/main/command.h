/* command.h -- one noun or verb of the command line, as a table row that also makes its --help.
 *
 * Exit codes are an interface: scripts rely on them. */
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
    const char *name;    /* "run" */
    const char *summary; /* one line for `millrace --help` */
    const char *usage;   /* "millrace run [DIR|FILE] [OPTION...]" */
    const char *text;    /* a paragraph, may be NULL */
    const char *example; /* lines, each indented by two spaces */
    const struct mr_option *options;
    size_t option_count;
    int rest_min; /* words that are no options */
    int rest_max;
    /* CONFIG holds the flags (and, for options it names, nothing else yet); REST the other words.  Returns an exit
     * code. */
    int (*run)(struct mr_config *config, char **rest, int rest_count);
};

extern const struct command command_run;
extern const struct command command_query;
extern const struct command command_sql;
extern const struct command command_status;
extern const struct command command_simulate;
extern const struct command command_docs;

/* The whole program: finds the command in ARGV, reads its flags, runs it.  Returns the exit code. */
int command_main(int argc, char **argv);

/* Prints "millrace: MESSAGE" to standard error, in red on a terminal unless NO_COLOR is set. */
void command_error(const char *format, ...) MR_PRINTF(1, 2);
/* The exit code for a failure that is not about usage: MR_BUSY, MR_UNSUPPORTED and MR_CORRUPT of a data directory → 4…
 */
int command_exit_of(enum mr_status status);
/* Is standard output (error) a terminal that wants colour? */
bool command_colour(int descriptor);

#endif

/* command.c -- finds the command, reads its flags, prints help. */
#include "main/command.h"
#include "base/text.h"
#include "main/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command *const commands[] = {
    &command_run, &command_sql, &command_status, &command_query, &command_simulate, &command_docs,
};

bool command_colour(int descriptor)
{
    const char *no_color = getenv("NO_COLOR");

    return isatty(descriptor) && (no_color == NULL || no_color[0] == '\0');
}

void command_error(const char *format, ...)
{
    char text[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (command_colour(STDERR_FILENO))
        fprintf(stderr, "\033[31mmillrace:\033[0m %s\n", text);
    else
        fprintf(stderr, "millrace: %s\n", text);
}

int command_exit_of(enum mr_status status)
{
    switch (status) {
    case MR_OK:
        return EXIT_DONE;
    case MR_INVALID:
    case MR_DENIED:
        return EXIT_CONFIGURATION;
    case MR_NEED_MORE:
    case MR_NOT_FOUND:
    case MR_EXISTS:
    case MR_LIMIT:
    case MR_BUSY:
    case MR_CORRUPT:
    case MR_IO:
    case MR_UNSUPPORTED:
    case MR_STATUS_N:
        break;
    }
    return EXIT_FAILED;
}

static void print_overview(FILE *out)
{
    fprintf(out, "millrace: a log that speaks Kafka, streaming SQL and tables that speak CQL, in one process\n\n"
                 "Usage: millrace COMMAND [OPTION...]\n\n");
    for (size_t i = 0; i < MR_COUNT(commands); i++)
        fprintf(out, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(out, "\n  --version    print the version\n  --help       print this; after a command: its options\n\n"
                 "Example:\n  millrace run examples/random_names\n\n"
                 "Exit codes: 0 done, 1 failed, 2 usage, 3 configuration, 4 data directory in use or unusable.\n");
}

static void print_command_help(const struct command *command)
{
    struct mr_writer options = { 0 };

    mr_options_help(command->options, command->option_count, &options);
    printf("Usage: %s\n\n%s.\n", command->usage, command->summary);
    if (command->text != NULL)
        printf("\n%s\n", command->text);
    printf("\nOptions:\n%.*s  -h, --help                  Print this\n", (int)options.size, (const char *)options.data);
    printf("\nExample:\n%s\n", command->example);
    mr_writer_deinit(&options);
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    }
    return false;
}

static int command_start(const struct command *command, int argc, char **argv)
{
    struct mr_config *config = mr_config_new(command->options, command->option_count);
    char **rest = mr_calloc((size_t)argc + 1, sizeof(*rest));
    struct mr_err err = MR_ERR_INIT;
    int rest_count = 0;
    int code;

    if (mr_config_read_flags(config, argc, argv, rest, &rest_count, &err) != MR_OK) {
        command_error("%s", err.text);
        code = EXIT_USAGE;
    } else if (rest_count < command->rest_min || rest_count > command->rest_max) {
        if (rest_count > command->rest_max)
            command_error("\"%s\" is one word too many; usage: %s", rest[command->rest_max], command->usage);
        else
            command_error("something is missing; usage: %s", command->usage);
        code = EXIT_USAGE;
    } else {
        code = command->run(config, rest, rest_count);
    }
    mr_free(rest);
    mr_config_free(config);
    return code;
}

static int unknown_command(const char *name)
{
    const char *names[MR_COUNT(commands)];
    const char *nearest;

    for (size_t i = 0; i < MR_COUNT(commands); i++)
        names[i] = commands[i]->name;
    nearest = mr_nearest(name, names, MR_COUNT(names));
    if (nearest != NULL)
        command_error("there is no command \"%s\"; did you mean \"%s\"?", name, nearest);
    else
        command_error("there is no command \"%s\"; millrace --help lists them", name);
    return EXIT_USAGE;
}

int command_main(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
        printf("millrace %s\n", MILLRACE_VERSION);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_overview(stdout);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < MR_COUNT(commands); i++) {
        if (strcmp(commands[i]->name, argv[1]) != 0)
            continue;
        if (asks_for_help(argc - 2, argv + 2)) {
            print_command_help(commands[i]);
            return EXIT_DONE;
        }
        return command_start(commands[i], argc - 2, argv + 2);
    }
    return unknown_command(argv[1]);
}

/* command.c -- finds the command and its verb, reads the flags, prints help. */
#include "main/command.h"
#include "base/text.h"
#include "main/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VERBS_MAX = 32 };

const struct command *const commands_all[] = {
    &command_run,      &command_sql,  &command_status,     &command_topic, &command_produce, &command_consume,
    &command_group,    &command_cql,  &command_query,      &command_dlq,   &command_dag,     &command_config,
    &command_simulate, &command_docs, &command_completion, NULL,
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

int command_fail(const struct mr_err *err)
{
    command_error("%s", err->text);
    return EXIT_FAILED;
}

int command_usage(const char *format, ...)
{
    char text[2048];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    command_error("%s", text);
    return EXIT_USAGE;
}

bool command_json(const struct mr_config *config)
{
    return strcmp(mr_config_text(config, "output"), "json") == 0;
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

static void print_summaries(FILE *out, const struct command *const *commands)
{
    for (; *commands != NULL; commands++)
        fprintf(out, "  %-12s %s\n", (*commands)->name, (*commands)->summary);
}

static void print_overview(FILE *out)
{
    fprintf(out, "millrace: a log that speaks Kafka, streaming SQL and tables that speak CQL, in one process\n\n"
                 "Usage: millrace COMMAND [OPTION...]\n\n");
    print_summaries(out, commands_all);
    fprintf(out, "\n  --version    print the version\n  --help       print this; after a command: its options\n\n"
                 "Example:\n  millrace run examples/random_names\n\n"
                 "Exit codes: 0 done, 1 failed, 2 usage, 3 configuration, 4 data directory in use or unusable.\n");
}

static void print_noun_help(FILE *out, const struct command *noun)
{
    fprintf(out, "Usage: %s\n\n%s.\n", noun->usage, noun->summary);
    if (noun->text != NULL)
        fprintf(out, "\n%s\n", noun->text);
    fprintf(out, "\n");
    print_summaries(out, noun->verbs);
    fprintf(out, "\n  --help       print this; after a verb: its options\n\nExample:\n%s\n", noun->example);
}

static void print_command_help(const struct command *command)
{
    struct mr_writer options = { 0 };

    mr_options_help(command->options, command->option_count, &options);
    printf("Usage: %s\n\n%s.\n", command->usage, command->summary);
    if (command->text != NULL)
        printf("\n%s\n", command->text);
    printf("\nOptions:\n%.*s  -h, --help                  Print this\n", (int)options.size,
           options.data ? (const char *)options.data : "");
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

/* NOUN is the command whose verb it should be; NULL: it should be a command. */
static int unknown_word(const char *name, const struct command *const *commands, const struct command *noun)
{
    const char *names[VERBS_MAX];
    const char *nearest;
    const char *before = noun ? noun->name : "";
    const char *space = noun ? " " : "";
    size_t count = 0;

    for (; commands[count] != NULL && count < MR_COUNT(names); count++)
        names[count] = commands[count]->name;
    nearest = mr_nearest(name, names, count);
    if (nearest != NULL)
        command_error("there is no command \"%s%s%s\"; did you mean \"%s%s%s\"?", before, space, name, before, space,
                      nearest);
    else
        command_error("there is no command \"%s%s%s\"; millrace %s%s--help lists them", before, space, name, before,
                      space);
    return EXIT_USAGE;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

static const struct command *find(const char *name, const struct command *const *commands)
{
    for (; *commands != NULL; commands++) {
        if (strcmp((*commands)->name, name) == 0)
            return *commands;
    }
    return NULL;
}

static int noun_start(const struct command *noun, int argc, char **argv)
{
    const struct command *verb = argc > 0 ? find(argv[0], noun->verbs) : NULL;

    if (argc == 0) {
        print_noun_help(stderr, noun);
        return EXIT_USAGE;
    }
    if (is_help(argv[0])) {
        print_noun_help(stdout, noun);
        return EXIT_DONE;
    }
    if (verb == NULL)
        return unknown_word(argv[0], noun->verbs, noun);
    if (asks_for_help(argc - 1, argv + 1)) {
        print_command_help(verb);
        return EXIT_DONE;
    }
    return command_start(verb, argc - 1, argv + 1);
}

int command_main(int argc, char **argv)
{
    const struct command *command;

    if (argc < 2) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
        printf("millrace %s\n", MILLRACE_VERSION);
        return EXIT_DONE;
    }
    if (is_help(argv[1])) {
        print_overview(stdout);
        return EXIT_DONE;
    }
    command = find(argv[1], commands_all);
    if (command == NULL)
        return unknown_word(argv[1], commands_all, NULL);
    if (command->verbs != NULL)
        return noun_start(command, argc - 2, argv + 2);
    if (asks_for_help(argc - 2, argv + 2)) {
        print_command_help(command);
        return EXIT_DONE;
    }
    return command_start(command, argc - 2, argv + 2);
}

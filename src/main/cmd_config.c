/* cmd_config.c -- millrace config: each setting, its value, and where that came from. */
#include "base/env.h"
#include "main/command.h"
#include "main/data_dir.h"
#include "main/list_output.h"
#include "main/settings.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct mr_option options[] = {
    OUTPUT_OPTION,
    SETTINGS_TABLE,
};

static json_t *setting_json(const struct mr_config *config, const struct mr_option *option, const char *project)
{
    const char *value = mr_config_text(config, option->name);
    char path[MR_PATH_BYTES];

    if (value == NULL && strcmp(option->name, "data-dir") == 0 && data_dir_resolve(NULL, project, path, NULL) == MR_OK)
        value = path;
    return json_pack("{s:s, s:o, s:o, s:s}", "setting", option->name, "value", list_text(value), "from",
                     list_text(mr_config_origin(config, option->name)), "help", option->help);
}

static int run(struct mr_config *config, char **rest, int rest_count)
{
    static const struct list_column columns[] = {
        { "setting", NULL, false },
        { "value", NULL, false },
        { "from", NULL, false },
    };
    const char *project = rest_count > 0 ? rest[0] : access("millrace.yaml", F_OK) == 0 ? "." : NULL;
    bool json = command_json(config);
    struct list_output *output;
    struct mr_err err = MR_ERR_INIT;
    struct stat facts;

    if (rest_count > 0 && (stat(project, &facts) != 0 || !S_ISDIR(facts.st_mode)))
        return command_usage("there is no folder %s", project);
    if (settings_complete(config, project, &err) != MR_OK) {
        command_error("%s", err.text);
        return EXIT_CONFIGURATION;
    }
    output = list_output_new(columns, MR_COUNT(columns), json, stdout);
    for (size_t i = 0; i < MR_COUNT(options); i++) {
        if (strcmp(options[i].name, "output") != 0)
            list_output_add(output, setting_json(config, &options[i], project));
    }
    list_output_finish(output);
    return EXIT_DONE;
}

const struct command command_config = {
    .name = "config",
    .summary = "Show each setting, its value and where it came from",
    .usage = "millrace config [DIR] [OPTION...]",
    .text =
        "What millrace run DIR with the same options would use: a flag wins over a variable (MILLRACE_…), that over\n"
        "DIR/millrace.yaml, that over the default.",
    .example = "  millrace config examples/random_names\n  MILLRACE_DURABILITY=relaxed millrace config --output json",
    .options = options,
    .option_count = MR_COUNT(options),
    .rest_max = 1,
    .run = run,
};

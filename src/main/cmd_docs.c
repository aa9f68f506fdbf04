/* cmd_docs.c -- millrace docs: prints its own tables as Markdown, so that the documentation can't say anything else.
 *
 * tools/gen_docs.py puts them between the marks in docs/ and, as a test, finds where they differ. */
#include "base/text.h"
#include "connectors/connectors.h"
#include "main/command.h"
#include "main/command_docs.h"
#include "scheduler/scheduler.h"
#include "sql/sql.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void write_connector(struct mr_writer *out, const struct connector *connector)
{
    mr_write_text(out, "%s\n\n", connector->help);
    mr_write_text(out, "As a source: %s. As a sink: %s. `'format'` (json, csv, raw): %s.\n\n",
                  connector->source == NULL               ? "no"
                  : connector->source->bounded_by_default ? "yes, it ends"
                                                          : "yes, until its options end it",
                  connector->sink ? "yes" : "no", connector->raw ? "not taken" : "required");
    mr_write_text(out, "| option | default | meaning |\n|---|---|---|\n");
    mr_write_text(out, "| `connector` | required | `'%s'` |\n", connector->name);
    for (const struct connector_option *o = connector->options; o != NULL && o->name != NULL; o++) {
        const char *value = o->default_value ? o->default_value : "";

        mr_write_text(out, "| `%s` | ", o->name);
        mr_write_cell(out, mr_str_of(o->required ? "required" : value));
        mr_write_text(out, " | ");
        mr_write_cell(out, mr_str_of(o->help));
        mr_write_text(out, " |\n");
    }
}

static void write_connectors(struct mr_writer *out)
{
    for (const struct connector *const *c = connectors_all(); *c != NULL; c++) {
        mr_write_text(out, "%s## %s\n", out->size > 0 ? "\n" : "", (*c)->name);
        write_connector(out, *c);
    }
}

static int write_one_connector(struct mr_writer *out, const char *name)
{
    const char *names[64];
    size_t count = 0;
    const char *nearest;

    if (connectors_find(name) != NULL) {
        write_connector(out, connectors_find(name));
        return EXIT_DONE;
    }
    for (const struct connector *const *c = connectors_all(); *c != NULL && count < MR_COUNT(names); c++)
        names[count++] = (*c)->name;
    nearest = mr_nearest(name, names, count);
    command_error("there is no connector \"%s\"%s%s%s", name, nearest ? "; did you mean \"" : "",
                  nearest ? nearest : "", nearest ? "\"?" : "; millrace docs connectors lists them");
    return EXIT_USAGE;
}

static void write_variable(struct mr_writer *out, const char *name)
{
    mr_write_text(out, "MILLRACE_");
    for (; *name != '\0'; name++)
        mr_write_u8(out, isalnum((unsigned char)*name) ? (uint8_t)toupper((unsigned char)*name) : '_');
}

static void write_options(struct mr_writer *out)
{
    mr_write_text(out, "| in `millrace.yaml` | flag | variable | default | meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < command_run.option_count; i++) {
        const struct mr_option *o = &command_run.options[i];

        mr_write_text(out, "| `%s` | ", o->name);
        if (o->flag != NULL) {
            mr_write_text(out, "`--%s", o->flag);
            if (o->choices != NULL || o->argument != NULL)
                mr_write_u8(out, ' ');
            mr_write_cell(out, mr_str_of(o->choices ? o->choices : o->argument ? o->argument : ""));
            mr_write_u8(out, '`');
        }
        mr_write_text(out, " | `");
        write_variable(out, o->name);
        mr_write_text(out, "` | %s | ", o->fallback ? o->fallback : "");
        mr_write_cell(out, mr_str_of(o->help));
        mr_write_text(out, " |\n");
    }
}

static int write_commands(struct mr_writer *out, const char *name)
{
    struct mr_err err = MR_ERR_INIT;

    return command_docs_markdown(out, name, &err) == MR_OK ? EXIT_DONE : command_usage("%s", err.text);
}

static int run(struct mr_config *config, char **rest, int rest_count)
{
    struct mr_writer out = { 0 };
    int code = EXIT_DONE;

    MR_UNUSED(config);
    if (rest_count == 2 && strcmp(rest[0], "connectors") == 0) {
        code = write_one_connector(&out, rest[1]);
    } else if (strcmp(rest[0], "commands") == 0) {
        code = write_commands(&out, rest_count == 2 ? rest[1] : NULL);
    } else if (rest_count == 2) {
        command_error("\"%s\" is one word too many; usage: %s", rest[1], command_docs.usage);
        code = EXIT_USAGE;
    } else if (strcmp(rest[0], "connectors") == 0) {
        write_connectors(&out);
    } else if (strcmp(rest[0], "functions") == 0) {
        sql_functions_write(&out);
    } else if (strcmp(rest[0], "settings") == 0) {
        sql_settings_write(&out);
    } else if (strcmp(rest[0], "options") == 0) {
        write_options(&out);
    } else if (strcmp(rest[0], "dag") == 0 || strcmp(rest[0], "task") == 0) {
        scheduler_keys_write(&out, rest[0][0] == 't');
    } else if (strcmp(rest[0], "man") == 0) {
        command_docs_man(&out);
    } else {
        command_error("there is nothing about \"%s\"; usage: %s", rest[0], command_docs.usage);
        code = EXIT_USAGE;
    }
    if (out.size > 0)
        fwrite(out.data, 1, out.size, stdout);
    mr_writer_deinit(&out);
    return code;
}

const struct command command_docs = {
    .name = "docs",
    .summary = "Print what this version has, as Markdown",
    .usage = "millrace docs functions|settings|connectors [NAME]|options|commands [NAME]|dag|task|man",
    .text =
        "functions and settings of SQL, connectors with their options, options of millrace run; commands; keys of a\n"
        "DAG's file and its tasks; the man page.",
    .example = "  millrace docs functions\n  millrace docs connectors http",
    .rest_min = 1,
    .rest_max = 2,
    .run = run,
};

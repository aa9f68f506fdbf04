/* command_docs.c -- see command_docs.h. */
#include "main/command_docs.h"
#include "base/text.h"
#include "main/version.h"

#include <string.h>

/* ---- man page ---- */

/* TEXT for troff: backslashes, hyphens that are meant as such, and lines that begin with a control character. */
static void man_text(struct mr_writer *out, const char *text)
{
    bool line_start = true;

    for (; *text != '\0'; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            mr_write_text(out, "\\&");
        line_start = *text == '\n';
        if (*text == '\\')
            mr_write_text(out, "\\e");
        else if (*text == '-')
            mr_write_text(out, "\\-");
        else if (*text == '"')
            mr_write_text(out, "\\(dq");
        else
            mr_write_u8(out, (uint8_t)*text);
    }
}

static void man_line(struct mr_writer *out, const char *before, const char *text, const char *after)
{
    mr_write_text(out, "%s", before);
    man_text(out, text);
    mr_write_text(out, "%s", after);
}

static void man_option(struct mr_writer *out, const struct mr_option *o)
{
    char flag[2] = { o->short_flag, '\0' };

    if (o->flag == NULL && o->short_flag == 0)
        return;
    mr_write_text(out, ".TP\n");
    if (o->short_flag != 0)
        man_line(out, "\\fB\\-", flag, o->flag ? "\\fR, " : "\\fR");
    if (o->flag != NULL)
        man_line(out, "\\fB\\-\\-", o->flag, "\\fR");
    if (o->kind != MR_OPTION_FLAG)
        man_line(out, " \\fI", o->argument ? o->argument : o->choices, "\\fR");
    man_line(out, "\n", o->help, "");
    if (o->fallback != NULL && o->fallback[0] != '\0' && o->kind != MR_OPTION_FLAG)
        man_line(out, " (", o->fallback, ")");
    mr_write_text(out, "\n");
}

static void man_command(struct mr_writer *out, const struct command *command, const char *noun)
{
    mr_write_text(out, ".SS \"");
    man_line(out, "", noun, noun[0] ? " " : "");
    man_line(out, "", command->name, "\"\n");
    man_line(out, ".B ", command->usage, "\n.PP\n");
    man_line(out, "", command->summary, ".\n");
    if (command->text != NULL)
        man_line(out, "", command->text, "\n");
    if (command->verbs == NULL) {
        for (size_t i = 0; i < command->option_count; i++)
            man_option(out, &command->options[i]);
        man_line(out, ".PP\nExample:\n.PP\n.nf\n", command->example, "\n.fi\n");
    }
    for (size_t i = 0; command->verbs != NULL && command->verbs[i] != NULL; i++)
        man_command(out, command->verbs[i], command->name);
}

void command_docs_man(struct mr_writer *out)
{
    mr_write_text(out,
                  ".TH MILLRACE 1 \"\" \"millrace %s\" \"User Commands\"\n.SH NAME\nmillrace \\- a log that speaks "
                  "Kafka, streaming SQL and tables that speak CQL, in one process\n.SH SYNOPSIS\n"
                  ".B millrace\n.I COMMAND\n.RI [ OPTION ...]\n.SH DESCRIPTION\n"
                  "Commands find the running server through \\fIserver.json\\fR in its data directory:\n"
                  "the one that \\fB\\-\\-data\\-dir\\fR names, else \\fI.millrace\\fR here, else the user's data "
                  "folder.\n"
                  "Those for the log and the tables work with any Kafka and any Cassandra too.\n.SH COMMANDS\n",
                  MILLRACE_VERSION);
    for (size_t i = 0; commands_all[i] != NULL; i++)
        man_command(out, commands_all[i], "");
    mr_write_text(out,
                  ".SH EXIT STATUS\n0 done, 1 failed, 2 usage, 3 configuration, 4 data directory in use or unusable."
                  "\n.SH ENVIRONMENT\n.TP\n.B MILLRACE_DATA_DIR\nthe data directory, when no option names it\n"
                  ".TP\n.B MILLRACE_\\fINAME\\fR\nthe setting NAME of \\fBmillrace run\\fR, dots and hyphens as "
                  "underscores\n.TP\n.B NO_COLOR\nprint without colours\n.SH FILES\n.TP\n.I millrace.yaml\n"
                  "settings of a project\n.TP\n.I .millrace/server.json\naddresses of the running server\n");
}

/* ---- Markdown ---- */

static void markdown_option(struct mr_writer *out, const struct mr_option *o)
{
    if (o->flag == NULL && o->short_flag == 0)
        return;
    mr_write_text(out, "| `");
    if (o->short_flag != 0)
        mr_write_text(out, "-%c", o->short_flag);
    if (o->flag != NULL)
        mr_write_text(out, "%s--%s", o->short_flag ? ", " : "", o->flag);
    if (o->kind != MR_OPTION_FLAG) {
        mr_write_u8(out, ' ');
        mr_write_cell(out, mr_str_of(o->argument ? o->argument : o->choices));
    }
    mr_write_text(out, "` | ");
    mr_write_cell(out, mr_str_of(o->fallback && o->kind != MR_OPTION_FLAG ? o->fallback : ""));
    mr_write_text(out, " | ");
    mr_write_cell(out, mr_str_of(o->help));
    mr_write_text(out, " |\n");
}

static void markdown_command(struct mr_writer *out, const struct command *command)
{
    mr_write_text(out, "%s### `%s`\n%s.\n", out->size > 0 ? "\n" : "", command->usage, command->summary);
    if (command->text != NULL)
        mr_write_text(out, "%s\n", command->text);
    mr_write_text(out, "\n```sh\n");
    for (const char *line = command->example; line != NULL; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        mr_write_text(out, "%.*s\n", (int)strcspn(line, "\n") - 2, line + 2);
    mr_write_text(out, "```\n");
    if (command->option_count > 0)
        mr_write_text(out, "\n| option | default | meaning |\n|---|---|---|\n");
    for (size_t i = 0; i < command->option_count; i++)
        markdown_option(out, &command->options[i]);
}

static void markdown_overview(struct mr_writer *out)
{
    mr_write_text(out, "| command | what it does |\n|---|---|\n");
    for (size_t i = 0; commands_all[i] != NULL; i++) {
        const struct command *command = commands_all[i];

        if (command->verbs == NULL)
            mr_write_text(out, "| `millrace %s` | %s |\n", command->name, command->summary);
        for (size_t j = 0; command->verbs != NULL && command->verbs[j] != NULL; j++)
            mr_write_text(out, "| `millrace %s %s` | %s |\n", command->name, command->verbs[j]->name,
                          command->verbs[j]->summary);
    }
}

enum mr_status command_docs_markdown(struct mr_writer *out, const char *name, struct mr_err *err)
{
    if (name == NULL) {
        markdown_overview(out);
        return MR_OK;
    }
    for (size_t i = 0; commands_all[i] != NULL; i++) {
        const struct command *command = commands_all[i];

        if (strcmp(command->name, name) != 0)
            continue;
        if (command->verbs == NULL)
            markdown_command(out, command);
        for (size_t j = 0; command->verbs != NULL && command->verbs[j] != NULL; j++)
            markdown_command(out, command->verbs[j]);
        return MR_OK;
    }
    return mr_err_set(err, MR_NOT_FOUND, "there is no command \"%s\"; millrace --help lists them", name);
}

/* command_docs.h -- the commands as a man page, as Markdown and as what a shell may complete, all from their tables. */
#ifndef MAIN_COMMAND_DOCS_H
#define MAIN_COMMAND_DOCS_H

#include "base/base.h"
#include "main/command.h"

/* Appends the man page millrace(1). */
void command_docs_man(struct mr_writer *out);
/* Appends the command called NAME with its verbs as Markdown; NULL: a table of all.  MR_NOT_FOUND: there is none. */
MR_MUST_CHECK enum mr_status command_docs_markdown(struct mr_writer *out, const char *name, struct mr_err *err);

#endif

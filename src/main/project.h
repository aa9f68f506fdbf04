/* project.h -- what `millrace run` is given: a folder with pipelines/ and millrace.yaml, or one SQL file. */
#ifndef MAIN_PROJECT_H
#define MAIN_PROJECT_H

#include "base/base.h"
#include "base/env.h"

enum project_limits { PROJECT_FILES_MAX = 1000, PROJECT_FILE_BYTES_MAX = 4 << 20 };

/* One SQL file. */
struct project_file {
    char *path; /* owned; for messages, as the user would write it */
    char *stem; /* owned; the name without folder and ending: names a query without one */
    struct mr_writer text;
};

struct project {
    char dir[MR_PATH_BYTES];    /* absolute */
    struct project_file *files; /* owned; in the order of their names */
    size_t file_count;
};

/* Reads TARGET.  A folder without pipelines/ is one without pipelines.  Caller owns *OUT: project_free.
 * MR_NOT_FOUND  there is no such file or folder      MR_INVALID  neither a folder nor a .sql file */
MR_MUST_CHECK enum mr_status project_read(struct project **out, const char *target, struct mr_err *err);
void project_free(struct project *project); /* NULL is legal */

#endif

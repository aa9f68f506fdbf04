/* project.h -- what `millrace run` is given: a folder with pipelines/, dags/ and millrace.yaml, or one SQL file. */
#ifndef MAIN_PROJECT_H
#define MAIN_PROJECT_H

#include "base/base.h"
#include "base/env.h"

enum project_limits { PROJECT_FILES_MAX = 1000, PROJECT_FILE_BYTES_MAX = 4 << 20 };

/* One SQL file, or a DAG's. */
struct project_file {
    char *path; /* owned; for messages, as the user would write it */
    char *stem; /* owned; the name without folder and ending: names a query without one, or the DAG */
    struct mr_writer text;
};

struct project {
    char dir[MR_PATH_BYTES];    /* absolute */
    struct project_file *files; /* owned; in the order of their names */
    size_t file_count;
    struct project_file *dags; /* owned; those in dags/, likewise */
    size_t dag_count;
};

/* Reads TARGET.  A folder without pipelines/ is one without pipelines.  Caller owns *OUT: project_free.
 * MR_NOT_FOUND  there is no such file or folder      MR_INVALID  neither a folder nor a .sql file */
MR_MUST_CHECK enum mr_status project_read(struct project **out, const char *target, struct mr_err *err);
void project_free(struct project *project); /* NULL is legal */
/* Reads the file at PATH below the project's folder DIR; it may not leave that.  Appends to OUT.
 * MR_NOT_FOUND, MR_DENIED (it leads out of the folder), MR_LIMIT (larger than PROJECT_FILE_BYTES_MAX), MR_IO */
MR_MUST_CHECK enum mr_status project_file_read(const char *dir, const char *path, struct mr_writer *out,
                                               struct mr_err *err);

#endif

/* server_file.h -- server.json in the data directory: how commands find a running server.  Mode 0600: it holds a token.
 */
#ifndef MAIN_SERVER_FILE_H
#define MAIN_SERVER_FILE_H

#include "base/base.h"
#include "base/env.h"

enum { SERVER_ADDRESS_BYTES = 272, SERVER_TOKEN_BYTES = 33 };

struct server_file {
    int64_t pid;
    char kafka[SERVER_ADDRESS_BYTES]; /* "" when the part does not run */
    char cql[SERVER_ADDRESS_BYTES];
    char http[SERVER_ADDRESS_BYTES];
    char data_dir[MR_PATH_BYTES];
    char project[MR_PATH_BYTES]; /* "" without a project */
    char token[SERVER_TOKEN_BYTES];
};

/* The same as one line of JSON, without the token: what --ready-fd gets. */
void server_file_line(const struct server_file *server, struct mr_writer *out);
/* Writes DATA_DIR/server.json. */
MR_MUST_CHECK enum mr_status server_file_write(const struct server_file *server, struct mr_err *err);
/* Removes it. */
void server_file_remove(const char *data_dir);
/* Reads it.  MR_NOT_FOUND: there is none, or its process has ended. */
MR_MUST_CHECK enum mr_status server_file_read(const char *data_dir, struct server_file *out, struct mr_err *err);

#endif

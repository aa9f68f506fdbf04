/* data_dir.h -- the data directory: where it is, who has it, which format it is of.
 *
 * DIR/lock      locked by the process that has DIR; holds its pid
 * DIR/format    "millrace N\n": the format of everything below
 * DIR/cluster   the log's cluster id, chosen once
 * DIR/server.json  how commands find the server (server_file.h)
 * DIR/log DIR/tables DIR/state  the parts' own */
#ifndef MAIN_DATA_DIR_H
#define MAIN_DATA_DIR_H

#include "base/base.h"
#include "base/env.h"

enum { DATA_DIR_FORMAT = 1, DATA_DIR_CLUSTER_BYTES = 23 };

struct data_dir {
    char path[MR_PATH_BYTES];
    int lock_fd;    /* -1: not locked */
    bool ephemeral; /* removed at close */
};

/* Where the data is: NAMED when not NULL, else .millrace below PROJECT when not NULL, else the user's data folder. */
MR_MUST_CHECK enum mr_status data_dir_resolve(const char *named, const char *project, char out[MR_PATH_BYTES],
                                              struct mr_err *err);
/* Makes (mode 0700), locks and checks the directory at PATH; NULL: a temporary one, removed at close.
 * MR_BUSY         a process has it; err names its pid
 * MR_UNSUPPORTED  of a newer format
 * MR_IO           can't be made, read or written */
MR_MUST_CHECK enum mr_status data_dir_open(struct data_dir *dir, const char *path, struct mr_err *err);
/* The cluster id of the directory, 22 characters as Kafka's, made at the first call. */
MR_MUST_CHECK enum mr_status data_dir_cluster_id(const char *dir, char out[DATA_DIR_CLUSTER_BYTES], struct mr_err *err);
/* Gives the lock up; removes an ephemeral one. */
void data_dir_close(struct data_dir *dir);

#endif

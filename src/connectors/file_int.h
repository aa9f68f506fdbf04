/* file_int.h -- shared by the file source and the file sink. */
#ifndef MR_CONNECTORS_FILE_INT_H
#define MR_CONNECTORS_FILE_INT_H

#include "connectors/connectors_int.h"

extern const struct connector_source_ops file_source_ops;
extern const struct connector_sink_ops file_sink_ops;

/* The real path of the table's file, which lies inside the project's folder and is an ordinary file or absent.
 * MR_DENIED: it leads out.  MR_INVALID: no path, or a folder.  MR_NOT_FOUND: its folder does not exist. */
MR_MUST_CHECK enum mr_status file_path_check(char out[MR_PATH_BYTES], const struct connector_table *table,
                                             const struct connector_context *ctx, struct mr_err *err);

#endif

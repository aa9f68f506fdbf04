/* api_client.h -- calls of the running server's HTTP API, for one command. */
#ifndef MAIN_API_CLIENT_H
#define MAIN_API_CLIENT_H

#include "base/base.h"
#include "base/config.h"

#include <jansson.h>

/* Appends TEXT so that it can stand between two slashes of a path. */
void api_path_write(struct mr_writer *path, const char *text);
/* The path FORMAT gives, each %s of it written by api_path_write; caller frees with mr_free. */
char *api_path(const char *format, ...);
/* Asks the server that CONFIG means (TARGET_HTTP_OPTIONS) for PATH: a GET, or a POST of BODY (taken; may be NULL for
 * "{}") when POST.  *OUT gets its JSON; caller owns.
 * MR_NOT_FOUND  no server, or it has no such thing (its own words)     MR_INVALID, MR_BUSY, MR_IO  likewise */
MR_MUST_CHECK enum mr_status api_call(const struct mr_config *config, bool post, const char *path, json_t *body,
                                      json_t **out, struct mr_err *err);
/* A GET whose answer is no JSON. */
MR_MUST_CHECK enum mr_status api_text(const struct mr_config *config, const char *path, struct mr_writer *out,
                                      struct mr_err *err);
/* The array in ANSWER: itself, or its member NAME; NULL when it has none.  Borrowed. */
const json_t *api_list(const json_t *answer, const char *name);

#endif

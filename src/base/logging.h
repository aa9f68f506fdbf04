/* logging.h -- one line per event to standard error, as logfmt or as JSON.  Never data of users, never secrets.
 *
 * mr_log(MR_LOG_INFO, "log", "recovered %s-%d", topic, index) is written as
 *   ts=2026-01-01T00:00:00.000Z level=info room=log msg="recovered names-0" */
#ifndef MR_LOGGING_H
#define MR_LOGGING_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum mr_log_level { MR_LOG_DEBUG, MR_LOG_INFO, MR_LOG_WARN, MR_LOG_ERROR, MR_LOG_OFF };
enum mr_log_format { MR_LOG_LOGFMT, MR_LOG_JSON };

/* Sets what is written from now on; before the first call: warnings and errors, logfmt. [any] */
void mr_log_setup(enum mr_log_level level, enum mr_log_format format);
/* Would a line of LEVEL be written? [any] */
bool mr_log_enabled(enum mr_log_level level);
/* Writes one line: ROOM names the room, MESSAGE is printf-like and is the whole event.  One write call a line, so lines
 * of several threads do not mix.  Cut at 2,000 bytes. [any] */
void mr_log(enum mr_log_level level, const char *room, const char *message, ...) MR_PRINTF(3, 4);
/* "debug" "info" "warn" "error" "off" to its level; MR_INVALID for others. [any] */
MR_MUST_CHECK enum mr_status mr_log_level_parse(const char *text, enum mr_log_level *out, struct mr_err *err);

#ifdef __cplusplus
}
#endif
#endif

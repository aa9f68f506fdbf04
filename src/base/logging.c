/* logging.c -- one line per event, written with one system call so that threads do not mix. */
#include "base/logging.h"
#include "base/env.h"
#include "base/text.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LOG_MESSAGE_BYTES_MAX = 2000 };

static _Atomic int log_level_now = MR_LOG_WARN;
static _Atomic int log_format_now = MR_LOG_LOGFMT;

static const char *const level_names[] = { "debug", "info", "warn", "error", "off" };

void mr_log_setup(enum mr_log_level level, enum mr_log_format format)
{
    atomic_store(&log_level_now, (int)level);
    atomic_store(&log_format_now, (int)format);
}

bool mr_log_enabled(enum mr_log_level level)
{
    return (int)level >= atomic_load(&log_level_now) && level != MR_LOG_OFF;
}

void mr_log(enum mr_log_level level, const char *room, const char *message, ...)
{
    char text[LOG_MESSAGE_BYTES_MAX];
    char time[32];
    struct mr_writer line = { 0 };
    va_list args;

    if (!mr_log_enabled(level))
        return;
    va_start(args, message);
    vsnprintf(text, sizeof(text), message, args);
    va_end(args);
    mr_format_time_ms(time, mr_now_ms(mr_env_real()), 'T');
    if (atomic_load(&log_format_now) == MR_LOG_JSON)
        mr_write_text(&line, "{\"ts\":\"%sZ\",\"level\":\"%s\",\"room\":\"%s\",\"msg\":", time, level_names[level],
                      room);
    else
        mr_write_text(&line, "ts=%sZ level=%s room=%s msg=", time, level_names[level], room);
    mr_write_json_string(&line, mr_str_of(text));
    if (atomic_load(&log_format_now) == MR_LOG_JSON)
        mr_write_u8(&line, '}');
    mr_write_u8(&line, '\n');
    if (write(STDERR_FILENO, line.data, line.size) < 0) {
        /* Nobody reads the log: there is nowhere to say so. */
    }
    mr_writer_deinit(&line);
}

enum mr_status mr_log_level_parse(const char *text, enum mr_log_level *out, struct mr_err *err)
{
    for (size_t i = 0; i < MR_COUNT(level_names); i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *out = (enum mr_log_level)i;
            return MR_OK;
        }
    }
    return mr_err_set(err, MR_INVALID, "log level \"%s\" is none of debug, info, warn, error, off", text);
}

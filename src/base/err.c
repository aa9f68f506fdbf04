/* err.c -- statuses in words; errors that carry a message, context and a place. */
#include "base/base.h"

#include <stdio.h>
#include <string.h>

const char *mr_status_text(enum mr_status status)
{
#define STATUS_TEXT(name, text) [MR_##name] = text,
    static const char *const texts[] = { MR_STATUS_MAP(STATUS_TEXT) };
#undef STATUS_TEXT
    assert((size_t)status < MR_COUNT(texts));
    return texts[status];
}

static void err_set_text(struct mr_err *err, enum mr_status status, int line, int column, const char *format,
                         va_list args)
{
    err->status = status;
    err->line = line;
    err->column = column;
    vsnprintf(err->text, sizeof(err->text), format, args);
}

enum mr_status(mr_err_set)(struct mr_err *err, enum mr_status status, const char *format, ...)
{
    va_list args;

    assert(status != MR_OK);
    if (err == NULL)
        return status;
    va_start(args, format);
    err_set_text(err, status, 0, 0, format, args);
    va_end(args);
    return status;
}

enum mr_status(mr_err_set_errno)(struct mr_err *err, enum mr_status status, int errno_value, const char *format, ...)
{
    char reason[128];
    va_list args;
    size_t used;

    assert(status != MR_OK);
    if (err == NULL)
        return status;
    va_start(args, format);
    err_set_text(err, status, 0, 0, format, args);
    va_end(args);
    used = strlen(err->text);
    snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror_r(errno_value, reason, sizeof(reason)));
    return status;
}

enum mr_status(mr_err_set_at)(struct mr_err *err, enum mr_status status, int line, int column, const char *format, ...)
{
    va_list args;

    assert(status != MR_OK);
    if (err == NULL)
        return status;
    va_start(args, format);
    err_set_text(err, status, line, column, format, args);
    va_end(args);
    return status;
}

void mr_err_context(struct mr_err *err, const char *format, ...)
{
    char old[MR_ERR_BYTES];
    va_list args;
    size_t used;

    if (err == NULL)
        return;
    memcpy(old, err->text, sizeof(old));
    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    used = strlen(err->text);
    snprintf(err->text + used, sizeof(err->text) - used, ": %s", old);
}

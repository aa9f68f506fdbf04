/* attempt_log.c -- the log file of an attempt: DIR/logs/DAG/RUN/TASK/N.log, mode 0600.
 *
 * A shell task's process writes its output there itself; lines that begin with "millrace" are ours.  Logs are for
 * reading, not for deciding: they are not synced. */
#include "base/text.h"
#include "scheduler/run_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LOG_LINE_BYTES = 2048 };

enum mr_status attempt_log_path(char out[MR_PATH_BYTES], const struct scheduler *s, const char *dag, const char *run,
                                const char *task, int64_t number, struct mr_err *err)
{
    int size = task == NULL
                   ? snprintf(out, MR_PATH_BYTES, "%s/logs/%s/%s", s->dir, dag, run)
                   : snprintf(out, MR_PATH_BYTES, "%s/logs/%s/%s/%s/%" PRId64 ".log", s->dir, dag, run, task, number);

    if (size >= MR_PATH_BYTES)
        return mr_err_set(err, MR_LIMIT, "the path of a log of %s is too long", dag);
    return MR_OK;
}

/* Makes the folders of PATH below the scheduler's. */
static enum mr_status folders_make(const struct scheduler *s, char *path, struct mr_err *err)
{
    enum mr_status status = MR_OK;

    for (char *slash = strchr(path + strlen(s->dir) + 1, '/'); slash != NULL && status == MR_OK;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        status = mr_mkdir(s->env, path, err);
        *slash = '/';
    }
    return status;
}

enum mr_status attempt_log_open(struct attempt *a, struct mr_err *err)
{
    char path[MR_PATH_BYTES];
    enum mr_status status =
        attempt_log_path(path, a->scheduler, a->run->dag->id, a->run->id, a->task->id, a->number, err);

    if (status == MR_OK)
        status = folders_make(a->scheduler, path, err);
    if (status != MR_OK)
        return status;
    a->log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return a->log_fd >= 0 ? MR_OK : mr_err_set_errno(err, MR_IO, errno, "the log %s", path);
}

void attempt_log_line(struct attempt *a, const char *format, ...)
{
    char text[LOG_LINE_BYTES], now[32];
    va_list list;
    int size;

    if (a->log_fd < 0)
        return;
    mr_format_time_ms(now, mr_now_ms(a->scheduler->env), 'T');
    size = snprintf(text, sizeof(text), "millrace %sZ: ", now);
    va_start(list, format);
    vsnprintf(text + size, sizeof(text) - (size_t)size - 1, format, list);
    va_end(list);
    size = (int)strlen(text);
    text[size++] = '\n';
    if (write(a->log_fd, text, (size_t)size) < 0)
        return; /* a full disk: the outcome is in the history */
}

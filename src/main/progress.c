/* progress.c -- see progress.h. */
#include "main/progress.h"
#include "base/env.h"
#include "main/list_output.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH_MAX = 30, LINE_BYTES = 256, SHOW_AFTER_MS = 500, SHOW_EVERY_MS = 100 };

void progress_begin(struct progress *progress, const char *what, enum progress_unit unit, int64_t total, bool on)
{
    *progress = (struct progress){
        .what = what,
        .unit = unit,
        .total = total,
        .started_ns = on && isatty(STDERR_FILENO) ? mr_monotonic_ns(mr_env_real()) : -1,
    };
}

static void write_amount(const struct progress *progress, int64_t amount, char out[24])
{
    if (progress->unit == PROGRESS_BYTES)
        list_size_text(out, amount);
    else
        snprintf(out, 24, "%" PRId64, amount);
}

void progress_line(const struct progress *progress, int64_t done, int64_t elapsed_ms, size_t width, char out[256])
{
    int64_t rate = elapsed_ms > 0 ? (int64_t)((double)done * 1000 / (double)elapsed_ms) : 0;
    char amount[24], total[24] = "", speed[24], left[24] = "", bar[BAR_WIDTH_MAX + 3] = "";
    size_t bar_width = width < 100 ? BAR_WIDTH_MAX / 2 : BAR_WIDTH_MAX;
    int percent = 0;

    write_amount(progress, done, amount);
    write_amount(progress, rate, speed);
    if (progress->total > 0) {
        double part = done < progress->total ? (double)done / (double)progress->total : 1;

        percent = (int)(part * 100);
        bar[0] = '[';
        for (size_t i = 0; i < bar_width; i++)
            bar[i + 1] = (double)i < part * (double)bar_width ? '#' : '.';
        bar[bar_width + 1] = ']';
        write_amount(progress, progress->total, total);
        list_duration_text(left, rate > 0 ? (progress->total - done) * 1000 / rate : -1);
        snprintf(out, LINE_BYTES, "%.60s %s %3d %%  %s of %s  %s/s  %s left", progress->what, bar, percent, amount,
                 total, speed, left);
    } else {
        snprintf(out, LINE_BYTES, "%.60s  %s  %s/s", progress->what, amount, speed);
    }
    if (strlen(out) > width)
        out[width] = '\0';
}

void progress_show(struct progress *progress, int64_t done)
{
    int64_t now_ns, elapsed_ms;
    char line[LINE_BYTES];
    size_t width;

    if (progress->started_ns < 0)
        return;
    now_ns = mr_monotonic_ns(mr_env_real());
    elapsed_ms = (now_ns - progress->started_ns) / 1000000;
    if (elapsed_ms < SHOW_AFTER_MS || now_ns - progress->shown_ns < (int64_t)SHOW_EVERY_MS * 1000000)
        return;
    width = list_terminal_width(stderr);
    progress_line(progress, done, elapsed_ms, width > 1 && width < LINE_BYTES ? width - 1 : 79, line);
    fprintf(stderr, "\r\033[K%s", line);
    fflush(stderr);
    progress->shown_ns = now_ns;
    progress->visible = true;
}

void progress_end(struct progress *progress)
{
    if (progress->visible)
        fprintf(stderr, "\r\033[K");
    progress->visible = false;
}

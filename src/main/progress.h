/* progress.h -- a bar on standard error while something long is done; nothing when that is no terminal. */
#ifndef MAIN_PROGRESS_H
#define MAIN_PROGRESS_H

#include "base/base.h"

enum progress_unit { PROGRESS_RECORDS, PROGRESS_BYTES };

struct progress {
    const char *what; /* borrowed */
    enum progress_unit unit;
    int64_t total; /* 0: unknown */
    int64_t started_ns;
    int64_t shown_ns;
    bool visible;
};

/* WHAT stands before the bar.  Shown only if standard error is a terminal, ON is true and it takes half a second. */
void progress_begin(struct progress *progress, const char *what, enum progress_unit unit, int64_t total, bool on);
/* DONE of total; drawn ten times a second at most. */
void progress_show(struct progress *progress, int64_t done);
/* Wipes the line. */
void progress_end(struct progress *progress);
/* The line as it is drawn, into OUT (256 bytes), for WIDTH columns. */
void progress_line(const struct progress *progress, int64_t done, int64_t elapsed_ms, size_t width, char out[256]);

#endif

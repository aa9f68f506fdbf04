/* consume_range.h -- from where to where each partition of a topic is read. */
#ifndef MAIN_CONSUME_RANGE_H
#define MAIN_CONSUME_RANGE_H

#include "base/base.h"
#include "main/kafka_tool.h"

enum consume_from { CONSUME_BEGINNING, CONSUME_END, CONSUME_OFFSET, CONSUME_LAST, CONSUME_TIME };

/* What --from says. */
struct consume_start {
    enum consume_from from;
    int64_t number; /* OFFSET: it; LAST: how many records a partition; TIME: ms since 1970 */
};

/* One partition; a record before START or at and after STOP is not wanted. */
struct consume_partition {
    int32_t id;
    int64_t start;
    int64_t stop; /* INT64_MAX: none */
    bool done;
};

/* "beginning", "end", an offset, "-N" for the last N, "@MS" or "@2026-01-31 12:00" (UTC unless it names a zone).
 * MR_INVALID  none of these */
MR_MUST_CHECK enum mr_status consume_start_parse(struct consume_start *out, const char *text, struct mr_err *err);
/* Asks where the partitions of TOPIC (or PARTITION alone, unless it is -1) begin and end; with TO_END each stops where
 * it ends now.  *OUT gets *COUNT of them; caller frees.  *TOTAL: records between, 0 without TO_END.
 * MR_NOT_FOUND  there is no such partition      MR_INVALID  the offset lies outside */
MR_MUST_CHECK enum mr_status consume_range(struct kafka_tool *tool, const struct rd_kafka_metadata_topic *topic,
                                           int32_t partition, const struct consume_start *start, bool to_end,
                                           struct consume_partition **out, int *count, int64_t *total,
                                           struct mr_err *err);

#endif

/* consume_range.c -- see consume_range.h. */
#include "main/consume_range.h"
#include "base/text.h"

#include <string.h>

enum mr_status consume_start_parse(struct consume_start *out, const char *text, struct mr_err *err)
{
    struct consume_start start = { .from = CONSUME_OFFSET };
    struct mr_str rest = mr_str_of(text + (text[0] == '@' ? 1 : 0));
    bool good = true;

    if (strcmp(text, "beginning") == 0 || strcmp(text, "earliest") == 0) {
        start.from = CONSUME_BEGINNING;
    } else if (strcmp(text, "end") == 0 || strcmp(text, "latest") == 0) {
        start.from = CONSUME_END;
    } else if (text[0] == '@') {
        start.from = CONSUME_TIME;
        good = mr_parse_i64(rest, &start.number) == MR_OK || mr_parse_time_ms(rest, &start.number) == MR_OK;
    } else {
        good = mr_parse_i64(rest, &start.number) == MR_OK && start.number != INT64_MIN;
        if (good && start.number < 0) {
            start.from = CONSUME_LAST;
            start.number = -start.number;
        }
    }
    if (!good || start.number < 0)
        return mr_err_set(err, MR_INVALID,
                          "--from: \"%s\" is not beginning, end, an offset, -N (the last N) or @TIME (ms, or "
                          "2026-01-31 12:00)",
                          text);
    *out = start;
    return MR_OK;
}

/* The first record of the time of START in each partition of LIST; where there is none, the end. */
static enum mr_status offsets_of_time(struct kafka_tool *tool, rd_kafka_topic_partition_list_t *list,
                                      const rd_kafka_topic_partition_list_t *end, struct mr_err *err)
{
    enum mr_status status = kafka_tool_offsets(tool, list, err);

    for (int i = 0; status == MR_OK && i < list->cnt; i++) {
        if (list->elems[i].offset < 0)
            list->elems[i].offset = end->elems[i].offset;
    }
    return status;
}

static int64_t start_of(const struct consume_start *start, int64_t low, int64_t high, int64_t at_time)
{
    switch (start->from) {
    case CONSUME_BEGINNING:
        return low;
    case CONSUME_END:
        return high;
    case CONSUME_OFFSET:
        return start->number;
    case CONSUME_LAST:
        return high - low > start->number ? high - start->number : low;
    case CONSUME_TIME:
        break;
    }
    return at_time;
}

static rd_kafka_topic_partition_list_t *list_of(const struct rd_kafka_metadata_topic *topic, int32_t partition,
                                                int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = kafka_tool_partitions(topic, offset);

    for (int i = list->cnt - 1; i >= 0 && partition >= 0; i--) {
        if (list->elems[i].partition != partition)
            rd_kafka_topic_partition_list_del_by_idx(list, i);
    }
    return list;
}

enum mr_status consume_range(struct kafka_tool *tool, const struct rd_kafka_metadata_topic *topic, int32_t partition,
                             const struct consume_start *start, bool to_end, struct consume_partition **out, int *count,
                             int64_t *total, struct mr_err *err)
{
    bool by_time = start->from == CONSUME_TIME;
    rd_kafka_topic_partition_list_t *low = list_of(topic, partition, RD_KAFKA_OFFSET_BEGINNING);
    rd_kafka_topic_partition_list_t *high = list_of(topic, partition, RD_KAFKA_OFFSET_END);
    rd_kafka_topic_partition_list_t *time = list_of(topic, partition, by_time ? start->number : 0);
    struct consume_partition *list = mr_calloc((size_t)low->cnt + 1, sizeof(*list));
    enum mr_status status = kafka_tool_offsets(tool, low, err);
    int64_t records = 0;

    if (status == MR_OK)
        status = kafka_tool_offsets(tool, high, err);
    if (status == MR_OK && by_time)
        status = offsets_of_time(tool, time, high, err);
    if (status == MR_OK && low->cnt == 0)
        status = mr_err_set(err, MR_NOT_FOUND, "topic \"%s\" has no partition %" PRId32 "; it has %d", topic->topic,
                            partition, topic->partition_cnt);
    for (int i = 0; status == MR_OK && i < low->cnt; i++) {
        struct consume_partition *p = &list[i];
        int64_t first = low->elems[i].offset, next = high->elems[i].offset;

        p->id = low->elems[i].partition;
        p->start = start_of(start, first, next, time->elems[i].offset);
        p->stop = to_end ? next : INT64_MAX;
        p->done = p->start >= p->stop;
        if (p->start < first || (p->start > next && low->cnt == 1))
            status = mr_err_set(err, MR_INVALID,
                                "--from: offset %" PRId64 " of topic \"%s\", partition %" PRId32
                                " is not there; it has %" PRId64 " to %" PRId64,
                                p->start, topic->topic, p->id, first, next);
        if (to_end && !p->done)
            records += p->stop - p->start;
    }
    rd_kafka_topic_partition_list_destroy(low);
    if (status == MR_OK) {
        *count = high->cnt;
        *out = list;
        *total = records;
    } else {
        mr_free(list);
    }
    rd_kafka_topic_partition_list_destroy(high);
    rd_kafka_topic_partition_list_destroy(time);
    return status;
}

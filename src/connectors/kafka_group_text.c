/* kafka_group_text.c -- what a group's members tell each other, and what its offsets carry.
 *
 * A subscription is: i16 version | topics [string] | user data …; an assignment: i16 version | [ topic string,
 * partitions [i32] ] | user data bytes, null: -1; an array begins with its i32 count, a string with its i16 size.
 *
 * An offset's metadata has what the process that goes on there must know to give its rows the same write times, and to
 * notice that the topic is another one. */
#include "connectors/kafka_group_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP_TOPICS_MAX = 10000 };

void kafka_group_metadata_format(char out[KAFKA_GROUP_METADATA_BYTES], const struct kafka_group_offset *offset)
{
    snprintf(out, KAFKA_GROUP_METADATA_BYTES, "millrace 1 %" PRId64 " %08" PRIx32 " %" PRId64, offset->last,
             offset->last_checksum, offset->clock_us);
}

void kafka_group_metadata_parse(struct mr_str text, struct kafka_group_offset *offset)
{
    char copy[KAFKA_GROUP_METADATA_BYTES];
    int64_t last = 0, clock_us = 0;
    uint32_t checksum = 0;
    int end = 0;

    offset->last = -1;
    offset->last_checksum = 0;
    offset->clock_us = 0;
    if (text.data == NULL || text.size >= sizeof(copy))
        return;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (sscanf(copy, "millrace 1 %" SCNd64 " %8" SCNx32 " %" SCNd64 "%n", &last, &checksum, &clock_us, &end) != 3 ||
        copy[end] != '\0' || last < -1 || clock_us < 0 || last >= offset->next)
        return;
    offset->last = last;
    offset->last_checksum = checksum;
    offset->clock_us = clock_us;
}

static void string_write(struct mr_writer *out, struct mr_str text)
{
    mr_write_i16(out, (int16_t)text.size);
    mr_write_str(out, text);
}

static struct mr_str string_read(struct mr_reader *in)
{
    int16_t size = mr_read_i16(in);
    struct mr_bytes bytes;

    if (size < 0) {
        mr_reader_fail(in);
        return MR_STR("");
    }
    bytes = mr_read_slice(in, (size_t)size);
    return bytes.data != NULL ? (struct mr_str){ (const char *)bytes.data, bytes.size } : MR_STR("");
}

/* An array's count, which can't be larger than what is left has room for. */
static int32_t count_read(struct mr_reader *in, size_t element_min)
{
    int32_t count = mr_read_i32(in);

    if (count < 0 || count > GROUP_TOPICS_MAX || (size_t)count > mr_reader_left(in) / element_min) {
        mr_reader_fail(in);
        return 0;
    }
    return count;
}

void kafka_group_subscription_write(struct mr_writer *out, struct mr_str topic)
{
    mr_write_i16(out, 0);
    mr_write_i32(out, 1);
    string_write(out, topic);
    mr_write_i32(out, -1);
}

enum mr_status kafka_group_subscription_read(struct kafka_group_member *member, struct mr_bytes bytes,
                                             struct mr_arena *arena)
{
    struct mr_reader in = mr_reader_of(bytes);
    int32_t count;

    mr_read_i16(&in);
    count = count_read(&in, 2);
    member->topics = MR_ARENA_ARRAY(arena, struct mr_str, (size_t)count + 1);
    member->topic_count = count;
    for (int32_t i = 0; i < count; i++)
        member->topics[i] = mr_arena_str(arena, string_read(&in)); /* BYTES may go before it is used */
    return in.failed ? MR_INVALID : MR_OK;
}

static bool member_wants(const struct kafka_group_member *member, struct mr_str topic)
{
    for (int32_t i = 0; i < member->topic_count; i++) {
        if (mr_str_equal(member->topics[i], topic))
            return true;
    }
    return false;
}

static int member_compare(const void *a, const void *b)
{
    struct mr_str x = ((const struct kafka_group_member *)a)->id, y = ((const struct kafka_group_member *)b)->id;
    int order = memcmp(x.data, y.data, x.size < y.size ? x.size : y.size);

    return order != 0 ? order : x.size < y.size ? -1 : x.size > y.size;
}

void kafka_group_divide(struct kafka_group_member *members, int32_t member_count,
                        const struct kafka_group_topic *topics, int32_t topic_count)
{
    qsort(members, (size_t)member_count, sizeof(*members), member_compare);
    for (int32_t m = 0; m < member_count; m++) {
        int32_t wanted = 0;
        for (int32_t t = 0; t < topic_count; t++)
            wanted += member_wants(&members[m], topics[t].name);
        members[m].assignment = (struct mr_writer){ 0 };
        mr_write_i16(&members[m].assignment, 0);
        mr_write_i32(&members[m].assignment, wanted);
    }
    for (int32_t t = 0; t < topic_count; t++) {
        int32_t takers = 0, taker = 0, next = 0;
        for (int32_t m = 0; m < member_count; m++)
            takers += member_wants(&members[m], topics[t].name);
        for (int32_t m = 0; m < member_count; m++) {
            struct mr_writer *out = &members[m].assignment;
            int32_t share;
            if (!member_wants(&members[m], topics[t].name))
                continue;
            share = topics[t].partition_count / takers + (taker < topics[t].partition_count % takers);
            string_write(out, topics[t].name);
            mr_write_i32(out, share);
            for (int32_t p = 0; p < share; p++)
                mr_write_i32(out, next++);
            taker++;
        }
    }
    for (int32_t m = 0; m < member_count; m++)
        mr_write_i32(&members[m].assignment, -1);
}

enum mr_status kafka_group_assignment_read(struct mr_bytes bytes, struct mr_str topic, struct mr_arena *arena,
                                           int32_t **out, int32_t *count)
{
    struct mr_reader in = mr_reader_of(bytes);
    int32_t topics;

    *out = NULL;
    *count = 0;
    if (bytes.size == 0) /* nothing for this member */
        return MR_OK;
    mr_read_i16(&in);
    topics = count_read(&in, 6);
    for (int32_t t = 0; t < topics && !in.failed; t++) {
        struct mr_str name = string_read(&in);
        int32_t partitions = count_read(&in, 4);
        int32_t *list = MR_ARENA_ARRAY(arena, int32_t, (size_t)partitions + 1);
        for (int32_t p = 0; p < partitions; p++)
            list[p] = mr_read_i32(&in);
        if (!mr_str_equal(name, topic))
            continue;
        *out = list;
        *count = partitions;
    }
    return in.failed ? MR_INVALID : MR_OK;
}

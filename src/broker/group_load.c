/* group_load.c -- reads __consumer_offsets at start: every record in its order, so that the last one of a key counts.
 *
 * A batch that can't be read is passed over and told: the others are still worth having.  At the end the offsets of
 * topics that are gone, or were made anew, are deleted: a crash may have come between a topic's end and theirs.
 * Estimate: some 2,000,000 records a second. */
#include "broker/group_coordinator_int.h"
#include "broker/group_records_int.h"

#include "base/logging.h"

#include <string.h>

/* ---- records ---- */

static void offset_load(struct broker_groups *groups, const struct broker_record_key *key, struct mr_bytes bytes)
{
    struct broker_offset_value value;
    struct broker_group *group = broker_groups_find(groups, key->group);

    groups->sequence++;
    if (bytes.data == NULL) {
        if (group == NULL)
            return;
        broker_offsets_touch(group->offsets, key->topic, key->partition, groups->sequence);
        broker_offsets_unset(group->offsets, key->topic, key->partition, groups->sequence);
        return;
    }
    if (broker_offset_value_read(bytes, &value) != MR_OK)
        return;
    group = broker_groups_make(groups, key->group);
    if (group == NULL)
        return;
    broker_offsets_touch(group->offsets, key->topic, key->partition, groups->sequence);
    broker_offsets_set(group->offsets, key->topic, key->partition, groups->sequence, &value);
}

static void group_load(struct broker_groups *groups, const struct broker_record_key *key, struct mr_bytes bytes)
{
    static const struct broker_group_image nothing = { .protocol_type = { "", 0 }, .state_since_ms = -1 };
    struct broker_group *group = broker_groups_find(groups, key->group);
    struct mr_arena *arena;
    struct broker_group_image image;

    if (bytes.data == NULL) {
        if (group != NULL)
            broker_group_restore(group, &nothing);
        return;
    }
    arena = mr_arena_new();
    if (broker_group_value_read(bytes, arena, &image) == MR_OK) {
        group = broker_groups_make(groups, key->group);
        if (group != NULL)
            broker_group_restore(group, &image);
    }
    mr_arena_free(arena);
}

static void batch_load(struct broker_groups *groups, const struct kafka_batch *batch)
{
    struct kafka_records records;
    struct kafka_record record;
    struct mr_err err = MR_ERR_INIT;

    if (batch->attributes & KAFKA_BATCH_CONTROL)
        return;
    if (kafka_records_open(&records, batch, &groups->broker->scratch, &err) != MR_OK) {
        mr_log(MR_LOG_ERROR, "broker", "passing over a batch of " BROKER_OFFSETS_TOPIC ": %s", err.text);
        return;
    }
    while (kafka_records_next(&records, &record)) {
        struct broker_record_key key;

        groups->load_records++;
        if (broker_record_key_read(record.key, &key) != MR_OK)
            continue;
        if (key.kind == BROKER_RECORD_OFFSET)
            offset_load(groups, &key, record.value);
        else
            group_load(groups, &key, record.value);
    }
}

/* ---- reading ---- */

/* Reads on in PARTITION; false when its end is reached.  *BYTES is what it took. */
static bool partition_load(struct broker_groups *groups, struct log_partition *partition, int64_t bytes_max,
                           int64_t *bytes)
{
    struct mr_writer chunk = { 0 };
    struct mr_bytes rest;
    struct kafka_batch batch;
    struct mr_err err = MR_ERR_INIT;
    bool more;

    if (groups->load_offset < 0)
        groups->load_offset = log_start_offset(partition);
    if (groups->load_offset >= log_high_watermark(partition))
        return false;
    if (log_read_copy(partition, groups->load_offset, bytes_max, &chunk, &err) != MR_OK)
        mr_log(MR_LOG_ERROR, "broker", "reading " BROKER_OFFSETS_TOPIC " at offset %" PRId64 ": %s",
               groups->load_offset, err.text);
    rest = mr_writer_bytes(&chunk);
    *bytes = (int64_t)rest.size;
    more = rest.size > 0;
    while (rest.size > 0 && kafka_batch_parse(rest, &batch, NULL) == MR_OK) {
        batch_load(groups, &batch);
        groups->load_offset = batch.last_offset + 1;
        rest.data += batch.bytes.size;
        rest.size -= batch.bytes.size;
    }
    mr_writer_deinit(&chunk);
    return more;
}

/* Is it of a topic that is not there any more? */
static bool offset_is_orphan(const struct broker_groups *groups, const struct broker_offset *offset)
{
    static const uint8_t none[sizeof(offset->value.topic_id)];
    const struct log_topic *topic = log_topic_find(groups->broker->log, offset->topic);

    if (topic == NULL)
        return true;
    return memcmp(offset->value.topic_id, none, sizeof(none)) != 0 &&
           memcmp(offset->value.topic_id, log_topic_id(topic), sizeof(none)) != 0;
}

static void group_finish(struct broker_groups *groups, struct broker_group *group)
{
    struct mr_arena *arena = mr_arena_new();
    struct broker_append *append = broker_append_new(groups, group);
    size_t count;
    struct broker_offset **all = broker_offsets_sorted(group->offsets, arena, &count);

    for (size_t i = 0; i < count && broker_append_count(append) < BROKER_APPEND_RECORDS_MAX; i++)
        if (offset_is_orphan(groups, all[i]))
            broker_append_forget(append, all[i]->topic, all[i]->partition);
    if (broker_append_count(append) > 0)
        broker_append_submit(append, NULL, NULL);
    else
        broker_append_free(append);
    broker_groups_touched(groups, group);
    mr_arena_free(arena);
}

static void load_finish(struct broker_groups *groups)
{
    struct mr_arena *arena = mr_arena_new();
    size_t count;
    struct broker_group **all;

    groups->is_loading = false;
    all = broker_groups_sorted(groups, arena, &count);
    for (size_t i = 0; i < count; i++)
        group_finish(groups, all[i]);
    mr_arena_free(arena);
    mr_log(MR_LOG_INFO, "broker", "%zu consumer groups from %" PRId64 " records", mr_map_count(groups->by_id),
           groups->load_records);
}

/* Reads up to BYTES_MAX; false when all is read. */
static bool load_step(struct broker_groups *groups, int64_t bytes_max)
{
    struct log_topic *topic = log_topic_find(groups->broker->log, MR_STR(BROKER_OFFSETS_TOPIC));

    while (topic != NULL && groups->load_partition < log_topic_partition_count(topic)) {
        int64_t bytes = 0;

        if (bytes_max <= 0)
            return true;
        if (partition_load(groups, log_topic_partition(topic, groups->load_partition),
                           bytes_max < BROKER_LOAD_BYTES_STEP ? bytes_max : BROKER_LOAD_BYTES_STEP, &bytes)) {
            bytes_max -= bytes;
        } else {
            groups->load_partition++;
            groups->load_offset = -1;
        }
    }
    return false;
}

static void load_go_on(void *arg)
{
    struct broker_groups *groups = arg;

    if (load_step(groups, BROKER_LOAD_BYTES_STEP)) {
        net_timer_restart(groups->load_timer, 0);
        return;
    }
    net_timer_free(groups->load_timer);
    groups->load_timer = NULL;
    load_finish(groups);
}

void broker_groups_load(struct broker_groups *groups)
{
    groups->is_loading = true;
    groups->load_offset = -1;
    if (load_step(groups, BROKER_LOAD_BYTES_AT_OPEN))
        groups->load_timer = net_timer_new(groups->broker->loop, 0, 0, load_go_on, groups);
    else
        load_finish(groups);
}

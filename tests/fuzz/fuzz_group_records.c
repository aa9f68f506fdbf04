/* fuzz_group_records.c -- any bytes as records of __consumer_offsets: a key with a value behind it.  The first byte is
 * the key's length; what is read can be written and read again as the same. */
#include "broker/group_records_int.h"
#include "fuzz.h"

static void offset_fuzz(struct mr_bytes value)
{
    struct broker_offset_value read, again;
    struct mr_writer out = { 0 };

    if (broker_offset_value_read(value, &read) != MR_OK)
        return;
    broker_offset_value_write(&out, &read);
    FUZZ_MUST(broker_offset_value_read(mr_writer_bytes(&out), &again) == MR_OK);
    FUZZ_MUST(read.offset == again.offset && read.commit_ms == again.commit_ms);
    FUZZ_MUST(mr_str_equal(read.metadata, again.metadata));
    mr_writer_deinit(&out);
}

static void joined(void *waiter, const struct broker_joined *answer)
{
    FUZZ_MUST(waiter == NULL && answer == NULL); /* nobody waits */
}

static void synced(void *waiter, const struct broker_synced *answer)
{
    FUZZ_MUST(waiter == NULL && answer == NULL);
}

static void store(void *arg, struct broker_group *group, int64_t ticket)
{
    MR_UNUSED(arg);
    MR_UNUSED(group);
    MR_UNUSED(ticket);
}

/* A group that was restored lives: sessions end, and what it writes can be read. */
static void group_fuzz(struct mr_bytes value)
{
    struct broker_group_rules rules = { .env = mr_env_real(), .joined = joined, .synced = synced, .store = store };
    struct mr_arena *arena = mr_arena_new();
    struct broker_group *group = broker_group_new(&rules, MR_STR("g"));
    struct broker_group_image image;
    struct mr_writer out = { 0 };

    if (broker_group_value_read(value, arena, &image) == MR_OK) {
        broker_group_restore(group, &image);
        (void)broker_group_subscribes(group, MR_STR("t"));
        broker_group_value_write(&out, group);
        FUZZ_MUST(broker_group_value_read(mr_writer_bytes(&out), arena, &image) == MR_OK);
        broker_group_tick(group);
        while (group->member_count > 0) {
            group->members[0]->deadline_ms = 0;
            broker_group_tick(group);
        }
    }
    broker_group_free(group);
    FUZZ_MUST(rules.bytes == 0);
    mr_writer_deinit(&out);
    mr_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct broker_record_key key;
    size_t key_size;
    struct mr_bytes value;

    if (size < 1)
        return 0;
    key_size = data[0] < size - 1 ? data[0] : size - 1;
    if (broker_record_key_read((struct mr_bytes){ data + 1, key_size }, &key) != MR_OK)
        return 0;
    value = (struct mr_bytes){ data + 1 + key_size, size - 1 - key_size };
    if (key.kind == BROKER_RECORD_OFFSET)
        offset_fuzz(value);
    else
        group_fuzz(value);
    return 0;
}

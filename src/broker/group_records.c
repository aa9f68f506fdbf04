/* group_records.c -- see group_records_int.h. */
#include "broker/group_records_int.h"

#include <string.h>

enum {
    KEY_OFFSET_OLD = 0,
    KEY_OFFSET = 1,
    KEY_GROUP = 2,
    OFFSET_EXPIRES = 1, /* the only version with a time until when it is kept */
    OFFSET_EPOCH = 3,
    OFFSET_FLEXIBLE = 4,
    GROUP_REBALANCE_TIMEOUT = 1,
    GROUP_STATE_TIME = 2,
    GROUP_INSTANCE = 3,
    GROUP_FLEXIBLE = 4,
    TAG_TOPIC_ID = 0,
    TOPIC_ID_BYTES = 16,
    MEMBER_BYTES_MIN = 10,
};

/* ---- fields ---- */

static struct mr_bytes bytes_read(struct mr_reader *in, bool flexible)
{
    int64_t size = flexible ? (int64_t)mr_read_uvarint32(in) - 1 : mr_read_i32(in);

    return size < 0 ? MR_BYTES_NULL : mr_read_slice(in, (size_t)size);
}

static struct mr_str string_or_null_read(struct mr_reader *in, bool flexible)
{
    int64_t size = flexible ? (int64_t)mr_read_uvarint32(in) - 1 : mr_read_i16(in);

    if (size < 0)
        return MR_STR_NULL;
    if (size > INT16_MAX)
        mr_reader_fail(in);
    return mr_str_of_bytes(mr_read_slice(in, (size_t)size));
}

static struct mr_str string_read(struct mr_reader *in, bool flexible)
{
    struct mr_str s = string_or_null_read(in, flexible);

    if (s.data == NULL)
        mr_reader_fail(in);
    return s;
}

static void string_write(struct mr_writer *out, struct mr_str s)
{
    assert(s.size <= INT16_MAX);
    mr_write_i16(out, s.data == NULL ? -1 : (int16_t)s.size);
    mr_write_str(out, s);
}

static void bytes_write(struct mr_writer *out, struct mr_bytes b)
{
    mr_write_i32(out, (int32_t)b.size);
    mr_write_bytes(out, b);
}

/* Skips tagged fields; the one with TAG_TOPIC_ID goes to TOPIC_ID unless that is NULL. */
static void tags_read(struct mr_reader *in, uint8_t *topic_id)
{
    uint32_t count = mr_read_uvarint32(in);

    for (uint32_t i = 0; i < count && !in->failed; i++) {
        uint32_t tag = mr_read_uvarint32(in);
        struct mr_bytes value = mr_read_slice(in, mr_read_uvarint32(in));

        if (tag == TAG_TOPIC_ID && topic_id != NULL && value.size == TOPIC_ID_BYTES)
            memcpy(topic_id, value.data, TOPIC_ID_BYTES);
    }
}

/* ---- keys ---- */

enum mr_status broker_record_key_read(struct mr_bytes bytes, struct broker_record_key *out)
{
    struct mr_reader in = mr_reader_of(bytes);
    struct broker_record_key key = { 0 };
    int16_t version = mr_read_i16(&in);

    if (in.failed)
        return MR_INVALID;
    if (version < KEY_OFFSET_OLD || version > KEY_GROUP)
        return MR_UNSUPPORTED;
    key.kind = version == KEY_GROUP ? BROKER_RECORD_GROUP : BROKER_RECORD_OFFSET;
    key.group = string_read(&in, false);
    if (key.kind == BROKER_RECORD_OFFSET) {
        key.topic = string_read(&in, false);
        key.partition = mr_read_i32(&in);
    }
    if (in.failed)
        return MR_INVALID;
    *out = key;
    return MR_OK;
}

void broker_offset_key_write(struct mr_writer *out, struct mr_str group, struct mr_str topic, int32_t partition)
{
    mr_write_i16(out, KEY_OFFSET);
    string_write(out, group);
    string_write(out, topic);
    mr_write_i32(out, partition);
}

void broker_group_key_write(struct mr_writer *out, struct mr_str group)
{
    mr_write_i16(out, KEY_GROUP);
    string_write(out, group);
}

/* ---- offsets ---- */

enum mr_status broker_offset_value_read(struct mr_bytes bytes, struct broker_offset_value *out)
{
    struct mr_reader in = mr_reader_of(bytes);
    struct broker_offset_value value = { .leader_epoch = -1, .expire_ms = -1 };
    int16_t version = mr_read_i16(&in);

    if (!in.failed && (version < 0 || version > OFFSET_FLEXIBLE))
        return MR_UNSUPPORTED;
    value.offset = mr_read_i64(&in);
    if (version >= OFFSET_EPOCH)
        value.leader_epoch = mr_read_i32(&in);
    value.metadata = string_read(&in, version >= OFFSET_FLEXIBLE);
    value.commit_ms = mr_read_i64(&in);
    if (version == OFFSET_EXPIRES)
        value.expire_ms = mr_read_i64(&in);
    if (version >= OFFSET_FLEXIBLE)
        tags_read(&in, value.topic_id);
    if (in.failed)
        return MR_INVALID;
    *out = value;
    return MR_OK;
}

static bool id_is_set(const uint8_t id[TOPIC_ID_BYTES])
{
    static const uint8_t none[TOPIC_ID_BYTES];

    return memcmp(id, none, TOPIC_ID_BYTES) != 0;
}

void broker_offset_value_write(struct mr_writer *out, const struct broker_offset_value *value)
{
    bool expires = value->expire_ms >= 0;

    mr_write_i16(out, expires ? OFFSET_EXPIRES : OFFSET_FLEXIBLE);
    mr_write_i64(out, value->offset);
    if (expires) {
        string_write(out, value->metadata);
        mr_write_i64(out, value->commit_ms);
        mr_write_i64(out, value->expire_ms);
        return;
    }
    mr_write_i32(out, value->leader_epoch);
    mr_write_uvarint(out, value->metadata.size + 1);
    mr_write_str(out, value->metadata);
    mr_write_i64(out, value->commit_ms);
    mr_write_uvarint(out, id_is_set(value->topic_id));
    if (id_is_set(value->topic_id)) {
        mr_write_uvarint(out, TAG_TOPIC_ID);
        mr_write_uvarint(out, TOPIC_ID_BYTES);
        mr_write_bytes(out, (struct mr_bytes){ value->topic_id, TOPIC_ID_BYTES });
    }
}

/* ---- groups ---- */

static void member_read(struct mr_reader *in, int16_t version, struct broker_image_member *member)
{
    bool flexible = version >= GROUP_FLEXIBLE;

    member->id = string_read(in, flexible);
    if (version >= GROUP_INSTANCE)
        member->instance_id = string_or_null_read(in, flexible);
    member->client_id = string_read(in, flexible);
    member->client_host = string_read(in, flexible);
    member->rebalance_timeout_ms = version >= GROUP_REBALANCE_TIMEOUT ? mr_read_i32(in) : -1;
    member->session_timeout_ms = mr_read_i32(in);
    if (member->rebalance_timeout_ms < 0)
        member->rebalance_timeout_ms = member->session_timeout_ms;
    member->subscription = bytes_read(in, flexible);
    member->assignment = bytes_read(in, flexible);
    if (flexible)
        tags_read(in, NULL);
}

enum mr_status broker_group_value_read(struct mr_bytes bytes, struct mr_arena *arena, struct broker_group_image *out)
{
    struct mr_reader in = mr_reader_of(bytes);
    struct broker_group_image image = { .state_since_ms = -1 };
    int16_t version = mr_read_i16(&in);
    bool flexible = version >= GROUP_FLEXIBLE;
    int64_t count;

    if (!in.failed && (version < 0 || version > GROUP_FLEXIBLE))
        return MR_UNSUPPORTED;
    image.protocol_type = string_read(&in, flexible);
    image.generation = mr_read_i32(&in);
    image.protocol = string_or_null_read(&in, flexible);
    image.leader = string_or_null_read(&in, flexible);
    if (version >= GROUP_STATE_TIME)
        image.state_since_ms = mr_read_i64(&in);
    count = flexible ? (int64_t)mr_read_uvarint32(&in) - 1 : mr_read_i32(&in);
    if (in.failed || count < 0 || count > (int64_t)(mr_reader_left(&in) / MEMBER_BYTES_MIN))
        return MR_INVALID;
    image.members = MR_ARENA_ARRAY(arena, struct broker_image_member, (size_t)count);
    image.member_count = (int32_t)count;
    for (int32_t i = 0; i < image.member_count && !in.failed; i++)
        member_read(&in, version, &image.members[i]);
    if (flexible)
        tags_read(&in, NULL);
    if (in.failed || (count > 0 && (image.protocol.data == NULL || image.protocol_type.size == 0)))
        return MR_INVALID;
    *out = image;
    return MR_OK;
}

void broker_group_value_write(struct mr_writer *out, const struct broker_group *group)
{
    mr_write_i16(out, GROUP_INSTANCE);
    string_write(out, group->protocol_type.data != NULL ? group->protocol_type : MR_STR(""));
    mr_write_i32(out, group->generation);
    string_write(out, group->protocol);
    string_write(out, group->leader != NULL ? group->leader->id : MR_STR_NULL);
    mr_write_i64(out, group->state_since_ms);
    mr_write_i32(out, (int32_t)group->member_count);
    for (size_t i = 0; i < group->member_count; i++) {
        const struct broker_member *member = group->members[i];

        string_write(out, member->id);
        string_write(out, member->instance_id);
        string_write(out, member->client_id.data != NULL ? member->client_id : MR_STR(""));
        string_write(out, member->client_host);
        mr_write_i32(out, member->rebalance_timeout_ms);
        mr_write_i32(out, member->session_timeout_ms);
        bytes_write(out, broker_group_metadata(group, member));
        bytes_write(out, member->assignment);
    }
}

static void member_restore(struct broker_group *group, const struct broker_group_image *image,
                           const struct broker_image_member *from)
{
    struct broker_protocol protocol = { image->protocol, from->subscription };
    struct broker_join join = {
        .instance_id = from->instance_id,
        .client_id = from->client_id,
        .client_host = from->client_host,
        .session_timeout_ms = from->session_timeout_ms,
        .rebalance_timeout_ms = from->rebalance_timeout_ms,
        .protocols = &protocol,
        .protocol_count = 1,
    };
    struct broker_member *member = broker_member_new(&join, from->id);

    broker_group_member_add(group, member);
    broker_member_assign(group, member, from->assignment);
    broker_group_session_renew(group, member);
    if (image->leader.data != NULL && mr_str_equal(image->leader, from->id))
        group->leader = member;
}

void broker_group_restore(struct broker_group *group, const struct broker_group_image *image)
{
    while (group->member_count > 0)
        broker_group_member_remove(group, group->members[0], 0);
    broker_group_name_set(group, image->protocol_type.size > 0 ? image->protocol_type : MR_STR_NULL,
                          image->member_count > 0 ? image->protocol : MR_STR_NULL);
    group->generation = image->generation;
    group->state = image->member_count > 0 ? BROKER_GROUP_STABLE : BROKER_GROUP_EMPTY;
    if (image->state_since_ms >= 0)
        group->state_since_ms = image->state_since_ms;
    for (int32_t i = 0; i < image->member_count; i++)
        member_restore(group, image, &image->members[i]);
}

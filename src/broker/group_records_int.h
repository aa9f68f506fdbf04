/* group_records_int.h -- the records of __consumer_offsets, in Apache Kafka's own format, so that tools which read that
 * topic can.  What is written is what Kafka 4.3 writes; every older version is read too.
 *
 * key    int16 1 (0 is the same), group, topic, int32 partition     an offset
 *        int16 2, group                                             a group
 *        anything else is somebody else's: skipped
 * value  of an offset  version 4 (1 when it says how long it is kept), of a group version 3; null: deleted */
#ifndef MR_BROKER_GROUP_RECORDS_INT_H
#define MR_BROKER_GROUP_RECORDS_INT_H

#include "broker/group_int.h"
#include "broker/group_offsets_int.h"

enum broker_record_kind { BROKER_RECORD_OFFSET, BROKER_RECORD_GROUP };

/* Borrowed from the bytes it was read from. */
struct broker_record_key {
    enum broker_record_kind kind;
    struct mr_str group;
    struct mr_str topic;
    int32_t partition;
};

/* MR_UNSUPPORTED  of a kind that is not known: to be skipped     MR_INVALID  no key */
MR_MUST_CHECK enum mr_status broker_record_key_read(struct mr_bytes in, struct broker_record_key *out);
void broker_offset_key_write(struct mr_writer *out, struct mr_str group, struct mr_str topic, int32_t partition);
void broker_group_key_write(struct mr_writer *out, struct mr_str group);

/* MR_UNSUPPORTED  a newer version     MR_INVALID  no value */
MR_MUST_CHECK enum mr_status broker_offset_value_read(struct mr_bytes in, struct broker_offset_value *out);
void broker_offset_value_write(struct mr_writer *out, const struct broker_offset_value *value);

/* A group as stored; its members have one protocol, the one that was chosen.  Borrowed, and from the arena. */
struct broker_group_image {
    struct mr_str protocol_type;
    int32_t generation;
    struct mr_str protocol; /* null: no members */
    struct mr_str leader;   /* null: no members */
    int64_t state_since_ms; /* -1: not known */
    struct broker_image_member {
        struct mr_str id;
        struct mr_str instance_id;
        struct mr_str client_id;
        struct mr_str client_host;
        int32_t rebalance_timeout_ms;
        int32_t session_timeout_ms;
        struct mr_bytes subscription;
        struct mr_bytes assignment;
    } * members;
    int32_t member_count;
};

MR_MUST_CHECK enum mr_status broker_group_value_read(struct mr_bytes in, struct mr_arena *arena,
                                                     struct broker_group_image *out);
/* The group as it is now. */
void broker_group_value_write(struct mr_writer *out, const struct broker_group *group);
/* Makes GROUP what IMAGE says: stable with its members, whose sessions begin now, or empty. */
void broker_group_restore(struct broker_group *group, const struct broker_group_image *image);

#endif

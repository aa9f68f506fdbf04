/* group_offsets_int.h -- the offsets that one group has committed, in memory.
 *
 * An entry is made when a commit is given to the log, and shown only once that is on disk (is_set): so a deletion that
 * comes in between covers it.  appended is the place of the newest record about it in __consumer_offsets; a tombstone
 * that is on disk removes the entry unless a newer commit is on its way. */
#ifndef MR_BROKER_GROUP_OFFSETS_INT_H
#define MR_BROKER_GROUP_OFFSETS_INT_H

#include "base/base.h"

enum broker_offsets_limits {
    BROKER_OFFSETS_MAX = 100000,       /* of one group */
    BROKER_OFFSET_METADATA_MAX = 4096, /* offset.metadata.max.bytes */
};

/* What a commit says. */
struct broker_offset_value {
    int64_t offset;
    int32_t leader_epoch;   /* -1: not said */
    struct mr_str metadata; /* never null */
    int64_t commit_ms;
    int64_t expire_ms; /* -1: as the retention says */
    uint8_t topic_id[16];
};

struct broker_offset {
    struct mr_str topic; /* owned */
    int32_t partition;
    int64_t appended;
    int64_t applied; /* the commit that value is of */
    bool is_set;
    struct broker_offset_value value; /* its metadata is owned */
};

struct broker_offsets;

/* None yet.  What they take is added to *BYTES (borrowed).  Caller owns: broker_offsets_free. */
struct broker_offsets *broker_offsets_new(int64_t *bytes);
/* NULL is legal. */
void broker_offsets_free(struct broker_offsets *offsets);
/* How many entries there are, those on their way to disk included. */
size_t broker_offsets_count(const struct broker_offsets *offsets);
/* The entry, or NULL; look at is_set. */
struct broker_offset *broker_offsets_find(const struct broker_offsets *offsets, struct mr_str topic, int32_t partition);
/* A record about it was appended at APPENDED; makes the entry when there is none. */
void broker_offsets_touch(struct broker_offsets *offsets, struct mr_str topic, int32_t partition, int64_t appended);
/* The commit at APPENDED is on disk.  VALUE is copied. */
void broker_offsets_set(struct broker_offsets *offsets, struct mr_str topic, int32_t partition, int64_t appended,
                        const struct broker_offset_value *value);
/* The tombstone at APPENDED is on disk. */
void broker_offsets_unset(struct broker_offsets *offsets, struct mr_str topic, int32_t partition, int64_t appended);
/* What was appended at APPENDED is not on disk: an entry that was only made for it goes. */
void broker_offsets_fail(struct broker_offsets *offsets, struct mr_str topic, int32_t partition, int64_t appended);
/* All entries by topic and partition, *COUNT of them, in an array of ARENA. */
struct broker_offset **broker_offsets_sorted(const struct broker_offsets *offsets, struct mr_arena *arena,
                                             size_t *count);

#endif

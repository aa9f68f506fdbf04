/* src_kafka_int.h -- the kafka source's state, shared by its opening (src_kafka_open.c) and its polling (src_kafka.c).
 */
#ifndef MR_CONNECTORS_SRC_KAFKA_INT_H
#define MR_CONNECTORS_SRC_KAFKA_INT_H

#include "connectors/kafka_group_int.h"
#include "connectors/kafka_int.h"
#include "kafka/records.h"

enum {
    KAFKA_POLL_RECORDS_MAX = 65536,
    KAFKA_SCRATCHES = 16, /* compressed batches that one poll may hand over */
    KAFKA_REFRESH_MS = 30000,
    KAFKA_EXPECT_MS = 50, /* how much longer a poll waits for records that are known to be there */
};

/* One partition; its index is its place in source->parts. */
struct kafka_part {
    int32_t leader;     /* -1: not known */
    int64_t fetch_next; /* where the next Fetch begins */
    int64_t next;       /* as in connector_position */
    int64_t last;
    uint32_t last_checksum;
    int64_t high_watermark; /* -1: not known yet */
    int64_t end;            /* bounded: where it ends; -1: never */
    bool owned;             /* it is read here; always, unless it is shared with other processes */
    bool assigned;          /* its position is another process's: told as such, with clock_us */
    int64_t clock_us;
    bool fresh;    /* nothing was read yet, and it starts at its oldest record wherever that is */
    bool moved;    /* its position is to be told */
    bool has_last; /* records[last_index] of this poll is its last one */
    uint32_t last_index;
    int64_t retry_ms; /* no Fetch before */
    struct connector_backoff backoff;
};

/* One broker that leads partitions. */
struct kafka_peer {
    int32_t id;
    struct kafka_conn conn;
    bool asked; /* a Fetch is on the way */
    int64_t asked_ms;
    int64_t retry_ms;
    uint32_t turn;
    struct connector_backoff backoff;
};

/* What is left of one partition's batches in the current answer. */
struct kafka_pending {
    int32_t part;
    struct mr_bytes bytes;
};

/* Where partitions without a position start. */
struct kafka_start {
    int mode; /* enum kafka_startup */
    int64_t timestamp_ms;
    const struct connector_position *positions;
    uint32_t position_count;
};

struct connector_source {
    const struct connector_context *ctx; /* borrowed */
    struct kafka_cluster *cluster;       /* owned */
    char *bootstrap, *group_id;          /* owned */
    int64_t session_ms;
    struct kafka_group *group; /* owned; NULL until something is to be committed, or shared */
    bool shared;               /* it is a member of the group: positions are the group's */
    bool told;                 /* something was handed over since the last checkpoint */
    struct kafka_start start;  /* shared: for partitions that the group has no offsets of; its positions are owned */
    bool bounded;
    int64_t max_wait_ms, min_bytes, partition_max_bytes, fetch_max_bytes;

    struct kafka_part *parts; /* owned */
    uint32_t part_count;
    struct kafka_peer **peers; /* owned; never moved */
    uint32_t peer_count, peer_capacity;
    uint32_t peer_turn;
    int64_t refresh_ms; /* when the metadata is asked for again */
    struct connector_backoff refresh_backoff;
    struct connector_warner warner;
    struct mr_arena *arena; /* owned; of one request or answer */

    struct mr_writer frame;        /* the current answer */
    struct kafka_pending *pending; /* owned; room for part_count */
    uint32_t pending_count, pending_at;
    struct kafka_records walk; /* over the open batch */
    bool batch_open;
    bool batch_inflated; /* its records are in a scratch */
    int32_t batch_part;
    int64_t batch_base, batch_last;
    int32_t batch_epoch;
    bool batch_append_time;
    const uint8_t *batch_slack_end;
    struct kafka_scratch scratches[KAFKA_SCRATCHES];
    uint32_t scratch_used, scratch_last;
    struct connector_record *records;     /* owned; KAFKA_POLL_RECORDS_MAX of them */
    struct connector_position *positions; /* owned; room for part_count */
};

MR_MUST_CHECK enum mr_status kafka_source_open(struct connector_source **out, const struct connector_table *table,
                                               const struct connector_context *ctx,
                                               const struct connector_position *positions, uint32_t position_count,
                                               struct mr_err *err);
void kafka_source_close(struct connector_source *s);
/* What the group asks for, before records are handed over.  *PAUSE: nothing is to be handed over. */
MR_MUST_CHECK enum mr_status kafka_source_group_turn(struct connector_source *s, int timeout_ms, bool *pause,
                                                     struct mr_err *err);
/* Becomes a member of the group. */
MR_MUST_CHECK enum mr_status kafka_source_group_open(struct connector_source *s, struct mr_err *err);
/* Commits the checkpoint's positions to the group. */
void kafka_source_checkpointed(struct connector_source *s, const struct connector_position *positions,
                               uint32_t position_count);
bool kafka_source_shareable(const struct connector_table *table, const struct connector_context *ctx);
/* Makes PART what POSITION, or without one START, says. */
MR_MUST_CHECK enum mr_status kafka_source_part_open(struct connector_source *s, int32_t index,
                                                    const struct connector_position *position,
                                                    const struct kafka_start *start, struct mr_err *err);
/* Asks for partitions and leaders when it is time, and takes new partitions in.  Trouble that may pass is noted. */
MR_MUST_CHECK enum mr_status kafka_source_refresh(struct connector_source *s, struct mr_err *err);

#endif

/* kafka_group_int.h -- a consumer group as the kafka source uses it.
 *
 * Two uses: telling the world how far a query is (offsets of a group without members, never read back), and sharing a
 * topic's partitions with other processes that run the same query (a member: its positions are the group's offsets).
 * A thread of its own talks to the coordinator, so that one that is away or slow holds nobody up.
 *
 * A member's life, seen from the source, which asks kafka_group_state before it hands records over:
 *     WAIT --assigned--> TAKE --kafka_group_take--> KEEP --rebalance--> GIVE_UP --kafka_group_given_up--> WAIT
 * Offsets given to kafka_group_commit before kafka_group_given_up are committed before the partitions go. */
#ifndef MR_CONNECTORS_KAFKA_GROUP_INT_H
#define MR_CONNECTORS_KAFKA_GROUP_INT_H

#include "connectors/kafka_int.h"

#include <pthread.h>

enum kafka_group_limits {
    KAFKA_GROUP_COMMIT_MS = 1000,       /* offsets that only show: at most so often */
    KAFKA_GROUP_COMMIT_SHARED_MS = 200, /* what another process repeats at most after a kill */
    KAFKA_GROUP_SESSION_MS = 10000,
    KAFKA_GROUP_REBALANCE_MS = 60000,
    KAFKA_GROUP_CLOSE_MS = 1000, /* how long closing waits for the last commit */
    KAFKA_GROUP_METADATA_BYTES = 96,
};

enum kafka_group_state { KAFKA_GROUP_WAIT, KAFKA_GROUP_TAKE, KAFKA_GROUP_KEEP, KAFKA_GROUP_GIVE_UP };

/* Where a partition of the group stands. */
struct kafka_group_offset {
    int32_t partition;
    int64_t next; /* -1: the group has none */
    int64_t last; /* -1: none was read yet, or it is not known */
    uint32_t last_checksum;
    int64_t clock_us; /* the engine's write-time clock; 0: not known */
};

struct kafka_group_options {
    const struct connector_context *ctx; /* borrowed */
    const char *bootstrap;               /* copied, as all below */
    const char *topic;
    const char *group_id;
    const char *instance_id; /* of a member: the same after a restart, so that it takes its own place again */
    bool member;
    int64_t session_ms; /* of a member */
};

struct kafka_group;

/* Starts the thread.  Caller owns: kafka_group_close.  MR_INVALID: the addresses. */
MR_MUST_CHECK enum mr_status kafka_group_open(struct kafka_group **out, const struct kafka_group_options *options,
                                              struct mr_err *err);
/* Commits what is left and leaves the group, within KAFKA_GROUP_CLOSE_MS.  NULL is legal. */
void kafka_group_close(struct kafka_group *group);
/* These are to be committed soon, instead of earlier ones of the same partitions.  Never waits for the network. */
void kafka_group_commit(struct kafka_group *group, const struct kafka_group_offset *offsets, uint32_t count);
/* What the source is to do.  WAIT and GIVE_UP wait up to WAIT_MS for a change.  MR_UNSUPPORTED, MR_DENIED: the
 * coordinator will never have this member. */
MR_MUST_CHECK enum mr_status kafka_group_state(struct kafka_group *group, int wait_ms, enum kafka_group_state *out,
                                               struct mr_err *err);
/* In state TAKE: the assigned partitions and the group's offsets, in ARENA. */
uint32_t kafka_group_take(struct kafka_group *group, struct mr_arena *arena, struct kafka_group_offset **out);
/* In state GIVE_UP: nothing of the partitions will be read or committed any more. */
void kafka_group_given_up(struct kafka_group *group);
/* The topic has another number of partitions: the group is to divide them anew. */
void kafka_group_rejoin(struct kafka_group *group);

/* ---- kafka_group_text.c: what the members and the offsets carry ---- */

/* "millrace 1 LAST CHECKSUM CLOCK", an offset's metadata. */
void kafka_group_metadata_format(char out[KAFKA_GROUP_METADATA_BYTES], const struct kafka_group_offset *offset);
/* Reads it; another text leaves last at -1 and the clock at 0. */
void kafka_group_metadata_parse(struct mr_str text, struct kafka_group_offset *offset);

/* A member of the group and what it wants, for the leader to divide. */
struct kafka_group_member {
    struct mr_str id;
    struct mr_str *topics;
    int32_t topic_count;
    struct mr_writer assignment; /* made by kafka_group_divide; owned */
};
struct kafka_group_topic {
    struct mr_str name;
    int32_t partition_count;
};

/* Appends a ConsumerProtocolSubscription, version 0, of one topic. */
void kafka_group_subscription_write(struct mr_writer *out, struct mr_str topic);
/* Reads the topics of a subscription of any version into MEMBER.  MR_INVALID: not one. */
MR_MUST_CHECK enum mr_status kafka_group_subscription_read(struct kafka_group_member *member, struct mr_bytes bytes,
                                                           struct mr_arena *arena);
/* Kafka's range assignor: of each topic, neighbouring partitions to each member that wants it, by member id. */
void kafka_group_divide(struct kafka_group_member *members, int32_t member_count,
                        const struct kafka_group_topic *topics, int32_t topic_count);
/* The partitions of TOPIC in a ConsumerProtocolAssignment.  MR_INVALID: not one. */
MR_MUST_CHECK enum mr_status kafka_group_assignment_read(struct mr_bytes bytes, struct mr_str topic,
                                                         struct mr_arena *arena, int32_t **out, int32_t *count);

/* ---- kafka_group_call.c: the requests, waited for ---- */

/* The coordinator as the thread sees it. */
struct kafka_group_call {
    struct connector_context ctx; /* with a stop of the group's own */
    struct connector_address bootstrap[CONNECTOR_ADDRESSES_MAX];
    int bootstrap_count, bootstrap_next;
    char *client_id, *topic, *group_id, *instance_id; /* owned; instance_id may be NULL */
    struct kafka_conn conn;                           /* to the coordinator; closed: it is to be found */
    int64_t session_ms;
    char *member_id; /* owned; "" before the first join */
    int32_t generation;
    struct mr_arena *arena; /* owned; of one call */
};

/* Each gives MR_OK with *CODE (Kafka's error, 0: none), or MR_IO, MR_BUSY (stopped), MR_UNSUPPORTED. */
MR_MUST_CHECK enum mr_status kafka_group_find(struct kafka_group_call *call, int *code, struct mr_err *err);
/* *LEADER: its members are to be divided. */
MR_MUST_CHECK enum mr_status kafka_group_join(struct kafka_group_call *call, int *code, bool *leader,
                                              struct kafka_group_member **members, int32_t *member_count,
                                              struct mr_err *err);
/* How many partitions each topic that MEMBERS want has; in call->arena. */
MR_MUST_CHECK enum mr_status kafka_group_topics(struct kafka_group_call *call, const struct kafka_group_member *members,
                                                int32_t member_count, struct kafka_group_topic **out, int32_t *count,
                                                struct mr_err *err);
/* PARTITIONS of the topic are this member's; in call->arena.  Frees the assignments of MEMBERS. */
MR_MUST_CHECK enum mr_status kafka_group_sync(struct kafka_group_call *call, struct kafka_group_member *members,
                                              int32_t member_count, int *code, int32_t **partitions, int32_t *count,
                                              struct mr_err *err);
MR_MUST_CHECK enum mr_status kafka_group_heartbeat(struct kafka_group_call *call, int *code, struct mr_err *err);
/* OFFSETS has one element for each of the COUNT partitions. */
MR_MUST_CHECK enum mr_status kafka_group_offsets_fetch(struct kafka_group_call *call, int *code,
                                                       const int32_t *partitions, int32_t count,
                                                       struct kafka_group_offset *offsets, struct mr_err *err);
MR_MUST_CHECK enum mr_status kafka_group_offsets_commit(struct kafka_group_call *call, int *code,
                                                        const struct kafka_group_offset *offsets, uint32_t count,
                                                        struct mr_err *err);
void kafka_group_leave(struct kafka_group_call *call);

#endif

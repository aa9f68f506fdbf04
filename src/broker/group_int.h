/* group_int.h -- one consumer group of the classic protocol: members, generations, assignments.  No I/O: the time comes
 * from the rules' env, answers go out through their callbacks, so a test can play a rebalance in no time.
 *
 * States
 *   EMPTY --join--> PREPARING --all have joined, or time is over--> COMPLETING --the leader's assignment is stored-->
 *   STABLE --join, leave, a session ends--> PREPARING;   PREPARING --the last member is gone--> EMPTY;
 *   EMPTY --broker_group_kill--> DEAD (its deletion is on the way to disk)
 * Invariants
 *   G1  the leader is a member, whenever there are members.
 *   G2  a protocol that every member has exists, whenever there are members: who would break it is refused.
 *   G3  a request that waits (for the join or for the assignment) is answered once, at the latest when its member goes.
 *   G4  assignments are given out only after broker_group_stored said that they are on disk.
 * Deadlines are milliseconds of the monotonic clock; the caller has broker_group_tick run at deadline_ms.
 * Tested by: tests/unit/broker/test_group.c */
#ifndef MR_BROKER_GROUP_INT_H
#define MR_BROKER_GROUP_INT_H

#include "base/base.h"
#include "base/env.h"

struct broker_offsets;

enum broker_group_limits {
    BROKER_GROUP_BYTES_MAX = 8 * 1024 * 1024,        /* ids, subscriptions and assignments of one group's members */
    BROKER_GROUPS_BYTES_MAX = 128 * 1024 * 1024,     /* the same and the offsets, of all groups */
    BROKER_GROUPS_MAX = 10000,                       /* groups */
    BROKER_GROUP_SIZE_MAX = 1000,                    /* members of one, those that were only given an id included */
    BROKER_GROUP_PROTOCOLS_MAX = 32,                 /* protocols that one member may list */
    BROKER_GROUP_NEW_MEMBER_JOIN_MS = 5 * 60 * 1000, /* a first join waits no longer */
};

#define BROKER_GROUP_NEVER INT64_MAX

enum broker_group_state {
    BROKER_GROUP_EMPTY,
    BROKER_GROUP_PREPARING,
    BROKER_GROUP_COMPLETING,
    BROKER_GROUP_STABLE,
    BROKER_GROUP_DEAD,
};

/* A way of assigning that a member knows, with what it says for it. */
struct broker_protocol {
    struct mr_str name;
    struct mr_bytes metadata;
};

/* All pointers are owned. */
struct broker_member {
    struct mr_str id;
    struct mr_str former_id;   /* of a static member that was given a new one; null: none */
    struct mr_str instance_id; /* null: a dynamic member */
    struct mr_str client_id;
    struct mr_str client_host;
    int32_t session_timeout_ms;
    int32_t rebalance_timeout_ms;
    struct broker_protocol *protocols; /* in the order it prefers */
    size_t protocol_count;
    struct mr_bytes assignment;
    void *join_waiter; /* the request; NULL also when its client left */
    void *sync_waiter;
    bool awaits_join;
    bool awaits_sync;
    bool is_new;            /* in its first join: it does not know that it is a member */
    bool is_sync_pending;   /* was told the generation, did not ask for its assignment yet */
    bool can_skip;          /* its join knows SkipAssignment */
    int64_t replace_ticket; /* its join waits for this store; 0: for none */
    int64_t deadline_ms;    /* the session ends */
    int64_t bytes;          /* counted for it */
};

/* An id that was given out; its owner did not come back with it yet. */
struct broker_pending {
    struct mr_str id; /* owned */
    int64_t deadline_ms;
};

/* The answer to a join.  MEMBERS_OF is the group whose members a leader is told, else NULL. */
struct broker_joined {
    int error;
    int32_t generation;
    struct mr_str protocol_type; /* null: none */
    struct mr_str protocol;      /* null: none */
    struct mr_str leader;
    struct mr_str member_id;
    const struct broker_group *members_of;
    bool skip_assignment;
};

struct broker_synced {
    int error;
    struct mr_str protocol_type;
    struct mr_str protocol;
    struct mr_bytes assignment;
};

/* What all groups have in common. */
struct broker_group_rules {
    struct mr_env *env; /* borrowed */
    int32_t session_min_ms;
    int32_t session_max_ms;
    int32_t initial_delay_ms;
    int32_t size_max;
    int64_t bytes;                                                    /* kept for all groups now */
    void (*joined)(void *waiter, const struct broker_joined *answer); /* borrowed until it returns */
    void (*synced)(void *waiter, const struct broker_synced *answer);
    /* Begins to store the group as it is now; broker_group_stored(group, ticket, error) follows, later. */
    void (*store)(void *arg, struct broker_group *group, int64_t ticket);
    void *arg;
};

struct broker_group {
    struct broker_group_rules *rules; /* borrowed */
    struct mr_str id;                 /* owned */
    enum broker_group_state state;
    int64_t state_since_ms; /* wall clock */
    int32_t generation;
    struct mr_str protocol_type; /* owned; null until somebody joined: only offsets are kept */
    struct mr_str protocol;      /* owned; null while there are no members */
    struct broker_member *leader;
    struct broker_member **members; /* owned, in the order they came */
    size_t member_count;
    size_t member_capacity;
    struct broker_pending *pending; /* owned */
    size_t pending_count;
    size_t pending_capacity;
    int64_t bytes;
    int64_t rebalance_deadline_ms;
    int64_t sync_deadline_ms;
    int32_t initial_left_ms; /* of the rebalance timeout, during the first rebalance; -1: no such */
    bool has_new_member;     /* came during the initial delay */
    int64_t ticket_last;
    int64_t sync_ticket;            /* the store that the leader's assignment waits for; 0: none */
    int64_t deadline_ms;            /* when to call broker_group_tick; may be earlier than needed */
    struct broker_offsets *offsets; /* owned: offsets_int.h */
    void *owner;                    /* the coordinator's own */
};

/* A new empty group.  Caller owns: broker_group_free. */
struct broker_group *broker_group_new(struct broker_group_rules *rules, struct mr_str id);
/* Frees; requests that wait must have been answered or abandoned.  NULL is legal. */
void broker_group_free(struct broker_group *group);
/* Kafka's word for the state. */
const char *broker_group_state_name(enum broker_group_state state);

/* What a client sends to join. */
struct broker_join {
    struct mr_str member_id; /* empty: it has none yet */
    struct mr_str instance_id;
    struct mr_str client_id;
    struct mr_str client_host;
    struct mr_str protocol_type;
    int32_t session_timeout_ms;
    int32_t rebalance_timeout_ms;
    const struct broker_protocol *protocols;
    size_t protocol_count;
    bool needs_id; /* it has to come back with the id that it is given first */
    bool can_skip;
    void *waiter;
};

/* Joins, or joins again; rules->joined is called for the waiter, now or later. */
void broker_group_join(struct broker_group *group, const struct broker_join *join);

struct broker_sync {
    struct mr_str member_id;
    struct mr_str instance_id;
    int32_t generation;
    struct mr_str protocol_type; /* null: not said */
    struct mr_str protocol;
    const struct broker_assignment {
        struct mr_str member_id;
        struct mr_bytes bytes;
    } * assignments; /* of the leader */
    size_t assignment_count;
    void *waiter;
};

/* Asks for the assignment; rules->synced is called for the waiter, now or later. */
void broker_group_sync(struct broker_group *group, const struct broker_sync *sync);

/* The following return Kafka's error. */
int broker_group_heartbeat(struct broker_group *group, struct mr_str member_id, struct mr_str instance_id,
                           int32_t generation);
/* An empty MEMBER_ID with an instance id: whoever has that instance id. */
int broker_group_leave(struct broker_group *group, struct mr_str member_id, struct mr_str instance_id);
/* May this member commit offsets?  It also keeps its session.  GENERATION -1 and no member: a client that is in no
 * group. */
int broker_group_commit_check(struct broker_group *group, struct mr_str member_id, struct mr_str instance_id,
                              int32_t generation);

/* The store with TICKET is on disk, or failed with ERROR. */
void broker_group_stored(struct broker_group *group, int64_t ticket, int error);
/* The client behind WAITER has left: it is not answered any more. */
void broker_group_waiter_gone(struct broker_group *group, const void *waiter);
/* Does what is due, and sets deadline_ms. */
void broker_group_tick(struct broker_group *group);

/* Deletion: from EMPTY to DEAD, where every request gets COORDINATOR_NOT_AVAILABLE; and back when it failed. */
void broker_group_kill(struct broker_group *group);
void broker_group_revive(struct broker_group *group);

/* Does a member of a consumer group want TOPIC?  True when its subscription can't be read. */
bool broker_group_subscribes(const struct broker_group *group, struct mr_str topic);
/* What MEMBER says for the protocol that was chosen; empty when none is. */
struct mr_bytes broker_group_metadata(const struct broker_group *group, const struct broker_member *member);

/* ---- restoring, and the parts that group_*.c share ---- */

/* Makes a member from what a join says, in no group yet.  ID is copied. */
struct broker_member *broker_member_new(const struct broker_join *join, struct mr_str id);
void broker_member_free(struct broker_member *member);
struct broker_member *broker_group_member(const struct broker_group *group, struct mr_str id);
struct broker_member *broker_group_instance(const struct broker_group *group, struct mr_str instance_id);
/* Puts MEMBER in; the first one becomes the leader. */
void broker_group_member_add(struct broker_group *group, struct broker_member *member);
/* Takes MEMBER out and frees it; a request of its that waits gets ERROR. */
void broker_group_member_remove(struct broker_group *group, struct broker_member *member, int error);
/* Counts its bytes again after a change. */
void broker_group_member_weigh(struct broker_group *group, struct broker_member *member);
/* Takes over what a later join of its says. */
void broker_member_update(struct broker_group *group, struct broker_member *member, const struct broker_join *join);
void broker_member_rename(struct broker_group *group, struct broker_member *member, struct mr_str id);
void broker_member_assign(struct broker_group *group, struct broker_member *member, struct mr_bytes assignment);
/* Does it say the same already? */
bool broker_member_says(const struct broker_member *member, const struct broker_protocol *protocols, size_t count);
/* Is the protocol known to every member? */
bool broker_group_all_know(const struct broker_group *group, struct mr_str name);
/* Sets protocol type and protocol, either may be null. */
void broker_group_name_set(struct broker_group *group, struct mr_str protocol_type, struct mr_str protocol);
/* Notes an id that was given out. */
void broker_group_pending_add(struct broker_group *group, struct mr_str id, int64_t deadline_ms);
/* Drops a pending id; false: it was none. */
bool broker_group_pending_remove(struct broker_group *group, struct mr_str id);
bool broker_group_pending_has(const struct broker_group *group, struct mr_str id);
void broker_group_state_set(struct broker_group *group, enum broker_group_state state);
/* KAFKA_ERROR_NONE and *OUT, or what is wrong with the identity. */
int broker_group_member_check(const struct broker_group *group, struct mr_str member_id, struct mr_str instance_id,
                              struct broker_member **out);
/* The session of MEMBER starts anew. */
void broker_group_session_renew(struct broker_group *group, struct broker_member *member);
/* Something is due at DEADLINE_MS. */
void broker_group_due(struct broker_group *group, int64_t deadline_ms);
/* Begins a rebalance, or goes on with the one that runs: also called when a member or a pending id is gone. */
void broker_group_rebalance(struct broker_group *group);
/* The time of the rebalance is over. */
void broker_group_rebalance_over(struct broker_group *group);
/* Answers the join of a static member whose new id is stored. */
void broker_group_replaced(struct broker_group *group, struct broker_member *member, int error);
/* Answers, once. */
void broker_member_joined(struct broker_group *group, struct broker_member *member, const struct broker_joined *answer);
void broker_member_synced(struct broker_group *group, struct broker_member *member, int error);
void broker_group_join_refuse(struct broker_group *group, const struct broker_join *join, int error,
                              struct mr_str member_id);
/* The protocol with most votes.  Borrowed from a member. */
struct mr_str broker_group_vote(const struct broker_group *group);
/* Stores the group as it is; the ticket. */
int64_t broker_group_store(struct broker_group *group);
int64_t broker_group_now_ms(const struct broker_group *group);

#endif

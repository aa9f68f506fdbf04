/* group_coordinator_int.h -- all consumer groups of the broker, their timers, and where they are stored.
 *
 * A change of a group or of its offsets is one batch in the internal topic __consumer_offsets (made when the first one
 * comes), and takes effect when it is on disk, in the order of the batches.  At start the topic is read to its end
 * before a coordinator answers; a part of the reading that would take long goes on behind the open listeners, and
 * clients are told to try again.
 * Threads: the broker's loop. */
#ifndef MR_BROKER_GROUP_COORDINATOR_INT_H
#define MR_BROKER_GROUP_COORDINATOR_INT_H

#include "base/map.h"
#include "broker/broker_int.h"
#include "broker/group_int.h"
#include "broker/group_offsets_int.h"

#define BROKER_OFFSETS_TOPIC "__consumer_offsets"

enum broker_coordinator_limits {
    BROKER_OFFSETS_PARTITIONS = 1,                  /* one file to sync; there is one loop to write it anyway */
    BROKER_GROUP_SESSION_MIN_MS = 6000,             /* group.min.session.timeout.ms */
    BROKER_GROUP_SESSION_MAX_MS = 1800000,          /* group.max.session.timeout.ms */
    BROKER_OFFSETS_RETENTION_MINUTES = 7 * 24 * 60, /* offsets.retention.minutes */
    BROKER_OFFSETS_CHECK_MS = 600000,               /* offsets.retention.check.interval.ms */
    BROKER_APPEND_RECORDS_MAX = 20000,              /* tombstones of one expiry in one batch */
    BROKER_LOAD_BYTES_AT_OPEN = 16 * 1024 * 1024,   /* read before the listeners open */
    BROKER_LOAD_BYTES_STEP = 1024 * 1024,           /* read at once while they are */
};

struct broker_append;

struct broker_groups {
    struct broker *broker; /* borrowed */
    struct broker_group_rules rules;
    int64_t retention_ms;
    struct mr_map *by_id;           /* owned, with its values */
    struct net_timer *expire_timer; /* owned */
    struct mr_metric *group_count;
    /* group_store.c */
    struct broker_append *queue; /* owned, not yet given to the log */
    struct broker_append **queue_end;
    struct broker_append *in_flight;      /* borrowed: the log's callback owns them */
    struct broker_append *failed;         /* owned, their callers are told soon */
    struct net_timer *store_timer;        /* owned; NULL while nothing waits for it */
    struct broker_topic_wait *topic_wait; /* borrowed while the topic is being made, else NULL */
    int64_t sequence;
    /* group_load.c */
    bool is_loading;
    int32_t load_partition;
    int64_t load_offset; /* -1: the partition's start */
    int64_t load_records;
    struct net_timer *load_timer; /* owned */
};

/* ---- group_coordinator.c ---- */

/* KAFKA_ERROR_NONE, or why no group can be asked for now. */
int broker_groups_check(const struct broker_groups *groups);
/* The group, or NULL. */
struct broker_group *broker_groups_find(const struct broker_groups *groups, struct mr_str id);
/* The group, made when there is none; NULL when there are too many. */
struct broker_group *broker_groups_make(struct broker_groups *groups, struct mr_str id);
/* To be called after every change of GROUP: sets its timer; forgets it when there is nothing to it.  GROUP may be gone
 * afterwards. */
void broker_groups_touched(struct broker_groups *groups, struct broker_group *group);
/* Takes GROUP out and frees it. */
void broker_groups_drop(struct broker_groups *groups, struct broker_group *group);
/* All of them by id, *COUNT of them, in an array of ARENA. */
struct broker_group **broker_groups_sorted(const struct broker_groups *groups, struct mr_arena *arena, size_t *count);
/* Deletes offsets that nobody wants any more, and groups that were left empty. */
void broker_groups_expire(struct broker_groups *groups);

/* ---- handle_join_group.c, handle_sync_group.c ---- */

/* rules->joined and rules->synced: WAITER is the request. */
void broker_join_group_answer(void *waiter, const struct broker_joined *answer);
void broker_sync_group_answer(void *waiter, const struct broker_synced *answer);

/* ---- group_store.c ---- */

/* ERROR is Kafka's: KAFKA_ERROR_NONE when it is on disk.  GROUP may be NULL: forgotten meanwhile, or the broker closes.
 */
typedef void broker_append_fn(void *arg, struct broker_group *group, int error);

/* A batch of changes of GROUP; give it to broker_append_submit. */
struct broker_append *broker_append_new(struct broker_groups *groups, struct broker_group *group);
void broker_append_commit(struct broker_append *append, struct mr_str topic, int32_t partition,
                          const struct broker_offset_value *value);
void broker_append_forget(struct broker_append *append, struct mr_str topic, int32_t partition);
/* The members and assignments as they are now. */
void broker_append_group(struct broker_append *append, const struct broker_group *group);
/* GROUP (which is EMPTY) is gone; it is DEAD until then. */
void broker_append_drop(struct broker_append *append, struct broker_group *group);
/* How many changes it has. */
int32_t broker_append_count(const struct broker_append *append);
/* Nothing came of it. */
void broker_append_free(struct broker_append *append);
/* Has it written.  ON_DONE (may be NULL) runs once, later, never inside this call. */
void broker_append_submit(struct broker_append *append, broker_append_fn *on_done, void *arg);
/* Makes the topic unless it is there or being made. */
void broker_groups_topic_make(struct broker_groups *groups);
/* Lets go of all that is on its way. */
void broker_groups_store_close(struct broker_groups *groups);
/* rules->store */
void broker_groups_store(void *arg, struct broker_group *group, int64_t ticket);

/* ---- group_load.c ---- */

/* Begins to read the topic, as far as it is quick. */
void broker_groups_load(struct broker_groups *groups);

#endif

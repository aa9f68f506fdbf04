/* replicas.c -- replication on one node: what it can't do is taken as one replica here, or refused.
 *
 * Clients and their examples ask for three replicas as a matter of course; so by default they get what they asked for
 * except for the copies, and a warning says so.  What describes a topic always shows the one replica there is. */
#include "broker/broker_int.h"

#include "base/logging.h"

int broker_replication_check(const struct broker *broker, struct mr_str topic, int16_t factor, struct mr_err *err)
{
    if (factor <= 1)
        return KAFKA_ERROR_NONE;
    if (broker->replication_reject) {
        (void)mr_err_set(err, MR_INVALID,
                         "Unable to replicate the partition %d time(s): The target replication factor of %d cannot be "
                         "reached because only 1 broker(s) are registered.",
                         factor, factor);
        return KAFKA_ERROR_INVALID_REPLICATION_FACTOR;
    }
    mr_log(MR_LOG_WARN, "broker", "topic %.*s: replication factor %d is taken as 1, there is one node",
           MR_STR_ARG(topic), factor);
    return KAFKA_ERROR_NONE;
}

int broker_assignment_check(const struct broker *broker, struct mr_str topic, const int32_t *nodes, int32_t node_count,
                            struct mr_err *err)
{
    bool is_here = node_count == 1 && nodes[0] == BROKER_NODE_ID;

    if (node_count < 1) {
        (void)mr_err_set(err, MR_INVALID, "The manual partition assignment includes an empty replica list.");
        return KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT;
    }
    for (int32_t i = 0; i < node_count; i++) {
        for (int32_t j = 0; j < i; j++) {
            if (nodes[i] != nodes[j])
                continue;
            (void)mr_err_set(err, MR_INVALID, "The manual partition assignment includes the broker %d more than once.",
                             (int)nodes[i]);
            return KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT;
        }
        if (nodes[i] != BROKER_NODE_ID && (nodes[i] < 0 || broker->replication_reject)) {
            (void)mr_err_set(err, MR_INVALID,
                             "The manual partition assignment includes broker %d, but no such broker is registered.",
                             (int)nodes[i]);
            return KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT;
        }
    }
    if (!is_here)
        mr_log(MR_LOG_WARN, "broker",
               "topic %.*s: the replicas assigned to it are taken as one here, there is one node", MR_STR_ARG(topic));
    return KAFKA_ERROR_NONE;
}

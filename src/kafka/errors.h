/* errors.h -- Kafka's error codes with a sentence each.  [any] */
#ifndef MR_KAFKA_ERRORS_H
#define MR_KAFKA_ERRORS_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, code, may the client try again, message) */
#define KAFKA_ERROR_MAP(X)                                                                                             \
    X(UNKNOWN_SERVER_ERROR, -1, false, "the server failed in a way that has no code")                                  \
    X(NONE, 0, false, "no error")                                                                                      \
    X(OFFSET_OUT_OF_RANGE, 1, false, "the offset is not in the partition's range")                                     \
    X(CORRUPT_MESSAGE, 2, true, "the record batch fails its CRC, is too short or is otherwise corrupt")                \
    X(UNKNOWN_TOPIC_OR_PARTITION, 3, true, "this server has no such topic or partition")                               \
    X(INVALID_FETCH_SIZE, 4, false, "the fetch size is wrong")                                                         \
    X(LEADER_NOT_AVAILABLE, 5, true, "the partition has no leader at the moment")                                      \
    X(NOT_LEADER_OR_FOLLOWER, 6, true, "this server does not lead the partition")                                      \
    X(REQUEST_TIMED_OUT, 7, true, "the request took longer than its timeout")                                          \
    X(BROKER_NOT_AVAILABLE, 8, false, "the broker is not available")                                                   \
    X(REPLICA_NOT_AVAILABLE, 9, true, "the replica is not available")                                                  \
    X(MESSAGE_TOO_LARGE, 10, false, "the record batch is larger than max.message.bytes")                               \
    X(STALE_CONTROLLER_EPOCH, 11, false, "the controller has moved to another broker")                                 \
    X(OFFSET_METADATA_TOO_LARGE, 12, false, "the metadata of the offset is too large")                                 \
    X(NETWORK_EXCEPTION, 13, true, "the connection broke before the answer came")                                      \
    X(COORDINATOR_LOAD_IN_PROGRESS, 14, true, "the coordinator is loading its state")                                  \
    X(COORDINATOR_NOT_AVAILABLE, 15, true, "the coordinator is not available")                                         \
    X(NOT_COORDINATOR, 16, true, "this server is not the coordinator")                                                 \
    X(INVALID_TOPIC_EXCEPTION, 17, false, "the topic's name is not legal")                                             \
    X(RECORD_LIST_TOO_LARGE, 18, false, "the record batch is larger than a segment")                                   \
    X(NOT_ENOUGH_REPLICAS, 19, true, "too few replicas are in sync")                                                   \
    X(NOT_ENOUGH_REPLICAS_AFTER_APPEND, 20, true, "written, but too few replicas are in sync")                         \
    X(INVALID_REQUIRED_ACKS, 21, false, "acks is not -1, 0 or 1")                                                      \
    X(ILLEGAL_GENERATION, 22, false, "the generation of the group is another one")                                     \
    X(INCONSISTENT_GROUP_PROTOCOL, 23, false, "the member's protocols do not fit the group's")                         \
    X(INVALID_GROUP_ID, 24, false, "the group id is not legal")                                                        \
    X(UNKNOWN_MEMBER_ID, 25, false, "the coordinator does not know this member")                                       \
    X(INVALID_SESSION_TIMEOUT, 26, false, "the session timeout is outside of the allowed range")                       \
    X(REBALANCE_IN_PROGRESS, 27, false, "the group is rebalancing: join again")                                        \
    X(INVALID_COMMIT_OFFSET_SIZE, 28, false, "the committed offset is too large")                                      \
    X(TOPIC_AUTHORIZATION_FAILED, 29, false, "not allowed on this topic")                                              \
    X(GROUP_AUTHORIZATION_FAILED, 30, false, "not allowed on this group")                                              \
    X(CLUSTER_AUTHORIZATION_FAILED, 31, false, "not allowed on the cluster")                                           \
    X(INVALID_TIMESTAMP, 32, false, "the timestamp of a record is out of the accepted range")                          \
    X(UNSUPPORTED_SASL_MECHANISM, 33, false, "the server does not support this SASL mechanism")                        \
    X(ILLEGAL_SASL_STATE, 34, false, "the request is not legal in this state of SASL")                                 \
    X(UNSUPPORTED_VERSION, 35, false, "the version of the request is not supported")                                   \
    X(TOPIC_ALREADY_EXISTS, 36, false, "a topic of this name is already there")                                        \
    X(INVALID_PARTITIONS, 37, false, "the number of partitions is below 1 or too large")                               \
    X(INVALID_REPLICATION_FACTOR, 38, false, "the replication factor is below 1 or above the number of brokers")       \
    X(INVALID_REPLICA_ASSIGNMENT, 39, false, "the assignment of replicas is wrong")                                    \
    X(INVALID_CONFIG, 40, false, "the configuration is wrong")                                                         \
    X(NOT_CONTROLLER, 41, true, "this server is not the controller")                                                   \
    X(INVALID_REQUEST, 42, false, "the request contradicts itself or the protocol")                                    \
    X(UNSUPPORTED_FOR_MESSAGE_FORMAT, 43, false, "the message format of the topic does not support this")              \
    X(POLICY_VIOLATION, 44, false, "the server's policy forbids it")                                                   \
    X(OUT_OF_ORDER_SEQUENCE_NUMBER, 45, false, "the producer's sequence number does not follow its last one")          \
    X(DUPLICATE_SEQUENCE_NUMBER, 46, false, "the sequence number was already used")                                    \
    X(INVALID_PRODUCER_EPOCH, 47, false, "the producer's epoch is older than the one seen last")                       \
    X(INVALID_TXN_STATE, 48, false, "the transaction is in a state that does not allow it")                            \
    X(INVALID_PRODUCER_ID_MAPPING, 49, false, "the producer id is not that of its transactional id")                   \
    X(INVALID_TRANSACTION_TIMEOUT, 50, false, "the transaction timeout is above the maximum")                          \
    X(CONCURRENT_TRANSACTIONS, 51, true, "the producer's last transaction is still being completed")                   \
    X(TRANSACTION_COORDINATOR_FENCED, 52, false, "the transaction's coordinator was replaced")                         \
    X(TRANSACTIONAL_ID_AUTHORIZATION_FAILED, 53, false, "not allowed to use this transactional id")                    \
    X(SECURITY_DISABLED, 54, false, "security features are switched off")                                              \
    X(OPERATION_NOT_ATTEMPTED, 55, false, "not attempted, since another part of the request failed")                   \
    X(KAFKA_STORAGE_ERROR, 56, true, "the disk refused")                                                               \
    X(LOG_DIR_NOT_FOUND, 57, false, "no such log directory")                                                           \
    X(SASL_AUTHENTICATION_FAILED, 58, false, "wrong user or password")                                                 \
    X(UNKNOWN_PRODUCER_ID, 59, false, "nothing is known of this producer any more")                                    \
    X(REASSIGNMENT_IN_PROGRESS, 60, false, "the partition is being moved")                                             \
    X(DELEGATION_TOKEN_AUTH_DISABLED, 61, false, "delegation tokens are switched off")                                 \
    X(DELEGATION_TOKEN_NOT_FOUND, 62, false, "no such delegation token")                                               \
    X(DELEGATION_TOKEN_OWNER_MISMATCH, 63, false, "the delegation token belongs to another user")                      \
    X(DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, 64, false, "delegation tokens are not allowed on this connection")         \
    X(DELEGATION_TOKEN_AUTHORIZATION_FAILED, 65, false, "not allowed on this delegation token")                        \
    X(DELEGATION_TOKEN_EXPIRED, 66, false, "the delegation token has expired")                                         \
    X(INVALID_PRINCIPAL_TYPE, 67, false, "the type of principal is not supported")                                     \
    X(NON_EMPTY_GROUP, 68, false, "the group has members")                                                             \
    X(GROUP_ID_NOT_FOUND, 69, false, "no such group")                                                                  \
    X(FETCH_SESSION_ID_NOT_FOUND, 70, true, "no such fetch session")                                                   \
    X(INVALID_FETCH_SESSION_EPOCH, 71, true, "the epoch of the fetch session is wrong")                                \
    X(LISTENER_NOT_FOUND, 72, true, "the leader has no listener of this kind")                                         \
    X(TOPIC_DELETION_DISABLED, 73, false, "topics can't be deleted here")                                              \
    X(FENCED_LEADER_EPOCH, 74, true, "the leader epoch of the request is older than the broker's")                     \
    X(UNKNOWN_LEADER_EPOCH, 75, true, "the leader epoch of the request is newer than the broker's")                    \
    X(UNSUPPORTED_COMPRESSION_TYPE, 76, false, "the compression is not supported by this version of the request")      \
    X(STALE_BROKER_EPOCH, 77, false, "the broker's epoch has changed")                                                 \
    X(OFFSET_NOT_AVAILABLE, 78, true, "the leader's high watermark has not caught up yet")                             \
    X(MEMBER_ID_REQUIRED, 79, false, "join again with the member id given here")                                       \
    X(PREFERRED_LEADER_NOT_AVAILABLE, 80, true, "the preferred leader is not available")                               \
    X(GROUP_MAX_SIZE_REACHED, 81, false, "the group has as many members as it may")                                    \
    X(FENCED_INSTANCE_ID, 82, false, "another member has taken this instance id")                                      \
    X(ELIGIBLE_LEADERS_NOT_AVAILABLE, 83, true, "no eligible leader is available")                                     \
    X(ELECTION_NOT_NEEDED, 84, true, "the partition needs no election")                                                \
    X(NO_REASSIGNMENT_IN_PROGRESS, 85, false, "no reassignment is under way")                                          \
    X(GROUP_SUBSCRIBED_TO_TOPIC, 86, false, "a member of the group is subscribed to the topic")                        \
    X(INVALID_RECORD, 87, false, "the record batch breaks a rule of the format")                                       \
    X(UNSTABLE_OFFSET_COMMIT, 88, true, "offsets of open transactions must be waited for")                             \
    X(THROTTLING_QUOTA_EXCEEDED, 89, true, "a quota is exceeded")                                                      \
    X(PRODUCER_FENCED, 90, false, "a newer producer has the same transactional id")                                    \
    X(RESOURCE_NOT_FOUND, 91, false, "no such resource")                                                               \
    X(DUPLICATE_RESOURCE, 92, false, "the resource is already there")                                                  \
    X(UNACCEPTABLE_CREDENTIAL, 93, false, "the credential does not meet the requirements")                             \
    X(INCONSISTENT_VOTER_SET, 94, false, "the voters are inconsistent")                                                \
    X(INVALID_UPDATE_VERSION, 95, false, "the update version is wrong")                                                \
    X(FEATURE_UPDATE_FAILED, 96, false, "the features could not be updated")                                           \
    X(PRINCIPAL_DESERIALIZATION_FAILURE, 97, false, "the principal can't be read")                                     \
    X(SNAPSHOT_NOT_FOUND, 98, false, "no such snapshot")                                                               \
    X(POSITION_OUT_OF_RANGE, 99, false, "the position is outside of the snapshot")                                     \
    X(UNKNOWN_TOPIC_ID, 100, true, "no topic has this id")                                                             \
    X(DUPLICATE_BROKER_REGISTRATION, 101, false, "the broker's id is already registered")                              \
    X(BROKER_ID_NOT_REGISTERED, 102, false, "the broker's id is not registered")                                       \
    X(INCONSISTENT_TOPIC_ID, 103, true, "the topic's id is not that of the log")                                       \
    X(INCONSISTENT_CLUSTER_ID, 104, false, "the cluster id is another one")                                            \
    X(TRANSACTIONAL_ID_NOT_FOUND, 105, false, "no such transactional id")                                              \
    X(FETCH_SESSION_TOPIC_ID_ERROR, 106, true, "the fetch session mixes topics with and without id")                   \
    X(INELIGIBLE_REPLICA, 107, false, "the replica may not be in sync")                                                \
    X(NEW_LEADER_ELECTED, 108, false, "a new leader was elected")                                                      \
    X(OFFSET_MOVED_TO_TIERED_STORAGE, 109, false, "the offset is in tiered storage")                                   \
    X(FENCED_MEMBER_EPOCH, 110, false, "the member's epoch is fenced")                                                 \
    X(UNRELEASED_INSTANCE_ID, 111, false, "the instance id is still used by another member")                           \
    X(UNSUPPORTED_ASSIGNOR, 112, false, "the group does not support the assignor")                                     \
    X(STALE_MEMBER_EPOCH, 113, false, "the member's epoch is old: get the new one by a heartbeat")                     \
    X(MISMATCHED_ENDPOINT_TYPE, 114, false, "the request came to the wrong kind of endpoint")                          \
    X(UNSUPPORTED_ENDPOINT_TYPE, 115, false, "this kind of endpoint is not supported")                                 \
    X(UNKNOWN_CONTROLLER_ID, 116, false, "no such controller")                                                         \
    X(UNKNOWN_SUBSCRIPTION_ID, 117, false, "no such telemetry subscription")                                           \
    X(TELEMETRY_TOO_LARGE, 118, false, "the telemetry is too large")                                                   \
    X(INVALID_REGISTRATION, 119, false, "the broker's registration is wrong")                                          \
    X(TRANSACTION_ABORTABLE, 120, false, "the transaction failed and must be aborted")

#define KAFKA_ERROR_ENUM(name, code, retriable, text) KAFKA_ERROR_##name = code,
enum kafka_error { KAFKA_ERROR_MAP(KAFKA_ERROR_ENUM) };
#undef KAFKA_ERROR_ENUM

/* "OFFSET_OUT_OF_RANGE" for 1; "UNKNOWN" for a code that is not listed. */
const char *kafka_error_name(int code);
/* The sentence of the code. */
const char *kafka_error_text(int code);
/* May a client try the same again? */
bool kafka_error_is_retriable(int code);

#ifdef __cplusplus
}
#endif
#endif

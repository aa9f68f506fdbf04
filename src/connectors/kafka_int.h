/* kafka_int.h -- the small Kafka client of the kafka source: connections, the cluster's metadata, offsets.
 *
 * Blocking calls with deadlines on the query's thread; each ends soon after *ctx->stop became true. */
#ifndef MR_CONNECTORS_KAFKA_INT_H
#define MR_CONNECTORS_KAFKA_INT_H

#include "connectors/connectors_int.h"
#include "kafka/messages.h"

extern const struct connector_source_ops kafka_source_ops;
extern const struct connector_sink_ops kafka_sink_ops;

enum kafka_client_limits {
    KAFKA_PORT = 9092,
    KAFKA_CONNECT_MS = 3000,
    KAFKA_CALL_MS = 10000,
    KAFKA_OPEN_MS = 15000, /* how long open() retries */
    KAFKA_FRAME_BYTES_MAX = 128 << 20,
    KAFKA_FRAME_SLACK = 64, /* readable bytes after a frame */
    KAFKA_PARTITIONS_MAX = 10000,
    KAFKA_NODES_MAX = 1000,
};

/* ---- one connection ---- */

/* What a group needs; a broker may lack it. */
enum kafka_group_api {
    KAFKA_GROUP_FIND,
    KAFKA_GROUP_JOIN,
    KAFKA_GROUP_SYNC,
    KAFKA_GROUP_HEARTBEAT,
    KAFKA_GROUP_LEAVE,
    KAFKA_GROUP_OFFSET_COMMIT,
    KAFKA_GROUP_OFFSET_FETCH,
    KAFKA_GROUP_API_N
};

struct kafka_conn {
    const struct connector_context *ctx; /* borrowed */
    const char *client_id;               /* borrowed */
    struct connector_address address;
    int fd; /* -1: closed */
    int16_t version_metadata, version_list_offsets, version_fetch;
    int16_t version_group[KAFKA_GROUP_API_N]; /* -1: the broker has none that we know */
    int32_t correlation;                      /* of the request sent last */
    int16_t api, version;                     /* of that request */
    struct mr_writer out;                     /* the request being sent */
    struct mr_writer in;                      /* the frame being received, without its length; slack behind it */
    uint8_t head[4];
    size_t head_got;
    size_t in_want; /* bytes of the frame; 0: not known yet */
};

/* A closed connection to ADDRESS; kafka_conn_deinit frees. */
void kafka_conn_init(struct kafka_conn *conn, const struct connector_context *ctx, const char *client_id,
                     const struct connector_address *address);
void kafka_conn_deinit(struct kafka_conn *conn);
/* Connects and asks for the versions; no effect when open.  MR_IO, MR_BUSY (stopped), MR_UNSUPPORTED (too old a
 * broker). */
MR_MUST_CHECK enum mr_status kafka_conn_open(struct kafka_conn *conn, struct mr_err *err);
void kafka_conn_close(struct kafka_conn *conn);
/* Begins a request of API in VERSION: the message is to be written to conn->out, then kafka_conn_send sends it. */
size_t kafka_conn_begin(struct kafka_conn *conn, int16_t api, int16_t version);
MR_MUST_CHECK enum mr_status kafka_conn_send(struct kafka_conn *conn, size_t frame, struct mr_err *err);
/* Receives until a whole frame is in conn->in (MR_OK) or UNTIL_MS passed (MR_NEED_MORE).  Call it with conn->in empty,
 * or as MR_NEED_MORE left it.  MR_IO: the connection broke; it is closed then. */
MR_MUST_CHECK enum mr_status kafka_conn_receive(struct kafka_conn *conn, int64_t until_ms, struct mr_err *err);
/* A reader over the message of FRAME, which answers the request sent last.  MR_IO: it answers another one. */
MR_MUST_CHECK enum mr_status kafka_conn_answer(const struct kafka_conn *conn, struct mr_bytes frame,
                                               struct mr_reader *out, struct mr_err *err);
/* kafka_conn_send, and waits for the answer: READER is over conn->in, which stays until the next call. */
MR_MUST_CHECK enum mr_status kafka_conn_call(struct kafka_conn *conn, size_t frame, struct mr_reader *reader,
                                             struct mr_err *err);

/* Begins a Fetch of PARTITIONS of TOPIC, written whole into conn->out; then kafka_conn_send sends it. */
size_t kafka_fetch_begin(struct kafka_conn *conn, const char *topic, struct kafka_fetch_request_partition *partitions,
                         int32_t partition_count, int32_t max_wait_ms, int32_t min_bytes, int32_t max_bytes);

/* ---- a cluster ---- */

struct kafka_node {
    int32_t id;
    struct kafka_conn aside; /* for calls that are waited for */
};

struct kafka_partition_info {
    int32_t index;
    int32_t leader; /* -1: none now */
};

struct kafka_cluster {
    const struct connector_context *ctx; /* borrowed */
    char *client_id;                     /* owned */
    const char *topic;                   /* borrowed */
    struct connector_address bootstrap[CONNECTOR_ADDRESSES_MAX];
    int bootstrap_count;
    int bootstrap_next; /* whom to ask next when the control connection is gone */
    struct kafka_conn control;
    struct kafka_node **nodes; /* owned; never moved, ids stay */
    uint32_t node_count, node_capacity;
    struct kafka_partition_info *partitions; /* owned; by index; of the last answer */
    uint32_t partition_count;
};

/* BOOTSTRAP is "HOST:PORT,..."; TOPIC is borrowed.  Does not connect.  Caller owns. */
MR_MUST_CHECK enum mr_status kafka_cluster_new(struct kafka_cluster **out, const struct connector_context *ctx,
                                               const char *bootstrap, const char *topic, struct mr_err *err);
void kafka_cluster_free(struct kafka_cluster *cluster); /* NULL is legal */
/* Asks once for the topic's partitions and leaders (it is made when absent and the broker allows that).
 * MR_NOT_FOUND  no such topic     MR_BUSY with err: not ready yet (or stopped)     MR_IO  nobody answered
 * MR_DENIED  not allowed          MR_INVALID  no legal topic name */
MR_MUST_CHECK enum mr_status kafka_cluster_refresh(struct kafka_cluster *cluster, struct mr_err *err);
/* The same again and again until every partition has a leader, or UNTIL_MS. */
MR_MUST_CHECK enum mr_status kafka_cluster_wait(struct kafka_cluster *cluster, int64_t until_ms, struct mr_err *err);
/* The node called ID, or NULL. */
struct kafka_node *kafka_cluster_node(const struct kafka_cluster *cluster, int32_t id);
/* The leader of partition INDEX, its aside connection open. */
MR_MUST_CHECK enum mr_status kafka_cluster_leader(struct kafka_cluster *cluster, int32_t index, struct kafka_node **out,
                                                  struct mr_err *err);

enum { KAFKA_OFFSET_LATEST = -1, KAFKA_OFFSET_EARLIEST = -2 };
/* The first offset at or after TIMESTAMP (ms, or one of the two above) of a partition; -1 in *OFFSET when there is
 * none. Retries until UNTIL_MS. */
MR_MUST_CHECK enum mr_status kafka_cluster_offset(struct kafka_cluster *cluster, int32_t index, int64_t timestamp,
                                                  int64_t until_ms, int64_t *offset, struct mr_err *err);

/* Compares the record before POSITION with its checksum, and POSITION with the partition's range: the rule of resuming.
 * MR_NOT_FOUND: records are missing, err says how many.  MR_CORRUPT: the record is another one. */
MR_MUST_CHECK enum mr_status kafka_resume_check(struct kafka_cluster *cluster,
                                                const struct connector_position *position, struct mr_err *err);
/* Says that NEXT is not within FIRST .. END, how much is missing and what to do; MR_NOT_FOUND. */
enum mr_status kafka_range_error(const char *topic, int32_t index, int64_t next, int64_t first, int64_t end,
                                 struct mr_err *err);

#endif

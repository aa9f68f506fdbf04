/* broker_int.h -- what the files of this room share: the broker, one request, and the handlers.
 *
 * Life of a request
 *   connection.c cuts a frame, apis.c decodes it and calls the handler, which fills request->response and calls
 *   broker_request_done, at once or later; connection.c then sends the answers in the order of the requests.
 *   A handler that waits (for a sync, for data, for room) holds a reference per callback it expects.  When the
 * connection goes, on_abandon is called, and later callbacks only drop their reference: they must not touch the broker,
 * which may be gone as well (broker_request_is_abandoned). */
#ifndef MR_BROKER_INT_H
#define MR_BROKER_INT_H

#include "base/base.h"
#include "base/env.h"
#include "base/metrics.h"
#include "base/thread.h"
#include "broker/broker.h"
#include "kafka/errors.h"
#include "kafka/kafka.h"
#include "kafka/messages.h"
#include "kafka/records.h"
#include "log/log.h"
#include "net/net.h"

enum broker_limits_private {
    BROKER_CLUSTER_ID_BYTES = 64,
    BROKER_APIS_MAX = 128,
    BROKER_IDLE_MS = 600000,             /* connections.max.idle.ms */
    BROKER_STALL_RETRY_MS = 20,          /* an append that found no room is tried again, at the latest */
    BROKER_TIMESTAMP_AHEAD_MS = 3600000, /* message.timestamp.after.max.ms */
    BROKER_TOPIC_OPERATIONS = 0xdf8,     /* bits of what may be done with a topic when nothing is forbidden */
    BROKER_CLUSTER_OPERATIONS = 0x1fa0,  /* the same for the cluster */
    BROKER_GROUP_SETTINGS = 8,
};

struct broker_conn;
struct broker_request;
struct broker_listening;
struct broker_groups;

struct broker {
    struct net_loop *loop; /* borrowed */
    struct log *log;       /* borrowed */
    struct mr_env *env;    /* borrowed */
    bool auto_create_topics;
    bool replication_reject; /* else a replication factor above 1 is taken as 1 */
    int32_t partitions_default;
    int32_t message_bytes_max;
    char cluster_id[BROKER_CLUSTER_ID_BYTES];
    uint32_t connections_max;
    uint32_t connection_count;
    int64_t refusal_told_ms;             /* when the log last said that a connection was refused */
    struct broker_conn *conns;           /* owned, a list */
    struct broker_listening *listenings; /* owned, listening_count of them */
    uint32_t listening_count;
    struct net_timer *stall_timer;               /* owned; NULL while nobody waits for room in the log */
    struct broker_groups *groups;                /* owned; the coordinator of consumer groups */
    struct kafka_scratch scratch;                /* owned; inflates batches to check them */
    struct mr_workers *workers;                  /* owned; read what is not in the page cache; NULL until needed */
    struct mr_metric *requests[BROKER_APIS_MAX]; /* by row of the table in apis.c */
    struct mr_metric *cold_reads;
    struct mr_metric *bytes_in;
    struct mr_metric *bytes_out;
};

/* Bytes of a response that come from segment files: they belong at POSITION of request->out. */
struct broker_fill {
    size_t position; /* set when the response is written */
    struct log_slice *slices;
    size_t slice_count;
    struct broker_fill *next;
};

struct broker_request {
    struct broker *broker;  /* borrowed; see broker_request_is_abandoned */
    struct mr_arena *arena; /* owned: this struct's parts, the decoded request, the response */
    struct kafka_request_header header;
    const struct broker_api *api;
    struct mr_str host; /* the address that clients are told; borrowed from the connection */
    int32_t port;
    struct mr_str peer_host; /* the client's address; borrowed from the connection */
    void *request;           /* struct kafka_<api>_request */
    void *response;          /* struct kafka_<api>_response, with its defaults set */
    void *state;             /* the handler's own, in the arena */
    void (*on_done)(struct broker_request *request);
    void (*on_abandon)(struct broker_request *request); /* NULL, or set by the handler: stop waiting for data */
    /* Set by the handler before broker_request_stall: called to go on. */
    void (*on_room)(struct broker_request *request);
    int refs;
    bool is_done;
    bool is_abandoned;
    bool is_stalled;           /* waits for room; the frame is still there */
    bool is_warm;              /* its records were read into the page cache */
    bool is_warming;           /* a worker does so */
    bool is_silent;            /* gets no answer */
    bool wants_close;          /* the connection is closed instead of an answer */
    struct broker_fill *fills; /* in the order of the response's bytes */
    struct broker_fill **fills_end;
    struct mr_writer out; /* owned: the answer's frame */

    struct broker_conn *conn; /* connection.c's own */
    struct broker_request *next;
    size_t held_bytes;
};

/* One served kind of request: a row of the table in apis.c. */
struct broker_api {
    int16_t key;
    int16_t version_min;
    int16_t version_max;
    int16_t version_closing_max; /* versions up to it are listed, but close the connection; -1: none */
    bool keeps_frame;            /* its handler is done with the frame before it returns (or stalls): no copy is made */
    size_t request_bytes;
    size_t response_bytes;
    enum mr_status (*read)(void *message, struct mr_reader *in, int version, struct mr_arena *arena);
    void (*init)(void *message);
    void (*write)(const void *message, struct mr_writer *out, int version);
    void (*handle)(struct broker_request *request);
};

/* ---- apis.c ---- */

/* The served kinds of request, *COUNT of them, by key. */
const struct broker_api *broker_apis(size_t *count);

enum broker_dispatch { BROKER_DISPATCHED, BROKER_CLOSE };

/* Decodes FRAME (without its length) into REQUEST and calls the handler.  BROKER_CLOSE: it is no request that can be
 * answered; REQUEST was not handled. */
MR_MUST_CHECK enum broker_dispatch broker_dispatch(struct broker_request *request, struct mr_bytes frame);

/* ---- request.c ---- */

/* A request with one reference. */
struct broker_request *broker_request_new(struct broker *broker);
void broker_request_ref(struct broker_request *request);
void broker_request_unref(struct broker_request *request);
/* The response is filled: writes it to request->out and calls on_done.  Nothing for an abandoned one. */
void broker_request_done(struct broker_request *request);
/* Closes the connection instead of answering. */
void broker_request_done_close(struct broker_request *request);
/* No answer. */
void broker_request_done_silent(struct broker_request *request);
/* Waits for room in the log: on_room is called again and again until it does not stall any more. */
void broker_request_stall(struct broker_request *request);
/* Gives the slices to the response: their bytes become RECORDS.  Slices are released with the request. */
void broker_request_fill(struct broker_request *request, struct kafka_record_bytes *records,
                         const struct log_slice *slices, size_t slice_count);

/* ---- warm.c ---- */

/* Are its records in memory, so that sending them will not wait for the disk? */
bool broker_request_is_warm(const struct broker_request *request);
/* Has a worker read them; then is_warm is set and ON_WARM called on the loop, unless it was abandoned. */
void broker_request_warm(struct broker_request *request, void (*on_warm)(struct broker_request *request));

/* ---- topics.c ---- */

/* The partition INDEX of TOPIC.  *ERROR is Kafka's code when NULL is returned. */
struct log_partition *broker_partition_find(struct broker *broker, struct mr_str topic, int32_t index, int *error);
/* KAFKA_ERROR_NONE, or what is wrong with the leader epoch that a client believes in (-1: it does not say). */
int broker_epoch_check(const struct broker *broker, int32_t leader_epoch);
/* May a topic of this name be made?  Else a Kafka error, and ERR says why. */
int broker_topic_name_check(struct broker *broker, struct mr_str name, struct mr_err *err);
/* FIRST[i] gets the least index whose key is that of KEYS[i], SAME[i] how many of the COUNT keys are (for that least
 * index; 0 for the others). */
void broker_keys_group(const struct mr_bytes *keys, size_t count, size_t *first, size_t *same);
/* Is it one of Kafka's own? */
bool broker_topic_is_internal(struct mr_str name);

/* ---- topic_configs.c ---- */

/* Kafka's numbers for the type of a setting. */
enum broker_config_type {
    BROKER_CONFIG_BOOLEAN = 1,
    BROKER_CONFIG_STRING = 2,
    BROKER_CONFIG_INT = 3,
    BROKER_CONFIG_LONG = 5,
    BROKER_CONFIG_DOUBLE = 6,
    BROKER_CONFIG_LIST = 7,
};

/* Kafka's numbers for where a value comes from. */
enum broker_config_source { BROKER_SOURCE_TOPIC = 1, BROKER_SOURCE_FILE = 4, BROKER_SOURCE_DEFAULT = 5 };

/* Kafka's numbers for what has settings. */
enum broker_resource_type { BROKER_RESOURCE_TOPIC = 2, BROKER_RESOURCE_BROKER = 4 };

#define BROKER_CONFIG_MESSAGE_BYTES "max.message.bytes"
#define BROKER_CONFIG_REMOTE        "remote.storage.enable"
#define BROKER_CONFIG_REPLICAS      "partition:broker" /* as words: a list of such pairs, or '*' */

struct broker_topic_config {
    const char *name;
    const char *default_value;
    const char *broker_name; /* the broker's setting that gives the default; NULL: none */
    enum broker_config_type type;
    int64_t low;
    int64_t high;
    const char *words;
    const char *documentation;
};
/* Topic configurations that Kafka knows, with its defaults, *COUNT of them, by name. */
const struct broker_topic_config *broker_topic_configs(size_t *count);
/* The one of this name, or NULL. */
const struct broker_topic_config *broker_topic_config_find(struct mr_str name);
/* Its default here, perhaps made in ARENA. */
const char *broker_topic_config_default(const struct broker *broker, const struct broker_topic_config *config,
                                        struct mr_arena *arena);
/* MR_OK and *STORED, the value's plain form in ARENA; or MR_INVALID and ERR in Kafka's words. */
MR_MUST_CHECK enum mr_status broker_topic_config_check(struct mr_str name, struct mr_str value, struct mr_arena *arena,
                                                       const char **stored, struct mr_err *err);
/* Do all of a topic's configurations, checked one by one, go together?  MR_INVALID and ERR in Kafka's words. */
MR_MUST_CHECK enum mr_status broker_topic_configs_check(const struct log_config *set, size_t count, struct mr_err *err);
/* Is ITEM one of the comma-separated LIST? */
bool broker_topic_list_has(const char *list, const char *item);

/* ---- broker_configs.c ---- */

struct broker_setting {
    const char *name;
    const char *value; /* in the arena, or constant; NULL: none */
    enum broker_config_type type;
    enum broker_config_source source;
    const char *documentation;
};
/* The broker's own settings, *COUNT of them, in ARENA, by name: what is true of this one. */
const struct broker_setting *broker_settings(const struct broker *broker, struct mr_arena *arena, size_t *count);

/* ---- replicas.c ---- */

/* What becomes of a replication factor and of assignments that one node can't fulfil: taken as this node alone, with a
 * warning in the log, or refused (broker_options.replication_reject).  A Kafka error; ERR says why. */
int broker_replication_check(const struct broker *broker, struct mr_str topic, int16_t factor, struct mr_err *err);
/* The same for the NODES of one partition. */
int broker_assignment_check(const struct broker *broker, struct mr_str topic, const int32_t *nodes, int32_t node_count,
                            struct mr_err *err);

/* ---- group_coordinator.c ---- */

struct broker_group_options;
/* Opens the coordinator and reads what it has stored; see group_coordinator_int.h. */
struct broker_groups *broker_groups_open(struct broker *broker, const struct broker_group_options *options);
/* Before it all requests are abandoned.  NULL is legal. */
void broker_groups_close(struct broker_groups *groups);
/* The topic TOPIC was deleted: so are the offsets that groups have committed for it.  Must be called before a topic of
 * the same name can be written to.  GROUPS may be NULL. */
void broker_groups_topic_deleted(struct broker_groups *groups, struct mr_str topic);

/* The coordinator's settings, BROKER_GROUP_SETTINGS at most, to OUT; how many.  GROUPS may be NULL: none. */
size_t broker_groups_settings(const struct broker_groups *groups, struct mr_arena *arena, struct broker_setting *out);

/* ---- connection.c ---- */

/* Accepts on behalf of the listener ARG (struct broker_listening). */
void broker_conn_accept(struct net_conn *net, void *arg);
/* Closes and frees all of them, at once. */
void broker_conns_close(struct broker *broker);
/* Something reached the disk: requests that wait for room go on soon. */
void broker_conns_wake(struct broker *broker);

struct broker_listening {
    struct broker *broker;
    struct net_listener *listener;       /* owned */
    char advertise_host[NET_HOST_BYTES]; /* "": what the client came in on */
    int advertise_port;
};

/* ---- handle_*.c: from request->request to request->response ---- */

void broker_handle_api_versions(struct broker_request *request);
void broker_handle_metadata(struct broker_request *request);
void broker_handle_create_topics(struct broker_request *request);
void broker_handle_produce(struct broker_request *request);
void broker_handle_fetch(struct broker_request *request);
void broker_handle_list_offsets(struct broker_request *request);
void broker_handle_init_producer_id(struct broker_request *request);
void broker_handle_find_coordinator(struct broker_request *request);
void broker_handle_join_group(struct broker_request *request);
void broker_handle_sync_group(struct broker_request *request);
void broker_handle_heartbeat(struct broker_request *request);
void broker_handle_leave_group(struct broker_request *request);
void broker_handle_offset_commit(struct broker_request *request);
void broker_handle_offset_fetch(struct broker_request *request);
void broker_handle_offset_delete(struct broker_request *request);
void broker_handle_describe_groups(struct broker_request *request);
void broker_handle_list_groups(struct broker_request *request);
void broker_handle_delete_groups(struct broker_request *request);
void broker_handle_delete_topics(struct broker_request *request);
void broker_handle_create_partitions(struct broker_request *request);
void broker_handle_delete_records(struct broker_request *request);
void broker_handle_describe_configs(struct broker_request *request);
void broker_handle_alter_configs(struct broker_request *request);
void broker_handle_incremental_alter_configs(struct broker_request *request);
void broker_handle_describe_cluster(struct broker_request *request);
void broker_handle_offset_for_leader_epoch(struct broker_request *request);
void broker_handle_describe_log_dirs(struct broker_request *request);
void broker_handle_describe_topic_partitions(struct broker_request *request);

#endif

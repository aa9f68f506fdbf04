/* kafka_tool.h -- librdkafka for one command: opened, quiet, and with errors that say what to do.
 *
 * One thread.  What librdkafka would log is kept: the last trouble becomes part of the message when a call fails. */
#ifndef MAIN_KAFKA_TOOL_H
#define MAIN_KAFKA_TOOL_H

#include "base/base.h"
#include "base/config.h"
#include "main/record_text.h"

#include <librdkafka/rdkafka.h>

enum kafka_tool_limits { KAFKA_TOOL_ANSWER_MS = 15000, KAFKA_TOOL_ADDRESS_BYTES = 1024 };

struct kafka_tool {
    rd_kafka_t *handle;
    char address[KAFKA_TOOL_ADDRESS_BYTES];
    char trouble[256]; /* the last one that librdkafka told; "" */
    bool unreachable;  /* no broker could be connected to */
};

/* One property for kafka_tool_open. */
struct kafka_tool_property {
    const char *name;
    const char *value;
};

/* Finds the Kafka that CONFIG means (TARGET_KAFKA_OPTIONS) and makes a client of TYPE with PROPERTIES (ends with a name
 * of NULL) and, over them, the user's -X.  DELIVERED (may be NULL) gets TOOL as its opaque; *TOOL must stay where it is
 * while it is open.  Does not wait for a connection.  Caller: kafka_tool_close.
 * MR_NOT_FOUND  no server     MR_INVALID  a property is not one of librdkafka's */
MR_MUST_CHECK enum mr_status kafka_tool_open(struct kafka_tool *tool, rd_kafka_type_t type,
                                             const struct mr_config *config,
                                             const struct kafka_tool_property *properties,
                                             void (*delivered)(rd_kafka_t *, const rd_kafka_message_t *, void *),
                                             struct mr_err *err);
/* Closes; {0} is legal. */
void kafka_tool_close(struct kafka_tool *tool);

/* Serves what librdkafka has to tell; was the Kafka found unreachable?  Then ERR says so. */
MR_MUST_CHECK enum mr_status kafka_tool_serve(struct kafka_tool *tool, struct mr_err *err);
/* Sets ERR to "WHAT: " and CODE in words; returns the status that fits. */
enum mr_status kafka_tool_error(const struct kafka_tool *tool, rd_kafka_resp_err_t code, const char *text,
                                struct mr_err *err, const char *what, ...) MR_PRINTF(5, 6);

/* Metadata of all topics: TOPIC is among them, or NULL is given.  Never makes a topic.  Caller:
 * rd_kafka_metadata_destroy.
 * MR_NOT_FOUND  there is no TOPIC; err names the nearest     MR_IO  no answer */
MR_MUST_CHECK enum mr_status kafka_tool_metadata(struct kafka_tool *tool, const char *topic,
                                                 const struct rd_kafka_metadata **out, struct mr_err *err);
/* The topic called NAME in METADATA, or NULL. */
const struct rd_kafka_metadata_topic *kafka_tool_topic(const struct rd_kafka_metadata *metadata, const char *name);
/* Every partition of TOPIC as a list whose offsets are OFFSET.  Caller: rd_kafka_topic_partition_list_destroy. */
rd_kafka_topic_partition_list_t *kafka_tool_partitions(const struct rd_kafka_metadata_topic *topic, int64_t offset);
/* Replaces the offsets in LIST, which are RD_KAFKA_OFFSET_BEGINNING, _END or times in ms, by the partitions' own: the
 * first, the next, or that of the first record of this time (-1 when there is none). */
MR_MUST_CHECK enum mr_status kafka_tool_offsets(struct kafka_tool *tool, rd_kafka_topic_partition_list_t *list,
                                                struct mr_err *err);

/* MESSAGE of TOPIC as a record that borrows from it and from HEADERS, which gets the headers. */
struct record kafka_tool_record(const char *topic, const rd_kafka_message_t *message,
                                struct record_header headers[RECORD_HEADERS_MAX]);

/* Waits for the answer to an admin request that was sent with QUEUE.  Caller: rd_kafka_event_destroy.  A failure of the
 * whole request is an error; those of its parts are the caller's to look at. */
MR_MUST_CHECK enum mr_status kafka_tool_answer(struct kafka_tool *tool, rd_kafka_queue_t *queue, const char *what,
                                               rd_kafka_event_t **out, struct mr_err *err);
/* Options for an admin request, with the time limit set.  Caller: rd_kafka_AdminOptions_destroy. */
rd_kafka_AdminOptions_t *kafka_tool_admin(struct kafka_tool *tool, rd_kafka_admin_op_t operation);

#endif

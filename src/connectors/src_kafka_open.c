/* src_kafka_open.c -- opening the kafka source: options, where each partition starts, and new partitions later.
 *
 * A partition with a position in the checkpoint goes on there, after the rule of resuming was checked.  Others start
 * where 'scan.startup.mode' says, except when there is a checkpoint: then the partition is new since and starts at its
 * oldest record, so that none of it is missed.  All starting positions are told to the engine with the first poll. */
#include "connectors/src_kafka_int.h"

#include "kafka/errors.h"

#include <stdio.h>
#include <string.h>

enum kafka_startup { STARTUP_EARLIEST, STARTUP_LATEST, STARTUP_TIMESTAMP, STARTUP_GROUP };

static enum mr_status start_options_read(const struct connector_table *table, struct kafka_start *start, bool *bounded,
                                         struct mr_err *err)
{
    static const char *const modes[] = { "earliest-offset", "latest-offset", "timestamp", "group-offsets", NULL };
    static const char *const ends[] = { "unbounded", "latest-offset", NULL };
    int end = 0;
    enum mr_status status;

    start->mode = STARTUP_EARLIEST;
    start->timestamp_ms = -1;
    status = connector_option_choice(table, "scan.startup.mode", modes, &start->mode, err);
    if (status == MR_OK)
        status = connector_option_choice(table, "scan.bounded.mode", ends, &end, err);
    if (status == MR_OK)
        status =
            connector_option_number(table, "scan.startup.timestamp-millis", 0, INT64_MAX, &start->timestamp_ms, err);
    if (status != MR_OK)
        return status;
    *bounded = end == 1;
    if (start->mode == STARTUP_GROUP)
        return mr_err_set(err, MR_UNSUPPORTED,
                          "'scan.startup.mode' = 'group-offsets' is not there yet: a query goes on from its own "
                          "checkpoint; choose 'earliest-offset', 'latest-offset' or 'timestamp' for its first start");
    if ((start->mode == STARTUP_TIMESTAMP) != (start->timestamp_ms >= 0))
        return mr_err_set(err, MR_INVALID,
                          "'scan.startup.mode' = 'timestamp' and 'scan.startup.timestamp-millis' go together");
    return MR_OK;
}

static enum mr_status fetch_options_read(struct connector_source *s, const struct connector_table *table,
                                         struct mr_err *err)
{
    enum mr_status status;

    s->max_wait_ms = 500;
    s->min_bytes = 1;
    s->partition_max_bytes = 1 << 20;
    s->fetch_max_bytes = 8 << 20;
    status = connector_option_number(table, "properties.fetch.max.wait.ms", 0, 60000, &s->max_wait_ms, err);
    if (status == MR_OK)
        status = connector_option_number(table, "properties.fetch.min.bytes", 0, 64 << 20, &s->min_bytes, err);
    if (status == MR_OK)
        status = connector_option_number(table, "properties.max.partition.fetch.bytes", 1, 64 << 20,
                                         &s->partition_max_bytes, err);
    if (status == MR_OK)
        status = connector_option_number(table, "properties.fetch.max.bytes", 1, 64 << 20, &s->fetch_max_bytes, err);
    return status;
}

/* Of a shared one START is kept, for partitions that come later and have no offsets in the group. */
static enum mr_status group_options_read(struct connector_source *s, const struct connector_table *table,
                                         const struct kafka_start *start, struct mr_err *err)
{
    const char *group = connector_option_text(table, "properties.group.id");
    struct connector_position *positions;

    s->group_id = mr_strdup(group != NULL ? group : s->ctx->query_name != NULL ? s->ctx->query_name : "millrace");
    s->session_ms = KAFKA_GROUP_SESSION_MS;
    s->shared = s->ctx->shares && kafka_source_shareable(table, s->ctx);
    if (s->shared) {
        positions = mr_calloc((size_t)start->position_count + 1, sizeof(*positions));
        for (uint32_t i = 0; i < start->position_count; i++)
            positions[i] = start->positions[i];
        s->start = *start;
        s->start.positions = positions;
    }
    return connector_option_number(table, "properties.session.timeout.ms", 1000, 1800000, &s->session_ms, err);
}

/* Where a partition without a position starts. */
static enum mr_status part_start(struct connector_source *s, int32_t index, const struct kafka_start *start,
                                 struct kafka_part *part, struct mr_err *err)
{
    int64_t until_ms = connector_clock_ms(s->ctx) + KAFKA_OPEN_MS, what = KAFKA_OFFSET_EARLIEST, offset = 0;
    enum mr_status status;

    if (start->position_count == 0 && start->mode == STARTUP_LATEST)
        what = KAFKA_OFFSET_LATEST;
    else if (start->position_count == 0 && start->mode == STARTUP_TIMESTAMP)
        what = start->timestamp_ms;
    status = kafka_cluster_offset(s->cluster, index, what, until_ms, &offset, err);
    if (status == MR_OK && offset < 0) /* nothing that young is there yet */
        status = kafka_cluster_offset(s->cluster, index, KAFKA_OFFSET_LATEST, until_ms, &offset, err);
    if (status != MR_OK)
        return status;
    part->fetch_next = part->next = offset;
    part->fresh = what == KAFKA_OFFSET_EARLIEST;
    return MR_OK;
}

enum mr_status kafka_source_part_open(struct connector_source *s, int32_t index,
                                      const struct connector_position *position, const struct kafka_start *start,
                                      struct mr_err *err)
{
    int64_t until_ms = connector_clock_ms(s->ctx) + KAFKA_OPEN_MS;
    struct kafka_part *part = &s->parts[index];
    enum mr_status status;

    *part = (struct kafka_part){ .leader = s->cluster->partitions[index].leader,
                                 .last = -1,
                                 .high_watermark = -1,
                                 .end = -1,
                                 .moved = true,
                                 .owned = true,
                                 .backoff = { .base_ms = 50, .max_ms = 2000 } };
    if (position != NULL) {
        status = kafka_resume_check(s->cluster, position, err);
        part->fetch_next = part->next = position->next;
        part->last = position->last;
        part->last_checksum = position->last_checksum;
    } else {
        status = part_start(s, index, start, part, err);
    }
    if (status == MR_OK && s->bounded) {
        status = kafka_cluster_offset(s->cluster, index, KAFKA_OFFSET_LATEST, until_ms, &part->end, err);
        if (status == MR_OK)
            part->high_watermark = part->end;
    }
    return status;
}

static enum mr_status part_open(struct connector_source *s, int32_t index, const struct kafka_start *start,
                                struct mr_err *err)
{
    if (s->shared) { /* the group says whose it is */
        s->parts[index] = (struct kafka_part){ .leader = -1, .last = -1, .high_watermark = -1, .end = -1 };
        return MR_OK;
    }
    return kafka_source_part_open(s, index, connector_position_find(start->positions, start->position_count, index),
                                  start, err);
}

/* Gives each leader a peer. */
static void peers_update(struct connector_source *s)
{
    for (uint32_t i = 0; i < s->part_count; i++) {
        int32_t leader = s->cluster->partitions[i].leader;
        struct kafka_node *node = leader >= 0 ? kafka_cluster_node(s->cluster, leader) : NULL;
        struct kafka_peer *peer = NULL;

        s->parts[i].leader = leader;
        for (uint32_t k = 0; k < s->peer_count && peer == NULL; k++)
            if (s->peers[k]->id == leader)
                peer = s->peers[k];
        if (node == NULL)
            continue;
        if (peer == NULL) {
            MR_GROW(s->peers, s->peer_count, s->peer_capacity);
            peer = s->peers[s->peer_count++] = MR_NEW(struct kafka_peer);
            peer->id = leader;
            peer->backoff = (struct connector_backoff){ .base_ms = 50, .max_ms = 5000 };
            kafka_conn_init(&peer->conn, s->ctx, s->cluster->client_id, &node->aside.address);
        }
        if (strcmp(peer->conn.address.host, node->aside.address.host) != 0 ||
            peer->conn.address.port != node->aside.address.port) {
            kafka_conn_close(&peer->conn);
            peer->asked = false;
            peer->conn.address = node->aside.address;
        }
    }
}

/* Takes in partitions that are not known yet. */
static enum mr_status parts_open(struct connector_source *s, const struct kafka_start *start, struct mr_err *err)
{
    uint32_t count = s->cluster->partition_count, old = s->part_count;

    if (count > old) {
        assert(s->pending_at == s->pending_count);
        s->parts = mr_realloc(s->parts, count * sizeof(*s->parts));
        s->pending = mr_realloc(s->pending, count * sizeof(*s->pending));
        s->positions = mr_realloc(s->positions, count * sizeof(*s->positions));
        for (uint32_t i = old; i < count; i++) {
            enum mr_status status = part_open(s, (int32_t)i, start, err);

            if (status != MR_OK)
                return status;
            s->part_count = i + 1;
        }
        if (s->group != NULL && s->shared)
            kafka_group_rejoin(s->group);
    }
    peers_update(s);
    return MR_OK;
}

enum mr_status kafka_source_refresh(struct connector_source *s, struct mr_err *err)
{
    /* A partition that appears later starts at its oldest record, as if there were a checkpoint without it. */
    struct kafka_start later = { .mode = STARTUP_EARLIEST };
    int64_t now_ms = connector_clock_ms(s->ctx);
    struct mr_err why = MR_ERR_INIT;
    enum mr_status status;

    if (now_ms < s->refresh_ms || s->pending_at != s->pending_count)
        return MR_OK;
    if (s->bounded && s->refresh_ms > 0) {
        s->refresh_ms = now_ms + KAFKA_REFRESH_MS;
        return MR_OK; /* its partitions are those that were there when it began */
    }
    status = kafka_cluster_refresh(s->cluster, &why);
    if (status == MR_OK && !s->bounded)
        status = parts_open(s, &later, &why);
    else if (status == MR_OK || status == MR_BUSY)
        peers_update(s);
    if (status == MR_OK) {
        s->refresh_backoff.attempt = 0;
        s->refresh_ms = now_ms + KAFKA_REFRESH_MS;
        return MR_OK;
    }
    if (connector_stopped(s->ctx))
        return mr_err_set(err, MR_BUSY, "stopped");
    if (status == MR_DENIED || status == MR_INVALID || status == MR_UNSUPPORTED) {
        *err = why;
        return status;
    }
    s->refresh_ms = connector_clock_ms(s->ctx) + connector_backoff_next(&s->refresh_backoff, s->ctx);
    connector_warn(&s->warner, s->ctx, "%s; tried again", why.text);
    return MR_OK;
}

void kafka_source_close(struct connector_source *s)
{
    if (s == NULL)
        return;
    kafka_group_close(s->group);
    mr_free((void *)s->start.positions);
    mr_free(s->bootstrap);
    mr_free(s->group_id);
    for (uint32_t i = 0; i < s->peer_count; i++) {
        kafka_conn_deinit(&s->peers[i]->conn);
        mr_free(s->peers[i]);
    }
    mr_free(s->peers);
    kafka_cluster_free(s->cluster);
    for (uint32_t i = 0; i < KAFKA_SCRATCHES; i++)
        kafka_scratch_deinit(&s->scratches[i]);
    mr_writer_deinit(&s->frame);
    mr_arena_free(s->arena);
    mr_free(s->parts);
    mr_free(s->pending);
    mr_free(s->positions);
    mr_free(s->records);
    mr_free(s);
}

/* A position of a partition that is not there: the topic was made anew with fewer, or another one is asked. */
static enum mr_status positions_fit(const struct connector_source *s, const struct kafka_start *start,
                                    struct mr_err *err)
{
    for (uint32_t i = 0; i < start->position_count; i++)
        if (start->positions[i].split < 0 || (uint32_t)start->positions[i].split >= s->cluster->partition_count)
            return mr_err_set(err, MR_NOT_FOUND,
                              "topic '%s' has %u partitions, but the query's checkpoint stands at offset %" PRId64
                              " of partition %d: all its records are missing (the topic was made anew?)",
                              s->cluster->topic, s->cluster->partition_count, start->positions[i].next,
                              start->positions[i].split);
    return MR_OK;
}

static enum mr_status source_start(struct connector_source *s, const struct connector_table *table,
                                   const struct kafka_start *start, struct mr_err *err)
{
    const char *bootstrap = connector_option_text(table, "properties.bootstrap.servers");
    const char *topic = connector_option_text(table, "topic");
    enum mr_status status;

    if (topic == NULL)
        return mr_err_set(err, MR_INVALID, "option 'topic' is missing");
    if (bootstrap == NULL)
        bootstrap = s->ctx->kafka_embedded;
    if (bootstrap == NULL)
        return mr_err_set(err, MR_INVALID, "option 'properties.bootstrap.servers' is missing, and no log is embedded");
    s->bootstrap = mr_strdup(bootstrap);
    status = kafka_cluster_new(&s->cluster, s->ctx, bootstrap, topic, err);
    if (status == MR_OK)
        status = kafka_cluster_wait(s->cluster, connector_clock_ms(s->ctx) + KAFKA_OPEN_MS, err);
    if (status == MR_OK)
        status = positions_fit(s, start, err);
    if (status == MR_OK)
        status = parts_open(s, start, err);
    s->refresh_ms = connector_clock_ms(s->ctx) + KAFKA_REFRESH_MS;
    return status;
}

enum mr_status kafka_source_open(struct connector_source **out, const struct connector_table *table,
                                 const struct connector_context *ctx, const struct connector_position *positions,
                                 uint32_t position_count, struct mr_err *err)
{
    struct connector_source *s = MR_NEW(struct connector_source);
    struct kafka_start start = { .positions = positions, .position_count = position_count };
    enum mr_status status;

    s->ctx = ctx;
    s->arena = mr_arena_new();
    s->refresh_backoff = (struct connector_backoff){ .base_ms = 50, .max_ms = 5000 };
    s->records = mr_calloc(KAFKA_POLL_RECORDS_MAX, sizeof(*s->records));
    status = start_options_read(table, &start, &s->bounded, err);
    if (status == MR_OK)
        status = fetch_options_read(s, table, err);
    if (status == MR_OK)
        status = group_options_read(s, table, &start, err);
    if (status == MR_OK)
        status = source_start(s, table, &start, err);
    if (status == MR_OK && s->shared)
        status = kafka_source_group_open(s, err);
    if (status != MR_OK) {
        kafka_source_close(s);
        return status;
    }
    *out = s;
    return MR_OK;
}

static const struct connector_option kafka_options[] = {
    { "topic", NULL, true, "The topic; made when absent, if the log allows it." },
    { "properties.bootstrap.servers", NULL, false, "HOST:PORT,... of a Kafka; without it: the embedded log." },
    { "properties.group.id", NULL, false, "Group whose offsets show the progress; without it: the query's name." },
    { "properties.session.timeout.ms", "10000", false,
      "Shared with other processes: how long one of them may be silent before the others take its partitions." },
    { "scan.startup.mode", "earliest-offset", false,
      "Where a query without checkpoint starts: 'earliest-offset', 'latest-offset' or 'timestamp'." },
    { "scan.startup.timestamp-millis", NULL, false, "With 'timestamp': milliseconds since 1970 UTC." },
    { "scan.bounded.mode", "unbounded", false,
      "'latest-offset': ends with the records that were there at the start; 'unbounded': never ends." },
    { "properties.fetch.min.bytes", "1", false, "Bytes that the broker waits for before it answers a fetch." },
    { "properties.fetch.max.wait.ms", "500", false, "Longest time that the broker waits for them." },
    { "properties.fetch.max.bytes", "8388608", false, "Largest answer to a fetch." },
    { "properties.max.partition.fetch.bytes", "1048576", false, "Largest part of one partition in it." },
    { "key.fields", NULL, false, "Columns, separated by ';', whose values are the key of a written record, as JSON." },
    { "key.format", NULL, false, "The format of keys: json (the default), csv or raw; its options begin with 'key.'." },
    { "key.fields-prefix", "", false, "What the names of the key's columns begin with here, and not in the key." },
    { "value.fields-include", "ALL", false, "'EXCEPT_KEY': the key's columns are not in the value." },
    { "properties.compression.type", "none", false,
      "How written batches are compressed: none, lz4, zstd, snappy, gzip." },
    { "properties.linger.ms", "5", false, "How long a record to write waits for others of its batch." },
    { "properties.batch.size", "1000000", false, "Largest batch that is written, in bytes." },
    { "properties.max.request.size", "1048576", false,
      "Largest record that is written, in bytes; larger ones are rejected." },
    { "properties.delivery.timeout.ms", "120000", false, "How long a write is tried before it fails." },
    { NULL, NULL, false, NULL },
};

static const struct connector_metadata kafka_metadata[] = {
    { "topic", { DATA_STRING }, false, "The topic's name." },
    { "partition", { DATA_INT, DATA_BIGINT }, false, "The partition." },
    { "offset", { DATA_BIGINT }, false, "The offset in the partition." },
    { "timestamp", { DATA_TIMESTAMP_LTZ, DATA_TIMESTAMP, DATA_BIGINT }, true, "When the record was made." },
    { "timestamp-type", { DATA_STRING }, false, "CreateTime, LogAppendTime or NoTimestampType." },
    { "headers", { DATA_MAP }, true, "The headers: MAP<STRING, BYTES>." },
    { "leader-epoch", { DATA_INT, DATA_BIGINT }, false, "The leader's epoch when it was written." },
    { NULL, { DATA_NULL }, false, NULL },
};

const struct connector connector_kafka = {
    .name = "kafka",
    .help = "Reads and writes a topic of a Kafka log.",
    .options = kafka_options,
    .metadata = kafka_metadata,
    .source = &kafka_source_ops,
    .sink = &kafka_sink_ops,
};

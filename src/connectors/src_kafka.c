/* src_kafka.c -- the kafka source: records of a topic's partitions, fetched ahead, handed over where they lie.
 *
 * Each broker that leads a partition has one connection with one Fetch on the way.  When its answer is there, the batch
 * headers are walked to find where it ends, the next Fetch is sent, and only then are its records handed over: the
 * broker works while the query does.  Answers of other brokers wait in their sockets.
 *
 *   answer (one frame)      [ partition | batch batch batch ] [ partition | batch ... ]
 *   handed over so far      ^ pending[], walk, batch                       records borrow the frame, or a scratch when
 *                                                                          the batch was compressed
 *
 * Invariants
 *   I1  fetch_next of a partition is the offset after the last whole batch of its last answer; next, what the engine
 * was told, is never beyond it. I2  a frame is not reused before the poll after the one that handed over its last
 * record. I3  control batches and records before `next` are passed over, but their offsets count in `next`. Estimate:
 * 259-byte records, 1 MiB answers: one recv copy, one CRC, ~30 ns a record; > 1,000,000 records/s. */
#include "connectors/src_kafka_int.h"

#include "kafka/errors.h"

#include <poll.h>
#include <string.h>

/* ---- asking ---- */

static bool source_bounded_done(const struct kafka_part *part)
{
    return part->end >= 0 && part->fetch_next >= part->end;
}

/* Sends a Fetch for all partitions that PEER leads and that want one. */
static enum mr_status peer_fetch_send(struct connector_source *s, struct kafka_peer *peer, struct mr_err *err)
{
    int64_t now_ms = connector_clock_ms(s->ctx);
    int32_t count = 0;
    enum mr_status status;

    assert(!peer->asked);
    mr_arena_reset(s->arena);
    struct kafka_fetch_request_partition *asked =
        MR_ARENA_ARRAY(s->arena, struct kafka_fetch_request_partition, s->part_count);
    for (uint32_t i = 0; i < s->part_count; i++) {
        struct kafka_part *part = &s->parts[i];

        if (part->leader != peer->id || !part->owned || source_bounded_done(part) || part->retry_ms > now_ms)
            continue;
        kafka_fetch_request_partition_init(&asked[count]);
        asked[count].index = (int32_t)i;
        asked[count].fetch_offset = part->fetch_next;
        asked[count].partition_max_bytes = (int32_t)s->partition_max_bytes;
        count++;
    }
    if (count == 0)
        return MR_OK;
    if (peer->turn > 0 && count > 1) { /* whoever is first gets the most: take turns */
        struct kafka_fetch_request_partition first;
        uint32_t by = peer->turn % (uint32_t)count;

        for (; by > 0; by--) {
            first = asked[0];
            memmove(asked, asked + 1, (size_t)(count - 1) * sizeof(*asked));
            asked[count - 1] = first;
        }
    }
    peer->turn++;
    status = kafka_conn_open(&peer->conn, err);
    if (status != MR_OK)
        return status;
    status = kafka_conn_send(&peer->conn,
                             kafka_fetch_begin(&peer->conn, s->cluster->topic, asked, count, (int32_t)s->max_wait_ms,
                                               (int32_t)s->min_bytes, (int32_t)s->fetch_max_bytes),
                             err);
    peer->asked = status == MR_OK;
    if (peer->asked)
        peer->asked_ms = now_ms;
    return status;
}

/* A peer failed: no answer is on the way, and it is left alone for a while. */
static void peer_trouble(struct connector_source *s, struct kafka_peer *peer, const struct mr_err *why)
{
    int64_t delay_ms = connector_backoff_next(&peer->backoff, s->ctx);

    kafka_conn_close(&peer->conn);
    peer->asked = false;
    peer->retry_ms = connector_clock_ms(s->ctx) + delay_ms;
    s->refresh_ms = 0;
    connector_warn(&s->warner, s->ctx, "topic '%s': %s; tried again in %" PRId64 " ms", s->cluster->topic, why->text,
                   delay_ms);
}

/* ---- answers ---- */

/* Where the batches of BYTES end: fetch_next moves there.  A cut batch at the end is left for the next Fetch. */
static enum mr_status part_measure(struct kafka_part *part, struct mr_bytes *bytes, struct mr_err *err)
{
    struct mr_bytes rest = *bytes;
    struct kafka_batch batch;
    enum mr_status status = MR_OK;

    while (rest.size > 0) {
        status = kafka_batch_parse(rest, &batch, err);
        if (status != MR_OK)
            break;
        part->fetch_next = batch.last_offset + 1;
        rest.data += batch.bytes.size;
        rest.size -= batch.bytes.size;
    }
    if (status == MR_NEED_MORE && rest.size < bytes->size)
        status = MR_OK;
    else if (status == MR_NEED_MORE)
        status = mr_err_set(err, MR_IO, "the answer ends inside of its first batch");
    bytes->size -= rest.size;
    return status;
}

/* An error code for one partition: MR_OK when it may pass (the partition waits a little). */
static enum mr_status part_error(struct connector_source *s, struct kafka_part *part, int32_t index, int code,
                                 struct mr_err *err)
{
    int64_t until_ms = connector_clock_ms(s->ctx) + KAFKA_CALL_MS, first = 0, end = 0;
    enum mr_status status;

    if (code == KAFKA_ERROR_OFFSET_OUT_OF_RANGE) {
        status = kafka_cluster_offset(s->cluster, index, KAFKA_OFFSET_EARLIEST, until_ms, &first, err);
        if (status == MR_OK)
            status = kafka_cluster_offset(s->cluster, index, KAFKA_OFFSET_LATEST, until_ms, &end, err);
        if (status == MR_OK && part->fresh && part->fetch_next < first) {
            part->fetch_next = part->next = first; /* it starts where its records do; nothing was read yet */
            return MR_OK;
        }
        if (status == MR_OK && (part->fetch_next < first || part->fetch_next > end))
            return kafka_range_error(s->cluster->topic, index, part->fetch_next, first, end, err);
        if (status != MR_OK && status != MR_IO)
            return status;
    } else if (code == KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED) {
        return mr_err_set(err, MR_DENIED, "topic '%s': not allowed to read it", s->cluster->topic);
    } else if (!kafka_error_is_retriable(code) && code != KAFKA_ERROR_UNKNOWN_SERVER_ERROR) {
        return mr_err_set(err, MR_IO, "topic '%s' partition %d: %s", s->cluster->topic, index, kafka_error_text(code));
    }
    part->retry_ms = connector_clock_ms(s->ctx) + connector_backoff_next(&part->backoff, s->ctx);
    s->refresh_ms = 0;
    connector_warn(&s->warner, s->ctx, "topic '%s' partition %d: %s; tried again", s->cluster->topic, index,
                   kafka_error_text(code));
    return MR_OK;
}

/* Takes one partition's part of the answer. */
static enum mr_status part_take(struct connector_source *s, const struct kafka_fetch_response_partition *answer,
                                struct mr_err *err)
{
    struct kafka_pending *pending = &s->pending[s->pending_count];
    struct kafka_part *part;
    enum mr_status status;

    if (answer->index < 0 || (uint32_t)answer->index >= s->part_count)
        return mr_err_set(err, MR_IO, "an answer for partition %d, which was not asked for", answer->index);
    part = &s->parts[answer->index];
    if (answer->error_code != 0)
        return part_error(s, part, answer->index, answer->error_code, err);
    part->backoff.attempt = 0;
    part->high_watermark = answer->high_watermark;
    if (answer->records.bytes.size == 0)
        return MR_OK;
    pending->part = answer->index;
    pending->bytes = answer->records.bytes;
    status = part_measure(part, &pending->bytes, err);
    if (status != MR_OK) {
        mr_err_context(err, "topic '%s' partition %d at offset %" PRId64, s->cluster->topic, answer->index,
                       part->fetch_next);
        return status == MR_INVALID || status == MR_UNSUPPORTED ? MR_CORRUPT : status;
    }
    part->fresh = false;
    s->pending_count++;
    return MR_OK;
}

/* Takes the answer that is whole in peer->conn.in.  *FINAL tells an error that can't pass from a broken connection. */
static enum mr_status answer_take(struct connector_source *s, struct kafka_peer *peer, bool *final, struct mr_err *err)
{
    struct kafka_fetch_response answer;
    struct mr_writer spare = s->frame;
    struct mr_reader reader;
    enum mr_status status;

    s->frame = peer->conn.in;
    peer->conn.in = spare;
    peer->conn.in.size = 0;
    peer->asked = false;
    s->pending_count = s->pending_at = 0;
    status = kafka_conn_answer(&peer->conn, mr_writer_bytes(&s->frame), &reader, err);
    if (status != MR_OK)
        return status;
    mr_arena_reset(s->arena);
    if (kafka_fetch_response_read(&answer, &reader, peer->conn.version_fetch, s->arena) != MR_OK)
        return mr_err_set(err, MR_IO, "Kafka at %s:%u gave an answer that can't be read", peer->conn.address.host,
                          peer->conn.address.port);
    if (answer.error_code != 0)
        return mr_err_set(err, MR_IO, "Kafka at %s:%u: %s", peer->conn.address.host, peer->conn.address.port,
                          kafka_error_text(answer.error_code));
    peer->backoff.attempt = 0;
    for (int32_t t = 0; t < answer.responses_count; t++) {
        for (int32_t p = 0; p < answer.responses[t].partitions_count; p++) {
            if (s->pending_count == s->part_count)
                return mr_err_set(err, MR_IO, "an answer with more partitions than were asked for");
            status = part_take(s, &answer.responses[t].partitions[p], err);
            if (status != MR_OK) {
                *final = status != MR_IO || answer.responses[t].partitions[p].error_code != 0;
                return status;
            }
        }
    }
    return MR_OK;
}

/* ---- waiting ---- */

/* Sends what is due, and takes an answer when one is there within WAIT_MS.  Trouble that may pass is noted. */
static enum mr_status source_step(struct connector_source *s, int wait_ms, struct mr_err *err)
{
    struct mr_err why = MR_ERR_INIT;
    struct pollfd *fds;
    uint32_t count = 0;
    int64_t now_ms = connector_clock_ms(s->ctx);

    for (uint32_t i = 0; i < s->peer_count; i++) {
        struct kafka_peer *peer = s->peers[i];
        enum mr_status status;

        if (peer->asked && now_ms - peer->asked_ms > s->max_wait_ms + KAFKA_CALL_MS) {
            mr_err_set(&why, MR_IO, "Kafka at %s:%u does not answer", peer->conn.address.host, peer->conn.address.port);
            peer_trouble(s, peer, &why);
        }
        if (peer->asked || peer->retry_ms > now_ms)
            continue;
        status = peer_fetch_send(s, peer, &why);
        if (status == MR_BUSY)
            return MR_BUSY;
        if (status != MR_OK)
            peer_trouble(s, peer, &why);
    }
    mr_arena_reset(s->arena);
    fds = MR_ARENA_ARRAY(s->arena, struct pollfd, s->peer_count + 1);
    for (uint32_t i = 0; i < s->peer_count; i++)
        if (s->peers[i]->asked)
            fds[count++] = (struct pollfd){ .fd = s->peers[i]->conn.fd, .events = POLLIN };
    if (poll(fds, count, wait_ms) <= 0)
        return MR_OK;
    for (uint32_t turn = 0; turn < s->peer_count; turn++) {
        struct kafka_peer *peer = s->peers[(s->peer_turn + turn) % s->peer_count];
        bool final = false;
        enum mr_status status;

        if (!peer->asked)
            continue;
        status = kafka_conn_receive(&peer->conn, 0, &why);
        if (status == MR_NEED_MORE)
            continue;
        s->peer_turn = (s->peer_turn + turn + 1) % s->peer_count;
        if (status == MR_OK)
            status = answer_take(s, peer, &final, &why);
        if (final || status == MR_BUSY) {
            *err = why;
            return status;
        }
        if (status != MR_OK) {
            peer_trouble(s, peer, &why);
            return MR_OK;
        }
        status = peer_fetch_send(s, peer, &why); /* before the records are looked at */
        if (status != MR_OK && status != MR_BUSY)
            peer_trouble(s, peer, &why);
        return status == MR_BUSY ? MR_BUSY : MR_OK;
    }
    return MR_OK;
}

/* ---- handing over ---- */

/* Opens the next batch that has records to hand over.  MR_NEED_MORE: the answer is used up.  MR_LIMIT: it is compressed
 * and every scratch holds records of this poll. */
static enum mr_status batch_next(struct connector_source *s, struct mr_err *err)
{
    while (s->pending_at < s->pending_count) {
        struct kafka_pending *pending = &s->pending[s->pending_at];
        struct kafka_part *part = &s->parts[pending->part];
        struct kafka_batch batch;
        enum mr_status status;

        if (pending->bytes.size == 0) {
            s->pending_at++;
            continue;
        }
        status = kafka_batch_parse(pending->bytes, &batch, err);
        assert(status == MR_OK); /* part_measure walked over it */
        if (kafka_batch_codec(&batch) != KAFKA_CODEC_NONE && s->scratch_used == MR_COUNT(s->scratches))
            return MR_LIMIT;
        pending->bytes.data += batch.bytes.size;
        pending->bytes.size -= batch.bytes.size;
        if (batch.last_offset < part->next)
            continue;
        s->batch_part = pending->part;
        s->batch_last = batch.last_offset;
        s->batch_base = batch.base_offset;
        s->batch_epoch = batch.leader_epoch;
        s->batch_append_time = (batch.attributes & KAFKA_BATCH_LOG_APPEND_TIME) != 0;
        if ((batch.attributes & KAFKA_BATCH_CONTROL) != 0) {
            part->next = batch.last_offset + 1;
            part->moved = true;
            continue;
        }
        status = kafka_batch_check(&batch, err);
        if (status == MR_OK)
            status = kafka_records_open(&s->walk, &batch, &s->scratches[s->scratch_used], err);
        s->batch_open = status == MR_OK;
        s->batch_inflated = kafka_batch_codec(&batch) != KAFKA_CODEC_NONE;
        s->batch_slack_end = s->frame.data + s->frame.size + KAFKA_FRAME_SLACK;
        if (s->batch_inflated) {
            const struct mr_writer *inflated = &s->scratches[s->scratch_used++].buffer;

            s->batch_slack_end = inflated->data + inflated->capacity;
        }
        if (status != MR_OK) {
            mr_err_context(err, "topic '%s' partition %d, batch at offset %" PRId64, s->cluster->topic, s->batch_part,
                           batch.base_offset);
            return MR_CORRUPT;
        }
        return MR_OK;
    }
    return MR_NEED_MORE;
}

/* Hands over records of the open batch until COUNT is RECORDS_MAX. */
static enum mr_status batch_records(struct connector_source *s, uint32_t records_max, uint32_t *count,
                                    struct mr_err *err)
{
    struct kafka_part *part = &s->parts[s->batch_part];
    struct kafka_record record;

    while (*count < records_max) {
        struct connector_record *out = &s->records[*count];

        if (!kafka_records_next(&s->walk, &record)) {
            s->batch_open = false;
            if (kafka_records_end(&s->walk, err) != MR_OK) {
                mr_err_context(err, "topic '%s' partition %d, batch at offset %" PRId64, s->cluster->topic,
                               s->batch_part, s->batch_base);
                return MR_CORRUPT;
            }
            part->next = s->batch_last + 1;
            part->moved = true;
            return MR_OK;
        }
        if (record.offset < part->next)
            continue;
        if (part->end >= 0 && record.offset >= part->end) {
            s->batch_open = false;
            part->next = part->end;
            return MR_OK;
        }
        out->value = record.value;
        out->key = record.key;
        out->timestamp_ms = record.timestamp;
        out->position = record.offset;
        out->split = s->batch_part;
        out->append_time = s->batch_append_time;
        out->leader_epoch = s->batch_epoch;
        out->header_count = record.header_count;
        out->headers = record.headers;
        out->parse_slack = 0;
        if (record.value.data != NULL && s->batch_slack_end - (record.value.data + record.value.size) >= 64)
            out->parse_slack = 64;
        part->next = record.offset + 1;
        part->moved = true;
        part->last_index = (*count)++;
        part->has_last = true;
    }
    return MR_OK;
}

/* Makes the positions of what moved. */
static void positions_show(struct connector_source *s, struct connector_poll *out)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < s->part_count; i++) {
        struct kafka_part *part = &s->parts[i];

        if (!part->moved)
            continue;
        if (part->has_last) {
            const struct connector_record *last = &s->records[part->last_index];

            part->last = last->position;
            part->last_checksum = connector_checksum(last->key, last->value);
            part->has_last = false;
        }
        part->moved = false;
        s->positions[count++] = (struct connector_position){ .split = (int32_t)i,
                                                             .next = part->next,
                                                             .last = part->last,
                                                             .last_checksum = part->last_checksum,
                                                             .clock_us = part->clock_us,
                                                             .assigned = part->assigned };
        part->assigned = false;
    }
    out->positions = s->positions;
    out->position_count = count;
}

/* Hands over what the current answer has. */
static enum mr_status source_hand_over(struct connector_source *s, uint32_t records_max, struct connector_poll *out,
                                       struct mr_err *err)
{
    uint32_t count = 0;
    enum mr_status status = MR_OK;

    s->scratch_used = 0;
    if (s->batch_open && s->batch_inflated) {
        /* A batch cut by the last poll goes on in its scratch; that one comes first now. */
        struct kafka_scratch kept = s->scratches[s->scratch_last];

        s->scratches[s->scratch_last] = s->scratches[0];
        s->scratches[0] = kept;
        s->scratch_used = 1;
    }
    while (count < records_max) {
        if (!s->batch_open)
            status = batch_next(s, err);
        if (status != MR_OK)
            break;
        status = batch_records(s, records_max, &count, err);
        if (status != MR_OK)
            break;
    }
    s->scratch_last = s->scratch_used > 0 ? s->scratch_used - 1 : 0;
    if (status != MR_OK && status != MR_NEED_MORE && status != MR_LIMIT)
        return status;
    out->records = s->records;
    out->record_count = count;
    positions_show(s, out);
    return MR_OK;
}

static bool source_ended(const struct connector_source *s)
{
    for (uint32_t i = 0; i < s->part_count; i++)
        if (s->parts[i].end < 0 || s->parts[i].next < s->parts[i].end)
            return false;
    return s->part_count > 0;
}

/* Is an answer on the way that is known to have records? */
static bool source_expects(const struct connector_source *s)
{
    bool asked = false;

    for (uint32_t i = 0; i < s->peer_count; i++)
        asked = asked || s->peers[i]->asked;
    for (uint32_t i = 0; i < s->part_count && asked; i++)
        if (s->parts[i].high_watermark > s->parts[i].fetch_next && !source_bounded_done(&s->parts[i]))
            return true;
    return false;
}

static enum mr_status kafka_source_poll(struct connector_source *s, int timeout_ms, uint32_t records_max,
                                        struct connector_poll *out, struct mr_err *err)
{
    int64_t until_ms = connector_clock_ms(s->ctx) + timeout_ms;
    struct mr_err why = MR_ERR_INIT;
    enum mr_status status;

    *out = (struct connector_poll){ 0 };
    if (records_max == 0 || records_max > KAFKA_POLL_RECORDS_MAX)
        records_max = KAFKA_POLL_RECORDS_MAX;
    if (s->shared) {
        bool pause = false;

        status = kafka_source_group_turn(s, timeout_ms, &pause, err);
        if (status != MR_OK || pause)
            return status;
    }
    for (;;) {
        int64_t wait_ms;

        status = source_hand_over(s, records_max, out, &why);
        if (status != MR_OK)
            break;
        out->ended = source_ended(s);
        s->told |= out->record_count > 0 || out->position_count > 0;
        if (out->record_count > 0 || out->position_count > 0 || out->ended)
            return MR_OK;
        if (connector_stopped(s->ctx))
            return mr_err_set(err, MR_BUSY, "stopped");
        status = kafka_source_refresh(s, &why);
        if (status != MR_OK)
            break;
        wait_ms = until_ms - connector_clock_ms(s->ctx);
        if (wait_ms <= 0 && source_expects(s))
            wait_ms += KAFKA_EXPECT_MS; /* a query that asks "is there more at once?" means these too */
        status = source_step(s,
                             wait_ms <= 0                        ? 0
                             : wait_ms > CONNECTOR_WAIT_SLICE_MS ? CONNECTOR_WAIT_SLICE_MS
                                                                 : (int)wait_ms,
                             &why);
        if (status != MR_OK)
            break;
        if (wait_ms <= 0 && s->pending_at == s->pending_count)
            return MR_OK;
    }
    if (err != NULL)
        *err = why;
    return status;
}

static int64_t kafka_source_lag(struct connector_source *s)
{
    int64_t lag = 0;

    for (uint32_t i = 0; i < s->part_count; i++) {
        if (!s->parts[i].owned)
            continue;
        if (s->parts[i].high_watermark < 0)
            return -1;
        if (s->parts[i].high_watermark > s->parts[i].next)
            lag += s->parts[i].high_watermark - s->parts[i].next;
    }
    return lag;
}

static int64_t kafka_source_latest(struct connector_source *s, int32_t split)
{
    return split >= 0 && (uint32_t)split < s->part_count ? s->parts[split].high_watermark : -1;
}

const struct connector_source_ops kafka_source_ops = {
    .open = kafka_source_open,
    .poll = kafka_source_poll,
    .checkpointed = kafka_source_checkpointed,
    .shareable = kafka_source_shareable,
    .lag = kafka_source_lag,
    .latest = kafka_source_latest,
    .close = kafka_source_close,
};

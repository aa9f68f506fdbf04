/* src_kafka_group.c -- the kafka source in a group: telling how far it is, and sharing its partitions.
 *
 * A shared source reads the partitions that the group gave it, from the group's offsets on.  When the group divides
 * them anew, it hands nothing more over until the engine has flushed and checkpointed what it has (told is false
 * again); then it lets all of them go and waits for the next assignment.  Answers on the way then are thrown away. */
#include "connectors/src_kafka_int.h"

#include <stdio.h>
#include <string.h>

enum { GROUP_INSTANCE_BYTES = 64 + 256 };

bool kafka_source_shareable(const struct connector_table *table, const struct connector_context *ctx)
{
    const char *bounded = connector_option_text(table, "scan.bounded.mode");

    if (bounded != NULL && strcmp(bounded, "unbounded") != 0)
        return false;
    return ctx->kafka_is_shared || connector_option_text(table, "properties.bootstrap.servers") != NULL;
}

static enum mr_status group_open(struct connector_source *s, struct mr_err *err)
{
    char instance[GROUP_INSTANCE_BYTES];
    struct kafka_group_options options = {
        .ctx = s->ctx,
        .bootstrap = s->bootstrap,
        .topic = s->cluster->topic,
        .group_id = s->group_id,
        .instance_id = s->ctx->query_id != NULL ? instance : NULL,
        .member = s->shared,
        .session_ms = s->session_ms,
    };

    snprintf(instance, sizeof(instance), "%s-%s", s->ctx->query_id != NULL ? s->ctx->query_id : "", s->cluster->topic);
    return kafka_group_open(&s->group, &options, err);
}

enum mr_status kafka_source_group_open(struct connector_source *s, struct mr_err *err)
{
    return group_open(s, err);
}

void kafka_source_checkpointed(struct connector_source *s, const struct connector_position *positions,
                               uint32_t position_count)
{
    struct kafka_group_offset *offsets;
    uint32_t count = 0;

    s->told = false;
    if (position_count == 0 || (s->group == NULL && group_open(s, NULL) != MR_OK))
        return;
    mr_arena_reset(s->arena);
    offsets = MR_ARENA_ARRAY(s->arena, struct kafka_group_offset, position_count);
    for (uint32_t i = 0; i < position_count; i++) {
        const struct connector_position *p = &positions[i];

        if (p->split < 0 || (uint32_t)p->split >= s->part_count || !s->parts[p->split].owned)
            continue;
        offsets[count++] = (struct kafka_group_offset){ .partition = p->split,
                                                        .next = p->next,
                                                        .last = p->last,
                                                        .last_checksum = p->last_checksum,
                                                        .clock_us = p->clock_us };
    }
    kafka_group_commit(s->group, offsets, count);
}

/* Nothing of the partitions is on the way any more. */
static void parts_drop(struct connector_source *s)
{
    for (uint32_t i = 0; i < s->peer_count; i++) {
        kafka_conn_close(&s->peers[i]->conn);
        s->peers[i]->asked = false;
    }
    s->pending_at = s->pending_count;
    s->batch_open = false;
    for (uint32_t i = 0; i < s->part_count; i++) {
        s->parts[i].owned = s->parts[i].moved = false;
        s->parts[i].high_watermark = -1;
    }
}

/* Reads OFFSET's partition from there on; when the group has none, from where the checkpoint or the options say. */
static enum mr_status part_assign(struct connector_source *s, const struct kafka_group_offset *offset,
                                  struct mr_err *err)
{
    struct connector_position position = { .split = offset->partition,
                                           .next = offset->next,
                                           .last = offset->last,
                                           .last_checksum = offset->last_checksum,
                                           .clock_us = offset->clock_us };
    const struct connector_position *from = &position;
    struct kafka_part *part;
    int32_t leader;
    enum mr_status status;

    if (offset->partition < 0 || (uint32_t)offset->partition >= s->part_count)
        return MR_OK; /* the leader knows more of them: the next refresh finds it, and the group divides again */
    part = &s->parts[offset->partition];
    leader = part->leader;
    if (offset->next < 0)
        from = connector_position_find(s->start.positions, s->start.position_count, offset->partition);
    status = kafka_source_part_open(s, offset->partition, from, &s->start, err);
    part->leader = leader;
    part->assigned = true;
    part->clock_us = from != NULL ? from->clock_us : 0;
    return status;
}

static enum mr_status assignment_take(struct connector_source *s, struct mr_err *err)
{
    struct mr_arena *arena = mr_arena_new();
    struct kafka_group_offset *offsets;
    uint32_t count = kafka_group_take(s->group, arena, &offsets);
    enum mr_status status = MR_OK;

    parts_drop(s);
    for (uint32_t i = 0; i < count && status == MR_OK; i++)
        status = part_assign(s, &offsets[i], err);
    mr_arena_free(arena);
    return status;
}

enum mr_status kafka_source_group_turn(struct connector_source *s, int timeout_ms, bool *pause, struct mr_err *err)
{
    enum kafka_group_state state = KAFKA_GROUP_WAIT;
    enum mr_status status = kafka_group_state(s->group, timeout_ms, &state, err);

    if (status != MR_OK)
        return status;
    *pause = true;
    switch (state) {
    case KAFKA_GROUP_WAIT:
        return connector_stopped(s->ctx) ? mr_err_set(err, MR_BUSY, "stopped") : MR_OK;
    case KAFKA_GROUP_KEEP:
        *pause = false;
        return MR_OK;
    case KAFKA_GROUP_TAKE:
        *pause = false;
        return assignment_take(s, err);
    case KAFKA_GROUP_GIVE_UP:
        break;
    }
    if (s->told) { /* the engine is to finish its epoch first */
        int64_t wait_ms = timeout_ms < CONNECTOR_WAIT_SLICE_MS ? timeout_ms : CONNECTOR_WAIT_SLICE_MS;

        status = connector_wait_until(s->ctx, connector_clock_ms(s->ctx) + wait_ms);
        return status == MR_OK ? MR_OK : mr_err_set(err, status, "stopped");
    }
    parts_drop(s);
    kafka_group_given_up(s->group);
    return MR_OK;
}

/* producers.c -- what a partition remembers of idempotent producers, so that a retried batch is stored once.
 *
 * For each producer id: its epoch and the sequences and offsets of its last five batches.  The rules are Kafka's:
 *   never seen            any first sequence is taken
 *   lower epoch           fenced
 *   higher epoch          must begin with sequence 0
 *   same epoch            one of the last five again: duplicate; else it must follow the last one, without a gap
 * Sequences go from 2^31-1 on to 0.  Batches without a producer id pass by.
 * Tested by: tests/unit/log/test_producers.c */
#include "log/log_int.h"

#include <string.h>

struct producer_batch {
    int32_t first_sequence;
    int32_t last_sequence;
    int64_t base_offset;
    int64_t last_offset;
};

struct producer {
    int64_t id;
    int64_t last_ms; /* when it appended last */
    int16_t epoch;
    uint16_t count; /* of batches, oldest first */
    struct producer_batch batches[LOG_PRODUCER_BATCHES];
};

struct log_producers {
    struct mr_map *by_id; /* owns its values */
};

enum { PRODUCER_BYTES_MIN = 20, PRODUCER_BATCH_BYTES = 24 };

struct log_producers *log_producers_new(void)
{
    struct log_producers *producers = MR_NEW(struct log_producers);

    producers->by_id = mr_map_new();
    return producers;
}

void log_producers_free(struct log_producers *producers)
{
    size_t cursor = 0;
    void *value;

    if (producers == NULL)
        return;
    while (mr_map_next(producers->by_id, &cursor, NULL, &value))
        mr_free(value);
    mr_map_free(producers->by_id);
    mr_free(producers);
}

size_t log_producers_count(const struct log_producers *producers)
{
    return mr_map_count(producers->by_id);
}

static struct mr_bytes key_of(const int64_t *id)
{
    return (struct mr_bytes){ (const uint8_t *)id, sizeof(*id) };
}

static int32_t sequence_add(int32_t sequence, int32_t n)
{
    return (int32_t)(((uint32_t)sequence + (uint32_t)n) & INT32_MAX);
}

enum log_append_outcome log_producers_check(const struct log_producers *producers, const struct kafka_batch *batch,
                                            int64_t *base_offset, int64_t *last_offset)
{
    const struct producer *p;
    int32_t last = sequence_add(batch->base_sequence, batch->last_offset_delta);

    if (batch->producer_id < 0)
        return LOG_APPENDED;
    p = mr_map_get(producers->by_id, key_of(&batch->producer_id));
    if (p == NULL)
        return LOG_APPENDED;
    if (batch->producer_epoch < p->epoch)
        return LOG_FENCED;
    if (batch->producer_epoch > p->epoch)
        return batch->base_sequence == 0 ? LOG_APPENDED : LOG_OUT_OF_ORDER;
    for (int i = 0; i < p->count; i++) {
        const struct producer_batch *b = &p->batches[i];

        if (b->first_sequence == batch->base_sequence && b->last_sequence == last) {
            *base_offset = b->base_offset;
            *last_offset = b->last_offset;
            return LOG_DUPLICATE;
        }
    }
    if (p->count > 0 && batch->base_sequence != sequence_add(p->batches[p->count - 1].last_sequence, 1))
        return LOG_OUT_OF_ORDER;
    return LOG_APPENDED;
}

void log_producers_note(struct log_producers *producers, const struct kafka_batch *batch, int64_t now_ms)
{
    struct producer *p;

    if (batch->producer_id < 0)
        return;
    p = mr_map_get(producers->by_id, key_of(&batch->producer_id));
    if (p == NULL) {
        p = MR_NEW(struct producer);
        p->id = batch->producer_id;
        p->epoch = batch->producer_epoch;
        mr_map_put(producers->by_id, key_of(&p->id), p);
    }
    if (p->epoch != batch->producer_epoch) {
        p->epoch = batch->producer_epoch;
        p->count = 0;
    }
    if (p->count == LOG_PRODUCER_BATCHES) {
        memmove(p->batches, p->batches + 1, (LOG_PRODUCER_BATCHES - 1) * sizeof(*p->batches));
        p->count--;
    }
    p->batches[p->count++] = (struct producer_batch){
        .first_sequence = batch->base_sequence,
        .last_sequence = sequence_add(batch->base_sequence, batch->last_offset_delta),
        .base_offset = batch->base_offset,
        .last_offset = batch->last_offset,
    };
    p->last_ms = now_ms;
}

void log_producers_expire(struct log_producers *producers, int64_t before_ms)
{
    struct mr_map *kept = mr_map_new();
    size_t cursor = 0;
    void *value;

    while (mr_map_next(producers->by_id, &cursor, NULL, &value)) {
        struct producer *p = value;

        if (p->last_ms < before_ms)
            mr_free(p);
        else
            mr_map_put(kept, key_of(&p->id), p);
    }
    mr_map_free(producers->by_id);
    producers->by_id = kept;
}

void log_producers_encode(const struct log_producers *producers, struct mr_writer *out)
{
    size_t cursor = 0;
    void *value;

    mr_write_u32(out, (uint32_t)mr_map_count(producers->by_id));
    while (mr_map_next(producers->by_id, &cursor, NULL, &value)) {
        const struct producer *p = value;

        mr_write_i64(out, p->id);
        mr_write_i64(out, p->last_ms);
        mr_write_i16(out, p->epoch);
        mr_write_u16(out, p->count);
        for (int i = 0; i < p->count; i++) {
            mr_write_i32(out, p->batches[i].first_sequence);
            mr_write_i32(out, p->batches[i].last_sequence);
            mr_write_i64(out, p->batches[i].base_offset);
            mr_write_i64(out, p->batches[i].last_offset);
        }
    }
}

bool log_producers_decode(struct log_producers *producers, struct mr_reader *in)
{
    uint32_t count = mr_read_u32(in);

    assert(mr_map_count(producers->by_id) == 0);
    if (in->failed || count > mr_reader_left(in) / PRODUCER_BYTES_MIN)
        return false;
    for (uint32_t n = 0; n < count; n++) {
        struct producer *p = MR_NEW(struct producer), *old;

        p->id = mr_read_i64(in);
        p->last_ms = mr_read_i64(in);
        p->epoch = mr_read_i16(in);
        p->count = mr_read_u16(in);
        if (in->failed || p->count > LOG_PRODUCER_BATCHES) {
            mr_free(p);
            return false;
        }
        for (int i = 0; i < p->count; i++) {
            p->batches[i].first_sequence = mr_read_i32(in);
            p->batches[i].last_sequence = mr_read_i32(in);
            p->batches[i].base_offset = mr_read_i64(in);
            p->batches[i].last_offset = mr_read_i64(in);
        }
        old = mr_map_put(producers->by_id, key_of(&p->id), p);
        mr_free(old);
    }
    return !in->failed;
}

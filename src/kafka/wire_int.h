/* wire_int.h -- the primitive types of the protocol, used by the generated codec.
 *
 * FLEXIBLE chooses the compact form: lengths as unsigned varint, plus one, 0 for null.  In the plain form any negative
 * length is null, as in Kafka.  A null where none is allowed fails the reader. */
#ifndef MR_KAFKA_WIRE_INT_H
#define MR_KAFKA_WIRE_INT_H

#include "kafka/kafka.h"

struct kafka_uuid kafka_wire_read_uuid(struct mr_reader *in);
struct mr_str kafka_wire_read_string(struct mr_reader *in, bool flexible, bool nullable);
struct mr_bytes kafka_wire_read_bytes(struct mr_reader *in, bool flexible, bool nullable);
struct kafka_record_bytes kafka_wire_read_records(struct mr_reader *in, bool flexible, bool nullable);

/* An array's length, and zeroed room for it from ARENA (NULL for none).  The length is compared with what the rest of
 * the input can hold at WIRE_BYTES_MIN an element, and the room with KAFKA_DECODE_BYTES_MAX, before it is allocated.
 * *COUNT is -1 for null, 0 after a failure. */
void *kafka_wire_read_array(struct mr_reader *in, bool flexible, bool nullable, size_t wire_bytes_min,
                            size_t element_bytes, struct mr_arena *arena, int32_t *count);
/* Skips all tagged fields. */
void kafka_wire_skip_tags(struct mr_reader *in);
/* The number of tagged fields. */
uint32_t kafka_wire_read_tag_count(struct mr_reader *in);
/* One tagged field: *TAG and a reader over its value. */
struct mr_reader kafka_wire_read_tag(struct mr_reader *in, uint32_t *tag);

void kafka_wire_write_uuid(struct mr_writer *out, const struct kafka_uuid *id);
void kafka_wire_write_string(struct mr_writer *out, struct mr_str s, bool flexible, bool nullable);
void kafka_wire_write_bytes(struct mr_writer *out, struct mr_bytes b, bool flexible, bool nullable);
void kafka_wire_write_records(struct mr_writer *out, struct kafka_record_bytes r, bool flexible, bool nullable);
/* COUNT below 0 is null; where null is not allowed, empty. */
void kafka_wire_write_count(struct mr_writer *out, int32_t count, bool flexible, bool nullable);
/* One tagged field, whose value was written to VALUE. */
void kafka_wire_write_tag(struct mr_writer *out, uint32_t tag, const struct mr_writer *value);

#endif

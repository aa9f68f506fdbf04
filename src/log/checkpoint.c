/* checkpoint.c -- what a partition knew when all of it was synced, so that recovery reads only what came after.
 *
 * File "checkpoint" in the partition's directory, replaced whole; big-endian:
 *   u32 magic, u32 version, i64 log start offset, i64 end offset, i64 base offset of the segment, i64 position in it,
 *   i64 greatest time in the partition, i64 greatest time in the segment,
 *   u32 epoch count, (i32 epoch, i64 start offset)*, producers (producers.c), u32 CRC-32C of all before
 * Written after a sync of all it speaks of: at each new segment, each checkpoint_bytes, at a clean stop, and when the
 * log start is raised (delete_records.c).  So bytes
 * before its position that are missing were lost by the disk: MR_CORRUPT.  Without a checkpoint all segments are read.
 * Tested by: tests/unit/log/test_recovery.c, tests/sim/sim_log.c */
#include "base/hash.h"
#include "log/log_int.h"

#include <string.h>

#define PRODUCER_QUIET_MS (24 * 60 * 60 * INT64_C(1000)) /* forgotten after a day without a batch, as in Kafka */

enum { MAGIC = 0x4d524350, VERSION = 1, BYTES_MIN = 68, CRC_BYTES = 4, FILE_BYTES_MAX = 256 << 20 };

void log_checkpoint_encode(const struct log_partition *p, struct mr_writer *out)
{
    const struct log_segment *active = log_partition_active(p);

    mr_write_u32(out, MAGIC);
    mr_write_u32(out, VERSION);
    mr_write_i64(out, p->start_asked > p->start_offset ? p->start_asked : p->start_offset);
    mr_write_i64(out, p->end.offset);
    mr_write_i64(out, p->end.segment_base);
    mr_write_i64(out, p->end.position);
    mr_write_i64(out, p->end.max_timestamp);
    mr_write_i64(out, active != NULL ? active->max_timestamp : INT64_MIN);
    mr_write_u32(out, (uint32_t)p->epoch_count);
    for (size_t i = 0; i < p->epoch_count; i++) {
        mr_write_i32(out, p->epochs[i].epoch);
        mr_write_i64(out, p->epochs[i].start_offset);
    }
    log_producers_encode(p->producers, out);
    mr_write_u32(out, mr_crc32c(0, out->data, out->size));
}

struct log_blob *log_checkpoint_blobs(struct log_partition *p, const struct log_segment *indexed)
{
    struct log_blob *checkpoint, *index;
    char path[MR_PATH_BYTES];
    struct mr_err err;

    if (mr_path_join(path, p->dir, "checkpoint", &err) != MR_OK)
        return NULL;
    log_producers_expire(p->producers, mr_now_ms(p->log->env) - PRODUCER_QUIET_MS);
    checkpoint = log_blob_new(path, true);
    log_checkpoint_encode(p, &checkpoint->bytes);
    log_segment_index_path(path, indexed);
    index = log_blob_new(path, false);
    log_segment_index_encode(indexed, &index->bytes);
    index->next = checkpoint;
    p->checkpoint_bytes = 0;
    p->checkpoint_offset = p->end.offset;
    return index;
}

static bool checkpoint_decode(struct log_partition *p, struct mr_bytes file, struct log_point *point,
                              int64_t *segment_time)
{
    struct mr_reader in = mr_reader_of(file);
    uint32_t epochs;

    if (file.size < BYTES_MIN ||
        (uint32_t)mr_load_i32(file.data + file.size - CRC_BYTES) != mr_crc32c(0, file.data, file.size - CRC_BYTES))
        return false;
    if (mr_read_u32(&in) != MAGIC || mr_read_u32(&in) != VERSION)
        return false;
    p->start_offset = mr_read_i64(&in);
    point->offset = mr_read_i64(&in);
    point->segment_base = mr_read_i64(&in);
    point->position = mr_read_i64(&in);
    point->max_timestamp = mr_read_i64(&in);
    *segment_time = mr_read_i64(&in);
    epochs = mr_read_u32(&in);
    if (epochs > mr_reader_left(&in) / 12)
        return false;
    for (uint32_t i = 0; i < epochs; i++) {
        int32_t epoch = mr_read_i32(&in);

        log_partition_note_epoch(p, epoch, mr_read_i64(&in));
    }
    return log_producers_decode(p->producers, &in) && mr_reader_left(&in) == CRC_BYTES;
}

enum mr_status log_checkpoint_load(struct log_partition *p, struct log_point *point, int64_t *segment_time,
                                   struct mr_err *err)
{
    struct mr_writer file = { 0 };
    struct log_point read = { 0 };
    char path[MR_PATH_BYTES];
    enum mr_status status = mr_path_join(path, p->dir, "checkpoint", err);

    if (status == MR_OK)
        status = mr_file_read_all(p->log->env, path, FILE_BYTES_MAX, &file, err);
    if (status == MR_OK && !checkpoint_decode(p, mr_writer_bytes(&file), &read, segment_time)) {
        p->epoch_count = 0;
        p->start_offset = 0;
        log_producers_free(p->producers);
        p->producers = log_producers_new();
        status = mr_err_set(err, MR_NOT_FOUND, "%s is damaged", path);
    }
    if (status == MR_OK)
        *point = read;
    mr_writer_deinit(&file);
    return status;
}

enum mr_status log_checkpoint_write(struct log_partition *p, struct mr_err *err)
{
    struct log_segment *active = log_partition_active(p);
    struct mr_env *env = p->log->env;
    struct mr_writer bytes = { 0 };
    struct mr_file *file = NULL;
    char path[MR_PATH_BYTES];
    enum mr_status status;

    if (p->checkpoint_offset == p->end.offset || active == NULL)
        return MR_OK;
    log_segment_index_path(path, active);
    status = mr_file_open(env, &file, path, MR_OPEN_WRITE | MR_OPEN_CREATE | MR_OPEN_TRUNCATE, err);
    if (status != MR_OK)
        goto out;
    log_segment_index_encode(active, &bytes);
    status = mr_file_pwrite(file, bytes.data, bytes.size, 0, err);
    if (status != MR_OK)
        goto out;
    status = mr_path_join(path, p->dir, "checkpoint", err);
    if (status != MR_OK)
        goto out;
    bytes.size = 0;
    log_checkpoint_encode(p, &bytes);
    status = mr_file_replace(env, path, mr_writer_bytes(&bytes), err);
    if (status == MR_OK)
        p->checkpoint_offset = p->end.offset;
out:
    mr_file_close(file);
    mr_writer_deinit(&bytes);
    return status;
}

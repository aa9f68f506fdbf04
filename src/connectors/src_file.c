/* src_file.c -- the file source: the lines of a file, once.
 *
 * A record is a line without its end (\n or \r\n); empty lines are passed over; the last line need not have an end. The
 * position is the byte at which a line begins.  Resuming reads the last line again and compares its checksum, so that a
 * file that was written anew is noticed; lines appended since are read. */
#include "connectors/file_int.h"

#include <stdio.h>
#include <string.h>

enum {
    FILE_CHUNK_BYTES = 256 << 10,
    FILE_LINE_BYTES_MAX = DATA_JSON_VALUE_BYTES_MAX,
    FILE_RECORDS_MAX = 65536,
    FILE_SLACK = DATA_JSON_SLACK,
};

struct connector_source {
    const struct connector_context *ctx; /* borrowed */
    struct mr_file *file;                /* owned */
    struct mr_writer buffer;             /* bytes of the file from buffer_at on, then slack */
    int64_t buffer_at;
    size_t taken;                     /* bytes of the buffer whose lines were handed over */
    bool at_end;                      /* the file ends with the buffer */
    struct connector_record *records; /* owned */
    uint32_t records_capacity;
    struct connector_position position;
};

/* Forgets what was taken and reads on. */
static enum mr_status file_fill(struct connector_source *s, struct mr_err *err)
{
    size_t left = s->buffer.size - s->taken, got = 0;
    size_t want = left < FILE_CHUNK_BYTES ? FILE_CHUNK_BYTES : left;
    enum mr_status status;

    if (left > FILE_LINE_BYTES_MAX)
        return mr_err_set(err, MR_LIMIT, "%s: the line at byte %" PRId64 " is longer than %d bytes",
                          mr_file_path(s->file), s->buffer_at + (int64_t)s->taken, FILE_LINE_BYTES_MAX);
    if (s->taken > 0) {
        memmove(s->buffer.data, s->buffer.data + s->taken, left);
        s->buffer_at += (int64_t)s->taken;
        s->buffer.size = left;
        s->taken = 0;
    }
    status = mr_file_pread(s->file, mr_writer_reserve(&s->buffer, want + FILE_SLACK), want,
                           s->buffer_at + (int64_t)s->buffer.size, &got, err);
    if (status != MR_OK)
        return status;
    s->buffer.size += got;
    memset(s->buffer.data + s->buffer.size, 0, FILE_SLACK);
    s->at_end = got < want;
    return MR_OK;
}

/* The next line of the buffer, from *AT on; false when there is no whole one.  *AT moves behind it. */
static bool file_line_next(const struct connector_source *s, size_t *at, struct mr_bytes *line)
{
    const uint8_t *start = s->buffer.data + *at;
    size_t left = s->buffer.size - *at;
    const uint8_t *end = left > 0 ? memchr(start, '\n', left) : NULL;

    if (end == NULL && (!s->at_end || left == 0))
        return false;
    line->data = start;
    line->size = end != NULL ? (size_t)(end - start) : left;
    *at += end != NULL ? line->size + 1 : left;
    if (line->size > 0 && line->data[line->size - 1] == '\r')
        line->size--;
    return true;
}

/* Reads the line before the position again and compares. */
static enum mr_status file_resume(struct connector_source *s, const struct connector_position *position,
                                  const char *path, struct mr_err *err)
{
    struct mr_bytes line = MR_BYTES_NULL;
    int64_t size = 0;
    enum mr_status status = mr_file_size(s->file, &size, err);

    if (status != MR_OK)
        return status;
    s->position = *position;
    s->position.state = MR_STR_NULL;
    if (size < position->next)
        return mr_err_set(err, MR_NOT_FOUND,
                          "file %s was read up to byte %" PRId64 " but has only %" PRId64 " bytes now: %" PRId64
                          " bytes are missing; put the file back, or read it anew "
                          "from the start after: millrace query forget",
                          path, position->next, size, position->next - size);
    s->buffer_at = position->last >= 0 ? position->last : position->next;
    if (position->last < 0)
        return MR_OK;
    while (!file_line_next(s, &s->taken, &line)) {
        if (s->at_end)
            break;
        status = file_fill(s, err);
        if (status != MR_OK)
            return status;
    }
    if (line.data == NULL || connector_checksum(MR_BYTES_NULL, line) != position->last_checksum)
        return mr_err_set(err, MR_CORRUPT,
                          "file %s changed: its line at byte %" PRId64
                          " is not the one that was read last; put the file "
                          "back, or read it anew from the start after: millrace query forget",
                          path, position->last);
    return MR_OK;
}

static void file_source_close(struct connector_source *s)
{
    if (s == NULL)
        return;
    mr_file_close(s->file);
    mr_writer_deinit(&s->buffer);
    mr_free(s->records);
    mr_free(s);
}

static enum mr_status file_source_open(struct connector_source **out, const struct connector_table *table,
                                       const struct connector_context *ctx, const struct connector_position *positions,
                                       uint32_t position_count, struct mr_err *err)
{
    const struct connector_position *position = connector_position_find(positions, position_count, 0);
    struct connector_source *s = MR_NEW(struct connector_source);
    char path[MR_PATH_BYTES];
    enum mr_status status;

    s->ctx = ctx;
    s->position = (struct connector_position){ .split = 0, .next = 0, .last = -1 };
    status = file_path_check(path, table, ctx, err);
    if (status == MR_OK)
        status = mr_file_open(ctx->env, &s->file, path, MR_OPEN_READ, err);
    if (status == MR_OK && position != NULL)
        status = file_resume(s, position, path, err);
    if (status != MR_OK) {
        file_source_close(s);
        return status;
    }
    *out = s;
    return MR_OK;
}

static void file_record_add(struct connector_source *s, uint32_t index, struct mr_bytes line, int64_t at)
{
    MR_GROW(s->records, index, s->records_capacity);
    s->records[index] = (struct connector_record){
        .value = line,
        .key = MR_BYTES_NULL,
        .timestamp_ms = -1,
        .position = at,
        .parse_slack = FILE_SLACK,
    };
}

static enum mr_status file_source_poll(struct connector_source *s, int timeout_ms, uint32_t records_max,
                                       struct connector_poll *out, struct mr_err *err)
{
    uint32_t count = 0;
    size_t at;

    MR_UNUSED(timeout_ms);
    *out = (struct connector_poll){ 0 };
    if (records_max == 0 || records_max > FILE_RECORDS_MAX)
        records_max = FILE_RECORDS_MAX;
    for (;;) {
        struct mr_bytes line;

        at = s->taken;
        while (count < records_max) {
            size_t begin = at;

            if (!file_line_next(s, &at, &line))
                break;
            if (line.size > 0)
                file_record_add(s, count++, line, s->buffer_at + (int64_t)begin);
            s->position.next = s->buffer_at + (int64_t)at;
        }
        if (count > 0 || (s->at_end && at == s->buffer.size))
            break;
        s->taken = at;
        if (connector_stopped(s->ctx))
            return MR_BUSY;
        enum mr_status status = file_fill(s, err);
        if (status != MR_OK)
            return status;
    }
    s->taken = at;
    if (count > 0) {
        s->position.last = s->records[count - 1].position;
        s->position.last_checksum = connector_checksum(MR_BYTES_NULL, s->records[count - 1].value);
    }
    out->records = s->records;
    out->record_count = count;
    out->positions = &s->position;
    out->position_count = count > 0;
    out->ended = s->at_end && at == s->buffer.size;
    return MR_OK;
}

const struct connector_source_ops file_source_ops = {
    .open = file_source_open,
    .poll = file_source_poll,
    .close = file_source_close,
    .bounded_by_default = true,
};

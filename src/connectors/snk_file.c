/* snk_file.c -- the file sink: appends rows as lines of its format, and syncs when flushed.
 *
 * At least once: an epoch that is repeated after a crash appends its rows again.  A line that a crash cut is ended at
 * the next open, so that every later line is whole. */
#include "connectors/file_int.h"

#include "base/logging.h"

#include <string.h>

enum { FILE_WRITE_BYTES = 256 << 10 };

struct connector_sink {
    struct mr_env *env;
    struct mr_file *file; /* owned */
    int64_t size;         /* of the file */
    struct mr_writer lines;
    struct data_encoder *encoder; /* owned */
    bool dirty;                   /* written and not synced */
};

static void file_sink_close(struct connector_sink *sink)
{
    if (sink == NULL)
        return;
    mr_file_close(sink->file);
    data_encoder_free(sink->encoder);
    mr_writer_deinit(&sink->lines);
    mr_free(sink);
}

static enum mr_status file_sink_start(struct connector_sink *sink, char *path, struct mr_err *err)
{
    enum mr_status status = mr_file_open(sink->env, &sink->file, path, MR_OPEN_WRITE | MR_OPEN_CREATE, err);
    uint8_t last = '\n';
    size_t got = 0;

    if (status != MR_OK)
        return status;
    *strrchr(path, '/') = '\0';
    status = mr_sync_dir(sink->env, path[0] != '\0' ? path : "/", err);
    if (status == MR_OK)
        status = mr_file_size(sink->file, &sink->size, err);
    if (status == MR_OK && sink->size > 0)
        status = mr_file_pread(sink->file, &last, 1, sink->size - 1, &got, err);
    if (status == MR_OK && last != '\n') {
        mr_log(MR_LOG_WARN, "connectors", "%s: the last line had no end; it was given one", mr_file_path(sink->file));
        mr_write_u8(&sink->lines, '\n');
    }
    return status;
}

static enum mr_status file_sink_open(struct connector_sink **out, const struct connector_table *table,
                                     const struct connector_context *ctx, connector_reject_fn *reject, void *reject_arg,
                                     struct mr_err *err)
{
    struct connector_sink *sink = MR_NEW(struct connector_sink);
    char path[MR_PATH_BYTES];
    enum mr_status status;

    MR_UNUSED(reject);
    MR_UNUSED(reject_arg);
    sink->env = ctx->env;
    status = file_path_check(path, table, ctx, err);
    if (status == MR_OK)
        status = file_sink_start(sink, path, err);
    if (status != MR_OK) {
        file_sink_close(sink);
        return status;
    }
    sink->encoder = connector_encoder_new(table->row, table->format);
    *out = sink;
    return MR_OK;
}

static enum mr_status file_sink_out(struct connector_sink *sink, struct mr_err *err)
{
    enum mr_status status;

    if (sink->lines.size == 0)
        return MR_OK;
    status = mr_file_pwrite(sink->file, sink->lines.data, sink->lines.size, sink->size, err);
    if (status != MR_OK)
        return status;
    sink->size += (int64_t)sink->lines.size;
    sink->lines.size = 0;
    sink->dirty = true;
    return MR_OK;
}

static enum mr_status file_sink_write(struct connector_sink *sink, const struct data_batch *batch,
                                      const uint32_t *record, const int64_t *write_time_us, struct mr_err *err)
{
    MR_UNUSED(record);
    MR_UNUSED(write_time_us);
    for (uint32_t row = 0; row < batch->row_count; row++) {
        (void)data_encode(sink->encoder, batch, row, &sink->lines);
        mr_write_u8(&sink->lines, '\n');
        if (sink->lines.size >= FILE_WRITE_BYTES) {
            enum mr_status status = file_sink_out(sink, err);

            if (status != MR_OK)
                return status;
        }
    }
    return MR_OK;
}

static enum mr_status file_sink_flush(struct connector_sink *sink, struct mr_err *err)
{
    enum mr_status status = file_sink_out(sink, err);

    if (status == MR_OK && sink->dirty) {
        status = mr_file_sync(sink->file, err);
        sink->dirty = status != MR_OK;
    }
    return status;
}

const struct connector_sink_ops file_sink_ops = {
    .open = file_sink_open,
    .write = file_sink_write,
    .flush = file_sink_flush,
    .close = file_sink_close,
};

static const struct connector_option file_options[] = {
    { "path", NULL, true,
      "The file, inside the project's folder: relative to it, no '..', no symbolic link out of it." },
    { NULL, NULL, false, NULL },
};

const struct connector connector_file = {
    .name = "file",
    .help = "Reads a file's lines once, or appends rows as lines.",
    .options = file_options,
    .source = &file_source_ops,
    .sink = &file_sink_ops,
};

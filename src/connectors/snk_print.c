/* snk_print.c -- the print sink (a row a line on standard output, as Flink's: "+I[Ada, 36, null]") and the blackhole
 * sink (takes everything, keeps nothing). */
#include "connectors/connectors_int.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { PRINT_BUFFER_BYTES = 64 << 10 };

struct connector_sink {
    const struct connector_context *ctx; /* borrowed */
    char *prefix;                        /* owned; may be NULL */
    int fd;
    struct mr_writer text; /* lines not yet written */
};

/* Writes all of the buffered lines; standard output may be a pipe that is full. */
static enum mr_status print_out(struct connector_sink *sink, struct mr_err *err)
{
    size_t done = 0;

    while (done < sink->text.size) {
        ssize_t n = write(sink->fd, sink->text.data + done, sink->text.size - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            enum mr_status status = connector_wait_until(sink->ctx, connector_clock_ms(sink->ctx) + 5);

            if (status != MR_OK)
                return status;
            continue;
        }
        if (n < 0)
            return mr_err_set_errno(err, MR_IO, errno, "print: write to standard %s",
                                    sink->fd == STDOUT_FILENO ? "output" : "error");
        done += (size_t)n;
    }
    sink->text.size = 0;
    return MR_OK;
}

static enum mr_status print_open(struct connector_sink **out, const struct connector_table *table,
                                 const struct connector_context *ctx, connector_reject_fn *reject, void *reject_arg,
                                 struct mr_err *err)
{
    const char *prefix = connector_option_text(table, "print-identifier");
    bool to_error = false;
    enum mr_status status = connector_option_bool(table, "standard-error", &to_error, err);

    MR_UNUSED(reject);
    MR_UNUSED(reject_arg);
    if (status != MR_OK)
        return status;
    *out = MR_NEW(struct connector_sink);
    (*out)->ctx = ctx;
    (*out)->fd = to_error ? STDERR_FILENO : STDOUT_FILENO;
    if (prefix != NULL)
        (*out)->prefix = mr_strdup(prefix);
    return MR_OK;
}

static void print_row(struct connector_sink *sink, const struct data_batch *batch, uint32_t row)
{
    static const char *const changes[] = {
        [DATA_INSERT] = "+I", [DATA_UPDATE_BEFORE] = "-U", [DATA_UPDATE_AFTER] = "+U", [DATA_DELETE] = "-D"
    };
    uint8_t change = batch->changes != NULL ? batch->changes[row] : DATA_INSERT;

    assert(change < MR_COUNT(changes));
    if (sink->prefix != NULL)
        mr_write_text(&sink->text, "%s> ", sink->prefix);
    mr_write_text(&sink->text, "%s[", changes[change]);
    for (uint32_t c = 0; c < batch->column_count; c++) {
        if (c > 0)
            mr_write_str(&sink->text, MR_STR(", "));
        if (data_is_null(batch->columns[c], row))
            mr_write_str(&sink->text, MR_STR("null"));
        else
            data_value_write(&sink->text, batch->columns[c], row);
    }
    mr_write_str(&sink->text, MR_STR("]\n"));
}

static enum mr_status print_write(struct connector_sink *sink, const struct data_batch *batch, const uint32_t *record,
                                  const int64_t *write_time_us, struct mr_err *err)
{
    MR_UNUSED(record);
    MR_UNUSED(write_time_us);
    for (uint32_t row = 0; row < batch->row_count; row++) {
        print_row(sink, batch, row);
        if (sink->text.size >= PRINT_BUFFER_BYTES) {
            enum mr_status status = print_out(sink, err);

            if (status != MR_OK)
                return status;
        }
    }
    return print_out(sink, err);
}

static enum mr_status print_flush(struct connector_sink *sink, struct mr_err *err)
{
    return print_out(sink, err);
}

static void print_close(struct connector_sink *sink)
{
    if (sink == NULL)
        return;
    mr_writer_deinit(&sink->text);
    mr_free(sink->prefix);
    mr_free(sink);
}

static enum mr_status blackhole_open(struct connector_sink **out, const struct connector_table *table,
                                     const struct connector_context *ctx, connector_reject_fn *reject, void *reject_arg,
                                     struct mr_err *err)
{
    MR_UNUSED(table);
    MR_UNUSED(reject);
    MR_UNUSED(reject_arg);
    MR_UNUSED(err);
    *out = MR_NEW(struct connector_sink);
    (*out)->ctx = ctx;
    return MR_OK;
}

static enum mr_status blackhole_write(struct connector_sink *sink, const struct data_batch *batch,
                                      const uint32_t *record, const int64_t *write_time_us, struct mr_err *err)
{
    MR_UNUSED(sink);
    MR_UNUSED(batch);
    MR_UNUSED(record);
    MR_UNUSED(write_time_us);
    MR_UNUSED(err);
    return MR_OK;
}

static enum mr_status blackhole_flush(struct connector_sink *sink, struct mr_err *err)
{
    MR_UNUSED(sink);
    MR_UNUSED(err);
    return MR_OK;
}

static const struct connector_option print_options[] = {
    { "print-identifier", NULL, false, "Text before each row." },
    { "standard-error", "false", false, "Prints to standard error instead of standard output." },
    { NULL, NULL, false, NULL },
};

static const struct connector_sink_ops print_ops = {
    .open = print_open,
    .write = print_write,
    .flush = print_flush,
    .close = print_close,
};

const struct connector connector_print = {
    .name = "print",
    .help = "Prints each row as a line.",
    .options = print_options,
    .sink = &print_ops,
    .raw = true,
};

static const struct connector_option blackhole_options[] = {
    { NULL, NULL, false, NULL },
};

static const struct connector_sink_ops blackhole_ops = {
    .open = blackhole_open,
    .write = blackhole_write,
    .flush = blackhole_flush,
    .close = print_close,
};

const struct connector connector_blackhole = {
    .name = "blackhole",
    .help = "Takes every row and keeps none.",
    .options = blackhole_options,
    .sink = &blackhole_ops,
    .raw = true,
};

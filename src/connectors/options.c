/* options.c -- reading a table's options, and the small things that connectors share: waiting, backing off, warning. */
#include "connectors/connectors_int.h"

#include "base/hash.h"
#include "base/logging.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

const char *connector_option_text(const struct connector_table *table, const char *name)
{
    const char *value = table->option(table, name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

enum mr_status connector_option_duration(const struct connector_table *table, const char *name, int64_t *out,
                                         struct mr_err *err)
{
    const char *value = connector_option_text(table, name);
    int64_t ms = 0;

    if (value == NULL)
        return MR_OK;
    if (mr_parse_duration_ms(mr_str_of(value), &ms) != MR_OK || ms < 0)
        return mr_err_set(err, MR_INVALID, "option '%s' = '%s' is not a duration such as '10 s' or '2 min'", name,
                          value);
    *out = ms;
    return MR_OK;
}

enum mr_status connector_option_size(const struct connector_table *table, const char *name, int64_t max, int64_t *out,
                                     struct mr_err *err)
{
    const char *value = connector_option_text(table, name);
    int64_t size = 0;

    if (value == NULL)
        return MR_OK;
    if (mr_parse_size(mr_str_of(value), &size) != MR_OK || size < 1)
        return mr_err_set(err, MR_INVALID, "option '%s' = '%s' is not a size such as '64 kb' or '8 MiB'", name, value);
    if (size > max)
        return mr_err_set(err, MR_INVALID, "option '%s' = '%s' is more than the %" PRId64 " bytes allowed", name, value,
                          max);
    *out = size;
    return MR_OK;
}

enum mr_status connector_option_number(const struct connector_table *table, const char *name, int64_t min, int64_t max,
                                       int64_t *out, struct mr_err *err)
{
    const char *value = connector_option_text(table, name);
    int64_t number = 0;

    if (value == NULL)
        return MR_OK;
    if (mr_parse_i64(mr_str_of(value), &number) != MR_OK || number < min || number > max)
        return mr_err_set(err, MR_INVALID, "option '%s' = '%s' is not a whole number from %" PRId64 " to %" PRId64,
                          name, value, min, max);
    *out = number;
    return MR_OK;
}

enum mr_status connector_option_bool(const struct connector_table *table, const char *name, bool *out,
                                     struct mr_err *err)
{
    const char *value = connector_option_text(table, name);

    if (value == NULL)
        return MR_OK;
    if (strcasecmp(value, "true") == 0)
        *out = true;
    else if (strcasecmp(value, "false") == 0)
        *out = false;
    else
        return mr_err_set(err, MR_INVALID, "option '%s' = '%s' is neither 'true' nor 'false'", name, value);
    return MR_OK;
}

enum mr_status connector_option_choice(const struct connector_table *table, const char *name,
                                       const char *const *choices, int *out, struct mr_err *err)
{
    const char *value = connector_option_text(table, name);
    char list[256] = "";
    size_t used = 0;

    if (value == NULL)
        return MR_OK;
    for (int i = 0; choices[i] != NULL; i++) {
        if (strcmp(value, choices[i]) == 0) {
            *out = i;
            return MR_OK;
        }
        if (used < sizeof(list))
            used += (size_t)snprintf(list + used, sizeof(list) - used, "%s'%s'", i > 0 ? ", " : "", choices[i]);
    }
    return mr_err_set(err, MR_INVALID, "option '%s' = '%s' is not one of %s", name, value, list);
}

struct data_encoder *connector_encoder_new(const struct data_type *row, const struct data_format *format)
{
    struct data_format json = data_format_default(DATA_FORMAT_JSON);

    return data_encoder_new(row, format != NULL ? format : &json);
}

/* ---- waiting ---- */

bool connector_stopped(const struct connector_context *ctx)
{
    return ctx->stop != NULL && atomic_load_explicit(ctx->stop, memory_order_relaxed);
}

int64_t connector_clock_ms(const struct connector_context *ctx)
{
    return mr_monotonic_ns(ctx->env) / 1000000;
}

enum mr_status connector_wait_until(const struct connector_context *ctx, int64_t until_ms)
{
    for (;;) {
        int64_t left_ms = until_ms - connector_clock_ms(ctx);
        struct timespec slice;

        if (connector_stopped(ctx))
            return MR_BUSY;
        if (left_ms <= 0)
            return MR_OK;
        if (left_ms > CONNECTOR_WAIT_SLICE_MS)
            left_ms = CONNECTOR_WAIT_SLICE_MS;
        slice = (struct timespec){ .tv_nsec = left_ms * 1000000 };
        nanosleep(&slice, NULL);
    }
}

int64_t connector_backoff_next(struct connector_backoff *backoff, const struct connector_context *ctx)
{
    int64_t delay_ms = backoff->base_ms;

    for (int i = 0; i < backoff->attempt && delay_ms < backoff->max_ms; i++)
        delay_ms *= 2;
    if (delay_ms > backoff->max_ms)
        delay_ms = backoff->max_ms;
    if (backoff->attempt < 62)
        backoff->attempt++;
    if (delay_ms < 2)
        return delay_ms;
    return delay_ms / 2 + (int64_t)(mr_random_u64(ctx->env) % (uint64_t)(delay_ms - delay_ms / 2 + 1));
}

void connector_warn(struct connector_warner *warner, const struct connector_context *ctx, const char *format, ...)
{
    int64_t now_ms = connector_clock_ms(ctx);
    char text[1024];
    va_list args;

    if (warner->next_ms != 0 && now_ms < warner->next_ms) {
        warner->left_out++;
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (warner->left_out > 0)
        mr_log(MR_LOG_WARN, "connectors", "query %s: %s (and %" PRId64 " more warnings like this)",
               ctx->query_name != NULL ? ctx->query_name : "-", text, warner->left_out);
    else
        mr_log(MR_LOG_WARN, "connectors", "query %s: %s", ctx->query_name != NULL ? ctx->query_name : "-", text);
    warner->left_out = 0;
    warner->next_ms = now_ms + CONNECTOR_WARN_EVERY_MS;
}

/* ---- records ---- */

uint32_t connector_checksum(struct mr_bytes key, struct mr_bytes value)
{
    uint32_t crc = mr_crc32c(0, key.data, key.size);

    return mr_crc32c(crc, value.data, value.size);
}

const struct connector_position *connector_position_find(const struct connector_position *positions, uint32_t count,
                                                         int32_t split)
{
    for (uint32_t i = 0; i < count; i++)
        if (positions[i].split == split)
            return &positions[i];
    return NULL;
}

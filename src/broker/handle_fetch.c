/* handle_fetch.c -- records for consumers, as slices of segment files; waits for more when there are too few.
 *
 * Partitions are read in the order of the request, whole batches, until max_bytes; the first batch of an answer comes
 * whatever its size, so that a consumer with small limits gets on.  An answer with fewer than min_bytes and no error
 * waits up to max_wait_ms, watching the high watermarks.  No sessions are kept: answers have session id 0, so clients
 * send every partition each time; a request that goes on with a session gets error 70 and begins anew. */
#include "broker/broker_int.h"

#include "base/logging.h"

#include <string.h>

enum {
    VERSION_TOPIC_IDS = 13,
    SLICES_MAX = 64, /* of one partition in one answer */
    READ_COMMITTED = 1,
    WAIT_MS_MAX = 10 * 60 * 1000,
};

struct fetch;

struct fetch_partition {
    struct fetch *fetch;
    const struct kafka_fetch_request_partition *in;
    struct kafka_fetch_response_partition *out;
    struct log_partition *partition; /* NULL: error set */
    int64_t ready_bytes;             /* known to be there while waiting */
    struct log_watch watch;
};

struct fetch {
    struct broker_request *request;
    struct fetch_partition *partitions;
    size_t partition_count;
    int64_t ready_bytes;
    struct net_timer *timer; /* owned; while waiting */
};

static void error_set(struct kafka_fetch_response_partition *out, int error)
{
    out->error_code = (int16_t)error;
    out->high_watermark = -1;
    out->last_stable_offset = -1;
    out->log_start_offset = -1;
    out->records = (struct kafka_record_bytes){ .bytes = { (const uint8_t *)"", 0 } };
}

static void slices_release(struct log_slice *slices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        log_slice_release(&slices[i]);
}

static int64_t slices_size(const struct log_slice *slices, size_t count)
{
    int64_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += slices[i].size;
    return size;
}

/* Reads at most LIMIT bytes of the partition into SLICES, its size to *SIZE; a Kafka error.  With IS_FIRST one batch
 * comes even if it is longer. */
static int partition_read(struct fetch_partition *p, int64_t limit, bool is_first, struct log_slice *slices,
                          size_t *count, int64_t *size)
{
    struct mr_err err = MR_ERR_INIT;
    int64_t most = p->in->partition_max_bytes < limit ? p->in->partition_max_bytes : limit;
    enum mr_status status;

    *count = 0;
    *size = 0;
    if (p->in->fetch_offset < 0)
        return KAFKA_ERROR_OFFSET_OUT_OF_RANGE;
    status = log_read(p->partition, p->in->fetch_offset, most > 0 ? most : 1, slices, SLICES_MAX, count, &err);
    if (status == MR_LIMIT)
        return KAFKA_ERROR_OFFSET_OUT_OF_RANGE;
    if (status != MR_OK) {
        mr_log(MR_LOG_ERROR, "broker", "fetch: %s", err.text);
        return KAFKA_ERROR_KAFKA_STORAGE_ERROR;
    }
    *size = slices_size(slices, *count);
    if (*size > most && !is_first) {
        slices_release(slices, *count);
        *count = 0;
        *size = 0;
    }
    return KAFKA_ERROR_NONE;
}

static void partition_fill(struct fetch_partition *p, struct log_slice *slices, size_t count)
{
    struct kafka_fetch_response_partition *out = p->out;
    const struct kafka_fetch_request *in = p->fetch->request->request;

    out->high_watermark = log_high_watermark(p->partition);
    out->last_stable_offset = out->high_watermark;
    out->log_start_offset = log_start_offset(p->partition);
    out->aborted_transactions_count = in->isolation_level == READ_COMMITTED ? 0 : -1;
    if (count > 0)
        broker_request_fill(p->fetch->request, &out->records, slices, count);
    else
        out->records = (struct kafka_record_bytes){ .bytes = { (const uint8_t *)"", 0 } };
}

static void fetch_stop_waiting(struct broker_request *request)
{
    struct fetch *fetch = request->state;

    for (size_t i = 0; i < fetch->partition_count; i++)
        log_watch_remove(&fetch->partitions[i].watch);
    net_timer_free(fetch->timer);
    fetch->timer = NULL;
}

/* Reads all partitions anew and answers. */
static void fetch_answer(struct fetch *fetch)
{
    const struct kafka_fetch_request *in = fetch->request->request;
    int64_t left = in->max_bytes;
    bool is_first = true;

    fetch_stop_waiting(fetch->request);
    for (size_t i = 0; i < fetch->partition_count; i++) {
        struct fetch_partition *p = &fetch->partitions[i];
        struct log_slice slices[SLICES_MAX];
        size_t count = 0;
        int64_t size = 0;
        int error;

        if (p->partition == NULL)
            continue;
        if (log_partition_deleted(p->partition))
            error = KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
        else
            error = partition_read(p, left, is_first, slices, &count, &size);
        if (error != KAFKA_ERROR_NONE) {
            error_set(p->out, error);
            continue;
        }
        partition_fill(p, slices, count);
        left -= size;
        is_first = is_first && size == 0;
    }
    broker_request_done(fetch->request);
}

static void fetch_timed_out(void *arg)
{
    fetch_answer(arg);
}

/* How much of the partition is there to be sent, up to its limit; -1 when it has an error to tell. */
static int64_t partition_measure(struct fetch_partition *p)
{
    struct log_slice slices[SLICES_MAX];
    size_t count;
    int64_t size;
    int error;

    if (log_partition_deleted(p->partition))
        return -1;
    if (p->in->fetch_offset == log_high_watermark(p->partition))
        return 0;
    error = partition_read(p, INT32_MAX, true, slices, &count, &size);
    slices_release(slices, count);
    return error == KAFKA_ERROR_NONE ? size : -1;
}

static void fetch_on_more(void *arg, struct log_partition *partition)
{
    struct fetch_partition *p = arg;
    struct fetch *fetch = p->fetch;
    const struct kafka_fetch_request *in = fetch->request->request;
    int64_t size = partition_measure(p);

    MR_UNUSED(partition);
    if (size >= 0) {
        fetch->ready_bytes += size - p->ready_bytes;
        p->ready_bytes = size;
    }
    if (size < 0 || fetch->ready_bytes >= in->min_bytes)
        fetch_answer(fetch);
}

/* Answers now, or begins to wait. */
static void fetch_start(struct fetch *fetch, bool has_error)
{
    struct broker_request *request = fetch->request;
    const struct kafka_fetch_request *in = request->request;
    int64_t wait_ms = in->max_wait_ms < WAIT_MS_MAX ? in->max_wait_ms : WAIT_MS_MAX;
    bool is_ready = has_error || wait_ms <= 0 || in->min_bytes <= 0 || fetch->partition_count == 0;

    for (size_t i = 0; i < fetch->partition_count && !is_ready; i++) {
        struct fetch_partition *p = &fetch->partitions[i];

        p->ready_bytes = partition_measure(p);
        if (p->ready_bytes >= 0)
            fetch->ready_bytes += p->ready_bytes;
        is_ready = p->ready_bytes < 0 || fetch->ready_bytes >= in->min_bytes;
    }
    if (is_ready) {
        fetch_answer(fetch);
        return;
    }
    request->on_abandon = fetch_stop_waiting;
    for (size_t i = 0; i < fetch->partition_count; i++)
        log_watch_add(&fetch->partitions[i].watch, fetch->partitions[i].partition, fetch_on_more,
                      &fetch->partitions[i]);
    fetch->timer = net_timer_new(request->broker->loop, wait_ms, 0, fetch_timed_out, fetch);
}

/* Finds the partition; its error is set when it can't be read. */
static bool partition_prepare(struct fetch *fetch, const struct kafka_fetch_request_topic *topic,
                              struct fetch_partition *p)
{
    struct broker *broker = fetch->request->broker;
    int error;

    p->fetch = fetch;
    p->out->index = p->in->index;
    if (fetch->request->header.api_version < VERSION_TOPIC_IDS) {
        p->partition = broker_partition_find(broker, topic->name, p->in->index, &error);
    } else {
        struct log_topic *found = log_topic_find_id(broker->log, topic->topic_id.bytes);

        p->partition = found != NULL ? log_topic_partition(found, p->in->index) : NULL;
        error = p->partition != NULL ? KAFKA_ERROR_NONE
                : found != NULL      ? KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION
                                     : KAFKA_ERROR_UNKNOWN_TOPIC_ID;
    }
    if (p->partition != NULL)
        error = broker_epoch_check(broker, p->in->current_leader_epoch);
    if (error == KAFKA_ERROR_NONE)
        return true;
    error_set(p->out, error);
    p->partition = NULL;
    return false;
}

/* Sets up the response's topics and fetch->partitions; false when some partition has an error. */
static bool fetch_prepare(struct fetch *fetch)
{
    struct broker_request *request = fetch->request;
    const struct kafka_fetch_request *in = request->request;
    struct kafka_fetch_response *out = request->response;
    struct fetch_partition *next;
    size_t count = 0;
    bool is_good = true;

    for (int32_t i = 0; i < in->topics_count; i++)
        count += (size_t)in->topics[i].partitions_count;
    fetch->partitions = MR_ARENA_ARRAY(request->arena, struct fetch_partition, count);
    fetch->partition_count = count;
    next = fetch->partitions;
    out->responses_count = in->topics_count;
    out->responses = MR_ARENA_ARRAY(request->arena, struct kafka_fetch_response_topic, (size_t)in->topics_count);
    for (int32_t i = 0; i < in->topics_count; i++) {
        const struct kafka_fetch_request_topic *topic = &in->topics[i];
        struct kafka_fetch_response_topic *answer = &out->responses[i];

        answer->name = topic->name;
        answer->topic_id = topic->topic_id;
        answer->partitions_count = topic->partitions_count;
        answer->partitions =
            MR_ARENA_ARRAY(request->arena, struct kafka_fetch_response_partition, (size_t)topic->partitions_count);
        for (int32_t j = 0; j < topic->partitions_count; j++, next++) {
            kafka_fetch_response_partition_init(&answer->partitions[j]);
            next->in = &topic->partitions[j];
            next->out = &answer->partitions[j];
            is_good = partition_prepare(fetch, topic, next) && is_good;
        }
    }
    return is_good;
}

void broker_handle_fetch(struct broker_request *request)
{
    const struct kafka_fetch_request *in = request->request;
    struct kafka_fetch_response *out = request->response;
    struct fetch *fetch;

    if (in->session_id != 0 && in->session_epoch > 0) {
        out->error_code = KAFKA_ERROR_FETCH_SESSION_ID_NOT_FOUND;
        broker_request_done(request);
        return;
    }
    fetch = MR_ARENA_NEW(request->arena, struct fetch);
    fetch->request = request;
    request->state = fetch;
    fetch_start(fetch, !fetch_prepare(fetch));
}

/* request.c -- a request from its frame to its answer's bytes; see broker_int.h for its life. */
#include "broker/broker_int.h"

struct broker_request *broker_request_new(struct broker *broker)
{
    struct mr_arena *arena = mr_arena_new();
    struct broker_request *request = MR_ARENA_NEW(arena, struct broker_request);

    request->broker = broker;
    request->arena = arena;
    request->refs = 1;
    request->fills_end = &request->fills;
    return request;
}

void broker_request_ref(struct broker_request *request)
{
    assert(request->refs > 0);
    request->refs++;
}

void broker_request_unref(struct broker_request *request)
{
    assert(request->refs > 0);
    if (--request->refs > 0)
        return;
    for (struct broker_fill *fill = request->fills; fill != NULL; fill = fill->next)
        for (size_t i = 0; i < fill->slice_count; i++)
            if (fill->slices[i].segment != NULL) /* else it went to the output */
                log_slice_release(&fill->slices[i]);
    mr_writer_deinit(&request->out);
    mr_arena_free(request->arena); /* and with it the request itself */
}

static void request_write(struct broker_request *request)
{
    /* The header's version follows the request's, also where the body falls back to version 0. */
    bool is_served = request->header.api_version >= request->api->version_min &&
                     request->header.api_version <= request->api->version_max;
    int16_t version = is_served ? request->header.api_version : 0;
    size_t elsewhere = 0;
    size_t frame = kafka_frame_begin(&request->out);

    kafka_response_header_write(&request->out, request->header.api_key, version, request->header.correlation_id);
    request->api->write(request->response, &request->out, version);
    for (struct broker_fill *fill = request->fills; fill != NULL; fill = fill->next)
        for (size_t i = 0; i < fill->slice_count; i++)
            elsewhere += (size_t)fill->slices[i].size;
    kafka_frame_end(&request->out, frame, elsewhere);
}

static void request_finish(struct broker_request *request)
{
    assert(!request->is_done);
    request->is_done = true;
    request->is_stalled = false;
    if (!request->is_abandoned)
        request->on_done(request);
}

void broker_request_done(struct broker_request *request)
{
    if (!request->is_abandoned)
        request_write(request);
    request_finish(request);
}

void broker_request_done_close(struct broker_request *request)
{
    request->wants_close = true;
    request_finish(request);
}

void broker_request_done_silent(struct broker_request *request)
{
    request->is_silent = true;
    request_finish(request);
}

void broker_request_stall(struct broker_request *request)
{
    assert(request->on_room != NULL);
    request->is_stalled = true;
}

void broker_request_fill(struct broker_request *request, struct kafka_record_bytes *records,
                         const struct log_slice *slices, size_t slice_count)
{
    struct broker_fill *fill = MR_ARENA_NEW(request->arena, struct broker_fill);
    size_t size = 0;

    fill->slices = MR_ARENA_ARRAY(request->arena, struct log_slice, slice_count);
    fill->slice_count = slice_count;
    for (size_t i = 0; i < slice_count; i++) {
        fill->slices[i] = slices[i];
        size += (size_t)slices[i].size;
    }
    records->bytes = (struct mr_bytes){ NULL, size };
    records->hole = &fill->position;
    *request->fills_end = fill;
    request->fills_end = &fill->next;
}

/* warm.c -- has records read into the page cache by a worker before the loop sends them.
 *
 * sendfile and pread block while the disk is read, and the loop must not.  So the bytes of an answer are asked about
 * first, one in each WARM_STRIDE, with a read that fails instead of waiting (preadv2 and RWF_NOWAIT, where the system
 * has it); when some are missing a worker reads all of the answer's bytes, and the answer is sent after that.  The
 * kernel reads ahead by the stride, so a page that is missing between two that are there is rare, and costs one wait.
 * Hot answers pay one system call of about 0.3 us per 128 KiB. */
#include "base/logging.h"
#include "broker/broker_int.h"

#include <errno.h>
#include <sys/uio.h>

enum {
    WARM_STRIDE = 128 * 1024,
    WARM_CHUNK = 256 * 1024, /* of one read by a worker */
    WARM_THREADS = 2,
};

struct warm_job {
    struct broker_request *request; /* a reference; touched on the loop only */
    struct net_loop *loop;          /* borrowed */
    const struct broker_fill *fills;
    void (*on_warm)(struct broker_request *request);
};

/* Is the byte at POSITION in memory, as far as can be told? */
static bool byte_is_warm(int fd, int64_t position)
{
#ifdef RWF_NOWAIT
    uint8_t byte;
    struct iovec room = { &byte, 1 };

    return preadv2(fd, &room, 1, position, RWF_NOWAIT) >= 0 || errno != EAGAIN;
#else
    MR_UNUSED(fd);
    MR_UNUSED(position);
    return false;
#endif
}

static bool slice_is_warm(const struct log_slice *slice)
{
    int fd = mr_file_descriptor(slice->file);

    if (fd < 0)
        return true;
    for (int64_t at = 0; at < slice->size; at += WARM_STRIDE)
        if (!byte_is_warm(fd, slice->position + at))
            return false;
    return byte_is_warm(fd, slice->position + slice->size - 1);
}

bool broker_request_is_warm(const struct broker_request *request)
{
    for (const struct broker_fill *fill = request->fills; fill != NULL; fill = fill->next)
        for (size_t i = 0; i < fill->slice_count; i++)
            if (!slice_is_warm(&fill->slices[i]))
                return false;
    return true;
}

static void warm_done(void *arg)
{
    struct warm_job *job = arg;
    struct broker_request *request = job->request;

    request->is_warm = true;
    if (!request->is_abandoned)
        job->on_warm(request);
    broker_request_unref(request);
    mr_free(job);
}

static void slice_read(const struct log_slice *slice, uint8_t *room)
{
    struct mr_err err = MR_ERR_INIT;
    size_t got = WARM_CHUNK;

    for (int64_t at = 0; at < slice->size && got > 0; at += WARM_CHUNK) {
        int64_t left = slice->size - at;

        if (mr_file_pread(slice->file, room, (size_t)(left < WARM_CHUNK ? left : WARM_CHUNK), slice->position + at,
                          &got, &err) != MR_OK) {
            mr_log(MR_LOG_ERROR, "broker", "reading records ahead: %s", err.text);
            return; /* sending will fail as well, and close the connection */
        }
    }
}

/* On a worker. */
static void warm_run(void *arg)
{
    struct warm_job *job = arg;
    uint8_t *room = mr_alloc(WARM_CHUNK);

    for (const struct broker_fill *fill = job->fills; fill != NULL; fill = fill->next)
        for (size_t i = 0; i < fill->slice_count; i++)
            slice_read(&fill->slices[i], room);
    mr_free(room);
    net_loop_post(job->loop, warm_done, job);
}

void broker_request_warm(struct broker_request *request, void (*on_warm)(struct broker_request *request))
{
    struct broker *broker = request->broker;
    struct warm_job *job = MR_NEW(struct warm_job);

    if (broker->workers == NULL)
        broker->workers = mr_workers_new("broker-read", WARM_THREADS);
    broker_request_ref(request);
    *job = (struct warm_job){ request, broker->loop, request->fills, on_warm };
    mr_metric_add(broker->cold_reads, 1);
    mr_workers_submit(broker->workers, warm_run, job);
}

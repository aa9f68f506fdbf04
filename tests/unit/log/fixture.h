/* fixture.h -- a log in a temporary directory, a queue in place of a loop, and batches to append. */
#ifndef TEST_LOG_FIXTURE_H
#define TEST_LOG_FIXTURE_H

#include "base/logging.h"
#include "log/log_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DEADLINE_S = 20, QUEUE_MAX = 4096 };

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    struct {
        mr_job_fn *job;
        void *arg;
    } jobs[QUEUE_MAX];
    size_t count;
};

struct fixture {
    char dir[64];
    struct queue queue;
    struct log_options options;
    struct log *log;
};

/* One answer to wait for. */
struct answer {
    int count;
    enum mr_status status;
    struct log_topic *topic;
    struct mr_err err;
};

static inline void queue_post(void *loop, mr_job_fn *job, void *arg)
{
    struct queue *q = loop;

    pthread_mutex_lock(&q->mutex);
    assert(q->count < QUEUE_MAX);
    q->jobs[q->count].job = job;
    q->jobs[q->count++].arg = arg;
    pthread_cond_signal(&q->filled);
    pthread_mutex_unlock(&q->mutex);
}

/* Runs what was posted, waiting for some until the deadline. */
static inline void queue_run(struct queue *q, bool wait)
{
    struct queue taken = { .count = 0 };
    struct timespec due;

    clock_gettime(CLOCK_REALTIME, &due);
    due.tv_sec += DEADLINE_S;
    pthread_mutex_lock(&q->mutex);
    while (wait && q->count == 0)
        assert_int_equal(pthread_cond_timedwait(&q->filled, &q->mutex, &due), 0);
    memcpy(taken.jobs, q->jobs, q->count * sizeof(q->jobs[0]));
    taken.count = q->count;
    q->count = 0;
    pthread_mutex_unlock(&q->mutex);
    for (size_t i = 0; i < taken.count; i++)
        taken.jobs[i].job(taken.jobs[i].arg);
}

static inline void answer_topic(void *arg, enum mr_status status, struct log_topic *topic, const struct mr_err *err)
{
    struct answer *a = arg;

    a->count++;
    a->status = status;
    a->topic = topic;
    a->err = *err;
}

static inline void answer_synced(void *arg, enum mr_status status, const struct mr_err *err)
{
    answer_topic(arg, status, NULL, err);
}

static inline void wait_for(struct fixture *f, const struct answer *a, int count)
{
    while (a->count < count)
        queue_run(&f->queue, true);
}

static inline void fixture_open(struct fixture *f)
{
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = log_open(&f->log, f->dir, &f->options, &err);

    if (status != MR_OK)
        print_message("%s\n", err.text);
    assert_int_equal(status, MR_OK);
}

static inline void fixture_close(struct fixture *f)
{
    struct mr_err err = MR_ERR_INIT;

    assert_int_equal(log_close(f->log, &err), MR_OK);
    queue_run(&f->queue, false);
    f->log = NULL;
}

static inline void fixture_abandon(struct fixture *f)
{
    log_abandon(f->log);
    queue_run(&f->queue, false);
    f->log = NULL;
}

static inline int fixture_setup(void **state)
{
    struct fixture *f = MR_NEW(struct fixture);

    mr_log_setup(MR_LOG_OFF, MR_LOG_LOGFMT);
    snprintf(f->dir, sizeof(f->dir), "/tmp/test-log-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    pthread_mutex_init(&f->queue.mutex, NULL);
    pthread_cond_init(&f->queue.filled, NULL);
    f->options.post = (struct mr_post){ queue_post, &f->queue };
    fixture_open(f);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    struct mr_err err;

    if (f->log != NULL)
        fixture_abandon(f);
    MR_UNUSED(mr_remove_tree(mr_env_real(), f->dir, &err) == MR_OK);
    mr_free(f);
    return 0;
}

static inline struct log_topic *make_topic(struct fixture *f, const char *name, int32_t partitions)
{
    struct answer a = { 0 };
    struct mr_err err;

    assert_int_equal(log_topic_create(f->log, mr_str_of(name), partitions, NULL, 0, answer_topic, &a, &err), MR_OK);
    assert_true(log_topic_pending(f->log, mr_str_of(name)));
    wait_for(f, &a, 1);
    assert_int_equal(a.status, MR_OK);
    assert_non_null(a.topic);
    return a.topic;
}

static inline struct log_partition *partition_of(struct fixture *f, const char *name, int32_t index)
{
    struct log_topic *topic = log_topic_find(f->log, mr_str_of(name));

    return topic != NULL ? log_topic_partition(topic, index) : NULL;
}

/* A batch of COUNT records with the times TIME_MS, TIME_MS + 1 ...; SEQUENCE < 0: no producer.  Free data. */
static inline struct mr_bytes make_batch(int count, size_t value_bytes, int64_t time_ms, int64_t producer,
                                         int16_t epoch, int32_t sequence)
{
    struct kafka_builder builder;
    struct mr_writer out = { 0 };
    struct mr_err err;
    uint8_t *value = mr_calloc(1, value_bytes + 1);

    kafka_builder_init(&builder);
    if (sequence >= 0) {
        builder.producer_id = producer;
        builder.producer_epoch = epoch;
        builder.base_sequence = sequence;
    }
    for (int i = 0; i < count; i++)
        kafka_builder_add(&builder, time_ms + i, MR_BYTES_NULL, (struct mr_bytes){ value, value_bytes }, NULL, 0);
    assert_int_equal(kafka_builder_finish(&builder, KAFKA_CODEC_NONE, &out, &err), MR_OK);
    kafka_builder_deinit(&builder);
    mr_free(value);
    return mr_writer_bytes(&out);
}

/* Appends COUNT batches of one record and waits until they are on disk. */
static inline void append_many(struct fixture *f, struct log_partition *p, int count, size_t value_bytes)
{
    struct answer a = { 0 };

    for (int i = 0; i < count; i++) {
        struct mr_bytes batch = make_batch(1, value_bytes, log_end_offset(p) * 10, 0, 0, -1);
        struct log_append_result result;
        struct mr_err err = MR_ERR_INIT;
        enum mr_status status;

        while ((status = log_append(p, batch, &result, answer_synced, &a, &err)) == MR_LIMIT)
            queue_run(&f->queue, true);
        assert_int_equal(status, MR_OK);
        mr_free((void *)batch.data);
    }
    wait_for(f, &a, count);
    assert_int_equal(a.status, MR_OK);
}

#endif

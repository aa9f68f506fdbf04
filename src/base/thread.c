/* thread.c -- worker threads with one queue of jobs. */
#include "base/thread.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mr_post(struct mr_post p, mr_job_fn *job, void *arg)
{
    assert(p.run != NULL);
    p.run(p.loop, job, arg);
}

struct job {
    struct job *next;
    mr_job_fn *run;
    void *arg; /* owned by the job's function */
};

struct mr_workers {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct job *first; /* owned; guarded by lock, as are last and stopping */
    struct job *last;
    bool stopping;
    int thread_count;
    pthread_t *threads; /* owned */
};

void mr_thread_start(pthread_t *out, const char *name, void *(*run)(void *), void *arg)
{
    sigset_t all;
    sigset_t before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    error = pthread_create(out, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        fprintf(stderr, "millrace: cannot start a thread: %s\n", strerror(error));
        abort();
    }
#if defined(__linux__)
    char cut[16];

    snprintf(cut, sizeof(cut), "%s", name);
    pthread_setname_np(*out, cut);
#else
    MR_UNUSED(name);
#endif
}

static struct job *workers_take(struct mr_workers *w)
{
    struct job *job;

    pthread_mutex_lock(&w->lock);
    while (w->first == NULL && !w->stopping)
        pthread_cond_wait(&w->wake, &w->lock);
    job = w->first;
    if (job != NULL) {
        w->first = job->next;
        if (w->first == NULL)
            w->last = NULL;
    }
    pthread_mutex_unlock(&w->lock);
    return job;
}

static void *workers_run(void *arg)
{
    struct job *job;

    while ((job = workers_take(arg)) != NULL) {
        job->run(job->arg);
        mr_free(job);
    }
    return NULL;
}

struct mr_workers *mr_workers_new(const char *name, int count)
{
    struct mr_workers *w = MR_NEW(struct mr_workers);

    assert(count > 0);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    w->threads = mr_calloc((size_t)count, sizeof(*w->threads));
    for (int i = 0; i < count; i++)
        mr_thread_start(&w->threads[w->thread_count++], name, workers_run, w);
    return w;
}

void mr_workers_free(struct mr_workers *workers)
{
    if (workers == NULL)
        return;
    pthread_mutex_lock(&workers->lock);
    workers->stopping = true;
    pthread_cond_broadcast(&workers->wake);
    pthread_mutex_unlock(&workers->lock);
    for (int i = 0; i < workers->thread_count; i++)
        pthread_join(workers->threads[i], NULL);
    pthread_cond_destroy(&workers->wake);
    pthread_mutex_destroy(&workers->lock);
    mr_free(workers->threads);
    mr_free(workers);
}

void mr_workers_submit(struct mr_workers *workers, mr_job_fn *job, void *arg)
{
    struct job *j = mr_alloc(sizeof(*j));

    *j = (struct job){ .run = job, .arg = arg };
    pthread_mutex_lock(&workers->lock);
    if (workers->last != NULL)
        workers->last->next = j;
    else
        workers->first = j;
    workers->last = j;
    pthread_cond_signal(&workers->wake);
    pthread_mutex_unlock(&workers->lock);
}

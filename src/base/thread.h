/* thread.h -- handing work to another thread and getting the answer back. */
#ifndef MR_THREAD_H
#define MR_THREAD_H

#include "base/base.h"

#include <pthread.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void mr_job_fn(void *arg);

/* A way to run a job on the thread that owns something (an event loop): rooms without sockets get one of these instead
 * of knowing loops.  run(loop, job, arg) may be called by any thread; the job runs later on the owner, once, in the
 * order in which one thread posted. */
struct mr_post {
    void (*run)(void *loop, mr_job_fn *job, void *arg);
    void *loop;
};

/* Posts through P. [any] */
void mr_post(struct mr_post p, mr_job_fn *job, void *arg);

/* A fixed number of threads that take jobs from one queue. */
struct mr_workers;

/* Starts COUNT threads named NAME; caller owns. */
struct mr_workers *mr_workers_new(const char *name, int count);
/* Runs the jobs still queued, joins the threads, frees.  NULL is legal. */
void mr_workers_free(struct mr_workers *workers);
/* Queues JOB, which then owns ARG. [any] */
void mr_workers_submit(struct mr_workers *workers, mr_job_fn *job, void *arg);

/* Starts a thread with all signals blocked, named NAME (cut to 15 characters); ends the program when it can't. */
void mr_thread_start(pthread_t *out, const char *name, void *(*run)(void *), void *arg);

#ifdef __cplusplus
}
#endif
#endif

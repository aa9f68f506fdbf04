/* loop.c -- an event loop with a thread of its own, jobs from other threads, timers.
 *
 * Jobs wait in one array under a lock; the loop takes the whole array and runs it, so that jobs of one thread keep
 * their order and a job that posts does not keep the loop from its sockets.  The array being empty before a post is
 * what wakes the loop: one wake for many posts. */
#include "net/net_int.h"

#include <event2/thread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static _Thread_local struct net_loop *loop_current;
static pthread_once_t loop_once = PTHREAD_ONCE_INIT;
static int loop_threads_failed;

struct net_timer {
    struct net_loop *loop; /* borrowed */
    struct event *event;   /* owned */
    int64_t period_ms;
    mr_job_fn *fn;
    void *arg;
};

static void loop_setup_process(void)
{
    loop_threads_failed = evthread_use_pthreads();
    signal(SIGPIPE, SIG_IGN);
}

/* Runs what was posted up to now; false when there was nothing. */
static bool loop_run_jobs(struct net_loop *loop)
{
    struct net_job *jobs;
    size_t count;

    pthread_mutex_lock(&loop->lock);
    jobs = loop->jobs;
    count = loop->job_count;
    loop->jobs = NULL;
    loop->job_count = loop->job_capacity = 0;
    pthread_mutex_unlock(&loop->lock);
    for (size_t i = 0; i < count; i++)
        jobs[i].fn(jobs[i].arg);
    mr_free(jobs);
    return count > 0;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    MR_UNUSED(fd);
    MR_UNUSED(what);
    loop_run_jobs(arg);
}

static void on_attend(evutil_socket_t fd, short what, void *arg)
{
    MR_UNUSED(fd);
    MR_UNUSED(what);
    net_conns_attend(arg);
}

enum mr_status net_loop_new(struct net_loop **out, const char *name, struct mr_err *err)
{
    struct net_loop *loop;
    struct event_base *base;

    pthread_once(&loop_once, loop_setup_process);
    if (loop_threads_failed != 0)
        return mr_err_set(err, MR_IO, "libevent was built without threads");
    base = event_base_new();
    if (base == NULL)
        return mr_err_set(err, MR_IO, "the system gives no event base (epoll, kqueue or poll) for loop %s", name);
    loop = MR_NEW(struct net_loop);
    loop->base = base;
    snprintf(loop->name, sizeof(loop->name), "%s", name);
    pthread_mutex_init(&loop->lock, NULL);
    loop->wake = event_new(base, -1, 0, on_wake, loop);
    loop->attend = event_new(base, -1, 0, on_attend, loop);
    assert(loop->wake != NULL && loop->attend != NULL);
    *out = loop;
    return MR_OK;
}

static void *loop_run(void *arg)
{
    struct net_loop *loop = arg;

    loop_current = loop;
    event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
    loop_current = NULL;
    return NULL;
}

void net_loop_start(struct net_loop *loop)
{
    assert(!atomic_load(&loop->running));
    atomic_store(&loop->running, true);
    mr_thread_start(&loop->thread, loop->name, loop_run, loop);
}

/* The end of a loop's work, on its thread (or on the owner's, when it never ran). */
static void loop_wind_up(void *arg)
{
    struct net_loop *loop = arg;

    for (struct net_listener *listener = loop->listeners; listener != NULL; listener = listener->next)
        net_listener_deafen(listener);
    do {
        for (struct net_conn *conn = loop->conns; conn != NULL; conn = conn->next)
            net_conn_end(conn, NET_CLOSED_STOP, "");
        net_conns_attend(loop);
    } while (loop_run_jobs(loop) || loop->conns != NULL || loop->attention != NULL);
    event_base_loopbreak(loop->base);
}

void net_loop_stop(struct net_loop *loop)
{
    if (!atomic_load(&loop->running)) {
        loop_wind_up(loop);
        return;
    }
    assert(loop_current != loop);
    net_loop_post(loop, loop_wind_up, loop);
    pthread_join(loop->thread, NULL);
    atomic_store(&loop->running, false);
}

void net_loop_free(struct net_loop *loop)
{
    if (loop == NULL)
        return;
    net_loop_stop(loop);
    net_lookups_join(loop);
    loop_wind_up(loop);
    while (loop->listeners != NULL)
        net_listener_destroy(loop->listeners);
    event_free(loop->wake);
    event_free(loop->attend);
    event_base_free(loop->base);
    pthread_mutex_destroy(&loop->lock);
    mr_free(loop->jobs);
    mr_free(loop);
}

void net_loop_post(struct net_loop *loop, mr_job_fn *job, void *arg)
{
    bool first;

    pthread_mutex_lock(&loop->lock);
    MR_GROW(loop->jobs, loop->job_count, loop->job_capacity);
    first = loop->job_count == 0;
    loop->jobs[loop->job_count++] = (struct net_job){ job, arg };
    pthread_mutex_unlock(&loop->lock);
    if (first)
        event_active(loop->wake, EV_TIMEOUT, 1);
}

static void poster_run(void *loop, mr_job_fn *job, void *arg)
{
    net_loop_post(loop, job, arg);
}

struct mr_post net_loop_poster(struct net_loop *loop)
{
    return (struct mr_post){ .run = poster_run, .loop = loop };
}

struct loop_call {
    mr_job_fn *job;
    void *arg;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool is_done;
};

static void call_run(void *arg)
{
    struct loop_call *call = arg;

    call->job(call->arg);
    pthread_mutex_lock(&call->lock);
    call->is_done = true;
    pthread_cond_signal(&call->ended);
    pthread_mutex_unlock(&call->lock);
}

void net_loop_call(struct net_loop *loop, mr_job_fn *job, void *arg)
{
    struct loop_call call = { .job = job, .arg = arg };

    if (net_loop_is_current(loop)) {
        job(arg);
        return;
    }
    assert(loop_current == NULL); /* two loops waiting for each other would wait for ever */
    pthread_mutex_init(&call.lock, NULL);
    pthread_cond_init(&call.ended, NULL);
    net_loop_post(loop, call_run, &call);
    pthread_mutex_lock(&call.lock);
    while (!call.is_done)
        pthread_cond_wait(&call.ended, &call.lock);
    pthread_mutex_unlock(&call.lock);
    pthread_cond_destroy(&call.ended);
    pthread_mutex_destroy(&call.lock);
}

bool net_loop_is_current(const struct net_loop *loop)
{
    return loop_current == loop || !atomic_load(&loop->running);
}

struct event_base *net_loop_base(struct net_loop *loop)
{
    return loop->base;
}

static void timer_add(struct net_timer *timer, int64_t delay_ms)
{
    struct timeval delay = { .tv_sec = delay_ms / 1000, .tv_usec = (delay_ms % 1000) * 1000 };

    assert(delay_ms >= 0);
    event_add(timer->event, &delay);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct net_timer *timer = arg;
    mr_job_fn *fn = timer->fn;
    void *fn_arg = timer->arg;

    MR_UNUSED(fd);
    MR_UNUSED(what);
    if (timer->period_ms > 0)
        timer_add(timer, timer->period_ms);
    fn(fn_arg); /* last: it may free the timer */
}

struct net_timer *net_timer_new(struct net_loop *loop, int64_t delay_ms, int64_t period_ms, mr_job_fn *fn, void *arg)
{
    struct net_timer *timer = MR_NEW(struct net_timer);

    *timer = (struct net_timer){ .loop = loop, .period_ms = period_ms, .fn = fn, .arg = arg };
    timer->event = evtimer_new(loop->base, on_timer, timer);
    assert(timer->event != NULL);
    timer_add(timer, delay_ms);
    return timer;
}

void net_timer_restart(struct net_timer *timer, int64_t delay_ms)
{
    timer_add(timer, delay_ms);
}

void net_timer_free(struct net_timer *timer)
{
    if (timer == NULL)
        return;
    event_free(timer->event);
    mr_free(timer);
}

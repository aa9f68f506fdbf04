/* test_loop.c -- jobs keep their order, calls wait, timers run when due. */
#include "net_test.h"

#include "base/env.h"

enum { POSTERS = 4, POSTS = 5000 };

struct poster {
    struct net_loop *loop;
    int last; /* loop thread only */
    _Atomic int seen;
    _Atomic int disorder;
    pthread_t thread;
};

struct posted {
    struct poster *poster;
    int number;
};

static void posted_run(void *arg)
{
    struct posted *posted = arg;
    struct poster *poster = posted->poster;

    if (posted->number != poster->last + 1 || !net_loop_is_current(poster->loop))
        atomic_fetch_add(&poster->disorder, 1);
    poster->last = posted->number;
    atomic_fetch_add(&poster->seen, 1);
    mr_free(posted);
}

static void *poster_run(void *arg)
{
    struct poster *poster = arg;
    struct mr_post post = net_loop_poster(poster->loop);

    for (int i = 1; i <= POSTS; i++) {
        struct posted *posted = MR_NEW(struct posted);
        *posted = (struct posted){ poster, i };
        mr_post(post, posted_run, posted);
    }
    return NULL;
}

static void test_posts_keep_their_order(void **state)
{
    struct net_loop *loop = loop_started("test");
    struct poster posters[POSTERS] = { { .last = 0 } };

    MR_UNUSED(state);
    for (int i = 0; i < POSTERS; i++) {
        posters[i].loop = loop;
        mr_thread_start(&posters[i].thread, "poster", poster_run, &posters[i]);
    }
    for (int i = 0; i < POSTERS; i++) {
        pthread_join(posters[i].thread, NULL);
        wait_for(&posters[i].seen, POSTS);
        assert_int_equal(atomic_load(&posters[i].disorder), 0);
    }
    assert_false(net_loop_is_current(loop));
    net_loop_free(loop);
}

static void count_job(void *arg)
{
    atomic_fetch_add((_Atomic int *)arg, 1);
}

static void test_posts_around_the_life(void **state)
{
    struct net_loop *loop = NULL;
    _Atomic int ran = 0;

    MR_UNUSED(state);
    assert_int_equal(net_loop_new(&loop, "a name longer than fifteen characters", NULL), MR_OK);
    net_loop_post(loop, count_job, &ran);
    assert_int_equal(ran, 0);
    net_loop_start(loop);
    wait_for(&ran, 1);
    net_loop_call(loop, count_job, &ran);
    assert_int_equal(ran, 2);
    net_loop_post(loop, count_job, &ran);
    net_loop_stop(loop);
    assert_int_equal(ran, 3);
    net_loop_post(loop, count_job, &ran);
    assert_int_equal(ran, 3);
    net_loop_stop(loop);
    net_loop_free(loop);
    assert_int_equal(ran, 4);
    net_loop_free(NULL);
}

static void test_never_started(void **state)
{
    struct net_loop *loop = NULL;
    _Atomic int ran = 0;

    MR_UNUSED(state);
    assert_int_equal(net_loop_new(&loop, "idle", NULL), MR_OK);
    net_loop_call(loop, count_job, &ran);
    assert_int_equal(ran, 1);
    net_loop_post(loop, count_job, &ran);
    net_loop_free(loop);
    assert_int_equal(ran, 2);
}

struct timers {
    struct net_loop *loop;
    struct net_timer *once, *often, *suicide, *never;
    int64_t started_ns;
    _Atomic int once_ran, often_ran, suicide_ran, never_ran, early;
};

static void on_once(void *arg)
{
    struct timers *t = arg;

    if (mr_monotonic_ns(mr_env_real()) - t->started_ns < 15000000)
        atomic_fetch_add(&t->early, 1);
    if (atomic_fetch_add(&t->once_ran, 1) == 0)
        net_timer_restart(t->once, 1);
}

static void on_often(void *arg)
{
    struct timers *t = arg;

    atomic_fetch_add(&t->often_ran, 1);
}

static void on_suicide(void *arg)
{
    struct timers *t = arg;

    atomic_fetch_add(&t->suicide_ran, 1);
    net_timer_free(t->suicide);
    t->suicide = NULL;
}

static void on_never(void *arg)
{
    struct timers *t = arg;

    atomic_fetch_add(&t->never_ran, 1);
}

static void timers_start(void *arg)
{
    struct timers *t = arg;

    t->started_ns = mr_monotonic_ns(mr_env_real());
    t->once = net_timer_new(t->loop, 20, 0, on_once, t);
    t->often = net_timer_new(t->loop, 0, 2, on_often, t);
    t->suicide = net_timer_new(t->loop, 1, 1, on_suicide, t);
    t->never = net_timer_new(t->loop, 3600 * 1000, 0, on_never, t);
}

static void timers_end(void *arg)
{
    struct timers *t = arg;

    net_timer_free(t->once);
    net_timer_free(t->often);
    net_timer_free(t->suicide);
    net_timer_free(t->never);
}

static void test_timers(void **state)
{
    struct timers t = { .loop = loop_started("timers") };

    MR_UNUSED(state);
    net_loop_call(t.loop, timers_start, &t);
    wait_for(&t.once_ran, 2);
    wait_for(&t.often_ran, 5);
    net_loop_call(t.loop, timers_end, &t);
    assert_int_equal(t.once_ran, 2);
    assert_int_equal(t.suicide_ran, 1);
    assert_int_equal(t.never_ran, 0);
    assert_int_equal(t.early, 0);
    net_loop_free(t.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_posts_keep_their_order),
        cmocka_unit_test(test_posts_around_the_life),
        cmocka_unit_test(test_never_started),
        cmocka_unit_test(test_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_state.c -- checkpoints and keyed state: whole batches, queries apart from each other, reopen, kill -9. */
#include "state/state.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char dir[64];
    struct state *state;
};

static void reopen(struct fixture *f)
{
    struct mr_err err = MR_ERR_INIT;

    state_close(f->state);
    f->state = NULL;
    if (state_open(&f->state, f->dir, NULL, &err) != MR_OK)
        fail_msg("%s", err.text);
}

static int setup(void **state)
{
    struct fixture *f = MR_NEW(struct fixture);

    strcpy(f->dir, "/tmp/test-state-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    reopen(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    state_close(f->state);
    if (mr_remove_tree(mr_env_real(), f->dir, NULL) != MR_OK)
        return 1;
    mr_free(f);
    return 0;
}

static struct mr_bytes text(const char *t)
{
    return mr_bytes_of_str(mr_str_of(t));
}

static void put(struct fixture *f, const char *query, const char *checkpoint)
{
    assert_int_equal(state_checkpoint_put(f->state, mr_str_of(query), text(checkpoint), NULL), MR_OK);
}

static void assert_checkpoint(struct fixture *f, const char *query, const char *expect)
{
    struct mr_writer out = { 0 };
    enum mr_status status = state_checkpoint_get(f->state, mr_str_of(query), &out, NULL);

    if (expect == NULL) {
        assert_int_equal(status, MR_NOT_FOUND);
    } else {
        assert_int_equal(status, MR_OK);
        assert_int_equal(mr_bytes_compare(mr_writer_bytes(&out), text(expect)), 0);
    }
    mr_writer_deinit(&out);
}

static void add_query(void *arg, struct mr_str query, struct mr_bytes checkpoint)
{
    mr_write_text(arg, "%.*s=%.*s ", MR_STR_ARG(query), (int)checkpoint.size, (const char *)checkpoint.data);
}

static enum mr_status add_entry(void *arg, struct mr_bytes key, struct mr_bytes value)
{
    mr_write_text(arg, "%.*s=%.*s ", (int)key.size, (const char *)key.data, (int)value.size, (const char *)value.data);
    return MR_OK;
}

static void assert_text(struct mr_writer *w, const char *expect)
{
    mr_write_u8(w, 0);
    assert_string_equal((char *)w->data, expect);
    mr_writer_deinit(w);
}

static void test_checkpoints(void **state)
{
    struct fixture *f = *state;
    struct mr_writer out = { 0 };
    char large[300];

    put(f, "b", "1");
    put(f, "aa", "2");
    put(f, "b", "3");
    put(f, "a", "");
    reopen(f);
    assert_checkpoint(f, "a", "");
    assert_checkpoint(f, "b", "3");
    assert_checkpoint(f, "c", NULL);
    assert_int_equal(state_checkpoint_list(f->state, add_query, &out, NULL), MR_OK);
    assert_text(&out, "a= aa=2 b=3 ");
    assert_int_equal(state_query_delete(f->state, mr_str_of("aa"), NULL), MR_OK);
    assert_int_equal(state_query_delete(f->state, mr_str_of("none"), NULL), MR_OK);
    reopen(f);
    assert_int_equal(state_checkpoint_list(f->state, add_query, &out, NULL), MR_OK);
    assert_text(&out, "a= b=3 ");
    memset(large, 'x', sizeof(large));
    assert_int_equal(state_checkpoint_put(f->state, (struct mr_str){ large, 256 }, text("1"), NULL), MR_INVALID);
    assert_int_equal(state_checkpoint_put(f->state, MR_STR(""), text("1"), NULL), MR_INVALID);
}

static void test_keyed_state(void **state)
{
    struct fixture *f = *state;
    struct state_batch *batch;
    struct mr_writer out = { 0 };

    put(f, "other", "9");
    assert_int_equal(state_batch_new(&batch, f->state, mr_str_of("q"), NULL), MR_OK);
    state_batch_put(batch, 1, text("k1"), text("v1"));
    state_batch_put(batch, 1, text("k2"), text("v2"));
    state_batch_put(batch, 1, text("x"), text("v3"));
    state_batch_put(batch, 2, text("k1"), text("w1"));
    state_batch_checkpoint(batch, text("5"));
    assert_checkpoint(f, "q", NULL); /* nothing before the commit */
    assert_int_equal(state_batch_commit(batch, NULL), MR_OK);
    assert_int_equal(state_batch_new(&batch, f->state, mr_str_of("q"), NULL), MR_OK);
    state_batch_delete(batch, 1, text("k1"));
    state_batch_checkpoint(batch, text("6"));
    assert_int_equal(state_batch_commit(batch, NULL), MR_OK);
    assert_int_equal(state_batch_new(&batch, f->state, mr_str_of("q"), NULL), MR_OK);
    state_batch_put(batch, 1, text("k9"), text("dropped"));
    state_batch_free(batch);
    reopen(f);
    assert_checkpoint(f, "q", "6");
    assert_int_equal(state_scan(f->state, mr_str_of("q"), 1, MR_BYTES_NULL, add_entry, &out, NULL), MR_OK);
    assert_text(&out, "k2=v2 x=v3 ");
    assert_int_equal(state_scan(f->state, mr_str_of("q"), 1, text("k"), add_entry, &out, NULL), MR_OK);
    assert_text(&out, "k2=v2 ");
    assert_int_equal(state_get(f->state, mr_str_of("q"), 2, text("k1"), &out, NULL), MR_OK);
    assert_text(&out, "w1");
    assert_int_equal(state_query_delete(f->state, mr_str_of("q"), NULL), MR_OK);
    assert_int_equal(state_scan(f->state, mr_str_of("q"), 1, MR_BYTES_NULL, add_entry, &out, NULL), MR_OK);
    assert_int_equal(out.size, 0);
    assert_checkpoint(f, "other", "9");
    mr_writer_deinit(&out);
}

/* The child is this program again.  Batch I writes I under two keys and the checkpoint; killed at any moment, the three
 * agree and are not behind. */
static int child_commits(const char *dir)
{
    struct fixture f = { 0 };

    snprintf(f.dir, sizeof(f.dir), "%s", dir);
    reopen(&f);
    for (uint32_t i = 1;; i++) {
        struct mr_bytes number = { (const uint8_t *)&i, sizeof(i) };
        struct state_batch *batch;

        if (state_batch_new(&batch, f.state, mr_str_of("q"), NULL) != MR_OK)
            return 1;
        state_batch_put(batch, 1, text("a"), number);
        state_batch_put(batch, 2, text("b"), number);
        state_batch_checkpoint(batch, number);
        if (state_batch_commit(batch, NULL) != MR_OK || write(STDOUT_FILENO, &i, sizeof(i)) != sizeof(i))
            return 1;
    }
}

static uint32_t number_of(const struct mr_writer *w)
{
    uint32_t n;

    assert_int_equal(w->size, sizeof(n));
    memcpy(&n, w->data, sizeof(n));
    return n;
}

static void test_kill(void **state)
{
    static const unsigned commits[] = { 1, 5, 40, 200 };
    struct fixture *f = *state;

    for (size_t i = 0; i < MR_COUNT(commits); i++) {
        struct mr_writer a = { 0 }, b = { 0 }, c = { 0 };
        uint32_t last = 0;
        int pipes[2], status;
        pid_t child;

        state_close(f->state);
        f->state = NULL;
        assert_int_equal(pipe(pipes), 0);
        child = fork();
        if (child == 0) {
            dup2(pipes[1], STDOUT_FILENO);
            execl("/proc/self/exe", "test_state", f->dir, (char *)NULL);
            _exit(1);
        }
        close(pipes[1]);
        while (last < commits[i] && read(pipes[0], &last, sizeof(last)) == sizeof(last))
            ;
        kill(child, SIGKILL);
        while (read(pipes[0], &last, sizeof(last)) == sizeof(last))
            ;
        waitpid(child, &status, 0);
        close(pipes[0]);
        reopen(f);
        assert_int_equal(state_get(f->state, mr_str_of("q"), 1, text("a"), &a, NULL), MR_OK);
        assert_int_equal(state_get(f->state, mr_str_of("q"), 2, text("b"), &b, NULL), MR_OK);
        assert_int_equal(state_checkpoint_get(f->state, mr_str_of("q"), &c, NULL), MR_OK);
        assert_true(number_of(&a) >= last && number_of(&a) == number_of(&b) && number_of(&b) == number_of(&c));
        mr_writer_deinit(&a);
        mr_writer_deinit(&b);
        mr_writer_deinit(&c);
    }
}

static void test_second_open_and_newer_format(void **state)
{
    struct fixture *f = *state;
    struct state *second;
    char path[MR_PATH_BYTES];

    assert_int_equal(state_open(&second, f->dir, NULL, NULL), MR_BUSY);
    state_close(f->state);
    f->state = NULL;
    assert_int_equal(mr_path_join(path, f->dir, "FORMAT", NULL), MR_OK);
    assert_int_equal(mr_file_replace(mr_env_real(), path, text("millrace-state 2\n"), NULL), MR_OK);
    assert_int_equal(state_open(&second, f->dir, NULL, NULL), MR_UNSUPPORTED);
    assert_int_equal(mr_file_replace(mr_env_real(), path, text(""), NULL), MR_OK);
    assert_int_equal(state_open(&second, f->dir, NULL, NULL), MR_CORRUPT);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_checkpoints),
        TEST(test_keyed_state),
        TEST(test_kill),
        TEST(test_second_open_and_newer_format),
    };

    if (argc == 2)
        return child_commits(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

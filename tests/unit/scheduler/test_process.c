/* test_process.c -- real processes: the gate, what a task inherits, its group, and leftovers found by their
 * identity. */
#include "scheduler/run_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DEADLINE_MS = 20000 };

static char path[] = "/tmp/test-process-XXXXXX";

static int64_t now_ms(void)
{
    return mr_monotonic_ns(mr_env_real()) / 1000000;
}

/* Starts COMMAND with its output in the file at PATH. */
static pid_t start(const char *command, const char *token, int *gate)
{
    char variable[64];
    char *environment[] = { (char *)"PATH=/usr/bin:/bin", variable, NULL };
    struct process_spec spec = { .command = command, .dir = "/tmp", .environment = environment };
    struct mr_err err = MR_ERR_INIT;
    pid_t pid = 0;

    snprintf(variable, sizeof(variable), "MILLRACE_ATTEMPT_ID=%s", token);
    spec.output_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    assert_true(spec.output_fd >= 0);
    assert_int_equal(process_start(&spec, &pid, gate, &err), MR_OK);
    close(spec.output_fd);
    return pid;
}

static void let_in(int gate)
{
    assert_int_equal(write(gate, "g", 1), 1);
    close(gate);
}

static int wait_for(pid_t pid)
{
    int status = -1;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

static void output(char *out, size_t size)
{
    int fd = open(path, O_RDONLY);
    ssize_t got = read(fd, out, size - 1);

    close(fd);
    out[got > 0 ? got : 0] = '\0';
}

/* Until the output begins with TEXT. */
static void wait_output(const char *text)
{
    int64_t end = now_ms() + DEADLINE_MS;
    char now[256] = "";

    while (strncmp(now, text, strlen(text)) != 0) {
        struct timespec pause = { 0, 2000000 };

        if (now_ms() > end)
            fail_msg("\"%s\", not \"%s\"", now, text);
        nanosleep(&pause, NULL);
        output(now, sizeof(now));
    }
}

static int setup(void **state)
{
    int fd = mkstemp(path);

    MR_UNUSED(state);
    close(fd);
    return fd < 0;
}

static int teardown(void **state)
{
    MR_UNUSED(state);
    return unlink(path);
}

static void test_gate(void **state)
{
    char text[256];
    int gate, status;
    pid_t pid = start("echo begun; exit 7", "gate", &gate);

    MR_UNUSED(state);
    assert_int_equal(waitpid(pid, &status, WNOHANG), 0); /* it waits */
    output(text, sizeof(text));
    assert_string_equal(text, "");
    let_in(gate);
    status = wait_for(pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    output(text, sizeof(text));
    assert_string_equal(text, "begun\n");
    /* Its server is gone before it was let in: nothing of it is run. */
    pid = start("echo begun", "gate", &gate);
    close(gate);
    wait_for(pid);
    output(text, sizeof(text));
    assert_string_equal(text, "");
}

/* Nothing of the server's: no descriptors, no blocked signals, no group. */
static void test_inherits(void **state)
{
    char text[256], expected[256];
    sigset_t all, before;
    int gate;
    pid_t pid;

    MR_UNUSED(state);
    if (access("/proc/self/fd", F_OK) != 0)
        skip();
    assert_true(fcntl(0, F_DUPFD, 50) >= 50); /* not close-on-exec, as a careless library's */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = start("ls /proc/self/fd | tr '\\n' ' '; grep SigBlk /proc/self/status;"
                "read -r _ _ _ _ group session _ </proc/$$/stat; echo $group$session",
                "inherits", &gate);
    sigprocmask(SIG_SETMASK, &before, NULL);
    let_in(gate);
    wait_for(pid);
    output(text, sizeof(text));
    snprintf(expected, sizeof(expected), "0 1 2 3 SigBlk:\t0000000000000000\n%d%d\n", (int)pid, (int)pid);
    assert_string_equal(text, expected); /* 3 is ls's own */
}

static void test_identity(void **state)
{
    char identity[IDENTITY_BYTES], again[IDENTITY_BYTES], other[IDENTITY_BYTES];
    int gate, other_gate;
    pid_t pid = start("sleep 100", "id", &gate);
    pid_t second;

    MR_UNUSED(state);
    process_identity(pid, identity);
    assert_true(strlen(identity) > 10);
    let_in(gate);
    process_identity(pid, again);
    assert_string_equal(identity, again); /* also after it became another program */
    second = start("sleep 100", "id2", &other_gate);
    process_identity(second, other);
    /* The same pid with another start is somebody else. */
    again[strlen(again) - 1] ^= 1;
    assert_int_equal(process_leftover(pid, again, "", SIGKILL), 0);
    assert_int_equal(kill(pid, 0), 0);
    assert_int_equal(process_leftover(pid, identity, "", SIGKILL), 1);
    assert_true(WIFSIGNALED(wait_for(pid)));
    process_identity(pid, again);
    assert_string_equal(again, "");
    assert_int_equal(process_leftover(pid, identity, "", 0), 0);
    close(other_gate);
    wait_for(second);
}

/* A command's own children, one in its group and one that left it, are found by the token when the shell has gone. */
static void test_descendants(void **state)
{
    char identity[IDENTITY_BYTES];
    int64_t end = now_ms() + DEADLINE_MS;
    int gate;
    pid_t pid = start("sleep 100 & setsid sleep 100 & echo started; exit 0", "0123456789abcdef", &gate);

    MR_UNUSED(state);
    if (access("/proc/self/environ", F_OK) != 0)
        skip();
    process_identity(pid, identity);
    let_in(gate);
    wait_output("started");
    wait_for(pid);
    while (process_leftover(pid, identity, "0123456789abcdef", 0) != 2)
        assert_true(now_ms() < end);
    assert_int_equal(process_leftover(pid, identity, "0123456789abcdee", SIGKILL), 0);
    assert_int_equal(process_leftover(pid, identity, "0123456789abcdef", SIGTERM), 2);
    while (process_leftover(pid, identity, "0123456789abcdef", 0) != 0)
        assert_true(now_ms() < end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gate),
        cmocka_unit_test(test_inherits),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_descendants),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}

/* process.c -- shell tasks as processes: started behind a gate, known again after a crash.
 *
 * The child is forked, leads a session and a group of its own, and reads a byte from a pipe before it becomes /bin/sh.
 * Meanwhile its pid and identity are put on disk.  So nothing of a command ever runs that a later server could not
 * find: when this one dies before, the pipe ends and the child exits.
 *
 * Identity: a pid may be given to another process later.  On Linux it is told from that by the boot's id and the
 * kernel's start time (/proc/PID/stat, field 22); elsewhere by what ps says about its start.  Descendants that left
 * the group are found by the token in their environment (/proc/PID/environ), where there is a /proc.
 *
 * Between fork and exec only async-signal-safe functions are called: the process has other threads. */
#include "scheduler/run_int.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

enum { ENVIRON_BYTES_MAX = 4 << 20, EXIT_NOT_STARTED = 127, DESCRIPTORS_MAX = 65536 };

/* ---- starting ---- */

/* Closes every descriptor from FIRST on: sockets and locks of the server must not outlive it in a task. */
static void close_from(int first)
{
    struct rlimit limit;
    int last = DESCRIPTORS_MAX;

#if defined(__linux__) && defined(SYS_close_range)
    if (syscall(SYS_close_range, first, ~0U, 0) == 0)
        return;
#endif
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < DESCRIPTORS_MAX)
        last = (int)limit.rlim_cur;
    for (int fd = first; fd < last; fd++)
        close(fd);
}

static void child_says(const char *what)
{
    size_t size = strlen(what);

    if (write(STDERR_FILENO, what, size) != (ssize_t)size)
        _exit(EXIT_NOT_STARTED);
}

/* In the child; never returns. */
static void child_run(const struct process_spec *spec, int gate)
{
    static const int defaults[] = { SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGQUIT, SIGUSR1, SIGUSR2 };
    char *const arguments[] = { (char *)"/bin/sh", (char *)"-c", (char *)spec->command, NULL };
    sigset_t none;
    ssize_t got;
    char byte;

    setsid();
    for (size_t i = 0; i < MR_COUNT(defaults); i++)
        signal(defaults[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* Descriptors 0 to 3 are replaced in an order that never overwrites one that is still needed. */
    int held_gate = fcntl(gate, F_DUPFD, 10), held_output = fcntl(spec->output_fd, F_DUPFD, 10);
    int null = open("/dev/null", O_RDONLY);
    if (held_gate < 0 || held_output < 0 || null < 0 || dup2(null, 0) < 0 || dup2(held_output, 1) < 0 ||
        dup2(held_output, 2) < 0 || dup2(held_gate, 3) < 0)
        _exit(EXIT_NOT_STARTED);
    close_from(4);
    do
        got = read(3, &byte, 1);
    while (got < 0 && errno == EINTR);
    if (got != 1)
        _exit(EXIT_NOT_STARTED);
    close(3);
    if (chdir(spec->dir) != 0) {
        child_says("millrace: the project's folder can't be entered\n");
        _exit(EXIT_NOT_STARTED);
    }
    execve("/bin/sh", arguments, spec->environment);
    child_says("millrace: /bin/sh can't be started\n");
    _exit(EXIT_NOT_STARTED);
}

static enum mr_status pipe_open(int ends[2], struct mr_err *err)
{
#ifdef __linux__
    if (pipe2(ends, O_CLOEXEC) == 0)
        return MR_OK;
#else
    if (pipe(ends) == 0) {
        fcntl(ends[0], F_SETFD, FD_CLOEXEC);
        fcntl(ends[1], F_SETFD, FD_CLOEXEC);
        return MR_OK;
    }
#endif
    return mr_err_set_errno(err, MR_IO, errno, "a pipe for the task");
}

enum mr_status process_start(const struct process_spec *spec, pid_t *pid, int *gate, struct mr_err *err)
{
    int ends[2];
    enum mr_status status = pipe_open(ends, err);
    pid_t child;

    if (status != MR_OK)
        return status;
    child = fork();
    if (child == 0)
        child_run(spec, ends[0]);
    close(ends[0]);
    if (child < 0) {
        int error = errno;

        close(ends[1]);
        return mr_err_set_errno(err, MR_IO, error, "a process for the task");
    }
    *pid = child;
    *gate = ends[1];
    return MR_OK;
}

/* ---- identity ---- */

/* The first bytes of a small file, NUL-terminated; false: it can't be read. */
static bool read_small(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, out, size - 1) : -1;

    if (fd >= 0)
        close(fd);
    if (got <= 0)
        return false;
    out[got] = '\0';
    return true;
}

/* Field 22 of /proc/PID/stat; a zombie counts as gone. */
static bool start_time(pid_t pid, char *out, size_t size)
{
    char path[64], text[1024];
    char *at;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (!read_small(path, text, sizeof(text)))
        return false;
    at = strrchr(text, ')'); /* a name may have spaces and brackets */
    if (at == NULL || at[1] != ' ' || at[2] == 'Z' || at[2] == 'X')
        return false;
    at++;
    for (int field = 3; field < 22; field++) {
        at = strchr(at + 1, ' ');
        if (at == NULL)
            return false;
    }
    at++;
    at[strspn(at, "0123456789")] = '\0';
    snprintf(out, size, "%s", at);
    return *at != '\0';
}

static void identity_by_ps(pid_t pid, char out[IDENTITY_BYTES])
{
    char command[64], text[64] = "";
    FILE *ps;

    snprintf(command, sizeof(command), "LC_ALL=C ps -o lstart= -p %d 2>/dev/null", (int)pid);
    ps = popen(command, "r");
    if (ps == NULL)
        return;
    if (fgets(text, sizeof(text), ps) != NULL) {
        text[strcspn(text, "\n")] = '\0';
        snprintf(out, IDENTITY_BYTES, "ps %s", text);
    }
    pclose(ps);
}

void process_identity(pid_t pid, char out[IDENTITY_BYTES])
{
    char boot[48], started[32];

    out[0] = '\0';
    if (read_small("/proc/sys/kernel/random/boot_id", boot, sizeof(boot))) {
        boot[strcspn(boot, "\n")] = '\0';
        if (start_time(pid, started, sizeof(started)))
            snprintf(out, IDENTITY_BYTES, "%s %s", boot, started);
        return;
    }
    identity_by_ps(pid, out);
}

/* ---- leftovers ---- */

void process_signal(pid_t pid, int signal_number)
{
    /* A child that has not come to setsid yet has no group of its own. */
    if (kill(-pid, signal_number) != 0 && errno == ESRCH)
        kill(pid, signal_number);
}

/* Has the process PID the variable TOKEN in its environment? */
static bool has_token(const char *pid, const char *token)
{
    char path[64], buffer[4096];
    size_t kept = 0, total = 0, size = strlen(token);
    ssize_t got;
    bool found = false;
    int fd;

    snprintf(path, sizeof(path), "/proc/%s/environ", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && !found && total < ENVIRON_BYTES_MAX &&
           (got = read(fd, buffer + kept, sizeof(buffer) - kept)) > 0) {
        size_t filled = kept + (size_t)got;

        total += (size_t)got;
        found = memmem(buffer, filled, token, size) != NULL;
        kept = filled < size ? filled : size;
        memmove(buffer, buffer + filled - kept, kept);
    }
    if (fd >= 0)
        close(fd);
    return found;
}

static int signal_by_token(const char *token, int signal_number)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    int found = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char ignored[32];
        pid_t pid = (pid_t)atoi(entry->d_name);

        if (!isdigit((unsigned char)entry->d_name[0]) || pid == getpid() || !has_token(entry->d_name, token) ||
            !start_time(pid, ignored, sizeof(ignored)))
            continue;
        found++;
        if (signal_number != 0)
            kill(pid, signal_number);
    }
    if (dir != NULL)
        closedir(dir);
    return found;
}

int process_leftover(pid_t pid, const char *identity, const char *token, int signal_number)
{
    char now[IDENTITY_BYTES];
    int found = 0;

    if (pid > 1 && identity[0] != '\0') {
        process_identity(pid, now);
        if (strcmp(now, identity) == 0) {
            found++;
            if (signal_number != 0)
                process_signal(pid, signal_number);
        }
    }
    if (token[0] != '\0')
        found += signal_by_token(token, signal_number);
    return found;
}

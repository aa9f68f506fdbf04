/* powercut.c -- settings, the count of operations, and the moment of the cut.  README.md says how to use it. */
#include "powercut_int.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    bool on;
    pid_t pid; /* children of a fork are not tracked */
    char dir[PATH_BYTES];
    size_t dir_size;
    char stash[PATH_BYTES + 16];
    const char *arm_file; /* counting starts when it exists; NULL: at once */
    bool armed;
    const char *report;
    bool ignore_sync;
    bool real_sync;
    bool at_exit;
    unsigned sync_delay_us;
    uint64_t seed;
    uint64_t random;
    uint64_t count;
    uint64_t cut_at; /* 0: never */
} pc;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : otherwise;
}

uint64_t powercut_random(void)
{
    uint64_t z = pc.random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

__attribute__((constructor)) static void start(void)
{
    const char *dir = getenv("POWERCUT_DIR"), *ops = getenv("POWERCUT_OPS"), *owner = getenv("POWERCUT_PID");
    char text[32], *end;

    powercut_real();
    /* The first program that is started with these settings is tracked, not those that it starts. */
    if (dir == NULL || (owner != NULL && strtol(owner, NULL, 10) != getpid()))
        return;
    snprintf(text, sizeof(text), "%ld", (long)getpid());
    setenv("POWERCUT_PID", text, 1);
    if (realpath(dir, pc.dir) == NULL)
        snprintf(pc.dir, sizeof(pc.dir), "%s", dir);
    pc.dir_size = strlen(pc.dir);
    snprintf(pc.stash, sizeof(pc.stash), "%s.powercut", pc.dir);
    pc.pid = getpid();
    pc.arm_file = getenv("POWERCUT_ARM");
    pc.report = getenv("POWERCUT_REPORT");
    pc.ignore_sync = number("POWERCUT_IGNORE_SYNC", 0) != 0;
    pc.real_sync = number("POWERCUT_REAL_SYNC", 0) != 0;
    pc.at_exit = number("POWERCUT_AT_EXIT", 0) != 0;
    pc.sync_delay_us = (unsigned)number("POWERCUT_SYNC_US", 0);
    pc.seed = number("POWERCUT_SEED", 1);
    pc.random = pc.seed * UINT64_C(0xd1342543de82ef95) + 1;
    if (ops != NULL) {
        uint64_t first = strtoull(ops, &end, 10), last = *end == '-' ? strtoull(end + 1, NULL, 10) : first;

        pc.cut_at = first + powercut_random() % (last >= first ? last - first + 1 : 1);
    }
    pc.on = true;
}

static void cut(void)
{
    unsigned files = powercut_contents_cut(), names = powercut_names_cut();
    char text[256];
    int size;

    powercut_stash_remove();
    size =
        snprintf(text, sizeof(text), "powercut: seed %llu, cut at operation %llu, %u files changed, %u names undone\n",
                 (unsigned long long)pc.seed, (unsigned long long)pc.count, files, names);
    if (pc.report != NULL) {
        int fd = powercut_real()->openat(-100, pc.report, 01 | 0100 | 02000, 0600); /* write, create, append */

        if (fd >= 0 && powercut_real()->write(fd, text, (size_t)size) < 0)
            _exit(137);
    } else if (powercut_real()->write(2, text, (size_t)size) < 0) {
        _exit(137);
    }
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

bool powercut_enter(void)
{
    if (!pc.on || pc.pid != getpid())
        return false;
    pthread_mutex_lock(&lock);
    return true;
}

void powercut_leave(void)
{
    pthread_mutex_unlock(&lock);
}

void powercut_step(void)
{
    int saved = errno;

    if (!pc.armed)
        pc.armed = pc.arm_file == NULL || access(pc.arm_file, F_OK) == 0;
    if (pc.armed && ++pc.count == pc.cut_at)
        cut();
    errno = saved;
}

bool powercut_is_below(const char *path)
{
    return strncmp(path, pc.dir, pc.dir_size) == 0 && path[pc.dir_size] == '/';
}

const char *powercut_dir(void)
{
    return pc.dir;
}

const char *powercut_stash(void)
{
    return pc.stash;
}

bool powercut_syncs_count(void)
{
    return !pc.ignore_sync;
}

int powercut_wait_sync(int fd, int (*sync)(int))
{
    if (pc.real_sync)
        return sync(fd);
    if (pc.sync_delay_us > 0)
        usleep(pc.sync_delay_us);
    return 0;
}

__attribute__((destructor)) static void finish(void)
{
    if (!powercut_enter())
        return;
    if (pc.at_exit)
        cut();
    powercut_stash_remove();
    powercut_leave();
}

/* real.c -- the system's own calls, behind the ones that this library puts in front. */
#include "powercut_int.h"

#include <dlfcn.h>
#include <pthread.h>

static struct powercut_real calls;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A function pointer's bits from dlsym's. */
#define LOOK_UP(name) (*(void **)(&calls.name) = dlsym(RTLD_NEXT, #name))

static void look_up(void)
{
    LOOK_UP(openat);
    LOOK_UP(write);
    LOOK_UP(pwrite);
    LOOK_UP(ftruncate);
    LOOK_UP(truncate);
    LOOK_UP(renameat2);
    LOOK_UP(unlinkat);
    LOOK_UP(mkdirat);
    LOOK_UP(linkat);
    LOOK_UP(symlinkat);
    LOOK_UP(fallocate);
    LOOK_UP(posix_fallocate);
    LOOK_UP(fsync);
    LOOK_UP(fdatasync);
    LOOK_UP(syncfs);
    LOOK_UP(sync);
    LOOK_UP(copy_file_range);
    LOOK_UP(sendfile);
}

const struct powercut_real *powercut_real(void)
{
    pthread_once(&once, look_up);
    return &calls;
}

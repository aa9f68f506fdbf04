/* net_test.h -- what the tests of net share: waiting for a fact with a deadline, blocking sockets as the other side. */
#ifndef NET_TEST_H
#define NET_TEST_H

#include "net/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

enum { TEST_DEADLINE_MS = 20000 };

/* Waits until COUNTER is at least VALUE. */
static inline void wait_for(_Atomic int *counter, int value)
{
    for (int i = 0; i < TEST_DEADLINE_MS; i++) {
        if (atomic_load(counter) >= value)
            return;
        poll(NULL, 0, 1);
    }
    fail_msg("waited %d ms: %d instead of %d", TEST_DEADLINE_MS, atomic_load(counter), value);
}

/* A blocking client of 127.0.0.1:PORT whose reads give up after the deadline. */
static inline int client_connect(int port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    struct timeval deadline = { .tv_sec = TEST_DEADLINE_MS / 1000 };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof(deadline));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static inline void client_send(int fd, const void *data, size_t size)
{
    const char *at = data;

    while (size > 0) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        assert_true(sent > 0);
        at += sent;
        size -= (size_t)sent;
    }
}

/* Reads SIZE bytes; fewer only at the end of the connection (then -1 means an error or the deadline). */
static inline ssize_t client_read(int fd, void *out, size_t size)
{
    size_t have = 0;

    while (have < size) {
        ssize_t got = recv(fd, (char *)out + have, size - have, 0);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

static inline struct net_loop *loop_started(const char *name)
{
    struct net_loop *loop = NULL;

    assert_int_equal(net_loop_new(&loop, name, NULL), MR_OK);
    net_loop_start(loop);
    return loop;
}

#endif

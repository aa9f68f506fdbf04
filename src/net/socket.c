/* socket.c -- sockets as the system knows them: bind, listen, who has the port. */
#include "net/net_int.h"

#include "base/env.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SOCKET_BACKLOG = 1024,
    PROC_BYTES_MAX = 1024 * 1024, /* of /proc/net/tcp: enough for 6,000 sockets */
    PROC_PROCESSES_MAX = 20000,
};

void net_socket_prepare(int fd)
{
    int on = 1;

    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
#ifdef SO_NOSIGPIPE
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on));
#endif
}

/* ---- who listens on a port (Linux) ---- */

/* The inode of the socket that listens on PORT in the table at PATH (/proc/net/tcp or tcp6), or 0. */
static unsigned long table_inode(const char *path, int port)
{
    struct mr_env *env = mr_env_real();
    struct mr_file *file;
    char *text;
    size_t size = 0;
    size_t got = 1;
    unsigned long inode = 0;

    if (mr_file_open(env, &file, path, MR_OPEN_READ, NULL) != MR_OK)
        return 0;
    text = mr_alloc(PROC_BYTES_MAX + 1);
    while (got > 0 && size < PROC_BYTES_MAX &&
           mr_file_pread(file, text + size, PROC_BYTES_MAX - size, (int64_t)size, &got, NULL) == MR_OK)
        size += got;
    text[size] = '\0';
    for (char *line = strchr(text, '\n'); line != NULL && inode == 0; line = strchr(line + 1, '\n')) {
        unsigned local_port;
        unsigned state;
        unsigned long found;
        if (sscanf(line + 1, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %*d %*d %lu", &local_port,
                   &state, &found) == 3 &&
            state == 0x0A && (int)local_port == port)
            inode = found;
    }
    mr_free(text);
    mr_file_close(file);
    return inode;
}

struct holder_search {
    char wanted[64]; /* "socket:[12345]" */
    char folder[64]; /* "/proc/123/fd" */
    long pid;        /* of the process looked at */
    long found;      /* 0: none yet */
    int processes;
};

static void holder_look_at_fd(void *arg, const char *name, bool is_dir)
{
    struct holder_search *search = arg;
    char path[384];
    char target[128];
    ssize_t size;

    MR_UNUSED(is_dir);
    if (search->found != 0)
        return;
    snprintf(path, sizeof(path), "%s/%s", search->folder, name);
    size = readlink(path, target, sizeof(target) - 1);
    if (size <= 0)
        return;
    target[size] = '\0';
    if (strcmp(target, search->wanted) == 0)
        search->found = search->pid;
}

static void holder_look_at_process(void *arg, const char *name, bool is_dir)
{
    struct holder_search *search = arg;
    char *end;

    MR_UNUSED(is_dir);
    search->pid = strtol(name, &end, 10);
    if (*end != '\0' || search->pid <= 0 || search->found != 0 || search->processes++ >= PROC_PROCESSES_MAX)
        return;
    snprintf(search->folder, sizeof(search->folder), "/proc/%ld/fd", search->pid);
    if (mr_list_dir(mr_env_real(), search->folder, holder_look_at_fd, search, NULL) != MR_OK)
        return; /* of another user: not shown to us */
}

void net_socket_holder(int port, char *out, size_t size)
{
    unsigned long inode = table_inode("/proc/net/tcp", port);
    struct holder_search search = { .found = 0 };
    struct mr_file *file;
    char path[64];
    char name[64] = "";
    size_t got = 0;

    out[0] = '\0';
    if (inode == 0)
        inode = table_inode("/proc/net/tcp6", port);
    if (inode == 0)
        return;
    snprintf(search.wanted, sizeof(search.wanted), "socket:[%lu]", inode);
    if (mr_list_dir(mr_env_real(), "/proc", holder_look_at_process, &search, NULL) != MR_OK || search.found == 0)
        return;
    snprintf(path, sizeof(path), "/proc/%ld/comm", search.found);
    if (mr_file_open(mr_env_real(), &file, path, MR_OPEN_READ, NULL) == MR_OK) {
        if (mr_file_pread(file, name, sizeof(name) - 1, 0, &got, NULL) == MR_OK)
            name[strcspn(name, "\n")] = '\0';
        mr_file_close(file);
    }
    snprintf(out, size, "process %ld (%s)", search.found, name);
}

/* ---- listening ---- */

static enum mr_status bind_error(int error, const struct net_address *address, struct mr_err *err)
{
    char text[NET_ADDRESS_BYTES];
    char holder[128];

    net_address_format(text, address->host, address->port);
    if (error == EADDRINUSE) {
        net_socket_holder(address->port, holder, sizeof(holder));
        if (holder[0] != '\0')
            return mr_err_set(err, MR_BUSY, "%s is in use by %s", text, holder);
        return mr_err_set(err, MR_BUSY, "%s is in use by another process", text);
    }
    if (error == EACCES || error == EPERM)
        return mr_err_set(err, MR_DENIED, "%s may not be listened on (ports below 1024 want more rights)", text);
    if (error == EADDRNOTAVAIL)
        return mr_err_set(err, MR_INVALID, "%s is not an address of this machine", text);
    return mr_err_set_errno(err, MR_IO, error, "listening on %s", text);
}

static int socket_bind(const struct addrinfo *where)
{
    int on = 1;
    int error;
    int fd = socket(where->ai_family, SOCK_STREAM, 0);

    if (fd < 0)
        return -1;
    net_socket_prepare(fd);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, where->ai_addr, where->ai_addrlen) == 0 && listen(fd, SOCKET_BACKLOG) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

enum mr_status net_socket_listen(const char *address, int *fd, char text[NET_ADDRESS_BYTES], struct mr_err *err)
{
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM };
    struct addrinfo *where = NULL;
    struct sockaddr_storage bound;
    socklen_t size = sizeof(bound);
    char host[NET_HOST_BYTES];
    char service[16];
    struct net_address a;
    enum mr_status status = net_address_parse(address, -1, &a, err);
    int made;

    if (status != MR_OK)
        return status;
    if (!a.is_numeric && !a.is_loopback)
        return mr_err_set(err, MR_INVALID, "%s: listening wants an IP address, localhost or *, not a name", address);
    snprintf(service, sizeof(service), "%d", a.port);
    if (getaddrinfo(a.is_numeric ? a.host : "127.0.0.1", service, &hints, &where) != 0)
        return mr_err_set(err, MR_INVALID, "%s is not an address of this machine", address);
    made = socket_bind(where);
    status = made < 0 ? bind_error(errno, &a, err) : MR_OK;
    freeaddrinfo(where);
    if (status != MR_OK)
        return status;
    if (getsockname(made, (struct sockaddr *)&bound, &size) != 0) {
        status = mr_err_set_errno(err, MR_IO, errno, "listening on %s", address);
        close(made);
        return status;
    }
    net_sockaddr_parts(&bound, host, &a.port);
    net_address_format(text, host, a.port);
    *fd = made;
    return MR_OK;
}

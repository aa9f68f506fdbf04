/* test_conn.c -- connections: echo, back-pressure, many at once, limits, every way to end. */
#include "net_test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>

enum mode {
    ECHO,
    CLOSE_IN_READ,
    CLOSE_IN_ACCEPT,
    FLUSH_IN_READ,
    CLOSE_IN_DRAINED,
    FLOOD,
    PAUSE_FIRST,
    LEAVE_ALONE,
    SEND_FILE
};

struct server {
    struct net_loop *loop;
    struct net_listener *listener;
    enum mode mode;
    size_t flood_bytes;
    struct net_conn *held;
    int file;
    size_t input_seen_max;
    enum net_close_reason reason;
    char peer[NET_ADDRESS_BYTES];
    bool peer_is_loopback;
    _Atomic int accepted, reads, drained, closed, read_while_full;
};

static void server_read(struct net_conn *conn, void *arg)
{
    struct server *server = arg;
    struct evbuffer *input = net_conn_input(conn);
    size_t size = evbuffer_get_length(input);

    if (net_conn_output_full(conn))
        atomic_fetch_add(&server->read_while_full, 1);
    if (size > server->input_seen_max)
        server->input_seen_max = size;
    switch (server->mode) {
    case CLOSE_IN_READ:
        net_conn_close(conn);
        net_conn_close(conn);
        break;
    case FLUSH_IN_READ: {
        static const char answer[] = "last words";
        net_conn_write(conn, (struct mr_bytes){ (const uint8_t *)answer, sizeof(answer) - 1 });
        net_conn_close_after_flush(conn);
        break;
    }
    case FLOOD: {
        void *zeros = mr_calloc(1, server->flood_bytes);
        evbuffer_drain(input, size);
        net_conn_write(conn, (struct mr_bytes){ zeros, server->flood_bytes });
        mr_free(zeros);
        break;
    }
    case SEND_FILE: {
        struct evbuffer_file_segment *segment =
            evbuffer_file_segment_new(server->file, 0, (ev_off_t)server->flood_bytes, EVBUF_FS_DISABLE_MMAP);
        evbuffer_drain(input, size);
        evbuffer_add_file_segment(net_conn_output(conn), segment, 0, (ev_off_t)server->flood_bytes);
        evbuffer_file_segment_free(segment);
        break;
    }
    case ECHO:
    case CLOSE_IN_ACCEPT:
    case CLOSE_IN_DRAINED:
    case PAUSE_FIRST:
    case LEAVE_ALONE:
        evbuffer_add_buffer(net_conn_output(conn), input);
        break;
    }
    atomic_fetch_add(&server->reads, 1);
}

static void server_drained(struct net_conn *conn, void *arg)
{
    struct server *server = arg;

    atomic_fetch_add(&server->drained, 1);
    if (server->mode == CLOSE_IN_DRAINED)
        net_conn_close(conn);
}

static void server_close(struct net_conn *conn, enum net_close_reason reason, void *arg)
{
    struct server *server = arg;

    net_conn_close(conn); /* legal, does nothing */
    server->reason = reason;
    atomic_fetch_add(&server->closed, 1);
}

static const struct net_conn_callbacks server_callbacks = {
    .on_read = server_read,
    .on_drained = server_drained,
    .on_close = server_close,
};

static void server_accept(struct net_conn *conn, void *arg)
{
    struct server *server = arg;

    if (server->mode != LEAVE_ALONE)
        net_conn_set_callbacks(conn, &server_callbacks, server);
    snprintf(server->peer, sizeof(server->peer), "%s", net_conn_peer_text(conn));
    server->peer_is_loopback =
        net_conn_is_loopback(conn) && net_conn_local_port(conn) == net_listener_port(server->listener);
    if (server->mode == CLOSE_IN_ACCEPT)
        net_conn_close(conn);
    if (server->mode == PAUSE_FIRST) {
        server->held = net_conn_ref(conn);
        net_conn_pause(conn);
    }
    atomic_fetch_add(&server->accepted, 1);
}

static void server_start(struct server *server, enum mode mode, struct net_listener_options options)
{
    struct mr_err err = MR_ERR_INIT;

    server->mode = mode;
    server->loop = loop_started("server");
    options.name = "test";
    options.address = options.address ? options.address : "127.0.0.1:0";
    options.on_accept = server_accept;
    options.arg = server;
    if (net_listener_open(server->loop, &server->listener, &options, &err) != MR_OK)
        fail_msg("%s", err.text);
    assert_true(net_listener_is_loopback(server->listener));
}

static int server_port(const struct server *server)
{
    return net_listener_port(server->listener);
}

static void test_echo(void **state)
{
    struct server server = { 0 };
    char answer[5];
    int fd;

    MR_UNUSED(state);
    server_start(&server, ECHO, (struct net_listener_options){ .address = "localhost:0" });
    fd = client_connect(server_port(&server));
    client_send(fd, "hello", 5);
    assert_int_equal(client_read(fd, answer, 5), 5);
    assert_memory_equal(answer, "hello", 5);
    assert_true(server.peer_is_loopback);
    assert_int_equal(strncmp(server.peer, "127.0.0.1:", 10), 0);
    assert_int_equal(net_listener_connections(server.listener), 1);
    close(fd);
    wait_for(&server.closed, 1);
    assert_int_equal(server.reason, NET_CLOSED_PEER);
    net_loop_free(server.loop);
    assert_int_equal(server.closed, 1);
}

/* The peer shuts its side after the question: the answer still comes. */
static void test_half_closed(void **state)
{
    struct server server = { 0 };
    char answer[8];
    int fd;

    MR_UNUSED(state);
    server_start(&server, ECHO, (struct net_listener_options){ 0 });
    fd = client_connect(server_port(&server));
    client_send(fd, "hello", 5);
    shutdown(fd, SHUT_WR);
    assert_int_equal(client_read(fd, answer, 8), 5);
    wait_for(&server.closed, 1);
    close(fd);
    net_loop_free(server.loop);
}

struct talker {
    int fd;
    size_t bytes;
    pthread_t thread;
};

static void *talker_run(void *arg)
{
    struct talker *talker = arg;
    char *data = mr_calloc(1, talker->bytes);

    client_send(talker->fd, data, talker->bytes);
    mr_free(data);
    return NULL;
}

/* The peer sends 32 MB and takes nothing back: the server must stop reading, and go on when the peer takes. */
static void test_back_pressure(void **state)
{
    struct server server = { 0 };
    struct talker talker = { .bytes = 32 * 1024 * 1024 };
    char *back = mr_alloc(talker.bytes);

    MR_UNUSED(state);
    server_start(&server, ECHO,
                 (struct net_listener_options){ .output_low = 1000, .output_high = 100000, .input_max = 50000 });
    talker.fd = client_connect(server_port(&server));
    mr_thread_start(&talker.thread, "talker", talker_run, &talker);
    wait_for(&server.reads, 3);
    assert_int_equal(client_read(talker.fd, back, talker.bytes), (ssize_t)talker.bytes);
    pthread_join(talker.thread, NULL);
    net_loop_stop(server.loop);
    assert_true(server.input_seen_max <= 50000);
    assert_int_equal(server.read_while_full, 0);
    assert_true(server.drained > 0);
    assert_int_equal(server.reason, NET_CLOSED_STOP);
    close(talker.fd);
    mr_free(back);
    net_loop_free(server.loop);
}

static void resume_held(void *arg)
{
    struct server *server = arg;

    assert_int_equal(server->reads, 0);
    net_conn_resume(server->held);
    net_conn_unref(server->held);
}

static void test_paused(void **state)
{
    struct server server = { 0 };
    char answer[5];
    int fd;

    MR_UNUSED(state);
    server_start(&server, PAUSE_FIRST, (struct net_listener_options){ 0 });
    fd = client_connect(server_port(&server));
    client_send(fd, "hello", 5);
    wait_for(&server.accepted, 1);
    net_loop_call(server.loop, resume_held, &server);
    assert_int_equal(client_read(fd, answer, 5), 5);
    close(fd);
    net_loop_free(server.loop);
}

enum { MANY = 300 };

static void test_many(void **state)
{
    struct server server = { 0 };
    int fds[MANY];
    char question[64];
    char answer[64];

    MR_UNUSED(state);
    server_start(&server, ECHO, (struct net_listener_options){ 0 });
    for (int i = 0; i < MANY; i++) {
        fds[i] = client_connect(server_port(&server));
        snprintf(question, sizeof(question), "number %06d", i);
        client_send(fds[i], question, 13);
    }
    wait_for(&server.accepted, MANY);
    assert_int_equal(net_listener_connections(server.listener), MANY);
    for (int i = MANY - 1; i >= 0; i--) {
        snprintf(question, sizeof(question), "number %06d", i);
        assert_int_equal(client_read(fds[i], answer, 13), 13);
        assert_memory_equal(answer, question, 13);
        if (i % 2 == 0)
            close(fds[i]);
    }
    wait_for(&server.closed, MANY / 2);
    net_loop_free(server.loop);
    assert_int_equal(server.closed, MANY);
    for (int i = 1; i < MANY; i += 2) {
        assert_int_equal(client_read(fds[i], answer, 1), 0);
        close(fds[i]);
    }
}

static void test_connection_limit(void **state)
{
    struct server server = { 0 };
    char byte;
    int first;
    int second;

    MR_UNUSED(state);
    server_start(&server, ECHO, (struct net_listener_options){ .connections_max = 1 });
    first = client_connect(server_port(&server));
    wait_for(&server.accepted, 1);
    second = client_connect(server_port(&server));
    assert_int_equal(client_read(second, &byte, 1), 0);
    assert_int_equal(net_listener_refused(server.listener), 1);
    close(second);
    close(first);
    wait_for(&server.closed, 1);
    first = client_connect(server_port(&server));
    wait_for(&server.accepted, 2);
    close(first);
    net_loop_free(server.loop);
}

static const struct {
    enum mode mode;
    const char *answer; /* before the end */
    int closed;         /* on_close calls */
} endings[] = {
    { CLOSE_IN_READ, "", 1 },         { CLOSE_IN_ACCEPT, "", 1 }, { FLUSH_IN_READ, "last words", 1 },
    { CLOSE_IN_DRAINED, "hello", 1 }, { LEAVE_ALONE, "", 0 },
};

static void test_close_in_every_callback(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(endings); i++) {
        struct server server = { 0 };
        char answer[32];
        ssize_t size;
        int fd;

        server_start(&server, endings[i].mode, (struct net_listener_options){ 0 });
        fd = client_connect(server_port(&server));
        if (endings[i].mode != CLOSE_IN_ACCEPT && endings[i].mode != LEAVE_ALONE)
            client_send(fd, "hello", 5);
        size = client_read(fd, answer, sizeof(answer));
        if (size >= 0) { /* a close with unread bytes may be a reset */
            assert_int_equal(size, strlen(endings[i].answer));
            assert_memory_equal(answer, endings[i].answer, (size_t)size);
        } else {
            assert_int_equal(endings[i].mode, CLOSE_IN_READ);
        }
        close(fd);
        wait_for(&server.closed, endings[i].closed);
        if (endings[i].closed > 0)
            assert_int_equal(server.reason, NET_CLOSED_LOCAL);
        net_loop_free(server.loop);
        assert_int_equal(server.closed, endings[i].closed);
    }
}

/* A long answer is not lost when more questions are under way at the close. */
static void test_flush_is_whole(void **state)
{
    struct server server = { .flood_bytes = 8 * 1024 * 1024 };
    char *answer = mr_alloc(server.flood_bytes + 1);
    int fd;

    MR_UNUSED(state);
    server_start(&server, FLOOD, (struct net_listener_options){ 0 });
    fd = client_connect(server_port(&server));
    client_send(fd, "x", 1);
    wait_for(&server.reads, 1);
    shutdown(fd, SHUT_WR);
    assert_int_equal(client_read(fd, answer, server.flood_bytes + 1), (ssize_t)server.flood_bytes);
    close(fd);
    wait_for(&server.closed, 1);
    mr_free(answer);
    net_loop_free(server.loop);
}

static void test_idle(void **state)
{
    struct server server = { 0 };
    char byte;
    int fd;

    MR_UNUSED(state);
    server_start(&server, ECHO, (struct net_listener_options){ .idle_ms = 30 });
    fd = client_connect(server_port(&server));
    assert_int_equal(client_read(fd, &byte, 1), 0);
    wait_for(&server.closed, 1);
    assert_int_equal(server.reason, NET_CLOSED_IDLE);
    close(fd);
    net_loop_free(server.loop);
}

static void test_file_segment(void **state)
{
    struct server server = { .flood_bytes = 3 * 1024 * 1024 };
    char name[] = "/tmp/test_net_XXXXXX";
    char *data = mr_alloc(server.flood_bytes);
    char *answer = mr_alloc(server.flood_bytes);
    int fd;

    MR_UNUSED(state);
    for (size_t i = 0; i < server.flood_bytes; i++)
        data[i] = (char)(i * 7 + i / 4096);
    server.file = mkstemp(name);
    assert_true(server.file >= 0);
    unlink(name);
    assert_int_equal(pwrite(server.file, data, server.flood_bytes, 0), (ssize_t)server.flood_bytes);
    server_start(&server, SEND_FILE, (struct net_listener_options){ 0 });
    fd = client_connect(server_port(&server));
    client_send(fd, "x", 1);
    assert_int_equal(client_read(fd, answer, server.flood_bytes), (ssize_t)server.flood_bytes);
    assert_memory_equal(answer, data, server.flood_bytes);

    /* cut under our feet: the connection ends instead of spinning */
    assert_int_equal(ftruncate(server.file, 1000), 0);
    client_send(fd, "x", 1);
    assert_int_equal(client_read(fd, answer, server.flood_bytes), 1000);
    wait_for(&server.closed, 1);
    assert_int_equal(server.reason, NET_CLOSED_ERROR);
    close(fd);
    mr_free(data);
    mr_free(answer);
    net_loop_free(server.loop);
}

static void test_port_in_use(void **state)
{
    struct server server = { 0 };
    struct net_listener *second = NULL;
    struct mr_err err = MR_ERR_INIT;
    struct net_listener_options options = { .name = "second", .on_accept = server_accept };
    char pid[32];

    MR_UNUSED(state);
    server_start(&server, ECHO, (struct net_listener_options){ 0 });
    options.address = net_listener_text(server.listener);
    assert_int_equal(net_listener_open(server.loop, &second, &options, &err), MR_BUSY);
    assert_null(second);
    assert_non_null(strstr(err.text, options.address));
    snprintf(pid, sizeof(pid), "process %d (", (int)getpid());
    if (access("/proc/net/tcp", R_OK) == 0)
        assert_non_null(strstr(err.text, pid));
    options.address = "some.name.example:0";
    assert_int_equal(net_listener_open(server.loop, &second, &options, &err), MR_INVALID);
    options.address = "203.0.113.1:0";
    assert_int_equal(net_listener_open(server.loop, &second, &options, &err), MR_INVALID);
    net_listener_close(server.listener);
    net_loop_free(server.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_half_closed),
        cmocka_unit_test(test_back_pressure),
        cmocka_unit_test(test_paused),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_connection_limit),
        cmocka_unit_test(test_close_in_every_callback),
        cmocka_unit_test(test_flush_is_whole),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_file_segment),
        cmocka_unit_test(test_port_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

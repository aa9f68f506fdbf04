/* test_connect.c -- outgoing connections: made, refused, given up, by number and by name. */
#include "net_test.h"

struct side {
    struct net_loop *loop;
    struct net_listener *listener;
    struct net_conn *conn;
    char address[NET_ADDRESS_BYTES];
    bool close_at_once;
    enum net_close_reason reason;
    char error[256];
    char got[64];
    _Atomic int opened, closed, answered;
};

static void echo_read(struct net_conn *conn, void *arg)
{
    MR_UNUSED(arg);
    evbuffer_add_buffer(net_conn_output(conn), net_conn_input(conn));
}

static const struct net_conn_callbacks echo = { .on_read = echo_read };

static void on_accept(struct net_conn *conn, void *arg)
{
    net_conn_set_callbacks(conn, &echo, arg);
}

static void side_open(struct net_conn *conn, void *arg)
{
    struct side *side = arg;

    net_conn_write(conn, (struct mr_bytes){ (const uint8_t *)"ping", 4 });
    atomic_fetch_add(&side->opened, 1);
}

static void side_read(struct net_conn *conn, void *arg)
{
    struct side *side = arg;
    int size = evbuffer_remove(net_conn_input(conn), side->got, sizeof(side->got) - 1);

    side->got[size > 0 ? size : 0] = '\0';
    atomic_fetch_add(&side->answered, 1);
    net_conn_close(conn);
}

static void side_close(struct net_conn *conn, enum net_close_reason reason, void *arg)
{
    struct side *side = arg;

    side->reason = reason;
    snprintf(side->error, sizeof(side->error), "%s", net_conn_error_text(conn));
    atomic_fetch_add(&side->closed, 1);
}

static const struct net_conn_callbacks side_callbacks = {
    .on_open = side_open,
    .on_read = side_read,
    .on_close = side_close,
};

static void side_connect(void *arg)
{
    struct side *side = arg;

    assert_int_equal(net_connect(side->loop, &side->conn, side->address, 0, &side_callbacks, side, NULL), MR_OK);
    if (side->close_at_once)
        net_conn_close(side->conn);
}

static void side_start(struct side *side)
{
    struct net_listener_options options = { .name = "t", .address = "127.0.0.1:0", .on_accept = on_accept };

    side->loop = loop_started("connect");
    assert_int_equal(net_listener_open(side->loop, &side->listener, &options, NULL), MR_OK);
}

static void test_by_number_and_by_name(void **state)
{
    static const char *const hosts[] = { "127.0.0.1", "localhost" };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(hosts); i++) {
        struct side side = { .loop = NULL };

        side_start(&side);
        net_address_format(side.address, hosts[i], net_listener_port(side.listener));
        net_loop_call(side.loop, side_connect, &side);
        wait_for(&side.closed, 1);
        assert_int_equal(side.opened, 1);
        assert_int_equal(side.reason, NET_CLOSED_LOCAL);
        assert_string_equal(side.got, "ping");
        net_loop_free(side.loop);
    }
}

static void test_refused(void **state)
{
    struct side side = { .loop = NULL };

    MR_UNUSED(state);
    side_start(&side);
    net_address_format(side.address, "127.0.0.1", net_listener_port(side.listener));
    net_listener_close(side.listener);
    net_loop_call(side.loop, side_connect, &side);
    wait_for(&side.closed, 1);
    assert_int_equal(side.opened, 0);
    assert_int_equal(side.reason, NET_CLOSED_ERROR);
    assert_non_null(strstr(side.error, side.address));
    assert_non_null(strstr(side.error, "refused"));
    net_loop_free(side.loop);
}

static void test_given_up(void **state)
{
    static const char *const hosts[] = { "127.0.0.1", "localhost" };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(hosts); i++) {
        struct side side = { .close_at_once = true };

        side_start(&side);
        net_address_format(side.address, hosts[i], net_listener_port(side.listener));
        net_loop_call(side.loop, side_connect, &side);
        wait_for(&side.closed, 1);
        assert_int_equal(side.opened, 0);
        assert_int_equal(side.reason, NET_CLOSED_LOCAL);
        net_loop_free(side.loop);
    }
}

static void test_loop_ends_while_resolving(void **state)
{
    struct side side = { .loop = NULL };

    MR_UNUSED(state);
    side_start(&side);
    net_address_format(side.address, "localhost", net_listener_port(side.listener));
    net_loop_call(side.loop, side_connect, &side);
    net_loop_free(side.loop);
    assert_int_equal(side.closed, 1);
}

static void test_bad_address(void **state)
{
    struct net_loop *loop = NULL;
    struct net_conn *conn = NULL;

    MR_UNUSED(state);
    assert_int_equal(net_loop_new(&loop, "bad", NULL), MR_OK);
    assert_int_equal(net_connect(loop, &conn, "nowhere", 0, &side_callbacks, NULL, NULL), MR_INVALID);
    assert_int_equal(net_connect(loop, &conn, "127.0.0.1:0", 0, &side_callbacks, NULL, NULL), MR_INVALID);
    assert_null(conn);
    net_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_number_and_by_name),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_given_up),
        cmocka_unit_test(test_loop_ends_while_resolving),
        cmocka_unit_test(test_bad_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

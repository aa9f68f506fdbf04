/* conn_get.c -- what can be asked of a connection. */
#include "net/net_int.h"

void *net_conn_arg(const struct net_conn *conn)
{
    return conn->arg;
}

struct evbuffer *net_conn_input(struct net_conn *conn)
{
    return conn->input;
}

struct evbuffer *net_conn_output(struct net_conn *conn)
{
    return conn->output;
}

uint64_t net_conn_id(const struct net_conn *conn)
{
    return conn->id;
}

const char *net_conn_local_text(const struct net_conn *conn)
{
    return conn->local_text;
}

const char *net_conn_peer_text(const struct net_conn *conn)
{
    return conn->peer_text;
}

const char *net_conn_local_host(const struct net_conn *conn)
{
    return conn->local_host;
}

const char *net_conn_peer_host(const struct net_conn *conn)
{
    return conn->peer_host;
}

int net_conn_local_port(const struct net_conn *conn)
{
    return conn->local_port;
}

bool net_conn_is_loopback(const struct net_conn *conn)
{
    return net_address_is_loopback(conn->peer_text);
}

struct net_listener *net_conn_listener(const struct net_conn *conn)
{
    return conn->listener;
}

const char *net_conn_error_text(const struct net_conn *conn)
{
    return conn->error_text;
}

uint64_t net_conn_bytes_in(const struct net_conn *conn)
{
    return conn->bytes_in;
}

uint64_t net_conn_bytes_out(const struct net_conn *conn)
{
    return conn->bytes_out;
}

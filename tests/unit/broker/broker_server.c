/* broker_server.c -- a log and a broker on a port, for tests: broker_server DIR [HOST:PORT [no-auto-create]].
 * Writes the bound address as one line, ends when its input does. */
#include "base/logging.h"
#include "broker/broker.h"
#include "log/log.h"
#include "net/net.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct server {
    const char *dir;
    const char *address;
    bool auto_create;
    struct net_loop *loop;
    struct log *log;
    struct broker *broker;
    enum mr_status status;
    struct mr_err err;
};

static void server_open(void *arg)
{
    struct server *s = arg;
    struct log_options log_options = { .post = net_loop_poster(s->loop) };
    struct broker_listener listener = { .address = s->address };
    struct broker_options options = {
        .loop = s->loop,
        .env = mr_env_real(),
        .listeners = &listener,
        .listener_count = 1,
        .auto_create_topics = s->auto_create,
    };

    s->status = log_open(&s->log, s->dir, &log_options, &s->err);
    if (s->status != MR_OK)
        return;
    options.log = s->log;
    s->status = broker_open(&s->broker, &options, &s->err);
}

static void server_close(void *arg)
{
    struct server *s = arg;

    broker_close(s->broker);
    if (s->log != NULL && log_close(s->log, &s->err) != MR_OK)
        s->status = MR_IO;
}

int main(int argc, char **argv)
{
    struct server s = { .err = MR_ERR_INIT };
    char byte;

    if (argc < 2) {
        fprintf(stderr, "usage: broker_server DIR [HOST:PORT [no-auto-create]]\n");
        return 2;
    }
    s.dir = argv[1];
    s.address = argc > 2 ? argv[2] : "127.0.0.1:0";
    s.auto_create = argc <= 3;
    if (net_loop_new(&s.loop, "broker", &s.err) != MR_OK) {
        fprintf(stderr, "%s\n", s.err.text);
        return 1;
    }
    net_loop_start(s.loop);
    net_loop_call(s.loop, server_open, &s);
    if (s.status == MR_OK) {
        printf("%s\n", broker_address(s.broker, 0));
        fflush(stdout);
        while (read(STDIN_FILENO, &byte, 1) > 0)
            continue;
    } else {
        fprintf(stderr, "%s\n", s.err.text);
    }
    net_loop_call(s.loop, server_close, &s);
    net_loop_free(s.loop);
    return s.status == MR_OK ? 0 : 1;
}

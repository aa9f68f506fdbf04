/* broker_server.c -- a log and a broker on a port, for tests: broker_server DIR [HOST:PORT [UNSYNCED_BYTES_MAX]].
 * Writes the bound address as one line, ends when its input does, and then writes the metrics. */
#include "base/metrics.h"
#include "base/text.h"
#include "broker/broker.h"
#include "log/log.h"
#include "net/net.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct server {
    const char *dir;
    const char *address;
    int64_t unsynced_bytes_max; /* 0: the default */
    struct net_loop *loop;
    struct log *log;
    struct broker *broker;
    enum mr_status status;
    struct mr_err err;
};

static void server_open(void *arg)
{
    struct server *s = arg;
    struct log_options log_options = { .post = net_loop_poster(s->loop), .unsynced_bytes_max = s->unsynced_bytes_max };
    struct broker_listener listener = { .address = s->address };
    struct broker_options options = {
        .loop = s->loop,
        .env = mr_env_real(),
        .listeners = &listener,
        .listener_count = 1,
        .auto_create_topics = true,
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
    struct mr_writer metrics = { 0 };
    char byte;

    if (argc < 2) {
        fprintf(stderr, "usage: broker_server DIR [HOST:PORT [UNSYNCED_BYTES_MAX]]\n");
        return 2;
    }
    s.dir = argv[1];
    s.address = argc > 2 ? argv[2] : "127.0.0.1:0";
    if (argc > 3 && mr_parse_i64(mr_str_of(argv[3]), &s.unsynced_bytes_max) != MR_OK)
        return 2;
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
    mr_metrics_render(&metrics);
    fwrite(metrics.data, 1, metrics.size, stdout);
    mr_writer_deinit(&metrics);
    return s.status == MR_OK ? 0 : 1;
}

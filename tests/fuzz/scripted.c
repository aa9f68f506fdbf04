/* scripted.c -- see scripted.h. */
#include "scripted.h"

#include "base/logging.h"
#include "connectors/connectors_int.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 64, PART_BYTES_MAX = 32 * 1024 };

enum mr_status __wrap_connector_connect(int *out, const struct connector_address *address, int64_t timeout_ms,
                                        const struct connector_context *ctx, struct mr_err *err);
enum mr_status __wrap_connector_wait_until(const struct connector_context *ctx, int64_t until_ms);

static struct mr_env_ops ops;
static struct mr_env env = { .ops = &ops };
static atomic_bool stop;
static int64_t now_ns;
static struct mr_reader script;
static int servers[CONNECTIONS_MAX];
static int server_count;

static int64_t clock_read(struct mr_env *unused)
{
    MR_UNUSED(unused);
    now_ns += 1000000;
    return now_ns;
}

static void random_fill(struct mr_env *unused, void *out, size_t size)
{
    MR_UNUSED(unused);
    memset(out, 0x5a, size);
}

enum mr_status __wrap_connector_wait_until(const struct connector_context *ctx, int64_t until_ms)
{
    if (until_ms * 1000000 > now_ns)
        now_ns = until_ms * 1000000;
    return connector_stopped(ctx) ? MR_BUSY : MR_OK;
}

enum mr_status __wrap_connector_connect(int *out, const struct connector_address *address, int64_t timeout_ms,
                                        const struct connector_context *ctx, struct mr_err *err)
{
    struct mr_bytes part;
    int pair[2];

    MR_UNUSED(timeout_ms);
    MR_UNUSED(ctx);
    FUZZ_MUST(memchr(address->host, '\0', sizeof(address->host)) != NULL && address->port != 0);
    if (mr_reader_left(&script) < 2 || server_count == CONNECTIONS_MAX) {
        atomic_store(&stop, true);
        return mr_err_set(err, MR_BUSY, "stopped");
    }
    part.size = mr_read_u16(&script);
    if (part.size > PART_BYTES_MAX)
        part.size = PART_BYTES_MAX;
    if (part.size > mr_reader_left(&script))
        part.size = mr_reader_left(&script);
    part = mr_read_slice(&script, part.size);
    FUZZ_MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    FUZZ_MUST(part.size == 0 || send(pair[1], part.data, part.size, MSG_NOSIGNAL) == (ssize_t)part.size);
    FUZZ_MUST(shutdown(pair[1], SHUT_WR) == 0);
    servers[server_count++] = pair[1];
    *out = pair[0];
    return MR_OK;
}

struct connector_context *scripted_begin(const uint8_t *data, size_t size)
{
    static struct connector_context context;

    mr_log_setup(MR_LOG_OFF, MR_LOG_LOGFMT);
    ops = *mr_env_real()->ops;
    ops.monotonic_ns = clock_read;
    ops.random = random_fill;
    now_ns = 0;
    atomic_store(&stop, false);
    script = mr_reader_of((struct mr_bytes){ data, size });
    context = (struct connector_context){ .env = &env, .query_name = "q", .stop = &stop };
    return &context;
}

void scripted_end(void)
{
    while (server_count > 0)
        close(servers[--server_count]);
}

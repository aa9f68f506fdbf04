/* simulate.h -- the Random User API, contract of version 1.4, offline: an HTTP server and, for tests and benches, the
 * people alone.  The same seed, page and parameters give the same bytes on every machine; words and people are ours. */
#ifndef MR_SIMULATE_H
#define MR_SIMULATE_H

#include "base/base.h"
#include "net/net.h"

#ifdef __cplusplus
extern "C" {
#endif

enum simulate_limits {
    SIMULATE_RESULTS_MAX = 5000,
    SIMULATE_PAGE_MAX = 10000,
    SIMULATE_SEED_BYTES_MAX = 64,
};

struct simulate_options {
    const char *listen;  /* HOST:PORT; NULL: 127.0.0.1:8000 */
    const char *seed;    /* of requests without one, and of failures; NULL: "millrace" */
    int64_t latency_ms;  /* every answer waits so long */
    int64_t slow_ms;     /* how long a slow failure takes; 0: 5,000 */
    double fail_percent; /* of requests: a third 500, a third cut off, a third slow; 0 to 100 */
};

struct simulate_server;

/* Answers GET /, /api, /api/ and /api/1.4/ on LOOP.  Options are copied.  Caller owns: simulate_server_close.  Loop
 * thread, or before the loop starts.  MR_INVALID: fail_percent; else as net_listener_open. */
MR_MUST_CHECK enum mr_status simulate_randomuser_open(struct simulate_server **out, struct net_loop *loop,
                                                      const struct simulate_options *options, struct mr_err *err);
/* Before net_loop_free; loop thread, or when it has stopped.  NULL is legal. */
void simulate_server_close(struct simulate_server *server);
/* "HOST:PORT" as bound; requests so far, and how many of them failed on purpose. [any] */
const char *simulate_server_text(const struct simulate_server *server);
int64_t simulate_server_requests(const struct simulate_server *server);
int64_t simulate_server_failures(const struct simulate_server *server);

/* Appends person INDEX of SEED as one JSON object without spaces, of any nationality and gender. [any] */
void simulate_person_json(struct mr_str seed, uint64_t index, struct mr_writer *out);

#ifdef __cplusplus
}
#endif
#endif

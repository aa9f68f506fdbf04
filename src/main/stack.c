/* stack.c -- see stack.h.
 *
 * Start: every listener's address is checked first, so that nothing is half open over a typing mistake; then the log
 * recovers on the broker's loop while the tables open here, each listening when it is whole; HTTP comes last.
 *
 * A Kafka listener that advertises an address tells it to everyone, so clients inside (queries, commands on this
 * machine) need one that does not: when there is none, one more listens on a free port of 127.0.0.1.
 *
 * Stop: the other way round; log and store sync what they hold. */
#include "main/stack.h"
#include "access/access.h"
#include "base/env.h"
#include "broker/broker.h"
#include "console/console.h"
#include "http/http.h"
#include "log/log.h"
#include "main/data_dir.h"
#include "net/net.h"
#include "store/store.h"
#include "tables/tables.h"

#include <string.h>
#include <sys/resource.h>

/* Descriptors that connections leave to files, at most; Kafka, CQL and HTTP share the others. */
enum { FILES_KEPT = 1024, SHARES = 3 };

struct stack {
    struct stack_options options; /* borrowed texts, until stack_open returns */
    struct access *access;        /* owned, as all below */
    struct net_loop *kafka_loop;
    struct log *log;
    struct broker *broker;
    uint32_t kafka_inside; /* which listener is for clients on this machine */
    char *kafka_listeners; /* owned; for people */
    struct net_loop *cql_loop;
    struct store *store;
    struct tables *tables;
    struct net_loop *http_loop;
    struct http_server *http;
    bool data_failed; /* why stack_open failed */
    int share;        /* connections that each of the three may have */
};

/* One job on a part's loop, and how it ended. */
struct part_job {
    struct stack *stack;
    enum mr_status status;
    struct mr_err err;
};

/* Takes all descriptors that the system gives.  Connections of one listener must not take those of the others, nor of
 * files. */
static int connections_share(void)
{
    struct rlimit limit;
    rlim_t files;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return NET_CONNECTIONS_MAX;
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit more = { limit.rlim_max, limit.rlim_max };

        if (setrlimit(RLIMIT_NOFILE, &more) == 0)
            limit = more;
    }
    files = limit.rlim_cur / 2 < FILES_KEPT ? limit.rlim_cur / 2 : FILES_KEPT;
    if ((limit.rlim_cur - files) / SHARES > NET_CONNECTIONS_MAX)
        return NET_CONNECTIONS_MAX;
    return (int)((limit.rlim_cur - files) / SHARES);
}

static int32_t int32_of(int64_t value)
{
    return value > INT32_MAX ? INT32_MAX : (int32_t)(value < 0 ? 0 : value);
}

static int at_most(int a, int b)
{
    return a < b ? a : b;
}

static enum mr_status check_listen(const char *setting, const char *text, bool security_open, struct mr_err *err)
{
    struct net_address address;
    enum mr_status status = net_address_parse(text, -1, &address, err);

    if (status != MR_OK) {
        mr_err_context(err, "%s", setting);
        return status;
    }
    if (!address.is_loopback && !security_open)
        return mr_err_set(
            err, MR_DENIED,
            "%s: %s can be reached from other machines, and there are no users yet: listen on 127.0.0.1, or "
            "set \"security: open\" in millrace.yaml (--security open) to let everyone in",
            setting, text);
    return MR_OK;
}

/* Calls CHECK's rule for every address of the comma-separated LIST, cut apart in place into ITEMS. */
static enum mr_status split_listen(const char *setting, char *list, bool security_open, const char **items,
                                   size_t items_max, size_t *count, struct mr_err *err)
{
    char *rest = NULL;

    *count = 0;
    for (char *item = strtok_r(list, ", ", &rest); item != NULL; item = strtok_r(NULL, ", ", &rest)) {
        enum mr_status status = check_listen(setting, item, security_open, err);

        if (status != MR_OK)
            return status;
        if (*count == items_max)
            return mr_err_set(err, MR_LIMIT, "%s: at most %zu addresses", setting, items_max);
        items[(*count)++] = item;
    }
    if (*count == 0)
        return mr_err_set(err, MR_INVALID, "%s: an address HOST:PORT is missing", setting);
    return MR_OK;
}

static enum mr_status check_list(const char *setting, const char *text, bool security_open, struct mr_err *err)
{
    const char *items[TABLES_LISTENERS_MAX];
    char *list = mr_strdup(text);
    size_t count;
    enum mr_status status = split_listen(setting, list, security_open, items, MR_COUNT(items), &count, err);

    mr_free(list);
    return status;
}

/* Cuts the advertised addresses in LIST apart in place: ITEMS[I] for the I-th of COUNT listeners, NULL: none. */
static enum mr_status split_advertise(char *list, const char **items, size_t count, struct mr_err *err)
{
    char *rest = NULL;
    size_t n = 0;

    for (char *item = strtok_r(list, ", ", &rest); item != NULL; item = strtok_r(NULL, ", ", &rest), n++) {
        struct net_address address;
        enum mr_status status = MR_OK;

        if (n >= count)
            continue;
        items[n] = strcmp(item, "-") == 0 ? NULL : item;
        if (items[n] != NULL)
            status = net_address_parse(item, -1, &address, err);
        if (status == MR_OK && items[n] != NULL && (address.is_any || address.port == 0))
            status = mr_err_set(err, MR_INVALID, "no client can connect to %s", item);
        if (status != MR_OK) {
            mr_err_context(err, "kafka.advertise");
            return status;
        }
    }
    if (n != count)
        return mr_err_set(err, MR_INVALID,
                          "kafka.advertise: give one HOST:PORT for each of the %zu addresses of kafka.listen, in their "
                          "order; \"-\" is none",
                          count);
    return MR_OK;
}

/* The listeners that the options name, *COUNT of them; their texts point into LISTEN and ADVERTISE, which are cut. */
static enum mr_status kafka_listeners(const struct stack_options *o, char *listen, char *advertise,
                                      struct broker_listener *listeners, size_t *count, struct mr_err *err)
{
    const char *items[BROKER_LISTENERS_MAX - 1], *told[BROKER_LISTENERS_MAX - 1] = { NULL };
    enum mr_status status = split_listen("kafka.listen", listen, o->security_open, items, MR_COUNT(items), count, err);

    if (status == MR_OK && advertise != NULL)
        status = split_advertise(advertise, told, *count, err);
    for (size_t i = 0; status == MR_OK && i < *count; i++)
        listeners[i] = (struct broker_listener){ items[i], told[i] };
    return status;
}

static enum mr_status check_kafka(const struct stack_options *o, struct mr_err *err)
{
    struct broker_listener listeners[BROKER_LISTENERS_MAX];
    char *listen = mr_strdup(o->kafka_listen);
    char *advertise = o->kafka_advertise != NULL ? mr_strdup(o->kafka_advertise) : NULL;
    size_t count;
    enum mr_status status = kafka_listeners(o, listen, advertise, listeners, &count, err);

    mr_free(listen);
    mr_free(advertise);
    return status;
}

static enum mr_status check_addresses(const struct stack_options *o, struct mr_err *err)
{
    enum mr_status status = MR_OK;

    if (o->kafka_listen != NULL)
        status = check_kafka(o, err);
    if (status == MR_OK && o->cql_listen != NULL)
        status = check_list("cql.listen", o->cql_listen, o->security_open, err);
    if (status == MR_OK && o->http_listen != NULL)
        status = check_listen("http.listen", o->http_listen, o->security_open, err);
    return status;
}

/* ---- the log and its broker, on their loop ---- */

/* Sees to it that a listener tells no other address, and notes which. */
static void inside_choose(struct stack *s, struct broker_listener *listeners, size_t *count)
{
    s->kafka_inside = 0;
    while (s->kafka_inside < *count && listeners[s->kafka_inside].advertise != NULL)
        s->kafka_inside++;
    if (s->kafka_inside == *count)
        listeners[(*count)++] = (struct broker_listener){ "127.0.0.1:0", NULL };
}

static void advertised_describe(struct mr_writer *text, const char *advertise)
{
    mr_write_str(text, MR_STR(" (told as "));
    mr_write_str(text, mr_str_of(advertise));
    mr_write_str(text, MR_STR(")"));
}

static void listeners_describe(struct stack *s, const struct broker_listener *listeners, size_t count)
{
    struct mr_writer text = { 0 };

    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            mr_write_str(&text, MR_STR(", "));
        mr_write_str(&text, mr_str_of(broker_address(s->broker, i)));
        if (listeners[i].advertise != NULL)
            advertised_describe(&text, listeners[i].advertise);
    }
    s->kafka_listeners = mr_str_dup((struct mr_str){ (const char *)text.data, text.size });
    mr_writer_deinit(&text);
}

static enum mr_status kafka_listen(struct stack *s, struct mr_err *err)
{
    struct broker_listener listeners[BROKER_LISTENERS_MAX] = { 0 };
    char cluster_id[DATA_DIR_CLUSTER_BYTES];
    char *listen = mr_strdup(s->options.kafka_listen);
    char *advertise = s->options.kafka_advertise != NULL ? mr_strdup(s->options.kafka_advertise) : NULL;
    size_t count;
    enum mr_status status = kafka_listeners(&s->options, listen, advertise, listeners, &count, err);

    if (status == MR_OK) {
        inside_choose(s, listeners, &count);
        status = data_dir_cluster_id(s->options.data_dir, cluster_id, err);
    }
    if (status == MR_OK) {
        struct broker_options options = {
            .loop = s->kafka_loop,
            .log = s->log,
            .env = mr_env_real(),
            .listeners = listeners,
            .listener_count = (uint32_t)count,
            .auto_create_topics = true,
            .replication_reject = s->options.replication_reject,
            .groups = { .initial_rebalance_delay_ms = int32_of(s->options.group_delay_ms),
                        .session_timeout_min_ms = int32_of(s->options.group_session_ms),
                        .offsets_retention_minutes = int32_of(s->options.offsets_minutes) },
            .connections_max = (uint32_t)at_most(s->share, BROKER_CONNECTIONS_MAX_DEFAULT),
            .cluster_id = cluster_id,
        };

        status = broker_open(&s->broker, &options, err);
    }
    if (status == MR_OK)
        listeners_describe(s, listeners, count);
    mr_free(listen);
    mr_free(advertise);
    return status;
}

static void kafka_open_job(void *arg)
{
    struct part_job *job = arg;
    struct stack *s = job->stack;
    struct log_options options = {
        .env = mr_env_real(),
        .post = net_loop_poster(s->kafka_loop),
        .relaxed = s->options.relaxed,
    };
    char dir[MR_PATH_BYTES];

    job->status = mr_path_join(dir, s->options.data_dir, "log", &job->err);
    if (job->status == MR_OK)
        job->status = log_open(&s->log, dir, &options, &job->err);
    if (job->status != MR_OK) {
        s->data_failed = true;
        return;
    }
    job->status = kafka_listen(s, &job->err);
}

static void kafka_close_job(void *arg)
{
    struct part_job *job = arg;
    struct stack *s = job->stack;

    broker_close(s->broker);
    if (s->log != NULL)
        job->status = log_close(s->log, &job->err);
    s->broker = NULL;
    s->log = NULL;
}

/* ---- the store and its CQL server ---- */

static enum mr_status cql_listen(struct stack *s, struct mr_err *err)
{
    const char *items[TABLES_LISTENERS_MAX];
    char *list = mr_strdup(s->options.cql_listen);
    struct tables_options options = {
        .listen = items,
        .loop = s->cql_loop,
        .store = s->store,
        .access = s->access,
        .env = mr_env_real(),
    };
    enum mr_status status =
        split_listen("cql.listen", list, s->options.security_open, items, MR_COUNT(items), &options.listen_count, err);

    if (status == MR_OK) {
        options.connections_max = s->share / (int)options.listen_count;
        status = tables_open(&s->tables, &options, err);
    }
    mr_free(list);
    return status;
}

static enum mr_status cql_open(struct stack *s, struct mr_err *err)
{
    struct store_options options = {
        .env = mr_env_real(),
        .durability = s->options.relaxed ? STORE_RELAXED : STORE_SYNCED,
    };
    char dir[MR_PATH_BYTES];
    enum mr_status status = mr_path_join(dir, s->options.data_dir, "tables", err);

    if (status == MR_OK)
        status = net_loop_new(&s->cql_loop, "cql", err);
    if (status != MR_OK)
        return status;
    options.post = net_loop_poster(s->cql_loop);
    status = store_open(&s->store, dir, &options, err);
    if (status != MR_OK) {
        s->data_failed = true;
        return status;
    }
    net_loop_start(s->cql_loop);
    return cql_listen(s, err);
}

/* ---- HTTP ---- */

static enum mr_status http_open(struct stack *s, struct mr_err *err)
{
    const char *hosts[32] = { NULL };
    char *list = s->options.http_hosts ? mr_strdup(s->options.http_hosts) : NULL;
    char *rest = NULL;
    size_t count = 0;
    struct http_server_options options = { .name = "api",
                                           .address = s->options.http_listen,
                                           .hosts = hosts,
                                           .content_security_policy = CONSOLE_SECURITY_POLICY,
                                           .connections_max = at_most(s->share, HTTP_SERVER_CONNECTIONS_MAX) };
    enum mr_status status = net_loop_new(&s->http_loop, "http", err);

    for (char *item = list ? strtok_r(list, ", ", &rest) : NULL; item != NULL && count + 1 < MR_COUNT(hosts);
         item = strtok_r(NULL, ", ", &rest))
        hosts[count++] = item;
    if (status == MR_OK)
        status = http_server_open(&s->http, s->http_loop, &options, err);
    if (status == MR_OK)
        net_loop_start(s->http_loop);
    mr_free(list);
    return status;
}

static void http_close_job(void *arg)
{
    struct part_job *job = arg;

    http_server_close(job->stack->http);
    job->stack->http = NULL;
}

static void loop_nothing(void *arg)
{
    MR_UNUSED(arg);
}

static enum mr_status open_parts(struct stack *s, struct mr_err *err)
{
    struct part_job kafka = { .stack = s };
    enum mr_status status = MR_OK;

    if (s->options.kafka_listen != NULL) {
        status = net_loop_new(&s->kafka_loop, "kafka", err);
        if (status != MR_OK)
            return status;
        net_loop_start(s->kafka_loop);
        net_loop_post(s->kafka_loop, kafka_open_job, &kafka); /* recovers while the tables open here */
    }
    if (s->options.cql_listen != NULL)
        status = cql_open(s, err);
    if (s->kafka_loop != NULL)
        net_loop_call(s->kafka_loop, loop_nothing, NULL); /* behind kafka_open_job */
    if (status == MR_OK && kafka.status != MR_OK) {
        *err = kafka.err;
        status = kafka.status;
    }
    if (status == MR_OK && s->options.http_listen != NULL)
        status = http_open(s, err);
    return status;
}

enum mr_status stack_open(struct stack **out, const struct stack_options *options, bool *data_failed,
                          struct mr_err *err)
{
    struct access_options access_options = { .open = options->security_open };
    struct stack *s;
    enum mr_status status = check_addresses(options, err);

    *data_failed = false;
    if (status != MR_OK)
        return status;
    s = MR_NEW(struct stack);
    s->options = *options;
    s->share = connections_share();
    s->access = access_new(&access_options);
    status = open_parts(s, err);
    *data_failed = s->data_failed;
    if (status != MR_OK) {
        stack_close(s);
        return status;
    }
    s->options = (struct stack_options){ 0 };
    *out = s;
    return MR_OK;
}

void stack_close_http(struct stack *stack)
{
    struct part_job job = { .stack = stack };

    if (stack == NULL || stack->http_loop == NULL)
        return;
    if (stack->http != NULL)
        net_loop_call(stack->http_loop, http_close_job, &job);
    net_loop_free(stack->http_loop);
    stack->http_loop = NULL;
}

void stack_close(struct stack *stack)
{
    struct part_job job = { .stack = stack };

    if (stack == NULL)
        return;
    stack_close_http(stack);
    tables_close(stack->tables);
    if (stack->cql_loop != NULL)
        net_loop_stop(stack->cql_loop);
    store_close(stack->store);
    net_loop_free(stack->cql_loop);
    if (stack->kafka_loop != NULL)
        net_loop_call(stack->kafka_loop, kafka_close_job, &job);
    net_loop_free(stack->kafka_loop);
    access_free(stack->access);
    mr_free(stack->kafka_listeners);
    mr_free(stack);
}

const char *stack_kafka(const struct stack *stack)
{
    return stack->broker ? broker_address(stack->broker, stack->kafka_inside) : NULL;
}

const char *stack_kafka_listeners(const struct stack *stack)
{
    return stack->broker ? stack->kafka_listeners : NULL;
}

const char *stack_cql(const struct stack *stack)
{
    return stack->tables ? tables_address(stack->tables, 0) : NULL;
}

const char *stack_http(const struct stack *stack)
{
    return stack->http ? http_server_text(stack->http) : NULL;
}

struct http_server *stack_http_server(struct stack *stack)
{
    return stack->http;
}

struct net_loop *stack_http_loop(struct stack *stack)
{
    return stack->http_loop;
}

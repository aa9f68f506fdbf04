/* broker.c -- opens and closes the Kafka server; see broker.h. */
#include "broker/broker_int.h"

#include "base/logging.h"

#include <stdio.h>
#include <string.h>

/* Twenty-two characters of base64 without padding, as Kafka's own cluster ids. */
static void cluster_id_make(struct broker *broker)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t id[18] = { 0 };
    size_t n = 0;

    mr_random_uuid(broker->env, id);
    for (size_t i = 0; i < 18; i += 3) {
        uint32_t three = (uint32_t)id[i] << 16 | (uint32_t)id[i + 1] << 8 | id[i + 2];

        for (int shift = 18; shift >= 0 && n < 22; shift -= 6)
            broker->cluster_id[n++] = digits[three >> shift & 63];
    }
    broker->cluster_id[n] = '\0';
}

static enum mr_status listening_open(struct broker *broker, struct broker_listening *listening,
                                     const struct broker_listener *options, struct mr_err *err)
{
    struct net_listener_options net = {
        .name = "kafka",
        .address = options->address,
        .connections_max = 0, /* the broker counts over all listeners */
        .idle_ms = BROKER_IDLE_MS,
        .on_accept = broker_conn_accept,
        .arg = listening,
    };
    struct net_address advertise;
    enum mr_status status;

    listening->broker = broker;
    if (options->advertise != NULL) {
        status = net_address_parse(options->advertise, -1, &advertise, err);
        if (status != MR_OK) {
            mr_err_context(err, "advertise");
            return status;
        }
        memcpy(listening->advertise_host, advertise.host, sizeof(advertise.host));
        listening->advertise_port = advertise.port;
    }
    return net_listener_open(broker->loop, &listening->listener, &net, err);
}

static void metrics_open(struct broker *broker)
{
    size_t count;
    const struct broker_api *apis = broker_apis(&count);

    assert(count <= MR_COUNT(broker->requests));
    for (size_t i = 0; i < count; i++) {
        struct mr_writer label = { 0 };

        mr_metric_label(&label, "api", mr_str_of(kafka_api_find(apis[i].key)->name));
        mr_write_u8(&label, '\0');
        broker->requests[i] = mr_metric(MR_METRIC_COUNTER, "millrace_broker_requests_total", (const char *)label.data,
                                        "Kafka requests taken");
        mr_writer_deinit(&label);
    }
    broker->bytes_in =
        mr_metric(MR_METRIC_COUNTER, "millrace_broker_request_bytes_total", "", "Bytes of the Kafka requests taken");
    broker->bytes_out =
        mr_metric(MR_METRIC_COUNTER, "millrace_broker_response_bytes_total", "", "Bytes of the Kafka responses given");
    broker->cold_reads = mr_metric(MR_METRIC_COUNTER, "millrace_broker_cold_fetches_total", "",
                                   "Fetches whose records had to be read from disk by a worker");
}

static enum mr_status options_check(const struct broker_options *options, struct mr_err *err)
{
    if (options->listener_count == 0 || options->listener_count > BROKER_LISTENERS_MAX)
        return mr_err_set(err, MR_INVALID, "the Kafka server needs 1 to %d listeners, not %u", BROKER_LISTENERS_MAX,
                          options->listener_count);
    if (options->partitions_default < 0 || options->message_bytes_max < 0)
        return mr_err_set(err, MR_INVALID, "a negative number of partitions or bytes");
    if (options->cluster_id != NULL && strlen(options->cluster_id) >= BROKER_CLUSTER_ID_BYTES)
        return mr_err_set(err, MR_INVALID, "the cluster id has more than %d characters", BROKER_CLUSTER_ID_BYTES - 1);
    return MR_OK;
}

enum mr_status broker_open(struct broker **out, const struct broker_options *options, struct mr_err *err)
{
    struct broker *broker = NULL;
    enum mr_status status = options_check(options, err);

    if (status != MR_OK)
        return status;
    broker = MR_NEW(struct broker);
    broker->loop = options->loop;
    broker->log = options->log;
    broker->env = options->env;
    broker->auto_create_topics = options->auto_create_topics;
    broker->replication_reject = options->replication_reject;
    broker->partitions_default = options->partitions_default > 0 ? options->partitions_default : 1;
    broker->message_bytes_max =
        options->message_bytes_max > 0 ? options->message_bytes_max : BROKER_MESSAGE_BYTES_MAX_DEFAULT;
    broker->connections_max = options->connections_max > 0 ? options->connections_max : BROKER_CONNECTIONS_MAX_DEFAULT;
    metrics_open(broker);
    if (options->cluster_id != NULL)
        snprintf(broker->cluster_id, sizeof(broker->cluster_id), "%s", options->cluster_id);
    else
        cluster_id_make(broker);
    broker->groups = broker_groups_open(broker, &options->groups);
    broker->listenings = mr_calloc(options->listener_count, sizeof(*broker->listenings));
    for (uint32_t i = 0; i < options->listener_count && status == MR_OK; i++) {
        broker->listening_count++;
        status = listening_open(broker, &broker->listenings[i], &options->listeners[i], err);
    }
    if (status != MR_OK) {
        broker_close(broker);
        return status;
    }
    *out = broker;
    return MR_OK;
}

const char *broker_address(const struct broker *broker, uint32_t index)
{
    assert(index < broker->listening_count);
    return net_listener_text(broker->listenings[index].listener);
}

void broker_close(struct broker *broker)
{
    if (broker == NULL)
        return;
    for (uint32_t i = 0; i < broker->listening_count; i++)
        net_listener_close(broker->listenings[i].listener);
    broker_conns_close(broker);
    broker_groups_close(broker->groups);
    net_timer_free(broker->stall_timer);
    mr_workers_free(broker->workers); /* what they post back finds its request abandoned */
    kafka_scratch_deinit(&broker->scratch);
    mr_free(broker->listenings);
    mr_free(broker);
}

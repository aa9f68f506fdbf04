/* handle_describe_cluster.c -- the one broker, under the address that the client knows. */
#include "broker/broker_int.h"

enum { ENDPOINT_BROKER = 1, ENDPOINT_CONTROLLER = 2 };

static void cluster_fill(struct broker_request *request)
{
    const struct kafka_describe_cluster_request *in = request->request;
    struct kafka_describe_cluster_response *out = request->response;
    struct kafka_describe_cluster_response_broker *node =
        MR_ARENA_NEW(request->arena, struct kafka_describe_cluster_response_broker);

    kafka_describe_cluster_response_broker_init(node);
    node->broker_id = BROKER_NODE_ID;
    node->host = request->host;
    node->port = request->port;
    out->brokers = node;
    out->brokers_count = 1;
    out->controller_id = BROKER_NODE_ID;
    out->cluster_id = mr_str_of(request->broker->cluster_id);
    if (in->include_cluster_authorized_operations)
        out->cluster_authorized_operations = BROKER_CLUSTER_OPERATIONS;
}

void broker_handle_describe_cluster(struct broker_request *request)
{
    const struct kafka_describe_cluster_request *in = request->request;
    struct kafka_describe_cluster_response *out = request->response;

    if (in->endpoint_type == ENDPOINT_BROKER) {
        cluster_fill(request);
    } else if (in->endpoint_type == ENDPOINT_CONTROLLER) {
        out->error_code = KAFKA_ERROR_MISMATCHED_ENDPOINT_TYPE;
        out->error_message =
            MR_STR("The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER");
    } else {
        out->error_code = KAFKA_ERROR_UNSUPPORTED_ENDPOINT_TYPE;
        out->error_message =
            mr_str_of(mr_arena_printf(request->arena, "Unsupported endpoint type %d", in->endpoint_type));
    }
    broker_request_done(request);
}

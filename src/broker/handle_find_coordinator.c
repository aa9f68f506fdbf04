/* handle_find_coordinator.c -- who coordinates a group: this node, for all of them.
 *
 * There are no transactions here yet: a transactional id gets error 53, which clients report and do not retry. */
#include "broker/broker_int.h"

enum {
    VERSION_KEYS = 4,
    KEY_GROUP = 0,
    KEY_TRANSACTION = 1,
};

static int key_check(int8_t type, const char **message)
{
    if (type == KEY_GROUP) {
        *message = "NONE";
        return KAFKA_ERROR_NONE;
    }
    if (type == KEY_TRANSACTION) {
        *message = "This server has no transactions.";
        return KAFKA_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    }
    *message = "There is no coordinator of this kind of key.";
    return KAFKA_ERROR_INVALID_REQUEST;
}

void broker_handle_find_coordinator(struct broker_request *request)
{
    const struct kafka_find_coordinator_request *in = request->request;
    struct kafka_find_coordinator_response *out = request->response;
    const char *message;
    int error = key_check(in->key_type, &message);
    bool ok = error == KAFKA_ERROR_NONE;

    out->error_code = (int16_t)error;
    out->error_message = mr_str_of(message);
    out->node_id = ok ? BROKER_NODE_ID : -1;
    out->host = ok ? request->host : MR_STR("");
    out->port = ok ? request->port : -1;
    if (request->header.api_version >= VERSION_KEYS) {
        out->coordinators_count = in->coordinator_keys_count;
        out->coordinators = MR_ARENA_ARRAY(request->arena, struct kafka_find_coordinator_response_coordinator,
                                           (size_t)in->coordinator_keys_count);
        for (int32_t i = 0; i < in->coordinator_keys_count; i++)
            out->coordinators[i] = (struct kafka_find_coordinator_response_coordinator){
                .key = in->coordinator_keys[i],
                .node_id = out->node_id,
                .host = out->host,
                .port = out->port,
                .error_code = (int16_t)error,
                .error_message = ok ? MR_STR("") : mr_str_of(message),
            };
    }
    broker_request_done(request);
}

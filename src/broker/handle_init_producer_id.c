/* handle_init_producer_id.c -- gives out producer ids, each once for ever.
 *
 * There are no transactions here yet: a transactional id gets error 53, which clients report and do not retry. */
#include "broker/broker_int.h"

#include "base/logging.h"

enum {
    RETRY_MS = 2, /* the next block of ids is being synced */
};

struct init_producer_id {
    struct broker_request *request;
    struct net_timer *timer; /* owned; NULL while none runs */
};

static void id_try(void *arg)
{
    struct init_producer_id *state = arg;
    struct broker_request *request = state->request;
    struct kafka_init_producer_id_response *out = request->response;
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = log_producer_id(request->broker->log, &out->producer_id, &err);

    net_timer_free(state->timer);
    state->timer = NULL;
    if (status == MR_BUSY) {
        state->timer = net_timer_new(request->broker->loop, RETRY_MS, 0, id_try, state);
        return;
    }
    if (status != MR_OK) {
        mr_log(MR_LOG_ERROR, "broker", "no producer id: %s", err.text);
        out->producer_id = -1;
        out->producer_epoch = -1;
        out->error_code = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
    }
    broker_request_done(request);
}

static void id_abandon(struct broker_request *request)
{
    struct init_producer_id *state = request->state;

    net_timer_free(state->timer);
    state->timer = NULL;
}

void broker_handle_init_producer_id(struct broker_request *request)
{
    const struct kafka_init_producer_id_request *in = request->request;
    struct kafka_init_producer_id_response *out = request->response;
    struct init_producer_id *state;

    if (in->transactional_id.data != NULL) {
        out->producer_id = -1;
        out->producer_epoch = -1;
        out->error_code = in->transactional_id.size == 0 ? KAFKA_ERROR_INVALID_REQUEST
                                                         : KAFKA_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
        broker_request_done(request);
        return;
    }
    state = MR_ARENA_NEW(request->arena, struct init_producer_id);
    state->request = request;
    request->state = state;
    request->on_abandon = id_abandon;
    id_try(state);
}

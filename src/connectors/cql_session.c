/* cql_session.c -- statements one after another over one connection, for people rather than for queries: nothing is
 * sent twice, so what may not happen twice can be run too. */
#include "connectors/cql_client_int.h"

enum { SESSION_OPEN_MS = 5000 };

struct connector_cql {
    const struct connector_context *ctx; /* borrowed */
    struct cql_client *client;           /* owned */
};

enum mr_status connectors_cql_open(struct connector_cql **out, const struct connector_context *ctx,
                                   const char *contact_points, const char *user, const char *password,
                                   struct mr_err *err)
{
    struct cql_client_options options = {
        .contact_points = contact_points,
        .option_name = "--cassandra",
        .user = user,
        .password = password,
        .in_flight_max = 1,
    };
    struct connector_cql *cql = MR_NEW(struct connector_cql);
    enum mr_status status;

    cql->ctx = ctx;
    status = cql_client_new(&cql->client, ctx, &options, err);
    if (status == MR_OK)
        status = cql_client_connect(cql->client, connector_clock_ms(ctx) + SESSION_OPEN_MS, err);
    if (status == MR_OK)
        *out = cql;
    else
        connectors_cql_close(cql);
    return status;
}

enum mr_status connectors_cql_run(struct connector_cql *cql, struct mr_str text, struct mr_bytes page,
                                  int32_t page_rows, struct mr_arena *arena, struct cql_result *out, struct mr_err *err)
{
    struct cql_query query = {
        .text = text,
        .params = { .consistency = CQL_ONE,
                    .flags = CQL_PARAM_PAGE_SIZE,
                    .page_size = page_rows,
                    .paging_state = page },
    };

    if (page.data != NULL)
        query.params.flags |= CQL_PARAM_PAGING_STATE;
    return cql_client_run(cql->client, &query, arena, out, err);
}

void connectors_cql_close(struct connector_cql *cql)
{
    if (cql == NULL)
        return;
    cql_client_free(cql->client);
    mr_free(cql);
}

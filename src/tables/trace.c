/* trace.c -- requests that asked to be traced: the last TRACES_MAX of them, in memory, for system_traces.
 *
 * A client that traces gets the id of a session before its answer and reads the session until it has a duration. Here
 * a session is done when its answer is, so the first read finds it whole. */
#include "tables/server_int.h"

#include <stdio.h>
#include <string.h>

/* A version 1 uuid of TIME_US, which is given once only; the node is a random one, as the standard allows. */
static void timeuuid_make(uint8_t out[16], struct mr_env *env, int64_t time_us)
{
    uint64_t ticks = (uint64_t)time_us * 10 + UINT64_C(0x01b21dd213814000); /* 100 ns since October 1582 */

    mr_random_uuid(env, out);
    mr_store_i32(out, (int32_t)(uint32_t)ticks);
    out[4] = (uint8_t)(ticks >> 40);
    out[5] = (uint8_t)(ticks >> 32);
    out[6] = (uint8_t)(0x10 | (ticks >> 56 & 0x0f));
    out[7] = (uint8_t)(ticks >> 48);
    out[10] |= 1; /* multicast: no real node has it */
}

static void trace_clear(struct trace *trace)
{
    mr_free((void *)trace->text.data);
    *trace = (struct trace){ .text = MR_STR_NULL };
}

static struct trace *trace_find(struct conn *conn, int16_t stream)
{
    uint32_t i;

    for (i = 0; i < TRACES_MAX && conn->traced > 0; i++) {
        struct trace *trace = &conn->tables->traces[i];

        if (trace->conn == conn && trace->stream == stream)
            return trace;
    }
    return NULL;
}

void trace_begin(const struct frame *frame)
{
    struct conn *conn = frame->conn;
    struct tables *tables = conn->tables;
    struct trace *trace = &tables->traces[tables->trace_count++ % TRACES_MAX];
    struct mr_reader body = frame->body;
    struct mr_str text = MR_STR_NULL;

    if (trace->conn != NULL)
        ((struct conn *)trace->conn)->traced--;
    trace_clear(trace);
    if (frame->header.opcode == CQL_OP_QUERY || frame->header.opcode == CQL_OP_PREPARE)
        text = cql_read_long_string(&body);
    if (text.size > TRACE_TEXT_BYTES_MAX)
        text.size = TRACE_TEXT_BYTES_MAX;
    trace->started_us = tables_now_us(tables);
    timeuuid_make(trace->id, tables->env, trace->started_us);
    trace->conn = conn;
    trace->stream = frame->header.stream;
    trace->opcode = frame->header.opcode;
    trace->duration_us = -1;
    snprintf(trace->client, sizeof(trace->client), "%s", net_conn_peer_host(conn->net));
    if (text.data != NULL)
        trace->text = (struct mr_str){ mr_str_dup(text), text.size };
    conn->traced++;
}

void trace_cancel(struct conn *conn, int16_t stream)
{
    struct trace *trace = trace_find(conn, stream);

    if (trace == NULL)
        return;
    conn->traced--;
    trace_clear(trace);
}

const uint8_t *trace_end(struct conn *conn, int16_t stream)
{
    struct trace *trace = trace_find(conn, stream);

    if (trace == NULL)
        return NULL;
    conn->traced--;
    trace->conn = NULL;
    trace->duration_us = mr_now_us(conn->tables->env) - trace->started_us;
    if (trace->duration_us < 0)
        trace->duration_us = 0;
    return trace->id;
}

void trace_forget(struct conn *conn)
{
    uint32_t i;

    for (i = 0; i < TRACES_MAX && conn->traced > 0; i++) {
        if (conn->tables->traces[i].conn == conn)
            trace_end(conn, conn->tables->traces[i].stream);
    }
}

void trace_free_all(struct tables *tables)
{
    uint32_t i;

    for (i = 0; i < TRACES_MAX; i++)
        trace_clear(&tables->traces[i]);
}

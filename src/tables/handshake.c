/* handshake.c -- OPTIONS, STARTUP, AUTH_RESPONSE, REGISTER.
 *
 * NEW --STARTUP--> AUTHENTICATING --right password--> READY.  OPTIONS is good in every state. */
#include "tables/server_int.h"

#include "base/logging.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const struct cql_pair supported[] = {
    { { "COMPRESSION", 11 }, { "snappy", 6 } },           { { "COMPRESSION", 11 }, { "lz4", 3 } },
    { { "CQL_VERSION", 11 }, { SYSTEM_CQL_VERSION, 5 } }, { { "PROTOCOL_VERSIONS", 17 }, { "3/v3", 4 } },
    { { "PROTOCOL_VERSIONS", 17 }, { "4/v4", 4 } },       { { "PROTOCOL_VERSIONS", 17 }, { "5/v5", 4 } },
};

void handle_malformed(struct frame *frame)
{
    answer_fail(frame->conn, frame->header.version, frame->header.stream, CQL_ERR_PROTOCOL,
                "the body of %s can't be read: it ends too early or has a value that is not allowed",
                cql_opcode_name(frame->header.opcode));
}

void handle_options(struct frame *frame)
{
    struct tables *tables = frame->conn->tables;
    size_t position = answer_begin(tables, frame->header.version, frame->header.stream, CQL_OP_SUPPORTED);

    cql_supported_write(&tables->answer, supported, MR_COUNT(supported));
    answer_end(frame->conn, position);
}

/* The options that matter; on false an error was answered. */
static bool startup_options(struct frame *frame, const struct cql_startup *m, enum cql_compression *compression)
{
    struct conn *conn = frame->conn;
    uint8_t version = frame->header.version;
    bool has_version = false;
    uint32_t i;

    *compression = CQL_PLAIN;
    for (i = 0; i < m->option_count; i++) {
        struct mr_str value = m->options[i].value;

        has_version |= mr_str_equal_nocase(m->options[i].key, MR_STR("CQL_VERSION"));
        if (!mr_str_equal_nocase(m->options[i].key, MR_STR("COMPRESSION")) || value.size == 0)
            continue;
        if (!cql_compression_named(value, compression)) {
            answer_fail(conn, version, frame->header.stream, CQL_ERR_PROTOCOL, "Unknown compression algorithm: %.*s",
                        MR_STR_ARG(value));
            return false;
        }
        if (version >= CQL_V5 && *compression != CQL_LZ4) {
            answer_fail(conn, version, frame->header.stream, CQL_ERR_PROTOCOL,
                        "Snappy compression is not supported in protocol V5");
            return false;
        }
    }
    if (!has_version)
        answer_fail(conn, version, frame->header.stream, CQL_ERR_PROTOCOL,
                    "Missing value CQL_VERSION in STARTUP message");
    return has_version;
}

/* Who it is, for system_views.clients. */
static void keep_driver(struct conn *conn, const struct cql_startup *m)
{
    enum { DRIVER_BYTES_MAX = 128 };
    uint32_t i;

    for (i = 0; i < m->option_count; i++) {
        struct mr_str value = m->options[i].value;
        struct mr_str *to = mr_str_equal(m->options[i].key, MR_STR("DRIVER_NAME"))      ? &conn->driver_name
                            : mr_str_equal(m->options[i].key, MR_STR("DRIVER_VERSION")) ? &conn->driver_version
                                                                                        : NULL;

        if (to == NULL || to->data != NULL || !mr_utf8_valid(mr_bytes_of_str(value)) || value.size > DRIVER_BYTES_MAX)
            continue;
        *to = (struct mr_str){ mr_str_dup(value), value.size };
    }
}

void handle_startup(struct frame *frame)
{
    struct conn *conn = frame->conn;
    struct tables *tables = conn->tables;
    enum cql_compression compression;
    struct cql_startup m;
    size_t position;

    if (cql_startup_read(&m, &frame->body, tables->arena) != MR_OK) {
        handle_malformed(frame);
        return;
    }
    if (conn->state != CONN_NEW) {
        answer_fail(conn, frame->header.version, frame->header.stream, CQL_ERR_PROTOCOL,
                    "Unexpected message STARTUP, %s",
                    conn->state == CONN_READY ? "the connection is already initialized" : "expecting SASL_RESPONSE");
        return;
    }
    if (!startup_options(frame, &m, &compression))
        return;
    keep_driver(conn, &m);
    conn->state = CONN_AUTHENTICATING;
    position = answer_begin(tables, frame->header.version, frame->header.stream, CQL_OP_AUTHENTICATE);
    cql_write_string(&tables->answer, MR_STR("org.apache.cassandra.auth.PasswordAuthenticator"));
    answer_end(conn, position);
    /* Only what comes after this answer is compressed and framed. */
    conn->is_started = true;
    conn->compression = compression;
    if (frame->header.version < CQL_V5)
        return;
    conn->is_framed = true;
    conn->envelopes = evbuffer_new();
    assert(conn->envelopes != NULL);
}

void handle_auth_response(struct frame *frame)
{
    struct conn *conn = frame->conn;
    struct tables *tables = conn->tables;
    struct mr_str user, password;
    struct cql_auth m;
    size_t position;

    if (cql_auth_read(&m, &frame->body) != MR_OK) {
        handle_malformed(frame);
        return;
    }
    if (conn->state != CONN_AUTHENTICATING) {
        answer_fail(conn, frame->header.version, frame->header.stream, CQL_ERR_PROTOCOL,
                    "Unexpected AUTH_RESPONSE: the connection is not authenticating");
        return;
    }
    if (cql_auth_split_plain(m.token, &user, &password) != MR_OK) {
        user = MR_STR("");
        password = MR_STR("");
    }
    if (access_check_password(tables->access, user, password, net_conn_is_loopback(conn->net)) != MR_OK) {
        mr_log(MR_LOG_WARN, "tables", "login refused for a client at %s", net_conn_peer_host(conn->net));
        answer_fail(conn, frame->header.version, frame->header.stream, CQL_ERR_CREDENTIALS,
                    "Provided username %.*s and/or password are incorrect", MR_STR_ARG(user));
        conn->is_closing = ++conn->logins_failed >= TABLES_LOGINS_MAX;
        return;
    }
    conn->state = CONN_READY;
    net_timer_free(conn->login_timer);
    conn->login_timer = NULL;
    net_conn_set_input_max(conn->net,
                           conn->is_framed ? 2 * CQL_SEGMENT_BYTES_MAX : CQL_REQUEST_BYTES_MAX + CQL_HEADER_BYTES);
    position = answer_begin(tables, frame->header.version, frame->header.stream, CQL_OP_AUTH_SUCCESS);
    cql_auth_write(&tables->answer, &(struct cql_auth){ MR_BYTES_NULL });
    answer_end(conn, position);
}

void handle_register(struct frame *frame)
{
    static const char *const known[] = { "TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE" };
    struct conn *conn = frame->conn;
    struct cql_register m;
    uint32_t i, k;
    bool wants_schema = false;

    if (cql_register_read(&m, &frame->body, conn->tables->arena) != MR_OK) {
        handle_malformed(frame);
        return;
    }
    for (i = 0; i < m.event_count; i++) {
        for (k = 0; k < MR_COUNT(known) && !mr_str_equal_nocase(m.events[i], mr_str_of(known[k])); k++)
            ;
        if (k == MR_COUNT(known)) {
            answer_fail(conn, frame->header.version, frame->header.stream, CQL_ERR_PROTOCOL,
                        "Invalid value '%.*s' for Type", MR_STR_ARG(m.events[i]));
            return;
        }
        wants_schema |= k == MR_COUNT(known) - 1;
    }
    conn->is_registered |= wants_schema;
    answer_ready(conn, frame->header.version, frame->header.stream);
}

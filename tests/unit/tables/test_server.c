/* The server whole, over 127.0.0.1, with a client of a few lines on the same codec: handshake, statements and their
 * errors, paging, prepared statements, restart, hostile bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/text.h"
#include "cql/cql.h"
#include "tables/tables.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { DEADLINE_S = 20 };

/* The machine, with a clock that can be put ahead. */
static _Atomic int64_t ahead_s;

static int64_t ahead_now_us(struct mr_env *env)
{
    MR_UNUSED(env);
    return mr_now_us(mr_env_real()) + ahead_s * 1000000;
}

static struct mr_env *ahead_env(void)
{
    static struct mr_env_ops ops;
    static struct mr_env env = { &ops };

    ops = *mr_env_real()->ops;
    ops.now_us = ahead_now_us;
    return &env;
}

struct fixture {
    char dir[64];
    struct net_loop *loop;
    struct store *store;
    struct access *access;
    struct tables *tables;
    int port;
    int64_t login_ms; /* of the next start */
};

struct client {
    int fd;
    struct mr_writer in; /* bytes received, from the start of the answer */
    struct mr_arena *arena;
    struct cql_header header;
    struct cql_prefix prefix;
    struct mr_reader body;
};

static void server_start(struct fixture *f)
{
    const char *listen = "127.0.0.1:0";
    struct store_options store_options = { .env = ahead_env() };
    struct tables_options options = {
        .listen = &listen,
        .listen_count = 1,
        .login_ms = f->login_ms,
        .env = ahead_env(),
        .purge_tick_ms = 1,
    };
    struct mr_err err = MR_ERR_INIT;

    f->access = access_new(&(struct access_options){ .open = false });
    assert_int_equal(net_loop_new(&f->loop, "tables", &err), MR_OK);
    store_options.post = net_loop_poster(f->loop);
    net_loop_start(f->loop);
    if (store_open(&f->store, f->dir, &store_options, &err) != MR_OK)
        fail_msg("%s", err.text);
    options.loop = f->loop;
    options.store = f->store;
    options.access = f->access;
    if (tables_open(&f->tables, &options, &err) != MR_OK)
        fail_msg("%s", err.text);
    f->port = atoi(strrchr(tables_address(f->tables, 0), ':') + 1);
}

static void server_stop(struct fixture *f)
{
    tables_close(f->tables);
    store_close(f->store);
    net_loop_free(f->loop);
    access_free(f->access);
}

static int setup(void **state)
{
    struct fixture *f = MR_NEW(struct fixture);

    strcpy(f->dir, "/tmp/test_tables.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    server_start(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    struct mr_err err = MR_ERR_INIT;

    server_stop(f);
    assert_int_equal(mr_remove_tree(mr_env_real(), f->dir, &err), MR_OK);
    mr_free(f);
    return 0;
}

/* ---- the client ---- */

static struct client client_open(const struct fixture *f)
{
    struct client c = { .fd = socket(AF_INET, SOCK_STREAM, 0), .arena = mr_arena_new() };
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)f->port),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    struct timeval deadline = { DEADLINE_S, 0 };

    assert_true(c.fd >= 0);
    setsockopt(c.fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline));
    assert_int_equal(connect(c.fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return c;
}

static void client_close(struct client *c)
{
    close(c->fd);
    mr_writer_deinit(&c->in);
    mr_arena_free(c->arena);
}

static void client_send(struct client *c, struct mr_bytes bytes)
{
    size_t done = 0;

    while (done < bytes.size) {
        ssize_t n = send(c->fd, bytes.data + done, bytes.size - done, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* the server may have hung up: the test looks at what it answered */
        done += (size_t)n;
    }
}

/* Reads one answer; false when the server closed. */
static bool client_receive(struct client *c)
{
    c->in.size = 0;
    for (;;) {
        size_t want = CQL_HEADER_BYTES;
        ssize_t n;

        if (cql_header_read(&c->header, mr_writer_bytes(&c->in)) == MR_OK)
            want += c->header.body_bytes;
        if (c->in.size == want)
            break;
        n = recv(c->fd, mr_writer_reserve(&c->in, want - c->in.size), want - c->in.size, 0);
        if (n <= 0)
            return false;
        c->in.size += (size_t)n;
    }
    c->body = mr_reader_of((struct mr_bytes){ c->in.data + CQL_HEADER_BYTES, c->header.body_bytes });
    assert_int_equal(cql_prefix_read(&c->prefix, &c->body, c->header.flags, true, c->arena), MR_OK);
    return true;
}

static void send_query(struct client *c, const char *text, struct cql_params params)
{
    struct mr_writer w = { 0 };
    size_t at = cql_frame_begin(&w, 4, false, 0, 7, CQL_OP_QUERY);

    cql_query_write(&w, 4, &(struct cql_query){ mr_str_of(text), params });
    cql_frame_end(&w, at);
    client_send(c, mr_writer_bytes(&w));
    mr_writer_deinit(&w);
}

/* The answer in words: "void", "rows a,b c,d" (values by cql_value_format), "CREATED TABLE k.t", "error 2200: text". */
static const char *answer_text(struct client *c)
{
    struct mr_writer w = { 0 };
    struct cql_result m;
    struct cql_error e;
    const char *text;

    if (c->header.opcode == CQL_OP_ERROR) {
        assert_int_equal(cql_error_read(&e, &c->body, c->header.version), MR_OK);
        mr_write_text(&w, "error %04x: %.*s", (unsigned)e.code, MR_STR_ARG(e.message));
    } else if (c->header.opcode != CQL_OP_RESULT) {
        mr_write_text(&w, "%s", cql_opcode_name(c->header.opcode));
    } else {
        assert_int_equal(cql_result_read(&m, &c->body, 4, c->arena), MR_OK);
        if (m.kind == CQL_RESULT_VOID)
            mr_write_text(&w, "void");
        else if (m.kind == CQL_RESULT_SET_KEYSPACE)
            mr_write_text(&w, "keyspace %.*s", MR_STR_ARG(m.keyspace));
        else if (m.kind == CQL_RESULT_SCHEMA_CHANGE)
            mr_write_text(&w, "%.*s %.*s %.*s.%.*s", MR_STR_ARG(m.schema.change), MR_STR_ARG(m.schema.target),
                          MR_STR_ARG(m.schema.keyspace), MR_STR_ARG(m.schema.name));
        else if (m.kind == CQL_RESULT_ROWS) {
            mr_write_text(&w, "rows%s", m.metadata.flags & CQL_META_MORE_PAGES ? " (more)" : "");
            for (uint32_t i = 0; i < m.row_count; i++) {
                struct cql_value cells[32];

                assert_int_equal(cql_row_read(&m.rows, cells, m.metadata.column_count), MR_OK);
                for (uint32_t j = 0; j < m.metadata.column_count; j++) {
                    mr_write_u8(&w, j == 0 ? ' ' : ',');
                    cql_value_format(&w, m.metadata.columns[j].type, cells[j]);
                }
            }
        }
    }
    text = mr_arena_str(c->arena, mr_str_of_bytes(mr_writer_bytes(&w))).data;
    mr_writer_deinit(&w);
    return text;
}

static const char *query(struct client *c, const char *text)
{
    send_query(c, text, (struct cql_params){ .consistency = CQL_ONE });
    assert_true(client_receive(c));
    assert_int_equal(c->header.stream, 7);
    return answer_text(c);
}

static void startup(struct client *c)
{
    static const struct cql_pair option = { { "CQL_VERSION", 11 }, { "3.0.0", 5 } };
    struct mr_writer w = { 0 };
    size_t at = cql_frame_begin(&w, 4, false, 0, 1, CQL_OP_STARTUP);

    cql_startup_write(&w, &(struct cql_startup){ 1, &option });
    cql_frame_end(&w, at);
    client_send(c, mr_writer_bytes(&w));
    assert_true(client_receive(c));
    assert_int_equal(c->header.opcode, CQL_OP_AUTHENTICATE);
    mr_writer_deinit(&w);
}

static void login(struct client *c, const char *password)
{
    struct mr_writer w = { 0 }, token = { 0 };
    size_t at = cql_frame_begin(&w, 4, false, 0, 1, CQL_OP_AUTH_RESPONSE);

    cql_auth_write_plain(&token, MR_STR("cassandra"), mr_str_of(password));
    cql_auth_write(&w, &(struct cql_auth){ mr_writer_bytes(&token) });
    cql_frame_end(&w, at);
    client_send(c, mr_writer_bytes(&w));
    assert_true(client_receive(c));
    mr_writer_deinit(&w);
    mr_writer_deinit(&token);
}

static struct client client_ready(const struct fixture *f)
{
    struct client c = client_open(f);

    startup(&c);
    login(&c, "cassandra");
    assert_int_equal(c.header.opcode, CQL_OP_AUTH_SUCCESS);
    return c;
}

/* ---- the tests ---- */

static const char *const schema[] = {
    "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
    "CREATE TABLE k.t (k text PRIMARY KEY, i int, b bigint, f float, d double, o boolean, u uuid, ts timestamp)",
    "CREATE TABLE k.c (a int, b text, c int, v text, PRIMARY KEY ((a, b), c)) WITH CLUSTERING ORDER BY (c DESC)",
};

static void make_schema(struct client *c)
{
    for (size_t i = 0; i < MR_COUNT(schema); i++) {
        const char *got = query(c, schema[i]);
        if (strncmp(got, "CREATED", 7) != 0)
            fail_msg("%s: %s", schema[i], got);
    }
}

static const struct {
    const char *text;
    const char *expect;
} statements[] = {
    { "INSERT INTO k.t (k, i, b, f, d, o, u, ts) VALUES ('x', -1, 2, 1.5, 0.25, true, "
      "00112233-4455-6677-8899-aabbccddeeff, 0)",
      "void" },
    { "SELECT k, i, b, f, d, o, u, ts FROM k.t WHERE k='x'",
      "rows x,-1,2,1.5,0.25,true,00112233-4455-6677-8899-aabbccddeeff,1970-01-01 00:00:00.000" },
    { "UPDATE k.t USING TIMESTAMP 5 SET i = 7 WHERE k='y'", "void" },
    { "UPDATE k.t USING TIMESTAMP 4 SET i = 8 WHERE k='y'", "void" },
    { "SELECT k, i, writetime(i) FROM k.t WHERE k='y'", "rows y,7,5" },
    { "SELECT count(*) FROM k.t", "rows 2" },
    { "SELECT k FROM k.t WHERE i = 7 ALLOW FILTERING", "rows y" },
    { "SELECT k FROM k.t WHERE token(k) >= -9223372036854775808 AND token(k) < -9223372036854775808", "rows" },
    { "DELETE i FROM k.t WHERE k='x'", "void" },
    { "SELECT i, b FROM k.t WHERE k='x'", "rows null,2" },
    { "DELETE FROM k.t WHERE k='x'", "void" },
    { "SELECT * FROM k.t WHERE k='x'", "rows" },
    { "BEGIN UNLOGGED BATCH INSERT INTO k.c (a,b,c,v) VALUES (1,'p',1,'one'); INSERT INTO k.c (a,b,c,v) VALUES "
      "(1,'p',2,'two'); "
      "INSERT INTO k.c (a,b,c,v) VALUES (2,'p',1,'other') APPLY BATCH",
      "void" },
    { "SELECT c, v FROM k.c WHERE a=1 AND b='p'", "rows 2,two 1,one" },
    { "SELECT c FROM k.c WHERE a=1 AND b='p' ORDER BY c ASC", "rows 1 2" },
    { "SELECT v FROM k.c WHERE a=1 AND b='p' AND c=2", "rows two" },
    { "SELECT v FROM k.c WHERE a=1 AND b='p' AND c<2", "rows one" },
    { "SELECT v FROM k.c WHERE a=1 AND b='p' LIMIT 1", "rows two" },
    { "DELETE FROM k.c WHERE a=1 AND b='p'", "void" },
    { "SELECT v FROM k.c", "rows other" },
    { "TRUNCATE k.c", "void" },
    { "SELECT v FROM k.c", "rows" },
    { "CREATE TABLE IF NOT EXISTS k.t (k text PRIMARY KEY)", "void" },
    { "DROP TABLE IF EXISTS k.none", "void" },
    { "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
      "error 2400: Cannot add existing keyspace \"k\"" },
    { "CREATE TABLE k.t (k text PRIMARY KEY)",
      "error 2400: Cannot add already existing table \"t\" to keyspace \"k\"" },
    { "CREATE KEYSPACE x WITH replication = {'class': 'Nope'}",
      "error 2300: Unable to find replication strategy class 'org.apache.cassandra.locator.Nope'" },
    { "DROP TABLE k.nope", "error 2200: Table 'k.nope' doesn't exist" },
    { "DROP KEYSPACE nope", "error 2200: Keyspace 'nope' doesn't exist" },
    { "USE nope", "error 2200: Keyspace 'nope' does not exist" },
    { "SELECT * FROM t",
      "error 2200: No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename" },
    { "SELECT * FROM k.nope", "error 2200: table nope does not exist" },
    { "SELECT * FROM nope.t", "error 2200: keyspace nope does not exist" },
    { "SELECT zz FROM k.t", "error 2200: Undefined column name zz in table k.t" },
    { "INSERT INTO k.t (i) VALUES (1)", "error 2200: Some partition key parts are missing: k" },
    { "INSERT INTO k.c (a, b) VALUES (1, 'x')", "error 2200: Some clustering keys are missing: c" },
    { "INSERT INTO k.t (k) VALUES (null)", "error 2200: Invalid null value in condition for column k" },
    { "INSERT INTO k.t (k) VALUES ('')", "error 2200: Key may not be empty" },
    { "INSERT INTO k.t (k, i) VALUES ('a', 'b')", "error 2200: Invalid STRING constant (b) for \"i\" of type int" },
    { "INSERT INTO k.t (k, i) VALUES ('a', 3000000000)", "error 2200: Unable to make int from '3000000000'" },
    { "INSERT INTO k.t (k, i) VALUES (?, 1)", "error 2200: Invalid amount of bind variables" },
    { "INSERT INTO k.t (k) VALUES ('a') USING TTL -1", "error 2200: A TTL must be greater or equal to 0, but was -1" },
    { "DROP KEYSPACE system", "error 2100: system keyspace is not user-modifiable." },
    { "INSERT INTO system.local (key) VALUES ('x')", "error 2100: system keyspace is not user-modifiable." },
    { "SELEC", "error 2000: line 1:0 no viable alternative at input 'SELEC' ([SELEC]...)" },
    { "CREATE TABLE k.x (a int PRIMARY KEY) WITH coment = 'x'",
      "error 2000: Unknown property 'coment'; did you mean 'comment'?" },
    { "SELECT key, release_version FROM system.local WHERE key='local'", "rows local,5.0.0" },
    { "SELECT * FROM system.peers_v2", "rows" },
    { "SELECT keyspace_name FROM system_virtual_schema.keyspaces", "rows system_views system_virtual_schema" },
    { "SELECT table_name FROM system_schema.tables WHERE keyspace_name='k'", "rows c t" },
    { "SELECT column_name, clustering_order, kind, position, type FROM system_schema.columns WHERE keyspace_name='k' "
      "AND "
      "table_name='c'",
      "rows a,none,partition_key,0,int b,none,partition_key,1,text c,desc,clustering,0,int v,none,regular,-1,text" },
    { "DESCRIBE ONLY KEYSPACE k",
      "rows k,keyspace,k,CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': '1'}  "
      "AND durable_writes = true;" },
    { "DESCRIBE FUNCTIONS", "rows" },
    { "DESCRIBE TYPE k.nope", "error 2200: User defined type 'nope' not found in 'k'" },
    { "DESCRIBE nope", "error 2200: 'nope' not found in keyspaces" },
    { "DESCRIBE k.nope", "error 2200: 'nope' not found in keyspace 'k'" },
    { "DESCRIBE TABLE c", "error 2200: No keyspace specified and no current keyspace" },
    { "DESCRIBE TABLE k.", "error 2000: DESCRIBE knows SCHEMA, CLUSTER, KEYSPACES, KEYSPACE, TABLES, TABLE, TYPES, "
                           "TYPE, INDEX, MATERIALIZED VIEW, "
                           "FUNCTIONS, FUNCTION, AGGREGATES, AGGREGATE and a name" },
    { "DESCRIBE one two", "error 2000: DESCRIBE knows SCHEMA, CLUSTER, KEYSPACES, KEYSPACE, TABLES, TABLE, TYPES, "
                          "TYPE, INDEX, MATERIALIZED "
                          "VIEW, FUNCTIONS, FUNCTION, AGGREGATES, AGGREGATE and a name" },
    { "DESCRIBE CLUSTER", "rows millrace,Murmur3Partitioner,SimpleSnitch" },
    { "DESCRIBE KEYSPACE nope", "error 2200: 'nope' not found in keyspaces" },
    { "DESC TABLE k.nope", "error 2200: Table 'nope' not found in keyspace 'k'" },
    { "DESCRIBE k.c;",
      "rows k,table,c,CREATE TABLE k.c (\n    a int,\n    b text,\n    c int,\n    v text,\n    PRIMARY KEY ((a, b), "
      "c)\n)"
      " WITH CLUSTERING ORDER BY (c DESC)\n    AND additional_write_policy = '99p'\n    AND allow_auto_snapshot = "
      "true\n"
      "    AND bloom_filter_fp_chance = 0.01\n    AND caching = {'keys': 'ALL', 'rows_per_partition': 'NONE'}\n"
      "    AND cdc = false\n    AND comment = ''\n    AND compaction = {'class': "
      "'org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy', 'max_threshold': '32', 'min_threshold': "
      "'4'}\n"
      "    AND compression = {'chunk_length_in_kb': '16', 'class': 'org.apache.cassandra.io.compress.LZ4Compressor'}\n"
      "    AND memtable = 'default'\n    AND crc_check_chance = 1.0\n    AND default_time_to_live = 0\n"
      "    AND extensions = {}\n    AND gc_grace_seconds = 864000\n    AND incremental_backups = true\n"
      "    AND max_index_interval = 2048\n    AND memtable_flush_period_in_ms = 0\n    AND min_index_interval = 128\n"
      "    AND read_repair = 'BLOCKING'\n    AND speculative_retry = '99p';" },
    { "USE k", "keyspace k" },
    { "SELECT count(*) FROM t", "rows 1" },
    { "DROP TABLE t", "DROPPED TABLE k.t" },
    { "DROP KEYSPACE k", "DROPPED KEYSPACE k." },
};

static void test_statements(void **state)
{
    struct client c = client_ready(*state);

    make_schema(&c);
    for (size_t i = 0; i < MR_COUNT(statements); i++) {
        const char *got = query(&c, statements[i].text);
        if (strcmp(got, statements[i].expect) != 0)
            fail_msg("%s\n  expected %s\n  got      %s", statements[i].text, statements[i].expect, got);
    }
    client_close(&c);
}

static void test_login(void **state)
{
    struct client c = client_open(*state);

    send_query(&c, "SELECT * FROM system.local", (struct cql_params){ .consistency = CQL_ONE });
    assert_true(client_receive(&c));
    assert_string_equal(answer_text(&c), "error 000a: Unexpected message QUERY, expecting STARTUP or OPTIONS");
    startup(&c);
    for (int i = 0; i < TABLES_LOGINS_MAX; i++) {
        login(&c, "wrong");
        assert_string_equal(answer_text(&c), "error 0100: Provided username cassandra and/or password are incorrect");
    }
    assert_false(client_receive(&c));
    client_close(&c);
}

/* Prepares TEXT; its id into ID. */
static void prepare(struct client *c, const char *text, uint8_t id[CQL_ID_BYTES])
{
    struct mr_writer w = { 0 };
    size_t at = cql_frame_begin(&w, 4, false, 0, 3, CQL_OP_PREPARE);
    struct cql_result m;

    cql_prepare_write(&w, 4, &(struct cql_prepare){ mr_str_of(text) });
    cql_frame_end(&w, at);
    client_send(c, mr_writer_bytes(&w));
    assert_true(client_receive(c));
    assert_int_equal(c->header.opcode, CQL_OP_RESULT);
    assert_int_equal(cql_result_read(&m, &c->body, 4, c->arena), MR_OK);
    assert_int_equal(m.id.size, CQL_ID_BYTES);
    memcpy(id, m.id.data, CQL_ID_BYTES);
    mr_writer_deinit(&w);
}

static void send_execute(struct client *c, const uint8_t id[CQL_ID_BYTES], const struct cql_value *values,
                         uint32_t count)
{
    struct mr_writer w = { 0 };
    size_t at = cql_frame_begin(&w, 4, false, 0, 7, CQL_OP_EXECUTE);
    struct cql_execute m = { .id = { id, CQL_ID_BYTES }, .params = { CQL_ONE, CQL_PARAM_VALUES, count, values } };

    cql_execute_write(&w, 4, &m);
    cql_frame_end(&w, at);
    client_send(c, mr_writer_bytes(&w));
    mr_writer_deinit(&w);
}

static const char *execute(struct client *c, const uint8_t id[CQL_ID_BYTES], const struct cql_value *values,
                           uint32_t count)
{
    send_execute(c, id, values, count);
    assert_true(client_receive(c));
    return answer_text(c);
}

static void test_prepared(void **state)
{
    struct client c = client_ready(*state);
    uint8_t id[CQL_ID_BYTES];
    struct cql_value x = CQL_VALUE_OF((const uint8_t *)"x", 1), five = CQL_VALUE_OF((const uint8_t *)"\0\0\0\5", 4);
    struct cql_value short_int = CQL_VALUE_OF((const uint8_t *)"\0\0\5", 3);

    make_schema(&c);
    prepare(&c, "INSERT INTO k.t (k, i) VALUES (?, ?)", id);
    assert_string_equal(execute(&c, id, (struct cql_value[]){ x, five }, 2), "void");
    assert_string_equal(execute(&c, id, (struct cql_value[]){ x, CQL_VALUE_UNSET }, 2), "void");
    assert_string_equal(query(&c, "SELECT i FROM k.t WHERE k='x'"), "rows 5");
    assert_string_equal(execute(&c, id, (struct cql_value[]){ x, CQL_VALUE_NULL }, 2), "void");
    assert_string_equal(query(&c, "SELECT k, i FROM k.t WHERE k='x'"), "rows x,null");
    assert_string_equal(execute(&c, id, &x, 1), "error 2200: there were 2 markers(?) in CQL but 1 bound variables");
    assert_string_equal(execute(&c, id, (struct cql_value[]){ x, short_int }, 2),
                        "error 2200: Expected 4 or 0 byte int (3)");
    assert_string_equal(execute(&c, id, (struct cql_value[]){ CQL_VALUE_UNSET, five }, 2),
                        "error 2200: Invalid unset value for column k");
    assert_string_equal(query(&c, "DROP TABLE k.t"), "DROPPED TABLE k.t");
    assert_int_equal(strncmp(execute(&c, id, (struct cql_value[]){ x, five }, 2), "error 2500: ", 12), 0);
    client_close(&c);
}

/* Many requests at once, more than the connection's share: all are answered, and all rows are there, page by page. */
static void test_pipelined_and_paged(void **state)
{
    enum { ROWS = 3 * TABLES_IN_FLIGHT_MAX, PAGE = 1000 };
    struct client c = client_ready(*state);
    struct cql_params params = { .consistency = CQL_ONE, .flags = CQL_PARAM_PAGE_SIZE, .page_size = PAGE };
    uint8_t id[CQL_ID_BYTES];
    uint32_t seen = 0, pages = 0;
    struct cql_result m;

    make_schema(&c);
    prepare(&c, "INSERT INTO k.t (k, i) VALUES (?, 1)", id);
    for (int i = 0; i < ROWS; i++) {
        char key[16];
        int size = snprintf(key, sizeof(key), "key%d", i);
        send_execute(&c, id, &CQL_VALUE_OF((const uint8_t *)key, size), 1);
    }
    for (int i = 0; i < ROWS; i++) {
        assert_true(client_receive(&c));
        assert_string_equal(answer_text(&c), "void");
    }
    do {
        send_query(&c, "SELECT k FROM k.t", params);
        assert_true(client_receive(&c));
        assert_int_equal(c.header.opcode, CQL_OP_RESULT);
        assert_int_equal(cql_result_read(&m, &c.body, 4, c.arena), MR_OK);
        assert_true(m.row_count <= PAGE);
        seen += m.row_count;
        pages++;
        params.flags |= CQL_PARAM_PAGING_STATE;
        params.paging_state = mr_arena_bytes(c.arena, m.metadata.paging_state);
    } while (m.metadata.flags & CQL_META_MORE_PAGES);
    assert_int_equal(seen, ROWS);
    assert_int_equal(pages, (ROWS + PAGE - 1) / PAGE);
    params.paging_state = mr_bytes_of_str(MR_STR("made up by somebody"));
    send_query(&c, "SELECT k FROM k.t", params);
    assert_true(client_receive(&c));
    assert_string_equal(answer_text(&c), "error 000a: Invalid value for the paging state");
    client_close(&c);
}

static void test_restart(void **state)
{
    struct fixture *f = *state;
    struct client c = client_ready(f);

    make_schema(&c);
    assert_string_equal(query(&c, "INSERT INTO k.t (k, i) VALUES ('x', 5)"), "void");
    assert_string_equal(query(&c, "INSERT INTO k.c (a, b, c, v) VALUES (1, 'p', 1, 'v')"), "void");
    assert_string_equal(query(&c, "TRUNCATE k.c"), "void");
    client_close(&c);
    server_stop(f);
    server_start(f);
    c = client_ready(f);
    assert_string_equal(query(&c, "SELECT k, i FROM k.t"), "rows x,5");
    assert_string_equal(query(&c, "SELECT * FROM k.c"), "rows");
    assert_string_equal(query(&c, "CREATE TABLE k.t2 (k int PRIMARY KEY)"), "CREATED TABLE k.t2");
    assert_string_equal(query(&c, "SELECT * FROM k.t2"), "rows");
    client_close(&c);
}

static void test_events(void **state)
{
    struct client watcher = client_ready(*state), c = client_ready(*state);
    static const struct mr_str events[] = { { "SCHEMA_CHANGE", 13 } };
    struct mr_writer w = { 0 };
    size_t at = cql_frame_begin(&w, 4, false, 0, 1, CQL_OP_REGISTER);
    struct cql_event event;

    cql_register_write(&w, &(struct cql_register){ 1, events });
    cql_frame_end(&w, at);
    client_send(&watcher, mr_writer_bytes(&w));
    assert_true(client_receive(&watcher));
    assert_int_equal(watcher.header.opcode, CQL_OP_READY);
    assert_string_equal(query(&c, schema[0]), "CREATED KEYSPACE k.");
    assert_true(client_receive(&watcher));
    assert_int_equal(watcher.header.stream, -1);
    assert_int_equal(cql_event_read(&event, &watcher.body), MR_OK);
    assert_true(mr_str_equal(event.schema.keyspace, MR_STR("k")));
    mr_writer_deinit(&w);
    client_close(&watcher);
    client_close(&c);
}

static const struct {
    const char *name;
    struct mr_str bytes;
    const char *expect; /* start of the answer; NULL: none needed */
    bool closes;
} hostile[] = {
    { "version 66",
      { "\x42\0\0\5\5\0\0\0\0", 9 },
      "error 000a: Invalid or unsupported protocol version (66); supported versions are (3/v3, 4/v4, 5/v5)",
      true },
    { "version 5 after 4",
      { "\5\0\0\0\5\0\0\0\0", 9 },
      "error 000a: Invalid message version. Got 5/v5 but previous messages on this connection had version 4/v4",
      true },
    { "version 0", { "\0\0\0\0\5\0\0\0\0", 9 }, "error 000a: Invalid or unsupported protocol version (0)", true },
    { "an answer", { "\x84\0\0\0\5\0\0\0\0", 9 }, "error 000a: ", true },
    { "HTTP", { "GET / HTTP/1.1\r\n\r\n", 18 }, "error 000a: ", true },
    { "negative length", { "\4\0\0\0\5\xff\xff\xff\xff", 9 }, "error 000a: ", true },
    { "too long", { "\4\0\0\0\7\1\0\0\1", 9 }, "error 000a: Request is too big", true },
    { "compressed", { "\4\1\0\0\5\0\0\0\0", 9 }, "error 000a: ", true },
    { "unknown opcode", { "\4\0\0\0\x55\0\0\0\0", 9 }, "error 000a: Unknown opcode 85", false },
    { "empty QUERY", { "\4\0\0\0\7\0\0\0\0", 9 }, "error 000a: the body of QUERY can't be read", false },
    { "QUERY, text past the end", { "\4\0\0\0\7\0\0\0\4\0\0\0\xff", 13 }, "error 000a: ", false },
    { "BATCH of 65535 that are not there", { "\4\0\0\0\x0d\0\0\0\3\0\xff\xff", 12 }, "error 000a: ", false },
    { "EXECUTE of an unknown id", { "\4\0\0\0\x0a\0\0\0\6\0\1x\0\1\0", 15 }, "error 2500: ", false },
    { "payload past the end", { "\4\4\0\0\5\0\0\0\2\xff\xff", 11 }, "error 000a: ", false },
    { "OPTIONS", { "\4\0\0\0\5\0\0\0\0", 9 }, "SUPPORTED", false },
};

/* Before the login only small requests are taken. */
static void test_big_before_login(void **state)
{
    struct client c = client_open(*state);

    client_send(&c, mr_bytes_of_str((struct mr_str){ "\4\0\0\0\1\0\2\0\0", 9 }));
    assert_true(client_receive(&c));
    assert_string_equal(
        answer_text(&c),
        "error 000a: Request is too big: length 131072 exceeds maximum allowed length 65536 before the login.");
    assert_false(client_receive(&c));
    client_close(&c);
}

/* A client that talks but does not log in is cut; one that has logged in stays. */
static void test_late_login(void **state)
{
    struct fixture *f = *state;
    struct client late, good;
    int answers = 0;

    server_stop(f);
    f->login_ms = 150;
    server_start(f);
    good = client_open(f);
    startup(&good);
    login(&good, "cassandra");
    late = client_open(f);
    do {
        client_send(&late, mr_bytes_of_str((struct mr_str){ "\4\0\0\0\5\0\0\0\0", 9 }));
        answers++;
    } while (client_receive(&late));
    assert_true(answers > 1);
    client_send(&good, mr_bytes_of_str((struct mr_str){ "\4\0\0\0\5\0\0\0\0", 9 }));
    assert_true(client_receive(&good));
    client_close(&late);
    client_close(&good);
}

/* Is the tombstone of row 'x' gone?  A write older than it is hidden by it. */
static bool is_purged(struct client *c)
{
    assert_string_equal(query(c, "INSERT INTO k.p (k, v) VALUES ('x', 1) USING TIMESTAMP 5"), "void");
    return strcmp(query(c, "SELECT k, v FROM k.p"), "rows x,1") == 0;
}

/* A tombstone goes when gc_grace_seconds and an hour are over, not before, though the server was started anew. */
static void test_purge(void **state)
{
    struct fixture *f = *state;
    struct client c = client_ready(f);
    bool purged = false;

    assert_string_equal(query(&c, schema[0]), "CREATED KEYSPACE k.");
    assert_string_equal(query(&c, "CREATE TABLE k.p (k text PRIMARY KEY, v int) WITH gc_grace_seconds = 36000"),
                        "CREATED TABLE k.p");
    assert_string_equal(query(&c, "DELETE FROM k.p USING TIMESTAMP 10 WHERE k='x'"), "void");
    client_close(&c);
    server_stop(f);
    server_start(f);
    c = client_ready(f);
    ahead_s += 36000;
    for (int i = 0; i < 100; i++)
        assert_false(is_purged(&c));
    ahead_s += 3601;
    for (int i = 0; i < 10000 && !purged; i++)
        purged = is_purged(&c);
    assert_true(purged);
    client_close(&c);
}

static void test_hostile(void **state)
{
    for (size_t i = 0; i < MR_COUNT(hostile); i++) {
        struct client c = client_ready(*state);
        const char *got;

        client_send(&c, mr_bytes_of_str(hostile[i].bytes));
        if (!client_receive(&c))
            fail_msg("%s: no answer", hostile[i].name);
        got = answer_text(&c);
        if (strncmp(got, hostile[i].expect, strlen(hostile[i].expect)) != 0)
            fail_msg("%s: %s", hostile[i].name, got);
        if (hostile[i].closes)
            assert_false(client_receive(&c));
        else
            assert_string_equal(query(&c, "SELECT key FROM system.local"), "rows local");
        client_close(&c);
    }
}

/* A query's frame, every byte of it wrong in turn: always an answer or a closed connection, and the server lives. */
static void test_every_byte_wrong(void **state)
{
    struct mr_writer w = { 0 };
    size_t at = cql_frame_begin(&w, 4, false, 0, 7, CQL_OP_QUERY), i;
    struct client c;

    cql_query_write(
        &w, 4, &(struct cql_query){ MR_STR("SELECT * FROM system.local WHERE key='local'"), { .consistency = 1 } });
    cql_frame_end(&w, at);
    for (i = 0; i < w.size; i++) {
        c = client_ready(*state);
        w.data[i] ^= 0xff;
        client_send(&c, mr_writer_bytes(&w));
        shutdown(c.fd, SHUT_WR);
        client_receive(&c);
        w.data[i] ^= 0xff;
        client_close(&c);
    }
    c = client_ready(*state);
    assert_string_equal(query(&c, "SELECT key FROM system.local"), "rows local");
    client_close(&c);
    mr_writer_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_login, setup, teardown),
        cmocka_unit_test_setup_teardown(test_statements, setup, teardown),
        cmocka_unit_test_setup_teardown(test_prepared, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pipelined_and_paged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_events, setup, teardown),
        cmocka_unit_test_setup_teardown(test_big_before_login, setup, teardown),
        cmocka_unit_test_setup_teardown(test_late_login, setup, teardown),
        cmocka_unit_test_setup_teardown(test_purge, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_byte_wrong, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What is around the statements: segments of version 5, compressed bodies, events, prepared statements whose columns
 * changed, traces; and what a damaged or lying peer gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cql/cql.h"
#include "tables/tables.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { DEADLINE_S = 20 };

struct fixture {
    char dir[64];
    struct net_loop *loop;
    struct store *store;
    struct access *access;
    struct tables *tables;
    int port;
};

/* A client of one VERSION and one COMPRESSION. */
struct client {
    int fd;
    uint8_t version;
    enum cql_compression compression;
    bool is_framed;
    struct mr_writer in;        /* bytes received and not yet used */
    struct mr_writer envelopes; /* version 5: what was in segments */
    struct mr_writer body;      /* of the last answer */
    struct mr_arena *arena;
    struct cql_header header;
    struct cql_prefix prefix;
    struct mr_reader at; /* in body, after the prefix */
};

static int setup(void **state)
{
    struct fixture *f = MR_NEW(struct fixture);
    const char *listen = "127.0.0.1:0";
    struct store_options store_options = { 0 };
    struct tables_options options = { .listen = &listen, .listen_count = 1 };
    struct mr_err err = MR_ERR_INIT;

    strcpy(f->dir, "/tmp/test_framing.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
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
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    struct mr_err err = MR_ERR_INIT;

    tables_close(f->tables);
    store_close(f->store);
    net_loop_free(f->loop);
    access_free(f->access);
    assert_int_equal(mr_remove_tree(mr_env_real(), f->dir, &err), MR_OK);
    mr_free(f);
    return 0;
}

/* ---- sending ---- */

static void send_bytes(struct client *c, struct mr_bytes bytes)
{
    while (bytes.size > 0) {
        ssize_t n = send(c->fd, bytes.data, bytes.size, MSG_NOSIGNAL);

        if (n <= 0)
            return; /* the server may have hung up: the test looks at what it answered */
        bytes.data += n;
        bytes.size -= (size_t)n;
    }
}

/* ENVELOPE as the connection wants it. */
static void send_envelope(struct client *c, struct mr_bytes envelope)
{
    struct mr_writer w = { 0 };

    if (c->is_framed) {
        cql_segments_write(&w, envelope, c->compression == CQL_LZ4);
    } else if (c->compression != CQL_PLAIN) {
        mr_write_bytes(&w, (struct mr_bytes){ envelope.data, CQL_HEADER_BYTES });
        w.data[1] |= CQL_FRAME_COMPRESSED;
        cql_body_compress(&w, c->compression,
                          (struct mr_bytes){ envelope.data + CQL_HEADER_BYTES, envelope.size - CQL_HEADER_BYTES });
        cql_frame_end(&w, CQL_HEADER_BYTES);
    } else {
        mr_write_bytes(&w, envelope);
    }
    send_bytes(c, mr_writer_bytes(&w));
    mr_writer_deinit(&w);
}

static void write_query(struct mr_writer *w, const struct client *c, const char *text, struct cql_params params)
{
    size_t at = cql_frame_begin(w, c->version, false, 0, 7, CQL_OP_QUERY);

    cql_query_write(w, c->version, &(struct cql_query){ mr_str_of(text), params });
    cql_frame_end(w, at);
}

static void send_query(struct client *c, const char *text)
{
    struct mr_writer w = { 0 };

    write_query(&w, c, text, (struct cql_params){ .consistency = CQL_ONE });
    send_envelope(c, mr_writer_bytes(&w));
    mr_writer_deinit(&w);
}

/* ---- receiving ---- */

static void drop(struct mr_writer *w, size_t size)
{
    memmove(w->data, w->data + size, w->size - size);
    w->size -= size;
}

/* One segment from IN to ENVELOPES; false when more bytes are needed. */
static bool take_segment(struct client *c)
{
    struct mr_err err = MR_ERR_INIT;
    struct cql_segment segment;
    size_t whole;

    if (cql_segment_header_read(&segment, mr_writer_bytes(&c->in), c->compression == CQL_LZ4, &err) != MR_OK) {
        assert_string_equal(err.text, "");
        return false;
    }
    whole = (size_t)segment.header_bytes + segment.payload_bytes + CQL_SEGMENT_TRAILER_BYTES;
    if (c->in.size < whole)
        return false;
    assert_int_equal(cql_segment_payload_read(
                         &segment, (struct mr_bytes){ c->in.data + segment.header_bytes, whole - segment.header_bytes },
                         &c->envelopes, &err),
                     MR_OK);
    drop(&c->in, whole);
    return true;
}

/* The next answer; false when the server closed. */
static bool receive(struct client *c)
{
    struct mr_writer *from = c->is_framed ? &c->envelopes : &c->in;
    struct mr_err err = MR_ERR_INIT;

    for (;;) {
        ssize_t n;

        while (c->is_framed && take_segment(c))
            ;
        if (cql_header_read(&c->header, mr_writer_bytes(from)) == MR_OK &&
            from->size >= CQL_HEADER_BYTES + (size_t)c->header.body_bytes)
            break;
        n = recv(c->fd, mr_writer_reserve(&c->in, 65536), 65536, 0);
        if (n <= 0)
            return false;
        c->in.size += (size_t)n;
    }
    c->body.size = 0;
    if (c->header.flags & CQL_FRAME_COMPRESSED)
        assert_int_equal(cql_body_decompress(&c->body, c->compression,
                                             (struct mr_bytes){ from->data + CQL_HEADER_BYTES, c->header.body_bytes },
                                             CQL_ANSWER_BYTES_MAX, &err),
                         MR_OK);
    else
        mr_write_bytes(&c->body, (struct mr_bytes){ from->data + CQL_HEADER_BYTES, c->header.body_bytes });
    drop(from, CQL_HEADER_BYTES + (size_t)c->header.body_bytes);
    assert_int_equal(c->header.version, c->version);
    c->at = mr_reader_of(mr_writer_bytes(&c->body));
    assert_int_equal(cql_prefix_read(&c->prefix, &c->at, c->header.flags, true, c->arena), MR_OK);
    return true;
}

/* The answer in words: "void", "2 rows", "error 2200: text", or the opcode's name. */
static const char *answer(struct client *c)
{
    struct mr_str text = MR_STR_NULL;
    struct cql_result m;
    struct cql_error e;

    if (!receive(c))
        return "closed";
    if (c->header.opcode == CQL_OP_ERROR) {
        assert_int_equal(cql_error_read(&e, &c->at, c->version), MR_OK);
        text = mr_str_of(mr_arena_printf(c->arena, "error %04x: %.*s", (unsigned)e.code, MR_STR_ARG(e.message)));
    } else if (c->header.opcode == CQL_OP_RESULT) {
        assert_int_equal(cql_result_read(&m, &c->at, c->version, c->arena), MR_OK);
        text = m.kind == CQL_RESULT_VOID   ? MR_STR("void")
               : m.kind == CQL_RESULT_ROWS ? mr_str_of(mr_arena_printf(c->arena, "%" PRIu32 " rows", m.row_count))
                                           : MR_STR("changed");
    } else {
        text = mr_str_of(cql_opcode_name(c->header.opcode));
    }
    return text.data;
}

static const char *query(struct client *c, const char *text)
{
    send_query(c, text);
    return answer(c);
}

/* ---- connecting ---- */

static void send_startup(struct client *c)
{
    static const char *const names[] = { "", "lz4", "snappy" };
    struct cql_pair options[] = { { MR_STR("CQL_VERSION"), MR_STR("3.0.0") },
                                  { MR_STR("COMPRESSION"), mr_str_of(names[c->compression]) } };
    struct mr_writer w = { 0 };
    size_t at = cql_frame_begin(&w, c->version, false, 0, 0, CQL_OP_STARTUP);

    cql_startup_write(&w, &(struct cql_startup){ c->compression != CQL_PLAIN ? 2 : 1, options });
    cql_frame_end(&w, at);
    send_bytes(c, mr_writer_bytes(&w));
    mr_writer_deinit(&w);
}

/* Up to the answer to STARTUP. */
static struct client started(const struct fixture *f, uint8_t version, enum cql_compression compression)
{
    struct client c = {
        .fd = socket(AF_INET, SOCK_STREAM, 0), .arena = mr_arena_new(), .version = version, .compression = compression
    };
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)f->port),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    struct timeval deadline = { DEADLINE_S, 0 };

    assert_true(c.fd >= 0);
    setsockopt(c.fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline));
    assert_int_equal(connect(c.fd, (struct sockaddr *)&to, sizeof(to)), 0);
    send_startup(&c);
    assert_string_equal(answer(&c), "AUTHENTICATE");
    c.is_framed = version >= CQL_V5;
    return c;
}

static struct client ready(const struct fixture *f, uint8_t version, enum cql_compression compression)
{
    struct client c = started(f, version, compression);
    struct mr_writer w = { 0 }, token = { 0 };
    size_t at = cql_frame_begin(&w, version, false, 0, 0, CQL_OP_AUTH_RESPONSE);

    cql_auth_write_plain(&token, MR_STR("cassandra"), MR_STR("cassandra"));
    cql_auth_write(&w, &(struct cql_auth){ mr_writer_bytes(&token) });
    cql_frame_end(&w, at);
    send_envelope(&c, mr_writer_bytes(&w));
    assert_string_equal(answer(&c), "AUTH_SUCCESS");
    mr_writer_deinit(&w);
    mr_writer_deinit(&token);
    return c;
}

static void hang_up(struct client *c)
{
    close(c->fd);
    mr_writer_deinit(&c->in);
    mr_writer_deinit(&c->envelopes);
    mr_writer_deinit(&c->body);
    mr_arena_free(c->arena);
}

static const struct {
    uint8_t version;
    enum cql_compression compression;
} ways[] = {
    { 3, CQL_PLAIN }, { 3, CQL_LZ4 },    { 3, CQL_SNAPPY }, { 4, CQL_PLAIN },
    { 4, CQL_LZ4 },   { 4, CQL_SNAPPY }, { 5, CQL_PLAIN },  { 5, CQL_LZ4 },
};

static void make_schema(struct fixture *f)
{
    struct client c = ready(f, 4, CQL_PLAIN);

    assert_string_equal(query(&c, "CREATE KEYSPACE IF NOT EXISTS k WITH replication = "
                                  "{'class': 'SimpleStrategy', 'replication_factor': 1}"),
                        "changed");
    assert_string_equal(query(&c, "CREATE TABLE k.t (k text PRIMARY KEY, v text)"), "changed");
    hang_up(&c);
}

/* ---- the tests ---- */

/* A text of SIZE letters that compress a little. */
static char *long_insert(size_t size)
{
    struct mr_writer w = { 0 };
    uint32_t x = 1;

    mr_write_text(&w, "INSERT INTO k.t (k, v) VALUES ('big', '");
    for (; size > 0; size--) {
        x = x * 1664525 + 1013904223;
        mr_write_u8(&w, (uint8_t)('a' + (x >> 24) % 26));
    }
    mr_write_text(&w, "')%c", 0);
    return (char *)w.data;
}

/* Small and large requests and answers, every way: those of 300 KB take three segments each. */
static void test_every_way(void **state)
{
    char *big = long_insert(300000);

    make_schema(*state);
    for (size_t i = 0; i < MR_COUNT(ways); i++) {
        struct client c = ready(*state, ways[i].version, ways[i].compression);
        struct cql_result m;
        struct cql_value cells[2];

        assert_string_equal(query(&c, "INSERT INTO k.t (k, v) VALUES ('small', 'x')"), "void");
        assert_string_equal(query(&c, big), "void");
        send_query(&c, "SELECT k, v FROM k.t WHERE k = 'big'");
        assert_true(receive(&c));
        assert_int_equal(cql_result_read(&m, &c.at, c.version, c.arena), MR_OK);
        assert_int_equal(m.row_count, 1);
        assert_int_equal(cql_row_read(&m.rows, cells, 2), MR_OK);
        assert_int_equal(cells[1].size, 300000);
        assert_memory_equal(cells[1].data, strchr(big, '(') + strlen("(k, v) VALUES ('big', '"), 300000);
        assert_string_equal(query(&c, "SELECT nope FROM k.t"), "error 2200: Undefined column name nope in table k.t");
        hang_up(&c);
    }
    mr_free(big);
}

/* Several envelopes in a segment, and segments that come byte by byte. */
static void test_cut_and_joined(void **state)
{
    struct client c = ready(*state, 5, CQL_LZ4);
    struct mr_writer envelopes = { 0 }, w = { 0 };

    for (int i = 0; i < 3; i++)
        write_query(&envelopes, &c, "SELECT key FROM system.local", (struct cql_params){ .consistency = CQL_ONE });
    cql_segments_write(&w, mr_writer_bytes(&envelopes), true);
    for (size_t i = 0; i < w.size; i++)
        send_bytes(&c, (struct mr_bytes){ w.data + i, 1 });
    for (int i = 0; i < 3; i++)
        assert_string_equal(answer(&c), "1 rows");
    mr_writer_deinit(&envelopes);
    mr_writer_deinit(&w);
    hang_up(&c);
}

/* Takes COUNT answers, which must all be EXPECT. */
static void take_answers(struct client *c, int count, const char *expect)
{
    for (int i = 0; i < count; i++) {
        const char *got = answer(c);

        if (strcmp(got, expect) != 0)
            fail_msg("answer %d: %s", i, got);
        mr_arena_reset(c->arena);
    }
}

/* More requests at once than a connection may have under way, all of them in segments: those held back are taken up
 * again though nothing more comes from the client. */
static void test_many_at_once(void **state)
{
    enum { COUNT = TABLES_IN_FLIGHT_MAX * 2 };
    struct client c = ready(*state, 5, CQL_PLAIN);
    struct mr_writer envelopes = { 0 }, w = { 0 };

    make_schema(*state);
    for (int i = 0; i < COUNT; i++) {
        write_query(&envelopes, &c, "INSERT INTO k.t (k, v) VALUES ('many', 'x')",
                    (struct cql_params){ .consistency = CQL_ONE });
        if (envelopes.size > CQL_SEGMENT_PAYLOAD_MAX - 200 || i + 1 == COUNT) {
            cql_segments_write(&w, mr_writer_bytes(&envelopes), false);
            envelopes.size = 0;
        }
    }
    send_bytes(&c, mr_writer_bytes(&w));
    take_answers(&c, COUNT, "void");
    mr_writer_deinit(&envelopes);
    mr_writer_deinit(&w);
    hang_up(&c);
}

/* One segment asks for more than fits into the connection's output: what was held back follows when it was read. */
static void test_answers_held_back(void **state)
{
    enum { COUNT = 1000 };
    struct client c = ready(*state, 5, CQL_PLAIN);
    char *big = long_insert(50000);
    struct mr_writer envelopes = { 0 };

    make_schema(*state);
    assert_string_equal(query(&c, big), "void");
    for (int i = 0; i < COUNT; i++)
        write_query(&envelopes, &c, "SELECT v FROM k.t WHERE k = 'big'", (struct cql_params){ .consistency = CQL_ONE });
    assert_true(envelopes.size < CQL_SEGMENT_PAYLOAD_MAX);
    send_envelope(&c, mr_writer_bytes(&envelopes));
    take_answers(&c, COUNT, "1 rows");
    mr_writer_deinit(&envelopes);
    mr_free(big);
    hang_up(&c);
}

/* What ends a connection, each after a clean error. */
static void test_damaged_segments(void **state)
{
    static const struct {
        const char *name;
        size_t flip; /* the byte to damage; SIZE_MAX: none */
        size_t part; /* bytes of the envelope that a self-contained segment has; 0: all */
        const char *expect;
    } cases[] = {
        { "header", 0, 0, "error 000a: unrecoverable CRC mismatch detected in frame header. Read " },
        { "header's sum", 4, 0, "error 000a: unrecoverable CRC mismatch detected in frame header. Read " },
        { "body", 8, 0, "error 000a: unrecoverable CRC mismatch detected in frame body. Read " },
        { "half an envelope", SIZE_MAX, 12, "error 000a: a frame ended in the middle of an envelope" },
        { "half a header", SIZE_MAX, 5, "error 000a: a frame ended in the middle of an envelope" },
    };

    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct client c = ready(*state, 5, CQL_PLAIN);
        struct mr_writer envelope = { 0 }, w = { 0 };
        struct mr_bytes part;
        const char *got;

        write_query(&envelope, &c, "SELECT key FROM system.local", (struct cql_params){ .consistency = CQL_ONE });
        part = mr_writer_bytes(&envelope);
        if (cases[i].part > 0)
            part.size = cases[i].part;
        cql_segments_write(&w, part, false);
        if (cases[i].part > 0)
            cql_segments_write(&w, mr_writer_bytes(&envelope), false);
        if (cases[i].flip != SIZE_MAX)
            w.data[cases[i].flip] ^= 1;
        send_bytes(&c, mr_writer_bytes(&w));
        got = answer(&c);
        if (strncmp(got, cases[i].expect, strlen(cases[i].expect)) != 0)
            fail_msg("%s: %s", cases[i].name, got);
        assert_string_equal(answer(&c), "closed");
        mr_writer_deinit(&envelope);
        mr_writer_deinit(&w);
        hang_up(&c);
    }
}

/* Bytes as they are, after STARTUP or after the login. */
static const struct {
    const char *name;
    uint8_t version;
    enum cql_compression compression;
    bool is_ready;
    bool is_envelope; /* to be put into a segment */
    struct mr_str bytes;
    const char *expect;
} hostile[] = {
    { "v5, version 4 inside",
      5,
      CQL_PLAIN,
      true,
      true,
      { "\4\0\0\0\5\0\0\0\0", 9 },
      "error 000a: Invalid message version. Got 4/v4 but previous messages on this connection had version 5/v5" },
    { "v5, an envelope over the limit",
      5,
      CQL_PLAIN,
      true,
      true,
      { "\5\0\0\0\7\1\0\0\1", 9 },
      "error 000a: Request is too big: length 16777217 exceeds maximum allowed length 16777216." },
    { "v5, over the limit of the login",
      5,
      CQL_PLAIN,
      false,
      true,
      { "\5\0\0\0\17\0\1\0\1", 9 },
      "error 000a: Request is too big: length 65537 exceeds maximum allowed length 65536 before the login." },
    { "v5, negative",
      5,
      CQL_PLAIN,
      true,
      true,
      { "\5\0\0\0\7\xff\xff\xff\xff", 9 },
      "error 000a: the frame's length is negative" },
    { "v4, a bomb of lz4",
      4,
      CQL_LZ4,
      true,
      false,
      { "\4\1\0\0\7\0\0\0\5\0\xff\xff\xff\x1f", 14 },
      "error 000a: the compressed body claims more bytes than it can hold" },
    { "v4, lz4 over the limit",
      4,
      CQL_LZ4,
      true,
      false,
      { "\4\1\0\0\7\0\0\0\5\x01\0\0\1\x1f", 14 },
      "error 000a: the compressed body has 16777217 bytes; at most 16777216 are allowed" },
    { "v4, lz4 before the login",
      4,
      CQL_LZ4,
      false,
      false,
      { "\4\1\0\0\17\0\0\0\5\0\1\0\1\x1f", 14 },
      "error 000a: the compressed body has 65537 bytes; at most 65536 are allowed" },
    { "v4, garbage as snappy",
      4,
      CQL_SNAPPY,
      true,
      false,
      { "\4\1\0\0\7\0\0\0\4\4\xff\xff\xff", 13 },
      "error 000a: the snappy body is damaged" },
    { "v4, no compression agreed on",
      4,
      CQL_PLAIN,
      true,
      false,
      { "\4\1\0\0\5\0\0\0\0", 9 },
      "error 000a: the frame is compressed, but no compression was agreed on" },
};

static void test_hostile(void **state)
{
    for (size_t i = 0; i < MR_COUNT(hostile); i++) {
        struct client c = hostile[i].is_ready ? ready(*state, hostile[i].version, hostile[i].compression)
                                              : started(*state, hostile[i].version, hostile[i].compression);
        const char *got;

        if (hostile[i].is_envelope)
            send_envelope(&c, mr_bytes_of_str(hostile[i].bytes));
        else
            send_bytes(&c, mr_bytes_of_str(hostile[i].bytes));
        got = answer(&c);
        if (strcmp(got, hostile[i].expect) != 0)
            fail_msg("%s: %s", hostile[i].name, got);
        assert_string_equal(answer(&c), "closed");
        hang_up(&c);
    }
}

/* A segment that a client which is not logged in must not make us wait for. */
static void test_big_segment_before_login(void **state)
{
    struct client c = started(*state, 5, CQL_PLAIN);
    struct mr_writer payload = { 0 }, w = { 0 };

    while (payload.size < 100000)
        mr_write_u8(&payload, 5);
    cql_segments_write(&w, mr_writer_bytes(&payload), false);
    send_bytes(&c, (struct mr_bytes){ w.data, CQL_SEGMENT_HEADER_BYTES });
    assert_string_equal(answer(&c), "error 000a: Request is too big: a frame of 100000 bytes before the login");
    assert_string_equal(answer(&c), "closed");
    mr_writer_deinit(&payload);
    mr_writer_deinit(&w);
    hang_up(&c);
}

/* The largest request before the login fits into the input, with its segment around it. */
static void test_largest_before_login(void **state)
{
    for (int lz4 = 0; lz4 < 2; lz4++) {
        struct client c = started(*state, 5, lz4 ? CQL_LZ4 : CQL_PLAIN);
        struct mr_writer w = { 0 };
        size_t at = cql_frame_begin(&w, 5, false, 0, 0, CQL_OP_AUTH_RESPONSE);
        uint32_t x = 1;

        mr_write_i32(&w, TABLES_LOGIN_BYTES_MAX - 4);
        while (w.size < CQL_HEADER_BYTES + TABLES_LOGIN_BYTES_MAX) {
            x = x * 1664525 + 1013904223;
            mr_write_u8(&w, (uint8_t)(x >> 24 | 1));
        }
        cql_frame_end(&w, at);
        send_envelope(&c, mr_writer_bytes(&w));
        assert_string_equal(answer(&c), "error 0100: Provided username  and/or password are incorrect");
        mr_writer_deinit(&w);
        hang_up(&c);
    }
}

/* Who registered hears of changes that others make, in its own version and compression. */
static void test_events(void **state)
{
    for (size_t i = 0; i < MR_COUNT(ways); i++) {
        struct client watcher = ready(*state, ways[i].version, ways[i].compression), other;
        static const struct mr_str names[] = { { "STATUS_CHANGE", 13 }, { "SCHEMA_CHANGE", 13 } };
        struct mr_writer w = { 0 };
        size_t at = cql_frame_begin(&w, watcher.version, false, 0, 3, CQL_OP_REGISTER);
        struct cql_event event;

        cql_register_write(&w, &(struct cql_register){ 2, names });
        cql_frame_end(&w, at);
        send_envelope(&watcher, mr_writer_bytes(&w));
        assert_string_equal(answer(&watcher), "READY");
        other = ready(*state, 4, CQL_PLAIN);
        assert_string_equal(query(&other, "CREATE KEYSPACE told WITH replication = "
                                          "{'class': 'SimpleStrategy', 'replication_factor': 1}"),
                            "changed");
        assert_string_equal(query(&other, "DROP KEYSPACE told"), "changed");
        for (int n = 0; n < 2; n++) {
            assert_true(receive(&watcher));
            assert_int_equal(watcher.header.stream, -1);
            assert_int_equal(cql_event_read(&event, &watcher.at), MR_OK);
            assert_true(mr_str_equal(event.schema.change, n == 0 ? MR_STR("CREATED") : MR_STR("DROPPED")));
            assert_true(mr_str_equal(event.schema.keyspace, MR_STR("told")));
        }
        mr_writer_deinit(&w);
        hang_up(&watcher);
        hang_up(&other);
    }
}

static struct cql_result prepare(struct client *c, const char *text, const char *keyspace)
{
    struct mr_writer w = { 0 };
    size_t at = cql_frame_begin(&w, c->version, false, 0, 1, CQL_OP_PREPARE);
    struct cql_result m;

    cql_prepare_write(&w, c->version, &(struct cql_prepare){ mr_str_of(text), mr_str_of(keyspace) });
    cql_frame_end(&w, at);
    send_envelope(c, mr_writer_bytes(&w));
    mr_writer_deinit(&w);
    assert_true(receive(c));
    assert_int_equal(cql_result_read(&m, &c->at, c->version, c->arena), MR_OK);
    assert_int_equal(m.kind, CQL_RESULT_PREPARED);
    m.id = mr_arena_bytes(c->arena, m.id);
    m.result_metadata.id = mr_arena_bytes(c->arena, m.result_metadata.id);
    return m;
}

static struct cql_result execute(struct client *c, struct mr_bytes id, struct mr_bytes result_id)
{
    struct cql_execute m = { .id = id,
                             .result_id = result_id,
                             .params = { .consistency = CQL_ONE, .flags = CQL_PARAM_SKIP_METADATA } };
    struct mr_writer w = { 0 };
    size_t at = cql_frame_begin(&w, c->version, false, 0, 1, CQL_OP_EXECUTE);
    struct cql_result result;

    cql_execute_write(&w, c->version, &m);
    cql_frame_end(&w, at);
    send_envelope(c, mr_writer_bytes(&w));
    assert_true(receive(c));
    mr_writer_deinit(&w);
    if (c->header.opcode == CQL_OP_ERROR) {
        struct cql_error e;

        assert_int_equal(cql_error_read(&e, &c->at, c->version), MR_OK);
        assert_int_equal(e.code, CQL_ERR_UNPREPARED);
        assert_int_equal(mr_bytes_compare(e.id, id), 0);
        return (struct cql_result){ 0 };
    }
    assert_int_equal(cql_result_read(&result, &c->at, c->version, c->arena), MR_OK);
    return result;
}

/* Version 5: columns are left out only for a client that has those of now; a statement of a table that was made anew
 * must be prepared again, and then has other columns. */
static void test_result_ids(void **state)
{
    struct client c = ready(*state, 5, CQL_PLAIN);
    struct cql_result first, again, rows;

    make_schema(*state);
    first = prepare(&c, "SELECT * FROM t", "k");
    assert_int_equal(first.result_metadata.column_count, 2);
    rows = execute(&c, first.id, first.result_metadata.id);
    assert_int_equal(rows.metadata.flags, CQL_META_NONE);
    rows = execute(&c, first.id, (struct mr_bytes){ (const uint8_t *)"0123456789abcdef", 16 });
    assert_int_equal(rows.metadata.flags & (CQL_META_NONE | CQL_META_CHANGED), CQL_META_CHANGED);
    assert_int_equal(mr_bytes_compare(rows.metadata.id, first.result_metadata.id), 0);

    assert_string_equal(query(&c, "DROP TABLE k.t"), "changed");
    assert_string_equal(query(&c, "CREATE TABLE k.t (k text PRIMARY KEY, v text, w int)"), "changed");
    assert_int_equal(execute(&c, first.id, first.result_metadata.id).kind, 0);
    again = prepare(&c, "SELECT * FROM t", "k");
    assert_int_equal(mr_bytes_compare(again.id, first.id), 0);
    assert_int_not_equal(mr_bytes_compare(again.result_metadata.id, first.result_metadata.id), 0);
    rows = execute(&c, again.id, first.result_metadata.id);
    assert_int_equal(rows.metadata.column_count, 3);
    assert_true(rows.metadata.flags & CQL_META_CHANGED);
    hang_up(&c);
}

static void send_with(struct client *c, const char *text, struct cql_params params)
{
    struct mr_writer w = { 0 };

    write_query(&w, c, text, params);
    send_envelope(c, mr_writer_bytes(&w));
    mr_writer_deinit(&w);
}

/* Version 5: a keyspace for one statement.  A time for it is taken too, but TTLs go by the server's own. */
static void test_own_keyspace(void **state)
{
    struct cql_params params = { .consistency = CQL_ONE,
                                 .flags = CQL_PARAM_KEYSPACE | CQL_PARAM_NOW,
                                 .keyspace = MR_STR("k"),
                                 .now_s = 2100000000 };
    struct client c = ready(*state, 5, CQL_PLAIN);

    make_schema(*state);
    send_with(&c, "INSERT INTO t (k, v) VALUES ('a', 'b') USING TTL 100", params);
    assert_string_equal(answer(&c), "void");
    send_with(&c, "SELECT ttl(v) FROM t WHERE k = 'a'", params);
    assert_string_equal(answer(&c), "1 rows");
    assert_string_equal(query(&c, "SELECT * FROM t"),
                        "error 2200: No keyspace has been specified. USE a keyspace, or explicitly specify "
                        "keyspace.tablename");
    hang_up(&c);
}

/* A traced request tells its session, which is there to be read; a warning stands beside it. */
static void test_trace_and_warning(void **state)
{
    make_schema(*state);
    for (size_t i = 0; i < MR_COUNT(ways); i++) {
        struct client c = ready(*state, ways[i].version, ways[i].compression);
        struct mr_writer w = { 0 }, text = { 0 };

        write_query(&w, &c, "SELECT count(*) FROM k.t", (struct cql_params){ .consistency = CQL_ONE });
        w.data[1] |= CQL_FRAME_TRACING;
        send_envelope(&c, mr_writer_bytes(&w));
        assert_string_equal(answer(&c), "1 rows");
        assert_int_equal(c.prefix.tracing_id.size, 16);
        assert_int_equal(c.prefix.warning_count, c.version >= 4 ? 1 : 0);
        cql_value_format(&text, cql_type_native(CQL_UUID), CQL_VALUE_OF(c.prefix.tracing_id.data, 16));
        mr_write_u8(&text, 0);
        assert_string_equal(query(&c, mr_arena_printf(c.arena,
                                                      "SELECT duration FROM system_traces.sessions WHERE session_id "
                                                      "= %s",
                                                      (const char *)text.data)),
                            "1 rows");
        assert_null(c.prefix.tracing_id.data);
        mr_writer_deinit(&w);
        mr_writer_deinit(&text);
        hang_up(&c);
    }
}

/* Versions 1 and 2 are told so in a header that they can read: their stream has one byte. */
static void test_old_versions(void **state)
{
    struct fixture *f = *state;

    for (int version = 1; version <= 2; version++) {
        struct client c = started(f, 4, CQL_PLAIN), old;
        uint8_t options[8] = { (uint8_t)version, 0, 0, 5 }, head[8];
        struct sockaddr_in to = { .sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)f->port),
                                  .sin_addr = { htonl(INADDR_LOOPBACK) } };

        old = c;
        old.fd = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(old.fd, (struct sockaddr *)&to, sizeof(to)), 0);
        send_bytes(&old, (struct mr_bytes){ options, sizeof(options) });
        assert_int_equal(recv(old.fd, head, sizeof(head), MSG_WAITALL), sizeof(head));
        assert_int_equal(head[0], 0x80 | version);
        assert_int_equal(head[3], CQL_OP_ERROR);
        close(old.fd);
        hang_up(&c);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_every_way),
        TEST(test_cut_and_joined),
        TEST(test_many_at_once),
        TEST(test_answers_held_back),
        TEST(test_damaged_segments),
        TEST(test_hostile),
        TEST(test_events),
        TEST(test_big_segment_before_login),
        TEST(test_result_ids),
        TEST(test_own_keyspace),
        TEST(test_trace_and_warning),
        TEST(test_old_versions),
        TEST(test_largest_before_login),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

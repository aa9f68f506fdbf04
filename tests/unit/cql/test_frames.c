/* Messages both ways, cut everywhere: what is written is read back the same; no prefix of it is a message, and none is
 * read past its end (the bytes lie against a page that can't be read). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cql/cql.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct mr_bytes at_page_end(struct mr_bytes b)
{
    static uint8_t *pages;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (pages == NULL) {
        pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(pages != MAP_FAILED);
        assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
    }
    assert_true(b.size <= page);
    memcpy(pages + page - b.size, b.data, b.size);
    return (struct mr_bytes){ pages + page - b.size, b.size };
}

static const struct cql_value values[] = {
    { (const uint8_t *)"abc", 3 }, { NULL, CQL_NULL }, { NULL, CQL_UNSET }, { (const uint8_t *)"", 0 }
};
static const struct mr_str names[] = { { "a", 1 }, { "b", 1 }, { "c", 1 }, { "d", 1 } };
static const struct cql_batch_entry entries[] = {
    { .id = { (const uint8_t *)"0123456789abcdef", 16 }, .value_count = 4, .values = values },
    { .text = { "INSERT", 6 }, .value_count = 0, .values = values },
};
static const struct cql_pair pairs[] = { { { "CQL_VERSION", 11 }, { "3.0.0", 5 } }, { { "X", 1 }, { "", 0 } } };
static const struct cql_params every = { .consistency = CQL_QUORUM,
                                         .flags = 0x7f,
                                         .value_count = 4,
                                         .values = values,
                                         .names = names,
                                         .page_size = 5000,
                                         .paging_state = { (const uint8_t *)"state", 5 },
                                         .serial_consistency = CQL_SERIAL,
                                         .timestamp_us = -5 };
static const struct mr_bytes id = { (const uint8_t *)"0123456789abcdef", 16 };
static const struct cql_params none = { .consistency = CQL_ONE };
static const struct cql_column columns[] = {
    { { "k", 1 }, { "t", 1 }, { "a", 1 }, &cql_type_map_text_blob },
    { { "k", 1 }, { "t", 1 }, { "b", 1 }, &cql_type_set_text },
};
static const uint16_t pk_indexes[] = { 1, 0 };

/* One message: how to write it, and how to read it and write what was read. */
enum message {
    QUERY_ALL,
    QUERY_NONE,
    PREPARE,
    EXECUTE,
    BATCH,
    STARTUP,
    REGISTER,
    AUTH,
    RESULT_PREPARED,
    RESULT_PREPARED_NO_ROWS,
    RESULT_ROWS,
    RESULT_SCHEMA,
    RESULT_KEYSPACE,
    ERROR_EXISTS,
    ERROR_UNPREPARED,
    ERROR_WRITE_TIMEOUT,
    ERROR_READ_FAILURE,
    EVENT,
    SUPPORTED,
    MESSAGES
};

static void write_rows(struct mr_writer *w, const struct cql_metadata *m, const struct cql_value *cells, uint32_t count)
{
    size_t position = cql_result_begin_rows(w, m);

    for (uint32_t i = 0; i < count; i++)
        cql_write_value(w, cells[i]);
    mr_write_i32_at(w, position, (int32_t)(count / m->column_count));
}

/* The errors that have something after their message. */
static void write_error(struct mr_writer *w, uint8_t version, enum message m)
{
    struct cql_error e = { .message = MR_STR("m"), .consistency = 1, .received = 2, .required = 3 };

    if (m == ERROR_EXISTS) {
        e.code = CQL_ERR_EXISTS;
        e.keyspace = MR_STR("k");
        e.table = MR_STR("");
    } else if (m == ERROR_UNPREPARED) {
        e.code = CQL_ERR_UNPREPARED;
        e.id = (struct mr_bytes){ (const uint8_t *)"0123456789abcdef", 16 };
    } else if (m == ERROR_WRITE_TIMEOUT) {
        e.code = CQL_ERR_WRITE_TIMEOUT;
        e.write_type = MR_STR("CAS");
        e.contentions = 7;
    } else {
        e.code = CQL_ERR_READ_FAILURE;
        e.failures = 2;
        e.failed = (struct mr_bytes){ (const uint8_t *)"\x7f\0\0\1", 4 };
        e.failure_reason = 1;
        e.data_present = true;
    }
    cql_error_write(w, version, &e);
}

/* All that VERSION has. */
static struct cql_params params_of(uint8_t version)
{
    struct cql_params p = every;

    if (version >= CQL_V5) {
        p.flags |= CQL_PARAM_KEYSPACE | CQL_PARAM_NOW;
        p.keyspace = MR_STR("ks");
        p.now_s = 1700000000;
    }
    return p;
}

static void write_batch(struct mr_writer *w, uint8_t version)
{
    struct cql_batch batch = { 1, 2, entries, CQL_ONE, CQL_PARAM_TIMESTAMP | CQL_PARAM_SERIAL, CQL_SERIAL, 7 };

    if (version >= CQL_V5) {
        batch.flags |= CQL_PARAM_KEYSPACE | CQL_PARAM_NOW;
        batch.keyspace = MR_STR("ks");
        batch.now_s = -1;
    }
    cql_batch_write(w, version, &batch);
}

static void write_message(struct mr_writer *w, uint8_t version, enum message m)
{
    struct cql_metadata binds = { .columns = columns, .column_count = 2, .pk_count = 2, .pk_indexes = pk_indexes };
    struct cql_metadata rows = { .columns = columns,
                                 .column_count = 2,
                                 .flags = CQL_META_MORE_PAGES | (version >= CQL_V5 ? CQL_META_CHANGED : 0),
                                 .id = id,
                                 .paging_state = { (const uint8_t *)"p", 1 } };
    struct cql_schema_change change = { MR_STR("CREATED"), MR_STR("TABLE"), MR_STR("k"), MR_STR("t") };

    switch (m) {
    case QUERY_ALL:
        cql_query_write(w, version, &(struct cql_query){ MR_STR("SELECT"), params_of(version) });
        break;
    case QUERY_NONE:
        cql_query_write(w, version, &(struct cql_query){ MR_STR(""), none });
        break;
    case PREPARE:
        cql_prepare_write(w, version, &(struct cql_prepare){ MR_STR("SELECT 1"), MR_STR("ks") });
        break;
    case EXECUTE:
        cql_execute_write(w, version, &(struct cql_execute){ id, id, params_of(version) });
        break;
    case BATCH:
        write_batch(w, version);
        break;
    case STARTUP:
        cql_startup_write(w, &(struct cql_startup){ 2, pairs });
        break;
    case REGISTER:
        cql_register_write(w, &(struct cql_register){ 4, names });
        break;
    case AUTH:
        cql_auth_write(w, &(struct cql_auth){ id });
        break;
    case RESULT_PREPARED:
        cql_result_write_prepared(w, version, id, &binds, &rows);
        break;
    case RESULT_PREPARED_NO_ROWS:
        cql_result_write_prepared(w, version, id, &binds, &(struct cql_metadata){ .flags = CQL_META_NONE, .id = id });
        break;
    case RESULT_ROWS:
        write_rows(w, &rows, (struct cql_value[]){ values[0], values[1] }, 2);
        break;
    case RESULT_SCHEMA:
        cql_result_write_schema_change(w, &change);
        break;
    case RESULT_KEYSPACE:
        cql_result_write_keyspace(w, MR_STR("k"));
        break;
    case ERROR_EXISTS:
    case ERROR_UNPREPARED:
    case ERROR_WRITE_TIMEOUT:
    case ERROR_READ_FAILURE:
        write_error(w, version, m);
        break;
    case EVENT:
        cql_event_write_schema(w, &change);
        break;
    case SUPPORTED:
        cql_supported_write(w, pairs, 2);
        break;
    case MESSAGES:
        fail();
    }
}

#define READ_AND_WRITE(call, ...)                                                                                      \
    do {                                                                                                               \
        status = call;                                                                                                 \
        if (status == MR_OK)                                                                                           \
            __VA_ARGS__;                                                                                               \
    } while (0)

static enum mr_status read_result(struct mr_reader *r, struct mr_writer *w, uint8_t version, struct mr_arena *arena)
{
    struct cql_result m;
    struct cql_value cells[2];
    enum mr_status status = cql_result_read(&m, r, version, arena);

    if (status != MR_OK)
        return status;
    if (m.kind == CQL_RESULT_PREPARED)
        cql_result_write_prepared(w, version, m.id, &m.metadata, &m.result_metadata);
    else if (m.kind == CQL_RESULT_SCHEMA_CHANGE)
        cql_result_write_schema_change(w, &m.schema);
    else if (m.kind == CQL_RESULT_SET_KEYSPACE)
        cql_result_write_keyspace(w, m.keyspace);
    else {
        status = cql_row_read(&m.rows, cells, 2);
        if (status == MR_OK)
            write_rows(w, &m.metadata, cells, 2);
    }
    return status;
}

static enum mr_status reread(struct mr_bytes bytes, uint8_t version, enum message m, struct mr_writer *w,
                             struct mr_arena *arena)
{
    struct mr_reader r = mr_reader_of(bytes);
    union {
        struct cql_query query;
        struct cql_prepare prepare;
        struct cql_execute execute;
        struct cql_batch batch;
        struct cql_startup startup;
        struct cql_register registered;
        struct cql_auth auth;
        struct cql_error error;
        struct cql_event event;
    } u;
    enum mr_status status = MR_INVALID;

    switch (m) {
    case QUERY_ALL:
    case QUERY_NONE:
        READ_AND_WRITE(cql_query_read(&u.query, &r, version, arena), cql_query_write(w, version, &u.query));
        break;
    case PREPARE:
        READ_AND_WRITE(cql_prepare_read(&u.prepare, &r, version), cql_prepare_write(w, version, &u.prepare));
        break;
    case EXECUTE:
        READ_AND_WRITE(cql_execute_read(&u.execute, &r, version, arena), cql_execute_write(w, version, &u.execute));
        break;
    case BATCH:
        READ_AND_WRITE(cql_batch_read(&u.batch, &r, version, arena), cql_batch_write(w, version, &u.batch));
        break;
    case STARTUP:
        READ_AND_WRITE(cql_startup_read(&u.startup, &r, arena), cql_startup_write(w, &u.startup));
        break;
    case REGISTER:
        READ_AND_WRITE(cql_register_read(&u.registered, &r, arena), cql_register_write(w, &u.registered));
        break;
    case AUTH:
        READ_AND_WRITE(cql_auth_read(&u.auth, &r), cql_auth_write(w, &u.auth));
        break;
    case RESULT_PREPARED:
    case RESULT_PREPARED_NO_ROWS:
    case RESULT_ROWS:
    case RESULT_SCHEMA:
    case RESULT_KEYSPACE:
        status = read_result(&r, w, version, arena);
        break;
    case ERROR_EXISTS:
    case ERROR_UNPREPARED:
    case ERROR_WRITE_TIMEOUT:
    case ERROR_READ_FAILURE:
        READ_AND_WRITE(cql_error_read(&u.error, &r, version), cql_error_write(w, version, &u.error));
        break;
    case EVENT:
        READ_AND_WRITE(cql_event_read(&u.event, &r), cql_event_write_schema(w, &u.event.schema));
        break;
    case SUPPORTED:
        READ_AND_WRITE(cql_supported_read(&u.startup, &r, arena),
                       cql_supported_write(w, u.startup.options, u.startup.option_count));
        break;
    case MESSAGES:
        break;
    }
    return status;
}

/* What is written is read back the same, and nothing shorter is. */
static void check_message(uint8_t version, enum message m, struct mr_arena *arena)
{
    struct mr_writer whole = { 0 }, again = { 0 };

    write_message(&whole, version, m);
    if (reread(at_page_end(mr_writer_bytes(&whole)), version, m, &again, arena) != MR_OK)
        fail_msg("v%d: message %d can't be read", version, m);
    if (mr_bytes_compare(mr_writer_bytes(&whole), mr_writer_bytes(&again)) != 0)
        fail_msg("v%d: message %d is not the same again", version, m);
    for (size_t cut = 0; cut < whole.size; cut++) {
        again.size = 0;
        if (reread(at_page_end((struct mr_bytes){ whole.data, cut }), version, m, &again, arena) == MR_OK)
            fail_msg("v%d: message %d, cut at %zu, is read", version, m, cut);
    }
    mr_writer_deinit(&whole);
    mr_writer_deinit(&again);
    mr_arena_reset(arena);
}

static void test_messages(void **state)
{
    struct mr_arena *arena = mr_arena_new();

    MR_UNUSED(state);
    for (uint8_t version = CQL_VERSION_MIN; version <= CQL_VERSION_MAX; version++) {
        for (int m = 0; m < MESSAGES; m++)
            check_message(version, (enum message)m, arena);
    }
    mr_arena_free(arena);
}

/* Flags that came with version 5 are wrong in version 4, as are those that no version has. */
static void test_flags(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        uint8_t version;
        enum mr_status expect;
    } cases[] = {
        { "\0\0\0\1Q\0\1\x80\0\2ks", 12, 4, MR_INVALID },  { "\0\0\0\1Q\0\1\0\0\0\x80\0\2ks", 15, 5, MR_OK },
        { "\0\0\0\1Q\0\1\0\0\1\0\0\0\0\5", 15, 5, MR_OK }, { "\0\0\0\1Q\0\1\0\0\2\0\0\0\0\5", 15, 5, MR_INVALID },
        { "\0\0\0\1Q\0\1\x80\0\0\0", 11, 5, MR_INVALID },
    };
    struct mr_arena *arena = mr_arena_new();

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct mr_reader r =
            mr_reader_of(at_page_end((struct mr_bytes){ (const uint8_t *)cases[i].bytes, cases[i].size }));
        struct cql_query query;

        if (cql_query_read(&query, &r, cases[i].version, arena) != cases[i].expect)
            fail_msg("case %zu", i);
    }
    mr_arena_free(arena);
}

static void test_header(void **state)
{
    struct mr_writer w = { 0 };
    struct cql_header h;
    size_t position = cql_frame_begin(&w, 4, true, CQL_FRAME_WARNING, -1, CQL_OP_EVENT);

    MR_UNUSED(state);
    mr_write_u8(&w, 1);
    cql_frame_end(&w, position);
    assert_memory_equal(w.data, "\x84\x08\xff\xff\x0c\0\0\0\1\1", 10);
    for (size_t cut = 0; cut < CQL_HEADER_BYTES; cut++)
        assert_int_equal(cql_header_read(&h, at_page_end((struct mr_bytes){ w.data, cut })), MR_NEED_MORE);
    assert_int_equal(cql_header_read(&h, mr_writer_bytes(&w)), MR_OK);
    assert_true(h.version == 4 && h.is_answer && h.flags == 8 && h.stream == -1 && h.opcode == CQL_OP_EVENT);
    assert_int_equal(h.body_bytes, 1);
    w.data[5] = 0x80;
    assert_int_equal(cql_header_read(&h, mr_writer_bytes(&w)), MR_INVALID);
    mr_writer_deinit(&w);
}

static void test_plain(void **state)
{
    static const struct {
        const char *name;
        struct mr_str token;
        enum mr_status expect;
    } cases[] = {
        { "as drivers send it", { "\0u\0pw", 5 }, MR_OK }, { "with an authorization id", { "z\0u\0pw", 6 }, MR_OK },
        { "no password", { "\0u", 2 }, MR_INVALID },       { "nothing", { "", 0 }, MR_INVALID },
        { "one zero", { "\0", 1 }, MR_INVALID },
    };
    struct mr_str user, password;

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        enum mr_status got = cql_auth_split_plain(at_page_end(mr_bytes_of_str(cases[i].token)), &user, &password);
        if (got != cases[i].expect)
            fail_msg("%s: %s", cases[i].name, mr_status_text(got));
        if (got == MR_OK)
            assert_true(mr_str_equal(user, MR_STR("u")) && mr_str_equal(password, MR_STR("pw")));
    }
}

static void test_values(void **state)
{
    static const struct {
        uint16_t type;
        const char *bytes;
        int32_t size;
        const char *expect; /* NULL: refused */
    } cases[] = {
        { CQL_INT, "\0\0\0\5", 4, "5" },
        { CQL_INT, "\0\0\0", 3, NULL },
        { CQL_INT, "", 0, "0x" },
        { CQL_BIGINT, "\xff\xff\xff\xff\xff\xff\xff\xfe", 8, "-2" },
        { CQL_BOOLEAN, "\1", 1, "true" },
        { CQL_VARCHAR, "a\xc3\xa9", 3, "a\xc3\xa9" },
        { CQL_VARCHAR, "\xc3", 1, NULL },
        { CQL_VARCHAR, "\xed\xa0\x80", 3, NULL },
        { CQL_ASCII, "\x80", 1, NULL },
        { CQL_DOUBLE, "\x3f\xf8\0\0\0\0\0\0", 8, "1.5" },
        { CQL_UUID, "0123456789abcdef", 16, "30313233-3435-3637-3839-616263646566" },
        { CQL_UUID, "0123456789abcde", 15, NULL },
        { CQL_INET, "\x7f\0\0\1", 4, "127.0.0.1" },
        { CQL_INET, "\x7f\0\0", 3, NULL },
        { CQL_INT, NULL, CQL_NULL, "null" },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        const struct cql_type *type = cql_type_native(cases[i].type);
        struct cql_value v = { (const uint8_t *)cases[i].bytes, cases[i].size };
        struct mr_writer w = { 0 };
        struct mr_err err = MR_ERR_INIT;
        enum mr_status got = cql_value_check(type, v, &err);

        if ((got == MR_OK) != (cases[i].expect != NULL))
            fail_msg("case %zu: %s", i, err.text);
        if (got != MR_OK)
            continue;
        cql_value_format(&w, type, v);
        mr_write_u8(&w, 0);
        assert_string_equal((const char *)w.data, cases[i].expect);
        mr_writer_deinit(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages), cmocka_unit_test(test_flags),  cmocka_unit_test(test_header),
        cmocka_unit_test(test_plain),    cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_cassandra.c -- the cassandra sink and source against a scripted CQL server: what is sent, rejected and read, and
 * trouble. */
#include "harness.h"

#include "cql/cql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COLUMNS "name partition_key text, age regular int, score regular double, ok regular boolean, big regular bigint"

struct script {
    const char *columns;   /* "name kind type, ..." of system_schema.columns; "" : no such table */
    bool login;            /* user ada, password secret */
    atomic_int overloaded; /* so many writes get that error first */
    atomic_int unprepared;
    atomic_int cut;        /* so many writes end with a closed connection */
    atomic_int dropped;    /* so many writes get "unconfigured table" */
    int people;            /* rows that can be read */
    atomic_int cut_reads;  /* so many reads end with a closed connection */
    atomic_int busy_reads; /* so many get "overloaded" first */
    int paging_bytes;      /* of a paging state, at least 4 */
    atomic_int reads;
    pthread_mutex_t lock;
    struct mr_writer statements; /* DDL and prepared texts, a line each */
    struct mr_writer rows;       /* written rows, a line each, in order of arrival */
    atomic_int row_count;
    atomic_int batches, executes, prepares;
};

/* Connections have a thread each: one of them takes. */
static bool script_takes(atomic_int *counter)
{
    int left = atomic_load(counter);

    while (left > 0 && !atomic_compare_exchange_weak(counter, &left, left - 1))
        continue;
    return left > 0;
}

static void error_answer(struct mr_writer *out, int code, const char *text, struct mr_bytes id)
{
    struct cql_error error = { .code = code, .message = mr_str_of(text), .id = id };

    cql_error_write(out, CQL_V4, &error);
}

/* The rows of system_schema.columns. */
static void columns_answer(const struct script *script, struct mr_writer *out)
{
    static const char *const names[] = { "column_name", "kind", "type" };
    struct cql_column columns[3];
    struct cql_metadata metadata = { .flags = CQL_META_GLOBAL, .column_count = 3, .columns = columns };
    const char *at = script->columns;
    size_t count_at;
    int count = 0;

    for (int i = 0; i < 3; i++)
        columns[i] = (struct cql_column){ .keyspace = MR_STR("system_schema"),
                                          .table = MR_STR("columns"),
                                          .name = mr_str_of(names[i]),
                                          .type = cql_type_native(CQL_VARCHAR) };
    count_at = cql_result_begin_rows(out, &metadata);
    for (; *at != '\0'; count++) {
        for (int i = 0; i < 3; i++) {
            size_t size = strcspn(at, i < 2 ? " " : ",");

            cql_write_value(out, CQL_VALUE_OF((const uint8_t *)at, size));
            at += size + (at[size] != '\0');
        }
        at += strspn(at, " ");
    }
    mr_write_i32_at(out, count_at, count);
}

static const char *prepared_id = "0123456789abcdef";

/* Writes one row's values as text: the test's columns, then the write time. */
static void row_note(struct script *script, const struct cql_value *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            mr_write_u8(&script->rows, ' ');
        if (values[i].size == CQL_NULL)
            mr_write_text(&script->rows, "null");
        else if (values[i].size == CQL_UNSET)
            mr_write_text(&script->rows, "unset");
        else if (i == 0)
            mr_write_bytes(&script->rows, (struct mr_bytes){ values[i].data, (size_t)values[i].size });
        else if (values[i].size == 8 && i == 2)
            mr_write_text(&script->rows, "%g", cql_load_f64(values[i].data));
        else if (values[i].size == 8)
            mr_write_text(&script->rows, "%" PRId64, mr_load_i64(values[i].data));
        else if (values[i].size == 4)
            mr_write_text(&script->rows, "%d", mr_load_i32(values[i].data));
        else
            mr_write_text(&script->rows, "%d", values[i].data[0]);
    }
    mr_write_u8(&script->rows, '\n');
    atomic_fetch_add(&script->row_count, 1);
}

/* Answers EXECUTE and BATCH; false: the connection is to be cut. */
static bool write_answer(struct script *script, uint8_t opcode, struct mr_reader *in, struct mr_writer *out,
                         struct mr_arena *arena, enum cql_opcode *answer)
{
    struct cql_execute execute;
    struct cql_batch batch;
    bool error = true;

    pthread_mutex_lock(&script->lock);
    *answer = CQL_OP_ERROR;
    if (script_takes(&script->cut)) {
        pthread_mutex_unlock(&script->lock);
        return false;
    }
    if (script_takes(&script->overloaded))
        error_answer(out, CQL_ERR_OVERLOADED, "too much", MR_BYTES_NULL);
    else if (script_takes(&script->unprepared))
        error_answer(out, CQL_ERR_UNPREPARED, "who?", (struct mr_bytes){ (const uint8_t *)prepared_id, 16 });
    else if (script_takes(&script->dropped))
        error_answer(out, CQL_ERR_INVALID, "unconfigured table people", MR_BYTES_NULL);
    else
        error = false;
    if (!error && opcode == CQL_OP_EXECUTE) {
        if (cql_execute_read(&execute, in, CQL_V4, arena) != MR_OK)
            abort();
        row_note(script, execute.params.values, execute.params.value_count);
        atomic_fetch_add(&script->executes, 1);
    } else if (!error) {
        if (cql_batch_read(&batch, in, CQL_V4, arena) != MR_OK || batch.type != CQL_BATCH_UNLOGGED)
            abort();
        for (uint32_t i = 0; i < batch.entry_count; i++)
            row_note(script, batch.entries[i].values, batch.entries[i].value_count);
        atomic_fetch_add(&script->batches, 1);
    }
    if (!error) {
        *answer = CQL_OP_RESULT;
        cql_result_write_void(out);
    }
    pthread_mutex_unlock(&script->lock);
    return true;
}

static enum cql_opcode login_answer(struct mr_reader *in, struct mr_writer *out)
{
    struct cql_auth auth = { .token = MR_BYTES_NULL };
    struct mr_str user, password;

    if (cql_auth_read(&auth, in) != MR_OK || cql_auth_split_plain(auth.token, &user, &password) != MR_OK)
        abort();
    if (mr_str_equal(user, MR_STR("ada")) && mr_str_equal(password, MR_STR("secret"))) {
        cql_auth_write(out, &(struct cql_auth){ .token = MR_BYTES_NULL });
        return CQL_OP_AUTH_SUCCESS;
    }
    error_answer(out, CQL_ERR_CREDENTIALS, "Provided username and/or password are incorrect", MR_BYTES_NULL);
    return CQL_OP_ERROR;
}

/* ---- reading ---- */

#define READ_COLUMNS                                                                                                   \
    "name partition_key text, age regular int, score regular double, ok regular boolean, big regular timestamp, "      \
    "id regular uuid, ratio regular float"
#define READ_SQL "name STRING, age BIGINT, score DOUBLE, ok BOOLEAN, big BIGINT, id STRING, ratio FLOAT"

static void person_write(struct mr_writer *out, int row)
{
    uint8_t fixed[16] = { 0 };
    char name[32];
    int size = snprintf(name, sizeof(name), "\"n%d", row);

    cql_write_value(out, CQL_VALUE_OF((const uint8_t *)name, size));
    mr_write_i32(out, 4);
    mr_write_i32(out, -row);
    cql_store_f64(fixed, row == 1 ? __builtin_nan("") : 1.5);
    cql_write_value(out, CQL_VALUE_OF(fixed, 8));
    fixed[0] = 1;
    cql_write_value(out, CQL_VALUE_OF(fixed, 1));
    mr_write_i32(out, 8);
    mr_write_i64(out, 1700000000000);
    memset(fixed, 0xab, sizeof(fixed));
    cql_write_value(out, CQL_VALUE_OF(fixed, 16));
    cql_store_f32(fixed, 0.1F);
    cql_write_value(out, CQL_VALUE_OF(fixed, 4));
}

/* One page of the people: row 3 is all null but its key, row 4 all empty. */
static void page_answer(struct script *script, const struct cql_query *query, struct mr_writer *out)
{
    static const uint16_t codes[] = {
        CQL_VARCHAR, CQL_INT, CQL_DOUBLE, CQL_BOOLEAN, CQL_TIMESTAMP, CQL_UUID, CQL_FLOAT
    };
    struct cql_column columns[MR_COUNT(codes)];
    struct cql_metadata metadata = { .flags = CQL_META_GLOBAL, .column_count = MR_COUNT(codes), .columns = columns };
    uint8_t state[4096] = { 0 };
    int first = 0, end;
    size_t count_at;

    for (size_t i = 0; i < MR_COUNT(codes); i++)
        columns[i] = (struct cql_column){ MR_STR("ks"), MR_STR("people"), MR_STR("c"), cql_type_native(codes[i]) };
    if ((query->params.flags & CQL_PARAM_PAGING_STATE) != 0)
        first = mr_load_i32(query->params.paging_state.data);
    end = first + query->params.page_size < script->people ? first + query->params.page_size : script->people;
    if (end < script->people) {
        mr_store_i32(state, end);
        metadata.flags |= CQL_META_MORE_PAGES;
        metadata.paging_state =
            (struct mr_bytes){ state, (size_t)(script->paging_bytes > 4 ? script->paging_bytes : 4) };
    }
    count_at = cql_result_begin_rows(out, &metadata);
    for (int row = first; row < end; row++) {
        if (row != 3 && row != 4) {
            person_write(out, row);
            continue;
        }
        cql_write_value(out, CQL_VALUE_OF((const uint8_t *)"k", row == 3));
        for (size_t i = 1; i < MR_COUNT(codes); i++)
            cql_write_value(out, row == 3 ? CQL_VALUE_NULL : CQL_VALUE_OF(state, 0));
    }
    mr_write_i32_at(out, count_at, end - first);
    atomic_fetch_add(&script->reads, 1);
}

/* Answers a SELECT of people; false: the connection is to be cut. */
static bool read_answer(struct script *script, const struct cql_query *query, struct mr_writer *out,
                        enum cql_opcode *answer)
{
    if (script_takes(&script->cut_reads))
        return false;
    if (script_takes(&script->busy_reads)) {
        error_answer(out, CQL_ERR_OVERLOADED, "too much", MR_BYTES_NULL);
        *answer = CQL_OP_ERROR;
    } else {
        page_answer(script, query, out);
        *answer = CQL_OP_RESULT;
    }
    return true;
}

/* Answers QUERY and PREPARE; false: the connection is to be cut. */
static bool text_answer(struct script *script, uint8_t opcode, struct mr_reader *in, struct mr_writer *out,
                        struct mr_arena *arena, enum cql_opcode *answer)
{
    bool goes_on = true;
    struct cql_metadata none = { .flags = CQL_META_NONE };
    struct cql_prepare prepare;
    struct cql_query query;

    *answer = CQL_OP_RESULT;
    if (opcode == CQL_OP_PREPARE) {
        if (cql_prepare_read(&prepare, in, CQL_V4) != MR_OK)
            abort();
        query.text = prepare.text;
        atomic_fetch_add(&script->prepares, 1);
        cql_result_write_prepared(out, CQL_V4, (struct mr_bytes){ (const uint8_t *)prepared_id, 16 }, &none, &none);
    } else {
        if (cql_query_read(&query, in, CQL_V4, arena) != MR_OK)
            abort();
        if (memmem(query.text.data, query.text.size, "system_schema.columns", 21) != NULL)
            columns_answer(script, out);
        else if (query.text.size > 8 && memcmp(query.text.data, "SELECT \"", 8) == 0)
            goes_on = read_answer(script, &query, out, answer);
        else
            cql_result_write_void(out);
    }
    pthread_mutex_lock(&script->lock);
    mr_write_text(&script->statements, "%.*s\n", MR_STR_ARG(query.text));
    pthread_mutex_unlock(&script->lock);
    return goes_on;
}

static void script_handle(struct harness_server *server, int fd, int connection)
{
    struct script *script = server->arg;
    struct mr_writer in = { 0 }, body = { 0 }, out = { 0 };
    struct mr_arena *arena = mr_arena_new();
    uint8_t head[CQL_HEADER_BYTES];

    MR_UNUSED(connection);
    while (harness_receive(server, fd, head, sizeof(head))) {
        enum cql_opcode answer = CQL_OP_READY;
        struct cql_header header;
        struct mr_reader reader;
        size_t frame;

        in.size = body.size = out.size = 0;
        if (cql_header_read(&header, (struct mr_bytes){ head, sizeof(head) }) != MR_OK || header.is_answer ||
            !harness_receive(server, fd, mr_writer_reserve(&in, header.body_bytes + 1), header.body_bytes))
            break;
        in.size = header.body_bytes;
        reader = mr_reader_of(mr_writer_bytes(&in));
        mr_arena_reset(arena);
        if (header.opcode == CQL_OP_STARTUP && script->login) {
            answer = CQL_OP_AUTHENTICATE;
            cql_write_string(&body, MR_STR("org.apache.cassandra.auth.PasswordAuthenticator"));
        } else if (header.opcode == CQL_OP_AUTH_RESPONSE) {
            answer = login_answer(&reader, &body);
        } else if (header.opcode == CQL_OP_QUERY || header.opcode == CQL_OP_PREPARE) {
            if (!text_answer(script, header.opcode, &reader, &body, arena, &answer))
                break;
        } else if (header.opcode != CQL_OP_STARTUP &&
                   !write_answer(script, header.opcode, &reader, &body, arena, &answer)) {
            break;
        }
        frame = cql_frame_begin(&out, CQL_V4, true, 0, header.stream, answer);
        mr_write_bytes(&out, mr_writer_bytes(&body));
        cql_frame_end(&out, frame);
        harness_send(fd, out.data, out.size);
    }
    mr_arena_free(arena);
    mr_writer_deinit(&in);
    mr_writer_deinit(&body);
    mr_writer_deinit(&out);
}

/* ---- running the sink ---- */

struct run {
    struct mr_arena *arena;
    struct harness_server server;
    struct script script;
    struct connector_context ctx;
    struct harness_table table;
    struct mr_writer rejected; /* "record: why" lines */
    enum mr_status status;
    struct mr_err err;
};

static const uint32_t first_column[] = { 0 };

static void run_init(struct run *run, const char *columns)
{
    memset(run, 0, sizeof(*run));
    run->arena = mr_arena_new();
    run->script.columns = columns;
    pthread_mutex_init(&run->script.lock, NULL);
    harness_server_start(&run->server, script_handle, &run->script);
    harness_context_init(&run->ctx, NULL);
    run->ctx.cassandra_embedded = run->server.address;
    run->ctx.cassandra_is_ours = true;
}

static void run_deinit(struct run *run)
{
    harness_server_stop(&run->server);
    mr_writer_deinit(&run->script.rows);
    mr_writer_deinit(&run->script.statements);
    mr_writer_deinit(&run->rejected);
    pthread_mutex_destroy(&run->script.lock);
    mr_arena_free(run->arena);
}

static void on_reject(void *arg, uint32_t record, const struct mr_err *why)
{
    struct run *run = arg;

    mr_write_text(&run->rejected, "%u: %s\n", record, why->text);
}

static void batch_row_add(struct data_batch *batch, const char *name, int age)
{
    if (name != NULL)
        data_append_str(batch->columns[0], mr_str_of(name));
    else
        data_append_null(batch->columns[0]);
    if (age >= 0)
        data_append_i32(batch->columns[1], age);
    else
        data_append_null(batch->columns[1]);
    data_append_f64(batch->columns[2], 1.5);
    data_append_bool(batch->columns[3], true);
    data_append_i64(batch->columns[4], INT64_C(1) << 40);
    batch->row_count++;
}

/* Writes COUNT rows "n<i>" (row 1 has a null name, row 2 an empty one when BAD) and flushes. */
static void run_sink(struct run *run, const char *columns, const struct harness_option *options, int count, bool bad)
{
    const struct connector_sink_ops *ops = connectors_find("cassandra")->sink;
    struct harness_option all[16] = { { "keyspace", "ks" }, { "table", "people" } };
    const struct data_type *row = harness_row(run->arena, columns);
    struct connector_sink *sink = NULL;
    struct data_batch *batch;
    uint32_t *record = mr_calloc((size_t)count + 1, sizeof(*record));
    int64_t *times = mr_calloc((size_t)count + 1, sizeof(*times));
    int option_count = 2;

    for (; options != NULL && options->name != NULL; options++)
        all[option_count++] = *options;
    harness_table_init(&run->table, "cassandra", row, all);
    run->table.table.primary_key = first_column;
    run->table.table.primary_key_count = 1;
    run->status = ops->open(&sink, &run->table.table, &run->ctx, on_reject, run, &run->err);
    if (run->status == MR_OK) {
        batch = data_batch_new(row);
        for (int i = 0; i < count; i++) {
            char name[16];

            snprintf(name, sizeof(name), "n%d", i);
            batch_row_add(batch, bad && i == 1 ? NULL : bad && i == 2 ? "" : name, i == 0 ? -1 : i);
            record[i] = (uint32_t)(100 + i);
            times[i] = 5000 + i;
        }
        run->status = ops->write(sink, batch, record, times, &run->err);
        if (run->status == MR_OK)
            run->status = ops->flush(sink, &run->err);
        data_batch_unref(batch);
    }
    ops->close(sink);
    mr_free(record);
    mr_free(times);
    mr_write_u8(&run->script.rows, '\0');
    mr_write_u8(&run->script.statements, '\0');
    mr_write_u8(&run->rejected, '\0');
}

#define SQL_COLUMNS "name STRING, age INT, score DOUBLE, ok BOOLEAN, big BIGINT"

static void test_rows(void **state)
{
    struct run run;

    MR_UNUSED(state);
    run_init(&run, COLUMNS);
    run_sink(&run, SQL_COLUMNS, NULL, 4, true);
    if (run.status != MR_OK)
        fail_msg("%s", run.err.text);
    assert_string_equal((const char *)run.script.statements.data,
                        "CREATE KEYSPACE IF NOT EXISTS \"ks\" WITH replication = {'class': 'SimpleStrategy', "
                        "'replication_factor': 1}\n"
                        "CREATE TABLE IF NOT EXISTS \"ks\".\"people\" (\"name\" text, \"age\" int, \"score\" double, "
                        "\"ok\" boolean, \"big\" bigint, PRIMARY KEY (\"name\"))\n"
                        "SELECT column_name, kind, type FROM system_schema.columns WHERE keyspace_name = 'ks' AND "
                        "table_name = 'people'\n"
                        "INSERT INTO \"ks\".\"people\" (\"name\", \"age\", \"score\", \"ok\", \"big\") VALUES "
                        "(?, ?, ?, ?, ?) USING TIMESTAMP ?\n");
    assert_string_equal((const char *)run.script.rows.data,
                        "n0 null 1.5 1 1099511627776 5000\nn3 3 1.5 1 1099511627776 5003\n");
    assert_string_equal((const char *)run.rejected.data, "101: column 'name' is a key and may not be NULL\n"
                                                         "102: column 'name' is a key and may not be empty\n");
    assert_int_equal(atomic_load(&run.script.batches), 1);
    run_deinit(&run);
}

/* To a foreign Cassandra: nothing is made, each row is one EXECUTE, and the login is asked for. */
static void test_external(void **state)
{
    struct run run;

    MR_UNUSED(state);
    run_init(&run, COLUMNS ", extra regular text");
    run.ctx.cassandra_embedded = NULL;
    run.script.login = true;
    struct harness_option options[] = {
        { "contact-points", run.server.address }, { "username", "ada" }, { "password", "secret" }, { NULL, NULL }
    };
    run_sink(&run, SQL_COLUMNS, options, 600, true);
    if (run.status != MR_OK)
        fail_msg("%s", run.err.text);
    assert_null(strstr((const char *)run.script.statements.data, "CREATE"));
    assert_int_equal(atomic_load(&run.script.executes), 598);
    run_deinit(&run);

    run_init(&run, COLUMNS);
    run.script.login = true;
    options[0].value = run.server.address;
    options[2].value = "wrong";
    run_sink(&run, SQL_COLUMNS, options, 1, false);
    assert_int_equal(run.status, MR_DENIED);
    assert_non_null(strstr(run.err.text, "password are incorrect"));
    run_deinit(&run);

    run_init(&run, COLUMNS);
    run.script.login = true;
    options[0].value = run.server.address;
    options[1].name = NULL;
    run_sink(&run, SQL_COLUMNS, options, 1, false);
    assert_int_equal(run.status, MR_DENIED);
    assert_non_null(strstr(run.err.text, "'username' and 'password'"));
    run_deinit(&run);
}

/* Trouble that passes loses nothing. */
static void test_trouble(void **state)
{
    static const struct {
        const char *name;
        int overloaded, unprepared, cut;
    } cases[] = { { "overloaded", 5, 0, 0 }, { "unprepared", 0, 3, 0 }, { "cut", 0, 0, 2 }, { "all of it", 3, 2, 2 } };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct run run;

        run_init(&run, COLUMNS);
        run.script.overloaded = cases[i].overloaded;
        run.script.unprepared = cases[i].unprepared;
        run.script.cut = cases[i].cut;
        run_sink(&run, SQL_COLUMNS, NULL, 3000, false);
        if (run.status != MR_OK)
            fail_msg("%s: %s", cases[i].name, run.err.text);
        assert_true(atomic_load(&run.script.row_count) >= 3000);
        for (int row = 1; row < 3000; row++) {
            char line[64];

            snprintf(line, sizeof(line), "n%d %d 1.5 1 1099511627776 %d\n", row, row, 5000 + row);
            if (strstr((const char *)run.script.rows.data, line) == NULL)
                fail_msg("%s: row %d is missing", cases[i].name, row);
        }
        if (cases[i].unprepared > 0 || cases[i].cut > 0)
            assert_true(atomic_load(&run.script.prepares) > 1);
        run_deinit(&run);
    }
}

/* A table that can't take the rows, or is gone: an error that says so. */
static void test_refused(void **state)
{
    static const struct {
        const char *columns; /* of the server's table */
        int dropped;
        enum mr_status status;
        const char *text;
    } cases[] = {
        { "", 0, MR_NOT_FOUND, "no table ks.people" },
        { "name partition_key text, age regular text, score regular double, ok regular boolean, big regular bigint", 0,
          MR_INVALID, "column 'age' is INT, but text in ks.people" },
        { "name partition_key text, agee regular int, score regular double, ok regular boolean, big regular bigint", 0,
          MR_INVALID, "no column 'age'; did you mean 'agee'?" },
        { "name partition_key text, age clustering int, score regular double, ok regular boolean, big regular bigint",
          0, MR_INVALID, "column 'age' is in the primary key of ks.people" },
        { "id partition_key uuid, " COLUMNS, 0, MR_INVALID, "primary key column 'id'" },
        { "id partition_key uuid, name regular text, age regular int, score regular double, ok regular boolean, "
          "big regular bigint",
          0, MR_INVALID, "primary key column 'id'" },
        { COLUMNS, 1, MR_INVALID, "ks.people: unconfigured table people" },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct run run;

        run_init(&run, cases[i].columns);
        run.script.dropped = cases[i].dropped;
        run_sink(&run, SQL_COLUMNS, NULL, 3, false);
        if (run.status != cases[i].status || strstr(run.err.text, cases[i].text) == NULL)
            fail_msg("case %zu: %s (%s)", i, mr_status_text(run.status), run.err.text);
        run_deinit(&run);
    }
}

static void test_wrong_options(void **state)
{
    static const struct {
        struct harness_option options[3];
        const char *columns, *text;
    } cases[] = {
        { { { "keyspace", "a b" }, { "table", "t" } }, SQL_COLUMNS, "'keyspace' = 'a b'" },
        { { { "keyspace", "ks" } }, SQL_COLUMNS, "'table' is missing" },
        { { { "consistency", "MOST" } }, SQL_COLUMNS, "'consistency' = 'MOST'" },
        { { { "contact-points", "host:0" } }, SQL_COLUMNS, "contact-points" },
    };
    const struct connector_sink_ops *ops = connectors_find("cassandra")->sink;

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct harness_option all[5] = { { NULL, NULL } };
        struct mr_arena *arena = mr_arena_new();
        struct connector_sink *sink = NULL;
        struct mr_err err = MR_ERR_INIT;
        struct connector_context ctx;
        struct harness_table table;

        memcpy(all, cases[i].options, sizeof(cases[i].options));
        if (i > 1) {
            all[1] = (struct harness_option){ "keyspace", "ks" };
            all[2] = (struct harness_option){ "table", "t" };
        }
        harness_context_init(&ctx, NULL);
        ctx.cassandra_embedded = "127.0.0.1:1";
        harness_table_init(&table, "cassandra", harness_row(arena, cases[i].columns), all);
        assert_int_equal(ops->open(&sink, &table.table, &ctx, NULL, NULL, &err), MR_INVALID);
        if (strstr(err.text, cases[i].text) == NULL)
            fail_msg("case %zu: '%s'", i, err.text);
        mr_arena_free(arena);
    }
}

/* ---- the source ---- */

/* Opens the source at POSITION (NULL: the start) and reads until WANT records came or it ended. */
static enum mr_status run_source(struct run *run, const char *columns, const struct connector_position *position,
                                 uint32_t want, struct mr_writer *lines, struct connector_position *at, bool *ended)
{
    static const struct harness_option options[] = { { "keyspace", "ks" }, { "table", "people" }, { NULL, NULL } };
    const struct connector_source_ops *ops = connectors_find("cassandra")->source;
    struct connector_source *source = NULL;
    uint32_t count = 0;
    struct connector_position positions[16];
    enum mr_status status;

    harness_table_init(&run->table, "cassandra", harness_row(run->arena, columns), options);
    status = ops->open(&source, &run->table.table, &run->ctx, position, position != NULL, &run->err);
    if (status == MR_OK)
        status = harness_read(ops, source, want, 20000, lines, positions, &count, ended, &run->err);
    if (status == MR_OK && count == 1)
        *at = positions[0];
    ops->close(source);
    mr_write_u8(lines, '\0');
    return status;
}

static void test_read(void **state)
{
    static const char expect[] =
        "0:0 {\"name\":\"\\\"n0\",\"age\":0,\"score\":1.5,\"ok\":true,\"big\":1700000000000,"
        "\"id\":\"abababab-abab-abab-abab-abababababab\",\"ratio\":0.1}\n"
        "0:1 {\"name\":\"\\\"n1\",\"age\":-1,\"score\":\"NaN\",\"ok\":true,\"big\":1700000000000,"
        "\"id\":\"abababab-abab-abab-abab-abababababab\",\"ratio\":0.1}\n"
        "0:2 {\"name\":\"\\\"n2\",\"age\":-2,\"score\":1.5,\"ok\":true,\"big\":1700000000000,"
        "\"id\":\"abababab-abab-abab-abab-abababababab\",\"ratio\":0.1}\n"
        "0:3 {\"name\":\"k\",\"age\":null,\"score\":null,\"ok\":null,\"big\":null,\"id\":null,\"ratio\":null}\n"
        "0:4 {\"name\":\"\",\"age\":null,\"score\":null,\"ok\":null,\"big\":null,\"id\":null,\"ratio\":null}\n";
    struct connector_position at = { 0 };
    struct mr_writer lines = { 0 };
    bool ended = false;
    struct run run;

    MR_UNUSED(state);
    run_init(&run, READ_COLUMNS ", extra regular text");
    run.script.people = 5;
    if (run_source(&run, READ_SQL, NULL, 100, &lines, &at, &ended) != MR_OK)
        fail_msg("%s", run.err.text);
    assert_string_equal((const char *)lines.data, expect);
    assert_true(ended);
    assert_int_equal(at.next, 5);
    mr_write_u8(&run.script.statements, '\0');
    assert_string_equal((const char *)run.script.statements.data,
                        "SELECT column_name, kind, type FROM system_schema.columns WHERE keyspace_name = 'ks' AND "
                        "table_name = 'people'\n"
                        "SELECT \"name\", \"age\", \"score\", \"ok\", \"big\", \"id\", \"ratio\" FROM "
                        "\"ks\".\"people\"\n");
    mr_writer_deinit(&lines);
    run_deinit(&run);
}

/* Every row once, in pages, whatever happens to the connection; and on from a page after a restart. */
static void test_read_pages(void **state)
{
    static const struct {
        const char *name;
        int people, cut, busy, reads;
    } cases[] = { { "three pages", 2500, 0, 0, 3 },
                  { "whole pages", 2000, 0, 0, 2 },
                  { "none", 0, 0, 0, 1 },
                  { "cut", 2500, 2, 0, 3 },
                  { "overloaded", 2500, 0, 2, 3 } };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct connector_position at = { 0 };
        struct mr_writer lines = { 0 };
        bool ended = false;
        struct run run;
        int rows = 0;

        run_init(&run, READ_COLUMNS);
        run.script.people = cases[i].people;
        run.script.cut_reads = cases[i].cut;
        run.script.busy_reads = cases[i].busy;
        if (run_source(&run, READ_SQL, NULL, 10000, &lines, &at, &ended) != MR_OK)
            fail_msg("%s: %s", cases[i].name, run.err.text);
        for (const char *line = (const char *)lines.data; *line != '\0'; line = strchr(line, '\n') + 1) {
            int position = -1;

            assert_int_equal(sscanf(line, "0:%d ", &position), 1);
            assert_int_equal(position, rows++);
        }
        assert_int_equal(rows, cases[i].people);
        assert_int_equal(atomic_load(&run.script.reads), cases[i].reads);
        assert_true(ended);
        mr_writer_deinit(&lines);
        run_deinit(&run);
    }
}

static void test_read_resumes(void **state)
{
    struct connector_position first = { 0 }, last = { 0 }, wrong = { .next = 7, .state = MR_STR("page=0g") };
    struct mr_writer lines = { 0 };
    bool ended = false;
    struct run run;

    MR_UNUSED(state);
    run_init(&run, READ_COLUMNS);
    run.script.people = 1500;
    run.script.paging_bytes = 2000;
    assert_int_equal(run_source(&run, READ_SQL, NULL, 1, &lines, &first, &ended), MR_OK);
    assert_false(ended);
    assert_int_equal(first.next, 1000);
    char *text = mr_str_dup(first.state);
    first.state.data = text;
    lines.size = 0;
    assert_int_equal(run_source(&run, READ_SQL, &first, 10000, &lines, &last, &ended), MR_OK);
    assert_true(ended);
    assert_int_equal(strncmp((const char *)lines.data, "0:1000 {\"name\":\"\\\"n1000\"", 24), 0);
    assert_int_equal(last.next, 1500);
    lines.size = 0;
    assert_int_equal(run_source(&run, READ_SQL, &last, 10000, &lines, &last, &ended), MR_OK);
    assert_string_equal((const char *)lines.data, "");
    assert_true(ended);
    assert_int_equal(run_source(&run, READ_SQL, &wrong, 1, &lines, &last, &ended), MR_CORRUPT);
    mr_free(text);

    /* A paging state that no checkpoint takes: the position stays. */
    run.script.paging_bytes = 2100;
    first = (struct connector_position){ .next = -1 };
    assert_int_equal(run_source(&run, READ_SQL, NULL, 1, &lines, &first, &ended), MR_OK);
    assert_int_equal(first.next, -1);
    mr_writer_deinit(&lines);
    run_deinit(&run);
}

static void test_read_refused(void **state)
{
    static const struct {
        const char *columns, *sql;
        enum mr_status status;
        const char *text;
    } cases[] = {
        { "", READ_SQL, MR_NOT_FOUND, "there is no table ks.people" },
        { READ_COLUMNS, "name STRING, agee INT", MR_INVALID, "no column 'agee'; did you mean 'age'?" },
        { READ_COLUMNS, "age STRING", MR_INVALID,
          "column 'age' is STRING, but int in ks.people, which does not become" },
        { READ_COLUMNS, "name STRING", MR_INVALID, "reading ks.people: its columns changed" },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct connector_position at = { 0 };
        struct mr_writer lines = { 0 };
        bool ended = false;
        struct run run;
        enum mr_status status;

        run_init(&run, cases[i].columns);
        run.script.people = 1;
        status = run_source(&run, cases[i].sql, NULL, 1, &lines, &at, &ended);
        if (status != cases[i].status || strstr(run.err.text, cases[i].text) == NULL)
            fail_msg("case %zu: %s (%s)", i, mr_status_text(status), run.err.text);
        mr_writer_deinit(&lines);
        run_deinit(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),       cmocka_unit_test(test_external),      cmocka_unit_test(test_trouble),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_wrong_options), cmocka_unit_test(test_read),
        cmocka_unit_test(test_read_pages), cmocka_unit_test(test_read_resumes),  cmocka_unit_test(test_read_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

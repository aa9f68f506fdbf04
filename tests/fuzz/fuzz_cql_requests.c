/* Bodies of every request and answer: the first byte says which message, the second the version. */
#include "cql/cql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_answers(uint8_t which, struct mr_reader r, uint8_t version, struct mr_arena *arena)
{
    struct cql_result result;
    struct cql_error error;
    struct cql_event event;
    struct cql_startup supported;
    struct cql_value cells[64];
    struct mr_writer w = { 0 };
    uint32_t i, j;

    if (which == 8 && cql_error_read(&error, &r, version) == MR_OK)
        cql_error_write(&w, version, &error);
    else if (which == 9)
        MR_UNUSED(cql_event_read(&event, &r) == MR_OK);
    else if (which == 10)
        MR_UNUSED(cql_supported_read(&supported, &r, arena) == MR_OK);
    else if (which == 11 && cql_result_read(&result, &r, version, arena) == MR_OK && result.kind == CQL_RESULT_ROWS &&
             result.metadata.columns != NULL && result.metadata.column_count <= MR_COUNT(cells)) {
        for (i = 0; i < result.row_count && i < 1000; i++) {
            if (cql_row_read(&result.rows, cells, result.metadata.column_count) != MR_OK)
                break;
            for (j = 0; j < result.metadata.column_count; j++) {
                if (cql_value_check(result.metadata.columns[j].type, cells[j], NULL) == MR_OK)
                    cql_value_format(&w, result.metadata.columns[j].type, cells[j]);
            }
        }
    }
    mr_writer_deinit(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_arena *arena;
    struct mr_reader r;
    uint8_t which, version;
    union {
        struct cql_prefix prefix;
        struct cql_query query;
        struct cql_prepare prepare;
        struct cql_execute execute;
        struct cql_batch batch;
        struct cql_startup startup;
        struct cql_register registered;
        struct cql_auth auth;
    } u;

    if (size < 2)
        return 0;
    which = data[0] % 12;
    version = data[1] & 2 ? CQL_V5 : data[1] & 1 ? CQL_V3 : CQL_V4;
    r = mr_reader_of((struct mr_bytes){ data + 2, size - 2 });
    arena = mr_arena_new();
    switch (which) {
    case 0:
        MR_UNUSED(cql_query_read(&u.query, &r, version, arena) == MR_OK);
        break;
    case 1:
        MR_UNUSED(cql_prepare_read(&u.prepare, &r, version) == MR_OK);
        break;
    case 2:
        MR_UNUSED(cql_execute_read(&u.execute, &r, version, arena) == MR_OK);
        break;
    case 3:
        MR_UNUSED(cql_batch_read(&u.batch, &r, version, arena) == MR_OK);
        break;
    case 4:
        MR_UNUSED(cql_startup_read(&u.startup, &r, arena) == MR_OK);
        break;
    case 5:
        MR_UNUSED(cql_register_read(&u.registered, &r, arena) == MR_OK);
        break;
    case 6:
        MR_UNUSED(cql_auth_read(&u.auth, &r) == MR_OK);
        break;
    case 7:
        MR_UNUSED(cql_prefix_read(&u.prefix, &r, data[1], data[1] & 2, arena) == MR_OK);
        break;
    default:
        read_answers(which, r, version, arena);
        break;
    }
    mr_arena_free(arena);
    return 0;
}

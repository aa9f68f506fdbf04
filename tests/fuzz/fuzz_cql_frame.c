/* fuzz_cql_frame.c -- any bytes as a stream of frames, as either side receives them: header, prefix and body. */
#include "fuzz.h"

#include "cql/cql.h"

static void body_read(const struct cql_header *header, struct mr_bytes body)
{
    struct mr_arena *arena = mr_arena_new();
    struct mr_reader r = mr_reader_of(body);
    struct mr_writer w = { 0 };
    struct cql_prefix prefix;
    struct cql_query query;
    struct cql_error error;

    if (cql_prefix_read(&prefix, &r, header->flags, header->is_answer, arena) == MR_OK) {
        if (header->opcode == CQL_OP_QUERY && cql_query_read(&query, &r, header->version, arena) == MR_OK) {
            cql_query_write(&w, header->version, &query);
            r = mr_reader_of(mr_writer_bytes(&w));
            FUZZ_MUST(cql_query_read(&query, &r, header->version, arena) == MR_OK);
        } else if (header->opcode == CQL_OP_ERROR && cql_error_read(&error, &r, header->version) == MR_OK) {
            cql_error_write(&w, header->version, &error);
            r = mr_reader_of(mr_writer_bytes(&w));
            FUZZ_MUST(cql_error_read(&error, &r, header->version) == MR_OK);
        }
    }
    mr_writer_deinit(&w);
    mr_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_bytes rest = { data, size };
    struct cql_header header;

    while (cql_header_read(&header, rest) == MR_OK && header.body_bytes <= rest.size - CQL_HEADER_BYTES) {
        FUZZ_MUST(cql_opcode_name(header.opcode) != NULL);
        if (header.version >= CQL_VERSION_MIN && header.version <= CQL_VERSION_MAX)
            body_read(&header, (struct mr_bytes){ rest.data + CQL_HEADER_BYTES, header.body_bytes });
        rest.data += CQL_HEADER_BYTES + header.body_bytes;
        rest.size -= CQL_HEADER_BYTES + header.body_bytes;
    }
    return 0;
}

/* compress.c -- bodies of version 3 and 4, compressed one by one.
 *
 * The peer says how many bytes a body will have; the claim is compared with the caller's limit and with what the
 * compressed bytes can hold at all, so that a small frame cannot make us allocate a large buffer for nothing. */
#include "cql/cql.h"

#include <lz4.h>
#include <snappy-c.h>

enum {
    LZ4_HEAD_BYTES = 4,
    LZ4_RATIO_MAX = 255,   /* a byte of length stands for at most 255 */
    SNAPPY_RATIO_MAX = 64, /* a copy of three bytes makes at most 64 */
    RATIO_SLACK = 64,      /* for the bytes that a block begins and ends with */
};

bool cql_compression_named(struct mr_str name, enum cql_compression *out)
{
    if (mr_str_equal_nocase(name, MR_STR("lz4")))
        *out = CQL_LZ4;
    else if (mr_str_equal_nocase(name, MR_STR("snappy")))
        *out = CQL_SNAPPY;
    else
        return false;
    return true;
}

void cql_body_compress(struct mr_writer *w, enum cql_compression compression, struct mr_bytes body)
{
    size_t room;
    uint8_t *to;

    assert(body.size <= CQL_ANSWER_BYTES_MAX && compression != CQL_PLAIN);
    if (compression == CQL_LZ4) {
        mr_write_i32(w, (int32_t)body.size);
        room = (size_t)LZ4_compressBound((int)body.size);
        to = mr_writer_reserve(w, room);
        w->size += (size_t)LZ4_compress_default((const char *)body.data, (char *)to, (int)body.size, (int)room);
    } else {
        room = snappy_max_compressed_length(body.size);
        to = mr_writer_reserve(w, room);
        if (snappy_compress((const char *)body.data, body.size, (char *)to, &room) == SNAPPY_OK)
            w->size += room;
    }
}

static enum mr_status claim_check(size_t claim, size_t have, size_t ratio, size_t bytes_max, struct mr_err *err)
{
    if (claim > bytes_max)
        return mr_err_set(err, MR_LIMIT, "the compressed body has %zu bytes; at most %zu are allowed", claim,
                          bytes_max);
    if (claim / ratio > have + RATIO_SLACK)
        return mr_err_set(err, MR_INVALID, "the compressed body claims more bytes than it can hold");
    return MR_OK;
}

static enum mr_status decompress_lz4(struct mr_writer *w, struct mr_bytes body, size_t bytes_max, struct mr_err *err)
{
    struct mr_reader r = mr_reader_of(body);
    int32_t claim = mr_read_i32(&r);
    size_t have = mr_reader_left(&r);
    enum mr_status status;
    uint8_t *to;

    if (r.failed || claim < 0)
        return mr_err_set(err, MR_INVALID, "the lz4 body does not say its size");
    status = claim_check((size_t)claim, have, LZ4_RATIO_MAX, bytes_max, err);
    if (status != MR_OK)
        return status;
    if (claim == 0)
        return MR_OK;
    to = mr_writer_reserve(w, (size_t)claim);
    if (LZ4_decompress_safe((const char *)r.at, (char *)to, (int)have, claim) != claim)
        return mr_err_set(err, MR_INVALID, "the lz4 body is damaged");
    w->size += (size_t)claim;
    return MR_OK;
}

static enum mr_status decompress_snappy(struct mr_writer *w, struct mr_bytes body, size_t bytes_max, struct mr_err *err)
{
    size_t claim;
    enum mr_status status;
    uint8_t *to;

    if (snappy_uncompressed_length((const char *)body.data, body.size, &claim) != SNAPPY_OK)
        return mr_err_set(err, MR_INVALID, "the snappy body does not say its size");
    status = claim_check(claim, body.size, SNAPPY_RATIO_MAX, bytes_max, err);
    if (status != MR_OK)
        return status;
    to = mr_writer_reserve(w, claim + 1);
    if (snappy_uncompress((const char *)body.data, body.size, (char *)to, &claim) != SNAPPY_OK)
        return mr_err_set(err, MR_INVALID, "the snappy body is damaged");
    w->size += claim;
    return MR_OK;
}

enum mr_status cql_body_decompress(struct mr_writer *w, enum cql_compression compression, struct mr_bytes body,
                                   size_t bytes_max, struct mr_err *err)
{
    assert(compression != CQL_PLAIN && bytes_max <= INT32_MAX);
    if (body.size > bytes_max)
        return mr_err_set(err, MR_LIMIT, "the compressed body has more than %zu bytes", bytes_max);
    return compression == CQL_LZ4 ? decompress_lz4(w, body, bytes_max, err)
                                  : decompress_snappy(w, body, bytes_max, err);
}

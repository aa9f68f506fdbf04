/* token.c -- Cassandra's Murmur3 token of a partition key.
 *
 * It is MurmurHash3_x64_128 with seed 0, first half, but for one thing: the bytes of the tail are taken as signed, as
 * Java has them, so keys with bytes above 0x7f whose length is no multiple of 16 hash unlike everywhere else. */
#include "cql/cql.h"

#define MIX_1 UINT64_C(0x87c37b91114253d5)
#define MIX_2 UINT64_C(0x4cf5ad432745937f)

static uint64_t rotate_left(uint64_t v, unsigned bits)
{
    return v << bits | v >> (64 - bits);
}

static uint64_t final_mix(uint64_t k)
{
    k ^= k >> 33;
    k *= UINT64_C(0xff51afd7ed558ccd);
    k ^= k >> 33;
    k *= UINT64_C(0xc4ceb9fe1a85ec53);
    k ^= k >> 33;
    return k;
}

static uint64_t load_little_endian(const uint8_t *at)
{
    uint64_t v = 0;
    int i;

    for (i = 7; i >= 0; i--)
        v = v << 8 | at[i];
    return v;
}

/* COUNT bytes of the tail, sign-extended and joined by xor. */
static uint64_t load_tail(const uint8_t *at, size_t count)
{
    uint64_t v = 0;
    size_t i;

    for (i = 0; i < count; i++)
        v ^= (uint64_t)(int64_t)(int8_t)at[i] << (8 * i);
    return v;
}

int64_t cql_token(struct mr_bytes key)
{
    uint64_t h1 = 0, h2 = 0;
    const uint8_t *at = key.data;
    size_t left = key.size;
    int64_t token;

    for (; left >= 16; at += 16, left -= 16) {
        h1 ^= rotate_left(load_little_endian(at) * MIX_1, 31) * MIX_2;
        h1 = (rotate_left(h1, 27) + h2) * 5 + 0x52dce729;
        h2 ^= rotate_left(load_little_endian(at + 8) * MIX_2, 33) * MIX_1;
        h2 = (rotate_left(h2, 31) + h1) * 5 + 0x38495ab5;
    }
    if (left > 8)
        h2 ^= rotate_left(load_tail(at + 8, left - 8) * MIX_2, 33) * MIX_1;
    if (left > 0)
        h1 ^= rotate_left(load_tail(at, left < 8 ? left : 8) * MIX_1, 31) * MIX_2;
    h1 ^= key.size;
    h2 ^= key.size;
    h1 += h2;
    h2 += h1;
    h1 = final_mix(h1);
    h2 = final_mix(h2);
    h1 += h2;
    token = (int64_t)h1;
    return token == INT64_MIN ? INT64_MAX : token;
}

enum mr_status cql_partition_key_write(struct mr_writer *w, const struct cql_value *parts, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        assert(parts[i].size >= 0);
        if (parts[i].size > UINT16_MAX)
            return MR_LIMIT;
    }
    if (count == 1) {
        mr_write_bytes(w, (struct mr_bytes){ parts[0].data, (size_t)parts[0].size });
        return MR_OK;
    }
    for (i = 0; i < count; i++) {
        mr_write_u16(w, (uint16_t)parts[i].size);
        mr_write_bytes(w, (struct mr_bytes){ parts[i].data, (size_t)parts[i].size });
        mr_write_u8(w, 0);
    }
    return MR_OK;
}

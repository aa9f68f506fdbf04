/* hash.h -- checksums and hashes. */
#ifndef MR_HASH_H
#define MR_HASH_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* CRC-32C (Castagnoli) of SIZE bytes, going on from CRC (0 at the start); uses SSE4.2 or ARMv8 where there. [any] */
uint32_t mr_crc32c(uint32_t crc, const void *data, size_t size);
/* A fast 64-bit hash for tables in memory; not stable between versions, never stored. [any] */
uint64_t mr_hash64(const void *data, size_t size);

#ifdef __cplusplus
}
#endif
#endif

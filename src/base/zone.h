/* zone.h -- time zones: what a clock shows at an instant, and back, by the system's own tables (TZif, RFC 8536).
 *
 * A zone is immutable and may be read by any thread while its arena lives.  Seconds are since 1970. */
#ifndef MR_ZONE_H
#define MR_ZONE_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mr_env;
struct mr_zone;

enum { MR_ZONE_NAME_BYTES_MAX = 64, MR_ZONE_FILE_BYTES_MAX = 1 << 20 };

/* The zone called NAME: "Europe/Berlin", "UTC", "+01:00", "GMT+8", "UTC-03:30", in ARENA.
 * MR_INVALID    NAME is no name of a zone       MR_NOT_FOUND  this system has none called so
 * MR_CORRUPT    its file can't be understood    MR_IO         it can't be read */
MR_MUST_CHECK enum mr_status mr_zone_load(const struct mr_zone **out, struct mr_arena *arena, struct mr_env *env,
                                          struct mr_str name, struct mr_err *err);
/* A zone from the bytes of a TZif file (for tests and fuzzing). */
MR_MUST_CHECK enum mr_status mr_zone_parse(const struct mr_zone **out, struct mr_arena *arena, struct mr_bytes file,
                                           struct mr_err *err);
/* Seconds that the zone's clocks are ahead of UTC at UTC_S; 0 for a zone of NULL. [any] */
int32_t mr_zone_offset(const struct mr_zone *zone, int64_t utc_s);
/* The instants at which clocks show LOCAL_S, rising; returns how many: usually one; two when they are put back over
 * it; when they skip it one, as far after the jump as it would have been after the moment before it (as java.time).
 * [any] */
uint32_t mr_zone_instants(const struct mr_zone *zone, int64_t local_s, int64_t out[2]);
/* The first of these instants. [any] */
int64_t mr_zone_to_utc(const struct mr_zone *zone, int64_t local_s);

#ifdef __cplusplus
}
#endif
#endif

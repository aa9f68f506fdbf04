/* sim_env.h -- a struct mr_env in memory whose disk can fail and whose power can go.
 *
 * Files:  what was written and not synced is a power cut's to keep, lose, tear or zero, sector by sector (512 bytes),
 *         the size too.  Names that were made, renamed or removed are kept or lost until their directory is synced.
 * Faults: the n-th changing call from now fails: with an I/O error, a full disk (part of a write done), or the power
 *         goes in the middle of it: then it and all later calls fail without effect until sim_env_power_cut.
 * A failed sync drops what was dirty as Linux does: a later sync succeeds and has not written it.
 * All is decided by one generator: the same seed replays the same run.  One thread. */
#ifndef SIM_ENV_H
#define SIM_ENV_H

#include "base/env.h"

struct sim_env;

enum sim_fault { SIM_FAULT_NONE, SIM_FAULT_IO, SIM_FAULT_FULL, SIM_FAULT_POWER };

/* A new, empty disk with the directory "/"; caller owns it. */
struct sim_env *sim_env_new(uint64_t seed);
void sim_env_free(struct sim_env *sim);
/* The environment to hand out; lives as long as SIM. */
struct mr_env *sim_env_env(struct sim_env *sim);
/* The next random number; below LIMIT. */
uint64_t sim_env_random(struct sim_env *sim, uint64_t limit);
/* The N-th changing call from now (1: the next) fails so.  A power fault stays; others happen once. */
void sim_env_fail(struct sim_env *sim, enum sim_fault fault, uint64_t n);
/* Forgets a fault that did not happen yet. */
void sim_env_fail_clear(struct sim_env *sim);
/* Is the power off? */
bool sim_env_off(const struct sim_env *sim);
/* Decides what the disk has after the power went, and switches it on again.  All files must be closed. */
void sim_env_power_cut(struct sim_env *sim);
/* For other simulated devices (a catalog): counts as a changing call; false when it must fail.  *DONE tells whether it
 * has its effect all the same, as when the power goes after the write and before the answer. */
bool sim_env_call(struct sim_env *sim, bool *done);
/* Moves the clock on. */
void sim_env_advance_ms(struct sim_env *sim, int64_t ms);

#endif

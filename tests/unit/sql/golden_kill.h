/* golden_kill.h -- how the golden runner runs a file in other ways than straight through: a file connector that hands
 * over a few records and then nothing, so that each handful is an epoch, and queries that are killed and resumed. */
#ifndef GOLDEN_KILL_H
#define GOLDEN_KILL_H

#include "sql/engine_int.h"

enum golden_kill_at {
    GOLDEN_KILL_NEVER = -1,
    GOLDEN_KILL_CHECKPOINTS = -2, /* after every checkpoint that covers a record */
    /* 0 and up: before the step of that number, counted from the query's start, once */
};

/* The environment without the syncs: a killed process loses nothing that it wrote.  tests/powercut cuts the power. */
struct mr_env *golden_env(void);
/* connectors_all() with a file source that hands over at most PER_POLL records, and nothing every second time; 0: as
 * many as asked for. */
const struct connector *const *golden_connectors(uint32_t per_poll);

/* Where the checkpoints of all files are. */
struct golden_state {
    char dir[64];
    struct state *open; /* owned: state_close; NULL: not yet */
    int queries;        /* names them */
};

/* Where a killed query's rows are: those behind KEPT are not yet covered by a checkpoint, and gone after a kill. */
struct golden_kill {
    struct sql_engine *engine;         /* borrowed */
    struct golden_state *state;        /* borrowed */
    const struct sql_results *results; /* of a SELECT; borrowed */
    struct mr_writer *rows;            /* what results write; borrowed */
    size_t kept;                       /* bytes of rows */
    int at;                            /* enum golden_kill_at, or a step */
    int steps;                         /* of this query, over all its starts */
    int kills;                         /* of all queries */
    bool killed;                       /* this start */
    bool inserted;                     /* an INSERT ran: rows may be there twice */
};

/* Runs TEXT's statements one after the other, as sql_engine_execute does, but kills and resumes its queries.  A LIMIT
 * counts from the start, so its query is left alone. */
MR_MUST_CHECK enum mr_status golden_kill_execute(struct golden_kill *kill, struct mr_str text, struct mr_err *err);

#endif

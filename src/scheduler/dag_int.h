/* dag_int.h -- inside of DAG files. */
#ifndef SCHEDULER_DAG_INT_H
#define SCHEDULER_DAG_INT_H

#include "scheduler/scheduler.h"
#include "scheduler/time_int.h"

struct scheduler_dag_source {
    struct timetable timetable;
    const struct mr_zone *zone; /* in the arena of the DAG */
};

enum dag_limits {
    DAG_FILE_BYTES_MAX = 1 << 20,
    DAG_DURATION_S_MAX = 366 * 24 * 3600,
};

/* Is TEXT a legal id of a DAG, task or run: letters, digits and _ - ., not beginning with a dot? */
bool scheduler_id_valid(const char *text);

#endif

/* fuzz_dag.c -- any bytes as the YAML file of a DAG. */
#include "fuzz.h"

#include "scheduler/scheduler.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_str text = { (const char *)data, size };
    struct scheduler_dag *dag = NULL;
    struct mr_err err = MR_ERR_INIT;
    int64_t ticks[3];

    if (scheduler_dag_parse(&dag, "fuzz", text, "dags/fuzz.yaml", &err) != MR_OK) {
        FUZZ_MUST(dag == NULL && err.text[0] != '\0');
        return 0;
    }
    FUZZ_MUST(dag->task_count >= 1 && dag->task_count <= SCHEDULER_TASKS_MAX);
    for (uint32_t i = 0; i < dag->task_count; i++) {
        const struct scheduler_task *task = &dag->tasks[i];

        FUZZ_MUST(task->id != NULL && (task->text != NULL) != (task->file != NULL));
        FUZZ_MUST(task->line >= 1 && task->column >= 1);
        FUZZ_MUST(task->retries >= 0 && task->retry_delay_ms >= 0 && task->timeout_ms >= 0);
        for (uint32_t d = 0; d < task->depend_count; d++)
            FUZZ_MUST(task->depends[d] < dag->task_count && task->depends[d] != i);
    }
    for (uint32_t i = 1, count = scheduler_dag_ticks(dag, 0, 3, ticks); i < count; i++)
        FUZZ_MUST(ticks[i] > ticks[i - 1]);
    scheduler_dag_free(dag);
    return 0;
}

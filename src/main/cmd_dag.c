/* cmd_dag.c -- millrace dag: the DAGs of the running server, their runs and logs; trigger, pause, unpause. */
#include "base/text.h"
#include "main/api_client.h"
#include "main/command.h"
#include "main/list_output.h"
#include "main/target.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

enum dag_limits { WAIT_SLICE_MS = 150, TASKS_MAX = 256 };

static const struct mr_option options[] = {
    OUTPUT_OPTION,
    TARGET_HTTP_OPTIONS,
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

/* Prints the rows of LIST; in a table durations are shown as such. */
static size_t print_rows(const json_t *list, const struct list_column *columns, size_t count, bool json)
{
    struct list_output *output = list_output_new(columns, count, json, stdout);
    const json_t *row;
    size_t i;

    json_array_foreach(list, i, row)
    {
        json_t *shown = json ? json_incref((json_t *)row) : json_copy((json_t *)row);
        const json_t *duration = json_object_get(row, "duration_ms");
        char text[24];

        if (!json && json_is_integer(duration))
            json_object_set_new(shown, "duration_ms",
                                json_string(list_duration_text(text, json_integer_value(duration))));
        list_output_add(output, shown);
    }
    return list_output_finish(output);
}

/* ---- list ---- */

static json_t *dag_for_people(const json_t *dag)
{
    json_t *row = json_copy((json_t *)dag);
    json_int_t running = json_integer_value(json_object_get(dag, "running"));

    json_object_set_new(row, "is",
                        json_string(json_is_true(json_object_get(dag, "paused")) ? "paused"
                                    : running > 0                                ? "running"
                                                                                 : "waiting"));
    return row;
}

static int run_list(struct mr_config *config, char **rest, int rest_count)
{
    static const struct list_column columns[] = {
        { "id", "dag", false },
        { "schedule", NULL, false },
        { "is", NULL, false },
        { "next_run", "next run", false },
        { "last_run.state", "last run", false },
        { "last_run.started_at", "started", false },
    };
    struct mr_err err = MR_ERR_INIT;
    json_t *answer = NULL, *rows;
    const json_t *dag;
    size_t i;

    MR_UNUSED(rest);
    MR_UNUSED(rest_count);
    if (api_call(config, false, "/api/dags", NULL, &answer, &err) != MR_OK)
        return command_fail(&err);
    rows = json_array();
    json_array_foreach(api_list(answer, "dags"), i, dag)
        json_array_append_new(rows, command_json(config) ? json_incref((json_t *)dag) : dag_for_people(dag));
    if (print_rows(rows, columns, MR_COUNT(columns), command_json(config)) == 0 && !command_json(config))
        fprintf(stderr, "the server has no DAGs; a project has them in dags/*.yaml\n");
    json_decref(rows);
    json_decref(answer);
    return EXIT_DONE;
}

/* ---- one run ---- */

static enum mr_status get_run(const struct mr_config *config, const char *dag, const char *run, json_t **out,
                              struct mr_err *err)
{
    char *path = api_path("/api/dags/%s/runs/%s", dag, run);
    enum mr_status status = api_call(config, false, path, NULL, out, err);

    mr_free(path);
    return status;
}

/* The id of DAG's newest run; caller frees with mr_free. */
static enum mr_status newest_run(const struct mr_config *config, const char *dag, char **out, struct mr_err *err)
{
    char *path = api_path("/api/dags/%s/runs?limit=1", dag);
    json_t *answer = NULL;
    enum mr_status status = api_call(config, false, path, NULL, &answer, err);
    const json_t *run = json_array_get(api_list(answer, "runs"), 0);

    if (status == MR_OK && run == NULL)
        status = mr_err_set(err, MR_NOT_FOUND, "DAG \"%s\" has not run yet; start it with: millrace dag trigger %s",
                            dag, dag);
    if (status == MR_OK)
        *out = mr_strdup(text_of(run, "run"));
    json_decref(answer);
    mr_free(path);
    return status;
}

/* A line a task, with what its newest attempt did. */
static json_t *tasks_for_people(const json_t *run)
{
    json_t *rows = json_array();
    const json_t *task;
    size_t i;

    json_array_foreach(json_object_get(run, "tasks"), i, task)
    {
        const json_t *attempts = json_object_get(task, "attempts");
        const json_t *last = json_array_get(attempts, json_array_size(attempts) - 1);
        json_t *row = json_copy((json_t *)task);

        json_object_set_new(row, "attempts", json_integer((json_int_t)json_array_size(attempts)));
        if (json_integer_value(json_object_get(last, "rows_in")) > 0)
            json_object_set(row, "rows_in", json_object_get(last, "rows_in"));
        if (json_integer_value(json_object_get(last, "rows_out")) > 0)
            json_object_set(row, "rows_out", json_object_get(last, "rows_out"));
        json_object_set(row, "error", json_object_get(last, "error"));
        json_array_append_new(rows, row);
    }
    return rows;
}

static void print_run(const json_t *run)
{
    static const struct list_column columns[] = {
        { "id", "task", false },         { "state", NULL, false },       { "attempts", NULL, true },
        { "duration_ms", "took", true }, { "rows_in", "rows in", true }, { "rows_out", "rows out", true },
        { "error", NULL, false },
    };
    json_t *rows = tasks_for_people(run);

    printf("run %s of %s: %s%s%s\n\n", text_of(run, "run"), text_of(run, "dag"), text_of(run, "state"),
           text_of(run, "note")[0] ? ", " : "", text_of(run, "note"));
    print_rows(rows, columns, MR_COUNT(columns), false);
    json_decref(rows);
}

/* ---- trigger ---- */

static const struct mr_option trigger_options[] = {
    { "param", "param", 'p', MR_OPTION_LIST, "NAME=VALUE", NULL, NULL,
      "a param of the DAG for this run; may come several times" },
    { "wait", "wait", 'w', MR_OPTION_FLAG, NULL, "false", NULL,
      "wait for the run's end; a run that fails is exit code 1" },
    OUTPUT_OPTION,
    TARGET_HTTP_OPTIONS,
};

static enum mr_status params_json(const char *lines, json_t **out, struct mr_err *err)
{
    char *text = mr_strdup(lines ? lines : "");
    char *rest = NULL;
    json_t *params = json_object();
    enum mr_status status = MR_OK;

    for (char *line = strtok_r(text, "\n", &rest); line != NULL && status == MR_OK;
         line = strtok_r(NULL, "\n", &rest)) {
        char *equals = strchr(line, '=');

        if (equals == NULL || equals == line) {
            status = mr_err_set(err, MR_INVALID, "--param: \"%s\" is not NAME=VALUE", line);
            break;
        }
        *equals = '\0';
        if (json_object_set_new(params, line, json_string(equals + 1)) != 0)
            status = mr_err_set(err, MR_INVALID, "--param: the value of \"%s\" is no UTF-8 text", line);
    }
    mr_free(text);
    if (status == MR_OK)
        *out = json_pack("{s:o}", "params", params);
    else
        json_decref(params);
    return status;
}

static bool run_has_ended(const json_t *run)
{
    return strcmp(text_of(run, "state"), "success") == 0 || strcmp(text_of(run, "state"), "failed") == 0;
}

/* Says on standard error which tasks changed their state since BEFORE, and notes it there. */
static void tell_changes(const json_t *run, const char *before[TASKS_MAX], struct mr_arena *arena, bool quiet)
{
    const json_t *task;
    size_t i;

    json_array_foreach(json_object_get(run, "tasks"), i, task)
    {
        const char *state = text_of(task, "state");

        if (i >= TASKS_MAX || (before[i] != NULL && strcmp(before[i], state) == 0))
            continue;
        if (!quiet && strcmp(state, "none") != 0 && state[0] != '\0')
            fprintf(stderr, "%s: %s\n", text_of(task, "id"), state);
        before[i] = mr_arena_str(arena, mr_str_of(state)).data;
    }
}

/* Waits for the end of RUN and prints it. */
static int wait_for_end(const struct mr_config *config, const char *dag, const char *run_id)
{
    const char *before[TASKS_MAX] = { NULL };
    struct mr_arena *arena = mr_arena_new();
    struct mr_err err = MR_ERR_INIT;
    json_t *run = NULL;
    enum mr_status status;
    int code = EXIT_FAILED;

    for (;;) {
        status = get_run(config, dag, run_id, &run, &err);
        if (status != MR_OK)
            break;
        tell_changes(run, before, arena, command_json(config));
        if (run_has_ended(run))
            break;
        json_decref(run);
        run = NULL;
        poll(NULL, 0, WAIT_SLICE_MS);
    }
    if (status != MR_OK) {
        code = command_fail(&err);
    } else {
        if (command_json(config))
            list_json_print(run, stdout);
        else
            print_run(run);
        code = strcmp(text_of(run, "state"), "success") == 0 ? EXIT_DONE : EXIT_FAILED;
    }
    json_decref(run);
    mr_arena_free(arena);
    return code;
}

static int run_trigger(struct mr_config *config, char **rest, int rest_count)
{
    struct mr_err err = MR_ERR_INIT;
    json_t *body = NULL, *answer = NULL;
    char *path;
    enum mr_status status;
    int code = EXIT_DONE;

    MR_UNUSED(rest_count);
    if (params_json(mr_config_text(config, "param"), &body, &err) != MR_OK)
        return command_usage("%s", err.text);
    path = api_path("/api/dags/%s/trigger", rest[0]);
    status = api_call(config, true, path, body, &answer, &err);
    mr_free(path);
    if (status != MR_OK)
        return command_fail(&err);
    if (mr_config_flag(config, "wait"))
        code = wait_for_end(config, rest[0], text_of(answer, "run"));
    else if (command_json(config))
        list_json_print(answer, stdout);
    else
        printf("%s\n", text_of(answer, "run"));
    json_decref(answer);
    return code;
}

/* ---- pause, unpause ---- */

static int change(struct mr_config *config, char **dags, int count, const char *path_format, const char *done)
{
    int code = EXIT_DONE;

    for (int i = 0; i < count; i++) {
        char *path = api_path(path_format, dags[i]);
        struct mr_err err = MR_ERR_INIT;
        json_t *answer = NULL;

        if (api_call(config, true, path, NULL, &answer, &err) != MR_OK)
            code = command_fail(&err);
        else if (command_json(config))
            list_json_print(answer, stdout);
        else
            printf("%s %s\n", dags[i], done);
        json_decref(answer);
        mr_free(path);
    }
    return code;
}

static int run_pause(struct mr_config *config, char **rest, int rest_count)
{
    return change(config, rest, rest_count, "/api/dags/%s/pause", "paused");
}

static int run_unpause(struct mr_config *config, char **rest, int rest_count)
{
    return change(config, rest, rest_count, "/api/dags/%s/unpause", "unpaused");
}

/* ---- runs ---- */

static const struct mr_option runs_options[] = {
    { "count", "count", 'n', MR_OPTION_INTEGER, "N", "20", NULL, "the newest so many" },
    OUTPUT_OPTION,
    TARGET_HTTP_OPTIONS,
};

static int run_runs(struct mr_config *config, char **rest, int rest_count)
{
    static const struct list_column columns[] = {
        { "run", NULL, false },
        { "kind", NULL, false },
        { "state", NULL, false },
        { "logical_date", "logical date", false },
        { "started_at", "started", false },
        { "duration_ms", "took", true },
    };
    struct mr_err err = MR_ERR_INIT;
    struct mr_writer text = { 0 };
    json_t *answer = NULL;
    char *path;
    enum mr_status status;

    if (rest_count == 2) {
        if (get_run(config, rest[0], rest[1], &answer, &err) != MR_OK)
            return command_fail(&err);
        if (command_json(config))
            list_json_print(answer, stdout);
        else
            print_run(answer);
        json_decref(answer);
        return EXIT_DONE;
    }
    path = api_path("/api/dags/%s/runs", rest[0]);
    mr_write_text(&text, "%s?limit=%" PRId64, path, mr_config_integer(config, "count"));
    mr_write_u8(&text, 0);
    status = api_call(config, false, (const char *)text.data, NULL, &answer, &err);
    mr_free(path);
    mr_writer_deinit(&text);
    if (status != MR_OK)
        return command_fail(&err);
    if (print_rows(api_list(answer, "runs"), columns, MR_COUNT(columns), command_json(config)) == 0 &&
        !command_json(config))
        fprintf(stderr, "%s has not run yet; start it with: millrace dag trigger %s\n", rest[0], rest[0]);
    json_decref(answer);
    return EXIT_DONE;
}

/* ---- logs ---- */

static const struct mr_option logs_options[] = {
    { "attempt", "attempt", 0, MR_OPTION_INTEGER, "N", NULL, NULL, "the log of this attempt; else of the newest" },
    { "follow", "follow", 'f', MR_OPTION_FLAG, NULL, "false", NULL, "go on until the run has ended" },
    OUTPUT_OPTION,
    TARGET_HTTP_OPTIONS,
};

struct logs {
    const struct mr_config *config;
    const char *dag, *run, *task; /* task NULL: all */
    const char *shown;            /* the task whose text was printed last; in arena */
    int64_t read[TASKS_MAX];      /* bytes of each task's log so far */
    json_int_t attempt[TASKS_MAX];
    struct mr_arena *arena;
};

/* Prints what task I of the run has that was not printed yet.  *ANY: there was something. */
static enum mr_status print_log(struct logs *l, size_t i, const json_t *task, bool *any, struct mr_err *err)
{
    const char *id = text_of(task, "id");
    json_int_t attempt = (json_int_t)json_array_size(json_object_get(task, "attempts"));
    bool json = command_json(l->config);
    char *base = api_path("/api/dags/%s/runs/%s/tasks/%s/log", l->dag, l->run, id);
    struct mr_writer path = { 0 }, text = { 0 };
    enum mr_status status;

    if (mr_config_text(l->config, "attempt") != NULL)
        attempt = mr_config_integer(l->config, "attempt");
    if (attempt != l->attempt[i])
        l->read[i] = 0;
    l->attempt[i] = attempt;
    mr_write_text(&path, "%s?attempt=%" JSON_INTEGER_FORMAT "&from=%" PRId64, base, attempt, l->read[i]);
    mr_write_u8(&path, 0);
    status = api_text(l->config, (const char *)path.data, &text, err);
    if (status == MR_OK && text.size > 0) {
        if (json) {
            json_t *row = json_pack("{s:s, s:I, s:o}", "task", id, "attempt", attempt, "text",
                                    json_stringn_nocheck((const char *)text.data, text.size));

            list_json_print(row, stdout);
            json_decref(row);
        } else {
            if (l->task == NULL && (l->shown == NULL || strcmp(l->shown, id) != 0))
                printf("%s==> %s, attempt %" JSON_INTEGER_FORMAT " <==\n", l->shown ? "\n" : "", id, attempt);
            fwrite(text.data, 1, text.size, stdout);
        }
        l->shown = mr_arena_str(l->arena, mr_str_of(id)).data;
        l->read[i] += (int64_t)text.size;
        *any = true;
    }
    mr_free(base);
    mr_writer_deinit(&path);
    mr_writer_deinit(&text);
    return status;
}

/* Prints what is new in the logs.  *ANY: there was something; *ENDED: the run has ended. */
static enum mr_status print_logs(struct logs *l, bool *any, bool *ended, struct mr_err *err)
{
    json_t *run = NULL;
    const json_t *task;
    bool found = l->task == NULL;
    enum mr_status status = get_run(l->config, l->dag, l->run, &run, err);
    size_t i;

    json_array_foreach(json_object_get(run, "tasks"), i, task)
    {
        bool wanted = l->task == NULL || strcmp(text_of(task, "id"), l->task) == 0;

        found = found || wanted;
        if (status == MR_OK && wanted && i < TASKS_MAX && json_array_size(json_object_get(task, "attempts")) > 0)
            status = print_log(l, i, task, any, err);
    }
    if (status == MR_OK && !found)
        status = mr_err_set(err, MR_NOT_FOUND,
                            "DAG \"%s\" has no task \"%s\"; millrace dag runs %s %s shows those "
                            "there are",
                            l->dag, l->task, l->dag, l->run);
    if (status == MR_OK)
        *ended = run_has_ended(run);
    json_decref(run);
    fflush(stdout);
    return status;
}

static int run_logs(struct mr_config *config, char **rest, int rest_count)
{
    struct logs logs = {
        .config = config,
        .dag = rest[0],
        .run = rest_count > 1 ? rest[1] : NULL,
        .task = rest_count > 2 ? rest[2] : NULL,
        .arena = mr_arena_new(),
    };
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = MR_OK;
    char *newest = NULL;
    bool follow = mr_config_flag(config, "follow");
    bool any = true, ended = false;

    if (logs.run == NULL) {
        status = newest_run(config, logs.dag, &newest, &err);
        logs.run = newest;
    }
    /* A log comes a piece at a time: it is asked for until nothing more comes. */
    while (status == MR_OK && (any || (follow && !ended))) {
        if (!any)
            poll(NULL, 0, WAIT_SLICE_MS);
        any = false;
        status = print_logs(&logs, &any, &ended, &err);
    }
    mr_free(newest);
    mr_arena_free(logs.arena);
    return status == MR_OK ? EXIT_DONE : command_fail(&err);
}

/* ---- the noun ---- */

static const struct command dag_list = {
    .name = "list",
    .summary = "List the DAGs with their schedule and last run",
    .usage = "millrace dag list [OPTION...]",
    .example = "  millrace dag list",
    .options = options,
    .option_count = MR_COUNT(options),
    .run = run_list,
};

static const struct command dag_trigger = {
    .name = "trigger",
    .summary = "Run a DAG now",
    .usage = "millrace dag trigger DAG [OPTION...]",
    .text = "Prints the id of the run.",
    .example = "  millrace dag trigger random_people_names --wait",
    .options = trigger_options,
    .option_count = MR_COUNT(trigger_options),
    .rest_min = 1,
    .rest_max = 1,
    .words = "dag",
    .run = run_trigger,
};

static const struct command dag_pause = {
    .name = "pause",
    .summary = "Let no new run of DAGs start; what runs goes on",
    .usage = "millrace dag pause DAG... [OPTION...]",
    .example = "  millrace dag pause random_people_names",
    .options = options,
    .option_count = MR_COUNT(options),
    .rest_min = 1,
    .rest_max = 1000,
    .words = "dag",
    .run = run_pause,
};

static const struct command dag_unpause = {
    .name = "unpause",
    .summary = "Let paused DAGs run again",
    .usage = "millrace dag unpause DAG... [OPTION...]",
    .example = "  millrace dag unpause random_people_names",
    .options = options,
    .option_count = MR_COUNT(options),
    .rest_min = 1,
    .rest_max = 1000,
    .words = "dag",
    .run = run_unpause,
};

static const struct command dag_runs = {
    .name = "runs",
    .summary = "List the runs of a DAG, or show one with its tasks",
    .usage = "millrace dag runs DAG [RUN] [OPTION...]",
    .example = "  millrace dag runs random_people_names -n 5",
    .options = runs_options,
    .option_count = MR_COUNT(runs_options),
    .rest_min = 1,
    .rest_max = 2,
    .words = "dag",
    .run = run_runs,
};

static const struct command dag_logs = {
    .name = "logs",
    .summary = "Print what the tasks of a run wrote",
    .usage = "millrace dag logs DAG [RUN [TASK]] [OPTION...]",
    .text = "Without RUN of the newest run, without TASK of all its tasks.",
    .example = "  millrace dag logs random_people_names --follow",
    .options = logs_options,
    .option_count = MR_COUNT(logs_options),
    .rest_min = 1,
    .rest_max = 3,
    .words = "dag",
    .run = run_logs,
};

static const struct command *const verbs[] = {
    &dag_list, &dag_trigger, &dag_pause, &dag_unpause, &dag_runs, &dag_logs, NULL,
};

const struct command command_dag = {
    .name = "dag",
    .summary = "List, trigger and pause DAGs; show their runs and logs",
    .usage = "millrace dag VERB [OPTION...]",
    .example = "  millrace dag list\n  millrace dag trigger random_people_names",
    .verbs = verbs,
};

/* dag.c -- DAG files: YAML to struct scheduler_dag, every mistake with its place.
 *
 * Keys stand in two tables, which are also the documentation's; a key that is in none is refused with the nearest one.
 * Aliases mean what YAML says; anything that is not in the tables is never looked at.
 * Tested by: tests/unit/scheduler/test_dag.c, tests/fuzz/fuzz_dag.c */
#include "base/calendar.h"
#include "base/env.h"
#include "base/text.h"
#include "scheduler/dag_int.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

enum { AIRFLOW_RETRY_DELAY_MS = 300 * 1000, AIRFLOW_RETRY_DELAY_MS_MAX = 24 * 3600 * 1000 };

struct dag_reader {
    yaml_document_t *document;
    struct mr_str text;
    const char *file;
    struct mr_err *err;
    struct scheduler_dag *dag;
    struct mr_arena *arena;                                         /* the DAG's */
    const yaml_node_t *schedule, *timezone, *start_date, *end_date; /* read when all is known; NULL: not given */
    int64_t retries, retry_delay_ms;                                /* of tasks that name none */
    const yaml_node_t *task_nodes[SCHEDULER_TASKS_MAX];             /* depends_on, as written; NULL: none */
};

typedef enum mr_status key_fn(struct dag_reader *r, const yaml_node_t *node, void *target);

struct dag_key {
    const char *name;
    key_fn *read;
    const char *fallback; /* for the documentation */
    const char *help;
};

static enum mr_status fail(struct dag_reader *r, yaml_mark_t mark, const char *format, ...) MR_PRINTF(3, 4);

static enum mr_status fail(struct dag_reader *r, yaml_mark_t mark, const char *format, ...)
{
    char text[MR_ERR_BYTES];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    return mr_err_set_at(r->err, MR_INVALID, (int)mark.line + 1, (int)mark.column + 1, "%s:%zu:%zu: %s", r->file,
                         mark.line + 1, mark.column + 1, text);
}

/* ---- values ---- */

static bool is_null(const yaml_node_t *node)
{
    const char *v = (const char *)node->data.scalar.value;

    if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    return *v == '\0' || strcmp(v, "~") == 0 || strcasecmp(v, "null") == 0;
}

/* A scalar's text, without a NUL inside; LIMIT is its largest size. */
static enum mr_status scalar(struct dag_reader *r, const yaml_node_t *node, size_t limit, struct mr_str *out)
{
    struct mr_str v;

    if (node->type != YAML_SCALAR_NODE)
        return fail(r, node->start_mark, "a plain value was expected here");
    v = (struct mr_str){ (const char *)node->data.scalar.value, node->data.scalar.length };
    if (memchr(v.data, '\0', v.size) != NULL)
        return fail(r, node->start_mark, "a value may not have a NUL character");
    if (v.size > limit)
        return fail(r, node->start_mark, "this value has %zu bytes, at most %zu are allowed", v.size, limit);
    *out = v;
    return MR_OK;
}

static enum mr_status text_read(struct dag_reader *r, const yaml_node_t *node, void *target)
{
    struct mr_str v = MR_STR("");
    enum mr_status status = scalar(r, node, SCHEDULER_VALUE_BYTES_MAX, &v);

    if (status == MR_OK)
        *(const char **)target = is_null(node) ? NULL : mr_arena_str(r->arena, v).data;
    return status;
}

static enum mr_status node_keep(struct dag_reader *r, const yaml_node_t *node, void *target)
{
    MR_UNUSED(r);
    *(const yaml_node_t **)target = node;
    return MR_OK;
}

static enum mr_status flag_read(struct dag_reader *r, const yaml_node_t *node, void *target)
{
    struct mr_str v = MR_STR("");
    enum mr_status status = scalar(r, node, SCHEDULER_VALUE_BYTES_MAX, &v);

    if (status != MR_OK)
        return status;
    if (!mr_str_equal_nocase(v, MR_STR("true")) && !mr_str_equal_nocase(v, MR_STR("false")))
        return fail(r, node->start_mark, "this must be true or false, not \"%.*s\"", MR_STR_ARG(v));
    *(bool *)target = v.size == 4;
    return MR_OK;
}

static enum mr_status number_read(struct dag_reader *r, const yaml_node_t *node, int64_t low, int64_t high,
                                  int64_t *out)
{
    struct mr_str v = MR_STR("");
    int64_t number;
    enum mr_status status = scalar(r, node, SCHEDULER_VALUE_BYTES_MAX, &v);

    if (status != MR_OK)
        return status;
    if (mr_parse_i64(v, &number) != MR_OK || number < low || number > high)
        return fail(r, node->start_mark, "this must be a number from %" PRId64 " to %" PRId64 ", not \"%.*s\"", low,
                    high, MR_STR_ARG(v));
    *out = number;
    return MR_OK;
}

static enum mr_status retries_read(struct dag_reader *r, const yaml_node_t *node, void *target)
{
    return number_read(r, node, 0, SCHEDULER_RETRIES_MAX, target);
}

static enum mr_status active_runs_read(struct dag_reader *r, const yaml_node_t *node, void *target)
{
    return number_read(r, node, 1, SCHEDULER_ACTIVE_RUNS_MAX, target);
}

static enum mr_status duration_read(struct dag_reader *r, const yaml_node_t *node, void *target)
{
    struct mr_str v = MR_STR("");
    int64_t ms;
    enum mr_status status = scalar(r, node, SCHEDULER_VALUE_BYTES_MAX, &v);

    if (status != MR_OK)
        return status;
    if (mr_parse_duration_ms(v, &ms) != MR_OK || ms < 0 || ms / 1000 > DAG_DURATION_S_MAX)
        return fail(r, node->start_mark, "this must be a duration such as 5 s, 10 min or 1 h, not \"%.*s\"",
                    MR_STR_ARG(v));
    *(int64_t *)target = ms;
    return MR_OK;
}

/* ---- mappings ---- */

static const yaml_node_t *node_of(struct dag_reader *r, int index)
{
    return yaml_document_get_node(r->document, index);
}

static bool name_valid(const char *name, bool upper)
{
    if ((*name >= '0' && *name <= '9') || *name == '\0' || strlen(name) > SCHEDULER_ID_BYTES_MAX)
        return false;
    for (; *name != '\0'; name++) {
        bool letter = (*name >= 'a' && *name <= 'z') || (upper && *name >= 'A' && *name <= 'Z');

        if (!letter && *name != '_' && !(*name >= '0' && *name <= '9'))
            return false;
    }
    return true;
}

struct pairs {
    const struct scheduler_pair **list;
    uint32_t *count;
    uint32_t limit;
    bool is_env;
};

static enum mr_status pair_read(struct dag_reader *r, const yaml_node_t *key, const yaml_node_t *value,
                                struct pairs *target, struct scheduler_pair *list)
{
    struct mr_str name = MR_STR(""), text = MR_STR("");
    enum mr_status status = scalar(r, key, SCHEDULER_ID_BYTES_MAX, &name);

    if (status == MR_OK)
        status = scalar(r, value, SCHEDULER_VALUE_BYTES_MAX, &text);
    if (status != MR_OK)
        return status;
    if (!name_valid(name.data, target->is_env))
        return fail(r, key->start_mark, "\"%.*s\" can't be the name of a %s: it may have %sletters, digits and _",
                    MR_STR_ARG(name), target->is_env ? "variable" : "param", target->is_env ? "" : "lower-case ");
    if (target->is_env && strncmp(name.data, "MILLRACE_", 9) == 0)
        return fail(r, key->start_mark, "variables that begin with MILLRACE_ are set by millrace");
    for (uint32_t i = 0; i < *target->count; i++) {
        if (strcmp(list[i].name, name.data) == 0)
            return fail(r, key->start_mark, "\"%s\" is there twice", name.data);
    }
    list[(*target->count)++] = (struct scheduler_pair){ mr_arena_str(r->arena, name).data,
                                                        is_null(value) ? "" : mr_arena_str(r->arena, text).data };
    return MR_OK;
}

static enum mr_status pairs_read(struct dag_reader *r, const yaml_node_t *node, struct pairs *target)
{
    struct scheduler_pair *list;
    enum mr_status status = MR_OK;

    if (is_null(node))
        return MR_OK;
    if (node->type != YAML_MAPPING_NODE)
        return fail(r, node->start_mark, "\"name: value\" lines were expected here");
    if (node->data.mapping.pairs.top - node->data.mapping.pairs.start > (ptrdiff_t)target->limit)
        return fail(r, node->start_mark, "at most %u of these are allowed", target->limit);
    list = MR_ARENA_ARRAY(r->arena, struct scheduler_pair, target->limit);
    *target->count = 0;
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top && status == MR_OK; p++)
        status = pair_read(r, node_of(r, p->key), node_of(r, p->value), target, list);
    *target->list = list;
    return status;
}

static enum mr_status params_read(struct dag_reader *r, const yaml_node_t *node, void *target)
{
    struct scheduler_dag *dag = r->dag;
    struct pairs pairs = { &dag->params, &dag->param_count, SCHEDULER_PARAMS_MAX, false };

    MR_UNUSED(target);
    return pairs_read(r, node, &pairs);
}

/* Finds NAME in KEYS, or refuses it with the nearest. */
static enum mr_status key_find(struct dag_reader *r, const yaml_node_t *node, const struct dag_key *keys, size_t count,
                               size_t *out)
{
    const char *names[32];
    const char *nearest;
    struct mr_str name = MR_STR("");
    enum mr_status status = scalar(r, node, SCHEDULER_VALUE_BYTES_MAX, &name);

    if (status != MR_OK)
        return status;
    assert(count <= MR_COUNT(names));
    for (size_t i = 0; i < count; i++) {
        names[i] = keys[i].name;
        if (strcmp(keys[i].name, name.data) == 0) {
            *out = i;
            return MR_OK;
        }
    }
    nearest = mr_nearest(name.data, names, count);
    if (nearest != NULL)
        return fail(r, node->start_mark, "there is no key \"%.100s\" here; did you mean \"%s\"?", name.data, nearest);
    return fail(r, node->start_mark, "there is no key \"%.100s\" here", name.data);
}

/* Reads mapping NODE by KEYS; TARGETS[i] is what key I fills. */
static enum mr_status mapping_read(struct dag_reader *r, const yaml_node_t *node, const struct dag_key *keys,
                                   size_t count, void *const *targets)
{
    uint32_t seen = 0;
    enum mr_status status = MR_OK;

    if (node->type != YAML_MAPPING_NODE)
        return fail(r, node->start_mark, "\"key: value\" lines were expected here");
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top && status == MR_OK;
         p++) {
        const yaml_node_t *key = node_of(r, p->key);
        size_t i = 0;

        status = key_find(r, key, keys, count, &i);
        if (status == MR_OK && (seen >> i & 1) != 0)
            status = fail(r, key->start_mark, "\"%s\" is there twice", keys[i].name);
        if (status == MR_OK)
            status = keys[i].read(r, node_of(r, p->value), targets[i]);
        seen |= UINT32_C(1) << i;
    }
    return status;
}

/* ---- tasks ---- */

struct task_reader {
    struct scheduler_task task;
    const yaml_node_t *node, *kind, *sql, *file, *command, *depends, *env;
};

static const struct dag_key task_keys[] = {
    { "id", text_read, "", "Its name, of letters, digits, `_`, `-` and `.`. Must be there." },
    { "kind", node_keep, "",
      "`sql` or `shell`; may be left out: `command` makes it a shell task, `sql` and `file` a SQL task." },
    { "command", node_keep, "", "What `/bin/sh -c` runs." },
    { "sql", node_keep, "", "One or several statements, as in a pipeline's file, whose tables they see." },
    { "file", node_keep, "", "Instead of `sql`: a file with the statements, its path below the project." },
    { "depends_on", node_keep, "", "A task, or a list of tasks, that must succeed first." },
    { "retries", retries_read, "the DAG's", "How many times it is tried again after a failure." },
    { "retry_delay", duration_read, "the DAG's", "How long after the failure." },
    { "timeout", duration_read, "none", "How long an attempt may take; then it is ended, and has failed." },
    { "env", node_keep, "", "Variables for the command, as `NAME: value` lines." },
};

/* Where the text of NODE begins in the file, and what it is. */
static enum mr_status task_text(struct dag_reader *r, struct scheduler_task *task, const yaml_node_t *node)
{
    struct mr_str v = MR_STR("");
    enum mr_status status = scalar(r, node, DAG_FILE_BYTES_MAX, &v);
    yaml_scalar_style_t style;

    if (status != MR_OK)
        return status;
    if (strspn(v.data, " \t\r\n") == v.size)
        return fail(r, node->start_mark, "there is nothing to run here");
    style = node->data.scalar.style;
    task->text = mr_arena_str(r->arena, v).data;
    task->line = (int)node->start_mark.line + 1;
    task->column = (int)node->start_mark.column + 1;
    if (style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
        task->column++;
    if (style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE) {
        const char *at = r->text.data, *end = r->text.data + r->text.size;
        int spaces = 0;

        for (size_t i = 0; i <= node->start_mark.line && at != NULL; i++) { /* marks count characters, not bytes */
            at = memchr(at, '\n', (size_t)(end - at));
            if (at != NULL)
                at++;
        }
        for (; at != NULL && at < end && *at == ' '; at++)
            spaces++;
        task->line++;
        task->column = spaces + 1;
    }
    return MR_OK;
}

static enum mr_status task_kind(struct dag_reader *r, struct task_reader *t)
{
    struct mr_str kind = MR_STR_NULL;
    enum mr_status status = t->kind != NULL ? scalar(r, t->kind, SCHEDULER_VALUE_BYTES_MAX, &kind) : MR_OK;
    bool shell = t->command != NULL;

    if (status != MR_OK)
        return status;
    if (kind.data != NULL) {
        shell = mr_str_equal(kind, MR_STR("shell"));
        if (!shell && !mr_str_equal(kind, MR_STR("sql")))
            return fail(r, t->kind->start_mark, "a task is of kind sql or shell, not \"%.100s\"", kind.data);
    }
    t->task.kind = shell ? SCHEDULER_SHELL : SCHEDULER_SQL;
    if (shell && (t->sql != NULL || t->file != NULL))
        return fail(r, (t->sql ? t->sql : t->file)->start_mark, "a shell task has a command, neither sql nor file");
    if (shell && t->command == NULL)
        return fail(r, t->node->start_mark, "a shell task needs a \"command\"");
    if (shell)
        return task_text(r, &t->task, t->command);
    if (t->command != NULL || t->env != NULL)
        return fail(r, (t->command ? t->command : t->env)->start_mark, "a sql task has neither command nor env");
    if ((t->sql == NULL) == (t->file == NULL))
        return fail(r, t->node->start_mark,
                    t->sql ? "a sql task has either \"sql\" or \"file\", not both"
                           : "a task needs a \"command\", \"sql\" or a \"file\"");
    if (t->sql != NULL)
        return task_text(r, &t->task, t->sql);
    t->task.line = (int)t->file->start_mark.line + 1;
    t->task.column = (int)t->file->start_mark.column + 1;
    return text_read(r, t->file, &t->task.file);
}

static enum mr_status task_id(struct dag_reader *r, const struct task_reader *t)
{
    if (t->task.id == NULL)
        return fail(r, t->node->start_mark, "a task needs an \"id\"");
    if (!scheduler_id_valid(t->task.id))
        return fail(r, t->node->start_mark,
                    "\"%.120s\" can't be a task's id: it may have letters, digits, _ - and ., at most %d", t->task.id,
                    SCHEDULER_ID_BYTES_MAX);
    for (uint32_t i = 0; i < r->dag->task_count; i++) {
        if (strcmp(r->dag->tasks[i].id, t->task.id) == 0)
            return fail(r, t->node->start_mark, "a second task called \"%s\"", t->task.id);
    }
    return MR_OK;
}

static enum mr_status task_read(struct dag_reader *r, const yaml_node_t *node)
{
    struct task_reader t = { .node = node, .task = { .retries = -1, .retry_delay_ms = -1 } };
    struct pairs env = { &t.task.env, &t.task.env_count, SCHEDULER_ENV_MAX, true };
    void *targets[] = {
        &t.task.id,         &t.kind, &t.command, &t.sql, &t.file, &t.depends, &t.task.retries, &t.task.retry_delay_ms,
        &t.task.timeout_ms, &t.env
    };
    enum mr_status status;

    assert(MR_COUNT(targets) == MR_COUNT(task_keys));
    status = mapping_read(r, node, task_keys, MR_COUNT(task_keys), targets);
    if (status == MR_OK)
        status = task_id(r, &t);
    if (status == MR_OK)
        status = task_kind(r, &t);
    if (status == MR_OK && t.env != NULL)
        status = pairs_read(r, t.env, &env);
    if (status != MR_OK)
        return status;
    r->task_nodes[r->dag->task_count] = t.depends;
    r->dag->tasks[r->dag->task_count++] = t.task;
    return MR_OK;
}

static enum mr_status tasks_read(struct dag_reader *r, const yaml_node_t *node, void *target)
{
    enum mr_status status = MR_OK;

    MR_UNUSED(target);
    if (node->type != YAML_SEQUENCE_NODE)
        return fail(r, node->start_mark, "a list of tasks was expected here, each beginning with \"- id: …\"");
    if (node->data.sequence.items.top - node->data.sequence.items.start > SCHEDULER_TASKS_MAX)
        return fail(r, node->start_mark, "a DAG has at most %d tasks", SCHEDULER_TASKS_MAX);
    r->dag->tasks = MR_ARENA_ARRAY(r->arena, struct scheduler_task, SCHEDULER_TASKS_MAX);
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top && status == MR_OK;
         i++)
        status = task_read(r, node_of(r, *i));
    return status;
}

static enum mr_status dependency_add(struct dag_reader *r, struct scheduler_task *task, const yaml_node_t *node)
{
    const char *ids[SCHEDULER_TASKS_MAX];
    const char *nearest;
    struct mr_str id = MR_STR("");
    enum mr_status status = scalar(r, node, SCHEDULER_VALUE_BYTES_MAX, &id);

    if (status != MR_OK)
        return status;
    for (uint32_t i = 0; i < r->dag->task_count; i++) {
        ids[i] = r->dag->tasks[i].id;
        if (strcmp(ids[i], id.data) != 0)
            continue;
        for (uint32_t j = 0; j < task->depend_count; j++) {
            if (task->depends[j] == i)
                return fail(r, node->start_mark, "\"%s\" is there twice", ids[i]);
        }
        task->depends[task->depend_count++] = i;
        return MR_OK;
    }
    nearest = mr_nearest(id.data, ids, r->dag->task_count);
    if (nearest != NULL)
        return fail(r, node->start_mark, "there is no task \"%.100s\"; did you mean \"%s\"?", id.data, nearest);
    return fail(r, node->start_mark, "there is no task \"%.100s\"", id.data);
}

static enum mr_status dependencies_read(struct dag_reader *r, uint32_t index)
{
    const yaml_node_t *node = r->task_nodes[index];
    struct scheduler_task *task = &r->dag->tasks[index];
    enum mr_status status = MR_OK;

    task->depends = MR_ARENA_ARRAY(r->arena, uint32_t, r->dag->task_count);
    if (node == NULL || is_null(node))
        return MR_OK;
    if (node->type != YAML_SEQUENCE_NODE)
        return dependency_add(r, task, node);
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top && status == MR_OK;
         i++)
        status = dependency_add(r, task, node_of(r, *i));
    return status;
}

/* Takes away tasks whose dependencies are taken; what is left waits for itself. */
static enum mr_status circle_check(struct dag_reader *r)
{
    bool taken[SCHEDULER_TASKS_MAX] = { false };
    uint32_t left = r->dag->task_count, before = left + 1;

    while (left > 0 && left < before) {
        before = left;
        for (uint32_t i = 0; i < r->dag->task_count; i++) {
            const struct scheduler_task *task = &r->dag->tasks[i];
            bool free = !taken[i];

            for (uint32_t j = 0; free && j < task->depend_count; j++)
                free = taken[task->depends[j]];
            taken[i] = taken[i] || free;
            left -= free;
        }
    }
    for (uint32_t i = 0; left > 0 && i < r->dag->task_count; i++) {
        const yaml_node_t *node = r->task_nodes[i];

        assert(taken[i] || node != NULL); /* without depends_on it is taken at once */
        if (!taken[i])
            return fail(r, node->start_mark, "task \"%s\" waits, over its depends_on, for itself: a DAG has no circles",
                        r->dag->tasks[i].id);
    }
    return MR_OK;
}

/* ---- the DAG ---- */

static const struct dag_key dag_keys[] = {
    { "description", text_read, "", "A line for people." },
    { "owner", text_read, "`millrace`", "Who looks after it." },
    { "schedule", node_keep, "`null`",
      "Five cron fields with names, ranges, steps and lists, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`, "
      "`@once`; `null`: only by hand." },
    { "timezone", node_keep, "`UTC`", "The zone of the schedule and of dates without one, such as `Europe/Berlin`." },
    { "start_date", node_keep, "the first start", "No run's data interval begins before it." },
    { "end_date", node_keep, "", "No run's data interval begins after it." },
    { "catchup", flag_read, "`false`",
      "`true`: every interval since start_date is run; `false`: only the latest one." },
    { "retries", retries_read, "`0`", "How many times a task is tried again after a failure." },
    { "retry_delay", duration_read, "`5 min`", "How long after the failure." },
    { "retry_exponential_backoff", flag_read, "`false`", "`true`: twice as long each time." },
    { "max_retry_delay", duration_read, "`24 h`", "But not longer than this." },
    { "timeout", duration_read, "none", "How long a run may take; then its tasks are ended, and it has failed." },
    { "max_active_runs", active_runs_read, "`1`", "How many runs there may be at once." },
    { "params", params_read, "", "`name: default` lines; a trigger may give other values." },
    { "tasks", tasks_read, "", "The list of tasks. Must be there." },
};

/* MARK moved to COLUMN (1-based) of the scalar's text. */
static yaml_mark_t mark_inside(const yaml_node_t *node, int column)
{
    yaml_mark_t mark = node->start_mark;

    mark.column += (size_t)(column > 0 ? column - 1 : 0);
    if (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        mark.column++;
    return mark;
}

static enum mr_status schedule_finish(struct dag_reader *r, struct timetable *t)
{
    struct mr_str text = MR_STR("");
    struct mr_err why = MR_ERR_INIT;
    enum mr_status status;

    if (r->schedule == NULL || is_null(r->schedule))
        return MR_OK;
    status = scalar(r, r->schedule, SCHEDULER_VALUE_BYTES_MAX, &text);
    if (status != MR_OK)
        return status;
    r->dag->schedule = mr_arena_str(r->arena, text).data;
    if (mr_str_equal_nocase(text, MR_STR("@once"))) {
        t->kind = TIMETABLE_ONCE;
        return MR_OK;
    }
    t->kind = TIMETABLE_CRON;
    status = cron_parse(&t->cron, text, &why);
    if (status != MR_OK)
        return fail(r, mark_inside(r->schedule, why.column), "%s", why.text);
    if (cron_next(&t->cron, t->zone, 0) == SCHEDULER_NO_TIME)
        return fail(r, r->schedule->start_mark, "no day ever matches \"%s\"", r->dag->schedule);
    return MR_OK;
}

/* A date without a zone is one of the DAG's. */
static enum mr_status date_finish(struct dag_reader *r, const yaml_node_t *node, const struct mr_zone *zone,
                                  int64_t *out)
{
    struct mr_str text = MR_STR("");
    int64_t ms, s;
    enum mr_status status;

    *out = SCHEDULER_NO_TIME;
    if (node == NULL || is_null(node))
        return MR_OK;
    status = scalar(r, node, SCHEDULER_VALUE_BYTES_MAX, &text);
    if (status != MR_OK)
        return status;
    if (mr_parse_time_ms(text, &ms) != MR_OK)
        return fail(r, node->start_mark,
                    "this must be a date such as 2026-01-31, \"2026-01-31 12:00\" or 2026-01-31T12:00:00+01:00, not "
                    "\"%.*s\"",
                    MR_STR_ARG(text));
    if (text.size <= 10 || strpbrk(text.data + 10, "zZ+-") == NULL) {
        s = mr_floor_div(ms, 1000);
        ms += (mr_zone_to_utc(zone, s) - s) * 1000;
    }
    *out = ms;
    return MR_OK;
}

static enum mr_status times_finish(struct dag_reader *r)
{
    struct scheduler_dag *dag = r->dag;
    struct scheduler_dag_source *source = MR_ARENA_NEW(r->arena, struct scheduler_dag_source);
    struct mr_err why = MR_ERR_INIT;
    enum mr_status status = MR_OK;

    dag->source = source;
    if (r->timezone != NULL)
        status = text_read(r, r->timezone, &dag->timezone);
    if (status == MR_OK && dag->timezone == NULL)
        dag->timezone = "UTC";
    if (status == MR_OK &&
        mr_zone_load(&source->zone, r->arena, mr_env_real(), mr_str_of(dag->timezone), &why) != MR_OK)
        status = r->timezone != NULL ? fail(r, r->timezone->start_mark, "%s", why.text)
                                     : mr_err_set(r->err, MR_INVALID, "%s: %s", r->file, why.text);
    source->timetable.zone = source->zone;
    source->timetable.catchup = dag->catchup;
    if (status == MR_OK)
        status = schedule_finish(r, &source->timetable);
    if (status == MR_OK)
        status = date_finish(r, r->start_date, source->zone, &dag->start_ms);
    if (status == MR_OK)
        status = date_finish(r, r->end_date, source->zone, &dag->end_ms);
    if (status == MR_OK && dag->end_ms != SCHEDULER_NO_TIME && dag->start_ms != SCHEDULER_NO_TIME &&
        dag->end_ms < dag->start_ms)
        status = fail(r, r->end_date->start_mark, "end_date is before start_date");
    source->timetable.start_ms = dag->start_ms;
    source->timetable.end_ms = dag->end_ms;
    return status;
}

static enum mr_status dag_read(struct dag_reader *r, const yaml_node_t *root)
{
    struct scheduler_dag *d = r->dag;
    void *targets[] = { &d->description,
                        &d->owner,
                        &r->schedule,
                        &r->timezone,
                        &r->start_date,
                        &r->end_date,
                        &d->catchup,
                        &r->retries,
                        &r->retry_delay_ms,
                        &d->backoff,
                        &d->max_retry_delay_ms,
                        &d->timeout_ms,
                        &d->max_active_runs,
                        NULL,
                        NULL };
    enum mr_status status;

    assert(MR_COUNT(targets) == MR_COUNT(dag_keys));
    d->owner = "millrace";
    d->max_active_runs = 1;
    d->max_retry_delay_ms = AIRFLOW_RETRY_DELAY_MS_MAX;
    r->retry_delay_ms = AIRFLOW_RETRY_DELAY_MS;
    status = mapping_read(r, root, dag_keys, MR_COUNT(dag_keys), targets);
    if (status == MR_OK && d->task_count == 0)
        status = fail(r, root->start_mark, "a DAG needs \"tasks\"");
    for (uint32_t i = 0; status == MR_OK && i < d->task_count; i++) {
        status = dependencies_read(r, i);
        if (d->tasks[i].retries < 0)
            d->tasks[i].retries = r->retries;
        if (d->tasks[i].retry_delay_ms < 0)
            d->tasks[i].retry_delay_ms = r->retry_delay_ms;
    }
    if (status == MR_OK)
        status = circle_check(r);
    return status == MR_OK ? times_finish(r) : status;
}

static enum mr_status document_load(yaml_parser_t *parser, yaml_document_t *document, const char *file,
                                    struct mr_err *err)
{
    if (yaml_parser_load(parser, document))
        return MR_OK;
    return mr_err_set_at(err, MR_INVALID, (int)parser->problem_mark.line + 1, (int)parser->problem_mark.column + 1,
                         "%s:%zu:%zu: %s", file, parser->problem_mark.line + 1, parser->problem_mark.column + 1,
                         parser->problem ? parser->problem : "this is not YAML");
}

enum mr_status scheduler_dag_parse(struct scheduler_dag **out, const char *id, struct mr_str text, const char *file,
                                   struct mr_err *err)
{
    struct dag_reader r = { .text = text, .file = file, .err = err };
    yaml_parser_t parser;
    yaml_document_t document;
    enum mr_status status;

    if (!scheduler_id_valid(id))
        return mr_err_set(
            err, MR_INVALID,
            "%s: \"%s\" can't be a DAG's id: a file's name may have letters, digits, _ - and ., at most %d", file, id,
            SCHEDULER_ID_BYTES_MAX);
    if (text.size > DAG_FILE_BYTES_MAX)
        return mr_err_set(err, MR_LIMIT, "%s: a DAG's file has at most %d bytes", file, DAG_FILE_BYTES_MAX);
    if (!yaml_parser_initialize(&parser))
        return mr_err_set(err, MR_IO, "libyaml could not start");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.data, text.size);
    status = document_load(&parser, &document, file, err);
    if (status == MR_OK) {
        yaml_node_t *root = yaml_document_get_root_node(&document);

        r.document = &document;
        r.arena = mr_arena_new();
        r.dag = MR_ARENA_NEW(r.arena, struct scheduler_dag);
        r.dag->arena = r.arena;
        r.dag->id = mr_arena_str(r.arena, mr_str_of(id)).data;
        r.dag->file = mr_arena_str(r.arena, mr_str_of(file)).data;
        status = root != NULL ? dag_read(&r, root) : mr_err_set_at(err, MR_INVALID, 1, 1, "%s:1:1: it is empty", file);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    if (status == MR_OK)
        *out = r.dag;
    else
        scheduler_dag_free(r.dag);
    return status;
}

void scheduler_dag_free(struct scheduler_dag *dag)
{
    if (dag == NULL)
        return;
    mr_arena_free(dag->arena);
}

uint32_t scheduler_dag_ticks(const struct scheduler_dag *dag, int64_t after_ms, uint32_t count, int64_t *out)
{
    const struct timetable *t = &dag->source->timetable;
    int64_t at = mr_floor_div(after_ms, 1000);
    uint32_t found = 0;

    while (t->kind == TIMETABLE_CRON && found < count) {
        at = cron_next(&t->cron, t->zone, at);
        if (at == SCHEDULER_NO_TIME)
            break;
        out[found++] = at * 1000;
    }
    return found;
}

bool scheduler_id_valid(const char *text)
{
    size_t size = strlen(text);

    return size >= 1 && size <= SCHEDULER_ID_BYTES_MAX && text[0] != '.' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == size;
}

void scheduler_keys_write(struct mr_writer *out, bool task)
{
    const struct dag_key *keys = task ? task_keys : dag_keys;
    size_t count = task ? MR_COUNT(task_keys) : MR_COUNT(dag_keys);

    mr_write_text(out, "| key | default | |\n|---|---|---|\n");
    for (size_t i = 0; i < count; i++)
        mr_write_text(out, "| `%s` | %s | %s |\n", keys[i].name, keys[i].fallback, keys[i].help);
}

/* cmd_query.c -- millrace query: what the queries of the running server do, stopping and starting them; and forgetting
 * the checkpoint of one that does not run. */
#include "base/env.h"
#include "main/api_client.h"
#include "main/command.h"
#include "main/data_dir.h"
#include "main/list_output.h"
#include "main/query_table.h"
#include "main/target.h"
#include "state/state.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct mr_option server_options[] = {
    OUTPUT_OPTION,
    TARGET_HTTP_OPTIONS,
};

/* ---- list ---- */

static int run_list(struct mr_config *config, char **rest, int rest_count)
{
    struct mr_err err = MR_ERR_INIT;
    json_t *answer = NULL;

    MR_UNUSED(rest);
    MR_UNUSED(rest_count);
    if (api_call(config, false, "/api/queries", NULL, &answer, &err) != MR_OK)
        return command_fail(&err);
    if (query_table_print(api_list(answer, "queries"), command_json(config)) == 0 && !command_json(config))
        fprintf(stderr, "the server has no queries; a project has them: millrace run examples/random_names\n");
    json_decref(answer);
    return EXIT_DONE;
}

/* ---- stop, start ---- */

static int change(struct mr_config *config, char **names, int count, const char *what, const char *done)
{
    int code = EXIT_DONE;

    for (int i = 0; i < count; i++) {
        char *place = api_path("/api/queries/%s/", names[i]);
        struct mr_writer path = { 0 };
        struct mr_err err = MR_ERR_INIT;
        json_t *answer = NULL;

        mr_write_text(&path, "%s%s", place, what);
        mr_write_u8(&path, 0);
        if (api_call(config, true, (const char *)path.data, NULL, &answer, &err) != MR_OK)
            code = command_fail(&err);
        else if (command_json(config))
            list_json_print(answer, stdout);
        else
            printf("%s %s\n", names[i], done);
        json_decref(answer);
        mr_writer_deinit(&path);
        mr_free(place);
    }
    return code;
}

static int run_stop(struct mr_config *config, char **rest, int rest_count)
{
    return change(config, rest, rest_count, "stop", "stopped");
}

static int run_start(struct mr_config *config, char **rest, int rest_count)
{
    return change(config, rest, rest_count, "start", "started");
}

/* ---- progress ---- */

static const struct mr_option progress_options[] = {
    { "count", "count", 'n', MR_OPTION_INTEGER, "N", "20", NULL, "the last so many epochs" },
    OUTPUT_OPTION,
    TARGET_HTTP_OPTIONS,
};

static int run_progress(struct mr_config *config, char **rest, int rest_count)
{
    static const struct list_column columns[] = {
        { "batchId", "batch", true },           { "timestamp", NULL, false },
        { "numInputRows", "rows in", true },    { "sink.numOutputRows", "rows out", true },
        { "inputRowsPerSecond", "in/s", true }, { "processedRowsPerSecond", "processed/s", true },
        { "batchDuration", "ms", true },
    };
    struct list_output *output;
    struct mr_writer path = { 0 };
    struct mr_err err = MR_ERR_INIT;
    json_t *answer = NULL;
    const json_t *entry;
    char *place;
    enum mr_status status;
    size_t i;

    MR_UNUSED(rest_count);
    place = api_path("/api/queries/%s/progress", rest[0]);
    mr_write_text(&path, "%s?n=%" PRId64, place, mr_config_integer(config, "count"));
    mr_write_u8(&path, 0);
    status = api_call(config, false, (const char *)path.data, NULL, &answer, &err);
    mr_free(place);
    mr_writer_deinit(&path);
    if (status != MR_OK)
        return command_fail(&err);
    output = list_output_new(columns, MR_COUNT(columns), command_json(config), stdout);
    json_array_foreach(api_list(answer, "progress"), i, entry) list_output_add(output, json_incref((json_t *)entry));
    if (list_output_finish(output) == 0 && !command_json(config))
        fprintf(stderr, "%s has not finished an epoch yet\n", rest[0]);
    json_decref(answer);
    return EXIT_DONE;
}

/* ---- forget ---- */

static const struct mr_option forget_options[] = {
    { "data-dir", "data-dir", 0, MR_OPTION_TEXT, "DIR", NULL, NULL,
      "the data directory; else .millrace here, else the user's data folder" },
};

struct known {
    const char *name;
    bool found;
};

static void look_for(void *arg, struct mr_str query, struct mr_bytes checkpoint)
{
    struct known *known = arg;

    MR_UNUSED(checkpoint);
    if (mr_str_equal(query, mr_str_of(known->name)))
        known->found = true;
}

static enum mr_status forget(const char *dir, const char *name, struct mr_err *err)
{
    struct known known = { .name = name };
    struct state *state = NULL;
    char path[MR_PATH_BYTES];
    enum mr_status status = mr_path_join(path, dir, "state", err);

    if (status == MR_OK)
        status = state_open(&state, path, mr_env_real(), err);
    if (status == MR_OK)
        status = state_checkpoint_list(state, look_for, &known, err);
    if (status == MR_OK && !known.found)
        status = mr_err_set(err, MR_NOT_FOUND, "no query \"%s\" has a checkpoint in %s", name, dir);
    if (status == MR_OK)
        status = state_query_delete(state, mr_str_of(name), err);
    state_close(state);
    return status;
}

static int run_forget(struct mr_config *config, char **rest, int rest_count)
{
    const char *named = mr_config_text(config, "data-dir");
    struct data_dir dir;
    struct mr_err err = MR_ERR_INIT;
    char path[MR_PATH_BYTES];
    enum mr_status status;

    MR_UNUSED(rest_count);
    status = data_dir_resolve(named, named == NULL && access(".millrace", F_OK) == 0 ? "." : NULL, path, &err);
    if (status == MR_OK)
        status = data_dir_open(&dir, path, &err);
    if (status != MR_OK) {
        command_error("%s", err.text);
        return EXIT_DATA_DIR;
    }
    status = forget(dir.path, rest[0], &err);
    data_dir_close(&dir);
    if (status != MR_OK) {
        command_error("%s", err.text);
        return EXIT_FAILED;
    }
    printf("forgotten: the next start of %s begins where its options say\n", rest[0]);
    return EXIT_DONE;
}

static const struct command query_list = {
    .name = "list",
    .summary = "List the queries of the running server",
    .usage = "millrace query list [OPTION...]",
    .text = "lag is how many records of its sources a query has not read yet.",
    .example = "  millrace query list --output json",
    .options = server_options,
    .option_count = MR_COUNT(server_options),
    .run = run_list,
};

static const struct command query_stop = {
    .name = "stop",
    .summary = "Stop queries at the end of their epoch",
    .usage = "millrace query stop NAME... [OPTION...]",
    .text = "A stopped query stays stopped until it is started, also when the server is started again.",
    .example = "  millrace query stop store_people",
    .options = server_options,
    .option_count = MR_COUNT(server_options),
    .rest_min = 1,
    .rest_max = 1000,
    .words = "query",
    .run = run_stop,
};

static const struct command query_start = {
    .name = "start",
    .summary = "Start stopped or failed queries where they were",
    .usage = "millrace query start NAME... [OPTION...]",
    .example = "  millrace query start store_people",
    .options = server_options,
    .option_count = MR_COUNT(server_options),
    .rest_min = 1,
    .rest_max = 1000,
    .words = "query",
    .run = run_start,
};

static const struct command query_progress = {
    .name = "progress",
    .summary = "Show the last epochs of a query",
    .usage = "millrace query progress NAME [OPTION...]",
    .text = "With --output json the fields are those of Spark's StreamingQueryProgress.",
    .example = "  millrace query progress store_people -n 5 --output json",
    .options = progress_options,
    .option_count = MR_COUNT(progress_options),
    .rest_min = 1,
    .rest_max = 1,
    .words = "query",
    .run = run_progress,
};

static const struct command query_forget = {
    .name = "forget",
    .summary = "Forget how far a query got (with the server stopped)",
    .usage = "millrace query forget NAME [OPTION...]",
    .text = "A query whose statement changed is refused at its start, since its checkpoint belongs to the old one.  "
            "Forgetting the\n"
            "checkpoint lets it begin anew; rows it wrote stay, and rows of the same key are written over.",
    .example = "  millrace query forget store_people --data-dir examples/random_names/.millrace",
    .options = forget_options,
    .option_count = MR_COUNT(forget_options),
    .rest_min = 1,
    .rest_max = 1,
    .run = run_forget,
};

static const struct command *const verbs[] = {
    &query_list, &query_progress, &query_stop, &query_start, &query_forget, NULL,
};

const struct command command_query = {
    .name = "query",
    .summary = "List, stop, start and forget queries; show their progress",
    .usage = "millrace query VERB [OPTION...]",
    .example = "  millrace query list\n  millrace query progress store_people",
    .verbs = verbs,
};

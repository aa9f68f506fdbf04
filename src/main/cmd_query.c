/* cmd_query.c -- millrace query: what can be done with a query that does not run. */
#include "base/env.h"
#include "main/command.h"
#include "main/data_dir.h"
#include "state/state.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct mr_option options[] = {
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

static int run(struct mr_config *config, char **rest, int rest_count)
{
    const char *named = mr_config_text(config, "data-dir");
    struct data_dir dir;
    struct mr_err err = MR_ERR_INIT;
    char path[MR_PATH_BYTES];
    enum mr_status status;

    if (rest_count < 2 || strcmp(rest[0], "forget") != 0) {
        command_error("usage: millrace query forget NAME");
        return EXIT_USAGE;
    }
    status = data_dir_resolve(named, named == NULL && access(".millrace", F_OK) == 0 ? "." : NULL, path, &err);
    if (status == MR_OK)
        status = data_dir_open(&dir, path, &err);
    if (status != MR_OK) {
        command_error("%s", err.text);
        return EXIT_DATA_DIR;
    }
    status = forget(dir.path, rest[1], &err);
    data_dir_close(&dir);
    if (status != MR_OK) {
        command_error("%s", err.text);
        return EXIT_FAILED;
    }
    printf("forgotten: the next start of %s begins where its options say\n", rest[1]);
    return EXIT_DONE;
}

const struct command command_query = {
    .name = "query",
    .summary = "Forget how far a query got (with the server stopped)",
    .usage = "millrace query forget NAME [OPTION...]",
    .text = "A query whose statement changed is refused at its start, since its checkpoint belongs to the old one.  "
            "Forgetting the\n"
            "checkpoint lets it begin anew; rows it wrote stay, and rows of the same key are written over.",
    .example = "  millrace query forget store_people --data-dir examples/random_names/.millrace",
    .options = options,
    .option_count = MR_COUNT(options),
    .rest_min = 2,
    .rest_max = 2,
    .run = run,
};

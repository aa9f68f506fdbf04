/* settings.c -- reads the project's file and the environment below the flags. */
#include "main/settings.h"
#include "base/env.h"
#include "base/logging.h"

#include <string.h>

extern char **environ;

enum { SETTINGS_FILE_BYTES_MAX = 1 << 20 };

static enum mr_status read_project_file(struct mr_config *config, const char *project, struct mr_err *err)
{
    struct mr_writer text = { 0 };
    char path[MR_PATH_BYTES];
    enum mr_status status = mr_path_join(path, project, "millrace.yaml", err);

    if (status == MR_OK)
        status = mr_file_read_all(mr_env_real(), path, SETTINGS_FILE_BYTES_MAX, &text, err);
    if (status == MR_OK)
        status = mr_config_read_yaml(config, (struct mr_str){ (const char *)text.data, text.size }, path, err);
    else if (status == MR_NOT_FOUND)
        status = MR_OK;
    mr_writer_deinit(&text);
    return status;
}

enum mr_status settings_complete(struct mr_config *config, const char *project, struct mr_err *err)
{
    enum mr_status status = MR_OK;

    if (project != NULL)
        status = read_project_file(config, project, err);
    if (status == MR_OK)
        status = mr_config_read_environment(config, environ, err);
    return status;
}

void settings_apply_logging(const struct mr_config *config)
{
    enum mr_log_level level = MR_LOG_WARN;
    enum mr_status status = mr_log_level_parse(mr_config_text(config, "log.level"), &level, NULL);

    assert(status == MR_OK); /* the option table allows nothing else */
    mr_log_setup(level, strcmp(mr_config_text(config, "log.format"), "json") == 0 ? MR_LOG_JSON : MR_LOG_LOGFMT);
}

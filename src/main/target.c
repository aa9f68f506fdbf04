/* target.c -- see target.h. */
#include "main/target.h"
#include "base/env.h"
#include "main/data_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_in(const char *dir, const char *below, struct server_file *out)
{
    char path[MR_PATH_BYTES];

    if (below == NULL)
        return server_file_read(dir, out, NULL) == MR_OK;
    return mr_path_join(path, dir, below, NULL) == MR_OK && server_file_read(path, out, NULL) == MR_OK;
}

/* FLAG is how the part could have been named instead. */
static enum mr_status find_server(const struct mr_config *config, const char *flag, struct server_file *out,
                                  struct mr_err *err)
{
    const char *named = mr_config_text(config, "data-dir");
    char path[MR_PATH_BYTES];
    enum mr_status status;

    if (named == NULL)
        named = getenv("MILLRACE_DATA_DIR");
    if (named != NULL && named[0] == '\0')
        named = NULL;
    if (named == NULL && read_in(".", ".millrace", out))
        return MR_OK;
    status = data_dir_resolve(named, NULL, path, err);
    if (status != MR_OK)
        return status;
    if (read_in(path, NULL, out) || read_in(path, ".millrace", out))
        return MR_OK;
    return mr_err_set(err, MR_NOT_FOUND,
                      "no server runs on %s; start one with: millrace run, or name another: --data-dir DIR or "
                      "--%s HOST:PORT",
                      path, flag);
}

enum mr_status target_find(const struct mr_config *config, enum target_part part, struct target *out,
                           struct mr_err *err)
{
    static const struct {
        const char *flag;
        const char *what;
    } parts[] = {
        [TARGET_KAFKA] = { "kafka", "log" },
        [TARGET_CQL] = { "cassandra", "tables" },
        [TARGET_HTTP] = { "server", "HTTP" },
    };
    const char *named = mr_config_text(config, parts[part].flag);
    struct target found = { .named = named != NULL };
    const char *address;
    enum mr_status status;

    if (named != NULL) {
        if (strlen(named) >= sizeof(found.address))
            return mr_err_set(err, MR_LIMIT, "--%s: the addresses are too long", parts[part].flag);
        snprintf(found.address, sizeof(found.address), "%s", named);
        *out = found;
        return MR_OK;
    }
    status = find_server(config, parts[part].flag, &found.server, err);
    if (status != MR_OK)
        return status;
    address = part == TARGET_KAFKA ? found.server.kafka : part == TARGET_CQL ? found.server.cql : found.server.http;
    if (address[0] == '\0')
        return mr_err_set(err, MR_NOT_FOUND, "the server with pid %" PRId64 " has no %s; name one with --%s HOST:PORT",
                          found.server.pid, parts[part].what, parts[part].flag);
    snprintf(found.address, sizeof(found.address), "%s", address);
    *out = found;
    return MR_OK;
}

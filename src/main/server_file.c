/* server_file.c -- see server_file.h. */
#include "main/server_file.h"
#include "base/text.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SERVER_FILE_BYTES_MAX = 16384 };

static const struct {
    const char *name;
    size_t offset;
    size_t size;
    bool secret;
} text_fields[] = {
    { "kafka", offsetof(struct server_file, kafka), SERVER_ADDRESS_BYTES, false },
    { "cql", offsetof(struct server_file, cql), SERVER_ADDRESS_BYTES, false },
    { "http", offsetof(struct server_file, http), SERVER_ADDRESS_BYTES, false },
    { "data_dir", offsetof(struct server_file, data_dir), MR_PATH_BYTES, false },
    { "project", offsetof(struct server_file, project), MR_PATH_BYTES, false },
    { "token", offsetof(struct server_file, token), SERVER_TOKEN_BYTES, true },
};

static void write_fields(const struct server_file *server, bool secrets, struct mr_writer *out)
{
    mr_write_text(out, "{\"pid\":%" PRId64, server->pid);
    for (size_t i = 0; i < MR_COUNT(text_fields); i++) {
        const char *value = (const char *)server + text_fields[i].offset;

        if (value[0] == '\0' || (text_fields[i].secret && !secrets))
            continue;
        mr_write_text(out, ",\"%s\":", text_fields[i].name);
        mr_write_json_string(out, mr_str_of(value));
    }
    mr_write_text(out, "}\n");
}

void server_file_line(const struct server_file *server, struct mr_writer *out)
{
    write_fields(server, false, out);
}

enum mr_status server_file_write(const struct server_file *server, struct mr_err *err)
{
    struct mr_writer text = { 0 };
    char path[MR_PATH_BYTES];
    enum mr_status status = mr_path_join(path, server->data_dir, "server.json", err);

    if (status == MR_OK) {
        write_fields(server, true, &text);
        status = mr_file_replace(mr_env_real(), path, mr_writer_bytes(&text), err);
    }
    mr_writer_deinit(&text);
    return status;
}

void server_file_remove(const char *data_dir)
{
    char path[MR_PATH_BYTES];

    if (mr_path_join(path, data_dir, "server.json", NULL) == MR_OK)
        MR_UNUSED(mr_unlink(mr_env_real(), path, NULL) == MR_OK); /* a stale one is found out by its pid */
}

static enum mr_status parse(const struct mr_writer *text, struct server_file *out, struct mr_err *err)
{
    json_t *root = json_loadb((const char *)text->data, text->size, 0, NULL);

    if (!json_is_object(root)) {
        json_decref(root);
        return mr_err_set(err, MR_NOT_FOUND, "server.json can't be read");
    }
    out->pid = json_integer_value(json_object_get(root, "pid"));
    for (size_t i = 0; i < MR_COUNT(text_fields); i++) {
        const char *value = json_string_value(json_object_get(root, text_fields[i].name));

        snprintf((char *)out + text_fields[i].offset, text_fields[i].size, "%s", value ? value : "");
    }
    json_decref(root);
    return MR_OK;
}

enum mr_status server_file_read(const char *data_dir, struct server_file *out, struct mr_err *err)
{
    struct mr_writer text = { 0 };
    struct server_file found = { 0 };
    char path[MR_PATH_BYTES];
    enum mr_status status = mr_path_join(path, data_dir, "server.json", err);

    if (status == MR_OK)
        status = mr_file_read_all(mr_env_real(), path, SERVER_FILE_BYTES_MAX, &text, err);
    if (status == MR_OK)
        status = parse(&text, &found, err);
    if (status == MR_OK && (found.pid <= 0 || (kill((pid_t)found.pid, 0) != 0 && errno == ESRCH)))
        status = mr_err_set(err, MR_NOT_FOUND, "the server that used %s has ended", data_dir);
    if (status == MR_OK)
        *out = found;
    mr_writer_deinit(&text);
    return status;
}

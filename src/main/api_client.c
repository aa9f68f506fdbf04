/* api_client.c -- see api_client.h. */
#include "main/api_client.h"
#include "http/http.h"
#include "main/list_output.h"
#include "main/target.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { URL_BYTES = 4096, ANSWER_MS = 120000 };

void api_path_write(struct mr_writer *path, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (isalnum(c) || strchr("-_.~", c) != NULL)
            mr_write_u8(path, c);
        else
            mr_write_text(path, "%%%02X", c);
    }
}

char *api_path(const char *format, ...)
{
    struct mr_writer path = { 0 };
    va_list args;
    char *text;

    va_start(args, format);
    for (; *format != '\0'; format++) {
        if (format[0] == '%' && format[1] == 's') {
            api_path_write(&path, va_arg(args, const char *));
            format++;
        } else {
            mr_write_u8(&path, (uint8_t)*format);
        }
    }
    va_end(args);
    text = mr_str_dup(mr_str_of_bytes(mr_writer_bytes(&path)));
    mr_writer_deinit(&path);
    return text;
}

static enum mr_status status_of(int code)
{
    switch (code) {
    case 404:
        return MR_NOT_FOUND;
    case 400:
        return MR_INVALID;
    case 403:
        return MR_DENIED;
    case 409:
        return MR_BUSY;
    default:
        return MR_IO;
    }
}

/* The server's own words for what is wrong, when it has some. */
static enum mr_status refused(const struct http_response *response, const char *path, struct mr_err *err)
{
    json_t *answer = json_loadb((const char *)response->body.data, response->body.size, 0, NULL);
    const char *words = json_string_value(json_object_get(answer, "error"));
    enum mr_status status = status_of(response->status);

    if (words != NULL)
        mr_err_set(err, status, "%s", words);
    else if (response->status == 404)
        mr_err_set(err, status, "the server does not know %s; is it of this version? millrace status shows it", path);
    else
        mr_err_set(err, status, "the server answered %d to %s", response->status, path);
    json_decref(answer);
    return status;
}

/* Sends, and checks that the answer is no refusal.  The caller deinits RESPONSE. */
static enum mr_status exchange(const struct mr_config *config, const char *path, const struct http_options *options,
                               struct http_response *response, struct mr_err *err)
{
    char url[URL_BYTES];
    struct target target;
    enum mr_status status = target_find(config, TARGET_HTTP, &target, err);

    if (status != MR_OK)
        return status;
    if (snprintf(url, sizeof(url), "http://%s%s", target.address, path) >= (int)sizeof(url))
        return mr_err_set(err, MR_LIMIT, "the name is too long");
    status = http_get(url, options, NULL, response, err);
    if (status != MR_OK)
        return status;
    return response->status / 100 == 2 ? MR_OK : refused(response, path, err);
}

enum mr_status api_call(const struct mr_config *config, bool post, const char *path, json_t *body, json_t **out,
                        struct mr_err *err)
{
    static const struct http_header json_header = { "Content-Type", "application/json" };
    struct http_response response = { 0 };
    struct mr_writer text = { 0 };
    struct http_options options = { .total_timeout_ms = ANSWER_MS };
    enum mr_status status;

    if (post) {
        if (body != NULL)
            list_json_write(&text, body);
        else
            mr_write_text(&text, "{}");
        options.method = "POST";
        options.body = mr_writer_bytes(&text);
        options.headers = &json_header;
        options.header_count = 1;
    }
    json_decref(body);
    status = exchange(config, path, &options, &response, err);
    if (status == MR_OK) {
        json_t *answer = json_loadb((const char *)response.body.data, response.body.size, 0, NULL);

        if (answer == NULL)
            status = mr_err_set(err, MR_IO, "the server's answer to %s is no JSON", path);
        else
            *out = answer;
    }
    http_response_deinit(&response);
    mr_writer_deinit(&text);
    return status;
}

enum mr_status api_text(const struct mr_config *config, const char *path, struct mr_writer *out, struct mr_err *err)
{
    struct http_response response = { 0 };
    struct http_options options = { .total_timeout_ms = ANSWER_MS };
    enum mr_status status = exchange(config, path, &options, &response, err);

    if (status == MR_OK)
        mr_write_bytes(out, mr_writer_bytes(&response.body));
    http_response_deinit(&response);
    return status;
}

const json_t *api_list(const json_t *answer, const char *name)
{
    const json_t *list = json_is_array(answer) ? answer : json_object_get(answer, name);

    return json_is_array(list) ? list : NULL;
}

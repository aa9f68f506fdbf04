/* remote_queries.c -- see remote_queries.h. */
#include "main/remote_queries.h"

#include "http/http.h"
#include "main/api_client.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { REMOTE_WAIT_MS = 30000 }; /* a query may finish its epoch first */

/* Asks for PATH; *OUT is the answer's JSON, the caller's. */
static enum mr_status remote_call(const char *address, bool post, const char *path, json_t **out, struct mr_err *err)
{
    static const struct http_header json_header = { "Content-Type", "application/json" };
    struct http_options options = { .total_timeout_ms = REMOTE_WAIT_MS };
    struct http_client *client = http_client_new();
    struct http_response response = { 0 };
    struct mr_writer url = { 0 };
    json_t *answer = NULL;
    enum mr_status status;

    mr_write_text(&url, "http://%s%s", address, path);
    mr_write_u8(&url, 0);
    if (post) {
        options.method = "POST";
        options.body = mr_bytes_of_str(MR_STR("{}"));
        options.headers = &json_header;
        options.header_count = 1;
    }
    status = http_client_send(client, (const char *)url.data, &options, NULL, &response, err);
    if (status == MR_OK) {
        answer = json_loadb((const char *)response.body.data, response.body.size, 0, NULL);
        const char *why = json_string_value(json_object_get(answer, "error"));

        if (response.status != 200)
            status = mr_err_set(err, response.status == 404 ? MR_NOT_FOUND : MR_IO, "%s",
                                why != NULL ? why : "the server answered with an error and no reason");
        else if (answer == NULL)
            status = mr_err_set(err, MR_IO, "the server's answer to %s is no JSON", path);
    }
    if (status == MR_OK)
        *out = answer;
    else
        json_decref(answer);
    http_response_deinit(&response);
    http_client_free(client);
    mr_writer_deinit(&url);
    return status;
}

static int64_t number_of(const json_t *query, const char *name)
{
    return json_integer_value(json_object_get(query, name));
}

static void text_of(char *out, size_t size, const json_t *query, const char *name)
{
    const char *text = json_string_value(json_object_get(query, name));

    snprintf(out, size, "%s", text != NULL ? text : "");
}

static void query_read(struct sql_query_status *out, const json_t *query)
{
    char state[32];

    *out = (struct sql_query_status){ .epoch = number_of(query, "epoch"),
                                      .rows_in = number_of(query, "rows_in"),
                                      .rows_out = number_of(query, "rows_out"),
                                      .dead_letters = number_of(query, "dead_letters"),
                                      .skipped = number_of(query, "skipped"),
                                      .lag = number_of(query, "lag"),
                                      .batch_us = number_of(query, "batch_us"),
                                      .started_ms = number_of(query, "started_ms") };
    text_of(out->name, sizeof(out->name), query, "name");
    text_of(out->id, sizeof(out->id), query, "id");
    text_of(out->run_id, sizeof(out->run_id), query, "run_id");
    text_of(out->error, sizeof(out->error), query, "error");
    text_of(state, sizeof(state), query, "state");
    if (!sql_query_state_parse(state, &out->state))
        out->state = SQL_QUERY_STARTING;
}

static enum mr_status remote_list(void *arg, struct sql_query_status **out, size_t *count, struct mr_err *err)
{
    json_t *answer = NULL;
    const json_t *queries;
    enum mr_status status = remote_call(arg, false, "/api/queries", &answer, err);

    if (status != MR_OK)
        return status;
    queries = json_object_get(answer, "queries");
    *count = json_array_size(queries);
    *out = mr_calloc(*count + 1, sizeof(**out));
    for (size_t i = 0; i < *count; i++)
        query_read(&(*out)[i], json_array_get(queries, i));
    json_decref(answer);
    return MR_OK;
}

static enum mr_status remote_change(const char *address, const char *name, const char *what, struct mr_err *err)
{
    json_t *answer = NULL;
    struct mr_writer path = { 0 };
    enum mr_status status;

    mr_write_text(&path, "/api/queries/");
    api_path_write(&path, name);
    mr_write_text(&path, "/%s", what);
    mr_write_u8(&path, 0);
    status = remote_call(address, true, (const char *)path.data, &answer, err);
    json_decref(answer);
    mr_writer_deinit(&path);
    return status;
}

static enum mr_status remote_start(void *arg, const char *name, struct mr_err *err)
{
    return remote_change(arg, name, "start", err);
}

static enum mr_status remote_stop(void *arg, const char *name, struct mr_err *err)
{
    return remote_change(arg, name, "stop", err);
}

void remote_queries_init(struct sql_remote *out, const char *address)
{
    *out =
        (struct sql_remote){ .list = remote_list, .start = remote_start, .stop = remote_stop, .arg = (void *)address };
}

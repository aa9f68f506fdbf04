/* cmd_status.c -- millrace status: what a running server does, once. */
#include "base/text.h"
#include "http/http.h"
#include "main/command.h"
#include "main/query_table.h"
#include "main/target.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const struct mr_option options[] = {
    OUTPUT_OPTION,
    TARGET_HTTP_OPTIONS,
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static void print_people(const json_t *status)
{
    const json_t *queries = json_object_get(status, "queries");

    printf("millrace %s, pid %" PRId64 ", up %" PRId64 " s\n", text_of(status, "version"),
           (int64_t)json_integer_value(json_object_get(status, "pid")),
           (int64_t)json_integer_value(json_object_get(status, "uptime_ms")) / 1000);
    printf("kafka %s   cql %s   data in %s\n", text_of(status, "kafka"), text_of(status, "cql"),
           text_of(status, "data_dir"));
    if (json_array_size(queries) > 0) {
        printf("\n");
        query_table_print(queries, false);
    }
}

static int print_status(const struct http_response *response, const char *output)
{
    json_t *status = json_loadb((const char *)response->body.data, response->body.size, 0, NULL);

    if (response->status != 200 || !json_is_object(status)) {
        json_decref(status);
        command_error("the server answered %d and no status", response->status);
        return EXIT_FAILED;
    }
    if (strcmp(output, "json") == 0)
        fwrite(response->body.data, 1, response->body.size, stdout);
    else
        print_people(status);
    json_decref(status);
    return EXIT_DONE;
}

static int run(struct mr_config *config, char **rest, int rest_count)
{
    struct target target;
    struct http_response response = { 0 };
    struct mr_err err = MR_ERR_INIT;
    char url[TARGET_ADDRESS_BYTES + 32];
    int code;

    MR_UNUSED(rest);
    MR_UNUSED(rest_count);
    if (target_find(config, TARGET_HTTP, &target, &err) != MR_OK) {
        command_error("%s", err.text);
        return EXIT_FAILED;
    }
    snprintf(url, sizeof(url), "http://%s/api/status", target.address);
    if (http_get(url, NULL, NULL, &response, &err) != MR_OK) {
        command_error("%s", err.text);
        return EXIT_FAILED;
    }
    code = print_status(&response, mr_config_text(config, "output"));
    http_response_deinit(&response);
    return code;
}

const struct command command_status = {
    .name = "status",
    .summary = "Show what a running server does",
    .usage = "millrace status [OPTION...]",
    .example = "  millrace status --output json",
    .options = options,
    .option_count = MR_COUNT(options),
    .run = run,
};

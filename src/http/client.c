/* client.c -- one request at a time over libcurl's multi interface, so that a stop flag can end the wait.
 *
 * curl_multi_poll waits for the sockets, for http_client_wake and at most CLIENT_POLL_MS; the flag is looked at after
 * each.  The easy handle is reset for every request; connections stay open in the multi handle. */
#include "http/http.h"

#include "base/env.h"
#include "base/text.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { CLIENT_POLL_MS = 100, CLIENT_URL_BYTES_MAX = 64 * 1024 };

struct http_client {
    CURLM *multi; /* owned */
    CURL *easy;   /* owned */
    char cause[CURL_ERROR_SIZE];
};

/* One request under way. */
struct transfer {
    struct http_response *response;
    int64_t body_bytes_max;
    int64_t header_bytes;
    bool body_too_long;
    bool headers_too_long;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_setup_process(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

void http_response_deinit(struct http_response *response)
{
    mr_writer_deinit(&response->body);
    *response = (struct http_response){ 0 };
}

struct http_client *http_client_new(void)
{
    struct http_client *client = MR_NEW(struct http_client);

    pthread_once(&curl_once, curl_setup_process);
    client->multi = curl_multi_init();
    client->easy = curl_easy_init();
    assert(client->multi != NULL && client->easy != NULL);
    return client;
}

void http_client_free(struct http_client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->easy);
    curl_multi_cleanup(client->multi);
    mr_free(client);
}

void http_client_wake(struct http_client *client)
{
    curl_multi_wakeup(client->multi);
}

/* URL without user and password, for messages. */
static void url_for_people(const char *url, char *out, size_t size)
{
    CURLU *parts = curl_url();
    char *text = NULL;

    snprintf(out, size, "%s", url);
    if (parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK) {
        curl_url_set(parts, CURLUPART_USER, NULL, 0);
        curl_url_set(parts, CURLUPART_PASSWORD, NULL, 0);
        if (curl_url_get(parts, CURLUPART_URL, &text, 0) == CURLUE_OK)
            snprintf(out, size, "%s", text);
        curl_free(text);
    }
    curl_url_cleanup(parts);
}

enum mr_status http_url_check(const char *url, struct mr_err *err)
{
    CURLU *parts;
    CURLUcode code;
    char *scheme = NULL;
    enum mr_status status = MR_OK;

    pthread_once(&curl_once, curl_setup_process);
    if (strlen(url) > CLIENT_URL_BYTES_MAX)
        return mr_err_set(err, MR_INVALID, "the URL is longer than %d bytes", CLIENT_URL_BYTES_MAX);
    parts = curl_url();
    assert(parts != NULL);
    code = curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
    if (code != CURLUE_OK)
        status = mr_err_set(err, MR_INVALID, "\"%s\" is no URL: %s", url, curl_url_strerror(code));
    else if (curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
             (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
        status = mr_err_set(err, MR_INVALID, "\"%s\": only http and https are spoken", url);
    curl_free(scheme);
    curl_url_cleanup(parts);
    return status;
}

static size_t on_body(char *data, size_t one, size_t size, void *arg)
{
    struct transfer *transfer = arg;

    MR_UNUSED(one);
    if ((int64_t)(transfer->response->body.size + size) > transfer->body_bytes_max) {
        transfer->body_too_long = true;
        return 0;
    }
    mr_write_bytes(&transfer->response->body, (struct mr_bytes){ (const uint8_t *)data, size });
    return size;
}

static size_t on_header(char *data, size_t one, size_t size, void *arg)
{
    struct transfer *transfer = arg;

    MR_UNUSED(data);
    MR_UNUSED(one);
    transfer->header_bytes += (int64_t)size;
    if (transfer->header_bytes > HTTP_HEADER_BYTES_MAX) {
        transfer->headers_too_long = true;
        return 0;
    }
    return size;
}

static void set_body(CURL *easy, const struct http_options *options, const char *method)
{
    if (strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)options->body.size);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, options->body.data ? (const char *)options->body.data : "");
    }
    if (strcmp(method, "GET") != 0)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static bool header_is_clean(const struct http_header *header)
{
    return header->name[0] != '\0' && strpbrk(header->name, ":\r\n ") == NULL && strpbrk(header->value, "\r\n") == NULL;
}

/* The headers as curl wants them; *OUT is the caller's also on failure. */
static enum mr_status make_headers(const struct http_options *options, struct curl_slist **out, struct mr_err *err)
{
    for (size_t i = 0; i < options->header_count; i++) {
        const struct http_header *header = &options->headers[i];
        struct mr_writer line = { 0 };

        if (!header_is_clean(header))
            return mr_err_set(err, MR_INVALID, "\"%s\" is no header that can be sent", header->name);
        mr_write_text(&line, header->value[0] ? "%s: %s" : "%s;%s", header->name, header->value);
        mr_write_u8(&line, 0);
        *out = curl_slist_append(*out, (const char *)line.data);
        assert(*out != NULL);
        mr_writer_deinit(&line);
    }
    return MR_OK;
}

static enum mr_status check_options(const struct http_options *options, struct mr_err *err)
{
    static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "DELETE" };

    if (options->method == NULL)
        return MR_OK;
    for (size_t i = 0; i < MR_COUNT(methods); i++) {
        if (strcmp(methods[i], options->method) == 0)
            return MR_OK;
    }
    return mr_err_set(err, MR_INVALID, "\"%s\" is no method: GET, HEAD, POST, PUT or DELETE", options->method);
}

static void set_options(struct http_client *client, const char *url, const struct http_options *options,
                        struct transfer *transfer)
{
    CURL *easy = client->easy;
    int redirects = options->redirects_max ? options->redirects_max : HTTP_REDIRECTS_MAX;

    curl_easy_reset(easy);
    client->cause[0] = '\0';
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->cause);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, options->user_agent ? options->user_agent : "millrace");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, redirects > 0 ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)(redirects > 0 ? redirects : 0));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(options->connect_timeout_ms > 0 ? options->connect_timeout_ms : HTTP_CONNECT_MS));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                     (long)(options->total_timeout_ms > 0 ? options->total_timeout_ms : HTTP_TOTAL_MS));
    if (options->ca_file != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    set_body(easy, options, options->method ? options->method : "GET");
}

/* Runs the transfer to its end; false when STOP was set before. */
static bool client_run(struct http_client *client, const atomic_bool *stop, CURLcode *result)
{
    for (;;) {
        int running = 0;
        int left;
        CURLMsg *message;

        if (stop != NULL && atomic_load(stop))
            return false;
        curl_multi_perform(client->multi, &running);
        while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
            if (message->msg == CURLMSG_DONE) {
                *result = message->data.result;
                return true;
            }
        }
        curl_multi_poll(client->multi, NULL, 0, CLIENT_POLL_MS, NULL);
    }
}

static enum mr_status explain(struct http_client *client, const char *url, const struct transfer *transfer,
                              CURLcode code, struct mr_err *err)
{
    char where[400];
    const char *cause = client->cause[0] ? client->cause : curl_easy_strerror(code);

    url_for_people(url, where, sizeof(where));
    if (transfer->body_too_long)
        return mr_err_set(err, MR_LIMIT, "%s: the answer is longer than %" PRId64 " bytes", where,
                          transfer->body_bytes_max);
    if (transfer->headers_too_long)
        return mr_err_set(err, MR_LIMIT, "%s: the answer's headers are longer than %d bytes", where,
                          HTTP_HEADER_BYTES_MAX);
    if (code == CURLE_TOO_MANY_REDIRECTS)
        return mr_err_set(err, MR_LIMIT, "%s: %s", where, cause);
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        return mr_err_set(err, MR_INVALID, "%s: %s", where, cause);
    return mr_err_set(err, MR_IO, "%s: %s", where, cause);
}

static enum mr_status stopped(const char *url, struct mr_err *err)
{
    char where[400];

    url_for_people(url, where, sizeof(where));
    return mr_err_set(err, MR_BUSY, "%s: stopped before the answer", where);
}

static void read_answer(CURL *easy, struct http_response *response)
{
    long status = 0;
    curl_off_t retry_after = 0;
    char *text = NULL;
    struct curl_header *header;

    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    response->status = (int)status;
    response->retry_after_ms = -1;
    if (curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1, &header) == CURLHE_OK &&
        curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after) == CURLE_OK)
        response->retry_after_ms = (int64_t)retry_after * 1000;
    response->content_type[0] = response->effective_url[0] = '\0';
    if (curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &text) == CURLE_OK && text != NULL)
        snprintf(response->content_type, sizeof(response->content_type), "%s", text);
    if (curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &text) == CURLE_OK && text != NULL)
        snprintf(response->effective_url, sizeof(response->effective_url), "%s", text);
}

enum mr_status http_client_send(struct http_client *client, const char *url, const struct http_options *options,
                                const atomic_bool *stop, struct http_response *response, struct mr_err *err)
{
    static const struct http_options defaults;
    struct transfer transfer = { .response = response };
    struct curl_slist *headers = NULL;
    int64_t started_ns = mr_monotonic_ns(mr_env_real());
    CURLcode code = CURLE_OK;
    enum mr_status status;

    if (options == NULL)
        options = &defaults;
    transfer.body_bytes_max = options->body_bytes_max > 0 ? options->body_bytes_max : HTTP_BODY_BYTES_MAX;
    response->body.size = 0;
    response->status = 0;
    status = http_url_check(url, err);
    if (status == MR_OK)
        status = check_options(options, err);
    if (status == MR_OK)
        status = make_headers(options, &headers, err);
    if (status != MR_OK)
        goto out;
    set_options(client, url, options, &transfer);
    curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, headers);
    curl_multi_add_handle(client->multi, client->easy);
    if (!client_run(client, stop, &code))
        status = stopped(url, err);
    else if (code != CURLE_OK)
        status = explain(client, url, &transfer, code, err);
    else
        read_answer(client->easy, response);
    curl_multi_remove_handle(client->multi, client->easy);
    response->elapsed_ms = (mr_monotonic_ns(mr_env_real()) - started_ns) / 1000000;
out:
    if (status != MR_OK)
        response->body.size = 0;
    curl_slist_free_all(headers);
    return status;
}

enum mr_status http_get(const char *url, const struct http_options *options, const atomic_bool *stop,
                        struct http_response *response, struct mr_err *err)
{
    struct http_client *client = http_client_new();
    enum mr_status status = http_client_send(client, url, options, stop, response, err);

    http_client_free(client);
    return status;
}

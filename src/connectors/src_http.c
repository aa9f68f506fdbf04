/* src_http.c -- the http source: asks a JSON API again and again and gives each answer's records.
 *
 * The position is the number of the page (with 'page.parameter') or of the request (without); it moves only when a page
 * was handed over, so a page whose records did not reach the checkpoint is asked for again.  Every record of a page has
 * the page's number as its position.
 *
 * States   DUE (a request may start at due_ms) --answer--> DUE at the next interval, or ENDED
 *                                              --trouble--> DUE after a delay, `attempt` counted
 *          after 'http.retries' attempts: with an interval a warning and DUE at the next one, without: an error.
 * The scan ends when page.max was read, when an empty page came and there is neither page.max nor interval, after one
 * request when there is neither page nor interval, and when scan.duration has passed since the first open.  The
 * position's state text keeps that moment ("started=<ms since 1970>") and whether an empty page ended it (";ended").
 *
 * A request blocks the query's thread, at most 'http.timeout'; setting *ctx->stop ends it at once. */
#include "connectors/connectors_int.h"

#include "base/logging.h"
#include "base/text.h"
#include "http/http.h"

#include <stdio.h>
#include <string.h>

enum {
    HTTP_URL_BYTES = 4096,
    HTTP_SHOWN_BODY_BYTES = 160, /* of an error's body, in the message */
    HTTP_RETRY_AFTER_MS_MAX = 3600 * 1000,
    HTTP_HEADERS_MAX = 32,
    HTTP_SLACK = DATA_JSON_SLACK,
};

struct connector_source {
    const struct connector_context *ctx; /* borrowed */
    const char *table;                   /* its name, borrowed */
    struct http_client *client;          /* owned */
    struct http_response response;       /* owned: the page whose records were handed over last */
    struct http_options options;
    struct http_header headers[HTTP_HEADERS_MAX];
    char *headers_text; /* owned; headers point into it */
    const char *url;    /* borrowed from the table */
    const char *page_parameter;
    const char *pointer;
    bool lines;                       /* the format is not json: a record is a line */
    int64_t page_first, page_max;     /* page_max -1: none */
    int64_t interval_ms, duration_ms; /* -1: none */
    int64_t retries;
    struct connector_backoff backoff;
    struct connector_warner warner;

    int64_t started_ms; /* wall clock of the first open */
    int64_t due_ms;     /* monotonic: when the next request may start */
    int64_t begun_ms;   /* monotonic: when the first attempt of the current page started */
    int attempt;        /* attempts of the current page that failed */
    bool ended;
    bool announced; /* was started_ms given to the engine? */
    char url_now[HTTP_URL_BYTES];

    struct connector_record *records; /* owned */
    struct connector_position position;
    char state[64];
    struct mr_err trouble; /* why the last answer has no records */
};

/* ---- options ---- */

static enum mr_status http_headers_read(struct connector_source *s, const char *text, struct mr_err *err)
{
    if (text == NULL)
        return MR_OK;
    s->headers_text = mr_strdup(text);
    for (char *line = s->headers_text, *rest; line != NULL; line = rest) {
        char *colon;

        rest = strchr(line, '\n');
        if (rest != NULL)
            *rest++ = '\0';
        line += strspn(line, " \t\r");
        line[strcspn(line, "\r")] = '\0';
        if (*line == '\0')
            continue;
        colon = strchr(line, ':');
        if (colon == NULL || colon == line)
            return mr_err_set(err, MR_INVALID, "option 'http.headers': a line is not 'Name: value'");
        if (s->options.header_count == HTTP_HEADERS_MAX)
            return mr_err_set(err, MR_INVALID, "option 'http.headers': more than %d lines", HTTP_HEADERS_MAX);
        *colon = '\0';
        s->headers[s->options.header_count++] =
            (struct http_header){ .name = line, .value = colon + 1 + strspn(colon + 1, " \t") };
    }
    s->options.headers = s->headers;
    return MR_OK;
}

static enum mr_status http_pages_read(struct connector_source *s, const struct connector_table *table,
                                      struct mr_err *err)
{
    enum mr_status status;

    s->page_parameter = connector_option_text(table, "page.parameter");
    s->page_first = 1;
    s->page_max = -1;
    status = connector_option_number(table, "page.first", 0, INT32_MAX, &s->page_first, err);
    if (status == MR_OK)
        status = connector_option_number(table, "page.max", 0, INT32_MAX, &s->page_max, err);
    if (status != MR_OK)
        return status;
    if (s->page_parameter == NULL && s->page_max >= 0)
        return mr_err_set(err, MR_INVALID, "option 'page.max' needs 'page.parameter'");
    if (s->page_max >= 0 && s->page_max < s->page_first)
        return mr_err_set(err, MR_INVALID, "option 'page.max' = %" PRId64 " is before 'page.first' = %" PRId64,
                          s->page_max, s->page_first);
    if (s->page_parameter != NULL && strspn(s->page_parameter, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                               "0123456789_-.~[]") != strlen(s->page_parameter))
        return mr_err_set(err, MR_INVALID, "option 'page.parameter' = '%s' is not a parameter's name",
                          s->page_parameter);
    return MR_OK;
}

static enum mr_status http_options_read(struct connector_source *s, const struct connector_table *table,
                                        struct mr_err *err)
{
    enum mr_status status;

    s->url = connector_option_text(table, "url");
    if (s->url == NULL)
        return mr_err_set(err, MR_INVALID, "option 'url' is missing");
    status = http_url_check(s->url, err);
    if (status != MR_OK) {
        mr_err_context(err, "option 'url'");
        return status;
    }
    if (strlen(s->url) > HTTP_URL_BYTES - 256)
        return mr_err_set(err, MR_INVALID, "option 'url' is longer than %d bytes", HTTP_URL_BYTES - 256);
    s->lines = table->format != NULL && table->format->kind != DATA_FORMAT_JSON;
    s->pointer = connector_option_text(table, "json.records");
    if (s->pointer == NULL)
        s->pointer = "";
    if (s->pointer[0] != '\0' && s->pointer[0] != '/')
        return mr_err_set(err, MR_INVALID, "option 'json.records' = '%s' is not a JSON pointer such as '/results'",
                          s->pointer);
    s->interval_ms = s->duration_ms = -1;
    s->options.total_timeout_ms = 10000;
    s->options.connect_timeout_ms = 5000;
    s->options.body_bytes_max = HTTP_BODY_BYTES_MAX;
    s->retries = 5;
    status = http_pages_read(s, table, err);
    if (status == MR_OK)
        status = connector_option_duration(table, "scan.interval", &s->interval_ms, err);
    if (status == MR_OK)
        status = connector_option_duration(table, "scan.duration", &s->duration_ms, err);
    if (status == MR_OK)
        status = connector_option_duration(table, "http.timeout", &s->options.total_timeout_ms, err);
    if (status == MR_OK)
        status = connector_option_duration(table, "http.connect-timeout", &s->options.connect_timeout_ms, err);
    if (status == MR_OK)
        status = connector_option_number(table, "http.retries", 0, 1000, &s->retries, err);
    if (status == MR_OK)
        status = connector_option_duration(table, "http.retry-delay", &s->backoff.base_ms, err);
    if (status == MR_OK)
        status = connector_option_size(table, "http.max-bytes", DATA_JSON_DOCUMENT_BYTES_MAX,
                                       &s->options.body_bytes_max, err);
    if (status == MR_OK)
        status = http_headers_read(s, connector_option_text(table, "http.headers"), err);
    if (status == MR_OK && (s->options.total_timeout_ms == 0 || s->options.connect_timeout_ms == 0))
        status = mr_err_set(err, MR_INVALID, "a timeout of 0 would never let a request succeed");
    return status;
}

/* ---- position ---- */

static void http_resume(struct connector_source *s, const struct connector_position *position)
{
    int64_t started_ms = 0;

    s->started_ms = mr_now_ms(s->ctx->env);
    s->position = (struct connector_position){ .split = 0, .next = s->page_first, .last = -1 };
    if (position == NULL)
        return;
    s->position = *position;
    s->position.state = MR_STR_NULL;
    if (position->state.size > 8 && memcmp(position->state.data, "started=", 8) == 0) {
        struct mr_str number = { position->state.data + 8, position->state.size - 8 };
        const char *semicolon = memchr(number.data, ';', number.size);

        if (semicolon != NULL) {
            s->ended = true;
            number.size = (size_t)(semicolon - number.data);
        }
        if (mr_parse_i64(number, &started_ms) == MR_OK) {
            s->started_ms = started_ms;
            s->announced = true;
        }
    }
}

static void http_position_show(struct connector_source *s, struct connector_poll *out)
{
    int size = snprintf(s->state, sizeof(s->state), "started=%" PRId64 "%s", s->started_ms, s->ended ? ";ended" : "");

    s->position.state = (struct mr_str){ s->state, (size_t)size };
    s->announced = true;
    out->positions = &s->position;
    out->position_count = 1;
}

/* Is there nothing more to ask for? */
static bool http_is_over(const struct connector_source *s)
{
    if (s->ended || (s->page_max >= 0 && s->position.next > s->page_max))
        return true;
    if (s->duration_ms >= 0 && mr_now_ms(s->ctx->env) - s->started_ms >= s->duration_ms)
        return true;
    return s->page_parameter == NULL && s->interval_ms < 0 && s->position.next > s->page_first;
}

/* ---- one request ---- */

static void http_url_build(struct connector_source *s)
{
    const char *fragment = strchrnul(s->url, '#');
    int head = (int)(fragment - s->url);
    bool has_query = memchr(s->url, '?', (size_t)head) != NULL;

    if (s->page_parameter == NULL)
        snprintf(s->url_now, sizeof(s->url_now), "%.*s", head, s->url);
    else
        snprintf(s->url_now, sizeof(s->url_now), "%.*s%s%s=%" PRId64, head, s->url,
                 !has_query                                           ? "?"
                 : s->url[head - 1] == '?' || s->url[head - 1] == '&' ? ""
                                                                      : "&",
                 s->page_parameter, s->position.next);
}

/* The URL without user and password. */
static const char *http_url_shown(const struct connector_source *s, char *out, size_t size)
{
    const char *host = strstr(s->url_now, "://");
    size_t authority = host != NULL ? strcspn(host + 3, "/?#") : 0;
    const char *at = host != NULL ? memrchr(host + 3, '@', authority) : NULL;

    if (at == NULL)
        snprintf(out, size, "%.300s", s->url_now);
    else
        snprintf(out, size, "%.*s%.300s", (int)(host + 3 - s->url_now), s->url_now, at + 1);
    return out;
}

/* Says what an answer that is no success was. */
static enum mr_status http_answer_error_set(const struct connector_source *s, struct mr_err *err)
{
    char url[512], body[HTTP_SHOWN_BODY_BYTES + 1];
    size_t size = s->response.body.size < HTTP_SHOWN_BODY_BYTES ? s->response.body.size : HTTP_SHOWN_BODY_BYTES;

    for (size_t i = 0; i < size; i++) {
        uint8_t c = s->response.body.data[i];

        body[i] = c >= 0x20 && c < 0x7f ? (char)c : '.';
    }
    body[size] = '\0';
    return mr_err_set(err, MR_IO, "GET %s: status %d%s%s%s", http_url_shown(s, url, sizeof(url)), s->response.status,
                      size > 0 ? ", body '" : "", body, size > 0 ? "'" : "");
}

static bool http_status_may_pass(int status)
{
    return status >= 500 || status == 408 || status == 425 || status == 429;
}

/* Sends the request once.  MR_OK: a page is there.  MR_IO: may pass; *RETRY_AFTER_MS says when.  Others: final. */
static enum mr_status http_ask(struct connector_source *s, int64_t *retry_after_ms, struct mr_err *err)
{
    struct mr_err cause = MR_ERR_INIT;
    enum mr_status status;

    http_url_build(s);
    *retry_after_ms = -1;
    status = http_client_send(s->client, s->url_now, &s->options, s->ctx->stop, &s->response, &cause);
    if (status != MR_OK) {
        *err = cause;
        return status;
    }
    if (s->response.status >= 200 && s->response.status < 300)
        return MR_OK;
    http_answer_error_set(s, err);
    if (!http_status_may_pass(s->response.status))
        return MR_INVALID;
    *retry_after_ms = s->response.retry_after_ms;
    return MR_IO;
}

/* Plans the next attempt after trouble that may pass.  An error: there is no further one. */
static enum mr_status http_trouble(struct connector_source *s, int64_t retry_after_ms, struct mr_err *err)
{
    int64_t now_ms = connector_clock_ms(s->ctx);
    int64_t delay_ms;

    if (s->attempt < s->retries) {
        s->attempt++;
        delay_ms = connector_backoff_next(&s->backoff, s->ctx);
        if (retry_after_ms > delay_ms)
            delay_ms = retry_after_ms < HTTP_RETRY_AFTER_MS_MAX ? retry_after_ms : HTTP_RETRY_AFTER_MS_MAX;
        s->due_ms = now_ms + delay_ms;
        connector_warn(&s->warner, s->ctx, "table %s: %s; asked again in %" PRId64 " ms (attempt %d of %" PRId64 ")",
                       s->table, err->text, delay_ms, s->attempt, s->retries);
        return MR_OK;
    }
    if (s->interval_ms < 0) {
        mr_err_context(err, "gave up after %d attempts", s->attempt + 1);
        return MR_IO;
    }
    s->attempt = 0;
    s->backoff.attempt = 0;
    s->due_ms = s->begun_ms + s->interval_ms;
    if (s->due_ms < now_ms + retry_after_ms)
        s->due_ms = now_ms + retry_after_ms;
    if (s->due_ms < now_ms + s->backoff.base_ms)
        s->due_ms = now_ms + s->backoff.base_ms;
    connector_warn(&s->warner, s->ctx, "table %s: %s; goes on in %" PRId64 " ms", s->table, err->text,
                   s->due_ms - now_ms);
    return MR_OK;
}

/* ---- a page ---- */

static void http_record_set(struct connector_source *s, size_t index, struct mr_bytes value)
{
    s->records[index] = (struct connector_record){
        .value = value,
        .key = MR_BYTES_NULL,
        .timestamp_ms = mr_now_ms(s->ctx->env),
        .position = s->position.next,
        .parse_slack = HTTP_SLACK,
    };
}

/* csv and raw: the answer's lines that are not empty. */
static uint32_t http_page_lines(struct connector_source *s, struct mr_bytes body)
{
    size_t count = 0, capacity = 0;

    for (size_t at = 0; at < body.size;) {
        const uint8_t *end = memchr(body.data + at, '\n', body.size - at);
        size_t size = end == NULL ? body.size - at : (size_t)(end - body.data) - at;
        struct mr_bytes line = { body.data + at, size };

        at += size + 1;
        if (line.size > 0 && line.data[line.size - 1] == '\r')
            line.size--;
        if (line.size == 0)
            continue;
        MR_GROW(s->records, count, capacity);
        http_record_set(s, count, line);
        s->records[count++].parse_slack = 0;
    }
    return (uint32_t)count;
}

/* Makes the page's records; an answer in which none can be found becomes one of its raw bytes that says so. */
static uint32_t http_page_split(struct connector_source *s)
{
    struct mr_bytes body, *values = NULL;
    struct mr_err why = MR_ERR_INIT;
    size_t count = 0;
    char url[512];

    memset(mr_writer_reserve(&s->response.body, HTTP_SLACK), 0, HTTP_SLACK);
    body = mr_writer_bytes(&s->response.body);
    mr_free(s->records);
    s->records = NULL;
    if (s->lines)
        return http_page_lines(s, body);
    if (data_json_split(body, mr_str_of(s->pointer), &values, &count, &why) == MR_OK) {
        s->records = mr_calloc(count > 0 ? count : 1, sizeof(*s->records));
        for (size_t i = 0; i < count; i++)
            http_record_set(s, i, values[i]);
        mr_free(values);
        return (uint32_t)count;
    }
    connector_warn(&s->warner, s->ctx, "table %s: GET %s: the answer has no records: %s", s->table,
                   http_url_shown(s, url, sizeof(url)), why.text);
    s->trouble = why;
    mr_err_context(&s->trouble, "the answer has no records at 'json.records' = '%s'", s->pointer);
    s->records = mr_calloc(1, sizeof(*s->records));
    http_record_set(s, 0, body);
    s->records[0].trouble = s->trouble.text;
    return 1;
}

static void http_page_take(struct connector_source *s, struct connector_poll *out)
{
    uint32_t count = http_page_split(s);

    s->attempt = 0;
    s->backoff.attempt = 0;
    s->due_ms = s->interval_ms >= 0 ? s->begun_ms + s->interval_ms : s->begun_ms;
    out->records = s->records;
    out->record_count = count;
    if (count == 0 && s->page_parameter != NULL && s->page_max < 0) {
        /* The end of what there is: with an interval more may come, so the same page is asked for again. */
        s->ended = s->interval_ms < 0;
    } else {
        s->position.last = s->position.next;
        s->position.last_checksum = connector_checksum(MR_BYTES_NULL, mr_writer_bytes(&s->response.body));
        s->position.next++;
    }
    http_position_show(s, out);
    out->ended = http_is_over(s);
}

/* ---- the source ---- */

static void http_source_close(struct connector_source *s)
{
    if (s == NULL)
        return;
    http_client_free(s->client);
    http_response_deinit(&s->response);
    mr_free(s->headers_text);
    mr_free(s->records);
    mr_free(s);
}

static enum mr_status http_source_open(struct connector_source **out, const struct connector_table *table,
                                       const struct connector_context *ctx, const struct connector_position *positions,
                                       uint32_t position_count, struct mr_err *err)
{
    struct connector_source *s = MR_NEW(struct connector_source);
    enum mr_status status;

    s->ctx = ctx;
    s->table = table->name;
    s->backoff = (struct connector_backoff){ .base_ms = 500, .max_ms = 30000 };
    status = http_options_read(s, table, err);
    if (status != MR_OK) {
        http_source_close(s);
        return status;
    }
    s->client = http_client_new();
    s->due_ms = connector_clock_ms(ctx);
    http_resume(s, connector_position_find(positions, position_count, 0));
    *out = s;
    return MR_OK;
}

static enum mr_status http_source_poll(struct connector_source *s, int timeout_ms, uint32_t records_max,
                                       struct connector_poll *out, struct mr_err *err)
{
    int64_t until_ms = connector_clock_ms(s->ctx) + timeout_ms, retry_after_ms = -1;
    struct mr_err cause = MR_ERR_INIT;
    enum mr_status status;

    MR_UNUSED(records_max);
    *out = (struct connector_poll){ 0 };
    if (!s->announced)
        http_position_show(s, out);
    if (http_is_over(s)) {
        out->ended = true;
        return MR_OK;
    }
    if (out->position_count > 0 && s->duration_ms >= 0)
        return MR_OK; /* the scan's beginning is on record before its first request */
    if (s->due_ms > until_ms) {
        status = connector_wait_until(s->ctx, until_ms);
        out->ended = http_is_over(s);
        return status;
    }
    status = connector_wait_until(s->ctx, s->due_ms);
    if (status != MR_OK)
        return status;
    if (http_is_over(s)) {
        out->ended = true;
        return MR_OK;
    }
    if (s->attempt == 0)
        s->begun_ms = connector_clock_ms(s->ctx);
    status = http_ask(s, &retry_after_ms, &cause);
    if (status == MR_OK) {
        http_page_take(s, out);
        return MR_OK;
    }
    if (status == MR_IO)
        status = http_trouble(s, retry_after_ms, &cause);
    if (status != MR_OK && err != NULL)
        *err = cause;
    return status;
}

static const struct connector_option http_option_table[] = {
    { "url", NULL, true, "The URL to GET; http or https." },
    { "json.records", "", false,
      "JSON pointer to the records in the answer, such as '/results'; an array's elements, or the one value there." },
    { "page.parameter", NULL, false,
      "Query parameter that carries the page's number; without it every request is equal." },
    { "page.first", "1", false, "Number of the first page." },
    { "page.max", NULL, false, "Number of the last page; without it a scan ends at an empty page." },
    { "scan.interval", NULL, false, "Time between the starts of two requests; without it: one after the other." },
    { "scan.duration", NULL, false, "The scan ends when this time has passed since it was first started." },
    { "http.timeout", "10 s", false, "Longest time for a whole request." },
    { "http.connect-timeout", "5 s", false, "Longest time to connect." },
    { "http.retries", "5", false,
      "How often a request is repeated after a timeout, a broken connection or status 408, 425, 429 or 5xx." },
    { "http.retry-delay", "500 ms", false,
      "First delay before a repeated request; doubles up to 30 s, with jitter; Retry-After is honoured." },
    { "http.max-bytes", "64 MiB", false, "Largest answer that is taken." },
    { "http.headers", NULL, false, "Headers to send: lines of 'Name: value'." },
    { NULL, NULL, false, NULL },
};

static const struct connector_source_ops http_source_ops = {
    .open = http_source_open,
    .poll = http_source_poll,
    .close = http_source_close,
};

const struct connector connector_http = {
    .name = "http",
    .help = "Reads JSON records from an HTTP API, by page or again and again.",
    .options = http_option_table,
    .source = &http_source_ops,
};

/* randomuser.c -- GET /api/: the parameters of version 1.4, the answer in the wished format, failures on purpose.
 *
 * What a request without seed gets is derived from the server's seed and the request's number, and so is which requests
 * fail and how: a run with the same requests repeats.  As the API does, numbers that can't be read fall back to 1. */
#include "simulate/simulate_int.h"

#include "base/text.h"
#include "http/http.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct simulate_server {
    struct net_loop *loop;    /* borrowed */
    struct http_server *http; /* owned */
    char *seed;               /* owned */
    int64_t latency_ms, slow_ms;
    double fail_percent;
    _Atomic int64_t requests, failures;
    struct delayed *delayed; /* answers that wait */
};

enum failure { FAIL_NOT, FAIL_500, FAIL_CUT, FAIL_SLOW };

/* An answer on its way. */
struct delayed {
    struct simulate_server *server; /* borrowed */
    struct delayed *previous, *next;
    struct http_request *request; /* owned until answered */
    struct net_timer *timer;      /* owned */
    enum failure failure;
    int64_t number;
};

struct query {
    struct simulate_wish wish;
    int64_t results, page;
    char seed[SIMULATE_SEED_BYTES_MAX + 1];
    enum simulate_format format;
    bool no_info;
};

static const char *parameter(struct http_request *request, const char *name)
{
    const char *text = http_request_query(request, name);

    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* Calls FN with each part of the comma list TEXT. */
static bool list_each(const char *text, bool (*fn)(void *arg, struct mr_str part), void *arg)
{
    while (text != NULL) {
        size_t size = strcspn(text, ",");
        if (size > 0 && !fn(arg, (struct mr_str){ text, size }))
            return false;
        text = text[size] ? text + size + 1 : NULL;
    }
    return true;
}

static bool add_place(void *arg, struct mr_str part)
{
    uint32_t *places = arg;

    for (size_t i = 0; i < SIMULATE_PLACES; i++) {
        if (mr_str_equal_nocase(part, mr_str_of(simulate_place_at(i)->nat)))
            *places |= 1u << i;
    }
    return true; /* what it does not know, the API passes over */
}

static bool add_field(void *arg, struct mr_str part)
{
    uint32_t *fields = arg;

    for (size_t i = 0; i < SIMULATE_FIELDS; i++) {
        if (mr_str_equal_nocase(part, mr_str_of(simulate_field_names[i])))
            *fields |= 1u << i;
    }
    return true;
}

/* "upper,lower,8-16": charsets, then a length or a range. */
static bool add_password_part(void *arg, struct mr_str part)
{
    static const char *const sets[][2] = {
        { "special", " !\"#$%&'()*+,- ./:;<=>?@[\\]^_`{|}~" },
        { "upper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
        { "lower", "abcdefghijklmnopqrstuvwxyz" },
        { "number", "0123456789" },
    };
    struct simulate_wish *wish = arg;
    int low;
    int high;

    for (size_t i = 0; i < MR_COUNT(sets); i++) {
        size_t have = strlen(wish->charset);
        if (mr_str_equal_nocase(part, mr_str_of(sets[i][0])) && strstr(wish->charset, sets[i][1]) == NULL) {
            snprintf(wish->charset + have, sizeof(wish->charset) - have, "%s", sets[i][1]);
            return true;
        }
    }
    if (part.data[0] >= '0' && part.data[0] <= '9') {
        int count = sscanf(part.data, "%2d-%2d", &low, &high);
        if (count == 1)
            high = low;
        if (low < 1 || high < low || high > 64)
            return false;
        wish->password_min = low;
        wish->password_max = high;
    }
    return true;
}

static bool read_format(const char *text, enum simulate_format *out)
{
    static const struct {
        const char *name;
        enum simulate_format format;
    } formats[] = { { "json", SIMULATE_JSON }, { "pretty", SIMULATE_PRETTY }, { "prettyjson", SIMULATE_PRETTY },
                    { "csv", SIMULATE_CSV },   { "yaml", SIMULATE_YAML },     { "xml", SIMULATE_XML } };

    for (size_t i = 0; text != NULL && i < MR_COUNT(formats); i++) {
        if (strcasecmp(text, formats[i].name) == 0) {
            *out = formats[i].format;
            return true;
        }
    }
    return text == NULL;
}

static int64_t number_or_one(const char *text, int64_t high)
{
    int64_t number;

    return text != NULL && mr_parse_i64(mr_str_of(text), &number) == MR_OK && number >= 1 && number <= high ? number
                                                                                                            : 1;
}

/* Reads the parameters; the message for {"error": …} or NULL. */
static const char *read_query(struct simulate_server *server, struct http_request *request, int64_t request_number,
                              struct query *query)
{
    const char *format = parameter(request, "format") ? parameter(request, "format") : parameter(request, "fmt");
    const char *gender = parameter(request, "gender");
    const char *seed = parameter(request, "seed");
    uint32_t places = 0;
    uint32_t fields = 0;
    uint32_t without = 0;
    struct simulate_chance chance = simulate_chance_of(mr_str_of(server->seed), (uint64_t)request_number);

    *query = (struct query){ .format = SIMULATE_JSON };
    simulate_wish_init(&query->wish);
    query->results = number_or_one(parameter(request, "results"), SIMULATE_RESULTS_MAX);
    query->page = number_or_one(parameter(request, "page"), SIMULATE_PAGE_MAX);
    if (seed != NULL && strlen(seed) > SIMULATE_SEED_BYTES_MAX)
        return "The seed is too long.";
    if (seed != NULL)
        snprintf(query->seed, sizeof(query->seed), "%s", seed);
    else
        snprintf(query->seed, sizeof(query->seed), "%016" PRIx64, simulate_chance_next(&chance));
    if (!read_format(format, &query->format))
        return "The format is none of json, pretty, csv, yaml, xml.";
    if (gender != NULL)
        query->wish.gender = strcasecmp(gender, "male") == 0 ? 1 : strcasecmp(gender, "female") == 0 ? 2 : 0;
    list_each(parameter(request, "nat"), add_place, &places);
    list_each(parameter(request, "inc"), add_field, &fields);
    list_each(parameter(request, "exc"), add_field, &without);
    if (places != 0)
        query->wish.places = places;
    if (fields != 0)
        query->wish.fields = fields;
    query->wish.fields &= ~without;
    query->wish.password_min = 8;
    query->wish.password_max = 64;
    if (!list_each(parameter(request, "password"), add_password_part, &query->wish))
        return "The password's length is 1 to 64 characters.";
    if (parameter(request, "password") != NULL && query->wish.charset[0] == '\0')
        snprintf(query->wish.charset, sizeof(query->wish.charset), "%s",
                 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    query->no_info = http_request_query(request, "noinfo") != NULL;
    return NULL;
}

static uint64_t person_index(const struct query *query, int64_t i)
{
    return (uint64_t)query->page * SIMULATE_RESULTS_MAX + (uint64_t)i;
}

static void write_csv(const struct query *query, struct mr_writer *out)
{
    for (int64_t i = -1; i < query->results; i++) {
        struct simulate_emit emit = { .format = SIMULATE_CSV, .out = out, .names_only = i < 0 };
        simulate_person_emit(&emit, mr_str_of(query->seed), person_index(query, i < 0 ? 0 : i), &query->wish);
    }
}

static void write_document(const struct query *query, struct mr_writer *out)
{
    struct simulate_emit emit = { .format = query->format, .out = out };

    if (query->format == SIMULATE_XML)
        mr_write_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    simulate_emit_open(&emit, NULL, false);
    simulate_emit_open(&emit, "results", true);
    for (int64_t i = 0; i < query->results; i++)
        simulate_person_emit(&emit, mr_str_of(query->seed), person_index(query, i), &query->wish);
    simulate_emit_close(&emit);
    if (!query->no_info) {
        simulate_emit_open(&emit, "info", false);
        simulate_emit_text(&emit, "seed", query->seed);
        simulate_emit_int(&emit, "results", query->results);
        simulate_emit_int(&emit, "page", query->page);
        simulate_emit_text(&emit, "version", "1.4");
        simulate_emit_close(&emit);
    }
    simulate_emit_close(&emit);
}

static const char *content_type(enum simulate_format format)
{
    switch (format) {
    case SIMULATE_CSV:
        return "text/csv; charset=utf-8";
    case SIMULATE_YAML:
        return "text/x-yaml; charset=utf-8";
    case SIMULATE_XML:
        return "text/xml; charset=utf-8";
    case SIMULATE_JSON:
    case SIMULATE_PRETTY:
        break;
    }
    return "application/json; charset=utf-8";
}

static void answer(struct simulate_server *server, struct http_request *request, int64_t number, enum failure failure)
{
    struct mr_writer body = { 0 };
    struct query query;
    const char *error = read_query(server, request, number, &query);

    if (failure == FAIL_500)
        error = "Uh oh, something has gone wrong. Please try again later.";
    if (error != NULL) {
        mr_write_text(&body, "{\"error\": \"%s\"}", error);
        http_answer(request, failure == FAIL_500 ? 500 : 400, content_type(SIMULATE_JSON), mr_writer_bytes(&body));
    } else {
        if (query.format == SIMULATE_CSV)
            write_csv(&query, &body);
        else
            write_document(&query, &body);
        if (failure == FAIL_CUT)
            http_answer_cut(request, 200, content_type(query.format), mr_writer_bytes(&body), body.size / 2);
        else
            http_answer(request, 200, content_type(query.format), mr_writer_bytes(&body));
    }
    mr_writer_deinit(&body);
}

static void delayed_end(struct delayed *delayed)
{
    if (delayed->previous != NULL)
        delayed->previous->next = delayed->next;
    else
        delayed->server->delayed = delayed->next;
    if (delayed->next != NULL)
        delayed->next->previous = delayed->previous;
    net_timer_free(delayed->timer);
    answer(delayed->server, delayed->request, delayed->number, delayed->failure);
    mr_free(delayed);
}

static void delayed_due(void *arg)
{
    delayed_end(arg);
}

static void handle(struct http_request *request, void *arg)
{
    struct simulate_server *server = arg;
    int64_t number = atomic_fetch_add(&server->requests, 1);
    struct simulate_chance chance = simulate_chance_of(MR_STR("failures"), (uint64_t)number);
    enum failure failure = FAIL_NOT;
    int64_t wait_ms = server->latency_ms;
    struct delayed *delayed;

    chance.state ^= simulate_chance_of(mr_str_of(server->seed), 0).state;
    if ((double)simulate_chance_below(&chance, 1000000) < server->fail_percent * 10000) {
        failure = (enum failure)(FAIL_500 + simulate_chance_below(&chance, 3));
        atomic_fetch_add(&server->failures, 1);
    }
    if (failure == FAIL_SLOW)
        wait_ms += server->slow_ms;
    if (wait_ms <= 0) {
        answer(server, request, number, failure);
        return;
    }
    delayed = MR_NEW(struct delayed);
    *delayed = (struct delayed){ .server = server, .request = request, .failure = failure, .number = number };
    delayed->next = server->delayed;
    if (server->delayed != NULL)
        server->delayed->previous = delayed;
    server->delayed = delayed;
    delayed->timer = net_timer_new(server->loop, wait_ms, 0, delayed_due, delayed);
}

enum mr_status simulate_randomuser_open(struct simulate_server **out, struct net_loop *loop,
                                        const struct simulate_options *options, struct mr_err *err)
{
    static const char *const paths[] = { "/", "/api", "/api/", "/api/1.4", "/api/1.4/" };
    struct http_server_options serving = { .name = "simulate",
                                           .address = options->listen ? options->listen : "127.0.0.1:8000" };
    struct simulate_server *server;
    enum mr_status status;

    if (!(options->fail_percent >= 0 && options->fail_percent <= 100))
        return mr_err_set(err, MR_INVALID, "%g%% of requests can't fail: 0 to 100 are expected", options->fail_percent);
    server = MR_NEW(struct simulate_server);
    server->loop = loop;
    status = http_server_open(&server->http, loop, &serving, err);
    if (status != MR_OK) {
        mr_free(server);
        return status;
    }
    server->seed = mr_strdup(options->seed ? options->seed : "millrace");
    server->latency_ms = options->latency_ms;
    server->slow_ms = options->slow_ms > 0 ? options->slow_ms : 5000;
    server->fail_percent = options->fail_percent;
    for (size_t i = 0; i < MR_COUNT(paths); i++)
        http_server_route(server->http, "GET", paths[i], handle, server);
    *out = server;
    return MR_OK;
}

void simulate_server_close(struct simulate_server *server)
{
    if (server == NULL)
        return;
    while (server->delayed != NULL)
        delayed_end(server->delayed);
    http_server_close(server->http);
    mr_free(server->seed);
    mr_free(server);
}

const char *simulate_server_text(const struct simulate_server *server)
{
    return http_server_text(server->http);
}

int64_t simulate_server_requests(const struct simulate_server *server)
{
    return atomic_load(&server->requests);
}

int64_t simulate_server_failures(const struct simulate_server *server)
{
    return atomic_load(&server->failures);
}

/* test_randomuser.c -- the simulated Random User API: shape, seeds, parameters, postcodes, failures. */
#include "base/map.h"
#include "http/http.h"
#include "simulate/simulate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

/* Every field of a recorded answer of the real API, in its order; s string, i integer, n string or null, p postcode. */
static const char *const shape[] = {
    "gender s",
    "name.title s",
    "name.first s",
    "name.last s",
    "location.street.number i",
    "location.street.name s",
    "location.city s",
    "location.state s",
    "location.country s",
    "location.postcode p",
    "location.coordinates.latitude s",
    "location.coordinates.longitude s",
    "location.timezone.offset s",
    "location.timezone.description s",
    "email s",
    "login.uuid s",
    "login.username s",
    "login.password s",
    "login.salt s",
    "login.md5 s",
    "login.sha1 s",
    "login.sha256 s",
    "dob.date s",
    "dob.age i",
    "registered.date s",
    "registered.age i",
    "phone s",
    "cell s",
    "id.name s",
    "id.value n",
    "picture.large s",
    "picture.medium s",
    "picture.thumbnail s",
    "nat s",
};

static void check_shape(json_t *value, char *path, size_t length, size_t *at)
{
    const char *key;
    json_t *part;
    const char *want;
    char kind;

    if (json_is_object(value)) {
        json_object_foreach(value, key, part)
        {
            int added = snprintf(path + length, 200 - length, "%s%s", length ? "." : "", key);
            check_shape(part, path, length + (size_t)added, at);
        }
        path[length] = '\0';
        return;
    }
    assert_true(*at < MR_COUNT(shape));
    want = shape[(*at)++];
    if (strncmp(want, path, length) != 0 || want[length] != ' ')
        fail_msg("%s instead of %s", path, want);
    kind = want[length + 1];
    assert_true((kind == 's' && json_is_string(value)) || (kind == 'i' && json_is_integer(value)) ||
                (kind == 'n' && (json_is_string(value) || json_is_null(value))) ||
                (kind == 'p' && (json_is_string(value) || json_is_integer(value))));
}

static json_t *person(uint64_t index)
{
    struct mr_writer w = { 0 };
    json_error_t error;
    json_t *value;

    simulate_person_json(MR_STR("test"), index, &w);
    value = json_loadb((char *)w.data, w.size, JSON_REJECT_DUPLICATES, &error);
    if (value == NULL)
        fail_msg("%s in %.*s", error.text, (int)w.size, (char *)w.data);
    mr_writer_deinit(&w);
    return value;
}

static const char *text_of(json_t *value, const char *object, const char *key)
{
    return json_string_value(json_object_get(json_object_get(value, object), key));
}

/* Digits 9, capital letters A, small ones a, others as they are. */
static void form_of(const char *text, char *out)
{
    for (; *text; text++)
        *out++ = *text >= '0' && *text <= '9' ? '9' : *text >= 'A' && *text <= 'Z' ? 'A' : *text;
    *out = '\0';
}

static const struct {
    const char *nat, *form;
} postcodes[] = {
    { "CA", "A9A 9A9" }, { "GB", "AA9 9AA" }, { "IE", "A99 A9A9" }, { "NL", "9999 AA" }, { "NO", "9999" }
};

static void check_postcode(json_t *value)
{
    const char *nat = json_string_value(json_object_get(value, "nat"));
    json_t *postcode = json_object_get(json_object_get(value, "location"), "postcode");

    for (size_t i = 0; i < MR_COUNT(postcodes); i++) {
        char form[64];
        if (strcmp(nat, postcodes[i].nat) != 0)
            continue;
        assert_true(json_is_string(postcode));
        form_of(json_string_value(postcode), form);
        assert_string_equal(form, postcodes[i].form);
        return;
    }
    assert_true(json_is_integer(postcode));
    assert_in_range(json_integer_value(postcode), 1000, 99999);
}

enum { PEOPLE = 20000 };

static void test_people(void **state)
{
    struct mr_map *names = mr_map_new();
    struct mr_map *nats = mr_map_new();
    struct mr_map *uuids = mr_map_new();
    int namesakes = 0;

    MR_UNUSED(state);
    for (uint64_t i = 0; i < PEOPLE; i++) {
        json_t *value = person(i);
        char path[200] = "";
        char name[512];
        const char *email = json_string_value(json_object_get(value, "email"));
        size_t at = 0;

        check_shape(value, path, 0, &at);
        assert_int_equal(at, MR_COUNT(shape));
        check_postcode(value);
        if (strspn(email, "abcdefghijklmnopqrstuvwxyz0123456789.@") != strlen(email) || strstr(email, ".@") != NULL ||
            email[0] == '.')
            fail_msg("%s", email);
        snprintf(name, sizeof(name), "%s %s %s", text_of(value, "name", "title"), text_of(value, "name", "first"),
                 text_of(value, "name", "last"));
        namesakes += mr_map_put_str(names, name, names) != NULL;
        assert_null(mr_map_put_str(uuids, text_of(value, "login", "uuid"), uuids));
        mr_map_put_str(nats, json_string_value(json_object_get(value, "nat")), nats);
        json_decref(value);
    }
    assert_int_equal(mr_map_count(nats), 21);
    assert_in_range(namesakes, PEOPLE / 200, PEOPLE / 20);
    mr_map_free(names);
    mr_map_free(nats);
    mr_map_free(uuids);
}

/* Known bytes: they may never change for a seed, on any machine. */
static void test_same_for_ever(void **state)
{
    struct mr_writer a = { 0 };
    struct mr_writer b = { 0 };
    json_t *value = person(7);

    MR_UNUSED(state);
    simulate_person_json(MR_STR("test"), 7, &a);
    simulate_person_json(MR_STR("test"), 7, &b);
    assert_int_equal(mr_bytes_compare(mr_writer_bytes(&a), mr_writer_bytes(&b)), 0);
    b.size = 0;
    simulate_person_json(MR_STR("test"), 8, &b);
    assert_int_not_equal(mr_bytes_compare(mr_writer_bytes(&a), mr_writer_bytes(&b)), 0);
    assert_string_equal(text_of(value, "login", "uuid"), "1ec51675-d7d0-460c-ae59-53491f3e05e0");
    json_decref(value);
    mr_writer_deinit(&a);
    mr_writer_deinit(&b);
}

/* Neighbours have nothing in common: each year of 20 is as likely as the next. */
static void test_spread(void **state)
{
    int by_age[32] = { 0 };
    int recent[32] = { 0 }; /* among the last 12 people */
    json_int_t window[12] = { 0 };

    MR_UNUSED(state);
    for (uint64_t i = 0; i < 4000; i++) {
        json_t *value = person(i);
        json_int_t age = json_integer_value(json_object_get(json_object_get(value, "registered"), "age"));
        assert_in_range(age, 3, 22);
        by_age[age]++;
        recent[window[i % 12]]--;
        window[i % 12] = age;
        assert_in_range(++recent[age], 0, 6);
        json_decref(value);
    }
    for (int age = 3; age <= 22; age++)
        assert_in_range(by_age[age], 140, 260);
}

/* ---- over HTTP ---- */

struct fixture {
    struct net_loop *loop;
    struct simulate_server *server;
    struct http_client *client;
    struct http_response response;
};

static void fixture_start(struct fixture *f, struct simulate_options options)
{
    *f = (struct fixture){ .client = http_client_new() };
    options.listen = "127.0.0.1:0";
    assert_int_equal(net_loop_new(&f->loop, "simulate", NULL), MR_OK);
    assert_int_equal(simulate_randomuser_open(&f->server, f->loop, &options, NULL), MR_OK);
    net_loop_start(f->loop);
}

static void fixture_stop(struct fixture *f)
{
    http_client_free(f->client);
    http_response_deinit(&f->response);
    net_loop_stop(f->loop);
    simulate_server_close(f->server);
    net_loop_free(f->loop);
}

static enum mr_status get(struct fixture *f, const char *path)
{
    char url[512];
    enum mr_status status;

    snprintf(url, sizeof(url), "http://%s%s", simulate_server_text(f->server), path);
    status = http_client_send(f->client, url, NULL, NULL, &f->response, NULL);
    mr_write_u8(&f->response.body, 0);
    return status;
}

static json_t *get_json(struct fixture *f, const char *path)
{
    json_t *value;

    assert_int_equal(get(f, path), MR_OK);
    assert_int_equal(f->response.status, 200);
    value = json_loads((char *)f->response.body.data, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(value);
    return value;
}

static const struct {
    const char *path;
    int people, page;
    const char *seed;
    const char *nats, *gender; /* all people's; NULL: any */
    size_t fields;             /* of the first person */
} queries[] = {
    { "/api/", 1, 1, NULL, NULL, NULL, 12 },
    { "/", 1, 1, NULL, NULL, NULL, 12 },
    { "/api/1.4/?results=3&seed=abc", 3, 1, "abc", NULL, NULL, 12 },
    { "/api?results=5000&page=2&seed=abc", 5000, 2, "abc", NULL, NULL, 12 },
    { "/api/?results=5001", 1, 1, NULL, NULL, NULL, 12 },
    { "/api/?results=0", 1, 1, NULL, NULL, NULL, 12 },
    { "/api/?results=many&page=-1", 1, 1, NULL, NULL, NULL, 12 },
    { "/api/?results=50&nat=GB", 50, 1, NULL, "GB", NULL, 12 },
    { "/api/?results=50&nat=gb,no,xx", 50, 1, NULL, "GB,NO", NULL, 12 },
    { "/api/?results=50&gender=female", 50, 1, NULL, NULL, "female", 12 },
    { "/api/?results=50&gender=male&nat=ua", 50, 1, NULL, "UA", "male", 12 },
    { "/api/?inc=gender,name,nat", 1, 1, NULL, NULL, NULL, 3 },
    { "/api/?exc=login,picture", 1, 1, NULL, NULL, NULL, 10 },
    { "/api/?inc=gender,name&exc=name", 1, 1, NULL, NULL, NULL, 1 },
    { "/api/?fmt=pretty&results=2", 2, 1, NULL, NULL, NULL, 12 },
    { "/api/?format=PrettyJSON&results=2", 2, 1, NULL, NULL, NULL, 12 },
};

static void test_queries(void **state)
{
    struct fixture f;

    MR_UNUSED(state);
    fixture_start(&f, (struct simulate_options){ 0 });
    for (size_t i = 0; i < MR_COUNT(queries); i++) {
        json_t *value = get_json(&f, queries[i].path);
        json_t *results = json_object_get(value, "results");
        json_t *info = json_object_get(value, "info");
        json_t *one;
        size_t n;

        assert_int_equal(json_array_size(results), queries[i].people);
        assert_int_equal(json_integer_value(json_object_get(info, "results")), queries[i].people);
        assert_int_equal(json_integer_value(json_object_get(info, "page")), queries[i].page);
        assert_string_equal(json_string_value(json_object_get(info, "version")), "1.4");
        if (queries[i].seed != NULL)
            assert_string_equal(json_string_value(json_object_get(info, "seed")), queries[i].seed);
        assert_int_equal(json_object_size(json_array_get(results, 0)), queries[i].fields);
        json_array_foreach(results, n, one)
        {
            if (queries[i].nats != NULL)
                assert_non_null(strstr(queries[i].nats, json_string_value(json_object_get(one, "nat"))));
            if (queries[i].gender != NULL)
                assert_string_equal(json_string_value(json_object_get(one, "gender")), queries[i].gender);
        }
        json_decref(value);
    }
    fixture_stop(&f);
}

static void test_formats_and_errors(void **state)
{
    static const struct {
        const char *path;
        int status;
        const char *type, *contains;
    } cases[] = {
        { "/api/?format=csv&seed=a&results=2", 200, "text/csv",
          "gender,name.title,name.first,name.last,location.street.number," },
        { "/api/?format=yaml&seed=a&results=2", 200, "text/x-yaml", "results:\n" },
        { "/api/?format=xml&seed=a&results=2", 200, "text/xml", "<gender>" },
        { "/api/?noinfo&inc=nat", 200, "application/json", "{\"results\":[{\"nat\":\"" },
        { "/api/?format=toml", 400, "application/json", "{\"error\": \"" },
        { "/api/?password=upper,0", 400, "application/json", "{\"error\": \"" },
        { "/api/?password=upper,8-65", 400, "application/json", "{\"error\": \"" },
        { "/api/9.9/", 404, "application/json", "404" },
    };
    struct fixture f;

    MR_UNUSED(state);
    fixture_start(&f, (struct simulate_options){ 0 });
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        assert_int_equal(get(&f, cases[i].path), MR_OK);
        if (f.response.status != cases[i].status ||
            strncmp(f.response.content_type, cases[i].type, strlen(cases[i].type)) != 0 ||
            strstr((char *)f.response.body.data, cases[i].contains) == NULL)
            fail_msg("%s: %d %s %s", cases[i].path, f.response.status, f.response.content_type,
                     (char *)f.response.body.data);
    }
    fixture_stop(&f);
}

static void test_password(void **state)
{
    struct fixture f;
    json_t *value;
    json_t *one;
    size_t n;

    MR_UNUSED(state);
    fixture_start(&f, (struct simulate_options){ 0 });
    value = get_json(&f, "/api/?results=100&password=upper,number,3-5");
    json_array_foreach(json_object_get(value, "results"), n, one)
    {
        const char *password = text_of(one, "login", "password");
        assert_in_range(strlen(password), 3, 5);
        assert_int_equal(strspn(password, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), strlen(password));
    }
    json_decref(value);
    fixture_stop(&f);
}

/* Two servers with one seed give the same to the same requests; the failing ones too. */
static void test_runs_repeat(void **state)
{
    char *first[60];
    int failed = 0;

    MR_UNUSED(state);
    for (int run = 0; run < 2; run++) {
        struct fixture f;
        fixture_start(&f, (struct simulate_options){ .seed = "s", .fail_percent = 30, .slow_ms = 1 });
        for (size_t i = 0; i < MR_COUNT(first); i++) {
            enum mr_status status = get(&f, "/api/?results=2");
            if (run == 0) {
                first[i] = mr_strdup((char *)f.response.body.data);
                failed += status != MR_OK || f.response.status != 200;
            } else {
                assert_string_equal(first[i], (char *)f.response.body.data);
                mr_free(first[i]);
            }
        }
        assert_int_equal(simulate_server_requests(f.server), MR_COUNT(first));
        assert_in_range(simulate_server_failures(f.server), 9, 30);
        fixture_stop(&f);
    }
    assert_in_range(failed, 3, 29);
}

static void test_options(void **state)
{
    struct net_loop *loop = NULL;
    struct simulate_server *server = NULL;
    struct simulate_options options = { .listen = "127.0.0.1:0", .fail_percent = 101 };

    MR_UNUSED(state);
    assert_int_equal(net_loop_new(&loop, "simulate", NULL), MR_OK);
    assert_int_equal(simulate_randomuser_open(&server, loop, &options, NULL), MR_INVALID);
    options.fail_percent = 0;
    options.listen = "nowhere";
    assert_int_equal(simulate_randomuser_open(&server, loop, &options, NULL), MR_INVALID);
    assert_null(server);
    net_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_people),
        cmocka_unit_test(test_same_for_ever),
        cmocka_unit_test(test_spread),
        cmocka_unit_test(test_queries),
        cmocka_unit_test(test_formats_and_errors),
        cmocka_unit_test(test_password),
        cmocka_unit_test(test_runs_repeat),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

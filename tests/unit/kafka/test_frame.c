/* test_frame.c -- frames, headers, topic names and error codes. */
#include "kafka/errors.h"
#include "kafka/messages.h"
#include "page_end.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

static void test_frame_measure(void **state)
{
    static const struct {
        uint8_t start[5];
        size_t size;
        enum mr_status expect;
        size_t frame_bytes;
    } cases[] = {
        { { 0 }, 0, MR_NEED_MORE, 4 },
        { { 0, 0, 0 }, 3, MR_NEED_MORE, 4 },
        { { 0, 0, 0, 1 }, 4, MR_NEED_MORE, 5 },
        { { 0, 0, 0, 1, 9 }, 5, MR_OK, 5 },
        { { 0, 0, 0, 0 }, 4, MR_INVALID, 0 },
        { { 0, 0, 0, 101 }, 4, MR_INVALID, 0 },
        { { 0, 0, 0, 100 }, 4, MR_NEED_MORE, 104 },
        { { 0xff, 0xff, 0xff, 0xff }, 4, MR_INVALID, 0 },
        { { 'G', 'E', 'T', ' ' }, 4, MR_INVALID, 0 },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        size_t got = 0;
        struct mr_bytes start = at_page_end((struct mr_bytes){ cases[i].start, cases[i].size });

        assert_int_equal(kafka_frame_measure(start, 100, &got), cases[i].expect);
        if (cases[i].expect != MR_INVALID)
            assert_int_equal(got, cases[i].frame_bytes);
    }
}

static void test_request_header(void **state)
{
    static const struct {
        int16_t key, version;
        const char *client;
        size_t bytes;
    } cases[] = {
        { KAFKA_METADATA, 4, "me", 12 },     { KAFKA_METADATA, 9, "me", 13 },    { KAFKA_PRODUCE, 3, NULL, 10 },
        { KAFKA_API_VERSIONS, 3, "me", 13 }, { KAFKA_API_VERSIONS, 99, "", 11 },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct kafka_request_header header = { cases[i].key, cases[i].version, 77, mr_str_of(cases[i].client) };
        struct kafka_request_header back;
        struct mr_writer out = { 0 };
        struct mr_reader in;

        kafka_request_header_write(&header, &out);
        assert_int_equal(out.size, cases[i].bytes);
        in = mr_reader_of(at_page_end(mr_writer_bytes(&out)));
        assert_int_equal(kafka_request_header_read(&back, &in), MR_OK);
        assert_int_equal(mr_reader_left(&in), 0);
        assert_int_equal(back.api_key, header.api_key);
        assert_int_equal(back.api_version, header.api_version);
        assert_int_equal(back.correlation_id, 77);
        assert_true(mr_str_equal(back.client_id, header.client_id));
        for (size_t cut = 0; cut < out.size; cut++) {
            in = mr_reader_of(at_page_end((struct mr_bytes){ out.data, cut }));
            assert_int_equal(kafka_request_header_read(&back, &in), MR_INVALID);
        }
        mr_writer_deinit(&out);
    }
}

static void test_unknown_key(void **state)
{
    static const uint8_t bytes[] = { 0x03, 0xe7, 0, 0, 0, 0, 0, 7, 0, 0 };
    struct mr_reader in = mr_reader_of((struct mr_bytes){ bytes, sizeof(bytes) });
    struct kafka_request_header header;

    MR_UNUSED(state);
    assert_int_equal(kafka_request_header_read(&header, &in), MR_UNSUPPORTED);
    assert_int_equal(header.api_key, 999);
    assert_int_equal(header.correlation_id, 7);
}

/* The answer to ApiVersions keeps the old header: a client reads it before it knows the version. */
static void test_response_header(void **state)
{
    static const struct {
        int16_t key, version;
        size_t bytes;
    } cases[] = { { KAFKA_METADATA, 8, 4 }, { KAFKA_METADATA, 9, 5 }, { KAFKA_API_VERSIONS, 3, 4 } };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct mr_writer out = { 0 };
        struct mr_reader in;
        int32_t id = 0;

        kafka_response_header_write(&out, cases[i].key, cases[i].version, 5);
        assert_int_equal(out.size, cases[i].bytes);
        in = mr_reader_of(mr_writer_bytes(&out));
        assert_int_equal(kafka_response_header_read(&in, cases[i].key, cases[i].version, &id), MR_OK);
        assert_int_equal(id, 5);
        mr_writer_deinit(&out);
    }
}

static void test_topic_names(void **state)
{
    static char long_name[251];
    static const struct {
        const char *name;
        const char *error; /* NULL: legal */
    } cases[] = {
        { "names", NULL },
        { "A.b_c-9", NULL },
        { "...", NULL },
        { "", "Topic name is invalid: the empty string is not allowed" },
        { ".", "Topic name is invalid: '.' is not allowed" },
        { "..", "Topic name is invalid: '..' is not allowed" },
        { "a b", "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', "
                 "'_' and '-'" },
    };

    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct mr_err err = MR_ERR_INIT;
        enum mr_status got = kafka_topic_name_check(mr_str_of(cases[i].name), &err);

        assert_int_equal(got, cases[i].error == NULL ? MR_OK : MR_INVALID);
        if (cases[i].error != NULL)
            assert_string_equal(err.text, cases[i].error);
    }
    memset(long_name, 'x', 250);
    assert_int_equal(kafka_topic_name_check((struct mr_str){ long_name, 249 }, NULL), MR_OK);
    assert_int_equal(kafka_topic_name_check((struct mr_str){ long_name, 250 }, NULL), MR_INVALID);
    assert_true(kafka_topic_names_collide(MR_STR("a.b"), MR_STR("a_b")));
    assert_false(kafka_topic_names_collide(MR_STR("a.b"), MR_STR("a-b")));
    assert_false(kafka_topic_names_collide(MR_STR("a.b"), MR_STR("a.bc")));
}

static void test_errors(void **state)
{
    MR_UNUSED(state);
    /* Each code finds its own row: so the rows rise by one. */
#define CHECK(name, code, retriable, text)                                                                             \
    assert_string_equal(kafka_error_name(code), #name);                                                                \
    assert_string_equal(kafka_error_text(code), text);                                                                 \
    assert_int_equal(kafka_error_is_retriable(code), retriable);
    KAFKA_ERROR_MAP(CHECK)
#undef CHECK
    assert_string_equal(kafka_error_name(-2), "UNKNOWN");
    assert_string_equal(kafka_error_name(9999), "UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame_measure), cmocka_unit_test(test_request_header),
        cmocka_unit_test(test_unknown_key),   cmocka_unit_test(test_response_header),
        cmocka_unit_test(test_topic_names),   cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

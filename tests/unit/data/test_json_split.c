/* test_json_split.c -- the records of an API's answer. */
#include "data_test.h"

static const struct {
    const char *document;
    const char *pointer;
    const char *elements; /* joined with |, or NULL */
    enum mr_status status;
    const char *why;
} cases[] = {
    { "{\"results\":[{\"a\":1}, {\"b\":[2]} ],\"info\":{}}", "/results", "{\"a\":1}|{\"b\":[2]}|", MR_OK, NULL },
    { "{\"results\":[]}", "/results", "", MR_OK, NULL },
    { "[1,\"x\",null]", "", "1|\"x\"|null|", MR_OK, NULL },
    { "{\"a\":1}", "", "{\"a\":1}|", MR_OK, NULL },
    { "{\"a\":{\"b\":[[7],[8,9]]}}", "/a/b/1", "8|9|", MR_OK, NULL },
    { "{\"a/b\":{\"~\":[1]}}", "/a~1b/~0", "1|", MR_OK, NULL },
    { "{\"\\u0061\":[1]}", "/a", "1|", MR_OK, NULL },
    { "{\"\":[5]}", "/", "5|", MR_OK, NULL },
    { "{\"a\":[1],\"a\":[2]}", "/a", "2|", MR_OK, NULL },
    { "{\"a\":{\"x\":1}}", "/a", "{\"x\":1}|", MR_OK, NULL },
    { "{\"error\":\"Uh oh\"}", "/results", NULL, MR_NOT_FOUND, "there is no \"results\" here, only: error" },
    { "{\"a\":[1]}", "/a/1", NULL, MR_NOT_FOUND, "$.a: there is no element 1: the array has 1" },
    { "{\"a\":[1]}", "/a/x", NULL, MR_NOT_FOUND, "not the number" },
    { "{\"a\":1}", "/a/b", NULL, MR_NOT_FOUND, "$.a: there is nothing below" },
    { "{\"a\":1}", "a", NULL, MR_INVALID, "no JSON pointer" },
    { "<html>", "", NULL, MR_INVALID, "not JSON: $: expected an object or an array, found <html>" },
    { "{\"results\":[1,2", "/results", NULL, MR_INVALID, "not JSON" },
    { "{\"results\":[1,2]", "/results", NULL, MR_INVALID, "not JSON: $: expected a comma or }" },
    { "{\"results\":[1],\"x\":tru}", "/results", NULL, MR_INVALID, "not JSON: $.x" },
    { "", "", NULL, MR_INVALID, "empty" },
};

static void test_cases(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct page_end p = page_end_of(cases[i].document, strlen(cases[i].document));
        struct mr_bytes *elements = NULL;
        struct mr_err err = MR_ERR_INIT;
        struct mr_writer w = { 0 };
        size_t count = 0;
        enum mr_status status = data_json_split(p.bytes, mr_str_of(cases[i].pointer), &elements, &count, &err);

        if (status != cases[i].status || (cases[i].why != NULL && strstr(err.text, cases[i].why) == NULL))
            fail_msg("%s %s: %s: %s", cases[i].document, cases[i].pointer, mr_status_text(status), err.text);
        for (size_t n = 0; n < count; n++) {
            assert_true(elements[n].data >= p.bytes.data &&
                        elements[n].data + elements[n].size <= p.bytes.data + p.bytes.size);
            mr_write_bytes(&w, elements[n]);
            mr_write_u8(&w, '|');
        }
        if (cases[i].elements != NULL)
            assert_string_equal(writer_text(&w), cases[i].elements);
        mr_writer_deinit(&w);
        mr_free(elements);
        page_end_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

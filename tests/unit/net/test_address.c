/* test_address.c -- what is an address and what is not. */
#include "net_test.h"

static const struct {
    const char *text;
    int default_port;
    enum mr_status status;
    const char *host;
    int port;
    bool numeric, loopback, any;
} cases[] = {
    { "127.0.0.1:9092", -1, MR_OK, "127.0.0.1", 9092, true, true, false },
    { "127.9.8.7:1", -1, MR_OK, "127.9.8.7", 1, true, true, false },
    { "localhost:0", -1, MR_OK, "localhost", 0, false, true, false },
    { "LocalHost", 80, MR_OK, "LocalHost", 80, false, true, false },
    { "[::1]:9092", -1, MR_OK, "::1", 9092, true, true, false },
    { "[::1]", 7, MR_OK, "::1", 7, true, true, false },
    { "::1", 7, MR_OK, "::1", 7, true, true, false },
    { "[::ffff:127.0.0.1]:5", -1, MR_OK, "::ffff:127.0.0.1", 5, true, true, false },
    { "[::ffff:10.0.0.1]:5", -1, MR_OK, "::ffff:10.0.0.1", 5, true, false, false },
    { "0.0.0.0:65535", -1, MR_OK, "0.0.0.0", 65535, true, false, true },
    { "*:9092", -1, MR_OK, "0.0.0.0", 9092, true, false, true },
    { "[::]:9092", -1, MR_OK, "::", 9092, true, false, true },
    { "10.1.2.3:9092", -1, MR_OK, "10.1.2.3", 9092, true, false, false },
    { "kafka-1.example:9092", -1, MR_OK, "kafka-1.example", 9092, false, false, false },
    { "localhost.example:1", -1, MR_OK, "localhost.example", 1, false, false, false },
    { "127.0.0.1", -1, MR_INVALID },
    { "", 80, MR_INVALID },
    { ":80", -1, MR_INVALID },
    { "a:65536", -1, MR_INVALID },
    { "a:-1", -1, MR_INVALID },
    { "a:+1", -1, MR_INVALID },
    { "a:", -1, MR_INVALID },
    { "a:1x", -1, MR_INVALID },
    { "a:99999999999999999999", -1, MR_INVALID },
    { "[::1:80", -1, MR_INVALID },
    { "[::1]80", -1, MR_INVALID },
    { "[localhost]:80", -1, MR_INVALID },
    { "a b:80", -1, MR_INVALID },
    { "http://a:80", -1, MR_INVALID },
};

static void test_parse(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct net_address a = { .port = -7 };
        struct mr_err err = MR_ERR_INIT;
        enum mr_status status = net_address_parse(cases[i].text, cases[i].default_port, &a, &err);

        if (status != cases[i].status)
            fail_msg("%s: %s", cases[i].text, mr_status_text(status));
        if (status != MR_OK) {
            assert_int_equal(a.port, -7);
            assert_non_null(strstr(err.text, cases[i].text));
            continue;
        }
        assert_string_equal(a.host, cases[i].host);
        assert_int_equal(a.port, cases[i].port);
        if (a.is_numeric != cases[i].numeric || a.is_loopback != cases[i].loopback || a.is_any != cases[i].any)
            fail_msg("%s: numeric %d, loopback %d, any %d", cases[i].text, a.is_numeric, a.is_loopback, a.is_any);
        assert_int_equal(net_address_is_loopback(cases[i].text), cases[i].loopback);
    }
}

static void test_long_host(void **state)
{
    char text[400];
    struct net_address a;

    MR_UNUSED(state);
    memset(text, 'a', sizeof(text));
    snprintf(text + 300, 100, ":80");
    assert_int_equal(net_address_parse(text, -1, &a, NULL), MR_INVALID);
    assert_false(net_address_is_loopback("nonsense::::"));
}

static void test_format(void **state)
{
    char out[NET_ADDRESS_BYTES];

    MR_UNUSED(state);
    net_address_format(out, "::1", 80);
    assert_string_equal(out, "[::1]:80");
    net_address_format(out, "127.0.0.1", 80);
    assert_string_equal(out, "127.0.0.1:80");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_long_host),
        cmocka_unit_test(test_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_config.c -- file, environment and flags over each other; every mistake is named with its place. */
#include "base/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

static const struct mr_option options[] = {
    { "data-dir", "data-dir", 'd', MR_OPTION_TEXT, "DIR", NULL, NULL, "where data lives" },
    { "kafka.listen", "kafka-listen", 0, MR_OPTION_TEXT, "HOST:PORT", "127.0.0.1:9092", NULL, "where Kafka listens" },
    { "durability", "durability", 0, MR_OPTION_CHOICE, NULL, "synced", "synced|relaxed", "when a write is answered" },
    { "ephemeral", "ephemeral", 0, MR_OPTION_FLAG, NULL, "false", NULL, "keep nothing" },
    { "header", "header", 'H', MR_OPTION_LIST, "NAME=VALUE", NULL, NULL, "a header" },
    { "slow.ms", NULL, 0, MR_OPTION_DURATION, NULL, "100", NULL, "what counts as slow" },
};

static void test_each_over_the_one_before(void **state)
{
    struct mr_config *config = mr_config_new(options, MR_COUNT(options));
    struct mr_err err = MR_ERR_INIT;
    char *environment[] = { "HOME=/x", "MILLRACE_KAFKA_LISTEN=env:2", "MILLRACE_SLOW_MS=3 s", NULL };
    char *argv[] = { "run", "--kafka-listen=flag:3", "--ephemeral", "-d", "/data", "--", "--not-a-flag" };
    char *rest[MR_COUNT(argv)];
    int rest_count;
    MR_UNUSED(state);

    assert_int_equal(mr_config_read_yaml(config, MR_STR("kafka:\n  listen: [yaml:1, yaml:2]\ndurability: relaxed\n"),
                                         "millrace.yaml", &err),
                     MR_OK);
    assert_string_equal(mr_config_text(config, "kafka.listen"), "yaml:1,yaml:2");
    assert_string_equal(mr_config_origin(config, "durability"), "millrace.yaml:3");
    assert_int_equal(mr_config_read_environment(config, environment, &err), MR_OK);
    assert_string_equal(mr_config_text(config, "kafka.listen"), "env:2");
    assert_int_equal(mr_config_read_yaml(config, MR_STR("kafka: {listen: late:4}"), "late.yaml", &err), MR_OK);
    assert_string_equal(mr_config_text(config, "kafka.listen"), "env:2");
    assert_int_equal(mr_config_integer(config, "slow.ms"), 3000);
    assert_int_equal(mr_config_read_flags(config, (int)MR_COUNT(argv), argv, rest, &rest_count, &err), MR_OK);
    assert_string_equal(mr_config_text(config, "kafka.listen"), "flag:3");
    assert_string_equal(mr_config_origin(config, "kafka.listen"), "--kafka-listen");
    assert_string_equal(mr_config_text(config, "data-dir"), "/data");
    assert_true(mr_config_flag(config, "ephemeral"));
    assert_int_equal(rest_count, 2);
    assert_string_equal(rest[1], "--not-a-flag");
    mr_config_free(config);
}

static void test_lists_and_attached_values(void **state)
{
    struct mr_config *config = mr_config_new(options, MR_COUNT(options));
    struct mr_err err = MR_ERR_INIT;
    char *environment[] = { "MILLRACE_HEADER=env=0", NULL };
    char *argv[] = { "-Ha=1", "-d/data=x", "--header", "b=2", "--header=c" };
    char *rest[MR_COUNT(argv)];
    int rest_count;
    MR_UNUSED(state);

    assert_int_equal(mr_config_read_environment(config, environment, &err), MR_OK);
    assert_string_equal(mr_config_text(config, "header"), "env=0");
    assert_int_equal(mr_config_read_flags(config, (int)MR_COUNT(argv), argv, rest, &rest_count, &err), MR_OK);
    assert_string_equal(mr_config_text(config, "header"), "a=1\nb=2\nc");
    assert_string_equal(mr_config_text(config, "data-dir"), "/data=x");
    assert_string_equal(mr_config_origin(config, "data-dir"), "-d");
    assert_int_equal(rest_count, 0);
    mr_config_free(config);
}

static void test_mistakes_are_named(void **state)
{
    static const struct {
        const char *yaml;
        const char *expect;
    } cases[] = {
        { "kafka:\n  lisen: x\n", "millrace.yaml:2: unknown setting \"kafka.lisen\"; did you mean \"kafka.listen\"?" },
        { "durability: fast\n", "millrace.yaml:1: \"fast\" is not synced|relaxed (durability)" },
        { "ephemeral: maybe\n", "millrace.yaml:1: \"maybe\" is not true or false (ephemeral)" },
        { "- a\n", "millrace.yaml:1:1: settings are written as \"name: value\", not as a list" },
        { "just text\n", "millrace.yaml:1:1: settings are written as \"name: value\"" },
        { "a: &x 1\nb: *x\n", NULL },
        { "kafka: {listen: [[x]]}\n", "millrace.yaml:1:18: a list may hold plain values only" },
        { "a: [\n", NULL },
        { "\"", NULL },
    };
    char *wrong_flag[] = { "--kafka-lisen", "x" };
    char *no_value[] = { "--data-dir" };
    char *rest[2];
    int rest_count;
    MR_UNUSED(state);

    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct mr_config *config = mr_config_new(options, MR_COUNT(options));
        struct mr_err err = MR_ERR_INIT;

        assert_int_equal(mr_config_read_yaml(config, mr_str_of(cases[i].yaml), "millrace.yaml", &err), MR_INVALID);
        if (cases[i].expect != NULL)
            assert_string_equal(err.text, cases[i].expect);
        mr_config_free(config);
    }
    struct mr_config *config = mr_config_new(options, MR_COUNT(options));
    struct mr_err err = MR_ERR_INIT;

    assert_int_equal(mr_config_read_flags(config, 2, wrong_flag, rest, &rest_count, &err), MR_INVALID);
    assert_string_equal(err.text, "unknown option --kafka-lisen; did you mean --kafka-listen?");
    assert_int_equal(mr_config_read_flags(config, 1, no_value, rest, &rest_count, &err), MR_INVALID);
    assert_string_equal(err.text, "--data-dir wants a value: --data-dir DIR");
    mr_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_over_the_one_before),
        cmocka_unit_test(test_lists_and_attached_values),
        cmocka_unit_test(test_mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

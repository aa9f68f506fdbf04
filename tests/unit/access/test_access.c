/* Which passwords are accepted from where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "access/access.h"

static const struct {
    const char *name;
    const char *user, *password;
    bool loopback, open;
    enum mr_status expect;
} cases[] = {
    { "default user on loopback", "cassandra", "cassandra", true, false, MR_OK },
    { "default user from elsewhere", "cassandra", "cassandra", false, false, MR_DENIED },
    { "default user from elsewhere, all open", "cassandra", "cassandra", false, true, MR_OK },
    { "wrong password", "cassandra", "cassandrA", true, false, MR_DENIED },
    { "prefix of the password", "cassandra", "cass", true, false, MR_DENIED },
    { "the password twice", "cassandra", "cassandracassandra", true, true, MR_DENIED },
    { "empty password", "cassandra", "", true, true, MR_DENIED },
    { "unknown user", "alice", "cassandra", true, true, MR_DENIED },
    { "empty user", "", "cassandra", true, true, MR_DENIED },
};

static void test_check_password(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_COUNT(cases); i++) {
        struct access *access = access_new(&(struct access_options){ .open = cases[i].open });
        enum mr_status got =
            access_check_password(access, mr_str_of(cases[i].user), mr_str_of(cases[i].password), cases[i].loopback);
        if (got != cases[i].expect)
            fail_msg("%s: got %s", cases[i].name, mr_status_text(got));
        assert_false(access_has_users(access));
        access_free(access);
    }
}

static void test_null_and_long(void **state)
{
    static char long_text[ACCESS_PASSWORD_BYTES_MAX + 1];
    struct access *access = access_new(&(struct access_options){ .open = true });

    MR_UNUSED(state);
    assert_int_equal(access_check_password(access, MR_STR_NULL, MR_STR_NULL, true), MR_DENIED);
    assert_int_equal(
        access_check_password(access, MR_STR("cassandra"), (struct mr_str){ long_text, sizeof(long_text) }, true),
        MR_DENIED);
    access_free(access);
    access_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_password),
        cmocka_unit_test(test_null_and_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* access.c -- the default user.
 *
 * Invariant: the default user is refused to a peer that is not on loopback, unless everything is open; so a server that
 * listens to the world never accepts a password that everybody knows. */
#include "access/access.h"

struct access {
    bool open;
};

static const struct mr_str default_name = { "cassandra", 9 };
static const struct mr_str default_password = { "cassandra", 9 };

/* Looks at every byte of GIVEN whatever the ones before were, so that the time tells nothing about EXPECT. */
static bool equal_constant_time(struct mr_str given, struct mr_str expect)
{
    volatile uint8_t difference = given.size != expect.size;
    size_t i;

    for (i = 0; i < given.size; i++)
        difference |= (uint8_t)given.data[i] ^ (uint8_t)expect.data[i % expect.size];
    return difference == 0;
}

struct access *access_new(const struct access_options *options)
{
    struct access *access = MR_NEW(struct access);

    access->open = options->open;
    return access;
}

void access_free(struct access *access)
{
    mr_free(access);
}

bool access_has_users(const struct access *access)
{
    assert(access != NULL);
    return false;
}

bool access_is_open(const struct access *access)
{
    return access->open;
}

enum mr_status access_check_password(const struct access *access, struct mr_str user, struct mr_str password,
                                     bool peer_is_loopback)
{
    bool name_right, password_right;

    if (user.size > ACCESS_NAME_BYTES_MAX || password.size > ACCESS_PASSWORD_BYTES_MAX)
        return MR_DENIED;
    name_right = equal_constant_time(user, default_name);
    password_right = equal_constant_time(password, default_password);
    if (!(name_right & password_right))
        return MR_DENIED;
    return peer_is_loopback || access->open ? MR_OK : MR_DENIED;
}

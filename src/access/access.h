/* access.h -- who may log in.  Keeps users and their credentials; knows no network.
 *
 * Now it knows one user: cassandra, password cassandra, who exists only while no other user was made, and only for
 * peers on loopback or under `security: open`.  SCRAM keys, roles and grants come beside it. Threads: a struct access
 * is read-only after access_new, so every function is [any]. */
#ifndef MR_ACCESS_H
#define MR_ACCESS_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum access_limit { ACCESS_NAME_BYTES_MAX = 255, ACCESS_PASSWORD_BYTES_MAX = 1024 };

struct access;

struct access_options {
    bool open; /* security: open -- the default user is good for every peer */
};

/* Users as OPTIONS say; caller owns: access_free. */
struct access *access_new(const struct access_options *options);
void access_free(struct access *access); /* NULL is legal */
/* Was a user made?  The default one does not count. [any] */
bool access_has_users(const struct access *access);
/* security: open? [any] */
bool access_is_open(const struct access *access);
/* MR_OK when PASSWORD is USER's and the peer may use it, else MR_DENIED, without saying which of both was wrong; takes
 * the same time for every user and password of the same size. [any] */
MR_MUST_CHECK enum mr_status access_check_password(const struct access *access, struct mr_str user,
                                                   struct mr_str password, bool peer_is_loopback);

#ifdef __cplusplus
}
#endif
#endif

/* target.h -- the server that a command talks to: named by a flag, else found through server.json in the data
 * directory. */
#ifndef MAIN_TARGET_H
#define MAIN_TARGET_H

#include "base/base.h"
#include "base/config.h"
#include "main/server_file.h"

/* Rows of a command's option table. */
#define TARGET_DATA_DIR_OPTION                                                                                         \
    {                                                                                                                  \
        "data-dir", "data-dir", 0, MR_OPTION_TEXT, "DIR", NULL, NULL,                                                  \
            "the server's data directory, or its project; else .millrace here, else the user's data folder"            \
    }
#define TARGET_KAFKA_OPTIONS                                                                                           \
    TARGET_DATA_DIR_OPTION,                                                                                            \
        { "kafka",     "kafka", 'b',  MR_OPTION_TEXT,                                                                  \
          "HOST:PORT", NULL,    NULL, "talk to this Kafka; several addresses are joined by commas" },                  \
    {                                                                                                                  \
        "property", "property", 'X', MR_OPTION_LIST, "NAME=VALUE", NULL, NULL,                                         \
            "a setting of librdkafka, such as sasl.username; may come several times"                                   \
    }
#define TARGET_CQL_OPTIONS                                                                                             \
    TARGET_DATA_DIR_OPTION,                                                                                            \
    {                                                                                                                  \
        "cassandra", "cassandra", 0, MR_OPTION_TEXT, "HOST:PORT", NULL, NULL,                                          \
            "talk to this Cassandra; several addresses are joined by commas"                                           \
    }
#define TARGET_HTTP_OPTIONS                                                                                            \
    TARGET_DATA_DIR_OPTION,                                                                                            \
    {                                                                                                                  \
        "server", "server", 0, MR_OPTION_TEXT, "HOST:PORT", NULL, NULL, "talk to the server whose HTTP is there"       \
    }

enum target_part { TARGET_KAFKA, TARGET_CQL, TARGET_HTTP };

enum { TARGET_ADDRESS_BYTES = 1024 };

struct target {
    char address[TARGET_ADDRESS_BYTES]; /* of the part that was asked for */
    bool named;                         /* by a flag: SERVER is empty */
    struct server_file server;
};

/* Where PART is; CONFIG has the rows above for it.  The data directory is --data-dir, else MILLRACE_DATA_DIR, else
 * .millrace here, else the user's data folder; a project's folder stands for the .millrace in it.
 * MR_NOT_FOUND  no flag names it and no server runs, or the server does not have it */
MR_MUST_CHECK enum mr_status target_find(const struct mr_config *config, enum target_part part, struct target *out,
                                         struct mr_err *err);

#endif

/* settings.h -- the settings of the servers, for `millrace run`, `millrace sql` and millrace.yaml. */
#ifndef MAIN_SETTINGS_H
#define MAIN_SETTINGS_H

#include "base/base.h"
#include "base/config.h"

/* Fills what flags left unset: PROJECT/millrace.yaml (when PROJECT is not NULL and has one) and MILLRACE_… variables
 * under the flags that CONFIG already has.  CONFIG's table must have the rows of SETTINGS_TABLE.
 * MR_INVALID  with the place of what is wrong */
MR_MUST_CHECK enum mr_status settings_complete(struct mr_config *config, const char *project, struct mr_err *err);

/* Sets up logging as the settings log.level and log.format say. */
void settings_apply_logging(const struct mr_config *config);

/* The rows of the option table that every command which may start servers shares. */
#define SETTINGS_TABLE                                                                                                 \
    { "data-dir", "data-dir", 0,    MR_OPTION_TEXT,                                                                    \
      "DIR",      NULL,       NULL, "where data lives; else .millrace in the project, else the user's data folder" },  \
        { "kafka.listen",  "kafka-listen",   0,    MR_OPTION_TEXT,                                                     \
          "HOST:PORT,...", "127.0.0.1:9092", NULL, "where the log speaks Kafka; port 0: any free one" },               \
        { "kafka.advertise",                                                                                           \
          "kafka-advertise",                                                                                           \
          0,                                                                                                           \
          MR_OPTION_TEXT,                                                                                              \
          "HOST:PORT,...",                                                                                             \
          NULL,                                                                                                        \
          NULL,                                                                                                        \
          "what Kafka clients are told to connect to, one for each address of kafka.listen, "                          \
          "for a port forward; -: the address that the client came in on" },                                           \
        { "replication.factor.policy",                                                                                 \
          "replication-factor-policy",                                                                                 \
          0,                                                                                                           \
          MR_OPTION_CHOICE,                                                                                            \
          NULL,                                                                                                        \
          "clamp",                                                                                                     \
          "clamp|reject",                                                                                              \
          "a topic asked for with more than one replica: make it with one and warn, or refuse it" },                   \
        { "group.initial.rebalance.delay.ms",                                                                          \
          NULL,                                                                                                        \
          0,                                                                                                           \
          MR_OPTION_INTEGER,                                                                                           \
          "MS",                                                                                                        \
          "0",                                                                                                         \
          NULL,                                                                                                        \
          "how long the first member of a consumer group waits for others" },                                          \
        { "group.min.session.timeout.ms",                                                                              \
          NULL,                                                                                                        \
          0,                                                                                                           \
          MR_OPTION_INTEGER,                                                                                           \
          "MS",                                                                                                        \
          "6000",                                                                                                      \
          NULL,                                                                                                        \
          "the shortest session that a member of a consumer group may ask for" },                                      \
        { "offsets.retention.minutes",                                                                                 \
          NULL,                                                                                                        \
          0,                                                                                                           \
          MR_OPTION_INTEGER,                                                                                           \
          "N",                                                                                                         \
          "10080",                                                                                                     \
          NULL,                                                                                                        \
          "how long the offsets of a consumer group without members are kept" },                                       \
        { "cql.listen", "cql-listen",     0,    MR_OPTION_TEXT,                                                        \
          "HOST:PORT",  "127.0.0.1:9042", NULL, "where the tables speak CQL" },                                        \
        { "http.listen", "http-listen",    0,    MR_OPTION_TEXT,                                                       \
          "HOST:PORT",   "127.0.0.1:8080", NULL, "where status and metrics are" },                                     \
        { "http.hosts", NULL, 0,    MR_OPTION_TEXT,                                                                    \
          "NAMES",      NULL, NULL, "further names, joined by commas, that the Host of an HTTP request may have" },    \
        { "kafka.external", "kafka", 0,    MR_OPTION_TEXT,                                                             \
          "HOST:PORT",      NULL,    NULL, "use this Kafka instead of the embedded log" },                             \
        { "cassandra.external", "cassandra", 0,    MR_OPTION_TEXT,                                                     \
          "HOST:PORT",          NULL,        NULL, "use this Cassandra instead of the embedded tables" },              \
        { "durability",                                                                                                \
          "durability",                                                                                                \
          0,                                                                                                           \
          MR_OPTION_CHOICE,                                                                                            \
          NULL,                                                                                                        \
          "synced",                                                                                                    \
          "synced|relaxed",                                                                                            \
          "answer writes when they are on disk, or when the system has them (synced each second)" },                   \
        { "security",                                                                                                  \
          "security",                                                                                                  \
          0,                                                                                                           \
          MR_OPTION_CHOICE,                                                                                            \
          NULL,                                                                                                        \
          "closed",                                                                                                    \
          "closed|open",                                                                                               \
          "open: let everyone in, also from other machines" },                                                         \
        { "dags.keep-runs",                                                                                            \
          NULL,                                                                                                        \
          0,                                                                                                           \
          MR_OPTION_INTEGER,                                                                                           \
          "N",                                                                                                         \
          "1000",                                                                                                      \
          NULL,                                                                                                        \
          "how many ended runs of a DAG are kept, with their logs" },                                                  \
        { "dags.keep-for", NULL, 0, MR_OPTION_DURATION, "TIME", "90 d", NULL, "and how long; 0: for ever" },           \
        { "log.level",                                                                                                 \
          "log-level",                                                                                                 \
          0,                                                                                                           \
          MR_OPTION_CHOICE,                                                                                            \
          NULL,                                                                                                        \
          "warn",                                                                                                      \
          "debug|info|warn|error|off",                                                                                 \
          "what is logged to standard error" },                                                                        \
    {                                                                                                                  \
        "log.format", "log-format", 0, MR_OPTION_CHOICE, NULL, "logfmt", "logfmt|json", "how it is written"            \
    }

#endif

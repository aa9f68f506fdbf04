/* topic_configs.c -- the topic configurations that Kafka knows, and what their values may be. */
#include "broker/broker_int.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum config_kind { CONFIG_LONG, CONFIG_INT, CONFIG_DOUBLE, CONFIG_BOOL, CONFIG_TEXT };

static const struct broker_topic_config configs[] = {
    { "cleanup.policy", "delete" },
    { "compression.gzip.level", "-1" },
    { "compression.lz4.level", "9" },
    { "compression.type", "producer" },
    { "compression.zstd.level", "3" },
    { "delete.retention.ms", "86400000" },
    { "file.delete.delay.ms", "60000" },
    { "flush.messages", "9223372036854775807" },
    { "flush.ms", "9223372036854775807" },
    { "follower.replication.throttled.replicas", "" },
    { "index.interval.bytes", "4096" },
    { "leader.replication.throttled.replicas", "" },
    { "local.retention.bytes", "-2" },
    { "local.retention.ms", "-2" },
    { "max.compaction.lag.ms", "9223372036854775807" },
    { "max.message.bytes", "1048588" },
    { "message.timestamp.after.max.ms", "3600000" },
    { "message.timestamp.before.max.ms", "9223372036854775807" },
    { "message.timestamp.type", "CreateTime" },
    { "min.cleanable.dirty.ratio", "0.5" },
    { "min.compaction.lag.ms", "0" },
    { "min.insync.replicas", "1" },
    { "preallocate", "false" },
    { "remote.storage.enable", "false" },
    { "retention.bytes", "-1" },
    { "retention.ms", "604800000" },
    { "segment.bytes", "1073741824" },
    { "segment.index.bytes", "10485760" },
    { "segment.jitter.ms", "0" },
    { "segment.ms", "604800000" },
    { "unclean.leader.election.enable", "false" },
};

/* Rules by name, in the order of configs; LOW and HIGH bound numbers, TEXTS lists what a text may be (NULL: anything).
 */
static const struct config_rule {
    enum config_kind kind;
    int64_t low;
    int64_t high;
    const char *texts;
} rules[] = {
    { CONFIG_TEXT, 0, 0, "delete compact compact,delete delete,compact" },
    { CONFIG_INT, -1, 9, NULL },
    { CONFIG_INT, 1, 17, NULL },
    { CONFIG_TEXT, 0, 0, "uncompressed zstd lz4 snappy gzip producer" },
    { CONFIG_INT, -131072, 22, NULL },
    { CONFIG_LONG, 0, INT64_MAX, NULL },
    { CONFIG_LONG, 0, INT64_MAX, NULL },
    { CONFIG_LONG, 1, INT64_MAX, NULL },
    { CONFIG_LONG, 0, INT64_MAX, NULL },
    { CONFIG_TEXT, 0, 0, NULL },
    { CONFIG_INT, 0, INT32_MAX, NULL },
    { CONFIG_TEXT, 0, 0, NULL },
    { CONFIG_LONG, -2, INT64_MAX, NULL },
    { CONFIG_LONG, -2, INT64_MAX, NULL },
    { CONFIG_LONG, 1, INT64_MAX, NULL },
    { CONFIG_INT, 0, INT32_MAX, NULL },
    { CONFIG_LONG, 0, INT64_MAX, NULL },
    { CONFIG_LONG, 0, INT64_MAX, NULL },
    { CONFIG_TEXT, 0, 0, "CreateTime LogAppendTime" },
    { CONFIG_DOUBLE, 0, 1, NULL },
    { CONFIG_LONG, 0, INT64_MAX, NULL },
    { CONFIG_INT, 1, INT32_MAX, NULL },
    { CONFIG_BOOL, 0, 0, NULL },
    { CONFIG_BOOL, 0, 0, NULL },
    { CONFIG_LONG, INT64_MIN, INT64_MAX, NULL },
    { CONFIG_LONG, -1, INT64_MAX, NULL },
    { CONFIG_INT, 1024 * 1024, INT32_MAX, NULL },
    { CONFIG_INT, 4, INT32_MAX, NULL },
    { CONFIG_LONG, 0, INT64_MAX, NULL },
    { CONFIG_LONG, 1, INT64_MAX, NULL },
    { CONFIG_BOOL, 0, 0, NULL },
};
_Static_assert(MR_COUNT(rules) == MR_COUNT(configs), "a rule for each configuration");

const struct broker_topic_config *broker_topic_configs(size_t *count)
{
    *count = MR_COUNT(configs);
    return configs;
}

static enum mr_status value_refuse(const char *name, struct mr_str value, const char *why, struct mr_err *err)
{
    return mr_err_set(err, MR_INVALID, "Invalid value %.*s for configuration %s: %s",
                      (int)(value.size < 200 ? value.size : 200), value.data, name, why);
}

static enum mr_status number_check(const char *name, struct mr_str value, const struct config_rule *rule,
                                   struct mr_err *err)
{
    const char *type = rule->kind == CONFIG_INT ? "Not a number of type INT" : "Not a number of type LONG";
    bool is_int_only = rule->kind == CONFIG_INT;
    char why[96];
    int64_t number;

    if (mr_parse_i64(value, &number) != MR_OK || (is_int_only && (number > INT32_MAX || number < INT32_MIN)))
        return value_refuse(name, value, type, err);
    if (number >= rule->low && number <= rule->high)
        return MR_OK;
    if (number < rule->low)
        snprintf(why, sizeof(why), "Value must be at least %" PRId64, rule->low);
    else
        snprintf(why, sizeof(why), "Value must be no more than %" PRId64, rule->high);
    return value_refuse(name, value, why, err);
}

/* Is VALUE one of the words of TEXTS? */
static bool text_is_listed(const char *texts, struct mr_str value)
{
    for (const char *at = texts; *at != '\0';) {
        size_t size = strcspn(at, " ");

        if (mr_str_equal((struct mr_str){ at, size }, value))
            return true;
        at += size + strspn(at + size, " ");
    }
    return false;
}

static enum mr_status value_check(const char *name, struct mr_str value, const struct config_rule *rule,
                                  struct mr_err *err)
{
    double ratio;

    switch (rule->kind) {
    case CONFIG_LONG:
    case CONFIG_INT:
        return number_check(name, value, rule, err);
    case CONFIG_DOUBLE:
        if (mr_parse_f64(value, &ratio) != MR_OK)
            return value_refuse(name, value, "Not a number of type DOUBLE", err);
        if (ratio < (double)rule->low || ratio > (double)rule->high)
            return value_refuse(name, value, "Value must be between 0 and 1", err);
        return MR_OK;
    case CONFIG_BOOL:
        if (!mr_str_equal_nocase(value, MR_STR("true")) && !mr_str_equal_nocase(value, MR_STR("false")))
            return value_refuse(name, value, "Expected value to be either true or false", err);
        return MR_OK;
    case CONFIG_TEXT:
        if (rule->texts != NULL && !text_is_listed(rule->texts, value))
            return value_refuse(name, value, "not one of the values it may have", err);
        return MR_OK;
    }
    return MR_OK;
}

enum mr_status broker_topic_config_check(struct mr_str name, struct mr_str value, struct mr_err *err)
{
    for (size_t i = 0; i < MR_COUNT(configs); i++) {
        if (!mr_str_equal(name, mr_str_of(configs[i].name)))
            continue;
        if (value.data == NULL)
            return mr_err_set(err, MR_INVALID, "Null value not supported for topic configs: %s", configs[i].name);
        return value_check(configs[i].name, value, &rules[i], err);
    }
    return mr_err_set(err, MR_INVALID, "Unknown topic config name: %.*s", (int)(name.size < 200 ? name.size : 200),
                      name.data);
}

/* topic_configs.c -- the topic configurations that Kafka 4.3 knows, what their values may be, and what they do here.
 *
 * Every one of them is stored and shown as Kafka would; the documentation that describe shows says which have no effect
 * in this version.  A value is stored in its plain form: numbers without blanks, booleans in small letters, lists
 * without blanks and repetitions.
 * Tested by: tests/unit/broker/test_handlers.c, tests/accept/test_admin.py */
#include "broker/broker_int.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define ANY_LONG  INT64_MIN, INT64_MAX
#define FROM(low) (low), INT64_MAX
#define NO_RANGE  0, 0
#define UNUSED    " Stored and shown; it has no effect in this version."

/* By name.  LOW and HIGH bound a number; WORDS lists what a text or an item of a list may be (NULL: anything). */
static const struct broker_topic_config configs[] = {
    { "cleanup.policy", "delete", "log.cleanup.policy", BROKER_CONFIG_LIST, NO_RANGE, "compact, delete",
      "What becomes of old records: delete, compact, or both. Stored and shown; this version neither compacts nor "
      "removes by time or size: nothing is removed but by DeleteRecords and DeleteTopics." },
    { "compression.gzip.level", "-1", "compression.gzip.level", BROKER_CONFIG_INT, FROM(-1), NULL,
      "Level of gzip when the server compresses." UNUSED },
    { "compression.lz4.level", "9", "compression.lz4.level", BROKER_CONFIG_INT, 1, 17, NULL,
      "Level of lz4 when the server compresses." UNUSED },
    { "compression.type", "producer", "compression.type", BROKER_CONFIG_STRING, NO_RANGE,
      "uncompressed, zstd, lz4, snappy, gzip, producer",
      "Compression of stored batches. Stored and shown; batches always stay as the producer sent them." },
    { "compression.zstd.level", "3", "compression.zstd.level", BROKER_CONFIG_INT, -131072, 22, NULL,
      "Level of zstd when the server compresses." UNUSED },
    { "delete.retention.ms", "86400000", "log.cleaner.delete.retention.ms", BROKER_CONFIG_LONG, FROM(0), NULL,
      "How long compaction keeps tombstones." UNUSED },
    { "file.delete.delay.ms", "60000", "log.segment.delete.delay.ms", BROKER_CONFIG_LONG, FROM(0), NULL,
      "How long a removed segment's file stays. Stored and shown; files are removed at once." },
    { "flush.messages", "9223372036854775807", "log.flush.interval.messages", BROKER_CONFIG_LONG, FROM(1), NULL,
      "Sync after this many messages. Stored and shown; every acknowledged batch is synced (see durability)." },
    { "flush.ms", "9223372036854775807", NULL, BROKER_CONFIG_LONG, FROM(0), NULL,
      "Sync after this time. Stored and shown; every acknowledged batch is synced (see durability)." },
    { "follower.replication.throttled.replicas", "", NULL, BROKER_CONFIG_LIST, NO_RANGE, BROKER_CONFIG_REPLICAS,
      "Replicas whose copying is slowed down, as partition:broker. Stored and shown; there is one replica." },
    { "index.interval.bytes", "4096", "log.index.interval.bytes", BROKER_CONFIG_INT, FROM(0), NULL,
      "An index entry at most every so many bytes. Stored and shown; it is always 4096." },
    { "leader.replication.throttled.replicas", "", NULL, BROKER_CONFIG_LIST, NO_RANGE, BROKER_CONFIG_REPLICAS,
      "Replicas whose copying is slowed down, as partition:broker. Stored and shown; there is one replica." },
    { "local.retention.bytes", "-2", "log.local.retention.bytes", BROKER_CONFIG_LONG, FROM(-2), NULL,
      "Bytes kept locally when segments are tiered." UNUSED },
    { "local.retention.ms", "-2", "log.local.retention.ms", BROKER_CONFIG_LONG, FROM(-2), NULL,
      "Time kept locally when segments are tiered." UNUSED },
    { "max.compaction.lag.ms", "9223372036854775807", "log.cleaner.max.compaction.lag.ms", BROKER_CONFIG_LONG, FROM(1),
      NULL, "How long a record may stay uncompacted." UNUSED },
    { BROKER_CONFIG_MESSAGE_BYTES, "1048588", "message.max.bytes", BROKER_CONFIG_INT, FROM(0), NULL,
      "The largest record batch that is taken, in bytes, as it is sent." },
    { "message.timestamp.after.max.ms", "3600000", "log.message.timestamp.after.max.ms", BROKER_CONFIG_LONG, FROM(0),
      NULL, "How far a record may be dated ahead. Stored and shown; it is always an hour." },
    { "message.timestamp.before.max.ms", "9223372036854775807", "log.message.timestamp.before.max.ms",
      BROKER_CONFIG_LONG, FROM(0), NULL, "How far a record may be dated back." UNUSED },
    { "message.timestamp.type", "CreateTime", "log.message.timestamp.type", BROKER_CONFIG_STRING, NO_RANGE,
      "CreateTime, LogAppendTime", "Whose time a record has. Stored and shown; records keep the producer's time." },
    { "min.cleanable.dirty.ratio", "0.5", "log.cleaner.min.cleanable.ratio", BROKER_CONFIG_DOUBLE, 0, 1, NULL,
      "How much of a log must be uncompacted before it is compacted." UNUSED },
    { "min.compaction.lag.ms", "0", "log.cleaner.min.compaction.lag.ms", BROKER_CONFIG_LONG, FROM(0), NULL,
      "How long a record stays uncompacted at least." UNUSED },
    { "min.insync.replicas", "1", "min.insync.replicas", BROKER_CONFIG_INT, FROM(1), NULL,
      "Replicas that must have a batch before acks=all is answered. Stored and shown; there is one replica." },
    { "preallocate", "false", "log.preallocate", BROKER_CONFIG_BOOLEAN, NO_RANGE, NULL,
      "Give a new segment its whole file at once." UNUSED },
    { "remote.log.copy.disable", "false", NULL, BROKER_CONFIG_BOOLEAN, NO_RANGE, NULL,
      "Tier no more segments." UNUSED },
    { "remote.log.delete.on.disable", "false", NULL, BROKER_CONFIG_BOOLEAN, NO_RANGE, NULL,
      "Remove tiered segments when tiering ends." UNUSED },
    { BROKER_CONFIG_REMOTE, "false", NULL, BROKER_CONFIG_BOOLEAN, NO_RANGE, NULL,
      "Tier segments to remote storage; there is none here, so it can't be true." },
    { "retention.bytes", "-1", "log.retention.bytes", BROKER_CONFIG_LONG, ANY_LONG, NULL,
      "Bytes of a partition to keep, with cleanup.policy=delete. Stored and shown; this version removes nothing by "
      "size." },
    { "retention.ms", "604800000", NULL, BROKER_CONFIG_LONG, FROM(-1), NULL,
      "How long records are kept, with cleanup.policy=delete. Stored and shown; this version removes nothing by "
      "time." },
    { "segment.bytes", "1073741824", "log.segment.bytes", BROKER_CONFIG_INT, FROM(1024 * 1024), NULL,
      "Size of a segment file at which the next one is begun; at most 1 GiB is used." },
    { "segment.index.bytes", "10485760", "log.index.size.max.bytes", BROKER_CONFIG_INT, FROM(4), NULL,
      "Size of a segment's index. Stored and shown; an index is as long as it must be." },
    { "segment.jitter.ms", "0", NULL, BROKER_CONFIG_LONG, FROM(0), NULL,
      "Spread of the time at which segments are ended." UNUSED },
    { "segment.ms", "604800000", NULL, BROKER_CONFIG_LONG, FROM(1), NULL,
      "Time after which the next segment is begun." UNUSED },
    { "unclean.leader.election.enable", "false", "unclean.leader.election.enable", BROKER_CONFIG_BOOLEAN, NO_RANGE,
      NULL, "May a replica that is behind become leader. Stored and shown; there is one replica." },
};

const struct broker_topic_config *broker_topic_configs(size_t *count)
{
    *count = MR_COUNT(configs);
    return configs;
}

const struct broker_topic_config *broker_topic_config_find(struct mr_str name)
{
    for (size_t i = 0; i < MR_COUNT(configs); i++)
        if (mr_str_equal(name, mr_str_of(configs[i].name)))
            return &configs[i];
    return NULL;
}

const char *broker_topic_config_default(const struct broker *broker, const struct broker_topic_config *config,
                                        struct mr_arena *arena)
{
    if (strcmp(config->name, BROKER_CONFIG_MESSAGE_BYTES) == 0)
        return mr_arena_printf(arena, "%d", (int)broker->message_bytes_max);
    return config->default_value;
}

/* ---- one value ---- */

static enum mr_status value_refuse(const char *name, struct mr_str value, const char *why, struct mr_err *err)
{
    return mr_err_set(err, MR_INVALID, "Invalid value %.*s for configuration %s: %s",
                      (int)(value.size < 200 ? value.size : 200), value.data, name, why);
}

static struct mr_str str_trim(struct mr_str s)
{
    while (s.size > 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.size--;
    }
    while (s.size > 0 && (s.data[s.size - 1] == ' ' || s.data[s.size - 1] == '\t'))
        s.size--;
    return s;
}

static enum mr_status number_check(const struct broker_topic_config *config, struct mr_str value, struct mr_err *err)
{
    bool is_int = config->type == BROKER_CONFIG_INT;
    char why[96];
    int64_t number;

    if (mr_parse_i64(value, &number) != MR_OK || (is_int && (number > INT32_MAX || number < INT32_MIN)))
        return value_refuse(config->name, value, is_int ? "Not a number of type INT" : "Not a number of type LONG",
                            err);
    if (strcmp(config->name, "compression.gzip.level") == 0 && (number == 0 || number < -1 || number > 9))
        return value_refuse(config->name, value, "Value must be between 1 and 9 or equal to -1", err);
    if (number >= config->low && number <= config->high)
        return MR_OK;
    if (number < config->low)
        snprintf(why, sizeof(why), "Value must be at least %" PRId64, config->low);
    else
        snprintf(why, sizeof(why), "Value must be no more than %" PRId64, config->high);
    return value_refuse(config->name, value, why, err);
}

static enum mr_status ratio_check(const struct broker_topic_config *config, struct mr_str value, struct mr_err *err)
{
    char text[40], why[64];
    double ratio;

    if (mr_parse_f64(value, &ratio) != MR_OK)
        return value_refuse(config->name, value, "Not a number of type DOUBLE", err);
    if (ratio >= (double)config->low && ratio <= (double)config->high)
        return MR_OK;
    snprintf(text, sizeof(text), ratio > -1e7 && ratio < 1e7 && ratio == (double)(int64_t)ratio ? "%.1f" : "%g", ratio);
    if (ratio < (double)config->low)
        snprintf(why, sizeof(why), "Value must be at least %" PRId64, config->low);
    else
        snprintf(why, sizeof(why), "Value must be no more than %" PRId64, config->high);
    return value_refuse(config->name, mr_str_of(text), why, err);
}

/* The next item of a list joined by commas and blanks; false after the last. */
static bool list_next(struct mr_str *rest, struct mr_str *item)
{
    const char *comma;

    if (rest->data == NULL)
        return false;
    comma = memchr(rest->data, ',', rest->size);
    *item = str_trim((struct mr_str){ rest->data, comma != NULL ? (size_t)(comma - rest->data) : rest->size });
    if (comma == NULL)
        *rest = MR_STR_NULL;
    else
        *rest = (struct mr_str){ comma + 1, rest->size - (size_t)(comma + 1 - rest->data) };
    return true;
}

static bool list_has(struct mr_str list, struct mr_str wanted)
{
    struct mr_str item;

    while (list_next(&list, &item))
        if (mr_str_equal(item, wanted))
            return true;
    return false;
}

/* "3:1", a partition and a broker. */
static bool item_is_replica(struct mr_str item)
{
    const char *colon = memchr(item.data, ':', item.size);
    int64_t partition, node;

    if (colon == NULL)
        return false;
    return mr_parse_i64((struct mr_str){ item.data, (size_t)(colon - item.data) }, &partition) == MR_OK &&
           mr_parse_i64((struct mr_str){ colon + 1, item.size - (size_t)(colon + 1 - item.data) }, &node) == MR_OK &&
           partition >= 0 && node >= 0;
}

static enum mr_status item_check(const struct broker_topic_config *config, struct mr_str value, struct mr_str item,
                                 struct mr_err *err)
{
    char why[256];

    if (config->words == NULL)
        return MR_OK;
    if (strcmp(config->words, BROKER_CONFIG_REPLICAS) == 0) {
        if (mr_str_equal(value, MR_STR("*")) || item_is_replica(item))
            return MR_OK;
        return mr_err_set(err, MR_INVALID,
                          "Invalid value [%.*s] for configuration %s: %s must be the literal '*' or a list of replicas "
                          "in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
                          (int)(value.size < 100 ? value.size : 100), value.data, config->name, config->name);
    }
    if (list_has(mr_str_of(config->words), item))
        return MR_OK;
    snprintf(why, sizeof(why), "String must be one of: %s", config->words);
    return value_refuse(config->name, item, why, err);
}

static enum mr_status list_check(const struct broker_topic_config *config, struct mr_str value, struct mr_arena *arena,
                                 const char **stored, struct mr_err *err)
{
    struct mr_str rest = str_trim(value), item;
    char *plain = mr_arena_alloc(arena, value.size + 2);
    size_t size = 0;

    while (rest.size > 0 && list_next(&rest, &item)) {
        enum mr_status status = item_check(config, value, item, err);

        if (status != MR_OK)
            return status;
        if (size > 0 && list_has((struct mr_str){ plain, size }, item))
            continue;
        if (size > 0)
            plain[size++] = ',';
        memcpy(plain + size, item.data, item.size);
        size += item.size;
    }
    plain[size] = '\0';
    *stored = plain;
    return MR_OK;
}

enum mr_status broker_topic_config_check(struct mr_str name, struct mr_str value, struct mr_arena *arena,
                                         const char **stored, struct mr_err *err)
{
    const struct broker_topic_config *config = broker_topic_config_find(name);
    enum mr_status status = MR_OK;
    struct mr_str plain;

    if (config == NULL)
        return mr_err_set(err, MR_INVALID, "Unknown topic config name: %.*s", (int)(name.size < 200 ? name.size : 200),
                          name.data);
    if (value.data == NULL)
        return mr_err_set(err, MR_INVALID, "Null value not supported for topic configs: %s", config->name);
    plain = str_trim(value);
    switch (config->type) {
    case BROKER_CONFIG_LONG:
    case BROKER_CONFIG_INT:
        status = number_check(config, plain, err);
        break;
    case BROKER_CONFIG_DOUBLE:
        status = ratio_check(config, plain, err);
        break;
    case BROKER_CONFIG_BOOLEAN:
        if (mr_str_equal_nocase(plain, MR_STR("true")))
            plain = MR_STR("true");
        else if (mr_str_equal_nocase(plain, MR_STR("false")))
            plain = MR_STR("false");
        else
            status = value_refuse(config->name, plain, "Expected value to be either true or false", err);
        break;
    case BROKER_CONFIG_STRING:
        status = item_check(config, plain, plain, err);
        break;
    case BROKER_CONFIG_LIST:
        return list_check(config, value, arena, stored, err);
    }
    if (status == MR_OK)
        *stored = mr_arena_str(arena, plain).data;
    return status;
}

/* ---- all of a topic's ---- */

static const char *config_in(const struct log_config *set, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(set[i].key, key) == 0)
            return set[i].value;
    return broker_topic_config_find(mr_str_of(key))->default_value;
}

enum mr_status broker_topic_configs_check(const struct log_config *set, size_t count, struct mr_err *err)
{
    const char *low = config_in(set, count, "min.compaction.lag.ms");
    const char *high = config_in(set, count, "max.compaction.lag.ms");
    int64_t low_ms = 0, high_ms = INT64_MAX;

    if (strcmp(config_in(set, count, BROKER_CONFIG_REMOTE), "true") == 0)
        return mr_err_set(err, MR_INVALID,
                          "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with "
                          "remote log storage.");
    if (mr_parse_i64(mr_str_of(low), &low_ms) == MR_OK && mr_parse_i64(mr_str_of(high), &high_ms) == MR_OK &&
        low_ms > high_ms)
        return mr_err_set(err, MR_INVALID,
                          "conflict topic config setting min.compaction.lag.ms (%s) > max.compaction.lag.ms (%s)", low,
                          high);
    return MR_OK;
}

bool broker_topic_list_has(const char *list, const char *item)
{
    return list_has(mr_str_of(list), mr_str_of(item));
}

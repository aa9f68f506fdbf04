/* broker_configs.c -- the settings of this broker that describe shows under Kafka's names.
 *
 * Only what is true here is listed: what Kafka has and this server has not (threads, replication, tiering, JVM) is left
 * out.  None can be changed by a request; the settings that users have stand in millrace.yaml. */
#include "broker/broker_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SETTINGS_MAX = 96 };

/* What never differs from one run to the next. */
static const struct broker_setting fixed[] = {
    { "broker.id", "1", BROKER_CONFIG_INT, BROKER_SOURCE_DEFAULT, "Number of this node; there is one." },
    { "connections.max.idle.ms", "600000", BROKER_CONFIG_LONG, BROKER_SOURCE_DEFAULT,
      "A connection that is silent so long is closed." },
    { "controller.quorum.voters", "", BROKER_CONFIG_LIST, BROKER_SOURCE_DEFAULT, "There is no quorum: one node." },
    { "default.replication.factor", "1", BROKER_CONFIG_INT, BROKER_SOURCE_DEFAULT, "There is one replica." },
    { "delete.topic.enable", "true", BROKER_CONFIG_BOOLEAN, BROKER_SOURCE_DEFAULT, "Topics can be deleted." },
    { "group.consumer.assignors", "", BROKER_CONFIG_LIST, BROKER_SOURCE_DEFAULT,
      "Assignors of the new group protocol, which is not served." },
    { "group.coordinator.rebalance.protocols", "classic", BROKER_CONFIG_LIST, BROKER_SOURCE_DEFAULT,
      "Group protocols that are served." },
    { "node.id", "1", BROKER_CONFIG_INT, BROKER_SOURCE_DEFAULT, "Number of this node; there is one." },
    { "offsets.topic.replication.factor", "1", BROKER_CONFIG_INT, BROKER_SOURCE_DEFAULT, "There is one replica." },
    { "process.roles", "broker,controller", BROKER_CONFIG_LIST, BROKER_SOURCE_DEFAULT, "This node is both." },
    { "security.inter.broker.protocol", "PLAINTEXT", BROKER_CONFIG_STRING, BROKER_SOURCE_DEFAULT,
      "There is no other broker." },
};

static int setting_order(const void *a, const void *b)
{
    const struct broker_setting *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static const char *number(struct mr_arena *arena, int64_t value)
{
    return mr_arena_printf(arena, "%" PRId64, value);
}

/* "PLAINTEXT://HOST:PORT,…" of what is listened on, or told to clients. */
static const char *listeners_text(const struct broker *broker, struct mr_arena *arena, bool advertised)
{
    const char *text = "";

    for (uint32_t i = 0; i < broker->listening_count; i++) {
        const struct broker_listening *l = &broker->listenings[i];
        const char *address = net_listener_text(l->listener);

        if (advertised && l->advertise_host[0] != '\0')
            address = mr_arena_printf(arena, strchr(l->advertise_host, ':') != NULL ? "[%s]:%d" : "%s:%d",
                                      l->advertise_host, l->advertise_port);
        text = mr_arena_printf(arena, "%s%sPLAINTEXT://%s", text, i > 0 ? "," : "", address);
    }
    return text;
}

/* Settings whose value depends on how this broker was started; how many. */
static size_t own_settings(const struct broker *b, struct mr_arena *arena, struct broker_setting *out)
{
    bool bytes_default = b->message_bytes_max == BROKER_MESSAGE_BYTES_MAX_DEFAULT;
    const struct broker_setting own[] = {
        { "advertised.listeners", listeners_text(b, arena, true), BROKER_CONFIG_LIST, BROKER_SOURCE_FILE,
          "What clients are told: by default the address that they came in on (kafka.advertise)." },
        { "auto.create.topics.enable", b->auto_create_topics ? "true" : "false", BROKER_CONFIG_BOOLEAN,
          BROKER_SOURCE_DEFAULT, "Asking for a topic's metadata makes it, when the client allows." },
        { "listeners", listeners_text(b, arena, false), BROKER_CONFIG_LIST, BROKER_SOURCE_FILE,
          "Where this broker listens (kafka.listen)." },
        { "log.dirs", log_dir(b->log), BROKER_CONFIG_LIST, BROKER_SOURCE_FILE, "Where the log is (data-dir)." },
        { "max.connections", number(arena, b->connections_max), BROKER_CONFIG_INT, BROKER_SOURCE_DEFAULT,
          "Connections over all listeners; more are closed at once." },
        { "message.max.bytes", number(arena, b->message_bytes_max), BROKER_CONFIG_INT,
          bytes_default ? BROKER_SOURCE_DEFAULT : BROKER_SOURCE_FILE, "Default of a topic's max.message.bytes." },
        { "num.partitions", number(arena, b->partitions_default), BROKER_CONFIG_INT,
          b->partitions_default == 1 ? BROKER_SOURCE_DEFAULT : BROKER_SOURCE_FILE,
          "Partitions of a topic made without saying how many." },
        { "socket.request.max.bytes", number(arena, BROKER_FRAME_BYTES_MAX), BROKER_CONFIG_INT, BROKER_SOURCE_DEFAULT,
          "A longer request closes the connection." },
    };

    memcpy(out, own, sizeof(own));
    return MR_COUNT(own);
}

static bool setting_is_there(const struct broker_setting *settings, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(settings[i].name, name) == 0)
            return true;
    return false;
}

const struct broker_setting *broker_settings(const struct broker *broker, struct mr_arena *arena, size_t *count)
{
    size_t config_count, n;
    const struct broker_topic_config *configs = broker_topic_configs(&config_count);
    struct broker_setting *settings = MR_ARENA_ARRAY(arena, struct broker_setting, SETTINGS_MAX);

    n = own_settings(broker, arena, settings);
    memcpy(settings + n, fixed, sizeof(fixed));
    n += MR_COUNT(fixed);
    n += broker_groups_settings(broker->groups, arena, settings + n);
    for (size_t i = 0; i < config_count; i++) {
        if (configs[i].broker_name == NULL || setting_is_there(settings, n, configs[i].broker_name))
            continue;
        assert(n < SETTINGS_MAX);
        settings[n++] = (struct broker_setting){ configs[i].broker_name, configs[i].default_value, configs[i].type,
                                                 BROKER_SOURCE_DEFAULT, configs[i].documentation };
    }
    qsort(settings, n, sizeof(*settings), setting_order);
    *count = n;
    return settings;
}

/* handle_delete_topics.c -- deletes topics by name or id; answers when they are gone from the catalog on disk.
 *
 * What is named twice, in either way, is not deleted.  Kafka's own topics can't be deleted: the group coordinator keeps
 * its offsets there. */
#include "broker/broker_int.h"

#include "base/logging.h"

#include <string.h>

enum {
    VERSION_IDS = 6,
    TOPICS_MAX = 10000, /* in one request */
};

struct delete_topics {
    struct broker_request *request;
    int32_t waiting;
};

struct delete_topic {
    struct delete_topics *all;
    struct kafka_delete_topics_response_topic *out;
};

/* What one entry of the request means. */
struct entry {
    struct mr_str name; /* null: by id */
    struct kafka_uuid id;
    struct log_topic *topic; /* NULL: none */
    size_t first;            /* least index of an entry for the same topic */
    size_t same;             /* how many there are, at that entry */
    bool is_mixed;           /* some by name, some by id; at that entry */
};

static void error_set(struct broker_request *request, struct kafka_delete_topics_response_topic *out, int error,
                      const char *message)
{
    out->error_code = (int16_t)error;
    out->error_message = mr_arena_str(request->arena, mr_str_of(message));
}

static void topic_deleted(void *arg, enum mr_status status, struct log_topic *topic, const struct mr_err *err)
{
    struct delete_topic *deletion = arg;
    struct delete_topics *all = deletion->all;
    struct broker_request *request = all->request;

    MR_UNUSED(topic);
    all->waiting--;
    if (status != MR_OK) {
        mr_log(MR_LOG_ERROR, "broker", "can't delete a topic: %s", err->text);
        error_set(request, deletion->out, KAFKA_ERROR_KAFKA_STORAGE_ERROR, err->text);
    }
    if (!request->is_abandoned && all->waiting == 0)
        broker_request_done(request);
    broker_request_unref(request);
}

/* The entries of the request, whichever way its version names topics; *COUNT of them. */
static struct entry *entries_take(struct broker_request *request, size_t *count)
{
    const struct kafka_delete_topics_request *in = request->request;
    struct log *log = request->broker->log;
    bool has_ids = request->header.api_version >= VERSION_IDS;
    size_t n = (size_t)(has_ids ? in->topics_count : in->topic_names_count);
    struct entry *entries = MR_ARENA_ARRAY(request->arena, struct entry, n);

    for (size_t i = 0; i < n; i++) {
        struct entry *e = &entries[i];

        *e = (struct entry){ .name = has_ids ? in->topics[i].name : in->topic_names[i] };
        if (has_ids)
            e->id = in->topics[i].topic_id;
        if (e->name.data != NULL)
            e->topic = log_topic_find(log, e->name);
        else if (!kafka_uuid_is_zero(&e->id))
            e->topic = log_topic_find_id(log, e->id.bytes);
    }
    *count = n;
    return entries;
}

static bool entry_is_same(const struct entry *a, const struct entry *b)
{
    if (a->name.data != NULL && b->name.data != NULL)
        return mr_str_equal(a->name, b->name);
    return a->name.data == NULL && b->name.data == NULL && memcmp(&a->id, &b->id, sizeof(a->id)) == 0;
}

/* Finds out which entries mean the same topic. */
static void entries_group(struct broker_request *request, struct entry *entries, size_t count)
{
    struct mr_bytes *keys = MR_ARENA_ARRAY(request->arena, struct mr_bytes, count);
    size_t *first = MR_ARENA_ARRAY(request->arena, size_t, count);
    size_t *same = MR_ARENA_ARRAY(request->arena, size_t, count);

    for (size_t i = 0; i < count; i++) {
        const struct entry *e = &entries[i];

        if (e->topic != NULL)
            keys[i] = mr_bytes_of_str(mr_str_of(log_topic_name(e->topic)));
        else if (e->name.data != NULL)
            keys[i] = mr_bytes_of_str(e->name);
        else
            keys[i] = (struct mr_bytes){ e->id.bytes, sizeof(e->id.bytes) };
    }
    broker_keys_group(keys, count, first, same);
    for (size_t i = 0; i < count; i++) {
        entries[i].first = first[i];
        entries[i].same = same[i];
        if (!entry_is_same(&entries[i], &entries[first[i]]))
            entries[first[i]].is_mixed = true;
    }
}

/* KAFKA_ERROR_NONE when ENTRIES[I] may be deleted, else the error and *MESSAGE. */
static int entry_check(const struct entry *entries, size_t count, size_t i, const char **message)
{
    const struct entry *e = &entries[i];
    bool has_id = !kafka_uuid_is_zero(&e->id);

    if (count > TOPICS_MAX) {
        *message = "More than 10000 topics in one request.";
        return KAFKA_ERROR_POLICY_VIOLATION;
    }
    if (e->name.data == NULL && !has_id) {
        *message = "Neither topic name nor id were specified.";
        return KAFKA_ERROR_INVALID_REQUEST;
    }
    if (e->name.data != NULL && has_id) {
        *message = "You may not specify both topic name and topic id.";
        return KAFKA_ERROR_INVALID_REQUEST;
    }
    if (e->same > 1) {
        *message = e->is_mixed            ? "The provided topic name maps to an ID that was already supplied."
                   : e->name.data != NULL ? "Duplicate topic name."
                                          : "Duplicate topic id.";
        return KAFKA_ERROR_INVALID_REQUEST;
    }
    if (e->topic == NULL) {
        *message =
            has_id ? "This server does not host this topic ID." : "This server does not host this topic-partition.";
        return has_id ? KAFKA_ERROR_UNKNOWN_TOPIC_ID : KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    }
    if (broker_topic_is_internal(mr_str_of(log_topic_name(e->topic)))) {
        *message = "An internal topic can't be deleted.";
        return KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED;
    }
    *message = NULL;
    return KAFKA_ERROR_NONE;
}

static void entry_answer(struct delete_topics *all, const struct entry *entries, size_t count, size_t i)
{
    struct broker_request *request = all->request;
    struct kafka_delete_topics_response *response = request->response;
    struct kafka_delete_topics_response_topic *out = &response->responses[response->responses_count++];
    const struct entry *e = &entries[i];
    struct delete_topic *deletion;
    const char *message;
    int error = entry_check(entries, count, i, &message);

    kafka_delete_topics_response_topic_init(out);
    out->name = e->name;
    out->topic_id = e->id;
    if (e->topic != NULL && error != KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION) {
        out->name = mr_arena_str(request->arena, mr_str_of(log_topic_name(e->topic)));
        if (error == KAFKA_ERROR_NONE)
            memcpy(out->topic_id.bytes, log_topic_id(e->topic), sizeof(out->topic_id.bytes));
    }
    if (error != KAFKA_ERROR_NONE) {
        error_set(request, out, error, message);
        return;
    }
    deletion = MR_ARENA_NEW(request->arena, struct delete_topic);
    *deletion = (struct delete_topic){ all, out };
    all->waiting++;
    broker_request_ref(request);
    broker_groups_topic_deleted(request->broker->groups, mr_str_of(log_topic_name(e->topic)));
    log_topic_delete(request->broker->log, e->topic, topic_deleted, deletion);
}

void broker_handle_delete_topics(struct broker_request *request)
{
    struct kafka_delete_topics_response *out = request->response;
    struct delete_topics *all = MR_ARENA_NEW(request->arena, struct delete_topics);
    size_t count;
    struct entry *entries = entries_take(request, &count);

    all->request = request;
    out->responses = MR_ARENA_ARRAY(request->arena, struct kafka_delete_topics_response_topic, count);
    entries_group(request, entries, count);
    for (size_t i = 0; i < count; i++)
        if (count > TOPICS_MAX || entries[i].first == i) /* of what is named several times only the first, as Kafka */
            entry_answer(all, entries, count, i);
    if (all->waiting == 0)
        broker_request_done(request);
}

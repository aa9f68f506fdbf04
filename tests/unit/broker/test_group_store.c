/* test_group_store.c -- offsets and groups against a temporary log whose commits the test makes itself: what is
 * answered and shown is on disk, what is read at start is what was shown, deletions cover what is on its way. */
#include "broker/group_coordinator_int.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { JOBS_MAX = 1000, DAY_MS = 86400000 };

static const struct broker_group_options group_options;

struct harness {
    struct mr_env env; /* the real one, but for the time of day */
    struct mr_env_ops ops;
    int64_t ahead_ms;
    char dir[64];
    struct net_loop *loop;
    struct log *log;
    struct broker broker;
    struct {
        mr_job_fn *job;
        void *arg;
    } jobs[JOBS_MAX];
    size_t job_count;
};

static int64_t shifted_now_us(struct mr_env *env)
{
    return mr_now_us(mr_env_real()) + ((struct harness *)env)->ahead_ms * 1000;
}

static void job_queue(void *loop, mr_job_fn *job, void *arg)
{
    struct harness *h = loop;

    assert_true(h->job_count < JOBS_MAX);
    h->jobs[h->job_count].job = job;
    h->jobs[h->job_count++].arg = arg;
}

/* Runs what the log posted; with COMMIT, its committer first, until nothing is left. */
static void pump(struct harness *h, bool commit)
{
    bool again = true;

    while (again) {
        again = commit && log_commit_step(h->log);
        for (size_t i = 0; i < h->job_count; i++) {
            h->jobs[i].job(h->jobs[i].arg);
            again = true;
        }
        h->job_count = 0;
    }
}

static void server_open(struct harness *h)
{
    struct mr_err err = MR_ERR_INIT;
    struct log_options options = { .manual_commit = true };

    options.post = (struct mr_post){ job_queue, h };
    assert_int_equal(log_open(&h->log, h->dir, &options, &err), MR_OK);
    h->broker.log = h->log;
    h->broker.groups = broker_groups_open(&h->broker, &group_options);
}

static void server_close(struct harness *h)
{
    struct mr_err err = MR_ERR_INIT;

    broker_groups_close(h->broker.groups);
    assert_int_equal(log_close(h->log, &err), MR_OK);
    pump(h, false); /* jobs that were queued hold memory, and do nothing else */
}

static int setup(void **state)
{
    struct harness *h = MR_NEW(struct harness);
    struct mr_err err = MR_ERR_INIT;

    h->ops = *mr_env_real()->ops;
    h->ops.now_us = shifted_now_us;
    h->env.ops = &h->ops;
    snprintf(h->dir, sizeof(h->dir), "/tmp/test_group_store.XXXXXX");
    assert_non_null(mkdtemp(h->dir));
    assert_int_equal(net_loop_new(&h->loop, "test", &err), MR_OK);
    h->broker = (struct broker){ .loop = h->loop, .env = &h->env, .partitions_default = 1 };
    for (size_t i = 0; i < BROKER_APIS_MAX; i++)
        h->broker.requests[i] = mr_metric(MR_METRIC_COUNTER, "test_requests_total", "", "requests of this test");
    server_open(h);
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    struct harness *h = *state;
    struct mr_err err = MR_ERR_INIT;

    server_close(h);
    net_loop_free(h->loop);
    kafka_scratch_deinit(&h->broker.scratch);
    assert_int_equal(mr_remove_tree(mr_env_real(), h->dir, &err), MR_OK);
    mr_free(h);
    return 0;
}

/* ---- asking ---- */

static void nothing_on_done(struct broker_request *request)
{
    MR_UNUSED(request);
}

static struct broker_request *ask(struct harness *h, int16_t key, int16_t version, const void *message,
                                  void (*write)(const void *message, struct mr_writer *out, int version))
{
    struct kafka_request_header header = { key, version, 1, MR_STR("test") };
    struct broker_request *request = broker_request_new(&h->broker);
    struct mr_writer frame = { 0 };

    request->on_done = nothing_on_done;
    request->host = MR_STR("127.0.0.1");
    request->peer_host = MR_STR("127.0.0.1");
    kafka_request_header_write(&header, &frame);
    write(message, &frame, version);
    assert_int_equal(broker_dispatch(request, mr_writer_bytes(&frame)), BROKER_DISPATCHED);
    mr_writer_deinit(&frame);
    return request;
}

#define ASK(api, API)                                                                                                  \
    static void api##_write(const void *message, struct mr_writer *out, int version)                                   \
    {                                                                                                                  \
        kafka_##api##_request_write(message, out, version);                                                            \
    }                                                                                                                  \
    static struct broker_request *ask_##api(struct harness *h, int16_t version,                                        \
                                            const struct kafka_##api##_request *message)                               \
    {                                                                                                                  \
        return ask(h, KAFKA_##API, version, message, api##_write);                                                     \
    }
ASK(offset_commit, OFFSET_COMMIT)
ASK(offset_fetch, OFFSET_FETCH)
ASK(offset_delete, OFFSET_DELETE)
ASK(delete_groups, DELETE_GROUPS)
ASK(join_group, JOIN_GROUP)
ASK(sync_group, SYNC_GROUP)
ASK(heartbeat, HEARTBEAT)
ASK(describe_groups, DESCRIBE_GROUPS)

static void topic_done(void *arg, enum mr_status status, struct log_topic *topic, const struct mr_err *err)
{
    MR_UNUSED(arg);
    MR_UNUSED(topic);
    MR_UNUSED(err);
    assert_int_equal(status, MR_OK);
}

static void topic_create(struct harness *h, const char *name)
{
    struct mr_err err = MR_ERR_INIT;

    assert_int_equal(log_topic_create(h->log, mr_str_of(name), 2, NULL, 0, topic_done, NULL, &err), MR_OK);
    pump(h, true);
}

static void topic_delete(struct harness *h, const char *name)
{
    broker_groups_topic_deleted(h->broker.groups, mr_str_of(name));
    log_topic_delete(h->log, log_topic_find(h->log, mr_str_of(name)), topic_done, NULL);
    pump(h, true);
}

/* Not waited for. */
static struct broker_request *commit(struct harness *h, const char *group, const char *topic, int64_t offset)
{
    struct kafka_offset_commit_request_partition p = { .committed_offset = offset,
                                                       .committed_leader_epoch = -1,
                                                       .committed_metadata = MR_STR("note") };
    struct kafka_offset_commit_request_topic t = { .name = mr_str_of(topic), .partitions = &p, .partitions_count = 1 };
    struct kafka_offset_commit_request m = { .group_id = mr_str_of(group),
                                             .generation_id_or_member_epoch = -1,
                                             .member_id = MR_STR(""),
                                             .topics = &t,
                                             .topics_count = 1 };

    return ask_offset_commit(h, 9, &m);
}

static int commit_error(struct broker_request *request)
{
    const struct kafka_offset_commit_response *out = request->response;
    int error = out->topics[0].partitions[0].error_code;

    assert_true(request->is_done);
    broker_request_unref(request);
    return error;
}

static void commit_all(struct harness *h, const char *group, const char *topic, int64_t offset)
{
    struct broker_request *request = commit(h, group, topic, offset);

    pump(h, true);
    assert_int_equal(commit_error(request), 0);
}

/* What the group has committed for partition 0; -1: nothing. */
static int64_t fetch(struct harness *h, const char *group, const char *topic)
{
    int32_t partition = 0;
    struct kafka_offset_fetch_request_group_topic t = { .name = mr_str_of(topic),
                                                        .partition_indexes = &partition,
                                                        .partition_indexes_count = 1 };
    struct kafka_offset_fetch_request_group g = { .group_id = mr_str_of(group), .topics = &t, .topics_count = 1 };
    struct kafka_offset_fetch_request m = { .groups = &g, .groups_count = 1 };
    struct broker_request *request = ask_offset_fetch(h, 9, &m);
    const struct kafka_offset_fetch_response *out = request->response;
    int64_t offset;

    assert_true(request->is_done);
    offset = out->groups[0].error_code != 0 ? -out->groups[0].error_code
                                            : out->groups[0].topics[0].partitions[0].committed_offset;
    broker_request_unref(request);
    return offset;
}

static struct broker_request *group_delete(struct harness *h, const char *group)
{
    struct mr_str name = mr_str_of(group);
    struct kafka_delete_groups_request m = { .groups_names = &name, .groups_names_count = 1 };

    return ask_delete_groups(h, 2, &m);
}

static int group_delete_error(struct broker_request *request)
{
    const struct kafka_delete_groups_response *out = request->response;
    int error = out->results[0].error_code;

    assert_true(request->is_done);
    broker_request_unref(request);
    return error;
}

static void restart(struct harness *h)
{
    server_close(h);
    server_open(h);
}

/* ---- offsets ---- */

static void test_commit_is_answered_and_shown_when_synced(void **state)
{
    struct harness *h = *state;
    struct broker_request *request;

    topic_create(h, "t");
    request = commit(h, "g", "t", 5);
    assert_int_equal(fetch(h, "g", "t"), -1);
    pump(h, true);
    assert_int_equal(commit_error(request), 0);
    request = commit(h, "g", "t", 6);
    pump(h, false);
    assert_false(request->is_done);
    assert_int_equal(fetch(h, "g", "t"), 5);
    pump(h, true);
    assert_int_equal(commit_error(request), 0);
    assert_int_equal(fetch(h, "g", "t"), 6);
    restart(h);
    assert_int_equal(fetch(h, "g", "t"), 6);
}

static void test_commit_refusals(void **state)
{
    struct harness *h = *state;

    topic_create(h, "t");
    assert_int_equal(commit_error(commit(h, "g", "nosuch", 5)), KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_null(broker_groups_find(h->broker.groups, MR_STR("g"))); /* a group is not made of nothing */
    h->broker.groups->is_loading = true;
    assert_int_equal(commit_error(commit(h, "g", "t", 5)), KAFKA_ERROR_COORDINATOR_LOAD_IN_PROGRESS);
    assert_int_equal(fetch(h, "g", "t"), -KAFKA_ERROR_COORDINATOR_LOAD_IN_PROGRESS);
    h->broker.groups->is_loading = false;
}

/* The client has gone when its commit reaches the disk: it counts all the same. */
static void test_client_goes_before_its_commit_is_synced(void **state)
{
    struct harness *h = *state;
    struct broker_request *request;

    topic_create(h, "t");
    request = commit(h, "g", "t", 5);
    request->is_abandoned = true;
    broker_request_unref(request);
    pump(h, true);
    assert_int_equal(fetch(h, "g", "t"), 5);
}

static void test_server_closes_before_a_commit_is_synced(void **state)
{
    struct harness *h = *state;
    struct broker_request *request;

    topic_create(h, "t");
    commit_all(h, "g", "t", 1);
    request = commit(h, "g", "t", 5);
    request->is_abandoned = true;
    broker_request_unref(request);
    restart(h);
    assert_int_equal(fetch(h, "g", "t"), 5); /* log_close syncs */
}

static void test_offset_delete(void **state)
{
    struct harness *h = *state;
    struct kafka_offset_delete_request_partition p = { 0 };
    struct kafka_offset_delete_request_topic t = { .name = MR_STR("t"), .partitions = &p, .partitions_count = 1 };
    struct kafka_offset_delete_request m = { .group_id = MR_STR("g"), .topics = &t, .topics_count = 1 };
    struct broker_request *deletion, *request;

    topic_create(h, "t");
    topic_create(h, "u");
    commit_all(h, "g", "t", 5);
    commit_all(h, "g", "u", 6);
    deletion = ask_offset_delete(h, 0, &m);
    request = commit(h, "g", "t", 7); /* behind it */
    assert_false(deletion->is_done);
    assert_int_equal(fetch(h, "g", "t"), 5);
    pump(h, true);
    assert_true(deletion->is_done);
    broker_request_unref(deletion);
    assert_int_equal(commit_error(request), 0);
    assert_int_equal(fetch(h, "g", "t"), 7);
    restart(h);
    assert_int_equal(fetch(h, "g", "t"), 7);
    deletion = ask_offset_delete(h, 0, &m);
    pump(h, true);
    broker_request_unref(deletion);
    assert_int_equal(fetch(h, "g", "t"), -1);
    restart(h);
    assert_int_equal(fetch(h, "g", "t"), -1);
    assert_int_equal(fetch(h, "g", "u"), 6);
}

/* The topic can't be made now: the client is told, but not inside its call; also when the server closes before. */
static void test_commit_that_can_not_be_written(void **state)
{
    struct harness *h = *state;
    struct broker_request *request;

    topic_create(h, "t");
    commit_all(h, "g", "t", 5);
    log_topic_delete(h->log, log_topic_find(h->log, MR_STR(BROKER_OFFSETS_TOPIC)), topic_done, NULL);
    request = commit(h, "g", "t", 6);
    assert_false(request->is_done);
    assert_non_null(h->broker.groups->failed);
    assert_int_equal(fetch(h, "g", "t"), 5);
    broker_groups_close(h->broker.groups);
    assert_int_equal(commit_error(request), KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
    pump(h, true);
    h->broker.groups = broker_groups_open(&h->broker, &group_options);
    commit_all(h, "g", "t", 7); /* it is made anew */
    assert_int_equal(fetch(h, "g", "t"), 7);
}

/* ---- deleting groups ---- */

static void test_group_delete(void **state)
{
    struct harness *h = *state;
    struct broker_request *deletion;

    topic_create(h, "t");
    assert_int_equal(group_delete_error(group_delete(h, "g")), KAFKA_ERROR_GROUP_ID_NOT_FOUND);
    commit_all(h, "g", "t", 5);
    deletion = group_delete(h, "g");
    assert_false(deletion->is_done);
    assert_int_equal(commit_error(commit(h, "g", "t", 6)), KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE); /* it is dying */
    pump(h, true);
    assert_int_equal(group_delete_error(deletion), 0);
    assert_int_equal(fetch(h, "g", "t"), -1);
    restart(h);
    assert_int_equal(fetch(h, "g", "t"), -1);
    assert_null(broker_groups_find(h->broker.groups, MR_STR("g")));
    commit_all(h, "g", "t", 7); /* and made anew */
    assert_int_equal(fetch(h, "g", "t"), 7);
}

/* A first commit is on its way when the group is deleted: it must not come back at the next start. */
static void test_group_delete_covers_a_commit_on_its_way(void **state)
{
    struct harness *h = *state;
    struct broker_request *request, *deletion;

    topic_create(h, "t");
    request = commit(h, "g", "t", 5);
    deletion = group_delete(h, "g");
    pump(h, true);
    assert_int_equal(commit_error(request), 0);
    assert_int_equal(group_delete_error(deletion), 0);
    restart(h);
    assert_int_equal(fetch(h, "g", "t"), -1);
    assert_null(broker_groups_find(h->broker.groups, MR_STR("g")));
}

static void test_topic_delete(void **state)
{
    struct harness *h = *state;

    topic_create(h, "t");
    topic_create(h, "u");
    commit_all(h, "g", "t", 5);
    commit_all(h, "g", "u", 6);
    topic_delete(h, "t");
    topic_create(h, "t");
    assert_int_equal(fetch(h, "g", "t"), -1);
    assert_int_equal(fetch(h, "g", "u"), 6);
    restart(h);
    assert_int_equal(fetch(h, "g", "t"), -1);
}

/* The server died between the end of a topic and that of its offsets; the topic was made anew, or not. */
static void test_offsets_of_topics_that_are_gone(void **state)
{
    struct harness *h = *state;
    struct broker_groups *groups = h->broker.groups;

    topic_create(h, "t");
    topic_create(h, "u");
    commit_all(h, "g", "t", 5);
    commit_all(h, "g", "u", 6);
    h->broker.groups = NULL;
    topic_delete(h, "t");
    topic_delete(h, "u");
    topic_create(h, "u");
    h->broker.groups = groups;
    restart(h);
    pump(h, true);
    assert_int_equal(fetch(h, "g", "t"), -1);
    assert_int_equal(fetch(h, "g", "u"), -1);
    assert_null(broker_groups_find(h->broker.groups, MR_STR("g")));
}

/* ---- retention ---- */

static int64_t expired_left(struct harness *h, const char *topic)
{
    broker_groups_expire(h->broker.groups);
    pump(h, true);
    return fetch(h, "g", topic);
}

static void test_retention(void **state)
{
    struct harness *h = *state;
    struct broker_request *request;

    topic_create(h, "t");
    topic_create(h, "u");
    commit_all(h, "g", "t", 5);
    h->ahead_ms = 4 * (int64_t)DAY_MS;
    commit_all(h, "g", "u", 6);
    h->ahead_ms = 7 * (int64_t)DAY_MS - 60000;
    assert_int_equal(expired_left(h, "t"), 5);
    h->ahead_ms = 7 * (int64_t)DAY_MS + 60000;
    assert_int_equal(expired_left(h, "t"), -1);
    assert_int_equal(fetch(h, "g", "u"), 6);
    h->ahead_ms = 12 * (int64_t)DAY_MS;
    request = commit(h, "g", "u", 7); /* on its way: not forgotten for the old one's age */
    broker_groups_expire(h->broker.groups);
    pump(h, true);
    assert_int_equal(commit_error(request), 0);
    assert_int_equal(fetch(h, "g", "u"), 7);
    h->ahead_ms = 20 * (int64_t)DAY_MS;
    broker_groups_expire(h->broker.groups);
    pump(h, true);
    assert_null(broker_groups_find(h->broker.groups, MR_STR("g")));
    restart(h);
    assert_null(broker_groups_find(h->broker.groups, MR_STR("g")));
}

/* ---- members ---- */

static struct broker_request *join(struct harness *h, struct mr_str member_id)
{
    struct kafka_join_group_request_protocol protocol = {
        MR_STR("range"), { (const uint8_t *)"\0\0\0\0\0\1\0\1t\377\377\377\377", 13 }
    };
    struct kafka_join_group_request m = { .group_id = MR_STR("g"),
                                          .session_timeout_ms = 10000,
                                          .rebalance_timeout_ms = 60000,
                                          .member_id = member_id,
                                          .protocol_type = MR_STR("consumer"),
                                          .protocols = &protocol,
                                          .protocols_count = 1 };

    return ask_join_group(h, 9, &m);
}

/* The member id that the join REQUEST was answered with. */
static struct mr_str id_keep(struct broker_request *request, char room[128])
{
    struct mr_reader frame = mr_reader_of(mr_writer_bytes(&request->out));
    struct kafka_join_group_response again;
    int32_t correlation;

    assert_true(mr_read_i32(&frame) > 0); /* the frame's length */
    assert_int_equal(kafka_response_header_read(&frame, KAFKA_JOIN_GROUP, 9, &correlation), MR_OK);
    assert_int_equal(kafka_join_group_response_read(&again, &frame, 9, request->arena), MR_OK);
    snprintf(room, 128, "%.*s", MR_STR_ARG(again.member_id));
    return mr_str_of(room);
}

static struct broker_request *lead(struct harness *h, struct mr_str member_id)
{
    struct kafka_sync_group_request_assignment a = { member_id, { (const uint8_t *)"mine", 4 } };
    struct kafka_sync_group_request m = {
        .group_id = MR_STR("g"), .generation_id = 1, .member_id = member_id, .assignments = &a, .assignments_count = 1
    };

    return ask_sync_group(h, 5, &m);
}

static int heartbeat(struct harness *h, struct mr_str member_id)
{
    struct kafka_heartbeat_request m = { .group_id = MR_STR("g"), .generation_id = 1, .member_id = member_id };
    struct broker_request *request = ask_heartbeat(h, 4, &m);
    int error = ((struct kafka_heartbeat_response *)request->response)->error_code;

    broker_request_unref(request);
    return error;
}

static void test_member_goes_on_after_a_restart(void **state)
{
    struct harness *h = *state;
    struct broker_request *first = join(h, MR_STR("")), *second, *sync;
    struct kafka_describe_groups_request describe = { .groups = &MR_STR("g"), .groups_count = 1 };
    const struct kafka_describe_groups_response *described;
    char room[128];
    struct mr_str id = id_keep(first, room);

    assert_int_equal(((struct kafka_join_group_response *)first->response)->error_code, KAFKA_ERROR_MEMBER_ID_REQUIRED);
    second = join(h, id);
    assert_true(second->is_done);
    assert_int_equal(((struct kafka_join_group_response *)second->response)->error_code, 0);
    sync = lead(h, id);
    assert_false(sync->is_done); /* the topic is made, and the group stored, first */
    pump(h, true);
    assert_true(sync->is_done);
    assert_int_equal(((struct kafka_sync_group_response *)sync->response)->assignment.size, 4);
    broker_request_unref(sync);
    restart(h);
    assert_int_equal(heartbeat(h, id), 0);
    assert_int_equal(group_delete_error(group_delete(h, "g")), KAFKA_ERROR_NON_EMPTY_GROUP);
    sync = ask_describe_groups(h, 6, &describe);
    described = sync->response;
    assert_int_equal(described->groups[0].members_count, 1);
    assert_int_equal(described->groups[0].members[0].member_assignment.size, 4);
    assert_true(mr_str_equal(described->groups[0].group_state, MR_STR("Stable")));
    broker_request_unref(sync);
    broker_request_unref(first);
    broker_request_unref(second);
}

/* Members keep what they want: only the offsets of other topics grow old.  The group subscribes to t. */
static void test_retention_with_members(void **state)
{
    struct harness *h = *state;
    struct broker_request *first, *second, *sync;
    char room[128];

    topic_create(h, "t");
    topic_create(h, "u");
    commit_all(h, "g", "t", 5);
    commit_all(h, "g", "u", 6);
    first = join(h, MR_STR(""));
    second = join(h, id_keep(first, room));
    sync = lead(h, mr_str_of(room));
    pump(h, true);
    h->ahead_ms = 8 * (int64_t)DAY_MS;
    assert_int_equal(expired_left(h, "u"), -1);
    assert_int_equal(fetch(h, "g", "t"), 5);
    broker_request_unref(first);
    broker_request_unref(second);
    broker_request_unref(sync);
}

/* A client goes while its first join waits for others. */
static void test_client_goes_while_it_waits(void **state)
{
    struct harness *h = *state;
    struct broker_request *requests[4];
    char rooms[2][128];
    struct mr_str ids[2];

    for (int i = 0; i < 2; i++) {
        requests[i] = join(h, MR_STR(""));
        ids[i] = id_keep(requests[i], rooms[i]);
    }
    requests[2] = join(h, ids[0]);
    assert_true(requests[2]->is_done); /* the first member of all: at once */
    requests[3] = join(h, ids[1]);
    assert_false(requests[3]->is_done);
    requests[3]->is_abandoned = true;
    requests[3]->on_abandon(requests[3]);
    assert_int_equal(heartbeat(h, ids[1]), KAFKA_ERROR_UNKNOWN_MEMBER_ID);
    for (size_t i = 0; i < MR_COUNT(requests); i++)
        broker_request_unref(requests[i]);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(test_commit_is_answered_and_shown_when_synced),
        WITH(test_commit_refusals),
        WITH(test_client_goes_before_its_commit_is_synced),
        WITH(test_server_closes_before_a_commit_is_synced),
        WITH(test_commit_that_can_not_be_written),
        WITH(test_offset_delete),
        WITH(test_group_delete),
        WITH(test_group_delete_covers_a_commit_on_its_way),
        WITH(test_topic_delete),
        WITH(test_offsets_of_topics_that_are_gone),
        WITH(test_retention),
        WITH(test_member_goes_on_after_a_restart),
        WITH(test_retention_with_members),
        WITH(test_client_goes_while_it_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

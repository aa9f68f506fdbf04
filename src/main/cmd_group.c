/* cmd_group.c -- millrace group: consumer groups, their members, and how far each is behind. */
#include "base/text.h"
#include "main/command.h"
#include "main/kafka_tool.h"
#include "main/list_output.h"
#include "main/target.h"

#include <stdio.h>
#include <string.h>

static const struct mr_option options[] = {
    OUTPUT_OPTION,
    TARGET_KAFKA_OPTIONS,
};

static const struct kafka_tool_property no_making[] = { { "allow.auto.create.topics", "false" }, { NULL, NULL } };

/* Sends an admin request with the options and queue it is given; ARG is the command's own. */
typedef void send_fn(struct kafka_tool *tool, rd_kafka_AdminOptions_t *admin, rd_kafka_queue_t *queue, void *arg);

static enum mr_status ask(struct kafka_tool *tool, rd_kafka_admin_op_t operation, send_fn *send, void *arg,
                          const char *what, rd_kafka_event_t **out, struct mr_err *err)
{
    rd_kafka_AdminOptions_t *admin = kafka_tool_admin(tool, operation);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(tool->handle);
    enum mr_status status;

    send(tool, admin, queue, arg);
    status = kafka_tool_answer(tool, queue, what, out, err);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(admin);
    return status;
}

static void send_list(struct kafka_tool *tool, rd_kafka_AdminOptions_t *admin, rd_kafka_queue_t *queue, void *arg)
{
    MR_UNUSED(arg);
    rd_kafka_ListConsumerGroups(tool->handle, admin, queue);
}

static void send_describe(struct kafka_tool *tool, rd_kafka_AdminOptions_t *admin, rd_kafka_queue_t *queue, void *arg)
{
    const char *group = arg;

    rd_kafka_DescribeConsumerGroups(tool->handle, &group, 1, admin, queue);
}

static void send_offsets(struct kafka_tool *tool, rd_kafka_AdminOptions_t *admin, rd_kafka_queue_t *queue, void *arg)
{
    rd_kafka_ListConsumerGroupOffsets_t *request = rd_kafka_ListConsumerGroupOffsets_new(arg, NULL);

    rd_kafka_ListConsumerGroupOffsets(tool->handle, &request, 1, admin, queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
}

/* ---- list ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(json_string_value(json_object_get(*(json_t *const *)a, "group")),
                  json_string_value(json_object_get(*(json_t *const *)b, "group")));
}

static enum mr_status print_groups(const struct kafka_tool *tool, rd_kafka_event_t *event, bool json,
                                   struct mr_err *err)
{
    static const struct list_column columns[] = { { "group", NULL, false }, { "state", NULL, false } };
    const rd_kafka_ListConsumerGroups_result_t *result = rd_kafka_event_ListConsumerGroups_result(event);
    struct list_output *output;
    size_t count, failed;
    const rd_kafka_ConsumerGroupListing_t **groups = rd_kafka_ListConsumerGroups_result_valid(result, &count);
    const rd_kafka_error_t **errors = rd_kafka_ListConsumerGroups_result_errors(result, &failed);
    json_t **rows;

    if (failed > 0)
        return kafka_tool_error(tool, rd_kafka_error_code(errors[0]), rd_kafka_error_string(errors[0]), err,
                                "list groups");
    rows = mr_calloc(count + 1, sizeof(json_t *));
    for (size_t i = 0; i < count; i++)
        rows[i] =
            json_pack("{s:o, s:s}", "group", list_text(rd_kafka_ConsumerGroupListing_group_id(groups[i])), "state",
                      rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupListing_state(groups[i])));
    qsort(rows, count, sizeof(json_t *), compare_names);
    output = list_output_new(columns, MR_COUNT(columns), json, stdout);
    for (size_t i = 0; i < count; i++)
        list_output_add(output, rows[i]);
    list_output_finish(output);
    mr_free(rows);
    if (count == 0 && !json)
        fprintf(stderr, "no groups yet; a consumer makes one: millrace consume TOPIC --group NAME\n");
    return MR_OK;
}

static int run_list(struct mr_config *config, char **rest, int rest_count)
{
    rd_kafka_event_t *event = NULL;
    struct kafka_tool tool = { 0 };
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = kafka_tool_open(&tool, RD_KAFKA_CONSUMER, config, no_making, NULL, &err);

    MR_UNUSED(rest);
    MR_UNUSED(rest_count);
    if (status == MR_OK)
        status = ask(&tool, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, send_list, NULL, "list groups", &event, &err);
    if (status == MR_OK)
        status = print_groups(&tool, event, command_json(config), &err);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    kafka_tool_close(&tool);
    return status == MR_OK ? EXIT_DONE : command_fail(&err);
}

/* ---- describe ---- */

static json_t *assignment_json(const rd_kafka_topic_partition_list_t *list)
{
    json_t *all = json_array();

    for (int i = 0; list != NULL && i < list->cnt; i++)
        json_array_append_new(
            all, json_pack("{s:s, s:i}", "topic", list->elems[i].topic, "partition", (int)list->elems[i].partition));
    return all;
}

static json_t *member_json(const rd_kafka_MemberDescription_t *member)
{
    const rd_kafka_MemberAssignment_t *assignment = rd_kafka_MemberDescription_assignment(member);

    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "member", list_text(rd_kafka_MemberDescription_consumer_id(member)),
                     "client", list_text(rd_kafka_MemberDescription_client_id(member)), "host",
                     list_text(rd_kafka_MemberDescription_host(member)), "instance",
                     list_text(rd_kafka_MemberDescription_group_instance_id(member)), "assignment",
                     assignment_json(assignment ? rd_kafka_MemberAssignment_partitions(assignment) : NULL));
}

/* The member of GROUP that has the partition of ROW, into ROW. */
static void add_owner(json_t *row, const json_t *members)
{
    const char *topic = json_string_value(json_object_get(row, "topic"));
    json_int_t partition = json_integer_value(json_object_get(row, "partition"));
    const json_t *member, *part;
    size_t i, j;

    json_array_foreach(members, i, member)
    {
        json_array_foreach(json_object_get(member, "assignment"), j, part)
        {
            if (json_integer_value(json_object_get(part, "partition")) == partition &&
                strcmp(json_string_value(json_object_get(part, "topic")), topic) == 0) {
                json_object_set(row, "member", json_object_get(member, "member"));
                json_object_set(row, "client", json_object_get(member, "client"));
                json_object_set(row, "host", json_object_get(member, "host"));
            }
        }
    }
}

/* What is committed, and what is assigned though nothing is committed yet; only of topics that are there. */
static rd_kafka_topic_partition_list_t *partitions_of(const rd_kafka_topic_partition_list_t *committed,
                                                      const json_t *members, const struct rd_kafka_metadata *metadata)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    const json_t *member, *part;
    size_t i, j;

    for (int n = 0; committed != NULL && n < committed->cnt; n++) {
        const rd_kafka_topic_partition_t *p = &committed->elems[n];

        if (kafka_tool_topic(metadata, p->topic) != NULL)
            rd_kafka_topic_partition_list_add(list, p->topic, p->partition);
    }
    json_array_foreach(members, i, member)
    {
        json_array_foreach(json_object_get(member, "assignment"), j, part)
        {
            const char *topic = json_string_value(json_object_get(part, "topic"));
            int32_t partition = (int32_t)json_integer_value(json_object_get(part, "partition"));

            if (kafka_tool_topic(metadata, topic) != NULL &&
                rd_kafka_topic_partition_list_find(list, topic, partition) == NULL)
                rd_kafka_topic_partition_list_add(list, topic, partition);
        }
    }
    rd_kafka_topic_partition_list_sort(list, NULL, NULL);
    for (int n = 0; n < list->cnt; n++)
        list->elems[n].offset = RD_KAFKA_OFFSET_END;
    return list;
}

static enum mr_status add_partitions(struct kafka_tool *tool, json_t *group,
                                     const rd_kafka_topic_partition_list_t *committed, struct mr_err *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    const json_t *members = json_object_get(group, "members");
    rd_kafka_topic_partition_list_t *end;
    json_t *rows = json_array();
    json_int_t lag = 0;
    enum mr_status status = kafka_tool_metadata(tool, NULL, &metadata, err);

    json_object_set_new(group, "partitions", rows);
    if (status != MR_OK)
        return status;
    end = partitions_of(committed, members, metadata);
    status = kafka_tool_offsets(tool, end, err);
    for (int i = 0; i < end->cnt && status == MR_OK; i++) {
        const rd_kafka_topic_partition_t *e = &end->elems[i];
        rd_kafka_topic_partition_list_t *all = (rd_kafka_topic_partition_list_t *)committed;
        const rd_kafka_topic_partition_t *c =
            all ? rd_kafka_topic_partition_list_find(all, e->topic, e->partition) : NULL;
        bool known = c != NULL && c->offset >= 0;
        json_t *row = json_pack("{s:s, s:i}", "topic", e->topic, "partition", (int)e->partition);

        json_object_set_new(row, "committed", known ? json_integer(c->offset) : json_null());
        json_object_set_new(row, "end", json_integer(e->offset));
        json_object_set_new(row, "lag", known ? json_integer(e->offset - c->offset) : json_null());
        lag += known && e->offset > c->offset ? e->offset - c->offset : 0;
        add_owner(row, members);
        json_array_append_new(rows, row);
    }
    json_object_set_new(group, "lag", json_integer(lag));
    rd_kafka_topic_partition_list_destroy(end);
    rd_kafka_metadata_destroy(metadata);
    return status;
}

static enum mr_status describe_members(struct kafka_tool *tool, const char *name, json_t **out, struct mr_err *err)
{
    rd_kafka_event_t *event = NULL;
    enum mr_status status =
        ask(tool, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, send_describe, (char *)name, "describe group", &event, err);
    const rd_kafka_ConsumerGroupDescription_t *group = NULL;
    json_t *members;
    size_t count = 0;

    if (status != MR_OK)
        return status;
    group =
        rd_kafka_DescribeConsumerGroups_result_groups(rd_kafka_event_DescribeConsumerGroups_result(event), &count)[0];
    if (rd_kafka_ConsumerGroupDescription_error(group) != NULL) {
        const rd_kafka_error_t *error = rd_kafka_ConsumerGroupDescription_error(group);

        status =
            kafka_tool_error(tool, rd_kafka_error_code(error), rd_kafka_error_string(error), err, "group \"%s\"", name);
        rd_kafka_event_destroy(event);
        return status;
    }
    members = json_array();
    for (size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(group); i++)
        json_array_append_new(members, member_json(rd_kafka_ConsumerGroupDescription_member(group, i)));
    *out = json_pack("{s:o, s:s, s:o, s:o}", "group", list_text(name), "state",
                     rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupDescription_state(group)), "assignor",
                     list_text(rd_kafka_ConsumerGroupDescription_partition_assignor(group)), "members", members);
    rd_kafka_event_destroy(event);
    return MR_OK;
}

static enum mr_status describe_offsets(struct kafka_tool *tool, const char *name, json_t *group, struct mr_err *err)
{
    rd_kafka_event_t *event = NULL;
    const rd_kafka_group_result_t *result;
    size_t count = 0;
    enum mr_status status = ask(tool, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, send_offsets, (char *)name,
                                "positions of the group", &event, err);

    if (status != MR_OK)
        return status;
    result = rd_kafka_ListConsumerGroupOffsets_result_groups(rd_kafka_event_ListConsumerGroupOffsets_result(event),
                                                             &count)[0];
    if (rd_kafka_group_result_error(result) != NULL)
        status =
            kafka_tool_error(tool, rd_kafka_error_code(rd_kafka_group_result_error(result)),
                             rd_kafka_error_string(rd_kafka_group_result_error(result)), err, "group \"%s\"", name);
    else
        status = add_partitions(tool, group, rd_kafka_group_result_partitions(result), err);
    rd_kafka_event_destroy(event);
    if (status == MR_OK && strcmp(json_string_value(json_object_get(group, "state")), "Dead") == 0 &&
        json_array_size(json_object_get(group, "partitions")) == 0)
        status =
            mr_err_set(err, MR_NOT_FOUND, "there is no group \"%s\"; millrace group list shows those there are", name);
    return status;
}

static void print_group(const json_t *group)
{
    static const struct list_column columns[] = {
        { "topic", NULL, false }, { "partition", NULL, true }, { "committed", NULL, true }, { "end", NULL, true },
        { "lag", NULL, true },    { "client", NULL, false },   { "host", NULL, false },     { "member", NULL, false },
    };
    const char *assignor = json_string_value(json_object_get(group, "assignor"));
    size_t members = json_array_size(json_object_get(group, "members"));
    struct list_output *output = list_output_new(columns, MR_COUNT(columns), false, stdout);
    const json_t *row;
    size_t i;

    printf("group %s: %s, %zu member%s%s%s, lag %" JSON_INTEGER_FORMAT "\n",
           json_string_value(json_object_get(group, "group")), json_string_value(json_object_get(group, "state")),
           members, members == 1 ? "" : "s", assignor && assignor[0] ? ", " : "", assignor ? assignor : "",
           json_integer_value(json_object_get(group, "lag")));
    if (json_array_size(json_object_get(group, "partitions")) > 0)
        printf("\n");
    json_array_foreach(json_object_get(group, "partitions"), i, row)
        list_output_add(output, json_incref((json_t *)row));
    list_output_finish(output);
}

static int run_describe(struct mr_config *config, char **rest, int rest_count)
{
    struct kafka_tool tool = { 0 };
    struct mr_err err = MR_ERR_INIT;
    enum mr_status status = kafka_tool_open(&tool, RD_KAFKA_CONSUMER, config, no_making, NULL, &err);

    for (int i = 0; i < rest_count && status == MR_OK; i++) {
        json_t *group = NULL;

        status = describe_members(&tool, rest[i], &group, &err);
        if (status == MR_OK)
            status = describe_offsets(&tool, rest[i], group, &err);
        if (status == MR_OK && command_json(config)) {
            list_json_print(group, stdout);
        } else if (status == MR_OK) {
            printf("%s", i > 0 ? "\n" : "");
            print_group(group);
        }
        json_decref(group);
    }
    kafka_tool_close(&tool);
    return status == MR_OK ? EXIT_DONE : command_fail(&err);
}

/* ---- the noun ---- */

static const struct command group_list = {
    .name = "list",
    .summary = "List consumer groups and their states",
    .usage = "millrace group list [OPTION...]",
    .example = "  millrace group list",
    .options = options,
    .option_count = MR_COUNT(options),
    .run = run_list,
};

static const struct command group_describe = {
    .name = "describe",
    .summary = "Show a group's members, positions and lag",
    .usage = "millrace group describe NAME... [OPTION...]",
    .text = "lag is how many records of a partition come after what the group has committed.",
    .example = "  millrace group describe report --output json | jq .lag",
    .options = options,
    .option_count = MR_COUNT(options),
    .rest_min = 1,
    .rest_max = 1000,
    .words = "group",
    .run = run_describe,
};

static const struct command *const verbs[] = { &group_list, &group_describe, NULL };

const struct command command_group = {
    .name = "group",
    .summary = "List and describe consumer groups and their lag",
    .usage = "millrace group VERB [OPTION...]",
    .text = "Works with the log of the running server, or with any Kafka: --kafka HOST:PORT.",
    .example = "  millrace group list\n  millrace group describe report",
    .verbs = verbs,
};

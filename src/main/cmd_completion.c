/* cmd_completion.c -- millrace completion: scripts for shells, which ask the program itself what may come next.
 *
 * `millrace completion candidates -- WORD...` prints a candidate a line, with a tab and what it means; nothing means
 * that files are meant.  The last word is the one being typed.  So the scripts never grow old, and topics, queries and
 * DAGs of the running server are offered by name. */
#include "base/text.h"
#include "main/api_client.h"
#include "main/command.h"
#include "main/kafka_tool.h"

#include <stdio.h>
#include <string.h>

enum { ANSWER_MS = 2000 };

static const char bash_script[] =
    "# bash completion for millrace; load it with: source <(millrace completion bash)\n"
    "_millrace() {\n"
    "    local line cur=${COMP_WORDS[COMP_CWORD]}\n"
    "    COMPREPLY=()\n"
    "    while IFS= read -r line; do\n"
    "        COMPREPLY+=(\"${line%%$'\\t'*}\")\n"
    "    done < <(\"${COMP_WORDS[0]}\" completion candidates -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
    "    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == \"$cur\"/ ]]; then compopt -o nospace; fi\n"
    "}\n"
    "complete -o bashdefault -o default -F _millrace millrace\n";

static const char zsh_script[] =
    "#compdef millrace\n"
    "# zsh completion for millrace; load it with: source <(millrace completion zsh)\n"
    "_millrace() {\n"
    "    local line\n"
    "    local -a found\n"
    "    for line in \"${(@f)$(\"${words[1]}\" completion candidates -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\"; "
    "do\n"
    "        [[ -n $line ]] || continue\n"
    "        line=${line//:/\\\\:}\n"
    "        found+=(\"${line/$'\\t'/:}\")\n"
    "    done\n"
    "    if (( ${#found} )); then _describe -V millrace found; else _files; fi\n"
    "}\n"
    "if [[ ${funcstack[1]} == _millrace ]]; then _millrace \"$@\"; else compdef _millrace millrace; fi\n";

static const char fish_script[] =
    "# fish completion for millrace; load it with: millrace completion fish | source\n"
    "function __millrace_candidates\n"
    "    set -l words (commandline -opc)\n"
    "    set -l current (commandline -ct)\n"
    "    $words[1] completion candidates -- $words[2..-1] \"$current\" 2>/dev/null\n"
    "end\n"
    "complete -c millrace -n 'test (count (__millrace_candidates)) -gt 0' -f -a '(__millrace_candidates)'\n";

/* ---- candidates ---- */

static void offer(const char *prefix, const char *name, const char *meaning)
{
    if (strncmp(name, prefix, strlen(prefix)) == 0)
        printf("%s\t%s\n", name, meaning);
}

static void offer_choices(const char *prefix, const char *choices)
{
    char *text = mr_strdup(choices);
    char *rest = NULL;

    for (char *choice = strtok_r(text, "|", &rest); choice != NULL; choice = strtok_r(NULL, "|", &rest))
        offer(prefix, choice, "");
    mr_free(text);
}

static void offer_commands(const char *prefix, const struct command *const *commands)
{
    for (; *commands != NULL; commands++)
        offer(prefix, (*commands)->name, (*commands)->summary);
}

static void offer_flags(const char *prefix, const struct command *command)
{
    for (size_t i = 0; i < command->option_count; i++) {
        char flag[128];

        if (command->options[i].flag == NULL)
            continue;
        snprintf(flag, sizeof(flag), "--%s", command->options[i].flag);
        offer(prefix, flag, command->options[i].help);
    }
    offer(prefix, "--help", "Print the options");
}

static void offer_topics(const char *prefix, const struct mr_config *config)
{
    const struct rd_kafka_metadata *metadata = NULL;
    struct kafka_tool tool = { 0 };

    if (kafka_tool_open(&tool, RD_KAFKA_CONSUMER, config, NULL, NULL, NULL) == MR_OK &&
        kafka_tool_metadata(&tool, NULL, &metadata, NULL) == MR_OK) {
        for (int i = 0; i < metadata->topic_cnt; i++) {
            const char *topic = metadata->topics[i].topic;

            if (prefix[0] == '_' || strncmp(topic, "__", 2) != 0)
                offer(prefix, topic, "topic");
        }
        rd_kafka_metadata_destroy(metadata);
    }
    kafka_tool_close(&tool);
}

static void offer_groups(const char *prefix, const struct mr_config *config)
{
    const struct rd_kafka_group_list *list = NULL;
    struct kafka_tool tool = { 0 };

    if (kafka_tool_open(&tool, RD_KAFKA_CONSUMER, config, NULL, NULL, NULL) == MR_OK &&
        rd_kafka_list_groups(tool.handle, NULL, &list, ANSWER_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        for (int i = 0; i < list->group_cnt; i++)
            offer(prefix, list->groups[i].group, list->groups[i].state);
        rd_kafka_group_list_destroy(list);
    }
    kafka_tool_close(&tool);
}

/* Names from the server: member NAME of each object in LIST of what PATH answers. */
static void offer_from_server(const char *prefix, const struct mr_config *config, const char *path, const char *list,
                              const char *name, const char *meaning)
{
    json_t *answer = NULL;
    const json_t *row;
    size_t i;

    if (api_call(config, false, path, NULL, &answer, NULL) != MR_OK)
        return;
    json_array_foreach(api_list(answer, list), i, row)
    {
        if (json_is_string(json_object_get(row, name)))
            offer(prefix, json_string_value(json_object_get(row, name)), meaning);
    }
    json_decref(answer);
}

static void offer_words(const char *prefix, const struct command *command, const struct mr_config *config)
{
    if (command->words == NULL)
        return;
    if (strchr(command->words, '|') != NULL)
        offer_choices(prefix, command->words);
    else if (strcmp(command->words, "topic") == 0)
        offer_topics(prefix, config);
    else if (strcmp(command->words, "group") == 0)
        offer_groups(prefix, config);
    else if (strcmp(command->words, "query") == 0)
        offer_from_server(prefix, config, "/api/queries", "queries", "name", "query");
    else if (strcmp(command->words, "dag") == 0)
        offer_from_server(prefix, config, "/api/dags", "dags", "id", "DAG");
}

/* The option of COMMAND that WORD ("--output", "-o") names and that wants a value; NULL: none. */
static const struct mr_option *valued_option(const struct command *command, const char *word)
{
    for (size_t i = 0; i < command->option_count; i++) {
        const struct mr_option *o = &command->options[i];

        if (o->kind == MR_OPTION_FLAG)
            continue;
        if (o->flag != NULL && strncmp(word, "--", 2) == 0 && strcmp(word + 2, o->flag) == 0)
            return o;
        if (o->short_flag != 0 && word[0] == '-' && word[1] == o->short_flag && word[2] == '\0')
            return o;
    }
    return NULL;
}

/* WORDS behind the command and its verb; the last one is being typed. */
static void offer_arguments(const struct command *command, char **words, int count)
{
    const char *prefix = words[count - 1];
    struct mr_config *config = mr_config_new(command->options, command->option_count);
    char **rest = mr_calloc((size_t)count + 1, sizeof(*rest));
    const struct mr_option *option = NULL;
    int before = count - 2;
    int rest_count = 0;

    if (strcmp(prefix, "=") == 0) /* bash has "--output", "=", "js" for --output=js */
        prefix = "";
    else if (before > 0 && strcmp(words[before], "=") == 0)
        before--;
    if (before >= 0)
        option = valued_option(command, words[before]);
    if (option != NULL) {
        if (option->choices != NULL)
            offer_choices(prefix, option->choices);
    } else if (prefix[0] == '-') {
        offer_flags(prefix, command);
    } else if (mr_config_read_flags(config, count - 1, words, rest, &rest_count, NULL) == MR_OK &&
               (rest_count == 0 || strstr(command->usage, "NAME...") != NULL ||
                strstr(command->usage, "DAG...") != NULL)) {
        offer_words(prefix, command, config);
    }
    mr_free(rest);
    mr_config_free(config);
}

static const struct command *find(const char *name, const struct command *const *commands)
{
    for (; *commands != NULL; commands++) {
        if (strcmp((*commands)->name, name) == 0)
            return *commands;
    }
    return NULL;
}

static void offer_next(char **words, int count)
{
    const struct command *command;

    if (count == 0)
        return;
    if (count == 1) {
        offer_commands(words[0], commands_all);
        if (words[0][0] == '-') {
            offer(words[0], "--help", "Print the commands");
            offer(words[0], "--version", "Print the version");
        }
        return;
    }
    command = find(words[0], commands_all);
    if (command != NULL && command->verbs != NULL) {
        if (count == 2) {
            offer_commands(words[1], command->verbs);
            return;
        }
        command = find(words[1], command->verbs);
        words++;
        count--;
    }
    if (command != NULL)
        offer_arguments(command, words + 1, count - 1);
}

static int run(struct mr_config *config, char **rest, int rest_count)
{
    static const struct {
        const char *shell;
        const char *script;
    } scripts[] = { { "bash", bash_script }, { "zsh", zsh_script }, { "fish", fish_script } };

    MR_UNUSED(config);
    if (strcmp(rest[0], "candidates") == 0) {
        offer_next(rest + 1, rest_count - 1);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < MR_COUNT(scripts) && rest_count == 1; i++) {
        if (strcmp(rest[0], scripts[i].shell) == 0) {
            printf("%s", scripts[i].script);
            return EXIT_DONE;
        }
    }
    return command_usage("there is no completion for \"%s\"; there is for bash, zsh and fish", rest[0]);
}

const struct command command_completion = {
    .name = "completion",
    .summary = "Print the completion script for a shell",
    .usage = "millrace completion bash|zsh|fish",
    .text = "Commands, options and the names of topics, queries and DAGs of the running server are completed.",
    .example =
        "  source <(millrace completion bash)\n  millrace completion fish > ~/.config/fish/completions/millrace.fish",
    .rest_min = 1,
    .rest_max = 1000,
    .words = "bash|zsh|fish",
    .run = run,
};

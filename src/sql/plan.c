/* plan.c -- a bound query as text: the canonical plan, kept with checkpoints and compared at the next start, and
 * EXPLAIN.
 *
 * In the canonical plan stand what rows are read, what is computed and where it goes.  How fast, how often and at which
 * address (options scan.*, sink.*, properties.*, contact points, a URL's host, users) may change between two runs
 * of a query; that the records are still the same ones is checked by their checksums when it resumes. */
#include "sql/plan_int.h"

#include <string.h>

#include "sql/expr_int.h"
#include "sql/plan_text_int.h"

static bool option_in_plan(const char *name)
{
    static const char *const kept[] = { "connector", "format",   "value.format", "url",         "topic",
                                        "path",      "keyspace", "table",        "json.records" };
    static const char *const formats[] = { "json.", "csv.", "raw.", "key.", "value." };

    for (size_t i = 0; i < MR_COUNT(kept); i++)
        if (strcmp(name, kept[i]) == 0)
            return true;
    for (size_t i = 0; i < MR_COUNT(formats); i++)
        if (strncmp(name, formats[i], strlen(formats[i])) == 0 && strcmp(name, "key.fields") != 0)
            return true;
    return false;
}

/* Options whose values are secrets never leave the session. */
static bool option_secret(const char *name)
{
    static const char *const parts[] = { "password",   "secret",        "token",  "jaas",
                                         "credential", "authorization", "apikey", "api-key" };

    for (size_t i = 0; i < MR_COUNT(parts); i++)
        if (strcasestr(name, parts[i]) != NULL)
            return true;
    return false;
}

/* Of a URL only what follows the host: addresses may change. */
static const char *option_value(const struct sql_option *option)
{
    const char *host = strcmp(option->name, "url") == 0 ? strstr(option->value, "://") : NULL;

    return host == NULL ? option->value : strchrnul(host + 3, '/');
}

static void table_write(struct mr_writer *out, const char *role, const struct sql_table *table)
{
    mr_write_text(out, "%s %s\n", role, table->name);
    for (uint32_t i = 0; i < table->option_count; i++)
        if (option_in_plan(table->options[i].name))
            mr_write_text(out, "  option %s = %s\n", table->options[i].name, option_value(&table->options[i]));
    for (uint32_t i = 0; i < table->row->field_count; i++) {
        mr_write_text(out, "  column %s ", table->row->fields[i].name.data);
        data_type_write(out, table->row->fields[i].type);
        if (table->columns[i].role == SQL_ROLE_METADATA)
            mr_write_text(out, " METADATA FROM '%s'%s", table->columns[i].metadata,
                          table->columns[i].is_virtual ? " VIRTUAL" : "");
        mr_write_u8(out, '\n');
    }
    for (uint32_t i = 0; i < table->primary_key_count; i++)
        mr_write_text(out, "  key %s\n", table->row->fields[table->primary_key[i]].name.data);
}

static const char *text_end(struct mr_arena *arena, struct mr_writer *out)
{
    const char *text = mr_arena_str(arena, mr_str_of_bytes(mr_writer_bytes(out))).data;

    mr_writer_deinit(out);
    return text;
}

const char *sql_plan_text(struct mr_arena *arena, const struct sql_query *query)
{
    struct mr_writer out = { 0 };

    mr_write_text(&out, "millrace plan 1\n");
    for (uint32_t i = 0; i < query->source_count; i++) {
        const struct sql_source *source = &query->sources[i];
        if (source->table != NULL) {
            table_write(&out, "source", source->table);
            continue;
        }
        mr_write_text(&out, "source of %u rows\n", source->row_count);
        for (uint32_t v = 0; v < source->row_count * source->row->field_count; v++) {
            mr_write_text(&out, "  value ");
            sql_expr_write(&out, source->values[v], source->row);
            mr_write_u8(&out, '\n');
        }
    }
    for (uint32_t i = 0; i < query->output_count; i++) {
        const struct sql_output *output = &query->outputs[i];
        const struct sql_source *source = &query->sources[output->source];
        if (output->sink != NULL)
            table_write(&out, "sink", output->sink);
        mr_write_text(&out, "output %u from source %u\n", i + 1, output->source + 1);
        if (output->filter != NULL) {
            mr_write_text(&out, "  where ");
            sql_expr_write(&out, output->filter, source->row);
            mr_write_u8(&out, '\n');
        }
        for (uint32_t c = 0; c < output->row->field_count; c++) {
            mr_write_text(&out, "  %s = ", output->row->fields[c].name.data);
            sql_expr_write(&out, output->columns[c], source->row);
            mr_write_u8(&out, '\n');
        }
        if (output->limit >= 0)
            mr_write_text(&out, "  limit %" PRId64 "\n", output->limit);
    }
    return text_end(arena, &out);
}

static void explain_table(struct mr_writer *out, const struct sql_table *table)
{
    mr_write_text(out, "%s (%s", table->name, table->connector->name);
    for (uint32_t i = 0; i < table->option_count; i++)
        if (strcmp(table->options[i].name, "connector") != 0)
            mr_write_text(out, ", %s = %s", table->options[i].name,
                          option_secret(table->options[i].name) ? "…" : table->options[i].value);
    mr_write_text(out, ")\n");
}

static void explain_output(struct mr_writer *out, const struct sql_query *query, const struct sql_output *output)
{
    const struct sql_source *source = &query->sources[output->source];
    const char *separator = "";

    if (output->sink != NULL) {
        mr_write_text(out, "Sink ");
        explain_table(out, output->sink);
    } else {
        mr_write_text(out, "Result\n");
    }
    if (output->limit >= 0)
        mr_write_text(out, "+- Limit %" PRId64 "\n", output->limit);
    mr_write_text(out, "+- Project\n");
    for (uint32_t c = 0; c < output->row->field_count; c++) {
        mr_write_text(out, "|    %s = ", output->row->fields[c].name.data);
        sql_expr_write(out, output->columns[c], source->row);
        mr_write_u8(out, '\n');
    }
    if (output->filter != NULL) {
        mr_write_text(out, "+- Filter ");
        sql_expr_write(out, output->filter, source->row);
        mr_write_u8(out, '\n');
    }
    if (source->table == NULL) {
        mr_write_text(out, "+- Values (%u row%s)\n", source->row_count, source->row_count == 1 ? "" : "s");
        return;
    }
    mr_write_text(out, "+- Source ");
    explain_table(out, source->table);
    mr_write_text(out, "     columns read: ");
    for (uint32_t c = 0; c < source->row->field_count; c++) {
        if (!source->wanted[c])
            continue;
        mr_write_text(out, "%s%s", separator, source->row->fields[c].name.data);
        separator = ", ";
    }
    mr_write_text(out, "%s\n", separator[0] == '\0' ? "none" : "");
}

static const char *setting_text(const struct sql_query *query, const char *name)
{
    const char *value = sql_query_setting(query, name);

    return value != NULL ? value : "";
}

/* What a source's position in the checkpoint is, by its connector. */
static const char *position_text(const struct sql_table *table)
{
    static const struct {
        const char *connector, *what;
    } kept[] = {
        { "kafka", "offset and write-time clock of each partition" },
        { "http", "page" },
        { "file", "byte" },
        { "cassandra", "page of the scan" },
        { "datagen", "row number and seed" },
    };

    for (size_t i = 0; i < MR_COUNT(kept); i++)
        if (strcmp(table->connector->name, kept[i].connector) == 0)
            return kept[i].what;
    return "position";
}

/* Do all its sources name a log of their own, whose groups then keep their positions? */
static bool explain_shares(const struct sql_query *query)
{
    const struct connector_context none = { 0 };

    for (uint32_t i = 0; i < query->source_count; i++) {
        const struct sql_table *table = query->sources[i].table;
        const struct connector_source_ops *ops = table != NULL ? table->connector->source : NULL;
        if (ops == NULL || ops->shareable == NULL || !ops->shareable(&table->connector_table, &none))
            return false;
    }
    return query->source_count > 0;
}

/* How it runs, and what is found again after a restart. */
static void explain_query(struct mr_writer *out, const struct sql_query *query)
{
    const char *mode = setting_text(query, "execution.runtime-mode");
    const char *separator = "";
    bool keyed = true;

    mr_write_text(out, "Runs on one thread%s%s%s\n", query->source_count > 1 ? ", its sources in turn" : "",
                  query->output_count > 1 ? "; every record is read once for all sinks" : "",
                  strcmp(mode, "batch") == 0 ? "; ends with the records that are there now" : "");
    if (query->kind == SQL_SELECT) {
        mr_write_text(out, "Checkpoint: none, a SELECT starts anew\n");
        return;
    }
    for (uint32_t i = 0; i < query->output_count; i++)
        keyed = keyed && query->outputs[i].sink != NULL && query->outputs[i].sink->primary_key_count != 0;
    mr_write_text(out, "Checkpoint every %s%s: ", setting_text(query, "execution.checkpointing.interval"),
                  keyed ? "" : ", and after each flush");
    for (uint32_t i = 0; i < query->source_count; i++) {
        const struct sql_table *table = query->sources[i].table;
        mr_write_text(out, "%s%s", separator, table != NULL ? position_text(table) : "whether the rows were written");
        if (table != NULL)
            mr_write_text(out, " of %s", table->name);
        separator = "; ";
    }
    if (explain_shares(query))
        mr_write_text(out, "\nShared: other processes that run it take some of the partitions, by the group's offsets");
    mr_write_text(out, "\nState: none; after a crash rows are written again%s\n",
                  keyed ? ", by key and with the same write times: nothing is there twice"
                        : ": some may be there twice, for a sink has no PRIMARY KEY");
    mr_write_text(out, "Bad records: 'records.on-error' = '%s'\n", setting_text(query, "records.on-error"));
}

const char *sql_explain_text(struct mr_arena *arena, const struct sql_query *query)
{
    struct mr_writer out = { 0 };

    for (uint32_t i = 0; i < query->output_count; i++)
        explain_output(&out, query, &query->outputs[i]);
    explain_query(&out, query);
    return text_end(arena, &out);
}

const char *sql_query_setting(const struct sql_query *query, const char *name)
{
    for (uint32_t i = 0; i < query->setting_count; i++)
        if (strcmp(query->settings[i].name, name) == 0)
            return query->settings[i].value;
    return NULL;
}

/* The next line of *AT, which moves on. */
static struct mr_str line_next(const char **at)
{
    const char *end = strchrnul(*at, '\n');
    struct mr_str line = { *at, (size_t)(end - *at) };

    *at = *end == '\0' ? end : end + 1;
    return line;
}

static bool line_in(struct mr_str line, const char *text)
{
    while (*text != '\0')
        if (mr_str_equal(line_next(&text), line))
            return true;
    return false;
}

bool sql_plan_difference(struct mr_writer *out, const char *stored, const char *now)
{
    size_t before = out->size;

    if (strcmp(stored, now) == 0)
        return false;
    for (const char *at = stored; *at != '\0';) {
        struct mr_str line = line_next(&at);
        if (!line_in(line, now))
            mr_write_text(out, "- %.*s\n", MR_STR_ARG(line));
    }
    for (const char *at = now; *at != '\0';) {
        struct mr_str line = line_next(&at);
        if (!line_in(line, stored))
            mr_write_text(out, "+ %.*s\n", MR_STR_ARG(line));
    }
    if (out->size == before)
        mr_write_text(out, "the same lines in another order\n");
    return true;
}

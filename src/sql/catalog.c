/* catalog.c -- the tables and settings of a session.  Dropped tables stay until the session ends: bound queries use
 * them. */
#include "sql/catalog_int.h"

#include "base/env.h"
#include "base/text.h"
#include "base/zone.h"

#include <string.h>

static const struct sql_setting settings[] = {
    { "pipeline.name", NULL, NULL, false, false,
      "The name of the queries that follow: the key of their checkpoint, dead letters, group and metrics." },
    { "records.on-error", "dlq", "dlq|fail|skip", false, false,
      "A record that can't be read, cast or written: to the dead-letter topic, stops the query, or is only counted." },
    { "records.dlq.topic", NULL, NULL, false, false, "The dead-letter topic; without it the query's name and .dlq." },
    { "execution.runtime-mode", "streaming", "streaming|batch", false, false,
      "batch: a query ends when it has read what was there when it began." },
    { "execution.checkpointing.interval", "1 s", NULL, true, false,
      "The longest time from one checkpoint to the next under load; with little to do it is less." },
    { "table.local-time-zone", "UTC", NULL, false, true,
      "The zone in which TIMESTAMP_LTZ values are shown, read and become dates; set it before CREATE TABLE." },
    { "parallelism.default", "1", "1", false, false, "How many tasks run a query: one in this version." },
};

const struct sql_setting *sql_settings(size_t *count)
{
    *count = MR_COUNT(settings);
    return settings;
}

int sql_setting_find(struct mr_str name)
{
    for (size_t i = 0; i < MR_COUNT(settings); i++)
        if (mr_str_equal(name, mr_str_of(settings[i].name)))
            return (int)i;
    return -1;
}

void sql_settings_write(struct mr_writer *out)
{
    mr_write_text(out, "| setting | default | values | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < MR_COUNT(settings); i++) {
        const char *values = settings[i].choices       ? settings[i].choices
                             : settings[i].is_duration ? "a duration"
                             : settings[i].is_zone     ? "a time zone"
                                                       : "text";

        mr_write_text(out, "| `%s` | %s | ", settings[i].name,
                      settings[i].default_value ? settings[i].default_value : "");
        mr_write_cell(out, mr_str_of(values));
        mr_write_text(out, " | ");
        mr_write_cell(out, mr_str_of(settings[i].help));
        mr_write_text(out, " |\n");
    }
}

void sql_catalog_init(struct sql_catalog *catalog, const struct connector *const *connectors)
{
    memset(catalog, 0, sizeof(*catalog));
    catalog->connectors = connectors;
    catalog->zones = mr_arena_new();
    catalog->values = mr_calloc(MR_COUNT(settings), sizeof(*catalog->values));
}

void sql_catalog_deinit(struct sql_catalog *catalog)
{
    for (size_t i = 0; i < catalog->entry_count; i++)
        sql_catalog_entry_free(catalog->entries[i]);
    for (size_t i = 0; i < MR_COUNT(settings); i++)
        mr_free(catalog->values[i]);
    for (size_t i = 0; i < catalog->override_count; i++) {
        mr_free(catalog->overrides[i].table);
        mr_free(catalog->overrides[i].option);
        mr_free(catalog->overrides[i].value);
        mr_free(catalog->overrides[i].name);
    }
    mr_free(catalog->overrides);
    mr_free(catalog->zone_name);
    mr_arena_free(catalog->zones);
    mr_free(catalog->entries);
    mr_free(catalog->values);
}

struct sql_table *sql_catalog_find(const struct sql_catalog *catalog, struct mr_str name)
{
    for (size_t i = catalog->entry_count; i-- > 0;)
        if (!catalog->entries[i]->table.dropped && mr_str_equal(name, mr_str_of(catalog->entries[i]->table.name)))
            return &catalog->entries[i]->table;
    return NULL;
}

struct sql_catalog_entry *sql_catalog_entry_new(void)
{
    struct sql_catalog_entry *entry = MR_NEW(struct sql_catalog_entry);

    entry->arena = mr_arena_new();
    return entry;
}

void sql_catalog_entry_free(struct sql_catalog_entry *entry)
{
    if (entry == NULL)
        return;
    mr_arena_free(entry->arena);
    mr_free(entry);
}

void sql_catalog_add(struct sql_catalog *catalog, struct sql_catalog_entry *entry)
{
    MR_GROW(catalog->entries, catalog->entry_count, catalog->entry_capacity);
    catalog->entries[catalog->entry_count++] = entry;
}

const char **sql_catalog_names(const struct sql_catalog *catalog, struct mr_arena *arena, size_t *count)
{
    const char **names = MR_ARENA_ARRAY(arena, const char *, catalog->entry_count + 1);

    *count = 0;
    for (size_t i = 0; i < catalog->entry_count; i++)
        if (!catalog->entries[i]->table.dropped)
            names[(*count)++] = catalog->entries[i]->table.name;
    return names;
}

void sql_catalog_set(struct sql_catalog *catalog, int setting, struct mr_str value)
{
    assert(setting >= 0 && (size_t)setting < MR_COUNT(settings));
    mr_free(catalog->values[setting]);
    catalog->values[setting] = value.data == NULL ? NULL : mr_str_dup(value);
}

const char *sql_catalog_value(const struct sql_catalog *catalog, int setting)
{
    return catalog->values[setting] != NULL ? catalog->values[setting] : settings[setting].default_value;
}

enum mr_status sql_catalog_zone(struct sql_catalog *catalog, const struct mr_zone **out, struct mr_err *err)
{
    const char *name = sql_catalog_value(catalog, sql_setting_find(MR_STR("table.local-time-zone")));

    if (catalog->zone_name == NULL || strcmp(name, catalog->zone_name) != 0) {
        enum mr_status status = mr_zone_load(&catalog->zone, catalog->zones, mr_env_real(), mr_str_of(name), err);
        if (status != MR_OK)
            return status;
        mr_free(catalog->zone_name);
        catalog->zone_name = mr_strdup(name);
    }
    *out = catalog->zone;
    return MR_OK;
}

struct sql_catalog_mark sql_catalog_mark(const struct sql_catalog *catalog)
{
    struct sql_catalog_mark mark = { .entry_count = catalog->entry_count };

    mark.dropped = mr_calloc(catalog->entry_count + 1, sizeof(*mark.dropped));
    mark.values = mr_calloc(MR_COUNT(settings), sizeof(*mark.values));
    for (size_t i = 0; i < catalog->entry_count; i++)
        mark.dropped[i] = catalog->entries[i]->table.dropped;
    for (size_t i = 0; i < MR_COUNT(settings); i++)
        mark.values[i] = catalog->values[i] == NULL ? NULL : mr_strdup(catalog->values[i]);
    return mark;
}

void sql_catalog_restore(struct sql_catalog *catalog, struct sql_catalog_mark *mark)
{
    while (catalog->entry_count > mark->entry_count)
        sql_catalog_entry_free(catalog->entries[--catalog->entry_count]);
    for (size_t i = 0; i < catalog->entry_count; i++)
        catalog->entries[i]->table.dropped = mark->dropped[i];
    for (size_t i = 0; i < MR_COUNT(settings); i++) {
        mr_free(catalog->values[i]);
        catalog->values[i] = mark->values[i];
        mark->values[i] = NULL;
    }
    sql_catalog_mark_free(mark);
}

void sql_catalog_mark_free(struct sql_catalog_mark *mark)
{
    for (size_t i = 0; i < MR_COUNT(settings); i++)
        mr_free(mark->values[i]);
    mr_free(mark->values);
    mr_free(mark->dropped);
}

const char *sql_table_option(const struct sql_table *table, const char *name)
{
    for (uint32_t i = 0; i < table->option_count; i++)
        if (strcmp(table->options[i].name, name) == 0)
            return table->options[i].value;
    for (const struct connector_option *option = table->connector->options; option->name != NULL; option++)
        if (strcmp(option->name, name) == 0)
            return option->default_value;
    return NULL;
}

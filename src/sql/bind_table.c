/* bind_table.c -- CREATE TABLE: columns, key, and options against the connector's own table of them. */
#include <string.h>

#include "sql/bind_int.h"

/* Options of the json format that Flink has.  ALLOWED: the one value that means what we do. */
static const struct {
    const char *name;
    const char *allowed; /* NULL: any */
    const char *advice;
} json_options[] = {
    { "json.ignore-parse-errors", "false",
      "nothing is dropped silently here; what to do with a bad record says SET 'records.on-error' = 'dlq', 'fail' or "
      "'skip'" },
    { "json.fail-on-missing-field", "false",
      "a missing field is NULL; say NOT NULL in the column's type to refuse it" },
    { "json.timestamp-format.standard", NULL, NULL },
    { "json.map-null-key.mode", NULL, NULL },
    { "json.map-null-key.literal", NULL, NULL },
    { "json.encode.decimal-as-plain-number", NULL, NULL },
    { "json.encode.ignore-null-fields", "false", "NULL is always written as null" },
};

static const char *const other_connectors[] = { "upsert-kafka",    "jdbc",      "filesystem", "datagen",
                                                "elasticsearch-7", "hbase-2.2", "mysql-cdc",  "postgres-cdc",
                                                "mongodb",         "pulsar",    "kinesis",    "hive" };

static bool option_matches(const char *pattern, struct mr_str name)
{
    size_t size = strlen(pattern);

    if (size > 0 && pattern[size - 1] == '*') /* "properties.*": all that begin so */
        return name.size >= size && memcmp(pattern, name.data, size - 1) == 0;
    return mr_str_equal(name, mr_str_of(pattern));
}

static const struct sql_ast_option *option_find(const struct sql_ast_statement *s, const char *name)
{
    for (const struct sql_ast_option *option = s->options.first; option != NULL; option = option->next)
        if (mr_str_equal(option->key, mr_str_of(name)))
            return option;
    return NULL;
}

/* "a, b, c": the connectors there are. */
static const char *connector_names(struct sql_bind *bind, const char ***out, size_t *out_count)
{
    const char **names;
    const char *text = "";
    size_t count = 0;

    while (bind->catalog->connectors[count] != NULL)
        count++;
    names = MR_ARENA_ARRAY(bind->arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++) {
        names[i] = bind->catalog->connectors[i]->name;
        text = mr_arena_printf(bind->arena, "%s%s%s", text, i > 0 ? ", " : "", names[i]);
    }
    *out = names;
    *out_count = count;
    return text;
}

static enum mr_status bind_connector(struct sql_bind *bind, const struct sql_ast_statement *s,
                                     const struct connector **out)
{
    const struct sql_ast_option *option = option_find(s, "connector");
    const char **names = NULL;
    size_t count = 0;
    const char *list = connector_names(bind, &names, &count);

    if (option == NULL)
        return sql_bind_fail(bind, MR_INVALID, s->name.loc,
                             "table %.*s: the option 'connector' is missing; there are %s", MR_STR_ARG(s->name.text),
                             list);
    for (size_t i = 0; i < count; i++) {
        if (mr_str_equal(option->value, mr_str_of(names[i]))) {
            *out = bind->catalog->connectors[i];
            return MR_OK;
        }
    }
    for (size_t i = 0; i < MR_COUNT(other_connectors); i++)
        if (mr_str_equal(option->value, mr_str_of(other_connectors[i])))
            return sql_bind_fail(bind, MR_UNSUPPORTED, option->value_loc,
                                 "the connector \"%s\" is not there in this version; there are %s", other_connectors[i],
                                 list);
    if (sql_bind_hint(bind, option->value, names, count)[0] != '\0')
        return sql_bind_fail(bind, MR_INVALID, option->value_loc, "no connector \"%.*s\"%s", MR_STR_ARG(option->value),
                             sql_bind_hint(bind, option->value, names, count));
    return sql_bind_fail(bind, MR_INVALID, option->value_loc, "no connector \"%.*s\"; there are %s",
                         MR_STR_ARG(option->value), list);
}

/* 'format' of the connector, or an option of the format itself; *MINE: it is one. */
static enum mr_status bind_format_option(struct sql_bind *bind, const struct connector *connector,
                                         const struct sql_ast_option *option, bool *mine)
{
    *mine = true;
    if (mr_str_equal(option->key, MR_STR("format")) || mr_str_equal(option->key, MR_STR("value.format"))) {
        if (!mr_str_equal(option->value, MR_STR("json")))
            return sql_bind_fail(bind, MR_UNSUPPORTED, option->value_loc,
                                 "the format \"%.*s\" is not there in this version; there is json",
                                 MR_STR_ARG(option->value));
        if (connector->raw)
            return sql_bind_fail(bind, MR_INVALID, option->key_loc, "connector \"%s\" takes no 'format'",
                                 connector->name);
        return MR_OK;
    }
    for (size_t i = 0; i < MR_COUNT(json_options) && !connector->raw; i++) {
        if (!mr_str_equal(option->key, mr_str_of(json_options[i].name)))
            continue;
        if (json_options[i].allowed != NULL && !mr_str_equal_nocase(option->value, mr_str_of(json_options[i].allowed)))
            return sql_bind_fail(bind, MR_UNSUPPORTED, option->key_loc, "option \"%s\" = \"%.*s\" is not there: %s",
                                 json_options[i].name, MR_STR_ARG(option->value), json_options[i].advice);
        return MR_OK;
    }
    *mine = false;
    return MR_OK;
}

static enum mr_status bind_option_unknown(struct sql_bind *bind, const struct connector *connector,
                                          const struct sql_ast_option *option)
{
    const char **names;
    size_t count = 0;

    for (const struct connector_option *known = connector->options; known->name != NULL; known++)
        count++;
    names = MR_ARENA_ARRAY(bind->arena, const char *, count + MR_COUNT(json_options) + 2);
    for (size_t i = 0; i < count; i++)
        names[i] = connector->options[i].name;
    names[count++] = "connector";
    if (!connector->raw) {
        names[count++] = "format";
        for (size_t i = 0; i < MR_COUNT(json_options); i++)
            names[count++] = json_options[i].name;
    }
    return sql_bind_fail(bind, MR_INVALID, option->key_loc, "unknown option \"%.*s\" of connector \"%s\"%s",
                         MR_STR_ARG(option->key), connector->name, sql_bind_hint(bind, option->key, names, count));
}

static enum mr_status bind_option(struct sql_bind *bind, const struct connector *connector,
                                  const struct sql_ast_statement *s, const struct sql_ast_option *option)
{
    bool mine = false;
    enum mr_status status;

    for (const struct sql_ast_option *other = s->options.first; other != option; other = other->next)
        if (mr_str_equal(other->key, option->key))
            return sql_bind_fail(bind, MR_INVALID, option->key_loc, "option \"%.*s\" stands here twice",
                                 MR_STR_ARG(option->key));
    if (memchr(option->value.data, '\0', option->value.size) || memchr(option->key.data, '\0', option->key.size))
        return sql_bind_fail(bind, MR_INVALID, option->key_loc, "an option can't hold the character NUL");
    if (mr_str_equal(option->key, MR_STR("connector")))
        return MR_OK;
    for (const struct connector_option *known = connector->options; known->name != NULL; known++)
        if (option_matches(known->name, option->key))
            return MR_OK;
    status = bind_format_option(bind, connector, option, &mine);
    if (status != MR_OK || mine)
        return status;
    return bind_option_unknown(bind, connector, option);
}

static enum mr_status bind_options(struct sql_bind *bind, const struct connector *connector,
                                   const struct sql_ast_statement *s, struct sql_catalog_entry *entry)
{
    struct sql_option *options = MR_ARENA_ARRAY(entry->arena, struct sql_option, s->options.count);
    uint32_t count = 0;
    bool has_format = false;

    for (const struct sql_ast_option *option = s->options.first; option != NULL; option = option->next) {
        enum mr_status status = bind_option(bind, connector, s, option);
        if (status != MR_OK)
            return status;
        if (mr_str_equal(option->key, MR_STR("format")) || mr_str_equal(option->key, MR_STR("value.format")))
            has_format = true;
        options[count].name = mr_arena_str(entry->arena, option->key).data;
        options[count++].value = mr_arena_str(entry->arena, option->value).data;
    }
    for (const struct connector_option *known = connector->options; known->name != NULL; known++)
        if (known->required && option_find(s, known->name) == NULL)
            return sql_bind_fail(bind, MR_INVALID, s->name.loc,
                                 "table %.*s: connector \"%s\" needs the option '%s': %s", MR_STR_ARG(s->name.text),
                                 connector->name, known->name, known->help);
    if (!connector->raw && !has_format)
        return sql_bind_fail(bind, MR_INVALID, s->name.loc,
                             "table %.*s: connector \"%s\" needs the option 'format' = 'json'",
                             MR_STR_ARG(s->name.text), connector->name);
    entry->table.format = connector->raw ? NULL : "json";
    entry->table.options = options;
    entry->table.option_count = count;
    return MR_OK;
}

/* The key's columns are NOT NULL, said or not, as in Flink. */
static enum mr_status bind_key(struct sql_bind *bind, const struct sql_ast_statement *s, struct data_field *fields,
                               uint32_t count, struct sql_catalog_entry *entry)
{
    struct sql_table *table = &entry->table;
    const struct data_type all = { .kind = DATA_ROW, .field_count = count, .fields = fields };

    table->primary_key = MR_ARENA_ARRAY(entry->arena, uint32_t, s->table.key.count + 1);
    for (const struct sql_ast_name *name = s->table.key.first; name != NULL; name = name->next) {
        int index = data_type_field(&all, name->text);
        if (index < 0)
            return sql_bind_fail(bind, MR_INVALID, name->loc, "PRIMARY KEY: no column \"%.*s\" in %s%s",
                                 MR_STR_ARG(name->text), table->name, sql_bind_field_hint(bind, name->text, &all));
        for (uint32_t i = 0; i < table->primary_key_count; i++)
            if (table->primary_key[i] == (uint32_t)index)
                return sql_bind_fail(bind, MR_INVALID, name->loc, "PRIMARY KEY: \"%.*s\" stands here twice",
                                     MR_STR_ARG(name->text));
        table->primary_key[table->primary_key_count++] = (uint32_t)index;
        fields[index].type = data_type_with_nullable(entry->arena, fields[index].type, false);
    }
    return MR_OK;
}

static enum mr_status bind_columns(struct sql_bind *bind, const struct sql_ast_statement *s,
                                   struct sql_catalog_entry *entry)
{
    struct data_field *fields;
    uint32_t count = 0;
    enum mr_status status;

    if (s->table.columns.count == 0)
        return sql_bind_fail(bind, MR_INVALID, s->name.loc, "table %.*s has no columns", MR_STR_ARG(s->name.text));
    if (s->table.columns.count > DATA_FIELDS_MAX)
        return sql_bind_fail(bind, MR_LIMIT, s->name.loc, "a table has at most %d columns", DATA_FIELDS_MAX);
    fields = MR_ARENA_ARRAY(entry->arena, struct data_field, s->table.columns.count);
    for (const struct sql_ast_field *column = s->table.columns.first; column != NULL; column = column->next) {
        for (uint32_t i = 0; i < count; i++)
            if (mr_str_equal(fields[i].name, column->name))
                return sql_bind_fail(bind, MR_INVALID, column->loc, "the column \"%.*s\" stands here twice",
                                     MR_STR_ARG(column->name));
        if (column->column_kind != SQL_COLUMN_PHYSICAL)
            return sql_bind_fail(bind, MR_UNSUPPORTED, column->loc, "%s columns are not there in this version",
                                 column->column_kind == SQL_COLUMN_METADATA ? "METADATA" : "computed");
        status = sql_bind_type_check(bind, column->type, 1);
        if (status != MR_OK)
            return status;
        fields[count].name = mr_arena_str(entry->arena, column->name);
        fields[count++].type = sql_bind_type(bind, entry->arena, column->type);
    }
    status = bind_key(bind, s, fields, count, entry);
    if (status == MR_OK)
        entry->table.row = data_type_row(entry->arena, fields, count, false);
    return status;
}

static const char *table_option(const struct connector_table *table, const char *name)
{
    return sql_table_option(table->engine, name);
}

/* The options with the session's overrides in them. */
static struct sql_ast_options options_overridden(struct sql_bind *bind, const struct sql_ast_statement *s)
{
    struct sql_ast_options options = { 0 };

    for (const struct sql_ast_option *option = s->options.first; option != NULL; option = option->next) {
        struct sql_ast_option *copy = MR_ARENA_NEW(bind->arena, struct sql_ast_option);
        *copy = *option;
        copy->next = NULL;
        SQL_LIST_PUSH(&options, copy);
    }
    for (size_t i = 0; i < bind->catalog->override_count; i++) {
        struct sql_override *override = &bind->catalog->overrides[i];
        struct sql_ast_option *option = options.first;
        if (!mr_str_equal(s->name.text, mr_str_of(override->table)))
            continue;
        override->used = true;
        while (option != NULL && !mr_str_equal(option->key, mr_str_of(override->option)))
            option = option->next;
        if (option == NULL) {
            option = MR_ARENA_NEW(bind->arena, struct sql_ast_option);
            option->key = mr_arena_str(bind->arena, mr_str_of(override->option));
            option->key_loc = option->value_loc = s->name.loc;
            SQL_LIST_PUSH(&options, option);
        }
        option->value = mr_arena_str(bind->arena, mr_str_of(override->value));
    }
    return options;
}

enum mr_status sql_bind_table(struct sql_bind *bind, const struct sql_ast_statement *statement)
{
    struct sql_ast_statement written = *statement;
    const struct sql_ast_statement *s = &written;
    struct sql_catalog_entry *entry;
    const struct connector *connector = NULL;
    struct sql_table *table;
    enum mr_status status;

    if (sql_catalog_find(bind->catalog, s->name.text) != NULL) {
        if (s->conditional)
            return MR_OK;
        return sql_bind_fail(bind, MR_EXISTS, s->name.loc, "there is a table %.*s already", MR_STR_ARG(s->name.text));
    }
    written.options = options_overridden(bind, statement);
    entry = sql_catalog_entry_new();
    table = &entry->table;
    table->name = mr_arena_str(entry->arena, s->name.text).data;
    status = bind_columns(bind, s, entry);
    if (status == MR_OK)
        status = bind_connector(bind, s, &connector);
    if (status == MR_OK)
        status = bind_options(bind, connector, s, entry);
    if (status != MR_OK) {
        sql_catalog_entry_free(entry);
        return status;
    }
    table->connector = connector;
    table->text =
        mr_arena_str(entry->arena, (struct mr_str){ bind->source_text.data + s->loc.begin, s->loc.end - s->loc.begin })
            .data;
    table->connector_table = (struct connector_table){ .name = table->name,
                                                       .row = table->row,
                                                       .primary_key = table->primary_key,
                                                       .primary_key_count = table->primary_key_count,
                                                       .option = table_option,
                                                       .engine = table };
    sql_catalog_add(bind->catalog, entry);
    return MR_OK;
}

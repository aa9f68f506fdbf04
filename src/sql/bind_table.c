/* bind_table.c -- CREATE TABLE: columns, key, and options against the connector's own table of them. */
#include <string.h>

#include "sql/bind_int.h"

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

/* NAME without "key." or "value." in front. */
static struct mr_str option_base(struct mr_str name)
{
    static const char *const prefixes[] = { "key.", "value." };

    for (size_t i = 0; i < MR_COUNT(prefixes); i++) {
        size_t size = strlen(prefixes[i]);
        if (name.size > size && memcmp(name.data, prefixes[i], size) == 0)
            return (struct mr_str){ name.data + size, name.size - size };
    }
    return name;
}

/* 'format' of the connector, or an option of the format itself; *MINE: it is one. */
static enum mr_status bind_format_option(struct sql_bind *bind, const struct connector *connector,
                                         const struct sql_ast_option *option, bool *mine)
{
    struct mr_str base = option_base(option->key);
    enum data_format_kind kind;

    *mine = true;
    if (mr_str_equal(option->key, MR_STR("format")) || mr_str_equal(option->key, MR_STR("value.format"))) {
        if (!data_format_find(option->value, &kind))
            return sql_bind_fail(bind, MR_UNSUPPORTED, option->value_loc,
                                 "the format \"%.*s\" is not there in this version; there are json, csv and raw",
                                 MR_STR_ARG(option->value));
        if (connector->raw)
            return sql_bind_fail(bind, MR_INVALID, option->key_loc, "connector \"%s\" takes no 'format'",
                                 connector->name);
        return MR_OK;
    }
    for (const struct data_format_option *known = data_format_options(); known->name != NULL && !connector->raw;
         known++) {
        if (!mr_str_equal(base, mr_str_of(known->name)))
            continue;
        if (known->allowed != NULL && !mr_str_equal_nocase(option->value, mr_str_of(known->allowed)))
            return sql_bind_fail(bind, MR_UNSUPPORTED, option->key_loc, "option \"%.*s\" = \"%.*s\" is not there: %s",
                                 MR_STR_ARG(option->key), MR_STR_ARG(option->value), known->help);
        return MR_OK;
    }
    *mine = false;
    return MR_OK;
}

static enum mr_status bind_option_unknown(struct sql_bind *bind, const struct connector *connector,
                                          const struct sql_ast_option *option)
{
    const char **names;
    size_t count = 0, format_count = 0;

    for (const struct connector_option *known = connector->options; known->name != NULL; known++)
        count++;
    while (data_format_options()[format_count].name != NULL)
        format_count++;
    names = MR_ARENA_ARRAY(bind->arena, const char *, count + format_count + 2);
    for (size_t i = 0; i < count; i++)
        names[i] = connector->options[i].name;
    names[count++] = "connector";
    if (!connector->raw) {
        names[count++] = "format";
        for (size_t i = 0; i < format_count; i++)
            names[count++] = data_format_options()[i].name;
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

/* "fields.COLUMN…": such options are about a column of the table, and end with what is said of it. */
static enum mr_status bind_field_option(struct sql_bind *bind, const struct sql_ast_option *option,
                                        const struct data_type *row)
{
    static const char *const facts[] = { "kind", "min", "max", "start", "end", "length", "null-rate", "max-past" };
    struct mr_str key = option->key, prefix = MR_STR("fields.");
    bool column = false, fact = false;

    if (key.size < prefix.size || memcmp(key.data, prefix.data, prefix.size) != 0)
        return MR_OK;
    for (uint32_t i = 0; i < row->field_count; i++) {
        struct mr_str name = row->fields[i].name;
        column = column || (key.size > prefix.size + name.size && key.data[prefix.size + name.size] == '.' &&
                            memcmp(key.data + prefix.size, name.data, name.size) == 0);
    }
    if (!column)
        return sql_bind_fail(bind, MR_INVALID, option->key_loc, "option \"%.*s\": the table has no such column",
                             MR_STR_ARG(key));
    for (size_t i = 0; i < MR_COUNT(facts); i++) {
        size_t size = strlen(facts[i]);
        fact = fact || (key.size > size && key.data[key.size - size - 1] == '.' &&
                        memcmp(key.data + key.size - size, facts[i], size) == 0);
    }
    if (!fact)
        return sql_bind_fail(bind, MR_INVALID, option->key_loc,
                             "option \"%.*s\" ends with none of .kind, .min, .max, .start, .end, .length, .null-rate, "
                             ".max-past",
                             MR_STR_ARG(key));
    return MR_OK;
}

static enum mr_status bind_options(struct sql_bind *bind, const struct connector *connector,
                                   const struct sql_ast_statement *s, struct sql_catalog_entry *entry)
{
    struct sql_option *options = MR_ARENA_ARRAY(entry->arena, struct sql_option, s->options.count);
    uint32_t count = 0;
    bool has_format = false;

    for (const struct sql_ast_option *option = s->options.first; option != NULL; option = option->next) {
        enum mr_status status = bind_option(bind, connector, s, option);
        if (status == MR_OK)
            status = bind_field_option(bind, option, entry->table.row);
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
        if (column->column_kind == SQL_COLUMN_COMPUTED)
            return sql_bind_fail(bind, MR_UNSUPPORTED, column->loc,
                                 "computed columns (name AS expression) are not there in this version; write the "
                                 "expression in the SELECT");
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

/* ---- formats and METADATA ---- */

static bool metadata_type_fits(const struct connector_metadata *known, const struct data_type *type)
{
    if (type->kind == DATA_MAP)
        return known->kinds[0] == DATA_MAP && type->fields[1].type->kind == DATA_BYTES;
    for (size_t i = 0; i < MR_COUNT(known->kinds) && known->kinds[i] != DATA_NULL; i++)
        if (known->kinds[i] == type->kind)
            return true;
    return false;
}

/* name TYPE METADATA [FROM 'key'] [VIRTUAL] */
static enum mr_status bind_metadata(struct sql_bind *bind, const struct connector *connector,
                                    const struct sql_ast_field *column, const struct data_type *type,
                                    struct sql_column *out)
{
    struct mr_str key = column->metadata.data != NULL ? column->metadata : column->name;
    const struct connector_metadata *known = connector->metadata;
    const char *list = "";

    for (; known != NULL && known->name != NULL && !mr_str_equal(key, mr_str_of(known->name)); known++)
        list = mr_arena_printf(bind->arena, "%s%s%s", list, list[0] == '\0' ? "" : ", ", known->name);
    if (known == NULL)
        return sql_bind_fail(bind, MR_INVALID, column->loc, "connector \"%s\" has no metadata", connector->name);
    if (known->name == NULL)
        return sql_bind_fail(bind, MR_INVALID, column->loc, "no metadata '%.*s' of connector \"%s\"; there are %s",
                             MR_STR_ARG(key), connector->name, list);
    if (!metadata_type_fits(known, type))
        return sql_bind_fail(bind, MR_INVALID, column->loc, "metadata '%s' can't be %s; it is %s%s", known->name,
                             data_type_text(bind->arena, type), data_kind_name(known->kinds[0]),
                             known->kinds[0] == DATA_MAP ? "<STRING, BYTES>" : "");
    *out = (struct sql_column){ .role = SQL_ROLE_METADATA, .metadata = known->name, .is_virtual = column->is_virtual };
    return MR_OK;
}

static const char *format_option(const void *table, const char *name)
{
    return sql_table_option(table, name);
}

/* The columns of 'key.fields' become the key's alone when the value is to be without them. */
static enum mr_status bind_key_fields(struct sql_bind *bind, const struct sql_ast_statement *s, struct sql_table *table,
                                      struct sql_column *columns)
{
    const char *include = sql_table_option(table, "value.fields-include");
    const char *fields = sql_table_option(table, "key.fields");
    const char *prefix = sql_table_option(table, "key.fields-prefix");
    size_t prefix_size = prefix == NULL ? 0 : strlen(prefix);
    bool apart = include != NULL && strcmp(include, "EXCEPT_KEY") == 0;

    if (include != NULL && !apart && strcmp(include, "ALL") != 0)
        return sql_bind_fail(bind, MR_INVALID, s->name.loc, "'value.fields-include' is 'ALL' or 'EXCEPT_KEY'");
    if (fields == NULL || fields[0] == '\0') {
        if (apart || sql_table_option(table, "key.format") != NULL)
            return sql_bind_fail(bind, MR_INVALID, s->name.loc, "the key's columns are missing: 'key.fields' = 'a;b'");
        return MR_OK;
    }
    if (prefix_size != 0 && !apart)
        return sql_bind_fail(bind, MR_INVALID, s->name.loc,
                             "'key.fields-prefix' wants 'value.fields-include' = 'EXCEPT_KEY'");
    while (fields != NULL) {
        const char *end = strchrnul(fields, ';');
        struct mr_str name = { fields, (size_t)(end - fields) };
        int index;

        for (; name.size > 0 && name.data[0] == ' '; name.size--)
            name.data++;
        while (name.size > 0 && name.data[name.size - 1] == ' ')
            name.size--;
        index = data_type_field(table->row, name);
        if (index < 0 || columns[index].role == SQL_ROLE_METADATA)
            return sql_bind_fail(bind, MR_INVALID, s->name.loc, "'key.fields': no column \"%.*s\" in %s%s",
                                 MR_STR_ARG(name), table->name, sql_bind_field_hint(bind, name, table->row));
        if (name.size < prefix_size || memcmp(name.data, prefix, prefix_size) != 0)
            return sql_bind_fail(bind, MR_INVALID, s->name.loc, "column \"%.*s\" does not begin with '%s'",
                                 MR_STR_ARG(name), prefix);
        if (apart)
            columns[index].role = SQL_ROLE_KEY;
        columns[index].key_name = (struct mr_str){ table->row->fields[index].name.data + prefix_size,
                                                   table->row->fields[index].name.size - prefix_size };
        fields = *end == ';' ? end + 1 : NULL;
    }
    return MR_OK;
}

/* The formats of value and key. */
static enum mr_status bind_formats(struct sql_bind *bind, const struct connector *connector,
                                   const struct sql_ast_statement *s, struct sql_table *table)
{
    static const char *const names[] = { "json", "csv", "raw" };
    const char *value = sql_table_option(table, "format"), *key = sql_table_option(table, "key.format");
    enum data_format_kind kind = DATA_FORMAT_JSON, key_kind = DATA_FORMAT_JSON;
    struct mr_err why = MR_ERR_INIT;
    bool prefixed = value == NULL;
    enum mr_status status = MR_OK;

    if (value == NULL)
        value = sql_table_option(table, "value.format");
    if (!connector->raw && value != NULL && !data_format_find(mr_str_of(value), &kind))
        assert(!"bind_format_option let no other through");
    if (key != NULL && !data_format_find(mr_str_of(key), &key_kind))
        return sql_bind_fail(bind, MR_UNSUPPORTED, s->name.loc,
                             "the format \"%s\" is not there in this version; there are json, csv and raw", key);
    if (!connector->raw)
        status = data_format_read(&table->value_format, kind, prefixed ? "value." : "", format_option, table, &why);
    else
        table->value_format = data_format_default(DATA_FORMAT_JSON);
    if (status == MR_OK)
        status = data_format_read(&table->key_format, key_kind, "key.", format_option, table, &why);
    if (status != MR_OK)
        return sql_bind_fail(bind, status, s->name.loc, "table %s: %s", table->name, why.text);
    table->format = connector->raw ? NULL : names[kind];
    return MR_OK;
}

/* Can the formats carry the columns that they are given? */
static enum mr_status bind_formats_check(struct sql_bind *bind, const struct sql_ast_statement *s,
                                         const struct sql_table *table)
{
    struct data_field *fields = MR_ARENA_ARRAY(bind->arena, struct data_field, table->row->field_count + 1);

    for (int part = 0; part < 2; part++) { /* the value, then the key */
        struct data_type row = { .kind = DATA_ROW, .fields = fields };
        struct mr_err why = MR_ERR_INIT;
        enum mr_status status;

        for (uint32_t i = 0; i < table->row->field_count; i++)
            if (part == 0 ? table->columns[i].role == SQL_ROLE_VALUE : table->columns[i].key_name.data != NULL)
                fields[row.field_count++] = table->row->fields[i];
        if (row.field_count == 0 && part == 1)
            continue;
        status = data_format_check(part == 0 ? &table->value_format : &table->key_format, &row, &why);
        if (status != MR_OK)
            return sql_bind_fail(bind, status, s->name.loc, "table %s%s: %s", table->name, part == 0 ? "" : ", key",
                                 why.text);
    }
    return MR_OK;
}

/* What the connector sees: all columns to read, those that are not virtual to write. */
static void connector_tables_make(struct sql_catalog_entry *entry)
{
    struct sql_table *table = &entry->table;
    uint32_t count = table->row->field_count, kept = 0;
    struct data_field *fields = MR_ARENA_ARRAY(entry->arena, struct data_field, count + 1);
    const char **metadata = MR_ARENA_ARRAY(entry->arena, const char *, count + 1);
    uint32_t *key = MR_ARENA_ARRAY(entry->arena, uint32_t, table->primary_key_count + 1);

    for (uint32_t i = 0; i < count; i++) {
        if (table->columns[i].is_virtual)
            continue;
        for (uint32_t k = 0; k < table->primary_key_count; k++)
            if (table->primary_key[k] == i)
                key[k] = kept;
        metadata[kept] = table->columns[i].metadata;
        fields[kept++] = table->row->fields[i];
    }
    table->sink_row = kept == count ? table->row : data_type_row(entry->arena, fields, kept, false);
    table->connector_table = (struct connector_table){ .name = table->name,
                                                       .row = table->row,
                                                       .primary_key = table->primary_key,
                                                       .primary_key_count = table->primary_key_count,
                                                       .option = table_option,
                                                       .engine = table,
                                                       .format = &table->value_format,
                                                       .key_format = &table->key_format };
    table->sink_table = table->connector_table;
    table->sink_table.row = table->sink_row;
    table->sink_table.primary_key = key;
    table->sink_table.metadata = metadata;
}

static enum mr_status bind_parts(struct sql_bind *bind, const struct connector *connector,
                                 const struct sql_ast_statement *s, struct sql_catalog_entry *entry)
{
    struct sql_table *table = &entry->table;
    struct sql_column *columns = MR_ARENA_ARRAY(entry->arena, struct sql_column, table->row->field_count + 1);
    enum mr_status status = MR_OK;
    uint32_t index = 0;

    for (const struct sql_ast_field *column = s->table.columns.first; column != NULL && status == MR_OK;
         column = column->next, index++)
        if (column->column_kind == SQL_COLUMN_METADATA)
            status = bind_metadata(bind, connector, column, table->row->fields[index].type, &columns[index]);
    if (status == MR_OK)
        status = bind_key_fields(bind, s, table, columns);
    table->columns = columns;
    table->zone = bind->zone;
    if (status == MR_OK)
        status = bind_formats(bind, connector, s, table);
    if (status == MR_OK)
        status = bind_formats_check(bind, s, table);
    return status;
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
    table->connector = connector;
    if (status == MR_OK)
        status = bind_parts(bind, connector, s, entry);
    if (status != MR_OK) {
        sql_catalog_entry_free(entry);
        return status;
    }
    table->text =
        mr_arena_str(entry->arena, (struct mr_str){ bind->source_text.data + s->loc.begin, s->loc.end - s->loc.begin })
            .data;
    connector_tables_make(entry);
    sql_catalog_add(bind->catalog, entry);
    return MR_OK;
}

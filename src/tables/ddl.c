/* ddl.c -- statements that change the schema: checked here, made durable by the server, then installed.
 *
 * One is under way at a time (the server's queue sees to that), so what was checked still holds when it is installed.
 */
#include "tables/ddl_int.h"
#include "tables/system_int.h"

#include "base/env.h"
#include "base/text.h"

#include <string.h>

enum mr_status ddl_fail(struct ddl *d, int32_t code, enum mr_status status)
{
    *d->code = code;
    return status;
}

static bool name_is_valid(struct mr_str name)
{
    size_t i;

    if (name.size == 0 || name.size > SCHEMA_NAME_BYTES_MAX)
        return false;
    assert(name.data != NULL); /* the grammar gives every statement its names */
    for (i = 0; i < name.size; i++) {
        char c = name.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}

enum mr_status ddl_check_name(struct ddl *d, const char *what, struct mr_str name)
{
    if (name_is_valid(name))
        return MR_OK;
    mr_err_set(
        d->err, MR_INVALID,
        "%s name must not be empty or not contain non-alphanumeric-underscore characters (got \"%.*s\"), nor have "
        "more than %d characters",
        what, MR_STR_ARG(name), SCHEMA_NAME_BYTES_MAX);
    return ddl_fail(d, CQL_ERR_INVALID, MR_INVALID);
}

/* ---- what to write and to tell ---- */

void ddl_begin(struct ddl *d, uint32_t mutations_max, uint32_t events_max)
{
    d->out->mutations = MR_ARENA_ARRAY(d->arena, struct store_mutation, mutations_max + 1);
    d->out->events = MR_ARENA_ARRAY(d->arena, struct cql_schema_change, events_max + 1);
    d->out->store_id_next = d->schema->store_id_next;
    mr_random_uuid(d->env, d->out->version);
}

void ddl_put_meta(struct ddl *d, struct mr_bytes key, struct mr_writer *w)
{
    struct store_mutation *m = &d->out->mutations[d->out->mutation_count++];

    m->kind = w != NULL ? STORE_META_PUT : STORE_META_DELETE;
    m->meta_key = key;
    if (w != NULL) {
        m->meta_value = mr_arena_bytes(d->arena, mr_writer_bytes(w));
        mr_writer_deinit(w);
    }
}

void ddl_put_state(struct ddl *d)
{
    struct mr_writer w = { 0 };

    schema_state_encode(&w, d->out->store_id_next, d->out->version, d->schema->host_id);
    ddl_put_meta(d, schema_state_meta_key(), &w);
}

static void drop_rows(struct ddl *d, uint32_t store_id)
{
    struct store_mutation *m = &d->out->mutations[d->out->mutation_count++];

    m->kind = STORE_DROP_TABLE;
    m->key.table_id = store_id;
}

void ddl_add_event(struct ddl *d, const char *change, const char *target, struct mr_str keyspace, struct mr_str name)
{
    d->out->events[d->out->event_count++] =
        (struct cql_schema_change){ mr_str_of(change), mr_str_of(target), mr_arena_str(d->arena, keyspace),
                                    name.data != NULL ? mr_arena_str(d->arena, name) : MR_STR_NULL };
}

/* ---- keyspaces ---- */

enum mr_status ddl_check_replication(struct ddl *d, struct mr_bytes replication)
{
    struct mr_str class = schema_map_get(replication, MR_STR("class"));

    if (class.data == NULL) {
        mr_err_set(d->err, MR_INVALID, "Missing replication strategy class");
        return ddl_fail(d, CQL_ERR_CONFIG, MR_INVALID);
    }
    if (mr_str_equal(class, MR_STR("org.apache.cassandra.locator.NetworkTopologyStrategy")))
        return MR_OK;
    if (!mr_str_equal(class, MR_STR("org.apache.cassandra.locator.SimpleStrategy"))) {
        mr_err_set(d->err, MR_INVALID, "Unable to find replication strategy class '%.*s'", MR_STR_ARG(class));
        return ddl_fail(d, CQL_ERR_CONFIG, MR_INVALID);
    }
    if (schema_map_get(replication, MR_STR("replication_factor")).data == NULL) {
        mr_err_set(d->err, MR_INVALID, "SimpleStrategy requires a replication_factor strategy option.");
        return ddl_fail(d, CQL_ERR_CONFIG, MR_INVALID);
    }
    return MR_OK;
}

enum mr_status ddl_keyspace_properties(struct ddl *d, struct mr_bytes *replication, bool *durable)
{
    const struct ast_node *property;

    for (property = d->statement->properties.head; property != NULL; property = property->next) {
        if (mr_str_equal(property->name, MR_STR("replication")) && property->term->kind == AST_MAP) {
            if (schema_map_encode(property->term, "org.apache.cassandra.locator.", d->arena, replication, d->err) !=
                MR_OK)
                return ddl_fail(d, CQL_ERR_CONFIG, MR_INVALID);
        } else if (mr_str_equal(property->name, MR_STR("durable_writes"))) {
            *durable = !mr_str_equal_nocase(property->term->text, MR_STR("false"));
        } else {
            mr_err_set(d->err, MR_INVALID, "Unknown property '%.*s'", MR_STR_ARG(property->name));
            return ddl_fail(d, CQL_ERR_SYNTAX, MR_INVALID);
        }
    }
    if (replication->data == NULL) {
        mr_err_set(d->err, MR_INVALID, "Missing mandatory option 'replication'");
        return ddl_fail(d, CQL_ERR_CONFIG, MR_INVALID);
    }
    return ddl_check_replication(d, *replication);
}

static enum mr_status create_keyspace(struct ddl *d)
{
    struct mr_str name = d->statement->keyspace;
    struct mr_bytes replication = MR_BYTES_NULL;
    struct mr_writer w = { 0 };
    bool durable = true;
    enum mr_status status = ddl_check_name(d, "Keyspace", name);

    if (status == MR_OK)
        status = ddl_keyspace_properties(d, &replication, &durable);
    if (status != MR_OK)
        return status;
    if (schema_keyspace_find(d->schema, name) != NULL) {
        d->out->nothing = d->statement->if_clause;
        if (d->out->nothing)
            return MR_OK;
        mr_err_set(d->err, MR_EXISTS, "Cannot add existing keyspace \"%.*s\"", MR_STR_ARG(name));
        return ddl_fail(d, CQL_ERR_EXISTS, MR_EXISTS);
    }
    if (d->schema->keyspace_count >= SCHEMA_KEYSPACES_MAX) {
        mr_err_set(d->err, MR_LIMIT, "there may be at most %d keyspaces", SCHEMA_KEYSPACES_MAX);
        return ddl_fail(d, CQL_ERR_CONFIG, MR_LIMIT);
    }
    ddl_begin(d, 2, 1);
    d->out->keyspace_new = schema_keyspace_new(name, replication, durable);
    schema_keyspace_encode(&w, d->out->keyspace_new);
    ddl_put_meta(d, schema_keyspace_meta_key(d->arena, name), &w);
    ddl_put_state(d);
    ddl_add_event(d, "CREATED", "KEYSPACE", name, MR_STR_NULL);
    return MR_OK;
}

enum mr_status ddl_refuse_system(struct ddl *d, struct mr_str keyspace)
{
    if (!system_keyspace_is(keyspace))
        return MR_OK;
    mr_err_set(d->err, MR_DENIED, "%.*s keyspace is not user-modifiable.", MR_STR_ARG(keyspace));
    return ddl_fail(d, CQL_ERR_UNAUTHORIZED, MR_DENIED);
}

static enum mr_status drop_keyspace(struct ddl *d)
{
    struct mr_str name = d->statement->keyspace;
    const struct schema_keyspace *keyspace = schema_keyspace_find(d->schema, name);
    enum mr_status status = ddl_refuse_system(d, name);
    uint32_t i;

    if (status != MR_OK)
        return status;
    if (keyspace == NULL) {
        d->out->nothing = d->statement->if_clause;
        if (d->out->nothing)
            return MR_OK;
        mr_err_set(d->err, MR_NOT_FOUND, "Keyspace '%.*s' doesn't exist", MR_STR_ARG(name));
        return ddl_fail(d, CQL_ERR_INVALID, MR_NOT_FOUND);
    }
    ddl_begin(d, 2 * keyspace->table_count + 2, keyspace->table_count + 1);
    for (i = 0; i < keyspace->table_count; i++) {
        ddl_put_meta(d, schema_table_meta_key(d->arena, name, keyspace->tables[i]->name), NULL);
        drop_rows(d, keyspace->tables[i]->store_id);
        ddl_add_event(d, "DROPPED", "TABLE", name, keyspace->tables[i]->name);
    }
    ddl_put_meta(d, schema_keyspace_meta_key(d->arena, name), NULL);
    ddl_put_state(d);
    ddl_add_event(d, "DROPPED", "KEYSPACE", name, MR_STR_NULL);
    return MR_OK;
}

/* ---- tables ---- */

enum mr_status ddl_check_type(struct ddl *d, const struct ast_node *definition, const struct cql_type **out)
{
    enum mr_status status = schema_type_parse(definition->text, d->arena, out, d->err);
    struct mr_str unknown = MR_STR("Unknown type "), frozen = MR_STR("frozen<>");
    struct mr_str text = mr_str_of(d->err != NULL ? d->err->text : "");

    if (status == MR_INVALID && text.size > unknown.size && memcmp(text.data, unknown.data, unknown.size) == 0)
        mr_err_set(d->err, status, "Unknown type %.*s.%s", MR_STR_ARG(d->out->keyspace),
                   mr_arena_printf(d->arena, "%s", text.data + unknown.size));
    if (status == MR_INVALID && text.size > frozen.size && memcmp(text.data, frozen.data, frozen.size) == 0)
        return ddl_fail(d, CQL_ERR_SYNTAX, status);
    if (status == MR_OK && (*out)->code == CQL_COUNTER)
        status = mr_err_set(d->err, MR_UNSUPPORTED, "counters are not there in this version (column %.*s)",
                            MR_STR_ARG(definition->name));
    return status == MR_OK ? MR_OK : ddl_fail(d, CQL_ERR_INVALID, status);
}

static bool has_duration(const struct cql_type *type)
{
    bool has = type->code == CQL_DURATION;

    for (uint16_t i = 0; i < type->item_count && !has; i++)
        has = has_duration(type->items[i]);
    return has;
}

/* May COLUMN be a part of the primary key? */
static enum mr_status check_key_type(struct ddl *d, const struct schema_column *column)
{
    struct mr_str name = schema_type_name(column->type, d->arena);

    if (schema_is_multicell(column->type))
        mr_err_set(d->err, MR_INVALID, "Invalid non-frozen collection type %.*s for PRIMARY KEY column '%.*s'",
                   MR_STR_ARG(name), MR_STR_ARG(column->name));
    else if (has_duration(column->type))
        mr_err_set(d->err, MR_INVALID, "duration type is not supported for PRIMARY KEY column '%.*s'",
                   MR_STR_ARG(column->name));
    else
        return MR_OK;
    return ddl_fail(d, CQL_ERR_INVALID, MR_INVALID);
}

static struct schema_column *column_named(struct schema_column *columns, uint32_t count, struct mr_str name)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        if (mr_str_equal(columns[i].name, name))
            return &columns[i];
    }
    return NULL;
}

static enum mr_status mark_keys(struct ddl *d, struct schema_column *columns, uint32_t count,
                                const struct ast_node *part, enum schema_column_kind kind)
{
    uint32_t position = 0;

    for (; part != NULL; part = part->next) {
        struct schema_column *column = column_named(columns, count, part->name);

        if (column == NULL)
            mr_err_set(d->err, MR_INVALID, "Unknown column '%.*s' referenced in PRIMARY KEY for table '%.*s'",
                       MR_STR_ARG(part->name), MR_STR_ARG(d->statement->table));
        else if (column->kind != SCHEMA_REGULAR)
            mr_err_set(d->err, MR_INVALID, "Duplicate column '%.*s' in PRIMARY KEY clause for table '%.*s'",
                       MR_STR_ARG(part->name), MR_STR_ARG(d->statement->table));
        if (column == NULL || column->kind != SCHEMA_REGULAR || position >= SCHEMA_KEY_PARTS_MAX)
            return ddl_fail(d, CQL_ERR_INVALID, MR_INVALID);
        if (check_key_type(d, column) != MR_OK)
            return MR_INVALID;
        column->kind = kind;
        column->position = position++;
    }
    return MR_OK;
}

static enum mr_status mark_order(struct ddl *d, struct schema_column *columns, uint32_t count)
{
    const struct ast_node *item, *key = d->statement->clustering.head;

    for (item = d->statement->order.head; item != NULL; item = item->next, key = key != NULL ? key->next : NULL) {
        struct schema_column *column = column_named(columns, count, item->name);

        if (column == NULL || column->kind != SCHEMA_CLUSTERING) {
            mr_err_set(d->err, MR_INVALID,
                       "Only clustering key columns can be defined in CLUSTERING ORDER directive: "
                       "[%.*s] are not clustering columns",
                       MR_STR_ARG(item->name));
            return ddl_fail(d, CQL_ERR_INVALID, MR_INVALID);
        }
        if (key == NULL || !mr_str_equal(key->name, item->name)) {
            const struct ast_node *later = key != NULL ? item->next : NULL;

            while (later != NULL && !mr_str_equal(later->name, key->name))
                later = later->next;
            if (key == NULL)
                mr_err_set(d->err, MR_INVALID, "Duplicate column %.*s in the CLUSTERING ORDER directive",
                           MR_STR_ARG(item->name));
            else if (later == NULL)
                mr_err_set(d->err, MR_INVALID, "Missing CLUSTERING ORDER for column %.*s", MR_STR_ARG(key->name));
            else
                mr_err_set(d->err, MR_INVALID,
                           "The order of columns in the CLUSTERING ORDER directive must match that of the clustering "
                           "columns (%.*s must appear before %.*s)",
                           MR_STR_ARG(key->name), MR_STR_ARG(item->name));
            return ddl_fail(d, CQL_ERR_INVALID, MR_INVALID);
        }
        column->descending = item->descending;
    }
    return MR_OK;
}

/* The definitions as columns; MR_INVALID for what can't be a table. */
static enum mr_status make_columns(struct ddl *d, struct schema_column *columns, uint32_t *count)
{
    const struct ast_statement *s = d->statement;
    const struct ast_node *definition;
    uint32_t primary = s->primary_key_count;
    enum mr_status status = MR_OK;

    if (s->columns.count > SCHEMA_COLUMNS_MAX) {
        mr_err_set(d->err, MR_LIMIT, "a table may have at most %d columns", SCHEMA_COLUMNS_MAX);
        return ddl_fail(d, CQL_ERR_INVALID, MR_LIMIT);
    }
    *count = 0;
    for (definition = s->columns.head; definition != NULL && status == MR_OK; definition = definition->next) {
        struct schema_column *column = &columns[*count];

        status = ddl_check_name(d, "Column", definition->name);
        if (status == MR_OK && column_named(columns, *count, definition->name) != NULL) {
            mr_err_set(d->err, MR_INVALID, "Duplicate column '%.*s' declaration for table '%.*s'",
                       MR_STR_ARG(definition->name), MR_STR_ARG(s->table));
            return ddl_fail(d, CQL_ERR_INVALID, MR_INVALID);
        }
        if (status == MR_OK && definition->is_static) {
            mr_err_set(d->err, MR_UNSUPPORTED, "static columns are not there in this version");
            return ddl_fail(d, CQL_ERR_INVALID, MR_UNSUPPORTED);
        }
        *column = (struct schema_column){ .name = definition->name, .kind = SCHEMA_REGULAR, .id = *count };
        if (status == MR_OK)
            status = ddl_check_type(d, definition, &column->type);
        column->kind = definition->is_primary ? SCHEMA_PARTITION : SCHEMA_REGULAR;
        if (status == MR_OK && definition->is_primary)
            status = check_key_type(d, column);
        primary += definition->is_primary;
        (*count)++;
    }
    if (status == MR_OK && primary != 1) {
        mr_err_set(d->err, MR_INVALID,
                   primary == 0 ? "No PRIMARY KEY specified for table '%.*s' (exactly one required)"
                                : "Multiple PRIMARY KEYs specified for table '%.*s' (exactly one required)",
                   MR_STR_ARG(s->table));
        return ddl_fail(d, CQL_ERR_INVALID, MR_INVALID);
    }
    if (status == MR_OK)
        status = mark_keys(d, columns, *count, s->partition.head, SCHEMA_PARTITION);
    if (status == MR_OK)
        status = mark_keys(d, columns, *count, s->clustering.head, SCHEMA_CLUSTERING);
    return status == MR_OK ? mark_order(d, columns, *count) : status;
}

enum mr_status ddl_set_options(struct ddl *d, struct schema_table *table)
{
    const struct ast_node *property;

    for (property = d->statement->properties.head; property != NULL; property = property->next) {
        int index = schema_option_find(property->name);

        if (index < 0) {
            const char *names[SCHEMA_OPTIONS], *nearest;
            int i;

            for (i = 0; i < SCHEMA_OPTIONS; i++)
                names[i] = schema_options[i].name;
            nearest = mr_nearest(mr_arena_str(d->arena, property->name).data, names, SCHEMA_OPTIONS);
            mr_err_set(d->err, MR_INVALID, "Unknown property '%.*s'%s%s%s", MR_STR_ARG(property->name),
                       nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
            return ddl_fail(d, CQL_ERR_SYNTAX, MR_INVALID);
        }
        if (schema_option_encode((uint32_t)index, property->term, table->arena, &table->options[index], d->err) !=
            MR_OK)
            return ddl_fail(d, CQL_ERR_CONFIG, MR_INVALID);
        if (mr_str_equal(property->name, MR_STR("default_time_to_live")))
            table->default_ttl_s = mr_load_i32(table->options[index].data);
    }
    return MR_OK;
}

static enum mr_status find_keyspace(struct ddl *d, const struct schema_keyspace **out)
{
    struct mr_str name = d->out->keyspace;
    enum mr_status status;

    if (name.data == NULL) {
        mr_err_set(d->err, MR_INVALID,
                   "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename");
        return ddl_fail(d, CQL_ERR_INVALID, MR_INVALID);
    }
    status = ddl_refuse_system(d, name);
    *out = schema_keyspace_find(d->schema, name);
    return status;
}

static enum mr_status create_table(struct ddl *d)
{
    const struct ast_statement *s = d->statement;
    const struct schema_keyspace *keyspace;
    struct schema_column columns[SCHEMA_COLUMNS_MAX];
    struct mr_writer w = { 0 };
    uint32_t count = 0;
    enum mr_status status = find_keyspace(d, &keyspace);

    if (status == MR_OK && keyspace == NULL) {
        mr_err_set(d->err, MR_NOT_FOUND, "Keyspace '%.*s' doesn't exist", MR_STR_ARG(d->out->keyspace));
        return ddl_fail(d, CQL_ERR_CONFIG, MR_NOT_FOUND);
    }
    if (status == MR_OK)
        status = ddl_check_name(d, "Table", s->table);
    if (status == MR_OK && s->unsupported.data != NULL) {
        mr_err_set(d->err, MR_UNSUPPORTED, "%.*s is not there in this version", MR_STR_ARG(s->unsupported));
        return ddl_fail(d, CQL_ERR_INVALID, MR_UNSUPPORTED);
    }
    if (status == MR_OK)
        status = make_columns(d, columns, &count);
    if (status != MR_OK)
        return status;
    if (schema_table_find(keyspace, s->table) != NULL) {
        d->out->nothing = s->if_clause;
        if (d->out->nothing)
            return MR_OK;
        mr_err_set(d->err, MR_EXISTS, "Cannot add already existing table \"%.*s\" to keyspace \"%.*s\"",
                   MR_STR_ARG(s->table), MR_STR_ARG(d->out->keyspace));
        return ddl_fail(d, CQL_ERR_EXISTS, MR_EXISTS);
    }
    if (d->schema->table_count >= SCHEMA_TABLES_MAX || d->schema->store_id_next == UINT32_MAX) {
        mr_err_set(d->err, MR_LIMIT, "there may be at most %d tables", SCHEMA_TABLES_MAX);
        return ddl_fail(d, CQL_ERR_CONFIG, MR_LIMIT);
    }
    ddl_begin(d, 2, 1);
    d->out->table_new = schema_table_new(d->out->keyspace, s->table, columns, count);
    mr_random_uuid(d->env, d->out->table_new->id);
    d->out->table_new->store_id = d->out->store_id_next++;
    status = ddl_set_options(d, d->out->table_new);
    if (status != MR_OK)
        return status;
    schema_table_encode(&w, d->out->table_new);
    ddl_put_meta(d, schema_table_meta_key(d->arena, d->out->keyspace, s->table), &w);
    ddl_put_state(d);
    ddl_add_event(d, "CREATED", "TABLE", d->out->keyspace, s->table);
    return MR_OK;
}

enum mr_status ddl_find_table(struct ddl *d, struct schema_table **out)
{
    const struct schema_keyspace *keyspace;
    enum mr_status status = find_keyspace(d, &keyspace);

    *out = NULL;
    if (status != MR_OK)
        return status;
    if (keyspace == NULL && d->statement->kind == AST_TRUNCATE) {
        mr_err_set(d->err, MR_NOT_FOUND, "keyspace %.*s does not exist", MR_STR_ARG(d->out->keyspace));
        return ddl_fail(d, CQL_ERR_INVALID, MR_NOT_FOUND);
    }
    *out = keyspace != NULL ? schema_table_find(keyspace, d->statement->table) : NULL;
    return MR_OK;
}

static enum mr_status drop_table(struct ddl *d)
{
    struct schema_table *table;
    enum mr_status status = ddl_find_table(d, &table);

    if (status != MR_OK)
        return status;
    if (table == NULL) {
        d->out->nothing = d->statement->if_clause;
        if (d->out->nothing)
            return MR_OK;
        mr_err_set(d->err, MR_NOT_FOUND, "Table '%.*s.%.*s' doesn't exist", MR_STR_ARG(d->out->keyspace),
                   MR_STR_ARG(d->statement->table));
        return ddl_fail(d, CQL_ERR_INVALID, MR_NOT_FOUND);
    }
    ddl_begin(d, 3, 1);
    ddl_put_meta(d, schema_table_meta_key(d->arena, d->out->keyspace, table->name), NULL);
    drop_rows(d, table->store_id);
    ddl_put_state(d);
    ddl_add_event(d, "DROPPED", "TABLE", d->out->keyspace, table->name);
    return MR_OK;
}

static enum mr_status truncate_table(struct ddl *d)
{
    struct schema_table *table;
    struct mr_writer w = { 0 };
    uint32_t store_id;
    enum mr_status status = ddl_find_table(d, &table);

    if (status != MR_OK)
        return status;
    if (table == NULL) {
        mr_err_set(d->err, MR_NOT_FOUND, "table %.*s does not exist", MR_STR_ARG(d->statement->table));
        return ddl_fail(d, CQL_ERR_INVALID, MR_NOT_FOUND);
    }
    ddl_begin(d, 3, 0);
    memcpy(d->out->version, d->schema->version, 16); /* the rows change, the schema does not */
    d->out->store_id_new = d->out->store_id_next++;
    store_id = table->store_id;
    table->store_id = d->out->store_id_new;
    schema_table_encode(&w, table);
    table->store_id = store_id;
    ddl_put_meta(d, schema_table_meta_key(d->arena, d->out->keyspace, table->name), &w);
    drop_rows(d, store_id);
    ddl_put_state(d);
    return MR_OK;
}

enum mr_status ddl_prepare(struct ddl_change *out, const struct schema *schema, const struct ast_statement *statement,
                           struct mr_str keyspace_default, struct mr_env *env, struct mr_arena *arena, int32_t *code,
                           struct mr_err *err)
{
    struct ddl d = { out, schema, statement, env, arena, code, err };
    enum mr_status status;

    memset(out, 0, sizeof(*out));
    out->kind = statement->kind;
    out->keyspace = statement->keyspace.data != NULL ? statement->keyspace : keyspace_default;
    out->table = statement->table;
    if (statement->kind == AST_CREATE_KEYSPACE)
        status = create_keyspace(&d);
    else if (statement->kind == AST_DROP_KEYSPACE)
        status = drop_keyspace(&d);
    else if (statement->kind == AST_CREATE_TABLE)
        status = create_table(&d);
    else if (statement->kind == AST_DROP_TABLE)
        status = drop_table(&d);
    else if (statement->kind == AST_ALTER_TABLE)
        status = ddl_alter_table(&d);
    else if (statement->kind == AST_ALTER_KEYSPACE)
        status = ddl_alter_keyspace(&d);
    else
        status = truncate_table(&d);
    if (status != MR_OK)
        ddl_discard(out);
    return status;
}

void ddl_install(struct ddl_change *change, struct schema *schema)
{
    struct schema_keyspace *keyspace = schema_keyspace_find(schema, change->keyspace);
    struct schema_table *table =
        keyspace != NULL && change->table.data != NULL ? schema_table_find(keyspace, change->table) : NULL;

    schema->store_id_next = change->store_id_next;
    memcpy(schema->version, change->version, 16);
    if (change->keyspace_new != NULL) {
        schema_keyspace_add(schema, change->keyspace_new);
        change->keyspace_new = NULL;
    } else if (change->kind == AST_ALTER_KEYSPACE) {
        assert(keyspace != NULL);
        schema_keyspace_change(keyspace, change->replication_new, change->durable_new);
    } else if (change->replaces) {
        assert(keyspace != NULL && change->table_new != NULL);
        schema_table_replace(keyspace, change->table_new);
        change->table_new = NULL;
    } else if (change->table_new != NULL) {
        assert(keyspace != NULL);
        schema_table_add(schema, keyspace, change->table_new);
        change->table_new = NULL;
    } else if (change->store_id_new != 0) {
        assert(table != NULL);
        table->store_id = change->store_id_new;
    } else if (change->kind == AST_DROP_TABLE) {
        assert(table != NULL);
        schema_table_remove(schema, keyspace, table);
    } else {
        assert(keyspace != NULL && change->kind == AST_DROP_KEYSPACE);
        schema_keyspace_remove(schema, keyspace);
    }
}

void ddl_discard(struct ddl_change *change)
{
    schema_keyspace_free(change->keyspace_new);
    schema_table_unref(change->table_new);
    change->keyspace_new = NULL;
    change->table_new = NULL;
}

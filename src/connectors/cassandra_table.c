/* cassandra_table.c -- the table that the cassandra sink writes and the source reads: its names, making it, and whether
 * its columns take the SQL table's, or become them.
 * Which types go together says cassandra_value.c. */
#include "connectors/cassandra_int.h"

#include "base/text.h"

#include <string.h>

/* "name", quoted as CQL wants it. */
static void name_write(struct mr_writer *w, struct mr_str name)
{
    mr_write_u8(w, '"');
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '"')
            mr_write_u8(w, '"');
        mr_write_u8(w, (uint8_t)name.data[i]);
    }
    mr_write_u8(w, '"');
}

static void table_name_write(struct mr_writer *w, const struct cassandra_table *t)
{
    name_write(w, mr_str_of(t->keyspace));
    mr_write_u8(w, '.');
    name_write(w, mr_str_of(t->table));
}

static enum mr_status name_read(char out[CASSANDRA_NAME_BYTES], const struct connector_table *table, const char *option,
                                struct mr_err *err)
{
    const char *value = connector_option_text(table, option);
    size_t size = value != NULL ? strlen(value) : 0;

    if (value == NULL)
        return mr_err_set(err, MR_INVALID, "option '%s' is missing", option);
    if (size > 48 || strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != size)
        return mr_err_set(err, MR_INVALID, "option '%s' = '%s' is no name: letters, digits and _, at most 48 of them",
                          option, value);
    memcpy(out, value, size + 1);
    return MR_OK;
}

static void column_names_write(struct mr_writer *w, const struct cassandra_table *t)
{
    for (uint32_t i = 0; i < t->column_count; i++) {
        if (i > 0)
            mr_write_str(w, MR_STR(", "));
        name_write(w, t->columns[i].name);
    }
}

static char *select_make(const struct cassandra_table *t)
{
    struct mr_writer w = { 0 };

    mr_write_str(&w, MR_STR("SELECT "));
    column_names_write(&w, t);
    mr_write_str(&w, MR_STR(" FROM "));
    table_name_write(&w, t);
    mr_write_u8(&w, '\0');
    return (char *)w.data;
}

static char *insert_make(const struct cassandra_table *t)
{
    struct mr_writer w = { 0 };

    mr_write_str(&w, MR_STR("INSERT INTO "));
    table_name_write(&w, t);
    mr_write_str(&w, MR_STR(" ("));
    column_names_write(&w, t);
    mr_write_str(&w, MR_STR(") VALUES ("));
    for (uint32_t i = 0; i < t->column_count; i++)
        mr_write_str(&w, i > 0 ? MR_STR(", ?") : MR_STR("?"));
    mr_write_str(&w, MR_STR(") USING TIMESTAMP ?"));
    mr_write_u8(&w, '\0');
    return (char *)w.data;
}

enum mr_status cassandra_table_init(struct cassandra_table *out, const struct connector_table *table, bool reading,
                                    struct mr_err *err)
{
    struct cassandra_table t = { .column_count = table->row->field_count, .reading = reading };
    enum mr_status status = name_read(t.keyspace, table, "keyspace", err);

    if (status == MR_OK)
        status = name_read(t.table, table, "table", err);
    for (uint32_t i = 0; i < t.column_count && status == MR_OK; i++) {
        const struct data_field *field = &table->row->fields[i];

        struct mr_writer made = { 0 };

        if (!cassandra_type_write(&made, field->type))
            status = mr_err_set(err, MR_UNSUPPORTED, "column '%.*s': %s can't be %s CQL in this version",
                                MR_STR_ARG(field->name), data_kind_name(field->type->kind),
                                reading ? "read from" : "written to");
        mr_writer_deinit(&made);
    }
    if (status != MR_OK)
        return status;
    t.arena = mr_arena_new();
    t.columns = mr_calloc(t.column_count, sizeof(*t.columns));
    for (uint32_t i = 0; i < t.column_count; i++)
        t.columns[i].name = table->row->fields[i].name;
    t.statement = reading ? select_make(&t) : insert_make(&t);
    *out = t;
    return MR_OK;
}

void cassandra_table_deinit(struct cassandra_table *t)
{
    mr_free(t->columns);
    mr_arena_free(t->arena);
    mr_free(t->statement);
    *t = (struct cassandra_table){ 0 };
}

/* ---- making it ---- */

static enum mr_status statement_run(struct cql_client *client, struct mr_writer *text, struct mr_err *err)
{
    struct mr_arena *arena = mr_arena_new();
    struct cql_result result;
    enum mr_status status;

    mr_write_u8(text, '\0');
    status = cql_client_query(client, (const char *)text->data, arena, &result, err);
    if (status != MR_OK)
        mr_err_context(err, "%.200s", (const char *)text->data);
    text->size = 0;
    mr_arena_free(arena);
    return status;
}

static void keyspace_statement(struct mr_writer *w, const struct cassandra_table *t)
{
    mr_write_str(w, MR_STR("CREATE KEYSPACE IF NOT EXISTS "));
    name_write(w, mr_str_of(t->keyspace));
    mr_write_str(w, MR_STR(" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"));
}

static void table_statement(struct mr_writer *w, const struct cassandra_table *t, const struct connector_table *table)
{
    mr_write_str(w, MR_STR("CREATE TABLE IF NOT EXISTS "));
    table_name_write(w, t);
    mr_write_str(w, MR_STR(" ("));
    for (uint32_t i = 0; i < t->column_count; i++) {
        name_write(w, t->columns[i].name);
        mr_write_u8(w, ' ');
        if (!cassandra_type_write(w, table->row->fields[i].type))
            assert(!"cassandra_table_init let no other type through");
        mr_write_str(w, MR_STR(", "));
    }
    mr_write_str(w, MR_STR("PRIMARY KEY ("));
    for (uint32_t i = 0; i < table->primary_key_count; i++) {
        if (i > 0)
            mr_write_str(w, MR_STR(", "));
        name_write(w, t->columns[table->primary_key[i]].name);
    }
    mr_write_str(w, MR_STR("))"));
}

enum mr_status cassandra_table_create(const struct cassandra_table *t, const struct connector_table *table,
                                      struct cql_client *client, struct mr_err *err)
{
    struct mr_writer w = { 0 };
    enum mr_status status;

    if (table->primary_key_count == 0)
        return mr_err_set(err, MR_INVALID,
                          "making it in Cassandra needs a PRIMARY KEY (...) NOT ENFORCED; or set 'auto.create' = "
                          "'false' when it is there");
    keyspace_statement(&w, t);
    status = statement_run(client, &w, err);
    if (status == MR_OK) {
        table_statement(&w, t, table);
        status = statement_run(client, &w, err);
    }
    mr_writer_deinit(&w);
    return status;
}

/* Says that it is not there, with the statements that make it, to be copied. */
static enum mr_status table_missing(const struct cassandra_table *t, const struct connector_table *table,
                                    struct mr_err *err)
{
    struct mr_writer keyspace = { 0 }, made = { 0 };
    enum mr_status status;

    if (t->reading || table->primary_key_count == 0) {
        status = mr_err_set(err, MR_NOT_FOUND, "there is no table %s.%s%s", t->keyspace, t->table,
                            t->reading ? "" : "; create it, or set 'auto.create' = 'true'");
    } else {
        keyspace_statement(&keyspace, t);
        table_statement(&made, t, table);
        status = mr_err_set(err, MR_NOT_FOUND,
                            "there is no table %s.%s; create it, or set 'auto.create' = 'true':\n%.*s;\n%.*s;",
                            t->keyspace, t->table, (int)keyspace.size, (const char *)keyspace.data, (int)made.size,
                            (const char *)made.data);
    }
    mr_writer_deinit(&keyspace);
    mr_writer_deinit(&made);
    return status;
}

/* ---- checking it ---- */

/* One row of system_schema.columns: name, kind, type. */
static enum mr_status column_check(struct cassandra_table *t, const struct connector_table *table,
                                   const struct cql_value cells[3], struct mr_err *err)
{
    struct mr_str name = { (const char *)cells[0].data, cells[0].size > 0 ? (size_t)cells[0].size : 0 };
    struct mr_str kind = { (const char *)cells[1].data, cells[1].size > 0 ? (size_t)cells[1].size : 0 };
    struct mr_str type = { (const char *)cells[2].data, cells[2].size > 0 ? (size_t)cells[2].size : 0 };
    bool partition = mr_str_equal(kind, MR_STR("partition_key"));
    bool key = partition || mr_str_equal(kind, MR_STR("clustering"));
    int at = data_type_field(table->row, name);
    const struct cql_type *native;

    if (at < 0 && key && !t->reading)
        return mr_err_set(err, MR_INVALID, "%s.%s has the primary key column '%.*s', which the SQL table has not",
                          t->keyspace, t->table, MR_STR_ARG(name));
    if (at < 0)
        return MR_OK; /* not read; or not written: it stays as it is */
    native = cassandra_type_parse(t->arena, type);
    if (native == NULL || !cassandra_type_takes(table->row->fields[at].type, native, t->reading))
        return mr_err_set(err, MR_INVALID, "column '%.*s' is %s, but %.*s in %s.%s, which %s", MR_STR_ARG(name),
                          data_kind_name(table->row->fields[at].type->kind), MR_STR_ARG(type), t->keyspace, t->table,
                          t->reading ? "does not become one" : "can't take it; CAST it in the INSERT");
    t->columns[at].code = native->code;
    t->columns[at].type = native;
    t->columns[at].is_key = key;
    t->columns[at].is_partition = partition;
    return MR_OK;
}

/* Was every column found, and does the SQL table's key name the same columns? */
static enum mr_status columns_compare(const struct cassandra_table *t, const struct connector_table *table,
                                      const char *const *names, size_t name_count, struct mr_err *err)
{
    for (uint32_t i = 0; i < t->column_count; i++) {
        if (t->columns[i].code == 0) {
            char *name = mr_str_dup(t->columns[i].name);
            const char *near = mr_nearest(name, names, name_count);

            mr_err_set(err, MR_INVALID, "%s.%s has no column '%s'%s%s%s", t->keyspace, t->table, name,
                       near != NULL ? "; did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?" : "");
            mr_free(name);
            return MR_INVALID;
        }
    }
    for (uint32_t i = 0; i < table->primary_key_count && !t->reading; i++)
        if (!t->columns[table->primary_key[i]].is_key)
            return mr_err_set(err, MR_INVALID, "column '%.*s' is in the PRIMARY KEY here, but not in that of %s.%s",
                              MR_STR_ARG(t->columns[table->primary_key[i]].name), t->keyspace, t->table);
    for (uint32_t i = 0; i < t->column_count && table->primary_key_count > 0 && !t->reading; i++) {
        bool declared = false;

        for (uint32_t k = 0; k < table->primary_key_count; k++)
            declared = declared || table->primary_key[k] == i;
        if (t->columns[i].is_key && !declared)
            return mr_err_set(err, MR_INVALID,
                              "column '%.*s' is in the primary key of %s.%s, but not in the PRIMARY KEY here",
                              MR_STR_ARG(t->columns[i].name), t->keyspace, t->table);
    }
    return MR_OK;
}

enum mr_status cassandra_table_check(struct cassandra_table *t, const struct connector_table *table,
                                     struct cql_client *client, struct mr_err *err)
{
    struct mr_arena *arena = mr_arena_new();
    const char **names = NULL;
    struct cql_result result;
    enum mr_status status;
    char *text = mr_arena_printf(arena,
                                 "SELECT column_name, kind, type FROM system_schema.columns "
                                 "WHERE keyspace_name = '%s' AND table_name = '%s'",
                                 t->keyspace, t->table);

    status = cql_client_query(client, text, arena, &result, err);
    if (status != MR_OK) {
        mr_err_context(err, "reading the columns of %s.%s", t->keyspace, t->table);
        goto out;
    }
    if (result.kind != CQL_RESULT_ROWS || result.metadata.column_count != 3 || result.row_count == 0) {
        status = table_missing(t, table, err);
        goto out;
    }
    names = MR_ARENA_ARRAY(arena, const char *, result.row_count);
    for (uint32_t i = 0; i < result.row_count && status == MR_OK; i++) {
        struct cql_value cells[3];

        status = cql_row_read(&result.rows, cells, 3);
        if (status != MR_OK) {
            mr_err_set(err, status, "the columns of %s.%s can't be read", t->keyspace, t->table);
            break;
        }
        names[i] = mr_arena_printf(arena, "%.*s", cells[0].size > 0 ? cells[0].size : 0, (const char *)cells[0].data);
        status = column_check(t, table, cells, err);
    }
    if (status == MR_OK)
        status = columns_compare(t, table, names, result.row_count, err);
out:
    mr_arena_free(arena);
    return status;
}

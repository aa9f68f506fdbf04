/* schema_store.c -- the schema in the store's meta space.
 *
 *   cql/state             format u8 = 1 | next store table id u32 | schema version 16 | host id 16
 *   cql/keyspace/K        format u8 = 1 | durable writes u8 | replication [bytes]
 *   cql/table/K/T         format u8 = 2 | keyspace [string] | name [string] | id 16 | store id u32
 *                         | n u16, n columns: name [string], type [string], kind u8, position u16, id u32,
 *                           descending u8
 *                         | n u16, n options: name [string], value [bytes]
 *                         | next column id u32 | n u16, n dropped columns: name [string], type [string], dropped i64
 * A table of format 1 has type codes u16 for the types, and ends after the options.  Names have only letters, digits
 * and _, so '/' parts them.  A reader refuses a format it does not know. */
#include "tables/schema_int.h"
#include "tables/system_int.h"

#include <string.h>

enum { FORMAT = 1, TABLE_FORMAT_1 = 1, TABLE_FORMAT = 2 };

static void write_type(struct mr_writer *w, const struct cql_type *type)
{
    struct mr_writer name = { 0 };

    cql_type_write_name(&name, type);
    cql_write_string(w, mr_str_of_bytes(mr_writer_bytes(&name)));
    mr_writer_deinit(&name);
}

void schema_state_encode(struct mr_writer *w, uint32_t store_id_next, const uint8_t version[16],
                         const uint8_t host_id[16])
{
    mr_write_u8(w, FORMAT);
    mr_write_u32(w, store_id_next);
    mr_write_bytes(w, (struct mr_bytes){ version, 16 });
    mr_write_bytes(w, (struct mr_bytes){ host_id, 16 });
}

void schema_keyspace_encode(struct mr_writer *w, const struct schema_keyspace *keyspace)
{
    mr_write_u8(w, FORMAT);
    mr_write_u8(w, keyspace->durable_writes);
    cql_write_bytes(w, keyspace->replication);
}

void schema_table_encode(struct mr_writer *w, const struct schema_table *table)
{
    uint16_t set = 0;
    uint32_t i;

    mr_write_u8(w, TABLE_FORMAT);
    cql_write_string(w, table->keyspace);
    cql_write_string(w, table->name);
    mr_write_bytes(w, (struct mr_bytes){ table->id, 16 });
    mr_write_u32(w, table->store_id);
    mr_write_u16(w, (uint16_t)table->column_count);
    for (i = 0; i < table->column_count; i++) {
        const struct schema_column *column = &table->columns[i];

        cql_write_string(w, column->name);
        write_type(w, column->type);
        mr_write_u8(w, (uint8_t)column->kind);
        mr_write_u16(w, (uint16_t)column->position);
        mr_write_u32(w, column->id);
        mr_write_u8(w, column->descending);
    }
    for (i = 0; i < SCHEMA_OPTIONS; i++)
        set += table->options[i].data != NULL;
    mr_write_u16(w, set);
    for (i = 0; i < SCHEMA_OPTIONS; i++) {
        if (table->options[i].data == NULL)
            continue;
        cql_write_string(w, mr_str_of(schema_options[i].name));
        cql_write_bytes(w, table->options[i]);
    }
    mr_write_u32(w, table->column_id_next);
    mr_write_u16(w, (uint16_t)table->dropped_count);
    for (i = 0; i < table->dropped_count; i++) {
        cql_write_string(w, table->dropped_columns[i].name);
        write_type(w, table->dropped_columns[i].type);
        mr_write_i64(w, table->dropped_columns[i].dropped_us);
    }
}

static enum mr_status corrupt(struct mr_err *err)
{
    return mr_err_set(err, MR_CORRUPT, "the stored schema can't be read");
}

/* NULL when it can't be read. */
static const struct cql_type *decode_type(struct mr_reader *r, uint8_t format, struct mr_arena *arena)
{
    const struct cql_type *type = NULL;
    struct mr_err err = MR_ERR_INIT;

    if (format == TABLE_FORMAT_1)
        return cql_type_native(mr_read_u16(r));
    return schema_type_parse(cql_read_string(r), arena, &type, &err) == MR_OK ? type : NULL;
}

static enum mr_status decode_columns(struct mr_reader *r, uint8_t format, struct schema_column *columns, uint32_t count,
                                     struct mr_arena *arena, struct mr_err *err)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        columns[i].name = cql_read_string(r);
        columns[i].type = decode_type(r, format, arena);
        columns[i].kind = (enum schema_column_kind)mr_read_u8(r);
        columns[i].position = mr_read_u16(r);
        columns[i].id = mr_read_u32(r);
        columns[i].descending = mr_read_u8(r) != 0;
        if (r->failed || columns[i].type == NULL || columns[i].kind > SCHEMA_REGULAR || columns[i].id > UINT16_MAX)
            return corrupt(err);
    }
    return MR_OK;
}

static void decode_options(struct mr_reader *r, struct schema_table *table)
{
    uint16_t left = mr_read_u16(r);

    for (; left > 0 && !r->failed; left--) {
        int index = schema_option_find(cql_read_string(r));
        struct mr_bytes value = cql_read_bytes(r);

        if (index >= 0 && !r->failed)
            table->options[index] = mr_arena_bytes(table->arena, value);
    }
}

static enum mr_status decode_dropped(struct mr_reader *r, struct schema_table *table, struct mr_err *err)
{
    uint32_t id_next = mr_read_u32(r), i;
    uint16_t count = mr_read_u16(r);
    struct schema_dropped *dropped;

    if (r->failed || id_next < table->column_id_next || count > mr_reader_left(r) / 12)
        return corrupt(err);
    table->column_id_next = id_next;
    dropped = MR_ARENA_ARRAY(table->arena, struct schema_dropped, (size_t)count + 1);
    for (i = 0; i < count; i++) {
        dropped[i].name = mr_arena_str(table->arena, cql_read_string(r));
        dropped[i].type = decode_type(r, TABLE_FORMAT, table->arena);
        dropped[i].dropped_us = mr_read_i64(r);
        if (r->failed || dropped[i].type == NULL)
            return corrupt(err);
    }
    table->dropped_columns = dropped;
    table->dropped_count = count;
    return MR_OK;
}

static void decode_default_ttl(struct schema_table *table)
{
    int ttl = schema_option_find(MR_STR("default_time_to_live"));

    if (table->options[ttl].size == 4)
        table->default_ttl_s = mr_load_i32(table->options[ttl].data);
}

enum mr_status schema_table_decode(struct mr_bytes stored, struct schema_table **out, struct mr_err *err)
{
    struct mr_reader r = mr_reader_of(stored);
    struct schema_column columns[SCHEMA_COLUMNS_MAX];
    struct schema_table *table = NULL;
    struct mr_arena *types = NULL;
    struct mr_str keyspace, name;
    struct mr_bytes id;
    uint32_t store_id, count;
    uint8_t format = mr_read_u8(&r);
    enum mr_status status;

    if (format != TABLE_FORMAT_1 && format != TABLE_FORMAT)
        return mr_err_set(err, MR_UNSUPPORTED, "the stored schema has format %d; this version knows %d", format,
                          TABLE_FORMAT);
    keyspace = cql_read_string(&r);
    name = cql_read_string(&r);
    id = mr_read_slice(&r, 16);
    store_id = mr_read_u32(&r);
    count = mr_read_u16(&r);
    if (r.failed || count == 0 || count > SCHEMA_COLUMNS_MAX)
        return corrupt(err);
    types = mr_arena_new();
    status = decode_columns(&r, format, columns, count, types, err);
    if (status != MR_OK)
        goto out;
    table = schema_table_new(keyspace, name, columns, count);
    memcpy(table->id, id.data, 16);
    table->store_id = store_id;
    decode_options(&r, table);
    decode_default_ttl(table);
    if (r.failed || table->partition_count == 0)
        status = corrupt(err);
    if (status == MR_OK && format == TABLE_FORMAT)
        status = decode_dropped(&r, table, err);
out:
    mr_arena_free(types);
    if (status == MR_OK)
        *out = table;
    else
        schema_table_unref(table);
    return status;
}

struct mr_bytes schema_state_meta_key(void)
{
    return mr_bytes_of_str(MR_STR("cql/state"));
}

struct mr_bytes schema_keyspace_meta_key(struct mr_arena *arena, struct mr_str keyspace)
{
    return mr_bytes_of_str(mr_str_of(mr_arena_printf(arena, "cql/keyspace/%.*s", MR_STR_ARG(keyspace))));
}

struct mr_bytes schema_table_meta_key(struct mr_arena *arena, struct mr_str keyspace, struct mr_str table)
{
    return mr_bytes_of_str(
        mr_str_of(mr_arena_printf(arena, "cql/table/%.*s/%.*s", MR_STR_ARG(keyspace), MR_STR_ARG(table))));
}

/* ---- loading ---- */

struct load {
    struct schema *schema;
    struct mr_err *err;
};

static enum mr_status load_keyspace(void *arg, struct mr_bytes key, struct mr_bytes value)
{
    struct load *load = arg;
    struct mr_reader r = mr_reader_of(value);
    struct mr_str name = mr_str_of_bytes(key), prefix = MR_STR("cql/keyspace/");
    uint8_t format = mr_read_u8(&r);
    bool durable = mr_read_u8(&r) != 0;
    struct mr_bytes replication = cql_read_bytes(&r);

    if (format != FORMAT || r.failed || replication.data == NULL)
        return corrupt(load->err);
    name = (struct mr_str){ name.data + prefix.size, name.size - prefix.size };
    schema_keyspace_add(load->schema, schema_keyspace_new(name, replication, durable));
    return MR_OK;
}

static enum mr_status load_table(void *arg, struct mr_bytes key, struct mr_bytes value)
{
    struct load *load = arg;
    struct schema_keyspace *keyspace;
    struct schema_table *table;
    enum mr_status status = schema_table_decode(value, &table, load->err);

    MR_UNUSED(key);
    if (status != MR_OK)
        return status;
    keyspace = schema_keyspace_find(load->schema, table->keyspace);
    if (keyspace == NULL) {
        schema_table_unref(table);
        return corrupt(load->err);
    }
    schema_table_add(load->schema, keyspace, table);
    return MR_OK;
}

static enum mr_status load_state(struct schema *schema, struct store *store, struct mr_env *env, struct mr_err *err)
{
    struct mr_writer w = { 0 };
    enum mr_status status = store_meta_get(store, schema_state_meta_key(), &w, err);

    if (status == MR_OK) {
        struct mr_reader r = mr_reader_of(mr_writer_bytes(&w));
        uint8_t format = mr_read_u8(&r);
        struct mr_bytes version, host;

        schema->store_id_next = mr_read_u32(&r);
        version = mr_read_slice(&r, 16);
        host = mr_read_slice(&r, 16);
        if (r.failed || format != FORMAT) {
            status = corrupt(err);
        } else {
            memcpy(schema->version, version.data, 16);
            memcpy(schema->host_id, host.data, 16);
        }
    } else if (status == MR_NOT_FOUND) {
        struct store_mutation put = { .kind = STORE_META_PUT, .meta_key = schema_state_meta_key() };

        schema->store_id_next = 1;
        mr_random_uuid(env, schema->version);
        mr_random_uuid(env, schema->host_id);
        schema_state_encode(&w, schema->store_id_next, schema->version, schema->host_id);
        put.meta_value = mr_writer_bytes(&w);
        status = store_apply_wait(store, &put, 1, err);
    }
    mr_writer_deinit(&w);
    return status;
}

enum mr_status schema_load(struct schema **out, struct store *store, struct mr_env *env, struct mr_err *err)
{
    struct schema *schema = MR_NEW(struct schema);
    struct load load = { schema, err };
    enum mr_status status = load_state(schema, store, env, err);

    schema->generation_s = mr_now_us(env) / 1000000;
    if (status == MR_OK)
        status = store_meta_list(store, mr_bytes_of_str(MR_STR("cql/keyspace/")), load_keyspace, &load, err);
    if (status == MR_OK)
        status = store_meta_list(store, mr_bytes_of_str(MR_STR("cql/table/")), load_table, &load, err);
    if (status != MR_OK) {
        schema_free(schema);
        return status;
    }
    system_schema_add(schema);
    *out = schema;
    return MR_OK;
}

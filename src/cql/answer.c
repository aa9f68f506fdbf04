/* answer.c -- what the server sends. */
#include "cql/cql.h"

#include <string.h>

/* ---- metadata ---- */

static bool columns_share_table(const struct cql_metadata *m)
{
    uint32_t i;

    for (i = 1; i < m->column_count; i++) {
        if (!mr_str_equal(m->columns[i].keyspace, m->columns[0].keyspace) ||
            !mr_str_equal(m->columns[i].table, m->columns[0].table))
            return false;
    }
    return m->column_count > 0;
}

static void write_columns(struct mr_writer *w, const struct cql_metadata *m, bool global)
{
    uint32_t i;

    if (global) {
        cql_write_string(w, m->columns[0].keyspace);
        cql_write_string(w, m->columns[0].table);
    }
    for (i = 0; i < m->column_count; i++) {
        if (!global) {
            cql_write_string(w, m->columns[i].keyspace);
            cql_write_string(w, m->columns[i].table);
        }
        cql_write_string(w, m->columns[i].name);
        cql_type_write(w, m->columns[i].type);
    }
}

static void write_metadata(struct mr_writer *w, const struct cql_metadata *m, bool with_keys)
{
    bool none = (m->flags & CQL_META_NONE) != 0;
    bool global = !none && columns_share_table(m);
    uint32_t flags = (m->flags & ~(uint32_t)CQL_META_GLOBAL) | (global ? CQL_META_GLOBAL : 0), i;

    mr_write_i32(w, (int32_t)flags);
    mr_write_i32(w, (int32_t)m->column_count);
    if (with_keys) {
        mr_write_i32(w, (int32_t)m->pk_count);
        for (i = 0; i < m->pk_count; i++)
            mr_write_u16(w, m->pk_indexes[i]);
    }
    if (flags & CQL_META_MORE_PAGES)
        cql_write_bytes(w, m->paging_state);
    if (flags & CQL_META_CHANGED)
        cql_write_short_bytes(w, m->id);
    if (!none)
        write_columns(w, m, global);
}

static enum mr_status read_columns(struct cql_metadata *out, struct mr_reader *r, struct mr_arena *arena)
{
    struct mr_str keyspace = MR_STR_NULL, table = MR_STR_NULL;
    struct cql_column *columns;
    uint32_t i;

    if (out->flags & CQL_META_GLOBAL) {
        keyspace = cql_read_string(r);
        table = cql_read_string(r);
    }
    if (mr_reader_left(r) < (size_t)out->column_count * 4)
        return MR_INVALID;
    columns = MR_ARENA_ARRAY(arena, struct cql_column, out->column_count + 1);
    for (i = 0; i < out->column_count; i++) {
        enum mr_status status;

        columns[i].keyspace = out->flags & CQL_META_GLOBAL ? keyspace : cql_read_string(r);
        columns[i].table = out->flags & CQL_META_GLOBAL ? table : cql_read_string(r);
        columns[i].name = cql_read_string(r);
        status = cql_type_read(r, arena, &columns[i].type);
        if (status != MR_OK)
            return status;
    }
    out->columns = columns;
    return MR_OK;
}

static enum mr_status read_metadata(struct cql_metadata *out, struct mr_reader *r, bool with_keys,
                                    struct mr_arena *arena)
{
    uint32_t i;

    memset(out, 0, sizeof(*out));
    out->flags = mr_read_u32(r);
    out->column_count = mr_read_u32(r);
    if (r->failed || out->column_count > CQL_COLUMNS_MAX)
        return MR_INVALID;
    if (with_keys) {
        uint16_t *indexes;

        out->pk_count = mr_read_u32(r);
        if (r->failed || out->pk_count > CQL_COLUMNS_MAX || mr_reader_left(r) < (size_t)out->pk_count * 2)
            return MR_INVALID;
        indexes = MR_ARENA_ARRAY(arena, uint16_t, out->pk_count + 1);
        for (i = 0; i < out->pk_count; i++)
            indexes[i] = mr_read_u16(r);
        out->pk_indexes = indexes;
    }
    if (out->flags & CQL_META_MORE_PAGES)
        out->paging_state = cql_read_bytes(r);
    if (out->flags & CQL_META_CHANGED)
        out->id = cql_read_short_bytes(r);
    if (!(out->flags & CQL_META_NONE)) {
        enum mr_status status = read_columns(out, r, arena);
        if (status != MR_OK)
            return status;
    }
    return r->failed ? MR_INVALID : MR_OK;
}

/* ---- RESULT ---- */

void cql_result_write_void(struct mr_writer *w)
{
    mr_write_i32(w, CQL_RESULT_VOID);
}

size_t cql_result_begin_rows(struct mr_writer *w, const struct cql_metadata *metadata)
{
    size_t position;

    mr_write_i32(w, CQL_RESULT_ROWS);
    write_metadata(w, metadata, false);
    position = w->size;
    mr_write_i32(w, 0);
    return position;
}

void cql_result_write_keyspace(struct mr_writer *w, struct mr_str keyspace)
{
    mr_write_i32(w, CQL_RESULT_SET_KEYSPACE);
    cql_write_string(w, keyspace);
}

void cql_result_write_prepared(struct mr_writer *w, uint8_t version, struct mr_bytes id,
                               const struct cql_metadata *binds, const struct cql_metadata *rows)
{
    mr_write_i32(w, CQL_RESULT_PREPARED);
    cql_write_short_bytes(w, id);
    if (version >= CQL_V5)
        cql_write_short_bytes(w, rows->id);
    write_metadata(w, binds, version >= CQL_V4);
    write_metadata(w, rows, false);
}

static void write_schema_change(struct mr_writer *w, const struct cql_schema_change *change)
{
    cql_write_string(w, change->change);
    cql_write_string(w, change->target);
    cql_write_string(w, change->keyspace);
    if (!mr_str_equal(change->target, MR_STR("KEYSPACE")))
        cql_write_string(w, change->name);
}

static void read_schema_change(struct cql_schema_change *out, struct mr_reader *r)
{
    memset(out, 0, sizeof(*out));
    out->change = cql_read_string(r);
    out->target = cql_read_string(r);
    out->keyspace = cql_read_string(r);
    if (!r->failed && !mr_str_equal(out->target, MR_STR("KEYSPACE")))
        out->name = cql_read_string(r);
}

void cql_result_write_schema_change(struct mr_writer *w, const struct cql_schema_change *change)
{
    mr_write_i32(w, CQL_RESULT_SCHEMA_CHANGE);
    write_schema_change(w, change);
}

static enum mr_status read_rows(struct cql_result *out, struct mr_reader *r, struct mr_arena *arena)
{
    enum mr_status status = read_metadata(&out->metadata, r, false, arena);

    if (status != MR_OK)
        return status;
    out->row_count = mr_read_u32(r);
    if (r->failed || mr_reader_left(r) / 4 < (uint64_t)out->row_count * out->metadata.column_count)
        return MR_INVALID;
    out->rows = *r;
    return MR_OK;
}

static enum mr_status read_prepared(struct cql_result *out, struct mr_reader *r, uint8_t version,
                                    struct mr_arena *arena)
{
    struct mr_bytes result_id = MR_BYTES_NULL;
    enum mr_status status;

    out->id = cql_read_short_bytes(r);
    if (version >= CQL_V5)
        result_id = cql_read_short_bytes(r);
    status = read_metadata(&out->metadata, r, version >= CQL_V4, arena);
    if (status == MR_OK)
        status = read_metadata(&out->result_metadata, r, false, arena);
    if (version >= CQL_V5)
        out->result_metadata.id = result_id;
    return status;
}

enum mr_status cql_result_read(struct cql_result *out, struct mr_reader *r, uint8_t version, struct mr_arena *arena)
{
    int32_t kind = mr_read_i32(r);

    memset(out, 0, sizeof(*out));
    if (r->failed || kind < CQL_RESULT_VOID || kind > CQL_RESULT_SCHEMA_CHANGE)
        return MR_INVALID;
    out->kind = (enum cql_result_kind)kind;
    switch (out->kind) {
    case CQL_RESULT_VOID:
        break;
    case CQL_RESULT_ROWS:
        return read_rows(out, r, arena);
    case CQL_RESULT_SET_KEYSPACE:
        out->keyspace = cql_read_string(r);
        break;
    case CQL_RESULT_PREPARED:
        return read_prepared(out, r, version, arena);
    case CQL_RESULT_SCHEMA_CHANGE:
        read_schema_change(&out->schema, r);
        break;
    }
    return r->failed ? MR_INVALID : MR_OK;
}

enum mr_status cql_row_read(struct mr_reader *rows, struct cql_value *cells, uint32_t count)
{
    uint32_t i;

    for (i = 0; i < count; i++)
        cells[i] = cql_read_value(rows);
    return rows->failed ? MR_INVALID : MR_OK;
}

/* ---- ERROR ---- */

/* What follows the message, by code. */
enum error_extra {
    EXTRA_NONE,
    EXTRA_EXISTS,
    EXTRA_ID,
    EXTRA_UNAVAILABLE,
    EXTRA_WRITE,
    EXTRA_READ,
    EXTRA_WRITE_FAILURE,
    EXTRA_READ_FAILURE,
    EXTRA_CAS_UNKNOWN,
};

static enum error_extra error_extra_of(int32_t code)
{
    switch (code) {
    case CQL_ERR_EXISTS:
        return EXTRA_EXISTS;
    case CQL_ERR_UNPREPARED:
        return EXTRA_ID;
    case CQL_ERR_UNAVAILABLE:
        return EXTRA_UNAVAILABLE;
    case CQL_ERR_WRITE_TIMEOUT:
        return EXTRA_WRITE;
    case CQL_ERR_READ_TIMEOUT:
        return EXTRA_READ;
    case CQL_ERR_WRITE_FAILURE:
        return EXTRA_WRITE_FAILURE;
    case CQL_ERR_READ_FAILURE:
        return EXTRA_READ_FAILURE;
    case CQL_ERR_CAS_UNKNOWN:
        return EXTRA_CAS_UNKNOWN;
    default:
        return EXTRA_NONE;
    }
}

/* How many replicas failed; since version 5 each with its address and a reason. */
static void write_failures(struct mr_writer *w, uint8_t version, const struct cql_error *m)
{
    int32_t i;

    assert(version < CQL_V5 || m->failures <= 0 || m->failed.size == 4 || m->failed.size == 16);
    mr_write_i32(w, m->failures);
    for (i = 0; version >= CQL_V5 && i < m->failures; i++) {
        mr_write_u8(w, (uint8_t)m->failed.size);
        mr_write_bytes(w, m->failed);
        mr_write_u16(w, m->failure_reason);
    }
}

/* Of several the last is kept. */
static void read_failures(struct cql_error *out, struct mr_reader *r, uint8_t version)
{
    int32_t i;

    out->failures = mr_read_i32(r);
    for (i = 0; version >= CQL_V5 && i < out->failures && !r->failed; i++) {
        size_t size = mr_read_u8(r);

        if (size != 4 && size != 16)
            mr_reader_fail(r);
        out->failed = mr_read_slice(r, size);
        out->failure_reason = mr_read_u16(r);
    }
}

static bool has_contentions(uint8_t version, enum error_extra extra, struct mr_str write_type)
{
    return version >= CQL_V5 && extra == EXTRA_WRITE && mr_str_equal(write_type, MR_STR("CAS"));
}

void cql_error_write(struct mr_writer *w, uint8_t version, const struct cql_error *m)
{
    enum error_extra extra = error_extra_of(m->code);

    mr_write_i32(w, m->code);
    cql_write_string(w, m->message);
    if (extra == EXTRA_EXISTS) {
        cql_write_string(w, m->keyspace);
        cql_write_string(w, m->table);
    }
    if (extra == EXTRA_ID)
        cql_write_short_bytes(w, m->id);
    if (extra < EXTRA_UNAVAILABLE)
        return;
    mr_write_u16(w, m->consistency);
    mr_write_i32(w, m->received);
    mr_write_i32(w, m->required);
    if (extra == EXTRA_WRITE_FAILURE || extra == EXTRA_READ_FAILURE)
        write_failures(w, version, m);
    if (extra == EXTRA_WRITE || extra == EXTRA_WRITE_FAILURE)
        cql_write_string(w, m->write_type);
    if (has_contentions(version, extra, m->write_type))
        mr_write_u16(w, m->contentions);
    if (extra == EXTRA_READ || extra == EXTRA_READ_FAILURE)
        mr_write_u8(w, m->data_present);
}

enum mr_status cql_error_read(struct cql_error *out, struct mr_reader *r, uint8_t version)
{
    enum error_extra extra;

    memset(out, 0, sizeof(*out));
    out->code = mr_read_i32(r);
    out->message = cql_read_string(r);
    extra = error_extra_of(out->code);
    if (extra == EXTRA_EXISTS) {
        out->keyspace = cql_read_string(r);
        out->table = cql_read_string(r);
    }
    if (extra == EXTRA_ID)
        out->id = cql_read_short_bytes(r);
    if (extra >= EXTRA_UNAVAILABLE) {
        out->consistency = mr_read_u16(r);
        out->received = mr_read_i32(r);
        out->required = mr_read_i32(r);
    }
    if (extra == EXTRA_WRITE_FAILURE || extra == EXTRA_READ_FAILURE)
        read_failures(out, r, version);
    if (extra == EXTRA_WRITE || extra == EXTRA_WRITE_FAILURE)
        out->write_type = cql_read_string(r);
    if (has_contentions(version, extra, out->write_type))
        out->contentions = mr_read_u16(r);
    if (extra == EXTRA_READ || extra == EXTRA_READ_FAILURE)
        out->data_present = mr_read_u8(r) != 0;
    return r->failed ? MR_INVALID : MR_OK;
}

/* ---- SUPPORTED, EVENT ---- */

void cql_supported_write(struct mr_writer *w, const struct cql_pair *pairs, uint32_t count)
{
    uint32_t keys = 0, values, i, j, next;

    for (i = 0; i < count; i++)
        keys += i == 0 || !mr_str_equal(pairs[i].key, pairs[i - 1].key);
    mr_write_u16(w, (uint16_t)keys);
    for (i = 0; i < count; i = next) {
        values = pairs[i].value.data != NULL;
        for (next = i + 1; next < count && mr_str_equal(pairs[next].key, pairs[i].key); next++)
            values += pairs[next].value.data != NULL;
        cql_write_string(w, pairs[i].key);
        mr_write_u16(w, (uint16_t)values);
        for (j = i; j < next; j++) {
            if (pairs[j].value.data != NULL)
                cql_write_string(w, pairs[j].value);
        }
    }
}

enum mr_status cql_supported_read(struct cql_startup *out, struct mr_reader *r, struct mr_arena *arena)
{
    struct mr_reader all = *r;
    uint32_t keys = mr_read_u16(&all), total = 0, at = 0, i;
    struct cql_pair *pairs;

    for (i = 0; i < keys && !all.failed; i++) {
        uint32_t values;

        cql_read_string(&all);
        values = mr_read_u16(&all);
        total += values;
        for (; values > 0 && !all.failed; values--)
            cql_read_string(&all);
    }
    if (all.failed)
        return MR_INVALID;
    pairs = MR_ARENA_ARRAY(arena, struct cql_pair, total + 1);
    mr_read_u16(r);
    for (i = 0; i < keys; i++) {
        struct mr_str key = cql_read_string(r);
        uint32_t values = mr_read_u16(r);

        for (; values > 0; values--)
            pairs[at++] = (struct cql_pair){ key, cql_read_string(r) };
    }
    out->options = pairs;
    out->option_count = total;
    return MR_OK;
}

void cql_event_write_schema(struct mr_writer *w, const struct cql_schema_change *change)
{
    cql_write_string(w, MR_STR("SCHEMA_CHANGE"));
    write_schema_change(w, change);
}

enum mr_status cql_event_read(struct cql_event *out, struct mr_reader *r)
{
    memset(out, 0, sizeof(*out));
    out->type = cql_read_string(r);
    if (!r->failed && mr_str_equal(out->type, MR_STR("SCHEMA_CHANGE")))
        read_schema_change(&out->schema, r);
    return r->failed ? MR_INVALID : MR_OK;
}

/* request.c -- what clients send. */
#include "cql/cql.h"

#include <string.h>

enum {
    PARAM_FLAGS_V5 = CQL_PARAM_KEYSPACE | CQL_PARAM_NOW,
    PARAM_FLAGS_KNOWN = 0x7f | PARAM_FLAGS_V5,
    BATCH_FLAGS_KNOWN = CQL_PARAM_SERIAL | CQL_PARAM_TIMESTAMP | PARAM_FLAGS_V5,
    PREPARE_KEYSPACE = 0x01,
};

/* Flags are a byte before version 5; those that are new there must not be set then. */
static void write_flags(struct mr_writer *w, uint8_t version, uint32_t flags)
{
    assert(version >= CQL_V5 || flags <= UINT8_MAX);
    if (version >= CQL_V5)
        mr_write_u32(w, flags);
    else
        mr_write_u8(w, (uint8_t)flags);
}

static uint32_t read_flags(struct mr_reader *r, uint8_t version, uint32_t known)
{
    uint32_t flags = version >= CQL_V5 ? mr_read_u32(r) : mr_read_u8(r);

    if (flags & ~(version >= CQL_V5 ? known : known & ~(uint32_t)PARAM_FLAGS_V5))
        mr_reader_fail(r);
    return flags;
}

static void write_values(struct mr_writer *w, const struct cql_value *values, uint32_t count,
                         const struct mr_str *names)
{
    uint32_t i;

    assert(count <= UINT16_MAX);
    mr_write_u16(w, (uint16_t)count);
    for (i = 0; i < count; i++) {
        if (names != NULL)
            cql_write_string(w, names[i]);
        cql_write_value(w, values[i]);
    }
}

static enum mr_status read_values(struct mr_reader *r, struct mr_arena *arena, const struct cql_value **out,
                                  uint32_t *out_count, const struct mr_str **out_names)
{
    uint32_t count = mr_read_u16(r), i;
    struct cql_value *values;
    struct mr_str *names = NULL;

    if (mr_reader_left(r) < (size_t)count * 4)
        return MR_INVALID;
    values = mr_arena_alloc(arena, (count + 1) * sizeof(*values));
    if (out_names != NULL)
        names = mr_arena_alloc(arena, (count + 1) * sizeof(*names));
    for (i = 0; i < count; i++) {
        if (names != NULL)
            names[i] = cql_read_string(r);
        values[i] = cql_read_value(r);
    }
    *out = values;
    *out_count = count;
    if (out_names != NULL)
        *out_names = names;
    return r->failed ? MR_INVALID : MR_OK;
}

static void write_params(struct mr_writer *w, uint8_t version, const struct cql_params *p)
{
    mr_write_u16(w, p->consistency);
    write_flags(w, version, p->flags);
    if (p->flags & CQL_PARAM_VALUES)
        write_values(w, p->values, p->value_count, p->flags & CQL_PARAM_NAMES ? p->names : NULL);
    if (p->flags & CQL_PARAM_PAGE_SIZE)
        mr_write_i32(w, p->page_size);
    if (p->flags & CQL_PARAM_PAGING_STATE)
        cql_write_bytes(w, p->paging_state);
    if (p->flags & CQL_PARAM_SERIAL)
        mr_write_u16(w, p->serial_consistency);
    if (p->flags & CQL_PARAM_TIMESTAMP)
        mr_write_i64(w, p->timestamp_us);
    if (p->flags & CQL_PARAM_KEYSPACE)
        cql_write_string(w, p->keyspace);
    if (p->flags & CQL_PARAM_NOW)
        mr_write_i32(w, p->now_s);
}

static enum mr_status read_params(struct cql_params *p, struct mr_reader *r, uint8_t version, struct mr_arena *arena)
{
    memset(p, 0, sizeof(*p));
    p->consistency = mr_read_u16(r);
    p->flags = read_flags(r, version, PARAM_FLAGS_KNOWN);
    if (r->failed || p->consistency >= CQL_CONSISTENCY_N)
        return MR_INVALID;
    if (p->flags & CQL_PARAM_VALUES) {
        enum mr_status status =
            read_values(r, arena, &p->values, &p->value_count, p->flags & CQL_PARAM_NAMES ? &p->names : NULL);
        if (status != MR_OK)
            return status;
    }
    if (p->flags & CQL_PARAM_PAGE_SIZE)
        p->page_size = mr_read_i32(r);
    if (p->flags & CQL_PARAM_PAGING_STATE)
        p->paging_state = cql_read_bytes(r);
    if (p->flags & CQL_PARAM_SERIAL)
        p->serial_consistency = mr_read_u16(r);
    if (p->flags & CQL_PARAM_TIMESTAMP)
        p->timestamp_us = mr_read_i64(r);
    if (p->flags & CQL_PARAM_KEYSPACE)
        p->keyspace = cql_read_string(r);
    if (p->flags & CQL_PARAM_NOW)
        p->now_s = mr_read_i32(r);
    return r->failed ? MR_INVALID : MR_OK;
}

void cql_query_write(struct mr_writer *w, uint8_t version, const struct cql_query *m)
{
    cql_write_long_string(w, m->text);
    write_params(w, version, &m->params);
}

enum mr_status cql_query_read(struct cql_query *out, struct mr_reader *r, uint8_t version, struct mr_arena *arena)
{
    out->text = cql_read_long_string(r);
    return read_params(&out->params, r, version, arena);
}

void cql_prepare_write(struct mr_writer *w, uint8_t version, const struct cql_prepare *m)
{
    cql_write_long_string(w, m->text);
    if (version < CQL_V5)
        return;
    mr_write_u32(w, m->keyspace.data != NULL ? PREPARE_KEYSPACE : 0);
    if (m->keyspace.data != NULL)
        cql_write_string(w, m->keyspace);
}

enum mr_status cql_prepare_read(struct cql_prepare *out, struct mr_reader *r, uint8_t version)
{
    uint32_t flags;

    out->text = cql_read_long_string(r);
    out->keyspace = MR_STR_NULL;
    flags = version >= CQL_V5 ? mr_read_u32(r) : 0;
    if (flags & ~(uint32_t)PREPARE_KEYSPACE)
        return MR_INVALID;
    if (flags & PREPARE_KEYSPACE)
        out->keyspace = cql_read_string(r);
    return r->failed ? MR_INVALID : MR_OK;
}

void cql_execute_write(struct mr_writer *w, uint8_t version, const struct cql_execute *m)
{
    cql_write_short_bytes(w, m->id);
    if (version >= CQL_V5)
        cql_write_short_bytes(w, m->result_id);
    write_params(w, version, &m->params);
}

enum mr_status cql_execute_read(struct cql_execute *out, struct mr_reader *r, uint8_t version, struct mr_arena *arena)
{
    out->id = cql_read_short_bytes(r);
    out->result_id = version >= CQL_V5 ? cql_read_short_bytes(r) : MR_BYTES_NULL;
    return read_params(&out->params, r, version, arena);
}

void cql_batch_write(struct mr_writer *w, uint8_t version, const struct cql_batch *m)
{
    uint32_t i;

    assert(m->entry_count <= UINT16_MAX);
    mr_write_u8(w, m->type);
    mr_write_u16(w, (uint16_t)m->entry_count);
    for (i = 0; i < m->entry_count; i++) {
        const struct cql_batch_entry *entry = &m->entries[i];

        mr_write_u8(w, entry->id.data != NULL);
        if (entry->id.data != NULL)
            cql_write_short_bytes(w, entry->id);
        else
            cql_write_long_string(w, entry->text);
        write_values(w, entry->values, entry->value_count, NULL);
    }
    mr_write_u16(w, m->consistency);
    write_flags(w, version, m->flags & BATCH_FLAGS_KNOWN);
    if (m->flags & CQL_PARAM_SERIAL)
        mr_write_u16(w, m->serial_consistency);
    if (m->flags & CQL_PARAM_TIMESTAMP)
        mr_write_i64(w, m->timestamp_us);
    if (m->flags & CQL_PARAM_KEYSPACE)
        cql_write_string(w, m->keyspace);
    if (m->flags & CQL_PARAM_NOW)
        mr_write_i32(w, m->now_s);
}

static enum mr_status read_batch_entry(struct cql_batch_entry *entry, struct mr_reader *r, struct mr_arena *arena)
{
    uint8_t kind = mr_read_u8(r);

    entry->id = MR_BYTES_NULL;
    entry->text = MR_STR_NULL;
    if (kind > 1)
        return MR_INVALID;
    if (kind == 1)
        entry->id = cql_read_short_bytes(r);
    else
        entry->text = cql_read_long_string(r);
    return read_values(r, arena, &entry->values, &entry->value_count, NULL);
}

enum mr_status cql_batch_read(struct cql_batch *out, struct mr_reader *r, uint8_t version, struct mr_arena *arena)
{
    struct cql_batch_entry *entries;
    uint32_t i;

    memset(out, 0, sizeof(*out));
    out->type = mr_read_u8(r);
    out->entry_count = mr_read_u16(r);
    if (r->failed || out->type > CQL_BATCH_COUNTER || mr_reader_left(r) < (size_t)out->entry_count * 5)
        return MR_INVALID;
    entries = mr_arena_alloc(arena, (out->entry_count + 1) * sizeof(*entries));
    out->entries = entries;
    for (i = 0; i < out->entry_count; i++) {
        enum mr_status status = read_batch_entry(&entries[i], r, arena);
        if (status != MR_OK)
            return status;
    }
    out->consistency = mr_read_u16(r);
    out->flags = read_flags(r, version, BATCH_FLAGS_KNOWN);
    if (r->failed || out->consistency >= CQL_CONSISTENCY_N)
        return MR_INVALID;
    if (out->flags & CQL_PARAM_SERIAL)
        out->serial_consistency = mr_read_u16(r);
    if (out->flags & CQL_PARAM_TIMESTAMP)
        out->timestamp_us = mr_read_i64(r);
    if (out->flags & CQL_PARAM_KEYSPACE)
        out->keyspace = cql_read_string(r);
    if (out->flags & CQL_PARAM_NOW)
        out->now_s = mr_read_i32(r);
    return r->failed ? MR_INVALID : MR_OK;
}

void cql_startup_write(struct mr_writer *w, const struct cql_startup *m)
{
    uint32_t i;

    assert(m->option_count <= UINT16_MAX);
    mr_write_u16(w, (uint16_t)m->option_count);
    for (i = 0; i < m->option_count; i++) {
        cql_write_string(w, m->options[i].key);
        cql_write_string(w, m->options[i].value);
    }
}

enum mr_status cql_startup_read(struct cql_startup *out, struct mr_reader *r, struct mr_arena *arena)
{
    uint32_t count = mr_read_u16(r), i;
    struct cql_pair *pairs;

    if (r->failed || mr_reader_left(r) < (size_t)count * 4)
        return MR_INVALID;
    pairs = MR_ARENA_ARRAY(arena, struct cql_pair, count + 1);
    for (i = 0; i < count; i++) {
        pairs[i].key = cql_read_string(r);
        pairs[i].value = cql_read_string(r);
    }
    out->options = pairs;
    out->option_count = count;
    return r->failed ? MR_INVALID : MR_OK;
}

void cql_register_write(struct mr_writer *w, const struct cql_register *m)
{
    uint32_t i;

    assert(m->event_count <= UINT16_MAX);
    mr_write_u16(w, (uint16_t)m->event_count);
    for (i = 0; i < m->event_count; i++)
        cql_write_string(w, m->events[i]);
}

enum mr_status cql_register_read(struct cql_register *out, struct mr_reader *r, struct mr_arena *arena)
{
    uint32_t count = mr_read_u16(r), i;
    struct mr_str *events;

    if (r->failed || mr_reader_left(r) < (size_t)count * 2)
        return MR_INVALID;
    events = MR_ARENA_ARRAY(arena, struct mr_str, count + 1);
    for (i = 0; i < count; i++)
        events[i] = cql_read_string(r);
    out->events = events;
    out->event_count = count;
    return r->failed ? MR_INVALID : MR_OK;
}

void cql_auth_write(struct mr_writer *w, const struct cql_auth *m)
{
    cql_write_bytes(w, m->token);
}

enum mr_status cql_auth_read(struct cql_auth *out, struct mr_reader *r)
{
    out->token = cql_read_bytes(r);
    return r->failed ? MR_INVALID : MR_OK;
}

void cql_auth_write_plain(struct mr_writer *w, struct mr_str user, struct mr_str password)
{
    mr_write_u8(w, 0);
    mr_write_str(w, user);
    mr_write_u8(w, 0);
    mr_write_str(w, password);
}

enum mr_status cql_auth_split_plain(struct mr_bytes token, struct mr_str *user, struct mr_str *password)
{
    const uint8_t *end = token.data + token.size, *first, *second;

    if (token.size == 0)
        return MR_INVALID;
    first = memchr(token.data, 0, token.size);
    if (first == NULL || first + 1 == end)
        return MR_INVALID;
    second = memchr(first + 1, 0, (size_t)(end - first - 1));
    if (second == NULL)
        return MR_INVALID;
    *user = (struct mr_str){ (const char *)first + 1, (size_t)(second - first - 1) };
    *password = (struct mr_str){ (const char *)second + 1, (size_t)(end - second - 1) };
    return MR_OK;
}

/* prepared.c -- prepared statements by id; the one unused the longest goes when there are too many. */
#include "tables/server_int.h"

#include <openssl/evp.h>
#include <string.h>

void prepared_id(uint8_t out[CQL_ID_BYTES], struct mr_str keyspace, struct mr_str text)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned size = 0;
    int ok;

    assert(context != NULL);
    ok = EVP_DigestInit_ex(context, EVP_md5(), NULL) && EVP_DigestUpdate(context, keyspace.data, keyspace.size) &&
         EVP_DigestUpdate(context, text.data, text.size) && EVP_DigestFinal_ex(context, out, &size);
    assert(ok && size == CQL_ID_BYTES);
    MR_UNUSED(ok);
    EVP_MD_CTX_free(context);
}

/* Stands for names and types of the answer's columns: a client that has them needs them not again. */
static void result_id(uint8_t out[CQL_ID_BYTES], const struct cql_metadata *rows)
{
    struct mr_writer w = { 0 };
    uint32_t i;

    for (i = 0; i < rows->column_count; i++) {
        cql_write_string(&w, rows->columns[i].keyspace);
        cql_write_string(&w, rows->columns[i].table);
        cql_write_string(&w, rows->columns[i].name);
        cql_type_write(&w, rows->columns[i].type);
    }
    prepared_id(out, MR_STR_NULL, mr_str_of_bytes(mr_writer_bytes(&w)));
    mr_writer_deinit(&w);
}

static void unlink_one(struct tables *tables, struct prepared *prepared)
{
    *(prepared->newer ? &prepared->newer->older : &tables->newest) = prepared->older;
    *(prepared->older ? &prepared->older->newer : &tables->oldest) = prepared->newer;
}

static void link_newest(struct tables *tables, struct prepared *prepared)
{
    prepared->newer = NULL;
    prepared->older = tables->newest;
    *(tables->newest ? &tables->newest->newer : &tables->oldest) = prepared;
    tables->newest = prepared;
}

void prepared_remove(struct tables *tables, struct prepared *prepared)
{
    mr_map_remove(tables->prepared, (struct mr_bytes){ prepared->id, CQL_ID_BYTES });
    unlink_one(tables, prepared);
    plan_unref(prepared->plan);
    mr_free(prepared);
}

struct prepared *prepared_find(struct tables *tables, struct mr_bytes id)
{
    struct prepared *prepared = id.size == CQL_ID_BYTES ? mr_map_get(tables->prepared, id) : NULL;

    if (prepared == NULL)
        return NULL;
    if (plan_is_stale(prepared->plan)) {
        prepared_remove(tables, prepared);
        return NULL;
    }
    if (tables->newest != prepared) {
        unlink_one(tables, prepared);
        link_newest(tables, prepared);
    }
    return prepared;
}

struct prepared *prepared_add(struct tables *tables, struct mr_str keyspace, struct mr_str text, struct plan *plan)
{
    struct prepared *prepared = MR_NEW(struct prepared), *old;

    prepared_id(prepared->id, keyspace, text);
    old = mr_map_get(tables->prepared, (struct mr_bytes){ prepared->id, CQL_ID_BYTES });
    if (old != NULL)
        prepared_remove(tables, old);
    if (mr_map_count(tables->prepared) >= TABLES_PREPARED_MAX)
        prepared_remove(tables, tables->oldest);
    prepared->plan = plan;
    result_id(prepared->result_id, &plan->rows);
    mr_map_put(tables->prepared, (struct mr_bytes){ prepared->id, CQL_ID_BYTES }, prepared);
    link_newest(tables, prepared);
    return prepared;
}

void prepared_free_all(struct tables *tables)
{
    while (tables->newest != NULL)
        prepared_remove(tables, tables->newest);
    mr_map_free(tables->prepared);
}

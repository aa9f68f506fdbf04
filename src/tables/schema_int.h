/* schema_int.h -- keyspaces, tables and columns in memory, and as they are kept in the store's meta space.
 *
 * The loop thread owns everything here; a struct schema_table that a worker reads is held by the plan's reference and
 * does not change but for dropped and store_id, which workers don't touch. */
#ifndef TABLES_SCHEMA_INT_H
#define TABLES_SCHEMA_INT_H

#include "cql/cql.h"
#include "store/store.h"
#include "tables/ast_int.h"

enum schema_limit {
    SCHEMA_KEYSPACES_MAX = 256,
    SCHEMA_TABLES_MAX = 2048, /* in all keyspaces */
    SCHEMA_COLUMNS_MAX = 1024,
    SCHEMA_NAME_BYTES_MAX = 48,
    SCHEMA_KEY_PARTS_MAX = 32, /* partition key and clustering columns together */
    SCHEMA_OPTION_BYTES_MAX = 64 * 1024,
    SCHEMA_OPTIONS = 19,
    SCHEMA_TABLE_BYTES_MAX = 1024 * 1024, /* as stored */
};

enum schema_column_kind { SCHEMA_PARTITION, SCHEMA_CLUSTERING, SCHEMA_REGULAR };

struct schema_column {
    struct mr_str name;
    const struct cql_type *type;
    enum schema_column_kind kind;
    uint32_t position; /* within the partition key or the clustering */
    uint32_t id;       /* the store's column id; its order of creation, from 0; never used again */
    bool descending;
};

/* A column that was dropped: what a new one of its name may be. */
struct schema_dropped {
    struct mr_str name;
    const struct cql_type *type;
    int64_t dropped_us;
};

/* A WITH option of tables: a column of system_schema.tables. */
struct schema_option {
    const char *name;
    uint16_t type;            /* CQL_MAP stands for map<text, text> */
    const char *default_text; /* NULL: null; a map as k=v,k=v */
};
extern const struct schema_option schema_options[SCHEMA_OPTIONS];

struct system_table;

struct schema_table {
    uint32_t refs;
    struct mr_arena *arena; /* owned: all below lies in it */
    struct mr_str keyspace;
    struct mr_str name;
    uint8_t id[16];
    uint32_t store_id;
    const struct schema_column *columns; /* in the order of SELECT *: partition key, clustering, then regular by name */
    uint32_t column_count;
    uint32_t partition_count;
    uint32_t clustering_count;
    const uint32_t *column_by_id; /* store column id to index; UINT32_MAX: none */
    uint32_t id_count;
    uint32_t column_id_next; /* of the next column that is added: ids are never used again */
    const struct schema_dropped *dropped_columns;
    uint32_t dropped_count;
    struct mr_bytes options[SCHEMA_OPTIONS]; /* encoded values; null: the default */
    int32_t default_ttl_s;
    bool dropped;                      /* no more statements; prepared ones are forgotten */
    const struct system_table *system; /* generated rows; NULL for tables of users */
};

struct schema_keyspace {
    struct mr_str name;          /* owned */
    struct mr_bytes replication; /* owned: encoded map<text, text> */
    bool durable_writes;
    bool is_system;               /* not changed by users */
    bool is_virtual;              /* told in system_virtual_schema */
    struct schema_table **tables; /* owned array of references, by name */
    uint32_t table_count;
    uint32_t table_capacity;
};

struct schema {
    struct schema_keyspace **keyspaces; /* owned, by name */
    uint32_t keyspace_count;
    uint32_t keyspace_capacity;
    uint32_t table_count;
    uint32_t store_id_next;
    uint8_t version[16];
    uint8_t host_id[16];
    int64_t generation_s; /* when this start was, seconds since 1970 */
};

/* Loads the schema from STORE's meta space, making host id and version at the first start (blocks: start-up only), and
 * adds the system keyspaces.  Caller owns. */
MR_MUST_CHECK enum mr_status schema_load(struct schema **out, struct store *store, struct mr_env *env,
                                         struct mr_err *err);
void schema_free(struct schema *schema); /* NULL is legal */

struct schema_keyspace *schema_keyspace_find(const struct schema *schema, struct mr_str name);
struct schema_table *schema_table_find(const struct schema_keyspace *keyspace, struct mr_str name);
struct schema_table *schema_table_ref(struct schema_table *table);
void schema_table_unref(struct schema_table *table); /* NULL is legal */
/* The index of column NAME, or -1. */
int schema_column_find(const struct schema_table *table, struct mr_str name);

/* The table that COLUMNS, ids and DROPPED of a changed OLD make: the same ids, options and rows.  refs 1. */
struct schema_table *schema_table_changed(const struct schema_table *old, const struct schema_column *columns,
                                          uint32_t column_count, uint32_t column_id_next,
                                          const struct schema_dropped *dropped, uint32_t dropped_count);
/* Puts TABLE into the place of the one with its name, which becomes stale. */
void schema_table_replace(struct schema_keyspace *keyspace, struct schema_table *table);
/* A collection that is kept as a cell for each element? */
static inline bool schema_is_multicell(const struct cql_type *type)
{
    return !type->is_frozen && (type->code == CQL_LIST || type->code == CQL_SET || type->code == CQL_MAP);
}

/* A table from COLUMNS (copied, any order but key parts by position), with its own arena, refs 1. */
struct schema_table *schema_table_new(struct mr_str keyspace, struct mr_str name, const struct schema_column *columns,
                                      uint32_t column_count);
/* Adds or removes; the schema takes over the reference or the keyspace. */
void schema_keyspace_add(struct schema *schema, struct schema_keyspace *keyspace);
void schema_keyspace_remove(struct schema *schema, struct schema_keyspace *keyspace); /* frees it, unrefs its tables */
void schema_table_add(struct schema *schema, struct schema_keyspace *keyspace, struct schema_table *table);
void schema_table_remove(struct schema *schema, struct schema_keyspace *keyspace, struct schema_table *table);
struct schema_keyspace *schema_keyspace_new(struct mr_str name, struct mr_bytes replication, bool durable_writes);
/* Gives it other properties; REPLICATION is copied. */
void schema_keyspace_change(struct schema_keyspace *keyspace, struct mr_bytes replication, bool durable_writes);
void schema_keyspace_free(struct schema_keyspace *keyspace);

/* ---- type_text.c ---- */

/* The type of a CQL spelling, copied into ARENA where it is no native one.  MR_INVALID with Cassandra's text,
 * MR_UNSUPPORTED for types that are not there yet. */
MR_MUST_CHECK enum mr_status schema_type_parse(struct mr_str text, struct mr_arena *arena, const struct cql_type **out,
                                               struct mr_err *err);
/* TYPE, as a part of an element that is one cell: frozen to its depth, in ARENA. */
const struct cql_type *schema_type_frozen(const struct cql_type *type, struct mr_arena *arena);
/* TYPE with all that it points to, in ARENA. */
const struct cql_type *schema_type_copy(const struct cql_type *type, struct mr_arena *arena);
/* Its CQL spelling, in ARENA. */
struct mr_str schema_type_name(const struct cql_type *type, struct mr_arena *arena);

/* ---- options.c ---- */

/* Encodes the literal of option INDEX into *OUT.  MR_INVALID with Cassandra's text. */
MR_MUST_CHECK enum mr_status schema_option_encode(uint32_t index, const struct ast_term *term, struct mr_arena *arena,
                                                  struct mr_bytes *out, struct mr_err *err);
/* The value of option INDEX of TABLE, its default, or null, appended as a [value]. */
void schema_option_write(struct mr_writer *w, const struct schema_table *table, uint32_t index);
/* The index of option NAME, or -1. */
int schema_option_find(struct mr_str name);
/* {…} as map<text, text>. */
MR_MUST_CHECK enum mr_status schema_map_encode(const struct ast_term *term, const char *class_prefix,
                                               struct mr_arena *arena, struct mr_bytes *out, struct mr_err *err);
/* The value of KEY in an encoded map<text, text>, or null. */
struct mr_str schema_map_get(struct mr_bytes map, struct mr_str key);

/* ---- ddl.c ---- */

enum ddl_limit { DDL_EVENTS_MAX = SCHEMA_TABLES_MAX + 1 };

/* A change of the schema, checked and ready to be made durable. */
struct ddl_change {
    enum ast_statement_kind kind;
    bool nothing;                         /* IF (NOT) EXISTS made it a no-op */
    struct schema_keyspace *keyspace_new; /* owned until installed */
    struct schema_table *table_new;       /* owned until installed */
    bool replaces;                        /* table_new, keyspace: of ALTER */
    struct mr_bytes replication_new;      /* ALTER KEYSPACE */
    bool durable_new;
    struct mr_str keyspace;
    struct mr_str table;
    uint32_t store_id_new; /* TRUNCATE */
    uint32_t store_id_next;
    uint8_t version[16];
    struct store_mutation *mutations;
    size_t mutation_count;
    struct cql_schema_change *events;
    uint32_t event_count;
};

/* Checks STATEMENT against SCHEMA and says in *OUT what to write; all in ARENA but for the new objects, which
 * ddl_discard frees.  On failure *CODE is the error's code, and nothing is owned. */
MR_MUST_CHECK enum mr_status ddl_prepare(struct ddl_change *out, const struct schema *schema,
                                         const struct ast_statement *statement, struct mr_str keyspace_default,
                                         struct mr_env *env, struct mr_arena *arena, int32_t *code, struct mr_err *err);
/* Makes CHANGE true in memory, once it is durable. */
void ddl_install(struct ddl_change *change, struct schema *schema);
/* Frees what CHANGE owns, installed or not. */
void ddl_discard(struct ddl_change *change);

/* ---- schema_store.c ---- */

/* Appends the stored form of a table, a keyspace, the state. */
void schema_table_encode(struct mr_writer *w, const struct schema_table *table);
void schema_keyspace_encode(struct mr_writer *w, const struct schema_keyspace *keyspace);
void schema_state_encode(struct mr_writer *w, uint32_t store_id_next, const uint8_t version[16],
                         const uint8_t host_id[16]);
MR_MUST_CHECK enum mr_status schema_table_decode(struct mr_bytes stored, struct schema_table **out, struct mr_err *err);
/* Their keys, into ARENA. */
struct mr_bytes schema_table_meta_key(struct mr_arena *arena, struct mr_str keyspace, struct mr_str table);
struct mr_bytes schema_keyspace_meta_key(struct mr_arena *arena, struct mr_str keyspace);
struct mr_bytes schema_state_meta_key(void);

#endif

/* ddl_int.h -- what the files that check DDL share. */
#ifndef TABLES_DDL_INT_H
#define TABLES_DDL_INT_H

#include "tables/schema_int.h"

/* One statement being checked; borrowed, all of it. */
struct ddl {
    struct ddl_change *out;
    const struct schema *schema;
    const struct ast_statement *statement;
    struct mr_env *env;
    struct mr_arena *arena;
    int32_t *code;
    struct mr_err *err;
};

/* Sets the error's code and returns STATUS. */
enum mr_status ddl_fail(struct ddl *d, int32_t code, enum mr_status status);
/* Is NAME one for a WHAT? */
MR_MUST_CHECK enum mr_status ddl_check_name(struct ddl *d, const char *what, struct mr_str name);
/* The type of a column's definition. */
MR_MUST_CHECK enum mr_status ddl_check_type(struct ddl *d, const struct ast_node *definition,
                                            const struct cql_type **out);
MR_MUST_CHECK enum mr_status ddl_check_replication(struct ddl *d, struct mr_bytes replication);
/* The properties of a keyspace over *REPLICATION (null: there has to be one) and *DURABLE. */
MR_MUST_CHECK enum mr_status ddl_keyspace_properties(struct ddl *d, struct mr_bytes *replication, bool *durable);
/* The statement's WITH into TABLE. */
MR_MUST_CHECK enum mr_status ddl_set_options(struct ddl *d, struct schema_table *table);
/* The table that the statement names, or NULL. */
MR_MUST_CHECK enum mr_status ddl_find_table(struct ddl *d, struct schema_table **out);
MR_MUST_CHECK enum mr_status ddl_refuse_system(struct ddl *d, struct mr_str keyspace);

/* Makes room in the change for its mutations and events, with a new schema version. */
void ddl_begin(struct ddl *d, uint32_t mutations_max, uint32_t events_max);
/* KEY = what W holds, which is freed; W == NULL: KEY goes. */
void ddl_put_meta(struct ddl *d, struct mr_bytes key, struct mr_writer *w);
void ddl_put_state(struct ddl *d);
void ddl_add_event(struct ddl *d, const char *change, const char *target, struct mr_str keyspace, struct mr_str name);

/* ---- ddl_alter.c ---- */

MR_MUST_CHECK enum mr_status ddl_alter_table(struct ddl *d);
MR_MUST_CHECK enum mr_status ddl_alter_keyspace(struct ddl *d);

#endif

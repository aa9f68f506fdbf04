/* catalog_int.h -- the tables and settings of a session. */
#ifndef SQL_CATALOG_INT_H
#define SQL_CATALOG_INT_H

#include "sql/plan_int.h"

struct sql_setting {
    const char *name;
    const char *default_value; /* NULL: none */
    const char *choices;       /* "a|b|c"; NULL: any text */
    bool is_duration;
    bool is_zone; /* the name of a time zone */
    const char *help;
};

/* The settings there are; *COUNT of them. */
const struct sql_setting *sql_settings(size_t *count);

struct sql_catalog_entry {
    struct mr_arena *arena; /* owned: the table and all in it */
    struct sql_table table;
};

/* An option that has this value whatever the CREATE TABLE says. */
struct sql_override {
    char *table; /* owned, as the next two */
    char *option;
    char *value;
    char *name; /* owned: "table.option" */
    bool used;
};

struct sql_catalog {
    const struct connector *const *connectors; /* borrowed, ends with NULL */
    struct sql_catalog_entry **entries;        /* owned; dropped ones stay: bound queries point to them */
    size_t entry_count;
    size_t entry_capacity;
    char **values;                  /* owned texts, one a setting; NULL: the default */
    struct sql_override *overrides; /* owned */
    size_t override_count;
    size_t override_capacity;
    struct mr_arena *zones; /* owned: every zone that was named, as long as the session */
    const struct mr_zone *zone;
    char *zone_name; /* owned: what zone is; NULL: none was looked up yet */
};

void sql_catalog_init(struct sql_catalog *catalog, const struct connector *const *connectors);
void sql_catalog_deinit(struct sql_catalog *catalog);
/* The table called NAME, or NULL. */
struct sql_table *sql_catalog_find(const struct sql_catalog *catalog, struct mr_str name);
/* A new entry with an arena; not in the catalog until sql_catalog_add. */
struct sql_catalog_entry *sql_catalog_entry_new(void);
void sql_catalog_entry_free(struct sql_catalog_entry *entry);
void sql_catalog_add(struct sql_catalog *catalog, struct sql_catalog_entry *entry);
/* The names of all tables, in the order in which they were made, in ARENA. */
const char **sql_catalog_names(const struct sql_catalog *catalog, struct mr_arena *arena, size_t *count);
/* The index of setting NAME, or -1. */
int sql_setting_find(struct mr_str name);
/* Sets a setting's value; VALUE null: back to the default. */
void sql_catalog_set(struct sql_catalog *catalog, int setting, struct mr_str value);
const char *sql_catalog_value(const struct sql_catalog *catalog, int setting);

/* The zone that 'table.local-time-zone' names; NULL: UTC.  Lives as long as the session. */
MR_MUST_CHECK enum mr_status sql_catalog_zone(struct sql_catalog *catalog, const struct mr_zone **out,
                                              struct mr_err *err);

/* For scripts that fail half way: what to come back to. */
struct sql_catalog_mark {
    size_t entry_count;
    bool *dropped;
    char **values;
};
struct sql_catalog_mark sql_catalog_mark(const struct sql_catalog *catalog);
void sql_catalog_restore(struct sql_catalog *catalog, struct sql_catalog_mark *mark); /* and frees MARK */
void sql_catalog_mark_free(struct sql_catalog_mark *mark);

#endif

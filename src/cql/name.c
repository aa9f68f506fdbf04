/* name.c -- names of keyspaces, tables, columns and types as CQL text. */
#include "cql/cql.h"

/* Words that can't be a name without quotes; in order, for those who look one up here. */
static const char *const reserved[] = {
    "add",         "allow",        "alter",    "and",     "apply",        "asc",   "authorize", "batch",    "begin",
    "by",          "columnfamily", "create",   "default", "delete",       "desc",  "describe",  "drop",     "entries",
    "execute",     "from",         "full",     "grant",   "if",           "in",    "index",     "infinity", "insert",
    "into",        "is",           "keyspace", "limit",   "materialized", "mbean", "mbeans",    "modify",   "nan",
    "norecursive", "not",          "null",     "of",      "on",           "or",    "order",     "primary",  "rename",
    "replace",     "revoke",       "schema",   "select",  "set",          "table", "to",        "token",    "truncate",
    "unlogged",    "unset",        "update",   "use",     "using",        "view",  "where",     "with",
};

static bool is_plain(struct mr_str name)
{
    size_t i;

    if (name.size == 0 || name.data[0] < 'a' || name.data[0] > 'z')
        return false;
    for (i = 1; i < name.size; i++) {
        char c = name.data[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
            return false;
    }
    for (i = 0; i < MR_COUNT(reserved); i++) {
        if (mr_str_equal(name, mr_str_of(reserved[i])))
            return false;
    }
    return true;
}

void cql_name_write(struct mr_writer *w, struct mr_str name)
{
    size_t i;

    if (is_plain(name)) {
        mr_write_str(w, name);
        return;
    }
    mr_write_u8(w, '"');
    for (i = 0; i < name.size; i++) {
        mr_write_u8(w, (uint8_t)name.data[i]);
        if (name.data[i] == '"')
            mr_write_u8(w, '"');
    }
    mr_write_u8(w, '"');
}

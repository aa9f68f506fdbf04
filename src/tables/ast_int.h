/* ast_int.h -- a CQL statement as it was written: what grammar.y makes and the planner reads.
 *
 * Everything lies in the arena given to tables_parse; the texts too. */
#ifndef TABLES_AST_INT_H
#define TABLES_AST_INT_H

#include "base/base.h"

enum ast_limit {
    AST_LIST_MAX = 65535, /* columns, conditions, statements of a batch… */
    AST_MARKERS_MAX = 65535,
};

enum ast_term_kind {
    AST_NULL,
    AST_STRING,
    AST_INTEGER,
    AST_FLOAT, /* NaN and Infinity too */
    AST_BOOLEAN,
    AST_UUID,
    AST_HEX, /* 0x… */
    AST_MARKER,
    AST_MAP,   /* { key: value, … } */
    AST_OTHER, /* function calls, lists, sets: text says which */
};

struct ast_term {
    enum ast_term_kind kind;
    struct mr_str text;        /* as written; strings without quotes and unescaped */
    uint32_t marker;           /* MARKER: its index, in the order of the text */
    struct mr_str marker_name; /* MARKER: null for ? */
    struct ast_node *entries;  /* MAP: term is the key, value the value */
};

enum ast_operator { AST_EQ, AST_LT, AST_LE, AST_GT, AST_GE, AST_NE, AST_IN, AST_CONTAINS };

enum ast_node_kind {
    AST_NODE_COLUMN,
    AST_NODE_TOKEN,
    AST_NODE_COUNT,
    AST_NODE_WRITETIME,
    AST_NODE_TTL,
    AST_NODE_OTHER
};

/* An element of any list of a statement. */
struct ast_node {
    struct ast_node *next;
    enum ast_node_kind kind; /* selectors and conditions */
    struct mr_str name;      /* of the column, property, key part */
    struct mr_str text;      /* column definition: its type; selector: alias or null; OTHER: what it is */
    struct ast_node *names;  /* TOKEN: its columns */
    enum ast_operator op;    /* conditions */
    struct ast_term *term;   /* right-hand side; map entry: key */
    struct ast_term *value;  /* map entry: value */
    bool is_static;          /* column definition */
    bool is_primary;         /* column definition: PRIMARY KEY beside it */
    bool descending;         /* clustering order, ORDER BY */
};

struct ast_list {
    struct ast_node *head;
    struct ast_node *tail;
    uint32_t count;
};

enum ast_statement_kind {
    AST_CREATE_KEYSPACE,
    AST_DROP_KEYSPACE,
    AST_CREATE_TABLE,
    AST_DROP_TABLE,
    AST_TRUNCATE,
    AST_USE,
    AST_INSERT,
    AST_UPDATE,
    AST_DELETE,
    AST_SELECT,
    AST_BATCH,
    AST_DESCRIBE,
};

struct ast_statement {
    enum ast_statement_kind kind;
    struct ast_statement *next; /* in a batch */
    struct mr_str keyspace;     /* null when not written */
    struct mr_str table;
    bool if_clause;      /* IF NOT EXISTS of CREATE, IF EXISTS of DROP */
    bool is_conditional; /* INSERT … IF NOT EXISTS, UPDATE … IF … */

    struct ast_list columns; /* CREATE TABLE: definitions; INSERT: names; DELETE: names; SELECT: selectors, none = * */
    struct ast_list values;  /* INSERT: terms; UPDATE: assignments */
    struct ast_list partition;  /* CREATE TABLE: PRIMARY KEY ((these), …) */
    struct ast_list clustering; /* CREATE TABLE: PRIMARY KEY (…, these) */
    uint32_t primary_key_count; /* CREATE TABLE: how many PRIMARY KEY (…) clauses there were */
    struct ast_list order;      /* CREATE TABLE: CLUSTERING ORDER BY; SELECT: ORDER BY */
    struct ast_list properties; /* WITH … */

    struct ast_list where;
    struct ast_term *timestamp; /* USING TIMESTAMP; NULL: none */
    struct ast_term *ttl;
    struct ast_term *limit;
    bool distinct;
    bool allow_filtering;
    struct mr_str unsupported; /* a clause that parses but is not there yet: its name, or null */

    bool unlogged; /* BATCH */
    struct ast_statement *statements;
    struct ast_statement *statements_tail;
    uint32_t statement_count;

    uint32_t marker_count; /* of the whole text; on the outermost statement */
};

/* Parses one statement, its last ';' optional.  MR_INVALID: a syntax error; the text is Cassandra's
 * ("line 1:0 no viable alternative at input …").  MR_UNSUPPORTED: CQL that is not there yet.  [any] */
MR_MUST_CHECK enum mr_status tables_parse(struct ast_statement **out, struct mr_str text, struct mr_arena *arena,
                                          struct mr_err *err);

#endif

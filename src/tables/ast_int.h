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
    AST_HEX,      /* 0x… */
    AST_DURATION, /* 1h30m */
    AST_MARKER,
    AST_LIST,  /* [ value, … ] */
    AST_SET,   /* { value, … } */
    AST_MAP,   /* { key: value, … }; {} too, which may be a set */
    AST_TUPLE, /* ( value, … ) */
    AST_CALL,  /* text ( args, … ) */
    AST_HINT,  /* (type) value: type, args */
    /* only in the select clause: */
    AST_COLUMN, /* text */
    AST_CAST,   /* CAST(args AS type) */
    AST_INDEX,  /* args [ args ] */
    AST_STAR,   /* the argument of count(*) and count(1) */
};

struct cql_type;

struct ast_term {
    enum ast_term_kind kind;
    struct mr_str text;        /* as written; strings without quotes and unescaped; the name of a function, a column */
    struct mr_str keyspace;    /* CALL: null when not written */
    uint32_t marker;           /* MARKER: its index, in the order of the text */
    struct mr_str marker_name; /* MARKER: null for ? */
    struct mr_str type;        /* HINT, CAST */
    struct ast_node *entries;  /* MAP: term is the key, value the value; LIST, SET, TUPLE, CALL…: term */
    uint32_t entry_count;
    const struct cql_type *alone; /* CALL: what the binder found its type to be; borrowed */
    bool is_alone_known;
};

enum ast_operator { AST_EQ, AST_LT, AST_LE, AST_GT, AST_GE, AST_NE, AST_IN, AST_CONTAINS, AST_CONTAINS_KEY, AST_LIKE };

/* What an assignment of UPDATE does with its column. */
enum ast_assign {
    AST_ASSIGN,       /* c = term */
    AST_ASSIGN_ADD,   /* c = c + term, c += term */
    AST_ASSIGN_FIRST, /* c = term + c */
    AST_ASSIGN_LESS,  /* c = c - term, c -= term */
    AST_ASSIGN_AT,    /* c[index] = term */
};

enum ast_node_kind {
    AST_NODE_COLUMN, /* a column alone */
    AST_NODE_TOKEN,  /* condition: token(names) */
    AST_NODE_TUPLE,  /* condition: (names) */
    AST_NODE_INDEX,  /* condition: name[index]; DELETE: the same */
    AST_NODE_OTHER,  /* selector: term says */
};

/* An element of any list of a statement. */
struct ast_node {
    struct ast_node *next;
    enum ast_node_kind kind; /* selectors and conditions */
    struct mr_str name;      /* of the column, property, key part */
    struct mr_str text;      /* column definition: its type; selector: alias or null; RENAME: the new name */
    struct mr_str written;   /* selector: its text without alias */
    struct ast_node *names;  /* TOKEN, TUPLE: the columns; IN (…): the values, in their terms */
    uint32_t name_count;
    struct ast_node *values; /* IN (…): in their terms; NULL: IN term */
    uint32_t value_count;
    bool is_list;           /* IN: a list of values was written (maybe none) */
    enum ast_operator op;   /* conditions */
    enum ast_assign assign; /* assignments */
    struct ast_term *term;  /* right-hand side; selector; map entry: key */
    struct ast_term *value; /* map entry: value */
    struct ast_term *index; /* INDEX, AST_ASSIGN_AT */
    bool is_static;         /* column definition */
    bool is_primary;        /* column definition: PRIMARY KEY beside it */
    bool descending;        /* clustering order, ORDER BY */
};

struct ast_list {
    struct ast_node *head;
    struct ast_node *tail;
    uint32_t count;
};

enum ast_statement_kind {
    AST_CREATE_KEYSPACE,
    AST_DROP_KEYSPACE,
    AST_ALTER_KEYSPACE,
    AST_CREATE_TABLE,
    AST_DROP_TABLE,
    AST_ALTER_TABLE,
    AST_TRUNCATE,
    AST_USE,
    AST_INSERT,
    AST_UPDATE,
    AST_DELETE,
    AST_SELECT,
    AST_BATCH,
    AST_DESCRIBE,
};

enum ast_alter { AST_ALTER_ADD, AST_ALTER_DROP, AST_ALTER_RENAME, AST_ALTER_WITH };

struct ast_statement {
    enum ast_statement_kind kind;
    struct ast_statement *next; /* in a batch */
    struct mr_str keyspace;     /* null when not written */
    struct mr_str table;
    bool if_clause; /* IF NOT EXISTS of CREATE, IF EXISTS of DROP */
    bool if_column; /* ALTER TABLE: ADD IF NOT EXISTS, DROP IF EXISTS */
    enum ast_alter alter;
    bool is_conditional; /* INSERT … IF NOT EXISTS, UPDATE … IF … */

    /* CREATE TABLE, ALTER … ADD: definitions; INSERT, ALTER … DROP: names; DELETE: names and elements; SELECT:
     * selectors, none = * */
    struct ast_list columns;
    struct ast_list values;     /* INSERT: terms; UPDATE: assignments */
    struct ast_list partition;  /* CREATE TABLE: PRIMARY KEY ((these), …) */
    struct ast_list clustering; /* CREATE TABLE: PRIMARY KEY (…, these) */
    uint32_t primary_key_count; /* CREATE TABLE: how many PRIMARY KEY (…) clauses there were */
    struct ast_list order;      /* CREATE TABLE: CLUSTERING ORDER BY; SELECT: ORDER BY */
    struct ast_list properties; /* WITH … */

    struct ast_list where;
    struct ast_term *timestamp; /* USING TIMESTAMP; NULL: none */
    struct ast_term *ttl;
    struct ast_term *limit;
    struct ast_term *per_partition_limit;
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

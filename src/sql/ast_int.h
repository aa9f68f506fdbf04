/* ast_int.h -- what the parser makes of a script: statements as they were written, nothing looked up yet.
 *
 * Everything lies in the arena of the script and dies with it.  Each node knows its place in the text, for messages. */
#ifndef SQL_AST_INT_H
#define SQL_AST_INT_H

#include "base/base.h"
#include "data/data.h"

/* A place in the script.  line and column are 1-based, column in characters; begin and end are byte offsets. */
struct sql_loc {
    int line;
    int column;
    uint32_t begin;
    uint32_t end;
};

enum sql_ast_limits {
    SQL_SCRIPT_BYTES_MAX = 16 << 20, /* longer scripts are refused */
    SQL_AST_DEPTH_MAX = 500,         /* deeper nested expressions and types are refused: binding recurses */
};

enum sql_ast_expr_kind {
    SQL_AST_NULL,
    SQL_AST_BOOLEAN,     /* op: 1 or 0 */
    SQL_AST_INTEGER,     /* text: digits */
    SQL_AST_DECIMAL,     /* text: digits with a point */
    SQL_AST_APPROXIMATE, /* text: digits with an exponent */
    SQL_AST_STRING,      /* text: the value, escapes undone */
    SQL_AST_BINARY_TEXT, /* text: hex digits */
    SQL_AST_INTERVAL,    /* text: the value; text2: the first unit; text3: the last, or null; op: 1 for a minus */
    SQL_AST_TIME,        /* text: the value; op: enum data_kind, DATE, TIME or TIMESTAMP */
    SQL_AST_NAME,        /* text: a column or a table's alias */
    SQL_AST_FIELD,       /* args: base; text: the field */
    SQL_AST_INDEX,       /* args: base, index */
    SQL_AST_STAR,        /* text: the alias in front, or null */
    SQL_AST_UNARY,       /* op; args: one */
    SQL_AST_BINARY,      /* op; args: two */
    SQL_AST_IS,          /* op: enum sql_ast_is; negated; args: one */
    SQL_AST_BETWEEN,     /* negated; args: value, low, high */
    SQL_AST_IN,          /* negated; args: value, then the list */
    SQL_AST_LIKE,        /* op: 1 for SIMILAR TO; negated; args: value, pattern, [escape] */
    SQL_AST_CAST,        /* op: 1 for TRY_CAST; type; args: one */
    SQL_AST_CASE,  /* op: 1 when args[0] is the value compared; then WHEN, THEN pairs; has_else: the last is ELSE */
    SQL_AST_CALL,  /* text: the function; text2: a unit (EXTRACT, FLOOR … TO, TIMESTAMPADD); args */
    SQL_AST_ROW,   /* args */
    SQL_AST_ARRAY, /* args */
    SQL_AST_MAP,   /* args: key, value, … */
};

enum sql_ast_op {
    SQL_OP_OR,
    SQL_OP_AND,
    SQL_OP_NOT,
    SQL_OP_EQ,
    SQL_OP_NE,
    SQL_OP_LT,
    SQL_OP_LE,
    SQL_OP_GT,
    SQL_OP_GE,
    SQL_OP_DISTINCT, /* IS DISTINCT FROM */
    SQL_OP_SAME,     /* IS NOT DISTINCT FROM */
    SQL_OP_ADD,
    SQL_OP_SUB,
    SQL_OP_MUL,
    SQL_OP_DIV,
    SQL_OP_MOD,
    SQL_OP_CONCAT,
    SQL_OP_NEG,
    SQL_OP_PLUS,
};

enum sql_ast_is { SQL_IS_NULL, SQL_IS_TRUE, SQL_IS_FALSE, SQL_IS_UNKNOWN };

struct sql_ast_type;

/* Expressions in a row, linked through next. */
struct sql_ast_exprs {
    struct sql_ast_expr *first;
    struct sql_ast_expr *last;
    uint32_t count;
};

struct sql_ast_expr {
    enum sql_ast_expr_kind kind;
    int op;
    bool negated;
    bool has_else;
    int depth;
    struct sql_loc loc;
    struct mr_str text;
    struct mr_str text2;
    struct mr_str text3;
    struct sql_ast_exprs args;
    struct sql_ast_type *type;
    struct sql_ast_expr *next;
};

/* What a column of a table is. */
enum sql_ast_column_kind { SQL_COLUMN_PHYSICAL, SQL_COLUMN_METADATA, SQL_COLUMN_COMPUTED };

struct sql_ast_field {
    struct mr_str name;
    struct sql_ast_type *type; /* NULL: of a computed column, not known yet */
    enum sql_ast_column_kind column_kind;
    struct mr_str metadata; /* FROM 'key'; null: the column's name */
    bool is_virtual;
    struct sql_ast_expr *expr; /* computed */
    struct sql_loc loc;
    struct sql_ast_field *next;
};

struct sql_ast_fields {
    struct sql_ast_field *first;
    struct sql_ast_field *last;
    uint32_t count;
};

/* A type as written; for ROW the fields, for ARRAY the element, for MAP key and element. */
struct sql_ast_type {
    enum data_kind kind;
    bool not_null;
    bool fixed; /* CHAR, BINARY */
    int depth;
    int arg_count; /* of (10, 2) */
    int args[2];
    struct sql_loc loc;
    struct sql_ast_fields fields; /* ROW */
    struct sql_ast_type *key;     /* MAP */
    struct sql_ast_type *element; /* ARRAY, MAP */
};

/* A name with its place; lists of them. */
struct sql_ast_name {
    struct mr_str text;
    struct sql_loc loc;
    struct sql_ast_name *next;
};

struct sql_ast_names {
    struct sql_ast_name *first;
    struct sql_ast_name *last;
    uint32_t count;
};

/* 'key' = 'value' */
struct sql_ast_option {
    struct mr_str key;
    struct mr_str value;
    struct sql_loc key_loc;
    struct sql_loc value_loc;
    struct sql_ast_option *next;
};

struct sql_ast_options {
    struct sql_ast_option *first;
    struct sql_ast_option *last;
    uint32_t count;
};

/* CREATE TABLE's list: the columns, and the key when there is one. */
struct sql_ast_table {
    struct sql_ast_fields columns;
    struct sql_ast_names key;
    struct sql_loc key_loc; /* line 0: there is no key */
};

/* One item of a SELECT list. */
struct sql_ast_item {
    struct sql_ast_expr *expr;
    struct mr_str alias; /* may be null */
    struct sql_loc loc;
    struct sql_ast_item *next;
};

struct sql_ast_items {
    struct sql_ast_item *first;
    struct sql_ast_item *last;
    uint32_t count;
};

/* FROM: a table by name, or VALUES, or nothing (name.text null and values empty). */
struct sql_ast_from {
    struct sql_ast_name name;
    struct sql_ast_exprs values; /* each a SQL_AST_ROW */
    struct mr_str alias;         /* may be null */
    struct sql_ast_names alias_columns;
    struct sql_loc loc;
};

/* SELECT … FROM … WHERE … LIMIT …; VALUES alone is SELECT * FROM (VALUES …). */
struct sql_ast_query {
    struct sql_ast_items items;
    struct sql_ast_from from;
    struct sql_ast_expr *where; /* NULL: none */
    int64_t limit;              /* -1: none */
    struct sql_loc limit_loc;
    struct sql_loc loc;
};

enum sql_ast_statement_kind {
    SQL_AST_CREATE_TABLE,
    SQL_AST_DROP_TABLE,
    SQL_AST_INSERT,
    SQL_AST_STATEMENT_SET,
    SQL_AST_SELECT,
    SQL_AST_EXPLAIN,
    SQL_AST_SET,   /* key null: SET alone, lists the settings */
    SQL_AST_RESET, /* key null: all */
    SQL_AST_SHOW_TABLES,
    SQL_AST_SHOW_QUERIES,
    SQL_AST_SHOW_FUNCTIONS,
    SQL_AST_START_QUERY,
    SQL_AST_STOP_QUERY,
    SQL_AST_SHOW_CREATE_TABLE,
    SQL_AST_DESCRIBE,
};

struct sql_ast_statements {
    struct sql_ast_statement *first;
    struct sql_ast_statement *last;
    uint32_t count;
};

struct sql_ast_statement {
    enum sql_ast_statement_kind kind;
    struct sql_loc loc;
    bool conditional;                /* IF [NOT] EXISTS */
    struct sql_ast_name name;        /* the table */
    struct sql_ast_table table;      /* CREATE TABLE */
    struct sql_ast_options options;  /* CREATE TABLE; SET: one */
    struct sql_ast_names columns;    /* INSERT INTO t (…) */
    struct sql_ast_query *query;     /* INSERT, SELECT */
    struct sql_ast_statements inner; /* STATEMENT SET: its INSERTs; EXPLAIN: the one explained */
    struct sql_ast_statement *next;
};

/* Appends an element to a list with first, last, count. */
#define SQL_LIST_PUSH(list, node)                                                                                      \
    do {                                                                                                               \
        if ((list)->last)                                                                                              \
            (list)->last->next = (node);                                                                               \
        else                                                                                                           \
            (list)->first = (node);                                                                                    \
        (list)->last = (node);                                                                                         \
        (list)->count++;                                                                                               \
    } while (0)

/* State of one parse; the lexer and the grammar share it. */
struct sql_parse {
    struct mr_arena *arena;
    struct mr_str source;
    struct mr_err *err; /* set at the first error, then parsing stops */
    bool failed;
    struct sql_ast_statements statements;
    struct sql_ast_table table; /* of the CREATE TABLE being read */
    struct sql_loc at;          /* of the token being read */
    struct sql_loc previous;    /* the last two tokens handed out, for messages */
    struct sql_loc last;
};

/* Parses SOURCE (UTF-8) into *OUT, in ARENA.  MR_INVALID, MR_UNSUPPORTED: err has the place and what is wrong. */
MR_MUST_CHECK enum mr_status sql_parse(struct mr_arena *arena, struct mr_str source, struct sql_ast_statements *out,
                                       struct mr_err *err);

/* For the grammar: a node of KIND over ARGS (may be NULL), with its depth checked (sets failed when too deep). */
struct sql_ast_expr *sql_ast_expr(struct sql_parse *parse, enum sql_ast_expr_kind kind, struct sql_loc loc);
struct sql_ast_expr *sql_ast_over(struct sql_parse *parse, enum sql_ast_expr_kind kind, struct sql_loc loc, int op,
                                  struct sql_ast_expr *a, struct sql_ast_expr *b, struct sql_ast_expr *c);
/* Appends ARG to NODE's arguments. */
void sql_ast_add(struct sql_parse *parse, struct sql_ast_expr *node, struct sql_ast_expr *arg);
/* A type of KIND. */
struct sql_ast_type *sql_ast_type(struct sql_parse *parse, enum data_kind kind, struct sql_loc loc);
/* The same by a scalar type's name: TINYINT, DEC, VARBINARY … */
struct sql_ast_type *sql_ast_type_named(struct sql_parse *parse, struct mr_str name, struct sql_loc loc);
/* Gives TYPE the digits of an argument: a length, a precision, a scale; false: too large. */
bool sql_ast_type_arg(struct sql_parse *parse, struct sql_ast_type *type, struct mr_str digits, struct sql_loc loc);
/* Reports the first error of a parse, at LOC; later ones are dropped. */
void sql_parse_error(struct sql_parse *parse, enum mr_status status, struct sql_loc loc, const char *format, ...)
    MR_PRINTF(4, 5);
/* Reports a type that is not there, with the list of those that are. */
void sql_parse_bad_type(struct sql_parse *parse, struct sql_loc loc);
/* Reports an unexpected token: names the feature that is not there, the reserved word, or what was expected. */
void sql_parse_unexpected(struct sql_parse *parse, struct sql_loc loc, const char *const *expected, int expected_count,
                          bool name_expected);
/* The text of LOC in the script. */
struct mr_str sql_parse_text(const struct sql_parse *parse, struct sql_loc loc);

/* The token of a word: a keyword's, RESERVED for the others that Flink reserves, IDENT for the rest. */
int sql_keyword_token(struct mr_str word);
/* Is WORD reserved in Flink SQL, so that as a name it must stand in backticks? */
bool sql_keyword_reserved(struct mr_str word);

#endif

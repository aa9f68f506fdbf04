/* parse_int.h -- what the scanner (lexer.l), the parser (grammar.y) and parse.c share. */
#ifndef TABLES_PARSE_INT_H
#define TABLES_PARSE_INT_H

#include "tables/ast_int.h"

enum parse_limit { PARSE_SNIPPET_TOKENS = 10 };

struct parse {
    struct mr_arena *arena;              /* borrowed */
    struct mr_str text;                  /* the whole statement */
    size_t at;                           /* scanner: where the next token begins */
    size_t token_at;                     /* where the last token began */
    size_t recent[PARSE_SNIPPET_TOKENS]; /* where the last tokens began, in a ring */
    uint32_t token_count;
    uint32_t marker_count;
    struct ast_statement *statement;
    struct mr_str later;     /* a clause that parses but is not there yet, or null */
    struct mr_str only_same; /* a column set to an expression of another one, or null */
    bool failed;
    bool too_many; /* a list is longer than AST_LIST_MAX */
};

/* Appends NODE to LIST; fails the parse when the list is too long. */
void parse_append(struct parse *parse, struct ast_list *list, struct ast_node *node);
struct ast_node *parse_node(struct parse *parse, struct mr_str name);
struct ast_term *parse_term(struct parse *parse, enum ast_term_kind kind, struct mr_str text);
struct ast_term *parse_marker(struct parse *parse, struct mr_str name);
/* A term made of LIST; of ONE. */
struct ast_term *parse_group(struct parse *parse, enum ast_term_kind kind, struct mr_str text, struct ast_list list);
struct ast_term *parse_group1(struct parse *parse, enum ast_term_kind kind, struct mr_str text, struct ast_term *one);
/* An assignment NAME = OF + TERM and the like: both are the same column. */
struct ast_node *parse_change(struct parse *parse, struct mr_str name, struct mr_str of, enum ast_assign assign,
                              struct ast_term *term);
/* A condition on COLUMNS; NODE IN (VALUES). */
struct ast_node *parse_columns(struct parse *parse, enum ast_node_kind kind, struct ast_list columns);
struct ast_node *parse_in(struct parse *parse, struct ast_node *node, struct ast_list values);
struct ast_statement *parse_statement(struct parse *parse, enum ast_statement_kind kind);

#endif

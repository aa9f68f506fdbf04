/* lexer_int.h -- what flex makes of lexer.l, as the grammar and the parser use it. */
#ifndef SQL_LEXER_INT_H
#define SQL_LEXER_INT_H

#include "sql/ast_int.h"

union SQL_YYSTYPE;
struct yy_buffer_state;

/* The next token; 0 at the end. */
int sql_lex(union SQL_YYSTYPE *value, struct sql_loc *loc, void *scanner);

/* flex's own: a scanner with PARSE as its extra, a buffer that copies SIZE bytes, and their ends. */
int sql_yylex_init_extra(struct sql_parse *parse, void **scanner);
struct yy_buffer_state *sql_yy_scan_bytes(const char *bytes, int size, void *scanner);
void sql_yy_delete_buffer(struct yy_buffer_state *buffer, void *scanner);
int sql_yylex_destroy(void *scanner);
struct sql_parse *sql_yyget_extra(void *scanner);

#endif

/* grammar.y -- the SQL that millrace reads: a subset of Flink SQL.  This file is the description of the language.
 *
 * What Flink has and this version has not (JOIN, GROUP BY, windows …) is no part of the grammar: its words are reserved
 * tokens, and sql_parse_unexpected names the feature when one of them stands where the grammar has no place for it. */
%code requires {
#include "sql/ast_int.h"
}
%code {
#include <string.h>

#include "sql/lexer_int.h"
}

%define api.pure full
%define api.prefix {sql_yy}
%define api.location.type {struct sql_loc}
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%lex-param { void *scanner }
%parse-param { void *scanner } { struct sql_parse *parse }
%initial-action { @$ = (struct sql_loc){ .line = 1, .column = 1 }; }

%code {
#define YYMALLOC mr_alloc
#define YYFREE   mr_free
#define YYMAXDEPTH 20000
#define YYLLOC_DEFAULT(Current, Rhs, N)                                                                                \
    do {                                                                                                               \
        if (N) {                                                                                                       \
            (Current) = YYRHSLOC(Rhs, 1);                                                                              \
            (Current).end = YYRHSLOC(Rhs, N).end;                                                                      \
        } else {                                                                                                       \
            (Current) = YYRHSLOC(Rhs, 0);                                                                              \
            (Current).begin = (Current).end;                                                                           \
        }                                                                                                              \
    } while (0)

static int sql_yylex(union SQL_YYSTYPE *value, struct sql_loc *loc, void *scanner);
static void sql_yyerror(const struct sql_loc *loc, void *scanner, struct sql_parse *parse, const char *text);
static struct sql_ast_statement *statement_new(struct sql_parse *parse, enum sql_ast_statement_kind kind,
                                               struct sql_loc loc);
static struct sql_ast_name *name_new(struct sql_parse *parse, struct mr_str text, struct sql_loc loc);
static struct sql_ast_item *item_new(struct sql_parse *parse, struct sql_ast_expr *expr, struct mr_str alias,
                                     struct sql_loc loc);
static struct sql_ast_field *field_new(struct sql_parse *parse, struct mr_str name, struct sql_ast_type *type,
                                       struct sql_loc loc);
static struct sql_ast_query *query_of_values(struct sql_parse *parse, struct sql_ast_exprs rows, struct sql_loc loc);
static struct sql_ast_expr *call_of(struct sql_parse *parse, struct mr_str name, struct sql_ast_exprs args,
                                    struct sql_loc loc);
static struct sql_ast_expr *leaf_of(struct sql_parse *parse, enum sql_ast_expr_kind kind, struct mr_str text,
                                    struct sql_loc loc);
static bool key_set(struct sql_parse *parse, struct sql_ast_names key, struct sql_loc loc);
static bool limit_set(struct sql_parse *parse, struct sql_ast_query *query, struct mr_str digits, struct sql_loc loc);
static bool depth_ok(struct sql_parse *parse, struct sql_ast_expr *expr);

#define REFUSE(loc, ...)                                                                                               \
    do {                                                                                                               \
        sql_parse_error(parse, MR_UNSUPPORTED, (loc), __VA_ARGS__);                                                    \
        YYABORT;                                                                                                       \
    } while (0)
#define CHECK(expr)                                                                                                    \
    do {                                                                                                               \
        if (!depth_ok(parse, (expr)))                                                                                  \
            YYABORT;                                                                                                   \
    } while (0)
}

%union {
    struct mr_str text;
    bool flag;
    int op;
    struct sql_ast_expr *expr;
    struct sql_ast_exprs exprs;
    struct sql_ast_type *type;
    struct sql_ast_fields fields;
    struct sql_ast_field *field;
    struct sql_ast_names names;
    struct sql_ast_name *name;
    struct sql_ast_options options;
    struct sql_ast_option *option;
    struct sql_ast_items items;
    struct sql_ast_item *item;
    struct sql_ast_from from;
    struct sql_ast_query *query;
    struct sql_ast_statement *statement;
    struct sql_ast_statements statements;
}

%token END_OF_INPUT 0 "the end"
%token <text> IDENT "a name" RESERVED "a reserved word" TYPE_NAME "a type"
%token <text> STRING_LITERAL "a string" INTEGER_LITERAL "a whole number" DECIMAL_LITERAL "a number"
%token <text> APPROXIMATE_LITERAL "a number in exponent form" BINARY_LITERAL "bytes (x'…')"
%token <text> DATE "DATE" DEFAULT "DEFAULT" EMPTY "EMPTY" ERROR_ "ERROR" EXTRACT "EXTRACT" FLOOR_CEIL "FLOOR" JSON_VALUE "JSON_VALUE" LOCAL "LOCAL"
%token <text> MAP "MAP" NILADIC "CURRENT_TIMESTAMP" ON "ON" OVERLAY "OVERLAY" PLACING "PLACING" POSITION "POSITION" RETURNING "RETURNING"
%token <text> SIMILAR "SIMILAR" TIME "TIME" TIME_UNIT "a unit of time" TIMESTAMP "TIMESTAMP" TIMESTAMPADD "TIMESTAMPADD" TO "TO" VIRTUAL "VIRTUAL"
%token <text> WITHOUT "WITHOUT" ZONE "ZONE"
%token <text> ALL "ALL" AND "AND" ARRAY "ARRAY" AS "AS" BEGIN_ "BEGIN" BETWEEN "BETWEEN" BIGINT "BIGINT" BOOLEAN "BOOLEAN" BOTH "BOTH"
%token <text> CASE "CASE" CAST "CAST" CHAR "CHAR" COMMENT "COMMENT" CONSTRAINT "CONSTRAINT" CREATE "CREATE" DESCRIBE "DESCRIBE" DISTINCT "DISTINCT"
%token <text> DOUBLE "DOUBLE" DROP "DROP" ELSE "ELSE" END "END" ENFORCED "ENFORCED" ESCAPE "ESCAPE" EXECUTE "EXECUTE"
%token <text> EXISTS "EXISTS" EXPLAIN "EXPLAIN" FALSE "FALSE" FLOAT "FLOAT" FOR "FOR" FROM "FROM" FUNCTIONS "FUNCTIONS" IF "IF" IN "IN" INSERT "INSERT"
%token <text> INT "INT" INTERVAL "INTERVAL" INTO "INTO" IS "IS" KEY "KEY" LEADING "LEADING" LIKE "LIKE" LIMIT "LIMIT"
%token <text> METADATA "METADATA" NOT "NOT" NULL_ "NULL" OR "OR" OVERWRITE "OVERWRITE" PLAN "PLAN" PRECISION "PRECISION"
%token <text> PRIMARY "PRIMARY" QUERIES "QUERIES" QUERY "QUERY" RESET "RESET" ROW "ROW" SELECT "SELECT" SET "SET" SHOW "SHOW" START "START" STATEMENT "STATEMENT" STOP "STOP"
%token <text> STRING "STRING" SUBSTRING "SUBSTRING" TABLE "TABLE" TABLES "TABLES" THEN "THEN" TRAILING "TRAILING" TRIM "TRIM" TRUE "TRUE"
%token <text> TRY_CAST "TRY_CAST" UNKNOWN "UNKNOWN" VALUES "VALUES" VARCHAR "VARCHAR" WATERMARK "WATERMARK" WHEN "WHEN"
%token <text> WHERE "WHERE" WITH "WITH"
%token NE "<>" LE "<=" GE ">=" CONCAT_OP "||"

%type <text> name word query_name opt_alias unit opt_metadata_key
%type <flag> opt_not opt_not_null opt_virtual time_zone
%type <op> comparison interval_sign
%type <expr> interval_unit
%type <text> interval_part
%type <expr> expr predicate value primary literal case opt_operand row_value time_call json_call json_else
%type <exprs> expr_list opt_expr_list when_list row_list
%type <type> type type_head type_args
%type <fields> field_list
%type <field> field
%type <names> name_list opt_name_list
%type <name> table_name
%type <options> option_list with
%type <option> option
%type <items> item_list
%type <item> item
%type <from> from
%type <query> query select
%type <statement> statement create_table insert statement_set
%type <statements> insert_list

%precedence ONE_UNIT
%precedence TO
%left OR
%left AND
%precedence NOT
%left '+' '-'
%left '*' '/' '%' CONCAT_OP
%precedence UNARY

%%

script:
    statements
  | statements statement              { SQL_LIST_PUSH(&parse->statements, $2); }
  ;

statements:
    %empty
  | statements ';'
  | statements statement ';'          { SQL_LIST_PUSH(&parse->statements, $2); }
  ;

statement:
    create_table
  | DROP TABLE table_name             { $$ = statement_new(parse, SQL_AST_DROP_TABLE, @$); $$->name = *$3; }
  | DROP TABLE IF EXISTS table_name   { $$ = statement_new(parse, SQL_AST_DROP_TABLE, @$); $$->name = *$5; $$->conditional = true; }
  | insert
  | statement_set
  | query                             { $$ = statement_new(parse, SQL_AST_SELECT, @$); $$->query = $1; }
  | EXPLAIN statement                 { $$ = statement_new(parse, SQL_AST_EXPLAIN, @$); SQL_LIST_PUSH(&$$->inner, $2); }
  | EXPLAIN PLAN FOR statement        { $$ = statement_new(parse, SQL_AST_EXPLAIN, @$); SQL_LIST_PUSH(&$$->inner, $4); }
  | SET                               { $$ = statement_new(parse, SQL_AST_SET, @$); }
  | SET option                        { $$ = statement_new(parse, SQL_AST_SET, @$); SQL_LIST_PUSH(&$$->options, $2); }
  | RESET                             { $$ = statement_new(parse, SQL_AST_RESET, @$); }
  | RESET STRING_LITERAL              { $$ = statement_new(parse, SQL_AST_RESET, @$); $$->name.text = $2; $$->name.loc = @2; }
  | SHOW TABLES                       { $$ = statement_new(parse, SQL_AST_SHOW_TABLES, @$); }
  | SHOW QUERIES                      { $$ = statement_new(parse, SQL_AST_SHOW_QUERIES, @$); }
  | SHOW FUNCTIONS                    { $$ = statement_new(parse, SQL_AST_SHOW_FUNCTIONS, @$); }
  | START QUERY query_name            { $$ = statement_new(parse, SQL_AST_START_QUERY, @$); $$->name.text = $3; $$->name.loc = @3; }
  | STOP QUERY query_name             { $$ = statement_new(parse, SQL_AST_STOP_QUERY, @$); $$->name.text = $3; $$->name.loc = @3; }
  | SHOW CREATE TABLE table_name      { $$ = statement_new(parse, SQL_AST_SHOW_CREATE_TABLE, @$); $$->name = *$4; }
  | DESCRIBE table_name               { $$ = statement_new(parse, SQL_AST_DESCRIBE, @$); $$->name = *$2; }
  ;

query_name:
    STRING_LITERAL
  | name
  ;

statement_set:
    EXECUTE STATEMENT SET BEGIN_ insert_list END
                                      { $$ = statement_new(parse, SQL_AST_STATEMENT_SET, @$); $$->inner = $5; }
  | STATEMENT SET BEGIN_ insert_list END
                                      { $$ = statement_new(parse, SQL_AST_STATEMENT_SET, @$); $$->inner = $4; }
  | BEGIN_ STATEMENT SET ';' insert_list END
                                      { $$ = statement_new(parse, SQL_AST_STATEMENT_SET, @$); $$->inner = $5; }
  ;

insert_list:
    insert ';'                        { $$ = (struct sql_ast_statements){ 0 }; SQL_LIST_PUSH(&$$, $1); }
  | insert_list insert ';'            { $$ = $1; SQL_LIST_PUSH(&$$, $2); }
  ;

/* ---- tables ---- */

create_table:
    CREATE TABLE table_name '(' table_elements ')' opt_comment with
                                      { $$ = statement_new(parse, SQL_AST_CREATE_TABLE, @$); $$->name = *$3; $$->table = parse->table; $$->options = $8; parse->table = (struct sql_ast_table){ 0 }; }
  | CREATE TABLE IF NOT EXISTS table_name '(' table_elements ')' opt_comment with
                                      { $$ = statement_new(parse, SQL_AST_CREATE_TABLE, @$); $$->name = *$6; $$->table = parse->table; $$->options = $11; parse->table = (struct sql_ast_table){ 0 }; $$->conditional = true; }
  ;

table_elements:
    table_element
  | table_elements ',' table_element
  ;

/* The columns gather in parse->table until the statement is whole. */
table_element:
    name type opt_comment             { struct sql_ast_field *f = field_new(parse, $1, $2, @1); SQL_LIST_PUSH(&parse->table.columns, f); }
  | name type PRIMARY KEY enforcement opt_comment
                                      { struct sql_ast_field *f = field_new(parse, $1, $2, @1);
                                        struct sql_ast_names key = { 0 };
                                        struct sql_ast_name *n = name_new(parse, $1, @1);
                                        SQL_LIST_PUSH(&parse->table.columns, f);
                                        SQL_LIST_PUSH(&key, n);
                                        if (!key_set(parse, key, @3))
                                            YYABORT; }
  | name type METADATA opt_metadata_key opt_virtual opt_comment
                                      { struct sql_ast_field *f = field_new(parse, $1, $2, @1);
                                        f->column_kind = SQL_COLUMN_METADATA; f->metadata = $4; f->is_virtual = $5;
                                        SQL_LIST_PUSH(&parse->table.columns, f); }
  | name AS expr opt_comment          { struct sql_ast_field *f = field_new(parse, $1, NULL, @1);
                                        f->column_kind = SQL_COLUMN_COMPUTED; f->expr = $3;
                                        SQL_LIST_PUSH(&parse->table.columns, f); }
  | constraint_name PRIMARY KEY '(' name_list ')' enforcement
                                      { if (!key_set(parse, $5, @2))
                                            YYABORT; }
  | WATERMARK                         { REFUSE(@1, "WATERMARK is not there in this version: there is no event time yet"); }
  ;

opt_metadata_key:
    %empty                            { $$ = MR_STR_NULL; }
  | FROM STRING_LITERAL               { $$ = $2; }
  ;

opt_virtual:
    %empty                            { $$ = false; }
  | VIRTUAL                           { $$ = true; }
  ;

constraint_name:
    %empty
  | CONSTRAINT name
  ;

enforcement:
    NOT ENFORCED
  | %empty                            { sql_parse_error(parse, MR_INVALID, parse->at, "a PRIMARY KEY is not checked here, as in Flink: write PRIMARY KEY … NOT ENFORCED"); YYABORT; }
  ;

opt_comment:
    %empty
  | COMMENT STRING_LITERAL
  ;

with:
    WITH '(' option_list ')'          { $$ = $3; }
  ;

option_list:
    option                            { $$ = (struct sql_ast_options){ 0 }; SQL_LIST_PUSH(&$$, $1); }
  | option_list ',' option            { $$ = $1; SQL_LIST_PUSH(&$$, $3); }
  ;

option:
    STRING_LITERAL '=' STRING_LITERAL { $$ = MR_ARENA_NEW(parse->arena, struct sql_ast_option);
                                        $$->key = $1; $$->value = $3; $$->key_loc = @1; $$->value_loc = @3; }
  ;

type:
    type_head opt_not_null            { $$ = $1; $$->not_null = $2; }
  | type ARRAY opt_not_null           { $$ = sql_ast_type(parse, DATA_ARRAY, @$); $$->element = $1; $$->not_null = $3; $$->depth = $1->depth + 1;
                                        if ($$->depth > SQL_AST_DEPTH_MAX) REFUSE(@$, "this type is nested too deep"); }
  ;

type_head:
    BOOLEAN                           { $$ = sql_ast_type(parse, DATA_BOOLEAN, @$); }
  | INT                               { $$ = sql_ast_type(parse, DATA_INT, @$); }
  | BIGINT                            { $$ = sql_ast_type(parse, DATA_BIGINT, @$); }
  | FLOAT                             { $$ = sql_ast_type(parse, DATA_FLOAT, @$); }
  | DOUBLE                            { $$ = sql_ast_type(parse, DATA_DOUBLE, @$); }
  | DOUBLE PRECISION                  { $$ = sql_ast_type(parse, DATA_DOUBLE, @$); }
  | STRING                            { $$ = sql_ast_type(parse, DATA_STRING, @$); }
  | type_args
  | DATE                              { $$ = sql_ast_type(parse, DATA_DATE, @$); }
  | TIME time_zone                    { $$ = sql_ast_type(parse, DATA_TIME, @$); if ($2) REFUSE(@2, "TIME has no zone"); }
  | TIME '(' INTEGER_LITERAL ')' time_zone
                                      { $$ = sql_ast_type(parse, DATA_TIME, @$); if ($5) REFUSE(@5, "TIME has no zone");
                                        if (!sql_ast_type_arg(parse, $$, $3, @3)) YYABORT; }
  | TIMESTAMP time_zone               { $$ = sql_ast_type(parse, $2 ? DATA_TIMESTAMP_LTZ : DATA_TIMESTAMP, @$); }
  | TIMESTAMP '(' INTEGER_LITERAL ')' time_zone
                                      { $$ = sql_ast_type(parse, $5 ? DATA_TIMESTAMP_LTZ : DATA_TIMESTAMP, @$);
                                        if (!sql_ast_type_arg(parse, $$, $3, @3)) YYABORT; }
  | ROW '<' field_list '>'            { $$ = sql_ast_type(parse, DATA_ROW, @$); $$->fields = $3; }
  | ROW '(' field_list ')'            { $$ = sql_ast_type(parse, DATA_ROW, @$); $$->fields = $3; }
  | ARRAY '<' type '>'                { $$ = sql_ast_type(parse, DATA_ARRAY, @$); $$->element = $3; }
  | MAP '<' type ',' type '>'         { $$ = sql_ast_type(parse, DATA_MAP, @$); $$->key = $3; $$->element = $5; }
  | RESERVED                          { sql_parse_bad_type(parse, @1); YYABORT; }
  | IDENT                             { sql_parse_bad_type(parse, @1); YYABORT; }
  ;

type_args:
    TYPE_NAME                         { $$ = sql_ast_type_named(parse, $1, @$); }
  | TYPE_NAME '(' INTEGER_LITERAL ')' { $$ = sql_ast_type_named(parse, $1, @$); if (!sql_ast_type_arg(parse, $$, $3, @3)) YYABORT; }
  | TYPE_NAME '(' INTEGER_LITERAL ',' INTEGER_LITERAL ')'
                                      { $$ = sql_ast_type_named(parse, $1, @$);
                                        if (!sql_ast_type_arg(parse, $$, $3, @3) || !sql_ast_type_arg(parse, $$, $5, @5)) YYABORT; }
  | CHAR                              { $$ = sql_ast_type_named(parse, MR_STR("CHAR"), @$); }
  | CHAR '(' INTEGER_LITERAL ')'      { $$ = sql_ast_type_named(parse, MR_STR("CHAR"), @$); if (!sql_ast_type_arg(parse, $$, $3, @3)) YYABORT; }
  | VARCHAR                           { $$ = sql_ast_type_named(parse, MR_STR("VARCHAR"), @$); }
  | VARCHAR '(' INTEGER_LITERAL ')'   { $$ = sql_ast_type_named(parse, MR_STR("VARCHAR"), @$); if (!sql_ast_type_arg(parse, $$, $3, @3)) YYABORT; }
  ;

/* Is it one WITH LOCAL TIME ZONE? */
time_zone:
    %empty                            { $$ = false; }
  | WITHOUT TIME ZONE                 { $$ = false; }
  | WITH LOCAL TIME ZONE              { $$ = true; }
  | WITH TIME ZONE                    { REFUSE(@$, "WITH TIME ZONE is not there, as in Flink; use TIMESTAMP_LTZ"); }
  ;

opt_not_null:
    %empty                            { $$ = false; }
  | NULL_                             { $$ = false; }
  | NOT NULL_                         { $$ = true; }
  ;

field_list:
    field                             { $$ = (struct sql_ast_fields){ 0 }; SQL_LIST_PUSH(&$$, $1); }
  | field_list ',' field              { $$ = $1; SQL_LIST_PUSH(&$$, $3); }
  ;

field:
    name type opt_comment             { $$ = field_new(parse, $1, $2, @1); }
  ;

/* ---- queries ---- */

insert:
    INSERT INTO table_name opt_name_list query
                                      { $$ = statement_new(parse, SQL_AST_INSERT, @$); $$->name = *$3; $$->columns = $4; $$->query = $5; }
  | INSERT OVERWRITE                  { REFUSE(@2, "INSERT OVERWRITE is not there in this version"); }
  ;

query:
    select
  | select LIMIT INTEGER_LITERAL      { $$ = $1; $$->loc.end = @3.end;
                                        if (!limit_set(parse, $$, $3, @3))
                                            YYABORT; }
  | VALUES row_list                   { $$ = query_of_values(parse, $2, @$); }
  ;

select:
    SELECT quantifier item_list       { $$ = MR_ARENA_NEW(parse->arena, struct sql_ast_query); $$->limit = -1; $$->loc = @$; $$->items = $3; }
  | SELECT quantifier item_list FROM from
                                      { $$ = MR_ARENA_NEW(parse->arena, struct sql_ast_query); $$->limit = -1; $$->loc = @$; $$->items = $3; $$->from = $5; }
  | SELECT quantifier item_list FROM from WHERE expr
                                      { $$ = MR_ARENA_NEW(parse->arena, struct sql_ast_query); $$->limit = -1; $$->loc = @$; $$->items = $3; $$->from = $5; $$->where = $7; }
  ;

quantifier:
    %empty
  | ALL
  | DISTINCT                          { REFUSE(@1, "SELECT DISTINCT is not there in this version"); }
  ;

item_list:
    item                              { $$ = (struct sql_ast_items){ 0 }; SQL_LIST_PUSH(&$$, $1); }
  | item_list ',' item                { $$ = $1; SQL_LIST_PUSH(&$$, $3); }
  ;

item:
    '*'                               { $$ = item_new(parse, leaf_of(parse, SQL_AST_STAR, MR_STR_NULL, @1), MR_STR_NULL, @$); }
  | expr                              { $$ = item_new(parse, $1, MR_STR_NULL, @$); }
  | expr AS name                      { $$ = item_new(parse, $1, $3, @$); }
  | expr name                         { $$ = item_new(parse, $1, $2, @$); }
  ;

from:
    table_name opt_alias opt_name_list
                                      { $$ = (struct sql_ast_from){ .name = *$1, .alias = $2, .alias_columns = $3, .loc = @$ }; }
  | '(' VALUES row_list ')' opt_alias opt_name_list
                                      { $$ = (struct sql_ast_from){ .values = $3, .alias = $5, .alias_columns = $6, .loc = @$ }; }
  ;

opt_alias:
    %empty                            { $$ = MR_STR_NULL; }
  | AS name                           { $$ = $2; }
  | name
  ;

row_list:
    row_value                         { $$ = (struct sql_ast_exprs){ 0 }; SQL_LIST_PUSH(&$$, $1); }
  | row_list ',' row_value            { $$ = $1; SQL_LIST_PUSH(&$$, $3); }
  ;

row_value:
    '(' expr_list ')'                 { $$ = sql_ast_expr(parse, SQL_AST_ROW, @$);
                                        for (struct sql_ast_expr *e = $2.first, *n; e; e = n) { n = e->next; e->next = NULL; sql_ast_add(parse, $$, e); }
                                        CHECK($$); }
  | ROW '(' expr_list ')'             { $$ = sql_ast_expr(parse, SQL_AST_ROW, @$);
                                        for (struct sql_ast_expr *e = $3.first, *n; e; e = n) { n = e->next; e->next = NULL; sql_ast_add(parse, $$, e); }
                                        CHECK($$); }
  ;

table_name:
    name                              { $$ = name_new(parse, $1, @1); }
  | name '.' name                     { REFUSE(@$, "\"%.*s\": catalogs and databases are not there in this version; tables have one name", MR_STR_ARG(sql_parse_text(parse, @$))); }
  ;

opt_name_list:
    %empty                            { $$ = (struct sql_ast_names){ 0 }; }
  | '(' name_list ')'                 { $$ = $2; }
  ;

name_list:
    name                              { struct sql_ast_name *n = name_new(parse, $1, @1); $$ = (struct sql_ast_names){ 0 }; SQL_LIST_PUSH(&$$, n); }
  | name_list ',' name                { struct sql_ast_name *n = name_new(parse, $3, @3); $$ = $1; SQL_LIST_PUSH(&$$, n); }
  ;

/* ---- expressions, from the loosest operator to the tightest ---- */

expr:
    expr OR expr                      { $$ = sql_ast_over(parse, SQL_AST_BINARY, @$, SQL_OP_OR, $1, $3, NULL); CHECK($$); }
  | expr AND expr                     { $$ = sql_ast_over(parse, SQL_AST_BINARY, @$, SQL_OP_AND, $1, $3, NULL); CHECK($$); }
  | NOT expr                          { $$ = sql_ast_over(parse, SQL_AST_UNARY, @$, SQL_OP_NOT, $2, NULL, NULL); CHECK($$); }
  | predicate
  ;

predicate:
    value
  | predicate comparison value        { $$ = sql_ast_over(parse, SQL_AST_BINARY, @$, $2, $1, $3, NULL); CHECK($$); }
  | predicate IS opt_not NULL_        { $$ = sql_ast_over(parse, SQL_AST_IS, @$, SQL_IS_NULL, $1, NULL, NULL); $$->negated = $3; CHECK($$); }
  | predicate IS opt_not TRUE         { $$ = sql_ast_over(parse, SQL_AST_IS, @$, SQL_IS_TRUE, $1, NULL, NULL); $$->negated = $3; CHECK($$); }
  | predicate IS opt_not FALSE        { $$ = sql_ast_over(parse, SQL_AST_IS, @$, SQL_IS_FALSE, $1, NULL, NULL); $$->negated = $3; CHECK($$); }
  | predicate IS opt_not UNKNOWN      { $$ = sql_ast_over(parse, SQL_AST_IS, @$, SQL_IS_UNKNOWN, $1, NULL, NULL); $$->negated = $3; CHECK($$); }
  | predicate IS opt_not DISTINCT FROM value
                                      { $$ = sql_ast_over(parse, SQL_AST_BINARY, @$, $3 ? SQL_OP_SAME : SQL_OP_DISTINCT, $1, $6, NULL); CHECK($$); }
  | predicate opt_not BETWEEN value AND value
                                      { $$ = sql_ast_over(parse, SQL_AST_BETWEEN, @$, 0, $1, $4, $6); $$->negated = $2; CHECK($$); }
  | predicate opt_not IN '(' expr_list ')'
                                      { $$ = sql_ast_over(parse, SQL_AST_IN, @$, 0, $1, NULL, NULL); $$->negated = $2;
                                        for (struct sql_ast_expr *e = $5.first, *n; e; e = n) { n = e->next; e->next = NULL; sql_ast_add(parse, $$, e); }
                                        CHECK($$); }
  | predicate opt_not SIMILAR TO value
                                      { $$ = sql_ast_over(parse, SQL_AST_LIKE, @$, 1, $1, $5, NULL); $$->negated = $2; CHECK($$); }
  | predicate opt_not LIKE value      { $$ = sql_ast_over(parse, SQL_AST_LIKE, @$, 0, $1, $4, NULL); $$->negated = $2; CHECK($$); }
  | predicate opt_not LIKE value ESCAPE value
                                      { $$ = sql_ast_over(parse, SQL_AST_LIKE, @$, 0, $1, $4, $6); $$->negated = $2; CHECK($$); }
  ;

opt_not:
    %empty                            { $$ = false; }
  | NOT                               { $$ = true; }
  ;

comparison:
    '='                               { $$ = SQL_OP_EQ; }
  | NE                                { $$ = SQL_OP_NE; }
  | '<'                               { $$ = SQL_OP_LT; }
  | LE                                { $$ = SQL_OP_LE; }
  | '>'                               { $$ = SQL_OP_GT; }
  | GE                                { $$ = SQL_OP_GE; }
  ;

value:
    primary
  | value '+' value                   { $$ = sql_ast_over(parse, SQL_AST_BINARY, @$, SQL_OP_ADD, $1, $3, NULL); CHECK($$); }
  | value '-' value                   { $$ = sql_ast_over(parse, SQL_AST_BINARY, @$, SQL_OP_SUB, $1, $3, NULL); CHECK($$); }
  | value '*' value                   { $$ = sql_ast_over(parse, SQL_AST_BINARY, @$, SQL_OP_MUL, $1, $3, NULL); CHECK($$); }
  | value '/' value                   { $$ = sql_ast_over(parse, SQL_AST_BINARY, @$, SQL_OP_DIV, $1, $3, NULL); CHECK($$); }
  | value '%' value                   { $$ = sql_ast_over(parse, SQL_AST_BINARY, @$, SQL_OP_MOD, $1, $3, NULL); CHECK($$); }
  | value CONCAT_OP value             { $$ = sql_ast_over(parse, SQL_AST_BINARY, @$, SQL_OP_CONCAT, $1, $3, NULL); CHECK($$); }
  | '-' value %prec UNARY             { $$ = sql_ast_over(parse, SQL_AST_UNARY, @$, SQL_OP_NEG, $2, NULL, NULL); CHECK($$); }
  | '+' value %prec UNARY             { $$ = sql_ast_over(parse, SQL_AST_UNARY, @$, SQL_OP_PLUS, $2, NULL, NULL); CHECK($$); }
  ;

primary:
    literal
  | name                              { $$ = leaf_of(parse, SQL_AST_NAME, $1, @1); }
  | primary '.' word                  { $$ = sql_ast_over(parse, SQL_AST_FIELD, @$, 0, $1, NULL, NULL); $$->text = $3; $$->loc = @1; $$->loc.end = @3.end; CHECK($$); }
  | primary '.' '*'                   { if ($1->kind != SQL_AST_NAME) REFUSE(@$, "\".*\" after a field is not there in this version");
                                        $$ = leaf_of(parse, SQL_AST_STAR, $1->text, @$); }
  | primary '[' expr ']'              { $$ = sql_ast_over(parse, SQL_AST_INDEX, @$, 0, $1, $3, NULL); CHECK($$); }
  | '(' expr ')'                      { $$ = $2; }
  | name '(' opt_expr_list ')'        { $$ = call_of(parse, $1, $3, @$); CHECK($$); }
  | RESERVED '(' opt_expr_list ')'    { $$ = call_of(parse, $1, $3, @$); CHECK($$); }
  | name '(' '*' ')'                  { REFUSE(@$, "%.*s(*): aggregates are not there in this version", MR_STR_ARG($1)); }
  | RESERVED '(' '*' ')'              { REFUSE(@$, "%.*s(*): aggregates are not there in this version", MR_STR_ARG($1)); }
  | name '(' DISTINCT                 { REFUSE(@$, "%.*s(DISTINCT …): aggregates are not there in this version", MR_STR_ARG($1)); }
  | RESERVED '(' DISTINCT             { REFUSE(@$, "%.*s(DISTINCT …): aggregates are not there in this version", MR_STR_ARG($1)); }
  | time_call
  | json_call
  | NILADIC                           { $$ = call_of(parse, $1, (struct sql_ast_exprs){ 0 }, @$); }
  | NILADIC '(' ')'                   { $$ = call_of(parse, $1, (struct sql_ast_exprs){ 0 }, @$); }
  | POSITION '(' value IN expr ')'    { $$ = sql_ast_over(parse, SQL_AST_CALL, @$, 0, $3, $5, NULL); $$->text = MR_STR("POSITION"); CHECK($$); }
  | OVERLAY '(' expr PLACING expr FROM expr ')'
                                      { $$ = sql_ast_over(parse, SQL_AST_CALL, @$, 0, $3, $5, $7); $$->text = MR_STR("OVERLAY"); CHECK($$); }
  | OVERLAY '(' expr PLACING expr FROM expr FOR expr ')'
                                      { $$ = sql_ast_over(parse, SQL_AST_CALL, @$, 0, $3, $5, $7); $$->text = MR_STR("OVERLAY");
                                        sql_ast_add(parse, $$, $9); CHECK($$); }
  | CAST '(' expr AS type ')'         { $$ = sql_ast_over(parse, SQL_AST_CAST, @$, 0, $3, NULL, NULL); $$->type = $5; CHECK($$); }
  | TRY_CAST '(' expr AS type ')'     { $$ = sql_ast_over(parse, SQL_AST_CAST, @$, 1, $3, NULL, NULL); $$->type = $5; CHECK($$); }
  | TRIM '(' expr ')'                 { $$ = sql_ast_over(parse, SQL_AST_CALL, @$, 0, $3, NULL, NULL); $$->text = MR_STR("TRIM"); CHECK($$); }
  | TRIM '(' expr FROM expr ')'       { $$ = sql_ast_over(parse, SQL_AST_CALL, @$, 0, $5, $3, NULL); $$->text = MR_STR("TRIM"); CHECK($$); }
  | TRIM '(' BOTH opt_operand FROM expr ')'
                                      { $$ = sql_ast_over(parse, SQL_AST_CALL, @$, 0, $6, $4, NULL); $$->text = MR_STR("TRIM"); CHECK($$); }
  | TRIM '(' LEADING opt_operand FROM expr ')'
                                      { $$ = sql_ast_over(parse, SQL_AST_CALL, @$, 0, $6, $4, NULL); $$->text = MR_STR("LTRIM"); CHECK($$); }
  | TRIM '(' TRAILING opt_operand FROM expr ')'
                                      { $$ = sql_ast_over(parse, SQL_AST_CALL, @$, 0, $6, $4, NULL); $$->text = MR_STR("RTRIM"); CHECK($$); }
  | SUBSTRING '(' expr_list ')'       { $$ = call_of(parse, MR_STR("SUBSTRING"), $3, @$); CHECK($$); }
  | SUBSTRING '(' expr FROM expr ')'  { $$ = sql_ast_over(parse, SQL_AST_CALL, @$, 0, $3, $5, NULL); $$->text = MR_STR("SUBSTRING"); CHECK($$); }
  | SUBSTRING '(' expr FROM expr FOR expr ')'
                                      { $$ = sql_ast_over(parse, SQL_AST_CALL, @$, 0, $3, $5, $7); $$->text = MR_STR("SUBSTRING"); CHECK($$); }
  | ROW '(' expr_list ')'             { $$ = call_of(parse, MR_STR("ROW"), $3, @$); $$->kind = SQL_AST_ROW; CHECK($$); }
  | ARRAY '[' expr_list ']'           { $$ = call_of(parse, MR_STR("ARRAY"), $3, @$); $$->kind = SQL_AST_ARRAY; CHECK($$); }
  | MAP '[' expr_list ']'             { $$ = call_of(parse, MR_STR("MAP"), $3, @$); $$->kind = SQL_AST_MAP; CHECK($$); }
  | case
  ;

/* Calls with a unit of time among their arguments. */
time_call:
    TIME_UNIT '(' expr ')'            { $$ = sql_ast_over(parse, SQL_AST_CALL, @$, 0, $3, NULL, NULL); $$->text = MR_STR("EXTRACT"); $$->text2 = $1; CHECK($$); }
  | EXTRACT '(' unit FROM expr ')'    { $$ = sql_ast_over(parse, SQL_AST_CALL, @$, 0, $5, NULL, NULL); $$->text = MR_STR("EXTRACT"); $$->text2 = $3; CHECK($$); }
  | FLOOR_CEIL '(' expr_list ')'      { $$ = call_of(parse, $1, $3, @$); CHECK($$); }
  | FLOOR_CEIL '(' expr TO unit ')'   { $$ = sql_ast_over(parse, SQL_AST_CALL, @$, 0, $3, NULL, NULL); $$->text = $1; $$->text2 = $5; CHECK($$); }
  | TIMESTAMPADD '(' unit ',' expr ',' expr ')'
                                      { $$ = sql_ast_over(parse, SQL_AST_CALL, @$, 0, $5, $7, NULL); $$->text = $1; $$->text2 = $3; CHECK($$); }
  ;

unit:
    TIME_UNIT
  | IDENT
  ;

json_call:
    JSON_VALUE '(' expr ',' expr ')'  { $$ = sql_ast_over(parse, SQL_AST_CALL, @$, 0, $3, $5, NULL); $$->text = MR_STR("JSON_VALUE"); CHECK($$); }
  | JSON_VALUE '(' expr ',' expr RETURNING type ')'
                                      { struct sql_ast_expr *call = sql_ast_over(parse, SQL_AST_CALL, @$, 0, $3, $5, NULL);
                                        call->text = MR_STR("JSON_VALUE");
                                        $$ = sql_ast_over(parse, SQL_AST_CAST, @$, 1, call, NULL, NULL); $$->type = $7; CHECK($$); }
  | JSON_VALUE '(' expr ',' expr json_else json_when ')'
                                      { struct sql_ast_expr *call = sql_ast_over(parse, SQL_AST_CALL, @$, 0, $3, $5, NULL);
                                        call->text = MR_STR("JSON_VALUE");
                                        $$ = $6 == NULL ? call : sql_ast_over(parse, SQL_AST_CALL, @$, 0, call, $6, NULL);
                                        if ($6 != NULL) $$->text = MR_STR("COALESCE");
                                        CHECK($$); }
  ;

json_else:
    NULL_                             { $$ = NULL; }
  | DEFAULT value                     { $$ = $2; }
  ;

json_when:
    ON EMPTY
  | ON ERROR_
  ;

case:
    CASE opt_operand when_list END    { $$ = call_of(parse, MR_STR("CASE"), (struct sql_ast_exprs){ 0 }, @$); $$->kind = SQL_AST_CASE;
                                        $$->op = $2 != NULL;
                                        if ($2) sql_ast_add(parse, $$, $2);
                                        for (struct sql_ast_expr *e = $3.first, *n; e; e = n) { n = e->next; e->next = NULL; sql_ast_add(parse, $$, e); }
                                        CHECK($$); }
  | CASE opt_operand when_list ELSE expr END
                                      { $$ = call_of(parse, MR_STR("CASE"), (struct sql_ast_exprs){ 0 }, @$); $$->kind = SQL_AST_CASE;
                                        $$->op = $2 != NULL; $$->has_else = true;
                                        if ($2) sql_ast_add(parse, $$, $2);
                                        for (struct sql_ast_expr *e = $3.first, *n; e; e = n) { n = e->next; e->next = NULL; sql_ast_add(parse, $$, e); }
                                        sql_ast_add(parse, $$, $5);
                                        CHECK($$); }
  ;

opt_operand:
    %empty                            { $$ = NULL; }
  | expr
  ;

when_list:
    WHEN expr THEN expr               { $$ = (struct sql_ast_exprs){ 0 }; SQL_LIST_PUSH(&$$, $2); SQL_LIST_PUSH(&$$, $4); }
  | when_list WHEN expr THEN expr     { $$ = $1; SQL_LIST_PUSH(&$$, $3); SQL_LIST_PUSH(&$$, $5); }
  ;

expr_list:
    expr                              { $$ = (struct sql_ast_exprs){ 0 }; SQL_LIST_PUSH(&$$, $1); }
  | expr_list ',' expr                { $$ = $1; SQL_LIST_PUSH(&$$, $3); }
  ;

opt_expr_list:
    %empty                            { $$ = (struct sql_ast_exprs){ 0 }; }
  | expr_list
  ;

literal:
    NULL_                             { $$ = leaf_of(parse, SQL_AST_NULL, MR_STR_NULL, @1); }
  | TRUE                              { $$ = leaf_of(parse, SQL_AST_BOOLEAN, MR_STR_NULL, @1); $$->op = 1; }
  | FALSE                             { $$ = leaf_of(parse, SQL_AST_BOOLEAN, MR_STR_NULL, @1); }
  | UNKNOWN                           { $$ = leaf_of(parse, SQL_AST_NULL, MR_STR_NULL, @1); }
  | INTEGER_LITERAL                   { $$ = leaf_of(parse, SQL_AST_INTEGER, $1, @1); }
  | DECIMAL_LITERAL                   { $$ = leaf_of(parse, SQL_AST_DECIMAL, $1, @1); }
  | APPROXIMATE_LITERAL               { $$ = leaf_of(parse, SQL_AST_APPROXIMATE, $1, @1); }
  | STRING_LITERAL                    { $$ = leaf_of(parse, SQL_AST_STRING, $1, @1); }
  | BINARY_LITERAL                    { $$ = leaf_of(parse, SQL_AST_BINARY_TEXT, $1, @1); }
  | DATE STRING_LITERAL               { $$ = leaf_of(parse, SQL_AST_TIME, $2, @$); $$->op = DATA_DATE; }
  | TIME STRING_LITERAL               { $$ = leaf_of(parse, SQL_AST_TIME, $2, @$); $$->op = DATA_TIME; }
  | TIMESTAMP STRING_LITERAL          { $$ = leaf_of(parse, SQL_AST_TIME, $2, @$); $$->op = DATA_TIMESTAMP; }
  | INTERVAL interval_sign STRING_LITERAL interval_unit
                                      { $$ = $4; $$->text = $3; $$->op = $2; $$->loc = @$; }
  ;

interval_sign:
    %empty                            { $$ = 0; }
  | '-'                               { $$ = 1; }
  | '+'                               { $$ = 0; }
  ;

interval_unit:
    interval_part %prec ONE_UNIT      { $$ = leaf_of(parse, SQL_AST_INTERVAL, MR_STR_NULL, @1); $$->text2 = $1; }
  | interval_part TO interval_part    { $$ = leaf_of(parse, SQL_AST_INTERVAL, MR_STR_NULL, @1); $$->text2 = $1; $$->text3 = $3; }
  ;

interval_part:
    TIME_UNIT
  | TIME_UNIT '(' INTEGER_LITERAL ')'
  | TIME_UNIT '(' INTEGER_LITERAL ',' INTEGER_LITERAL ')'
  ;

/* ---- names: words that are keywords only in their places may be names elsewhere ---- */

name:
    IDENT
  | COMMENT
  | ENFORCED
  | ERROR_
  | FUNCTIONS
  | IF
  | KEY
  | METADATA
  | OVERWRITE
  | PLACING
  | PLAN
  | QUERIES
  | QUERY
  | RETURNING
  | STATEMENT
  | STOP
  | TABLES
  | VIRTUAL
  | ZONE
  ;

/* After a point any word that Flink reserves would need backticks too; only these do not. */
word:
    name
  ;

%%

/* The lexer's token, with its place noted for messages. */
static int sql_yylex(union SQL_YYSTYPE *value, struct sql_loc *loc, void *scanner)
{
    struct sql_parse *parse = sql_yyget_extra(scanner);
    int token = sql_lex(value, loc, scanner);

    if (token == END_OF_INPUT) { /* flex gives its end no place */
        *loc = parse->at;
        loc->end = loc->begin;
    }
    parse->previous = parse->last;
    parse->last = *loc;
    return token;
}

/* Bison calls this itself only when its stack is full. */
static void sql_yyerror(const struct sql_loc *loc, void *scanner, struct sql_parse *parse, const char *text)
{
    MR_UNUSED(scanner);
    MR_UNUSED(text);
    sql_parse_error(parse, MR_LIMIT, *loc, "this statement is nested too deep");
}

static int yyreport_syntax_error(const yypcontext_t *context, void *scanner, struct sql_parse *parse)
{
    enum { EXPECTED_MAX = 128 };
    yysymbol_kind_t symbols[EXPECTED_MAX];
    const char *names[EXPECTED_MAX];
    int count = yypcontext_expected_tokens(context, symbols, EXPECTED_MAX);
    bool name_expected = false;

    MR_UNUSED(scanner);
    for (int i = 0; i < count; i++) {
        names[i] = yysymbol_name(symbols[i]);
        if (symbols[i] == YYSYMBOL_IDENT)
            name_expected = true;
    }
    sql_parse_unexpected(parse, *yypcontext_location(context), names, count, name_expected);
    return 0;
}

static struct sql_ast_statement *statement_new(struct sql_parse *parse, enum sql_ast_statement_kind kind,
                                               struct sql_loc loc)
{
    struct sql_ast_statement *statement = MR_ARENA_NEW(parse->arena, struct sql_ast_statement);

    statement->kind = kind;
    statement->loc = loc;
    return statement;
}

static struct sql_ast_name *name_new(struct sql_parse *parse, struct mr_str text, struct sql_loc loc)
{
    struct sql_ast_name *name = MR_ARENA_NEW(parse->arena, struct sql_ast_name);

    name->text = text;
    name->loc = loc;
    return name;
}

static struct sql_ast_item *item_new(struct sql_parse *parse, struct sql_ast_expr *expr, struct mr_str alias,
                                     struct sql_loc loc)
{
    struct sql_ast_item *item = MR_ARENA_NEW(parse->arena, struct sql_ast_item);

    item->expr = expr;
    item->alias = alias;
    item->loc = loc;
    return item;
}

static struct sql_ast_field *field_new(struct sql_parse *parse, struct mr_str name, struct sql_ast_type *type,
                                       struct sql_loc loc)
{
    struct sql_ast_field *field = MR_ARENA_NEW(parse->arena, struct sql_ast_field);

    field->name = name;
    field->type = type;
    field->loc = loc;
    return field;
}

static struct sql_ast_query *query_of_values(struct sql_parse *parse, struct sql_ast_exprs rows, struct sql_loc loc)
{
    struct sql_ast_query *query = MR_ARENA_NEW(parse->arena, struct sql_ast_query);
    struct sql_ast_item *star = item_new(parse, leaf_of(parse, SQL_AST_STAR, MR_STR_NULL, loc), MR_STR_NULL, loc);

    SQL_LIST_PUSH(&query->items, star);
    query->from.values = rows;
    query->from.loc = loc;
    query->limit = -1;
    query->loc = loc;
    return query;
}

static struct sql_ast_expr *call_of(struct sql_parse *parse, struct mr_str name, struct sql_ast_exprs args,
                                    struct sql_loc loc)
{
    struct sql_ast_expr *call = sql_ast_expr(parse, SQL_AST_CALL, loc);
    struct sql_ast_expr *next;

    call->text = name;
    for (struct sql_ast_expr *arg = args.first; arg != NULL; arg = next) {
        next = arg->next;
        arg->next = NULL;
        sql_ast_add(parse, call, arg);
    }
    return call;
}

static struct sql_ast_expr *leaf_of(struct sql_parse *parse, enum sql_ast_expr_kind kind, struct mr_str text,
                                    struct sql_loc loc)
{
    struct sql_ast_expr *leaf = sql_ast_expr(parse, kind, loc);

    leaf->text = text;
    return leaf;
}

static bool key_set(struct sql_parse *parse, struct sql_ast_names key, struct sql_loc loc)
{
    if (parse->table.key_loc.line != 0) {
        sql_parse_error(parse, MR_INVALID, loc, "a table has one PRIMARY KEY; name its columns in one list");
        return false;
    }
    parse->table.key = key;
    parse->table.key_loc = loc;
    return true;
}

static bool limit_set(struct sql_parse *parse, struct sql_ast_query *query, struct mr_str digits, struct sql_loc loc)
{
    int64_t limit = 0;

    for (size_t i = 0; i < digits.size; i++) {
        if (limit > (INT64_MAX - 9) / 10) {
            sql_parse_error(parse, MR_INVALID, loc, "LIMIT %.*s is too large", MR_STR_ARG(digits));
            return false;
        }
        limit = limit * 10 + (digits.data[i] - '0');
    }
    query->limit = limit;
    query->limit_loc = loc;
    return true;
}

static bool depth_ok(struct sql_parse *parse, struct sql_ast_expr *expr)
{
    if (expr->depth > SQL_AST_DEPTH_MAX)
        sql_parse_error(parse, MR_LIMIT, expr->loc, "this expression is nested too deep (more than %d levels)",
                        SQL_AST_DEPTH_MAX);
    return !parse->failed;
}

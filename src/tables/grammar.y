/* grammar.y -- the CQL that millrace understands.  This file is its documentation: what is not here is not there.
 *
 * Words that are no reserved ones may be names (rule unreserved).  Clauses that are known but not there yet parse, so that
 * the message can say so: statement->unsupported. */
%define api.pure full
%define api.prefix {tables_cql_}
%expect 2 /* an element of a hinted selector; CONTAINS KEY (…): both as Cassandra reads them */
%parse-param { struct parse *p } { void *scanner }
%lex-param { void *scanner }

%code requires {
#include "tables/parse_int.h"
}

%union {
    struct mr_str str;
    struct ast_term *term;
    struct ast_node *node;
    struct ast_list list;
    struct ast_statement *stmt;
    enum ast_operator op;
    bool flag;
}

%code {
int tables_cql_lex(TABLES_CQL_STYPE *value, void *scanner);

static void tables_cql_error(struct parse *p, void *scanner, const char *message)
{
    MR_UNUSED(scanner);
    MR_UNUSED(message);
    p->failed = true;
}

static struct mr_str join(struct parse *p, struct mr_str a, const char *between, struct mr_str b, const char *after)
{
    return mr_str_of(mr_arena_printf(p->arena, "%.*s%s%.*s%s", MR_STR_ARG(a), between, MR_STR_ARG(b), after));
}
}

%token <str> K_ADD K_ALTER K_CAST K_GROUP K_LIKE K_PARTITION K_PER K_RENAME K_TO
%token <str> K_ALLOW K_AND K_APPLY K_AS K_ASC K_BATCH K_BEGIN K_BY K_CLUSTERING K_COMPACT K_CONTAINS K_COUNT K_CREATE
%token <str> K_DELETE K_DESC K_DESCRIBE K_DISTINCT K_DROP K_EXISTS K_FALSE K_FILTERING K_FROM K_IF K_IN K_INFINITY
%token <str> K_INSERT K_INTO K_KEY K_KEYSPACE K_LIMIT K_LOGGED K_NAN K_NOT K_NULL K_ORDER K_PRIMARY K_SELECT K_SET
%token <str> K_STATIC K_STORAGE K_TABLE K_TIMESTAMP K_TOKEN K_TRUE K_TRUNCATE K_TTL K_UNLOGGED K_UPDATE K_USE K_USING
%token <str> K_VALUES K_WHERE K_WITH K_WRITETIME
%token <str> IDENT QUOTED STRING INTEGER FLOAT UUID HEXNUMBER DURATION
%token LE GE NE PLUS_IS MINUS_IS OTHER_BYTE

%type <str> unreserved name type hint type_arguments function_name
%type <term> term literal marker map_literal limit limit_value per_partition_limit selector simple_term in_marker
%type <node> column_definition key_part property assignment condition selected map_entry order_item value_item
%type <node> name_item delete_item alter_column rename selector_item describe_item
%type <list> column_definitions name_list value_list properties assignments conditions where selectors map_entries
%type <list> describe_items
%type <list> map_entries_some order_items order_by select_list delete_list key_rest partition_key
%type <list> alter_columns renames selector_items delete_items tuple_values
%type <stmt> statement create_keyspace drop_keyspace create_table table_body drop_table truncate use insert update
%type <stmt> delete select batch table_name using batch_statements modification describe alter_table alter_keyspace
%type <stmt> alteration
%type <op> operator
%type <flag> if_not_exists if_exists direction allow_filtering distinct

%start input
%%

input: statement semicolons                     { p->statement = $1; }
    ;

semicolons: %empty | semicolons ';' ;

statement: create_keyspace | drop_keyspace | alter_keyspace | create_table | drop_table | alter_table | truncate | use | modification | select | batch
    | describe
    ;

modification: insert | update | delete ;

/* ---- keyspaces ---- */

create_keyspace: K_CREATE K_KEYSPACE if_not_exists name K_WITH properties
        {
            $$ = parse_statement(p, AST_CREATE_KEYSPACE);
            $$->if_clause = $3;
            $$->keyspace = $4;
            $$->properties = $6;
        }
    ;

alter_keyspace: K_ALTER K_KEYSPACE if_exists name K_WITH properties
        {
            $$ = parse_statement(p, AST_ALTER_KEYSPACE);
            $$->if_clause = $3;
            $$->keyspace = $4;
            $$->properties = $6;
        }
    ;

drop_keyspace: K_DROP K_KEYSPACE if_exists name
        { $$ = parse_statement(p, AST_DROP_KEYSPACE); $$->if_clause = $3; $$->keyspace = $4; }
    ;

use: K_USE name                                 { $$ = parse_statement(p, AST_USE); $$->keyspace = $2; }
    ;

if_not_exists: %empty                           { $$ = false; }
    | K_IF K_NOT K_EXISTS                       { $$ = true; }
    ;

if_exists: %empty                               { $$ = false; }
    | K_IF K_EXISTS                             { $$ = true; }
    ;

/* name = literal [AND …] */
properties: property                            { $$ = (struct ast_list){ 0 }; parse_append(p, &$$, $1); }
    | properties K_AND property                 { $$ = $1; parse_append(p, &$$, $3); }
    ;

property: name '=' literal                      { $$ = parse_node(p, $1); $$->term = $3; }
    | name '=' name                             { $$ = parse_node(p, $1); $$->term = parse_term(p, AST_STRING, $3); }
    ;

/* ---- tables ---- */

create_table: K_CREATE K_TABLE if_not_exists table_name '(' table_body ')' table_options
        {
            $$ = p->statement;
            $$->kind = AST_CREATE_TABLE;
            $$->if_clause = $3;
            $$->keyspace = $4->keyspace;
            $$->table = $4->table;
        }
    ;

/* p->statement is where the parts of CREATE TABLE are gathered. */
table_body: { p->statement = parse_statement(p, AST_CREATE_TABLE); } column_definitions
        { p->statement->columns = $2; $$ = p->statement; }
    ;

column_definitions: table_element_first         { $$ = p->statement->columns; }
    | column_definitions ',' column_definition  { $$ = $1; parse_append(p, &$$, $3); }
    | column_definitions ',' primary_key        { $$ = $1; }
    | column_definitions ','                    { $$ = $1; }
    ;

table_element_first: column_definition          { parse_append(p, &p->statement->columns, $1); }
    | primary_key
    ;

column_definition: name type                    { $$ = parse_node(p, $1); $$->text = $2; }
    | name type K_PRIMARY K_KEY                 { $$ = parse_node(p, $1); $$->text = $2; $$->is_primary = true; }
    | name type K_STATIC                        { $$ = parse_node(p, $1); $$->text = $2; $$->is_static = true; }
    ;

primary_key: K_PRIMARY K_KEY '(' partition_key key_rest ')'
        {
            p->statement->primary_key_count++;
            p->statement->partition = $4;
            p->statement->clustering = $5;
        }
    ;

partition_key: key_part                         { $$ = (struct ast_list){ 0 }; parse_append(p, &$$, $1); }
    | '(' name_list ')'                         { $$ = $2; }
    ;

key_rest: %empty                                { $$ = (struct ast_list){ 0 }; }
    | key_rest ',' key_part                     { $$ = $1; parse_append(p, &$$, $3); }
    ;

key_part: name                                  { $$ = parse_node(p, $1); }
    ;

table_options: %empty | K_WITH table_option | table_options K_AND table_option ;

table_option: property                          { parse_append(p, &p->statement->properties, $1); }
    | K_COMPACT K_STORAGE                       { p->statement->unsupported = MR_STR("COMPACT STORAGE"); }
    | K_CLUSTERING K_ORDER K_BY '(' order_items ')' { p->statement->order = $5; }
    ;

order_items: order_item                         { $$ = (struct ast_list){ 0 }; parse_append(p, &$$, $1); }
    | order_items ',' order_item                { $$ = $1; parse_append(p, &$$, $3); }
    ;

order_item: name direction                      { $$ = parse_node(p, $1); $$->descending = $2; }
    ;

direction: %empty                               { $$ = false; }
    | K_ASC                                     { $$ = false; }
    | K_DESC                                    { $$ = true; }
    ;

type: name                                      { $$ = $1; }
    | name '<' type_arguments '>'               { $$ = join(p, $1, "<", $3, ">"); }
    | K_SET '<' type_arguments '>'              { $$ = join(p, $1, "<", $3, ">"); }
    | STRING                                    { $$ = join(p, MR_STR("'"), "", $1, "'"); }
    ;

/* A type that can stand alone in parentheses. */
hint: name                                      { $$ = $1; }
    | name '<' type_arguments '>'               { $$ = join(p, $1, "<", $3, ">"); }
    | K_SET '<' type_arguments '>'              { $$ = join(p, $1, "<", $3, ">"); }
    ;

type_arguments: type                            { $$ = $1; }
    | type_arguments ',' type                   { $$ = join(p, $1, ", ", $3, ""); }
    | type_arguments ',' INTEGER                { $$ = join(p, $1, ", ", $3, ""); }
    ;

alter_table: K_ALTER K_TABLE if_exists table_name { p->statement = parse_statement(p, AST_ALTER_TABLE); } alteration
        {
            $$ = $6;
            $$->keyspace = $4->keyspace;
            $$->table = $4->table;
            $$->if_clause = $3;
        }
    ;

/* p->statement is where the parts are gathered. */
alteration: K_ADD if_not_exists alter_columns
        { $$ = p->statement; $$->alter = AST_ALTER_ADD; $$->if_column = $2; $$->columns = $3; }
    | K_ADD if_not_exists '(' alter_columns ')'
        { $$ = p->statement; $$->alter = AST_ALTER_ADD; $$->if_column = $2; $$->columns = $4; }
    | K_DROP if_exists name
        {
            $$ = p->statement;
            $$->alter = AST_ALTER_DROP;
            $$->if_column = $2;
            parse_append(p, &$$->columns, parse_node(p, $3));
        }
    | K_DROP if_exists '(' name_list ')'
        { $$ = p->statement; $$->alter = AST_ALTER_DROP; $$->if_column = $2; $$->columns = $4; }
    | K_RENAME if_exists renames
        { $$ = p->statement; $$->alter = AST_ALTER_RENAME; $$->if_column = $2; $$->columns = $3; }
    | K_WITH properties
        { $$ = p->statement; $$->alter = AST_ALTER_WITH; $$->properties = $2; }
    | K_ALTER name IDENT type
        { $$ = p->statement; $$->unsupported = MR_STR("Altering column types"); }
    ;

alter_columns: alter_column                     { $$ = (struct ast_list){ 0 }; parse_append(p, &$$, $1); }
    | alter_columns ',' alter_column            { $$ = $1; parse_append(p, &$$, $3); }
    ;

alter_column: name type                         { $$ = parse_node(p, $1); $$->text = $2; }
    | name type K_STATIC                        { $$ = parse_node(p, $1); $$->text = $2; $$->is_static = true; }
    ;

renames: rename                                 { $$ = (struct ast_list){ 0 }; parse_append(p, &$$, $1); }
    | renames K_AND rename                      { $$ = $1; parse_append(p, &$$, $3); }
    ;

rename: name K_TO name                          { $$ = parse_node(p, $1); $$->text = $3; }
    ;

drop_table: K_DROP K_TABLE if_exists table_name { $$ = $4; $$->kind = AST_DROP_TABLE; $$->if_clause = $3; }
    ;

truncate: K_TRUNCATE table_name                 { $$ = $2; $$->kind = AST_TRUNCATE; }
    | K_TRUNCATE K_TABLE table_name             { $$ = $3; $$->kind = AST_TRUNCATE; }
    ;

/* DESCRIBE and any words: its own words are no keywords elsewhere, so describe.c makes sense of them.  columns has
 * them: kind COLUMN is a name in quotes, TOKEN a dot, OTHER a word. */
describe: describe_word describe_items
        { $$ = parse_statement(p, AST_DESCRIBE); $$->columns = $2; }
    ;

describe_word: K_DESCRIBE | K_DESC ;

describe_items: describe_item                   { $$ = (struct ast_list){ 0 }; parse_append(p, &$$, $1); }
    | describe_items describe_item              { $$ = $1; parse_append(p, &$$, $2); }
    ;

describe_item: IDENT                            { $$ = parse_node(p, $1); $$->kind = AST_NODE_OTHER; }
    | unreserved                                { $$ = parse_node(p, $1); $$->kind = AST_NODE_OTHER; }
    | K_KEYSPACE                                { $$ = parse_node(p, $1); $$->kind = AST_NODE_OTHER; }
    | K_TABLE                                   { $$ = parse_node(p, $1); $$->kind = AST_NODE_OTHER; }
    | K_WITH                                    { $$ = parse_node(p, $1); $$->kind = AST_NODE_OTHER; }
    | QUOTED                                    { $$ = parse_node(p, $1); $$->kind = AST_NODE_COLUMN; }
    | '.'                                       { $$ = parse_node(p, MR_STR(".")); $$->kind = AST_NODE_TOKEN; }
    ;

table_name: name                                { $$ = parse_statement(p, AST_SELECT); $$->table = $1; }
    | name '.' name
        { $$ = parse_statement(p, AST_SELECT); $$->keyspace = $1; $$->table = $3; }
    ;

/* ---- writing ---- */

insert: K_INSERT K_INTO table_name '(' name_list ')' K_VALUES '(' value_list ')' if_not_exists using
        {
            $$ = $3;
            $$->kind = AST_INSERT;
            $$->columns = $5;
            $$->values = $9;
            $$->is_conditional = $11;
            $$->timestamp = $12->timestamp;
            $$->ttl = $12->ttl;
        }
    | K_INSERT K_INTO table_name IDENT STRING
        { $$ = $3; $$->kind = AST_INSERT; $$->unsupported = MR_STR("INSERT JSON"); }
    ;

value_list: value_item                          { $$ = (struct ast_list){ 0 }; parse_append(p, &$$, $1); }
    | value_list ',' value_item                 { $$ = $1; parse_append(p, &$$, $3); }
    ;

value_item: term                                { $$ = parse_node(p, MR_STR_NULL); $$->term = $1; }
    ;

/* USING TIMESTAMP … AND TTL …, in a statement that carries only these two. */
using: %empty                                   { $$ = parse_statement(p, AST_INSERT); }
    | K_USING K_TIMESTAMP literal_or_marker     { $$ = p->statement; }
    | K_USING K_TTL literal_or_marker           { $$ = p->statement; $$->ttl = $$->timestamp; $$->timestamp = NULL; }
    | using K_AND K_TIMESTAMP literal_or_marker { $$ = $1; $$->timestamp = p->statement->timestamp; }
    | using K_AND K_TTL literal_or_marker       { $$ = $1; $$->ttl = p->statement->timestamp; }
    ;

literal_or_marker: INTEGER
        {
            p->statement = parse_statement(p, AST_INSERT);
            p->statement->timestamp = parse_term(p, AST_INTEGER, $1);
        }
    | marker                                    { p->statement = parse_statement(p, AST_INSERT); p->statement->timestamp = $1; }
    ;

update: K_UPDATE table_name using K_SET assignments K_WHERE conditions conditional
        {
            $$ = $2;
            $$->kind = AST_UPDATE;
            $$->timestamp = $3->timestamp;
            $$->ttl = $3->ttl;
            $$->values = $5;
            $$->where = $7;
            $$->is_conditional = p->statement != NULL && p->statement->is_conditional;
        }
    ;

/* Whether there was an IF is left in p->statement. */
conditional: %empty                             { p->statement = NULL; }
    | K_IF K_EXISTS                             { p->statement = parse_statement(p, AST_UPDATE); p->statement->is_conditional = true; }
    | K_IF conditions                           { p->statement = parse_statement(p, AST_UPDATE); p->statement->is_conditional = true; }
    ;

assignments: assignment                         { $$ = (struct ast_list){ 0 }; parse_append(p, &$$, $1); }
    | assignments ',' assignment                { $$ = $1; parse_append(p, &$$, $3); }
    ;

assignment: name '=' term                       { $$ = parse_node(p, $1); $$->term = $3; }
    | name '=' name '+' term                    { $$ = parse_change(p, $1, $3, AST_ASSIGN_ADD, $5); }
    | name '=' name '-' term                    { $$ = parse_change(p, $1, $3, AST_ASSIGN_LESS, $5); }
    | name '=' term '+' name                    { $$ = parse_change(p, $1, $5, AST_ASSIGN_FIRST, $3); }
    | name '=' name INTEGER                     { $$ = parse_change(p, $1, $3, AST_ASSIGN_ADD, parse_term(p, AST_INTEGER, $4)); }
    | name PLUS_IS term                         { $$ = parse_change(p, $1, $1, AST_ASSIGN_ADD, $3); }
    | name MINUS_IS term                        { $$ = parse_change(p, $1, $1, AST_ASSIGN_LESS, $3); }
    | name '[' term ']' '=' term
        { $$ = parse_change(p, $1, $1, AST_ASSIGN_AT, $6); $$->index = $3; }
    | name '.' name '=' term
        { $$ = parse_node(p, $1); $$->term = $5; p->later = MR_STR("user-defined types"); }
    ;

delete: K_DELETE delete_list K_FROM table_name using K_WHERE conditions conditional
        {
            $$ = $4;
            $$->kind = AST_DELETE;
            $$->columns = $2;
            $$->timestamp = $5->timestamp;
            $$->ttl = $5->ttl;
            $$->where = $7;
            $$->is_conditional = p->statement != NULL && p->statement->is_conditional;
        }
    ;

delete_list: %empty                             { $$ = (struct ast_list){ 0 }; }
    | delete_items                              { $$ = $1; }
    ;

delete_items: delete_item                       { $$ = (struct ast_list){ 0 }; parse_append(p, &$$, $1); }
    | delete_items ',' delete_item              { $$ = $1; parse_append(p, &$$, $3); }
    ;

delete_item: name                               { $$ = parse_node(p, $1); }
    | name '[' term ']'                         { $$ = parse_node(p, $1); $$->kind = AST_NODE_INDEX; $$->index = $3; }
    | name '.' name                             { $$ = parse_node(p, $1); p->later = MR_STR("user-defined types"); }
    ;

batch: K_BEGIN batch_kind using_batch batch_statements K_APPLY K_BATCH
        { $$ = $4; }
    ;

/* The batch's own statement is made by its kind and found again through the first action of batch_statements. */
batch_kind: K_BATCH                             { p->statement = parse_statement(p, AST_BATCH); }
    | K_LOGGED K_BATCH                          { p->statement = parse_statement(p, AST_BATCH); }
    | K_UNLOGGED K_BATCH                        { p->statement = parse_statement(p, AST_BATCH); p->statement->unlogged = true; }
    ;

using_batch: %empty
    | K_USING K_TIMESTAMP INTEGER               { p->statement->timestamp = parse_term(p, AST_INTEGER, $3); }
    | K_USING K_TIMESTAMP marker                { p->statement->timestamp = $3; }
    ;

batch_statements: %empty                        { $$ = p->statement; }
    | batch_statements modification semicolons
        {
            $$ = $1;
            if ($$->statements == NULL)
                $$->statements = $2;
            else
                $$->statements_tail->next = $2;
            $$->statements_tail = $2;
            if (++$$->statement_count > AST_LIST_MAX)
                p->too_many = true;
        }
    ;

/* ---- reading ---- */

select: K_SELECT distinct select_list K_FROM table_name where group_by order_by per_partition_limit limit allow_filtering
        {
            $$ = $5;
            $$->kind = AST_SELECT;
            $$->distinct = $2;
            $$->columns = $3;
            $$->where = $6;
            $$->order = $8;
            $$->per_partition_limit = $9;
            $$->limit = $10;
            $$->allow_filtering = $11;
        }
    ;

group_by: %empty
    | K_GROUP K_BY selectors                    { p->later = MR_STR("GROUP BY"); }
    ;

distinct: %empty                                { $$ = false; }
    | K_DISTINCT                                { $$ = true; }
    ;

select_list: '*'                                { $$ = (struct ast_list){ 0 }; }
    | selectors                                 { $$ = $1; }
    ;

selectors: selected                             { $$ = (struct ast_list){ 0 }; parse_append(p, &$$, $1); }
    | selectors ',' selected                    { $$ = $1; parse_append(p, &$$, $3); }
    ;

selected: selector_item                         { $$ = $1; }
    | selector_item K_AS name                   { $$ = $1; $$->text = $3; }
    ;

selector_item: selector
        {
            $$ = parse_node(p, $1->kind == AST_COLUMN ? $1->text : MR_STR_NULL);
            $$->kind = $1->kind == AST_COLUMN ? AST_NODE_COLUMN : AST_NODE_OTHER;
            $$->term = $1;
        }
    ;

selector_items: selector_item                   { $$ = (struct ast_list){ 0 }; parse_append(p, &$$, $1); }
    | selector_items ',' selector_item          { $$ = $1; parse_append(p, &$$, $3); }
    ;

selector: name                                  { $$ = parse_term(p, AST_COLUMN, $1); }
    | simple_term                               { $$ = $1; }
    | K_CAST '(' selector K_AS type ')'         { $$ = parse_group1(p, AST_CAST, MR_STR("cast"), $3); $$->type = $5; }
    | function_name '(' '*' ')'
        { $$ = parse_group1(p, AST_CALL, $1, parse_term(p, AST_STAR, MR_STR("*"))); }
    | K_TOKEN '(' selector_items ')'            { $$ = parse_group(p, AST_CALL, MR_STR("token"), $3); }
    | function_name '(' ')'                     { $$ = parse_group(p, AST_CALL, $1, (struct ast_list){ 0 }); }
    | function_name '(' selector_items ')'      { $$ = parse_group(p, AST_CALL, $1, $3); }
    | '(' hint ')' selector                     { $$ = parse_group1(p, AST_HINT, MR_STR("a type hint"), $4); $$->type = $2; }
    | selector '[' term ']'
        {
            struct ast_list list = { 0 };
            struct ast_node *of = parse_node(p, MR_STR_NULL), *at = parse_node(p, MR_STR_NULL);

            of->term = $1;
            at->term = $3;
            parse_append(p, &list, of);
            parse_append(p, &list, at);
            $$ = parse_group(p, AST_INDEX, MR_STR("an element"), list);
        }
    ;

where: %empty                                   { $$ = (struct ast_list){ 0 }; }
    | K_WHERE conditions                        { $$ = $2; }
    ;

conditions: condition                           { $$ = (struct ast_list){ 0 }; parse_append(p, &$$, $1); }
    | conditions K_AND condition                { $$ = $1; parse_append(p, &$$, $3); }
    ;

condition: name operator term                   { $$ = parse_node(p, $1); $$->op = $2; $$->term = $3; }
    | name K_IN in_marker                       { $$ = parse_node(p, $1); $$->op = AST_IN; $$->term = $3; }
    | name K_IN tuple_values                    { $$ = parse_in(p, parse_node(p, $1), $3); }
    | name K_CONTAINS term                      { $$ = parse_node(p, $1); $$->op = AST_CONTAINS; $$->term = $3; }
    | name K_CONTAINS K_KEY term                { $$ = parse_node(p, $1); $$->op = AST_CONTAINS_KEY; $$->term = $4; }
    | name K_LIKE term                          { $$ = parse_node(p, $1); $$->op = AST_LIKE; $$->term = $3; }
    | name '[' term ']' operator term
        {
            $$ = parse_node(p, $1);
            $$->kind = AST_NODE_INDEX;
            $$->index = $3;
            $$->op = $5;
            $$->term = $6;
        }
    | K_TOKEN '(' name_list ')' operator term   { $$ = parse_columns(p, AST_NODE_TOKEN, $3); $$->op = $5; $$->term = $6; }
    | '(' name_list ')' operator term           { $$ = parse_columns(p, AST_NODE_TUPLE, $2); $$->op = $4; $$->term = $5; }
    | '(' name_list ')' K_IN in_marker
        { $$ = parse_columns(p, AST_NODE_TUPLE, $2); $$->op = AST_IN; $$->term = $5; }
    | '(' name_list ')' K_IN tuple_values       { $$ = parse_in(p, parse_columns(p, AST_NODE_TUPLE, $2), $5); }
    | '(' condition ')'                         { $$ = $2; }
    ;

/* IN ? takes a list; IN (…) is one written out. */
in_marker: marker
    ;

tuple_values: '(' ')'                           { $$ = (struct ast_list){ 0 }; }
    | '(' value_list ')'                        { $$ = $2; }
    ;

operator: '='                                   { $$ = AST_EQ; }
    | '<'                                       { $$ = AST_LT; }
    | LE                                        { $$ = AST_LE; }
    | '>'                                       { $$ = AST_GT; }
    | GE                                        { $$ = AST_GE; }
    | NE                                        { $$ = AST_NE; }
    ;

order_by: %empty                                { $$ = (struct ast_list){ 0 }; }
    | K_ORDER K_BY order_items                  { $$ = $3; }
    ;

limit: %empty                                   { $$ = NULL; }
    | K_LIMIT limit_value                       { $$ = $2; }
    ;

per_partition_limit: %empty                     { $$ = NULL; }
    | K_PER K_PARTITION K_LIMIT limit_value     { $$ = $4; }
    ;

limit_value: INTEGER                            { $$ = parse_term(p, AST_INTEGER, $1); }
    | marker
    ;

allow_filtering: %empty                         { $$ = false; }
    | K_ALLOW K_FILTERING                       { $$ = true; }
    ;

/* ---- terms ---- */

term: simple_term
    | function_name '(' ')'                     { $$ = parse_group(p, AST_CALL, $1, (struct ast_list){ 0 }); }
    | function_name '(' value_list ')'          { $$ = parse_group(p, AST_CALL, $1, $3); }
    | K_TOKEN '(' value_list ')'                { $$ = parse_group(p, AST_CALL, MR_STR("token"), $3); }
    | K_CAST '(' term K_AS type ')'             { $$ = parse_group1(p, AST_CAST, MR_STR("cast"), $3); $$->type = $5; }
    | '(' hint ')' term                         { $$ = parse_group1(p, AST_HINT, MR_STR("a type hint"), $4); $$->type = $2; }
    | '(' value_list ')'                        { $$ = parse_group(p, AST_TUPLE, MR_STR("a tuple literal"), $2); }
    ;

/* What needs no parentheses and no name. */
simple_term: literal | marker
    | '[' ']'                                   { $$ = parse_group(p, AST_LIST, MR_STR("a list literal"), (struct ast_list){ 0 }); }
    | '[' value_list ']'                        { $$ = parse_group(p, AST_LIST, MR_STR("a list literal"), $2); }
    | '{' value_list '}'                        { $$ = parse_group(p, AST_SET, MR_STR("a set literal"), $2); }
    ;

function_name: name
    | name '.' name                             { $$ = $3; }
    ;

literal: STRING                                 { $$ = parse_term(p, AST_STRING, $1); }
    | INTEGER                                   { $$ = parse_term(p, AST_INTEGER, $1); }
    | FLOAT                                     { $$ = parse_term(p, AST_FLOAT, $1); }
    | K_NAN                                     { $$ = parse_term(p, AST_FLOAT, MR_STR("NaN")); }
    | K_INFINITY                                { $$ = parse_term(p, AST_FLOAT, MR_STR("Infinity")); }
    | '-' K_INFINITY                            { $$ = parse_term(p, AST_FLOAT, MR_STR("-Infinity")); }
    | K_TRUE                                    { $$ = parse_term(p, AST_BOOLEAN, MR_STR("true")); }
    | K_FALSE                                   { $$ = parse_term(p, AST_BOOLEAN, MR_STR("false")); }
    | UUID                                      { $$ = parse_term(p, AST_UUID, $1); }
    | HEXNUMBER                                 { $$ = parse_term(p, AST_HEX, $1); }
    | DURATION                                  { $$ = parse_term(p, AST_DURATION, $1); }
    | K_NULL                                    { $$ = parse_term(p, AST_NULL, MR_STR("null")); }
    | map_literal
    ;

marker: '?'                                     { $$ = parse_marker(p, MR_STR_NULL); }
    | ':' name                                  { $$ = parse_marker(p, $2); }
    ;

map_literal: '{' map_entries '}'                { $$ = parse_group(p, AST_MAP, MR_STR("a map literal"), $2); }
    ;

map_entries: %empty                             { $$ = (struct ast_list){ 0 }; }
    | map_entries_some                          { $$ = $1; }
    ;

map_entries_some: map_entry                     { $$ = (struct ast_list){ 0 }; parse_append(p, &$$, $1); }
    | map_entries_some ',' map_entry            { $$ = $1; parse_append(p, &$$, $3); }
    ;

map_entry: term ':' term                        { $$ = parse_node(p, MR_STR_NULL); $$->term = $1; $$->value = $3; }
    ;

/* ---- names ---- */

name_list: name_item                            { $$ = (struct ast_list){ 0 }; parse_append(p, &$$, $1); }
    | name_list ',' name_item                   { $$ = $1; parse_append(p, &$$, $3); }
    ;

name_item: name                                 { $$ = parse_node(p, $1); }
    ;

name: IDENT | QUOTED | unreserved ;

unreserved: K_AS | K_CLUSTERING | K_COMPACT | K_CONTAINS | K_COUNT | K_EXISTS | K_FILTERING | K_GROUP | K_KEY | K_LIKE
    | K_PARTITION | K_PER
    | K_LOGGED | K_STATIC | K_STORAGE | K_TIMESTAMP | K_TTL | K_VALUES | K_WRITETIME
    ;

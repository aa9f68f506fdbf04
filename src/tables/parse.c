/* parse.c -- runs the grammar over one statement and words its errors as Cassandra does. */
#include "tables/parse_int.h"

#include "base/text.h"
#include "grammar.h"

#include <string.h>

typedef void *yyscan_t;
struct yy_buffer_state;
int tables_cql_lex_init_extra(struct parse *extra, yyscan_t *scanner);
int tables_cql_lex_destroy(yyscan_t scanner);
struct yy_buffer_state *tables_cql__scan_bytes(const char *bytes, int size, yyscan_t scanner);

void parse_append(struct parse *parse, struct ast_list *list, struct ast_node *node)
{
    if (list->tail == NULL)
        list->head = node;
    else
        list->tail->next = node;
    list->tail = node;
    if (++list->count > AST_LIST_MAX)
        parse->too_many = true;
}

struct ast_node *parse_node(struct parse *parse, struct mr_str name)
{
    struct ast_node *node = MR_ARENA_NEW(parse->arena, struct ast_node);

    node->name = name;
    return node;
}

struct ast_term *parse_term(struct parse *parse, enum ast_term_kind kind, struct mr_str text)
{
    struct ast_term *term = MR_ARENA_NEW(parse->arena, struct ast_term);

    term->kind = kind;
    term->text = text;
    return term;
}

struct ast_term *parse_marker(struct parse *parse, struct mr_str name)
{
    struct ast_term *term = parse_term(parse, AST_MARKER, MR_STR("?"));

    term->marker = parse->marker_count++;
    term->marker_name = name;
    if (parse->marker_count > AST_MARKERS_MAX)
        parse->too_many = true;
    return term;
}

struct ast_term *parse_group(struct parse *parse, enum ast_term_kind kind, struct mr_str text, struct ast_list list)
{
    struct ast_term *term = parse_term(parse, kind, text);

    term->entries = list.head;
    term->entry_count = list.count;
    return term;
}

struct ast_term *parse_group1(struct parse *parse, enum ast_term_kind kind, struct mr_str text, struct ast_term *one)
{
    struct ast_list list = { 0 };
    struct ast_node *node = parse_node(parse, MR_STR_NULL);

    node->term = one;
    parse_append(parse, &list, node);
    return parse_group(parse, kind, text, list);
}

struct ast_node *parse_change(struct parse *parse, struct mr_str name, struct mr_str of, enum ast_assign assign,
                              struct ast_term *term)
{
    struct ast_node *node = parse_node(parse, name);

    if (!mr_str_equal(name, of) && parse->only_same.data == NULL)
        parse->only_same = name;
    node->assign = assign;
    node->term = term;
    return node;
}

struct ast_node *parse_columns(struct parse *parse, enum ast_node_kind kind, struct ast_list columns)
{
    struct ast_node *node = parse_node(parse, MR_STR_NULL);

    node->kind = kind;
    node->names = columns.head;
    node->name_count = columns.count;
    return node;
}

struct ast_node *parse_in(struct parse *parse, struct ast_node *node, struct ast_list values)
{
    MR_UNUSED(parse);
    node->op = AST_IN;
    node->is_list = true;
    node->values = values.head;
    node->value_count = values.count;
    return node;
}

struct ast_statement *parse_statement(struct parse *parse, enum ast_statement_kind kind)
{
    struct ast_statement *statement = MR_ARENA_NEW(parse->arena, struct ast_statement);

    statement->kind = kind;
    return statement;
}

/* ---- errors ---- */

/* CQL that exists and is not there yet: told by its first words. */
static const char *const later_words[][2] = {
    { "GRANT", NULL },           { "REVOKE", NULL },           { "LIST", NULL },
    { "CREATE", "INDEX" },       { "CREATE", "CUSTOM" },       { "CREATE", "TYPE" },
    { "CREATE", "FUNCTION" },    { "CREATE", "AGGREGATE" },    { "CREATE", "ROLE" },
    { "CREATE", "USER" },        { "CREATE", "MATERIALIZED" }, { "CREATE", "TRIGGER" },
    { "CREATE", "OR" },          { "DROP", "INDEX" },          { "DROP", "TYPE" },
    { "DROP", "FUNCTION" },      { "DROP", "AGGREGATE" },      { "DROP", "ROLE" },
    { "DROP", "USER" },          { "DROP", "MATERIALIZED" },   { "DROP", "TRIGGER" },
    { "SELECT", "JSON" },        { "DESCRIBE", NULL },         { "DESC", NULL },
    { "ALTER", "TYPE" },         { "ALTER", "ROLE" },          { "ALTER", "USER" },
    { "ALTER", "MATERIALIZED" },
};

static struct mr_str word_next(struct mr_str *text)
{
    size_t from = 0, to;
    struct mr_str word;

    while (from < text->size && strchr(" \t\r\n", text->data[from]) != NULL)
        from++;
    for (to = from; to < text->size && strchr(" \t\r\n;", text->data[to]) == NULL; to++)
        ;
    word = (struct mr_str){ text->data + from, to - from };
    *text = (struct mr_str){ text->data + to, text->size - to };
    return word;
}

static bool is_later(struct mr_str text, struct mr_err *err)
{
    struct mr_str first = word_next(&text), second = word_next(&text);
    size_t i;

    for (i = 0; i < MR_COUNT(later_words); i++) {
        const char *const *words = later_words[i];

        if (!mr_str_equal_nocase(first, mr_str_of(words[0])))
            continue;
        if (words[1] == NULL || mr_str_equal_nocase(second, mr_str_of(words[1]))) {
            mr_err_set(err, MR_UNSUPPORTED, "%s%s%s is not there in this version", words[0], words[1] ? " " : "",
                       words[1] ? words[1] : "");
            return true;
        }
    }
    return false;
}

static void place_of(struct mr_str text, size_t at, int *line, int *column)
{
    size_t i;

    *line = 1;
    *column = 0;
    for (i = 0; i < at && i < text.size; i++) {
        if (text.data[i] == '\n') {
            (*line)++;
            *column = 0;
        } else if (((uint8_t)text.data[i] & 0xc0) != 0x80) {
            (*column)++;
        }
    }
}

/* "line 1:14 no viable alternative at input 'FORM' (SELECT * [FORM]...)" */
static enum mr_status syntax_error(const struct parse *p, struct mr_err *err)
{
    enum { SHOWN_MAX = 60 };
    size_t token_size = p->at - p->token_at, before_at = p->token_at;
    struct mr_str before;
    bool cut;
    int line, column;

    place_of(p->text, p->token_at, &line, &column);
    if (p->token_at >= p->text.size)
        return mr_err_set_at(err, MR_INVALID, line, column + 1, "line %d:%d no viable alternative at input '<EOF>'",
                             line, column);
    if (p->token_count > 0) {
        uint32_t back = p->token_count < PARSE_SNIPPET_TOKENS ? p->token_count : PARSE_SNIPPET_TOKENS;

        before_at = p->recent[(p->token_count - back) % PARSE_SNIPPET_TOKENS];
    }
    if (token_size > SHOWN_MAX)
        token_size = SHOWN_MAX;
    if (p->token_at - before_at > 4 * SHOWN_MAX)
        before_at = p->token_at - 4 * SHOWN_MAX;
    cut = p->token_count > PARSE_SNIPPET_TOKENS;
    before = (struct mr_str){ p->text.data + before_at, p->token_at - before_at };
    return mr_err_set_at(err, MR_INVALID, line, column + 1,
                         "line %d:%d no viable alternative at input '%.*s' (%s%.*s[%.*s]...)", line, column,
                         (int)token_size, p->text.data + p->token_at, cut ? "..." : "", MR_STR_ARG(before),
                         (int)token_size, p->text.data + p->token_at);
}

enum mr_status tables_parse(struct ast_statement **out, struct mr_str text, struct mr_arena *arena, struct mr_err *err)
{
    struct parse p = { .arena = arena, .text = text };
    yyscan_t scanner;
    int failed;

    assert(text.size <= INT32_MAX);
    if (!mr_utf8_valid(mr_bytes_of_str(text)))
        return mr_err_set_at(err, MR_INVALID, 1, 1, "line 1:0 the statement is not valid UTF-8");
    if (tables_cql_lex_init_extra(&p, &scanner) != 0)
        return mr_err_set(err, MR_LIMIT, "the scanner could not start");
    tables_cql__scan_bytes(text.data, (int)text.size, scanner);
    failed = tables_cql_parse(&p, scanner);
    tables_cql_lex_destroy(scanner);
    if (p.too_many)
        return mr_err_set(err, MR_INVALID, "a statement may have at most %d elements in a list and %d markers",
                          AST_LIST_MAX, AST_MARKERS_MAX);
    if (failed != 0 || p.failed)
        return is_later(text, err) ? MR_UNSUPPORTED : syntax_error(&p, err);
    if (p.only_same.data != NULL)
        return mr_err_set(err, MR_INVALID, "Only expressions of the form X = X +<value> are supported.");
    if (p.later.data != NULL)
        return mr_err_set(err, MR_UNSUPPORTED, "%.*s is not there in this version", MR_STR_ARG(p.later));
    p.statement->marker_count = p.marker_count;
    *out = p.statement;
    return MR_OK;
}

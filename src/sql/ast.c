/* ast.c -- runs the parser over a script and builds its nodes; says what is wrong when a token stands where it
 * can't. */
#include "sql/ast_int.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "grammar.h"
#include "sql/lexer_int.h"

enum { EXPECTED_SHOWN_MAX = 4, QUOTED_MAX = 60 };

void sql_parse_error(struct sql_parse *parse, enum mr_status status, struct sql_loc loc, const char *format, ...)
{
    char text[MR_ERR_BYTES];
    va_list args;

    if (parse->failed)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    parse->failed = true;
    mr_err_set_at(parse->err, status, loc.line, loc.column, "%s", text);
}

struct mr_str sql_parse_text(const struct sql_parse *parse, struct sql_loc loc)
{
    assert(loc.begin <= loc.end && loc.end <= parse->source.size);
    return (struct mr_str){ parse->source.data + loc.begin, loc.end - loc.begin };
}

struct sql_ast_expr *sql_ast_expr(struct sql_parse *parse, enum sql_ast_expr_kind kind, struct sql_loc loc)
{
    struct sql_ast_expr *node = MR_ARENA_NEW(parse->arena, struct sql_ast_expr);

    node->kind = kind;
    node->loc = loc;
    node->depth = 1;
    return node;
}

void sql_ast_add(struct sql_parse *parse, struct sql_ast_expr *node, struct sql_ast_expr *arg)
{
    MR_UNUSED(parse);
    SQL_LIST_PUSH(&node->args, arg);
    if (arg->depth >= node->depth)
        node->depth = arg->depth + 1;
}

struct sql_ast_expr *sql_ast_over(struct sql_parse *parse, enum sql_ast_expr_kind kind, struct sql_loc loc, int op,
                                  struct sql_ast_expr *a, struct sql_ast_expr *b, struct sql_ast_expr *c)
{
    struct sql_ast_expr *node = sql_ast_expr(parse, kind, loc);

    node->op = op;
    if (a != NULL)
        sql_ast_add(parse, node, a);
    if (b != NULL)
        sql_ast_add(parse, node, b);
    if (c != NULL)
        sql_ast_add(parse, node, c);
    return node;
}

struct sql_ast_type *sql_ast_type(struct sql_parse *parse, enum data_kind kind, struct sql_loc loc)
{
    struct sql_ast_type *type = MR_ARENA_NEW(parse->arena, struct sql_ast_type);

    type->kind = kind;
    type->loc = loc;
    return type;
}

struct sql_ast_type *sql_ast_type_named(struct sql_parse *parse, struct mr_str name, struct sql_loc loc)
{
    static const struct {
        const char *name;
        enum data_kind kind;
        bool fixed;
    } names[] = {
        { "TINYINT", DATA_TINYINT, false }, { "SMALLINT", DATA_SMALLINT, false },
        { "DECIMAL", DATA_DECIMAL, false }, { "DEC", DATA_DECIMAL, false },
        { "NUMERIC", DATA_DECIMAL, false }, { "CHAR", DATA_STRING, true },
        { "CHARACTER", DATA_STRING, true }, { "VARCHAR", DATA_STRING, false },
        { "BINARY", DATA_BYTES, true },     { "VARBINARY", DATA_BYTES, false },
        { "BYTES", DATA_BYTES, false },     { "TIMESTAMP_LTZ", DATA_TIMESTAMP_LTZ, false },
    };
    struct sql_ast_type *type = NULL;

    for (size_t i = 0; i < MR_COUNT(names) && type == NULL; i++) {
        if (!mr_str_equal_nocase(name, mr_str_of(names[i].name)))
            continue;
        type = sql_ast_type(parse, names[i].kind, loc);
        type->fixed = names[i].fixed;
    }
    assert(type != NULL); /* the lexer knows the same names */
    return type;
}

bool sql_ast_type_arg(struct sql_parse *parse, struct sql_ast_type *type, struct mr_str digits, struct sql_loc loc)
{
    int64_t value = 0;

    if (type->arg_count == 2 || mr_parse_i64(digits, &value) != MR_OK || value > INT32_MAX) {
        sql_parse_error(parse, MR_INVALID, loc, "%.*s can't be a length or precision", MR_STR_ARG(digits));
        return false;
    }
    type->args[type->arg_count++] = (int)value;
    return true;
}

void sql_parse_bad_type(struct sql_parse *parse, struct sql_loc loc)
{
    static const char *const types[] = { "BOOLEAN", "TINYINT", "SMALLINT",  "INT",       "INTEGER",      "BIGINT",
                                         "FLOAT",   "DOUBLE",  "DECIMAL",   "NUMERIC",   "STRING",       "VARCHAR",
                                         "CHAR",    "BYTES",   "VARBINARY", "BINARY",    "DATE",         "TIME",
                                         "ROW",     "ARRAY",   "MAP",       "TIMESTAMP", "TIMESTAMP_LTZ" };
    struct mr_str word = sql_parse_text(parse, loc);
    char *name = mr_str_dup(word);
    const char *nearest = sql_keyword_reserved(word) ? NULL : mr_nearest(name, types, MR_COUNT(types));

    if (nearest != NULL)
        sql_parse_error(parse, MR_INVALID, loc, "no type \"%s\"; did you mean %s?", name, nearest);
    else
        sql_parse_error(parse, MR_UNSUPPORTED, loc,
                        "the type %s is not there in this version; there are BOOLEAN, TINYINT, SMALLINT, INT, BIGINT, "
                        "FLOAT, DOUBLE, DECIMAL, CHAR, VARCHAR, STRING, BINARY, VARBINARY, BYTES, DATE, TIME, "
                        "TIMESTAMP, TIMESTAMP_LTZ, ROW<…>, ARRAY<…> and MAP<STRING, …>",
                        name);
    mr_free(name);
}

/* What Flink has and we have not, by the word that can't stand where it does (and the one before it, when it matters).
 * in_query: the word names the feature only after a FROM or an expression, not where a column's name is wanted. */
static const struct {
    const char *before; /* NULL: any */
    const char *word;
    const char *feature;
} missing[] = {
    { NULL, "JOIN", "JOIN" },
    { NULL, "INNER", "JOIN" },
    { NULL, "LEFT", "LEFT JOIN" },
    { NULL, "RIGHT", "RIGHT JOIN" },
    { NULL, "FULL", "FULL JOIN" },
    { NULL, "CROSS", "CROSS JOIN" },
    { NULL, "NATURAL", "JOIN" },
    { NULL, "GROUP", "GROUP BY" },
    { NULL, "HAVING", "HAVING" },
    { NULL, "ORDER", "ORDER BY" },
    { NULL, "UNION", "UNION" },
    { NULL, "INTERSECT", "INTERSECT" },
    { NULL, "EXCEPT", "EXCEPT" },
    { NULL, "MINUS", "MINUS" },
    { NULL, "WINDOW", "WINDOW" },
    { NULL, "OVER", "OVER (a window)" },
    { NULL, "FILTER", "FILTER (an aggregate)" },
    { NULL, "WITHIN", "WITHIN GROUP (an aggregate)" },
    { NULL, "MATCH_RECOGNIZE", "MATCH_RECOGNIZE" },
    { NULL, "OFFSET", "OFFSET" },
    { NULL, "FETCH", "FETCH; use LIMIT, it" },
    { NULL, "TABLESAMPLE", "TABLESAMPLE" },
    { NULL, "COLLATE", "COLLATE" },
    { NULL, "PARTITIONED", "PARTITIONED BY" },
    { NULL, "DISTRIBUTED", "DISTRIBUTED BY" },
    { NULL, "UNNEST", "UNNEST" },
    { NULL, "LATERAL", "LATERAL" },
    { NULL, "EXISTS", "EXISTS (a subquery)" },
    { ")", "LIKE", "CREATE TABLE … LIKE" },
    { ")", "AS", "CREATE TABLE … AS SELECT" },
    { "(", "SELECT", "a subquery" },
    { "FROM", "TABLE", "TABLE(…) (windows and table functions)" },
    { "FROM", "(", "a subquery" },
    { "CREATE", NULL, "CREATE " },
    { "DROP", NULL, "DROP " },
    { "SHOW", NULL, "SHOW " },
    { "INSERT", NULL, "INSERT " },
    { "", "WITH", "WITH (a common table expression)" },
    { "", "ALTER", "ALTER" },
    { "", "USE", "USE" },
    { "", "UPDATE", "UPDATE" },
    { "", "DELETE", "DELETE" },
    { "", "TRUNCATE", "TRUNCATE" },
    { "", "CALL", "CALL" },
    { "", "LOAD", "LOAD" },
    { "", "UNLOAD", "UNLOAD" },
    { "", "ADD", "ADD" },
    { "", "REMOVE", "REMOVE" },
    { "", "ANALYZE", "ANALYZE" },
    { "", "COMPILE", "COMPILE PLAN" },
    { "", "MERGE", "MERGE" },
};

static bool word_is(struct mr_str word, const char *text)
{
    return mr_str_equal_nocase(word, mr_str_of(text));
}

/* Where a name is wanted a reserved word is a mistake in the name, not a feature. */
static bool name_place(struct mr_str before)
{
    static const char *const places[] = { ",", ".", "(", "<", "AS", "SELECT", "FROM", "TABLE", "BY" };

    for (size_t i = 0; i < MR_COUNT(places); i++)
        if (word_is(before, places[i]))
            return true;
    return false;
}

/* Reports the feature that WORD after BEFORE belongs to; false when it is none. */
static bool report_missing(struct sql_parse *parse, struct sql_loc loc, struct mr_str before, struct mr_str word,
                           bool name_expected)
{
    bool at_start = before.size == 0 || word_is(before, ";") || word_is(before, "EXPLAIN");

    for (size_t i = 0; i < MR_COUNT(missing); i++) {
        if (missing[i].before == NULL      ? name_expected && name_place(before)
            : missing[i].before[0] == '\0' ? !at_start
                                           : !word_is(before, missing[i].before))
            continue;
        if (missing[i].word == NULL) {
            if (word.size == 0 || word.data[0] == ';' || !(sql_keyword_reserved(word) || parse->source.size > loc.end))
                continue;
            sql_parse_error(parse, MR_UNSUPPORTED, loc, "%s%.*s is not there in this version", missing[i].feature,
                            MR_STR_ARG(word));
            return true;
        }
        if (!word_is(word, missing[i].word))
            continue;
        sql_parse_error(parse, MR_UNSUPPORTED, loc, "%s is not there in this version", missing[i].feature);
        return true;
    }
    return false;
}

/* "; expected A, B or C", or nothing when there are too many to help. */
static void expected_write(struct mr_writer *out, const char *const *expected, int count)
{
    if (count < 1 || count > EXPECTED_SHOWN_MAX)
        return;
    for (int i = 0; i < count; i++)
        mr_write_text(out, "%s%s", i == 0 ? "; expected " : i + 1 == count ? " or " : ", ", expected[i]);
}

static bool has(const char *const *texts, int count, const char *text)
{
    for (int i = 0; i < count; i++)
        if (strcmp(texts[i], text) == 0)
            return true;
    return false;
}

void sql_parse_unexpected(struct sql_parse *parse, struct sql_loc loc, const char *const *expected, int expected_count,
                          bool name_expected)
{
    struct mr_str word = sql_parse_text(parse, loc);
    struct mr_str before = sql_parse_text(parse, parse->previous);
    bool is_word = word.size > 0 && ((word.data[0] | 32) >= 'a' && (word.data[0] | 32) <= 'z');
    struct mr_writer rest = { 0 };
    const char *nearest = NULL;

    if (parse->failed || report_missing(parse, loc, before, word, name_expected))
        return;
    if (word_is(word, ",") && has(expected, expected_count, "WHERE")) {
        sql_parse_error(parse, MR_UNSUPPORTED, loc, "a join (a comma between tables) is not there in this version");
        return;
    }
    if (expected_count == 1 && strcmp(expected[0], "'('") == 0 && sql_keyword_reserved(before)) {
        sql_parse_error(parse, MR_INVALID, parse->previous,
                        "\"%.*s\" is a reserved word of Flink SQL: as a name write `%.*s`", MR_STR_ARG(before),
                        MR_STR_ARG(before));
        return;
    }
    if (is_word && name_expected && sql_keyword_reserved(word) &&
        (name_place(before) || sql_keyword_token(word) == RESERVED)) {
        sql_parse_error(parse, MR_INVALID, loc, "\"%.*s\" is a reserved word of Flink SQL: as a name write `%.*s`",
                        MR_STR_ARG(word), MR_STR_ARG(word));
        return;
    }
    if (is_word && !sql_keyword_reserved(word)) {
        char *text = mr_str_dup(word);
        nearest = mr_nearest(text, expected, (size_t)expected_count);
        mr_free(text);
    }
    if (nearest != NULL)
        mr_write_text(&rest, "; did you mean %s?", nearest);
    else
        expected_write(&rest, expected, expected_count);
    mr_write_u8(&rest, '\0');
    if (word.size == 0)
        sql_parse_error(parse, MR_INVALID, loc, "the statement is not complete%s", (char *)rest.data);
    else
        sql_parse_error(parse, MR_INVALID, loc, "unexpected \"%.*s\"%s",
                        (int)(word.size > QUOTED_MAX ? QUOTED_MAX : word.size), word.data, (char *)rest.data);
    mr_writer_deinit(&rest);
}

enum mr_status sql_parse(struct mr_arena *arena, struct mr_str source, struct sql_ast_statements *out,
                         struct mr_err *err)
{
    struct mr_err local = MR_ERR_INIT;
    struct sql_parse parse = { .arena = arena, .source = source, .err = err ? err : &local };
    void *scanner = NULL;
    struct yy_buffer_state *buffer;
    int result;

    if (source.size > SQL_SCRIPT_BYTES_MAX)
        return mr_err_set(err, MR_LIMIT, "the script has %zu bytes; at most %d are read", source.size,
                          SQL_SCRIPT_BYTES_MAX);
    if (!mr_utf8_valid(mr_bytes_of_str(source)))
        return mr_err_set(err, MR_INVALID, "the script is not UTF-8 text");
    parse.at = (struct sql_loc){ .line = 1, .column = 1 };
    if (sql_yylex_init_extra(&parse, &scanner) != 0)
        return mr_err_set(err, MR_LIMIT, "no memory for the parser");
    buffer = sql_yy_scan_bytes(source.size ? source.data : "", (int)source.size, scanner);
    result = sql_yyparse(scanner, &parse);
    sql_yy_delete_buffer(buffer, scanner);
    sql_yylex_destroy(scanner);
    if (result != 0 || parse.failed) {
        if (!parse.failed)
            sql_parse_error(&parse, MR_INVALID, parse.at, "the statement can't be read");
        return parse.err->status;
    }
    *out = parse.statements;
    return MR_OK;
}

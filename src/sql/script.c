/* script.c -- a script: parsed whole, then bound statement by statement; answers of the statements that are no
 * queries. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sql/bind_int.h"

struct sql_session {
    struct sql_catalog catalog;
};

struct statement {
    enum sql_statement_kind kind;
    struct sql_query *query;   /* queries, and what EXPLAIN explains; else NULL */
    const char *name;          /* of the query to START or STOP; else NULL */
    struct data_batch *answer; /* owned; NULL for queries */
};

struct sql_script {
    struct mr_arena *arena;
    struct statement *statements;
    uint32_t count;
};

struct sql_session *sql_session_new(const struct connector *const *connectors)
{
    struct sql_session *session = MR_NEW(struct sql_session);

    sql_catalog_init(&session->catalog, connectors);
    return session;
}

void sql_session_free(struct sql_session *session)
{
    if (session == NULL)
        return;
    sql_catalog_deinit(&session->catalog);
    mr_free(session);
}

void sql_session_override(struct sql_session *session, const char *table, const char *option, const char *value)
{
    struct sql_catalog *catalog = &session->catalog;
    struct mr_writer name = { 0 };

    mr_write_text(&name, "%s.%s", table, option);
    MR_GROW(catalog->overrides, catalog->override_count, catalog->override_capacity);
    catalog->overrides[catalog->override_count++] =
        (struct sql_override){ .table = mr_strdup(table),
                               .option = mr_strdup(option),
                               .value = mr_strdup(value),
                               .name = mr_str_dup(mr_str_of_bytes(mr_writer_bytes(&name))) };
    mr_writer_deinit(&name);
}

const char *sql_session_override_unused(const struct sql_session *session)
{
    for (size_t i = 0; i < session->catalog.override_count; i++)
        if (!session->catalog.overrides[i].used)
            return session->catalog.overrides[i].name;
    return NULL;
}

/* ---- answers ---- */

/* An empty answer with text columns of these names. */
static struct data_batch *answer_new(struct mr_arena *arena, const char *const *names, uint32_t count)
{
    struct data_field *fields = MR_ARENA_ARRAY(arena, struct data_field, count);

    for (uint32_t i = 0; i < count; i++)
        fields[i] = (struct data_field){ mr_str_of(names[i]), data_type_scalar(DATA_STRING, true) };
    return data_batch_new(data_type_row(arena, fields, count, false));
}

/* A row of COUNT texts, one for each column; NULL: a null value. */
static void answer_add(struct data_batch *answer, const char *const *texts, uint32_t count)
{
    assert(count == answer->column_count);
    for (uint32_t i = 0; i < count; i++) {
        if (texts[i] == NULL)
            data_append_null(answer->columns[i]);
        else
            data_append_str(answer->columns[i], mr_str_of(texts[i]));
    }
    answer->row_count++;
}

/* A row for each line of TEXT, so that it reads as it was laid out. */
static struct data_batch *answer_text(struct mr_arena *arena, const char *name, const char *text)
{
    struct data_batch *answer = answer_new(arena, &name, 1);

    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        const char *line = mr_arena_str(arena, (struct mr_str){ text, length }).data;

        answer_add(answer, &line, 1);
        text += length + (text[length] == '\n');
    }
    return answer;
}

static struct data_batch *answer_tables(struct mr_arena *arena, const struct sql_catalog *catalog)
{
    size_t count = 0;
    const char **names = sql_catalog_names(catalog, arena, &count);
    struct data_batch *answer = answer_new(arena, (const char *const[]){ "table name" }, 1);

    for (size_t i = 0; i < count; i++)
        answer_add(answer, &names[i], 1);
    return answer;
}

static struct data_batch *answer_functions(struct mr_arena *arena)
{
    static const char *const names[] = { "function", "what it gives" };
    struct data_batch *answer = answer_new(arena, names, 2);

    for (size_t i = 0;; i++) {
        const char *texts[2];
        if (!sql_function_describe(i, &texts[0], &texts[1]))
            return answer;
        answer_add(answer, texts, 2);
    }
}

static struct data_batch *answer_describe(struct mr_arena *arena, const struct sql_table *table)
{
    static const char *const names[] = { "name", "type", "null", "key" };
    struct data_batch *answer = answer_new(arena, names, 4);

    for (uint32_t i = 0; i < table->row->field_count; i++) {
        const struct data_type *type = table->row->fields[i].type;
        const char *key = NULL;
        for (uint32_t k = 0; k < table->primary_key_count; k++)
            if (table->primary_key[k] == i)
                key = "PRI";
        const char *const texts[] = { table->row->fields[i].name.data,
                                      data_type_text(arena, data_type_with_nullable(arena, type, true)),
                                      type->nullable ? "TRUE" : "FALSE", key };
        answer_add(answer, texts, MR_COUNT(texts));
    }
    return answer;
}

static struct data_batch *answer_settings(struct mr_arena *arena, const struct sql_catalog *catalog)
{
    size_t count = 0;
    const struct sql_setting *settings = sql_settings(&count);
    struct data_batch *answer = answer_new(arena, (const char *const[]){ "key", "value" }, 2);

    for (size_t i = 0; i < count; i++)
        answer_add(answer, (const char *const[]){ settings[i].name, sql_catalog_value(catalog, (int)i) }, 2);
    return answer;
}

/* ---- binding ---- */

static enum mr_status bind_setting_name(struct sql_bind *bind, struct mr_str name, struct sql_loc loc, int *out)
{
    size_t count = 0;
    const struct sql_setting *settings = sql_settings(&count);
    const char **names = MR_ARENA_ARRAY(bind->arena, const char *, count);
    int index = sql_setting_find(name);

    if (index >= 0) {
        *out = index;
        return MR_OK;
    }
    for (size_t i = 0; i < count; i++)
        names[i] = settings[i].name;
    return sql_bind_fail(bind, MR_INVALID, loc, "unknown setting \"%.*s\"%s", MR_STR_ARG(name),
                         sql_bind_hint(bind, name, names, count));
}

static bool choice_has(const char *choices, struct mr_str value)
{
    while (*choices != '\0') {
        size_t size = strcspn(choices, "|");
        if (mr_str_equal(value, (struct mr_str){ choices, size }))
            return true;
        choices += size + (choices[size] == '|');
    }
    return false;
}

static enum mr_status bind_set(struct sql_bind *bind, const struct sql_ast_statement *s)
{
    const struct sql_ast_option *option = s->options.first;
    size_t count = 0;
    const struct sql_setting *setting;
    int64_t ms = 0;
    int index = -1;
    enum mr_status status = bind_setting_name(bind, option->key, option->key_loc, &index);

    if (status != MR_OK)
        return status;
    setting = &sql_settings(&count)[index];
    if (setting->choices != NULL && !choice_has(setting->choices, option->value))
        return sql_bind_fail(bind, MR_INVALID, option->value_loc, "setting \"%s\" is one of %s, not \"%.*s\"",
                             setting->name, setting->choices, MR_STR_ARG(option->value));
    if (setting->is_duration && mr_parse_duration_ms(option->value, &ms) != MR_OK)
        return sql_bind_fail(bind, MR_INVALID, option->value_loc,
                             "setting \"%s\" is a duration like '10 s', '500 ms' or '2 min', not \"%.*s\"",
                             setting->name, MR_STR_ARG(option->value));
    if (option->value.size == 0 || memchr(option->value.data, '\0', option->value.size) != NULL)
        return sql_bind_fail(bind, MR_INVALID, option->value_loc, "setting \"%s\" can't be empty; RESET '%s' undoes it",
                             setting->name, setting->name);
    sql_catalog_set(bind->catalog, index, option->value);
    if (setting->is_zone) {
        struct mr_err why = MR_ERR_INIT;
        status = sql_catalog_zone(bind->catalog, &bind->zone, &why);
        if (status != MR_OK)
            return sql_bind_fail(bind, MR_INVALID, option->value_loc, "%s", why.text);
    }
    return MR_OK;
}

static enum mr_status bind_reset(struct sql_bind *bind, const struct sql_ast_statement *s)
{
    size_t count = 0;
    int index = -1;

    sql_settings(&count);
    if (s->name.text.data == NULL) {
        for (size_t i = 0; i < count; i++)
            sql_catalog_set(bind->catalog, (int)i, MR_STR_NULL);
        return MR_OK;
    }
    if (bind_setting_name(bind, s->name.text, s->name.loc, &index) != MR_OK)
        return MR_INVALID;
    sql_catalog_set(bind->catalog, index, MR_STR_NULL);
    return MR_OK;
}

static enum mr_status bind_drop(struct sql_bind *bind, const struct sql_ast_statement *s)
{
    struct sql_table *table = sql_catalog_find(bind->catalog, s->name.text);
    const char **names;
    size_t count = 0;

    if (table != NULL) {
        table->dropped = true;
        return MR_OK;
    }
    if (s->conditional)
        return MR_OK;
    names = sql_catalog_names(bind->catalog, bind->arena, &count);
    return sql_bind_fail(bind, MR_NOT_FOUND, s->name.loc, "no table \"%.*s\"%s", MR_STR_ARG(s->name.text),
                         sql_bind_hint(bind, s->name.text, names, count));
}

static enum mr_status bind_describe(struct sql_bind *bind, const struct sql_ast_statement *s, struct statement *out)
{
    const struct sql_table *table = sql_catalog_find(bind->catalog, s->name.text);
    const char **names;
    size_t count = 0;

    if (table == NULL) {
        names = sql_catalog_names(bind->catalog, bind->arena, &count);
        return sql_bind_fail(bind, MR_NOT_FOUND, s->name.loc, "no table \"%.*s\"%s", MR_STR_ARG(s->name.text),
                             sql_bind_hint(bind, s->name.text, names, count));
    }
    out->answer = s->kind == SQL_AST_DESCRIBE ? answer_describe(bind->arena, table)
                                              : answer_text(bind->arena, "create table", table->text);
    return MR_OK;
}

static enum mr_status bind_explain(struct sql_bind *bind, const struct sql_ast_statement *s, struct statement *out)
{
    const struct sql_ast_statement *inner = s->inner.first;
    enum mr_status status;

    if (inner->kind != SQL_AST_SELECT && inner->kind != SQL_AST_INSERT && inner->kind != SQL_AST_STATEMENT_SET)
        return sql_bind_fail(bind, MR_INVALID, inner->loc, "EXPLAIN wants a SELECT, an INSERT or a STATEMENT SET");
    status = sql_bind_query(bind, inner, &out->query);
    if (status == MR_OK)
        out->answer = answer_text(bind->arena, "plan", out->query->explain_text);
    return status;
}

static enum mr_status statement_bind(struct sql_bind *bind, const struct sql_ast_statement *s, struct statement *out)
{
    enum mr_status status = MR_OK;

    switch (s->kind) {
    case SQL_AST_CREATE_TABLE:
        out->kind = SQL_CREATE_TABLE;
        status = sql_bind_table(bind, s);
        break;
    case SQL_AST_DROP_TABLE:
        out->kind = SQL_DROP_TABLE;
        status = bind_drop(bind, s);
        break;
    case SQL_AST_INSERT:
    case SQL_AST_STATEMENT_SET:
    case SQL_AST_SELECT:
        status = sql_bind_query(bind, s, &out->query);
        if (status == MR_OK)
            out->kind = out->query->kind;
        return status;
    case SQL_AST_EXPLAIN:
        out->kind = SQL_EXPLAIN;
        return bind_explain(bind, s, out);
    case SQL_AST_SET:
        out->kind = SQL_SET;
        if (s->options.count == 0) {
            out->answer = answer_settings(bind->arena, bind->catalog);
            return MR_OK;
        }
        status = bind_set(bind, s);
        break;
    case SQL_AST_RESET:
        out->kind = SQL_RESET;
        status = bind_reset(bind, s);
        break;
    case SQL_AST_SHOW_TABLES:
        out->kind = SQL_SHOW_TABLES;
        out->answer = answer_tables(bind->arena, bind->catalog);
        return MR_OK;
    case SQL_AST_SHOW_FUNCTIONS:
        out->kind = SQL_SHOW_FUNCTIONS;
        out->answer = answer_functions(bind->arena);
        return MR_OK;
    case SQL_AST_SHOW_QUERIES:
        out->kind = SQL_SHOW_QUERIES;
        return MR_OK;
    case SQL_AST_START_QUERY:
    case SQL_AST_STOP_QUERY:
        out->kind = s->kind == SQL_AST_START_QUERY ? SQL_START_QUERY : SQL_STOP_QUERY;
        out->name = mr_arena_str(bind->arena, s->name.text).data;
        return MR_OK;
    case SQL_AST_SHOW_CREATE_TABLE:
    case SQL_AST_DESCRIBE:
        out->kind = s->kind == SQL_AST_DESCRIBE ? SQL_DESCRIBE : SQL_SHOW_CREATE_TABLE;
        return bind_describe(bind, s, out);
    }
    if (status == MR_OK)
        out->answer = answer_text(bind->arena, "result", "OK");
    return status;
}

enum mr_status sql_script_bind(struct sql_script **out, struct sql_session *session, struct mr_str text,
                               struct mr_err *err)
{
    struct mr_err local = MR_ERR_INIT;
    struct sql_script *script = MR_NEW(struct sql_script);
    struct sql_ast_statements ast = { 0 };
    struct sql_catalog_mark mark = sql_catalog_mark(&session->catalog);
    struct sql_bind bind = { .catalog = &session->catalog, .err = err ? err : &local };
    enum mr_status status;

    script->arena = mr_arena_new();
    bind.arena = script->arena;
    bind.source_text = text;
    status = sql_parse(script->arena, text, &ast, bind.err);
    if (status == MR_OK)
        script->statements = MR_ARENA_ARRAY(script->arena, struct statement, (size_t)ast.count + 1);
    for (const struct sql_ast_statement *s = ast.first; s != NULL && status == MR_OK; s = s->next) {
        status = sql_catalog_zone(&session->catalog, &bind.zone, bind.err);
        if (status == MR_OK)
            status = statement_bind(&bind, s, &script->statements[script->count++]);
    }
    if (status != MR_OK) {
        sql_catalog_restore(&session->catalog, &mark);
        sql_script_free(script);
        return status;
    }
    sql_catalog_mark_free(&mark);
    *out = script;
    return MR_OK;
}

void sql_script_free(struct sql_script *script)
{
    if (script == NULL)
        return;
    for (uint32_t i = 0; i < script->count; i++)
        data_batch_unref(script->statements[i].answer);
    mr_arena_free(script->arena);
    mr_free(script);
}

uint32_t sql_script_count(const struct sql_script *script)
{
    return script->count;
}

enum sql_statement_kind sql_script_kind(const struct sql_script *script, uint32_t index)
{
    assert(index < script->count);
    return script->statements[index].kind;
}

bool sql_script_is_query(const struct sql_script *script, uint32_t index)
{
    enum sql_statement_kind kind = sql_script_kind(script, index);

    return kind == SQL_INSERT || kind == SQL_STATEMENT_SET || kind == SQL_SELECT;
}

const struct sql_query *sql_script_query(const struct sql_script *script, uint32_t index)
{
    assert(index < script->count);
    return script->statements[index].query;
}

const char *sql_script_named(const struct sql_script *script, uint32_t index)
{
    assert(index < script->count);
    return script->statements[index].name;
}

const char *sql_script_query_name(const struct sql_script *script, uint32_t index)
{
    const struct sql_query *query = sql_script_query(script, index);

    return query == NULL ? NULL : query->name;
}

const struct data_batch *sql_script_answer(const struct sql_script *script, uint32_t index)
{
    assert(index < script->count);
    return script->statements[index].answer;
}

void sql_error_write(struct mr_writer *out, const char *file, struct mr_str source, const struct mr_err *err)
{
    const char *at = source.data, *end = source.data + source.size;

    if (err->line < 1) {
        mr_write_text(out, "%s\n", err->text);
        return;
    }
    if (file != NULL)
        mr_write_text(out, "%s:%d:%d: %s\n", file, err->line, err->column, err->text);
    else
        mr_write_text(out, "line %d, column %d: %s\n", err->line, err->column, err->text);
    for (int line = 1; line < err->line && at < end; line++) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        at = next == NULL ? end : next + 1;
    }
    if (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        struct mr_str text = { at, (size_t)((stop == NULL ? end : stop) - at) };
        mr_write_text(out, "  %.*s\n  ", MR_STR_ARG(text));
        for (int column = 1; column < err->column; column++)
            mr_write_u8(out, ' ');
        mr_write_text(out, "^\n");
    }
}

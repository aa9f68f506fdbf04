/* bind.c -- terms to expressions: what type a term has by itself, whether it may stand for a type, and binding it.
 *
 * A literal or a marker takes the type of what it is for; a column, a call, a cast or a hint has one.  Where nothing is
 * known (an argument of an overloaded function) the candidates are tried. */
#include "tables/bind_int.h"
#include "tables/literal_int.h"

#include <string.h>

static struct expr *expr_new(struct plan_build *b, enum expr_kind kind, const struct cql_type *type, uint32_t args)
{
    struct expr *e = MR_ARENA_NEW(b->plan->arena, struct expr);

    e->kind = kind;
    e->type = type;
    e->args = MR_ARENA_ARRAY(b->plan->arena, const struct expr *, args + 1);
    e->arg_count = args;
    return e;
}

static struct mr_str text_of(struct plan_build *b, const struct ast_term *term)
{
    struct mr_writer w = { 0 };
    struct mr_str text;

    literal_write(&w, term);
    text = mr_arena_str(b->plan->arena, (struct mr_str){ (const char *)w.data, w.size > 200 ? 200 : w.size });
    mr_writer_deinit(&w);
    return text;
}

static struct mr_str type_text(struct plan_build *b, const struct cql_type *type)
{
    return schema_type_name(type, b->plan->arena);
}

static const struct cql_type *type_written(struct plan_build *b, struct mr_str text)
{
    const struct cql_type *type = NULL;
    struct mr_err err = MR_ERR_INIT;

    return schema_type_parse(text, b->plan->arena, &type, &err) == MR_OK ? type : NULL;
}

static bool is_scalar(const struct ast_term *term)
{
    return term->kind <= AST_DURATION;
}

static const struct cql_type *type_alone(struct plan_build *b, const struct ast_term *term, int depth);

/* May TERM stand for TYPE? */
static bool fits(struct plan_build *b, const struct ast_term *term, const struct cql_type *type, int depth)
{
    const struct cql_type *alone;
    const struct ast_node *entry;
    uint32_t i = 0;

    if (depth > PLAN_EXPR_DEPTH_MAX)
        return false;
    if (term->kind == AST_MARKER)
        return true;
    if (is_scalar(term))
        return literal_fits(term, type);
    alone = type_alone(b, term, depth + 1);
    if (alone != NULL)
        return cql_type_equal(alone, type) || (alone->code == CQL_ASCII && type->code == CQL_VARCHAR) ||
               (alone->code == CQL_TIMEUUID && type->code == CQL_UUID);
    if ((term->kind == AST_LIST && type->code != CQL_LIST) || (term->kind == AST_SET && type->code != CQL_SET) ||
        (term->kind == AST_TUPLE && (type->code != CQL_TUPLE || term->entry_count > type->item_count)) ||
        (term->kind == AST_MAP && type->code != CQL_MAP && (type->code != CQL_SET || term->entries != NULL)))
        return false;
    if (term->kind != AST_LIST && term->kind != AST_SET && term->kind != AST_TUPLE && term->kind != AST_MAP)
        return false;
    for (entry = term->entries; entry != NULL; entry = entry->next, i++) {
        if (!fits(b, entry->term, type->items[type->code == CQL_TUPLE ? i : 0], depth + 1) ||
            (entry->value != NULL && !fits(b, entry->value, type->items[1], depth + 1)))
            return false;
    }
    return true;
}

/* The function that a call means, or NULL.  RECEIVER may be NULL. */
static const struct expr_function *resolve(struct plan_build *b, const struct ast_term *term,
                                           const struct cql_type *receiver, int depth)
{
    const struct expr_function *f, *found = NULL;
    size_t i;

    for (i = 0; (f = expr_function_find(term->text, term->entry_count, i)) != NULL; i++) {
        const struct cql_type *arg = cql_type_native(f->args[0]);
        const struct cql_type *alone =
            f->args[0] != 0 && arg == NULL ? type_alone(b, term->entries->term, depth + 1) : NULL;

        if (f->args[0] != 0 && arg == NULL && (alone == NULL || alone->code != f->args[0]))
            continue;
        if (f->args[0] != 0 && arg != NULL && !fits(b, term->entries->term, arg, depth + 1))
            continue;
        if (found == NULL || (receiver != NULL && receiver->code == f->type && found->type != f->type))
            found = f;
    }
    return found;
}

static const struct cql_type *result_of(struct plan_build *b, const struct expr_function *f, const struct cql_type *arg)
{
    const struct cql_type *native = cql_type_native(f->type);
    struct cql_type *made;

    if (native != NULL)
        return native;
    made = MR_ARENA_NEW(b->plan->arena, struct cql_type);
    made->code = f->type;
    made->item_count = 1;
    made->is_frozen = true;
    made->items = &arg->items[f->type == CQL_SET ? 0 : 1];
    return made;
}

/* The type that TERM has whatever it is for; NULL when it has none. */
static const struct cql_type *type_alone(struct plan_build *b, const struct ast_term *term, int depth)
{
    const struct expr_function *f;
    int column;

    if (depth > PLAN_EXPR_DEPTH_MAX)
        return NULL;
    if (term->kind == AST_COLUMN) {
        column = schema_column_find(b->plan->table, term->text);
        return column >= 0 ? b->plan->table->columns[column].type : NULL;
    }
    if (term->kind == AST_HINT || term->kind == AST_CAST)
        return type_written(b, term->type);
    if (term->kind != AST_CALL)
        return NULL;
    if (mr_str_equal(term->text, MR_STR("token")))
        return cql_type_native(CQL_BIGINT);
    if (!term->is_alone_known) { /* once: candidates times depth would grow without bound */
        struct ast_term *known = (struct ast_term *)(uintptr_t)term;

        f = resolve(b, term, NULL, depth + 1);
        if (f != NULL)
            known->alone =
                result_of(b, f, term->entries != NULL ? type_alone(b, term->entries->term, depth + 1) : NULL);
        known->is_alone_known = true;
    }
    return term->alone;
}

/* ---- binding ---- */

/* Evaluates what depends on nothing. */
static enum mr_status fold(struct plan_build *b, struct expr *e, const struct expr **out)
{
    struct expr_context context = { .arena = b->plan->arena, .err = b->err };
    struct expr *folded;
    uint32_t i;

    *out = e;
    for (i = 0; i < e->arg_count; i++) {
        if (e->args[i]->kind != EXPR_CONST)
            return MR_OK;
    }
    folded = expr_new(b, EXPR_CONST, e->type, 0);
    *out = folded;
    if (expr_eval(e, &context, &folded->value) == MR_OK)
        return MR_OK;
    *b->code = CQL_ERR_INVALID;
    return MR_INVALID;
}

static enum mr_status wrong_part(struct plan_build *b, const struct ast_term *part, const struct bind_name *name,
                                 const char *literal, const char *what, uint32_t index, const struct cql_type *type)
{
    struct mr_str text = text_of(b, part), of = type_text(b, type);

    if (what == NULL)
        return plan_fail(b, MR_INVALID, "Invalid tuple literal for %.*s: component %" PRIu32 " is not of type %.*s",
                         MR_STR_ARG(name->text), index, MR_STR_ARG(of));
    return plan_fail(b, MR_INVALID, "Invalid %s literal for %.*s: %s %.*s is not of type %.*s", literal,
                     MR_STR_ARG(name->text), what, MR_STR_ARG(text), MR_STR_ARG(of));
}

static enum mr_status check_kind(struct plan_build *b, const struct ast_term *term, const struct cql_type *type,
                                 const struct bind_name *name)
{
    struct mr_str of = type_text(b, type);

    if (term->kind == AST_LIST && type->code != CQL_LIST)
        return plan_fail(b, MR_INVALID, "Unexpected receiver type '%.*s'; only list and vector are expected",
                         MR_STR_ARG(of));
    if ((term->kind == AST_SET && type->code != CQL_SET) ||
        (term->kind == AST_MAP && type->code != CQL_MAP && (type->code != CQL_SET || term->entries != NULL)))
        return plan_fail(b, MR_INVALID, "Invalid %s literal for %.*s of type %.*s",
                         term->kind == AST_SET ? "set" : "map", MR_STR_ARG(name->text), MR_STR_ARG(of));
    if (term->kind == AST_TUPLE && type->code != CQL_TUPLE)
        return plan_fail(b, MR_INVALID, "Invalid tuple type literal for %.*s of type %.*s", MR_STR_ARG(name->text),
                         MR_STR_ARG(of));
    return MR_OK;
}

static enum mr_status bind_parts(struct plan_build *b, const struct ast_term *term, const struct cql_type *type,
                                 const struct bind_name *name, int depth, const struct expr **out)
{
    static const char *const words[] = { [AST_LIST] = "list", [AST_SET] = "set", [AST_MAP] = "map", [AST_TUPLE] = "" };
    enum expr_kind kind = type->code == CQL_LIST  ? EXPR_LIST
                          : type->code == CQL_SET ? EXPR_SET
                          : type->code == CQL_MAP ? EXPR_MAP
                                                  : EXPR_TUPLE;
    bool is_tuple = kind == EXPR_TUPLE;
    enum mr_status status = check_kind(b, term, type, name);
    const struct ast_node *entry;
    struct expr *e;
    uint32_t i = 0;

    if (status != MR_OK)
        return status;
    e = expr_new(b, kind, type, term->entry_count * (kind == EXPR_MAP ? 2 : 1));
    for (entry = term->entries; entry != NULL && status == MR_OK; entry = entry->next) {
        const struct cql_type *item = type->items[is_tuple && i < type->item_count ? i : 0];

        if (is_tuple && i >= type->item_count)
            return plan_fail(b, MR_INVALID,
                             "Invalid tuple literal for %.*s: too many elements. Type %.*s expects %d but got %" PRIu32,
                             MR_STR_ARG(name->text), MR_STR_ARG(type_text(b, type)), type->item_count,
                             term->entry_count);
        if (!fits(b, entry->term, item, depth))
            return wrong_part(b, entry->term, name, words[term->kind],
                              is_tuple           ? NULL
                              : kind == EXPR_MAP ? "key"
                                                 : "value",
                              i, item);
        status = bind_term(b, entry->term, item, name, depth + 1, &e->args[i]);
        i++;
        if (status != MR_OK || kind != EXPR_MAP)
            continue;
        if (!fits(b, entry->value, type->items[1], depth))
            return wrong_part(b, entry->value, name, "map", "value", i, type->items[1]);
        status = bind_term(b, entry->value, type->items[1], name, depth + 1, &e->args[i++]);
    }
    return status == MR_OK ? fold(b, e, out) : status;
}

static enum mr_status no_such_function(struct plan_build *b, const struct ast_term *term, bool in_select)
{
    struct mr_writer w = { 0 };
    enum mr_status status;

    if (!expr_function_exists(term->text))
        return in_select ? plan_fail(b, MR_INVALID, "Unknown function '%.*s'", MR_STR_ARG(term->text))
                         : plan_fail(b, MR_INVALID, "Unknown function %.*s called", MR_STR_ARG(term->text));
    expr_function_signatures(&w, term->text);
    status = plan_fail(b, MR_INVALID,
                       "Invalid call to function %.*s, none of its type signatures match (known type signatures: %.*s)",
                       MR_STR_ARG(term->text), (int)w.size, (const char *)w.data);
    mr_writer_deinit(&w);
    return status;
}

static enum mr_status bind_token(struct plan_build *b, const struct ast_term *term, int depth, const struct expr **out)
{
    const struct schema_table *table = b->plan->table;
    const struct ast_node *entry;
    struct expr *e;
    uint32_t i = 0, same = 0;
    enum mr_status status = MR_OK;

    if (term->entry_count != table->partition_count)
        return plan_fail(b, MR_INVALID,
                         "Invalid number of arguments in call to function system.token: %" PRIu32
                         " required but %" PRIu32 " provided",
                         table->partition_count, term->entry_count);
    for (entry = term->entries; entry != NULL; entry = entry->next, i++)
        same += entry->term->kind == AST_COLUMN && mr_str_equal(entry->term->text, table->columns[i].name);
    if (same == table->partition_count && table->system == NULL) {
        *out = expr_new(b, EXPR_TOKEN, cql_type_native(CQL_BIGINT), 0);
        return MR_OK;
    }
    e = expr_new(b, EXPR_TOKEN, cql_type_native(CQL_BIGINT), table->partition_count);
    i = 0;
    for (entry = term->entries; entry != NULL && status == MR_OK; entry = entry->next, i++) {
        struct bind_name name = { table->columns[i].name, false };

        status = bind_term(b, entry->term, table->columns[i].type, &name, depth + 1, &e->args[i]);
    }
    *out = e;
    return status;
}

static enum mr_status bind_call(struct plan_build *b, const struct ast_term *term, const struct cql_type *receiver,
                                const struct bind_name *name, int depth, const struct expr **out)
{
    const struct expr_function *f;
    struct expr *e;
    struct bind_name arg_name = { MR_STR("arg0(system.function)"), name->in_select };
    const struct cql_type *arg = NULL;
    enum mr_status status = MR_OK;

    if (mr_str_equal(term->text, MR_STR("token")))
        return bind_token(b, term, depth, out);
    f = resolve(b, term, receiver, depth);
    if (f == NULL)
        return no_such_function(b, term, name->in_select);
    if (f->args[0] != 0)
        arg = cql_type_native(f->args[0]) != NULL ? cql_type_native(f->args[0])
                                                  : type_alone(b, term->entries->term, depth);
    e = expr_new(b, EXPR_CALL, result_of(b, f, arg), term->entry_count);
    e->function = f;
    if (f->args[0] != 0) {
        arg_name.text = mr_str_of(mr_arena_printf(b->plan->arena, "arg0(system.%.*s)", MR_STR_ARG(term->text)));
        status = bind_term(b, term->entries->term, arg, &arg_name, depth + 1, &e->args[0]);
    }
    *out = e;
    return status;
}

static enum mr_status bind_cast(struct plan_build *b, const struct ast_term *term, const struct bind_name *name,
                                int depth, const struct expr **out)
{
    const struct ast_term *inner = term->entries->term;
    const struct cql_type *to, *from = type_alone(b, inner, depth);
    enum mr_status status = schema_type_parse(term->type, b->plan->arena, &to, b->err);
    struct expr *e;

    if (status != MR_OK) {
        *b->code = CQL_ERR_INVALID;
        return status;
    }
    if (from == NULL && is_scalar(inner))
        from = inner->kind == AST_INTEGER && literal_fits(inner, cql_type_native(CQL_INT)) ? cql_type_native(CQL_INT)
               : inner->kind == AST_FLOAT                                                  ? cql_type_native(CQL_DOUBLE)
               : inner->kind == AST_STRING ? cql_type_native(CQL_VARCHAR)
                                           : NULL;
    if (from == NULL && inner->kind == AST_CALL)
        return bind_term(b, inner, to, name, depth + 1, out);
    if (from == NULL && inner->kind == AST_COLUMN)
        return bind_term(b, inner, to, name, depth + 1, out);
    if (from == NULL)
        return plan_fail(b, MR_INVALID,
                         "Cannot infer type for term %.*s in selection clause (try using a cast to force a type)",
                         MR_STR_ARG(text_of(b, inner)));
    if (!expr_can_cast(from, to))
        return plan_fail(
            b, MR_INVALID,
            "Invalid call to function system.cast_as_%.*s, none of its type signatures match: %.*s can't be "
            "cast to it",
            MR_STR_ARG(type_text(b, to)), MR_STR_ARG(type_text(b, from)));
    e = expr_new(b, EXPR_CAST, to, 1);
    status = bind_term(b, inner, from, name, depth + 1, &e->args[0]);
    *out = e;
    return status;
}

static enum mr_status bind_column(struct plan_build *b, const struct ast_term *term, const struct expr **out)
{
    struct expr *e;
    uint32_t index;
    enum mr_status status = plan_column_of(b, term->text, &index);

    if (status != MR_OK)
        return status;
    e = expr_new(b, EXPR_COLUMN, b->plan->table->columns[index].type, 0);
    e->index = index;
    *out = e;
    return MR_OK;
}

static enum mr_status bind_scalar(struct plan_build *b, const struct ast_term *term, const struct cql_type *type,
                                  const struct bind_name *name, const struct expr **out)
{
    struct expr *e = expr_new(b, EXPR_CONST, type, 0);
    enum mr_status status = literal_encode(term, type, name->text, b->plan->arena, &e->value, b->err);

    if (status != MR_OK)
        *b->code = CQL_ERR_INVALID;
    *out = e;
    return status;
}

static enum mr_status bind_marker(struct plan_build *b, const struct ast_term *term, const struct cql_type *type,
                                  const struct bind_name *name, const struct expr **out)
{
    struct cql_column *bind = &b->plan->binds[term->marker];
    struct expr *e = expr_new(b, EXPR_MARKER, type, 0);

    assert(term->marker < b->plan->bind_count);
    bind->name = term->marker_name.data != NULL ? term->marker_name : mr_arena_str(b->plan->arena, name->text);
    bind->type = type;
    if (b->plan->table != NULL) {
        bind->keyspace = b->plan->table->keyspace;
        bind->table = b->plan->table->name;
    }
    e->index = term->marker;
    *out = e;
    return MR_OK;
}

static enum mr_status check_result(struct plan_build *b, const struct ast_term *term, const struct cql_type *type,
                                   const struct bind_name *name)
{
    const struct cql_type *alone;
    struct mr_str of, is, text;

    if (name->in_select || fits(b, term, type, 0))
        return MR_OK;
    alone = type_alone(b, term, 0);
    if (alone == NULL)
        return MR_OK; /* binding says why */
    text = text_of(b, term);
    of = type_text(b, type);
    is = type_text(b, alone);
    if (term->kind != AST_CALL)
        return plan_fail(b, MR_INVALID, "Cannot assign value %.*s to %.*s of type %.*s", MR_STR_ARG(text),
                         MR_STR_ARG(name->text), MR_STR_ARG(of));
    return plan_fail(b, MR_INVALID,
                     "Type error: cannot assign result of function system.%.*s (type %.*s) to %.*s (type %.*s)",
                     MR_STR_ARG(term->text), MR_STR_ARG(is), MR_STR_ARG(name->text), MR_STR_ARG(of));
}

enum mr_status bind_term(struct plan_build *b, const struct ast_term *term, const struct cql_type *type,
                         const struct bind_name *name, int depth, const struct expr **out)
{
    enum mr_status status;

    if (depth > PLAN_EXPR_DEPTH_MAX)
        return plan_fail(b, MR_LIMIT, "a term may be nested %d deep", PLAN_EXPR_DEPTH_MAX);
    switch (term->kind) {
    case AST_MARKER:
        return bind_marker(b, term, type, name, out);
    case AST_LIST:
    case AST_SET:
    case AST_MAP:
    case AST_TUPLE:
        if (term->kind == AST_TUPLE && type->code != CQL_TUPLE && term->entry_count == 1) /* only parentheses */
            return bind_term(b, term->entries->term, type, name, depth + 1, out);
        return bind_parts(b, term, type, name, depth, out);
    case AST_CALL:
        status = check_result(b, term, type, name);
        return status == MR_OK ? bind_call(b, term, type, name, depth, out) : status;
    case AST_HINT:
        status = check_result(b, term, type, name);
        if (status == MR_OK && type_written(b, term->type) == NULL)
            return plan_fail(b, MR_INVALID, "Unknown type %.*s", MR_STR_ARG(term->type));
        return status == MR_OK ? bind_term(b, term->entries->term, type_written(b, term->type), name, depth + 1, out)
                               : status;
    case AST_CAST:
        status = check_result(b, term, type, name);
        return status == MR_OK ? bind_cast(b, term, name, depth, out) : status;
    case AST_COLUMN:
        return bind_column(b, term, out);
    case AST_INDEX:
    case AST_STAR:
        return plan_fail(b, MR_INVALID, "%.*s can't stand here", MR_STR_ARG(term->text));
    case AST_NULL:
    case AST_STRING:
    case AST_INTEGER:
    case AST_FLOAT:
    case AST_BOOLEAN:
    case AST_UUID:
    case AST_HEX:
    case AST_DURATION:
        break;
    }
    return bind_scalar(b, term, type, name, out);
}

const struct cql_type *bind_type_alone(struct plan_build *b, const struct ast_term *term)
{
    return type_alone(b, term, 0);
}

enum mr_status plan_source_of(struct plan_build *b, const struct ast_term *term, const struct cql_type *type,
                              struct mr_str name, struct plan_source *out)
{
    struct bind_name names = { name, false };
    const struct expr *e = NULL;
    enum mr_status status = bind_term(b, term, type, &names, 0, &e);

    if (status != MR_OK)
        return status;
    if (e->kind == EXPR_MARKER)
        *out = (struct plan_source){ .kind = PLAN_MARKER, .marker = e->index };
    else if (e->kind == EXPR_CONST)
        *out = (struct plan_source){ .kind = PLAN_CONST, .value = e->value };
    else
        *out = (struct plan_source){ .kind = PLAN_EXPR, .expr = e };
    return MR_OK;
}

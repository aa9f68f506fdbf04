/* type_text.c -- CQL's spelling of types: text, list<int>, frozen<map<text, set<int>>>, tuple<int, text>.
 *
 * A tuple, and all that is inside of something frozen, is frozen; a collection inside of a collection has to be. */
#include "tables/schema_int.h"

#include "base/text.h"

#include <string.h>

struct text_parse {
    struct mr_arena *arena;
    struct mr_err *err;
    struct mr_str rest;
    int depth;
};

static void skip_space(struct text_parse *p)
{
    while (p->rest.size > 0 && p->rest.data[0] == ' ')
        p->rest = (struct mr_str){ p->rest.data + 1, p->rest.size - 1 };
}

static bool take(struct text_parse *p, char c)
{
    skip_space(p);
    if (p->rest.size == 0 || p->rest.data[0] != c)
        return false;
    p->rest = (struct mr_str){ p->rest.data + 1, p->rest.size - 1 };
    skip_space(p);
    return true;
}

static struct mr_str take_name(struct text_parse *p)
{
    struct mr_str name;
    size_t n = 0;

    skip_space(p);
    while (n < p->rest.size && memchr("<>, ", p->rest.data[n], 4) == NULL)
        n++;
    name = (struct mr_str){ p->rest.data, n };
    p->rest = (struct mr_str){ p->rest.data + n, p->rest.size - n };
    return name;
}

static struct cql_type *type_new(struct mr_arena *arena, uint16_t code, uint16_t count)
{
    struct cql_type *type = MR_ARENA_NEW(arena, struct cql_type);

    type->code = code;
    type->item_count = count;
    type->items = MR_ARENA_ARRAY(arena, const struct cql_type *, (size_t)count + 1);
    return type;
}

const struct cql_type *schema_type_copy(const struct cql_type *type, struct mr_arena *arena)
{
    struct cql_type *copy;
    uint16_t i;

    if (type->item_count == 0 && cql_type_native(type->code) == type)
        return type;
    copy = type_new(arena, type->code, type->item_count);
    copy->is_frozen = type->is_frozen;
    for (i = 0; i < type->item_count; i++)
        ((const struct cql_type **)copy->items)[i] = schema_type_copy(type->items[i], arena);
    return copy;
}

const struct cql_type *schema_type_frozen(const struct cql_type *type, struct mr_arena *arena)
{
    struct cql_type *copy;
    uint16_t i;

    if (type->item_count == 0)
        return type;
    copy = type_new(arena, type->code, type->item_count);
    copy->is_frozen = true;
    for (i = 0; i < type->item_count; i++)
        ((const struct cql_type **)copy->items)[i] = schema_type_frozen(type->items[i], arena);
    return copy;
}

struct mr_str schema_type_name(const struct cql_type *type, struct mr_arena *arena)
{
    struct mr_writer w = { 0 };
    struct mr_str name;

    cql_type_write_name(&w, type);
    name = mr_arena_str(arena, mr_str_of_bytes(mr_writer_bytes(&w)));
    mr_writer_deinit(&w);
    return name;
}

/* May ITEM be in TYPE (a list, set or map)? */
static enum mr_status check_item(struct text_parse *p, const struct cql_type *type, const struct cql_type *item,
                                 bool is_key)
{
    struct mr_str name = schema_type_name(type, p->arena);

    if (item->code == CQL_COUNTER)
        return mr_err_set(p->err, MR_INVALID, "Counters are not allowed inside collections: %.*s", MR_STR_ARG(name));
    if (is_key && item->code == CQL_DURATION)
        return mr_err_set(p->err, MR_INVALID, "Durations are not allowed %s: %.*s",
                          type->code == CQL_SET ? "inside sets" : "as map keys", MR_STR_ARG(name));
    if (schema_is_multicell(item))
        return mr_err_set(p->err, MR_INVALID, "Non-frozen collections are not allowed inside collections: %.*s",
                          MR_STR_ARG(name));
    return MR_OK;
}

static enum mr_status parse_one(struct text_parse *p, bool frozen, const struct cql_type **out);

/* What follows the name of a parameterised type. */
static enum mr_status parse_items(struct text_parse *p, uint16_t code, bool frozen, struct cql_type **out)
{
    const struct cql_type *items[CQL_TYPE_DEPTH_MAX * 4];
    struct cql_type *type;
    uint16_t count = 0, i;
    enum mr_status status;

    do {
        if (count == MR_COUNT(items))
            return mr_err_set(p->err, MR_INVALID, "a tuple may have at most %zu components", MR_COUNT(items));
        status = parse_one(p, frozen || code == CQL_TUPLE, &items[count++]);
        if (status != MR_OK)
            return status;
    } while (take(p, ','));
    if (!take(p, '>') || (code != CQL_TUPLE && count != (code == CQL_MAP ? 2 : 1)))
        return mr_err_set(p->err, MR_INVALID, "a type has the wrong number of parameters");
    type = type_new(p->arena, code, count);
    memcpy((void *)type->items, items, count * sizeof(*items));
    type->is_frozen = frozen || code == CQL_TUPLE;
    for (i = 0; i < count && code != CQL_TUPLE && status == MR_OK; i++)
        status = check_item(p, type, items[i], code == CQL_SET || (code == CQL_MAP && i == 0));
    *out = type;
    return status;
}

static enum mr_status parse_frozen(struct text_parse *p, const struct cql_type **out)
{
    enum mr_status status = parse_one(p, true, out);

    if (status == MR_OK && !take(p, '>'))
        return mr_err_set(p->err, MR_INVALID, "frozen<> takes one type");
    if (status == MR_OK && (*out)->item_count == 0) {
        struct mr_str name = schema_type_name(*out, p->arena);

        return mr_err_set(p->err, MR_INVALID,
                          "frozen<> is only allowed on collections, tuples, and user-defined types (got %.*s)",
                          MR_STR_ARG(name));
    }
    return status;
}

static enum mr_status parse_one(struct text_parse *p, bool frozen, const struct cql_type **out)
{
    static const struct {
        const char *name;
        uint16_t code;
    } generics[] = { { "list", CQL_LIST }, { "set", CQL_SET }, { "map", CQL_MAP }, { "tuple", CQL_TUPLE } };
    struct mr_str name = take_name(p);
    struct cql_type *type = NULL;
    enum mr_status status;
    size_t i;

    if (++p->depth > CQL_TYPE_DEPTH_MAX)
        return mr_err_set(p->err, MR_INVALID, "types may be nested %d deep", CQL_TYPE_DEPTH_MAX);
    if (!take(p, '<')) {
        p->depth--;
        *out = cql_type_named(name);
        if (*out != NULL)
            return MR_OK;
        return name.size > 0 && name.data[0] == '\''
                   ? mr_err_set(p->err, MR_UNSUPPORTED, "custom types (%.*s) are not there in this version",
                                MR_STR_ARG(name))
                   : mr_err_set(p->err, MR_INVALID, "Unknown type %.*s", MR_STR_ARG(name));
    }
    if (mr_str_equal_nocase(name, MR_STR("frozen"))) {
        status = parse_frozen(p, out);
        p->depth--;
        return status;
    }
    for (i = 0; i < MR_COUNT(generics) && !mr_str_equal_nocase(name, mr_str_of(generics[i].name)); i++)
        ;
    if (i == MR_COUNT(generics))
        return mr_str_equal_nocase(name, MR_STR("vector"))
                   ? mr_err_set(p->err, MR_UNSUPPORTED, "vectors are not there in this version")
                   : mr_err_set(p->err, MR_INVALID, "Unknown type %.*s", MR_STR_ARG(name));
    status = parse_items(p, generics[i].code, frozen, &type);
    p->depth--;
    *out = type;
    return status;
}

enum mr_status schema_type_parse(struct mr_str text, struct mr_arena *arena, const struct cql_type **out,
                                 struct mr_err *err)
{
    struct text_parse p = { .arena = arena, .err = err, .rest = text };
    enum mr_status status = parse_one(&p, false, out);

    if (status == MR_OK && p.rest.size > 0)
        return mr_err_set(err, MR_INVALID, "Unknown type %.*s", MR_STR_ARG(text));
    return status;
}

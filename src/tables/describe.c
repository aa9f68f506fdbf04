/* describe.c -- DESCRIBE: cqlsh leaves it all to the server and prints what comes.
 *
 *   DESCRIBE [FULL] SCHEMA | CLUSTER | KEYSPACES | TABLES | TYPES | FUNCTIONS | AGGREGATES
 *   DESCRIBE [ONLY] KEYSPACE [k]
 *   DESCRIBE TABLE | TYPE | INDEX | MATERIALIZED VIEW | FUNCTION | AGGREGATE [k.]name
 *   DESCRIBE k | [k.]name          and after any of them:  WITH INTERNALS
 *
 * The grammar gives the words as they are.  The answer is a list of things, made anew for each page; the paging state
 * is u8 1 | the schema's version | u32 how many things were sent. */
#include "tables/describe_int.h"
#include "tables/server_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { STATE_VERSION = 1, STATE_BYTES = 1 + 16 + 4 };

enum target_kind {
    TARGET_SCHEMA,
    TARGET_CLUSTER,
    TARGET_KEYSPACES,
    TARGET_TABLES,
    TARGET_NONE, /* lists of what is not there: types, functions, aggregates */
    TARGET_KEYSPACE,
    TARGET_TABLE,
    TARGET_MISSING, /* one of what is not there */
    TARGET_ANY,
};

/* What is asked for. */
struct target {
    enum target_kind kind;
    const char *missing; /* MISSING: the answer's words */
    bool is_full;
    bool is_only;
    bool with_internals;
    struct mr_str keyspace; /* null: not written */
    struct mr_str name;
};

/* One row of the answer. */
struct thing {
    const struct schema_keyspace *keyspace;
    const struct schema_table *table; /* NULL: the keyspace itself */
};

struct describe {
    struct frame *frame;
    struct target target;
    struct mr_arena *arena;
    struct thing *things;
    uint32_t count;
    uint32_t capacity;
};

/* ---- words ---- */

static bool word_is(const struct ast_node *node, const char *word)
{
    return node != NULL && node->kind == AST_NODE_OTHER && mr_str_equal(node->name, mr_str_of(word));
}

static bool word_take(const struct ast_node **at, const char *word)
{
    bool is = word_is(*at, word);

    if (is)
        *at = (*at)->next;
    return is;
}

/* [k.]name; a word alone is left in target->name. */
static bool name_take(const struct ast_node **at, struct target *target)
{
    const struct ast_node *node = *at;

    if (node == NULL || node->kind == AST_NODE_TOKEN)
        return false;
    target->name = node->name;
    *at = node->next;
    if (node->next == NULL || node->next->kind != AST_NODE_TOKEN)
        return true;
    node = node->next->next;
    if (node == NULL || node->kind == AST_NODE_TOKEN)
        return false;
    target->keyspace = target->name;
    target->name = node->name;
    *at = node->next;
    return true;
}

static const struct {
    const char *word;
    enum target_kind kind;
    bool has_name;
    const char *missing;
} words[] = {
    { "cluster", TARGET_CLUSTER, false, NULL },
    { "schema", TARGET_SCHEMA, false, NULL },
    { "keyspaces", TARGET_KEYSPACES, false, NULL },
    { "tables", TARGET_TABLES, false, NULL },
    { "types", TARGET_NONE, false, NULL },
    { "functions", TARGET_NONE, false, NULL },
    { "aggregates", TARGET_NONE, false, NULL },
    { "table", TARGET_TABLE, true, NULL },
    { "columnfamily", TARGET_TABLE, true, NULL },
    { "type", TARGET_MISSING, true, "User defined type" },
    { "function", TARGET_MISSING, true, "User defined function" },
    { "aggregate", TARGET_MISSING, true, "User defined aggregate" },
    { "view", TARGET_MISSING, true, "Materialized view" },
    { "index", TARGET_MISSING, true, "Table for existing index" },
};

/* False: these are no words of DESCRIBE. */
static bool target_read(struct target *out, const struct ast_node *at)
{
    bool is_whole = false, is_good = true;
    size_t i = MR_COUNT(words);

    *out = (struct target){ .kind = TARGET_ANY, .keyspace = MR_STR_NULL, .name = MR_STR_NULL };
    out->is_full = word_is(at, "full") && word_is(at->next, "schema") && word_take(&at, "full");
    out->is_only = word_is(at, "only") && word_is(at->next, "keyspace") && word_take(&at, "only");
    if (word_is(at, "materialized") && word_is(at->next, "view"))
        at = at->next;
    if (word_take(&at, "keyspace")) {
        out->kind = TARGET_KEYSPACE;
        is_whole = at == NULL || word_is(at, "with");
    } else {
        for (i = 0; i < MR_COUNT(words) && !word_is(at, words[i].word); i++)
            ;
    }
    if (i < MR_COUNT(words)) {
        at = at->next;
        out->kind = words[i].kind;
        out->missing = words[i].missing;
        is_whole = !words[i].has_name;
    }
    if (!is_whole)
        is_good = name_take(&at, out) && (out->kind != TARGET_KEYSPACE || out->keyspace.data == NULL);
    if (is_good && word_is(at, "with") && word_is(at->next, "internals")) {
        out->with_internals = true;
        at = at->next->next;
    }
    return is_good && at == NULL;
}

/* ---- the list ---- */

static void add(struct describe *d, const struct schema_keyspace *keyspace, const struct schema_table *table)
{
    if (d->count >= d->capacity) {
        uint32_t capacity = d->capacity > 0 ? d->capacity * 2 : 64;
        struct thing *grown = mr_arena_alloc(d->arena, capacity * sizeof(*grown));

        if (d->count > 0)
            memcpy(grown, d->things, d->count * sizeof(*grown));
        d->things = grown;
        d->capacity = capacity;
    }
    d->things[d->count++] = (struct thing){ keyspace, table };
}

/* As Cassandra sorts names, case aside. */
static int compare_things(const void *a, const void *b)
{
    const struct thing *x = a, *y = b;
    struct mr_str p = x->table != NULL ? x->table->name : x->keyspace->name;
    struct mr_str q = y->table != NULL ? y->table->name : y->keyspace->name;
    int order = strncasecmp(p.data, q.data, p.size < q.size ? p.size : q.size);

    return order != 0 ? order : p.size < q.size ? -1 : p.size > q.size;
}

static void add_tables(struct describe *d, const struct schema_keyspace *keyspace)
{
    uint32_t i, from = d->count;

    for (i = 0; i < keyspace->table_count; i++)
        add(d, keyspace, keyspace->tables[i]);
    if (d->count > from)
        qsort(&d->things[from], d->count - from, sizeof(*d->things), compare_things);
}

static void add_keyspace(struct describe *d, const struct schema_keyspace *keyspace)
{
    add(d, keyspace, NULL);
    if (!d->target.is_only)
        add_tables(d, keyspace);
}

typedef void each_keyspace_fn(struct describe *d, const struct schema_keyspace *keyspace);

static void add_alone(struct describe *d, const struct schema_keyspace *keyspace)
{
    add(d, keyspace, NULL);
}

static void each_keyspace(struct describe *d, bool with_system, each_keyspace_fn *each)
{
    const struct schema *schema = d->frame->conn->tables->schema;
    struct thing *all = mr_arena_alloc(d->arena, (schema->keyspace_count + 1) * sizeof(*all));
    uint32_t i;

    for (i = 0; i < schema->keyspace_count; i++)
        all[i] = (struct thing){ schema->keyspaces[i], NULL };
    qsort(all, schema->keyspace_count, sizeof(*all), compare_things);
    for (i = 0; i < schema->keyspace_count; i++) {
        if (with_system || !all[i].keyspace->is_system)
            each(d, all[i].keyspace);
    }
}

/* ---- what one name means ---- */

static bool refuse(struct describe *d, const char *format, ...) MR_PRINTF(2, 3);

/* Answers with an error; false. */
static bool refuse(struct describe *d, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    answer_fail(d->frame->conn, d->frame->header.version, d->frame->header.stream, CQL_ERR_INVALID, "%s", text);
    return false;
}

/* The keyspace that is written, else the one in use; NULL: an error was answered. */
static const struct schema_keyspace *keyspace_of(struct describe *d, struct mr_str written)
{
    struct mr_str name = written.data != NULL ? written : d->frame->keyspace;
    const struct schema_keyspace *keyspace;

    if (name.data == NULL) {
        refuse(d, "No keyspace specified and no current keyspace");
        return NULL;
    }
    keyspace = schema_keyspace_find(d->frame->conn->tables->schema, name);
    if (keyspace == NULL)
        refuse(d, "'%.*s' not found in keyspaces", MR_STR_ARG(name));
    return keyspace;
}

static bool find_table(struct describe *d)
{
    const struct schema_keyspace *keyspace = keyspace_of(d, d->target.keyspace);
    const struct schema_table *table;

    if (keyspace == NULL)
        return false;
    if (d->target.kind == TARGET_MISSING)
        return refuse(d, "%s '%.*s' not found in '%.*s'", d->target.missing, MR_STR_ARG(d->target.name),
                      MR_STR_ARG(keyspace->name));
    table = schema_table_find(keyspace, d->target.name);
    if (table == NULL)
        return refuse(d,
                      d->target.kind == TARGET_ANY ? "'%.*s' not found in keyspace '%.*s'"
                                                   : "Table '%.*s' not found in keyspace '%.*s'",
                      MR_STR_ARG(d->target.name), MR_STR_ARG(keyspace->name));
    add(d, keyspace, table);
    return true;
}

/* A keyspace of that name, else something in the keyspace in use. */
static bool find_any(struct describe *d)
{
    const struct schema_keyspace *keyspace = NULL;

    if (d->target.keyspace.data == NULL) {
        keyspace = schema_keyspace_find(d->frame->conn->tables->schema, d->target.name);
        if (keyspace == NULL && d->frame->keyspace.data == NULL)
            return refuse(d, "'%.*s' not found in keyspaces", MR_STR_ARG(d->target.name));
    }
    if (keyspace == NULL)
        return find_table(d);
    add_keyspace(d, keyspace);
    return true;
}

/* Fills the list; false: an error was answered. */
static bool find_things(struct describe *d)
{
    const struct schema_keyspace *keyspace;

    switch (d->target.kind) {
    case TARGET_SCHEMA:
        each_keyspace(d, d->target.is_full, add_keyspace);
        return true;
    case TARGET_KEYSPACES:
        each_keyspace(d, true, add_alone);
        return true;
    case TARGET_TABLES:
        keyspace = d->frame->keyspace.data != NULL ? keyspace_of(d, MR_STR_NULL) : NULL;
        if (keyspace != NULL)
            add_tables(d, keyspace);
        else if (d->frame->keyspace.data == NULL)
            each_keyspace(d, true, add_tables);
        return keyspace != NULL || d->frame->keyspace.data == NULL;
    case TARGET_KEYSPACE:
        keyspace = keyspace_of(d, d->target.name);
        if (keyspace != NULL)
            add_keyspace(d, keyspace);
        return keyspace != NULL;
    case TARGET_TABLE:
    case TARGET_MISSING:
        return find_table(d);
    case TARGET_ANY:
        return find_any(d);
    case TARGET_CLUSTER:
    case TARGET_NONE:
        break;
    }
    return true;
}

/* ---- answers ---- */

static void write_name(struct mr_writer *w, struct mr_str name)
{
    size_t position = w->size;

    mr_write_i32(w, 0);
    cql_name_write(w, name);
    mr_write_i32_at(w, position, (int32_t)(w->size - position - 4));
}

static void write_thing(struct mr_writer *w, const struct describe *d, const struct thing *thing, bool with_statement)
{
    size_t position;

    write_name(w, thing->keyspace->name);
    cql_write_long_string(w, thing->table != NULL ? MR_STR("table") : MR_STR("keyspace"));
    write_name(w, thing->table != NULL ? thing->table->name : thing->keyspace->name);
    if (!with_statement)
        return;
    position = w->size;
    mr_write_i32(w, 0);
    if (thing->table != NULL)
        describe_table_write(w, thing->table, thing->keyspace->is_virtual, d->target.with_internals);
    else
        describe_keyspace_write(w, thing->keyspace);
    mr_write_i32_at(w, position, (int32_t)(w->size - position - 4));
}

/* Where the page begins; false: an error was answered. */
static bool page_begin(struct describe *d, const struct cql_params *params, uint32_t *first)
{
    struct mr_bytes state = params->paging_state;
    const struct schema *schema = d->frame->conn->tables->schema;

    *first = 0;
    if (!(params->flags & CQL_PARAM_PAGING_STATE) || state.size == 0)
        return true;
    if (state.size != STATE_BYTES || state.data[0] != STATE_VERSION) {
        answer_fail(d->frame->conn, d->frame->header.version, d->frame->header.stream, CQL_ERR_PROTOCOL,
                    "Invalid value for the paging state");
        return false;
    }
    if (memcmp(state.data + 1, schema->version, 16) != 0)
        return refuse(d, "The schema has changed since the previous page of the DESCRIBE statement result. Please "
                         "retry the DESCRIBE statement.");
    *first = (uint32_t)mr_load_i32(state.data + 17);
    if (*first > d->count)
        *first = d->count;
    return true;
}

static void answer_things(struct describe *d, const struct cql_params *params)
{
    static const char *const names[] = { "keyspace_name", "type", "name", "create_statement" };
    struct tables *tables = d->frame->conn->tables;
    enum target_kind kind = d->target.kind;
    bool with_statement = kind != TARGET_KEYSPACES && kind != TARGET_TABLES && kind != TARGET_NONE;
    struct cql_column columns[MR_COUNT(names)];
    struct cql_metadata metadata = { .columns = columns, .column_count = with_statement ? 4 : 3 };
    struct mr_writer state = { 0 };
    uint32_t i, first, last;
    size_t position, count_at;

    if (!page_begin(d, params, &first))
        return;
    last = d->count;
    if (params->flags & CQL_PARAM_PAGE_SIZE && params->page_size > 0 && (uint32_t)params->page_size < last - first) {
        last = first + (uint32_t)params->page_size;
        mr_write_u8(&state, STATE_VERSION);
        mr_write_bytes(&state, (struct mr_bytes){ tables->schema->version, 16 });
        mr_write_u32(&state, last);
        metadata.flags = CQL_META_MORE_PAGES;
        metadata.paging_state = mr_writer_bytes(&state);
    }
    for (i = 0; i < MR_COUNT(names); i++)
        columns[i] = (struct cql_column){ MR_STR("system"), MR_STR("describe"), mr_str_of(names[i]),
                                          cql_type_native(CQL_VARCHAR) };
    position = answer_begin(tables, d->frame->header.version, d->frame->header.stream, CQL_OP_RESULT);
    count_at = cql_result_begin_rows(&tables->answer, &metadata);
    for (i = first; i < last; i++)
        write_thing(&tables->answer, d, &d->things[i], with_statement);
    mr_write_i32_at(&tables->answer, count_at, (int32_t)(last - first));
    answer_end(d->frame->conn, position);
    mr_writer_deinit(&state);
}

/* One row; with a keyspace in use also which node has which tokens, and there is one. */
static void answer_cluster(struct describe *d)
{
    const struct cql_type *const owners[2] = { cql_type_native(CQL_VARCHAR), &cql_type_list_text };
    struct cql_type ownership = { .code = CQL_MAP, .item_count = 2, .items = owners };
    const struct cql_type *text = cql_type_native(CQL_VARCHAR);
    struct conn *conn = d->frame->conn;
    struct mr_str keyspace = MR_STR("system"), table = MR_STR("describe");
    struct cql_column columns[] = { { keyspace, table, MR_STR("cluster"), text },
                                    { keyspace, table, MR_STR("partitioner"), text },
                                    { keyspace, table, MR_STR("snitch"), text },
                                    { keyspace, table, MR_STR("range_ownership"), &ownership } };
    bool is_in_use = d->frame->keyspace.data != NULL;
    struct cql_metadata metadata = { .columns = columns, .column_count = is_in_use ? 4 : 3 };
    struct mr_writer *w = &conn->tables->answer;
    size_t position = answer_begin(conn->tables, d->frame->header.version, d->frame->header.stream, CQL_OP_RESULT), at;

    at = cql_result_begin_rows(w, &metadata);
    cql_write_long_string(w, MR_STR(SYSTEM_CLUSTER));
    cql_write_long_string(w, MR_STR("Murmur3Partitioner"));
    cql_write_long_string(w, MR_STR("SimpleSnitch"));
    if (is_in_use) {
        struct mr_str node = mr_str_of(mr_arena_printf(d->arena, "/%s", net_conn_local_text(conn->net)));
        struct mr_str token = MR_STR(SYSTEM_TOKEN);

        mr_write_i32(w, (int32_t)(4 + 4 + token.size + 4 + 4 + 4 + node.size));
        mr_write_i32(w, 1);
        cql_write_long_string(w, token);
        mr_write_i32(w, (int32_t)(4 + 4 + node.size));
        mr_write_i32(w, 1);
        cql_write_long_string(w, node);
    }
    mr_write_i32_at(w, at, 1);
    answer_end(conn, position);
}

void run_describe(struct frame *frame, const struct plan *plan, const struct cql_params *params)
{
    struct describe d = { .frame = frame, .arena = frame->conn->tables->arena };

    if (!target_read(&d.target, plan->statement->columns.head))
        answer_fail(frame->conn, frame->header.version, frame->header.stream, CQL_ERR_SYNTAX,
                    "DESCRIBE knows SCHEMA, CLUSTER, KEYSPACES, KEYSPACE, TABLES, TABLE, TYPES, TYPE, INDEX, "
                    "MATERIALIZED VIEW, FUNCTIONS, FUNCTION, AGGREGATES, AGGREGATE and a name");
    else if (d.target.kind == TARGET_CLUSTER)
        answer_cluster(&d);
    else if (find_things(&d))
        answer_things(&d, params);
}

/* options.c -- WITH options of tables and keyspaces.  They are kept and told back as Cassandra does; of them only
 * default_time_to_live changes what is done. */
#include "tables/schema_int.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

const struct schema_option schema_options[SCHEMA_OPTIONS] = {
    { "additional_write_policy", CQL_VARCHAR, "99p" },
    { "allow_auto_snapshot", CQL_BOOLEAN, NULL },
    { "bloom_filter_fp_chance", CQL_DOUBLE, "0.01" },
    { "caching", CQL_MAP, "keys=ALL,rows_per_partition=NONE" },
    { "cdc", CQL_BOOLEAN, NULL },
    { "comment", CQL_VARCHAR, "" },
    { "compaction", CQL_MAP,
      "class=org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy,max_threshold=32,min_threshold=4" },
    { "compression", CQL_MAP, "chunk_length_in_kb=16,class=org.apache.cassandra.io.compress.LZ4Compressor" },
    { "crc_check_chance", CQL_DOUBLE, "1.0" },
    { "default_time_to_live", CQL_INT, "0" },
    { "extensions", CQL_MAP, "" },
    { "gc_grace_seconds", CQL_INT, "864000" },
    { "incremental_backups", CQL_BOOLEAN, NULL },
    { "max_index_interval", CQL_INT, "2048" },
    { "memtable", CQL_VARCHAR, NULL },
    { "memtable_flush_period_in_ms", CQL_INT, "0" },
    { "min_index_interval", CQL_INT, "128" },
    { "read_repair", CQL_VARCHAR, "BLOCKING" },
    { "speculative_retry", CQL_VARCHAR, "99p" },
};

int schema_option_find(struct mr_str name)
{
    int i;

    for (i = 0; i < SCHEMA_OPTIONS; i++) {
        if (mr_str_equal(name, mr_str_of(schema_options[i].name)))
            return i;
    }
    return -1;
}

static void write_text_value(struct mr_writer *w, struct mr_str text)
{
    mr_write_i32(w, (int32_t)text.size);
    mr_write_str(w, text);
}

/* Appends k=v,k=v as an encoded map. */
static void write_map_text(struct mr_writer *w, const char *text)
{
    size_t position = w->size;
    int32_t count = 0;

    mr_write_i32(w, 0);
    while (*text != 0) {
        size_t key_size = strcspn(text, "="), value_size = strcspn(text + key_size + 1, ",");

        write_text_value(w, (struct mr_str){ text, key_size });
        write_text_value(w, (struct mr_str){ text + key_size + 1, value_size });
        count++;
        text += key_size + 1 + value_size;
        text += *text == ',';
    }
    mr_write_i32_at(w, position, count);
}

enum mr_status schema_map_encode(const struct ast_term *term, const char *class_prefix, struct mr_arena *arena,
                                 struct mr_bytes *out, struct mr_err *err)
{
    struct mr_writer w = { 0 };
    const struct ast_node *entry;
    int32_t count = 0;

    mr_write_i32(&w, 0);
    for (entry = term->entries; entry != NULL; entry = entry->next) {
        if (entry->term->kind != AST_STRING || entry->value->kind == AST_NULL || entry->value->kind > AST_DURATION) {
            mr_writer_deinit(&w);
            return mr_err_set(err, MR_INVALID, "Invalid property map: keys are strings, values strings or numbers");
        }
        write_text_value(&w, entry->term->text);
        if (mr_str_equal(entry->term->text, MR_STR("class")) && entry->value->text.size > 0 &&
            memchr(entry->value->text.data, '.', entry->value->text.size) == NULL)
            write_text_value(&w,
                             mr_str_of(mr_arena_printf(arena, "%s%.*s", class_prefix, MR_STR_ARG(entry->value->text))));
        else
            write_text_value(&w, entry->value->text);
        count++;
    }
    mr_write_i32_at(&w, 0, count);
    *out = mr_arena_bytes(arena, mr_writer_bytes(&w));
    mr_writer_deinit(&w);
    return MR_OK;
}

/* What a map option has when only a part of it is written. */
static const struct {
    const char *option;
    const char *key;
    const char *value;
} map_defaults[] = {
    { "caching", "keys", "ALL" },
    { "caching", "rows_per_partition", "NONE" },
    { "compaction", "max_threshold", "32" },
    { "compaction", "min_threshold", "4" },
    { "compression", "chunk_length_in_kb", "16" },
};

struct map_pair {
    struct mr_str key;
    struct mr_str value;
};

static int compare_pairs(const void *a, const void *b)
{
    const struct map_pair *x = a, *y = b;

    return mr_bytes_compare(mr_bytes_of_str(x->key), mr_bytes_of_str(y->key));
}

/* The map of OPTION as Cassandra keeps it: with the defaults of what is not there, by key. */
static struct mr_bytes map_complete(struct mr_bytes map, const char *option, struct mr_arena *arena)
{
    struct mr_reader r = mr_reader_of(map);
    uint32_t count = mr_read_u32(&r), i;
    struct map_pair *pairs = mr_arena_alloc(arena, (count + MR_COUNT(map_defaults)) * sizeof(*pairs));
    struct mr_writer w = { 0 };
    struct mr_bytes out;

    for (i = 0; i < count; i++) {
        pairs[i].key = cql_read_long_string(&r);
        pairs[i].value = cql_read_long_string(&r);
    }
    for (i = 0; i < MR_COUNT(map_defaults) && schema_map_get(map, MR_STR("enabled")).data == NULL; i++) {
        if (strcmp(option, map_defaults[i].option) != 0 ||
            schema_map_get(map, mr_str_of(map_defaults[i].key)).data != NULL)
            continue;
        pairs[count++] = (struct map_pair){ mr_str_of(map_defaults[i].key), mr_str_of(map_defaults[i].value) };
    }
    qsort(pairs, count, sizeof(*pairs), compare_pairs);
    mr_write_u32(&w, count);
    for (i = 0; i < count; i++) {
        write_text_value(&w, pairs[i].key);
        write_text_value(&w, pairs[i].value);
    }
    out = mr_arena_bytes(arena, mr_writer_bytes(&w));
    mr_writer_deinit(&w);
    return out;
}

struct mr_str schema_map_get(struct mr_bytes map, struct mr_str key)
{
    struct mr_reader r = mr_reader_of(map);
    int32_t left = mr_read_i32(&r);

    for (; left > 0 && !r.failed; left--) {
        struct mr_str k = cql_read_long_string(&r), v = cql_read_long_string(&r);

        if (!r.failed && mr_str_equal(k, key))
            return v;
    }
    return MR_STR_NULL;
}

static enum mr_status encode_number(const struct schema_option *option, const struct ast_term *term,
                                    struct mr_writer *w, struct mr_err *err)
{
    int64_t integer;
    double number;

    if (option->type == CQL_INT) {
        if (term->kind == AST_INTEGER && mr_parse_i64(term->text, &integer) == MR_OK && integer >= 0 &&
            integer <= INT32_MAX) {
            mr_write_i32(w, (int32_t)integer);
            return MR_OK;
        }
        return mr_err_set(err, MR_INVALID, "Invalid integer value %.*s for '%s'", MR_STR_ARG(term->text), option->name);
    }
    if ((term->kind == AST_INTEGER || term->kind == AST_FLOAT) && mr_parse_f64(term->text, &number) == MR_OK) {
        mr_write_f64(w, number);
        return MR_OK;
    }
    return mr_err_set(err, MR_INVALID, "Invalid double value %.*s for '%s'", MR_STR_ARG(term->text), option->name);
}

/* Policies have one spelling, however they were written: NEVER, ALWAYS, 99p, 50ms. */
static void write_text_option(struct mr_writer *w, const char *name, struct mr_str text)
{
    static const char percentile[] = "percentile";
    bool is_policy = strcmp(name, "speculative_retry") == 0 || strcmp(name, "additional_write_policy") == 0;
    size_t digits = 0;

    while (digits < text.size && ((text.data[digits] >= '0' && text.data[digits] <= '9') || text.data[digits] == '.'))
        digits++;
    if (is_policy && (mr_str_equal_nocase(text, MR_STR("none")) || mr_str_equal_nocase(text, MR_STR("never"))))
        mr_write_str(w, MR_STR("NEVER"));
    else if (is_policy && mr_str_equal_nocase(text, MR_STR("always")))
        mr_write_str(w, MR_STR("ALWAYS"));
    else if (is_policy && digits > 0 &&
             mr_str_equal_nocase((struct mr_str){ text.data + digits, text.size - digits }, mr_str_of(percentile)))
        mr_write_text(w, "%.*sp", (int)digits, text.data);
    else
        mr_write_str(w, text);
}

enum mr_status schema_option_encode(uint32_t index, const struct ast_term *term, struct mr_arena *arena,
                                    struct mr_bytes *out, struct mr_err *err)
{
    const struct schema_option *option = &schema_options[index];
    struct mr_writer w = { 0 };
    enum mr_status status = MR_OK;

    if (term->text.size > SCHEMA_OPTION_BYTES_MAX)
        return mr_err_set(err, MR_INVALID, "The value of '%s' is too long", option->name);
    if ((option->type == CQL_MAP) != (term->kind == AST_MAP))
        return mr_err_set(err, MR_INVALID, "Invalid value for property '%s'. It should be a %s", option->name,
                          option->type == CQL_MAP ? "map" : "simple value");
    if (option->type == CQL_MAP) {
        status = schema_map_encode(term,
                                   strcmp(option->name, "compaction") == 0 ? "org.apache.cassandra.db.compaction."
                                                                           : "org.apache.cassandra.io.compress.",
                                   arena, out, err);
        if (status == MR_OK)
            *out = map_complete(*out, option->name, arena);
        return status;
    }
    if (option->type == CQL_BOOLEAN)
        mr_write_u8(&w, mr_str_equal_nocase(term->text, MR_STR("true")));
    else if (option->type == CQL_VARCHAR)
        write_text_option(&w, option->name, term->text);
    else
        status = encode_number(option, term, &w, err);
    if (status == MR_OK)
        *out = mr_arena_bytes(arena, w.size > 0 ? mr_writer_bytes(&w) : (struct mr_bytes){ (const uint8_t *)"", 0 });
    mr_writer_deinit(&w);
    return status;
}

void schema_option_write(struct mr_writer *w, const struct schema_table *table, uint32_t index)
{
    const struct schema_option *option = &schema_options[index];
    struct mr_bytes set = table->options[index];
    size_t position = w->size;
    int64_t integer = 0;
    double number = 0;

    if (set.data != NULL || option->default_text == NULL) {
        cql_write_bytes(w, set);
        return;
    }
    mr_write_i32(w, 0);
    if (option->type == CQL_MAP) {
        write_map_text(w, option->default_text);
    } else if (option->type == CQL_VARCHAR) {
        mr_write_str(w, mr_str_of(option->default_text));
    } else if (option->type == CQL_INT) {
        if (mr_parse_i64(mr_str_of(option->default_text), &integer) == MR_OK)
            mr_write_i32(w, (int32_t)integer);
    } else if (mr_parse_f64(mr_str_of(option->default_text), &number) == MR_OK) {
        mr_write_f64(w, number);
    }
    mr_write_i32_at(w, position, (int32_t)(w->size - position - 4));
}

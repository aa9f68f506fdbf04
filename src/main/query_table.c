/* query_table.c -- see query_table.h. */
#include "main/query_table.h"
#include "main/list_output.h"

static bool any_text(const json_t *list, const char *key)
{
    const json_t *row;
    size_t i;

    json_array_foreach(list, i, row)
    {
        if (json_string_length(json_object_get(row, key)) > 0)
            return true;
    }
    return false;
}

/* Unknown counts are -1 there and "-" here. */
static json_t *row_for_people(const json_t *query)
{
    json_t *row = json_copy((json_t *)query);
    const json_t *value;
    const char *key;

    json_object_foreach((json_t *)query, key, value)
    {
        if (json_is_integer(value) && json_integer_value(value) < 0)
            json_object_set_new(row, key, json_null());
    }
    return row;
}

size_t query_table_print(const json_t *list, bool json)
{
    static const struct list_column columns[] = {
        { "name", "query", false },       { "state", NULL, false }, { "rows_in", "rows in", true },
        { "rows_out", "rows out", true }, { "lag", NULL, true },    { "dead_letters", "dead letters", true },
        { "error", "last error", false }, /* only when there is one */
    };
    size_t count = MR_COUNT(columns) - (any_text(list, "error") ? 0 : 1);
    struct list_output *output = list_output_new(columns, count, json, stdout);
    const json_t *query;
    size_t i;

    json_array_foreach(list, i, query)
        list_output_add(output, json ? json_incref((json_t *)query) : row_for_people(query));
    return list_output_finish(output);
}

/* json_split.c -- the records in an API's answer: a JSON pointer (RFC 6901) to an array, its elements as they stand.
 *
 * Two passes over the list of tokens: one checks the whole document, one goes down the pointer.  The last duplicate of
 * a field wins, as everywhere. */
#include "data/json_int.h"

#include <string.h>

enum split_limits {
    STEPS_MAX = 64,
    SHOWN_NAMES = 8, /* of an object's fields in a message */
};

/* The next step of the pointer, unescaped in place into STEP; false at its end. */
static bool step_next(struct mr_str *pointer, struct mr_writer *step)
{
    size_t i = 1;

    step->size = 0;
    if (pointer->size == 0)
        return false;
    for (; i < pointer->size && pointer->data[i] != '/'; i++) {
        char c = pointer->data[i];
        if (c == '~' && i + 1 < pointer->size && (pointer->data[i + 1] == '0' || pointer->data[i + 1] == '1'))
            c = pointer->data[++i] == '0' ? '~' : '/';
        mr_write_u8(step, (uint8_t)c);
    }
    pointer->data += i;
    pointer->size -= i;
    return true;
}

/* Does the string at the next token (taken) read as NAME? */
static bool key_is(struct json_walk *w, const struct mr_writer *name)
{
    char *text = mr_alloc(json_string_room(w) + 8);
    size_t size = 0;
    bool same = json_string_copy(w, text, &size, NULL) == MR_OK && size == name->size &&
                (size == 0 || memcmp(text, name->data, size) == 0);

    mr_free(text);
    return same;
}

/* All functions below walk a document that was checked: nothing fails but what they look for. */

static enum mr_status object_step(struct json_walk *w, const struct mr_writer *step, struct mr_err *err)
{
    const uint32_t *found = NULL;
    struct mr_writer names = { 0 };
    enum mr_status status = MR_OK;
    struct mr_str key;
    int name_count = 0;

    w->at++;
    while (json_peek(w) != '}' && status == MR_OK) {
        const uint32_t *start = w->at;
        status = json_string_check(w, &key, NULL, err);
        if (status == MR_OK && name_count++ < SHOWN_NAMES)
            mr_write_text(&names, "%s%.*s", name_count > 1 ? ", " : "", (int)(key.size > 40 ? 40 : key.size), key.data);
        w->at = start;
        bool same = key_is(w, step);
        (void)json_take(w, ':');
        if (same)
            found = w->at;
        if (status == MR_OK)
            status = json_value_check(w, NULL, err);
        (void)json_take(w, ',');
    }
    if (status == MR_OK && found == NULL)
        status = json_wrong(w, MR_NOT_FOUND, err, "there is no \"%.*s\" here, only: %.*s%s", (int)step->size,
                            (const char *)step->data, (int)names.size, (const char *)names.data,
                            name_count > SHOWN_NAMES ? ", ..." : "");
    w->at = found;
    mr_writer_deinit(&names);
    return status;
}

static enum mr_status array_step(struct json_walk *w, const struct mr_writer *step, struct mr_err *err)
{
    size_t wanted = 0, element = 0;

    for (size_t i = 0; i < step->size; i++) {
        if (step->data[i] < '0' || step->data[i] > '9' || i > 9)
            return json_wrong(w, MR_NOT_FOUND, err, "\"%.*s\" is not the number of an element of this array",
                              (int)step->size, (const char *)step->data);
        wanted = wanted * 10 + (size_t)(step->data[i] - '0');
    }
    w->at++;
    while (json_peek(w) != ']') {
        enum mr_status status;
        if (element++ == wanted && step->size != 0)
            return MR_OK;
        status = json_value_check(w, NULL, err);
        if (status != MR_OK)
            return status;
        (void)json_take(w, ',');
    }
    return json_wrong(w, MR_NOT_FOUND, err, "there is no element %.*s: the array has %zu", (int)step->size,
                      (const char *)step->data, element);
}

static enum mr_status pointer_follow(struct json_walk *w, struct mr_str pointer, struct mr_err *err)
{
    struct mr_writer step = { 0 };
    struct mr_str rest = pointer;
    enum mr_status status = MR_OK;

    while (status == MR_OK && step_next(&rest, &step)) {
        struct mr_str name = { pointer.data, (size_t)(rest.data - pointer.data) };
        if (json_peek(w) == '{')
            status = object_step(w, &step, err);
        else if (json_peek(w) == '[')
            status = array_step(w, &step, err);
        else
            status = json_wrong(w, MR_NOT_FOUND, err, "there is nothing below it: it is no object and no array");
        if (status == MR_OK && !json_path_push(w, name.data + 1, name.size - 1, 0))
            status = json_wrong(w, MR_LIMIT, err, "nested too deeply");
        pointer = rest;
    }
    mr_writer_deinit(&step);
    return status;
}

enum mr_status data_json_split(struct mr_bytes document, struct mr_str pointer, struct mr_bytes **out,
                               size_t *out_count, struct mr_err *err)
{
    struct json_walk *w = MR_NEW(struct json_walk);
    struct mr_bytes *found = NULL;
    size_t count = 0, capacity = 0;
    enum mr_status status;
    struct mr_str raw;
    bool is_array = false;

    w->index = json_index_new();
    if (pointer.size != 0 && pointer.data[0] != '/') {
        status = mr_err_set(err, MR_INVALID, "the path '%.*s' is no JSON pointer: it must be empty or start with /",
                            MR_STR_ARG(pointer));
        goto out;
    }
    status = json_document_check(w, document, err);
    if (status != MR_OK)
        goto out;
    status = pointer_follow(w, pointer, err);
    if (status != MR_OK)
        goto out;
    is_array = json_take(w, '[');
    while (status == MR_OK && !(is_array && json_peek(w) == ']')) {
        status = json_value_check(w, &raw, err);
        MR_GROW(found, count, capacity);
        found[count++] = mr_bytes_of_str(raw);
        if (!is_array)
            break;
        (void)json_take(w, ',');
    }
out:
    if (status == MR_OK) {
        *out = found;
        *out_count = count;
    } else {
        mr_free(found);
    }
    json_index_free(w->index);
    mr_free(w);
    return status;
}

/* ---- one value ---- */

struct data_json_finder {
    struct json_walk walk;
};

struct data_json_finder *data_json_finder_new(void)
{
    struct data_json_finder *finder = MR_NEW(struct data_json_finder);

    finder->walk.index = json_index_new();
    return finder;
}

void data_json_finder_free(struct data_json_finder *finder)
{
    if (finder == NULL)
        return;
    json_index_free(finder->walk.index);
    mr_free(finder);
}

enum mr_status data_json_find(struct data_json_finder *finder, struct mr_bytes document, struct mr_str pointer,
                              enum data_json_found *kind, struct mr_writer *out, struct mr_err *err)
{
    struct json_walk *w = &finder->walk;
    enum mr_status status = json_document_check(w, document, err);
    struct mr_str raw;
    uint8_t first;

    if (status == MR_OK)
        status = pointer_follow(w, pointer, err);
    if (status != MR_OK)
        return status;
    first = json_peek(w);
    if (first == '"') {
        *kind = DATA_JSON_TEXT;
        size_t size = 0;
        mr_writer_reserve(out, json_string_room(w) + 8);
        status = json_string_copy(w, (char *)out->data + out->size, &size, err);
        out->size += status == MR_OK ? size : 0;
        return status;
    }
    status = json_value_check(w, &raw, err);
    if (status != MR_OK)
        return status;
    *kind = first == '{' || first == '['   ? DATA_JSON_NESTED
            : first == 'n'                 ? DATA_JSON_NULL
            : first == 't' || first == 'f' ? DATA_JSON_BOOLEAN
                                           : DATA_JSON_NUMBER;
    mr_write_str(out, raw);
    return MR_OK;
}

/* json_index.cc -- the shim over simdjson: its first stage only, with the best implementation for this processor. */
#include "data/json_int.h"

#include <memory>
#include <simdjson.h>

enum index_limits {
    CAPACITY_FIRST = 4096,
};

struct json_index {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
    size_t capacity = 0;
};

struct json_index *json_index_new(void)
{
    return new json_index;
}

void json_index_free(struct json_index *index)
{
    delete index;
}

static bool capacity_ensure(struct json_index *index, size_t size)
{
    if (size <= index->capacity)
        return true;
    size_t capacity = index->capacity * 2 > size ? index->capacity * 2 : size;
    if (capacity < CAPACITY_FIRST)
        capacity = CAPACITY_FIRST;
    index->capacity = 0;
    if (index->parser == nullptr) {
        if (simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, 1, index->parser) !=
            simdjson::SUCCESS)
            return false;
    } else if (index->parser->set_capacity(capacity) != simdjson::SUCCESS) {
        return false;
    }
    index->capacity = capacity;
    return true;
}

enum mr_status json_index_run(struct json_index *index, struct mr_bytes text, const uint32_t **out, uint32_t *count,
                              struct mr_err *err)
{
    if (text.size > DATA_JSON_DOCUMENT_BYTES_MAX)
        return mr_err_set(err, MR_LIMIT, "%zu bytes of JSON are more than the limit of %d", text.size,
                          (int)DATA_JSON_DOCUMENT_BYTES_MAX);
    if (!capacity_ensure(index, text.size))
        return mr_err_set(err, MR_LIMIT, "no memory to read %zu bytes of JSON", text.size);
    simdjson::error_code error =
        text.size == 0 ? simdjson::EMPTY : index->parser->stage1(text.data, text.size, simdjson::stage1_mode::regular);
    switch (static_cast<int>(error)) {
    case simdjson::SUCCESS:
        break;
    case simdjson::EMPTY:
        return mr_err_set(err, MR_INVALID, "not JSON: it is empty");
    case simdjson::UTF8_ERROR:
        return mr_err_set(err, MR_INVALID, "not JSON: it is not UTF-8");
    case simdjson::UNESCAPED_CHARS:
        return mr_err_set(err, MR_INVALID, "not JSON: a control character inside of a string");
    case simdjson::UNCLOSED_STRING:
        return mr_err_set(err, MR_INVALID, "not JSON: a string that is not closed");
    default:
        return mr_err_set(err, MR_INVALID, "not JSON: %s", simdjson::error_message(error));
    }
    *out = index->parser->structural_indexes.get();
    *count = index->parser->n_structural_indexes;
    return MR_OK;
}

/* The text of one CQL statement. */
#include "tables/ast_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_arena *arena = mr_arena_new();
    struct ast_statement *statement;
    struct mr_err err = MR_ERR_INIT;

    if (tables_parse(&statement, (struct mr_str){ (const char *)data, size }, arena, &err) != MR_OK)
        assert(err.text[0] != 0);
    mr_arena_free(arena);
    return 0;
}

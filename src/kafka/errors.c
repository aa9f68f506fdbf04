/* errors.c -- looks up errors.h. */
#include "kafka/errors.h"

static const struct {
    int code;
    bool retriable;
    const char *name;
    const char *text;
} errors[] = {
#define ERROR_ROW(name, code, retriable, text) { code, retriable, #name, text },
    KAFKA_ERROR_MAP(ERROR_ROW)
#undef ERROR_ROW
};

/* The rows rise by one from -1, which test_errors.c checks. */
static size_t error_row(int code)
{
    int row = code - errors[0].code;

    return row >= 0 && (size_t)row < MR_COUNT(errors) ? (size_t)row : MR_COUNT(errors);
}

const char *kafka_error_name(int code)
{
    size_t row = error_row(code);

    return row < MR_COUNT(errors) ? errors[row].name : "UNKNOWN";
}

const char *kafka_error_text(int code)
{
    size_t row = error_row(code);

    return row < MR_COUNT(errors) ? errors[row].text : "an error code that is not known here";
}

bool kafka_error_is_retriable(int code)
{
    size_t row = error_row(code);

    return row < MR_COUNT(errors) && errors[row].retriable;
}

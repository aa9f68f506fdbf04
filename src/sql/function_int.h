/* function_int.h -- the functions there are: one table that binds and documents them. */
#ifndef SQL_FUNCTION_INT_H
#define SQL_FUNCTION_INT_H

#include "sql/expr_int.h"

enum sql_function_result {
    SQL_RESULT_STRING,
    SQL_RESULT_INT,
    SQL_RESULT_DOUBLE,
    SQL_RESULT_BIGINT,
    SQL_RESULT_BOOLEAN,
    SQL_RESULT_BYTES,
    SQL_RESULT_DATE,
    SQL_RESULT_TIME,          /* TIME(0) */
    SQL_RESULT_TIMESTAMP,     /* TIMESTAMP(3) */
    SQL_RESULT_TIMESTAMP_LTZ, /* TIMESTAMP_LTZ(3) */
    SQL_RESULT_FIRST,         /* the first argument's type */
    SQL_RESULT_SPECIAL,       /* the binder knows the function by its special */
};

enum sql_function_special {
    SQL_SPECIAL_NONE,
    SQL_SPECIAL_COALESCE,
    SQL_SPECIAL_NULLIF,
    SQL_SPECIAL_IF,
    SQL_SPECIAL_MOD,
    SQL_SPECIAL_MAYBE_NULL, /* nothing special, but the result may be NULL where no argument is */
    SQL_SPECIAL_ROUND,      /* of a DECIMAL: the type of the result; op: 0 ROUND, 1 TRUNCATE, 2 FLOOR, 3 CEIL */
    SQL_SPECIAL_GREATEST,
    SQL_SPECIAL_UNIT,     /* op: enum sql_unit, or -1: text2 of the call names it */
    SQL_SPECIAL_TIME_ADD, /* TIMESTAMPADD, TIMESTAMPDIFF (op 1): a unit */
    SQL_SPECIAL_JSON,     /* the second argument is a literal path */
};

/* Parts and units of time. */
enum sql_unit {
    SQL_UNIT_YEAR,
    SQL_UNIT_QUARTER,
    SQL_UNIT_MONTH,
    SQL_UNIT_WEEK,
    SQL_UNIT_DAY,
    SQL_UNIT_HOUR,
    SQL_UNIT_MINUTE,
    SQL_UNIT_SECOND,
    SQL_UNIT_MILLISECOND,
    SQL_UNIT_MICROSECOND,
    SQL_UNIT_DOY, /* from here on only parts */
    SQL_UNIT_DOW,
    SQL_UNIT_ISODOW,
    SQL_UNIT_ISOYEAR,
    SQL_UNIT_EPOCH,
    SQL_UNIT_DECADE,
    SQL_UNIT_CENTURY,
    SQL_UNIT_MILLENNIUM,
    SQL_UNIT_COUNT
};

struct sql_function {
    const char *name;
    const char *signature; /* for the documentation and for messages */
    const char *help;
    uint8_t args_min;
    uint8_t args_max; /* 255: any number */
    /* A letter an argument, the last one for all further ones: s STRING, t anything made STRING, i INT, l BIGINT,
     * n a number, d a number made DOUBLE, a ARRAY or MAP, y STRING or BYTES, T a DATE or TIMESTAMP (TIMESTAMP_LTZ: as
     * clocks show it), o the same or TIME, F the same or a STRING with one, ? anything */
    const char *args;
    enum sql_function_result result;
    sql_kernel_fn *kernel;
    int op;
    enum sql_function_special special;
};

/* A call whose arguments are evaluated: for functions that make a value a row.  Rows where an argument is NULL, or that
 * are not selected, give NULL without a call. */
struct sql_call {
    const struct sql_expr *expr;
    struct sql_eval *eval;
    struct data_column *out; /* the function appends one value */
    struct data_column **args;
    uint32_t *steps; /* the value of row i is at i * steps[arg] */
    uint32_t row;
    struct mr_writer text; /* for the function's use, empty at each row */
    void *state;           /* the same for every row */
};
typedef void sql_call_fn(struct sql_call *call);
struct data_column *sql_call_rows(const struct sql_expr *expr, struct sql_eval *eval, const uint8_t *selected,
                                  sql_call_fn *fn, void *state);
static inline uint32_t sql_call_at(const struct sql_call *call, uint32_t arg)
{
    return call->row * call->steps[arg];
}
static inline struct mr_str sql_call_str(const struct sql_call *call, uint32_t arg)
{
    return data_str(call->args[arg], sql_call_at(call, arg));
}
static inline int64_t sql_call_integer(const struct sql_call *call, uint32_t arg)
{
    return data_integer(call->args[arg], sql_call_at(call, arg));
}
/* Appends call->text; fails the row with a message. */
void sql_call_text(struct sql_call *call);
void sql_call_fail(struct sql_call *call, const char *format, ...) MR_PRINTF(2, 3);

/* The unit called NAME (any case), or -1. */
int sql_unit_find(struct mr_str name);
/* $.a[0]['b'] as a JSON pointer, in ARENA; null: not such a path. */
struct mr_str sql_json_pointer(struct mr_arena *arena, struct mr_str path);

/* The function called NAME (any case), or NULL. */
const struct sql_function *sql_function_find(struct mr_str name);
/* The name nearest to NAME, or NULL. */
const char *sql_function_nearest(struct mr_str name);
/* Is NAME an aggregate, window or time function that Flink has and this version has not? */
bool sql_function_missing(struct mr_str name);

sql_kernel_fn sql_kernel_concat, sql_kernel_concat_ws, sql_kernel_case_change, sql_kernel_trim, sql_kernel_char_length;
sql_kernel_fn sql_kernel_substring, sql_kernel_replace, sql_kernel_left_right;
sql_kernel_fn sql_kernel_text_call, sql_kernel_digest, sql_kernel_regexp, sql_kernel_uuid, sql_kernel_now;
sql_kernel_fn sql_kernel_time_call, sql_kernel_extract, sql_kernel_time_floor, sql_kernel_timestamp_add;
sql_kernel_fn sql_kernel_json, sql_kernel_greatest, sql_kernel_round_decimal, sql_kernel_number_call;
sql_kernel_fn sql_kernel_abs, sql_kernel_round, sql_kernel_floor_ceil, sql_kernel_math, sql_kernel_cardinality;

#endif

/* function_int.h -- the functions there are: one table that binds and documents them. */
#ifndef SQL_FUNCTION_INT_H
#define SQL_FUNCTION_INT_H

#include "sql/expr_int.h"

enum sql_function_result {
    SQL_RESULT_STRING,
    SQL_RESULT_INT,
    SQL_RESULT_DOUBLE,
    SQL_RESULT_FIRST,   /* the first argument's type */
    SQL_RESULT_SPECIAL, /* the binder knows the function by its special */
};

enum sql_function_special {
    SQL_SPECIAL_NONE,
    SQL_SPECIAL_COALESCE,
    SQL_SPECIAL_NULLIF,
    SQL_SPECIAL_IF,
    SQL_SPECIAL_MOD,
};

struct sql_function {
    const char *name;
    const char *signature; /* for the documentation and for messages */
    const char *help;
    uint8_t args_min;
    uint8_t args_max; /* 255: any number */
    /* A letter an argument, the last one for all further ones: s STRING, t anything made STRING, i INT, n a number,
     * d a number made DOUBLE, a ARRAY, ? anything */
    const char *args;
    enum sql_function_result result;
    sql_kernel_fn *kernel;
    int op;
    enum sql_function_special special;
};

/* The function called NAME (any case), or NULL. */
const struct sql_function *sql_function_find(struct mr_str name);
/* The name nearest to NAME, or NULL. */
const char *sql_function_nearest(struct mr_str name);
/* Is NAME an aggregate, window or time function that Flink has and this version has not? */
bool sql_function_missing(struct mr_str name);

sql_kernel_fn sql_kernel_concat, sql_kernel_concat_ws, sql_kernel_case_change, sql_kernel_trim, sql_kernel_char_length;
sql_kernel_fn sql_kernel_substring, sql_kernel_replace, sql_kernel_left_right;
sql_kernel_fn sql_kernel_abs, sql_kernel_round, sql_kernel_floor_ceil, sql_kernel_math, sql_kernel_cardinality;

#endif

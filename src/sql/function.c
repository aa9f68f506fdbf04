/* function.c -- the table of functions. */
#include "sql/function_int.h"

#include <string.h>

#include "base/text.h"
#include "sql/sql.h"

static const struct sql_function functions[] = {
    { "CONCAT", "CONCAT(value, …)", "The values one after another, as text; NULL when one is NULL.", 1, 255, "t",
      SQL_RESULT_STRING, sql_kernel_concat, 0, SQL_SPECIAL_NONE },
    { "CONCAT_WS", "CONCAT_WS(separator, value, …)", "The values with the separator between; NULL values are left out.",
      1, 255, "st", SQL_RESULT_STRING, sql_kernel_concat_ws, 0, SQL_SPECIAL_NONE },
    { "UPPER", "UPPER(text)", "The text in capital letters.", 1, 1, "s", SQL_RESULT_STRING, sql_kernel_case_change, 1,
      SQL_SPECIAL_NONE },
    { "LOWER", "LOWER(text)", "The text in small letters.", 1, 1, "s", SQL_RESULT_STRING, sql_kernel_case_change, 0,
      SQL_SPECIAL_NONE },
    { "TRIM", "TRIM([BOTH | LEADING | TRAILING] [characters] FROM text)",
      "The text without these characters (blanks) at its ends.", 1, 2, "s", SQL_RESULT_STRING, sql_kernel_trim, 3,
      SQL_SPECIAL_NONE },
    { "LTRIM", "LTRIM(text [, characters])", "The text without these characters (blanks) in front.", 1, 2, "s",
      SQL_RESULT_STRING, sql_kernel_trim, 1, SQL_SPECIAL_NONE },
    { "RTRIM", "RTRIM(text [, characters])", "The text without these characters (blanks) at its end.", 1, 2, "s",
      SQL_RESULT_STRING, sql_kernel_trim, 2, SQL_SPECIAL_NONE },
    { "CHAR_LENGTH", "CHAR_LENGTH(text)", "How many characters the text has.", 1, 1, "s", SQL_RESULT_INT,
      sql_kernel_char_length, 0, SQL_SPECIAL_NONE },
    { "CHARACTER_LENGTH", "CHARACTER_LENGTH(text)", "The same as CHAR_LENGTH.", 1, 1, "s", SQL_RESULT_INT,
      sql_kernel_char_length, 0, SQL_SPECIAL_NONE },
    { "SUBSTRING", "SUBSTRING(text FROM start [FOR length])",
      "Characters from the start-th (1 is the first; negative: from the end).", 2, 3, "si", SQL_RESULT_STRING,
      sql_kernel_substring, 0, SQL_SPECIAL_NONE },
    { "SUBSTR", "SUBSTR(text, start [, length])", "The same as SUBSTRING.", 2, 3, "si", SQL_RESULT_STRING,
      sql_kernel_substring, 0, SQL_SPECIAL_NONE },
    { "LEFT", "LEFT(text, length)", "The first characters.", 2, 2, "si", SQL_RESULT_STRING, sql_kernel_left_right, 0,
      SQL_SPECIAL_NONE },
    { "RIGHT", "RIGHT(text, length)", "The last characters.", 2, 2, "si", SQL_RESULT_STRING, sql_kernel_left_right, 1,
      SQL_SPECIAL_NONE },
    { "REPLACE", "REPLACE(text, old, new)", "The text with every old in it made new.", 3, 3, "s", SQL_RESULT_STRING,
      sql_kernel_replace, 0, SQL_SPECIAL_NONE },
    { "ABS", "ABS(number)", "The number without its sign.", 1, 1, "n", SQL_RESULT_FIRST, sql_kernel_abs, 0,
      SQL_SPECIAL_NONE },
    { "ROUND", "ROUND(number [, digits])", "The nearest number with so many digits after the point (0); half goes up.",
      1, 2, "ni", SQL_RESULT_FIRST, sql_kernel_round, 0, SQL_SPECIAL_NONE },
    { "FLOOR", "FLOOR(number)", "The largest whole number that is not larger.", 1, 1, "n", SQL_RESULT_FIRST,
      sql_kernel_floor_ceil, 0, SQL_SPECIAL_NONE },
    { "CEIL", "CEIL(number)", "The smallest whole number that is not smaller.", 1, 1, "n", SQL_RESULT_FIRST,
      sql_kernel_floor_ceil, 1, SQL_SPECIAL_NONE },
    { "CEILING", "CEILING(number)", "The same as CEIL.", 1, 1, "n", SQL_RESULT_FIRST, sql_kernel_floor_ceil, 1,
      SQL_SPECIAL_NONE },
    { "MOD", "MOD(number, divisor)", "The rest of the division, with the sign of the number.", 2, 2, "n",
      SQL_RESULT_SPECIAL, NULL, 0, SQL_SPECIAL_MOD },
    { "SQRT", "SQRT(number)", "The square root.", 1, 1, "d", SQL_RESULT_DOUBLE, sql_kernel_math, 0, SQL_SPECIAL_NONE },
    { "POWER", "POWER(number, exponent)", "The number to this power.", 2, 2, "d", SQL_RESULT_DOUBLE, sql_kernel_math, 1,
      SQL_SPECIAL_NONE },
    { "COALESCE", "COALESCE(value, …)", "The first value that is not NULL.", 1, 255, "?", SQL_RESULT_SPECIAL, NULL, 0,
      SQL_SPECIAL_COALESCE },
    { "IFNULL", "IFNULL(value, other)", "The value, or the other when it is NULL.", 2, 2, "?", SQL_RESULT_SPECIAL, NULL,
      0, SQL_SPECIAL_COALESCE },
    { "NULLIF", "NULLIF(value, other)", "NULL when both are equal, else the value.", 2, 2, "?", SQL_RESULT_SPECIAL,
      NULL, 0, SQL_SPECIAL_NULLIF },
    { "IF", "IF(condition, value, other)", "The value when the condition is TRUE, else the other.", 3, 3, "?",
      SQL_RESULT_SPECIAL, NULL, 0, SQL_SPECIAL_IF },
    { "CARDINALITY", "CARDINALITY(array)", "How many elements the array has.", 1, 1, "a", SQL_RESULT_INT,
      sql_kernel_cardinality, 0, SQL_SPECIAL_NONE },
};

const struct sql_function *sql_function_find(struct mr_str name)
{
    for (size_t i = 0; i < MR_COUNT(functions); i++)
        if (mr_str_equal_nocase(name, mr_str_of(functions[i].name)))
            return &functions[i];
    return NULL;
}

const char *sql_function_nearest(struct mr_str name)
{
    const char *names[MR_COUNT(functions)];
    char *text = mr_str_dup(name);
    const char *nearest;

    for (size_t i = 0; i < MR_COUNT(functions); i++)
        names[i] = functions[i].name;
    nearest = mr_nearest(text, names, MR_COUNT(names));
    mr_free(text);
    return nearest;
}

bool sql_function_missing(struct mr_str name)
{
    static const char *const missing[] = { "COUNT",
                                           "SUM",
                                           "AVG",
                                           "MIN",
                                           "MAX",
                                           "FIRST_VALUE",
                                           "LAST_VALUE",
                                           "LISTAGG",
                                           "ROW_NUMBER",
                                           "RANK",
                                           "DENSE_RANK",
                                           "LAG",
                                           "LEAD",
                                           "TUMBLE",
                                           "HOP",
                                           "CUMULATE",
                                           "SESSION",
                                           "NOW",
                                           "CURRENT_TIMESTAMP",
                                           "TO_TIMESTAMP",
                                           "TO_TIMESTAMP_LTZ",
                                           "DATE_FORMAT",
                                           "UNIX_TIMESTAMP",
                                           "FROM_UNIXTIME",
                                           "PROCTIME",
                                           "EXTRACT",
                                           "JSON_VALUE",
                                           "JSON_QUERY",
                                           "JSON_EXISTS",
                                           "REGEXP_EXTRACT",
                                           "REGEXP_REPLACE",
                                           "REGEXP",
                                           "SPLIT_INDEX",
                                           "POSITION",
                                           "LOCATE",
                                           "MD5",
                                           "SHA256",
                                           "UUID",
                                           "RAND",
                                           "EXP",
                                           "LN",
                                           "LOG10",
                                           "LPAD",
                                           "RPAD",
                                           "REPEAT",
                                           "REVERSE",
                                           "INITCAP",
                                           "GREATEST",
                                           "LEAST",
                                           "STDDEV_POP",
                                           "VAR_POP",
                                           "COLLECT",
                                           "ELEMENT",
                                           "OVERLAY",
                                           "ASCII",
                                           "SIGN" };

    for (size_t i = 0; i < MR_COUNT(missing); i++)
        if (mr_str_equal_nocase(name, mr_str_of(missing[i])))
            return true;
    return false;
}

void sql_functions_write(struct mr_writer *out)
{
    mr_write_text(out, "| function | what it gives |\n|---|---|\n");
    for (size_t i = 0; i < MR_COUNT(functions); i++) {
        mr_write_text(out, "| `");
        mr_write_cell(out, mr_str_of(functions[i].signature));
        mr_write_text(out, "` | ");
        mr_write_cell(out, mr_str_of(functions[i].help));
        mr_write_text(out, " |\n");
    }
}

/* function.c -- the table of functions. */
#include "sql/function_int.h"

#include <string.h>

#include "base/text.h"
#include "sql/function_call_int.h"
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
    { "POSITION", "POSITION(part IN text)", "Where the part begins in the text, 1 the first character; 0: nowhere.", 2,
      2, "s", SQL_RESULT_INT, sql_kernel_text_call, SQL_TEXT_POSITION, SQL_SPECIAL_NONE },
    { "LOCATE", "LOCATE(part, text [, start])", "The same, from a character on.", 2, 3, "ssi", SQL_RESULT_INT,
      sql_kernel_text_call, SQL_TEXT_POSITION, SQL_SPECIAL_NONE },
    { "INSTR", "INSTR(text, part)", "The same as POSITION.", 2, 2, "s", SQL_RESULT_INT, sql_kernel_text_call,
      SQL_TEXT_INSTR, SQL_SPECIAL_NONE },
    { "LPAD", "LPAD(text, length, fill)",
      "The text with so many characters: filled in front, or cut; NULL when that can't be.", 3, 3, "sis",
      SQL_RESULT_STRING, sql_kernel_text_call, SQL_TEXT_LPAD, SQL_SPECIAL_MAYBE_NULL },
    { "RPAD", "RPAD(text, length, fill)", "The same, filled at the end.", 3, 3, "sis", SQL_RESULT_STRING,
      sql_kernel_text_call, SQL_TEXT_RPAD, SQL_SPECIAL_MAYBE_NULL },
    { "REVERSE", "REVERSE(text)", "The characters from the last to the first.", 1, 1, "s", SQL_RESULT_STRING,
      sql_kernel_text_call, SQL_TEXT_REVERSE, SQL_SPECIAL_NONE },
    { "REPEAT", "REPEAT(text, times)", "The text so many times.", 2, 2, "si", SQL_RESULT_STRING, sql_kernel_text_call,
      SQL_TEXT_REPEAT, SQL_SPECIAL_NONE },
    { "SPLIT_INDEX", "SPLIT_INDEX(text, separator, index)",
      "The part at this index between separators, 0 the first; NULL when there is none.", 3, 3, "ssi",
      SQL_RESULT_STRING, sql_kernel_text_call, SQL_TEXT_SPLIT_INDEX, SQL_SPECIAL_MAYBE_NULL },
    { "INITCAP", "INITCAP(text)", "Each word with a capital and then small letters (A to Z).", 1, 1, "s",
      SQL_RESULT_STRING, sql_kernel_text_call, SQL_TEXT_INITCAP, SQL_SPECIAL_NONE },
    { "ASCII", "ASCII(text)", "The number of the first byte.", 1, 1, "s", SQL_RESULT_INT, sql_kernel_text_call,
      SQL_TEXT_ASCII, SQL_SPECIAL_NONE },
    { "CHR", "CHR(number)", "The character with this number (0 to 255).", 1, 1, "l", SQL_RESULT_STRING,
      sql_kernel_text_call, SQL_TEXT_CHR, SQL_SPECIAL_NONE },
    { "OVERLAY", "OVERLAY(text PLACING new FROM start [FOR length])", "The text with a part of it made new.", 3, 4,
      "ssii", SQL_RESULT_STRING, sql_kernel_text_call, SQL_TEXT_OVERLAY, SQL_SPECIAL_NONE },
    { "STARTSWITH", "STARTSWITH(text, part)", "Does the text begin with the part?", 2, 2, "s", SQL_RESULT_BOOLEAN,
      sql_kernel_text_call, SQL_TEXT_STARTSWITH, SQL_SPECIAL_NONE },
    { "ENDSWITH", "ENDSWITH(text, part)", "Does the text end with the part?", 2, 2, "s", SQL_RESULT_BOOLEAN,
      sql_kernel_text_call, SQL_TEXT_ENDSWITH, SQL_SPECIAL_NONE },
    { "REGEXP", "REGEXP(text, pattern)", "Does the pattern, a regular expression, match a part of the text?", 2, 2, "s",
      SQL_RESULT_BOOLEAN, sql_kernel_regexp, SQL_REGEXP_TEST, SQL_SPECIAL_NONE },
    { "REGEXP_EXTRACT", "REGEXP_EXTRACT(text, pattern [, group])",
      "The first part that the pattern matches, or its group; NULL when nothing does.", 2, 3, "ssi", SQL_RESULT_STRING,
      sql_kernel_regexp, SQL_REGEXP_EXTRACT, SQL_SPECIAL_MAYBE_NULL },
    { "REGEXP_REPLACE", "REGEXP_REPLACE(text, pattern, new)",
      "The text with every part that the pattern matches made new (as it stands, no $1).", 3, 3, "s", SQL_RESULT_STRING,
      sql_kernel_regexp, SQL_REGEXP_REPLACE, SQL_SPECIAL_NONE },
    { "TO_BASE64", "TO_BASE64(text)", "The text in base64.", 1, 1, "y", SQL_RESULT_STRING, sql_kernel_text_call,
      SQL_TEXT_TO_BASE64, SQL_SPECIAL_NONE },
    { "FROM_BASE64", "FROM_BASE64(text)", "The text that this is in base64; NULL when it is none.", 1, 1, "s",
      SQL_RESULT_STRING, sql_kernel_text_call, SQL_TEXT_FROM_BASE64, SQL_SPECIAL_MAYBE_NULL },
    { "HEX", "HEX(value)", "A whole number or text in hexadecimal digits.", 1, 1, "?", SQL_RESULT_STRING,
      sql_kernel_text_call, SQL_TEXT_HEX, SQL_SPECIAL_NONE },
    { "BIN", "BIN(number)", "A whole number in binary digits.", 1, 1, "l", SQL_RESULT_STRING, sql_kernel_text_call,
      SQL_TEXT_BIN, SQL_SPECIAL_NONE },
    { "MD5", "MD5(text)", "The digest, in hexadecimal digits.", 1, 1, "s", SQL_RESULT_STRING, sql_kernel_digest,
      SQL_DIGEST_MD5, SQL_SPECIAL_NONE },
    { "SHA1", "SHA1(text)", "The same with SHA1.", 1, 1, "s", SQL_RESULT_STRING, sql_kernel_digest, SQL_DIGEST_SHA1,
      SQL_SPECIAL_NONE },
    { "SHA224", "SHA224(text)", "The same with SHA224.", 1, 1, "s", SQL_RESULT_STRING, sql_kernel_digest,
      SQL_DIGEST_SHA224, SQL_SPECIAL_NONE },
    { "SHA256", "SHA256(text)", "The same with SHA256.", 1, 1, "s", SQL_RESULT_STRING, sql_kernel_digest,
      SQL_DIGEST_SHA256, SQL_SPECIAL_NONE },
    { "SHA384", "SHA384(text)", "The same with SHA384.", 1, 1, "s", SQL_RESULT_STRING, sql_kernel_digest,
      SQL_DIGEST_SHA384, SQL_SPECIAL_NONE },
    { "SHA512", "SHA512(text)", "The same with SHA512.", 1, 1, "s", SQL_RESULT_STRING, sql_kernel_digest,
      SQL_DIGEST_SHA512, SQL_SPECIAL_NONE },
    { "UUID", "UUID()", "A new random UUID for each row.", 0, 0, "?", SQL_RESULT_STRING, sql_kernel_uuid, 0,
      SQL_SPECIAL_NONE },
    { "JSON_VALUE", "JSON_VALUE(text, '$.path' [RETURNING type])",
      "The value at this path as text; NULL when there is none, or no scalar.", 2, 2, "s", SQL_RESULT_STRING,
      sql_kernel_json, SQL_JSON_VALUE, SQL_SPECIAL_JSON },
    { "JSON_QUERY", "JSON_QUERY(text, '$.path')", "The object or array at this path as text.", 2, 2, "s",
      SQL_RESULT_STRING, sql_kernel_json, SQL_JSON_QUERY, SQL_SPECIAL_JSON },
    { "JSON_EXISTS", "JSON_EXISTS(text, '$.path')", "Is there a value at this path?", 2, 2, "s", SQL_RESULT_BOOLEAN,
      sql_kernel_json, SQL_JSON_EXISTS, SQL_SPECIAL_JSON },
    { "ABS", "ABS(number)", "The number without its sign.", 1, 1, "n", SQL_RESULT_FIRST, sql_kernel_abs, 0,
      SQL_SPECIAL_NONE },
    { "ROUND", "ROUND(number [, digits])", "The nearest number with so many digits after the point (0); half goes up.",
      1, 2, "ni", SQL_RESULT_FIRST, sql_kernel_round, 0, SQL_SPECIAL_ROUND },
    { "FLOOR", "FLOOR(number)", "The largest whole number that is not larger; FLOOR(time TO unit): its begin.", 1, 1,
      "?", SQL_RESULT_FIRST, sql_kernel_floor_ceil, 0, SQL_SPECIAL_ROUND },
    { "CEIL", "CEIL(number)", "The smallest whole number that is not smaller; CEIL(time TO unit): its end.", 1, 1, "?",
      SQL_RESULT_FIRST, sql_kernel_floor_ceil, 1, SQL_SPECIAL_ROUND },
    { "CEILING", "CEILING(number)", "The same as CEIL.", 1, 1, "?", SQL_RESULT_FIRST, sql_kernel_floor_ceil, 1,
      SQL_SPECIAL_ROUND },
    { "MOD", "MOD(number, divisor)", "The rest of the division, with the sign of the number.", 2, 2, "n",
      SQL_RESULT_SPECIAL, NULL, 0, SQL_SPECIAL_MOD },
    { "SQRT", "SQRT(number)", "The square root.", 1, 1, "d", SQL_RESULT_DOUBLE, sql_kernel_math, 0, SQL_SPECIAL_NONE },
    { "POWER", "POWER(number, exponent)", "The number to this power.", 2, 2, "d", SQL_RESULT_DOUBLE, sql_kernel_math, 1,
      SQL_SPECIAL_NONE },
    { "TRUNCATE", "TRUNCATE(number [, digits])", "The number cut to so many digits after the point (0).", 1, 2, "ni",
      SQL_RESULT_FIRST, sql_kernel_round_decimal, 1, SQL_SPECIAL_ROUND },
    { "SIGN", "SIGN(number)", "-1, 0 or 1.", 1, 1, "n", SQL_RESULT_FIRST, sql_kernel_number_call, SQL_NUMBER_SIGN,
      SQL_SPECIAL_NONE },
    { "LN", "LN(number)", "The natural logarithm.", 1, 1, "d", SQL_RESULT_DOUBLE, sql_kernel_number_call, SQL_NUMBER_LN,
      SQL_SPECIAL_NONE },
    { "LOG10", "LOG10(number)", "The logarithm to base 10.", 1, 1, "d", SQL_RESULT_DOUBLE, sql_kernel_number_call,
      SQL_NUMBER_LOG10, SQL_SPECIAL_NONE },
    { "LOG2", "LOG2(number)", "The logarithm to base 2.", 1, 1, "d", SQL_RESULT_DOUBLE, sql_kernel_number_call,
      SQL_NUMBER_LOG2, SQL_SPECIAL_NONE },
    { "EXP", "EXP(number)", "e to this power.", 1, 1, "d", SQL_RESULT_DOUBLE, sql_kernel_number_call, SQL_NUMBER_EXP,
      SQL_SPECIAL_NONE },
    { "SIN", "SIN(number)", "The sine.", 1, 1, "d", SQL_RESULT_DOUBLE, sql_kernel_number_call, SQL_NUMBER_SIN,
      SQL_SPECIAL_NONE },
    { "COS", "COS(number)", "The cosine.", 1, 1, "d", SQL_RESULT_DOUBLE, sql_kernel_number_call, SQL_NUMBER_COS,
      SQL_SPECIAL_NONE },
    { "TAN", "TAN(number)", "The tangent.", 1, 1, "d", SQL_RESULT_DOUBLE, sql_kernel_number_call, SQL_NUMBER_TAN,
      SQL_SPECIAL_NONE },
    { "ASIN", "ASIN(number)", "The arc sine.", 1, 1, "d", SQL_RESULT_DOUBLE, sql_kernel_number_call, SQL_NUMBER_ASIN,
      SQL_SPECIAL_NONE },
    { "ACOS", "ACOS(number)", "The arc cosine.", 1, 1, "d", SQL_RESULT_DOUBLE, sql_kernel_number_call, SQL_NUMBER_ACOS,
      SQL_SPECIAL_NONE },
    { "ATAN", "ATAN(number)", "The arc tangent.", 1, 1, "d", SQL_RESULT_DOUBLE, sql_kernel_number_call, SQL_NUMBER_ATAN,
      SQL_SPECIAL_NONE },
    { "RADIANS", "RADIANS(number)", "Degrees as radians.", 1, 1, "d", SQL_RESULT_DOUBLE, sql_kernel_number_call,
      SQL_NUMBER_RADIANS, SQL_SPECIAL_NONE },
    { "DEGREES", "DEGREES(number)", "Radians as degrees.", 1, 1, "d", SQL_RESULT_DOUBLE, sql_kernel_number_call,
      SQL_NUMBER_DEGREES, SQL_SPECIAL_NONE },
    { "LOG", "LOG([base,] number)", "The logarithm, natural without a base.", 1, 2, "d", SQL_RESULT_DOUBLE,
      sql_kernel_number_call, SQL_NUMBER_LOG, SQL_SPECIAL_NONE },
    { "PI", "PI()", "The number π.", 0, 0, "?", SQL_RESULT_DOUBLE, sql_kernel_number_call, SQL_NUMBER_PI,
      SQL_SPECIAL_NONE },
    { "E", "E()", "The number e.", 0, 0, "?", SQL_RESULT_DOUBLE, sql_kernel_number_call, SQL_NUMBER_E,
      SQL_SPECIAL_NONE },
    { "GREATEST", "GREATEST(value, …)", "The largest; NULL when one is NULL.", 1, 255, "?", SQL_RESULT_FIRST,
      sql_kernel_greatest, 1, SQL_SPECIAL_GREATEST },
    { "LEAST", "LEAST(value, …)", "The smallest; NULL when one is NULL.", 1, 255, "?", SQL_RESULT_FIRST,
      sql_kernel_greatest, -1, SQL_SPECIAL_GREATEST },
    { "TO_TIMESTAMP", "TO_TIMESTAMP(text [, pattern])",
      "The text as TIMESTAMP(3); NULL when it is none. Patterns are Java's: yyyy-MM-dd HH:mm:ss.", 1, 2, "s",
      SQL_RESULT_TIMESTAMP, sql_kernel_time_call, SQL_TIME_TO_TIMESTAMP, SQL_SPECIAL_MAYBE_NULL },
    { "TO_TIMESTAMP_LTZ", "TO_TIMESTAMP_LTZ(number [, precision])",
      "Seconds (precision 0) or milliseconds (3, the default) since 1970 as TIMESTAMP_LTZ(3).", 1, 2, "li",
      SQL_RESULT_TIMESTAMP_LTZ, sql_kernel_time_call, SQL_TIME_TO_TIMESTAMP_LTZ, SQL_SPECIAL_MAYBE_NULL },
    { "TO_DATE", "TO_DATE(text [, pattern])", "The text as DATE; NULL when it is none.", 1, 2, "s", SQL_RESULT_DATE,
      sql_kernel_time_call, SQL_TIME_TO_DATE, SQL_SPECIAL_MAYBE_NULL },
    { "DATE_FORMAT", "DATE_FORMAT(timestamp, pattern)", "The timestamp (or a text with one) as text.", 2, 2, "Fs",
      SQL_RESULT_STRING, sql_kernel_time_call, SQL_TIME_FORMAT, SQL_SPECIAL_NONE },
    { "FROM_UNIXTIME", "FROM_UNIXTIME(seconds [, pattern])", "Seconds since 1970 as text, in the local time zone.", 1,
      2, "ls", SQL_RESULT_STRING, sql_kernel_time_call, SQL_TIME_FROM_UNIXTIME, SQL_SPECIAL_NONE },
    { "UNIX_TIMESTAMP", "UNIX_TIMESTAMP([text [, pattern]])",
      "Seconds since 1970 of a text in the local time zone; now without one.", 0, 2, "s", SQL_RESULT_BIGINT,
      sql_kernel_time_call, SQL_TIME_UNIX_TIMESTAMP, SQL_SPECIAL_MAYBE_NULL },
    { "EXTRACT", "EXTRACT(unit FROM time)",
      "A part of a DATE, TIME or TIMESTAMP: YEAR, QUARTER, MONTH, WEEK, DAY, DOY, DOW, HOUR, MINUTE, SECOND, "
      "MILLISECOND, MICROSECOND, EPOCH, …",
      1, 1, "o", SQL_RESULT_BIGINT, sql_kernel_extract, -1, SQL_SPECIAL_UNIT },
    { "YEAR", "YEAR(time)", "The same as EXTRACT(YEAR FROM time).", 1, 1, "o", SQL_RESULT_BIGINT, sql_kernel_extract,
      SQL_UNIT_YEAR, SQL_SPECIAL_UNIT },
    { "QUARTER", "QUARTER(time)", "The same as EXTRACT(QUARTER FROM time).", 1, 1, "o", SQL_RESULT_BIGINT,
      sql_kernel_extract, SQL_UNIT_QUARTER, SQL_SPECIAL_UNIT },
    { "MONTH", "MONTH(time)", "The same as EXTRACT(MONTH FROM time).", 1, 1, "o", SQL_RESULT_BIGINT, sql_kernel_extract,
      SQL_UNIT_MONTH, SQL_SPECIAL_UNIT },
    { "WEEK", "WEEK(time)", "The same as EXTRACT(WEEK FROM time).", 1, 1, "o", SQL_RESULT_BIGINT, sql_kernel_extract,
      SQL_UNIT_WEEK, SQL_SPECIAL_UNIT },
    { "DAYOFYEAR", "DAYOFYEAR(time)", "The same as EXTRACT(DOY FROM time).", 1, 1, "o", SQL_RESULT_BIGINT,
      sql_kernel_extract, SQL_UNIT_DOY, SQL_SPECIAL_UNIT },
    { "DAYOFMONTH", "DAYOFMONTH(time)", "The same as EXTRACT(DAY FROM time).", 1, 1, "o", SQL_RESULT_BIGINT,
      sql_kernel_extract, SQL_UNIT_DAY, SQL_SPECIAL_UNIT },
    { "DAYOFWEEK", "DAYOFWEEK(time)", "The same as EXTRACT(DOW FROM time).", 1, 1, "o", SQL_RESULT_BIGINT,
      sql_kernel_extract, SQL_UNIT_DOW, SQL_SPECIAL_UNIT },
    { "HOUR", "HOUR(time)", "The same as EXTRACT(HOUR FROM time).", 1, 1, "o", SQL_RESULT_BIGINT, sql_kernel_extract,
      SQL_UNIT_HOUR, SQL_SPECIAL_UNIT },
    { "MINUTE", "MINUTE(time)", "The same as EXTRACT(MINUTE FROM time).", 1, 1, "o", SQL_RESULT_BIGINT,
      sql_kernel_extract, SQL_UNIT_MINUTE, SQL_SPECIAL_UNIT },
    { "SECOND", "SECOND(time)", "The same as EXTRACT(SECOND FROM time).", 1, 1, "o", SQL_RESULT_BIGINT,
      sql_kernel_extract, SQL_UNIT_SECOND, SQL_SPECIAL_UNIT },
    { "TIMESTAMPADD", "TIMESTAMPADD(unit, number, time)", "The time so many units later.", 2, 2, "lT", SQL_RESULT_FIRST,
      sql_kernel_timestamp_add, 0, SQL_SPECIAL_TIME_ADD },
    { "TIMESTAMPDIFF", "TIMESTAMPDIFF(unit, from, to)", "How many whole units lie between.", 2, 2, "T", SQL_RESULT_INT,
      sql_kernel_timestamp_add, 1, SQL_SPECIAL_TIME_ADD },
    { "CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP", "Now, as TIMESTAMP_LTZ(3).", 0, 0, "?", SQL_RESULT_TIMESTAMP_LTZ,
      sql_kernel_now, SQL_NOW_TIMESTAMP_LTZ, SQL_SPECIAL_NONE },
    { "NOW", "NOW()", "The same as CURRENT_TIMESTAMP.", 0, 0, "?", SQL_RESULT_TIMESTAMP_LTZ, sql_kernel_now,
      SQL_NOW_TIMESTAMP_LTZ, SQL_SPECIAL_NONE },
    { "PROCTIME", "PROCTIME()", "The same, for a computed column.", 0, 0, "?", SQL_RESULT_TIMESTAMP_LTZ, sql_kernel_now,
      SQL_NOW_TIMESTAMP_LTZ, SQL_SPECIAL_NONE },
    { "LOCALTIMESTAMP", "LOCALTIMESTAMP", "Now in the local time zone, as TIMESTAMP(3).", 0, 0, "?",
      SQL_RESULT_TIMESTAMP, sql_kernel_now, SQL_NOW_LOCALTIMESTAMP, SQL_SPECIAL_NONE },
    { "CURRENT_DATE", "CURRENT_DATE", "Today in the local time zone.", 0, 0, "?", SQL_RESULT_DATE, sql_kernel_now,
      SQL_NOW_DATE, SQL_SPECIAL_NONE },
    { "CURRENT_TIME", "CURRENT_TIME", "The time of day in the local time zone.", 0, 0, "?", SQL_RESULT_TIME,
      sql_kernel_now, SQL_NOW_TIME, SQL_SPECIAL_NONE },
    { "LOCALTIME", "LOCALTIME", "The same as CURRENT_TIME.", 0, 0, "?", SQL_RESULT_TIME, sql_kernel_now, SQL_NOW_TIME,
      SQL_SPECIAL_NONE },
    { "COALESCE", "COALESCE(value, …)", "The first value that is not NULL.", 1, 255, "?", SQL_RESULT_SPECIAL, NULL, 0,
      SQL_SPECIAL_COALESCE },
    { "IFNULL", "IFNULL(value, other)", "The value, or the other when it is NULL.", 2, 2, "?", SQL_RESULT_SPECIAL, NULL,
      0, SQL_SPECIAL_COALESCE },
    { "NULLIF", "NULLIF(value, other)", "NULL when both are equal, else the value.", 2, 2, "?", SQL_RESULT_SPECIAL,
      NULL, 0, SQL_SPECIAL_NULLIF },
    { "IF", "IF(condition, value, other)", "The value when the condition is TRUE, else the other.", 3, 3, "?",
      SQL_RESULT_SPECIAL, NULL, 0, SQL_SPECIAL_IF },
    { "CARDINALITY", "CARDINALITY(array)", "How many elements an ARRAY, or entries a MAP has.", 1, 1, "a",
      SQL_RESULT_INT, sql_kernel_cardinality, 0, SQL_SPECIAL_NONE },
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
    static const char *const missing[] = {
        "COUNT",          "SUM",        "AVG",        "MIN",         "MAX",          "FIRST_VALUE",
        "LAST_VALUE",     "LISTAGG",    "ROW_NUMBER", "RANK",        "LAG",          "DENSE_RANK",
        "LEAD",           "TUMBLE",     "HOP",        "CUMULATE",    "SESSION",      "RAND",
        "ELEMENT",        "STDDEV_POP", "VAR_POP",    "COLLECT",     "JSON_OBJECT",  "JSON_ARRAY",
        "SOUNDEX",        "PARSE_URL",  "ELT",        "STR_TO_MAP",  "CONVERT_TZ",   "TYPEOF",
        "ARRAY_CONTAINS", "MAP_KEYS",   "MAP_VALUES", "JSON_STRING", "RAND_INTEGER", "PERCENTILE",
        "OVERLAPS",       "SHA2",       "TRANSLATE",  "BTRIM",
    };

    for (size_t i = 0; i < MR_COUNT(missing); i++)
        if (mr_str_equal_nocase(name, mr_str_of(missing[i])))
            return true;
    return false;
}

bool sql_function_describe(size_t index, const char **signature, const char **help)
{
    if (index >= MR_COUNT(functions))
        return false;
    *signature = functions[index].signature;
    *help = functions[index].help;
    return true;
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

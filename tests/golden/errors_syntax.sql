-- test: texts that are no SQL
-- fails (next statement): line 1, column 1: unexpected "SELEC"; did you mean SELECT?
SELEC 1;
-- fails (next statement): line 1, column 8: "value" is a reserved word of Flink SQL: as a name write `value`
SELECT value FROM t;
-- fails (next statement): line 1, column 8: this string has no end: "'" is missing
SELECT 'a;

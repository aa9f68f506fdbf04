-- test: what Flink has and this version not is named
CREATE TABLE people (id INT, name ROW<title STRING, `first` STRING, `last` STRING>, age INT, city STRING, postcode STRING,
    height DOUBLE, tags ARRAY<STRING>, ok BOOLEAN)
  WITH ('connector' = 'file', 'path' = '$INPUT/people.jsonl', 'format' = 'json');
-- fails (next statement): line 1, column 30: GROUP BY is not there in this version
SELECT city, id FROM people  GROUP BY city;
-- fails (next statement): line 1, column 22: JOIN is not there in this version
SELECT * FROM people JOIN people AS p ON TRUE;
-- fails (next statement): line 1, column 25: ORDER BY is not there in this version
SELECT city FROM people ORDER BY city;
-- fails (next statement): line 1, column 8: the function SUM is not there in this version
SELECT SUM(age) FROM people;
-- fails (next statement): line 1, column 19: TIMESTAMP(9) is not there in this version: timestamps are kept in microseconds, (6)
CREATE TABLE x (a TIMESTAMP(9)) WITH ('connector' = 'print');

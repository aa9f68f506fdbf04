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
-- fails (next statement): line 1, column 19: the type DECIMAL is not there in this version; there are BOOLEAN, INT, BIGINT, FLOAT, DOUBLE, STRING (VARCHAR and CHAR are read as STRING), ROW<…> and ARRAY<…>
CREATE TABLE x (a DECIMAL(10, 2)) WITH ('connector' = 'print');

-- test: types that do not meet
CREATE TABLE people (id INT, name ROW<title STRING, `first` STRING, `last` STRING>, age INT, city STRING, postcode STRING,
    height DOUBLE, tags ARRAY<STRING>, ok BOOLEAN)
  WITH ('connector' = 'file', 'path' = '$INPUT/people.jsonl', 'format' = 'json');
CREATE TABLE kept (id BIGINT, name STRING, height DOUBLE)
  WITH ('connector' = 'file', 'path' = '$OUTPUT/kept.jsonl', 'format' = 'json');
-- fails (next statement): line 1, column 25: column 1 of the query is STRING, column "id" of kept is BIGINT: CAST it (or TRY_CAST)
INSERT INTO kept SELECT city, city, height FROM people;
-- fails (next statement): line 1, column 19: the query has 1 column, table kept has 3
INSERT INTO kept  SELECT id FROM people;
-- fails (next statement): line 1, column 36: =: STRING and INT are not one type; CAST one of them
SELECT id FROM people WHERE city = 1;
-- fails (next statement): line 1, column 29: WHERE wants a condition (BOOLEAN), this is INT
SELECT id FROM people WHERE age;

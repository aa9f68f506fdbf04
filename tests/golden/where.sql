-- test: a row is kept when its condition is TRUE, not when it is NULL
CREATE TABLE people (id INT, name ROW<title STRING, `first` STRING, `last` STRING>, age INT, city STRING, postcode STRING,
    height DOUBLE, tags ARRAY<STRING>, ok BOOLEAN)
  WITH ('connector' = 'file', 'path' = '$INPUT/people.jsonl', 'format' = 'json');
SELECT id FROM people WHERE age > 20;
-- rows
-- 1
-- 3
SELECT id FROM people WHERE NOT (age > 20);
-- rows
-- 4
-- 5
SELECT id FROM people WHERE age IS NULL OR city = 'York';
-- rows
-- 2
-- 5
SELECT id FROM people WHERE ok AND id < 4;
-- rows
-- 1
SELECT id FROM people WHERE FALSE;
-- rows

-- test: LIMIT ends a SELECT
CREATE TABLE people (id INT, name ROW<title STRING, `first` STRING, `last` STRING>, age INT, city STRING, postcode STRING,
    height DOUBLE, tags ARRAY<STRING>, ok BOOLEAN)
  WITH ('connector' = 'file', 'path' = '$INPUT/people.jsonl', 'format' = 'json');
SELECT id FROM people LIMIT 2;
-- rows
-- 1
-- 2
SELECT id FROM people WHERE id > 1 LIMIT 1;
-- rows
-- 2

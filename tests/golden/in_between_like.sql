-- test: IN, BETWEEN, LIKE
CREATE TABLE people (id INT, name ROW<title STRING, `first` STRING, `last` STRING>, age INT, city STRING, postcode STRING,
    height DOUBLE, tags ARRAY<STRING>, ok BOOLEAN)
  WITH ('connector' = 'file', 'path' = '$INPUT/people.jsonl', 'format' = 'json');
SELECT id FROM people WHERE city IN ('Lyon', 'York');
-- rows
-- 3
-- 5
SELECT id FROM people WHERE city NOT IN ('Lyon', 'York');
-- rows
-- 1
-- 2
SELECT id FROM people WHERE age BETWEEN 17 AND 36;
-- rows
-- 1
-- 5
SELECT id FROM people WHERE name.`last` LIKE '%e%' OR city LIKE '_ork';
-- rows
-- 2
-- 3
-- 5

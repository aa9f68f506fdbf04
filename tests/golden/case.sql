-- test: branches not taken do not fail
CREATE TABLE people (id INT, name ROW<title STRING, `first` STRING, `last` STRING>, age INT, city STRING, postcode STRING,
    height DOUBLE, tags ARRAY<STRING>, ok BOOLEAN)
  WITH ('connector' = 'file', 'path' = '$INPUT/people.jsonl', 'format' = 'json');
SELECT id, CASE WHEN age IS NULL THEN 'unknown' WHEN age < 18 THEN 'minor' ELSE 'adult' END,
  CASE city WHEN 'Lyon' THEN 1 WHEN 'Cork' THEN 2 END, CASE WHEN age > 0 THEN 100 / age ELSE -1 END FROM people;
-- rows
-- 1 | adult | NULL | 2
-- 2 | unknown | 2 | -1
-- 3 | adult | 1 | 1
-- 4 | minor | NULL | -1
-- 5 | minor | NULL | 5

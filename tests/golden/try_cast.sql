-- test: TRY_CAST gives NULL where CAST would fail
CREATE TABLE people (id INT, name ROW<title STRING, `first` STRING, `last` STRING>, age INT, city STRING, postcode STRING,
    height DOUBLE, tags ARRAY<STRING>, ok BOOLEAN)
  WITH ('connector' = 'file', 'path' = '$INPUT/people.jsonl', 'format' = 'json');
SELECT id, TRY_CAST(postcode AS INT), CAST(age AS STRING), CAST(height AS INT) FROM people;
-- rows
-- 1 | 10000 | 36 | 1
-- 2 | NULL | NULL | 1
-- 3 | 69001 | 51 | NULL
-- 4 | NULL | 0 | 0
-- 5 | NULL | 17 | 2

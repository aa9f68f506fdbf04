-- test: elements count from 1; beyond the end is NULL
CREATE TABLE people (id INT, name ROW<title STRING, `first` STRING, `last` STRING>, age INT, city STRING, postcode STRING,
    height DOUBLE, tags ARRAY<STRING>, ok BOOLEAN)
  WITH ('connector' = 'file', 'path' = '$INPUT/people.jsonl', 'format' = 'json');
SELECT tags[1], tags[3], CARDINALITY(tags) FROM people;
-- rows
-- a | NULL | 2
-- NULL | NULL | 0
-- c | NULL | 1
-- NULL | NULL | NULL
-- d | f | 3

-- test: what is inserted can be read again
CREATE TABLE people (id INT, name ROW<title STRING, `first` STRING, `last` STRING>, age INT, city STRING, postcode STRING,
    height DOUBLE, tags ARRAY<STRING>, ok BOOLEAN)
  WITH ('connector' = 'file', 'path' = '$INPUT/people.jsonl', 'format' = 'json');
CREATE TABLE kept (id BIGINT, name STRING, height DOUBLE)
  WITH ('connector' = 'file', 'path' = '$OUTPUT/kept.jsonl', 'format' = 'json');
INSERT INTO kept SELECT id, name.`first`, height FROM people WHERE id <> 4;
SELECT * FROM kept;
-- rows
-- 1 | Ada | 1.7
-- 2 | Ben | 1.82
-- 3 | Cléo | NULL
-- 5 | Dan | 2.0

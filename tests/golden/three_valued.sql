-- test: AND, OR, NOT and comparison with NULL
CREATE TABLE people (id INT, name ROW<title STRING, `first` STRING, `last` STRING>, age INT, city STRING, postcode STRING,
    height DOUBLE, tags ARRAY<STRING>, ok BOOLEAN)
  WITH ('connector' = 'file', 'path' = '$INPUT/people.jsonl', 'format' = 'json');
SELECT id, ok, ok AND age > 20, ok OR age > 20, NOT ok, ok IS NOT TRUE FROM people;
-- rows
-- 1 | TRUE | TRUE | TRUE | FALSE | FALSE
-- 2 | FALSE | FALSE | NULL | TRUE | TRUE
-- 3 | NULL | NULL | TRUE | NULL | TRUE
-- 4 | TRUE | FALSE | TRUE | FALSE | FALSE
-- 5 | FALSE | FALSE | FALSE | TRUE | TRUE

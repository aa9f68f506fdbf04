-- test: columns, nested fields, aliases
CREATE TABLE people (id INT, name ROW<title STRING, `first` STRING, `last` STRING>, age INT, city STRING, postcode STRING,
    height DOUBLE, tags ARRAY<STRING>, ok BOOLEAN)
  WITH ('connector' = 'file', 'path' = '$INPUT/people.jsonl', 'format' = 'json');
SELECT id, name.`first` AS first_name, p.name.title, p.city AS town FROM people AS p;
-- rows
-- 1 | Ada | Ms | Zagreb
-- 2 | Ben | Mr | Cork
-- 3 | Cléo | Mrs | Lyon
-- 4 | NULL | NULL | NULL
-- 5 | Dan | Dr | York

-- test: whole numbers stay whole and wrap; NULL spreads
CREATE TABLE people (id INT, name ROW<title STRING, `first` STRING, `last` STRING>, age INT, city STRING, postcode STRING,
    height DOUBLE, tags ARRAY<STRING>, ok BOOLEAN)
  WITH ('connector' = 'file', 'path' = '$INPUT/people.jsonl', 'format' = 'json');
SELECT age + 1, age / 2, age % 5, height * 2, -id, 2147483647 + id FROM people;
-- rows
-- 37 | 18 | 1 | 3.4 | -1 | -2147483648
-- NULL | NULL | NULL | 3.64 | -2 | -2147483647
-- 52 | 25 | 1 | NULL | -3 | -2147483646
-- 1 | 0 | 0 | -1.0 | -4 | -2147483645
-- 18 | 8 | 2 | 4.0 | -5 | -2147483644

-- test: COALESCE, NULLIF, IF, IFNULL
CREATE TABLE people (id INT, name ROW<title STRING, `first` STRING, `last` STRING>, age INT, city STRING, postcode STRING,
    height DOUBLE, tags ARRAY<STRING>, ok BOOLEAN)
  WITH ('connector' = 'file', 'path' = '$INPUT/people.jsonl', 'format' = 'json');
SELECT COALESCE(city, postcode, 'nowhere'), NULLIF(age, 0), IF(age > 30, 'old', 'young'), IFNULL(age, -1) FROM people;
-- rows
-- Zagreb | 36 | old | 36
-- Cork | NULL | young | -1
-- Lyon | 51 | old | 51
-- nowhere | NULL | young | 0
-- York | 17 | young | 17

-- test: a row that fails stops a SELECT, with its reason
CREATE TABLE people (id INT, name ROW<title STRING, `first` STRING, `last` STRING>, age INT, city STRING, postcode STRING,
    height DOUBLE, tags ARRAY<STRING>, ok BOOLEAN)
  WITH ('connector' = 'file', 'path' = '$INPUT/people.jsonl', 'format' = 'json');
-- fails (next statement): people, partition 0, offset 414 (sql.insert.select): EXPR$0: division by zero (/)
SELECT 10 / age FROM people;

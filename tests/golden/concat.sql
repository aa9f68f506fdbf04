-- test: CONCAT is NULL when one part is; numbers become text
CREATE TABLE people (id INT, name ROW<title STRING, `first` STRING, `last` STRING>, age INT, city STRING, postcode STRING,
    height DOUBLE, tags ARRAY<STRING>, ok BOOLEAN)
  WITH ('connector' = 'file', 'path' = '$INPUT/people.jsonl', 'format' = 'json');
SELECT CONCAT(name.title, '. ', name.`first`, ' ', name.`last`), CONCAT('#', id), 'x' || city FROM people;
-- rows
-- Ms. Ada Kovač | #1 | xZagreb
-- Mr. Ben O'Neil | #2 | xCork
-- Mrs. Cléo Petit | #3 | xLyon
-- NULL | #4 | NULL
-- NULL | #5 | xYork

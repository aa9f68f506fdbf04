-- test: every column of every row, in order
CREATE TABLE people (id INT, name ROW<title STRING, `first` STRING, `last` STRING>, age INT, city STRING, postcode STRING,
    height DOUBLE, tags ARRAY<STRING>, ok BOOLEAN)
  WITH ('connector' = 'file', 'path' = '$INPUT/people.jsonl', 'format' = 'json');
SELECT * FROM people;
-- rows
-- 1 | (Ms, Ada, Kovač) | 36 | Zagreb | 10000 | 1.7 | [a, b] | TRUE
-- 2 | (Mr, Ben, O'Neil) | NULL | Cork | T12 X8 | 1.82 | [] | FALSE
-- 3 | (Mrs, Cléo, Petit) | 51 | Lyon | 69001 | NULL | [c] | NULL
-- 4 | NULL | 0 | NULL | NULL | -0.5 | NULL | TRUE
-- 5 | (Dr, Dan, NULL) | 17 | York | YO1 7HH | 2.0 | [d, e, f] | FALSE

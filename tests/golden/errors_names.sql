-- test: names that are not there, with the nearest one
CREATE TABLE people (id INT, name ROW<title STRING, `first` STRING, `last` STRING>, age INT, city STRING, postcode STRING,
    height DOUBLE, tags ARRAY<STRING>, ok BOOLEAN)
  WITH ('connector' = 'file', 'path' = '$INPUT/people.jsonl', 'format' = 'json');
-- fails (next statement): line 1, column 8: no column "ciyt" in people; did you mean "city"?
SELECT ciyt FROM people;
-- fails (next statement): line 2, column 6: no table "poeple"; did you mean "people"?
SELECT city
FROM poeple;
-- fails (next statement): line 1, column 8: no field "frist" in ROW<`title` STRING, `first` STRING, `last` STRING>; did you mean "first"?
SELECT name.frist FROM people;
-- fails (next statement): line 1, column 8: no function "UPER"; did you mean "UPPER"?
SELECT UPER(city) FROM people;

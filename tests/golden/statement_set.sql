-- test: two INSERTs read one source
CREATE TABLE people (id INT, name ROW<title STRING, `first` STRING, `last` STRING>, age INT, city STRING, postcode STRING,
    height DOUBLE, tags ARRAY<STRING>, ok BOOLEAN)
  WITH ('connector' = 'file', 'path' = '$INPUT/people.jsonl', 'format' = 'json');
CREATE TABLE kept (id BIGINT, name STRING, height DOUBLE)
  WITH ('connector' = 'file', 'path' = '$OUTPUT/kept.jsonl', 'format' = 'json');
CREATE TABLE young (id INT) WITH ('connector' = 'file', 'path' = '$OUTPUT/young.jsonl', 'format' = 'json');
EXECUTE STATEMENT SET BEGIN
  INSERT INTO kept SELECT id, city, 0 FROM people WHERE age >= 18;
  INSERT INTO young SELECT id FROM people WHERE age < 18;
END;
SELECT * FROM kept;
-- rows
-- 1 | Zagreb | 0.0
-- 3 | Lyon | 0.0
SELECT * FROM young;
-- rows
-- 4
-- 5

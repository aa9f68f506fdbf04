-- test: csv is read and written, with its options; what was written is read again
-- compare: rows in any order
CREATE TABLE orders (id INT, name STRING, amount DECIMAL(10, 2), made TIMESTAMP(3), tags ARRAY<STRING>)
  WITH ('connector' = 'file', 'path' = '$INPUT/orders.csv', 'format' = 'csv', 'csv.allow-comments' = 'true');
SELECT id, '[' || name || ']', amount, made, tags FROM orders;
-- rows
-- 1 | [Ada, "the first"] | 12.50 | 2024-02-29 01:02:03.500 | [a, b]
-- 2 | [ spaced ] | NULL | 2024-02-29 00:00:00.000 | []
-- NULL | [] | 0.01 | NULL | [x]
SET 'execution.runtime-mode' = 'batch';
CREATE TABLE copy (id INT, name STRING, amount DECIMAL(10, 2), made TIMESTAMP(3), tags ARRAY<STRING>)
  WITH ('connector' = 'file', 'path' = '$OUTPUT/copy.csv', 'format' = 'csv', 'csv.field-delimiter' = ';', 'csv.null-literal' = 'n/a',
        'csv.array-element-delimiter' = '|');
SET 'pipeline.name' = 'copy';
INSERT INTO copy SELECT * FROM orders WHERE id = 1;
-- fails (next statement): line 1, column 14: table bad: column "m": format csv can't carry this MAP
CREATE TABLE bad (m MAP<STRING, INT>) WITH ('connector' = 'file', 'path' = 'x.csv', 'format' = 'csv');
-- fails (next statement): line 1, column 14: table bad: format raw wants exactly one column, here are 2
CREATE TABLE bad (a STRING, b STRING) WITH ('connector' = 'file', 'path' = 'x', 'format' = 'raw');
-- fails (next statement): line 1, column 14: table bad: option 'csv.field-delimiter' = 'ab' is not one ASCII character
CREATE TABLE bad (a STRING) WITH ('connector' = 'file', 'path' = 'x', 'format' = 'csv', 'csv.field-delimiter' = 'ab');
-- fails (next statement): line 1, column 96: option "csv.ignore-parse-errors" = "true" is not there: nothing is dropped silently here; what to do with a bad record says SET 'records.on-error' = 'dlq', 'fail' or 'skip'
CREATE TABLE bad (a STRING) WITH ('connector' = 'file', 'path' = 'x.csv', 'format' = 'csv',    'csv.ignore-parse-errors' = 'true');
-- fails (next statement): line 1, column 19: connector "file" has no metadata
CREATE TABLE bad (a STRING METADATA) WITH ('connector' = 'file', 'path' = 'x.csv', 'format' = 'csv');

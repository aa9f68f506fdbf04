-- test: with skip, bad records and failed casts are left out
CREATE TABLE bad (id INT, n STRING) WITH ('connector' = 'file', 'path' = '$INPUT/bad.jsonl', 'format' = 'json');
SET 'records.on-error' = 'skip';
SELECT id, CAST(n AS INT) + 1 FROM bad;
-- rows
-- 1 | 11
-- 4 | 41

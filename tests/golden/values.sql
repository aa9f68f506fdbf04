-- test: rows without a table
SELECT 1 + 1, 'a';
-- rows
-- 2 | a
SELECT y, x * 2 FROM (VALUES (1, 'a'), (2, NULL)) AS t(x, y);
-- rows
-- a | 2
-- NULL | 4
VALUES (1), (2.5);
-- rows
-- 1.0
-- 2.5

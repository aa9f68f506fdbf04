-- test: columns not named are NULL; whole numbers widen
CREATE TABLE kept (id BIGINT, name STRING, height DOUBLE)
  WITH ('connector' = 'file', 'path' = '$OUTPUT/kept.jsonl', 'format' = 'json');
INSERT INTO kept (height, id) VALUES (1, 7), (2.5, 8);
SELECT * FROM kept;
-- rows
-- 7 | NULL | 1.0
-- 8 | NULL | 2.5

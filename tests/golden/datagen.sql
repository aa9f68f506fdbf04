-- test: rows made up, as sequences
CREATE TABLE g (id BIGINT NOT NULL, code STRING, r ROW<n INT>)
    WITH ('connector' = 'datagen', 'rows-per-second' = '1000000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1',
          'fields.id.end' = '5', 'fields.code.kind' = 'sequence', 'fields.code.start' = '-1', 'fields.code.end' = '9',
          'fields.r.n.min' = '7', 'fields.r.n.max' = '7');
SELECT id, code, r.n + 1 FROM g WHERE id <> 3;
-- rows
-- 1 | -1 | 8
-- 2 | 0 | 8
-- 4 | 2 | 8
-- 5 | 3 | 8
-- test: so many rows
CREATE TABLE few (s STRING, b BYTES, t TINYINT, d DECIMAL(4, 1), made_on DATE, made_at TIMESTAMP(3), list ARRAY<INT>)
    WITH ('connector' = 'datagen', 'rows-per-second' = '1000000', 'number-of-rows' = '3', 'fields.s.length' = '6',
          'fields.t.null-rate' = '1');
SELECT CHAR_LENGTH(s), t, d < 1000, made_on = CURRENT_DATE, made_at <= LOCALTIMESTAMP, CARDINALITY(list) FROM few;
-- rows
-- 6 | NULL | TRUE | TRUE | TRUE | 3
-- 6 | NULL | TRUE | TRUE | TRUE | 3
-- 6 | NULL | TRUE | TRUE | TRUE | 3
-- fails (next statement): line 1, column 55: option "fields.b.kind": the table has no such column
CREATE TABLE t (a INT) WITH ('connector' = 'datagen', 'fields.b.kind' = 'random');
-- fails (next statement): line 1, column 55: option "fields.a.mni" ends with none of .kind, .min, .max, .start, .end, .length, .null-rate, .max-past
CREATE TABLE t (a INT) WITH ('connector' = 'datagen', 'fields.a.mni' = '1');

-- test: questions about tables
CREATE TABLE t (a INT NOT NULL, b ROW<c ARRAY<STRING>>, PRIMARY KEY (a) NOT ENFORCED) WITH ('connector' = 'print');
SHOW TABLES;
-- rows
-- t
DESCRIBE t;
-- rows
-- a | INT | FALSE | PRI
-- b | ROW<`c` ARRAY<STRING>> | TRUE | NULL
DROP TABLE t;
SHOW TABLES;
-- rows
-- fails (next statement): line 1, column 12: no table "t"
DROP TABLE t;
DROP TABLE IF EXISTS t;

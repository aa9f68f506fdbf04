-- test: questions about queries
SHOW QUERIES;
-- rows
-- fails (next statement): line 1, column 6: SHOW CURRENT is not there in this version
SHOW CURRENT CATALOG;
-- test: the words of START QUERY and STOP QUERY are names elsewhere, but START, which Flink reserves
SELECT 1 AS stop, 2 AS query, 3 AS functions;
-- rows
-- 1 | 2 | 3
-- fails (next statement): line 1, column 13: "start" is a reserved word of Flink SQL: as a name write `start`
SELECT 1 AS start;

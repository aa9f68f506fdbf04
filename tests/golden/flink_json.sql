-- test: JSON paths, as Flink 1.20 answers
SELECT JSON_VALUE('{"a":{"b":5}}','$.a.b'),
    JSON_VALUE('{"a":[1,2]}','$.a[1]'),
    JSON_VALUE('{"a":true}','$.a' RETURNING BOOLEAN),
    JSON_VALUE('{"a":{}}','$.a'),
    JSON_VALUE('{"a":1}','$.x'),
    JSON_VALUE('{"a":1}','lax $.x' DEFAULT 'd' ON EMPTY),
    JSON_EXISTS('{"a":1}','$.a'),
    JSON_EXISTS('{"a":1}','$.b'),
    JSON_VALUE('not json','$.a'),
    JSON_QUERY('{"a":[1,2]}','$.a');
-- rows
-- 5 | 2 | TRUE | NULL | NULL | d | TRUE | FALSE | NULL | [1,2]
SELECT JSON_VALUE('{"a":1.50}','$.a'),
    JSON_VALUE('{"a":null}','$.a');
-- rows
-- 1.5 | NULL

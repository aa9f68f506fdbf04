-- test: functions on text count characters
SELECT UPPER('é'), LOWER('ÀB'), CHAR_LENGTH('漢字'), SUBSTRING('漢字かな' FROM 2 FOR 2), TRIM(' a '), REPLACE('a-b', '-', '+');
-- rows
-- É | àb | 2 | 字か | a | a+b

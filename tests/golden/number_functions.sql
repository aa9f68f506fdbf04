-- test: functions on numbers
SELECT ABS(-3), ROUND(2.675, 2), FLOOR(-1.5), CEIL(1.2), MOD(7, 3), SQRT(16), POWER(2, 3);
-- rows
-- 3 | 2.68 | -2 | 2 | 1 | 4.0 | 8.0

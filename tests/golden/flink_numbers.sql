-- test: numbers and their functions, as Flink 1.20 answers
SELECT 1.5*2.25,
    1.10+2,
    10.0/3,
    1/3.0,
    CHR(65),
    GREATEST(1,2,3),
    LEAST(1,2.5),
    SIGN(-5),
    SIGN(-5.5),
    LN(1);
-- rows
-- 3.375 | 3.10 | 3.333333333333 | 0.333333 | A | 3 | 1.0 | -1 | -1.0 | 0.0
SELECT EXP(0),
    LOG10(100),
    LOG2(8),
    LOG(2,8),
    LOG(1),
    PI(),
    E(),
    SIN(0),
    ROUND(2.5),
    ROUND(3.14159,2);
-- rows
-- 1.0 | 2.0 | 3.0 | 3.0 | 0.0 | 3.141592653589793 | 2.718281828459045 | 0.0 | 3 | 3.14
SELECT ROUND(-2.5),
    ROUND(1234,-2),
    TRUNCATE(3.999,1),
    FLOOR(-1.5),
    CEIL(1.2),
    ABS(-1.5),
    MOD(7.5,2),
    POWER(2,10),
    SQRT(2),
    HEX(255);
-- rows
-- -3 | 1200 | 3.9 | -2 | 2 | 1.5 | 1.5 | 1024.0 | 1.4142135623730951 | FF
SELECT BIN(5),
    1.0 = 1,
    0.1+0.2 = 0.3,
    5/2,
    5.0/2,
    -5/2,
    ARRAY[1,2];
-- rows
-- 101 | TRUE | TRUE | 2 | 2.500000000000 | -2 | [1, 2]

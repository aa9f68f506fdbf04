-- test: functions on text, as Flink 1.20 answers
SELECT POSITION('b' IN 'abc'),
    POSITION('' IN 'abc'),
    LOCATE('b','abcb',3),
    INSTR('abc','c'),
    LPAD('abc',5,'xy'),
    LPAD('abc',2,'x'),
    RPAD('abc',6,'xy'),
    REVERSE('añb'),
    REPEAT('ab',3),
    REPEAT('ab',0);
-- rows
-- 2 | 1 | 4 | 3 | xyabc | ab | abcxyx | bña | ababab | 
SELECT REPEAT('ab',-1),
    SPLIT_INDEX('a,b,c',',',1),
    SPLIT_INDEX('a,b,c',',',5),
    SPLIT_INDEX('a,b,c',',',-1),
    SPLIT_INDEX('a;b',';',0),
    INITCAP('hello wORLD foo-bar'),
    ASCII('abc'),
    OVERLAY('abcdef' PLACING 'XX' FROM 2 FOR 3),
    OVERLAY('abcdef' PLACING 'XX' FROM 2),
    REGEXP_REPLACE('foobar','o+|a','x');
-- rows
--  | b | NULL | NULL | a | Hello World Foo-Bar | 97 | aXXef | aXXdef | fxbxr
SELECT REGEXP('abc','b'),
    REGEXP_REPLACE('a1b2','([a-z])(\d)','$2$1'),
    'abc' SIMILAR TO 'a(b|c)*',
    'abc' SIMILAR TO '%c',
    'abc' LIKE 'A%',
    'a%c' LIKE 'a\%c',
    'axc' LIKE 'a\%c',
    HEX('abc'),
    MD5('abc'),
    SHA1('abc');
-- rows
-- TRUE | $2$1$2$1 | TRUE | TRUE | FALSE | FALSE | FALSE | 616263 | 900150983cd24fb0d6963f7d28e17f72 | a9993e364706816aba3e25717850c26c9cd0d89d
SELECT SHA256('abc'),
    TO_BASE64('hello'),
    FROM_BASE64('aGVsbG8='),
    x'01' = x'01',
    MAP['a',1,'b',2]['b'],
    MAP['a',1],
    CARDINALITY(MAP['a',1]);
-- rows
-- ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad | aGVsbG8= | hello | TRUE | 2 | {a=1} | 1

-- test: moments are shown, read and become dates in the session's zone; times that are skipped or come twice as java.time has them
SET 'table.local-time-zone' = 'Europe/Berlin';
SELECT TO_TIMESTAMP_LTZ(1711846799, 0), TO_TIMESTAMP_LTZ(1711846800, 0), CAST(TO_TIMESTAMP_LTZ(1711839600, 0) AS DATE),
       CAST(TO_TIMESTAMP_LTZ(1711846800000) AS TIMESTAMP(3)), FROM_UNIXTIME(0), UNIX_TIMESTAMP('1970-01-01 01:00:00');
-- rows
-- 2024-03-31 01:59:59.000 | 2024-03-31 03:00:00.000 | 2024-03-31 | 2024-03-31 03:00:00.000 | 1970-01-01 01:00:00 | 0
SELECT CAST(TIMESTAMP '2024-03-31 02:30:00' AS TIMESTAMP_LTZ(0)), CAST('2024-10-27 02:30:00' AS TIMESTAMP_LTZ(0)),
       UNIX_TIMESTAMP('2024-10-27 02:30:00'), CAST('2024-07-01 12:00:00Z' AS TIMESTAMP_LTZ(0));
-- rows
-- 2024-03-31 03:30:00 | 2024-10-27 02:30:00 | 1729989000 | 2024-07-01 14:00:00
-- fails (next statement): line 1, column 31: this system has no time zone 'Europe/Berln' (/usr/share/zoneinfo/Europe/Berln)
SET 'table.local-time-zone' = 'Europe/Berln';
-- fails (next statement): line 1, column 31: '../x' is no name of a time zone such as 'Europe/Berlin' or '+01:00'
SET 'table.local-time-zone' = '../x';

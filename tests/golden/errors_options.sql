-- test: options are checked
-- fails (next statement): line 2, column 73: unknown option "pth" of connector "file"; did you mean "path"?
CREATE TABLE x (a INT)
  WITH ('connector' = 'file', 'path' = '$INPUT/x', 'format' = 'json',    'pth' = 'y');
-- fails (next statement): line 1, column 44: no connector "fiel"; did you mean "file"?
CREATE TABLE x (a INT) WITH ('connector' = 'fiel', 'path' = 'x');
-- fails (next statement): line 1, column 5: unknown setting "records.onerror"; did you mean "records.on-error"?
SET 'records.onerror' = 'skip';

"""millrace cql: statements and files of them, tables and JSON, against our own tables."""
import json
import os
import pty

import pytest

from millrace import BINARY, millrace

SCHEMA = """-- a comment; with a semicolon
CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
USE ks; /* another; */
CREATE TABLE people (id text PRIMARY KEY, n int, f float, d double, b boolean, big bigint);
BEGIN UNLOGGED BATCH
  INSERT INTO people (id, n, f, d, b, big) VALUES ('a;', 1, 0.1, 1.5, true, 12345678901);
  INSERT INTO people (id, n) VALUES ('b''s', 2);
APPLY BATCH;
"""


@pytest.fixture(scope="module")
def cql(server):
    def run(*args, **named):
        return millrace("cql", "--cassandra", server.ready["cql"], *args, **named)
    code, _, err = run(text_input=SCHEMA)
    assert code == 0, err
    return run


def done(result):
    code, out, err = result
    assert code == 0, err
    return out


def test_rows(cql):
    shown = done(cql("-e", "SELECT * FROM ks.people")).splitlines()
    assert shown[0].split() == ["id", "b", "big", "d", "f", "n"] and shown[-1] == "(2 rows)"
    assert sorted(line.split()[0] for line in shown[1:3]) == ["a;", "b's"]
    rows = [json.loads(line) for line in done(cql("-e", "SELECT * FROM ks.people", "-o", "json")).splitlines()]
    rows.sort(key=lambda row: row["id"])
    assert rows[0] == {"id": "a;", "b": True, "big": 12345678901, "d": 1.5, "f": 0.1, "n": 1}
    assert rows[1] == {"id": "b's", "b": None, "big": None, "d": None, "f": None, "n": 2}


def test_several_statements_and_a_keyspace(cql):
    shown = done(cql("-k", "ks", "-e", "SELECT n FROM people WHERE id = 'a;'; SELECT id FROM people WHERE id = 'x'"))
    assert shown == "n\n1\n\n(1 row)\n\n(0 rows)\n"


def test_describe_prints_statements(cql):
    shown = done(cql("-e", "DESCRIBE TABLE ks.people"))
    assert shown.startswith("CREATE TABLE ks.people (\n    id text PRIMARY KEY,\n")


def test_more_than_a_page(cql):
    done(cql("-e", "CREATE TABLE ks.many (id int PRIMARY KEY)"))
    done(cql(text_input="".join(f"INSERT INTO ks.many (id) VALUES ({i});\n" for i in range(2500))))
    rows = done(cql("-e", "SELECT id FROM ks.many", "-o", "json")).splitlines()
    assert sorted(json.loads(row)["id"] for row in rows) == list(range(2500))


@pytest.mark.parametrize("arguments, given, code, message", [
    (["-e", "SELEC 1"], None, 1, "SELEC"),
    (["-e", "SELECT * FROM ks.nothing"], None, 1, "nothing"),
    (["-k", "nope", "-e", "SELECT 1"], None, 1, "nope"),
    ([], "USE ks;\n\nSELECT * FROM nothing;\n", 1, "line 3: "),
    (["-u", "somebody", "-p", "wrong", "-e", "SELECT key FROM system.local"], None, 1, "somebody"),
    (["-f", "/no/such.cql"], None, 2, "/no/such.cql"),
])
def test_errors(cql, arguments, given, code, message):
    got, _, err = cql(*arguments, text_input=given)
    assert got == code and message in err, err


def test_the_first_error_ends_it(cql):
    one = "SELECT n FROM ks.people WHERE id = 'a;'"
    code, out, _ = cql("-o", "json", text_input=f"{one}; SELEC; {one}")
    assert code == 1 and out == '{"n":1}\n'


def test_a_file(cql, folder):
    (folder / "q.cql").write_text("SELECT n FROM ks.people WHERE id = 'a;'")
    assert done(cql("-f", folder / "q.cql", "-o", "json")) == '{"n":1}\n'
    assert done(cql("-e", "USE ks", "-f", folder / "q.cql", "-o", "json")) == '{"n":1}\n'


def test_nobody_listens(folder):
    code, _, err = millrace("cql", "--cassandra", "127.0.0.1:1", "-e", "SELECT 1")
    assert code == 1 and "127.0.0.1:1" in err and "refused" in err
    code, _, err = millrace("cql", "--data-dir", folder, "-e", "SELECT 1")
    assert code == 1 and "no server runs on" in err and "--cassandra HOST:PORT" in err


def test_fits_a_narrow_terminal(cql, server):
    pid, master = pty.fork()
    if pid == 0:
        os.environ["NO_COLOR"] = "1"
        arguments = ["cql", "--cassandra", server.ready["cql"], "-e", "SELECT * FROM system_schema.tables LIMIT 1"]
        os.system("stty cols 40")
        os.execv(BINARY, [str(BINARY), *arguments])
    shown = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:
            break
        shown += piece
    os.waitpid(pid, 0)
    os.close(master)
    lines = shown.decode().replace("\r", "").splitlines()
    assert lines[0] == "-- row 1" and any(line.strip().startswith("keyspace_name  ") for line in lines)

"""The interfaces that scripts rely on: commands, exit codes, the ready line, data directories."""
import json
import os
import socket
import stat
import subprocess

import pytest

from millrace import BINARY, Millrace, millrace


@pytest.mark.parametrize("command", ["run", "sql", "status", "simulate"])
def test_help_with_an_example(command):
    code, out, _ = millrace(command, "--help")
    assert code == 0
    assert f"Usage: millrace {command}" in out and "Example:\n  millrace" in out


def test_overview_and_version():
    assert millrace("--version")[1].startswith("millrace ")
    code, out, _ = millrace("--help")
    assert code == 0 and "Exit codes" in out


@pytest.mark.parametrize("arguments, code, message", [
    (["rnu"], 2, 'there is no command "rnu"; did you mean "run"?'),
    (["run", "--kafka-lisen", "x"], 2, "unknown option --kafka-lisen; did you mean --kafka-listen?"),
    (["run", "--durability", "fast"], 2, '"fast" is not synced|relaxed'),
    (["run", "/no/such/folder"], 3, "there is no file or folder /no/such/folder"),
    (["run", "--ephemeral", "--kafka-listen", "0.0.0.0:0"], 3, "there are no users yet"),
    (["run", "--ephemeral", "--kafka-listen", "nonsense"], 3, "kafka.listen"),
    (["status", "--data-dir", "/no/such"], 1, "no server runs on /no/such"),
])
def test_exit_codes(arguments, code, message):
    got, _, err = millrace(*arguments)
    assert message in err
    assert got == code


def test_settings_file_names_the_place(folder):
    (folder / "millrace.yaml").write_text("kafka:\n  lisen: 127.0.0.1:0\n")
    code, _, err = millrace("run", folder)
    assert code == 3 and 'millrace.yaml:2: unknown setting "kafka.lisen"; did you mean "kafka.listen"?' in err


def test_ready_line_and_status(data_dir):
    with Millrace(data_dir=data_dir) as server:
        assert set(server.ready) >= {"kafka", "cql", "http", "pid", "data_dir"}
        assert "token" not in server.ready
        assert stat.S_IMODE(os.stat(data_dir).st_mode) == 0o700
        assert stat.S_IMODE(os.stat(data_dir / "server.json").st_mode) == 0o600
        code, out, _ = millrace("status", "--data-dir", data_dir, "--output", "json")
        assert code == 0 and json.loads(out)["pid"] == server.ready["pid"]
    assert not (data_dir / "server.json").exists()


def test_data_dir_in_use(data_dir):
    with Millrace(data_dir=data_dir) as server:
        code, _, err = millrace("run", "--data-dir", data_dir)
        assert code == 4 and f"in use by process {server.ready['pid']}" in err


def test_data_dir_of_a_newer_format(data_dir):
    data_dir.mkdir(parents=True)
    (data_dir / "format").write_text("millrace 99\n")
    code, _, err = millrace("run", "--data-dir", data_dir)
    assert code == 4 and "format 99" in err
    assert (data_dir / "format").read_text() == "millrace 99\n"


def test_data_dir_that_is_something_else(folder):
    target = folder / "file"
    target.write_text("precious")
    code, _, err = millrace("run", "--data-dir", target)
    assert code == 4 and str(target) in err and target.read_text() == "precious"


def test_port_in_use(folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for part in ("kafka", "cql", "http"):
            code, _, err = millrace("run", "--ephemeral", f"--{part}-listen", address)
            assert code == 1 and address in err and "in use" in err


def test_ephemeral_leaves_nothing():
    with Millrace() as server:
        path = server.ready["data_dir"]
        assert os.path.isdir(path)
    assert not os.path.exists(path)


@pytest.mark.parametrize("output, expect", [
    ("tsv", "1\tNULL\tx y\n"),
    ("json", '{"a":1,"b":null,"c":"x y"}\n'),
    ("table", "a    | b    | c   \n-----+------+-----\n1    | NULL | x y\n"),
])
def test_sql_output(output, expect):
    statement = "SELECT 1 AS a, CAST(NULL AS INT) AS b, 'x y' AS c"
    code, out, err = millrace("sql", "--ephemeral", "-o", output, "-e", statement)
    assert code == 0, err
    rows = [line.rstrip() for line in out.splitlines()]
    lines = [line.rstrip() for line in expect.splitlines()]
    if output == "table":
        assert [r.split() for r in rows[::2]] == [r.split() for r in lines[::2]]
    else:
        assert rows == lines


def test_sql_reads_files_and_standard_input(folder):
    (folder / "people.jsonl").write_text('{"n": 1, "name": "Ada"}\n{"n": 2, "name": "Grace"}\n')
    text = """CREATE TABLE p (n INT, name STRING)
                WITH ('connector' = 'file', 'path' = 'people.jsonl', 'format' = 'json');
              SELECT name FROM p WHERE n > 1;"""
    (folder / "q.sql").write_text(text)
    for arguments, given in ((["-f", folder / "q.sql"], None), ([], text), (["-f", "-"], text)):
        code, out, err = millrace("sql", "--ephemeral", "-o", "json", *arguments, text_input=given, cwd=folder)
        assert code == 0, err
        assert out == '{"name":"Grace"}\n'


def test_sql_beside_a_running_server(data_dir):
    with Millrace(data_dir=data_dir):
        table = ("CREATE TABLE t (a INT) WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json',"
                 " 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');")
        assert millrace("sql", "--data-dir", data_dir, "-e", table + "INSERT INTO t VALUES (1), (2), (3)")[0] == 0
        code, out, err = millrace("sql", "--data-dir", data_dir, "-o", "json", "-e", table + "SELECT a + 1 AS b FROM t")
        assert code == 0, err
        assert out == '{"b":2}\n{"b":3}\n{"b":4}\n'


def test_no_colour_when_asked():
    done = subprocess.run([str(BINARY), "rnu"], capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})
    assert "\033[" not in done.stderr

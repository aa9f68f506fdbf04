"""millrace dag: list, trigger, pause, runs and logs of a running project's DAGs."""
import json
import subprocess

import pytest

from millrace import BINARY, DEADLINE_S, Millrace, fresh_dir, millrace, remove, wait_until

HELLO = """
description: says hello
params:
  name: world
tasks:
  - id: greet
    command: echo "hello $MILLRACE_PARAM_NAME"
  - id: bye
    depends_on: greet
    command: echo bye
"""
FAILS = """
tasks:
  - id: only
    command: echo trying; exit 3
"""
WAITS = """
tasks:
  - id: only
    command: echo begun; while ! [ -e "$MILLRACE_PARAM_UNTIL" ]; do sleep 0.05; done; echo done
params:
  until: /nonexistent
"""


@pytest.fixture(scope="module")
def folder():
    path = fresh_dir()
    (path / "dags").mkdir()
    for name, text in (("hello", HELLO), ("fails", FAILS), ("waits", WAITS)):
        (path / "dags" / f"{name}.yaml").write_text(text)
    with Millrace(project=path, data_dir=path / "data"):
        yield path
    remove(path)


@pytest.fixture
def dag(folder):
    def run(*args, **named):
        return millrace("dag", *args, "--data-dir", folder / "data", **named)
    return run


def done(result):
    code, out, err = result
    assert code == 0, err
    return out


def lines(result):
    return [json.loads(line) for line in done(result).splitlines()]


def test_list_and_pause(dag):
    assert {row["id"] for row in lines(dag("list", "-o", "json"))} == {"hello", "fails", "waits"}
    assert done(dag("pause", "hello", "fails")) == "hello paused\nfails paused\n"
    shown = {line.split()[0]: line.split() for line in done(dag("list")).splitlines()}
    assert "paused" in shown["hello"] and "paused" not in shown["waits"]
    assert lines(dag("unpause", "hello", "fails", "-o", "json"))[0] == {"dag": "hello", "paused": False}
    assert "paused" not in done(dag("list"))


def test_trigger_and_wait(dag):
    code, out, err = dag("trigger", "hello", "-p", "name=Ada", "--wait")
    assert code == 0 and "of hello: success" in out and "greet: success" in err
    assert [line.split()[:2] for line in out.splitlines()[3:5]] == [["greet", "success"], ["bye", "success"]]
    newest = lines(dag("runs", "hello", "-o", "json"))[0]
    assert newest["state"] == "success" and newest["params"] == {"name": "Ada"}
    assert newest["run"] in done(dag("runs", "hello"))
    (whole,) = lines(dag("runs", "hello", newest["run"], "-o", "json"))
    assert [task["id"] for task in whole["tasks"]] == ["greet", "bye"]
    logs = done(dag("logs", "hello"))
    assert "==> greet, attempt 1 <==\n" in logs and "\nhello Ada\n" in logs and "\nbye\n" in logs
    assert "hello Ada" not in done(dag("logs", "hello", newest["run"], "bye"))
    assert "==>" not in done(dag("logs", "hello", newest["run"], "greet", "--attempt", "1"))
    assert [row["task"] for row in lines(dag("logs", "hello", "-o", "json"))] == ["greet", "bye"]


def test_a_run_that_fails(dag):
    code, out, _ = dag("trigger", "fails", "--wait", "-o", "json")
    run = json.loads(out)
    assert code == 1 and run["state"] == "failed" and run["tasks"][0]["attempts"][0]["exit_code"] == 3
    assert "exit code 3" in done(dag("runs", "fails", run["run"]))


def test_follow_a_log(dag, folder):
    until = folder / "now"
    run = done(dag("trigger", "waits", "-p", f"until={until}")).strip()
    with subprocess.Popen([BINARY, "dag", "logs", "waits", run, "only", "--follow", "--data-dir", folder / "data"],
                          stdout=subprocess.PIPE, text=True) as reader:
        for line in reader.stdout:
            if line == "begun\n":
                break
        assert "running" in done(dag("runs", "waits", run))
        until.write_text("")
        rest = reader.stdout.read()
        assert "done\n" in rest and reader.wait(DEADLINE_S) == 0
    wait_until(lambda: "success" in done(dag("runs", "waits", run)), "the run has ended")


@pytest.mark.parametrize("arguments, code, message", [
    (["trigger", "helo"], 1, 'did you mean "hello"?'),
    (["trigger", "hello", "-p", "nme=x"], 1, 'did you mean "name"?'),
    (["trigger", "hello", "-p", "name"], 2, '"name" is not NAME=VALUE'),
    (["runs", "nothing"], 1, "nothing"),
    (["runs", "hello", "no-such-run"], 1, "no-such-run"),
    (["logs", "nothing"], 1, "nothing"),
    (["triger", "hello"], 2, 'did you mean "dag trigger"?'),
])
def test_errors(dag, arguments, code, message):
    got, _, err = dag(*arguments)
    assert got == code and message in err, err


def test_logs_of_a_task_that_is_not_there(dag):
    done(dag("trigger", "hello", "--wait"))
    run = lines(dag("runs", "hello", "-n", "1", "-o", "json"))[0]["run"]
    code, _, err = dag("logs", "hello", run, "nope")
    assert code == 1 and 'DAG "hello" has no task "nope"' in err

"""DAGs: triggered, paused, retried, and found again after kill -9 of the server inside a run."""
import json
import os
import signal
import textwrap
import urllib.error
import urllib.request

import pytest

from millrace import ROOT, Millrace, millrace, wait_until
from people_api import PeopleApi, people_500
from pipeline import check_tables, task_sql, wait_for_people, write_project


def call(server, path, body=None, method=None):
    """(status, answer): JSON is read, text stays text."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.http + path, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read().decode()
            return answer.status, json.loads(text) if "json" in answer.headers["Content-Type"] else text
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def get(server, path):
    status, answer = call(server, path)
    assert status == 200, answer
    return answer


def trigger(server, dag, params=None):
    status, answer = call(server, f"/api/dags/{dag}/trigger", {"params": params} if params else {}, "POST")
    assert status == 200, answer
    return answer["run"]


def run_of(server, dag, run):
    return get(server, f"/api/dags/{dag}/runs/{run}")


def wait_run(server, dag, run, state="success"):
    def there():
        answer = run_of(server, dag, run)
        return answer if answer["state"] == state else None
    return wait_until(there, f"run {run} of {dag} is {state}")


def log_of(server, dag, run, task, attempt=None):
    query = f"?attempt={attempt}" if attempt else ""
    return get(server, f"/api/dags/{dag}/runs/{run}/tasks/{task}/log{query}")


def write_dag(folder, name, text):
    (folder / "dags").mkdir(parents=True, exist_ok=True)
    (folder / "dags" / f"{name}.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


def process_is_there(pid):
    """Does it run?  A dead one may stay a zombie where nothing reaps orphans."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_run_over_http(folder, data_dir):
    write_dag(folder, "hello", """
        description: says hello
        params: {name: world, count: 1}
        tasks:
          - id: say
            command: |
              echo "hello $MILLRACE_PARAM_NAME $MILLRACE_PARAM_COUNT $COLOUR"
              echo "$MILLRACE_DAG $MILLRACE_RUN $MILLRACE_ATTEMPT" >&2
              pwd
            env: {COLOUR: green}
          - {id: fail, command: exit 3, depends_on: say}
          - {id: never, command: exit 0, depends_on: fail}
        """)
    with Millrace(project=folder, data_dir=data_dir) as server:
        dag = get(server, "/api/dags")["dags"][0]
        assert (dag["id"], dag["schedule"], dag["paused"], dag["last_run"]) == ("hello", None, False, None)
        run = trigger(server, "hello", {"name": "you; rm -rf $HOME", "count": 2})
        answer = wait_run(server, "hello", run, "failed")
        assert answer["params"] == {"name": "you; rm -rf $HOME", "count": "2"}
        assert [(task["id"], task["state"]) for task in answer["tasks"]] == [
            ("say", "success"), ("fail", "failed"), ("never", "upstream_failed")]
        attempt = answer["tasks"][1]["attempts"][0]
        assert (attempt["exit_code"], attempt["error"]) == (3, "exit code 3")
        text = log_of(server, "hello", run, "say")
        lines = [line for line in text.splitlines() if not line.startswith("millrace ")]
        assert lines == ["hello you; rm -rf $HOME 2 green", f"hello {run} 1", str(folder)]
        path = data_dir / "scheduler" / "logs" / "hello" / run / "say" / "1.log"
        assert path.read_text() == text and path.stat().st_mode & 0o777 == 0o600
        metrics = urllib.request.urlopen(server.http + "/metrics").read().decode()
        assert 'millrace_dag_runs_total{dag="hello",state="failed"} 1' in metrics


def test_wrong_requests(folder, data_dir):
    write_dag(folder, "hello", "params: {name: world}\ntasks: [{id: say, command: 'true'}]")
    with Millrace(project=folder, data_dir=data_dir) as server:
        def refused(path, body=None, method=None):
            status, answer = call(server, path, body, method)
            return status, answer["error"]
        assert refused("/api/dags/helo/trigger", {}, "POST") == (404, 'there is no DAG "helo"; did you mean "hello"?')
        status, text = refused("/api/dags/hello/trigger", {"params": {"nam": 1}}, "POST")
        assert status == 400 and 'did you mean "name"' in text
        # Nothing that arrives over a socket defines a task.
        for body in ({"command": "true"}, {"tasks": []}, {"params": {"name": ["a"]}}, [], {"params": []}):
            assert refused("/api/dags/hello/trigger", body, "POST")[0] == 400
        assert refused("/api/dags/hello/runs/none")[0] == 404
        assert refused("/api/dags/hello/runs/..%2f..%2fx/tasks/say/log")[0] == 404
        assert refused("/api/dags/hello/runs?limit=0")[0] == 400
        run = trigger(server, "hello")
        assert refused(f"/api/dags/hello/runs/{run}/tasks/other/log")[0] == 404
        wait_run(server, "hello", run)
        assert refused(f"/api/dags/hello/runs/{run}/tasks/say/log?attempt=7")[0] == 404
        plain = urllib.request.Request(server.http + "/api/dags/hello/trigger", b"{}", {"Content-Type": "text/plain"})
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(plain)
        assert error.value.code == 415
        assert len(get(server, "/api/dags/hello/runs")["runs"]) == 1


def test_pause_is_kept(folder, data_dir):
    write_dag(folder, "hello", "tasks: [{id: say, command: 'true'}]")
    with Millrace(project=folder, data_dir=data_dir) as server:
        assert call(server, "/api/dags/hello/pause", {}, "POST")[1]["paused"] is True
        run = trigger(server, "hello")
    with Millrace(project=folder, data_dir=data_dir) as server:
        assert get(server, "/api/dags")["dags"][0]["paused"] is True
        assert run_of(server, "hello", run)["state"] == "queued"
        assert call(server, "/api/dags/hello/unpause", {}, "POST")[1]["paused"] is False
        wait_run(server, "hello", run)


@pytest.mark.parametrize("text, place, says", [
    ("tasks: [{id: a, command: x}]\nshedule: x", "2:1", 'did you mean "schedule"?'),
    ("tasks:\n  - id: a\n    sql: |\n      CREATE TABLE t (a INT) WITH ('connector' = 'blackhole');\n"
     "      INSERT INTO t SELECT b FROM t2;", "5:35", "t2"),
    ("tasks:\n  - id: a\n    sql: SELECT 1", "3:10", "nobody to show the rows"),
    ("tasks:\n  - id: a\n    file: ../outside.sql", "3:11", ""),
])
def test_a_wrong_file_is_refused(folder, text, place, says):
    project = folder / "project"
    write_dag(project, "bad", text)
    (folder / "outside.sql").write_text("SELECT 1")
    code, _, error = millrace("run", project, "--ephemeral")
    assert code == 3
    assert f"dags/bad.yaml:{place}: " in error and says in error


STEPS = """
    retries: {retries}
    retry_delay: 0 s
    tasks:
      - id: step
        command: |
          mkdir {work}/alone || echo "two at once" >> {work}/wrong
          echo $$ >> {work}/pids
          test -e {work}/go || {{ sleep 1000 & wait; }}
          rmdir {work}/alone
"""


def pids(folder):
    path = folder / "pids"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def start_step(server, folder):
    run = trigger(server, "steps")
    wait_until(lambda: len(pids(folder)) == 1, "the task's code runs")
    return run


def test_kill_inside_a_shell_run(folder, data_dir):
    write_dag(folder, "steps", STEPS.format(work=folder, retries=1))
    server = Millrace(project=folder, data_dir=data_dir).start()
    run = start_step(server, folder)
    second = trigger(server, "steps")
    server.kill()
    (left,) = pids(folder)
    assert process_is_there(left)
    children = set(leftovers(run))
    assert len(children) >= 2 and left in children      # the shell and its sleep
    (folder / "go").touch()
    (folder / "alone").rmdir()                          # what the killed one can't do itself
    with Millrace(project=folder, data_dir=data_dir) as server:
        answer = wait_run(server, "steps", run)
        assert not process_is_there(left) and not leftovers(run)
        states = [attempt["state"] for attempt in answer["tasks"][0]["attempts"]]
        assert states == ["failed", "success"]
        assert "the server ended while it ran" in log_of(server, "steps", run, "step", 1)
        wait_run(server, "steps", second)
    assert len(pids(folder)) == 3
    assert not (folder / "wrong").exists()


def leftovers(run):
    """The processes of RUN, by their environment."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as environ:
                if f"MILLRACE_RUN={run}".encode() in environ.read().split(b"\0"):
                    found.append(int(entry))
        except OSError:
            pass
    return found


def test_no_retry_that_is_not_allowed(folder, data_dir):
    write_dag(folder, "steps", STEPS.format(work=folder, retries=0))
    server = Millrace(project=folder, data_dir=data_dir).start()
    run = start_step(server, folder)
    server.kill()
    with Millrace(project=folder, data_dir=data_dir) as server:
        wait_run(server, "steps", run, "failed")
        assert not leftovers(run)
    assert len(pids(folder)) == 1


def test_stop_ends_what_runs(folder, data_dir):
    write_dag(folder, "steps", STEPS.format(work=folder, retries=1))
    with Millrace(project=folder, data_dir=data_dir) as server:
        run = start_step(server, folder)
    assert not leftovers(run)
    (folder / "go").touch()
    (folder / "alone").rmdir()
    with Millrace(project=folder, data_dir=data_dir) as server:
        wait_run(server, "steps", run)
    assert len(pids(folder)) == 2 and not (folder / "wrong").exists()


def test_a_process_that_does_not_listen(folder, data_dir):
    write_dag(folder, "deaf", f"""
        tasks:
          - id: a
            timeout: 300 ms
            command: |
              trap '' TERM
              echo $$ > {folder}/pid
              while true; do sleep 0.05; done
        """)
    with Millrace(project=folder, data_dir=data_dir) as server:
        run = trigger(server, "deaf")
        answer = wait_run(server, "deaf", run, "failed")
        attempt = answer["tasks"][0]["attempts"][0]
        assert "its timeout of 300 ms passed" in attempt["error"]
        assert attempt["exit_code"] == 128 + signal.SIGKILL
        assert not leftovers(run)


def write_people(folder, url, pages):
    """The example with its DAG, the API's address and paging a test's own, without a schedule."""
    write_project(folder, url, 5, pages, interval="20 ms")
    path = folder / "pipelines" / "random_names.sql"
    text, sql = path.read_text(), f"\nSET 'pipeline.name' = 'fetch_people';\n\n{task_sql()}"
    assert text.endswith(sql)
    path.write_text(text.removesuffix(sql))
    return write_dag(folder, "people", "tasks:\n  - id: fetch\n    sql: |\n" + textwrap.indent(task_sql(), "      "))


def test_kill_inside_a_sql_run(folder, data_dir):
    people = people_500()
    with PeopleApi(people) as api:
        write_people(folder, api.url, len(people) // 5)
        run, kills = None, 3
        for kill in range(kills):
            server = Millrace(project=folder, data_dir=data_dir).start()
            run = run or trigger(server, "people")
            wait_until(lambda kill=kill: len(api.requests) >= 20 * (kill + 1), "pages were asked for")
            server.kill()
        with Millrace(project=folder, data_dir=data_dir) as server:
            answer = wait_run(server, "people", run)
            check_tables(*wait_for_people(server.cql, len(people)), people)
            assert len(get(server, "/api/dags/people/runs")["runs"]) == 1
            attempts = answer["tasks"][0]["attempts"]
            assert [attempt["state"] for attempt in attempts] == ["up_for_retry"] * kills + ["success"]
            assert attempts[-1]["rows_in"] < len(people)          # it went on, and did not begin anew
            asked = sorted(api.requests)
            assert set(asked) == set(range(1, len(people) // 5 + 1))
            assert len(asked) <= len(people) // 5 + kills * 10    # since the last checkpoint, 100 ms ago at most
            # The next run begins anew.
            wait_run(server, "people", trigger(server, "people"))
            assert len(api.requests) == len(asked) + len(people) // 5


def test_the_example(data_dir):
    """As script/demo runs it: triggered at once, one person every 50 ms."""
    people = people_500()
    with PeopleApi(people) as api:
        settings = (f"random_user.url={api.url}?results=1,random_user.scan.interval=50 ms,"
                    "random_user.scan.duration=1 s")
        with Millrace("--trigger", "random_people_names", "--set", settings,
                      project=ROOT / "examples" / "random_names", data_dir=data_dir) as server:
            dag = get(server, "/api/dags")["dags"][0]
            assert (dag["schedule"], dag["owner"], dag["catchup"]) == ("0 1 * * *", "airflow", False)
            assert (dag["tasks"][0]["retries"], dag["tasks"][0]["retry_delay_ms"]) == (1, 5000)
            assert dag["start_date"] == "2018-12-21T12:12:00.000Z"
            # The triggered one, and the night before, which nobody had run yet.
            runs = wait_until(lambda: [run for run in get(server, "/api/dags/random_people_names/runs")["runs"]
                                       if run["state"] == "success"][1:], "two runs have ended")
            assert [run["kind"] for run in runs] == ["manual"]
            rows, _ = wait_for_people(server.cql, 1)
            assert rows
    example = ROOT / "examples" / "random_names"
    code, _, error = millrace("run", example, "--ephemeral", "--trigger", "random_people_name")
    assert code == 3 and 'did you mean "random_people_names"?' in error

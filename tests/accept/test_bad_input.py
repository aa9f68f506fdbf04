"""Whatever comes in wrong: a clear error or a dead letter; never a crash, never silence, never other data lost."""
import json
import shutil
import socket
import struct

import pytest
from confluent_kafka import Producer

from millrace import DEADLINE_S, Millrace, millrace, wait_until
from people_api import PeopleApi, people_500
from pipeline import wait_for_people, write_project
from test_clients_kafka import consume

TABLE = "CREATE TABLE people (full_name STRING, country STRING, age INT) WITH ('connector' = 'blackhole');\n"


@pytest.mark.parametrize("text, messages", [
    ("SELECT contry FROM (VALUES (1)) AS p(country)", ["line 1, column 8", 'did you mean "country"?']),
    ("SELEC 1", ["line 1, column 1"]),
    ("SELECT 1 +", ["line 1"]),
    ("CREATE TABLE t (a INT) WITH ('connector' = 'htp')", ['"htp"', 'did you mean "http"?']),
    ("CREATE TABLE t (a INT) WITH ('connector' = 'http', 'url' = 'http://x/', 'format' = 'json',"
     " 'scan.intervall' = '1 s')",
     ['"scan.intervall"', 'did you mean "scan.interval"?']),
    (TABLE + "INSERT INTO people SELECT 'a', 'b', 'c'", ["line 2", "age"]),
    ("SELECT * FROM nowhere", ["line 1, column 15", "nowhere"]),
    ("SELECT a FROM t GROUP BY a", ["GROUP BY"]),
    ("SELECT 'open", ["line 1"]),
])
def test_wrong_sql(text, messages):
    code, out, err = millrace("sql", "--ephemeral", "-e", text)
    assert code == 1 and out == ""
    for message in messages:
        assert message in err, err


def test_wrong_pipeline_stops_the_start(folder, data_dir):
    (folder / "pipelines").mkdir()
    (folder / "pipelines" / "broken.sql").write_text(
        "CREATE TABLE t (name STRING) WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json');\n"
        "INSERT INTO t\nSELECT nme FROM t;\n")
    code, _, err = millrace("run", folder, "--data-dir", data_dir, "--kafka-listen", "127.0.0.1:0", "--cql-listen",
                            "127.0.0.1:0", "--http-listen", "127.0.0.1:0")
    assert code == 3
    assert "broken.sql:3:8" in err and 'did you mean "name"?' in err


def http_table(url, **options):
    extra = "".join(f", '{key.replace('_', '.')}' = '{value}'" for key, value in options.items())
    return (f"CREATE TABLE u (gender STRING) WITH ('connector' = 'http', 'url' = '{url}', 'format' = 'json',"
            f" 'json.records' = '/results', 'http.retries' = '1', 'http.timeout' = '300 ms'{extra});"
            " SELECT gender FROM u;")


def test_wrong_urls():
    for url, message in (("ftp://x/", "ftp"), ("http://", "http://"), ("http://127.0.0.1:1/", "127.0.0.1:1")):
        code, _, err = millrace("sql", "--ephemeral", "-e", http_table(url))
        assert code == 1 and message in err, err


def never(handler, page, count):
    handler.connection.settimeout(DEADLINE_S)
    try:
        handler.connection.recv(1)      # until the client gives up
    except OSError:
        pass
    return True


def slowly(handler, page, count):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    handler.wfile.write(b"{")
    return never(handler, page, count)


@pytest.mark.parametrize("behave, message", [
    (lambda handler, *_: handler.answer(500, b"the database is away") or True, "500"),
    (lambda handler, *_: handler.answer(404, b"no such page") or True, "404"),
    (never, "time"),
    (slowly, "time"),
], ids=["500", "404", "never", "slowly"])
def test_an_api_in_trouble(behave, message):
    with PeopleApi([], behave) as api:
        code, _, err = millrace("sql", "--ephemeral", "-e", http_table(api.url))
    assert code == 1 and message in err.lower() and api.url.split("?")[0] in err


def read_headers(message):
    return {key: value.decode() for key, value in message.headers()}


def test_garbage_from_the_api_becomes_a_dead_letter(folder, data_dir):
    people = people_500()[:100]
    answers = {2: b"<html>we are down for maintenance</html>", 4: b'{"error": "too many"}'}

    def behave(handler, page, count):
        if page in answers:
            handler.answer(200, answers[page])
            return True
        return False

    with PeopleApi(people, behave) as api:
        write_project(folder, api.url, 20, 5)
        with Millrace(project=folder, data_dir=data_dir) as server:
            rows, _ = wait_for_people(server.cql, 60)
            letters = consume(server.kafka, "fetch_people.dlq", 2)
    assert len(rows) == 60
    assert [letter.value() for letter in letters] == [answers[2], answers[4]]
    assert all(read_headers(letter)["__connect.errors.exception.message"] for letter in letters)


def consume_until(bootstrap, topic, values):
    """A record that both tables refuse has a letter from each: read until every value of VALUES was seen."""
    letters, count = [], len(values)
    while not values <= {letter.value() for letter in letters}:
        letters = consume(bootstrap, topic, count)
        count += 1
    return letters


def test_bad_messages_become_dead_letters(folder, data_dir):
    """Not JSON, a wrong type, half a message, null: the good ones around them arrive, the bad ones are kept."""
    good = [json.dumps({"full_name": f"Ms. {n}", "latitude": 1.5, "postcode": str(n), "id": f"id-{n}"}).encode()
            for n in range(20)]
    bad = [b"not json", b'{"full_name": "cut', b'{"id": "x", "latitude": "north"}', b'["a list"]', b"\xff\xfe", b"{}",
           b'{"id": "y", "latitude": {"a": 1}}', b'{"id": null, "full_name": "nobody"}']
    with PeopleApi([]) as api:
        write_project(folder, api.url, 1, 1, interval="1 h")
        with Millrace(project=folder, data_dir=data_dir) as server:
            producer = Producer({"bootstrap.servers": server.kafka})
            for number, value in enumerate(good):
                producer.produce("random_names", value, key=b"k")
                if number < len(bad):
                    producer.produce("random_names", bad[number], key=f"bad-{number}".encode())
            assert producer.flush(DEADLINE_S) == 0
            rows, names = wait_for_people(server.cql, 20)
            letters = consume_until(server.kafka, "store_people.dlq", set(bad))
            code, out, _ = millrace("status", "--data-dir", data_dir, "--output", "json")
            assert code == 0
            query = [q for q in json.loads(out)["queries"] if q["name"] == "store_people"][0]
    assert len(rows) == 20
    by_value = {letter.value(): letter for letter in letters}
    assert set(bad) <= set(by_value)
    headers = read_headers(by_value[b"not json"])
    assert headers["__connect.errors.topic"] == "random_names"
    assert headers["__connect.errors.partition"] == "0"
    assert headers["__connect.errors.offset"] == "1"
    for name in ("connector.name", "task.id", "stage", "class.name", "exception.class.name", "exception.message"):
        assert headers[f"__connect.errors.{name}"] != ""
    assert by_value[b"not json"].key() == b"bad-0"
    assert query["state"] == "running" and query["dead_letters"] >= len(bad)


def test_fail_and_skip(folder):
    (folder / "in.jsonl").write_text('{"a": 1}\nnot json\n{"a": 3}\n')
    table = "CREATE TABLE t (a INT) WITH ('connector' = 'file', 'path' = 'in.jsonl', 'format' = 'json');"
    code, out, _ = millrace("sql", "--ephemeral", "-o", "json", "-e",
                            "SET 'records.on-error' = 'skip';" + table + "SELECT a FROM t", cwd=folder)
    assert code == 0 and '{"a":1}\n{"a":3}\n' in out
    code, _, err = millrace("sql", "--ephemeral", "-o", "json", "-e",
                            "SET 'records.on-error' = 'fail';" + table + "SELECT a FROM t", cwd=folder)
    assert code == 1 and "JSON" in err


def talk(address, data, answer_bytes=65536):
    """Sends DATA; what came back until the peer closed or fell silent (None: still open, nothing said)."""
    with socket.create_connection(address, timeout=DEADLINE_S) as conn:
        conn.settimeout(0.5)
        try:
            conn.sendall(data)
            conn.shutdown(socket.SHUT_WR)
            got = b""
            while True:
                part = conn.recv(answer_bytes)
                if not part:
                    return got
                got += part
        except socket.timeout:
            return None
        except OSError:
            return b""


HOSTILE = [
    b"", b"\x00", b"\xff" * 64, b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    struct.pack(">i", -1), struct.pack(">i", 2 ** 31 - 1), struct.pack(">i", 200 << 20) + b"x" * 100,
    struct.pack(">ihhih", 10, 999, 0, 1, -1), struct.pack(">ihhih", 10, 3, 99, 1, -1),
    struct.pack(">ihhihi", 14, 3, 4, 1, -1, 2 ** 31 - 1),                       # Metadata for 2 billion topics
    struct.pack(">BBhBi", 4, 0, 0, 5, 2 ** 31 - 1), struct.pack(">BBhBi", 4, 0, 0, 5, -1),
    struct.pack(">BBhBi", 4, 0, 0, 7, 4) + b"\x7f\xff\xff\xff",                 # a QUERY longer than its frame
    struct.pack(">BBhBi", 4, 0, 0, 1, 2) + b"\xff\xff", struct.pack(">BBhBi", 66, 0, 0, 5, 0),
    struct.pack(">BBhBi", 4, 0, 0, 99, 0), b"\x84" + b"\x00" * 8, b"A" * 100000,
    b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
]


@pytest.mark.parametrize("port", ["kafka", "cql", "http"])
def test_hostile_bytes_on_each_port(server, port):
    host, _, number = server.ready[port].rpartition(":")
    for data in HOSTILE:
        talk((host, int(number)), data)
    assert server.alive(), server.output()
    producer = Producer({"bootstrap.servers": server.kafka})
    producer.produce("after", b"x")
    assert producer.flush(DEADLINE_S) == 0


def test_foreign_hosts_and_bodies_are_refused(server):
    host, _, port = server.ready["http"].rpartition(":")
    answer = talk((host, int(port)), b"GET /api/status HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 421")


@pytest.fixture(scope="module")
def server():
    with Millrace() as running:
        yield running


def test_a_vanished_position_stops_the_query(folder, data_dir):
    """A topic made anew is not read from somewhere else in silence."""
    (folder / "pipelines").mkdir()
    (folder / "pipelines" / "q.sql").write_text(
        "CREATE TABLE t (a INT) WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json',"
        " 'scan.startup.mode' = 'earliest-offset');\n"
        "CREATE TABLE n (a INT) WITH ('connector' = 'blackhole');\nINSERT INTO n SELECT a FROM t;\n")

    def status():
        _, out, _ = millrace("status", "--data-dir", data_dir, "--output", "json")
        return json.loads(out)["queries"][0]

    with Millrace(project=folder, data_dir=data_dir) as server:
        producer = Producer({"bootstrap.servers": server.kafka})
        for n in range(10):
            producer.produce("t", json.dumps({"a": n}).encode())
        producer.flush(DEADLINE_S)
        wait_until(lambda: status()["rows_in"] >= 10 and status()["epoch"] > 0, "ten rows read")
    shutil.rmtree(data_dir / "log")
    with Millrace(project=folder, data_dir=data_dir) as server:
        failed = wait_until(lambda: status() if status()["state"] == "failed" else None, "the query stops")
        assert "t" in failed["error"] and ("missing" in failed["error"] or "gone" in failed["error"])

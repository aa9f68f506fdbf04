"""The page at / and what it asks for: topics, messages, tables, rows, the stream of events."""
import http.client
import json
import urllib.error
import urllib.request

import pytest
from confluent_kafka import Producer

from cql_raw import Cql
from millrace import DEADLINE_S, wait_until


def get(server, path):
    with urllib.request.urlopen(server.http + path, timeout=DEADLINE_S) as answer:
        return json.load(answer)


def refused(server, path):
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(server, path)
    return caught.value.code, json.load(caught.value)["error"]


@pytest.fixture(scope="module")
def filled(server):
    producer = Producer({"bootstrap.servers": server.kafka})
    for n in range(30):
        producer.produce("seen", json.dumps({"n": n}).encode(), key=f"k{n}", headers={"h": f"{n}"}, partition=0,
                         timestamp=1700000000000 + n)
    producer.produce("seen", b"\xff\xfe", partition=0, timestamp=1700000001000)
    producer.produce("seen", "ä".encode() * 20000, partition=0, timestamp=1700000002000)
    assert producer.flush(DEADLINE_S) == 0
    cql = Cql(server.cql)
    cql.query("CREATE KEYSPACE \"Shown\" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    cql.query("CREATE TABLE \"Shown\".rows (k int, c int, \"V\" double, tags set<text>, PRIMARY KEY (k, c))")
    for n in range(40):
        cql.query(f"INSERT INTO \"Shown\".rows (k, c, \"V\", tags) VALUES (1, {n}, {n}.097, {{'a', 'b'}}) "
                  f"USING TIMESTAMP {1000 + (n * 7) % 40}")
    return server


def test_page(server):
    with urllib.request.urlopen(server.http + "/", timeout=DEADLINE_S) as page:
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert b"<title>millrace</title>" in page.read()


def test_topics_and_messages(filled):
    topics = {t["name"]: t for t in get(filled, "/api/topics")["topics"]}
    assert topics["seen"] == {"name": "seen", "internal": False, "partitions": 1, "records": 32, "end": 32}
    messages = get(filled, "/api/topics/seen/messages?limit=4")["messages"]
    assert [m["offset"] for m in messages] == [31, 30, 29, 28]      # newest first
    assert messages[0]["value_bytes"] == 40000 and set(messages[0]["value"]) == {"ä"}
    assert "value_base64" in messages[1]
    assert (messages[2]["key"], json.loads(messages[2]["value"])) == ("k29", {"n": 29})
    assert messages[2]["headers"] == [{"name": "h", "value": "29"}]
    assert len(get(filled, "/api/topics/seen/messages?limit=500")["messages"]) == 32


def test_tables_and_rows(filled):
    assert {"keyspace": "Shown", "table": "rows"} in get(filled, "/api/tables")["tables"]
    assert not any(t["keyspace"].startswith("system") for t in get(filled, "/api/tables")["tables"])
    shown = get(filled, "/api/tables/Shown/rows/rows?limit=3")
    assert [c["name"] for c in shown["columns"]] == ["k", "c", "V", "tags"]
    assert [c["kind"] for c in shown["columns"]] == ["partition_key", "clustering", "regular", "regular"]
    assert shown["rows"][0] == [1, 17, 17.097, ["a", "b"]]          # the one written last, by its write time
    assert (len(shown["rows"]), shown["read"], shown["more"]) == (3, 40, False)


@pytest.mark.parametrize("path, code, words", [
    ("/api/topics/none/messages", 404, "there is no topic"),
    ("/api/tables/Shown/none/rows", 404, "there is no table Shown.none"),
    ("/api/tables/a'b/c\"d/rows", 404, "there is no table"),
    ("/api/topics/seen/messages?limit=0", 400, "limit"),
    ("/api/topics/seen/messages?limit=501", 400, "limit")])
def test_refusals(filled, path, code, words):
    got, message = refused(filled, path.replace('"', "%22"))
    assert got == code and words in message


def events(connection):
    """The data of each event."""
    connection.request("GET", "/api/events")
    answer = connection.getresponse()
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/event-stream"
    for line in answer:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


def test_events(filled):
    host = filled.ready["http"]
    connection = http.client.HTTPConnection(host, timeout=DEADLINE_S)
    told = events(connection)
    wait_until(lambda: any(t["name"] == "seen" for t in (next(told)["topics"] or {"topics": []})["topics"]),
               "an event with the topics")
    assert next(told)["status"]["kafka"] == filled.kafka
    connection.close()
    others = [http.client.HTTPConnection(host, timeout=DEADLINE_S) for _ in range(65)]
    for other in others:
        other.request("GET", "/api/events")
    assert sorted(other.getresponse().status for other in others)[-1] == 409    # one more than there may be
    for other in others:
        other.close()

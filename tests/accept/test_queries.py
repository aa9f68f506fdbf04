"""What can be done with a running server's queries: seen, stopped, started, their progress read; from HTTP and SQL."""
import json
import urllib.error
import urllib.request

from confluent_kafka import Consumer, Producer, TopicPartition

from millrace import Millrace, millrace, wait_until

PIPELINE = """
CREATE TABLE numbers (n INT) WITH ('connector' = 'kafka', 'topic' = 'numbers', 'format' = 'json');
CREATE TABLE nothing (n INT) WITH ('connector' = 'blackhole');
SET 'pipeline.name' = 'count';
INSERT INTO nothing SELECT n FROM numbers;
"""


def ask(server, path, post=False):
    """(status, JSON)"""
    request = urllib.request.Request(server.http + path, data=b"{}" if post else None,
                                     headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def produce(server, first, last):
    producer = Producer({"bootstrap.servers": server.kafka})
    for n in range(first, last):
        producer.produce("numbers", json.dumps({"n": n}), partition=0)
    assert producer.flush(60) == 0


def query(server):
    return ask(server, "/api/queries/count")[1]


def sql(data_dir, statement):
    code, out, err = millrace("sql", "--data-dir", data_dir, "-o", "json", "-e", statement)
    assert code == 0, err
    return [json.loads(line) for line in out.splitlines()]


def test_stop_and_start(folder, data_dir):
    pipeline = folder / "count.sql"
    pipeline.write_text(PIPELINE, encoding="utf-8")
    with Millrace(project=pipeline, data_dir=data_dir) as server:
        produce(server, 0, 1000)
        wait_until(lambda: query(server)["rows_in"] == 1000, "1000 records read")
        assert ask(server, "/api/queries/nobody/stop", post=True) == (
            404, {"error": 'no query "nobody"; there are count'})
        status, stopped = ask(server, "/api/queries/count/stop", post=True)
        assert (status, stopped["state"]) == (200, "stopped")
        produce(server, 1000, 1500)
        (shown,) = sql(data_dir, "SHOW QUERIES")
        assert (shown["name"], shown["state"], shown["rows_in"]) == ("count", "stopped", 1000)
        server.kill()
        server.start()                                       # a wish holds over restarts
        assert query(server)["state"] == "stopped"
        assert query(server)["id"] == stopped["id"]
        assert sql(data_dir, "START QUERY 'count'") == []
        wait_until(lambda: query(server)["rows_in"] == 500, "the others are read")
        assert sql(data_dir, "STOP QUERY 'count'") == []
        assert query(server)["state"] == "stopped"
        code, _, err = millrace("sql", "--data-dir", data_dir, "-e", "STOP QUERY nobody")
        assert code != 0 and 'no query "nobody"; there are count' in err


def test_progress(folder, data_dir):
    pipeline = folder / "count.sql"
    pipeline.write_text(PIPELINE, encoding="utf-8")
    with Millrace(project=pipeline, data_dir=data_dir) as server:
        produce(server, 0, 700)
        wait_until(lambda: query(server)["rows_in"] == 700, "700 records read")
        status, entries = ask(server, "/api/queries/count/progress?n=100")
        assert status == 200
        assert sum(e["numInputRows"] for e in entries) == 700
        last = entries[-1]
        # The fields of Spark's StreamingQueryProgress.
        assert set(last) == {"id", "runId", "name", "timestamp", "batchId", "batchDuration", "numInputRows",
                             "inputRowsPerSecond", "processedRowsPerSecond", "durationMs", "eventTime",
                             "stateOperators", "sources", "sink"}
        (source,) = last["sources"]
        assert source["description"] == "KafkaV2[Subscribe[numbers]]"
        assert source["endOffset"] == source["latestOffset"] == {"numbers": {"0": 700}}
        assert entries[0]["sources"][0]["startOffset"] == {"numbers": {"0": 0}}
        assert last["sink"] == {"description": "blackhole[nothing]", "numOutputRows": last["numInputRows"]}
        assert last["runId"] == query(server)["run_id"] and last["id"] == query(server)["id"]
        assert ask(server, "/api/queries/count/progress?n=0")[0] == 400
        assert ask(server, "/api/queries/nobody/progress")[0] == 404
        with urllib.request.urlopen(server.http + "/metrics", timeout=30) as metrics:
            assert 'millrace_query_rows_in_total{query="count"} 700' in metrics.read().decode()


def test_positions_in_the_group(folder, data_dir):
    """A query's positions are also in the group of its name, for tools that show lag."""
    pipeline = folder / "count.sql"
    pipeline.write_text(PIPELINE, encoding="utf-8")
    with Millrace(project=pipeline, data_dir=data_dir) as server:
        produce(server, 0, 300)
        wait_until(lambda: query(server)["rows_in"] == 300, "300 records read")
        consumer = Consumer({"bootstrap.servers": server.kafka, "group.id": "count"})

        def committed():
            return consumer.committed([TopicPartition("numbers", 0)], timeout=10)[0].offset

        wait_until(lambda: committed() == 300, "the group's offset is the query's position")
        produce(server, 300, 301)
        wait_until(lambda: query(server)["rows_in"] == 301, "one more is read")
        ask(server, "/api/queries/count/stop", post=True)
        assert committed() == 301                            # at the end of a query at once
        consumer.close()

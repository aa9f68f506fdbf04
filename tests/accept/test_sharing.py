"""Two processes run the same query against one Kafka: they divide its partitions, and one takes over from the other."""
import json
import urllib.request

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from millrace import DEADLINE_S, Millrace, wait_until
from pipeline import connect

PARTITIONS = 6
SCHEMA = ("CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
          "CREATE TABLE shop.orders (id text PRIMARY KEY, amount int)")
PIPELINE = """
CREATE TABLE orders_in (id STRING, amount INT) WITH ('connector' = 'kafka', 'topic' = 'orders', 'format' = 'json',
    'properties.session.timeout.ms' = '6000');
CREATE TABLE orders (id STRING, amount INT, PRIMARY KEY (id) NOT ENFORCED)
    WITH ('connector' = 'cassandra', 'keyspace' = 'shop', 'table' = 'orders');
SET 'pipeline.name' = 'orders';
INSERT INTO orders SELECT id, amount FROM orders_in;
"""


def produce(address, first, last):
    """Order N has the key N % 500, so that most of them replace another one: the last must win."""
    producer = Producer({"bootstrap.servers": address, "linger.ms": 5, "enable.idempotence": True})   # keeps the order
    for n in range(first, last):
        key = f"order-{n % 500}"
        producer.produce("orders", key=key, value=json.dumps({"id": key, "amount": n}), partition=n % 500 % PARTITIONS)
        producer.poll(0)
    assert producer.flush(60) == 0


def expected(last):
    return {f"order-{n % 500}": n for n in range(last)}


def rows(session):
    return dict(session.execute("SELECT id, amount FROM shop.orders", timeout=DEADLINE_S))


def status(server):
    with urllib.request.urlopen(f"{server.http}/api/queries/orders", timeout=10) as answer:
        return json.load(answer)


@pytest.fixture
def elsewhere():
    with Millrace() as server:
        cluster = connect(server.cql)
        server.sql = cluster.connect()
        for statement in SCHEMA:
            server.sql.execute(statement)
        admin = AdminClient({"bootstrap.servers": server.kafka})
        admin.create_topics([NewTopic("orders", PARTITIONS, 1)])["orders"].result(60)
        yield server
        cluster.shutdown()


@pytest.fixture
def pipeline(folder):
    path = folder / "orders.sql"
    path.write_text(PIPELINE, encoding="utf-8")
    return path


def worker(elsewhere, pipeline, data_dir):
    return Millrace("--kafka", elsewhere.ready["kafka"], "--cassandra", elsewhere.ready["cql"], project=pipeline,
                    data_dir=data_dir)


def test_one_is_killed(elsewhere, pipeline, tmp_path):
    one, two = (worker(elsewhere, pipeline, tmp_path / name).start() for name in ("one", "two"))
    try:
        produce(elsewhere.kafka, 0, 20000)
        wait_until(lambda: rows(elsewhere.sql) == expected(20000), "20,000 orders in the table")
        # Both work: neither has all of what comes now.
        before = [status(s)["rows_in"] for s in (one, two)]

        def divided():
            produce(elsewhere.kafka, 0, 3000)
            now = [status(s)["rows_in"] for s in (one, two)]
            return all(n > b for n, b in zip(now, before))

        wait_until(divided, "both read", pause_s=0.2)
        one.kill()
        produce(elsewhere.kafka, 3000, 30000)
        wait_until(lambda: rows(elsewhere.sql) == expected(30000), "the other one took over")
        # Back again, it gets its share and both end cleanly.
        one = worker(elsewhere, pipeline, tmp_path / "one").start()
        produce(elsewhere.kafka, 30000, 40000)
        wait_until(lambda: rows(elsewhere.sql) == expected(40000), "40,000 orders in the table")
        one.stop()
        produce(elsewhere.kafka, 40000, 45000)
        wait_until(lambda: rows(elsewhere.sql) == expected(45000), "the other one has all again")
        two.stop()
    finally:
        for server in (one, two):
            if server.alive():
                print(server.output()[-4000:])
                server.kill()


def test_another_goes_on(elsewhere, pipeline, tmp_path):
    """Another process goes on at the group's offsets: nothing is read again, nothing left out."""
    produce(elsewhere.kafka, 0, 5000)
    server = worker(elsewhere, pipeline, tmp_path / "one").start()
    wait_until(lambda: rows(elsewhere.sql) == expected(5000), "5,000 orders in the table")
    wait_until(lambda: status(server)["lag"] == 0, "it is at the end")
    server.stop()
    produce(elsewhere.kafka, 5000, 6000)
    with worker(elsewhere, pipeline, tmp_path / "another") as server:  # nothing but the group's offsets is known
        wait_until(lambda: rows(elsewhere.sql) == expected(6000), "6,000 orders in the table")
        wait_until(lambda: status(server)["rows_in"] >= 1000, "its checkpoint is written")
        assert status(server)["rows_in"] == 1000

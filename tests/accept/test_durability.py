"""`--durability relaxed`: an answer may come before the sync, yet what was acknowledged outlives the program."""
import threading
import time

import pytest

from cql_raw import Cql, CqlError
from kafka_raw import Kafka, batch_of
from millrace import Millrace, wait_until

KEYSPACE = "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
KILLS = 4
WRITES = 150    # of each kind, before a kill


def start(data_dir, durability):
    return Millrace("--durability", durability, data_dir=data_dir).start()


def write_messages(server, run, done):
    kafka = Kafka(server.kafka)
    try:
        wait_until(lambda: kafka.make_topic("t"), "a topic")
        for number in range(100000):
            value = f"{run} {number}".encode()
            kafka.produce("t", batch_of([value]))
            done.append(value)
    except OSError:
        pass


def write_rows(server, run, done):
    cql = Cql(server.cql)
    try:
        for number in range(100000):
            key = run * 100000 + number
            cql.query(f"INSERT INTO k.t (id, v) VALUES ({key}, 'v')")
            done.append(key)
    except (OSError, CqlError):
        pass


@pytest.mark.parametrize("durability", ["relaxed", "synced"])
def test_a_kill_loses_nothing_acknowledged(data_dir, durability):
    messages, rows = [], []
    server = start(data_dir, durability)
    cql = Cql(server.cql)
    cql.query(KEYSPACE)
    cql.query("CREATE TABLE k.t (id int PRIMARY KEY, v text)")
    for run in range(KILLS):
        marks = len(messages) + WRITES, len(rows) + WRITES
        writers = [threading.Thread(target=write, args=(server, run, done))
                   for write, done in ((write_messages, messages), (write_rows, rows))]
        for writer in writers:
            writer.start()
        wait_until(lambda: len(messages) >= marks[0] and len(rows) >= marks[1], "writes are acknowledged")
        server.kill()
        for writer in writers:
            writer.join()
        server = start(data_dir, durability)
    there = Kafka(server.kafka).values("t")
    cql = Cql(server.cql)
    lost = [key for key in rows if not cql.has_row(f"SELECT v FROM k.t WHERE id = {key}")]
    server.stop()
    assert not set(messages) - set(there)
    assert not lost
    assert len(messages) >= KILLS * WRITES and len(rows) >= KILLS * WRITES

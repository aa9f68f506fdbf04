"""A full disk and a broken one: what is refused is said so, nothing acknowledged is lost, and when there is space again
all goes on without a restart.  tests/powercut/README.md says how the library works."""
import struct
import time

import pytest

from cql_raw import ERROR, QUERY, Cql, CqlError
from kafka_raw import Kafka, batch_of, text
from millrace import BINARY, Millrace, millrace, wait_until
from people_api import PeopleApi, people_500
from pipeline import check_tables, wait_for_people, write_project

LIBRARY = BINARY.resolve().parent / "tests" / "powercut" / "libfailfs.so"
KEYSPACE = "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
STORAGE_ERROR = 56
WRITE_FAILURE = 0x1500
CREATE_TOPICS = 19

pytestmark = pytest.mark.plain


class Disk:
    """The disk below FOLDER/data, which can be made to refuse."""

    def __init__(self, folder, syncs_only=False):
        self.data_dir = folder / "data"
        self.data_dir.mkdir(exist_ok=True)
        self.control = folder / "full"
        self.env = {"LD_PRELOAD": str(LIBRARY), "FAILFS_DIR": str(self.data_dir), "FAILFS_FILE": str(self.control)}
        if syncs_only:
            self.env["FAILFS_SYNC"] = "only"

    def fill(self):
        self.control.touch()

    def free(self):
        self.control.unlink()


def produce_error(kafka, topic, batch):
    """The error that a Produce request is answered with; 0: none."""
    body = struct.pack(">hhii", -1, -1, 10000, 1) + text(topic) + struct.pack(">iii", 1, 0, len(batch)) + batch
    answer = kafka.ask(0, 3, body)
    return struct.unpack_from(">h", answer, 4 + 2 + len(topic) + 4 + 4)[0]


def create_topic_error(kafka, topic):
    body = struct.pack(">i", 1) + text(topic) + struct.pack(">ihiiib", 1, 1, 0, 0, 10000, 0)
    answer = kafka.ask(CREATE_TOPICS, 2, body)
    return struct.unpack_from(">h", answer, 4 + 4 + 2 + len(topic))[0]


def cql_error(cql, statement):
    """The error (code, text) that STATEMENT is answered with, or None."""
    cql.send(0, QUERY, struct.pack(">i", len(statement)) + statement.encode() + b"\0\1\0")
    found = []
    while not found:
        found = cql.frames()
    _, opcode, body = found[0]
    if opcode != ERROR:
        return None
    code, size = struct.unpack_from(">iH", body)
    return code, body[6:6 + size].decode()


class Writer:
    """Writes messages and rows and remembers those that were acknowledged."""

    def __init__(self, server):
        self.kafka, self.cql = Kafka(server.kafka), Cql(server.cql)
        self.messages, self.rows, self.number = [], [], 0

    def prepare(self):
        assert wait_until(lambda: self.kafka.make_topic("t"), "a topic")
        self.cql.query(KEYSPACE)
        self.cql.query("CREATE TABLE k.t (id int PRIMARY KEY, v text)")

    def insert(self):
        return f"INSERT INTO k.t (id, v) VALUES ({self.number}, 'v{self.number}')"

    def message(self):
        return f"message {self.number}".encode()

    def write(self):
        """One message and one row that must be acknowledged."""
        self.number += 1
        self.kafka.produce("t", batch_of([self.message()]))
        self.messages.append(self.message())
        self.cql.query(self.insert())
        self.rows.append(self.number)

    def refused(self):
        """One message and one row that must be refused: (Kafka's error, the CQL error)."""
        self.number += 1
        return produce_error(self.kafka, "t", batch_of([self.message()])), cql_error(self.cql, self.insert())

    def check(self, kafka=None, cql=None):
        """Everything acknowledged is there."""
        there = (kafka or self.kafka).values("t")
        assert set(self.messages) <= set(there)
        for number in self.rows:
            assert (cql or self.cql).has_row(f"SELECT v FROM k.t WHERE id = {number}"), f"row {number} is gone"


def query_states(disk):
    code, out, err = millrace("status", "--data-dir", disk.data_dir)
    assert code == 0, err
    return out


def test_a_full_disk_refuses_and_then_goes_on(folder):
    disk = Disk(folder)
    with Millrace(data_dir=disk.data_dir, env=disk.env) as server:
        writer = Writer(server)
        writer.prepare()
        for _ in range(20):
            writer.write()
        disk.fill()
        for _ in range(5):
            kafka_error, refused = writer.refused()
            assert kafka_error == STORAGE_ERROR
            assert refused is not None and refused[0] == WRITE_FAILURE and "space" in refused[1].lower(), refused
        assert create_topic_error(writer.kafka, "new") == STORAGE_ERROR
        refused = cql_error(writer.cql, "CREATE TABLE k.new (id int PRIMARY KEY)")
        assert refused is not None and "space" in refused[1].lower(), refused
        writer.check()      # reads go on
        disk.free()
        wait_until(lambda: cql_error(writer.cql, "CREATE TABLE IF NOT EXISTS k.new (id int PRIMARY KEY)") is None,
                   "a table can be made again", 10)
        wait_until(lambda: create_topic_error(writer.kafka, "new") == 0, "a topic can be made again", 10)
        for _ in range(20):
            writer.write()
        writer.check()
    with Millrace(data_dir=disk.data_dir) as server:
        writer.check(Kafka(server.kafka), Cql(server.cql))


def test_queries_go_on_when_there_is_space_again(folder):
    people = people_500()
    disk = Disk(folder)
    with PeopleApi(people) as api:
        write_project(folder, api.url, 5, len(people) // 5, interval="20 ms")
        with Millrace(project=folder, data_dir=disk.data_dir, env=disk.env) as server:
            wait_until(lambda: len(api.requests) > 10, "the pipeline fetches")
            for _ in range(3):
                disk.fill()
                seen = len(api.requests)
                cql = Cql(server.cql)
                wait_until(lambda: cql_error(cql, "CREATE KEYSPACE IF NOT EXISTS x WITH replication = "
                                             "{'class': 'SimpleStrategy', 'replication_factor': 1}"), "it is full")
                end = time.monotonic() + 1
                wait_until(lambda: time.monotonic() > end, "the queries have met the full disk")
                assert "failed" not in query_states(disk)
                disk.free()
                wait_until(lambda: len(api.requests) > seen + 5 or len(api.requests) >= len(people) // 5,
                           "the pipeline fetches again")
            people_rows, names_rows = wait_for_people(server.cql, len(people), 60)
            check_tables(people_rows, names_rows, people)
            assert "failed" not in query_states(disk)


def test_start_on_a_full_disk_says_so(folder):
    disk = Disk(folder)
    with Millrace(data_dir=disk.data_dir) as server:
        Writer(server).prepare()
    disk.fill()
    for data in ("data", "fresh"):
        (folder / data).mkdir(exist_ok=True)
        code, out, err = millrace("run", "--data-dir", folder / data, "--kafka-listen", "127.0.0.1:0", "--cql-listen",
                                  "127.0.0.1:0", "--http-listen", "127.0.0.1:0",
                                  env={**disk.env, "FAILFS_DIR": str(folder / data)})
        assert code == 4, (code, out, err)
        assert "space" in err.lower() and str(folder / data) in err, err


def test_after_a_failed_sync_nothing_is_acknowledged(folder):
    disk = Disk(folder, syncs_only=True)
    server = Millrace(data_dir=disk.data_dir, env=disk.env).start()
    writer = Writer(server)
    writer.prepare()
    for _ in range(20):
        writer.write()
    disk.fill()
    kafka_error, refused = writer.refused()
    assert kafka_error == STORAGE_ERROR
    assert refused is not None and refused[0] == WRITE_FAILURE, refused
    writer.check()
    disk.free()
    assert writer.refused()[0] == STORAGE_ERROR, "a log whose sync failed takes nothing before a restart"
    server.kill()
    with Millrace(data_dir=disk.data_dir) as server:
        writer.kafka, writer.cql = Kafka(server.kafka), Cql(server.cql)
        writer.check()
        writer.write()
        writer.check()

"""Every protocol version and compression with the Python driver; events, DESCRIBE and traces as drivers and cqlsh see
them.  What DESCRIBE is compared with was answered by Apache Cassandra 5.0.9 (data/describe.json)."""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cassandra.cluster import Cluster
from cassandra.auth import PlainTextAuthProvider
from cassandra.query import BatchStatement, SimpleStatement, tuple_factory
from cassandra.policies import RoundRobinPolicy

from millrace import DEADLINE_S, wait_until

DESCRIBED = json.loads((Path(__file__).parent / "data" / "describe.json").read_text())
KEYSPACE = "CREATE KEYSPACE {} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"


def connect(server, **options):
    host, port = server.cql
    return Cluster([host], port=port, auth_provider=PlainTextAuthProvider("cassandra", "cassandra"),
                   load_balancing_policy=RoundRobinPolicy(), connect_timeout=DEADLINE_S, **options)


def open_session(cluster, keyspace=None):
    session = cluster.connect(keyspace)
    session.default_timeout = DEADLINE_S
    return session


@pytest.fixture(scope="module", autouse=True)
def tables(server):
    with connect(server) as cluster:
        session = open_session(cluster)
        session.execute(KEYSPACE.format("fx"))
        for entry in DESCRIBED:
            session.execute(entry["create"])


def test_left_to_itself_the_driver_takes_version_5_and_lz4(server):
    with connect(server) as cluster:
        open_session(cluster)
        assert cluster.protocol_version == 5
        assert cluster.control_connection._connection.compressor is not None


@pytest.mark.parametrize("version", [3, 4, 5])
@pytest.mark.parametrize("compression", [False, "lz4", "snappy"])
def test_version_and_compression(server, version, compression):
    keyspace = f"v{version}_{compression or 'none'}"
    with connect(server, protocol_version=version, compression=compression) as cluster:
        session = open_session(cluster)
        session.execute(KEYSPACE.format(keyspace))
        session.set_keyspace(keyspace)
        session.execute("CREATE TABLE t (k int PRIMARY KEY, v text)")
        insert = session.prepare("INSERT INTO t (k, v) VALUES (?, ?)")
        big = "".join(chr(0x61 + (k * k >> 7) % 26) for k in range(400_000))
        session.execute(insert, (0, big))
        for start in range(1, 1000, 100):
            batch = BatchStatement()
            for k in range(start, min(start + 100, 1000)):
                batch.add(insert, (k, f"value {k}"))
            session.execute(batch)
        assert session.execute(session.prepare("SELECT v FROM t WHERE k = ?"), (0,)).one()[0] == big
        rows = {k: v for k, v in session.execute(SimpleStatement("SELECT k, v FROM t", fetch_size=70))}
        assert rows == {0: big, **{k: f"value {k}" for k in range(1, 1000)}}
        with pytest.raises(Exception, match="Undefined column name nope"):
            session.execute("SELECT nope FROM t")
        assert cluster.protocol_version == version
        # The driver has no snappy for version 5, as that version has none.
        compressed = cluster.control_connection._connection.compressor is not None
        assert compressed == (bool(compression) and (version, compression) != (5, "snappy"))


@pytest.mark.parametrize("version", [3, 4, 5])
def test_a_second_session_hears_of_schema_changes(server, version):
    name = f"heard{version}"
    with connect(server, protocol_version=version) as watcher, connect(server) as changer:
        open_session(watcher)
        session = open_session(changer)
        session.execute(KEYSPACE.format(name))
        session.execute(f"CREATE TABLE {name}.t (k int PRIMARY KEY, v text)")
        keyspaces = watcher.metadata.keyspaces
        wait_until(lambda: name in keyspaces and "t" in keyspaces[name].tables, "the table is in the other's schema")
        session.execute(f"DROP TABLE {name}.t")
        wait_until(lambda: "t" not in keyspaces[name].tables, "the table is gone from the other's schema")
        session.execute(f"DROP KEYSPACE {name}")
        wait_until(lambda: name not in keyspaces, "the keyspace is gone from the other's schema")


def test_a_table_made_anew_is_prepared_anew(server):
    with connect(server) as cluster, connect(server) as other:
        session, changer = open_session(cluster, "fx"), open_session(other, "fx")
        changer.execute("CREATE TABLE again (k int PRIMARY KEY)")
        changer.execute("INSERT INTO again (k) VALUES (1)")
        select = session.prepare("SELECT * FROM again")
        assert list(session.execute(select)) == [(1,)]
        changer.execute("DROP TABLE again")
        changer.execute("CREATE TABLE again (k int PRIMARY KEY, v text)")
        changer.execute("INSERT INTO again (k, v) VALUES (1, 'new')")
        assert [tuple(row) for row in session.execute(select)] == [(1, "new")]
        changer.execute("DROP TABLE again")


def test_describe_is_cassandras(server):
    with connect(server) as cluster:
        session = open_session(cluster)
        for entry in DESCRIBED:
            row = session.execute(f"DESCRIBE TABLE {entry['table']}").one()
            assert row.create_statement == entry["text"]
            assert row.type == "table" and f"{row.keyspace_name}.{row.name}" == entry["table"]


def test_columns_that_were_dropped(server):
    with connect(server) as cluster:
        session = open_session(cluster)
        session.execute(KEYSPACE.format("lost"))
        session.execute("CREATE TABLE lost.t (a int, b int, v int, w int, PRIMARY KEY (a, b))")
        session.execute("ALTER TABLE lost.t DROP v")
        session.execute("ALTER TABLE lost.t ADD v2 int")
        row = session.execute("SELECT * FROM system_schema.dropped_columns WHERE keyspace_name = 'lost'").one()
        assert (row.table_name, row.column_name, row.kind, row.type) == ("t", "v", "regular", "int")
        text = session.execute("DESCRIBE TABLE lost.t WITH INTERNALS").one().create_statement
        table = cluster.metadata.keyspaces["lost"].tables["t"]
        assert list(table.columns) == ["a", "b", "v2", "w"]
        assert text.startswith("CREATE TABLE lost.t (\n    a int,\n    b int,\n    v2 int,\n    w int,\n    v int,\n"
                               "    PRIMARY KEY (a, b)\n) WITH ID = ")
        assert "\n    AND CLUSTERING ORDER BY (b ASC)\n    AND additional_write_policy = '99p'\n" in text
        assert re.search(r"'99p';\nALTER TABLE lost.t DROP v USING TIMESTAMP \d+;$", text)
        session.execute("DROP KEYSPACE lost")


def test_describe_in_pages(server):
    with connect(server) as cluster:
        session = open_session(cluster)
        session.row_factory = tuple_factory
        whole = list(session.execute(SimpleStatement("DESCRIBE FULL SCHEMA", fetch_size=0)))
        paged = session.execute(SimpleStatement("DESCRIBE FULL SCHEMA", fetch_size=7))
        assert paged.has_more_pages
        assert list(paged) == whole


def test_traces_and_warnings(server):
    with connect(server) as cluster:
        session = open_session(cluster, "fx")
        result = session.execute("SELECT COUNT(*) FROM one", trace=True)
        assert result.response_future.warnings == ["Aggregation query used without partition key"]
        trace = result.get_query_trace()
        assert trace.parameters["query"] == "SELECT COUNT(*) FROM one"
        assert trace.duration is not None and trace.events


def cqlsh(server, statements, *args):
    host, port = server.cql
    program = Path(sys.executable).parent / "cqlsh"
    done = subprocess.run([sys.executable, str(program), "-u", "cassandra", "-p", "cassandra", *args, host, str(port),
                           "-e", statements], capture_output=True, text=True, timeout=DEADLINE_S * 2,
                          env={**os.environ, "CQLSH_NO_BUNDLED": "", "HOME": "/nonexistent", "NO_COLOR": "1"})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("version", ["3", "4", "5"])
def test_cqlsh_describes(server, version):
    entry = DESCRIBED[0]
    assert cqlsh(server, f"DESCRIBE {entry['table']}", "--protocol-version", version).strip() == entry["text"]


def test_cqlsh_lists(server):
    assert "fx " in cqlsh(server, "DESCRIBE KEYSPACES") + " "
    assert "Partitioner: Murmur3Partitioner" in cqlsh(server, "DESCRIBE CLUSTER")
    assert "Keyspace system_schema" in cqlsh(server, "DESCRIBE TABLES")
    assert cqlsh(server, "USE fx; DESCRIBE TABLES").split() == sorted(
        (entry["table"].partition(".")[2] for entry in DESCRIBED), key=str.lower)
    everything = cqlsh(server, "DESCRIBE SCHEMA")
    assert all(entry["text"] in everything for entry in DESCRIBED)
    assert "session" in cqlsh(server, "TRACING ON; SELECT key FROM system.local")

"""The field's CQL clients, unmodified: cqlsh and the DataStax Python driver."""
import os
import subprocess
import sys
import uuid
from datetime import datetime
from pathlib import Path

import pytest
from cassandra import ConsistencyLevel
from cassandra.cluster import NoHostAvailable
from cassandra.query import BatchStatement, BatchType, SimpleStatement

from millrace import DEADLINE_S
from pipeline import connect

ARTICLE = """
CREATE KEYSPACE spark_streaming WITH replication = {'class':'SimpleStrategy','replication_factor':1};
CREATE TABLE spark_streaming.random_names(full_name text primary key, gender text, location text, city text,
  country text, postcode int, latitude float, longitude float, email text);
INSERT INTO spark_streaming.random_names (full_name, city, postcode, latitude)
  VALUES ('Ms. Ada Lovelace', 'London', 4711, 1.5);
SELECT full_name, gender, city, postcode, latitude FROM spark_streaming.random_names;
"""


def cqlsh(address, *args, user="cassandra", password="cassandra"):
    host, port = address
    program = Path(sys.executable).parent / "cqlsh"
    return subprocess.run([sys.executable, str(program), "-u", user, "-p", password, *args, host, str(port)],
                          capture_output=True, text=True, timeout=DEADLINE_S * 2,
                          env={**os.environ, "CQLSH_NO_BUNDLED": "", "HOME": "/nonexistent", "NO_COLOR": "1"})


def test_cqlsh_runs_the_articles_statements(server):
    done = cqlsh(server.cql, "-e", ARTICLE.strip())
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ("full_name | gender | city | postcode | latitude "
                                   "------------------+--------+--------+----------+---------- "
                                   "Ms. Ada Lovelace | null | London | 4711 | 1.5 (1 rows)").split()
    assert "WARNING" not in done.stdout


def test_cqlsh_wrong_password(server):
    done = cqlsh(server.cql, "-e", "SELECT key FROM system.local", password="wrong")
    assert done.returncode != 0
    assert "Provided username cassandra and/or password are incorrect" in done.stderr


@pytest.fixture(scope="module")
def session(server):
    cluster = connect(server.cql)
    session = cluster.connect()
    session.default_timeout = DEADLINE_S
    session.execute("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    session.set_keyspace("k")
    session.execute("CREATE TABLE t (id uuid PRIMARY KEY, a text, b int, c bigint, d float, e double, f boolean,"
                    " g timestamp)")
    yield session
    cluster.shutdown()


ROW = ("Grüße", -7, 2 ** 40, 0.5, 0.1, True, datetime(2024, 2, 29, 12, 34, 56, 789000))


def test_prepared_and_read_back(session):
    insert = session.prepare("INSERT INTO t (id, a, b, c, d, e, f, g) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
    select = session.prepare("SELECT a, b, c, d, e, f, g FROM t WHERE id = ?")
    key, nulls = uuid.uuid4(), uuid.uuid4()
    session.execute(insert, (key, *ROW))
    session.execute(insert, (nulls, *[None] * 7))
    assert tuple(session.execute(select, (key,)).one()) == ROW
    assert tuple(session.execute(select, (nulls,)).one()) == (None,) * 7
    assert session.execute(select, (uuid.uuid4(),)).one() is None


def test_update_delete_and_timestamps(session):
    session.execute("CREATE TABLE u (k text PRIMARY KEY, v int)")
    session.execute("INSERT INTO u (k, v) VALUES ('x', 1) USING TIMESTAMP 1000")
    session.execute("UPDATE u USING TIMESTAMP 500 SET v = 2 WHERE k = 'x'")      # older: loses
    assert session.execute("SELECT v FROM u WHERE k = 'x'").one()[0] == 1
    session.execute("UPDATE u USING TIMESTAMP 2000 SET v = 3 WHERE k = 'x'")
    assert session.execute("SELECT v FROM u WHERE k = 'x'").one()[0] == 3
    session.execute("DELETE FROM u USING TIMESTAMP 1500 WHERE k = 'x'")          # older than the last write
    assert session.execute("SELECT v FROM u WHERE k = 'x'").one()[0] == 3
    session.execute("DELETE FROM u WHERE k = 'x'")
    assert session.execute("SELECT v FROM u WHERE k = 'x'").one() is None


def test_batches_paging_and_concurrency(session):
    session.execute("CREATE TABLE many (k int PRIMARY KEY, v text)")
    insert = session.prepare("INSERT INTO many (k, v) VALUES (?, ?)")
    futures = []
    for start in range(0, 3000, 50):
        batch = BatchStatement(BatchType.UNLOGGED, consistency_level=ConsistencyLevel.LOCAL_ONE)
        for key in range(start, start + 50):
            batch.add(insert, (key, f"value {key}"))
        futures.append(session.execute_async(batch))
    for future in futures:
        future.result()
    rows = list(session.execute(SimpleStatement("SELECT k, v FROM many", fetch_size=70)))
    assert sorted(row.k for row in rows) == list(range(3000))
    assert session.execute("SELECT COUNT(*) FROM many").one()[0] == 3000
    assert len(list(session.execute("SELECT * FROM many LIMIT 10"))) == 10


def test_schema_is_seen_and_dropped(session):
    session.execute("CREATE TABLE seen (k text PRIMARY KEY, v int)")
    table = session.cluster.metadata.keyspaces["k"].tables["seen"]
    assert {c.name: c.cql_type for c in table.columns.values()} == {"k": "text", "v": "int"}
    session.execute("DROP TABLE seen")
    assert "seen" not in session.cluster.metadata.keyspaces["k"].tables


@pytest.mark.parametrize("statement, message", [
    ("SELEC 1", "no viable alternative at input 'SELEC'"),
    ("SELECT * FROM nope", "table nope does not exist"),
    ("SELECT zz FROM t", "Undefined column name zz in table k.t"),
    ("INSERT INTO t (a) VALUES ('x')", "Some partition key parts are missing: id"),
    ("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", "already exist"),
])
def test_errors_as_cassandra_words_them(session, statement, message):
    with pytest.raises(Exception) as refused:
        session.execute(statement)
    assert message in str(refused.value)


def test_wrong_password_is_refused(server):
    cluster = connect(server.cql, password="guess")
    with pytest.raises(NoHostAvailable) as refused:
        cluster.connect()
    assert "Provided username cassandra and/or password are incorrect" in str(refused.value)
    cluster.shutdown()

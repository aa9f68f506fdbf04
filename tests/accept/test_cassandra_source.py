"""Tables over CQL are read by SQL: all their rows, once, as the SQL types."""
import json
import uuid

import pytest
from cassandra.concurrent import execute_concurrent_with_args

from millrace import Millrace, millrace
from pipeline import connect

ROWS = 2500
SOURCE = """
CREATE TABLE things (
    id STRING, n INT, wide BIGINT, at_ms BIGINT, ratio DOUBLE, ok BOOLEAN, name STRING
) WITH ('connector' = 'cassandra', 'keyspace' = 'shop', 'table' = 'things');
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Millrace(data_dir=tmp_path_factory.mktemp("cassandra-source") / "data") as running:
        cluster = connect(running.cql)
        session = cluster.connect()
        session.execute("CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        session.execute("CREATE TABLE shop.things (id uuid PRIMARY KEY, n int, wide bigint, at_ms timestamp,"
                        " ratio double, ok boolean, name text, unread text)")
        insert = session.prepare("INSERT INTO shop.things (id, n, wide, at_ms, ratio, ok, name)"
                                 " VALUES (?, ?, ?, ?, ?, ?, ?)")
        execute_concurrent_with_args(session, insert, [
            (uuid.uuid4(), n, n << 32, 1700000000000 + n, n / 4, n % 2 == 0, f'nr. "{n}" \u00e9') if n % 100 else
            (uuid.uuid4(), n, None, None, None, None, None) for n in range(ROWS)])
        cluster.shutdown()
        yield running


def select(server, text, table=SOURCE):
    return millrace("sql", "--data-dir", server.data_dir, "--output", "json", "-e", table + text)


def test_every_row_once(server):
    code, out, err = select(server, "SELECT * FROM things")
    assert code == 0, err
    rows = {row["n"]: row for row in map(json.loads, out.splitlines())}
    assert len(out.splitlines()) == ROWS and sorted(rows) == list(range(ROWS))
    for n, row in rows.items():
        assert len(row.pop("id")) == 36
        if n % 100:
            assert row == {"n": n, "wide": n << 32, "at_ms": 1700000000000 + n, "ratio": n / 4, "ok": n % 2 == 0,
                           "name": f'nr. "{n}" \u00e9'}
        else:
            assert row == {"n": n, "wide": None, "at_ms": None, "ratio": None, "ok": None, "name": None}


def test_limit_and_where(server):
    code, out, err = select(server, "SELECT n FROM things LIMIT 10")
    assert code == 0 and len(out.splitlines()) == 10, err
    code, out, err = select(server, "SELECT name FROM things WHERE n = 1234")
    assert code == 0 and json.loads(out) == {"name": 'nr. "1234" \u00e9'}, err


def test_from_table_to_table(server):
    copies = (SOURCE.replace("TABLE things", "TABLE copies").replace("'table' = 'things'", "'table' = 'copies'")
              .replace("name STRING\n", "name STRING, PRIMARY KEY (id) NOT ENFORCED\n"))
    code, _, err = select(server, copies + "INSERT INTO copies SELECT * FROM things WHERE n < 1500")
    assert code == 0, err
    cluster = connect(server.cql)
    assert cluster.connect().execute("SELECT COUNT(*) FROM shop.copies").one()[0] == 1500
    cluster.shutdown()


@pytest.mark.parametrize("columns, table, message", [
    ("n INT", "nothing", "there is no table shop.nothing"),
    ("m INT", "things", "shop.things has no column 'm'"),
    ("n STRING", "things", "column 'n' is STRING, but int in shop.things"),
    ("n ARRAY<INT>", "things", "column 'n' is ARRAY, but int in shop.things"),
])
def test_a_table_that_does_not_fit(server, columns, table, message):
    code, out, err = select(server, "SELECT * FROM t", f"CREATE TABLE t ({columns}) WITH ('connector' = 'cassandra',"
                            f" 'keyspace' = 'shop', 'table' = '{table}');")
    assert code == 1 and out == "" and message in err, err

"""The CQL language: files with answers of the real server (tests/cql), and what files can't say: bound values of every
type, paging across all kinds of reads, kill -9, ALTER under prepared statements, limits."""
import contextlib
import ipaddress
import itertools
import uuid
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from cassandra import InvalidRequest
from cassandra.cluster import NoHostAvailable
from cassandra.protocol import ProtocolException
from cassandra.query import UNSET_VALUE, BatchStatement, SimpleStatement, tuple_factory
from cassandra.util import Date, Duration, OrderedMapSerializedKey, SortedSet, Time

import cql_golden
from millrace import Millrace, wait_until
from pipeline import connect

FILES = sorted((Path(__file__).resolve().parents[1] / "cql").glob("*.cql"))


def keyspace(session, name):
    session.row_factory = tuple_factory
    session.execute(f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")
    session.set_keyspace(name)
    return session


@pytest.fixture(scope="module")
def session(server):
    cluster = connect(server.cql)
    yield keyspace(cluster.connect(), "k")
    cluster.shutdown()


@pytest.fixture(scope="module")
def golden(server):
    cluster, session = cql_golden.connect(server.cql)
    yield session
    cluster.shutdown()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden(golden, path):
    wrong = cql_golden.compare(golden, path)
    assert not wrong, wrong


# ---- bound values ----

V1 = uuid.UUID("50554d6e-29bb-11e5-b345-feff819cdc9f")
TYPES = {
    "ascii": ["", "abc"],
    "bigint": [0, 2 ** 63 - 1, -2 ** 63],
    "blob": [b"", b"\x00\xff"],
    "boolean": [True, False],
    "date": [Date("2020-01-02"), Date("0001-01-01")],
    "decimal": [Decimal("1.50"), Decimal("-123456789012345678901234567890.123"), Decimal("1E+10")],
    "double": [0.1, float("inf"), -1e300],
    "duration": [Duration(1, 2, 3), Duration(-1, -2, -3)],
    "float": [0.5, -2.0],
    "inet": ["127.0.0.1", "::1"],
    "int": [0, -2 ** 31, 2 ** 31 - 1],
    "smallint": [-2 ** 15, 2 ** 15 - 1],
    "text": ["", "Grüße", "x" * 70000],
    "time": [Time("12:13:14.000000015"), Time(0)],
    "timestamp": [datetime(2024, 2, 29, 12, 34, 56, 789000), datetime(1960, 1, 1)],
    "timeuuid": [V1],
    "tinyint": [-128, 127],
    "uuid": [uuid.UUID(int=0), V1],
    "varchar": ["y"],
    "varint": [0, -1, 2 ** 200, -2 ** 200, 128],
    "list<int>": [[3, 1, 2, 1]],
    "set<text>": [{"b", "a"}],
    "map<text, int>": [{"b": 1, "a": 2}],
    "frozen<list<text>>": [["x", "y"], []],
    "frozen<set<int>>": [{3, 1}],
    "frozen<map<int, text>>": [{2: "b", 1: "a"}],
    "list<frozen<list<int>>>": [[[1], [2, 3]]],
    "map<uuid, frozen<set<timestamp>>>": [{V1: {datetime(2020, 1, 1)}}],
    "set<frozen<tuple<int, text>>>": [{(1, "b"), (1, "a")}],
    "tuple<int, text, list<int>>": [(1, "x", [1, 2]), (None, "y", None)],
    "set<timeuuid>": [{V1}],
    "set<decimal>": [{Decimal("1.5"), Decimal("-2")}],
    "map<inet, duration>": [{"10.0.0.1": Duration(1, 0, 0)}],
}


def plain(value):
    if isinstance(value, (dict, OrderedMapSerializedKey)):
        return frozenset((plain(k), plain(v)) for k, v in value.items())
    if isinstance(value, (set, SortedSet)):
        return frozenset(plain(v) for v in value)
    if isinstance(value, (list, tuple)):
        return tuple(plain(v) for v in value)
    if isinstance(value, (ipaddress.IPv4Address, ipaddress.IPv6Address, Duration)):
        return str(value)
    return value


@pytest.mark.parametrize("kind", TYPES)
def test_bound_and_read_back(session, kind):
    table = "b" + uuid.uuid4().hex
    session.execute(f"CREATE TABLE {table} (k int PRIMARY KEY, v {kind})")
    insert = session.prepare(f"INSERT INTO {table} (k, v) VALUES (?, ?)")
    update = session.prepare(f"UPDATE {table} SET v = ? WHERE k = ?")
    select = session.prepare(f"SELECT v FROM {table} WHERE k = ?")
    empty_is_null = kind.startswith(("list", "set", "map"))
    for place, value in enumerate(TYPES[kind]):
        session.execute(insert, (place, value))
        session.execute(update, (value, place + 100))
        want = None if empty_is_null and not value else plain(value)
        assert plain(session.execute(select, (place,)).one()[0]) == want
        assert plain(session.execute(select, (place + 100,)).one()[0]) == want
    session.execute(insert, (0, UNSET_VALUE))
    assert session.execute(select, (0,)).one()[0] is not None or not TYPES[kind][0]
    session.execute(insert, (0, None))
    assert session.execute(select, (0,)).one()[0] is None


KEYS = [kind for kind in TYPES if "duration" not in kind and not kind.startswith(("list", "set", "map"))]


@pytest.mark.parametrize("kind", KEYS)
def test_keys_of_every_type(session, kind):
    table = "k" + uuid.uuid4().hex
    session.execute(f"CREATE TABLE {table} (p {kind}, c {kind}, d {kind}, v int, PRIMARY KEY (p, c, d)) "
                    "WITH CLUSTERING ORDER BY (c ASC, d DESC)")
    values = [value for value in TYPES[kind] if value not in ("", b"") and value != "x" * 70000]
    insert = session.prepare(f"INSERT INTO {table} (p, c, d, v) VALUES (?, ?, ?, ?)")
    for place, (c, d) in enumerate(itertools.product(values, values)):
        session.execute(insert, (values[0], c, d, place))
    rows = list(session.execute(f"SELECT p, c, d FROM {table}"))
    assert len(rows) == len(values) ** 2
    assert {plain(row) for row in rows} == {plain((values[0], c, d)) for c, d in itertools.product(values, values)}
    one = session.prepare(f"SELECT v FROM {table} WHERE p = ? AND c = ? AND d = ?")
    some = session.prepare(f"SELECT v FROM {table} WHERE p = ? AND c IN ?")
    for place, (c, d) in enumerate(itertools.product(values, values)):
        assert list(session.execute(one, (values[0], c, d))) == [(place,)]
    assert len(list(session.execute(some, (values[0], values + values)))) == len(rows)


@pytest.mark.parametrize("kind,bytes_", [("int", b"\1\2\3"), ("date", b""), ("timeuuid", bytes(16)), ("ascii", b"\xff"),
                                         ("text", b"\xff"), ("list<int>", b"\0\0\0\1"), ("time", b"\1"),
                                         ("map<int, int>", b"\0\0\0\1\0\0\0\4\0\0\0\1\xff\xff\xff\xff"),
                                         ("decimal", b"\1"), ("duration", b"\1"), ("tuple<int>", b"\0\0\0\3abc"),
                                         ("inet", b"abc"), ("set<int>", b"\0\0\0\2\0\0\0\4\0\0\0\1")])
def test_bound_bytes_that_are_no_value(session, kind, bytes_):
    table = "n" + uuid.uuid4().hex
    session.execute(f"CREATE TABLE {table} (k int PRIMARY KEY, v {kind})")
    insert = session.prepare(f"INSERT INTO {table} (k, v) VALUES (?, ?)")
    bound = insert.bind((1, None))
    bound.values[1] = bytes_
    with pytest.raises(InvalidRequest):
        session.execute(bound)
    assert list(session.execute(f"SELECT * FROM {table}")) == []


def test_markers_in_every_place(session):
    session.execute("CREATE TABLE m (a int, b int, c int, l list<int>, s set<int>, m map<text, int>, "
                    "PRIMARY KEY (a, b, c))")
    insert = session.prepare("INSERT INTO m (a, b, c, l, s, m) VALUES (?, ?, ?, [?, 2], {?}, {'a': ?}) USING TTL ? AND "
                             "TIMESTAMP ?")
    for a, b, c in itertools.product(range(3), repeat=3):
        session.execute(insert, (a, b, c, a, b, c, 1000, 5))
    update = session.prepare("UPDATE m SET l = l + ?, s = s - ?, m[?] = ? WHERE a = ? AND b IN ? AND c = ?")
    session.execute(update, ([9], {0}, "z", 7, 0, [0, 1], 2))
    select = session.prepare("SELECT b, l, s, m, writetime(m[?]) FROM m WHERE a = ? AND b <= ? AND c = ? LIMIT ? "
                             "ALLOW FILTERING")
    rows = list(session.execute(select, ("a", 0, 1, 2, 10)))
    assert [(b, l, s and set(s), dict(m), t) for b, l, s, m, t in rows] == [
        (0, [0, 2, 9], None, {"a": 2, "z": 7}, 5), (1, [0, 2, 9], {1}, {"a": 2, "z": 7}, 5)]
    slices = session.prepare("SELECT b, c FROM m WHERE a = ? AND (b, c) > ? AND (b, c) <= (?, ?)")
    assert list(session.execute(slices, (1, (0, 1), 2, 0))) == [(0, 2), (1, 0), (1, 1), (1, 2), (2, 0)]
    tuples = session.prepare("SELECT b, c FROM m WHERE a IN ? AND (b, c) IN ?")
    assert list(session.execute(tuples, ([1, 0], [(1, 1), (0, 2)]))) == [(0, 2), (1, 1)] * 2
    tokens = session.prepare("SELECT DISTINCT a FROM m WHERE token(a) > ? AND token(a) <= token(?)")
    assert sorted(list(session.execute(tokens, (-2 ** 63, a))) for a in range(3))[0]
    delete = session.prepare("DELETE FROM m WHERE a = ? AND b = ? AND c >= ?")
    session.execute(delete, (2, 1, 1))
    assert list(session.execute("SELECT b, c FROM m WHERE a = 2 AND b = 1")) == [(1, 0)]


# ---- paging ----

READS = [
    "SELECT * FROM p",
    "SELECT a, b, c FROM p WHERE a = 2",
    "SELECT a, b, c FROM p WHERE a = 2 ORDER BY b DESC",
    "SELECT a, b, c FROM p WHERE a = 2 AND b > 3 AND b <= 7",
    "SELECT a, b, c FROM p WHERE a = 2 AND b > 3 AND b <= 7 ORDER BY b DESC, c ASC",
    "SELECT a, b, c FROM p WHERE a IN (3, 1, 2, 9)",
    "SELECT a, b, c FROM p WHERE a IN (3, 1) AND b IN (5, 2, 100)",
    "SELECT a, b, c FROM p WHERE a IN (3, 1) AND b IN (5, 2, 100) AND c IN (1, 0)",
    "SELECT a, b, c FROM p WHERE a IN (3, 1) AND b = 5 AND c > 0",
    "SELECT a, b, c FROM p WHERE a = 1 AND (b, c) > (2, 1) AND (b, c) < (8, 1)",
    "SELECT DISTINCT a FROM p",
    "SELECT DISTINCT a FROM p WHERE a IN (1, 2, 3)",
    "SELECT a, b, c FROM p PER PARTITION LIMIT 3",
    "SELECT a, b, c FROM p PER PARTITION LIMIT 3 LIMIT 7",
    "SELECT a, b, c FROM p WHERE a IN (1, 2, 3) PER PARTITION LIMIT 4",
    "SELECT a, b, c FROM p WHERE a IN (1, 2, 3) AND b IN (1, 2, 3) PER PARTITION LIMIT 4",
    "SELECT a, b, c FROM p WHERE a IN (1, 2, 3) LIMIT 21",
    "SELECT a, b, c FROM p LIMIT 33",
    "SELECT a, b, c FROM p WHERE v = 1 ALLOW FILTERING",
    "SELECT a, b, c FROM p WHERE v = 1 LIMIT 9 ALLOW FILTERING",
    "SELECT a, b, c FROM p WHERE token(a) > -5000000000000000000 AND token(a) < 5000000000000000000",
    "SELECT count(*), max(b), sum(c) FROM p",
    "SELECT l, s FROM p WHERE a = 1",
]


@pytest.fixture(scope="module")
def paged(session):
    session.execute("CREATE TABLE p (a int, b int, c int, v int, l list<int>, s set<int>, PRIMARY KEY (a, b, c)) WITH "
                    "CLUSTERING ORDER BY (b ASC, c DESC)")
    insert = session.prepare("INSERT INTO p (a, b, c, v, l, s) VALUES (?, ?, ?, ?, ?, ?)")
    for a, b, c in itertools.product(range(1, 5), range(10), range(2)):
        session.execute(insert, (a, b, c, (a + b + c) % 3, [b, c], {a}))
    session.execute("DELETE FROM p WHERE a = 3 AND b >= 8")
    session.execute("DELETE FROM p WHERE a = 2 AND b = 4")
    session.execute("DELETE FROM p WHERE a = 4 AND b = 0 AND c = 1")
    return session


@pytest.mark.parametrize("query", READS)
def test_pages_are_the_whole(paged, query):
    whole = list(paged.execute(SimpleStatement(query, fetch_size=None)))
    assert whole
    for size in (1, 2, 3, 7, 1000):
        assert list(paged.execute(SimpleStatement(query, fetch_size=size))) == whole, size


def test_state_of_another_query_does_no_harm(server, paged):
    first = paged.execute(SimpleStatement("SELECT a FROM p WHERE a IN (1, 2, 3)", fetch_size=3))
    for query in READS:
        cluster = connect(server.cql)  # a connection of its own: a protocol error ends it
        with contextlib.suppress(NoHostAvailable, ProtocolException):
            list(cluster.connect("k").execute(SimpleStatement(query, fetch_size=5), paging_state=first.paging_state))
        cluster.shutdown()
    assert paged.execute("SELECT count(*) FROM p").one()[0] == 73


def test_token_ranges_are_the_whole(paged):
    edges = [-2 ** 63, *[(i * 2 ** 64) // 16 - 2 ** 63 for i in range(1, 16)], 2 ** 63 - 1]
    found = []
    for low, high in zip(edges, edges[1:]):
        found += list(paged.execute("SELECT a, b, c FROM p WHERE token(a) > %s AND token(a) <= %s", (low, high)))
    assert found == list(paged.execute("SELECT a, b, c FROM p"))


def test_in_with_order_needs_no_pages(paged):
    got = list(paged.execute(SimpleStatement("SELECT b, c, a FROM p WHERE a IN (1, 2) ORDER BY b DESC LIMIT 5",
                                             fetch_size=None)))
    assert got == [(9, 0, 2), (9, 0, 1), (9, 1, 2), (9, 1, 1), (8, 0, 2)] or \
        got == [(9, 0, 1), (9, 0, 2), (9, 1, 1), (9, 1, 2), (8, 0, 1)]


# ---- time ----

def test_ttl_ends(session):
    session.execute("CREATE TABLE e (k int PRIMARY KEY, v int, m map<int, int>) WITH default_time_to_live = 1000")
    session.execute("INSERT INTO e (k, v) VALUES (1, 1) USING TTL 1")
    session.execute("INSERT INTO e (k, v, m) VALUES (2, 1, {1: 1})")
    session.execute("UPDATE e USING TTL 1 SET m[2] = 2 WHERE k = 2")
    assert 990 <= session.execute("SELECT ttl(v) FROM e WHERE k = 2").one()[0] <= 1000
    wait_until(lambda: not list(session.execute("SELECT * FROM e WHERE k = 1")), "the row expires")
    wait_until(lambda: dict(session.execute("SELECT m FROM e WHERE k = 2").one()[0]) == {1: 1}, "the element expires")


def test_collections_by_write_time(session):
    session.execute("CREATE TABLE w (k int PRIMARY KEY, m map<text, int>, l list<int>)")
    session.execute("UPDATE w USING TIMESTAMP 20 SET m['late'] = 1 WHERE k = 1")
    session.execute("UPDATE w USING TIMESTAMP 10 SET m = {'whole': 1} WHERE k = 1")
    assert dict(session.execute("SELECT m FROM w").one()[0]) == {"late": 1, "whole": 1}
    session.execute("UPDATE w USING TIMESTAMP 15 SET m = {'other': 1} WHERE k = 1")
    assert dict(session.execute("SELECT m FROM w").one()[0]) == {"late": 1, "other": 1}
    session.execute("DELETE m FROM w USING TIMESTAMP 30 WHERE k = 1")
    session.execute("UPDATE w USING TIMESTAMP 29 SET m['gone'] = 1 WHERE k = 1")
    assert list(session.execute("SELECT m FROM w WHERE k = 1")) == []
    for part in range(5):
        session.execute("UPDATE w SET l = l + [%s] WHERE k = 2", (part,))
        session.execute("UPDATE w SET l = [%s] + l WHERE k = 2", (-part,))
    assert session.execute("SELECT l FROM w WHERE k = 2").one()[0] == [-4, -3, -2, -1, 0, 0, 1, 2, 3, 4]


def test_batch_of_appends_keeps_its_order(session):
    session.execute("CREATE TABLE ba (k int PRIMARY KEY, l list<int>)")
    append = session.prepare("UPDATE ba SET l = l + ? WHERE k = 1")
    prepend = session.prepare("UPDATE ba SET l = ? + l WHERE k = 1")
    batch = BatchStatement()
    for part in range(4):
        batch.add(append, ([part, part + 10],))
        batch.add(prepend, ([-part],))
    session.execute(batch)
    assert session.execute("SELECT l FROM ba").one()[0] == [-3, -2, -1, 0, 0, 10, 1, 11, 2, 12, 3, 13]


# ---- ALTER, kill -9 ----

def test_prepared_statements_live_through_alter(session):
    session.execute("CREATE TABLE al (k int PRIMARY KEY, a int, b text)")
    insert = session.prepare("INSERT INTO al (k, a) VALUES (?, ?)")
    star = session.prepare("SELECT * FROM al WHERE k = ?")
    session.execute(insert, (1, 1))
    session.execute("ALTER TABLE al ADD c set<int>")
    session.execute("UPDATE al SET c = {1} WHERE k = 1")
    session.execute(insert, (2, 2))
    assert len(session.execute(star, (1,)).one()) in (3, 4)  # the driver may still have the old columns
    session.execute("ALTER TABLE al DROP a")
    with pytest.raises(InvalidRequest, match="Undefined column name a in table k.al"):
        session.execute(insert, (3, 3))
    session.execute("ALTER TABLE al ADD a int")
    assert sorted(session.execute("SELECT k, a, c FROM al"), key=str) == [(1, None, {1}), (2, None, None)]
    session.execute("TRUNCATE al")
    assert list(session.execute(star, (1,))) == []


def test_a_row_of_dropped_columns_is_none(session):
    session.execute("CREATE TABLE dr (k int PRIMARY KEY, a int, b int)")
    session.execute("UPDATE dr SET a = 1 WHERE k = 1")
    session.execute("ALTER TABLE dr DROP a")
    assert list(session.execute("SELECT * FROM dr")) == []
    assert session.execute("SELECT count(*) FROM dr").one()[0] == 0


def test_kill_keeps_what_was_acknowledged(data_dir):
    def state(session):
        return [sorted(map(repr, session.execute(f"SELECT * FROM {table}"))) for table in ("t", "u")]

    server = Millrace(data_dir=data_dir).start()
    try:
        cluster = connect(server.cql)
        session = keyspace(cluster.connect(), "kk")
        session.execute("CREATE TABLE t (a int, b varint, l list<int>, m map<text, decimal>, x int, "
                        "PRIMARY KEY (a, b)) WITH CLUSTERING ORDER BY (b DESC)")
        session.execute("CREATE TABLE u (a int PRIMARY KEY, b text)")
        for a, b in itertools.product(range(4), range(20)):
            session.execute("INSERT INTO t (a, b, l, m, x) VALUES (%s, %s, [1, 2, 3], {'x': 1.5}, 5)", (a, b))
        session.execute("DELETE FROM t WHERE a = 1 AND b > 5 AND b < 15")
        session.execute("UPDATE t SET l = l - [2], m = m + {'y': 2} WHERE a IN (0, 2) AND b = 3")
        session.execute("DELETE l[0], m['x'] FROM t WHERE a = 3 AND b = 3")
        session.execute("ALTER TABLE t DROP x")
        session.execute("ALTER TABLE t ADD y frozen<set<int>>")
        session.execute("UPDATE t SET y = {3, 1} WHERE a = 3 AND b = 4")
        session.execute("INSERT INTO u (a, b) VALUES (1, 'gone')")
        session.execute("TRUNCATE u")
        session.execute("INSERT INTO u (a, b) VALUES (2, 'kept')")
        before = state(session)
        cluster.shutdown()
    finally:
        server.kill()
    assert len(before[0]) == 71 and len(before[1]) == 1
    with Millrace(data_dir=data_dir) as server:
        cluster = connect(server.cql)
        session = cluster.connect("kk")
        session.row_factory = tuple_factory
        assert state(session) == before
        session.execute("ALTER TABLE t ADD x int")  # its id is a new one: nothing of the old column comes back
        assert {row[0] for row in session.execute("SELECT x FROM t")} == {None}
        with pytest.raises(InvalidRequest, match="incompatible with previously dropped column"):
            session.execute("ALTER TABLE t DROP l")
            session.execute("ALTER TABLE t ADD l int")
        cluster.shutdown()


# ---- limits ----

def test_limits(session):
    session.execute("CREATE TABLE li (a int, b int, c int, s set<text>, PRIMARY KEY (a, b, c))")
    many = ", ".join(map(str, range(200)))
    with pytest.raises(InvalidRequest, match="more than 16384 rows"):
        session.execute(f"SELECT * FROM li WHERE a IN ({many}) AND b IN ({many})")
    with pytest.raises(InvalidRequest, match="more than 16384 rows"):
        session.execute(f"DELETE FROM li WHERE a IN ({many}) AND b IN ({many}) AND c = 1")
    with pytest.raises(InvalidRequest, match="at most 65535"):
        session.execute(session.prepare("UPDATE li SET s = ? WHERE a = 1 AND b = 1 AND c = 1"),
                        ({str(i) for i in range(65536)},))
    with pytest.raises(InvalidRequest, match="limited to 65535 bytes"):
        session.execute(session.prepare("UPDATE li SET s = ? WHERE a = 1 AND b = 1 AND c = 1"), ({"x" * 65536},))
    with pytest.raises(InvalidRequest, match="nested|none of its type signatures match"):
        session.execute("SELECT " + "abs(" * 40 + "a" + ")" * 40 + " FROM li")
    with pytest.raises(InvalidRequest):
        session.execute("CREATE TABLE deep (a int PRIMARY KEY, b " + "frozen<list<" * 20 + "int" + ">>" * 20 + ")")
    for later in ("SELECT a, count(*) FROM li GROUP BY a", "SELECT JSON * FROM li", "CREATE INDEX ON li (s)",
                  "CREATE TABLE st (a int, b int, c int STATIC, PRIMARY KEY (a, b))", "CREATE TYPE ty (a int)",
                  "CREATE TABLE co (a int PRIMARY KEY, c counter)", "CREATE ROLE r",
                  "INSERT INTO li (a, b, c) VALUES (1, 1, 1) IF NOT EXISTS"):
        with pytest.raises(InvalidRequest, match="not there in this version"):
            session.execute(later)

"""csv, raw, keys apart and METADATA columns, seen by the field's own Kafka client; every type through the tables."""
import json
import time
import uuid

import pytest
from confluent_kafka import Consumer, Producer

from millrace import Millrace, millrace
from pipeline import connect

PROJECT = """
SET 'pipeline.name' = 'orders';
CREATE TABLE source (id INT, name STRING, amount DECIMAL(10, 2), made TIMESTAMP(3))
    WITH ('connector' = 'file', 'path' = 'orders.csv', 'format' = 'csv', 'csv.allow-comments' = 'true');
CREATE TABLE orders (
    id INT, name STRING, amount DECIMAL(10, 2),
    made TIMESTAMP_LTZ(3) METADATA FROM 'timestamp',
    headers MAP<STRING, BYTES> METADATA,
    part INT METADATA FROM 'partition' VIRTUAL,
    at BIGINT METADATA FROM 'offset' VIRTUAL, t STRING METADATA FROM 'topic' VIRTUAL,
    time_type STRING METADATA FROM 'timestamp-type' VIRTUAL
) WITH ('connector' = 'kafka', 'topic' = 'orders', 'value.format' = 'csv', 'value.csv.field-delimiter' = ';',
        'key.format' = 'json', 'key.fields' = 'id', 'value.fields-include' = 'EXCEPT_KEY');
INSERT INTO orders
    SELECT id, name, amount, CAST(made AS TIMESTAMP_LTZ(3)), MAP['who', CAST(name AS BYTES)] FROM source;
""".replace(" at BIGINT", " `at` BIGINT")
TABLE = PROJECT[PROJECT.index("CREATE TABLE orders"):PROJECT.index("INSERT")]
ORDERS = '# id, name, amount, made\n1,"Ada; L",12.5,2024-02-29 01:02:03.5\n'
ORDERS += '2,Bob,many,2024-02-29 01:02:03\n3,,7,2024-03-01\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats")
    (folder / "orders.csv").write_text(ORDERS)
    (folder / "orders.sql").write_text(PROJECT)
    with Millrace(folder / "orders.sql", data_dir=folder / "data") as running:
        yield running


def consume(server, topic, count):
    consumer = Consumer({"bootstrap.servers": server.kafka, "group.id": str(uuid.uuid4()),
                         "auto.offset.reset": "earliest", "enable.auto.commit": False,
                         "topic.metadata.refresh.interval.ms": 200})
    consumer.subscribe([topic])
    deadline, messages = time.monotonic() + 20, []
    while len(messages) < count and time.monotonic() < deadline:
        message = consumer.poll(0.2)
        if message is not None and not message.error():  # the topic may not be there yet
            messages.append(message)
    consumer.close()
    assert len(messages) == count
    return messages


def select(server, text):
    code, out, err = millrace("sql", "--data-dir", server.data_dir, "--output", "json", "-e",
                              "SET 'execution.runtime-mode' = 'batch'; " + TABLE.replace(" orders (", " o (") + text)
    assert code == 0, err
    return [json.loads(line) for line in out.splitlines()]


def test_client_sees_keys_values_times_and_headers(server):
    ada, third = consume(server, "orders", 2)
    assert (ada.key(), ada.value()) == (b'{"id":1}', b'"Ada; L";12.50')
    assert ada.timestamp() == (1, 1709168523500) and ada.headers() == [("who", b"Ada; L")]
    assert (third.key(), third.value()) == (b'{"id":3}', b'"";7.00')


def test_bad_line_is_a_dead_letter(server):
    letter, = consume(server, "orders.dlq", 1)
    assert letter.value() == b"2,Bob,many,2024-02-29 01:02:03"
    assert b'field "amount"' in dict(letter.headers())["__connect.errors.exception.message"]


def test_metadata_is_read(server):
    consume(server, "orders", 2)
    rows = select(server, "SELECT * FROM o")
    assert rows[0] == {"id": 1, "name": "Ada; L", "amount": 12.5, "made": "2024-02-29 01:02:03.5Z",
                       "headers": {"who": "QWRhOyBM"}, "part": 0, "at": 0, "t": "orders", "time_type": "CreateTime"}
    assert (rows[1]["id"], rows[1]["name"], rows[1]["at"]) == (3, "", 1)


def test_raw_and_foreign_headers(server):
    producer = Producer({"bootstrap.servers": server.kafka})
    producer.produce("lines", value="grüß dich".encode(), headers=[("a", b"1"), ("none", None)])
    producer.produce("lines", value=None)
    producer.produce("lines", value=b"\xff")
    assert producer.flush(20) == 0
    lines = ("CREATE TABLE lines (line STRING, headers MAP<STRING, BYTES> METADATA VIRTUAL)"
             " WITH ('connector' = 'kafka', 'topic' = 'lines', 'format' = 'raw');"
             " SET 'records.on-error' = 'skip'; SELECT * FROM lines")
    assert select(server, lines) == [{"line": "grüß dich", "headers": {"a": "MQ==", "none": None}},
                                     {"line": None, "headers": {}}]


def test_every_type_through_the_tables(server):
    table = ("CREATE TABLE k (id INT, ti TINYINT, si SMALLINT, bi BIGINT, de DECIMAL(20, 4),"
             " vi DECIMAL(38, 0), f FLOAT, d DOUBLE,"
             " s STRING, u STRING, b BYTES, da DATE, tm TIME(3), ts TIMESTAMP(3), tl TIMESTAMP_LTZ(3), ar ARRAY<INT>,"
             " se ARRAY<STRING>, ma MAP<STRING, DATE>, ok BOOLEAN, PRIMARY KEY (id) NOT ENFORCED)"
             " WITH ('connector' = 'cassandra', 'keyspace' = 'types', 'table' = 't');")
    cluster = connect(server.cql)
    session = cluster.connect()
    session.execute("CREATE KEYSPACE types WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    session.execute("CREATE TABLE types.t (id int PRIMARY KEY, ti tinyint, si smallint, bi bigint, de decimal,"
                    " vi varint,"
                    " f float, d double, s text, u uuid, b blob, da date, tm time, ts timestamp, tl timestamp,"
                    " ar list<int>, se set<text>, ma map<text, date>, ok boolean)")
    values = ("1, CAST(-1 AS TINYINT), CAST(2 AS SMALLINT), 3, -0.5, -12345678901234567890, 1.5, 2.5, 'é',"
              " '6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47', x'00ff', DATE '1969-12-31', TIME '23:59:59.123',"
              " TIMESTAMP '2024-02-29 01:02:03.456', CAST('1960-01-01 00:00:00.001' AS TIMESTAMP_LTZ(3)), ARRAY[1, 2],"
              " ARRAY['b', 'a'], MAP['k', DATE '2024-01-01'], TRUE").replace("-12345678901234567890", "-1234567890.")
    select(server, table + "INSERT INTO k VALUES (" + values + ")")
    row, = session.execute("SELECT * FROM types.t")
    assert (row.ti, row.si, row.bi, str(row.de), row.vi) == (-1, 2, 3, "-0.5000", -1234567890)
    assert (str(row.u), row.b, str(row.da), str(row.tm)) == ("6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47", b"\x00\xff",
                                                             "1969-12-31", "23:59:59.123000000")
    assert row.ts.isoformat() == "2024-02-29T01:02:03.456000" and row.tl.isoformat() == "1960-01-01T00:00:00.001000"
    assert (row.ar, set(row.se), {k: str(v) for k, v in row.ma.items()}) == ([1, 2], {"a", "b"}, {"k": "2024-01-01"})
    cluster.shutdown()
    again, = select(server, table + "SELECT * FROM k")
    assert again == {"id": 1, "ti": -1, "si": 2, "bi": 3, "de": -0.5, "vi": -1234567890, "f": 1.5, "d": 2.5, "s": "é",
                     "u": "6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47", "b": "AP8=", "da": "1969-12-31", "tm": "23:59:59.123",
                     "ts": "2024-02-29 01:02:03.456", "tl": "1960-01-01 00:00:00.001Z", "ar": [1, 2], "se": ["a", "b"],
                     "ma": {"k": "2024-01-01"}, "ok": True}

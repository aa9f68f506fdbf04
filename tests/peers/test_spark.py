"""PySpark with the Kafka source and the Cassandra connector runs the article's job on millrace: every row arrives."""
import json
import os

from confluent_kafka import Producer

from peers import HERE, SPARK, SPARK_CASSANDRA, jars, once, run
from pipeline import connect
from people_api import full_name, people_500

# PySpark has these itself; two copies on one class path only cause trouble.
BROUGHT = ("scala-library-", "scala-reflect-", "slf4j-api-", "snappy-java-", "lz4-java-", "jsr305-", "spark-tags_")


def spark_python():
    def make(folder):
        run("python3", "-m", "venv", folder / "venv")
        run(folder / "venv" / "bin" / "pip", "install", "-q", f"pyspark=={SPARK}")
    return once(f"spark-{SPARK}", make) / "venv" / "bin"


def message(person):
    """As the article's producer makes it; a postcode that is no number would have ended it."""
    place, postcode = person["location"], str(person["location"]["postcode"])
    return {"full_name": full_name(person), "gender": person["gender"],
            "location": f"{place['street']['number']}, {place['street']['name']}", "city": place["city"],
            "country": place["country"], "postcode": int(postcode) if postcode.isdecimal() else 0,
            "latitude": float(place["coordinates"]["latitude"]),
            "longitude": float(place["coordinates"]["longitude"]), "email": person["email"]}


def test_article(server, folder):
    lib = jars(f"spark-jars-{SPARK}", f"org.apache.spark:spark-sql-kafka-0-10_2.12:{SPARK}",
               f"com.datastax.spark:spark-cassandra-connector_2.12:{SPARK_CASSANDRA}")
    path = ",".join(str(j) for j in sorted(lib.glob("*.jar")) if not j.name.startswith(BROUGHT))
    messages = [message(p) for p in people_500()]
    producer = Producer({"bootstrap.servers": server.kafka})
    for m in messages:
        producer.produce("random_names", json.dumps(m).encode())
    assert producer.flush(60) == 0
    cluster = connect(server.cql)
    try:
        session = cluster.connect()
        session.execute("CREATE KEYSPACE spark_streaming WITH replication = "
                        "{'class':'SimpleStrategy','replication_factor':1}")
        session.execute("CREATE TABLE spark_streaming.random_names(full_name text primary key, gender text, "
                        "location text, city text, country text, postcode int, latitude float, longitude float, "
                        "email text)")
        host, port = server.cql
        tools = spark_python()
        told = run(tools / "spark-submit", "--master", "local[2]", "--jars", path, HERE / "spark" / "job.py",
                   server.kafka, host, port, folder / "checkpoint",
                   env={**os.environ, "PYSPARK_PYTHON": str(tools / "python"), "SPARK_LOCAL_IP": "127.0.0.1"})
        expected = {m["full_name"]: m for m in messages}
        assert f"rows read back: {len(expected)}" in told
        rows = {row.full_name: row for row in session.execute("SELECT * FROM spark_streaming.random_names")}
        assert set(rows) == set(expected)
        assert all(rows[name].email == m["email"] or sum(x["full_name"] == name for x in messages) > 1
                   for name, m in expected.items())
    finally:
        cluster.shutdown()

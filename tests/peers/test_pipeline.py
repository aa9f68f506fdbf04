"""The example's pipeline on the real Kafka and the real Cassandra: the same rows as on the embedded log and tables."""
import pytest

from millrace import Millrace
from peers import Cassandra, Kafka
from people_api import PeopleApi, people_500
from pipeline import check_tables, connect, wait_for_people, write_project
from test_external import KEYSPACE, TABLES


@pytest.mark.parametrize("brokers, cassandra", [(1, True), (3, True), (1, False), (0, True)],
                         ids=["kafka and cassandra", "three brokers and cassandra", "kafka alone", "cassandra alone"])
def test_external(brokers, cassandra, folder):
    people = people_500()
    kafka_server = Kafka(folder, brokers) if brokers else None
    cassandra_server = Cassandra(folder) if cassandra else None
    flags = []
    try:
        if kafka_server:
            flags.append(f"--kafka={kafka_server.start().bootstrap}")
        if cassandra_server:
            host, port = cassandra_server.start().address
            flags.append(f"--cassandra={host}:{port}")
            cluster = connect(cassandra_server.address)
            session = cluster.connect()
            for statement in (KEYSPACE, *TABLES):
                session.execute(statement, timeout=60)
            cluster.shutdown()
        with PeopleApi(people) as api:
            write_project(folder / "project", api.url, 50, 10)
            with Millrace(*flags, project=folder / "project", data_dir=folder / "data") as server:
                target = cassandra_server.address if cassandra_server else server.cql
                check_tables(*wait_for_people(target, len(people)), people)
    finally:
        for peer in (kafka_server, cassandra_server):
            if peer:
                peer.stop()

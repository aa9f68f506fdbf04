"""Two processes with the same query against the real Kafka and Cassandra: tests/accept/test_sharing.py, on those."""
import types

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from peers import Cassandra, Kafka
from pipeline import connect
from test_sharing import PARTITIONS, SCHEMA, pipeline, test_another_goes_on, test_one_is_killed  # noqa: F401


@pytest.fixture
def elsewhere(folder):
    with Kafka(folder) as kafka, Cassandra(folder) as cassandra:
        cluster = connect(cassandra.address)
        session = cluster.connect()
        for statement in SCHEMA:
            session.execute(statement, timeout=60)
        admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
        admin.create_topics([NewTopic("orders", PARTITIONS, 1)])["orders"].result(60)
        cql = "{}:{}".format(*cassandra.address)
        yield types.SimpleNamespace(kafka=kafka.bootstrap, sql=session, ready={"kafka": kafka.bootstrap, "cql": cql})
        cluster.shutdown()

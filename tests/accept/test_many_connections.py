"""Connections beyond a listener's limit are closed at once, and take nothing from the other listeners."""
import socket
import urllib.request

import pytest

from cql_raw import Cql
from kafka_raw import Kafka, batch_of
from millrace import Millrace, wait_until

FILES = 400     # descriptors that the server gets: each of the three may have 66 connections


class Narrow(Millrace):
    def command(self, ready_fd):
        return ["sh", "-c", f'ulimit -n {FILES}; exec "$0" "$@"', *super().command(ready_fd)]


def use(server, but):
    """Each part but one takes a new client."""
    if but != "kafka":
        kafka = Kafka(server.kafka)
        assert wait_until(lambda: kafka.make_topic("t"), "a topic")
        kafka.produce("t", batch_of([b"x"]))
        kafka.close()
    if but != "cql":
        cql = Cql(server.cql)
        assert cql.has_row("SELECT key FROM system.local")
        cql.close()
    if but != "http":
        with urllib.request.urlopen(server.http + "/healthz", timeout=30) as answer:
            assert answer.status == 200


def is_closed(connection):
    connection.settimeout(0.2)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


@pytest.mark.parametrize("part", ["kafka", "cql", "http"])
def test_too_many_connections_leave_the_others_usable(data_dir, part):
    with Narrow(data_dir=data_dir) as server:
        host, _, port = server.ready[part].rpartition(":")
        connections = [socket.create_connection((host, int(port)), timeout=30) for _ in range(FILES)]
        assert wait_until(lambda: is_closed(connections[-1]), "the last connection is refused")
        assert not is_closed(connections[0])
        use(server, part)
        for connection in connections:
            connection.close()

        def all_usable():
            try:
                use(server, None)
                return True
            except OSError:
                return False

        wait_until(all_usable, f"{part} takes clients again")

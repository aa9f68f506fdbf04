"""What administrators do, with the field's clients: topics, partitions, records and configurations changed, described
and still so after a restart and a kill; several listeners; more replicas than there are nodes."""
import json
import socket
import struct
from pathlib import Path

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic,
                                   OffsetSpec, ResourceType)
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka import TopicPartition as PythonPartition
from kafka.errors import UnknownTopicOrPartitionError

from kafka_raw import Kafka, batch_of
from millrace import DEADLINE_S, Millrace, wait_until
from people_api import PeopleApi, people_500
from pipeline import check_tables, wait_for_people, write_project


@pytest.fixture
def admin(server):
    return AdminClient({"bootstrap.servers": server.kafka})


def done(futures):
    return {key: future.result(DEADLINE_S) for key, future in futures.items()}


def refused(futures, key):
    with pytest.raises(KafkaException) as error:
        futures[key].result(DEADLINE_S)
    return error.value.args[0].code(), error.value.args[0].str()


def string(text):
    return struct.pack(">h", len(text)) + text.encode()


def make(admin, name, partitions=1, replicas=1, **config):
    done(admin.create_topics([NewTopic(name, partitions, replicas, config=config)]))


def names(admin):
    return set(admin.list_topics(timeout=DEADLINE_S).topics)


def configs(admin, name):
    resource = ConfigResource(ResourceType.TOPIC, name)
    return admin.describe_configs([resource])[resource].result(DEADLINE_S)


def own(admin, name):
    """The configurations that were set for the topic itself."""
    return {key: entry.value for key, entry in configs(admin, name).items() if entry.source == 1}


def produce(address, topic, values, partition=0):
    producer = Producer({"bootstrap.servers": address})
    failed = []
    for value in values:
        producer.produce(topic, value, partition=partition,
                         on_delivery=lambda error, _: failed.append(error) if error else None)
    assert producer.flush(DEADLINE_S) == 0 and not failed


def offsets(admin, name, partition=0):
    where = TopicPartition(name, partition)
    ends = [admin.list_offsets({where: spec})[where].result(DEADLINE_S).offset
            for spec in (OffsetSpec.earliest(), OffsetSpec.latest())]
    return tuple(ends)


def values(address, topic, start, count):
    consumer = Consumer({"bootstrap.servers": address, "group.id": "admin", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, start)])
    found = []
    while len(found) < count:
        message = consumer.poll(DEADLINE_S)
        assert message is not None and not message.error(), message and message.error()
        found.append((message.offset(), message.value()))
    consumer.close()
    return found


# ---- topics ----

def test_delete_topics(server, admin):
    make(admin, "doomed", 3)
    produce(server.kafka, "doomed", [b"x"] * 10)
    assert admin.delete_topics(["doomed"])["doomed"].result(DEADLINE_S) is None
    assert "doomed" not in names(admin)
    code, _ = refused(admin.delete_topics(["doomed"]), "doomed")
    assert code == KafkaError.UNKNOWN_TOPIC_OR_PART
    make(admin, "doomed", 1)                                       # the same name again is a new, empty topic
    assert offsets(admin, "doomed") == (0, 0)


def test_kafka_python_admin(server):
    admin = KafkaAdminClient(bootstrap_servers=server.kafka)
    admin.create_topics({"by_python": {"num_partitions": 2, "replication_factor": 1,
                                       "configs": {"retention.ms": "60000"}}})
    assert "by_python" in admin.list_topics()
    assert len(admin.describe_topics(["by_python"])[0]["partitions"]) == 2
    admin.create_partitions({"by_python": 4})
    assert len(admin.describe_topics(["by_python"])[0]["partitions"]) == 4
    cluster = admin.describe_cluster()
    assert cluster["controller_id"] == 1 and [node["broker_id"] for node in cluster["brokers"]] == [1]
    admin.delete_topics(["by_python"])
    assert "by_python" not in admin.list_topics()
    with pytest.raises(UnknownTopicOrPartitionError):
        admin.delete_topics(["by_python"])
    admin.close()


def test_create_partitions(server, admin):
    make(admin, "grows", 2)
    done(admin.create_partitions([NewPartitions("grows", 5)]))
    assert len(admin.list_topics("grows", DEADLINE_S).topics["grows"].partitions) == 5
    produce(server.kafka, "grows", [b"x"], partition=4)            # answered means that it can be written to
    assert offsets(admin, "grows", 4) == (0, 1)
    for count, text in ((5, "Topic already has 5 partition(s)."),
                        (3, "The topic grows currently has 5 partition(s); 3 would not be an increase."),
                        (100000, "Number of partitions is above the limit of 10000.")):
        assert refused(admin.create_partitions([NewPartitions("grows", count)]), "grows") == (
            KafkaError.INVALID_PARTITIONS, text)
    assert refused(admin.create_partitions([NewPartitions("nosuch", 3)]), "nosuch")[0] == (
        KafkaError.UNKNOWN_TOPIC_OR_PART)
    admin.create_partitions([NewPartitions("grows", 9)], validate_only=True)["grows"].result(DEADLINE_S)
    assert len(admin.list_topics("grows", DEADLINE_S).topics["grows"].partitions) == 5


def test_partitions_grown_in_turn(server, admin):
    """Many requests for the same topic at once: each is judged by what the one before it left."""
    make(admin, "turns")
    answers = [admin.create_partitions([NewPartitions("turns", count)])["turns"] for count in range(2, 30)]
    errors = [answer.exception(DEADLINE_S) for answer in answers]
    assert all(error is None or error.args[0].code() == KafkaError.INVALID_PARTITIONS for error in errors)
    assert errors[-1] is None
    assert len(admin.list_topics("turns", DEADLINE_S).topics["turns"].partitions) == 29


def test_a_deleted_topics_offsets_are_forgotten(server, admin):
    """A group that comes back to a new topic of the same name begins anew."""
    where = TopicPartition("again", 0, 2)
    for expect in (2, -1001):
        make(admin, "again")
        if expect > 0:
            produce(server.kafka, "again", [b"a", b"b"])
            consumer = Consumer({"bootstrap.servers": server.kafka, "group.id": "left"})
            consumer.commit(offsets=[where], asynchronous=False)
            consumer.close()
        asked = ConsumerGroupTopicPartitions("left", [TopicPartition("again", 0)])
        found = admin.list_consumer_group_offsets([asked])["left"].result(DEADLINE_S)
        assert [partition.offset for partition in found.topic_partitions] == [expect]
        done(admin.delete_topics(["again"]))


# ---- records ----

def deleted(admin, topic, offset, partition=0):
    where = TopicPartition(topic, partition, offset)
    return admin.delete_records([where])[where].result(DEADLINE_S).low_watermark


def test_delete_records(server, admin):
    make(admin, "cut")
    produce(server.kafka, "cut", [b"%d" % n for n in range(20)])
    assert deleted(admin, "cut", 7) == 7
    assert offsets(admin, "cut") == (7, 20)
    assert deleted(admin, "cut", 3) == 7                           # below the start: nothing to do
    assert values(server.kafka, "cut", 7, 13) == [(n, b"%d" % n) for n in range(7, 20)]
    for offset in (21, -2):
        with pytest.raises(KafkaException) as error:
            deleted(admin, "cut", offset)
        assert error.value.args[0].code() == KafkaError.OFFSET_OUT_OF_RANGE
    assert deleted(admin, "cut", -1) == 20                         # -1: the high watermark
    assert offsets(admin, "cut") == (20, 20)
    produce(server.kafka, "cut", [b"new"])
    assert values(server.kafka, "cut", 20, 1) == [(20, b"new")]


def test_a_fetch_below_the_start_is_out_of_range(server, admin):
    make(admin, "early")
    produce(server.kafka, "early", [b"%d" % n for n in range(5)])
    assert deleted(admin, "early", 3) == 3
    consumer = KafkaConsumer(bootstrap_servers=server.kafka, auto_offset_reset="earliest", enable_auto_commit=False,
                             consumer_timeout_ms=DEADLINE_S * 1000)
    partition = PythonPartition("early", 0)
    consumer.assign([partition])
    consumer.seek(partition, 0)
    assert next(consumer).offset == 3                              # error 1, then the reset
    consumer.close()


def test_delete_records_of_a_compacted_topic(admin):
    make(admin, "compacted", **{"cleanup.policy": "compact"})
    with pytest.raises(KafkaException) as error:
        deleted(admin, "compacted", -1)
    assert error.value.args[0].code() == KafkaError.POLICY_VIOLATION


# ---- configurations ----

def test_describe_configs(admin):
    make(admin, "shown", **{"cleanup.policy": "compact", "retention.ms": "1000"})
    found = configs(admin, "shown")
    assert len(found) == 33                                        # as many as Kafka 4.3
    policy = found["cleanup.policy"]
    assert (policy.value, policy.source, policy.is_read_only, policy.is_default) == ("compact", 1, False, False)
    assert [(s.name, s.value, s.source) for s in policy.synonyms.values()][0] == ("cleanup.policy", "compact", 1)
    assert found["segment.bytes"].value == "1073741824" and found["segment.bytes"].source == 5
    assert own(admin, "shown") == {"cleanup.policy": "compact", "retention.ms": "1000"}
    missing = ConfigResource(ResourceType.TOPIC, "nosuch")
    assert refused(admin.describe_configs([missing]), missing)[0] == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_documentation_says_that_nothing_is_compacted(server, admin):
    make(admin, "said", **{"cleanup.policy": "compact"})
    body = struct.pack(">ib", 1, 2) + string("said") + struct.pack(">i", 1) + string("cleanup.policy") + b"\0\1"
    answer = Kafka(server.kafka).ask(32, 3, body)
    assert b"neither compacts nor removes by time or size" in answer


def test_describe_the_broker(server, admin):
    resource = ConfigResource(ResourceType.BROKER, "1")
    found = admin.describe_configs([resource])[resource].result(DEADLINE_S)
    assert found["log.dirs"].value.endswith("/log") and found["listeners"].value == f"PLAINTEXT://{server.kafka}"
    assert found["default.replication.factor"].value == "1" and found["auto.create.topics.enable"].value == "true"
    assert all(entry.is_read_only for entry in found.values())
    body = struct.pack(">ib", 1, 4) + string("7") + struct.pack(">ib", -1, 0)
    assert b"Unexpected broker id, expected 1 or empty string, but received 7" in Kafka(server.kafka).ask(32, 1, body)


def change(admin, topic, *changes, **keywords):
    entries = [ConfigEntry(name, value, incremental_operation=operation) for name, operation, value in changes]
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    return admin.incremental_alter_configs([resource], **keywords)[resource].result(DEADLINE_S)


def test_incremental_alter_configs(admin):
    make(admin, "altered", **{"cleanup.policy": "compact"})
    op = AlterConfigOpType
    change(admin, "altered", ("retention.ms", op.SET, " 77 "), ("cleanup.policy", op.APPEND, "delete"))
    assert own(admin, "altered") == {"cleanup.policy": "compact,delete", "retention.ms": "77"}
    change(admin, "altered", ("retention.ms", op.DELETE, None), ("cleanup.policy", op.SUBTRACT, "compact"))
    assert own(admin, "altered") == {"cleanup.policy": "delete"}
    change(admin, "altered", ("segment.ms", op.SET, "5"), validate_only=True)
    assert own(admin, "altered") == {"cleanup.policy": "delete"}
    for changes, text in (
            ([("retention.ms", op.SET, "abc")],
             "Invalid value abc for configuration retention.ms: Not a number of type LONG"),
            ([("segment.ms", op.SET, "7"), ("no.such", op.SET, "1")], "Unknown topic config name: no.such"),
            ([("retention.ms", op.APPEND, "5")], "Can't APPEND to key retention.ms because its type is not LIST."),
            ([("min.compaction.lag.ms", op.SET, "50"), ("max.compaction.lag.ms", op.SET, "5")],
             "conflict topic config setting min.compaction.lag.ms (50) > max.compaction.lag.ms (5)")):
        with pytest.raises(KafkaException) as error:
            change(admin, "altered", *changes)
        assert (error.value.args[0].code(), error.value.args[0].str()) == (KafkaError.INVALID_CONFIG, text)
    assert own(admin, "altered") == {"cleanup.policy": "delete"}   # whole or not at all
    with pytest.raises(KafkaException) as error:
        change(admin, "nosuch", ("retention.ms", op.SET, "5"))
    assert error.value.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_alter_configs_replaces_all(admin):
    make(admin, "replaced", **{"cleanup.policy": "compact", "retention.ms": "1"})
    resource = ConfigResource(ResourceType.TOPIC, "replaced", set_config={"segment.ms": "9"})
    done(admin.alter_configs([resource]))
    assert own(admin, "replaced") == {"segment.ms": "9"}


def test_the_brokers_settings_are_not_altered(admin):
    resource = ConfigResource(ResourceType.BROKER, "1", incremental_configs=[
        ConfigEntry("log.retention.ms", "5", incremental_operation=AlterConfigOpType.SET)])
    code, text = refused(admin.incremental_alter_configs([resource]), resource)
    assert code == KafkaError.INVALID_REQUEST and "millrace.yaml" in text


def test_an_altered_limit_counts(server, admin):
    make(admin, "small", **{"max.message.bytes": "500"})
    producer = Producer({"bootstrap.servers": server.kafka})
    codes = []

    def send():
        producer.produce("small", b"x" * 2000, on_delivery=lambda error, _: codes.append(error and error.code()))
        assert producer.flush(DEADLINE_S) == 0
    send()
    change(admin, "small", ("max.message.bytes", AlterConfigOpType.SET, "5000"))
    send()
    assert codes == [KafkaError.MSG_SIZE_TOO_LARGE, None]


# ---- the cluster ----

def test_describe_cluster(server, admin):
    found = admin.describe_cluster().result(DEADLINE_S)
    assert [(node.id, f"{node.host}:{node.port}") for node in found.nodes] == [(1, server.kafka)]
    assert found.controller.id == 1 and found.cluster_id


def test_log_dirs_and_leader_epochs(server, admin):
    make(admin, "measured", 2)
    produce(server.kafka, "measured", [b"x" * 1000] * 10)
    raw = Kafka(server.kafka)
    answer = raw.ask(35, 1, struct.pack(">i", 1) + string("measured") + struct.pack(">iii", 2, 0, 1))
    size, = struct.unpack_from(">h", answer, 10)
    assert answer[12:12 + size].endswith(b"/log")
    at = 12 + size + 4 + len(string("measured")) + 4
    first, second = (struct.unpack_from(">iqqb", answer, at + n * 21) for n in range(2))
    assert first[0] == 0 and 10000 < first[1] < 13000 and first[2:] == (0, 0)
    assert second == (1, 0, 0, 0)
    answer = raw.ask(23, 2, struct.pack(">i", 1) + string("measured") + struct.pack(">iiii", 1, 0, -1, 0))
    at = 4 + 4 + len(string("measured")) + 4
    assert struct.unpack_from(">hiiq", answer, at) == (0, 0, 0, 10)
    raw.close()


# ---- what lasts ----

@pytest.mark.parametrize("end", ["stop", "kill"])
def test_changes_last(data_dir, end):
    server = Millrace(data_dir=data_dir).start()
    admin = AdminClient({"bootstrap.servers": server.kafka})
    make(admin, "grown")
    make(admin, "gone")
    make(admin, "altered", **{"retention.ms": "1"})
    make(admin, "cut")
    produce(server.kafka, "cut", [b"%d" % n for n in range(10)])
    done(admin.create_partitions([NewPartitions("grown", 4)]))
    done(admin.delete_topics(["gone"]))
    change(admin, "altered", ("cleanup.policy", AlterConfigOpType.SET, "compact"))
    assert deleted(admin, "cut", 6) == 6
    server.stop() if end == "stop" else server.kill()
    with Millrace(data_dir=data_dir) as server:
        admin = AdminClient({"bootstrap.servers": server.kafka})
        assert {"grown", "altered", "cut"} <= names(admin) and "gone" not in names(admin)
        assert len(admin.list_topics("grown", DEADLINE_S).topics["grown"].partitions) == 4
        assert own(admin, "altered") == {"retention.ms": "1", "cleanup.policy": "compact"}
        assert offsets(admin, "cut") == (6, 10)
        assert values(server.kafka, "cut", 6, 4) == [(n, b"%d" % n) for n in range(6, 10)]


def test_deleted_records_give_their_space_back(data_dir):
    with Millrace(data_dir=data_dir) as server:
        admin = AdminClient({"bootstrap.servers": server.kafka})
        make(admin, "large", **{"segment.bytes": "1048576"})
        raw = Kafka(server.kafka)
        for _ in range(40):
            raw.produce("large", batch_of([b"x" * 100000]))
        folder = next(Path(data_dir, "log", "topics").glob("large~*-0"))
        assert len(list(folder.glob("*.log"))) >= 4
        assert deleted(admin, "large", -1) == 40
        wait_until(lambda: len(list(folder.glob("*.log"))) == 1, "old segments are removed")


# ---- listeners and replicas ----

def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def test_three_bootstrap_addresses(data_dir):
    """The article's producer, whose bootstrap list names three brokers, and its topic with three replicas."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(3)]
    listen = ("--kafka-listen", ",".join(addresses))
    with Millrace(*listen, data_dir=data_dir) as server:
        admin = AdminClient({"bootstrap.servers": addresses[2]})
        make(admin, "random_names", 1, 3)
        producer = KafkaProducer(bootstrap_servers=addresses, max_block_ms=5000)
        people = [json.dumps({"full_name": f"Ms. Ada {n}"}).encode() for n in range(20)]
        for person in people:
            producer.send("random_names", person)
        producer.flush(DEADLINE_S)
        producer.close()
        for address in addresses:                                  # each tells the address that the client came in on
            assert [v for _, v in values(address, "random_names", 0, 20)] == people
            admin = AdminClient({"bootstrap.servers": address})
            node = admin.describe_cluster().result(DEADLINE_S).nodes[0]
            assert f"{node.host}:{node.port}" == address
        assert ", ".join(addresses) in server.output()


def test_advertise(data_dir):
    """Behind a port forward: the address that clients are told wins; what runs inside does not use it."""
    inside, told, plain = free_ports(3)
    arguments = ("--kafka-listen", f"127.0.0.1:{inside},127.0.0.1:{plain}",
                 "--kafka-advertise", f"localhost:{told}, -")
    with Millrace(*arguments, data_dir=data_dir) as server:
        found = AdminClient({"bootstrap.servers": f"127.0.0.1:{inside}"}).list_topics(timeout=DEADLINE_S)
        assert [(b.host, b.port) for b in found.brokers.values()] == [("localhost", told)]
        found = AdminClient({"bootstrap.servers": f"127.0.0.1:{plain}"}).list_topics(timeout=DEADLINE_S)
        assert [(b.host, b.port) for b in found.brokers.values()] == [("127.0.0.1", plain)]
        assert server.kafka == f"127.0.0.1:{plain}"
        assert f"127.0.0.1:{inside} (told as localhost:{told})" in server.output()


def test_advertise_everywhere_leaves_a_way_in(data_dir):
    inside, told = free_ports(2)
    arguments = ("--kafka-listen", f"127.0.0.1:{inside}", "--kafka-advertise", f"localhost:{told}")
    with Millrace(*arguments, data_dir=data_dir) as server:
        assert server.kafka != f"127.0.0.1:{inside}"               # the one for this machine
        make(AdminClient({"bootstrap.servers": server.kafka}), "t")
        assert Kafka(server.kafka).produce("t", batch_of([b"x"])) == 0


def test_queries_do_not_need_the_advertised_address(folder, data_dir):
    told, = free_ports(1)                                          # nobody forwards it
    with PeopleApi(people_500()) as api:
        write_project(folder, api.url, 100, 5)
        with Millrace("--kafka-advertise", f"127.0.0.1:{told}", project=folder, data_dir=data_dir) as server:
            check_tables(*wait_for_people(server.cql, 500), people_500())


@pytest.mark.parametrize("arguments, says", [
    (("--kafka-listen", "127.0.0.1:0,127.0.0.1:0", "--kafka-advertise", "localhost:1"), "for each of the 2 addresses"),
    (("--kafka-advertise", "localhost:1,localhost:2"), "for each of the 1 addresses"),
    (("--kafka-advertise", "0.0.0.0:1"), "no client can connect to 0.0.0.0:1"),
    (("--kafka-advertise", "localhost"), "the port is missing"),
])
def test_wrong_advertise(data_dir, arguments, says):
    server = Millrace(*arguments, data_dir=data_dir)
    with pytest.raises(AssertionError) as error:
        server.start()
    assert "kafka.advertise" in str(error.value) and says in str(error.value) and server.process.returncode == 3


def test_replicas_are_clamped_and_described(server, admin):
    done(admin.create_topics([NewTopic("three", 2, 3)]))
    done(admin.create_topics([NewTopic("assigned", 2, replica_assignment=[[1, 2, 3], [2, 3, 1]])]))
    for name in ("three", "assigned"):
        for partition in admin.list_topics(name, DEADLINE_S).topics[name].partitions.values():
            assert (partition.leader, partition.replicas, partition.isrs) == (1, [1], [1])
    assert "replication factor 3 is taken as 1" in server.output()
    assert "the replicas assigned to it are taken as one here" in server.output()


def test_replicas_are_refused(data_dir):
    with Millrace("--replication-factor-policy", "reject", data_dir=data_dir) as server:
        admin = AdminClient({"bootstrap.servers": server.kafka})
        code, text = refused(admin.create_topics([NewTopic("three", 2, 3)]), "three")
        assert code == KafkaError.INVALID_REPLICATION_FACTOR and "replication factor of 3 cannot be reached" in text
        code, _ = refused(admin.create_topics([NewTopic("assigned", 1, replica_assignment=[[1, 2]])]), "assigned")
        assert code == KafkaError.INVALID_REPLICA_ASSIGNMENT
        make(admin, "one", 2, 1)

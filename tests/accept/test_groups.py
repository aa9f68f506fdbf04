"""Consumer groups with the field's own clients: sharing, taking over, going on after a restart, administration."""
import asyncio
import functools
import struct
import subprocess
import threading
import time
import uuid

import pytest
from aiokafka import AIOKafkaConsumer
from confluent_kafka import (OFFSET_INVALID, Consumer, ConsumerGroupState, ConsumerGroupTopicPartitions, KafkaException,
                             Producer, TopicPartition)
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic
from kafka import KafkaConsumer

from kafka_raw import Kafka, text
from millrace import DEADLINE_S, Millrace, wait_until

SESSION_MS = 6000


def topic_make(bootstrap, partitions=2, count=20):
    """A new topic with COUNT messages b"0", b"1"…, in turn over its partitions."""
    topic = f"t-{uuid.uuid4()}"
    admin(bootstrap).create_topics([NewTopic(topic, partitions, 1)])[topic].result(DEADLINE_S)
    produce(bootstrap, topic, partitions, range(count))
    return topic


def produce(bootstrap, topic, partitions, numbers):
    producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    for number in numbers:
        producer.produce(topic, str(number).encode(), partition=number % partitions)
    assert producer.flush(DEADLINE_S) == 0


def confluent(bootstrap, group, **config):
    return Consumer({"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest",
                     "session.timeout.ms": SESSION_MS, "heartbeat.interval.ms": 500, "enable.auto.commit": False,
                     "log_level": 0, **{key.replace("_", "."): value for key, value in config.items()}})


def take(consumer, count):
    """The values of the next COUNT messages."""
    values = []
    end = time.monotonic() + DEADLINE_S
    while len(values) < count:
        assert time.monotonic() < end, f"only {len(values)} of {count} came"
        message = consumer.poll(0.2)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        values.append(message.value())
    return values


def numbers(first, end):
    return sorted(str(n).encode() for n in range(first, end))


def assigned(consumer):
    return sorted(p.partition for p in consumer.assignment())


def poll_until(consumers, fact, what):
    """Polls all CONSUMERS (a group only moves while its members poll) until FACT; the values that came."""
    got = []

    def step():
        for consumer in consumers:
            message = consumer.poll(0.05)
            if message is not None and not message.error():
                got.append(message.value())
        return fact()

    wait_until(step, what)
    return got


@functools.lru_cache(1)  # a client that is collected forgets its answers
def admin(bootstrap):
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})


def committed(bootstrap, group, topic, partitions=2):
    asked = [ConsumerGroupTopicPartitions(group, [TopicPartition(topic, n) for n in range(partitions)])]
    result = admin(bootstrap).list_consumer_group_offsets(asked)[group].result(DEADLINE_S)
    return [p.offset for p in result.topic_partitions]


# ---- going on ----

@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_consumer_goes_on_after_a_restart(data_dir, end):
    server = Millrace(data_dir=data_dir).start()
    topic = topic_make(server.kafka)
    consumer = confluent(server.kafka, "readers")
    consumer.subscribe([topic])
    seen = take(consumer, 10)
    consumer.commit(asynchronous=False)
    getattr(server, end)()  # with a member in the group
    again = Millrace(data_dir=data_dir).start()
    expected = [sum(1 for v in seen if int(v) % 2 == n) for n in (0, 1)]
    assert committed(again.kafka, "readers", topic) == [count or OFFSET_INVALID for count in expected]
    state = admin(again.kafka).describe_consumer_groups(["readers"])["readers"].result(DEADLINE_S)
    assert state.state == ConsumerGroupState.STABLE and len(state.members) == 1
    consumer.close()
    consumer = confluent(again.kafka, "readers")
    consumer.subscribe([topic])
    assert sorted(seen + take(consumer, 10)) == numbers(0, 20)
    consumer.close()
    again.stop()


def commit_raw(connection, group, topic, offset):
    """OffsetCommit v7 of partition 0, by a client that is in no group; the error."""
    body = text(group) + struct.pack(">i", -1) + text("") + struct.pack(">hi", -1, 1) + text(topic)
    body += struct.pack(">iiqi", 1, 0, offset, -1) + text("")
    return struct.unpack(">h", connection.ask(8, 7, body)[-2:])[0]


def test_acknowledged_commits_survive_kill(data_dir):
    """Commits without a pause until the server is killed: none that was acknowledged is missing."""
    for delay_s in (0.02, 0.1, 0.3):
        server = Millrace(data_dir=data_dir).start()
        topic = topic_make(server.kafka, count=0)
        connection = Kafka(server.kafka)
        assert commit_raw(connection, "committer", topic, 1) == 0
        threading.Timer(delay_s, server.process.kill).start()
        sent = acknowledged = 1
        with pytest.raises(OSError):
            while True:
                sent += 1
                assert commit_raw(connection, "committer", topic, sent) == 0
                acknowledged = sent
        server.process.wait()
        connection.close()
        with Millrace(data_dir=data_dir) as again:
            found = committed(again.kafka, "committer", topic)[0]
            assert acknowledged <= found <= sent


def test_a_member_keeps_its_place_over_a_restart(data_dir):
    """The same consumer, never told: it goes on with its member id on the same port."""
    server = Millrace(data_dir=data_dir).start()
    port = server.kafka
    topic = topic_make(port)
    consumer = confluent(port, "g", **{"reconnect_backoff_max_ms": 200})
    consumer.subscribe([topic])
    take(consumer, 20)
    before = admin(port).describe_consumer_groups(["g"])["g"].result(DEADLINE_S).members[0].member_id
    server.kill()
    again = Millrace(f"--kafka-listen={port}", "--cql-listen=127.0.0.1:0", "--http-listen=127.0.0.1:0",
                     data_dir=data_dir, ports=False).start()
    produce(port, topic, 2, range(20, 24))
    assert sorted(take(consumer, 4)) == numbers(20, 24)
    consumer.commit(asynchronous=False)
    after = admin(port).describe_consumer_groups(["g"])["g"].result(DEADLINE_S).members[0].member_id
    assert after == before
    consumer.close()
    again.stop()


def test_close_is_quick(server):
    topic = topic_make(server.kafka)
    consumer = confluent(server.kafka, "quick", enable_auto_commit=True)
    consumer.subscribe([topic])
    take(consumer, 20)
    start = time.monotonic()
    consumer.close()
    assert time.monotonic() - start < 5
    assert committed(server.kafka, "quick", topic) == [10, 10]


# ---- sharing ----

@pytest.mark.parametrize("strategy", ["range", "roundrobin", "cooperative-sticky"])
def test_two_share_and_one_takes_over(server, strategy):
    topic, group = topic_make(server.kafka, partitions=4, count=0), f"share-{strategy}"
    config = {"partition_assignment_strategy": strategy}
    one, two = (confluent(server.kafka, group, **config) for _ in range(2))
    one.subscribe([topic])
    poll_until([one], lambda: assigned(one) == [0, 1, 2, 3], "one has all partitions")
    two.subscribe([topic])
    poll_until([one, two], lambda: len(assigned(one)) == len(assigned(two)) == 2, "each has two")
    assert sorted(assigned(one) + assigned(two)) == [0, 1, 2, 3]
    produce(server.kafka, topic, 4, range(40))
    got = []
    while len(got) < 40:
        got += poll_until([one, two], lambda: True, "messages")
    assert sorted(got) == numbers(0, 40)
    two.close()
    poll_until([one], lambda: assigned(one) == [0, 1, 2, 3], "one has all partitions again")
    one.close()


def test_one_is_killed_and_the_other_takes_over(server):
    """The one that is killed is a process of its own: nobody leaves the group for it."""
    topic = topic_make(server.kafka, partitions=2, count=0)
    killed = subprocess.Popen(["kcat", "-b", server.kafka, "-X", f"session.timeout.ms={SESSION_MS}", "-G", "takeover",
                               topic], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    other = confluent(server.kafka, "takeover")
    try:
        wait_until(lambda: len(describe(server, "takeover").members) == 1, "kcat is in the group")
        other.subscribe([topic])
        poll_until([other], lambda: len(assigned(other)) == 1, "each has one")
    finally:
        killed.kill()
        killed.wait()
    start = time.monotonic()
    poll_until([other], lambda: assigned(other) == [0, 1], "it has both")
    assert time.monotonic() - start < 3 * SESSION_MS / 1000
    other.close()


def test_kcat_in_a_group(server):
    topic = topic_make(server.kafka)
    done = subprocess.run(["kcat", "-b", server.kafka, "-X", "auto.offset.reset=earliest", "-q", "-c", "20",
                           "-G", "kcat", topic], capture_output=True, timeout=DEADLINE_S, check=True)
    assert sorted(done.stdout.split()) == numbers(0, 20)


def test_a_static_member_comes_back_without_a_rebalance(server):
    topic, config = topic_make(server.kafka), {"group_instance_id": "one"}
    other = confluent(server.kafka, "static", group_instance_id="two")
    other.subscribe([topic])
    consumer = confluent(server.kafka, "static", **config)
    consumer.subscribe([topic])
    poll_until([other, consumer], lambda: len(assigned(other)) == len(assigned(consumer)) == 1, "each has one")
    kept = assigned(consumer)
    generation = {m.member_id for m in describe(server, "static").members}
    consumer.close()  # a static member does not leave
    assert len(describe(server, "static").members) == 2
    consumer = confluent(server.kafka, "static", **config)
    consumer.subscribe([topic])
    poll_until([other, consumer], lambda: assigned(consumer) == kept, "it has what it had")
    assert len(assigned(other)) == 1
    assert len(generation & {m.member_id for m in describe(server, "static").members}) == 1  # only its id is new
    second = confluent(server.kafka, "static", **config)  # another with its name
    second.subscribe([topic])
    poll_until([other, second], lambda: assigned(second) == kept, "the second has its place")
    fenced = []
    poll_until([other, second], lambda: error_of(consumer, fenced) or fenced, "the first hears of it")
    assert "fenced" in fenced[0]
    for c in (other, consumer, second):
        c.close()


def error_of(consumer, errors):
    message = consumer.poll(0.05)
    if message is not None and message.error():
        errors.append(message.error().str())


def describe(server, group):
    return admin(server.kafka).describe_consumer_groups([group])[group].result(DEADLINE_S)


# ---- other clients ----

def test_kafka_python(server):
    topic = topic_make(server.kafka)
    config = {"bootstrap_servers": server.kafka, "group_id": "kp", "auto_offset_reset": "earliest",
              "enable_auto_commit": False, "session_timeout_ms": SESSION_MS, "heartbeat_interval_ms": 500}
    consumer = KafkaConsumer(topic, max_poll_records=10, **config)
    seen = []
    wait_until(lambda: seen.extend(m.value for batch in consumer.poll(200).values() for m in batch) or len(seen) >= 10,
               "messages come")
    consumer.commit()
    consumer.close()
    consumer = KafkaConsumer(topic, **config)
    wait_until(lambda: seen.extend(m.value for batch in consumer.poll(200).values() for m in batch) or len(seen) >= 20,
               "the others come")
    consumer.close()
    assert sorted(seen) == numbers(0, 20)


def test_aiokafka(server):
    topic = topic_make(server.kafka)

    async def read(count):
        consumer = AIOKafkaConsumer(topic, bootstrap_servers=server.kafka, group_id="aio", auto_offset_reset="earliest",
                                    enable_auto_commit=False, session_timeout_ms=SESSION_MS, heartbeat_interval_ms=500)
        await consumer.start()
        try:
            values = [(await asyncio.wait_for(consumer.getone(), DEADLINE_S)).value for _ in range(count)]
            await consumer.commit()
            return values
        finally:
            await consumer.stop()

    assert sorted(asyncio.run(read(8)) + asyncio.run(read(12))) == numbers(0, 20)


# ---- administration ----

def test_settings(data_dir):
    settings = {"MILLRACE_GROUP_MIN_SESSION_TIMEOUT_MS": "1000", "MILLRACE_GROUP_INITIAL_REBALANCE_DELAY_MS": "50",
                "MILLRACE_OFFSETS_RETENTION_MINUTES": "60"}
    with Millrace(data_dir=data_dir, env=settings) as server:
        broker = ConfigResource(ConfigResource.Type.BROKER, "1")
        told = admin(server.kafka).describe_configs([broker])[broker].result(DEADLINE_S)
        assert [told[name].value for name in ("group.min.session.timeout.ms", "group.initial.rebalance.delay.ms",
                                              "offsets.retention.minutes")] == ["1000", "50", "60"]
        topic = topic_make(server.kafka)
        consumer = confluent(server.kafka, "short", session_timeout_ms=1000, heartbeat_interval_ms=100)
        consumer.subscribe([topic])
        assert len(take(consumer, 20)) == 20
        consumer.close()



def test_offsets_by_admin(server):
    topic, client = topic_make(server.kafka), admin(server.kafka)
    asked = ConsumerGroupTopicPartitions("by-admin", [TopicPartition(topic, 0, 7), TopicPartition(topic, 1, 3)])
    client.alter_consumer_group_offsets([asked])["by-admin"].result(DEADLINE_S)
    assert committed(server.kafka, "by-admin", topic) == [7, 3]
    asked_all = [ConsumerGroupTopicPartitions("by-admin")]
    everything = client.list_consumer_group_offsets(asked_all)["by-admin"].result(DEADLINE_S)
    assert [(p.topic, p.partition, p.offset) for p in everything.topic_partitions] == [(topic, 0, 7), (topic, 1, 3)]
    consumer = confluent(server.kafka, "by-admin")
    consumer.subscribe([topic])
    assert sorted(take(consumer, 10)) == sorted(str(n).encode() for n in range(20) if n // 2 >= (3 if n % 2 else 7))
    refused = client.alter_consumer_group_offsets([asked])["by-admin"].result(DEADLINE_S)  # somebody is in the group
    assert {p.error.name() for p in refused.topic_partitions} == {"UNKNOWN_MEMBER_ID"}
    consumer.close()


def test_list_describe_delete(server):
    topic, client = topic_make(server.kafka), admin(server.kafka)
    consumer = confluent(server.kafka, "listed", client_id="me")
    consumer.subscribe([topic])
    take(consumer, 20)
    consumer.commit(asynchronous=False)
    group = describe(server, "listed")
    assert group.state == ConsumerGroupState.STABLE and group.partition_assignor == "range"
    assert group.members[0].client_id == "me" and group.members[0].host == "/127.0.0.1"
    assert sorted(p.partition for p in group.members[0].assignment.topic_partitions) == [0, 1]

    def listed(**filters):
        return {g.group_id for g in client.list_consumer_groups(request_timeout=DEADLINE_S, **filters).result().valid}

    assert "listed" in listed() and "listed" in listed(states={ConsumerGroupState.STABLE})
    assert "listed" not in listed(states={ConsumerGroupState.EMPTY})
    with pytest.raises(KafkaException, match="NON_EMPTY_GROUP"):
        client.delete_consumer_groups(["listed"])["listed"].result(DEADLINE_S)
    consumer.close()
    assert "listed" in listed(states={ConsumerGroupState.EMPTY})
    client.delete_consumer_groups(["listed"])["listed"].result(DEADLINE_S)
    assert "listed" not in listed()
    with pytest.raises(KafkaException, match="GROUP_ID_NOT_FOUND"):
        client.delete_consumer_groups(["listed"])["listed"].result(DEADLINE_S)
    assert committed(server.kafka, "listed", topic) == [OFFSET_INVALID] * 2


def test_offsets_go_with_their_topic(server):
    topic, client = topic_make(server.kafka), admin(server.kafka)
    asked = ConsumerGroupTopicPartitions("orphans", [TopicPartition(topic, 0, 5)])
    client.alter_consumer_group_offsets([asked])["orphans"].result(DEADLINE_S)
    client.delete_topics([topic])[topic].result(DEADLINE_S)
    client.create_topics([NewTopic(topic, 2, 1)])[topic].result(DEADLINE_S)
    assert committed(server.kafka, "orphans", topic) == [OFFSET_INVALID] * 2


def test_the_offsets_topic_is_internal(server):
    topic = topic_make(server.kafka)
    client = admin(server.kafka)
    asked = ConsumerGroupTopicPartitions("x", [TopicPartition(topic, 0, 1)])
    client.alter_consumer_group_offsets([asked])["x"].result(DEADLINE_S)
    failed = []
    producer = Producer({"bootstrap.servers": server.kafka})
    producer.produce("__consumer_offsets", b"no", on_delivery=lambda error, _: failed.append(error))
    producer.flush(DEADLINE_S)
    assert failed[0].name() == "TOPIC_EXCEPTION"
    reader = KafkaConsumer(bootstrap_servers=server.kafka)
    assert "__consumer_offsets" not in reader.topics()  # it leaves internal ones out
    reader.close()
    consumer = confluent(server.kafka, "reads-offsets")
    consumer.assign([TopicPartition("__consumer_offsets", 0, 0)])
    assert len(take(consumer, 1)) == 1
    consumer.close()

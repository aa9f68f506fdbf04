"""The field's Kafka clients, unmodified: librdkafka (confluent-kafka, kcat) and kafka-python."""
import json
import subprocess
import uuid

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from kafka import KafkaConsumer, KafkaProducer
from kafka import TopicPartition as PythonPartition

from millrace import DEADLINE_S


def person(number):
    return json.dumps({"full_name": f"Ms. Ada {number}", "city": "Ünterköln"}, ensure_ascii=False).encode()


def produce(bootstrap, topic, count, **config):
    failed = []
    producer = Producer({"bootstrap.servers": bootstrap, **config})
    for number in range(count):
        producer.produce(topic, person(number), key=str(number), headers=[("n", str(number).encode())],
                         on_delivery=lambda error, _: failed.append(error) if error else None)
        producer.poll(0)
    assert producer.flush(DEADLINE_S) == 0 and not failed
    return [person(number) for number in range(count)]


def consume(bootstrap, topic, count, start=0, **config):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test", "enable.auto.commit": False, **config})
    consumer.assign([TopicPartition(topic, 0, start)])
    messages = []
    try:
        while len(messages) < count:
            message = consumer.poll(DEADLINE_S)
            assert message is not None, f"only {len(messages)} of {count} came"
            if message.error():
                raise KafkaException(message.error())
            messages.append(message)
    finally:
        consumer.close()
    return messages


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_confluent_kafka_with_each_codec(server, codec):
    topic = f"codec-{codec}"
    sent = produce(server.kafka, topic, 500, **{"compression.type": codec, "linger.ms": 20})
    got = consume(server.kafka, topic, 500)
    assert [m.value() for m in got] == sent
    assert [m.offset() for m in got] == list(range(500))
    assert got[7].key() == b"7" and got[7].headers() == [("n", b"7")]


def test_confluent_kafka_idempotent(server):
    sent = produce(server.kafka, "random_names", 1000, **{"enable.idempotence": True})
    assert [m.value() for m in consume(server.kafka, "random_names", 1000)] == sent


def test_confluent_kafka_admin(server):
    admin = AdminClient({"bootstrap.servers": server.kafka})
    for future in admin.create_topics([NewTopic("made", 3, 3)]).values():     # the article asks for three replicas
        future.result(DEADLINE_S)
    topic = admin.list_topics("made", DEADLINE_S).topics["made"]
    assert len(topic.partitions) == 3 and topic.partitions[0].replicas == [topic.partitions[0].leader]
    with pytest.raises(KafkaException) as refused:
        admin.create_topics([NewTopic("made", 1, 1)])["made"].result(DEADLINE_S)
    assert refused.value.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS


def test_offsets_and_waiting(server):
    produce(server.kafka, "offsets", 10)
    consumer = Consumer({"bootstrap.servers": server.kafka, "group.id": "o", "enable.partition.eof": True,
                         "enable.auto.commit": False})
    assert consumer.get_watermark_offsets(TopicPartition("offsets", 0), timeout=DEADLINE_S) == (0, 10)
    consumer.assign([TopicPartition("offsets", 0, 10)])
    assert consumer.poll(DEADLINE_S).error().code() == KafkaError._PARTITION_EOF
    produce(server.kafka, "offsets", 1)
    assert consumer.poll(DEADLINE_S).offset() == 10
    consumer.close()


def kcat(*args, text=None):
    done = subprocess.run(["kcat", *args], input=text, capture_output=True, timeout=DEADLINE_S, check=True)
    return done.stdout


def test_kcat(server):
    lines = b"".join(person(n) + b"\n" for n in range(50))
    kcat("-b", server.kafka, "-P", "-t", "kcat", text=lines)
    assert kcat("-b", server.kafka, "-C", "-t", "kcat", "-e", "-q", "-f", "%s\n") == lines
    listing = json.loads(kcat("-b", server.kafka, "-L", "-J"))
    assert "kcat" in [topic["topic"] for topic in listing["topics"]]


def test_kafka_python(server):
    topic = f"python-{uuid.uuid4().hex[:8]}"
    producer = KafkaProducer(bootstrap_servers=server.kafka, acks="all")
    sent = [person(n) for n in range(200)]
    for value in sent:
        producer.send(topic, value)
    producer.flush(DEADLINE_S)
    producer.close()
    consumer = KafkaConsumer(bootstrap_servers=server.kafka, auto_offset_reset="earliest", enable_auto_commit=False,
                             consumer_timeout_ms=DEADLINE_S * 1000)
    partition = PythonPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    got = []
    for message in consumer:
        got.append(message.value)
        if len(got) == len(sent):
            break
    assert got == sent
    assert consumer.end_offsets([partition])[partition] == len(sent)
    consumer.close()
